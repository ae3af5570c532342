"""CloudEvents 1.0.2 in JSON: structured and batched (``spec/doors.md`` steps 4, 5 and 7)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Annotated, TypeGuard

import msgspec
from msgspec import Meta

from comity.doors.passing import (
    DOCUMENT_BYTES_MAX,
    Numbered,
    Passed,
    Setting,
    is_uri,
    read_json,
    refusal,
    written,
)
from comity.errors import Rejected
from comity.feed.schema import Refused

PREFIX = "ce_"
"""Begins the names of fields that were context attributes."""
JSON_TYPE = "application/json"
BATCH_MAX = 1_000
"""Most events of one batch, where no other number is named."""

_NAME = re.compile(r"[a-z0-9]{1,61}")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_JSON_MEDIA = re.compile(
    r'(?:application/json|[^\s;/]+/(?:[^\s;/]+\+)?json)(?:\s*;\s*charset="?utf-8"?)?', re.IGNORECASE
)
_INTEGER_32 = 2**31
_Instant = Annotated[datetime, Meta(tz=True)]

_FIRST = ("dataschema", "subject", "time")
"""Optional attributes in the order in which they are written; extensions follow by name."""
_OURS = frozenset({"specversion", "type", "datacontenttype", "data", "data_base64"})

Attributes = Mapping[str, str | bool | int]


def read(document: bytes, setting: Setting) -> Iterator[Passed]:
    """Messages of one event in structured mode, or of a batch of them."""
    try:
        value = read_json(document)
    except Rejected as error:
        yield refusal(error)
        return
    for each in value if isinstance(value, list) else [value]:
        try:
            yield _read_event(each, setting)
        except Rejected as error:
            yield refusal(error)


def _read_event(event: object, setting: Setting) -> bytes:
    if not isinstance(event, dict):
        raise Rejected("an event is a JSON object", code="malformed")
    if event.get("data_base64") is not None:
        raise Rejected("the data of an event is JSON here, not bytes", code="not-json")
    said = {name: value for name, value in event.items() if name != "data" and value is not None}
    return message_of(said, event.get("data"), setting)


def message_of(said: Mapping[str, object], data: object, setting: Setting) -> bytes:
    """The message that an event is: its attributes and its data (4, 5).

    Raises:
        Rejected: ``bad-attribute``, ``unknown-type``, ``not-json``, ``malformed``, ``reserved-name``.
    """
    attributes = _checked(said)
    if not _JSON_MEDIA.fullmatch(str(attributes.get("datacontenttype", JSON_TYPE))):
        raise Rejected(f"data of the type {str(said['datacontenttype'])[:80]!r}; JSON is taken", code="not-json")
    if not isinstance(data, dict):
        raise Rejected(
            "the data of an event is a JSON object, whose members are the message's fields", code="malformed"
        )
    for name in data:
        if name == "type" or name.startswith(PREFIX):
            sentence = f"the data has a member {name[:80]!r}, a name that is kept for the event's own"
            raise Rejected(sentence, code="reserved-name")
    kind = str(attributes["type"])
    if not kind.startswith(setting.prefix) or kind == setting.prefix:
        sentence = f"an event of the type {kind[:80]!r}; those taken begin with {setting.prefix!r}"
        raise Rejected(sentence, code="unknown-type")
    fields = {f"{PREFIX}{name}": value for name, value in attributes.items() if name not in _OURS}
    return msgspec.json.encode({"type": kind.removeprefix(setting.prefix), **fields, **data})


def _checked(said: Mapping[str, object]) -> Attributes:
    """The context attributes of an event, each as the standard has it."""
    checked: dict[str, str | bool | int] = {}
    for name, value in said.items():
        if not _NAME.fullmatch(name):
            raise _bad(name, "is named otherwise than by lowercase letters and digits")
        if not _is_simple(value):
            raise _bad(name, "is no string without control characters, no boolean and no whole number of 32 bits")
        checked[name] = value
    if checked.get("specversion") != "1.0":
        raise _bad("specversion", "is not '1.0'")
    for name in ("id", "source", "type"):
        if name not in checked:
            raise _bad(name, "is missing")
    for name in ("id", "source", "type", "subject", "dataschema", "datacontenttype", "time"):
        value = checked.get(name, "there")
        if not isinstance(value, str) or not value:
            raise _bad(name, "is not a text, or empty")
    if not is_uri(str(checked["source"])):
        raise _bad("source", "is not a URI reference")
    if not is_uri(str(checked.get("dataschema", "a:b")), absolute=True):
        raise _bad("dataschema", "is not an absolute URI")
    try:
        msgspec.convert(checked.get("time", "2000-01-01T00:00:00Z"), _Instant)
    except msgspec.ValidationError:
        raise _bad("time", "is no instant of RFC 3339") from None
    return checked


def _is_simple(value: object) -> TypeGuard[str | bool | int]:
    """Whether the value of an attribute is of a type that the standard has for them in JSON (5)."""
    if isinstance(value, str):
        return not _CONTROL.search(value)
    return isinstance(value, int) and -_INTEGER_32 <= value < _INTEGER_32


def _bad(name: str, sentence: str) -> Rejected:
    return Rejected(f"the attribute {name[:80]!r} {sentence}", code="bad-attribute")


def read_data(document: bytes, kind: str) -> dict[str, object]:
    """The data of one event in structured mode, which has to be of this type.

    Raises:
        Rejected: it is none, or of another type.
    """
    event = read_json(document)
    if not isinstance(event, dict) or not isinstance(event.get("data"), dict):
        raise Rejected("an event is a JSON object, and so is its data", code="malformed")
    said = _checked({name: value for name, value in event.items() if name != "data" and value is not None})
    if said["type"] != kind:
        raise Rejected(f"an event of the type {str(said['type'])[:80]!r}, not {kind!r}", code="unknown-type")
    data: dict[str, object] = event["data"]
    return data


# ---- out -------------------------------------------------------------------------------------------------------------


class Structured:
    """Each message as an event in structured mode (7).

    Args:
        setting: prefix and origin.
    """

    def __init__(self, setting: Setting) -> None:
        self._setting = setting

    def take(self, number: int, message: bytes) -> Iterator[Passed]:
        """The event that a message is."""
        try:
            attributes, data = event_of(number, message, self._setting)
            yield msgspec.json.encode({**attributes, "data": data})
        except Rejected as error:
            yield refusal(error)

    def end(self) -> Iterator[Passed]:
        """Nothing waits."""
        return iter(())


class Batched:
    """Messages as batches of events (7).

    Args:
        setting: prefix and origin.
        most: after how many events a batch is written.
    """

    def __init__(self, setting: Setting, most: int = BATCH_MAX) -> None:
        self._each = Structured(setting)
        self._most = most
        self._events: list[bytes] = []
        self._size = 0

    def take(self, number: int, message: bytes) -> Iterator[Passed]:
        """The batch before, where this event is too long for it; and this one, where it is full."""
        for each in self._each.take(number, message):
            if isinstance(each, Refused):
                yield each
                continue
            if self._size + len(each) + 2 > DOCUMENT_BYTES_MAX:
                yield from self.end()
            self._events.append(each)
            self._size += len(each) + 1
            if len(self._events) >= self._most:
                yield from self.end()

    def end(self) -> Iterator[Passed]:
        """What is there, as a batch; nothing where nothing is."""
        if self._events:
            yield b"[" + b",".join(self._events) + b"]"
            self._events, self._size = [], 0


def write(messages: Iterable[Numbered], setting: Setting) -> Iterator[Passed]:
    """Each message as an event in structured mode (7)."""
    return written(Structured(setting), messages)


def event_of(number: int, message: bytes, setting: Setting) -> tuple[dict[str, str | bool | int], dict[str, object]]:
    """The attributes of a message, in order, and its data (7).

    Raises:
        Rejected: ``malformed``, ``incomplete``, ``bad-attribute``.
    """
    value = read_json(message)
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        raise Rejected("a message is a JSON object with a 'type'", code="malformed")
    said = {name.removeprefix(PREFIX): each for name, each in value.items() if name.startswith(PREFIX)}
    data = {name: each for name, each in value.items() if not name.startswith(PREFIX) and name != "type"}
    if "id" not in said and "source" not in said and setting.origin:
        said |= {"id": str(number), "source": setting.origin}
    if "id" not in said or "source" not in said:
        raise Rejected("an event needs 'id' and 'source': they did not cross, and no origin is set", code="incomplete")
    if reserved := _OURS & said.keys():
        raise _bad(min(reserved), "is written by the door itself")
    ordered = {name: said.pop(name) for name in ("id", "source")}
    ordered["type"] = setting.prefix + value["type"]
    ordered["datacontenttype"] = JSON_TYPE
    ordered |= {name: said.pop(name) for name in _FIRST if name in said}
    checked = _checked({"specversion": "1.0", **ordered, **{name: said[name] for name in sorted(said)}})
    return dict(checked), data


def telling(kind: str, source: str, number: int, data: Mapping[str, object]) -> bytes:
    """What is told beside the messages, as an event in structured mode (21).

    Args:
        kind: its type.
        source: of what is told, such as one reading.
        number: its place among what this source told, which is its id.
        data: what it says.
    """
    said = {"specversion": "1.0", "id": str(number), "source": source, "type": kind, "datacontenttype": JSON_TYPE}
    return msgspec.json.encode({**said, "data": data})
