"""Visits for the tests of the articles: people of Seoul want to see a radar hall near Tokyo."""

from __future__ import annotations

from datetime import datetime, timedelta

from comity.flows.actors import Actor
from comity.flows.people.clearances import ChangeList, GrantClearance, change_list, grant_clearance
from comity.flows.people.enrolment import EnrolPerson, enrol_person
from comity.flows.people.permitting import PermitVisit, VisitPermitted, permit_visit
from comity.flows.people.places import RegisterFacility, register_facility
from comity.flows.people.visit_views import VisitShown
from comity.flows.people.visits import AskVisit, ask_visit
from world import RELATIONSHIP, ROOT, TODAY, World

DAY = timedelta(days=1)
STARTS, ENDS = TODAY + 40 * DAY, TODAY + 42 * DAY
AUTHORITY = Actor("lee")
"""Seoul's security officer, who asks."""
HOST = Actor("ito")
"""Tokyo's, who permits."""


async def radar_hall(world: World, mark: str = "極秘", until: datetime = TODAY + 365 * DAY) -> None:
    """The site that is to be visited."""
    await register_facility(
        world.jp,
        RegisterFacility(
            facility="yokota",
            mark=mark,
            until=until,
            conditions=(),
            evidence="order 8",
            actor=ROOT,
        ),
    )


async def asked(world: World, **changes: object) -> VisitShown:
    """Seoul asks that Kim may come; Tokyo hears of it."""
    fields: dict[str, object] = {
        "relationship": RELATIONSHIP,
        "facility": "yokota",
        "topic": "missiles",
        "scope": "the radar hall",
        "purpose": "joint exercise",
        "mark": "極秘",
        "visitors": ("kim",),
        "starts": STARTS,
        "ends": ENDS,
        "actor": AUTHORITY,
        **changes,
    }
    shown = await ask_visit(world.kr, AskVisit(**fields))  # type: ignore[arg-type]  # by name
    await world.exchange()
    return shown


async def permitted(world: World, visit: VisitShown, **changes: object) -> VisitPermitted:
    """Tokyo wants to permit it; Seoul hears of it."""
    fields: dict[str, object] = {
        "relationship": RELATIONSHIP,
        "visit": visit.visit,
        "actor": HOST,
        "told": "Base security",
        **changes,
    }
    told = await permit_visit(world.jp, PermitVisit(**fields))  # type: ignore[arg-type]  # by name
    await world.exchange()
    return told


async def representative(world: World) -> None:
    """``han``, a security representative of Seoul, cleared and on the list."""
    await enrol_person(
        world.kr,
        EnrolPerson(
            handle="han",
            name="Han",
            function="Inspector of security",
            body="Ministry of Defence",
            nationality="kr",
            serves="kr",
            actor=ROOT,
        ),
    )
    await grant_clearance(
        world.kr,
        GrantClearance(
            handle="han",
            mark="군사 Ⅱ급 비밀",
            until=TODAY + 365 * DAY,
            basis="vetted",
            actor=ROOT,
            all_information=True,
        ),
    )
    await change_list(world.kr, ChangeList(topic="missiles", handle="han", listed=True, actor=ROOT))
    await world.exchange()
