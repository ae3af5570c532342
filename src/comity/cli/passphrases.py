"""Asking for a passphrase: on a terminal, where what is typed is never shown, and never from a pipe.

Only the passphrase of a house's keys may come from elsewhere, too: a node starts with nobody beside it.
"""

from __future__ import annotations

import sys
import warnings
from getpass import GetPassWarning, getpass
from pathlib import Path

from comity.errors import Misuse


def ask(what: str, *, twice: bool = False) -> str:
    """(28) A passphrase; ``twice`` makes sure that it was typed as meant.

    Raises:
        Misuse: there is no terminal, or the two differ.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", GetPassWarning)
        try:
            passphrase = getpass(f"{what}: ")
            again = getpass(f"{what} again: ") if twice else passphrase
        except (GetPassWarning, EOFError):
            raise Misuse("a passphrase is asked for on a terminal, and there is none", code="no-terminal") from None
    if passphrase != again:
        raise Misuse("the two passphrases differ; nothing was done", code="passphrases-differ")
    return passphrase


def unlocking(folder: Path, file: Path | None = None) -> str:
    """The passphrase of the keys in ``folder``: from ``file`` or the environment, else asked for on a terminal.

    Raises:
        Unavailable: it is nowhere, and there is no terminal.
        ComityError: as ``node.passphrase.at_hand``.
    """
    from comity.node.passphrase import at_hand, required

    found = at_hand(file)
    if found is None and sys.stdin.isatty():
        found = ask(f"Passphrase of the keys in {folder}")
    return found or required()


def choosing(what: str, file: Path | None) -> str:
    """A new passphrase for keys: from ``file`` or the environment, else typed twice on a terminal; else empty.

    Raises:
        Misuse: the two that were typed differ.
        ComityError: as ``node.passphrase.at_hand``.
    """
    from comity.node.passphrase import at_hand

    found = at_hand(file)
    if found is None and sys.stdin.isatty():
        found = ask(what, twice=True)
    return found or ""


def another_passphrase(file: Path | None) -> str:
    """The passphrase that follows another: from ``file``, else typed twice on a terminal.

    Raises:
        Misuse: there is no terminal, or the two that were typed differ.
        ComityError: as ``node.passphrase.at_hand``.
    """
    from comity.node.passphrase import at_hand

    return (at_hand(file) if file else None) or ask("New passphrase for the keys", twice=True)
