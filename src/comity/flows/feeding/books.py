"""What is said of feeds in records: what was published, and what was received (``spec/feed.md`` steps 8, 15 and 18).

Every second the roots over what was newly published are worked out, beside the event loop; once a minute, while there
is anything new, one record carries the root over them, and the recipient says in one how far it has the feed.
"""

from __future__ import annotations

import asyncio

from comity.errors import ComityError
from comity.feed.batch import root_of
from comity.flows.feeding.feeds import Feeds
from comity.flows.feeding.names import FeedName
from comity.flows.house import House
from comity.flows.keeping.work import Draft, Work
from comity.record.bodies.feeding import FeedOriginals, FeedReceipted
from comity.record.statement import DOMESTIC
from comity.register.rows.feeding import (
    FeedOriginalsRow,
    FeedReceiptRow,
    FeedRow,
    feed_key,
    feed_originals_key,
    feed_receipt_key,
)

LOOK_SECONDS = 1.0
SAY_SECONDS = 60.0
"""How often a record is made, while there is anything new."""
ROOTS_AT_ONCE = 16
"""Batches whose roots are kept with one commit."""
BATCHES_MAX = 1024
"""Most batches whose originals are logged in one record."""


class Books:
    """Keeps the books of the feeds of one house.

    Args:
        house: says the records.
        feeds: what there is to say.

    Attributes:
        errors: of each feed, why something could not be said when it was last tried.
    """

    def __init__(self, house: House, feeds: Feeds) -> None:
        self._house = house
        self._feeds = feeds
        self.errors: dict[FeedName, str] = {}
        self._said_at: dict[FeedName, float] = {}
        self._rooted: dict[FeedName, int] = {}

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            now = asyncio.get_running_loop().time()
            for act, names in (
                (self._log_originals, [each.name for each in self._feeds.open_publishers()]),
                (self._say_receipt, [each.name for each in self._feeds.open_recipients()]),
            ):
                for name in names:
                    try:
                        await act(name, say=now - self._said_at.setdefault(name, now) >= SAY_SECONDS)
                    except ComityError as error:  # the next look tries again
                        self.errors[name] = str(error)

    async def settle(self) -> None:
        """Say now whatever there is to say."""
        for publisher in self._feeds.open_publishers():
            await self._log_originals(publisher.name, say=True)
        for recipient in self._feeds.open_recipients():
            await self._say_receipt(recipient.name, say=True)

    async def _log_originals(self, name: FeedName, *, say: bool) -> None:
        """Work out the roots over what is new, and log them."""
        kept, size = self._feeds.kept(name), (await self._feeds.publisher(name)).size
        logged = await self.logged(name)
        for index in range(max(logged, self._rooted.get(name, 0)), size, ROOTS_AT_ONCE):
            end = min(index + ROOTS_AT_ONCE, size)
            await kept.original_roots(index, end)
            self._rooted[name] = end
        count = min(self._rooted.get(name, 0) - logged, BATCHES_MAX)
        if count <= 0 or not (say or count == BATCHES_MAX):
            return
        root = root_of(await kept.original_roots(logged, logged + count))

        async def log(work: Work) -> None:
            row = await work.need(FeedRow, feed_key(name.relationship, name.publisher, name.feed)[1], "feed")
            body = FeedOriginals(
                relationship=name.relationship,
                feed=name.feed,
                release=row.release,
                batch=logged,
                batches=count,
                root=root,
            )
            await work.say(Draft(DOMESTIC, body))

        await self._house.sequencer.submit(log)
        self._said_at[name] = asyncio.get_running_loop().time()

    async def _say_receipt(self, name: FeedName, *, say: bool) -> None:
        """Say how far the feed of another party is here."""
        if not say:
            return
        state = await self._feeds.shelf(name).read_state()
        key = feed_receipt_key(name.relationship, name.publisher, name.feed)
        row = await self._house.row(FeedReceiptRow, key[1])
        self._said_at[name] = asyncio.get_running_loop().time()
        if state.size <= (0 if row is None else row.batches):
            return
        body = FeedReceipted(feed=name.feed, batches=state.size, messages=state.first, root=state.root)

        async def receipt(work: Work) -> None:
            await work.say(Draft(name.relationship, body))

        await self._house.sequencer.submit(receipt)

    async def logged(self, name: FeedName) -> int:
        """How many batches of a feed of ours are logged."""
        last = await self.logged_with(name, None)
        return 0 if last is None else last[0] + last[1]

    async def logged_with(self, name: FeedName, index: int | None) -> tuple[int, int] | None:
        """The first batch and how many were logged together with one, or last; None where it is not logged."""
        first = feed_originals_key(name.relationship, name.feed, 0)[1]
        before = (
            f"{first.rpartition('/')[0]}0"
            if index is None
            else feed_originals_key(name.relationship, name.feed, index + 1)[1]
        )
        rows = await self._house.store.scan(FeedOriginalsRow.table, first, before, limit=1, newest_first=True)
        if not rows:
            return None
        batch = int(rows[0][0].rpartition("/")[2])
        row = await self._house.need(FeedOriginalsRow, rows[0][0], "log of originals")
        return (batch, row.batches) if index is None or index < batch + row.batches else None
