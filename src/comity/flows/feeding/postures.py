"""Postures: each party declares its own, and what both have declared holds (``spec/feed.md`` step 5)."""

from __future__ import annotations

from datetime import datetime

import msgspec

from comity.feed.release import Posture, joint
from comity.flows.actors import Actor
from comity.flows.deciding.visibility import check_role
from comity.flows.house import House
from comity.flows.speaking import speak, speaker
from comity.record.bodies.feeding import PostureDeclared
from comity.record.person_act import unsigned
from comity.register.roles import RELEASE_AUTHORITY
from comity.register.rows.feeding import PostureRow, posture_key


class DeclarePosture(msgspec.Struct, frozen=True, kw_only=True):
    """Declare the posture of this party in a relationship; what is above ``normal`` ends at ``until``."""

    posture: Posture
    relationship: str
    reason: str
    actor: Actor
    until: datetime | None = None


class ShowPostures(msgspec.Struct, frozen=True, kw_only=True):
    """Show what both parties have declared in a relationship."""

    relationship: str


class PostureLine(msgspec.Struct, frozen=True, kw_only=True):
    """What one party has declared last; ``ended`` once its instant has come."""

    party: str
    posture: Posture
    until: datetime | None
    at: datetime | None
    by: str
    reason: str
    ended: bool


class PosturesShown(msgspec.Struct, frozen=True, kw_only=True):
    """What each party has declared, and what holds."""

    relationship: str
    holds: Posture
    declared: tuple[PostureLine, ...]


async def declare_posture(house: House, request: DeclarePosture) -> PosturesShown:
    """Declare a posture; a release authority signs it.

    Raises:
        Misuse: it has no end or should have none, it ends before it begins, or the actor has not the role.
        Refused: no agreement runs in that relationship.
    """
    name = await speaker(house, request.relationship, request.actor)
    check_role(await house.person(request.actor.handle), request.actor, RELEASE_AUTHORITY)
    before = await house.row(PostureRow, posture_key(request.relationship, house.party)[1])
    body = PostureDeclared(
        posture=request.posture,
        until=request.until,
        reason=request.reason,
        by=name,
        after=before.record if before is not None else bytes(32),
        signature=unsigned(),
    )
    await speak(house, request.relationship, body, request.actor)
    return await show_postures(house, ShowPostures(relationship=request.relationship))


async def show_postures(house: House, request: ShowPostures) -> PosturesShown:
    """What both have declared, and what holds at this instant.

    Raises:
        Refused: no agreement runs in that relationship.
    """
    peer = (await house.agreement_row(request.relationship)).peer
    now = house.now()
    lines: list[PostureLine] = []
    for party in sorted((house.party, peer)):
        row = await house.row(PostureRow, posture_key(request.relationship, party)[1])
        if row is None:
            lines.append(PostureLine(party=party, posture="normal", until=None, at=None, by="", reason="", ended=False))
            continue
        lines.append(
            PostureLine(
                party=party,
                posture=row.posture,
                until=row.until,
                at=row.at,
                by=row.by,
                reason=row.reason,
                ended=row.until is not None and now >= row.until,
            )
        )
    holds = joint(None if each.ended else each.posture for each in lines)
    return PosturesShown(relationship=request.relationship, holds=holds, declared=tuple(lines))
