"""The inner manifest: what a sealed content says it is (``spec/seal.md`` steps 21 to 24).

The record outside and the manifest inside say the same. Whoever moves a payload under another record, or records a
ciphertext again under another label, is caught by whoever opens it, before a byte of the content is released.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from comity.errors import Misuse, Rejected
from comity.record import encoding
from comity.record.contexts import CONTENT
from comity.record.encoding import INTEGER_MAX, Digest, Name
from comity.seal.commitment import commitment
from comity.seal.refusals import ManifestRejected

MAGIC = b"comity-sealed/1\n"
LENGTH_BYTES = 4
"""Size of the big-endian length of the manifest that follows the magic."""
MANIFEST_BYTES_MAX = 16 * 1024
"""Largest manifest: every field at its longest, in the longest encoding, fits."""
CONTENT_BYTES_MAX = INTEGER_MAX
"""Largest content: the largest integer that a record can hold."""
FILE_NAME_BYTES_MAX = 255
"""Longest file name in UTF-8: the longest that common file systems take."""

_UNSAFE = r"\x00-\x1f\x7f-\x9f/\\\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff"
_FILE_NAME = rf"\A(?!\.{{1,2}}\Z)[^{_UNSAFE}]+\Z"
_MEDIA_TYPE = r"\A[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\Z"


class Binding(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """(22) What the record of a consignment says of its content, said again inside the seal.

    Attributes:
        author: party that sealed it.
        relationship: the relationship it is given in.
        item: id of the item.
        label: SHA-256 of the canonical label.
        agreement: digest of the agreement version it is given under.
        content: salted commitment to the content, see ``content_commitment``.
    """

    author: Name
    relationship: Name
    item: Name
    label: Digest
    agreement: Digest
    content: Digest


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """(22) (23) What stands before the content inside the seal.

    Attributes:
        binding: what the record says too.
        salt: of the commitment in ``binding``; it travels only here. 32 bytes.
        length: of the content, in bytes.
        media_type: type and subtype in lower case, without parameters (RFC 6838 section 4.2).
        file_name: name without folders, for the reader who opens it.
    """

    binding: Binding
    salt: Digest
    length: Annotated[int, msgspec.Meta(ge=0, le=CONTENT_BYTES_MAX)]
    media_type: Annotated[str, msgspec.Meta(pattern=_MEDIA_TYPE)]
    file_name: Annotated[str, msgspec.Meta(pattern=_FILE_NAME, max_length=FILE_NAME_BYTES_MAX)]


def content_commitment(salt: bytes, digest: bytes) -> bytes:
    """(24) The commitment by which a record names a content of SHA-256 ``digest`` without showing it."""
    return commitment(CONTENT, salt, digest)


def encode(manifest: Manifest) -> bytes:
    """(21) What stands before the content: the magic, the manifest's length, the manifest.

    Raises:
        Misuse: the manifest is one that ``decode`` would refuse.
    """
    data = encoding.encode(manifest)
    try:
        decode(data)
    except ManifestRejected as error:
        raise Misuse(str(error), code=error.code) from None
    return MAGIC + len(data).to_bytes(LENGTH_BYTES) + data


def read(plaintext: bytes) -> tuple[Manifest, int] | None:
    """(21) The manifest that begins ``plaintext``, and where the content begins; None while it is not all there.

    Raises:
        ManifestRejected: ``plaintext`` does not begin with one, or it is longer than ``MANIFEST_BYTES_MAX``.
    """
    if not MAGIC.startswith(plaintext[: len(MAGIC)]):
        raise _malformed(f"it begins with {plaintext[:16]!r}, not {MAGIC!r}")
    start = len(MAGIC) + LENGTH_BYTES
    if len(plaintext) < start:
        return None
    length = int.from_bytes(plaintext[len(MAGIC) : start])
    if length > MANIFEST_BYTES_MAX:
        raise _malformed(f"it is {length} bytes long, more than {MANIFEST_BYTES_MAX}")
    if len(plaintext) < start + length:
        return None
    return decode(plaintext[start : start + length]), start + length


def decode(data: bytes) -> Manifest:
    """(22) The manifest whose one form, that of records, is ``data``.

    Raises:
        ManifestRejected: it is not the one form of any manifest.
    """
    try:
        manifest = encoding.decode(data, Manifest)
    except Rejected as error:
        raise _malformed(str(error)) from None
    if len(manifest.file_name.encode()) > FILE_NAME_BYTES_MAX:
        raise _malformed(f"its file name has more than {FILE_NAME_BYTES_MAX} bytes")
    return manifest


def require(manifest: Manifest, expected: Binding) -> Manifest:
    """(26) ``manifest``, if it says what the record says.

    Raises:
        ManifestRejected: it differs; ``place`` names the first field that does.
    """
    for field in Binding.__struct_fields__:
        inside, outside = getattr(manifest.binding, field), getattr(expected, field)
        if inside != outside:
            raise ManifestRejected(
                f"inside the seal stands {_shown(inside)}, the record says {_shown(outside)}; nothing was released",
                code="manifest-differs",
                place=field,
            )
    return manifest


def _shown(value: str | bytes) -> str:
    return repr(value) if isinstance(value, str) else value.hex()[:16] + "..."


def _malformed(why: str) -> ManifestRejected:
    return ManifestRejected(f"no valid manifest inside the seal: {why}", code="manifest-malformed")
