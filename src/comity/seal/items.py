"""An item inside its seal: manifest, content, padding (``spec/seal.md`` steps 21, 25 and 26).

In memory::

    plaintext = pack(manifest, content)
    item = unpack(plaintext, binding)

As streams, with constant memory::

    seal_payload(file_key, packed(manifest, source), sink, entropy)

    with whole_file(path) as sink:
        manifest = unpack_payload(file_key, payload, sink, binding)
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from io import BytesIO

import msgspec

from comity.errors import Misuse
from comity.seal import manifest as manifests
from comity.seal.header import FileKey
from comity.seal.manifest import Binding, Manifest, content_commitment
from comity.seal.padding import padded_length
from comity.seal.payload import open_payload
from comity.seal.refusals import ManifestRejected
from comity.seal.streams import Pieces, Sink, Source, fill, take, write_all

_PIECE_BYTES = 256 * 1024


class Item(msgspec.Struct, frozen=True):
    """A content that is what its record says, and what its author said of it."""

    manifest: Manifest
    content: bytes


class Measure(msgspec.Struct, frozen=True):
    """What a manifest needs to know of a content before it can be written."""

    length: int
    digest: bytes


def measure(source: Source) -> Measure:
    """Length in bytes and SHA-256 of ``source``, read to its end; constant memory."""
    digest, length, buffer = sha256(), 0, memoryview(bytearray(_PIECE_BYTES))
    while count := fill(source, buffer):
        digest.update(buffer[:count])
        length += count
    return Measure(length, digest.digest())


def pack(manifest: Manifest, content: bytes) -> bytes:
    """(21) The plaintext of an item.

    Raises:
        Misuse: ``content`` is not the one the manifest is about, or the manifest is one nobody would read.
    """
    return b"".join(_packed(manifest, BytesIO(content)))


def packed(manifest: Manifest, content: Source) -> Source:
    """(21) ``pack`` as a source; what it raises, it raises when read."""
    return Pieces(_packed(manifest, content))


def _packed(manifest: Manifest, content: Source) -> Iterator[bytes]:
    head = manifests.encode(manifest)
    yield head
    digest, left = sha256(), manifest.length
    while left and (piece := take(content, min(left, _PIECE_BYTES))):
        digest.update(piece)
        left -= len(piece)
        yield piece
    if left or take(content, 1) or content_commitment(manifest.salt, digest.digest()) != manifest.binding.content:
        raise Misuse("the content is not the one its manifest is about; it changed while it was read", code="content")
    left = padded_length(len(head) + manifest.length) - len(head) - manifest.length  # (25)
    while left:
        yield bytes(count := min(left, _PIECE_BYTES))
        left -= count


def unpack(plaintext: bytes, expected: Binding) -> Item:
    """(26) The item inside ``plaintext``, if it is the one its record says.

    Raises:
        ManifestRejected: the manifest is malformed or differs, or content or padding are not what it says.
    """
    content = BytesIO()
    unpacking = _Unpacking(expected, content)
    unpacking.write(plaintext)
    return Item(unpacking.finish(), content.getvalue())


def unpack_payload(file_key: FileKey, payload: Source, sink: Sink, expected: Binding) -> Manifest:
    """(26) Open an item's payload, content into ``sink``; constant memory.

    Not a byte of content reaches ``sink`` before the manifest agrees with ``expected``. Digest and padding are only
    known at the end: until this returns, what is in ``sink`` belongs to nobody. Use ``files.whole_file``.

    Raises:
        PayloadDamaged: the payload does not authenticate to its end.
        ManifestRejected: as ``unpack``.
    """
    unpacking = _Unpacking(expected, sink)
    open_payload(file_key, payload, unpacking)
    return unpacking.finish()


class _Unpacking:
    """A sink for a plaintext that passes its content on."""

    def __init__(self, expected: Binding, sink: Sink) -> None:
        self._expected = expected
        self._sink = sink
        self._head = b""
        self._manifest: Manifest | None = None
        self._digest = sha256()
        self._content_left = 0
        self._padding_left = 0

    def write(self, data: memoryview | bytes, /) -> int:
        rest = memoryview(data) if self._manifest else self._begin(data)
        content, padding = rest[: self._content_left], rest[self._content_left :]
        self._digest.update(content)
        write_all(self._sink, content)
        self._content_left -= len(content)
        self._padding_left -= len(padding)
        if self._padding_left < 0 or bytes(padding).strip(b"\0"):
            raise ManifestRejected("what follows the content is not its zero padding", code="padding-differs")
        return len(data)

    def _begin(self, data: memoryview | bytes) -> memoryview:
        """What follows the manifest; nothing while it is not complete."""
        self._head += data
        found = manifests.read(self._head)
        if found is None:
            return memoryview(b"")
        manifest, start = found
        self._manifest = manifests.require(manifest, self._expected)
        self._content_left = manifest.length
        self._padding_left = padded_length(start + manifest.length) - start - manifest.length
        rest, self._head = memoryview(self._head)[start:], b""
        return rest

    def finish(self) -> Manifest:
        manifest = self._manifest
        if manifest is None:
            raise ManifestRejected("the sealed plaintext ends inside its manifest", code="manifest-malformed")
        digest = self._digest.digest()
        if self._content_left or content_commitment(manifest.salt, digest) != manifest.binding.content:
            raise ManifestRejected("the content is not the one the record commits to", code="content-differs")
        if self._padding_left:
            raise ManifestRejected("the zero padding of the content is too short", code="padding-differs")
        return manifest
