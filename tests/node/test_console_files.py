"""Files that come through a browser to a running node: nothing of them is on its disk (``spec/contents.md`` 1, 2)."""

from __future__ import annotations

import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from comity.flows.actors import Actor
from comity.flows.people.enrolment import EnrolPerson
from comity.flows.people.person_views import PersonShown
from comity.node.accounts import CodeMade, InviteToConsole
from node.processes import Node, until
from node.test_console import PASSWORD, Visitor

MARKER = b"the first line of the plan, planted to be looked for; "
SIZE = 5 * 2**20


def planted(folder: Path) -> list[Path]:
    """Every file in which the marker stands."""
    return [path for path in folder.rglob("*") if path.is_file() and MARKER in path.read_bytes()]


def parts(token: str, content: bytes) -> bytes:
    fields = f'--B\r\nContent-Disposition: form-data; name="token"\r\n\r\n{token}\r\n'
    file = '--B\r\nContent-Disposition: form-data; name="file"; filename="plan.txt"\r\n\r\n'
    return (fields + file).encode() + content + b"\r\n--B--\r\n"


def request(visitor: Visitor, token: str, content: bytes) -> Iterator[bytes]:
    """A form with a file, as a slow line carries it: all but its end, then that."""
    body = parts(token, content)
    cookies = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
    address = urlsplit(visitor.address)
    head = (
        f"POST /give/file HTTP/1.1\r\nhost: {address.netloc}\r\norigin: {visitor.address}\r\ncookie: {cookies}\r\n"
        f"content-type: multipart/form-data; boundary=B\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    yield head.encode() + body[:-1_000]
    yield body[-1_000:]


def answer(line: socket.socket) -> str:
    said = bytearray()
    while piece := line.recv(65_536):
        said += piece
    return said.decode()


def held_open(process: int, folder: Path) -> int:
    """Bytes of the files without a name that a process holds on the disk of its folder."""
    sizes = [
        each.stat().st_size
        for each in Path(f"/proc/{process}/fd").iterdir()
        if str(each.readlink()).startswith(str(folder / "temporary")) and "(deleted)" in str(each.readlink())
    ]
    return sum(sizes)


def test_an_upload_is_on_no_disk_while_it_comes_after_it_came_and_after_a_kill(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    node = Node(tmp_path / "jp", "jp")
    ready = node.start()
    try:
        enrol = EnrolPerson(
            handle="sato",
            name="Sato",
            function="Air desk",
            body="Ministry of Defence",
            nationality="jp",
            serves="jp",
            roles=("officer",),
            actor=Actor("root"),
        )
        node.ask("person.enrol", enrol, PersonShown)
        made = node.ask("console.invite", InviteToConsole("sato"), CodeMade)
        visitor = Visitor(ready.console)
        visitor.send("/sign-in/code", "/sign-in/code", handle="sato", code=made.code)
        visitor.send("/account", "/account/password", password=PASSWORD, again=PASSWORD)
        token = re.search(r'name="token" value="([0-9a-f]+)"', visitor.ask("GET", "/account")[2])
        assert token is not None
        content = MARKER * (SIZE // len(MARKER))
        host, port = urlsplit(ready.console).hostname, urlsplit(ready.console).port
        assert host is not None
        assert port is not None

        with socket.create_connection((host, port), timeout=30) as line:
            first, last = request(visitor, token[1], content)
            line.sendall(first)
            until(lambda: held_open(ready.process, node.folder) > SIZE // 2)
            assert planted(tmp_path) == []
            line.sendall(last)
            assert "Here, sealed:" in answer(line)
        assert planted(tmp_path) == []
        assert list((node.folder / "temporary").iterdir()) == []
        assert held_open(ready.process, node.folder) > SIZE

        with socket.create_connection((host, port), timeout=30) as line:
            line.sendall(next(request(visitor, token[1], content)))
            until(lambda: held_open(ready.process, node.folder) > SIZE + SIZE // 2)
            assert planted(tmp_path) == []
            node.end(signal.SIGKILL)
        assert planted(tmp_path) == []
        assert list((node.folder / "temporary").iterdir()) == []
    finally:
        if node.process is not None:
            node.end(signal.SIGKILL)
