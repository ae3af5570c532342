"""Key files: readable by their owner alone, written so that a crash leaves the old one or the new one.

A private key ``NAME.key`` has its public half beside it in ``NAME.public``, so that what there is can be told while the
keys are locked::

    # created: 2016-11-23T01:00:00Z
    9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60
"""

from __future__ import annotations

import os
import re
import stat
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from comity.errors import Rejected, Unavailable
from comity.stores.durable import replace_file, sync_folder

_CREATED = re.compile(rb"^# created: (\S+)$", re.MULTILINE)
_PUBLIC = re.compile(rb"[0-9a-f]{64}|age1[a-z0-9]+")
_TOKEN = re.compile(rb"^# token: (.+)$", re.MULTILINE)
KEY_FILE_BYTES_MAX = 64 * 1024
"""Largest key file read: a sealed one has some 3 KB."""


def read_private(path: Path, what: str = "key") -> bytes:
    """(3) A file that nobody but its owner may read; ``what`` is in it, for whoever reads the error.

    Raises:
        Unavailable: it cannot be read.
        Rejected: others can read it, it is somebody else's, or it is too long for a key.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            data = file.read(KEY_FILE_BYTES_MAX + 1)
    except OSError as error:
        raise Unavailable(f"cannot read this {what}: {error.strerror}", code=f"no-{what}", place=str(path)) from None
    if found.st_mode & 0o077:
        raise Rejected(
            f"others can read this {what}; take it back with 'chmod 600' and think about replacing it",
            code=f"readable-{what}",
            place=str(path),
        )
    if found.st_uid not in {os.geteuid(), 0}:
        raise Rejected(f"this {what} belongs to another user of this machine", code=f"foreign-{what}", place=str(path))
    if len(data) > KEY_FILE_BYTES_MAX:
        raise Rejected(f"too long for a {what}", code=f"bad-{what}-file", place=str(path))
    return data


def check_folder(path: Path) -> None:
    """(3) Nobody but the owner may look into the folder of the keys.

    Raises:
        Rejected: others may.
        Unavailable: there is none.
    """
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise Unavailable(f"there are no keys: {error.strerror}", code="no-key", place=str(path)) from None
    if stat.S_IMODE(mode) & 0o077:
        raise Rejected(
            "others can look into the folder of the keys; 'chmod 700' it", code="readable-key", place=str(path)
        )


def write_public(path: Path, public: str, created: str, token: str = "") -> None:
    """The public half at ``path``, with the instant of its making, and the token on which the private half lives."""
    lives = f"# token: {token}\n" if token else ""
    replace_file(path, f"# created: {created}\n{lives}{public}\n".encode())


def token_of(path: Path) -> str:
    """The label of the token that the public half at ``path`` names; empty for a key in a file."""
    noted = _TOKEN.search(path.read_bytes()) if path.exists() else None
    return noted[1].decode("utf-8", "replace") if noted else ""


def read_public(path: Path) -> tuple[str, str] | None:
    """The public half at ``path`` and when it was made, empty where that was not noted; None where there is no file.

    Raises:
        Rejected: it is not such a file.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Unavailable(f"cannot read this key: {error.strerror}", code="no-key", place=str(path)) from None
    lines = [line for line in content.splitlines() if line and not line.startswith(b"#")]
    if len(lines) != 1 or not _PUBLIC.fullmatch(lines[0]):
        raise Rejected("not the public half of a key", code="bad-key-file", place=str(path))
    noted = _CREATED.search(content)
    return lines[0].decode(), noted[1].decode("ascii", "replace") if noted else ""


def written_at(path: Path) -> str:
    """When the file was last written, as key files say instants."""
    return instant(datetime.fromtimestamp(path.stat().st_mtime, UTC))


def instant(at: datetime) -> str:
    """An instant as key files say it."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def remove(path: Path) -> None:
    """Take a file away, durably; nothing where there is none."""
    with suppress(FileNotFoundError):
        path.unlink()
        sync_folder(path.parent)
