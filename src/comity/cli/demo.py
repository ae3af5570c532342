"""``comity demo``: the agreement of 2016 between two nodes on this machine, on any file."""

from __future__ import annotations

import tempfile
from importlib import resources
from pathlib import Path

import click

from comity.cli.options import Verb


@click.command(cls=Verb)
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--keep", type=click.Path(path_type=Path), help="Keep both data folders here, to look around in.")
def demo(file: Path | None, keep: Path | None) -> None:
    """Watch one document cross from Tokyo to Seoul: decided, approved, sealed, receipted, opened, refused, proved.

    Two real node processes on this machine, under a minute, nothing left behind. FILE is what is given: any file, by
    default the agreement file itself.

    Example:
      comity demo
      comity demo report.pdf
      comity demo --keep /tmp/comity-demo
    """
    from comity.cli.demonstration.proof import what_next
    from comity.cli.demonstration.scenes import Play
    from comity.errors import Misuse

    with resources.as_file(resources.files("comity.agreements") / "jp-kr-2016.toml") as agreement:
        given = file or agreement
        if keep is not None:
            if keep.exists():
                raise Misuse(f"{str(keep)!r} exists already; name a folder that does not", code="folder-taken")
            keep.mkdir(mode=0o700, parents=True)
            play = Play(given, keep.resolve())
            play.run()
        else:
            with tempfile.TemporaryDirectory(prefix="comity-demo-") as folder:
                play = Play(given, Path(folder))
                play.run()
    what_next(play.screen, keep)
