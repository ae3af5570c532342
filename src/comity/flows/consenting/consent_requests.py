"""Asking for consent: the originator learns what it needs to decide, and no more (Articles 6(a), 6(c)).

``ask_consent`` works out from the agreement for whom a consent is needed, and refuses to ask where none is.
``drop_consent`` takes back a question that nobody has answered.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from comity.agreement.equivalence import level_of
from comity.agreement.vocabulary import Act
from comity.decision import model as decision
from comity.errors import Misuse, Refused
from comity.flows.actors import Actor
from comity.flows.consenting.granting import find_asked, no_request
from comity.flows.deciding.cases import answer, new_item
from comity.flows.deciding.lineage import registered
from comity.flows.deciding.standings import standings_of
from comity.flows.deciding.visibility import check_role, may_see, viewer, visible_item
from comity.flows.house import House
from comity.flows.keeping.library import Running
from comity.flows.keeping.work import Draft, Work
from comity.marking.label import Label
from comity.record.bodies.consents import (
    BeneficiaryKind,
    ConsentAsked,
    ConsentDropped,
    ConsentUnwanted,
    ConsentWanted,
)
from comity.record.person_act import unsigned
from comity.record.statement import DOMESTIC
from comity.register.consents import NO_ORIGIN, TO_A_FEED
from comity.register.feeding import FEED_FORM
from comity.register.roles import OFFICER, REGISTRY
from comity.register.rows import AgreementRow, ItemRow
from comity.register.rows.consents import ShownRow
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


class AskFeedConsent(msgspec.Struct, frozen=True, kw_only=True):
    """Ask an originator whether a feed of its information may be published.

    Attributes:
        feed: its name, as the release will have it.
        mark: of this house's ladder, under which it is to be published.
        topic: its need-to-know list.
        beneficiary: the party that is to get it.
        purpose: what for, in the very words of the release.
        reason: why, for the originator to weigh.
        until: how long the consent is wanted for.
        relationship: in which this house deals with the originator.
        actor: an officer, or the registry.
        subject: what it is about, a word of the agreement.
        answer_by: when the request lapses unanswered; None where it only does with ``until``.
        request: identifier for the request, for a person who signs elsewhere.
    """

    feed: str
    mark: str
    topic: str
    beneficiary: str
    purpose: str
    reason: str
    until: datetime
    relationship: str
    actor: Actor
    subject: str = "defence"
    answer_by: datetime | None = None
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


class DropConsent(msgspec.Struct, frozen=True, kw_only=True):
    """Drop a request of this house: nobody waits for its answer any more."""

    request: str
    reason: str
    actor: Actor


async def ask_consent(house: House, request: AskConsent) -> AskedForConsent:
    """Ask the originator; what the agreement asks no consent for is not asked.

    Raises:
        Misuse: no such item, it is this house's own, or the agreement asks nobody's consent for this.
        Refused: the originator is not the party from which it came.
    """
    person = await house.person(request.actor.handle)
    item = await visible_item(house, None, request.item, await viewer(house, request.actor))
    relationship, origin, label = await _origin(house, item, request.relationship)
    row = await house.agreement_row(relationship)
    running = await house.library.load(row)
    if row.peer not in (item.originator, label.originator):
        raise Refused(f"{row.peer!r} did not originate {item.item!r}; it cannot consent", code="not-originator")
    gains = _gains(house, running, request)
    labelled = msgspec.structs.replace(item, label=label)
    wanted = await _wanted(house, row, running, labelled, gains, request.acts, request.purpose)
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
    return await _ask(house, request.actor, row, body, wanted, origin, label)


async def ask_feed_consent(house: House, request: AskFeedConsent) -> AskedForConsent:
    """Ask the originator of what a feed is to carry; before it is released, or while it waits for this.

    Raises:
        Misuse: the agreement asks nobody's consent for it, or there is an item of that name.
        Rejected: it is no mark of this house's.
    """
    person = await house.person(request.actor.handle)
    row = await house.agreement_row(request.relationship)
    running = await house.library.load(row)
    if request.beneficiary in (house.party, row.peer):
        raise Misuse(
            f"a feed of what is {row.peer!r}'s is published to somebody else; there is nothing to ask",
            code="no-consent-asked",
        )
    level_of(running.agreement, house.party, request.mark)
    label = Label(policy=house.party, mark=request.mark, originator=row.peer)
    about = ItemRow(
        item=request.feed,
        label=label,
        form=FEED_FORM,
        topic=request.topic,
        subject=request.subject,
        size=0,
        content=bytes(32),
        originator=row.peer,
        registered=house.now(),
    )
    gains = decision.Person(
        pseudonym="beneficiary",
        party=request.beneficiary,
        serves=request.beneficiary,
        nationality=_nationality(running, request.beneficiary),
        employer="party",
    )
    wanted = await _wanted(house, row, running, about, gains, TO_A_FEED, request.purpose)
    parties = {party.id for party in running.agreement.parties}
    body = ConsentWanted(
        request=house.name("r", request.request),
        relationship=row.relationship,
        item=request.feed,
        acts=TO_A_FEED,
        beneficiaries=tuple(sorted({reason.parameters[3] for reason in wanted})),
        beneficiary_kind="party" if request.beneficiary in parties else "government",
        purpose=request.purpose,
        reason=request.reason,
        until=request.until,
        answer_by=request.answer_by,
        by=person.person,
        signature=unsigned(),
        topic=request.topic,
    )
    return await _ask(house, request.actor, row, body, wanted, NO_ORIGIN, label)


async def _ask(
    house: House,
    actor: Actor,
    row: AgreementRow,
    body: ConsentWanted,
    wanted: list[decision.Reason],
    origin: bytes,
    label: Label,
) -> AskedForConsent:
    """Have it signed, and ask."""
    person = await house.person(actor.handle)
    relationship = row.relationship
    signed = await house.sign(body, DOMESTIC, actor)
    shared = {name: getattr(body, name) for name in ConsentAsked.__struct_fields__ if hasattr(body, name)}
    asking = ConsentAsked(origin=origin, label=label, **shared)

    async def ask(work: Work) -> AskedForConsent:
        await work.say(Draft(DOMESTIC, signed))
        await work.say(Draft(relationship, asking, person.function))
        return AskedForConsent(
            request=body.request,
            relationship=relationship,
            originator=row.peer,
            item=body.item,
            acts=body.acts,
            beneficiaries=body.beneficiaries,
            clauses=tuple(sorted({reason.clause for reason in wanted})),
        )

    return await house.sequencer.submit(ask)


async def drop_consent(house: House, request: DropConsent) -> AskedForConsent:
    """Tell the originator that nothing is asked any more; what was answered cannot be dropped.

    Raises:
        Misuse: no such request, the other party's, answered or dropped already, or the actor has not the role.
    """
    person = await house.person(request.actor.handle)
    check_role(person, request.actor, OFFICER, REGISTRY)
    relationship, asked = await find_asked(house, request.request)
    item = await registered(house, asked.item) if asked.topic is None else None
    if asked.topic is None and (item is None or not await may_see(house, item, person)):
        raise no_request(request.request)
    row = await house.agreement_row(relationship)
    if asked.author != house.party:
        raise Misuse(f"request {asked.request!r} is the other party's; answer it, or let it lapse", code="not-yours")
    body = ConsentUnwanted(request=asked.request, reason=request.reason, by=person.person, signature=unsigned())
    signed = await house.sign(body, DOMESTIC, request.actor)

    async def drop(work: Work) -> AskedForConsent:
        await work.say(Draft(DOMESTIC, signed))
        dropped = ConsentDropped(request=asked.request, reason=request.reason)
        await work.say(Draft(relationship, dropped, person.function))
        return AskedForConsent(
            request=asked.request,
            relationship=relationship,
            originator=row.peer,
            item=asked.item,
            acts=asked.acts,
            beneficiaries=asked.beneficiaries,
            clauses=(),
        )

    return await house.sequencer.submit(drop)


async def _origin(house: House, item: ItemRow, named: str | None) -> tuple[str, bytes, Label]:
    """The relationship by which an item came, the record that shows it, and the label it has there.

    What was made of several parties' information is asked about in each as that party knows it.

    Raises:
        Misuse: it is this house's own, or came by several relationships and none was named.
    """
    if item.relationship != DOMESTIC:
        if item.consignments:
            return item.relationship, item.consignments[-1], item.label
        shown = [row async for _, row in house.rows(ShownRow, f"{item.relationship}/{item.item}/")]
        return item.relationship, shown[-1].record, item.label
    found = {
        relationship: made
        for relationship, _ in await house.relationships()
        if (made := await house.row(DerivativeRow, f"{relationship}/{item.item}")) is not None
    }
    if named is not None:
        found = {relationship: made for relationship, made in found.items() if relationship == named}
    if not found:
        raise Misuse(f"item {item.item!r} was not received from another party", code="own-item")
    if len(found) > 1:
        raise Misuse(
            f"{item.item!r} was made from information of several parties ({', '.join(found)}); ask each, "
            "with --relationship",
            code="which-relationship",
        )
    relationship, made = next(iter(found.items()))
    return relationship, made.record, made.label


def _gains(house: House, running: Running, request: AskConsent) -> decision.Person:
    """Whoever is to gain by it."""
    party, nationality = request.beneficiary, request.nationality or request.beneficiary
    if request.beneficiary_kind == "party":
        party, nationality = house.party, _nationality(running, request.beneficiary)
    return decision.Person(
        pseudonym="beneficiary",
        party=party,
        serves=request.beneficiary,
        nationality=nationality,
        employer="party",
    )


async def _wanted(
    house: House,
    row: AgreementRow,
    running: Running,
    item: ItemRow,
    gains: decision.Person,
    acts: Iterable[Act],
    purpose: str,
) -> list[decision.Reason]:
    """The reasons for which the agreement asks a consent to these acts, one for each clause and body that gains.

    Raises:
        Misuse: for one of the acts it asks none.
    """
    at = house.now()
    asked_about = new_item(
        item.item, row.agreement, item.label, item.form, item.subject, item.topic, item.provided or purpose
    )
    wanted: list[decision.Reason] = []
    for act in acts:
        case = decision.Case(
            request=f"consent/{item.item}",
            act=act,
            item=asked_about,
            purpose=purpose,
            requester="beneficiary",
            acting=house.party,
            recipients=(gains,),
            at=at,
            facts=decision.Facts(standings=await standings_of(house, (row,), at)),
        )
        found = [each for each in answer(running, case).reasons if each.code == "consent-missing"]
        if not found:
            raise Misuse(
                f"{row.agreement!r} asks nobody's consent to {act} for {purpose!r} with "
                f"{gains.serves!r} as the one who gains; there is nothing to ask",
                code="no-consent-asked",
            )
        wanted += [each for each in found if each.parameters[0] == row.peer]
    return wanted


def _nationality(running: Running, party: str) -> str:
    """A state of a party's, so that its own people count as such."""
    nations = {each.id: each.nations for each in running.agreement.parties}
    return next(iter(nations.get(party, ())), party)
