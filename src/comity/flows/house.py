"""The house: one party's core, joined to the world it stands in. Every flow takes one.

``start`` before the first act, ``close`` after the last. The composition of real adapters is ``node/run.py``; tests and
the simulated world compose others.
"""

from __future__ import annotations

import asyncio
import hmac
import re
from base64 import b32encode
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import BinaryIO, TypeVar

from comity.agreement.calendar import TimeZones
from comity.errors import Misuse, Refused, Rejected, Unavailable
from comity.flows.actors import Actor, NeedsSignature
from comity.flows.exchanging.carried import carried_in
from comity.flows.exchanging.exchange import Exchange
from comity.flows.exchanging.parcel import INLINE_BLOB_BYTES_MAX, Parcel, read_parcel, write_parcel
from comity.flows.exchanging.roads import Reach, no_reach
from comity.flows.exchanging.tallies import AskPeer, Differing, Tallies, no_road, read_question, write
from comity.flows.keeping.committed import scan_rows
from comity.flows.keeping.erasing import Erasing
from comity.flows.keeping.ledgers import OwnLedgers
from comity.flows.keeping.library import Library
from comity.flows.keeping.own_keys import certificate, destroy_ended, signers, use
from comity.flows.keeping.payloads import Payloads
from comity.flows.keeping.periods import Periods
from comity.flows.keeping.sequencer import Sequencer
from comity.flows.keeping.unindexed import Unindexed
from comity.flows.keeping.work import CARD, Work
from comity.ledger.tiles import BundleId, TileId
from comity.ports import (
    Blobs,
    Clock,
    Entropy,
    ErasedKeys,
    Files,
    Head,
    HighWaterMark,
    Keys,
    Restoration,
    RestoredFrom,
    Signer,
    Store,
)
from comity.ports.index import Index
from comity.record.bodies import Body
from comity.record.card import Card, known_card
from comity.record.contexts import PSEUDONYM
from comity.record.dsse import check_signature
from comity.record.person_act import act_bytes, attach, sign_act
from comity.record.statement import DOMESTIC, Record, chain_id
from comity.register.rows import AgreementRow, PeerRow, PersonRow, Row
from comity.register.rows.negotiation import TALKS, ChannelRow
from comity.register.verdict import Context

B = TypeVar("B", bound=Body)
R = TypeVar("R", bound=Row)
ROOT = "root"
"""The actor who acts with the party's root key."""
HANDLE = "handle"
"""Side table: person id by the handle this house uses for the person; erasable."""
PERSON_NAME = "person-name"
"""Side table: handle and name by person id; erasable."""
PSEUDONYM_OF = "pseudonym"
"""Side table: person id by ``relationship/pseudonym``; can be derived again from the pairwise secret."""
Follow = Callable[["House", Work, Record], Awaitable[None]]
"""What a record of the other party sets in motion."""
PAYLOAD_PIECE_BYTES = 4 * 2**20
"""Bytes of a sealed payload that are given back at once."""
PSEUDONYMS_REMEMBERED_MAX = 4_096
"""Names of people in relationships that need not be derived again: lists ask for the same few again and again."""
OFFER_SECONDS = 0.05
"""How long what went out in a reply is taken to have arrived; the peer's next parcel tells, or it is sent again."""
FRESH_NAME = re.compile("[a-z2-7]{16}")
"""What follows the prefix of an identifier that a house made."""


class House:
    """One party's core with its store, keys, clock and peers.

    ``follow`` is what a record of the other party sets in motion here (``following.follow``); the house does not know
    it by itself, because it stands below the flows. ``ask_peer`` brings a question of ours to a peer; whoever connects
    the house with others sets it. What stands in ``after_commit`` is called after each commit. ``clock`` is as it
    goes, and may step back; what acts and records goes by ``now``.
    """

    def __init__(
        self,
        party: str,
        *,
        store: Store,
        blobs: Blobs,
        mark: HighWaterMark,
        erased: ErasedKeys,
        clock: Clock,
        entropy: Entropy,
        keys: Keys,
        files: Files,
        zones: TimeZones,
        follow: Follow,
        restoration: Restoration | None = None,
        periods: Periods | None = None,
        index: Index | None = None,
    ) -> None:
        self.party = party
        self.store = store
        self.blobs = blobs
        self.clock = clock
        self.entropy = entropy
        self.keys = keys
        self.files = files
        self.zones = zones
        self.payloads = Payloads(blobs)
        self.library = Library(store, zones)
        self.erasing = Erasing(store, erased)
        self.sequencer = Sequencer(store, self._signing, entropy, clock, mark, self.erasing, self.context, party)
        self.exchange = Exchange(
            party,
            store,
            blobs,
            self.payloads,
            keys,
            self.sequencer,
            self.erasing,
            self.peer_card,
            lambda: self.own_card,
            self.follow,
        )
        self.tallies = Tallies(party, store, self.sequencer)
        self.ledgers = OwnLedgers(store, self.sequencer)
        self.ask_peer: AskPeer = no_road
        self.own_card: Card | None = None
        self.reach: Reach = no_reach
        self.restoration = restoration
        self.periods = periods or Periods()
        self.restored: RestoredFrom | None = None
        self.not_given_back: dict[str, str] = {}
        self.after_commit: list[Callable[[], None]] = []
        self.index = index
        self.unindexed = Unindexed()
        self._follow_up = follow
        self._bells: dict[str, asyncio.Event] = {}
        self._offered: dict[str, int] = {}
        self._replying: Counter[str] = Counter()
        self._fetching: set[str] = set()

    async def start(self) -> None:
        """Read the adopted agreements, begin to sequence, and settle what an older program could not.

        What was erased is erased again before all else, and before it is found out whether this database may be worked
        with at all: a restored one knows no destroyed key any more, whatever becomes of it.
        """
        await self.erasing.replay()
        await self.use_own_card()
        async for _, row in self.rows(AgreementRow):
            await self.library.load(row)
        for relationship, peer in await self.correspondence():
            await self.exchange.resume(relationship, peer)
        self.restored = await self.restoration.read() if self.restoration is not None else None
        await self.sequencer.start(held=None if self.restored is None else not_caught_up(self.restored))
        self.sequencer.committed = self._ring
        if self.index is not None:
            self.sequencer.changed = self.unindexed.told
        if self.restored is None:
            await self.exchange.settle()

    async def close(self) -> None:
        """Stop sequencing; adapters are closed by whoever opened them."""
        await self.unindexed.close()
        await self.sequencer.close()
        await self.erasing.close()

    def now(self) -> datetime:
        """The instant of an act: read once per flow, never before the last one."""
        return self.sequencer.now()

    async def follow(self, work: Work, record: Record) -> None:
        """Do what follows here on a record of the other party, or on an answer of our own."""
        await self._follow_up(self, work, record)

    def context(self, now: datetime) -> Context:
        """What a rule may ask besides rows, at the instant ``now``."""
        library = self.library
        return Context(self.party, self.keys.root_public, now, library.agreement, library.layer, self.zones.zone)

    # ---- reading -------------------------------------------------------------------------------------------------

    async def row(self, kind: type[R], key: str) -> R | None:
        """One committed row of the register."""
        row = (await self.sequencer.rows.get([(kind.table, key)]))[kind.table, key]
        assert row is None or isinstance(row, kind)
        return row

    async def need(self, kind: type[R], key: str, what: str) -> R:
        """One committed row that must be there.

        Raises:
            Misuse: there is none.
        """
        row = await self.row(kind, key)
        if row is None:
            raise Misuse(f"there is no {what} {key!r}", code=f"unknown-{kind.table}")
        return row

    def rows(self, kind: type[R], prefix: str = "") -> AsyncIterator[tuple[str, R]]:
        """Every committed row of a kind whose key begins with ``prefix``, in key order."""
        return scan_rows(self.store, kind, prefix)

    async def side(self, table: str, key: str) -> bytes | None:
        """One committed value of side data."""
        return await self.sequencer.rows.side(table, key)

    # ---- people --------------------------------------------------------------------------------------------------

    async def person(self, handle: str) -> PersonRow:
        """The person whom this house calls ``handle`` (a person id is taken too).

        Raises:
            Misuse: nobody has that handle.
        """
        person = await self.side(HANDLE, handle)
        row = await self.row(PersonRow, person.decode() if person is not None else handle)
        if row is None:
            raise Misuse(f"there is nobody called {handle!r}; 'comity person list' shows who is", code="unknown-person")
        return row

    async def handle(self, person: str) -> str:
        """What this house calls a person; the person id where the name was erased."""
        value = await self.side(PERSON_NAME, person)
        return value.decode().partition("\n")[0] if value is not None else person

    def pseudonym(self, relationship: str, person: str) -> str:
        """The name by which a person is known in one relationship: the same each time, linked to no other."""
        return _pseudonym(self.keys.pairwise(), relationship, person)

    def new_name(self, prefix: str) -> str:
        """A fresh unguessable identifier such as ``i-3kq…`` (80 bits)."""
        return f"{prefix}-{b32encode(self.entropy(10)).decode().lower()}"

    def name(self, prefix: str, given: str | None) -> str:
        """``given``, where somebody who signs elsewhere must know the name before the record is made; else a fresh one.

        Raises:
            Misuse: ``given`` is not written like a fresh one.
        """
        if given is not None and not FRESH_NAME.fullmatch(given.removeprefix(f"{prefix}-")):
            raise Misuse(f"{given!r} is not a name of the form '{prefix}-…'", code="bad-name")
        return given or self.new_name(prefix)

    async def sign(self, body: B, relationship: str, actor: Actor, signer: str | None = None) -> B:
        """``body`` with the actor's own signature.

        Args:
            body: with ``person_act.unsigned()`` where the signature goes.
            relationship: where the record will stand.
            actor: who acts.
            signer: the name the signature carries; the actor's person id unless given.

        Raises:
            NeedsSignature: the actor's key is in strict custody and he has not signed these bytes yet.
            Unavailable: the root key is offline.
        """
        if actor.handle == ROOT:
            key: Signer = self.keys.root()
            return sign_act(body, relationship, self.party, ROOT, key.public, key.sign)
        person = await self.person(actor.handle)
        name = signer or person.person
        if person.custody == "strict":
            message = act_bytes(attach(body, name, person.signing_key), relationship, self.party)
            for signature in actor.signatures:
                with suppress(Rejected):  # it is over another of the messages that this act asks for
                    check_signature(person.signing_key, signature, message)
                    return attach(body, name, person.signing_key, signature)
            raise NeedsSignature(message)
        key = self.keys.person(person.person, person.signing_key)
        return sign_act(body, relationship, self.party, name, key.public, key.sign)

    # ---- peers and agreements --------------------------------------------------------------------------------------

    async def card(self) -> bytes:
        """This party's own card in its envelope.

        Raises:
            Misuse: the house was not founded yet.
        """
        card = await self.side(CARD, "self")
        if card is None:
            raise Misuse("this folder has no card yet; run 'comity init' first", code="no-card")
        return card

    async def use_own_card(self) -> None:
        """From now on sign with the keys that this party's own card names; what it said last is what holds."""
        envelope = await self.side(CARD, "self")
        if envelope is None:
            return
        self.own_card = card = known_card(envelope)
        if card.former:
            use(self.keys, card)
            destroy_ended(self.keys, card, self.now())

    def _signing(self, card: bytes | None) -> Signer:
        """The key that signs records, by the own card that holds then."""
        return self.keys.record if card is None else self.keys.signer("record", known_card(card).node_sign[0])

    def transport(self) -> Signer:
        """The key that signs requests, replies and pouches now: while keys overlap, the one that every peer knows."""
        return signers(self.keys, self.own_card, "transport", self.now())[-1]

    def certificate(self) -> bytes:
        """The digest of the certificate that the server shows now: while two overlap, the one that every peer knows.

        Raises:
            Misuse: the house was not founded yet.
        """
        if self.own_card is None:
            raise Misuse("this folder has no card yet; run 'comity init' first", code="no-card")
        return certificate(self.keys, self.own_card, self.now())

    async def peer_card(self, party: str) -> Card:
        """The card of a peer, verified when it was added.

        Raises:
            Refused: the party is no peer of this house.
        """
        row = await self.row(PeerRow, party)
        if row is None:
            raise Refused(f"{party!r} is not a peer of {self.party!r}", code="unknown-peer")
        return known_card(row.card)

    async def relationships(self) -> list[tuple[str, str]]:
        """Every relationship of this house in which an agreement runs, with its peer."""
        return [(key, row.peer) async for key, row in self.rows(AgreementRow)]

    async def correspondence(self) -> list[tuple[str, str]]:
        """Every relationship in which this house exchanges records, channels too, with its peer."""
        return [*await self.relationships(), *[(key, row.peer) async for key, row in self.rows(ChannelRow)]]

    async def peer_in(self, relationship: str, peer: str | None = None) -> str:
        """The other party of a relationship or a channel; with ``peer`` given, it must be that party.

        Raises:
            Refused: there is none, or it is another party's (told the same way).
        """
        found = await self.sequencer.rows.peer_in(relationship)
        if (found is None or peer not in (None, found)) and relationship.startswith(f"{TALKS}/"):
            sentence = f"no channel {relationship!r} is open here; 'comity negotiation channel --with PARTY' opens one"
            raise Refused(sentence, code="unknown-relationship")
        if found is None or peer not in (None, found):
            raise Refused(f"no agreement runs here as {relationship!r} with that party", code="unknown-relationship")
        return found

    async def agreement_row(self, relationship: str, peer: str | None = None) -> AgreementRow:
        """The running agreement of a relationship; with ``peer`` given, it must be that party's.

        Raises:
            Refused: there is none, or it is another party's (told the same way).
        """
        row = await self.row(AgreementRow, relationship)
        if row is None or peer not in (None, row.peer):
            raise Refused(f"no agreement runs here as {relationship!r} with that party", code="unknown-relationship")
        return row

    # ---- exchange, as the node's server and worker see it -----------------------------------------------------------

    async def take_parcel(self, peer: str, relationship: str, body: bytes) -> bytes:
        """Take a parcel from an authenticated peer and give the answering one."""
        self.sequencer.check_free()
        await self.peer_in(relationship, peer)
        parcel = read_parcel(body)
        if parcel.relationship != relationship:
            raise Rejected("the parcel belongs to another relationship than its address", code="other-relationship")
        self._replying[relationship] += 1
        try:
            await self.exchange.unpack(peer, parcel)
            answer = await self.exchange.pack(relationship, peer, payload_bytes_max=INLINE_BLOB_BYTES_MAX)
            self._offered[chain_id(relationship, self.party)] = answer.start + len(answer.entries)
        finally:
            self._replying[relationship] -= 1
            if relationship in self._bells:
                self._bells[relationship].set()
        return write_parcel(answer)

    async def pack(self, relationship: str) -> Parcel:
        """What the peer of a relationship does not have yet."""
        self._fetching.discard(relationship)
        return await self.exchange.pack(relationship, await self.peer_in(relationship))

    async def take_reply(self, relationship: str, body: bytes) -> None:
        """Take the parcel with which a peer answered ours."""
        await self.exchange.unpack(await self.peer_in(relationship), read_parcel(body))

    async def answer_question(self, peer: str, relationship: str, body: bytes) -> bytes:
        """Answer an authenticated peer that compares its register with ours (``spec/inventory.md`` step 11)."""
        await self.agreement_row(relationship, peer)
        question = read_question(body)
        if question.relationship != relationship:
            raise Rejected("the question belongs to another relationship than its address", code="other-relationship")
        if isinstance(question.asks, Differing):
            raise Rejected("all that differs at once is asked for in a file", code="only-by-file")
        return write(await self.tallies.answer(peer, question))

    async def give_back(self, peer: str, relationship: str, author: str, start: int) -> bytes:
        """What an authenticated peer, who has lost it, and this house have said in a relationship of the two.

        Raises:
            Refused: it is not between the two.
            Unavailable: this house itself is still catching up, and does not hand out what it has said.
        """
        await self.peer_in(relationship, peer)
        if author == self.party:
            return write_parcel(await self.exchange.pack(relationship, peer, start))
        if author != peer:
            raise Refused(f"no chain of {author!r} is kept here in {relationship!r}", code="unknown-chain")
        return write_parcel(await self.exchange.give_back(relationship, peer, start))

    async def payload(self, peer: str, relationship: str, record: bytes, offset: int) -> bytes:
        """A piece of the sealed payload that a record between this house and an authenticated peer names.

        Raises:
            Refused: there is no such record between the two.
            Unavailable: its payload is not here any more.
        """
        await self.peer_in(relationship, peer)
        entry = await self.store.find(record)
        named = carried_in(entry.envelope) if entry is not None else None
        if entry is None or named is None or entry.chain.rpartition("/")[0] != relationship:
            raise Refused("no record of that id with a payload is between the two", code="unknown-record")
        async with self.blobs.open(named.payload) as blob:
            return await asyncio.to_thread(read_at, blob, offset, PAYLOAD_PIECE_BYTES)

    async def blob_received(self, peer: str, relationship: str, digest: bytes) -> int:
        """Bytes of a sealed payload that an authenticated peer has uploaded so far."""
        await self.peer_in(relationship, peer)
        return await self.blobs.received(digest)

    async def blob_append(
        self, peer: str, relationship: str, digest: bytes, offset: int, size: int, piece: bytes
    ) -> int:
        """Take a piece of a sealed payload from an authenticated peer."""
        await self.peer_in(relationship, peer)
        return await self.blobs.append(digest, offset, piece, size)

    async def checkpoint(self, peer: str, chain: str) -> bytes:
        """Our signed checkpoint over a chain of ours that an authenticated peer may see."""
        await self._check_chain(peer, chain)
        await self.sequencer.raise_mark()
        return self.exchange.checkpoint(chain)

    async def tile(self, peer: str, chain: str, tile: TileId | BundleId) -> bytes:
        """A tile of a chain of ours, or the leaf data under one: digests that show only that something was recorded."""
        await self._check_chain(peer, chain)
        if isinstance(tile, BundleId):
            return await self.ledgers.bundle(chain, tile)
        return await self.ledgers.tile(chain, tile)

    async def _check_chain(self, peer: str, chain: str) -> None:
        relationship, _, author = chain.rpartition("/")
        if author != self.party or relationship == DOMESTIC:
            raise Refused(f"no chain {chain!r} is shown here", code="unknown-chain")
        await self.peer_in(relationship, peer)

    def fetch(self, relationship: str) -> None:
        """Have the peer asked at once for what it has said: some of it is missed, and there may be nothing to say."""
        self._fetching.add(relationship)
        if relationship in self._bells:
            self._bells[relationship].set()

    async def wait_for_work(self, relationship: str, seconds: float) -> bool:
        """Wait until this house has said something new in a relationship, or ``seconds`` have passed."""
        bell = self._bells.setdefault(relationship, asyncio.Event())
        own = chain_id(relationship, self.party)
        try:
            async with asyncio.timeout(seconds):
                while not await self._has_work(relationship, own):
                    bell.clear()
                    unanswered = self.sequencer.head(own).size > await self.exchange.peer_has(own)
                    with suppress(TimeoutError):
                        async with asyncio.timeout(OFFER_SECONDS if unanswered else None):
                            await bell.wait()
                            continue
                    self._offered.pop(own, None)  # the reply it went out in was lost
        except TimeoutError:
            return self.sequencer.head(own).size > await self.exchange.peer_has(own)
        return True

    async def _has_work(self, relationship: str, own: str) -> bool:
        """Whether there is something to hand over that no reply carries, or is about to."""
        if self._replying[relationship]:
            return False
        if relationship in self._fetching:
            return True
        with suppress(Unavailable):  # what is not marked is nothing to hand over yet; each look tries again
            await self.sequencer.raise_mark()
        had = await self.exchange.peer_has(own)
        return self.sequencer.marked(own).size > max(had, self._offered.get(own, 0))

    def _ring(self, heads: Mapping[str, Head]) -> None:
        for told in self.after_commit:
            told()
        for chain in heads:
            relationship, _, author = chain.rpartition("/")
            if author == self.party and relationship in self._bells:
                self._bells[relationship].set()


@lru_cache(maxsize=PSEUDONYMS_REMEMBERED_MAX)
def _pseudonym(pairwise: bytes, relationship: str, person: str) -> str:
    message = PSEUDONYM + relationship.encode() + b"\0" + person.encode()
    digest = hmac.digest(pairwise, message, "sha256")
    return "n-" + b32encode(digest[:10]).decode().lower()


def not_caught_up(restored: RestoredFrom) -> Unavailable:
    """What a house that was brought back says until it has compared its chains with everybody who has a copy."""
    what = f"backup {restored.backup}" if restored.backup else "an older copy of its database"
    return Unavailable(
        f"this node was brought back from {what} and has not yet fetched from each other party what it had sent; it "
        "signs and opens nothing until then ('comity catch-up' says what is missing)",
        code="restored-node",
    )


def read_at(blob: BinaryIO, offset: int, count: int) -> bytes:
    """Bytes of a blob from an offset on, fewer at its end."""
    blob.seek(offset)
    return blob.read(count)


def file_digest(data: bytes) -> bytes:
    """SHA-256 of a file's bytes."""
    return sha256(data).digest()
