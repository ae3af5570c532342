"""Who was shown what of a feed, as it was recorded in this house (``spec/feed.md`` step 16)."""

from __future__ import annotations

from datetime import datetime

import msgspec

from comity.flows.actors import Actor
from comity.flows.deciding.visibility import sees_all, viewer
from comity.flows.house import PSEUDONYM_OF, House
from comity.register.rows.feeding import FeedReadRow


class ListReadings(msgspec.Struct, frozen=True, kw_only=True):
    """List who was shown messages of a feed, as ``actor`` may see it; of one message, where ``number`` names it."""

    feed: str
    number: int | None = None
    relationship: str = ""
    actor: Actor | None = None


class ReadingLine(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who was shown messages.

    Attributes:
        relationship, publisher, feed: of what.
        reader: what this house calls him; his pseudonym where his name was erased.
        purpose: what he read it for.
        first: the number of the first message.
        last: of the last.
        messages: how many in between, of those that he asked for.
        decision_record: what let him.
        at: when it was recorded: he had been shown the last of them.
    """

    relationship: str
    publisher: str
    feed: str
    reader: str
    purpose: str
    first: int
    last: int
    messages: int
    decision_record: str
    at: datetime


async def list_readings(house: House, request: ListReadings) -> list[ReadingLine]:
    """Who was shown messages of a feed; somebody who does not see the whole register sees himself.

    Raises:
        Misuse: nobody has the actor's handle.
    """
    person = await viewer(house, request.actor)
    found: list[ReadingLine] = []
    async for key, row in house.rows(FeedReadRow):
        relationship, publisher, feed, _, _ = key.rsplit("/", 4)
        if feed != request.feed or request.relationship not in ("", relationship):
            continue
        if request.number is not None and not row.first <= request.number < row.next:
            continue
        who = await house.side(PSEUDONYM_OF, f"{relationship}/{row.reader}")
        himself = person is not None and house.pseudonym(relationship, person.person) == row.reader
        if not (sees_all(person) or himself):
            continue
        found.append(
            ReadingLine(
                relationship=relationship,
                publisher=publisher,
                feed=feed,
                reader=row.reader if who is None else await house.handle(who.decode()),
                purpose=row.purpose,
                first=row.first,
                last=row.next - 1,
                messages=row.messages,
                decision_record=row.basis.hex(),
                at=row.at,
            )
        )
    return found
