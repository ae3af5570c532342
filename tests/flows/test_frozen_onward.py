"""What stops and what goes on once the party that gave something signed two histories (``contradictions.md`` 32)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from comity.errors import Refused, Rejected
from comity.flows.actors import Actor
from comity.flows.consenting.consent_requests import AskConsent, ask_consent
from comity.flows.consenting.granting import AnswerConsent, GrantConsent, answer_consent, grant_consent
from comity.flows.consenting.passing_on import AskPassOn, SealPassOn, ask_pass_on, seal_pass_on
from comity.flows.consenting.showing import AskShow, ask_show
from comity.flows.ending.destruction import Destroy, destroy
from comity.flows.ending.recalls import Recall, recall
from comity.flows.ending.returning import SendBack, send_back
from comity.flows.giving.answering import Approve, approve
from comity.flows.giving.opening import Open, open_item
from comity.flows.handling.losing import LoseCopy, lose_copy
from comity.flows.house import House
from comity.flows.vouching.contradictions import (
    ListContradictions,
    SettleContradiction,
    list_contradictions,
    settle_contradiction,
)
from comity.record.statement import chain_id
from comity.register.rows import CopyRow
from flows.consenting import UNTIL, US, answer, ask, staffed
from flows.parcels import listed, parcel_with, record_of
from flows.test_frozen import LAYER
from trilateral import FIRST, Trilateral
from world import RELATIONSHIP, ROOT, World

KIM = Actor("kim")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = await World.make(tmp_path, layers=(LAYER,))
    yield made
    await made.close()


async def lie(liar: House, to: House, relationship: str = RELATIONSHIP) -> None:
    """``liar`` signs another record in a place that ``to`` has."""
    chain = chain_id(relationship, liar.party)
    previous = (await to.store.chain(chain, 0, 1))[0].record
    fields: dict[str, Any] = {"relationship": relationship, "sequence": 1, "previous": previous}
    other = record_of(liar, listed(liar, "n-other"), seen=liar.sequencer.seen.get(relationship), **fields)
    with pytest.raises(Rejected):
        await to.exchange.unpack(liar.party, await parcel_with(liar, other))


async def settled(house: House) -> None:
    (found,) = await list_contradictions(house, ListContradictions())
    await settle_contradiction(
        house, SettleContradiction(contradiction=found.contradiction, reason="a restored copy", actor=ROOT)
    )


async def frozen(doing: Any) -> None:
    with pytest.raises(Refused) as caught:
        await doing
    assert (caught.value.code, caught.value.place) == ("frozen", "jp-answers:two-histories")


def onward(item: str) -> AskPassOn:
    return AskPassOn(
        item=item,
        copy=1,
        beneficiary="us",
        beneficiary_kind="government",
        recipient=str(US.recipient),
        purpose="air defence",
        actor=KIM,
    )


async def test_nothing_is_passed_on_by_its_consent(world: World) -> None:
    await staffed(world)
    item = (await world.given()).item
    await answer(world, (await ask(world, item)).request)
    asked = await ask_pass_on(world.kr, onward(item))
    await approve(world.kr, Approve(request=asked.request, reason="needed", actor=Actor("baek")))
    await lie(world.jp, world.kr)
    await frozen(ask_pass_on(world.kr, onward(item)))
    sealed = SealPassOn(request=asked.request, path=str(world.folder / "courier.age"), actor=KIM)
    await frozen(seal_pass_on(world.kr, sealed))
    assert not (world.folder / "courier.age").exists()
    await settled(world.kr)
    assert (await seal_pass_on(world.kr, sealed)).record is not None


async def test_nobody_is_shown_it(world: World) -> None:
    item = (await world.given()).item
    await lie(world.jp, world.kr)
    shown = AskShow(
        relationship=RELATIONSHIP,
        recipients=(await world.pseudonym("park"),),
        manner="oral",
        purpose="air defence",
        actor=KIM,
        item=item,
    )
    await frozen(ask_show(world.kr, shown))


async def test_nothing_is_consented_to_but_a_refusal_and_a_withdrawal_are_said(world: World) -> None:
    await staffed(world)
    item = (await world.given()).item
    asked = await ask_consent(
        world.kr,
        AskConsent(
            item=item,
            acts=("pass-on",),
            beneficiary="us",
            beneficiary_kind="government",
            purpose="air defence",
            reason="an exercise",
            until=UNTIL,
            actor=Actor("lee"),
        ),
    )
    await world.exchange()
    await lie(world.kr, world.jp)
    said = {"request": asked.request, "reason": "why", "actor": Actor("abe")}
    await frozen(answer_consent(world.jp, AnswerConsent(granted=True, **said)))  # type: ignore[arg-type]  # as they are
    granted = GrantConsent(
        relationship=RELATIONSHIP,
        acts=("pass-on",),
        beneficiaries=("us",),
        purpose="air defence",
        until=UNTIL,
        reason="why",
        actor=Actor("abe"),
        topic="missiles",
    )
    await frozen(grant_consent(world.jp, granted))
    assert not (await answer_consent(world.jp, AnswerConsent(granted=False, **said))).row.granted  # type: ignore[arg-type]  # likewise


async def test_what_protects_goes_on(world: World) -> None:
    read, gone, back = [(await world.given(path=world.document(b"%d" % number))).item for number in range(3)]
    await lie(world.jp, world.kr)
    await lie(world.kr, world.jp)
    request = Open(item=read, purpose="air defence", path=str(world.folder / "opened"), actor=KIM)
    assert (await open_item(world.kr, request)).outcome == "permit"
    await lose_copy(world.kr, LoseCopy(item=gone, copy=1, circumstances="not in the safe", actor=KIM))
    for item in (read, back):
        await recall(world.jp, Recall(item=item, asks="either", reason="by mistake", actor=Actor("abe")))
    await world.exchange()
    await destroy(world.kr, Destroy(item=read, copy=1, method="erase-key", reason="recalled", actor=KIM))
    sent = await send_back(world.kr, SendBack(item=back, copy=1, reason="recalled", actor=KIM))
    assert sent.outcome == "permit"
    keys = [f"{RELATIONSHIP}/{item}/000001" for item in (gone, back)]
    states = [(await world.kr.need(CopyRow, key, "copy")).state for key in keys]
    assert states == ["lost", "in transit"]


async def test_nothing_is_handed_on_that_came_under_it(tmp_path: Path) -> None:
    """Tokyo lied to Washington; what Washington has of Tokyo does not go on to Seoul, and its own does."""
    world = await Trilateral.make(tmp_path, layers={FIRST: (LAYER,)})
    given = await world.given()
    await lie(world.houses["jp"], world.houses["us"], FIRST)
    await frozen(world.ask_on(given.item))
    await settled(world.houses["us"])
    assert (await world.ask_on(given.item)).outcome == "needs-consent"
    await world.close()
