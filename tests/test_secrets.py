"""No secret stands where it can be read by chance: in nothing that is printed, logged, raised or kept.

One house is founded with a passphrase, used, misused and run; then its keys are opened in a copy, and whatever it
printed and wrote is searched for each of them, in every spelling that a program would give it.
"""

from __future__ import annotations

import base64
import importlib
import inspect
import os
import pkgutil
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey

import comity
from comity.cli.person_keys import PersonKeys
from comity.doors.passing import Setting
from comity.feed.batch import Contents
from comity.feed.gate import Epoch
from comity.feed.originals import Originals
from comity.flows.vouching.witnesses import NamedWitness
from comity.node.alarm import Alarm
from comity.ports import TokenHome
from comity.seal import bech32
from comity.seal.anchor_key import AnchorKey
from comity.seal.certificate import make_certificate
from comity.seal.hybrid import HybridIdentity
from comity.seal.passphrase import PassphraseIdentity, PassphraseRecipient
from comity.seal.x25519 import X25519Identity
from comity.stores.key_lock import Lock
from comity.stores.keys import Ed25519Signer
from comity.stores.witness_keys import WitnessSigner

PASSPHRASE = "correct-horse-battery-staple"
WRONG = "another-horse-battery-staple"
PIN = "824693"
SEED = bytes(range(100, 132))
TEXT = SEED.hex()
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECRET = re.compile(r"secret|pin|passphrase|password|private|seed")
"""What a field or an argument is called that is one."""

HOLDERS: dict[type, Callable[[], Any]] = {
    AnchorKey: lambda: AnchorKey(MLDSA65PrivateKey.from_seed_bytes(SEED)),
    HybridIdentity: lambda: HybridIdentity(SEED),
    X25519Identity: lambda: X25519Identity(SEED),
    PassphraseIdentity: lambda: PassphraseIdentity(PASSPHRASE),
    PassphraseRecipient: lambda: PassphraseRecipient(PASSPHRASE),
    Ed25519Signer: lambda: Ed25519Signer(Ed25519PrivateKey.from_private_bytes(SEED)),
    WitnessSigner: lambda: WitnessSigner(Ed25519PrivateKey.from_private_bytes(SEED)),
    Lock: lambda: Lock(HybridIdentity(SEED)),
    TokenHome: lambda: TokenHome(module="m", token="t", pin=PIN),
    PersonKeys: lambda: PersonKeys(Ed25519PrivateKey.from_private_bytes(SEED), (HybridIdentity(SEED),)),
    Epoch: lambda: Epoch(1, SEED, NOW),
    Contents: lambda: Contents(SEED, (), (), (), (), (), ()),
    Originals: lambda: Originals("", SEED, ()),
    Setting: lambda: Setting(now=lambda: NOW, key=SEED),
    NamedWitness: lambda: NamedWitness(name="w", keys=(), url="https://w.example", ledgers=(), secret=TEXT),
}
HARMLESS = {
    "node.alarm.Alarm",  # an object of ours, which shows no field
    "node.settings.AlarmSettings",  # the name of a file
    "cli.ceremony._Founding",  # as the first
    "console.accounts.Accounts",  # whether passwords are taken
    "console.doorkeeper.Doorkeeper",  # compares them
    "console.organisations.Login",  # as the first
    "console.settings.ConsoleSettings",  # as that of the accounts
    "console.settings.Organisation",  # the name of a file
    "node.pages.Pages",  # as the first
    "node.settings.WebhookSettings",  # the name of a file
    "node.webhooks.Webhook",  # as the first
    "stores.keys.KeyFolder",  # as the first: it says where keys lie
}


@pytest.mark.parametrize("holder", HOLDERS, ids=lambda kind: kind.__name__)
def test_what_holds_a_secret_shows_none(holder: type) -> None:
    held = HOLDERS[holder]()
    for shown in (repr(held), str(held), f"{held}", f"{[held]!r}", repr(getattr(held, "__dict__", ""))):
        assert not any(each in shown for each in (PASSPHRASE, PIN, TEXT, repr(SEED)[2:-1])), shown[:80]


def test_a_certificate_that_was_made_shows_no_key() -> None:
    made = make_certificate("jp", NOW)
    assert "PRIVATE" not in repr(made)
    assert made.key.splitlines()[1].decode() not in repr(made)


def test_whatever_has_a_secret_is_looked_at() -> None:
    """A new class with a field of such a name is added above, or is none."""
    known = {f"{kind.__module__}.{kind.__name__}".removeprefix("comity.") for kind in HOLDERS} | HARMLESS
    assert {name for name, fields in classes() if any(map(SECRET.search, fields))} - known == set()
    assert Alarm.__repr__ is object.__repr__


def classes() -> Iterator[tuple[str, list[str]]]:
    for module in pkgutil.walk_packages(comity.__path__, "comity."):
        if module.name.endswith("__main__"):
            continue
        found = importlib.import_module(module.name)
        for name, kind in vars(found).items():
            if inspect.isclass(kind) and kind.__module__ == module.name:
                plain = kind.__init__ is not object.__init__ and not issubclass(kind, BaseException | dict)
                fields = list(getattr(kind, "__struct_fields__", ()))
                fields = fields or (list(inspect.signature(kind).parameters) if plain else [])
                yield f"{module.name}.{name}".removeprefix("comity."), fields


def person(handle: str) -> str:
    return f"person add {handle} --name N --function F --body B --nationality jp --role officer --as root"


class House:
    """A house whose keys are locked, in processes of their own; everything they say is kept."""

    def __init__(self, folder: Path) -> None:
        self.base = folder
        self.folder = folder / "tokyo"
        self.said: list[bytes] = []
        for name, words in (("first", PASSPHRASE), ("wrong", WRONG)):
            (folder / name).touch(0o600)
            (folder / name).write_text(words + "\n")
        (folder / "scratch").mkdir()

    def environment(self, passphrase: str = "first") -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "COMITY_HOME": str(self.folder),
            "COMITY_PASSPHRASE_FILE": str(self.base / passphrase),
            "COMITY_TRACE": "1",
            "TMPDIR": str(self.base / "scratch"),
            "LC_ALL": "C.UTF-8",
        }

    def run(self, command: str, passphrase: str = "first", *, refused: bool = False) -> bytes:
        done = subprocess.run(
            [sys.executable, "-m", "comity", *command.split()],
            env=self.environment(passphrase),
            cwd=self.base,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=60,
            check=False,
        )
        assert bool(done.returncode) is refused, f"{command}: {done.returncode}\n{done.stdout.decode()}"
        self.said.append(done.stdout)
        return done.stdout


def test_a_whole_house_prints_and_writes_no_secret(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.run("init jp --name Japan --pouch-only")
    (house.folder / "node.toml").write_text((house.folder / "node.toml").read_text() + "\n[keys]\nwork-factor = 17\n")
    house.run("keys passphrase --new-passphrase-file first")
    house.run(person("kim"))
    house.run("keys list --json")
    house.run("person list", "wrong", refused=True)
    key = house.folder / "keys/record.key"
    whole = key.read_bytes()
    key.write_bytes(b"-----BEGIN PRIVATE KEY-----\n" + whole)
    house.run("person list --json", refused=True)
    key.write_bytes(whole)
    house.run("peer card --out jp.card")
    watched = running(house)
    copy = shutil.copytree(house.folder, tmp_path / "copy", ignore=shutil.ignore_patterns("*.sock", "socket"))
    found = kept(house)
    house.run(f"keys unlock --folder {copy}")
    spelled = {each for secret in secrets_of(copy) for each in spellings(secret)} | {
        PASSPHRASE.encode(),
        WRONG.encode(),
    }
    opened = [path for path in copy.glob("keys/**/*") if path.suffix in {".key", ".age", ".secret"}]
    assert len(opened) > 6
    assert all(any(each in path.read_bytes() for each in spelled) for path in opened), "the search finds none anywhere"
    for where, held in {**found, **watched, "what was printed": b"\n".join(house.said)}.items():
        assert [each for each in spelled if each in held] == [], where


def running(house: House) -> dict[str, bytes]:
    """What the system shows of a node that runs, and what it says until it is stopped."""
    process = subprocess.Popen(
        [sys.executable, "-m", "comity", "node", "run"],
        env=house.environment(),
        cwd=house.base,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    shown = {}
    for name in ("cmdline", "environ", "comm", "limits"):
        try:
            shown[f"/proc/PID/{name}"] = Path(f"/proc/{process.pid}/{name}").read_bytes()
        except OSError:  # a process that is not to be dumped shows less
            shown[f"/proc/PID/{name}"] = b""
    house.run(person("lee"))
    house.run("person list")
    house.run(person("lee"), refused=True)
    process.send_signal(signal.SIGTERM)
    rest, _ = process.communicate(timeout=30)
    return {**shown, "what the node said": first + rest}


def kept(house: House) -> dict[str, bytes]:
    """Every file of the house, and every temporary one."""
    places = [house.folder, house.base / "scratch"]
    return {str(path): path.read_bytes() for place in places for path in place.rglob("*") if path.is_file()}


def secrets_of(folder: Path) -> Iterator[bytes]:
    """The private keys of a house that lies open, as they are."""
    for path in [*folder.glob("keys/**/*"), folder / "root/root.key", folder / "tls/key.pem"]:
        if path.suffix in {".key", ".pem"}:
            key = serialization.load_pem_private_key(path.read_bytes(), None)
            if isinstance(key, EllipticCurvePrivateKey):
                yield key.private_numbers().private_value.to_bytes(32, "big")
            elif isinstance(key, Ed25519PrivateKey):
                yield key.private_bytes_raw()
        elif path.suffix == ".age":
            text = re.search(r"^AGE-SECRET-KEY-\S+$", path.read_text(), re.MULTILINE)
            assert text is not None, path
            yield bech32.decode("age-secret-key-pq-", text[0].lower(), 32)
        elif path.suffix == ".secret":
            yield path.read_bytes()


def spellings(secret: bytes) -> Iterator[bytes]:
    """As it is, in hexadecimal, in base64 wherever it begins, as Python shows it, as a number."""
    yield secret
    yield from (secret.hex().encode(), secret.hex().upper().encode())
    for before in range(3):
        yield base64.b64encode(bytes(before) + secret)[4 if before else 0 : -4]
    yield repr(secret)[2:-1].encode()
    yield str(int.from_bytes(secret, "big")).encode()
    yield bech32.encode("age-secret-key-pq-", secret).encode()[20:-6].upper()
