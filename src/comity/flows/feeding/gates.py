"""The gates of a house, kept between batches, and the keys of its feeds' epochs (``spec/feed.md`` steps 6 and 12).

A gate is asked for every batch. It is worked out anew when something was committed, when an instant has come at which
it changes by itself, and once a second; otherwise it is the one before, for the price of a comparison.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from comity.errors import Refused, Rejected
from comity.feed.gate import Epoch, Gate
from comity.flows.feeding.contradicting import held_of_feed, keep_proof
from comity.flows.feeding.gate import BEGINNING, work_out
from comity.flows.feeding.names import FeedName
from comity.flows.feeding.shelf import Shelf
from comity.flows.feeding.terms import Terms
from comity.flows.giving.content import recipient
from comity.flows.house import House
from comity.flows.keeping.work import Draft, Work
from comity.record.bodies.feeding import FeedEpoch
from comity.register.rows.feeding import FeedEpochRow, FeedRow, feed_epoch_key, feed_key
from comity.seal.age import Sealed, open_bytes, seal_bytes
from comity.seal.keys import parse_identity

LOOK_AGAIN = timedelta(seconds=1)
"""How long a gate is taken for what it was without working it out again."""
EPOCH_KEY_BYTES = 32
EPOCH_KEYS_KEPT = 1_024
"""Most keys of epochs that are kept open."""
_SAME = ("stands", "why", "posture", "release", "schema")
"""What makes a gate another one."""


class _Known(msgspec.Struct):
    """A gate, after how many commits it was worked out, and when it is worked out again at the latest."""

    gate: Gate
    commits: int
    again: datetime


class Gates:
    """The gates of the feeds of one house, its own and those that it gets; it is their ``names.Authority``."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._commits = 0
        self._committed = BEGINNING
        self._known: dict[FeedName, _Known] = {}
        self._turns: dict[FeedName, asyncio.Lock] = {}
        self._terms: dict[str, Terms] = {}
        self._keys: dict[tuple[FeedName, int], bytes] = {}
        house.after_commit.append(self._told)

    def _told(self) -> None:
        self._commits += 1
        self._committed = self._house.now()

    async def gate(self, name: FeedName) -> Gate:
        """What is so now of a feed, ours or the other party's."""
        known = self._as_it_is(name)
        if known is not None:
            return known
        async with self._turns.setdefault(name, asyncio.Lock()):  # all who ask meanwhile get what one works out
            return self._as_it_is(name) or await self._work_out(name)

    def _as_it_is(self, name: FeedName) -> Gate | None:
        """The gate where it need not be worked out again."""
        known = self._known.get(name)
        if known is None or known.commits != self._commits or self._house.now() >= known.again:
            return None
        return known.gate

    async def _work_out(self, name: FeedName) -> Gate:
        now, known, commits = self._house.now(), self._known.get(name), self._commits
        gate, turn = await work_out(self._house, name, self._house.sequencer.look(), self._terms)
        if known is not None:
            gate = self._since(known.gate, gate, now)
        gate = msgspec.structs.replace(gate, until=turn)
        again = now + LOOK_AGAIN if turn is None else min(turn, now + LOOK_AGAIN)
        self._known[name] = _Known(gate, commits, again)
        return gate

    def _since(self, before: Gate, found: Gate, now: datetime) -> Gate:
        """``found``, with the instant from which it is so: where nothing tells it, that of the commit that made it so.

        What is as it was stays so since it was.
        """
        if all(getattr(before, each) == getattr(found, each) for each in _SAME):
            return msgspec.structs.replace(found, since=before.since, changed=before.changed)
        if found.since > before.since:
            return found
        turned = before.until if before.until is not None and before.until <= now else self._committed
        return msgspec.structs.replace(found, since=max(turned, before.since))

    async def next_epoch(self, name: FeedName, first: int = 0) -> Epoch:
        """Begin an epoch of a feed of ours: its key is sealed to both registries in a record, durable on return.

        Raises:
            Refused: nothing may cross now.
            Misuse: its release ended meanwhile; nothing was recorded.
        """
        gate = await self.gate(name)
        if not gate.stands:
            raise Refused(f"nothing crosses of {name.feed!r} now: {gate.why}", code=gate.why)
        peer = await self._house.peer_in(name.relationship)
        card = await self._house.peer_card(peer)
        key = self._house.entropy(EPOCH_KEY_BYTES)
        own = parse_identity(self._house.keys.registry()[0]).recipient
        sealed = bytes(seal_bytes(key, [own, recipient(card.registry[0].recipient)], self._house.entropy))

        async def begin(work: Work) -> Epoch:
            feed = await work.need(FeedRow, feed_key(name.relationship, name.publisher, name.feed)[1], "feed")
            number = feed.epoch + 1
            body = FeedEpoch(release=feed.release, feed=name.feed, epoch=number, first=first, key=sealed)
            await work.say(Draft(name.relationship, body))
            return Epoch(number, key, work.at)

        epoch = await self._house.sequencer.submit(begin)
        self._keep(name, epoch.number, key)
        return epoch

    async def epoch_key(self, name: FeedName, epoch: int) -> bytes | None:
        """The key of an epoch, of a feed of ours or of the other party's; None while its record is not here.

        Raises:
            Rejected: it is not sealed to this house's registry, or is no key.
        """
        found = self._keys.get((name, epoch))
        if found is not None:
            return found
        key = feed_epoch_key(name.relationship, name.publisher, name.feed, epoch)
        row = await self._house.row(FeedEpochRow, key[1])
        if row is None:
            return None
        identities = [parse_identity(secret) for secret in self._house.keys.registry()]
        opened = open_bytes(Sealed.split(row.key), identities)
        if len(opened) != EPOCH_KEY_BYTES:
            raise Rejected(f"the key of epoch {epoch} of {name} has {len(opened)} bytes", code="bad-epoch-key")
        self._keep(name, epoch, opened)
        return opened

    async def contradicted(self, name: FeedName, words: Sequence[bytes], shelf: Shelf) -> None:
        """Keep the proof with those of the exchange, so that the same follows on it, wherever there is one."""
        await keep_proof(self._house, name, await held_of_feed(self._house, name, words, shelf))

    def _keep(self, name: FeedName, epoch: int, key: bytes) -> None:
        if len(self._keys) >= EPOCH_KEYS_KEPT:
            self._keys.clear()
        self._keys[name, epoch] = key
