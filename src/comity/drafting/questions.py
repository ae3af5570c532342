"""What is asked for a draft, one question after another, and the answers as they are written to an answers file.

Rules of this file (``spec/drafting.md`` step 6):

- ``asked`` is a generator: it yields a question, is sent what was typed, and asks again when that cannot be.
- What one answer allows the next ones is said in the question. Answers that are taken always fit one another.
- An empty line takes what stands in brackets, or leaves the matter open.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import TypeVar, get_args

from msgspec import Struct
from msgspec.structs import replace

from comity.agreement import vocabulary as words
from comity.agreement.check import LONGEST_HOLDS, hours_of
from comity.agreement.digest import Written
from comity.agreement.model import Agreement
from comity.agreement.writing import table
from comity.drafting.answers import LEVELS_MAX, Closed, Onward, Template
from comity.drafting.typed import (
    Wrong,
    duration,
    identifier,
    level_of,
    line,
    needed,
    number_in,
    one_of,
    period,
    several,
    untaken,
    within,
    yes,
    zone_of,
)
from comity.explanation.voice import Voice

PARTIES_MAX = 9
"""Most parties that are asked for; an answers file may have more."""
T = TypeVar("T")


class Question(Struct, frozen=True):
    """One question.

    Attributes:
        asks: the question.
        default: what an empty line means; None where something must be typed.
        problem: why the last answer could not be taken.
    """

    asks: str
    default: str | None = None
    problem: str = ""


Asking = Generator[Question, str, T]
Tables = dict[str, Written]


def asked(template: Template, agreement: Agreement | None, zones: Sequence[str]) -> Asking[Tables]:
    """Ask everything a template needs; returns the tables of an answers file.

    Args:
        template: which.
        agreement: what an arrangement stands on.
        zones: the names of the time zones there are.
    """
    tables: Tables = {"answers": {"format": 1, "template": template}}
    if template == "arrangement":
        assert agreement is not None
        return {**tables, **(yield from _arrangement(agreement))}
    head: dict[str, Written] = {"id": (yield from _ask("its id, such as 'at-fi-2027'", identifier))}
    head["title"] = yield from _text("its title")
    tables["agreement"] = head
    number = yield from _ask(f"how many parties (2 to {PARTIES_MAX})", number_in(2, PARTIES_MAX), "2")
    parties = yield from _parties(number, zones)
    if template == "state":
        return {**tables, **(yield from _state(parties))}
    return {**tables, **(yield from _group(parties))}


def answers_text(tables: Tables) -> str:
    """The tables as an answers file; one in which nothing was answered is left out."""
    parts = []
    for name, held in tables.items():
        rows = held if isinstance(held, list) else [held]
        head = f"[[{name}]]" if isinstance(held, list) else f"[{name}]"
        parts += [table(head, row) for row in rows if isinstance(row, dict) and row]
    return "\n\n".join(parts) + "\n"


def _ask(asks: str, read: Callable[[str], T], default: str | None = None) -> Asking[T]:
    """Ask until the answer can be taken."""
    question = Question(asks, default)
    while True:
        typed = yield question
        try:
            return read(line(typed, default))
        except Wrong as wrong:
            question = replace(question, problem=str(wrong))


def _text(asks: str) -> Asking[dict[str, Written]]:
    """A text in English, and where it is known in Japanese and Korean."""
    found: dict[str, Written] = {"en": (yield from _ask(f"{asks}, in English", str))}
    for language, name in (("ja", "Japanese"), ("ko", "Korean")):
        if said := (yield from _ask(f"{asks}, in {name} (empty: none)", str, "")):
            found[language] = said
    return found


def _parties(number: int, zones: Sequence[str]) -> Asking[list[dict[str, Written]]]:
    found: list[dict[str, Written]] = []
    taken: list[str] = []
    for index in range(1, number + 1):
        name = yield from _ask(f"party {index}: its id, such as 'at'", untaken(taken, identifier))
        taken.append(name)
        party: dict[str, Written] = {"id": name, "name": (yield from _text(f"party {index}: its name"))}
        party["timezone"] = yield from _ask(f"party {index}: its time zone", zone_of(zones), "UTC")
        languages = several(one_of(*get_args(words.Language)))
        party["languages"] = [*(yield from _ask(f"party {index}: its languages", languages, "en"))] or ["en"]
        found.append(party)
    return found


def _scope(forms: bool) -> Asking[dict[str, Written]]:
    found: dict[str, Written] = {}
    for key in ("subjects", "purposes"):
        asks = f"{key} that are covered, as ids separated by commas (empty: all)"
        if listed := (yield from _ask(asks, several(identifier), "")):
            found[key] = [*listed]
    if forms:
        known = get_args(words.Form)
        asks = f"forms that are covered, of {', '.join(known)} (empty: all)"
        if listed := (yield from _ask(asks, several(one_of(*known)), "")):
            found["forms"] = [*listed]
    return found


def _kept(**keys: Written | None) -> dict[str, Written]:
    return {key.replace("_", "-"): value for key, value in keys.items() if value is not None}


def _state(parties: list[dict[str, Written]]) -> Asking[Tables]:
    levels = yield from _levels()
    top = yield from _ask(
        f"the highest level that may be exchanged, of {', '.join(levels)}", one_of(*levels), levels[0]
    )
    may_cross = levels[levels.index(top) :]
    places: dict[str, str] = {}
    for party in parties:
        last = party is parties[-1]
        party["marks"] = yield from _marks(str(party["id"]), levels, may_cross, places, last=last)
    closed = one_of(*get_args(Closed))
    rules = _kept(
        third_party=(
            yield from _ask("may it go to a third party: by consent, or is that forbidden", closed, "consent")
        ),
        other_use=(
            yield from _ask("may it serve another purpose: by consent, or is that forbidden", closed, "consent")
        ),
        clearance_from=(yield from _ask("a clearance is needed from level (empty: every level)", level_of(levels), "")),
        contractors=(
            yield from _ask(
                "contractors: under conditions, or forbidden", one_of("conditions", "forbidden"), "conditions"
            )
        ),
        copy_consent_from=(
            yield from _ask(
                "copies and translations need the originator's consent from level (empty: none)", level_of(levels), ""
            )
        ),
        destroy_consent_from=(
            yield from _ask("destruction needs the originator's consent from level (empty: none)", level_of(levels), "")
        ),
        witness_from=(
            yield from _ask("a second person witnesses destruction from level (empty: none)", level_of(levels), "")
        ),
        loss=(yield from _ask("a loss is told within", within, "immediately")),
        receipts=(yield from _ask("receipts are signed within (empty: no number)", duration, "")),
        visit_lead=(yield from _ask("visits are asked for this long ahead (empty: no number)", period, "")),
        inspection=(yield from _ask("contractors are inspected again within (empty: no number)", period, "")),
        inventory=(yield from _ask("copies are counted again within (empty: no number)", period, "")),
    )
    scope = yield from _scope(forms=True)
    term = yield from _term("later-of-notices")
    return {
        "party": [*parties],
        "levels": _kept(english=[*levels], ceiling=top),
        "scope": scope,
        "rules": rules,
        "term": term,
    }


def _levels() -> Asking[list[str]]:
    def read(typed: str) -> list[str]:
        found = several(str)(typed)
        if not 1 <= len(found) <= LEVELS_MAX:
            raise Wrong(f"from 1 to {LEVELS_MAX} of them")
        return found

    asks = "levels by their English words, the highest first, separated by commas"
    return (yield from _ask(asks, read, "TOP SECRET, SECRET, CONFIDENTIAL, RESTRICTED"))


def _marks(
    party: str, levels: Sequence[str], may_cross: Sequence[str], places: dict[str, str], *, last: bool
) -> Asking[dict[str, Written]]:
    """The marks of one party by level; one at least may cross, and a mark has the same level everywhere.

    The last party marks what nobody before it did.
    """
    found: dict[str, Written] = {}
    for level in levels:
        wanted = ""
        if level == levels[-1] and not any(each in found for each in may_cross):
            wanted = f"{party!r} needs a mark that may be exchanged"
        elif last and level not in places.values():
            wanted = f"no other party has a mark for {level!r}; somebody needs one"

        def read(typed: str, level: str = level, wanted: str = wanted) -> list[str]:
            marks = several(str, "/")(typed)
            for mark in marks:
                if places.get(mark, level) != level:
                    raise Wrong(f"{mark!r} has another level already")
            if wanted and not marks:
                raise Wrong(wanted)
            return marks

        hint = "" if wanted else " (empty: none)"
        asks = f"{party}: its marks for {level}, letter for letter, separated by '/'{hint}"
        marks = yield from _ask(asks, read, None if wanted else "")
        if marks:
            found[level] = [*marks]
            places.update(dict.fromkeys(marks, level))
    return found


def _group(parties: list[dict[str, Written]]) -> Asking[Tables]:
    def read(typed: str) -> list[str]:
        found = several(str)(typed)
        if not 1 <= len(found) <= LEVELS_MAX:
            raise Wrong(f"from 1 to {LEVELS_MAX} of them")
        return found

    listed = yield from _ask(
        "marks that all use, the strictest first, separated by commas",
        read,
        "TLP:RED, TLP:AMBER+STRICT, TLP:AMBER, TLP:GREEN, TLP:CLEAR",
    )
    marks: list[Written] = []
    for mark in listed:
        onward = yield from _ask(
            f"{mark}: outside the group never, by consent, or free", one_of(*get_args(Onward)), "consent"
        )
        needed = yield from _ask(f"{mark}: only for those who need it", yes, "no")
        approvals = yield from _ask(
            f"{mark}: how many other people approve each release (0 to 9)", number_in(0, 9), "0"
        )
        marks.append({"mark": mark, "onward": onward, "need-to-know": needed, "approvals": approvals})
    rules = _kept(
        other_use=(
            yield from _ask(
                "may it serve another purpose: by consent, or is that forbidden", one_of(*get_args(Closed)), "consent"
            )
        ),
        briefing=(yield from _ask("is everyone briefed before he or she has access", yes, "no")),
        loss=(yield from _ask("a loss or leak is told within", within, "promptly")),
        inventory=(yield from _ask("copies are counted again within (empty: no number)", period, "")),
    )
    scope = yield from _scope(forms=False)
    term = yield from _term("on-signature")
    return {"party": [*parties], "mark": marks, "scope": scope, "rules": rules, "term": term}


def _term(entry: str) -> Asking[dict[str, Written]]:
    known = get_args(words.Entry)
    when = yield from _ask(f"it enters into force: {', '.join(known)}", one_of(*known), entry)
    plus = (
        (yield from _ask("how long after the last of them", needed(period))) if when in words.WAITING_ENTRIES else None
    )
    duration = yield from _ask("how long it lasts, as in P5Y (empty: it has no end of its own)", period, "")
    renewal = None
    if duration:
        known = get_args(words.Renewal)
        renewal = yield from _ask(f"its renewal: {', '.join(known)}", one_of(*known), "automatic")
    notice = yield from _ask("a notice is given this long before", needed(period), "P90D")
    known = get_args(words.Counting)
    counting = yield from _ask(f"the notice is counted: {', '.join(known)}", one_of(*known), "before-anniversary")
    kept = yield from _ask("does protection go on after its end", yes, "yes")
    return _kept(
        entry=when,
        entry_plus=plus,
        duration=duration,
        renewal=renewal,
        notice=notice,
        counting=counting,
        survival="protection-continues" if kept else "none",
    )


def _arrangement(agreement: Agreement) -> Asking[Tables]:
    layer: dict[str, Written] = {"id": (yield from _ask("its id, such as 'at-fi-arrangement'", identifier))}
    layer["title"] = yield from _text("its title")
    voice = Voice("en", agreement)
    limits: list[Written] = []
    for duty in agreement.obligations:
        if duty.within in {"before", "continuous", "at-receipt", "at-creation"} or duty.on == "always":
            continue
        said = voice.obligation(agreement, duty).text

        def read(typed: str, agreed: str = duty.within or "") -> str | None:
            found = duration(typed)
            if found and agreed.startswith("P") and hours_of(found) > hours_of(agreed):
                raise Wrong(f"the agreement says {agreed!r}; an arrangement is no looser")
            return found

        if within := (yield from _ask(f"within what time (empty: no number): {said} [{duty.clause}]", read, "")):
            limits.append({"obligation": duty.id, "within": within})
    rules = yield from _numbers(agreement)
    tables: Tables = {"layer": layer, "rules": rules}
    return {**tables, "limit": limits} if limits else tables


def _numbers(agreement: Agreement) -> Asking[dict[str, Written]]:
    agreed = {each.of: each.length for each in agreement.intervals if each.level_at_least is None}
    found: dict[str, Written | None] = {}
    measured: tuple[tuple[words.Measured, str], ...] = (
        ("visit-lead", "visits are asked for this long ahead"),
        ("recurring-visit", "a recurring visit is permitted for at most"),
        ("inspection", "contractors are inspected again within"),
        ("inventory", "copies are counted again within"),
    )
    for of, asks in measured:

        def read(typed: str, of: words.Measured = of) -> str | None:
            length, theirs = period(typed), agreed.get(of)
            if length and theirs:
                looser = (
                    hours_of(length) < hours_of(theirs) if of in LONGEST_HOLDS else hours_of(length) > hours_of(theirs)
                )
                if looser:
                    raise Wrong(f"the agreement says {theirs!r}; an arrangement is no looser")
            return length

        found[of] = yield from _ask(f"{asks} (empty: no number)", read, "")
    levels = list(dict.fromkeys(level.english for level in agreement.levels))
    for key, asks in (("witness", "witness a destruction"), ("approval", "approve each release")):
        level = yield from _ask(
            f"other people {asks} from level, of {', '.join(levels)} (empty: none)", level_of(levels), ""
        )
        if level:
            plural = "witnesses" if key == "witness" else "approvals"
            found[f"{key if key == 'witness' else plural}-from"] = level
            found[plural] = yield from _ask("how many (1 to 9)", number_in(1, 9), "1")
    known = get_args(words.Method)
    methods = yield from _ask(f"destroyed only by, of {', '.join(known)} (empty: any way)", several(one_of(*known)), "")
    found["methods"] = [*methods] or None
    found["suspend-on-incident"] = yield from _ask("does an open incident stop what it touches", yes, "no")
    found["stop-on-recall"] = yield from _ask("is nothing more made of what is asked back", yes, "no")
    return {key: value for key, value in found.items() if value is not None}
