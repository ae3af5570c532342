r"""What a house that was brought back lost, asked for and given back by pouch (``spec/backup.md`` steps 55 to 59).

    comity-give-back/1\n      asks; nothing follows its list
    comity-given-back/1\n     answers: pages of what both have said, then sealed payloads

What was asked stands in the answer, and in the note that the house was brought back: so no answer of an earlier day
counts. Everything else is as over the network: the file is a road like another.
"""

from __future__ import annotations

from hashlib import sha256
from itertools import accumulate
from typing import Annotated, BinaryIO

import msgspec

from comity.errors import ComityError, Misuse, Rejected, Unavailable
from comity.flows.exchanging.carried import carried_in
from comity.flows.exchanging.parcel import Parcel, read_parcel, write_parcel
from comity.flows.house import PAYLOAD_PIECE_BYTES, House
from comity.flows.maintaining.catching_up import CatchingUpShown, catch_up_with, finish, note, shown
from comity.flows.pouch import Carried, Part, check_parts, read_list, sealed_list, write_payload
from comity.ports import RestoredFrom
from comity.record.contexts import GIVE_BACK, GIVEN_BACK
from comity.record.encoding import Count, Digest, Identifier
from comity.record.statement import chain_id, record_id

ASKED, GIVEN = b"comity-give-back/1\n", b"comity-given-back/1\n"
PARTS_MAX = 200
"""Most pages and payloads in one file; their list must fit an envelope."""
ASKING_BYTES = 32
"""Random bytes that an answer must have in it."""


class AskBack(msgspec.Struct, frozen=True, kw_only=True):
    """Ask the other party of a relationship, in a file, for what this house lost."""

    relationship: str
    path: str


class GiveBack(msgspec.Struct, frozen=True, kw_only=True):
    """Answer such a file of a peer's with another one."""

    asked: str
    path: str


class TakeBack(msgspec.Struct, frozen=True, kw_only=True):
    """Take the answer: catch up with that party."""

    path: str


class Asking(Carried, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a house asks for: its own records from ``own`` on, and the other party's from ``theirs`` on."""

    asking: Digest
    own: Count
    theirs: Count


class Page(Part, frozen=True, forbid_unknown_fields=True):
    """A parcel of so many records of an author from a record on; the last one of each has none."""

    author: Identifier
    start: Count
    records: Count


class Payload(Part, frozen=True, forbid_unknown_fields=True):
    """The sealed payload that a record names."""

    record: Digest


class Given(Carried, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is given back."""

    asking: Digest
    pages: Annotated[tuple[Page, ...], msgspec.Meta(min_length=1, max_length=PARTS_MAX)]
    payloads: Annotated[tuple[Payload, ...], msgspec.Meta(max_length=PARTS_MAX)]


class BackShown(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked, or given back.

    Attributes:
        path: the file.
        relationship: in which.
        peer: the other party.
        records: how many records are in it; of an asking none.
        payloads: how many sealed payloads that are too large for a page.
        whole: whether that is all; where it is not, it is asked once more when this was taken.
    """

    path: str
    relationship: str
    peer: str
    records: int = 0
    payloads: int = 0
    whole: bool = True


async def ask_back(house: House, request: AskBack) -> BackShown:
    """(55) Write what this house asks for.

    Raises:
        Misuse: this house was not brought back, there is no such relationship, or the file exists.
    """
    restored = _restored(house)
    peer = await house.peer_in(request.relationship)
    if not restored.asked:
        restored = msgspec.structs.replace(restored, asked=house.entropy(ASKING_BYTES).hex())
        await note(house, restored)
    own, theirs = (house.sequencer.head(chain_id(request.relationship, each)).size for each in (house.party, peer))
    asking = Asking(
        sender=house.party,
        receiver=peer,
        relationship=request.relationship,
        at=house.now(),
        asking=bytes.fromhex(restored.asked),
        own=own,
        theirs=theirs,
    )
    with house.files.whole(request.path) as sink:
        sink.write(sealed_list(house, ASKED, GIVE_BACK, asking))
    return BackShown(path=request.path, relationship=request.relationship, peer=peer)


async def give_back(house: House, request: GiveBack) -> BackShown:
    """(56) Give a peer back what it asks for, by step 43.

    Raises:
        Rejected: what asks is not what such a file must be.
        Refused: whoever asks is no peer, or has nothing to do with that relationship.
        Misuse: it asks somebody else, or the file exists.
    """
    with house.files.read(request.asked) as source:
        asking = await read_list(house, source, request.asked, ASKED, GIVE_BACK, Asking)
        if source.read(1):
            raise Rejected("there is something behind what is asked", code="trailing", place=request.asked)
    giving = _Giving(house, asking)
    await giving.run()
    given = Given(
        sender=house.party,
        receiver=asking.sender,
        relationship=asking.relationship,
        at=house.now(),
        asking=asking.asking,
        pages=tuple(giving.pages),
        payloads=tuple(giving.payloads),
    )
    with house.files.whole(request.path) as sink:
        sink.write(sealed_list(house, GIVEN, GIVEN_BACK, given))
        for body in giving.bodies:
            sink.write(body)
        for payload in giving.payloads:
            await write_payload(house, sink, payload.digest)
    return _told(request.path, given, asking.sender)


async def take_back(house: House, request: TakeBack) -> CatchingUpShown:
    """(57) Catch up with a party by what it gave back in a file. Taking the file again changes nothing.

    Raises:
        Misuse: this house was not brought back, or the file is for another party.
        Rejected: it answers another asking, was altered, or as ``catching_up.catch_up_with``.
        Unavailable: ``more-to-come``: it holds a part only, which was taken.
    """
    restored = _restored(house)
    with house.files.read(request.path) as source:
        given = await read_list(house, source, request.path, GIVEN, GIVEN_BACK, Given)
        if given.asking.hex() != restored.asked:
            raise Rejected(
                "it answers what was asked on another day, or by another node; only what answers the asking of this "
                "restore shows what there is now",
                code="other-asking",
                place=request.path,
            )
        start = source.tell()
        check_parts(source, given.pages, given.payloads, request.path)
        try:
            await catch_up_with(house, given.relationship, _File(source, start, given))
        except ComityError as error:
            house.not_given_back[given.relationship] = str(error)
            raise
    house.not_given_back.pop(given.relationship, None)
    await finish(house)  # a crash may have come between what was compared and this
    return await shown(house)


def _restored(house: House) -> RestoredFrom:
    if house.restored is None:
        raise Misuse("this house was not brought back, or has caught up; nothing is missing", code="not-restored")
    return house.restored


def _told(path: str, given: Given, peer: str) -> BackShown:
    ended = {page.author for page in given.pages if not page.records}
    return BackShown(
        path=path,
        relationship=given.relationship,
        peer=peer,
        records=sum(page.records for page in given.pages),
        payloads=len(given.payloads),
        whole=ended == {page.author for page in given.pages},
    )


class _Giving:
    """Pages and payloads, as many as one file holds."""

    def __init__(self, house: House, asking: Asking) -> None:
        self._house = house
        self._asking = asking
        self.pages: list[Page] = []
        self.bodies: list[bytes] = []
        self.payloads: list[Payload] = []

    async def run(self) -> None:
        """A page of either in turn, so that what was given can be taken up as far as it goes (45)."""
        asking, house = self._asking, self._house
        starts = {asking.sender: asking.own, house.party: asking.theirs}
        if house.restored is not None:
            del starts[house.party]  # (43) it says nothing itself yet
        while starts:
            for author in list(starts):
                body = await house.give_back(asking.sender, asking.relationship, author, starts[author])
                parcel = await self._fitting(read_parcel(body), author)
                if parcel is None:
                    return
                self._put(parcel, author)
                starts[author] += len(parcel.entries)
                if not parcel.entries:
                    del starts[author]

    async def _fitting(self, parcel: Parcel, author: str) -> Parcel | None:
        """As much of a page as there is room for, with the payloads that it needs; None where nothing of it fits."""
        room = PARTS_MAX - len(self.pages) - len(self.payloads) - 1
        if room < 0:
            return None
        if author != self._house.party:
            return parcel
        inside = {sha256(blob).digest() for blob in parcel.blobs}
        needed: list[Payload] = []
        for number, sent in enumerate(parcel.entries):
            named = carried_in(sent.envelope)
            if named is None or named.payload in inside or await self._house.blobs.size(named.payload) is None:
                continue
            if len(needed) == room:
                if not number:
                    return None
                parcel = msgspec.structs.replace(parcel, entries=parcel.entries[:number])
                break
            needed.append(Payload(named.payload, named.size, record_id(sent.envelope)))
        self.payloads += needed
        return parcel

    def _put(self, parcel: Parcel, author: str) -> None:
        body = write_parcel(parcel)
        self.bodies.append(body)
        self.pages.append(Page(sha256(body).digest(), len(body), author, parcel.start, len(parcel.entries)))


class _File:
    """A file of what was given back, as the way to whoever gave it."""

    def __init__(self, source: BinaryIO, start: int, given: Given) -> None:
        self._source = source
        self._given = given
        parts = (*given.pages, *given.payloads)
        ends = accumulate((part.size for part in parts), initial=start)
        self._parts = list(zip(parts, ends, strict=False))

    async def given_back(self, relationship: str, author: str, start: int) -> bytes:
        """See ``roads.Road``; what is here already is left out of a page."""
        pages = [(part, at) for part, at in self._parts if isinstance(part, Page) and part.author == author]
        if not pages:
            raise Unavailable(f"{self._given.sender!r} was brought back itself", code="restored-node")
        if pages[0][0].start > start:
            raise Rejected(
                f"what is given back of {author!r} begins with record {pages[0][0].start}, and {start} are here; ask "
                "once more",
                code="other-asking",
            )
        for page, at in pages:
            if page.start <= start < page.start + page.records or not page.records:
                parcel = read_parcel(self._read(at, page.size))
                entries = parcel.entries[max(0, start - page.start) :]
                return write_parcel(msgspec.structs.replace(parcel, start=start, entries=entries))
        raise Unavailable(
            f"it holds {start} records of {chain_id(relationship, author)!r}, which are here now, and there are more; "
            "ask once more",
            code="more-to-come",
        )

    async def payload(self, _relationship: str, record: bytes, offset: int) -> bytes:
        """See ``roads.Road``."""
        for part, at in self._parts:
            if isinstance(part, Payload) and part.record == record:
                return self._read(at + offset, min(PAYLOAD_PIECE_BYTES, max(0, part.size - offset)))
        raise Unavailable("the payload of this record is not in the file", code="no-blob")

    def _read(self, at: int, count: int) -> bytes:
        self._source.seek(at)
        return self._source.read(count)
