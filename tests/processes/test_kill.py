"""Two real nodes on real disks: whichever is killed between "accepted" and "receipted", both finish, and once.

``kill -9`` says nothing about what a disk loses with its power; for that see ``tests/stores`` and the simulated world.
"""

from __future__ import annotations

import os
import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from comity.errors import Unavailable
from comity.flows.actors import Actor
from comity.flows.giving.answering import AssuranceGiven, Assure
from comity.flows.giving.opening import Open, OpenedItem
from comity.flows.looking.views import Inbox, Outbox, ShowInbox, ShowOutbox
from comity.flows.maintaining.rebuilding import LedgerVerified, VerifyLedger
from node.processes import pair, until
from processes.giving import approve, ask, receipted, settle_in, waiting
from world import RELATIONSHIP

KILLS = 7
MOMENT_SECONDS_MAX = 0.12
"""On an idle machine a give is accepted, handed over and receipted in less, so that a kill falls anywhere in it."""
SIZES = (300, 5_000, 400_000)
"""In bytes; the largest travels ahead of its parcel."""


def test_every_give_is_finished_once_whoever_is_killed(tmp_path: Path) -> None:
    seed = int.from_bytes(os.urandom(4), "big")
    print(f"seed {seed}")  # shown when the test fails
    chance = random.Random(seed)
    with pair(tmp_path) as (jp, kr):
        kim = settle_in(jp, kr)
        contents = {}
        for number in range(KILLS):
            document = tmp_path / f"report-{number}.txt"
            document.write_bytes(os.urandom(chance.choice(SIZES)))
            asked = ask(jp, document, kim)
            contents[asked.request, asked.item] = document.read_bytes()
        until(lambda: len(kr.ask("inbox", ShowInbox(), Inbox).asked) == KILLS)
        for request, _ in contents:
            kr.ask("assure", Assure(request=request, relationship=RELATIONSHIP, actor=Actor("lee")), AssuranceGiven)
        until(lambda: all(line.assured for line in waiting(jp)))

        for request, item in contents:
            victim = chance.choice((jp, kr))
            moment = chance.uniform(0, MOMENT_SECONDS_MAX)
            with ThreadPoolExecutor(1) as threads:
                accepted = threads.submit(approve, jp, request)
                time.sleep(moment)
                victim.end(signal.SIGKILL)
                assert isinstance(accepted.exception(), Unavailable | None)  # cut off in the middle of it, or not
            victim.start()
            if any(line.request == request and not line.approved_by for line in waiting(jp)):
                approve(jp, request)
            until(lambda item=item: receipted(jp, item))  # type: ignore[misc]  # the loop's own

        given, received = jp.ask("outbox", ShowOutbox(), Outbox).given, kr.ask("inbox", ShowInbox(), Inbox).received
        assert sorted(line.consignment for line in given) == sorted(line.consignment for line in received)
        assert sorted(line.item for line in received) == sorted(item for _, item in contents)
        assert [[(copy.number, copy.state) for copy in line.copies] for line in received] == [[(1, "held")]] * KILLS
        for (_, item), content in contents.items():
            target = tmp_path / f"{item}.opened"
            opening = Open(item=item, purpose="air defence", path=str(target), actor=Actor("kim"))
            assert kr.ask("open", opening, OpenedItem).outcome == "permit"
            assert target.read_bytes() == content
        for node in (jp, kr):
            assert node.ask("ledger.verify", VerifyLedger(), LedgerVerified).findings == ()
