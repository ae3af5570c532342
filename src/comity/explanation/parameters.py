"""What tells one agreement from another: its parameters, in the order in which lawyers compare agreements.

Rules of this file (``spec/explanation.md`` step 5):

- A parameter is read from the tables and rules of the file by what they say, never by their ids.
- Each value is a sentence or a few words with what it rests on. Where the file says nothing there is no value.
- A rule or duty may bear on several parameters. What bears on none of those that are named stands under the last.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence

from msgspec import Struct

from comity.agreement import vocabulary as words
from comity.agreement.model import EVERY_PARTY, Agreement, Layer, Notice, Obligation, Rule, When
from comity.explanation.conditions import AND_ABOVE
from comity.explanation.phrases import Phrase
from comity.explanation.voice import Told, Voice, effect_of

NAMES: Mapping[str, Phrase] = {
    "legal-force": ("legal force", "法的性質", "법적 성격"),
    "parties": ("parties", "当事者", "당사자"),
    "scope": ("scope", "対象", "적용 범위"),
    "levels": ("levels", "秘密区分", "비밀등급"),
    "ceiling": ("ceiling", "上限", "상한"),
    "mapping": ("mapping", "対応関係", "대응 관계"),
    "marking": ("marks on receipt", "受領時の表示", "접수 시 표시"),
    "forms": ("forms", "形式", "형식"),
    "route": ("route", "経路", "경로"),
    "protection-basis": ("protection borrowed", "保護の根拠", "보호의 근거"),
    "entry": ("entry into force", "発効", "발효"),
    "duration": ("term", "有効期間", "유효기간"),
    "renewal": ("renewal", "更新", "갱신"),
    "notice": ("notice", "終了の通告", "종료 통보"),
    "survival": ("survival", "終了後", "종료 후"),
    "permits": ("permitted acts", "認められる行為", "허용되는 행위"),
    "third-party": ("third parties", "第三者", "제3자"),
    "purpose": ("purpose", "目的", "목적"),
    "assurance": ("before giving", "提供の前", "제공 전"),
    "approvals": ("approvals", "承認", "승인"),
    "clearance": ("clearance from", "秘密取扱資格", "비밀취급인가"),
    "access": ("access besides", "その他の閲覧の条件", "그 밖의 열람 조건"),
    "registries": ("registries", "登録機関", "등록기관"),
    "copies": ("copies, translations", "複製及び翻訳", "복제 및 번역"),
    "destruction": ("destruction", "破棄", "파기"),
    "return": ("return, recall", "返還及び回収", "반환 및 회수"),
    "level-change": ("change of level", "秘密区分の変更", "비밀등급의 변경"),
    "loss": ("loss report", "紛失及び漏えい", "분실 및 훼손"),
    "receipts": ("receipts", "受領証", "수령증"),
    "visits": ("visits", "訪問", "방문"),
    "inspections": ("inspections", "検査", "점검"),
    "contractors": ("contractors", "契約者", "계약자"),
    "registers": ("registers", "登録簿及び目録", "명부 및 목록"),
    "law": ("laws, authorities", "法令及び当局", "법령 및 당국"),
    "dispute": ("disputes", "紛争", "분쟁"),
    "other": ("besides", "その他", "그 밖"),
}
"""The parameters, in order, with what they are called."""

_ONE_LADDER: Phrase = ("one ladder that all share", "全当事者に共通の区分", "모든 당사자 공통의 등급")
_NO_CEILING: Phrase = (
    "no level is named that may not cross",
    "提供できない区分の定めなし",
    "제공할 수 없는 등급의 정함이 없음",
)
_ABOVE: Phrase = ("never crosses: {x}", "提供しない:{x}", "제공하지 않음: {x}")
_HIGHEST: Phrase = ("up to {x}", "{x}まで", "{x}까지")
_DIRECTLY: Phrase = ("directly", "直接", "직접")
_OPEN: Phrase = ("open-ended", "期限なし", "기한 없음")
_EVERYTHING: Phrase = ("everything", "限定なし", "한정 없음")
_EVERY_LEVEL: Phrase = ("every level", "全ての区分", "모든 등급")
_NAME_OF_GIVER: Phrase = ("the name of the giver", "提供した当事者の名称", "제공 당사자의 명칭")
_OWN_MARK: Phrase = ("the own equivalent mark", "自己の対応する区分", "자신의 대응 등급")
_PROVIDED_FOR: Phrase = ("limited to {x}", "{x}に限る", "{x}에 한함")

_MAKING = frozenset({"copy", "translate", "extract"})
_LOSS = frozenset({"loss-suspected", "investigation-ended", "loss-on-third-ground"})
_VISIT = frozenset({"visit-wanted", "visit-asked", "visit-permitted", "visit-ended"})
_INSPECTION = frozenset({"inspection-due", "contractor-inspected", "finding-made"})
_GOING_BACK = frozenset({"purpose-ended", "recalled", "returned"})
_LEVEL = frozenset({"level-changed", "level-change-notified", "review-due"})


class Parameter(Struct, frozen=True):
    """One parameter of one agreement.

    Attributes:
        key: which, as in `NAMES`.
        name: what it is called in the reader's language.
        values: what the agreement says of it; empty where it says nothing.
    """

    key: str
    name: str
    values: tuple[Told, ...]


def parameters(
    agreement: Agreement, layers: Sequence[Layer] = (), language: words.Language = "en"
) -> tuple[Parameter, ...]:
    """Every parameter of an agreement with its layers, in order, those without a value too."""
    read = _Reader(Voice(language, agreement, layers))
    named = {key: tuple(read.values(key)) for key in NAMES if key != "other"}
    named["other"] = tuple(read.besides({(each.instrument, each.subject) for held in named.values() for each in held}))
    return tuple(Parameter(key, read.voice.of(name), named[key]) for key, name in NAMES.items())


def third_party(rule: Rule) -> bool:
    """Whether a rule speaks of third parties or nationals of third states."""
    return any(set(when.beneficiary or ()) & {"third-party", "third-national"} for when in _conditions(rule))


class _Reader:
    """Reads the values of one agreement."""

    def __init__(self, voice: Voice) -> None:
        self.voice = voice
        self.agreement = voice.agreement

    def values(self, key: str) -> Iterator[Told]:
        """What the agreement says of one parameter."""
        yield from getattr(self, "_" + key.replace("-", "_"))()

    def besides(self, told: Container[tuple[str, str]]) -> Iterator[Told]:
        """The rules and duties that are not among those told."""
        for instrument in self.voice.instruments:
            for rule in instrument.rules:
                if (instrument.id, rule.id) not in told:
                    yield self.voice.rule(instrument, rule)
            for duty in instrument.obligations:
                if (instrument.id, duty.id) not in told:
                    yield self.voice.obligation(instrument, duty)
                    yield from self._deadlines(duty)

    def _says(self, text: str, clause: str) -> Told:
        known = {each.id: each.provenance for each in self.agreement.clauses}
        return Told(text, self.agreement.id, clause, known[clause])

    def _rules(self, wanted: Callable[[Rule], bool]) -> Iterator[Told]:
        for instrument, rule in self.voice.rules():
            if wanted(rule):
                yield self.voice.rule(instrument, rule)

    def _duties(self, wanted: Callable[[Obligation], bool]) -> Iterator[Told]:
        for instrument in self.voice.instruments:
            for duty in instrument.obligations:
                if wanted(duty):
                    yield self.voice.obligation(instrument, duty)
                    yield from self._deadlines(duty)

    def _deadlines(self, duty: Obligation) -> Iterator[Told]:
        for layer in self.voice.layers:
            for deadline in layer.deadlines:
                if deadline.obligation == duty.id:
                    side = f" ({self.voice.name(layer.header.party)})" if layer.header.party else ""
                    text = f"{self.voice.word(words.Deed, duty.act)}: {self.voice.limit(deadline.within)}{side}"
                    yield self.voice.told(layer, deadline, text)

    def _intervals(self, *measured: words.Measured) -> Iterator[Told]:
        for instrument in self.voice.instruments:
            for each in instrument.intervals:
                if each.of in measured:
                    yield self.voice.interval(instrument, each)

    def _legal_force(self) -> Iterator[Told]:
        yield self._says(self.voice.word(words.LegalForce, self.agreement.header.legal_force), self._first_clause())

    def _parties(self) -> Iterator[Told]:
        for party in self.agreement.parties:
            kind = self.voice.word(words.PartyKind, party.kind)
            yield self._says(f"{self.voice.own(party.name)} ({party.id}, {kind})", self._first_clause())

    def _first_clause(self) -> str:
        return self.agreement.clauses[0].id

    def _scope(self) -> Iterator[Told]:
        scope = self.agreement.scope
        said = [each for each in (scope.subjects, scope.categories) if each]
        text = self.voice.listed([", ".join(each) for each in said]) if said else self.voice.of(_EVERYTHING)
        yield self._says(text, scope.clause)

    def _levels(self) -> Iterator[Told]:
        owners = dict.fromkeys(level.party for level in self.agreement.levels)
        for owner in owners:
            mine = [level for level in self.agreement.levels if level.party == owner and level.crosses]
            mine.sort(key=lambda level: -level.rank)
            if mine:
                whose = self.voice.of(_ONE_LADDER) if owner == EVERY_PARTY else self.voice.name(owner)
                yield self._says(f"{whose}: {', '.join(level.mark for level in mine)}", mine[0].clause)

    def _ceiling(self) -> Iterator[Told]:
        crossing = [level for level in self.agreement.levels if level.crosses]
        above = [level for level in self.agreement.levels if not level.crosses]
        top = max(crossing, key=lambda level: level.rank, default=None)
        if top is not None:
            yield self._says(self.voice.of(_HIGHEST).format(x=top.english), top.clause)
        if not above:
            yield self._says(self.voice.of(_NO_CEILING), self.agreement.levels[0].clause)
        for level in above:
            yield self.voice.told(self.agreement, level, self.voice.of(_ABOVE).format(x=level.mark))

    def _mapping(self) -> Iterator[Told]:
        for row in self.agreement.equivalences:
            sides = (f"{party}: {self.voice.listed(marks, 'or')}" for party, marks in row.marks.items())
            origin = f" ({self.voice.name(row.origin)} →)" if row.origin else ""
            yield self._says(" = ".join(sides) + origin, row.clause)
        if not self.agreement.equivalences and any(each.party == EVERY_PARTY for each in self.agreement.levels):
            yield self._says(self.voice.of(_ONE_LADDER), self.agreement.levels[0].clause)

    def _marking(self) -> Iterator[Told]:
        yield from self._marks()
        yield from self._duties(lambda duty: duty.act == "mark")

    def _marks(self) -> Iterator[Told]:
        marking = self.agreement.marking
        if marking is None:
            return
        own = [(marking.providing_name, _NAME_OF_GIVER), (marking.own_equivalent, _OWN_MARK)]
        if said := [self.voice.of(phrase) for asked, phrase in own if asked]:
            yield self._says(self.voice.listed(said), marking.clause)
        for name in ("identification", "derivative", "translation_note"):
            text = getattr(marking, name)
            clause = getattr(marking, name.removesuffix("_note") + "_clause") or marking.clause
            if text is not None:
                yield self._says(self.voice.quoted([self.voice.own(text)]), clause)

    def _forms(self) -> Iterator[Told]:
        scope = self.agreement.scope
        listed = scope.forms and self.voice.listed(self.voice.word(words.Form, form) for form in scope.forms)
        yield self._says(listed or self.voice.of(_EVERYTHING), scope.forms_clause or scope.clause)

    def _route(self) -> Iterator[Told]:
        route = self.agreement.route
        if route is None:
            yield self._says(self.voice.of(_DIRECTLY), self.agreement.scope.clause)
        else:
            yield self._says(" → ".join(map(self.voice.name, route.via)), route.clause)

    def _protection_basis(self) -> Iterator[Told]:
        for basis in self.agreement.protection_bases:
            yield self._says(f"{basis.agreement} ({', '.join(map(self.voice.name, basis.between))})", basis.clause)

    def _entry(self) -> Iterator[Told]:
        term = self.agreement.term
        plus = f" {self.voice.length(term.entry_plus)}" if term.entry_plus else ""
        day = f", {self.voice.word(words.EntryDay, term.entry_day)}" if term.entry_day else ""
        yield self._says(self.voice.word(words.Entry, term.entry) + plus + day, term.entry_clause or term.clause)

    def _duration(self) -> Iterator[Told]:
        term = self.agreement.term
        text = self.voice.length(term.duration) if term.duration else self.voice.of(_OPEN)
        yield self._says(text, term.clause)

    def _renewal(self) -> Iterator[Told]:
        term = self.agreement.term
        yield self._says(self.voice.word(words.Renewal, term.renewal), term.clause)

    def _notice(self) -> Iterator[Told]:
        notice = self.agreement.term.notice
        if notice is not None:
            yield self._says(", ".join(self._of_notice(notice)), notice.clause)
        yield from self._duties(lambda duty: duty.on == "end-wanted")

    def _of_notice(self, notice: Notice) -> Iterator[str]:
        yield self.voice.length(notice.period)
        yield self.voice.word(words.NoticeForm, notice.form)
        yield self.voice.word(words.Channel, notice.channel)
        counted = (notice.counting, *notice.counting_disputed)
        yield self.voice.listed((self.voice.word(words.Counting, each) for each in counted), "or")

    def _survival(self) -> Iterator[Told]:
        term = self.agreement.term
        yield self._says(self.voice.word(words.Survival, term.survival), term.survival_clause or term.clause)
        yield from self._duties(lambda duty: duty.on == "agreement-ended")

    def _permits(self) -> Iterator[Told]:
        yield from self._rules(lambda rule: bool(rule.permits))

    def _third_party(self) -> Iterator[Told]:
        yield from self._rules(third_party)
        yield from self._duties(lambda duty: duty.on in {"pass-on-wanted", "consent-wanted", "passed-on"})

    def _purpose(self) -> Iterator[Told]:
        scope = self.agreement.scope
        if scope.purposes:
            text = self.voice.of(_PROVIDED_FOR).format(x=self.voice.quoted(scope.purposes, "and"))
            yield self._says(text, scope.purposes_clause or scope.clause)
        yield from self._rules(_asks_purpose)
        yield from self._duties(lambda duty: duty.on == "other-use-wanted")

    def _assurance(self) -> Iterator[Told]:
        yield from self._rules(
            lambda rule: (
                bool({"give", "show"} & set(rule.acts)) and effect_of(rule) == "checklist" and not _of_contractors(rule)
            )
        )
        yield from self._duties(lambda duty: duty.on == "hand-over-wanted")

    def _approvals(self) -> Iterator[Told]:
        yield from self._rules(lambda rule: effect_of(rule) == "approvals")

    def _clearance(self) -> Iterator[Told]:
        for instrument, rule in self.voice.rules():
            if "clearance" not in (rule.requires or ()):
                continue
            when = rule.when
            if when is not None and when.level_at_least:
                threshold = self.voice.of(AND_ABOVE).format(x=when.level_at_least)
            elif when is not None and when.level:
                threshold = ", ".join(when.level)
            else:
                threshold = self.voice.of(_EVERY_LEVEL)
            acts = self.voice.listed(self.voice.word(words.Act, act) for act in rule.acts)
            yield self.voice.told(instrument, rule, f"{threshold} ({acts})")
        yield from self._duties(lambda duty: duty.on == "clearance-ended")

    def _access(self) -> Iterator[Told]:
        yield from self._rules(lambda rule: bool({"need-to-know", "briefing", "facility"} & set(rule.requires or ())))

    def _registries(self) -> Iterator[Told]:
        yield from self._rules(lambda rule: bool(rule.registries))
        for registry in self.agreement.registries:
            under = f" ← {registry.under}" if registry.under else ""
            office = f"{registry.office} ({self.voice.name(registry.party)})"
            yield self._says(f"{registry.id}{under}: {office}", registry.clause)

    def _copies(self) -> Iterator[Told]:
        yield from self._rules(
            lambda rule: (
                bool(_MAKING & set(rule.acts))
                and effect_of(rule) in {"consent", "forbids", "copies", "checklist", "witnesses"}
                and not any(apart(rule) for apart in _TOLD_ELSEWHERE)
            )
        )

    def _destruction(self) -> Iterator[Told]:
        yield from self._rules(lambda rule: "destroy" in rule.acts and effect_of(rule) != "permits")
        yield from self._duties(lambda duty: duty.on in {"destroyed-in-crisis", "destroyed"})

    def _return(self) -> Iterator[Told]:
        yield from self._rules(_recalled)
        yield from self._duties(lambda duty: duty.on in _GOING_BACK)

    def _level_change(self) -> Iterator[Told]:
        yield from self._duties(lambda duty: duty.on in _LEVEL)

    def _loss(self) -> Iterator[Told]:
        yield from self._duties(lambda duty: duty.on in _LOSS)
        yield from self._rules(
            lambda rule: any(when.suspected is not None for when in (rule.when, rule.unless) if when)
        )

    def _receipts(self) -> Iterator[Told]:
        yield from self._duties(lambda duty: duty.act == "give-receipt")

    def _visits(self) -> Iterator[Told]:
        yield from self._intervals("visit-lead", "recurring-visit")
        yield from self._rules(lambda rule: rule.acts == ("visit",) and effect_of(rule) != "permits")
        yield from self._duties(lambda duty: duty.on in _VISIT)

    def _inspections(self) -> Iterator[Told]:
        yield from self._intervals("inspection")
        yield from self._rules(lambda rule: "inspect" in rule.acts and not third_party(rule))
        yield from self._duties(lambda duty: duty.on in _INSPECTION)

    def _contractors(self) -> Iterator[Told]:
        yield from self._rules(_of_contractors)
        yield from self._duties(lambda duty: duty.on == "contractor-release-wanted")

    def _registers(self) -> Iterator[Told]:
        yield from self._intervals("inventory", *words.RETAINED)
        yield from self._duties(lambda duty: duty.act in {"keep-register", "keep-inventory", "name-officer"})

    def _law(self) -> Iterator[Told]:
        yield from self._duties(lambda duty: duty.on in {"law-changed", "law-requested", "designation-changed"})

    def _dispute(self) -> Iterator[Told]:
        for instrument in self.voice.instruments:
            if instrument.response is not None:
                yield self.voice.response(instrument, instrument.response)
        yield from self._duties(lambda duty: duty.on == "dispute-opened")
        for clause in self.agreement.clauses:
            if "dispute" in clause.heading.en.lower():  # no table holds this: the paragraph itself is told
                yield self._says(clause.says, clause.id)


def _conditions(rule: Rule) -> tuple[When, ...]:
    return tuple(when for when in (rule.when, rule.unless) if when is not None)


def _asks_purpose(rule: Rule) -> bool:
    return any(when.other_purpose is not None for when in _conditions(rule))


def _of_contractors(rule: Rule) -> bool:
    return any(when.employer == "contractor" for when in _conditions(rule))


def _recalled(rule: Rule) -> bool:
    return any(when.recalled is not None for when in _conditions(rule))


def _suspected(rule: Rule) -> bool:
    return any(when.suspected is not None for when in _conditions(rule))


_TOLD_ELSEWHERE = (third_party, _asks_purpose, _of_contractors, _recalled, _suspected)
"""Rules about copies that have a parameter of their own."""
