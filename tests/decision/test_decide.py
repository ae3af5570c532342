"""The steps of ``spec/decision.md`` under the agreement of 2016: each refusal with its article."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from comity.decision.compiled import compile_agreement
from comity.decision.model import (
    Acknowledgement,
    Approval,
    Case,
    Clearance,
    Facts,
    Forbidden,
    NeedsConsent,
    NoBasis,
    Permit,
    Reading,
    Standing,
)
from comity.errors import Misuse
from comity.marking.label import Label
from decision.cases import (
    AGREEMENT,
    APPROVAL,
    ASSURANCE,
    AT,
    COMPILED,
    CONTRACTOR,
    FIFTEEN,
    GIVE,
    HOUSE,
    ITEM,
    NEXT_YEAR,
    OPEN,
    SATO,
    TZDATA,
    against,
    asked,
    changed,
    cited,
    consent,
    layer,
    standing,
    with_facts,
    with_item,
    with_person,
)


class TestPermits:
    def test_a_give_is_permitted_for_reasons_that_cite_the_articles(self) -> None:
        decision = asked(GIVE)
        assert isinstance(decision, Permit)
        assert [(each.step, each.code, each.instrument, each.clause) for each in decision.reasons] == [
            (2, "in-force", "jp-kr-2016", "21.1"),
            (3, "acknowledged", "jp-kr-2016", ""),
            (4, "in-scope", "jp-kr-2016", "2.a"),
            (5, "form-covered", "jp-kr-2016", "2.a"),
            (6, "below-ceiling", "jp-kr-2016", "4.1"),
            (8, "equivalent", "jp-kr-2016", "4.2"),
            (9, "permitted", "jp-kr-2016", "4.1"),
            (12, "conditions-met", "jp-kr-2016", "7.5"),
            (17, "approved", "comity-house", "two-people"),
        ]

    @pytest.mark.parametrize("act", ["open", "use-for", "copy", "translate", "extract"])
    def test_access_is_permitted_to_the_cleared_who_need_it(self, act: str) -> None:
        decision = asked(replace(OPEN, act=act))
        assert isinstance(decision, Permit)
        assert {"7.1", "7.2"} <= {reason.clause for reason in decision.reasons}

    @pytest.mark.parametrize(("act", "acting"), [("reclassify", "kr"), ("return", "jp"), ("destroy", "jp")])
    def test_change_of_level_is_the_originators_and_return_the_recipients(self, act: str, acting: str) -> None:
        assert isinstance(asked(replace(GIVE, act=act, acting=acting)), Permit)
        other = asked(replace(GIVE, act=act, acting="jp" if acting == "kr" else "kr"))
        assert isinstance(other, NoBasis)

    def test_the_inputs_are_named(self) -> None:
        inputs = asked(GIVE).inputs
        assert (inputs.agreement, inputs.layers) == (AGREEMENT.digest, (HOUSE.digest,))
        assert (inputs.rule_version, inputs.tzdata) == ("3", TZDATA)

    def test_the_duties_are_those_whose_event_the_act_brings_about(self) -> None:
        assert [(duty.obligation, duty.who, duty.within) for duty in asked(GIVE).duties] == [
            ("o-4.2", "recipient", "at-receipt"),
            ("o-12", "carrier", ""),
        ]
        assert [duty.obligation for duty in asked(replace(OPEN, act="translate")).duties] == ["o-4.3"]


def test_nobody_is_not_everybody() -> None:
    """(1)"""
    decision = asked(replace(GIVE, recipients=()))
    assert isinstance(decision, Forbidden)
    assert (1, "no-recipients", "", "forbids") in cited(decision)


class TestForce:
    """(2)"""

    @pytest.mark.parametrize("force", [(), ("jp",), ("kr",)])
    def test_giving_needs_force_by_every_reading(self, force: tuple[str, ...]) -> None:
        decision = asked(with_facts(GIVE, standings=(standing(force=force),)))
        assert isinstance(decision, NoBasis)
        (reason,) = against(decision)
        assert (reason.step, reason.code, reason.clause) == (2, "not-in-force", "21.1")
        assert reason.parameters == tuple(party for party in ("jp", "kr") if party not in force)

    def test_a_party_that_gave_no_reading_does_not_count_as_agreeing(self) -> None:
        one = replace(standing(), readings=(Reading(party="jp", in_force=True, protection=True),) * 2)
        assert isinstance(asked(with_facts(GIVE, standings=(one,))), NoBasis)

    @pytest.mark.parametrize(
        ("protection", "outcome"), [(("jp",), Permit), (("kr",), Permit), (("jp", "kr"), Permit), ((), NoBasis)]
    )
    def test_opening_after_the_end_needs_protection_by_any_reading(
        self, protection: tuple[str, ...], outcome: type
    ) -> None:
        decision = asked(with_facts(OPEN, standings=(standing(force=(), protection=protection),)))
        assert isinstance(decision, outcome)
        assert decision.reasons[0].clause == "21.4"

    def test_without_a_standing_of_this_agreement_there_is_no_basis(self) -> None:
        other = replace(standing(), agreement="tisa-2014")
        assert isinstance(asked(with_facts(GIVE, standings=(other,))), NoBasis)
        assert isinstance(asked(with_facts(GIVE, standings=(other, standing()))), Permit)

    def test_several_standings_are_read_together(self) -> None:
        assert isinstance(asked(with_facts(GIVE, standings=(standing(), standing(force=("jp",))))), NoBasis)

    def test_what_is_contested_is_noted_and_does_not_refuse(self) -> None:
        readings = (
            Reading(party="jp", in_force=True, protection=True),
            Reading(party="kr", in_force=True, protection=True, contested=("how-it-can-be-ended",)),
        )
        decision = asked(with_facts(GIVE, standings=(replace(standing(), readings=readings),)))
        assert isinstance(decision, Permit)
        (note,) = against(decision)
        assert (note.code, note.effect, note.parameters) == ("contested", "notes", ("kr", "how-it-can-be-ended"))


class TestAcknowledgement:
    """(3)"""

    @pytest.mark.parametrize("silent", ["jp", "kr"])
    def test_giving_waits_until_each_party_has_acknowledged(self, silent: str) -> None:
        said = tuple(each for each in standing().acknowledgements if each.party != silent)
        for acknowledgements in (said, (*said, Acknowledgement(silent, "0" * 64))):
            case = with_facts(GIVE, standings=(replace(standing(), acknowledgements=acknowledgements),))
            decision = asked(case)
            assert isinstance(decision, NeedsConsent)
            assert [(each.code, each.parameters) for each in against(decision)] == [("not-acknowledged", (silent,))]

    def test_opening_does_not(self) -> None:
        assert isinstance(asked(with_facts(OPEN, standings=(replace(standing(), acknowledgements=()),))), Permit)


class TestScopeFormLevelRoute:
    """Steps 4 to 8."""

    def test_another_subject_is_not_covered(self) -> None:
        decision = asked(with_item(GIVE, subject="trade"))
        assert isinstance(decision, NoBasis)
        assert cited(decision) == [(4, "subject-outside", "2.a", "lacks")]

    def test_an_item_of_another_agreement_is_not_covered(self) -> None:
        assert cited(asked(with_item(GIVE, agreement="tisa-2014"))) == [(4, "another-agreement", "", "lacks")]

    def test_nobody_but_a_party_acts(self) -> None:
        assert (4, "not-a-party", "", "lacks") in cited(asked(replace(OPEN, acting="us")))

    def test_a_form_the_text_leaves_out_is_not_covered(self) -> None:
        compiled = compile_agreement(changed(', "equipment", "technology"]', "]"), tzdata=TZDATA)
        decision = asked(with_item(OPEN, form="equipment"), compiled)
        assert isinstance(decision, NoBasis)
        assert cited(decision)[0] == (5, "form-outside", "2.a", "lacks")

    @pytest.mark.parametrize(("policy", "mark"), [("kr", "군사 Ⅰ급 비밀"), ("jp", "機密")])
    def test_what_stands_above_the_ceiling_is_refused_never_mapped_down(self, policy: str, mark: str) -> None:
        decision = asked(with_item(GIVE, label=Label(policy=policy, mark=mark, originator=policy)))
        assert isinstance(decision, Forbidden)
        assert (6, "above-ceiling", "4.1", "forbids") in cited(decision)
        assert (8, "no-equivalent", "4.1", "forbids") in cited(decision)

    @pytest.mark.parametrize("mark", ["군사 II급 비밀", "SECRET", "極秘"])
    def test_a_mark_of_no_ladder_is_refused(self, mark: str) -> None:
        decision = asked(with_item(GIVE, label=Label(policy="kr", mark=mark, originator="kr")))
        assert isinstance(decision, Forbidden)
        assert (6, "unknown-mark", "", "forbids") in cited(decision)

    def test_a_mark_without_equivalent_is_refused(self) -> None:
        row = 'marks = { jp = ["秘"], kr = ["군사 Ⅲ급 비밀"] }'
        text = f'\n[[equivalence]]\nclause = "4.2"\n{row}\n'
        agreement = changed(text, "\n")
        label = Label(policy="kr", mark="군사 Ⅲ급 비밀", originator="kr")
        case = with_facts(with_item(GIVE, label=label), standings=(standing(digest=agreement.digest),))
        decision = asked(case, compile_agreement(agreement, tzdata=TZDATA))
        assert isinstance(decision, Forbidden)
        assert cited(decision) == [(8, "no-equivalent", "4.1", "forbids")]

    def test_many_to_one_gives_both_marks_on_the_way_back(self) -> None:
        (reason,) = [each for each in asked(GIVE).reasons if each.step == 8]
        assert reason.parameters == ("군사 Ⅱ급 비밀", "jp", "極秘", "特定秘密")

    def test_a_bilateral_agreement_goes_directly(self) -> None:
        decision = asked(replace(GIVE, via=("us",)))
        assert isinstance(decision, Forbidden)
        assert cited(decision) == [(7, "not-direct", "", "forbids")]

    def test_where_a_route_is_agreed_no_other_will_do(self) -> None:
        third = '[[party]]\nid = "us"\nkind = "state"\nname = { en = "x" }\ntimezone = "UTC"\n\n[scope]\nclause = "2.a"'
        agreement = changed('[scope]\nclause = "2.a"', f'[route]\nclause = "9"\nvia = ["us"]\n\n{third}')
        compiled = compile_agreement(agreement, tzdata=TZDATA)
        assert (7, "wrong-route", "9", "forbids") in cited(asked(GIVE, compiled))
        followed = asked(replace(GIVE, via=("us",)), compiled)
        assert [each.clause for each in followed.reasons if each.code == "route-followed"] == ["9"]


class TestThirdParties:
    """(11): Article 6(a)."""

    @pytest.mark.parametrize("act", ["open", "use-for", "copy", "translate", "extract", "pass-on", "give", "show"])
    def test_an_embedded_officer_of_a_third_country_needs_the_originators_consent(self, act: str) -> None:
        top = Clearance("機密", NEXT_YEAR)
        case = with_person(replace(GIVE, act=act, acting="jp"), serves="us", nationality="us", clearance=top)
        decision = asked(case)
        assert isinstance(decision, NeedsConsent)
        (reason,) = [each for each in against(decision) if each.step == 11]
        assert (reason.clause, reason.provenance) == ("6.a", "S")
        assert reason.parameters == ("kr", "item-1", act, "us", "missile-warning")

    def test_a_national_of_a_third_country_needs_it_though_he_serves_a_party(self) -> None:
        decision = asked(with_person(OPEN, nationality="us"))
        assert isinstance(decision, NeedsConsent)
        assert (11, "consent-missing", "6.a", "needs") in cited(decision)
        assert isinstance(asked(with_person(OPEN, nationality="")), NeedsConsent)

    def test_passing_on_to_a_third_country_needs_it(self) -> None:
        case = with_person(replace(OPEN, act="pass-on"), party="us", serves="us", nationality="us")
        assert isinstance(asked(case), NeedsConsent)
        given = asked(with_facts(case, consents=(consent(act="pass-on"),)))
        assert isinstance(given, Permit)

    def test_giving_to_a_third_country_has_no_basis_at_all(self) -> None:
        case = with_person(GIVE, party="us", serves="us", nationality="us")
        decision = asked(with_facts(case, consents=(consent(act="give"),)))
        assert isinstance(decision, NoBasis)

    def test_each_third_body_that_gains_is_asked_for(self) -> None:
        case = with_person(OPEN, serves="us", nationality="au")
        assert isinstance(asked(with_facts(case, consents=(consent(),))), NeedsConsent)
        assert isinstance(asked(with_facts(case, consents=(consent(), consent(beneficiary="au")))), Permit)

    @pytest.mark.parametrize(
        "changes",
        [
            {"by": "jp"},
            {"item": "item-2"},
            {"act": "copy"},
            {"beneficiary": "au"},
            {"purpose": "exercise"},
            {"until": AT},
            {"until": AT - timedelta(microseconds=1)},
        ],
    )
    def test_a_consent_counts_for_exactly_what_it_says(self, changes: dict[str, object]) -> None:
        case = with_person(OPEN, serves="us", nationality="us")
        assert isinstance(asked(with_facts(case, consents=(consent(),))), Permit)
        assert isinstance(asked(with_facts(case, consents=(consent(**changes),))), NeedsConsent)

    def test_a_consent_holds_until_the_instant_it_ends(self) -> None:
        case = with_person(OPEN, serves="us", nationality="us")
        last = consent(until=AT + timedelta(microseconds=1))
        assert isinstance(asked(with_facts(case, consents=(last,))), Permit)


def test_another_purpose_needs_the_originators_consent() -> None:
    """(11): Article 6(c)."""
    case = replace(OPEN, act="use-for", purpose="exercise")
    decision = asked(case)
    assert isinstance(decision, NeedsConsent)
    assert cited(decision) == [(11, "consent-missing", "6.c", "needs")]
    given = consent(act="use-for", beneficiary="jp", purpose="exercise")
    assert isinstance(asked(with_facts(case, consents=(given,))), Permit)


class TestAssurance:
    """(12): Article 7.5."""

    @pytest.mark.parametrize("part", ["7.5.a", "7.5.b", "7.5.c"])
    def test_each_of_the_three_parts_is_asked_by_name(self, part: str) -> None:
        parts = tuple(each for each in ASSURANCE.conditions if each != part)
        decision = asked(with_facts(GIVE, attestations=(replace(ASSURANCE, conditions=parts),)))
        assert isinstance(decision, NeedsConsent)
        assert cited(decision) == [(12, "condition-missing", part, "needs")]

    @pytest.mark.parametrize(
        "changes",
        [{"item": "item-2"}, {"item": ""}, {"about": "abe"}, {"by": "kr"}, {"until": AT}, {"checklist": "contractor"}],
    )
    def test_it_is_bound_to_item_and_recipient_and_is_the_recipients_word(self, changes: dict[str, object]) -> None:
        decision = asked(with_facts(GIVE, attestations=(replace(ASSURANCE, **changes),)))
        assert isinstance(decision, NeedsConsent)
        assert [clause for _, _, clause, _ in cited(decision)] == ["7.5.a", "7.5.b", "7.5.c"]

    def test_its_parts_may_come_one_by_one(self) -> None:
        parts = tuple(replace(ASSURANCE, conditions=(part,)) for part in ASSURANCE.conditions)
        assert isinstance(asked(with_facts(GIVE, attestations=parts)), Permit)


class TestContractors:
    """(12): Article 16."""

    CASE = with_facts(with_person(OPEN, employer="contractor", site="kobe"), attestations=(CONTRACTOR,))

    def test_a_contractor_with_all_fifteen_conditions_may_open(self) -> None:
        assert isinstance(asked(self.CASE), Permit)

    @pytest.mark.parametrize("condition", FIFTEEN)
    def test_each_of_the_fifteen_refuses_alone_and_is_named(self, condition: str) -> None:
        rest = tuple(each for each in FIFTEEN if each != condition)
        decision = asked(with_facts(self.CASE, attestations=(replace(CONTRACTOR, conditions=rest),)))
        assert isinstance(decision, NeedsConsent)
        assert cited(decision) == [(12, "condition-missing", condition, "needs")]

    def test_without_any_all_fifteen_are_named_in_order(self) -> None:
        decision = asked(with_facts(self.CASE, attestations=()))
        assert [clause for _, _, clause, _ in cited(decision)] == list(FIFTEEN)

    def test_another_sites_conditions_do_not_count(self) -> None:
        assert isinstance(asked(with_person(self.CASE, site="nagoya")), NeedsConsent)


class TestPersons:
    """Steps 13 to 16: Article 7."""

    def test_clearance_alone_never_opens(self) -> None:
        decision = asked(
            with_person(OPEN, need_to_know=(), clearance=Clearance("機密", NEXT_YEAR), function="minister")
        )
        assert isinstance(decision, NeedsConsent)
        assert cited(decision) == [
            (14, "need-to-know-missing", "7.1", "needs"),
            (14, "need-to-know-missing", "7.2", "needs"),
        ]

    def test_an_item_on_no_list_is_open_to_nobody(self) -> None:
        assert isinstance(asked(with_item(OPEN, need_to_know=())), NeedsConsent)

    @pytest.mark.parametrize(
        ("clearance", "code"),
        [
            (None, "clearance-missing"),
            (Clearance("極秘", AT), "clearance-ended"),
            (Clearance("秘", NEXT_YEAR), "clearance-too-low"),
            (Clearance("군사 Ⅱ급 비밀", NEXT_YEAR), "clearance-unknown"),
        ],
    )
    def test_need_alone_never_opens(self, clearance: Clearance | None, code: str) -> None:
        decision = asked(with_person(OPEN, clearance=clearance))
        assert isinstance(decision, NeedsConsent)
        assert cited(decision) == [(13, code, "7.2", "needs")]

    @pytest.mark.parametrize("mark", ["極秘", "特定秘密", "機密"])
    def test_any_mark_at_or_above_the_equivalent_clears(self, mark: str) -> None:
        assert isinstance(asked(with_person(OPEN, clearance=Clearance(mark, NEXT_YEAR))), Permit)

    def test_a_translator_is_cleared_by_article_15_too(self) -> None:
        decision = asked(with_person(replace(OPEN, act="translate"), clearance=None))
        assert [clause for step, _, clause, _ in cited(decision) if step == 13] == ["7.2", "15"]

    def test_a_category_asks_for_its_briefing(self) -> None:
        case = with_item(OPEN, label=replace(ITEM.label, categories=("atomic", "space")))
        decision = asked(with_person(case, briefed=("space",)))
        assert isinstance(decision, NeedsConsent)
        assert [(each.step, each.parameters) for each in against(decision)] == [(15, ("atomic",))]
        assert isinstance(asked(with_person(case, briefed=("space", "atomic"))), Permit)

    @pytest.mark.parametrize(("field", "value"), [("party", "kr"), ("serves", "kr")])
    def test_a_release_list_holds_whom_the_person_belongs_to_and_serves(self, field: str, value: str) -> None:
        case = with_item(OPEN, label=replace(ITEM.label, releasable_to=("jp",)))
        assert isinstance(asked(case), Permit)
        decision = asked(with_person(case, **{field: value}))
        assert isinstance(decision, Forbidden)
        assert (10, "not-releasable", "", "forbids") in cited(decision)

    def test_a_clause_that_is_not_checked_warns_and_never_refuses(self) -> None:
        decision = asked(with_facts(OPEN, facilities=()))
        assert isinstance(decision, Permit)
        (warning,) = against(decision)
        assert (warning.clause, warning.provenance, warning.effect) == ("11", "K", "warns")

    def test_the_same_clause_once_checked_refuses(self) -> None:
        old = 'existence [P] WS13, where 16(k) refers to it; the content [K]"'
        agreement = changed(f'provenance = "K"\nsource = "{old}', 'provenance = "P"\nsource = "read"')
        decision = asked(with_facts(OPEN, facilities=()), compile_agreement(agreement, tzdata=TZDATA))
        assert isinstance(decision, NeedsConsent)
        assert [each.clause for each in against(decision)] == ["11"]


class TestApprovals:
    """(17)"""

    @pytest.mark.parametrize(
        "approvals", [(), (Approval(request="request-2", by="lee"),), (Approval(request="request-1", by="kim"),)]
    )
    def test_somebody_else_has_approved_this_request(self, approvals: tuple[Approval, ...]) -> None:
        decision = asked(with_facts(GIVE, approvals=approvals))
        assert isinstance(decision, NeedsConsent)
        (reason,) = against(decision)
        assert (reason.step, reason.instrument, reason.clause) == (17, "comity-house", "two-people")

    def test_two_approvals_are_two_people(self) -> None:
        rule = '[[rule]]\nid = "r"\nclause = "a"\nacts = ["give"]\napprovals = 2\n'
        compiled = compile_agreement(AGREEMENT, [layer(rule, kind="arrangement")], tzdata=TZDATA)
        assert isinstance(asked(with_facts(GIVE, approvals=(APPROVAL, APPROVAL)), compiled), NeedsConsent)
        second = Approval(request="request-1", by="park")
        assert isinstance(asked(with_facts(GIVE, approvals=(APPROVAL, second)), compiled), Permit)


class TestLayers:
    def test_a_domestic_layer_refuses_for_its_own_party_only_and_cites_itself(self) -> None:
        rule = '[[rule]]\nid = "r"\nclause = "a"\nacts = ["open"]\nwhen = { form = ["documentary"] }\nforbids = true\n'
        compiled = compile_agreement(AGREEMENT, [layer(rule), HOUSE], tzdata=TZDATA)
        decision = asked(OPEN, compiled)
        assert isinstance(decision, Forbidden)
        (reason,) = against(decision)
        assert (reason.step, reason.instrument, reason.clause) == (10, "law", "a")
        assert isinstance(asked(replace(OPEN, acting="kr"), compiled), Permit)
        assert isinstance(asked(with_item(OPEN, form="visual"), compiled), Permit)

    def test_unless_takes_a_case_out(self) -> None:
        rule = (
            '[[rule]]\nid = "r"\nclause = "a"\nacts = ["open"]\nwhen = { level-at-least = "CONFIDENTIAL" }\n'
            'unless = { function = ["analyst"], form = ["documentary"] }\nforbids = true\n'
        )
        compiled = compile_agreement(AGREEMENT, [layer(rule)], tzdata=TZDATA)
        assert isinstance(asked(OPEN, compiled), Permit)
        assert isinstance(asked(with_person(OPEN, function="driver"), compiled), Forbidden)
        assert isinstance(asked(with_item(OPEN, form="visual"), compiled), Forbidden)

    def test_an_arrangement_puts_a_number_to_a_duty_and_is_cited_for_it(self) -> None:
        body = '[[deadline]]\nobligation = "o-4.2"\nclause = "a"\nwithin = "PT24H"\n'
        compiled = compile_agreement(AGREEMENT, [layer(body, kind="arrangement")], tzdata=TZDATA)
        duty = asked(GIVE, compiled).duties[0]
        assert (duty.instrument, duty.obligation, duty.within, duty.limit_from) == (
            "jp-kr-2016",
            "o-4.2",
            "PT24H",
            "law:a",
        )

    def test_layers_that_cannot_stand_together_are_a_misuse(self) -> None:
        with pytest.raises(Misuse, match="same id"):
            compile_agreement(AGREEMENT, [HOUSE, HOUSE], tzdata=TZDATA)
        with pytest.raises(Misuse, match="stands on"):
            compile_agreement(replace(AGREEMENT, header=replace(AGREEMENT.header, id="x")), [layer("")], tzdata=TZDATA)


class TestLineage:
    """(18)"""

    @staticmethod
    def with_ancestor(**changes: object) -> Case:
        ancestor = replace(ITEM, id="item-0", **changes)
        return with_item(OPEN, lineage=(ancestor,), relation="contains")

    def test_an_ancestor_with_nothing_more_to_ask_changes_nothing(self) -> None:
        assert isinstance(asked(self.with_ancestor()), Permit)

    def test_an_ancestor_above_the_persons_clearance_holds(self) -> None:
        case = with_person(self.with_ancestor(), clearance=Clearance("秘", NEXT_YEAR))
        low = with_item(case, label=Label(policy="jp", mark="秘", originator="jp"), relation="extract")
        decision = asked(low)
        assert isinstance(decision, NeedsConsent)
        assert [(each.step, each.code, each.parameters[:2]) for each in against(decision)] == [
            (18, "clearance-too-low", ("item-0", "13"))
        ]

    def test_a_document_is_not_marked_below_what_it_contains(self) -> None:
        low = with_item(self.with_ancestor(), label=Label(policy="jp", mark="秘", originator="jp"))
        decision = asked(low)
        assert isinstance(decision, Forbidden)
        assert (18, "label-below-ancestor", "", "forbids") in cited(decision)

    def test_the_ancestors_originator_is_asked_not_the_childs(self) -> None:
        case = with_item(self.with_ancestor(), label=Label(policy="jp", mark="極秘", originator="jp"))
        third = with_person(case, serves="us", nationality="us")
        missing = [each.parameters for each in against(asked(third)) if each.code == "consent-missing"]
        assert [parameters[-5] for parameters in missing] == ["jp", "kr"]
        assert isinstance(asked(with_facts(third, consents=(consent(by="jp"),))), NeedsConsent)
        assert isinstance(asked(with_facts(third, consents=(consent(by="jp"), consent()))), Permit)

    def test_an_ancestor_of_an_ancestor_counts(self) -> None:
        oldest = replace(ITEM, id="item-a", purpose="exercise")
        decision = asked(self.with_ancestor(lineage=(oldest,)))
        assert isinstance(decision, NeedsConsent)
        assert [each.parameters[0] for each in against(decision)] == ["item-a"]

    def test_an_ancestor_of_an_agreement_not_at_hand_leaves_no_basis(self) -> None:
        decision = asked(self.with_ancestor(agreement="jp-us-2007"))
        assert isinstance(decision, NoBasis)
        assert cited(decision) == [(18, "agreement-unknown", "", "lacks")]

    def test_an_ancestor_is_weighed_under_its_own_agreement(self) -> None:
        text = 'id = "jp-kr-2016"'
        other = changed(text, 'id = "jp-us-2007"')
        beside = compile_agreement(other, tzdata=TZDATA)
        second = replace(standing(), agreement="jp-us-2007")
        case = with_facts(self.with_ancestor(agreement="jp-us-2007"), standings=(standing(), second))
        decision = asked(case, beside=(beside,))
        assert isinstance(decision, Permit)
        assert decision.inputs.beside == (other.digest,)
        elsewhere = asked(replace(case, purpose="exercise"), beside=(beside,))
        assert {each.instrument for each in against(elsewhere)} == {"jp-kr-2016", "jp-us-2007"}

    def test_a_lineage_shared_many_times_over_is_weighed_once(self) -> None:
        item = replace(ITEM, id="item-0")
        for number in range(1, 60):
            item = replace(ITEM, id=f"item-{number}", lineage=(item, item), relation="copy")
        assert isinstance(asked(with_facts(with_item(OPEN, lineage=(item,)), attestations=())), Permit)

    def test_there_is_a_bound_on_ancestors(self) -> None:
        lineage = tuple(replace(ITEM, id=f"item-{number}") for number in range(10_001))
        with pytest.raises(Misuse, match="more than 10000 ancestors"):
            asked(with_item(OPEN, lineage=lineage))


class TestOutcome:
    """(19)"""

    def test_without_a_rule_that_permits_there_is_no_basis(self) -> None:
        rule = 'id = "open"\nclause = "7.2"\nacts = ["{}"]'
        compiled = compile_agreement(changed(rule.format("open"), rule.format("return")), tzdata=TZDATA)
        decision = asked(OPEN, compiled)
        assert isinstance(decision, NoBasis)
        assert cited(decision) == [(9, "nothing-permits", "", "lacks")]

    def test_an_unchecked_clause_is_no_basis(self) -> None:
        open_rule = 'id = "open"\nclause = "7.2"'
        compiled = compile_agreement(changed(open_rule, 'id = "open"\nclause = "14"'), tzdata=TZDATA)
        decision = asked(OPEN, compiled)
        assert isinstance(decision, NoBasis)
        assert cited(decision) == [(9, "nothing-permits", "", "lacks"), (9, "permit-unchecked", "14", "warns")]

    def test_refusal_wins_over_no_basis_and_that_over_what_is_missing(self) -> None:
        missing = with_person(OPEN, clearance=None)
        lacking = with_item(missing, subject="trade")
        refused = with_item(lacking, label=replace(ITEM.label, releasable_to=("kr",)))
        assert [type(asked(each)) for each in (OPEN, missing, lacking, refused)] == [
            Permit,
            NeedsConsent,
            NoBasis,
            Forbidden,
        ]

    def test_all_steps_are_taken_whatever_the_first_ones_found(self) -> None:
        nothing = with_facts(
            with_person(GIVE, serves="us", nationality="us"), standings=(), attestations=(), approvals=()
        )
        steps = {each.step for each in against(asked(with_item(nothing, subject="trade")))}
        assert {2, 3, 4, 11, 12, 17} <= steps

    def test_one_recipient_who_may_not_holds_up_all(self) -> None:
        both = replace(OPEN, recipients=(SATO, replace(SATO, pseudonym="smith", serves="us", nationality="us")))
        decision = asked(both)
        assert isinstance(decision, NeedsConsent)
        assert {each.about for each in against(decision)} == {"smith"}


def test_an_instant_that_is_not_in_utc_is_a_misuse() -> None:
    from zoneinfo import ZoneInfo

    with pytest.raises(Misuse, match="not in UTC"):
        replace(OPEN, at=AT.astimezone(ZoneInfo("Asia/Seoul")))
    with pytest.raises(Misuse, match="not in UTC"):
        Clearance("極秘", AT.replace(tzinfo=None))


def test_an_empty_case_answers_all_the_same() -> None:
    bare = Case(
        request="", act="open", item=ITEM, purpose="", requester="", acting="", recipients=(), at=AT, facts=Facts()
    )
    assert isinstance(asked(bare), Forbidden)
    empty = Standing(agreement="jp-kr-2016", readings=(), acknowledgements=())
    assert COMPILED.order(asked(with_facts(bare, standings=(empty,))).reasons[0])[0] == 1
