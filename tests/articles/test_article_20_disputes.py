"""Article 20: disputes are settled by consultation alone, and meanwhile everything stays protected."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from clauses import article
from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.agreeing.deposits import (
    CheckDeposit,
    ListDeposits,
    MakeDeposit,
    RevealDeposit,
    check_deposit,
    list_deposits,
    make_deposit,
    reveal_deposit,
)
from comity.flows.agreeing.disputes import (
    AnswerDispute,
    DisputeShown,
    OpenDispute,
    SettleDispute,
    ShowDispute,
    answer_dispute,
    open_dispute,
    settle_dispute,
    show_dispute,
)
from comity.flows.giving.opening import Open, open_item
from comity.flows.looking.duties import ListDuties, list_duties
from world import RELATIONSHIP, World

ENVOY, LEGATE = Actor("mori"), Actor("yun")
STATEMENT = b"At 06:00:01 UTC the radar was in search mode.\n"


async def authorities(world: World) -> None:
    await world.person("jp", "mori", roles=("agreement-authority", "officer"))
    await world.person("kr", "yun", roles=("agreement-authority", "registry"))
    await world.exchange()


async def opened(world: World, **changes: object) -> DisputeShown:
    fields: dict[str, object] = {
        "relationship": RELATIONSHIP,
        "about": "reading",
        "subject": "20",
        "question": "what is a consultation?",
        "position": "an exchange of positions",
        "actor": LEGATE,
        **changes,
    }
    made = await open_dispute(world.kr, OpenDispute(**fields))
    await world.exchange()
    return made


@article(
    "20",
    does="records the positions of both sides, and a settlement only when both have signed the same text",
    command="comity dispute settle",
)
async def test_a_dispute_ends_only_by_a_text_that_both_sign(world: World) -> None:
    await authorities(world)
    dispute = (await opened(world)).dispute
    await answer_dispute(world.jp, AnswerDispute(dispute=dispute, says="a meeting", actor=ENVOY))
    await world.exchange()
    for house, actor, text in (
        (world.kr, LEGATE, "Either will do."),
        (world.jp, ENVOY, "A meeting will do."),
        (world.jp, ENVOY, "Either will do."),
    ):
        shown = await show_dispute(world.kr, ShowDispute(dispute=dispute))
        assert shown.settled is None
        await settle_dispute(house, SettleDispute(dispute=dispute, text=text, actor=actor))
        await world.exchange()
    ends = [await show_dispute(house, ShowDispute(dispute=dispute)) for house in (world.jp, world.kr)]
    assert ends[0] == ends[1]
    assert ends[0].settled is not None
    assert [each.party for each in ends[0].positions] == ["kr", "jp"]
    with pytest.raises(Misuse, match="was settled"):
        await answer_dispute(world.jp, AnswerDispute(dispute=dispute, says="but", actor=ENVOY))


@article(
    "20",
    does="keeps what is in dispute protected: it is opened by whom the rules allow, and by nobody else",
    command="comity dispute open",
    rests_on=("access",),
)
async def test_what_is_in_dispute_stays_protected(world: World) -> None:
    await authorities(world)
    given = await world.given()
    await opened(world, about="item", subject=given.item, question="was it marked?", position="it was not")
    outcomes = {}
    for handle in ("kim", "park"):
        path = str(world.folder / f"{handle}.txt")
        request = Open(item=given.item, purpose="air defence", path=path, actor=Actor(handle))
        with suppress(Misuse):  # who may not see it is told that there is nothing
            outcomes[handle] = (await open_item(world.kr, request)).outcome
    assert outcomes["kim"] == "permit"
    assert outcomes.get("park") != "permit"
    owed = await list_duties(world.kr, ListDuties(whose="mine"))
    assert {each.deed for each in owed.standing} >= {"protect", "keep-inventory"}  # nothing of this is put off


@article(
    "20",
    "5",
    does="counts the position that each side owes by the number of an arrangement",
    command="comity duties",
    rests_on=("jp-kr-arrangement.example:a-position",),
)
async def test_each_side_owes_its_position_where_an_arrangement_says_so(make_world: Any) -> None:
    world: World = await make_world(layers=("jp-kr-arrangement.example.toml",))
    await authorities(world)
    dispute = (await opened(world)).dispute
    for house in (world.jp, world.kr):
        (duty,) = [each for each in (await list_duties(house, ListDuties())).duties if each.deed == "consult"]
        assert (duty.who, duty.instrument, duty.clause, duty.within) == ("jp", "jp-kr-arrangement.example", "6", "P30D")
    world.clock.time += timedelta(days=32)
    assert (await list_duties(world.jp, ListDuties(whose="mine", overdue=True))).overdue == 1
    await answer_dispute(world.jp, AnswerDispute(dispute=dispute, says="a meeting", actor=ENVOY))
    assert (await list_duties(world.jp, ListDuties(whose="mine", overdue=True))).overdue == 0


@article(
    "20",
    does="lets a disagreement about facts start from statements that nobody could adjust once they were deposited",
    command="comity deposit make",
)
async def test_a_dispute_starts_from_what_was_deposited(world: World) -> None:
    await authorities(world)
    path = world.document(STATEMENT, "statement.txt")
    made = await make_deposit(
        world.jp, MakeDeposit(path=path, relationship=RELATIONSHIP, about="what the radar did", actor=ENVOY)
    )
    assert not made.witnessed
    await world.exchange()
    (own,) = await list_deposits(world.jp, ListDeposits())
    (theirs,) = await list_deposits(world.kr, ListDeposits())
    assert own.witnessed
    assert (theirs.text, theirs.digest, theirs.revealed) == (None, "", None)
    dispute = await opened(world, question="was it fire control?", position="it was", deposits=(made.deposit,))
    adjusted = world.document(STATEMENT.replace(b"search", b"test"), "adjusted.txt")
    with pytest.raises(Misuse, match="not what was deposited"):
        await reveal_deposit(world.jp, RevealDeposit(deposit=made.deposit, actor=ENVOY, path=adjusted))
    await reveal_deposit(world.jp, RevealDeposit(deposit=made.deposit, actor=ENVOY))
    await world.exchange()
    (theirs,) = await list_deposits(world.kr, ListDeposits())
    assert theirs.text == STATEMENT.decode()
    for file, matches in ((path, True), (adjusted, False)):
        assert (await check_deposit(world.kr, CheckDeposit(deposit=made.deposit, path=file))).matches is matches
    shown = await show_dispute(world.jp, ShowDispute(dispute=dispute.dispute))
    assert shown.positions[0].deposits == (made.deposit,)
