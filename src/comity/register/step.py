"""The step: from the rows before, and one record, to its verdict (``spec/register.md`` steps 3 and 4)."""

from __future__ import annotations

from datetime import timedelta

from comity.errors import Refused, Rejected
from comity.record.bodies import BODIES, Body
from comity.record.statement import SUITE, VERSION, Record
from comity.register.crossing import CROSSING_RULES
from comity.register.house import HOUSE_RULES
from comity.register.rows import Facts, Key
from comity.register.verdict import Changes, Context, Held, Rejection, Rule, Verdict

CLOCK_SKEW_MAX = timedelta(minutes=2)
"""How far ahead of ours another party's clock may be before its records wait for their time."""

_RULES: dict[type[Body], Rule] = {**HOUSE_RULES, **CROSSING_RULES}


def reads(context: Context, record: Record) -> list[Key]:
    """The keys of the rows that the verdict on ``record`` depends on; empty for a record that will be held."""
    if record.body is None:
        return []
    return _RULES[type(record.body)].reads(context, record)


def step(context: Context, facts: Facts, record: Record) -> Verdict:
    """The verdict on a verified record that stands in its chain.

    Args:
        context: this house, the instant, and the agreements it can read.
        facts: every row that ``reads`` named, None where there is none.
        record: verified by ``record.statement.read``.

    Raises:
        Unavailable: an agreement text that the record refers to is not in this house.
    """
    statement = record.statement
    if statement.version != VERSION or statement.suite != SUITE or statement.type not in BODIES:
        return Held("unknown-version", f"this program does not know {statement.type!r} (version {statement.version})")
    if record.body is None:
        return Held("unknown-version", f"this program cannot read {statement.type!r}")
    if statement.author != context.party and statement.at > context.now + CLOCK_SKEW_MAX:
        return Held("future-time", f"it says {statement.at.isoformat()}, which is still to come here")
    try:
        puts = _RULES[type(record.body)].apply(context, facts, record)
    except (Rejected, Refused) as error:
        return Rejection(error.code, error.sentence)
    return Changes(tuple(puts))
