"""Batches: made, sealed, logged and opened again (``spec/feed.md`` steps 11 to 14).

Rules of this file:

- A frame has one spelling; what does not write back to the same bytes is refused.
- Whoever opens a batch recomputes every leaf and the root of the log before anything of it is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Annotated, Literal

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from msgspec import Meta, Struct
from msgspec.structs import replace

from comity.errors import Rejected, invariant
from comity.feed.originals import SALT_BYTES, salts
from comity.ledger.checkpoint import Checkpoint, SignedCheckpoint, open_checkpoint, sign_checkpoint
from comity.ledger.leaf import batch_root_leaf
from comity.ledger.note import Note, Signer, VerifierKey
from comity.ledger.tiles import Tile
from comity.ledger.tree import Frontier

FORMAT = "comity-feed-batch/1"
VIEW_CONTEXT = b"comity/feed-view/1\0"
MESSAGES_MAX = 1_000
"""Most messages of a batch."""
VIEWS_BYTES_MAX = 262_144
"""A batch closes when its views have so many bytes; the last one may go beyond."""
FRAME_BYTES_MAX = 1_048_576
EPOCH_BATCHES_MAX = 2**20
LEAF_SALT_BYTES = 32

INSTANT_MAX = 253_402_300_799_999_999
"""The last microsecond of the year 9999."""
_Count = Annotated[int, Meta(ge=0, le=2**53)]
_Instant = Annotated[int, Meta(ge=0, le=INSTANT_MAX)]

Closed = Literal["full", "time", "posture", "release", "standing", "consent", "ended", "epoch"]
"""Why a batch closed: it was full, its time was over, or something changed on which the release depends."""
Why = Literal["rate", "space", "clock", "ended", "form"]
"""Why messages that may cross did not: too many a second, no room (for more sources, too) or too old while the link was
down, a source's clock, nothing of their type crossed any more while they waited, or no form is one they may have."""


class Dropped(Struct, frozen=True, array_like=True):
    """Messages that were dropped before this batch: how many of a type, why, and from when to when (microseconds)."""

    type: str
    why: Why
    count: Annotated[int, Meta(ge=1, le=2**53)]
    first: _Instant
    last: _Instant


class Contents(Struct, frozen=True, array_like=True):
    """What is sealed in a batch, by columns; all columns of messages are of one length.

    Attributes:
        seed: 32 bytes, from which each message's salt is made.
        dropped: what did not cross.
        sources: the names of the sources of this batch.
        source: of each message, the place of its source in ``sources``.
        turn: of each message, its number among those of its source, from 0.
        at: of each message, when it was published, in microseconds since 1970.
        views: of each message, what crosses of it.
    """

    seed: bytes
    dropped: tuple[Dropped, ...]
    sources: tuple[str, ...]
    source: tuple[int, ...]
    turn: tuple[_Count, ...]
    at: tuple[_Instant, ...]
    views: tuple[bytes, ...]

    def __repr__(self) -> str:
        return f"Contents(of {len(self.views)} messages)"


class Place(Struct, frozen=True, array_like=True):
    """Where a batch stands: the log's origin, epoch and batch in it, its first message, how many, why it closed."""

    format: str
    origin: str
    epoch: _Count
    batch: Annotated[int, Meta(ge=0, lt=EPOCH_BATCHES_MAX)]
    first: _Count
    count: Annotated[int, Meta(ge=1, le=MESSAGES_MAX)]
    closed: Closed


class Frame(Struct, frozen=True, array_like=True):
    """A batch on the wire and at rest."""

    place: Place
    sealed: bytes
    salt: bytes
    note: bytes


class Opened(Struct, frozen=True):
    """A batch that was opened and found true.

    Attributes:
        place: where it stands.
        contents: what was in it.
        leaves: the leaf data of each message.
        frontier: the log after it.
        tiles: tiles of the log that grew.
        checkpoint: what the publisher signed.
    """

    place: Place
    contents: Contents
    leaves: tuple[bytes, ...]
    frontier: Frontier
    tiles: tuple[Tile, ...]
    checkpoint: SignedCheckpoint


_encoder = msgspec.msgpack.Encoder()
_contents = msgspec.msgpack.Decoder(Contents)
_frame = msgspec.msgpack.Decoder(Frame)


def view_leaves(seed: bytes, first: int, views: Sequence[bytes]) -> tuple[bytes, ...]:
    """The leaf data of messages from number ``first`` on, 32 bytes each (11)."""
    salted = salts(seed, len(views))
    return tuple(
        [
            sha256(
                VIEW_CONTEXT
                + salted[SALT_BYTES * n : SALT_BYTES * n + SALT_BYTES]
                + (first + n).to_bytes(8, "big")
                + view
            ).digest()
            for n, view in enumerate(views)
        ]
    )


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The RFC 6962 root over leaf data."""
    return Frontier().append(leaves)[0].root()


def seal_batch(
    place: Place, contents: Contents, leaves: Sequence[bytes], key: bytes, salt: bytes, log: Frontier, signer: Signer
) -> tuple[bytes, Frontier, tuple[Tile, ...]]:
    """A batch as a frame, the log with it at its end, and the tiles that grew (11, 12, 14).

    Args:
        place: where it stands; no two batches of one key have the same number.
        contents: what is sealed.
        leaves: of ``contents.views``, as ``view_leaves`` gives them.
        key: the epoch's key, 32 bytes.
        salt: 32 fresh bytes for its leaf.
        log: the feed's log before it.
        signer: the publisher's log key.
    """
    invariant(place.count == len(contents.views) == len(leaves), "a batch says how many messages it has")
    sealed = ChaCha20Poly1305(key).encrypt(_nonce(place), _encoder.encode(contents), _encoder.encode(place))
    after, tiles = log.append([batch_root_leaf(salt, root_of(leaves)).data])
    note = sign_checkpoint(Checkpoint(place.origin, after.head()), signer).encode()
    return _encoder.encode(Frame(place, sealed, salt, note)), after, tiles


def read_frame(data: bytes) -> Frame:
    """A frame, read strictly and not opened.

    Raises:
        Rejected: ``too-large``, ``bad-frame``.
    """
    if len(data) > FRAME_BYTES_MAX:
        raise Rejected(f"a frame of {len(data)} bytes; at most {FRAME_BYTES_MAX} are taken", code="too-large")
    try:
        frame = _frame.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Rejected("not a frame of a feed", code="bad-frame") from None
    if frame.place.format != FORMAT or len(frame.salt) != LEAF_SALT_BYTES or _encoder.encode(frame) != data:
        raise Rejected(f"not a frame of the format {FORMAT!r} in its one spelling", code="bad-frame")
    return frame


def signed_anew(data: bytes, signer: Signer) -> bytes:
    """A frame with its checkpoint signed by ``signer``: what a key of before signed, which may be revoked since.

    Raises:
        Rejected: it is no frame.
    """
    frame = read_frame(data)
    note = sign_checkpoint(Checkpoint.parse(Note.parse(frame.note).text), signer).encode()
    return data if note == frame.note else _encoder.encode(replace(frame, note=note))


def is_same(one: Frame, other: Frame) -> bool:
    """Whether two frames are one batch, whichever of the publisher's keys signed its checkpoint."""
    said = [(each.place, each.sealed, each.salt, Note.parse(each.note).text) for each in (one, other)]
    return said[0] == said[1]


def open_batch(frame: Frame, origin: str, key: bytes, log: Frontier, log_keys: Iterable[VerifierKey]) -> Opened:
    """Open a batch and check all that it says against the log before it.

    Raises:
        Rejected: ``other-feed``; ``altered-batch``: it was not sealed so by this epoch's key; ``bad-batch``: its
            contents are not in order; ``two-histories``: its checkpoint is not that of the log with this batch at its
            end; what ``open_checkpoint`` raises.
    """
    place = frame.place
    if place.origin != origin:
        raise Rejected(f"a batch of the feed {place.origin[:200]!r}, not of {origin!r}", code="other-feed")
    contents = unseal(frame, key)
    leaves = view_leaves(contents.seed, place.first, contents.views)
    after, tiles = log.append([batch_root_leaf(frame.salt, root_of(leaves)).data])
    checkpoint = open_checkpoint(frame.note, origin, log_keys)
    if checkpoint.checkpoint.head != after.head():
        sentence = f"the checkpoint after batch {place.batch} is not that of the batches before it with this one"
        raise Rejected(sentence, code="two-histories")
    return Opened(place, contents, leaves, after, tiles, checkpoint)


def unseal(frame: Frame, key: bytes) -> Contents:
    """What is in a batch; that it stands in the log is checked when it comes, by ``open_batch``.

    Raises:
        Rejected: ``altered-batch``, ``bad-batch``.
    """
    place = frame.place
    try:
        plain = ChaCha20Poly1305(key).decrypt(_nonce(place), frame.sealed, _encoder.encode(place))
    except InvalidTag:
        sentence = f"batch {place.batch} of epoch {place.epoch} was altered, or is not sealed with this epoch's key"
        raise Rejected(sentence, code="altered-batch") from None
    return _read_contents(plain, place)


def _read_contents(plain: bytes, place: Place) -> Contents:
    try:
        contents = _contents.decode(plain)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Rejected(f"batch {place.batch} does not hold what a batch holds", code="bad-batch") from None
    columns = {len(each) for each in (contents.source, contents.turn, contents.at, contents.views)}
    if (
        columns != {place.count}
        or len(contents.seed) != 32
        or any(not 0 <= each < len(contents.sources) for each in contents.source)
        or _encoder.encode(contents) != plain
    ):
        raise Rejected(f"batch {place.batch} does not hold what it says", code="bad-batch")
    return contents


def _nonce(place: Place) -> bytes:
    """12 bytes, once for each batch of an epoch, whose key is its own (12)."""
    invariant(0 <= place.batch < EPOCH_BATCHES_MAX, "an epoch ends before its numbers do")
    return place.batch.to_bytes(12, "big")
