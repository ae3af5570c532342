"""Drafts from answers (``spec/drafting.md``)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import comity
from comity.agreement import vocabulary as words
from comity.agreement.load import check_time_zones, parse_agreement, parse_layer
from comity.agreement.model import Agreement, Layer
from comity.agreement.writing import table
from comity.drafting.answers import Template, read_answers
from comity.drafting.draft import draft
from comity.drafting.questions import Question, answers_text, asked
from comity.errors import Misuse, Rejected
from comity.explanation.parameters import parameters
from comity.timezones import time_zones

HERE = Path(__file__).parent
STATE = (HERE / "at-fi.answers.toml").read_text(encoding="utf-8")
GROUP = (HERE / "certs.answers.toml").read_text(encoding="utf-8")
ZONES = time_zones().zones
LIBRARY = resources.files("comity.agreements")
JP_KR = parse_agreement(LIBRARY.joinpath("jp-kr-2016.toml").read_text(encoding="utf-8"), "jp-kr-2016.toml")
ARRANGEMENT = """
[answers]
format = 1
template = "arrangement"

[layer]
id = "numbers"
title = { en = "Numbers" }

[[limit]]
obligation = "o-17-notify"
within = "PT24H"

[rules]
visit-lead = "P21D"
inventory = "P1Y"
witness-from = "SECRET"
approvals-from = "極秘"
approvals = 2
methods = ["burn", "shred"]
suspend-on-incident = true
stop-on-recall = true
""".lstrip()


def drafted(text: str, agreement: Agreement | None = None) -> tuple[str, Agreement | Layer]:
    return draft(read_answers(text, "answers.toml", agreement), "answers.toml", agreement)


def value(agreement: Agreement | Layer, key: str) -> list[str]:
    assert isinstance(agreement, Agreement)
    return [told.text for each in parameters(agreement) if each.key == key for told in each.values]


# -------------------------------------------------------------------------------------------------- random answers


LETTERS = st.sampled_from([*"abcXYZ 極秘特定비밀급ÄÖé&<>\"'#/+.-|{}[]="])
LINE = st.text(LETTERS, min_size=1, max_size=12).map(str.strip).filter(bool)
TEXT = st.fixed_dictionaries({"en": LINE}, optional={"ja": LINE, "ko": LINE})
IDS = st.from_regex(r"[a-z][a-z0-9]{0,5}(-[a-z0-9]{1,3})?", fullmatch=True).filter(lambda each: each != "all")
PERIOD = st.builds("P{}{}".format, st.integers(1, 400), st.sampled_from("YMD"))
DURATION = st.one_of(PERIOD, st.builds("PT{}H".format, st.integers(1, 100)))
WITHIN = st.one_of(DURATION, st.sampled_from(get_args(words.Within)))
ZONE = st.sampled_from(sorted(ZONES))
LANGUAGES = st.lists(st.sampled_from(get_args(words.Language)), min_size=1, max_size=3, unique=True)


def closed(*known: str) -> st.SearchStrategy[str]:
    return st.sampled_from(known)


@st.composite
def terms(draw: st.DrawFn) -> dict[str, Any]:
    found: dict[str, Any] = {"notice": draw(PERIOD)}
    if draw(st.booleans()):
        found["duration"] = draw(PERIOD)
        found |= draw(st.fixed_dictionaries({}, optional={"renewal": st.sampled_from(get_args(words.Renewal))}))
    if draw(st.booleans()):
        found["entry"] = draw(st.sampled_from(get_args(words.Entry)))
        if found["entry"] in words.WAITING_ENTRIES:
            found["entry-plus"] = draw(PERIOD)
    optional = {
        "timezone": ZONE,
        "notice-form": st.sampled_from(get_args(words.NoticeForm)),
        "notice-channel": st.sampled_from(get_args(words.Channel)),
        "counting": st.sampled_from(get_args(words.Counting)),
        "survival": st.sampled_from(get_args(words.Survival)),
    }
    return found | draw(st.fixed_dictionaries({}, optional=optional))


@st.composite
def heads(draw: st.DrawFn, template: str) -> dict[str, Any]:
    scope = {
        "subjects": st.lists(IDS, min_size=1, max_size=3),
        "purposes": st.lists(IDS, min_size=1, max_size=3),
        "forms": st.lists(st.sampled_from(get_args(words.Form)), min_size=1, max_size=3),
    }
    return {
        "answers": {"format": 1, "template": template},
        "agreement": draw(
            st.fixed_dictionaries({"id": IDS, "title": TEXT}, optional={"version": LINE, "authentic": LINE})
        ),
        "scope": draw(st.fixed_dictionaries({}, optional=scope)),
        "term": draw(terms()),
    }


def people(draw: st.DrawFn) -> list[dict[str, Any]]:
    ids = draw(st.lists(IDS, min_size=2, max_size=4, unique=True))
    return [
        {"id": each, "name": draw(TEXT), "timezone": draw(ZONE)}
        | draw(st.fixed_dictionaries({}, optional={"languages": LANGUAGES}))
        for each in ids
    ]


@st.composite
def states(draw: st.DrawFn) -> dict[str, Any]:
    levels = draw(st.lists(LINE, min_size=1, max_size=5, unique=True))
    ceiling = draw(st.one_of(st.none(), st.sampled_from(levels)))
    may_cross = levels[levels.index(ceiling or levels[0]) :]
    found = draw(heads("state"))
    marks = draw(st.lists(LINE, min_size=3, max_size=3, unique=True))
    found["party"] = people(draw)
    for party in found["party"]:
        party["marks"] = {}
        for index, level in enumerate(levels):
            # A mark has one level, whoever writes it; at the ceiling each party has one.
            least = int(level == may_cross[0] or party is found["party"][-1])
            if own := draw(st.lists(st.sampled_from(marks), min_size=least, max_size=3, unique=True)):
                party["marks"][level] = [f"{mark}{index}" for mark in own]
    found["levels"] = {"english": levels} | ({"ceiling": ceiling} if ceiling else {})
    level = st.sampled_from(levels)
    rules = {
        "third-party": closed("consent", "forbidden"),
        "other-use": closed("consent", "forbidden"),
        "contractors": closed("conditions", "forbidden"),
        **dict.fromkeys(("clearance-from", "copy-consent-from", "destroy-consent-from", "witness-from"), level),
        "loss": WITHIN,
        "receipts": DURATION,
        **dict.fromkeys(("visit-lead", "inspection", "inventory"), PERIOD),
    }
    found["rules"] = draw(st.fixed_dictionaries({}, optional=rules))
    return found


@st.composite
def groups(draw: st.DrawFn) -> dict[str, Any]:
    found = draw(heads("group"))
    found["party"] = people(draw)
    optional = {
        "onward": closed("never", "consent", "free"),
        "need-to-know": st.booleans(),
        "approvals": st.integers(0, 9),
    }
    found["mark"] = [
        {"mark": mark} | draw(st.fixed_dictionaries({}, optional=optional))
        for mark in draw(st.lists(LINE, min_size=1, max_size=6, unique=True))
    ]
    rules = {
        "other-use": closed("consent", "forbidden"),
        "briefing": st.booleans(),
        "loss": WITHIN,
        "inventory": PERIOD,
    }
    found["rules"] = draw(st.fixed_dictionaries({}, optional=rules))
    return found


@st.composite
def arrangements(draw: st.DrawFn) -> dict[str, Any]:
    duties = draw(st.lists(st.sampled_from([duty.id for duty in JP_KR.obligations]), max_size=6, unique=True))
    level = st.sampled_from(["SECRET", "TOP SECRET", "秘", "군사 Ⅲ급 비밀"])
    rules = {
        **dict.fromkeys(set(get_args(words.Measured)) - set(words.RETAINED), PERIOD),
        "witness-from": level,
        "witnesses": st.integers(1, 9),
        "approvals-from": level,
        "approvals": st.integers(1, 9),
        "methods": st.lists(st.sampled_from(get_args(words.Method)), min_size=1, max_size=3, unique=True),
        "suspend-on-incident": st.booleans(),
        "stop-on-recall": st.booleans(),
    }
    found: dict[str, Any] = {
        "answers": {"format": 1, "template": "arrangement"},
        "layer": draw(st.fixed_dictionaries({"id": IDS, "title": TEXT}, optional={"version": LINE})),
        "rules": draw(st.fixed_dictionaries({}, optional=rules)),
    }
    if duties:
        found["limit"] = [{"obligation": each, "within": draw(DURATION)} for each in duties]
    return found


class TestWhateverIsAnswered:
    """(4) The draft passes every check."""

    @given(st.one_of(states(), groups()))
    @settings(max_examples=80, deadline=None)
    def test_it_is_an_agreement_that_passes(self, answers: dict[str, Any]) -> None:
        text, checked = drafted(answers_text(answers))
        again = parse_agreement(text, "mine.toml")
        assert again == checked
        check_time_zones(again, text, "mine.toml", ZONES)
        assert again.header.title.en == answers["agreement"]["title"]["en"]
        assert [party.id for party in again.parties] == [party["id"] for party in answers["party"]]
        assert again.header.signed is None
        assert {clause.provenance for clause in again.clauses} == {"P"}

    @given(arrangements())
    @settings(max_examples=60, deadline=None)
    def test_it_is_a_layer_that_passes(self, answers: dict[str, Any]) -> None:
        text, checked = drafted(answers_text(answers), JP_KR)
        assert parse_layer(text, "mine.toml", JP_KR) == checked
        assert checked.rules == () or not any(rule.permits for rule in checked.rules)

    @given(st.data())
    @settings(max_examples=60, deadline=None)
    def test_what_is_typed_and_taken_passes(self, data: st.DataObject) -> None:
        """(6) Sense and nonsense is typed; what is taken in the end fits."""
        template: Template = data.draw(st.sampled_from(get_args(Template)))
        tables = typed(template, data)
        text, _ = drafted(answers_text(tables), JP_KR if template == "arrangement" else None)
        assert text.startswith("# A draft, made from answers")


NONSENSE = st.one_of(
    st.sampled_from(
        ["", "all", "yes", "no", "never", "free", "consent", "forbidden", "P1Y", "PT2H", "P90D", "P0D", "3"]
    ),
    st.sampled_from(
        ["SECRET", "A / B", "A, A", "deposit-plus", "on-signature", "automatic", "by-consent", "none", "é"]
    ),
    st.sampled_from(["TLP:RED", "秘", "é", "P90D", "P0D", "  x  ", "immediately", "burn,shred", "en,ja", "radar"]),
    LINE,
    st.just("x" * 201),
    st.just("a\u202eb"),
)


def typed(template: Template, data: st.DataObject) -> dict[str, Any]:
    """Answer every question, the third time with something that can be."""
    asking = asked(template, JP_KR if template == "arrangement" else None, sorted(ZONES))
    number, tried = 0, 0
    question = next(asking)
    try:
        while True:
            tried = tried + 1 if question.problem else 0
            number += 1
            answer = data.draw(NONSENSE) if tried < 2 else sensible(question, number)
            question = asking.send(answer + "\n")
    except StopIteration as end:
        found: dict[str, Any] = end.value
        return found


def sensible(question: Question, number: int) -> str:
    if question.default is not None:
        return ""
    if re.search(r"\bid\b", question.asks):
        return f"id{number}"
    if "how long after" in question.asks or "notice" in question.asks:
        return "P30D"
    return f"Text {number}"


class TestWhatTheAnswersSay:
    @pytest.mark.parametrize(("name", "answers"), [("at-fi", STATE), ("certs", GROUP)])
    def test_each_case_comes_out_as_it_was_meant(self, name: str, answers: str, tmp_path: Path) -> None:
        file = tmp_path / f"{name}.toml"
        file.write_text(drafted(answers)[0], encoding="utf-8")
        trial = comity.Agreement.load(file).try_cases(HERE / f"{name}.cases.toml")
        assert [line.differs for line in trial.lines if not line.agrees] == []
        assert len(trial.lines) > 8

    def test_what_is_above_the_ceiling_never_crosses(self) -> None:
        _, checked = drafted(STATE)
        assert value(checked, "ceiling") == [
            "up to SECRET",
            "never crosses: STRENG GEHEIM",
            "never crosses: ERITTÄIN SALAINEN",
        ]
        assert value(checked, "mapping") == [
            "at: GEHEIM = fi: SALAINEN",
            "at: VERTRAULICH = fi: LUOTTAMUKSELLINEN",
            "at: EINGESCHRÄNKT = fi: KÄYTTÖ RAJOITETTU",
        ]

    def test_several_marks_of_one_level_stand_in_one_row(self) -> None:
        text = STATE.replace('SECRET = ["GEHEIM"]', 'SECRET = ["GEHEIM", "EU GEHEIM"]')
        _, checked = drafted(text)
        assert "at: GEHEIM or EU GEHEIM = fi: SALAINEN" in value(checked, "mapping")

    def test_a_level_that_one_party_lacks_corresponds_to_nothing(self) -> None:
        _, checked = drafted(STATE.replace(', RESTRICTED = ["EINGESCHRÄNKT"]', ""))
        assert len(value(checked, "mapping")) == 2

    def test_no_number_is_invented(self) -> None:
        """(5)"""
        bare = re.sub(r"\[rules\].*?\n\n", "", STATE, flags=re.DOTALL)
        _, checked = drafted(bare)
        assert checked.intervals == ()
        assert not [duty.within for duty in checked.obligations if duty.within and duty.within.startswith("P")]
        assert value(checked, "copies") == []

    def test_the_term_is_as_it_was_answered(self) -> None:
        _, checked = drafted(STATE)
        assert value(checked, "duration") == ["5 years"]
        assert value(checked, "notice")[0].startswith("6 months, in writing, through the diplomatic channel")
        assert value(checked, "renewal") == ["by itself, for the same time again"]
        _, group = drafted(GROUP)
        assert value(group, "duration") == ["open-ended"]
        assert value(group, "renewal") == ["none"]
        assert value(group, "entry") == ["on signature"]

    @pytest.mark.parametrize(
        ("answer", "said"), [("consent", "need the prior written consent"), ("forbidden", "forbidden")]
    )
    def test_third_parties(self, answer: str, said: str) -> None:
        _, checked = drafted(STATE.replace("[rules]", f'[rules]\nthird-party = "{answer}"'))
        assert said in value(checked, "third-party")[0]
        assert any(rule.id == "pass-on" for rule in checked.rules) is (answer == "consent")

    def test_an_arrangement_adds_its_numbers(self) -> None:
        _, checked = drafted(ARRANGEMENT, JP_KR)
        assert isinstance(checked, Layer)
        assert [(each.obligation, each.within) for each in checked.deadlines] == [("o-17-notify", "PT24H")]
        assert [(each.of, each.length) for each in checked.intervals] == [("visit-lead", "P21D"), ("inventory", "P1Y")]
        assert {rule.id for rule in checked.rules} == {"witnesses", "approvals", "methods", "suspended", "recalled"}
        says = "When it is lost or compromised, or may be, the recipient tells, within 24 hours; "
        assert checked.clauses[1].says == f"{says}it is owed to the originator."

    def test_the_example_of_the_spec_is_a_whole_answers_file(self) -> None:
        spec = (HERE.parents[1] / "spec" / "drafting.md").read_text(encoding="utf-8")
        text, checked = drafted(spec.partition("```toml\n")[2].partition("```")[0])
        assert checked.id == "at-fi"
        assert tomllib.loads(text)["agreement"]["format"] == 1


FI = 'id = "fi"'
MISTAKES = [
    (STATE, 'template = "state"', 'template = "stat"', "unknown-word", "template", "did you mean 'state'?"),
    (STATE, "format = 1", "format = 2", "unknown-format", "format", "reads format 1"),
    (STATE, "[answers]", "[answer]", "missing-key", "#", "there is no table [answers]"),
    (STATE, FI, 'id = "at"', "duplicate-id", 'id = "at"', "'at' is there twice"),
    (STATE, FI, 'id = "all"', "reserved-id", 'id = "all"', "means all parties"),
    (STATE, FI, 'id = "Fi"', "bad-identifier", 'id = "Fi"', "lowercase"),
    (STATE, 'timezone = "Europe/Helsinki"\n', "", "missing-key", "[[party]]", "lacks the key 'timezone'"),
    (STATE, 'ceiling = "SECRET"', 'ceiling = "SECRETS"', "unknown-level", "ceiling", "did you mean 'SECRET'?"),
    (STATE, 'witness-from = "SECRET"', 'witness-from = "GEHEIM"', "unknown-level", "witness-from", "'GEHEIM'"),
    (STATE, '"SECRET", "CONFIDENTIAL", "REST', '"SECRET", "SECRET", "REST', "duplicate-id", "english", "'SECRET'"),
    (STATE, 'SECRET = ["GEHEIM"]', 'SECRETT = ["GEHEIM"]', "unknown-level", "marks", "did you mean 'SECRET'?"),
    (STATE, '["SALAINEN"]', '["SALAINEN", "SALAINEN"]', "duplicate-mark", "marks", "is there twice"),
    (STATE, '["SALAINEN"]', '[""]', "empty-text", "marks", "is empty"),
    (STATE, '["SALAINEN"]', '["VERTRAULICH"]', "unequal-ranks", "marks", "one mark has one level"),
    (STATE, '"RESTRICTED"]', '"RESTRICTED", "OPEN"]', "no-mark", "english", "no party has a mark for 'OPEN'"),
    (STATE, 'ceiling = "SECRET"', 'ceiling = "RESTRICTED"', "", "", ""),
    (
        STATE.replace(', RESTRICTED = ["EINGESCHRÄNKT"]', ""),
        'ceiling = "SECRET"',
        'ceiling = "RESTRICTED"',
        "no-mark",
        "marks",
        "nothing could be given to it",
    ),
    (
        STATE,
        'contractors = "forbidden"',
        'contractors = "never"',
        "unknown-word",
        "contractors",
        "conditions, forbidden",
    ),
    (STATE, 'loss = "PT24H"', 'loss = "a day"', "bad-limit", "loss", "immediately"),
    (STATE, 'visit-lead = "P20D"', 'visit-led = "P20D"', "unknown-key", "visit-led", "did you mean 'visit-lead'?"),
    (STATE, 'notice = "P6M"', 'notice = "6 months"', "bad-duration", "notice", "'P90D'"),
    (STATE, 'duration = "P5Y"', 'renewal = "automatic"', "missing-key", "renewal", "needs a 'duration'"),
    (STATE, 'duration = "P5Y"', 'entry = "deposit-plus"', "term-entry", "entry =", "entry-plus"),
    (STATE, 'duration = "P5Y"', "duration = 5.0", "float", "duration", "with a fraction"),
    (STATE, "[term]", "[term", "not-toml", "[term", "not TOML"),
    (GROUP, 'mark = "TLP:GREEN"', 'mark = "TLP:RED"', "duplicate-id", "mark", "'TLP:RED' is there twice"),
    (GROUP, 'onward = "free"', 'onward = "freely"', "unknown-word", "onward", "did you mean 'free'?"),
    (GROUP, "approvals = 1", "approvals = 10", "out-of-range", "approvals", "<= 9"),
    (GROUP, "need-to-know = true", 'need-to-know = "yes"', "wrong-type", "need-to-know", "true or false"),
    (ARRANGEMENT, "o-17-notify", "o-17-notifi", "unknown-obligation", "obligation", "did you mean 'o-17-notify'?"),
    (ARRANGEMENT, 'witness-from = "SECRET"', 'witness-from = "SECRETS"', "unknown-level", "witness", "'SECRET'?"),
    (
        ARRANGEMENT,
        "[rules]",
        '[[limit]]\nobligation = "o-17-notify"\nwithin = "P1D"\n\n[rules]',
        "duplicate-id",
        "o-17",
        "",
    ),
]


@pytest.mark.parametrize(("text", "old", "new", "code", "line", "says"), MISTAKES)
def test_each_mistake_is_told_with_its_line(text: str, old: str, new: str, code: str, line: str, says: str) -> None:
    """(2) (3)"""
    assert old in text
    changed = text.replace(old, new, 1)
    agreement = JP_KR if text == ARRANGEMENT else None
    if not code:
        drafted(changed, agreement)
        return
    with pytest.raises(Rejected) as raised:
        drafted(changed, agreement)
    error = raised.value
    assert error.code == code, str(error)
    file, _, number = error.place.rpartition(":")
    assert file == "answers.toml"
    assert line in changed.splitlines()[int(number) - 1], str(error)
    assert says in str(error)


def test_an_arrangement_is_nowhere_looser() -> None:
    """(3)"""
    agreed = parse_agreement(
        LIBRARY.joinpath("jp-kr-2016.toml")
        .read_text(encoding="utf-8")
        .replace('within = "immediately"', 'within = "PT12H"')
        + '\n[[interval]]\nof = "visit-lead"\nclause = "8"\nlength = "P30D"\n',
        "agreed.toml",
    )
    for text in (ARRANGEMENT, ARRANGEMENT.replace('"PT24H"', '"PT12H"')):
        with pytest.raises(Rejected, match="looser") as raised:
            drafted(text, agreed)
        assert raised.value.code == "looser-number"
    drafted(ARRANGEMENT.replace('"PT24H"', '"PT12H"').replace("P21D", "P30D"), agreed)


def test_an_arrangement_stands_on_something() -> None:
    with pytest.raises(Misuse, match="--on"):
        read_answers(ARRANGEMENT, "answers.toml")


def test_what_a_check_refuses_all_the_same_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    """(4)"""
    monkeypatch.setattr("comity.drafting.draft.state_draft", lambda *_: "[agreement]\nformat = 2\n")
    with pytest.raises(Rejected, match="what follows from these answers is refused: 'format' is 2") as raised:
        drafted(STATE)
    assert raised.value.place == "answers.toml"


class TestQuestions:
    """(6)"""

    def ask(self, template: Template, answers: Sequence[str]) -> list[Question]:
        asking = asked(template, JP_KR, sorted(ZONES))
        return [next(asking), *(asking.send(answer) for answer in answers)]

    def test_an_answer_that_cannot_be_is_asked_again(self) -> None:
        *_, again = self.ask("state", ["Not An Id"])
        assert again.asks == "its id, such as 'at-fi-2027'"
        assert again.problem == "an id is lowercase letters and digits, joined by '-' or '.'"
        *_, further = self.ask("state", ["Not An Id", "at-fi"])
        assert (further.asks, further.problem) == ("its title, in English", "")

    @pytest.mark.parametrize(
        ("answers", "problem"),
        [
            ([""], "something must be typed"),
            (["x" * 201], "at most 200 characters"),
            (["a\u202eb"], "a character that cannot be seen is among them"),
            (["a", "T", "", "", "1"], "a number from 2 to 9"),
            (["a", "T", "", "", "2", "all"], "'all' is taken"),
            (
                ["a", "T", "", "", "2", "at", "A", "", "", "Mars"],
                "there is no time zone 'Mars'; write one as in 'Asia/Tokyo'",
            ),
            (["a", "T", "", "", "2", "at", "A", "", "", "", "fr"], "one of en, ja, ko"),
            (["a", "T", "", "", "2", "at", "A", "", "", "", "", "at"], "'at' is taken"),
        ],
    )
    def test_why_it_cannot_be(self, answers: list[str], problem: str) -> None:
        assert self.ask("state", answers)[-1].problem == problem

    def test_what_is_typed_is_put_in_normal_form(self) -> None:
        asking = asked("state", None, ["UTC"])
        next(asking)
        asking.send("at-fi")
        asking.send("E\u0301tat")
        for _ in range(2):
            asking.send("")
        frame = asking.gi_frame
        assert frame is not None
        assert frame.f_locals["head"]["title"] == {"en": "État"}

    def test_an_arrangement_asks_only_for_what_has_a_limit_to_give(self) -> None:
        asking = asked("arrangement", JP_KR, [])
        put, question = [], next(asking)
        try:
            while True:
                put.append(question)
                question = asking.send("" if question.default is not None else "numbers")
        except StopIteration:
            pass
        asks = [each.asks for each in put]
        assert any("is lost or compromised" in each and each.endswith("[17]") for each in asks)
        assert not any("keeps the register" in each for each in asks)


def test_answers_are_written_as_they_are_read() -> None:
    tables = tomllib.loads(STATE)
    assert tomllib.loads(answers_text(tables)) == tables
    assert table("[answers]", tables["answers"]) in answers_text(tables)
