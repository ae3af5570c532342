"""A file that appears under its name whole, or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import BinaryIO, cast

FILE_MODE = 0o600
"""Readable by its owner only."""
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS}
"""What a file system says that has no second names for files, such as that of a memory stick."""
_numbers = count(1)


@contextmanager
def whole_file(path: Path, *, new: bool = False) -> Iterator[BinaryIO]:
    """A sink that becomes ``path`` when the block ends without an error.

    What was there is replaced: a link too, never what it points to. A ``new`` file replaces nothing, not even what came
    into being while it was written.

    Opening a sealed file into it authenticates everything before the first byte can be seen. The file is readable by
    its owner only. Where the system can (Linux), it has no name before the end, so that a program that is killed leaves
    nothing of the content behind. It is not synced: who needs it after a loss of power syncs it and its folder.

    Raises:
        FileExistsError: something has this name, and the file is to be ``new``.
        OSError: the folder cannot be written, or is full; ``path`` is as it was.
    """
    temporary = path.with_name(f".comity-{os.getpid()}-{next(_numbers)}")  # never followed, never reused: see O_EXCL
    descriptor, named = _unnamed(path.parent), False
    if descriptor is None:
        descriptor, named = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, FILE_MODE), True
    try:
        with os.fdopen(descriptor, "w+b", buffering=0) as sink:
            yield cast("BinaryIO", sink)
            if not named:
                last = path if new else temporary
                os.link(f"/proc/self/fd/{descriptor}", last, src_dir_fd=descriptor, follow_symlinks=True)
                named = not new
        if named and new:
            _rename_new(temporary, path)
        elif named:
            temporary.replace(path)
    except BaseException:
        if named:
            temporary.unlink(missing_ok=True)
        raise


def _rename_new(temporary: Path, path: Path) -> None:
    """Give a file its name, which nothing has."""
    try:
        os.link(temporary, path, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
        temporary.replace(path)
    else:
        temporary.unlink()


def _unnamed(folder: Path) -> int | None:
    """A new file without a name in ``folder``; None where the system or the file system has no such thing."""
    if not hasattr(os, "O_TMPFILE") or not Path("/proc/self/fd").is_dir():
        return None
    try:
        return os.open(folder, os.O_TMPFILE | os.O_RDWR, FILE_MODE)
    except OSError as error:
        if error.errno in (errno.EOPNOTSUPP, errno.EISDIR):
            return None
        raise
