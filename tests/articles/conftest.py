"""Worlds for the tests of the articles: two houses that run the agreement of 2016, or a mutation of its text."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from world import World

MakeWorld = Callable[..., Awaitable[World]]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "article(*clauses, does, command, rests_on): see tests/clauses.py")


@pytest.fixture
async def make_world(tmp_path: Path) -> AsyncIterator[MakeWorld]:
    """``await make_world(layers=…, history=…)``: a world of the test's own wishes, under the text under test."""
    made: list[World] = []

    async def make(**wishes: object) -> World:
        folder = tmp_path / f"world-{len(made)}"
        folder.mkdir()
        made.append(await World.make(folder, **wishes))
        return made[-1]

    yield make
    for world in made:
        await world.close()


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    """Two houses that have acknowledged the agreement; nothing has been given yet."""
    return await make_world()
