"""spec/ledger.md (1)-(2): one spelling only."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.errors import Rejected
from comity.ledger.canonical import COUNT_MAX, read_base64, read_decimal, read_hash, write_base64


@given(st.integers(0, COUNT_MAX))
def test_decimals_are_read_back(number: int) -> None:  # (1)
    assert read_decimal(str(number), "size") == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        "00",
        "01",
        "+5",
        "-1",
        "-0",
        " 5",
        "5 ",
        "5\n",
        "1_000",
        "1,000",
        "0x1",
        "1e3",
        "٥",
        "²",
        "9" * 5000,
        str(2**63),
    ],
)
def test_other_spellings_of_a_number(text: str) -> None:  # (1)
    with pytest.raises(Rejected) as caught:
        read_decimal(text, "size")
    assert caught.value.code == "bad-decimal"
    assert len(str(caught.value)) < 200


@given(st.binary(max_size=100))
def test_base64_is_read_back(data: bytes) -> None:  # (2)
    assert read_base64(write_base64(data), "hash") == data


@pytest.mark.parametrize(
    "text", ["QQ", "QQ=", "QR==", "QQ==\n", " QQ==", "Q Q==", "QQ===", "QUJ_", "QUJ-", "QQ==QQ==", "é", "=", "QUI"]
)
def test_other_spellings_of_bytes(text: str) -> None:  # (2)
    with pytest.raises(Rejected) as caught:
        read_base64(text, "hash")
    assert caught.value.code == "bad-base64"


def test_a_hash_has_32_bytes() -> None:  # (2)
    assert read_hash(write_base64(bytes(32)), "root") == bytes(32)
    for size in (0, 31, 33):
        with pytest.raises(Rejected, match="root has"):
            read_hash(write_base64(bytes(size)), "root")
