"""How the command line asks a running node: one request over the local socket.

Light on purpose (the command line must start at once): no HTTP library, no event loop.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlencode

import msgspec

from comity.answers import read_error
from comity.errors import Rejected, Unavailable

R = TypeVar("R")

SOCKET = "node.sock"
"""Name of the local socket in the data folder."""
POINTER = "node.sock.path"
"""Where the data folder's own path is too long for a socket, this file in it says where the socket is."""
SOCKET_PATH_BYTES_MAX = 103
"""Longest path of a Unix socket: 107 bytes on Linux, 103 on macOS and the BSDs (``sun_path`` with its final zero)."""
_HEAD = re.compile(rb"HTTP/1\.1 ([1-5][0-9]{2}) [^\r\n]*\r\n")
_READ_BYTES = 2**16


def socket_path(folder: Path) -> Path:
    """Where the node of this data folder listens.

    Raises:
        Unavailable: ``no-node``: no node has listened in this folder.
    """
    path = Path(os.path.realpath(folder)) / SOCKET
    if len(os.fsencode(path)) <= SOCKET_PATH_BYTES_MAX:
        return path
    try:
        return Path((folder / POINTER).read_text())
    except OSError:
        raise no_node(folder) from None


def call(folder: Path, flow: str, request: msgspec.Struct, response: type[R]) -> R:
    """Run a flow in the node of ``folder``.

    Args:
        folder: the node's data folder.
        flow: name of the flow, as ``flows.table`` has it.
        request: its request.
        response: the type of its response.

    Raises:
        ComityError: whatever the flow raised, with the same root, code, place and sentence.
        Unavailable: ``no-node``: no node runs on this folder; ``node-cut``: it stopped before it had answered, and
            may or may not have acted.
    """
    return _post(folder, f"/flow/{flow}", msgspec.json.encode(request), response)


def call_lines(folder: Path, flow: str, query: Mapping[str, str], lines: Sequence[bytes], response: type[R]) -> R:
    """Hand many lines to the node of ``folder`` at once.

    Args:
        folder: the node's data folder.
        flow: name of the flow that takes them.
        query: what it is asked.
        lines: without their newlines.
        response: the type of its response.

    Raises:
        ComityError: as ``call``.
    """
    return _post(folder, f"/lines/{flow}?{urlencode(query)}", b"\n".join(lines), response)


def _post(folder: Path, path: str, body: bytes, response: type[R]) -> R:
    head = b"POST %s HTTP/1.1\r\nhost: comity\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
    status, answer = _ask(folder, head % (path.encode("ascii"), len(body)) + body)
    if status != 200:
        raise read_error(answer)
    try:
        return msgspec.json.decode(answer, type=response)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Rejected(
            f"the node answers in another way ({error}): is it of another version?", code="other-version"
        ) from None


def _ask(folder: Path, message: bytes) -> tuple[int, bytes]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        try:
            line.connect(str(socket_path(folder)))
        except OSError:
            raise no_node(folder) from None
        try:
            line.sendall(message)
            pieces = []
            while piece := line.recv(_READ_BYTES):
                pieces.append(piece)
        except OSError:
            pieces = []
    head, _, body = b"".join(pieces).partition(b"\r\n\r\n")
    status = _HEAD.match(head + b"\r\n")
    if status is None or b"\r\ncontent-length: %d\r\n" % len(body) not in head.lower() + b"\r\n":
        raise Unavailable(
            "the node stopped before it had answered; start it again and look whether it acted",
            code="node-cut",
            place=str(folder),
        )
    return int(status[1]), body


def no_node(folder: Path) -> Unavailable:
    """What is told where no node runs on a folder."""
    return Unavailable(
        f"no node runs on this folder; start it with 'comity node run --folder {folder}'",
        code="no-node",
        place=str(folder),
    )
