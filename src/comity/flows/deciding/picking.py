"""Picking among agreements: the same question is put to each that stands between two parties, and all is recorded.

``spec/routes.md`` steps 13 to 15.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from comity.decision import model as decision
from comity.decision.picking import pick
from comity.decision.wording import outcome_wording, sentence
from comity.decision.wording.words import AS_TYPED
from comity.flows.deciding.cases import answer, outcome_word, record_decision
from comity.flows.keeping.library import Running
from comity.flows.keeping.work import Work
from comity.record import bodies
from comity.record.statement import Record
from comity.register.rows import AgreementRow

AGAINST = {"forbidden": "forbids", "no-basis": "lacks", "needs-consent": "needs"}
"""By which effect a reason brings each outcome about."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One agreement with a party, and the same recipients as its directory there calls them."""

    relationship: str
    recipients: tuple[str, ...]


class TriedTold(msgspec.Struct, frozen=True, kw_only=True):
    """Another agreement that was asked, and why it was not picked.

    Attributes:
        relationship: which.
        outcome: what came out under it.
        means: the same in a few words.
        against: what it refuses or asks, in words; empty where another agreement that permits too binds more.
        decision_record: the record of that decision in hex.
    """

    relationship: str
    outcome: str
    means: str
    against: tuple[str, ...]
    decision_record: str


class Question(NamedTuple):
    """A question as it is put to one agreement."""

    row: AgreementRow
    running: Running
    case: decision.Case


class Picked(NamedTuple):
    """The place of the agreement that was picked, its decision, and the others."""

    place: int
    outcome: decision.Outcome
    record: Record
    tried: tuple[TriedTold, ...]


def tried_told(relationship: str, outcome: decision.Outcome, record: bytes, language: str = AS_TYPED) -> TriedTold:
    """The decision under another agreement, and what keeps the act from being done under it.

    Raises:
        Misuse: there are no sentences in this language.
    """
    against = AGAINST.get(outcome_word(outcome))
    return TriedTold(
        relationship=relationship,
        outcome=outcome_word(outcome),
        means=outcome_wording(outcome, language),
        against=tuple(dict.fromkeys(sentence(each, language) for each in outcome.reasons if each.effect == against)),
        decision_record=record.hex(),
    )


def consider(questions: Sequence[Question], came_under: str = "") -> tuple[int, list[decision.Outcome]]:
    """What each agreement says by itself, and the place of the one that is picked; nothing is recorded."""
    outcomes = [answer(each.running, each.case) for each in questions]
    decided = [(each.running.agreement, outcome) for each, outcome in zip(questions, outcomes, strict=True)]
    return pick(decided, came_under), outcomes


async def decide_among(work: Work, questions: Sequence[Question], came_under: str = "") -> Picked:
    """Decide under each agreement by itself, and record every decision; that of the one picked names the others."""
    place, outcomes = consider(questions, came_under)
    told = []
    for number, ((row, _, case), outcome) in enumerate(zip(questions, outcomes, strict=True)):
        if number == place:
            continue
        record = await record_decision(work, row, case, outcome)
        told.append(tried_told(row.relationship, outcome, record.id))
    tried = [
        bodies.Tried(relationship=each.relationship, outcome=each.outcome, decision=bytes.fromhex(each.decision_record))
        for each in told
    ]
    row, _, case = questions[place]
    return Picked(place, outcomes[place], await record_decision(work, row, case, outcomes[place], tried), tuple(told))
