"""Pace: how much somebody may ask, so that one person leaves room for the others (``spec/console.md`` step 22)."""

from __future__ import annotations

from math import ceil

from comity.errors import Unavailable
from comity.ports import Clock


class TooMany(Unavailable):
    """More was asked than anybody reads; it was not looked at.

    Attributes:
        seconds: after how many there is room again.
    """

    def __init__(self, seconds: int) -> None:
        super().__init__(
            "too many pages are asked for in your name at once; wait a few seconds, then open this one again",
            code="quota",
        )
        self.seconds = seconds


class Pace:
    """What is left to each, of so many a second and some at once.

    Args:
        clock: wall-clock time; where it goes back, nothing is given for that.
        rate: how many a second.
        burst: how many at once.
    """

    def __init__(self, clock: Clock, rate: float, burst: int) -> None:
        self._clock = clock
        self._rate = rate
        self._burst = burst
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, key: str) -> int:
        """Take one; 0 where there was one, else how many seconds until there is."""
        now = self._clock.now().timestamp()
        left, at = self._left.get(key, (float(self._burst), now))
        left = min(float(self._burst), left + max(now - at, 0.0) * self._rate)
        if left < 1:
            return max(1, ceil((1 - left) / self._rate))
        self._left[key] = (left - 1, now)
        return 0
