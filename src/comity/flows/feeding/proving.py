"""Logging what was published, and proving one message of it (``spec/feed.md`` steps 8 and 18)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from comity.errors import Misuse, Rejected, Unavailable
from comity.feed.batch import Contents, Frame, read_frame, unseal
from comity.feed.originals import Originals
from comity.feed.proof import FORMAT, OriginalProof, OriginalsReader, Proof, prove_original, prove_view
from comity.flows.feeding.names import Authority, FeedName
from comity.flows.feeding.shelf import Shelf
from comity.ledger.checkpoint import Checkpoint
from comity.ledger.note import Note
from comity.ledger.proof import tiles_for_inclusion

PACED_MESSAGES_MAX = 64
"""Most messages of a batch whose originals' root is worked out on the event loop: a millisecond of work."""
PACE_SECONDS = 0.001


class Kept:
    """What is kept of a feed, ours or the other party's, as proofs need it."""

    def __init__(self, name: FeedName, shelf: Shelf, authority: Authority) -> None:
        self.name = name
        self.shelf = shelf
        self._authority = authority
        self._readers: dict[str, OriginalsReader] = {}

    async def batch(self, index: int) -> tuple[Frame, Contents]:
        """A batch of the log, opened.

        Raises:
            Unavailable: it, or its key, is not here.
        """
        data = await self.shelf.read_frame(index)
        if data is None:
            raise Unavailable(f"batch {index} of {self.name} is not kept here", code="missing-batch")
        frame = read_frame(data)
        key = await self._authority.epoch_key(self.name, frame.place.epoch)
        if key is None:
            raise Unavailable(f"the key of epoch {frame.place.epoch} of {self.name} is not here", code="unknown-epoch")
        return frame, unseal(frame, key)

    async def original_roots(self, first: int, end: int) -> list[bytes]:
        """The roots over the originals of some batches, each worked out once.

        Where batches are small, each is less work than handing it to a thread, and whoever waits meanwhile waits for
        one of them: there is a pause after each, so that none holds up what is published.
        """
        found, puts = await self.shelf.read_roots(first, end), []
        for index in range(first, end):
            if index not in found:
                frame, contents, originals, reader = await self._originals(index)
                if len(originals.raws) <= PACED_MESSAGES_MAX:
                    _, tree = reader.read(contents, frame.place.first, originals)
                    await asyncio.sleep(PACE_SECONDS)
                else:
                    _, tree = await asyncio.to_thread(reader.read, contents, frame.place.first, originals)
                found[index] = tree.root
                puts.append(self.shelf.original_root(index, tree.root))
        if puts:
            await self.shelf.commit(puts)
        return [found[index] for index in range(first, end)]

    async def prove(
        self, number: int, show: Sequence[str] = (), logged: tuple[int, int] | None = None, cosigned: bytes = b""
    ) -> Proof:
        """The proof of a message.

        Args:
            number: its number in the feed.
            show: fields of its original to show; needs ``logged``.
            logged: the first batch and how many were logged together with its own, where its original is proved too.
            cosigned: a newer checkpoint with its cosignature than the one on the shelf.

        Raises:
            Misuse: there is no such message, or its original has no such field.
            Unavailable: something of it is not here.
        """
        state = await self.shelf.read_state()
        index = await self.shelf.find(number) if 0 <= number < state.first else None
        if index is None:
            raise Misuse(f"there is no message {number} in {self.name}; it has {state.first}", code="unknown-message")
        frame, contents = await self.batch(index)
        checkpoint = _checkpoint(cosigned or state.cosigned, index, frame)
        size = Checkpoint.parse(Note.parse(checkpoint).text).head.size
        wanted = [(tile.level, tile.index) for tile in tiles_for_inclusion(index, size)]
        tiles = await self.shelf.read_tiles(wanted, state.log)
        place = number - frame.place.first
        view = prove_view(
            origin=self.name.origin,
            seed=contents.seed,
            first=frame.place.first,
            views=contents.views,
            place=place,
            leaf_salt=frame.salt,
            batch=index,
            size=size,
            read_tile=lambda level, at: tiles.get((level, at), b""),
            checkpoint=checkpoint,
        )
        original = None if logged is None else await self._prove_original(index, place, show, *logged)
        return Proof(format=FORMAT, view=view, original=original)

    async def _prove_original(
        self, index: int, place: int, show: Sequence[str], first: int, count: int
    ) -> OriginalProof:
        frame, contents, originals, reader = await self._originals(index)
        messages, tree = await asyncio.to_thread(reader.read, contents, frame.place.first, originals)
        kind = reader.committers[type(messages[place]).__name__]
        for name in show:
            if name not in kind.names:
                raise Misuse(f"the message has no field {name!r}", code="unknown-field")
        roots = await self.original_roots(first, first + count)
        return prove_original(tree, place, messages[place], kind, show, roots, index - first)

    async def _originals(self, index: int) -> tuple[Frame, Contents, Originals, OriginalsReader]:
        frame, contents = await self.batch(index)
        originals = await self.shelf.read_originals(index)
        if originals is None:
            raise Misuse(f"what was published is not here: {self.name} is another party's", code="not-published-here")
        reader = self._readers.get(originals.schema)
        if reader is None:
            schema = await self.shelf.read_schema(originals.schema)
            if schema is None:
                raise Rejected(f"the schema of batch {index} of {self.name} was not kept", code="damaged")
            reader = self._readers[originals.schema] = OriginalsReader(schema)
        return frame, contents, originals, reader


def _checkpoint(cosigned: bytes, index: int, frame: Frame) -> bytes:
    """The newest checkpoint that is cosigned, if it has the batch; else the one that was signed with it."""
    if cosigned and Checkpoint.parse(Note.parse(cosigned).text).head.size > index:
        return cosigned
    return frame.note
