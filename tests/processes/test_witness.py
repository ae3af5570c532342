"""A third party in a process of its own, two houses in theirs, and a witness that is killed (``spec/witness.md``)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from comity.flows.looking.views import Outbox, ShowOutbox
from comity.flows.maintaining.rebuilding import LedgerVerified, VerifyLedger
from comity.flows.vouching.witnesses import AddWitness, NamedWitness, PolicyShown, SetPolicy, ShowPolicy
from comity.ledger.note import KeyType, VerifierKey
from comity.node.serving import free_port
from comity.node.settings import FILE
from comity.node.witnessing import (
    FollowLog,
    ShowWitness,
    WitnessListen,
    WitnessSettings,
    WitnessShown,
    ask_witness,
    make_witness,
)
from comity.record.card import read_card
from comity.record.contexts import origin
from courier.keys import seeded
from ledger.stranger import Stranger
from node.processes import Node, pair, until
from processes.giving import person, settle_in
from world import RELATIONSHIP

OWN, HOUSE = f"{RELATIONSHIP}/jp", "domestic/jp"
PROGRAM = """
import sys
from pathlib import Path
import msgspec
from comity.node.witnessing import run
run(Path(sys.argv[1]), lambda ready: print(msgspec.json.encode(ready).decode(), flush=True))
"""


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    started = subprocess.Popen([sys.executable, "-c", PROGRAM, str(folder)], stdout=subprocess.PIPE)
    try:
        assert started.stdout is not None
        yield json.loads(started.stdout.readline())["witness"]
    finally:
        os.kill(started.pid, signal.SIGKILL)
        started.wait()
        assert started.stdout is not None
        started.stdout.close()


def vouched(jp: Node, ledger: str) -> tuple[int, int]:
    """How much of a ledger the third party has cosigned, and how much there is."""
    (line,) = [each for each in jp.ask("outbox", ShowOutbox(), Outbox).chains if each.chain == ledger]
    return max((each.size for each in line.vouched), default=0), line.size


def cosigned(jp: Node, *ledgers: str) -> bool:
    return all(size == there > 0 for size, there in (vouched(jp, ledger) for ledger in ledgers))


def test_a_third_party_witnesses_what_two_houses_do(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    folder = tmp_path / "w1"
    made = make_witness(
        folder,
        WitnessSettings(name="witness.example/w1", ml_dsa_44=True, listen=WitnessListen(port=free_port())),
        seeded("w1"),
    )
    with pair(tmp_path) as (jp, kr):
        jp.end()
        with (jp.folder / FILE).open("a") as file:
            file.write("\n[ledgers]\nport = 0\n")
        ready = jp.start()
        card = read_card(jp.card.card)
        for ledger in (OWN, HOUSE):
            ask_witness(
                folder, "witness.follow", FollowLog(VerifierKey(origin(ledger), KeyType.ED25519, card.log).text)
            )
        settle_in(jp, kr)
        with serving(folder) as address:
            named = {"name": "w1", "keys": made.keys, "url": address, "ledgers": (OWN, HOUSE)}
            (added,) = jp.ask("ledger.witness.add", AddWitness(**named), list[NamedWitness])
            until(lambda: cosigned(jp, OWN, HOUSE))
            shown = jp.ask("ledger.policy", ShowPolicy(OWN), PolicyShown)
            lines = shown.content.splitlines()[:-1]
            policy = "\n".join([*lines, "group all-of-them all kr w1 w1/2", "quorum all-of-them", ""]).encode()
            jp.ask("ledger.policy.set", SetPolicy(ledger=OWN, content=policy), PolicyShown)
        person(jp, "ueno", "officer")  # while the witness is dead
        assert not cosigned(jp, HOUSE)
        with serving(folder) as again:
            assert again == address
            until(lambda: cosigned(jp, OWN, HOUSE))
            verified = jp.ask("ledger.verify", VerifyLedger(), LedgerVerified)
            assert verified.findings == ()
            assert verified.counted[OWN] == verified.chains[OWN]
            status = {(each.witness, each.ledger): each.failures for each in jp.status().submitted}
            assert status == {("w1", OWN): 0, ("w1", HOUSE): 0}
        reads_as_a_stranger(ready.ledgers, f"/{added.secret}/{OWN}")
    told: WitnessShown = ask_witness(folder, "witness.show", ShowWitness())
    assert {log.origin for log in told.logs} == {origin(OWN), origin(HOUSE)}
    assert not any(log.contradictions for log in told.logs)


def reads_as_a_stranger(address: str, prefix: str) -> None:
    line = HTTPConnection(urlsplit(address).netloc, timeout=60)

    def fetch(path: str) -> bytes:
        line.request("GET", f"{prefix}/{path}")
        reply = line.getresponse()
        body = reply.read()
        assert reply.status == 200, path
        return body

    client = Stranger(fetch)
    _, size, root = client.checkpoint()
    assert client.root(size) == root
    line.close()
