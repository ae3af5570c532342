"""Two houses that negotiate: Oda and Sato for Tokyo, Mun and Han for Seoul; Ito and Lee are on no list.

Oda and Mun are agreement authorities; Ito and Lee keep the registers, and see everything else in their houses.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from comity.flows.actors import Actor
from comity.flows.agreeing.negotiating import (
    ApproveDraft,
    InitialDraft,
    NameDelegates,
    OpenChannel,
    OpenNegotiation,
    ProposeDraft,
    SignDraft,
    approve_draft,
    initial_draft,
    name_delegates,
    open_channel,
    open_negotiation,
    propose_draft,
    sign_draft,
)
from comity.flows.agreeing.negotiations import NegotiationShown, ShowNegotiation, show_negotiation
from comity.flows.exchanging.parcel import write_parcel
from comity.flows.house import House
from world import StandingClock, World, introduce, library, new_house

CHANNEL = "talks/jp.kr"
RUNNING = "jp-kr-2016/jp.kr"
HEADS = {"jp": "oda", "kr": "mun"}
SECOND = {"jp": "sato", "kr": "han"}
OTHER = {"jp": "kr", "kr": "jp"}
TEXT = library("jp-kr-2016.toml")
OVERSIGHT = ("registry", "security-officer")


async def without_agreement(folder: Path) -> World:
    """Two houses that know each other's cards, and run nothing; each opens the channel."""
    world = World(folder)
    world.clock = StandingClock()
    world.jp, world.kr = [await new_house(party, folder, world.clock) for party in ("jp", "kr")]
    await introduce(world.jp, world.kr)
    for party in ("jp", "kr"):
        await world.person(party, {"jp": "ito", "kr": "lee"}[party], roles=OVERSIGHT)
    return world


async def enrol(world: World) -> None:
    """The delegates of both sides."""
    for party in ("jp", "kr"):
        await world.person(party, HEADS[party], roles=("agreement-authority",))
        if not (party == "jp" and world.jp.sequencer.heads().get(f"{RUNNING}/jp")):
            await world.person(party, SECOND[party], roles=("officer",))


class Table:
    """One negotiation, as both sides sit at it."""

    def __init__(self, world: World, negotiation: str) -> None:
        self.world = world
        self.negotiation = negotiation

    @classmethod
    async def open(cls, world: World, about: str = "agreement", on: str | None = None) -> Table:
        """Tokyo opens, Seoul's channel is opened too, and both name their delegates."""
        request = OpenNegotiation(
            peer="kr",
            about=about,  # type: ignore[arg-type]  # one of the four words
            title="Protection of information",
            actor=Actor("oda"),
            delegates=("sato",),
            on=on,
        )
        opened = await open_negotiation(world.jp, request)
        await open_channel(world.kr, OpenChannel("jp"))
        table = cls(world, opened.negotiation)
        await table.carry()
        await name_delegates(
            world.kr, NameDelegates(negotiation=opened.negotiation, actor=Actor("mun"), delegates=("han",))
        )
        await table.carry()
        return table

    async def hand_over(self, sender: str) -> None:
        """What one side has not handed over yet; the answer stays where it is."""
        parcel = write_parcel(await self.world.house(sender).pack(CHANNEL))
        await self.world.house(OTHER[sender]).take_parcel(sender, CHANNEL, parcel)

    async def carry(self) -> None:
        for _ in range(3):
            for sender in ("jp", "kr"):
                await self.hand_over(sender)

    def house(self, party: str) -> House:
        return self.world.house(party)

    async def seen(self, party: str = "jp", handle: str = "") -> NegotiationShown:
        actor = Actor(handle or HEADS[party])
        return await show_negotiation(self.house(party), ShowNegotiation(self.negotiation, actor))

    async def propose(self, party: str = "jp", text: str = TEXT, **changes: object) -> NegotiationShown:
        fields: dict[str, object] = {
            "negotiation": self.negotiation,
            "text": text,
            "name": "draft.toml",
            "actor": Actor(SECOND[party]),
            **changes,
        }
        return await propose_draft(self.house(party), ProposeDraft(**fields))

    async def initial(self, draft: str, *parties: str) -> None:
        for party in parties or ("jp", "kr"):
            await self.initial_here(draft, party)
        await self.carry()

    async def initial_here(self, draft: str, party: str) -> None:
        request = InitialDraft(negotiation=self.negotiation, draft=draft, actor=Actor(SECOND[party]))
        await initial_draft(self.house(party), request)

    async def approve(self, *parties: str) -> None:
        for party in parties or ("jp", "kr"):
            await self.approve_here(party)
        await self.carry()

    async def approve_here(self, party: str) -> None:
        request = ApproveDraft(
            negotiation=self.negotiation,
            body="Cabinet",
            act="decision 17",
            day="2026-11-20",
            actor=Actor(HEADS[party]),
        )
        await approve_draft(self.house(party), request)

    async def sign(self, party: str) -> NegotiationShown:
        request = SignDraft(negotiation=self.negotiation, actor=Actor(HEADS[party]))
        return await sign_draft(self.house(party), request)

    async def agreed(self, text: str = TEXT, **changes: object) -> None:
        """Proposed, initialled, approved and signed by both."""
        await self.propose(text=text, **changes)
        await self.carry()
        await self.initial("jp-1")
        await self.approve()
        for party in ("jp", "kr"):
            await self.sign(party)
            await self.carry()


def amended(version: str = "2026-11-21") -> str:
    """The agreement of 2016 with a sentence that is otherwise, as a version of its own."""
    text = TEXT.replace("No release to any government", "No release or loan to any government", 1)
    text = text.replace('version = "2016-11-23"', f'version = "{version}"', 1)
    assert tomllib.loads(text)["agreement"]["version"] == version
    return text
