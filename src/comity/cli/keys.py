"""``comity keys``: the private keys of this house."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from comity.cli.options import Desk, Verbs, housed
from comity.cli.output import Output

if TYPE_CHECKING:
    from comity.node.keys import KeysShown
    from comity.ports import KeyFacts

LOCK_THEM = ("comity keys lock", "seal them to a passphrase")


@click.group(cls=Verbs)
def keys() -> None:
    """See, lock, split and replace the private keys of this house."""


@keys.command("list")
@housed
def list_(desk: Desk) -> None:
    """List every key: what it is for, when it was made, where it lies, whether it is locked.

    Example:
      comity keys list
    """
    from comity.node.keys import list_keys

    desk.session.check()
    desk.show(list_keys(desk.session.folder), _tell_keys)


@keys.command()
@click.argument("name")
@housed
def show(desk: Desk, name: str) -> None:
    """Show one key with its whole fingerprint and its public half.

    Example:
      comity keys show record
    """
    from comity.node.keys import show_key

    desk.session.check()
    desk.show(show_key(desk.session.folder, name), _tell_key)


def _tell_keys(out: Output, shown: KeysShown) -> None:
    rows = [(key.name, key.created[:10], key.fingerprint[:19], _state(key), key.does) for key in shown.keys]
    out.table(("key", "made", "fingerprint", "state", "what it does"), rows)
    if shown.open:
        out.gap()
        warn_open(out, shown.open)
        out.next(LOCK_THEM)


def warn_open(out: Output, names: list[str]) -> None:
    """(9) Say clearly that keys lie open."""
    out.text(
        f"{len(names)} keys lie open on this disk: whoever reads the disk, or a copy of it, has them.", style="warn"
    )


def _state(key: KeyFacts) -> str:
    return "away" if not key.here else "locked" if key.locked else "open"


def _tell_key(out: Output, key: KeyFacts) -> None:
    out.line((key.name, "strong"), f"  {key.does}")
    out.fields(
        [
            ("made", key.created),
            ("fingerprint", key.fingerprint),
            ("public half", key.public),
            ("state", _state(key)),
            ("where", key.place),
        ]
    )
    if key.here and not key.locked:
        out.next(LOCK_THEM)
