"""``comity demo --console`` ends tidily, whoever stops it and however."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

HELD = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a shell does with what it starts with "&"
from comity.cli.demonstration.browsing import stoppable, until_stopped
asleep = time.sleep
def waits(seconds):
    print("waits", flush=True)
    asleep(60)
time.sleep = waits
try:
    with stoppable():
        try:
            {what}
        finally:
            print("ends", flush=True)
            sys.stdin.readline()
            print("tidied", flush=True)
    print("over", flush=True)
except KeyboardInterrupt:
    print("stopped", flush=True)
"""


@pytest.mark.parametrize(
    ("number", "what", "end"),
    [
        (signal.SIGTERM, "until_stopped()", "over"),
        (signal.SIGINT, "until_stopped()", "over"),
        (signal.SIGTERM, "time.sleep(60)", "stopped"),  # while the houses are still being made
    ],
)
def test_it_is_stopped_where_a_script_started_it_in_the_background(number: signal.Signals, what: str, end: str) -> None:
    held = subprocess.Popen(
        [sys.executable, "-c", HELD.format(what=what)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert held.stdout is not None
    assert held.stdout.readline() == "waits\n"
    held.send_signal(number)
    assert held.stdout.readline() == "ends\n"
    held.send_signal(number)  # once more, while it ends
    said, _ = held.communicate("\n", timeout=60)
    assert (said.split(), held.returncode) == (["tidied", end], 0)
