"""Taking: a verified record of the other party takes its place here (``spec/exchange.md`` steps 9 to 15).

All of it happens inside one change: the record, its effect, the receipt or the returned verdict, and what it sets in
motion are durable together or not at all.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from comity.errors import InternalError, Rejected
from comity.flows.exchanging.settling import Settling
from comity.flows.keeping.erasing import HEADER
from comity.flows.keeping.work import Draft, Work
from comity.ledger.tree import TreeHead
from comity.ports import JournalEntry, Store
from comity.record import bodies
from comity.record.encoding import TEXT_CHARACTERS_MAX
from comity.record.letters import ReceiptLetter, write_letter
from comity.record.statement import Record, read_kept, understand
from comity.register.step import MISSING_PREDECESSOR
from comity.register.verdict import Changes, Held, Rejection, Verdict

WAITING = "waiting"
"""Side table: ids of records that arrived before their predecessor; key ``chain/sequence``."""

Headers = Mapping[bytes, bytes]
"""Headers of sealed copies that came with the records, by digest."""
Follow = Callable[[Work, Record], Awaitable[None]]
"""What a record that took effect sets in motion here."""


class Arrived(NamedTuple):
    """A verified record of the other party, and the salt of its ledger leaf."""

    record: Record
    salt: bytes


class Contradiction(Rejected):
    """An author signed two things that cannot both be true.

    Attributes:
        key: under which the proof is kept: chain, and sequence or size.
        proof: the one that was not known here: an envelope, or a checkpoint.
    """

    def __init__(self, sentence: str, *, code: str, key: str, proof: bytes) -> None:
        super().__init__(sentence, code=code, place=key)
        self.key = key
        self.proof = proof


class Taking:
    """How one house takes up records of others."""

    def __init__(self, store: Store, follow: Follow) -> None:
        self._follow = follow
        self.settling = Settling(store, self.answer)

    async def enter(self, work: Work, arrived: Arrived, headers: Headers) -> bool:
        """Put a record into its chain, or among the waiting; whoever waited for it follows.

        Returns:
            False when its place is taken: it has come before, or in the meantime.

        Raises:
            Contradiction: it does not follow on the record that stands before its place.
        """
        statement = arrived.record.statement
        size = (await work.tip(statement.chain)).size
        if statement.sequence < size:
            return False
        if statement.sequence > size:
            await self._wait(work, arrived, headers)
            return True
        following: Arrived | None = arrived
        while following is not None:
            await self._append(work, following, headers)
            following = await self._waited_for(work, following.record)
        return True

    async def _append(self, work: Work, arrived: Arrived, headers: Headers) -> None:
        record, salt = arrived
        statement = record.statement
        if statement.previous != (await work.tip(statement.chain)).last:  # (9)
            raise fork(record, "does not follow on the record that stands before it")
        verdict = await work.judge(record)  # (11)
        work.append(record, salt, verdict)
        keep_headers(work, record, headers)
        if isinstance(verdict, Held):
            self.settling.hold(work, record, verdict)  # (15)
        await self.answer(work, record, verdict)

    async def _wait(self, work: Work, arrived: Arrived, headers: Headers) -> None:
        """Keep a record whose predecessor is not here (10)."""
        record, salt = arrived
        key = waiting_key(record.statement.chain, record.statement.sequence)
        before = await work.side_value(WAITING, key)
        if before == record.id:
            return
        if before is not None:
            raise fork(record, "is not the one that waits here for its predecessor")
        work.journal(record, salt, Held(MISSING_PREDECESSOR, "its predecessor is not here"), extends=False)
        work.put_side(WAITING, key, record.id)
        keep_headers(work, record, headers)

    async def _waited_for(self, work: Work, record: Record) -> Arrived | None:
        """The record that waited for ``record``, if there is one."""
        key = waiting_key(record.statement.chain, record.statement.sequence + 1)
        waiting = await work.side_value(WAITING, key)
        if waiting is None:
            return None
        entry = await work.entry(waiting)
        if entry is None:
            raise InternalError(f"waiting record {waiting.hex()[:16]}… is not in the journal")
        work.put_side(WAITING, key, None)
        return Arrived(understand(read_kept(entry.envelope, waiting)), entry.salt)

    async def answer(self, work: Work, record: Record, verdict: Verdict) -> None:
        """Receipt, returned verdict, or what else follows (12, 13, 14)."""
        body, relationship = record.body, record.statement.relationship
        item: str | None = None
        copies: tuple[int, ...] = ()
        if isinstance(body, bodies.Consigned):
            item, copies = body.item, tuple(copy.number for copy in body.copies)
        if isinstance(verdict, Rejection) and not isinstance(body, bodies.Returned):
            reason = verdict.sentence[:TEXT_CHARACTERS_MAX]
            returned = bodies.Returned(record=record.id, code=verdict.code, reason=reason, item=item, copies=copies)
            await work.say(Draft(relationship, returned))
        elif isinstance(verdict, Changes) and item is not None:
            letter = await _receipt_letter(work, record)
            receipt = bodies.Received(consignment=record.id, item=item, copies=copies, letter=letter)
            await work.say(Draft(relationship, receipt))
        elif isinstance(verdict, Changes):
            await self._follow(work, record)


def fork(record: Record, says: str) -> Contradiction:
    """The error for a record that its author signed beside another one."""
    statement = record.statement
    return Contradiction(
        f"record {record.id.hex()[:16]}… {says}: {statement.author!r} signed two histories, and both are kept as "
        "evidence",
        code="fork",
        key=waiting_key(statement.chain, statement.sequence),
        proof=record.envelope,
    )


def other_record(record: Record, known: JournalEntry) -> Rejected:
    """The error for a record in whose place another one stands."""
    if record.envelope == known.envelope:
        return Rejected("the salt of its ledger leaf is another one than before", code="other-salt", place=known.chain)
    return fork(record, "is not the one that stands here in its place")


def two_histories(chain: str, stated: TreeHead, note: bytes, says: str) -> Contradiction:
    """The error for a checkpoint that the records here contradict."""
    return Contradiction(
        f"{says}: the checkpoint over {stated.size} records does not match those here, and is kept as evidence",
        code="two-histories",
        key=waiting_key(chain, stated.size),
        proof=note,
    )


async def _receipt_letter(work: Work, record: Record) -> bytes:
    """The receipt of what was handed on, as its originator is shown it (``spec/routes.md`` step 8); else nothing."""
    body = record.body
    if not isinstance(body, bodies.Consigned) or not body.letter:
        return b""
    letter = ReceiptLetter(
        receiver=work.context.party,
        originator=body.originator,
        holder=record.statement.author,
        request=body.request,
        item=body.item,
        content=body.content,
        payload=body.payload,
        copies=len(body.copies),
        mark="" if body.alternative is None else body.alternative.mark,
        at=work.at,
    )
    signer = await work.signer()
    return write_letter(letter, signer.public, signer.sign)


def keep_headers(work: Work, record: Record, headers: Headers) -> None:
    """Keep the headers that a consignment names."""
    if isinstance(record.body, bodies.Consigned):
        for copy in record.body.copies:
            if copy.header in headers:
                work.put_side(HEADER, copy.header.hex(), headers[copy.header])


def waiting_key(chain: str, sequence: int) -> str:
    """Key of a place in a chain; keys sort by chain and sequence."""
    return f"{chain}/{sequence:012d}"
