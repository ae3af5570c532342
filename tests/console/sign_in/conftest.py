"""A house with people and no agreement: enough for whoever tests signing in, and made in no time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from comity.flows.agreeing.founding import IssueCard, issue_card
from world import World, new_house

PEOPLE = {
    "sato": ("officer",),
    "abe": ("release-authority",),
    "ito": ("security-officer", "assurance-officer", "registry"),
}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Tokyo of ``tests/world.py`` by itself, with its people; there is no Seoul."""
    made = World(tmp_path)
    made.jp = await new_house("jp", tmp_path, made.clock)
    await issue_card(made.jp, IssueCard(name="JP", certificate=bytes(32)))
    for handle, roles in PEOPLE.items():
        await made.person("jp", handle, roles=roles)
    yield made
    await made.jp.close()
