"""What would follow, on files alone (spec/what-if.md steps 1 to 8)."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agreement.histories import AGREEMENT, ENTRY, UNDATED, ZONES, packaged, run, seoul
from comity import Agreement
from comity.agreement import writing
from comity.agreement.load import parse_agreement
from comity.api import agreements_of_library
from comity.errors import Misuse, Rejected
from comity.foresight.clearances import parse_clearances
from comity.foresight.consequences import Consequences, foresee
from comity.foresight.supposition import Ground, SupposedAct, Supposition, suppose
from comity.foresight.written import Written, WrittenFile

REAL = Agreement.load("jp-kr-2016", layers=["house"])
BEFORE_2019 = seoul("2019-08-20T00:00")
TODAY = seoul("2026-11-21T12:00")


def ask(*acts: tuple[str, str], at: datetime = TODAY, of: Agreement = REAL, by: str = "", **files: Any) -> Consequences:
    return of.what_if(Written(acts=tuple(SupposedAct(*act) for act in acts), by=by, **files), at)  # type: ignore[arg-type]  # a step's word


def told(found: Consequences) -> list[tuple[str, str, set[str]]]:
    """Each turn by its local day, its phase and the rules for counting days it holds for."""
    zone = ZONES.zone(found.timezone)
    return [
        (f"{turn.at.astimezone(zone):%Y-%m-%d}", turn.phase, {course.counting for course in turn.courses})
        for turn in found.turns
    ]


def fates(found: Consequences) -> dict[str, str]:
    return {each.obligation: each.fate for each in found.duties}


# ------------------------------------------------------------------------------------------------ acts


BOTH = {"before-anniversary", "before-last-day"}


@pytest.mark.parametrize(
    ("day", "ends"),
    [
        (24, [("2019-11-23", "lapsed", BOTH)]),
        (25, [("2019-11-23", "lapsed", {"before-anniversary"}), ("2020-11-23", "lapsed", {"before-last-day"})]),
        (26, [("2020-11-23", "lapsed", BOTH)]),
    ],
)
def test_a_notice_ends_it_by_each_rule_for_counting_days(day: int, ends: list[tuple[str, str, set[str]]]) -> None:
    """(1) (4)"""
    found = ask(("notice", f"2019-08-{day}"), at=BEFORE_2019, by="kr")
    assert told(found) == [(f"2019-08-{day}", "notice-given", BOTH), *ends]
    assert found.otherwise == ()
    contested = {point.point for point in found.then.contested}
    assert contested == ({"when-it-ends"} if day == 25 else set())


def test_giving_stops_at_the_first_end_and_the_rest_goes_on() -> None:
    """(5)"""
    found = ask(("notice", "2019-08-25"), at=BEFORE_2019, by="kr")
    assert found.stops == seoul("2019-11-23T00:00")
    stopping = {each.act for each in found.acts if each.stops is not None}
    assert stopping == {"give", "show", "visit"}
    for each in found.acts:
        if each.act in stopping:
            assert (each.clause, {course.counting for course in each.courses}) == ("21.1", {"before-anniversary"})
        else:
            assert (each.needs, each.clause, each.courses) == ("protection", "21.4", ())


def test_where_nothing_outlives_the_end_everything_stops_with_the_last_course() -> None:
    """(5) (7)"""
    term = msgspec.structs.replace(UNDATED.term, survival="none", survival_clause=None)
    short_lived = msgspec.structs.replace(UNDATED, term=term)
    ground = Ground(short_lived, (), Agreement(short_lived, (), REAL.history).compiled, run(ENTRY, short_lived))
    supposition = Supposition(acts=(SupposedAct("notice", "2019-08-25"),))
    found = foresee(suppose(ground, supposition, BEFORE_2019, ZONES), supposition)
    stops = {each.act: each.stops for each in found.acts}
    assert stops["give"] == seoul("2019-11-23T00:00")
    assert stops["open"] == seoul("2020-11-23T00:00")
    assert fates(found)["o-6c"] == "ends"


def test_no_duty_to_return_or_destroy_opens_by_an_end() -> None:
    """(7) Those that only giving brings about open no more; whatever protects survives; only the notice is owed."""
    found = ask(("notice", "2026-12-01"), by="kr")
    assert {name for name, fate in fates(found).items() if fate == "opens"} == {"o-21.3"}
    assert {name for name, fate in fates(found).items() if fate == "opens-no-more"} == {
        "o-7.5",
        "o-8-request",
        "o-8-brief",
    }
    assert fates(found)["o-6h"] == fates(found)["o-21.4"] == "survives"
    (notice,) = found.told
    assert (notice.who, notice.whom, notice.clause) == ("kr", ("jp",), "21.3")
    assert (notice.form, notice.channel) == ("written", "diplomatic")


def test_what_a_text_lays_on_its_own_end_opens_then() -> None:
    """(7)"""
    text = packaged("jp-kr-2016.toml").replace(
        'on = "agreement-ended"\nwho = "both"\nact = "protect"\nwithin = "continuous"',
        'on = "agreement-ended"\nwho = "both"\nact = "return-or-destroy"\nwithin = "P30D"',
    )
    found = ask(("notice", "2026-12-01"), amend=WrittenFile(text, "mine.toml"))
    (line,) = [each for each in found.duties if each.obligation == "o-21.4"]
    assert (line.fate, line.deed) == ("changed", "return-or-destroy")
    other = Agreement.load("jp-kr-2016")
    amended = Agreement(parse_agreement(text, "mine.toml"), (), other.history)
    assert fates(ask(("notice", "2026-12-01"), of=amended))["o-21.4"] == "opens"


def test_a_suspension_is_of_the_notice_that_stands_and_the_text_does_not_speak_of_it() -> None:
    """(1) (8)"""
    found = ask(("suspension", "2019-11-22T18:00"), at=seoul("2019-11-20T00:00"))
    assert found.supposed == ("kr suspends the effect of its notice on 2019-11-22 18:00",)
    assert told(found) == [("2019-11-22", "notice-suspended", BOTH)]
    assert [turn.phase for turn in found.otherwise] == ["lapsed"]  # as it would have come
    assert found.stops is None
    (note,) = found.told
    assert (note.clause, note.whom) == ("", ("jp",))
    assert "does not speak of suspending" in note.says


def test_a_notice_that_runs_again_late_is_told_by_each_reading() -> None:
    """(4) Seoul said that it can end it at any time; Tokyo is only reported to read it otherwise, or by the text."""
    found = ask(("reactivation", "2020-02-01T12:00"), at=seoul("2020-01-20T00:00"))
    now, renewal = seoul("2020-02-01T12:00"), seoul("2020-11-23T00:00")
    assert {(turn.at, turn.phase): {course.party for course in turn.courses} for turn in found.turns} == {
        (now, "notice-given"): {"jp"},
        (now, "lapsed"): {"kr"},
        (renewal, "lapsed"): {"jp"},
    }
    assert found.stops == now  # by one reading it is over: nothing new is given under it
    assert [point.point for point in found.then.contested] == ["in-force"]


@pytest.mark.parametrize("name", sorted(set(agreements_of_library()) - {"house"}))
def test_every_agreement_of_the_library_can_be_asked(name: str) -> None:
    """Whatever its text says of notice and of what outlives it: an answer with clauses of its own, or a refusal."""
    loaded = Agreement.load(name)
    clauses = {clause.id for clause in loaded.file.clauses}
    for step in ("notice", "end-by-consent"):
        try:
            found = ask((step, "2027-01-15"), at=TODAY, of=loaded)
        except Rejected as refused:
            assert (step, loaded.file.term.notice) == ("notice", None)
            assert refused.code == "contradiction"  # noqa: PT017 - either answer is right
            continue
        assert found.turns[-1].phase == "lapsed"
        assert {each.clause for each in found.acts if each.stops} <= clauses
        assert {each.because for each in found.duties if each.because} <= clauses
        assert {each.fate for each in found.duties} <= {"opens", "survives", "opens-no-more", "ends"}


def test_what_the_history_tells_of_later_is_not_known() -> None:
    """(3) On 20 August 2019 nobody knew of the notice of the 23rd, nor of its suspension."""
    found = ask(("notice", "2019-08-24"), at=BEFORE_2019, by="kr")
    assert {reading.phase for reading in found.before.readings} == {"in-force"}
    with pytest.raises(Rejected, match="has given notice already") as caught:
        ask(("notice", "2019-08-24"), at=seoul("2019-08-24T00:00"), by="kr")
    assert caught.value.code == "contradiction"
    assert "clause '21.3'" in str(caught.value)


def test_acts_together_are_taken_by_their_days() -> None:
    found = ask(("withdrawal", "2027-03-01"), ("suspension", "2027-02-01"), ("notice", "2026-12-01"), by="jp")
    assert [phase for _, phase, _ in told(found)] == ["notice-given", "notice-suspended", "in-force"]
    assert found.stops is None
    assert fates(found)["o-7.5"] == "as-before"


def test_an_end_by_consent_is_of_all() -> None:
    found = ask(("end-by-consent", "2027-01-15"))
    assert found.supposed == ("jp and kr end it by consent on 2027-01-15",)
    assert found.stops == seoul("2027-01-15T23:59:59")


@pytest.mark.parametrize(
    ("acts", "by", "code", "place"),
    [
        ([], "", "nothing-supposed", ""),
        ([("notice", "2026-12-01")], "us", "unknown-party", ""),
        ([("suspension", "2026-12-01")], "", "no-such-notice", "21.3"),
        ([("notice", "2026-13-01")], "", "bad-date", ""),
        ([("notice", "2026-12-01"), ("notice", "2026-12-02")], "", "contradiction", ""),
        ([("notice", "2015-12-01")], "", "contradiction", ""),
    ],
)
def test_what_cannot_be_supposed_is_refused(acts: list[tuple[str, str]], by: str, code: str, place: str) -> None:
    """(1)"""
    with pytest.raises((Misuse, Rejected)) as caught:
        ask(*acts, by=by)
    assert (caught.value.code, caught.value.place) == (code, place)


# ------------------------------------------------------------------------------------------------ texts


def test_another_text_is_told_rule_by_rule_and_nothing_crosses_before_it_is_acknowledged() -> None:
    """(2) (6) (8)"""
    text = packaged("jp-kr-2016.toml")
    amended = text.replace('[[rule]]\nid = "third-party"', '[[rule]]\nid = "third-parties"')
    assert amended != text
    found = ask(amend=WrittenFile(amended, "mine.toml"))
    assert found.digest != found.digest_then
    became = {rule.rule: rule.became for act in found.acts for rule in act.rules if rule.became != "as-before"}
    assert became == {"third-party": "removed", "third-parties": "added"}
    assert {(each.who, each.what) for each in found.told} == {("jp", "acknowledgement"), ("kr", "acknowledgement")}
    assert found.turns == ()


def test_an_amended_term_counts_from_the_instant_of_asking_and_changes_nothing_before() -> None:
    """(3) The day of entry and a notice that runs stay; what is given from then on follows the new text."""
    text = packaged("jp-kr-2016.toml").replace('period = "P90D"', 'period = "P1Y"')
    notice = ("notice", "2026-12-01")
    assert told(ask(notice))[-1][0] == "2027-11-23"
    assert told(ask(notice, amend=WrittenFile(text, "mine.toml")))[-1][0] == "2028-11-23"
    running = seoul("2019-09-01T00:00")
    found = ask(at=running, amend=WrittenFile(text, "mine.toml"))
    assert told(found) == [("2019-11-23", "lapsed", BOTH)]  # the notice of August 2019 was given under the old text
    assert found.before == REAL.status(running)


def test_a_term_that_is_not_renewed_any_more_ends_at_its_next_anniversary() -> None:
    """(3)"""
    text = packaged("jp-kr-2016.toml").replace('renewal = "automatic"', 'renewal = "none"')
    assert told(ask(amend=WrittenFile(text, "mine.toml"))) == [("2026-11-23", "lapsed", BOTH)]


def test_a_law_is_a_domestic_layer_and_opens_the_duty_to_tell() -> None:
    """(2) (7) (8)"""
    law = packaged("jp-domestic.example.toml")
    found = ask(laws=(WrittenFile(law, "law.toml"),))
    assert fates(found)["o-3-change"] == "opens"
    (note,) = found.told
    assert (note.who, note.whom, note.clause) == ("jp", ("kr",), "3")
    added = {rule.rule for act in found.acts for rule in act.rules if rule.became == "added"}
    assert {"two-approvals", "no-contractors"} <= added


LEVELS = """
[clearances]
format = 1
on = "jp-kr-2016"

[[clearance]]
party = "kr"
mark = "군사 Ⅱ급 비밀"
becomes = "군사 Ⅲ급 비밀"
"""


def test_a_table_of_levels_takes_the_place_of_the_agreements() -> None:
    """(2) (6)"""
    file = REAL.file
    rows = [row for row in file.equivalences if "特定秘密" not in row.marks["jp"]]
    fewer = msgspec.structs.replace(file.equivalences[0], marks={"jp": ("極秘",), "kr": ("군사 Ⅱ급 비밀",)})
    written = [{"clause": row.clause, "marks": {key: list(marks) for key, marks in row.marks.items()}} for row in rows]
    written.append({"clause": fewer.clause, "marks": {key: list(marks) for key, marks in fewer.marks.items()}})
    table = "\n".join([LEVELS, *(writing.table("[[equivalence]]", row) for row in written)])
    found = ask(clearances=WrittenFile(table, "table.toml"))
    (lost,) = [each for each in found.marks if each.mark == "特定秘密"]
    assert (lost.before, lost.after) == (("군사 Ⅱ급 비밀",), ())
    assert found.digest != found.digest_then
    assert found.supposed[-1] == "a clearance of kr up to 군사 Ⅱ급 비밀 is worth 군사 Ⅲ급 비밀"
    assert ask(clearances=WrittenFile(LEVELS, "table.toml")).digest_then == REAL.digest


@pytest.mark.parametrize(
    ("old", "new", "code", "line"),
    [
        ('on = "jp-kr-2016"', 'on = "jp-us-2007"', "other-agreement", 4),
        ("[[clearance]]", "[[clearence]]", "unknown-key", 6),
        ('party = "kr"', 'party = "us"', "unknown-party", 7),
        ('becomes = "군사 Ⅲ급 비밀"', 'becomes = "Ⅲ급"', "unknown-mark", 9),
    ],
)
def test_a_mistake_in_a_table_is_told_with_its_line(old: str, new: str, code: str, line: int) -> None:
    """(2)"""
    with pytest.raises(Rejected) as caught:
        parse_clearances(LEVELS.replace(old, new), "table.toml", AGREEMENT)
    assert (caught.value.code, caught.value.place) == (code, f"table.toml:{line}")


def test_texts_that_do_not_fit_are_refused() -> None:
    """(2)"""
    same = WrittenFile(packaged("jp-kr-2016.toml"), "same.toml")
    with pytest.raises(Misuse, match="is the text that runs"):
        ask(amend=same)
    with pytest.raises(Misuse, match="of 'jp-us-2007'"):
        ask(amend=WrittenFile(packaged("jp-us-2007.toml"), "other.toml"))
    with pytest.raises(Misuse, match="no domestic layer"):
        ask(laws=(WrittenFile(packaged("jp-kr-arrangement.example.toml"), "law.toml"),))
    with pytest.raises(Misuse, match="stands on it already"):
        ask(laws=(WrittenFile(packaged("jp-domestic.example.toml"), "law.toml"),) * 2)
    layered = Agreement.load("jp-kr-2016", layers=["jp-kr-arrangement.example"])
    text = packaged("jp-kr-2016.toml").replace('id = "o-17-notify"', 'id = "o-17-tell"')
    with pytest.raises(Rejected, match="does not stand on the other text any more") as caught:
        ask(of=layered, amend=WrittenFile(text, "mine.toml"))
    assert caught.value.place == "jp-kr-arrangement.example"


# ------------------------------------------------------------------------------------------------ what must always hold


@settings(max_examples=40)
@given(st.integers(0, 3_000), st.integers(0, 700), st.sampled_from(["jp", "kr"]))
def test_turns_are_all_that_changes_and_nothing_before_the_act_does(start: int, later: int, by: str) -> None:
    """(3) (4) Between two turns nothing changes; before the first supposed act nothing is otherwise."""
    at = seoul("2016-12-01T00:00") + timedelta(days=start)
    day = at + timedelta(days=later)
    ground = Ground(REAL.file, REAL.layers, REAL.compiled, REAL.chronicle)
    supposition = Supposition(acts=(SupposedAct("notice", f"{day:%Y-%m-%d}"),), by=by)
    try:
        supposed = suppose(ground, supposition, at, ZONES)
    except Rejected as refused:
        assert refused.code == "contradiction"  # noqa: PT017 - a notice that stands already
        return
    found = foresee(supposed, supposition)
    assert found.before == REAL.status(at) or found.before.readings == REAL.status(at).readings
    assert [turn.at for turn in found.turns] == sorted(turn.at for turn in found.turns)

    def phases(instant: datetime) -> list[str]:
        return [course.phase for course in supposed.ground.chronicle.courses(instant)]

    for one, other in pairwise([at, *(turn.at for turn in found.turns), seoul("2040-01-01T00:00")]):
        if one < other:
            assert phases(one) == phases(other - timedelta(seconds=1))
    known = supposed.before.chronicle
    for instant in (at, day - timedelta(days=1)):
        if instant >= at:
            assert phases(instant) == [course.phase for course in known.courses(instant)]


def test_the_example_of_the_spec_is_what_is_answered(capsys: pytest.CaptureFixture[str]) -> None:
    from comity.cli.main import main

    spec = (Path(__file__).parents[2] / "spec/what-if.md").read_text(encoding="utf-8")
    command, _, shown = spec.split("```")[1].strip().partition("\n")
    assert main(command.removeprefix("$ comity ").split()) == 0
    printed = capsys.readouterr().out
    for part in shown.split("\n\n"):
        assert part.rstrip() in printed


def test_as_json_it_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    import json

    from comity.cli.main import main

    asked = ["agreement", "what-if", "jp-kr-2016", "--notice", "2019-08-25", "--by", "kr", "--at", "2019-08-20"]
    assert main([*asked, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["here"] is None
    assert [turn["phase"] for turn in found["follows"]["turns"]] == ["notice-given", "lapsed", "lapsed"]
    assert {duty["fate"] for duty in found["follows"]["duties"]} == {"opens", "survives", "opens-no-more"}
