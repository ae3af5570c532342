"""``kill -9`` at any moment, in a real process: what was acknowledged is there, and nothing by half."""

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from comity.errors import Rejected
from comity.flows.keeping.high_water_mark import check_high_water_mark
from comity.ports import Head
from comity.stores.blobs import FolderBlobs
from comity.stores.folder import FolderHighWaterMark
from comity.stores.sqlite import SqliteStore
from stores.killed_writer import sha256
from stores.samples import batch, expected, head

ROUNDS = 6


def run_and_kill(folder: Path, seconds: float) -> dict[str, int]:
    """Run the writer for a while, kill it, and give the sizes it acknowledged."""
    process = subprocess.Popen(
        [sys.executable, "-m", "stores.killed_writer", str(folder)],
        cwd=Path(__file__).parents[1],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout.readline(), "the writer ended by itself"
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(seconds)
    finally:
        process.send_signal(signal.SIGKILL)
    said = process.stdout.read().rsplit("\n", 1)[0]  # the last line may be cut short: it counts as not acknowledged
    process.wait()
    return {chain: int(size) for chain, size in (line.split() for line in said.splitlines())}


async def test_kill_at_random_moments_loses_nothing_acknowledged_and_leaves_nothing_half_done(tmp_path):
    moments = random.Random(20161123)
    for _ in range(ROUNDS):
        acknowledged = run_and_kill(tmp_path, moments.uniform(0, 0.25))
        store = await SqliteStore.open(tmp_path / "store")
        heads = await store.heads()
        check_high_water_mark(heads, await FolderHighWaterMark(tmp_path / "mark").read())
        blobs = await FolderBlobs.in_folder(tmp_path)
        held = set(await blobs.all())
        for chain, found in heads.items():
            assert found.size >= acknowledged.get(chain, 0)
            assert found == head(chain, found.size)
            entries = await store.chain(chain, 0, 100_000)
            assert [entry.sequence for entry in entries] == list(range(found.size))
            rows = await store.scan(chain, limit=100_000)
            assert [key for key, _ in rows] == [f"{size:06}" for size in range(0, found.size, 2)]
            assert {sha256(value) for _, value in rows} <= held
        assert acknowledged.keys() <= heads.keys()
        assert len(await store.journal(0, 100_000)) == sum(found.size for found in heads.values())
        await blobs.close()
        await store.close()


async def test_a_restored_older_database_is_recognised(tmp_path):
    """A backup of the database alone comes back: its mark knows better, and nothing is signed on top of it."""
    mark = FolderHighWaterMark(tmp_path / "mark")
    for size in range(3):
        store = await SqliteStore.open(tmp_path / "store")
        check_high_water_mark(await store.heads(), await mark.read())
        await store.commit(batch("r/jp", size), expected("r/jp", size))
        await mark.write({"r/jp": size + 1})
        await store.close()
        if size == 1:
            backup = (tmp_path / "store").read_bytes()
    (tmp_path / "store").write_bytes(backup)
    store = await SqliteStore.open(tmp_path / "store")
    assert await store.heads() == {"r/jp": head("r/jp", 2)}
    with pytest.raises(Rejected, match="2 records of chain 'r/jp', which this party had signed up to 3") as caught:
        check_high_water_mark(await store.heads(), await mark.read())
    assert caught.value.code == "restored-database"
    await store.close()


@pytest.mark.parametrize("heads", [{}, {"r/jp": Head(4, b"", b"")}], ids=["gone", "shorter"])
def test_a_chain_behind_its_mark_is_refused(heads):
    with pytest.raises(Rejected, match="recover the missing records from the peers"):
        check_high_water_mark(heads, {"r/jp": 5})


def test_a_chain_at_or_beyond_its_mark_passes():
    check_high_water_mark({"r/jp": Head(5, b"", b""), "r/kr": Head(9, b"", b"")}, {"r/jp": 5})
