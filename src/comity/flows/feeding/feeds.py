"""The feeds of one house: those it publishes and those it follows, each begun when it is first asked for.

A feed has at most one recipient connected; who calls again takes the place of the channel before, which is then dead.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from typing import Protocol, TypeVar

from comity.errors import Misuse, Refused
from comity.flows.feeding.delivering import Delivery
from comity.flows.feeding.names import Authority, FeedName, Parties
from comity.flows.feeding.proving import Kept
from comity.flows.feeding.publishing import Publisher
from comity.flows.feeding.receiving import Recipient
from comity.flows.feeding.shelf import Shelf
from comity.flows.keeping.own_keys import signers
from comity.ports import Channel, Clock, Entropy, Keys, Store
from comity.record.card import Card
from comity.register.rows import Row
from comity.register.rows.feeding import FeedRow
from comity.seal.derivation import derive

R = TypeVar("R", bound=Row)

KEEPING = b"comity/feed-keeping/1"
"""What the key is for that hides what is kept of messages as they were published."""


class Houselike(Protocol):
    """What this asks of the house; ``flows.house.House`` is the real one."""

    @property
    def party(self) -> str:
        """Whose house it is."""
        ...

    @property
    def clock(self) -> Clock:
        """The clock as it goes: messages do not wait for it where it steps back (10)."""
        ...

    @property
    def after_commit(self) -> list[Callable[[], None]]:
        """What is called after each commit."""
        ...

    @property
    def keys(self) -> Keys:
        """Its keys."""
        ...

    @property
    def own_card(self) -> Card | None:
        """Its own card, once it has one."""
        ...

    @property
    def entropy(self) -> Entropy:
        """Random bytes."""
        ...

    async def peer_card(self, party: str) -> Card:
        """The card of a peer."""
        ...

    def fetch(self, relationship: str, /) -> None:
        """Have the peer asked at once for what it has said."""
        ...

    async def peer_in(self, relationship: str, peer: str | None = None, /) -> str:
        """The other party of a relationship."""
        ...

    def rows(self, kind: type[R], /) -> AsyncIterator[tuple[str, R]]:
        """Every row of a kind."""
        ...


class Feeds:
    """Every feed of one house.

    Args:
        house: whose.
        store: where what is kept of feeds lies; not the store of the register, so that neither waits for the other.
        authority: what the control plane says.
        fetch: has the peer of a relationship asked at once for what it has said; the house does so by itself.
    """

    def __init__(
        self, house: Houselike, store: Store, authority: Authority, fetch: Callable[[str], None] | None = None
    ) -> None:
        self._house = house
        self._store = store
        self._authority = authority
        self._fetch = fetch or house.fetch
        self._publishers: dict[FeedName, Publisher] = {}
        self._recipients: dict[FeedName, Recipient] = {}
        self._deliveries: dict[FeedName, asyncio.Task[None]] = {}
        self._turn = asyncio.Lock()

    async def close(self) -> None:
        """Finish what is under way, and stop."""
        for recipient in self._recipients.values():
            self._house.after_commit.remove(recipient.recorded.set)
        for task in self._deliveries.values():
            task.cancel()
        await asyncio.gather(*self._deliveries.values(), return_exceptions=True)
        for publisher in self._publishers.values():
            await publisher.close()

    async def peer_card(self, party: str) -> Card:
        """The card of a peer."""
        return await self._house.peer_card(party)

    async def followed(self) -> list[FeedName]:
        """Every feed that another party publishes for us."""
        return [name for name in await self._all() if name.publisher != self._house.party]

    async def published(self) -> list[FeedName]:
        """Every feed of ours."""
        return [name for name in await self._all() if name.publisher == self._house.party]

    async def _all(self) -> list[FeedName]:
        keys = [key.rsplit("/", 2) async for key, _ in self._house.rows(FeedRow)]
        return [FeedName(relationship, publisher, feed) for relationship, publisher, feed in keys]

    async def named(self, feed: str, relationship: str = "") -> FeedName:
        """The feed of ours with a name.

        Raises:
            Misuse: there is none, or it is published under several agreements and none of them is named.
        """
        return _one(await self.published(), feed, relationship, "this house publishes no feed")

    async def any_named(self, feed: str, relationship: str = "") -> FeedName:
        """The feed with a name, ours or another party's.

        Raises:
            Misuse: there is none, or several.
        """
        return _one(await self._all(), feed, relationship, "there is no feed")

    def open_publishers(self) -> list[Publisher]:
        """What publishes each feed of ours that was asked for since this house was opened."""
        return [self._publishers[name] for name in sorted(self._publishers)]

    def open_recipients(self) -> list[Recipient]:
        """What takes each feed of another party, likewise."""
        return [self._recipients[name] for name in sorted(self._recipients)]

    async def stopped(self, name: FeedName) -> str:
        """The code of why nothing more can be published on a feed of ours; empty where it goes on."""
        known = self._publishers.get(name)
        if known is not None:
            return "" if known.stopped is None else known.stopped.code
        kept = await self.shelf(name).read_stopped()
        return "" if kept is None else kept[0]

    async def publisher(self, name: FeedName) -> Publisher:
        """What publishes a feed of ours."""
        async with self._turn:
            if name not in self._publishers:
                made = Publisher(
                    name,
                    shelf=self.shelf(name),
                    authority=self._authority,
                    parties=await self._parties(name),
                    clock=self._house.clock,
                    entropy=self._house.entropy,
                )
                await made.start()
                self._publishers[name] = made
            else:
                self._publishers[name].parties = await self._parties(name)  # keys change while a feed goes on
            return self._publishers[name]

    async def recipient(self, name: FeedName) -> Recipient:
        """What takes a feed of another party."""
        async with self._turn:
            if name not in self._recipients:
                made = Recipient(
                    name,
                    shelf=self.shelf(name),
                    authority=self._authority,
                    parties=await self._parties(name),
                    clock=self._house.clock,
                    fetch=lambda: self._fetch(name.relationship),
                )
                await made.start()
                self._house.after_commit.append(made.recorded.set)
                self._recipients[name] = made
            else:
                self._recipients[name].parties = await self._parties(name)
            return self._recipients[name]

    async def deliver(self, peer: str, relationship: str, feed: str, channel: Channel) -> None:
        """Hand a feed of ours to an authenticated peer, until the channel is cut.

        Raises:
            Refused: it publishes nothing of that name for that party (told the same way).
            ComityError: as ``Delivery.run``.
        """
        name = FeedName(relationship, self._house.party, feed)
        await self._house.peer_in(relationship, peer)
        if name not in await self.published():
            raise Refused(f"no feed {feed!r} is published under {relationship!r} for that party", code="unknown-feed")
        publisher = await self.publisher(name)
        before = self._deliveries.pop(name, None)
        if before is not None:
            before.cancel()
            await asyncio.gather(before, return_exceptions=True)
        task = self._deliveries[name] = asyncio.ensure_future(Delivery(publisher, channel, self._authority).run())
        try:
            await asyncio.shield(task)
        finally:
            if self._deliveries.get(name) is task:
                del self._deliveries[name]
            task.cancel()
            with suppress(BaseException):
                await task

    def kept(self, name: FeedName) -> Kept:
        """What is kept of a feed, for proofs of it."""
        return Kept(name, self.shelf(name), self._authority)

    def shelf(self, name: FeedName) -> Shelf:
        """What is kept of a feed."""
        key = derive(self._house.keys.pairwise(), name.origin.encode(), KEEPING)
        return Shelf(self._store, name.origin, key, self._house.entropy)

    async def _parties(self, name: FeedName) -> Parties:
        peer = await self._house.peer_in(name.relationship)
        card = await self._house.peer_card(peer)
        keys, own, now = self._house.keys, self._house.own_card, self._house.clock.now()
        return Parties(
            log=signers(keys, own, "log", now)[-1],  # the one that the other party knows, while two overlap
            witness=signers(keys, own, "witness", now)[-1],
            own=self._house.party,
            peer_log=card.log,
            peer_witness=card.witness,
            peer=peer,
            peer_logs_before=card.unrevoked("log")[1:],
            peer_witnesses_before=card.unrevoked("witness")[1:],
        )


def _one(known: Sequence[FeedName], feed: str, relationship: str, none: str) -> FeedName:
    found = [each for each in known if each.feed == feed and relationship in ("", each.relationship)]
    if not found:
        raise Misuse(f"{none} {feed!r}; 'comity feed list' shows which there are", code="unknown-feed")
    if len(found) > 1:
        under = ", ".join(each.relationship for each in found)
        raise Misuse(f"there is {feed!r} under {under}; name one of them", code="ambiguous-feed")
    return found[0]
