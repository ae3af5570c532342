"""Article 6(h), and what Article 21(4) does not ask: return or destruction when the purpose is over, and only then."""

from __future__ import annotations

import pytest

from clauses import article
from comity.errors import Refused
from comity.flows.actors import Actor
from comity.flows.ending.destruction import Destroy, destroy
from comity.flows.ending.recalls import EndPurpose, end_purpose
from comity.flows.ending.returning import SendBack, TakeBack, send_back, take_back
from comity.flows.keeping.erasing import HEADER
from comity.flows.looking.duties import ListDuties, list_duties
from comity.register.rows import CopyRow
from world import RELATIONSHIP, World, adopt

ENDED = "jp-kr-2016.hypothetical.history.toml"


async def owed(world: World, item: str) -> dict[str, list[bool]]:
    """Of the duties of 6(h) whether they are discharged, as each side sees it."""
    found = {}
    for party in ("jp", "kr"):
        duties = (await list_duties(world.house(party), ListDuties(item=item))).duties
        found[party] = [each.discharged is not None for each in duties if each.clause == "6.h"]
    return found


async def state(world: World, party: str, item: str) -> str:
    return (await world.house(party).need(CopyRow, f"{RELATIONSHIP}/{item}/000001", "copy")).state


async def ended(world: World, item: str) -> None:
    await end_purpose(world.kr, EndPurpose(item=item, reason="the exercise is over", actor=Actor("lee")))


@article(
    "6.h",
    does="owes return or destruction from the day the recipient needs it no longer until the last copy is gone",
    command="comity purpose-ended",
    rests_on=("o-6h", "return-or-destroy"),
)
async def test_it_is_owed_until_the_last_copy_is_gone(world: World) -> None:
    given = await world.given()
    await ended(world, given.item)
    await world.exchange()
    assert await owed(world, given.item) == {"jp": [False], "kr": [False]}
    request = Destroy(item=given.item, copy=1, method="erase-key", reason="over", actor=Actor("kim"))
    assert (await destroy(world.kr, request)).certificate is not None
    await world.exchange()
    assert await owed(world, given.item) == {"jp": [True], "kr": [True]}


@article(
    "6.h",
    does="sends a copy back without its key, and shows it returned when the originator has signed for it",
    command="comity return",
    rests_on=("return-or-destroy", "o-6h"),
)
async def test_a_copy_is_returned_and_signed_for(world: World) -> None:
    given = await world.given()
    await ended(world, given.item)
    sent = await send_back(world.kr, SendBack(item=given.item, copy=1, reason="over", actor=Actor("kim")))
    assert any(each.code == "permitted" and each.clause == "6.h" for each in sent.decision.reasons)
    copy = await world.kr.need(CopyRow, f"{RELATIONSHIP}/{given.item}/000001", "copy")
    assert await world.kr.side(HEADER, copy.header.hex()) is None
    await world.exchange()
    assert await owed(world, given.item) == {"jp": [False], "kr": [False]}
    await take_back(world.jp, TakeBack(item=given.item, copy=1, actor=Actor("ito")))
    await world.exchange()
    assert await owed(world, given.item) == {"jp": [True], "kr": [True]}
    assert [await state(world, party, given.item) for party in ("jp", "kr")] == ["returned", "returned"]


@article(
    "6.h",
    does="lets nobody but its holder end a copy, and each copy end once",
    command="comity destroy",
    rests_on=("return-or-destroy",),
)
async def test_a_copy_ends_once_by_its_holder(world: World) -> None:
    given = await world.given()
    for actor in ("lee", "hong"):
        with pytest.raises(Refused) as caught:
            await destroy(
                world.kr,
                Destroy(item=given.item, copy=1, method="erase-key", reason="tidying", actor=Actor(actor)),
            )
        assert caught.value.code == "not-holder"
    request = Destroy(item=given.item, copy=1, method="erase-key", reason="over", actor=Actor("kim"))
    assert (await destroy(world.kr, request)).certificate is not None
    with pytest.raises(Refused) as again:
        await destroy(world.kr, request)
    assert again.value.code == "copy-state"


@article(
    "21.4",
    does="opens no duty to return or destroy by the end of the agreement alone; Article 6(h) still does",
    command="comity purpose-ended",
    rests_on=("o-6h", "term.survival"),
)
async def test_the_end_of_the_agreement_opens_no_duty_by_itself(world: World) -> None:
    given = await world.given()
    text = await world.jp.library.text((await world.jp.agreement_row(RELATIONSHIP)).text)
    for house, peer in ((world.jp, "kr"), (world.kr, "jp")):
        await adopt(house, peer, ENDED, text=text)
    await world.exchange()
    assert await owed(world, given.item) == {"jp": [], "kr": []}
    await ended(world, given.item)
    await world.exchange()
    assert await owed(world, given.item) == {"jp": [False], "kr": [False]}
    sent = await send_back(world.kr, SendBack(item=given.item, copy=1, reason="over", actor=Actor("kim")))
    assert any(each.code == "protected" and each.clause == "21.4" for each in sent.decision.reasons)
