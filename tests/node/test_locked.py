"""A node on locked keys: unlocked once, at its start; nothing secret lies open, is logged or told (`spec/keys.md`)."""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
from pathlib import Path

import msgspec
import pytest

from comity import Node
from comity.errors import ComityError, Misuse, Unavailable
from comity.flows.actors import Actor
from comity.flows.agreeing.founding import ShowCard
from comity.flows.people.enrolment import EnrolPerson
from comity.flows.table import FLOWS
from comity.node.keys import change_passphrase, list_keys, lock, unlock
from comity.node.run import found, opened, running
from comity.node.settings import Listen, Settings
from comity.seal import passphrase
from comity.stores.key_lock import Lock
from comity.stores.secrets import LOCK, Secrets

WORDS = "correct horse battery staple"
OPEN = re.compile(rb"BEGIN (?:EC )?PRIVATE KEY|AGE-SECRET-KEY-(?:PQ-)?1")


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    derive = passphrase._key
    monkeypatch.setattr(passphrase, "_key", lambda words, salt, _: derive(words, salt, 10))


def lying_open(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file() and OPEN.search(path.read_bytes())]


async def locked_house(folder: Path) -> None:
    await found(folder, Settings(party="jp", listen=Listen(port=0)), "Japan", WORDS)


async def test_it_serves_under_tls_and_keeps_new_keys_locked(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "jp"
    await locked_house(folder)
    asked: list[int] = []

    def words() -> str:
        asked.append(1)
        return WORDS

    with caplog.at_level(logging.DEBUG):
        async with running(folder, words) as node:
            serving = [asyncio.create_task(door.run()) for door in node.doors]
            host, port = node.says.peers.removeprefix("https://").split(":")
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            _, writer = await asyncio.open_connection(host, int(port), ssl=context)
            assert writer.get_extra_info("peercert") is not None
            writer.close()
            request = EnrolPerson(
                handle="ito",
                name="Ito",
                function="Security office",
                body="Ministry",
                nationality="jp",
                serves="jp",
                roles=("security-officer",),
                actor=Actor("root"),
            )
            await FLOWS["person.enrol"].run(node.house, request)
            for door in node.doors:
                door.stop()
            await asyncio.gather(*serving)
    assert asked == [1]
    assert lying_open(folder) == []
    assert [key.name for key in list_keys(folder).keys if key.name.startswith("people/") and key.locked]
    assert WORDS not in caplog.text
    assert not OPEN.search(caplog.text.encode())


async def test_without_the_passphrase_nothing_is_opened_or_left(tmp_path: Path) -> None:
    folder = tmp_path / "jp"
    await locked_house(folder)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != "lock"}
    with pytest.raises(Unavailable, match="no passphrase is at hand"):
        async with opened(folder):
            pass
    with pytest.raises(Misuse, match="does not unlock") as error:
        async with running(folder, lambda: "another"):
            pass
    assert "another" not in str(error.value)
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != "lock"}


async def test_keys_are_not_locked_under_a_running_node(tmp_path: Path) -> None:
    folder = tmp_path / "jp"
    await locked_house(folder)
    async with running(folder, lambda: WORDS):
        for act in (
            lambda: lock(folder, "x"),
            lambda: unlock(folder, lambda: WORDS),
            lambda: change_passphrase(folder, lambda: WORDS, lambda: "x"),
        ):
            with pytest.raises(Unavailable) as error:
                act()
            assert error.value.code == "folder-in-use"
        assert list_keys(folder).open == []


async def test_an_empty_passphrase_is_none(tmp_path: Path) -> None:
    folder = tmp_path / "jp"
    await found(folder, Settings(party="jp"), "Japan")
    with pytest.raises(Misuse, match="empty"):
        lock(folder, "")
    assert not (folder / "keys" / LOCK).exists()
    lock(folder, WORDS)
    assert lying_open(folder) == []
    with pytest.raises(Misuse, match="empty"):
        change_passphrase(folder, lambda: WORDS, lambda: "")
    assert change_passphrase(folder, lambda: WORDS, lambda: "y" * 12).open == []
    assert set(unlock(folder, lambda: "y" * 12).open) >= {"root", "record", "tls", "pairwise"}


async def test_no_error_about_a_key_quotes_it(tmp_path: Path) -> None:
    """Whatever byte of a key file is changed, what is said of it names the file and nothing that stands in it."""
    folder = tmp_path / "jp"
    await locked_house(folder)
    opened_lock = Lock.read(folder / "keys" / LOCK, lambda: WORDS)
    secrets = set()
    for path in Secrets(folder).sealed(root=True):
        content = opened_lock.open(path.read_bytes(), "")
        secrets |= {line for line in content.split(b"\n") if len(line) > 20 and not line.startswith((b"#", b"-----"))}
    unlock(folder, lambda: WORDS)
    told = []
    for path in Secrets(folder).sealed(root=True):
        content = path.read_bytes()
        for altered in (
            content[: len(content) // 2],
            content.replace(b"M", b"!"),
            b"\xff" + content,
            b"",
            content * 50,
        ):
            path.write_bytes(altered)
            try:
                async with running(folder) as node:
                    node.house.keys.root()
            except ComityError as error:
                told.append(msgspec.json.encode([str(error), repr(error), error.place]))
                told += [repr(parent).encode() for parent in (error.__cause__, error.__context__)]
        path.write_bytes(content)
    assert len(told) > 50
    assert [each for secret in secrets for each in told if secret in each] == []


def test_the_python_interface_locks_and_finds_the_passphrase_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = Node.create(tmp_path / "jp", party="jp", name="Japan", port=8443, passphrase=WORDS)
    assert list_keys(tmp_path / "jp").open == []
    monkeypatch.delenv("COMITY_PASSPHRASE", raising=False)
    with pytest.raises(Unavailable, match="COMITY_PASSPHRASE_FILE"):
        node.ask(ShowCard())
    monkeypatch.setenv("COMITY_PASSPHRASE", WORDS)
    assert node.ask(ShowCard()).party == "jp"
