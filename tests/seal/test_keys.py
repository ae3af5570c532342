"""spec/seal.md (2), (3), (4)."""

from __future__ import annotations

from itertools import count

import pytest

from comity.errors import Misuse
from comity.seal import age, armor, bech32, keys
from comity.seal.hybrid import HybridIdentity
from comity.seal.passphrase import PassphraseIdentity, PassphraseRecipient
from comity.seal.refusals import KeyMalformed, NoMatch
from comity.seal.x25519 import X25519Identity
from seal.entropy import Repeatable
from seal.testkit import LOW_ORDER_POINT, PASSPHRASE

# The two pairs printed in c2sp.org/age; of the hybrid recipient its digest stands here.
X25519_PAIR = (
    "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX",
    "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj",
)
HYBRID_IDENTITY = "AGE-SECRET-KEY-PQ-1XX76JRALNLXDMEW0CRK45QMCCH4X06SE84UN3VPM33W6HWDX0H3SK3ZQFR"
HYBRID_RECIPIENT_BEGIN = "age1pq1x34nzsvr0rxjsgdn8zgyhfe8j7ceq5r9rdelkjuh3y235jzxshfg87pzf5zrqtzdxz95paef6caq5aapdm"
HYBRID_RECIPIENT_END = "zfnegrm9efhxpfqdkmhh6gjtqmwze9pyyzk3tlhl53k2ykx3qheyty7saeq0d3fzv49zc0k"


def never() -> str:
    raise AssertionError("a passphrase was asked for")


def test_the_published_x25519_pair() -> None:
    identity = keys.parse_identity(X25519_PAIR[0])
    assert str(identity.recipient) == X25519_PAIR[1]
    assert identity.secret_text() == X25519_PAIR[0]
    assert keys.parse_recipient(X25519_PAIR[1]) == identity.recipient


def test_the_published_hybrid_pair() -> None:
    identity = keys.parse_identity(HYBRID_IDENTITY)
    text = str(identity.recipient)
    assert text.startswith(HYBRID_RECIPIENT_BEGIN)
    assert text.endswith(HYBRID_RECIPIENT_END)
    assert len(text) == 1959
    assert identity.secret_text() == HYBRID_IDENTITY
    assert keys.parse_recipient(text) == identity.recipient


def test_the_default_kind_is_hybrid() -> None:
    assert isinstance(keys.generate_identity(Repeatable()), HybridIdentity)


def test_recipients_are_values() -> None:
    one, same, other = (X25519Identity.generate(Repeatable(seed)).recipient for seed in (b"1", b"1", b"2"))
    assert {one, same, other} == {one, other}
    one_hybrid, same_hybrid = (HybridIdentity.generate(Repeatable(b"1")).recipient for _ in range(2))
    assert one_hybrid == same_hybrid
    assert len({one, one_hybrid, same_hybrid}) == 2


@pytest.mark.parametrize("kind", [HybridIdentity, X25519Identity])
def test_a_key_file_is_read_as_written(kind: type[HybridIdentity | X25519Identity]) -> None:
    identity = kind.generate(Repeatable())
    text = keys.key_file(identity, "2016-11-23T10:00:00+09:00")
    (read,) = keys.read_key_file(text.encode(), never)
    assert isinstance(read, kind)
    assert read.recipient == identity.recipient
    assert f"# public key: {identity.recipient}" in text


def test_comments_and_empty_lines_are_passed_over() -> None:
    text = f"# ours\n\n{X25519_PAIR[1]}\n#{X25519_PAIR[1]}\n{keys.parse_identity(HYBRID_IDENTITY).recipient}"
    assert [recipient.kind for recipient in keys.parse_recipients(text)] == ["X25519", "mlkem768x25519"]


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("", "no-key", ""),
        ("# nothing\n\n", "no-key", ""),
        (f"# one\n {X25519_PAIR[0]}\n", "key-space", "line 2"),
        (f"{X25519_PAIR[0]}\r\n", "key-space", "line 1"),
        (f"{X25519_PAIR[0]}\n \n", "key-space", "line 2"),
        (f"{X25519_PAIR[0].lower()}\n", "key-kind", "line 1"),
        (f"{X25519_PAIR[0][:-1]}\n", "key-length", "line 1"),
        (f"{X25519_PAIR[1]}\n", "key-kind", "line 1"),
        ("AGE-PLUGIN-YUBIKEY-1XXXX\n", "key-kind", "line 1"),
        ("#" * ((1 << 20) + 1), "too-long", ""),
    ],
)
def test_a_bad_key_file_names_its_line(text: str, code: str, place: str) -> None:
    with pytest.raises(KeyMalformed) as caught:
        keys.parse_identities(text)
    assert (caught.value.code, caught.value.place) == (code, place)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (X25519_PAIR[1].upper(), "key-kind"),
        (X25519_PAIR[1][:-1] + "q", "key-checksum"),
        (X25519_PAIR[0], "secret-key"),
        ("ssh-ed25519 AAAA", "key-kind"),
        (bech32.encode("age", LOW_ORDER_POINT), "key-low-order"),
        (bech32.encode("age", bytes(32)), "key-low-order"),
        (bech32.encode("age1pq", b"\xff" * 1184 + bytes(range(32))), "key-unusable"),
        (bech32.encode("age1pq", bytes(1216)), "key-unusable"),
        (bech32.encode("age1pq", bytes(32)), "key-length"),
    ],
)
def test_a_bad_recipient(text: str, code: str) -> None:
    with pytest.raises(KeyMalformed) as caught:
        keys.parse_recipient(text)
    assert caught.value.code == code


def test_no_secret_in_any_error_or_repr() -> None:
    for length, text in zip(count(20), (X25519_PAIR[0], HYBRID_IDENTITY), strict=False):
        secret = text.split("-1")[1][:10]
        identity = keys.parse_identity(text)
        assert secret not in repr(identity)
        for wrong in (text[:-1], text[:-1] + "Q", text + "\r", text.lower(), text[:length], f" {text}"):
            with pytest.raises(KeyMalformed) as caught:
                keys.parse_identities(wrong)
            assert secret not in str(caught.value).upper()
    for held in (PassphraseIdentity(PASSPHRASE), PassphraseRecipient(PASSPHRASE)):
        assert PASSPHRASE not in repr(held)


def test_a_locked_key_file() -> None:
    identity = keys.parse_identity(HYBRID_IDENTITY)
    text = keys.key_file(identity, "today")
    locked = keys.locked_key_file(text, PassphraseRecipient(PASSPHRASE, work_factor=10), Repeatable())
    for form in (locked, armor.decode(locked)):
        (read,) = keys.read_key_file(form, lambda: PASSPHRASE)
        assert isinstance(read, HybridIdentity)
        assert read.recipient == identity.recipient
    with pytest.raises(NoMatch) as caught:
        keys.read_key_file(locked, lambda: "hunter2")
    assert caught.value.code == "wrong-passphrase"


def test_a_key_file_that_is_no_text() -> None:
    with pytest.raises(KeyMalformed):
        keys.read_key_file(b"\xff\xfe", never)
    with pytest.raises(KeyMalformed):
        keys.read_key_file(bytes((1 << 20) + 1), never)


def test_the_work_factor_written_is_ages() -> None:
    """(10), without paying for it: the default stands in the recipient's signature."""
    sealed = age.seal_header(age.new_file_key(Repeatable()), [PassphraseRecipient(PASSPHRASE, 2)], Repeatable())
    assert b" 2\n" in sealed
    assert PassphraseRecipient.__init__.__defaults__ == (18,)
    with pytest.raises(Misuse):
        PassphraseRecipient("")


@pytest.mark.parametrize("kind", [HybridIdentity, X25519Identity])
def test_identities_come_from_the_entropy_alone(kind: type[HybridIdentity | X25519Identity]) -> None:
    one, same, other = (kind.generate(Repeatable(seed)).secret_text() for seed in (b"a", b"a", b"b"))
    assert one == same != other
