"""The invariants of houses at rest: all is well, and each has told the other everything (``spec/invariants.md``)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

from comity.flows.deciding.basis import basis
from comity.flows.giving.release import Waiting
from comity.flows.keeping.erasing import USABLE
from comity.ports import JournalEntry
from comity.record import bodies
from comity.record.bodies.custody import HandedOver, Reproduced
from comity.record.bodies.lineage import Derived
from comity.record.encoding import decode
from comity.record.statement import DOMESTIC, chain_id, peek
from comity.register.holdings import LEFT
from comity.register.rows import (
    TABLES,
    AssuranceRow,
    ConsignmentRow,
    CopyRow,
    DirectoryRow,
    ItemRow,
    RequestRow,
    ReturnedRow,
    Row,
    decode_row,
)
from comity.register.rows.consents import ConsentAskedRow, ConsentRow
from comity.register.rows.duties import DutiesRow, OpenDutyRow
from comity.register.rows.ending import ChangeRow, HoldingRow
from comity.register.rows.feeding import FeedEpochRow, FeedReceiptRow, FeedReleaseRow, FeedRow, PostureRow
from comity.register.rows.inventory import TallyItemRow, TallyPartRow, TallyRow, tally_part_key
from comity.register.rows.lineage import ChildRow, DerivativeRow
from comity.register.rows.negotiation import LayerToldRow, NegotiationRow
from comity.register.rows.term import EndNotesRow
from comity.register.tally import NOTHING as NO_SUM
from comity.register.tally import CopyLine, added, copy_line, item_sum, part_of
from world import RELATIONSHIP

from .feed_invariants import published_arrives_once
from .markers import SECRET
from .negotiating import CHANNEL

if TYPE_CHECKING:
    from .node import Node
    from .simulation import Simulation

SHARED = (
    AssuranceRow,
    ChangeRow,
    ChildRow,
    ConsentAskedRow,
    ConsentRow,
    CopyRow,
    DerivativeRow,
    DirectoryRow,
    EndNotesRow,
    FeedEpochRow,
    FeedReceiptRow,
    FeedReleaseRow,
    FeedRow,
    LayerToldRow,
    NegotiationRow,
    PostureRow,
)
"""Tables of what both sides know, which must then be the same."""
AT_HOME = ("inspect-site",)
"""Deeds that a record of one's own house can do too."""
R = TypeVar("R", bound=Row)
B = TypeVar("B", bound=bodies.Body)


def rows(node: Node, kind: type[R]) -> dict[str, R]:
    """All rows of a kind on the disk of a node."""
    found = node.disk.database.rows.get(kind.table, {})
    return {key: decode_row(kind.table, value) for key, value in found.items()}  # the table's kind


def said(node: Node, kind: type[B], chain: str) -> Iterator[tuple[JournalEntry, B]]:
    """Every record of a type in a chain, with its place."""
    for _, entry in sorted(node.disk.database.chains.get(chain, {}).items()):
        statement = peek(entry.envelope)
        if statement.type == kind.kind:
            yield entry, decode(bytes(statement.body), kind)


def giving(simulation: Simulation) -> Iterator[tuple[Node, Node, str]]:
    """Giver, receiver and the giver's chain, in both directions."""
    one, other = simulation.nodes.values()
    for giver, receiver in ((one, other), (other, one)):
        yield giver, receiver, chain_id(RELATIONSHIP, giver.party)


def talking(simulation: Simulation) -> Iterator[tuple[Node, Node, str]]:
    """The same, and in the channel besides, where somebody has said something there."""
    for giver, receiver, chain in giving(simulation):
        talk = chain_id(CHANNEL, giver.party)
        yield from ((giver, receiver, each) for each in (chain, talk) if each in giver.disk.database.heads)


def houses_come_to_rest(simulation: Simulation) -> Iterator[str]:
    """(14)"""
    yield from simulation.restless
    for giver, receiver, chain in talking(simulation):
        size = giver.disk.database.heads[chain].size
        if int.from_bytes(giver.disk.database.rows["peer-has"].get(chain, b""), "big") != size:
            yield f"{giver.party} does not know that {receiver.party} has all of {chain}"
        for table in ("waiting", "held"):
            for key in receiver.disk.database.rows.get(table, {}):
                if key.startswith(f"{chain}/"):
                    yield f"{key} is still {table} in {receiver.party}"
        settled = {entry.record: entry.verdict for entry in receiver.disk.database.entries}
        for entry in receiver.disk.database.chains[chain].values():
            if settled[entry.record] == "held":
                yield f"record {entry.sequence} of {chain} is still held in {receiver.party} ({entry.reason})"


def chains_are_the_same(simulation: Simulation) -> Iterator[str]:
    """(15)"""
    for giver, receiver, chain in talking(simulation):
        ours, theirs = (node.disk.database.chains.get(chain, {}) for node in (giver, receiver))
        if [(entry.envelope, entry.salt) for _, entry in sorted(ours.items())] != [
            (entry.envelope, entry.salt) for _, entry in sorted(theirs.items())
        ]:
            yield f"{chain} is not the same on both sides ({len(ours)} and {len(theirs)} records)"
        if giver.disk.database.heads.get(chain) != receiver.disk.database.heads.get(chain):
            yield f"the heads of {chain} differ"


def everything_is_witnessed(simulation: Simulation) -> Iterator[str]:
    """(16)"""
    for giver, receiver, chain in giving(simulation):
        size = giver.disk.database.heads[chain].size
        witnessed = simulation.verified[giver.party].witnessed.get(chain, 0)
        if witnessed != size:
            yield f"{receiver.party} has cosigned {witnessed} of {size} records of {chain}"


def copies_are_conserved(simulation: Simulation) -> Iterator[str]:
    """(17)"""
    made = [each for giver, _, chain in giving(simulation) for each in _copies_made(giver, chain)]
    for node in simulation.nodes.values():
        refused = rows(node, ReturnedRow)
        expected = Counter(key for record, key in made if record.hex() not in refused or key in _undelivered(node))
        copies = rows(node, CopyRow)
        for key in sorted(expected.keys() | copies.keys()):
            if expected[key] != (key in copies):
                yield f"copy {key} was made {expected[key]} times; {node.party} accounts for {int(key in copies)}"
        given = Counter(row.item for row in rows(node, ConsignmentRow).values() for _ in row.copies)
        for item in rows(node, ItemRow).values():
            if item.consignments and item.copies != given[item.item]:
                yield f"{node.party} counts {item.copies} copies of {item.item}, its consignments {given[item.item]}"
        left = Counter(copy.item for copy in copies.values() if copy.state in LEFT)
        for key, holding in rows(node, HoldingRow).items():
            if holding.left != left[key.removeprefix(f"{RELATIONSHIP}/")]:
                yield f"{node.party} counts {holding.left} copies left of {key}"


def _copies_made(node: Node, chain: str) -> Iterator[tuple[bytes, str]]:
    """Every copy that a record of a chain makes: the record, and the key of the copy."""
    for kind in (bodies.Consigned, Reproduced, Derived):
        for entry, body in said(node, kind, chain):
            for copy in body.copies:
                yield entry.record, f"{RELATIONSHIP}/{body.item}/{copy.number:06d}"


def _undelivered(node: Node) -> set[str]:
    """Copies of this house that came back because the other side did not take them: they were made all the same."""
    return {
        f"{RELATIONSHIP}/{row.item}/{number:06d}"
        for row in rows(node, ConsignmentRow).values()
        if row.returned is not None
        for number in row.copies
    }


def registers_reconcile(simulation: Simulation) -> Iterator[str]:
    """(18)"""
    for giver, receiver, chain in giving(simulation):
        theirs, refused = rows(receiver, ConsignmentRow), rows(giver, ReturnedRow)
        copies = {node.party: rows(node, CopyRow) for node in (giver, receiver)}
        for key, given in rows(giver, ConsignmentRow).items():
            if given.author != giver.party:
                continue
            where = f"consignment {given.sequence} of {chain}"
            taken = theirs.pop(key, None)
            if taken is None:
                if key not in refused or given.returned is None:
                    yield f"{where} is not registered by {receiver.party}, nor returned"
                continue
            if given != taken:
                yield f"{where} reads {given!r} on one side and {taken!r} on the other"
            if given.receipt is None:
                yield f"{where} was taken, but not receipted"
            for number in given.copies:
                name = f"{RELATIONSHIP}/{given.item}/{number:06d}"
                if copies[giver.party].get(name) != copies[receiver.party].get(name):
                    yield f"copy {number} of {where} is not the same on both sides"
        for stray in theirs.values():
            if stray.author == giver.party:
                yield f"{receiver.party} registered a consignment of {giver.party} that it does not know"
    one, other = simulation.nodes.values()
    undelivered = _undelivered(one) | _undelivered(other)
    returned = rows(one, ReturnedRow)
    for kind in SHARED:
        ours, others = (
            {key: row for key, row in rows(node, kind).items() if _record(row) not in returned} for node in (one, other)
        )
        for key in sorted(ours.keys() | others.keys()):
            if key.startswith((RELATIONSHIP, CHANNEL)) and key not in undelivered and ours.get(key) != others.get(key):
                yield f"{kind.table} {key} reads {ours.get(key)!r} in {one.party}, {others.get(key)!r} in {other.party}"
    duties = [_duties_that_both_see(node) for node in (one, other)]
    for key in sorted(duties[0].keys() | duties[1].keys()):
        if duties[0].get(key) != duties[1].get(key):
            yield f"duty {key} is {duties[0].get(key)} in {one.party} and {duties[1].get(key)} in {other.party}"
    if rows(one, ReturnedRow) != rows(other, ReturnedRow):
        yield "the houses do not name the same records as returned"


def _record(row: Row) -> str:
    """The record that made a row, where its kind names one."""
    return getattr(row, "record", b"").hex()


def _duties_that_both_see(node: Node) -> dict[tuple[str, ...], str]:
    """What became of every duty that crossing records alone have opened and discharged; standing ones open by turns."""
    crossed = {entry.record for entry in node.disk.database.entries if not entry.chain.startswith(DOMESTIC)}
    refused = rows(node, ReturnedRow)
    found = {}
    for key, row in rows(node, DutiesRow).items():
        for duty in row.duties:
            at_home = duty.discharged is not None and duty.discharged not in crossed
            told = duty.opened in crossed and duty.opened.hex() not in refused and not duty.standing
            if told and not at_home and duty.deed not in AT_HOME:
                ended = duty.discharged.hex()[:16] if duty.discharged else f"open, due {duty.due}"
                found[key, duty.instrument, duty.obligation, duty.who, duty.opened.hex()[:16]] = ended
    return found


def giving_rests_on_permit(simulation: Simulation) -> Iterator[str]:
    """(19)"""
    for giver, receiver, chain in giving(simulation):
        permits, given_back = _permits(giver), simulation.invariants.given_back
        for entry, body in said(giver, bodies.Consigned, chain):
            if entry.record in given_back:
                continue
            if (body.item, "give") not in permits.get(body.basis, ()):
                yield f"consignment {entry.sequence} of {chain} rests on no recorded permit"
            request = rows(giver, RequestRow).get(body.request)
            if request is None or not any(
                approval.granted and approval.by != request.by for approval in request.approvals
            ):
                yield f"consignment {entry.sequence} of {chain} was not approved by somebody else"
            assured = {
                (assurance.item, assurance.recipient)
                for answer, assurance in said(receiver, bodies.Assured, chain_id(RELATIONSHIP, receiver.party))
                if assurance.conditions and answer.record in body.assurances
            }
            for copy in body.copies:
                if (body.item, copy.holder) not in assured:
                    yield f"copy {copy.number} of {body.item} went to somebody for whom nothing was assured"
        for entry, body in said(giver, bodies.Opened, chain):
            if entry.record not in given_back and (body.item, "open") not in permits.get(body.basis, ()):
                yield f"opening {entry.sequence} of {chain} rests on no recorded permit"


def _permits(node: Node) -> dict[bytes, list[tuple[str, str]]]:
    """What each permit of a house allows, by the commitment that crossing records make to it."""
    house = node.house
    assert house is not None
    permits: dict[bytes, list[tuple[str, str]]] = {}
    for entry, body in said(node, bodies.Decided, chain_id(DOMESTIC, node.party)):
        if body.outcome == "permit":
            permits.setdefault(basis(house, entry.record), []).append((body.item, body.act))
    return permits


def requests_are_carried_out_once(simulation: Simulation) -> Iterator[str]:
    """(20)"""
    for giver, receiver, chain in giving(simulation):
        given = Counter(body.request for _, body in said(giver, bodies.Consigned, chain))
        for request, times in given.items():
            if times > 1:
                yield f"{giver.party} carried {request} out {times} times"
        receipts = Counter(
            body.consignment for _, body in said(receiver, bodies.Received, chain_id(RELATIONSHIP, receiver.party))
        )
        if any(times > 1 for times in receipts.values()):
            yield f"{receiver.party} receipted a consignment twice"
    for request in simulation.carried_late:
        yield f"{request} waited although nothing was missing"


def rebuild_gives_live_tables(simulation: Simulation) -> Iterator[str]:
    """(21)"""
    for party, node in simulation.nodes.items():
        for table in TABLES:
            live, again = simulation.tables[party].get(table, {}), node.disk.database.rows.get(table, {})
            for key in sorted(live.keys() | again.keys()):
                if live.get(key) != again.get(key):
                    yield f"row {table} {key} of {party} is another one after a rebuild"


def verification_finds_nothing(simulation: Simulation) -> Iterator[str]:
    """(22)"""
    for when, all_verified in (("at rest", simulation.verified), ("after a rebuild", simulation.rebuilt)):
        for party, verified in all_verified.items():
            for finding in verified.findings:
                if not simulation.is_lie(finding.says):
                    yield f"{party} {when}: {finding.place}: {finding.says}"


def disks_hold_no_plaintext(simulation: Simulation) -> Iterator[str]:
    """(23)"""
    for party, node in simulation.nodes.items():
        for database in (node.disk.database, node.feed_disk.database):
            for table, found in database.rows.items():
                for key, value in found.items():
                    if SECRET in value or SECRET in key.encode():
                        yield f"row {table} {key} of {party} holds plaintext"
        for digest, blob in (*node.disk.blobs.items(), *node.disk.uploads.items()):
            if SECRET in blob:
                yield f"blob {digest.hex()[:16]} of {party} holds plaintext"
        for name, left in node.disk.partial.items():
            if SECRET in left:
                yield f"what a torn write left as {name} of {party} holds plaintext"
        for path in node.folder.rglob("*"):
            if path.is_file() and SECRET in path.read_bytes():
                yield f"{path.name} of {party} holds plaintext"


def what_was_given_is_there(simulation: Simulation) -> Iterator[str]:
    """(24)"""
    for node in simulation.nodes.values():
        headers = node.disk.database.rows.get("header", {})
        for consignment in rows(node, ConsignmentRow).values():
            if consignment.author != node.party and consignment.payload not in node.disk.blobs:
                yield f"the payload of {consignment.item} is not in {node.party}, which received it"
        received = {row.record for row in rows(node, ConsignmentRow).values() if row.author != node.party}
        made = {row.record for row in rows(node, DerivativeRow).values() if row.maker == node.party}
        received |= made - simulation.invariants.given_back
        burned = node.disk.erased if simulation.bringing_back is not None else ()  # also of a copy whose end burned
        sealed_here = _handed_over(node, simulation.invariants.given_back)
        for copy in rows(node, CopyRow).values():
            if copy.consignment not in received or copy.header in burned or (copy.item, copy.number) in sealed_here:
                continue
            usable, there = copy.state in USABLE and not copy.going_back, copy.header.hex() in headers
            if usable and not there:
                yield f"the header of copy {copy.number} of {copy.item} is not in {node.party}, which holds it"
            if there and not usable:
                yield f"the header of the {copy.state} copy {copy.number} of {copy.item} is still in {node.party}"
        requests = rows(node, RequestRow)
        for request, value in node.disk.database.rows.get("prepared", {}).items():
            refused = requests[request].approvals and not requests[request].approvals[-1].granted
            if not refused and decode(value, Waiting).prepared.payload not in node.disk.blobs:
                yield f"what {request} waits to give is not in {node.party} any more"


def _handed_over(node: Node, given_back: set[bytes]) -> set[tuple[str, int]]:
    """Copies that were sealed here to somebody else before the disk was lost, and nowhere besides."""
    chain = chain_id(RELATIONSHIP, node.party)
    return {(body.item, body.copy) for entry, body in said(node, HandedOver, chain) if entry.record in given_back}


def duties_balance(simulation: Simulation) -> Iterator[str]:
    """(25)"""
    for node in simulation.nodes.values():
        index, refused = rows(node, OpenDutyRow), rows(node, ReturnedRow)
        listed = Counter((entry.duty, entry.place) for entry in index.values())
        opened = discharged = 0
        for key, row in rows(node, DutiesRow).items():
            for place, duty in enumerate(row.duties):
                opened += 1
                discharged += not duty.open
                if listed[key, place] != duty.open:
                    yield f"duty {duty.obligation!r} about {row.subject} is listed {listed[key, place]} times as open"
                journal = node.disk.database.newest
                if duty.opened not in journal or (duty.discharged is not None and duty.discharged not in journal):
                    yield f"duty {duty.obligation!r} about {row.subject} names a record that is not in {node.party}"
                if duty.open and duty.opened.hex() in refused:
                    yield f"duty {duty.obligation!r} about {row.subject} is open in {node.party} by a returned record"
        if opened != discharged + len(index):
            yield f"{node.party} opened {opened} duties, discharged {discharged}, and lists {len(index)} as open"


def tallies_add_up(simulation: Simulation) -> Iterator[str]:
    """(26)"""
    for node in simulation.nodes.values():
        copies: dict[str, list[CopyLine]] = {}
        undelivered = _undelivered(node)
        for key, copy in rows(node, CopyRow).items():
            if key not in undelivered:
                copies.setdefault(copy.item, []).append(copy_line(copy))
        sums: dict[str, list[bytes]] = {}
        for name, row in rows(node, TallyItemRow).items():
            item = name.rpartition("/")[2]
            if item_sum(item, row, copies.get(item, ())) != row.digest:
                yield f"the tally of {item} in {node.party} is not what its lines add up to"
            sums.setdefault(tally_part_key(RELATIONSHIP, part_of(RELATIONSHIP, item))[1], []).append(row.digest)
        for key, part in rows(node, TallyPartRow).items():
            if added(NO_SUM, *sums.get(key, ())) != part.digest:
                yield f"part {key} of the tally in {node.party} is not what its items add up to"
    one, other = simulation.nodes.values()
    for kind in (TallyItemRow, TallyPartRow, TallyRow):
        ours, others = (
            {key: row.digest for key, row in rows(node, kind).items() if row.digest != NO_SUM} for node in (one, other)
        )  # of what came back undelivered an empty sum remains where it was made
        for key in sorted(ours.keys() | others.keys()):
            if ours.get(key) != others.get(key):
                yield f"{kind.table} {key} is {ours.get(key)!r} in {one.party} and {others.get(key)!r} in {other.party}"


def honest_houses_are_not_accused(simulation: Simulation) -> Iterator[str]:
    """(34)"""
    liars = {liar.party for liar in simulation.liars if liar.signs}
    for party, accused in simulation.accused.items():
        for each in accused:
            if each not in liars:
                yield f"{party} holds against {each} that it signed what excludes itself"


def lies_are_proved(simulation: Simulation) -> Iterator[str]:
    """(35)"""
    for liar in (liar for liar in simulation.liars if liar.signs):
        for place in (RELATIONSHIP, CHANNEL):
            chain = chain_id(place, liar.party)
            mine = simulation.nodes[liar.party].disk.database.chains.get(chain, {})
            for party, node in simulation.nodes.items():
                theirs = node.disk.database.chains.get(chain, {})
                differ = [n for n in mine.keys() & theirs.keys() if mine[n].record != theirs[n].record]
                if differ and liar.party not in simulation.proved[party]:
                    yield f"{party} has another record {min(differ)} of {chain}, and proves nothing to anybody"


RestInvariant = Callable[["Simulation"], Iterator[str]]
AT_REST: dict[int, RestInvariant] = dict(
    enumerate(
        (
            houses_come_to_rest,
            chains_are_the_same,
            everything_is_witnessed,
            copies_are_conserved,
            registers_reconcile,
            giving_rests_on_permit,
            requests_are_carried_out_once,
            rebuild_gives_live_tables,
            verification_finds_nothing,
            disks_hold_no_plaintext,
            what_was_given_is_there,
            duties_balance,
            tallies_add_up,
        ),
        start=14,
    )
) | {33: published_arrives_once, 34: honest_houses_are_not_accused, 35: lies_are_proved}
BESIDE_A_DOUBLE_DEALER = (20, 21, 22, 23, 25, 34, 35)
"""What holds at rest where a party has signed two histories: no two houses can agree on both."""


def at_rest_in(simulation: Simulation) -> dict[int, RestInvariant]:
    """What must hold when a world has come to rest."""
    if not any(liar.signs for liar in simulation.liars):
        return AT_REST
    return {number: AT_REST[number] for number in BESIDE_A_DOUBLE_DEALER}
