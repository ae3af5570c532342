"""Reading every sealed payload of a data folder again, beside its node (``spec/backup.md`` step 72)."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from comity.stores.blobs import blobs_below
from comity.stores.durable import disk_errors

THREADS = 4
"""Payloads read at once; hashing lets the interpreter go, so that all cores hash while the disk reads."""
AT_ONCE = 256


class BlobsChecked(msgspec.Struct, frozen=True, kw_only=True):
    """The payloads that are here, how many bytes they have, and which of them are not what their names say."""

    digests: frozenset[bytes]
    bytes_read: int
    damaged: tuple[bytes, ...]


def check_blobs(folder: Path, progress: Callable[[str, int, int], None]) -> BlobsChecked:
    """Compare every sealed payload below ``folder`` with its digest.

    Raises:
        Unavailable: one cannot be read.
    """
    with disk_errors("listing the payloads"):
        digests = sorted(blobs_below(folder)) if folder.is_dir() else []
    read, damaged = 0, []

    def check(digest: bytes) -> tuple[int, bool]:
        with disk_errors(f"reading the payload {digest.hex()}"):
            try:
                descriptor = os.open(folder / f"{digest[0]:02x}" / digest[1:].hex(), os.O_RDONLY | os.O_NOFOLLOW)
            except FileNotFoundError:
                return 0, True  # it was removed since
            with os.fdopen(descriptor, "rb") as file:
                fits = hashlib.file_digest(file, "sha256").digest() == digest
                return file.tell(), fits

    with ThreadPoolExecutor(THREADS, thread_name_prefix="comity-fsck") as threads:
        for start in range(0, len(digests), AT_ONCE):
            some = digests[start : start + AT_ONCE]
            for digest, (size, fits) in zip(some, threads.map(check, some), strict=True):
                read += size
                if not fits:
                    damaged.append(digest)
            progress("payloads", start + len(some), len(digests))
    return BlobsChecked(digests=frozenset(digests), bytes_read=read, damaged=tuple(damaged))
