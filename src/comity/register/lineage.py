"""What is made from received information: the rule of its record (Articles 4.3, 15; ``spec/lineage.md``).

The rule serves both sides. What the other party may have changed without the maker knowing (a level, a recall) is held
against him only as far as his record shows that he knew; in his own house it always is.
"""

from __future__ import annotations

from typing import cast

import msgspec

from comity.agreement.equivalence import level_of
from comity.agreement.model import Agreement
from comity.agreement.vocabulary import Language
from comity.errors import Rejected
from comity.marking.label import Label
from comity.record import bodies
from comity.record.bodies.lineage import ANCESTORS_MAX, Derived
from comity.record.statement import DOMESTIC, Record
from comity.register.marks import marks_more, marks_reads, possible_marks
from comity.register.occasions import BY_HAND
from comity.register.officers import check_officer, officer_key
from comity.register.rows import (
    AgreementRow,
    CopyRow,
    DirectoryRow,
    Facts,
    ItemRow,
    Key,
    copy_key,
    directory_key,
)
from comity.register.rows.ending import HoldingRow, RecallRow, holding_key, recall_key
from comity.register.rows.lineage import ChildRow, DerivativeRow, child_key, derivative_key
from comity.register.sides import other_party
from comity.register.verdict import Context, Discharge, Occasions, Occurrence, Put, Rule, need, no

WITHOUT_COPIES = frozenset({"oral", "visual"})
"""Forms in which something is said or seen, and nothing stays."""


class Known(msgspec.Struct, frozen=True):
    """An ancestor's label, and the marks by which its maker may have gone: several where he may not know the newest."""

    label: Label
    marks: tuple[str, ...]


def _derived_reads(_: Context, record: Record) -> list[Key]:
    body, statement = cast("Derived", record.body), record.statement
    relationship = statement.relationship
    keys = [
        (AgreementRow.table, relationship),
        (ItemRow.table, body.item),
        derivative_key(relationship, body.item),
        officer_key(record),
    ]
    for each in body.ancestors:
        keys += (
            *marks_reads(relationship, each.item),
            copy_key(relationship, each.item, each.copy),
            recall_key(relationship, each.item),
        )
    for copy in body.copies:
        keys.append(copy_key(relationship, body.item, copy.number))
        keys.append(directory_key(relationship, statement.author, copy.holder))
    return keys


def _derived_more(_: Context, facts: Facts, record: Record) -> list[Key]:
    body, relationship = cast("Derived", record.body), record.statement.relationship
    keys = []
    for each in body.ancestors:
        keys += marks_more(facts, relationship, each.item)
        keys += (recall_key(relationship, above) for above in _above(facts, relationship, each.item))
    return keys


def _above(facts: Facts, relationship: str, item: str) -> tuple[str, ...]:
    """Everything that an item was made from in one relationship."""
    holding = cast("HoldingRow | None", facts[holding_key(relationship, item)])
    return holding.above if holding is not None else ()


def _derived(context: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("Derived", record.body), record.statement
    relationship, author = statement.relationship, statement.author
    row: AgreementRow = need(facts, (AgreementRow.table, relationship), "agreement")
    agreement = context.agreement(row.digest)
    if body.agreement != row.digest:  # (3)
        raise no("other-digest", f"made under another text of {row.agreement!r} than the one adopted here")
    check_officer(facts, record)
    _check_new(context, facts, record)
    labels = [_ancestor(context, facts, record, each) for each in body.ancestors]
    _check_label(agreement, body, author, labels)
    _check_note(agreement, body)
    ancestors = tuple(sorted(each.item for each in body.ancestors))
    derivative = DerivativeRow(
        item=body.item,
        record=record.id,
        maker=author,
        relation=body.relation,
        ancestors=ancestors,
        label=body.label,
        form=body.form,
        topic=body.topic,
        subject=body.subject,
        purpose=body.purpose,
        language=body.language or "",
        note=body.note,
        agreement=body.agreement,
        payload=body.payload,
        size=body.size,
        content=body.content,
        copies=len(body.copies),
        by=body.by,
        at=statement.at,
    )
    child = ChildRow(item=body.item, relation=body.relation)
    return [
        Put(derivative_key(relationship, body.item), derivative),
        *(Put(child_key(relationship, each, body.item), child) for each in ancestors),
        *_copies(facts, record),
    ]


def _check_new(context: Context, facts: Facts, record: Record) -> None:
    """(4) Its id is free; in the maker's house it is the item that was just registered from these ancestors."""
    body, statement = cast("Derived", record.body), record.statement
    ancestors = [each.item for each in body.ancestors]
    if body.item in ancestors:
        raise no("cycle", f"item {body.item!r} cannot be made from itself")
    if len(set(ancestors)) != len(ancestors):
        raise no("ancestor-twice", "an ancestor is named twice")
    above = (_above(facts, statement.relationship, each) for each in ancestors)
    if len({*ancestors, *(each for every in above for each in every)}) > ANCESTORS_MAX:  # (1)
        raise no("lineage-too-long", f"item {body.item!r} would have more than {ANCESTORS_MAX} ancestors")
    if facts[derivative_key(statement.relationship, body.item)] is not None:
        raise no("item-exists", f"item {body.item!r} was already made")
    item = cast("ItemRow | None", facts[ItemRow.table, body.item])
    if statement.author != context.party:
        if item is not None:
            raise no("item-exists", f"item {body.item!r} is already registered")
        return
    registered: ItemRow = need(facts, (ItemRow.table, body.item), "item")
    if registered.relationship != DOMESTIC or not set(ancestors) <= set(registered.contains):
        raise no("other-item", f"item {body.item!r} is registered as something else")
    for field in ("form", "topic", "subject", "content"):
        if getattr(registered, field) != getattr(body, field):
            raise no("other-item", f"item {body.item!r} is registered with another {field}")


def _ancestor(context: Context, facts: Facts, record: Record, named: bodies.lineage.Ancestor) -> Known:
    """(5) The ancestor's label, once it is shown that its maker held a copy of it, and that nobody wants it back."""
    body, statement = cast("Derived", record.body), record.statement
    relationship = statement.relationship
    made = cast("DerivativeRow | None", facts[derivative_key(relationship, named.item)])
    item = cast("ItemRow | None", facts[ItemRow.table, named.item])
    copy = cast("CopyRow | None", facts[copy_key(relationship, named.item, named.copy)])
    ours = statement.author == context.party
    if made is not None and made.maker == statement.author:
        label = made.label
    elif item is not None and (item.relationship == relationship) == ours:  # it came by this relationship
        label = item.label
    else:
        raise no("not-received", f"item {named.item!r} was not given to {statement.author!r} in this relationship")
    if copy is None:
        raise no("unknown-copy", f"there is no copy {named.copy} of {named.item!r} in this relationship")
    if copy.state != "held" or copy.holder != body.by:
        raise no("not-held", f"{body.by!r} does not hold copy {named.copy} of {named.item!r}")
    if not copy.at_hand:
        raise no("copy-closed", f"copy {named.copy} of {named.item!r} is being destroyed; nothing is made from it")
    for each in (named.item, *_above(facts, relationship, named.item)):
        recall = cast("RecallRow | None", facts[recall_key(relationship, each)])
        if recall is not None and recall.recalled and (ours or _seen(record, recall)):
            raise no("recalled", f"item {each!r} is recalled; nothing new is made from it")
    return _known(context, facts, record, named.item, label)


def _seen(record: Record, recall: RecallRow) -> bool:
    """Whether the author of ``record`` cites a checkpoint of the other party that has the recall."""
    return recall.author != record.statement.author and record.statement.has_seen(recall.sequence)


def _known(context: Context, facts: Facts, record: Record, item: str, label: Label) -> Known:
    """The label after changes of level, and the marks of those of which the author may not have heard."""
    statement = record.statement
    marks = possible_marks(facts, statement.relationship, item, record)
    if statement.author == context.party:
        marks = marks[:1]
    return Known(label, marks or (label.mark,))


def _check_label(agreement: Agreement, body: Derived, author: str, labels: list[Known]) -> None:
    """(6) The maker's own ladder, below the ceiling, and nothing of what an ancestor's label asks is lost."""
    label = body.label
    originators = {each.label.originator for each in labels}
    if label.policy != author:
        raise no("other-policy", f"{author!r} marks what it makes by its own ladder, not by that of {label.policy!r}")
    if label.originator not in originators:
        listed = ", ".join(sorted(originators))
        raise no("other-originator", f"what is made from information of {listed} is not {label.originator!r}'s")
    own = rank(agreement, label.policy, label.mark)
    if own is None:
        raise no("unknown-mark", f"{label.mark!r} is not a mark of {author!r}")
    if label.mark and not level_of(agreement, author, label.mark).crosses:
        raise no("above-ceiling", f"{label.mark!r} is above the ceiling of the agreement")
    for known in labels:
        ancestor = known.label
        ranks = [rank(agreement, ancestor.policy, mark) for mark in known.marks]
        lowest = min((each for each in ranks if each is not None), default=None)
        if lowest is not None and own < lowest:
            raise no("lower-mark", f"{label.mark!r} is below {known.marks[0]!r}, the mark of what it was made from")
        lost = sorted(set(ancestor.categories) - set(label.categories))
        if lost:
            raise no("lost-category", f"the category {lost[0]!r} of what it was made from is missing")
        wider = not label.releasable_to or not set(label.releasable_to) <= set(ancestor.releasable_to)
        if ancestor.releasable_to and wider:
            raise no("wider-release", "it may go to more parties than what it was made from")


def rank(agreement: Agreement, policy: str, mark: str) -> int | None:
    """The rank of a mark; below every level for what is declassified, None where no ladder of the agreement has it."""
    if not mark:
        return -1
    try:
        return level_of(agreement, policy, mark).rank
    except Rejected:
        return None


def _check_note(agreement: Agreement, body: Derived) -> None:
    """(7) A translation names its language and carries the agreement's note in it; nothing else does."""
    if (body.relation == "translation") != bool(body.language):
        raise no("language", "a translation names the language of translation, and nothing else does")
    expected = translation_note(agreement, body.language) if body.language else ""
    if expected is None:
        raise no("no-note", f"the agreement has no words in {body.language!r} for the note on a translation")
    if body.note != expected:
        raise no("other-note", f"the note on it is not the agreement's in {body.language!r}")


def translation_note(agreement: Agreement, language: str) -> str | None:
    """The note that a translation into ``language`` carries; empty where the agreement asks for none, None if unknown.

    An agreement asks for one by having the words; in a language without words nothing is made up.
    """
    if agreement.marking is None or agreement.marking.translation_note is None:
        return ""
    text = agreement.marking.translation_note
    known: dict[Language, str] = {"en": text.en, "ja": text.ja, "ko": text.ko}
    return known.get(cast("Language", language)) or None


def _copies(facts: Facts, record: Record) -> list[Put]:
    """(8) Numbered from 1, held from the start by people of its maker's directory; by hand, by its maker alone."""
    body, statement = cast("Derived", record.body), record.statement
    if body.form in WITHOUT_COPIES:
        raise no("form", f"what is {body.form} leaves no copy behind; it is shown, not made")
    if body.form in BY_HAND and any(copy.holder != body.by for copy in body.copies):
        raise no("by-hand", f"what is {body.form} is with who made it, until somebody else signs for it")
    if tuple(copy.number for copy in body.copies) != tuple(range(1, len(body.copies) + 1)):
        raise no("copy-number", "the copies of something new are numbered from 1, in order")
    puts = []
    for copy in body.copies:
        entry: DirectoryRow = need(
            facts, directory_key(statement.relationship, statement.author, copy.holder), "entry of the directory"
        )
        if entry.withdrawn or not entry.receives:
            raise no("not-receiving", f"{copy.holder!r} cannot receive anything new")
        key = copy_key(statement.relationship, body.item, copy.number)
        if facts[key] is not None:
            raise no("copy-number", f"copy {copy.number} of {body.item!r} was already made")
        row = CopyRow(
            item=body.item,
            number=copy.number,
            holder=copy.holder,
            state="held",
            consignment=record.id,
            header=copy.header,
            last=record.id,
        )
        puts.append(Put(key, row))
    return puts


def _made(context: Context, facts: Facts, record: Record) -> list[Occurrence | Discharge]:
    """Something was made from received information; the record carries its marks, so the marking is done with it."""
    body = cast("Derived", record.body)
    return [
        Occurrence(
            event="derivative-made",
            subject=body.item,
            originator=other_party(context, facts, record),
            item=body.item,
        ),
        Discharge(deed="mark", subject=body.item),
    ]


RULES: dict[type[bodies.Body], Rule] = {Derived: Rule(_derived_reads, _derived, _derived_more)}
"""The rule of every record type of this area."""
OCCASIONS: dict[type[bodies.Body], Occasions] = {Derived: _made}
"""Of what each of these record types is an occasion."""
