"""Digests: the ledgers that a journal gives, from its envelopes alone (``spec/backup.md`` step 76).

Of every entry its record's digest, its place and link, and its leaf; of every chain its tiles and root. No signature is
verified and no verdict made again, so this keeps up with hashing: what it reads of an envelope, it reads where the one
form of an envelope has it, and it decodes only what does not stand there.
"""

from __future__ import annotations

from base64 import b64encode as _base64
from binascii import a2b_base64
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
        self._frontiers: dict[str, Frontier] = {}
        self._last: dict[str, bytes] = {}
        self._begins: dict[str, bytes] = {}

    def heads(self) -> dict[str, TreeHead]:
        """The ledger heads that the journal gives."""
        return {chain: frontier.head() for chain, frontier in self._frontiers.items()}

    def last(self, chain: str) -> bytes:
        """The id of the last record of a chain."""
        return self._last[chain]

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
        sizes = {chain: frontier.size for chain, frontier in self._frontiers.items()}
        leaves: dict[str, list[bytes]] = {}
        for chain, sequence, record, envelope, salt, extends in entries:
            try:
                self._check(chain, sequence, record, envelope, sizes.get(chain, 0) if extends else None)
            except Rejected as error:
                wrong[self.entries] = Finding(f"journal entry {self.entries}", error.sentence)
            else:
                if extends:
                    sizes[chain] = sequence + 1
                    self._last[chain] = record
                    data = sha256(_CONTEXT + salt + sha256(envelope).digest()).digest()  # ledger.md (24), (25)
                    leaves.setdefault(chain, []).append(sha256(LEAF + data).digest())
            self.entries += 1
        for chain, hashes in leaves.items():
            self._frontiers[chain], grown = self._frontiers.get(chain, Frontier()).append_hashes(hashes)
            self.tiles.update((tile_key(chain, tile.id), tile.hashes) for tile in grown)
        return wrong

    def _check(self, chain: str, sequence: int, record: bytes, envelope: bytes, size: int | None) -> None:
        """That an envelope is that of its entry, and, with the ``size`` of its chain, that it follows at its end."""
        try:
            payload = a2b_base64(envelope[_PAYLOAD : envelope.find(b'"', _PAYLOAD)])
        except ValueError:
            payload = b""
        if sha256(b"%b%d %b" % (_PAE, len(payload), payload)).digest() != record:
            raise _altered()
        if chain not in self._begins:
            self._begins[chain] = _begins(chain)
        last = self._last.get(chain, NOTHING)
        if not payload.startswith(b'%b%d,"previous":"%b","at":' % (self._begins[chain], sequence, _base64(last))):
            statement = decode(payload, Statement)
            if (statement.chain, statement.sequence) != (chain, sequence):
                raise _altered()
            if size is not None and statement.previous != last:
                raise _not_following()
        if size is not None and sequence != size:
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
