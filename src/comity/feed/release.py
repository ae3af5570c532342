"""The standing release: what may cross of each type, under which posture (``spec/feed.md`` steps 3, 5 and 6)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from fractions import Fraction
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from comity.agreement.digest import digest_of
from comity.agreement.lines import Path
from comity.agreement.load import read_file
from comity.agreement.model import Identifier, Line, Table
from comity.agreement.nearest import nearest
from comity.errors import Rejected
from comity.feed.schema import SHAPES, FieldName, Schema

Posture = Literal["normal", "heightened", "crisis"]
POSTURES: tuple[Posture, ...] = ("normal", "heightened", "crisis")
"""From the least that is shared to the most."""
RATE_MAX = 1_000_000
DELAY_SECONDS_MAX = 86_400

_STEP = re.compile(r"(0\.0{0,14})?[125]0{0,15}")
"""From 10^-15 to 5 * 10^15: beyond those nothing would be rounded, or everything to nought."""
_INSTANT_STEPS = {"1s": 1, "10s": 10, "1min": 60, "10min": 600, "1h": 3600}
_UNTIL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


class Crossing(Table, frozen=True):
    """What crosses of one type: the fields, what they are rounded to, seconds of delay, messages a second at most."""

    fields: Annotated[tuple[FieldName, ...], Meta(min_length=1)]
    round: Mapping[FieldName, Line] = {}
    delay: Annotated[int, Meta(ge=0, le=DELAY_SECONDS_MAX)] = 0
    rate: Annotated[int, Meta(ge=1, le=RATE_MAX)] | None = None


class UnderPosture(Table, frozen=True):
    """`[[release.posture]]`: what crosses while this posture, or a higher one without a table of its own, holds."""

    posture: Posture
    types: Mapping[Identifier, Crossing]


class ReleaseHeader(Table, frozen=True):
    """`[release]`. Whose information it is, and on whose ground its source stands: the publisher unless it is said."""

    format: int
    feed: Identifier
    mark: Line
    topic: Line
    purpose: Line
    until: Line
    posture: Annotated[tuple[UnderPosture, ...], Meta(min_length=1, max_length=3)]
    subject: Line = "defence"
    originator: Identifier | None = None
    host: Identifier | None = None


class ReleaseFile(Table, frozen=True):
    """What a release file holds."""

    release: ReleaseHeader


class Release(Struct, frozen=True):
    """A checked standing release.

    Attributes:
        feed: the feed it is of.
        digest: SHA-256 of what is written, hexadecimal.
        schema: digest of the schema it was checked against.
        mark, topic, purpose: what it crosses under.
        until: the first instant at which it no longer holds, aware UTC.
        postures: what crosses, by posture and type; each posture has its own table, or that of the next lower one.
        subject: what it is about, a word of the agreement's scope.
        originator: whose information it is; None where it is the publisher's own.
        host: on whose ground, or in whose hands, its source stands; None likewise.
    """

    feed: str
    digest: str
    schema: str
    mark: str
    topic: str
    purpose: str
    until: datetime
    postures: Mapping[Posture, Mapping[str, Crossing]] = field(default_factory=dict)
    subject: str = "defence"
    originator: str | None = None
    host: str | None = None


def parse_release(text: str, file: str, schema: Schema, ranks: Mapping[str, int]) -> Release:
    """The release written in ``text``, checked against its schema and the publisher's ladder.

    Args:
        text: the file.
        file: its name, for errors.
        schema: what messages there are.
        ranks: the rank of each mark of the publisher, the highest the most secret.

    Raises:
        Rejected: it breaks a rule of step 3; ``place`` is ``file:line``.
    """
    written, lines, read = read_file(text, file, ReleaseFile, "release", SHAPES)
    said = read.release

    def no(code: str, path: Path, sentence: str) -> Rejected:
        return Rejected(sentence, code=code, place=f"{file}:{lines.of(('release', *path))}")

    if not _UNTIL.fullmatch(said.until):
        raise no("bad-instant", ("until",), f"'until' is {said.until!r}; write UTC, as in '2027-03-31T00:00:00Z'")
    try:
        until = datetime.strptime(said.until, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise no("bad-instant", ("until",), f"there is no instant {said.until!r}") from None
    if said.mark not in ranks:
        raise no("unknown-mark", ("mark",), f"there is no mark {said.mark!r}{nearest(said.mark, ranks)}")
    tables: dict[Posture, Mapping[str, Crossing]] = {}
    for number, under in enumerate(said.posture):
        path: Path = ("posture", number)
        if under.posture in tables:
            raise no("twice", (*path, "posture"), f"the posture {under.posture!r} is there twice")
        for name, crossing in under.types.items():
            place = (*path, "types", name)
            if problem := _problem(name, crossing, schema, ranks, said.mark):
                raise no(problem[0], (*place, *problem[1]), problem[2])
        tables[under.posture] = under.types
    held: Mapping[str, Crossing] = {}
    postures: dict[Posture, Mapping[str, Crossing]] = {}
    for posture in POSTURES:
        held = tables.get(posture, held)
        postures[posture] = held
    return Release(
        said.feed,
        digest_of(written),
        schema.digest,
        said.mark,
        said.topic,
        said.purpose,
        until,
        postures,
        said.subject,
        said.originator,
        said.host,
    )


def _problem(
    name: str, crossing: Crossing, schema: Schema, ranks: Mapping[str, int], mark: str
) -> tuple[str, Path, str] | None:
    """What is wrong with what crosses of one type: code, place in it, sentence."""
    kind = schema.types.get(name)
    if kind is None:
        return "unknown-type", (), f"the schema {schema.id!r} has no type {name!r}{nearest(name, schema.types)}"
    for number, each in enumerate(crossing.fields):
        said, path = kind.fields.get(each), ("fields", number)
        if said is None:
            return "unknown-field", path, f"the type {name!r} has no field {each!r}{nearest(each, kind.fields)}"
        if said.mark is None:
            return "unlabelled-field", path, f"the field {each!r} has no mark in the schema, and does not cross"
        if said.mark not in ranks:
            return (
                "unknown-mark",
                path,
                f"the field {each!r} is marked {said.mark!r}, which is no mark of the publisher",
            )
        if ranks[said.mark] > ranks[mark]:
            return "above-release", path, f"the field {each!r} is marked {said.mark!r}, above the release's {mark!r}"
        if each in crossing.fields[:number]:
            return "twice", path, f"the field {each!r} is there twice"
    for each, step in crossing.round.items():
        if each not in crossing.fields:
            return "not-released", ("round", each), f"{each!r} is rounded, and does not cross"
        if rounding(kind.fields[each].kind, step) is None:
            sentence = f"{step!r} is no step for {each!r}: write 1, 2 or 5 with noughts, as in '0.1' or '500', or"
            return "bad-step", ("round", each), f"{sentence} for an instant one of {', '.join(_INSTANT_STEPS)}"
    return None


def rounding(kind: str, step: str) -> Callable[[object], object] | None:
    """How a value of a kind is rounded to ``step`` (7); None where there is no such step."""
    if kind == "instant":
        seconds = _INSTANT_STEPS.get(step)
        return None if seconds is None else _to_instants(seconds)
    if kind not in {"integer", "number"} or not _STEP.fullmatch(step):
        return None
    size = Fraction(step)
    if kind == "integer":
        return None if size.denominator != 1 else _to_integers(int(size))
    return _to_multiples(int(size)) if size.denominator == 1 else _to_parts(int(1 / size))


def _to_integers(step: int) -> Callable[[object], object]:
    return lambda value: round(Fraction(value, step)) * step  # type: ignore[call-overload]  # an int by its kind


def _to_multiples(step: int) -> Callable[[object], object]:
    return lambda value: float(round(value / step) * step)  # type: ignore[operator]  # a float by its kind


def _to_parts(parts: int) -> Callable[[object], object]:
    return lambda value: round(value * parts) / parts  # type: ignore[operator]  # a float by its kind


def _to_instants(seconds: int) -> Callable[[object], object]:
    def cut(value: object) -> object:
        assert isinstance(value, datetime)
        value = value.astimezone(UTC)
        if seconds < 60:
            return value.replace(second=value.second - value.second % seconds, microsecond=0)
        return value.replace(minute=value.minute - value.minute % (seconds // 60), second=0, microsecond=0)

    return cut


def joint(declared: Iterable[Posture | None]) -> Posture:
    """The posture that holds: the lowest that all have declared, ``normal`` where one has declared none (5)."""
    return POSTURES[min(POSTURES.index(each or "normal") for each in declared)]
