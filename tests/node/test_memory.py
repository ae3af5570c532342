"""What a node has in memory stays off the disk."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import ctypes, os, resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)
from comity.node.memory import keep_off_disk
{before}
missing = keep_off_disk()
secret = bytes(range(256)) * 4096
status = Path("/proc/self/status").read_text()
print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), len(missing))
print(int(status.split("VmLck:")[1].split()[0]) > 1024)
sys.stdout.flush()
os.abort()
"""
CANNOT_LOCK = """
ctypes.CDLL(None).prctl(24, 14, 0, 0, 0)  # CAP_IPC_LOCK leaves the bounding set
resource.setrlimit(resource.RLIMIT_MEMLOCK, (65536, 65536))
if os.geteuid() == 0:
    os.setuid(65534)
"""

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks Linux what it has granted")


def run(folder: Path, before: str = "") -> list[str]:
    folder.chmod(0o777)
    source = Path(__file__).parents[2] / "src"
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(before=before)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == -signal.SIGABRT, done.stderr
    assert [path.name for path in folder.iterdir()] == []  # no core
    return done.stdout.splitlines()


def test_no_core_is_dumped_and_nobody_else_reads_the_memory(tmp_path: Path) -> None:
    first, _ = run(tmp_path)
    assert first.startswith("(0, 0) 0 ")


def test_memory_is_locked_where_that_is_allowed(tmp_path: Path) -> None:
    asked = "import ctypes, resource; print(resource.getrlimit(8)[0] == -1, ctypes.CDLL(None).mlockall(1) == 0)"
    unbounded, allowed = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True).stdout.split()
    _, locked = run(tmp_path)
    assert locked == str(allowed == "True" and (unbounded == "True" or os.geteuid() == 0))


def test_where_memory_cannot_be_locked_the_process_runs_and_says_so_if_there_is_swap(tmp_path: Path) -> None:
    first, locked = run(tmp_path, CANNOT_LOCK)
    swap = len(Path("/proc/swaps").read_text().splitlines()) > 1
    assert (first, locked) == (f"(0, 0) 0 {int(swap)}", "False")
