"""Digests: the ledgers that a journal gives, from its envelopes alone (``spec/backup.md`` step 76).

Of every entry its record's digest, its place and link, and its leaf; of every chain its tiles and root. No signature is
verified and no verdict made again, so this keeps up with hashing: what it reads of an envelope, it reads where the one
form of an envelope has it, and it decodes only what does not stand there.
"""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Iterable
from hashlib import sha256

import msgspec

from comity.errors import Rejected
from comity.flows.keeping.sequencer import tile_key
from comity.ledger.canonical import HASH_BYTES
from comity.ledger.leaf import LeafKind
from comity.ledger.tiles import TileId
from comity.ledger.tree import LEAF, Frontier, TreeHead
from comity.record.contexts import RECORD
from comity.record.dsse import pae
from comity.record.encoding import decode
from comity.record.statement import NOTHING, SUITE, VERSION, Statement

Entry = tuple[str, int, bytes, bytes, bytes, int]
"""Chain, sequence, record, envelope, salt, and whether it extends its chain."""
_PAYLOAD = len(b'{"payload":"')
"""Where the payload of an envelope begins; that it begins so is covered by its leaf."""
_CONTEXT = LeafKind.RECORD.value.encode("ascii")
_PAE = pae(RECORD, b"").removesuffix(b"0 ")


class Finding(msgspec.Struct, frozen=True):
    """Something that is not as it must be: where, and what."""

    place: str
    says: str


class Stretch(msgspec.Struct, frozen=True):
    """What some entries add to one chain: where it was before and is after them, and the hashes of their leaves."""

    chain: str
    began: tuple[int, bytes]
    ended: tuple[int, bytes]
    leaves: bytes


class Share(msgspec.Struct, frozen=True):
    """What entries that follow on one another in the journal come to, each as it must be."""

    entries: int
    stretches: tuple[Stretch, ...]


def share(entries: Iterable[Entry], before: Callable[[str, int], bytes]) -> Share | None:
    """Check entries by themselves, whoever checks those before them; None where any of them is not as it must be.

    Args:
        entries: that follow on one another in the journal.
        before: the record at a place of a chain, as the database has it. Whoever adds shares up compares it.
    """
    chains: dict[str, _Chain] = {}
    began: dict[str, tuple[int, bytes]] = {}
    count = 0
    for name, sequence, record, envelope, salt, extends in entries:
        chain = chains.get(name)
        if chain is None:
            chain = chains[name] = _Chain(name)
        if extends and name not in began:
            chain.size, chain.last = sequence, before(name, sequence - 1) if sequence else NOTHING
            began[name] = chain.size, chain.last
        try:
            chain.take(sequence, record, envelope, salt, extends)
        except Rejected:
            return None
        count += 1
    stretches = [
        Stretch(name, each, (chains[name].size, chains[name].last), b"".join(chains[name].leaves))
        for name, each in began.items()
    ]
    return Share(count, tuple(stretches))


class Digests:
    """The ledgers of a journal, computed again portion by portion.

    Attributes:
        tiles: what it gives for the ledgers, by the key of the store's row.
        entries: how many entries were taken.
    """

    def __init__(self) -> None:
        self.tiles: dict[str, bytes] = {}
        self.entries = 0
        self._chains: dict[str, _Chain] = {}

    def heads(self) -> dict[str, TreeHead]:
        """The ledger heads that the journal gives."""
        return {name: chain.frontier.head() for name, chain in self._chains.items() if chain.size}

    def last(self, chain: str) -> bytes:
        """The id of the last record of a chain."""
        return self._chains[chain].last

    def check_head(self, chain: str, head: TreeHead) -> TreeHead:
        """``head``, once it is shown to be one that the ledger of ``chain`` went through.

        Raises:
            Rejected: the records of the journal do not give it.
        """
        Frontier.restore(head, lambda level, index: self.tiles.get(tile_key(chain, TileId(level, index)), b""))
        return head

    def take(self, entries: Iterable[Entry]) -> dict[int, Finding]:
        """The next entries of the journal; what is wrong with them, by their number. Such a one extends no chain."""
        wrong: dict[int, Finding] = {}
        chain: _Chain | None = None
        for name, sequence, record, envelope, salt, extends in entries:
            if chain is None or chain.name != name:
                chain = self._chains.get(name) or self._chains.setdefault(name, _Chain(name))
            try:
                chain.take(sequence, record, envelope, salt, extends)
            except Rejected as error:
                wrong[self.entries] = Finding(f"journal entry {self.entries}", error.sentence)
            self.entries += 1
        for grown in self._chains.values():
            self._grow(grown)
        return wrong

    def add(self, share: Share) -> bool:
        """Take the next entries, which were checked by themselves; False where they do not follow on what is here."""
        chains = [self._chains.get(each.chain) or _Chain(each.chain) for each in share.stretches]
        if any((chain.size, chain.last) != each.began for chain, each in zip(chains, share.stretches, strict=True)):
            return False
        for chain, each in zip(chains, share.stretches, strict=True):
            self._chains[chain.name] = chain
            chain.size, chain.last = each.ended
            chain.leaves = [each.leaves[at : at + HASH_BYTES] for at in range(0, len(each.leaves), HASH_BYTES)]
            self._grow(chain)
        self.entries += share.entries
        return True

    def _grow(self, chain: _Chain) -> None:
        if chain.leaves:
            chain.frontier, tiles = chain.frontier.append_hashes(chain.leaves)
            chain.leaves = []
            self.tiles.update((tile_key(chain.name, tile.id), tile.hashes) for tile in tiles)


class _Chain:
    """One chain as far as it was taken; ``leaves`` are not in its ``frontier`` yet."""

    __slots__ = ("begins", "frontier", "last", "leaves", "name", "size")

    def __init__(self, name: str) -> None:
        self.name = name
        self.size = 0
        self.last = NOTHING
        self.frontier = Frontier()
        self.leaves: list[bytes] = []
        self.begins = _begins(name)

    def take(self, sequence: int, record: bytes, envelope: bytes, salt: bytes, extends: int) -> None:
        """Take the next entry.

        Raises:
            Rejected: it is not as it must be; it extends nothing.
        """
        _check(self, sequence, record, envelope, extends)
        if extends:
            self.size, self.last = sequence + 1, record
            data = sha256(_CONTEXT + salt + sha256(envelope).digest()).digest()  # ledger.md (24), (25)
            self.leaves.append(sha256(LEAF + data).digest())


def _check(chain: _Chain, sequence: int, record: bytes, envelope: bytes, extends: int) -> None:
    """That an envelope is that of its entry, and, where it ``extends`` the chain, that it follows at its end."""
    try:
        payload = a2b_base64(envelope[_PAYLOAD : envelope.find(b'"', _PAYLOAD)])
    except ValueError:
        payload = b""
    if sha256(b"%b%d %b" % (_PAE, len(payload), payload)).digest() != record:
        raise _altered()
    previous = b2a_base64(chain.last, newline=False)
    if not payload.startswith(b'%b%d,"previous":"%b","at":' % (chain.begins, sequence, previous)):
        statement = decode(payload, Statement)
        if (statement.chain, statement.sequence) != (chain.name, sequence):
            raise _altered()
        if extends and statement.previous != chain.last:
            raise _not_following()
    if extends and sequence != chain.size:
        raise _not_following()


def _begins(chain: str) -> bytes:
    """How the statements of a chain begin, up to their sequence number."""
    relationship, _, author = chain.rpartition("/")
    head = {"version": VERSION, "suite": SUITE, "relationship": relationship, "author": author}
    return msgspec.json.encode(head)[:-1] + b',"sequence":'


def _altered() -> Rejected:
    return Rejected("the record is not the one that its entry names", code="altered-entry")


def _not_following() -> Rejected:
    return Rejected("the record does not follow the one before it in its chain", code="link")
