"""Catching up: a house that was brought back fetches from its peers what it had sent (``spec/backup.md`` 40 to 52).

What a peer gives back of this house's own chain was signed by this house, so that nothing in it can be invented; that
something is left out shows in what the peer itself has signed: its records cite how much of this house's ledger it had,
and the newest checkpoint that it cosigned covers so many records.

Own records and the peer's are taken up in the order in which they were first: an own one as soon as those are here that
it cites, for it would have cited more had there been more; one that does not fit yet waits for the other side's next.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime
from functools import partial
from hashlib import sha256

import msgspec

from comity.errors import ComityError, Rejected, Unavailable
from comity.flows.exchanging.carried import carried
from comity.flows.exchanging.parcel import Parcel, read_parcel
from comity.flows.exchanging.roads import Road
from comity.flows.exchanging.taking import Arrived, waiting_key
from comity.flows.house import House
from comity.flows.keeping.committed import scan_side
from comity.flows.keeping.erasing import HEADER
from comity.flows.keeping.work import Draft, Work
from comity.ports import RestoredFrom
from comity.record import bodies
from comity.record.bodies.restoring import CaughtUp, Restored
from comity.record.card import read_card
from comity.record.statement import DOMESTIC, Record, chain_id, peek, read_kept, understand
from comity.register.rows import ReturnedRow
from comity.register.verdict import Changes, Held, Verdict

UNANSWERED = "unanswered"
"""Side table: ids of the peer's records that were taken up while catching up; key ``chain/sequence``."""
BY_POUCH = "its card names no address; ask it in writing with 'comity catch-up --ask'"
RECORDS_AT_ONCE = 64
"""Records taken up in one commit."""


class CatchUp(msgspec.Struct, frozen=True):
    """Ask each peer that is missing once more, and show how far a house that was brought back has come."""


class WithoutPeer(msgspec.Struct, frozen=True, kw_only=True):
    """Go on in a relationship without what the other party has, because nobody will ever give it back."""

    relationship: str
    reason: str


class CatchingUpShown(msgspec.Struct, frozen=True, kw_only=True):
    """How far a house that was brought back has come.

    Attributes:
        restored: what it was brought back from; None once it has caught up, and for one that never was.
        missing: the relationships whose other party has not been asked, or not yet given everything back.
        failed: what the last try in each of these came to.
    """

    restored: RestoredFrom | None
    missing: tuple[str, ...] = ()
    failed: dict[str, str] = {}


async def catch_up(house: House, _: CatchUp) -> CatchingUpShown:
    """Ask each peer that is missing once; what one of them says against it is shown.

    Raises:
        DiskFull, Unavailable: what was given back could not be written.
    """
    for relationship in await missing(house):
        try:
            async with house.reach(await house.peer_card(await house.peer_in(relationship))) as road:
                await catch_up_with(house, relationship, road)
        except ComityError as error:
            says = BY_POUCH if error.code == "no-address" else str(error)
            house.not_given_back[relationship] = says
        else:
            house.not_given_back.pop(relationship, None)
    await finish(house)
    return await shown(house)


async def shown(house: House) -> CatchingUpShown:
    """How far a house has come."""
    if house.restored is None:
        return CatchingUpShown(restored=None)
    return CatchingUpShown(
        restored=house.restored, missing=tuple(await missing(house)), failed=dict(house.not_given_back)
    )


async def go_on_without(house: House, request: WithoutPeer) -> CatchingUpShown:
    """Go on without what a peer has, by the root key's word. If the peer has more, there will be two histories.

    Raises:
        Misuse: this house has caught up.
        Refused: there is no such relationship.
        Unavailable: the root key is offline.
    """
    restored = house.restored
    if restored is not None:
        await house.peer_in(request.relationship)
        house.keys.root()
        alone = {**restored.alone, request.relationship: request.reason}
        await note(house, msgspec.structs.replace(restored, alone=alone))
        await finish(house)
    return await shown(house)


async def missing(house: House) -> list[str]:
    """The relationships that are still to be compared."""
    restored = house.restored
    if restored is None:
        return []
    done = restored.compared.keys() | restored.alone.keys()
    return [name for name, _ in await house.correspondence() if name not in done]


async def catch_up_with(house: House, relationship: str, road: Road) -> None:
    """Fetch what the peer of a relationship has, compare, and note that it was compared.

    What was fetched before an error stays: the next try goes on from there.

    Raises:
        Unavailable: the peer could not be asked, or is itself catching up.
        Rejected: ``withheld``, or what it gives back is not what this house had sent.
    """
    if house.restored is None or relationship not in await missing(house):
        return
    peer = await house.peer_in(relationship)
    fetching = _Fetching(house, relationship, peer, road)
    await fetching.run()
    size = await fetching.compare()
    restored = house.restored
    if restored is not None:
        await note(house, msgspec.structs.replace(restored, compared={**restored.compared, relationship: size}))
    await finish(house)


async def finish(house: House) -> bool:
    """Once nothing is missing: erase what was destroyed, say what happened, and work on.

    Raises:
        DiskFull, Unavailable: it could not be written; the next try goes on.
    """
    restored = house.restored
    if restored is None or await missing(house):
        return restored is None
    await house.sequencer.alone(partial(_erase, house))  # (49) before anything can be opened
    own = chain_id(DOMESTIC, house.party)
    said = Restored(
        taken=restored.taken,
        kept=restored.kept.get(own, 0),
        marked=max(restored.floor.get(own, 0), restored.kept.get(own, 0)),
        chains=tuple(
            CaughtUp(
                relationship=name,
                kept=restored.kept.get(chain_id(name, house.party), 0),
                size=restored.compared.get(name, house.sequencer.head(chain_id(name, house.party)).size),
                alone=restored.alone.get(name),
            )
            for name in sorted({*restored.compared, *restored.alone})
        ),
    )

    async def say(work: Work) -> None:
        for name in restored.alone:
            house.exchange.doubt_word(work, chain_id(name, await house.peer_in(name)))
        await work.say(Draft(DOMESTIC, said))

    await house.sequencer.submit(say, catching_up=True)  # (50)
    for name, peer in await house.correspondence():
        await house.exchange.resume(name, peer)
    await answer(house)
    if house.restoration is not None:
        await house.restoration.clear()
    house.restored = None
    house.sequencer.release()
    await house.exchange.settle()
    return True


async def _erase(house: House) -> None:
    await house.store.heads()  # the outcome of an earlier commit may be unknown
    await house.erasing.erase_again()


async def answer(house: House) -> None:
    """Answer what the peers said after this house had last heard of them (51); what was answered is refused again."""
    async for key, record in scan_side(house.store, UNANSWERED):
        await house.sequencer.submit(partial(_answer, house, key, record), catching_up=True)


async def _answer(house: House, key: str, record: bytes, work: Work) -> None:
    work.put_side(UNANSWERED, key, None)
    entry = await work.entry(record)
    if entry is None or entry.verdict == Held.word:
        return
    if await work.row(ReturnedRow, record.hex()) is not None:
        return
    attempt = work.child(work.context)
    try:
        await house.exchange.answer_again(attempt, understand(read_kept(entry.envelope, record)), entry)
    except ComityError:
        return
    work.absorb(attempt)


async def _leave_unanswered(work: Work, record: Record, _: Verdict) -> None:
    """What a verdict on a record of the peer's gives rise to is done when this house has caught up."""
    statement = record.statement
    work.put_side(UNANSWERED, waiting_key(statement.chain, statement.sequence), record.id)


async def note(house: House, restored: RestoredFrom) -> None:
    """Note, durably, what has become of a restore."""
    if house.restoration is not None:
        await house.restoration.write(restored)
    house.restored = restored


class _Fetching:
    """One relationship being caught up with."""

    def __init__(self, house: House, relationship: str, peer: str, road: Road) -> None:
        self._house = house
        self._relationship = relationship
        self._peer = peer
        self._road = road
        self._chains = {author: chain_id(relationship, author) for author in (house.party, peer)}
        self._fetched: dict[str, deque[Arrived]] = {author: deque() for author in self._chains}
        self._next = {author: house.sequencer.head(chain).size for author, chain in self._chains.items()}
        self._ended = dict.fromkeys(self._chains, False)
        self._headers: dict[bytes, bytes] = {}
        self._parcel: Parcel | None = None
        self._theirs = b""

    async def run(self) -> None:
        """Take up everything that the peer has and this house does not (43 to 47)."""
        while True:
            for author in self._chains:
                if not self._fetched[author] and not self._ended[author]:
                    await self._fetch(author)
            if not any(self._fetched.values()):
                return
            await self._house.sequencer.submit(self._take_some, catching_up=True)

    async def compare(self) -> int:
        """The size of our chain, once it is shown to be all that the peer has signed for (48).

        Raises:
            Rejected: ``withheld``: it has signed that it had more; or the ledger is not the one it cosigned.
        """
        house, own = self._house, self._chains[self._house.party]
        size = house.sequencer.head(own).size
        parcel = self._parcel
        assert parcel is not None
        card = await house.peer_card(self._peer)
        covers = await house.exchange.check_cosigned(parcel.checkpoint, own, card) if parcel.checkpoint else 0
        reasons = {
            "says that it has": parcel.have,
            "gives back a checkpoint over": covers,
            "has cited": await self._cited(),
        }
        for says, number in reasons.items():
            if number > size:
                raise self._withheld(f"{self._peer!r} {says} {number} records of ours", size)
        floor = house.restored.floor.get(own, 0) if house.restored is not None else 0
        if covers < parcel.have:
            raise Rejected(
                f"{self._peer!r} gives back {parcel.have} records of ours, and our checkpoint over {covers} of them; "
                "the salts of the others are its word alone",
                code="withheld",
                place=own,
            )
        if floor > size:
            raise self._withheld(f"this house had signed {floor} records", size)

        await house.exchange.check_cited(self._chains[self._peer])

        async def has(work: Work) -> None:
            await house.exchange.take_word(work, own, parcel.have, self._theirs, self._chains[self._peer], card)

        await house.sequencer.submit(has, catching_up=True)
        house.exchange.ask_again(own)
        return size

    def _withheld(self, says: str, size: int) -> Rejected:
        return Rejected(
            f"{says} of {self._relationship!r}, and gives back {size}; it holds some back, and nothing is signed until "
            "it has given them",
            code="withheld",
            place=self._chains[self._house.party],
        )

    async def _cited(self) -> int:
        """How many of our records the peer's newest record cites."""
        theirs = self._chains[self._peer]
        size = self._house.sequencer.head(theirs).size
        newest = await self._house.store.chain(theirs, size - 1, 1) if size else ()
        seen = peek(newest[0].envelope).seen if newest else None
        return seen.size if seen is not None else 0

    async def _fetch(self, author: str) -> None:
        """The next page of a chain as the peer has it, verified."""
        house, chain, start = self._house, self._chains[author], self._next[author]
        try:
            parcel = read_parcel(await self._road.given_back(self._relationship, author, start))
        except Unavailable as error:
            if author == house.party or error.code != "restored-node":
                raise
            self._ended[author] = True  # it was brought back itself: what it says comes when it may sign again
            return
        if (parcel.relationship, parcel.sender, parcel.start) != (self._relationship, author, start):
            raise Rejected(f"{self._peer!r} gives back something else than was asked for", code="other-chain")
        card = read_card(await house.card()) if author == house.party else await house.peer_card(author)
        arrived = await house.exchange.verify_given_back(parcel, card, chain)
        if [each.record.statement.sequence for each in arrived] != list(range(start, start + len(arrived))):
            raise Rejected(f"what {self._peer!r} gives back has gaps", code="other-chain", place=chain)
        self._headers.update((sha256(header).digest(), header) for header in parcel.headers)
        for each in arrived:
            await self._payload(each, parcel)
        self._fetched[author].extend(arrived)
        self._next[author] += len(arrived)
        self._ended[author] = not arrived
        if author == house.party:
            self._parcel = parcel
        else:
            self._theirs = parcel.checkpoint

    async def _payload(self, arrived: Arrived, parcel: Parcel) -> None:
        """Have the sealed payload of a record of the peer's, if the peer still has it (46)."""
        record, house = arrived.record, self._house
        named = carried(record.body)
        if named is None or await house.blobs.size(named.payload) is not None:
            return
        brought = {sha256(blob).digest(): blob for blob in parcel.blobs}
        if named.payload in brought:
            await house.blobs.put_many({named.payload: brought[named.payload]})
        if named.payload in brought or record.statement.author == house.party:
            return
        received = await house.blobs.received(named.payload)
        while received < named.size:
            try:
                piece = await self._road.payload(self._relationship, record.id, received)
            except (Rejected, Unavailable) as error:
                if error.code != "no-blob":
                    raise
                return
            if not piece:
                return
            received = await house.blobs.append(named.payload, received, piece, named.size)

    async def _take_some(self, work: Work) -> None:
        """Take up fetched records in their order, until one side has to be fetched again (45)."""
        for _ in range(RECORDS_AT_ONCE):
            if any(not self._fetched[author] and not self._ended[author] for author in self._chains):
                return
            ready = [author for author in self._chains if await self._is_ready(work, author)]
            if not ready:
                if any(self._fetched.values()):
                    raise self._withheld("what comes next cites records", await self._size(work))
                return
            ready.sort(key=lambda author: author != self._house.party)
            for author in ready:
                if await self._take(work, author, surely=False):
                    break
            else:
                await self._take(work, ready[0], surely=True)

    async def _size(self, work: Work) -> int:
        return (await work.tip(self._chains[self._house.party])).size

    async def _is_ready(self, work: Work, author: str) -> bool:
        """Whether what the next record of an author cites is here."""
        if not self._fetched[author]:
            return False
        other = self._peer if author == self._house.party else self._house.party
        seen = self._fetched[author][0].record.statement.seen
        return seen is None or seen.size <= (await work.tip(self._chains[other])).size

    async def _take(self, work: Work, author: str, *, surely: bool) -> bool:
        """Take up the next record of an author; False where it has no effect yet, and another may come first."""
        record, salt = self._fetched[author][0]
        statement = record.statement
        ours = author == self._house.party
        if statement.previous != (await work.tip(statement.chain)).last:
            raise Rejected(
                f"record {statement.sequence} that {self._peer!r} gives back does not follow on the one before it",
                code="fork",
                place=statement.chain,
            )
        attempt = work.child(self._house.context(self._instant(work, statement.at, ours=ours)))
        await self._house.exchange.settling.settle(attempt, _leave_unanswered)
        verdict: Verdict
        verdict = await (attempt.judge_recovered(record, self._peer) if ours else attempt.judge(record))
        if not surely and not isinstance(verdict, Changes):
            return False
        attempt.append(record, salt, verdict, recovered=ours)
        if isinstance(record.body, bodies.Consigned):
            for copy in record.body.copies:
                if copy.header in self._headers and not await self._house.erasing.is_erased(copy.header):
                    attempt.put_side(HEADER, copy.header.hex(), self._headers[copy.header])
        if not ours:
            await _leave_unanswered(attempt, record, verdict)
        if isinstance(verdict, Held):
            self._house.exchange.settling.hold(attempt, record, verdict)
        work.absorb(attempt)
        self._fetched[author].popleft()
        return True

    def _instant(self, work: Work, at: datetime, *, ours: bool) -> datetime:
        """When a record is judged: in order, an own one not before its instant, the peer's before ours that follow."""
        before = work.last_instant() or self._house.sequencer.last_instant or at
        if ours:
            return max(before, at)
        own = self._fetched[self._house.party]
        return max(before, min(at, own[0].record.statement.at) if own else at)
