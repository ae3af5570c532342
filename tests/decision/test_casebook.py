"""Casebooks (``spec/casebook.md``): what is read, what is plain, what agrees, and what nothing would notice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from comity.api import Agreement, Trial
from comity.decision.casebook import parse_casebook
from comity.errors import Rejected
from comity.timezones import time_zones
from decision.cases import AGREEMENT

HEAD = """
[casebook]
format = 1
agreement = "jp-kr-2016"
at = "2020-11-23T12:00"
given = ["ichigaya", "assured"]
"""
WHO = """
[[person]]
id = "sato"
party = "jp"
clearance = "極秘"
need-to-know = ["missiles"]
site = "ichigaya"

[[person]]
id = "embedded"
like = "sato"
serves = "us"
nationality = "us"

[[person]]
id = "uncleared"
like = "sato"
clearance = ""

[[item]]
id = "report"
originator = "kr"
mark = "군사 Ⅱ급 비밀"
need-to-know = ["missiles"]

[[item]]
id = "copy-of-report"
like = "report"
made-from = ["report"]

[[facility]]
id = "ichigaya"
party = "jp"
mark = "極秘"

[[attestation]]
id = "assured"
checklist = "assurance"
about = "sato"
item = "report"
by = "jp"

[[consent]]
id = "korean-consent"
by = "kr"
item = "report"
act = "open"
beneficiary = "us"
"""


def case(act: str = "open", item: str = "report", to: str = "sato", expect: str = "permit", **more: Any) -> str:
    """One case; what is written more is as it stands in TOML."""
    lines = [f'[[case]]\nid = "{more.pop("id", "one")}"\nact = "{act}"\nitem = "{item}"\nto = "{to}"']
    lines += [f'expect = "{expect}"', *(f"{key.replace('_', '-')} = {value}" for key, value in more.items())]
    return "\n" + "\n".join(lines) + "\n"


@pytest.fixture
def tried(tmp_path: Path) -> Any:
    def run(*cases: str, head: str = HEAD, thorough: bool = False, layers: tuple[str, ...] = ()) -> Trial:
        book = tmp_path / "x.cases.toml"
        book.write_text(head + WHO + "".join(cases), encoding="utf-8")
        return Agreement.load("jp-kr-2016", layers=layers).try_cases(book, thorough=thorough)

    return run


def refused(text: str) -> tuple[str, str]:
    with pytest.raises(Rejected) as caught:
        parse_casebook(text, "x", AGREEMENT, (), time_zones())
    return caught.value.code, caught.value.place


class TestAgreeing:
    def test_an_outcome_and_what_it_rests_on(self, tried: Any) -> None:
        trial = tried(case(because='["7.2"]', warns="[]", duties="[]"))
        assert trial.agrees
        (line,) = trial.lines
        assert (line.case, line.found, line.rests_on, line.differs) == ("one", "permit", ("7.2",), ())

    def test_another_outcome(self, tried: Any) -> None:
        (line,) = tried(case(expect="forbidden")).lines
        assert not line.agrees
        assert line.differs == ("forbidden was expected, and it is permit",)

    def test_what_it_rests_on_is_compared_whole(self, tried: Any) -> None:
        assert tried(case(to="uncleared", expect="needs-consent", because='["7.2", "15"]', act="translate")).agrees
        (line,) = tried(case(to="uncleared", expect="needs-consent", because='["15"]', act="translate")).lines
        assert line.differs == ("rests on 7.2 clearance-missing, which was not expected",)
        (line,) = tried(case(to="uncleared", expect="needs-consent", because='["7.2", "6.a"]')).lines
        assert line.differs == ("it was expected that it rests on 6.a",)

    def test_a_reason_is_named_by_clause_by_code_or_by_both(self, tried: Any) -> None:
        for name in ("7.2", "clearance-missing", "7.2 clearance-missing"):
            assert tried(case(to="uncleared", expect="needs-consent", because=f'["{name}"]')).agrees
        assert not tried(case(to="uncleared", expect="needs-consent", because='["7.2 clearance-ended"]')).agrees

    def test_a_layer_is_named_with_its_clause(self, tried: Any) -> None:
        wanted = case("give", expect="needs-consent", because='["comity-house:two-people"]')
        assert tried(wanted, layers=("house",)).agrees
        assert tried(case("give", approved_by='["abe"]'), layers=("house",)).agrees
        assert not tried(case("give", approved_by='["abe"]', requester='"abe"'), layers=("house",)).agrees

    def test_warnings_and_duties(self, tried: Any) -> None:
        assert tried(case(without='["ichigaya"]', warns='["11"]')).agrees
        assert not tried(case(without='["ichigaya"]', warns="[]")).agrees
        duties = '["o-4.2", "o-12"]'
        assert tried(case("give", duties=duties)).agrees
        (line,) = tried(case("give", duties='["o-4.2"]')).lines
        assert line.differs == ("opens o-4.2, o-12, not o-4.2",)

    def test_events_and_their_duties(self, tried: Any) -> None:
        event = '\n[[event]]\nid = "lost"\non = "loss-suspected"\nduties = ["o-17-notify", "o-17-investigate"]\n'
        assert tried(event).agrees
        assert not tried(event.replace(', "o-17-investigate"', "")).agrees


class TestFacts:
    def test_a_consent_holds_where_it_is_given(self, tried: Any) -> None:
        assert tried(case(to="embedded", expect="needs-consent", because='["6.a"]')).agrees
        assert tried(case(to="embedded", given='["korean-consent"]')).agrees

    def test_a_fact_of_every_case_can_be_taken_away(self, tried: Any) -> None:
        assert tried(case("give")).agrees
        assert tried(case("give", expect="needs-consent", without='["assured"]')).agrees

    def test_how_the_agreement_stands(self, tried: Any) -> None:
        for word, give, open_ in (
            ("in-force", "permit", "permit"),
            ("ended", "no-basis", "permit"),
            ("none", "no-basis", "no-basis"),
        ):
            both = case("give", expect=give, standing=f'"{word}"', id="g"), case(expect=open_, standing=f'"{word}"')
            assert tried(*both).agrees
        assert tried(case("give", standing='"history"', at='"2019-11-22T12:00"')).agrees
        assert tried(case("give", standing='"history"', at='"2016-11-22"', expect="no-basis")).agrees

    def test_who_has_acknowledged(self, tried: Any) -> None:
        assert tried(case("give", acknowledged='["jp"]', expect="needs-consent", because='["not-acknowledged"]')).agrees

    def test_an_item_has_what_it_was_made_from(self, tried: Any) -> None:
        assert tried(case(item="copy-of-report", to="embedded", expect="needs-consent", because='["6.a"]')).agrees

    def test_of_an_agreement_that_is_not_at_hand_there_is_no_basis(self, tried: Any) -> None:
        elsewhere = (
            '\n[[item]]\nid = "theirs"\nlike = "report"\nagreement = "elsewhere"\n'
            '[[item]]\nid = "ours"\nlike = "report"\nmade-from = ["theirs"]\n'
        )
        assert tried(elsewhere, case(item="ours", expect="no-basis", because='["agreement-unknown"]')).agrees

    def test_instants_are_read_in_the_zone_of_the_agreement(self, tried: Any) -> None:
        ends = '\n[[person]]\nid = "late"\nlike = "sato"\nclearance-until = "2020-11-23T12:00"\n'
        assert tried(ends, case(to="late", at='"2020-11-23T11:59"')).agrees
        assert tried(ends, case(to="late", at='"2020-11-23T03:00+00:00"', expect="needs-consent")).agrees

    def test_nobody_may_be_named(self, tried: Any) -> None:
        nobody = case(expect="forbidden", because='["no-recipients"]').replace('to = "sato"', "to = []")
        assert tried(nobody).agrees

    @pytest.mark.parametrize(
        ("act", "acting"),
        [("give", "kr"), ("reclassify", "kr"), ("open", "jp"), ("pass-on", "jp"), ("destroy", "jp")],
    )
    def test_who_acts(self, act: str, acting: str) -> None:
        book = parse_casebook(HEAD + WHO + case(act), "x", AGREEMENT, (), time_zones())
        assert book.posed[0].case.acting == acting


class TestThorough:
    def test_what_no_case_shows_is_named(self, tried: Any) -> None:
        trial = tried(case(), thorough=True)
        assert trial.unnoticed is not None
        assert "rule open" not in trial.unnoticed
        assert {"rule third-party", "checklist contractor", "obligation o-6h", "scope.forms"} <= set(trial.unnoticed)

    def test_a_case_shows_what_it_would_come_out_otherwise_without(self, tried: Any) -> None:
        cases = (
            case(to="embedded", expect="needs-consent"),
            case("give", expect="needs-consent", without='["assured"]', because='["7.5.a", "7.5.b", "7.5.c"]', id="g"),
            '\n[[event]]\nid = "over"\non = "purpose-ended"\nduties = ["o-6h"]\n',
        )
        trial = tried(*cases, thorough=True)
        assert trial.agrees
        assert trial.unnoticed is not None
        shown = {"rule third-party", "obligation o-6h", "checklist assurance", "condition 7.5.b of checklist assurance"}
        assert not shown & set(trial.unnoticed)


@pytest.mark.parametrize(
    ("old", "new", "code", "stands"),
    [
        ('agreement = "jp-kr-2016"', 'agreement = "other"', "other-agreement", "agreement ="),
        ("format = 1", "format = 2", "unknown-format", "format ="),
        ('at = "2020-11-23T12:00"', 'at = "noon"', "bad-date", "at ="),
        ('given = ["ichigaya", "assured"]', 'given = ["nowhere"]', "unknown-fact", "given ="),
        ('to = "sato"', 'to = "saito"', "unknown-person", "to ="),
        ('item = "report"\nto', 'item = "repot"\nto', "unknown-item", "item ="),
        ('checklist = "assurance"', 'checklist = "assurances"', "unknown-checklist", "checklist ="),
        ('expect = "permit"', 'expect = "yes"', "unknown-word", "expect ="),
        ('act = "open"\nitem = "report"\nto', 'act = "read"\nitem = "report"\nto', "unknown-word", "act ="),
        ('like = "sato"\nserves', 'like = "embedded"\nserves', "cycle", "like ="),
        ('party = "jp"\nclearance', "clearance", "missing-key", "[[person]]"),
        ('id = "embedded"', 'id = "sato"', "duplicate-id", "id ="),
        ('expect = "permit"', 'expect = "permit"\nduties = ["o-99"]', "unknown-obligation", "duties ="),
        ('made-from = ["report"]', 'made-from = ["copy-of-report"]', "cycle", "[[item]]"),
        ('mark = "군사 Ⅱ급 비밀"', "", "missing-key", "[[item]]"),
        ('expect = "permit"', 'expect = "permit"\nhint = "x"', "unknown-key", "hint ="),
    ],
)
def test_a_mistake_is_told_with_its_line(old: str, new: str, code: str, stands: str) -> None:
    text = HEAD + WHO + case()
    assert old in text
    changed = text.replace(old, new, 1)
    told, place = refused(changed)
    assert told == code
    assert stands in changed.splitlines()[int(place.partition(":")[2]) - 1]


def test_a_casebook_without_cases_is_a_mistake() -> None:
    assert refused(HEAD + WHO) == ("missing-key", "x:1")
