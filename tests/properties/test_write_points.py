"""Every write of one complete give fails in turn, and in each way; it is finished all the same, and once.

The give goes from Seoul to Tokyo, where a person must choose between two marks. Whoever sees his act fail looks whether
it was done, and does it again only if it was not.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from comity.errors import ComityError
from comity.flows.giving.answering import Approve, Assure, approve, assure
from comity.flows.giving.marks import MarkItem, mark_item
from comity.flows.giving.opening import Open, open_item
from comity.flows.giving.release import Give, give
from comity.flows.house import House
from comity.register.rows import AskedRow, AssuranceRow, ConsignmentRow, CopyRow, ItemRow, RequestRow
from comity.stores.memory_disk import Crashed, Fault, WritePoint
from properties.founded import Founded
from simulation import cast
from simulation.acts import Asked
from simulation.at_rest import rows
from simulation.simulation import Simulation
from simulation.witness import SECRET
from world import RELATIONSHIP

GIVER, RECEIVER = "kr", "jp"
REQUEST = "r-0"
CONTENT = SECRET + b"all of it"
TRIES_MAX = 4
"""One write fails, so a second try must do; the rest is room for what the first one left to be settled."""
WRITES_AT_LEAST = {"kr": 8, "jp": 6}
"""Fewer writes than this would mean that the give was not complete."""


FAULTS = [fault for fault in Fault if fault is not Fault.DISK_FULL]
"""To whom a write fails, a full disk and a disk that fails without writing are the same."""


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Founded:
    return Founded(tmp_path_factory.mktemp("houses"))


class Whole:
    """One complete give, step by step, as persistent people do it."""

    def __init__(self, world: Simulation, folder: Path, tries: int = TRIES_MAX) -> None:
        self.tries = tries
        self.world = world
        self.folder = folder
        self.reader = world.pseudonyms[RECEIVER, "reader"]
        world.asked.append(Asked(GIVER, REQUEST, CONTENT, ("reader",)))
        (folder / "document").write_bytes(CONTENT)

    async def run(self) -> None:
        giver, receiver = self.world.nodes[GIVER], self.world.nodes[RECEIVER]
        await self.until(GIVER, self.ask, lambda: REQUEST in rows(giver, RequestRow))
        await self.cross(lambda: bool(rows(receiver, AskedRow)))
        await self.until(RECEIVER, self.vouch, lambda: bool(rows(receiver, AssuranceRow)))
        await self.until(GIVER, self.release, lambda: bool(rows(giver, RequestRow)[REQUEST].approvals))
        await self.cross(lambda: any(row.receipt for row in rows(giver, ConsignmentRow).values()))
        await self.until(RECEIVER, self.mark, lambda: self.item().alternative is not None)
        await self.until(RECEIVER, self.read, lambda: any(copy.openings for copy in rows(receiver, CopyRow).values()))
        await self.cross(lambda: any(copy.openings for copy in rows(giver, CopyRow).values()))

    async def until(self, party: str, act: Callable[[House], Awaitable[object]], done: Callable[[], bool]) -> None:
        """Do an act, and again when it failed and was not done."""
        for _ in range(self.tries):
            house = self.world.nodes[party].house
            assert house is not None
            try:
                await act(house)
            except (ComityError, Crashed):
                await self.world.revive()
            if done():
                return
        pytest.fail(f"{act.__name__} did not succeed")

    async def cross(self, done: Callable[[], bool]) -> None:
        """Exchange until the other side has what it waits for."""
        for _ in range(self.tries):
            await self.world.exchange_until_quiet()
            if done():
                return
        pytest.fail("the other side did not get it")

    def item(self) -> ItemRow:
        return next(iter(rows(self.world.nodes[RECEIVER], ItemRow).values()))

    async def ask(self, house: House) -> object:
        request = Give(
            path=str(self.folder / "document"),
            relationship=RELATIONSHIP,
            mark=cast.MARKS[GIVER][1],
            topic=cast.TOPICS[0],
            recipients=(self.reader,),
            purpose=cast.PURPOSES[0],
            request=REQUEST,
            actor=cast.actor(GIVER, cast.OFFICER),
        )
        return await give(house, request)

    async def vouch(self, house: House) -> object:
        officer = cast.actor(RECEIVER, cast.GUARD)
        return await assure(house, Assure(request=REQUEST, relationship=RELATIONSHIP, actor=officer))

    async def release(self, house: House) -> object:
        authority = cast.actor(GIVER, cast.AUTHORITY)
        return await approve(house, Approve(request=REQUEST, reason="needed", actor=authority))

    async def mark(self, house: House) -> object:
        registry = cast.actor(RECEIVER, cast.GUARD)
        return await mark_item(house, MarkItem(item=self.item().item, mark="特定秘密", actor=registry))

    async def read(self, house: House) -> object:
        path = self.folder / "read"
        path.unlink(missing_ok=True)
        reader = cast.actor(RECEIVER, "reader")
        opened = await open_item(
            house, Open(item=self.item().item, purpose=cast.PURPOSES[0], path=str(path), actor=reader)
        )
        assert path.read_bytes() == CONTENT
        return opened


async def writes(world: Simulation, folder: Path, party: str) -> list[WritePoint]:
    """The writes of one complete give in one house, when none of them fails."""
    points: list[WritePoint] = []
    world.nodes[party].disk.faults = points.append
    await Whole(world, folder).run()
    return points


async def with_fault(world: Simulation, folder: Path, party: str, number: int, fault: Fault) -> None:
    """One complete give in which one write of one house fails; then the world comes to rest, every invariant held."""
    left = number

    def plan(_: WritePoint) -> Fault | None:
        nonlocal left
        left -= 1
        return fault if left == -1 else None

    world.nodes[party].disk.faults = plan
    await Whole(world, folder).run()
    assert left < 0, "the write that was to fail never came"
    await finished(world)


async def finished(world: Simulation) -> None:
    """The world comes to rest with every invariant held, and the give was done once."""
    await world.rest()
    for node in world.nodes.values():
        (consignment,) = rows(node, ConsignmentRow).values()
        assert consignment.receipt is not None
        (copy,) = rows(node, CopyRow).values()
        assert (copy.state, len(copy.openings)) == ("held", 1)


@pytest.mark.parametrize("party", [GIVER, RECEIVER])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name.lower())
def test_a_give_is_finished_once_whichever_write_fails(
    founded: Founded, tmp_path: Path, party: str, fault: Fault
) -> None:
    points = founded.run(lambda world: writes(world, tmp_path, party))
    assert len(points) >= WRITES_AT_LEAST[party]
    for number, point in enumerate(points):
        try:
            founded.run(
                lambda world, number=number: with_fault(world, tmp_path, party, number, fault)
            )  # the loop's own
        except BaseException as error:
            error.add_note(f"{fault.name} at write {number} of {party} ({point})")
            raise
