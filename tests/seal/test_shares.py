"""Shares in words, and what is wrong with those that give nothing (`spec/keys.md` steps 15, 17 and 19)."""

from __future__ import annotations

import itertools
import sys

import pytest

from comity.errors import ComityError, Misuse, Rejected
from comity.seal.shares import combine, split, spoken

SECRET = bytes(range(1, 33))


def placed(*shares: str) -> list[tuple[str, str]]:
    return [(f"file-{number}", share) for number, share in enumerate(shares, 1)]


def test_any_k_of_n_give_it_back_and_their_order_is_nothing() -> None:
    shares = split(SECRET, 3, 5)
    for chosen in itertools.permutations(shares, 3):
        assert combine(placed(*chosen)) == SECRET
    assert combine(placed(*shares)) == SECRET
    assert combine(placed(shares[0], shares[0], shares[1], shares[4])) == SECRET


def test_paper_is_forgiven_its_numbers_capitals_and_comments() -> None:
    first, second = split(SECRET, 2, 2)
    numbered = "".join(f"{number}. {word.upper()}\n" for number, word in enumerate(first.split(), 1))
    assert combine(placed("# Share 1 of 2\n" + numbered, second)) == SECRET


def test_too_few() -> None:
    shares = split(SECRET, 3, 5)
    for given in ((), shares[:1], shares[:2], (shares[0], shares[1], shares[0])):
        with pytest.raises(Misuse, match="different shares are needed") as error:
            combine(placed(*given))
        assert error.value.code == "too-few-shares"


def test_a_word_that_is_none_and_a_word_that_is_another() -> None:
    first, second = split(SECRET, 2, 3)[:2]
    words = first.split()
    with pytest.raises(Rejected, match="word 7 of the share is not in the list") as error:
        combine(placed(" ".join([*words[:6], "secretword", *words[7:]]), second))
    assert error.value.place == "file-1"
    assert "secretword" not in str(error.value)
    other = "academic" if words[10] != "academic" else "acid"
    with pytest.raises(Rejected, match="do not bear out their checksum"):
        combine(placed(second, " ".join([*words[:10], other, *words[11:]])))
    with pytest.raises(Rejected, match="do not bear out"):
        combine(placed(second, " ".join(words[:-1])))
    with pytest.raises(Rejected, match="do not bear out"):
        combine(placed(second, ""))
    with pytest.raises(Rejected, match="too many words"):
        combine(placed(first + " " + second, second))


def test_shares_of_two_splits_are_not_mixed() -> None:
    with pytest.raises(Rejected, match="another split than the one in 'file-1'") as error:
        combine(placed(split(SECRET, 2, 3)[0], split(SECRET, 2, 3)[1]))
    assert error.value.code == "other-split"


def test_a_share_that_was_altered_together_with_its_checksum() -> None:
    from dataclasses import replace

    from shamir_mnemonic import Share

    first, second = split(SECRET, 2, 3)[:2]
    share = Share.from_mnemonic(second)
    altered = replace(share, value=bytes([share.value[0] ^ 1]) + share.value[1:]).mnemonic()
    with pytest.raises(Rejected, match="its own checksum still holds") as error:
        combine(placed(first, altered))
    assert error.value.code == "altered-share"
    with pytest.raises(Rejected, match="same number as the one in 'file-2'"):
        combine(placed(first, second, altered))


@pytest.mark.parametrize(("threshold", "custodians"), [(1, 3), (4, 3), (2, 17), (0, 0), (2, -1)])
def test_what_cannot_be_split(threshold: int, custodians: int) -> None:
    with pytest.raises(Misuse, match="cannot be"):
        split(SECRET, threshold, custodians)


def test_a_share_tells_nothing_of_the_secret() -> None:
    """The same secret split twice has no word in its place more than by chance."""
    first, again = split(SECRET, 2, 2)[0].split()[4:-3], split(SECRET, 2, 2)[0].split()[4:-3]
    assert sum(map(str.__eq__, first, again)) < 5


def test_a_fingerprint_in_words() -> None:
    assert spoken(bytes(32)) == " ".join(["academic"] * 26)
    words = spoken(SECRET).split()
    assert len(words) == 26
    assert spoken(SECRET[:31] + b"!").split()[:24] == words[:24] != spoken(b"!" + SECRET[1:]).split()[:24]


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "shamir_mnemonic", None)
    for act in (lambda: split(SECRET, 2, 3), lambda: combine(placed("a")), lambda: spoken(SECRET)):
        with pytest.raises(ComityError, match=r"comity\[keys\]"):
            act()
