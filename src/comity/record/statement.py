"""The statement: who says what, where in which chain, and when (``spec/record.md`` steps 4 and 5)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Annotated

import msgspec

from comity.errors import Misuse, Rejected
from comity.record import dsse
from comity.record.bodies import BODIES, Body
from comity.record.contexts import RECORD
from comity.record.encoding import (
    NAME_CHARACTERS_MAX,
    Count,
    Digest,
    Identifier,
    Instant,
    Name,
    Relationship,
    TypeName,
    decode,
    encode,
    instant,
)

VERSION = 1
"""The version of the record format that this code writes."""
SUITE = "ed25519"
"""The signature suite this code writes; ``ed25519+mldsa65`` has its place reserved."""
NOTHING = bytes(32)
"""The previous digest of the first record of a chain."""
DOMESTIC = "domestic"
"""The relationship of house records."""


class SeenCheckpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The newest checkpoint of the other party that the author had seen: the record is later than it."""

    size: Count
    root: Digest


class Statement(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What is signed.

    Attributes:
        version: version of this format.
        suite: the signature suite the envelope must satisfy.
        relationship: ``domestic``, or the id of the relationship.
        author: party id.
        sequence: position in the author's chain of that relationship, from 0.
        previous: id of the author's previous record there; 32 zero bytes for the first.
        at: the author's clock, UTC, never before its previous record.
        seen: newest peer checkpoint seen; absent in the domestic chain and before the first exchange.
        on_behalf_of: function that acted, as the other party may know it.
        type: record type, such as ``consignment/1``.
        body: the body, verbatim, so that an unknown type can be kept and held.
    """

    version: Count
    suite: Name
    relationship: Relationship
    author: Identifier
    sequence: Count
    previous: Digest
    at: Instant
    seen: SeenCheckpoint | None = None
    on_behalf_of: Annotated[str, msgspec.Meta(max_length=NAME_CHARACTERS_MAX)] = ""
    type: TypeName
    body: msgspec.Raw

    def __post_init__(self) -> None:
        instant(self.at)

    @property
    def chain(self) -> str:
        """The chain this statement claims to stand in."""
        return chain_id(self.relationship, self.author)

    def has_seen(self, sequence: int) -> bool:
        """Whether the author says to have seen the record at ``sequence`` of the other party's chain."""
        return self.seen is not None and self.seen.size > sequence


class Record(msgspec.Struct, frozen=True):
    """A verified record.

    Attributes:
        id: SHA-256 of the signed bytes (the DSSE pre-authentication encoding), 32 bytes.
        statement: what was signed.
        body: the typed body; None when this version does not know the type.
        envelope: the canonical envelope, verbatim.
    """

    id: bytes
    statement: Statement
    body: Body | None
    envelope: bytes


def record_id(envelope: bytes) -> bytes:
    """The id of a record of our own journal, by its envelope (``spec/record.md`` step 5)."""
    return sha256(dsse.pae(RECORD, dsse.read(envelope, RECORD).payload)).digest()


def chain_id(relationship: str, author: str) -> str:
    """The name of the chain of one author in one relationship."""
    return f"{relationship}/{author}"


_NO_NAME = re.compile(r"matching regex '\\\\A\[\^\\\\n\]\+\\\\Z' - at `\$\.([^`]+)`\Z")


def _plainly(sentence: str) -> str:
    r"""What is not as it must be, for whoever typed it.

    >>> _plainly("not a valid Item: Expected `str` matching regex '\\\\A[^\\\\n]+\\\\Z' - at `$.title`")
    "'title' is empty, or more than one line"
    """
    found = _NO_NAME.search(sentence)
    return f"{found[1]!r} is empty, or more than one line" if found else sentence


def write(statement: Statement, body: Body, signers: Sequence[tuple[bytes, Callable[[bytes], bytes]]]) -> Record:
    """Sign a statement whose ``body`` is already its canonical bytes.

    Raises:
        Misuse: nobody could read it back: it is over a bound, or has text that no record may have.
    """
    payload = encode(statement)
    try:
        decode(bytes(statement.body), type(body))  # the rest of a statement is this house's own, and bounded before
    except Rejected as error:
        raise Misuse(f"this cannot be recorded: {_plainly(error.sentence)}", code=error.code) from None
    envelope = dsse.sign(RECORD, payload, signers)
    if len(envelope) > dsse.ENVELOPE_BYTES_MAX:
        raise Misuse(
            f"a record of {len(envelope)} bytes; at most {dsse.ENVELOPE_BYTES_MAX} can be written", code="too-large"
        )
    return Record(sha256(dsse.pae(RECORD, payload)).digest(), statement, body, envelope)


def peek(envelope: bytes, place: str = "") -> Statement:
    """The statement of an envelope, read strictly but NOT verified: to find the author whose keys must verify it.

    Raises:
        Rejected: malformed, not canonical, too large, another payload type.
    """
    return decode(dsse.read(envelope, RECORD, place).payload, Statement, place)


def read(envelope: bytes, keys: Sequence[bytes], place: str = "") -> Record:
    """A record whose every signature was verified with ``keys``, the node-sign keys of its author, and its body read.

    A type, version or suite that this code does not know is read as far as it can be (``body`` None): the register
    holds it, nothing drops it. Of a suite that it does not know, the signatures that it does know must verify.

    Raises:
        Rejected: malformed, not canonical, a bound exceeded, or a signature that does not verify.
    """
    return understand(read_frame(envelope, keys, place), place)


def read_frame(envelope: bytes, keys: Sequence[bytes], place: str = "") -> Record:
    """A record verified as ``read`` does, its body not looked into (``body`` None).

    Raises:
        Rejected: as ``read``, but for what is wrong with the body.
    """
    parsed = dsse.read(envelope, RECORD, place)
    statement = decode(parsed.payload, Statement, place)
    message = (dsse.verify if statement.suite == SUITE else dsse.verify_known)(parsed, keys, place)
    if statement.suite == SUITE and len(parsed.signatures) != 1:
        raise Rejected(f"suite {SUITE!r} has exactly one signature", code="suite", place=place)
    return Record(sha256(message).digest(), statement, None, envelope)


def read_kept(envelope: bytes, record: bytes) -> Record:
    """A record that this house verified when it came, from its own journal by its id; its body not looked into.

    Its author may have other keys by now; those of its day verified it.

    Raises:
        Rejected: the journal holds another record under that id.
    """
    parsed = dsse.read(envelope, RECORD)
    if sha256(dsse.pae(RECORD, parsed.payload)).digest() != record:
        raise Rejected(f"record {record.hex()[:16]}… was altered in the journal", code="altered-entry")
    return Record(record, decode(parsed.payload, Statement), None, envelope)


def understand(record: Record, place: str = "") -> Record:
    """``record`` with its typed body; unchanged where this version does not know the type, the version or the suite.

    Raises:
        Rejected: the body is malformed or not canonical, or a record of its type cannot stand in its chain.
    """
    statement = record.statement
    kind = BODIES.get(statement.type)
    data = bytes(statement.body)
    if kind is None or statement.version != VERSION or statement.suite != SUITE:
        decode(data, dict, place)  # (4)
        return record
    body = decode(data, kind, place)  # (6)
    if body.crosses != (statement.relationship != DOMESTIC):  # (5)
        raise Rejected(
            f"a record of type {statement.type!r} cannot stand in the chain {statement.chain!r}",
            code="wrong-chain",
            place=place,
        )
    return msgspec.structs.replace(record, body=body)
