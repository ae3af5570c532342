"""``comity demo --console`` ends tidily, whoever stops it and however."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

HELD = """
import signal, time
signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a shell does with what it starts with "&"
from comity.cli.demonstration.browsing import stoppable, until_stopped
try:
    with stoppable():
        try:
            print("ready", flush=True)
            {what}
        finally:
            time.sleep(0.3)
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
        stdout=subprocess.PIPE,
        text=True,
    )
    assert held.stdout is not None
    assert held.stdout.readline() == "ready\n"
    held.send_signal(number)
    time.sleep(0.1)
    held.send_signal(number)  # once more, while it ends
    said, _ = held.communicate(timeout=20)
    assert (said.split(), held.returncode) == (["tidied", end], 0)
