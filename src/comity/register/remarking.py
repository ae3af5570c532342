"""The proof that what was given is marked as it should be (Articles 4.2, 6(g); ``spec/ending.md`` steps 13 to 16)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import cast

import msgspec

from comity.agreement.equivalence import equivalents, level_of
from comity.agreement.model import Agreement
from comity.marking.label import Label
from comity.record import bodies
from comity.record.bodies.ending import Remarked
from comity.record.statement import Record
from comity.register.levels import under_mark
from comity.register.marks import marks_more, marks_reads, possible_marks
from comity.register.occasions import BY_HAND, consignment_subject
from comity.register.officers import check_officer, officer_key
from comity.register.roles import REGISTRY
from comity.register.rows import AgreementRow, Facts, ItemRow, Key, copy_key
from comity.register.rows.ending import ChangeRow, HoldingRow, LevelRow, change_key, holding_key, level_key
from comity.register.rows.lineage import DerivativeRow, derivative_key
from comity.register.verdict import Context, Discharge, Occasions, Occurrence, Put, Rule, check_after, need, no

DECLASSIFIED = 0
"""The rank of what carries no mark: below every level."""


def rank_of(agreement: Agreement, party: str, mark: str) -> int:
    """The rank of a mark of ``party``; ``DECLASSIFIED`` where there is none.

    Raises:
        Rejected: the party has no such mark.
    """
    return level_of(agreement, party, mark).rank if mark else DECLASSIFIED


def _remarked_reads(_: Context, record: Record) -> list[Key]:
    body, relationship = cast("Remarked", record.body), record.statement.relationship
    keys = [
        (AgreementRow.table, relationship),
        *marks_reads(relationship, body.item),
        *(key for child in body.children for key in marks_reads(relationship, child.item)),
        *(copy_key(relationship, body.item, number) for number in body.copies),
    ]
    if body.change is not None:
        keys.append(change_key(relationship, body.item, body.change))
    return [*keys, officer_key(record)] if body.signature is not None else keys


def _remarked_more(_: Context, facts: Facts, record: Record) -> list[Key]:
    body, relationship = cast("Remarked", record.body), record.statement.relationship
    above: set[str] = set()
    for item in (body.item, *(child.item for child in body.children)):
        row = cast("HoldingRow | None", facts[holding_key(relationship, item)])
        above.update(row.above if row is not None else ())
    changes = marks_more(facts, relationship, body.item)
    return [*changes, *(key for item in sorted(above) for key in marks_reads(relationship, item))]


def _answered(facts: Facts, record: Record) -> tuple[str, ...]:
    """(16) The changes that this proof answers: the one it names, and those before it that it makes superfluous."""
    body = cast("Remarked", record.body)
    level = cast("LevelRow | None", facts[level_key(record.statement.relationship, body.item)])
    pending = level.pending if level is not None else ()
    if body.more or body.change not in pending:
        return ()
    return pending[: pending.index(body.change) + 1]


def _remarked(context: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("Remarked", record.body), record.statement
    relationship, author = statement.relationship, statement.author
    holding: HoldingRow = need(facts, holding_key(relationship, body.item), "item given in this relationship as")
    if holding.keeper != author:
        raise no("not-recipient", f"{author!r} does not keep item {body.item!r} and cannot say how it is marked there")
    measure = _Measure(context, facts, record)
    shape = measure.shape(body.item)
    children = [need(facts, derivative_key(relationship, child.item), "derivative") for child in body.children]
    _check_stamped(facts, record, body, [shape.form, *(child.form for child in children)])
    found = cast("LevelRow | None", facts[level_key(relationship, body.item)])
    level = found or LevelRow(given=holding.given, mark=holding.given)
    check_after(body.after, level.marking)
    given = _given(facts, record, level, shape)
    _check_named(facts, record)
    measure.marks = {body.item: body.mark, **{child.item: child.mark for child in body.children}}
    puts: list[Put] = []
    if isinstance(shape, DerivativeRow):
        puts += measure.child(shape, body.mark)
    else:
        _check_mark(measure.agreement, shape.label, given, author, body.mark)  # (14)
    for child, made in zip(body.children, children, strict=True):
        puts += measure.child(made, child.mark)
    puts += measure.families()
    if body.more:
        return puts
    answered = _answered(facts, record)
    if answered:
        measure.check_below(body.item, body.mark)
    if isinstance(shape, ItemRow) and author == context.party and given == level.mark:
        alternative = msgspec.structs.replace(shape.label, policy=author, mark=body.mark)
        puts.append(Put((ItemRow.table, body.item), msgspec.structs.replace(shape, alternative=alternative)))
    for each in answered:
        key = change_key(relationship, body.item, each)
        row: ChangeRow = need(facts, key, "change of level")
        puts.append(Put(key, msgspec.structs.replace(row, remarked=record.id, remarked_at=statement.at)))
    level = msgspec.structs.replace(
        level,
        marked=body.mark,
        marked_for=body.change or "",
        marking=record.id,
        pending=level.pending[len(answered) :],
    )
    return [*puts, Put(level_key(relationship, body.item), level)]


def _given(facts: Facts, record: Record, level: LevelRow, shape: ItemRow | DerivativeRow) -> str:
    """(14, 16) The originator's mark by which the proof goes: of the change it names, or the one it was given under.

    Raises:
        Rejected: the recipient knew of another one.
    """
    body, relationship = cast("Remarked", record.body), record.statement.relationship
    given = level.given
    if body.change is not None:
        change: ChangeRow = need(facts, change_key(relationship, body.item, body.change), "change of level")
        given = change.mark
    if isinstance(shape, ItemRow) and given not in possible_marks(facts, relationship, body.item, record):
        raise no("stale-act", f"the level of {body.item!r} was changed since; mark it as it is now")
    return given


def _check_named(facts: Facts, record: Record) -> None:
    """(15) The copies that it names are there, and what was made from the item is named once."""
    body, relationship = cast("Remarked", record.body), record.statement.relationship
    for number in body.copies:
        need(facts, copy_key(relationship, body.item, number), "copy")
    if len({child.item for child in body.children}) != len(body.children):
        raise no("child-twice", "something that was made from it is named twice")
    for child in body.children:
        kept = cast("HoldingRow | None", facts[holding_key(relationship, child.item)])
        if kept is None or body.item not in kept.above:
            raise no("other-child", f"{child.item!r} was not made from item {body.item!r}")


def _check_stamped(facts: Facts, record: Record, body: Remarked, forms: Sequence[str]) -> None:
    """(13) What the node does not render itself was stamped by somebody, who signs for it."""
    if body.signature is None:
        stamped = [form for form in forms if form in BY_HAND]
        if stamped:
            raise no("unsigned-act", f"somebody stamps what is {stamped[0]}, and signs for it; no register does it")
        if body.by is not None:
            raise no("other-signer", f"it names {body.by!r}, who has not signed it")
        return
    check_officer(facts, record, REGISTRY)


def _check_mark(agreement: Agreement, label: Label, given: str, author: str, mark: str) -> None:
    """(14) The recipient's mark is one of those that correspond to the originator's."""
    marks = equivalents(agreement, label.policy, given, author).marks if given else ("",)
    if mark not in marks:
        shown = " or ".join(map(repr, marks)) if given else "without any mark"
        raise no("wrong-mark", f"{given!r} stands there as {shown}, and as nothing else")


class _Measure:
    """How high things stand on the side that keeps them, while one record marks some of them anew.

    An ancestor's level is what that side itself has last said of it, so that both sides measure alike whatever is on
    its way between them.
    """

    def __init__(self, context: Context, facts: Facts, record: Record) -> None:
        self.facts = facts
        self.relationship = record.statement.relationship
        self.author = record.statement.author
        self.at_home = self.author == context.party
        agreement: AgreementRow = need(facts, (AgreementRow.table, self.relationship), "agreement")
        self.agreement = context.agreement(agreement.digest)
        self.marks: dict[str, str] = {}
        self.moved: dict[str, Counter[str]] = {}

    def shape(self, item: str) -> ItemRow | DerivativeRow:
        """What is known of an item that was given, or made, in the relationship."""
        made = cast("DerivativeRow | None", self.facts[derivative_key(self.relationship, item)])
        row = cast("ItemRow | None", self.facts[ItemRow.table, item])
        if made is None and row is None:
            raise no("unknown-item", f"there is no item {item!r} in the register")
        return cast("ItemRow | DerivativeRow", made or row)

    def child(self, row: DerivativeRow, mark: str) -> list[Put]:
        """(15) Something that was made, under its new mark, in the relationship and in its maker's own house.

        Raises:
            Rejected: its maker does not have that mark, or it would stand below what it was made from.
        """
        if row.maker != self.author:
            raise no("not-maker", f"{row.item!r} was made by {row.maker!r}, not by {self.author!r}")
        rank = rank_of(self.agreement, self.author, mark)
        holding = cast("HoldingRow | None", self.facts[holding_key(self.relationship, row.item)])
        for above in holding.above if holding is not None else ():
            if rank < self._rank(above):
                raise no("below-ancestor", f"{row.item!r} is marked {mark!r}, below {above!r} from which it was made")
        for above in holding.above if holding is not None else ():
            self.moved.setdefault(above, Counter()).update({mark: 1})
            self.moved[above].subtract({row.label.mark: 1})
        made = msgspec.structs.replace(row, label=under_mark(row.label, mark))
        puts = [Put(derivative_key(self.relationship, row.item), made)]
        item = cast("ItemRow | None", self.facts[ItemRow.table, row.item])
        if item is not None and self.at_home:
            at_home = msgspec.structs.replace(item, label=under_mark(item.label, mark))
            puts.append(Put((ItemRow.table, row.item), at_home))
        return puts

    def families(self) -> list[Put]:
        """What was made from each item, counted by its marks, after this record."""
        return [Put(holding_key(self.relationship, item), row) for item, row in self._families().items()]

    def _families(self) -> dict[str, HoldingRow]:
        found = {}
        for item, moved in self.moved.items():
            row = cast("HoldingRow | None", self.facts[holding_key(self.relationship, item)])
            if row is not None:
                found[item] = row.with_made(moved)
        return found

    def check_below(self, item: str, mark: str) -> None:
        """(15) Nothing that was made from an item stands below it once the proof of its level is given.

        Raises:
            Rejected: something does, which no part of the proof has named.
        """
        row = self._families().get(item) or cast("HoldingRow", self.facts[holding_key(self.relationship, item)])
        rank = rank_of(self.agreement, self.author, mark)
        for other, count in row.made:
            if count and rank_of(self.agreement, self.author, other) < rank:
                raise no("below-ancestor", f"{count} made from {item!r} are still marked {other!r}, below {mark!r}")

    def _rank(self, item: str) -> int:
        if item in self.marks:
            return rank_of(self.agreement, self.author, self.marks[item])
        made = cast("DerivativeRow | None", self.facts[derivative_key(self.relationship, item)])
        if made is not None:
            return rank_of(self.agreement, self.author, made.label.mark)
        level = cast("LevelRow | None", self.facts[level_key(self.relationship, item)])
        if level is not None and level.marked is not None:
            return rank_of(self.agreement, self.author, level.marked)
        holding = cast("HoldingRow | None", self.facts[holding_key(self.relationship, item)])
        row = cast("ItemRow | None", self.facts[ItemRow.table, item])
        if row is None or holding is None:
            return DECLASSIFIED
        return rank_of(self.agreement, row.label.policy, holding.given)


def _proof_occasions(_: Context, facts: Facts, record: Record) -> list[Occurrence | Discharge]:
    """With its last part the proof answers changes, and shows the mark at receipt (4.2) too, whatever it answers."""
    body = cast("Remarked", record.body)
    if body.more:
        return []
    item = cast("ItemRow | None", facts[ItemRow.table, body.item])
    given: Iterable[bytes] = item.consignments if item is not None else ()
    return [
        *(Discharge(deed="re-mark", subject=change) for change in _answered(facts, record)),
        *(Discharge(deed="mark", subject=consignment_subject(body.item, each)) for each in given),
    ]


REMARKING_RULES: dict[type[bodies.Body], Rule] = {Remarked: Rule(_remarked_reads, _remarked, _remarked_more)}
"""The rule of the record type."""
REMARKING_OCCASIONS: dict[type[bodies.Body], Occasions] = {Remarked: _proof_occasions}
"""Of what it is an occasion."""
