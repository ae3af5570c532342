"""One side of NATS JetStream in the feed benchmark, with its Python client.

    python -m benchmarks._nats_side publisher ADDRESS
    python -m benchmarks._nats_side consumer ADDRESS

Commands as in ``_feed_side``. ``rate`` 0 publishes atomic batches of 1,000, 4 at once; -1 one by one, 1,000 at once.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from typing import Any

import nats
import uvloop
from nats.js.api import StreamConfig

MESSAGE_BYTES = 300
BATCH = 1000
STREAM = "feed"


def payload() -> bytes:
    """300 bytes that begin with the instant, in microseconds."""
    return f"{time.time_ns() // 1000:016d}".encode().ljust(MESSAGE_BYTES, b"x")


def cpu() -> float:
    """Processor seconds of this process."""
    spent = resource.getrusage(resource.RUSAGE_SELF)
    return spent.ru_utime + spent.ru_stime


class Publishing:
    """The publishing client."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._js = client.jetstream()
        self._batches = 0

    async def begin(self) -> None:
        """Make the stream: on disk, every message synced, atomic batches taken."""
        config = StreamConfig(name=STREAM, subjects=[STREAM]).as_dict() | {"allow_atomic": True, "storage": "file"}
        asked = json.dumps(config).encode()
        answer = json.loads((await self._client.request(f"$JS.API.STREAM.CREATE.{STREAM}", asked)).data)
        if "error" in answer:
            raise SystemExit(f"the stream was not made: {answer['error']}")

    async def batch(self) -> int:
        """One atomic batch."""
        self._batches += 1
        name = f"b{self._batches}"
        for number in range(1, BATCH):
            headers = {"Nats-Batch-Id": name, "Nats-Batch-Sequence": str(number)}
            await self._client.publish(STREAM, payload(), headers=headers)
        headers = {"Nats-Batch-Id": name, "Nats-Batch-Sequence": str(BATCH), "Nats-Batch-Commit": "1"}
        answer = await self._client.request(STREAM, payload(), timeout=30, headers=headers)
        if b'"error"' in answer.data:
            raise SystemExit(f"the batch was not taken: {answer.data!r}")
        return BATCH

    async def one(self) -> int:
        """One message."""
        await self._js.publish(STREAM, payload(), timeout=30)
        return 1

    async def run(self, rate: int, seconds: float) -> dict[str, float]:
        """Publish for so long."""
        before, start = cpu(), time.perf_counter()
        end, count = start + seconds, 0
        if rate <= 0:
            act, callers = (self.batch, 4) if rate == 0 else (self.one, 1000)

            async def call() -> int:
                done = 0
                while time.perf_counter() < end:
                    done += await act()
                return done

            count = sum(await asyncio.gather(*(call() for _ in range(callers))))
        else:
            tasks: set[asyncio.Task[int]] = set()
            while (now := time.perf_counter()) < end:
                while count < int((now - start) * rate) and len(tasks) < 2000:
                    task = asyncio.create_task(self.one())
                    tasks.add(task)
                    task.add_done_callback(tasks.discard)
                    count += 1
                await asyncio.sleep(0.001)
            await asyncio.gather(*tasks)
        return {"count": count, "seconds": time.perf_counter() - start, "cpu": cpu() - before}


class Consuming:
    """The consuming client."""

    def __init__(self, client: Any) -> None:
        self._js = client.jetstream()
        self.counts = [0] * 100_000
        self.before = cpu()

    async def begin(self) -> None:
        """Take everything from now on."""
        await self._js.subscribe(STREAM, cb=self._take, ordered_consumer=True)

    async def _take(self, message: Any) -> None:
        late = time.time_ns() // 1000 - int(message.data[:16])
        self.counts[min(late // 100, 99_999)] += 1

    async def run(self, _rate: int, _seconds: float) -> dict[str, float]:
        """The figures since the last time, once nothing more comes."""
        total = -1
        while total != (total := sum(self.counts)):  # noqa: ASYNC110 - nothing tells it
            await asyncio.sleep(0.3)
        found: dict[str, float] = {"count": total, "cpu": cpu() - self.before}
        for name, share in (("median", 0.5), ("p99", 0.99), ("p999", 0.999)):
            passed = 0
            for place, count in enumerate(self.counts):
                passed += count
                if total and passed >= share * total:
                    found[name] = (place + 1) / 10
                    break
        self.counts = [0] * 100_000
        self.before = cpu()
        return found


async def main(kind: str, address: str) -> None:
    """Serve commands until there are no more."""
    client = await nats.connect(address, pending_size=64 * 2**20)
    side = Publishing(client) if kind == "publisher" else Consuming(client)
    await side.begin()
    print("{}", flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        asked = json.loads(line)
        print(json.dumps(await side.run(int(asked.get("rate", 0)), asked.get("seconds", 0.0))), flush=True)
    await client.close()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(sys.argv[1], sys.argv[2]))
