"""Passing on: a copy goes to somebody outside the parties, with the originator's consent (Article 6(a)).

The holder asks, somebody else approves, and the holder seals: the node wraps the copy's key for the next body only
after it was decided, on what is recorded at that instant, that it may go. What leaves is one age file for the courier.
The originator's register shows the copy as passed on, to whom, and by which consents.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from hashlib import sha256

import msgspec

from comity.decision import model as decision
from comity.errors import Misuse, Refused, Rejected
from comity.flows.actors import Actor
from comity.flows.deciding.basis import basis
from comity.flows.deciding.cases import answer, approvals_of, handling_case, outcome_word, record_decision
from comity.flows.deciding.consents import consents_used, live_consents
from comity.flows.deciding.lineage import relationships_of
from comity.flows.deciding.recorded import named_decision
from comity.flows.deciding.visibility import viewer, visible_item
from comity.flows.giving.content import recipient as parse_recipient
from comity.flows.giving.release import POSSIBLE
from comity.flows.giving.sealed import check_header, header_of, sealed_content, write_age_file
from comity.flows.house import House
from comity.flows.keeping.committed import ReadRows
from comity.flows.keeping.erasing import HEADER
from comity.flows.keeping.work import Draft, Work
from comity.record import bodies
from comity.record.bodies.consents import BeneficiaryKind, Onward, PassedOn
from comity.record.person_act import unsigned
from comity.record.statement import DOMESTIC
from comity.register.rows import CopyRow, ItemRow, PersonRow, RequestRow
from comity.register.rows.consents import ConsentRow, PassedOnRow
from comity.seal.age import open_header, seal_header
from comity.seal.keys import parse_identity


class AskPassOn(msgspec.Struct, frozen=True, kw_only=True):
    """Ask that a copy be passed on.

    Attributes:
        item: item id.
        copy: number of the copy; whoever asks holds it.
        beneficiary: id of the body that is to get it.
        beneficiary_kind: what kind of body it is.
        nationality: the state it belongs to; the body itself where it is one.
        recipient: its age recipient.
        purpose: what for.
        actor: the holder.
        request: identifier for the request, for a person who signs elsewhere.
    """

    item: str
    copy: int
    beneficiary: str
    beneficiary_kind: BeneficiaryKind
    recipient: str
    purpose: str
    actor: Actor
    nationality: str = ""
    request: str | None = None


class SealPassOn(msgspec.Struct, frozen=True, kw_only=True):
    """Carry an approved request out: seal the copy to the next body, into a new file for the courier."""

    request: str
    path: str
    actor: Actor


class ConfirmPassOn(msgspec.Struct, frozen=True, kw_only=True):
    """Record that a holder in strict custody wrapped his copy with his own key; ``header`` is the new one."""

    request: str
    header: bytes
    decision_record: str
    actor: Actor


class PassOnTold(msgspec.Struct, frozen=True, kw_only=True):
    """Where a request to pass on stands.

    Attributes:
        request: its id; empty when it was refused and nothing was recorded but that.
        item: item id.
        copy: its number.
        beneficiary: who is to get it, or got it.
        outcome: of the newest decision.
        decision: the decision; None where one made before is carried out again.
        decision_record: its record id in hex.
        consents: the consents it rests on.
        conditions: what they ask.
        record: id of the record in hex once it was passed on.
        path: where the sealed file is; in strict custody the holder's own sealed copy, for him to wrap.
        recipient: age recipient that it is, or is to be, sealed to.
        by_holder: the holder must wrap it with his own key.
    """

    request: str
    item: str
    copy: int
    beneficiary: str
    outcome: str
    decision: decision.Outcome | None
    decision_record: str
    consents: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    record: str | None = None
    path: str = ""
    recipient: str = ""
    by_holder: bool = False


class _Decided(msgspec.Struct, frozen=True):
    """What was decided about passing a copy on, under the agreement it came by."""

    outcome: decision.Outcome
    record: bytes
    used: tuple[ConsentRow, ...]

    @property
    def only_approvals_missing(self) -> bool:
        needs = {each.code for each in self.outcome.reasons if each.effect == "needs"}
        return outcome_word(self.outcome) in POSSIBLE and needs <= {"approval-missing"}


async def ask_pass_on(house: House, request: AskPassOn) -> PassOnTold:
    """Ask that a copy be passed on. Without the originator's consent nothing but the refusal is recorded.

    Raises:
        Misuse: no such item, it is this house's own, the body is a party, or its recipient is none of age's.
        Refused: whoever asks does not hold the copy.
    """
    person = await house.person(request.actor.handle)
    item = await visible_item(house, None, request.item, await viewer(house, request.actor))
    relationship = (await protecting(house, item))[0]
    await _copy(house, relationship, request.item, request.copy, person)
    try:
        parse_recipient(request.recipient)
    except Rejected as error:
        raise Misuse(f"{request.recipient[:20]!r}… is no age recipient: {error.sentence}", code="recipient") from None
    running = await house.library.load(await house.agreement_row(relationship))
    if request.beneficiary in {party.id for party in running.agreement.parties}:
        raise Misuse(f"{request.beneficiary!r} is a party; what it gets is given or handed over", code="no-third-party")
    onward = Onward(
        beneficiary=request.beneficiary,
        beneficiary_kind=request.beneficiary_kind,
        nationality=request.nationality or request.beneficiary,
        recipient=request.recipient,
    )
    wish = RequestRow(
        request=house.name("r", request.request),
        record=bytes(32),
        item=item.item,
        relationship=relationship,
        recipients=(request.beneficiary,),
        purpose=request.purpose,
        by=person.person,
        at=house.now(),
        act="pass-on",
        copy=request.copy,
        onward=onward,
    )
    decided = await house.sequencer.submit(lambda work: _decide(house, work, wish, item, person))
    told = msgspec.structs.replace(_told(wish, decided), request="", recipient="")
    if not decided.only_approvals_missing:
        return told
    shared = {name: getattr(wish, name) for name in bodies.ReleaseRequested.__struct_fields__ if name != "signature"}
    body = bodies.ReleaseRequested(signature=unsigned(), **shared)
    signed = await house.sign(body, DOMESTIC, request.actor)

    async def ask(work: Work) -> PassOnTold:
        await work.say(Draft(DOMESTIC, signed))
        return _told(wish, decided)

    return await house.sequencer.submit(ask)


async def seal_pass_on(house: House, request: SealPassOn) -> PassOnTold:
    """Seal the copy to the next body, once nothing is missing; done before, the same file is written again.

    Raises:
        Misuse: no such request, another person's, or the path cannot be written.
        Refused: the copy is no longer held by whoever asked.
    """
    asked, person, item = await _asked(house, request.request, request.actor)
    assert asked.onward is not None  # its rule asked for it
    if asked.consignment is not None:
        return await _again(house, request.path, asked)
    copy = await _copy(house, asked.relationship, item.item, asked.copy, person)
    decided = await house.sequencer.submit(lambda work: _decide(house, work, asked, item, person))
    told = _told(asked, decided)
    if outcome_word(decided.outcome) != "permit":
        return told
    sealed = await sealed_content(house, asked.relationship, copy)
    header = await header_of(house, copy.header)
    if person.custody == "strict":
        await _write(house, request.path, header, sealed.payload)
        return msgspec.structs.replace(told, path=request.path, by_holder=True)
    identities = [parse_identity(secret) for secret in house.keys.registry()]
    file_key = open_header(header, identities)
    onward = seal_header(file_key, [parse_recipient(asked.onward.recipient)], house.entropy)
    said = await _said(house, asked, item, person, onward, decided, request.actor)
    with house.files.whole(request.path) as sink:
        await write_age_file(house, sink, onward, sealed.payload)
        record = await _say(house, said, asked, person.function, onward)
    return msgspec.structs.replace(told, record=record, path=request.path)


async def confirm_pass_on(house: House, request: ConfirmPassOn) -> PassOnTold:
    """Record that the holder wrapped his copy for the next body with his own key; decided again, at this instant.

    Raises:
        NeedsSignature: he has not signed yet.
        Misuse: no such request, another person's, or carried out already.
        Refused: it may no longer go, or the copy is no longer his.
        Rejected: the header is none, or is sealed to a key of another kind than the body's.
    """
    asked, person, item = await _asked(house, request.request, request.actor)
    if asked.consignment is not None:
        raise Misuse(f"request {asked.request!r} was already carried out", code="already-given")
    await _copy(house, asked.relationship, item.item, asked.copy, person)
    assert asked.onward is not None  # its rule asked for it
    check_header(request.header, asked.onward.recipient)
    decided = await _allowed(house, request, asked, person)
    case = await _case(house, house.sequencer.rows.get, asked, item, person, house.now())
    if outcome_word(answer(await house.library.load(await house.agreement_row(asked.relationship)), case)) != "permit":
        raise Refused("it may no longer be passed on; ask again for the reasons", code="no-longer")
    said = await _said(house, asked, item, person, request.header, decided, request.actor)
    record = await _say(house, said, asked, person.function, request.header)
    return msgspec.structs.replace(_told(asked, decided), record=record)


async def protecting(house: House, item: ItemRow) -> tuple[str, ...]:
    """The relationships in which passing on is said: every one whose agreement protects the item.

    Raises:
        Misuse: it is this house's own; that is given, not passed on.
    """
    places = await relationships_of(house, item.item)
    if not places:
        raise Misuse(f"item {item.item!r} was not received from another party; give it", code="own-item")
    return places


async def _copy(house: House, relationship: str, item: str, number: int | None, person: PersonRow) -> CopyRow:
    row = await house.row(CopyRow, f"{relationship}/{item}/{number or 0:06d}")
    if row is None or row.holder != house.pseudonym(relationship, person.person) or not row.at_hand:
        raise Refused(f"copy {number} of {item!r} is not held by this person", code="not-holder")
    return row


async def _asked(house: House, request: str, actor: Actor) -> tuple[RequestRow, PersonRow, ItemRow]:
    person = await house.person(actor.handle)
    row = await house.row(RequestRow, request)
    if row is None or row.act != "pass-on" or row.by != person.person:
        raise Misuse(f"there is no request {request!r} of this person's to pass on", code="unknown-request")
    return row, person, await house.need(ItemRow, row.item, "item")


async def _decide(house: House, work: Work, asked: RequestRow, item: ItemRow, person: PersonRow) -> _Decided:
    """Decide by what stands at this instant, and record the decision whatever it says."""
    row = await house.agreement_row(asked.relationship)
    now = await work.row(RequestRow, asked.request) or asked
    case = await _case(house, work.facts, now, item, person, work.at)
    outcome = answer(await house.library.load(row), case)
    record = await record_decision(work, row, case, outcome)
    live = await live_consents(work.facts, asked.relationship, item, work.at)
    return _Decided(outcome, record.id, consents_used(outcome, live))


async def _case(
    house: House, read: ReadRows, asked: RequestRow, item: ItemRow, person: PersonRow, at: datetime
) -> decision.Case:
    """The question about the next body, with the facts that are recorded about the item and its holder."""
    assert asked.onward is not None  # its rule asked for it
    row = await house.agreement_row(asked.relationship)
    case = await handling_case(
        house,
        row,
        item,
        person,
        "pass-on",
        asked.purpose,
        at,
        read=read,
        request=asked.request,
        approvals=approvals_of(asked, partial(house.pseudonym, asked.relationship)),
    )
    gains = decision.Person(
        pseudonym=f"outside-{asked.onward.beneficiary}",
        party=asked.onward.beneficiary,
        serves=asked.onward.beneficiary,
        nationality=asked.onward.nationality,
        employer="party",
        body=asked.onward.beneficiary,
    )
    return msgspec.structs.replace(case, recipients=(gains,))


async def _allowed(house: House, request: ConfirmPassOn, asked: RequestRow, person: PersonRow) -> _Decided:
    """The recorded decision that a holder in strict custody acts on.

    Raises:
        Misuse: there is none of his, or it was about something else or no permit.
    """
    requester = house.pseudonym(asked.relationship, person.person)
    decided = await named_decision(house, request.decision_record, requester)
    if (decided.case.request, decided.case.act) != (asked.request, "pass-on") or not decided.permits:
        raise Misuse("that decision does not permit this", code="other-decision")
    live = await live_consents(
        house.sequencer.rows.get, asked.relationship, await house.need(ItemRow, asked.item, "item"), house.now()
    )
    return _Decided(decided.outcome, decided.record, consents_used(decided.outcome, live))


async def _said(
    house: House, asked: RequestRow, item: ItemRow, person: PersonRow, header: bytes, decided: _Decided, actor: Actor
) -> list[tuple[str, PassedOn]]:
    """What the holder says, signed, in each relationship whose agreement protects the item."""
    assert asked.onward is not None and asked.copy is not None  # noqa: PT018 - one rule asked for both
    said: list[tuple[str, PassedOn]] = []
    for relationship in await protecting(house, item):
        copy = await _copy(house, relationship, item.item, asked.copy, person)
        live = await live_consents(house.sequencer.rows.get, relationship, item, house.now())
        used = consents_used(decided.outcome, live)
        signer = house.pseudonym(relationship, person.person)
        body = PassedOn(
            request=asked.request,
            item=item.item,
            copy=asked.copy,
            beneficiary=asked.onward.beneficiary,
            beneficiary_kind=asked.onward.beneficiary_kind,
            nationality=asked.onward.nationality,
            purpose=asked.purpose,
            consents=tuple(each.consent for each in used),
            header=sha256(header).digest(),
            sealed_to=sha256(asked.onward.recipient.encode()).digest(),
            basis=basis(house, decided.record),
            by=signer,
            after=copy.last,
            signature=unsigned(),
        )
        said.append((relationship, await house.sign(body, relationship, actor, signer)))
    return said


async def _say(house: House, said: list[tuple[str, PassedOn]], asked: RequestRow, function: str, header: bytes) -> str:
    """Record it everywhere; the holder's own header goes, so that the copy opens here no more.

    The new header stays, so that the courier's file can be made again.
    """

    async def say(work: Work) -> str:
        held = await work.need(CopyRow, f"{said[0][0]}/{asked.item}/{asked.copy or 0:06d}", "copy")
        records = [await work.say(Draft(place, body, function)) for place, body in said]
        work.put_side(HEADER, sha256(header).hexdigest(), header)
        work.put_side(HEADER, held.header.hex(), None)
        return records[0].id.hex()

    return await house.sequencer.submit(say)


async def _again(house: House, path: str, asked: RequestRow) -> PassOnTold:
    """Write the courier's file once more; nothing new is decided or recorded."""
    key = f"{asked.relationship}/{asked.item}/{asked.copy or 0:06d}"
    done = await house.need(PassedOnRow, key, "copy passed on")
    sealed = await sealed_content(house, asked.relationship, await house.need(CopyRow, key, "copy"))
    await _write(house, path, await header_of(house, done.header), sealed.payload)
    return msgspec.structs.replace(_told(asked, None), record=done.record.hex(), path=path, consents=done.consents)


async def _write(house: House, path: str, header: bytes, payload: bytes) -> None:
    """A header and its payload as one age file."""
    with house.files.whole(path) as sink:
        await write_age_file(house, sink, header, payload)


def _told(asked: RequestRow, decided: _Decided | None) -> PassOnTold:
    assert asked.onward is not None and asked.copy is not None  # noqa: PT018 - one rule asked for both
    used = decided.used if decided is not None else ()
    return PassOnTold(
        request=asked.request,
        item=asked.item,
        copy=asked.copy,
        beneficiary=asked.onward.beneficiary,
        outcome="permit" if decided is None else outcome_word(decided.outcome),
        decision=None if decided is None else decided.outcome,
        decision_record="" if decided is None else decided.record.hex(),
        consents=tuple(each.consent for each in used),
        conditions=tuple(condition for each in used for condition in each.conditions),
        recipient=asked.onward.recipient,
    )
