"""What is seen of the houses from outside: the evidence that the invariants judge."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

import msgspec

from comity.flows.exchanging.parcel import Parcel
from comity.ports import Batch, Head

from .feed_witness import FeedWitness
from .markers import OURS, SECRET


@dataclass(frozen=True)
class Departure:
    """A parcel that left a house, by road or in a pouch; ``marks`` is the durable high-water mark at that moment."""

    party: str
    parcel: Parcel
    marks: Mapping[str, int]


@dataclass(frozen=True)
class Acknowledgement:
    """A flow returned: the records it named, and where the house's own chains ended then."""

    party: str
    act: str
    records: tuple[bytes, ...]
    heads: Mapping[str, Head]


@dataclass(frozen=True)
class Slip:
    """Something that should never be seen, such as an error that is not ours, and where it was seen."""

    where: str
    what: str


@dataclass(frozen=True)
class Opening:
    """Somebody got at a content; ``request`` is under which it was given."""

    party: str
    request: str
    content: bytes


@dataclass
class News:
    """What was seen since the invariants last looked."""

    departures: list[Departure] = field(default_factory=list)
    acknowledgements: list[Acknowledgement] = field(default_factory=list)
    troubles: list[Slip] = field(default_factory=list)
    leaks: list[Slip] = field(default_factory=list)
    openings: list[Opening] = field(default_factory=list)
    findings: list[Slip] = field(default_factory=list)


def payload(envelope: bytes) -> bytes:
    """What an envelope says, out of its base64."""
    return base64.b64decode(msgspec.json.decode(envelope)["payload"])


class Witness:
    """Collects what the houses show.

    Attributes:
        news: what the invariants have not seen yet.
        feeds: what is seen of feeds.
        counts: acts and faults by kind.
    """

    def __init__(self) -> None:
        self.news = News()
        self.feeds = FeedWitness()
        self.acts: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.trace = sha256()
        self.lines: list[str] = []

    def tell(self, line: str) -> None:
        """One line of the trace: nothing that depends on the bytes of a ciphertext, which differ from run to run."""
        self.lines.append(line)
        self.trace.update(line.encode() + b"\n")

    def fault(self, kind: str) -> None:
        self.faults[kind] += 1
        self.tell(f"  fault {kind}")

    def departed(self, party: str, parcel: Parcel, marks: Mapping[str, int]) -> None:
        """A parcel leaves a house."""
        self.news.departures.append(Departure(party, parcel, dict(marks)))
        said = [payload(sent.envelope) for sent in parcel.entries]
        for part in (*said, *parcel.headers, *parcel.blobs):
            self.searched(f"a parcel of {party}", part, (SECRET, OURS))

    def written(self, party: str, batch: Batch) -> None:
        """A change of state on its way to the disk; rows may be gone again when it comes to rest."""
        for entry in batch.entries:
            self.searched(f"record {entry.sequence} of {entry.chain}", payload(entry.envelope), (SECRET,))
        for put in batch.puts:
            self.searched(f"row {put.table} {put.key} of {party}", put.value or b"", (SECRET,))

    def written_by(self, party: str) -> Callable[[Batch], None]:
        """What to call with each change of state of a house."""
        return lambda batch: self.written(party, batch)

    def kept_by(self, party: str) -> Callable[[Batch], None]:
        """The same, for what it keeps of feeds."""

        def kept(batch: Batch) -> None:
            self.written(party, batch)
            self.feeds.written(party, batch)

        return kept

    def searched(self, where: str, data: bytes, markers: tuple[bytes, ...]) -> None:
        for marker in markers:
            if marker in data:
                self.news.leaks.append(Slip(where, marker.decode()))

    def taken(self) -> News:
        """The news, once."""
        news, self.news = self.news, News()
        return news
