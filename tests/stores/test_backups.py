"""Folders of backups: whole or not there, only what is new, sealed, checked (``spec/backup.md`` steps 10 to 24)."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from comity.errors import Misuse, Rejected, Unavailable
from comity.ports import Batch, DiskFull, Put
from comity.seal.keys import generate_identity
from comity.seal.passphrase import PassphraseIdentity, PassphraseRecipient
from comity.stores.backups import repository as repositories
from comity.stores.backups.checking import check_backups, show_backups
from comity.stores.backups.lists import KeptFile
from comity.stores.backups.repository import Repository
from comity.stores.backups.restoring import Derived, Point, restore
from comity.stores.backups.snapshot import snapshot
from comity.stores.backups.taking import Taken, open_or_make, take
from comity.stores.backups.vault import Vault
from comity.stores.blobs import FolderBlobs
from comity.stores.erased_keys import FileErasedKeys
from comity.stores.folder import FolderHighWaterMark
from comity.stores.restoration import read_note
from comity.stores.sqlite import SqliteStore
from stores.samples import batch, expected

HOME = "r/jp"
NOW = datetime(2026, 11, 21, 6, tzinfo=UTC)
OLD, NEW = "11" * 32, "22" * 32
DERIVED = Derived(frozenset({"derived"}), frozenset({"erased-keys"}), lambda _: asyncio.sleep(0))
WORK_FACTOR = 4


def nothing(*_: object) -> None:
    """Nobody looks how far it is."""


async def filled(folder: Path, records: int = 5) -> SqliteStore:
    """A data folder with some of everything; its store is open."""
    folder.mkdir(mode=0o700, exist_ok=True)
    store = await SqliteStore.open(folder / "comity.sqlite")
    for number in range(records):
        rows = (Put("derived", f"{number:03d}", b"row"), Put("side", f"{number:03d}", os.urandom(32)))
        await store.commit(batch(HOME, number, 1, *rows), {HOME: None} if not number else expected(HOME, number))
    await store.commit(Batch(puts=(Put("header", OLD, b"a header"), Put("header", NEW, b"another"))), {})
    feeds = await SqliteStore.open(folder / "feeds.sqlite", large_rows=True)
    await feeds.commit(Batch(puts=(Put("feed-frame", "f/1", os.urandom(100_000)),)), {})
    await feeds.close()
    blobs = await FolderBlobs.in_folder(folder)
    for _ in range(3):
        content = os.urandom(50_000)
        await blobs.put_many({repositories.hashlib.sha256(content).digest(): content})
    await blobs.close()
    await FolderHighWaterMark(folder / "high-water-mark").write({HOME: records})
    for path, content in (("node.toml", b"party"), ("keys/log.key", b"secret"), ("root/root.key", b"root")):
        (folder / path).parent.mkdir(mode=0o700, exist_ok=True)
        (folder / path).write_bytes(content)
    return store


def taken(folder: Path, to: Path, *recipients: object, keep: int | None = None, at: datetime = NOW) -> Taken:
    repository = open_or_make(folder, to, "jp", list(recipients), os.urandom)  # type: ignore[arg-type]  # whatever a test changes
    return take(folder, repository, at=at, program="1", keep=keep, progress=nothing)


async def brought(repository: Repository, target: Path, point: Point | None = None, **changes: object) -> object:
    given: dict[str, object] = {"lost": None, "keys": None, "derived": DERIVED, "at": NOW, "progress": nothing}
    return await restore(repository, point or Point(), target, **{**given, **changes})  # type: ignore[arg-type]  # whatever a test changes


def holds(path: Path) -> dict[str, object]:
    """What a database holds."""
    with snapshot(path) as seen:
        return {"heads": seen.heads(), "journal": list(seen.segments()), "rows": sorted(seen.rows())}


async def test_what_is_brought_back_is_what_was_there(tmp_path: Path) -> None:  # (11) (12) (14) (15) (30)
    store = await filled(tmp_path / "jp")
    identity = generate_identity(os.urandom)
    made = taken(tmp_path / "jp", tmp_path / "to", identity.recipient)
    assert (made.number, made.entries, made.chains, made.payloads, made.sealed) == (1, 5, {HOME: 5}, 3, True)
    repository = Repository.open(tmp_path / "to", os.urandom, identities=[identity])
    await brought(repository, tmp_path / "back")
    for name in ("comity.sqlite", "feeds.sqlite"):
        assert holds(tmp_path / "back" / name) == holds(tmp_path / "jp" / name)
    for path in ("node.toml", "keys/log.key"):
        assert (tmp_path / "back" / path).read_bytes() == (tmp_path / "jp" / path).read_bytes()
        assert (tmp_path / "back" / path).stat().st_mode & 0o077 == 0
    assert not (tmp_path / "back/root").exists()  # (17)
    names = [
        sorted(each.relative_to(folder) for each in folder.rglob("*"))
        for folder in (tmp_path / "jp/blobs", tmp_path / "back/blobs")
    ]
    assert names[0] == names[1]
    note = read_note(tmp_path / "back/restored")
    assert note is not None
    assert (note.backup, note.floor, note.kept) == (1, {HOME: 5}, {HOME: 5})
    again = await SqliteStore.open(tmp_path / "back/comity.sqlite")
    assert (await again.heads())[HOME].size == 5
    await again.close()
    await store.close()


async def test_only_what_is_new_is_written(tmp_path: Path) -> None:  # (12)
    store = await filled(tmp_path / "jp")
    first = taken(tmp_path / "jp", tmp_path / "to")
    assert taken(tmp_path / "jp", tmp_path / "to").bytes_written == 0
    await store.commit(batch(HOME, 5, 1, Put("side", "zzz", b"x")), expected(HOME, 5))
    third = taken(tmp_path / "jp", tmp_path / "to")
    assert (third.number, third.entries) == (3, 6)
    assert 0 < third.bytes_written < first.bytes_written / 10
    shown = show_backups(Repository.open(tmp_path / "to", os.urandom))
    assert [(each.number, each.chains[HOME]) for each in shown] == [(1, 5), (2, 5), (3, 6)]
    await store.close()


async def test_it_is_taken_while_the_node_commits(tmp_path: Path) -> None:  # (11)
    """Whatever it has is one state: so many entries, that head, those rows; a restart meanwhile is no trouble."""
    store = await filled(tmp_path / "jp")

    async def commit() -> None:
        for number in range(5, 105):
            puts = (Put("derived", f"{number:03d}", b"row"), Put("side", "count", b"%d" % (number + 1)))
            await store.commit(batch(HOME, number, 1, *puts), expected(HOME, number))

    writing = asyncio.create_task(commit())
    sizes = []
    for number in range(1, 6):
        await asyncio.to_thread(taken, tmp_path / "jp", tmp_path / "to")
        repository = Repository.open(tmp_path / "to", os.urandom)
        await brought(repository, tmp_path / f"back-{number}", Point(number=number))
        back = await SqliteStore.open(tmp_path / f"back-{number}/comity.sqlite")
        size = (await back.heads())[HOME].size
        assert len(await back.journal(0, 1_000)) == size == len(await back.scan("derived", limit=1_000))
        assert (await back.get("side", ["count"]))[0] in (b"%d" % size, None)
        sizes.append(size)
        await back.close()
    await writing
    assert sizes == sorted(sizes)
    with snapshot(tmp_path / "jp/comity.sqlite"):
        await store.close()
        store = await SqliteStore.open(tmp_path / "jp/comity.sqlite")  # its log is synced where it is
        await store.commit(batch(HOME, 105, 1), expected(HOME, 105))
    await store.close()


async def test_the_newest_state_only_has_copy_keys(tmp_path: Path) -> None:  # (16) (33)
    """A key that was destroyed is in no backup from the next one on, and on no database that is brought back."""
    store = await filled(tmp_path / "jp")
    taken(tmp_path / "jp", tmp_path / "to")
    kept = [each.read_bytes() for each in (tmp_path / "to/objects").rglob("*") if each.is_file()]
    assert any(b"a header" in each for each in kept)
    await store.commit(Batch(puts=(Put("header", OLD, None),)), {})
    await FileErasedKeys(tmp_path / "jp/erased-keys").add([bytes.fromhex(OLD)])
    taken(tmp_path / "jp", tmp_path / "to")
    kept = [each.read_bytes() for each in (tmp_path / "to/objects").rglob("*") if each.is_file()]
    assert not any(b"a header" in each for each in kept)
    repository = Repository.open(tmp_path / "to", os.urandom)
    (tmp_path / "jp/erased-keys").unlink()
    taken(tmp_path / "jp", tmp_path / "to")  # the list only grows, whatever becomes of the folder's
    await brought(repository, tmp_path / "back", Point(number=1))
    back = await SqliteStore.open(tmp_path / "back/comity.sqlite")
    assert await back.get("header", [OLD, NEW]) == [None, b"another"]
    await back.close()
    assert (tmp_path / "back/erased-keys").read_bytes() == OLD.encode() + b"\n"
    await store.close()


async def test_what_the_lost_folder_had_erased_is_not_brought_back(tmp_path: Path) -> None:  # (32) (34)
    store = await filled(tmp_path / "jp")
    taken(tmp_path / "jp", tmp_path / "to")
    await FileErasedKeys(tmp_path / "jp/erased-keys").add([bytes.fromhex(OLD)])
    await FolderHighWaterMark(tmp_path / "jp/high-water-mark").write({HOME: 9})
    repository = Repository.open(tmp_path / "to", os.urandom)
    await brought(repository, tmp_path / "back", lost=tmp_path / "jp")
    back = await SqliteStore.open(tmp_path / "back/comity.sqlite")
    assert await back.get("header", [OLD, NEW]) == [None, b"another"]
    await back.close()
    note = read_note(tmp_path / "back/restored")
    assert note is not None
    assert (note.floor, note.kept) == ({HOME: 9}, {HOME: 5})
    assert await FolderHighWaterMark(tmp_path / "back/high-water-mark").read() == {HOME: 5}
    await store.close()


@pytest.mark.parametrize("point", [Point(chain=HOME, size=3), Point(at=datetime(2026, 11, 21, 12, 0, 3, tzinfo=UTC))])
async def test_a_point_is_cut_out_of_the_journal(tmp_path: Path, point: Point) -> None:  # (31) (35)
    store = await filled(tmp_path / "jp")
    entries = await store.journal(0, 10)
    if point.at is not None:
        point = Point(at=entries[2].at)
    taken(tmp_path / "jp", tmp_path / "to", at=entries[-1].at + timedelta(hours=1))
    again: list[Path] = []

    async def made_again(folder: Path) -> None:
        assert not (folder / "node.toml").exists()
        again.append(folder)

    derived = Derived(DERIVED.tables, DERIVED.never, made_again)
    repository = Repository.open(tmp_path / "to", os.urandom)
    await brought(repository, tmp_path / "back", point, derived=derived)
    assert again == [tmp_path / "back"]
    back = await SqliteStore.open(tmp_path / "back/comity.sqlite")
    assert await back.journal(0, 10) == entries[: len(await back.journal(0, 10))]
    if point.chain:
        assert len(await back.journal(0, 10)) == 3
    assert await back.scan("derived", limit=10) == []
    assert len(await back.scan("side", limit=10)) == 5
    await back.close()
    with pytest.raises(Misuse, match="no backup here has 9 records"):
        await brought(repository, tmp_path / "other", Point(chain=HOME, size=9))
    with pytest.raises(Misuse, match="no backup 7"):
        await brought(repository, tmp_path / "other", Point(number=7))
    assert not (tmp_path / "other").exists()
    await store.close()


async def test_a_sealed_one_is_opened_by_whom_it_is_sealed_to(tmp_path: Path) -> None:  # (20) (22) (23)
    store = await filled(tmp_path / "jp")
    taken(tmp_path / "jp", tmp_path / "to", PassphraseRecipient("correct horse", WORK_FACTOR))
    with pytest.raises(Misuse) as needed:
        Repository.open(tmp_path / "to", os.urandom)
    assert needed.value.code == "backup-sealed"
    with pytest.raises(Rejected):
        Repository.open(tmp_path / "to", os.urandom, identities=[PassphraseIdentity("wrong")])
    opened = Repository.open(tmp_path / "to", os.urandom, identities=[PassphraseIdentity("correct horse")])
    assert [each.number for each in show_backups(opened)] == [1]
    everything = b"".join(each.read_bytes() for each in (tmp_path / "to").rglob("*") if each.is_file())
    for secret in (b"a header", b"secret", HOME.encode(), b"party"):
        assert secret not in everything.replace(b'"party":"jp"', b"")
    assert taken(tmp_path / "jp", tmp_path / "to").number == 2  # with the key that the data folder keeps
    with pytest.raises(Misuse) as other:
        taken(tmp_path / "jp", tmp_path / "to", generate_identity(os.urandom).recipient)
    assert other.value.code == "other-backup"
    (tmp_path / "jp/backup-keys" / opened.about.id).unlink()
    with pytest.raises(Misuse) as keyless:
        taken(tmp_path / "jp", tmp_path / "to")
    assert keyless.value.code == "no-backup-key"
    await store.close()


@pytest.mark.parametrize("within", ["w1", "witnesses/w1"])
async def test_nothing_of_a_witness_is_in_it(tmp_path: Path, within: str) -> None:  # (17)
    """Its state would come back older than what it signed, and it would cosign a second history."""
    store = await filled(tmp_path / "jp")
    for path in ("witness.toml", "witness.sqlite", "high-water-mark", "keys/witness.key"):
        place = tmp_path / "jp" / within / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(b"of the witness")
    (tmp_path / "jp" / within).with_name("beside").write_bytes(b"of the house")
    identity = generate_identity(os.urandom)
    taken(tmp_path / "jp", tmp_path / "to", identity.recipient)
    await brought(Repository.open(tmp_path / "to", os.urandom, identities=[identity]), tmp_path / "back")
    assert not (tmp_path / "back" / within).exists()
    assert (tmp_path / "back" / within).with_name("beside").read_bytes() == b"of the house"
    assert (tmp_path / "back/keys/log.key").exists()
    await store.close()


async def test_an_open_one_has_no_private_keys(tmp_path: Path) -> None:  # (21)
    store = await filled(tmp_path / "jp")
    assert not taken(tmp_path / "jp", tmp_path / "to").sealed
    everything = b"".join(each.read_bytes() for each in (tmp_path / "to").rglob("*") if each.is_file())
    assert b"secret" not in everything
    repository = Repository.open(tmp_path / "to", os.urandom)
    await brought(repository, tmp_path / "back", keys=tmp_path / "jp")
    assert (tmp_path / "back/keys/log.key").read_bytes() == b"secret"
    await store.close()


async def test_every_damaged_byte_is_found(tmp_path: Path) -> None:  # (18) (24)
    store = await filled(tmp_path / "jp")
    taken(tmp_path / "jp", tmp_path / "to", PassphraseRecipient("p", WORK_FACTOR))
    repository = open_or_make(tmp_path / "jp", tmp_path / "to", "jp", [], os.urandom)
    assert check_backups(repository, nothing).findings == ()
    pieces = [each for kind in ("objects", "blobs") for each in (tmp_path / "to" / kind).rglob("*") if each.is_file()]
    assert len(pieces) == check_backups(repository, nothing).pieces
    for piece in pieces:
        content = piece.read_bytes()
        piece.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        found = check_backups(repository, nothing).findings
        assert len(found) >= 1
        assert piece.name in "".join(found)
        shutil.rmtree(tmp_path / "back", ignore_errors=True)
        with pytest.raises(Rejected):
            await brought(repository, tmp_path / "back")
        assert not (tmp_path / "back/node.toml").exists()
        piece.unlink()
        assert "missing" in "".join(check_backups(repository, nothing).findings)
        piece.write_bytes(content)
    for listed in ("current", "backups/000001"):
        content = (tmp_path / "to" / listed).read_bytes()
        (tmp_path / "to" / listed).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        with pytest.raises(Rejected) as damaged:
            check_backups(repository, nothing)
        assert damaged.value.code == "backup-damaged"
        (tmp_path / "to" / listed).write_bytes(content)
    await brought(repository, tmp_path / "back")  # what was begun before goes on
    assert (tmp_path / "back/node.toml").exists()
    await store.close()


async def test_old_ones_are_removed_with_what_only_they_needed(tmp_path: Path) -> None:  # (19)
    store = await filled(tmp_path / "jp")
    taken(tmp_path / "jp", tmp_path / "to")
    blob = next(each for each in (tmp_path / "jp/blobs").rglob("*") if each.is_file())
    blob.unlink()
    await store.commit(Batch(puts=(Put("side", "000", b"other"),)), {})
    kept = taken(tmp_path / "jp", tmp_path / "to", keep=1)
    assert kept.removed >= 3
    repository = Repository.open(tmp_path / "to", os.urandom)
    assert [each.number for each in show_backups(repository)] == [2]
    assert check_backups(repository, nothing).findings == ()
    assert len([each for each in (tmp_path / "to/blobs").rglob("*") if each.is_file()]) == 2
    await brought(repository, tmp_path / "back")
    await store.close()


async def test_what_is_wrong_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # (10) (13) (15) (30)
    store = await filled(tmp_path / "jp")
    with pytest.raises(Misuse) as none:
        Repository.open(tmp_path / "nowhere", os.urandom)
    assert none.value.code == "not-a-backup"
    with pytest.raises(Misuse) as something:
        taken(tmp_path / "jp", tmp_path / "jp/keys")
    assert something.value.code == "not-a-backup"
    taken(tmp_path / "jp", tmp_path / "to")
    repository = Repository.open(tmp_path / "to", os.urandom)
    with repository.writing(), pytest.raises(Unavailable) as busy:
        taken(tmp_path / "jp", tmp_path / "to")
    assert busy.value.code == "backup-in-use"
    with pytest.raises(Misuse) as other:
        open_or_make(tmp_path / "jp", tmp_path / "to", "kr", [], os.urandom)
    assert other.value.code == "other-backup"
    with pytest.raises(Misuse) as occupied:
        await brought(repository, tmp_path / "jp")
    assert occupied.value.code == "folder-taken"
    await brought(repository, tmp_path / "back", Point(number=1))
    with pytest.raises(Misuse):
        await brought(repository, tmp_path / "back", Point(number=1))  # it is whole: there is a node now
    about = tmp_path / "to/comity-backup"
    written = about.read_bytes()
    about.write_bytes(written.replace(b'"format":1', b'"format":2'))
    with pytest.raises(Rejected) as newer:
        Repository.open(tmp_path / "to", os.urandom)
    assert newer.value.code == "newer-backup"
    about.write_bytes(written)
    monkeypatch.setattr(repositories, "_read_anew", lambda _: b"other bytes")
    await store.commit(Batch(puts=(Put("side", "000", b"changed"),)), {})
    with pytest.raises(Unavailable) as unreadable:
        taken(tmp_path / "jp", tmp_path / "to")
    assert unreadable.value.code == "disk-unreadable"
    monkeypatch.undo()
    assert [each.number for each in show_backups(repository)] == [1]
    blob = next(each for each in (tmp_path / "jp/blobs").rglob("*") if each.is_file())
    blob.write_bytes(b"damaged")
    taken(tmp_path / "jp", tmp_path / "to")  # the payload is in the backup already, whole
    (tmp_path / "new").mkdir()
    with pytest.raises(Rejected) as damaged:
        taken(tmp_path / "jp", tmp_path / "new")
    assert damaged.value.code == "blob-damaged"
    assert Repository.open(tmp_path / "new", os.urandom).numbers() == []
    await store.close()


def test_an_empty_backup_cannot_be_brought_back(tmp_path: Path) -> None:
    repository, _ = Repository.make(tmp_path / "to", "jp", [], os.urandom)
    with pytest.raises(Misuse) as caught:
        asyncio.run(brought(repository, tmp_path / "back"))
    assert caught.value.code == "no-backup"


def test_the_same_content_has_one_name_and_no_nonce_twice() -> None:  # (22) (23)
    first, second = Vault(bytes(32), os.urandom), Vault(bytes([1]) * 32, os.urandom)
    name = first.name(b"content")
    assert name == first.name(b"content") != second.name(b"content")
    assert first.close(name, b"content") == first.close(name, b"content")
    assert first.open(name, first.close(name, b"content")) == b"content"
    assert first.close_list("current", b"x") != first.close_list("current", b"x")
    for wrong in (b"", first.close_list("other", b"x"), first.close_list("current", b"x")[:-1]):
        with pytest.raises(Rejected):
            first.open_list("current", wrong)
    with pytest.raises(Rejected):
        Vault(None, os.urandom).open(name, b"content")


KILLED = """
import asyncio, os, sys
from datetime import UTC, datetime
from pathlib import Path
from comity.stores.backups.taking import open_or_make, take
from comity.stores.backups.lists import KeptFile
from comity.stores.backups.repository import Repository
from comity.stores.backups.restoring import Derived, Point, restore
folder, to = Path(sys.argv[2]), Path(sys.argv[3])
now = datetime(2026, 11, 21, tzinfo=UTC)
quiet = lambda *_: None
print("begun", flush=True)
if sys.argv[1] == "take":
    take(folder, open_or_make(folder, to, "jp", [], os.urandom), at=now, program="1", keep=2, progress=quiet)
else:
    derived = Derived(frozenset(), frozenset(), lambda _: asyncio.sleep(0))
    asyncio.run(restore(Repository.open(to, os.urandom), Point(), folder, lost=None, keys=None, derived=derived, at=now,
                        progress=quiet))
"""


def killed(what: str, folder: Path, to: Path, seconds: float) -> bool:
    """Whether a process that backs up or brings back was still at it when it was killed after so long."""
    process = subprocess.Popen([sys.executable, "-c", KILLED, what, str(folder), str(to)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.stdout.close()
    return process.wait() != 0


def moments(most: float, count: int) -> Iterator[float]:
    return (most * number / count for number in range(count))


async def test_whoever_is_killed_leaves_whole_backups_only(tmp_path: Path) -> None:  # (60) (61)
    store = await filled(tmp_path / "jp", 40)
    count = 0
    for moment in moments(0.1, 8):
        await store.commit(Batch(puts=(Put("side", "new", os.urandom(32)),)), {})
        (tmp_path / "jp/blobs/00").mkdir(exist_ok=True)
        content = os.urandom(300_000)
        digest = repositories.hashlib.sha256(content).digest()
        (tmp_path / "jp/blobs" / f"{digest[0]:02x}" / digest[1:].hex()).write_bytes(content)
        count += killed("take", tmp_path / "jp", tmp_path / "to", moment)
        if (tmp_path / "to/comity-backup").exists():
            repository = Repository.open(tmp_path / "to", os.urandom)
            assert check_backups(repository, nothing).findings == ()
    taken(tmp_path / "jp", tmp_path / "to")
    repository = Repository.open(tmp_path / "to", os.urandom)
    assert check_backups(repository, nothing).findings == ()
    for moment in moments(0.1, 6):
        count += killed("restore", tmp_path / "back", tmp_path / "to", moment)
        if (tmp_path / "back/node.toml").exists():
            assert read_note(tmp_path / "back/restored") is not None
            break
    else:
        await brought(repository, tmp_path / "back", derived=Derived(frozenset(), frozenset(), DERIVED.again))
    assert holds(tmp_path / "back/comity.sqlite") == holds(tmp_path / "jp/comity.sqlite")
    assert count
    await store.close()


async def test_a_full_disk_adds_no_backup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # (14) (60)
    """Whichever write fails, the one before stays the newest, and the next try comes to an end."""
    store = await filled(tmp_path / "jp")
    taken(tmp_path / "jp", tmp_path / "to")
    whole = repositories.write_synced
    failed = 0
    for allowed in range(60):
        await store.commit(Batch(puts=(Put("side", "new", os.urandom(32)),)), {})
        left = allowed

        def write(path: Path, content: bytes) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                path.write_bytes(content[: len(content) // 2])
                raise OSError(28, "No space left on device")
            whole(path, content)

        before = Repository.open(tmp_path / "to", os.urandom).numbers()
        monkeypatch.setattr(repositories, "write_synced", write)
        try:
            taken(tmp_path / "jp", tmp_path / "to")
        except DiskFull:
            failed += 1
            assert Repository.open(tmp_path / "to", os.urandom).numbers() == before
        else:
            break
        finally:
            monkeypatch.undo()
        assert check_backups(Repository.open(tmp_path / "to", os.urandom), nothing).findings == ()
    assert failed >= 3
    await store.close()


async def test_what_is_deleted_is_overwritten(tmp_path: Path) -> None:  # spec/store.md (4)
    """A header that was erased is in no page of the database any more."""
    store = await SqliteStore.open(tmp_path / "comity.sqlite")
    await store.commit(Batch(puts=(Put("header", OLD, b"the only way to it"), Put("header", NEW, b"another"))), {})
    await store.commit(Batch(puts=(Put("header", OLD, None),)), {})
    await store.close()
    content = b"".join(each.read_bytes() for each in tmp_path.glob("comity.sqlite*"))
    assert b"another" in content
    assert b"the only way to it" not in content


def forged(to: Path, what: str, listed: object) -> None:
    """A list in an open folder of backups, as anybody can write one."""
    content = msgspec.msgpack.encode(listed)
    (to / what).write_bytes(Vault(None, os.urandom).close_list(what, content))


@pytest.mark.parametrize(
    "path", ["../escaped", "keys/../../escaped", "/tmp/escaped", "", ".", "a//b", "root/root.key", "comity.sqlite"]
)
async def test_a_forged_list_writes_nothing_elsewhere(tmp_path: Path, path: str) -> None:  # (25)
    """Neither as a file, nor as settings, nor as a database."""
    store = await filled(tmp_path / "jp")
    taken(tmp_path / "jp", tmp_path / "to")
    repository = Repository.open(tmp_path / "to", os.urandom)
    current, listed = repository.read_current(), repository.read_backup(1)
    assert current is not None
    name, _ = repository.put(b"anything")
    for what, changed in (
        ("current", msgspec.structs.replace(current, files=(KeptFile(path, (name,)),))),
        ("backups/000001", msgspec.structs.replace(listed, files=(KeptFile(path, (name,)),))),
        (
            "backups/000001",
            msgspec.structs.replace(
                listed, tables=(listed.tables[0], msgspec.structs.replace(listed.tables[1], name=path))
            ),
        ),
    ):
        forged(tmp_path / "to", what, changed)
        with pytest.raises(Rejected) as caught:
            await brought(repository, tmp_path / "within/back")
        assert caught.value.code == "backup-damaged"
        assert not (tmp_path / "within").exists()
        forged(tmp_path / "to", "current", current)
        forged(tmp_path / "to", "backups/000001", listed)
    assert {each.name for each in tmp_path.iterdir()} == {"jp", "to"}
    await store.close()


@pytest.mark.parametrize("sealed", [False, True])
async def test_a_forged_list_removes_nothing_elsewhere(tmp_path: Path, *, sealed: bool) -> None:  # (25)
    store = await filled(tmp_path / "jp")
    identity = generate_identity(os.urandom)
    taken(tmp_path / "jp", tmp_path / "to", *([identity.recipient] if sealed else []))
    repository = Repository.open(tmp_path / "to", os.urandom, identities=[identity] if sealed else [])
    current = repository.read_current()
    assert current is not None
    victim = tmp_path / "victim"
    victim.write_bytes(b"somebody's")
    named = msgspec.structs.replace(current, keys=("../../../victim", "..", "0" * 63 + "g", ""))
    written = repository.vault.close_list("current", msgspec.msgpack.encode(named))
    (tmp_path / "to/current").write_bytes(written)
    with pytest.raises(Rejected) as caught:
        taken(tmp_path / "jp", tmp_path / "to")
    assert caught.value.code == "backup-damaged"
    assert len(check_backups(repository, nothing).findings) == 4
    assert victim.read_bytes() == b"somebody's"
    await store.close()


async def test_what_is_kept_of_the_newest_state_is_missed(tmp_path: Path) -> None:  # (25)
    """Without it nobody knows what was destroyed, nor how far this house had signed."""
    store = await filled(tmp_path / "jp")
    taken(tmp_path / "jp", tmp_path / "to")
    (tmp_path / "to/current").unlink()
    repository = Repository.open(tmp_path / "to", os.urandom)
    with pytest.raises(Rejected):
        await brought(repository, tmp_path / "back")
    with pytest.raises(Rejected):
        taken(tmp_path / "jp", tmp_path / "to")
    with pytest.raises(Rejected):
        check_backups(repository, nothing)
    assert not (tmp_path / "back").exists()
    await store.close()


async def test_a_house_that_seals_makes_no_open_one_unasked(tmp_path: Path) -> None:  # (26)
    """Neither where the disk is not there, nor where somebody changed what the folder says of itself."""
    store = await filled(tmp_path / "jp")
    identity = generate_identity(os.urandom)
    taken(tmp_path / "jp", tmp_path / "to", identity.recipient)
    (tmp_path / "empty").mkdir()
    about = tmp_path / "to/comity-backup"
    written = about.read_bytes()
    for changed in (written.replace(b"true", b"false"), b'{"format":1,"id":"00","party":"jp","sealed":false}'):
        about.write_bytes(changed)
        before = sorted((tmp_path / "to").rglob("*"))
        for to in (tmp_path / "to", tmp_path / "empty"):
            with pytest.raises(Misuse) as caught:
                taken(tmp_path / "jp", to)
            assert caught.value.code == "would-be-open"
        assert sorted((tmp_path / "to").rglob("*")) == before
        assert not any((tmp_path / "empty").iterdir())
        with pytest.raises(Misuse) as flipped:
            Repository.open(tmp_path / "to", os.urandom, identities=[identity])
        assert flipped.value.code == "not-sealed"
    made = open_or_make(tmp_path / "jp", tmp_path / "empty", "jp", [], os.urandom, openly=True)
    assert not made.vault.is_sealed
    assert not open_or_make(tmp_path / "jp", tmp_path / "empty", "jp", [], os.urandom, openly=True).vault.is_sealed
    await store.close()


async def test_a_restore_that_was_cut_short_at_its_end_does_not_go_over_a_node(  # (30) (61)
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its settings were there, so it was started, and signed more: asking for the restore again takes nothing back."""
    store = await filled(tmp_path / "jp")
    taken(tmp_path / "jp", tmp_path / "to")
    repository = Repository.open(tmp_path / "to", os.urandom)
    ended = Path.unlink

    def crash(self: Path, *, missing_ok: bool = False) -> None:
        if self.name == "restoring":
            raise OSError(5, "the power went")
        ended(self, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", crash)
    with pytest.raises(Unavailable):
        await brought(repository, tmp_path / "back")
    monkeypatch.undo()
    back = await SqliteStore.open(tmp_path / "back/comity.sqlite")
    await back.commit(batch(HOME, 5, 1), expected(HOME, 5))
    with pytest.raises(Misuse) as caught:
        await brought(repository, tmp_path / "back")
    assert caught.value.code == "folder-taken"
    assert (await back.heads())[HOME].size == 6
    await back.close()
    await store.close()
