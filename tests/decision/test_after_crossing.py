"""What rules say of information that has crossed: recalls, incidents, methods, witnesses, declassification."""

from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import replace

from comity.agreement.load import parse_layer
from comity.decision.compiled import Compiled, compile_agreement
from comity.decision.counterfactual import what_would_change
from comity.decision.model import Case, Facility, Forbidden, NeedsConsent, NoBasis, Permit, Witness
from comity.decision.replay import case_bytes, read_case
from comity.decision.wording import missing_wording, sentence
from comity.errors import Rejected
from comity.marking.label import Label
from decision.cases import (
    AGREEMENT,
    GIVE,
    HOUSE,
    ITEM,
    NEXT_YEAR,
    OPEN,
    TZDATA,
    against,
    asked,
    consent,
    layer,
    with_facts,
    with_item,
    with_person,
)

DESTROY = with_item(replace(OPEN, act="destroy"), form="electronic")
"""Of how what is electronic is destroyed the agreement itself says nothing, checked or not."""
DECLASSIFIED = replace(ITEM.label, mark="")


def under(rule: str, *, kind: str = "arrangement") -> Compiled:
    """The agreement with a layer of one rule."""
    text = f'[[rule]]\nid = "r"\nclause = "a"\n{rule}\n'
    return compile_agreement(AGREEMENT, [HOUSE, layer(text, kind=kind)], tzdata=TZDATA)


class TestRecallAndSuspicion:
    @pytest.mark.parametrize("word", ["recalled", "suspected"])
    def test_a_rule_may_forbid_what_is_recalled_or_suspected_and_nothing_else(self, word: str) -> None:
        compiled = under(f'acts = ["open", "translate"]\nwhen = {{ {word} = true }}\nforbids = true')
        touched = with_item(OPEN, **{word: True})
        assert isinstance(asked(touched, compiled), Forbidden)
        assert [(each.step, each.instrument, each.clause) for each in against(asked(touched, compiled))] == [
            (10, "law", "a")
        ]
        other = "suspected" if word == "recalled" else "recalled"
        for case in (OPEN, with_item(OPEN, **{other: True}), replace(touched, act="use-for")):
            assert isinstance(asked(case, compiled), Permit)
        assert isinstance(asked(touched), Permit)  # no agreement says so by itself

    @pytest.mark.parametrize("act", ["copy", "translate", "extract", "pass-on", "give", "show"])
    def test_the_house_makes_nothing_more_of_what_is_recalled(self, act: str) -> None:
        case = replace(GIVE if act in {"give", "show"} else OPEN, act=act)
        decision = asked(with_item(case, recalled=True))
        assert isinstance(decision, Forbidden)
        assert [(each.instrument, each.clause) for each in against(decision)] == [("comity-house", "recalled")]
        assert isinstance(asked(case), Permit)

    @pytest.mark.parametrize("act", ["open", "return", "destroy"])
    def test_what_is_recalled_can_be_looked_at_returned_and_destroyed(self, act: str) -> None:
        assert isinstance(asked(with_item(replace(OPEN, act=act), recalled=True)), Permit)

    def test_a_rule_may_speak_of_what_is_not_recalled(self) -> None:
        compiled = under('acts = ["open"]\nwhen = { recalled = false }\nforbids = true')
        assert isinstance(asked(OPEN, compiled), Forbidden)
        assert isinstance(asked(with_item(OPEN, recalled=True), compiled), Permit)

    def test_unless_may_speak_of_it_too(self) -> None:
        compiled = under('acts = ["destroy"]\nunless = { recalled = true }\napprovals = 2')
        case = with_facts(DESTROY, approvals=())
        assert isinstance(asked(case, compiled), NeedsConsent)
        assert isinstance(asked(with_item(case, recalled=True), compiled), Permit)

    @pytest.mark.parametrize("word", ["recalled", "suspected"])
    def test_an_ancestor_that_is_touched_holds_up_its_child(self, word: str) -> None:
        compiled = under(f'acts = ["open"]\nwhen = {{ {word} = true }}\nforbids = true')
        grandchild = replace(ITEM, id="item-2", relation="copy", lineage=(replace(ITEM, id="item-0", **{word: True}),))
        case = with_item(OPEN, relation="translation", lineage=(grandchild,))
        (reason,) = against(asked(case, compiled))
        assert (reason.step, reason.clause, reason.parameters) == (18, "a", ("item-0", "10", "r"))

    def test_an_unchecked_clause_only_warns(self) -> None:
        compiled = compile_agreement(
            AGREEMENT,
            [
                parse_layer(
                    '[layer]\nformat = 1\nid = "law"\nversion = "1"\nkind = "house"\ntitle = { en = "x" }\n'
                    '[[clause]]\nid = "a"\nheading = { en = "x" }\nsays = "x"\nprovenance = "K"\n'
                    '[[rule]]\nid = "r"\nclause = "a"\nacts = ["open"]\nwhen = { recalled = true }\nforbids = true\n'
                    '[[rule]]\nid = "m"\nclause = "a"\nacts = ["open"]\nmethods = ["burn"]\n'
                    '[[rule]]\nid = "w"\nclause = "a"\nacts = ["open"]\nwitnesses = 1\n',
                    "law.toml",
                    AGREEMENT,
                )
            ],
            tzdata=TZDATA,
        )
        decision = asked(with_item(OPEN, recalled=True), compiled)
        assert isinstance(decision, Permit)
        assert [(each.step, each.effect) for each in against(decision)] == [(10, "warns"), (10, "warns"), (17, "warns")]


class TestMethods:
    """(10)"""

    COMPILED = under('acts = ["destroy"]\nwhen = { form = ["electronic"] }\nmethods = ["burn", "shred"]')

    def test_a_method_that_is_named_holds_and_says_so(self) -> None:
        decision = asked(replace(DESTROY, method="shred"), self.COMPILED)
        assert isinstance(decision, Permit)
        (reason,) = [each for each in decision.reasons if each.code == "method-allowed"]
        assert (reason.instrument, reason.clause, sentence(reason)) == ("law", "a", "shred is one of the methods")

    @pytest.mark.parametrize(
        ("method", "says"),
        [
            ("overwrite", "overwrite is not one of the methods: burn, shred"),
            ("", "(none named) is not one of the methods: burn, shred"),
        ],
    )
    def test_any_other_or_none_is_forbidden(self, method: str, says: str) -> None:
        decision = asked(replace(DESTROY, method=method), self.COMPILED)
        assert isinstance(decision, Forbidden)
        (reason,) = against(decision)
        assert (reason.step, reason.code, sentence(reason)) == (10, "method-forbidden", says)

    def test_another_form_or_act_is_not_asked(self) -> None:
        assert isinstance(asked(with_item(DESTROY, form="equipment"), self.COMPILED), Permit)
        assert isinstance(asked(replace(DESTROY, act="return"), self.COMPILED), Permit)

    def test_of_two_rules_both_hold(self) -> None:
        two = layer(
            '[[rule]]\nid = "r"\nclause = "a"\nacts = ["destroy"]\nmethods = ["burn", "shred"]\n'
            '[[rule]]\nid = "s"\nclause = "a"\nacts = ["destroy"]\nmethods = ["shred", "pulp"]\n'
        )
        compiled = compile_agreement(AGREEMENT, [two], tzdata=TZDATA)
        outcomes = {each: type(asked(replace(DESTROY, method=each), compiled)) for each in ("burn", "shred", "pulp")}
        assert outcomes == {"burn": Forbidden, "shred": Permit, "pulp": Forbidden}


class TestWitnesses:
    """(17)"""

    COMPILED = under('acts = ["destroy"]\nwhen = { level-at-least = "SECRET" }\nwitnesses = 2')

    def witnessed(self, *by: str, request: str = "request-1") -> Case:
        return with_facts(DESTROY, witnesses=tuple(Witness(request=request, by=each) for each in by))

    def test_two_other_people_are_asked_and_say_so(self) -> None:
        decision = asked(self.witnessed("mori", "ono"), self.COMPILED)
        assert isinstance(decision, Permit)
        assert [each.parameters for each in decision.reasons if each.code == "witnessed"] == [("2", "2")]

    @pytest.mark.parametrize(
        "by",
        [(), ("mori",), ("mori", "mori"), ("mori", "sato")],
        ids=["none", "one", "one twice", "the requester"],
    )
    def test_fewer_are_not_enough(self, by: tuple[str, ...]) -> None:
        decision = asked(self.witnessed(*by), self.COMPILED)
        assert isinstance(decision, NeedsConsent)
        (reason,) = against(decision)
        assert (reason.step, reason.code, reason.clause, reason.effect) == (17, "witness-missing", "a", "needs")

    def test_witnesses_of_another_request_and_approvals_do_not_count(self) -> None:
        assert isinstance(asked(self.witnessed("mori", "ono", request="request-2"), self.COMPILED), NeedsConsent)
        assert isinstance(asked(DESTROY, self.COMPILED), NeedsConsent)  # it has an approval

    def test_below_the_level_none_is_asked(self) -> None:
        low = replace(ITEM.label, mark="군사 Ⅲ급 비밀")
        assert isinstance(asked(with_item(DESTROY, label=low), self.COMPILED), Permit)

    def test_what_is_missing_is_said_with_the_largest_number(self) -> None:
        effects = ("witnesses = 3", "witnesses = 1", "approvals = 2")
        rules = [f'[[rule]]\nid = "r{n}"\nclause = "a"\nacts = ["destroy"]\n{each}\n' for n, each in enumerate(effects)]
        more = layer("".join(rules))
        compiled = compile_agreement(AGREEMENT, [more], tzdata=TZDATA)
        missing = what_would_change(asked(with_facts(DESTROY, approvals=()), compiled), set()).missing
        assert [(each.kind, each.what) for each in missing] == [("approval", ("2",)), ("witness", ("3",))]
        assert missing_wording(missing)[1] == "people other than the requester witness it, 3 in all (law:a)"


class TestDeclassified:
    """(6)"""

    CASE = with_item(OPEN, label=DECLASSIFIED)

    def test_no_clearance_is_asked_and_a_reason_says_why(self) -> None:
        decision = asked(with_facts(with_person(self.CASE, clearance=None), facilities=()))
        assert isinstance(decision, Permit)
        assert not against(decision)
        assert {(6, "declassified"), (8, "no-mark-needed")} <= {(each.step, each.code) for each in decision.reasons}
        assert not {13, 16} & {each.step for each in decision.reasons}

    def test_need_consent_and_prohibitions_are_still_asked(self) -> None:
        assert isinstance(asked(with_person(self.CASE, need_to_know=())), NeedsConsent)
        assert isinstance(asked(replace(self.CASE, purpose="exercise")), NeedsConsent)
        limited = with_item(self.CASE, label=replace(DECLASSIFIED, releasable_to=("kr",)))
        assert isinstance(asked(limited), Forbidden)

    def test_of_somebody_of_no_party_none_is_asked_either(self) -> None:
        decision = asked(with_person(self.CASE, party="us", serves="us", nationality="us", clearance=None))
        assert {each.step for each in against(decision)} == {11}

    def test_it_cannot_be_given_as_classified_information(self) -> None:
        decision = asked(with_item(GIVE, label=DECLASSIFIED))
        assert isinstance(decision, NoBasis)
        assert [(each.step, each.code) for each in against(decision)] == [(6, "not-classified")]

    def test_what_holds_it_may_still_be_classified_and_given(self) -> None:
        case = with_item(GIVE, lineage=(replace(ITEM, id="item-0", label=DECLASSIFIED),), relation="contains")
        assert isinstance(asked(case), Permit)

    def test_what_holds_classified_information_cannot_be_declassified_alone(self) -> None:
        decision = asked(with_item(self.CASE, lineage=(replace(ITEM, id="item-0"),), relation="translation"))
        assert isinstance(decision, Forbidden)
        assert (18, "label-below-ancestor") in {(each.step, each.code) for each in against(decision)}

    def test_an_empty_mark_of_a_ladder_that_is_none_is_unknown(self) -> None:
        decision = asked(with_item(OPEN, label=Label(policy="us", mark="", originator="kr")))
        assert isinstance(decision, Forbidden)
        assert (6, "unknown-mark") in {(each.step, each.code) for each in against(decision)}

    @pytest.mark.parametrize("changes", [{"mark": ""}, {"site": "nagoya"}])
    def test_a_clearance_or_an_approval_of_a_site_without_a_mark_is_none(self, changes: dict[str, str]) -> None:
        facility = Facility(**{"site": "ichigaya", "party": "jp", "mark": "極秘", "until": NEXT_YEAR, **changes})
        decision = asked(with_facts(OPEN, facilities=(facility,)))
        assert [each.step for each in against(decision)] == [16]


class TestEarlierForm:
    """(22)"""

    CASE = with_facts(
        with_item(OPEN, lineage=(replace(ITEM, id="item-0", lineage=(replace(ITEM, id="item-9"),)),)),
        consents=(consent(),),
    )

    def second_form(self) -> bytes:
        return self.without(case_bytes(self.CASE), b',"office":""', b',"standing":false')

    def first_form(self) -> bytes:
        keys = (b',"recalled":false,"suspected":false', b',"witnesses":[]', b',"method":""', b',"copies":0')
        return self.without(self.second_form(), *keys)

    def without(self, written: bytes, *keys: bytes) -> bytes:
        for key in keys:
            assert key in written
            written = written.replace(key, b"")
        return written

    def test_a_case_of_an_earlier_version_is_read_as_it_was_written(self) -> None:
        assert read_case(self.first_form(), "1") == self.CASE
        assert read_case(self.second_form(), "2") == self.CASE

    def test_no_form_is_taken_for_another(self) -> None:
        forms = {"1": self.first_form(), "2": self.second_form(), "3": case_bytes(self.CASE)}
        for written, data in forms.items():
            for version in forms.keys() - {written}:
                with pytest.raises(Rejected) as raised:
                    read_case(data, version)
                assert raised.value.code == "not-canonical"

    def test_of_a_later_version_what_is_known_is_read(self) -> None:
        later = msgspec.json.encode({**msgspec.to_builtins(self.CASE), "weather": "fair"})
        assert read_case(later, "4") == self.CASE
