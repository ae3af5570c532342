"""What a node keeps of a feed, and under which names (``spec/feed.md`` steps 8, 11, 14 and 15).

Rules of this file:

- Nothing lies here in the clear: frames are sealed with their epoch's key, messages as they were published with a key
  of this house alone.
- One change of state is one commit; what it says is durable when it returns.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from msgspec import Struct

from comity.errors import Rejected
from comity.feed.batch import Dropped, read_frame
from comity.feed.originals import Originals
from comity.feed.schema import Schema
from comity.ledger.canonical import HASH_BYTES
from comity.ledger.tiles import ROW_LEVELS, TILE_WIDTH, Tile, edge_tiles
from comity.ledger.tree import Frontier
from comity.ports import Batch, Entropy, Put, Store

FRAME = "feed-frame"
"""Frames by their place in the log."""
ORIGINALS = "feed-originals"
"""What was published, by the place of its batch in the log."""
TILES = "feed-tile"
"""The full tiles of the log; those at its right edge are part of the state."""
STATE = "feed-state"
"""Where the feed stands, but for what of its log is in the row of `LOG`."""
LOG = "feed-log"
"""The right edge of the log as it was at the last multiple of `LOG_BATCHES`."""
STOPPED = "feed-stopped"
"""Why nothing more is published on a feed: the code and a sentence."""
HELD = "feed-held"
"""Messages that wait, by type and chunk."""
ROOT = "feed-originals-root"
"""The root of a batch's originals, by the place of its batch in the log."""
SCHEMA = "feed-schema"
"""The schemas that originals are of, by digest."""
SESSION = "feed-session"
"""How far each source that numbers its requests has been taken."""
EVIDENCE = "feed-evidence"
"""Signed contradictions."""
NONCE_BYTES = 12
LOG_BATCHES = 64
"""How many batches old the kept right edge is at most: it has some kilobytes, and commits cost what they write."""
EVIDENCE_MAX = 100
"""Most contradictions that are kept: the first, whatever comes after them."""
CLAIMS_MAX = 20
"""Most of them that rest on a word nobody signed, so that no claim takes the place of a signature."""
SCAN_ROWS = 32


class State(Struct, frozen=True, array_like=True):
    """Where a feed stands.

    Attributes:
        log: the right edge of its log.
        first: the number of the next message.
        acknowledged: how many batches the recipient has durably, as it said.
        cosigned: the newest checkpoint with its cosignature, a note; empty before the first.
        heads: of each type that waits, its first chunk that is there and how many messages of it are gone.
        dropped: what the next batch has to say did not cross.
    """

    log: Frontier
    first: int
    acknowledged: int = 0
    cosigned: bytes = b""
    heads: tuple[tuple[str, int, int], ...] = ()
    dropped: tuple[Dropped, ...] = ()

    @property
    def size(self) -> int:
        """Batches in its log."""
        return self.log.size

    @property
    def root(self) -> bytes:
        """The log's root."""
        return self.log.root()


class _StateRow(Struct, frozen=True, array_like=True):
    """A state as it is kept: the size of its log, the leaves since the right edge that is kept, and the rest of it."""

    size: int
    leaves: bytes
    first: int
    acknowledged: int
    cosigned: bytes
    heads: tuple[tuple[str, int, int], ...]
    dropped: tuple[Dropped, ...]


class Chunk(Struct, frozen=True, array_like=True):
    """Messages of one type that wait, in order: when each was published, and as it was."""

    ats: tuple[int, ...]
    raws: tuple[bytes, ...]


class Session(Struct, frozen=True, array_like=True):
    """How far a source was taken: its newest request, how many of its messages are done with, and when it came."""

    request: int
    done: int
    at: int


Kind = TypeVar("Kind", bound=Struct)
_encoder = msgspec.msgpack.Encoder()


class Shelf:
    """The rows of one feed.

    Args:
        store: where they lie.
        origin: of the feed's log.
        key: 32 bytes, for what is kept of messages as they were published.
        entropy: for nonces.
    """

    def __init__(self, store: Store, origin: str, key: bytes, entropy: Entropy) -> None:
        self._store = store
        self._origin = origin
        self._cipher = ChaCha20Poly1305(key)
        self._entropy = entropy

    # ---- writing ---------------------------------------------------------------------------------------------------

    async def commit(self, puts: Sequence[Put]) -> None:
        """Make ``puts`` durable, all or none.

        Raises:
            DiskFull, Ambiguous, Unavailable: as ``ports.Store.commit``.
        """
        await self._store.commit(Batch(puts=tuple(puts)), {})

    async def settle(self) -> None:
        """Find out what became of a commit whose outcome is unknown."""
        await self._store.heads([])

    def batch(self, frame: bytes, tiles: Iterable[Tile], log: Frontier) -> list[Put]:
        """The rows of a batch, after which the log is ``log``."""
        puts = [Put(FRAME, self._numbered(log.size - 1), frame)]
        puts += [
            Put(TILES, f"{self._origin}/{tile.id.key}", tile.hashes) for tile in tiles if tile.id.width == TILE_WIDTH
        ]
        if not log.size % LOG_BATCHES:
            puts.append(Put(LOG, self._origin, _encoder.encode(log)))
        return puts

    def originals(self, index: int, originals: Originals) -> Put:
        """The row of what was published in a batch."""
        return self._hidden(ORIGINALS, self._numbered(index), originals)

    def original_root(self, index: int, root: bytes) -> Put:
        """The row of the root over a batch's originals."""
        return Put(ROOT, self._numbered(index), root)

    def schema(self, schema: Schema) -> Put:
        """The row of a schema that originals are of."""
        return self._hidden(SCHEMA, f"{self._origin}/{schema.digest}", schema)

    def state(self, state: State) -> Put:
        """The row of where the feed stands."""
        log, since = state.log, state.log.size % LOG_BATCHES
        leaves = log.edges[0][-since * HASH_BYTES :] if since else b""
        rest = (state.first, state.acknowledged, state.cosigned, state.heads, state.dropped)
        return Put(STATE, self._origin, _encoder.encode(_StateRow(log.size, leaves, *rest)))

    def stopped(self, code: str, sentence: str) -> Put:
        """The row of why nothing more is published; its removal where there is no code."""
        return Put(STOPPED, self._origin, _encoder.encode([code, sentence]) if code else None)

    def held(self, name: str, number: int, chunk: Chunk | None) -> Put:
        """The row of a chunk that waits, or its removal."""
        key = self._held_key(name, number)
        return Put(HELD, key, None) if chunk is None else self._hidden(HELD, key, chunk)

    def session(self, name: str, session: Session | None) -> Put:
        """The row of how far a source was taken, or its removal."""
        return Put(SESSION, f"{self._origin}/{name}", None if session is None else _encoder.encode(session))

    # ---- reading ---------------------------------------------------------------------------------------------------

    async def read_state(self) -> State:
        """Where the feed stands; at its beginning where nothing is known of it."""
        while (found := (await self._store.get(STATE, [self._origin]))[0]) is not None:
            row = msgspec.msgpack.decode(found, type=_StateRow)
            edge = (await self._store.get(LOG, [self._origin]))[0]
            log = Frontier() if edge is None else msgspec.msgpack.decode(edge, type=Frontier)
            leaves = [row.leaves[at : at + HASH_BYTES] for at in range(0, len(row.leaves), HASH_BYTES)]
            log, _ = log.append_hashes(leaves)
            if log.size == row.size:
                return State(log, row.first, row.acknowledged, row.cosigned, row.heads, row.dropped)
            if found == (await self._store.get(STATE, [self._origin]))[0]:  # else a commit came between the two
                raise Rejected(f"what is kept of the log of {self._origin!r} is of another size", code="damaged")
        return State(Frontier(), 0)

    async def read_stopped(self) -> tuple[str, str] | None:
        """Why nothing more is published; None where it goes on."""
        found = (await self._store.get(STOPPED, [self._origin]))[0]
        return None if found is None else msgspec.msgpack.decode(found, type=tuple[str, str])

    async def read_tiles(self, tiles: Sequence[tuple[int, int]], log: Frontier) -> dict[tuple[int, int], bytes]:
        """Tiles of the log by level and index: the full ones, and those at the right edge of ``log``."""
        keys = [f"{self._origin}/{level:03d}/{index:019d}" for level, index in tiles]
        found = await self._store.get(TILES, keys)
        edges = {(tile.level, tile.index): log.edges[ROW_LEVELS.index(tile.level)] for tile in edge_tiles(log.size)}
        return {tile: value or edges.get(tile, b"") for tile, value in zip(tiles, found, strict=True)}

    async def read_frame(self, index: int) -> bytes | None:
        """The frame at a place of the log."""
        return (await self._store.get(FRAME, [self._numbered(index)]))[0]

    async def find(self, number: int) -> int | None:
        """The place in the log of the batch that a message would be in; None before the first."""
        low, high = 0, (await self.read_state()).size
        while low < high:
            middle = (low + high) // 2
            frame = await self.read_frame(middle)
            if frame is None or read_frame(frame).place.first > number:
                high = middle
            else:
                low = middle + 1
        return low - 1 if low else None

    async def read_originals(self, index: int) -> Originals | None:
        """What was published in a batch."""
        return await self._shown(ORIGINALS, self._numbered(index), Originals)

    async def read_roots(self, first: int, end: int) -> dict[int, bytes]:
        """The roots over the originals of some batches, of those for which they were worked out."""
        rows = await self._store.scan(ROOT, self._numbered(first), self._numbered(end), limit=max(1, end - first))
        return {int(key.rpartition("/")[2]): value for key, value in rows}

    async def read_schema(self, digest: str) -> Schema | None:
        """A schema that originals are of."""
        return await self._shown(SCHEMA, f"{self._origin}/{digest}", Schema)

    async def read_chunk(self, name: str, number: int) -> Chunk | None:
        """A chunk that waits."""
        return await self._shown(HELD, self._held_key(name, number), Chunk)

    async def chunks(self) -> list[tuple[str, int, int, int, int, int]]:
        """Every chunk that waits: type, number, messages, bytes, first and last instant."""
        found: list[tuple[str, int, int, int, int, int]] = []
        start, end = f"{self._origin}/", f"{self._origin}0"
        while rows := await self._store.scan(HELD, start, end, limit=SCAN_ROWS):
            for key, value in rows:
                _, name, number = key.rsplit("/", 2)
                chunk = self._open(HELD, key, value, Chunk)
                found.append((name, int(number), len(chunk.raws), len(value), chunk.ats[0], chunk.ats[-1]))
            start = rows[-1][0] + "\0" if len(rows) == SCAN_ROWS else end
            if start == end:
                break
        return found

    async def read_session(self, name: str) -> Session | None:
        """How far a source was taken."""
        found = (await self._store.get(SESSION, [f"{self._origin}/{name}"]))[0]
        return None if found is None else msgspec.msgpack.decode(found, type=Session)

    async def sessions(self, after: str, limit: int) -> list[tuple[str, Session]]:
        """Some sources by name, beginning with the one after ``after``, and how far each was taken."""
        start = f"{self._origin}/"
        rows = await self._store.scan(SESSION, f"{start}{after}\0" if after else start, f"{self._origin}0", limit=limit)
        return [(key[len(start) :], msgspec.msgpack.decode(value, type=Session)) for key, value in rows]

    async def read_evidence(self) -> list[list[bytes]]:
        """The contradictions that are kept."""
        rows = await self._store.scan(EVIDENCE, f"{self._origin}/", f"{self._origin}0", limit=EVIDENCE_MAX)
        return [msgspec.msgpack.decode(value, type=list[bytes]) for _, value in rows]

    async def keep_evidence(self, shown: Sequence[bytes], *, signed: bool = True) -> bool:
        """Keep a contradiction, unless it is kept already, or as many as there is room for; whether it is kept now.

        Args:
            shown: what was said, both times.
            signed: whether both were signed by whoever it accuses.
        """
        written = _encoder.encode(list(shown))
        places = range(CLAIMS_MAX, EVIDENCE_MAX) if signed else range(CLAIMS_MAX)
        keys = [self._numbered(each) for each in places]
        kept = await self._store.get(EVIDENCE, keys)
        free = [key for key, value in zip(keys, kept, strict=True) if value is None]
        if free and written not in kept:
            await self.commit([Put(EVIDENCE, free[0], written)])
        return bool(free) or written in kept

    # ---- inside ----------------------------------------------------------------------------------------------------

    def _numbered(self, number: int) -> str:
        return f"{self._origin}/{number:019d}"

    def _held_key(self, name: str, number: int) -> str:
        return f"{self._origin}/{name}/{number:019d}"

    def _hidden(self, table: str, key: str, value: Struct) -> Put:
        nonce = self._entropy(NONCE_BYTES)
        return Put(table, key, nonce + self._cipher.encrypt(nonce, _encoder.encode(value), f"{table}\n{key}".encode()))

    async def _shown(self, table: str, key: str, kind: type[Kind]) -> Kind | None:
        found = (await self._store.get(table, [key]))[0]
        return None if found is None else self._open(table, key, found, kind)

    def _open(self, table: str, key: str, value: bytes, kind: type[Kind]) -> Kind:
        try:
            plain = self._cipher.decrypt(value[:NONCE_BYTES], value[NONCE_BYTES:], f"{table}\n{key}".encode())
        except InvalidTag:
            raise Rejected(f"{key!r} of {table!r} is not what was kept there", code="damaged") from None
        return msgspec.msgpack.decode(plain, type=kind)
