"""A process for ``test_kill``: it commits until it is killed, and says each size once it is safe."""

import asyncio
import hashlib
import sys
from pathlib import Path

from comity.ports import Put
from comity.stores.blobs import FolderBlobs
from comity.stores.folder import FolderHighWaterMark
from comity.stores.sqlite import SqliteStore
from stores.samples import batch, expected

CHAINS = ("r/a", "r/b", "r/c")


def sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


async def writer(folder: Path) -> None:
    """Commit on three chains at once, with a blob before and the mark after."""
    store = await SqliteStore.open(folder / "store")
    blobs = await FolderBlobs.in_folder(folder)
    mark = FolderHighWaterMark(folder / "mark")
    heads = await store.heads()

    async def grow(chain: str) -> None:
        size = heads[chain].size if chain in heads else 0
        while True:
            content = f"{chain} {size}".encode() * 100
            await blobs.put_many({sha256(content): content})
            await store.commit(batch(chain, size, 2, Put(chain, f"{size:06}", content)), expected(chain, size))
            size += 2
            await mark.write({chain: size})
            sys.stdout.write(f"{chain} {size}\n")
            sys.stdout.flush()

    await asyncio.gather(*map(grow, CHAINS))


if __name__ == "__main__":
    asyncio.run(writer(Path(sys.argv[1])))
