"""The register of consents: asked of us and by us, granted, ended, withdrawn; and silence (``spec/consent.md`` step 8).

Silence is shown as silence. It is no consent, and it is no refusal.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Literal, TypeVar

import msgspec

from comity.flows.actors import Actor
from comity.flows.consenting.granting import sees_consent
from comity.flows.deciding.said import Said, said_in
from comity.flows.deciding.visibility import viewer
from comity.flows.house import House
from comity.record.bodies.consents import BeneficiaryKind
from comity.register.rows.consents import ConsentAskedRow, ConsentRow, ConsentWantedRow

R = TypeVar("R", ConsentRow, ConsentAskedRow)
Answer = Literal["silent", "lapsed", "dropped", "granted", "refused"]
"""Where a request stands: unanswered, unanswered until it lapsed, dropped by who asked, or answered."""
Standing = Literal["holds", "ended", "withdrawn", "refused"]
"""Where a consent stands."""
DAY = timedelta(days=1)
LINES_MAX = 10_000
"""Most requests, and most consents, told at once."""


class ListConsents(msgspec.Struct, frozen=True, kw_only=True):
    """The requests for consent and the consents, of one relationship or of all; as ``actor`` may see them.

    ``about`` names a single one, by the id of a request or of a consent; ``limit`` is how many of each are told at
    most, the newest.
    """

    relationship: str | None = None
    actor: Actor | None = None
    about: str | None = None
    limit: int = LINES_MAX


class AskedShown(msgspec.Struct, frozen=True, kw_only=True):
    """A request for consent.

    Attributes:
        ours: whether this house asks.
        by: who asks, as this house calls the person; of the other party, the function.
        answer: where it stands.
        days: whole days since it was asked, for as long as there is no answer.
        consent: id of the answer, if there is one.
        topic: of a feed, whose name ``item`` then is.
        answered: who answered, and when.
    """

    request: str
    relationship: str
    ours: bool
    by: str
    item: str
    mark: str
    acts: tuple[str, ...]
    beneficiaries: tuple[str, ...]
    beneficiary_kind: BeneficiaryKind
    purpose: str
    reason: str
    at: datetime
    until: datetime
    answer_by: datetime | None
    answer: Answer
    days: int
    consent: str | None
    topic: str | None = None
    answered: Said | None = None


class ConsentLine(msgspec.Struct, frozen=True, kw_only=True):
    """A consent, or a refusal; ``ours`` where this house gave it; ``last`` who gave it, or took it back."""

    consent: str
    relationship: str
    ours: bool
    standing: Standing
    request: str | None
    item: str | None
    topic: str | None
    subject: str | None
    marks: tuple[str, ...]
    acts: tuple[str, ...]
    beneficiaries: tuple[str, ...]
    purpose: str
    conditions: tuple[str, ...]
    until: datetime | None
    reason: str
    at: datetime
    withdrawn: datetime | None
    withdrawal_reason: str
    last: Said | None = None


class ConsentsShown(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked, and what was answered or granted unasked, oldest first; ``more`` where some are left out."""

    asked: tuple[AskedShown, ...]
    consents: tuple[ConsentLine, ...]
    more: bool = False


async def list_consents(house: House, request: ListConsents) -> ConsentsShown:
    """The requests and the consents that the viewer may see.

    Raises:
        Refused: no agreement runs in the relationship that was named.
    """
    person = await viewer(house, request.actor)
    places = [request.relationship] if request.relationship else [each for each, _ in await house.relationships()]
    now = house.now()
    asked: list[AskedShown] = []
    consents: list[ConsentLine] = []
    for relationship in places:
        await house.agreement_row(relationship)
        consents += [
            await _consent(house, relationship, row, now)
            async for row in _rows(house, ConsentRow, relationship, request.about)
            if await sees_consent(house, row.item, person)
        ]
        asked += [
            await _asked(house, relationship, row, now)
            async for row in _rows(house, ConsentAskedRow, relationship, request.about)
            if await sees_consent(house, row.item, person)
        ]
    asked.sort(key=lambda each: each.at)
    consents.sort(key=lambda each: each.at)
    limit = max(1, min(request.limit, LINES_MAX))
    more = max(len(asked), len(consents)) > limit
    return ConsentsShown(asked=tuple(asked[-limit:]), consents=tuple(consents[-limit:]), more=more)


async def _rows(house: House, kind: type[R], relationship: str, about: str | None) -> AsyncIterator[R]:
    """The rows of a relationship, or the one of that id."""
    if about is not None:
        one = await house.row(kind, f"{relationship}/{about}")
        if one is not None:
            yield one
        return
    async for _, row in house.rows(kind, f"{relationship}/"):
        yield row


async def _asked(house: House, relationship: str, row: ConsentAskedRow, now: datetime) -> AskedShown:
    ours = row.author == house.party
    wanted = await house.row(ConsentWantedRow, row.request) if ours else None
    answered = None
    answer: Answer = "lapsed" if row.lapsed(now) else "silent"
    if row.dropped is not None:
        answer = "dropped"
    if row.consent is not None:
        said = await house.need(ConsentRow, f"{relationship}/{row.consent}", "consent")
        answered = await said_in(house, said.record)
        answer = "granted" if said.granted else "refused"
    return AskedShown(
        relationship=relationship,
        ours=ours,
        by=row.function if wanted is None else await house.handle(wanted.by),
        mark=row.label.mark,
        answer=answer,
        answered=answered,
        days=0 if row.consent is not None else max(0, (now - row.at) // DAY),
        **{name: getattr(row, name) for name in _ASKED_FIELDS},
    )


async def _consent(house: House, relationship: str, row: ConsentRow, now: datetime) -> ConsentLine:
    standing: Standing = "refused"
    if row.granted:
        standing = "withdrawn" if row.withdrawn is not None else "holds" if row.holds(now) else "ended"
    return ConsentLine(
        relationship=relationship,
        ours=row.author == house.party,
        standing=standing,
        last=await said_in(house, row.withdrawal or row.record),
        **{name: getattr(row, name) for name in _CONSENT_FIELDS},
    )


_ASKED_FIELDS = tuple(name for name in AskedShown.__struct_fields__ if name in ConsentAskedRow.__struct_fields__)
_CONSENT_FIELDS = tuple(name for name in ConsentLine.__struct_fields__ if name in ConsentRow.__struct_fields__)
