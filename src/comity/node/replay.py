"""Nonces seen, so that a request counts once (``spec/exchange.md`` step 47).

Memory is enough, for two reasons. What a restart forgets, it also refuses: nothing made before the second of the start
is admitted. And what could slip through in that one second does no harm: the exchange is idempotent by record id, a
piece of a blob by its offset.

Memory is bounded: when a sender fills its share, the oldest second is forgotten and everything as old is refused from
then on. Forgetting always raises that floor, so neither a flood nor a clock that steps back re-opens a second.
"""

from __future__ import annotations

from comity.courier.signature import WINDOW_SECONDS
from comity.errors import Rejected

NONCES_PER_SENDER_MAX = 2**16
"""About 6 MB for each peer; a peer with a true clock comes to the floor only above this many requests a second."""


class _Seen:
    """One sender's nonces by the second they were made, and the second below which nothing is admitted."""

    __slots__ = ("count", "floor", "seconds")

    def __init__(self, floor: int) -> None:
        self.floor = floor
        self.count = 0
        self.seconds: dict[int, set[bytes]] = {}

    def forget(self, second: int) -> None:
        self.count -= len(self.seconds.pop(second))
        self.floor = max(self.floor, second + 1)


class Replays:
    """The nonces of all senders. Senders are peers whose signature was verified, so they are few.

    Args:
        started: POSIX second at which this process began to listen.
        nonces_max: nonces remembered for each sender.
    """

    def __init__(self, started: int, nonces_max: int = NONCES_PER_SENDER_MAX) -> None:
        self._started = started
        self._nonces_max = nonces_max
        self._senders: dict[str, _Seen] = {}

    def admit(self, sender: str, nonce: bytes, created: int, now: int) -> None:
        """Remember a verified request.

        Raises:
            Rejected: ``replayed``, or ``stale-request`` when it is older than what is remembered.
        """
        seen = self._senders.get(sender)
        if seen is None:
            seen = self._senders[sender] = _Seen(self._started)
        if created < seen.floor:
            raise Rejected(
                "made before the oldest request this node remembers (it may have restarted): sign it again",
                code="stale-request",
            )
        nonces = seen.seconds.get(created)
        if nonces is None:
            for second in [second for second in seen.seconds if second < now - WINDOW_SECONDS]:
                seen.forget(second)
            nonces = seen.seconds[created] = set()
        if nonce in nonces:
            raise Rejected("this request was made before; each is taken once", code="replayed")
        nonces.add(nonce)
        seen.count += 1
        while seen.count > self._nonces_max:
            seen.forget(min(seen.seconds))
