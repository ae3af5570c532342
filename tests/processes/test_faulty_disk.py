"""Two real nodes on a disk that is full, or fails: what was refused is not there, what was begun is finished, once.

A small file system of its own wants root, and so does the injection of failing system calls in some containers; where
the machine does not allow it, this is skipped and says so.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from comity.errors import ComityError, Unavailable
from comity.flows.looking.views import Inbox, ShowInbox
from comity.flows.maintaining.rebuilding import LedgerVerified, VerifyLedger
from node.processes import Node, pair, until
from processes.giving import approve, ask, assure, receipted, settle_in, waiting

FILE_SYSTEM_BYTES = 48 * 2**20
PATIENCE, PAUSE = 120.0, 0.2
"""Seconds that people wait, and after which they look again: on a busy machine, of nodes that were just cut off."""
INJECTED = {
    "nothing can be made durable": ("fsync,fdatasync", "EIO", "1+1"),
    "every second thing can be made durable": ("fsync,fdatasync", "EIO", "1+2"),
    "there is no room": ("pwrite64", "ENOSPC", "1+1"),
    "there is room now and then": ("pwrite64", "ENOSPC", "2+3"),
}
"""Which system calls fail how, and when, counted in each thread; SQLite writes by ``pwrite64``."""
TRIES = 3


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


def cannot(reason: str) -> None:
    """Skip, and have the gate say why."""
    if os.environ.get("CI"):
        warnings.warn(pytest.PytestWarning(f"not tried on this machine: {reason}"), stacklevel=2)
    pytest.skip(reason)


@contextmanager
def failing(node: Node, what: str, log: Path) -> Iterator[None]:
    """As long as the context lasts, some system calls of a node fail."""
    program = shutil.which("strace")
    if program is None:
        assert not os.environ.get("CI"), "the gate installs strace"
        cannot("strace is not on this machine: it is what makes system calls fail")
    assert node.process is not None
    calls, error, when = INJECTED[what]
    words = [program, "-f", "-qq", "-o", log, "-e", f"trace={calls}", "-e", f"inject={calls}:error={error}:when={when}"]
    tracer = subprocess.Popen([*words, "-p", str(node.process.pid)], stderr=subprocess.PIPE)
    assert tracer.stderr is not None
    try:
        until(lambda: tracer.poll() is not None or all_traced(node.process.pid, tracer.pid), PATIENCE)
        if tracer.poll() is not None:
            cannot(f"no process can be traced here: {tracer.stderr.read().decode().strip()}")
        yield
    finally:
        tracer.terminate()
        tracer.wait(PATIENCE)
        tracer.stderr.close()


def all_traced(process: int, tracer: int) -> bool:
    """Whether every thread of a process stands under its tracer."""
    threads = [path.read_text() for path in Path(f"/proc/{process}/task").glob("*/status")]
    return bool(threads) and all(f"TracerPid:\t{tracer}\n" in status for status in threads)


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

    until(step, PATIENCE, PAUSE)


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


def test_what_cannot_be_written_or_made_durable_is_refused_and_all_else_stays(tmp_path: Path) -> None:
    """The node stays up, whatever its disk answers; what it acknowledged outlives ``kill -9``; then it gives again."""
    document, acknowledged, refused = tmp_path / "report", [], 0
    with pair(tmp_path) as (jp, kr):
        kim = settle_in(jp, kr)
        for what in INJECTED:
            log = tmp_path / "calls"
            with failing(jp, what, log):
                for _ in range(TRIES):
                    document.write_bytes(os.urandom(4_000))
                    asked = tried(jp, document, kim)
                    if isinstance(asked, ComityError):
                        assert isinstance(asked, Unavailable), asked
                        refused += 1
                    else:
                        acknowledged.append(asked)
            assert "(INJECTED)" in log.read_text(), f"nothing failed: {what}"
            assert jp.process is not None
            assert jp.process.poll() is None, f"the node is gone: {what}"
            assert jp.status().roads
        assert refused >= TRIES, "whoever could make nothing durable acknowledged it"
        jp.end(signal.SIGKILL)
        jp.start()
        assert {request for request, _ in acknowledged} <= {line.request for line in waiting(jp)}
        document.write_bytes(os.urandom(4_000))
        last = ask(jp, document, kim)
        finish(jp, kr, last.request, last.item)
        sound(jp, kr, [last.item])
