"""``comity keys``: the private keys of this house."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from comity.cli.ceremony import ceremony
from comity.cli.custodians import bundle, passphrase_option, recover, split
from comity.cli.founding import OPEN_MEANS
from comity.cli.instants import told_instant
from comity.cli.key_changes import card, compromised, destroy_epoch, revoke, rotate
from comity.cli.options import Desk, Verbs, housed
from comity.cli.output import Output
from comity.cli.passphrases import another_passphrase, choosing, unlocking
from comity.cli.tokens import token
from comity.errors import Misuse

if TYPE_CHECKING:
    from comity.node.keys import KeysShown, Recovery
    from comity.ports import KeyFacts

LOCK_THEM = ("comity keys lock", "seal them to a passphrase")


@click.group(cls=Verbs)
def keys() -> None:
    """See, lock, split and replace the private keys of this house."""


keys.add_command(split)
keys.add_command(bundle)
keys.add_command(recover)
keys.add_command(token)
keys.add_command(ceremony)
for verb in (card, rotate, revoke, compromised, destroy_epoch):
    keys.add_command(verb)


@keys.command("list")
@housed
def list_(desk: Desk) -> None:
    """List every key: what it is for, when it was made, where it lies, whether it is locked.

    Example:
      comity keys list
    """
    from comity.node.keys import list_standing

    desk.session.check(witness=True)
    desk.show(list_standing(desk.session.folder), _tell_keys)


@keys.command()
@click.argument("name")
@housed
def show(desk: Desk, name: str) -> None:
    """Show one key with its whole fingerprint and its public half.

    Example:
      comity keys show record
    """
    from comity.node.keys import show_key

    desk.session.check(witness=True)
    desk.show(show_key(desk.session.folder, name), _tell_key)


@keys.command()
@passphrase_option
@housed
def lock(desk: Desk, passphrase_file: Path | None) -> None:
    """Lock the keys with a passphrase: from then on the disk alone is worth nothing to who copies it.

    No node may run meanwhile. A root key that is here is locked, too, and so are the keys of a witness that the node
    serves, the tokens of sources and the secret of the alarm. --folder may name the folder of a witness by itself.

    Example:
      comity keys lock
    """
    from comity.node.keys import lock as lock_them

    desk.session.check(witness=True)
    passphrase = choosing("Passphrase for the keys", passphrase_file)
    if not passphrase:
        raise Misuse("no passphrase is at hand; name a file, or type it at a terminal", code="no-passphrase")
    desk.show(lock_them(desk.session.folder, passphrase), _tell_locked)


@keys.command()
@passphrase_option
@housed
def unlock(desk: Desk, passphrase_file: Path | None) -> None:
    """Take the lock away: the keys lie open afterwards.

    Example:
      comity keys unlock
    """
    from comity.node.keys import unlock as unlock_them

    folder = desk.session.folder
    desk.session.check(witness=True)
    desk.show(unlock_them(folder, lambda: unlocking(folder, passphrase_file)), _tell_unlocked)


@keys.command()
@passphrase_option
@click.option(
    "--new-passphrase-file",
    type=click.Path(path_type=Path),
    help="The new passphrase is the first line of this file; else a terminal is asked.",
)
@housed
def passphrase(desk: Desk, passphrase_file: Path | None, new_passphrase_file: Path | None) -> None:
    """Put the lock under another passphrase. The keys stay the same.

    Whoever has copied the folder and knows the old passphrase has the keys: then replace them.

    Example:
      comity keys passphrase
    """
    from comity.node.keys import change_passphrase

    folder = desk.session.folder
    desk.session.check(witness=True)
    shown = change_passphrase(
        folder, lambda: unlocking(folder, passphrase_file), lambda: another_passphrase(new_passphrase_file)
    )
    desk.show(shown, _tell_changed)


def _tell_locked(out: Output, shown: KeysShown) -> None:
    out.line("the keys are locked")
    if shown.root_away:
        out.text("The root key is away, and stays as it is.", style="warn")
    if shown.open:
        out.text(f"What settings name elsewhere stays as it is: {', '.join(shown.open)}.", style="warn")
    out.text("What lay open may still be in backups, in snapshots and in worn-out cells of the disk.")
    out.next(
        ("comity node run --passphrase-file FILE", "start a node that nobody sits beside"),
        ("comity keys split --help", "so that a forgotten passphrase is not the end of the house"),
    )


def _tell_unlocked(out: Output, shown: KeysShown) -> None:
    out.line("the lock is taken away")
    if shown.root_away:
        out.text("The root key is away, and stays locked under the passphrase it left with.", style="warn")
    warn_open(out, shown.open)


def _tell_changed(out: Output, shown: KeysShown) -> None:
    out.line("the lock is under another passphrase now")
    if shown.root_away:
        out.text("The root key is away; the copy of the lock beside it is under the old passphrase.", style="warn")


def _tell_keys(out: Output, shown: KeysShown) -> None:
    rows = [
        (key.name, key.created[:10], key.fingerprint[:19], f"{_state(key)}{_standing(key)}", key.does)
        for key in shown.keys
    ]
    out.table(("key", "made", "fingerprint", "state", "what it does"), rows)
    if shown.open:
        out.gap()
        warn_open(out, shown.open)
    if shown.recovery is not None:
        out.gap()
        _tell_recovery(out, shown.recovery)
    if shown.open:
        out.next(LOCK_THEM)


def _tell_recovery(out: Output, recovery: Recovery) -> None:
    shares = f"{recovery.threshold} of {recovery.custodians}"
    out.line(f"any {shares} custodians bring the keys back (shared out {recovery.created[:10]})")
    if not recovery.current:
        out.text("Keys have changed since the bundle was sealed: 'comity keys bundle' seals it again.", style="warn")


def warn_open(out: Output, names: list[str]) -> None:
    """(9) Say clearly that keys lie open."""
    out.text(f"{len(names)} keys lie open: {OPEN_MEANS}", style="warn")


def _state(key: KeyFacts) -> str:
    if key.token:
        return "token" if key.locked else "token, PIN open"
    return "away" if not key.here else "locked" if key.locked else "open"


def _standing(key: KeyFacts) -> str:
    """What the card says of a key that is not the present one."""
    if key.since is not None:
        return f", revoked since {told_instant(key.since)}"
    if key.until is not None:
        return f", {key.standing} until {told_instant(key.until)}"
    return ", former" if key.standing == "former" else ""


def _tell_key(out: Output, key: KeyFacts) -> None:
    out.line((key.name, "strong"), f"  {key.does}")
    out.fields(
        [
            ("made", key.created),
            ("fingerprint", key.fingerprint),
            ("public half", key.public),
            ("state", f"{_state(key)}{_standing(key)}"),
            ("where", key.place),
        ]
    )
    if key.here and not key.locked:
        out.next(LOCK_THEM)
