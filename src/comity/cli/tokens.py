"""``comity keys token``, and the options by which keys are born on a token."""

from __future__ import annotations

from pathlib import Path

import click

from comity.cli.custodians import passphrase_option
from comity.cli.options import Command, Desk, Verb, housed
from comity.cli.output import Output
from comity.cli.passphrases import ask, unlocking
from comity.ports import KeyFacts, TokenHome


def token_options(command: Command) -> Command:
    """Which token, and its PIN."""
    for option in (
        click.option(
            "--pin-file", type=click.Path(path_type=Path), help="The PIN is its first line; else a terminal is asked."
        ),
        click.option("--token", "label", metavar="LABEL", help="The label that the token was given."),
        click.option("--module", type=click.Path(path_type=Path), help="The PKCS#11 library that speaks to the token."),
    ):
        command = option(command)
    return command


@click.command(cls=Verb)
@click.argument("key", metavar="KEY")
@token_options
@passphrase_option
@housed
def token(
    desk: Desk, key: str, module: Path | None, label: str | None, pin_file: Path | None, passphrase_file: Path | None
) -> None:
    """Put a key that signs on a token: root, record, log, witness or transport. Its file is removed.

    The key is the same. What lay in a file before may have been copied: a key that was born on the token has not, and
    the next one that 'comity keys rotate' makes is.

    Example:
      comity keys token record --module /usr/lib/softhsm/libsofthsm2.so --token tokyo
    """
    from comity.node.keys import put_on_token

    if module is None or label is None:
        raise click.UsageError("name the token: --module FILE --token LABEL")
    folder = desk.session.folder
    desk.session.check()
    home = token_home(module, label, pin_file)
    moved = put_on_token(folder, key, home, lambda: unlocking(folder, passphrase_file))
    desk.show(moved, _tell_moved)


def token_home(module: Path, label: str, pin_file: Path | None) -> TokenHome:
    """The token that was named, with its PIN from a file or the terminal.

    Raises:
        Misuse: there is no terminal to ask.
        ComityError: as ``node.passphrase.first_line``.
    """
    from comity.node.passphrase import first_line

    pin = first_line(pin_file) if pin_file else ask(f"PIN of the token {label}")
    return TokenHome(module=str(module), token=label, pin=pin)


def _tell_moved(out: Output, key: KeyFacts) -> None:
    out.line("the key ", (key.name, "strong"), f" lives on the token {key.token} now; its file is gone")
    if not key.locked:
        out.text(
            "The PIN lies open: whoever has this disk and the token signs. 'comity keys lock' seals it.",
            style="warn",
        )
    out.next(("comity keys list", "what lives where"))
