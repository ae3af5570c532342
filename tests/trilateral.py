"""Three capitals under the texts of the library: Tokyo and Washington, Washington and Seoul, the arrangement over both.

The people: in Tokyo ``sato`` (officer), ``abe`` (release authority), ``mori`` (reader); in Washington ``jones``
(officer who holds what came), ``brown`` (release authority), ``green`` (registry, assurance); in Seoul ``kim``
(reader), ``lee`` (registry, assurance), ``han`` (officer who holds what came), ``yoon`` (release authority). All may
read secrets about the ``test-site``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from comity.flows.actors import Actor
from comity.flows.agreeing.agreements import (
    AcknowledgeAgreement,
    AdoptAgreement,
    acknowledge_agreement,
    adopt_agreement,
)
from comity.flows.agreeing.founding import AddPeer, CardShown, IssueCard, add_peer, issue_card
from comity.flows.consenting.consent_requests import AskConsent, AskedForConsent, ask_consent
from comity.flows.consenting.granting import AnswerConsent, ConsentShown, answer_consent
from comity.flows.exchanging.parcel import write_parcel
from comity.flows.giving.answering import Approve, Approved, Assure, approve, assure
from comity.flows.giving.release import Give, Given, give
from comity.flows.handling.handing_on import HandOn, hand_on
from comity.flows.house import House
from comity.flows.people.clearances import ChangeList, GrantClearance, change_list, grant_clearance
from comity.flows.people.enrolment import EnrolPerson, enrol_person
from world import ROOT, TODAY, StandingClock, library, new_house

JP_US, KR_US = "jp-us-2007/jp.us", "us-kr-1987/kr.us"
FIRST, SECOND = "tisa-2014/jp.us", "tisa-2014/kr.us"
"""The arrangement between Tokyo and Washington, and between Washington and Seoul."""
ACROSS = "jp-kr-2016/jp.kr"
PURPOSE = "dprk-nuclear-and-missile-threats"
NEXT_YEAR = datetime(2027, 11, 21, tzinfo=UTC)
SECRET = {"jp": "極秘", "us": "SECRET", "kr": "군사 Ⅱ급 비밀"}
PEOPLE = {
    "jp": {"sato": ("officer",), "abe": ("release-authority",), "mori": (), "ito": ("registry", "assurance-officer")},
    "us": {"jones": ("officer",), "brown": ("release-authority",), "green": ("registry", "assurance-officer")},
    "kr": {"kim": (), "lee": ("registry", "assurance-officer"), "han": ("officer",), "yoon": ("release-authority",)},
}
ASKS = {"jp": "sato", "us": "jones", "kr": "han"}
APPROVES = {"jp": "abe", "us": "brown", "kr": "yoon"}
HOLDS = {"jp": "sato", "us": "jones", "kr": "han"}
"""Who gets what comes, and can hand it on."""
READS = {"jp": "mori", "us": "green", "kr": "kim"}
"""Who gets what is handed on."""


class Trilateral:
    """Three houses that know one another's cards, and what runs between them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = StandingClock()
        self.houses: dict[str, House] = {}
        self.between: dict[str, tuple[str, str]] = {}
        self.more: dict[str, str] = {}

    @classmethod
    async def make(
        cls,
        folder: Path,
        relationships: Sequence[str] = (JP_US, KR_US, FIRST, SECOND),
        *,
        strangers: Sequence[tuple[str, str]] = (),
        layers: dict[str, Sequence[str]] | None = None,
        more: dict[str, str] | None = None,
    ) -> Trilateral:
        """Three houses.

        Args:
            folder: where their keys are.
            relationships: what runs between them.
            strangers: pairs of which the first has not compared the card of the second.
            layers: further layers by relationship.
            more: what is added to the text of an agreement, by its name.
        """
        world = cls(folder)
        world.more = more or {}
        cards: dict[str, CardShown] = {}
        for number, party in enumerate(PEOPLE):
            world.houses[party] = await new_house(party, folder, world.clock)
            card = IssueCard(name=party.upper(), certificate=bytes([number]) * 32)
            cards[party] = await issue_card(world.houses[party], card)
        for party, house in world.houses.items():
            for other, card in cards.items():
                if other != party and (party, other) not in strangers:
                    await world.compare(house, card)
        for party, people in PEOPLE.items():
            for handle, roles in people.items():
                await world.enrol(party, handle, roles)
        for relationship in relationships:
            await world.run(relationship, (layers or {}).get(relationship, ()))
        await world.exchange()
        return world

    @staticmethod
    async def compare(house: House, card: CardShown) -> None:
        """Take up a card as two people would after comparing its fingerprint."""
        added = AddPeer(card=card.card, fingerprint=card.fingerprint, compared_by=("a person", "another person"))
        await add_peer(house, added)

    async def enrol(self, party: str, handle: str, roles: Sequence[str], **changes: object) -> None:
        house = self.houses[party]
        given: dict[str, object] = {"nationality": party, "serves": party, **changes}
        await enrol_person(
            house,
            EnrolPerson(
                handle=handle,
                name=handle.title(),
                function=f"{handle}'s desk",
                body="Ministry of Defence",
                roles=tuple(roles),
                actor=ROOT,
                **given,
            ),
        )
        until = TODAY + timedelta(days=365)
        await grant_clearance(
            house,
            GrantClearance(
                handle=handle, mark=SECRET[party], until=until, basis="vetted", actor=ROOT, all_information=True
            ),
        )
        await change_list(house, ChangeList(topic="test-site", handle=handle, listed=True, actor=ROOT))

    async def run(self, relationship: str, layers: Sequence[str] = ()) -> None:
        """Adopt and acknowledge an agreement on both sides."""
        name, _, parties = relationship.partition("/")
        one, other = parties.split(".")
        self.between[relationship] = (one, other)
        for party, peer in ((one, other), (other, one)):
            stacked = (library("house.toml"), *layers)
            await adopt_agreement(
                self.houses[party],
                AdoptAgreement(
                    peer=peer,
                    text=library(f"{name}.toml") + self.more.get(name, ""),
                    history=library(f"{name}.history.toml"),
                    layers=stacked,
                    names=(f"{name}.toml", f"{name}.history.toml", *("layer.toml" for _ in stacked)),
                ),
            )
            acknowledged = AcknowledgeAgreement(relationship=relationship, actor=ROOT)
            await acknowledge_agreement(self.houses[party], acknowledged)

    async def exchange(self, *relationships: str, rounds: int = 2) -> None:
        """Let the two houses of each relationship hand each other what the other does not have."""
        for _ in range(rounds):
            for relationship in relationships or tuple(self.between):
                one, other = self.between[relationship]
                for sender, receiver in ((one, other), (other, one)):
                    await self.send(relationship, sender, receiver)

    async def send(self, relationship: str, sender: str, receiver: str) -> None:
        """One parcel and its reply."""
        parcel = write_parcel(await self.houses[sender].pack(relationship))
        reply = await self.houses[receiver].take_parcel(sender, relationship, parcel)
        await self.houses[sender].take_reply(relationship, reply)

    async def pseudonym(self, party: str, handle: str, relationship: str) -> str:
        house = self.houses[party]
        return house.pseudonym(relationship, (await house.person(handle)).person)

    def document(self, content: bytes = b"what the station saw", name: str = "report.txt") -> str:
        path = self.folder / name
        path.write_bytes(content)
        return str(path)

    async def given(self, relationship: str = FIRST, giver: str = "jp", **changes: object) -> Given:
        """An officer gives a report to whoever holds what comes at the other party's; approved and receipted."""
        one, other = self.between[relationship]
        receiver = other if giver == one else one
        reads = str(changes.pop("reader", HOLDS[receiver]))
        asked = await give(
            self.houses[giver],
            Give(
                **{
                    "path": self.document(),
                    "relationship": relationship,
                    "mark": SECRET[giver],
                    "topic": "test-site",
                    "recipients": (await self.pseudonym(receiver, reads, relationship),),
                    "purpose": PURPOSE,
                    "actor": Actor(ASKS[giver]),
                    **changes,
                }
            ),
        )
        await self.exchange(relationship)
        approved = await approve(
            self.houses[giver], Approve(request=asked.request, reason="needed", actor=Actor(APPROVES[giver]))
        )
        await self.exchange(relationship)
        assert approved.given is not None
        return approved.given

    async def ask_consent(self, item: str, holder: str = "us", **changes: object) -> AskedForConsent:
        """Washington asks the originator whether Seoul may have it."""
        asked = await ask_consent(
            self.houses[holder],
            AskConsent(
                **{
                    "item": item,
                    "acts": ("give",),
                    "beneficiary": "kr",
                    "beneficiary_kind": "party",
                    "purpose": PURPOSE,
                    "reason": "Seoul is concerned",
                    "until": NEXT_YEAR,
                    "actor": Actor(ASKS[holder]),
                    **changes,
                }
            ),
        )
        await self.exchange()
        return asked

    async def consent(self, asked: AskedForConsent, by: str = "jp", **changes: object) -> ConsentShown:
        """The originator consents."""
        shown = await answer_consent(
            self.houses[by],
            AnswerConsent(
                **{
                    "request": asked.request,
                    "granted": True,
                    "reason": "agreed",
                    "actor": Actor(APPROVES[by]),
                    **changes,
                }
            ),
        )
        await self.exchange()
        return shown

    async def ask_on(self, item: str, holder: str = "us", relationship: str = SECOND, **changes: object) -> Given:
        """The holder's officer asks that it be handed on to the reader at the other party's."""
        one, other = self.between[relationship]
        receiver = other if holder == one else one
        asked = await hand_on(
            self.houses[holder],
            HandOn(
                **{
                    "item": item,
                    "relationship": relationship,
                    "recipients": (await self.pseudonym(receiver, READS[receiver], relationship),),
                    "purpose": PURPOSE,
                    "actor": Actor(ASKS[holder]),
                    **changes,
                }
            ),
        )
        await self.exchange()
        return asked

    async def assure_on(self, asked: Given, relationship: str, receiver: str) -> None:
        """The receiver's assurance officer answers for its reader (Article 7.5 of 2016)."""
        officer = Actor({"jp": "ito", "us": "green", "kr": "lee"}[receiver])
        await assure(self.houses[receiver], Assure(request=asked.request, relationship=relationship, actor=officer))
        await self.exchange()

    async def approve_on(self, asked: Given, holder: str = "us") -> Approved:
        """Somebody else of the holder's approves; the rest is exchanged."""
        approved = await approve(
            self.houses[holder], Approve(request=asked.request, reason="needed", actor=Actor(APPROVES[holder]))
        )
        await self.exchange()
        return approved

    async def handed_on(self) -> tuple[Given, Approved]:
        """The whole way: Tokyo gives, consents, and Washington hands on to Seoul."""
        given = await self.given()
        await self.consent(await self.ask_consent(given.item))
        return given, await self.approve_on(await self.ask_on(given.item))

    async def close(self) -> None:
        for house in self.houses.values():
            await house.close()
