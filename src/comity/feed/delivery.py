"""What the two ends of a channel say to one another, besides frames (``spec/feed.md`` step 15; pure)."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from comity.errors import Rejected

BATCHES_UNDER_WAY_MAX = 64
"""Most batches on the way that the peer has not acknowledged."""
BYTES_UNDER_WAY_MAX = 16 * 2**20
"""Most bytes of them."""
WORD_BYTES_MAX = 4096


class Have(Struct, frozen=True, array_like=True, tag="have"):
    """The recipient's first word: how many batches of the feed's log it has durably, and the root over them."""

    size: int
    root: bytes


class Acknowledged(Struct, frozen=True, array_like=True, tag="acknowledged"):
    """The recipient has the first ``size`` batches durably: its cosignature of that checkpoint, as its line says it."""

    size: int
    cosignature: str


Word = Have | Acknowledged
_decoder = msgspec.msgpack.Decoder(Word)
_encoder = msgspec.msgpack.Encoder()


def write_word(word: Word) -> bytes:
    """A word as it goes over the channel."""
    return _encoder.encode(word)


def read_word(data: bytes) -> Word:
    """A word, read strictly.

    Raises:
        Rejected: ``bad-word``.
    """
    if len(data) > WORD_BYTES_MAX:
        raise Rejected(f"a word of {len(data)} bytes; at most {WORD_BYTES_MAX} are read", code="bad-word")
    try:
        word: Word = _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Rejected("not what a recipient of a feed says", code="bad-word") from None
    if _encoder.encode(word) != data or not 0 <= word.size < 2**63:
        raise Rejected("not what a recipient of a feed says, in its one spelling", code="bad-word")
    return word
