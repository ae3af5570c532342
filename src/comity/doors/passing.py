"""What goes through a door, what is set for it, and how it is counted (``spec/doors.md`` steps 1 and 2)."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import BinaryIO, Protocol

import msgspec
from msgspec import Struct

from comity.errors import Rejected
from comity.feed.schema import Refused, Schema

DOCUMENT_BYTES_MAX = 1_048_576
"""Longest document, in bytes."""

Passed = bytes | Refused
"""A message, as JSON in UTF-8 (or, on the way out, a document), or why there is none."""
Numbered = tuple[int, bytes]
"""A message and its number in the feed."""


class Setting(Struct, frozen=True, kw_only=True):
    """What a door is told beforehand; each uses what it needs.

    Attributes:
        now: the clock; of a recording, one that shows when it was made (15).
        schema: the schema of the messages.
        prefix: what an event's ``type`` has before the message's (4).
        origin: address of the feed, for events that had none (7).
        trusted: certificates by which an alert may be signed, each in PEM (9).
        key: whose alerts are written: its private key in PEM (12).
        certificate: and its certificate in PEM.
    """

    now: Callable[[], datetime]
    schema: Schema | None = None
    prefix: str = ""
    origin: str = ""
    trusted: tuple[bytes, ...] = ()
    key: bytes = b""
    certificate: bytes = b""

    def __repr__(self) -> str:
        return "Setting()"  # it may have a private key


class Writer(Protocol):
    """Messages on their way out, one after the other; whoever has them hands them over as they come."""

    def take(self, number: int, message: bytes) -> Iterable[Passed]:
        """One more message, by its number in the feed: the documents that are whole now, and what can not be one."""
        ...

    def end(self) -> Iterable[Passed]:
        """Nothing more comes: what has waited."""
        ...


class Door(Struct, frozen=True, kw_only=True):
    """One kind of payload.

    Attributes:
        name: how a user names it.
        title: what goes through it, a few words.
        documents: cuts a stream into documents, or says why it can not go on.
        read: messages of one document.
        writer: what writes documents of messages; None where there is no way out.
        ending: how the name of a file ends that holds one document.
        schema: name of the schema without marks that comes with it; None where it is the user's own.
    """

    name: str
    title: str
    documents: Callable[[BinaryIO], Iterator[Passed]]
    read: Callable[[bytes, Setting], Iterator[Passed]]
    writer: Callable[[Setting], Writer] | None = None
    ending: str = "json"
    schema: str | None = None

    def messages(self, stream: BinaryIO, setting: Setting) -> Iterator[Passed]:
        """Every message of a stream, and every refusal, in order."""
        for document in self.documents(stream):
            if isinstance(document, Refused):
                yield document
            else:
                yield from self.read(document, setting)


class Counted:
    """What passes, counted while it does.

    Attributes:
        passed: how many messages or documents.
        refused: how many refusals of each code.
    """

    def __init__(self, through: Iterable[Passed]) -> None:
        self._through = through
        self.passed = 0
        self.refused: Counter[str] = Counter()

    def __iter__(self) -> Iterator[Passed]:
        for each in self._through:
            if isinstance(each, Refused):
                self.refused[each.code] += 1
            else:
                self.passed += 1
            yield each


def written(writer: Writer, messages: Iterable[Numbered]) -> Iterator[Passed]:
    """The documents of some messages, after which nothing more comes."""
    for number, message in messages:
        yield from writer.take(number, message)
    yield from writer.end()


_PART = r"[A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2}"
_REFERENCE = re.compile(
    rf"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]*+:)|(?![^/?#]*:))"
    rf"(?://(?:{_PART}|[\[\]])*+)?+(?:{_PART}|/)*+(?:\?(?:{_PART}|[/?])*+)?+(?:\#(?:{_PART}|[/?])*+)?+"
)


def is_uri(text: str, *, absolute: bool = False) -> bool:
    """Whether a text is a URI reference of RFC 3986 that is not empty; one with a scheme, if it has to be absolute."""
    found = _REFERENCE.fullmatch(text)
    return found is not None and bool(text) and not (absolute and found["scheme"] is None)


def refusal(error: Rejected) -> Refused:
    """The refusal that an error says."""
    return Refused(error.code, str(error))


def whole(stream: BinaryIO) -> Iterator[Passed]:
    """All that a stream holds, as one document."""
    document = stream.read(DOCUMENT_BYTES_MAX + 1)
    yield _too_large() if len(document) > DOCUMENT_BYTES_MAX else document


def lines(stream: BinaryIO) -> Iterator[Passed]:
    """Each line of a stream that is not blank; of one that is too long, nothing."""
    while line := stream.readline(DOCUMENT_BYTES_MAX + 1):
        if len(line) > DOCUMENT_BYTES_MAX:
            while line and not line.endswith(b"\n"):
                line = stream.readline(DOCUMENT_BYTES_MAX)
            yield _too_large()
        elif line.strip():
            yield line


def _too_large() -> Refused:
    return Refused("too-large", f"a document of more than {DOCUMENT_BYTES_MAX} bytes")


def read_json(data: bytes) -> object:
    """A JSON value in UTF-8, in which no object has a name twice (2).

    Raises:
        Rejected: ``too-large``, ``malformed``.
    """
    if len(data) > DOCUMENT_BYTES_MAX:
        raise Rejected(_too_large().sentence, code="too-large")
    try:
        msgspec.json.decode(data)  # stricter than the standard library, and deaf to names that come twice
        value: object = json.loads(data.decode(), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        repeated = str(error) if isinstance(error, _Repeated) else "not JSON in UTF-8"
        raise Rejected(repeated, code="malformed") from None
    return value


class _Repeated(ValueError):
    """A name is there twice."""


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _Repeated("an object has a name twice")
    return found
