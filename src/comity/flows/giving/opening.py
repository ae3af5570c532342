"""Opening: a reader, a stated purpose, a decision, and only then the content (Articles 6(c), 7).

The decision is recorded whatever it says. The record of the opening is durable before the content appears; what does
not open, or does not hold what its record says, is recorded as unopenable and told to the other party.

What was made here from received information is opened like what was received: its derivation stands for the
consignment, and where it belongs to several relationships the opening is said in each (``spec/lineage.md``).

In served custody the node opens. In strict custody ``open_item`` hands out the sealed file, the reader opens it with
his own key, and ``confirm`` records that he did, signed by him.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from comity.decision import model as decision
from comity.errors import Misuse, Refused, Rejected
from comity.flows.actors import Actor
from comity.flows.deciding.basis import basis
from comity.flows.deciding.cases import answer, check_reader, handling_case, outcome_word, record_decision
from comity.flows.deciding.consents import conditions_of
from comity.flows.deciding.lineage import relationships_of
from comity.flows.deciding.recorded import named_decision
from comity.flows.deciding.visibility import visible_item
from comity.flows.giving.content import open_content
from comity.flows.giving.marks import show_derived_marking, show_marking
from comity.flows.giving.sealed import Sealed, header_of, sealed_content, write_age_file
from comity.flows.house import House
from comity.flows.keeping.work import Draft, Work
from comity.marking.banner import Banner
from comity.record import bodies
from comity.record.person_act import unsigned
from comity.record.statement import DOMESTIC
from comity.register.rows import AgreementRow, CopyRow, ItemRow, PersonRow
from comity.register.rows.lineage import DerivativeRow
from comity.seal.age import open_header
from comity.seal.keys import parse_identity
from comity.seal.manifest import Binding, Manifest


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
        conditions: what the consents ask by which it was opened for another purpose, or by somebody of a third country.
        copy: number of his copy; 0 where nothing was opened.
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
    conditions: tuple[str, ...] = ()
    copy: int = 0


class Confirm(msgspec.Struct, frozen=True, kw_only=True):
    """Record that a reader in strict custody opened an item with his own key; ``decision`` names what allowed it."""

    item: str
    purpose: str
    decision_record: str
    actor: Actor


class StillOpen(msgspec.Struct, frozen=True, kw_only=True):
    """Ask whether what somebody opened for a purpose may still lie open before him."""

    item: str
    purpose: str
    actor: Actor


class _Found(msgspec.Struct, frozen=True):
    """An item that somebody wants to open: under which agreement it is decided, and in which others it stands too."""

    item: ItemRow
    row: AgreementRow
    made: tuple[tuple[AgreementRow, DerivativeRow], ...] = ()

    @property
    def relationships(self) -> tuple[str, ...]:
        """Where the opening is said."""
        return tuple(row.relationship for row, _ in self.made) or (self.row.relationship,)


class _Case(msgspec.Struct, frozen=True):
    """What opening works on, once the item is found and it was decided."""

    found: _Found
    person: PersonRow
    pseudonym: str
    decision: decision.Outcome
    decision_record: bytes
    conditions: tuple[str, ...] = ()

    @property
    def item(self) -> ItemRow:
        return self.found.item

    @property
    def row(self) -> AgreementRow:
        return self.found.row

    @property
    def permitted(self) -> bool:
        return outcome_word(self.decision) == "permit"


async def open_item(house: House, request: Open) -> OpenedItem:
    """Open a received item for a person in served custody.

    Raises:
        Misuse: no such item, none that he may know of, or the path cannot be written.
        Refused: the person holds no copy, or its mark here was not chosen yet.
        Rejected: the copy does not open or is not what its record says; that is recorded.
    """
    case = await _decide(house, request.item, request.purpose, request.actor)
    if not case.permitted:
        return _refused(case)
    made = case.found.made
    marking = await (show_derived_marking(house, list(made)) if made else show_marking(house, case.row, case.item))
    copy, sealed = await _copy(house, case)
    if case.person.custody == "strict":
        return await _fetch(house, request, case, copy, sealed, marking.banner)
    said = await _opened(house, case, copy, request.purpose, request.actor)
    with house.files.whole(request.path) as sink:
        try:
            header = await header_of(house, copy.header)
            identities = [parse_identity(secret) for secret in house.keys.registry()]
            async with house.blobs.open(sealed.payload) as payload:
                file_key = open_header(header, identities)
                manifest: Manifest = await open_content(file_key, payload, sealed.binding, sink)
        except Rejected as error:
            await _say_unopenable(house, case, copy, error)
            raise
        opening = await _say(house, said, case.person.function)
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
        conditions=case.conditions,
        copy=copy.number,
    )


async def still_open(house: House, request: StillOpen) -> OpenedItem:
    """Decide again, as the opening was; a permit rests on the opening that is recorded, a refusal is recorded.

    Raises:
        Misuse: no such item, or none that he may know of any more.
        Refused: he holds no copy any more, or it is being destroyed.
    """
    person = await house.person(request.actor.handle)
    check_reader(person)
    found = await _find(house, request.item, person)
    work = house.sequencer.look()
    case = await handling_case(house, found.row, found.item, person, "open", request.purpose, work.at, read=work.facts)
    outcome = answer(await house.library.load(found.row), case)
    if outcome_word(outcome) != "permit":
        return _refused(await _decide(house, request.item, request.purpose, request.actor))
    await visible_item(house, None, request.item, person)
    still = _Case(found, person, case.requester, outcome, b"")
    copy, _ = await _copy(house, still)
    return OpenedItem(item=request.item, outcome="permit", decision=outcome, decision_record="", copy=copy.number)


async def confirm(house: House, request: Confirm) -> OpenedItem:
    """Record an opening by a reader's own key, signed with it; the recorded decision must have allowed it.

    Raises:
        NeedsSignature: he has not signed yet.
        Misuse: no such item for him, no such decision about him, or it was another item's, or no permit.
    """
    person = await house.person(request.actor.handle)
    await visible_item(house, None, request.item, person)
    found = await _find(house, request.item, person)
    pseudonym = house.pseudonym(found.row.relationship, person.person)
    decided = await named_decision(house, request.decision_record, pseudonym)
    if decided.body.item != request.item or not decided.permits:
        raise Misuse("that decision does not permit this", code="other-decision")
    asked = decided.case
    if (asked.act, asked.purpose) != ("open", request.purpose):
        raise Misuse(
            f"that decision permits to {asked.act} for {asked.purpose!r}, not to open for "
            f"{request.purpose!r}; ask with 'comity open' for this purpose",
            code="other-decision",
            place="6.c",
        )
    case = _Case(found, person, pseudonym, decided.outcome, decided.record)
    copy, _ = await _copy(house, case)
    opening = await _opened(house, case, copy, request.purpose, request.actor)
    said = await _say(house, opening, person.function)
    return OpenedItem(
        item=found.item.item,
        outcome="permit",
        decision=decided.outcome,
        decision_record=request.decision_record,
        opening=said.hex(),
        size=found.item.size,
    )


async def _find(house: House, item_id: str, person: PersonRow) -> _Found:
    """The item with the agreements that protect it; what several protect is decided under the first.

    Raises:
        Misuse: there is none, or it is this house's own (told to whoever may see it).
    """
    item = await house.need(ItemRow, item_id, "item")
    relationships = await relationships_of(house, item_id)
    if not relationships:
        await visible_item(house, None, item_id, person)
        raise Misuse(f"item {item_id!r} was not received from another party", code="own-item")
    rows = [await house.agreement_row(each) for each in relationships]
    if item.relationship != DOMESTIC:
        return _Found(item, await house.agreement_row(item.relationship))
    made = [(row, await house.need(DerivativeRow, f"{row.relationship}/{item_id}", "derivative")) for row in rows]
    return _Found(item, rows[0], tuple(made))


async def _decide(house: House, item_id: str, purpose: str, actor: Actor) -> _Case:
    person = await house.person(actor.handle)
    check_reader(person)
    found = await _find(house, item_id, person)
    running = await house.library.load(found.row)

    async def decide(work: Work) -> _Case:
        case = await handling_case(house, found.row, found.item, person, "open", purpose, work.at, read=work.facts)
        outcome = answer(running, case)
        record = await record_decision(work, found.row, case, outcome)
        conditions = await conditions_of(work.facts, found.row.relationship, found.item, outcome, work.at)
        return _Case(found, person, case.requester, outcome, record.id, conditions)

    case = await house.sequencer.submit(decide)
    await visible_item(house, None, item_id, person)  # recorded in any case; told only of what he may know of
    return case


async def _copy(house: House, case: _Case) -> tuple[CopyRow, Sealed]:
    relationship = case.row.relationship
    closed = False
    async for _, copy in house.rows(CopyRow, f"{relationship}/{case.item.item}/"):
        if copy.holder == case.pseudonym and copy.at_hand:
            return copy, await sealed_content(house, relationship, copy)
        closed = closed or (copy.holder == case.pseudonym and copy.state == "held")
    if closed:
        raise Refused(
            "this person's copy is being destroyed; it stays closed until that is settled", code="copy-closed"
        )
    raise Refused(
        "this person may read the item but holds no copy of it; the registry can ask for one", code="not-holder"
    )


async def _opened(
    house: House, case: _Case, copy: CopyRow, purpose: str, actor: Actor
) -> list[tuple[str, bodies.Opened]]:
    """What the reader says, signed, in each relationship that the item belongs to."""
    said: list[tuple[str, bodies.Opened]] = []
    for relationship in case.found.relationships:
        key = f"{relationship}/{case.item.item}/{copy.number:06d}"
        here = await house.need(CopyRow, key, "copy")
        body = bodies.Opened(
            consignment=here.consignment,
            item=case.item.item,
            copy=copy.number,
            holder=here.holder,
            purpose=purpose,
            basis=basis(house, case.decision_record),
            signature=unsigned(),
        )
        pseudonym = house.pseudonym(relationship, case.person.person)
        said.append((relationship, await house.sign(body, relationship, actor, pseudonym)))
    return said


async def _fetch(
    house: House,
    request: Open,
    case: _Case,
    copy: CopyRow,
    sealed: Sealed,
    banner: Banner,
) -> OpenedItem:
    """The sealed copy as an age file, for a reader who opens it with his own key."""
    with house.files.whole(request.path) as sink:
        await write_age_file(house, sink, await header_of(house, copy.header), sealed.payload)
    return OpenedItem(
        item=case.item.item,
        outcome="permit",
        decision=case.decision,
        decision_record=case.decision_record.hex(),
        path=request.path,
        size=case.item.size,
        banner=banner,
        binding=sealed.binding,
        conditions=case.conditions,
        copy=copy.number,
    )


async def _say(house: House, said: Sequence[tuple[str, bodies.Body]], function: str) -> bytes:
    """Say it in each relationship, all or nothing; the id of the first record."""

    async def say(work: Work) -> bytes:
        records = [await work.say(Draft(relationship, body, function)) for relationship, body in said]
        return records[0].id

    return await house.sequencer.submit(say)


async def _say_unopenable(house: House, case: _Case, copy: CopyRow, error: Rejected) -> None:
    said: list[tuple[str, bodies.Body]] = []
    for relationship in case.found.relationships:
        here = await house.need(CopyRow, f"{relationship}/{case.item.item}/{copy.number:06d}", "copy")
        body = bodies.Unopenable(
            consignment=here.consignment, item=case.item.item, copy=copy.number, code=error.code, reason=str(error)
        )
        said.append((relationship, body))
    await _say(house, said, case.person.function)


def _refused(case: _Case) -> OpenedItem:
    return OpenedItem(
        item=case.item.item,
        outcome=outcome_word(case.decision),
        decision=case.decision,
        decision_record=case.decision_record.hex(),
    )
