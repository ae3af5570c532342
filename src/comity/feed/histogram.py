"""Histograms of seconds, as OpenMetrics has them (``spec/feed.md`` step 19; pure)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

BOUNDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 60.0, 600.0, 3600.0)
"""Upper bounds of the buckets, in seconds; what is above the last is in one of its own."""
_MICROSECONDS = tuple(round(each * 1_000_000) for each in BOUNDS)


class Histogram:
    """How many of what was measured lay up to each bound.

    Attributes:
        counts: one for each of ``BOUNDS``, and one for what lies above.
        sum: of all that was measured, in microseconds.
    """

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.sum = 0

    def observe_since(self, now: int, instants: Sequence[int]) -> None:
        """How long before ``now`` each instant was, in microseconds; a clock that was set back makes none negative."""
        passed = sorted([max(0, now - each) for each in instants])
        if not passed:
            return
        if passed[0] == passed[-1]:
            self.counts[bisect_left(_MICROSECONDS, passed[0])] += len(passed)
        else:
            for each in passed:
                self.counts[bisect_left(_MICROSECONDS, each)] += 1
        self.sum += sum(passed)
