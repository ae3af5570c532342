"""Ending a standing release, at once and by either side (``spec/feed.md`` step 6)."""

from __future__ import annotations

import msgspec

from comity.flows.actors import Actor
from comity.flows.deciding.visibility import check_role
from comity.flows.feeding.listing import find_release
from comity.flows.feeding.originators import relay_end
from comity.flows.house import House
from comity.flows.keeping.work import Draft, Work
from comity.flows.speaking import speaker
from comity.record.bodies.feeding import FeedEnded
from comity.record.person_act import unsigned
from comity.record.statement import Record
from comity.register.feeding import ENDS_IT


class EndFeed(msgspec.Struct, frozen=True, kw_only=True):
    """End a standing release, ours or the other party's, and say why; ``relationship`` where it is known."""

    release: str
    reason: str
    actor: Actor
    relationship: str | None = None


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
    person = await house.person(request.actor.handle)
    check_role(person, request.actor, *ENDS_IT)
    relationship, row = await find_release(house, request.release, person, request.relationship)
    name = await speaker(house, relationship, request.actor)
    body = FeedEnded(release=row.release, reason=request.reason, by=name, after=row.record, signature=unsigned())
    signed = await house.sign(body, relationship, request.actor, name)

    async def say(work: Work) -> Record:
        record = await work.say(Draft(relationship, signed, person.function))
        await relay_end(house, work, record)
        return record

    record = await house.sequencer.submit(say)
    return FeedEndShown(
        release=row.release,
        feed=row.feed,
        relationship=relationship,
        at=f"{record.statement.at:%Y-%m-%dT%H:%M:%S.%fZ}",
        record=record.id.hex(),
    )
