"""``spec/witness.md`` steps 1, 4 and 10 to 15: a witness over real sockets, and in a process that is killed."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from comity.errors import Misuse, Rejected, Unavailable
from comity.ledger.checkpoint import open_checkpoint
from comity.ledger.note import VerifierKey
from comity.ledger.tree import TreeHead
from comity.ledger.witness import REQUEST_BYTES_MAX, read_size
from comity.node import server
from comity.node.run import found
from comity.node.run import running as node_running
from comity.node.serving import until
from comity.node.settings import FILE as HOUSE_FILE
from comity.node.settings import Settings, WitnessFolder, read_settings
from comity.node.witnessing import (
    FILE,
    FollowLog,
    RunningWitness,
    ShowWitness,
    UnfollowLog,
    WitnessSettings,
    WitnessShown,
    ask_witness,
    make_witness,
    running,
)
from comity.seal.certificate import make_certificate
from comity.witness.witness import log_id
from courier.keys import NOW, seeded
from witness.stand import Log

NAME = "witness.example/w1"
ORIGIN = "comity/jp-kr-2016/jp"
PROGRAM = """
import sys
from pathlib import Path
import msgspec
from comity.node.witnessing import run
run(Path(sys.argv[1]), lambda ready: print(msgspec.json.encode(ready).decode(), flush=True))
"""
LOG = Log(ORIGIN)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tmp_path.chmod(0o700)
    made = tmp_path / "w1"
    make_witness(made, WitnessSettings(name=NAME, ml_dsa_44=True), seeded("witness"))
    ask_witness(made, "witness.follow", FollowLog(LOG.key.text))
    return made


@pytest.fixture
async def witness(folder: Path) -> AsyncIterator[RunningWitness]:
    stop = asyncio.Event()
    async with running(folder) as made:
        task = asyncio.create_task(until(stop, made.doors))
        yield made
        stop.set()
        await task


Answered = tuple[int, dict[str, str], bytes]


def send(address: str, method: str, path: str, body: bytes | Iterator[bytes] | None = None, **headers: str) -> Answered:
    """One request, as any HTTP client makes it."""
    line = HTTPConnection(urlsplit(address).netloc, timeout=60)
    try:
        line.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        reply: HTTPResponse = line.getresponse()
        return reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read()
    finally:
        line.close()


async def ask(witness: RunningWitness, *arguments: object, **headers: str) -> Answered:
    return await asyncio.to_thread(send, witness.says.witness, *arguments, **headers)  # type: ignore[arg-type]  # handed on


def verified(shown: bytes, size: int, keys: tuple[VerifierKey, ...]) -> None:
    signed = open_checkpoint(shown, ORIGIN, [LOG.key], keys)
    assert signed.checkpoint.head == LOG.head(size)
    assert len(signed.witnesses) == len(keys)


async def test_checkpoints_are_added_and_read(witness: RunningWitness) -> None:  # (11) (12)
    path = f"/{log_id(ORIGIN)}/checkpoint"
    assert (await ask(witness, "GET", path))[0] == 404
    status, headers, body = await ask(witness, "POST", "/add-checkpoint", LOG.request(0, 5))
    assert (status, headers["content-type"]) == (200, "text/plain; charset=utf-8")
    verified(LOG.note(5).encode() + body, 5, witness.witness.keys)
    status, headers, shown = await ask(witness, "GET", path)
    assert (status, headers["content-type"], headers["cache-control"]) == (200, "text/plain; charset=utf-8", "no-cache")
    verified(shown, 5, witness.witness.keys)
    assert shown.startswith(LOG.note(5).encode() + body.splitlines(keepends=True)[0])  # ML-DSA signs with randomness
    status, headers, nothing = await ask(witness, "HEAD", path)
    assert (status, headers["content-length"], nothing) == (200, str(len(shown)), b"")


async def test_each_status_over_http(witness: RunningWitness) -> None:  # (10) (11)
    add = "/add-checkpoint"
    assert (await ask(witness, "POST", add, LOG.request(0, 30)))[0] == 200
    for body, expected in (
        (b"", 400),
        (b"old 030\n\n" + LOG.note(30).encode(), 400),
        (LOG.request(31, 30), 400),
        (Log("other").request(0, 30), 404),
        (Log(ORIGIN, seed=2).request(30, 40), 403),
        (LOG.request(20, 40), 409),
        (LOG.request(30, 30, rewritten=True), 409),
        (LOG.request(30, 40, rewritten=True), 422),
    ):
        status, headers, answer = await ask(witness, "POST", add, body)
        assert status == expected
        assert headers["content-type"] in {"text/plain; charset=utf-8", "text/x.tlog.size"}
        assert answer.endswith(b"\n")
    status, headers, answer = await ask(witness, "POST", add, LOG.request(0, 40))
    assert (status, headers["content-type"], read_size(answer)) == (409, "text/x.tlog.size", 30)


async def test_other_methods_and_paths(witness: RunningWitness) -> None:  # (10)
    for method, path, status, allow in (
        ("GET", "/add-checkpoint", 405, "POST"),
        ("PUT", "/add-checkpoint", 405, "POST"),
        ("POST", f"/{log_id(ORIGIN)}/checkpoint", 405, "GET, HEAD"),
        ("GET", "/", 404, None),
        ("POST", "/add-checkpoint/", 404, None),
        ("GET", f"/{log_id(ORIGIN).upper()}/checkpoint", 404, None),
        ("GET", f"/{log_id(ORIGIN)}", 404, None),
        ("GET", "/%61dd-checkpoint", 404, None),
        ("GET", "/flow/witness.show", 404, None),
    ):
        answered, headers, _ = await ask(witness, method, path)
        assert (answered, headers.get("allow")) == (status, allow), path


async def test_a_body_too_large_is_not_read(witness: RunningWitness) -> None:  # (10)
    body = LOG.request(0, 5) + bytes(REQUEST_BYTES_MAX)
    assert (await ask(witness, "POST", "/add-checkpoint", body))[0] == 413
    chunks = iter([body[:1000]] * (REQUEST_BYTES_MAX // 1000 + 1))
    assert (await ask(witness, "POST", "/add-checkpoint", chunks))[0] == 413


async def test_a_body_in_chunks_is_read(witness: RunningWitness) -> None:
    body = LOG.request(0, 5)
    chunks = iter([body[:100], body[100:]])
    assert (await ask(witness, "POST", "/add-checkpoint", chunks))[0] == 200


async def test_a_slow_body_is_given_up(witness: RunningWitness, monkeypatch: pytest.MonkeyPatch) -> None:  # (10)
    monkeypatch.setattr(server, "BODY_SECONDS", 0.2)
    monkeypatch.setattr(server, "BODY_BYTES_PER_SECOND", 2**30)
    reader, writer = await asyncio.open_connection(*urlsplit(witness.says.witness).netloc.split(":"))
    writer.write(b"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\nold 0\n")
    answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
    assert answer.startswith(b"HTTP/1.1 408 ")
    writer.close()


async def test_a_connection_is_used_again(witness: RunningWitness) -> None:
    def several() -> list[int]:
        line = HTTPConnection(urlsplit(witness.says.witness).netloc, timeout=60)
        found = []
        for old, size in ((0, 5), (5, 9), (3, 9), (9, 20)):
            line.request("POST", "/add-checkpoint", LOG.request(old, size))
            reply = line.getresponse()
            reply.read()
            found.append(reply.status)
        line.close()
        return found

    assert await asyncio.to_thread(several) == [200, 200, 409, 200]


async def test_the_command_line_reaches_a_running_witness(folder: Path, witness: RunningWitness) -> None:  # (4)
    other = Log("other/log", seed=4)
    shown: WitnessShown = await asyncio.to_thread(ask_witness, folder, "witness.follow", FollowLog(other.key.text))
    assert [log.origin for log in shown.logs] == [ORIGIN, "other/log"]
    assert (await ask(witness, "POST", "/add-checkpoint", other.request(0, 3)))[0] == 200
    await asyncio.to_thread(ask_witness, folder, "witness.unfollow", UnfollowLog("other/log"))
    assert (await ask(witness, "POST", "/add-checkpoint", other.request(3, 4)))[0] == 404


# ---- its folder -----------------------------------------------------------------------------------------------------


def test_a_folder_is_made_once(folder: Path) -> None:  # (1)
    with pytest.raises(Misuse):
        make_witness(folder, WitnessSettings(name=NAME), seeded("again"))
    with pytest.raises(Rejected):
        make_witness(folder.parent / "w2", WitnessSettings(name="two words"), seeded("again"))
    assert not (folder.parent / "w2").exists()
    shown: WitnessShown = ask_witness(folder, "witness.show", ShowWitness())
    assert [VerifierKey.parse(key).name for key in shown.keys] == [NAME, NAME]
    for path in (folder / "keys").iterdir():
        assert path.stat().st_mode & 0o777 == 0o600


def test_only_one_process_serves_a_witness(folder: Path) -> None:
    async def twice() -> None:
        async with running(folder):
            with pytest.raises(Unavailable) as caught:
                async with running(folder):
                    pass
            assert caught.value.code == "folder-in-use"

    asyncio.run(twice())


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('name = "w"\n[listen]\naddress = "0.0.0.0"\n', "plain-http"),
        ('name = "w"\n[listen]\ncertificate = "c.pem"\n', "plain-http"),
        ('name = "w"\nml_dsa_44 = true\n', "bad-settings"),
        ('name = "w"\nport = 1\n', "bad-settings"),
        ('name = "two words"\n', "bad-name"),
        ("name = 1\n", "bad-settings"),
    ],
)
def test_settings_that_cannot_be(folder: Path, text: str, code: str) -> None:  # (15)
    (folder / FILE).write_text(text)

    async def start() -> None:
        async with running(folder):
            pass

    with pytest.raises(Rejected) as caught:
        asyncio.run(start())
    assert caught.value.code == code


@pytest.mark.parametrize("damage", ["gone", "open", "other", "text"])
def test_keys_that_are_not_what_they_must_be(folder: Path, damage: str) -> None:
    key = folder / "keys" / "ml-dsa-44.key"
    match damage:
        case "gone":
            key.unlink()
        case "open":
            key.chmod(0o644)
        case "other":
            key.write_bytes((folder / "keys" / "ed25519.key").read_bytes())
        case "text":
            key.write_text("no key")
    with pytest.raises((Rejected, Unavailable)):
        ask_witness(folder, "witness.show", ShowWitness())


async def test_a_witness_over_tls(folder: Path) -> None:  # (15)
    import ssl

    made = make_certificate("w1", NOW)
    (folder / "c.pem").write_bytes(made.chain)
    (folder / "k.pem").touch(0o600)
    (folder / "k.pem").write_bytes(made.key)
    (folder / FILE).write_text(
        f'name = "{NAME}"\n[listen]\naddress = "0.0.0.0"\ncertificate = "c.pem"\nkey = "k.pem"\n'
    )
    stop = asyncio.Event()
    async with running(folder) as witness:
        task = asyncio.create_task(until(stop, witness.doors))
        port = urlsplit(witness.says.witness).port
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        request = urllib.request.Request(
            f"https://127.0.0.1:{port}/add-checkpoint", data=LOG.request(0, 5), method="POST"
        )
        reply = await asyncio.to_thread(urllib.request.urlopen, request, context=context)
        assert reply.status == 200
        stop.set()
        await task


# ---- kill -9 --------------------------------------------------------------------------------------------------------


@contextmanager
def process(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    started = subprocess.Popen([sys.executable, "-c", PROGRAM, str(folder)], stdout=subprocess.PIPE)
    try:
        assert started.stdout is not None
        yield json.loads(started.stdout.readline())["witness"], started
    finally:
        os.kill(started.pid, signal.SIGKILL)
        started.wait()
        assert started.stdout is not None
        started.stdout.close()


def test_killed_at_any_moment_it_cosigns_one_history(tmp_path: Path) -> None:  # (20) (22)
    """A log that tells two histories asks a witness that is killed again and again: one history is cosigned."""
    seed = int.from_bytes(os.urandom(4), "big")
    print(f"seed {seed}")  # shown when the test fails
    chance = random.Random(seed)
    tmp_path.chmod(0o700)
    folder = tmp_path / "w1"
    made = make_witness(folder, WitnessSettings(name=NAME), seeded("witness"))
    ask_witness(folder, "witness.follow", FollowLog(LOG.key.text))
    key = VerifierKey.parse(made.keys[0])
    cosigned: list[tuple[TreeHead, int]] = []
    recorded = 0
    for _ in range(5):
        with process(folder) as (address, killed):
            end = time.monotonic() + chance.uniform(0.02, 0.25)
            while True:
                if time.monotonic() > end:
                    os.kill(killed.pid, signal.SIGKILL)
                rewritten = chance.random() < 0.3
                size = min(99, recorded + chance.randint(0, 2))
                try:
                    status, headers, body = send(
                        address, "POST", "/add-checkpoint", LOG.request(recorded, size, rewritten=rewritten)
                    )
                except (OSError, HTTPException):  # cut off, perhaps in the middle of an answer
                    break
                if status == 200:
                    whole = LOG.note(size, rewritten=rewritten).encode() + body
                    (line,) = open_checkpoint(whole, ORIGIN, [LOG.key], [key]).witnesses
                    assert line.time is not None
                    cosigned.append((LOG.head(size, rewritten=rewritten), line.time))
                    recorded = size
                elif headers["content-type"] == "text/x.tlog.size":
                    recorded = read_size(body)
                else:
                    assert status in {409, 422}
    assert cosigned
    for (old, old_time), (new, new_time) in itertools.pairwise(cosigned):
        assert (old.size, old_time) <= (new.size, new_time)
    branches = {head == LOG.head(head.size) for head, _ in cosigned if head.size > 3}
    assert len(branches) <= 1
    shown: WitnessShown = ask_witness(folder, "witness.show", ShowWitness())
    assert shown.logs[0].size >= cosigned[-1][0].size


async def test_a_node_serves_a_witness_beside_its_house(tmp_path: Path, folder: Path) -> None:  # (4)
    house = tmp_path / "jp"
    settings = Settings(party="jp", witness=WitnessFolder(folder=str(folder)))
    await found(house, settings, "JP")
    assert read_settings(house / HOUSE_FILE) == settings
    stop = asyncio.Event()
    async with node_running(house) as node:
        task = asyncio.create_task(until(stop, node.doors))
        assert f"logs of others at {node.says.witness}" in str(node.says)
        assert (await asyncio.to_thread(send, node.says.witness, "POST", "/add-checkpoint", LOG.request(0, 5)))[
            0
        ] == 200
        shown = await asyncio.to_thread(ask_witness, folder, "witness.show", ShowWitness())
        assert shown.logs[0].size == 5
        stop.set()
        await task
