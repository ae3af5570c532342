"""What the rules that apply ask for, prepared: one plan for each set of rules, worked out once.

Rules of this file (`spec/decision.md` steps 9 to 17):

- A rule whose clause is unchecked (K) keeps its step and its code, but its effect when it fails is ``warns``; a permit
  on an unchecked clause does not count as a basis.
- Reasons within a step stand in the order of the layers, then of the clauses in their file. A plan says whether its
  parts come out in that order by themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from msgspec import Struct

from comity.agreement.model import Checklist, Rule
from comity.agreement.vocabulary import Provenance
from comity.decision.model import Effect, Reason

STEP_OF_REQUIREMENT = {"clearance": 13, "need-to-know": 14, "briefing": 15, "facility": 16}

Rank = Callable[[str, str], tuple[int, int]]
"""The place of a clause: the instrument's, then the clause's in its file."""


class Citation(Struct, frozen=True):
    """The clause a rule rests on, and what the rule does when it fails."""

    instrument: str
    clause: str
    provenance: Provenance
    fails: Effect

    def reason(self, step: int, code: str, effect: Effect, about: str, *parameters: str) -> Reason:
        """A reason that cites this clause."""
        return Reason(step, code, self.instrument, self.clause, self.provenance, effect, about, parameters)


class BoundRule(Struct, frozen=True, eq=False):
    """A rule with what it cites; ``conditions`` are citations of a checklist's conditions. Each is itself only."""

    rule: Rule
    cites: Citation
    checklist: Checklist | None = None
    conditions: tuple[Citation, ...] = ()


class Plan(Struct, frozen=True, gc=False):
    """What to say and what to look at when exactly these rules apply."""

    basis: tuple[Reason, ...]
    consents: tuple[BoundRule, ...]
    checklists: tuple[BoundRule, ...]
    clearance: tuple[Citation, ...]
    need_to_know: tuple[Citation, ...]
    briefing: tuple[Citation, ...]
    facility: tuple[Citation, ...]
    approvals: tuple[BoundRule, ...]
    ordered: bool


def plan_for(rules: Sequence[BoundRule], nothing_permits: Reason, rank: Rank) -> Plan:
    """The plan for the rules that apply, given in the order of their clauses."""
    permits = [_permit(each.cites) for each in rules if each.rule.permits]
    if not any(reason.effect == "holds" for reason in permits):
        permits.append(nothing_permits)
    forbids = [
        each.cites.reason(10, "forbidden", each.cites.fails, "", each.rule.id) for each in rules if each.rule.forbids
    ]
    basis = tuple(dict.fromkeys((*permits, *forbids)))
    consents, checklists, approvals = (
        tuple(each for each in rules if getattr(each.rule, effect) is not None)
        for effect in ("consent", "checklist", "approvals")
    )
    required = {
        word: tuple(dict.fromkeys(each.cites for each in rules if word in (each.rule.requires or ())))
        for word in STEP_OF_REQUIREMENT
    }
    spans = [[rank(cites.instrument, cites.clause) for cites in (each.cites, *each.conditions)] for each in checklists]
    checked = [place for span in spans for place in span]
    return Plan(
        basis=basis,
        consents=consents,
        checklists=checklists,
        clearance=required["clearance"],
        need_to_know=required["need-to-know"],
        briefing=required["briefing"],
        facility=required["facility"],
        approvals=approvals,
        ordered=all(first < second for first, second in pairwise(checked))
        and all(_distinct([each.cites for each in group]) for group in (consents, approvals))
        and _distinct(basis),
    )


def _permit(cites: Citation) -> Reason:
    if cites.provenance == "K":
        return cites.reason(9, "permit-unchecked", "warns", "")
    return cites.reason(9, "permitted", "holds", "")


def _distinct(cited: Sequence[Citation | Reason]) -> bool:
    return len({(each.instrument, each.clause, getattr(each, "step", 0)) for each in cited}) == len(cited)
