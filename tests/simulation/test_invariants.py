"""The test of the tests: every invariant is broken on purpose, and must be the one that is named."""

from __future__ import annotations

import asyncio
import copy
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from comity.decision import model as decision
from comity.errors import InternalError
from comity.flows.exchanging.parcel import Parcel, Sent
from comity.flows.maintaining.rebuilding import VerifyLedger, verify_ledger
from comity.ledger.checkpoint import Checkpoint, sign_checkpoint
from comity.ledger.tree import TreeHead
from comity.ports import Batch, JournalEntry, Put
from comity.record import bodies
from comity.record.contexts import origin
from comity.record.encoding import decode, encode
from comity.record.statement import DOMESTIC, Record, chain_id, peek, write
from comity.register.rows import ConsignmentRow, CopyRow, ItemRow, RequestRow, encode_row
from comity.register.rows.duties import DutiesRow
from world import RELATIONSHIP

from . import acts
from .at_rest import AT_REST, rows, said
from .feed_invariants import FEEDS_AT_EACH_STEP
from .feed_plants import NAME
from .feed_witness import state_on
from .invariants import AT_EACH_STEP, NAMES, Broken
from .lying import Liar
from .markers import OURS, SECRET
from .node import Node
from .planting import PLANTS, Plant, breaks
from .simulation import Inline, Simulation, run_world
from .weather import CALM
from .witness import Departure, Opening

ROOT = Path(__file__).parents[2]
OWN = chain_id(RELATIONSHIP, "jp")
HOUSE = chain_id(DOMESTIC, "jp")
STEPS = 700


@pytest.fixture(scope="module")
def rested(tmp_path_factory: pytest.TempPathFactory) -> Simulation:
    """A world without faults in which much has passed, at rest."""

    async def run(simulation: Simulation) -> Simulation:
        await simulation.found()
        for _ in range(STEPS):
            await simulation.step()
        await simulation.rest()
        return simulation

    return run_world(Simulation(7, tmp_path_factory.mktemp("world"), CALM), run)


@pytest.fixture
def world(rested: Simulation) -> Iterator[Simulation]:
    """The same world for each test: what it spoils is put back."""
    disks = {party: dict(vars(node.disk)) for party, node in rested.nodes.items()}
    kept = {name: value for name, value in vars(rested).items() if isinstance(value, dict | list) and name != "nodes"}
    remembered = dict(vars(rested.invariants))
    feed_databases, feeds = {}, rested.witness.feeds
    sent, answers = dict(feeds.sent), feeds.answers.copy()
    for party, node in rested.nodes.items():
        feed_databases[party] = node.feed_disk.database
        node.feed_disk.database = copy.deepcopy(node.feed_disk.database)
        node.disk.database = copy.deepcopy(node.disk.database)
        node.disk.blobs, node.disk.sizes = dict(node.disk.blobs), dict(node.disk.sizes)
        node.disk.partial = dict(node.disk.partial)
    for holder, values in ((rested, kept), (rested.invariants, remembered)):
        for name, value in values.items():
            if name != "simulation":
                setattr(holder, name, copy.copy(value))
    rested.invariants.journalled = {party: list(known) for party, known in remembered["journalled"].items()}
    yield rested
    rested.witness.taken()
    feeds.taken()
    feeds.sent, feeds.answers = sent, answers
    for party, database in feed_databases.items():
        rested.nodes[party].feed_disk.database = database
    for party, disk in disks.items():
        vars(rested.nodes[party].disk).update(disk)
    vars(rested).update(kept)
    vars(rested.invariants).update(remembered)


def test_the_world_is_whole_before_anything_is_planted(world: Simulation) -> None:
    world.invariants.check()
    world.invariants.check_at_rest()
    for node in world.nodes.values():
        assert [copy for copy in rows(node, CopyRow).values() if copy.openings], "nobody opened anything here"
    assert world.invariants.reading, "nobody read a feed"
    assert state_on(world.nodes["kr"], NAME).first > 2, "nothing crossed"


# ---- what a planted fault is made of -------------------------------------------------------------------------------


def house_record(node: Node, like: JournalEntry, body: bodies.Body, **changes: object) -> Record:
    """A record signed with the house's own key, as a house gone wrong would sign it."""
    assert node.house is not None
    statement = msgspec.structs.replace(peek(like.envelope), type=body.kind, body=msgspec.Raw(encode(body)), **changes)
    signer = node.house.keys.record
    return write(statement, body, [(signer.public, signer.sign)])


def newest(node: Node, chain: str) -> JournalEntry:
    return max(node.disk.database.chains[chain].values(), key=lambda entry: entry.sequence)


def journalled(node: Node, like: JournalEntry, record: Record) -> None:
    """Put a record at the end of the journal, past all checks."""
    node.disk.database.entries.append(
        msgspec.structs.replace(
            like, sequence=record.statement.sequence, record=record.id, envelope=record.envelope, extends=True
        )
    )


def parcel(**changes: object) -> Parcel:
    empty = Parcel("comity-parcel/1", RELATIONSHIP, "jp", "kr", 0, (), b"", b"", 0)
    return msgspec.structs.replace(empty, **changes)


def put_row(node: Node, row: CopyRow | ItemRow | RequestRow, key: str) -> None:
    node.disk.database.put(Put(row.table, key, encode_row(row)))


def verified(world: Simulation, party: str) -> None:
    """Let a house say what it finds in itself."""
    node = world.nodes[party]
    assert node.house is not None

    async def run() -> None:
        asyncio.get_running_loop().set_default_executor(Inline())
        assert node.house is not None
        world.verified[party] = await verify_ledger(node.house, VerifyLedger())

    asyncio.run(run())


def a_copy(node: Node) -> tuple[str, CopyRow]:
    return next(iter(rows(node, CopyRow).items()))


# ---- one fault for each invariant ----------------------------------------------------------------------------------


@breaks(1)
def a_disk_forgets_an_acknowledged_record(world: Simulation) -> None:
    disk = world.nodes["jp"].disk
    entry = newest(world.nodes["jp"], OWN)
    del disk.database.chains[OWN][entry.sequence]
    disk.crashes += 1


@breaks(1)
def a_flow_names_a_record_that_was_never_written(world: Simulation) -> None:
    house = world.nodes["jp"].house
    assert house is not None

    async def act() -> object:
        return acts.Given(
            request="r-0",
            item="i",
            outcome="permit",
            decision=decision.Permit((), (), None),  # not looked at
            decision_record="00" * 32,
            consignment=None,
            size=0,
            alternative=None,
        )

    asyncio.run(world.judged(house, "ask", act))


@breaks(2)
def a_house_signs_a_second_history(world: Simulation) -> None:
    node = world.nodes["jp"]
    entry = newest(node, OWN)
    statement = peek(entry.envelope)
    body = decode(bytes(statement.body), bodies.BODIES[statement.type])
    other = house_record(node, entry, body, at=statement.at + timedelta(seconds=1))
    again = parcel(start=entry.sequence, entries=(Sent(other.envelope, entry.salt),))
    world.witness.news.departures.append(Departure("jp", again, node.marks))


@breaks(3)
def a_house_states_another_root(world: Simulation) -> None:
    node = world.nodes["jp"]
    assert node.house is not None
    size = node.disk.database.heads[OWN].size
    note = sign_checkpoint(Checkpoint(origin(OWN), TreeHead(size, bytes(32))), node.house.keys.log)
    world.witness.news.departures.append(Departure("jp", parcel(checkpoint=note.encode()), node.marks))


@breaks(4)
def a_record_leaves_before_it_is_marked(world: Simulation) -> None:
    entry = newest(world.nodes["jp"], OWN)
    early = parcel(start=entry.sequence, entries=(Sent(entry.envelope, entry.salt),))
    world.witness.news.departures.append(Departure("jp", early, {OWN: entry.sequence}))


@breaks(5)
def a_mark_runs_ahead(world: Simulation) -> None:
    world.nodes["jp"].disk.sizes[OWN] += 1


@breaks(6)
def an_entry_is_dropped_from_the_journal(world: Simulation) -> None:
    del world.nodes["kr"].disk.database.entries[3]


@breaks(7)
def a_record_is_older_than_the_one_before(world: Simulation) -> None:
    node = world.nodes["jp"]
    entry = newest(node, OWN)
    body = bodies.Returned(record=bytes(32), code="none", reason="none")
    journalled(node, entry, house_record(node, entry, body, at=peek(entry.envelope).at - timedelta(seconds=1)))


@breaks(7)
def a_record_cites_less_of_the_peer(world: Simulation) -> None:
    node = world.nodes["jp"]
    entry = newest(node, OWN)
    body = bodies.Returned(record=bytes(32), code="none", reason="none")
    journalled(node, entry, house_record(node, entry, body, seen=None))


@breaks(8)
def a_permit_cites_nothing(world: Simulation) -> None:
    node = world.nodes["jp"]
    entry, body = next(
        (entry, body) for entry, body in said(node, bodies.Decided, HOUSE) if body.outcome == "needs-consent"
    )
    outcome = msgspec.json.decode(body.decision, type=decision.Outcome)
    permit = decision.Permit(reasons=(), duties=outcome.duties, inputs=outcome.inputs)
    forged = msgspec.structs.replace(body, outcome="permit", decision=msgspec.Raw(encode(permit)))
    journalled(node, entry, house_record(node, entry, forged, at=peek(newest(node, HOUSE).envelope).at))


@breaks(9)
def plaintext_leaves_in_a_parcel(world: Simulation) -> None:
    world.witness.departed("jp", parcel(blobs=(b"..." + SECRET,)), {})


@breaks(9)
def a_handle_leaves_in_a_record(world: Simulation) -> None:
    node = world.nodes["jp"]
    body = bodies.Returned(record=bytes(32), code="none", reason=f"asked by {OURS.decode()}jp_officer")
    record = house_record(node, newest(node, OWN), body)
    world.witness.departed("jp", parcel(entries=(Sent(record.envelope, bytes(32)),)), {})


@breaks(9)
def plaintext_is_written_to_a_row_and_removed_again(world: Simulation) -> None:
    world.witness.written("jp", Batch(puts=(Put("side", "key", SECRET), Put("side", "key", None))))


@breaks(10)
def a_flow_meets_a_defect(world: Simulation) -> None:
    house = world.nodes["jp"].house
    assert house is not None

    async def act() -> object:
        raise KeyError("no such thing")

    asyncio.run(world.judged(house, "ask", act))


@breaks(10)
def an_invariant_of_our_own_does_not_hold(world: Simulation) -> None:
    house = world.nodes["jp"].house
    assert house is not None

    async def act() -> object:
        raise InternalError("this cannot be")

    asyncio.run(world.judged(house, "ask", act))


@breaks(11)
def a_reader_sees_half_of_it(world: Simulation) -> None:
    asked = world.asked[0]
    world.witness.news.openings.append(Opening("kr", asked.request, asked.content[:-1]))


@breaks(12)
def a_house_at_work_finds_a_changed_row(world: Simulation) -> None:
    node = world.nodes["kr"]
    assert node.house is not None
    key, row = a_copy(node)
    put_row(node, msgspec.structs.replace(row, holder="somebody"), key)
    asyncio.run(acts.verify(world, node.house))  # a coroutine function underneath


@breaks(13)
def a_cosignature_is_forgotten(world: Simulation) -> None:
    node = world.nodes["jp"]
    assert node.house is not None
    note = sign_checkpoint(Checkpoint(origin(OWN), TreeHead(1, bytes(32))), node.house.keys.log)
    node.disk.database.put(Put("cosigned", OWN, note.encode()))


@breaks(14)
def a_house_thinks_its_peer_lacks_a_record(world: Simulation) -> None:
    node = world.nodes["jp"]
    size = node.disk.database.heads[OWN].size - 1
    node.disk.database.put(Put("peer-has", OWN, size.to_bytes(8, "big")))


@breaks(14)
def a_record_is_held_for_ever(world: Simulation) -> None:
    node = world.nodes["kr"]
    entry = newest(node, OWN)
    node.disk.database.entries.append(msgspec.structs.replace(entry, verdict="held", reason="future-time"))


@breaks(15)
def a_record_differs_between_the_two_copies_of_its_chain(world: Simulation) -> None:
    database = world.nodes["kr"].disk.database
    entry = database.chains[OWN][2]
    database.chains[OWN][2] = msgspec.structs.replace(entry, salt=bytes(32))


@breaks(16)
def a_cosignature_is_lost(world: Simulation) -> None:
    world.nodes["jp"].disk.database.put(Put("cosigned", OWN, None))
    verified(world, "jp")


@breaks(17)
def a_copy_vanishes_on_both_sides(world: Simulation) -> None:
    key, _ = a_copy(world.nodes["jp"])
    for node in world.nodes.values():
        node.disk.database.put(Put(CopyRow.table, key, None))


@breaks(17)
def a_copy_more_is_counted_than_made(world: Simulation) -> None:
    node = world.nodes["jp"]
    row = next(row for row in rows(node, ItemRow).values() if row.copies)
    put_row(node, msgspec.structs.replace(row, copies=row.copies + 1), row.item)


@breaks(18)
def a_copy_changes_state_on_one_side_only(world: Simulation) -> None:
    node = world.nodes["kr"]
    key, row = a_copy(node)
    put_row(node, msgspec.structs.replace(row, state="held" if row.state == "lost" else "lost"), key)


@breaks(18)
def a_consignment_was_never_registered(world: Simulation) -> None:
    node = world.nodes["kr"]
    key = next(iter(node.disk.database.rows["consignment"]))
    node.disk.database.put(Put("consignment", key, None))


@breaks(19)
def a_release_was_approved_by_who_asked(world: Simulation) -> None:
    node = world.nodes["jp"]
    row = next(row for row in rows(node, RequestRow).values() if row.consignment and row.act == "give")
    own = tuple(msgspec.structs.replace(approval, by=row.by) for approval in row.approvals)
    put_row(node, msgspec.structs.replace(row, approvals=own), row.request)


@breaks(19)
def the_decisions_of_a_house_are_gone(world: Simulation) -> None:
    node = world.nodes["kr"]
    chain = chain_id(DOMESTIC, "kr")
    for entry, _ in list(said(node, bodies.Decided, chain)):
        del node.disk.database.chains[chain][entry.sequence]


@breaks(20)
def a_request_is_carried_out_twice(world: Simulation) -> None:
    node = world.nodes["jp"]
    entry, _ = next(said(node, bodies.Consigned, OWN))
    node.disk.database.chains[OWN][newest(node, OWN).sequence + 1] = entry


@breaks(20)
def a_request_waits_for_nothing(world: Simulation) -> None:
    world.carried_late.append("r-0")


@breaks(21)
def a_live_row_was_not_what_the_journal_gives(world: Simulation) -> None:
    key = next(iter(world.tables["jp"]["item"]))
    world.tables["jp"] = world.tables["jp"] | {"item": world.tables["jp"]["item"] | {key: b"{}"}}


@breaks(22)
def a_row_is_missing(world: Simulation) -> None:
    node = world.nodes["kr"]
    key, _ = a_copy(node)
    node.disk.database.put(Put(CopyRow.table, key, None))
    verified(world, "kr")


@breaks(23)
def a_blob_was_never_sealed(world: Simulation) -> None:
    world.nodes["jp"].disk.blobs[bytes(32)] = b"..." + SECRET


@breaks(23)
def a_torn_file_was_never_sealed(world: Simulation) -> None:
    world.nodes["jp"].disk.partial["temporary/0"] = b"..." + SECRET


@breaks(36)
def a_blob_is_torn(world: Simulation) -> None:
    blobs = world.nodes["jp"].disk.blobs
    digest, blob = next((digest, blob) for digest, blob in blobs.items() if blob)
    blobs[digest] = blob[:-1]


@breaks(36)
def a_line_of_an_erased_key_is_torn(world: Simulation) -> None:
    disk = world.nodes["jp"].disk
    disk.erased = [*disk.erased, bytes(7)]


@breaks(24)
def a_payload_is_collected_too_early(world: Simulation) -> None:
    world.nodes["kr"].disk.blobs.clear()


@breaks(24)
def a_header_is_gone(world: Simulation) -> None:
    world.nodes["kr"].disk.database.rows["header"].clear()


@breaks(24)
def a_header_outlives_its_copy(world: Simulation) -> None:
    node = world.nodes["kr"]
    received = {row.record for row in rows(node, ConsignmentRow).values() if row.author != node.party}
    copies = [(key, copy) for key, copy in rows(node, CopyRow).items() if copy.consignment in received]
    key, copy = next((key, copy) for key, copy in copies if copy.state == "held")
    put_row(node, msgspec.structs.replace(copy, state="destroyed"), key)


@breaks(25)
def a_duty_is_discharged_and_still_listed(world: Simulation) -> None:
    node = world.nodes["jp"]
    key, row = next((key, row) for key, row in rows(node, DutiesRow).items() if any(duty.open for duty in row.duties))
    done = [msgspec.structs.replace(duty, discharged=duty.opened) for duty in row.duties]
    node.disk.database.put(Put(DutiesRow.table, key, encode_row(msgspec.structs.replace(row, duties=tuple(done)))))


@breaks(26)
def a_copy_changes_behind_the_tally(world: Simulation) -> None:
    node = world.nodes["kr"]
    key, copy = a_copy(node)
    put_row(node, msgspec.structs.replace(copy, holder="n-somebody"), key)


@breaks(34)
def a_house_that_signed_one_thing_is_accused(world: Simulation) -> None:
    world.accused["jp"] = ["kr"]


@breaks(35)
def a_lie_is_kept_for_the_truth(world: Simulation) -> None:
    world.liars.append(Liar(world, "jp", signs=True))
    entries = world.nodes["kr"].disk.database.chains[OWN]
    entries[2] = msgspec.structs.replace(entries[2], record=bytes(32))


@pytest.mark.parametrize(
    ("number", "plant"), [pytest.param(number, plant, id=f"{number}-{plant.__name__}") for number, plant in PLANTS]
)
def test_a_planted_fault_is_named(world: Simulation, number: int, plant: Plant) -> None:
    plant(world)
    found: set[int] = set()
    for check in (world.invariants.check, world.invariants.check_at_rest):
        try:
            check()
        except Broken as broken:
            found |= broken.numbers
    assert number in found


# ---- the table and the specification -------------------------------------------------------------------------------


def test_every_invariant_has_a_planted_fault() -> None:
    assert {number for number, _ in PLANTS} == set(NAMES)


def test_the_specification_names_every_invariant_by_its_number() -> None:
    text = (ROOT / "spec" / "invariants.md").read_text(encoding="utf-8")
    assert {
        int(number): name for number, name in re.findall(r"^\((\d+)\) \*\*(\w+)\.\*\*", text, re.MULTILINE)
    } == NAMES
    for number, invariant in (*AT_EACH_STEP.items(), *AT_REST.items(), *FEEDS_AT_EACH_STEP.items()):
        assert invariant.__doc__ == f"({number})"
