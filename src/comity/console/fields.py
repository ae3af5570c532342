"""Fields of forms: what can be typed, how it is read, and what is said where it cannot be (``spec/acts.md`` step 2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Literal

import msgspec

from comity.console.languages import Language
from comity.console.visit import Form

Kind = Literal[
    "text", "area", "choice", "many", "check", "day", "until", "moment", "number", "lines", "item", "items", "hidden"
]
"""A line, several lines, one of some, any of some, yes or no, a day from its begin, a day until it is over, a day and
time, a whole number, one thing on each line, an item or several, of those listed or by their numbers, and what the page
itself says."""
ITEMS = ("item", "items")
LINE, AREA = 1_000, 4_000
"""Most characters of a line and of an area."""


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One field, in the reader's language.

    Attributes:
        name: its name.
        label: what it is called.
        kind: what it takes.
        hint: what is to be known when one fills it in.
        options: what can be chosen, in pairs of a value and how it is called.
        needed: it must not be empty.
        value: what stands in it at first; of several, each on a line.
    """

    name: str
    label: str
    kind: Kind = "text"
    hint: str = ""
    options: tuple[tuple[str, str], ...] = ()
    needed: bool = True
    value: str = ""

    def told(self, typed: Typed) -> str:
        """What was typed or chosen, as its reader calls it; empty where that is nothing."""
        if self.kind in ("choice", "many"):
            return "; ".join(label for value, label in self.options if value and typed.chosen(self.name, value))
        if self.kind in ITEMS:
            known = dict(self.options)
            return "; ".join(known.get(each, each) for each in typed.several(self.name))
        return "✓" if self.kind == "check" and typed.yes(self.name) else typed.shown(self.name)

    @property
    def most(self) -> int:
        """Most characters."""
        return LINE if self.kind not in ("area", "lines", "items") else AREA


class Typed:
    """What was typed, by field: as it was typed, and as it was read.

    Attributes:
        mistakes: what could not be read, by field.
        fresh: the identifier that the form was made with.
    """

    def __init__(self, given: Mapping[str, tuple[str, ...]], fresh: str = "") -> None:
        self._given = given
        self._read: dict[str, object] = {}
        self.mistakes: dict[str, str] = {}
        self.fresh = fresh

    def shown(self, name: str) -> str:
        """As it was typed, for the form."""
        return "\n".join(self._given.get(name, ()))

    def chosen(self, name: str, value: str) -> bool:
        """Whether one of several was chosen."""
        return value in self._given.get(name, ())

    def text(self, name: str) -> str:
        """A line or an area; empty where nothing was typed."""
        return self.shown(name)

    def maybe(self, name: str) -> str | None:
        """Likewise, None where nothing was typed."""
        return self.shown(name) or None

    def several(self, name: str) -> tuple[str, ...]:
        """What was chosen, or each line."""
        return tuple(each for value in self._given.get(name, ()) for each in value.splitlines() if each.strip())

    def yes(self, name: str) -> bool:
        """Whether it was ticked."""
        return bool(self._given.get(name))

    def instant(self, name: str) -> datetime:
        """The day that was named."""
        found = self._read[name]
        assert isinstance(found, datetime)  # a needed field that was read without mistakes
        return found

    def maybe_instant(self, name: str) -> datetime | None:
        """Likewise, None where none was."""
        found = self._read.get(name)
        return found if isinstance(found, datetime) else None

    def number(self, name: str) -> int | None:
        """The number that was typed; None where none was."""
        found = self._read.get(name)
        return found if isinstance(found, int) else None

    def note(self, name: str, read: object) -> None:
        """Keep how a field was read."""
        self._read[name] = read


def read_typed(fields: Sequence[Field], form: Form, words: Language, *, blank: bool = False) -> Typed:
    """What a form says of some fields; ``blank`` is for one that was not sent: what it lacks is as at first."""
    given: dict[str, tuple[str, ...]] = {}
    for each in fields:
        values = tuple(value.replace("\r\n", "\n") for value in form.all(each.name))
        if blank and each.name not in form and each.value:
            values = tuple(each.value.split("\n"))
        if each.kind in ITEMS:  # what is chosen and what is typed have one name
            values = tuple(
                dict.fromkeys(line.strip() for value in values for line in value.split("\n") if line.strip())
            )
        given[each.name] = values
    typed = Typed(given, form.get("fresh"))
    if blank:
        return typed
    for each in fields:
        mistake = _check(each, typed, words)
        if mistake:
            typed.mistakes[each.name] = mistake
    return typed


def _check(each: Field, typed: Typed, words: Language) -> str:
    """What is wrong with a field; empty where nothing is."""
    said = typed.shown(each.name)
    if not said:
        return words("%(label)s: this must not be empty", label=each.label) if each.needed else ""
    if len(said) > each.most:
        return words("%(label)s: at most %(most)s characters", label=each.label, most=words.number(each.most))
    if each.kind == "item" and len(typed.several(each.name)) > 1:
        return words("%(label)s: choose one of those listed, or type another one, not both", label=each.label)
    if each.kind in ("choice", "many"):
        known = {value for value, _ in each.options}
        chosen = {said} if each.kind == "choice" else set(typed.several(each.name))
        if not chosen <= known:
            return words("%(label)s: choose one of those listed", label=each.label)
    if each.kind in ("day", "until"):
        read = instant_of(said, words.zone, end=each.kind == "until")
        if read is None:
            return words("%(label)s: this is no day; write it as 2027-03-31", label=each.label)
        typed.note(each.name, read)
    if each.kind == "moment":
        at = moment_of(said, words.zone)
        if at is None:
            return words("%(label)s: this is no day and time; write it as 2027-03-31T14:30", label=each.label)
        typed.note(each.name, at)
    if each.kind == "number":
        if not (said.isascii() and said.isdecimal() and len(said) <= 15):
            return words("%(label)s: this is no whole number", label=each.label)
        typed.note(each.name, int(said))
    return ""


def moment_of(said: str, zone: tzinfo) -> datetime | None:
    """A day and time in the zone of the house, or with its own offset; None for what is none."""
    try:
        moment = datetime.fromisoformat(said)
    except ValueError:
        return None
    if len(said) < len("2027-03-31T14:30") or not 1 < moment.year < 9998:
        return None
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)).astimezone(UTC)


def instant_of(said: str, zone: tzinfo, *, end: bool) -> datetime | None:
    """The first instant of a day in the zone of the house, or the last second of it; None for what is no day."""
    try:
        day = date.fromisoformat(said)
    except ValueError:
        return None
    if len(said) != len("2027-03-31") or not 1 < day.year < 9998:  # every zone can say it
        return None
    if end:
        return datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC) - timedelta(seconds=1)
    return datetime.combine(day, time(), zone).astimezone(UTC)
