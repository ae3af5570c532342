"""``comity feed follow --door``: what a reader gets, in the words of another system (``spec/doors.md`` step 18).

The messages go through the door, to the output or into files; whatever else a reader is told stands beside it, on
standard error, so that a program that takes the documents gets nothing but documents.
"""

from __future__ import annotations

import asyncio
import functools
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

import click
import msgspec

from comity.cli.files import make_folder, read_file, write_new_file
from comity.cli.output import Output, Part
from comity.doors.events import BATCH_MAX, Batched
from comity.doors.passing import Door, Passed, Setting, Writer
from comity.doors.table import DOORS
from comity.errors import Misuse
from comity.feed.reading import Event, Message, Started
from comity.feed.schema import Refused
from comity.flows.feeding.names import FeedName

PEM_BYTES_MAX = 65_536
BATCH_SECONDS = 0.2
"""After how long a batch that is not full is written."""
DOORS_OUT = tuple(sorted(name for name, door in DOORS.items() if door.writer is not None))
"""The doors that have a way out."""
Command = Callable[..., Any]


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """Through which door, and what it is told.

    Attributes:
        door: which.
        setting: prefix, origin, key and certificate.
        batch: how many events a line has at most; 0 for events one by one.
        folder: where each document becomes a file; None for the output.
    """

    door: Door
    setting: Setting
    batch: int = 0
    folder: Path | None = None

    def writer(self, origin: str) -> Writer:
        """What writes the documents of a feed.

        Raises:
            Misuse: the door has not what it needs.
        """
        setting = msgspec.structs.replace(self.setting, origin=self.setting.origin or origin)
        if self.batch:
            return Batched(setting, self.batch)
        assert self.door.writer is not None  # it was chosen among those
        return self.door.writer(setting)


def through_a_door(command: Command) -> Command:
    """A command that hands messages on through a door: it is given the ``Way``, or None where none is named."""

    @click.option("--door", type=click.Choice(DOORS_OUT), help="Write what comes as this, and nothing but this.")
    @click.option("--prefix", default="", metavar="TEXT", help="With --door cloudevents: what 'type' begins with.")
    @click.option("--origin", default="", metavar="URI", help="Likewise: 'source', where the messages have none.")
    @click.option("--batch", type=click.IntRange(1, BATCH_MAX), metavar="N", help="Likewise: batches of so many.")
    @click.option(
        "--sign-with",
        type=click.Path(path_type=Path),
        metavar="PEM",
        help="With --door cap: the private key that signs.",
    )
    @click.option("--certificate", type=click.Path(path_type=Path), metavar="PEM", help="Likewise: its certificate.")
    @click.option(
        "--into", type=click.Path(path_type=Path), metavar="FOLDER", help="Each document into a new file there."
    )
    @functools.wraps(command)
    def run(
        *arguments: Any,
        door: str | None,
        prefix: str,
        origin: str,
        batch: int | None,
        sign_with: Path | None,
        certificate: Path | None,
        into: Path | None,
        **given: Any,
    ) -> Any:
        if door != "cloudevents" and (prefix or origin or batch):
            raise Misuse("--prefix, --origin and --batch are for events; add --door cloudevents", code="not-this-door")
        if door != "cap" and (sign_with or certificate):
            raise Misuse("--sign-with and --certificate are for alerts; add --door cap", code="not-this-door")
        if door is None and into:
            raise Misuse("--into is for documents; name what they are with --door", code="not-this-door")
        way = None
        if door is not None:
            key, signs = (b"" if each is None else read_file(each, PEM_BYTES_MAX) for each in (sign_with, certificate))
            setting = Setting(now=lambda: datetime.now(UTC), prefix=prefix, origin=origin, key=key, certificate=signs)
            way = Way(door=DOORS[door], setting=setting, batch=batch or 0, folder=into)
        return command(*arguments, way=way, **given)

    return run


class Outward:
    """Hands messages on through a door, and tells everything else beside them.

    Args:
        way: through which door, and whereto.
        tell: the words of an event that is no message, in lines.
    """

    def __init__(self, way: Way, tell: Callable[[Event], Iterable[Sequence[Part]]]) -> None:
        self._way = way
        self._told = tell
        self._beside = Output(as_json=False, stream=sys.stderr)
        self._writer = way.writer("")  # what the door lacks is said before anybody reads
        self._started = False
        self._newest = 0
        self._written = 0
        self._refused: Counter[str] = Counter()
        self._flush: asyncio.TimerHandle | None = None
        if way.folder is not None:
            make_folder(way.folder, new=False)

    def __enter__(self) -> Outward:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()
        refused = "".join(f", {count:,} {code}" for code, count in sorted(self._refused.items()))
        sys.stderr.write(f"{self._written:,} {'document' if self._written == 1 else 'documents'} written{refused}\n")

    def tell(self, event: Event) -> None:
        """One event."""
        if isinstance(event, Message):
            self._newest = event.number
            self._write(self._writer.take(event.number, bytes(event.view)))
            if self._way.batch and self._flush is None:
                self._flush = asyncio.get_running_loop().call_later(BATCH_SECONDS, self._end)
            return
        if isinstance(event, Started) and not self._started:
            self._started = True
            self._writer = self._way.writer(FeedName(event.relationship, event.publisher, event.feed).origin)
        for parts in self._told(event):
            self._beside.line(*parts)

    def _end(self) -> None:
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None
        self._write(self._writer.end())

    def _write(self, passed: Iterable[Passed]) -> None:
        for each in passed:
            if isinstance(each, Refused):
                if not self._refused[each.code]:
                    self._beside.line((f"{each.code}: ", "warn"), each.sentence)
                self._refused[each.code] += 1
                continue
            self._written += 1
            if self._way.folder is None:
                sys.stdout.buffer.write(each.rstrip(b"\n") + b"\n")
            else:
                name = f"{self._newest:012d}-{self._written:06d}.{self._way.door.ending}"
                write_new_file(self._way.folder / name, each)
        sys.stdout.flush()
