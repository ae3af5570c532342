"""The steps of ``spec/decision.md``, each adding its reasons: 2 to 7 for an item, 8 to 17 for one recipient.

Rules of this file:

- The number in a comment is the number of the step.
- A step whose reason stands ready only appends it; this is where a decision spends its time.
- Each function gives what it found as bits (`rules.UNORDERED` and the others), which add up.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from comity.agreement.conditions import all_clients, circles_of
from comity.agreement.model import Rule
from comity.agreement.vocabulary import ACCESS_ACTS, GIVING_ACTS
from comity.decision.compiled import NO_RANK, Compiled, LevelFacts
from comity.decision.model import Case, Effect, Facility, Item, Person, Reason, Standing
from comity.decision.rules import FORBIDS, LACKS, NEEDS, PERMITS, UNORDERED, WEIGHTS, Asked, Citation

BILATERAL = 2
"""Parties of an agreement that are all concerned by whatever is done under it."""


def level_of(compiled: Compiled, item: Item) -> LevelFacts | None:
    """What is known of the item's mark; none of a mark on no ladder."""
    label = item.label
    return compiled.levels.get((label.policy, label.mark))


def weigh_item(compiled: Compiled, case: Case, item: Item, level: LevelFacts | None, reasons: list[Reason]) -> int:
    """Steps 2 to 7: adds their reasons and gives what they found."""
    add = reasons.append
    found = 0
    act = case.act
    giving = act in GIVING_ACTS
    standings = case.facts.standings
    single = len(standings) == 1 and standings[0].agreement == compiled.id
    if single and standings[0].readings == compiled.calm:
        add(compiled.in_force if giving else compiled.protected)  # (2)
    else:
        found |= weigh_force(compiled, standings, giving, reasons)
    if compiled.bases:
        found |= _weigh_bases(compiled, case, item, giving, reasons)
    if giving:
        if single and standings[0].acknowledgements == compiled.all_acknowledge:
            add(compiled.acknowledged)  # (3)
        else:
            found |= _weigh_acknowledgements(compiled, case, item, reasons)

    subjects, purposes, categories = compiled.subjects, compiled.purposes, compiled.categories
    if (  # (4) what the agreement covers
        (subjects is None or item.subject in subjects)
        and (purposes is None or case.purpose in purposes)
        and (categories is None or categories.issuperset(item.label.categories))
        and item.agreement == compiled.id
        and (case.acting in compiled.parties or item is not case.item)
    ):
        add(compiled.in_scope)
    else:
        found |= _weigh_scope(compiled, case, item, reasons)

    if compiled.forms is None or item.form in compiled.forms:  # (5)
        add(compiled.form_covered)
    else:
        cites = compiled.scope_of_forms
        add(cites.reason(5, "form-outside", cites.fails, "", item.form))
        found |= WEIGHTS[cites.fails]

    if level is None:  # (6)
        add(compiled.bare(6, "unknown-mark", "forbids", item.label.mark, item.label.policy))
        found |= FORBIDS
    elif level.rank == NO_RANK and act == "give" and item is case.item:
        add(compiled.bare(6, "not-classified", "lacks"))
        found |= LACKS
    else:
        add(level.reason)
        found |= level.weight

    if compiled.route is None and not case.via:  # (7)
        return found
    if giving or act == "pass-on":
        reason = _route(compiled, case)
        add(reason)
        found |= WEIGHTS[reason.effect]
    return found


def weigh_person(
    compiled: Compiled, case: Case, item: Item, level: LevelFacts | None, person: Person, reasons: list[Reason]
) -> int:
    """Steps 8 to 17 for one recipient: adds their reasons and gives what they found."""
    add = reasons.append
    label = item.label
    about = person.pseudonym
    party, serves = person.party, person.serves
    parties = compiled.parties
    index = compiled.acts.get(case.act, compiled.no_rules)

    found = rank = 0
    if level is not None and party in parties:  # (8)
        crossing = level.crossings[party]
        rank = crossing.rank
        found = crossing.weight
        add(crossing.reason)
    elif level is not None and level.rank == NO_RANK:
        rank = NO_RANK

    third = party not in parties or serves not in parties
    foreign = bool(compiled.nations) and person.nationality not in compiled.nations
    purpose = case.purpose
    acting = case.acting
    values: tuple[object, ...] = (  # in the order of `rules.CONDITIONS`
        item.form,
        label.mark,
        item.subject,
        purpose,
        purpose != item.purpose,
        label.originator,
        acting,
        "originator" if acting == label.originator else "recipient",
        item.relation,
        party,
        serves,
        person.employer,
        person.body,
        person.function,
        third + 2 * foreign,
    )
    if index.seldom:
        outside = frozenset([each for each in (party, serves) if each not in parties])
        values += (
            item.recalled,
            item.suspected,
            circles_of(compiled.agreement, outside),
            all_clients(compiled.agreement, outside, acting),
        )
    drawer = index.drawers.get(values[index.position], index.rest)
    if drawer is None:
        drawer = index.open(values[index.position])
    if not drawer.ordered:
        found |= UNORDERED
    # No ladder of an ancestor's agreement measures somebody of no party to it; the item's own agreement does.
    measured = item is case.item or party in parties
    start = len(reasons)
    cleared = ""
    for asked in drawer.asked:
        for position, words in asked.tests:
            if values[position] not in words:
                break
        else:
            step = asked.step
            cites = asked.cites
            if asked.special:
                if not _applies(asked, values, label.categories, case.at):
                    continue
                measure = _measured(compiled, cites, asked.rule, case, person)
                if measure is not None:
                    add(measure)
                    found |= WEIGHTS[measure.effect]
                    continue
            if step <= 10:
                add(asked.reason)  # type: ignore[arg-type]  # `compiled` makes one for these steps
                found |= asked.weight
                continue
            if step == 11:
                found |= _weigh_consent(compiled, case, item, person, asked, reasons)
                continue
            if step == 12:
                found |= _weigh_checklist(compiled, case, item, person, asked, reasons)
                continue
            said: tuple[str, ...] = ()
            if step == 17:
                held, code, said = _others(case, item, asked.rule)
                whom = ""
            elif not measured or (rank == NO_RANK and step in (13, 16)):
                continue
            else:
                whom = about
                if step == 13:
                    code = cleared = cleared or _clearance(compiled, person, rank, case.at)
                    held = code == "cleared"
                    said = (label.mark,)
                elif step == 14:
                    held = False
                    for name in item.need_to_know:
                        held = held or name in person.need_to_know
                    code = "need-to-know" if held else "need-to-know-missing"
                elif step == 15:
                    held = compiled.id in person.briefed
                    code = "briefed" if held else "briefing-missing"
                else:
                    held = any(_holds_site(compiled, each, person, rank, case.at) for each in case.facts.facilities)
                    code = "facility-approved" if held else "facility-missing"
                    said = (party, person.site)
            effect: Effect = "holds"
            if not held:
                effect = cites.fails
                found |= asked.weight
            add(Reason(step, code, cites.instrument, cites.clause, cites.provenance, effect, whom, said))
    if not found & PERMITS:
        reasons.insert(start, compiled.nothing_permits)
        found |= LACKS
    if label.releasable_to or label.categories:
        found |= _weigh_label(compiled, case, item, person, reasons)
    return found


def _applies(asked: Asked, values: tuple[object, ...], categories: tuple[str, ...], at: datetime) -> bool:
    if (asked.since is not None and at < asked.since) or (asked.until is not None and at >= asked.until):
        return False
    return asked.when.hold(values, categories) and not (asked.unless and asked.unless.hold(values, categories))


def _measured(compiled: Compiled, cites: Citation, rule: Rule, case: Case, person: Person) -> Reason | None:
    """Step 10 for a rule that names the methods there are, how many copies, or the way; None for every other rule."""
    if rule.registries is not None:
        if (case.office, person.body) in compiled.tree:
            return cites.reason(10, "along-the-tree", "holds", person.pseudonym, case.office, person.body)
        return cites.reason(10, "outside-the-tree", cites.fails, person.pseudonym, case.office, person.body)
    if rule.methods is not None:
        if case.method in rule.methods:
            return cites.reason(10, "method-allowed", "holds", "", case.method)
        return cites.reason(10, "method-forbidden", cites.fails, "", case.method, *rule.methods)
    if rule.copies is not None:
        counted = (str(case.copies), str(rule.copies))
        if case.copies <= rule.copies:
            return cites.reason(10, "copies-within", "holds", "", *counted)
        return cites.reason(10, "copies-beyond", cites.fails, "", *counted)
    return None


def _weigh_label(compiled: Compiled, case: Case, item: Item, person: Person, reasons: list[Reason]) -> int:
    """What the originator's own label says in steps 10 and 15."""
    found = 0
    about = person.pseudonym
    allowed = item.label.releasable_to
    if allowed and (person.party not in allowed or person.serves not in allowed):
        reasons.append(Reason(10, "not-releasable", compiled.id, "", "", "forbids", about, allowed))
        found = FORBIDS | UNORDERED
    missing = [each for each in item.label.categories if each not in person.briefed]
    if missing and case.act in ACCESS_ACTS:
        reasons += [Reason(15, "category-missing", compiled.id, "", "", "needs", about, (each,)) for each in missing]
        found |= NEEDS | UNORDERED
    return found


def _others(case: Case, item: Item, rule: Rule) -> tuple[bool, str, tuple[str, ...]]:
    """Step 17: whether enough people other than the requester have approved, or witnessed, this request."""
    request, requester = case.request, case.requester
    if rule.approvals is not None:
        wanted = rule.approvals
        others = {
            each.by
            for each in case.facts.approvals
            if each.request == request
            and each.by != requester
            and (rule.approved_by is None or (each.office == item.office and item.office))
        }
        if rule.approved_by is not None:
            code = "office-approved" if len(others) >= wanted else "office-approval-missing"
            return len(others) >= wanted, code, (str(wanted), str(len(others)), item.office)
        code = "approved" if len(others) >= wanted else "approval-missing"
    else:
        wanted = rule.witnesses or 0
        others = {each.by for each in case.facts.witnesses if each.request == request and each.by != requester}
        code = "witnessed" if len(others) >= wanted else "witness-missing"
    return len(others) >= wanted, code, (str(wanted), str(len(others)))


def weigh_force(compiled: Compiled, standings: Iterable[Standing], giving: bool, reasons: list[Reason]) -> int:
    """Step 2 for parties who do not all read the agreement as simply in force."""
    readings = [reading for each in standings if each.agreement == compiled.id for reading in each.readings]
    if not readings:
        reasons.append(compiled.bare(2, "standing-unknown", "lacks"))
        return LACKS
    found = 0
    if giving:
        against = {reading.party for reading in readings if not reading.in_force}
        against |= compiled.parties.difference([reading.party for reading in readings])
        if against:
            reasons.append(compiled.force.reason(2, "not-in-force", "lacks", "", *sorted(against)))
            found = LACKS
        else:
            reasons.append(compiled.in_force)
    elif any(reading.protection for reading in readings):
        reasons.append(compiled.protected)
    else:
        reasons.append(compiled.survival.reason(2, "not-protected", "lacks", ""))
        found = LACKS
    for reading in readings:
        if reading.contested:
            parameters = (reading.party, *sorted(reading.contested))
            reasons.append(compiled.force.reason(2, "contested", "notes", "", *parameters))
            found |= UNORDERED
    return found


def _concerned(case: Case, item: Item) -> frozenset[str]:
    """Whom an act concerns: who acts, whom the item comes from, on the way, who receives."""
    return frozenset([case.acting, item.label.originator, *case.via, *(each.party for each in case.recipients)])


def _weigh_bases(compiled: Compiled, case: Case, item: Item, giving: bool, reasons: list[Reason]) -> int:
    """Step 2 for protection that is borrowed: the agreements between those concerned stand as this one has to."""
    concerned = _concerned(case, item)
    found = UNORDERED if len(compiled.bases) > 1 else 0
    for basis in compiled.bases:
        if not basis.between <= concerned:
            continue
        readings = [each for one in case.facts.standings if one.agreement == basis.agreement for each in one.readings]
        if giving:
            held = bool(readings) and all(reading.in_force for reading in readings)
        else:
            held = any(reading.protection for reading in readings)
        effect: Effect = "holds" if held else basis.cites.fails
        code = "basis-stands" if held else "basis-missing"
        reasons.append(basis.cites.reason(2, code, effect, "", basis.agreement))
        found |= WEIGHTS[effect]
    return found


def _weigh_acknowledgements(compiled: Compiled, case: Case, item: Item, reasons: list[Reason]) -> int:
    """Step 3: every party holds this very file for its model; of more than two, each one that the act concerns."""
    said = [
        each.party
        for standing in case.facts.standings
        if standing.agreement == compiled.id
        for each in standing.acknowledgements
        if each.digest == compiled.digest
    ]
    asked = compiled.parties if len(compiled.parties) == BILATERAL else compiled.parties & _concerned(case, item)
    silent = sorted(asked.difference(said))
    if silent:
        reasons += [compiled.bare(3, "not-acknowledged", "needs", party) for party in silent]
        return NEEDS
    reasons.append(compiled.acknowledged)
    return 0


def _weigh_scope(compiled: Compiled, case: Case, item: Item, reasons: list[Reason]) -> int:
    """Step 4 for what is not covered."""
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
    reasons += outside
    return UNORDERED | (LACKS if any(each.effect == "lacks" for each in outside) else 0)


def _route(compiled: Compiled, case: Case) -> Reason:
    """Step 7: by way of exactly the parties named; for one of them, from there on or up to there."""
    if compiled.route is None:
        return compiled.bare(7, "not-direct", "forbids", *case.via)
    via = compiled.via
    if case.acting in via:
        via = via[via.index(case.acting) + 1 :]
    for person in case.recipients:
        if person.party in via:
            via = via[: via.index(person.party)]
    cites = compiled.route
    if case.via == via:
        return cites.reason(7, "route-followed" if via else "route-ends", "holds", "", *via)
    if via:
        return cites.reason(7, "wrong-route", cites.fails, "", *via)
    return cites.reason(7, "not-direct", cites.fails, "", *case.via)


def _weigh_consent(
    compiled: Compiled, case: Case, item: Item, person: Person, asked: Asked, reasons: list[Reason]
) -> int:
    """Step 11 for one rule."""
    cites = asked.cites
    gains = third_bodies(compiled, person) or (person.serves,)
    givers: tuple[str, ...] = asked.rule.consent_of or (item.label.originator,)
    if asked.rule.consent == "every-party":
        givers = compiled.party_ids
    found = 0 if len(gains) == len(givers) == 1 else UNORDERED
    for by in givers:
        for beneficiary in gains:
            code, effect = "consent-missing", cites.fails
            for each in case.facts.consents:
                if (
                    each.by == by
                    and each.beneficiary == beneficiary
                    and each.act == case.act
                    and each.item in (item.id, case.item.id)
                    and each.purpose == case.purpose
                    and case.at < each.until
                    and not (each.standing and asked.rule.per_item)
                ):
                    code, effect = "consent-given", "holds"
                    break
            else:
                found |= asked.weight
            said = (by, case.item.id, case.act, beneficiary, case.purpose)
            reasons.append(
                Reason(11, code, cites.instrument, cites.clause, cites.provenance, effect, person.pseudonym, said)
            )
    return found


def third_bodies(compiled: Compiled, person: Person) -> tuple[str, ...]:
    """The bodies other than the parties that gain when this person does, in ascending order."""
    bodies = [each for each in (person.party, person.serves) if each not in compiled.parties]
    if compiled.nations and person.nationality not in compiled.nations:
        bodies.append(person.nationality)
    return tuple(bodies) if len(bodies) < 2 else tuple(sorted(set(bodies)))


def _weigh_checklist(
    compiled: Compiled, case: Case, item: Item, person: Person, asked: Asked, reasons: list[Reason]
) -> int:
    """Step 12 for one rule."""
    checklist = asked.checklist
    assert checklist is not None  # `compiled` gives one to each rule of this step
    about, first, second = item.id, "", ""
    if checklist.bound_to == "item-and-recipient":
        about, first, second = person.pseudonym, item.id, case.item.id
    elif checklist.bound_to == "site":
        about = person.site
    elif checklist.bound_to == "party":
        about = person.party
    attester = ""
    if checklist.attested_by == "recipient":
        attester = person.party
    elif checklist.attested_by == "originator":
        attester = item.label.originator
    at = case.at
    attested: list[str] = []
    met = False
    for each in case.facts.attestations:
        if (
            each.checklist == checklist.id
            and each.about == about
            and each.item in (first, second)
            and (each.by == attester if attester else each.by in compiled.parties)
            and (each.until is None or at < each.until)
        ):
            if met := each.conditions == checklist.conditions:  # the usual case: all in one statement
                break
            attested += each.conditions
    cites = asked.cites
    pseudonym = person.pseudonym
    if met or asked.needed.issubset(attested):
        reasons.append(cites.reason(12, "conditions-met", "holds", pseudonym, checklist.id, about))
        return 0
    found = 0
    for condition in asked.conditions:
        if condition.clause not in attested:
            said = (checklist.id, about, attester)
            reasons.append(condition.reason(12, "condition-missing", condition.fails, pseudonym, *said))
            found |= WEIGHTS[condition.fails]
    return found


def _clearance(compiled: Compiled, person: Person, rank: int, at: datetime) -> str:
    """Step 13: ``"cleared"``, or the code that says what is wrong."""
    clearance = person.clearance
    if clearance is None:
        return "clearance-missing"
    level = compiled.levels.get((person.party, clearance.mark))
    if level is None:
        return "clearance-unknown"
    if at >= clearance.until:
        return "clearance-ended"
    return "cleared" if 0 < rank <= level.rank else "clearance-too-low"


def _holds_site(compiled: Compiled, facility: Facility, person: Person, rank: int, at: datetime) -> bool:
    if facility.site != person.site or facility.party != person.party or at >= facility.until:
        return False
    level: LevelFacts | None = compiled.levels.get((facility.party, facility.mark))
    return level is not None and 0 < rank <= level.rank
