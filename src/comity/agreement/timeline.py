"""A history as rows of a timeline, and the rows as text or as a drawing.

Rules of this file (``spec/term.md`` step 10):

- A row is an event, or what the calendar brought by itself (a renewal, entry into force, the end): the latter have no
  event and say so. Every row says what was so after it, by each party's reading.
- A row carries its sources, and each source's other version beside it, with the day of the report.
- Rows are data; ``lines`` and ``drawing`` only lay them out. Nothing here decides anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import pairwise
from textwrap import wrap

from msgspec import Struct

from comity.agreement.calendar import day_start
from comity.agreement.course import Course
from comity.agreement.history import Event, Source
from comity.agreement.lifecycle import Phase
from comity.agreement.term import Chronicle

TEXT_COLUMNS = 100
"""Width of the text form, in characters."""


class Row(Struct, frozen=True):
    """One line of a timeline.

    Attributes:
        at: from when it counts, in UTC.
        when: the date as its source writes it, with the zone, or the instant for what the calendar brought.
        kind: the kind of the event, or `renewal`, `entry`, `end`.
        says: what happened.
        event: id of the event; empty for what the calendar brought.
        by: ids of the parties whose act it was.
        sources: where it was read, each with the day of its report and its provenance.
        versions: what sources say otherwise.
        readings: how a party reads the agreement from then on, and whether it said so or others reported it.
        phases: what was so afterwards, by party; one word, or several joined by " or " where counting differs.
    """

    at: datetime
    when: str
    kind: str
    says: str
    phases: Mapping[str, str]
    event: str = ""
    by: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    readings: tuple[str, ...] = ()


def timeline(chronicle: Chronicle, until: datetime) -> tuple[Row, ...]:
    """The rows up to and including `until`, oldest first.

    Raises:
        Misuse: `until` has no time zone.
    """
    chronicle.courses(until)
    rows = [*_event_rows(chronicle, until), *_calendar_rows(chronicle, until.astimezone(UTC))]
    return tuple(sorted(rows, key=lambda row: (row.at, bool(row.event))))


def _event_rows(chronicle: Chronicle, until: datetime) -> Iterator[Row]:
    sources = {source.id: source for source in chronicle.history.sources}
    for dated, courses in zip(chronicle.history.events, chronicle.steps[1:], strict=True):
        if dated.effective > until:
            return
        event = dated.event
        yield Row(
            at=dated.effective,
            when=_when(event),
            kind=event.kind,
            says=event.says,
            phases=_phases(courses),
            event=event.id,
            by=event.by,
            sources=tuple(_cited(sources[name]) for name in event.sources),
            versions=tuple(
                f"{_cited(sources[version.source])}: " + (f"{version.when}: " if version.when else "") + version.says
                for version in event.versions
            ),
            readings=tuple(f"{claim.whose} ({claim.known}): {claim.says}" for claim in event.readings),
        )


def _when(event: Event) -> str:
    bounds = {"not before": event.not_before, "not after": event.not_after}
    narrowed = [f"{word} {moment[-5:]}" for word, moment in bounds.items() if moment]
    about = "about " if event.about else ""
    return f"{about}{event.when.replace('T', ' ')} {event.zone}" + (f" ({', '.join(narrowed)})" if narrowed else "")


def _calendar_rows(chronicle: Chronicle, until: datetime) -> Iterator[Row]:
    """Entry, renewals and ends that came between two events, or after the last."""
    term = chronicle.agreement.term
    zone = chronicle.zones.zone(term.timezone)
    kept = "; what was provided stays protected" if term.survival == "protection-continues" else ""
    words = {"entry": "Enters into force.", "renewal": "Renewed by itself.", "end": f"Ends by itself{kept}."}
    passed = [dated.effective for dated in chronicle.history.events if dated.effective <= until]
    for (start, stop), courses in zip(pairwise([*passed, until]), chronicle.steps[1:], strict=False):
        waiting = [course.due for course in courses if course.state == "signed" and course.due]
        entered = [chronicle.rules.advance(course, min(waiting, default=start)) for course in courses]
        moments = dict.fromkeys(_renewals(chronicle, entered, start, stop), "renewal")
        moments |= dict.fromkeys(waiting, "entry")
        moments |= {course.ends: "end" for course in entered if course.state == "in-force" and course.ends}
        for at, kind in sorted(moments.items()):
            phases = _phases(chronicle.rules.advance(course, at) for course in courses)
            if start < at <= stop and (kind != "renewal" or set(phases.values()) != {"lapsed"}):
                when = at.astimezone(zone).strftime("%Y-%m-%d %H:%M ") + zone.key
                yield Row(at, when, kind, words[kind], phases)


def _renewals(chronicle: Chronicle, courses: Sequence[Course], start: datetime, stop: datetime) -> Iterator[datetime]:
    if chronicle.agreement.term.renewal != "automatic":
        return
    zone = chronicle.zones.zone(chronicle.agreement.term.timezone)
    running = [course for course in courses if course.state == "in-force"]
    for course in running[:1]:
        day: date | None = start.astimezone(zone).date()
        while day and (day := chronicle.rules.renewal_after(course, day)) and (at := day_start(day, zone)) <= stop:
            yield at


def _phases(courses: Iterable[Course]) -> dict[str, str]:
    found: dict[str, list[Phase]] = {}
    for course in courses:
        known = found.setdefault(course.party, [])
        if course.phase not in known:
            known.append(course.phase)
    return {party: " or ".join(known) for party, known in found.items()}


def _cited(source: Source) -> str:
    dated = f", {source.report_date}" if source.report_date else ""
    return f"{source.title}{dated} [{source.provenance}]"


def lines(rows: Sequence[Row]) -> tuple[str, ...]:
    """The rows as plain text, for a terminal or a file; no line break at the ends."""
    printed: list[str] = []
    before: Mapping[str, str] = {}
    for row in rows:
        mark = "*" if row.phases != before else "-"
        by = f" ({', '.join(row.by)})" if row.by else ""
        printed.append(f"{mark} {row.when}  {row.kind}{by}")
        printed += _indented(row.says)
        if row.phases != before:
            printed += _indented("now: " + ", ".join(f"{party} {phase}" for party, phase in row.phases.items()))
        printed += _indented("; ".join(row.sources)) if row.sources else ()
        for reading in row.readings:
            printed += _indented(f"reading of {reading}")
        for version in row.versions:
            printed += _indented(f"otherwise: {version}")
        before = row.phases
    return tuple(printed)


def _indented(text: str) -> list[str]:
    return wrap(text, TEXT_COLUMNS, initial_indent="    ", subsequent_indent="      ")


_COLOURS = {
    "not-signed": "#d9d9d9",
    "signed": "#bcd3ea",
    "in-force": "#2f7d4f",
    "notice-given": "#d98b1f",
    "notice-suspended": "#d9c21f",
    "lapsed": "#9c2f2f",
}
_LINE, _BAR, _GAP, _MARGIN, _WIDTH = 16, 14, 4, 12, 900
"""Sizes of the drawing, in pixels."""


def _xml(text: str) -> str:
    """Text as XML character data; what cannot be printed could not stand in XML either."""
    shown = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
    return shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def drawing(rows: Sequence[Row], title: str) -> str:
    """The rows as one SVG document: a coloured bar for each party's reading, the events beside it, a legend below."""
    parties = list(rows[0].phases) if rows else []
    left = _MARGIN + len(parties) * (_BAR + _GAP) + _MARGIN
    y, body = 3 * _LINE, [f'<text x="{_MARGIN}" y="{_LINE + 4}" font-weight="bold">{_xml(title)}</text>']
    for position, party in enumerate(parties):
        body.append(f'<text x="{_MARGIN + position * (_BAR + _GAP)}" y="{y - 6}">{_xml(party)}</text>')
    for row in rows:
        text = [f"{row.when}  {row.kind}", *wrap(row.says, TEXT_COLUMNS), *wrap("; ".join(row.sources), TEXT_COLUMNS)]
        text += [part for reading in row.readings for part in wrap(f"reading of {reading}", TEXT_COLUMNS)]
        text += [part for version in row.versions for part in wrap(f"otherwise: {version}", TEXT_COLUMNS)]
        height = (len(text) + 1) * _LINE
        for position, party in enumerate(parties):
            colours = [_COLOURS[phase] for phase in row.phases[party].split(" or ")]
            for index, colour in enumerate(colours):
                width = _BAR / len(colours)
                x = _MARGIN + position * (_BAR + _GAP) + index * width
                body.append(f'<rect x="{x:g}" y="{y}" width="{width:g}" height="{height}" fill="{colour}"/>')
        for number, line in enumerate(text):
            weight = ' font-weight="bold"' if number == 0 else ""
            body.append(f'<text x="{left}" y="{y + (number + 1) * _LINE - 4}"{weight}>{_xml(line)}</text>')
        y += height
    for number, (phase, colour) in enumerate(_COLOURS.items()):
        x = _MARGIN + number * 140
        body.append(f'<rect x="{x}" y="{y + _LINE}" width="{_BAR}" height="{_BAR}" fill="{colour}"/>')
        body.append(f'<text x="{x + _BAR + _GAP}" y="{y + _LINE + 12}">{phase}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{y + 3 * _LINE}" '
        'font-family="sans-serif" font-size="12" role="img">\n' + "\n".join(body) + "\n</svg>\n"
    )
