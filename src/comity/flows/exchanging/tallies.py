"""Tallies: what two parties ask each other when they compare their registers, and the answers (``spec/inventory.md``).

Questions go down from the sums of buckets to those of parts, to items, to copies; each side answers from its own rows
and discloses nothing but lines of the relationship of the two. Nothing here changes anything.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Annotated, Literal, TypeVar

import msgspec

from comity.errors import Misuse, Rejected, Unavailable
from comity.flows.exchanging.settling import HELD, HeldBack
from comity.flows.keeping.committed import scan_rows
from comity.flows.keeping.sequencer import Sequencer
from comity.ports import Store
from comity.record.encoding import Count, Digest, Identifier, Instant, Relationship, decode
from comity.record.statement import chain_id
from comity.register.rows import ConsignmentRow, CopyRow, Row
from comity.register.rows.inventory import TallyItemRow, TallyPartRow, TallyRow
from comity.register.tally import CopyLine, copy_line

R = TypeVar("R", bound=Row)
RECONCILIATION_TYPE = "application/vnd.comity.reconciliation"
"""Media type of a question and of its answer."""
QUESTION_BYTES_MAX = 64 * 1024
"""Largest question over the wire, in bytes."""
ANSWER_BYTES_MAX = 64 * 1024 * 1024
"""Largest answer, and largest question or answer in a file."""
ANSWER_LINES_MAX = 20_000
"""Most lines of one answer; what is left is asked for again."""
BUCKETS_ASKED_MAX = 64
PARTS_ASKED_MAX = 256
ITEMS_ASKED_MAX = 64
DIFFERING_LINES_MAX = 200_000
"""Most lines of an answer in a file."""
HELD_TOLD_MAX = 1_000
"""Most held records that an answer names."""

Words = Annotated[str, msgspec.Meta(max_length=200)]
Bucket = Annotated[int, msgspec.Meta(ge=0, lt=256)]
Part = Annotated[int, msgspec.Meta(ge=0, lt=65_536)]


class Buckets(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="buckets"):
    """Asks for the sums of all buckets."""


class Parts(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="parts"):
    """Asks for the sums of the parts of some buckets."""

    buckets: Annotated[tuple[Bucket, ...], msgspec.Meta(max_length=BUCKETS_ASKED_MAX)]


class Items(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="items"):
    """Asks for the items of some parts."""

    parts: Annotated[tuple[Part, ...], msgspec.Meta(max_length=PARTS_ASKED_MAX)]


class Copies(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="copies"):
    """Asks for the copies of some items; of the first of them from a number on."""

    items: Annotated[tuple[Identifier, ...], msgspec.Meta(max_length=ITEMS_ASKED_MAX)]
    start: Count = 0


class Sum(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What the lines of a bucket or a part add up to."""

    number: Count
    items: Count
    copies: Count
    digest: Digest


class Differing(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="differing"):
    """Asks, in a file, for all items and copies of the parts whose sums differ from these."""

    sums: tuple[Sum, ...]


class ItemLine(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """An item: its part, its marks, the record by which it has them, and what its lines add up to."""

    part: Count
    item: Identifier
    mark: Words
    marked: Words
    last: Digest
    copies: Count
    digest: Digest


class ItemCopies(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Lines of the copies of an item; ``more`` when there are others behind the last of them."""

    item: Identifier
    lines: tuple[CopyLine, ...]
    more: bool


class Sums(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="sums"):
    """Answers ``Buckets`` and ``Parts``: those that are not empty."""

    sums: tuple[Sum, ...]


class ItemLines(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="items"):
    """Answers ``Items``: the items of the first ``parts`` parts that were asked for."""

    parts: Count
    items: tuple[ItemLine, ...]


class CopyLines(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="copies"):
    """Answers ``Copies``: those of the first items that were asked for, as many as there was room for."""

    items: tuple[ItemCopies, ...]


class DifferingLines(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="differing"):
    """Answers ``Differing``: which parts differ, and everything in them."""

    parts: tuple[Count, ...]
    items: tuple[ItemLine, ...]
    copies: tuple[ItemCopies, ...]


class Question(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """One question of a reconciliation (10)."""

    format: Literal["comity-question/1"]
    relationship: Relationship
    asker: Identifier
    asked: Identifier
    asks: Buckets | Parts | Items | Copies | Differing


class Answer(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The answer to one question (10).

    Attributes:
        format: name and version of this format.
        relationship: which relationship it is about.
        answerer: whose register it is from.
        asker: who asked.
        size: records of the answerer's own chain.
        have: records of the asker's chain that the answerer has.
        held: those of them that have no effect there yet.
        at: when.
        says: what was asked.
    """

    format: Literal["comity-answer/1"]
    relationship: Relationship
    answerer: Identifier
    asker: Identifier
    size: Count
    have: Count
    held: Annotated[tuple[Digest, ...], msgspec.Meta(max_length=HELD_TOLD_MAX)]
    at: Instant
    says: Sums | ItemLines | CopyLines | DifferingLines


_encode = msgspec.msgpack.Encoder().encode
_questions = msgspec.msgpack.Decoder(Question, strict=True)
_answers = msgspec.msgpack.Decoder(Answer, strict=True)


def write(message: Question | Answer) -> bytes:
    """A question or an answer as MessagePack."""
    return _encode(message)


def read_question(data: bytes, *, bytes_max: int = QUESTION_BYTES_MAX) -> Question:
    """A question, read strictly.

    Raises:
        Rejected: too large, malformed, or not written as this version writes it.
    """
    return _read(data, _questions, bytes_max)


def read_answer(data: bytes) -> Answer:
    """An answer, read strictly.

    Raises:
        Rejected: as ``read_question``.
    """
    return _read(data, _answers, ANSWER_BYTES_MAX)


M = TypeVar("M", Question, Answer)


def _read(data: bytes, decoder: msgspec.msgpack.Decoder[M], bytes_max: int) -> M:
    if len(data) > bytes_max:
        raise Rejected(f"{len(data)} bytes of a reconciliation; at most {bytes_max} are taken", code="too-large")
    try:
        message = decoder.decode(data)
    except (msgspec.DecodeError, ValueError) as error:
        raise Rejected(f"not a message of a reconciliation: {error}", code="malformed") from None
    if _encode(message) != data:  # (10)
        raise Rejected("a message that is not written in its one form", code="not-canonical")
    return message


AskPeer = Callable[[str, str, bytes], Awaitable[bytes]]
"""Brings a question to a peer, in a relationship, and its answer back."""


async def no_road(_peer: str, _relationship: str, _question: bytes) -> bytes:
    """What brings questions to peers where nothing connects this house with them.

    Raises:
        Unavailable: always.
    """
    raise Unavailable("nothing connects this house with its peers; ask by file: --ask FILE", code="no-road")


class Tallies:
    """The tallies of one house: what it says of them, to others and to itself."""

    def __init__(self, party: str, store: Store, sequencer: Sequencer) -> None:
        self._party = party
        self._store = store
        self._sequencer = sequencer

    async def answer(self, peer: str, question: Question) -> Answer:
        """Answer a peer in a relationship that is known to be of the two.

        Raises:
            Misuse: the question is for somebody else.
            Unavailable: the high-water mark cannot be written now.
        """
        if (question.asker, question.asked) != (peer, self._party):
            raise Misuse(
                f"a question from {question.asker!r} to {question.asked!r}, brought to {self._party!r} by {peer!r}",
                code="other-receiver",
            )
        await self._sequencer.raise_mark()
        relationship = question.relationship
        own, theirs = chain_id(relationship, self._party), chain_id(relationship, peer)
        size, have = self._sequencer.head(own).size, self._sequencer.head(theirs).size  # (10) before the lines
        return Answer(
            format="comity-answer/1",
            relationship=relationship,
            answerer=self._party,
            asker=peer,
            size=size,
            have=have,
            held=await self.held(theirs),
            at=self._sequencer.now(),
            says=await self.say(relationship, question.asks),
        )

    async def held(self, chain: str) -> tuple[bytes, ...]:
        """The records of a chain that are here without effect."""
        found = await self._store.scan(HELD, f"{chain}/", f"{chain}0", limit=HELD_TOLD_MAX)
        return tuple(decode(value, HeldBack).record for _, value in found)

    async def say(
        self, relationship: str, asks: Buckets | Parts | Items | Copies | Differing
    ) -> Sums | ItemLines | CopyLines | DifferingLines:
        """What this house says to a question (12)."""
        match asks:
            case Buckets():
                return Sums(tuple([each async for each in self.buckets(relationship)]))
            case Parts(buckets=buckets):
                return Sums(tuple([each for bucket in buckets async for each in self.parts(relationship, bucket)]))
            case Items(parts=parts):
                return await self._items_of(relationship, parts)
            case Copies(items=items, start=start):
                return CopyLines(tuple(await self._copies_of(relationship, items, start, ANSWER_LINES_MAX)))
            case Differing(sums=sums):
                return await self._differing(relationship, sums)

    # ---- sums and lines --------------------------------------------------------------------------------------------

    async def buckets(self, relationship: str) -> AsyncIterator[Sum]:
        """The sums of all buckets that are not empty."""
        async for key, row in scan_rows(self._store, TallyRow, f"{relationship}/"):
            if row.items:
                yield Sum(int(key[-2:], 16), row.items, row.copies, row.digest)

    async def parts(self, relationship: str, bucket: int | None = None) -> AsyncIterator[Sum]:
        """The sums of the parts of a bucket, or of all, that are not empty."""
        prefix = f"{relationship}/" if bucket is None else f"{relationship}/{bucket:02x}"
        async for key, row in scan_rows(self._store, TallyPartRow, prefix):
            if row.items:
                yield Sum(int(key[-4:], 16), row.items, row.copies, row.digest)

    async def items(self, relationship: str, part: int) -> AsyncIterator[ItemLine]:
        """The items of a part."""
        prefix = f"{relationship}/{part:04x}/"
        async for key, row in scan_rows(self._store, TallyItemRow, prefix):
            yield ItemLine(part, key.removeprefix(prefix), row.mark, row.marked, row.last, row.copies, row.digest)

    async def copies(self, relationship: str, item: str, start: int = 0) -> AsyncIterator[CopyLine]:
        """The lines of the copies of an item, from a number on; what never arrived has none."""
        delivered: dict[bytes, bool] = {}
        async for _key, row in scan_rows(self._store, CopyRow, f"{relationship}/{item}/", f"{start:06d}"):
            if row.state == "returned" and row.consignment not in delivered:
                delivered[row.consignment] = await self._delivered(row.consignment)
            if row.state != "returned" or delivered[row.consignment]:
                yield copy_line(row)

    async def _delivered(self, consignment: bytes) -> bool:
        key = ConsignmentRow.table, consignment.hex()
        row = (await self._sequencer.rows.get([key]))[key]
        return not isinstance(row, ConsignmentRow) or row.returned is None

    async def _items_of(self, relationship: str, parts: Iterable[int]) -> ItemLines:
        found: list[ItemLine] = []
        done = 0
        for part in parts:
            if len(found) >= ANSWER_LINES_MAX:
                break
            found += [each async for each in self.items(relationship, part)]
            done += 1
        return ItemLines(done, tuple(found))

    async def _copies_of(self, relationship: str, items: Iterable[str], start: int, room: int) -> list[ItemCopies]:
        found: list[ItemCopies] = []
        for item in items:
            lines: list[CopyLine] = []
            more = False
            async for line in self.copies(relationship, item, start):
                if len(lines) == room:
                    more = True
                    break
                lines.append(line)
            found.append(ItemCopies(item, tuple(lines), more))
            room -= len(lines)
            start = 0
            if more or room <= 0:
                break
        return found

    async def _differing(self, relationship: str, sums: tuple[Sum, ...]) -> DifferingLines:
        here = {each.number: each async for each in self.parts(relationship)}
        there = {each.number: each for each in sums}
        differ = sorted(number for number in here.keys() | there.keys() if here.get(number) != there.get(number))
        items = [line for part in differ async for line in self.items(relationship, part)]
        if sum(1 + line.copies for line in items) > DIFFERING_LINES_MAX:
            raise Misuse("the registers differ in more than one file can say; connect the nodes", code="too-many-lines")
        copies = await self._copies_of(relationship, (line.item for line in items), 0, DIFFERING_LINES_MAX)
        return DifferingLines(tuple(differ), tuple(items), tuple(copies))
