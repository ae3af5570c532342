"""Two real processes: from the founding of two parties to an exchange that survives what happens to processes."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path

import msgspec
import pytest

from comity.errors import Misuse, Unavailable
from comity.flows.actors import Actor
from comity.flows.agreeing.agreements import AcknowledgeAgreement, AdoptAgreement, AgreementShown
from comity.flows.agreeing.founding import CardShown, ShowCard
from comity.flows.giving.answering import Approve, Approved, AssuranceGiven, Assure
from comity.flows.giving.opening import Open, OpenedItem
from comity.flows.giving.release import Give, Given
from comity.flows.looking.views import Inbox, Outbox, ShowInbox, ShowOutbox
from comity.flows.people.clearances import ChangeList, GrantClearance
from comity.flows.people.directory import DirectoryShown, ListDirectory
from comity.flows.people.enrolment import EnrolPerson
from comity.flows.people.person_views import PersonShown
from comity.node.client import SOCKET
from comity.node.run import found, opened
from comity.node.settings import Settings
from comity.record.card import read_card
from node.processes import Node, pair, until

AGREEMENTS = resources.files("comity") / "agreements"
RELATIONSHIP = "jp-kr-2016/jp.kr"
ROOT = Actor("root")
DIRECTORY = list[DirectoryShown]


def adopt(node: Node, peer: str) -> AgreementShown:
    names = ("jp-kr-2016.toml", "jp-kr-2016.history.toml", "house.toml")
    text, history, layer = ((AGREEMENTS / name).read_text(encoding="utf-8") for name in names)
    request = AdoptAgreement(peer=peer, text=text, history=history, layers=(layer,), names=names)
    return node.ask("agreement.adopt", request, AgreementShown)


def acknowledge(node: Node) -> None:
    request = AcknowledgeAgreement(relationship=RELATIONSHIP, actor=ROOT)
    node.ask("agreement.acknowledge", request, AgreementShown)


def test_two_nodes_exchange_through_kills_and_outages(tmp_path: Path) -> None:
    with pair(tmp_path) as (jp, kr):
        assert adopt(jp, "kr").relationship == RELATIONSHIP
        acknowledge(jp)
        # The other side does not run the agreement yet, and says so under its signature.
        until(lambda: any(road.failures for road in jp.status().roads))
        assert "no agreement runs here" in jp.status().roads[0].last_error
        adopt(kr, "jp")
        until(lambda: kr.acknowledged() == ("jp",))

        assert jp.end(signal.SIGKILL) == -signal.SIGKILL
        acknowledge(kr)
        until(lambda: kr.status().roads[0].failures > 0)
        assert "cannot be reached" in kr.status().roads[0].last_error
        jp.start()
        until(lambda: jp.acknowledged() == ("jp", "kr") == kr.acknowledged())
        until(lambda: kr.status().roads[0].failures == 0)

        assert kr.end() == 0
        assert not (kr.folder / SOCKET).exists()
        kr.start()
        assert kr.acknowledged() == ("jp", "kr")


def person(node: Node, handle: str, **changes: object) -> str:
    given: dict[str, object] = {
        "handle": handle,
        "name": handle.title(),
        "function": f"{handle}'s desk",
        "body": "Ministry of Defence",
        "nationality": node.party,
        "serves": node.party,
        "actor": ROOT,
        **changes,
    }
    return node.ask("person.enrol", EnrolPerson(**given), PersonShown).pseudonyms[RELATIONSHIP]


def test_a_large_document_is_given_though_the_receiver_is_killed(tmp_path: Path) -> None:
    """Its sealed payload goes ahead of the parcel, in pieces; receipted once on both sides."""
    content = os.urandom(9 * 2**20)
    document, target = tmp_path / "report.bin", tmp_path / "opened.bin"
    document.write_bytes(content)
    with pair(tmp_path) as (jp, kr):
        for node, peer in ((jp, "kr"), (kr, "jp")):
            adopt(node, peer)
            acknowledge(node)
        person(jp, "sato", roles=("officer",))
        person(jp, "abe", roles=("release-authority",))
        person(kr, "lee", roles=("assurance-officer", "security-officer"))
        kim = person(kr, "kim")
        until_then = datetime.now(UTC) + timedelta(days=30)
        mark = "군사 Ⅱ급 비밀"
        cleared = GrantClearance(
            handle="kim", mark=mark, until=until_then, basis="vetted", actor=ROOT, all_information=True
        )
        kr.ask("clearance.grant", cleared, PersonShown)
        kr.ask("list.change", ChangeList(topic="missiles", handle="kim", listed=True, actor=ROOT), PersonShown)
        until(lambda: any(line.pseudonym == kim for line in jp.ask("directory.list", ListDirectory(), DIRECTORY)))
        asked = jp.ask(
            "give",
            Give(
                path=str(document),
                relationship=RELATIONSHIP,
                mark="極秘",
                topic="missiles",
                recipients=(kim,),
                purpose="air defence",
                actor=Actor("sato"),
            ),
            Given,
        )
        until(lambda: kr.ask("inbox", ShowInbox(), Inbox).asked != ())
        assurance = Assure(request=asked.request, relationship=RELATIONSHIP, actor=Actor("lee"))
        kr.ask("assure", assurance, AssuranceGiven)
        until(lambda: jp.ask("outbox", ShowOutbox(), Outbox).waiting[0].assured != ())

        kr.end(signal.SIGKILL)
        approved = jp.ask("approve", Approve(request=asked.request, reason="needed", actor=Actor("abe")), Approved)
        assert approved.given.consignment is not None
        assert approved.given.size > len(content)
        kr.start()
        until(lambda: jp.ask("outbox", ShowOutbox(), Outbox).given[0].received is not None)

        opening = Open(item=asked.item, purpose="air defence", path=str(target), actor=Actor("kim"))
        assert kr.ask("open", opening, OpenedItem).outcome == "permit"
        assert target.read_bytes() == content
        assert len(kr.ask("inbox", ShowInbox(), Inbox).received) == 1


def test_one_process_for_each_folder(tmp_path: Path) -> None:
    with pair(tmp_path) as (jp, _):

        async def open_it() -> None:
            async with opened(jp.folder):
                pass

        with pytest.raises(Unavailable, match="comity node run"):
            asyncio.run(open_it())
        second = Node.__new__(Node)
        second.folder = jp.folder
        with pytest.raises(msgspec.DecodeError, match="truncated"):
            second.start()
        assert second.process is not None
        assert second.process.wait(10) == 1
        second.process.stdout.close()
        assert jp.status().ready.party == "jp"


async def test_founding_makes_a_folder_that_only_its_owner_reads(tmp_path: Path) -> None:
    folder = tmp_path / "jp"
    shown = await found(folder, Settings(party="jp"), "Japan")
    card = read_card(shown.card)
    assert (card.party, card.name, card.addresses) == ("jp", "Japan", ())
    for path in [folder, *folder.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    async with opened(folder) as house:
        assert await house.card() == shown.card
    with pytest.raises(Misuse, match="a node in this folder already"):
        await found(folder, Settings(party="jp"), "Japan")
    (folder / "node.toml").unlink()
    with pytest.raises(Misuse, match="cut short"):
        await found(folder, Settings(party="jp"), "Japan")


def test_port_0_takes_a_free_port_and_says_which(tmp_path: Path) -> None:
    node = Node(tmp_path / "jp", "jp")
    settings = node.folder / "node.toml"
    settings.write_text('party = "jp"\n[listen]\nport = 0\n')
    ready = node.start()
    assert ready.process == node.process.pid
    assert int(ready.peers.rpartition(":")[2]) > 0
    assert ready.commands == os.path.realpath(node.folder / SOCKET)
    assert node.ask("card.show", ShowCard(), CardShown) == node.card
    assert node.end(signal.SIGINT) == 0


async def test_a_folder_without_a_node_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"node\.toml: cannot be read"):
        async with opened(tmp_path):
            pass
