"""A file that appears under its name whole, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import BinaryIO, cast


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A sink that becomes ``path``, replacing what was there, when the block ends without an error.

    Opening a sealed file into it authenticates everything before the first byte can be seen. The file is readable by
    its owner only. It is not synced: who needs it after a loss of power syncs it and its folder.

    Raises:
        OSError: the folder cannot be written, or is full; ``path`` is as it was.
    """
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", buffering=0, delete=False) as sink:
        temporary = Path(sink.name)
        try:
            yield cast("BinaryIO", sink)
        except BaseException:
            temporary.unlink()
            raise
    temporary.replace(path)
