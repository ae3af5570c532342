"""A secret as shares in words, of which some number gives it back: SLIP-39, by its reference library (decision 0020).

    academic acid … (33 words of a list of 1,024, which no two people spell alike)

Each share carries a checksum, which split it belongs to, and how many are needed; what comes of enough of them is
checked once more. So a word that was mistyped, a share of another split and a share too few are told apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib import import_module
from typing import Any

from comity.errors import Misuse, Rejected

CUSTODIANS_MAX = 16
"""Most shares: what SLIP-39 numbers."""
THRESHOLD_MIN = 2
"""Least number of shares needed: one that opens alone is no share but the secret."""
WORDS_MAX = 60
"""Most words of a share: one of a secret of 32 bytes has 33."""
_COMMENT = re.compile(r"^#.*$", re.MULTILINE)


def split(secret: bytes, threshold: int, custodians: int) -> tuple[str, ...]:
    """(15) The shares of ``secret``, each as its words: any ``threshold`` of them give it back.

    Randomness is the operating system's; the library asks for none.

    Raises:
        Misuse: there cannot be so many, or that number cannot be needed.
    """
    if not THRESHOLD_MIN <= threshold <= custodians <= CUSTODIANS_MAX:
        raise Misuse(
            f"{threshold} of {custodians} cannot be: at least {THRESHOLD_MIN} are needed, of at most {CUSTODIANS_MAX}",
            code="bad-threshold",
        )
    return tuple(_library().generate_mnemonics(1, [(threshold, custodians)], secret, iteration_exponent=0)[0])


def combine(shares: Iterable[tuple[str, str]]) -> bytes:
    """(17) The secret of ``shares``: pairs of where a share comes from and its text; comments are passed over.

    Raises:
        Rejected: one is mistyped, altered or of another split, or together they give nothing.
        Misuse: there are too few.
    """
    library = _library()
    seen: dict[int, tuple[str, Any]] = {}
    for place, text in shares:
        share = _parsed(place, text)
        for other, before in seen.values():
            if share.group_parameters() != before.group_parameters():
                raise Rejected(
                    f"this share is of another split than the one in {other!r}", code="other-split", place=place
                )
        known = seen.setdefault(share.index, (place, share))
        if known[1].value != share.value:
            raise Rejected(
                f"another share of the same number as the one in {known[0]!r}", code="bad-share", place=place
            )
    needed = next(iter(seen.values()))[1].member_threshold if seen else THRESHOLD_MIN
    if len(seen) < needed:
        raise Misuse(f"{needed} different shares are needed; given: {len(seen)}", code="too-few-shares")
    group = library.shamir.ShareGroup()
    group.shares = {share for _, share in list(seen.values())[:needed]}
    try:
        secret: bytes = library.shamir.recover_ems({next(iter(group)).group_index: group}).decrypt(b"")
    except library.MnemonicError:
        raise Rejected(
            "the shares do not give the secret: one of them was altered so that its own checksum still holds",
            code="altered-share",
        ) from None
    return secret


def _parsed(place: str, text: str) -> Any:
    library = _library()
    words = re.findall(r"[^\W\d_]+", _COMMENT.sub("", text.lower()))
    if len(words) > WORDS_MAX:
        raise Rejected("too many words for a share", code="bad-share", place=place)
    for number, word in enumerate(words, 1):
        if word not in library.wordlist.WORD_INDEX_MAP:
            raise Rejected(f"word {number} of the share is not in the list of words", code="bad-share", place=place)
    try:
        return library.Share.from_mnemonic(" ".join(words))
    except library.MnemonicError:
        raise Rejected(
            f"not a share as it was handed out: its {len(words)} words do not bear out their checksum",
            code="bad-share",
            place=place,
        ) from None


def _library() -> Any:
    """The reference implementation, which a node need not have.

    Raises:
        Misuse: it is not installed.
    """
    try:
        return import_module("shamir_mnemonic")
    except ModuleNotFoundError:
        sentence = "shares and words need the package 'shamir-mnemonic': pip install 'comity[keys]'"
        raise Misuse(sentence, code="no-library") from None


def spoken(digest: bytes) -> str:
    """(19) A fingerprint in words of the same list, ten bits a word: what two people read to each other."""
    words = _library().wordlist.WORDLIST
    count = -(-len(digest) * 8 // 10)
    number = int.from_bytes(digest, "big") << (count * 10 - len(digest) * 8)
    return " ".join(words[number >> 10 * place & 1023] for place in reversed(range(count)))
