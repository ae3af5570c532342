"""Statements and envelopes: what is written is read back the same, and nothing else is read (``spec/record.md``)."""

from __future__ import annotations

import json
import re
from base64 import b64decode

import msgspec
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given, settings

from comity.errors import Misuse, Rejected
from comity.record import bodies, dsse
from comity.record.bodies import BODIES
from comity.record.contexts import CARD, RECORD
from comity.record.encoding import decode, encode
from comity.record.statement import (
    Statement,
    peek,
    read,
    read_frame,
    read_kept,
    understand,
    write,
)
from record.made import (
    BODY,
    NODE,
    OTHER,
    RECEIPT,
    STATEMENT,
    base64,
    edited,
    loose,
    sealed,
    statement,
    written,
)

KEYS = [NODE.public]
PAYLOAD = encode(statement())


@given(BODY)
def test_a_body_is_read_back_as_it_was_written(body: bodies.Body) -> None:  # (1)
    data = encode(body)
    assert decode(data, type(body)) == body
    assert encode(decode(data, type(body))) == data


@settings(max_examples=60)
@given(STATEMENT)
def test_a_record_is_read_back_as_it_was_written(made: tuple[Statement, bodies.Body]) -> None:  # (4, 5, 6)
    said, body = made
    record = write(said, body, [(NODE.public, NODE.sign)])
    again = read(record.envelope, KEYS)
    assert again == record
    assert again.body == body
    assert peek(record.envelope) == said


def test_every_type_has_its_version() -> None:
    assert all(re.fullmatch(r"[a-z-]+/1", name) for name in BODIES)


# ---- encoding -------------------------------------------------------------------------------------------------------

NOT_AS_WRITTEN = [
    ('"sequence":0', '"sequence":+5', "malformed"),
    ('"sequence":0', '"sequence":1_000', "malformed"),
    ('"sequence":0', '"sequence":-1', "malformed"),
    ('"sequence":0', '"sequence":00', "malformed"),
    ('"sequence":0', '"sequence":1.0', "malformed"),
    ('"sequence":0', '"sequence":1e0', "malformed"),
    ('"sequence":0', '"sequence":9007199254740992', "malformed"),
    ('"sequence":0', '"sequence":"0"', "malformed"),
    ('"sequence":0', '"sequence":null', "malformed"),
    ('"sequence":0', '"sequence":7,"sequence":0', "not-canonical"),
    ('"sequence":0', '"sequence": 0', "not-canonical"),
    ('"sequence":0,', "", "malformed"),
    ('"version":1', ' "version":1', "not-canonical"),
    ('"version":1,"suite":"ed25519"', '"suite":"ed25519","version":1', "not-canonical"),
    ('"version":1', '"version":1,"note":"x"', "malformed"),
    ('"author":"kr"', '"author":"k\\u0072"', "not-canonical"),
    ('"author":"kr"', '"author":"KR"', "malformed"),
    ('"author":"kr"', '"author":"kr/jp"', "malformed"),
    ('"author":"kr"', '"author":"kr\\n"', "malformed"),
    ('"author":"kr"', '"author":""', "malformed"),
    ('"relationship":"jp-kr-2016/jp.kr"', '"relationship":"a/b/c"', "malformed"),
    ('"type":"receipt/1"', '"type":"receipt/01"', "malformed"),
    ('"type":"receipt/1"', '"on_behalf_of":"","type":"receipt/1"', "not-canonical"),
    ('"at":"2016-11-24T00:30:00Z"', '"at":"2016-11-24T09:30:00+09:00"', "not-utc"),
    ('"at":"2016-11-24T00:30:00Z"', '"at":"2016-11-24T00:30:00+00:00"', "not-canonical"),
    ('"at":"2016-11-24T00:30:00Z"', '"at":"2016-11-24T00:30:00.000Z"', "not-canonical"),
    ('"at":"2016-11-24T00:30:00Z"', '"at":"2016-11-24T00:30:00z"', "not-canonical"),
    ('"at":"2016-11-24T00:30:00Z"', '"at":"2016-11-24T00:30:00"', "malformed"),
    ('"copies":[1]', '"copies":[]', "malformed"),
    ('"copies":[1]', '"copies":[1 ]', "not-canonical"),
    ('"copies":[1]', '"copies":[1],"copies":[1]', "not-canonical"),
    ('"copies":[1]', '"copies":[1],"extra":1', "malformed"),
    ('"item":"i-1"', '"item":"i_1"', "malformed"),
]


@pytest.mark.parametrize(("old", "new", "code"), NOT_AS_WRITTEN)
def test_what_we_would_not_write_is_not_read(old: str, new: str, code: str) -> None:  # (1)
    with pytest.raises(Rejected) as refused:
        read(edited(PAYLOAD, old.encode(), new.encode()), KEYS, "here")
    assert (refused.value.code, refused.value.place) == (code, "here")


ZEROS = base64(bytes(32))


@pytest.mark.parametrize(
    "spelled",
    [
        ZEROS.rstrip("="),
        ZEROS[:-2] + "B=",  # loose trailing bits
        base64(b"\xff" * 32).replace("/", "_"),
        base64(bytes(31)),
        base64(bytes(33)),
        ZEROS[:20] + "\\n" + ZEROS[20:],
        ZEROS + "=",
        "",
    ],
)
def test_bytes_have_one_spelling(spelled: str) -> None:  # (1)
    envelope = edited(PAYLOAD, f'"previous":"{ZEROS}"'.encode(), f'"previous":"{spelled}"'.encode())
    with pytest.raises(Rejected) as refused:
        read(envelope, KEYS)
    assert refused.value.code in {"malformed", "not-canonical"}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("u\u0308ber", "not-nfc"),
        ("\u1112\u1161\u11ab", "not-nfc"),  # Korean, in letters instead of syllables
        ("\\\\n\u0303", "not-nfc"),  # a backslash, then n and a tilde: not an escape
        ("bell \\u0007", "unseen-character"),
        ("nul \\u0000", "unseen-character"),
        ("tab \\t", "unseen-character"),
        ("return \\r", "unseen-character"),
        ("delete \x7f", "unseen-character"),
        ("next line \x85", "unseen-character"),
        ("backwards \u202e", "unseen-character"),
        ("isolate \u2066", "unseen-character"),
        ("mark \ufeff", "unseen-character"),
        ("missi\u200bles", "unseen-character"),  # a list of its own that reads like another
        ("missi\u200dles", "unseen-character"),
        ("missi\xadles", "unseen-character"),
        ("missiles\U000e0041", "unseen-character"),  # a tag letter
    ],
)
def test_text_is_what_people_see(text: str, code: str) -> None:  # (1)
    payload = encode(statement(on_behalf_of="desk")).replace(b'"desk"', f'"{text}"'.encode())
    with pytest.raises(Rejected) as refused:
        read(sealed(payload), KEYS)
    assert refused.value.code == code


@pytest.mark.parametrize("text", ["군사 Ⅱ급 비밀", "極秘", "a\nb", 'say "no"', "back\\slash", "line\n\u0303tilde"])
def test_honest_text_is_read(text: str) -> None:
    assert read(written(on_behalf_of=text).envelope, KEYS).statement.on_behalf_of == text


@pytest.mark.parametrize("deep", [b"[" * 60_000, b'{"a":' * 9_000])
def test_nesting_without_end_is_malformed_and_no_more(deep: bytes) -> None:
    with pytest.raises(Rejected) as refused:
        decode(deep, Statement)
    assert refused.value.code == "malformed"


def test_bytes_that_are_not_utf8_are_malformed() -> None:
    for envelope in (b"\xff" + written().envelope, edited(PAYLOAD, b'"i-1"', b'"i\xff1"')):
        with pytest.raises(Rejected) as refused:
            read(envelope, KEYS)
        assert refused.value.code == "malformed"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (bodies.Received(consignment=bytes(31), item="i-1", copies=(1,)), "malformed"),
        (bodies.Received(consignment=bytes(32), item="I 1", copies=(1,)), "malformed"),
        (bodies.Received(consignment=bytes(32), item="i-1", copies=()), "malformed"),
        (bodies.Received(consignment=bytes(32), item="i-1", copies=tuple(range(257))), "malformed"),
        (
            bodies.Returned(record=bytes(32), code="x", reason="x" * 2_001),
            "malformed",
        ),
        (bodies.Returned(record=bytes(32), code="x", reason="e\u0301"), "not-nfc"),
        (bodies.Returned(record=bytes(32), code="x", reason="\x1b[2J"), "unseen-character"),
    ],
)
def test_nothing_is_written_that_nobody_could_read(body: bodies.Body, code: str) -> None:
    with pytest.raises(Misuse) as refused:
        written(body)
    assert refused.value.code == code


def test_a_record_that_is_too_large_is_not_written_and_not_read() -> None:
    large = bodies.Decided(
        act="give",
        item="i-1",
        relationship="domestic",
        outcome="permit",
        agreement=bytes(32),
        case=msgspec.Raw(b'"' + b"x" * 50_000 + b'"'),
        decision=msgspec.Raw(b"{}"),
    )
    with pytest.raises(Misuse) as refused:
        written(large, relationship="domestic")
    assert refused.value.code == "too-large"
    with pytest.raises(Rejected) as rejected:
        read(sealed(encode(statement(large, relationship="domestic"))), KEYS)
    assert rejected.value.code == "too-large"


# ---- envelope -------------------------------------------------------------------------------------------------------


def test_the_pae_is_that_of_dsse() -> None:  # (2)
    # dsse/protocol.md, "Test vectors"
    assert dsse.pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
    assert dsse.pae("é", "ü".encode()) == "DSSEv1 2 é 2 ü".encode()


def test_the_published_signature_of_dsse_verifies_over_our_pae() -> None:
    """ECDSA P-256, raw r and s; a record takes Ed25519 only, what is signed is the same."""
    key = ec.EllipticCurvePublicNumbers(
        46950820868899156662930047687818585632848591499744589407958293238635476079160,
        5640078356564379163099075877009565129882514886557779369047442380624545832820,
        ec.SECP256R1(),
    ).public_key()
    raw = b64decode("A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA==")
    signature = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    message = dsse.pae("http://example.com/HelloWorld", b"hello world")
    key.verify(signature, message, ec.ECDSA(hashes.SHA256()))


def test_the_id_is_that_of_the_signed_bytes_not_of_the_envelope() -> None:  # (5)
    ours, theirs = sealed(PAYLOAD, NODE), sealed(PAYLOAD, OTHER)
    assert ours != theirs
    assert read(ours, [NODE.public]).id == read(theirs, [OTHER.public]).id


ENVELOPE = written().envelope
SIGNATURE = json.loads(ENVELOPE)["signatures"][0]


@pytest.mark.parametrize(
    ("envelope", "keys", "code"),
    [
        (ENVELOPE, [OTHER.public], "unknown-key"),
        (ENVELOPE, [], "unknown-key"),
        (sealed(PAYLOAD, payload_type=CARD), KEYS, "wrong-context"),
        (sealed(PAYLOAD, NODE, NODE), KEYS, "unknown-key"),  # one key counts once
        (sealed(PAYLOAD, NODE, OTHER), KEYS, "unknown-key"),  # nothing is left unlooked at
        (sealed(PAYLOAD, NODE, OTHER), [NODE.public, OTHER.public], "suite"),
        (loose(ENVELOPE, signatures=[]), KEYS, "malformed"),
        (loose(ENVELOPE, signatures=[SIGNATURE] * 9), KEYS, "malformed"),
        (loose(ENVELOPE, payload=base64(PAYLOAD.replace(b"i-1", b"i-2"))), KEYS, "bad-signature"),
        (loose(ENVELOPE, signatures=[{**SIGNATURE, "sig": base64(bytes(64))}]), KEYS, "bad-signature"),
        (loose(ENVELOPE, signatures=[{**SIGNATURE, "sig": ""}]), KEYS, "bad-signature"),
        (loose(ENVELOPE, signatures=[{**SIGNATURE, "keyid": "0"}]), KEYS, "malformed"),
        (loose(ENVELOPE, note="x"), KEYS, "malformed"),
        (ENVELOPE + b"\n", KEYS, "not-canonical"),
        (ENVELOPE + b"{}", KEYS, "malformed"),
        (ENVELOPE[:-1], KEYS, "malformed"),
        (b"", KEYS, "malformed"),
        (b"x" * (dsse.ENVELOPE_BYTES_MAX + 1), KEYS, "too-large"),
    ],
)
def test_an_envelope_is_refused(envelope: bytes, keys: list[bytes], code: str) -> None:  # (2, 3)
    with pytest.raises(Rejected) as refused:
        read(envelope, keys)
    assert refused.value.code == code


def test_two_signatures_that_were_swapped_do_not_verify() -> None:
    whole = json.loads(sealed(PAYLOAD, NODE, OTHER))
    first, second = whole["signatures"]
    first["sig"], second["sig"] = second["sig"], first["sig"]
    envelope = dsse.read(json.dumps(whole, separators=(",", ":")).encode(), RECORD)
    with pytest.raises(Rejected) as refused:
        dsse.verify(envelope, [NODE.public, OTHER.public])
    assert refused.value.code == "bad-signature"


def test_no_byte_of_an_envelope_can_change() -> None:
    for place in range(len(ENVELOPE)):
        for flip in (0x01, 0x20, 0x80):
            altered = bytearray(ENVELOPE)
            altered[place] ^= flip
            with pytest.raises(Rejected):
                read(bytes(altered), KEYS)


# ---- what is not known yet ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 2},
        {"type": "feed/1"},
        {"type": "receipt/2"},
        {"suite": "ed448"},
    ],
)
def test_what_is_not_known_is_kept_whole(changes: dict[str, object]) -> None:  # (4)
    envelope = sealed(encode(statement(b'{"new":[1,{"a":"b"}]}', **changes)))
    record = read(envelope, KEYS)
    assert record.body is None
    assert (record.envelope, bytes(record.statement.body)) == (envelope, b'{"new":[1,{"a":"b"}]}')


@pytest.mark.parametrize("body", [b'{"a": 1}', b'{"a":1,"a":1}', b"[1]", b'{"a":"\\t"}'])
def test_what_is_not_known_is_canonical_all_the_same(body: bytes) -> None:
    with pytest.raises(Rejected):
        read(sealed(encode(statement(b"{}", type="feed/1")).replace(b'"body":{}', b'"body":' + body)), KEYS)


def test_of_an_unknown_suite_the_known_signatures_must_verify() -> None:
    payload = encode(statement(suite="ed25519+mldsa65"))
    assert read(sealed(payload, NODE, OTHER), KEYS).body is None
    for envelope, code in (
        (sealed(payload, OTHER), "unknown-key"),
        (
            loose(sealed(payload, NODE, OTHER), payload=base64(payload.replace(b"i-1", b"i-2"))),
            "bad-signature",
        ),
    ):
        with pytest.raises(Rejected) as refused:
            read(envelope, KEYS)
        assert refused.value.code == code


@pytest.mark.parametrize(
    ("body", "relationship"),
    [
        (RECEIPT, "domestic"),
        (
            bodies.ReleaseRequested(
                request="r-1",
                item="i-1",
                relationship="domestic",
                recipients=("n-1",),
                purpose="",
                by="p-1",
                signature=bodies.PersonSignature("p-1", bytes(32), bytes(64)),
            ),
            "jp-kr-2016/jp.kr",
        ),
    ],
)
def test_a_record_stands_in_chains_of_its_family_only(body: bodies.Body, relationship: str) -> None:  # (5)
    with pytest.raises(Rejected) as refused:
        read(sealed(encode(statement(body, relationship=relationship))), KEYS)
    assert refused.value.code == "wrong-chain"


def test_a_kept_record_is_known_by_its_id_not_by_the_keys_of_today() -> None:
    record = written()
    assert understand(read_kept(record.envelope, record.id)) == record
    assert read_frame(record.envelope, KEYS).body is None
    with pytest.raises(Rejected) as refused:
        read_kept(written(sequence=1).envelope, record.id)
    assert refused.value.code == "altered-entry"


PRIME = 2**255 - 19
ORDER_8 = bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")


@pytest.mark.parametrize("sign_bit", [0, 1 << 255])
@pytest.mark.parametrize("y", [0, 1, PRIME - 1, int.from_bytes(ORDER_8, "little"), PRIME, PRIME + 1])
def test_nothing_verifies_under_a_key_that_binds_nobody(y: int, sign_bit: int) -> None:  # (2)
    """A signature that nobody made: the neutral point and zero fit one message in at most eight."""
    public = (y | sign_bit).to_bytes(32, "little")
    nobodys = (1).to_bytes(32, "little") + bytes(32)
    for number in range(64):
        with pytest.raises(Rejected) as refused:
            dsse.check_signature(public, nobodys, b"%d" % number)
        assert refused.value.code == "bad-signature"
