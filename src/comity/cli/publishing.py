"""``comity feed publish``, ``prove`` and ``verify``: messages in, and the proof of one of them out."""

from __future__ import annotations

import os
import sys
from base64 import b32encode
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import click
import msgspec

from comity.cli.files import read_file, write_new_file
from comity.cli.instants import told_instant
from comity.cli.options import Desk, housed, relationship
from comity.cli.output import REFUSED, Output
from comity.errors import Unavailable
from comity.feed.proof import PROOF_BYTES_MAX
from comity.flows.feeding.requests import Published, RefusedMessage
from comity.node.client import call, call_lines
from comity.node.feeds import PROVE, PUBLISH, VERIFY, MessageProved, MessageVerified, ProveMessage, VerifyMessage

LINES_MAX = 2_000
"""Most messages of one request; what is read is sent on without waiting for more."""
TRIES = 3
"""How often a request is made again when the node stopped in the middle of it: it is numbered, and taken once."""
REFUSALS_SHOWN = 10


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


@click.command()
@click.argument("feed")
@click.option("--file", type=click.Path(path_type=Path), help="Read from this file instead of the input.")
@relationship
@housed
def publish(desk: Desk, feed: str, file: Path | None, relationship: str | None) -> int:
    """Publish messages, one JSON object a line, until the input ends.

    Each is taken or refused by itself, and what is taken is durable. It needs a running node.

    Example:
      comity feed publish air-picture < tracks.ndjson
    """
    if file is None:
        told = _publish(desk, feed, relationship or "", sys.stdin.buffer)
    else:
        with file.open("rb") as lines:
            told = _publish(desk, feed, relationship or "", lines)
    desk.show(told, lambda out, _: _tell_published(out, told))
    return REFUSED if told.refused else 0


def _publish(desk: Desk, feed: str, relationship: str, lines: BinaryIO) -> Told:
    """Every line, a request at a time; requests are numbered, so that one that is made again is taken once."""
    desk.session.check()
    source = f"s-{b32encode(os.urandom(10)).decode().lower()}"
    accepted, line, refused, told = 0, 1, dict[str, int](), list[RefusedMessage]()
    for request, messages in enumerate(_requests(lines), 1):
        query = {"feed": feed, "relationship": relationship, "source": source, "request": str(request)}
        found = _ask(desk, query, messages)
        accepted += found.accepted + found.repeated
        for code, count in found.refused.items():
            refused[code] = refused.get(code, 0) + count
        if len(told) < REFUSALS_SHOWN:
            told += [RefusedMessage(line + each.place, each.code, each.sentence) for each in found.told]
        line += len(messages)
    return Told(accepted=accepted, refused=refused, told=tuple(told[:REFUSALS_SHOWN]))


def _ask(desk: Desk, query: dict[str, str], messages: list[bytes]) -> Published:
    for left in reversed(range(TRIES)):
        try:
            return call_lines(desk.session.folder, PUBLISH, query, messages, Published)
        except Unavailable as error:
            if error.code != "node-cut" or not left:
                raise
    raise AssertionError  # the last try returns or raises


def _requests(lines: BinaryIO) -> Iterator[list[bytes]]:
    """Lines as they come, as many as are there at once."""
    rest = b""
    read = getattr(lines, "read1", lines.read)
    while piece := read(2**20):
        *whole, rest = (rest + piece).split(b"\n")
        yield from _portions(whole)
    yield from _portions([rest])


def _portions(lines: list[bytes]) -> Iterator[list[bytes]]:
    lines = [line for line in lines if line.strip()]
    for start in range(0, len(lines), LINES_MAX):
        yield lines[start : start + LINES_MAX]


def _tell_published(out: Output, told: Told) -> None:
    out.line(
        f"{told.accepted:,} taken" + "".join(f", {count:,} {code}" for code, count in sorted(told.refused.items()))
    )
    for each in told.told:
        out.line(f"  line {each.place:,}: {each.code}: {each.sentence}")


@click.command()
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


@click.command()
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
