"""Two houses in one process: Japan and Korea under the agreement of 2016, for tests.

The people: in Tokyo ``sato`` (officer), ``abe`` (release authority), ``ito`` (security officer, assurance officer,
registry); in Seoul ``kim`` (reader, cleared, on the list), ``lee`` (assurance officer, registry), and readers who must
be refused: ``park`` (no clearance), ``choi`` (not on the list), ``hong`` (contractor), ``smith`` (embedded officer of a
third country).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path

from comity.flows.actors import Actor
from comity.flows.agreeing.agreements import (
    AcknowledgeAgreement,
    AdoptAgreement,
    acknowledge_agreement,
    adopt_agreement,
)
from comity.flows.agreeing.founding import AddPeer, CardShown, IssueCard, add_peer, issue_card
from comity.flows.exchanging.parcel import read_parcel, write_parcel
from comity.flows.following import follow
from comity.flows.giving.answering import Approve, Assure, approve, assure
from comity.flows.giving.release import Give, Given, give
from comity.flows.house import House
from comity.flows.people.clearances import ChangeList, GrantClearance, change_list, grant_clearance
from comity.flows.people.enrolment import EnrolPerson, enrol_person
from comity.stores.files import LocalFiles
from comity.stores.index import SqliteIndex
from comity.stores.keys import KeyFolder
from comity.stores.memory import MemoryBlobs, MemoryErasedKeys, MemoryHighWaterMark, MemoryRestoration, MemoryStore
from comity.stores.memory_disk import MemoryDisk
from comity.timezones import time_zones

RELATIONSHIP = "jp-kr-2016/jp.kr"
TODAY = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
ROOT = Actor("root")
LIBRARY = resources.files("comity.agreements")


class SeededEntropy:
    """Bytes that depend on nothing but a seed."""

    def __init__(self, seed: str) -> None:
        import random

        self._random = random.Random(seed)

    def __call__(self, count: int) -> bytes:
        return self._random.randbytes(count)


class StandingClock:
    """A clock that moves only when told; each look costs a millisecond, so that instants differ."""

    def __init__(self, start: datetime = TODAY) -> None:
        self.time = start

    def now(self) -> datetime:
        self.time += timedelta(milliseconds=1)
        return self.time


def library(name: str) -> str:
    """A file of the agreement library."""
    return LIBRARY.joinpath(name).read_text(encoding="utf-8")


async def new_house(
    party: str, folder: Path, clock: StandingClock, disk: MemoryDisk | None = None, *, life: str = ""
) -> House:
    """A house over memory, with its keys in ``folder``; the same keys again when they are there.

    What it draws depends on the party, and on which ``life`` of it this is.
    """
    entropy = SeededEntropy(f"{party}{life}")
    (folder / party).mkdir(mode=0o700, exist_ok=True)
    exists = (folder / party / "keys").exists()
    keys = KeyFolder(folder / party, entropy) if exists else KeyFolder.create(folder / party, entropy)
    disk = disk or MemoryDisk()
    house = House(
        party,
        store=MemoryStore(disk),
        blobs=MemoryBlobs(disk),
        mark=MemoryHighWaterMark(disk),
        erased=MemoryErasedKeys(disk),
        clock=clock,
        entropy=entropy,
        keys=keys,
        files=LocalFiles(folder / "scratch"),
        zones=time_zones(),
        follow=follow,
        restoration=MemoryRestoration(disk),
        index=SqliteIndex(None),
    )
    await house.start()
    return house


class World:
    """Two houses that know each other and have acknowledged the agreement; nothing has been given yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = StandingClock()
        self.jp: House
        self.kr: House

    @classmethod
    async def make(
        cls,
        folder: Path,
        history: str = "jp-kr-2016.history.toml",
        *,
        text: str | None = None,
        layers: tuple[str, ...] = (),
        acknowledge: bool = True,
        disks: Mapping[str, MemoryDisk] | None = None,
    ) -> World:
        """Two houses under ``text`` (the library's, when none is given).

        ``history`` and ``layers`` are names of the library, or texts. The house rule is always among the layers; a
        domestic layer is adopted by its own party only.
        """
        world = cls(folder)
        kept = disks or {}
        world.jp, world.kr = [await new_house(party, folder, world.clock, kept.get(party)) for party in ("jp", "kr")]
        await introduce(world.jp, world.kr)
        stacked = ("house.toml", *layers)
        for house, peer in ((world.jp, "kr"), (world.kr, "jp")):
            own = tuple(layer for layer in stacked if tomllib.loads(_read(layer))["layer"].get("party") != peer)
            await adopt(house, peer, history, own, text)
        await world.enrol()
        if acknowledge:
            for house in (world.jp, world.kr):
                await acknowledge_agreement(house, AcknowledgeAgreement(relationship=RELATIONSHIP, actor=ROOT))
        await world.exchange()
        return world

    async def enrol(self) -> None:
        until = TODAY + timedelta(days=365)
        for handle, roles in (
            ("sato", ("officer",)),
            ("abe", ("release-authority",)),
            ("ito", ("security-officer", "assurance-officer", "registry")),
        ):
            await self.person("jp", handle, roles=roles)
        await self.person("kr", "lee", roles=("assurance-officer", "registry", "security-officer"))
        await self.person("kr", "kim")
        await self.person("kr", "park")
        await self.person("kr", "choi")
        await self.person("kr", "hong", employer="contractor", firm="hanbit-works")
        await self.person("kr", "smith", nationality="us", serves="us")
        for handle in ("kim", "choi", "hong", "smith"):
            await grant_clearance(
                self.kr,
                GrantClearance(
                    handle=handle, mark="군사 Ⅱ급 비밀", until=until, basis="vetted", actor=ROOT, all_information=True
                ),
            )
        for handle in ("kim", "park", "hong", "smith"):
            await change_list(self.kr, ChangeList(topic="missiles", handle=handle, listed=True, actor=ROOT))

    async def person(self, party: str, handle: str, **changes: object) -> None:
        given: dict[str, object] = {
            "handle": handle,
            "name": handle.title(),
            "function": f"{handle}'s desk",
            "body": "Ministry of Defence",
            "nationality": party,
            "serves": party,
            "actor": ROOT,
            **changes,
        }
        await enrol_person(self.house(party), EnrolPerson(**given))

    def house(self, party: str) -> House:
        return self.jp if party == "jp" else self.kr

    async def pseudonym(self, handle: str, party: str = "kr") -> str:
        house = self.house(party)
        return house.pseudonym(RELATIONSHIP, (await house.person(handle)).person)

    async def exchange(self, rounds: int = 2) -> None:
        """Let both sides hand each other what the other does not have."""
        for _ in range(rounds):
            for sender, receiver in ((self.jp, self.kr), (self.kr, self.jp)):
                await hand_over(sender, receiver)

    def document(self, content: bytes = b"a report", name: str = "report.txt") -> str:
        path = self.folder / name
        path.write_bytes(content)
        return str(path)

    async def both_ways(self) -> None:
        """People by whom Seoul can give too: ``han`` asks, ``yoon`` approves, ``mori`` in Tokyo reads."""
        await self.person("kr", "han", roles=("officer",))
        await self.person("kr", "yoon", roles=("release-authority",))
        await self.person("jp", "mori")
        until = TODAY + timedelta(days=365)
        await grant_clearance(
            self.jp,
            GrantClearance(handle="mori", mark="極秘", until=until, basis="vetted", actor=ROOT, all_information=True),
        )
        await change_list(self.jp, ChangeList(topic="missiles", handle="mori", listed=True, actor=ROOT))
        await self.exchange()

    async def given_back(self, **changes: object) -> Given:
        """Seoul gives a report to Mori in Tokyo; after ``both_ways``."""
        recipient = await self.pseudonym("mori", "jp")
        given: dict[str, object] = {
            "path": changes.pop("path", None) or self.document(b"another report", "other.txt"),
            "relationship": RELATIONSHIP,
            "mark": "군사 Ⅲ급 비밀",
            "topic": "missiles",
            "recipients": (recipient,),
            "purpose": "air defence",
            "actor": Actor("han"),
            **changes,
        }
        asked = await give(self.kr, Give(**given))
        await self.exchange()
        await assure(
            self.jp, Assure(request=asked.request, relationship=RELATIONSHIP, recipient=recipient, actor=Actor("ito"))
        )
        await self.exchange()
        approved = await approve(self.kr, Approve(request=asked.request, reason="needed", actor=Actor("yoon")))
        await self.exchange()
        assert approved.given is not None
        return approved.given

    async def ask(self, **changes: object) -> Given:
        """Sato asks to give a report to Kim."""
        given: dict[str, object] = {
            "path": changes.pop("path", None) or self.document(),
            "relationship": RELATIONSHIP,
            "mark": "極秘",
            "topic": "missiles",
            "recipients": (await self.pseudonym("kim"),),
            "purpose": "air defence",
            "actor": Actor("sato"),
            **changes,
        }
        return await give(self.jp, Give(**given))

    async def given(self, **changes: object) -> Given:
        """Ask, assure, approve: the item is given and receipted."""
        asked = await self.ask(**changes)
        await self.exchange()
        for recipient in changes.get("recipients") or (await self.pseudonym("kim"),):
            await assure(
                self.kr,
                Assure(request=asked.request, relationship=RELATIONSHIP, recipient=recipient, actor=Actor("lee")),
            )
        await self.exchange()
        approved = await approve(self.jp, Approve(request=asked.request, reason="needed", actor=Actor("abe")))
        await self.exchange()
        assert approved.given is not None
        return approved.given

    async def close(self) -> None:
        for house in (self.jp, self.kr):
            await house.close()


async def introduce(first: House, second: House) -> None:
    """Exchange cards, as two people on each side would after comparing fingerprints."""
    cards = [
        await issue_card(house, IssueCard(name=house.party.upper(), certificate=bytes([number]) * 32))
        for number, house in enumerate((first, second))
    ]
    for house, card in ((first, cards[1]), (second, cards[0])):
        await add_peer(house, peer_of(card))


def peer_of(card: CardShown) -> AddPeer:
    return AddPeer(card=card.card, fingerprint=card.fingerprint, compared_by=("a person", "another person"))


async def adopt(
    house: House, peer: str, history: str, layers: tuple[str, ...] = ("house.toml",), text: str | None = None
) -> None:
    await adopt_agreement(
        house,
        AdoptAgreement(
            peer=peer,
            text=text or library("jp-kr-2016.toml"),
            history=_read(history),
            layers=tuple(_read(layer) for layer in layers),
            names=("jp-kr-2016.toml", *(each if _is_name(each) else "text.toml" for each in (history, *layers))),
        ),
    )


def _is_name(source: str) -> bool:
    return "\n" not in source


def _read(source: str) -> str:
    """A file of the library, or the text itself."""
    return library(source) if _is_name(source) else source


async def hand_over(sender: House, receiver: House) -> None:
    """One parcel and its reply."""
    parcel = write_parcel(await sender.pack(RELATIONSHIP))
    reply = await receiver.take_parcel(sender.party, RELATIONSHIP, parcel)
    assert read_parcel(reply).receiver == sender.party
    await sender.take_reply(RELATIONSHIP, reply)
