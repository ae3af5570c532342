"""A person's own signature fits one type, relationship, party, signer and key (``spec/record.md`` step 7)."""

from __future__ import annotations

import msgspec
import pytest

from comity.errors import Rejected
from comity.record import bodies
from comity.record.person_act import act_bytes, attach, check_act, sign_act, unsigned
from record.made import NODE, PERSON, RELATIONSHIP

APPROVAL = bodies.Approved(request="r-1", granted=True, reason="", by="p-1", after=bytes(32), signature=unsigned())
SIGNED = sign_act(APPROVAL, "domestic", "jp", "p-1", PERSON.public, PERSON.sign)
LISTED = bodies.NeedToKnow(topic="t", person="p-2", listed=True, after=bytes(32), signature=unsigned())


def test_it_verifies_and_names_its_signer() -> None:  # (7)
    assert check_act(SIGNED, "domestic", "jp", PERSON.public) == "p-1"


def test_signed_elsewhere_is_signed_as_here() -> None:
    message = act_bytes(attach(APPROVAL, "p-1", PERSON.public), "domestic", "jp")
    assert attach(APPROVAL, "p-1", PERSON.public, PERSON.sign(message)) == SIGNED


@pytest.mark.parametrize(
    ("body", "relationship", "party"),
    [
        (SIGNED, RELATIONSHIP, "jp"),
        (SIGNED, "domestic", "kr"),
        (msgspec.structs.replace(SIGNED, granted=False), "domestic", "jp"),
        (msgspec.structs.replace(SIGNED, request="r-2"), "domestic", "jp"),
        (msgspec.structs.replace(SIGNED, after=b"\x01" * 32), "domestic", "jp"),
        (attach(SIGNED, "p-2", PERSON.public, SIGNED.signature.signature), "domestic", "jp"),
        (attach(LISTED, "p-1", PERSON.public, SIGNED.signature.signature), "domestic", "jp"),
        (attach(SIGNED, "p-1", PERSON.public, bytes(64)), "domestic", "jp"),
    ],
)
def test_it_fits_nothing_else(body: bodies.Body, relationship: str, party: str) -> None:
    with pytest.raises(Rejected) as refused:
        check_act(body, relationship, party, PERSON.public)
    assert refused.value.code == "bad-signature"


def test_another_key_is_another_person() -> None:
    with pytest.raises(Rejected) as refused:
        check_act(SIGNED, "domestic", "jp", NODE.public)
    assert refused.value.code == "unknown-key"


@pytest.mark.parametrize(
    "body",
    [
        bodies.Received(consignment=bytes(32), item="i-1", copies=(1,)),
        bodies.Opened(consignment=bytes(32), item="i-1", copy=1, holder="n-1", purpose="", basis=bytes(32)),
    ],
)
def test_without_a_signature_it_is_nobodys_act(body: bodies.Body) -> None:
    with pytest.raises(Rejected) as refused:
        check_act(body, RELATIONSHIP, "kr", PERSON.public)
    assert refused.value.code == "unsigned-act"
