"""Tokens of a real authority, and everything that is no token (``spec/timestamps.md`` steps 1 to 6)."""

from __future__ import annotations

import builtins
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from comity.errors import Misuse, Rejected, Unavailable
from comity.timestamps.token import TOKEN_BYTES_MAX, ask, read_authorities, verify_token
from timestamps.authority import Authority

TEXT = b"comity/jp-kr-2016/jp\n3\ngcS8qNZPwULmqr/2wyxYjOdgyrsCHVBlN6QA/VR3KrY=\n"


@pytest.fixture(scope="module")
def token(authority: Authority) -> bytes:
    return authority.stamp(ask(TEXT).request)


def refused(token: bytes, text: bytes, pem: bytes, nonce: int | None = None) -> str:
    with pytest.raises(Rejected) as caught:
        verify_token(token, text, read_authorities(pem), nonce)
    assert caught.value.code == "bad-token"
    return caught.value.sentence


def test_a_token_says_when(authority: Authority, token: bytes) -> None:  # (2)
    at = verify_token(token, TEXT, read_authorities(authority.root))
    assert abs(at - datetime.now(UTC)) < timedelta(minutes=5)


def test_a_token_over_something_else(authority: Authority, token: bytes) -> None:  # (3)
    assert "something else" in refused(token, TEXT + b"x", authority.root)


def test_a_token_over_another_hash(authority: Authority) -> None:  # (3)
    (authority.folder / "text").write_bytes(TEXT)
    request = authority.run("ts", "-query", "-data", "text", "-sha512", "-cert")
    assert "another hash" in refused(authority.stamp(request), TEXT, authority.root)


def test_a_token_of_another_request(authority: Authority) -> None:  # (4)
    asked = ask(TEXT)
    answer = authority.stamp(asked.request)
    verify_token(answer, TEXT, read_authorities(authority.root), asked.nonce)
    assert "Nonce" in refused(answer, TEXT, authority.root, asked.nonce + 1)


def test_a_token_of_nobody_who_is_believed(authority: Authority, token: bytes, tmp_path: Path) -> None:  # (5)
    other = Authority(tmp_path, "b")
    refused(token, TEXT, other.root)
    verify_token(token, TEXT, read_authorities(other.root + authority.root))
    with pytest.raises(Misuse):
        read_authorities(b"no certificate")


def test_a_certificate_that_had_ended_when_it_stamped(tmp_path: Path) -> None:  # (5)
    ended = Authority(tmp_path, dates=("-startdate", "20200101000000Z", "-enddate", "20210101000000Z"))
    refused(ended.stamp(ask(TEXT).request), TEXT, ended.root)


def test_an_altered_token(authority: Authority, token: bytes) -> None:  # (6)
    """Whatever byte is changed, it is refused, or says the same: a byte that no signature is over says nothing."""
    said = verify_token(token, TEXT, read_authorities(authority.root))
    refusals = 0
    for place in range(0, len(token), max(1, len(token) // 300)):
        changed = token[:place] + bytes([token[place] ^ 1]) + token[place + 1 :]
        try:
            assert verify_token(changed, TEXT, read_authorities(authority.root)) == said
        except Rejected:
            refusals += 1
    assert refusals > 200


@pytest.mark.parametrize("data", [b"", b"0", bytes(100), b"\x30\x03\x02\x01\x00", bytes(TOKEN_BYTES_MAX + 1)])
def test_what_is_no_token(authority: Authority, data: bytes) -> None:  # (2)
    refused(data, TEXT, authority.root)


def test_what_the_authority_did_not_grant(authority: Authority) -> None:  # (2)
    answer = authority.stamp(b"\x30\x03\x02\x01\x01")
    refused(answer, TEXT, authority.root)


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, authority: Authority) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith("rfc3161_client"):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    for act in (lambda: ask(TEXT), lambda: verify_token(b"", TEXT, [])):
        with pytest.raises(Unavailable) as caught:
            act()
        assert caught.value.code == "not-installed"
