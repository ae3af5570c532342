"""A file system for SQLite that fails where a test says: the real code of SQLite and of the store, on a bad disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import apsw


class FaultyFileSystem(apsw.VFS):
    """The default file system, with ``fault`` asked before every write and sync.

    ``fault(number, operation)`` gets the running number of the operation since it was armed; it raises, or not. With
    ``after`` set the operation is done first and fails then: the caller cannot know.
    """

    def __init__(self) -> None:
        self.name = "faulty"
        self.after = False
        self.count = 0
        self.fault: Callable[[int, str], None] | None = None
        self.base = apsw.vfs_names()[0]
        super().__init__(self.name, self.base, makedefault=True)

    def xOpen(self, name, flags):  # noqa: N802 - SQLite's name
        return FaultyFile(self, name, flags)

    def arm(self, fault: Callable[[int, str], None], *, after: bool = False) -> None:
        self.count, self.fault, self.after = 0, fault, after

    def ask(self, operation: str) -> None:
        if self.fault is not None:
            self.count += 1
            self.fault(self.count, operation)

    @contextmanager
    def around(self, operation: str) -> Iterator[None]:
        if not self.after:
            self.ask(operation)
        yield
        if self.after:
            self.ask(operation)


class FaultyFile(apsw.VFSFile):
    def __init__(self, system: FaultyFileSystem, name, flags) -> None:
        super().__init__(system.base, name, flags)
        self.system = system

    def xWrite(self, data, offset):  # noqa: N802 - SQLite's name
        with self.system.around("write"):
            super().xWrite(data, offset)

    def xSync(self, flags):  # noqa: N802 - SQLite's name
        with self.system.around("sync"):
            super().xSync(flags)


def io_error() -> apsw.IOError:
    error = apsw.IOError("the disk failed")
    error.extendedresult = apsw.SQLITE_IOERR_WRITE
    return error


@contextmanager
def faulty_file_system() -> Iterator[FaultyFileSystem]:
    system = FaultyFileSystem()
    try:
        yield system
    finally:
        system.unregister()
