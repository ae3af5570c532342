"""A form that is sent twice does its act once (``spec/acts.md`` step 8)."""

from __future__ import annotations

import asyncio

import pytest

from comity.console import once
from comity.console.once import Once
from comity.flows.incidents.investigating import ListIncidents, list_incidents
from console.browser import Browser, browser
from world import World


async def test_a_double_click_reports_one_loss(world: World) -> None:
    given = await world.given()
    kim = await browser(world.kr, "kim")
    await kim.get("/incidents/report")
    typed = {"items": given.item, "what": "suspected", "circumstances": "an open door"}
    fields = [pair for pair in kim.page.form("/incidents/report").fields if pair[0] not in typed] + list(typed.items())
    again = Browser(kim.desk, kim.app)
    again.cookies = dict(kim.cookies)
    pages = await asyncio.gather(kim.post("/incidents/report", fields), again.post("/incidents/report", fields))
    assert {page.path for page in pages} == {pages[0].path}
    assert pages[0].path.startswith("/incidents/x-")
    later = await kim.post("/incidents/report", fields)
    assert later.path == pages[0].path
    assert len(await list_incidents(world.kr, ListIncidents())) == 1
    other = [(name, value.replace("open door", "open window")) for name, value in fields]
    await kim.post("/incidents/report", other)  # what says something else is another form
    assert len(await list_incidents(world.kr, ListIncidents())) == 2


async def test_what_failed_can_be_sent_again() -> None:
    tried = []

    async def fails() -> str:
        tried.append("once")
        raise ValueError("no")

    async def refused() -> str:
        return "no"

    async def works() -> str:
        await asyncio.sleep(0)
        return "yes"

    forms = Once()
    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            await forms.run("form", fails, lambda answer: answer == "yes")
    assert len(tried) == 2
    assert await forms.run("form", refused, lambda answer: answer == "yes") == "no"
    assert (
        await asyncio.gather(*(forms.run("form", works, lambda answer: answer == "yes") for _ in range(3)))
        == ["yes"] * 3
    )
    assert await forms.run("form", fails, lambda answer: answer == "yes") == "yes"


async def test_no_more_forms_are_remembered_than_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(once, "KEPT_MAX", 2)
    forms = Once()
    asked: list[int] = []

    async def answer(number: int) -> int:
        asked.append(number)
        return number

    for number in (1, 2, 3, 1):
        await forms.run(str(number), lambda number=number: answer(number), lambda _: True)
    assert asked == [1, 2, 3, 1]
    await forms.run("3", lambda: answer(3), lambda _: True)
    assert asked == [1, 2, 3, 1]
