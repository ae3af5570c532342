"""What a planted fault is, and which invariant it breaks."""

from __future__ import annotations

from collections.abc import Callable

from .simulation import Simulation

Plant = Callable[[Simulation], None]
PLANTS: list[tuple[int, Plant]] = []
"""Every fault that is planted, with the number of the invariant that must be named."""


def breaks(number: int) -> Callable[[Plant], Plant]:
    """Plant a fault that breaks the invariant of a number."""

    def planted(plant: Plant) -> Plant:
        PLANTS.append((number, plant))
        return plant

    return planted
