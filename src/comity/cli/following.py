"""``comity feed follow``: read a feed as it comes, in the terminal or as lines of JSON (``spec/feed.md`` step 17)."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import click
import msgspec

from comity.cli.files import read_file
from comity.cli.instants import told_instant
from comity.cli.options import Desk, Verb, as_actor, housed, relationship, seeing
from comity.cli.output import DONE, REFUSED, Output, Part, visible
from comity.cli.outward import Outward, Way, through_a_door
from comity.errors import Misuse
from comity.feed.filters import Filters, parse_area, parse_where
from comity.feed.reading import (
    Changed,
    Dropped,
    Ended,
    Event,
    Gap,
    LeftOut,
    Message,
    Skew,
    Stale,
    Standing,
    Started,
)
from comity.flows.actors import Actor
from comity.flows.feeding.reading import Follow
from comity.flows.feeding.readings import ListReadings, ReadingLine

if TYPE_CHECKING:
    from rich.live import Live
    from rich.text import Text

LATENCIES_KEPT = 1_000
"""The newest latencies, from which median and 99th percentile are told."""
REFRESHES = 8
"""How often a second the line of how it goes is drawn anew."""
RATE_SECONDS = 5.0
"""Over how long messages a second are counted."""
Lines = AsyncGenerator[bytes, None]
_SKEW = {"back": "went back", "ahead": "lies ahead"}


@click.command(cls=Verb)
@click.argument("feed")
@click.option("--purpose", required=True, metavar="TEXT", help="What for; another than it was released for is refused.")
@click.option("--as", "actor", required=True, metavar="WHO", help="Who reads.")
@click.option("--type", "types", multiple=True, metavar="TYPE", help="Only messages of this type; repeat it.")
@click.option("--source", "sources", multiple=True, metavar="NAME", help="Only of this source; repeat it.")
@click.option("--area", metavar="S,W,N,E", help="Only what is in this box of degrees.")
@click.option("--where", multiple=True, metavar="FIELD=VALUE", help="Only where a field has this value; repeat it.")
@click.option("--mark", default="", metavar="MARK", help="No field that is marked above this.")
@click.option("--after", type=click.IntRange(-1), metavar="NUMBER", help="First what the store has after this one.")
@click.option("--stale", type=click.FloatRange(0, min_open=True), metavar="SECONDS", help="When silence is told of.")
@click.option("--count", type=click.IntRange(1), metavar="N", help="Stop after so many messages.")
@click.option("--at", metavar="URL", help="Read over the network, where that node lets readers in.")
@click.option("--card", type=click.Path(path_type=Path), help="With --at: the card of the party whose node it is.")
@click.option("--key", type=click.Path(path_type=Path), help="With --at: the reader's own keys, which sign.")
@through_a_door
@relationship
@housed
def follow(
    desk: Desk,
    feed: str,
    purpose: str,
    actor: str,
    types: tuple[str, ...],
    sources: tuple[str, ...],
    area: str | None,
    where: tuple[str, ...],
    mark: str,
    after: int | None,
    stale: float | None,
    count: int | None,
    at: str | None,
    card: Path | None,
    key: Path | None,
    way: Way | None,
    relationship: str | None,
) -> int:
    """Read a feed that comes here, as it comes, until it is interrupted or may no longer be read.

    Whether it may be read is decided as opening is, and decided again when a fact changes; each message shows what the
    reader is cleared for. A gap, a silent source, a clock that went back are told beside the messages. With --json each
    event is a line of JSON. With --at a person who keeps his own keys reads from another machine. With --door the
    messages are written as events or alerts for another system, and everything else stands on standard error.

    Example:
      comity feed follow air-picture --purpose "air defence" --as kim
      comity feed follow air-picture --purpose "air defence" --as kim --type track --area 33,124,39,132
      comity feed follow air-picture --purpose "air defence" --as kim --after 41 --json
      comity feed follow air-picture --purpose "air defence" --as kim --key kim.key --card kr.card --at https://node:8444
      comity feed follow air-picture --purpose "air defence" --as kim --door cloudevents --prefix org.example.
      comity feed follow alerts --purpose warning --as kim --door cap --sign-with kr.pem --certificate kr.crt --into out
    """
    if way is not None and desk.out.as_json:
        raise Misuse(
            "--json writes events as this node tells them, --door as another system; choose one", code="which-form"
        )
    if at is None:
        desk.session.check()
    elif card is None or key is None:
        raise Misuse(
            "over the network a reader signs: name the node's card with --card and his keys with --key", code="no-card"
        )
    filters = Filters(
        types=types,
        sources=sources,
        area=parse_area(area) if area is not None else None,
        where=dict(map(parse_where, where)),
        mark=mark,
    )
    request = Follow(
        feed=feed,
        purpose=purpose,
        actor=Actor(actor),
        relationship=relationship or "",
        filters=filters,
        after=after,
        stale=stale,
    )
    try:
        lines = _from_afar(at, card, key, request) if at and card and key else _from_here(desk, request)
        return asyncio.run(_follow(Teller(desk.out) if way is None else Outward(way, told_event), lines, count))
    except KeyboardInterrupt:  # how reading usually ends
        return DONE


@click.command(cls=Verb)
@click.argument("feed")
@click.option("--number", type=click.IntRange(0), metavar="N", help="Only who was shown this message.")
@relationship
@seeing
@housed
def readers(desk: Desk, feed: str, number: int | None, relationship: str | None, actor: str | None) -> None:
    """List who of this house was shown what of a feed, for which purpose, and by which decision.

    Example:
      comity feed readers air-picture --number 41
    """
    request = ListReadings(feed=feed, number=number, relationship=relationship or "", actor=as_actor(actor))
    found: list[ReadingLine] = desk.call("feed.readers", request)
    desk.show(found, lambda out, _: _tell_readings(out, feed, found))


def _tell_readings(out: Output, feed: str, found: list[ReadingLine]) -> None:
    if not found:
        out.line(f"nobody is recorded as having been shown that of {feed!r}; a reading is recorded as it ends")
        return
    out.table(
        ("who", "messages", "how many", "until", "for", "decision"),
        [
            (
                each.reader,
                f"{each.first} to {each.last}",
                str(each.messages),
                told_instant(each.at),
                each.purpose,
                each.decision_record[:16],
            )
            for each in found
        ],
    )


def _from_here(desk: Desk, request: Follow) -> Lines:
    from comity.node.following import follow_lines

    return follow_lines(desk.session.folder, request)


def _from_afar(at: str, card: Path, key: Path, request: Follow) -> Lines:
    from comity.cli.person_keys import read_person_keys
    from comity.node.following import network_lines
    from comity.record.card import read_card
    from comity.record.dsse import ENVELOPE_BYTES_MAX

    read, keys = read_card(read_file(card, ENVELOPE_BYTES_MAX)), read_person_keys(key)
    return network_lines(at, read, request, keys.reading, os.urandom, datetime.now(UTC))


async def _follow(telling: Teller | Outward, lines: Lines, count: int | None) -> int:
    from comity.node.following import read_event

    seen = 0
    with telling as teller:
        async with aclosing(lines) as told:
            async for line in told:
                event = read_event(line)
                teller.tell(event)
                if isinstance(event, Ended):
                    return REFUSED
                seen += isinstance(event, Message)
                if seen == count:
                    break
    return DONE


class Latencies:
    """How long after their publication the newest messages were shown."""

    def __init__(self) -> None:
        self._kept: deque[float] = deque(maxlen=LATENCIES_KEPT)

    def add(self, milliseconds: float) -> None:
        """One more."""
        self._kept.append(milliseconds)

    def told(self) -> str:
        """Now, the median, and the 99th percentile; empty before the first."""
        if not self._kept:
            return ""
        ordered = sorted(self._kept)
        median, high = ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]
        return f"now {_milliseconds(self._kept[-1])} · median {_milliseconds(median)} · p99 {_milliseconds(high)}"


class Teller:
    """Tells events, a line each; a terminal has one more below them, of how it goes."""

    def __init__(self, out: Output) -> None:
        self._out = out
        self._latencies = Latencies()
        self._messages = 0
        self._recent: deque[float] = deque(maxlen=LATENCIES_KEPT)
        self._standing = ""
        self._live: Live | None = None

    def __enter__(self) -> Teller:
        if not self._out.as_json and sys.stdout.isatty():
            from rich.live import Live

            self._live = Live(get_renderable=self._status, refresh_per_second=REFRESHES, transient=True)
            self._live.start()
            self._out = Output(as_json=False)  # what is written now goes above the line
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
        if not self._out.as_json and self._messages:
            told = self._latencies.told()
            sys.stdout.write(
                f"{self._messages} messages" + (f"; from publication to here: {told}" if told else "") + "\n"
            )

    def tell(self, event: Event) -> None:
        """One event."""
        if self._out.as_json:
            sys.stdout.write(msgspec.json.encode(event).decode() + "\n")
        else:
            for parts in told_event(event):
                self._out.line(*parts)
        if isinstance(event, Standing):
            self._standing = f"posture {event.posture}" if event.stands else f"stopped: {event.why}"
        elif isinstance(event, Message):
            self._messages += 1
            if event.arrived is not None:
                self._latencies.add((datetime.now(UTC) - event.published).total_seconds() * 1000)
                self._recent.append(time.monotonic())
        sys.stdout.flush()

    def _status(self) -> Text:
        from rich.text import Text

        since = time.monotonic() - RATE_SECONDS
        rate = sum(each > since for each in self._recent) / RATE_SECONDS
        told = f"{self._messages} messages · {rate:.0f} a second · {self._standing} · {self._latencies.told() or '…'}"
        return Text(told, style="dim", no_wrap=True, overflow="ellipsis")


def told_event(event: Event) -> list[Sequence[Part]]:
    """An event in lines, for people."""
    match event:
        case Started():
            here = f", {event.mark_here} here" if event.mark_here else ""
            lines: list[Sequence[Part]] = [
                [(event.feed, "strong"), f" of {event.publisher!r}, {event.mark}{here}, for {event.purpose!r}"]
            ]
            lines += [[f"  {name}: ", (", ".join(fields), "dim")] for name, fields in event.fields.items()]
            return [*lines, [f"  decided in {event.decision_record[:16]}; message {event.next} is the next"]]
        case Message():
            return [_told_message(event)]
        case Gap():
            of = f"of source {event.source!r} " if event.source else ""
            return [[("gap      ", "bad"), f"{of}{_span(event.first, event.last)} did not come"]]
        case Dropped():
            until = f"{event.first:%H:%M:%S} to {event.last:%H:%M:%S}"
            told = f"{event.count} of type {event.type!r} did not cross: {event.why}, {until} UTC"
            return [[("dropped  ", "warn"), told]]
        case Stale():
            silent = f"nothing of {event.source or event.type!r} for {event.silent:.1f} s"
            usual = f"; usual were {event.usual:.1f} s" if event.usual else ""
            return [[("stale    ", "warn"), silent + usual]]
        case Skew():
            whose = f"the clock of {event.source!r}" if event.source else "the publisher's clock"
            return [[("skew     ", "warn"), f"{whose} {_SKEW[event.why]}, by {event.seconds:.1f} s, at {event.number}"]]
        case LeftOut():
            why = "they were not taken in time" if event.why == "slow" else "they were released to others"
            return [[("left out ", "warn"), f"{_span(event.first, event.last)}: {why}; the store has them"]]
        case Changed():
            return [[("changed  ", "warn"), f"{event.why}: from message {event.next} on"]]
        case Standing():
            if event.stands:
                return [[("stands   ", "good"), f"posture {event.posture}"]]
            return [[("stopped  ", "bad"), f"nothing crosses now: {event.why}"]]
        case Ended():
            return [[("ended    ", "bad"), event.sentence]]


def _told_message(event: Message) -> Sequence[Part]:
    fields: dict[str, object] = msgspec.json.decode(event.view)
    shown = "  ".join(f"{name}={_value(value)}" for name, value in fields.items() if name != "type")
    source = f"{event.source}  " if event.source and event.source not in fields.values() else ""
    when = f"{event.published:%H:%M:%S}.{event.published.microsecond // 1000:03d}"
    return [(f"{event.number:<8} ", "dim"), (f"{when}  ", "dim"), f"{event.type}  {source}", visible(shown)]


def _value(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _span(first: int, last: int) -> str:
    return f"message {first}" if first == last else f"messages {first} to {last}"


def _milliseconds(value: float) -> str:
    return f"{value:.1f} ms" if value < 100 else f"{value / 1000:.2f} s"
