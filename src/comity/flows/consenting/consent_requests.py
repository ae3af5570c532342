"""Asking for consent: the originator learns what it needs to decide, and no more (Articles 6(a), 6(c)).

``ask_consent`` works out from the agreement for whom a consent is needed, and refuses to ask where none is.
``drop_consent`` takes back a question that nobody has answered.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

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
    wanted = await _wanted(house, row, running, msgspec.structs.replace(item, label=label), request)
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
    asking = ConsentAsked(origin=origin, label=label, **shared)

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


async def drop_consent(house: House, request: DropConsent) -> AskedForConsent:
    """Tell the originator that nothing is asked any more; what was answered cannot be dropped.

    Raises:
        Misuse: no such request, the other party's, answered or dropped already, or the actor has not the role.
    """
    person = await house.person(request.actor.handle)
    check_role(person, request.actor, OFFICER, REGISTRY)
    relationship, asked = await find_asked(house, request.request)
    item = await registered(house, asked.item)
    if item is None or not await may_see(house, item, person):
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


async def _wanted(
    house: House, row: AgreementRow, running: Running, item: ItemRow, request: AskConsent
) -> list[decision.Reason]:
    """The reasons for which the agreement asks a consent to these acts, one for each clause and body that gains.

    Raises:
        Misuse: for one of the acts it asks none.
    """
    party, nationality = request.beneficiary, request.nationality or request.beneficiary
    if request.beneficiary_kind == "party":
        party, nationality = house.party, _nationality(running, request.beneficiary)
    gains = decision.Person(
        pseudonym="beneficiary",
        party=party,
        serves=request.beneficiary,
        nationality=nationality,
        employer="party",
    )
    at = house.now()
    asked_about = new_item(
        item.item, row.agreement, item.label, item.form, item.subject, item.topic, item.provided or request.purpose
    )
    wanted: list[decision.Reason] = []
    for act in request.acts:
        case = decision.Case(
            request=f"consent/{item.item}",
            act=act,
            item=asked_about,
            purpose=request.purpose,
            requester="beneficiary",
            acting=house.party,
            recipients=(gains,),
            at=at,
            facts=decision.Facts(standings=await standings_of(house, (row,), at)),
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
