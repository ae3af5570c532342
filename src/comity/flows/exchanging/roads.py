"""The way to a peer for a house that was brought back, over whatever the node connects it with."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from comity.errors import Unavailable
from comity.record.card import Card


class Road(Protocol):
    """The way to one peer."""

    async def given_back(self, relationship: str, author: str, start: int) -> bytes:
        """A parcel of what ``author`` said from ``start`` on, as the peer has it."""
        ...

    async def payload(self, relationship: str, record: bytes, offset: int) -> bytes:
        """A piece of the sealed payload that a record names."""
        ...


Reach = Callable[[Card], AbstractAsyncContextManager[Road]]
"""Opens the way to the peer of a card."""


def no_reach(card: Card) -> AbstractAsyncContextManager[Road]:
    """For a house that nobody has connected with others.

    Raises:
        Unavailable: always.
    """
    raise Unavailable(f"this house has no road to {card.party!r}", code="no-road")
