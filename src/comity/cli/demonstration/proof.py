"""The last scene: evidence for a stranger."""

from __future__ import annotations

from pathlib import Path

from comity.cli.demonstration.cast import House
from comity.cli.demonstration.screen import Screen
from comity.flows.giving import Given


def prove(house: House, given: Given, folder: Path, screen: Screen) -> None:
    """Export the story of the item as one file, verify it offline, and alter one byte."""
    screen.scene("10  Proved to a stranger, offline")
