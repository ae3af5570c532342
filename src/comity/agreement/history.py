"""The history of an agreement: dated events with their sources, as a file beside the agreement file.

Rules of this file (``spec/term.md`` steps 1, 2 and 5):

- An event is written with the precision of its source (a month, a day, a minute) in the local time of a named zone,
  and with the day of the *report* kept apart from the day of the *event*. Sources that disagree stand beside it.
- The kind of an event says whether it changes the term (``lifecycle.py``); a reading says how a party reads the
  agreement from then on, and whether the party said so or others reported it.
- Events stand in the order in which they happened, as far as their dates can tell.
- ``HistoryFile`` is what was written; ``History`` is the same, checked, with every event placed in time. Only
  ``history_of`` makes one, so a history whose dates, references and order do not fit cannot exist. Whether its acts
  make sense one after another is for ``term.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Literal, NoReturn

from msgspec import Struct, field, json
from msgspec.structs import replace

from comity.agreement import vocabulary as words
from comity.agreement.calendar import TimeZones, Window, window
from comity.agreement.lifecycle import ACTS, ACTS_OF_ALL, ACTS_ON_ANOTHER, Act, NoEffect, one
from comity.agreement.model import FORMAT_VERSION, Agreement, Identifier, Line, Table, Term
from comity.agreement.writing import table
from comity.errors import Misuse, Rejected

HISTORY_EVENTS_MAX = 20_000
"""Most events in one history: twice the longest that the benchmarks evaluate."""

Moment = Line
"""`2011-01`, `2011-01-10` or `2019-11-22T18:00` in the local time of the event's zone; `calendar.py` reads it."""

Holding = Literal["at-any-time", "notice-before-renewal"]
"""How a suspended notice can still end the agreement: by reactivating it at any time, or only by a notice in time."""


class Source(Table, frozen=True):
    """`[[source]]`: who reported, where, and on which day the report (not the event) is dated."""

    id: Identifier
    title: Line
    provenance: words.Provenance
    where: str = ""
    report_date: Moment | None = None
    note: str = ""


class Version(Table, frozen=True):
    """`[[event.version]]`: what one source says otherwise."""

    source: str
    says: Line
    when: Moment | None = None


class ReadingClaim(Table, frozen=True):
    """`[[event.reading]]`: how a party reads the agreement, from this event on."""

    whose: str
    known: Literal["said", "reported"]
    point: Literal["suspended-notice"]
    holds: Holding
    says: Line


class Event(Table, frozen=True):
    """`[[event]]`: one thing that happened.

    `not_before` and `not_after` narrow a day whose hour is not known; `about` marks a time the sources give roughly.
    `of` is the event that a suspension, reactivation or withdrawal acts on.
    """

    id: Identifier
    when: Moment
    zone: Line
    kind: Act | NoEffect
    says: Line
    not_before: Moment | None = None
    not_after: Moment | None = None
    about: bool = False
    by: tuple[str, ...] = ()
    of: str | None = None
    clauses: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    note: str = ""
    versions: tuple[Version, ...] = field(name="version", default=())
    readings: tuple[ReadingClaim, ...] = field(name="reading", default=())


class HistoryHeader(Table, frozen=True):
    """`[history]`: of which agreement. `hypothetical` says what is supposed, in a history that did not happen."""

    format: int
    agreement: Identifier
    title: Line
    hypothetical: Line | None = None


class HistoryFile(Table, frozen=True):
    """A history as written."""

    header: HistoryHeader = field(name="history")
    events: tuple[Event, ...] = field(name="event", default=())
    sources: tuple[Source, ...] = field(name="source", default=())


class Dated(Struct, frozen=True):
    """An event with its place in time.

    Attributes:
        event: the event as written.
        window: the instants it can have happened at, given its own words and the events around it.
        effective: the instant from which it counts; see ``spec/term.md`` step 2.
    """

    event: Event
    window: Window
    effective: datetime


class History(Struct, frozen=True):
    """A checked history; its events are in order of ``effective``."""

    agreement: str
    title: str
    events: tuple[Dated, ...]
    sources: tuple[Source, ...]
    hypothetical: str | None
    tzdata: str


Place = Callable[[Sequence[str | int]], str]
"""Turns a path in the file, such as ``("event", 3, "when")``, into ``file:line``."""


def history_of(file: HistoryFile, agreement: Agreement, zones: TimeZones, *, place: Place = lambda _: "") -> History:
    """Check ``file`` against itself and ``agreement`` and place its events in time.

    Raises:
        Rejected: an id is there twice or names nothing, an act lacks what it needs, a date is no date in its zone,
            or the events are not in an order in which they can have happened.
    """
    check = _Check(file, agreement, place)
    check.header()
    check.references()
    windows = [check.window(index, zones) for index in range(len(file.events))]
    return History(
        agreement=file.header.agreement,
        title=file.header.title,
        events=check.in_order(windows),
        sources=file.sources,
        hypothetical=file.header.hypothetical,
        tzdata=zones.version,
    )


def clause_on(term: Term, kind: Act | NoEffect) -> str:
    """The clause that an event of this kind goes by: on notice, on entry into force, or on the term as a whole."""
    if term.notice is not None and (kind == "notice" or kind in ACTS_ON_ANOTHER):
        return term.notice.clause
    return (term.entry_clause if kind in {"signature", "entry-note", "deposit", "entry"} else None) or term.clause


def history_from_header(agreement: Agreement) -> HistoryFile:
    """The history that the agreement file itself tells, for an agreement without a history file.

    Raises:
        Misuse: the agreement entered into force before it was signed.
    """
    header = agreement.header
    by_signature = agreement.term.entry == "on-signature" and header.in_force == header.signed
    days = (("signature", header.signed), ("entry", None if by_signature else header.in_force))
    if header.signed and header.in_force and header.in_force < header.signed:
        raise Misuse(
            f"the agreement is signed on {header.signed} but in force since {header.in_force}", code="bad-date"
        )
    return HistoryFile(
        header=HistoryHeader(FORMAT_VERSION, header.id, header.title.en),
        events=tuple(
            Event(
                id=f"{day}-{kind}",
                when=day,
                zone=agreement.term.timezone,
                kind=kind,  # type: ignore[arg-type]  # one of two literals
                by=tuple(party.id for party in agreement.parties),
                says="As the agreement file says.",
            )
            for kind, day in days
            if day
        ),
    )


def written_from_header(agreement: Agreement) -> str:
    """The same as a history file, for whoever keeps one with the agreement.

    Raises:
        Misuse: the agreement entered into force before it was signed.
    """
    return write_history(history_from_header(agreement))


def write_history(file: HistoryFile) -> str:
    """A history as a file."""
    rows = [("[history]", file.header), *(("[[event]]", event) for event in file.events)]
    return "\n\n".join(table(head, json.decode(json.encode(row))) for head, row in rows) + "\n"


class _Check:
    """The checks of one file; each refusal names the place in it."""

    def __init__(self, file: HistoryFile, agreement: Agreement, place: Place) -> None:
        self.file, self.agreement, self.place = file, agreement, place
        self.parties = tuple(party.id for party in agreement.parties)

    def refuse(self, sentence: str, *path: str | int, code: str = "bad-history") -> NoReturn:
        raise Rejected(sentence, code=code, place=self.place(path))

    def header(self) -> None:
        written, agreed = self.file.header.agreement, self.agreement.header.id
        if written != agreed:
            self.refuse(f"this is the history of {written!r}, not of {agreed!r}", "history", "agreement")
        if len(self.file.events) > HISTORY_EVENTS_MAX:
            self.refuse(f"{len(self.file.events)} events; at most {HISTORY_EVENTS_MAX} are allowed", "event")

    def references(self) -> None:
        """Every name is there once and names something; every act has what its kind needs."""
        sources: set[str] = set()
        for index, source in enumerate(self.file.sources):
            if source.id in sources:
                self.refuse(f"source {source.id!r} is there twice", "source", index, "id")
            sources.add(source.id)
        clauses = {clause.id for clause in self.agreement.clauses}
        signed, supposed = self.agreement.header.signed, self.file.header.hypothetical
        seen: dict[str, Event] = {}
        for index, event in enumerate(self.file.events):
            at = ("event", index)
            if event.id in seen:
                self.refuse(f"event {event.id!r} is there twice", *at, "id")
            if (
                event.kind == "signature"
                and signed
                and not supposed
                and signed[: len(event.when)] != event.when[: len(signed)]
            ):
                self.refuse(
                    f"{event.when!r} is not {signed!r}, when the agreement file says it was signed", *at, "when"
                )
            cited = [("sources", name) for name in event.sources]
            cited += [("version", version.source) for version in event.versions]
            for key, name in cited:
                if name not in sources:
                    self.refuse(f"no source is called {name!r}; add a [[source]] with that id", *at, key)
            for name in event.clauses:
                if name not in clauses:
                    self.refuse(f"{self.agreement.header.id!r} has no clause {name!r}", *at, "clauses")
            named = [("by", name) for name in event.by]
            named += [("reading", claim.whose) for claim in event.readings]
            for key, name in named:
                if name not in self.parties:
                    self.refuse(f"{name!r} is not a party; the parties are {', '.join(self.parties)}", *at, key)
            self._act(event, at, seen)
            seen[event.id] = event

    def _act(self, event: Event, at: tuple[str, int], seen: dict[str, Event]) -> None:
        if event.kind in ACTS_OF_ALL and set(event.by) != set(self.parties):
            self.refuse(
                f"{one(event.kind)} is an act of every party, {', '.join(self.parties)}; this one is by"
                f" {', '.join(event.by) or 'nobody'}",
                *at,
                "by",
            )
        one_party = {"entry-note", "deposit", "notice", *ACTS_ON_ANOTHER}
        if event.kind in one_party and len(event.by) != 1:
            self.refuse(f"{one(event.kind)} is the act of one party; write its id in by", *at, "by")
        if event.kind not in ACTS_ON_ANOTHER:
            if event.of is not None:
                self.refuse(f"{one(event.kind)} acts on no other event; leave out of", *at, "of")
            return
        kinds = ACTS_ON_ANOTHER[event.kind]
        wanted = " or ".join(sorted(kinds))
        target = seen.get(event.of or "")
        if target is None or target.kind not in kinds:
            clause = clause_on(self.agreement.term, event.kind)
            self.refuse(
                f"{one(event.kind)} needs the earlier {wanted} it acts on (clause {clause!r} of the agreement); "
                + (f"of = {event.of!r} names none before it" if event.of else "name it with of = …"),
                *at,
                "of" if event.of else "kind",
                code="no-such-notice",
            )
        if target.by != event.by:
            self.refuse(
                f"{target.id!r} is an act of {target.by[0]!r}; only {target.by[0]!r} can make a {event.kind} of it",
                *at,
                "by",
            )

    def window(self, index: int, zones: TimeZones) -> Window:
        """(2) When the event can have happened, by its own words alone."""
        event = self.file.events[index]
        key = "zone"
        try:
            zone = zones.zone(event.zone)
            key = "when"
            whole = window(event.when, zone)
            earliest, latest = whole.earliest, whole.latest
            if event.not_before:
                key = "not-before"
                earliest = max(earliest, window(event.not_before, zone).earliest)
            if event.not_after:
                key = "not-after"
                latest = min(latest, window(event.not_after, zone).latest)
            for position, version in enumerate(event.versions):
                if version.when:
                    key = f"version {position + 1}"
                    window(version.when, zone)
        except Rejected as error:
            raise Rejected(error.args[0], code=error.code, place=self.place(("event", index, key))) from error
        if earliest > latest:
            self.refuse("not-before, when and not-after leave no instant between them", "event", index, "when")
        return Window(earliest, latest, whole.precision)

    def in_order(self, windows: list[Window]) -> tuple[Dated, ...]:
        """(2) Narrow every window by the acts and readings around it, and say from when each event counts."""
        self._check_order(windows)
        events = self.file.events
        moves = [event.kind in ACTS or bool(event.readings) for event in events]
        narrowed, earliest = list(windows), _ALWAYS
        for index, own in enumerate(windows):
            narrowed[index] = replace(own, earliest=max(own.earliest, earliest))
            earliest = narrowed[index].earliest if moves[index] else earliest
        latest = _NEVER
        for index in reversed(range(len(windows))):
            narrowed[index] = replace(narrowed[index], latest=min(windows[index].latest, latest))
            latest = narrowed[index].latest if moves[index] else latest
        effective, before = [_ALWAYS] * len(windows), _ALWAYS
        for index, own in enumerate(narrowed):
            if moves[index]:
                by_date = events[index].kind in _COUNTED_BY_DATE
                before = max(before, own.earliest if by_date else own.latest)
            effective[index] = before
        after = _NEVER
        for index in reversed(range(len(windows))):
            if not moves[index]:
                effective[index] = max(effective[index], min(narrowed[index].latest, after))
            after = effective[index]
        return tuple(Dated(*each) for each in zip(events, narrowed, effective, strict=True))

    def _check_order(self, windows: list[Window]) -> None:
        newest = 0
        for index, own in enumerate(windows):
            if windows[newest].earliest > own.latest:
                self.refuse(
                    f"{self.file.events[index].id!r} stands after {self.file.events[newest].id!r} and cannot have"
                    " happened after it; write events in the order of their dates",
                    "event",
                    index,
                    "when",
                    code="out-of-order",
                )
            newest = index if own.earliest > windows[newest].earliest else newest


_ALWAYS, _NEVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_COUNTED_BY_DATE = frozenset({"entry-note", "deposit", "entry"})
"""(2) Entry is on a date: these count from the earliest instant of their window; all others from the latest."""
