"""Who is there: the same people on both sides, so that both can give, approve, assure, receive and be refused."""

from __future__ import annotations

from datetime import datetime, timedelta

from comity.flows.actors import Actor
from comity.flows.agreeing.agreements import AcknowledgeAgreement, acknowledge_agreement
from comity.flows.agreeing.negotiating import OpenChannel, open_channel
from comity.flows.house import House
from comity.flows.people.clearances import ChangeList, GrantClearance, change_list, grant_clearance
from comity.flows.people.enrolment import EnrolPerson, enrol_person
from feeds import with_feeds
from world import RELATIONSHIP, ROOT, adopt, introduce

from .markers import OURS

PARTIES = ("jp", "kr")
PEER = {"jp": "kr", "kr": "jp"}
MARKS = {
    "jp": ("秘", "極秘", "特定秘密", "機密"),
    "kr": ("군사 Ⅲ급 비밀", "군사 Ⅱ급 비밀", "군사 Ⅱ급 비밀", "군사 Ⅰ급 비밀"),
}
"""Each side's own marks; the last is above the ceiling and may never cross."""
TOPICS = ("missiles", "submarines")
PURPOSES = ("air defence", "sea rescue")
OFFICER, AUTHORITY, GUARD, CARRIER, ENVOY = "officer", "authority", "guard", "carrier", "envoy"
READERS = ("reader", "deputy", "junior", "uncleared", "unlisted", "works", "embedded")
"""The first two may read what is SECRET, the third what is CONFIDENTIAL; the others nothing."""
ROLES = {
    OFFICER: ("officer",),
    AUTHORITY: ("release-authority",),
    GUARD: ("security-officer", "assurance-officer", "registry"),
    CARRIER: ("reader",),
    ENVOY: ("agreement-authority",),
}
CLEARED = {"reader": 1, "deputy": 1, "junior": 0, "unlisted": 1, "works": 1, "embedded": 1}
LISTED = ("reader", "deputy", "junior", "uncleared", "works", "embedded")
LAYERS = ("house.toml", "jp-kr-arrangement.example.toml")
CLEARED_FOR = timedelta(days=300)


def handle(party: str, who: str) -> str:
    """What a house calls one of its people; it must not leave the house."""
    return f"{OURS.decode()}{party}_{who}"


def actor(party: str, who: str) -> Actor:
    return Actor(handle(party, who))


async def found(houses: dict[str, House], now: datetime) -> None:
    """Make the houses know each other, adopt the agreement, enrol everybody, and acknowledge."""
    await introduce(houses["jp"], houses["kr"])
    for party, house in houses.items():
        await open_channel(house, OpenChannel(PEER[party]))
        await adopt(house, PEER[party], "jp-kr-2016.history.toml", LAYERS, with_feeds())
        for who in (*ROLES, *READERS):
            await enrol(house, who, ROLES.get(who, ("reader",)))
        for who, rank in CLEARED.items():
            await clear(house, who, MARKS[party][rank], now + CLEARED_FOR)
        for who in LISTED:
            for topic in TOPICS:
                await change_list(house, ChangeList(topic=topic, handle=handle(party, who), listed=True, actor=ROOT))
        await acknowledge_agreement(house, AcknowledgeAgreement(relationship=RELATIONSHIP, actor=ROOT))


async def enrol(house: House, who: str, roles: tuple[str, ...] = ("reader",)) -> None:
    party = house.party
    name = handle(party, who)
    await enrol_person(
        house,
        EnrolPerson(
            handle=name,
            name=f"{name} by name",
            function=f"desk of the {who}",
            body="Ministry of Defence",
            nationality="us" if who == "embedded" else party,
            serves="us" if who == "embedded" else party,
            employer="contractor" if who == "works" else "government",
            firm="works" if who == "works" else None,
            roles=roles,
            actor=ROOT,
        ),
    )


async def clear(house: House, who: str, mark: str, until: datetime) -> None:
    request = GrantClearance(
        handle=handle(house.party, who),
        mark=mark,
        until=until,
        basis="vetted",
        all_information=True,
        actor=actor(house.party, GUARD),
    )
    await grant_clearance(house, request)
