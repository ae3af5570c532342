"""The alarm: what became overdue, and who signed two histories, is told once to an address outside.

It is ``spec/duties.md`` step 10. A message names duties and contradictions, no person and no content. Whoever receives
it compares the signature of its body under a secret that both know, and asks this house for the rest.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

import aiohttp
import msgspec

from comity.errors import ComityError, Unavailable
from comity.flows.house import House
from comity.flows.looking.duties import TOLD, DutyShown, mark_told, untold
from comity.flows.vouching.contradictions import held
from comity.node.outward import asking
from comity.node.worker import pause_seconds
from comity.ports import Entropy

LOOK_SECONDS = 60.0
"""How often a node looks for what became overdue."""
ANSWER_SECONDS = 30.0
"""Longest wait for the address to answer."""
LINES_MAX = 256
"""Most duties in one message; the others follow in the next."""
TOLD_PROOF = "contradiction"
"""What the keys of contradictions that were told begin with, among those of duties."""
SIGNATURE = "Comity-Signature"
FORMAT = 1
_log = logging.getLogger("comity.node")


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One duty that became overdue."""

    who: str
    relationship: str
    subject: str
    instrument: str
    obligation: str
    clause: str
    opened: str
    due: datetime | None


class Contradicted(msgspec.Struct, frozen=True, kw_only=True):
    """A proof that somebody signed two things that cannot both be true.

    Attributes:
        contradiction: what it is called here.
        signer: whose words they are.
        relationship: with whom.
        kind: which kind of proof.
        response: what the agreement says is done about it; ``freeze``: nothing leaves under it.
    """

    contradiction: str
    signer: str
    relationship: str
    kind: str
    response: tuple[str, ...]


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What is told: whose house, when, and what."""

    format: int
    party: str
    at: datetime
    overdue: tuple[Line, ...]
    contradictions: tuple[Contradicted, ...] = ()


Post = Callable[[bytes, dict[str, str]], Awaitable[int]]
"""Sends a body with headers to the address; the status of the answer. Raises ``Unavailable`` when there is none."""


def signature_of(secret: bytes, body: bytes) -> str:
    """What stands in the header ``Comity-Signature``."""
    return f"sha256={hmac.digest(secret, body, 'sha256').hex()}"


class Alarm:
    """Tells what became overdue, and what was proved, once each.

    Args:
        house: whose duties.
        post: sends to the address.
        secret: key of the signature, or None.
        entropy: for the pauses.
    """

    def __init__(self, house: House, post: Post, secret: bytes | None, entropy: Entropy) -> None:
        self._house = house
        self._post = post
        self._secret = secret
        self._entropy = entropy

    async def run(self) -> None:
        """Until cancelled: look, tell, and after a failure tell again with growing pauses."""
        failures = 0
        while True:
            try:
                told = await self.tell()
            except Exception as error:  # noqa: BLE001 - whatever it was, it must still be told
                if not failures:
                    unforeseen = None if isinstance(error, ComityError) else error
                    _log.warning("the alarm could not be raised: %s", error, exc_info=unforeseen)
                failures += 1
                await asyncio.sleep(pause_seconds(failures, self._entropy))
                continue
            failures = 0
            await asyncio.sleep(0.0 if told >= LINES_MAX else LOOK_SECONDS)

    async def tell(self) -> int:
        """Tell what became overdue, or was proved, and was not told yet; how much that was.

        Raises:
            Unavailable: nobody took it; nothing counts as told.
        """
        at = self._house.now()
        found = await untold(self._house, at, LINES_MAX)
        proved = await self._proved()
        if not found and not proved:
            return 0
        message = Message(
            format=FORMAT,
            party=self._house.party,
            at=at,
            overdue=tuple(_line(duty) for _, duty in found),
            contradictions=tuple(each for _, each in proved),
        )
        body = msgspec.json.encode(message)
        headers = {"Content-Type": "application/json"}
        if self._secret is not None:
            headers[SIGNATURE] = signature_of(self._secret, body)
        status = await self._post(body, headers)
        if not 200 <= status < 300:
            raise Unavailable(f"the address of the alarm answers {status}", code="alarm-refused")
        await mark_told(self._house, [key for key, _ in (*found, *proved)])
        return len(found) + len(proved)

    async def _proved(self) -> list[tuple[str, Contradicted]]:
        """The proofs that were not told, with their keys for ``mark_told``."""
        found: list[tuple[str, Contradicted]] = []
        async for each in held(self._house):
            shown, key = each.shown, f"{TOLD_PROOF}/{each.shown.contradiction}"
            if shown.kind is None or shown.settled or await self._house.side(TOLD, key) is not None:
                continue
            line = Contradicted(
                contradiction=shown.contradiction,
                signer=shown.signer,
                relationship=shown.relationship,
                kind=shown.kind,
                response=tuple(shown.response),
            )
            found.append((key, line))
            if len(found) == LINES_MAX:
                break
        return found


def _line(duty: DutyShown) -> Line:
    return Line(**{name: getattr(duty, name) for name in Line.__struct_fields__})


def poster(url: str) -> Post:
    """Posts to ``url``; follows no redirection, which could lead off this machine or out of TLS."""

    async def post(body: bytes, headers: dict[str, str]) -> int:
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        try:
            async with (
                asking(timeout) as session,
                session.post(url, data=body, headers=headers, allow_redirects=False) as reply,
            ):
                return reply.status
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            told = str(error) or type(error).__name__
            raise Unavailable(f"the address of the alarm does not answer: {told}", code="alarm-unreachable") from None

    return post
