"""The term of an agreement on the calendar: when it begins, is renewed and can still be ended, as a table and drawn.

Rules of this file (``spec/explanation.md`` step 10):

- The days are those of ``comity.agreement.calendar``; nothing is counted twice. The day from which they are counted is
  the one that the file gives as that of entry into force; without one there are no days.
- What has happened since (a notice, a suspension) is in the history and not here: ``comity agreement status`` tells it.
"""

from __future__ import annotations

from datetime import date

from msgspec import Struct

from comity.agreement.calendar import anniversary_after, last_day_for_notice, shift
from comity.agreement.model import Agreement
from comity.errors import Misuse

TERMS = 3
"""How many terms are told, the running one first."""
_WIDTH, _BAR, _ROW, _LEFT, _RIGHT, _TOP = 720, 14, 64, 90, 90, 26
"""Sizes of the drawing, in pixels."""
_CHARACTERS = 48
"""How long a term is where it is drawn in characters."""


class Span(Struct, frozen=True):
    """One term: its first day, the day on which the next begins, and the last days for a notice, by counting rule."""

    begins: date
    ends: date
    last_days: tuple[tuple[str, date], ...]

    @property
    def days(self) -> tuple[date, ...]:
        """The last days for a notice, each once, in order."""
        return tuple(sorted({day for _, day in self.last_days}))


def spans(agreement: Agreement, day: date) -> tuple[Span, ...]:
    """The term that runs on `day` (the first, before entry) and those that follow it; none without days to count."""
    term, entry = agreement.term, agreement.header.in_force
    if term.duration is None or entry is None:
        return ()
    first = date.fromisoformat(entry)
    found: list[Span] = []
    try:
        ends = anniversary_after(first, term.duration, max(day, first))
        begins = first
        while (following := anniversary_after(first, term.duration, begins)) < ends:
            begins = following
        if term.renewal == "none":
            begins, ends = first, shift(first, term.duration)
        for _ in range(TERMS if term.renewal == "automatic" else 1):
            found.append(Span(begins, ends, _last_days(agreement, ends)))
            begins, ends = ends, anniversary_after(first, term.duration, ends)
    except Misuse:  # the calendar ends; what was found holds
        pass
    return tuple(found)


def _last_days(agreement: Agreement, renewal: date) -> tuple[tuple[str, date], ...]:
    notice = agreement.term.notice
    if notice is None:
        return ()
    rules = (notice.counting, *notice.counting_disputed)
    return tuple((rule, last_day_for_notice(renewal, notice.period, rule)) for rule in rules)


def in_characters(found: tuple[Span, ...]) -> tuple[str, ...]:
    """The terms as lines of text: a bar for each, with its first day, a mark at each last day for a notice, its end."""
    lines: list[str] = []
    for span in found:
        whole = (span.ends - span.begins).days
        bar = ["─"] * _CHARACTERS
        for day in span.days:
            bar[min(_CHARACTERS - 1, max(0, (day - span.begins).days * _CHARACTERS // whole))] = "▲"
        lines.append(f"{span.begins} ├{''.join(bar)}┤ {span.ends}")
        if span.days:
            lines.append(f"{'▲ ' + ' / '.join(map(str, span.days)):>{len(str(span.begins)) + 2 + _CHARACTERS}}")
    return tuple(lines)


def drawing(found: tuple[Span, ...]) -> str:
    """The same as SVG. It holds days and marks only, so that it is the same in every language."""
    inner = _WIDTH - _LEFT - _RIGHT
    body: list[str] = []
    for index, span in enumerate(found):
        y = _TOP + index * _ROW
        whole = (span.ends - span.begins).days
        body.append(f'<rect x="{_LEFT}" y="{y}" width="{inner}" height="{_BAR}" fill="#cfe0ef" stroke="#1f4e79"/>')
        body.append(f'<text x="{_LEFT - 8}" y="{y + _BAR - 2}" text-anchor="end">{span.begins}</text>')
        body.append(f'<text x="{_WIDTH - _RIGHT + 8}" y="{y + _BAR - 2}">{span.ends}</text>')
        marks = [_LEFT + min(1.0, max(0.0, (day - span.begins).days / whole)) * inner for day in span.days]
        body += [f'<path d="M{x:.1f} {y + _BAR} l-5 10 l10 0 z" fill="#8a2f00"/>' for x in marks]
        if marks:
            said = " / ".join(map(str, span.days))
            body.append(f'<text x="{max(marks):.1f}" y="{y + _BAR + 24}" text-anchor="middle">{said}</text>')
    height = _TOP + len(found) * _ROW
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        'font-family="sans-serif" font-size="12" fill="#111111">' + "".join(body) + "</svg>"
    )
