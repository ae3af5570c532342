"""The invariants of houses at rest: all is well, and each has told the other everything (``spec/invariants.md``)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

from comity.flows.giving import Waiting, basis
from comity.ports import JournalEntry
from comity.record import bodies
from comity.record.encoding import decode
from comity.record.statement import DOMESTIC, chain_id, peek
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
from world import RELATIONSHIP

from .witness import SECRET

if TYPE_CHECKING:
    from .node import Node
    from .simulation import Simulation

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


def houses_come_to_rest(simulation: Simulation) -> Iterator[str]:
    """(14)"""
    yield from simulation.restless
    for giver, receiver, chain in giving(simulation):
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
    for giver, receiver, chain in giving(simulation):
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
    for node in simulation.nodes.values():
        consignments = rows(node, ConsignmentRow)
        by_item: dict[str, list[CopyRow]] = {}
        for copy in rows(node, CopyRow).values():
            by_item.setdefault(copy.item, []).append(copy)
        for item in rows(node, ItemRow).values():
            copies = sorted(by_item.pop(item.item, []), key=lambda copy: copy.number)
            if [copy.number for copy in copies] != list(range(1, item.copies + 1)):
                yield f"{item.item} in {node.party} made {item.copies} copies and accounts for {len(copies)}"
            carried = Counter(
                (record, number)
                for record in item.consignments
                if record.hex() in consignments
                for number in consignments[record.hex()].copies
            )
            if carried != Counter((copy.consignment, copy.number) for copy in copies):
                yield f"the copies of {item.item} in {node.party} are not those its consignments carried"
        for item_id in by_item:
            yield f"{node.party} has copies of {item_id}, which is not registered"


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
    for kind in (DirectoryRow, AssuranceRow, ReturnedRow):
        if rows(one, kind) != rows(other, kind):
            yield f"the table {kind.table!r} differs between the two houses"


def giving_rests_on_permit(simulation: Simulation) -> Iterator[str]:
    """(19)"""
    for giver, receiver, chain in giving(simulation):
        permits = _permits(giver)
        for entry, body in said(giver, bodies.Consigned, chain):
            if (body.item, "give") not in permits.get(body.basis, ()):
                yield f"consignment {entry.sequence} of {chain} rests on no recorded permit"
            request = rows(giver, RequestRow)[body.request]
            if not any(approval.granted and approval.by != request.by for approval in request.approvals):
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
            if (body.item, "open") not in permits.get(body.basis, ()):
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
                yield f"{party} {when}: {finding.place}: {finding.says}"


def disks_hold_no_plaintext(simulation: Simulation) -> Iterator[str]:
    """(23)"""
    for party, node in simulation.nodes.items():
        database = node.disk.database
        for table, found in database.rows.items():
            for key, value in found.items():
                if SECRET in value or SECRET in key.encode():
                    yield f"row {table} {key} of {party} holds plaintext"
        for digest, blob in (*node.disk.blobs.items(), *node.disk.uploads.items()):
            if SECRET in blob:
                yield f"blob {digest.hex()[:16]} of {party} holds plaintext"
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
        for copy in rows(node, CopyRow).values():
            if copy.consignment in received and copy.header.hex() not in headers:
                yield f"the header of copy {copy.number} of {copy.item} is not in {node.party}, which holds it"
        requests = rows(node, RequestRow)
        for request, value in node.disk.database.rows.get("prepared", {}).items():
            refused = requests[request].approvals and not requests[request].approvals[-1].granted
            if not refused and decode(value, Waiting).prepared.payload not in node.disk.blobs:
                yield f"what {request} waits to give is not in {node.party} any more"


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
        ),
        start=14,
    )
)
