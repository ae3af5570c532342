"""Consent: what the originator of an item allows others to do with it (Articles 6(a), 6(c); ``spec/consent.md``).

``ask_consent`` sends the originator what it needs to decide, and no more. ``answer_consent`` grants or refuses what was
asked; ``grant_consent`` consents unasked, to one item or to a pattern; ``withdraw_consent`` takes it back from now on.
What decisions read of it is in ``consents.py``.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

import msgspec

from comity.agreement.vocabulary import Act
from comity.decision import model as decision
from comity.errors import ComityError, Misuse, Refused
from comity.flows.actors import Actor
from comity.flows.cases import answer, new_item
from comity.flows.giving import PREPARED, advance
from comity.flows.house import SCAN_MAX, House
from comity.flows.library import Running
from comity.flows.visibility import viewer, visible_item
from comity.flows.work import Draft, Work
from comity.record.bodies.consents import (
    BeneficiaryKind,
    ConsentAsked,
    Consented,
    ConsentWanted,
    ConsentWithdrawn,
)
from comity.record.person_act import unsigned
from comity.record.statement import DOMESTIC
from comity.register.rows import AgreementRow, ItemRow, PersonRow, RequestRow
from comity.register.rows.consents import (
    ConsentAskedRow,
    ConsentRow,
    ShownRow,
)
from comity.register.rows.lineage import DerivativeRow


class AskConsent(msgspec.Struct, frozen=True, kw_only=True):
    """Ask the originator of an item for its consent.

    Attributes:
        item: item id.
        acts: what is to be done with it.
        beneficiary: the body that is to gain: a party for another use, else one outside.
        beneficiary_kind: what kind of body it is.
        nationality: the state it belongs to; the body itself where it is one.
        purpose: what for.
        reason: why, for the originator to weigh.
        until: how long the consent is wanted for.
        answer_by: when the request lapses unanswered; None where it only does with ``until``.
        actor: an officer, or the registry.
        relationship: where the item came by more than one.
        request: identifier for the request, for a person who signs elsewhere.
    """

    item: str
    acts: tuple[Act, ...]
    beneficiary: str
    beneficiary_kind: BeneficiaryKind
    purpose: str
    reason: str
    until: datetime
    actor: Actor
    nationality: str = ""
    answer_by: datetime | None = None
    relationship: str | None = None
    request: str | None = None


class AskedForConsent(msgspec.Struct, frozen=True, kw_only=True):
    """A request that was made: whom it asks, and for whom the agreement wants the consent."""

    request: str
    relationship: str
    originator: str
    item: str
    acts: tuple[str, ...]
    beneficiaries: tuple[str, ...]
    clauses: tuple[str, ...]


class AnswerConsent(msgspec.Struct, frozen=True, kw_only=True):
    """Grant or refuse a request for consent.

    Attributes:
        request: its id.
        granted: whether the consent is given.
        reason: why.
        actor: a release authority.
        until: until when; as long as was asked for unless given.
        conditions: on what conditions, in words.
        consent: identifier for the answer, for a person who signs elsewhere.
    """

    request: str
    granted: bool
    reason: str
    actor: Actor
    until: datetime | None = None
    conditions: tuple[str, ...] = ()
    consent: str | None = None


class GrantConsent(msgspec.Struct, frozen=True, kw_only=True):
    """Consent unasked: to one item, or to every item of a topic, a subject or marks.

    Attributes:
        relationship: to which party, under which agreement.
        acts: what may be done.
        beneficiaries: bodies that may gain.
        purpose: what for, in the very words.
        until: until when.
        reason: why.
        actor: a release authority.
        item: the item; empty for a pattern.
        topic, subject, marks: the pattern; what is not given is not asked about.
        conditions: on what conditions, in words.
        consent: identifier for the consent, for a person who signs elsewhere.
    """

    relationship: str
    acts: tuple[Act, ...]
    beneficiaries: tuple[str, ...]
    purpose: str
    until: datetime
    reason: str
    actor: Actor
    item: str | None = None
    topic: str | None = None
    subject: str | None = None
    marks: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    consent: str | None = None


class WithdrawConsent(msgspec.Struct, frozen=True, kw_only=True):
    """Take a consent back, from now on."""

    consent: str
    reason: str
    actor: Actor


class ConsentShown(msgspec.Struct, frozen=True, kw_only=True):
    """A consent that was recorded: granted, refused or withdrawn."""

    consent: str
    relationship: str
    record: str
    row: ConsentRow


# ---- asking ----------------------------------------------------------------------------------------------------------


async def ask_consent(house: House, request: AskConsent) -> AskedForConsent:
    """Ask the originator; what the agreement asks no consent for is not asked.

    Raises:
        Misuse: no such item, it is this house's own, or the agreement asks nobody's consent for this.
        Refused: the originator is not the party from which it came.
    """
    person = await house.person(request.actor.handle)
    item = await visible_item(house, None, request.item, await viewer(house, request.actor))
    relationship, origin = await _origin(house, item, request.relationship)
    row = await house.agreement_row(relationship)
    running = await house.library.load(row)
    if row.peer not in (item.originator, item.label.originator):
        raise Refused(f"{row.peer!r} did not originate {item.item!r}; it cannot consent", code="not-originator")
    wanted = await _wanted(house, row, running, item, request)
    body = ConsentWanted(
        request=house.name("r", request.request),
        relationship=relationship,
        item=item.item,
        acts=tuple(sorted(set(request.acts))),
        beneficiaries=tuple(sorted({reason.parameters[3] for reason in wanted})),
        beneficiary_kind=request.beneficiary_kind,
        purpose=request.purpose,
        reason=request.reason,
        until=request.until,
        answer_by=request.answer_by,
        by=person.person,
        signature=unsigned(),
    )
    signed = await house.sign(body, DOMESTIC, request.actor)
    shared = {name: getattr(body, name) for name in ConsentAsked.__struct_fields__ if hasattr(body, name)}
    asking = ConsentAsked(origin=origin, label=item.label, **shared)

    async def ask(work: Work) -> AskedForConsent:
        await work.say(Draft(DOMESTIC, signed))
        await work.say(Draft(relationship, asking, person.function))
        return AskedForConsent(
            request=body.request,
            relationship=relationship,
            originator=row.peer,
            item=item.item,
            acts=body.acts,
            beneficiaries=body.beneficiaries,
            clauses=tuple(sorted({reason.clause for reason in wanted})),
        )

    return await house.sequencer.submit(ask)


async def _origin(house: House, item: ItemRow, named: str | None) -> tuple[str, bytes]:
    """The relationship by which an item came, and the record that shows it.

    Raises:
        Misuse: it is this house's own, or came by several relationships and none was named.
    """
    if item.relationship != DOMESTIC:
        if item.consignments:
            return item.relationship, item.consignments[-1]
        shown = [row async for _, row in house.rows(ShownRow, f"{item.relationship}/{item.item}/")]
        return item.relationship, shown[-1].record
    found = {
        relationship: made.record
        for relationship, _ in await house.relationships()
        if (made := await house.row(DerivativeRow, f"{relationship}/{item.item}")) is not None
    }
    if named is not None:
        found = {relationship: record for relationship, record in found.items() if relationship == named}
    if not found:
        raise Misuse(f"item {item.item!r} was not received from another party", code="own-item")
    if len(found) > 1:
        raise Misuse(
            f"{item.item!r} was made from information of several parties ({', '.join(found)}); ask each, "
            "with --relationship",
            code="which-relationship",
        )
    return next(iter(found.items()))


async def _wanted(
    house: House, row: AgreementRow, running: Running, item: ItemRow, request: AskConsent
) -> list[decision.Reason]:
    """The reasons for which the agreement asks a consent to these acts, one for each clause and body that gains.

    Raises:
        Misuse: for one of the acts it asks none.
    """
    if request.beneficiary_kind == "party":
        gains = decision.Person(
            pseudonym="beneficiary",
            party=house.party,
            serves=request.beneficiary,
            nationality=_nationality(running, request.beneficiary),
            employer="party",
        )
    else:
        nationality = request.nationality or request.beneficiary
        gains = decision.Person(
            pseudonym="beneficiary",
            party=request.beneficiary,
            serves=request.beneficiary,
            nationality=nationality,
            employer="party",
        )
    at = house.now()
    wanted: list[decision.Reason] = []
    for act in request.acts:
        asked_about = new_item(
            item.item, row.agreement, item.label, item.form, item.subject, item.topic, item.provided or request.purpose
        )
        case = decision.Case(
            request=f"consent/{item.item}",
            act=act,
            item=asked_about,
            purpose=request.purpose,
            requester="beneficiary",
            acting=house.party,
            recipients=(gains,),
            at=at,
            facts=decision.Facts(standings=(await house.library.standing(row, at),)),
        )
        found = [each for each in answer(running, case).reasons if each.code == "consent-missing"]
        if not found:
            raise Misuse(
                f"{row.agreement!r} asks nobody's consent to {act} for {request.purpose!r} with "
                f"{request.beneficiary!r} as the one who gains; there is nothing to ask",
                code="no-consent-asked",
            )
        wanted += [each for each in found if each.parameters[0] == row.peer]
    return wanted


def _nationality(running: Running, party: str) -> str:
    """A state of a party's, so that its own people count as such."""
    nations = {each.id: each.nations for each in running.agreement.parties}
    return next(iter(nations.get(party, ())), party)


# ---- answering, granting, withdrawing --------------------------------------------------------------------------------


async def answer_consent(house: House, request: AnswerConsent) -> ConsentShown:
    """Grant or refuse what was asked; once, in time, and no more than was asked for.

    Raises:
        Misuse: no such request, answered or lapsed, our own, or the actor is no release authority.
    """
    relationship, asked = await find_asked(house, request.request)
    body = Consented(
        consent=house.name("c", request.consent),
        request=asked.request,
        granted=request.granted,
        item=asked.item,
        acts=asked.acts,
        beneficiaries=asked.beneficiaries,
        purpose=asked.purpose,
        conditions=request.conditions,
        until=(request.until or asked.until) if request.granted else None,
        reason=request.reason,
        by=await _signer(house, relationship, request.actor),
        signature=unsigned(),
    )
    return await _consent(house, relationship, body, request.actor)


async def grant_consent(house: House, request: GrantConsent) -> ConsentShown:
    """Consent unasked: to one item of this house, or to every item of a pattern.

    Raises:
        Misuse: it is about nothing or about both, it is another's, or the actor is no release authority.
    """
    await house.agreement_row(request.relationship)
    if request.item is not None:
        await visible_item(house, None, request.item, await viewer(house, request.actor))
    body = Consented(
        consent=house.name("c", request.consent),
        granted=True,
        item=request.item,
        topic=request.topic,
        subject=request.subject,
        marks=tuple(sorted(set(request.marks))),
        acts=tuple(sorted(set(request.acts))),
        beneficiaries=tuple(sorted(set(request.beneficiaries))),
        purpose=request.purpose,
        conditions=request.conditions,
        until=request.until,
        reason=request.reason,
        by=await _signer(house, request.relationship, request.actor),
        signature=unsigned(),
    )
    return await _consent(house, request.relationship, body, request.actor)


async def withdraw_consent(house: House, request: WithdrawConsent) -> ConsentShown:
    """Take a consent back; what was done under it stays as it was.

    Raises:
        Misuse: no such consent, another party's, withdrawn or ended already, or the actor is no release authority.
    """
    relationship, row = await find_consent(house, request.consent)
    body = ConsentWithdrawn(
        consent=row.consent,
        reason=request.reason,
        by=await _signer(house, relationship, request.actor),
        signature=unsigned(),
    )
    return await _consent(house, relationship, body, request.actor)


async def find_asked(house: House, request: str) -> tuple[str, ConsentAskedRow]:
    """A request for consent by its id, and its relationship.

    Raises:
        Misuse: there is none.
    """
    for relationship, _ in await house.relationships():
        row = await house.row(ConsentAskedRow, f"{relationship}/{request}")
        if row is not None:
            return relationship, row
    raise Misuse(f"there is no request for consent {request!r}", code="unknown-consent-request")


async def find_consent(house: House, consent: str) -> tuple[str, ConsentRow]:
    """A consent by its id, and its relationship.

    Raises:
        Misuse: there is none.
    """
    for relationship, _ in await house.relationships():
        row = await house.row(ConsentRow, f"{relationship}/{consent}")
        if row is not None:
            return relationship, row
    raise Misuse(f"there is no consent {consent!r}", code="unknown-consent")


async def _signer(house: House, relationship: str, actor: Actor) -> str:
    person: PersonRow = await house.person(actor.handle)
    return house.pseudonym(relationship, person.person)


async def _consent(house: House, relationship: str, body: Consented | ConsentWithdrawn, actor: Actor) -> ConsentShown:
    signed = await house.sign(body, relationship, actor, body.by)
    function = (await house.person(actor.handle)).function

    waiting = await _waiting(house) if isinstance(body, Consented) and "give" in body.acts else []

    async def say(work: Work) -> ConsentShown:
        record = await work.say(Draft(relationship, signed, function))
        row = await work.need(ConsentRow, f"{relationship}/{body.consent}", "consent")
        for request in waiting:
            await _carry_out(house, work, relationship, request, row)
        return ConsentShown(consent=body.consent, relationship=relationship, record=record.id.hex(), row=row)

    return await house.sequencer.submit(say)


async def _waiting(house: House) -> list[str]:
    """The requests to give that wait here, sealed; what is wanted may be our own consent to them."""
    found: list[str] = []
    first = ""
    while some := await house.store.scan(PREPARED, first, limit=SCAN_MAX):
        found += [request for request, _ in some]
        first = some[-1][0] + "\0"
    return found


async def _carry_out(house: House, work: Work, relationship: str, request: str, consent: ConsentRow) -> None:
    """Give what waited for this consent and for nothing else; what hinders it stays with the request."""
    asked = await work.need(RequestRow, request, "request")
    item = await work.need(ItemRow, asked.item, "item")
    if asked.relationship != relationship:
        return
    if not consent.holds(work.at) or not consent.speaks_of(item.item, item.topic, item.subject, item.label.mark):
        return
    attempt = work.child(work.context)
    with suppress(ComityError):
        await advance(house, attempt, request)
        work.absorb(attempt)
