"""Delays: after some failures the next try waits, longer with each, up to a minute (``spec/console.md`` step 17)."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from comity.errors import Unavailable
from comity.ports import Clock

LINES_MAX = 10_000
LONGEST_SECONDS = 60
FORGOTTEN = timedelta(minutes=15)
"""Without another failure for so long, the ones before do not count any more."""


class TooSoon(Unavailable):
    """A try that came too soon; it was not looked at.

    Attributes:
        seconds: after how many the next one is.
    """

    def __init__(self, seconds: int) -> None:
        super().__init__(f"too many tries have failed; wait {seconds} seconds before the next", code="too-soon")
        self.seconds = seconds


@dataclass
class _Line:
    """How many tries failed, when the last of them was made, and when the one before."""

    failures: int
    last: datetime
    before: datetime


class Delays:
    """How often tries have failed, by whose they are; of one kind: handles, or addresses.

    Args:
        clock: wall-clock time.
        free: how many may fail before anybody waits.
    """

    def __init__(self, clock: Clock, free: int) -> None:
        self._clock = clock
        self._free = free
        self._lines: OrderedDict[str, _Line] = OrderedDict()

    def check(self, key: str) -> None:
        """Check that a try may be made now.

        Raises:
            TooSoon: it may not.
        """
        line = self._line(key)
        if line is None or line.failures < self._free:
            return
        wait = timedelta(seconds=min(2 ** min(line.failures - self._free, 10), LONGEST_SECONDS))
        left = (line.last + wait - self._clock.now()).total_seconds()
        if left > 0:
            raise TooSoon(ceil(left))

    def failed(self, key: str) -> None:
        """Count a try as failed. It is counted before it is made, so that many at once are not all free."""
        now = self._clock.now()
        line = self._line(key) or _Line(0, now, now)
        self._lines[key] = _Line(line.failures + 1, now, line.last)
        self._lines.move_to_end(key)
        while len(self._lines) > LINES_MAX:
            self._lines.popitem(last=False)

    def succeeded(self, key: str) -> None:
        """Forget what failed before."""
        self._lines.pop(key, None)

    def taken_back(self, key: str) -> None:
        """Count one failure less: the try that was counted for it did not fail."""
        if (line := self._lines.get(key)) is not None:
            line.failures -= 1
            line.last = line.before

    def _line(self, key: str) -> _Line | None:
        line = self._lines.get(key)
        if line is not None and self._clock.now() - line.last > FORGOTTEN:
            del self._lines[key]
            return None
        return line
