"""What evidence files, laid beside one another, prove against whoever signed them (``spec/contradictions.md`` step 20).

Each file must be its exporter's. What is found is a candidate: it counts when a proof of it verifies, and is nobody's
contradiction otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import combinations

import msgspec

from comity.errors import Rejected
from comity.evidence.chains import check_inclusion, leaf_of
from comity.evidence.contradiction import (
    Cited,
    FalseInclusion,
    Noted,
    Placed,
    Shows,
    TwoHistories,
    TwoLeaves,
    TwoRecords,
    only,
    prove,
    stated_by,
)
from comity.evidence.grounds import check_cards
from comity.evidence.model import Evidence, Shown, Withheld, read_evidence
from comity.evidence.verify import check_outer
from comity.ledger.checkpoint import Checkpoint
from comity.ledger.note import Note, VerifierKey
from comity.ledger.proof import root_within
from comity.ledger.tree import TreeHead
from comity.ledger.witness import AddCheckpoint
from comity.record.card import read_card
from comity.record.contexts import origin
from comity.record.statement import peek

FOUND_MAX = 100
"""Most proofs that are looked for: one is enough to show."""


class _Leaf(msgspec.Struct, frozen=True):
    """A leaf that a checkpoint of its log's author is over."""

    note: bytes
    entry: Shown | Withheld


class _Words:
    """All that one party signed in the files, by what it is about."""

    def __init__(self, party: str) -> None:
        self.party = party
        self.cards: dict[bytes, None] = {}
        self.records: dict[tuple[str, int], dict[bytes, None]] = {}
        self.states: dict[tuple[str, int], dict[bytes, Noted | Cited]] = {}
        self.leaves: dict[tuple[str, int], dict[bytes, _Leaf]] = {}
        self.claims: list[FalseInclusion] = []

    def candidates(self) -> Iterator[Shows]:
        """What may be a contradiction (10, 11, 12, 15)."""
        yield from self.claims
        for (chain, index), here in self.records.items():
            for one, other in combinations(here, 2):
                yield TwoRecords(one, other)
            for after in self.records.get((chain, index + 1), ()):
                for before in here:
                    yield TwoRecords(before, after)
        for (log, _), states in self.states.items():
            for (_, earlier), (root, later) in combinations(states.items(), 2):
                yield TwoHistories(log, earlier, later, root, ())
        for (log, index), leaves in self.leaves.items():
            for (one, first), (other, second) in combinations(leaves.items(), 2):
                placed = [Placed(each.note, leaf, each.entry.path) for leaf, each in ((one, first), (other, second))]
                yield TwoLeaves(log, index, *placed)

    def proofs(self) -> Iterator[bytes]:
        """Those that are one."""
        for shows in self.candidates():
            with suppress(Rejected):
                yield prove(shows, self.party, list(self.cards))


def compare_evidence(files: Sequence[bytes]) -> list[bytes]:
    """Proofs of what the files contradict one another, and themselves, in; at most ``FOUND_MAX``.

    Raises:
        Rejected: one cannot be read, or is not signed by its exporter.
    """
    words: dict[tuple[str, bytes], _Words] = {}
    for number, data in enumerate(files, start=1):
        unsigned = read_evidence(data)
        parties = check_cards(unsigned.evidence)
        try:
            check_outer(unsigned, parties[0])
        except Rejected as error:
            raise Rejected(error.sentence, code=error.code, place=f"file {number}, {error.place}") from None
        here = {party.name: words.setdefault((party.name, party.root), _Words(party.name)) for party in parties}
        for card in unsigned.evidence.cards:
            here[read_card(card).party].cards[card] = None
        _listen(here, unsigned.evidence, data)
    found: list[bytes] = []
    for party in words.values():
        for proof in party.proofs():
            if len(found) < FOUND_MAX and proof not in found:
                found.append(proof)
    return found


def prove_refused(recorded: bytes, request: bytes, keys: Sequence[str]) -> bytes | None:
    """The proof in what a witness refused: the checkpoint that it had cosigned beside the one that came.

    Args:
        recorded: the signed note that was cosigned last.
        request: body of the refused ``add-checkpoint`` request.
        keys: verifier keys of the log.

    Returns:
        The proof; None where there is none (``spec/contradictions.md`` step 16).
    """
    for text in keys:
        with suppress(Rejected):
            key = VerifierKey.parse(text)
            came = AddCheckpoint.parse(request)
            earlier, later = only(recorded, [key]), only(came.note, [key])
            one, other = (Checkpoint.parse(Note.parse(note).text).head for note in (earlier, later))
            if one.size > other.size:
                continue
            root = other.root if one.size == other.size else root_within(one.size, other, came.path)
            path = () if one.size == other.size else came.path
            if root is not None:
                shows = TwoHistories(key.name, Noted(earlier), Noted(later), root, path)
                return prove(shows, key.name, key=text)
    return None


def _listen(here: Mapping[str, _Words], evidence: Evidence, data: bytes) -> None:
    """Note who said what in a file."""
    for chain in evidence.chains:
        author = here[chain.name.rpartition("/")[2]]
        head: TreeHead | None = None
        own = b""
        if chain.checkpoint:
            for party in here.values():
                stated = stated_by(list(party.cards), party.party, chain.checkpoint, origin(chain.name))
                if stated is not None:
                    head, note = stated
                    party.states.setdefault((origin(chain.name), head.size), {})[head.root] = Noted(note)
                    own = note if party is author else own
        for entry in chain.records:
            if head is not None and own and entry.index < head.size:
                try:
                    check_inclusion(chain.name, entry, head)
                except Rejected:
                    here[evidence.exporter].claims.append(FalseInclusion(data, chain.name, entry.index))
                else:
                    leaf = leaf_of(entry)
                    author.leaves.setdefault((origin(chain.name), entry.index), {})[leaf] = _Leaf(own, entry)
            if isinstance(entry, Shown):
                _hear(here, author, entry.envelope)


def _hear(here: Mapping[str, _Words], author: _Words, envelope: bytes) -> None:
    with suppress(Rejected):
        statement = peek(envelope)
        author.records.setdefault((statement.chain, statement.sequence), {})[envelope] = None
        seen = statement.seen
        for party in here:
            if seen is not None and party != author.party:
                log = origin(f"{statement.relationship}/{party}")
                author.states.setdefault((log, seen.size), {}).setdefault(seen.root, Cited(envelope))
