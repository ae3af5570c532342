"""Keys, statements and envelopes for the tests of the record room, and any value of any body type."""

from __future__ import annotations

import json
import unicodedata
from base64 import b64encode
from datetime import UTC, datetime
from typing import get_args

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import strategies as st
from msgspec import inspect

from comity.marking.label import Label
from comity.record import bodies, dsse
from comity.record.bodies import BODIES, Body
from comity.record.contexts import RECORD
from comity.record.encoding import INTEGER_MAX, encode
from comity.record.statement import NOTHING, SUITE, VERSION, Record, SeenCheckpoint, Statement, write

RELATIONSHIP = "jp-kr-2016/jp.kr"
AT = datetime(2016, 11, 24, 0, 30, tzinfo=UTC)


class Key:
    """An Ed25519 key from one byte."""

    def __init__(self, seed: int) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        self.public = self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def sign(self, message: bytes) -> bytes:
        return self._private.sign(message)


NODE, OTHER, PERSON = Key(1), Key(2), Key(3)
RECEIPT = bodies.Received(consignment=bytes(32), item="i-1", copies=(1,))


def statement(body: Body | bytes = RECEIPT, **changes: object) -> Statement:
    fields: dict[str, object] = {
        "version": VERSION,
        "suite": SUITE,
        "relationship": RELATIONSHIP,
        "author": "kr",
        "sequence": 0,
        "previous": NOTHING,
        "at": AT,
        "type": "receipt/1" if isinstance(body, bytes) else body.kind,
        "body": msgspec.Raw(body if isinstance(body, bytes) else encode(body)),
        **changes,
    }
    return Statement(**fields)


def written(body: Body = RECEIPT, **changes: object) -> Record:
    return write(statement(body, **changes), body, [(NODE.public, NODE.sign)])


def sealed(payload: bytes, *keys: Key, payload_type: str = RECORD) -> bytes:
    """An envelope around any payload, really signed."""
    return dsse.sign(payload_type, payload, [(key.public, key.sign) for key in keys or (NODE,)])


def edited(payload: bytes, old: bytes, new: bytes, *keys: Key) -> bytes:
    """An envelope around ``payload`` with one place changed before it was signed."""
    assert payload.count(old) == 1
    return sealed(payload.replace(old, new), *keys)


def loose(envelope: bytes, **fields: object) -> bytes:
    """The envelope with fields replaced, written as canonical JSON again."""
    return json.dumps({**json.loads(envelope), **fields}, separators=(",", ":"), ensure_ascii=False).encode()


def base64(data: bytes) -> str:
    return b64encode(data).decode()


# ---- any value ------------------------------------------------------------------------------------------------------

_HIDDEN = "".join(map(chr, (*range(10), *range(11, 32), *range(0x7F, 0xA0), 0x61C, 0x200E, 0x200F, 0xFEFF)))
_SEEN = st.characters(
    codec="utf-8",
    exclude_categories=("Cc", "Cf", "Cs", "Zl", "Zp", "Cn", "Co"),
    exclude_characters=_HIDDEN,
    include_characters="\n",
)


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


WORDS = st.text(_SEEN, max_size=40).map(_nfc)
NAMES = st.text(_SEEN, min_size=1, max_size=20).map(lambda text: _nfc(text.replace("\n", "_")))
IDENTIFIERS = st.from_regex(r"[a-z0-9]{1,8}([.-][a-z0-9]{1,8}){0,3}", fullmatch=True)
INSTANTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 - zone follows
COUNTS = st.integers(0, INTEGER_MAX)
DIGESTS = st.binary(min_size=32, max_size=32)
SIGNATURES = st.builds(bodies.PersonSignature, IDENTIFIERS, DIGESTS, st.binary(min_size=64, max_size=64))
_MARK = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=8)
LABELS = st.builds(
    Label,
    policy=_MARK,
    mark=_MARK,
    originator=_MARK,
    categories=st.sets(_MARK, max_size=3).map(lambda each: tuple(sorted(each))),
)
COPIES = st.builds(bodies.CopyMade, COUNTS, IDENTIFIERS, DIGESTS)
BENEFICIARY_KINDS = st.sampled_from(get_args(bodies.consents.BeneficiaryKind))
_BY_NAME = {
    "Identifier": IDENTIFIERS,
    "Relationship": st.builds("{}/{}".format, IDENTIFIERS, IDENTIFIERS),
    "Name": NAMES,
    "Words": WORDS,
    "Digest": DIGESTS,
    "Count": COUNTS,
    "Instant": INSTANTS,
    "bool": st.booleans(),
    "bytes": st.binary(max_size=40),
    "Label": LABELS,
    "PersonSignature": SIGNATURES,
    "Names": st.lists(NAMES, max_size=3).map(tuple),
    "Identifiers": st.lists(IDENTIFIERS, max_size=3).map(tuple),
    "Recipients": st.lists(IDENTIFIERS, min_size=1, max_size=3).map(tuple),
    "Numbers": st.lists(COUNTS, min_size=1, max_size=3).map(tuple),
    "Digests": st.lists(DIGESTS, max_size=3).map(tuple),
    "tuple[Name, Name]": st.tuples(NAMES, NAMES),
    "Acts": st.lists(NAMES, min_size=1, max_size=3).map(tuple),
    "Conditions": st.lists(WORDS, max_size=3).map(tuple),
    "Manner": st.sampled_from(get_args(bodies.consents.Manner)),
    "BeneficiaryKind": BENEFICIARY_KINDS,
    "Onward": st.builds(
        bodies.consents.Onward,
        beneficiary=IDENTIFIERS,
        beneficiary_kind=BENEFICIARY_KINDS,
        nationality=IDENTIFIERS,
        recipient=WORDS,
    ),
    "Day": st.dates().map(lambda day: day.isoformat()),
    "Said": WORDS.filter(bool),
    "Subject": st.lists(IDENTIFIERS, min_size=1, max_size=3).map("/".join),
    "Amount": st.from_regex(bodies.notices.AMOUNT_PATTERN),
    "Currency": st.from_regex(bodies.notices.CURRENCY_PATTERN),
    "LawChange": st.sampled_from(get_args(bodies.notices.LawChange)),
    "DisputeAbout": st.sampled_from(get_args(bodies.notices.DisputeAbout)),
    "Packing": st.builds(
        bodies.custody.DoubleEnvelope,
        inner_mark=NAMES,
        inner_address=WORDS,
        outer_recipient=WORDS,
        outer_sender=WORDS,
        register_number=WORDS,
    )
    | st.builds(
        bodies.custody.Enclosure,
        means=st.sampled_from(("vehicle", "crate")),
        seal=WORDS,
        concealed=st.booleans(),
        control=WORDS,
    ),
    "msgspec.Raw": st.sampled_from((b"{}", b'{"a":[1,"x"]}', b"[]")).map(msgspec.Raw),
    "Annotated[tuple[CopyMade, ...], msgspec.Meta(min_length=1, max_length=LIST_ENTRIES_MAX)]": st.lists(
        COPIES, min_size=1, max_size=3
    ).map(tuple),
    "Annotated[tuple[Count, ...], msgspec.Meta(max_length=LIST_ENTRIES_MAX)]": st.lists(COUNTS, max_size=3).map(tuple),
}


def _of(annotation: str, info: inspect.Type) -> st.SearchStrategy[object]:
    """Any value of a field: by the name of its type where that says most, else by what the decoder makes of it."""
    if annotation in _BY_NAME:
        return _BY_NAME[annotation]
    if annotation.endswith(" | None"):
        assert isinstance(info, inspect.UnionType)
        inner = [each for each in info.types if not isinstance(each, inspect.NoneType)]
        return st.none() | _of(annotation.removesuffix(" | None"), inner[0] if len(inner) == 1 else info)
    return _any(info)


def _any(info: inspect.Type) -> st.SearchStrategy[object]:
    match info:
        case inspect.LiteralType(values=values):
            return st.sampled_from(values)
        case inspect.StructType(cls=cls, fields=fields):
            return st.builds(cls, **{each.name: _of(cls.__annotations__[each.name], each.type) for each in fields})
        case inspect.UnionType(types=types):
            return st.one_of([st.none() if isinstance(each, inspect.NoneType) else _any(each) for each in types])
        case inspect.VarTupleType(item_type=item, min_length=least):
            return st.lists(_any(item), min_size=least or 0, max_size=3).map(tuple)
        case inspect.TupleType(item_types=items):
            return st.tuples(*map(_any, items))
        case inspect.StrType(pattern=None, min_length=least):
            return NAMES if least else WORDS.map(lambda text: text.replace("\n", "_")[: info.max_length])
        case inspect.StrType(pattern=pattern) if "[A-Za-z]" in str(pattern):
            return st.from_regex(r"\A[A-Za-z][A-Za-z0-9_]{0,9}\Z")
        case inspect.StrType(pattern=pattern):
            return _BY_NAME["Relationship"] if "/" in str(pattern) else IDENTIFIERS
        case inspect.BytesType(min_length=32):
            return DIGESTS
        case inspect.BytesType(min_length=None):
            return st.binary(max_size=64)
        case inspect.IntType():
            return COUNTS
        case inspect.BoolType():
            return st.booleans()
        case inspect.DateTimeType():
            return INSTANTS
        case inspect.Metadata(type=inner):
            return _any(inner)
    raise AssertionError(f"no values for {info}")


def _fields(kind: type[Body]) -> dict[str, tuple[str, inspect.Type]]:
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.StructType)
    return {each.name: (kind.__annotations__[each.name], each.type) for each in info.fields}


BODY = st.sampled_from(sorted(BODIES)).flatmap(
    lambda name: st.builds(BODIES[name], **{field: _of(*of) for field, of in _fields(BODIES[name]).items()})
)
"""A body of any type, every field of any value it may have."""

STATEMENT = BODY.flatmap(
    lambda body: st.builds(
        statement,
        st.just(body),
        relationship=st.just(RELATIONSHIP if body.crosses else "domestic"),
        author=IDENTIFIERS,
        sequence=COUNTS,
        previous=DIGESTS,
        at=INSTANTS,
        seen=st.none() | st.builds(SeenCheckpoint, COUNTS, DIGESTS),
        on_behalf_of=WORDS,
    ).map(lambda made: (made, body))
)
