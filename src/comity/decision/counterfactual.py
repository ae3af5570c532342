"""What would have to happen for the act to be permitted (``spec/decision.md``, "What would change it").

Rules of this file:

- Only acts of people are named: a consent, an assurance, an approval, a clearance. What the agreement forbids, or gives
  no basis for, no act of theirs changes, and the answer says so.
- The set is irreducible: with all of it the act is permitted, without any one of it it is not.
- Somebody who may not see a person's facts learns that something about a person is missing, and nothing else.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Literal

from msgspec import Struct

from comity.decision.model import Forbidden, NoBasis, Outcome, Reason

Kind = Literal[
    "acknowledgement",
    "consent",
    "attestation",
    "clearance",
    "need-to-know",
    "briefing",
    "facility",
    "approval",
    "witness",
    "hidden",
    "office-approval",
]

_KINDS: dict[str, Kind] = {
    "not-acknowledged": "acknowledgement",
    "consent-missing": "consent",
    "condition-missing": "attestation",
    "clearance-missing": "clearance",
    "clearance-unknown": "clearance",
    "clearance-ended": "clearance",
    "clearance-too-low": "clearance",
    "need-to-know-missing": "need-to-know",
    "briefing-missing": "briefing",
    "category-missing": "briefing",
    "facility-missing": "facility",
    "approval-missing": "approval",
    "office-approval-missing": "office-approval",
    "witness-missing": "witness",
}
"""What is missing, by the code of the reason that misses it."""

_COUNTED: frozenset[Kind] = frozenset({"approval", "witness", "office-approval"})
"""What is asked for by number."""


class Missing(Struct, frozen=True, order=True):
    """One thing that is missing.

    Attributes:
        kind: what it is; ``"hidden"`` when the asker may not know.
        about: the person who lacks it; empty for what is said of no single person.
        what: what identifies it: for a consent who gives it, the item, the act, the beneficiary and the purpose; for
            an attestation the checklist, what it is bound to, who attests (empty for any party) and the condition;
            for a facility its party and the site; for approvals and witnesses the number needed; for a briefing on
            what.
        clauses: the clauses that ask for it, as ``"instrument:clause"``.
    """

    kind: Kind
    about: str
    what: tuple[str, ...]
    clauses: tuple[str, ...]


class Change(Struct, frozen=True):
    """What would change a decision: ``possible`` is false when no act of anybody's would."""

    possible: bool
    missing: tuple[Missing, ...]


def what_would_change(decision: Outcome, may_see: Container[str]) -> Change:
    """The irreducible set of what is missing for a permit.

    Args:
        decision: any decision; for a permit nothing is missing.
        may_see: pseudonyms of the people whose facts the asker may see.
    """
    if isinstance(decision, Forbidden | NoBasis):
        return Change(False, ())
    wanted: dict[tuple[Kind, str, tuple[str, ...]], set[str]] = {}
    for reason in decision.reasons:
        if reason.effect == "needs":
            key = _thing(reason, may_see)
            clause = f"{reason.instrument}:{reason.clause}" if reason.clause else reason.instrument
            wanted.setdefault(key, set()).add(clause)
    counted = {(kind, what) for kind, _, what in wanted if kind in _COUNTED}
    most = {kind: max(int(what[0]) for each, what in counted if each == kind) for kind, _ in counted}
    found = [
        Missing(kind, about, what, () if kind == "hidden" else tuple(sorted(clauses)))
        for (kind, about, what), clauses in wanted.items()
        if kind not in most or int(what[0]) == most[kind]  # the largest number asked for includes the others
    ]
    return Change(True, tuple(sorted(found)))


def _thing(reason: Reason, may_see: Container[str]) -> tuple[Kind, str, tuple[str, ...]]:
    if reason.about and reason.about not in may_see:
        return "hidden", "", ()
    code, parameters = reason.code, reason.parameters
    if reason.step == 18:  # an ancestor's reason carries the ancestor and its own step before its parameters
        parameters = parameters[2:]
    kind = _KINDS[code]
    if kind in _COUNTED:
        return kind, "", (parameters[0], *parameters[2:])
    if kind == "attestation":
        return kind, "", (*parameters, reason.clause)
    if kind in {"consent", "acknowledgement", "facility"}:
        return kind, "", parameters
    return kind, reason.about, (parameters or (reason.instrument,)) if kind == "briefing" else ()
