"""The list of erased keys in one small file beside the database (``spec/ending.md`` steps 40 to 42).

Rules of this file:

- One line for each digest, 64 hexadecimal digits; lines are added at the end and never changed. So the file can be
  read by anybody, and its length says how many there are.
- What a crash left of a line is cut off before the next one is added: nobody was told that it was there.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Sequence
from pathlib import Path

from comity.errors import Misuse, Rejected
from comity.stores.durable import FILE_MODE, disk_errors, sync, sync_folder, write_whole

DIGEST_BYTES = 32
LINE_BYTES = 2 * DIGEST_BYTES + 1
"""Bytes of one line, with its line feed."""


class FileErasedKeys:
    """``ports.ErasedKeys`` in one file, which is made with its first line."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turn = threading.Lock()

    async def count(self) -> int:
        """See ``ports.ErasedKeys.count``."""
        with disk_errors(f"reading {str(self._path)!r}"):
            return _length(self._path) // LINE_BYTES

    async def read(self) -> list[bytes]:
        """See ``ports.ErasedKeys.read``.

        Raises:
            Rejected: a line is not what ``add`` writes.
            Unavailable: it cannot be read.
        """
        return await asyncio.to_thread(self._read)

    async def add(self, digests: Sequence[bytes]) -> None:
        """See ``ports.ErasedKeys.add``.

        Raises:
            DiskFull: nothing was added.
            Unavailable: some of them may have been.
            Misuse: something is not a digest.
        """
        if any(len(digest) != DIGEST_BYTES for digest in digests):
            raise Misuse(f"a digest has {DIGEST_BYTES} bytes", code="bad-digest")
        if digests:
            await asyncio.to_thread(self._add, b"".join(digest.hex().encode() + b"\n" for digest in digests))

    def _read(self) -> list[bytes]:
        with self._turn:
            return read_erased(self._path)

    def _add(self, lines: bytes) -> None:
        with self._turn, disk_errors(f"writing {str(self._path)!r}"):
            before = _length(self._path)
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
            descriptor = os.open(self._path, flags, FILE_MODE)
            try:
                os.ftruncate(descriptor, before - before % LINE_BYTES)  # (41)
                try:
                    write_whole(descriptor, lines)
                except OSError:
                    os.ftruncate(descriptor, before - before % LINE_BYTES)
                    raise
                sync(descriptor)
            finally:
                os.close(descriptor)
            if not before:
                sync_folder(self._path.parent)


def read_erased(path: Path) -> list[bytes]:
    """The digests on a list of erased keys; none where there is no list.

    Raises:
        Rejected: a line is not what ``FileErasedKeys.add`` writes.
        Unavailable: it cannot be read.
    """
    with disk_errors(f"reading {str(path)!r}"):
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError:
            return []
        with os.fdopen(descriptor, "rb") as file:
            content = file.read()
    whole = len(content) - len(content) % LINE_BYTES
    return [_digest(content[at : at + LINE_BYTES], path) for at in range(0, whole, LINE_BYTES)]


def _digest(line: bytes, path: Path) -> bytes:
    try:
        digest = bytes.fromhex(line.decode("ascii"))
    except ValueError:
        digest = b""
    if digest.hex().encode() + b"\n" != line:
        raise Rejected(
            "the list of erased keys is damaged; put it back from a copy of this folder, or keys that were destroyed "
            "could be used again",
            code="erased-keys-damaged",
            place=str(path),
        )
    return digest


def _length(path: Path) -> int:
    try:
        return path.lstat().st_size
    except FileNotFoundError:
        return 0
