"""Duties foreseen: what an event would oblige to, before anybody brings it about (``spec/duties.md`` step 13).

It says what the texts say, in the words of a decision; what is owed already is in ``duties.py``.
"""

from __future__ import annotations

import msgspec

from comity.agreement.vocabulary import Event, Provenance
from comity.decision.wording import duty_wording
from comity.decision.wording.words import AS_TYPED
from comity.flows.house import House
from comity.flows.looking.obliged import all_running


class ForeseeDuties(msgspec.Struct, frozen=True, kw_only=True):
    """What some events oblige to: in one relationship, or in every one; told in a language."""

    events: tuple[Event, ...]
    relationship: str | None = None
    language: str = AS_TYPED


class DutyForeseen(msgspec.Struct, frozen=True, kw_only=True):
    """A duty that an event would open.

    Attributes:
        relationship: under which agreement, with whom.
        instrument, clause, provenance: what lays it, and how well that is known.
        says: who owes what until when, in words.
    """

    relationship: str
    instrument: str
    clause: str
    provenance: Provenance
    says: str


async def foresee_duties(house: House, request: ForeseeDuties) -> list[DutyForeseen]:
    """The duties that the events open, by relationship, in the order of the texts.

    Raises:
        Misuse: there are no sentences in this language.
    """
    return [
        DutyForeseen(
            relationship=relationship,
            instrument=duty.instrument,
            clause=duty.clause,
            provenance=duty.provenance,
            says=duty_wording(duty, request.language),
        )
        for relationship, running in await all_running(house)
        if request.relationship in (None, relationship)
        for event in request.events
        for duty in running.compiled.duties_on(event)
    ]
