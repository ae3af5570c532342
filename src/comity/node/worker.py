"""Keeping up with peers: one worker for each relationship hands over what the peer does not have (step 52).

There is no queue to lose: the outbox is our chain beyond what the peer has acknowledged, and wake-ups only say that it
is worth looking. A peer that is down is tried again with growing pauses, for as long as it takes; when it is heard of,
it is tried at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from datetime import datetime, timedelta
from typing import BinaryIO, Protocol

import msgspec

from comity.courier.paths import PIECE_BYTES_MAX
from comity.errors import ComityError, InternalError, Unavailable
from comity.flows.exchanging.parcel import Parcel, write_parcel
from comity.node.sending import exchange, upload
from comity.ports import Clock, Courier, Entropy
from comity.record.card import Card

IDLE_SECONDS = 900.0
"""With nothing to say, an exchange this often still brings each side the other's newest checkpoint."""
PAUSE_SECONDS_FIRST = 0.25
PAUSE_SECONDS_MAX = 300.0
"""Longest pause between tries: a peer back after a day waits five minutes at most, even when it has nothing to say."""

_log = logging.getLogger("comity.node")


class PeerBlobs(Protocol):
    """The blobs of the house, as far as sending goes."""

    def open(self, digest: bytes) -> AbstractAsyncContextManager[BinaryIO]:
        """A complete blob, open for reading."""
        ...


class PeerExchange(Protocol):
    """The exchange of the house, as far as sending goes."""

    async def large_blobs(self, parcel: Parcel) -> list[tuple[bytes, int]]:
        """Digest and size of what must be uploaded before the parcel is sent."""
        ...


class Sender(Protocol):
    """What a worker asks of the house; ``flows.house.House`` is the real one."""

    @property
    def blobs(self) -> PeerBlobs:
        """Sealed payloads."""
        ...

    @property
    def exchange(self) -> PeerExchange:
        """Packing of parcels."""
        ...

    async def peer_card(self, party: str) -> Card:
        """The card of a peer."""
        ...

    async def correspondence(self) -> list[tuple[str, str]]:
        """Every relationship and every channel with its peer."""
        ...

    async def wait_for_work(self, relationship: str, seconds: float, /) -> bool:
        """Wait until there is something to hand over, or so many seconds."""
        ...

    async def pack(self, relationship: str) -> Parcel:
        """What the peer does not have yet."""
        ...

    async def take_reply(self, relationship: str, body: bytes) -> None:
        """Take the parcel with which the peer answered."""
        ...


class Road(msgspec.Struct, frozen=True, kw_only=True):
    """How the exchange with a peer goes.

    Attributes:
        relationship: which relationship.
        peer: party id.
        last_success: when the peer last answered.
        failures: tries that failed since then.
        last_error: what the last of them said; empty while all is well.
        next_try: when the next try is due; None while all is well.
    """

    relationship: str
    peer: str
    last_success: datetime | None = None
    failures: int = 0
    last_error: str = ""
    next_try: datetime | None = None


def pause_seconds(failures: int, entropy: Entropy) -> float:
    """The pause after so many failures: doubled each time, up to a bound, and between half and all of that."""
    longest = min(PAUSE_SECONDS_MAX, PAUSE_SECONDS_FIRST * 2.0 ** min(failures - 1, 30))
    return longest * (0.5 + int.from_bytes(entropy(4), "big") / 2**33)


class _Worker:
    """One relationship."""

    def __init__(
        self,
        house: Sender,
        relationship: str,
        peer: str,
        *,
        courier: Callable[[Card], Courier],
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self.road = Road(relationship=relationship, peer=peer)
        self.heard = asyncio.Event()
        self._house = house
        self._courier = courier
        self._clock = clock
        self._entropy = entropy
        self._stuck_at = -1

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._house.wait_for_work(self.road.relationship, IDLE_SECONDS)
            try:
                await self._hand_over()
            except Exception as error:  # noqa: BLE001 - a defect in one exchange must not silence the others
                await self._pause(error)
            else:
                self.road = Road(
                    relationship=self.road.relationship, peer=self.road.peer, last_success=self._clock.now()
                )

    async def _hand_over(self) -> None:
        relationship, house = self.road.relationship, self._house
        courier = self._courier(await house.peer_card(self.road.peer))
        parcel = await house.pack(relationship)
        if parcel.entries and parcel.start == self._stuck_at:
            self._stuck_at = -1
            raise Unavailable(
                f"{self.road.peer!r} answers, but has taken nothing since record {parcel.start}", code="peer-stuck"
            )
        for digest, size in await house.exchange.large_blobs(parcel):
            async with house.blobs.open(digest) as blob:
                await upload(courier, relationship, digest, blob, size, PIECE_BYTES_MAX)
        reply = await exchange(courier, relationship, write_parcel(parcel))
        await house.take_reply(relationship, reply)
        self._stuck_at = parcel.start if parcel.entries else -1

    async def _pause(self, error: Exception) -> None:
        ours = isinstance(error, InternalError) or not isinstance(error, ComityError)
        told = "this node failed on it; its log says why" if ours else str(error)
        if ours or not self.road.failures:
            level = logging.ERROR if ours else logging.WARNING
            _log.log(level, "no exchange of %r: %s", self.road.relationship, error, exc_info=error if ours else None)
        failures = self.road.failures + 1
        seconds = pause_seconds(failures, self._entropy)
        next_try = self._clock.now() + timedelta(seconds=seconds)
        self.road = msgspec.structs.replace(self.road, failures=failures, last_error=told, next_try=next_try)
        first = min(seconds, PAUSE_SECONDS_FIRST)
        self.heard.clear()
        await asyncio.sleep(first)
        with suppress(TimeoutError):
            await asyncio.wait_for(self.heard.wait(), seconds - first)


class Workers:
    """The workers of all relationships.

    Args:
        house: what there is to hand over.
        connect: makes a courier to the peer of a card.
        clock: for what ``roads`` shows.
        entropy: for the pauses.
    """

    def __init__(self, house: Sender, *, connect: Callable[[Card], Courier], clock: Clock, entropy: Entropy) -> None:
        self._house = house
        self._connect = connect
        self._clock = clock
        self._entropy = entropy
        self._workers: dict[str, _Worker] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._couriers: dict[str, tuple[Card, Courier]] = {}

    async def refresh(self) -> None:
        """Begin with the relationships that are new since the last time."""
        for relationship, peer in await self._house.correspondence():
            if relationship not in self._workers:
                worker = self._workers[relationship] = _Worker(
                    self._house,
                    relationship,
                    peer,
                    courier=self._courier,
                    clock=self._clock,
                    entropy=self._entropy,
                )
                self._tasks.append(asyncio.create_task(worker.run(), name=f"exchange {relationship}"))

    def heard(self, peer: str) -> None:
        """A peer was heard of: whatever waits for it need not wait longer."""
        for worker in self._workers.values():
            if worker.road.peer == peer:
                worker.heard.set()

    def wake(self, relationship: str) -> None:
        """Something of a relationship is missed that its peer has said: do not wait longer to try."""
        if relationship in self._workers:
            self._workers[relationship].heard.set()

    def roads(self) -> list[Road]:
        """How every exchange goes, by relationship."""
        return [worker.road for _, worker in sorted(self._workers.items())]

    async def close(self) -> None:
        """Stop all workers; what was not handed over is handed over after the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for _, courier in self._couriers.values():
            await courier.close()
        self._couriers.clear()

    def _courier(self, card: Card) -> Courier:
        known = self._couriers.get(card.party)
        if known is not None and known[0] == card:
            return known[1]
        courier = self._connect(card)
        self._couriers[card.party] = card, courier
        if known is not None:
            self._tasks.append(asyncio.create_task(known[1].close()))
        return courier
