"""Ending a standing release, at once and by either side (``spec/feed.md`` step 6)."""

from __future__ import annotations

import msgspec

from comity.flows.actors import Actor
from comity.flows.deciding.visibility import check_role
from comity.flows.feeding.listing import no_release, sees_feed
from comity.flows.house import House
from comity.flows.speaking import speak, speaker
from comity.record.bodies.feeding import FeedEnded
from comity.record.person_act import unsigned
from comity.register.feeding import ENDS_IT
from comity.register.rows.feeding import FeedReleaseRow


class EndFeed(msgspec.Struct, frozen=True, kw_only=True):
    """End a standing release, ours or the other party's, and say why."""

    release: str
    relationship: str
    reason: str
    actor: Actor


class FeedEndShown(msgspec.Struct, frozen=True, kw_only=True):
    """That a release has ended, from when on."""

    release: str
    feed: str
    relationship: str
    at: str
    record: str


async def end_feed(house: House, request: EndFeed) -> FeedEndShown:
    """End a standing release; from the record on nothing crosses under it. One person is enough.

    Raises:
        Misuse: no such release, this house has ended it already, or the actor has none of the roles.
        Refused: no agreement runs in that relationship.
    """
    name = await speaker(house, request.relationship, request.actor)
    person = await house.person(request.actor.handle)
    check_role(person, request.actor, *ENDS_IT)
    row = await house.row(FeedReleaseRow, f"{request.relationship}/{request.release}")
    if row is None or not await sees_feed(house, request.relationship, row, person):
        raise no_release(request.release)
    body = FeedEnded(release=row.release, reason=request.reason, by=name, after=row.record, signature=unsigned())
    record = await speak(house, request.relationship, body, request.actor)
    return FeedEndShown(
        release=row.release,
        feed=row.feed,
        relationship=request.relationship,
        at=f"{record.statement.at:%Y-%m-%dT%H:%M:%S.%fZ}",
        record=record.id.hex(),
    )
