"""The last scene: evidence for a stranger, and what to type next."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import click

from comity.cli.demonstration.cast import House
from comity.cli.demonstration.screen import Screen
from comity.errors import Rejected
from comity.evidence.story import Verified
from comity.evidence.verify import verify
from comity.evidence.wording import line_wording
from comity.flows.actors import Actor
from comity.flows.giving.release import Given
from comity.flows.looking.evidence import EvidenceExported, ExportEvidence
from comity.timezones import time_zones

PEOPLE = ("person/1", "directory/1")
"""Lines of the story that introduce somebody; the demonstration has done so already."""


def prove(house: House, other: House, given: Given, folder: Path, screen: Screen) -> None:
    """Export the story of the item as one file, verify it offline, and alter one byte."""
    screen.scene("11  Proved to a stranger, offline")
    path = folder / "item.evidence"
    exported: EvidenceExported = house.ask(
        ExportEvidence(item=given.item, path=str(path), actor=Actor("sato"), withhold=("openings",))
    )
    screen.say(
        f"Exporting is decided too ({exported.outcome}). One file, {exported.size:,} bytes: {exported.shown} records "
        f"shown, {exported.withheld} as salted digests. Verified with no node and no network:"
    )
    trusted = [bytes.fromhex(each.card().fingerprint) for each in (house, other)]
    data = path.read_bytes()
    verified = verify(data, trusted, time_zones())
    _story(verified, screen)
    altered = bytearray(data)
    altered[len(altered) // 2] ^= 1
    try:
        verify(bytes(altered), trusted, time_zones())
    except Rejected as error:
        screen.say(f"One bit of the file is changed: {error}.")
    else:
        raise Rejected("an altered evidence file was believed", code="demonstration")


def _story(verified: Verified, screen: Screen) -> None:
    for line in verified.lines:
        if line.code in PEOPLE:
            continue
        colour = "green" if line.status == "proved" else "yellow"
        says = re.sub(r"\b([0-9a-f]{16})[0-9a-f]{48}\b", r"\1…", line_wording(line))
        screen.told(click.style(line.status.ljust(9), fg=colour), says)


def what_next(screen: Screen, kept: Path | None) -> None:
    """How to go on."""
    click.echo()
    click.secho("What to type next", bold=True)
    lines = [] if shutil.which("comity") else [(". .venv/bin/activate", "so that the shell finds 'comity'")]
    if kept is None:
        lines.append(("comity demo --keep here", "keep both data folders, to look around in"))
    else:
        lines.append((f"comity --folder {kept}/jp outbox", "Tokyo's side"))
        lines.append((f"comity --folder {kept}/kr ledger verify", "Seoul's books, checked"))
    lines += [
        ("comity demo --console", "both nodes in a browser, in three languages, with sample sign-ins"),
        ("comity agreement status jp-kr-2016 --at 2019-11-23", "the agreement on any date, by each reading"),
        ("comity agreement timeline jp-kr-2016", "its whole history, with sources"),
        ("comity seal -h", "any file, any age recipient, no node needed"),
        ("make test", "everything that was claimed here, checked"),
    ]
    for command, what in lines:
        click.echo(f"  {command:<52}  {click.style(what, dim=True)}")
    screen.closing()
