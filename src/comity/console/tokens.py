"""Tokens: by which a person's programs ask the API in his name (``spec/console.md`` steps 24 and 25).

    comity-k3xq…-9f2c…        the number of the token, and a secret of 32 bytes of which the node keeps the SHA-256

A token is shown once. It allows what its scopes name: single flows, all that only look (``read``), or all that do
something (``act``); what asks for a fresh sign-in (``FRESH``) a scope has to name itself.
"""

from __future__ import annotations

import asyncio
import re
from base64 import b32encode
from collections.abc import Collection
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest

import msgspec

from comity.console.shelves import Shelf
from comity.errors import Misuse
from comity.flows.house import House
from comity.ports import Clock, Entropy, Store
from comity.register.rows import PersonRow

READ = "read"
"""The scope of every flow that changes nothing."""
ACT = "act"
"""The scope of every other flow but those of ``FRESH``."""
FRESH = frozenset({"approve", "feed.release", "open", "open.confirm", "pass-on.seal", "pass-on.confirm"})
"""Flows for which a browser asks who sits before it; a token allows them where one of its scopes is their name."""
TOKENS_MAX = 20
"""Most tokens of one person."""
LONGEST = timedelta(days=366)
NAME_CHARACTERS_MAX = 100
_WRITTEN = re.compile(r"comity-([a-z2-7]{16})-([0-9a-f]{64})")


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a token.

    Attributes:
        token: its number.
        person: the person id of its holder.
        name: what he calls it.
        scopes: names of flows, ``read`` or ``act``.
        made: when.
        until: from when on it is worth nothing.
        digest: the SHA-256 of its secret.
    """

    token: str
    person: str
    name: str
    scopes: tuple[str, ...]
    made: datetime
    until: datetime
    digest: bytes

    def allows(self, flow: str, *, reads: bool) -> bool:
        """Whether a flow may be asked with it; ``reads``: the flow changes nothing."""
        return flow in self.scopes or (flow not in FRESH and (READ if reads else ACT) in self.scopes)


class Bearer(msgspec.Struct, frozen=True):
    """Who asks with a token.

    Attributes:
        token: the token.
        handle: of its holder, as ``Actor`` takes it.
        person: his row.
    """

    token: Token
    handle: str
    person: PersonRow


class Tokens:
    """Every token of the console.

    Args:
        house: whose.
        store: the console's own.
        flows: the names of the flows that there are.
        clock: wall-clock time.
        entropy: makes secrets.
    """

    def __init__(self, house: House, store: Store, flows: Collection[str], *, clock: Clock, entropy: Entropy) -> None:
        self._house = house
        self._shelf = Shelf(store, "token", Token)
        self._flows = flows
        self._clock = clock
        self._entropy = entropy
        self._turn = asyncio.Lock()

    async def make(self, person: str, name: str, scopes: tuple[str, ...], days: int) -> tuple[str, Token]:
        """A new token, and how it is written; that is told here and never again. Those of his that are over go.

        Raises:
            Misuse: it has no name or no scope, a scope is none, it lasts too long, or there are too many.
        """
        if not name or len(name) > NAME_CHARACTERS_MAX:
            raise Misuse(
                f"a token has a name of at most {NAME_CHARACTERS_MAX} characters", code="bad-name", place="name"
            )
        if not scopes:
            raise Misuse("a token without a scope allows nothing; choose one", code="no-scope", place="scopes")
        for each in scopes:
            if each not in (READ, ACT) and each not in self._flows:
                raise Misuse(f"there is no scope {each[:100]!r}", code="unknown-scope", place="scopes")
        if not 1 <= days <= LONGEST.days:
            raise Misuse(f"a token lasts from 1 to {LONGEST.days} days", code="bad-period", place="days")
        number, secret, now = b32encode(self._entropy(10)).decode().lower(), self._entropy(32).hex(), self._clock.now()
        token = Token(
            token=number,
            person=person,
            name=name,
            scopes=tuple(sorted(set(scopes))),
            made=now,
            until=now + timedelta(days=days),
            digest=_digest(secret),
        )
        async with self._turn:
            his = await self.of_person(person)
            over = [each.token for each in his if now >= each.until]
            if len(his) - len(over) >= TOKENS_MAX:
                raise Misuse(f"nobody has more than {TOKENS_MAX} tokens; revoke one first", code="too-many-tokens")
            await self._shelf.put_all({**dict.fromkeys(over), number: token})
        return f"comity-{number}-{secret}", token

    async def verify(self, bearer: str) -> Bearer | None:
        """Who asks with what stands after ``Bearer`` in a request; None where that is worth nothing."""
        written = _WRITTEN.fullmatch(bearer)
        token = await self._shelf.get(written[1]) if written else None
        expected = token.digest if token is not None else bytes(32)
        if not compare_digest(_digest(written[2] if written else ""), expected) or token is None:
            return None
        if self._clock.now() >= token.until:
            return None
        try:
            row = await self._house.person(token.person)
        except Misuse:
            return None
        return None if row.removed else Bearer(token, await self._house.handle(token.person), row)

    async def of_person(self, person: str) -> list[Token]:
        """The tokens of a person, the newest first."""
        found = [each for each in (await self._shelf.all()).values() if each.person == person]
        return sorted(found, key=lambda each: each.made, reverse=True)

    async def revoke(self, person: str, number: str) -> Token:
        """End a token of a person.

        Raises:
            Misuse: he has none of that number.
        """
        token = await self._shelf.get(number)
        if token is None or token.person != person:
            raise Misuse("there is no such token of yours", code="no-token")
        await self._shelf.put(number, None)
        return token

    async def revoke_all(self, person: str) -> int:
        """End every token of a person; how many there were."""
        found = await self.of_person(person)
        await self._shelf.put_all({each.token: None for each in found})
        return len(found)


def _digest(secret: str) -> bytes:
    return sha256(secret.encode()).digest()
