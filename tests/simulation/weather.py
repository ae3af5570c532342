"""Weather: which faults a world knows, and how often; drawn once per seed."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from comity.stores.memory_disk import Fault

OFTEN = (0.0, 0.0, 0.02, 0.1, 0.3)
"""Shares of steps or messages, from which each kind of fault draws its own; nought for many, to see some alone."""
AT_WRITES = (0.0, 0.0, 0.003, 0.02, 0.06)
"""The same for faults drawn at every write, of which an act has several."""


@dataclass(frozen=True)
class Weather:
    """Shares between 0 and 1; ``slow`` is the most turns of the event loop that a read may take."""

    disk: tuple[tuple[Fault, float], ...]
    full: float
    crash: float
    power: float
    outage: float
    clock: float
    cancelled: float
    slow: int
    drop: float
    repeat: float
    cut: float
    wait: float
    gap: float


CALM = Weather(
    disk=(), full=0, crash=0, power=0, outage=0, clock=0, cancelled=0, slow=0, drop=0, repeat=0, cut=0, wait=0, gap=0
)
"""Nothing fails: houses are founded in it, and come to rest in it."""


STORM = Weather(
    disk=tuple((fault, 0.006) for fault in Fault),
    full=0.005,
    crash=0.01,
    power=0.5,
    outage=0.5,
    clock=0.04,
    cancelled=0.03,
    slow=2,
    drop=0.1,
    repeat=0.1,
    cut=0.05,
    wait=0.1,
    gap=0.1,
)
"""Everything fails, now and then."""


def draw_weather(random: Random) -> Weather:
    """The weather of one world."""

    def share() -> float:
        return random.choice(OFTEN)

    return Weather(
        disk=tuple((fault, random.choice(AT_WRITES)) for fault in Fault),
        full=share() / 5,
        crash=share() / 5,
        power=random.random(),
        outage=random.random(),
        clock=share(),
        cancelled=share() / 2,
        slow=random.choice((0, 1, 3)),
        drop=share(),
        repeat=share(),
        cut=share() / 2,
        wait=share(),
        gap=share(),
    )
