"""Findings: what a muster or a reconciliation could not make add up, and what became of it (Article 6(f)).

A finding stays open until a registry officer says why it is none, or which record followed on it.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from comity.errors import Misuse, Refused
from comity.flows.actors import Actor
from comity.flows.deciding.visibility import sees_all, viewer
from comity.flows.house import ROOT, House
from comity.flows.keeping.work import Draft, Work
from comity.flows.looking.counting import MusterTold, draft_of, drafts, signed_told, under_way
from comity.flows.looking.next_counts import CountDue, next_counts
from comity.record.bodies.inventory import FindingExplained
from comity.record.person_act import unsigned
from comity.record.statement import DOMESTIC
from comity.register.roles import REGISTRY
from comity.register.rows import CopyRow
from comity.register.rows.inventory import FindingRow, MusterRow, OpenFindingRow, finding_key


class ShowMusters(msgspec.Struct, frozen=True, kw_only=True):
    """Every muster, those under way first, and every open finding; with ``muster`` given, that one and all it found."""

    actor: Actor | None = None
    muster: str | None = None


class Explain(msgspec.Struct, frozen=True, kw_only=True):
    """Say what became of a finding, ``SOURCE/NUMBER``; ``record`` names a record that followed, in hex."""

    finding: str
    reason: str
    actor: Actor
    record: str | None = None


class FindingTold(msgspec.Struct, frozen=True, kw_only=True):
    """A finding. ``now`` is the state of its copy today: a report or a return may have followed on it."""

    finding: str
    item: str
    copy: int | None
    relationship: str | None
    here: str
    there: str
    at: datetime
    now: str
    explained: bool
    reason: str
    followed: str | None


class Musters(msgspec.Struct, frozen=True, kw_only=True):
    """Musters and findings; of all of them, also by when copies are counted again."""

    musters: tuple[MusterTold, ...]
    findings: tuple[FindingTold, ...]
    due: tuple[CountDue, ...] = ()


async def show(house: House, request: ShowMusters) -> Musters:
    """Musters and findings, for those who answer for the register.

    Raises:
        Misuse: no such muster.
        Refused: the actor does not answer for the register.
    """
    await overseer(house, request.actor)
    if request.muster is not None:
        row = await house.row(MusterRow, request.muster)
        told = (
            await signed_told(house, row)
            if row is not None
            else await under_way(house, await draft_of(house, request.muster))
        )
        findings = [await finding_told(house, each) async for _, each in house.rows(FindingRow, f"{request.muster}/")]
        return Musters(musters=(told,), findings=tuple(findings))
    begun = [await under_way(house, each) async for each in drafts(house)]
    rows = [row async for _, row in house.rows(MusterRow)]
    musters = [await signed_told(house, row) for row in sorted(rows, key=lambda row: row.at, reverse=True)]
    open_keys = [key async for key, _ in house.rows(OpenFindingRow)]
    findings = [await finding_told(house, await house.need(FindingRow, key, "finding")) for key in open_keys]
    in_order = tuple(sorted(findings, key=lambda each: each.at))
    return Musters(musters=(*begun, *musters), findings=in_order, due=await next_counts(house))


async def explain(house: House, request: Explain) -> FindingTold:
    """(5) Say what became of a finding.

    Raises:
        Misuse: no such finding, no such record, or no reason.
        Refused: the actor is no registry officer.
    """
    by = await registrar(house, request.actor)
    source, _, number = request.finding.partition("/")
    if not (number.isascii() and number.isdecimal()):
        raise Misuse(f"{request.finding!r} is no finding; name it as SOURCE/NUMBER", code="unknown-finding")
    key = finding_key(source, int(number))[1]
    row = await house.row(FindingRow, key)
    if row is None:
        raise Misuse(f"there is no finding {request.finding!r}", code="unknown-finding")
    body = FindingExplained(
        source=source,
        number=int(number),
        reason=request.reason,
        record=await _record(house, request.record),
        by=by,
        after=row.last,
        signature=unsigned(),
    )
    signed = await house.sign(body, DOMESTIC, request.actor)

    async def say(work: Work) -> None:
        await work.say(Draft(DOMESTIC, signed))

    await house.sequencer.submit(say)
    return await finding_told(house, await house.need(FindingRow, key, "finding"))


async def finding_told(house: House, row: FindingRow) -> FindingTold:
    """A finding, and what the register says of its copy today."""
    now = ""
    if row.relationship is not None and row.copy is not None:
        copy = await house.row(CopyRow, f"{row.relationship}/{row.item}/{row.copy:06d}")
        now = copy.state if copy is not None else ""
    return FindingTold(
        finding=f"{row.source}/{row.number}",
        item=row.item,
        copy=row.copy,
        relationship=row.relationship,
        here=row.here,
        there=row.there,
        at=row.at,
        now=now,
        explained=row.explained is not None,
        reason=row.reason,
        followed=row.followed.hex() if row.followed else None,
    )


async def _record(house: House, named: str | None) -> bytes | None:
    if named is None:
        return None
    try:
        record = bytes.fromhex(named)
    except ValueError:
        record = b""
    if len(record) != 32 or await house.store.find(record) is None:
        raise Misuse(f"there is no record {named!r}", code="unknown-record")
    return record


async def registrar(house: House, actor: Actor) -> str:
    """Person id of a registry officer, or ``root``.

    Raises:
        Refused: he is none.
    """
    person = await viewer(house, actor)
    if person is not None and REGISTRY not in person.roles:
        raise Refused(f"{actor.handle!r} does not have the role {REGISTRY!r}", code="no-role", place="6.f")
    return ROOT if person is None else person.person


async def overseer(house: House, actor: Actor | None) -> None:
    """Make sure that whoever looks answers for the register.

    Raises:
        Refused: he does not.
    """
    person = await viewer(house, actor)
    if not sees_all(person) and actor is not None:
        raise Refused(f"{actor.handle!r} does not answer for the register", code="no-role", place="6.f")
