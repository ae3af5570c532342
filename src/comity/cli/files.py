"""Files that commands read and write: whole or not at all, never over another one, never without a bound."""

from __future__ import annotations

from pathlib import Path

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
    from comity.seal.files import whole_file

    if path.exists():
        raise Misuse(f"{str(path)!r} exists already; name another file, or move it away", code="file-exists")
    try:
        with whole_file(path) as file:
            file.write(content)
    except OSError as error:
        raise Misuse(f"cannot write {str(path)!r}: {error.strerror}", code="unwritable-file") from None


def absolute(path: str) -> str:
    """``path`` as the node must be told it: the node's working folder is another."""
    return str(Path(path).expanduser().absolute())
