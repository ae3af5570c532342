"""The exchange: hand over what the other party does not have, take what it hands over (``spec/exchange.md``).

The outbox is not a queue: it is this house's chain beyond what the other party says it has. Taking is idempotent, so a
parcel may arrive twice, late or not at all, and nothing is lost or done twice.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha256
from typing import NamedTuple

from comity.errors import Misuse, Rejected, Unavailable
from comity.flows.parcel import (
    INLINE_BLOB_BYTES_MAX,
    INLINE_BYTES_MAX,
    PARCEL_ENTRIES_MAX,
    Parcel,
    Sent,
)
from comity.flows.sequencer import Sequencer
from comity.flows.witnessing import Witnessing, read_head
from comity.flows.work import Draft, Work
from comity.ledger.tree import TreeHead
from comity.ports import Blobs, Keys, Store
from comity.record import bodies
from comity.record.card import Card
from comity.record.encoding import INTEGER_MAX, decode, encode
from comity.record.statement import Record, SeenCheckpoint, chain_id, peek, read
from comity.register.step import FUTURE_TIME, MISSING_PREDECESSOR
from comity.register.verdict import Changes, Held, Rejection

HEADER = "header"
"""Side table of headers of sealed copies, by digest in hex: erasable, which a journal is not."""
COSIGNED = "cosigned"
"""Side table: newest checkpoint of an own chain with the other party's cosignature, by chain."""
THEIR_CHECKPOINT = "their-checkpoint"
"""Side table: newest verified checkpoint of the other party's chain, as it signed it, by chain."""
PEER_HAS = "peer-has"
"""Side table: how many of our records the other party has, by chain."""
CONFLICT = "conflict"
"""Side table: proof that an author wrote two histories; key ``chain/sequence/digest``."""
WAITING = "waiting"
"""Side table: records that arrived before their predecessor; key ``chain/sequence``."""
LARGEST_PAYLOAD = INTEGER_MAX
"""No payload is larger than a record can say."""
WAITING_AHEAD_MAX = 10_000
"""How far beyond the end of a chain a record may be and still be kept waiting."""
HELD = "held"
"""Side table: records that stand in their chain and wait for their time; key ``chain/sequence``, and ``chain`` for the
first and the end of them: an author's records go forward in time, so they are the last ones."""


class Arrived(NamedTuple):
    """A verified record of the other party with its salt."""

    record: Record
    salt: bytes


class Exchange:
    """The exchange of one house with all its peers.

    ``follow`` is called with each record of the other party that took effect, inside the change that takes it up.
    """

    def __init__(
        self,
        party: str,
        store: Store,
        blobs: Blobs,
        keys: Keys,
        sequencer: Sequencer,
        peer_card: Callable[[str], Awaitable[Card]],
        follow: Callable[[Work, Record], Awaitable[None]],
    ) -> None:
        self._party = party
        self._store = store
        self._blobs = blobs
        self._witnessing = Witnessing(party, keys)
        self._sequencer = sequencer
        self._peer_card = peer_card
        self._peer_has: dict[str, int] = {}
        self._follow = follow
        self._their: dict[str, bytes] = {}
        self._cosigned: dict[str, bytes] = {}

    async def resume(self, relationship: str, peer: str) -> None:
        """Take up, after a start, what was last seen of a peer's chain: our records go on citing it."""
        note = (await self._store.get(THEIR_CHECKPOINT, [chain_id(relationship, peer)]))[0]
        if note is not None:
            head = read_head(note)
            self._sequencer.seen[relationship] = SeenCheckpoint(head.size, head.root)

    # ---- handing over --------------------------------------------------------------------------------------------

    async def pack(
        self, relationship: str, peer: str, start: int | None = None, payload_bytes_max: int = LARGEST_PAYLOAD
    ) -> Parcel:
        """What ``peer`` does not have yet, up to the limits of one parcel.

        Nothing leaves that is not under the high-water mark, which is as far as the sequencer's head shows.

        Args:
            relationship: with whom.
            peer: party id of the other side.
            start: our records from here on, instead of those it said it does not have.
            payload_bytes_max: stop before a record whose payload is larger; a reply cannot upload one first.

        Raises:
            Unavailable: the high-water mark cannot be written now.
        """
        await self._sequencer.raise_mark()
        own, theirs = chain_id(relationship, self._party), chain_id(relationship, peer)
        size = self._sequencer.head(own).size
        if start is None:
            start = await self.peer_has(own)
        entries: list[Sent] = []
        headers: list[bytes] = []
        blobs: list[bytes] = []
        inline = 0
        for entry in await self._store.chain(own, start, max(0, min(PARCEL_ENTRIES_MAX, size - start))):
            body = consignment_in(entry.envelope)
            if body is not None and body.size > payload_bytes_max:
                break
            attached = await self._attachments(body) if body is not None else ([], [])
            inline += sum(map(len, attached[0])) + sum(map(len, attached[1]))
            if entries and inline > INLINE_BYTES_MAX:
                break
            entries.append(Sent(entry.envelope, entry.salt))
            headers += attached[0]
            blobs += attached[1]
        return Parcel(
            format="comity-parcel/1",
            relationship=relationship,
            sender=self._party,
            receiver=peer,
            start=start,
            entries=tuple(entries),
            checkpoint=self.checkpoint(own),
            cosigned=await self.cosign_theirs(theirs),
            have=self._sequencer.head(theirs).size,
            headers=tuple(headers),
            blobs=tuple(blobs),
        )

    async def large_blobs(self, parcel: Parcel) -> list[tuple[bytes, int]]:
        """Digest and size of the sealed payloads that the parcel's records name but that are too large for it."""
        large = []
        for sent in parcel.entries:
            body = consignment_in(sent.envelope)
            if body is not None and body.size > INLINE_BLOB_BYTES_MAX:
                large.append((body.payload, body.size))
        return large

    async def peer_has(self, chain: str) -> int:
        """How many of our records in ``chain`` the other party has said it has."""
        if chain not in self._peer_has:
            value = (await self._store.get(PEER_HAS, [chain]))[0]
            self._peer_has[chain] = min(int.from_bytes(value or b"", "big"), self._sequencer.head(chain).size)
        return self._peer_has[chain]

    def checkpoint(self, chain: str) -> bytes:
        """Our signed checkpoint over the committed ledger of an own chain; empty while it has no record."""
        return self._witnessing.checkpoint(chain, self._sequencer.head(chain))

    async def cosign_theirs(self, chain: str) -> bytes:
        """Their newest checkpoint that our copy agrees with, with our cosignature; empty when there is none."""
        note = self._their.get(chain) or (await self._store.get(THEIR_CHECKPOINT, [chain]))[0]
        if note is None:
            return b""
        return self._witnessing.cosign(note, int(self._sequencer.now().timestamp()))

    async def _attachments(self, body: bodies.Consigned) -> tuple[list[bytes], list[bytes]]:
        digests = [copy.header.hex() for copy in body.copies]
        headers = [header for header in await self._store.get(HEADER, digests) if header is not None]
        blobs: list[bytes] = []
        if body.size <= INLINE_BLOB_BYTES_MAX and await self._blobs.size(body.payload) is not None:
            async with self._blobs.open(body.payload) as blob:
                blobs.append(blob.read())
        return headers, blobs

    # ---- taking --------------------------------------------------------------------------------------------------

    async def unpack(self, peer: str, parcel: Parcel) -> None:
        """Take a parcel from an authenticated peer: verify, keep, register and answer, all durable on return.

        Raises:
            Rejected: a record, note or payload in it is not what it must be; nothing of the parcel was taken, except
                that a contradiction is kept as evidence.
            Misuse: it is for another party or relationship.
            Unavailable: ``missing-blob``: a payload that its records name is not here yet.
        """
        if (parcel.sender, parcel.receiver) != (peer, self._party):
            raise Misuse(
                f"a parcel from {parcel.sender!r} to {parcel.receiver!r}, brought to {self._party!r} by {peer!r}",
                code="other-receiver",
            )
        card = await self._peer_card(peer)
        own, theirs = chain_id(parcel.relationship, self._party), chain_id(parcel.relationship, peer)
        arrived = await self._verify(parcel, card, theirs)
        seen = (
            self._witnessing.read_theirs(parcel.checkpoint, theirs, card).checkpoint.head if parcel.checkpoint else None
        )
        if parcel.cosigned:
            self._witnessing.read_cosigned(parcel.cosigned, own, card)
        head = self._sequencer.head(own)
        if parcel.have > head.size:
            raise Rejected(
                f"{peer!r} has {parcel.have} records of ours in {own!r}, but only {head.size} are here: this database "
                "is an older copy; put the newest one back before anything is signed",
                code="restored-database",
            )
        headers = {sha256(header).digest(): header for header in parcel.headers}
        await self._keep_blobs(parcel, arrived, headers)
        if arrived or await self._is_news(own, theirs, parcel):
            await self._sequencer.submit(lambda work: self._take(work, parcel, arrived, seen, headers))
        self._peer_has[own] = parcel.have
        self._cosigned[own] = parcel.cosigned
        if seen is not None and seen.size == self._sequencer.head(theirs).size:
            self._their[theirs] = parcel.checkpoint
            self._sequencer.seen[parcel.relationship] = SeenCheckpoint(seen.size, seen.root)

    async def _is_news(self, own: str, theirs: str, parcel: Parcel) -> bool:
        """Whether a parcel without new records still says something that is to be kept."""
        return (
            parcel.have != await self.peer_has(own)
            or parcel.checkpoint != self._their.get(theirs, parcel.checkpoint)
            or (await self._store.get(HELD, [theirs]))[0] is not None
            or (
                bool(parcel.cosigned)
                and checkpoint_text(parcel.cosigned) != checkpoint_text(self._cosigned.get(own, b""))
            )
        )

    async def _verify(self, parcel: Parcel, card: Card, chain: str) -> list[Arrived]:
        """The parcel's records that are new here, each verified and standing where the parcel says."""
        have = self._sequencer.head(chain).size
        arrived: list[Arrived] = []
        for offset, sent in enumerate(parcel.entries):
            sequence = parcel.start + offset
            place = f"{chain} record {sequence}"
            if sequence < have:
                await self._same_as_before(chain, sequence, sent, card, place)
                continue
            record = read(sent.envelope, card.node_sign, place)
            if record.statement.chain != chain or record.statement.sequence != sequence:
                raise Rejected(
                    f"it says it is record {record.statement.sequence} of {record.statement.chain!r}",
                    code="wrong-place",
                    place=place,
                )
            if sequence > have + WAITING_AHEAD_MAX:
                raise Rejected(f"too far beyond record {have}, the last one here", code="too-far", place=place)
            arrived.append(Arrived(record, sent.salt))
        return arrived

    async def _same_as_before(self, chain: str, sequence: int, sent: Sent, card: Card, place: str) -> None:
        known = await self._store.chain(chain, sequence, 1)
        if known and known[0].envelope == sent.envelope and known[0].salt == sent.salt:
            return
        record = read(sent.envelope, card.node_sign, place)
        await self._keep_conflict(chain, sequence, sent.envelope)
        raise Rejected(
            f"{card.party!r} signed two different records {sequence} of {chain!r} (this one {record.id.hex()[:16]}…): "
            "both are kept as evidence",
            code="fork",
            place=place,
        )

    async def _keep_conflict(self, chain: str, sequence: int, proof: bytes) -> None:
        key = f"{chain}/{sequence:012d}/{sha256(proof).hexdigest()}"

        async def keep(work: Work) -> None:
            work.put_side(CONFLICT, key, proof)

        await self._sequencer.submit(keep)

    async def _keep_blobs(self, parcel: Parcel, arrived: Sequence[Arrived], headers: dict[bytes, bytes]) -> None:
        carried = {sha256(blob).digest(): blob for blob in parcel.blobs}
        wanted: dict[bytes, bytes] = {}
        for record, _ in arrived:
            body = record.body
            if not isinstance(body, bodies.Consigned):
                continue
            blob = carried.get(body.payload)
            size = len(blob) if blob is not None else await self._blobs.size(body.payload)
            if size is None:
                raise Unavailable(
                    f"the sealed payload {body.payload.hex()[:16]}… of item {body.item!r} is not here yet",
                    code="missing-blob",
                )
            if size != body.size:
                raise Rejected(
                    f"the sealed payload of item {body.item!r} has {size} bytes, its record says {body.size}",
                    code="blob-size",
                )
            if blob is not None:
                wanted[body.payload] = blob
            for copy in body.copies:
                if copy.header not in headers and (await self._store.get(HEADER, [copy.header.hex()]))[0] is None:
                    raise Rejected(
                        f"the header of copy {copy.number} of item {body.item!r} is missing or was altered",
                        code="missing-header",
                    )
        if wanted:
            await self._blobs.put_many(wanted)

    async def _take(
        self,
        work: Work,
        parcel: Parcel,
        arrived: Sequence[Arrived],
        seen: TreeHead | None,
        headers: dict[bytes, bytes],
    ) -> None:
        theirs = chain_id(parcel.relationship, parcel.sender)
        own = chain_id(parcel.relationship, self._party)
        await self._settle(work, theirs)
        for item in arrived:
            await self._enter(work, theirs, item, headers)
        if seen is not None:
            head = await work.root(theirs)
            if seen.size == head.size:
                if seen.root != head.root:
                    raise Rejected(
                        f"the checkpoint of {theirs!r} at {head.size} does not match the records that it covers",
                        code="two-histories",
                    )
                work.put_side(THEIR_CHECKPOINT, theirs, parcel.checkpoint)
        if parcel.cosigned:
            before = await work.side_value(COSIGNED, own)
            if before is None or read_head(parcel.cosigned).size >= read_head(before).size:
                work.put_side(COSIGNED, own, parcel.cosigned)
        work.put_side(PEER_HAS, own, parcel.have.to_bytes(8, "big"))

    async def _enter(self, work: Work, chain: str, item: Arrived, headers: dict[bytes, bytes]) -> None:
        """One record into the chain, or among the waiting; whoever waited for it follows."""
        tip = await work.tip(chain)
        sequence = item.record.statement.sequence
        if sequence < tip.size:
            return
        if sequence > tip.size:
            await self._wait(work, chain, item, headers)
            return
        following: Arrived | None = item
        while following is not None:
            await self._append(work, chain, following, headers)
            sequence += 1
            following = await self._kept(work, WAITING, chain, sequence)
            if following is not None:
                work.put_side(WAITING, kept_key(chain, sequence), None)

    async def _append(self, work: Work, chain: str, item: Arrived, headers: dict[bytes, bytes]) -> None:
        record, salt = item
        sequence = record.statement.sequence
        if record.statement.previous != (await work.tip(chain)).last:
            raise Rejected(
                f"record {sequence} does not follow the record {sequence - 1} that stands here: its author wrote two "
                "histories",
                code="fork",
                place=chain,
            )
        verdict = await work.judge(record)
        work.append(record, salt, verdict)
        self._keep_headers(work, record, headers)
        if isinstance(verdict, Held) and verdict.code == FUTURE_TIME:
            span = await work.side_value(HELD, chain)
            first = sequence if span is None else decode(span, tuple[int, int])[0]
            work.put_side(HELD, chain, encode((first, sequence + 1)))
            work.put_side(HELD, kept_key(chain, sequence), encode((record.envelope, salt)))
        await self._answer(work, record, verdict)

    async def _wait(self, work: Work, chain: str, item: Arrived, headers: dict[bytes, bytes]) -> None:
        """Keep a record whose predecessor is not here, once."""
        record, salt = item
        key = kept_key(chain, record.statement.sequence)
        if await work.side_value(WAITING, key) is None:
            work.journal(record, salt, Held(MISSING_PREDECESSOR, "its predecessor is not here"), extends=False)
            work.put_side(WAITING, key, encode((record.envelope, salt)))
            self._keep_headers(work, record, headers)

    async def _settle(self, work: Work, chain: str) -> None:
        """Judge again, in order, the records of a chain that were held until their time."""
        span = await work.side_value(HELD, chain)
        if span is None:
            return
        first, end = decode(span, tuple[int, int])
        for sequence in range(first, end):
            item = await self._kept(work, HELD, chain, sequence)
            if item is None:
                continue
            verdict = await work.judge(item.record)
            if isinstance(verdict, Held):
                work.put_side(HELD, chain, encode((sequence, end)))
                return
            work.put_side(HELD, kept_key(chain, sequence), None)
            work.journal(item.record, item.salt, verdict, extends=False)
            await self._answer(work, item.record, verdict)
        work.put_side(HELD, chain, None)

    async def _kept(self, work: Work, table: str, chain: str, sequence: int) -> Arrived | None:
        """A record that waits or is held, verified again; None where there is none."""
        value = await work.side_value(table, kept_key(chain, sequence))
        if value is None:
            return None
        envelope, salt = decode(value, tuple[bytes, bytes])
        card = await self._peer_card(chain.rpartition("/")[2])
        return Arrived(read(envelope, card.node_sign), salt)

    def _keep_headers(self, work: Work, record: Record, headers: dict[bytes, bytes]) -> None:
        if isinstance(record.body, bodies.Consigned):
            for copy in record.body.copies:
                if copy.header in headers:
                    work.put_side(HEADER, copy.header.hex(), headers[copy.header])

    async def _answer(self, work: Work, record: Record, verdict: Changes | Held | Rejection) -> None:
        relationship = record.statement.relationship
        item: str | None = None
        copies: tuple[int, ...] = ()
        if isinstance(record.body, bodies.Consigned):
            item, copies = record.body.item, tuple(copy.number for copy in record.body.copies)
        if isinstance(verdict, Rejection) and not isinstance(record.body, bodies.Returned):
            body = bodies.Returned(
                record=record.id, code=verdict.code, reason=verdict.sentence, item=item, copies=copies
            )
            await work.say(Draft(relationship, body))
        elif isinstance(verdict, Changes) and item is not None:
            receipt = bodies.Received(consignment=record.id, item=item, copies=copies)
            await work.say(Draft(relationship, receipt))
        elif isinstance(verdict, Changes):
            await self._follow(work, record)


def kept_key(chain: str, sequence: int) -> str:
    """Key of a record that waits or is held."""
    return f"{chain}/{sequence:012d}"


def consignment_in(envelope: bytes) -> bodies.Consigned | None:
    """The consignment in an envelope of our own journal; None when it is another record."""
    statement = peek(envelope)
    if statement.type != bodies.Consigned.kind:
        return None
    return decode(bytes(statement.body), bodies.Consigned)


def checkpoint_text(note: bytes) -> bytes:
    """The text of a signed note, without its signatures (a cosignature says the same thing anew each second)."""
    return note.rpartition(b"\n\n")[0]
