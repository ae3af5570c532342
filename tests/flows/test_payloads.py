"""Payloads that are sealed together are written together, and each caller hears of his own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from hashlib import sha256

import pytest

from comity.flows.keeping.payloads import AT_HAND_BYTES_MAX, Payloads
from comity.ports import DiskFull
from comity.stores.memory import MemoryBlobs
from comity.stores.memory_disk import MemoryDisk


class CountingBlobs(MemoryBlobs):
    """Blobs that count their rounds, and whose disk can be full for one of them."""

    def __init__(self) -> None:
        super().__init__(MemoryDisk())
        self.rounds: list[int] = []
        self.full_in = -1

    async def put_many(self, blobs: Mapping[bytes, bytes]) -> None:
        self.rounds.append(len(blobs))
        await asyncio.sleep(0.01)
        if len(self.rounds) - 1 == self.full_in:
            raise DiskFull("no room")
        await super().put_many(blobs)


def named(content: bytes) -> tuple[bytes, bytes]:
    return sha256(content).digest(), content


async def test_those_of_one_moment_share_a_round() -> None:
    blobs = CountingBlobs()
    payloads = Payloads(blobs)
    await asyncio.gather(*[payloads.keep(*named(b"%d" % number)) for number in range(50)])
    assert blobs.rounds == [50]
    assert [await payloads.get(named(b"%d" % number)[0]) for number in range(50)] == [b"%d" % n for n in range(50)]


async def test_a_round_that_fails_is_only_its_own_callers() -> None:
    blobs = CountingBlobs()
    blobs.full_in = 0
    payloads = Payloads(blobs)
    first = asyncio.create_task(payloads.keep(*named(b"first")))
    await asyncio.sleep(0.005)
    await payloads.keep(*named(b"second"))
    with pytest.raises(DiskFull):
        await first
    assert await blobs.all() == [named(b"second")[0]]
    assert await payloads.get(named(b"first")[0]) is None


async def test_what_left_memory_is_read_from_the_disk() -> None:
    payloads = Payloads(CountingBlobs())
    large = bytes(AT_HAND_BYTES_MAX)
    await payloads.keep(*named(b"small"))
    await payloads.keep(*named(large))
    assert await payloads.get(named(b"small")[0]) == b"small"
    assert await payloads.get(named(large)[0]) == large
    assert await payloads.get(bytes(32)) is None
