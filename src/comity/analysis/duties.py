"""Obligations that nobody can discharge (``spec/analysis.md`` step 6).

Rules of this file:

- An obligation is discharged by a deed about the very thing that the event is about. The tables below say which deeds
  and which roles an event can have; they restate ``spec/duties.md`` and the specs it names.
- What a record does not bring about, an act does: an event of an act that no checked rule permits never comes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import get_args

from comity.agreement.model import Obligation
from comity.agreement.vocabulary import Act, Deed, Event, Role
from comity.analysis.findings import Finding, Source, several

_CONSENT: frozenset[Deed] = frozenset({"ask-consent", "answer-request"})
_CONSIGNMENT: frozenset[Deed] = frozenset({"mark", "give-receipt"})
_LEVEL: frozenset[Deed] = frozenset({"notify", "re-mark", "review-level"})
_GIVING_BACK: frozenset[Deed] = frozenset({"return-or-destroy", "answer-recall"})
_BEFORE_GIVING: frozenset[Deed] = frozenset({"assure", "meet-checklist"})
_VISIT: frozenset[Deed] = frozenset({"request-visit", "answer-visit", "brief-site", "report-visit"})
_LOSS: frozenset[Deed] = frozenset({"notify", "investigate", "report"})
_KEEPING: frozenset[Deed] = frozenset({"keep-register", "keep-inventory", "name-officer"})
STANDING_EVENTS: frozenset[Event] = frozenset({"always", "agreement-ended"})
"""Events whose obligations stand: with the limit ``continuous`` any deed is shown as being done."""

DEEDS: Mapping[Event, frozenset[Deed]] = {
    "always": _KEEPING,
    "agreement-ended": _KEEPING,
    "designation-changed": frozenset({"notify"}),
    "law-changed": frozenset({"notify"}),
    "law-requested": frozenset({"notify"}),
    "received": _CONSIGNMENT,
    "hands-changed": _CONSIGNMENT | {"return-receipt"},
    "derivative-made": frozenset({"mark"}),
    "pass-on-wanted": _CONSENT,
    "other-use-wanted": _CONSENT,
    "consent-wanted": _CONSENT,
    "level-changed": _LEVEL,
    "level-change-notified": _LEVEL,
    "review-due": _LEVEL,
    "purpose-ended": _GIVING_BACK,
    "recalled": _GIVING_BACK,
    "hand-over-wanted": _BEFORE_GIVING,
    "contractor-release-wanted": _BEFORE_GIVING,
    "visit-wanted": _VISIT,
    "visit-asked": _VISIT,
    "visit-permitted": _VISIT,
    "visit-ended": _VISIT,
    "inspection-due": frozenset({"inspect-site"}),
    "contractor-inspected": frozenset({"inspect-site"}),
    "loss-suspected": _LOSS,
    "loss-on-third-ground": _LOSS,
    "investigation-ended": _LOSS,
    "end-wanted": frozenset({"give-notice"}),
    "returned": frozenset({"give-receipt", "return-receipt"}),
    "destroyed-in-crisis": frozenset({"notify"}),
    "destroyed": frozenset({"notify"}),
    "passed-on": frozenset({"give-receipt"}),
    "clearance-ended": frozenset({"end-access"}),
    "finding-made": frozenset({"close-finding"}),
    "dispute-opened": frozenset({"consult"}),
}
"""The deeds that a record can show done about what an event is about."""

ACTS: Mapping[Event, tuple[Act, ...]] = {
    "received": ("give",),
    "hands-changed": ("give", "pass-on", "return"),
    "hand-over-wanted": ("give", "show"),
    "contractor-release-wanted": ("give", "show"),
    "derivative-made": ("copy", "translate", "extract"),
    "passed-on": ("pass-on",),
    "level-changed": ("reclassify",),
    "level-change-notified": ("reclassify",),
    "review-due": ("reclassify",),
    "returned": ("return",),
    "destroyed-in-crisis": ("destroy",),
    "destroyed": ("destroy",),
    "visit-wanted": ("visit",),
    "visit-asked": ("visit",),
    "visit-permitted": ("visit",),
    "visit-ended": ("visit",),
    "finding-made": ("visit", "inspect"),
}
"""The acts of which an event is a consequence, or for which it is asked; one of them has to have a basis."""

_VISITING: frozenset[Event] = frozenset(
    {"visit-wanted", "visit-asked", "visit-permitted", "visit-ended", "finding-made"}
)
_CARRYING: frozenset[Event] = frozenset({"hands-changed", "passed-on"})
ROLES_OF: Mapping[Role, frozenset[Event]] = {
    "visiting-authority": _VISITING,
    "host-authority": _VISITING,
    "carrier": _CARRYING,
}
"""Roles that somebody has only in what these events are about."""


def undischargeable(source: Source, layers: Sequence[Source], permitted: Collection[Act]) -> Iterator[Finding]:
    """Obligations whose event never comes, that nobody owes, or that no deed discharges.

    Args:
        source: the agreement.
        layers: on it.
        permitted: acts that a checked rule permits.
    """
    for each in (source, *layers):
        for index, obligation in enumerate(each.text.obligations):
            for code, key, says, do in _against(obligation, permitted):
                yield each.finding(code, "wrong", obligation.clause, ("obligation", index, key), says, do)


def _against(obligation: Obligation, permitted: Collection[Act]) -> Iterator[tuple[str, str, str, str]]:
    event, name = obligation.on, obligation.id
    acts = ACTS.get(event, ())
    if acts and not set(acts) & set(permitted):
        yield (
            "duty-never-opens",
            "on",
            f"obligation {name!r} waits for {event!r}, which only comes with {several(acts)}, and no checked rule "
            "permits that",
            "write a rule that permits the act, or take the obligation out",
        )
    standing = event in STANDING_EVENTS and obligation.within == "continuous"
    if obligation.act not in DEEDS[event] and not standing:
        fitting = several(sorted(DEEDS[event]))
        yield (
            "duty-never-discharged",
            "act",
            f"obligation {name!r} asks for {obligation.act!r} when {event!r} happens, and nothing that anybody records "
            "about that shows it done",
            f"name a deed that answers the event ({fitting})"
            + (", or write within = 'continuous'" if event in STANDING_EVENTS else ""),
        )
    for key, role in (("who", obligation.who), ("to", obligation.to)):
        events = ROLES_OF.get(role) if role is not None else None
        if events is not None and event not in events:
            others = several(sorted(set(get_args(Role)) - set(ROLES_OF)))
            yield (
                "duty-of-nobody",
                key,
                f"obligation {name!r} is {'owed by' if key == 'who' else 'owed to'} the {role}, and there is none when "
                f"{event!r} happens",
                f"name {others}",
            )
