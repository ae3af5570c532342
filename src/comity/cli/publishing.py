"""``comity feed publish``, ``prove`` and ``verify``: messages in, and the proof of one of them out."""

from __future__ import annotations

import os
import sys
import time
from base64 import b32encode
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import click
import msgspec

from comity.cli.files import read_file, write_new_file
from comity.cli.instants import told_instant
from comity.cli.options import Desk, Verb, housed, relationship
from comity.cli.output import REFUSED, Output
from comity.doors.passing import Door, Passed, Setting
from comity.doors.table import DOORS, schema_text
from comity.errors import Misuse, Unavailable
from comity.feed.proof import PROOF_BYTES_MAX
from comity.feed.schema import MESSAGE_BYTES_MAX, Refused
from comity.flows.feeding.requests import Published, RefusedMessage
from comity.node.client import call, call_lines
from comity.node.feeds import PROVE, PUBLISH, VERIFY, MessageProved, MessageVerified, ProveMessage, VerifyMessage

LINES_MAX = 2_000
"""Most messages of one request; what is read is sent on without waiting for more."""
TRIES = 3
"""How often a request is made again when the node stopped in the middle of it: it is numbered, and taken once."""
REFUSALS_SHOWN = 10
SECONDS_TOGETHER = 0.05
"""What comes through a door within so long is published together."""
PEM_BYTES_MAX = 65_536
DOOR_NAMES = tuple(sorted(DOORS))


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What became of everything that was published.

    Attributes:
        accepted: messages that were taken, durably.
        refused: how many were not, by the code of the reason.
        told: the first of those; ``place`` is the number of the line, from 1.
    """

    accepted: int
    refused: dict[str, int]
    told: tuple[RefusedMessage, ...]


@click.command(cls=Verb)
@click.argument("feed")
@click.option("--file", type=click.Path(path_type=Path), help="Read from this file instead of the input.")
@click.option("--door", type=click.Choice(DOOR_NAMES), help="What is read, where it is not one message a line.")
@click.option(
    "--trusted",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="PEM",
    help="With --door cap: a certificate by which alerts may be signed; repeat it.",
)
@click.option("--prefix", default="", metavar="TEXT", help="With --door cloudevents: what 'type' begins with.")
@relationship
@housed
def publish(
    desk: Desk,
    feed: str,
    file: Path | None,
    door: str | None,
    trusted: tuple[Path, ...],
    prefix: str,
    relationship: str | None,
) -> int:
    """Publish messages, one JSON object a line, until the input ends; or what a door reads.

    Each is taken or refused by itself, and what is taken is durable. It needs a running node.

    Example:
      comity feed publish air-picture < tracks.ndjson
      comity feed publish air-picture --door asterix --file radar.ast
      comity feed publish alerts --door cap --trusted agency.pem --file alert.xml
    """
    desk.session.check()
    if trusted and door != "cap":
        raise Misuse("--trusted is for alerts; add --door cap", code="not-this-door")
    if prefix and door != "cloudevents":
        raise Misuse("--prefix is for events; add --door cloudevents", code="not-this-door")
    certificates = tuple(read_file(each, PEM_BYTES_MAX) for each in trusted)
    setting = Setting(now=lambda: datetime.now(UTC), prefix=prefix, trusted=certificates)
    with ExitStack() as opened:
        stream = sys.stdin.buffer if file is None else opened.enter_context(_open(file))
        requests = _requests(stream) if door is None else _through(DOORS[door], setting, stream)
        told = _publish(desk, feed, relationship or "", requests)
    desk.show(told, lambda out, _: _tell_published(out, told, "message" if door else "line"))
    return REFUSED if told.refused else 0


def _open(file: Path) -> BinaryIO:
    try:
        return file.open("rb")
    except OSError as error:
        raise Misuse(f"{str(file)!r} can not be read: {error.strerror}", code="no-file") from None


def _publish(desk: Desk, feed: str, relationship: str, requests: Iterator[list[Passed]]) -> Told:
    """Every message, a request at a time; requests are numbered, so that one that is made again is taken once."""
    source = f"s-{b32encode(os.urandom(10)).decode().lower()}"
    accepted, line, refused, told = 0, 1, Counter[str](), list[RefusedMessage]()
    for request, passed in enumerate(requests, 1):
        places = [place for place, each in enumerate(passed, line) if isinstance(each, bytes)]
        said = [
            RefusedMessage(n, each.code, each.sentence)
            for n, each in enumerate(passed, line)
            if not isinstance(each, bytes)
        ]
        refused.update(each.code for each in said)
        if messages := [each for each in passed if isinstance(each, bytes)]:
            query = {"feed": feed, "relationship": relationship, "source": source, "request": str(request)}
            found = _ask(desk, query, messages)
            accepted += found.accepted + found.repeated
            refused.update(found.refused)
            said += [RefusedMessage(places[each.place], each.code, each.sentence) for each in found.told]
        told += sorted(said, key=lambda each: each.place)[: REFUSALS_SHOWN - len(told)]
        line += len(passed)
    return Told(accepted=accepted, refused=dict(refused), told=tuple(told))


def _through(door: Door, setting: Setting, stream: BinaryIO) -> Iterator[list[Passed]]:
    """What a door makes of a stream, document by document; of a fast stream, as much as a request holds."""
    waiting: list[Passed] = []
    sent = time.monotonic()
    for document in door.documents(stream):
        waiting += [document] if isinstance(document, Refused) else door.read(document, setting)
        if len(waiting) >= LINES_MAX or time.monotonic() - sent > SECONDS_TOGETHER:
            yield from _split(waiting)
            waiting, sent = [], time.monotonic()
    yield from _split(waiting)


def _ask(desk: Desk, query: dict[str, str], messages: list[bytes]) -> Published:
    for left in reversed(range(TRIES)):
        try:
            return call_lines(desk.session.folder, PUBLISH, query, messages, Published)
        except Unavailable as error:
            if error.code != "node-cut" or not left:
                raise
    raise AssertionError  # the last try returns or raises


def _requests(lines: BinaryIO) -> Iterator[list[Passed]]:
    """Lines as they come, as many as are there at once."""
    rest = b""
    read = getattr(lines, "read1", lines.read)
    while piece := read(2**20):
        *whole, rest = (rest + piece).split(b"\n")
        rest = rest[: MESSAGE_BYTES_MAX + 1]  # of a line that is too long already, no more is kept
        yield from _portions(whole)
    yield from _portions([rest])


def _portions(lines: list[bytes]) -> Iterator[list[Passed]]:
    return _split([line for line in lines if line.strip()])


def _split(passed: Sequence[Passed]) -> Iterator[list[Passed]]:
    for start in range(0, len(passed), LINES_MAX):
        yield list(passed[start : start + LINES_MAX])


def _tell_published(out: Output, told: Told, counted: str) -> None:
    out.line(
        f"{told.accepted:,} taken" + "".join(f", {count:,} {code}" for code, count in sorted(told.refused.items()))
    )
    for each in told.told:
        out.line(f"  {counted} {each.place:,}: {each.code}: {each.sentence}")


class SchemaWritten(msgspec.Struct, frozen=True, kw_only=True):
    """The schema that comes with a door."""

    door: str
    schema: str


@click.command(cls=Verb)
@click.argument("door", type=click.Choice([name for name in DOOR_NAMES if DOORS[name].schema]))
@click.option("--out", type=click.Path(path_type=Path), help="Write it to this new file.")
@housed
def schema(desk: Desk, door: str, out: Path | None) -> None:
    """Print the schema that comes with a door, without marks: what has none does not cross until you write it.

    Example:
      comity feed schema asterix --out air-picture.toml
    """
    text = schema_text(DOORS[door])
    if out is not None:
        write_new_file(out, text.encode())
    told = SchemaWritten(door=door, schema=text)
    desk.show(told, lambda show, _: show.text(text.rstrip() if out is None else f"written: {out}"))


@click.command(cls=Verb)
@click.argument("feed")
@click.argument("number", type=click.IntRange(min=0))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Write the proof to this new file.")
@click.option("--field", "fields", multiple=True, help="Show this field of the original as well; repeat it.")
@relationship
@housed
def prove(desk: Desk, feed: str, number: int, out: Path, fields: tuple[str, ...], relationship: str | None) -> None:
    """Write the proof that a message crossed, and from which original.

    Either party can prove that it crossed. Its publisher proves the original too, and shows of it what is named and
    nothing else.

    Example:
      comity feed prove air-picture 4711 --field track --out message-4711.proof
    """
    desk.session.check()
    request = ProveMessage(feed=feed, number=number, relationship=relationship or "", show=fields)
    proved = call(desk.session.folder, PROVE, request, MessageProved)
    write_new_file(out, proved.proof.encode())
    desk.show(proved, lambda told, _: told.line(f"message {number:,} of {feed!r} is proved in {out.name}"))


@click.command(cls=Verb)
@click.argument("file", type=click.Path(path_type=Path))
@housed
def verify(desk: Desk, file: Path) -> None:
    """Verify the proof of a message with the cards of this house and its peers.

    Example:
      comity feed verify message-4711.proof
    """
    desk.session.check()
    text = read_file(file, PROOF_BYTES_MAX).decode(errors="replace")
    verified = call(desk.session.folder, VERIFY, VerifyMessage(text), MessageVerified)
    desk.show(verified, lambda out, _: _tell_verified(out, verified))


def _tell_verified(out: Output, verified: MessageVerified) -> None:
    out.line(f"message {verified.number:,} of {verified.feed!r}, published by {verified.publisher!r}")
    out.line(f"  crossed   {verified.view}")
    for name, value in verified.shown.items():
        out.line(
            f"  original  {name} = {value}" + ("" if name in verified.same else ", which crossed otherwise or not")
        )
    when = "not cosigned yet" if verified.cosigned is None else f"cosigned {told_instant(verified.cosigned)}"
    out.line(f"  log       {verified.batches:,} batches, {when}")
