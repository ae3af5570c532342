"""Requests to publish: what became of each message of one, and when all of it is durable (``spec/feed.md`` step 15)."""

from __future__ import annotations

import asyncio
from collections import Counter

from msgspec import Struct

REFUSALS_TOLD = 100
"""Most refusals of one request that are told one by one; all are counted."""
SENTENCES = {
    "not-released": "nothing of its type crosses now",
    "rate": "more messages of its type in a second than may cross",
    "bad-field": "an instant lies outside the years 1 to 9999 of UTC",
    "too-many-sources": "more sources than one epoch numbers; the next one begins within the hour",
}
"""What is said of messages that are in order and do not cross."""


class RefusedMessage(Struct, frozen=True):
    """A message that was not taken: its place in the request, the code of the reason, a sentence."""

    place: int
    code: str
    sentence: str


class Published(Struct, frozen=True, kw_only=True):
    """What became of the messages of one request; it is durable.

    Attributes:
        accepted: how many were taken.
        repeated: how many had been taken before, from the same source under the same number.
        refused: how many were not taken, by the code of the reason.
        told: the first of those, each by itself.
    """

    accepted: int
    repeated: int = 0
    refused: dict[str, int]
    told: tuple[RefusedMessage, ...] = ()


class Call:
    """A request under way.

    Attributes:
        source, request: who publishes and the number of the request, where they are numbered.
        done: set when everything of it is durable, or why nothing is known.
        read: how many of its messages were looked at.
        taken: up to which of them all are done with: sealed, waiting, or refused.
        settled: with how many of them it is durable what became of them.
        whole: whether all were looked at.
    """

    def __init__(self, source: str, request: int, skip: int) -> None:
        self.source = source
        self.request = request
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.read = self.taken = self.settled = self.skipped = skip
        self.whole = False
        self._refused: Counter[str] = Counter()
        self._told: list[RefusedMessage] = []

    def refuse(self, place: int, code: str, sentence: str) -> None:
        """A message of it is not taken."""
        self._refused[code] += 1
        if len(self._told) < REFUSALS_TOLD:
            self._told.append(RefusedMessage(place, code, sentence[:200]))

    def settle(self, count: int) -> None:
        """Of so many more it is durable what became of them."""
        self.settled += count
        if self.whole and self.settled == self.read and not self.done.done():
            self.done.set_result(None)

    def fail(self, error: Exception) -> None:
        """Nothing is known of what is not settled."""
        if not self.done.done():
            self.done.set_exception(error)
            self.done.exception()  # whoever publishes may have gone

    def published(self) -> Published:
        """What became of it."""
        accepted = self.settled - self.skipped - self._refused.total()
        return Published(accepted=accepted, repeated=self.skipped, refused=dict(self._refused), told=tuple(self._told))
