"""The keys of a person in strict custody (`spec/command-line.md` steps 6 and 8)."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from comity.cli import passphrases
from comity.cli.main import main
from comity.cli.person_keys import (
    make_person_keys,
    opened_text,
    parse_person_keys,
    public_half,
    read_person_keys,
    read_public_keys,
)
from comity.errors import Misuse, Rejected
from comity.record.contexts import PERSON_ACT, RECORD
from comity.record.dsse import check_signature, pae
from comity.seal import passphrase
from comity.seal.keys import parse_identities, parse_recipients


def entropy(count: int) -> bytes:
    return bytes(range(1, count + 1))


@pytest.fixture
def text() -> str:
    return make_person_keys("2026-11-21T03:00:00Z", entropy)


def test_the_keys_come_back(text: str, tmp_path: Path) -> None:
    path = tmp_path / "kim.keys"
    path.write_text(text)
    keys = read_person_keys(path)
    assert keys.public.hex() in text
    public = tmp_path / "kim.public"
    public.write_text(public_half(text))
    recipient, signs_as = read_public_keys(public)
    assert signs_as == keys.public
    assert [str(each) for each in parse_recipients(public_half(text))] == [recipient]


def test_the_public_half_holds_no_secret(text: str) -> None:
    half = public_half(text)
    secret = [line for line in text.splitlines() if line.startswith(("AGE-SECRET", "# signing key"))]
    assert len(secret) == 2
    assert not any(line.split()[-1] in half for line in secret)


def test_to_age_the_file_is_an_identity_and_its_half_a_recipient(text: str) -> None:
    """(8)"""
    (identity,) = parse_identities(text)
    (recipient,) = parse_recipients(public_half(text))
    assert identity.recipient == recipient  # a hybrid identity has one


@pytest.mark.skipif(shutil.which("age") is None, reason="there is no age on this machine")
def test_the_ordinary_age_takes_the_file(tmp_path: Path) -> None:
    """(8) An age without the hybrid recipient says so of the key itself, not of the lines around it."""
    path = tmp_path / "kim.keys"
    path.write_text(make_person_keys("2026-11-21T03:00:00Z", entropy))
    done = subprocess.run(["age-keygen", "-y", str(path)], capture_output=True, text=True)
    assert done.returncode == 0 or "line 5" in done.stderr or "secret key" in done.stderr, done.stderr


def test_an_act_is_signed(text: str) -> None:
    keys = parse_person_keys(text, "")
    message = pae(PERSON_ACT, b"[]")
    check_signature(keys.public, keys.sign_act(message), message)


@pytest.mark.parametrize("message", [b"", b"anything", pae(RECORD, b"[]"), PERSON_ACT.encode()])
def test_nothing_but_an_act_is_signed(text: str, message: bytes) -> None:
    """(6) A node that could get a signature over a record could sign in the person's name."""
    with pytest.raises(Rejected, match="not an act"):
        parse_person_keys(text, "").sign_act(message)


@pytest.mark.parametrize(
    "change",
    [
        ("# signing key: ", "# key: "),
        ("# signing key: MC", "# signing key: MD"),
        ("# signing key: MC", "# signing key: M"),
        ("AGE-SECRET-KEY-PQ-1", "# AGE-SECRET-KEY-PQ-1"),
    ],
)
def test_what_is_no_file_of_keys_is_refused(text: str, change: tuple[str, str]) -> None:
    assert change[0] in text
    with pytest.raises(Rejected):
        parse_person_keys(text.replace(*change), "kim.keys")


def test_two_signing_keys_are_one_too_many(text: str) -> None:
    line = next(line for line in text.splitlines() if line.startswith("# signing key"))
    with pytest.raises(Rejected):
        parse_person_keys(f"{line}\n{text}", "kim.keys")


@pytest.mark.parametrize("content", [b"", b"\xff", b"age1pq1\n"])
def test_what_is_no_public_half_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "kim.public"
    path.write_bytes(content)
    with pytest.raises(Rejected):
        read_public_keys(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Misuse, match="cannot read"):
        read_person_keys(tmp_path / "missing")


def test_keys_sealed_to_a_passphrase(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked once for as long as the file is the same, and never shown; without it the file is of no use."""
    derive = passphrase._key
    monkeypatch.setattr(passphrase, "_key", lambda words, salt, _: derive(words, salt, 10))
    asked: list[str] = []

    def typed(what: str) -> str:
        asked.append(what)
        return words

    monkeypatch.setattr(passphrases, "getpass", typed)
    words, kim, public = "correct horse", tmp_path / "kim.keys", tmp_path / "kim.public"
    assert main(["keygen", "--person", "-p", "-o", str(kim)]) == 0
    assert len(asked) == 2
    assert b"signing key" not in kim.read_bytes()
    assert main(["keygen", "-y", str(kim), "-o", str(public)]) == 0
    keys = read_person_keys(kim)
    assert read_public_keys(public) == (str(parse_recipients(public.read_text())[0]), keys.public)
    assert len(asked) == 3
    assert main(["keygen", "-p", "-y", str(kim)]) == 2
    opened_text.cache_clear()
    words = "another"
    with pytest.raises(Misuse, match="does not open"):
        read_person_keys(kim)
    monkeypatch.undo()
    opened_text.cache_clear()
    assert main(["keygen", "-p"]) == 1  # no terminal
