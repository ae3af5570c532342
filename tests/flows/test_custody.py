"""Copies as people of a house handle them: made, handed over, carried, signed for, lost (``spec/custody.md``)."""

from __future__ import annotations

from typing import TypeVar

import msgspec
import pytest

from comity.errors import ComityError, Misuse, Refused, Rejected
from comity.flows.actors import Actor, NeedsSignature
from comity.flows.ending.returning import SendBack, TakeBack, send_back, take_back
from comity.flows.giving.answering import Approve, Assure, approve, assure
from comity.flows.giving.opening import Open, open_item
from comity.flows.giving.release import Given
from comity.flows.handling.copies import (
    LabelCopy,
    ListCopies,
    ScanCopy,
    ShowCopy,
    label_copy,
    list_copies,
    scan_copy,
    show_copy,
)
from comity.flows.handling.copying import CopiesMade, MakeCopies, make_copies
from comity.flows.handling.handing_over import Carry, HandedOn, HandOver, TakeOver, carry, hand_over, take_over
from comity.flows.handling.losing import FindCopy, LoseCopy, find_again, lose_copy
from comity.flows.handling.rewrapping import Rewrapped
from comity.flows.keeping.erasing import HEADER
from comity.flows.people.clearances import (
    ChangeList,
    GrantClearance,
    WithdrawClearance,
    change_list,
    grant_clearance,
    withdraw_clearance,
)
from comity.record.bodies.custody import DoubleEnvelope, Enclosure
from comity.register.rows import CopyRow, DecisionRow
from comity.seal.age import rewrap
from comity.seal.hybrid import HybridIdentity
from comity.seal.keys import parse_recipient
from record.made import Key
from world import RELATIONSHIP, ROOT, TODAY, SeededEntropy, World

R = TypeVar("R", MakeCopies, HandOver)
PURPOSE = "air defence"
HAN_SIGNS, MIN_SIGNS = Key(70), Key(71)
ENTROPY = SeededEntropy("han")
HAN_OPENS = HybridIdentity.generate(ENTROPY)
ENVELOPE = DoubleEnvelope(
    inner_mark="극비",
    inner_address="Air defence desk, Seoul",
    outer_recipient="Ministry of National Defense, Seoul",
    outer_sender="Ministry of Defense, Tokyo",
    register_number="2026/117",
)


@pytest.fixture
async def peopled(world: World) -> World:
    """Besides Kim, Yoon and Han may read too; Han keeps his own keys; Bae carries."""
    for handle, changes in (
        ("yoon", {}),
        ("han", {"custody": "strict", "recipient": str(HAN_OPENS.recipient), "signing_key": HAN_SIGNS.public}),
    ):
        await world.person("kr", handle, **changes)
        until = TODAY.replace(year=TODAY.year + 1)
        grant = GrantClearance(
            handle=handle, mark="군사 Ⅱ급 비밀", until=until, basis="vetted", all_information=True, actor=ROOT
        )
        await grant_clearance(world.kr, grant)
        await change_list(world.kr, ChangeList(topic="missiles", handle=handle, listed=True, actor=ROOT))
    await world.person("kr", "bae", function="Courier")
    await world.person("jp", "oda", function="Courier of Tokyo")
    await world.exchange()
    return world


async def state(world: World, item: str, number: int = 1, party: str = "kr") -> CopyRow:
    return await world.house(party).need(CopyRow, f"{RELATIONSHIP}/{item}/{number:06d}", "copy")


async def copied(world: World, item: str, *holders: str, by: str = "kim", number: int = 1) -> CopiesMade:
    request = MakeCopies(item=item, copy=number, holders=holders, purpose=PURPOSE, actor=Actor(by))
    return await make_copies(world.kr, request)


async def handed(world: World, item: str, taker: str, by: str = "kim", number: int = 1) -> HandedOn:
    return await hand_over(world.kr, HandOver(item=item, copy=number, taker=taker, actor=Actor(by)))


async def opens(world: World, item: str, handle: str) -> bytes:
    path = world.folder / f"{handle}-{item}"
    path.unlink(missing_ok=True)
    opened = await open_item(world.kr, Open(item=item, purpose=PURPOSE, path=str(path), actor=Actor(handle)))
    assert opened.opening is not None
    return path.read_bytes()


async def test_a_copy_has_a_number_and_a_key_of_its_own_and_the_original_marks(peopled: World) -> None:  # (6, 7, 8)
    item = (await peopled.given()).item
    made = await copied(peopled, item, "yoon")
    assert [each.number for each in made.made] == [1_001]
    assert made.marks == ("極秘", "군사 Ⅱ급 비밀")
    assert await opens(peopled, item, "yoon") == b"a report"
    await peopled.exchange()
    there, here = await state(peopled, item, 1_001, "jp"), await state(peopled, item, 1_001)
    assert (there.holder, there.state, there.made_from) == (here.holder, here.state, here.made_from)
    assert here.header != (await state(peopled, item)).header
    assert [each.number for each in (await copied(peopled, item, "kim", by="yoon", number=1_001)).made] == [1_002]


async def test_nobody_gets_a_copy_who_may_not_open_it(peopled: World) -> None:  # (6)
    item = (await peopled.given()).item
    for handle in ("park", "choi", "smith", "hong"):  # no clearance, not on the list, of a third state, a contractor
        made = await copied(peopled, item, "yoon", handle)
        assert made.outcome != "permit"
        assert not made.made
    decisions = [row async for _, row in peopled.kr.rows(DecisionRow, f"{item}/") if row.act == "copy"]
    assert len(decisions) == 4
    assert [row.number async for _, row in peopled.kr.rows(CopyRow, f"{RELATIONSHIP}/{item}/")] == [1]


async def test_a_copy_is_its_holders_to_copy(peopled: World) -> None:
    item = (await peopled.given()).item
    for by, number in (("yoon", 1), ("yoon", 7), ("lee", 1)):
        with pytest.raises(Refused) as refused:
            await copied(peopled, item, "yoon", by=by, number=number)
        assert refused.value.code == "not-holder"
        assert refused.value.place == "9"
    with pytest.raises(Misuse, match="there is no item"):
        await copied(peopled, item, "yoon", by="choi")
    with pytest.raises(Misuse, match="there is nobody called 'nobody'"):
        await copied(peopled, item, "nobody")


async def test_a_hand_over_closes_the_copy_until_its_taker_signs(peopled: World) -> None:  # (9, 11, 19)
    item = (await peopled.given()).item
    before = (await state(peopled, item)).header.hex()
    assert await peopled.kr.side(HEADER, before) is not None
    await handed(peopled, item, "yoon")
    assert await peopled.kr.side(HEADER, before) is None
    for handle in ("kim", "yoon"):
        with pytest.raises(Refused, match="holds no copy"):
            await opens(peopled, item, handle)
    await take_over(peopled.kr, TakeOver(item=item, copy=1, actor=Actor("yoon")))
    assert await opens(peopled, item, "yoon") == b"a report"
    with pytest.raises(Refused, match="holds no copy"):
        await opens(peopled, item, "kim")
    await peopled.exchange()
    assert await state(peopled, item) == await state(peopled, item, party="jp")


async def test_nothing_is_handed_to_whoever_may_not_open_it(peopled: World) -> None:  # (9)
    item = (await peopled.given()).item
    for handle in ("park", "choi", "smith", "hong"):
        told = await handed(peopled, item, handle)
        assert told.outcome != "permit"
        assert not told.records
    await withdraw_clearance(peopled.kr, WithdrawClearance(handle="yoon", reason="left", actor=ROOT))
    with pytest.raises(Refused) as refused:
        await handed(peopled, item, "yoon")
    assert refused.value.code == "unknown-holder"
    assert (await state(peopled, item)).state == "held"


async def test_only_its_holder_or_the_registry_hands_over_and_only_its_taker_signs(peopled: World) -> None:  # (4, 11)
    item = (await peopled.given()).item
    with pytest.raises(Refused) as refused:
        await handed(peopled, item, "yoon", by="yoon")
    assert refused.value.code == "not-holder"
    with pytest.raises(Misuse) as misused:
        await handed(peopled, item, "kim")
    assert misused.value.code == "same-hands"
    with pytest.raises(Refused, match="nobody sent it"):
        await take_over(peopled.kr, TakeOver(item=item, copy=1, actor=Actor("kim")))
    await handed(peopled, item, "yoon", by="lee")
    for handle, code in (("kim", "not-taker"), ("han", "not-holder"), ("lee", "not-holder")):
        with pytest.raises(Refused) as refused:
            await take_over(peopled.kr, TakeOver(item=item, copy=1, actor=Actor(handle)))
        assert refused.value.code == code
    with pytest.raises(Refused, match="is in transit"):
        await handed(peopled, item, "han")
    with pytest.raises(Refused, match="is in transit"):
        await copied(peopled, item, "yoon")
    signed = await take_over(peopled.kr, TakeOver(item=item, copy=1, actor=Actor("yoon")))
    assert signed.state == "held"


async def test_who_keeps_his_own_keys_copies_and_hands_over_on_his_side(peopled: World) -> None:  # (19)
    item = (await given_to_han(peopled)).item
    request = MakeCopies(item=item, copy=1, holders=("yoon",), purpose=PURPOSE, actor=Actor("han"))
    asked = await make_copies(peopled.kr, request)
    assert asked.rewrap is not None
    assert not asked.made
    headers = wrapped(asked)
    given = Rewrapped(decision_record=asked.decision_record, headers=headers)
    with pytest.raises(NeedsSignature) as needed:
        await make_copies(peopled.kr, with_rewrapped(request, given))
    signed = Actor("han", (bytes(64), HAN_SIGNS.sign(needed.value.message)))
    made = await make_copies(peopled.kr, with_rewrapped(request, given, signed))
    assert [each.number for each in made.made] == [1_001]
    assert await opens(peopled, item, "yoon") == b"a report"

    handing = HandOver(item=item, copy=1, taker="kim", actor=Actor("han"))
    asked_over = await hand_over(peopled.kr, handing)
    assert asked_over.confirm
    assert asked_over.rewrap is not None
    over = Rewrapped(decision_record=asked_over.decision_record, headers=wrapped(asked_over))
    with pytest.raises(NeedsSignature) as needed:
        await hand_over(peopled.kr, with_rewrapped(handing, over))
    signed = Actor("han", (HAN_SIGNS.sign(needed.value.message),))
    await hand_over(peopled.kr, with_rewrapped(handing, over, signed))
    await take_over(peopled.kr, TakeOver(item=item, copy=1, actor=Actor("kim")))
    assert await opens(peopled, item, "kim") == b"a report"


async def test_what_he_gives_back_counts_for_what_was_decided_and_as_long_as_it_holds(peopled: World) -> None:  # (19)
    item = (await given_to_han(peopled)).item
    request = MakeCopies(item=item, copy=1, holders=("yoon",), purpose=PURPOSE, actor=Actor("han"))
    asked = await make_copies(peopled.kr, request)
    given = Rewrapped(decision_record=asked.decision_record, headers=wrapped(asked))
    other = MakeCopies(item=item, copy=1, holders=("kim",), purpose=PURPOSE, actor=Actor("han"))
    for wrong, code in (
        (with_rewrapped(other, given), "other-decision"),
        (with_rewrapped(request, Rewrapped(decision_record="00" * 32, headers=given.headers)), "unknown-decision"),
        (with_rewrapped(request, Rewrapped(decision_record="no", headers=given.headers)), "unknown-decision"),
        (with_rewrapped(request, Rewrapped(decision_record=given.decision_record)), "strict-keys"),
    ):
        with pytest.raises(ComityError) as refused:
            await make_copies(peopled.kr, wrong)
        assert refused.value.code == code
    torn = Rewrapped(decision_record=given.decision_record, headers=(given.headers[0][:-9],))
    with pytest.raises(Rejected):
        await make_copies(peopled.kr, with_rewrapped(request, torn))
    await change_list(peopled.kr, ChangeList(topic="missiles", handle="yoon", listed=False, actor=ROOT))
    with pytest.raises(ComityError) as refused:
        await make_copies(peopled.kr, with_rewrapped(request, given))
    assert refused.value.code == "not-any-more"


async def test_the_registry_cannot_hand_over_for_somebody_who_keeps_his_keys(peopled: World) -> None:  # (19)
    item = (await given_to_han(peopled)).item
    with pytest.raises(Refused) as refused:
        await handed(peopled, item, "kim", by="lee")
    assert refused.value.code == "strict-keys"


async def test_a_registry_officer_with_his_own_keys_signs_for_what_the_node_wraps(peopled: World) -> None:  # (19)
    item = (await peopled.given()).item
    await peopled.person(
        "kr",
        "min",
        custody="strict",
        recipient=str(HybridIdentity.generate(ENTROPY).recipient),
        signing_key=MIN_SIGNS.public,
        roles=("registry",),
    )
    request = HandOver(item=item, copy=1, taker="yoon", actor=Actor("min"))
    asked = await hand_over(peopled.kr, request)
    assert asked.confirm
    assert asked.rewrap is None  # the copy is not his, and the node has its holder's key
    given = Rewrapped(decision_record=asked.decision_record, headers=asked.wrapped)
    with pytest.raises(NeedsSignature) as needed:
        await hand_over(peopled.kr, with_rewrapped(request, given))
    signed = Actor("min", (MIN_SIGNS.sign(needed.value.message),))
    assert (await hand_over(peopled.kr, with_rewrapped(request, given, signed))).records
    await take_over(peopled.kr, TakeOver(item=item, copy=1, actor=Actor("yoon")))
    assert await opens(peopled, item, "yoon") == b"a report"


async def given_to_han(world: World) -> Given:
    return await world.given(recipients=(await world.pseudonym("han"),))


def wrapped(asked: CopiesMade | HandedOn) -> tuple[bytes, ...]:
    assert asked.rewrap is not None
    recipients = [parse_recipient(each) for each in asked.rewrap.recipients]
    return tuple(rewrap(asked.rewrap.header, [HAN_OPENS], [each], ENTROPY) for each in recipients)


def with_rewrapped(request: R, given: Rewrapped, actor: Actor | None = None) -> R:
    return msgspec.structs.replace(request, rewrapped=given, actor=actor or request.actor)


# ---- things ---------------------------------------------------------------------------------------------------------


async def test_papers_are_in_transit_until_the_one_they_were_given_to_signs(peopled: World) -> None:  # (10, 11)
    item = (await peopled.given(form="documentary")).item
    assert (await state(peopled, item)).state == "in transit"
    with pytest.raises(Refused, match="holds no copy"):
        await opens(peopled, item, "kim")
    reference = (await label_copy(peopled.jp, LabelCopy(item=item, copy=1))).reference
    sent = await carry(peopled.jp, Carry(item=reference, actor=Actor("oda"), packing=envelope(inner_mark="極秘")))
    assert (sent.item, sent.copy, sent.amiss) == ("", 0, ())
    await peopled.exchange()
    taken = await carry(peopled.kr, Carry(item=reference, actor=Actor("bae")))
    assert taken.amiss == ()
    with pytest.raises(Misuse) as misused:
        await carry(peopled.kr, Carry(item=reference, actor=Actor("bae")))
    assert misused.value.code == "same-hands"
    await take_over(peopled.kr, TakeOver(item=item, copy=1, actor=Actor("kim"), condition="one corner torn"))
    await peopled.exchange()
    assert await state(peopled, item) == await state(peopled, item, party="jp")
    assert await opens(peopled, item, "kim") == b"a report"
    kinds = [link.kind for link in (await show_copy(peopled.jp, ShowCopy(item=item, copy=1))).chain]
    assert kinds == ["consignment/1", "receipt/1", "carriage/1", "carriage/1", "take-over/1"]
    with pytest.raises(Refused, match="is not on its way"):
        await carry(peopled.jp, Carry(item=reference, actor=Actor("oda")))


async def test_papers_sent_back_lost_and_found_go_on_back_and_are_opened_by_nobody(peopled: World) -> None:  # (10, 14)
    item = (await peopled.given(form="documentary")).item
    await take_over(peopled.kr, TakeOver(item=item, copy=1, actor=Actor("kim")))
    await send_back(peopled.kr, SendBack(item=item, copy=1, reason="read", actor=Actor("kim")))
    await peopled.exchange()
    reference = (await label_copy(peopled.jp, LabelCopy(item=item, copy=1))).reference
    await carry(peopled.kr, Carry(item=reference, actor=Actor("bae"), packing=envelope(inner_mark="極秘")))
    lost = LoseCopy(item=item, copy=1, circumstances="on the train", actor=Actor("lee"))
    await lose_copy(peopled.kr, lost)
    there = FindCopy(item=item, copy=1, circumstances="on the next train", actor=Actor("kim"))
    assert (await find_again(peopled.kr, there)).state == "in transit"
    with pytest.raises(Refused, match="holds no copy"):
        await opens(peopled, item, "kim")
    with pytest.raises(Refused, match="is in transit"):
        await handed(peopled, item, "yoon")
    await peopled.exchange()
    await carry(peopled.jp, Carry(item=reference, actor=Actor("oda")))
    await peopled.exchange()
    with pytest.raises(Misuse) as gone:
        await carry(peopled.kr, Carry(item=reference, actor=Actor("bae")))
    assert gone.value.code == "gone-over"
    await take_back(peopled.jp, TakeBack(item=item, copy=1, actor=Actor("ito")))
    await peopled.exchange()
    assert (await state(peopled, item)).state == "returned"
    assert await state(peopled, item) == await state(peopled, item, party="jp")


async def test_nobody_carries_or_loses_what_is_on_no_way_of_his_side(peopled: World) -> None:  # (10, 13)
    item = (await peopled.given()).item
    await handed(peopled, item, "yoon")
    await peopled.exchange()
    asked = await peopled.ask()
    await peopled.exchange()
    kim = await peopled.pseudonym("kim")
    actor = Actor("lee")
    await assure(peopled.kr, Assure(request=asked.request, relationship=RELATIONSHIP, recipient=kim, actor=actor))
    await peopled.exchange()
    await approve(peopled.jp, Approve(request=asked.request, reason="needed", actor=Actor("abe")))
    assert (await state(peopled, asked.item, party="jp")).state == "in transit"  # sealed, and not receipted yet
    for each in (asked.item, item):
        reference = (await label_copy(peopled.jp, LabelCopy(item=each, copy=1))).reference
        with pytest.raises(Refused, match="not on a way") as refused:
            await carry(peopled.jp, Carry(item=reference, actor=Actor("oda")))
        assert refused.value.code == "copy-state"
        with pytest.raises(Refused, match="not on a way"):
            await lose_copy(peopled.jp, LoseCopy(item=each, copy=1, circumstances="gone", actor=Actor("ito")))


def envelope(**changes: str) -> DoubleEnvelope:
    fields = {name: getattr(ENVELOPE, name) for name in ENVELOPE.__struct_fields__}
    return DoubleEnvelope(**{**fields, **changes})


@pytest.mark.parametrize(
    ("form", "packing", "says"),
    [
        ("documentary", None, "nothing is recorded"),
        ("documentary", envelope(inner_mark="군사 Ⅱ급 비밀"), ""),
        ("documentary", envelope(inner_mark="秘"), "the inner envelope shows '秘'"),
        ("documentary", envelope(inner_mark="極秘", outer_recipient="SECRET, Seoul"), "outer envelope shows a level"),
        ("documentary", envelope(inner_mark="極秘", register_number="極秘1"), "outer envelope shows a level"),
        ("documentary", envelope(inner_mark="極秘", outer_sender="Secretariat, Tokyo"), ""),
        ("documentary", envelope(inner_mark="極秘", outer_sender=""), "both sender and recipient"),
        ("documentary", envelope(inner_mark="極秘", inner_address=""), "no address"),
        ("magnetic", envelope(inner_mark="極秘"), ""),
        ("magnetic", Enclosure(means="crate", seal="7", concealed=True, control="escort"), "goes in two envelopes"),
        ("equipment", envelope(inner_mark="極秘"), "does not go in envelopes"),
        ("equipment", Enclosure(means="crate", seal="7", concealed=True, control="escort"), ""),
        ("equipment", Enclosure(means="vehicle", seal="", concealed=True, control="escort"), "not sealed"),
        ("equipment", Enclosure(means="vehicle", seal="7", concealed=False, control="escort"), "can be seen"),
        ("equipment", Enclosure(means="vehicle", seal="7", concealed=True, control=""), "without a break"),
    ],
)
async def test_what_is_amiss_with_a_packing_warns_by_an_unchecked_clause(
    peopled: World, form: str, packing: DoubleEnvelope | Enclosure | None, says: str
) -> None:  # (16)
    item = (await peopled.given(form=form)).item
    reference = (await label_copy(peopled.jp, LabelCopy(item=item, copy=1))).reference
    signed = await carry(peopled.jp, Carry(item=reference, actor=Actor("oda"), packing=packing))
    assert [each for each in signed.amiss if says in each.says] if says else not signed.amiss
    assert {(each.clause, each.provenance) for each in signed.amiss} <= {("12", "K")}


async def test_a_carrier_learns_nothing_and_signs_for_what_is_on_its_way_only(peopled: World) -> None:  # (18)
    item = (await peopled.given()).item
    reference = (await label_copy(peopled.jp, LabelCopy(item=item, copy=1))).reference
    with pytest.raises(Misuse) as nothing:
        await carry(peopled.kr, Carry(item="c-aaaaaaaaaaaaaaaa", actor=Actor("bae")))
    assert nothing.value.code == "unknown-reference"
    with pytest.raises(Misuse) as by_item:
        await carry(peopled.kr, Carry(item=item, copy=1, actor=Actor("bae")))
    assert by_item.value.code == "unknown-item"
    with pytest.raises(Refused):
        await carry(peopled.kr, Carry(item=reference, actor=Actor("bae")))


# ---- lost and found -------------------------------------------------------------------------------------------------


async def test_a_lost_copy_can_be_found_again(peopled: World) -> None:  # (13, 14)
    item = (await peopled.given()).item
    lost = LoseCopy(item=item, copy=1, circumstances="not in its safe", actor=Actor("lee"))
    await lose_copy(peopled.kr, lost)
    await peopled.exchange()
    assert (await state(peopled, item, party="jp")).state == "lost"
    with pytest.raises(Refused, match="is lost"):
        await copied(peopled, item, "yoon")
    with pytest.raises(Refused, match="is lost"):
        await lose_copy(peopled.kr, lost)
    with pytest.raises(Refused, match="holds no copy"):
        await opens(peopled, item, "kim")
    with pytest.raises(Refused) as refused:
        await find_again(peopled.kr, FindCopy(item=item, copy=1, circumstances="here", actor=Actor("yoon")))
    assert refused.value.code == "not-holder"
    await find_again(peopled.kr, FindCopy(item=item, copy=1, circumstances="behind the safe", actor=Actor("kim")))
    await peopled.exchange()
    assert (await state(peopled, item, party="jp")).found is not None
    assert await opens(peopled, item, "kim") == b"a report"
    with pytest.raises(Refused, match="only a lost copy"):
        await find_again(peopled.kr, FindCopy(item=item, copy=1, circumstances="here", actor=Actor("kim")))


async def test_a_stranger_to_a_copy_does_not_say_that_it_is_lost(peopled: World) -> None:
    item = (await peopled.given()).item
    with pytest.raises(Refused) as refused:
        await lose_copy(peopled.kr, LoseCopy(item=item, copy=1, circumstances="", actor=Actor("yoon")))
    assert refused.value.code == "not-holder"


# ---- looking --------------------------------------------------------------------------------------------------------


async def test_a_reader_sees_his_own_copies_and_the_registry_all(peopled: World) -> None:  # (20)
    item = (await peopled.given()).item
    await copied(peopled, item, "yoon", "han")

    async def numbers(handle: str | None) -> list[int]:
        actor = Actor(handle) if handle else None
        return [each.number for each in await list_copies(peopled.kr, ListCopies(item=item, actor=actor))]

    assert await numbers("kim") == [1]
    assert await numbers("yoon") == [1_001]
    assert await numbers("lee") == await numbers(None) == [1, 1_001, 1_002]
    with pytest.raises(Misuse, match="there is no item"):
        await numbers("choi")
    for number in (1, 9):
        with pytest.raises(Refused) as refused:
            await show_copy(peopled.kr, ShowCopy(item=item, copy=number, actor=Actor("yoon")))
        assert refused.value.sentence.replace(str(number), "N", 1).startswith("there is no copy N")


async def test_both_parties_read_one_label_and_nobody_else_learns_from_it(peopled: World) -> None:  # (17, 18)
    item = (await peopled.given()).item
    await copied(peopled, item, "yoon")
    there = await label_copy(peopled.jp, LabelCopy(item=item, copy=1))
    here = await label_copy(peopled.kr, LabelCopy(item=item, copy=1, actor=Actor("kim")))
    assert there == here
    assert here.marks == ("極秘", "군사 Ⅱ급 비밀")
    assert (here.holder, here.number) == ("kim's desk", 1)
    assert item[2:] not in here.reference
    other = await label_copy(peopled.kr, LabelCopy(item=item, copy=1_001))
    assert other.reference != here.reference
    assert (await scan_copy(peopled.jp, ScanCopy(reference=here.reference))).number == 1
    for handle in ("yoon", "choi", "bae"):
        with pytest.raises(Misuse) as nothing:
            await scan_copy(peopled.kr, ScanCopy(reference=here.reference, actor=Actor(handle)))
        assert nothing.value.code == "unknown-reference"
    assert (await scan_copy(peopled.kr, ScanCopy(reference=other.reference, actor=Actor("yoon")))).number == 1_001


async def test_the_chain_shows_who_signed_with_which_key(peopled: World) -> None:  # (2)
    item = (await peopled.given()).item
    await handed(peopled, item, "yoon")
    await take_over(peopled.kr, TakeOver(item=item, copy=1, actor=Actor("yoon")))
    shown = await show_copy(peopled.kr, ShowCopy(item=item, copy=1))
    kim, yoon = await peopled.pseudonym("kim"), await peopled.pseudonym("yoon")
    assert [(link.kind, link.by, link.to) for link in shown.chain] == [
        ("consignment/1", "", kim),
        ("receipt/1", "", ""),
        ("hand-over/1", kim, yoon),
        ("take-over/1", yoon, ""),
    ]
    assert all(link.key for link in shown.chain[2:])
