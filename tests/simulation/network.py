"""The road between the houses: parcels, their answers, payloads on their own, and pouches.

It keeps what it was given, in no order, until the simulation hands something out; and then it may lose it, cut it, hand
it out twice or keep it longer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Literal

from .weather import CALM, Weather
from .witness import Witness

UNDER_WAY_MAX = 60
"""Most messages kept; beyond it the oldest is lost."""


@dataclass(frozen=True)
class Message:
    """Something under way. ``body`` of a pouch is its whole file; of a payload all its bytes, which may be cut on the
    way, while ``digest`` and ``size`` are those of the whole.
    """

    kind: Literal["parcel", "answer", "payload", "pouch"]
    sender: str
    receiver: str
    relationship: str
    body: bytes
    digest: bytes = b""
    size: int = 0


class Network:
    """All messages under way. ``through`` says what becomes of each at who brings it to the road."""

    def __init__(self, random: Random, witness: Witness) -> None:
        self.weather: Weather = CALM
        self.under_way: list[Message] = []
        self.through: list[Callable[[Message], list[Message]]] = []
        self._random = random
        self.witness = witness

    def post(self, message: Message) -> None:
        """Give the road something."""
        brought = [message]
        for through in self.through:
            brought = [each for one in brought for each in through(one)]
        for each in brought:
            self._post(each)

    def _post(self, message: Message) -> None:
        if self.happens("drop", self.weather.drop):
            return
        self.under_way.append(message)
        if self.happens("repeat", self.weather.repeat):
            self.under_way.append(message)
        if len(self.under_way) > UNDER_WAY_MAX:
            self.witness.fault("lost in the crowd")
            del self.under_way[0]

    def take(self) -> Message | None:
        """What arrives next, if anything does."""
        if not self.under_way or self.happens("wait", self.weather.wait):
            return None
        index = self._random.randrange(len(self.under_way)) if self.weather.wait else 0
        if index:
            self.witness.fault("network reorder")
        message = self.under_way.pop(index)
        if self.happens("cut", self.weather.cut):
            return replace(message, body=message.body[: self._random.randrange(len(message.body) + 1)])
        return message

    def happens(self, kind: str, share: float) -> bool:
        if share and self._random.random() < share:
            self.witness.fault(f"network {kind}")
            return True
        return False
