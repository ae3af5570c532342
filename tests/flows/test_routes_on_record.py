"""What was handed on, in the journals of three houses: rebuilt, verified, exported as evidence, lost on the way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.evidence.verify import verify
from comity.flows.actors import Actor
from comity.flows.ending.levels import Reclassify, reclassify
from comity.flows.ending.recalls import Recall, recall
from comity.flows.exchanging.parcel import write_parcel
from comity.flows.giving.opening import Open, open_item
from comity.flows.looking.evidence import ExportEvidence, export_evidence
from comity.flows.maintaining.rebuilding import Rebuild, VerifyLedger, rebuild, verify_ledger
from comity.register.rows import TABLES, CopyRow, ReturnedRow, decode_row
from comity.register.rows.routes import HandedOnRow
from trilateral import ACROSS, FIRST, JP_US, KR_US, PURPOSE, SECOND, Trilateral


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Trilateral]:
    made = await Trilateral.make(tmp_path)
    yield made
    await made.close()


async def test_the_registers_of_all_three_are_what_their_journals_add_up_to(world: Trilateral) -> None:
    handed, _ = await world.handed_on()
    await recall(
        world.houses["jp"], Recall(item=handed.item, asks="destroy", reason="it was wrong", actor=Actor("abe"))
    )
    await world.exchange()
    for house in world.houses.values():
        assert (await verify_ledger(house, VerifyLedger())).findings == ()
        assert (await rebuild(house, Rebuild())).findings == ()


async def test_evidence_of_what_came_by_anothers_hand(tmp_path: Path) -> None:
    world = await Trilateral.make(tmp_path, (JP_US, ACROSS))
    try:
        handed = await world.given(JP_US, giver="us")
        wanted = await world.ask_consent(handed.item, "jp", beneficiary="kr", beneficiary_kind="government")
        await world.consent(wanted, "us")
        asked = await world.ask_on(handed.item, "jp", ACROSS)
        await world.assure_on(asked, ACROSS, "kr")
        await world.approve_on(asked, "jp")
        kr = world.houses["kr"]
        wish = Open(item=handed.item, purpose=PURPOSE, path=str(tmp_path / "read.txt"), actor=Actor("kim"))
        assert (await open_item(kr, wish)).outcome == "permit"
        await world.exchange()
        shown = {}
        for party, who in (("kr", "lee"), ("jp", "ito")):
            out = str(tmp_path / f"{party}.evidence")
            wanted_by = ExportEvidence(item=handed.item, path=out, actor=Actor(who), relationship=ACROSS)
            shown[party] = await export_evidence(world.houses[party], wanted_by)
        story = verify((tmp_path / "kr.evidence").read_bytes(), (), kr.zones)
        assert story.item == handed.item
        assert shown["jp"].outcome == "no-basis"  # under the agreement by which Tokyo has it nothing permits evidence
    finally:
        await world.close()


LEGS = (FIRST, SECOND)
ALL = (JP_US, KR_US, FIRST, SECOND)
MISHAPS = st.lists(
    st.tuples(st.sampled_from(LEGS), st.booleans(), st.sampled_from(["lost", "no answer", "twice"])), max_size=8
)


async def carried(world: Trilateral, relationship: str, mishap: str, *, back: bool) -> None:
    """A parcel that does not arrive, whose answer does not, or that comes twice."""
    one, other = world.between[relationship]
    sender, receiver = (other, one) if back else (one, other)
    parcel = write_parcel(await world.houses[sender].pack(relationship))
    if mishap == "lost":
        return
    reply = await world.houses[receiver].take_parcel(sender, relationship, parcel)
    if mishap == "twice":
        await world.houses[receiver].take_parcel(sender, relationship, parcel)
        await world.houses[sender].take_reply(relationship, reply)
        await world.houses[sender].take_reply(relationship, reply)


@settings(max_examples=12, deadline=None)
@given(mishaps=st.lists(MISHAPS, min_size=3, max_size=3))
def test_whatever_is_lost_or_comes_twice_there_is_one_receipt_in_the_end(
    tmp_path_factory: pytest.TempPathFactory, mishaps: list[list[tuple[str, bool, str]]]
) -> None:
    async def story() -> None:
        world = await Trilateral.make(tmp_path_factory.mktemp("houses"), ALL)
        exchange = world.exchange
        fates = iter(mishaps)

        async def badly(*_: str, rounds: int = 2) -> None:
            for relationship, back, mishap in next(fates, []):
                await carried(world, relationship, mishap, back=back)
            await exchange(rounds=rounds)

        world.exchange = badly
        try:
            handed, approved = await world.handed_on()
            await exchange()
            assert approved.given is not None
            jp = world.houses["jp"]
            rows = [row async for _, row in jp.rows(HandedOnRow)]
            assert [(row.item, row.to, row.received is not None) for row in rows] == [(handed.item, "kr", True)]
            for house in world.houses.values():
                assert [row async for _, row in house.rows(ReturnedRow)] == []
            sums = {await conserved(world, party) for party in ("us", "kr")}
            assert sums == {((handed.item, 1, "held"),)}
        finally:
            await world.close()

    asyncio.run(story())


async def conserved(world: Trilateral, party: str) -> tuple[tuple[str, int, str], ...]:
    """The copies that were handed on, as one side has them."""
    rows = [row async for _, row in world.houses[party].rows(CopyRow, f"{SECOND}/")]
    return tuple((row.item, row.number, row.state) for row in rows)


async def shared(world: Trilateral, party: str, relationship: str) -> dict[tuple[str, str], object]:
    """What a house has in its tables about one relationship."""
    store = world.houses[party].store
    found: dict[tuple[str, str], object] = {}
    for table in TABLES:
        for key, value in await store.scan(table, f"{relationship}/", f"{relationship}0", limit=10_000):
            found[table, key] = decode_row(table, value)
    return found


async def test_both_sides_of_each_leg_have_the_same_rows(tmp_path: Path) -> None:
    """Given, consented, handed on, opened, re-marked, recalled: item by item, copy by copy, duty by duty."""
    rule = '\n[[rule]]\nid = "levels-change"\nclause = "levels"\nacts = ["reclassify"]\npermits = true\n'
    world = await Trilateral.make(tmp_path, more={"tisa-2014": rule})
    jp, us, kr = (world.houses[each] for each in ("jp", "us", "kr"))
    try:
        handed, _ = await world.handed_on()
        wish = Open(item=handed.item, purpose=PURPOSE, path=str(tmp_path / "read.txt"), actor=Actor("kim"))
        assert (await open_item(kr, wish)).outcome == "permit"
        await reclassify(jp, Reclassify(item=handed.item, mark="秘", reason="it is known", actor=Actor("abe")))
        await world.exchange()
        await reclassify(us, Reclassify(item=handed.item, mark="CONFIDENTIAL", reason="told", actor=Actor("brown")))
        await world.exchange()
        await recall(jp, Recall(item=handed.item, asks="destroy", reason="it was wrong", actor=Actor("abe")))
        await world.exchange()
        await recall(us, Recall(item=handed.item, asks="destroy", reason="Tokyo asks", actor=Actor("brown")))
        await world.exchange()
        for relationship in (FIRST, SECOND):
            one, other = world.between[relationship]
            mine, theirs = await shared(world, one, relationship), await shared(world, other, relationship)
            about = {key for key in mine.keys() | theirs.keys() if handed.item in key[1]}
            assert {key for key in about if mine.get(key) != theirs.get(key)} == set()
            assert {"copy", "holding", "level", "recall", "duty"} <= {table for table, _ in about}
    finally:
        await world.close()
