"""spec/seal.md (1); BIP 173 test vectors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.seal import bech32
from comity.seal.refusals import KeyMalformed

ABCDEF = "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw"
ABCDEF_DATA = bytes.fromhex("00443214c74254b635cf84653a56d7c675be77df")


@pytest.mark.parametrize(
    ("text", "prefix", "data"),
    [
        ("A12UEL5L", "A", b""),
        ("a12uel5l", "a", b""),
        (ABCDEF, "abcdef", ABCDEF_DATA),
        (
            "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs",
            "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio",
            b"",
        ),
    ],
)
def test_the_published_strings(text: str, prefix: str, data: bytes) -> None:
    assert bech32.decode(prefix, text, len(data)) == data
    assert bech32.encode(prefix, data) == text


@given(st.sampled_from(["age", "age1pq", "AGE-SECRET-KEY-"]), st.binary(max_size=1300))
def test_reads_what_it_writes(prefix: str, data: bytes) -> None:
    assert bech32.decode(prefix, bech32.encode(prefix, data), len(data)) == data


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (ABCDEF.upper(), "key-prefix"),
        ("abcdef1" + ABCDEF[7:].upper(), "key-case"),
        (ABCDEF[:-1] + "W", "key-case"),
        ("abcdeg" + ABCDEF[6:], "key-prefix"),
        ("abcdef" + ABCDEF[7:], "key-prefix"),
        (ABCDEF[:-1] + "b", "key-character"),
        (ABCDEF[:-1] + "\u0131", "key-character"),
        (ABCDEF[:-1] + "q", "key-checksum"),
        (ABCDEF[:-1], "key-length"),
        (ABCDEF + "q", "key-length"),
        (ABCDEF + "\n", "key-character"),
        ("", "key-prefix"),
    ],
)
def test_what_is_not_written_is_not_read(text: str, code: str) -> None:
    with pytest.raises(KeyMalformed) as caught:
        bech32.decode("abcdef", text, len(ABCDEF_DATA))
    assert caught.value.code == code


def test_another_length_than_expected() -> None:
    with pytest.raises(KeyMalformed):
        bech32.decode("abcdef", ABCDEF, len(ABCDEF_DATA) - 1)


def test_padding_bits_beyond_the_data() -> None:
    """One byte is two characters, and two bits too many: a checksum that fits does not excuse them."""
    alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
    assert bech32.encode("age", b"\xff")[4:6] == "lu"
    refused = 0
    for last in alphabet:
        values = [alphabet.index("l"), alphabet.index(last)]
        checksum = bech32._polymod([*bech32._expanded("age"), *values, *[0] * 6]) ^ 1
        forged = "age1" + "".join(
            alphabet[value] for value in (*values, *(checksum >> 5 * place & 31 for place in reversed(range(6))))
        )
        if values[1] & 3:
            with pytest.raises(KeyMalformed) as caught:
                bech32.decode("age", forged, 1)
            assert caught.value.code == "key-padding"
            refused += 1
        else:
            assert bech32.decode("age", forged, 1) == bytes([0xF8 | values[1] >> 2])
    assert refused == 24


@given(st.binary(min_size=32, max_size=32), st.data())
def test_any_one_character_changed_is_noticed(data: bytes, draw: st.DataObject) -> None:
    text = bech32.encode("age", data)
    place = draw.draw(st.integers(4, len(text) - 1))
    other = draw.draw(st.sampled_from([c for c in "qpzry9x8gf2tvdw0s3jn54khce6mua7l" if c != text[place]]))
    with pytest.raises(KeyMalformed) as caught:
        bech32.decode("age", text[:place] + other + text[place + 1 :], 32)
    assert caught.value.code == "key-checksum"
