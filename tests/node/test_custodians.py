"""Keys shared out to custodians and brought back (`spec/keys.md` steps 15 to 18)."""

from __future__ import annotations

import asyncio
import io
import re
import tarfile
from pathlib import Path

import pytest

from comity.errors import ComityError, Misuse, Rejected, Unavailable
from comity.node import custodians
from comity.node.custodians import Split, recover, seal_again, split_keys
from comity.node.keys import list_keys
from comity.node.run import found, opened
from comity.node.settings import Settings
from comity.seal import age, armor, passphrase
from comity.seal.hybrid import HybridIdentity
from comity.seal.keys import parse_recipient
from comity.stores.folder import DataFolder
from comity.stores.keys import KeyFolder

WORDS = "correct horse battery staple"


def entropy(count: int) -> bytes:
    return bytes(count)


def no_passphrase() -> str:
    raise AssertionError


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scrypt as it is, at a cost for tests."""
    derive = passphrase._key
    monkeypatch.setattr(passphrase, "_key", lambda words, salt, _: derive(words, salt, 10))


@pytest.fixture
def house(tmp_path: Path) -> Path:
    asyncio.run(found(tmp_path / "jp", Settings(party="jp"), "Japan"))
    return tmp_path / "jp"


@pytest.fixture
def made(house: Path, tmp_path: Path) -> Split:
    return split_keys(house, tmp_path / "shares", 2, 3, no_passphrase)


def texts(made: Split, *numbers: int) -> list[tuple[str, str]]:
    return [(made.shares[number - 1], Path(made.shares[number - 1]).read_text()) for number in numbers]


def bundle_of(made: Split) -> bytes:
    return Path(made.bundle).read_bytes()


def test_a_house_comes_back(house: Path, made: Split, tmp_path: Path) -> None:
    """Its keys burn; two of three bring them back, locked, into what a backup has brought back of the rest."""
    before = list_keys(house).keys
    for name in ("keys", "root", "tls"):
        (house / name).rename(tmp_path / name)
    found_again = recover(house, bundle_of(made), texts(made, 3, 1), WORDS)
    assert found_again.locked
    assert [(each.name, each.public, each.created) for each in found_again.keys][:-1] == [
        (each.name, each.public, each.created) for each in before
    ][:-1]
    assert found_again.keys[-1].fingerprint == before[-1].fingerprint
    assert list_keys(house).open == []
    assert list_keys(house).recovery is None

    async def acts() -> None:
        async with opened(house, passphrase=lambda: WORDS) as again:
            assert await again.card()
            assert again.keys.root().sign(b"x")

    asyncio.run(acts())


def test_the_new_lock_has_the_work_factor_of_the_settings(house: Path, made: Split, tmp_path: Path) -> None:
    for name in ("keys", "root", "tls"):
        (house / name).rename(tmp_path / name)
    settings = house / "node.toml"
    settings.write_text(f"{settings.read_text()}\n[keys]\nwork-factor = 17\n")
    recover(house, bundle_of(made), texts(made, 3, 1), WORDS)
    sealed = armor.decode((house / "keys" / "lock.age").read_bytes())
    assert re.search(rb"-> scrypt \S+ 17\n", sealed)


def test_the_recovery_key_is_nowhere_and_the_bundle_is_an_age_file(made: Split, tmp_path: Path) -> None:
    from comity.seal.shares import combine

    seed = combine(texts(made, 1, 2))
    identity = HybridIdentity(seed)
    secrets = seed, identity.secret_text().encode()
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or not any(secret in path.read_bytes() for secret in secrets)
    archive = age.open_bytes(age.Sealed.split(bundle_of(made)), [identity])
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        assert {"keys/record.key", "keys/pairwise.secret", "root/root.key", "tls/key.pem"} <= set(tar.getnames())
    assert all(Path(path).stat().st_mode & 0o777 == 0o600 for path in (made.bundle, *made.shares))


def test_shares_sealed_to_their_custodians(house: Path, tmp_path: Path) -> None:
    people = [HybridIdentity(bytes([number]) * 32) for number in range(3)]
    recipients = [parse_recipient(str(each.recipient)) for each in people]
    made = split_keys(house, tmp_path / "shares", 2, recipients, no_passphrase)
    assert made.sealed
    opened_shares = []
    for number in (0, 2):
        from comity.seal import armor

        sealed = age.Sealed.split(armor.decode(Path(made.shares[number]).read_bytes()))
        with pytest.raises(Rejected):
            age.open_bytes(sealed, [people[1]])
        opened_shares.append((f"custodian {number}", age.open_bytes(sealed, [people[number]]).decode()))
    recover(tmp_path / "new", bundle_of(made), opened_shares, "")
    assert list_keys(tmp_path / "new").open


def test_locked_keys_are_shared_out_with_their_passphrase(tmp_path: Path) -> None:
    asyncio.run(found(tmp_path / "jp", Settings(party="jp"), "Japan", WORDS))
    with pytest.raises(Misuse, match="does not unlock"):
        split_keys(tmp_path / "jp", tmp_path / "shares", 2, 2, lambda: "another")
    assert not (tmp_path / "shares").exists()
    made = split_keys(tmp_path / "jp", tmp_path / "shares", 2, 2, lambda: WORDS)
    recover(tmp_path / "new", bundle_of(made), texts(made, 1, 2), "")
    assert KeyFolder(tmp_path / "new", entropy).record.public.hex() == list_keys(tmp_path / "jp").keys[1].public


def test_after_a_change_of_keys_the_bundle_is_sealed_again(house: Path, made: Split, tmp_path: Path) -> None:
    recovery = list_keys(house).recovery
    assert recovery is not None
    assert (recovery.threshold, recovery.custodians, recovery.current) == (2, 3, True)
    following = KeyFolder(house, custodians.entropy).make("record")
    recovery = list_keys(house).recovery
    assert recovery is not None
    assert not recovery.current
    (house / "root" / "root.key").rename(tmp_path / "root.key")
    again = seal_again(house, tmp_path / "again.age", no_passphrase)
    assert not again.root
    recovery = list_keys(house).recovery
    assert recovery is not None
    assert recovery.current
    recover(tmp_path / "new", bundle_of(again), texts(made, 2, 3), "")
    keys = KeyFolder(tmp_path / "new", entropy)
    assert keys.signer("record", following.public).sign(b"x")
    with pytest.raises(Unavailable, match="offline"):
        keys.root()


def test_what_is_refused(house: Path, made: Split, tmp_path: Path) -> None:
    bundle = bundle_of(made)
    with pytest.raises(Misuse, match="2 different shares are needed; given: 1"):
        recover(tmp_path / "new", bundle, texts(made, 1), "")
    with pytest.raises(Misuse, match="there are keys in"):
        recover(house, bundle, texts(made, 1, 2), "")
    other = split_keys(house, tmp_path / "other", 2, 2, no_passphrase)
    with pytest.raises(Rejected, match="another bundle") as error:
        recover(tmp_path / "new", bundle, texts(other, 1, 2), "")
    assert error.value.code == "other-bundle"
    with pytest.raises(Rejected):
        recover(tmp_path / "new", bundle[:-1] + bytes([bundle[-1] ^ 1]), texts(made, 1, 2), "")
    with pytest.raises(Rejected):
        recover(tmp_path / "new", b"nothing of the kind", texts(made, 1, 2), "")
    assert not (tmp_path / "new" / "keys").exists()
    with pytest.raises(Misuse, match="exists already"):
        split_keys(house, tmp_path / "shares", 2, 3, no_passphrase)
    with pytest.raises(Misuse, match="exists already"):
        seal_again(house, Path(made.bundle), no_passphrase)
    with DataFolder.open(house, "a node"), pytest.raises(Unavailable):
        split_keys(house, tmp_path / "third", 2, 3, no_passphrase)
    (house / "keys" / "recovery.public").unlink()
    with pytest.raises(Misuse, match="never shared out"):
        seal_again(house, tmp_path / "again.age", no_passphrase)
    (house / "keys" / "recovery.public").write_text("age1pq1something\n")
    with pytest.raises(Rejected, match="not the note"):
        list_keys(house)


def tar_of(**files: bytes) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return archive.getvalue()


def linked(name: str) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(entry)
    return archive.getvalue()


WHOLE = {"keys/root.public": b"00" * 32, "keys/pairwise.secret": bytes(32)}


@pytest.mark.parametrize(
    "archive",
    [
        b"nothing of the kind",
        tar_of(),
        tar_of(**WHOLE, **{"../outside.key": b"x"}),
        tar_of(**WHOLE, **{"/etc/outside.key": b"x"}),
        tar_of(**WHOLE, **{"keys/people/../../x.key": b"x"}),
        tar_of(**WHOLE, **{"node.toml": b"x"}),
        tar_of(**WHOLE, **{"keys/record.key": bytes(70_000)}),
        tar_of(**WHOLE) + tar_of(**WHOLE)[:100],
        linked("keys/record.key"),
    ],
)
def test_a_bundle_that_somebody_forged(archive: bytes, house: Path, made: Split, tmp_path: Path) -> None:
    recovery = list_keys(house).recovery
    assert recovery is not None
    forged = bytes(age.seal_bytes(archive, [parse_recipient(recovery.recipient)], custodians.entropy))
    if archive.startswith(tar_of(**WHOLE)):  # what follows the end of an archive is passed over
        recover(tmp_path / "new", forged, texts(made, 1, 2), "")
        return
    with pytest.raises(ComityError):
        recover(tmp_path / "new", forged, texts(made, 1, 2), "")
    assert not (tmp_path / "new" / "keys").exists()
    assert not list(tmp_path.rglob("*outside*"))


def test_a_recovery_that_was_cut_short_is_done_again(
    made: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from comity.stores import key_bundle

    write, left = key_bundle.replace_file, 5

    def failing(path: Path, content: bytes) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Unavailable("the disk failed", code="disk-failed")
        write(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(key_bundle, "replace_file", failing)
        with pytest.raises(Unavailable, match="the disk failed"):
            recover(tmp_path / "new", bundle_of(made), texts(made, 1, 2), "")
    assert not (tmp_path / "new" / "keys").exists()
    recover(tmp_path / "new", bundle_of(made), texts(made, 1, 2), "")
    assert KeyFolder(tmp_path / "new", entropy).root().sign(b"x")


def test_shares_are_typed_at_a_terminal(
    made: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from comity.cli import custodians as verbs
    from comity.cli.main import main

    lines = [" ".join(line for line in text.splitlines() if line[0] != "#") for _, text in texts(made, 2, 3)]
    typed = [*lines, ""]
    monkeypatch.setattr(verbs, "getpass", lambda _: typed.pop(0))
    monkeypatch.setattr(verbs.sys.stdin, "isatty", lambda: True, raising=False)
    assert main(["keys", "recover", made.bundle, "--folder", str(tmp_path / "new"), "--no-passphrase"]) == 0
    assert typed == []
    assert lines[0][:20] not in (told := capsys.readouterr().out)
    assert "the keys are back" in told
