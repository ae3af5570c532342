"""The step: from the rows before, and one record, to its verdict (``spec/register.md`` steps 3 and 4)."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

from comity.errors import Refused, Rejected
from comity.record.bodies import Body
from comity.record.statement import DOMESTIC, Record
from comity.register import (
    consents,
    contradictions,
    custody,
    ending,
    feeding,
    incidents,
    inventory,
    keys,
    layers,
    lineage,
    negotiation,
    notices,
    places,
    requests,
    restoring,
    retention,
    routes,
    term,
    visits,
)
from comity.register.crossing import CROSSING_RULES
from comity.register.duties import DUTIES
from comity.register.hands import HANDS
from comity.register.holdings import HOLDINGS
from comity.register.house import HOUSE_RULES
from comity.register.links import CHAINS
from comity.register.routes import as_given, as_known_there, forward_keys
from comity.register.rows import AgreementRow, ChainRow, Facts, Key, chain_key
from comity.register.rows.negotiation import TALKS
from comity.register.tally import TALLIES
from comity.register.verdict import Changes, Consequence, Context, Held, Put, Rejection, Rule, Verdict
from comity.register.void_duties import VOID_DUTIES

CLOCK_SKEW_MAX = timedelta(minutes=2)
"""How far ahead of ours another party's clock may be before its records wait for their time."""

UNKNOWN_VERSION = "unknown-version"
"""Held until a program that knows the type, the version or the suite steps it."""
FUTURE_TIME = "future-time"
"""Held until its time has come."""
MISSING_PREDECESSOR = "missing-predecessor"
"""Held outside its chain, and not stepped, until the record before it is here."""

_RULES: dict[type[Body], Rule] = {
    **HOUSE_RULES,
    **CROSSING_RULES,
    **consents.RULES,
    **custody.RULES,
    **ending.RULES,
    **feeding.RULES,
    **contradictions.RULES,
    **incidents.RULES,
    **inventory.RULES,
    **keys.RULES,
    **layers.RULES,
    **lineage.RULES,
    **negotiation.RULES,
    **notices.RULES,
    **places.RULES,
    **requests.RULES,
    **restoring.RULES,
    **retention.RULES,
    **routes.RULES,
    **term.RULES,
    **visits.RULES,
}
_CONSEQUENCES: tuple[Consequence, ...] = (DUTIES, VOID_DUTIES, TALLIES, HOLDINGS, HANDS, CHAINS)


def reads(context: Context, record: Record) -> list[Key]:
    """The keys of the rows that the verdict on ``record`` depends on; none for a record of an unknown type."""
    if record.body is None:
        return []
    statement = record.statement
    keys = [chain_key(statement.chain), *_RULES[type(record.body)].reads(context, record)]  # (3)
    if statement.relationship != DOMESTIC:
        keys.append((AgreementRow.table, statement.relationship))
    return keys


def reads_more(context: Context, facts: Facts, record: Record) -> list[Key]:
    """The keys of the rows that the verdict depends on besides, which the rows named so far lead to; those not there.

    It is asked again with each answer, until it names nothing more. What follows from the record is asked about once
    its rule has all it reads.
    """
    if record.body is None:
        return []
    keys = _RULES[type(record.body)].more(context, facts, record)  # (3)
    missing = [key for key in keys if key not in facts]
    if missing:
        return missing
    named = [*reads(context, record), *keys]
    keys += forward_keys(record, named)
    for consequence in _CONSEQUENCES:
        keys += consequence.reads(context, facts, record)
        keys += consequence.beside(context, record, named)
    return [key for key in keys if key not in facts]


def step(context: Context, facts: Facts, record: Record) -> Verdict:
    """The verdict on a verified record that stands in its chain.

    Args:
        context: this house, the instant, and the agreements it can read.
        facts: every row that ``reads`` and ``reads_more`` named, None where there is none.
        record: verified by ``record.statement.read``.

    Raises:
        Unavailable: an agreement text that the record refers to is not in this house.
    """
    statement = record.statement
    if record.body is None:  # (4)
        return Held(
            UNKNOWN_VERSION,
            f"this program does not know {statement.type!r} in version {statement.version}, suite {statement.suite!r}",
        )
    if statement.author != context.party and statement.at > context.now + CLOCK_SKEW_MAX:
        return Held(FUTURE_TIME, f"it says {statement.at.isoformat()}, which is still to come here")
    chain = chain_key(statement.chain)
    before = cast("ChainRow | None", facts[chain])
    if before is not None and statement.at < before.at:
        return Rejection("time-order", f"it says {statement.at.isoformat()}, before a record that it follows")
    seen = statement.seen.size if statement.seen is not None else 0
    if before is not None and seen < before.seen:
        return Rejection(
            "seen-order", f"it says to have seen {seen} records, and follows one that had seen {before.seen}"
        )
    if statement.relationship.startswith(f"{TALKS}/") and type(record.body) not in negotiation.IN_CHANNELS:
        return Rejection("not-in-channel", f"{statement.type!r} belongs under an agreement; none runs in a channel")
    try:
        there = as_known_there(facts, record)
        puts = _RULES[type(record.body)].apply(context, there, record)
        there = as_given(context, there, record)
        for consequence in _CONSEQUENCES:
            puts += consequence.apply(context, there, record, puts)
    except (Rejected, Refused) as error:
        return Rejection(error.code, error.sentence)
    return Changes((Put(chain, ChainRow(at=statement.at, seen=seen)), *puts))
