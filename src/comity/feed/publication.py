"""What a publisher does with messages, as a state machine without a clock or a disk (``spec/feed.md`` steps 2 to 14).

    publication = Publication(schema, log, first, epoch)
    publication.pass_through(gate)
    found = publication.read(raw, at)              # an Entry, or why it is refused
    kept = publication.admit(entry)                # whether it may cross now: a Cut, or why not
    sealed = publication.seal(cuts, closed, …)     # a frame, and what to keep of the originals

Rules of this file:

- ``admit`` looks at nothing of a message but its type, when it was published, and the fields that cross.
- ``seal`` changes nothing until ``sealed.adopt`` is called, which is done when it is durable.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec
from msgspec import Struct

from comity.errors import Rejected, invariant
from comity.feed.batch import (
    FORMAT,
    MESSAGES_MAX,
    VIEWS_BYTES_MAX,
    Closed,
    Contents,
    Dropped,
    Place,
    Why,
    seal_batch,
    view_leaves,
)
from comity.feed.cut import Cutter, cutters
from comity.feed.gate import Epoch, Gate
from comity.feed.originals import Originals
from comity.feed.schema import Reader, Refused, Schema
from comity.ledger.note import Signer
from comity.ledger.tiles import Tile
from comity.ledger.tree import Frontier

CLOCK_AHEAD = timedelta(seconds=30)
"""How far a message's time may lie ahead of the publisher's clock (10)."""
SOURCES_MAX = 65_536
"""Most sources of an epoch whose messages are numbered each by themselves; a further one is refused."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Entry(Struct, frozen=True, gc=False):
    """A message that is in order.

    Attributes:
        type: its type.
        at: when it was published, in microseconds since 1970.
        message: as it was read.
        raw: as it was published.
    """

    type: str
    at: int
    message: Struct
    raw: bytes


class Cut(Struct, frozen=True, gc=False):
    """A message that crosses: what of it does, its source as it is told, and the message."""

    view: bytes
    source: str
    entry: Entry


class Sealed(Struct, frozen=True):
    """A batch that is made and not durable yet.

    Attributes:
        frame: as it goes to the peer.
        place: where it stands.
        originals: what to keep of them.
        log: the feed's log with it.
        tiles: tiles of the log that grew.
        adopt: makes it the publication's newest batch.
    """

    frame: bytes
    place: Place
    originals: Originals
    log: Frontier
    tiles: tuple[Tile, ...]
    adopt: Callable[[], None]


Fate = Literal["not-released", "rate", "bad-field", "too-many-sources"]
LOST: dict[Fate, Why] = {"bad-field": "form", "too-many-sources": "space"}
"""Under what is counted what waited in vain; whoever admits counts what is beyond the rate."""


class _Type(Struct):
    """What is worked out once of one type that crosses."""

    cutter: Cutter
    source: str | None
    delay: int
    rate: int | None
    second: int = 0
    taken: int = 0


class Publication:
    """One feed at its publisher.

    Args:
        origin: of the feed's log.
        log: the log so far.
        first: the number of the next message.
        dropped: what the next batch has to say did not cross.
    """

    def __init__(self, origin: str, log: Frontier, first: int, dropped: Sequence[Dropped] = ()) -> None:
        self.origin = origin
        self.log = log
        self.first = first
        self.epoch: Epoch | None = None
        self.batch = 0
        self.schema: Schema | None = None
        self._reader: Reader | None = None
        self._types: dict[str, _Type] = {}
        self._turns: dict[str, int] = {}
        self._dropped = {(each.type, each.why): each for each in dropped}

    # ---- what holds ------------------------------------------------------------------------------------------------

    def pass_through(self, gate: Gate) -> None:
        """From here on messages are read and cut as this gate says."""
        if gate.schema is None:
            self.schema = self._reader = None
        elif self.schema is None or gate.schema.digest != self.schema.digest:
            self.schema = gate.schema
            self._reader = Reader(gate.schema)
        before, self._types = self._types, {}
        if gate.schema is not None:
            made = cutters(gate.schema, gate.crossings)
            for name, crossing in gate.crossings.items():
                kind = gate.schema.types[name]
                source = kind.source if kind.source in made[name].fields else None  # (11) else it says who, unasked
                had = before.get(name)
                second, taken = (had.second, had.taken) if had is not None else (0, 0)
                delay = crossing.delay * 1_000_000
                self._types[name] = _Type(made[name], source, delay, crossing.rate, second, taken)

    def begin(self, epoch: Epoch) -> None:
        """Seal under another key from here on; sources are numbered anew (11, 12)."""
        self.epoch, self.batch, self._turns = epoch, 0, {}

    # ---- messages --------------------------------------------------------------------------------------------------

    def read(self, raw: bytes, at: int) -> Entry | Refused:
        """A message, read strictly, or why it is refused (2, 10)."""
        if self._reader is None or self.schema is None:
            return Refused("no-release", "no release says what messages this feed has")
        read = self._reader.read(raw)
        if isinstance(read, Refused):
            return read
        name = type(read).__name__
        said: datetime = getattr(read, self.schema.types[name].time)
        if said - _EPOCH > at * _MICROSECOND + CLOCK_AHEAD:
            ahead = said - _EPOCH - at * _MICROSECOND
            kind = self._types.get(name)
            if kind is not None and self.schema.types[name].time in kind.cutter.fields:  # else it says what is hidden
                self.drop(name, "clock", at)
            return Refused("clock", f"its time lies {ahead.total_seconds():.0f} s ahead of the publisher's clock")
        return Entry(name, at, read, raw)

    def due(self, entry: Entry) -> int | None:
        """When a message may cross, in microseconds; None where no message of its type does."""
        kind = self._types.get(entry.type)
        return None if kind is None else entry.at + kind.delay

    @property
    def crossing(self) -> Container[str]:
        """The types of which something crosses now."""
        return self._types

    def delay(self, name: str) -> int | None:
        """How long messages of a type wait, in microseconds; None where none of them crosses."""
        kind = self._types.get(name)
        return None if kind is None else kind.delay

    def admit(self, entry: Entry) -> Cut | Fate:
        """What crosses of a message whose time has come, or why nothing does."""
        kind = self._types.get(entry.type)
        if kind is None:
            return "not-released"
        if kind.rate is not None:
            second = entry.at // 1_000_000
            if second != kind.second:
                kind.second, kind.taken = second, 0
            if kind.taken >= kind.rate:
                self.drop(entry.type, "rate", entry.at)
                return "rate"
            kind.taken += 1
        source = "" if kind.source is None else getattr(entry.message, kind.source)
        if source not in self._turns and len(self._turns) >= SOURCES_MAX:
            return "too-many-sources"
        try:
            return Cut(kind.cutter.view(entry.message), source, entry)
        except Rejected:
            return "bad-field"

    def drop(self, name: str, why: Why, at: int, count: int = 1, last: int | None = None) -> None:
        """Count messages that do not cross, for the next batch to say so (10, 15)."""
        had = self._dropped.get((name, why))
        if had is not None:
            count, at, last = count + had.count, had.first, at if last is None else last
        self._dropped[name, why] = Dropped(name, why, count, at, at if last is None else last)

    def lose(self, entry: Entry, fate: Fate) -> None:
        """Count a message that waited and may not cross in the end: its source was told that it had been taken (10)."""
        why = LOST.get(fate)
        if why is not None:
            self.drop(entry.type, why, entry.at)

    @property
    def dropped(self) -> tuple[Dropped, ...]:
        """What the next batch has to say did not cross."""
        return tuple(self._dropped.values())

    # ---- batches ---------------------------------------------------------------------------------------------------

    def seal(
        self, cuts: Sequence[Cut], closed: Closed, *, seed: bytes, hidden_seed: bytes, salt: bytes, signer: Signer
    ) -> Sealed:
        """A batch of messages that were admitted in this order (11 to 14).

        Args:
            cuts: 1 to ``MESSAGES_MAX``.
            closed: why it closes.
            seed: 32 fresh bytes, for the salts of the views.
            hidden_seed: 32 fresh bytes, for the salts of the originals.
            salt: 32 fresh bytes, for the leaf.
            signer: the publisher's log key.
        """
        epoch, count = self.epoch, len(cuts)
        invariant(epoch is not None, "an epoch begins before its batches")
        invariant(0 < count <= MESSAGES_MAX, "a batch holds a bounded number of messages")
        assert epoch is not None  # as the invariant says
        assert self.schema is not None  # messages were read with it
        views = tuple([cut.view for cut in cuts])
        names: dict[str, int] = {}
        column: list[int] = []
        turns: list[int] = []
        after: dict[str, int] = {}
        for cut in cuts:
            name = cut.source
            turn = after.get(name)
            if turn is None:
                turn = self._turns.get(name, 0)
                names[name] = len(names)
            after[name] = turn + 1
            column.append(names[name])
            turns.append(turn)
        dropped = self.dropped
        contents = Contents(
            seed, dropped, tuple(names), tuple(column), tuple(turns), tuple([cut.entry.at for cut in cuts]), views
        )
        place = Place(FORMAT, self.origin, epoch.number, self.batch, self.first, count, closed)
        leaves = view_leaves(seed, self.first, views)
        frame, log, tiles = seal_batch(place, contents, leaves, epoch.key, salt, self.log, signer)
        originals = Originals(self.schema.digest, hidden_seed, tuple([cut.entry.raw for cut in cuts]))

        def adopt() -> None:
            invariant(self.first == place.first and self.batch == place.batch, "batches become durable in order")
            self.log, self.first, self.batch = log, self.first + count, self.batch + 1
            self._turns.update(after)
            for told in dropped:
                now = self._dropped.pop((told.type, told.why))
                if now.count > told.count:
                    rest = msgspec.structs.replace(now, count=now.count - told.count, first=told.last)
                    self._dropped[told.type, told.why] = rest

        return Sealed(frame, place, originals, log, tiles, adopt)


def is_full(messages: int, views_bytes: int) -> bool:
    """Whether a batch takes no further message (13)."""
    return messages >= MESSAGES_MAX or views_bytes >= VIEWS_BYTES_MAX


def microseconds(instant: datetime) -> int:
    """An instant as batches carry it: microseconds since 1970."""
    return (instant - _EPOCH) // _MICROSECOND


def instant_of(at: int) -> datetime:
    """The instant of so many microseconds since 1970, aware UTC."""
    return _EPOCH + at * _MICROSECOND
