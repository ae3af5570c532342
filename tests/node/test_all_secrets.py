"""Whatever is secret in a folder is sealed, listed, checked and kept by one table (``spec/keys.md`` 1, 32 to 34)."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from comity.cli.main import main
from comity.errors import Misuse, Rejected, Unavailable
from comity.node.checking import check_folder
from comity.node.keys import change_passphrase, list_keys, lock, unlock
from comity.node.run import found, running
from comity.node.secrets import secrets_of
from comity.node.settings import AlarmSettings, Settings, WitnessFolder
from comity.node.sources import Source, Sources
from comity.node.witnessing import ShowWitness, WitnessSettings, WitnessShown, ask_witness, make_witness
from comity.node.witnessing import running as witness_running
from comity.seal import passphrase
from comity.stores.backups.taking import _secrets as backed_up
from comity.stores.key_bundle import pack, unpack
from comity.stores.key_lock import Lock
from comity.stores.secrets import TABLE, WITNESS, Secrets
from node.test_locked import lying_open

WORDS = "correct horse battery staple"
OTHER = "four quite other words"
ALARM, TOKEN = "what the desk compares, and nobody guesses", "the coast shows this and publishes"


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    derive = passphrase._key
    monkeypatch.setattr(passphrase, "_key", lambda words, salt, _: derive(words, salt, 10))
    monkeypatch.delenv("COMITY_PASSPHRASE", raising=False)


def put(path: Path, text: str) -> None:
    path.touch(0o600)
    path.write_text(text)


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """A house with everything that can be secret, and the witness that its node serves within its folder."""
    house = tmp_path / "jp"
    settings = Settings(
        party="jp",
        alarm=AlarmSettings(url="http://127.0.0.1:9/", secret="alarm-secret"),
        events=Sources(port=0, source=(Source(token="coast.token", feeds=("air",)),)),
        witness=WitnessFolder(folder="w1"),
    )
    await found(house, settings, "Japan")
    make_witness(house / "w1", WitnessSettings(name="witness.example/w1", ml_dsa_44=True))
    put(house / "alarm-secret", ALARM)
    put(house / "coast.token", TOKEN)
    return house


def readable(folder: Path) -> list[str]:
    """What anybody learns who copies the folder."""
    told = (ALARM.encode(), TOKEN.encode())
    files = [path for path in folder.rglob("*") if path.is_file() and any(each in path.read_bytes() for each in told)]
    return [*lying_open(folder), *(path.name for path in files)]


async def asked(witness: Path, words: str) -> WitnessShown:
    return await asyncio.to_thread(ask_witness, witness, "witness.show", ShowWitness(), lambda: words)


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in secrets_of(folder).sealed(root=True)}


async def test_a_lock_seals_all_of_it_and_the_passphrase_is_all_a_start_needs(folder: Path) -> None:  # (4, 32, 34)
    before = contents(folder)
    assert {"alarm-secret", "coast.token", "ed25519.key", "ml-dsa-44.key"} <= {path.name for path in before}
    assert lock(folder, WORDS).open == []
    assert readable(folder) == []
    with pytest.raises(Unavailable, match="no passphrase is at hand") as missing:
        async with running(folder):
            pytest.fail("it ran")
    assert missing.value.code == "keys-locked"
    async with running(folder, lambda: WORDS) as node:
        assert node.says.witness
        assert node.says.events
        assert readable(folder) == []
    change_passphrase(folder, lambda: WORDS, lambda: OTHER)
    shown = await asked(folder / "w1", OTHER)  # by itself
    assert [key.split("+")[0] for key in shown.keys] == ["witness.example/w1"] * 2
    with pytest.raises(Misuse) as wrong:
        await asked(folder / "w1", WORDS)
    assert wrong.value.code == "wrong-passphrase"
    put(folder / "coast.token", TOKEN[::-1])  # another one, as its source gave it
    async with running(folder, lambda: OTHER):
        assert TOKEN[::-1].encode() not in (folder / "coast.token").read_bytes()
    unlock(folder, lambda: OTHER)
    assert contents(folder) == {**before, folder / "coast.token": TOKEN[::-1].encode()}
    assert not list(folder.rglob("lock.age"))
    async with running(folder):
        pass


async def test_a_witness_by_itself_is_locked_and_unlocked_likewise(tmp_path: Path) -> None:  # (33)
    folder = tmp_path / "w1"
    made = make_witness(folder, WitnessSettings(name="witness.example/w1"), passphrase=WORDS)
    assert lying_open(folder) == []
    with pytest.raises(Unavailable) as missing:
        async with witness_running(folder):
            pytest.fail("it ran")
    assert missing.value.code == "keys-locked"
    async with witness_running(folder, lambda: WORDS) as witness:
        assert tuple(key.text for key in witness.witness.keys) == made.keys
    assert [(key.name, key.locked) for key in list_keys(folder).keys] == [("ed25519", True)]
    assert change_passphrase(folder, lambda: WORDS, lambda: OTHER).open == []
    assert unlock(folder, lambda: OTHER).open == ["ed25519"]
    assert await asked(folder, "") == made
    assert lock(folder, WORDS).open == []
    assert lying_open(folder) == []
    with pytest.raises(Misuse, match="12"):
        make_witness(tmp_path / "w2", WitnessSettings(name="witness.example/w2"), passphrase="short")
    assert not (tmp_path / "w2").exists()


async def test_a_witness_with_a_lock_of_its_own_keeps_it(folder: Path) -> None:  # (32)
    lock(folder / "w1", OTHER)
    own = (folder / "w1" / "keys" / "lock.age").read_bytes()
    lock(folder, WORDS)
    assert readable(folder) == []
    with pytest.raises(Misuse) as wrong:
        async with running(folder, lambda: WORDS):
            pytest.fail("it ran")
    assert (wrong.value.code, wrong.value.place) == ("wrong-passphrase", str(folder / "w1"))
    change_passphrase(folder, lambda: WORDS, lambda: OTHER)
    assert (folder / "w1" / "keys" / "lock.age").read_bytes() == own
    async with running(folder, lambda: OTHER) as node:
        assert node.says.witness
    unlock(folder, lambda: OTHER)
    assert (folder / "w1" / "keys" / "lock.age").read_bytes() == own
    assert lying_open(folder / "w1") == []
    async with running(folder, lambda: OTHER):  # the house lies open, its witness does not
        pass


async def test_what_settings_name_elsewhere_stays_where_it_is(folder: Path, tmp_path: Path) -> None:  # (34)
    put(tmp_path / "alarm-secret", ALARM)
    (folder / "alarm-secret").unlink()
    text = (folder / "node.toml").read_text().replace('"alarm-secret"', f'"{tmp_path / "alarm-secret"}"')
    (folder / "node.toml").write_text(text)
    assert lock(folder, WORDS).open == ["alarm"]
    assert (tmp_path / "alarm-secret").read_text() == ALARM
    async with running(folder, lambda: WORDS):
        pass
    (tmp_path / "alarm-secret").chmod(0o644)
    with pytest.raises(Rejected) as readable_by_all:
        async with running(folder, lambda: WORDS):
            pytest.fail("it ran")
    assert readable_by_all.value.code == "readable-secret"


def test_it_is_listed_and_checked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:  # (1, 3, 10)
    names = [key.name for key in list_keys(folder).keys]
    assert names[-4:] == ["alarm", "source/coast", "witness/ed25519", "witness/ml-dsa-44"]
    assert main(["keys", "list", "--folder", str(folder / "w1")]) == 0
    assert "cosigns the checkpoints of others" in capsys.readouterr().out

    def findings() -> list[tuple[str, str]]:
        return [(each.place, each.says) for each in check_folder(folder, ("books",), lambda *_: None).findings]

    assert findings() == []
    (folder / "w1" / "keys" / "ed25519.key").chmod(0o640)
    assert [place for place, _ in findings()] == ["w1/keys/ed25519.key"]
    (folder / "w1" / "keys" / "ed25519.key").chmod(0o600)
    (folder / "coast.token").unlink()
    (folder / "coast.token").symlink_to(folder / "alarm-secret")
    assert findings() == [("coast.token", "it is not a file")]
    (folder / "coast.token").unlink()
    lock(folder, WORDS)
    put(folder / "coast.token", TOKEN)
    assert findings() == [("coast.token", "it lies open beside the lock; a start seals it")]
    if os.geteuid() == 0:
        os.chown(folder / "coast.token", 12345, -1)
        assert findings() == [("coast.token", "it belongs to another user of this machine")]


def test_the_table_says_what_goes_where(folder: Path, tmp_path: Path) -> None:  # (1)
    assert main(["backup", "take", str(tmp_path / "kept"), "-r", _recipient(tmp_path), "--folder", str(folder)]) == 0
    secrets = list(secrets_of(folder))
    assert {each.kind for each in secrets} >= {
        "root",
        "signing",
        "registry",
        "tls",
        "backup",
        "alarm",
        "source",
        "witness",
    }
    bundle, backup = unpack(pack(folder, None)), backed_up(folder)
    for each in secrets:
        name = str(each.path.relative_to(folder))
        assert (name in bundle) == TABLE[each.kind].bundled, name
        assert (name in backup) == TABLE[each.kind].backed_up, name
    lock(folder, WORDS)
    opened = Lock.read(folder / "keys" / "lock.age", lambda: WORDS)
    for each in secrets:
        assert each.path.read_bytes().startswith(b"-----BEGIN AGE") == TABLE[each.kind].sealed, each
    assert unpack(pack(folder, opened)) == bundle
    shutil.rmtree(folder / "w1")  # a house that came back without its witness lists what there is
    assert secrets_of(folder).beside is None
    assert (folder / WITNESS).exists() is False
    assert Secrets(folder).lock.exists()


def _recipient(folder: Path) -> str:
    assert main(["keygen", "-o", str(folder / "backup.key")]) == 0
    return next(line for line in (folder / "backup.key").read_text().splitlines() if "public key" in line).split()[-1]
