"""Duties that a returned record had opened: they end at its author, as it has no effect (``spec/duties.md`` step 12).

The other party never had them. A consequence of records of any type: what a record of this house opens is kept in an
index by the record, and the verdict that returns it ends what stands there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from comity.record.bodies import Returned
from comity.record.bodies.giving import Consigned
from comity.record.statement import DOMESTIC, Record
from comity.register.duties import DutyBook
from comity.register.occasions import consignment_subject
from comity.register.rows import ChainRow, Facts, Key, chain_key
from comity.register.rows.duties import DutiesRow, LaidRow, duties_key, laid_key
from comity.register.verdict import Consequence, Context, Put


def _subjects(facts: Facts, record: Record) -> tuple[str, ...]:
    """About what the record that a verdict returns has opened duties; of a consignment the verdict says it."""
    body = cast("Returned", record.body)
    if body.item is not None:
        return (consignment_subject(body.item, body.record),)
    key = laid_key(record.statement.relationship, body.record)
    if key not in facts:  # it is still to be read
        return ()
    row = cast("LaidRow | None", facts[key])
    return row.subjects if row is not None else ()


def _reads(_: Context, facts: Facts, record: Record) -> list[Key]:
    if not isinstance(record.body, Returned):
        return []
    relationship = record.statement.relationship
    subjects = _subjects(facts, record)
    return [laid_key(relationship, record.body.record), *(duties_key(relationship, each) for each in subjects)]


def _apply(context: Context, facts: Facts, record: Record, puts: Sequence[Put]) -> list[Put]:
    statement = record.statement
    if isinstance(record.body, Returned):
        return [] if statement.author == context.party else _ended(facts, record, puts)
    if statement.author != context.party or statement.relationship == DOMESTIC or isinstance(record.body, Consigned):
        return []
    opened = [
        put.row.subject
        for put in puts
        if isinstance(put.row, DutiesRow) and any(duty.opened == record.id for duty in put.row.duties)
    ]
    row = LaidRow(subjects=tuple(opened), sequence=statement.sequence)
    return [Put(laid_key(statement.relationship, record.id), row)] if opened else []


def _ended(facts: Facts, record: Record, puts: Sequence[Put]) -> list[Put]:
    body, relationship = cast("Returned", record.body), record.statement.relationship
    if _had_taken(facts, record):
        return []
    written = {put.key: put.row for put in puts}
    changed: list[Put] = []
    for subject in _subjects(facts, record):
        key = duties_key(relationship, subject)
        book = DutyBook(relationship, subject, cast("DutiesRow | None", written.get(key, facts[key])))
        book.void(body.record, record)
        changed += book.puts()
    return changed


def _had_taken(facts: Facts, record: Record) -> bool:
    """Whether the author of a verdict had cited the record that it returns, before: then he had taken it."""
    body, statement = cast("Returned", record.body), record.statement
    laid = cast("LaidRow | None", facts[laid_key(statement.relationship, body.record)])
    chain = cast("ChainRow | None", facts[chain_key(statement.chain)])
    return laid is not None and chain is not None and chain.seen > laid.sequence


VOID_DUTIES = Consequence(_reads, _apply)
"""What follows from a returned record for the duties that it had opened."""
