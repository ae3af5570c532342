"""Taking a backup of a data folder, while its node runs or not (``spec/backup.md`` steps 11 to 19).

The order is what makes it safe to be cut short anywhere: first what is only added to (pieces by name, payloads by
digest), then what is kept of the newest state only, then the list. What was written before a crash is found by its name
the next time and not written again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import msgspec

from comity.errors import Misuse, Rejected
from comity.ports import Entropy
from comity.seal.recipients import Recipient
from comity.stores.backups.lists import BackupList, CurrentList, KeptFile, Tables
from comity.stores.backups.repository import ABOUT, Repository, read_about
from comity.stores.backups.snapshot import SEGMENT_ENTRIES, Snapshot, snapshot
from comity.stores.batch import raised
from comity.stores.blobs import blobs_below
from comity.stores.durable import disk_errors, make_folders, replace_file
from comity.stores.erased_keys import DIGEST_BYTES, read_erased
from comity.stores.folder import parse_mark
from comity.stores.secrets import witness_folders

DATABASES = ("comity.sqlite", "feeds.sqlite")
SETTINGS = "node.toml"
KEPT_KEYS = "backup-keys"
"""Folder below the data folder: the key of each sealed folder of backups, by its id."""
ELSEWHERE = frozenset({"lock", "root", "blobs", "uploads", "temporary", "high-water-mark", "erased-keys", KEPT_KEYS})
"""What of a data folder is kept by other means, or is not to be in any backup: the root key is carried away."""
FLEETING = (".sqlite", ".sqlite-wal", ".sqlite-shm", ".sock", ".sock.path", ".partial", SETTINGS)
COPY_KEYS = "header"
"""The table of the headers of sealed copies: the only keys that a destruction destroys."""
FILE_BYTES_MAX = 16 * 2**20
"""Largest other file: keys and certificates are small."""
PIECE_BYTES = 4 * 2**20
BLOBS_AT_ONCE = 64
THREADS = 4
"""Payloads that are copied at once: their syncs overlap, and so does hashing them."""

Progress = Callable[[str, int, int], None]
"""Called with what is done now, how much of it was, and how much there is; 0 where nobody knows."""


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """A backup that was taken and verified.

    Attributes:
        number: of the backup.
        at: the instant whose state it has.
        sealed: whether it can be read without a key.
        entries: journal entries in it.
        chains: size of each chain in it.
        payloads: sealed payloads in it.
        bytes_written: what was new since the one before; the rest was there already.
        removed: older backups that were removed, and pieces that only they needed.
    """

    number: int
    at: datetime
    sealed: bool
    entries: int
    chains: dict[str, int]
    payloads: int
    bytes_written: int
    removed: int = 0


def open_or_make(
    folder: Path, to: Path, party: str, recipients: list[Recipient], entropy: Entropy, *, openly: bool = False
) -> Repository:
    """The folder of backups at ``to``, made if there is none yet.

    Args:
        folder: the data folder, which keeps the key of a sealed one.
        to: the folder of backups.
        party: whose node it is.
        recipients: whom a new one is sealed to; nobody for one that is not sealed.
        entropy: for its key.
        openly: write to one that is not sealed although this house has sealed ones.

    Raises:
        Misuse: ``would-be-open``: this house seals its backups, and this one is not; ``other-backup``: it is another
            party's, or it is there and was not sealed as is asked now.
        Unavailable: ``no-backup-key``: this data folder does not have its key.
    """
    keys = folder / KEPT_KEYS
    if not (to / ABOUT).exists():
        if not recipients and not openly and _seals(keys):
            raise _would_be_open(to)
        made, key = Repository.make(to, party, recipients, entropy)
        if key:
            with disk_errors("keeping the key of a backup"):
                make_folders([keys])
                replace_file(keys / made.about.id, key)
        return made
    about = read_about(to)
    if about.party != party:
        raise Misuse(f"that folder has backups of {about.party!r}, and this is {party!r}", code="other-backup")
    if recipients:
        raise Misuse(
            "this folder of backups is there already, and is sealed or not as it was begun; leave the recipients out, "
            "or begin a new folder",
            code="other-backup",
        )
    if not about.sealed and not openly and _seals(keys):
        raise _would_be_open(to)
    key = b""
    if about.sealed:
        try:
            key = (keys / about.id).read_bytes()
        except OSError:
            raise Misuse(
                "this data folder does not have the key of that sealed backup, for another one began it; begin a new "
                "folder of backups",
                code="no-backup-key",
            ) from None
    return Repository.open(to, entropy, key=key)


def _seals(keys: Path) -> bool:
    """Whether this house has the key of any sealed folder of backups."""
    with disk_errors(f"listing {str(keys)!r}"):
        return keys.is_dir() and any(keys.iterdir())


def _would_be_open(to: Path) -> Misuse:
    return Misuse(
        f"this house seals its backups, and the one in {str(to)!r} would not be; see whether the right disk is "
        "there, and name whom to seal a new one to with -r, -R or -p, or say --open",
        code="would-be-open",
    )


def take(
    folder: Path, repository: Repository, *, at: datetime, program: str, keep: int | None, progress: Progress
) -> Taken:
    """Add a backup of a data folder.

    Args:
        folder: the data folder; its node may run.
        repository: where to.
        at: now.
        program: the version of this program.
        keep: how many of the newest backups stay, this one included; all when None.
        progress: told how far it is.

    Raises:
        Rejected: something in the data folder is damaged; no backup was added.
        DiskFull, Unavailable: it could not be written; what was written is used the next time.
    """
    with repository.writing():
        taking = _Taking(folder, repository, progress)
        before = repository.numbers()
        tables, keys = taking.databases()
        payloads = taking.payloads()
        files = taking.files([SETTINGS])
        secrets = taking.files(_secrets(folder)) if repository.vault.is_sealed else ()
        mark = raised(_mark(folder), _own(tables, repository.about.party))
        current = repository.read_current()
        erased = dict.fromkeys([*_erased(repository, current), *read_erased(folder / "erased-keys")])
        gone = taking.put_all(joined(list(erased)))
        taken = CurrentList(at, keys, gone, raised(mark, current.mark if current else {}), secrets)
        number = (before[-1] if before else 0) + 1
        listed = BackupList(number, repository.about.party, at, program, tables, payloads, files)
        repository.settle()
        repository.write_current(taken)  # (16) what was destroyed is gone from here on, also from older backups
        repository.write_backup(listed)
        removed = _prune(repository, keep) if keep is not None else 0
        return Taken(
            number=number,
            at=at,
            sealed=repository.vault.is_sealed,
            entries=tables[0].entries,
            chains={chain: stand.size for chain, stand in tables[0].heads.items()},
            payloads=taking.blobs,
            bytes_written=taking.written,
            removed=removed,
        )


class _Taking:
    """One backup under way."""

    def __init__(self, folder: Path, repository: Repository, progress: Progress) -> None:
        self.written = 0
        self.blobs = 0
        self._folder = folder
        self._repository = repository
        self._progress = progress

    def put_all(self, pieces: Iterator[bytes]) -> tuple[str, ...]:
        """Keep pieces in order; their names."""
        return tuple([self._put(piece) for piece in pieces])

    def databases(self) -> tuple[tuple[Tables, ...], tuple[str, ...]]:
        """Both databases, each at one instant, and the copy keys of the first."""
        found: list[Tables] = []
        keys: tuple[str, ...] = ()
        for name in DATABASES:
            path = self._folder / name
            if not path.exists():
                continue
            with snapshot(path) as seen:
                rows = self.put_all(seen.rows(but=frozenset({COPY_KEYS})))
                if name == DATABASES[0]:
                    keys = self.put_all(seen.rows(only=COPY_KEYS))
                found.append(Tables(name, seen.entries, self._journal(seen), seen.heads(), rows))
        return tuple(found), keys

    def payloads(self) -> tuple[str, ...]:
        """Every sealed payload that is here; the objects that list them."""
        digests = sorted(blobs_below(self._folder / "blobs"))
        self.blobs = len(digests)
        with ThreadPoolExecutor(THREADS, thread_name_prefix="comity-backup") as threads:
            for start in range(0, len(digests), BLOBS_AT_ONCE):
                self.written += sum(threads.map(self._put_blob, digests[start : start + BLOBS_AT_ONCE]))
                self._progress("payloads", min(start + BLOBS_AT_ONCE, len(digests)), len(digests))
        kept = [digest for digest in digests if self._repository.has_blob(digest)]
        return self.put_all(joined(kept))

    def files(self, paths: list[str]) -> tuple[KeptFile, ...]:
        """Small files of the data folder."""
        kept = []
        for path in paths:
            with disk_errors(f"reading {path!r}"):
                content = _read_small(self._folder / path)
            kept.append(KeptFile(path, (self._put(content),)))
        return tuple(kept)

    def _journal(self, seen: Snapshot) -> tuple[str, ...]:
        names, total = [], seen.entries
        for number, segment in enumerate(seen.segments(), 1):
            names.append(self._put(segment))
            self._progress("journal", min(number * SEGMENT_ENTRIES, total), total)
        return tuple(names)

    def _put(self, content: bytes) -> str:
        name, size = self._repository.put(content)
        self.written += size
        return name

    def _put_blob(self, digest: bytes) -> int:
        return self._repository.put_blob(digest, self._folder / "blobs" / f"{digest[0]:02x}" / digest[1:].hex())


def _prune(repository: Repository, keep: int) -> int:
    """Remove all but the newest backups, and what nothing needs any more."""
    numbers = repository.numbers()
    for number in numbers[:-keep]:
        repository.remove_backup(number)
    listed = [repository.read_backup(number) for number in numbers[-keep:]]
    current = repository.read_current()
    needed: set[str] = set().union(*(each.objects() for each in listed), current.objects() if current else set())
    blobs = {digest for each in listed for digest in listed_blobs(repository, each)}
    return len(numbers[:-keep]) + repository.sweep(needed, blobs)


def listed_blobs(repository: Repository, listed: BackupList) -> Iterator[bytes]:
    """The digests of the sealed payloads of a backup."""
    for name in listed.blobs:
        yield from each_digest(repository.get(name))


def joined(digests: Sequence[bytes]) -> Iterator[bytes]:
    """Digests one after the other, in pieces of the size of an object."""
    at_once = PIECE_BYTES // DIGEST_BYTES
    return (b"".join(digests[start : start + at_once]) for start in range(0, len(digests), at_once))


def each_digest(content: bytes) -> Iterator[bytes]:
    """The digests that stand one after the other in an object."""
    for start in range(0, len(content), DIGEST_BYTES):
        yield content[start : start + DIGEST_BYTES]


def _erased(repository: Repository, current: CurrentList | None) -> list[bytes]:
    """The digests of destroyed keys that are on the list of the backup: it never forgets one."""
    names = current.erased if current is not None else ()
    return [digest for name in names for digest in each_digest(repository.get(name))]


def _mark(folder: Path) -> dict[str, int]:
    """How far this party has signed, by the mark in its data folder."""
    path = folder / "high-water-mark"
    return parse_mark(_read_small(path), path.name) if path.exists() else {}


def _own(tables: tuple[Tables, ...], party: str) -> dict[str, int]:
    """How far it has signed by what is in the backup."""
    heads = tables[0].heads if tables else {}
    return {chain: stand.size for chain, stand in heads.items() if chain.endswith(f"/{party}")}


def _secrets(folder: Path) -> list[str]:
    """Every other file of a data folder: private keys, certificates, what somebody put there; of a witness nothing."""
    found = []
    witnesses = witness_folders(folder)  # one that came back would cosign a second history (17)
    for top in sorted(folder.iterdir()):
        if top.name in ELSEWHERE or top.name.endswith(FLEETING) or top.is_symlink():
            continue
        inside = [top] if top.is_file() else sorted(top.rglob("*"))
        inside = [each for each in inside if witnesses.isdisjoint(each.parents)]
        found += [str(each.relative_to(folder)) for each in inside if each.is_file() and not each.is_symlink()]
    return found


def _read_small(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    with os.fdopen(descriptor, "rb") as file:
        content = file.read(FILE_BYTES_MAX + 1)
    if len(content) > FILE_BYTES_MAX:
        raise Rejected(
            f"a file of more than {FILE_BYTES_MAX} bytes lies in the data folder; move it elsewhere",
            code="large-file",
            place=str(path),
        )
    return content
