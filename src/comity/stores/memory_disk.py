"""A disk in memory that fails as it is told: for tests and the simulated world.

Rules of this file (``spec/store.md`` steps 40 to 44):

- A ``MemoryDisk`` outlives what is opened on it (``memory.py``). A change is first *unsynced* and durable one turn of
  the event loop later; a crash decides whether unsynced changes are kept (the process died) or lost (the power did).
- At every write point the fault plan is asked once. It gives ``None`` or a ``Fault``, which says both what the caller
  sees and whether the write took place, so that each failure is tried with and without its write.
- A write that the loss of power tears leaves a part behind: of an upload where it stands, of a list that grows at its
  end what is whole of it, and of a file that is renamed into place nothing but its part under the other name.
- After a crash everything opened before it raises ``Crashed``: a task of the dead node cannot write to its successor's
  disk. There is no randomness here: a plan that wants it brings its own seed.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left, insort
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum

from comity.errors import Unavailable
from comity.ports import Ambiguous, Batch, DiskFull, Head, JournalEntry, Put, RestoredFrom
from comity.stores.batch import raised


class WritePoint(StrEnum):
    """Where a fault can strike."""

    COMMIT = "commit"
    REPLACE_ROWS = "replace-rows"
    PUT_BLOB = "put-blob"
    APPEND_BLOB = "append-blob"
    ADOPT_BLOB = "adopt-blob"
    DELETE_BLOB = "delete-blob"
    WRITE_MARK = "write-mark"
    ADD_ERASED = "add-erased"
    WRITE_RESTORED = "write-restored"


class Fault(Enum):
    """What goes wrong, and whether the write took place (``_KEPT``) or not."""

    DISK_FULL = "the caller sees DiskFull"
    UNAVAILABLE = "the caller sees Unavailable"
    UNKNOWN_LOST = "the caller sees Ambiguous, and the write is not there"
    UNKNOWN_KEPT = "the caller sees Ambiguous, and the write is there"
    CRASH_LOST = "the power fails: this write and all unsynced ones are lost"
    CRASH_KEPT = "the process dies: this write and all unsynced ones are there"
    CRASH_TORN = "the power fails in the midst: a part of this write is there, and some of the unsynced ones"


FaultPlan = Callable[[WritePoint], Fault | None]
"""Asked once at every write; deterministic for a given seed of the caller's."""
Change = Callable[[], None]
"""What makes a write durable, whole or in part."""


class Crashed(BaseException):
    """The simulated node has died; like ``KeyboardInterrupt``, this is no error that a flow could handle."""


def no_faults(_point: WritePoint) -> None:
    """The plan under which nothing fails."""


def half(content: bytes) -> bytes:
    """What is left of a torn write, unless a plan has it otherwise."""
    return content[: len(content) // 2]


@dataclass
class Database:
    """What a memory store holds; ``copy.deepcopy`` of it is a backup."""

    entries: list[JournalEntry] = field(default_factory=list)
    heads: dict[str, Head] = field(default_factory=dict)
    rows: dict[str, dict[str, bytes]] = field(default_factory=dict)
    keys: dict[str, list[str]] = field(default_factory=dict)
    newest: dict[bytes, JournalEntry] = field(default_factory=dict)
    chains: dict[str, dict[int, JournalEntry]] = field(default_factory=dict)

    def apply(self, batch: Batch) -> None:
        """Take over a batch that has been checked."""
        for entry in batch.entries:
            self.entries.append(entry)
            self.newest[entry.record] = entry
            if entry.extends:
                self.chains.setdefault(entry.chain, {})[entry.sequence] = entry
        self.heads.update(batch.heads)
        for put in batch.puts:
            self.put(put)

    def put(self, put: Put) -> None:
        """Write or delete one row, keeping the keys of its table in order."""
        rows, keys = self.rows.setdefault(put.table, {}), self.keys.setdefault(put.table, [])
        if put.value is not None:
            if put.key not in rows:
                insort(keys, put.key)
            rows[put.key] = put.value
        elif rows.pop(put.key, None) is not None:
            del keys[bisect_left(keys, put.key)]

    def replace(self, tables: Sequence[str], puts: Sequence[Put]) -> None:
        """Throw the rows of ``tables`` away and write ``puts``."""
        for table in tables:
            self.rows.pop(table, None)
            self.keys.pop(table, None)
        for put in puts:
            self.put(put)


class MemoryDisk:
    """A disk that survives the node: open ``MemoryStore``, ``MemoryBlobs``, ``MemoryHighWaterMark`` and the rest on it.

    Attributes:
        faults: the plan asked at every write.
        tear: what a torn write leaves of its bytes; it has no more of them, and those it has may be others.
        database, blobs, uploads, sizes, erased, restored: what is durable.
        partial: what torn writes left under other names; nobody reads it.
        unsynced: changes written but not yet durable, in order.
        turn: held by whichever store is comparing and setting.
        crashes: how often the node on it has died.
    """

    def __init__(self, faults: FaultPlan = no_faults) -> None:
        self.faults = faults
        self.tear = half
        self.database = Database()
        self.blobs: dict[bytes, bytes] = {}
        self.uploads: dict[bytes, bytes] = {}
        self.sizes: dict[str, int] = {}
        self.erased: list[bytes] = []
        self.restored: RestoredFrom | None = None
        self.partial: dict[str, bytes] = {}
        self.unsynced: list[Change] = []
        self.turn = asyncio.Lock()
        self.crashes = 0

    def crash(self, *, unsynced_kept: bool) -> None:
        """Kill what is open on the disk: by the loss of power, or (``unsynced_kept``) of the process only."""
        if unsynced_kept:
            self.sync()
        self.unsynced.clear()
        self.turn = asyncio.Lock()
        self.crashes += 1

    def crash_torn(self, torn: Change | None) -> None:
        """Kill what is open by the loss of power in the midst of a write: a part of it is left, and some others are."""
        kept = len(self.tear(bytes(len(self.unsynced))))
        self.unsynced[kept:] = [] if torn is None else [torn]
        self.crash(unsynced_kept=True)

    def sync(self) -> None:
        """Make every unsynced change durable."""
        for change in self.unsynced:
            change()
        self.unsynced.clear()

    def leave(self, name: str, content: bytes) -> None:
        """Leave what is torn of a file that was to be renamed into place."""
        self.partial[name] = self.tear(content)

    def raise_sizes(self, sizes: Mapping[str, int]) -> None:
        """Raise the marks of the chains named; no mark goes down."""
        self.sizes = raised(self.sizes, sizes)

    def set_restored(self, restored: RestoredFrom | None) -> None:
        """Write or remove the note that the house was brought back."""
        self.restored = restored


class OnMemoryDisk:
    """Something opened on a ``MemoryDisk``, dead after the disk's next crash."""

    def __init__(self, disk: MemoryDisk) -> None:
        self._disk = disk
        self._opened_after = disk.crashes

    def _check_alive(self) -> None:
        if self._disk.crashes != self._opened_after:
            raise Crashed

    async def _write(self, point: WritePoint, change: Change, torn: Change | None = None) -> None:
        """Make one change durable, unless the plan has it otherwise.

        Args:
            point: which write it is.
            change: the whole of it.
            torn: what may be left of it where the power fails in its midst; None where it is there whole or not at all.

        Raises:
            DiskFull, Unavailable: nothing was written.
            Ambiguous: as the fault says.
            Crashed: this node is dead.
        """
        disk = self._disk
        self._check_alive()
        fault = disk.faults(point)
        if fault is Fault.DISK_FULL:
            raise DiskFull(f"no room on the simulated disk ({point}); nothing was written", code="disk-full")
        if fault is Fault.UNAVAILABLE:
            raise Unavailable(f"the simulated disk failed ({point}); nothing was written", code="disk-failed")
        if fault not in {Fault.UNKNOWN_LOST, Fault.CRASH_LOST, Fault.CRASH_TORN}:
            disk.unsynced.append(change)
        if fault in {Fault.CRASH_LOST, Fault.CRASH_KEPT}:
            disk.crash(unsynced_kept=fault is Fault.CRASH_KEPT)
        if fault is Fault.CRASH_TORN:
            disk.crash_torn(torn)
        await asyncio.sleep(0)
        self._check_alive()
        disk.sync()
        if fault in {Fault.UNKNOWN_LOST, Fault.UNKNOWN_KEPT}:
            raise Ambiguous(f"the simulated disk failed ({point}); it may be written or not", code="ambiguous")
