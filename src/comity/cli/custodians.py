"""``comity keys split``, ``bundle`` and ``recover``: the keys in the hands of several people."""

from __future__ import annotations

import sys
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from comity.cli.files import read_file
from comity.cli.options import Desk, Verb, housed
from comity.cli.output import Output
from comity.cli.passphrases import choosing, unlocking
from comity.errors import Misuse

if TYPE_CHECKING:
    from comity.node.custodians import Recovered, Split
    from comity.seal.recipients import Recipient

SHARE_BYTES_MAX = 64 * 1024
BUNDLE_BYTES_MAX = 64 * 1024 * 1024

passphrase_option = click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path),
    help="The passphrase is the first line of this file; else the environment or a terminal is asked.",
)


@click.command(cls=Verb)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="A new folder for bundle and shares.")
@click.option("--threshold", required=True, type=int, metavar="K", help="How many shares bring the keys back.")
@click.option("--custodians", type=int, metavar="N", help="How many shares, in words on paper.")
@click.option(
    "-r", "--recipient", "named", multiple=True, metavar="RECIPIENT", help="A custodian's age recipient; repeat it."
)
@click.option(
    "-R", "--recipients-file", "files", multiple=True, type=click.Path(path_type=Path), help="Recipients, one a line."
)
@passphrase_option
@housed
def split(
    desk: Desk,
    out: Path,
    threshold: int,
    custodians: int | None,
    named: tuple[str, ...],
    files: tuple[Path, ...],
    passphrase_file: Path | None,
) -> None:
    """Share the keys out: any K of N custodians bring them back, fewer learn nothing.

    All keys are sealed to a recovery key; of that key each custodian gets a share, sealed to his own age recipient or
    in words to be printed. No node may run meanwhile.

    Example:
      comity keys split --threshold 2 --custodians 3 --out shares
      comity keys split --threshold 2 -R custodians.txt --out shares
    """
    from comity.node.custodians import split_keys

    recipients = _recipients(named, files)
    if bool(recipients) == (custodians is not None and not recipients):
        raise click.UsageError("name the custodians' recipients with -r or -R, or their number with --custodians")
    if recipients and custodians not in {None, len(recipients)}:
        raise click.UsageError(f"{custodians} custodians, and {len(recipients)} recipients; give one of the two")
    folder = desk.session.folder
    desk.session.check()
    made = split_keys(folder, out, threshold, recipients or custodians or 0, lambda: unlocking(folder, passphrase_file))
    desk.show(made, _tell_split)


@click.command(cls=Verb)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="A new file.")
@passphrase_option
@housed
def bundle(desk: Desk, out: Path, passphrase_file: Path | None) -> None:
    """Seal the keys that there are now to the recovery key again; the custodians keep their shares.

    Example:
      comity keys bundle --out keys-2026-12.age
    """
    from comity.node.custodians import seal_again

    folder = desk.session.folder
    desk.session.check()
    desk.show(seal_again(folder, out, lambda: unlocking(folder, passphrase_file)), _tell_bundle)


@click.command(cls=Verb)
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--share", "shares", multiple=True, type=click.Path(path_type=Path), help="A share's words; repeat it.")
@click.option("--no-passphrase", is_flag=True, help="Leave the keys open on the disk, and do not ask.")
@passphrase_option
@housed
def recover(
    desk: Desk, bundle: Path, shares: tuple[Path, ...], passphrase_file: Path | None, *, no_passphrase: bool
) -> None:
    """Bring the keys back from their bundle by the shares of enough custodians.

    The data folder has no keys: it came back from a backup, or is new. Shares that are named by no file are typed at
    the terminal, one after another. A sealed share is opened by its custodian first: comity unseal -i HIS.KEYS.

    Example:
      comity keys recover keys.age --share share-1.txt --share share-3.txt --folder tokyo
    """
    from comity.node.custodians import recover as recover_them

    content = read_file(bundle, BUNDLE_BYTES_MAX)
    texts = [(str(path), read_file(path, SHARE_BYTES_MAX).decode(errors="replace")) for path in shares]
    found = recover_them(
        desk.session.folder,
        content,
        texts or _typed(),
        "" if no_passphrase else choosing("Passphrase for the keys (empty: they lie open)", passphrase_file),
    )
    desk.show(found, _tell_recovered)


def _recipients(named: tuple[str, ...], files: tuple[Path, ...]) -> list[Recipient]:
    from comity.seal.keys import KEY_FILE_BYTES_MAX, parse_recipient, parse_recipients

    found: list[Recipient] = [parse_recipient(text) for text in named]
    for file in files:
        found += parse_recipients(read_file(file, KEY_FILE_BYTES_MAX).decode(errors="replace"))
    return found


def _typed() -> list[tuple[str, str]]:
    """The words of shares, typed unseen one after another until an empty line.

    Raises:
        Misuse: there is no terminal.
    """
    if not sys.stdin.isatty():
        raise Misuse("name the shares with --share FILE, or type them at a terminal", code="no-shares")
    texts: list[tuple[str, str]] = []
    while text := getpass(f"Words of share {len(texts) + 1} (empty when there are no more): "):
        texts.append((f"share {len(texts) + 1}", text))
    return texts


def _tell_split(out: Output, made: Split) -> None:
    out.line(
        "shared out: any ", (f"{made.threshold} of {len(made.shares)}", "strong"), " custodians bring the keys back"
    )
    out.fields([("all keys", made.bundle), *(("share", path) for path in made.shares)])
    out.gap()
    _tell_root(out, made)
    if made.sealed:
        out.text("Each share is sealed to its custodian. Hand them over, and keep none.")
    else:
        out.text(
            "Each share lies in words. Print them one by one, hand each to its custodian in a closed envelope, and "
            "destroy the files: whoever has enough of them has the keys.",
            style="warn",
        )
    out.text("Keep the bundle with your backups, in two places: without it the shares open nothing.")
    out.next(
        (f"comity keys recover {made.bundle} --help", "try it once on another machine, before it is needed"),
        ("comity keys bundle --out FILE", "after each change of keys"),
    )


def _tell_bundle(out: Output, made: Split) -> None:
    out.line("sealed to the recovery key: ", (made.bundle, "strong"))
    _tell_root(out, made)
    out.text("Destroy the older bundles: they still hold what was replaced or destroyed since.")


def _tell_root(out: Output, made: Split) -> None:
    if not made.root:
        out.text("The root key is away, and not in the bundle.", style="warn")
    if made.tokens:
        told = f"Keys on a token stay there, and are not in the bundle: {', '.join(made.tokens)}."
        out.text(f"{told} Where the token is lost, they are replaced.", style="warn")


def _tell_recovered(out: Output, found: Recovered) -> None:
    out.line("the keys are back in ", (found.folder, "strong"))
    out.fields([(key.name, key.fingerprint) for key in found.keys if key.fingerprint])
    out.gap()
    out.text("Compare these fingerprints with what was noted when the keys were made: a bundle can be forged.")
    if not found.locked:
        out.text("The keys lie open; 'comity keys lock' seals them to a passphrase.", style="warn")
    out.next(("comity keys split --help", "share them out again: shares that were shown are used up"))
