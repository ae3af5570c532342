"""What of a feed a reader asks for: types, sources, an area, fields that equal a value (``spec/feed.md`` step 16)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from comity.errors import Misuse
from comity.feed.schema import MessageType

NAMES_MAX = 256
"""Most types, sources or fields that one reader names."""
KILOMETRES_A_DEGREE = 110.5
"""The shortest degree of latitude, so that no circle is taken for a smaller one."""
_DEGREES = r"-?[0-9]{1,3}(?:\.[0-9]++)?"
_PLACE = re.compile(rf"(?<![0-9.])({_DEGREES}),({_DEGREES})(?: ([0-9]{{1,12}}(?:\.[0-9]++)?)(?![0-9.,]))?")
"""A pair of latitude and longitude, and the radius in kilometres of a circle around it."""

Degrees = Annotated[float, Meta(ge=-180, le=180)]
Names = Annotated[tuple[str, ...], Meta(max_length=NAMES_MAX)]
Range = tuple[float, float]
"""From the lesser to the greater."""
Fields = Mapping[str, msgspec.Raw]
"""What a reader sees of a message: each field as JSON."""


class Area(Struct, frozen=True, forbid_unknown_fields=True):
    """A box of degrees; one whose west lies east of its east crosses the date line."""

    south: Annotated[float, Meta(ge=-90, le=90)]
    west: Degrees
    north: Annotated[float, Meta(ge=-90, le=90)]
    east: Degrees

    def __post_init__(self) -> None:
        if self.south > self.north:  # nothing lies in it, and a reader would take the silence for quiet
            raise ValueError("the south of an area lies north of its north")

    def touches(self, latitudes: Range, longitudes: Range) -> bool:
        """Whether something that reaches so far lies in it, wholly or in part."""
        if latitudes[1] < self.south or latitudes[0] > self.north:
            return False
        if self.west <= self.east:
            return longitudes[1] >= self.west and longitudes[0] <= self.east
        return longitudes[1] >= self.west or longitudes[0] <= self.east


class Filters(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a reader asks for; what he does not name is not limited.

    Attributes:
        types: types of message.
        sources: names of sources.
        area: where: a message that says nothing of a place lies nowhere.
        where: fields with the value that they must have, as text.
        mark: no field marked above this one.
    """

    types: Names = ()
    sources: Names = ()
    area: Area | None = None
    where: Annotated[Mapping[str, str], Meta(max_length=NAMES_MAX)] = {}
    mark: str = ""


def parse_area(text: str) -> Area:
    """An area as it is typed: ``south,west,north,east`` in degrees.

    Raises:
        Misuse: it is none.
    """
    try:
        return area_of([float(each) for each in text.split(",")])
    except ValueError:
        raise _no_area(text) from None


def area_of(degrees: Sequence[float]) -> Area:
    """The area between south, west, north and east.

    Raises:
        Misuse: it is none.
    """
    try:
        return msgspec.convert(dict(zip(Area.__struct_fields__, degrees, strict=True)), Area)
    except ValueError:  # msgspec's own error is one
        raise _no_area(",".join(map(str, degrees))) from None


def _no_area(text: str) -> Misuse:
    return Misuse(
        f"{text!r} is no area; write south,west,north,east in degrees, as in '33,124,39,132'", code="bad-area"
    )


def parse_where(text: str) -> tuple[str, str]:
    """A condition as it is typed: ``field=value``.

    Raises:
        Misuse: it is none.
    """
    name, found, value = text.partition("=")
    if not found or not name:
        raise Misuse(f"{text!r} is no condition; write FIELD=VALUE, as in 'track=T-71'", code="bad-condition")
    return name, value


def position_of(kind: MessageType) -> Callable[[Fields], tuple[Range, Range] | None]:
    """Where a message is, from its fields of role ``position``.

    A pair of numbers is a place where the name of one begins with ``lat`` and that of the other with ``lon``; a text is
    the box around the ``latitude,longitude`` pairs in it, as in the polygon of an alert, and around the circle where a
    radius in kilometres follows one.
    """
    latitude, longitude, texts = _placed(kind)

    def find(fields: Fields) -> tuple[Range, Range] | None:
        if latitude in fields and longitude in fields:
            y, x = float(bytes(fields[latitude])), float(bytes(fields[longitude]))
            return (y, y), (x, x)
        said = [place for name in texts if name in fields for place in _PLACE.findall(bytes(fields[name]).decode())]
        if not said:
            return None
        boxes = [_around(float(y), float(x), float(radius or 0)) for y, x, radius in said]
        ys, xs = [each for box in boxes for each in box[0]], [each for box in boxes for each in box[1]]
        return (min(ys), max(ys)), (min(xs), max(xs))

    return find


def has_position(kind: MessageType, fields: Container[str]) -> bool:
    """Whether these fields of a type can say where a message is."""
    latitude, longitude, texts = _placed(kind)
    return (latitude in fields and longitude in fields) or any(name in fields for name in texts)


def _placed(kind: MessageType) -> tuple[str, str, list[str]]:
    """The fields with latitude and longitude, empty where there is none, and the texts that say a place."""
    placed = [name for name, said in kind.fields.items() if said.role == "position"]
    numbers = [name for name in placed if kind.fields[name].kind in ("number", "integer")]
    latitude, longitude = (
        next((each for each in numbers if each.lower().startswith(start)), "") for start in ("lat", "lon")
    )
    return latitude, longitude, [name for name in placed if kind.fields[name].kind == "text"]


def _around(latitude: float, longitude: float, kilometres: float) -> tuple[Range, Range]:
    """The box around a circle; all longitudes where it reaches a pole or the date line."""
    if not kilometres:
        return (latitude, latitude), (longitude, longitude)
    reach = kilometres / KILOMETRES_A_DEGREE
    south, north = latitude - reach, latitude + reach
    west, east = -180.0, 180.0
    if south > -90 and north < 90:
        aside = math.degrees(math.asin(math.sin(math.radians(reach)) / math.cos(math.radians(latitude))))
        west, east = longitude - aside, longitude + aside
    if west < -180 or east > 180:
        west, east = -180.0, 180.0
    return (south, north), (west, east)


def equals(fields: Fields, where: Mapping[str, str]) -> bool:
    """Whether each named field has its value: text as it is, everything else as JSON writes it."""
    for name, wanted in where.items():
        raw = fields.get(name)
        if raw is None:
            return False
        found = bytes(raw)
        if found != wanted.encode() and (found[:1] != b'"' or msgspec.json.decode(found) != wanted):
            return False
    return True
