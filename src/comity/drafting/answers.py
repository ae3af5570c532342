"""The answers from which a draft is made, as frozen types: one file, three templates.

Rules of this file (``spec/drafting.md`` steps 1 to 3):

- An answers file is TOML and read as strictly as an agreement file: every mistake with its line and what was expected.
- `[answers]` names the template; each template has its own tables. What is left out has the default written here.
- Levels are named by their English word; what is `…-from` a level holds for it and for those above.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Annotated, Literal, TypeVar, get_args

from msgspec import Meta, field

from comity.agreement import toml
from comity.agreement import vocabulary as words
from comity.agreement.check import LONGEST_HOLDS, hours_of
from comity.agreement.lines import Lines, Path
from comity.agreement.load import read_file
from comity.agreement.model import (
    EVERY_PARTY,
    Agreement,
    Duration,
    Identifier,
    Line,
    Period,
    RankNumber,
    Table,
    Text,
    Within,
    ZoneName,
)
from comity.agreement.nearest import nearest
from comity.errors import Misuse, Rejected

Template = Literal["state", "group", "arrangement"]
"""`state`: between states; `group`: organisations that share; `arrangement`: a layer under an agreement."""
Onward = Literal["never", "consent", "free"]
"""Whether something leaves the parties: never, with the originator's consent, or freely."""
Closed = Literal["consent", "forbidden"]
"""Whether the originator may consent to it, or nobody."""

LEVELS_MAX = 9
"""Most levels of one ladder; the longest known has five."""
_FEW = Meta(min_length=1, max_length=LEVELS_MAX)
_People = Annotated[int, Meta(ge=0, le=9)]


class Header(Table, frozen=True):
    """`[answers]`: the version of this format, which is 1, and the template."""

    format: int
    template: Template


class Named(Table, frozen=True):
    """`[agreement]`: what the draft is called."""

    id: Identifier
    title: Text
    version: Line = "draft-1"
    authentic: Line = "A draft; nothing is signed"


class StateParty(Table, frozen=True):
    """`[[party]]` of the template `state`: by level its marks, letter for letter. A level may have none."""

    id: Identifier
    name: Text
    timezone: ZoneName
    marks: Annotated[Mapping[str, Annotated[tuple[Line, ...], _FEW]], Meta(min_length=1)]
    languages: Annotated[tuple[words.Language, ...], Meta(min_length=1)] = ("en",)


class Levels(Table, frozen=True):
    """`[levels]` of the template `state`: their English words, the highest first, and the highest that crosses."""

    english: Annotated[tuple[Line, ...], _FEW]
    ceiling: str | None = None


class Scope(Table, frozen=True):
    """`[scope]`: what is covered; what is left out does not limit."""

    subjects: Annotated[tuple[Identifier, ...], Meta(min_length=1)] | None = None
    purposes: Annotated[tuple[Identifier, ...], Meta(min_length=1)] | None = None
    forms: Annotated[tuple[words.Form, ...], Meta(min_length=1)] | None = None


class StateRules(Table, frozen=True):
    """`[rules]` of the template `state`."""

    third_party: Closed = "consent"
    other_use: Closed = "consent"
    contractors: Literal["conditions", "forbidden"] = "conditions"
    clearance_from: str | None = None
    copy_consent_from: str | None = None
    destroy_consent_from: str | None = None
    witness_from: str | None = None
    loss: Within = "immediately"
    receipts: Duration | None = None
    visit_lead: Period | None = None
    inspection: Period | None = None
    inventory: Period | None = None


class Term(Table, frozen=True):
    """`[term]`: without `duration` it is open-ended; `timezone` is that of the first party unless written."""

    notice: Period
    duration: Period | None = None
    renewal: words.Renewal | None = None
    entry: words.Entry | None = None
    entry_plus: Period | None = None
    timezone: ZoneName | None = None
    notice_form: words.NoticeForm = "written"
    notice_channel: words.Channel | None = None
    counting: words.Counting = "before-anniversary"
    survival: words.Survival = "protection-continues"


class StateAnswers(Table, frozen=True):
    """What the template `state` is told."""

    header: Header = field(name="answers")
    agreement: Named
    parties: Annotated[tuple[StateParty, ...], Meta(min_length=2)] = field(name="party")
    levels: Levels
    term: Term
    scope: Scope = Scope()
    rules: StateRules = StateRules()


class Member(Table, frozen=True):
    """`[[party]]` of the template `group`."""

    id: Identifier
    name: Text
    timezone: ZoneName
    languages: Annotated[tuple[words.Language, ...], Meta(min_length=1)] = ("en",)


class Mark(Table, frozen=True):
    """`[[mark]]` of the template `group`, the highest first: whether what bears it leaves the parties."""

    mark: Line
    onward: Onward = "consent"
    need_to_know: bool = False
    approvals: _People = 0


class GroupRules(Table, frozen=True):
    """`[rules]` of the template `group`."""

    other_use: Closed = "consent"
    briefing: bool = False
    loss: Within = "promptly"
    inventory: Period | None = None


class GroupAnswers(Table, frozen=True):
    """What the template `group` is told."""

    header: Header = field(name="answers")
    agreement: Named
    members: Annotated[tuple[Member, ...], Meta(min_length=2)] = field(name="party")
    marks: Annotated[tuple[Mark, ...], _FEW] = field(name="mark")
    term: Term
    scope: Scope = Scope()
    rules: GroupRules = GroupRules()


class LayerNamed(Table, frozen=True):
    """`[layer]`: what the arrangement is called. The agreement it stands on is named when it is made."""

    id: Identifier
    title: Text
    version: Line = "draft-1"


class Limit(Table, frozen=True):
    """`[[limit]]`: a number for an obligation of the agreement, by its id."""

    obligation: Identifier
    within: Duration


class Numbers(Table, frozen=True):
    """`[rules]` of the template `arrangement`."""

    visit_lead: Period | None = None
    recurring_visit: Period | None = None
    inspection: Period | None = None
    inventory: Period | None = None
    witness_from: str | None = None
    witnesses: Annotated[int, Meta(ge=1, le=9)] = 1
    approvals_from: str | None = None
    approvals: Annotated[int, Meta(ge=1, le=9)] = 1
    methods: Annotated[tuple[words.Method, ...], Meta(min_length=1)] | None = None
    suspend_on_incident: bool = False
    stop_on_recall: bool = False


class ArrangementAnswers(Table, frozen=True):
    """What the template `arrangement` is told."""

    header: Header = field(name="answers")
    layer: LayerNamed
    limits: tuple[Limit, ...] = field(name="limit", default=())
    rules: Numbers = Numbers()


Answers = StateAnswers | GroupAnswers | ArrangementAnswers
Kind = TypeVar("Kind", StateAnswers, GroupAnswers, ArrangementAnswers)


def read_answers(text: str, file: str, agreement: Agreement | None = None) -> Answers:
    """(2) The answers written in ``text``.

    Args:
        text: an answers file.
        file: the name that errors give.
        agreement: what an arrangement stands on.

    Raises:
        Rejected: the text is not an answers file, or its answers do not fit one another, or the agreement.
        Misuse: it is an arrangement, and no agreement was named.
    """
    try:
        head = toml.loads(text).get("answers")
    except tomllib.TOMLDecodeError:
        head = None  # told, with its line, when it is read as one
    template = head.get("template") if isinstance(head, dict) else None
    if template == "group":
        return _read(text, file, GroupAnswers)
    if template == "arrangement":
        if agreement is None:
            raise Misuse("an arrangement stands on an agreement; name it with --on", code="no-agreement")
        return _read(text, file, ArrangementAnswers, agreement)
    return _read(text, file, StateAnswers)


def _read(text: str, file: str, kind: type[Kind], agreement: Agreement | None = None) -> Kind:
    _, lines, read = read_file(text, file, kind, "answers")
    check = _Check(lines, file)
    if isinstance(read, StateAnswers):
        check.ids([party.id for party in read.parties])
        check.state(read)
        check.term(read.term)
    elif isinstance(read, GroupAnswers):
        check.ids([member.id for member in read.members])
        check.once([mark.mark for mark in read.marks], "mark", "mark")
        check.term(read.term)
    elif agreement is not None:
        check.arrangement(read, agreement)
    return read


class _Check:
    """(3) What must hold between answers."""

    def __init__(self, lines: Lines, file: str) -> None:
        self.lines, self.file = lines, file

    def refuse(self, code: str, path: Path, sentence: str) -> Rejected:
        return Rejected(sentence, code=code, place=f"{self.file}:{self.lines.of(path)}")

    def once(self, names: list[str], table: str, key: str) -> None:
        for index, name in enumerate(names):
            if name in names[:index]:
                raise self.refuse("duplicate-id", (table, index, key), f"{name!r} is there twice")

    def ids(self, names: list[str]) -> None:
        self.once(names, "party", "id")
        if EVERY_PARTY in names:
            path = ("party", names.index(EVERY_PARTY), "id")
            raise self.refuse("reserved-id", path, f"{EVERY_PARTY!r} means all parties; choose another id")

    def level(self, word: str | None, known: tuple[str, ...], *path: str | int) -> None:
        if word is not None and word not in known:
            raise self.refuse("unknown-level", path, f"there is no level {word!r}{nearest(word, known)}")

    def state(self, read: StateAnswers) -> None:
        known = read.levels.english
        for index, word in enumerate(known):
            if word in known[:index]:
                raise self.refuse("duplicate-id", ("levels", "english"), f"{word!r} is there twice")
        self.level(read.levels.ceiling, known, "levels", "ceiling")
        for key in ("clearance_from", "copy_consent_from", "destroy_consent_from", "witness_from"):
            self.level(getattr(read.rules, key), known, "rules", key.replace("_", "-"))
        places: dict[str, str] = {}
        for index, party in enumerate(read.parties):
            own: set[str] = set()
            for word, marks in party.marks.items():
                path = ("party", index, "marks", word)
                self.level(word, known, *path)
                for mark in marks:
                    if not mark or mark in own:
                        said = "is there twice" if mark else "is empty"
                        raise self.refuse("duplicate-mark", path, f"the mark {mark!r} of {party.id!r} {said}")
                    if places.setdefault(mark, word) != word:
                        sentence = f"{mark!r} is {places[mark]!r} elsewhere and {word!r} here; one mark has one level"
                        raise self.refuse("unequal-ranks", path, sentence)
                    own.add(mark)
            if not any(word in crossing(read.levels) for word in party.marks):
                sentence = f"{party.id!r} has no mark at or below the ceiling; nothing could be given to it"
                raise self.refuse("no-mark", ("party", index, "marks"), sentence)
        for word in known:
            if word not in places.values():
                sentence = f"no party has a mark for {word!r}; leave that level out"
                raise self.refuse("no-mark", ("levels", "english"), sentence)

    def arrangement(self, read: ArrangementAnswers, agreement: Agreement) -> None:
        self.once([limit.obligation for limit in read.limits], "limit", "obligation")
        duties = {duty.id: duty.within or "" for duty in agreement.obligations}
        for index, limit in enumerate(read.limits):
            path: Path = ("limit", index, "obligation")
            if limit.obligation not in duties:
                hint = nearest(limit.obligation, duties)
                raise self.refuse("unknown-obligation", path, f"there is no obligation {limit.obligation!r}{hint}")
            self.no_looser(limit.within, duties[limit.obligation], ("limit", index, "within"), longest=False)
        agreed = {each.of: each.length for each in agreement.intervals if each.level_at_least is None}
        for key in get_args(words.Measured):
            if length := getattr(read.rules, key.replace("-", "_"), None):  # an arrangement asks no retention
                self.no_looser(length, agreed.get(key, ""), ("rules", key), longest=key in LONGEST_HOLDS)
        known = tuple(dict.fromkeys(word for level in agreement.levels for word in (level.english, level.mark)))
        self.level(read.rules.witness_from, known, "rules", "witness-from")
        self.level(read.rules.approvals_from, known, "rules", "approvals-from")

    def no_looser(self, own: str, agreed: str, path: Path, *, longest: bool) -> None:
        if agreed.startswith("P"):
            looser = hours_of(own) < hours_of(agreed) if longest else hours_of(own) > hours_of(agreed)
            if looser:
                raise self.refuse("looser-number", path, f"{own!r} is looser than the {agreed!r} of the agreement")

    def term(self, term: Term) -> None:
        if (term.entry in words.WAITING_ENTRIES) != (term.entry_plus is not None):
            sentence = "'entry-plus' is written with entry 'deposit-plus' or 'notices-plus', and only with those"
            raise self.refuse("term-entry", ("term", "entry"), sentence)
        if term.renewal not in {None, "none"} and term.duration is None:
            sentence = f"renewal {term.renewal!r} needs a 'duration' to renew"
            raise self.refuse("missing-key", ("term", "renewal"), sentence)


def crossing(levels: Levels) -> tuple[str, ...]:
    """The levels at and below the ceiling, the highest first."""
    top = levels.ceiling or levels.english[0]
    return levels.english[levels.english.index(top) :]


def rank(levels: tuple[str, ...], word: str) -> RankNumber:
    """The rank of a level, 1 the lowest."""
    return len(levels) - levels.index(word)
