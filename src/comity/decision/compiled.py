"""An agreement and its layers, made ready to decide many cases.

Rules of this file:

- Compiling reads every table once; deciding reads none of them, only what stands ready here.
- Nothing is kept from one decision to the next: what was decided before cannot colour what is decided now.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from msgspec import Struct

from comity.agreement.check import hours_of, moment_of
from comity.agreement.conditions import about_item, holds
from comity.agreement.equivalence import equivalents, ladder
from comity.agreement.model import Agreement, Checklist, Layer, Level, Obligation, Rule, When
from comity.agreement.vocabulary import EVENTS_OF_ACT, Act, Event, Provenance, Requirement
from comity.decision.model import RULE_VERSION, Acknowledgement, Duty, Effect, Inputs, Item, Reading, Reason
from comity.decision.rules import FORBIDS, PERMITS, WEIGHTS, Asked, Citation, Place, conditions_of, index_of
from comity.errors import Misuse, Refused

STEP_OF_REQUIREMENT: dict[Requirement, int] = {"clearance": 13, "need-to-know": 14, "briefing": 15, "facility": 16}

NO_RANK = -1
"""The rank of what is declassified: below every level, and nobody has to be cleared for it."""


class Crossing(Struct, frozen=True, gc=False):
    """What becomes of a mark for one party: the reason of step 8, its weight, and the rank a reader there needs."""

    reason: Reason
    weight: int
    rank: int


class LevelFacts(Struct, frozen=True, gc=False):
    """What steps 6 and 8 say of one mark."""

    reason: Reason
    weight: int
    rank: int
    crossings: dict[str, Crossing]


class Basis(Struct, frozen=True, gc=False):
    """Another agreement from which protection is borrowed, and between whom."""

    agreement: str
    between: frozenset[str]
    cites: Citation


class Compiled:
    """An agreement with its layers, as ``decide`` wants it.

    Attributes:
        agreement: the agreement.
        layers: its layers, in the order of their ids.
        offices: whether any rule speaks of offices.
        inputs: what every decision made with this names as its inputs.
    """

    def __init__(self, agreement: Agreement, layers: Iterable[Layer], tzdata: str) -> None:
        self.agreement = agreement
        self.layers = tuple(sorted(layers, key=lambda layer: layer.id))
        texts: list[Agreement | Layer] = [agreement, *self.layers]
        if len({text.id for text in texts}) != len(texts):
            raise Misuse("two layers have the same id", code="duplicate-layer")
        for layer in self.layers:
            if layer.header.on not in {None, agreement.id}:
                raise Misuse(f"layer {layer.id!r} stands on {layer.header.on!r}", code="other-agreement")
        digests = tuple(layer.digest for layer in self.layers)
        self.inputs = Inputs(agreement.digest, digests, (), RULE_VERSION, tzdata)
        self._provenance: dict[tuple[str, str], Provenance] = {}
        self._rank: dict[tuple[str, str], tuple[int, int]] = {}
        for place, text in enumerate(texts):
            for number, clause in enumerate(text.clauses, start=1):
                self._provenance[text.id, clause.id] = clause.provenance
                self._rank[text.id, clause.id] = (place, number)
        self.offices = any(rule.registries or rule.approved_by for text in texts for rule in text.rules)
        self._prepare_terms()
        self._prepare_scope()
        self.levels = {
            (party, level.mark): self._level_facts(party, level)
            for party in self.party_ids
            for level in ladder(agreement, party)
        }
        self._prepare_declassified()
        self._prepare_rules(texts)
        self._prepare_duties(texts)

    def rank(self, instrument: str, clause: str) -> tuple[int, int]:
        """The place of a clause among all clauses; what cites none comes first."""
        return self._rank.get((instrument, clause), (-1, 0))

    def order(self, reason: Reason) -> tuple[object, ...]:
        """The canonical order of reasons (``spec/decision.md`` step 19)."""
        place = self.rank(reason.instrument, reason.clause)
        return (reason.step, place, reason.about, reason.code, reason.parameters)

    def cite(self, instrument: str, clause: str, fails: Effect, provenance: Provenance | None = None) -> Citation:
        """A citation; on an unchecked clause it warns instead of failing."""
        known = provenance or self._provenance[instrument, clause]
        return Citation(instrument, clause, known, "warns" if known == "K" else fails)

    def duties_on(self, event: Event, item: Item | None = None) -> tuple[Duty, ...]:
        """The duties that an event opens under the agreement and its layers.

        Those on some items only are left out where ``item`` is none of them; without an item they all count.
        """
        return tuple(duty for duty, when in self._duties.get(event, ()) if self._speaks_of(when, item))

    def duties_of(self, act: Act, item: Item) -> tuple[Duty, ...]:
        """The duties that an act with an item opens."""
        if act not in self._sorted_duties:
            return self.duties_of_act.get(act, ())
        return tuple(chain.from_iterable(self.duties_on(event, item) for event in EVENTS_OF_ACT[act]))

    def _speaks_of(self, when: When | None, item: Item | None) -> bool:
        if when is None or item is None:
            return True
        label = item.label
        known = about_item(
            form=item.form,
            mark=label.mark,
            subject=item.subject,
            originator=label.originator,
            categories=label.categories,
        )
        return holds(self.agreement, when, known) is True

    def _prepare_terms(self) -> None:
        """Steps 1 to 3 and 7: what is said of the parties, the force and the route."""
        agreement = self.agreement
        self.id = agreement.id
        self.digest = agreement.digest
        self.party_ids = tuple(party.id for party in agreement.parties)
        self.parties = frozenset(self.party_ids)
        self.nations = frozenset(nation for party in agreement.parties for nation in party.nations)
        term = agreement.term
        self.force = self.cite(self.id, term.entry_clause or term.clause, "lacks")
        self.survival = self.cite(self.id, term.survival_clause or term.clause, "lacks")
        self.calm = tuple(Reading(party=each, in_force=True, protection=True) for each in self.party_ids)
        self.all_acknowledge = tuple(Acknowledgement(each, agreement.digest) for each in self.party_ids)
        self.in_force = self.force.reason(2, "in-force", "holds", "", *self.party_ids)
        self.protected = self.survival.reason(2, "protected", "holds", "", *self.party_ids)
        self.acknowledged = self.bare(3, "acknowledged", "holds", agreement.digest)
        self.nothing_permits = self.bare(9, "nothing-permits", "lacks")
        self.via = agreement.route.via if agreement.route else ()
        self.route = self.cite(self.id, agreement.route.clause, "forbids") if agreement.route else None
        self.bases = tuple(
            Basis(each.agreement, frozenset(each.between), self.cite(self.id, each.clause, "lacks"))
            for each in agreement.protection_bases
        )
        self.tree = _tree(agreement)

    def bare(self, step: int, code: str, effect: Effect, *parameters: str) -> Reason:
        """A reason of the step itself, which cites no clause."""
        return Reason(step, code, self.id, "", "", effect, "", parameters)

    def _prepare_scope(self) -> None:
        """Steps 4 and 5."""
        scope = self.agreement.scope
        self.scope = self.cite(self.id, scope.clause, "lacks")
        self.scope_of_purposes = self.cite(self.id, scope.purposes_clause or scope.clause, "lacks")
        self.scope_of_forms = self.cite(self.id, scope.forms_clause or scope.clause, "lacks")
        self.subjects = frozenset(scope.subjects) if scope.subjects else None
        self.categories = frozenset(scope.categories) if scope.categories else None
        self.purposes = frozenset(scope.purposes) if scope.purposes else None
        self.forms = frozenset(scope.forms) if scope.forms else None
        self.in_scope = self.scope.reason(4, "in-scope", "holds", "")
        self.form_covered = self.scope_of_forms.reason(5, "form-covered", "holds", "")

    def _level_facts(self, party: str, level: Level) -> LevelFacts:
        cites = self.cite(self.id, level.clause, "forbids")
        if level.crosses:
            reason = cites.reason(6, "below-ceiling", "holds", "", level.mark)
        else:
            reason = cites.reason(6, "above-ceiling", cites.fails, "", level.mark)
        crossings = {to: self._crossing(party, level, to) for to in self.party_ids}
        return LevelFacts(reason, WEIGHTS[reason.effect], level.rank, crossings)

    def _prepare_declassified(self) -> None:
        """Steps 6 and 8 for an item whose originator has taken its mark away: nobody marks it, and no rank is asked."""
        reason = self.bare(6, "declassified", "holds")
        for party in self.party_ids:
            crossings = {to: Crossing(self.bare(8, "no-mark-needed", "holds", to), 0, NO_RANK) for to in self.party_ids}
            self.levels[party, ""] = LevelFacts(reason, 0, NO_RANK, crossings)

    def _crossing(self, party: str, level: Level, to: str) -> Crossing:
        try:
            found = equivalents(self.agreement, party, level.mark, to, self.layers)
        except Refused:
            cites = self.cite(self.id, level.clause, "forbids")
            if cites.provenance == "K":  # a mark that cannot be written is refused by the step itself
                reason = self.bare(8, "no-equivalent", "forbids", level.mark, party, to)
            else:
                reason = cites.reason(8, "no-equivalent", "forbids", "", level.mark, party, to)
            return Crossing(reason, FORBIDS, level.rank)
        cites = self.cite(self.id, found.clause, "forbids")
        reason = cites.reason(8, "equivalent", "holds", "", level.mark, to, *found.marks)
        return Crossing(reason, 0, min(each.rank for each in found.levels))

    def _prepare_rules(self, texts: list[Agreement | Layer]) -> None:
        """Steps 9 to 17."""
        lists = {checklist.id: (text.id, checklist) for text in texts for checklist in text.checklists}
        if len(lists) != sum(len(text.checklists) for text in texts):
            raise Misuse("two layers have a checklist of the same id", code="duplicate-checklist")
        domestic = {layer.id: layer.header.party for layer in self.layers}
        by_act: dict[Act, list[Asked]] = {}
        for text in texts:
            for rule in text.rules:
                for asked in self._asked(text.id, rule, domestic.get(text.id), lists):
                    for act in rule.acts:
                        by_act.setdefault(act, []).append(asked)
        self.acts = {act: index_of(asked, self._place) for act, asked in by_act.items()}
        self.no_rules = index_of((), self._place)

    def _asked(
        self, instrument: str, rule: Rule, party: str | None, lists: dict[str, tuple[str, Checklist]]
    ) -> Iterator[Asked]:
        """What one rule says, step by step."""
        measured = rule.methods is not None or rule.copies is not None or rule.registries is not None
        fails: Effect = "forbids" if rule.forbids or measured else "needs"
        cites = self.cite(instrument, rule.clause, fails, rule.provenance)
        when = conditions_of(self.agreement, rule.when, party)
        unless = conditions_of(self.agreement, rule.unless) if rule.unless else None
        special = unless is not None or bool(when.categories) or measured or bool(rule.since or rule.until)
        since, until = (moment_of(each) if each else None for each in (rule.since, rule.until))

        def asked(step: int, weight: int = WEIGHTS[cites.fails], **more: Any) -> Asked:
            return Asked(step, cites, rule, when.tests, special, when, unless, weight, since, until, **more)

        if rule.permits:
            if cites.provenance == "K":
                yield asked(9, 0, reason=cites.reason(9, "permit-unchecked", "warns", ""))
            else:
                yield asked(9, PERMITS, reason=cites.reason(9, "permitted", "holds", ""))
        elif rule.forbids:
            yield asked(10, reason=cites.reason(10, "forbidden", cites.fails, "", rule.id))
        elif rule.consent:
            yield asked(11)
        elif rule.checklist:
            owner, checklist = lists[rule.checklist]
            conditions = tuple(self.cite(owner, each, cites.fails) for each in checklist.conditions)
            needed = frozenset(checklist.conditions)
            yield asked(12, checklist=checklist, conditions=conditions, needed=needed)
        elif measured:
            yield asked(10)
        elif rule.approvals or rule.witnesses:
            yield asked(17)
        for word in rule.requires or ():
            yield asked(STEP_OF_REQUIREMENT[word])

    def _place(self, cites: Citation) -> Place:
        return self.rank(cites.instrument, cites.clause)

    def _prepare_duties(self, texts: list[Agreement | Layer]) -> None:
        numbers: dict[str, tuple[str, str]] = {}
        for layer in self.layers:
            for deadline in layer.deadlines:  # of several numbers the shortest holds
                known = numbers.get(deadline.obligation)
                if known is None or hours_of(deadline.within) < hours_of(known[0]):
                    numbers[deadline.obligation] = (deadline.within, f"{layer.id}:{deadline.clause}")
        self._duties: dict[Event, tuple[tuple[Duty, When | None], ...]] = {}
        for text in texts:
            for obligation in text.obligations:
                within, limit_from = numbers.get(obligation.id, (obligation.within or "", ""))
                duty = self._duty(text.id, obligation, within, limit_from)
                self._duties[obligation.on] = (*self._duties.get(obligation.on, ()), (duty, obligation.when))
        self.duties_of_act = {
            act: tuple(chain.from_iterable(self.duties_on(event) for event in events))
            for act, events in EVENTS_OF_ACT.items()
        }
        self._sorted_duties = {
            act
            for act, events in EVENTS_OF_ACT.items()
            if any(when is not None for event in events for _, when in self._duties.get(event, ()))
        }

    def _duty(self, instrument: str, obligation: Obligation, within: str, limit_from: str) -> Duty:
        provenance = obligation.provenance or self._provenance[instrument, obligation.clause]
        return Duty(
            instrument,
            obligation.id,
            obligation.clause,
            provenance,
            obligation.who,
            obligation.act,
            obligation.to or "",
            within,
            limit_from,
        )


def _tree(agreement: Agreement) -> frozenset[tuple[str, str]]:
    """Between which offices a copy may go: within a registry, to the one above or below, and to those it serves."""
    offices = {registry.id: registry.office for registry in agreement.registries}
    ways = {(office, office) for office in offices.values()}
    for registry in agreement.registries:
        beside = ([offices[registry.under]] if registry.under else []) + list(registry.serves or ())
        for other in beside:
            ways |= {(registry.office, other), (other, registry.office)}
    return frozenset(ways)


def compile_agreement(agreement: Agreement, layers: Iterable[Layer] = (), *, tzdata: str) -> Compiled:
    """Make an agreement and its layers ready to decide cases.

    Args:
        agreement: a checked agreement.
        layers: checked layers that stand on it, in any order.
        tzdata: version of the time zone database by which the standings of the cases are worked out.

    Raises:
        Misuse: two layers have one id, or a layer stands on another agreement.
    """
    return Compiled(agreement, layers, tzdata)
