"""Files that survive the loss of power (``spec/store.md`` steps 30 to 33).

Rules of this file:

- A file is written under another name, synced, renamed, and then the folder that now names it is synced.
- No symbolic link is followed; files are 0600 and folders 0700.
- A full disk is ``DiskFull``, anything else that the system refuses is ``Unavailable``; both name the path.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from comity.errors import Unavailable
from comity.ports import DiskFull

FILE_MODE = 0o600
FOLDER_MODE = 0o700
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_PARTIAL = ".partial"


@contextmanager
def disk_errors(doing: str) -> Iterator[None]:
    """Turn what the operating system refuses into Comity's errors.

    Raises:
        DiskFull: there is no room, by the disk, a quota or a limit on file size.
        Unavailable: anything else.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise DiskFull(f"no room on the disk {doing}; free some and try again", code="disk-full") from error
        raise Unavailable(f"the disk failed {doing}: {error.strerror or error}", code="disk-failed") from error


def sync(descriptor: int) -> None:
    """Return when the file's bytes are on the disk itself (macOS's ``fsync`` alone stops at the drive's cache)."""
    if hasattr(fcntl, "F_FULLFSYNC"):
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    else:
        os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Return when the names in ``folder`` are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        sync(descriptor)
    finally:
        os.close(descriptor)


def write_whole(descriptor: int, content: bytes) -> None:
    """Write all of ``content``: one call of the system may take only a part."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def write_synced(path: Path, content: bytes) -> None:
    """Make a new file with ``content`` and sync it; nothing is left of one that could not be written."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, FILE_MODE)
    try:
        write_whole(descriptor, content)
        sync(descriptor)
    except BaseException:
        path.unlink()
        raise
    finally:
        os.close(descriptor)


def replace_file(path: Path, content: bytes) -> None:
    """Put ``content`` in the place of ``path``: after a crash the file holds the old bytes or the new ones."""
    partial = path.with_name(path.name + _PARTIAL)
    partial.unlink(missing_ok=True)
    write_synced(partial, content)
    partial.replace(path)
    sync_folder(path.parent)


def make_folders(folders: Iterable[Path]) -> None:
    """Make folders for their owner alone, unless they are there, and sync the folders that name them."""
    made = set()
    for folder in folders:
        try:
            folder.mkdir(mode=FOLDER_MODE)
            made.add(folder.parent)
        except FileExistsError:
            if folder.is_symlink() or not folder.is_dir():
                raise NotADirectoryError(f"{str(folder)!r} is not a folder") from None
    for parent in made:
        sync_folder(parent)
