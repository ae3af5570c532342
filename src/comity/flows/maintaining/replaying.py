"""Replaying: the journal stepped again into memory (``spec/register.md`` step 8, ``spec/sequencer.md`` step 10).

Every digest, signature, place, link, leaf and verdict of the journal is checked on the way, with the keys that its own
records name at that point. What is wrong is noted and passed over, so that one damaged entry does not hide another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping

from comity.errors import Rejected, Unavailable
from comity.flows.house import House
from comity.flows.keeping.work import CARD
from comity.flows.maintaining.digests import Digests, Finding
from comity.ports import JournalEntry
from comity.record.card import Card, read_card
from comity.record.contexts import RECORD
from comity.record.dsse import check_signature, key_id, pae
from comity.record.dsse import read as read_envelope
from comity.record.statement import Record, read_frame, read_kept, understand
from comity.register.keys import rotation
from comity.register.restoring import RECOVERED, Mirror
from comity.register.rows import AgreementRow, Key, PeerRow, Row
from comity.register.rows.negotiation import ChannelRow
from comity.register.step import MISSING_PREDECESSOR, UNKNOWN_VERSION, reads, reads_more, step
from comity.register.verdict import RULES_VERSION, Changes, Held, Rejection, Verdict

JOURNAL_READ = 1_000
"""Journal entries read at once."""


def verify_ahead(entries: Iterable[JournalEntry], keys: Mapping[str, bytes]) -> None:
    """Verify signatures by keys that are known, so that they need not be verified one by one when it is their turn.

    It decides nothing: what does not verify here is looked at again, with the keys of its day, and told then. The
    interpreter is let go meanwhile, so that every core of a machine verifies.
    """
    for entry in entries:
        try:
            envelope = read_envelope(entry.envelope, RECORD)
            message = pae(RECORD, envelope.payload)
            for signature in envelope.signatures:
                if signature.keyid in keys:
                    check_signature(keys[signature.keyid], signature.sig, message)
        except Rejected:
            continue


class Replay:
    """The journal of one house, stepped again.

    Attributes:
        rows: what the journal gives for the register.
        ledgers: what it gives for the ledgers.
        cards: the cards of each peer, newest last.
        findings: what is wrong.
        entries: how many entries were read.

    With ``threads``, so many of them verify signatures before their entries are stepped, one portion at a time.
    """

    def __init__(self, house: House, threads: int = 0) -> None:
        self._threads = threads
        self.rows: dict[Key, Row | None] = {}
        self.ledgers = Digests()
        self.cards: dict[str, list[Card]] = {}
        self.findings: list[Finding] = []
        self.entries = 0
        self._house = house
        self._held: dict[bytes, bytes] = {}
        self._own: tuple[bytes, ...] = (house.keys.record.public,)
        self._before: JournalEntry | None = None

    async def run(self, told: Callable[[int], None] = lambda _: None) -> None:
        """Step every entry that was not stepped before; ``told`` how many were."""
        card = await self._house.side(CARD, "self")
        if card is not None:
            self._own = (*self._own, *read_card(card).had("record"))
        while batch := await self._house.store.journal(self.entries, JOURNAL_READ):
            if self._threads:
                keys = {key_id(key): key for key in self._all_keys()}
                shares = (batch[first :: self._threads] for first in range(self._threads))
                await asyncio.gather(*(asyncio.to_thread(verify_ahead, share, keys) for share in shares))
            wrong = self.ledgers.take(
                (each.chain, each.sequence, each.record, each.envelope, each.salt, each.extends) for each in batch
            )
            self.findings += wrong.values()
            for entry in batch:
                try:
                    if self.entries not in wrong:
                        await self._entry(entry)
                except (Rejected, Unavailable) as error:
                    self.findings.append(Finding(f"journal entry {self.entries}", error.sentence))
                self.entries += 1
                self._before = entry
            told(self.entries)

    async def _entry(self, entry: JournalEntry) -> None:
        record = self._record(entry)
        self._check_instant(entry, record)
        if entry.rules != RULES_VERSION:
            raise Rejected(f"judged by rules of version {entry.rules}; this program has {RULES_VERSION}", code="rules")
        verdict = self._verdict(entry, record)
        if isinstance(verdict, Rejection) and entry.reason == RECOVERED:
            verdict = self._verdict_there(entry, record) or verdict
        if (verdict.word, verdict.code) != (entry.verdict, entry.reason.removeprefix(RECOVERED)):
            told = f"{verdict.word} {verdict.code}".rstrip()
            says = f"{entry.verdict} {entry.reason}".rstrip()
            raise Rejected(f"stepped again it is {told!r}, the journal says {says!r}", code="verdict")
        if isinstance(verdict, Held):
            self._held[record.id] = entry.envelope
        elif isinstance(verdict, Changes):
            await self._change(verdict)

    def _record(self, entry: JournalEntry) -> Record:
        """The record of an entry: verified, unless it settles one that was verified before."""
        held = self._held.get(entry.record)
        if held is None:
            if not entry.extends and entry.reason != MISSING_PREDECESSOR:
                raise Rejected("it settles a record that was not held", code="altered-entry")
            return read_frame(entry.envelope, self._keys(entry))
        if held != entry.envelope:
            raise Rejected("it settles a held record with another envelope", code="altered-entry")
        return read_kept(entry.envelope, entry.record)

    def _all_keys(self) -> Iterator[bytes]:
        """Every key that anybody is known by now to have had."""
        yield from self._own
        for cards in self.cards.values():
            yield from cards[-1].had("record")

    def _keys(self, entry: JournalEntry) -> tuple[bytes, ...]:
        """Every key that its author had, as far as is known by then: what was taken was taken (``spec/keys.md`` 45)."""
        author = entry.chain.rpartition("/")[2]
        if author == self._house.party:
            return self._own
        if author not in self.cards:
            return ()
        card = self.cards[author][-1]
        brought = rotation(entry.envelope, card)
        return (*card.had("record"), *(brought.card.node_sign if brought is not None else ()))

    def _check_instant(self, entry: JournalEntry, record: Record) -> None:
        """An own record was judged at its own instant, unless it was given back; the others in order between."""
        own = record.statement.author == self._house.party
        early = entry.at < record.statement.at if entry.reason else entry.at != record.statement.at
        if (own and early) or (self._before is not None and entry.at < self._before.at):
            raise Rejected("the instant of the verdict is not in order", code="altered-entry")

    def _verdict(self, entry: JournalEntry, record: Record) -> Verdict:
        """The verdict made again; that a record was not known, or its predecessor missing, is the journal's word."""
        if entry.verdict == Held.word and entry.reason in (MISSING_PREDECESSOR, UNKNOWN_VERSION):
            if entry.extends == (entry.reason == MISSING_PREDECESSOR):
                raise Rejected("what waits for its predecessor does not stand in its chain", code="altered-entry")
            return Held(entry.reason, "")
        try:
            record = understand(record)
        except Rejected as error:
            return Rejection(error.code, error.sentence)
        house = self._house
        context = house.context(entry.at)
        facts = {key: self.rows.get(key) for key in reads(context, record)}
        while more := reads_more(context, facts, record):
            facts.update({key: self.rows.get(key) for key in more})
        return step(context, facts, record)

    def _verdict_there(self, entry: JournalEntry, record: Record) -> Changes | None:
        """The verdict on an own record that was given back, as the other party made it (``spec/backup.md`` 44)."""
        relationship = record.statement.relationship
        rows = [self.rows.get((kind.table, relationship)) for kind in (AgreementRow, ChannelRow)]
        peer = next((row.peer for row in rows if isinstance(row, (AgreementRow, ChannelRow))), "")
        record = understand(record)
        mirror = Mirror(self._house.context(entry.at), peer, record)
        keys = [*reads(mirror.context, record), *mirror.requests]
        facts = mirror.there({key: self.rows.get(key) for key in keys})
        while more := reads_more(mirror.context, facts, record):
            facts.update(mirror.there({key: self.rows.get(key) for key in more}))
        verdict = step(mirror.context, facts, record)
        return Changes(mirror.here(verdict.puts)) if isinstance(verdict, Changes) else None

    async def _change(self, verdict: Changes) -> None:
        for put in verdict.puts:
            self.rows[put.key] = put.row
            if isinstance(put.row, PeerRow):
                self.cards.setdefault(put.row.party, []).append(read_card(put.row.card))
            elif isinstance(put.row, AgreementRow):
                await self._house.library.load(put.row)
