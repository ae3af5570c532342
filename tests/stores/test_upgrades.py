"""Data folders of every released version are opened, brought up to date, checked and gone on with (steps 80 to 82)."""

from __future__ import annotations

import asyncio
import re
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from comity import __version__
from comity.errors import Rejected
from comity.flows.giving.release import Given
from comity.flows.looking.views import ShowInbox, show_inbox
from comity.flows.maintaining.rebuilding import Rebuild, VerifyLedger, rebuild, verify_ledger
from comity.node.checking import PARTS, check_folder
from comity.stores import schema
from comity.stores.schema import APPLICATION_ID, MIGRATIONS, migrate
from comity.stores.sqlite import SqliteStore
from released import RELEASES, brought, houses


def test_the_present_version_is_kept() -> None:
    """Where this fails a version is about to be released: make its folder with ``python tests/released.py VERSION``."""
    assert f"released-{__version__}" in RELEASES


@pytest.mark.parametrize("release", RELEASES)
async def test_a_released_folder_is_gone_on_with(release: str, tmp_path: Path) -> None:  # (80) (82)
    folder = brought(release, tmp_path)
    folder.chmod(0o700)
    async with houses(folder) as world:
        assert len((await show_inbox(world.kr, ShowInbox())).received) == 1
        for house in (world.jp, world.kr):
            assert (await verify_ledger(house, VerifyLedger())).findings == ()
            assert (await rebuild(house, Rebuild())).findings == ()
        given = await world.given()
        assert isinstance(given, Given)
        assert given.item in {line.item for line in (await show_inbox(world.kr, ShowInbox())).received}
    for party in ("jp", "kr"):
        assert (await asyncio.to_thread(check_folder, folder / party, PARTS, lambda *_: None)).findings == ()


def database(path: Path) -> apsw.Connection:
    return apsw.Connection(str(path))


async def test_a_newer_database_is_left_alone(tmp_path: Path) -> None:  # (81)
    folder = brought(RELEASES[-1], tmp_path) / "jp"
    with closing(database(folder / "comity.sqlite")) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    before = (folder / "comity.sqlite").read_bytes()
    with pytest.raises(Rejected) as caught:
        await SqliteStore.open(folder / "comity.sqlite")
    assert caught.value.code == "newer-database"
    assert re.search("run the newer Comity", caught.value.sentence)
    assert (folder / "comity.sqlite").read_bytes() == before


def test_a_migration_that_fails_leaves_the_old_version_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """(80) The script and its number are one transaction."""
    folder = brought(RELEASES[-1], tmp_path) / "jp"
    scripts = ("CREATE INDEX newer ON journal (at)", "CREATE TABLE half (a) STRICT; INSERT INTO nowhere VALUES (1)")
    monkeypatch.setattr(schema, "MIGRATIONS", (*MIGRATIONS, *scripts))
    with closing(database(folder / "comity.sqlite")) as connection:
        with pytest.raises(apsw.SQLError):
            migrate(connection)
        connection.execute("ROLLBACK")
        assert connection.execute("PRAGMA user_version").get == len(MIGRATIONS) + 1
        assert connection.execute("PRAGMA application_id").get == APPLICATION_ID
        names = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema")}
        assert "newer" in names
        assert "half" not in names
    monkeypatch.setattr(schema, "MIGRATIONS", (*MIGRATIONS, scripts[0], "CREATE INDEX third ON journal (rules)"))
    with closing(database(folder / "comity.sqlite")) as connection:
        migrate(connection)
        assert connection.execute("PRAGMA user_version").get == len(MIGRATIONS) + 2
        assert connection.execute("SELECT count(*) FROM journal").get > 0
