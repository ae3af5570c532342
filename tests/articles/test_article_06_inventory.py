"""Article 6(f): identification, location, inventory and control (``spec/inventory.md``)."""

from __future__ import annotations

from clauses import article
from comity.flows.actors import Actor
from comity.flows.house import House
from comity.flows.looking.duties import ListDuties, list_duties
from comity.flows.looking.muster import Begin, CountCopies, SignMuster, begin, count, sign
from comity.flows.looking.reconciling import Reconcile, reconcile
from world import World

LEE = Actor("lee")
KEEPING = "keep-inventory"


async def shown(house: House, who: str) -> list[bool]:
    """Whether each duty of a party to keep an inventory is shown to be done, as this house sees it."""
    told = await list_duties(house, ListDuties())
    return [each.shown is not None for each in told.standing if (each.who, each.deed) == (who, KEEPING)]


@article(
    "6.f",
    does="has each side count its copies, keeps what differs open until explained, shows both when it was last done",
    command="comity muster",
    rests_on=("o-6f",),
)
async def test_a_muster_shows_both_sides_that_an_inventory_is_kept(world: World) -> None:
    given = await world.given()
    for house in (world.jp, world.kr):
        assert await shown(house, "kr") == [False]
    await begin(world.kr, Begin(actor=LEE))
    await count(world.kr, CountCopies(references=(f"{given.item}/1",), actor=LEE))
    assert (await sign(world.kr, SignMuster(actor=LEE))).findings == ()
    await world.exchange()
    for house in (world.jp, world.kr):
        assert await shown(house, "kr") == [True]
        assert await shown(house, "jp") == [False]  # each keeps its own


@article(
    "6.f",
    does="compares both registers of what passed by sums, by lines where they differ, and explains each difference",
    command="comity reconcile",
)
async def test_both_registers_say_who_has_which_copy(world: World) -> None:
    given = await world.given()

    async def ask(_peer: str, relationship: str, question: bytes) -> bytes:
        return await world.kr.answer_question("jp", relationship, question)

    world.jp.ask_peer = ask
    told = await reconcile(world.jp, Reconcile(peer="kr"))
    assert (told.items, told.copies, told.differences) == (1, 1, ())
    await begin(world.kr, Begin(actor=LEE, holder="kim"))
    signed = await sign(world.kr, SignMuster(actor=LEE))
    assert [(each.item, each.copy, each.there) for each in signed.findings] == [(given.item, 1, "missing")]
