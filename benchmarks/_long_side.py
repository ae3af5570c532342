"""A node in a process of its own that registers items as fast as it can, until it is killed.

Every line of its output is the number of records that were acknowledged, so durable, by then.

    python -m benchmarks._long_side FOLDER CALLERS
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import uvloop

from benchmarks._long_ledger import CHAIN, officer, register
from comity.node import run as node

TOLD_EACH = 64


async def main(folder: str, callers: int) -> None:
    async with node.running(Path(folder)) as running:
        serving = asyncio.create_task(node.until(asyncio.Event(), running.doors))
        by = await officer(running.house)
        acknowledged = running.house.sequencer.head(CHAIN).size
        print(acknowledged, flush=True)

        async def one() -> None:
            nonlocal acknowledged
            while True:
                await register(running.house, by)
                acknowledged += 1
                if not acknowledged % TOLD_EACH:
                    print(acknowledged, flush=True)

        await asyncio.gather(serving, *[one() for _ in range(callers)])


if __name__ == "__main__":
    sys.setswitchinterval(node.SWITCH_SECONDS)
    uvloop.run(main(sys.argv[1], int(sys.argv[2])))
