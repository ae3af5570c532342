"""A month of visits as a table: a row of days for each week, and under it a bar for each visit of that week."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import msgspec
from markupsafe import Markup

from comity.console.pictures.drawing import element
from comity.errors import Misuse

_WEEK = 7


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """A visit from one day to another, both included.

    Attributes:
        first, last: its days.
        says: what stands in its bar, such as the facility and its state.
        sort: its class, such as ``asked`` or ``permitted``.
        href: our own page about it.
    """

    first: date
    last: date
    says: str
    sort: str
    href: str


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """The words: the caption, the seven days of the week from Monday on, short and long, and what today is called."""

    caption: str
    days: tuple[tuple[str, str], ...]
    today: str
    nothing: str


def month(first: date, visits: Sequence[Visit], words: Words, *, today: date | None, starts_on: int = 0) -> Markup:
    """The month that begins on ``first``; ``starts_on`` is the weekday a week begins with, 0 for Monday.

    Raises:
        Misuse: it is not the first day of a month.
    """
    if first.day != 1:
        raise Misuse(f"{first.isoformat()} is not the first day of a month", code="no-month")
    following = (first.replace(day=28) + timedelta(days=4)).replace(day=1)
    names = [words.days[(starts_on + place) % _WEEK] for place in range(_WEEK)]
    head = element(
        "tr",
        *(
            element(
                "th",
                element("span", short, aria_hidden="true"),
                element("span", long, class_="hidden-but-read"),
                scope="col",
            )
            for short, long in names
        ),
    )
    monday = first - timedelta(days=(first.weekday() - starts_on) % _WEEK)
    weeks: list[Markup] = []
    while monday < following:
        weeks.append(_week(monday, first, visits, words, today))
        monday += timedelta(days=_WEEK)
    met = any(each.first < following and each.last >= first for each in visits)
    return element(
        "div",
        element("table", element("caption", words.caption), element("thead", head), *weeks, class_="month"),
        *(() if met else (element("p", words.nothing),)),
        class_="scroll",
        role="region",
        tabindex=0,
        aria_label=words.caption,
    )


def _week(monday: date, first: date, visits: Sequence[Visit], words: Words, today: date | None) -> Markup:
    days = [monday + timedelta(days=place) for place in range(_WEEK)]
    numbers = element("tr", *(_day(day, first, words, today) for day in days), class_="days")
    rows: list[list[Visit]] = []
    for visit in sorted(visits, key=lambda each: (each.first, each.last, each.href)):
        if visit.first <= days[-1] and visit.last >= days[0]:
            row = next((each for each in rows if each[-1].last < visit.first), None)
            if row is None:
                rows.append([visit])
            else:
                row.append(visit)
    return element("tbody", numbers, *(_bars(row, days) for row in rows))


def _day(day: date, first: date, words: Words, today: date | None) -> Markup:
    told = element("time", str(day.day), datetime=day.isoformat())
    said = (element("span", words.today, class_="hidden-but-read"),) if day == today else ()
    sort = " ".join(sort for sort, so in (("outside", day.month != first.month), ("today", day == today)) if so)
    return element("td", told, *said, class_=sort or None)


def _bars(visits: Sequence[Visit], days: Sequence[date]) -> Markup:
    cells: list[Markup] = []
    at = days[0]
    for visit in visits:
        start, end = max(visit.first, at), min(visit.last, days[-1])
        if start > at:
            cells.append(element("td", colspan=(start - at).days))
        goes_on = " ".join(sort for sort, so in (("begun", visit.first < start), ("goes-on", visit.last > end)) if so)
        bar = element("a", visit.says, href=visit.href, class_=f"visit {visit.sort} {goes_on}".strip())
        cells.append(element("td", bar, colspan=(end - start).days + 1))
        at = end + timedelta(days=1)
    if at <= days[-1]:
        cells.append(element("td", colspan=(days[-1] - at).days + 1))
    return element("tr", *cells, class_="visits")
