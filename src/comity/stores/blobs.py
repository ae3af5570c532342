"""Sealed payloads in a folder, each under the SHA-256 of its bytes (``spec/store.md`` steps 30 to 38).

Rules of this file:

- ``blobs/ab/cdef…`` is whole or absent: a blob is written in ``temporary/``, synced, renamed, its folder synced.
- ``uploads/HEX`` grows by synced pieces. Its length is where the upload stands; whatever a crash left of an unsynced
  piece counts as received, but for its last byte: the digest of the whole is compared before the blob appears, with
  the last byte that comes.
- Batches are dealt to a few threads by folder, so that syncs overlap and each folder is synced once in a batch.
- Paths are made of digests only, no symbolic link is followed, and contents are verified by whoever reads them.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import stat
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from io import BufferedReader
from itertools import count
from pathlib import Path
from typing import BinaryIO, Self, TypeVar
from weakref import WeakValueDictionary

from comity.errors import Misuse, Rejected, Unavailable
from comity.stores.durable import FILE_MODE, disk_errors, make_folders, sync, sync_folder, write_synced, write_whole

DIGEST_BYTES = 32
"""Length of a SHA-256 digest."""
THREADS = 8
"""Syncs under way at once; more gained nothing where it was measured (``benchmarks/store.py``)."""

_BLOB_NAME = re.compile("[0-9a-f]{64}")

Result = TypeVar("Result")


class FolderBlobs:
    """``ports.Blobs`` in a folder that this process has locked. Open it with ``in_folder``."""

    def __init__(self, folder: Path) -> None:
        self._blobs = folder / "blobs"
        self._uploads = folder / "uploads"
        self._temporary = folder / "temporary"
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="comity-blobs")
        self._numbers = count()
        self._known: set[bytes] = set()  # uploads whose length is durable, and which are not whole
        self._uploading: WeakValueDictionary[bytes, asyncio.Lock] = WeakValueDictionary()

    @classmethod
    async def in_folder(cls, folder: str | Path) -> Self:
        """Make what is missing of the folders, and throw away what a crash left half written (step 30).

        Raises:
            DiskFull: there is no room for the folders.
            Unavailable: one cannot be made or read, or is a symbolic link.
        """
        blobs = cls(Path(folder))
        try:
            await blobs._run(blobs._prepare)
        except BaseException:
            await blobs.close()
            raise
        return blobs

    async def close(self) -> None:
        """End the threads once they are done. Idempotent."""
        await asyncio.to_thread(self._threads.shutdown)

    async def put_many(self, blobs: Mapping[bytes, bytes]) -> None:
        """See ``ports.Blobs.put_many``."""
        shares: dict[int, list[tuple[bytes, bytes]]] = {}
        for digest, content in blobs.items():
            check_digest(digest)
            shares.setdefault(digest[0] % THREADS, []).append((digest, content))
        outcomes = await asyncio.gather(
            *(self._run(self._put, share) for share in shares.values()), return_exceptions=True
        )
        for outcome in outcomes:  # every thread has ended: nothing goes on behind the caller's back
            if isinstance(outcome, BaseException):
                raise outcome

    async def received(self, digest: bytes) -> int:
        """See ``ports.Blobs.received``."""
        return await self._alone(digest, self._received)

    async def append(self, digest: bytes, offset: int, piece: bytes, size: int) -> int:
        """See ``ports.Blobs.append``."""
        return await self._alone(digest, self._append, offset, piece, size)

    @asynccontextmanager
    async def open(self, digest: bytes) -> AsyncIterator[BinaryIO]:
        """See ``ports.Blobs.open``."""
        with await self._run(self._opened, digest) as blob:
            yield blob

    async def size(self, digest: bytes) -> int | None:
        """See ``ports.Blobs.size``."""
        return await self._run(self._size, digest)

    async def adopt(self, digest: bytes, path: str) -> None:
        """See ``ports.Blobs.adopt``; the file is best written in ``temporary/``, which is on the same disk."""
        await self._run(self._adopt, digest, Path(path))

    async def all(self) -> list[bytes]:
        """See ``ports.Blobs.all``."""
        return await self._run(self._all)

    async def unfinished(self) -> list[bytes]:
        """See ``ports.Blobs.unfinished``."""
        return await self._run(self._unfinished)

    async def delete(self, digest: bytes) -> None:
        """See ``ports.Blobs.delete``."""
        await self._alone(digest, self._delete)

    def _prepare(self) -> None:
        with disk_errors(f"preparing {str(self._blobs.parent)!r}"):
            make_folders([self._blobs, self._uploads, self._temporary])
            make_folders([self._blobs / f"{first:02x}" for first in range(256)])
            for leftover in self._temporary.iterdir():
                leftover.unlink()

    def _put(self, share: Sequence[tuple[bytes, bytes]]) -> None:
        wrong = [digest for digest, content in share if hashlib.sha256(content).digest() != digest]
        folders = set()
        with disk_errors("storing blobs"):
            for digest, content in share:
                if digest not in wrong:
                    target = self._path(digest)
                    folders.add(target.parent)  # (33) also of a blob that is there: its name may not be durable yet
                    if not target.exists():
                        temporary = self._temporary / str(next(self._numbers))
                        write_synced(temporary, content)
                        temporary.rename(target)
            for folder in folders:
                sync_folder(folder)
        if wrong:
            raise wrong_digest(wrong[0])

    def _received(self, digest: bytes) -> int:
        """Where an upload stands (35); one that a crash left is first made durable, and finished if it is whole."""
        upload = self._uploads / digest.hex()
        with disk_errors(f"reading the upload {digest.hex()}"):
            size = _size_of(self._path(digest))
            if size is not None:
                return size
            if digest not in self._known and _size_of(upload) is not None:
                with os.fdopen(os.open(upload, os.O_RDWR | os.O_NOFOLLOW), "r+b") as file:
                    sync(file.fileno())
                    whole = hashlib.file_digest(file, "sha256").digest() == digest
                    if not whole and (length := os.fstat(file.fileno()).st_size):
                        file.truncate(length - 1)
                        sync(file.fileno())
                if whole:
                    self._finish(digest)
                else:
                    self._known.add(digest)
            return _size_of(upload) or _size_of(self._path(digest)) or 0

    def _append(self, digest: bytes, offset: int, piece: bytes, size: int) -> int:
        standing = self._received(digest)
        check_piece(digest, standing, offset, len(piece), size)
        upload = self._uploads / digest.hex()
        with disk_errors(f"storing a piece of the upload {digest.hex()}"):
            if _size_of(self._path(digest)) is not None:
                return standing
            self._known.discard(digest)
            descriptor = os.open(upload, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, FILE_MODE)
            try:
                os.lseek(descriptor, offset, os.SEEK_SET)
                write_whole(descriptor, piece)
                sync(descriptor)
            except OSError:
                os.ftruncate(descriptor, offset)
                self._known.add(digest)  # where it stood it was durable
                raise
            finally:
                os.close(descriptor)
            if offset == 0:
                sync_folder(self._uploads)
            if offset + len(piece) == size:
                with _open(upload) as file:
                    if hashlib.file_digest(file, "sha256").digest() != digest:
                        upload.unlink()
                        sync_folder(self._uploads)
                        raise wrong_digest(digest)
                self._finish(digest)
            else:
                self._known.add(digest)
        return offset + len(piece)

    def _finish(self, digest: bytes) -> None:
        target = self._path(digest)
        (self._uploads / digest.hex()).rename(target)
        sync_folder(target.parent)
        sync_folder(self._uploads)

    def _opened(self, digest: bytes) -> BinaryIO:
        with disk_errors(f"opening the blob {digest.hex()}"):
            try:
                return _open(self._path(digest))
            except FileNotFoundError:
                raise no_blob(digest) from None

    def _size(self, digest: bytes) -> int | None:
        with disk_errors(f"looking at the blob {digest.hex()}"):
            return _size_of(self._path(digest))

    def _adopt(self, digest: bytes, source: Path) -> None:
        target = self._path(digest)
        with disk_errors(f"taking over {str(source)!r}"):
            with _open(source) as file:
                os.fchmod(file.fileno(), FILE_MODE)
                sync(file.fileno())
            source.rename(target)
            sync_folder(target.parent)

    def _all(self) -> list[bytes]:
        with disk_errors("listing the blobs"):
            return list(blobs_below(self._blobs))

    def _unfinished(self) -> list[bytes]:
        with disk_errors("listing the uploads"):
            return [bytes.fromhex(file.name) for file in self._uploads.iterdir() if _BLOB_NAME.fullmatch(file.name)]

    def _delete(self, digest: bytes) -> None:
        with disk_errors(f"deleting the blob {digest.hex()}"):
            for path in (self._uploads / digest.hex(), self._path(digest)):
                if _size_of(path) is not None:
                    path.unlink()
                    sync_folder(path.parent)
            self._known.discard(digest)

    def _path(self, digest: bytes) -> Path:
        check_digest(digest)
        return self._blobs / f"{digest[0]:02x}" / digest[1:].hex()

    async def _run(self, work: Callable[..., Result], *arguments: object) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)

    async def _alone(self, digest: bytes, work: Callable[..., Result], *arguments: object) -> Result:
        """Run ``work`` while nothing else touches this upload, to its end even when the caller goes away."""
        async with self._uploading.setdefault(digest, asyncio.Lock()):
            running = asyncio.ensure_future(self._run(work, digest, *arguments))
            try:
                return await asyncio.shield(running)
            except asyncio.CancelledError:
                await asyncio.wait((running,))
                raise


def blobs_below(folder: Path) -> Iterator[bytes]:
    """The digests of the blobs that are below ``folder``, by their names."""
    for within in folder.iterdir():
        for file in within.iterdir():
            if _BLOB_NAME.fullmatch(within.name + file.name):
                yield bytes.fromhex(within.name + file.name)


def check_digest(digest: bytes) -> None:
    """Refuse what cannot be the name of a blob.

    Raises:
        Misuse: not 32 bytes.
    """
    if len(digest) != DIGEST_BYTES:
        raise Misuse(f"{digest.hex()!r} is not a SHA-256 digest: it has {len(digest)} bytes", code="digest-length")


def check_piece(digest: bytes, standing: int, offset: int, length: int, size: int) -> None:
    """Compare a piece with where its upload stands (step 36).

    Raises:
        Rejected: it begins elsewhere, or runs over the size announced.
    """
    if offset != standing:
        raise Rejected(
            f"a piece begins at byte {offset} and the upload stands at byte {standing}; go on from there",
            code="upload-offset",
            place=digest.hex(),
        )
    if offset + length > size:
        raise Rejected(
            f"a piece of {length} bytes at byte {offset} runs over the {size} bytes announced",
            code="upload-too-long",
            place=digest.hex(),
        )


def wrong_digest(digest: bytes) -> Rejected:
    """The error for bytes that are not what their digest says; nothing of them is kept."""
    return Rejected(
        "the bytes do not match their SHA-256 digest and were thrown away; send them again",
        code="blob-digest",
        place=digest.hex(),
    )


def no_blob(digest: bytes) -> Unavailable:
    """The error for a blob that is not here (or not whole yet)."""
    return Unavailable("there is no such blob here, or it is not whole yet", code="no-blob", place=digest.hex())


def _open(path: Path) -> BufferedReader:
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb")


def _size_of(path: Path) -> int | None:
    """Size of a regular file; None when there is none (a symbolic link is none)."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None
