"""Answering requests: approvals of our own side, assurances for the other (Article 7.5)."""

from __future__ import annotations

from datetime import datetime

import msgspec

from comity.agreement.conditions import applies
from comity.agreement.equivalence import level_of
from comity.agreement.model import Agreement, Layer
from comity.agreement.nearest import nearest
from comity.agreement.vocabulary import ACCESS_ACTS, GIVING_ACTS, Requirement
from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.deciding.sites import shown_at, sites_from
from comity.flows.deciding.visibility import check_role
from comity.flows.giving.release import Given, advance
from comity.flows.house import PSEUDONYM_OF, House
from comity.flows.keeping.work import Draft, Work
from comity.marking.label import Label
from comity.record import bodies
from comity.record.person_act import unsigned
from comity.record.statement import DOMESTIC
from comity.register.roles import ASSURANCE_OFFICER, RELEASE_AUTHORITY
from comity.register.rows import AskedRow, AssuranceRow, PersonRow, RequestRow


class Approve(msgspec.Struct, frozen=True, kw_only=True):
    """Approve a request for release, or refuse it (``granted`` false), and say why.

    ``attests`` are conditions, by clause, that this side attests with it: a receiver was assessed, an item made fit.
    """

    request: str
    reason: str
    actor: Actor
    granted: bool = True
    attests: tuple[str, ...] = ()


class Approved(msgspec.Struct, frozen=True, kw_only=True):
    """An approval, and what it led to; ``act`` is what was asked for: to give, to show, to pass on, or a feed.

    ``released`` is the record of the standing release that it led to, in hex.
    """

    request: str
    granted: bool
    record: str
    given: Given | None
    act: str = "give"
    released: str | None = None


class Assure(msgspec.Struct, frozen=True, kw_only=True):
    """Give the other party the assurance it asked for about one recipient, or refuse it and say why.

    Attributes:
        request: the other party's request id.
        relationship: in which relationship.
        recipient: handle or pseudonym of the recipient; the only one asked about when not given.
        refuse: why the assurance is refused; None to give it.
        actor: an assurance officer.
    """

    request: str
    relationship: str
    actor: Actor
    recipient: str | None = None
    refuse: str | None = None


class AssuranceGiven(msgspec.Struct, frozen=True, kw_only=True):
    """An assurance: which conditions it covers, by clause."""

    request: str
    item: str
    recipient: str
    conditions: tuple[str, ...]
    record: str


async def approve(house: House, request: Approve) -> Approved:
    """Answer a request of this house; when nothing else is missing the item is given in the same commit.

    Raises:
        Misuse: no such request, already carried out, the actor asked for it himself, or has not the role; a condition
            that this side does not attest.
    """
    person = await house.person(request.actor.handle)
    check_role(person, request.actor, RELEASE_AUTHORITY)
    asked = await house.need(RequestRow, request.request, "request")
    body = bodies.Approved(
        request=request.request,
        granted=request.granted,
        reason=request.reason,
        by=person.person,
        after=asked.last,
        signature=unsigned(),
        attests=await _attestable(house, asked, request.attests),
    )
    signed = await house.sign(body, DOMESTIC, request.actor)

    async def say(work: Work) -> Approved:
        record = await work.say(Draft(DOMESTIC, signed))
        given = await advance(house, work, request.request) if request.granted and asked.act == "give" else None
        await house.follow(work, record)
        carried = (await work.need(RequestRow, request.request, "request")).consignment
        return Approved(
            request=request.request,
            granted=request.granted,
            record=record.id.hex(),
            given=given,
            act=asked.act,
            released=carried.hex() if carried is not None and asked.act == "feed" else None,
        )

    return await house.sequencer.submit(say)


async def _attestable(house: House, asked: RequestRow, conditions: tuple[str, ...]) -> tuple[str, ...]:
    """Conditions that the side which gives attests, once it is known that it does."""
    if not conditions:
        return ()
    running = await house.library.load(await house.agreement_row(asked.relationship))
    texts: list[Agreement | Layer] = [running.agreement, *running.layers]
    ours = [each for text in texts for each in text.checklists if each.attested_by != "recipient"]
    known = [condition for checklist in ours for condition in checklist.conditions]
    for condition in conditions:
        if condition not in known:
            hint = nearest(condition, known) if known else ""
            raise Misuse(f"{condition!r} is no condition that whoever gives attests{hint}", code="unknown-condition")
    return tuple(dict.fromkeys(conditions))


async def assure(house: House, request: Assure) -> AssuranceGiven:
    """Assure the other party about one recipient, after checking this house's own register.

    The officer answers for what he signs; what the register plainly contradicts (no clearance or too low a one, not
    on the list of the topic, a contractor's site without its conditions) is refused here before it can be signed.

    Raises:
        Misuse: no such request, not asked about that recipient, or the register contradicts the assurance.
        Rejected: the item that was asked about has a mark that the agreement does not know.
    """
    officer = await house.person(request.actor.handle)
    check_role(officer, request.actor, ASSURANCE_OFFICER)
    asked = await house.need(AskedRow, f"{request.relationship}/{request.request}", "request for assurance")
    row = await house.agreement_row(request.relationship)
    agreement = (await house.library.load(row)).agreement
    pseudonym = await _recipient(house, request, asked)
    conditions: tuple[str, ...] = ()
    if request.refuse is None:
        conditions = await assurable(house, agreement, request.relationship, pseudonym, asked.label, asked.topic)
    signer = house.pseudonym(request.relationship, officer.person)
    body = bodies.Assured(
        request=asked.request,
        item=asked.item,
        recipient=pseudonym,
        conditions=conditions,
        reason=request.refuse or "",
        by=signer,
        after=await _newest(house, request, asked, pseudonym),
        signature=unsigned(),
    )
    signed = await house.sign(body, request.relationship, request.actor, signer)

    async def say(work: Work) -> AssuranceGiven:
        record = await work.say(Draft(request.relationship, signed, officer.function))
        return AssuranceGiven(
            request=asked.request, item=asked.item, recipient=pseudonym, conditions=conditions, record=record.id.hex()
        )

    return await house.sequencer.submit(say)


async def _newest(house: House, request: Assure, asked: AskedRow, pseudonym: str) -> bytes:
    """The record that an answer about a recipient follows on: the answer before, or the request."""
    before = await house.row(AssuranceRow, f"{request.relationship}/{request.request}/{pseudonym}")
    return before.record if before is not None else asked.record


async def _recipient(house: House, request: Assure, asked: AskedRow) -> str:
    if request.recipient is None:
        if len(asked.recipients) != 1:
            raise Misuse(
                f"request {asked.request!r} asks about {len(asked.recipients)} recipients; name one",
                code="which-recipient",
            )
        return asked.recipients[0]
    if request.recipient in asked.recipients:
        return request.recipient
    person = await house.person(request.recipient)
    pseudonym = house.pseudonym(request.relationship, person.person)
    if pseudonym not in asked.recipients:
        raise Misuse(f"request {asked.request!r} does not ask about {request.recipient!r}", code="which-recipient")
    return pseudonym


async def assurable(
    house: House, agreement: Agreement, relationship: str, pseudonym: str, label: Label, topic: str
) -> tuple[str, ...]:
    """Every condition that the agreement asks for about a person of this house, once the register bears it out.

    Args:
        house: this house.
        agreement: which asks.
        relationship: in which the person is known by ``pseudonym``.
        pseudonym: who is to receive, or to be shown, something.
        label: of what.
        topic: its need-to-know list.

    Raises:
        Misuse: nobody of this house, or the register contradicts what would be assured.
        Rejected: the agreement does not know the mark.
    """
    person_id = await house.side(PSEUDONYM_OF, f"{relationship}/{pseudonym}")
    if person_id is None:
        raise Misuse(f"{pseudonym!r} is nobody of this house", code="unknown-person")
    person = await house.need(PersonRow, person_id.decode(), "person")
    now = house.now()
    needed = _required(agreement, label)
    if "clearance" in needed:
        _check_cleared(agreement, house.party, label, person, now)
    if "need-to-know" in needed and topic not in person.topics:
        raise Misuse(
            f"this recipient is not on the need-to-know list {topic!r}; nothing can be assured",
            code="no-need-to-know",
        )
    asked = {rule.checklist for rule in agreement.rules if GIVING_ACTS.intersection(rule.acts)}
    asks = [
        checklist
        for checklist in agreement.checklists
        if checklist.bound_to == "item-and-recipient"
        or (checklist.bound_to == "site" and person.employer == "contractor")
        or (checklist.bound_to in {"item", "party"} and checklist.attested_by == "recipient" and checklist.id in asked)
    ]
    conditions = tuple(condition for checklist in asks for condition in checklist.conditions)
    if person.employer == "contractor":
        read = house.sequencer.rows.get
        held = await shown_at(read, await sites_from(read, person.firm or ""), person, now)
        missing = [
            condition
            for checklist in asks
            if checklist.bound_to == "site"
            for condition in checklist.conditions
            if condition not in held
        ]
        if missing:
            raise Misuse(
                f"the recipient's site is not evidenced to meet {', '.join(missing)}; nothing can be assured",
                code="contractor-conditions",
            )
    return conditions


def _required(agreement: Agreement, label: Label) -> frozenset[Requirement]:
    """What the agreement may ask of whoever gets at something with this label."""
    known = {"level": label.mark, "originator": label.originator, "category": frozenset(label.categories)}
    return frozenset(
        word
        for rule in agreement.rules
        if rule.requires and ACCESS_ACTS.intersection(rule.acts) and applies(agreement, rule, known) is not False
        for word in rule.requires
    )


def _check_cleared(agreement: Agreement, party: str, label: Label, person: PersonRow, now: datetime) -> None:
    if person.clearance is None or person.clearance_until is None or person.clearance_until <= now:
        raise Misuse("this recipient holds no valid clearance; nothing can be assured", code="no-clearance")
    cleared = level_of(agreement, party, person.clearance)
    if cleared.rank < level_of(agreement, label.policy, label.mark).rank:
        raise Misuse(
            f"this recipient is cleared to {cleared.mark!r}, too low for {label.mark!r}; nothing can be assured",
            code="clearance-too-low",
        )
