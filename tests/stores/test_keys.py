from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from comity.errors import ComityError, Misuse, Rejected, Unavailable
from comity.ports import Entropy
from comity.stores import key_lock
from comity.stores.durable import make_folders, replace_file
from comity.stores.key_bundle import is_secret, pack, unpack
from comity.stores.key_facts import DOES, key_facts
from comity.stores.key_lock import Lock, lock_keys, seal_all, unlock_keys, write_lock
from comity.stores.keys import KeyFolder
from comity.stores.secrets import Secrets
from comity.stores.witness_keys import ED25519, ML_DSA_44, make_witness_key

FAST = 10
"""A work factor for tests; what a user may set is in ``node/settings.py``."""
NOW = datetime(2016, 11, 23, 1, tzinfo=UTC)
WORDS = "correct horse battery staple"


def now() -> datetime:
    return NOW


def counting() -> Entropy:
    state = [0]

    def entropy(count: int) -> bytes:
        state[0] += 1
        return state[0].to_bytes(count, "big")

    return entropy


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    house = tmp_path / "house"
    house.mkdir(mode=0o700)
    return house


def secrets_of(keys: KeyFolder) -> list[object]:
    signers = keys.root(), keys.record, keys.log, keys.witness, keys.transport
    return [*(signer.sign(b"this") for signer in signers), *keys.registry(), keys.pairwise()]


def open_files(folder: Path) -> list[str]:
    return [path.name for path in Secrets(folder).sealed(root=True) if not key_lock.is_sealed(path.read_bytes())]


def test_keys_are_the_same_when_they_are_read_again(folder: Path) -> None:
    made = KeyFolder.create(folder, counting(), now=now)
    assert secrets_of(KeyFolder(folder, counting())) == secrets_of(made)
    with pytest.raises(Misuse, match="there are keys"):
        KeyFolder.create(folder, counting())


def test_a_house_made_with_a_passphrase_never_has_an_open_key(folder: Path) -> None:
    made = KeyFolder.create(folder, counting(), WORDS, FAST, now)
    assert open_files(folder) == []
    person = made.new_person("p-1")
    assert open_files(folder) == []
    again = KeyFolder(folder, counting(), lambda: WORDS)
    assert secrets_of(again) == secrets_of(made)
    assert again.person("p-1").public == person.public
    raw = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert b"PRIVATE KEY" not in raw
    assert b"AGE-SECRET-KEY" not in raw
    assert made.pairwise() not in raw


def test_what_the_passphrase_must_be(folder: Path) -> None:
    KeyFolder.create(folder, counting(), WORDS, FAST, now)
    with pytest.raises(Unavailable, match="no passphrase is at hand") as none:
        KeyFolder(folder, counting())
    assert none.value.code == "keys-locked"
    with pytest.raises(Misuse, match="does not unlock") as wrong:
        KeyFolder(folder, counting(), lambda: "another one")
    assert "another one" not in str(wrong.value)


@pytest.mark.parametrize("short", ["x", "elevenchars", "合言葉"])
def test_a_passphrase_that_is_soon_guessed_locks_nothing(folder: Path, short: str) -> None:
    with pytest.raises(Misuse, match="soon guessed"):
        KeyFolder.create(folder, counting(), short, FAST, now)
    assert not list(folder.rglob("*.key"))
    before = secrets_of(KeyFolder.create(folder, counting(), now=now))
    with pytest.raises(Misuse, match="soon guessed") as refused:
        lock_keys(Secrets(folder), short, NOW, counting(), FAST)
    assert short not in str(refused.value)
    assert secrets_of(KeyFolder(folder, counting())) == before
    lock = lock_keys(Secrets(folder), WORDS, NOW, counting(), FAST)
    with pytest.raises(Misuse, match="at least 12"):
        write_lock(Secrets(folder), lock, short, NOW, counting(), FAST)
    assert secrets_of(KeyFolder(folder, counting(), lambda: WORDS)) == before


def test_lock_and_unlock(folder: Path) -> None:
    before = secrets_of(KeyFolder.create(folder, counting(), now=now))
    lock = lock_keys(Secrets(folder), WORDS, NOW, counting(), FAST)
    assert open_files(folder) == []
    assert secrets_of(KeyFolder(folder, counting(), lambda: WORDS)) == before
    with pytest.raises(Misuse, match="locked already"):
        lock_keys(Secrets(folder), WORDS, NOW, counting(), FAST)
    unlock_keys(Secrets(folder), lock)
    assert not list(folder.rglob("lock.age"))
    assert secrets_of(KeyFolder(folder, counting())) == before


def test_another_passphrase(folder: Path) -> None:
    before = secrets_of(KeyFolder.create(folder, counting(), WORDS, FAST, now))
    lock = Lock.read(folder / "keys" / "lock.age", lambda: WORDS)
    sealed = (folder / "keys" / "record.key").read_bytes()
    write_lock(Secrets(folder), lock, "a better one", NOW, counting(), FAST)
    assert (folder / "keys" / "record.key").read_bytes() == sealed
    with pytest.raises(Misuse, match="does not unlock"):
        KeyFolder(folder, counting(), lambda: WORDS)
    assert secrets_of(KeyFolder(folder, counting(), lambda: "a better one")) == before
    Lock.read(folder / "root" / "lock.age", lambda: "a better one")


class PowerCut(Exception):
    pass


@pytest.mark.parametrize("doing", ["lock", "unlock", "passphrase"])
def test_the_power_is_cut_at_every_write(doing: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After each crash the house opens with one of the passphrases, has all its keys, and can be locked to the end."""
    entropy = counting()
    KeyFolder.create(folder, entropy, now=now)
    secrets = everything(folder, entropy)
    before = {path: path.read_bytes() for path in secrets.sealed(root=True)}
    assert len(before) == 11
    if doing != "lock":
        lock_keys(secrets, WORDS, NOW, entropy, FAST)
    cut = 0
    while True:
        left = cut

        def failing(path: Path, content: bytes) -> None:
            nonlocal left
            if left == 0:
                path.with_name(path.name + ".partial").write_bytes(content[: len(content) // 2])
                raise PowerCut
            left -= 1
            replace_file(path, content)

        with monkeypatch.context() as patch:
            patch.setattr(key_lock, "replace_file", failing)
            try:
                if doing == "lock":
                    lock_keys(secrets, WORDS, NOW, entropy, FAST)
                else:
                    lock = Lock.read(folder / "keys" / "lock.age", lambda: WORDS)
                    if doing == "unlock":
                        unlock_keys(secrets, lock)
                    else:
                        write_lock(secrets, lock, "quite another", NOW, entropy, FAST)
                break
            except PowerCut:
                cut += 1
        house = KeyFolder(folder, entropy, lambda: WORDS, secrets=secrets)
        assert not list(folder.rglob("*.partial"))
        if house.lock is not None:
            beside = secrets.beside
            assert beside is not None
            assert beside.lock.read_bytes() == secrets.lock.read_bytes()  # (32) renewed at the start
            lying_open = [path.name for path in secrets.sealed(root=True) if not key_lock.is_sealed(path.read_bytes())]
            assert [name for name in lying_open if name != "root.key"] == []
        assert {path: opened_by(house.lock, path) for path in secrets.sealed(root=True)} == before
        if doing == "lock" and house.lock is not None:
            unlock_keys(secrets, house.lock)
        elif doing == "unlock":
            assert house.lock is not None
            seal_all(secrets, house.lock, entropy, root=True)
        else:
            for path in folder.rglob("lock.age"):
                assert opens(path) == WORDS or path.parent.name == "root"
                if opens(path) != WORDS:
                    write_lock(secrets, Lock.read(path, lambda: "quite another"), WORDS, NOW, entropy, FAST)
    assert cut >= (3 if doing == "passphrase" else 11)
    after = "quite another" if doing == "passphrase" else WORDS
    house = KeyFolder(folder, entropy, lambda: after, secrets=secrets)
    assert {path: opened_by(house.lock, path) for path in secrets.sealed(root=True)} == before


def everything(folder: Path, entropy: Entropy) -> Secrets:
    """What is secret in a house with an alarm, a source of events and a witness beside it, whose folder is within."""
    for name in ("alarm-secret", "coast.token"):
        (folder / name).touch(0o600)
        (folder / name).write_text(f"{name} of sixteen bytes and more")
    beside = folder / "w1"
    make_folders([beside])
    make_witness_key(beside, ED25519, entropy)
    make_witness_key(beside, ML_DSA_44, entropy)
    return Secrets(folder, [("alarm", folder / "alarm-secret"), ("source", folder / "coast.token")], Secrets(beside))


def opened_by(lock: Lock | None, path: Path) -> bytes:
    content = path.read_bytes()
    return lock.open(content, str(path)) if lock is not None and key_lock.is_sealed(content) else content


def opens(path: Path) -> str:
    for words in (WORDS, "quite another"):
        try:
            Lock.read(path, lambda words=words: words)  # type: ignore[misc]  # a default is how a loop binds
        except Misuse:
            continue
        return words
    raise AssertionError


def test_the_root_key_comes_back_with_the_lock_it_left_with(folder: Path, tmp_path: Path) -> None:
    made = KeyFolder.create(folder, counting(), WORDS, FAST, now)
    root = made.root().public
    (folder / "root").rename(tmp_path / "safe")
    with pytest.raises(Unavailable, match="offline"):
        made.root()
    lock = Lock.read(folder / "keys" / "lock.age", lambda: WORDS)
    write_lock(Secrets(folder), lock, "quite another", NOW, counting(), FAST)  # while it is away
    (tmp_path / "safe").rename(folder / "root")
    assert KeyFolder(folder, counting(), lambda: "quite another").root().public == root
    (folder / "root").rename(tmp_path / "safe")
    unlock_keys(Secrets(folder), lock)
    (tmp_path / "safe").rename(folder / "root")
    assert KeyFolder(folder, counting(), lambda: WORDS).root().public == root
    with pytest.raises(Unavailable, match="no passphrase"):
        KeyFolder(folder, counting()).root()


def test_what_others_can_read_is_refused(folder: Path) -> None:
    KeyFolder.create(folder, counting(), now=now)
    (folder / "keys" / "log.key").chmod(0o640)
    with pytest.raises(Rejected, match="others can read") as readable:
        KeyFolder(folder, counting())
    assert readable.value.place.endswith("log.key")
    (folder / "keys" / "log.key").chmod(0o600)
    (folder / "keys").chmod(0o750)
    with pytest.raises(Rejected, match="others can look into"):
        KeyFolder(folder, counting())


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("record.key", b"nothing of the kind", "not a private key"),
        ("record.key", b"x" * 70_000, "too long"),
        ("root.public", b"a\nb\n", "not the public half"),
        ("lock.age", b"nothing of the kind", "not a lock"),
    ],
)
def test_a_file_that_is_no_key(name: str, content: bytes, says: str, folder: Path) -> None:
    KeyFolder.create(folder, counting(), now=now)
    replace_file(folder / "keys" / name, content)
    with pytest.raises(ComityError, match=says):
        KeyFolder(folder, counting(), lambda: WORDS)


def test_a_locked_key_that_was_changed_or_is_another_house_s(folder: Path, tmp_path: Path) -> None:
    KeyFolder.create(folder, counting(), WORDS, FAST, now)
    path = folder / "keys" / "record.key"
    content = path.read_bytes()
    replace_file(path, content[:-80] + b"AAAA" + content[-76:])
    with pytest.raises(Rejected, match="damaged"):
        KeyFolder(folder, counting(), lambda: WORDS)
    replace_file(path, Lock.make(bytes).seal(b"a key", counting()))
    with pytest.raises(Rejected, match="another lock"):
        KeyFolder(folder, counting(), lambda: WORDS)


def test_a_key_follows_another(folder: Path) -> None:
    keys = KeyFolder.create(folder, counting(), WORDS, FAST, now)
    old, following = keys.record.public, keys.make("record").public
    assert keys.record.public == old
    names = ["root", "record", f"record-{following.hex()[:16]}", "log"]
    assert [each.name for each in key_facts(folder)][:4] == names
    keys = KeyFolder(folder, counting(), lambda: WORDS)
    assert keys.record.public == old
    with pytest.raises(Unavailable, match="not kept here"):
        keys.use("record", bytes(32))
    with pytest.raises(Misuse, match="in use"):
        keys.destroy("record", old)
    keys.use("record", following)
    assert keys.record.public == keys.signer("record", following).public == following
    keys.destroy("record", old)
    keys.destroy("record", old)
    with pytest.raises(Unavailable, match="not kept here"):
        keys.signer("record", old)
    assert open_files(folder) == []
    assert KeyFolder(folder, counting(), lambda: WORDS).record.public == following
    assert not (folder / "keys" / "record.key").exists()


def test_a_purpose_without_any_key(folder: Path) -> None:
    KeyFolder.create(folder, counting(), now=now)
    (folder / "keys" / "log.key").unlink()
    with pytest.raises(Unavailable, match="no log key"):
        KeyFolder(folder, counting())


def test_an_epoch_follows_another_and_the_old_one_is_destroyed(folder: Path) -> None:
    keys = KeyFolder.create(folder, counting(), now=now)
    (first,) = keys.registry()
    assert keys.new_epoch() == 2
    assert keys.registry()[1] == first
    assert keys.epochs() == [2, 1]
    with pytest.raises(Misuse, match="in use"):
        keys.destroy_epoch(2)
    keys.destroy_epoch(1)
    assert len(keys.registry()) == 1
    assert keys.new_epoch() == 3
    assert not any(first.encode() in path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_what_is_told_of_keys_without_opening_any(folder: Path) -> None:
    keys = KeyFolder.create(folder, counting(), WORDS, FAST, now)
    keys.new_person("p-1")
    facts = {each.name: each for each in key_facts(folder)}
    assert list(facts) == ["root", "record", "log", "witness", "transport", "registry/000001", "pairwise", "people/p-1"]
    assert facts["record"].public == keys.record.public.hex()
    assert facts["registry/000001"].public.startswith("age1pq1")
    assert facts["pairwise"].fingerprint == ""
    assert {each.created for each in facts.values() if each.public} >= {"2016-11-23T01:00:00Z"}
    assert all(each.locked and each.here for each in facts.values())
    (folder / "root" / "root.key").unlink()
    root = key_facts(folder)[0]
    assert not root.here
    assert root.fingerprint == facts["root"].fingerprint


def test_a_house_of_an_older_program_gets_its_public_halves(folder: Path) -> None:
    KeyFolder.create(folder, counting(), now=now)
    (folder / "keys" / "record.public").unlink()
    keys = KeyFolder(folder, counting())
    record = key_facts(folder)[1]
    assert record.public == keys.record.public.hex()
    assert record.created


def test_a_certificate_that_follows_is_locked_bundled_and_destroyed(folder: Path) -> None:  # (4, 12, 16, 41)
    keys = KeyFolder.create(folder, counting(), WORDS, FAST, now)
    first, second = keys.new_certificate("jp"), keys.new_certificate("jp")
    name = second.hex()[:16]
    assert {path.name for path in (folder / "tls").iterdir()} == {
        "certificate.pem",
        "key.pem",
        f"certificate-{name}.pem",
        f"key-{name}.pem",
    }
    assert open_files(folder) == []
    assert {each.name: each.fingerprint.replace(" ", "") for each in key_facts(folder) if each.does == DOES["tls"]} == {
        "tls": first.hex(),
        f"tls-{name}": second.hex(),
    }
    again = KeyFolder(folder, counting(), lambda: WORDS)
    path, key = again.certificate(second)
    assert path.name == f"certificate-{name}.pem"
    assert key.startswith(b"-----BEGIN PRIVATE KEY-----")
    bundled = unpack(pack(folder, Lock.read(folder / "keys" / "lock.age", lambda: WORDS)))
    assert bundled[f"tls/key-{name}.pem"] == key
    assert [each for each in bundled if each.startswith("tls") and not is_secret(each)] == [
        f"tls/certificate-{name}.pem",
        "tls/certificate.pem",
    ]
    again.destroy("tls", first)
    again.destroy("tls", first)
    assert list(again.certificates()) == [second]
    with pytest.raises(Unavailable) as refused:
        again.certificate(first)
    assert refused.value.code == "no-certificate"
    path.write_text("no certificate")
    with pytest.raises(Rejected) as rejected:
        again.certificates()
    assert rejected.value.code == "bad-certificate"
