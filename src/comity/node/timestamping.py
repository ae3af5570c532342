"""Asking an authority to stamp what the ledgers of this house have grown to (``spec/timestamps.md`` steps 1 and 7)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from pathlib import Path

import aiohttp
from cryptography.x509 import Certificate

from comity.errors import ComityError, Unavailable
from comity.flows.house import House
from comity.flows.vouching.stamping import Stamp, keep_stamp, stamped_text, unstamped
from comity.node.outward import asking
from comity.node.settings import TimestampSettings
from comity.node.worker import pause_seconds
from comity.ports import Entropy
from comity.timestamps.token import TOKEN_BYTES_MAX, ask, read_authorities, verify_token

LOOK_SECONDS = 60.0
"""How often a node looks for what is not stamped."""
ANSWER_SECONDS = 30.0
"""Longest wait for the authority's answer."""
_log = logging.getLogger("comity.node")

Post = Callable[[bytes], Awaitable[bytes]]
"""Sends a request to the authority; its answer. Raises ``Unavailable`` when there is none."""


class Stamper:
    """Has the ledgers of a house stamped.

    Args:
        house: whose.
        post: the way to the authority.
        authorities: certificates of those who are believed.
        every: how long a ledger that grows is not stamped again.
        entropy: for the pauses.
    """

    def __init__(
        self, house: House, post: Post, authorities: Sequence[Certificate], every: timedelta, entropy: Entropy
    ) -> None:
        self._house = house
        self._post = post
        self._authorities = tuple(authorities)
        self._every = every
        self._entropy = entropy

    async def run(self) -> None:
        """Until cancelled; after a failure again, with growing pauses."""
        failures = 0
        while True:
            try:
                await self.stamp()
            except Exception as error:  # noqa: BLE001 - whatever it was, the next look may do better
                if not failures:
                    unforeseen = None if isinstance(error, ComityError) else error
                    _log.warning("no time-stamp: %s", error, exc_info=unforeseen)
                failures += 1
                await asyncio.sleep(pause_seconds(failures, self._entropy))
                continue
            failures = 0
            await asyncio.sleep(LOOK_SECONDS)

    async def stamp(self) -> int:
        """Have stamped what is not; how many ledgers that were.

        Raises:
            Unavailable: the authority does not answer.
            Rejected: ``bad-token``: what it answers is none.
        """
        found = await unstamped(self._house, self._every)
        for chain, note in found:
            text = stamped_text(note)
            asked = ask(text)
            token = await self._post(asked.request)
            at = verify_token(token, text, self._authorities, asked.nonce)
            await keep_stamp(self._house, chain, Stamp(note, token, at))
        return len(found)


def stamper_of(house: House, folder: Path, settings: TimestampSettings, entropy: Entropy) -> Stamper:
    """The stamper that ``[timestamps]`` asks for.

    Raises:
        Unavailable: the certificate cannot be read.
        Misuse: there is none in that file.
    """
    try:
        pem = (folder / settings.certificate).read_bytes()
    except OSError as error:
        raise Unavailable(
            f"{settings.certificate!r} cannot be read: {error.strerror}", code="unreadable-file"
        ) from None
    every = timedelta(minutes=settings.minutes)
    return Stamper(house, stamp_poster(settings.url), read_authorities(pem), every, entropy)


def stamp_poster(url: str) -> Post:
    """Posts to ``url``, and follows no redirection."""

    async def post(body: bytes) -> bytes:
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        headers = {"Content-Type": "application/timestamp-query"}
        try:
            async with (
                asking(timeout) as session,
                session.post(url, data=body, headers=headers, allow_redirects=False) as reply,
            ):
                if reply.status != 200:
                    raise Unavailable(f"the time-stamp authority answers {reply.status}", code="authority-refused")
                answer = bytearray()
                while len(answer) <= TOKEN_BYTES_MAX and (part := await reply.content.readany()):
                    answer += part
                return bytes(answer)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            told = str(error) or type(error).__name__
            raise Unavailable(f"the time-stamp authority does not answer: {told}", code="no-authority") from None

    return post
