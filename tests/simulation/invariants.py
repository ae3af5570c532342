"""The invariants that are looked at after every step, and the table of all (``spec/invariants.md``).

Each is a generator: what it yields says where it does not hold. Those of this module see the news since the last step
and remember what they need; those of ``at_rest.py`` see two houses that have told each other everything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec

from comity.decision import model as decision
from comity.flows.feeding.names import FeedName
from comity.flows.feeding.shelf import State
from comity.ledger.checkpoint import Checkpoint
from comity.ledger.note import Note
from comity.ports import JournalEntry
from comity.record import bodies
from comity.record.contexts import origin
from comity.record.encoding import decode
from comity.record.statement import Statement, chain_id, peek
from comity.stores.blobs import DIGEST_BYTES

from . import at_rest
from .feed_invariants import FEEDS_AT_EACH_STEP
from .feed_witness import Answered
from .witness import Acknowledgement, News

if TYPE_CHECKING:
    from .node import Node
    from .simulation import Simulation


FINDINGS_SHOWN = 20


class Broken(AssertionError):
    """Invariants that do not hold."""

    def __init__(self, findings: list[tuple[int, str, str]], simulation: Simulation) -> None:
        lines = [f"({number}) {name}: {says}" for number, name, says in findings]
        where = f"seed {simulation.seed}, step {simulation.steps}"
        super().__init__(f"{where}:\n  " + "\n  ".join(lines[:FINDINGS_SHOWN]))
        self.numbers = {number for number, _, _ in findings}
        self.simulation = simulation


@dataclass(frozen=True)
class Fresh:
    """A journal entry that was not there at the last step, with its statement."""

    node: Node
    entry: JournalEntry
    statement: Statement


class Invariants:
    """Looks at one world.

    Attributes:
        counts: how often each invariant was looked at.
        given_back: records that only the peer still had of a house that lost its disk: what the house had recorded for
            itself beside them, and the keys of what it had made, are gone.
    """

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.counts: Counter[int] = Counter()
        self.acknowledged: list[Acknowledgement] = []
        self.crashes: dict[str, int] = {}
        self.left: dict[tuple[str, int], tuple[bytes, bytes]] = {}
        self.roots: dict[tuple[str, int], bytes] = {}
        self.journalled: dict[str, list[bytes]] = {party: [] for party in simulation.nodes}
        self.latest: dict[tuple[str, str], tuple[datetime, int]] = {}
        self.cosigned: dict[tuple[str, str], int] = {}
        self.answered: dict[tuple[FeedName, int], Answered] = {}
        self.judged: dict[tuple[FeedName, int, int], bytes] = {}
        self.passed: dict[FeedName, int] = {}
        self.sealed: dict[tuple[str, int, int], bytes] = {}
        self.shelves: dict[FeedName, tuple[State, int]] = {}
        self.receipts: dict[FeedName, int] = {}
        self.known: dict[FeedName, int] = {}
        self.arrived: dict[tuple[FeedName, int], bytes] = {}
        self.reading: dict[int, int] = {}
        self.given_back: set[bytes] = set()
        self.whole: dict[str, dict[bytes, bytes]] = {}

    def burned(self, node: Node, left: Mapping[str, int]) -> None:
        """Forget what nobody can know any more: a house lost its disk, and ``left`` is what there is of its chains.

        Its journal is looked at again from its beginning, for it goes on from what the backup has.
        """
        party = node.party
        here = node.disk.database.newest
        self.given_back |= {
            entry.record
            for each in self.simulation.nodes.values()
            for entry in each.disk.database.entries
            if entry.chain in left and entry.record not in here
        }
        there = {
            entry.record
            for each in self.simulation.nodes.values()
            for entry in each.disk.database.entries
            if entry.chain in left or each is node
        }
        self.acknowledged = [
            replace(
                each,
                records=tuple(record for record in each.records if record in there),
                heads={chain: head for chain, head in each.heads.items() if head.size <= left.get(chain, 0)},
            )
            if each.party == party
            else each
            for each in self.acknowledged
        ]
        self.left = {key: said for key, said in self.left.items() if key[1] < left.get(key[0], key[1] + 1)}
        stated = {origin(chain): size for chain, size in left.items()}
        self.roots = {key: root for key, root in self.roots.items() if key[1] <= stated.get(key[0], key[1])}
        self.journalled[party] = []
        self.latest = {key: seen for key, seen in self.latest.items() if key[0] != party}
        self.cosigned = {key: size for key, size in self.cosigned.items() if key[0] != party}

    def check(self) -> None:
        """Look at what is new.

        Raises:
            Broken: something does not hold.
        """
        news, of_feeds = self.simulation.witness.taken(), self.simulation.witness.feeds.taken()
        fresh = [
            Fresh(node, entry, peek(entry.envelope))
            for party, node in self.simulation.nodes.items()
            for entry in node.disk.database.entries[len(self.journalled[party]) :]
        ]
        self._raise(
            [
                (number, invariant.__name__, says)
                for number, invariant in AT_EACH_STEP.items()
                for says in self._counted(number, invariant(self, news, fresh))
            ]
            + [
                (number, invariant.__name__, says)
                for number, invariant in FEEDS_AT_EACH_STEP.items()
                for says in self._counted(number, invariant(self, of_feeds))
            ]
        )

    def check_at_rest(self) -> None:
        """Look at two houses that have nothing left to say.

        Raises:
            Broken: something does not hold.
        """
        self._raise(
            [
                (number, invariant.__name__, says)
                for number, invariant in at_rest.at_rest_in(self.simulation).items()
                for says in self._counted(number, invariant(self.simulation))
            ]
        )

    def _counted(self, number: int, findings: Iterator[str]) -> Iterator[str]:
        self.counts[number] += 1
        return findings

    def _raise(self, findings: list[tuple[int, str, str]]) -> None:
        if findings:
            raise Broken(findings, self.simulation)


def acknowledged_is_kept(seen: Invariants, news: News, _: list[Fresh]) -> Iterator[str]:
    """(1)"""
    died = {party: node.disk.crashes for party, node in seen.simulation.nodes.items()}
    away = {party for party, node in seen.simulation.nodes.items() if node.disk.restored is not None}
    again = [each for each in seen.acknowledged if seen.crashes.get(each.party, 0) != died[each.party]]
    for acknowledgement in (each for each in (*again, *news.acknowledgements) if each.party not in away):
        database = seen.simulation.nodes[acknowledgement.party].disk.database
        where = f"{acknowledgement.party} acknowledged {acknowledgement.act!r}"
        for record in acknowledgement.records:
            if record not in database.newest:
                yield f"{where}, but its record {record.hex()[:16]} is not in the journal"
        for chain, head in acknowledgement.heads.items():
            entry = database.chains.get(chain, {}).get(head.size - 1)
            if head.size and (entry is None or entry.record != head.last):
                yield f"{where} at record {head.size} of {chain}, which is not there (any more)"
    seen.acknowledged += news.acknowledgements
    seen.crashes = {party: crashes for party, crashes in died.items() if party not in away}


def one_history(seen: Invariants, news: News, _: list[Fresh]) -> Iterator[str]:
    """(2)"""
    for departure in news.departures:
        parcel = departure.parcel
        chain = chain_id(parcel.relationship, parcel.sender)
        for sequence, sent in enumerate(parcel.entries, start=parcel.start):
            before = seen.left.setdefault((chain, sequence), (sent.envelope, sent.salt))
            if before != (sent.envelope, sent.salt):
                yield f"two different records {sequence} of {chain} have left {parcel.sender}"


def one_ledger(seen: Invariants, news: News, _: list[Fresh]) -> Iterator[str]:
    """(3)"""
    for departure in news.departures:
        for note in (departure.parcel.checkpoint, departure.parcel.cosigned):
            if not note:
                continue
            stated = Checkpoint.parse(Note.parse(note).text)
            before = seen.roots.setdefault((stated.origin, stated.head.size), stated.head.root)
            if before != stated.head.root:
                yield f"{departure.party} vouches for another {stated.origin} of {stated.head.size} records than before"


def nothing_leaves_unmarked(_: Invariants, news: News, __: list[Fresh]) -> Iterator[str]:
    """(4)"""
    for departure in news.departures:
        parcel = departure.parcel
        chain = chain_id(parcel.relationship, parcel.sender)
        size = parcel.start + len(parcel.entries)
        if parcel.checkpoint:
            size = max(size, Checkpoint.parse(Note.parse(parcel.checkpoint).text).head.size)
        marked = departure.marks.get(chain, 0)
        if size > marked:
            yield f"{size} records of {chain} were shown to the peer, but the mark stands at {marked}"


def mark_is_below_journal(seen: Invariants, _: News, __: list[Fresh]) -> Iterator[str]:
    """(5)"""
    for party, node in seen.simulation.nodes.items():
        for chain, size in node.disk.sizes.items():
            head = node.disk.database.heads.get(chain)
            if head is None or head.size < size:
                yield f"the mark of {party} says {size} records of {chain}, its journal has {head.size if head else 0}"


def journal_only_grows(seen: Invariants, _: News, fresh: list[Fresh]) -> Iterator[str]:
    """(6)"""
    for party, node in seen.simulation.nodes.items():
        known, entries = seen.journalled[party], node.disk.database.entries
        if len(entries) < len(known) or (known and entries[len(known) - 1].record != known[-1]):
            yield f"the journal of {party} has {len(entries)} entries and lost some of the {len(known)} it had"
    for each in fresh:
        seen.journalled[each.node.party].append(each.entry.record)


def time_goes_on(seen: Invariants, _: News, fresh: list[Fresh]) -> Iterator[str]:
    """(7)"""
    for each in fresh:
        if not each.entry.extends:
            continue
        key = (each.node.party, each.entry.chain)
        at, size = seen.latest.get(key, (each.statement.at, 0))
        newer = each.statement.seen.size if each.statement.seen else 0
        if each.statement.at < at:
            yield f"record {each.entry.sequence} of {each.entry.chain} is older than the one before it"
        if newer < size:
            yield f"record {each.entry.sequence} of {each.entry.chain} cites less of the peer than the one before it"
        seen.latest[key] = (each.statement.at, newer)


def permits_cite_clauses(_: Invariants, __: News, fresh: list[Fresh]) -> Iterator[str]:
    """(8)"""
    for each in fresh:
        if each.statement.type != bodies.Decided.kind:
            continue
        body = decode(bytes(each.statement.body), bodies.Decided)
        outcome = msgspec.json.decode(body.decision, type=decision.Outcome)
        if not isinstance(outcome, decision.Permit):
            continue
        basis = [reason for reason in outcome.reasons if reason.code == "permitted" and reason.clause]
        against = [reason for reason in outcome.reasons if reason.effect in ("needs", "lacks", "forbids")]
        if not basis or against:
            yield f"{each.node.party} permits {body.act!r} of {body.item} without a clause, or against one"


def secrets_stay_sealed(_: Invariants, news: News, __: list[Fresh]) -> Iterator[str]:
    """(9)"""
    for leak in news.leaks:
        yield f"{leak.what!r} appears in {leak.where}"


def errors_are_ours(_: Invariants, news: News, __: list[Fresh]) -> Iterator[str]:
    """(10)"""
    for trouble in news.troubles:
        yield f"{trouble.where}: {trouble.what}"


def openings_show_what_was_given(seen: Invariants, news: News, _: list[Fresh]) -> Iterator[str]:
    """(11)"""
    given = {asked.request: asked.content for asked in seen.simulation.asked} | seen.simulation.made
    for opening in news.openings:
        if given.get(opening.request) != opening.content:
            yield f"what {opening.party} opened under {opening.request} is not what was given"


def working_houses_verify(_: Invariants, news: News, __: list[Fresh]) -> Iterator[str]:
    """(12)"""
    for finding in news.findings:
        yield f"{finding.where}: {finding.what}"


def cosignatures_only_grow(seen: Invariants, _: News, __: list[Fresh]) -> Iterator[str]:
    """(13)"""
    for party, node in seen.simulation.nodes.items():
        for chain, note in node.disk.database.rows.get("cosigned", {}).items():
            size = Checkpoint.parse(Note.parse(note).text).head.size
            before = seen.cosigned.get((party, chain), 0)
            if size < before:
                yield f"{party} had {before} records of {chain} cosigned, and now knows of {size} only"
            seen.cosigned[party, chain] = size


def what_is_stored_is_whole(seen: Invariants, _: News, __: list[Fresh]) -> Iterator[str]:
    """(36)"""
    for party, node in seen.simulation.nodes.items():
        known = seen.whole.setdefault(party, {})
        for digest, blob in node.disk.blobs.items():
            if known.get(digest) is not blob and sha256(blob).digest() != digest:
                yield f"blob {digest.hex()[:16]} of {party} is not the bytes of its name"
        seen.whole[party] = dict(node.disk.blobs)
        for digest in node.disk.erased:
            if len(digest) != DIGEST_BYTES:
                yield f"the list of erased keys of {party} has a part of a digest"


StepInvariant = Callable[[Invariants, News, list[Fresh]], Iterator[str]]
AT_EACH_STEP: dict[int, StepInvariant] = dict(
    enumerate(
        (
            acknowledged_is_kept,
            one_history,
            one_ledger,
            nothing_leaves_unmarked,
            mark_is_below_journal,
            journal_only_grows,
            time_goes_on,
            permits_cite_clauses,
            secrets_stay_sealed,
            errors_are_ours,
            openings_show_what_was_given,
            working_houses_verify,
            cosignatures_only_grow,
        ),
        start=1,
    )
) | {36: what_is_stored_is_whole}
NAMES: dict[int, str] = {
    number: invariant.__name__
    for table in (AT_EACH_STEP, at_rest.AT_REST, FEEDS_AT_EACH_STEP)
    for number, invariant in table.items()
}
"""Every invariant by its number in the specification."""
