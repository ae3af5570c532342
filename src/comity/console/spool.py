"""The spool: files that came through a browser, and contents that are open before somebody (``spec/contents.md``).

They lie on the disk of the data folder, for memory is small, and nobody finds them there: each piece of a megabyte is
sealed by itself, as an age payload under a key of its own, and the keys are in the memory of this process alone. The
file has no name either, so that nothing is left of it when the process ends, however it ends.

Flows read and write through the ``Files`` port and know nothing of this: ``SpooledFiles`` gives them what stands under
``spool:ID/NAME``.

Pieces are read and written in threads while the loop of the node throws files away, so that what lies here is looked at
and changed under one lock, and nothing that waits is done under it. Whoever reads or writes does so by a descriptor of
his own: a number that was closed meanwhile may be another file's by then.
"""

from __future__ import annotations

import asyncio
import io
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from comity.errors import Misuse, Unavailable
from comity.ports import Clock, Entropy, Files
from comity.seal.age import new_file_key
from comity.seal.header import FileKey
from comity.seal.payload import open_payload_bytes, seal_payload_bytes, sealed_size

SCHEME = "spool:"
PIECE_BYTES = 2**20
"""What is sealed at once: enough for speed, little enough to lie in memory for everybody who uploads."""
LIFE = timedelta(minutes=15)
"""How long something lies here after it was last needed."""
FILES_OF_ONE_MAX = 20
"""Most files of one person."""
FILES_MAX = 256
"""Most files at all: each holds a descriptor."""
_STRIDE = sealed_size(PIECE_BYTES)


class Owner(Protocol):
    """In whose name something lies here: a session of a browser, or what stands for one."""

    @property
    def person(self) -> str:
        """Whose it is: a person id."""
        ...


class Spooled:
    """One file.

    Attributes:
        name: without folders, as ``uploads.safe_name`` makes it, or what its originator called it.
        owner: in which session it came, or was opened; nobody else gets at it.
        size: of its content in bytes, as far as it came.
        whole: whether all of it came.
        until: when it is thrown away.
        seen: how many bytes of it were read, again and again: how far its sealing is.
        given: what a browser called it.
        about: what a page keeps with it.
    """

    def __init__(self, identifier: str, owner: Owner, name: str, file: BinaryIO, until: datetime) -> None:
        self.id = identifier
        self.owner = owner
        self.name = name
        self.size = 0
        self.seen = 0
        self.whole = False
        self.given = name
        self.about: object = None
        self.until = until
        self.keys: list[FileKey] = []
        self.file = file

    @property
    def path(self) -> str:
        """How flows call it; its last part is the name that its reader will see."""
        return f"{SCHEME}{self.id}/{self.name}"


class Spool:
    """Everything that lies here.

    Args:
        folder: on the disk of which; no name appears in it.
        clock: wall-clock time.
        entropy: makes keys and names.
        bytes_of_one: most bytes of one person.
        free_bytes: how many bytes of the disk are not kept free for records.
    """

    def __init__(
        self, folder: Path, clock: Clock, entropy: Entropy, bytes_of_one: int, free_bytes: Callable[[], int]
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._entropy = entropy
        self._bytes_of_one = bytes_of_one
        self._free_bytes = free_bytes
        self._held: dict[str, Spooled] = {}
        self._lock = threading.Lock()
        self._watched = False

    def new(self, owner: Owner, name: str) -> Spooled:
        """(3) Room for one file; write it with ``whole``.

        Raises:
            Unavailable: there are too many, of this person or at all.
        """
        self.sweep()
        here = self._all()
        if len(here) >= FILES_MAX or sum(each.owner.person == owner.person for each in here) >= FILES_OF_ONE_MAX:
            raise Unavailable(
                "too many files lie here; close what you have opened, or wait fifteen minutes", code="spool-full"
            )
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = cast("BinaryIO", tempfile.TemporaryFile(dir=self._folder, buffering=0))  # noqa: SIM115 - closed by drop
        made = Spooled(self._entropy(16).hex(), owner, name, file, self._clock.now() + LIFE)
        with self._lock:
            self._held[made.id] = made
        if not self._watched:
            self._watch()
        return made

    @contextmanager
    def room(self, owner: Owner, name: str) -> Iterator[Spooled]:
        """(3) Room for a file that a flow may write: thrown away where it did not, or the context ends badly.

        Raises:
            Unavailable: there are too many, of this person or at all.
        """
        made, done = self.new(owner, name), False
        try:
            yield made
            done = made.whole
        finally:
            if not done:
                self.drop(made)

    def of(self, owner: Owner, identifier: str) -> Spooled | None:
        """(4) A whole file of a session by its id; None where there is none, or none of this session."""
        self.sweep()
        found = self._held.get(identifier)
        return found if found is not None and found.owner is owner and found.whole else None

    def of_owner(self, owner: Owner) -> list[Spooled]:
        """(4) Every whole file of a session, the oldest first."""
        self.sweep()
        return [each for each in self._all() if each.owner is owner and each.whole]

    def keep(self, spooled: Spooled) -> None:
        """(2) Keep it on: it was needed now."""
        spooled.until = self._clock.now() + LIFE

    def drop(self, spooled: Spooled) -> None:
        """Throw a file and its keys away; whoever reads it just now reads on."""
        with self._lock:
            if self._held.pop(spooled.id, None) is None:
                return
            spooled.keys.clear()
            spooled.whole = False
        spooled.file.close()

    def end(self, owner: Owner) -> None:
        """(2) Throw away what came in a session that is over."""
        for each in self._all():
            if each.owner is owner:
                self.drop(each)

    def sweep(self) -> None:
        """(2) Throw away what nobody has needed for fifteen minutes."""
        now = self._clock.now()
        for each in self._all():
            if each.until <= now:
                self.drop(each)

    def _watch(self) -> None:
        """(2) Sweep whenever something is over, for as long as anything lies here."""
        self.sweep()
        ends = [each.until for each in self._all()]
        self._watched = False
        if ends:
            wait = max(timedelta(), min(ends) - self._clock.now()).total_seconds() + 1
            with suppress(RuntimeError):  # without a loop, whoever looks in next sweeps
                asyncio.get_running_loop().call_later(wait, self._watch)
                self._watched = True

    def _all(self) -> list[Spooled]:
        with self._lock:
            return list(self._held.values())

    def close(self) -> None:
        """Throw everything away."""
        for each in self._all():
            self.drop(each)

    def by_path(self, path: str) -> Spooled | None:
        """What flows call ``path``."""
        return self._held.get(path.removeprefix(SCHEME).partition("/")[0])

    def read(self, spooled: Spooled | None) -> BinaryIO:
        """A file that is whole, open for reading, at any place.

        Raises:
            Misuse: it was thrown away, or did not come whole.
        """
        with self._lock:
            if spooled is None or not spooled.whole:
                raise Misuse("the file is not here any more; choose it again", code="no-file", place="file")
            return cast("BinaryIO", io.BufferedReader(_Reading(spooled), PIECE_BYTES))

    @contextmanager
    def whole(self, spooled: Spooled) -> Iterator[BinaryIO]:
        """A sink; what is written is there when the context ends well, and thrown away otherwise.

        Raises:
            Unavailable: there is no room.
        """
        try:
            sink = _Writing(spooled, self._write)
            yield cast("BinaryIO", sink)
            sink.finish()
            with self._lock:
                self._check_here(spooled)
                spooled.whole = True
        except BaseException:
            self.drop(spooled)
            raise

    def _write(self, spooled: Spooled, piece: bytes) -> None:
        """(1) Seal a piece under a key of its own, and put it in its place; whatever comes is needed (2)."""
        if self._free_bytes() < len(piece):
            raise Unavailable(
                "the disk of this node is nearly full, and the rest of it is kept for records; tell its administrator",
                code="disk-reserve",
            )
        key = new_file_key(self._entropy)
        sealed = seal_payload_bytes(key, piece, self._entropy)
        try:
            descriptor, number = self._descriptor_for(spooled, key, len(piece))
            try:
                written = os.pwrite(descriptor, sealed, number * _STRIDE)
            finally:
                os.close(descriptor)
        except OSError:
            written = 0
        if written < len(sealed):
            raise Unavailable("this could not be written to the disk of this node", code="disk-full")

    def _descriptor_for(self, spooled: Spooled, key: FileKey, size: int) -> tuple[int, int]:
        """Count a piece; a descriptor to write it by, which nobody else closes, and the number of its place."""
        with self._lock:
            self._check_here(spooled)
            his = sum(each.size for each in self._held.values() if each.owner.person == spooled.owner.person)
            if his + size > self._bytes_of_one:
                raise Unavailable(
                    f"more than {self._bytes_of_one} bytes of yours would lie here at once; use the command line",
                    code="spool-full",
                )
            descriptor = os.dup(spooled.file.fileno())
            spooled.keys.append(key)
            spooled.size += size
            self.keep(spooled)
            return descriptor, len(spooled.keys) - 1

    def _check_here(self, spooled: Spooled) -> None:
        if spooled.id not in self._held:
            raise Unavailable("this was thrown away meanwhile; choose the file again", code="spool-gone")


class _Writing(io.RawIOBase):
    """Gathers pieces, and hands each over when it is full."""

    def __init__(self, spooled: Spooled, write: Callable[[Spooled, bytes], None]) -> None:
        self._spooled = spooled
        self._hand_over = write
        self._gathered = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes | bytearray | memoryview, /) -> int:  # type: ignore[override]  # as sinks are written to
        self._gathered += data
        while len(self._gathered) >= PIECE_BYTES:
            self._hand_over(self._spooled, bytes(self._gathered[:PIECE_BYTES]))
            del self._gathered[:PIECE_BYTES]
        return len(data)

    def finish(self) -> None:
        """Hand over the rest; a file without content has one empty piece."""
        if self._gathered or not self._spooled.keys:
            self._hand_over(self._spooled, bytes(self._gathered))
            self._gathered.clear()


class _Reading(io.RawIOBase):
    """Opens one piece at a time. It has a descriptor and keys of its own, so that a drop does not cut it off."""

    def __init__(self, spooled: Spooled) -> None:
        self._spooled = spooled
        self._keys = list(spooled.keys)
        self._size = spooled.size
        self._descriptor = os.dup(spooled.file.fileno())
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        self._at = max(0, offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence])
        return self._at

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]  # as sources are read
        number, within = divmod(self._at, PIECE_BYTES)
        if self._at >= self._size:
            return 0
        length = min(PIECE_BYTES, self._size - number * PIECE_BYTES)
        sealed = os.pread(self._descriptor, sealed_size(length), number * _STRIDE)
        opened = open_payload_bytes(self._keys[number], sealed)[within : within + len(buffer)]
        buffer[: len(opened)] = opened
        self._at += len(opened)
        self._spooled.seen += len(opened)
        return len(opened)

    def close(self) -> None:
        if not self.closed:
            os.close(self._descriptor)
            self._keys.clear()
        super().close()


class SpooledFiles:
    """The ``Files`` port with the spool in it; whatever has another name is where it was.

    Attributes:
        behind: everything else.

    Args:
        files: everything else.
        spool: what stands under ``spool:``.
    """

    def __init__(self, files: Files, spool: Spool) -> None:
        self.behind = files
        self._spool = spool

    def read(self, path: str) -> BinaryIO:
        """See ``ports.Files.read``."""
        if not path.startswith(SCHEME):
            return self.behind.read(path)
        return self._spool.read(self._spool.by_path(path))

    def whole(self, path: str) -> AbstractContextManager[BinaryIO]:
        """See ``ports.Files.whole``."""
        if not path.startswith(SCHEME):
            return self.behind.whole(path)
        found = self._spool.by_path(path)
        if found is None or found.keys:
            raise Misuse("there is no room for it any more; open it again", code="unwritable-file")
        return self._spool.whole(found)

    def scratch(self) -> AbstractContextManager[tuple[str, BinaryIO]]:
        """See ``ports.Files.scratch``."""
        return self.behind.scratch()
