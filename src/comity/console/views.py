"""Feeds as they come, for browsers: a reading that goes on between two looks at a page, and ends when nobody looks.

Rules of this file (``spec/feed.md`` step 20):

- A reading is begun once, decided and recorded as any other; looking at its page again does not begin another.
- It belongs to one session, and ends with it, a minute after its page was looked at last, or when its reader ends it.
- What a page shows is bounded: the newest messages, and the newest of what was told besides.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from contextlib import aclosing, suppress
from datetime import datetime, timedelta

from comity.console.running import Running
from comity.console.sessions import Session
from comity.errors import TOLD, ComityError, InternalError, Unavailable
from comity.feed.histogram import Histogram
from comity.feed.publication import microseconds
from comity.feed.reading import Ended, Event, Message, Standing, Started
from comity.flows.feeding.reading import Follow, Readers
from comity.ports import Clock

MESSAGES_SHOWN = 50
"""The newest messages of a page."""
TOLD_SHOWN = 20
"""The newest of what was told besides messages."""
UNSEEN = timedelta(minutes=1)
"""How long a reading goes on while nobody looks at it."""
VIEWS_OF_ONE_MAX = 4
"""Most readings of one session; beginning another ends the one looked at longest ago."""
BEGIN_SECONDS = 10.0
"""How long a page waits for a reading to begin."""
_log = logging.getLogger("comity.console")


class View:
    """One reading of one session, as far as it has come.

    Attributes:
        request: what is read, and what for.
        started: what its reader sees, once it has begun.
        messages: the newest, with when they came before him.
        told: the newest of everything else.
        counts: everything that was told, by kind.
        latency: how long after its publication each message was here.
        standing: how the feed stands now, once it was told.
        ended: why it is over, where it is.
        looked: when its page was looked at last.
    """

    def __init__(self, session: Session, request: Follow, now: datetime) -> None:
        self.session = session
        self.request = request
        self.started: Started | None = None
        self.messages: deque[Message] = deque(maxlen=MESSAGES_SHOWN)
        self.told: deque[tuple[datetime, Event]] = deque(maxlen=TOLD_SHOWN)
        self.counts: Counter[str] = Counter()
        self.latency = Histogram()
        self.standing: Standing | None = None
        self.ended: Ended | ComityError | None = None
        self.looked = now
        self.ready = asyncio.Event()
        self.task: asyncio.Task[None]

    def take(self, event: Event, now: datetime) -> None:
        """One event."""
        self.counts[str(type(event).__struct_config__.tag)] += 1
        if isinstance(event, Message):
            self.messages.append(event)
            if event.arrived is not None:
                self.latency.observe_since(microseconds(event.arrived), [microseconds(event.published)])
        elif isinstance(event, Started):
            self.started = event
        else:
            if isinstance(event, Standing):
                self.standing = event
            elif isinstance(event, Ended):
                self.ended = event
            self.told.append((now, event))


class Views:
    """Every reading that browsers hold open.

    Args:
        readers: by which feeds are read here.
        clock: wall-clock time.
    """

    def __init__(self, readers: Readers, clock: Clock) -> None:
        self.readers = readers
        self._clock = clock
        self._open: list[View] = []
        self._running = Running()
        self._next: asyncio.TimerHandle | None = None

    async def begin(self, session: Session, request: Follow) -> View:
        """Begin to read, in place of what this session read of the feed before.

        Raises:
            Refused: it may not be read; the decision is recorded.
            Misuse: there is no such feed for whoever asks.
            Unavailable: it did not begin in time, or too many read.
        """
        before = self.look(session, request.relationship, request.feed)
        mine = [each for each in self._open if each.session is session and each is not before]
        if len(mine) >= VIEWS_OF_ONE_MAX:
            await self.end(min(mine, key=lambda each: each.looked))
        if before is not None:
            await self.end(before)
        view = View(session, request, self._clock.now())
        view.task = self._running.begin(self._read(view), f"view of {request.feed}")
        self._open.append(view)
        try:
            await asyncio.wait_for(view.ready.wait(), BEGIN_SECONDS)
        except TimeoutError:
            await self.end(view)
            raise Unavailable("the reading did not begin in time; try again", code="slow-reading") from None
        if isinstance(view.ended, ComityError):
            self._forget(view)
            raise view.ended
        self._sweep()
        return view

    def look(self, session: Session, relationship: str, feed: str) -> View | None:
        """Look at what a session reads of a feed; None where it does not."""
        for view in self._open:
            if view.session is session and (view.request.relationship, view.request.feed) == (relationship, feed):
                view.looked = self._clock.now()
                return view
        return None

    async def end(self, view: View) -> None:
        """End a reading; what its reader was shown is recorded."""
        self._forget(view)
        with suppress(asyncio.CancelledError):
            await view.task

    def end_of(self, session: Session) -> None:
        """End what was read in a session that is over."""
        for view in [each for each in self._open if each.session is session]:
            self._forget(view)

    async def close(self) -> None:
        """End every reading; what its reader was shown is recorded."""
        self._open.clear()
        await self._running.close()
        if self._next is not None:
            self._next.cancel()

    def _forget(self, view: View) -> None:
        """Hold a reading no longer, and let it end; it may have been let go of meanwhile."""
        view.task.cancel()
        if view in self._open:
            self._open.remove(view)

    def _sweep(self) -> None:
        """End what nobody has looked at for a minute; look again when the next one may be due."""
        if self._next is not None:
            self._next.cancel()
            self._next = None
        now = self._clock.now()
        for view in [each for each in self._open if now - each.looked >= UNSEEN]:
            self._forget(view)
        if self._open:
            due = min(each.looked for each in self._open) + UNSEEN - now
            self._next = asyncio.get_running_loop().call_later(due.total_seconds() + 1, self._sweep)

    async def _read(self, view: View) -> None:
        try:
            async with aclosing(self.readers.follow(view.request)) as told:
                async for events in told:
                    for event in events:
                        view.take(event, self._clock.now())
                    view.ready.set()
        except TOLD as error:
            view.ended = error
        except Exception:  # noqa: BLE001 - its page says that it failed; the log has the rest
            _log.exception("a reading failed inside")
            view.ended = InternalError("this reading failed; the log of the node says why", code="internal")
        finally:
            view.ready.set()
