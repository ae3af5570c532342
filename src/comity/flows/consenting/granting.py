"""Consent: what the originator of an item allows others to do with it (Articles 6(a), 6(c); ``spec/consent.md``).

``answer_consent`` grants or refuses what was asked; ``grant_consent`` consents unasked, to one item or to a pattern;
``withdraw_consent`` takes it back from now on. Asking is in ``consent_requests.py``, what decisions read of it in
``deciding/consents.py``.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

import msgspec

from comity.agreement.vocabulary import Act
from comity.errors import ComityError, Misuse
from comity.flows.actors import Actor
from comity.flows.deciding.visibility import check_role, may_see, sees_all, viewer, visible_item
from comity.flows.giving.forwarding import write_letters
from comity.flows.giving.release import PREPARED, advance
from comity.flows.house import House
from comity.flows.keeping.committed import SCAN_MAX
from comity.flows.keeping.work import Draft, Work
from comity.flows.speaking import speaker
from comity.flows.vouching.contradictions import check_frozen
from comity.record.bodies.consents import Consented, ConsentWithdrawn
from comity.record.person_act import unsigned
from comity.register.roles import RELEASE_AUTHORITY
from comity.register.rows import ItemRow, PersonRow, RequestRow
from comity.register.rows.consents import ConsentAskedRow, ConsentRow


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


async def answer_consent(house: House, request: AnswerConsent) -> ConsentShown:
    """Grant or refuse what was asked; once, in time, and no more than was asked for.

    Raises:
        Misuse: no such request, answered or lapsed, our own, or the actor is no release authority.
        Refused: nothing leaves under that agreement now (``frozen``).
    """
    check_role(await house.person(request.actor.handle), request.actor, RELEASE_AUTHORITY)
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
        by=await speaker(house, relationship, request.actor),
        signature=unsigned(),
    )
    return await _consent(house, relationship, body, request.actor)


async def grant_consent(house: House, request: GrantConsent) -> ConsentShown:
    """Consent unasked: to one item of this house, or to every item of a pattern.

    Raises:
        Misuse: it is about nothing or about both, it is another's, or the actor is no release authority.
        Refused: nothing leaves under that agreement now (``frozen``).
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
        by=await speaker(house, request.relationship, request.actor),
        signature=unsigned(),
    )
    return await _consent(house, request.relationship, body, request.actor)


async def withdraw_consent(house: House, request: WithdrawConsent) -> ConsentShown:
    """Take a consent back; what was done under it stays as it was.

    Raises:
        Misuse: no such consent, another party's, withdrawn or ended already, or the actor is no release authority.
    """
    relationship, row = await find_consent(house, request.consent)
    if not await sees_consent(house, row.item, await viewer(house, request.actor)):
        raise no_consent(request.consent)
    body = ConsentWithdrawn(
        consent=row.consent,
        reason=request.reason,
        by=await speaker(house, relationship, request.actor),
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
    raise no_request(request)


def no_request(request: str) -> Misuse:
    """The one answer about a request for consent that is not there, or not there for whoever asks."""
    return Misuse(f"there is no request for consent {request!r}", code="unknown-consent-request")


async def find_consent(house: House, consent: str) -> tuple[str, ConsentRow]:
    """A consent by its id, and its relationship.

    Raises:
        Misuse: there is none.
    """
    for relationship, _ in await house.relationships():
        row = await house.row(ConsentRow, f"{relationship}/{consent}")
        if row is not None:
            return relationship, row
    raise no_consent(consent)


def no_consent(consent: str) -> Misuse:
    """The one answer about a consent that is not there, or not there for whoever asks."""
    return Misuse(f"there is no consent {consent!r}", code="unknown-consent")


async def sees_consent(house: House, item: str | None, person: PersonRow | None) -> bool:
    """Whether a viewer may know of a consent: of an item when he may see it, of a pattern or a feed by his role."""
    row = None if item is None else await house.row(ItemRow, item)
    if row is None:
        return sees_all(person) or (person is not None and RELEASE_AUTHORITY in person.roles)
    return await may_see(house, row, person)


async def _consent(house: House, relationship: str, body: Consented | ConsentWithdrawn, actor: Actor) -> ConsentShown:
    if isinstance(body, Consented) and body.granted:  # what a consent allows leaves by the other party's hand
        await check_frozen(house, [await house.agreement_row(relationship)])
    signed = await house.sign(body, relationship, actor, body.by)
    function = (await house.person(actor.handle)).function

    waiting = await _waiting(house) if isinstance(body, Consented) and "give" in body.acts else []

    async def say(work: Work) -> ConsentShown:
        record = await work.say(Draft(relationship, signed, function))
        row = await work.need(ConsentRow, f"{relationship}/{body.consent}", "consent")
        if isinstance(body, Consented):
            await write_letters(house, work, relationship, row)
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
