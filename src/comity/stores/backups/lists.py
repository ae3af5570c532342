"""What a backup consists of (``spec/backup.md`` steps 14 to 16)."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class Stand(Struct, frozen=True, array_like=True):
    """Where a chain ended."""

    size: int
    last: bytes
    root: bytes


class KeptFile(Struct, frozen=True, array_like=True):
    """A small file of the data folder: its path below the folder, and the objects it consists of."""

    path: str
    objects: tuple[str, ...]


class Tables(Struct, frozen=True, array_like=True):
    """One database.

    Attributes:
        name: of its file.
        entries: journal entries.
        journal: objects of ``SEGMENT_ENTRIES`` entries each, in order; the last may have fewer.
        heads: where each chain ended.
        rows: objects of rows in the order of table and key.
    """

    name: str
    entries: int
    journal: tuple[str, ...]
    heads: dict[str, Stand]
    rows: tuple[str, ...]


class BackupList(Struct, frozen=True, array_like=True):
    """One backup: the state of a data folder at one instant, all of it but what ``CurrentList`` keeps.

    Attributes:
        number: from 1, growing.
        party: whose.
        at: when it was begun.
        program: version of the program that wrote it.
        tables: the databases.
        blobs: objects of digests of sealed payloads, 32 bytes each one after the other.
        files: other files.
    """

    number: int
    party: str
    at: datetime
    program: str
    tables: tuple[Tables, ...]
    blobs: tuple[str, ...]
    files: tuple[KeptFile, ...]

    def objects(self) -> set[str]:
        """The names of all its objects."""
        found = {*self.blobs, *(name for file in self.files for name in file.objects)}
        return found.union(*(each.journal for each in self.tables), *(each.rows for each in self.tables))


class CurrentList(Struct, frozen=True, array_like=True):
    """What is kept of the newest state only, so that what was destroyed is in no backup from the next one on.

    Attributes:
        at: when it was written.
        keys: objects of rows: the headers of sealed copies.
        erased: the digests of the keys that were destroyed, 32 bytes each one after the other.
        mark: how many records this party had signed in each chain of its own.
        files: private keys, where the backup is sealed.
    """

    at: datetime
    keys: tuple[str, ...]
    erased: tuple[str, ...]
    mark: dict[str, int]
    files: tuple[KeptFile, ...]

    def objects(self) -> set[str]:
        """The names of all its objects."""
        return {*self.keys, *self.erased, *(name for file in self.files for name in file.objects)}
