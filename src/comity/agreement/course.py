"""How events move an agreement: one course for each party's reading and each rule for counting days.

Rules of this file (``spec/term.md`` steps 3 to 6):

- A course is what is so after an event. ``Rules.act`` makes the next one from an act, ``Rules.advance`` from the
  passing of time alone: the only two ways in which a course changes.
- The tables of ``lifecycle.py`` say what is possible; this file adds what the tables cannot hold, the dates.
- A course never looks ahead: what is so on an instant depends on nothing later.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from itertools import product

from msgspec import Struct
from msgspec.structs import replace

from comity.agreement.calendar import (
    COUNTING_RULES,
    TimeZones,
    anniversary_after,
    day_start,
    last_day_for_notice,
    shift,
)
from comity.agreement.history import Dated, Event, Holding, ReadingClaim
from comity.agreement.lifecycle import AGREEMENT, NOTICE, NoticeState, Phase, State, one
from comity.agreement.model import Agreement
from comity.agreement.vocabulary import Entry
from comity.errors import invariant

NOTICES_MAX = 64
"""Most notices that stand at once, most of them suspended; a party that gives more has not said what it wants."""
ENTRY_ACTS: dict[Entry, str] = {
    "later-of-notices": "entry-note",
    "notices-plus": "entry-note",
    "deposit-plus": "deposit",
}
"""What each party does so that the agreement enters into force, where the signature alone does not do."""
TEXT_HOLDS: Holding = "notice-before-renewal"
"""(6) How a suspended notice is read where a party has said nothing: by the text, which knows only notice in time."""


class Impossible(Exception):
    """An act that cannot follow what stands before it; the sentence says why."""


class StandingNotice(Struct, frozen=True, gc=False):
    """A notice on one course.

    Attributes:
        event, by: the event that gave it, and the party.
        state: what has become of it.
        ends: when it ends the agreement, unless it is suspended or withdrawn first.
        suspension: the suspension of it that stands: another act can name it by that, too.
        suspended: it was suspended, and no suspension of it was withdrawn since.
    """

    event: str
    by: str
    state: NoticeState
    ends: datetime
    suspension: str = ""
    suspended: bool = False


class Events(Struct, frozen=True):
    """Events in order, the last one and those before it; adding one copies none."""

    last: str
    before: Events | None = None


class Course(Struct, frozen=True, gc=False):
    """What is so after an event, by one party's reading and under one rule for counting days.

    Attributes:
        party, counting: whose reading, under which rule.
        state, since: the state, and since when.
        noted: the parties whose note (or deposit) for entry has been given.
        entered: the local date of entry into force, from which years are counted.
        due: when entry happens by itself.
        expires: when a term that is not renewed by itself ends.
        notices: every notice of the present round; of each party's, those withdrawn only until it gives another.
        claim, claimed_by: how the party reads a suspended notice, and the event that tells it.
        entry_events, notice_events: the events that the state rests on; ``events_of`` lists the latter.
    """

    party: str
    counting: str
    state: State = "not-signed"
    since: datetime | None = None
    noted: tuple[str, ...] = ()
    entered: date | None = None
    due: datetime | None = None
    expires: datetime | None = None
    notices: tuple[StandingNotice, ...] = ()
    claim: ReadingClaim | None = None
    claimed_by: str | None = None
    entry_events: tuple[str, ...] = ()
    notice_events: Events | None = None

    @property
    def holds(self) -> Holding:
        """How a suspended notice can end the agreement, on this course."""
        return self.claim.holds if self.claim else TEXT_HOLDS

    @property
    def ends(self) -> datetime | None:
        """The instant at which the agreement ends by itself if nobody acts, or none."""
        given = [notice.ends for notice in self.notices if notice.state == "given"]
        return min([*given, self.expires] if self.expires else given, default=None)

    @property
    def phase(self) -> Phase:
        """The states of the agreement and of its notices in one word."""
        if self.state != "in-force":
            return self.state
        states = {notice.state for notice in self.notices}
        return "notice-given" if "given" in states else "notice-suspended" if "suspended" in states else "in-force"


def events_of(newest: Events | None) -> list[str]:
    """The ids of events, the first one first."""
    found = []
    while newest is not None:
        found.append(newest.last)
        newest = newest.before
    return found[::-1]


class Rules:
    """The term of one agreement, ready to move courses."""

    def __init__(self, agreement: Agreement, zones: TimeZones) -> None:
        self.term = agreement.term
        self.zone = zones.zone(self.term.timezone)
        self.parties = tuple(party.id for party in agreement.parties)
        notice = self.term.notice
        self.countings = (notice.counting, *notice.counting_disputed) if notice else ("",)

    def beginning(self) -> tuple[Course, ...]:
        """The courses before the first event, party by party in the order of the agreement."""
        return tuple(Course(party, counting) for party, counting in product(self.parties, self.countings))

    def taken_over(self, courses: Iterable[Course], at: datetime) -> tuple[Course, ...]:
        """The courses under this term, of an agreement that was under another one until it was amended at ``at``.

        What was so stays so: the days of entry and of notices that were given. Where days are counted by a rule that
        the text before did not know, it counts from now on.
        """
        known = {(course.party, course.counting): course for course in reversed(tuple(courses))}
        first = {course.party: course for course in known.values()}
        found = []
        for new in self.beginning():
            course = replace(known.get((new.party, new.counting), first[new.party]), counting=new.counting)
            expires = course.expires
            if self.term.duration is None or self.term.renewal == "automatic":
                expires = None
            elif expires is None and (renewal := self.renewal_after(course, self.local_date(at))):
                expires = day_start(renewal, self.zone)
            found.append(replace(course, expires=expires))
        return tuple(found)

    def local_date(self, at: datetime) -> date:
        """The date of `at` in the zone of the agreement."""
        return at.astimezone(self.zone).date()

    def advance(self, course: Course, to: datetime) -> Course:
        """(4) What has happened by itself up to and including `to`: entry into force, and the end."""
        if course.state == "signed" and course.due is not None and course.due <= to:
            course = self._enter(course, course.due)
        if course.state == "in-force" and course.ends is not None and course.ends <= to:
            course = replace(course, state=AGREEMENT["in-force", "end"], since=course.ends)
        return course

    def act(self, course: Course, dated: Dated) -> Course:
        """(5) The course after an act that counts from `dated.effective`; time has been advanced to it before.

        Raises:
            Impossible: the tables do not allow it here.
        """
        event, at = dated.event, dated.effective
        after = AGREEMENT.get((course.state, event.kind))
        if after is None:
            since = f" since {self.local_date(course.since)}" if course.since else ""
            raise Impossible(f"{one(event.kind)} cannot follow: the agreement is {course.state}{since}")
        if event.kind in {"notice", "suspension", "reactivation", "withdrawal"}:
            return self._notice_act(course, event, at)
        if event.kind == "entry":
            return self._enter(replace(course, entry_events=(*course.entry_events, event.id)), at)
        if after != course.state:
            course = replace(course, state=after, since=at)
        if event.kind in {"signature", "entry-note", "deposit"}:
            return self._towards_entry(course, event, at)
        if event.kind == "renewal":
            return self._renew(course, event)
        return replace(course, notice_events=Events(event.id, course.notice_events)) if after == "lapsed" else course

    def renewal_after(self, course: Course, day: date) -> date | None:
        """The first renewal later than `day`; none for an open-ended agreement."""
        if self.term.duration is None or course.entered is None:
            return None
        return anniversary_after(course.entered, self.term.duration, day)

    def next_last_day(self, course: Course, day: date) -> tuple[date, date] | None:
        """(3) The first last day for notice that is not before `day`, and the renewal it prevents."""
        notice, renewal = self.term.notice, self.renewal_after(course, day)
        if notice is None or renewal is None or self.term.duration is None or course.entered is None:
            return None
        while (last := last_day_for_notice(renewal, notice.period, course.counting)) < day:
            renewal = anniversary_after(course.entered, self.term.duration, renewal)
        return last, renewal

    def _towards_entry(self, course: Course, event: Event, at: datetime) -> Course:
        course = replace(course, entry_events=(*course.entry_events, event.id))
        if event.kind == "signature":
            return self._enter(course, at) if self.term.entry == "on-signature" else course
        wanted = ENTRY_ACTS.get(self.term.entry)
        if event.kind != wanted:
            raise Impossible(f"{one(event.kind)} has no part in an entry into force that is {self.term.entry!r}")
        (party,) = event.by
        if party in course.noted:
            raise Impossible(f"{party!r} has made its {event.kind} already")
        course = replace(course, noted=(*course.noted, party))
        if set(course.noted) != set(self.parties):
            return course
        if self.term.entry_plus is None:
            return self._enter(course, at)
        day = shift(self.local_date(at), self.term.entry_plus)
        due = day_start(day.replace(day=1) if self.term.entry_day else day, self.zone)
        return self.advance(replace(course, due=due), at)

    def _enter(self, course: Course, at: datetime) -> Course:
        entered = self.local_date(at)
        expires = None
        if self.term.duration and self.term.renewal != "automatic":
            expires = day_start(shift(entered, self.term.duration), self.zone)
        state = AGREEMENT[course.state, "entry"]
        return replace(course, state=state, since=at, entered=entered, due=None, expires=expires)

    def _renew(self, course: Course, event: Event) -> Course:
        if self.term.renewal != "by-consent" or self.term.duration is None or course.expires is None:
            raise Impossible(f"a renewal has no part in an agreement whose renewal is {self.term.renewal!r}")
        renewal = self.renewal_after(course, self.local_date(course.expires))
        invariant(renewal is not None, "an agreement that expires has a duration")
        assert renewal is not None
        expires = day_start(renewal, self.zone)
        return replace(course, expires=expires, entry_events=(*course.entry_events, event.id))

    def _notice_act(self, course: Course, event: Event, at: datetime) -> Course:
        """(6) A notice, or an act on one."""
        if event.kind == "notice":
            after = self._give_notice(course, event, at)
        else:
            meant = next((each for each in course.notices if event.of in (each.event, each.suspension)), None)
            if meant is None:
                raise Impossible(f"a {event.kind} of {event.of!r} cannot follow: it belongs to a round that is over")
            moved = self._notice_moved(course, meant, event, at)
            after = replace(course, notices=tuple([moved if each is meant else each for each in course.notices]))
        after = replace(after, notice_events=Events(event.id, after.notice_events))
        return after if after.phase == course.phase else replace(after, since=at)

    def _give_notice(self, course: Course, event: Event, at: datetime) -> Course:
        """A new round begins when no notice stands: what came of the earlier ones is then over."""
        (party,) = event.by
        if any(notice.by == party and notice.state == "given" for notice in course.notices):
            raise Impossible(f"{party!r} has given notice already; it can suspend or withdraw it")
        given = StandingNotice(event.id, party, NOTICE["not-given", "notice"], self._end_of_notice(course, at))
        if all(notice.state == "withdrawn" for notice in course.notices):
            return replace(course, notices=(given,), notice_events=None)
        kept = tuple([notice for notice in course.notices if notice.by != party or notice.state != "withdrawn"])
        if len(kept) >= NOTICES_MAX:
            raise Impossible(f"{NOTICES_MAX} notices stand already; withdraw those that are not meant any more")
        return replace(course, notices=(*kept, given))

    def _notice_moved(self, course: Course, notice: StandingNotice, event: Event, at: datetime) -> StandingNotice:
        word = event.kind if event.of == notice.event else "withdrawal-of-suspension"
        after = NOTICE.get((notice.state, word))
        if after is None:
            raise Impossible(f"a {word.replace('-', ' ')} cannot follow: {notice.event!r} is {notice.state}")
        suspension, suspended = notice.suspension, notice.suspended
        if word == "suspension":
            suspension, suspended = event.id, True
        elif word == "reactivation":
            suspension = ""
        elif word == "withdrawal-of-suspension":
            suspension, suspended = "", False
        ends = notice.ends
        if notice.state == "suspended" and after == "given" and ends <= at:
            ends = at if course.holds == "at-any-time" else self._end_of_notice(course, at)
        return replace(notice, state=after, ends=ends, suspension=suspension, suspended=suspended)

    def _end_of_notice(self, course: Course, at: datetime) -> datetime:
        """(3) When a notice given at `at` ends the agreement: at the first renewal it is in time for."""
        notice, day = self.term.notice, self.local_date(at)
        if notice is None:
            raise Impossible("the agreement has no clause for a notice; add [term.notice] if its text has one")
        if met := self.next_last_day(course, day):
            return day_start(met[1], self.zone)
        return day_start(shift(day, notice.period) - timedelta(days=COUNTING_RULES[course.counting]), self.zone)
