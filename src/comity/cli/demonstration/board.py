"""What is seen of a feed while it runs: both sides of it, beside one another, live where there is a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

import msgspec
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from comity.cli.demonstration.air_picture import SHOWN, TRACK
from comity.cli.demonstration.screen import WIDTH
from comity.cli.following import Latencies, told_event
from comity.cli.output import visible
from comity.feed.reading import Ended, Event, Message, Standing, Started

HAPPENINGS_SHOWN = 9
REFRESHES = 12
"""How often a second a terminal is drawn anew."""
VALUE_SHOWN = 26
"""Longest value in a column, in characters."""
_TRACK = "system-track"


class Reader:
    """What one reader was told.

    Attributes:
        name: who.
        cleared: for what.
        numbers: the numbers of the messages he got, by type.
        fields: what he sees of a track.
        track: the newest message of the track that is shown.
        ended: whether he may not read on.
    """

    def __init__(self, name: str, cleared: str) -> None:
        self.name = name
        self.cleared = cleared
        self.numbers: dict[str, list[int]] = {}
        self.fields: tuple[str, ...] = ()
        self.track: Mapping[str, Any] = {}
        self.ended = False

    @property
    def count(self) -> int:
        """Messages in all."""
        return sum(map(len, self.numbers.values()))

    def told(self, event: Event) -> None:
        """One event."""
        if isinstance(event, Started):
            self.fields = event.fields.get(_TRACK, ())
        elif isinstance(event, Ended):
            self.ended = True
        elif isinstance(event, Message):
            self.numbers.setdefault(event.type, []).append(event.number)
            if event.type == _TRACK:
                fields = msgspec.json.decode(event.view)
                if fields["track"] == TRACK:
                    self.track = fields


class Board:
    """Everything that is shown.

    Attributes:
        readers: whoever reads, by handle.
        published: messages that were published.
        refused: messages that were not taken, by the code of the reason.
        track: the newest of the shown track as it was published.
        posture: what both have declared.
        wire: whether the wire stands.
        latencies: from publication to the reader, of what was published while the wire stood.
        early: messages that were published before the first one came: until then its key was on the way.
        late: messages that came after the wire was mended, having waited.
        newest_cut: the number of the newest message that crossed and was cut.
    """

    def __init__(self, readers: Mapping[str, Reader]) -> None:
        self.readers = readers
        self.published = 0
        self.refused: dict[str, int] = {}
        self.track: Mapping[str, Any] = {}
        self.posture = "normal"
        self.wire = True
        self.latencies = Latencies()
        self.early = 0
        self.late = 0
        self.newest_cut = 0
        self._first: datetime | None = None
        self._cut: tuple[datetime, datetime | None] | None = None
        self._began = time.monotonic()
        self._happened: list[tuple[str, Text]] = []
        self._live: Live | None = None
        self._begun = False
        self._console = Console(width=WIDTH if not sys.stdout.isatty() else None, highlight=False)

    def __enter__(self) -> Board:
        self._began, self._begun = time.monotonic(), True
        if sys.stdout.isatty():
            self._live = Live(get_renderable=self._drawn, console=self._console, refresh_per_second=REFRESHES)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    # ---- what happens ----------------------------------------------------------------------------------------------

    def happens(self, text: str, style: str = "bold") -> None:
        """Somebody did something, or something was found."""
        line = Text(visible(text), style=style)
        self._happened.append((f"{time.monotonic() - self._began:5.1f} s", line))
        if self._live is None:
            self._console.print(_happenings(self._happened[-1:]))

    def shows(self) -> None:
        """Without a terminal the picture of the moment is printed where it tells something."""
        if self._live is None:
            self._console.print(self._compared())

    def cut(self) -> None:
        """The wire is cut."""
        self.wire = False
        self._cut = datetime.now(UTC), None

    def mended(self) -> None:
        """And mended again; it is used from the first message on that comes."""
        self.wire = True

    def says(self, message: Mapping[str, Any]) -> None:
        """A message is published."""
        self.published += 1
        if message["type"] == _TRACK and message["track"] == TRACK:
            self.track = message

    def tells(self, handle: str, event: Event) -> None:
        """A reader is told something."""
        reader = self.readers[handle]
        reader.told(event)
        if not self._begun:
            return
        if isinstance(event, Message):
            if event.type == _TRACK:  # of a track something is rounded or left out, whatever holds
                self.newest_cut = max(self.newest_cut, event.number)
            if handle == [*self.readers][-1]:
                self._timed(event)
        elif isinstance(event, Standing):
            if handle == [*self.readers][-1]:  # all are told the same; one is enough
                self.posture = event.posture
                self.happens(f"{reader.name} is told: {_plain(event)}", "green" if event.stands else "red")
        elif not isinstance(event, Started):
            self.happens(f"{reader.name} is told: {_plain(event)}", "red" if isinstance(event, Ended) else "yellow")

    def _timed(self, event: Message) -> None:
        self._first = self._first or datetime.now(UTC)
        if event.published < self._first:
            self.early += 1
            return
        if self._cut is not None and event.published >= self._cut[0]:
            if self._cut[1] is None:
                self._cut = self._cut[0], datetime.now(UTC)
            if self._cut[1] is None or event.published < self._cut[1]:
                self.late += 1
                return
        self.latencies.add((datetime.now(UTC) - event.published).total_seconds() * 1000)

    # ---- what is seen ----------------------------------------------------------------------------------------------

    def _drawn(self) -> RenderableType:
        return Group(self._line(), Text(), self._compared(), Text(), _happenings(self._happened[-HAPPENINGS_SHOWN:]))

    def _line(self) -> RenderableType:
        wire = ("─────▶", "green") if self.wire else ("──╳  ▶", "bold red")
        told = Text.assemble(
            ("Tokyo ", "bold"),
            f"published {self.published:>4} ",
            wire,
            (" Seoul ", "bold"),
            " ".join(f"{each.name} {each.count:>4}" for each in self.readers.values()),
            "   posture ",
            (self.posture, "bold yellow" if self.posture != "normal" else "bold"),
        )
        return Group(told, Text(f"from publication to reader: {self.latencies.told() or '…'}", style="dim"))

    def _compared(self) -> RenderableType:
        """One track, field by field: as it was published, and as each reader has it."""
        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
        table.add_column(f"track {TRACK}", style="dim", no_wrap=True)
        table.add_column("published in Tokyo", no_wrap=True, min_width=27)
        for reader in self.readers.values():
            table.add_column(f"{reader.name}, {reader.cleared}", no_wrap=True, min_width=27)
        for name in SHOWN if self.track else ():
            said = _value(self.track.get(name, ""))
            table.add_row(name, _short(said), *[_seen(reader, name, said) for reader in self.readers.values()])
        return table


def _happenings(happened: Sequence[tuple[str, Text]]) -> RenderableType:
    table = Table.grid(padding=(0, 2, 0, 0))
    for when, text in happened:
        table.add_row(Text(when, style="dim", no_wrap=True), text)
    return table


def _seen(reader: Reader, name: str, said: str) -> Text:
    if reader.ended:
        return Text("may not read on", style="red") if name == "track" else Text("")
    if name not in reader.track:
        return Text("—", style="dim")
    value = _value(reader.track[name])
    return Text(_short(value), style="green" if value == said else "yellow")


def _value(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _short(text: str) -> str:
    """What is too long for its column, without its end."""
    return text if len(text) <= VALUE_SHOWN else text[: VALUE_SHOWN - 1] + "…"


def _plain(event: Event) -> str:
    parts: Sequence[Any] = told_event(event)[0]
    return " ".join("".join(part if isinstance(part, str) else part[0] for part in parts).split())
