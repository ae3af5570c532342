"""Files that commands read and write: whole or not at all, never over another one, never without a bound."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from comity.errors import Misuse, Rejected


def read_file(path: Path, bytes_max: int) -> bytes:
    """The bytes of a file of at most ``bytes_max``.

    Raises:
        Misuse: it cannot be read.
        Rejected: it is longer.
    """
    try:
        with path.open("rb") as file:
            data = file.read(bytes_max + 1)
    except OSError as error:
        raise Misuse(f"cannot read {str(path)!r}: {error.strerror}", code="unreadable-file") from None
    if len(data) > bytes_max:
        raise Rejected(f"more than {bytes_max} bytes", code="too-large", place=str(path))
    return data


def write_new_file(path: Path, content: bytes) -> None:
    """(12) Write a file that is not there yet, whole or not at all.

    Raises:
        Misuse: there is one already, or it cannot be written.
    """
    with new_file(path) as file:
        file.write(content)


def free(path: Path) -> None:
    """(12) See that nothing has this name yet, be it a link that leads nowhere.

    Raises:
        Misuse: something has.
    """
    if os.path.lexists(path):
        raise _taken(path)


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """(12) A sink that becomes a file that is not there yet, whole or not at all.

    Raises:
        Misuse: there is one, even one that came while this was written; or it cannot be written.
    """
    from comity.seal.files import whole_file

    free(path)
    try:
        with whole_file(path, new=True) as sink:
            yield sink
    except FileExistsError:
        raise _taken(path) from None
    except OSError as error:
        raise Misuse(f"cannot write {str(path)!r}: {error.strerror}", code="unwritable-file") from None


def make_folder(path: Path, *, new: bool = True) -> None:
    """A folder for its owner alone; ``new`` means that there may be none.

    Raises:
        Misuse: there is one, or it cannot be made.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=not new)
    except FileExistsError:
        raise Misuse(f"{str(path)!r} exists already; name another folder", code="file-exists") from None
    except OSError as error:
        raise Misuse(f"{str(path)!r} can not be made: {error.strerror}", code="no-folder") from None


def _taken(path: Path) -> Misuse:
    return Misuse(f"{str(path)!r} exists already; name another file, or move it away", code="file-exists")


def absolute(path: str) -> str:
    """``path`` as the node must be told it: the node's working folder is another."""
    return str(Path(path).expanduser().absolute())
