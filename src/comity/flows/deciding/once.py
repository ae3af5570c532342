"""Deciding once: a person who signs elsewhere is asked again with his signature, and what was decided stays decided.

What he signs names the decision it rests on. So the decision is recorded when he asks first, and found again when he
comes back; it is made again then, without being recorded, and has to come out the same.
"""

from __future__ import annotations

import msgspec

from comity.decision import model as decision
from comity.flows.actors import Actor
from comity.flows.deciding.cases import answer, outcome_word, record_decision
from comity.flows.deciding.recorded import recorded
from comity.flows.house import House
from comity.flows.keeping.library import Running
from comity.flows.keeping.work import Work
from comity.register.rows import AgreementRow, DecisionRow

LOOKED_AT_MAX = 64
"""How many of the newest decisions about an item are looked through."""


class Decided(msgspec.Struct, frozen=True):
    """A decision, and the record that has it."""

    outcome: decision.Outcome
    record: bytes

    @property
    def word(self) -> str:
        """``permit``, ``needs-consent``, ``forbidden`` or ``no-basis``."""
        return outcome_word(self.outcome)


async def decide_once(
    house: House, work: Work, row: AgreementRow, running: Running, case: decision.Case, actor: Actor
) -> Decided:
    """Decide a case and record it; for an actor who comes back signed, take what was decided when he asked.

    Args:
        house: this house.
        work: the change under way.
        row: the agreement it is decided under.
        running: that agreement with its layers.
        case: the question; its ``request`` names what is asked, as nothing else does.
        actor: who asks.
    """
    outcome = answer(running, case)
    if actor.signatures:
        before = await _decided(house, case)
        if before is not None and outcome_word(before.outcome) == outcome_word(outcome):
            return before
    return Decided(outcome, (await record_decision(work, row, case, outcome)).id)


async def _decided(house: House, case: decision.Case) -> Decided | None:
    """The newest recorded decision on the same question."""
    first, end = f"{case.item.id}/", f"{case.item.id}0"  # "0" follows on "/"
    found = await house.store.scan(DecisionRow.table, first, end, limit=LOOKED_AT_MAX, newest_first=True)
    for key, _ in found:
        before = await recorded(house, bytes.fromhex(key.rpartition("/")[2]))
        if before is None or before.body.act != case.act:
            continue
        then = before.case
        if _question(then) == _question(case):
            return Decided(before.outcome, before.record)
    return None


def _question(case: decision.Case) -> tuple[object, ...]:
    """What was asked, whatever is known about it since."""
    people = tuple(sorted(each.pseudonym for each in case.recipients))
    return case.request, case.requester, case.method, case.purpose, case.item.label, people
