"""Webhooks: what happens in the house, told to addresses outside as it happens (``spec/api.md`` steps 10 to 12).

A message names records by number, kind and id: no person, no title, no content. Whoever receives it checks the
signature and asks the API for the rest, as whoever his token is of.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
from base64 import b64encode
from hashlib import sha256

import msgspec

from comity.errors import ComityError, Unavailable
from comity.flows.house import House
from comity.flows.keeping.work import Work
from comity.flows.looking.happenings import EventLine, ListEvents, list_events
from comity.node.alarm import Post
from comity.node.worker import pause_seconds
from comity.ports import Entropy

TOLD = "webhook"
"""Side table, by the digest of an address and its kinds: the number of the last event that was taken, and after a dash
that of the last one of the message which was sent since and is not known to be taken."""
LINES_MAX = 256
"""Most events in one message."""
QUIET_SECONDS = 60.0
"""How often a node looks again where nothing was committed."""
ID, TIMESTAMP, SIGNATURE = "Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"
FORMAT = 1
_log = logging.getLogger("comity.node")


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What is told: whose house, and what happened there, oldest first."""

    format: int
    party: str
    events: tuple[EventLine, ...]


def signature_of(secret: bytes, name: str, timestamp: str, body: bytes) -> str:
    """(11) What stands in the header ``Webhook-Signature``: HMAC-SHA256 over id, timestamp and body."""
    signed = b".".join((name.encode(), timestamp.encode(), body))
    return f"v1,{b64encode(hmac.digest(secret, signed, 'sha256')).decode()}"


class Webhook:
    """Tells one address.

    Args:
        house: what happens where.
        url: the address; it is told on from where it was left, as long as it and the kinds stay the same.
        post: sends to it.
        secret: key of the signature.
        kinds: kinds of records that are told; all, where none is named.
        entropy: for the pauses.
    """

    def __init__(
        self, house: House, url: str, post: Post, secret: bytes, kinds: tuple[str, ...], entropy: Entropy
    ) -> None:
        self._house = house
        self._key = sha256(" ".join((url, *sorted(set(kinds)))).encode()).hexdigest()
        self._post = post
        self._secret = secret
        self._kinds = frozenset(kinds)
        self._entropy = entropy
        self._committed = asyncio.Event()
        house.after_commit.append(self._committed.set)

    async def run(self) -> None:
        """Until cancelled: tell what happens, and after a failure tell it again with growing pauses."""
        failures = 0
        while True:
            self._committed.clear()
            try:
                told = await self.tell()
            except Exception as error:  # noqa: BLE001 - whatever it was, it must still be told
                if not failures:
                    unforeseen = None if isinstance(error, ComityError) else error
                    _log.warning("a webhook could not be called: %s", error, exc_info=unforeseen)
                failures += 1
                await asyncio.sleep(pause_seconds(failures, self._entropy))
                continue
            failures = 0
            if not told:
                try:
                    async with asyncio.timeout(QUIET_SECONDS):
                        await self._committed.wait()
                except TimeoutError:
                    pass

    async def tell(self) -> int:
        """(10) Tell the next events; how many were looked at.

        Raises:
            Unavailable: the address did not take them; they are told again.
        """
        house = self._house
        kept, _, sent = (await house.side(TOLD, self._key) or b"0").decode().partition("-")
        after = int(kept)
        limit = int(sent) - after if sent else LINES_MAX
        found = await list_events(house, ListEvents(after=after, limit=limit))
        events = tuple(line for line in found.lines if not self._kinds or line.kind in self._kinds)
        if events:
            if not sent:  # told again it is the same message, whatever has happened meanwhile (12)
                await self._keep(f"{after}-{found.next}")
            await self._send(Message(format=FORMAT, party=house.party, events=events))
        if found.next != after:
            await self._keep(str(found.next))
        return len(found.lines)

    async def _send(self, message: Message) -> None:
        body = msgspec.json.encode(message)
        name = sha256(body).hexdigest()[:32]
        timestamp = str(int(self._house.now().timestamp()))
        status = await self._post(
            body,
            {
                "Content-Type": "application/json",
                ID: name,
                TIMESTAMP: timestamp,
                SIGNATURE: signature_of(self._secret, name, timestamp, body),
            },
        )
        if not 200 <= status < 300:
            raise Unavailable(f"the address of a webhook answers {status}", code="webhook-refused")

    async def _keep(self, told: str) -> None:
        async def keep(work: Work) -> None:
            work.put_side(TOLD, self._key, told.encode())

        await self._house.sequencer.submit(keep)
