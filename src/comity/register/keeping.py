"""Whose a copy is, and who may speak about it (Article 9; ``spec/custody.md`` steps 3 to 5 and 10)."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

from comity.record.statement import Record
from comity.register.officers import officer_key
from comity.register.roles import REGISTRY
from comity.register.rows import AgreementRow, ConsignmentRow, CopyRow, DirectoryRow, Facts, Key, copy_key
from comity.register.rows.lineage import DerivativeRow, derivative_key
from comity.register.verdict import Context, need, no


class Held(NamedTuple):
    """A copy, the party whose people hold it, and the other one."""

    copy: CopyRow
    keeper: str
    other: str


def copy_of(record: Record) -> Key:
    """Key of the copy that a record of custody is about."""
    body: Any = record.body
    return copy_key(record.statement.relationship, body.item, body.copy)


def reads(_: Context, record: Record) -> list[Key]:
    """The rows on which it depends who may say a record of custody."""
    body: Any = record.body
    relationship = record.statement.relationship
    return [copy_of(record), derivative_key(relationship, body.item), officer_key(record)]


def more(_: Context, facts: Facts, record: Record) -> list[Key]:
    """The rows on which that depends besides, which the copy names."""
    copy = cast("CopyRow | None", facts[copy_of(record)])
    return [] if copy is None else [(ConsignmentRow.table, copy.consignment.hex())]


def held_copy(context: Context, facts: Facts, record: Record) -> Held:
    """(3) The copy that a record is about, and whose it is to speak about it.

    Raises:
        Rejected: there is no such copy.
    """
    body: Any = record.body
    statement = record.statement
    copy: CopyRow = need(facts, copy_of(record), "copy")
    consignment = cast("ConsignmentRow | None", facts[ConsignmentRow.table, copy.consignment.hex()])
    made = cast("DerivativeRow | None", facts[derivative_key(statement.relationship, body.item)])
    agreement: AgreementRow = need(facts, (AgreementRow.table, statement.relationship), "agreement")
    if consignment is not None:
        keeper = agreement.peer if consignment.author == context.party else context.party
    elif made is not None:
        keeper = made.maker
    else:
        raise no("unknown-copy", f"nothing in the register says how copy {body.copy} of {body.item!r} was made")
    return Held(copy, keeper, agreement.peer if keeper == context.party else context.party)


def check_keeper(held: Held, record: Record) -> None:
    """(3) Its keeper says it."""
    if record.statement.author != held.keeper:
        raise no(
            "not-keeper",
            f"copy {held.copy.number} is with people of {held.keeper!r}; {record.statement.author!r} cannot say what "
            "they did with it (Article 9)",
        )


def check_holder(held: Held, officer: DirectoryRow) -> None:
    """(4) The holder acts on his copy, or the registry that keeps it for him."""
    if officer.pseudonym != held.copy.holder and REGISTRY not in officer.roles:
        raise no(
            "not-holder",
            f"copy {held.copy.number} is held by {held.copy.holder!r}, not by {officer.pseudonym!r} (Article 9)",
        )


def check_state(copy: CopyRow, *states: str) -> None:
    """(5) The copy is in one of these states."""
    if copy.state not in states:
        raise no("copy-state", f"copy {copy.number} is {copy.state}, not {' or '.join(states)}")


def sides_of_way(copy: CopyRow, keeper: str, other: str) -> tuple[str, ...]:
    """(10) The parties whose carriers may have a copy on its way, in the order in which it comes into their hands.

    Args:
        copy: the copy.
        keeper: party whose people hold it.
        other: the other party of the relationship.

    Returns:
        Nobody for what is not on its way, and for what is sealed and sent and has nothing that travels.
    """
    if copy.sent is None:
        return ()
    if copy.going_back:
        return keeper, other
    if copy.taker == copy.holder:  # it was given, and nobody of its keeper has signed for it yet
        return other, keeper
    return (keeper,)


def check_at_hand(copy: CopyRow) -> None:
    """(4) The copy is held, and nothing else is under way with it."""
    check_state(copy, "held")
    if not copy.at_hand:
        raise no("copy-closed", f"copy {copy.number} is being destroyed (certificate {copy.certificate!r})")
