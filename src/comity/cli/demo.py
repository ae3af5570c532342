"""``comity demo``: an agreement between two nodes on this machine, with one document, or with a feed."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

import click

from comity.cli.options import Verb, Verbs

DOCUMENT = "document"
"""What is shown where nothing else is named."""
Command = Callable[..., Any]


class Demonstrations(Verbs):
    """The demonstrations; what is no name of one is a file, for the first."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """``comity demo report.pdf`` is ``comity demo document report.pdf``."""
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = [DOCUMENT, *args]
        return super().parse_args(ctx, args)


@click.group(cls=Demonstrations)
def demo() -> None:
    """Watch one document cross from Tokyo to Seoul, or a feed of warning data as it happens.

    Two real node processes on this machine, under a minute, nothing left behind.
    """


def _keeping(command: Command) -> Command:
    return click.option(
        "--keep", type=click.Path(path_type=Path), help="Keep both data folders here, to look around in."
    )(command)


@demo.command(DOCUMENT, cls=Verb)
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_keeping
@click.option("--console", is_flag=True, help="Leave both nodes running, to work in a browser.")
def document(file: Path | None, keep: Path | None, console: bool) -> None:
    """Watch one document cross from Tokyo to Seoul: decided, approved, sealed, receipted, opened, refused, proved.

    FILE is what is given: any file, by default the agreement file itself. With --console both nodes are left running,
    and it is said at which addresses, and as whom, you can look at them in a browser.

    Example:
      comity demo
      comity demo report.pdf
      comity demo --console
      comity demo document --keep /tmp/comity-demo
    """
    from comity.cli.demonstration.browsing import browse
    from comity.cli.demonstration.proof import what_next
    from comity.cli.demonstration.scenes import Play

    with resources.as_file(resources.files("comity.agreements") / "jp-kr-2016.toml") as agreement, _folder(keep) as at:
        if console:
            browse(file or agreement, at)
            return
        play = Play(file or agreement, at)
        play.run()
    what_next(play.screen, keep)


@demo.command(cls=Verb)
@_keeping
@click.option("--prove", type=click.IntRange(0), metavar="N", help="Prove this message at the end; do not ask.")
def feed(keep: Path | None, prove: int | None) -> None:
    """Watch air-surveillance tracks and a launch alert cross from Tokyo to Seoul as they happen.

    A recording is replayed: what crosses, how it is cut for each reader, how fast; a posture that both declare, a wire
    that is cut and mended, a clearance that is withdrawn, one person who ends it all; and the proof of one message:
    at a terminal you choose which.

    Example:
      comity demo feed
      comity demo feed --prove 41
      comity demo feed --keep /tmp/comity-feed
    """
    from comity.cli.demonstration.feeding import FeedPlay

    with _folder(keep) as at:
        play = FeedPlay(at, prove)
        play.run()
    play.what_next(keep)


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    """Where the two houses are: in a folder that is kept, or in one that is gone afterwards."""
    from comity.errors import Misuse

    if keep is None:
        with tempfile.TemporaryDirectory(prefix="comity-demo-") as folder:
            yield Path(folder)
        return
    if keep.exists():
        raise Misuse(f"{str(keep)!r} exists already; name a folder that does not", code="folder-taken")
    keep.mkdir(mode=0o700, parents=True)
    yield keep.resolve()
