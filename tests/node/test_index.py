"""The index of a node's register: beside the database, kept up while the node runs, and in no backup."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path

from comity.flows.finding.pages import ShowIndex, read_page, show_index
from comity.flows.finding.questions import ReadPage
from comity.node.run import INDEX, found, opened, running
from comity.node.settings import Settings
from comity.stores.backups.taking import DATABASES, FLEETING
from comity.stores.index import SqliteIndex


async def test_a_node_makes_it_and_keeps_it(tmp_path: Path) -> None:
    folder = tmp_path / "jp"
    await found(folder, Settings(party="jp"), "Japan")
    assert not (folder / INDEX).exists()
    async with running(folder) as node:
        for _ in range(500):
            await asyncio.sleep(0.01)
            if (await show_index(node.house, ShowIndex())).ready:
                break
        assert (await read_page(node.house, ReadPage())).total == 0
    assert stat.S_IMODE((folder / INDEX).stat().st_mode) == 0o600
    index = SqliteIndex(folder / INDEX)
    assert await index.watermark() is not None
    await index.close()
    assert sorted(each.name for each in folder.iterdir() if each.name.startswith(INDEX)) == [INDEX]


async def test_a_command_on_a_folder_does_not_touch_it(tmp_path: Path) -> None:
    folder = tmp_path / "jp"
    await found(folder, Settings(party="jp"), "Japan")
    async with opened(folder) as house:
        assert not (folder / INDEX).exists()
        assert (await read_page(house, ReadPage())).lines == ()
    assert (folder / INDEX).exists()


def test_it_is_in_no_backup() -> None:  # (1)
    assert INDEX not in DATABASES
    assert all(f"{INDEX}{suffix}".endswith(FLEETING) for suffix in ("", "-wal", "-shm", ".partial"))
