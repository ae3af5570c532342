"""Cutting messages down to what may cross, many at once (``spec/feed.md`` steps 7 to 10).

Everything that does not depend on the message is worked out when the release and the posture are known: which values
are taken from it, which are rounded and how, and how the rest is written. What is left per message is a handful of
calls that run in C.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

import msgspec
from msgspec import UNSET, Struct

from comity.errors import Rejected
from comity.feed.release import Crossing, rounding
from comity.feed.schema import MessageType, Schema, struct_of

_encode = msgspec.json.Encoder().encode
Values = tuple[Any, ...]


class Cutter:
    """What may cross of messages of one type.

    Attributes:
        fields: the names of the fields that cross, in the order of the schema.
        rounded: those of them that cross rounded.
    """

    def __init__(self, name: str, kind: MessageType, crossing: Crossing) -> None:
        self.fields = tuple(each for each in kind.fields if each in crossing.fields)
        self.rounded = frozenset(crossing.round)
        shown = struct_of(name, {each: kind.fields[each] for each in self.fields})
        order = shown.__struct_fields__
        self._view: Callable[..., Struct] = shown
        self._values = _getter(order)
        self._changes = _changes(order, kind, crossing)

    def view(self, message: Struct) -> bytes:
        """What crosses of one message: a JSON object, in UTF-8 (7).

        Raises:
            Rejected: ``bad-field``: an instant that is in no year of UTC.
        """
        try:
            return self._cut(message)
        except OverflowError:
            raise Rejected("an instant lies outside the years 1 to 9999 of UTC", code="bad-field") from None

    def _cut(self, message: Struct) -> bytes:
        values = self._values(message)
        if self._changes:
            changed = list(values)
            for place, change in self._changes:
                value = changed[place]
                if value is not UNSET:
                    changed[place] = change(value)
            return _encode(self._view(*changed))
        return _encode(self._view(*values))


def _getter(names: Sequence[str]) -> Callable[[Struct], Values]:
    if len(names) > 1:
        return attrgetter(*names)
    one = attrgetter(names[0])
    return lambda message: (one(message),)


def _changes(
    order: Sequence[str], kind: MessageType, crossing: Crossing
) -> tuple[tuple[int, Callable[[object], object]], ...]:
    """What is done to the values at some places: rounding; an instant that is not rounded is written in UTC."""
    found = []
    for place, name in enumerate(order):
        step = crossing.round.get(name)
        change = rounding(kind.fields[name].kind, step) if step is not None else None
        if change is None and kind.fields[name].kind == "instant":
            change = _in_utc
        if change is not None:
            found.append((place, change))
    return tuple(found)


def _in_utc(value: object) -> object:
    assert isinstance(value, datetime)
    return value if value.tzinfo is UTC else value.astimezone(UTC)


def cutters(schema: Schema, crossings: Mapping[str, Crossing]) -> dict[str, Cutter]:
    """A cutter for each type that crosses."""
    return {name: Cutter(name, schema.types[name], each) for name, each in crossings.items()}
