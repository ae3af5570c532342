"""``comity backup`` and ``comity restore``: a data folder kept elsewhere, and brought back (``spec/backup.md``)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from comity import __version__
from comity.cli.instants import read_instant, told_instant
from comity.cli.options import Desk, Verb, Verbs, home, housed, spoken
from comity.cli.output import FINDINGS, Output, working
from comity.cli.passphrases import ask

if TYPE_CHECKING:
    from comity.node.backups import BackupsChecked, BackupShown, Point, Restored, Taken
    from comity.seal.recipients import Identity

opening = (
    click.option("-i", "--identity", "identities", multiple=True, metavar="FILE", help="What it is sealed to."),
    click.option("-p", "--passphrase", is_flag=True, help="It is sealed to a passphrase; ask for it."),
)


@click.group(cls=Verbs)
def backup() -> None:
    """Keep what a data folder holds elsewhere: sealed if you like, only what is new, while the node runs."""


@backup.command()
@click.argument("to", type=click.Path(path_type=Path))
@click.option("-r", "--recipient", "named", multiple=True, metavar="RECIPIENT", help="Seal a new one to age1pq1…")
@click.option("-R", "--recipients-file", "files", multiple=True, metavar="FILE", help="Recipients, one a line.")
@click.option("-p", "--passphrase", is_flag=True, help="Seal a new one to a passphrase, asked for on the terminal.")
@click.option("--open", "openly", is_flag=True, help="Sealed to nobody, although this house has sealed ones.")
@click.option("--keep", type=click.IntRange(min=1), metavar="N", help="Remove all but the newest N backups.")
@housed
def take(
    desk: Desk,
    to: Path,
    named: tuple[str, ...],
    files: tuple[str, ...],
    keep: int | None,
    *,
    openly: bool,
    passphrase: bool,
) -> None:
    """Add a backup to a folder of backups, and make that folder if there is none: what is new is written and read back.

    Whom it is sealed to is said once, when the folder is made. One that is not sealed has no private keys in it.

    Example:
      comity backup take /mnt/elsewhere/tokyo -R recovery.txt
    """
    from comity.cli.sealing import recipients_of
    from comity.node import backups

    desk.session.check()
    recipients = recipients_of(named, files, (), passphrase=passphrase)
    with progress_bars(desk.out) as progress:
        taken = backups.take(desk.session.folder, to, recipients, keep, __version__, progress, openly=openly)
    desk.show(taken, lambda out, shown: _tell_taken(out, shown, to))


@backup.command("list", cls=Verb)
@click.argument("path", metavar="FROM", type=click.Path(path_type=Path))
@opening[0]
@opening[1]
@spoken
def list_(out: Output, path: Path, identities: tuple[str, ...], *, passphrase: bool) -> None:
    """List the backups in a folder: each with the instant whose state it has, and how far each chain had come.

    Example:
      comity backup list /mnt/elsewhere/tokyo
    """
    from comity.node import backups

    out.show(backups.listed(path, home(), _identities(identities, passphrase=passphrase)), _tell_list)


@backup.command(cls=Verb)
@click.argument("path", metavar="FROM", type=click.Path(path_type=Path))
@opening[0]
@opening[1]
@spoken
def check(out: Output, path: Path, identities: tuple[str, ...], *, passphrase: bool) -> int:
    """Read every piece of every backup; one that is missing or damaged ends with exit code 6.

    Example:
      comity backup check /mnt/elsewhere/tokyo
    """
    from comity.node import backups

    with progress_bars(out) as progress:
        checked = backups.check(path, home(), _identities(identities, passphrase=passphrase), progress)
    out.show(checked, _tell_checked)
    return FINDINGS if checked.findings else 0


@click.command(cls=Verb)
@click.argument("path", metavar="FROM", type=click.Path(path_type=Path))
@click.option("--backup", "number", type=click.IntRange(min=1), metavar="N", help="This backup, whole.")
@click.option("--at", metavar="INSTANT", help="What was recorded until then, such as 2026-11-21T08:00Z.")
@click.option("--size", metavar="CHAIN=N", help="What was recorded when that chain had N records.")
@click.option("--lost", type=click.Path(path_type=Path), help="What is left of the folder that was lost.")
@click.option("--keys", type=click.Path(path_type=Path), help="Where 'keys' and 'tls' are, if it is not sealed.")
@click.option(
    "--folder", type=click.Path(path_type=Path), help="The new data folder; else $COMITY_HOME, else ~/.comity."
)
@opening[0]
@opening[1]
@spoken
def restore(
    out: Output,
    path: Path,
    number: int | None,
    at: str | None,
    size: str | None,
    lost: Path | None,
    keys: Path | None,
    folder: Path | None,
    identities: tuple[str, ...],
    *,
    passphrase: bool,
) -> None:
    """Bring a node back into a new folder, as it was at its newest backup or at a point that you name.

    The node signs nothing and opens nothing until it has fetched what it had sent back from each other party. What was
    destroyed stays destroyed.

    Example:
      comity restore /mnt/elsewhere/tokyo -i recovery.key --folder ~/tokyo --lost ~/tokyo.broken
    """
    from comity.node import backups

    target = (folder or home()).absolute()
    point = _point(number, at, size)
    with progress_bars(out) as progress:
        restored = backups.restore(
            path,
            point,
            target,
            identities=_identities(identities, passphrase=passphrase),
            lost=lost,
            keys=keys,
            progress=progress,
        )
    out.show(restored, lambda out, shown: _tell_restored(out, shown, target))


def _point(number: int | None, at: str | None, size: str | None) -> Point:
    """Which state was asked for."""
    from comity.node.backups import Point

    if sum(each is not None for each in (number, at, size)) > 1:
        raise click.UsageError("name one point: --backup, --at or --size")
    if at is not None:
        return Point(at=read_instant(at, "UTC", end=True).at)
    if size is None:
        return Point(number=number)
    chain, _, records = size.partition("=")
    if not chain or not records.isascii() or not records.isdecimal() or int(records) < 1:
        raise click.UsageError(f"{size!r} is not CHAIN=N, such as jp-kr-2016/jp.kr/jp=42")
    return Point(chain=chain, size=int(records))


def _identities(files: tuple[str, ...], *, passphrase: bool) -> list[Identity]:
    from comity.cli.sealing import identities_of
    from comity.seal.passphrase import PassphraseIdentity

    if passphrase and files:
        raise click.UsageError("it is sealed to an identity or to a passphrase; give -i or -p")
    return [PassphraseIdentity(ask("Passphrase"))] if passphrase else identities_of(files)


@contextmanager
def progress_bars(out: Output) -> Iterator[Callable[[str, int, int], None]]:
    """One bar for each thing that takes long, one after the other."""
    with ExitStack() as bars:
        now, before = "", 0
        advance: list[Callable[[int], None]] = []

        def progress(doing: str, done: int, total: int) -> None:
            nonlocal now, before
            if now != doing:
                bars.pop_all().close()
                advance[:] = [bars.enter_context(working(doing, total, quiet=out.as_json, counted=True))]
                now, before = doing, 0
            advance[0](done - before)
            before = done

        yield progress


def _tell_taken(out: Output, taken: Taken, to: Path) -> None:
    out.line(("backup ", "good"), (str(taken.number), "good"), (", written and read back", "good"))
    out.fields(
        [
            ("state of", told_instant(taken.at)),
            ("journal", f"{taken.entries:,} entries"),
            ("payloads", f"{taken.payloads:,}, sealed as they are"),
            ("new", f"{taken.bytes_written:,} bytes; the rest was there"),
            ("removed", f"{taken.removed:,} older backups and what only they needed" if taken.removed else ""),
            ("sealed", "yes" if taken.sealed else "no: whoever reads it reads names; private keys are not in it"),
        ]
    )
    out.next(
        (f"comity backup check {to}", "reads all of it again"),
        (f"comity restore {to} {'-i IDENTITY ' if taken.sealed else ''}--folder NEW", "brings it back"),
    )


def _tell_list(out: Output, shown: list[BackupShown]) -> None:
    if not shown:
        out.line("no whole backup is here")
    for each in shown:
        out.line((str(each.number), "strong"), f"  {told_instant(each.at)}, {each.entries:,} entries")
        out.fields([(chain, f"{size:,} records") for chain, size in sorted(each.chains.items())], indent=4)


def _tell_checked(out: Output, checked: BackupsChecked) -> None:
    if checked.findings:
        out.line((f"{len(checked.findings)} of {checked.pieces:,} pieces cannot be brought back", "bad"))
        for finding in checked.findings:
            out.text(finding, indent=2)
    else:
        out.line(("all of it can be brought back", "good"))
    out.fields(
        [
            ("backups", str(checked.backups)),
            ("read", f"{checked.pieces:,} pieces, {checked.bytes_read:,} bytes"),
        ]
    )


def _tell_restored(out: Output, restored: Restored, target: Path) -> None:
    out.line(("brought back", "good"), f" from backup {restored.backup}, taken {told_instant(restored.taken)}")
    out.fields(
        [
            ("journal", f"{restored.entries:,} entries" + (", later ones left out" if restored.cut else "")),
            ("payloads", f"{restored.payloads:,}"),
            ("copy keys", f"{restored.keys:,}; none that was destroyed"),
            ("private keys", "brought back" if restored.sealed_files else "taken from where you said"),
            ("root key", "is in no backup; bring yours when it is needed"),
            ("until then", "nothing is signed or opened until each other party was asked what it has of this house"),
        ]
    )
    out.next(
        (f"comity node run --folder {target}", "fetches what is missing from each other party"),
        (f"comity fsck --folder {target}", "checks all that was brought back"),
    )
