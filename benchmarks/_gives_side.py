"""One side of the gives benchmark: a node in a process of its own, with a driver beside it.

Japan's driver keeps so many gives in flight, each from the request to the receipt: decided, requested and approved by
two people, assured by the other party, decided again, sealed, consigned, receipted. Korea's driver answers requests for
assurance. Everything else is the node as it ships: TLS, signed requests, SQLite, fsync, cosignatures.

    python -m benchmarks._gives_side jp FOLDER FILE IN_FLIGHT SECONDS
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import uvloop

from comity.flows.actors import Actor
from comity.flows.giving.answering import Approve, Assure, approve, assure
from comity.flows.giving.release import Give, give
from comity.flows.house import House
from comity.flows.keeping.work import Work
from comity.node import run as node
from comity.ports import Head
from comity.record import bodies, dsse
from comity.record.statement import Record
from comity.seal import hybrid
from comity.stores.keys import Ed25519Signer

RELATIONSHIP = "jp-kr-2016/jp.kr"


class CryptographyClock:
    """Seconds spent in signatures and in sealing, on this side."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def timed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **named: Any) -> Any:
            start = time.perf_counter()
            try:
                return function(*arguments, **named)
            finally:
                self.seconds += time.perf_counter() - start

        return run

    def watch(self) -> None:
        dsse.check_signature.__globals__["check_signature"] = self.timed(dsse.check_signature)
        hybrid.HybridRecipient.wrap = self.timed(hybrid.HybridRecipient.wrap)  # type: ignore[method-assign]  # measured from outside
        made = Ed25519Signer.__init__

        def signer(self_: Ed25519Signer, private: Any) -> None:
            made(self_, private)
            self_.sign = self.timed(self_.sign)  # type: ignore[method-assign]  # measured from outside

        Ed25519Signer.__init__ = signer  # type: ignore[method-assign]  # measured from outside


class Side:
    """A running node and what its records set in motion."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.asked: asyncio.Queue[str] = asyncio.Queue()
        self.receipts: dict[bytes, asyncio.Future[None]] = {}
        self.consigned: dict[str, asyncio.Future[bytes]] = {}
        self._heard: list[str] = []
        self._ring = house.sequencer.committed
        house.sequencer.committed = self.committed
        self._after = house._follow_up
        house._follow_up = self.follow

    async def follow(self, house: House, work: Work, record: Record) -> None:
        await self._after(house, work, record)
        body = record.body
        if isinstance(body, bodies.AssuranceAsked):
            self._heard.append(body.request)
        elif isinstance(body, bodies.Received) and (waiting := self.receipts.pop(body.item.encode(), None)):
            waiting.set_result(None)

    def committed(self, heads: Mapping[str, Head]) -> None:
        """What was heard inside a change may be acted on once the change is durable."""
        self._ring(heads)
        for request in self._heard:
            self.asked.put_nowait(request)
        self._heard.clear()

    async def answer(self) -> None:
        """Korea: assure whatever is asked, several at a time."""

        async def one() -> None:
            while True:
                request = await self.asked.get()
                await assure(self.house, Assure(request=request, relationship=RELATIONSHIP, actor=Actor("lee")))

        await asyncio.gather(*[one() for _ in range(64)])

    async def drive(self, file: str, recipient: str, in_flight: int, seconds: float) -> dict[str, object]:
        """Japan: complete gives for so many seconds."""
        latencies: list[float] = []
        until = time.perf_counter() + seconds

        async def one() -> None:
            while time.perf_counter() < until:
                start = time.perf_counter()
                asked = await give(
                    self.house,
                    Give(
                        path=file,
                        relationship=RELATIONSHIP,
                        mark="極秘",
                        topic="missile-warning",
                        recipients=(recipient,),
                        purpose="air defence",
                        actor=Actor("sato"),
                    ),
                )
                receipt = self.receipts[asked.item.encode()] = asyncio.get_running_loop().create_future()
                await approve(self.house, Approve(request=asked.request, reason="needed", actor=Actor("abe")))
                await receipt
                latencies.append(time.perf_counter() - start)

        begun = time.perf_counter()
        await asyncio.gather(*[one() for _ in range(in_flight)])
        elapsed = time.perf_counter() - begun
        latencies.sort()
        return {
            "gives": len(latencies),
            "seconds": elapsed,
            "median_ms": latencies[len(latencies) // 2] * 1000,
            "p99_ms": latencies[int(len(latencies) * 0.99)] * 1000,
        }


async def main(party: str, folder: str, *rest: str) -> None:
    clock = CryptographyClock()
    clock.watch()
    async with node.running(Path(folder)) as running:
        side = Side(running.house)
        stop = asyncio.Event()
        serving = asyncio.create_task(node.until(stop, running.doors))
        print("ready", flush=True)
        result: dict[str, object] = {}
        before = resource.getrusage(resource.RUSAGE_SELF)
        clock.seconds = 0.0
        if party == "jp":
            file, recipient, in_flight, seconds = rest
            result = await side.drive(file, recipient, int(in_flight), float(seconds))
        else:
            answering = asyncio.create_task(side.answer())
            await asyncio.to_thread(sys.stdin.readline)
            answering.cancel()
        used = resource.getrusage(resource.RUSAGE_SELF)
        result["cpu_seconds"] = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
        result["cryptography_seconds"] = clock.seconds
        stop.set()
        await serving
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    sys.setswitchinterval(node.SWITCH_SECONDS)
    uvloop.run(main(*sys.argv[1:]))
