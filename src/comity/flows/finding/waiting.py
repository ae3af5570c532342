"""What waits, as the index has it: requests, assurances, consents, recalls and receipts (``spec/index.md`` step 15)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Literal, TypeVar

import msgspec

from comity.agreement.vocabulary import GIVING_ACTS
from comity.flows.actors import Actor
from comity.flows.deciding.standings import halted
from comity.flows.deciding.visibility import Sight
from comity.flows.finding.scope import Scope, under
from comity.flows.house import House
from comity.flows.indexing.entries import RELEASERS
from comity.flows.looking.views import title_of
from comity.marking.label import Label
from comity.ports.index import Entry, Index, Place
from comity.register.holdings import LEFT
from comity.register.roles import ASSURANCE_OFFICER, RELEASE_AUTHORITY
from comity.register.rows import AskedRow, ConsignmentRow, ItemRow, RequestRow, Row
from comity.register.rows.consents import ConsentAskedRow
from comity.register.rows.ending import RecallRow
from comity.register.rows.feeding import FeedWantedRow

R = TypeVar("R", bound=Row)
COUNTED_MAX = 1_000
"""Up to how many are counted."""
LOOKED_AT_MAX = 60
"""Most entries looked at one by one, where the register has to say which of them are meant."""
PORTION_MAX = 1_000
"""Most entries looked at at once."""
NO_LIMIT = 2**62
"""For what stands under one name: that is counted as it is written."""

WaitKind = Literal[
    "approve",
    "asked",
    "assure",
    "consent",
    "recall",
    "receipt",
    "visit",
    "incident",
    "dispute",
    "negotiation",
    "note",
    "amendment",
    "feed",
    "contradiction",
]


class Wait(msgspec.Struct, frozen=True, kw_only=True):
    """Something that waits.

    Attributes:
        subject: what its page is named by.
        item, title, label: the item it is about; empty, and None, where it is about none.
        at: since when.
        due: until when an answer is asked, where somebody set a day.
        by: the other party where it asks, the handle of whoever of this house does.
        parameters: codes, numbers and names by which a page says it in words.
    """

    kind: WaitKind
    subject: str
    relationship: str
    at: datetime
    item: str = ""
    title: str = ""
    label: Label | None = None
    due: datetime | None = None
    by: str = ""
    parameters: dict[str, str] = {}


class Waits(msgspec.Struct, frozen=True, kw_only=True):
    """What waits of one kind: how many, whether there are more than that, and the first."""

    kind: WaitKind
    count: int
    more: bool
    first: tuple[Wait, ...]


class Looking(msgspec.Struct, frozen=True):
    """One look at what waits: by whom, when, and how much of each kind is told."""

    house: House
    index: Index
    scope: Scope
    sight: Sight
    actor: Actor | None
    at: datetime
    limit: int

    def acts(self, role: str) -> bool:
        """Whether it is for this viewer to do: he has the role, or is the house itself."""
        return self.scope.person is None or role in self.scope.person.roles


async def _approve(looking: Looking) -> Waits | None:
    """Requests that a release authority has not answered, of others."""
    if not looking.acts(RELEASE_AUTHORITY):
        return None
    person = "" if looking.scope.person is None else looking.scope.person.person
    entries = await to_approve(looking.index, person, looking.limit, oldest_first=True)
    done = await looking.index.count([f"approve/{person}"], limit=NO_LIMIT) if person else 0
    count = await looking.index.count(["approve"], limit=NO_LIMIT) - done
    return _waits("approve", count, [await _request(looking, "approve", each) for each in entries])


async def to_approve(index: Index, person: str, limit: int, *, oldest_first: bool = False) -> list[Entry]:
    """Up to ``limit`` requests of others that somebody has not answered; of all, where it is the house itself."""
    found: list[Entry] = []
    place, portion = None, limit
    while len(found) < limit:
        some = await index.walk(["approve"], limit=portion, beyond=place, oldest_first=oldest_first)
        over = [f"approve/{person}"] if person else []  # what he has asked or answered is among the others
        his = await index.walk(over, limit=len(some), beyond=place, oldest_first=oldest_first)
        answered = {each.key for each in his}
        found += [each for each in some if each.key not in answered]
        if len(some) < portion:
            break
        place, portion = some[-1].place, min(2 * portion, PORTION_MAX)
    return found[:limit]


async def _asked(looking: Looking) -> Waits | None:
    """His own requests, which wait for others."""
    person = looking.scope.person
    if person is None:
        return None
    names = [f"asked/{person.person}"]
    entries = await looking.index.walk(names, limit=looking.limit, oldest_first=True)
    count = await looking.index.count(names, limit=COUNTED_MAX + 1)
    return _waits("asked", count, [await _request(looking, "asked", each) for each in entries])


async def _assure(looking: Looking) -> Waits | None:
    """Assurances that another party asks of this house."""
    if not looking.acts(ASSURANCE_OFFICER):
        return None
    entries = await looking.index.walk(["assure"], limit=looking.limit, oldest_first=True)
    found = []
    for entry in entries:
        relationship, row = await _of(looking.house, AskedRow, entry)
        if row is not None:
            found.append(
                Wait(
                    kind="assure",
                    subject=row.request,
                    relationship=relationship,
                    at=row.at,
                    item=row.item,
                    label=row.label,
                    by=row.author,
                    parameters={
                        "act": row.act,
                        "topic": row.topic,
                        "purpose": row.purpose,
                        "recipients": str(len(row.recipients)),
                        "answered": str(len(row.answered)),
                        "halted": await _halted(looking, relationship),
                    },
                )
            )
    return _waits("assure", await looking.index.count(["assure"], limit=COUNTED_MAX + 1), found)


async def _consent(looking: Looking) -> Waits | None:
    """Consents that another party asks of this house, before they lapse."""
    if not looking.acts(RELEASE_AUTHORITY):
        return None
    names = ["consent"] if looking.scope.everything else under("consent", [*looking.scope.all_names(), RELEASERS])
    now = Place(looking.at, "\U0010ffff")
    entries = await looking.index.walk(names, limit=COUNTED_MAX + 1, beyond=now, oldest_first=True)
    found = []
    for entry in entries[: looking.limit]:
        relationship, row = await _of(looking.house, ConsentAskedRow, entry)
        if row is not None:
            item = await looking.sight.item(row.item)
            found.append(
                Wait(
                    kind="consent",
                    subject=row.request,
                    relationship=relationship,
                    at=row.at,
                    item=row.item,
                    title="" if item is None else await title_of(looking.house, row.item),
                    label=row.label,
                    due=row.answer_by,
                    by=row.author,
                    parameters={
                        "acts": ",".join(row.acts),
                        "beneficiaries": ",".join(row.beneficiaries),
                        "purpose": row.purpose,
                    },
                )
            )
    return _waits("consent", len(entries), found)


async def _recall(looking: Looking) -> Waits | None:
    """What another party asks back, of which the viewer sees a copy that is still here."""
    everything, scope = looking.scope.everything, looking.scope
    names = ["recall"] if everything else under("recall", scope.all_names())
    limit = looking.limit if everything else max(looking.limit, LOOKED_AT_MAX)
    entries = await looking.index.walk(names, limit=limit, oldest_first=True)
    found: list[Wait] = []
    count = 0
    for entry in entries:
        relationship, row = await _of(looking.house, RecallRow, entry)
        item = await looking.sight.item(entry.key.rpartition("/")[2])
        if row is None or item is None or not (everything or await _holds(looking, relationship, item)):
            continue
        count += 1
        if len(found) < looking.limit:
            found.append(
                Wait(
                    kind="recall",
                    subject=item.item,
                    relationship=relationship,
                    at=row.at,
                    item=item.item,
                    title=await title_of(looking.house, item.item),
                    label=item.label,
                    due=row.answer_by,
                    by=row.author,
                    parameters={"asks": row.asks, "reason": row.reason},
                )
            )
    if everything:
        return _waits("recall", await looking.index.count(names, limit=COUNTED_MAX + 1), found)
    return _waits("recall", count, found, more=len(entries) == limit)


async def _holds(looking: Looking, relationship: str, item: ItemRow) -> bool:
    """Whether a copy that he sees has not come to its end."""
    async for copy in looking.sight.copies(relationship, item):
        if copy.state in LEFT:
            return True
    return False


async def _receipt(looking: Looking) -> Waits | None:
    """What was given, and the other party has not said that it arrived."""
    person = looking.scope.person
    wide = person is None or looking.sight.has(RELEASE_AUTHORITY)
    names = ["receipt"] if wide or person is None else [f"receipt/{person.person}"]
    entries = await looking.index.walk(names, limit=looking.limit, oldest_first=True)
    found = []
    for entry in entries:
        row = await looking.house.row(ConsignmentRow, entry.key.removeprefix("receipt/"))
        item = None if row is None else await looking.sight.item(row.item)
        if row is not None and item is not None:
            found.append(
                Wait(
                    kind="receipt",
                    subject=row.record.hex(),
                    relationship=row.relationship,
                    at=row.at,
                    item=row.item,
                    title=await title_of(looking.house, row.item),
                    label=item.label,
                    by=(await looking.house.agreement_row(row.relationship)).peer,
                    parameters={"consignment": row.record.hex(), "purpose": row.purpose},
                )
            )
    count = await looking.index.count(names, limit=COUNTED_MAX + 1)
    return _waits("receipt", count if wide else len(found), found, more=not wide and count > len(entries))


FOUND: tuple[Callable[[Looking], Awaitable[Waits | None]], ...] = (
    _approve,
    _asked,
    _assure,
    _consent,
    _recall,
    _receipt,
)
"""What waits, by what the index has."""


def _waits(kind: WaitKind, count: int, found: Sequence[Wait | None], *, more: bool = False) -> Waits | None:
    """What waits of a kind; None where nothing does."""
    first = tuple(each for each in found if each is not None)
    if not first:
        return None
    return Waits(kind=kind, count=min(count, COUNTED_MAX), more=more or count > COUNTED_MAX, first=first)


async def _request(looking: Looking, kind: Literal["approve", "asked"], entry: Entry) -> Wait | None:
    house = looking.house
    row = await house.row(RequestRow, entry.key.removeprefix("approve/"))
    if row is None:
        return None
    wanted = await house.row(FeedWantedRow, row.request)
    item = wanted or await house.need(ItemRow, row.item, "item")
    return Wait(
        kind=kind,
        subject=row.request,
        relationship=row.relationship,
        at=row.at,
        item=row.item,
        title=row.item if wanted is not None else await title_of(house, row.item),
        label=item.label,
        by=await house.handle(row.by),
        parameters={
            "act": row.act,
            "purpose": row.purpose,
            "recipients": str(len(row.recipients)),
            "approvals": str(sum(each.granted for each in row.approvals)),
            "halted": await _halted(looking, row.relationship) if row.act in GIVING_ACTS else "",
        },
    )


async def _halted(looking: Looking, relationship: str) -> str:
    """By which reason nothing new goes there now; empty while it does."""
    reason = await halted(looking.house, relationship, looking.at)
    return "" if reason is None else reason.code


async def _of(house: House, kind: type[R], entry: Entry) -> tuple[str, R | None]:
    """The row that an entry is about, and its relationship."""
    key = entry.key.partition("/")[2]
    return key.rpartition("/")[0], await house.row(kind, key)
