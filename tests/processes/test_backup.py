"""A real node loses its disk: brought back from a backup it fetches its day from the other one, and goes on giving.

Whichever of backup, restore and catching up is killed with ``kill -9``, what comes of it is whole.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from comity.cli.main import main
from comity.errors import Unavailable
from comity.flows.actors import Actor
from comity.flows.giving.opening import Open, OpenedItem
from comity.flows.looking.views import Inbox, Outbox, ShowInbox, ShowOutbox
from comity.flows.maintaining.catching_up import CatchingUpShown, CatchUp
from comity.flows.maintaining.rebuilding import LedgerVerified, VerifyLedger
from node.processes import Node, pair, until
from processes.giving import approve, ask, assure, receipted, settle_in, waiting

COMMAND = "import sys; from comity.cli.main import main; sys.exit(main(sys.argv[1:]))"


def test_a_node_that_lost_its_disk_comes_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seed = int.from_bytes(os.urandom(4), "big")
    print(f"seed {seed}")  # shown when the test fails
    chance = random.Random(seed)
    key, to = tmp_path / "recovery.key", tmp_path / "elsewhere"
    assert main(["keygen", "-o", str(key)]) == 0
    recipient = next(line for line in key.read_text().splitlines() if "public key" in line).split()[-1]
    with pair(tmp_path) as (jp, kr):
        kim = settle_in(jp, kr)
        first = given(jp, kr, tmp_path, "first", kim, 400)
        assert main(["backup", "take", str(to), "-r", recipient, "--folder", str(jp.folder), "--json"]) == 0
        killed(chance.uniform(0.2, 0.6), "backup", "take", str(to), "--folder", str(jp.folder))
        assert main(["backup", "check", str(to), "-i", str(key), "--json"]) == 0
        later = [given(jp, kr, tmp_path, f"later-{number}", kim, size) for number, size in enumerate((900, 400_000))]

        jp.end(signal.SIGKILL)
        lost = tmp_path / "lost"
        jp.folder.rename(lost)
        shutil.rmtree(lost)
        restore = ("restore", str(to), "-i", str(key), "--folder", str(jp.folder))
        killed(chance.uniform(0.2, 0.9), *restore)
        if not (jp.folder / "node.toml").exists():
            assert main([*restore, "--json"]) == 0
        kr.end()
        jp.start()
        shown = jp.ask("catch-up", CatchUp(), CatchingUpShown)
        assert shown.missing == ("jp-kr-2016/jp.kr",)
        with pytest.raises(Unavailable) as refused:
            ask(jp, document(tmp_path, "early", 10), kim)
        assert refused.value.code == "restored-node"
        jp.end(signal.SIGKILL)
        kr.start()
        for _ in range(2):
            jp.start()
            time.sleep(chance.uniform(0, 0.1))
            jp.end(signal.SIGKILL)
        jp.start()
        until(lambda: jp.ask("catch-up", CatchUp(), CatchingUpShown).restored is None)
        assert not (jp.folder / "restored").exists()

        outbox = jp.ask("outbox", ShowOutbox(), Outbox)
        assert {line.item for line in outbox.given} == {first, *later}
        again = given(jp, kr, tmp_path, "again", kim, 700)
        target = tmp_path / "again.opened"
        opening = Open(item=again, purpose="air defence", path=str(target), actor=Actor("kim"))
        assert kr.ask("open", opening, OpenedItem).outcome == "permit"
        received = kr.ask("inbox", ShowInbox(), Inbox).received
        assert {line.item for line in received} == {first, *later, again}
        for node in (jp, kr):
            assert node.ask("ledger.verify", VerifyLedger(), LedgerVerified).findings == ()
        assert main(["backup", "take", str(to), "--folder", str(jp.folder)]) == 0
    capsys.readouterr()


def killed(seconds: float, *arguments: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.wait()


def document(folder: Path, name: str, size: int) -> Path:
    path = folder / f"{name}.bin"
    path.write_bytes(os.urandom(size))
    return path


def given(jp: Node, kr: Node, folder: Path, name: str, kim: str, size: int) -> str:
    """Ask, assure, approve; the item, once it is receipted."""
    asked = ask(jp, document(folder, name, size), kim)
    until(lambda: assure(kr, asked.request))
    until(lambda: any(line.request == asked.request and line.assured for line in waiting(jp)))
    approve(jp, asked.request)
    until(lambda: receipted(jp, asked.item))
    return asked.item
