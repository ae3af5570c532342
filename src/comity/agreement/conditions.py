"""What the conditions of rules and obligations say about something of which not everything need be known.

Rules of this file:

- ``decision`` knows everything of a case and has its own, faster tests (``decision/rules.py``); this is for whoever
  knows less: an item and nobody who receives it, or a record of the other party.
- The answer is true, false, or None where it depends on what is not known. Who asks says what None means to him.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import fields

from comity.agreement.model import AgreementFile, Rule, When
from comity.agreement.vocabulary import Act

Known = Mapping[str, object]
"""Conditions by the name of their field: a word, true or false, or a set of words that hold together."""


def about_item(
    *, form: str, mark: str, subject: str, originator: str, categories: tuple[str, ...] = ()
) -> dict[str, object]:
    """What is known where nothing is known but an item."""
    return {
        "form": form,
        "level": mark,
        "subject": subject,
        "originator": originator,
        "category": frozenset(categories),
    }


def about_act(item: Mapping[str, object], acting: str) -> dict[str, object]:
    """What is known where besides an item nothing is known but which party's side acts."""
    return {**item, "acting": acting, "holder": "originator" if acting == item["originator"] else "recipient"}


def holds(agreement: AgreementFile, conditions: When, known: Known) -> bool | None:
    """Whether conditions hold for what is known; None where that depends on something else."""
    found: bool | None = True
    for field in fields(conditions):
        wanted = getattr(conditions, field.name)
        if wanted is None:
            continue
        name = field.name
        if name == "level_at_least":
            name, wanted = "level", marks_from(agreement, wanted)
        if name not in known:
            found = None
            continue
        words = wanted if isinstance(wanted, tuple | frozenset) else (wanted,)
        value = known[name]
        if isinstance(value, frozenset):
            if value.isdisjoint(words):
                return False
        elif value not in words:
            return False
    return found


def applies(agreement: AgreementFile, rule: Rule, known: Known) -> bool | None:
    """Whether a rule applies to what is known; None where that depends on something else, such as the day."""
    found = True if rule.when is None else holds(agreement, rule.when, known)
    taken_out = False if rule.unless is None else holds(agreement, rule.unless, known)
    if found is False or taken_out is True:
        return False
    return None if found is None or taken_out is None or rule.since or rule.until else True


def assured_conditions(agreement: AgreementFile, act: Act, known: Known) -> frozenset[str]:
    """What whoever receives certainly has to assure of an item and of each recipient, before something is provided.

    Only checked rules count, and those of which it is certain from what is known that they apply.
    """
    checked = {clause.id: clause.provenance for clause in agreement.clauses}
    named = {
        rule.checklist
        for rule in agreement.rules
        if act in rule.acts
        and rule.checklist
        and (rule.provenance or checked[rule.clause]) != "K"
        and applies(agreement, rule, known) is True
    }
    return frozenset(
        condition
        for checklist in agreement.checklists
        if checklist.id in named and checklist.bound_to == "item-and-recipient" and checklist.attested_by == "recipient"
        for condition in checklist.conditions
    )


def marks_from(agreement: AgreementFile, word: str) -> frozenset[str]:
    """All marks at the rank of a mark or of an English level word, and above."""
    lowest = next(level.rank for level in agreement.levels if word in {level.mark, level.english})
    return frozenset(level.mark for level in agreement.levels if level.rank >= lowest)


def circles_of(agreement: AgreementFile, bodies: frozenset[str]) -> frozenset[str]:
    """The circles that all of some bodies belong to; none where there are no bodies, or one of them is not known."""
    listed = {body.id: frozenset(body.circles or ()) for body in agreement.bodies}
    return frozenset.intersection(*(listed.get(body, frozenset()) for body in bodies)) if bodies else frozenset()


def all_clients(agreement: AgreementFile, bodies: frozenset[str], party: str) -> bool:
    """Whether there are such bodies and a party serves all of them."""
    served = {body.id for body in agreement.bodies if party in (body.client_of or ())}
    return bool(bodies) and bodies <= served
