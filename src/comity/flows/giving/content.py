"""Content: from a file to a sealed payload with its manifest, and the headers of its copies (``spec/seal.md``).

A payload is sealed when the release is asked for, to the keys its recipients have then. What waits for approval is
closed already: a header for each copy stays here until the consignment is recorded, and nothing leaves before.
"""

from __future__ import annotations

import asyncio
import mimetypes
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from typing import BinaryIO, cast

import msgspec

from comity.flows.keeping.payloads import Payloads
from comity.marking.label import Label
from comity.ports import Entropy, Files
from comity.record.encoding import encode
from comity.register.rows import AgreementRow
from comity.seal.age import new_file_key, seal_header
from comity.seal.header import FileKey
from comity.seal.items import measure, pack, packed, unpack_payload
from comity.seal.keys import parse_recipient
from comity.seal.manifest import Binding, Manifest, content_commitment
from comity.seal.payload import seal_payload, seal_payload_bytes
from comity.seal.recipients import Recipient
from comity.seal.streams import Source

SMALL_CONTENT_BYTES_MAX = 1024 * 1024
"""Contents up to this size are sealed in memory, larger ones as streams."""


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A sealed payload that waits for its release.

    Attributes:
        payload: SHA-256 of the sealed payload.
        size: of the sealed payload, in bytes.
        content: salted commitment to the content.
        length: of the content, in bytes.
        headers: for each recipient his pseudonym, the age recipient it was sealed to, and the header.
    """

    payload: bytes
    size: int
    content: bytes
    length: int
    headers: tuple[tuple[str, str, bytes], ...]


class Wrapping(msgspec.Struct, frozen=True, kw_only=True):
    """What goes into the manifest of a content besides the content itself (``spec/seal.md`` step 22)."""

    author: str
    relationship: str
    item: str
    label: bytes
    agreement: bytes
    file_name: str

    def manifest(self, salt: bytes, length: int, digest: bytes) -> Manifest:
        """The manifest of a content of ``length`` bytes with SHA-256 ``digest``."""
        return Manifest(
            binding=self.binding(content_commitment(salt, digest)),
            salt=salt,
            length=length,
            media_type=mimetypes.guess_type(self.file_name)[0] or "application/octet-stream",
            file_name=self.file_name,
        )

    def binding(self, content: bytes) -> Binding:
        """What record and manifest both say."""
        return Binding(
            author=self.author,
            relationship=self.relationship,
            item=self.item,
            label=self.label,
            agreement=self.agreement,
            content=content,
        )


def wrapping_of(author: str, row: AgreementRow, item: str, label: Label, file_name: str) -> Wrapping:
    """What the manifest says of an item that ``author`` gives, or makes, under the agreement of a relationship."""
    return Wrapping(
        author=author,
        relationship=row.relationship,
        item=item,
        label=sha256(encode(label)).digest(),
        agreement=row.digest,
        file_name=file_name,
    )


@lru_cache(maxsize=1024)
def recipient(text: str) -> Recipient:
    """A parsed age recipient; parsing a hybrid one takes longer than sealing to it."""
    return parse_recipient(text)


async def seal_content(
    files: Files, path: str, wrapping: Wrapping, keys: Sequence[tuple[str, str]], payloads: Payloads, entropy: Entropy
) -> Prepared:
    """Seal the file at ``path`` under its manifest; the payload is durable on return.

    Args:
        files: where ``path`` is.
        path: the content.
        wrapping: what the manifest says.
        keys: for each copy its holder's pseudonym and age recipient.
        payloads: where the payload goes.
        entropy: file key, salts and nonces.

    Raises:
        Misuse: the file cannot be read, or changed while it was read.
    """
    file_key, salt = new_file_key(entropy), entropy(32)
    with files.read(path) as source:
        start = source.read(SMALL_CONTENT_BYTES_MAX + 1)
        if len(start) <= SMALL_CONTENT_BYTES_MAX:
            manifest = wrapping.manifest(salt, len(start), sha256(start).digest())
            sealed = seal_payload_bytes(file_key, pack(manifest, start), entropy)
            payload, size = sha256(sealed).digest(), len(sealed)
            await payloads.keep(payload, sealed)
        else:
            source.seek(0)
            manifest, payload, size = await _seal_large(files, source, wrapping, file_key, salt, payloads, entropy)
    headers = tuple((holder, key, seal_header(file_key, [recipient(key)], entropy)) for holder, key in keys)
    return Prepared(
        payload=payload, size=size, content=manifest.binding.content, length=manifest.length, headers=headers
    )


async def _seal_large(
    files: Files,
    source: BinaryIO,
    wrapping: Wrapping,
    file_key: FileKey,
    salt: bytes,
    payloads: Payloads,
    entropy: Entropy,
) -> tuple[Manifest, bytes, int]:
    reading = cast("Source", source)

    def seal(sink: BinaryIO) -> tuple[Manifest, bytes, int]:
        measured = measure(reading)
        source.seek(0)
        manifest = wrapping.manifest(salt, measured.length, measured.digest)
        digesting = Digesting(sink)
        seal_payload(file_key, packed(manifest, reading), digesting, entropy)
        sink.flush()
        return manifest, digesting.digest.digest(), digesting.size

    with files.scratch() as (scratch, sink):
        manifest, payload, size = await asyncio.to_thread(seal, sink)
        await payloads.adopt(payload, scratch)
    return manifest, payload, size


class Digesting:
    """A sink that passes everything on and keeps size and SHA-256."""

    def __init__(self, sink: BinaryIO) -> None:
        self._sink = sink
        self.digest = sha256()
        self.size = 0

    def write(self, data: memoryview | bytes, /) -> int:
        """Pass ``data`` on."""
        self.digest.update(data)
        self.size += len(data)
        return self._sink.write(data)


async def open_content(file_key: FileKey, payload: BinaryIO, expected: Binding, sink: BinaryIO) -> Manifest:
    """Open a payload into ``sink`` in a thread, if it is the one its record says.

    Raises:
        Rejected: the payload is damaged, or holds something else than its record says.
    """
    return await asyncio.to_thread(unpack_payload, file_key, cast("Source", payload), sink, expected)
