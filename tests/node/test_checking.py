"""``fsck``: every kind of damage to a data folder is named (``spec/backup.md`` steps 70 to 75)."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from comity.cli.main import main
from comity.errors import Misuse, Unavailable
from comity.flows.maintaining.digests import Digests
from comity.node import checking
from comity.node.checking import DIGESTS, PARTS, FolderChecked, check_folder
from comity.stores.backups.snapshot import View, snapshot
from comity.stores.sqlite import SqliteStore
from released import RELEASES, brought

NEWEST = RELEASES[-1]


def checked(folder: Path, parts: tuple[str, ...] = PARTS) -> FolderChecked:
    return check_folder(folder, parts, lambda *_: None)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return brought(NEWEST, tmp_path_factory.mktemp("released")) / "kr"


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "kr"))


def test_all_is_as_it_must_be(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = checked(folder)
    assert found.findings == ()
    assert found.entries > 10
    assert found.rows > 10
    assert found.payloads == 1
    assert found.witnessed
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if ".sqlite-" not in path.name}
    assert main(["fsck", "--folder", str(folder), "--json"]) == 0
    assert before == {path: path.stat().st_mtime_ns for path in folder.rglob("*") if ".sqlite-" not in path.name}
    assert main(["fsck", "--folder", str(folder), "--only", "payloads"]) == 0
    assert "all is as it must be" in capsys.readouterr().out


def test_a_house_that_changed_its_keys_is_checked_by_all_of_them(folder: Path) -> None:
    for purpose in ("record", "log", "witness", "transport"):
        assert main(["keys", "rotate", purpose, "--folder", str(folder)]) == 0
    assert (
        main(
            [
                "person",
                "add",
                "oh",
                "--name",
                "Oh",
                "--function",
                "Duty desk",
                "--body",
                "Ministry",
                "--nationality",
                "kr",
                "--as",
                "root",
                "--folder",
                str(folder),
            ]
        )
        == 0
    )
    _make_feeds(folder)
    assert checked(folder).findings == ()


def _make_feeds(folder: Path) -> None:
    """The database of feeds, which any node that has run makes."""

    async def make() -> None:
        await (await SqliteStore.open(folder / "feeds.sqlite", large_rows=True)).close()

    asyncio.run(make())


def sql(statement: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        with closing(apsw.Connection(str(folder / "comity.sqlite"))) as connection:
            connection.execute(statement)
            assert connection.changes()

    return change


def _blob(folder: Path) -> Path:
    return next(path for path in (folder / "blobs").rglob("*") if path.is_file())


def _damage_blob(folder: Path) -> None:
    content = _blob(folder).read_bytes()
    _blob(folder).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


def _raise_mark(folder: Path) -> None:
    mark = folder / "high-water-mark"
    mark.write_bytes(mark.read_bytes().replace(b'"domestic/kr":', b'"domestic/kr":9'))


def _erase(folder: Path) -> None:
    with closing(apsw.Connection(str(folder / "comity.sqlite"))) as connection:
        key = connection.execute("SELECT key FROM rows WHERE \"table\" = 'header'").get
    (folder / "erased-keys").write_bytes(key.encode() + b"\n")


DAMAGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "an envelope": (sql("UPDATE journal SET envelope = zeroblob(20) WHERE position = 3"), "journal entry 3"),
    "a salt": (sql("UPDATE journal SET salt = zeroblob(32) WHERE position = 3"), "head is not what"),
    "a verdict": (sql("UPDATE journal SET verdict = 'rejected' WHERE position = 3"), "the journal says 'rejected'"),
    "an entry that is missing": (sql("DELETE FROM journal WHERE position = 5"), "journal"),
    "a head": (sql("UPDATE heads SET root = zeroblob(32)"), "the head is not what the journal gives"),
    "a tile": (sql("UPDATE rows SET value = zeroblob(32) WHERE \"table\" = 'tile'"), "tile"),
    "a row": (sql("UPDATE rows SET value = zeroblob(3) WHERE \"table\" = 'copy'"), "the row is not what"),
    "a row too many": (sql("INSERT INTO rows (\"table\", key, value) VALUES ('person', 'p-x', x'80')"), "person p-x"),
    "a row that is missing": (sql("DELETE FROM rows WHERE \"table\" = 'copy'"), "the row is missing"),
    "a header": (sql("UPDATE rows SET value = x'00' WHERE \"table\" = 'header'"), "not what its digest says"),
    "a text": (sql("UPDATE rows SET value = x'00' WHERE \"table\" = 'text'"), ""),
    "a checkpoint": (sql("DELETE FROM rows WHERE \"table\" = 'cosigned'"), ""),
    "a payload": (_damage_blob, "the bytes are not what their digest says"),
    "a payload that is missing": (lambda folder: _blob(folder).unlink(), "sealed payload"),
    "the mark": (_raise_mark, "high-water-mark"),
    "a damaged mark": (lambda folder: (folder / "high-water-mark").write_bytes(b"{}"), "high-water mark is damaged"),
    "a key that was destroyed": (_erase, "has to be erased"),
    "a damaged list": (lambda folder: (folder / "erased-keys").write_bytes(b"x" * 65), "erased keys is damaged"),
}
HARMLESS = {"a checkpoint"}
"""What can be fetched again with the next exchange is missed by nobody."""


@pytest.mark.parametrize("damage", DAMAGES)
def test_each_damage_is_named(folder: Path, damage: str) -> None:
    damaging, says = DAMAGES[damage]
    damaging(folder)
    found = checked(folder).findings
    if damage in HARMLESS:
        assert not found
        return
    assert says in "\n".join(f"{each.place}: {each.says}" for each in found)
    assert main(["fsck", "--folder", str(folder)]) == 6


SEEN_BY_DIGESTS = {"an envelope", "a salt", "an entry that is missing", "a head", "a tile"}


@pytest.mark.parametrize("damage", sorted(SEEN_BY_DIGESTS | {"a verdict", "a row"}))
def test_the_faster_look_sees_what_has_a_digest_in_the_ledgers(folder: Path, damage: str) -> None:  # (76)
    assert checked(folder, (DIGESTS,)).findings == ()
    DAMAGES[damage][0](folder)
    found = checked(folder, (DIGESTS,))
    assert bool(found.findings) == (damage in SEEN_BY_DIGESTS)
    assert found.entries > 10
    assert not found.signatures


class Inline(ThreadPoolExecutor):
    """Checks shares one after the other, in this process."""

    def __init__(self, workers: int, *, mp_context: object) -> None:
        super().__init__(1)


ENTRIES_DAMAGED = {
    **{name: damaging for name, (damaging, _) in DAMAGES.items() if name in SEEN_BY_DIGESTS},
    "nothing": lambda _: None,
    "a sequence": sql("UPDATE journal SET sequence = 99 WHERE position = 9"),
    "a chain": sql("UPDATE journal SET chain = 'domestic/jp' WHERE position = 9"),
    "a record": sql("UPDATE journal SET record = zeroblob(32) WHERE position = 9"),
    "what extends": sql("UPDATE journal SET extends = 0 WHERE position = 9"),
    "a link across shares": sql("UPDATE journal SET record = zeroblob(32) WHERE position = 6"),
}


@pytest.mark.parametrize("damage", sorted(ENTRIES_DAMAGED))
def test_shares_of_the_journal_come_to_what_the_whole_of_it_comes_to(  # (76)
    folder: Path, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ENTRIES_DAMAGED[damage](folder)
    whole = checked(folder, (DIGESTS,))
    assert bool(whole.findings) == (damage != "nothing")
    monkeypatch.setattr(checking, "SHARED_FROM", 0)
    monkeypatch.setattr(checking, "ProcessPoolExecutor", Inline)
    for size in (1, 7, 10_000):
        monkeypatch.setattr(checking, "SHARE", size)
        assert checked(folder, (DIGESTS,)) == whole


def test_processes_share_a_long_journal(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # (76)
    whole = checked(folder, (DIGESTS,))
    monkeypatch.setattr(checking, "SHARED_FROM", 0)
    monkeypatch.setattr(checking, "SHARE", 10)
    monkeypatch.setattr(Digests, "take", None)  # nothing is checked again here
    assert checked(folder, (DIGESTS,)) == whole


def test_digests_and_all_of_the_books_give_the_same_ledgers(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert checked(folder, (DIGESTS,)).chains == checked(folder, ("books",)).chains
    assert main(["fsck", "--folder", str(folder), "--only", "digests"]) == 0
    assert "signatures were not verified" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("sequence = 99", "the record is not the one that its entry names"),
        ("chain = 'domestic/jp'", "the record is not the one that its entry names"),
        ("record = zeroblob(32)", "the record is not the one that its entry names"),
        ('envelope = CAST(\'{"payload":"AAA"\' AS BLOB)', "the record is not the one that its entry names"),
        ("extends = 0", ""),
    ],
)
def test_an_entry_that_is_not_what_it_says_is_named(folder: Path, change: str, says: str) -> None:  # (76)
    sql(f"UPDATE journal SET {change} WHERE position = 2")(folder)
    found = checked(folder, (DIGESTS,)).findings
    assert found
    if says:
        assert (found[0].place, found[0].says) == ("journal entry 2", says)
        return
    assert found[0].says == "the record does not follow the one before it in its chain"  # whoever came after it


def test_a_file_that_is_no_database_any_more(folder: Path) -> None:
    path = folder / "comity.sqlite"
    content = path.read_bytes()
    path.write_bytes(content[:4096] + bytes(8192) + content[12288:])
    assert main(["fsck", "--folder", str(folder)]) != 0


def test_a_view_writes_nothing(folder: Path, tmp_path: Path) -> None:
    with snapshot(folder / "comity.sqlite") as seen:
        view = View(folder / "comity.sqlite", seen)
        with pytest.raises(Misuse):
            asyncio.run(view.commit(None, {}))  # type: ignore[arg-type]  # it looks at nothing
        with pytest.raises(apsw.ReadOnlyError):
            seen.connection.execute("DELETE FROM rows")
    with pytest.raises(Unavailable), snapshot(tmp_path / "nowhere.sqlite"):
        pass
