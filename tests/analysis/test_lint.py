"""What is found in texts before anybody acts on them (``spec/analysis.md`` steps 1 to 11)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import pytest

from analysis.texts import (
    PERMIT_ALL,
    agreement_text,
    clause,
    codes,
    equivalence,
    found,
    layer_source,
    layer_text,
    level,
    library,
    rule,
    source,
)
from comity.agreement.load import parse_agreement
from comity.agreement.model import Agreement
from comity.agreement.together import Placed, check_together
from comity.agreement.vocabulary import Event
from comity.analysis.duties import ACTS, DEEDS, ROLES_OF
from comity.analysis.findings import WEIGHTS
from comity.analysis.lint import lint
from comity.cli.main import main
from comity.errors import Rejected

TREATY = library("jp-kr-2016")
LAYERS = [
    library(each) for each in ("house", "jp-kr-arrangement.example", "jp-domestic.example", "kr-domestic.example")
]


def obligation(name: str, on: str, who: str, act: str, more: str = "", cites: str = "rules") -> str:
    return (
        f'[[obligation]]\nid = "{name}"\nclause = "{cites}"\non = "{on}"\nwho = "{who}"\nact = "{act}"\n'
        f'evidence = "x"\n{more}\n'
    )


class TestTheAgreementOf2016:
    def test_its_marks_come_back_as_others_and_a_person_chooses(self) -> None:
        assert codes(TREATY) == ["round-trip 4.1", "round-trip 4.1", "ambiguous-mark 4.2"]
        trips = [each for each in found(TREATY) if each.code == "round-trip"]
        assert "特定秘密 → 군사 Ⅱ급 비밀 (kr) → 極秘 (jp)" in trips[1].says
        assert {each.weight for each in trips} == {"doubt"}

    def test_a_domestic_preference_leaves_only_the_other_way_round(self) -> None:
        left = [each for each in found(TREATY, *LAYERS) if each.code in {"round-trip", "ambiguous-mark"}]
        assert [each.says.split(":")[0] for each in left] == [
            "what 'jp' marks '特定秘密' can come back to it as '極秘', another mark of the same level (SECRET)"
        ]

    def test_the_stricter_number_of_two_layers_is_told(self) -> None:
        notes = [each for each in found(TREATY, *LAYERS) if each.code == "two-numbers"]
        assert [(each.weight, each.instrument, each.clause) for each in notes] == [
            ("note", "jp-domestic.example", "4"),
            ("note", "kr-domestic.example", "4"),
        ]

    def test_a_finding_has_the_line_it_speaks_of(self) -> None:
        ambiguous = next(each for each in found(TREATY) if each.code == "ambiguous-mark")
        assert TREATY.splitlines()[ambiguous.line - 1] == "[[equivalence]]"
        assert '"極秘", "特定秘密"' in TREATY.splitlines()[ambiguous.line + 1]

    def test_what_only_explains_is_a_note(self) -> None:
        unused = {each.clause for each in found(TREATY) if each.code == "clause-unused"}
        assert {"2.b", "7.4", "21.2"} <= unused
        assert not {"4", "6", "16.c", "21.1", "21.4"} & unused


class TestMarks:
    def test_a_mark_that_nobody_else_has(self) -> None:
        levels = level("a", "SECRET", 2) + level("a", "LOW", 1) + level("b", "SECRET", 2)
        text = agreement_text(PERMIT_ALL, levels=levels + equivalence({"a": ["A SECRET"], "b": ["B SECRET"]}))
        assert codes(text) == ["no-equivalent levels"]
        assert "'A LOW' of 'a'" in found(text)[0].says

    def test_a_ladder_that_all_share_needs_no_equivalence(self) -> None:
        assert codes(agreement_text(PERMIT_ALL, levels=level("all", "SECRET", 1))) == []

    def test_a_preferred_mark_is_not_ambiguous(self) -> None:
        levels = (
            level("a", "SECRET", 1) + level("a", "SECRET", 1, 'ladder = "side"', "A SIDE") + level("b", "SECRET", 1)
        )
        marks = {"a": ["A SECRET", "A SIDE"], "b": ["B SECRET"]}
        plain = agreement_text(PERMIT_ALL, levels=levels + equivalence(marks))
        assert "ambiguous-mark levels" in codes(plain)
        preferring = agreement_text(PERMIT_ALL, levels=levels + equivalence(marks, 'preferred = { a = "A SIDE" }'))
        assert codes(preferring) == ["round-trip levels"]

    def test_what_comes_back_higher_is_a_doubt(self) -> None:
        levels = level("a", "LOW", 1) + level("a", "HIGH", 2) + level("b", "HIGH", 2)
        rows = equivalence({"a": ["A LOW"], "b": ["B HIGH"]}, 'origin = "a"')
        rows += equivalence({"b": ["B HIGH"], "a": ["A HIGH"]}, 'origin = "b"')
        rows += equivalence({"a": ["A HIGH"], "b": ["B HIGH"]}, 'origin = "a"')
        trips = [each for each in found(agreement_text(PERMIT_ALL, levels=levels + rows)) if each.code == "round-trip"]
        assert [(each.weight, "LOW as HIGH" in each.says) for each in trips] == [("doubt", True)]

    def test_two_agreements_together_can_lower_what_neither_lowers_alone(self) -> None:
        """At the hub, HIGH of one agreement is LOW of the other: ranks belong to an agreement."""
        first = agreement_text(
            PERMIT_ALL,
            levels=level("a", "HIGH", 2)
            + level("a", "LOW", 1)
            + level("b", "HIGH", 2, mark="B ONE")
            + level("b", "LOW", 1, mark="B TWO")
            + equivalence({"a": ["A HIGH"], "b": ["B ONE"]})
            + equivalence({"a": ["A LOW"], "b": ["B TWO"]}),
            name="first",
        )
        second = agreement_text(
            PERMIT_ALL,
            levels=level("b", "LOW", 1, mark="B ONE")
            + level("a", "LOW", 1)
            + equivalence({"b": ["B ONE"], "a": ["A LOW"]}),
            name="second",
        )
        assert codes(first) == codes(second) == []
        together = lint([(source(first, "first.toml"), ()), (source(second, "second.toml"), ())], tzdata="x")
        trips = [each for each in together if each.code == "round-trip"]
        assert [
            (each.weight, each.file) for each in trips if "'A HIGH' can come back to it as 'A LOW'" in each.says
        ] == [("wrong", "first.toml")]


class TestObligations:
    def test_every_event_has_its_deeds(self) -> None:
        assert set(get_args(Event)) == set(DEEDS)
        assert set(ACTS) <= set(DEEDS)
        assert all(events <= set(DEEDS) for events in ROLES_OF.values())

    def test_those_of_the_library_can_be_discharged(self) -> None:
        assert not [each for each in codes(TREATY, *LAYERS) if each.startswith("duty")]

    def test_an_event_of_an_act_that_nothing_permits_never_comes(self) -> None:
        asked = obligation("o", "visit-permitted", "host-authority", "brief-site")
        assert codes(agreement_text(PERMIT_ALL, asked)) == []
        assert codes(agreement_text(rule("give", ["give"], "permits = true"), asked)) == ["duty-never-opens rules"]

    def test_an_act_that_only_an_unchecked_rule_permits_never_comes_either(self) -> None:
        text = agreement_text(
            rule("give", ["give"], "permits = true"),
            rule("back", ["return"], "permits = true", cites="unread"),
            clause("unread", "K"),
            obligation("o", "returned", "originator", "return-receipt"),
        )
        assert codes(text) == ["permit-unchecked unread", "duty-never-opens rules"]

    def test_a_deed_that_answers_nothing(self) -> None:
        text = agreement_text(PERMIT_ALL, obligation("o", "received", "recipient", "investigate"))
        assert codes(text) == ["duty-never-discharged rules"]
        assert "give-receipt or mark" in found(text)[0].do

    def test_what_stands_may_be_any_deed_if_it_is_continuous(self) -> None:
        standing = obligation("o", "agreement-ended", "both", "protect")
        assert codes(agreement_text(PERMIT_ALL, standing)) == ["duty-never-discharged rules"]
        continuous = obligation("o", "agreement-ended", "both", "protect", 'within = "continuous"')
        assert codes(agreement_text(PERMIT_ALL, continuous)) == []

    def test_a_role_that_nobody_has(self) -> None:
        owed = obligation("o", "received", "carrier", "mark")
        to = obligation("p", "received", "recipient", "mark", 'to = "host-authority"')
        assert codes(agreement_text(PERMIT_ALL, owed, to)) == ["duty-of-nobody rules"] * 2


class TestNumbers:
    def test_two_limits_for_one_deed_in_one_text(self) -> None:
        one = obligation("o", "loss-suspected", "recipient", "notify", 'to = "originator"\nwithin = "PT24H"')
        two = obligation("p", "loss-suspected", "recipient", "notify", 'to = "originator"\nwithin = "P3D"')
        text = agreement_text(PERMIT_ALL, one, two)
        assert [(each.code, each.weight) for each in found(text)] == [("two-numbers", "wrong")]

    def test_two_deadlines_of_one_layer(self) -> None:
        text = agreement_text(PERMIT_ALL, obligation("o", "loss-suspected", "recipient", "notify"))
        rows = "".join(
            f'[[deadline]]\nobligation = "o"\nclause = "own"\nwithin = "{each}"\n' for each in ("PT24H", "P3D")
        )
        assert [(each.code, each.weight) for each in found(text, layer_text(rows))] == [("two-numbers", "wrong")]

    def test_domestic_layers_of_two_parties_bind_two_parties(self) -> None:
        text = agreement_text(PERMIT_ALL, obligation("o", "loss-suspected", "recipient", "notify"))
        layers = [
            layer_text(
                f'[[deadline]]\nobligation = "o"\nclause = "own"\nwithin = "{within}"\n',
                name=f"of-{owner}",
                kind="domestic",
                owner=owner,
            )
            for owner, within in (("a", "PT24H"), ("b", "P3D"))
        ]
        assert codes(text, *layers) == []

    @pytest.mark.parametrize("key", ["approvals", "witnesses", "copies"])
    def test_two_counts_in_the_same_cases(self, key: str) -> None:
        def counted(second: str) -> str:
            return agreement_text(
                PERMIT_ALL,
                rule("one", ["copy"], f"{key} = 1", 'form = ["oral"]'),
                rule("two", ["copy"], f"{key} = 2", second),
            )

        assert codes(counted('form = ["oral"]')) == ["two-numbers rules"]
        assert codes(counted('form = ["visual"]')) == []

    def test_a_visit_that_begins_before_it_is_answered(self) -> None:
        def asked(lead: str) -> str:
            answer = obligation("o", "visit-asked", "host-authority", "answer-visit", 'within = "P14D"')
            return agreement_text(
                PERMIT_ALL, answer, f'[[interval]]\nof = "visit-lead"\nclause = "rules"\nlength = "{lead}"\n'
            )

        assert codes(asked("P7D")) == ["answer-after-visit rules"]
        assert codes(asked("P21D")) == []

    @pytest.mark.parametrize(
        ("period", "counting", "expected"),
        [
            ("P90D", "before-anniversary", []),
            ("P1Y", "before-anniversary", []),
            ("P1Y", "before-last-day", ["notice-out-of-reach rules"]),
            ("P13M", "both-days-count", ["notice-out-of-reach rules"]),
        ],
    )
    def test_a_notice_longer_than_the_term(self, period: str, counting: str, expected: list[str]) -> None:
        term = (
            'duration = "P1Y"\nrenewal = "automatic"\n[term.notice]\nclause = "rules"\n'
            f'period = "{period}"\nform = "written"\nchannel = "any"\ncounting = "{counting}"\n'
        )
        assert codes(agreement_text(PERMIT_ALL, term=term)) == expected

    def test_a_notice_that_is_out_of_reach_by_one_reading_is_a_doubt(self) -> None:
        term = (
            'duration = "P1Y"\nrenewal = "automatic"\n[term.notice]\nclause = "rules"\nperiod = "P1Y"\n'
            'form = "written"\nchannel = "diplomatic"\ncounting = "before-anniversary"\n'
            'counting-disputed = ["before-last-day"]\n'
        )
        assert [(each.code, each.weight) for each in found(agreement_text(PERMIT_ALL, term=term))] == [
            ("notice-out-of-reach", "doubt")
        ]
        notice = obligation("o", "end-wanted", "either", "give-notice", 'channel = "any"\nwithin = "P90D"')
        assert codes(agreement_text(PERMIT_ALL, notice, term=term)) == [
            "two-numbers rules",
            "notice-out-of-reach rules",
        ]
        sent = obligation("o", "end-wanted", "either", "give-notice", 'channel = "diplomatic"\nwithin = "before"')
        assert codes(agreement_text(PERMIT_ALL, sent, term=term)) == ["notice-out-of-reach rules"]


class TestRules:
    @pytest.mark.parametrize(
        ("when", "unless"),
        [
            ('form = ["oral"]', 'form = ["oral", "visual"]'),
            ('beneficiary = ["third-party"], recipient = ["a"], serves = ["b"]', ""),
            ('beneficiary = ["third-national"]', ""),
            ('holder = "originator", acting = ["a"], originator = ["b"]', ""),
            ('level = ["A SECRET"], level-at-least = "B TOP"', ""),
            ('form = ["equipment"]', ""),
            ('recipient = ["a"], acting = ["b"]', ""),
        ],
    )
    def test_a_rule_that_nothing_meets(self, when: str, unless: str) -> None:
        levels = level("a", "SECRET", 1) + level("b", "SECRET", 1) + level("b", "TOP", 2, "crosses = false")
        levels += equivalence({"a": ["A SECRET"], "b": ["B SECRET"]})
        text = agreement_text(
            PERMIT_ALL,
            rule("idle", ["open"], "forbids = true", when, unless),
            scope='forms = ["oral", "visual", "electronic"]',
            levels=levels,
        )
        assert codes(text) == ["never-applies rules"]

    @pytest.mark.parametrize(
        ("when", "unless"),
        [
            ('form = ["oral", "visual"]', 'form = ["oral"]'),
            ('beneficiary = ["third-party"], recipient = ["a"]', 'serves = ["b"]'),
            ('category = ["x"]', 'category = ["y"]'),
            ("recalled = true, other-purpose = true", "suspected = true"),
        ],
    )
    def test_a_rule_that_something_meets(self, when: str, unless: str) -> None:
        text = agreement_text(
            PERMIT_ALL, rule("used", ["open"], "forbids = true", when, unless), scope='categories = ["x", "y"]'
        )
        assert codes(text) == []

    @pytest.mark.parametrize(
        ("when", "expected"),
        [
            ('circle = ["pool"]', []),
            ('circle = ["pool"], serves = ["a"]', []),
            ('circle = ["pool"], recipient = ["a"], serves = ["b"]', ["never-applies rules"]),
            ("client = true", []),
            ('client = true, acting = ["b"]', ["never-applies rules"]),
            ('client = true, beneficiary = ["party"]', ["never-applies rules"]),
        ],
    )
    def test_circles_and_clients_are_those_of_bodies_outside(self, when: str, expected: list[str]) -> None:
        outside = '[[body]]\nid = "z"\nname = { en = "z" }\ncircles = ["pool"]\nclient-of = ["a"]\n'
        text = agreement_text(PERMIT_ALL, rule("outside", ["give"], 'consent = "originator"', when), outside)
        assert codes(text) == expected

    def test_an_act_along_registries_is_not_dead(self) -> None:
        registries = "".join(
            f'[[registry]]\nid = "{name}"\nclause = "rules"\nparty = "{name[0]}"\noffice = "Registry {name}"\n{under}'
            for name, under in (("a", ""), ("b", 'under = "a"\n'))
        )
        along = rule("tree", ["give", "hand-over"], "registries = true")
        permit = rule("give", ["give", "hand-over"], "permits = true")
        assert codes(agreement_text(permit, along, registries)) == []
        narrow = rule("give", ["give"], "permits = true", 'body = ["Elsewhere"]')
        assert codes(agreement_text(narrow, rule("tree", ["give"], "registries = true"), registries)) == [
            "permit-dead rules"
        ]

    def test_a_party_on_the_way_gives_directly(self) -> None:
        route = '[route]\nclause = "rules"\nvia = ["b"]\n'
        given = rule("give", ["give"], "permits = true", 'acting = ["b"]')
        assert codes(agreement_text(given, route, parties=("a", "b", "c"))) == []

    def test_a_rule_that_never_applies_to_one_of_its_acts(self) -> None:
        """Whoever opens is of the side that acts; to somebody of the other side one may only give."""
        text = agreement_text(
            PERMIT_ALL, rule("half", ["give", "open"], "forbids = true", 'recipient = ["a"], acting = ["b"]')
        )
        assert [(each.code, each.weight) for each in found(text)] == [("never-applies", "doubt")]
        assert "to open" in found(text)[0].says

    @pytest.mark.parametrize(
        "killer",
        [
            rule("no", ["give"], "forbids = true"),
            rule("no", ["give"], "forbids = true", 'form = ["oral", "visual", "electronic", "magnetic"]')
            + rule("nor", ["give"], "forbids = true", 'form = ["documentary", "equipment", "technology"]'),
            rule("no", ["give"], 'methods = ["burn"]') + rule("nor", ["give"], 'methods = ["shred"]'),
            rule("no", ["give"], "forbids = true", unless='recipient = ["third"]')
            + '[[body]]\nid = "third"\nname = { en = "x" }\n',
        ],
    )
    def test_a_permit_that_never_permits(self, killer: str) -> None:
        given = rule("give", ["give"], "permits = true", 'recipient = ["a", "b"]')
        assert codes(agreement_text(given, killer)) == ["permit-dead rules"]

    def test_a_permit_for_people_whom_no_ladder_can_clear(self) -> None:
        text = agreement_text(
            rule("give", ["give"], "permits = true", 'beneficiary = ["third-party"]', 'recipient = ["a", "b"]'),
            rule("cleared", ["give"], 'requires = ["clearance"]'),
        )
        assert codes(text) == ["permit-dead rules"]
        assert "clearance-missing (small rules)" in found(text)[0].says

    def test_a_permit_that_a_layer_kills(self) -> None:
        text = agreement_text(rule("give", ["give"], "permits = true"))
        layer = layer_text(rule("no", ["give"], "forbids = true", cites="own"))
        assert codes(text) == []
        assert codes(text, layer) == ["permit-dead rules"]
        domestic = layer_text(rule("no", ["give"], "forbids = true", cites="own"), kind="domestic", owner="a")
        assert codes(text, domestic) == []

    def test_a_permit_that_ends_is_dead_only_where_something_stands_against_it_until_then(self) -> None:
        given = rule("give", ["give"], 'permits = true\nuntil = "2028-01-01T00:00Z"')
        no = rule("no", ["give"], "forbids = true")
        assert codes(agreement_text(given)) == []
        assert codes(agreement_text(given, f'{no}since = "2028-01-01T00:00Z"\n')) == []
        assert codes(agreement_text(given, f'{no}until = "2029-01-01T00:00Z"\n')) == ["permit-dead rules"]

    def test_a_permit_that_waits_for_a_consent_is_not_dead(self) -> None:
        text = agreement_text(
            rule("give", ["give"], "permits = true"), rule("ask", ["give"], 'consent = "every-party"')
        )
        assert codes(text) == []

    def test_an_unchecked_permit(self) -> None:
        def unread(*more: str) -> str:
            return agreement_text(rule("k", ["give"], "permits = true", cites="unread"), clause("unread", "K"), *more)

        assert [(each.code, each.weight) for each in found(unread())] == [
            ("permit-unchecked", "wrong"),
            ("clause-unused", "note"),
        ]
        read = found(unread(rule("give", ["give"], "permits = true")))
        assert [(each.code, each.weight) for each in read] == [("permit-unchecked", "note")]

    def test_a_rule_on_an_act_that_nothing_permits(self) -> None:
        text = agreement_text(
            rule("give", ["give"], "permits = true"),
            rule("care", ["give", "open"], 'requires = ["need-to-know"]'),
            rule("more", ["copy"], "copies = 3"),
            rule("never", ["return"], "forbids = true"),
        )
        assert [(each.code, each.weight, each.says.split("'")[1]) for each in found(text)] == [
            ("rule-on-nothing", "doubt", "more"),
            ("rule-on-nothing", "note", "care"),
            ("rule-on-nothing", "note", "never"),
        ]


def test_a_checklist_that_no_rule_asks_for() -> None:
    listed = (
        '[[checklist]]\nid = "c"\nclause = "rules"\nbound-to = "item"\nattested-by = "either"\nconditions = ["rules"]\n'
    )
    assert codes(agreement_text(PERMIT_ALL, listed)) == ["checklist-unasked rules"]
    assert codes(agreement_text(PERMIT_ALL, listed, rule("r", ["give"], 'checklist = "c"'))) == []


def basis(lender: str, between: tuple[str, ...] = ("a", "b")) -> str:
    written = ", ".join(f'"{each}"' for each in between)
    return f'[[protection-basis]]\nclause = "rules"\nagreement = "{lender}"\nbetween = [{written}]\n'


class TestBorrowedProtection:
    def test_from_a_text_that_is_not_there(self) -> None:
        assert codes(agreement_text(PERMIT_ALL, basis("elsewhere"))) == ["basis-not-here rules"]

    def test_from_an_agreement_of_others(self) -> None:
        lender = agreement_text(PERMIT_ALL, name="lender", parties=("a", "c"))
        borrower = agreement_text(PERMIT_ALL, basis("lender"))
        found = lint([(source(borrower), ()), (source(lender, "lender.toml"), ())], tzdata="x")
        assert [(each.code, each.file) for each in found if each.weight != "note"] == [
            ("basis-not-theirs", "small.toml")
        ]

    def placed(self, *bases: tuple[str, str]) -> list[Placed]:
        texts = {name: agreement_text(PERMIT_ALL, basis(lender), name=name) for name, lender in bases}
        return [Placed(parse_agreement(text, f"{name}.toml"), text, f"{name}.toml") for name, text in texts.items()]

    def test_in_a_circle_is_refused_with_its_line(self) -> None:
        read = self.placed(("one", "two"), ("two", "three"), ("three", "two"))
        with pytest.raises(Rejected) as refused:
            check_together(read)
        assert (refused.value.code, refused.value.place.split(":")[0]) == ("basis-cycle", "three.toml")
        line = int(refused.value.place.split(":")[1])
        assert read[2].text.splitlines()[line - 1] == 'agreement = "two"'
        assert "two → three → two" in refused.value.sentence
        assert "clause 'rules' of 'three'" in refused.value.sentence

    def test_from_itself_is_a_circle(self) -> None:
        with pytest.raises(Rejected, match="one → one"):
            check_together(self.placed(("one", "one")))

    def test_in_a_chain_it_is_in_order(self) -> None:
        check_together(self.placed(("one", "two"), ("two", "three"), ("three", "elsewhere")))

    def test_two_texts_of_one_id(self) -> None:
        one = self.placed(("one", "two"))[0]
        with pytest.raises(Rejected, match="is also the id") as refused:
            check_together([one, one])
        assert refused.value.code == "duplicate-agreement"


class TestTheCommand:
    def test_findings_end_with_six_and_notes_with_zero(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["agreement", "lint", "jp-kr-2016"]) == 6
        assert "doubt  ambiguous-mark\n  jp-kr-2016.toml:109  Article 4.2 of jp-kr-2016\n" in capsys.readouterr().out
        fine = tmp_path / "fine.toml"
        fine.write_text(agreement_text(PERMIT_ALL, clause("explained")), encoding="utf-8")
        assert main(["agreement", "lint", str(fine)]) == 0
        assert "1 note" in capsys.readouterr().out

    def test_as_json(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["agreement", "lint", "jp-kr-2016", "--layer", "house", "--json"]) == 6
        told = json.loads(capsys.readouterr().out)
        assert (told["agreements"], told["layers"]) == (["jp-kr-2016"], ["comity-house"])
        assert [each["code"] for each in told["findings"][:3]] == ["round-trip", "round-trip", "ambiguous-mark"]
        weights = [WEIGHTS.index(each["weight"]) for each in told["findings"]]
        assert weights == sorted(weights)

    def test_a_layer_that_stands_on_nothing_named(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        (tmp_path / "layer.toml").write_text(layer_text(on="elsewhere"), encoding="utf-8")
        assert main(["agreement", "lint", "jp-kr-2016", "--layer", str(tmp_path / "layer.toml")]) == 1
        assert "stands on 'elsewhere', which is not named" in capsys.readouterr().err

    def test_a_circle_is_refused(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        for name, lender in (("one", "two"), ("two", "one")):
            text = agreement_text(PERMIT_ALL, basis(lender), name=name)
            (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
        assert main(["agreement", "lint", *(str(tmp_path / f"{each}.toml") for each in ("one", "two"))]) == 4
        assert "two.toml:" in capsys.readouterr().err


def test_the_layers_of_the_library_stand_where_they_say() -> None:
    read = source(TREATY, "jp-kr-2016.toml")
    assert isinstance(read.text, Agreement)
    for layer in LAYERS:
        assert layer_source(layer, read.text).text.clauses


class TestResponse:
    """What follows on two histories (``spec/contradictions.md`` 30 to 33)."""

    @staticmethod
    def response(*says: str, cites: str = "rules") -> str:
        written = ", ".join(f'"{each}"' for each in says)
        return f'[response]\nclause = "{cites}"\ntwo-histories = [{written}]\n'

    def test_a_freeze_that_no_text_asks_to_talk_about(self) -> None:
        text = agreement_text(PERMIT_ALL, self.response("freeze"))
        (one,) = [each for each in found(text) if each.code == "freezes-unsettled"]
        assert (one.weight, one.clause) == ("doubt", "rules")
        assert text.splitlines()[one.line - 1] == 'two-histories = ["freeze"]'

    @pytest.mark.parametrize("says", [("freeze", "consult"), ("alarm",), ("consult",)])
    def test_what_is_talked_about_or_stops_nothing(self, says: tuple[str, ...]) -> None:
        assert "freezes-unsettled rules" not in codes(agreement_text(PERMIT_ALL, self.response(*says)))

    def test_a_layer_can_ask_for_the_talk_or_stop_everything(self) -> None:
        talk = layer_text(self.response("consult", cites="own"))
        assert "freezes-unsettled rules" not in codes(agreement_text(PERMIT_ALL, self.response("freeze")), talk)
        stop = layer_text(self.response("freeze", cites="own"))
        assert "freezes-unsettled own" in codes(agreement_text(PERMIT_ALL), stop)

    def test_an_act_that_is_none_is_refused_with_its_line(self) -> None:
        text = agreement_text(PERMIT_ALL, self.response("shout"))
        with pytest.raises(Rejected, match="'shout' is not a word for 'two-histories'") as caught:
            found(text)
        line = int(caught.value.place.rpartition(":")[2])
        assert text.splitlines()[line - 1] == 'two-histories = ["shout"]'
