"""Musters: what is counted, what differs, and what is refused (``spec/inventory.md``)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from comity.errors import Misuse, Refused
from comity.flows.actors import Actor
from comity.flows.handling.copy_references import reference_of
from comity.flows.looking.findings import Explain, ShowMusters, explain, show
from comity.flows.looking.muster import Begin, CountCopies, DropMuster, Signed, SignMuster, begin, count, drop, sign
from comity.register.rows import CopyRow
from comity.register.rows.inventory import CountedRow, InventoryRow, OpenFindingRow
from world import RELATIONSHIP, World

LEE = Actor("lee")


async def held(world: World, number: int = 2) -> list[str]:
    """References of copies that Kim holds, one of each of several items."""
    return [f"{(await world.given(path=world.document(bytes([n]), f'{n}.txt'))).item}/1" for n in range(number)]


async def label(world: World, reference: str) -> str:
    """What the label of a copy says."""
    item, _, number = reference.partition("/")
    return reference_of(await world.kr.need(CopyRow, f"{RELATIONSHIP}/{item}/{int(number):06d}", "copy"))


async def mustered(world: World, references: list[str], **changes: object) -> Signed:
    await begin(world.kr, Begin(actor=LEE, **changes))
    await count(world.kr, CountCopies(references=tuple(references), actor=LEE))
    return await sign(world.kr, SignMuster(actor=LEE))


async def set_state(world: World, reference: str, state: str) -> None:
    """A copy as other records would leave it, put into the register by hand."""
    item, _, number = reference.partition("/")
    key = f"{RELATIONSHIP}/{item}/{int(number):06d}"
    row = await world.kr.need(CopyRow, key, "copy")

    async def put(work: object) -> None:
        work.rows[CopyRow.table, key] = msgspec.structs.replace(row, state=state)  # type: ignore[attr-defined]  # a Work

    await world.kr.sequencer.submit(put)


async def test_everything_that_is_here_was_counted(world: World) -> None:  # (1) (2) (3)
    references = await held(world)
    begun = await begin(world.kr, Begin(actor=LEE))
    assert (begun.expected, begun.counted, begun.remaining) == (2, 0, 2)
    first = await count(world.kr, CountCopies(references=(references[0],), actor=LEE))
    assert [(line.found, line.holder) for line in first.lines] == [("present", "kim's desk")]
    assert (first.muster.counted, first.muster.remaining) == (1, 1)
    await count(world.kr, CountCopies(references=(await label(world, references[1]),), actor=LEE))
    signed = await sign(world.kr, SignMuster(actor=LEE))
    assert (signed.muster.expected, signed.muster.counted, signed.findings) == (2, 2, ())
    assert signed.muster.signed is not None
    rows = [row.found async for _, row in world.kr.rows(CountedRow)]
    assert rows == ["present", "present"]


async def test_what_is_missing_and_what_should_not_be_there_are_findings(world: World) -> None:  # (3)
    references = await held(world, 5)
    await set_state(world, references[1], "destroyed")
    await set_state(world, references[2], "lost")
    counted = [*references[:3], references[3], "i-aaaaaaaaaaaaaaaa/7", "c-aaaaaaaaaaaaaaaa"]
    signed = await mustered(world, counted)
    assert [(each.here, each.there) for each in signed.findings] == [
        ("destroyed", "counted"),
        ("lost", "counted"),
        ("unknown", "counted"),
        ("unknown", "counted"),
        ("held", "missing"),
    ]
    assert (signed.muster.expected, signed.muster.counted, signed.muster.findings) == (3, 6, 5)
    assert signed.findings[4].item == references[4].partition("/")[0]
    assert len([key async for key, _ in world.kr.rows(OpenFindingRow)]) == 5


async def test_a_muster_of_one_holder_expects_his_copies_and_finds_anothers(world: World) -> None:  # (1)
    (reference,) = await held(world, 1)
    signed = await mustered(world, [reference], holder="lee")
    assert [(each.here, each.there) for each in signed.findings] == [("held", "elsewhere")]
    assert (await begin(world.kr, Begin(actor=LEE, holder="kim"))).expected == 1


async def test_a_copy_is_counted_once(world: World) -> None:  # (2)
    references = await held(world, 1)
    await begin(world.kr, Begin(actor=LEE))
    with pytest.raises(Misuse) as caught:
        await count(world.kr, CountCopies(references=(references[0], await label(world, references[0])), actor=LEE))
    assert caught.value.code == "counted-twice"
    assert (await show(world.kr, ShowMusters())).musters[0].counted == 0  # refused whole
    await count(world.kr, CountCopies(references=tuple(references), actor=LEE))
    with pytest.raises(Misuse, match="counted twice: it is number 1"):
        await count(world.kr, CountCopies(references=tuple(references), actor=LEE))


@pytest.mark.parametrize(
    "reference", ["", "i-1", "i-1/x", "i-1/-1", "I-1/1", "i-1/1/1/1/1", "i-1/\u0661", "i-1/" + "9" * 5_000]
)
async def test_what_names_no_copy_is_not_counted(world: World, reference: str) -> None:  # (2)
    await begin(world.kr, Begin(actor=LEE))
    with pytest.raises(Misuse) as caught:
        await count(world.kr, CountCopies(references=(reference,), actor=LEE))
    assert caught.value.code == "no-copy"


async def test_only_the_registry_counts_and_whoever_began_signs(world: World) -> None:  # (1) (3)
    await world.person("kr", "yun", roles=("registry",))
    for actor in ("kim", "park"):
        with pytest.raises(Refused) as caught:
            await begin(world.kr, Begin(actor=Actor(actor)))
        assert caught.value.code == "no-role"
    with pytest.raises(Misuse, match="no muster is under way"):
        await sign(world.kr, SignMuster(actor=LEE))
    await begin(world.kr, Begin(actor=LEE))
    with pytest.raises(Misuse) as misuse:
        await sign(world.kr, SignMuster(actor=Actor("yun")))
    assert misuse.value.code == "other-signer"
    with pytest.raises(Refused):
        await show(world.kr, ShowMusters(actor=Actor("kim")))


async def test_two_musters_at_once_are_told_apart_and_one_is_given_up(world: World) -> None:  # (4)
    first = await begin(world.kr, Begin(actor=LEE))
    second = await begin(world.kr, Begin(actor=LEE, holder="kim"))
    with pytest.raises(Misuse) as caught:
        await sign(world.kr, SignMuster(actor=LEE))
    assert caught.value.code == "which-muster"
    await drop(world.kr, DropMuster(actor=LEE, muster=first.muster))
    assert (await sign(world.kr, SignMuster(actor=LEE))).muster.muster == second.muster


async def test_a_muster_of_the_whole_house_is_told_without_numbers(world: World) -> None:  # (6)
    signed = await mustered(world, await held(world, 1))
    assert signed.told == (RELATIONSHIP,)
    await world.exchange()
    row = await world.jp.need(InventoryRow, f"{RELATIONSHIP}/kr", "inventory")
    assert row.muster == signed.muster.muster
    assert row.begun == signed.muster.begun
    await begin(world.kr, Begin(actor=LEE, holder="kim"))
    assert (await sign(world.kr, SignMuster(actor=LEE))).told == ()


async def test_a_finding_is_explained_once_in_words_and_by_a_record(world: World) -> None:  # (5)
    await held(world, 1)
    await begin(world.kr, Begin(actor=LEE))
    signed = await sign(world.kr, SignMuster(actor=LEE))
    (finding,) = signed.findings
    assert (finding.now, finding.explained) == ("held", False)
    for changes, code in (
        ({"finding": "m-x/9"}, "unknown-finding"),
        ({"finding": "nothing"}, "unknown-finding"),
        ({"reason": ""}, "no-reason"),
        ({"record": "00" * 32}, "unknown-record"),
    ):
        request = Explain(**{"finding": finding.finding, "reason": "in the safe", "actor": LEE, **changes})
        with pytest.raises(Misuse) as caught:
            await explain(world.kr, request)
        assert caught.value.code == code
    with pytest.raises(Refused):
        await explain(world.kr, Explain(finding=finding.finding, reason="mine", actor=Actor("kim")))
    record = signed.muster.record
    told = await explain(world.kr, Explain(finding=finding.finding, reason="in the safe", actor=LEE, record=record))
    assert (told.explained, told.reason, told.followed) == (True, "in the safe", record)
    assert (await show(world.kr, ShowMusters())).findings == ()
    assert (await show(world.kr, ShowMusters(muster=signed.muster.muster))).findings == (told,)


async def test_a_large_muster_goes_over_several_sheets(world: World, monkeypatch: pytest.MonkeyPatch) -> None:  # (3)
    monkeypatch.setattr("comity.flows.looking.muster.SHEET_COPIES_MAX", 2)
    references = await held(world, 3)
    signed = await mustered(world, references[1:])
    assert [(each.item, each.there) for each in signed.findings] == [(references[0].partition("/")[0], "missing")]
    assert (signed.muster.expected, signed.muster.counted) == (3, 2)


async def test_without_a_number_nobody_is_told_by_when_to_count_again(world: World) -> None:  # (6)
    assert (await show(world.kr, ShowMusters())).due == ()


async def test_the_day_for_the_next_count_is_each_partys_own(tmp_path: Path) -> None:  # (6)
    world = await World.make(tmp_path, layers=("jp-kr-arrangement.example.toml", "kr-domestic.example.toml"))
    try:
        ((there,), (here,)) = [(await show(house, ShowMusters())).due for house in (world.jp, world.kr)]
        assert (there.within, there.place) == ("P1Y", "jp-kr-arrangement.example:5.4")
        assert (here.within, here.place, here.counted) == ("P6M", "kr-domestic.example:4", None)
        assert here.due.isoformat() == "2027-05-21T14:59:59+00:00"
        world.clock.time += timedelta(days=200)
        assert (await show(world.kr, ShowMusters())).due[0].overdue
        assert not (await show(world.jp, ShowMusters())).due[0].overdue
        await begin(world.kr, Begin(actor=LEE))
        await sign(world.kr, SignMuster(actor=LEE))
        (again,) = (await show(world.kr, ShowMusters())).due
        assert again.counted is not None
        assert not again.overdue
    finally:
        await world.close()
