"""The folder of a backup: objects by name, sealed payloads by digest, and the lists that make backups of them.

::

    comity-backup       {"format":1,"id":"9f3c…","party":"jp","sealed":true}
    key.age             the key of a sealed one, for its age recipients
    lock                held while it is written to
    objects/ab/cdef…    pieces of journals, rows and files, by name (``vault``)
    blobs/ab/cdef…      sealed payloads, by the SHA-256 of their bytes
    current             what is kept of the newest state only: copy keys, private keys, the list of erased keys
    backups/000017      one backup: the list of all that it is made of
    working/            files being written; emptied when somebody begins to write

Rules of this file (``spec/backup.md`` steps 10 to 19):

- A file is written in ``working``, synced, read back from the disk and compared, renamed, and its folder is synced.
- A backup is there when its list is, and the list is written last: nothing half-done is ever taken for one.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BufferedReader
from itertools import count
from pathlib import Path
from typing import BinaryIO, Self, TypeVar

import msgspec

from comity.errors import Misuse, Rejected, Unavailable
from comity.ports import Entropy
from comity.seal.age import Sealed, open_bytes, seal_bytes
from comity.seal.recipients import Identity, Recipient
from comity.stores.backups.lists import BackupList, CurrentList
from comity.stores.backups.vault import KEY_BYTES, Vault
from comity.stores.durable import (
    FILE_MODE,
    disk_errors,
    make_folders,
    replace_file,
    sync,
    sync_folder,
    write_synced,
)

FORMAT = 1
ABOUT = "comity-backup"
KEY = "key.age"
CURRENT = "current"
_BEGINNINGS = {KEY, f"{KEY}.partial", f"{ABOUT}.partial", "lock"}
"""What is left of a folder whose making was cut short."""
PIECE_BYTES = 4 * 2**20
"""Bytes of a sealed payload in memory at once."""
_NUMBER = re.compile("[0-9]{6,12}")
_OBJECT = re.compile("[0-9a-f]{64}")

L = TypeVar("L", BackupList, CurrentList)


class About(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a folder of backups says of itself to anybody.

    Attributes:
        format: of the folder.
        id: random, in hex, so that a node finds the key that it keeps of it.
        party: whose node it is of.
        sealed: whether a key is needed to read it.
    """

    format: int
    id: str
    party: str
    sealed: bool


class Repository:
    """An open folder of backups.

    Attributes:
        about: what it says of itself.
        path: the folder.
    """

    def __init__(self, path: Path, about: About, vault: Vault) -> None:
        self.path = path
        self.about = about
        self.vault = vault
        self._numbers = count()
        self._unsynced: set[Path] = set()
        self._turn = threading.Lock()

    # ---- opening ---------------------------------------------------------------------------------------------------

    @classmethod
    def make(cls, path: Path, party: str, recipients: Sequence[Recipient], entropy: Entropy) -> tuple[Self, bytes]:
        """Make a folder of backups, sealed to ``recipients`` unless there are none.

        Returns:
            It, and its key (empty where it is not sealed), which the data folder keeps.

        Raises:
            Misuse: there is something in the folder that is no backup.
            DiskFull, Unavailable: it cannot be made.
        """
        key = entropy(KEY_BYTES) if recipients else None
        about = About(FORMAT, entropy(16).hex(), party, key is not None)
        with disk_errors(f"making {str(path)!r}"):
            if path.exists() and not {each.name for each in path.iterdir()} <= _BEGINNINGS:
                raise Misuse(
                    f"there is something in {str(path)!r} that is no backup of Comity's; name an empty folder",
                    code="not-a-backup",
                )
            make_folders([path])
            if key is not None:
                replace_file(path / KEY, bytes(seal_bytes(key, recipients, entropy)))
            replace_file(path / ABOUT, msgspec.json.encode(about) + b"\n")  # last: it says that all is there
        return cls(path, about, Vault(key, entropy)), key or b""

    @classmethod
    def open(cls, path: Path, entropy: Entropy, *, key: bytes = b"", identities: Sequence[Identity] = ()) -> Self:
        """Open a folder of backups, by the key that a data folder keeps of it or by who it is sealed to.

        Raises:
            Misuse: ``not-a-backup``, or ``backup-sealed``: it is sealed, and nothing was given to open it with.
            Rejected: it is damaged, of a newer Comity, or sealed to somebody else.
        """
        about = read_about(path)
        if identities and not about.sealed:
            raise Misuse(
                "this backup says that it is sealed to nobody, so -i and -p open nothing; leave them out if it never "
                "was sealed, and otherwise do not use it: somebody has changed it",
                code="not-sealed",
            )
        if about.sealed and not key:
            if not identities:
                raise Misuse(
                    "this backup is sealed; give the identity that it is sealed to with -i FILE, or -p for a "
                    "passphrase",
                    code="backup-sealed",
                )
            with disk_errors(f"reading {str(path / KEY)!r}"):
                key = open_bytes(Sealed.split((path / KEY).read_bytes()), identities)
        return cls(path, about, Vault(key if about.sealed else None, entropy))

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Write to it alone; what somebody before left half written is thrown away.

        Raises:
            Unavailable: another process writes to it (``backup-in-use``), or the disk failed.
        """
        with disk_errors(f"locking {str(self.path)!r}"):
            lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Unavailable(
                    f"another process is writing to the backup in {str(self.path)!r}; wait for it", code="backup-in-use"
                ) from None
            with disk_errors(f"preparing {str(self.path)!r}"):
                folders = [self.path / each for each in ("objects", "blobs", "backups", "working")]
                make_folders(folders)
                for within in folders[:2]:
                    make_folders([within / f"{first:02x}" for first in range(256)])
                for leftover in (self.path / "working").iterdir():
                    leftover.unlink()
            yield
        finally:
            os.close(lock)

    # ---- objects ---------------------------------------------------------------------------------------------------

    def put(self, content: bytes) -> tuple[str, int]:
        """Keep an object unless it is there; its name, and how many bytes were written.

        Its folder is synced by ``settle``.
        """
        name = self.vault.name(content)
        path = self._object(name)
        with disk_errors("writing a backup"):
            if path.exists():
                return name, 0
            kept = self.vault.close(name, content)
            self._place(path, kept)
        return name, len(kept)

    def get(self, name: str) -> bytes:
        """The content of an object, verified.

        Raises:
            Rejected: it is missing or damaged (``backup-damaged``).
        """
        return self.vault.open(name, self._read(self._object(name), "objects"))

    def put_blob(self, digest: bytes, source: Path) -> int:
        """Keep a sealed payload unless it is there; how many bytes were written.

        Raises:
            Rejected: what lies at ``source`` has another digest (``blob-damaged``); nothing was kept.
        """
        path = self._blob(digest)
        with disk_errors("writing a backup"):
            if path.exists():
                return 0
            try:
                descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW)
            except FileNotFoundError:
                return 0  # it was removed since: nothing names it any more
            with os.fdopen(descriptor, "rb") as reading:
                size = self._copy(digest, reading, self._temporary(), path)
            with self._turn:
                self._unsynced.add(path.parent)
        return size

    def copy_blob(self, digest: bytes, working: Path, target: Path) -> int:
        """Bring a sealed payload back to ``target``, written as ``working`` first; its size.

        Raises:
            Rejected: it is missing or damaged (``blob-damaged``).
        """
        with disk_errors("bringing back a sealed payload"), self._open_blob(digest) as reading:
            return self._copy(digest, reading, working, target)

    def check_blob(self, digest: bytes) -> int:
        """Read a sealed payload to its end; its size.

        Raises:
            Rejected: it is missing or damaged (``blob-damaged``).
        """
        with disk_errors("reading a backup"), self._open_blob(digest) as reading:
            if hashlib.file_digest(reading, "sha256").digest() != digest:
                raise _damaged(digest)
            return reading.tell()

    def _open_blob(self, digest: bytes) -> BufferedReader:
        try:
            return os.fdopen(os.open(self._blob(digest), os.O_RDONLY | os.O_NOFOLLOW), "rb")
        except FileNotFoundError:
            raise Rejected(
                "this sealed payload is missing in the backup", code="blob-damaged", place=digest.hex()
            ) from None

    def _copy(self, digest: bytes, reading: BinaryIO, working: Path, target: Path) -> int:
        """Copy a sealed payload of any size, and compare its digest with what the disk gives back (13)."""
        size, hashed = 0, hashlib.sha256()
        descriptor = os.open(working, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, FILE_MODE)
        with os.fdopen(descriptor, "r+b") as file:
            while piece := reading.read(PIECE_BYTES):
                file.write(piece)
                hashed.update(piece)
                size += len(piece)
            file.flush()
            sync(descriptor)
            forget_cached(descriptor)
            file.seek(0)
            found = hashlib.file_digest(file, "sha256").digest()
        if hashed.digest() != digest or found != digest:
            working.unlink()
            raise _damaged(digest) if hashed.digest() != digest else _unreadable(target)
        working.rename(target)
        return size

    def has_blob(self, digest: bytes) -> bool:
        """Whether a sealed payload is here."""
        return self._blob(digest).exists()

    def settle(self) -> None:
        """Make the names of all that was put since durable."""
        with disk_errors("syncing a backup"), self._turn:
            while self._unsynced:
                sync_folder(self._unsynced.pop())

    # ---- lists -----------------------------------------------------------------------------------------------------

    def numbers(self) -> list[int]:
        """The numbers of all backups that are here, oldest first."""
        folder = self.path / "backups"
        with disk_errors(f"listing {str(folder)!r}"):
            found = [each.name for each in folder.iterdir()] if folder.is_dir() else []
        return sorted(int(name) for name in found if _NUMBER.fullmatch(name))

    def write_backup(self, listed: BackupList) -> None:
        """Add a backup; all that it lists is durable."""
        self._write_list(f"backups/{listed.number:06d}", listed)

    def read_backup(self, number: int) -> BackupList:
        """The list of one backup.

        Raises:
            Misuse: there is none of that number.
            Rejected: it is damaged.
        """
        if number not in self.numbers():
            raise Misuse(f"there is no backup {number} here; 'comity backup list' shows them", code="unknown-backup")
        return self._read_list(f"backups/{number:06d}", BackupList)

    def remove_backup(self, number: int) -> None:
        """Forget one backup; what only it was made of is removed by ``sweep``."""
        with disk_errors("removing a backup"):
            (self.path / "backups" / f"{number:06d}").unlink()
            sync_folder(self.path / "backups")

    def write_current(self, listed: CurrentList) -> None:
        """Replace what is kept of the newest state only; what the one before was made of is removed."""
        before = self.read_current()
        gone = [self._object(name) for name in before.objects() - listed.objects()] if before is not None else []
        self._write_list(CURRENT, listed)
        for path in gone:
            with disk_errors("removing what a backup no longer keeps"):
                path.unlink(missing_ok=True)
                sync_folder(path.parent)

    def read_current(self) -> CurrentList | None:
        """What is kept of the newest state only; None before the first backup.

        Raises:
            Rejected: it is damaged, or missing beside backups: it is written before any (16).
        """
        if not (self.path / CURRENT).exists():
            if self.numbers():
                raise Rejected("a part of this backup is missing", code="backup-damaged", place=CURRENT)
            return None
        return self._read_list(CURRENT, CurrentList)

    def sweep(self, objects: set[str], blobs: set[bytes]) -> int:
        """Remove every object and payload but these; how many were removed."""
        removed = 0
        with disk_errors("removing what no backup needs"):
            for within, keep in (("objects", objects), ("blobs", {digest.hex() for digest in blobs})):
                for folder in sorted((self.path / within).iterdir()):
                    gone = [each for each in folder.iterdir() if folder.name + each.name not in keep]
                    for each in gone:
                        each.unlink()
                    if gone:
                        sync_folder(folder)
                    removed += len(gone)
        return removed

    # ---- files -----------------------------------------------------------------------------------------------------

    def _write_list(self, what: str, listed: BackupList | CurrentList) -> None:
        with disk_errors("writing a backup"):
            path = self.path / what
            self._place(path, self.vault.close_list(what, msgspec.msgpack.encode(listed)))
            sync_folder(path.parent)
            self._unsynced.discard(path.parent)

    def _read_list(self, what: str, kind: type[L]) -> L:
        content = self.vault.open_list(what, self._read(self.path / what, what))
        try:
            return msgspec.msgpack.decode(content, type=kind)
        except msgspec.MsgspecError:
            raise Rejected("this backup is of a newer Comity; use that one", code="newer-backup", place=what) from None

    def _place(self, path: Path, content: bytes) -> None:
        """Put a file in its place once it was read back from the disk as it was written (13)."""
        temporary = self._temporary()
        write_synced(temporary, content)
        if _read_anew(temporary) != content:
            temporary.unlink()
            raise _unreadable(path)
        temporary.rename(path)
        with self._turn:
            self._unsynced.add(path.parent)

    def _read(self, path: Path, what: str) -> bytes:
        with disk_errors(f"reading the backup {str(self.path)!r}"):
            try:
                return path.read_bytes()
            except FileNotFoundError:
                raise Rejected("a part of this backup is missing", code="backup-damaged", place=what) from None

    def _temporary(self) -> Path:
        with self._turn:
            return self.path / "working" / str(next(self._numbers))

    def _object(self, name: str) -> Path:
        """Where an object lies; a list may name anything (25)."""
        if not _OBJECT.fullmatch(name):
            raise Rejected("a list of the backup names what is no piece", code="backup-damaged", place=name[:80])
        return self.path / "objects" / name[:2] / name[2:]

    def _blob(self, digest: bytes) -> Path:
        return self.path / "blobs" / f"{digest[0]:02x}" / digest[1:].hex()


def read_about(path: Path) -> About:
    """What a folder of backups says of itself.

    Raises:
        Misuse: it is none.
        Rejected: of a newer Comity.
    """
    try:
        content = (path / ABOUT).read_bytes()
    except OSError:
        raise Misuse(f"there is no backup in {str(path)!r}", code="not-a-backup") from None
    try:
        about = msgspec.json.decode(content, type=About)
    except (msgspec.MsgspecError, ValueError):
        about = None
    if about is None or about.format != FORMAT:
        raise Rejected("this backup is damaged, or of a newer Comity", code="newer-backup", place=str(path / ABOUT))
    return about


def _read_anew(path: Path) -> bytes:
    """What is on the disk itself, as far as the system lets a program ask for that."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    with os.fdopen(descriptor, "rb") as file:
        forget_cached(descriptor)
        return file.read()


def forget_cached(descriptor: int) -> None:
    """Ask the system to read a file, which was synced, from the disk when it is read next."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)


def _damaged(digest: bytes) -> Rejected:
    return Rejected(
        "the bytes of this sealed payload are not what its digest says", code="blob-damaged", place=digest.hex()
    )


def _unreadable(path: Path) -> Unavailable:
    return Unavailable(
        "the disk gives back other bytes than were written to it; use another one",
        code="disk-unreadable",
        place=str(path),
    )
