"""Faults at writes that are counted, for tests in which each write fails in turn."""

from __future__ import annotations

from itertools import product

from comity.stores.memory_disk import Fault, WritePoint

FAILS = (Fault.UNKNOWN_LOST, Fault.UNKNOWN_KEPT)
"""Failed and not written; failed, but written. Whoever asked is not told which."""
PAIRS = list(product(FAILS, FAILS))


class Plan:
    """The faults of one run by the number of the write, counted from nought.

    Attributes:
        struck: where they struck.
        count: how many writes there were.
    """

    def __init__(self, *faults: tuple[int, Fault]) -> None:
        self.faults = dict(faults)
        self.struck: list[WritePoint] = []
        self.count = 0

    def __call__(self, point: WritePoint) -> Fault | None:
        fault = self.faults.get(self.count)
        self.count += 1
        if fault is not None:
            self.struck.append(point)
        return fault

    def __str__(self) -> str:
        return f"faults at writes {self.faults}, struck at {self.struck}"
