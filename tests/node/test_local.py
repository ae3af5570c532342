"""The door for the command line, and how it is found."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import aiohttp
import msgspec
import pytest
from starlette.responses import Response

from comity.errors import ComityError, InternalError, Misuse, Rejected, Unavailable
from comity.flows.actors import NeedsSignature
from comity.node import client
from comity.node.local import REQUEST_BYTES_MAX, LocalDoor, local_path
from comity.node.serving import Serving, listen_unix


class Add(msgspec.Struct, frozen=True, kw_only=True):
    left: int
    right: int = 1


class Sum(msgspec.Struct, frozen=True):
    total: int


class Fail(msgspec.Struct, frozen=True):
    pass


class Large(msgspec.Struct, frozen=True):
    text: str


class Flow(NamedTuple):
    request: type[msgspec.Struct]
    run: object


class House:
    def __init__(self) -> None:
        self.error: Exception = Misuse("no")
        self.finished: list[str] = []


async def add(house: House, request: Add) -> Sum:
    return Sum(request.left + request.right)


async def fail(house: House, _: Fail) -> Sum:
    raise house.error


async def large(house: House, request: Large) -> Large:
    return request


FLOWS = {"add": Flow(Add, add), "fail.now": Flow(Fail, fail), "large": Flow(Large, large)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "data"
    made.mkdir(mode=0o700)
    return made


@asynccontextmanager
async def node(folder: Path):
    house = House()

    async def after(flow: str) -> None:
        house.finished.append(flow)

    serving = Serving(LocalDoor(house, FLOWS, after), listen_unix(local_path(folder)))
    task = asyncio.create_task(serving.run())
    try:
        yield house
    finally:
        serving.stop()
        await task


async def call(folder: Path, flow: str, request: msgspec.Struct, response: type = Sum) -> object:
    return await asyncio.to_thread(client.call, folder, flow, request, response)


async def test_a_flow_is_run(folder: Path) -> None:
    async with node(folder) as house:
        assert await call(folder, "add", Add(left=2, right=3)) == Sum(5)
        assert await call(folder, "add", Add(left=2)) == Sum(3)
        assert house.finished == ["add", "add"]


async def test_a_field_that_the_request_does_not_have_is_refused(folder: Path) -> None:
    """Passed over, a misspelt field would leave its default standing: ``grantd`` false would approve."""

    class Misspelt(msgspec.Struct):
        left: int
        rihgt: object

    async with node(folder) as house:
        for value in (3, msgspec.Raw(b"[" * 100_000 + b"]" * 100_000)):
            with pytest.raises(Misuse) as caught:
                await call(folder, "add", Misspelt(2, value))
            assert caught.value.code == "malformed"
        assert house.finished == []


async def test_a_large_answer_comes_whole(folder: Path) -> None:
    text = "日本" * 600_000
    async with node(folder):
        assert await call(folder, "large", Large(text), Large) == Large(text)
        with pytest.raises(Rejected, match="a request of more than"):
            await call(folder, "large", Large("x" * REQUEST_BYTES_MAX), Large)


@pytest.mark.parametrize(
    "error",
    [
        Misuse("there is nobody called 'sato'", code="unknown-person"),
        Rejected("not a card", code="malformed", place="card.json"),
        Unavailable("the disk is full", code="disk-full"),
        NeedsSignature(b"bytes"),
    ],
)
async def test_an_error_is_raised_as_it_was(folder: Path, error: ComityError) -> None:
    async with node(folder) as house:
        house.error = error
        with pytest.raises(type(error)) as caught:
            await call(folder, "fail.now", Fail())
        assert type(caught.value) is type(error)
        assert (str(caught.value), caught.value.code) == (str(error), error.code)
        assert house.finished == []


async def test_a_defect_is_told_as_one(folder: Path) -> None:
    async with node(folder) as house:
        house.error = ZeroDivisionError()
        with pytest.raises(InternalError, match="its log says why"):
            await call(folder, "fail.now", Fail())


@pytest.mark.parametrize(
    ("flow", "request_", "said"),
    [
        ("nothing", Fail(), "there is no flow at '/flow/nothing'"),
        ("../flow/add", Add(left=1), "there is no flow"),
        ("add", Large("x"), "not a request for 'add'"),
    ],
)
async def test_what_is_no_flow_or_no_request(folder: Path, flow: str, request_: msgspec.Struct, said: str) -> None:
    async with node(folder):
        with pytest.raises(Misuse, match=said):
            await call(folder, flow, request_)


async def test_an_answer_of_another_shape_is_told(folder: Path) -> None:
    async with node(folder):
        with pytest.raises(Rejected, match="of another version"):
            await call(folder, "add", Add(left=1), Large)


async def test_only_the_owner_can_open_the_socket(folder: Path) -> None:
    listener = listen_unix(local_path(folder))
    mode = (folder / client.SOCKET).stat().st_mode
    listener.close()
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o600


def test_the_socket_has_its_mode_from_the_moment_it_exists(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "chmod", lambda *_: None)
    before = os.umask(0)
    try:
        listen_unix(local_path(folder)).close()
    finally:
        os.umask(before)
    assert stat.S_IMODE((folder / client.SOCKET).stat().st_mode) == 0o600


def test_a_folder_that_others_can_enter_is_refused(folder: Path) -> None:
    folder.chmod(0o750)
    with pytest.raises(Misuse, match="chmod 700"):
        listen_unix(local_path(folder))


async def test_a_stale_socket_is_replaced(folder: Path) -> None:
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(folder / client.SOCKET))
    left.close()
    with pytest.raises(Unavailable, match="no node runs on this folder"):
        await call(folder, "add", Add(left=1))
    async with node(folder):
        assert await call(folder, "add", Add(left=1)) == Sum(2)


async def test_no_node_is_told(folder: Path) -> None:
    with pytest.raises(Unavailable, match="comity node run") as caught:
        await call(folder, "add", Add(left=1))
    assert caught.value.code == "no-node"


async def test_a_folder_whose_path_is_too_long_gets_its_socket_elsewhere(tmp_path: Path, monkeypatch) -> None:
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    folder = tmp_path / ("long" * 25)
    folder.mkdir(mode=0o700)
    with pytest.raises(Unavailable, match="no node runs"):
        await call(folder, "add", Add(left=1))
    async with node(folder):
        monkeypatch.delenv("XDG_RUNTIME_DIR")
        assert await call(folder, "add", Add(left=1)) == Sum(2)
        elsewhere = client.socket_path(folder)
        assert elsewhere.parent.parent == runtime
        assert stat.S_IMODE(elsewhere.parent.stat().st_mode) == 0o700


def test_no_short_path_anywhere_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / ("long" * 25)
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    with pytest.raises(Misuse, match="XDG_RUNTIME_DIR"):
        local_path(folder)
    assert list(folder.iterdir()) == []


async def test_a_node_that_dies_before_it_has_answered_is_told(folder: Path) -> None:
    async def die(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{")
        writer.close()

    server = await asyncio.start_unix_server(die, str(folder / client.SOCKET))
    with pytest.raises(Unavailable, match="look whether it acted") as caught:
        await call(folder, "add", Add(left=1))
    assert caught.value.code == "node-cut"
    server.close()


def test_the_client_imports_nothing_heavy() -> None:
    heavy = "{'asyncio', 'ssl', 'http', 'aiohttp', 'starlette', 'uvicorn', 'cryptography', 'apsw', 'logging'}"
    program = f"import sys, comity.node.client; print(sorted({heavy} & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


async def test_what_else_stands_behind_the_socket_is_found_by_its_path(folder: Path) -> None:
    async def app(scope, receive, send) -> None:
        await Response(b"else")(scope, receive, send)

    async def after(flow: str) -> None:
        pass

    serving = Serving(LocalDoor(House(), FLOWS, after, apps={"/else": app}), listen_unix(local_path(folder)))
    task = asyncio.create_task(serving.run())
    async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(folder / "node.sock"))) as session:
        async with session.get("http://comity/else") as response:
            assert await response.read() == b"else"
        async with session.get("http://comity/else/where") as response:
            assert response.status == 404
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect("http://comity/somewhere")
    serving.stop()
    await task
