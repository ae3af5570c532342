"""When a notice has run its time: giving stops, protection goes on, and nothing opens by itself (21.3, 21.4)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from comity.flows.actors import Actor
from comity.flows.giving.opening import Open, open_item
from comity.flows.house import House
from comity.flows.looking.duties import ListDuties, list_duties
from comity.register.rows.duties import DutiesRow
from world import World, library

LAPSE = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
"""00:00 on 23 November in Seoul."""
SECOND = timedelta(seconds=1)


def history(*events: tuple[str, str, str]) -> str:
    """What happened until today, and these of Seoul: id, day or minute, kind."""
    text = library("jp-kr-2016.history.toml")
    sources = text.index("[[source]]")
    told = ""
    for name, when, kind in events:
        of = "" if kind == "notice" else 'of = "notice-2026"\n'
        told += (
            f'[[event]]\nid = "{name}"\nwhen = "{when}"\nzone = "Asia/Seoul"\nkind = "{kind}"\nby = ["kr"]\n{of}'
            f'says = "By note verbale."\nclauses = ["21.3"]\n\n'
        )
    return text[:sources] + told + text[sources:]


NOTICE = ("notice-2026", "2026-08-20", "notice")
SUSPENDED = ("suspension-2026", "2026-11-21T11:00", "suspension")


@pytest.fixture
async def lapsing(tmp_path: Path) -> AsyncIterator[World]:
    """Seoul has given notice in August; today is 21 November."""
    world = await World.make(tmp_path, history(NOTICE))
    yield world
    await world.close()


async def duties(house: House) -> list[object]:
    """Every duty that the register has, with what has become of it."""
    return [row async for _, row in house.rows(DutiesRow)]


async def test_giving_stops_at_that_instant_and_protection_goes_on(lapsing: World) -> None:
    item = (await lapsing.given()).item
    lapsing.clock.time = LAPSE - SECOND
    assert (await lapsing.ask(path=lapsing.document(b"one", "one.txt"))).outcome == "needs-consent"
    lapsing.clock.time = LAPSE
    refused = await lapsing.ask(path=lapsing.document(b"two", "two.txt"))
    assert refused.outcome == "no-basis"
    assert "not-in-force" in {reason.code for reason in refused.decision.reasons}
    path = str(lapsing.folder / "opened")
    opened = await open_item(lapsing.kr, Open(item=item, purpose="air defence", path=path, actor=Actor("kim")))
    assert opened.outcome == "permit"


async def test_no_duty_opens_by_the_end_alone(lapsing: World) -> None:
    await lapsing.given()
    owing = await list_duties(lapsing.kr, ListDuties(whose="mine"))
    owed = {(each.obligation, each.subject) for each in owing.duties}
    before = [await duties(house) for house in (lapsing.jp, lapsing.kr)]
    lapsing.clock.time = LAPSE + timedelta(days=30)
    await lapsing.exchange()
    assert [await duties(house) for house in (lapsing.jp, lapsing.kr)] == before
    after = await list_duties(lapsing.kr, ListDuties(whose="mine"))
    assert {(each.obligation, each.subject) for each in after.duties} == owed
    assert not any(each.clause.startswith("6.h") for each in after.duties)
    assert any(each.clause == "21.4" for each in after.standing)  # to go on protecting


async def test_while_the_notice_is_suspended_nothing_is_lost(tmp_path: Path) -> None:
    world = await World.make(tmp_path, history(NOTICE, SUSPENDED))
    item = (await world.given()).item
    world.clock.time = LAPSE + timedelta(days=1)
    given = await world.given(path=world.document(b"after its day", "after.txt"))
    assert given.outcome == "permit"
    path = str(world.folder / "opened")
    opened = await open_item(world.kr, Open(item=item, purpose="air defence", path=path, actor=Actor("kim")))
    assert opened.outcome == "permit"
    await world.close()
