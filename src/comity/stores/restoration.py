"""The note that a data folder was brought back from a backup (``spec/backup.md`` steps 40 to 42), in one small file.

It lies outside the database, is written before anything can be opened or signed on it, and goes away when the house has
compared its chains with everybody who has a copy of them.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import msgspec

from comity.errors import Rejected
from comity.ports import RestoredFrom
from comity.stores.durable import disk_errors, replace_file, sync_folder

NOTE = "restored"
NOTE_BYTES_MAX = 16 * 2**20
FORMAT = 1


class _Note(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: int
    restored: RestoredFrom


class FileRestoration:
    """``ports.Restoration`` in one file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def read(self) -> RestoredFrom | None:
        """See ``ports.Restoration.read``."""
        return await asyncio.to_thread(read_note, self._path)

    async def write(self, restored: RestoredFrom) -> None:
        """See ``ports.Restoration.write``."""
        await asyncio.to_thread(write_note, self._path, restored)

    async def clear(self) -> None:
        """See ``ports.Restoration.clear``."""
        await asyncio.to_thread(self._clear)

    def _clear(self) -> None:
        with disk_errors(f"removing {str(self._path)!r}"):
            self._path.unlink(missing_ok=True)
            sync_folder(self._path.parent)


def _written(restored: RestoredFrom) -> bytes:
    """The note as it stands in its file, without what the first version of it did not know and nobody has said."""
    note = msgspec.to_builtins(_Note(FORMAT, restored))
    if not restored.asked:
        del note["restored"]["asked"]
    return msgspec.json.encode(note, order="sorted") + b"\n"


def write_note(path: Path, restored: RestoredFrom) -> None:
    """Write the note, durably.

    Raises:
        DiskFull, Unavailable: it is as it was.
    """
    with disk_errors(f"writing {str(path)!r}"):
        replace_file(path, _written(restored))


def read_note(path: Path) -> RestoredFrom | None:
    """The note; None where there is none.

    Raises:
        Rejected: it is not exactly what ``write_note`` writes.
        Unavailable: it cannot be read.
    """
    with disk_errors(f"reading {str(path)!r}"):
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError:
            return None
        with os.fdopen(descriptor, "rb") as file:
            content = file.read(NOTE_BYTES_MAX + 1)
    try:
        note = msgspec.json.decode(content, type=_Note)
    except (msgspec.DecodeError, ValueError):
        note = None
    if note is None or note.format != FORMAT or _written(note.restored) != content:
        raise Rejected(
            "the note that this folder was brought back from a backup is damaged; bring it back again",
            code="restoration-damaged",
            place=str(path),
        )
    return note.restored
