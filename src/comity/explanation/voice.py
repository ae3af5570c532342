"""One language that an agreement is told in: lists, numbers, names, rules and duties as sentences.

Rules of this file (``spec/explanation.md`` steps 2 to 4):

- What a file says itself (headings, names, texts) is taken in the reader's language, and in English where it has none.
- Every sentence is told with what it rests on: the clause, the instrument, how far that was checked.
- A word or key that this room does not know yet is told as it is written. Nothing of a rule is ever left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from msgspec import Struct
from msgspec.structs import FieldInfo, fields

from comity.agreement import vocabulary as words
from comity.agreement.check import EFFECTS as EFFECT_KEYS
from comity.agreement.model import Agreement, Checklist, Interval, Layer, Obligation, Response, Rule, Text, When
from comity.explanation import conditions as patterns
from comity.explanation.phrases import LANGUAGES, PHRASES, Phrase

Instrument = Agreement | Layer

_UNITS: Mapping[str, Phrase] = {
    "Y": ("year", "年", "년"),
    "M": ("month", "か月", "개월"),
    "D": ("day", "日", "일"),
    "H": ("hour", "時間", "시간"),
}
_JOINED: Mapping[str, Phrase] = {"and": (" and ", "及び", " 및 "), "or": (" or ", "又は", " 또는 ")}
_BETWEEN: Phrase = (", ", "、", ", ")
_QUOTED: Phrase = ("“{}”", "「{}」", "‘{}’")
_PARTICLE = re.compile(r"(.)(을/를|이/가|은/는)")
_FIRST_SYLLABLE, _LAST_SYLLABLE, _FINALS = 0xAC00, 0xD7A3, 28


class Told(Struct, frozen=True):
    """A sentence, and what it rests on.

    Attributes:
        text: the sentence.
        instrument: id of the agreement or layer.
        clause: id of the clause.
        provenance: how far it was checked.
        subject: id of the rule or obligation told, empty for anything else.
    """

    text: str
    instrument: str
    clause: str
    provenance: words.Provenance
    subject: str = ""


class Voice:
    """A language, for one agreement and the layers it is told with."""

    def __init__(self, language: words.Language, agreement: Agreement, layers: Sequence[Layer] = ()) -> None:
        self.language = language
        self.index = LANGUAGES.index(language)
        self.agreement = agreement
        self.layers = tuple(layers)
        self._names = {party.id: party.name for party in agreement.parties}
        self._names |= {body.id: body.name for body in agreement.bodies}

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """The agreement, then the layers."""
        return (self.agreement, *self.layers)

    def of(self, phrase: Phrase) -> str:
        """The phrase in this language."""
        return phrase[self.index]

    def own(self, text: Text) -> str:
        """A text of the file in this language; in English where it has none."""
        return text.in_language(self.language)

    def language_of(self, text: Text) -> words.Language:
        """The language in which ``own`` tells a text."""
        return self.language if self.language != "en" and getattr(text, self.language) else "en"

    def word(self, kind: Any, word: str) -> str:
        """A closed word; as it is written where it has no phrase."""
        phrase = PHRASES.get(kind, {}).get(word)
        return self.of(phrase) if phrase else word

    def name(self, party: str) -> str:
        """The name of a party or body."""
        return self.own(self._names[party]) if party in self._names else party

    def listed(self, items: Iterable[str], joined: str = "and") -> str:
        """Several things in one sentence."""
        *first, last = items
        if not first:
            return last
        return self.of(_BETWEEN).join(first) + self.of(_JOINED[joined]) + last

    def quoted(self, words_: Iterable[str], joined: str = "or") -> str:
        """Words as somebody wrote them, such as marks."""
        return self.listed((self.of(_QUOTED).format(each) for each in words_), joined)

    def length(self, duration: str) -> str:
        """`P90D` or `PT24H` as people say it."""
        return length_in(duration, self.language)

    def limit(self, within: str | None) -> str:
        """A limit of time: a word without a number, a duration, or none."""
        if within and within.startswith("P"):
            return self.of(patterns.NO_LATER).format(x=self.length(within))
        return self.word(words.Within, within or "")

    def provenance(self, instrument: Instrument, row: Any) -> words.Provenance:
        """How far something was checked: what it says itself, else what its clause says."""
        known = {clause.id: clause.provenance for clause in instrument.clauses}
        return getattr(row, "provenance", None) or known[row.clause]

    def told(self, instrument: Instrument, row: Any, text: str) -> Told:
        """A sentence with what it rests on."""
        return Told(text, instrument.id, row.clause, self.provenance(instrument, row), getattr(row, "id", ""))

    def rules(self) -> Iterable[tuple[Instrument, Rule]]:
        """Every rule, the agreement's first."""
        return ((instrument, rule) for instrument in self.instruments for rule in instrument.rules)

    def rule(self, instrument: Instrument, rule: Rule) -> Told:
        """A rule as one sentence, or two where it has an exception."""
        acts = self.listed(self.word(words.Act, act) for act in rule.acts)
        many = len(rule.acts) > 1
        given = {
            "acts": acts,
            "Acts": acts[:1].upper() + acts[1:],
            "is": "are" if many else "is",
            "needs": "need" if many else "needs",
            "goes": "go" if many else "goes",
            **self._effect(instrument, rule),
        }
        pattern = patterns.EFFECTS.get(effect_of(rule), ("{Acts}: {x}", "{acts}:{x}", "{acts}: {x}"))
        said = self.of(pattern).format_map(given)
        when = self._all_of(*self._side(instrument), *(self._conditions(rule.when) if rule.when else ()))
        when = self.of(patterns.WHEN).format(all=when) if when else ""
        unless = self.of(patterns.UNLESS).format(all=self.when(rule.unless)) if rule.unless else ""
        end = self.of(patterns.ENDS)
        if self.language == "en":
            text = f"{said if when or unless else said.rstrip(',')}{when}{unless}{end}"
        else:
            space = " " if self.language == "ko" and unless else ""
            text = f"{when}{said}{end}{space}{unless}"
        for pattern, moment in ((patterns.SINCE, rule.since), (patterns.UNTIL, rule.until)):
            text += self.of(pattern).format(x=moment_said(moment)) if moment else ""
        text += _rest(rule, _TOLD_OF_RULES)
        if self.provenance(instrument, rule) == "K":
            text += ("" if self.language == "ja" else " ") + self.of(patterns.UNCHECKED)
        return self.told(instrument, rule, self.fitted(text))

    def when(self, when: When) -> str:
        """The conditions that are written, all of which must hold."""
        return self._all_of(*self._conditions(when))

    def _all_of(self, *conditions: str) -> str:
        return self.of(patterns.ALL).join(conditions)

    def _conditions(self, when: When) -> Iterator[str]:
        for field in _keys(type(when)):
            if (value := getattr(when, field.name)) is not None:
                yield self._condition(field.name, value)

    def _side(self, instrument: Instrument) -> Iterator[str]:
        """A domestic layer binds the acts of one side: the condition that nobody writes."""
        if isinstance(instrument, Layer) and instrument.header.party is not None:
            yield self._condition("acting", instrument.header.party)

    def obligation(self, instrument: Instrument, duty: Obligation) -> Told:
        """A duty as one sentence."""
        on, who = self.word(words.Event, duty.on), self.word(words.Role, duty.who)
        deed, to = self.word(words.Deed, duty.act), self.owed_to(duty)
        limit = self.limit(duty.within) if duty.within and duty.within != "continuous" else ""
        match self.language:
            case "en":
                on = on if duty.on == "always" else f"when {on}"
                to, limit = f"; it is owed to {to}" if to else "", f", {limit}" if limit else ""
                text = f"{on[:1].upper()}{on[1:]}, {who} {deed}{limit}{to}."
            case "ja":
                text = f"{on}:{who}は、{f'{to}に対し、' if to else ''}{deed}{f'({limit})' if limit else ''}。"
            case _:
                text = f"{on}: {who}은/는 {f'{to}에 대하여 ' if to else ''}{deed}{f'({limit})' if limit else ''}."
        if limits := (*self._side(instrument), *(self._conditions(duty.when) if duty.when else ())):
            text = f"{text[:-1]}{self.of(patterns.LIMITED).format(all=self._all_of(*limits))}{self.of(patterns.ENDS)}"
        return self.told(instrument, duty, self.fitted(text + _rest(duty, _TOLD_OF_DUTIES)))

    def interval(self, instrument: Instrument, interval: Interval) -> Told:
        """How long ahead something is asked for, or how often it is done again."""
        length = self.length(interval.length)
        if interval.of == "visit-lead":
            length = self.of(patterns.AHEAD).format(x=length)
        if interval.level_at_least:
            length += f" ({self.of(patterns.AND_ABOVE).format(x=interval.level_at_least)})"
        return self.told(instrument, interval, f"{self.word(words.Measured, interval.of)}: {length}")

    def response(self, instrument: Instrument, response: Response) -> Told:
        """What is done when the other party is proved to have signed two histories."""
        said = self.listed([self.word(words.Response, each) for each in response.two_histories])
        return self.told(instrument, response, f"{self.of(patterns.TWO_HISTORIES)}: {said}")

    def owed_to(self, duty: Obligation) -> str:
        """To whom a duty is owed; empty where nobody is named."""
        if duty.to == "both" == duty.who:
            return self.of(patterns.OTHERS)
        return self.word(words.Role, duty.to) if duty.to else ""

    def fitted(self, text: str) -> str:
        """The text with the form of each Korean particle that fits what stands before it."""
        return _PARTICLE.sub(_fit, text) if self.language == "ko" else text

    def _condition(self, key: str, value: Any) -> str:
        if isinstance(value, bool):
            phrase = patterns.WHETHER.get((key, value))
            return self.of(phrase) if phrase else f"{key.replace('_', '-')} = {str(value).lower()}"
        pattern = patterns.CONDITIONS.get(key)
        if pattern is None:
            return f"{key.replace('_', '-')} = {value if isinstance(value, str) else ', '.join(map(str, value))}"
        each = (value,) if isinstance(value, str) else value
        if key in patterns.WORDS_OF:
            said = self.listed((self.word(patterns.WORDS_OF[key], word) for word in each), "or")
        elif key in patterns.NAMED:
            said = self.listed(map(self.name, each), "or")
        else:
            said = self.quoted(each)
        return self.of(pattern).format(x=said)

    def _effect(self, instrument: Instrument, rule: Rule) -> Mapping[str, str]:
        match effect_of(rule):
            case "requires":
                return {"x": self.listed(self.word(words.Requirement, each) for each in rule.requires or ())}
            case "checklist":
                return self._checklist(instrument, rule.checklist or "")
            case "consent":
                item = self.of(patterns.OF_THIS_ITEM) if rule.per_item else ""
                whose = self.word(words.Consenter, rule.consent or "")
                if rule.consent_of:
                    whose = self.listed(map(self.name, rule.consent_of))
                return {"x": whose, "item": item}
            case "approvals" | "witnesses" as key:
                n = getattr(rule, key)
                who = rule.approved_by and self.word(words.Approver, rule.approved_by)
                by = self.of(patterns.APPROVED_BY).format(x=who) if who else ""
                return {"x": self.of(patterns.PEOPLE).format(n=n, people="person" if n == 1 else "people"), "by": by}
            case "copies":
                copies = "copy" if rule.copies == 1 else "copies"
                return {"x": self.of(patterns.COPIES).format(n=rule.copies, copies=copies)}
            case "methods":
                return {"x": self.listed((self.word(words.Method, each) for each in rule.methods or ()), "or")}
            case "permits" | "forbids" | "registries":
                return {}
            case key:
                return {"x": f"{key} = {getattr(rule, key)}"}

    def checklist(self, instrument: Instrument, checklist: Checklist) -> str:
        """A checklist in one line: what it is called, its conditions, who attests them, for what."""
        said = self._attested(instrument, checklist)
        return f"{said['list']} ({said['x']}): {said['who']}, {said['bound']}"

    def _checklist(self, instrument: Instrument, name: str) -> Mapping[str, str]:
        found = checklist_of((instrument, *self.instruments), name)
        return self._attested(*found) if found else {"who": "", "bound": "", "list": name, "x": ""}

    def _attested(self, instrument: Instrument, checklist: Checklist) -> Mapping[str, str]:
        headings = {clause.id: clause.heading for clause in instrument.clauses}
        return {
            "who": self.word(words.Attester, checklist.attested_by),
            "bound": self.word(words.BoundTo, checklist.bound_to),
            "list": self.own(headings[checklist.clause]),
            "x": self.listed(checklist.conditions),
        }


_TOLD_OF_RULES = frozenset(
    {"id", "clause", "acts", "when", "unless", *patterns.EFFECTS, "provenance", "source"}
    | {"per_item", "approved_by", "consent_of", "since", "until"}
)
_TOLD_OF_DUTIES = frozenset(
    {"id", "clause", "on", "who", "act", "evidence", "to", "channel", "within", "when", "provenance", "source"}
)
"""Keys that a sentence tells, or that stand beside it."""


@cache
def _keys(table: type[Struct]) -> tuple[FieldInfo, ...]:
    """The keys of a table; they are asked for at every row."""
    return fields(table)


def _rest(row: Rule | Obligation, told: frozenset[str]) -> str:
    """What else is written, so that nothing is left out."""
    written = {field.encode_name: getattr(row, field.name) for field in _keys(type(row)) if field.name not in told}
    return "".join(f" ({key} = {value})" for key, value in written.items() if value is not None)


def length_in(duration: str, language: words.Language) -> str:
    """`P90D` or `PT24H` as people say it.

    >>> length_in("P90D", "en"), length_in("P6M", "ja")
    ('90 days', '6か月')
    """
    number, unit = int(duration.strip("PTYMDH")), _UNITS[duration[-1]][LANGUAGES.index(language)]
    if language == "en":
        return f"{number} {unit}{'' if number == 1 else 's'}"
    return f"{number}{unit}"


def moment_said(moment: str) -> str:
    """A minute with its offset, for people.

    >>> moment_said("2029-07-01T00:00+02:00"), moment_said("2029-07-01T00:00Z")
    ('2029-07-01 00:00 UTC+02:00', '2029-07-01 00:00 UTC')
    """
    return f"{moment[:16].replace('T', ' ')} UTC{moment[16:].removeprefix('Z')}"


def effect_of(rule: Rule) -> str:
    """The key of a rule's one effect."""
    return next(key for key in EFFECT_KEYS if getattr(rule, key) is not None)


def checklist_of(instruments: Iterable[Instrument], name: str) -> tuple[Instrument, Checklist] | None:
    """A checklist and the instrument that has it."""
    for instrument in instruments:
        for checklist in instrument.checklists:
            if checklist.id == name:
                return instrument, checklist
    return None


def _fit(found: re.Match[str]) -> str:
    before, (closed, open_) = found[1], found[2].split("/")
    letter = ord(before)
    if not _FIRST_SYLLABLE <= letter <= _LAST_SYLLABLE:
        return f"{before}{closed}({open_})"
    return before + (closed if (letter - _FIRST_SYLLABLE) % _FINALS else open_)
