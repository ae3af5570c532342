"""Sources: what something is made from, and whether its maker may make it from that (``spec/lineage.md``)."""

from __future__ import annotations

import msgspec

from comity.errors import Misuse, Refused
from comity.flows.deciding.lineage import agreements, ancestors_of, relationships_of
from comity.flows.deciding.visibility import may_see, no_item
from comity.flows.house import House
from comity.marking.label import Label
from comity.record.statement import DOMESTIC
from comity.register.lineage import translation_note
from comity.register.rows import AgreementRow, CopyRow, ItemRow, PersonRow
from comity.register.rows.ending import RecallRow
from comity.register.rows.lineage import DerivativeRow


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Something to make from: an item with the agreements that protect it.

    Attributes:
        item: its row here.
        rows: the agreements, by relationship; the first is the one it is decided under.
        made: how it was made, by relationship, where it was made here itself.
    """

    item: ItemRow
    rows: dict[str, AgreementRow]
    made: dict[str, DerivativeRow]

    @property
    def row(self) -> AgreementRow:
        """The agreement it is decided under."""
        return next(iter(self.rows.values()))

    def label(self, relationship: str) -> Label:
        """Its label as that relationship knows it."""
        made = self.made.get(relationship)
        return self.item.label if made is None else made.label


async def source_of(house: House, name: str, person: PersonRow) -> Source:
    """An item that somebody names, with the agreements that protect it.

    Raises:
        Misuse: there is none for him, or it is this house's own.
    """
    item = await house.row(ItemRow, name)
    if item is None:
        raise no_item(name)
    relationships = await relationships_of(house, name)
    if not relationships:
        if not await may_see(house, item, person):
            raise no_item(name)
        raise Misuse(
            f"item {name!r} is this house's own; what is made from it is registered by giving it", code="own-item"
        )
    if item.relationship != DOMESTIC:
        relationships = (item.relationship,)
    running = await agreements(house)
    made = {}
    for each in relationships:
        row = await house.row(DerivativeRow, f"{each}/{name}")
        if row is not None and row.maker == house.party:
            made[each] = row
    return Source(item=item, rows={each: running[each] for each in relationships}, made=made)


async def copy_of(house: House, source: Source, person: PersonRow) -> int:
    """(5) The copy from which the maker works: his own, by the same number in each relationship it belongs to.

    Raises:
        Refused: he holds none.
    """
    first = source.row.relationship
    mine = house.pseudonym(first, person.person)
    async for _, copy in house.rows(CopyRow, f"{first}/{source.item.item}/"):
        if copy.holder == mine and copy.at_hand:
            return copy.number
    raise Refused(
        f"this person holds no copy of {source.item.item!r}; what is made from it is made from a copy of one's own",
        code="not-holder",
    )


async def check_recall(house: House, source: Source) -> None:
    """(5) Nothing new is made from what was recalled, nor from anything made from it.

    Raises:
        Refused: it would be.
    """
    for item in (source.item.item, *await ancestors_of(house, source.item.item)):
        for relationship in source.rows:
            recall = await house.row(RecallRow, f"{relationship}/{item}")
            if recall is not None and recall.recalled:
                raise Refused(
                    f"item {item!r} was recalled on {recall.at:%Y-%m-%d} ({recall.reason}); nothing is made from it",
                    code="recalled",
                    place=recall.clause,
                )


def note_on(house: House, row: AgreementRow, language: str | None) -> str:
    """(7) The agreement's note on a translation, in the language of translation; empty where it asks for none.

    Raises:
        Refused: it has no words in that language.
    """
    if language is None:
        return ""
    agreement = house.library.agreement(row.digest)
    note = translation_note(agreement, language)
    if note is None:
        words = agreement.marking
        text = words.translation_note if words is not None else None
        known = [each for each in ("en", "ja", "ko") if text is not None and getattr(text, each)]
        raise Refused(
            f"{agreement.id!r} has no words in {language!r} for the note that a translation carries; translate into "
            f"{' or '.join(known)}, or agree on the words with {row.peer!r} and adopt a text that has them",
            code="no-note",
            place=(words.translation_clause if words is not None else None) or "",
        )
    return note
