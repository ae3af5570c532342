"""Whoever hands on shows the receiver nothing of what else its originator gave it, asked or answered, and vice versa.

Two worlds that differ only in what passes between Tokyo and Washington give Seoul the same records, number by number
and byte by byte but for names drawn at random, keys, instants and what is computed from them; and the other way round
(``spec/routes.md`` step 11, ``spec/visibility.md`` step 8).
"""

from __future__ import annotations

import asyncio
import base64
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.flows.giving.release import Given
from comity.record.dsse import Envelope
from trilateral import FIRST, JP_US, KR_US, PURPOSE, SECOND, Trilateral

NAME = re.compile(r"[a-z]-[a-z2-7]{16}")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
DRAWN = re.compile(r"[A-Za-z0-9+/]{40,}={0,2}")
DEEDS = ("give", "give and consent", "give and refuse", "ask and wait", "bilateral")
EXAMPLES = 6


def plain(value: Any) -> Any:
    """What stands in a record, without what is drawn at random or computed from it; its length stays."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    if not isinstance(value, str):
        return value
    if DRAWN.fullmatch(value):
        try:
            inside = msgspec.json.decode(base64.b64decode(value), type=Envelope)
        except (ValueError, msgspec.DecodeError):
            return f"{len(value)} characters"
        return plain(msgspec.json.decode(inside.payload))
    return INSTANT.sub("<instant>", NAME.sub("<name>", value))


async def seen(world: Trilateral, party: str, *relationships: str) -> list[Any]:
    """Every record of both sides that a house has in these relationships, in the order of each chain."""
    found = []
    for relationship in relationships:
        for author in world.between[relationship]:
            for entry in await world.houses[party].store.chain(f"{relationship}/{author}", 0, 1000):
                envelope = msgspec.json.decode(entry.envelope, type=Envelope)
                statement = plain(msgspec.json.decode(envelope.payload))
                statement.pop("seen", None)  # how much of the other chain was there: of the same relationship
                found.append((relationship, author, entry.verdict, statement))
    return found


async def beside(world: Trilateral, deeds: list[str], number: int) -> None:
    """What else passes between the two."""
    for each in deeds:
        number += 1
        path = world.document(b"something else", f"other-{number}.txt")
        relationship = JP_US if each == "bilateral" else FIRST
        item = (await world.given(relationship, path=path)).item
        if each in {"give and consent", "give and refuse"}:
            await world.consent(await world.ask_consent(item), granted=each == "give and consent")
        elif each == "ask and wait":
            await world.ask_consent(item)


async def the_story(folder: Path, before: list[str], after: list[str]) -> Trilateral:
    world = await Trilateral.make(folder)
    await beside(world, before, 0)
    _: tuple[Given, object] = await world.handed_on()
    await beside(world, after, 100)
    await world.exchange()
    return world


def seouls(folder: Path, before: list[str], after: list[str]) -> list[Any]:
    """All that Seoul has of Washington, after a story."""

    async def run() -> list[Any]:
        world = await the_story(folder, before, after)
        try:
            return await seen(world, "kr", SECOND, KR_US)
        finally:
            await world.close()

    return asyncio.run(run())


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    return seouls(tmp_path_factory.mktemp("usual"), [], [])


@settings(max_examples=EXAMPLES, deadline=None)
@given(before=st.lists(st.sampled_from(DEEDS), max_size=2), after=st.lists(st.sampled_from(DEEDS), max_size=1))
def test_seoul_sees_nothing_of_what_else_tokyo_gave(
    tmp_path_factory: pytest.TempPathFactory, usual: list[Any], before: list[str], after: list[str]
) -> None:
    assert seouls(tmp_path_factory.mktemp("houses"), before, after) == usual
    assert any(statement["type"] == "consignment/1" for _, _, _, statement in usual)


def test_tokyo_sees_nothing_of_what_else_seoul_gave(tmp_path_factory: pytest.TempPathFactory) -> None:
    async def run(folder: Path, number: int) -> list[Any]:
        world = await Trilateral.make(folder)
        for each in range(number):
            path = world.document(b"what Seoul has", f"korean-{each}.txt")
            given = await world.given(SECOND, giver="kr", path=path)
            await world.consent(await world.ask_consent(given.item, beneficiary="jp"), by="kr")
        await world.handed_on()
        try:
            return await seen(world, "jp", FIRST, JP_US)
        finally:
            await world.close()

    usual = asyncio.run(run(tmp_path_factory.mktemp("none"), 0))
    assert asyncio.run(run(tmp_path_factory.mktemp("two"), 2)) == usual
    assert any(statement["type"] == "relay/1" for _, _, _, statement in usual)
    assert PURPOSE in str(usual)
