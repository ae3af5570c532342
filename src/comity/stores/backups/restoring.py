"""Bringing a data folder back from a backup (``spec/backup.md`` steps 30 to 35).

Rules of this file:

- A folder has no node in it before its settings are there, and they are written last: what was cut short is taken up
  again by asking for the same, and is never started.
- What was destroyed stays destroyed: copy keys are taken from what the backup keeps of the newest state only, and those
  on its list of erased keys, or on that of the folder that was lost, are not written at all.
- The note that the folder was brought back is there before any key is.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath

import msgspec

from comity.errors import Misuse, Rejected
from comity.ports import RestoredFrom
from comity.stores.backups.lists import BackupList, CurrentList, KeptFile, Tables
from comity.stores.backups.repository import Repository
from comity.stores.backups.snapshot import Filling, JournalRow, decode_journal, decode_rows
from comity.stores.backups.taking import DATABASES, ELSEWHERE, KEPT_KEYS, SETTINGS, Progress, each_digest, listed_blobs
from comity.stores.batch import raised
from comity.stores.durable import FILE_MODE, disk_errors, make_folders, replace_file, sync, sync_folder
from comity.stores.erased_keys import read_erased
from comity.stores.folder import DataFolder, format_mark, parse_mark
from comity.stores.restoration import NOTE, write_note

UNDER_WAY = "restoring"
"""A file that says what is being brought back here."""
_BEGINNINGS = {"lock", f"{UNDER_WAY}.partial"}
"""What a restore leaves that was cut short before it had said what it brings back."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """Which state is wanted: the newest one unless something is named.

    Attributes:
        number: of a backup, whole.
        at: all that was recorded at this instant or before.
        chain: all that was recorded when this chain had ...
        size: ... so many records.
    """

    number: int | None = None
    at: datetime | None = None
    chain: str = ""
    size: int = 0


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """What was brought back.

    Attributes:
        backup: number of the backup.
        taken: when that was taken.
        entries: journal entries brought back.
        cut: whether later entries of the backup were left out.
        payloads: sealed payloads.
        keys: copy keys; those that were destroyed are none.
        sealed_files: private keys and certificates; 0 where the backup is not sealed.
    """

    backup: int
    taken: datetime
    entries: int
    cut: bool
    payloads: int
    keys: int
    sealed_files: int


class Derived(msgspec.Struct, frozen=True):
    """Which tables need not be brought back (``again`` makes them from the journal), and which must not be.

    Attributes:
        tables: those that follow from the journal.
        never: those that say what a database has done that this one has not.
        again: makes the former in the database of a folder, after entries were left out.
    """

    tables: frozenset[str]
    never: frozenset[str]
    again: Callable[[Path], Awaitable[None]]


class _UnderWay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    repository: str
    backup: int
    entries: int


async def restore(
    repository: Repository,
    point: Point,
    target: Path,
    *,
    lost: Path | None,
    keys: Path | None,
    derived: Derived,
    at: datetime,
    progress: Progress,
) -> Restored:
    """Bring back a data folder.

    Args:
        repository: the folder of backups.
        point: which state.
        target: does not exist yet, is empty, or was begun by the same request.
        lost: what is left of the folder that was lost: its list of erased keys and its mark are honoured.
        keys: a folder with ``keys`` and ``tls``, where the backup is not sealed and has none.
        derived: what need not come from the backup.
        at: now.
        progress: told how far it is.

    Raises:
        Misuse: there is something else in the folder, or no backup has that state.
        Rejected: the backup is damaged; there is no node in the folder.
        DiskFull, Unavailable: it could not be written; asking again goes on.
    """
    listed = _chosen(repository, point)
    current = repository.read_current() or CurrentList(listed.at, (), (), {}, ())
    _check_list(listed, current)
    books = listed.tables[0]
    entries = _cut(repository, books, point)
    begun = _UnderWay(repository.about.id, listed.number, entries)
    _check_target(target, begun)
    with DataFolder.open(target, "comity restore"), disk_errors(f"writing {str(target)!r}"):
        replace_file(target / UNDER_WAY, msgspec.json.encode(begun))
        erased = _erased(repository, current, lost)
        replace_file(target / "erased-keys", b"".join(each.hex().encode() + b"\n" for each in erased))
        kept = _own_sizes(repository, books, entries, listed.party)
        note = RestoredFrom(
            backup=listed.number,
            taken=listed.at,
            at=at,
            floor=raised(current.mark, _mark(lost)),
            kept=kept,
        )
        write_note(target / NOTE, note)
        replace_file(target / "high-water-mark", format_mark(kept))
        payloads = _payloads(repository, listed, target, progress)
        keys_brought = 0
        for tables in listed.tables:
            if tables.name == books.name:
                keys_brought = _books(repository, tables, entries, current, set(erased), derived, target, progress)
            else:
                _other(repository, tables, target)
        secrets = _files(repository, current.files, target)
        if keys is not None:
            _bring_keys(keys, target)
        if repository.vault.key is not None:
            make_folders([target / KEPT_KEYS])
            replace_file(target / KEPT_KEYS / repository.about.id, repository.vault.key)
        if entries < books.entries:
            await derived.again(target)
        _files(repository, listed.files, target)
        (target / UNDER_WAY).unlink()
        sync_folder(target)
    return Restored(
        backup=listed.number,
        taken=listed.at,
        entries=entries,
        cut=entries < books.entries,
        payloads=payloads,
        keys=keys_brought,
        sealed_files=secrets,
    )


# ---- which state ----------------------------------------------------------------------------------------------------


def _chosen(repository: Repository, point: Point) -> BackupList:
    """The backup whose journal reaches the point with the least after it."""
    numbers = repository.numbers()
    if not numbers:
        raise Misuse("there is no whole backup in this folder", code="no-backup")
    if point.number is not None:
        return repository.read_backup(point.number)
    for number in numbers:
        listed = repository.read_backup(number)
        if point.at is not None and listed.at >= point.at:
            return listed
        stand = listed.tables[0].heads.get(point.chain)
        if point.chain and stand is not None and stand.size >= point.size:
            return listed
    if point.chain:
        raise Misuse(
            f"no backup here has {point.size} records of chain {point.chain!r}; 'comity backup list' shows what they "
            "have",
            code="no-such-state",
        )
    return repository.read_backup(numbers[-1])


def _check_list(listed: BackupList, current: CurrentList) -> None:
    """Whoever can write there can write lists: these may name what a data folder has, and nothing else (25)."""
    if [tables.name for tables in listed.tables] not in (list(DATABASES[:1]), list(DATABASES)):
        raise Rejected("a list of the backup names other databases", code="backup-damaged", place=str(listed.number))
    if [file.path for file in listed.files] != [SETTINGS]:
        raise Rejected("a list of the backup names other settings", code="backup-damaged", place=str(listed.number))
    for file in current.files:
        if _within(file.path).split("/")[0] in {*ELSEWHERE, *DATABASES, SETTINGS, NOTE, UNDER_WAY}:
            raise Rejected("a list of the backup names no private key", code="backup-damaged", place=file.path[:80])


def _cut(repository: Repository, books: Tables, point: Point) -> int:
    """How many journal entries belong to the wanted state."""
    if point.at is None and not point.chain:
        return books.entries
    count = 0
    for name in books.journal:
        for entry in decode_journal(repository.get(name)):
            if point.at is not None and entry[9] > (point.at - _EPOCH) // timedelta(microseconds=1):
                if count:
                    return count
                raise Misuse(f"nothing had been recorded by {point.at:%Y-%m-%d %H:%M} UTC", code="no-such-state")
            count += 1
            if point.chain and (entry[0], entry[1] + 1, bool(entry[7])) == (point.chain, point.size, True):
                return count
    return count


def _own_sizes(repository: Repository, books: Tables, entries: int, party: str) -> dict[str, int]:
    """How many records of this party's own chains are brought back."""
    if entries == books.entries:
        return {chain: stand.size for chain, stand in books.heads.items() if chain.endswith(f"/{party}")}
    sizes: dict[str, int] = {}
    for entry in _journal(repository, books, entries):
        if entry[7] and entry[0].endswith(f"/{party}"):
            sizes[entry[0]] = entry[1] + 1
    return sizes


def _check_target(target: Path, begun: _UnderWay) -> None:
    if not target.exists():
        return
    if (target / UNDER_WAY).exists() and not (target / SETTINGS).exists():
        if (target / UNDER_WAY).read_bytes() == msgspec.json.encode(begun):
            return
    elif target.is_dir() and {each.name for each in target.iterdir()} <= _BEGINNINGS:
        return
    raise Misuse(
        f"there is something else in {str(target)!r}; name a folder that is empty, and give what is left of the old "
        "one with --lost",
        code="folder-taken",
    )


# ---- what is brought back -------------------------------------------------------------------------------------------


def _erased(repository: Repository, current: CurrentList, lost: Path | None) -> list[bytes]:
    known = [digest for name in current.erased for digest in each_digest(repository.get(name))]
    return list(dict.fromkeys([*known, *(read_erased(lost / "erased-keys") if lost is not None else ())]))


def _mark(lost: Path | None) -> dict[str, int]:
    path = lost / "high-water-mark" if lost is not None else None
    return parse_mark(path.read_bytes(), str(path)) if path is not None and path.exists() else {}


def _payloads(repository: Repository, listed: BackupList, target: Path, progress: Progress) -> int:
    make_folders([target / each for each in ("blobs", "uploads", "temporary")])
    make_folders([target / "blobs" / f"{first:02x}" for first in range(256)])
    digests = list(listed_blobs(repository, listed))
    for number, digest in enumerate(digests, 1):
        place = target / "blobs" / f"{digest[0]:02x}" / digest[1:].hex()
        if not place.exists():
            repository.copy_blob(digest, target / "temporary" / "payload", place)
        progress("payloads", number, len(digests))
    for first in {digest[0] for digest in digests}:
        sync_folder(target / "blobs" / f"{first:02x}")
    return len(digests)


def _books(
    repository: Repository,
    books: Tables,
    entries: int,
    current: CurrentList,
    erased: set[bytes],
    derived: Derived,
    target: Path,
    progress: Progress,
) -> int:
    """The database of the house; returns how many copy keys are in it."""
    whole = entries == books.entries
    without = derived.never if whole else derived.never | derived.tables
    keys = 0
    with _database(target / books.name) as filling:
        portion: list[JournalRow] = []
        for number, entry in enumerate(_journal(repository, books, entries), 1):
            portion.append(entry)
            if len(portion) == 2_048 or number == entries:
                filling.journal(portion)
                progress("journal", number, entries)
                portion = []
        if whole:
            filling.heads(books.heads)
        for name in books.rows:
            filling.rows([row for row in decode_rows(repository.get(name)) if row[0] not in without])
        for name in current.keys:
            kept = [row for row in decode_rows(repository.get(name)) if bytes.fromhex(row[1]) not in erased]
            filling.rows(kept)
            keys += len(kept)
    return keys


def _other(repository: Repository, tables: Tables, target: Path) -> None:
    with _database(target / tables.name) as filling:
        filling.journal([entry for name in tables.journal for entry in decode_journal(repository.get(name))])
        filling.heads(tables.heads)
        for name in tables.rows:
            filling.rows(decode_rows(repository.get(name)))


def _journal(repository: Repository, books: Tables, entries: int) -> Iterator[JournalRow]:
    count = 0
    for name in books.journal:
        if count == entries:
            return
        found = decode_journal(repository.get(name))[: entries - count]
        count += len(found)
        yield from found


@contextmanager
def _database(path: Path) -> Iterator[Filling]:
    """A new database, which has its name when it is whole and on the disk."""
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)
    path.unlink(missing_ok=True)
    filling = Filling(partial, large_rows=path.name != DATABASES[0])
    try:
        yield filling
        filling.finish()
    finally:
        filling.close()
    with partial.open("rb") as file:
        sync(file.fileno())
    partial.chmod(FILE_MODE)
    partial.rename(path)
    sync_folder(path.parent)


def _files(repository: Repository, files: tuple[KeptFile, ...], target: Path) -> int:
    for file in files:
        path = target / _within(file.path)
        make_folders(reversed([each for each in path.parents if target in each.parents]))
        replace_file(path, b"".join(map(repository.get, file.objects)))
    return len(files)


def _within(path: str) -> str:
    """A path as ``taking`` writes one: below the data folder, and by no detour (25)."""
    plain = str(PurePosixPath(path))
    if plain != path or path.startswith("/") or not {"", ".", ".."}.isdisjoint(path.split("/")) or "\0" in path:
        raise Rejected("a list of the backup names a file elsewhere", code="backup-damaged", place=path[:80])
    return path


def _bring_keys(keys: Path, target: Path) -> None:
    """Copy private keys that were kept elsewhere: folders, where they are, that only their owner can read."""
    for folder in ("keys", "tls", "root"):
        if (keys / folder).is_dir():
            for path in sorted((keys / folder).rglob("*")):
                place = target / path.relative_to(keys)
                make_folders(reversed([each for each in place.parents if target in each.parents]))
                if path.is_dir():
                    make_folders([place])
                else:
                    replace_file(place, path.read_bytes())
