"""Cards: certified by their root, each key for one purpose (``spec/record.md`` step 8)."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from comity.errors import Rejected
from comity.record import dsse
from comity.record.card import Card, FormerKey, RegistryKey, fingerprint, fingerprint_text, read_card, write_card
from comity.record.contexts import CARD, RECORD
from comity.record.encoding import encode
from record.made import AT, Key, sealed

ROOT, SIGN, OLD, LOG, WITNESS, TRANSPORT = (Key(10 + number) for number in range(6))
MADE = Card(
    version=1,
    party="jp",
    name="Government of Japan 日本国政府",
    root=ROOT.public,
    node_sign=(SIGN.public, OLD.public),
    log=LOG.public,
    witness=WITNESS.public,
    transport=TRANSPORT.public,
    certificate=bytes(32),
    addresses=(),
    registry=(RegistryKey(1, "age1…"),),
    suites=("ed25519",),
    records=(1,),
    issued=AT,
    until=AT + timedelta(days=1),
)


def test_a_card_is_read_back_as_it_was_written() -> None:  # (8)
    assert read_card(write_card(MADE, ROOT.sign)) == MADE


def put(**changes: object) -> bytes:
    return sealed(encode(msgspec.structs.replace(MADE, **changes)), ROOT, payload_type=CARD)


FORGED = encode(MADE).replace(b'"party":"jp"', b'"party":"kr"')


@pytest.mark.parametrize(
    ("card", "code"),
    [
        (sealed(encode(MADE), SIGN, payload_type=CARD), "unknown-key"),
        (sealed(encode(MADE), ROOT, SIGN, payload_type=CARD), "unknown-key"),
        (sealed(encode(MADE), ROOT, payload_type=RECORD), "wrong-context"),
        (put(version=2), "unknown-version"),
        (put(node_sign=(SIGN.public, SIGN.public)), "key-reuse"),
        (put(log=ROOT.public), "key-reuse"),
        (put(witness=LOG.public), "key-reuse"),
        (put(transport=OLD.public), "key-reuse"),
        (put(certificate=LOG.public), "key-reuse"),
        (put(former=(FormerKey(purpose="tls", key=MADE.certificate, until=MADE.until),)), "key-reuse"),
        (put(log=(1).to_bytes(32, "little")), "weak-key"),
        (put(witness=(2**255 - 20).to_bytes(32, "little")), "weak-key"),
        (put(party="JP"), "malformed"),
        (put(node_sign=()), "malformed"),
        (put(registry=()), "malformed"),
        (put(name="two\nlines"), "malformed"),
    ],
)
def test_a_card_is_refused(card: bytes, code: str) -> None:
    with pytest.raises(Rejected) as refused:
        read_card(card, "card.json")
    assert (refused.value.code, refused.value.place) == (code, "card.json")


def test_a_forged_field_does_not_verify() -> None:
    signed = dsse.read(write_card(MADE, ROOT.sign), CARD)
    with pytest.raises(Rejected) as refused:
        read_card(encode(msgspec.structs.replace(signed, payload=FORGED)))
    assert refused.value.code == "bad-signature"


def test_a_card_that_ends_before_it_begins_cannot_exist() -> None:
    with pytest.raises(Rejected) as refused:
        msgspec.structs.replace(MADE, until=AT)
    assert refused.value.code == "card-dates"
    assert encode(MADE).count(b'"until":"2016-11-25') == 1
    with pytest.raises(Rejected):
        read_card(sealed(encode(MADE).replace(b'"until":"2016-11-25', b'"until":"2015-11-25'), ROOT, payload_type=CARD))


def test_the_fingerprint_is_read_aloud_in_full() -> None:
    text = fingerprint_text(fingerprint("jp", ROOT.public))
    assert [len(group) for group in text.split(" ")] == [4] * 16
    assert fingerprint("jp", ROOT.public) != fingerprint("kr", ROOT.public) != fingerprint("kr", SIGN.public)
    assert fingerprint("a", b"b" + bytes(31)) != fingerprint("ab", bytes(31) + b"b")
