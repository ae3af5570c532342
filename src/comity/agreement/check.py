"""What must hold between the tables of a file, once each table has its type (``spec/agreement.md`` steps 4 to 7).

Rules of this file:

- A check finds one ``Mistake``: a code, the path of what was written, and a sentence for its writer.
- Whatever one table names, another one defines: a name that nothing defines is a spelling mistake, and a rule that
  never applies because of one is the worst kind of rule.
- A layer only refuses or asks more. It has clauses of its own to cite, and its numbers are never looser.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Sequence

from msgspec.structs import fields

from comity.agreement.lines import Path
from comity.agreement.model import (
    EVERY_PARTY,
    Agreement,
    AgreementFile,
    LayerFile,
    Level,
    Rule,
    Table,
    When,
)
from comity.agreement.nearest import nearest
from comity.agreement.vocabulary import WAITING_ENTRIES, Measured

LONGEST_HOLDS: frozenset[Measured] = frozenset({"visit-lead", "keep-names", "keep-titles", "keep-payloads"})
"""Of the intervals of these kinds the longest is the strictest; of all others the shortest."""

EFFECTS = (
    "permits",
    "forbids",
    "requires",
    "checklist",
    "consent",
    "approvals",
    "witnesses",
    "methods",
    "copies",
    "registries",
)
"""The keys of which a rule has exactly one."""

ITEM_CONDITIONS = ("form", "level", "level_at_least", "category", "subject", "originator")
"""What a condition may say where nothing is known but the item: in an obligation."""


class Mistake(Exception):
    """Something the writer of a file must change."""

    def __init__(self, code: str, path: Path, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.path = path
        self.sentence = sentence


def check_agreement(read: AgreementFile) -> None:
    """Raise the first ``Mistake`` of an agreement."""
    _check_unique(read)
    parties = {party.id for party in read.parties}
    if EVERY_PARTY in parties:
        index = [party.id for party in read.parties].index(EVERY_PARTY)
        raise Mistake("reserved-id", ("party", index, "id"), f"{EVERY_PARTY!r} means all parties; choose another id")
    _check_parties(read, parties)
    _check_clauses(read, {clause.id for clause in read.clauses})
    _check_days(read)
    _check_levels(read.levels)
    _check_equivalences(read)
    _check_term(read)
    _check_checklists(read, {clause.id for clause in read.clauses})
    known = _Known(read)
    _check_intervals(read, known)
    _check_registries(read, parties)
    checklists = {checklist.id for checklist in read.checklists}
    for index, rule in enumerate(read.rules):
        _check_rule(rule, ("rule", index), known, checklists)
    _check_obligations(read, known)


def check_layer(read: LayerFile, agreement: Agreement) -> None:
    """Raise the first ``Mistake`` of a layer that stands on ``agreement``."""
    header = read.header
    if header.on not in {None, agreement.id}:
        sentence = f"this layer stands on {header.on!r}, not on {agreement.id!r}"
        raise Mistake("other-agreement", ("layer", "on"), sentence)
    if header.kind != "house" and header.on is None:
        sentence = f"'layer' lacks the key 'on': {header.kind!r} stands on one agreement"
        raise Mistake("missing-key", ("layer",), sentence)
    if (header.kind == "domestic") != (header.party is not None):
        sentence = "a domestic layer, and no other, names its 'party'"
        raise Mistake("layer-party", ("layer",), sentence)
    parties = {party.id for party in agreement.parties}
    if header.party is not None:
        check_name(header.party, parties, ("layer", "party"), "party")
    _check_unique(read)
    clauses = {clause.id for clause in read.clauses}
    _check_own_clauses(read, clauses, agreement)
    _check_clauses(read, clauses)
    _check_checklists(read, clauses)
    known = _Known(agreement)
    checklists = {checklist.id for checklist in agreement.checklists}
    for index, checklist in enumerate(read.checklists):
        if checklist.id in checklists:
            sentence = f"{checklist.id!r} is a checklist of {agreement.id!r}; a layer adds its own beside it"
            raise Mistake("duplicate-id", ("checklist", index, "id"), sentence)
    checklists |= {checklist.id for checklist in read.checklists}
    for index, rule in enumerate(read.rules):
        path: Path = ("rule", index)
        if rule.permits:
            sentence = f"rule {rule.id!r} on clause {rule.clause!r} permits; a layer may only refuse or ask more"
            raise Mistake("layer-permits", (*path, "permits"), sentence)
        _check_rule(rule, path, known, checklists)
    _check_obligations(read, known)
    _check_deadlines(read, agreement)
    _check_intervals(read, known, agreement)
    for index, preference in enumerate(read.preferences):
        path = ("preference", index)
        check_name(preference.party, parties, (*path, "party"), "party")
        marks = [level.mark for level in agreement.levels if level.party in {preference.party, EVERY_PARTY}]
        for mark in preference.among:
            check_name(mark, marks, (*path, "among"), "mark")
        check_name(preference.mark, preference.among, (*path, "mark"), "mark")


class _Known:
    """The words that the conditions of a rule may use."""

    def __init__(self, agreement: AgreementFile) -> None:
        parties = [party.id for party in agreement.parties]
        bodies = [*parties, *(body.id for body in agreement.bodies)]
        marks = [level.mark for level in agreement.levels]
        scope = agreement.scope
        self.words: dict[str, Sequence[str] | None] = {
            "level": marks,
            "level_at_least": [*marks, *(level.english for level in agreement.levels)],
            "category": scope.categories,
            "subject": scope.subjects,
            "purpose": scope.purposes,
            "acting": parties,
            "originator": bodies,
            "recipient": bodies,
            "serves": bodies,
            "circle": sorted({circle for body in agreement.bodies for circle in body.circles or ()}),
        }
        self.clients = any(body.client_of for body in agreement.bodies)
        self.parties = parties
        self.registries = bool(agreement.registries)
        self.kinds = {"level": "mark", "level_at_least": "mark", "acting": "party"}


def _check_rule(rule: Rule, path: Path, known: _Known, checklists: set[str]) -> None:
    effects = [effect for effect in EFFECTS if getattr(rule, effect) is not None]
    if len(effects) != 1:
        said = " and ".join(effects) or "none"
        sentence = f"rule {rule.id!r} has {said}; a rule has exactly one of {', '.join(EFFECTS)}"
        raise Mistake("rule-effect", path, sentence)
    if rule.checklist is not None:
        check_name(rule.checklist, checklists, (*path, "checklist"), "checklist")
    for key, effect in (("per_item", "consent"), ("approved_by", "approvals")):
        if getattr(rule, key) is not None and getattr(rule, effect) is None:
            written = key.replace("_", "-")
            raise Mistake("rule-effect", (*path, written), f"{written!r} of rule {rule.id!r} goes with {effect!r} only")
    if (rule.consent == "named") != (rule.consent_of is not None):
        sentence = f"'consent-of' of rule {rule.id!r} names those whose consent is 'named', and goes with it only"
        raise Mistake("rule-effect", (*path, "consent-of" if rule.consent_of else "consent"), sentence)
    for party in rule.consent_of or ():
        check_name(party, known.parties, (*path, "consent-of"), "party")
    _check_moments(rule, path)
    if rule.registries and not known.registries:
        sentence = f"rule {rule.id!r} speaks of registries, and there is no [[registry]]"
        raise Mistake("missing-key", (*path, "registries"), sentence)
    for key in ("when", "unless"):
        conditions: When | None = getattr(rule, key)
        if conditions is not None:
            _check_conditions(conditions, (*path, key), known, f"{key!r} of rule {rule.id!r}")


def _check_moments(rule: Rule, path: Path) -> None:
    begins, ends = (_moment(getattr(rule, key), (*path, key)) for key in ("since", "until"))
    if begins and ends and begins >= ends:
        raise Mistake("bad-moment", (*path, "until"), f"rule {rule.id!r} ends before it begins, and never holds")


def _moment(written: str | None, path: Path) -> datetime.datetime | None:
    found = None if written is None else moment_of(written)
    if written is not None and found is None:
        raise Mistake("bad-moment", path, f"{written!r} is no instant of the calendar")
    return found


def _check_conditions(conditions: When, path: Path, known: _Known, name: str) -> None:
    if conditions == When():
        raise Mistake("empty-table", path, f"{name} is empty; leave the key out")
    for field, words in known.words.items():
        used = getattr(conditions, field)
        if used is None or words is None:
            continue
        kind = known.kinds.get(field, "party or body" if field in {"originator", "recipient", "serves"} else field)
        for word in (used,) if isinstance(used, str) else used:
            check_name(word, words, (*path, field.replace("_", "-")), kind)
    if conditions.client is not None and not known.clients:
        raise Mistake(
            "no-clients", (*path, "client"), f"{name} speaks of clients, and no [[body]] is 'client-of' a party"
        )


def _check_obligations(read: AgreementFile | LayerFile, known: _Known) -> None:
    for index, obligation in enumerate(read.obligations):
        if obligation.when is None:
            continue
        path: Path = ("obligation", index, "when")
        _check_conditions(obligation.when, path, known, f"'when' of obligation {obligation.id!r}")
        for field in fields(obligation.when):
            if getattr(obligation.when, field.name) is not None and field.name not in ITEM_CONDITIONS:
                said = ", ".join(each.replace("_", "-") for each in ITEM_CONDITIONS)
                sentence = f"an obligation speaks of what an item is ({said}), not of {field.encode_name!r}"
                raise Mistake("unknown-condition", (*path, field.encode_name), sentence)


def _check_registries(read: AgreementFile, parties: set[str]) -> None:
    above = {registry.id: registry.under for registry in read.registries}
    offices: set[tuple[str, str]] = set()
    for index, registry in enumerate(read.registries):
        path: Path = ("registry", index)
        check_name(registry.party, parties, (*path, "party"), "party")
        if (registry.party, registry.office) in offices:
            raise Mistake("duplicate-id", (*path, "office"), f"{registry.office!r} is the office of another registry")
        offices.add((registry.party, registry.office))
        for served in registry.serves or ():
            if served in {each.office for each in read.registries}:
                sentence = f"{served!r} is a registry itself; say so with 'under'"
                raise Mistake("registry-served", (*path, "serves"), sentence)
        if registry.under is not None:
            check_name(registry.under, above, (*path, "under"), "registry")
        seen, place = {registry.id}, registry.under
        while place is not None:
            if place in seen:
                raise Mistake("cycle", (*path, "under"), f"registry {registry.id!r} stands under itself")
            seen.add(place)
            place = above.get(place)


def _check_unique(read: AgreementFile | LayerFile) -> None:
    named = ("party", "body", "clause", "rule", "checklist", "obligation", "registry")
    for field, table in ((f.name, f.encode_name) for f in fields(read) if f.encode_name in named):
        seen: set[str] = set()
        for index, row in enumerate(getattr(read, field)):
            if row.id in seen:
                raise Mistake("duplicate-id", (table, index, "id"), f"{row.id!r} is the id of another [[{table}]]")
            seen.add(row.id)


def _check_clauses(read: AgreementFile | LayerFile, clauses: set[str]) -> None:
    for path, table in _tables(read):
        for field in table.__struct_fields__:
            clause = getattr(table, field)
            if (field == "clause" or field.endswith("_clause")) and clause is not None:
                check_name(clause, clauses, (*path, field.replace("_", "-")), "clause")
        if getattr(table, "provenance", None) and not hasattr(table, "says"):
            _check_source(table, path, repr(getattr(table, "id", None) or getattr(table, "mark", path[0])))


def _check_own_clauses(read: LayerFile, clauses: set[str], agreement: Agreement) -> None:
    """A layer cites its own clauses: nobody may take what it asks for what the agreement asks."""
    theirs = {clause.id for clause in agreement.clauses}
    for path, table in _tables(read):
        for field in ("clause", "conditions"):
            cited = getattr(table, field, None) or ()
            for clause in (cited,) if isinstance(cited, str) else cited:
                if clause not in clauses and clause in theirs:
                    sentence = f"{clause!r} is a clause of {agreement.id!r}; a layer cites a [[clause]] of its own"
                    raise Mistake("cites-agreement", (*path, field), sentence)


def _check_source(table: object, path: Path, name: str) -> None:
    if getattr(table, "provenance", None) in {"P", "S"} and not getattr(table, "source", ""):
        sentence = f"{name} says its own provenance without its 'source'"
        raise Mistake("missing-source", (*path, "provenance"), sentence)


def _check_parties(read: AgreementFile, parties: set[str]) -> None:
    for index, authority in enumerate(read.authorities):
        check_name(authority.party, parties, ("authority", index, "party"), "party")
    for index, level in enumerate(read.levels):
        check_name(level.party, {*parties, EVERY_PARTY}, ("level", index, "party"), "party")
    for index, basis in enumerate(read.protection_bases):
        bodies = {*parties, *(body.id for body in read.bodies)}
        for party in basis.between:
            check_name(party, bodies, ("protection-basis", index, "between"), "party or body")
    for party in read.route.via if read.route else ():
        check_name(party, parties, ("route", "via"), "party")
    for index, body in enumerate(read.bodies):
        if body.id in parties or body.id == EVERY_PARTY:
            raise Mistake("duplicate-id", ("body", index, "id"), f"{body.id!r} is the id of a party")
        for party in body.client_of or ():
            check_name(party, parties, ("body", index, "client-of"), "party")


def _check_days(read: AgreementFile) -> None:
    days: list[tuple[Path, str | None]] = [
        (("agreement", "signed"), read.header.signed),
        (("agreement", "in-force"), read.header.in_force),
    ]
    days += [(("authority", index, "valid-from"), row.valid_from) for index, row in enumerate(read.authorities)]
    for path, day in days:
        try:
            datetime.date.fromisoformat(day or "0001-01-01")
        except ValueError:
            raise Mistake("bad-day", path, f"{day!r} is not a day of the calendar") from None
    header = read.header
    if header.signed and header.in_force and header.in_force < header.signed:
        sentence = f"in force since {header.in_force!r}, and signed on {header.signed!r} only"
        raise Mistake("bad-day", ("agreement", "in-force"), sentence)


def _check_levels(levels: Sequence[Level]) -> None:
    for index, level in enumerate(levels):
        path = ("level", index)
        for other in levels[:index]:
            same_party = EVERY_PARTY in {level.party, other.party} or level.party == other.party
            if same_party and level.mark == other.mark:
                raise Mistake("duplicate-mark", (*path, "mark"), f"{level.mark!r} is written twice for {level.party!r}")
            if (level.english == other.english) != (level.rank == other.rank):
                sentence = (
                    f"{level.mark!r} is {level.english!r} with rank {level.rank}, but {other.mark!r} is "
                    f"{other.english!r} with rank {other.rank}; one English word names one rank"
                )
                raise Mistake("unequal-ranks", (*path, "rank"), sentence)
            if level.mark == other.mark and level.rank != other.rank:
                sentence = f"{level.mark!r} has rank {level.rank} for {level.party!r}, {other.rank} for {other.party!r}"
                raise Mistake("unequal-ranks", (*path, "rank"), sentence)
            if level.party != other.party:
                continue
            if level.rank == other.rank and level.ladder == other.ladder:
                sentence = f"{level.mark!r} and {other.mark!r} have the same rank on the same ladder"
                raise Mistake("same-rank", (*path, "rank"), sentence)
            lower, upper = sorted((level, other), key=lambda each: each.rank)
            if upper.crosses and not lower.crosses and upper.rank > lower.rank:
                sentence = f"{upper.mark!r} crosses and stands above {lower.mark!r}, which does not"
                raise Mistake("ceiling-hole", (*path, "crosses"), sentence)


def _check_equivalences(read: AgreementFile) -> None:
    own: dict[str, dict[str, Level]] = {}
    for level in read.levels:
        own.setdefault(level.party, {})[level.mark] = level
    parties = {*(party.id for party in read.parties), EVERY_PARTY}
    placed: set[tuple[str, str, str]] = set()
    for index, row in enumerate(read.equivalences):
        path: Path = ("equivalence", index)
        for party, marks in row.marks.items():
            check_name(party, parties, (*path, "marks", party), "party")
            for mark in marks:
                check_name(mark, own.get(party, {}), (*path, "marks", party), f"mark of {party!r}")
                if not own[party][mark].crosses:
                    ceiling = own[party][mark].clause
                    sentence = f"{mark!r} of {party!r} is above the ceiling of {ceiling!r}; it can have no equivalent"
                    raise Mistake("above-ceiling", (*path, "marks", party), sentence)
                for other in row.marks.keys() - {party} if row.origin in {None, party} else ():
                    if (party, mark, other) in placed:
                        sentence = f"{mark!r} of {party!r} stands in two rows for {other!r}"
                        raise Mistake("mark-twice", (*path, "marks", party), sentence)
                    placed.add((party, mark, other))
        if row.origin is not None:
            check_name(row.origin, row.marks, (*path, "origin"), "party of this row")
        ranks = {party: {own[party][mark].rank for mark in marks} for party, marks in row.marks.items()}
        lowest = min(min(each) for each in ranks.values())
        if row.origin is None and any(each != {lowest} for each in ranks.values()):
            sentence = "marks of different rank in one row; a row that raises the level names its 'origin'"
            raise Mistake("unequal-ranks", (*path, "marks"), sentence)
        if row.origin is not None and max(ranks[row.origin]) > lowest:
            raise Mistake("lower-rank", (*path, "marks"), f"this row lowers the level of what {row.origin!r} marked")
        for party, mark in (row.preferred or {}).items():
            check_name(party, row.marks, (*path, "preferred", party), "party of this row")
            check_name(mark, row.marks[party], (*path, "preferred", party), "mark of this row")


def _check_term(read: AgreementFile) -> None:
    term = read.term
    if (term.entry in WAITING_ENTRIES) != (term.entry_plus is not None):
        sentence = "'entry-plus' is written with entry 'deposit-plus' or 'notices-plus', and only with those"
        raise Mistake("term-entry", ("term", "entry"), sentence)
    if term.entry_day is not None and (term.entry_plus or "D").endswith("D"):
        sentence = "the first day of a month is reached by whole months; write 'entry-plus' in months, as in 'P2M'"
        raise Mistake("term-entry", ("term", "entry-day"), sentence)
    if term.renewal != "none" and term.duration is None:
        sentence = f"renewal {term.renewal!r} needs a 'duration' to renew"
        raise Mistake("missing-key", ("term", "renewal"), sentence)


def _check_checklists(read: AgreementFile | LayerFile, clauses: set[str]) -> None:
    for index, checklist in enumerate(read.checklists):
        path: Path = ("checklist", index, "conditions")
        for condition in checklist.conditions:
            check_name(condition, clauses, path, "clause")
        if len(set(checklist.conditions)) != len(checklist.conditions):
            raise Mistake("duplicate-id", path, f"a condition stands twice in checklist {checklist.id!r}")


def _check_intervals(read: AgreementFile | LayerFile, known: _Known, agreement: Agreement | None = None) -> None:
    agreed = {(each.of, each.level_at_least): each.length for each in agreement.intervals} if agreement else {}
    seen: set[tuple[str, str | None]] = set()
    for index, each in enumerate(read.intervals):
        path: Path = ("interval", index)
        which = (each.of, each.level_at_least)
        if each.level_at_least is not None:
            if each.of != "inventory":
                sentence = f"an interval of {each.of!r} goes by no level; only one of 'inventory' does"
                raise Mistake("interval-level", (*path, "level-at-least"), sentence)
            check_name(each.level_at_least, known.words["level_at_least"] or (), (*path, "level-at-least"), "mark")
        if which in seen:
            raise Mistake("duplicate-id", (*path, "of"), f"there are two intervals of {each.of!r}")
        seen.add(which)
        if which in agreed:
            own, theirs = hours_of(each.length), hours_of(agreed[which])
            if own < theirs if each.of in LONGEST_HOLDS else own > theirs:
                sentence = (
                    f"{each.length!r} is looser than the {agreed[which]!r} of {agreement.id if agreement else ''!r}"
                )
                raise Mistake("looser-interval", (*path, "length"), sentence)


def _check_deadlines(read: LayerFile, agreement: Agreement) -> None:
    obligations = {obligation.id: obligation for obligation in agreement.obligations}
    for index, deadline in enumerate(read.deadlines):
        path: Path = ("deadline", index)
        check_name(deadline.obligation, obligations, (*path, "obligation"), "obligation")
        agreed = obligations[deadline.obligation].within
        if agreed is not None and agreed.startswith("P") and hours_of(deadline.within) > hours_of(agreed):
            clause = obligations[deadline.obligation].clause
            sentence = f"{deadline.within!r} is looser than the {agreed!r} of clause {clause!r} of {agreement.id!r}"
            raise Mistake("looser-deadline", (*path, "within"), sentence)


def hours_of(duration: str) -> int:
    """A duration in hours, a month counted as 30 days and a year as 365: good enough to compare two limits."""
    number = int(duration.strip("PTYMDH"))
    return number if "T" in duration else number * {"Y": 365, "M": 30, "D": 1}[duration[-1]] * 24


def _tables(read: AgreementFile | LayerFile) -> Iterable[tuple[Path, Table]]:
    for field in fields(read):
        value = getattr(read, field.name)
        rows = value if isinstance(value, tuple) else (value,)
        for index, row in enumerate(rows):
            path: Path = (field.encode_name, index) if isinstance(value, tuple) else (field.encode_name,)
            if isinstance(row, Table):
                yield path, row
            if notice := getattr(row, "notice", None):
                yield (*path, "notice"), notice


def moment_of(written: str) -> datetime.datetime | None:
    """The instant that a moment of a file means, in UTC; None where the calendar or the clock has no such one."""
    try:
        return datetime.datetime.fromisoformat(written).astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        return None


def check_name(word: str, known: Collection[str], path: Path, kind: str) -> None:
    """Refuse a name that nothing defines; ``kind`` says what it should be the name of.

    Raises:
        Mistake: it is not among ``known``; the nearest is named.
    """
    if word not in known:
        code = "unknown-" + kind.partition(" ")[0]
        raise Mistake(code, path, f"there is no {kind} {word!r}{nearest(word, [*known])}")
