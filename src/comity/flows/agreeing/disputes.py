"""Disputes: settled by consultation between the parties and by nothing else (Article 20).

What is said is recorded on both sides. Protection goes on meanwhile: no decision asks whether something is in dispute.
"""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256

import msgspec

from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.deciding.visibility import may_see, sees_all, viewer, visible_item
from comity.flows.house import House
from comity.flows.looking.duties import sees_duty
from comity.flows.speaking import speak, speaker
from comity.record.bodies.notices import DisputeAbout, DisputeOpened, PositionTaken, SettlementSigned
from comity.record.encoding import TEXT_CHARACTERS_MAX
from comity.record.person_act import unsigned
from comity.register.rows import ItemRow, PersonRow
from comity.register.rows.duties import DutiesRow
from comity.register.rows.notices import DisputeRow, Proposed


class OpenDispute(msgspec.Struct, frozen=True, kw_only=True):
    """Open a consultation.

    Attributes:
        relationship: with whom.
        about: an item, a duty, or the reading of a clause.
        subject: the item, what the duty is about, or the clause.
        question: what is in dispute.
        position: what this side says.
        actor: an agreement authority.
        obligation: of a duty, its obligation.
        deposits: what was deposited beforehand and bears on it.
        dispute: identifier for it, for a person who signs elsewhere.
    """

    relationship: str
    about: DisputeAbout
    subject: str
    question: str
    position: str
    actor: Actor
    obligation: str | None = None
    deposits: tuple[str, ...] = ()
    dispute: str | None = None


class AnswerDispute(msgspec.Struct, frozen=True, kw_only=True):
    """Take a position in a dispute."""

    dispute: str
    says: str
    actor: Actor
    deposits: tuple[str, ...] = ()


class SettleDispute(msgspec.Struct, frozen=True, kw_only=True):
    """Sign a text that settles a dispute.

    Attributes:
        dispute: which.
        actor: an agreement authority.
        text: the text; it crosses where it is short, its digest always.
        digest: SHA-256 of the text in hex, instead of it.
    """

    dispute: str
    actor: Actor
    text: str | None = None
    digest: str | None = None


class ListDisputes(msgspec.Struct, frozen=True, kw_only=True):
    """Every dispute that ``viewer`` may see; the house itself unless given."""

    viewer: Actor | None = None


class ShowDispute(msgspec.Struct, frozen=True, kw_only=True):
    """One dispute with its positions."""

    dispute: str
    viewer: Actor | None = None


class PositionShown(msgspec.Struct, frozen=True, kw_only=True):
    """What one side says, or the text it has signed (``digest``)."""

    party: str
    at: datetime
    says: str
    record: str
    deposits: tuple[str, ...] = ()
    digest: str = ""


class DisputeShown(msgspec.Struct, frozen=True, kw_only=True):
    """A dispute.

    Attributes:
        party: who opened it.
        positions: of both sides, in order.
        proposed: the newest text of settlement that each side has signed; once settled, the one that both have.
        settled: when both had signed the same text.
        settlement: SHA-256 of that text in hex; empty while there is none.
    """

    dispute: str
    relationship: str
    party: str
    about: DisputeAbout
    subject: str
    obligation: str
    question: str
    opened: datetime
    positions: tuple[PositionShown, ...]
    proposed: tuple[PositionShown, ...]
    settled: datetime | None
    settlement: str


async def open_dispute(house: House, request: OpenDispute) -> DisputeShown:
    """Open a consultation with this side's position (20).

    Raises:
        Misuse: the actor may not, or there is no such item, duty or clause between the parties.
    """
    person = await viewer(house, request.actor)
    if request.about == "item":
        await visible_item(house, None, request.subject, person)
    elif request.about == "duty" and not await _sees_duty(
        house, request.relationship, request.subject, request.obligation, person
    ):
        raise Misuse(f"nothing is owed under {request.obligation!r} about {request.subject!r}", code="unknown-duty")
    body = DisputeOpened(
        dispute=house.name("x", request.dispute),
        about=request.about,
        subject=request.subject,
        obligation=request.obligation,
        question=request.question,
        position=request.position,
        deposits=request.deposits,
        by=await speaker(house, request.relationship, request.actor),
        signature=unsigned(),
    )
    await speak(house, request.relationship, body, request.actor)
    return await _shown(house, request.relationship, body.dispute)


async def answer_dispute(house: House, request: AnswerDispute) -> DisputeShown:
    """Take a position in a dispute that is not settled (20)."""
    relationship, row = await _find(house, request.dispute, await viewer(house, request.actor))
    body = PositionTaken(
        dispute=row.dispute,
        says=request.says,
        deposits=request.deposits,
        by=await speaker(house, relationship, request.actor),
        after=row.last(house.party),
        signature=unsigned(),
    )
    await speak(house, relationship, body, request.actor)
    return await _shown(house, relationship, row.dispute)


async def settle_dispute(house: House, request: SettleDispute) -> DisputeShown:
    """Sign a text of settlement; the dispute is settled once the other side has signed the same one (20).

    Raises:
        Misuse: neither a text nor a digest was given, or both were, or the digest is none.
    """
    relationship, row = await _find(house, request.dispute, await viewer(house, request.actor))
    body = SettlementSigned(
        dispute=row.dispute,
        digest=_digest(request),
        text=request.text if request.text is not None and len(request.text) <= TEXT_CHARACTERS_MAX else None,
        by=await speaker(house, relationship, request.actor),
        after=row.last(house.party),
        signature=unsigned(),
    )
    await speak(house, relationship, body, request.actor)
    return await _shown(house, relationship, row.dispute)


async def list_disputes(house: House, request: ListDisputes) -> list[DisputeShown]:
    """Every dispute, oldest first, as the viewer may see it."""
    person = await viewer(house, request.viewer)
    found = []
    for relationship, _peer in await house.relationships():
        async for _key, row in house.rows(DisputeRow, f"{relationship}/"):
            if await _visible(house, relationship, row, person):
                found.append(_tell(relationship, row))
    return sorted(found, key=lambda each: (each.opened, each.dispute))


async def show_dispute(house: House, request: ShowDispute) -> DisputeShown:
    """One dispute.

    Raises:
        Misuse: there is none of that name, or none that the viewer may see.
    """
    relationship, row = await _find(house, request.dispute, await viewer(house, request.viewer))
    return _tell(relationship, row)


async def _find(house: House, dispute: str, person: PersonRow | None) -> tuple[str, DisputeRow]:
    for relationship, _peer in await house.relationships():
        row = await house.row(DisputeRow, f"{relationship}/{dispute}")
        if row is not None and await _visible(house, relationship, row, person):
            return relationship, row
    raise Misuse(f"there is no dispute {dispute!r}", code="unknown-dispute")


async def _visible(house: House, relationship: str, row: DisputeRow, person: PersonRow | None) -> bool:
    """Whether a viewer may know of a dispute: who may know of the item, or of the duty, that it is about."""
    if row.about == "reading" or sees_all(person):
        return True
    if row.about == "duty":
        return await _sees_duty(house, relationship, row.subject, row.obligation, person)
    item = await house.row(ItemRow, row.subject)
    return item is not None and await may_see(house, item, person)


async def _sees_duty(
    house: House, relationship: str, subject: str, obligation: str | None, person: PersonRow | None
) -> bool:
    """Whether there is such a duty, and the viewer may know of it."""
    row = await house.row(DutiesRow, f"{relationship}/{subject}")
    if row is None:
        return False
    for duty in row.duties:
        if duty.obligation == obligation and await sees_duty(house, row, duty, person):
            return True
    return False


async def _shown(house: House, relationship: str, dispute: str) -> DisputeShown:
    return _tell(relationship, await house.need(DisputeRow, f"{relationship}/{dispute}", "dispute"))


def _digest(request: SettleDispute) -> bytes:
    if (request.text is None) == (request.digest is None):
        raise Misuse("give the text that settles the dispute, or its digest", code="which-text")
    if request.text is not None:
        return sha256(request.text.encode()).digest()
    try:
        digest = bytes.fromhex(request.digest or "")
    except ValueError:
        digest = b""
    if len(digest) != sha256().digest_size:
        raise Misuse(f"{request.digest!r} is no SHA-256 digest of 64 hexadecimal digits", code="bad-digest")
    return digest


def _tell(relationship: str, row: DisputeRow) -> DisputeShown:
    return DisputeShown(
        dispute=row.dispute,
        relationship=relationship,
        party=row.author,
        about=row.about,
        subject=row.subject,
        obligation=row.obligation or "",
        question=row.question,
        opened=row.at,
        positions=tuple(
            PositionShown(
                party=each.party, at=each.at, says=each.says, record=each.record.hex(), deposits=each.deposits
            )
            for each in row.positions
        ),
        proposed=tuple(
            PositionShown(
                party=each.party,
                at=each.at,
                says=each.text or "",
                record=each.record.hex(),
                digest=each.digest.hex(),
            )
            for each in _standing(row)
        ),
        settled=row.settled_at,
        settlement=row.settlement.hex() if row.settlement is not None else "",
    )


def _standing(row: DisputeRow) -> list[Proposed]:
    """The newest text of each side; once they have settled, the one that both have signed."""
    newest: dict[str, Proposed] = {}
    for each in row.proposed:
        if row.settlement is None or each.digest == row.settlement:
            newest[each.party] = each
    return sorted(newest.values(), key=lambda each: each.at)
