"""The steps of `spec/decision.md`, each adding its reasons: 2 to 7 for an item, 8 to 16 for one recipient, 17 for all.

Rules of this file:

- The number in a comment is the number of the step.
- A step whose reason stands ready only appends it; this is where a decision spends its time.
- Reasons come out in canonical order unless a function says that they may not.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from comity.agreement.vocabulary import ACCESS_ACTS, GIVING_ACTS
from comity.decision.compiled import Compiled, LevelFacts
from comity.decision.model import Attestation, Case, Facility, Item, Person, Reason, Standing
from comity.decision.plan import BoundRule, Citation, Plan

_NO_ITEM: tuple[str, ...] = ("",)


def weigh_item(compiled: Compiled, case: Case, item: Item, reasons: list[Reason]) -> bool:
    """Steps 2 to 7; false when the reasons may not be in canonical order."""
    add = reasons.append
    act = case.act
    giving = act in GIVING_ACTS
    standings = [each for each in case.facts.standings if each.agreement == compiled.id]
    ordered = _weigh_force(compiled, standings, giving, reasons)  # (2)

    if giving:  # (3) every party holds this very file for its model of what was agreed
        digest = compiled.digest
        said = [ack.party for each in standings for ack in each.acknowledgements if ack.digest == digest]
        if compiled.parties.issubset(said):
            add(compiled.acknowledged)
        else:
            silent = sorted(compiled.parties.difference(said))
            reasons += [compiled.bare(3, "not-acknowledged", "needs", party) for party in silent]

    subjects, purposes, categories = compiled.subjects, compiled.purposes, compiled.categories
    label = item.label
    if (  # (4) what the agreement covers
        (subjects is None or item.subject in subjects)
        and (purposes is None or case.purpose in purposes)
        and (categories is None or categories.issuperset(label.categories))
        and item.agreement == compiled.id
        and (case.acting in compiled.parties or item is not case.item)
    ):
        add(compiled.in_scope)
    else:
        reasons += _outside_scope(compiled, case, item)
        ordered = False

    if compiled.forms is None or item.form in compiled.forms:  # (5)
        add(compiled.form_covered)
    else:
        cites = compiled.scope_of_forms
        add(cites.reason(5, "form-outside", cites.fails, "", item.form))

    level = compiled.levels.get((label.policy, label.mark))  # (6)
    add(level.reason if level else compiled.bare(6, "unknown-mark", "forbids", label.mark, label.policy))

    if case.via == compiled.via:  # (7)
        if compiled.route is not None:
            add(compiled.route.reason(7, "route-followed", "holds", "", *case.via))
    elif giving or act == "pass-on":
        add(_wrong_route(compiled, case))
    return ordered


def weigh_person(compiled: Compiled, case: Case, item: Item, person: Person, plan: Plan, reasons: list[Reason]) -> bool:
    """Steps 8 to 16 for one recipient; false when the reasons may not be in canonical order."""
    add = reasons.append
    label = item.label
    about = person.pseudonym
    level = compiled.levels.get((label.policy, label.mark))
    if level is not None and (crossing := level.crossings.get(person.party)) is not None:
        add(crossing.reason)  # (8)
        rank = crossing.rank
    else:
        rank = 0
    ordered = plan.ordered
    reasons += plan.basis  # (9), (10)
    allowed = label.releasable_to
    if allowed and (person.party not in allowed or person.serves not in allowed):
        add(Reason(10, "not-releasable", compiled.id, "", "", "forbids", about, allowed))
        ordered = False
    if plan.consents:
        ordered = _weigh_consents(compiled, case, item, person, plan.consents, reasons) and ordered  # (11)
    for bound in plan.checklists:
        _weigh_checklist(compiled, case, item, person, bound, reasons)  # (12)
    if item is not case.item and person.party not in compiled.parties:
        return ordered  # no ladder of the ancestor's agreement measures this person; the item's own does
    at = case.at
    if plan.clearance:  # (13)
        code, held = _clearance(compiled, person, rank, at)
        for cites in plan.clearance:
            add(_checked(cites, 13, code, held, about, label.mark))
    if plan.need_to_know:  # (14)
        held = not set(item.need_to_know).isdisjoint(person.need_to_know)
        code = "need-to-know" if held else "need-to-know-missing"
        for cites in plan.need_to_know:
            add(_checked(cites, 14, code, held, about))
    if label.categories and case.act in ACCESS_ACTS:  # (15)
        for category in label.categories:
            if category not in person.briefed:
                add(Reason(15, "category-missing", compiled.id, "", "", "needs", about, (category,)))
    if plan.briefing:
        held = compiled.id in person.briefed
        for cites in plan.briefing:
            add(_checked(cites, 15, "briefed" if held else "briefing-missing", held, about))
    if plan.facility:  # (16)
        held = any(_holds_site(compiled, each, person, rank, at) for each in case.facts.facilities)
        code = "facility-approved" if held else "facility-missing"
        for cites in plan.facility:
            add(_checked(cites, 16, code, held, about, person.site))
    return ordered


def weigh_approvals(case: Case, rules: Iterable[BoundRule], reasons: list[Reason]) -> None:
    """Step 17: enough people other than the requester have approved this request."""
    approvers = {each.by for each in case.facts.approvals if each.request == case.request and each.by != case.requester}
    for bound in rules:
        wanted = bound.rule.approvals or 0
        held = len(approvers) >= wanted
        code = "approved" if held else "approval-missing"
        reasons.append(_checked(bound.cites, 17, code, held, "", str(wanted), str(len(approvers))))


def _checked(cites: Citation, step: int, code: str, held: bool, about: str, *parameters: str) -> Reason:
    effect = "holds" if held else cites.fails
    return Reason(step, code, cites.instrument, cites.clause, cites.provenance, effect, about, parameters)


def _weigh_force(compiled: Compiled, standings: list[Standing], giving: bool, reasons: list[Reason]) -> bool:
    if not standings:
        reasons.append(compiled.bare(2, "standing-unknown", "lacks"))
        return True
    readings = standings[0].readings if len(standings) == 1 else [r for each in standings for r in each.readings]
    quiet = True
    against = []
    protected = False
    for reading in readings:
        quiet = quiet and not reading.contested
        protected = protected or reading.protection
        if not reading.in_force:
            against.append(reading.party)
    if giving:
        silent = compiled.parties.difference([reading.party for reading in readings])
        if against or silent:
            cites = compiled.force
            parties = sorted(silent.union(against))
            reasons.append(cites.reason(2, "not-in-force", "lacks", "", *parties))
        else:
            reasons.append(compiled.in_force)
    elif protected:
        reasons.append(compiled.protected)
    else:
        reasons.append(compiled.survival.reason(2, "not-protected", "lacks", ""))
    if quiet:
        return True
    for reading in readings:
        if reading.contested:
            parameters = (reading.party, *sorted(reading.contested))
            reasons.append(compiled.force.reason(2, "contested", "notes", "", *parameters))
    return False


def _outside_scope(compiled: Compiled, case: Case, item: Item) -> list[Reason]:
    outside = []
    scope = compiled.scope
    if item.agreement != compiled.id:
        outside.append(compiled.bare(4, "another-agreement", "lacks", item.agreement))
    if case.acting not in compiled.parties and item is case.item:
        outside.append(compiled.bare(4, "not-a-party", "lacks", case.acting))
    if compiled.subjects is not None and item.subject not in compiled.subjects:
        outside.append(scope.reason(4, "subject-outside", scope.fails, "", item.subject))
    if compiled.categories is not None and not compiled.categories.issuperset(item.label.categories):
        unknown = sorted(set(item.label.categories) - compiled.categories)
        outside.append(scope.reason(4, "category-unknown", scope.fails, "", *unknown))
    if compiled.purposes is not None and case.purpose not in compiled.purposes:
        cites = compiled.scope_of_purposes
        outside.append(cites.reason(4, "purpose-outside", cites.fails, "", case.purpose))
    return outside


def _wrong_route(compiled: Compiled, case: Case) -> Reason:
    if compiled.route is None:
        return compiled.bare(7, "not-direct", "forbids", *case.via)
    cites = compiled.route
    return cites.reason(7, "wrong-route", cites.fails, "", *compiled.via)


def _weigh_consents(
    compiled: Compiled, case: Case, item: Item, person: Person, rules: Iterable[BoundRule], reasons: list[Reason]
) -> bool:
    gains = third_bodies(compiled, person) or (person.serves,)
    items = (item.id, case.item.id)
    single = len(gains) == 1
    for bound in rules:
        everyone = bound.rule.consent == "every-party"
        single = single and not everyone
        for by in compiled.party_ids if everyone else (item.label.originator,):
            for beneficiary in gains:
                held = any(
                    each.by == by
                    and each.beneficiary == beneficiary
                    and each.act == case.act
                    and each.item in items
                    and each.purpose == case.purpose
                    and case.at < each.until
                    for each in case.facts.consents
                )
                code = "consent-given" if held else "consent-missing"
                wanted = (by, item.id, case.act, beneficiary, case.purpose)
                reasons.append(_checked(bound.cites, 11, code, held, person.pseudonym, *wanted))
    return single


def third_bodies(compiled: Compiled, person: Person) -> tuple[str, ...]:
    """The bodies other than the parties that gain when this person does, in ascending order."""
    third = {each for each in (person.party, person.serves) if each not in compiled.parties}
    if compiled.nations and person.nationality not in compiled.nations:
        third.add(person.nationality)
    return tuple(sorted(third))


def _weigh_checklist(
    compiled: Compiled, case: Case, item: Item, person: Person, bound: BoundRule, reasons: list[Reason]
) -> None:
    checklist = bound.checklist
    assert checklist is not None  # plan_for puts only rules with a checklist here
    about, items = {
        "item-and-recipient": (person.pseudonym, (item.id, case.item.id)),
        "item": (item.id, _NO_ITEM),
        "site": (person.site, _NO_ITEM),
        "party": (person.party, _NO_ITEM),
    }[checklist.bound_to]
    attesters = {
        "recipient": (person.party,),
        "originator": (item.label.originator,),
        "either": compiled.party_ids,
    }[checklist.attested_by]
    attested: set[str] = set()
    for each in case.facts.attestations:
        if _counts(each, checklist.id, about, items, attesters, case.at):
            attested.update(each.conditions)
    missing = [cites for cites in bound.conditions if cites.clause not in attested]
    if missing:
        reasons += [
            cites.reason(12, "condition-missing", cites.fails, person.pseudonym, checklist.id, about)
            for cites in missing
        ]
    else:
        reasons.append(bound.cites.reason(12, "conditions-met", "holds", person.pseudonym, checklist.id, about))


def _counts(
    each: Attestation, checklist: str, about: str, items: tuple[str, ...], by: tuple[str, ...], at: datetime
) -> bool:
    return (
        each.checklist == checklist
        and each.about == about
        and each.item in items
        and each.by in by
        and (each.until is None or at < each.until)
    )


def _clearance(compiled: Compiled, person: Person, rank: int, at: datetime) -> tuple[str, bool]:
    clearance = person.clearance
    if clearance is None:
        return "clearance-missing", False
    level = compiled.levels.get((person.party, clearance.mark))
    if level is None:
        return "clearance-unknown", False
    if at >= clearance.until:
        return "clearance-ended", False
    if rank == 0 or level.rank < rank:
        return "clearance-too-low", False
    return "cleared", True


def _holds_site(compiled: Compiled, facility: Facility, person: Person, rank: int, at: datetime) -> bool:
    if facility.site != person.site or facility.party != person.party or at >= facility.until:
        return False
    level: LevelFacts | None = compiled.levels.get((facility.party, facility.mark))
    return level is not None and 0 < rank <= level.rank
