"""Opening: a reader, a stated purpose, a decision, and only then the content (Articles 6(c), 7).

The decision is recorded whatever it says. The record of the opening is durable before the content appears; what does
not open, or does not hold what its record says, is recorded as unopenable and told to the other party.

In served custody the node opens. In strict custody ``open_item`` hands out the sealed file, the reader opens it with
his own key, and ``confirm`` records that he did, signed by him.
"""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256

import msgspec

from comity.decision import model as decision
from comity.errors import Misuse, Refused, Rejected
from comity.flows.actors import Actor
from comity.flows.cases import answer, handling_case, outcome_word, record_decision
from comity.flows.content import open_content
from comity.flows.giving import basis
from comity.flows.house import House
from comity.flows.marks import show_marking
from comity.flows.taking import HEADER
from comity.flows.work import Draft, Work
from comity.marking.banner import Banner
from comity.record import bodies
from comity.record.encoding import encode
from comity.record.person_act import unsigned
from comity.record.statement import read as read_record
from comity.register.rows import AgreementRow, ConsignmentRow, CopyRow, ItemRow, PersonRow
from comity.seal.age import open_header
from comity.seal.keys import parse_identity
from comity.seal.manifest import Binding, Manifest

COPY_PIECE_BYTES = 1024 * 1024
"""How much of a sealed payload is copied at once."""


class Open(msgspec.Struct, frozen=True, kw_only=True):
    """Open an item for a purpose, into a new file."""

    item: str
    purpose: str
    path: str
    actor: Actor


class OpenedItem(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it.

    Attributes:
        item: item id.
        outcome: of the decision.
        decision: the decision.
        decision_record: its record id in hex.
        opening: id of the opening record in hex; None when nothing was opened.
        path: where the content is (in strict custody, the sealed file).
        file_name: the name its originator gave it.
        size: of the content, in bytes.
        banner: what must stand on it.
        binding: for strict custody, what the manifest inside must say.
    """

    item: str
    outcome: str
    decision: decision.Outcome
    decision_record: str
    opening: str | None = None
    path: str = ""
    file_name: str = ""
    size: int = 0
    banner: Banner | None = None
    binding: Binding | None = None


class Confirm(msgspec.Struct, frozen=True, kw_only=True):
    """Record that a reader in strict custody opened an item with his own key; ``decision`` names what allowed it."""

    item: str
    purpose: str
    decision_record: str
    actor: Actor


class _Case(msgspec.Struct, frozen=True):
    """What opening works on, once the item is found."""

    item: ItemRow
    row: AgreementRow
    person: PersonRow
    pseudonym: str
    decision: decision.Outcome
    decision_record: bytes

    @property
    def permitted(self) -> bool:
        return outcome_word(self.decision) == "permit"


async def open_item(house: House, request: Open) -> OpenedItem:
    """Open a received item for a person in served custody.

    Raises:
        Misuse: no such item, or the path cannot be written.
        Refused: the person holds no copy, or its mark here was not chosen yet.
        Rejected: the copy does not open or is not what its record says; that is recorded.
    """
    case = await _decide(house, request.item, request.purpose, request.actor)
    if not case.permitted:
        return _refused(case)
    marking = await show_marking(house, case.row, case.item)
    copy, consignment = await _copy(house, case)
    if case.person.custody == "strict":
        return await _fetch(house, request, case, copy, consignment, marking.banner)
    expected = await binding(house, consignment)
    body = await _opened(house, case, copy, request.purpose, request.actor)
    with house.files.whole(request.path) as sink:
        try:
            header = await _header(house, copy)
            identities = [parse_identity(secret) for secret in house.keys.registry()]
            async with house.blobs.open(consignment.payload) as payload:
                manifest: Manifest = await open_content(open_header(header, identities), payload, expected, sink)
        except Rejected as error:
            await _say_unopenable(house, case, copy, error)
            raise
        opening = await _say(house, case.row.relationship, body, case.person.function)
    return OpenedItem(
        item=case.item.item,
        outcome="permit",
        decision=case.decision,
        decision_record=case.decision_record.hex(),
        opening=opening.hex(),
        path=request.path,
        file_name=manifest.file_name,
        size=manifest.length,
        banner=marking.banner,
    )


async def confirm(house: House, request: Confirm) -> OpenedItem:
    """Record an opening by a reader's own key, signed with it; the recorded decision must have allowed it.

    Raises:
        NeedsSignature: he has not signed yet.
        Misuse: no such decision, or it was another person's, another item's, or no permit.
    """
    decided = None
    with suppress(ValueError):  # not hexadecimal: no record's id
        decided = await house.store.find(bytes.fromhex(request.decision_record))
    if decided is None:
        raise Misuse(f"there is no decision {request.decision_record!r}", code="unknown-decision")
    body = read_record(decided.envelope, [house.keys.record.public]).body
    person = await house.person(request.actor.handle)
    item = await house.need(ItemRow, request.item, "item")
    row = await house.agreement_row(item.relationship)
    pseudonym = house.pseudonym(row.relationship, person.person)
    if not isinstance(body, bodies.Decided) or body.item != request.item or body.outcome != "permit":
        raise Misuse("that decision does not permit this", code="other-decision")
    decided_case = msgspec.json.decode(body.case, type=decision.Case)
    if decided_case.requester != pseudonym:
        raise Misuse("that decision was about somebody else", code="other-decision")
    if (decided_case.act, decided_case.purpose) != ("open", request.purpose):
        raise Misuse(
            f"that decision permits to {decided_case.act} for {decided_case.purpose!r}, not to open for "
            f"{request.purpose!r}; ask with 'comity open' for this purpose",
            code="other-decision",
            place="6.c",
        )
    outcome = msgspec.json.decode(body.decision, type=decision.Outcome)
    case = _Case(item, row, person, pseudonym, outcome, decided.record)
    copy, _ = await _copy(house, case)
    opening = await _opened(house, case, copy, request.purpose, request.actor)
    said = await _say(house, row.relationship, opening, person.function)
    return OpenedItem(
        item=item.item,
        outcome="permit",
        decision=outcome,
        decision_record=request.decision_record,
        opening=said.hex(),
        size=item.size,
    )


async def binding(house: House, consignment: ConsignmentRow) -> Binding:
    """What the manifest inside a consignment's seal must say, from its verified record.

    Raises:
        Rejected: the journal's record was altered.
    """
    entry = await house.store.find(consignment.record)
    if entry is None:
        raise Rejected("the consignment is not in the journal", code="missing-record")
    if consignment.author == house.party:
        keys: tuple[bytes, ...] = (house.keys.record.public,)
    else:
        keys = (await house.peer_card(consignment.author)).node_sign
    body = read_record(entry.envelope, keys).body
    assert isinstance(body, bodies.Consigned)
    return Binding(
        author=consignment.author,
        relationship=consignment.relationship,
        item=body.item,
        label=sha256(encode(body.label)).digest(),
        agreement=body.agreement,
        content=body.content,
    )


async def _decide(house: House, item_id: str, purpose: str, actor: Actor) -> _Case:
    item = await house.need(ItemRow, item_id, "item")
    if not item.consignments or item.relationship == "domestic":
        raise Misuse(f"item {item_id!r} was not received from another party", code="own-item")
    row = await house.agreement_row(item.relationship)
    running = await house.library.load(row)
    person = await house.person(actor.handle)

    async def decide(work: Work) -> _Case:
        case = await handling_case(house, row, item, person, "open", purpose, work.at)
        outcome = answer(running, case)
        record = await record_decision(work, row, case, outcome)
        return _Case(item, row, person, case.requester, outcome, record.id)

    return await house.sequencer.submit(decide)


async def _copy(house: House, case: _Case) -> tuple[CopyRow, ConsignmentRow]:
    async for _, copy in house.rows(CopyRow, f"{case.row.relationship}/{case.item.item}/"):
        if copy.holder == case.pseudonym and copy.state == "held":
            consignment = await house.need(ConsignmentRow, copy.consignment.hex(), "consignment")
            return copy, consignment
    raise Refused(
        "this person may read the item but holds no copy of it; the registry can ask for one", code="not-holder"
    )


async def _header(house: House, copy: CopyRow) -> bytes:
    header = await house.side(HEADER, copy.header.hex())
    if header is None or sha256(header).digest() != copy.header:
        raise Rejected("the header of this copy is gone or was altered; it cannot be opened", code="missing-header")
    return header


async def _opened(house: House, case: _Case, copy: CopyRow, purpose: str, actor: Actor) -> bodies.Opened:
    body = bodies.Opened(
        consignment=copy.consignment,
        item=case.item.item,
        copy=copy.number,
        holder=case.pseudonym,
        purpose=purpose,
        basis=basis(house, case.decision_record),
        signature=unsigned(),
    )
    return await house.sign(body, case.row.relationship, actor, case.pseudonym)


async def _fetch(
    house: House,
    request: Open,
    case: _Case,
    copy: CopyRow,
    consignment: ConsignmentRow,
    banner: Banner,
) -> OpenedItem:
    """The sealed copy as an age file, for a reader who opens it with his own key."""
    with house.files.whole(request.path) as sink:
        sink.write(await _header(house, copy))
        async with house.blobs.open(consignment.payload) as payload:
            while piece := payload.read(COPY_PIECE_BYTES):
                sink.write(piece)
    return OpenedItem(
        item=case.item.item,
        outcome="permit",
        decision=case.decision,
        decision_record=case.decision_record.hex(),
        path=request.path,
        size=case.item.size,
        banner=banner,
        binding=await binding(house, consignment),
    )


async def _say(house: House, relationship: str, body: bodies.Body, function: str) -> bytes:
    async def say(work: Work) -> bytes:
        return (await work.say(Draft(relationship, body, function))).id

    return await house.sequencer.submit(say)


async def _say_unopenable(house: House, case: _Case, copy: CopyRow, error: Rejected) -> None:
    body = bodies.Unopenable(
        consignment=copy.consignment, item=case.item.item, copy=copy.number, code=error.code, reason=str(error)
    )
    await _say(house, case.row.relationship, body, case.person.function)


def _refused(case: _Case) -> OpenedItem:
    return OpenedItem(
        item=case.item.item,
        outcome=outcome_word(case.decision),
        decision=case.decision,
        decision_record=case.decision_record.hex(),
    )
