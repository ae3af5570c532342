"""The cast: two houses and their people. The names are invented; the offices are not anybody's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from comity.api import Node, read_text
from comity.flows.actors import Actor
from comity.flows.agreeing.agreements import AcknowledgeAgreement, AdoptAgreement, AgreementShown
from comity.flows.agreeing.founding import AddPeer, CardShown, ShowCard
from comity.flows.people.clearances import ChangeList, GrantClearance
from comity.flows.people.enrolment import EnrolPerson
from comity.flows.people.person_views import PersonShown
from comity.node.serving import free_port

RELATIONSHIP = "jp-kr-2016/jp.kr"
TOPIC = "missile-warning"
ROOT = Actor("root")
TEXTS = ("jp-kr-2016", "jp-kr-2016.history", "house")


class Role(msgspec.Struct, frozen=True, kw_only=True):
    """A person of the demonstration.

    Attributes:
        handle: what his house calls him.
        name: for the programme.
        function: the office held.
        body: where.
        cleared: whether he is cleared for the item.
        listed: whether he is on the need-to-know list of its topic.
        changes: what else is special about him.
        mark: what he is cleared up to, where it is not what others are.
    """

    handle: str
    name: str
    function: str
    body: str
    roles: tuple[str, ...] = ("reader",)
    cleared: bool = False
    listed: bool = False
    changes: dict[str, str] = {}
    mark: str = ""


TOKYO = (
    Role(
        handle="sato",
        name="Sato",
        function="Air defence analyst",
        body="Ministry of Defence, Tokyo",
        roles=("officer", "release-authority"),
    ),
    Role(
        handle="abe",
        name="Abe",
        function="Release authority",
        body="Ministry of Defence, Tokyo",
        roles=("release-authority",),
    ),
)
SEOUL = (
    Role(
        handle="lee",
        name="Lee",
        function="Registry officer",
        body="Ministry of National Defence, Seoul",
        roles=("assurance-officer", "registry"),
    ),
    Role(
        handle="kim",
        name="Kim",
        function="Early warning desk",
        body="Ministry of National Defence, Seoul",
        cleared=True,
        listed=True,
    ),
    Role(
        handle="park",
        name="Park",
        function="New analyst, not cleared yet",
        body="Ministry of National Defence, Seoul",
        listed=True,
    ),
    Role(
        handle="choi",
        name="Choi",
        function="General, not on the list",
        body="Ministry of National Defence, Seoul",
        cleared=True,
    ),
    Role(
        handle="hong",
        name="Hong",
        function="Radar engineer of a contractor",
        body="Hanbit Works",
        cleared=True,
        listed=True,
        changes={"employer": "contractor", "firm": "hanbit-works"},
    ),
    Role(
        handle="smith",
        name="Smith",
        function="United States officer embedded in a Korean staff",
        body="Ministry of National Defence, Seoul",
        cleared=True,
        listed=True,
        changes={"nationality": "us", "serves": "us"},
    ),
    Role(
        handle="jones",
        name="Jones",
        function="Liaison office of a third country",
        body="Embassy of the United States, Seoul",
        cleared=True,
        listed=True,
        changes={"nationality": "us", "serves": "us"},
    ),
)


class House:
    """One side of the stage: a node, and its people.

    Attributes:
        people: the pseudonym under which the other side knows somebody, by handle.
        names: who is meant by a pseudonym or a person id.

    Args:
        node: its node.
        party: whose it is.
        relationship: what runs with the other side.
        texts: names of the agreement, its history, and its layers, in the library.
    """

    def __init__(
        self, node: Node, party: str, relationship: str = RELATIONSHIP, texts: tuple[str, ...] = TEXTS
    ) -> None:
        self.node = node
        self.party = party
        self.relationship = relationship
        self.texts = texts
        self.people: dict[str, str] = {}
        self.names: dict[str, str] = {}

    def ask(self, request: msgspec.Struct, flow: str | None = None) -> Any:
        """Ask the node."""
        return self.node.ask(request, flow)

    def card(self) -> CardShown:
        """The house's card."""
        shown = self.ask(ShowCard())
        assert isinstance(shown, CardShown)
        return shown

    def adopt(self, peer: str) -> AgreementShown:
        """Run the agreement with the other house."""
        text, history, *layers = [read_text(name)[0] for name in self.texts]
        shown = self.ask(AdoptAgreement(peer=peer, text=text, history=history, layers=tuple(layers), names=self.texts))
        assert isinstance(shown, AgreementShown)
        return shown

    def acknowledge(self) -> None:
        """Accept the agreement's digest with the root key."""
        self.ask(AcknowledgeAgreement(relationship=self.relationship, actor=ROOT))

    def enrol(self, roles: Sequence[Role], mark: str) -> None:
        """Enrol people, each countersigned by the root key, with clearances and lists."""
        until = datetime.now(UTC) + timedelta(days=365)
        for role in roles:
            person: dict[str, Any] = {"nationality": self.party, "serves": self.party, **role.changes}
            shown = self.ask(
                EnrolPerson(
                    handle=role.handle,
                    name=role.name,
                    function=role.function,
                    body=role.body,
                    roles=role.roles,
                    actor=ROOT,
                    **person,
                )
            )
            assert isinstance(shown, PersonShown)
            self.people[role.handle] = shown.pseudonyms[self.relationship]
            self.names |= {shown.person: role.name, self.people[role.handle]: role.name}
            if role.cleared:
                self.ask(
                    GrantClearance(
                        handle=role.handle,
                        mark=role.mark or mark,
                        until=until,
                        basis="vetted",
                        actor=ROOT,
                        all_information=True,
                    )
                )
            if role.listed:
                self.ask(ChangeList(topic=TOPIC, handle=role.handle, listed=True, actor=ROOT))


def found(folder: Path) -> tuple[House, House]:
    """Two new data folders on free ports of this machine."""
    houses = []
    for party, name in (("jp", "Ministry of Defence of Japan"), ("kr", "Ministry of National Defence of Korea")):
        node = Node.create(folder / party, party=party, name=name, port=free_port())
        houses.append(House(node, party))
    return houses[0], houses[1]


def introduce(first: House, second: House) -> None:
    """Exchange cards; on each side two people compared the other's fingerprint."""
    for house, other in ((first, second), (second, first)):
        card = other.card()
        house.ask(AddPeer(card=card.card, fingerprint=card.fingerprint, compared_by=("a guard", "an officer")))
