"""The payload: 64 KiB chunks under ChaCha20-Poly1305, each in its place (``spec/seal.md`` steps 13 to 16).

Chunks are sealed and opened a batch at a time between buffers that are used again. The thread that calls does the
work: the primitive runs at several gigabytes a second, so a second thread only helps where a sink is slow, and then
the caller knows best. ``decrypt_into`` leaves unauthenticated bytes in its buffer when it fails; that buffer is never
written.
"""

from __future__ import annotations

from collections.abc import Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from comity.seal.derivation import derive
from comity.seal.header import FileKey
from comity.seal.recipients import Entropy
from comity.seal.refusals import PayloadDamaged
from comity.seal.streams import Sink, Source, fill, take, write_all

CHUNK_BYTES = 64 * 1024
"""Plaintext bytes of every chunk but the last (c2sp.org/age, Payload)."""
TAG_BYTES = 16
SEALED_CHUNK_BYTES = CHUNK_BYTES + TAG_BYTES
NONCE_BYTES = 16
"""Size of the payload's own nonce, from which its key is derived."""
BATCH_CHUNKS = 16
"""Chunks between two reads: 1 MiB, the fastest of 1, 4, 16 and 64 measured, and 3 MiB of buffers in all."""
_NEIGHBOURS = 16
"""How far a chunk that fails is looked for on either side of its place, to name what happened."""


def sealed_size(plaintext_bytes: int) -> int:
    """Bytes of the payload of that many plaintext bytes."""
    return NONCE_BYTES + plaintext_bytes + TAG_BYTES * _chunks(plaintext_bytes, CHUNK_BYTES)


def seal_payload(file_key: FileKey, source: Source, sink: Sink, entropy: Entropy) -> None:
    """(13) (14) Seal ``source`` to its end into ``sink``; constant memory."""
    nonce = entropy(NONCE_BYTES)
    write_all(sink, nonce)
    cipher = _cipher(file_key, nonce)
    sealed = memoryview(bytearray(BATCH_CHUNKS * SEALED_CHUNK_BYTES))
    for first, batch, is_last in _batches(source, CHUNK_BYTES):
        write_all(sink, sealed[: _seal_batch(cipher, first, batch, sealed, is_last)])


def seal_payload_bytes(file_key: FileKey, plaintext: bytes, entropy: Entropy) -> bytes:
    """(13) (14) ``seal_payload`` in memory."""
    nonce = entropy(NONCE_BYTES)
    sealed = bytearray(sealed_size(len(plaintext)))
    sealed[:NONCE_BYTES] = nonce
    _seal_batch(_cipher(file_key, nonce), 0, memoryview(plaintext), memoryview(sealed)[NONCE_BYTES:], is_last=True)
    return bytes(sealed)


def open_payload(file_key: FileKey, source: Source, sink: Sink) -> int:
    """(15) (16) Open ``source``, which ends with the payload, into ``sink``; constant memory.

    Whatever reaches ``sink`` authenticated first, a batch at a time. If a later chunk does not, the sink holds the
    beginning of a damaged file: a caller who must not see it opens into ``files.whole_file``.

    Returns:
        Plaintext bytes written.

    Raises:
        PayloadDamaged: the payload does not authenticate to its end.
    """
    cipher = _cipher(file_key, _whole_nonce(take(source, NONCE_BYTES)))
    plaintext = memoryview(bytearray(BATCH_CHUNKS * CHUNK_BYTES))
    total = 0
    for first, batch, is_last in _batches(source, SEALED_CHUNK_BYTES):
        size = _open_batch(cipher, first, batch, plaintext, is_last)
        write_all(sink, plaintext[:size])
        total += size
    return total


def open_payload_bytes(file_key: FileKey, payload: bytes) -> bytes:
    """(15) (16) ``open_payload`` in memory: all of it, or nothing.

    Raises:
        PayloadDamaged: the payload does not authenticate to its end.
    """
    cipher = _cipher(file_key, _whole_nonce(payload[:NONCE_BYTES]))
    sealed = memoryview(payload)[NONCE_BYTES:]
    plaintext = bytearray(len(sealed))
    return bytes(plaintext[: _open_batch(cipher, 0, sealed, memoryview(plaintext), is_last=True)])


def _cipher(file_key: FileKey, nonce: bytes) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(derive(file_key, nonce, b"payload"))  # (13)


def _whole_nonce(nonce: bytes) -> bytes:
    if len(nonce) != NONCE_BYTES:
        raise PayloadDamaged("the file ends before its payload begins; fetch it again, whole", code="truncated")
    return nonce


def _chunks(size: int, chunk_bytes: int) -> int:
    """Number of chunks; one even of an empty payload."""
    return max(1, -(-size // chunk_bytes))


def _chunk_nonce(index: int, is_final: bool) -> bytes:
    """(14) 11 bytes of counter, one byte that marks the final chunk."""
    return (index << 8 | is_final).to_bytes(12)


def _batches(source: Source, chunk_bytes: int) -> Iterator[tuple[int, memoryview, bool]]:
    """Index of its first chunk, the batch, and whether it is the last, which is known only by reading ahead."""
    size = BATCH_CHUNKS * chunk_bytes
    current, following = memoryview(bytearray(size)), memoryview(bytearray(size))
    filled, first, ahead = fill(source, current), 0, 1
    while ahead:
        ahead = fill(source, following) if filled == size else 0
        yield first, current[:filled], not ahead
        current, following, filled, first = following, current, ahead, first + BATCH_CHUNKS


def _seal_batch(cipher: ChaCha20Poly1305, first: int, plaintext: memoryview, sealed: memoryview, is_last: bool) -> int:
    count = _chunks(len(plaintext), CHUNK_BYTES)
    for number in range(count):
        chunk = plaintext[number * CHUNK_BYTES : (number + 1) * CHUNK_BYTES]
        start = number * SEALED_CHUNK_BYTES
        nonce = _chunk_nonce(first + number, is_last and number == count - 1)
        cipher.encrypt_into(nonce, chunk, None, sealed[start : start + len(chunk) + TAG_BYTES])
    return len(plaintext) + count * TAG_BYTES


def _open_batch(cipher: ChaCha20Poly1305, first: int, sealed: memoryview, plaintext: memoryview, is_last: bool) -> int:
    count = _chunks(len(sealed), SEALED_CHUNK_BYTES)
    for number in range(count):
        chunk = sealed[number * SEALED_CHUNK_BYTES : (number + 1) * SEALED_CHUNK_BYTES]
        index, is_final = first + number, is_last and number == count - 1
        size = len(chunk) - TAG_BYTES
        if size < 0:
            raise PayloadDamaged(
                "the file ends inside a chunk; fetch it again, whole", code="truncated", place=f"chunk {index}"
            )
        start = number * CHUNK_BYTES
        try:
            cipher.decrypt_into(_chunk_nonce(index, is_final), chunk, None, plaintext[start : start + size])
        except InvalidTag:
            raise _diagnosis(cipher, index, chunk, is_final) from None
        if size == 0 and index > 0:
            raise PayloadDamaged(
                "an empty chunk ends a payload that is not empty", code="empty-final-chunk", place=f"chunk {index}"
            )
    return len(sealed) - count * TAG_BYTES


def _diagnosis(cipher: ChaCha20Poly1305, index: int, chunk: memoryview, is_final: bool) -> PayloadDamaged:
    """What happened to a chunk that failed; it is refused in any case."""
    place = f"chunk {index}"
    if _authenticates(cipher, index, chunk, not is_final):
        if is_final:
            return PayloadDamaged(
                "the file ends after a chunk that is not its last; fetch it again, whole", code="truncated", place=place
            )
        return PayloadDamaged("data follows the last chunk of the payload", code="trailing-data", place=place)
    for other in range(max(0, index - _NEIGHBOURS), index + _NEIGHBOURS + 1):
        if _authenticates(cipher, other, chunk, False) or _authenticates(cipher, other, chunk, True):
            return PayloadDamaged(f"chunk {other} of the file stands in its place", code="chunk-moved", place=place)
    how = "it was changed, cut short, or something was added to it" if is_final else "it was changed"
    return PayloadDamaged(f"the chunk does not authenticate: {how}", code="chunk-forged", place=place)


def _authenticates(cipher: ChaCha20Poly1305, index: int, chunk: memoryview, is_final: bool) -> bool:
    try:
        cipher.decrypt(_chunk_nonce(index, is_final), chunk, None)
    except InvalidTag:
        return False
    return True
