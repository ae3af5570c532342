"""Submitting checkpoints to third-party witnesses (``spec/witness.md`` steps 31 and 32).

There is no queue: what to submit is read from the ledger. One witness that hangs holds up nobody else.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

import aiohttp
import msgspec

from comity.errors import ComityError, Unavailable
from comity.flows.house import House
from comity.flows.vouching.cosigning import ANSWER_BYTES_MAX, Post, Posted, settle, submit
from comity.flows.vouching.witnesses import NamedWitness, witnesses
from comity.node.outward import asking
from comity.node.worker import pause_seconds
from comity.ports import Clock, Entropy
from comity.record.statement import DOMESTIC

ROUND_SECONDS = 1.0
"""Shortest time between two looks for something to submit: however fast a ledger grows."""
IDLE_SECONDS = 60.0
"""Longest time between two: a witness may have been added, or be reachable again."""
PATIENCE_SECONDS = 10.0
"""How long the other party's cosignature is waited for, so that all cosign the same checkpoint."""
ANSWER_SECONDS = 30.0
"""Longest wait for a witness's answer."""
_log = logging.getLogger("comity.node")


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """How it goes with one witness of one ledger.

    Attributes:
        witness: what this house calls it.
        ledger: chain.
        last_success: when it last cosigned something new.
        failures: tries that failed since then.
        last_error: what the last of them said; empty while all is well.
    """

    witness: str
    ledger: str
    last_success: datetime | None = None
    failures: int = 0
    last_error: str = ""


class Submitters:
    """All third-party witnesses of a house.

    Args:
        house: whose ledgers.
        post: the way to a witness.
        clock: for what is shown.
        entropy: for the pauses.
        monotonic: seconds that do not step.
    """

    def __init__(
        self,
        house: House,
        post: Post,
        clock: Clock,
        entropy: Entropy,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._house = house
        self._post = post
        self._clock = clock
        self._entropy = entropy
        self._monotonic = monotonic
        self._bell = asyncio.Event()
        self._tasks: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._told: dict[tuple[str, str], Submission] = {}
        self._waits: dict[tuple[str, str], float] = {}
        self._tails: dict[tuple[str, str], float] = {}
        house.after_commit.append(self._bell.set)

    def told(self) -> list[Submission]:
        """How it goes, by witness and ledger."""
        return [told for _, told in sorted(self._told.items())]

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                self._bell.clear()
                try:
                    await self.round()
                except Exception as error:  # noqa: BLE001 - whatever it was, the next look may do better
                    _log.warning("no look for what witnesses have not cosigned: %s", error)
                await asyncio.sleep(ROUND_SECONDS)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._bell.wait(), min(IDLE_SECONDS, self._next()))
        finally:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def round(self) -> None:
        """Look once: whoever is asked nothing at the moment, and need not be waited for, is asked."""
        named = await witnesses(self._house)
        now = self._monotonic()
        wanted = {(each.name, ledger): each for each in named for ledger in each.ledgers}
        for key in self._told.keys() - wanted.keys():
            del self._told[key]
        for key, witness in wanted.items():
            task = self._tasks.get(key)
            if (task is None or task.done()) and self._waits.get(key, 0.0) <= now:
                self._told.setdefault(key, Submission(witness=key[0], ledger=key[1]))
                self._tasks[key] = asyncio.create_task(self._one(witness, key[1]), name=f"witness {key}")
        for ledger in {ledger for _, ledger in wanted}:
            await settle(self._house, ledger)

    async def idle(self) -> None:
        """Wait for those who are asked at the moment."""
        await asyncio.gather(*self._tasks.values())

    def _next(self) -> float:
        """Seconds until somebody need not be waited for any more."""
        now = self._monotonic()
        waits = [until - now for until in self._waits.values() if until > now]
        waits += [since + PATIENCE_SECONDS - now for since in self._tails.values()]
        return max(ROUND_SECONDS, min((each for each in waits if each > 0), default=IDLE_SECONDS))

    def _patient(self, key: tuple[str, str]) -> bool:
        """Whether the other party may still cosign what a ledger has grown by; nobody else cosigns that of a house."""
        if key[1].startswith(f"{DOMESTIC}/"):
            return False
        now = self._monotonic()
        return now - self._tails.setdefault(key, now) < PATIENCE_SECONDS

    async def _one(self, witness: NamedWitness, ledger: str) -> None:
        key = witness.name, ledger
        told = self._told[key]
        patient = self._patient(key)
        try:
            if await submit(self._house, witness, ledger, self._post, patient=patient):
                told = Submission(witness=witness.name, ledger=ledger, last_success=self._clock.now())
                self._tails.pop(key, None)
                self._bell.set()
            elif not patient:
                self._tails.pop(key, None)
            self._told[key] = msgspec.structs.replace(told, failures=0, last_error="")
            self._waits.pop(key, None)
        except Exception as error:  # noqa: BLE001 - a defect with one witness must not silence the others
            if not told.failures:
                unforeseen = None if isinstance(error, ComityError) else error
                _log.warning("%r does not cosign %r: %s", witness.name, ledger, error, exc_info=unforeseen)
            failures = told.failures + 1
            self._told[key] = msgspec.structs.replace(told, failures=failures, last_error=str(error))
            self._waits[key] = self._monotonic() + pause_seconds(failures, self._entropy)


def witness_poster() -> Post:
    """Posts over HTTP; follows no redirection, and reads no more of an answer than one can have (31)."""

    async def post(url: str, body: bytes) -> Posted:
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        try:
            async with (
                asking(timeout) as session,
                session.post(url, data=body, allow_redirects=False) as reply,
            ):
                answer = await reply.content.read(ANSWER_BYTES_MAX + 1)
                while len(answer) <= ANSWER_BYTES_MAX and (more := await reply.content.read(ANSWER_BYTES_MAX)):
                    answer += more
                if len(answer) > ANSWER_BYTES_MAX:
                    raise Unavailable(f"{url!r} answers more than {ANSWER_BYTES_MAX} bytes", code="answer-too-large")
                return Posted(reply.status, reply.headers.get("content-type", ""), answer)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            told = str(error) or type(error).__name__
            raise Unavailable(f"{url!r} does not answer: {told}", code="witness-unreachable") from None

    return post
