"""What a CAP 1.2 alert is made of: elements in order, and what each may say (``spec/doors.md`` step 10)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from comity.doors.passing import is_uri

CAP = "urn:oasis:names:tc:emergency:cap:1.2"
SCOPES = {"Public": "public", "Restricted": "restricted", "Private": "private"}
"""A scope, and how the types of its messages begin (11)."""
WHERE = {"Restricted": "restriction", "Private": "addresses"}
"""What an alert of a scope must have besides."""

Kind = Literal["text", "integer", "number", "instant"]
_Aware = Annotated[datetime, Meta(tz=True)]

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d", re.ASCII)
_NAME = re.compile(r"[^\s,<&]+")
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*")
_MEDIA = re.compile(r"[\w.+-]+/[\w.+-]+(?:;.*)?", re.ASCII)
_DECIMAL = re.compile(r"-?\d{1,12}(?:\.\d{1,12})?", re.ASCII)
_POINT = re.compile(r"(-?\d{1,2}(?:\.\d{1,12})?),(-?\d{1,3}(?:\.\d{1,12})?)", re.ASCII)
_HEXADECIMAL = re.compile(r"[0-9A-Fa-f]{40}")
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_INTEGER_MAX = 2**53 - 1


class Form(Struct, frozen=True):
    """What an element may say.

    Attributes:
        kind: the kind of its field.
        read: its value; raises ``ValueError``.
        write: a value as its text; raises ``ValueError``.
    """

    kind: Kind
    read: Callable[[str], object]
    write: Callable[[object], str]


class Element(Struct, frozen=True):
    """One element: its name, what it may say, whether it must be there, whether it may be there several times."""

    name: str
    form: Form
    needed: bool = False
    many: bool = False
    words: bool = False

    @property
    def kind(self) -> Kind:
        """The kind of its field; what may be there several times is text."""
        return "text" if self.many else self.form.kind


class Group(Struct, frozen=True):
    """An element that holds others: its name, those elements, and the groups that follow them."""

    name: str
    elements: tuple[Element, ...]
    groups: tuple[Group, ...] = ()


def _text(check: Callable[[str], object] | None = None) -> Form:
    def read(text: str) -> object:
        if not text.strip() or (check is not None and not check(text)):
            raise ValueError
        return text

    def write(value: object) -> str:
        if not isinstance(value, str):
            raise ValueError  # noqa: TRY004 - a value that does not fit, whatever its type
        return str(read(value))

    return Form("text", read, write)


def _words(text: str) -> Form:
    return _text(frozenset(text.split()).__contains__)


def _read_instant(text: str) -> object:
    if not _INSTANT.fullmatch(text):
        raise ValueError
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except OverflowError:
        raise ValueError from None


def _write_instant(value: object) -> str:
    try:
        found = msgspec.convert(value, _Aware).astimezone(UTC)
    except (msgspec.ValidationError, OverflowError):
        raise ValueError from None
    return found.strftime("%Y-%m-%dT%H:%M:%S-00:00").rjust(25, "0")


def _read_integer(text: str) -> object:
    if not re.fullmatch(r"0|[1-9][0-9]{0,15}", text) or int(text) > _INTEGER_MAX:
        raise ValueError
    return int(text)


def _write_integer(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError  # noqa: TRY004 - a value that does not fit, whatever its type
    return str(_read_integer(str(value)))


def _read_decimal(text: str) -> object:
    if not _DECIMAL.fullmatch(text):
        raise ValueError
    return float(text)


def _write_decimal(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError  # noqa: TRY004 - a value that does not fit, whatever its type
    written = format(Decimal(repr(value)), "f")
    _read_decimal(written)
    return written


def _is_point(text: str) -> bool:
    found = _POINT.fullmatch(text)
    return found is not None and abs(Decimal(found[1])) <= 90 and abs(Decimal(found[2])) <= 180


def _is_polygon(text: str) -> bool:
    points = text.split(" ")
    return len(points) >= 4 and points[0] == points[-1] and all(map(_is_point, points))


def _is_circle(text: str) -> bool:
    centre, _, radius = text.partition(" ")
    return _is_point(centre) and _DECIMAL.fullmatch(radius) is not None and not radius.startswith("-")


def _is_base64(text: str) -> bool:
    return _BASE64.fullmatch("".join(text.split())) is not None


def _are_references(text: str) -> bool:
    return all(_is_reference(each) for each in text.split())


def _is_reference(text: str) -> bool:
    parts = text.split(",")
    return len(parts) == 3 and all(parts) and _INSTANT.fullmatch(parts[2]) is not None


_FREE = _text()
_CODE_NAME = _text(_NAME.fullmatch)
_LINK = _text(is_uri)
_WHEN = Form("instant", _read_instant, _write_instant)
_NUMBER = Form("number", _read_decimal, _write_decimal)
_PAIR = _FREE
"""Of an element with ``valueName`` and ``value``: what each of them may say."""

PAIRS = frozenset({"eventCode", "parameter", "geocode"})
"""Elements with ``valueName`` and ``value``."""

AREA = Group(
    "area",
    (
        Element("areaDesc", _FREE, needed=True),
        Element("polygon", _text(_is_polygon), many=True),
        Element("circle", _text(_is_circle), many=True),
        Element("geocode", _PAIR, many=True),
        Element("altitude", _NUMBER),
        Element("ceiling", _NUMBER),
    ),
)
RESOURCE = Group(
    "resource",
    (
        Element("resourceDesc", _FREE, needed=True),
        Element("mimeType", _text(_MEDIA.fullmatch), needed=True),
        Element("size", Form("integer", _read_integer, _write_integer)),
        Element("uri", _LINK),
        Element("derefUri", _text(_is_base64)),
        Element("digest", _text(_HEXADECIMAL.fullmatch)),
    ),
)
INFO = Group(
    "info",
    (
        Element("language", _text(_LANGUAGE.fullmatch)),
        Element(
            "category",
            _words("Geo Met Safety Security Rescue Fire Health Env Transport Infra CBRNE Other"),
            needed=True,
            many=True,
            words=True,
        ),
        Element("event", _FREE, needed=True),
        Element(
            "responseType",
            _words("Shelter Evacuate Prepare Execute Avoid Monitor Assess AllClear None"),
            many=True,
            words=True,
        ),
        Element("urgency", _words("Immediate Expected Future Past Unknown"), needed=True),
        Element("severity", _words("Extreme Severe Moderate Minor Unknown"), needed=True),
        Element("certainty", _words("Observed Likely Possible Unlikely Unknown"), needed=True),
        Element("audience", _FREE),
        Element("eventCode", _PAIR, many=True),
        Element("effective", _WHEN),
        Element("onset", _WHEN),
        Element("expires", _WHEN),
        Element("senderName", _FREE),
        Element("headline", _FREE),
        Element("description", _FREE),
        Element("instruction", _FREE),
        Element("web", _LINK),
        Element("contact", _FREE),
        Element("parameter", _PAIR, many=True),
    ),
    (RESOURCE, AREA),
)
ALERT = Group(
    "alert",
    (
        Element("identifier", _CODE_NAME, needed=True),
        Element("sender", _CODE_NAME, needed=True),
        Element("sent", _WHEN, needed=True),
        Element("status", _words("Actual Exercise System Test Draft"), needed=True),
        Element("msgType", _words("Alert Update Cancel Ack Error"), needed=True),
        Element("source", _FREE),
        Element("scope", _text(SCOPES.__contains__), needed=True),
        Element("restriction", _FREE),
        Element("addresses", _FREE),
        Element("code", _FREE, many=True),
        Element("note", _FREE),
        Element("references", _text(_are_references)),
        Element("incidents", _FREE),
    ),
    (INFO,),
)
