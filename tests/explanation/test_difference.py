"""Parameters, and how two agreements differ (``spec/explanation.md`` steps 5 to 7)."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.agreement.load import parse_agreement, parse_layer
from comity.agreement.model import Agreement, Layer
from comity.explanation.difference import Change, Difference, difference
from comity.explanation.parameters import NAMES, parameters
from explanation.test_voice import AGREEMENT, HANGUL, KANA_OR_HAN, LAYERS, read

TEXT = read("jp-kr-2016")
ARRANGEMENT, HOUSE = LAYERS
SHOWN_ON = 'acts = ["show"]\nwhen = { holder = "recipient" }\nrequires = ["clearance", "need-to-know"]'


def draft(*changes: tuple[str, str]) -> Agreement:
    text = TEXT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return parse_agreement(text, "draft.toml")


def against(*changes: tuple[str, str]) -> Difference:
    return difference((AGREEMENT, ()), (draft(*changes), ()))


def value(key: str, *layers: Layer) -> list[str]:
    return [told.text for each in parameters(AGREEMENT, layers) if each.key == key for told in each.values]


# What treaty.md, section 2.4, says of the agreement of 2016, by parameter.
KNOWN = {
    "legal-force": ["treaty"],
    "scope": ["defence"],
    "levels": [
        "Government of Japan: 極秘, 特定秘密, 秘",
        "Government of the Republic of Korea: 군사 Ⅱ급 비밀, 군사 Ⅲ급 비밀",
    ],
    "ceiling": ["up to SECRET", "never crosses: 機密", "never crosses: 군사 Ⅰ급 비밀"],
    "mapping": ["jp: 極秘 or 特定秘密 = kr: 군사 Ⅱ급 비밀", "jp: 秘 = kr: 군사 Ⅲ급 비밀"],
    "forms": ["oral, visual, electronic, magnetic, documentary, equipment and technology"],
    "route": ["directly"],
    "protection-basis": [],
    "entry": ["on the later of the parties' notices"],
    "duration": ["1 year"],
    "renewal": ["by itself, for the same time again"],
    "notice": [
        "90 days, in writing, through the diplomatic channel, counted back from the day of renewal or counted back "
        "from the last day of the term",
        "When a party wants to end the agreement, any party gives notice, before the act; it is owed to every party.",
    ],
    "survival": ["what was provided stays protected", "When the agreement ends, every party goes on protecting."],
    "approvals": [],
    "copies": [],
    "visits": [
        "Before visiting, a party attests for each item what is listed under “Visits to sites” (8).",
        "When somebody wants to visit, the visiting authority asks for the visit; it is owed to the host authority.",
        "When a visit is permitted, the host authority tells the site what may be shown.",
    ],
    "dispute": [
        "Settled only by consultation between the parties; meanwhile what was already provided stays protected."
    ],
}


class TestParameters:
    """(5)"""

    @pytest.mark.parametrize("key", KNOWN)
    def test_what_is_known_of_the_agreement_is_read_from_its_file(self, key: str) -> None:
        assert value(key) == KNOWN[key]

    def test_each_value_says_what_it_rests_on(self) -> None:
        notice = next(each for each in parameters(AGREEMENT) if each.key == "notice")
        assert [(told.clause, told.provenance) for told in notice.values] == [("21.3", "P")] * 2
        ceiling = next(each for each in parameters(AGREEMENT) if each.key == "ceiling")
        assert [told.provenance for told in ceiling.values] == ["P", "K", "K"]

    def test_a_layer_adds_to_them_under_its_own_name(self) -> None:
        assert value("visits", ARRANGEMENT)[0] == "a visit is asked for: 21 days ahead"
        loss = next(each for each in parameters(AGREEMENT, (ARRANGEMENT,)) if each.key == "loss")
        hours = next(told for told in loss.values if "24 hours" in told.text)
        assert (hours.text, hours.instrument, hours.clause) == ("tells: within 24 hours", ARRANGEMENT.id, "2.1")
        assert value("approvals", HOUSE) != []

    def test_they_are_called_by_the_language(self) -> None:
        japanese = parameters(AGREEMENT, LAYERS, "ja")
        assert all(KANA_OR_HAN.search(each.name) for each in japanese)
        assert not any(HANGUL.search(told.text) for each in japanese for told in each.values if each.key == "loss")
        assert [each.key for each in japanese] == list(NAMES)

    def test_they_are_read_by_what_rules_say_and_not_by_their_ids(self) -> None:
        other = draft(('id = "third-party"\nclause', 'id = "x"\nclause'))
        texts = [[[told.text for told in each.values] for each in parameters(text)] for text in (AGREEMENT, other)]
        assert texts[0] == texts[1]

    @pytest.mark.parametrize("layers", [(), LAYERS], ids=["alone", "with layers"])
    def test_every_rule_and_every_duty_stands_under_some_parameter(self, layers: tuple[Layer, ...]) -> None:
        found = parameters(AGREEMENT, layers)
        told = {told.subject for each in found for told in each.values}
        homes = (AGREEMENT, *layers)
        assert {row.id for home in homes for row in (*home.rules, *home.obligations)} <= told
        assert found[-1].values == ()  # each under a name

    def test_a_rule_that_no_parameter_knows_stands_under_the_last(self) -> None:
        found = parameters(draft((SHOWN_ON, SHOWN_ON.partition("requires")[0] + "witnesses = 1")))
        assert [told.subject for told in found[-1].values] == ["access-when-shown-on"]


def one(found: Difference, table: str = "rule") -> Change:
    (change,) = (each for each in found.changes if each.table == table)
    return change


class TestDifference:
    def test_the_same_text_does_not_differ(self) -> None:
        found = difference((AGREEMENT, LAYERS), (AGREEMENT, LAYERS))
        assert found.same
        assert found.changes == ()

    def test_a_parameter_is_the_same_under_another_clause(self) -> None:
        """(6)"""
        found = against(('survival-clause = "21.4"\n', ""))
        assert all(each.same for each in found.parameters)
        assert one(found, "term").keys[0].key == "survival-clause"
        assert not found.same

    def test_a_changed_rule_is_told_before_and_now(self) -> None:
        """(7)"""
        found = against(('acts = ["give", "show"]\nwhen = { recip', 'acts = ["give"]\nwhen = { recip'))
        change = one(found)
        assert (change.id, change.how, change.first_clause, change.second_clause) == ("give", "changed", "4.1", "4.1")
        assert change.first.startswith("Giving and showing are allowed")
        assert change.second.startswith("Giving is allowed")
        assert [(key.key, key.first, key.second) for key in change.keys] == [("acts", '["give", "show"]', '["give"]')]

    def test_a_rule_under_another_id_is_renamed(self) -> None:
        change = one(against(('id = "storage"', 'id = "keep"')))
        assert (change.how, change.id) == ("renamed", "storage → keep")

    def test_a_rule_under_another_clause_is_changed(self) -> None:
        change = one(against(('id = "use"\nclause = "6.c"', 'id = "use"\nclause = "7.2"')))
        assert (change.first_clause, change.second_clause) == ("6.c", "7.2")
        assert [key.key for key in change.keys] == ["clause"]

    def test_keys_of_tables_within_tables_are_told_by_their_path(self) -> None:
        found = against(('period = "P90D"', 'period = "P6M"'))
        assert [(key.key, key.first, key.second) for key in one(found, "term").keys] == [
            ("notice.period", '"P90D"', '"P6M"')
        ]
        assert [each.key for each in found.parameters if not each.same] == ["notice"]

    def test_what_is_in_one_only(self) -> None:
        rule = '[[rule]]\nid = "inspect"\nclause = "18"\nacts = ["inspect"]\npermits = true\n\n'
        gone = one(against((rule, "")))
        assert (gone.how, gone.id, gone.first_clause, gone.second) == ("removed", "inspect", "18", "")
        back = one(difference((draft((rule, "")), ()), (AGREEMENT, ())))
        assert (back.how, back.first, back.second) == ("added", "", "Inspecting is allowed.")

    def test_a_layer_is_compared_with_the_layer_of_its_name(self) -> None:
        found = difference((AGREEMENT, ()), (AGREEMENT, (HOUSE,)))
        assert {(change.layer, change.how) for change in found.changes} == {("comity-house", "added")}
        stricter = parse_layer(read("house").replace("approvals = 1", "approvals = 2"), "house.toml", AGREEMENT)
        found = difference((AGREEMENT, (HOUSE,)), (AGREEMENT, (stricter,)))
        assert (one(found).layer, one(found).id, one(found).how) == ("comity-house", "two-people", "changed")

    def test_a_level_and_an_equivalence_are_known_by_their_marks(self) -> None:
        found = against(("crosses = false", 'ladder = "top"\ncrosses = false'))
        assert one(found, "level").id == "jp 機密"
        found = against(('kr = ["군사 Ⅱ급 비밀"] }', 'kr = ["군사 Ⅱ급 비밀"] }\npreferred = { jp = "極秘" }'))
        assert one(found, "equivalence").id == "jp: 極秘, 特定秘密 = kr: 군사 Ⅱ급 비밀"
        assert [key.key for key in one(found, "equivalence").keys] == ["preferred.jp"]

    @given(st.data())
    @settings(max_examples=25, deadline=None)
    def test_it_is_the_same_the_other_way_round(self, data: st.DataObject) -> None:
        """What is added one way is removed the other; a rule that is taken out is found."""
        gone = data.draw(st.sets(st.sampled_from([rule.id for rule in AGREEMENT.rules]), max_size=5))
        kept = tuple(rule for rule in AGREEMENT.rules if rule.id not in gone)
        other = msgspec.structs.replace(AGREEMENT, rules=kept)
        there = difference((AGREEMENT, ()), (other, ()))
        back = difference((other, ()), (AGREEMENT, ()))
        assert {change.id for change in there.changes if change.how == "removed"} == gone
        assert {change.id for change in back.changes if change.how == "added"} == gone
        assert [each.same for each in there.parameters] == [each.same for each in back.parameters]
