"""What happened to an item: events from the rows of every area, in no order yet (``item_story.py`` puts them in one).

Each is found by the item's own key or by an index that begins with it. A viewer hears of his own copies, of what was
shown to him and of his own decisions; whoever gave the item, and those who answer for the register, hear of all.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import cast

import msgspec

from comity.flows.deciding.explaining import may_see_decision
from comity.flows.deciding.recorded import recorded
from comity.flows.deciding.visibility import Sight
from comity.flows.house import House
from comity.flows.looking.routes import went_on
from comity.record import bodies
from comity.record.statement import DOMESTIC, read_kept, understand
from comity.register.rows import ConsignmentRow, DecisionRow, ItemRow, PersonRow
from comity.register.rows.consents import ConsentAskedRow, ConsentRow, PassedOnRow, ShownRow
from comity.register.rows.custody import LinkRow
from comity.register.rows.duties import ItemDutyRow
from comity.register.rows.ending import ChangeRow, EndedRow, RecallRow
from comity.register.rows.incidents import IncidentRow, SuspicionRow
from comity.register.rows.lineage import ChildRow, DerivativeRow

OPENINGS_TOLD = 64
"""Newest openings of a copy that are told; the register names as many."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to an item.

    Attributes:
        at: when, by the clock of whoever said it.
        what: in one or two words, such as ``opened`` or ``level changed``.
        relationship: where; empty in this house alone.
        by: pseudonym, party or person that did it; empty where nobody is named.
        copy: of which copy; None for the item.
        says: the rest, in words.
        record: the record, in hex; empty where several say it.
        not_before, not_after: what bounds its time by the clocks of others, where that was asked for.
    """

    at: datetime
    what: str
    relationship: str = ""
    by: str = ""
    copy: int | None = None
    says: str = ""
    record: str = ""
    not_before: datetime | None = None
    not_after: datetime | None = None


class Telling:
    """What happened to one item, told to one viewer."""

    def __init__(self, house: House, sight: Sight, item: ItemRow) -> None:
        self.house = house
        self.sight = sight
        self.item = item

    async def wide(self) -> bool:
        """Whether the viewer sees more of the item than his own copies."""
        return await self.sight.sees_all_copies(self.item)

    async def events(self, places: tuple[str, ...]) -> AsyncIterator[Event]:
        """Everything that happened, in no order yet."""
        item = self.item
        came = item.relationship != DOMESTIC
        yield _event(item.registered, "received" if came else "registered", f"as {item.form}")
        async for event in self._decisions():
            yield event
        async for event in self._given():
            yield event
        changes: set[str] = set()
        for relationship in (*places, DOMESTIC):  # a change is told where it crossed, and else in this house
            async for event in self._levels(relationship, changes):
                yield event
        for relationship in places:
            for tell in (self._hands, self._asked_back, self._shown, self._made, self._subjects, self._onward):
                async for event in tell(relationship):
                    yield event

    async def _decisions(self) -> AsyncIterator[Event]:
        async for _key, row in self.house.rows(DecisionRow, f"{self.item.item}/"):
            if not self.sight.everything:
                decided = await recorded(self.house, row.record)
                if decided is None or not await may_see_decision(self.house, self.sight, decided):
                    continue
            yield _event(row.at, "decided", f"{row.act}: {row.outcome}", record=row.record)

    async def _given(self) -> AsyncIterator[Event]:
        """What carried it, told to whoever may see one of its copies."""
        for record in self.item.consignments:
            row = await self.house.row(ConsignmentRow, record.hex())
            if row is None:
                continue
            place = row.relationship
            seen = {copy.number async for copy in self.sight.copies(place, self.item)}
            numbers = [number for number in row.copies if number in seen]
            if not numbers:
                continue
            says = f'{len(numbers)} copies, for "{row.purpose}"'
            if len(numbers) == 1:
                says = f'copy {numbers[0]}, for "{row.purpose}"'
            yield _event(row.at, "given", says, place, row.author, record=record)
            if row.received is not None:
                yield _event(row.received, "receipted", relationship=place, record=row.receipt)
            if row.returned is not None:
                yield _event(row.at, "came back undelivered", row.returned, place)

    async def _hands(self, relationship: str) -> AsyncIterator[Event]:
        """Chains of custody, and openings."""
        async for copy in self.sight.copies(relationship, self.item):
            key = f"{relationship}/{copy.item}/{copy.number:06d}"
            async for _key, link in self.house.rows(LinkRow, f"{key}/"):
                what, to = KINDS.get(link.kind, link.kind), f"to {link.to}" if link.to else ""
                yield _event(link.at, what, to, relationship, link.by or link.author, copy.number, link.record)
            for record in copy.openings[-OPENINGS_TOLD:]:
                entry = await self.house.store.find(record)
                if entry is not None:
                    said = understand(read_kept(entry.envelope, record))
                    opened = cast("bodies.Opened", said.body)  # its holder then, who may have handed it over since
                    says = f'for "{opened.purpose}"'
                    yield _event(said.statement.at, "opened", says, relationship, opened.holder, copy.number, record)
            passed = await self.house.row(PassedOnRow, key)
            if passed is not None and passed.receipted is not None:
                says = f"of {passed.beneficiary}: {passed.receipt}"
                yield _event(passed.receipted, "receipt seen", says, relationship, copy=copy.number)

    async def _levels(self, relationship: str, told: set[str]) -> AsyncIterator[Event]:
        """The changes of level there, without those that were ``told`` as this house's own; they are added."""
        async for _key, row in self.house.rows(ChangeRow, f"{relationship}/{self.item.item}/"):
            if relationship == DOMESTIC and row.change in told:
                continue
            told.add(row.change)
            says = f"{row.before} to {row.mark or 'no mark'}: {row.reason}"
            place, by = ("", await self._of_this_house(row.by)) if relationship == DOMESTIC else (relationship, row.by)
            yield _event(row.at, "level changed", says, place, by, record=row.record)
            if row.remarked_at is not None:
                yield _event(row.remarked_at, "re-marked", "", place, record=row.remarked)

    async def _of_this_house(self, person: str) -> str:
        """What somebody of this house is called where he has no pseudonym."""
        row = await self.house.row(PersonRow, person)
        return row.function if row is not None else person

    async def _asked_back(self, relationship: str) -> AsyncIterator[Event]:
        key = f"{relationship}/{self.item.item}"
        recall = await self.house.row(RecallRow, key)
        if recall is not None:
            says = f"{recall.asks}: {recall.reason}"
            yield _event(recall.at, "recalled", says, relationship, recall.by, record=recall.record)
            if recall.lifted is not None:
                yield _event(recall.lifted, "recall lifted", recall.lifted_reason, relationship)
        ended = await self.house.row(EndedRow, key)
        if ended is not None:
            yield _event(ended.at, "no longer needed", ended.reason, relationship, ended.by, record=ended.record)

    async def _shown(self, relationship: str) -> AsyncIterator[Event]:
        person = self.sight.person
        name = "" if person is None else self.house.pseudonym(relationship, person.person)
        wide = await self.wide()
        async for _key, row in self.house.rows(ShownRow, f"{relationship}/{self.item.item}/"):
            if wide or name in (*row.to, row.by):
                says = f"{row.manner}, to {', '.join(row.to if wide else (name,))}"
                yield _event(row.shown, "shown", says, relationship, row.by, record=row.record)

    async def _made(self, relationship: str) -> AsyncIterator[Event]:
        """How it was made, and what was made from it."""
        own = await self.house.row(DerivativeRow, f"{relationship}/{self.item.item}")
        if own is not None:
            says = f"from {', '.join(own.ancestors)}"
            yield _event(own.at, f"made: {own.relation}", says, relationship, own.by, record=own.record)
        async for _key, child in self.house.rows(ChildRow, f"{relationship}/{self.item.item}/"):
            row = await self.house.row(DerivativeRow, f"{relationship}/{child.item}")
            if row is not None and (await self.wide() or await self.sight.item(child.item) is not None):
                what = f"made from it: {row.relation}"
                yield _event(row.at, what, child.item, relationship, row.by, record=row.record)

    async def _onward(self, relationship: str) -> AsyncIterator[Event]:
        """To whom it was handed on, and what came back from there."""
        if not await self.wide():
            return
        async for each in went_on(self.house, relationship, self.item.item):
            says = f"to {each.to}, as {each.mark}, by consent {each.consent}"
            yield _event(each.at, "handed on", says, relationship, record=bytes.fromhex(each.record))
            if each.received is not None:
                says = f"by its own letter, as {each.mark_there}" if each.mark_there else "by its own letter"
                yield _event(each.received, f"receipted by {each.to}", says, relationship)

    async def _subjects(self, relationship: str) -> AsyncIterator[Event]:
        """What has a name of its own and is about the item: incidents, and consents that were asked for."""
        if not await self.wide():
            return
        names = {row.subject async for _, row in self.house.rows(ItemDutyRow, f"{relationship}/{self.item.item}/")}
        suspicion = await self.house.row(SuspicionRow, f"{relationship}/{self.item.item}")
        names.update(suspicion.incidents if suspicion is not None else ())
        for name in sorted(names):
            incident = await self.house.row(IncidentRow, f"{relationship}/{name}")
            if incident is not None:
                for event in _incident_events(relationship, incident):
                    yield event
            asked = await self.house.row(ConsentAskedRow, f"{relationship}/{name}")
            if asked is not None:
                given = f"{relationship}/{asked.consent}" if asked.consent is not None else None
                answer = await self.house.row(ConsentRow, given) if given is not None else None
                for event in _consent_events(relationship, asked, answer):
                    yield event


def _event(
    at: datetime,
    what: str,
    says: str = "",
    relationship: str = "",
    by: str = "",
    copy: int | None = None,
    record: bytes | None = None,
) -> Event:
    named = record.hex() if record is not None else ""
    return Event(at=at, what=what, relationship=relationship, by=by, copy=copy, says=says, record=named)


def _incident_events(relationship: str, row: IncidentRow) -> list[Event]:
    later = (
        (row.investigated, "investigated", row.investigation),
        (row.followed, "followed up", ""),
        (row.reported, "result told", row.result),
        (row.released, "released", row.release),
        (row.closed, "incident closed", "false alarm" if row.false_alarm else row.reason),
    )
    first = _event(row.at, f"{row.what}: {row.incident}", row.circumstances, relationship, row.by, record=row.record)
    return [first, *(_event(at, what, says, relationship) for at, what, says in later if at is not None)]


def _consent_events(relationship: str, asked: ConsentAskedRow, answer: ConsentRow | None) -> list[Event]:
    says = f'{", ".join(asked.acts)} for {", ".join(asked.beneficiaries)}, "{asked.purpose}"'
    found = [_event(asked.at, "consent asked", says, relationship, asked.function or asked.author, record=asked.record)]
    if answer is not None:
        what = "consent given" if answer.granted else "consent refused"
        found.append(_event(answer.at, what, answer.reason, relationship, answer.by, record=answer.record))
        if answer.withdrawn is not None:
            found.append(
                _event(answer.withdrawn, "consent withdrawn", answer.withdrawal_reason, relationship, answer.by)
            )
    return found


KINDS = {
    "reproduction/1": "copied",
    "derivation/1": "copy made",
    "hand-over/1": "handed over",
    "carriage/1": "carried",
    "take-over/1": "taken over",
    "copy-lost/1": "lost",
    "copy-found/1": "found again",
    "return/1": "sent back",
    "return-receipt/1": "taken back",
    "destruction/1": "destroyed",
    "destruction-witness/1": "destruction witnessed",
    "pass-on/1": "passed on",
    "verdict/1": "came back undelivered",
}
"""What a link of custody says, in a word or two."""
