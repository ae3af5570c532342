"""Challenges: what a page asks a browser to answer over, for one purpose, once, within minutes.

Nothing is kept of a challenge until it is answered: it says itself, under a key of this process, to which browser it
went and until when it holds. A flood of pages that ask for one leaves nothing behind: ``spec/console.md`` steps 14, 19.
"""

from __future__ import annotations

import hmac
from collections import OrderedDict
from datetime import UTC, datetime, timedelta

from comity.errors import Rejected
from comity.ports import Clock, Entropy

LASTS = timedelta(minutes=5)
SPENT_MAX = 10_000
_NONCE, _UNTIL, _SEAL = 16, 8, 32
CHALLENGE_BYTES = _NONCE + _UNTIL + _SEAL


class Challenges:
    """Makes challenges, and takes each once.

    Args:
        clock: wall-clock time.
        entropy: makes their key and what tells them apart.
    """

    def __init__(self, clock: Clock, entropy: Entropy) -> None:
        self._clock = clock
        self._entropy = entropy
        self._key = entropy(32)
        self._spent: OrderedDict[bytes, datetime] = OrderedDict()

    def make(self, purpose: str, browser: str) -> bytes:
        """A challenge for a purpose, bound to what a browser holds."""
        head = self._entropy(_NONCE) + int((self._clock.now() + LASTS).timestamp()).to_bytes(_UNTIL, "big")
        return head + self._seal(head, purpose, browser)

    def check(self, challenge: bytes, purpose: str, browser: str) -> None:
        """Check that a challenge was made here for this purpose and browser, still holds, and was not taken yet.

        Raises:
            Rejected: it is not so.
        """
        head, seal = challenge[: _NONCE + _UNTIL], challenge[_NONCE + _UNTIL :]
        ours = hmac.compare_digest(seal, self._seal(head, purpose, browser))
        if not ours or self._clock.now() >= self._until(head) or challenge in self._spent:
            raise Rejected(
                "what this page asked for has ended or was answered already; open the page again and try once more",
                code="stale-challenge",
            )

    def spend(self, challenge: bytes) -> None:
        """Take a challenge that was checked; from now on it is worth nothing."""
        now = self._clock.now()
        while self._spent and (len(self._spent) >= SPENT_MAX or next(iter(self._spent.values())) < now):
            self._spent.popitem(last=False)
        self._spent[challenge] = self._until(challenge)

    def secret(self, challenge: bytes, use: str) -> bytes:
        """32 bytes that belong to a challenge and that nobody learns from it."""
        return hmac.digest(self._key, use.encode() + b"\0" + challenge, "sha256")

    def _until(self, head: bytes) -> datetime:
        seconds = int.from_bytes(head[_NONCE : _NONCE + _UNTIL], "big")
        return datetime.fromtimestamp(seconds, UTC)

    def _seal(self, head: bytes, purpose: str, browser: str) -> bytes:
        return hmac.digest(self._key, b"\0".join((b"challenge", purpose.encode(), browser.encode(), head)), "sha256")
