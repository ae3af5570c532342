"""What people have done decides, not in which order they did it; and whatever more is granted refuses nothing.

At the level of flows, over the registers of two houses; for the decision by itself see ``tests/decision``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.errors import ComityError
from comity.flows.giving.answering import Approve, Assure, approve, assure
from comity.flows.giving.opening import Open, open_item
from comity.flows.giving.release import Give, give
from comity.flows.people.clearances import ChangeList, change_list
from comity.register.rows import ConsignmentRow
from properties.founded import Founded
from simulation import cast
from simulation.acts import Asked
from simulation.at_rest import rows
from simulation.simulation import Simulation
from world import RELATIONSHIP, ROOT

GRANTS = ("assurance", "approval", "list", "other assurance", "other list", "clearance", "other clearance")
"""What people may grant about one request from Tokyo; the first three are needed, the others are more of the same."""
READER = "unlisted"
"""Cleared from the beginning, and on no list."""
TOPIC = cast.TOPICS[0]
PURPOSE = cast.PURPOSES[0]
EXAMPLES = 25


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Founded:
    return Founded(tmp_path_factory.mktemp("houses"))


async def grant(world: Simulation, what: str) -> None:
    jp, kr = world.nodes["jp"].house, world.nodes["kr"].house
    assert jp is not None
    assert kr is not None
    guard = cast.actor("kr", cast.GUARD)
    reader = cast.handle("kr", READER)
    until = kr.now() + timedelta(days=10)
    if what == "approval":
        await approve(jp, Approve(request="r-0", reason="needed", actor=cast.actor("jp", cast.AUTHORITY)))
    elif what.endswith("assurance"):
        recipient = world.pseudonyms["kr", READER]
        await assure(kr, Assure(request="r-0", relationship=RELATIONSHIP, recipient=recipient, actor=guard))
    elif what == "clearance":
        await cast.clear(kr, READER, cast.MARKS["kr"][1], until)
    elif what == "other clearance":
        await cast.clear(kr, "uncleared", cast.MARKS["kr"][1], until)
    else:
        topic = cast.TOPICS[what.startswith("other")]
        await change_list(kr, ChangeList(topic=topic, handle=reader, listed=True, actor=ROOT))


async def outcome(world: Simulation, folder: Path, grants: Sequence[str]) -> tuple[bool, str]:
    """Whether the item went, and what its reader is told when he wants to open it."""
    jp, kr = world.nodes["jp"].house, world.nodes["kr"].house
    assert jp is not None
    assert kr is not None
    (folder / "document").write_bytes(b"report")
    world.asked.append(Asked("jp", "r-0", b"report", (READER,)))
    request = Give(
        path=str(folder / "document"),
        relationship=RELATIONSHIP,
        mark=cast.MARKS["jp"][1],
        topic=TOPIC,
        recipients=(world.pseudonyms["kr", READER],),
        purpose=PURPOSE,
        request="r-0",
        actor=cast.actor("jp", cast.OFFICER),
    )
    await give(jp, request)
    await world.exchange_until_quiet()
    waiting = list(grants)
    while waiting:  # an assurance is refused to a reader who is not listed yet; its officer tries again later
        left = []
        for what in waiting:
            try:
                await grant(world, what)
            except ComityError:
                left.append(what)
            await world.exchange_until_quiet()
        if left == waiting:
            break
        waiting = left
    went = [row for row in rows(world.nodes["kr"], ConsignmentRow).values() if row.author == "jp"]
    if not went:
        return False, ""
    path = folder / "read"
    path.unlink(missing_ok=True)
    opened = await open_item(
        kr, Open(item=went[0].item, purpose=PURPOSE, path=str(path), actor=cast.actor("kr", READER))
    )
    return True, opened.outcome


def expected(grants: Sequence[str]) -> tuple[bool, str]:
    """What the agreement asks: nothing is assured about who is not listed; unassured or unapproved, nothing goes.

    More grants never make less of it, so that a world which does as this says has that property too.
    """
    assured = "list" in grants and ("assurance" in grants or "other assurance" in grants)
    return (True, "permit") if assured and "approval" in grants else (False, "")


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.data())
def test_neither_the_order_of_what_is_granted_nor_more_of_it_makes_a_difference(
    founded: Founded, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("documents")
    grants = data.draw(st.lists(st.sampled_from(GRANTS), unique=True, min_size=3))
    assert founded.run(lambda world: outcome(world, folder, grants)) == expected(grants)


@pytest.mark.parametrize("left_out", [None, *GRANTS])
def test_each_grant_is_needed_or_not(founded: Founded, tmp_path: Path, left_out: str | None) -> None:
    grants = [each for each in GRANTS if each != left_out]
    assert founded.run(lambda world: outcome(world, tmp_path, grants)) == expected(grants)
