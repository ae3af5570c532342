"""Bech32 (BIP 173) as age uses it: no length cap, one exact prefix, one case (``spec/seal.md`` step 1).

A reader says which prefix and how many bytes it expects, so nothing else can come out.

    >>> decode("age", "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj", 32).hex()[:16]
    '132c442be010fbd5'
"""

from __future__ import annotations

from comity.seal.refusals import KeyMalformed

_ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VALUES = {character: value for value, character in enumerate(_ALPHABET)}
_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECKSUM_CHARACTERS = 6


def _folded(top: int) -> int:
    remainder = 0
    for bit, generator in enumerate(_GENERATORS):
        if top >> bit & 1:
            remainder ^= generator
    return remainder


_FOLDED = tuple(_folded(top) for top in range(32))


def _polymod(values: list[int]) -> int:
    checksum = 1
    for value in values:
        checksum = (checksum & 0x1FFFFFF) << 5 ^ value ^ _FOLDED[checksum >> 25]
    return checksum


def _expanded(prefix: str) -> list[int]:
    codes = [ord(character) for character in prefix]
    return [*(code >> 5 for code in codes), 0, *(code & 31 for code in codes)]


def encode(prefix: str, data: bytes) -> str:
    """``data`` under ``prefix``; an upper-case prefix gives an all upper-case string."""
    count = -(-len(data) * 8 // 5)
    number = int.from_bytes(data) << count * 5 - len(data) * 8
    values = [number >> 5 * place & 31 for place in reversed(range(count))]
    checked = [*_expanded(prefix.lower()), *values, *[0] * _CHECKSUM_CHARACTERS]
    checksum = _polymod(checked) ^ 1
    values += [checksum >> 5 * place & 31 for place in reversed(range(_CHECKSUM_CHARACTERS))]
    text = f"{prefix.lower()}1{''.join(_ALPHABET[value] for value in values)}"
    return text.upper() if prefix.isupper() else text


def decode(prefix: str, text: str, length: int) -> bytes:
    """The ``length`` bytes that ``encode(prefix, ...)`` wrote as ``text``.

    Raises:
        KeyMalformed: another prefix, another case, mixed case, a character outside the alphabet, another length, a
            wrong checksum, or padding bits that are not zero. The text is not quoted: it may be a secret.
    """
    if not text.startswith(f"{prefix}1"):
        raise KeyMalformed(f"this is not a key that begins with '{prefix}1'", code="key-prefix")
    if text != (text.upper() if prefix.isupper() else text.lower()):
        raise KeyMalformed(f"a key that begins with '{prefix}1' is written in one case throughout", code="key-case")
    values = [_VALUES.get(character, -1) for character in text[len(prefix) + 1 :].lower()]
    if -1 in values:
        raise KeyMalformed(
            f"character {values.index(-1) + len(prefix) + 2} of the key is outside the Bech32 alphabet",
            code="key-character",
        )
    count = -(-length * 8 // 5)
    if len(values) != count + _CHECKSUM_CHARACTERS:
        raise KeyMalformed(
            f"a key that begins with '{prefix}1' has {len(prefix) + 1 + count + _CHECKSUM_CHARACTERS} characters, "
            f"not {len(text)}; copy it again, whole",
            code="key-length",
        )
    if _polymod([*_expanded(prefix.lower()), *values]) != 1:
        raise KeyMalformed("the key's checksum does not fit; copy it again, whole", code="key-checksum")
    number = 0
    for value in values[:count]:
        number = number << 5 | value
    spare_bits = count * 5 - length * 8
    if number & (1 << spare_bits) - 1:
        raise KeyMalformed("the key's last character carries bits beyond its data", code="key-padding")
    return (number >> spare_bits).to_bytes(length)
