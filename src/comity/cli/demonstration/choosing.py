"""Which message is proved at the end: whoever looks on chooses; who says nothing gets the newest that was cut."""

from __future__ import annotations

import select
import sys
import time
from collections.abc import Collection

import click

PATIENCE_SECONDS = 30.0
"""How long the choice waits for whoever has gone for coffee."""


def choose(numbers: Collection[int], default: int, wanted: int | None = None) -> int:
    """The number of the message to prove.

    Args:
        numbers: those that crossed.
        default: where nothing is said: at once without a terminal, after a while at one.
        wanted: what was named beforehand.
    """
    if wanted is not None:
        if wanted in numbers:
            return wanted
        click.echo(f"  There is no message {wanted}; those that crossed are {_span(numbers)}.")
        return default
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return default
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        question = (
            f"  Which message is to be proved, {_span(numbers)}? Enter takes {default}, the newest that was cut: "
        )
        click.secho(question, bold=True, nl=False)
        sys.stdout.flush()
        if not select.select([sys.stdin], [], [], max(0.0, until - time.monotonic()))[0]:
            click.echo(str(default))
            return default
        said = sys.stdin.readline().strip()
        if not said:
            return default
        if said.isascii() and said.isdigit() and len(said) < 19 and int(said) in numbers:
            return int(said)
        click.echo("  That is none of them.")


def _span(numbers: Collection[int]) -> str:
    return f"{min(numbers)} to {max(numbers)}"
