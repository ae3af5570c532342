"""Files a user names, and scratch room beside the blobs (the ``Files`` port)."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from comity.errors import Misuse
from comity.seal.files import whole_file


class LocalFiles:
    """Files of this machine; scratch files live in ``folder``, which only this user may read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, path: str) -> BinaryIO:
        """See ``ports.Files.read``."""
        place = Path(path)
        try:
            if not place.is_file():
                raise Misuse(f"there is no file {path!r}", code="no-file")
            return place.open("rb")
        except OSError as error:
            raise Misuse(f"cannot read {path!r}: {error.strerror}", code="unreadable-file") from None

    @contextmanager
    def whole(self, path: str) -> Iterator[BinaryIO]:
        """See ``ports.Files.whole``."""
        place = Path(path)
        taken = Misuse(f"{path!r} exists already; name another file, or move it away", code="file-exists")
        if os.path.lexists(place):
            raise taken
        try:
            with whole_file(place, new=True) as sink:
                yield sink
        except FileExistsError:
            raise taken from None
        except OSError as error:
            raise Misuse(f"cannot write {path!r}: {error.strerror}", code="unwritable-file") from None

    @contextmanager
    def scratch(self) -> Iterator[tuple[str, BinaryIO]]:
        """See ``ports.Files.scratch``."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / secrets.token_hex(16)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w+b") as file:
                yield str(path), file
        finally:
            with suppress(FileNotFoundError):
                path.unlink()
