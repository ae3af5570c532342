"""Handing on over three houses: a Japanese item reaches Seoul by way of Washington (``spec/routes.md``)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from comity.errors import Misuse, Refused
from comity.flows.actors import Actor, NeedsSignature
from comity.flows.calls import show_whole_inbox
from comity.flows.consenting.granting import WithdrawConsent, withdraw_consent
from comity.flows.consenting.showing import AskShow, DoneShow, ask_show, done_show
from comity.flows.deriving.derivation import Derive, derive
from comity.flows.ending.levels import Reclassify, reclassify
from comity.flows.ending.recalls import Recall, recall
from comity.flows.giving.answering import Approve, approve
from comity.flows.giving.marks import MarkItem, mark_item
from comity.flows.giving.opening import Open, open_item
from comity.flows.giving.release import Give, give
from comity.flows.handling.handing_on import HandOn, came, hand_on
from comity.flows.handling.rewrapping import Rewrapped
from comity.flows.incidents.reporting import ReportIncident, report_incident
from comity.flows.looking.item_story import ShowItem, show_item
from comity.flows.looking.views import ShowInbox
from comity.flows.people.clearances import ChangeList, change_list
from comity.register.rows import ConsignmentRow, ItemRow, ReturnedRow
from comity.register.rows.consents import ShownRow
from comity.register.rows.ending import LevelRow
from comity.register.rows.lineage import DerivativeRow
from comity.register.rows.routes import HandedOnRow
from comity.seal.age import rewrap
from comity.seal.hybrid import HybridIdentity
from comity.seal.keys import parse_recipient
from record.made import Key
from trilateral import ACROSS, FIRST, JP_US, KR_US, PURPOSE, READS, SECOND, SECRET, Trilateral
from world import ROOT, SeededEntropy

ENTROPY = SeededEntropy("reed")
SIGNS, OPENS = Key(72), HybridIdentity.generate(ENTROPY)
"""What somebody in strict custody in Washington signs and opens with."""


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Trilateral]:
    made = await Trilateral.make(tmp_path)
    yield made
    await made.close()


async def test_a_japanese_item_reaches_seoul_with_both_re_markings_and_three_receipts(world: Trilateral) -> None:
    given, approved = await world.handed_on()
    assert approved.given is not None
    assert approved.given.consignment is not None
    jp, us, kr = (world.houses[each] for each in ("jp", "us", "kr"))
    first = await jp.need(ConsignmentRow, given.consignment or "", "consignment")
    second = await us.need(ConsignmentRow, approved.given.consignment, "consignment")
    third = await jp.need(HandedOnRow, f"{FIRST}/{given.item}/{approved.given.request}", "handing on")
    assert first.receipt is not None
    assert second.receipt is not None
    assert (third.to, third.mark, third.copies) == ("kr", "군사 Ⅱ급 비밀", 1)
    assert third.received is not None
    there = await us.need(ItemRow, given.item, "item")
    assert there.alternative is not None
    assert (there.label.mark, there.alternative.mark) == ("極秘", "SECRET")
    end = await kr.need(ItemRow, given.item, "item")
    assert end.alternative is not None
    assert (end.originator, end.label.policy, end.label.mark, end.alternative.mark) == (
        "jp",
        "us",
        "SECRET",
        "군사 Ⅱ급 비밀",
    )
    opened = await open_item(
        kr, Open(item=given.item, purpose=PURPOSE, path=str(world.folder / "read.txt"), actor=Actor("kim"))
    )
    assert opened.outcome == "permit"
    assert (world.folder / "read.txt").read_bytes() == b"what the station saw"
    assert second.payload == first.payload
    assert second.relationship == SECOND


async def refused(world: Trilateral, code: str, item: str, **changes: object) -> None:
    with pytest.raises((Misuse, Refused)) as raised:
        await world.ask_on(item, **changes)
    assert raised.value.code == code


async def test_without_the_originators_consent_it_waits_and_what_is_missing_is_named(world: Trilateral) -> None:
    given = await world.given()
    asked = await world.ask_on(given.item)
    assert asked.outcome == "needs-consent"
    missing = {each.code for each in asked.decision.reasons if each.effect == "needs"}
    assert missing == {"approval-missing", "consent-missing"}
    approved = await world.approve_on(asked)
    assert approved.given is None
    assert await world.houses["kr"].row(ItemRow, given.item) is None


async def test_the_consent_that_comes_last_carries_it_out(world: Trilateral) -> None:
    given = await world.given()
    asked = await world.ask_on(given.item)
    await world.approve_on(asked)
    await world.consent(await world.ask_consent(given.item))
    assert (await world.houses["kr"].need(ItemRow, given.item, "item")).originator == "jp"
    row = await world.houses["jp"].need(HandedOnRow, f"{FIRST}/{given.item}/{asked.request}", "handing on")
    assert row.received is not None


async def test_a_refused_consent_is_none(world: Trilateral) -> None:
    given = await world.given()
    await world.consent(await world.ask_consent(given.item), granted=False)
    assert (await world.ask_on(given.item)).outcome == "needs-consent"


async def test_a_consent_that_has_ended_is_none(world: Trilateral) -> None:  # (6)
    given = await world.given()
    await world.consent(await world.ask_consent(given.item), until=world.clock.time + timedelta(hours=1))
    asked = await world.ask_on(given.item)
    assert {each.code for each in asked.decision.reasons if each.effect == "needs"} == {"approval-missing"}
    world.clock.time += timedelta(hours=2)
    assert (await world.approve_on(asked)).given is None
    assert (await world.ask_on(given.item)).outcome == "needs-consent"


async def test_a_consent_for_another_purpose_is_none_and_the_arrangement_has_one_purpose(world: Trilateral) -> None:
    given = await world.given(JP_US, purpose="the exercise in March")
    await world.consent(
        await world.ask_consent(given.item, beneficiary_kind="government", purpose="the exercise in March")
    )
    outside = await world.ask_on(given.item, relationship=SECOND, purpose="the exercise in March")
    assert outside.outcome == "no-basis"
    assert "purpose-outside" in {each.code for each in outside.decision.reasons}
    other = await world.ask_on(given.item, relationship=KR_US, purpose="something else")
    assert other.outcome == "needs-consent"
    same = await world.ask_on(given.item, relationship=KR_US, purpose="the exercise in March")
    assert {each.code for each in same.decision.reasons if each.effect == "needs"} == {"approval-missing"}
    assert (await world.approve_on(same)).given is not None


async def test_equipment_is_no_information_of_the_arrangement(world: Trilateral) -> None:
    jp = world.houses["jp"]
    wish = Give(
        path=world.document(),
        relationship=FIRST,
        mark="極秘",
        topic="test-site",
        recipients=(await world.pseudonym("us", "jones", FIRST),),
        purpose=PURPOSE,
        form="equipment",
        actor=Actor("sato"),
    )
    refused_by = await give(jp, wish)
    assert refused_by.outcome == "no-basis"
    assert "form-outside" in {each.code for each in refused_by.decision.reasons if each.effect == "lacks"}
    given = await world.given(JP_US, form="equipment")
    await refused(world, "form", given.item)


async def test_what_would_come_back_is_refused(world: Trilateral) -> None:  # (3)
    given, _ = await world.handed_on()
    await refused(world, "looped-route", given.item, relationship=JP_US)
    await refused(world, "looped-route", given.item, holder="kr", relationship=KR_US)


async def test_only_its_holder_hands_on_and_nothing_of_its_own(world: Trilateral) -> None:
    given = await world.given()
    await refused(world, "not-holder", given.item, actor=Actor("green"))
    own = await world.given(KR_US, giver="us", reader="han")
    await refused(world, "own-item", own.item, actor=Actor("jones"))


async def test_what_was_recalled_is_not_handed_on(world: Trilateral) -> None:
    given = await world.given()
    await world.consent(await world.ask_consent(given.item))
    await recall(world.houses["jp"], Recall(item=given.item, asks="return", reason="it was wrong", actor=Actor("abe")))
    await world.exchange()
    asked = await world.ask_on(given.item)
    assert asked.outcome == "forbidden"


async def test_a_withdrawn_consent_stops_what_waits(world: Trilateral) -> None:
    given = await world.given()
    shown = await world.consent(await world.ask_consent(given.item))
    asked = await world.ask_on(given.item)
    await withdraw_consent(
        world.houses["jp"], WithdrawConsent(consent=shown.consent, reason="not any more", actor=Actor("abe"))
    )
    await world.exchange()
    assert (await world.approve_on(asked)).given is None
    assert await world.houses["kr"].row(ItemRow, given.item) is None


async def test_what_was_handed_on_before_the_withdrawal_arrived_stands(world: Trilateral) -> None:  # (7)
    given = await world.given()
    shown = await world.consent(await world.ask_consent(given.item))
    asked = await world.ask_on(given.item)
    await withdraw_consent(
        world.houses["jp"], WithdrawConsent(consent=shown.consent, reason="not any more", actor=Actor("abe"))
    )
    approved = await world.approve_on(asked)
    assert approved.given is not None
    row = await world.houses["jp"].need(HandedOnRow, f"{FIRST}/{given.item}/{asked.request}", "handing on")
    assert row.received is not None


async def test_only_who_has_it_from_its_originator_hands_it_on(world: Trilateral) -> None:  # (3)
    given, _ = await world.handed_on()
    kr = world.houses["kr"]
    elsewhere = msgspec.structs.replace(await kr.agreement_row(KR_US), peer="au", relationship="another/au.kr")
    with pytest.raises(Refused, match="by way of 'us'") as raised:
        await came(kr, await kr.need(ItemRow, given.item, "item"), elsewhere)
    assert raised.value.code == "not-originator"


@pytest.mark.parametrize(
    ("came_by", "host", "receiver"), [(JP_US, "jp", "kr"), (KR_US, "kr", "jp")], ids=["in Japan", "in Korea"]
)
async def test_what_an_american_radar_saw_goes_on_with_american_consent(
    tmp_path: Path, came_by: str, host: str, receiver: str
) -> None:
    """The host of the radar gives it under the agreement of 2016, which knows no American mark and asks no consent."""
    world = await Trilateral.make(tmp_path, (came_by, ACROSS))
    try:
        given = await world.given(came_by, giver="us")
        asked = await world.ask_on(given.item, host, ACROSS)
        missing = {each.code for each in asked.decision.reasons if each.effect == "needs"}
        assert {"consent-missing", "condition-missing", "approval-missing"} == missing
        (reason,) = [each for each in asked.decision.reasons if each.code == "consent-missing"][:1]
        assert (reason.step, reason.instrument) == (18, came_by.partition("/")[0])
        await world.assure_on(asked, ACROSS, receiver)
        assert (await world.approve_on(asked, host)).given is None
        wanted = await world.ask_consent(given.item, host, beneficiary=receiver, beneficiary_kind="government")
        await world.consent(wanted, "us")
        there = await world.houses[receiver].need(ItemRow, given.item, "item")
        assert (there.originator, there.label.policy, there.label.mark) == ("us", host, SECRET[host])
        row = await world.houses["us"].need(HandedOnRow, f"{came_by}/{given.item}/{asked.request}", "handing on")
        assert row.received is not None
        if receiver == "jp":  # two Japanese marks correspond to the Korean one
            await mark_item(world.houses["jp"], MarkItem(item=given.item, mark="極秘", actor=Actor("ito")))
        opened = await open_item(
            world.houses[receiver],
            Open(item=given.item, purpose=PURPOSE, path=str(tmp_path / "read.txt"), actor=Actor(READS[receiver])),
        )
        assert opened.outcome == "permit"
    finally:
        await world.close()


async def test_the_receiver_takes_no_letter_of_somebody_whose_card_it_has_not_compared(tmp_path: Path) -> None:  # (5)
    world = await Trilateral.make(tmp_path, strangers=[("kr", "jp")])
    try:
        given, approved = await world.handed_on()
        assert approved.given is not None
        back = await world.houses["us"].need(ReturnedRow, approved.given.consignment or "", "returned record")
        assert back.code == "unknown-peer"
        assert await world.houses["kr"].row(ItemRow, given.item) is None
        key = f"{FIRST}/{given.item}/{approved.given.request}"
        row = await world.houses["jp"].need(HandedOnRow, key, "handing on")
        assert row.received is None
    finally:
        await world.close()


async def test_an_originator_that_has_not_compared_the_receivers_card_writes_no_letter(tmp_path: Path) -> None:  # (4)
    world = await Trilateral.make(tmp_path, strangers=[("jp", "kr")])
    try:
        given = await world.given()
        await world.consent(await world.ask_consent(given.item))
        asked = await world.ask_on(given.item)
        with pytest.raises(Refused, match="compare the card") as raised:
            await world.approve_on(asked)
        assert raised.value.code == "no-letter"
    finally:
        await world.close()


async def test_when_the_agreement_of_one_leg_has_lapsed_nothing_goes_on(tmp_path: Path) -> None:
    """The arrangement borrows its protection: without the agreement of 1987 Washington has no basis to hand on."""
    world = await Trilateral.make(tmp_path, (JP_US, FIRST, SECOND))
    try:
        given = await world.given()
        await world.consent(await world.ask_consent(given.item))
        asked = await world.ask_on(given.item)
        assert asked.outcome == "no-basis"
        assert ("basis-missing", ("us-kr-1987",)) in {(each.code, each.parameters) for each in asked.decision.reasons}
    finally:
        await world.close()


RECLASSIFIES = """
[[rule]]
id = "levels-change"
clause = "levels"
acts = ["reclassify"]
permits = true
"""
"""A rule that the arrangement lacks: what it does not say about changes of level, has no basis under it."""


async def test_a_change_of_level_goes_the_whole_way(tmp_path: Path) -> None:  # (16)
    """Tokyo downgrades; Washington's own mark follows, and Washington passes it on; Seoul's own mark follows too."""
    world = await Trilateral.make(tmp_path, more={"tisa-2014": RECLASSIFIES})
    try:
        given, _ = await world.handed_on()
        jp, us, kr = (world.houses[each] for each in ("jp", "us", "kr"))
        await reclassify(jp, Reclassify(item=given.item, mark="秘", reason="it is known", actor=Actor("abe")))
        with pytest.raises(Misuse) as raised:
            await reclassify(us, Reclassify(item=given.item, mark="CONFIDENTIAL", reason="told", actor=Actor("brown")))
        assert raised.value.code == "not-reclassified"
        await world.exchange()
        assert (await us.need(ItemRow, given.item, "item")).label.mark == "秘"
        assert (await kr.need(ItemRow, given.item, "item")).label.mark == "SECRET"
        with pytest.raises(Misuse) as raised:
            await reclassify(us, Reclassify(item=given.item, mark="TOP SECRET", reason="so", actor=Actor("brown")))
        assert raised.value.code == "not-reclassified"
        await reclassify(us, Reclassify(item=given.item, mark="CONFIDENTIAL", reason="told", actor=Actor("brown")))
        await world.exchange()
        there = await kr.need(ItemRow, given.item, "item")
        assert there.alternative is not None
        assert (there.label.mark, there.alternative.mark) == ("CONFIDENTIAL", "군사 Ⅲ급 비밀")
        level = await us.need(LevelRow, f"{SECOND}/{given.item}", "level")
        assert (level.marked, level.pending) == ("군사 Ⅲ급 비밀", ())
    finally:
        await world.close()


async def test_a_recall_goes_the_whole_way(world: Trilateral) -> None:  # (17)
    given, _ = await world.handed_on()
    jp, us, kr = (world.houses[each] for each in ("jp", "us", "kr"))
    await recall(jp, Recall(item=given.item, asks="destroy", reason="it was wrong", actor=Actor("abe")))
    await world.exchange()
    (call,) = (await show_whole_inbox(us, ShowInbox())).calls
    assert call.says.endswith("handed on to kr")
    await recall(us, Recall(item=given.item, asks="destroy", reason="Tokyo asks", actor=Actor("brown")))
    await world.exchange()
    (call,) = (await show_whole_inbox(kr, ShowInbox())).calls
    assert (call.kind, call.subject) == ("recall", given.item)
    assert (await world.ask_on(given.item)).outcome == "forbidden"


async def test_what_the_receiver_makes_from_it_is_held_against_the_mark_it_has_there(tmp_path: Path) -> None:  # (16)
    """An American item is with Tokyo under its American mark; between Tokyo and Seoul it is under a Japanese one."""
    world = await Trilateral.make(tmp_path, (JP_US, ACROSS))
    try:
        given = await world.given(JP_US, giver="us")
        wanted = await world.ask_consent(given.item, "jp", beneficiary="kr", beneficiary_kind="government")
        await world.consent(wanted, "us")
        asked = await world.ask_on(given.item, "jp", ACROSS)
        await world.assure_on(asked, ACROSS, "kr")
        await world.approve_on(asked, "jp")
        made = await derive(
            world.houses["kr"],
            Derive(
                path=world.document(b"an answer to it", "answer.txt"),
                relation="contains",
                ancestors=(given.item,),
                purpose=PURPOSE,
                actor=Actor("kim"),
            ),
        )
        await world.exchange()
        row = await world.houses["jp"].need(DerivativeRow, f"{ACROSS}/{made.item}", "derivative")
        assert (row.label.policy, row.label.mark, row.label.originator) == ("kr", "군사 Ⅱ급 비밀", "us")
        returned = [row async for _, row in world.houses["kr"].rows(ReturnedRow)]
        assert returned == []
    finally:
        await world.close()


async def test_an_officer_who_keeps_his_own_keys_wraps_for_the_receiver_himself(world: Trilateral) -> None:  # (3)
    us = world.houses["us"]
    await world.enrol(
        "us", "reed", ("officer",), custody="strict", recipient=str(OPENS.recipient), signing_key=SIGNS.public
    )
    await world.exchange()
    given = await world.given(reader="reed")
    await world.consent(await world.ask_consent(given.item))
    wish = HandOn(
        item=given.item,
        relationship=SECOND,
        recipients=(await world.pseudonym("kr", "kim", SECOND),),
        purpose=PURPOSE,
        actor=Actor("reed"),
        request="r-aaaaaaaaaaaaaaaa",
    )
    asked = await hand_on(us, wish)
    assert asked.rewrap is not None
    with pytest.raises(Misuse) as refused_for:
        await hand_on(us, msgspec.structs.replace(wish, rewrapped=Rewrapped(decision_record=asked.decision_record)))
    assert refused_for.value.code == "strict-keys"
    recipients = [parse_recipient(each) for each in asked.rewrap.recipients]
    headers = tuple(rewrap(asked.rewrap.header, [OPENS], [each], ENTROPY) for each in recipients)
    own = msgspec.structs.replace(wish, rewrapped=Rewrapped(decision_record=asked.decision_record, headers=headers))
    with pytest.raises(NeedsSignature) as needed:
        await hand_on(us, own)
    signed = Actor("reed", (SIGNS.sign(needed.value.message),))
    await hand_on(us, msgspec.structs.replace(own, actor=signed))
    await world.approve_on(msgspec.structs.replace(asked, request="r-aaaaaaaaaaaaaaaa"))
    opened = await open_item(
        world.houses["kr"],
        Open(item=given.item, purpose=PURPOSE, path=str(world.folder / "read.txt"), actor=Actor("kim")),
    )
    assert opened.outcome == "permit"


async def test_what_was_handed_on_is_shown_to_the_receivers_own_people(world: Trilateral) -> None:
    """By sight, in Seoul, to somebody who holds no copy of it; Washington's register has it too."""
    given = await world.given()
    await world.consent(await world.ask_consent(given.item))
    await world.approve_on(await world.ask_on(given.item, relationship=KR_US))
    kr, us = world.houses["kr"], world.houses["us"]
    shown = await ask_show(
        kr,
        AskShow(
            relationship=KR_US,
            recipients=(await world.pseudonym("kr", "lee", KR_US),),
            manner="visual",
            purpose=PURPOSE,
            item=given.item,
            actor=Actor("han"),
        ),
    )
    await approve(kr, Approve(request=shown.request, reason="needed", actor=Actor("yoon")))
    done = await done_show(kr, DoneShow(request=shown.request, actor=Actor("han")))
    assert done.record is not None
    await world.exchange()
    rows = [row async for _, row in us.rows(ShownRow, f"{KR_US}/{given.item}/")]
    assert [row.manner for row in rows] == ["visual"]


async def test_a_loss_in_seoul_reaches_tokyo_by_washington(world: Trilateral) -> None:  # (18)
    given, _ = await world.handed_on()
    jp, us, kr = (world.houses[each] for each in ("jp", "us", "kr"))
    loss = ReportIncident(items=(given.item,), what="lost", circumstances="left on a train", actor=Actor("kim"))
    await report_incident(kr, loss)
    await world.exchange()
    (call,) = (await show_whole_inbox(us, ShowInbox())).calls
    assert call.says.endswith("it is for jp to hear of")
    assert [each.kind for each in (await show_whole_inbox(jp, ShowInbox())).calls] == []
    told = ReportIncident(
        items=(given.item,), what="suspected", circumstances="Seoul tells of a loss", actor=Actor("jones")
    )
    await report_incident(us, told)
    await world.exchange()
    assert [each.kind for each in (await show_whole_inbox(jp, ShowInbox())).calls] == ["incident"]


async def test_a_release_authority_sees_what_this_house_handed_on_and_no_other_received_item(world: Trilateral) -> None:
    us = world.houses["us"]
    await world.enrol("us", "lowe", ("release-authority",))
    await change_list(us, ChangeList(topic="test-site", handle="lowe", listed=False, actor=ROOT))
    await world.exchange()
    given, _ = await world.handed_on()
    kept = await world.given(path=world.document(b"another", "kept.txt"))
    story = await show_item(us, ShowItem(item=given.item, actor=Actor("lowe")))
    assert [each.to for each in story.onward] == ["kr"]
    with pytest.raises(Misuse) as raised:
        await show_item(us, ShowItem(item=kept.item, actor=Actor("lowe")))
    assert raised.value.code == "unknown-item"
