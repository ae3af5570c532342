"""Keys on a token, with SoftHSM as the token (`spec/keys.md` steps 20 to 24)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from comity.errors import ComityError, Misuse, Rejected, Unavailable
from comity.ports import TokenHome
from comity.stores import token as tokens
from comity.stores.key_facts import key_facts
from comity.stores.keys import KeyFolder
from comity.stores.token import TokenKey, TokenSigner, make_on_token, put_on_token, read_token_key, remove_from_token

MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so")
MODULE = next((path for path in MODULES if Path(path).exists()), "")
PIN = "739184"
PROBE = b"comity/token-probe/1"
WORDS = "correct horse battery staple"


def entropy(count: int) -> bytes:
    return os.urandom(count)


@pytest.fixture(scope="module")
def softhsm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of two tokens, ``tokyo`` and ``seoul``: the library reads its settings once in a process."""
    program = shutil.which("softhsm2-util")
    if not MODULE or program is None:
        assert not os.environ.get("CI"), "the gate installs softhsm2"
        pytest.skip("softhsm2 is not on this machine: it is the token that these tests need")
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    settings = folder / "softhsm2.conf"
    settings.write_text(f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\nlog.level = ERROR\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(settings))
        for label in ("tokyo", "seoul"):
            subprocess.run(
                [program, "--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", "0000"],
                check=True,
                capture_output=True,
            )
        yield folder
        tokens._sessions.clear()


@pytest.fixture
def home(softhsm: Path) -> TokenHome:
    return TokenHome(module=MODULE, token="tokyo", pin=PIN)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    house = tmp_path / "house"
    house.mkdir(mode=0o700)
    return house


def verifies(public: bytes, signature: bytes, message: bytes) -> bool:
    Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    return True


def test_a_key_is_born_on_the_token_and_cannot_be_read_from_it(home: TokenHome, softhsm: Path) -> None:
    import pkcs11

    signer = make_on_token(home, "born")
    assert verifies(signer.public, signer.sign(b"this"), b"this")
    again = read_token_key(msgspec.json.encode(signer.key), "")
    assert again.sign(b"this") == signer.sign(b"this")
    (private,) = tokens._sessions[MODULE, "tokyo"].get_objects(
        {pkcs11.Attribute.LABEL: "born", pkcs11.Attribute.CLASS: pkcs11.ObjectClass.PRIVATE_KEY}
    )
    assert private[pkcs11.Attribute.SENSITIVE]
    assert not private[pkcs11.Attribute.EXTRACTABLE]
    with pytest.raises(pkcs11.PKCS11Error):
        private[pkcs11.Attribute.VALUE]
    with pytest.raises(Misuse, match="already"):
        make_on_token(home, "born")
    remove_from_token(signer.key)
    remove_from_token(signer.key)
    with pytest.raises(Unavailable, match="not on the token"):
        signer.sign(b"this")


def test_a_key_that_was_made_elsewhere_is_put_there(home: TokenHome) -> None:
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    signer = put_on_token(home, "put", private.private_bytes_raw(), public)
    assert signer.sign(b"this") == private.sign(b"this")


def test_a_token_that_signs_with_another_key_is_not_believed(home: TokenHome) -> None:
    signer = make_on_token(home, "mixed")
    other = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    with pytest.raises(Rejected, match="does not verify") as error:
        TokenSigner(TokenKey(home=home, label="mixed", public=other.hex())).sign(b"this")
    assert error.value.code == "other-token-key"
    assert signer.sign(b"this")


def test_neither_the_pin_nor_a_key_is_ever_told(home: TokenHome) -> None:
    signer = make_on_token(home, "silent")
    assert PIN not in repr(signer) + repr(signer.key) + repr(home)
    wrong = TokenHome(module=MODULE, token="seoul", pin="123456")
    with pytest.raises(Misuse, match="not the PIN") as error:
        make_on_token(wrong, "x")
    assert "123456" not in str(error.value)


@pytest.mark.parametrize(
    ("module", "label", "says"),
    [("", "osaka", "there is no token 'osaka'"), ("/nowhere/lib.so", "tokyo", "cannot be reached")],
)
def test_a_token_that_is_not_there(module: str, label: str, says: str, softhsm: Path) -> None:
    with pytest.raises(Unavailable, match=says):
        make_on_token(TokenHome(module=module or MODULE, token=label, pin=PIN), "x")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the library tells of the broken one
def test_a_session_that_broke_is_opened_again(home: TokenHome) -> None:
    signer = make_on_token(home, "broken")
    tokens._sessions[MODULE, "tokyo"].close()
    assert verifies(signer.public, signer.sign(b"this"), b"this")


@pytest.mark.parametrize("content", [b"", b"{}", b'{"home":1}', b"\xff", b"[]"])
def test_a_file_that_names_no_token(content: bytes) -> None:
    with pytest.raises(Rejected, match="not the place of a key"):
        read_token_key(content, "record.token")


def test_the_keys_of_a_house_born_on_a_token(home: TokenHome, folder: Path) -> None:
    """The root key and the one that signs records; those that follow are born there, too, and destroyed there."""
    keys = KeyFolder.create(folder, entropy, WORDS, 10, token=home, on_token={"root", "record"})
    record, root = keys.record.public, keys.root()
    assert verifies(root.public, root.sign(b"card"), b"card")
    keys = KeyFolder(folder, entropy, lambda: WORDS)
    assert verifies(record, keys.record.sign(b"record"), b"record")
    assert not list(folder.rglob("record*.key"))
    assert not list(folder.rglob("root.key"))
    assert PIN.encode() not in b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    facts = {each.name: each for each in key_facts(folder)}
    assert facts["record"].token == facts["root"].token == "tokyo"
    assert facts["log"].token == ""
    assert "tokyo" in facts["record"].place
    following = keys.make("record")
    assert isinstance(following, TokenSigner)
    keys.use("record", following.public)
    keys.destroy("record", record)
    with pytest.raises(Unavailable, match="not kept here"):
        keys.signer("record", record)
    assert KeyFolder(folder, entropy, lambda: WORDS).record.public == following.public
    (folder / "root" / "root.token").unlink()
    with pytest.raises(Unavailable, match="offline"):
        keys.root()


def test_a_key_moves_to_a_token_and_its_file_is_gone(
    home: TokenHome, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = KeyFolder.create(folder, entropy, now=lambda: datetime(2016, 11, 23, tzinfo=UTC))
    before, root = keys.record.public, keys.root().public
    seed = (folder / "keys" / "record.key").read_bytes()
    assert keys.put_on_token("record", home, PROBE).public == before
    assert keys.put_on_token("root", home, PROBE).public == root
    for again in (keys, KeyFolder(folder, entropy)):
        assert verifies(before, again.record.sign(b"this"), b"this")
        assert verifies(root, again.root().sign(b"this"), b"this")
    facts = {each.name: each for each in key_facts(folder)}
    assert facts["record"].created == "2016-11-23T00:00:00Z"
    assert not any(seed in path.read_bytes() for path in folder.rglob("*") if path.is_file())
    with pytest.raises(Misuse, match="already"):
        keys.put_on_token("record", home, PROBE)
    with pytest.raises(ComityError):
        keys.put_on_token("log", TokenHome(module=MODULE, token="osaka", pin=PIN), PROBE)
    assert (folder / "keys" / "log.key").exists()
    old = (folder / "keys" / "log.key").read_bytes()
    keys.put_on_token("log", home, PROBE)
    (folder / "keys" / "log.key").write_bytes(old)  # a crash came between
    (folder / "keys" / "log.key").chmod(0o600)
    assert isinstance(KeyFolder(folder, entropy).log, TokenSigner)
    assert not (folder / "keys" / "log.key").exists()


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    with pytest.raises(Misuse, match=r"comity\[keys\]"):
        make_on_token(TokenHome(module="x", token="y", pin="z"), "x")


def test_at_the_command_line(softhsm: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from comity.cli.main import main

    pin = tmp_path / "pin"
    pin.write_text(PIN + "\n")
    pin.chmod(0o600)
    token = ["--module", MODULE, "--token", "tokyo", "--pin-file", str(pin)]
    house = ["--folder", str(folder)]
    made = ["init", "jp", "--name", "Japan", "--pouch-only", "--no-passphrase", *house]
    assert main([*made, "--on-token", "root"]) == 2
    assert main([*made, "--on-token", "root", *token]) == 0
    assert "root.token" in capsys.readouterr().out
    assert main(["keys", "token", "record", *house]) == 2
    assert main(["keys", "token", "registry", *token, *house]) == 1
    assert "cannot live on a token" in capsys.readouterr().err
    assert main(["keys", "token", "record", *token, *house]) == 0
    told = capsys.readouterr().out
    assert "lives on the token tokyo now; its file is gone" in told
    assert "The PIN lies open" in told
    assert main(["keys", "token", "record", *token, *house]) == 1
    assert main(["keys", "show", "record", *house]) == 0
    assert "token, PIN open" in capsys.readouterr().out
    assert main(["peer", "card", *house]) == 0
    assert main(["keys", "split", "--threshold", "2", "--custodians", "2", "--out", str(tmp_path / "s"), *house]) == 0
    assert "not in the bundle: root, record" in capsys.readouterr().out
