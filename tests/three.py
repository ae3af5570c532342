"""Three houses: Seoul with Tokyo under the agreement of 2016, and with Washington under another one of the same words.

The other agreement is a text made for tests, by renaming: its id, one of its parties and that party's marks. Seoul's
people read what both give; in Washington ``jones`` asks, ``brown`` approves, ``green`` assures.
"""

from __future__ import annotations

import tomllib
from collections.abc import Awaitable, Callable
from pathlib import Path

from comity.flows.actors import Actor
from comity.flows.agreeing.agreements import (
    AcknowledgeAgreement,
    AdoptAgreement,
    acknowledge_agreement,
    adopt_agreement,
)
from comity.flows.exchanging.parcel import read_parcel, write_parcel
from comity.flows.giving.answering import Approve, Assure, approve, assure
from comity.flows.giving.release import Give, Given, give
from comity.flows.house import House
from comity.flows.people.enrolment import EnrolPerson, enrol_person
from world import RELATIONSHIP, ROOT, World, introduce, library, new_house

BESIDE = "kr-us-test/kr.us"
"""The relationship of Seoul with Washington."""
SECRET, CONFIDENTIAL = "US SECRET", "US CONFIDENTIAL"
RENAMED = (
    ("jp-kr-2016", "kr-us-test"),
    ('"jp"', '"us"'),
    ("jp = ", "us = "),
    ("特定秘密", "US SPECIAL"),
    ("極秘", SECRET),
    ("機密", "US TOP"),
    ('"秘"', f'"{CONFIDENTIAL}"'),
)


def beside(name: str) -> str:
    """A file of the library, as the other agreement has it."""
    text = library(name)
    for old, new in RENAMED:
        text = text.replace(old, new)
    return text


class Three(World):
    """A world with a third house."""

    us: House

    @classmethod
    async def three(
        cls,
        folder: Path,
        *,
        layers: tuple[str, ...] = (),
        other_layers: tuple[str, ...] = (),
        change: Callable[[str], str] = str,
    ) -> Three:
        """Three houses; ``change`` alters the other agreement's text, ``other_layers`` stand on it."""
        made = await cls.make(folder, layers=layers)
        assert isinstance(made, Three)
        made.us = await new_house("us", folder, made.clock)
        await introduce(made.us, made.kr)
        for house, peer in ((made.us, "kr"), (made.kr, "us")):
            stacked = (library("house.toml"), *other_layers)
            await adopt_agreement(
                house,
                AdoptAgreement(
                    peer=peer,
                    text=change(beside("jp-kr-2016.toml")),
                    history=beside("jp-kr-2016.history.toml"),
                    layers=tuple(each for each in stacked if tomllib.loads(each)["layer"].get("party") != peer),
                    names=("text.toml", "history.toml", *("layer.toml" for _ in stacked)),
                ),
            )
        for handle, roles in (("jones", ("officer",)), ("brown", ("release-authority",)), ("green", ("registry",))):
            await made._american(handle, roles)
        for house in (made.us, made.kr):
            await acknowledge_agreement(house, AcknowledgeAgreement(relationship=BESIDE, actor=ROOT))
        await made.exchange_beside()
        return made

    async def _american(self, handle: str, roles: tuple[str, ...]) -> None:
        await enrol_person(
            self.us,
            EnrolPerson(
                handle=handle,
                name=handle.title(),
                function=f"{handle}'s desk",
                body="Department",
                nationality="us",
                serves="us",
                roles=roles,
                actor=ROOT,
            ),
        )

    def beside_name(self, handle: str) -> Awaitable[str]:
        """How somebody in Seoul is known in Washington."""

        async def name() -> str:
            return self.kr.pseudonym(BESIDE, (await self.kr.person(handle)).person)

        return name()

    async def exchange_beside(self, rounds: int = 2) -> None:
        """Let Seoul and Washington hand each other what the other does not have."""
        for _ in range(rounds):
            for sender, receiver in ((self.us, self.kr), (self.kr, self.us)):
                parcel = write_parcel(await sender.pack(BESIDE))
                reply = await receiver.take_parcel(sender.party, BESIDE, parcel)
                assert read_parcel(reply).receiver == sender.party
                await sender.take_reply(BESIDE, reply)

    async def given_by_us(self, **changes: object) -> Given:
        """Washington gives a report to Kim in Seoul."""
        recipients = changes.get("recipients") or (await self.beside_name("kim"),)
        asked = await give(
            self.us,
            Give(
                **{
                    "path": self.document(b"an american report", "us.txt"),
                    "relationship": BESIDE,
                    "mark": CONFIDENTIAL,
                    "topic": "missiles",
                    "recipients": recipients,
                    "purpose": "air defence",
                    "actor": Actor("jones"),
                    **changes,
                }
            ),
        )
        await self.exchange_beside()
        for recipient in recipients:
            await assure(
                self.kr, Assure(request=asked.request, relationship=BESIDE, recipient=recipient, actor=Actor("lee"))
            )
        await self.exchange_beside()
        approved = await approve(self.us, Approve(request=asked.request, reason="needed", actor=Actor("brown")))
        await self.exchange_beside()
        assert approved.given is not None
        return approved.given

    async def everybody_exchanges(self) -> None:
        """Seoul with both."""
        await self.exchange()
        await self.exchange_beside()

    async def close(self) -> None:
        await super().close()
        await self.us.close()


__all__ = ["BESIDE", "CONFIDENTIAL", "RELATIONSHIP", "SECRET", "Three", "beside"]
