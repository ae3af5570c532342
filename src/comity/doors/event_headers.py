"""CloudEvents 1.0.2 over HTTP: headers and a body, in each of the three modes (``spec/doors.md`` step 6)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from comity.doors import events
from comity.doors.passing import Passed, Setting, read_json, refusal
from comity.errors import Rejected
from comity.feed.schema import Refused

Headers = tuple[tuple[str, str], ...]
"""Names and values, as they stand in a request."""

STRUCTURED = "application/cloudevents+json"
BATCHED = "application/cloudevents-batch+json"
_ATTRIBUTE = "ce-"
_MEDIA = re.compile(r'\s*([^\s;]+)\s*(?:;\s*charset="?utf-8"?\s*)?', re.IGNORECASE)
_ENCODED = re.compile(r"%([0-9A-Fa-f]{2})")
_PLAIN = re.compile(r"(?:[\x20-\x24\x26-\x7e]|%[0-9A-Fa-f]{2})*")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_PRINTABLE = frozenset(range(0x21, 0x7F)) - set(b'"%')
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,9}")
_BOOLEANS = {"true": True, "false": False}


def read_http(headers: Iterable[tuple[str, str]], body: bytes, setting: Setting) -> Iterator[Passed]:
    """Messages of one request (or answer)."""
    try:
        found = _once(headers)
        content_type = found.get("content-type", "")
        media = _MEDIA.fullmatch(content_type)
        kind = media[1].lower() if media else content_type.lower()
        if kind in {STRUCTURED, BATCHED}:
            yield from _of_a_mode(kind, body, setting)
        elif kind.startswith("application/cloudevents"):
            yield Refused("not-json", f"events as {content_type[:80]!r}; they are taken as JSON")
        else:
            yield _read_binary(found, body, setting)
    except Rejected as error:
        yield refusal(error)


def _of_a_mode(kind: str, body: bytes, setting: Setting) -> Iterator[Passed]:
    """Messages of a body that must be an array for the one content type, and none for the other."""
    if isinstance(read_json(body), list) is not (kind == BATCHED):
        raise Rejected(f"the body is not what {kind!r} says", code="malformed")
    yield from events.read(body, setting)


def _once(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in headers:
        lower = name.lower()
        if lower in found and (lower.startswith(_ATTRIBUTE) or lower == "content-type"):
            raise Rejected(f"the header {lower[:80]!r} is there twice", code="bad-attribute")
        found[lower] = value
    return found


def _read_binary(headers: dict[str, str], body: bytes, setting: Setting) -> bytes:
    said: dict[str, object] = {
        name.removeprefix(_ATTRIBUTE): _decoded(name, value)
        for name, value in headers.items()
        if name.startswith(_ATTRIBUTE)
    }
    if reserved := {"data", "datacontenttype"} & said.keys():
        raise Rejected(f"the attribute {min(reserved)!r} is not a header", code="bad-attribute")
    if "content-type" in headers:
        said["datacontenttype"] = headers["content-type"]
    data = read_json(body)
    return events.message_of(_typed(said, setting), data, setting)


def _typed(said: dict[str, object], setting: Setting) -> dict[str, object]:
    """Attributes as the schema has them: in a header everything is text."""
    kind = setting.schema.types.get(str(said.get("type", "")).removeprefix(setting.prefix)) if setting.schema else None
    if kind is None:
        return said
    typed = dict(said)
    for name, text in said.items():
        field = kind.fields.get(f"{events.PREFIX}{name}")
        if field is not None and field.kind == "integer" and _INTEGER.fullmatch(str(text)):
            typed[name] = int(str(text))
        elif field is not None and field.kind == "boolean" and text in _BOOLEANS:
            typed[name] = _BOOLEANS[str(text)]
    return typed


def _decoded(name: str, value: str) -> str:
    """Unquoted, then percent-decoded once."""
    value = value.strip(" \t")
    if quoted := _QUOTED.fullmatch(value):
        value = re.sub(r"\\(.)", r"\1", quoted[1])
    refused = Rejected(f"the header {name[:80]!r} is not percent-encoded UTF-8", code="bad-attribute")
    if not _PLAIN.fullmatch(value):
        raise refused
    try:
        return _ENCODED.sub(lambda found: chr(int(found[1], 16)), value).encode("latin-1").decode()
    except UnicodeDecodeError:
        raise refused from None


def write_http(number: int, message: bytes, setting: Setting) -> tuple[Headers, bytes]:
    """A message in binary mode: headers and body (6, 7).

    Raises:
        Rejected: ``malformed``, ``incomplete``, ``bad-attribute``.
    """
    attributes, data = events.event_of(number, message, setting)
    content_type = str(attributes.pop("datacontenttype"))
    headers = tuple((f"{_ATTRIBUTE}{name}", _written(value)) for name, value in attributes.items())
    return (*headers, ("content-type", content_type)), msgspec.json.encode(data)


def _written(value: str | bool | int) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return "".join(chr(each) if each in _PRINTABLE else f"%{each:02X}" for each in text.encode())
