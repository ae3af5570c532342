"""The exchange: hand over what the other party does not have, take what it hands over (``spec/exchange.md``).

The outbox is not a queue: it is this house's chain beyond what the other party says it has. Taking is idempotent, so a
parcel may arrive twice, late or not at all, and nothing is lost or done twice.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha256

from comity.errors import Misuse, Rejected, Unavailable
from comity.flows.exchanging.carried import Carried, carried, carried_in
from comity.flows.exchanging.parcel import (
    INLINE_BLOB_BYTES_MAX,
    INLINE_BYTES_MAX,
    PARCEL_ENTRIES_MAX,
    Parcel,
    Sent,
)
from comity.flows.exchanging.taking import (
    Arrived,
    Contradiction,
    Follow,
    Headers,
    Taking,
    other_record,
    two_histories,
    waiting_key,
)
from comity.flows.exchanging.witnessing import Witnessing, read_head
from comity.flows.keeping.erasing import HEADER, Erasing
from comity.flows.keeping.payloads import Payloads
from comity.flows.keeping.sequencer import Sequencer, restore_frontier
from comity.flows.keeping.work import Work
from comity.ledger.checkpoint import SignedCheckpoint
from comity.ledger.tree import TreeHead
from comity.ports import Blobs, JournalEntry, Keys, Store
from comity.record.bodies.keys import KeysRotated
from comity.record.card import Card
from comity.record.encoding import INTEGER_MAX, encode
from comity.record.statement import Record, SeenCheckpoint, chain_id, peek
from comity.register.keys import ChainKeys, rotation
from comity.register.rows.keys import ChainKeysRow, chain_keys_key
from comity.register.verdict import Changes, Rejection

COSIGNED = "cosigned"
"""Side table: newest checkpoint of an own chain with the other party's cosignature, by chain."""
THEIR_CHECKPOINT = "their-checkpoint"
"""Side table: newest verified checkpoint of the other party's chain, as it signed it, by chain."""
DOUBTED = "doubted-checkpoint"
"""Side table: chains of which a house that was brought back may have cosigned more than it has, by chain."""
PEER_HAS = "peer-has"
"""Side table: how many of our records the other party has, by chain."""
COSIGNED_UNTIL = "cosigned-until"
"""Side table: no cosignature of this house has a later second than this (POSIX), or than its newest record."""
COSIGNED_AHEAD = 30
CONFLICT = "conflict"
"""Side table: proof that an author wrote two histories; key ``chain/sequence/digest``."""
CONFLICTS_KEPT = 100
"""Most proofs kept about one chain: one is enough to show, and nobody fills a disk or keeps out another's with them."""
LARGEST_PAYLOAD = INTEGER_MAX
"""No payload is larger than a record can say."""
WAITING_AHEAD_MAX = 10_000
"""How far beyond the end of a chain a record may be and still be kept waiting."""


OF_OTHER_KEYS = frozenset({"unknown-key", "revoked-key"})
"""What is wrong with a record that another key than those known of signed."""


class Exchange:
    """The exchange of one house with all its peers.

    ``follow`` is called with each record of the other party that took effect, inside the change that takes it up.
    """

    def __init__(
        self,
        party: str,
        store: Store,
        blobs: Blobs,
        payloads: Payloads,
        keys: Keys,
        sequencer: Sequencer,
        erasing: Erasing,
        peer_card: Callable[[str], Awaitable[Card]],
        own_card: Callable[[], Card | None],
        follow: Follow,
    ) -> None:
        self._party = party
        self._store = store
        self._blobs = blobs
        self._payloads = payloads
        self._witnessing = Witnessing(party, keys, sequencer.now, own_card)
        self._sequencer = sequencer
        self._erasing = erasing
        self._peer_card = peer_card
        self._taking = Taking(store, follow)
        self.settling = self._taking.settling
        self._peer_has: dict[str, int] = {}
        self._agreed: set[str] = set()
        self._cosigned_until: int | None = None
        self._cosigned_from = 0
        self._kept: dict[tuple[str, str], int] = {}

    async def resume(self, relationship: str, peer: str) -> None:
        """Take up, after a start, what was last seen of a peer's chain: our records go on citing it."""
        theirs = chain_id(relationship, peer)
        note = (await self._store.get(THEIR_CHECKPOINT, [theirs]))[0]
        seen = cited = await self._last_cited(chain_id(relationship, self._party))
        if note is not None and not await self.settling.holds(theirs):  # (19)
            head = read_head(note)
            seen = cited if cited is not None and cited.size > head.size else SeenCheckpoint(head.size, head.root)
        if seen is not None:
            self._sequencer.seen[relationship] = seen

    async def _last_cited(self, own: str) -> SeenCheckpoint | None:
        """What our newest record cites; the next one cites no less."""
        head = (await self._store.heads([own])).get(own)  # the sequencer may not have started yet
        newest = await self._store.chain(own, head.size - 1, 1) if head is not None else ()
        return peek(newest[0].envelope).seen if newest else None

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
        size = self._sequencer.marked(own).size  # (2)
        if start is None:
            start = await self.peer_has(own)
        entries, headers, blobs = await self._gather(own, start, size, payload_bytes_max)
        doubted = (await self._store.get(DOUBTED, [theirs]))[0] is not None
        return Parcel(
            format="comity-parcel/1",
            relationship=relationship,
            sender=self._party,
            receiver=peer,
            start=start,
            entries=tuple(entries),
            checkpoint=self.checkpoint(own),
            cosigned=b"" if doubted else await self.cosign_theirs(theirs),
            have=self._sequencer.head(theirs).size,
            headers=tuple(headers),
            blobs=tuple(blobs),
        )

    async def give_back(self, relationship: str, peer: str, start: int) -> Parcel:
        """What ``peer`` itself has said, as it is kept here, for a peer that has lost it (``spec/backup.md`` 43)."""
        theirs = chain_id(relationship, peer)
        size = self._sequencer.head(theirs).size
        entries, headers, blobs = await self._gather(theirs, start, size, LARGEST_PAYLOAD)
        return Parcel(
            format="comity-parcel/1",
            relationship=relationship,
            sender=peer,
            receiver=self._party,
            start=start,
            entries=tuple(entries),
            checkpoint=b"" if self._sequencer.is_held else await self.cosign_theirs(theirs),
            cosigned=b"",
            have=size,
            headers=tuple(headers),
            blobs=tuple(blobs),
        )

    async def verify_given_back(self, parcel: Parcel, card: Card, chain: str) -> list[Arrived]:
        """What is new here of records that a peer gives back, each signed by the author of ``chain``."""
        arrived, _ = await self._verify(parcel, card, chain)
        return arrived

    async def check_cosigned(self, note: bytes, chain: str, card: Card) -> int:
        """How many records of an own chain a checkpoint covers that the party of ``card`` cosigned.

        Raises:
            Rejected: it is not ours, or not cosigned; or the records here are not those under it.
        """
        stated = self._witnessing.read_cosigned(note, chain, card).checkpoint.head
        await self._check_ledger(chain, stated, note, f"our own key signed two histories of {chain!r}, one is cosigned")
        return stated.size

    async def take_word(self, work: Work, own: str, have: int, note: bytes, chain: str, card: Card) -> None:
        """Keep what fetched parcels say besides: what the peer has, and its checkpoint over all that is here of it.

        Raises:
            Rejected: it signed two histories.
        """
        work.put_side(PEER_HAS, own, have.to_bytes(8, "big"))
        stated = await self._check_checkpoint(note, chain, card)
        if stated is not None and stated.size == self._sequencer.head(chain).size:
            self._keep_note(work, THEIR_CHECKPOINT, chain, note)
            work.put_side(DOUBTED, chain, None)
        elif note:
            self.doubt_word(work, chain)

    def doubt_word(self, work: Work, chain: str) -> None:
        """Cosign nothing of a peer's chain until it says anew where that stands: more of it may be cosigned already."""
        work.put_side(DOUBTED, chain, b"1")

    def ask_again(self, own: str) -> None:
        """Read anew what the peer has of an own chain."""
        self._peer_has.pop(own, None)

    async def answer_again(self, work: Work, record: Record, entry: JournalEntry) -> None:
        """Say and do what follows on a record that was taken up without (``spec/backup.md`` step 51)."""
        verdict = Changes(()) if entry.verdict == Changes.word else Rejection(entry.reason, entry.reason)
        await self._taking.answer(work, record, verdict)

    async def _gather(
        self, chain: str, start: int, size: int, payload_bytes_max: int
    ) -> tuple[list[Sent], list[bytes], list[bytes]]:
        """Records of a chain for one parcel, with the headers and small payloads that they name."""
        entries: list[Sent] = []
        headers: list[bytes] = []
        blobs: list[bytes] = []
        inline = 0
        for entry in await self._store.chain(chain, start, max(0, min(PARCEL_ENTRIES_MAX, size - start))):
            with_it = carried_in(entry.envelope)
            if with_it is not None and with_it.size > payload_bytes_max:  # (3)
                break
            attached = await self._attachments(with_it) if with_it is not None else ([], [])
            inline += sum(map(len, attached[0])) + sum(map(len, attached[1]))
            if entries and inline > INLINE_BYTES_MAX:
                break
            entries.append(Sent(entry.envelope, entry.salt))
            headers += attached[0]
            blobs += attached[1]
        return entries, headers, blobs

    async def large_blobs(self, parcel: Parcel) -> list[tuple[bytes, int]]:
        """Digest and size of the sealed payloads that the parcel's records name but that are too large for it."""
        large = []
        for sent in parcel.entries:
            with_it = carried_in(sent.envelope)
            if with_it is not None and with_it.size > INLINE_BLOB_BYTES_MAX:
                large.append((with_it.payload, with_it.size))
        return large

    async def peer_has(self, chain: str) -> int:
        """How many of our records in ``chain`` the other party has said it has."""
        if chain not in self._peer_has:
            value = (await self._store.get(PEER_HAS, [chain]))[0]
            self._peer_has[chain] = min(int.from_bytes(value or b"", "big"), self._sequencer.head(chain).size)
        return self._peer_has[chain]

    def checkpoint(self, chain: str) -> bytes:
        """Our signed checkpoint over the committed ledger of an own chain; empty while it has no record."""
        return self._witnessing.checkpoint(chain, self._sequencer.marked(chain))

    async def witnessed(self, chain: str, peer: str) -> SignedCheckpoint | None:
        """Our newest checkpoint of an own chain that the other party cosigned; None while it cosigned none."""
        note = (await self._store.get(COSIGNED, [chain]))[0]
        return None if note is None else self._witnessing.read_kept_cosigned(note, chain, await self._peer_card(peer))

    async def cosign_theirs(self, chain: str) -> bytes:
        """Their newest checkpoint that our copy agrees with, with our cosignature; empty when there is none.

        Raises:
            Rejected: what is kept as their checkpoint is not what they signed, or our copy does not agree.
        """
        at = await self._cosigning_at()  # before it is read: never a later time over less of it
        note = (await self._store.get(THEIR_CHECKPOINT, [chain]))[0]
        if note is None:
            return b""
        card = await self._peer_card(chain.rpartition("/")[2])
        stated = self._witnessing.read_kept(note, chain, card).checkpoint.head
        await self._check_ledger(chain, stated, note, "the checkpoint kept here was altered")  # (17)
        await self.check_cited(chain)
        return self._witnessing.cosign(note, at)

    async def check_cited(self, chain: str) -> None:
        """What our newest record cites of a peer's chain is what we have of it, once after each start.

        A house that was brought back has its peer's records from that peer alone: one that has rewritten them would
        have us cosign against our own word (``spec/backup.md`` step 48).

        Raises:
            Rejected: ``two-histories``: it was another one.
        """
        relationship, _, peer = chain.rpartition("/")
        if chain in self._agreed:
            return
        cited = await self._last_cited(chain_id(relationship, self._party))
        if cited is not None:
            if cited.size > self._sequencer.head(chain).size:
                return
            try:
                await restore_frontier(self._store, chain, TreeHead(cited.size, cited.root))
            except Rejected:
                raise Rejected(
                    f"our own record cites {cited.size} records of {peer!r} that are not those here: it has signed two "
                    "histories, or this copy was altered",
                    code="two-histories",
                    place=chain,
                ) from None
        self._agreed.add(chain)

    async def _cosigning_at(self) -> int:
        """The second of a cosignature: before that of no other, whatever the clock did and however this house ended.

        A restart goes on from the newest record, or from the second that is kept here, a little ahead so that few are.

        Raises:
            DiskFull, Unavailable: it cannot be kept, so nothing is cosigned.
        """
        if self._cosigned_until is None:
            value = (await self._store.get(COSIGNED_UNTIL, ["self"]))[0]
            self._cosigned_until = self._cosigned_from = int.from_bytes(value or b"", "big")
        at = max(int(self._sequencer.now().timestamp()), self._cosigned_from)
        newest = self._sequencer.last_instant
        if at > max(self._cosigned_until, int(newest.timestamp()) if newest is not None else 0):
            until = at + COSIGNED_AHEAD

            async def keep(work: Work) -> None:
                work.put_side(COSIGNED_UNTIL, "self", until.to_bytes(8, "big"))

            await self._sequencer.submit(keep)
            self._cosigned_until = max(self._cosigned_until, until)
        return at

    async def _attachments(self, body: Carried) -> tuple[list[bytes], list[bytes]]:
        digests = [digest.hex() for _, digest in body.headers]
        found = [await self._sequencer.rows.side(HEADER, digest) for digest in digests]
        headers = [header for header in found if header is not None]
        payload = await self._payloads.get(body.payload) if body.size <= INLINE_BLOB_BYTES_MAX else None
        return headers, [] if payload is None else [payload]

    # ---- taking --------------------------------------------------------------------------------------------------

    async def unpack(self, peer: str, parcel: Parcel) -> None:
        """Take a parcel from an authenticated peer: verify, keep, register and answer, all durable on return.

        Raises:
            Rejected: a record, note or payload in it is not what it must be; nothing of the parcel was taken, except
                that a contradiction is kept as evidence.
            Misuse: it is for another party or relationship.
            Unavailable: ``missing-blob``: a payload that its records name is not here yet.
        """
        try:
            await self._unpack(peer, parcel)
        except Contradiction as found:
            await self.keep(found)
            raise
        await self.settle()

    async def settle(self) -> None:
        """Step held records again whose time has come, or that this program knows and an older one did not (15)."""
        if self.settling.due(self._sequencer.now()):
            await self._sequencer.submit(self.settling.settle)

    async def _unpack(self, peer: str, parcel: Parcel) -> None:
        await self._check_address(peer, parcel)
        arrived, card = await self._verify(parcel, await self._peer_card(peer), chain_id(parcel.relationship, peer))
        named = [with_it.payload for each in arrived if (with_it := carried(each.record.body)) is not None]
        with self._payloads.awaited(named):
            await self._take_up(parcel, card, arrived)

    async def _take_up(self, parcel: Parcel, card: Card, arrived: list[Arrived]) -> None:
        """Take what was verified of a parcel: its payloads first, then all else in one change."""
        own = chain_id(parcel.relationship, self._party)
        theirs = chain_id(parcel.relationship, card.party)
        stated = await self._check_checkpoint(parcel.checkpoint, theirs, card)
        cosigned = await self._check_own(parcel, own, card)
        if cosigned is not None and cosigned.size < await self._kept_size(COSIGNED, own):
            await self._look_back(own, parcel.cosigned, card)
        brought = {sha256(header).digest(): header for header in parcel.headers}
        headers = {digest: each for digest, each in brought.items() if not await self._erasing.is_erased(digest)}
        await self._keep_blobs(parcel, arrived, headers)
        told = bool(arrived) or parcel.have != await self.peer_has(own)
        covers = stated is not None and stated.size == self._sequencer.head(theirs).size
        told = told or (covers and await self._is_newer(THEIR_CHECKPOINT, theirs, stated))
        if told or await self._is_newer(COSIGNED, own, cosigned):
            skipped = await self._sequencer.submit(
                lambda work: self._take(work, parcel, arrived, headers, stated, cosigned)
            )
            await self._compare(skipped, theirs)
        self._peer_has[own] = parcel.have
        held = await self.settling.holds(theirs)
        if stated is not None and stated.size == self._sequencer.head(theirs).size and not held:  # (19)
            self._sequencer.seen[parcel.relationship] = SeenCheckpoint(stated.size, stated.root)

    async def _check_address(self, peer: str, parcel: Parcel) -> None:
        """The parcel is from the authenticated peer, to this house, in a relationship of the two (4)."""
        if (parcel.sender, parcel.receiver) != (peer, self._party):
            raise Misuse(
                f"a parcel from {parcel.sender!r} to {parcel.receiver!r}, brought to {self._party!r} by {peer!r}",
                code="other-receiver",
            )
        if await self._sequencer.rows.peer_in(parcel.relationship) != peer:
            raise Misuse(f"{parcel.relationship!r} is no relationship with {peer!r}", code="other-relationship")

    async def _verify(self, parcel: Parcel, card: Card, chain: str) -> tuple[list[Arrived], Card]:
        """The parcel's records that are new here, each verified and standing where the parcel says (5).

        With them comes the newest card of their author: one that they bring, or ``card``.
        """
        have = self._sequencer.head(chain).size
        known = await self._store.chain(chain, parcel.start, min(len(parcel.entries), max(0, have - parcel.start)))
        keys = await self._chain_keys(card, chain)
        arrived: list[Arrived] = []
        for sequence, sent in enumerate(parcel.entries, start=parcel.start):
            before = known[sequence - parcel.start] if sequence - parcel.start < len(known) else None
            if before is not None and (before.envelope, before.salt) == (sent.envelope, sent.salt):
                continue
            place = waiting_key(chain, sequence)
            try:
                record = keys.read(sent.envelope, sequence, place)
            except Rejected as error:
                if error.code not in OF_OTHER_KEYS:
                    raise
                keys = await self._chain_keys(card, chain, parcel.entries)  # its keys may have changed further on
                record = keys.read(sent.envelope, sequence, place)
            if (record.statement.chain, record.statement.sequence) != (chain, sequence):
                raise Rejected(
                    f"it says it is record {record.statement.sequence} of {record.statement.chain!r}",
                    code="wrong-place",
                    place=place,
                )
            if before is not None:
                raise other_record(record, before)
            if sequence > have + WAITING_AHEAD_MAX:
                raise Rejected(f"too far beyond record {have}, the last one here", code="too-far", place=place)
            if isinstance(record.body, KeysRotated):
                keys = keys.changed(rotation(sent.envelope, card, place))
            arrived.append(Arrived(record, sent.salt))
        return arrived, keys.card

    async def _chain_keys(self, card: Card, chain: str, entries: Sequence[Sent] = ()) -> ChainKeys:
        """Which keys sign the records of a chain, as far as they, or ``entries`` that came, say so."""
        key = chain_keys_key(chain)
        row = (await self._sequencer.rows.get([key]))[key]
        assert row is None or isinstance(row, ChainKeysRow)
        keys = ChainKeys(card, row)
        for sent in entries:
            keys = keys.changed(rotation(sent.envelope, card, chain))
        return keys

    async def _compare(self, skipped: Sequence[Arrived], chain: str) -> None:
        """Records whose places were taken while they were verified must be those that took them."""
        for record, salt in skipped:
            known = (await self._store.chain(chain, record.statement.sequence, 1))[0]
            if (known.envelope, known.salt) != (record.envelope, salt):
                raise other_record(record, known)

    async def _check_checkpoint(self, note: bytes, chain: str, card: Card) -> TreeHead | None:
        """What the other party states about its own ledger, where our copy of it does not say otherwise (6).

        One that reaches beyond our copy is compared when the records are here.
        """
        if not note:
            return None
        stated = self._witnessing.read_theirs(note, chain, card).checkpoint.head
        await self._check_ledger(chain, stated, note, f"{card.party!r} signed two histories of {chain!r}")
        return stated

    async def _check_own(self, parcel: Parcel, chain: str, card: Card) -> TreeHead | None:
        """What the other party cosigned of our own ledger, and says that it has of it: nothing that is not here (7)."""
        size = self._sequencer.head(chain).size
        cosigned: TreeHead | None = None
        if parcel.cosigned:
            cosigned = self._witnessing.read_cosigned(parcel.cosigned, chain, card).checkpoint.head
        if max(parcel.have, cosigned.size if cosigned else 0) > size:
            raise Rejected(
                f"{card.party!r} has {parcel.have} records of ours in {chain!r}, but only {size} are here: this "
                "database is an older copy; put the newest one back before anything is signed",
                code="restored-database",
            )
        if cosigned is not None:
            await self._check_ledger(
                chain, cosigned, parcel.cosigned, f"our own key signed two histories of {chain!r}, one is cosigned"
            )
        return cosigned

    async def _check_ledger(self, chain: str, stated: TreeHead, note: bytes, says: str) -> None:
        head = self._sequencer.head(chain)
        if stated.size > head.size or (stated.size, stated.root) == (head.size, head.root):
            return
        try:
            await restore_frontier(self._store, chain, stated)
        except Rejected:
            raise two_histories(chain, stated, note, says) from None

    async def _is_newer(self, table: str, chain: str, stated: TreeHead | None) -> bool:
        """Whether a checkpoint that was verified covers more than the one kept."""
        return stated is not None and await self._kept_size(table, chain) < stated.size

    async def _kept_size(self, table: str, chain: str) -> int:
        kept = self._kept.get((table, chain))
        if kept is None:
            note = (await self._store.get(table, [chain]))[0]
            kept = self._kept[table, chain] = read_head(note).size if note is not None else 0
        return kept

    async def _look_back(self, chain: str, note: bytes, card: Card) -> None:
        """Keep it as evidence where the other party cosigned more of our own chain at an earlier time (7)."""
        kept = (await self._store.get(COSIGNED, [chain]))[0]
        shows = None if kept is None else self._witnessing.went_back(kept, note, chain, card)
        if shows is not None:
            size = read_head(note).size
            says = f"{card.party!r} lost records of ours that it had acknowledged"
            key = waiting_key(chain, size)
            await self.keep(Contradiction(says, code="acknowledged-and-lost", key=key, proof=encode(shows)))

    async def keep(self, found: Contradiction) -> None:
        """Keep a proof as evidence, once, up to a bound."""
        chain = found.key.rpartition("/")[0]
        kept = await self._store.scan(CONFLICT, f"{chain}/", f"{chain}0", limit=CONFLICTS_KEPT)  # "0" follows on "/"
        key = f"{found.key}/{sha256(found.proof).hexdigest()}"

        async def keep(work: Work) -> None:
            work.put_side(CONFLICT, key, found.proof)

        if len(kept) < CONFLICTS_KEPT and key not in dict(kept):
            await self._sequencer.submit(keep)

    async def _keep_blobs(self, parcel: Parcel, arrived: Sequence[Arrived], headers: dict[bytes, bytes]) -> None:
        """Every payload is durable, and every header here, before the record that names it (8)."""
        brought = {sha256(blob).digest(): blob for blob in parcel.blobs}
        wanted: dict[bytes, bytes] = {}
        for record, _ in arrived:
            body = carried(record.body)
            if body is None:
                continue
            blob = brought.get(body.payload)
            size = len(blob) if blob is not None else await self._blobs.size(body.payload)
            if size is None:
                raise Unavailable(
                    f"the sealed payload {body.payload.hex()[:16]}… of {body.whose} is not here yet",
                    code="missing-blob",
                )
            if size != body.size:
                raise Rejected(
                    f"the sealed payload of {body.whose} has {size} bytes, its record says {body.size}",
                    code="blob-size",
                )
            if blob is not None:
                wanted[body.payload] = blob
            for opens, digest in body.headers:
                if digest in headers or await self._erasing.is_erased(digest):
                    continue
                if (await self._store.get(HEADER, [digest.hex()]))[0] is None:
                    raise Rejected(
                        f"the header of {opens} of {body.whose} is missing or was altered",
                        code="missing-header",
                    )
        if wanted:
            await self._blobs.put_many(wanted)

    async def _take(
        self,
        work: Work,
        parcel: Parcel,
        arrived: Sequence[Arrived],
        headers: Headers,
        stated: TreeHead | None,
        cosigned: TreeHead | None,
    ) -> list[Arrived]:
        """Take what was verified, in one change; returns the records whose places were taken meanwhile."""
        theirs = chain_id(parcel.relationship, parcel.sender)
        own = chain_id(parcel.relationship, self._party)
        await self.settling.settle(work)
        skipped = [each for each in arrived if not await self._taking.enter(work, each, headers)]
        head = await work.root(theirs)
        if stated is not None and stated.size == head.size:
            if stated.root != head.root:  # (6)
                says = f"{parcel.sender!r} signed a ledger of other records"
                raise two_histories(theirs, stated, parcel.checkpoint, says)
            self._keep_note(work, THEIR_CHECKPOINT, theirs, parcel.checkpoint)
            work.put_side(DOUBTED, theirs, None)
        before = await work.side_value(COSIGNED, own)
        if cosigned is not None and (before is None or read_head(before).size < cosigned.size):
            self._keep_note(work, COSIGNED, own, parcel.cosigned)
        work.put_side(PEER_HAS, own, parcel.have.to_bytes(8, "big"))
        return skipped

    def _keep_note(self, work: Work, table: str, chain: str, note: bytes) -> None:
        work.put_side(table, chain, note)  # (18)
        self._kept.pop((table, chain), None)  # its size is read again once it is durable
