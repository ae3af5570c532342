"""The protocol of a ceremony, read strictly (`spec/keys.md` steps 30 and 31)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from comity.errors import Rejected
from comity.record import dsse
from comity.record.card import Card, RegistryKey
from comity.record.ceremony import FileNoted, Protocol, Step, read_protocol, write_protocol
from comity.record.contexts import CARD, CEREMONY
from comity.record.encoding import encode

NOW = datetime(2016, 11, 23, 10, tzinfo=UTC)
KEYS = [Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in range(1, 6)]
ROOT, RECORD, LOG, WITNESS, TRANSPORT = (key.public_key().public_bytes_raw() for key in KEYS)
CARD_OF_JP = Card(
    version=1,
    party="jp",
    name="Japan",
    root=ROOT,
    node_sign=(RECORD,),
    log=LOG,
    witness=WITNESS,
    transport=TRANSPORT,
    certificate=bytes(32),
    addresses=(),
    registry=(RegistryKey(1, "age1"),),
    suites=("suite",),
    records=(1,),
    issued=NOW,
    until=NOW + timedelta(days=1),
)
FOUNDING = Protocol(
    version=1,
    kind="founding",
    party="jp",
    program="comity 0.1.0",
    place="Tokyo",
    officer="Ito",
    witness="Abe",
    steps=(Step(NOW, "Where?", "Tokyo"), Step(NOW, "The keys were made.")),
    fingerprint=bytes(32),
    files=(FileNoted("jp.card", bytes(32)),),
)


def changed(**fields: Any) -> Protocol:
    return msgspec.structs.replace(FOUNDING, **fields)


def test_it_comes_back() -> None:
    assert read_protocol(write_protocol(FOUNDING, ROOT, KEYS[0].sign), CARD_OF_JP) == FOUNDING
    meeting = changed(kind="first-contact", other="kr")
    assert read_protocol(write_protocol(meeting, RECORD, KEYS[1].sign), CARD_OF_JP) == meeting


@pytest.mark.parametrize(
    ("protocol", "key", "says"),
    [
        (FOUNDING, 1, "."),  # a founding is signed by the root key alone
        (changed(kind="first-contact"), 0, "."),  # and a first contact by node-sign
        (changed(version=2), 0, "version 2"),
        (changed(party="kr"), 0, "card is of 'jp'"),
        (changed(steps=()), 0, "."),
        (changed(place=""), 0, "."),
        (changed(kind="burial"), 0, "."),
    ],
)
def test_what_is_refused(protocol: Protocol, key: int, says: str) -> None:
    public = KEYS[key].public_key().public_bytes_raw()
    with pytest.raises(Rejected, match=says):
        read_protocol(write_protocol(protocol, public, KEYS[key].sign), CARD_OF_JP)


def test_every_changed_byte_is_noticed() -> None:
    envelope = write_protocol(FOUNDING, ROOT, KEYS[0].sign)
    for place in range(0, len(envelope), 7):
        altered = envelope[:place] + bytes([envelope[place] ^ 1]) + envelope[place + 1 :]
        with pytest.raises(Rejected):
            read_protocol(altered, CARD_OF_JP)


def test_a_signature_for_another_purpose_is_none() -> None:
    with pytest.raises(Rejected):
        read_protocol(dsse.sign(CARD, encode(FOUNDING), [(ROOT, KEYS[0].sign)]), CARD_OF_JP)
    assert CEREMONY != CARD
