"""The data folder of one node: its layout, its lock, and the mark outside its database (``spec/store.md`` 50 to 57).

Rules of this file:

- One process at a time: the lock is held for as long as the folder is open, and dies with its process.
- Nobody but the owner may look inside; a folder that others can read is refused, not repaired, for what they have
  read cannot be taken back.
- The high-water mark is compared before anything is signed: a database older than the mark was restored from a
  backup, and signing on top of it would write a second history.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import stat
import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated, Self

import msgspec

from comity.errors import Misuse, Rejected, Unavailable
from comity.stores.batch import raised
from comity.stores.durable import FILE_MODE, disk_errors, make_folders, replace_file, sync_folder

HOLDER_BYTES_MAX = 1024
"""Most bytes read of what the holder of a lock wrote about itself."""
MARK_BYTES_MAX = 16 * 1024 * 1024
"""Most bytes of a high-water mark: some hundred thousand chains."""
MARK_FORMAT = 1


class DataFolder(AbstractContextManager["DataFolder"]):
    """A locked data folder. Open it with ``open``; closing it (or the end of the process) unlocks it.

    Attributes:
        path: the folder.
        database: the file for ``SqliteStore.open``.
        temporary: for files being written, on the same disk as the blobs; emptied at the next start.
        high_water_mark: the file for ``FolderHighWaterMark``.
        erased_keys: the file for ``FileErasedKeys``.
    """

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self.database = path / "comity.sqlite"
        self.temporary = path / "temporary"
        self.high_water_mark = path / "high-water-mark"
        self.erased_keys = path / "erased-keys"
        self._lock: int | None = lock

    @classmethod
    def open(cls, path: str | Path, holder: str) -> Self:
        """Make the folder (0700) unless it is there, check who can read it, and lock it.

        Args:
            path: the folder; its parent exists.
            holder: what a second process is told about this one, such as ``"comity node run, since 2026-11-21T08Z"``.

        Raises:
            Misuse: the folder is not ours alone (owner, mode), or is not a folder (step 51).
            Unavailable: another process holds it (step 53), or the disk failed.
            DiskFull: there is no room.
        """
        path = Path(path)
        with disk_errors(f"opening the data folder {str(path)!r}"):
            if not path.is_symlink() and not path.exists():
                make_folders([path])
            _check_private(path)
            lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, FILE_MODE)
            try:
                _lock(lock, path, holder)
                sync_folder(path)
            except BaseException:
                os.close(lock)
                raise
        return cls(path, lock)

    def close(self) -> None:
        """Unlock the folder. Idempotent."""
        if self._lock is not None:
            fcntl.flock(self._lock, fcntl.LOCK_UN)  # a child that is just starting may still share the open file
            os.close(self._lock)
            self._lock = None

    def __exit__(self, *_error: object) -> None:
        self.close()


class FolderHighWaterMark:
    """``ports.HighWaterMark`` in one small file. Concurrent callers share one write."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turn = asyncio.Lock()
        self._file = threading.Lock()
        self._wanted: dict[str, int] = {}
        self._written: dict[str, int] | None = None

    async def read(self) -> dict[str, int]:
        """See ``ports.HighWaterMark.read``.

        Raises:
            Rejected: the file is not what ``write`` writes (step 56).
            Unavailable: it cannot be read.
        """
        return await asyncio.to_thread(self._read)

    async def write(self, sizes: Mapping[str, int]) -> None:
        """See ``ports.HighWaterMark.write``.

        Raises:
            DiskFull, Unavailable: the mark is as it was.
            Rejected: the file that is there is damaged; it is not overwritten.
        """
        self._wanted = raised(self._wanted, sizes)
        async with self._turn:
            written = self._written or {}
            if any(written.get(chain, -1) < size for chain, size in sizes.items()):
                await asyncio.to_thread(self._write)

    def _read(self) -> dict[str, int]:
        with disk_errors(f"reading the high-water mark {str(self._path)!r}"):
            try:
                descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW)
            except FileNotFoundError:
                return {}
            with os.fdopen(descriptor, "rb") as file:
                return parse_mark(file.read(MARK_BYTES_MAX + 1), str(self._path))

    def _write(self) -> None:
        with self._file, disk_errors(f"writing the high-water mark {str(self._path)!r}"):
            before = self._read() if self._written is None else self._written
            sizes = raised(before, self._wanted)
            replace_file(self._path, format_mark(sizes))
            self._written = sizes


class _Mark(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: int
    sizes: dict[str, Annotated[int, msgspec.Meta(ge=0)]]


def format_mark(sizes: Mapping[str, int]) -> bytes:
    """The bytes of a high-water mark: one line of JSON, chains in order (step 55)."""
    return msgspec.json.encode(_Mark(MARK_FORMAT, dict(sizes)), order="sorted") + b"\n"


def parse_mark(content: bytes, place: str) -> dict[str, int]:
    """The sizes in a high-water mark.

    Args:
        content: the bytes of the file.
        place: what an error names.

    Raises:
        Rejected: not exactly what ``format_mark`` writes (step 56).
    """
    try:
        mark = msgspec.json.decode(content[:MARK_BYTES_MAX], type=_Mark)
    except (msgspec.DecodeError, ValueError):
        mark = None
    if mark is None or mark.format != MARK_FORMAT or format_mark(mark.sizes) != content:
        raise Rejected(
            "the high-water mark is damaged or from a newer Comity; ask the peers how far this party has signed, and "
            "only then remove the file",
            code="high-water-mark-damaged",
            place=place,
        )
    return mark.sizes


def _check_private(path: Path) -> None:
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode):
        raise Misuse(f"{str(path)!r} is not a folder (a symbolic link is not followed)", code="not-a-folder")
    if status.st_uid != os.geteuid():
        raise Misuse(
            f"the data folder {str(path)!r} belongs to user {status.st_uid} and this process runs as {os.geteuid()}; "
            "run it as the owner",
            code="folder-owner",
        )
    if status.st_mode & 0o077:
        raise Misuse(
            f"others can look into the data folder {str(path)!r} (mode {stat.S_IMODE(status.st_mode):04o}); "
            f"make it private: chmod 700 {str(path)!r}",
            code="folder-not-private",
        )


def _lock(lock: int, path: Path, holder: str) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        other = os.pread(lock, HOLDER_BYTES_MAX, 0).decode("utf-8", "replace").strip()
        raise Unavailable(
            f"the data folder {str(path)!r} is in use by {other!r}; give your commands to that node, or stop it first",
            code="folder-in-use",
        ) from None
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"process {os.getpid()}: {holder}\n".encode()[:HOLDER_BYTES_MAX], 0)
