"""Handing batches to the recipient over one channel, until it is cut (``spec/feed.md`` step 15).

The recipient calls and says what it has; it gets every batch from there on, as fast as it acknowledges them.
"""

from __future__ import annotations

import asyncio
from collections import deque

from comity.errors import ComityError, Rejected, Unavailable
from comity.feed.batch import read_frame, signed_anew
from comity.feed.delivery import BATCHES_UNDER_WAY_MAX, BYTES_UNDER_WAY_MAX, Acknowledged, Have, read_word
from comity.flows.feeding.names import Authority
from comity.flows.feeding.publishing import Publisher
from comity.flows.feeding.together import until_one_ends
from comity.ledger.checkpoint import Checkpoint
from comity.ledger.note import Note, OpenNote, Signature, open_note
from comity.ledger.tree import EMPTY_ROOT
from comity.ports import Channel

DISOWNED = (
    "this database was restored from a copy, and nothing more is published on it; put back the newer one, or end the "
    "release and release the feed under another name"
)
"""What is said of a log that is not the one that the recipient has, and what to do."""


class Delivery:
    """One recipient, connected to one feed of ours.

    Args:
        publisher: of the feed.
        link: to the recipient.
        authority: is told of what the recipient signed that does not fit.
    """

    def __init__(self, publisher: Publisher, link: Channel, authority: Authority | None = None) -> None:
        self._publisher = publisher
        self._link = link
        self._authority = authority
        self._sent = 0
        self._acknowledged = 0
        self._sizes: deque[int] = deque()
        self._moved = asyncio.Event()

    async def run(self) -> None:
        """Until the channel is cut, or the other side says what cannot be.

        Raises:
            Unavailable: the channel was cut.
            Rejected: ``two-histories``, ``restored-database``, ``bad-acknowledgement``, ``bad-word``.
        """
        await self._begin()
        await until_one_ends(self._send(), self._listen())

    async def _begin(self) -> None:
        """Begin where the recipient stands, if that is in our log."""
        publisher = self._publisher
        word = read_word(await self._link.receive())
        if not isinstance(word, Have) or (not word.size and word.root != EMPTY_ROOT):
            raise Rejected("a recipient first says what it has", code="bad-word")
        if word.size > publisher.size:
            raise await self._disown(
                f"the recipient of {publisher.name} has {word.size} batches, and here are {publisher.size}",
                "restored-database",
            )
        if word.root != await self._root(word.size):
            await self._keep([await self._note(word.size), word.root], signed=False)
            raise await self._disown(f"the recipient has another history of {publisher.name}", "two-histories")
        await publisher.resume()
        if word.size < publisher.acknowledged:  # it had them: the cosignature says so
            publisher.counts["acknowledged and lost"] += 1
            await self._keep([publisher.cosigned, b"%d" % word.size], signed=False)
        self._sent = self._acknowledged = word.size

    async def _send(self) -> None:
        publisher = self._publisher
        while True:
            await publisher.wait_for(self._sent)
            frame = await self._frame(self._sent)
            while len(self._sizes) >= BATCHES_UNDER_WAY_MAX or sum(self._sizes) >= BYTES_UNDER_WAY_MAX:
                self._moved.clear()
                await self._moved.wait()
            self._sent += 1
            self._sizes.append(len(frame))
            await self._link.send(frame)
            publisher.counts["sent"] += 1

    async def _listen(self) -> None:
        while True:
            word = read_word(await self._link.receive())
            if not isinstance(word, Acknowledged) or not self._acknowledged <= word.size <= self._sent:
                raise self._bad("it acknowledges what it was not sent")
            note = Note.parse(await self._note(word.size)) if word.size else None
            if note is None:
                raise self._bad("there is nothing to acknowledge")
            try:
                signature = Signature.parse(word.cosignature.removesuffix("\n"))
                said = open_note(Note(note.text, (signature,)), self._publisher.parties.peer_witness_keys)
            except ComityError as error:
                raise self._bad(str(error)) from None
            if word.size < self._publisher.acknowledged:
                await self._look_back(said)
            while self._acknowledged < word.size:
                self._acknowledged += 1
                self._sizes.popleft()
            self._moved.set()
            self._publisher.acknowledge(word.size, Note(note.text, (*note.signatures, signature)).encode())

    async def _look_back(self, said: OpenNote) -> None:
        """Keep it as evidence where the recipient acknowledged more at an earlier time."""
        kept = Note.parse(self._publisher.cosigned)
        before = open_note(kept, self._publisher.parties.peer_witness_keys)
        times = [each.verified[0].time or 0 for each in (before, said)]
        if times[0] < times[1]:
            both = [Note(each.note.text, (each.verified[0].signature,)).encode() for each in (before, said)]
            await self._keep(both)

    async def _disown(self, found: str, code: str) -> Rejected:
        """Nothing more is published on what is here; ``found`` says what shows that it is not what the peer has."""
        error = Rejected(f"{found}: {DISOWNED}", code=code)
        await self._publisher.disown(error)
        return error

    def _bad(self, why: str) -> Rejected:
        self._publisher.counts["bad acknowledgements"] += 1
        return Rejected(f"an acknowledgement of {self._publisher.name} is none: {why}", code="bad-acknowledgement")

    async def _frame(self, index: int) -> bytes:
        """A batch, its checkpoint signed by the present log key: the one that sealed it may be revoked by now (15)."""
        log, known = self._publisher.parties.log, self._publisher.under_way.get(index)
        if known is not None and known.key == log.public:
            return known.frame
        found = known.frame if known is not None else await self._publisher.shelf.read_frame(index)
        if found is None:
            raise Unavailable(f"batch {index} of {self._publisher.name} is not kept here", code="missing-batch")
        return signed_anew(found, log)

    async def _note(self, size: int) -> bytes:
        """The checkpoint after so many batches, as we signed it."""
        return read_frame(await self._frame(size - 1)).note

    async def _root(self, size: int) -> bytes:
        return Checkpoint.parse(Note.parse(await self._note(size)).text).head.root if size else EMPTY_ROOT

    async def _keep(self, shown: list[bytes], *, signed: bool = True) -> None:
        shelf = self._publisher.shelf
        if await shelf.keep_evidence(shown, signed=signed) and self._authority is not None:
            await self._authority.contradicted(self._publisher.name, shown, shelf)
