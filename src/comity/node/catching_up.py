"""How a node that was brought back reaches its peers, until each has given back what it has (``spec/backup.md`` 41)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from comity.errors import ComityError
from comity.flows.exchanging.roads import Reach, Road
from comity.flows.house import House
from comity.flows.maintaining.catching_up import CatchUp, catch_up
from comity.node.sending import given_back, payload
from comity.node.worker import pause_seconds
from comity.ports import Courier, Entropy
from comity.record.card import Card

_log = logging.getLogger("comity.node")


class _CourierRoad:
    def __init__(self, courier: Courier) -> None:
        self._courier = courier

    async def given_back(self, relationship: str, author: str, start: int) -> bytes:
        return await given_back(self._courier, relationship, author, start)

    async def payload(self, relationship: str, record: bytes, offset: int) -> bytes:
        return await payload(self._courier, relationship, record, offset)


def reaching(connect: Callable[[Card], Courier]) -> Reach:
    """The ways to peers, over couriers."""

    @asynccontextmanager
    async def reach(card: Card) -> AsyncIterator[Road]:
        courier = connect(card)
        try:
            yield _CourierRoad(courier)
        finally:
            await courier.close()

    def opened(card: Card) -> AbstractAsyncContextManager[Road]:
        return reach(card)

    return opened


async def keep_catching_up(house: House, entropy: Entropy, heard: Callable[[str], None]) -> None:
    """Ask the peers again and again, with growing pauses, until nothing is missing; ``heard`` is told of each then."""
    failures = 0
    while house.restored is not None:
        try:
            await catch_up(house, CatchUp())
        except ComityError as error:
            _log.warning("catching up: %s", error)
        failures += 1
        if house.restored is not None:
            await asyncio.sleep(pause_seconds(failures, entropy))
    for _, peer in await house.correspondence():
        heard(peer)
