"""The way a thing takes, borrowed protection, circles, registries, offices and duties on some items only.

Words that agreements other than that of 2016 need (``spec/agreement.md`` steps 4 and 6), decided on a small text.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from comity.agreement.intervals import goes_by_level, interval
from comity.agreement.load import parse_agreement, parse_layer
from comity.api import Agreement, Trial
from comity.errors import Rejected

TEXT = """
[agreement]
format = 1
id = "three"
version = "1"
kind = "test"
legal-force = "none"
authentic = "this text"
title = { en = "Three" }

[[party]]
id = "a"
kind = "state"
name = { en = "A" }
timezone = "UTC"

[[party]]
id = "hub"
kind = "state"
name = { en = "Hub" }
timezone = "UTC"

[[party]]
id = "b"
kind = "state"
name = { en = "B" }
timezone = "UTC"

[[body]]
id = "client"
name = { en = "A client of B" }
client-of = ["b"]
circles = ["community"]

[[body]]
id = "neighbour"
name = { en = "Somebody of the community" }
circles = ["community", "others"]

[[body]]
id = "stranger"
name = { en = "A stranger" }

[[clause]]
id = "1"
heading = { en = "All" }
says = "All of it."
provenance = "P"

[[clause]]
id = "2"
heading = { en = "More" }
says = "More of it."
provenance = "P"

[scope]
clause = "1"

[[level]]
party = "all"
mark = "HIGH"
rank = 2
english = "HIGH"
clause = "1"

[[level]]
party = "all"
mark = "LOW"
rank = 1
english = "LOW"
clause = "1"

[[rule]]
id = "all"
clause = "1"
acts = ["give", "show", "open", "pass-on", "destroy", "hand-over"]
permits = true

[term]
clause = "1"
entry = "on-signature"
timezone = "UTC"
"""
ROUTE = '[route]\nclause = "2"\nvia = ["hub"]\n'
BASES = """
[[protection-basis]]
clause = "2"
agreement = "a-hub"
between = ["a", "hub"]

[[protection-basis]]
clause = "2"
agreement = "hub-b"
between = ["hub", "b"]
"""
TREE = """
[[registry]]
id = "central"
clause = "2"
party = "a"
office = "Central Registry"

[[registry]]
id = "sub"
clause = "2"
party = "b"
office = "Sub-registry"
under = "central"

[[registry]]
id = "point"
clause = "2"
party = "b"
office = "Control point"
under = "sub"
serves = ["Some desk"]
"""
HEAD = """
[casebook]
format = 1
agreement = "three"
at = "2020-01-01"

[[person]]
id = "of-b"
party = "b"

[[person]]
id = "of-hub"
party = "hub"

[[item]]
id = "high"
originator = "a"
mark = "HIGH"

[[item]]
id = "low"
originator = "a"
mark = "LOW"
"""


def rule(effect: str, acts: str = '"pass-on"', when: str = "", unless: str = "") -> str:
    limits = "".join(f"{key} = {{ {value} }}\n" for key, value in (("when", when), ("unless", unless)) if value)
    return f'\n[[rule]]\nid = "r"\nclause = "2"\nacts = [{acts}]\n{limits}{effect}\n'


def case(act: str, expect: str, to: str = "of-b", item: str = "low", **more: str) -> str:
    said = "".join(f"{key.replace('_', '-')} = {value}\n" for key, value in more.items())
    return f'act = "{act}"\nitem = "{item}"\nto = "{to}"\nexpect = "{expect}"\n{said}'


@pytest.fixture
def tried(tmp_path: Path) -> Any:
    def run(text: str, *cases: str, who: str = "", thorough: bool = False) -> Trial:
        agreement, book = tmp_path / "three.toml", tmp_path / "cases.toml"
        for name in ("a-hub", "hub-b"):
            other = text.partition(BASES)[0].replace('id = "three"', f'id = "{name}"')
            (tmp_path / f"{name}.toml").write_text(other.replace(ROUTE, ""), encoding="utf-8")
        agreement.write_text(text, encoding="utf-8")
        told = "".join(f'\n[[case]]\nid = "c-{number}"\n{each}' for number, each in enumerate(cases))
        book.write_text(HEAD + who + told, encoding="utf-8")
        return Agreement.load(agreement).try_cases(book, thorough=thorough)

    return run


def differs(trial: Trial) -> list[tuple[str, ...]]:
    return [line.differs for line in trial.lines if not line.agrees]


def refused(text: str) -> str:
    with pytest.raises(Rejected) as caught:
        parse_agreement(text, "x")
    return caught.value.code


class TestRoute:
    def test_between_others_it_goes_by_way_of_the_hub(self, tried: Any) -> None:
        assert not differs(
            tried(
                TEXT + ROUTE,
                case("give", "permit", via='["hub"]'),
                case("give", "forbidden", because='["2 wrong-route"]'),
                case("show", "forbidden", via='["b"]'),
            )
        )

    def test_what_the_hub_gets_or_gives_goes_directly(self, tried: Any) -> None:
        assert not differs(
            tried(
                TEXT + ROUTE,
                case("give", "permit", to="of-hub"),
                case("give", "permit", acting='"hub"'),
                case("give", "forbidden", to="of-hub", via='["hub"]', because='["2 not-direct"]'),
                case("give", "forbidden", acting='"hub"', via='["hub"]', because='["2 not-direct"]'),
            )
        )

    def test_an_opening_has_no_way(self, tried: Any) -> None:
        assert not differs(tried(TEXT + ROUTE, case("open", "permit")))


class TestBasis:
    STANDING = '{ "a-hub" = "in-force", "hub-b" = "in-force" }'

    def test_each_that_concerns_who_gives_and_who_gets_must_stand(self, tried: Any) -> None:
        lapsed = '{ "a-hub" = "in-force", "hub-b" = "none" }'
        missing = '["2 basis-missing"]'
        assert not differs(
            tried(
                TEXT + ROUTE + BASES,
                case("give", "permit", via='["hub"]', beside=self.STANDING),
                case("give", "no-basis", via='["hub"]', beside=lapsed, because=missing),
                case("give", "no-basis", acting='"hub"', beside=lapsed, because=missing),
                case("give", "no-basis", acting='"hub"', because=missing),
                case("give", "permit", to="of-hub", beside=lapsed),
            )
        )

    def test_for_what_was_given_protection_is_enough(self, tried: Any) -> None:
        text = (TEXT + BASES).replace(
            'timezone = "UTC"\n\n[[prot', 'timezone = "UTC"\nsurvival = "protection-continues"\n\n[[prot'
        )
        ended = '{ "a-hub" = "in-force", "hub-b" = "ended" }'
        assert not differs(
            tried(
                text,
                case("open", "permit", acting='"hub"', to="of-b", beside=ended),
                case("give", "no-basis", acting='"hub"', beside=ended),
            )
        )

    def test_deleting_one_is_noticed(self, tried: Any) -> None:
        one = case("give", "no-basis", acting='"hub"', because='["2"]', beside='{ "a-hub" = "in-force" }')
        assert "protection-basis hub-b" not in tried(TEXT + BASES, one, thorough=True).unnoticed


class TestCircles:
    WHO = "".join(
        f'\n[[person]]\nid = "{name}"\nparty = "{party}"\nserves = "{serves}"\n'
        for name, party, serves in (
            ("of-client", "client", "client"),
            ("of-neighbour", "neighbour", "neighbour"),
            ("of-stranger", "stranger", "stranger"),
            ("mixed", "neighbour", "stranger"),
            ("both", "neighbour", "client"),
        )
    )

    def test_within_the_circle_it_is_free(self, tried: Any) -> None:
        text = TEXT + rule(
            'consent = "originator"', when='beneficiary = ["third-party"]', unless='circle = ["community"]'
        )
        assert not differs(
            tried(
                text,
                case("pass-on", "permit", to="of-client"),
                case("pass-on", "permit", to="of-neighbour"),
                case("pass-on", "permit", to="both"),
                case("pass-on", "needs-consent", to="of-stranger"),
                case("pass-on", "needs-consent", to="mixed"),
                who=self.WHO,
            )
        )

    def test_clients_are_those_of_who_acts(self, tried: Any) -> None:
        text = TEXT + rule("forbids = true", when='beneficiary = ["third-party"]', unless="client = true")
        assert not differs(
            tried(
                text,
                case("pass-on", "permit", to="of-client", acting='"b"'),
                case("pass-on", "forbidden", to="of-client", acting='"hub"'),
                case("pass-on", "forbidden", to="both", acting='"b"'),
                case("open", "permit"),
                who=self.WHO,
            )
        )

    def test_a_party_is_nobodys_client_and_in_no_circle(self, tried: Any) -> None:
        text = TEXT + rule("forbids = true", acts='"open"', when='circle = ["community"]')
        assert not differs(tried(text, case("open", "permit")))

    def test_what_nothing_defines_is_a_mistake(self) -> None:
        assert refused(TEXT + rule("forbids = true", when='circle = ["comunity"]')) == "unknown-circle"
        assert refused(TEXT.replace('client-of = ["b"]', 'client-of = ["c"]')) == "unknown-party"
        without = TEXT.replace('client-of = ["b"]\n', "")
        assert refused(without + rule("forbids = true", when="client = true")) == "no-clients"


class TestRegistries:
    WHO = "".join(
        f'\n[[person]]\nid = "at-{name}"\nparty = "b"\nbody = "{office}"\n'
        for name, office in (("sub", "Sub-registry"), ("point", "Control point"), ("desk", "Some desk"))
    )
    TEXT = TEXT + TREE + rule("registries = true", '"give", "hand-over"', when='level-at-least = "HIGH"')

    def test_it_goes_from_one_to_the_next_and_no_further(self, tried: Any) -> None:
        def going(act: str, office: str, to: str, expect: str, item: str = "high") -> str:
            return case(act, expect, to=to, item=item, office=f'"{office}"')

        assert not differs(
            tried(
                self.TEXT,
                going("give", "Central Registry", "at-sub", "permit"),
                going("give", "Central Registry", "at-point", "forbidden"),
                going("give", "Central Registry", "at-desk", "forbidden"),
                going("give", "Plans", "at-sub", "forbidden"),
                going("hand-over", "Sub-registry", "at-point", "permit"),
                going("hand-over", "Control point", "at-sub", "permit"),
                going("hand-over", "Sub-registry", "at-sub", "permit"),
                going("hand-over", "Control point", "at-desk", "permit"),
                going("hand-over", "Some desk", "at-point", "permit"),
                going("hand-over", "Sub-registry", "at-desk", "forbidden"),
                going("hand-over", "Some desk", "at-desk", "forbidden"),
                going("give", "Plans", "at-desk", "permit", item="low"),
                who=self.WHO,
            )
        )

    @pytest.mark.parametrize(
        ("old", "new", "code"),
        [
            ('under = "central"', 'under = "centre"', "unknown-registry"),
            ('office = "Central Registry"', 'office = "Central Registry"\nunder = "point"', "cycle"),
            ('office = "Control point"', 'office = "Sub-registry"', "duplicate-id"),
            ('id = "point"', 'id = "sub"', "duplicate-id"),
            ('serves = ["Some desk"]', 'serves = ["Sub-registry"]', "registry-served"),
            ('party = "a"\noffice', 'party = "c"\noffice', "unknown-party"),
            (TREE, "", "missing-key"),
            ("registries = true", "registries = false", "unknown-word"),
        ],
    )
    def test_a_mistake(self, old: str, new: str, code: str) -> None:
        assert old in self.TEXT
        assert refused(self.TEXT.replace(old, new, 1)) == code


class TestConsentForTheItemItself:
    CONSENT = '\n[[consent]]\nid = "given"\nby = "a"\nitem = "low"\nact = "give"\nbeneficiary = "b"\n'

    def test_a_standing_consent_does_not_do(self, tried: Any) -> None:
        text = TEXT + rule('consent = "originator"\nper-item = true', acts='"give"', when='holder = "recipient"')
        given = {"acting": '"hub"', "given": '["given"]'}
        standing = self.CONSENT + "standing = true\n"
        assert not differs(tried(text, case("give", "permit", **given), who=self.CONSENT))
        assert not differs(tried(text, case("give", "needs-consent", **given), who=standing))
        usual = text.replace("\nper-item = true", "")
        assert not differs(tried(usual, case("give", "permit", **given), who=standing))

    def test_the_word_goes_with_a_consent(self) -> None:
        assert refused(TEXT + rule("forbids = true\nper-item = true")) == "rule-effect"
        assert refused(TEXT + rule('consent = "originator"\napproved-by = "originating-office"')) == "rule-effect"


class TestOffice:
    TEXT = TEXT + rule('approvals = 1\napproved-by = "originating-office"', acts='"give"')
    WHO = (
        '\n[[item]]\nid = "theirs"\nlike = "low"\noffice = "Fisheries"\n'
        '\n[[person]]\nid = "there"\nparty = "a"\nbody = "Fisheries"\n'
        '\n[[person]]\nid = "elsewhere"\nparty = "a"\nbody = "Transport"\n'
    )

    def test_somebody_where_it_originated_approves(self, tried: Any) -> None:
        missing = '["2 office-approval-missing"]'
        assert not differs(
            tried(
                self.TEXT,
                case("give", "permit", item="theirs", approved_by='["there"]'),
                case("give", "needs-consent", item="theirs", because=missing),
                case("give", "needs-consent", item="theirs", approved_by='["elsewhere"]', because=missing),
                case("give", "needs-consent", item="theirs", approved_by='["there"]', requester='"there"'),
                case("give", "needs-consent", item="low", approved_by='["there"]'),
                who=self.WHO,
            )
        )


class TestDutiesOnSomeItems:
    TEXT = TEXT + (
        '\n[[obligation]]\nid = "tell"\nclause = "2"\non = "destroyed"\nwho = "recipient"\nact = "notify"\n'
        'to = "originator"\nevidence = "x"\nwhen = { level-at-least = "HIGH" }\n'
    )

    def test_only_of_those_it_speaks_of(self, tried: Any) -> None:
        events = '\n[[event]]\nid = "e"\non = "destroyed"\nitem = "low"\nduties = []\n'
        assert not differs(
            tried(
                self.TEXT,
                case("destroy", "permit", item="high", duties='["tell"]'),
                case("destroy", "permit", item="low", duties="[]") + events,
            )
        )

    def test_it_speaks_of_what_an_item_is(self) -> None:
        assert refused(self.TEXT.replace('level-at-least = "HIGH"', 'holder = "recipient"')) == "unknown-condition"
        assert refused(self.TEXT.replace('level-at-least = "HIGH"', 'level = ["HIHG"]')) == "unknown-mark"
        assert refused(self.TEXT.replace('when = { level-at-least = "HIGH" }', "when = {}")) == "empty-table"


class TestIntervalsOfALevel:
    @staticmethod
    def interval(of: str, more: str = "") -> str:
        return f'\n[[interval]]\nof = "{of}"\nclause = "2"\nlength = "P1Y"\n{more}\n'

    def test_one_for_all_and_one_for_the_highest(self) -> None:
        text = TEXT + self.interval("inventory") + self.interval("inventory", 'level-at-least = "HIGH"')
        assert len(parse_agreement(text, "x").intervals) == 2

    def test_one_of_a_level_binds_whoever_has_items_of_it(self) -> None:
        text = parse_agreement(TEXT + self.interval("inventory", 'level-at-least = "HIGH"'), "x")
        assert interval(text, (), "inventory", "a") is None
        assert interval(text, (), "inventory", "a", ["LOW"]) is None
        found = interval(text, (), "inventory", "a", ["LOW", "HIGH"])
        assert found is not None
        assert (found.length, found.clause) == ("P1Y", "2")
        assert goes_by_level(text, (), "inventory")
        assert not goes_by_level(text, (), "visit-lead")

    def test_a_mistake(self) -> None:
        level = 'level-at-least = "HIGH"'
        assert refused(TEXT + self.interval("inventory", level) * 2) == "duplicate-id"
        assert refused(TEXT + self.interval("visit-lead", level)) == "interval-level"
        assert refused(TEXT + self.interval("inventory", 'level-at-least = "HIHG"')) == "unknown-mark"


def test_a_layer_speaks_of_registries_only_where_there_are_some() -> None:
    head = '[layer]\nformat = 1\nid = "l"\nversion = "1"\nkind = "house"\ntitle = { en = "L" }\n'
    clause = '[[clause]]\nid = "2"\nheading = { en = "x" }\nsays = "x"\nprovenance = "P"\n'
    text = head + clause + rule("registries = true", '"give"').replace('clause = "2"', 'clause = "2"')
    with_tree = parse_agreement(
        (TEXT + TREE).replace('id = "2"', 'id = "22"').replace('clause = "2"', 'clause = "22"'), "x"
    )
    assert parse_layer(text, "l", with_tree).rules[0].registries
    with pytest.raises(Rejected) as caught:
        parse_layer(text, "l", parse_agreement(TEXT.replace('id = "2"', 'id = "22"'), "x"))
    assert caught.value.code == "missing-key"
