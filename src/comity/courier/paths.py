"""The paths of the exchange: each names one thing, in one spelling (``spec/exchange.md`` steps 41 to 43).

    >>> write(Exchange("jp-kr-2016/jp.kr"))
    '/v1/exchange/jp-kr-2016/jp.kr'
    >>> read("/v1/ledger/jp-kr-2016/jp.kr/jp/checkpoint")
    Checkpoint(relationship='jp-kr-2016/jp.kr', author='jp')

All names are identifiers as agreements have them (lowercase letters and digits, joined by ``.`` or ``-``): nothing is
ever escaped, no name reaches into another path, and ``..`` is none.
"""

from __future__ import annotations

import re
from typing import ClassVar

import msgspec

from comity.agreement.model import IDENTIFIER_PATTERN
from comity.errors import Misuse, Rejected
from comity.ledger.canonical import read_decimal
from comity.ledger.tiles import BundleId, TileId, parse_path
from comity.record.statement import chain_id

PIECE_BYTES_MAX = 4 * 2**20
"""Largest piece of a blob in one request: one fsync for each, and little to send again after a cut."""
NAME_CHARACTERS_MAX = 200
"""Longest segment: a name in a record has as many."""
PATH_CHARACTERS_MAX = 1_000
"""Longest path: three names, a digest and two numbers need less."""

_NAME = re.compile(IDENTIFIER_PATTERN.removeprefix("^").removesuffix("$"), re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)


class Exchange(msgspec.Struct, frozen=True):
    """POST: a parcel of one relationship; the reply is a parcel."""

    method: ClassVar[str] = "POST"
    relationship: str


class Reconcile(msgspec.Struct, frozen=True):
    """POST: a question about the register of one relationship; the reply is its answer (``spec/inventory.md``)."""

    method: ClassVar[str] = "POST"
    relationship: str


class Upload(msgspec.Struct, frozen=True):
    """GET: how many bytes of a blob have arrived durably, as a decimal."""

    method: ClassVar[str] = "GET"
    relationship: str
    digest: bytes


class Piece(msgspec.Struct, frozen=True):
    """PUT: the bytes of a blob of ``size`` bytes from ``offset`` on; the reply is that of ``Upload``."""

    method: ClassVar[str] = "PUT"
    relationship: str
    digest: bytes
    size: int
    offset: int


class GivenBack(msgspec.Struct, frozen=True):
    """GET: a parcel of what ``author`` said from record ``start`` on, for a peer that has lost it."""

    method: ClassVar[str] = "GET"
    relationship: str
    author: str
    start: int


class Payload(msgspec.Struct, frozen=True):
    """GET: the sealed payload that a record names, from ``offset`` on; at most ``PIECE_BYTES_MAX`` of it."""

    method: ClassVar[str] = "GET"
    relationship: str
    record: bytes
    offset: int


class OwnCard(msgspec.Struct, frozen=True):
    """GET: the card of the party whose node this is. The only request that needs no signature."""

    method: ClassVar[str] = "GET"


class Checkpoint(msgspec.Struct, frozen=True):
    """GET: the newest checkpoint of a chain's ledger (tlog-tiles)."""

    method: ClassVar[str] = "GET"
    relationship: str
    author: str

    @property
    def chain(self) -> str:
        """The chain the ledger is of."""
        return chain_id(self.relationship, self.author)


class LedgerTile(msgspec.Struct, frozen=True):
    """GET: one tile of a chain's ledger, or the bundle of the entries under one (tlog-tiles)."""

    method: ClassVar[str] = "GET"
    relationship: str
    author: str
    tile: TileId | BundleId

    @property
    def chain(self) -> str:
        """The chain the ledger is of."""
        return chain_id(self.relationship, self.author)


class Feed(msgspec.Struct, frozen=True):
    """GET, and a WebSocket from there on: a feed of the party whose node this is (``spec/feed.md`` step 15)."""

    method: ClassVar[str] = "GET"
    relationship: str
    feed: str


Route = Exchange | Reconcile | Upload | Piece | GivenBack | Payload | OwnCard | Checkpoint | LedgerTile | Feed


def read_name(text: str) -> str:
    """``text``, if it is a name that a path or a header may carry.

    Raises:
        Rejected: ``bad-name``.
    """
    if len(text) > NAME_CHARACTERS_MAX or _NAME.fullmatch(text) is None:
        raise Rejected(
            f"{text[:80]!r} is not a name here: lowercase letters and digits, joined by '-' or '.'", code="bad-name"
        )
    return text


def write(route: Route) -> str:
    """The path of ``route`` (42).

    Raises:
        Misuse: a name in it is none that a path can carry.
    """
    match route:
        case Exchange(relationship=relationship):
            path = f"/v1/exchange/{relationship}"
        case Reconcile(relationship=relationship):
            path = f"/v1/reconcile/{relationship}"
        case Upload(relationship=relationship, digest=digest):
            path = f"/v1/blobs/{relationship}/{digest.hex()}"
        case Piece(relationship=relationship, digest=digest, size=size, offset=offset):
            path = f"/v1/blobs/{relationship}/{digest.hex()}/{size}/{offset}"
        case GivenBack(relationship=relationship, author=author, start=start):
            path = f"/v1/given-back/{relationship}/{author}/{start}"
        case Payload(relationship=relationship, record=record, offset=offset):
            path = f"/v1/payloads/{relationship}/{record.hex()}/{offset}"
        case OwnCard():
            path = "/v1/card"
        case Checkpoint():
            path = f"/v1/ledger/{route.chain}/checkpoint"
        case LedgerTile(tile=tile):
            path = f"/v1/ledger/{route.chain}/{tile.path}"
        case Feed(relationship=relationship, feed=feed):
            path = f"/v1/feeds/{relationship}/{feed}"
    try:
        same = read(path) == route
    except Rejected:
        same = False
    if not same:
        raise Misuse(f"{path!r} cannot be a path of the exchange", code="bad-name")
    return path


def read(path: str) -> Route:
    """The thing that ``path`` names in its one spelling (43).

    Raises:
        Rejected: ``unknown-path``, or the code of the part that is malformed.
    """
    if len(path) > PATH_CHARACTERS_MAX:
        raise Rejected(f"a path of {len(path)} characters; at most {PATH_CHARACTERS_MAX} are read", code="unknown-path")
    match path.split("/"):
        case ["", "v1", "exchange", agreement, parties]:
            return Exchange(_relationship(agreement, parties))
        case ["", "v1", "reconcile", agreement, parties]:
            return Reconcile(_relationship(agreement, parties))
        case ["", "v1", "blobs", agreement, parties, digest]:
            return Upload(_relationship(agreement, parties), _digest(digest))
        case ["", "v1", "blobs", agreement, parties, digest, size, offset]:
            whole, start = read_decimal(size, "blob size"), read_decimal(offset, "offset")
            if start >= whole:
                raise Rejected(f"offset {start} is not inside a blob of {whole} bytes", code="blob-offset")
            return Piece(_relationship(agreement, parties), _digest(digest), whole, start)
        case ["", "v1", "given-back", agreement, parties, author, start]:
            return GivenBack(_relationship(agreement, parties), read_name(author), read_decimal(start, "start"))
        case ["", "v1", "payloads", agreement, parties, record, offset]:
            return Payload(_relationship(agreement, parties), _digest(record), read_decimal(offset, "offset"))
        case ["", "v1", "card"]:
            return OwnCard()
        case ["", "v1", "ledger", agreement, parties, author, "checkpoint"]:
            return Checkpoint(_relationship(agreement, parties), read_name(author))
        case ["", "v1", "ledger", agreement, parties, author, "tile", *rest]:
            tile = parse_path("/".join(["tile", *rest]))
            return LedgerTile(_relationship(agreement, parties), read_name(author), tile)
        case ["", "v1", "feeds", agreement, parties, feed]:
            return Feed(_relationship(agreement, parties), read_name(feed))
    raise Rejected(f"there is nothing at {path[:200]!r}", code="unknown-path")


def _relationship(agreement: str, parties: str) -> str:
    return f"{read_name(agreement)}/{read_name(parties)}"


def _digest(text: str) -> bytes:
    if _DIGEST.fullmatch(text) is None:
        raise Rejected(f"{text[:80]!r} is not a SHA-256 digest in 64 hexadecimal digits", code="bad-digest")
    return bytes.fromhex(text)
