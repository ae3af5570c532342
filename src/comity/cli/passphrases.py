"""Asking for a passphrase, on a terminal and nowhere else: what is typed is never shown, and never read from a pipe."""

from __future__ import annotations

import warnings
from getpass import GetPassWarning, getpass

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
