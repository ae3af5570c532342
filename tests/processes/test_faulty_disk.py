"""Two real nodes on a real disk that is full: what was refused is not there, and what was begun is finished, once.

A small file system of its own wants root; where the machine does not allow it, this is skipped and says so.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from comity.errors import ComityError
from comity.flows.looking.views import Inbox, ShowInbox
from comity.flows.maintaining.rebuilding import LedgerVerified, VerifyLedger
from node.processes import Node, pair, until
from processes.giving import approve, ask, assure, receipted, settle_in, waiting

FILE_SYSTEM_BYTES = 48 * 2**20


@contextmanager
def small_file_system(at: Path) -> Iterator[Path]:
    at.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={FILE_SYSTEM_BYTES}", "tmpfs", str(at)], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"no file system of its own can be mounted here: {mounted.stderr.strip()}")
    try:
        yield at
    finally:
        subprocess.run(["umount", "-l", str(at)], check=True)


def finish(jp: Node, kr: Node, request: str, item: str) -> None:
    """Persistent people: assure and approve until it was received, whatever was told of single tries."""

    def step() -> bool:
        try:
            if receipted(jp, item):
                return True
            if not any(line.request == request and line.assured for line in waiting(jp)):
                assure(kr, request)
            if any(line.request == request and line.assured and not line.approved_by for line in waiting(jp)):
                approve(jp, request)
        except ComityError:
            return False
        return False

    until(step)


def sound(jp: Node, kr: Node, items: list[str]) -> None:
    received = kr.ask("inbox", ShowInbox(), Inbox).received
    assert sorted(line.item for line in received) == sorted(items)
    for node in (jp, kr):
        assert node.ask("ledger.verify", VerifyLedger(), LedgerVerified).findings == ()


def tried(jp: Node, document: Path, kim: str) -> tuple[str, str] | ComityError:
    try:
        asked = ask(jp, document, kim)
    except ComityError as error:
        return error
    return asked.request, asked.item


def test_a_full_disk_refuses_and_loses_nothing(tmp_path: Path) -> None:
    document = tmp_path / "report"
    document.write_bytes(os.urandom(200_000))
    with small_file_system(tmp_path / "small") as small, pair(small) as (jp, kr):
        kim = settle_in(jp, kr)
        first = ask(jp, document, kim)
        filler = small / "filler"
        with suppress(OSError):  # until nothing more fits
            filler.write_bytes(bytes(FILE_SYSTEM_BYTES))
        document.write_bytes(os.urandom(200_000))
        refused = tried(jp, document, kim)
        assert isinstance(refused, ComityError), "there was room"
        assert refused.code in {"disk-full", "disk-failed", "ambiguous", "unavailable"}, refused
        filler.unlink()
        second = tried(jp, document, kim)
        assert not isinstance(second, ComityError), second
        finish(jp, kr, first.request, first.item)
        finish(jp, kr, *second)
        jp.end(signal.SIGKILL)
        jp.start()
        sound(jp, kr, [first.item, second[1]])
