"""People who give documents between two real nodes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path

from comity.flows.actors import Actor
from comity.flows.agreeing.agreements import AcknowledgeAgreement, AdoptAgreement, AgreementShown
from comity.flows.giving.answering import Approve, Approved, AssuranceGiven, Assure
from comity.flows.giving.release import Give, Given
from comity.flows.looking.views import Inbox, Outbox, RequestLine, ShowInbox, ShowOutbox
from comity.flows.people.clearances import ChangeList, GrantClearance
from comity.flows.people.directory import DirectoryShown, ListDirectory
from comity.flows.people.enrolment import EnrolPerson
from comity.flows.people.person_views import PersonShown
from node.processes import Node, until
from world import RELATIONSHIP, ROOT

AGREEMENTS = resources.files("comity") / "agreements"
FILES = ("jp-kr-2016.toml", "jp-kr-2016.history.toml", "house.toml")


def assure(kr: Node, request: str) -> bool:
    """Assure it once it is asked of Seoul; whether that was now."""
    if not any(line.request == request for line in kr.ask("inbox", ShowInbox(), Inbox).asked):
        return False
    kr.ask("assure", Assure(request=request, relationship=RELATIONSHIP, actor=Actor("lee")), AssuranceGiven)
    return True


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
