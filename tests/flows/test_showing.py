"""Showing: assured, approved, recorded on both sides, and no copy made (``spec/consent.md`` steps 14 to 17)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from comity.errors import ComityError
from comity.flows.actors import Actor
from comity.flows.consenting.showing import (
    AskShow,
    CompareShown,
    DoneShow,
    ShowTold,
    ask_show,
    compare_shown,
    done_show,
)
from comity.flows.deriving.derivation import Derive, derive
from comity.flows.ending.levels import Reclassify, reclassify
from comity.flows.giving.answering import Approve, Assure, approve, assure
from comity.flows.giving.using import UseItem, use_item
from comity.flows.looking.views import ShowInbox, ShowOutbox, ShowRegister, show_inbox, show_outbox, show_register
from comity.flows.maintaining.rebuilding import VerifyLedger, verify_ledger
from comity.register.rows import CopyRow, ItemRow
from flows.consenting import answer, ask_other_use
from world import RELATIONSHIP, TODAY, World


async def refused(code: str, doing: Any) -> ComityError:
    with pytest.raises(ComityError) as raised:
        await doing
    assert raised.value.code == code, raised.value
    return raised.value


async def ask(world: World, **changes: object) -> ShowTold:
    """Sato asks to tell Kim what the radar saw."""
    fields: dict[str, object] = {
        "relationship": RELATIONSHIP,
        "recipients": (await world.pseudonym("kim"),),
        "manner": "oral",
        "purpose": "air defence",
        "actor": Actor("sato"),
        "mark": "極秘",
        "topic": "missiles",
        "title": "what the radar saw",
        **changes,
    }
    told = await ask_show(world.jp, AskShow(**fields))
    await world.exchange()
    return told


async def assured(world: World, request: str) -> None:
    await assure(world.kr, Assure(request=request, relationship=RELATIONSHIP, actor=Actor("lee")))
    await world.exchange()


async def approved(world: World, request: str) -> None:
    await approve(world.jp, Approve(request=request, reason="needed", actor=Actor("abe")))


async def done(world: World, request: str, **changes: object) -> ShowTold:
    told = await done_show(world.jp, DoneShow(**{"request": request, "actor": Actor("sato"), **changes}))
    await world.exchange()
    return told


async def shown(world: World, **changes: object) -> ShowTold:
    asked = await ask(world, **changes)
    await assured(world, asked.request)
    await approved(world, asked.request)
    return await done(world, asked.request)


async def test_what_was_shown_stands_on_both_sides_and_no_copy_does(world: World) -> None:
    asked = await ask(world)
    (line,) = (await show_inbox(world.kr, ShowInbox())).asked
    assert (line.act, line.form) == ("show", "oral")
    (waiting,) = (await show_outbox(world.jp, ShowOutbox())).waiting
    assert (waiting.act, waiting.manner) == ("show", "oral")
    await assured(world, asked.request)
    assert (await done(world, asked.request)).outcome == "needs-consent"
    await approved(world, asked.request)
    told = await done(world, asked.request)
    assert told.outcome == "permit"
    for party in ("jp", "kr"):
        house = world.house(party)
        (item,) = await show_register(house, ShowRegister())
        assert (item.item, item.form, item.copies) == (asked.item, "oral", ())
        assert [(each.manner, each.to) for each in item.shown] == [("oral", asked.to)]
        assert [row async for _, row in house.rows(CopyRow)] == []
        assert not (await verify_ledger(house, VerifyLedger())).findings
    (theirs,) = await show_register(world.kr, ShowRegister())
    assert theirs.alternative is not None
    assert (theirs.alternative.mark, theirs.provided, theirs.title) == ("군사 Ⅱ급 비밀", "air defence", "")


async def test_nothing_is_shown_without_assurance(world: World) -> None:
    asked = await ask(world)
    await approved(world, asked.request)
    told = await done(world, asked.request)
    assert told.record is None
    assert {each.code for each in told.decision.reasons if each.effect == "needs"} == {"condition-missing"}


async def test_what_is_forbidden_is_refused_before_anything_is_registered(world: World) -> None:
    told = await ask(world, mark="機密")
    assert (told.request, told.outcome) == ("", "forbidden")
    assert [row async for _, row in world.jp.rows(ItemRow)] == []
    assert not (await show_inbox(world.kr, ShowInbox())).asked


async def test_an_item_that_was_given_can_be_shown_to_somebody_else(world: World) -> None:
    given = await world.given()
    choi = await world.pseudonym("choi")
    told = await ask(world, item=given.item, recipients=(choi,), manner="visual")
    error = await refused("no-need-to-know", assured(world, told.request))
    assert "missiles" in str(error)
    told = await ask(world, item=given.item, manner="visual")
    await assured(world, told.request)
    await approved(world, told.request)
    assert (await done(world, told.request)).record
    (item,) = await show_register(world.kr, ShowRegister())
    assert (len(item.copies), len(item.shown), item.form) == (1, 1, "electronic")


async def test_what_was_said_can_be_compared_and_not_read(world: World) -> None:
    text = world.document(b"what the radar saw, word by word", "talk.txt")
    told = await shown(world, path=text)
    same = await compare_shown(world.jp, CompareShown(item=told.item, path=text))
    other = await compare_shown(world.jp, CompareShown(item=told.item, path=world.document(b"something else", "x")))
    assert (same.same, other.same) == (True, False)
    theirs = await world.kr.need(ItemRow, told.item, "item")
    assert (theirs.content.hex(), theirs.size) == (same.content, 32)
    await refused("no-text", compare_shown(world.kr, CompareShown(item=told.item, path=text)))
    assert not await world.jp.blobs.all()


async def test_two_items_without_a_text_do_not_look_alike(world: World) -> None:
    first, second = await ask(world), await ask(world)
    rows = [await world.jp.need(ItemRow, each.item, "item") for each in (first, second)]
    assert rows[0].content != rows[1].content


async def test_what_was_received_is_shown_on_to_who_may_know_it(world: World) -> None:
    item = (await world.given()).item
    await world.person("kr", "jang", roles=("officer", "registry"))
    await world.person("kr", "baek", roles=("release-authority",))
    await world.exchange()

    async def show_on(handle: str) -> ShowTold:
        asked = await ask_show(
            world.kr,
            AskShow(
                relationship=RELATIONSHIP,
                recipients=(await world.pseudonym(handle),),
                manner="visual",
                purpose="air defence",
                actor=Actor("jang"),
                item=item,
            ),
        )
        assert not asked.assured
        await approve(world.kr, Approve(request=asked.request, reason="needed", actor=Actor("baek")))
        return await done_show(world.kr, DoneShow(request=asked.request, actor=Actor("jang")))

    assert (await show_on("kim")).record
    for handle, code in (("park", "clearance-missing"), ("choi", "need-to-know-missing"), ("smith", "consent-missing")):
        told = await show_on(handle)
        assert told.record is None
        assert code in {each.code for each in told.decision.reasons if each.effect == "needs"}
    await world.exchange()
    (line,) = await show_register(world.jp, ShowRegister())
    assert [each.to for each in line.shown] == [(await world.pseudonym("kim"),)]


async def test_what_was_made_from_received_information_is_not_shown_as_ones_own(world: World) -> None:
    """Kim's extract says what Tokyo gave; an officer would show it to others without asking Tokyo."""
    item = (await world.given()).item
    await world.person("kr", "jang", roles=("officer", "registry"))
    made = await derive(
        world.kr,
        Derive(
            path=world.document(b"an extract", "extract.txt"),
            relation="extract",
            ancestors=(item,),
            purpose="air defence",
            actor=Actor("kim"),
        ),
    )
    wish = AskShow(
        relationship=RELATIONSHIP,
        recipients=(await world.pseudonym("ito", "jp"),),
        manner="visual",
        purpose="air defence",
        actor=Actor("jang"),
        item=made.item,
    )
    error = await refused("derived", ask_show(world.kr, wish))
    assert made.item in str(error)


async def test_what_was_only_shown_is_shown_again_at_its_level_of_then(world: World) -> None:
    told = await shown(world)
    change = Reclassify(item=told.item, mark="秘", reason="no longer so secret", actor=Actor("abe"))
    assert (await reclassify(world.jp, change)).change
    await world.exchange()
    again = await ask(world, item=told.item)
    await assured(world, again.request)
    await approved(world, again.request)
    assert (await done(world, again.request)).record
    await world.exchange()
    theirs = await world.kr.need(ItemRow, told.item, "item")
    assert (theirs.label.mark, theirs.alternative and theirs.alternative.mark) == ("秘", "군사 Ⅲ급 비밀")
    for house in (world.jp, world.kr):
        assert not (await verify_ledger(house, VerifyLedger())).findings


async def test_what_is_refused(world: World) -> None:
    await refused("which-item", ask(world, title=""))
    await refused("no-role", ask(world, actor=Actor("abe")))
    await refused("unknown-item", ask(world, item="i-aaaaaaaaaaaaaaaa"))
    told = await shown(world)
    await refused("already-given", done(world, told.request))
    await refused("unknown-request", done(world, "r-aaaaaaaaaaaaaaaa"))
    asked = await ask(world)
    await assured(world, asked.request)
    await approved(world, asked.request)
    await refused("too-early", done(world, asked.request, at=TODAY - timedelta(days=1)))
    await refused("not-yet", done(world, asked.request, at=world.clock.time + timedelta(days=1)))
    await refused("unknown-visit", done(world, asked.request, visit="v-aaaaaaaaaaaaaaaa"))
    given = (await world.ask()).request
    await refused("unknown-request", done(world, given))


async def test_the_requester_does_not_approve(world: World) -> None:
    await world.person("jp", "endo", roles=("officer",))
    asked = await ask(world)
    for handle in ("sato", "endo"):
        await refused("no-role", approve(world.jp, Approve(request=asked.request, reason="x", actor=Actor(handle))))


async def test_what_was_only_shown_serves_no_other_purpose_without_consent(world: World) -> None:
    item = (await shown(world)).item

    async def used(purpose: str) -> str:
        return (await use_item(world.kr, UseItem(item=item, purpose=purpose, actor=Actor("kim")))).outcome

    assert (await used("air defence"), await used("training")) == ("permit", "needs-consent")
    await answer(world, (await ask_other_use(world, item)).request)
    assert await used("training") == "permit"
