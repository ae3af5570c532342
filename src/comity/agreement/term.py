"""The status of an agreement on an instant, as each party reads it.

Rules of this file (``spec/term.md`` steps 4 to 9):

- The history is run through the tables of ``lifecycle.py`` once per *course*: one party's reading under one rule for
  counting days. Where all courses agree nothing is contested; where they differ, what differs is named exactly.
- What is true on an instant depends on nothing later. A withdrawal works forward only.
- ``entry`` and ``end`` happen by themselves, at instants computed on the calendar of the zone the agreement names.
- To give anything needs force under every course; to protect needs it to have been in force under any.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from comity.agreement.calendar import TimeZones, day_end, day_start
from comity.agreement.course import Course, Impossible, Rules, StandingNotice, events_of
from comity.agreement.history import Dated, Event, History, Place, clause_on
from comity.agreement.lifecycle import ACTS, Phase
from comity.agreement.model import Agreement, Notice, Term
from comity.errors import Misuse, Rejected


class Contradiction(Rejected):
    """(5) An act that cannot follow what stands before it; the history is refused as a whole."""


class LastDay(Struct, frozen=True):
    """The last local day for a notice that prevents the renewal of `renewal`, under one rule for counting days."""

    counting: str
    day: date
    renewal: date


class Ending(Struct, frozen=True):
    """One way in which the agreement can end.

    Attributes:
        how: `notice` in time before a renewal (or, open-ended, at any time), `reactivation` of a suspended notice,
            the `running-notice`, or `expiry` of a term that does not renew itself.
        says: the same as a sentence.
        clause: the clause it rests on; empty when it rests on a party's reading alone.
        last_days: for a notice, the last days that still meet the next renewal.
        at: when it takes effect, if that is known already.
    """

    how: Literal["notice", "reactivation", "running-notice", "expiry"]
    says: str
    clause: str = ""
    last_days: tuple[LastDay, ...] = ()
    at: datetime | None = None


class Milestone(Struct, frozen=True):
    """A date ahead: the instant, in UTC, at which a day for notice is over, or a renewal or an end happens."""

    at: datetime
    what: Literal["last-day-for-notice", "renewal", "end", "entry"]
    counting: str = ""


class Reading(Struct, frozen=True):
    """The agreement as one party reads it, on one instant.

    Attributes:
        party: whose reading.
        known: `said` by the party, `reported` of it by others, or `text`: it has said nothing, so the text speaks.
        claim: id of the event in which it was said or reported; none for `text`.
        phase: the state in one word.
        in_force: in force under every rule for counting days.
        protection: what was provided must be protected.
        since: since when it is in this state.
        endings: how it can end.
        ahead: dates ahead, the next first.
        events: the events it rests on.
        clauses: the clauses it rests on.
    """

    party: str
    known: Literal["said", "reported", "text"]
    claim: str | None
    phase: Phase
    in_force: bool
    protection: bool
    since: datetime | None
    endings: tuple[Ending, ...]
    ahead: tuple[Milestone, ...]
    events: tuple[str, ...]
    clauses: tuple[str, ...]


class Contested(Struct, frozen=True):
    """One point on which the readings differ, and what each party holds."""

    point: Literal["in-force", "how-it-can-end", "when-it-ends"]
    says: str
    held: dict[str, str]


class Status(Struct, frozen=True):
    """The answer: the readings, what is contested between them, and what is not known to the hour."""

    agreement: str
    version: str
    digest: str
    at: datetime
    timezone: str
    tzdata: str
    hypothetical: str | None
    readings: tuple[Reading, ...]
    contested: tuple[Contested, ...]
    unsettled: tuple[str, ...]

    def reading(self, party: str) -> Reading:
        """The reading of `party`.

        Raises:
            Misuse: it is not a party.
        """
        for reading in self.readings:
            if reading.party == party:
                return reading
        raise Misuse(f"{party!r} is not a party of {self.agreement!r}", code="unknown-party")

    @property
    def in_force(self) -> bool:
        """In force under every reading: what giving needs."""
        return all(reading.in_force for reading in self.readings)

    @property
    def protection(self) -> bool:
        """To be protected under at least one reading."""
        return any(reading.protection for reading in self.readings)


def status_at(agreement: Agreement, history: History, at: datetime, zones: TimeZones) -> Status:
    """The status of `agreement` at `at`.

    Args:
        agreement: the agreement.
        history: its checked history.
        at: an instant; a time without a zone is refused.
        zones: the zones of the agreement and its events; their version is in the result.

    Raises:
        Misuse: `at` has no zone.
        Contradiction: the history contradicts itself.
    """
    return Chronicle(agreement, history, zones).status(at)


class Chronicle:
    """A history run through the tables once; it answers for any instant in logarithmic time.

    Attributes:
        agreement, history, zones: what it was made from.
        rules: the term, ready to move courses.
        steps: the courses before the first event, then after each event.

    With ``beginning`` these are the courses before the first event: the history goes on from an earlier text.

    Raises:
        Contradiction: an act cannot follow what stands before it.
    """

    def __init__(
        self,
        agreement: Agreement,
        history: History,
        zones: TimeZones,
        *,
        place: Place = lambda _: "",
        beginning: tuple[Course, ...] = (),
    ) -> None:
        if agreement.header.id != history.agreement:
            raise Misuse(f"this is the history of {history.agreement!r}, not of {agreement.header.id!r}")
        self.agreement, self.history, self.zones = agreement, history, zones
        self.rules = Rules(agreement, zones)
        self._acts = [dated for dated in history.events if dated.event.kind in ACTS]
        self.steps: list[tuple[Course, ...]] = [beginning or self.rules.beginning()]
        for index, dated in enumerate(history.events):
            self.steps.append(self._step(self.steps[-1], dated, index, place))

    def _step(self, courses: tuple[Course, ...], dated: Dated, index: int, place: Place) -> tuple[Course, ...]:
        """(5) An act must be possible on at least one course; where it is not, it changes nothing there."""
        advanced = [self.rules.advance(course, dated.effective) for course in courses]
        if dated.event.kind not in ACTS:
            return tuple(_claimed(course, dated.event) for course in advanced)
        after, reasons = [], []
        for course in advanced:
            try:
                after.append(_claimed(self.rules.act(course, dated), dated.event))
            except Impossible as impossible:
                after.append(course)
                reasons.append(str(impossible))
        if len(reasons) == len(after):
            clause = clause_on(self.agreement.term, dated.event.kind)
            sentence = f"{dated.event.id!r}: {reasons[0]} (clause {clause!r} of the agreement)"
            raise Contradiction(sentence, code="contradiction", place=place(("event", index, "kind")))
        return tuple(after)

    def courses(self, at: datetime) -> tuple[Course, ...]:
        """What is so at `at` on every course, the parties in the order of the agreement."""
        if at.tzinfo is None:
            raise Misuse(f"{at.isoformat()} has no time zone; an instant needs one", code="no-zone")
        position = bisect_right(self.history.events, at, key=lambda dated: dated.effective)
        return tuple(self.rules.advance(course, at) for course in self.steps[position])

    def status(self, at: datetime) -> Status:
        """The status at `at`, an instant with a time zone."""
        courses = self.courses(at)
        header = self.agreement.header
        return Status(
            agreement=header.id,
            version=header.version,
            digest=self.agreement.digest,
            at=at.astimezone(UTC),
            timezone=self.agreement.term.timezone,
            tzdata=self.zones.version,
            hypothetical=self.history.hypothetical,
            readings=tuple(
                self._reading([course for course in courses if course.party == party], at)
                for party in self.rules.parties
            ),
            contested=tuple(self._contested(courses)),
            unsettled=tuple(self._unsettled(at)),
        )

    def _unsettled(self, at: datetime) -> Iterator[str]:
        """(2) The acts of which it is not known whether they had been done by `at`; their windows are in order."""
        for dated in self._acts[bisect_right(self._acts, at, key=lambda act: act.window.latest) :]:
            if dated.window.earliest > at:
                return
            yield dated.event.id

    def _reading(self, courses: list[Course], at: datetime) -> Reading:
        """(7) One party's reading: its courses differ only in how days are counted."""
        first, term = courses[0], self.agreement.term
        ended = [course for course in courses if course.state == "lapsed"]
        shown = ended[0] if ended else first
        claim = first.claim if any(notice.suspended for notice in first.notices) else None
        entered = any(course.entered for course in courses)
        clauses = [term.clause, term.entry_clause if entered else None]
        if term.notice and entered:
            clauses.append(term.notice.clause)
        if ended:
            clauses.append(term.survival_clause)
        events = (*shown.entry_events, *events_of(shown.notice_events), *([first.claimed_by] if claim else []))
        return Reading(
            party=first.party,
            known=claim.known if claim else "text",
            claim=first.claimed_by if claim else None,
            phase=shown.phase,
            in_force=all(course.state == "in-force" for course in courses),
            protection=entered and (not ended or term.survival == "protection-continues" or len(ended) < len(courses)),
            since=shown.since,
            endings=tuple(self._endings(courses, at)),
            ahead=tuple(self._ahead(courses, at)),
            events=tuple(dict.fromkeys(name for name in events if name)),
            clauses=tuple(dict.fromkeys(clause for clause in clauses if clause)),
        )

    def _last_days(self, courses: list[Course], at: datetime) -> tuple[LastDay, ...]:
        today = self.rules.local_date(at)
        found = ((course, self.rules.next_last_day(course, today)) for course in courses)
        return tuple(LastDay(course.counting, met[0], met[1]) for course, met in found if met)

    def _endings(self, courses: list[Course], at: datetime) -> Iterator[Ending]:
        """(8) How it can end, the most immediate way first."""
        course, notice = courses[0], self.agreement.term.notice
        if all(each.state != "in-force" for each in courses):
            return
        for ends, each in {each.ends: each for each in courses if each.ends}.items():
            assert ends is not None
            when = ends.astimezone(self.rules.zone).isoformat(timespec="minutes")
            running = [mine for mine in each.notices if mine.state == "given" and mine.ends == ends]
            if running and notice:
                says = f"by itself at {when}, unless the notice is suspended or withdrawn ({self._names(running)})"
                yield Ending("running-notice", says, notice.clause, at=ends)
            else:
                says = f"by itself at {when}, unless the parties renew it"
                yield Ending("expiry", says, self.agreement.term.clause, at=ends)
        suspended = [mine for mine in course.notices if mine.state == "suspended"]
        if suspended and course.holds == "at-any-time":
            says = f"at any time, by reactivating the suspended notice ({self._names(suspended)})"
            yield Ending("reactivation", says)
        if notice and course.phase != "notice-given":
            days = self._last_days(courses, at)
            yield Ending("notice", _notice_words(notice, self.agreement.term, days), notice.clause, days)

    def _names(self, notices: list[StandingNotice]) -> str:
        givers = {notice.by for notice in notices}
        return " or ".join(party.name.en for party in self.agreement.parties if party.id in givers)

    def _ahead(self, courses: list[Course], at: datetime) -> tuple[Milestone, ...]:
        """(8) Dates ahead on any of the courses, the next first."""
        today, zone, found = self.rules.local_date(at), self.rules.zone, set[Milestone]()
        for course in courses:
            if course.state == "signed" and course.due:
                found.add(Milestone(course.due, "entry"))
            if course.state != "in-force":
                continue
            if course.ends:
                found.add(Milestone(course.ends, "end"))
            renewal = self.rules.renewal_after(course, today)
            if renewal and self.agreement.term.renewal == "automatic":
                instant = day_start(renewal, zone)
                if course.ends is None or instant < course.ends:
                    found.add(Milestone(instant, "renewal"))
            if course.phase != "notice-given" and (met := self.rules.next_last_day(course, today)):
                found.add(Milestone(day_end(met[0], zone), "last-day-for-notice", course.counting))
        return tuple(sorted(found, key=lambda milestone: (milestone.at, milestone.what, milestone.counting)))

    def _contested(self, courses: tuple[Course, ...]) -> Iterator[Contested]:
        """(9) Each point on which the courses differ, and nothing else."""
        zone = self.rules.zone
        if len({course.state for course in courses}) > 1:
            yield self._point("in-force", "whether it is in force", courses, lambda course: course.state)
        elif len({course.ends for course in courses}) > 1:
            yield self._point(
                "when-it-ends",
                "when it ends",
                courses,
                lambda course: f"{course.ends.astimezone(zone).date()}" if course.ends else "not by itself",
            )
        if len({course.holds for course in courses if course.phase == "notice-suspended"}) > 1:
            yield self._point("how-it-can-end", "how it can be ended", courses, _holding_words)

    def _point(
        self,
        point: Literal["in-force", "when-it-ends", "how-it-can-end"],
        question: str,
        courses: tuple[Course, ...],
        words: Callable[[Course], str],
    ) -> Contested:
        held: dict[str, str] = {}
        for party in self.rules.parties:
            mine = {course.counting: words(course) for course in courses if course.party == party}
            same = len(set(mine.values())) == 1
            held[party] = next(iter(mine.values())) if same else ", ".join(f"{key}: {mine[key]}" for key in mine)
        answers = "; ".join(f"{party} holds {words}" for party, words in held.items())
        return Contested(point, f"{question}: {answers}", held)


def _claimed(course: Course, event: Event) -> Course:
    """(6) What an event tells of the course's own party replaces what was told before."""
    for claim in event.readings:
        if claim.whose == course.party:
            course = replace(course, claim=claim, claimed_by=event.id)
    return course


def _notice_words(notice: Notice, term: Term, days: tuple[LastDay, ...]) -> str:
    form = "" if notice.form == "any" else f"{notice.form} "
    channel = "" if notice.channel == "any" else f" through the {notice.channel} channel"
    if not days:
        return f"by {form}notice{channel}, {_length(notice.period)} after it"
    renewal = f"the renewal every {_length(term.duration or '')}"
    listed = " or ".join(f"{day.day} ({day.counting})" for day in sorted(days, key=lambda day: day.day))
    return f"by {form}notice{channel}, {_length(notice.period)} before {renewal}; last day {listed}"


def _length(period: str) -> str:
    number, unit = period[1:-1], {"Y": "year", "M": "month", "D": "day"}[period[-1]]
    return unit if number == "1" else f"{number} {unit}s"


def _holding_words(course: Course) -> str:
    words = {
        "at-any-time": "at any time, by reactivating the suspended notice",
        "notice-before-renewal": "only by notice in time before a renewal",
    }[course.holds]
    known = {"said": "said by it", "reported": "reported of it by others"}
    return f"{words} ({known[course.claim.known] if course.claim else 'by the text: it has said nothing'})"
