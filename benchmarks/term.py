"""How an agreement stands on an instant over long histories, beside the same rules run from the beginning each time.

The history has rounds of a notice, what a party says of it, a suspension, a reactivation, another suspension and a
withdrawal, all within the days of one another. Ours runs it once and then answers for any instant; the other way, that
of whoever keeps a list of events and no more, runs the events up to the instant for each question. The answers are
compared.
"""

from __future__ import annotations

import gc
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from time import perf_counter_ns

from msgspec.structs import replace

from comity.agreement.history import Event, History, HistoryFile, HistoryHeader, ReadingClaim, history_of
from comity.agreement.load import parse_agreement
from comity.agreement.model import Agreement
from comity.agreement.term import Chronicle, Status
from comity.api import read_text
from comity.timezones import time_zones

SIZES = (1_250, 2_500, 5_000, 10_000)
ANSWERS, QUICK_ANSWERS = 1_000, 200
ANEW, QUICK_ANEW = 6, 2
"""Instants for which the history is run anew: that takes as long as thousands of answers."""
ROUNDS = 3
FIRST_DAY = datetime(2016, 12, 1)  # noqa: DTZ001 - local time, as a history is written
STEP = timedelta(minutes=350)
"""Between two events: 10,000 take some seven years."""
ZONES = time_zones()
KINDS = ("notice", "statement", "suspension", "reactivation", "suspension", "withdrawal")


def run(quick: bool) -> list[dict[str, object]]:
    """Rows of figures: microseconds for an answer, milliseconds to run a history once, and how both grow."""
    count, anew = (QUICK_ANSWERS, QUICK_ANEW) if quick else (ANSWERS, ANEW)
    races = {size: _Race(size, count, anew) for size in SIZES}
    for _ in range(ROUNDS):  # the sizes and the sides take turns
        for race in races.values():
            race.run()
    rows: list[dict[str, object]] = [
        {
            "name": f"the state on an instant, {size:,} events",
            "ours": race.answer,
            "peer": race.anew,
            "peer_name": "the same rules, run anew for each answer",
            "unit": "us",
            "ratio": race.anew / race.answer,
            "aim": 1_000 if size == SIZES[-1] else None,
        }
        for size, race in races.items()
    ]
    few, many = races[SIZES[0]], races[SIZES[-1]]
    growths = (
        ("the state on an instant", many.answer, few.answer, "us"),
        ("an event's share of running the history once", many.once / SIZES[-1], few.once / SIZES[0], "us"),
    )
    rows += [
        {
            "name": f"{name}, from {SIZES[0]:,} to {SIZES[-1]:,} events",
            "ours": last,
            "peer": first,
            "peer_name": f"ours at {SIZES[0]:,} events",
            "unit": unit,
            "ratio": last / first,
            "aim": "at most 1.5",
        }
        for name, last, first, unit in growths
    ]
    return rows


class _Race:
    """Both ways over one history."""

    def __init__(self, size: int, count: int, anew: int) -> None:
        self._agreement, self._history = _written(size)
        chance = random.Random(size)
        last = self._history.events[-1].effective
        span = int((last - self._history.events[0].effective).total_seconds())
        # in the last eighth, where there is most to run
        self._instants = [last - timedelta(seconds=chance.randrange(span // 8)) for _ in range(count)]
        self._few = self._instants[:anew]
        self.answer = self.anew = self.once = float("inf")

    def run(self) -> None:
        """Time both ways, and compare their answers."""
        gc.collect()
        gc.disable()  # as timeit does: what is kept here is not a user's
        begun = perf_counter_ns()
        chronicle = Chronicle(self._agreement, self._history, ZONES)
        made = perf_counter_ns()
        answers = [chronicle.status(at) for at in self._instants]
        answered = perf_counter_ns()
        again = [self._from_the_beginning(at) for at in self._few]
        done = perf_counter_ns()
        gc.enable()
        if again != answers[: len(again)]:
            raise RuntimeError("the two ways answer differently")
        self.once = min(self.once, (made - begun) / 1e3)
        self.answer = min(self.answer, (answered - made) / 1e3 / len(answers))
        self.anew = min(self.anew, (done - answered) / 1e3 / len(again))

    def _from_the_beginning(self, at: datetime) -> Status:
        until = tuple(dated for dated in self._history.events if dated.effective <= at)
        return Chronicle(self._agreement, replace(self._history, events=until), ZONES).status(at)


def _written(size: int) -> tuple[Agreement, History]:
    """The agreement of 2016 without the dates of its own history, and one of ``size`` events."""
    agreement = parse_agreement(*read_text("jp-kr-2016"))
    agreement = replace(agreement, header=replace(agreement.header, signed=None, in_force=None))
    events = [
        _event("2016-11-23T10:00", "signature", "jp kr", "signature"),
        _event("2016-11-23T11:00", "entry-note", "kr", "note-kr"),
        _event("2016-11-23T12:00", "entry-note", "jp", "note-jp"),
    ]
    notice = ""
    while len(events) < size:
        number = len(events)
        kind, party = KINDS[number % len(KINDS)], ("jp", "kr")[number // len(KINDS) % 2]
        when = (FIRST_DAY + number * STEP).isoformat("T", "minutes")
        if kind == "notice":
            notice = f"e{number}"
        elif kind != "statement" and not notice:
            kind = "announcement"
        acts_on = notice if kind in {"suspension", "reactivation", "withdrawal"} else None
        readings = _says(party, number) if kind == "statement" else ()
        events.append(_event(when, kind, party, f"e{number}", acts_on, readings))
    header = HistoryHeader(1, agreement.id, "A long history", "that there was so much of it")
    return agreement, history_of(HistoryFile(header=header, events=tuple(events)), agreement, ZONES)


def _says(party: str, number: int) -> tuple[ReadingClaim, ...]:
    holds = "at-any-time" if number % 4 else "notice-before-renewal"
    return (ReadingClaim(party, "said", "suspended-notice", holds, "So it says."),)  # type: ignore[arg-type]  # a word


def _event(
    when: str, kind: str, by: str, name: str, of: str | None = None, readings: Sequence[ReadingClaim] = ()
) -> Event:
    return Event(
        id=name,
        when=when,
        zone="Asia/Seoul",
        kind=kind,  # type: ignore[arg-type]  # one of the words above
        says="So it was.",
        by=tuple(by.split()),
        of=of,
        readings=tuple(readings),
    )
