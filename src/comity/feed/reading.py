"""What one reader gets of a feed, and what he is told besides (``spec/feed.md`` step 16; pure).

    reading = Reading(filters)
    reading.admit(release, {"track": Seen(kind, fields)})       # what he may see of messages under one release
    events = reading.take(release, place, contents, now)        # a batch: messages, and what is not as it should be
    events = reading.look(now)                                  # sources that have gone silent

Rules of this file:

- What a reader may not see is taken out before anything else looks at the message: no filter, no count of its own and
  no event depends on it.
- Nothing is smoothed: what did not come, comes late or says it is of another time is an event, once, when it is found.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec
from msgspec import Raw, Struct

from comity.agreement.nearest import nearest
from comity.errors import Misuse, invariant
from comity.feed.batch import Closed, Contents, Place, Why
from comity.feed.filters import Fields, Filters, equals, has_position, position_of
from comity.feed.publication import instant_of
from comity.feed.release import Posture
from comity.feed.schema import MessageType

STALE_TIMES = 5.0
"""A source is silent when nothing has come for so many times as long as it was usual between its messages."""
STALE_SECONDS_MIN = 2.0
"""And for no less than this."""
STALE_AFTER = 4
"""Messages of a source before anything is usual of it."""
USUAL_WEIGHT = 1 / 8
"""How much the newest interval counts in what is usual."""
CLOCK_AHEAD = timedelta(seconds=1)
"""How far one clock may lie ahead of another before it is told."""
SOURCES_MAX = 10_000
"""Most sources that one reader's node watches for him; the one heard of least recently is forgotten."""
_TOLD: frozenset[Closed] = frozenset({"posture", "release", "standing", "consent", "ended"})


class Message(Struct, frozen=True, tag="message", tag_field="event"):
    """A message, as this reader sees it.

    Attributes:
        number: in its feed.
        type: its type.
        source: the name of its source, where he may see it; else empty.
        turn: its number among those of its source in this epoch; None where he may not see which source it is of.
        published: when its publisher took it.
        arrived: when it was durable here; None for one that was read from the store.
        view: what he sees of it.
    """

    number: int
    type: str
    source: str
    turn: int | None
    published: datetime
    arrived: datetime | None
    view: Raw


class Gap(Struct, frozen=True, tag="gap", tag_field="event"):
    """Numbers that did not come: of the feed, or of one source."""

    first: int
    last: int
    source: str = ""


class Dropped(Struct, frozen=True, tag="dropped", tag_field="event"):
    """Messages that the publisher did not let cross, and why."""

    type: str
    why: Why
    count: int
    first: datetime
    last: datetime


class Stale(Struct, frozen=True, tag="stale", tag_field="event"):
    """A source has been silent for longer than it has been usual, or than the reader asks, since ``last``.

    ``type`` is that of its last message; where he may not see which source a message is of, all of one type are of one.
    """

    source: str
    type: str
    last: datetime
    silent: float
    usual: float


class Skew(Struct, frozen=True, tag="skew", tag_field="event"):
    """A clock is not as it should be.

    Attributes:
        source: whose; empty for the publisher's own.
        why: it went ``back``; or it lies ``ahead``: a source's of the publisher's, the publisher's of ours.
        seconds: by how much.
        number: of the message that says so.
    """

    source: str
    why: str
    seconds: float
    number: int


class LeftOut(Struct, frozen=True, tag="left-out", tag_field="event"):
    """Messages that are in the store and were not handed on, from and to which number.

    Attributes:
        why: ``slow``: he did not take what came; ``not-permitted``: they were released on terms under which he may
            not read; ``not-as-released``: what crossed has a field that was not released, or is no message.
    """

    first: int
    last: int
    count: int
    why: str = "slow"


class Changed(Struct, frozen=True, tag="changed", tag_field="event"):
    """From here on messages cross on other terms: why the batch before closed, and the next number."""

    why: Closed
    next: int


class Standing(Struct, frozen=True, tag="standing", tag_field="event"):
    """How the feed stands now: whether anything may cross, why not, and under which posture."""

    stands: bool
    why: str
    posture: Posture
    since: datetime


class Ended(Struct, frozen=True, tag="ended", tag_field="event"):
    """The reader may not go on: the code of the reason, a sentence, and the record of the decision."""

    code: str
    sentence: str
    decision_record: str


class Started(Struct, frozen=True, tag="started", tag_field="event", kw_only=True):
    """Reading begins.

    Attributes:
        feed, relationship, publisher: of what.
        release: the standing release.
        mark: its mark, as its publisher wrote it.
        mark_here: as this party marks it; empty where it does not say.
        purpose: what it is read for.
        until: when the release ends by itself.
        fields: what he sees of each type.
        decision_record: what allowed it.
        next: the number of the message that comes next.
    """

    feed: str
    relationship: str
    publisher: str
    release: str
    mark: str
    mark_here: str
    purpose: str
    until: datetime
    fields: dict[str, tuple[str, ...]]
    decision_record: str
    next: int


Event = Started | Message | Gap | Dropped | Stale | Skew | LeftOut | Changed | Standing | Ended


class Seen(Struct, frozen=True):
    """What somebody may see of messages of one type: the type as it is told, and the names of the fields he may see."""

    kind: MessageType
    fields: frozenset[str]


def check_filters(filters: Filters, seen: Mapping[str, Seen]) -> None:
    """See that what a reader asks for can be among what he sees: he would take silence for quiet.

    Raises:
        Misuse: ``unknown-type``, ``unknown-field``, ``no-position``; what he may not see is not there.
    """
    told = {name: each for name, each in seen.items() if each.fields}
    for name in filters.types:
        if name not in told:
            raise Misuse(f"you see no messages of the type {name!r} here{nearest(name, told)}", code="unknown-type")
    wanted = [each for name, each in told.items() if not filters.types or name in filters.types]
    names = {name for each in wanted for name in each.fields} | {"type"}
    for name in filters.where:
        if name not in names:
            raise Misuse(f"you see no field {name!r} of these messages{nearest(name, names)}", code="unknown-field")
    if filters.area is not None and not any(has_position(each.kind, each.fields) for each in wanted):
        raise Misuse("nothing that you see of these messages says where they are", code="no-position")


class _Type:
    """What is worked out once of a type: how messages are cut, and where they say when, who and where."""

    def __init__(self, seen: Seen) -> None:
        kind = seen.kind
        self.fields = frozenset(kind.fields) | {"type"}
        self.hidden = frozenset(kind.fields) - seen.fields
        self.source = kind.source if kind.source in seen.fields else ""
        self.time = kind.time if kind.time in seen.fields else ""
        self.position = position_of(kind)


class _Source:
    """What is known of one source: its own time, and how often it is heard of."""

    def __init__(self, name: str, kind: str) -> None:
        self.name = name
        self.type = kind
        self.time: datetime | None = None
        self.ahead = False
        self.published: datetime | None = None
        self.heard: datetime | None = None
        self.usual = 0.0
        self.count = 0
        self.silent = False


_fields = msgspec.json.Decoder(dict[str, Raw])
_instant = msgspec.json.Decoder(datetime)
_write = msgspec.json.Encoder().encode


class Reading:
    """One reader of one feed.

    Args:
        filters: what he asks for.
        start: the number that he wants next; None for whatever comes first.
        stale: after how many seconds without a message a source is silent; None for what is usual of it.
    """

    def __init__(self, filters: Filters, start: int | None = None, stale: float | None = None) -> None:
        self._filters = filters
        self._stale = stale
        self._next = start
        self._types: dict[str, dict[str, _Type]] = {}
        self._sources: dict[tuple[str, str], _Source] = {}
        self._named: dict[str, bool] = {}
        self._epoch = -1
        self._turns: dict[str, int] = {}
        self._published: dict[str, int] = {}
        self._ahead = False

    @property
    def next(self) -> int | None:
        """The number of the message that comes next; None before the first."""
        return self._next

    def admit(self, release: str, seen: Mapping[str, Seen]) -> None:
        """What he may see of messages under a release from here on, by type; nothing of a type that is not named."""
        self._types[release] = {name: _Type(each) for name, each in seen.items() if each.fields}

    def forget(self) -> None:
        """What he may see is to be said anew."""
        self._types.clear()

    def knows(self, release: str) -> bool:
        """Whether it was said what he may see under a release."""
        return release in self._types

    def sees(self, release: str) -> bool:
        """Whether he may see anything of messages under a release."""
        return bool(self._types.get(release))

    def skip(self, first: int, count: int, why: str) -> LeftOut | None:
        """Messages from a number on are not handed on to him; None where he has had them."""
        wanted = first if self._next is None else max(first, self._next)
        self._next = max(wanted, first + count)
        self._turns.clear()
        left = first + count - wanted
        return LeftOut(wanted, wanted + left - 1, left, why) if left > 0 else None

    def take(self, release: str, place: Place, contents: Contents, now: datetime, *, live: bool = True) -> list[Event]:
        """A batch that is durable here.

        Args:
            release: under which it was sealed.
            place: where it stands.
            contents: what it holds.
            now: when it became durable here, or is read.
            live: whether it has only just come.
        """
        types = self._types.get(release)
        invariant(types is not None, "what a reader may see is said before he reads")
        assert types is not None  # as the invariant says
        end = place.first + place.count
        if self._next is not None and end <= self._next:
            return []
        found: list[Event] = []
        start = place.first
        if place.epoch != self._epoch:  # sources are numbered anew in each
            self._epoch = place.epoch
            self._turns.clear()
        if self._next is not None:
            if start > self._next:
                found.append(Gap(self._next, start - 1))
                self._turns.clear()
            start = max(start, self._next)
        found += [
            Dropped(each.type, each.why, each.count, instant_of(each.first), instant_of(each.last))
            for each in contents.dropped
            if each.type in types and self._wanted(each.type)
        ]
        if live and contents.at:
            self._compare_clocks(found, instant_of(contents.at[-1]), now, end - 1)
        for index in range(start - place.first, place.count):
            told = len(found)
            try:
                self._message(found, types, place, contents, index, now if live else None, now)
            except (LookupError, ValueError, TypeError, RecursionError):  # msgspec's own errors are values'
                number = place.first + index
                found[told:] = [LeftOut(number, number, 1, "not-as-released")]
        self._next = end
        if place.closed in _TOLD:
            found.append(Changed(place.closed, end))
        return found

    def look(self, now: datetime) -> list[Event]:
        """Sources of which nothing has come for too long."""
        found: list[Event] = []
        for source in self._sources.values():
            if source.silent or source.heard is None or source.published is None:
                continue
            if self._stale is not None:
                limit = self._stale
            elif source.count > STALE_AFTER:
                limit = max(STALE_SECONDS_MIN, STALE_TIMES * source.usual)
            else:
                continue
            silent = (now - source.heard).total_seconds()
            if silent > limit:
                source.silent = True
                found.append(Stale(source.name, source.type, source.published, silent, source.usual))
        return found

    # ---- one message -----------------------------------------------------------------------------------------------

    def _message(
        self,
        found: list[Event],
        types: Mapping[str, _Type],
        place: Place,
        contents: Contents,
        index: int,
        arrived: datetime | None,
        now: datetime,
    ) -> None:
        said, turn = contents.sources[contents.source[index]], contents.turn[index]
        expected = self._turns.pop(said, turn)
        self._turns[said] = turn + 1
        if len(self._turns) > SOURCES_MAX:
            del self._turns[next(iter(self._turns))]
        fields = _fields.decode(contents.views[index].decode())  # msgspec does not look whether what it skips is UTF-8
        name = msgspec.json.decode(fields["type"], type=str)
        kind = types.get(name)
        if kind is None or not self._wanted(name):
            return
        if not kind.fields.issuperset(fields) or b"\n" in contents.views[index] or b"\r" in contents.views[index]:
            raise ValueError("not a view of this release, on one line")
        source = said if kind.source else ""
        if self._filters.sources and source not in self._filters.sources:
            return
        number, at = place.first + index, contents.at[index]
        published, newest = instant_of(at), self._published.get(name, at)
        if at < newest:  # of one type, messages come in the order in which they were published
            found.append(Skew("", "back", (newest - at) / 1_000_000, number))
        self._published[name] = at
        view = Raw(contents.views[index])
        if kind.hidden and not kind.hidden.isdisjoint(fields):
            fields = {each: value for each, value in fields.items() if each not in kind.hidden}
            view = Raw(_write(fields))
        if kind.source and turn > expected:
            found.append(Gap(expected, turn - 1, source))
        known = self._source(source, name, told=kind.source in fields)
        if kind.time:
            self._own_time(found, known, source, fields, kind.time, published, number)
        self._heard(known, published, now)
        if self._passes(kind, fields):
            found.append(Message(number, name, source, turn if kind.source else None, published, arrived, view))

    def _wanted(self, name: str) -> bool:
        return not self._filters.types or name in self._filters.types

    def _passes(self, kind: _Type, fields: Fields) -> bool:
        filters = self._filters
        if filters.area is not None:
            place = kind.position(fields)
            if place is None or not filters.area.touches(*place):
                return False
        return not filters.where or equals(fields, filters.where)

    def _source(self, name: str, kind: str, *, told: bool) -> _Source:
        """What is known of a source; where none is told, all messages of one type are of one."""
        if self._named.get(kind) is not told:  # other terms hold: what was known goes by another name now
            self._named[kind] = told
            self._sources = {key: each for key, each in self._sources.items() if each.type != kind}
        key = (name, "" if told else kind)
        known = self._sources.pop(key, None) or _Source(name, kind)
        known.type = kind
        self._sources[key] = known  # at the end: the one at the beginning was heard of least recently
        if len(self._sources) > SOURCES_MAX:
            del self._sources[next(iter(self._sources))]
        return known

    def _own_time(
        self,
        found: list[Event],
        known: _Source,
        source: str,
        fields: Fields,
        time: str,
        published: datetime,
        number: int,
    ) -> None:
        said = _instant.decode(fields[time])
        if known.time is not None and said < known.time:
            found.append(Skew(source, "back", (known.time - said).total_seconds(), number))
        ahead = said > published + CLOCK_AHEAD
        if ahead and not known.ahead:
            found.append(Skew(source, "ahead", (said - published).total_seconds(), number))
        known.time, known.ahead = said, ahead

    def _heard(self, known: _Source, published: datetime, now: datetime) -> None:
        if known.published is not None:
            between = max(0.0, (published - known.published).total_seconds())
            known.usual = between if known.count == 1 else known.usual + (between - known.usual) * USUAL_WEIGHT
        known.published, known.heard, known.silent = published, now, False
        known.count += 1

    def _compare_clocks(self, found: list[Event], published: datetime, now: datetime, number: int) -> None:
        ahead = published > now + CLOCK_AHEAD
        if ahead and not self._ahead:
            found.append(Skew("", "ahead", (published - now).total_seconds(), number))
        self._ahead = ahead
