"""What the demonstration prints."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Sequence

import click

from comity.flows.deciding.explaining import OutcomeTold, ReasonTold

WIDTH = 100
OUTCOMES = {"permit": "green", "needs-consent": "yellow", "forbidden": "red", "no-basis": "red"}
BLOCKING = ("needs", "lacks", "forbids")


class Screen:
    """Prints scenes with the seconds since the curtain rose.

    Attributes:
        names: who is meant by a pseudonym; the programme knows, the nodes of the other side do not.
    """

    def __init__(self) -> None:
        self._start = time.monotonic()
        self.names: dict[str, str] = {}

    def scene(self, title: str) -> None:
        """A new scene."""
        seconds = time.monotonic() - self._start
        click.echo()
        click.secho(f"{title} ".ljust(WIDTH - 8, "─") + f" {seconds:4.1f} s", bold=True)

    def say(self, text: str, indent: int = 2) -> None:
        """A sentence."""
        for line in textwrap.wrap(text, WIDTH - indent):
            click.echo(" " * indent + line)

    def fact(self, name: str, value: str) -> None:
        """A name and a value."""
        first, *rest = textwrap.wrap(value, WIDTH - 24) or [""]
        click.echo(f"  {click.style(name.ljust(22), dim=True)}{first}")
        for line in rest:
            click.echo(" " * 24 + line)

    def told(self, status: str, says: str) -> None:
        """A line of a story with its status in front."""
        first, *rest = textwrap.wrap(self._named(says), WIDTH - 14)
        click.echo(f"    {status} {first}")
        for line in rest:
            click.echo(" " * 14 + line)

    def closing(self) -> None:
        """The curtain."""
        click.echo()
        click.echo(f"Done in {time.monotonic() - self._start:.1f} seconds; both nodes have ended.")

    def banner(self, text: str) -> None:
        """A marking, in a frame."""
        for line in text.splitlines():
            click.echo("    │ " + click.style(line, bold=True))

    def decision(self, told: OutcomeTold) -> None:
        """A decision with its articles."""
        outcome = click.style(told.outcome.upper(), fg=OUTCOMES[told.outcome], bold=True)
        click.echo(f"  {outcome}: {told.means}")
        self._reasons([reason for reason in told.reasons if reason.effect in BLOCKING] or list(told.reasons))

    def refusal(self, what: str, told: OutcomeTold, *, most: int = 3) -> None:
        """What was tried, and the articles that stand against it."""
        click.echo(f"  {click.style('REFUSED', fg='red', bold=True)}  {what}")
        self._reasons([reason for reason in told.reasons if reason.effect in BLOCKING], most)

    def _reasons(self, reasons: Sequence[ReasonTold], most: int = 20) -> None:
        """Reasons that say the same of several clauses share a line."""
        told: dict[tuple[str, str, str], list[str]] = {}
        for reason in reasons:
            told.setdefault((reason.effect, reason.instrument, self._named(reason.says)), []).append(reason.clause)
        for (effect, instrument, says), clauses in list(told.items())[:most]:
            cited = self._cited(instrument, clauses)
            sign = {"holds": "✓", "warns": "!", "notes": "·"}.get(effect, "✗")
            first, *rest = textwrap.wrap(says, WIDTH - 28)
            click.echo(f"      {sign} {cited.ljust(18)} {first}")
            for line in rest:
                click.echo(" " * 27 + line)
        if len(told) > most:
            click.echo(f"        and {len(told) - most} more; 'comity why' shows all")

    def _cited(self, instrument: str, clauses: Sequence[str]) -> str:
        first, last = clauses[0], clauses[-1]
        if not first:
            return "always"
        through = first if first == last else f"{first}-{last.rpartition('.')[2]}"
        return (
            f"Article {through}" if instrument != "comity-house" else f"house rule {through}".replace("two-people", "")
        )

    def _named(self, says: str) -> str:
        for pseudonym, name in self.names.items():
            says = says.replace(pseudonym, name)
        return says
