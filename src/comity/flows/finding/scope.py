"""Under which names of the index a viewer may look (``spec/index.md`` steps 9 and 10)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from comity.flows.deciding.lineage import registered
from comity.flows.deciding.visibility import sees_all, sees_such
from comity.flows.house import House
from comity.flows.indexing.entries import FORWARDED, LINE, About
from comity.ports.index import Entry, Index
from comity.register.roles import OFFICER, RELEASE_AUTHORITY
from comity.register.rows import AgreementRow, PersonRow

KNOWN_SECONDS = 10.0
"""How long an answer about a class is kept."""
KNOWN_MAX = 100_000
"""Most answers that are kept."""
CLASSES_MAX = 100_000
"""Most classes that are looked at."""


class Answer(msgspec.Struct, frozen=True):
    """Whether somebody sees a class, as he and the agreements were then."""

    person: PersonRow
    agreements: tuple[AgreementRow, ...]
    since: datetime
    until: datetime
    sees: bool


class Scope(msgspec.Struct, frozen=True):
    """What a viewer may look at.

    Attributes:
        person: who; None for the house itself.
        everything: whether it is the whole register.
        classes: the classes that he sees, each with what is known of its newest item; of everything all of them.
        mine: his name in each relationship, with the relationship.
    """

    person: PersonRow | None
    everything: bool
    classes: dict[str, About]
    mine: dict[str, str]

    def names(self) -> list[str]:
        """The names under which stands what he sees, together with those of the classes."""
        if self.person is None or self.everything:
            return []
        roles = self.person.roles
        return [
            *(f"h/{name}" for name in self.mine),
            *([f"a/{self.person.person}"] if OFFICER in roles else []),
            *([FORWARDED] if RELEASE_AUTHORITY in roles else []),
        ]

    def all_names(self) -> list[str]:
        """Every name under which stands what he sees."""
        return [*(f"class/{each}" for each in self.classes), *self.names()]

    def all_copies(self, about: About) -> bool:
        """Whether he sees every copy of an item (``visibility.md`` step 6)."""
        if self.person is None or self.everything:
            return True
        if RELEASE_AUTHORITY in self.person.roles and (about.own or FORWARDED in about.seen):
            return True
        return OFFICER in self.person.roles and f"a/{self.person.person}" in about.seen


async def scope_of(house: House, index: Index, person: PersonRow | None) -> Scope:
    """What a viewer may look at now."""
    known = await _classes(house, index)
    if person is None or sees_all(person):
        return Scope(person, True, {of: about for of, (_, about) in known.items()}, {})
    running = [row async for _, row in house.rows(AgreementRow)]
    releases = RELEASE_AUTHORITY in person.roles
    seen = {
        of: about
        for of, (item, about) in known.items()
        if (releases and about.own) or await _sees(house, person, of, item, tuple(running))
    }
    mine = {house.pseudonym(row.relationship, person.person): row.relationship for row in running}
    return Scope(person, False, seen, mine)


async def _classes(house: House, index: Index) -> dict[str, tuple[str, About]]:
    """Every class there is, with its newest item."""
    state = house.unindexed
    changes, known = state.classes
    if changes != state.changes:
        changes = state.changes
        names = [name for name, _ in await index.names([("class/", "class0")], CLASSES_MAX)]
        newest = {entry.key: about_of(entry) for entry in await index.newest(names) if entry is not None}
        known = {about.of: (key.removeprefix(f"{LINE}/"), about) for key, about in newest.items()}
        state.classes = changes, known
    return dict(known)


async def _sees(house: House, person: PersonRow, of: str, item: str, running: tuple[AgreementRow, ...]) -> bool:
    """Whether he sees a class for what it is, by one item of it."""
    at, kept = house.now(), house.unindexed.known
    answer = kept.get((person.person, of))
    if (
        isinstance(answer, Answer)
        and answer.since <= at < answer.until
        and (answer.person, answer.agreements) == (person, running)
    ):
        return answer.sees
    row = await registered(house, item)
    sees = row is not None and await sees_such(house, row, person)
    until = at + timedelta(seconds=KNOWN_SECONDS)
    if person.clearance_until is not None and person.clearance_until > at:
        until = min(until, person.clearance_until)
    if len(kept) >= KNOWN_MAX:
        kept.clear()
    kept[person.person, of] = Answer(person, running, at, until, sees)
    return sees


def about_of(entry: Entry) -> About:
    """What the index keeps about a line."""
    return msgspec.msgpack.decode(entry.about, type=About)


def under(kind: str, names: Iterable[str]) -> list[str]:
    """The names for something that is seen with an item."""
    return [f"{kind}/{each}" for each in names]
