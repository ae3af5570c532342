"""Which clauses a test shows, and what of the agreement it rests on.

    @article("6.a", does="asks the originator before anything is passed on", command="comity consent ask",
             rests_on=("third-party",))
    async def test_nothing_is_passed_on_without_consent(world): ...

From these marks comes the table of ``comity agreement coverage``; ``articles/test_mutations.py`` deletes what a test
rests on and demands that it turns red.
"""

from __future__ import annotations

import pytest

from comity.decision.model import Outcome


def article(*clauses: str, does: str, command: str, rests_on: tuple[str, ...] = ()) -> pytest.MarkDecorator:
    """Mark a test as showing what becomes of some clauses.

    Args:
        clauses: ids of clauses of the agreement, ``"6.a"``; each gets a row of the table.
        does: what the system does there, in one phrase without a full stop.
        command: what a user types, ``"comity pass-on"``.
        rests_on: ids of rules, checklists and obligations, or names of tables and keys (``"equivalence"``,
            ``"marking.derivative"``, ``"term.notice"``, ``"scope.forms"``), without any one of which the test fails.
    """
    if not clauses or not does or not command.startswith("comity "):
        raise ValueError("an article test names its clauses, what the system does, and the command that does it")
    return pytest.mark.article(*clauses, does=does, command=command, rests_on=rests_on)


def against(outcome: Outcome) -> set[str]:
    """What stands against it, as ``instrument:clause``; a reason of no clause is named by its code."""
    return {
        f"{reason.instrument}:{reason.clause}" if reason.clause else reason.code
        for reason in outcome.reasons
        if reason.effect not in {"holds", "notes", "warns"}
    }
