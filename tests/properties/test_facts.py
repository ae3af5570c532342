"""What people have done decides, not in which order they did it; and whatever more is granted refuses nothing.

At the level of flows, over the registers of two houses; for the decision by itself see ``tests/decision``.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.errors import ComityError
from comity.flows.answering import Approve, Assure, approve, assure
from comity.flows.giving import Give, give
from comity.flows.opening import Open, open_item
from comity.flows.people import ChangeList, change_list
from comity.register.rows import ConsignmentRow
from properties.founded import Founded
from simulation import cast
from simulation.acts import Asked
from simulation.at_rest import rows
from simulation.simulation import Simulation
from world import RELATIONSHIP, ROOT

GRANTS = ("assurance", "approval", "clearance", "list", "other clearance", "other list", "other assurance")
"""What people may grant about one request from Tokyo; the first two let it go, the next two let it be opened."""
NEEDED = frozenset(("assurance", "approval", "clearance", "list"))
READER = "unlisted"
"""Not on any list at the founding, and cleared for what is CONFIDENTIAL only as the tests have it."""
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


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.data())
def test_the_order_in_which_things_are_granted_does_not_matter(
    founded: Founded, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("documents")
    grants = data.draw(st.lists(st.sampled_from(GRANTS), unique=True))
    again = data.draw(st.permutations(grants))
    one, other = (founded.run(lambda world, order=order: outcome(world, folder, order)) for order in (grants, again))
    assert one == other
    assert one == expected(grants)


def expected(grants: Sequence[str]) -> tuple[bool, str]:
    """What the agreement asks: without a list nothing is assured, unassured or unapproved nothing goes."""
    assured = "list" in grants and any(grant.endswith("assurance") for grant in grants)
    if not (assured and "approval" in grants):
        return False, ""
    return True, "permit"
