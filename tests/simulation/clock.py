"""Clocks that run, stall and step back."""

from __future__ import annotations

from datetime import datetime, timedelta


class WorldTime:
    """The time as it really is; only the simulation moves it."""

    def __init__(self, start: datetime) -> None:
        self.now = start

    def move(self, by: timedelta) -> None:
        self.now += by


class ErringClock:
    """The clock of one house: off by something, or standing still.

    Attributes:
        off: how far it is ahead (or behind, below zero).
        stalled: where it stands, while it stands.
    """

    def __init__(self, time: WorldTime) -> None:
        self._time = time
        self.off = timedelta()
        self.stalled: datetime | None = None

    def now(self) -> datetime:
        return self.stalled or self._time.now + self.off

    def stall(self) -> None:
        self.stalled = self.now()

    def heal(self) -> None:
        self.off = timedelta()
        self.stalled = None
