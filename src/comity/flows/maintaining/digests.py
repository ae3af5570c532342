"""Digests: the ledgers that a journal gives, from its envelopes alone (``spec/backup.md`` step 76).

Of every entry its record's digest, its place and link, and its leaf; of every chain its tiles and root. No signature is
verified and no verdict made again, so this keeps up with hashing: what it reads of an envelope, it reads where the one
form of an envelope has it, and it decodes only what does not stand there.
"""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64
from collections.abc import Iterable
from hashlib import sha256

import msgspec

from comity.errors import Rejected
from comity.flows.keeping.sequencer import tile_key
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
                _check(chain, sequence, record, envelope, extends)
            except Rejected as error:
                wrong[self.entries] = Finding(f"journal entry {self.entries}", error.sentence)
            else:
                if extends:
                    chain.size = sequence + 1
                    chain.last = record
                    data = sha256(_CONTEXT + salt + sha256(envelope).digest()).digest()  # ledger.md (24), (25)
                    chain.leaves.append(sha256(LEAF + data).digest())
            self.entries += 1
        for grown in self._chains.values():
            if grown.leaves:
                grown.frontier, tiles = grown.frontier.append_hashes(grown.leaves)
                grown.leaves = []
                self.tiles.update((tile_key(grown.name, tile.id), tile.hashes) for tile in tiles)
        return wrong


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
