"""Seal and open: whole files, and header and payload apart (``spec/seal.md`` steps 7, 11, 17 and 18).

A file, in memory or as a stream::

    sealed = seal_bytes(plaintext, recipients, urandom)
    plaintext = open_bytes(sealed, identities)

    with open("plan.pdf", "rb") as source, whole_file(Path("plan.pdf.age")) as sink:
        seal_stream(source, sink, recipients, urandom)

One payload, and a header per copy::

    file_key = new_file_key(urandom)
    seal_payload(file_key, source, sink, urandom)
    header_of_copy_1 = seal_header(file_key, [tokyo], urandom)
    header_of_copy_2 = seal_header(file_key, [seoul], urandom)
    header_of_copy_3 = rewrap(header_of_copy_2, [seoul_identity], [reader], urandom)

Any of those headers followed by the payload is an age file.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from comity.errors import Misuse
from comity.seal import header as headers
from comity.seal.header import FILE_KEY_BYTES, FileKey, Header
from comity.seal.passphrase import KIND as PASSPHRASE
from comity.seal.payload import (
    open_payload,
    open_payload_bytes,
    seal_payload,
    seal_payload_bytes,
    sealed_size,
)
from comity.seal.recipients import Entropy, Identity, Recipient
from comity.seal.refusals import HeaderMalformed, NoMatch
from comity.seal.streams import Resumed, Sink, Source, take, write_all

__all__ = [
    "Sealed",
    "new_file_key",
    "open_bytes",
    "open_header",
    "open_payload",
    "open_payload_bytes",
    "open_stream",
    "read_header",
    "require_kind",
    "rewrap",
    "seal_bytes",
    "seal_header",
    "seal_payload",
    "seal_payload_bytes",
    "seal_stream",
    "sealed_size",
]

_HEADER_READ_BYTES = 4096


class Sealed(msgspec.Struct, frozen=True):
    """An age file in its two parts; ``bytes(sealed)`` is the file."""

    header: bytes
    payload: bytes

    def __bytes__(self) -> bytes:
        return self.header + self.payload

    @classmethod
    def split(cls, file: bytes) -> Sealed:
        """The parts of a whole file.

        Raises:
            HeaderMalformed: ``file`` does not begin like an age file, or its header does not end.
        """
        return cls(file[: (end := _whole(headers.length_in(file)))], file[end:])


def new_file_key(entropy: Entropy) -> FileKey:
    """(7) 16 fresh bytes, for one payload."""
    return FileKey(entropy(FILE_KEY_BYTES))


def seal_header(file_key: FileKey, recipients: Sequence[Recipient], entropy: Entropy) -> bytes:
    """(6) (17) A header that lets ``recipients``, and nobody else, open the payload of ``file_key``.

    Raises:
        Misuse: no recipient, more than ``STANZAS_MAX``, two kinds, or a passphrase next to anything (step 6).
    """
    if not 1 <= len(recipients) <= headers.STANZAS_MAX:
        raise Misuse(
            f"a file is sealed to 1 to {headers.STANZAS_MAX} recipients, not {len(recipients)}", code="recipient-count"
        )
    kinds = sorted({recipient.kind for recipient in recipients})
    if len(kinds) > 1:
        raise Misuse(
            f"recipients of two kinds in one file ({' and '.join(kinds)}): the weaker would protect it; "
            "seal a file for each kind",
            code="mixed-kinds",
        )
    if kinds == [PASSPHRASE] and len(recipients) > 1:
        raise Misuse("a file sealed to a passphrase has no other recipient", code="mixed-kinds")
    return headers.sign(file_key, tuple(recipient.wrap(file_key, entropy) for recipient in recipients)).encode()


def open_header(header: bytes, identities: Sequence[Identity]) -> FileKey:
    """(11) (12) The file key, from the first stanza that one of ``identities`` opens.

    Raises:
        HeaderMalformed: the header is not in its one form, or a stanza of an identity's kind is malformed.
        NoMatch: none of them opens it.
        HeaderForged: one does, and the header was changed afterwards.
        Misuse: no identity at all.
    """
    if not identities:
        raise Misuse("no identity to open the file with; give the key it was sealed to", code="no-identity")
    parsed = headers.parse(header)
    for identity in identities:
        for stanza in parsed.stanzas:
            if stanza.kind == identity.kind and (file_key := identity.unwrap(stanza)) is not None:
                return headers.verify(parsed, file_key)
    raise _no_match(parsed, identities)


def rewrap(header: bytes, identities: Sequence[Identity], recipients: Sequence[Recipient], entropy: Entropy) -> bytes:
    """(18) A new header to ``recipients`` for the payload that ``header`` opens; the payload stays as it is.

    Whoever could open the old header still can: re-wrapping adds a reader, it does not take one away.

    Raises:
        As ``open_header`` and ``seal_header``.
    """
    return seal_header(open_header(header, identities), recipients, entropy)


def require_kind(header: bytes, kind: str) -> bytes:
    """``header``, if every recipient is of ``kind``: how a minimum suite is demanded of what others sealed.

    Raises:
        HeaderMalformed: not in its one form, or with a stanza of another kind.
    """
    if other := sorted(headers.parse(header).kinds - {kind}):
        raise HeaderMalformed(f"sealed to {' and '.join(other)}, where only {kind} is accepted", code="other-kind")
    return header


def seal_bytes(plaintext: bytes, recipients: Sequence[Recipient], entropy: Entropy) -> Sealed:
    """Seal a document that is in memory.

    Raises:
        Misuse: as ``seal_header``.
    """
    file_key = new_file_key(entropy)
    header = seal_header(file_key, recipients, entropy)
    return Sealed(header, seal_payload_bytes(file_key, plaintext, entropy))


def open_bytes(sealed: Sealed, identities: Sequence[Identity]) -> bytes:
    """Open a document into memory, all of it or nothing.

    Raises:
        As ``open_header``; PayloadDamaged: the payload does not authenticate to its end.
    """
    return open_payload_bytes(open_header(sealed.header, identities), sealed.payload)


def seal_stream(source: Source, sink: Sink, recipients: Sequence[Recipient], entropy: Entropy) -> None:
    """Seal ``source`` to its end into ``sink``, as an age file; constant memory.

    For the text form, wrap the sink in ``armor.armored``.

    Raises:
        Misuse: as ``seal_header``; nothing was written.
    """
    file_key = new_file_key(entropy)
    write_all(sink, seal_header(file_key, recipients, entropy))
    seal_payload(file_key, source, sink, entropy)


def open_stream(source: Source, sink: Sink, identities: Sequence[Identity]) -> int:
    """Open an age file into ``sink``; constant memory.

    For either form, wrap the source in ``armor.detected``. What ``open_payload`` says of ``sink`` holds here too.

    Returns:
        Plaintext bytes written.

    Raises:
        As ``open_header``, nothing was written; PayloadDamaged: the payload does not authenticate to its end.
    """
    header, payload = read_header(source)
    return open_payload(open_header(header, identities), payload, sink)


def read_header(source: Source) -> tuple[bytes, Source]:
    """The header at the start of ``source``, not yet parsed, and the payload that follows.

    Raises:
        HeaderMalformed: it does not begin like an age file, or the header does not end in time.
    """
    head = b""
    end = None
    while end is None and (more := take(source, _HEADER_READ_BYTES)):
        head += more
        end = headers.length_in(head)
    end = _whole(end)
    return head[:end], Resumed(head[end:], source)


def _whole(end: int | None) -> int:
    if end is None:
        raise HeaderMalformed("the file ends inside its header; fetch it again, whole", code="truncated")
    return end


def _no_match(header: Header, identities: Sequence[Identity]) -> NoMatch:
    ours = {identity.kind for identity in identities}
    sealed_to = f"{len(header.stanzas)} recipient(s) of kind {', '.join(sorted(header.kinds))}"
    if not ours & header.kinds:
        return NoMatch(
            f"the file is sealed to {sealed_to}; the identities given open {', '.join(sorted(ours))}",
            code="not-addressed",
        )
    if header.kinds == {PASSPHRASE}:
        return NoMatch("the passphrase does not open the file", code="wrong-passphrase")
    return NoMatch(
        f"the file is sealed to {sealed_to}, and to none of the {len(identities)} identities given", code="wrong-key"
    )
