"""An agreement as a readable text, in blocks (``spec/explanation.md`` steps 8 to 10).

Rules of this file:

- Everything that the file and its layers say is here once at least; what the text adds is in ``titles.py``.
- The order is that of a reader who does not know the agreement yet: what it is, who, which marks, what may be done,
  what is owed, how long it lasts; then the clauses themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date

from comity.agreement import vocabulary as words
from comity.agreement.check import hours_of
from comity.agreement.model import EVERY_PARTY, Agreement, Clause, Layer, Obligation, Text
from comity.explanation.blocks import Block, Document, Drawing, Entries, Entry, Grid, Heading, Paragraph, Piece
from comity.explanation.parameters import parameters
from comity.explanation.terms import drawing, in_characters, spans
from comity.explanation.titles import HEADS, REMARKS, TITLES
from comity.explanation.voice import Instrument, Told, Voice, effect_of

GLANCE = frozenset(
    {
        "legal-force",
        "parties",
        "scope",
        "levels",
        "ceiling",
        "mapping",
        "forms",
        "route",
        "protection-basis",
        "entry",
        "duration",
        "renewal",
        "notice",
        "survival",
    }
)
"""The parameters that are told in a few words, at the beginning."""
GROUPS: Mapping[str, tuple[str, ...]] = {
    "permits": ("permits",),
    "forbids": ("forbids",),
    "consent": ("consent",),
    "checklist": ("checklist",),
    "requires": ("requires",),
    "others": ("approvals", "witnesses"),
    "how": (),
}
"""Rules by what they do; the last group takes every other one."""
_BEFORE_ALL = ("continuous", "before", "at-creation", "at-receipt", "immediately", "promptly")
_AFTER_ALL = ("as-appropriate", "")


def document(agreement: Agreement, layers: Sequence[Layer], language: words.Language, day: date) -> Document:
    """The whole agreement with its layers, told in `language`; its term as it runs on `day`."""
    made = _Made(Voice(language, agreement, layers), day)
    header = agreement.header
    return Document(
        title=made.own(header.title),
        language=language,
        instrument=", ".join((f"{header.id} ({header.version})", *(layer.id for layer in layers))),
        digest=agreement.digest,
        contents=made.title("contents"),
        blocks=tuple(made.blocks()),
    )


class _Made:
    """The blocks of one text."""

    def __init__(self, voice: Voice, day: date) -> None:
        self.voice, self.agreement, self.day = voice, voice.agreement, day
        self.letters = {layer.id: letter_of(index) for index, layer in enumerate(voice.layers)}
        self._parameters = parameters(self.agreement, voice.layers, voice.language)

    def title(self, key: str) -> str:
        return self.voice.of(TITLES[key])

    def head(self, *keys: str) -> tuple[str, ...]:
        return tuple(self.voice.of(HEADS[key]) for key in keys)

    def remark(self, key: str, **given: str) -> str:
        return self.voice.fitted(self.voice.of(REMARKS[key]).format(**given))

    def own(self, text: Text) -> Piece:
        """A text of the file; in which language, where that is not the reader's."""
        language = self.voice.language_of(text)
        return Piece(self.voice.own(text), "" if language == self.voice.language else language)

    def written(self, text: str) -> Piece:
        """What a file has in one language only, which is English unless its letters say otherwise."""
        return Piece(text, "" if self.voice.language == "en" or not re.search("[a-z]{2}", text) else "en")

    def rests_on(self, told: Told) -> str:
        """`6.a, S`; of a layer, with its letter: `A 2.1, P`."""
        letter = self.letters.get(told.instrument, "")
        return f"{letter} {told.clause}, {told.provenance}".lstrip()

    def blocks(self) -> Iterator[Block]:
        yield from self._beginning()
        yield from self._parties()
        yield from self._levels()
        yield from self._rules()
        yield from self._duties()
        yield from self._term()
        yield from self._clauses()
        yield from self._legend()

    def _section(self, key: str) -> Heading:
        return Heading(2, Piece(self.title(key)), key)

    def _beginning(self) -> Iterator[Block]:
        header = self.agreement.header
        yield Paragraph(Piece(self.remark("prevails", x=header.authentic)))
        if header.signed is None:
            yield Paragraph(Piece(self.remark("draft")))
        for layer in self.voice.layers:
            kind = self.voice.word(words.LayerKind, layer.header.kind)
            side = f" {self.remark('one-side', x=self.voice.name(layer.header.party))}" if layer.header.party else ""
            title = self.voice.own(layer.header.title)
            yield Paragraph(
                Piece(self.remark("with", a=self.letters[layer.id], x=title, y=f"{layer.id}, {kind}") + side)
            )
        yield self._section("glance")
        told = [
            (each.name, value)
            for each in self._parameters
            if each.key in GLANCE
            for value in each.values
            if not value.subject
        ]
        rows = []
        for index, (name, value) in enumerate(told):
            first = index == 0 or told[index - 1][0] != name
            rows.append((Piece(name if first else ""), Piece(value.text), Piece(self.rests_on(value))))
        yield Grid(self.title("glance"), self.head("parameter", "says", "rests-on"), tuple(rows))

    def _parties(self) -> Iterator[Block]:
        yield self._section("parties")
        rows = tuple(
            (
                Piece(party.id),
                self.own(party.name),
                Piece(self.voice.word(words.PartyKind, party.kind)),
                Piece(party.timezone),
                Piece(", ".join(party.nations)),
            )
            for party in self.agreement.parties
        )
        yield Grid(self.title("parties"), self.head("id", "name", "kind", "time-zone", "nations"), rows)
        if self.agreement.authorities:
            rows = tuple(
                (
                    Piece(self.voice.name(each.party)),
                    self.own(each.name),
                    Piece(each.valid_from),
                    self.written(each.notified_by),
                    Piece(each.provenance),
                )
                for each in self.agreement.authorities
            )
            yield Grid(self.title("authorities"), self.head("party", "name", "from", "notified", "rests-on"), rows)
        if self.agreement.bodies:
            others = tuple((Piece(body.id), self.own(body.name)) for body in self.agreement.bodies)
            yield Grid(self.title("bodies"), self.head("id", "name"), others)

    def _levels(self) -> Iterator[Block]:
        yield self._section("levels")
        levels = self.agreement.levels
        owners = tuple(dict.fromkeys(level.party for level in levels))
        names = tuple(self.voice.of(HEADS["all"]) if each == EVERY_PARTY else self.voice.name(each) for each in owners)
        rows = []
        for rank in sorted({level.rank for level in levels}, reverse=True):
            mine = [level for level in levels if level.rank == rank]
            marks = (", ".join(level.mark for level in mine if level.party == owner) for owner in owners)
            crosses = self.remark("yes" if any(level.crosses for level in mine) else "never")
            if any(level.crosses for level in mine) and not all(level.crosses for level in mine):
                never = ", ".join(level.mark for level in mine if not level.crosses)
                crosses += f" ({self.remark('never')}: {never})"
            rests_on = dict.fromkeys(self.rests_on(self.voice.told(self.agreement, level, "")) for level in mine)
            cells = (str(rank), mine[0].english, *marks, crosses, "; ".join(rests_on))
            rows.append(tuple(map(Piece, cells)))
        heads = (*self.head("rank", "english"), *names, *self.head("crosses", "rests-on"))
        yield Grid(self.title("ladder"), heads, tuple(rows))
        if self.agreement.equivalences:
            yield self._equivalences()
        marks_told = [each for each in self._parameter("marking") if not each.subject]
        if marks_told:
            yield Heading(3, Piece(self.title("marks")), "marks")
            yield self._entries(marks_told)
        if self.agreement.registries:
            offices = tuple(
                tuple(map(Piece, (each.id, each.office, self.voice.name(each.party), each.under or "", each.clause)))
                for each in self.agreement.registries
            )
            yield Grid(self.title("registries"), self.head("id", "office", "party", "under", "rests-on"), offices)

    def _equivalences(self) -> Grid:
        owners = tuple(dict.fromkeys(party for row in self.agreement.equivalences for party in row.marks))
        rows = []
        for row in self.agreement.equivalences:
            notes = [self.remark("origin", x=self.voice.name(row.origin))] if row.origin else []
            notes += [self.remark("preferred", x=mark) for mark in (row.preferred or {}).values()]
            rests_on = self.rests_on(self.voice.told(self.agreement, row, ""))
            marks = (self.voice.listed(row.marks[owner], "or") if owner in row.marks else "" for owner in owners)
            rows.append(tuple(map(Piece, (*marks, "; ".join([*notes, rests_on])))))
        return Grid(self.title("equivalence"), (*map(self.voice.name, owners), *self.head("rests-on")), tuple(rows))

    def _parameter(self, key: str) -> tuple[Told, ...]:
        return next(each.values for each in self._parameters if each.key == key)

    def _entries(self, told: Iterable[Told]) -> Entries:
        return Entries(tuple(Entry(Piece(each.text), self.rests_on(each)) for each in told))

    def _rules(self) -> Iterator[Block]:
        yield self._section("rules")
        yield Paragraph(Piece(self.remark("basis")))
        grouped: dict[str, list[Told]] = {group: [] for group in GROUPS}
        for instrument, rule in self.voice.rules():
            effect = effect_of(rule)
            group = next((group for group, effects in GROUPS.items() if effect in effects), "how")
            grouped[group].append(self.voice.rule(instrument, rule))
        for group, told in grouped.items():
            if told:
                yield Heading(3, Piece(self.title(group)), f"rules-{group}")
                yield self._entries(told)
            if group == "checklist":
                yield from self._checklists()

    def _checklists(self) -> Iterator[Block]:
        for instrument in self.voice.instruments:
            known = {clause.id: clause for clause in instrument.clauses}
            for checklist in instrument.checklists:
                rows = tuple(
                    (Piece(each), self.own(known[each].heading), self.written(known[each].says))
                    for each in checklist.conditions
                )
                caption = self.voice.checklist(instrument, checklist)
                yield Grid(caption, self.head("rests-on", "name", "says"), rows)

    def _duties(self) -> Iterator[Block]:
        yield self._section("duties")
        rows = [row for instrument in self.voice.instruments for row in self._rows_of(instrument)]
        rows.sort(key=lambda row: row[0])
        heads = self.head("until", "on", "who", "deed", "to", "evidence", "rests-on")
        if rows:
            yield Grid(self.title("duties"), heads, tuple(cells for _, cells in rows))
        repeated = [self.voice.interval(home, each) for home in self.voice.instruments for each in home.intervals]
        if repeated:
            yield Heading(3, Piece(self.title("repeated")), "repeated")
            yield self._entries(repeated)

    def _rows_of(self, instrument: Instrument) -> Iterator[tuple[tuple[int, int], tuple[Piece, ...]]]:
        for duty in instrument.obligations:
            limits, own = [duty.within] if duty.within else [], []
            rests_on = [self.rests_on(self.voice.told(instrument, duty, ""))]
            for layer in self.voice.layers if instrument is self.agreement else ():
                for deadline in layer.deadlines:
                    if deadline.obligation == duty.id:
                        rests_on.append(self.rests_on(self.voice.told(layer, deadline, "")))
                        if layer.header.party is None:
                            limits.append(deadline.within)
                        else:  # a domestic layer binds one side only
                            own.append(f"{layer.header.party}: {self.voice.limit(deadline.within)}")
            numbers = [each for each in limits if each.startswith("P")]
            within = min(numbers, key=hours_of) if numbers else "".join(limits)
            until = "; ".join([self.voice.limit(within), *own])
            yield _order(within), self._row(duty, until, "; ".join(rests_on))

    def _row(self, duty: Obligation, until: str, rests_on: str) -> tuple[Piece, ...]:
        on = self.voice.word(words.Event, duty.on)
        if duty.when is not None:
            on += f" ({self.voice.when(duty.when)})"
        deed = self.voice.word(words.Deed, duty.act)
        if duty.channel and duty.channel != "any":
            deed += f" ({self.voice.word(words.Channel, duty.channel)})"
        said = (until, on, self.voice.word(words.Role, duty.who), deed, self.voice.owed_to(duty))
        return (*map(Piece, said), self.written(duty.evidence), Piece(rests_on))

    def _term(self) -> Iterator[Block]:
        yield self._section("term")
        for key in ("entry", "duration", "renewal", "notice", "survival"):
            told = [each for each in self._parameter(key) if not each.subject]
            if told:
                name = next(each.name for each in self._parameters if each.key == key)
                rests_on = self.rests_on(told[0])
                yield Entries((Entry(Piece(f"{name}: {told[0].text}"), rests_on),))
        found = spans(self.agreement, self.day)
        if not found:
            yield Paragraph(Piece(self.remark("no-days" if self.agreement.term.duration else "open-ended")))
        else:
            last = "renewed" if self.agreement.term.renewal == "automatic" else "ends"
            rows = []
            for span in found:
                days: dict[date, list[str]] = {}
                for rule, day in span.last_days:
                    days.setdefault(day, []).append(self.voice.word(words.Counting, rule))
                said = "; ".join(f"{day} ({', '.join(rules)})" for day, rules in sorted(days.items()))
                rows.append((Piece(str(span.begins)), Piece(said), Piece(str(span.ends))))
            yield Grid(self.title("terms"), self.head("begins", "last-day", last), tuple(rows))
            told_in_words = "; ".join(" – ".join(cell.text for cell in row if cell.text) for row in rows)
            yield Drawing(drawing(found), in_characters(found), f"{self.title('terms')}: {told_in_words}")
            yield Paragraph(Piece(self.remark("drawn")), aside=True)
        yield Paragraph(Piece(self.remark("history", x=self.agreement.id)), aside=True)

    def _clauses(self) -> Iterator[Block]:
        yield self._section("clauses")
        if self.voice.language != "en":
            yield Paragraph(Piece(self.remark("clauses")), aside=True)
        for clause in self.agreement.clauses:
            yield from self._clause(clause, f"clause-{clause.id}")
        for layer in self.voice.layers:
            letter = self.letters[layer.id]
            title = self.title("layer").format(a=letter, x=self.voice.own(layer.header.title))
            yield Heading(2, Piece(title), f"layer-{letter.lower()}")
            for clause in layer.clauses:
                yield from self._clause(clause, f"layer-{letter.lower()}-clause-{clause.id}", letter)

    def _clause(self, clause: Clause, anchor: str, letter: str = "") -> Iterator[Block]:
        heading = self.own(clause.heading)
        number = f"{letter} {clause.id}".lstrip()
        yield Heading(3, Piece(f"{number}  {heading.text} [{clause.provenance}]", heading.language), anchor)
        yield Paragraph(self.written(clause.says))
        if clause.source:
            yield Paragraph(Piece(self.remark("read-in", x=clause.source)), aside=True)

    def _legend(self) -> Iterator[Block]:
        yield self._section("legend")
        rows = tuple((Piece(each), Piece(self.voice.word(words.Provenance, each))) for each in ("P", "S", "K"))
        yield Grid("[P] [S] [K]", self.head("id", "says"), rows)


def letter_of(index: int) -> str:
    """What stands for a layer where it is cited: A to Z, then A1 and so on."""
    round_, letter = divmod(index, 26)
    return chr(ord("A") + letter) + (str(round_) if round_ else "")


def _order(within: str) -> tuple[int, int]:
    """Where a limit stands in a calendar: what is always owed, what is owed before and at once, then by its length."""
    if within in _BEFORE_ALL:
        return 0, _BEFORE_ALL.index(within)
    if within in _AFTER_ALL:
        return 2, _AFTER_ALL.index(within)
    return 1, hours_of(within)
