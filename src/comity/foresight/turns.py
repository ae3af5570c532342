"""When the agreement would stand otherwise, course by course (``spec/what-if.md`` step 4).

A course is one party's reading under one rule for counting days (``spec/term.md`` step 7).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from heapq import heapify, heappop, heappush

from msgspec import Struct

from comity.agreement.course import Course
from comity.agreement.lifecycle import Phase
from comity.agreement.term import Chronicle


class CourseName(Struct, frozen=True, order=True):
    """Whose reading, under which rule for counting days; no rule where the text knows no notice."""

    party: str
    counting: str


class Turn(Struct, frozen=True, kw_only=True):
    """An instant at which some courses take another phase.

    Attributes:
        at: the instant, in UTC.
        phase: which phase.
        courses: on which courses; of one instant, those with one phase stand together.
        every: they are all courses.
        in_force: the agreement is in force on every course from then on.
        protection: what was provided is protected on at least one.
    """

    at: datetime
    phase: Phase
    courses: tuple[CourseName, ...]
    every: bool
    in_force: bool
    protection: bool


def turns(chronicle: Chronicle, start: datetime) -> Iterator[Turn]:
    """Every turn after ``start``, the first one first."""
    before = chronicle.courses(start)
    waiting = [dated.effective for dated in chronicle.history.events if dated.effective > start]
    for courses in (before, *chronicle.steps):
        waiting += _ahead(courses)
    heapify(waiting)
    last = start
    while waiting:
        at = heappop(waiting)
        if at <= last:
            continue
        last, after = at, chronicle.courses(at)
        for each in _ahead(after):
            heappush(waiting, each)
        yield from _turned(chronicle, at, before, after)
        before = after


def _ahead(courses: tuple[Course, ...]) -> list[datetime]:
    """When something comes by itself on one of these courses: entry into force, or the end."""
    due = [course.due for course in courses if course.state == "signed" and course.due]
    return [*due, *(course.ends for course in courses if course.state == "in-force" and course.ends)]


def _turned(
    chronicle: Chronicle, at: datetime, before: tuple[Course, ...], after: tuple[Course, ...]
) -> Iterator[Turn]:
    moved: dict[Phase, list[CourseName]] = {}
    for one, other in zip(before, after, strict=True):
        if one.phase != other.phase:
            moved.setdefault(other.phase, []).append(CourseName(other.party, other.counting))
    if not moved:
        return
    status = chronicle.status(at)
    for phase, names in moved.items():
        yield Turn(
            at=at,
            phase=phase,
            courses=tuple(names),
            every=len(names) == len(after),
            in_force=status.in_force,
            protection=status.protection,
        )
