"""Authorities and laws: telling the other side, asking it, and both registers (Articles 2(d), 3).

An agreement authority acts; the other party hears of it with the next exchange. The registers are both sides': what the
agreement file lists is where the register of designations begins.
"""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.house import House
from comity.flows.speaking import speak, speaker
from comity.record.bodies.notices import (
    Designated,
    DesignationEnded,
    LawAnswered,
    LawAsked,
    LawChange,
    LawNotified,
)
from comity.record.person_act import unsigned
from comity.register.rows.notices import DesignationRow, LawRequestRow, LawRow


class Designate(msgspec.Struct, frozen=True, kw_only=True):
    """Tell the other side which body is a competent authority of this one.

    Attributes:
        relationship: whom to tell, under which agreement.
        authority: the body, as the note names it.
        since: its first day, ``2026-12-01``.
        note: id of the diplomatic note.
        actor: an agreement authority.
        designation: identifier for it, for a person who signs elsewhere.
    """

    relationship: str
    authority: str
    since: str
    note: str
    actor: Actor
    designation: str | None = None


class EndDesignation(msgspec.Struct, frozen=True, kw_only=True):
    """Tell the other side that a designation holds no longer, from a day on."""

    relationship: str
    designation: str
    since: str
    note: str
    actor: Actor


class ListDesignations(msgspec.Struct, frozen=True, kw_only=True):
    """The competent authorities of every party: all, or those that hold on a day."""

    on: str | None = None


class DesignationShown(msgspec.Struct, frozen=True, kw_only=True):
    """A competent authority.

    Attributes:
        designation: its id; empty for one that the agreement file lists.
        since, until: its days; empty where it has no end.
        note, end_note: the notes by which it was told.
        provenance: how well an entry of the agreement file is known; empty for what a record says.
        record: id of the record in hex; empty for the agreement file's.
    """

    relationship: str
    party: str
    authority: str
    since: str
    note: str
    designation: str = ""
    until: str = ""
    end_note: str = ""
    provenance: str = ""
    record: str = ""
    told: datetime | None = None


class NotifyLaw(msgspec.Struct, frozen=True, kw_only=True):
    """Tell the other side of a law of this one, or of its change.

    Attributes:
        relationship: whom to tell.
        title: of the law.
        change: ``stated`` as it stands, or what became of it.
        in_force: its day, or the day of the change.
        says: what it means for protection.
        note: id of the note.
        actor: an agreement authority.
        law: the law, where it was told before; or an identifier for a new one, for a person who signs elsewhere.
        known: ``law`` was told before.
    """

    relationship: str
    title: str
    change: LawChange
    in_force: str
    says: str
    note: str
    actor: Actor
    law: str | None = None
    known: bool = False


class AskLaws(msgspec.Struct, frozen=True, kw_only=True):
    """Ask the other side for its laws on a matter."""

    relationship: str
    matter: str
    actor: Actor
    request: str | None = None


class AnswerLaws(msgspec.Struct, frozen=True, kw_only=True):
    """Answer such a request, with laws of this side's register of laws."""

    relationship: str
    request: str
    laws: tuple[str, ...]
    says: str
    note: str
    actor: Actor


class ListLaws(msgspec.Struct, frozen=True, kw_only=True):
    """The registers of laws of every party, and what was asked."""


class LawShown(msgspec.Struct, frozen=True, kw_only=True):
    """A law as it was last told, and how often it was."""

    relationship: str
    party: str
    law: str
    title: str
    change: LawChange
    in_force: str
    says: str
    note: str
    told: datetime
    notices: int


class LawRequestShown(msgspec.Struct, frozen=True, kw_only=True):
    """A request for laws, and its answer once there is one."""

    relationship: str
    request: str
    party: str
    matter: str
    asked: datetime
    answered: datetime | None
    laws: tuple[str, ...]
    says: str


class LawsShown(msgspec.Struct, frozen=True, kw_only=True):
    """The registers of laws."""

    laws: tuple[LawShown, ...]
    requests: tuple[LawRequestShown, ...]


async def designate(house: House, request: Designate) -> DesignationShown:
    """Record a designation and tell the other side (2.d).

    Raises:
        Misuse: the actor may not, or there is no such day.
    """
    designation = house.name("d", request.designation)
    body = Designated(
        designation=designation,
        authority=request.authority,
        since=request.since,
        note=request.note,
        by=await speaker(house, request.relationship, request.actor),
        signature=unsigned(),
    )
    await speak(house, request.relationship, body, request.actor)
    key = f"{request.relationship}/{house.party}/{designation}"
    return _designation(request.relationship, await house.need(DesignationRow, key, "designation"))


async def end_designation(house: House, request: EndDesignation) -> DesignationShown:
    """Record that a designation of this party holds no longer (2.d).

    Raises:
        Misuse: there is none, it ended already, or would end before it began.
    """
    body = DesignationEnded(
        designation=request.designation,
        since=request.since,
        note=request.note,
        by=await speaker(house, request.relationship, request.actor),
        signature=unsigned(),
    )
    await speak(house, request.relationship, body, request.actor)
    key = f"{request.relationship}/{house.party}/{request.designation}"
    return _designation(request.relationship, await house.need(DesignationRow, key, "designation"))


async def list_designations(house: House, request: ListDesignations) -> list[DesignationShown]:
    """The registers of designations, what the agreement files list and what was told, by day.

    Raises:
        Misuse: there is no such day.
    """
    if request.on is not None:
        _check_day(request.on)
    found: list[DesignationShown] = []
    for relationship, peer in await house.relationships():
        running = await house.library.load(await house.agreement_row(relationship))
        found += [
            DesignationShown(
                relationship=relationship,
                party=entry.party,
                authority=entry.name.en,
                since=entry.valid_from,
                note=entry.notified_by,
                provenance=entry.provenance,
            )
            for entry in running.agreement.authorities
            if entry.party in (house.party, peer)
        ]
        found += [_designation(relationship, row) async for _, row in house.rows(DesignationRow, f"{relationship}/")]
    on = request.on
    held = [each for each in found if on is None or (each.since <= on and (not each.until or on < each.until))]
    return sorted(held, key=lambda each: (each.relationship, each.party, each.since, each.authority))


async def notify_law(house: House, request: NotifyLaw) -> LawShown:
    """Tell the other side of a law, or of its change (3).

    Raises:
        Misuse: the actor may not, there is no such law or day, or the change is none of a law that stands so.
    """
    law = request.law if request.known and request.law is not None else house.name("w", request.law)
    before = await house.row(LawRow, f"{request.relationship}/{house.party}/{law}")
    body = LawNotified(
        law=law,
        title=request.title or (before.title if before is not None else ""),
        change=request.change,
        in_force=request.in_force,
        says=request.says,
        note=request.note,
        by=await speaker(house, request.relationship, request.actor),
        after=before.last if before is not None else bytes(32),
        signature=unsigned(),
    )
    await speak(house, request.relationship, body, request.actor)
    row = await house.need(LawRow, f"{request.relationship}/{house.party}/{law}", "law")
    return _law(request.relationship, row)


async def ask_laws(house: House, request: AskLaws) -> LawRequestShown:
    """Ask the other side for its laws on a matter (3)."""
    body = LawAsked(
        request=house.name("q", request.request),
        matter=request.matter,
        by=await speaker(house, request.relationship, request.actor),
        signature=unsigned(),
    )
    await speak(house, request.relationship, body, request.actor)
    row = await house.need(LawRequestRow, f"{request.relationship}/{body.request}", "request for laws")
    return _request(request.relationship, row)


async def answer_laws(house: House, request: AnswerLaws) -> LawRequestShown:
    """Answer what the other side asked about laws (3).

    Raises:
        Misuse: it is our own question, was answered, or names a law that was not told.
    """
    body = LawAnswered(
        request=request.request,
        laws=tuple(sorted(set(request.laws))),
        says=request.says,
        note=request.note,
        by=await speaker(house, request.relationship, request.actor),
        signature=unsigned(),
    )
    await speak(house, request.relationship, body, request.actor)
    row = await house.need(LawRequestRow, f"{request.relationship}/{request.request}", "request for laws")
    return _request(request.relationship, row)


async def list_laws(house: House, _: ListLaws) -> LawsShown:
    """The registers of laws of every party, and what was asked about them."""
    laws: list[LawShown] = []
    requests: list[LawRequestShown] = []
    for relationship, _peer in await house.relationships():
        laws += [_law(relationship, row) async for _key, row in house.rows(LawRow, f"{relationship}/")]
        requests += [_request(relationship, row) async for _key, row in house.rows(LawRequestRow, f"{relationship}/")]
    return LawsShown(laws=tuple(laws), requests=tuple(requests))


def _check_day(day: str) -> None:
    try:
        written = date.fromisoformat(day).isoformat()
    except ValueError:
        written = ""
    if written != day:
        raise Misuse(f"there is no day {day!r}; write 2026-12-01", code="bad-day")


def _designation(relationship: str, row: DesignationRow) -> DesignationShown:
    return DesignationShown(
        relationship=relationship,
        party=row.party,
        authority=row.authority,
        since=row.since,
        note=row.note,
        designation=row.designation,
        until=row.until,
        end_note=row.end_note,
        record=row.record.hex(),
        told=row.at,
    )


def _law(relationship: str, row: LawRow) -> LawShown:
    return LawShown(
        relationship=relationship,
        party=row.party,
        law=row.law,
        title=row.title,
        change=row.change,
        in_force=row.in_force,
        says=row.says,
        note=row.note,
        told=row.at,
        notices=len(row.notices),
    )


def _request(relationship: str, row: LawRequestRow) -> LawRequestShown:
    return LawRequestShown(
        relationship=relationship,
        request=row.request,
        party=row.author,
        matter=row.matter,
        asked=row.at,
        answered=row.answered,
        laws=row.laws,
        says=row.says,
    )
