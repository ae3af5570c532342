"""Real nodes in processes of their own."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

from comity.flows.agreeing.agreements import AgreementShown, ListAgreements
from comity.flows.agreeing.founding import AddPeer, CardShown, PeerShown
from comity.node.client import call
from comity.node.run import NodeShown, Ready, ShowNode, found
from comity.node.serving import free_port
from comity.node.settings import Listen, Settings

PROGRAM = """
import sys
from pathlib import Path
from typing import TypeVar
import msgspec
from comity.node.run import run
run(Path(sys.argv[1]), lambda ready: print(msgspec.json.encode(ready).decode(), flush=True))
"""
WAIT_SECONDS = 60.0

R = TypeVar("R")


class Node:
    """A data folder, and the process that runs on it, if one does."""

    def __init__(self, folder: Path, party: str) -> None:
        self.folder = folder
        self.party = party
        port = free_port()
        listen = Listen(port=port, public=(f"https://127.0.0.1:{port}",))
        self.card: CardShown = asyncio.run(found(folder, Settings(party=party, listen=listen), party.upper()))
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> Ready:
        self.process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(self.folder)], stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        return msgspec.json.decode(self.process.stdout.readline(), type=Ready)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        assert self.process.stdout is not None
        os.kill(self.process.pid, number)
        status = self.process.wait(WAIT_SECONDS)
        self.process.stdout.close()
        self.process = None
        return status

    def ask(self, flow: str, request: msgspec.Struct, response: type[R]) -> R:
        return call(self.folder, flow, request, response)

    def know(self, other: Node) -> None:
        """Add the other node's party as a peer."""
        card, people = other.card, ("first officer", "second officer")
        self.ask("peer.add", AddPeer(card=card.card, fingerprint=card.fingerprint, compared_by=people), PeerShown)

    def status(self) -> NodeShown:
        return self.ask("node.status", ShowNode(), NodeShown)

    def acknowledged(self) -> tuple[str, ...]:
        return self.ask("agreement.list", ListAgreements(), list[AgreementShown])[0].acknowledged


@contextmanager
def pair(folder: Path) -> Iterator[tuple[Node, Node]]:
    """The nodes of ``jp`` and ``kr``, running, each other's peers; no process survives the context."""
    folder.chmod(0o700)
    nodes = Node(folder / "jp", "jp"), Node(folder / "kr", "kr")
    try:
        for node in nodes:
            node.start()
        nodes[0].know(nodes[1])
        nodes[1].know(nodes[0])
        yield nodes
    finally:
        for node in nodes:
            if node.process is not None:
                node.end(signal.SIGKILL)


def until(condition: Callable[[], bool], seconds: float = WAIT_SECONDS, pause: float = 0.01) -> None:
    """Wait for ``condition``, no longer than ``seconds``, and look again after each ``pause``."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(pause)
