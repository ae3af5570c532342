"""Two real nodes on real disks: whichever is killed between "accepted" and "receipted", both finish, and once.

``kill -9`` says nothing about what a disk loses with its power; for that see ``tests/stores`` and the simulated world.
"""

from __future__ import annotations

import os
import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path

from comity.errors import Unavailable
from comity.flows.actors import Actor
from comity.flows.agreeing.agreements import AcknowledgeAgreement, AdoptAgreement, AgreementShown
from comity.flows.giving.answering import Approve, Approved, AssuranceGiven, Assure
from comity.flows.giving.opening import Open, OpenedItem
from comity.flows.giving.release import Give, Given
from comity.flows.looking.views import Inbox, Outbox, RequestLine, ShowInbox, ShowOutbox
from comity.flows.maintaining.rebuilding import LedgerVerified, VerifyLedger
from comity.flows.people.clearances import ChangeList, GrantClearance
from comity.flows.people.directory import DirectoryShown, ListDirectory
from comity.flows.people.enrolment import EnrolPerson
from comity.flows.people.person_views import PersonShown
from node.processes import Node, pair, until
from world import RELATIONSHIP, ROOT

AGREEMENTS = resources.files("comity") / "agreements"
FILES = ("jp-kr-2016.toml", "jp-kr-2016.history.toml", "house.toml")
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


def waiting(jp: Node) -> tuple[RequestLine, ...]:
    return jp.ask("outbox", ShowOutbox(), Outbox).waiting


def receipted(jp: Node, item: str) -> bool:
    return any(line.item == item and line.received for line in jp.ask("outbox", ShowOutbox(), Outbox).given)


def approve(jp: Node, request: str) -> Approved:
    return jp.ask("approve", Approve(request=request, reason="needed", actor=Actor("abe")), Approved)


def ask(jp: Node, document: Path, recipient: str) -> Given:
    request = Give(
        path=str(document),
        relationship=RELATIONSHIP,
        mark="極秘",
        topic="missiles",
        recipients=(recipient,),
        purpose="air defence",
        actor=Actor("sato"),
    )
    return jp.ask("give", request, Given)


def settle_in(jp: Node, kr: Node) -> str:
    """Adopt, acknowledge, enrol; the pseudonym of a reader in Seoul who may open what Tokyo gives."""
    text, history, layer = ((AGREEMENTS / name).read_text(encoding="utf-8") for name in FILES)
    for node, peer in ((jp, "kr"), (kr, "jp")):
        adopted = AdoptAgreement(peer=peer, text=text, history=history, layers=(layer,), names=FILES)
        node.ask("agreement.adopt", adopted, AgreementShown)
        node.ask("agreement.acknowledge", AcknowledgeAgreement(relationship=RELATIONSHIP, actor=ROOT), AgreementShown)
    person(jp, "sato", "officer")
    person(jp, "abe", "release-authority")
    person(kr, "lee", "assurance-officer")
    kim = person(kr, "kim", "reader")
    cleared_until = datetime.now(UTC) + timedelta(days=30)
    cleared = GrantClearance(
        handle="kim", mark="군사 Ⅱ급 비밀", until=cleared_until, basis="vetted", actor=ROOT, all_information=True
    )
    kr.ask("clearance.grant", cleared, PersonShown)
    kr.ask("list.change", ChangeList(topic="missiles", handle="kim", listed=True, actor=ROOT), PersonShown)
    until(
        lambda: any(line.pseudonym == kim for line in jp.ask("directory.list", ListDirectory(), list[DirectoryShown]))
    )
    until(lambda: jp.acknowledged() == ("jp", "kr") == kr.acknowledged())
    return kim


def person(node: Node, handle: str, role: str) -> str:
    request = EnrolPerson(
        handle=handle,
        name=handle.title(),
        function=f"{role} desk",
        body="Ministry of Defence",
        nationality=node.party,
        serves=node.party,
        roles=(role,),
        actor=ROOT,
    )
    return node.ask("person.enrol", request, PersonShown).pseudonyms[RELATIONSHIP]
