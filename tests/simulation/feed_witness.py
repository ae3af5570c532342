"""What is seen of feeds from outside: messages published, gates answered, frames written and sent, what readers saw."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from comity.feed.batch import Contents, read_frame, unseal
from comity.feed.gate import Epoch, Gate
from comity.feed.reading import Event
from comity.flows.feeding.gates import Gates
from comity.flows.feeding.names import FeedName
from comity.flows.feeding.shelf import FRAME, HELD, Shelf, State
from comity.flows.house import House
from comity.ports import Batch, JournalEntry
from comity.record.bodies.feeding import POSTURES, FeedEnded, FeedReleased, PostureDeclared
from comity.record.encoding import decode
from comity.record.statement import chain_id, peek
from comity.stores.memory import MemoryStore

from . import cast
from .feed_texts import NAMES

if TYPE_CHECKING:
    from .node import Node

SALT_BYTES = 32


@dataclass(frozen=True)
class Heard:
    """What a house had heard of a feed at one instant: its newest release while that holds, and the joint posture.

    ``changes`` is how often that had been something else before.
    """

    release: str
    posture: str
    changes: int = 0


@dataclass
class Sent:
    """A message that somebody published.

    Attributes:
        name: of which feed.
        fields: as it was published.
        kind, source, turn: its type, who published it, and its place among all that he published of that type.
        heard: what its house had heard of releases and postures when somebody began to publish it.
        fate: ``unknown`` while and where nobody was told; ``accepted``, or the code of its refusal.
    """

    name: FeedName
    fields: Mapping[str, object]
    kind: str
    source: str
    turn: int
    heard: Heard
    fate: str = "unknown"


@dataclass(frozen=True)
class Answered:
    """A gate that a publisher was given, and what its house had heard just before and just after it was worked out."""

    name: FeedName
    gate: Gate
    heard: tuple[Heard, Heard]


@dataclass(frozen=True)
class FrameSeen:
    """A frame that a party wrote, or sent; ``gates`` is how many its publisher had been given when it was sealed."""

    party: str
    frame: bytes
    gates: Mapping[FeedName, int]


@dataclass(frozen=True)
class Receipt:
    """The recipient acknowledges: its word, and what is durable there at this moment."""

    name: FeedName
    word: bytes
    durable: State


@dataclass(frozen=True)
class Shown:
    """What one reading was told at once."""

    name: FeedName
    party: str
    reading: int
    reader: str
    events: tuple[Event, ...]


@dataclass
class FeedNews:
    """What was seen of feeds since the invariants last looked."""

    answered: list[Answered] = field(default_factory=list)
    frames: list[FrameSeen] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    shown: list[Shown] = field(default_factory=list)


class FeedWitness:
    """Collects what the houses show of their feeds.

    Attributes:
        news: what the invariants have not seen yet.
        sent: every message published, by the name that it carries.
        turns: how many messages each source published of each type.
        keys: of every epoch that began, its key.
        answers: how many gates each feed's publisher was given.
        heard: of each house, what it had heard of a feed when somebody last listened.
        sealing: of every salt of 32 bytes that a house drew, how many that was then.
    """

    def __init__(self) -> None:
        self.news = FeedNews()
        self.sent: dict[str, Sent] = {}
        self.turns: Counter[tuple[FeedName, str, str]] = Counter()
        self.keys: dict[tuple[FeedName, int], bytes] = {}
        self.answers: Counter[FeedName] = Counter()
        self.heard: dict[tuple[str, FeedName], Heard] = {}
        self.sealing: dict[bytes, dict[FeedName, int]] = {}

    def publishes(self, name: FeedName, fields: Mapping[str, object], heard: Heard) -> Sent:
        """Somebody is about to publish a message."""
        kind = str(fields["type"])
        source = str(fields["sensor" if kind == "track" else "station"])
        turn = self.turns[name, kind, source]
        self.turns[name, kind, source] += 1
        sent = self.sent[str(fields[kind])] = Sent(name, fields, kind, source, turn, heard)
        return sent

    def drawn(self, drawn: bytes) -> None:
        """A house draws random bytes; the salt of a frame tells when it was sealed."""
        if len(drawn) == SALT_BYTES:
            self.sealing[drawn] = dict(self.answers)

    def answered(self, name: FeedName, gate: Gate, before: Heard, after: Heard) -> None:
        """A publisher is given a gate."""
        self.answers[name] += 1
        self.news.answered.append(Answered(name, gate, (before, after)))

    def written(self, party: str, batch: Batch) -> None:
        """A change of what is kept of feeds, on its way to the disk."""
        for put in batch.puts:
            if put.table == FRAME and put.value is not None:
                self.seen(party, put.value)

    def seen(self, party: str, frame: bytes) -> None:
        """A frame is written or sent."""
        salt = read_frame(frame).salt
        self.news.frames.append(FrameSeen(party, frame, self.sealing.get(salt, {})))

    def opened(self, name: FeedName, frame: bytes) -> Contents:
        """What a frame holds."""
        read = read_frame(frame)
        return unseal(read, self.keys[name, read.place.epoch])

    def taken(self) -> FeedNews:
        """The news, once."""
        news, self.news = self.news, FeedNews()
        return news


def state_on(node: Node, name: FeedName) -> State:
    """Where a feed stands, durably, on the disk of a node."""
    reading = Shelf(MemoryStore(node.feed_disk), name.origin, bytes(32), bytes).read_state()
    try:
        reading.send(None)
    except StopIteration as read:  # a memory store makes nobody wait
        state: State = read.value
        return state
    raise AssertionError("a memory store that waits")


def frames_on(node: Node, name: FeedName) -> list[bytes]:
    """The frames of a feed on the disk of a node, in order."""
    found = node.feed_disk.database.rows.get(FRAME, {})
    return [found[key] for key in sorted(found) if key.startswith(f"{name.origin}/")]


def held_on(node: Node, name: FeedName) -> int:
    """How many chunks of a feed wait on the disk of a node."""
    return sum(key.startswith(f"{name.origin}/") for key in node.feed_disk.database.rows.get(HELD, {}))


class Ear:
    """Follows in the journal of one house what is said of releases and postures, once the house was told of it."""

    def __init__(self, node: Node, known: dict[tuple[str, FeedName], Heard]) -> None:
        self._node = node
        self._known = known
        self._read = 0
        self._releases: dict[FeedName, tuple[str, FeedReleased]] = {}
        self._ended: set[str] = set()
        self._postures: dict[str, PostureDeclared] = {}

    def listen(self) -> None:
        """The house has committed something."""
        entries = self._node.disk.database.entries
        for entry in entries[self._read :]:
            self._hear(entry)
        self._read = len(entries)

    def _hear(self, entry: JournalEntry) -> None:
        if entry.verdict != "changes":
            return
        statement = peek(entry.envelope)
        party = entry.chain.rpartition("/")[2]
        if entry.chain != chain_id(NAMES["jp"].relationship, party):
            return
        body = bytes(statement.body)
        if statement.type == FeedReleased.kind:
            self._releases[NAMES[party]] = entry.record.hex(), decode(body, FeedReleased)
        elif statement.type == FeedEnded.kind:
            self._ended.add(decode(body, FeedEnded).release)
        elif statement.type == PostureDeclared.kind:
            self._postures[party] = decode(body, PostureDeclared)

    def heard(self, name: FeedName, now: datetime) -> Heard:
        """What there is to hear now: no release where it has ended, or its time is over."""
        record, release = self._releases.get(name, ("", None))
        if release is None or release.release in self._ended or now >= release.until:
            record = ""
        held = [self._postures.get(party) for party in cast.PARTIES]
        levels = [
            0 if each is None or (each.until is not None and now >= each.until) else POSTURES.index(each.posture)
            for each in held
        ]
        key = (self._node.party, name)
        last = self._known.get(key)
        said = (record, POSTURES[min(levels)])
        if last is None or said != (last.release, last.posture):
            last = self._known[key] = Heard(*said, 0 if last is None else last.changes + 1)
        return last


class WatchedGates(Gates):
    """The gates of a house, and who watches what they answer to its publishers."""

    def __init__(self, house: House, node: Node, witness: FeedWitness) -> None:
        super().__init__(house)
        self._watched = house
        self._witness = witness
        self._ear = Ear(node, witness.heard)
        self._ear.listen()
        house.after_commit.append(self._ear.listen)

    def heard(self, name: FeedName) -> Heard:
        """What the house has heard of a feed by now."""
        return self._ear.heard(name, self._watched.now())

    async def gate(self, name: FeedName) -> Gate:
        before = self.heard(name)
        gate = await super().gate(name)
        if name.publisher == self._watched.party:
            self._witness.answered(name, gate, before, self.heard(name))
        return gate

    async def next_epoch(self, name: FeedName, first: int = 0) -> Epoch:
        epoch = await super().next_epoch(name, first)
        self._witness.keys[name, epoch.number] = epoch.key
        return epoch
