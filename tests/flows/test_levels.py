"""Change of level, from the originator's desk to the marks on everything made from it (``spec/ending.md`` 10 to 18)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from comity.errors import Misuse, Refused, Rejected
from comity.flows.actors import Actor, NeedsSignature
from comity.flows.deriving.derivation import Derive, DerivedItem, derive
from comity.flows.ending.level_books import ListReviews, ShowLevels, list_reviews, show_levels
from comity.flows.ending.levels import Reclassification, Reclassify, reclassify
from comity.flows.giving.answering import Approve, Assure, approve, assure
from comity.flows.giving.marks import MarkItem, mark_item
from comity.flows.giving.opening import Open, open_item
from comity.flows.giving.release import Given
from comity.flows.looking.duties import ListDuties, list_duties
from comity.flows.maintaining.rebuilding import VerifyLedger, verify_ledger
from comity.flows.people.clearances import (
    ChangeList,
    GrantClearance,
    WithdrawClearance,
    change_list,
    grant_clearance,
    withdraw_clearance,
)
from comity.register.rows import ItemRow
from comity.register.rows.ending import LevelRow
from comity.register.rows.lineage import DerivativeRow
from comity.seal.keys import generate_identity
from world import RELATIONSHIP, ROOT, TODAY, SeededEntropy, World

SECOND, THIRD = "군사 Ⅱ급 비밀", "군사 Ⅲ급 비밀"
ABE = Actor("abe")


async def changed(world: World, given: Given, mark: str = "秘", **changes: object) -> Reclassification:
    request = {"item": given.item, "mark": mark, "reason": "no longer current", "actor": ABE, **changes}
    return await reclassify(world.jp, Reclassify(**request))


async def made(world: World, relation: str, *ancestors: str, **changes: object) -> DerivedItem:
    request: dict[str, object] = {
        "relation": relation,
        "ancestors": ancestors,
        "path": world.document(b"something made", f"made-{len(ancestors)}-{relation}-{changes.get('form', '')}"),
        "purpose": "air defence",
        "actor": Actor("kim"),
        **({"language": "ko"} if relation == "translation" else {}),
        **changes,
    }
    return await derive(world.kr, Derive(**request))


async def label(world: World, party: str, item: str) -> tuple[str, str | None]:
    row = await world.house(party).need(ItemRow, item, "item")
    return row.label.mark, row.alternative.mark if row.alternative else None


async def owed(world: World, party: str, subject: str) -> list[tuple[str, bool]]:
    found = await list_duties(world.house(party), ListDuties(item=subject))
    return sorted((each.obligation, each.discharged is not None) for each in found.duties if "6g" in each.obligation)


async def test_a_change_re_marks_what_was_given_and_comes_back_proved(world: World) -> None:
    given = await world.given()
    told = await changed(world, given)
    assert [each.outcome for each in told.asked] == ["permit"]
    assert told.notified == (RELATIONSHIP,)
    assert await label(world, "jp", given.item) == ("秘", None)
    assert await owed(world, "jp", given.item) == [("o-6g-mark", False), ("o-6g-notice", True)]
    await world.exchange()
    assert await label(world, "kr", given.item) == ("秘", THIRD)
    for party in ("jp", "kr"):
        assert await owed(world, party, given.item) == [("o-6g-mark", True), ("o-6g-notice", True)]
        shown = await show_levels(world.house(party), ShowLevels(item=given.item))
        (there,) = shown.relationships
        assert (there.mark, there.marked, there.waiting, there.untold) == ("秘", THIRD, 0, False)
        (change,) = there.changes
        assert (change.before, change.mark, change.reason) == ("極秘", "秘", "no longer current")
        assert change.delivered
        assert change.remarked is not None


async def test_who_opens_it_sees_the_new_mark_and_the_seal_still_binds_what_was_given(world: World) -> None:
    """The manifest inside the seal names the label as given; the banner and the decision go by the label of today."""
    given = await world.given()
    await changed(world, given)
    await world.exchange()
    opened = await open_item(
        world.kr,
        Open(item=given.item, purpose="air defence", path=str(world.folder / "opened"), actor=Actor("kim")),
    )
    assert (world.folder / "opened").read_bytes() == b"a report"
    assert opened.banner is not None
    marks = {line.kind: line.text for line in opened.banner.lines if line.kind in ("mark", "originator-mark")}
    assert marks["mark"].startswith(THIRD)
    assert "秘" in marks["originator-mark"]
    assert "極秘" not in marks["originator-mark"]


async def test_what_is_declassified_opens_without_a_clearance(world: World) -> None:
    given = await world.given()
    await withdraw_clearance(world.kr, WithdrawClearance(handle="kim", reason="it ended", actor=ROOT))
    asked = Open(item=given.item, purpose="air defence", path=str(world.folder / "opened"), actor=Actor("kim"))
    assert (await open_item(world.kr, asked)).outcome == "needs-consent"
    await changed(world, given, "")
    await world.exchange()
    assert await label(world, "kr", given.item) == ("", "")
    opened = await open_item(world.kr, asked)
    assert opened.outcome == "permit"
    assert opened.banner is not None
    assert {line.kind for line in opened.banner.lines} == {"provided-by", "declassified"}


async def test_an_upgrade_shuts_out_who_is_not_cleared_for_it(world: World) -> None:
    await world.person("kr", "yun")
    until = TODAY + timedelta(days=365)
    await grant_clearance(
        world.kr,
        GrantClearance(handle="yun", mark=THIRD, until=until, basis="vetted", actor=ROOT, all_information=True),
    )
    await change_list(world.kr, ChangeList(topic="missiles", handle="yun", listed=True, actor=ROOT))
    await world.exchange()
    given = await world.given(mark="秘", recipients=(await world.pseudonym("yun"),))
    asked = Open(item=given.item, purpose="air defence", path=str(world.folder / "one"), actor=Actor("yun"))
    assert (await open_item(world.kr, asked)).outcome == "permit"
    await changed(world, given, "極秘")
    await world.exchange()
    again = Open(item=given.item, purpose="air defence", path=str(world.folder / "two"), actor=Actor("yun"))
    assert (await open_item(world.kr, again)).outcome == "needs-consent"


async def test_above_the_ceiling_nothing_is_changed(world: World) -> None:
    """It cannot stand there under such a mark: it has to be recalled."""
    given = await world.given()
    told = await changed(world, given, "機密")
    assert not told.done
    (asked,) = told.asked
    assert asked.outcome == "forbidden"
    assert [each.code for each in asked.decision.reasons if each.step == 6] == ["above-ceiling"]
    assert await label(world, "jp", given.item) == ("極秘", None)


async def test_only_the_originator_changes_a_level(world: World) -> None:
    await world.person("kr", "yoon", roles=("release-authority",), actor=ROOT)
    given = await world.given()
    with pytest.raises(Misuse) as caught:
        await reclassify(world.kr, Reclassify(item=given.item, mark=THIRD, reason="it is old", actor=Actor("yoon")))
    assert caught.value.code == "unknown-item"  # he has no need to know of it
    until = TODAY + timedelta(days=365)
    await grant_clearance(
        world.kr,
        GrantClearance(handle="yoon", mark=SECOND, until=until, basis="vetted", actor=ROOT, all_information=True),
    )
    await change_list(world.kr, ChangeList(topic="missiles", handle="yoon", listed=True, actor=ROOT))
    told = await reclassify(world.kr, Reclassify(item=given.item, mark="秘", reason="it is old", actor=Actor("yoon")))
    assert [each.outcome for each in told.asked] == ["no-basis"]
    assert not told.done


async def test_an_officer_without_the_role_changes_nothing(world: World) -> None:
    given = await world.given()
    with pytest.raises(Misuse) as caught:
        await changed(world, given, actor=Actor("sato"))
    assert caught.value.code == "no-role"
    with pytest.raises(Rejected) as mistyped:
        await changed(world, given, "極祕")
    assert mistyped.value.code == "unknown-mark"
    with pytest.raises(Misuse) as same:
        await changed(world, given, "極秘")
    assert same.value.code == "no-change"
    assert await label(world, "jp", given.item) == ("極秘", None)


async def test_an_item_that_was_given_to_nobody_changes_at_home(world: World) -> None:
    asked = await world.ask()
    told = await changed(world, asked)
    assert told.done
    assert told.notified == ()
    assert await label(world, "jp", asked.item) == ("秘", None)


async def test_what_was_asked_for_under_the_old_level_is_asked_for_again(world: World) -> None:
    """Sealed and assured under 極秘, it does not go under 秘: the manifest inside says what it was sealed as."""
    asked = await world.ask()
    await world.exchange()
    await changed(world, asked)
    request = Assure(
        request=asked.request, relationship=RELATIONSHIP, recipient=await world.pseudonym("kim"), actor=Actor("lee")
    )
    await assure(world.kr, request)
    await world.exchange()
    with pytest.raises(Refused) as caught:
        await approve(world.jp, Approve(request=asked.request, reason="needed", actor=ABE))
    assert caught.value.code == "level-changed"


async def test_a_copy_on_its_way_is_re_marked_when_it_arrives(world: World) -> None:
    """Given and changed before Seoul hears of either."""
    asked = await world.ask()
    await world.exchange()
    request = Assure(
        request=asked.request, relationship=RELATIONSHIP, recipient=await world.pseudonym("kim"), actor=Actor("lee")
    )
    await assure(world.kr, request)
    await world.exchange()
    await approve(world.jp, Approve(request=asked.request, reason="needed", actor=ABE))
    await changed(world, asked)
    await world.exchange()
    assert await label(world, "kr", asked.item) == ("秘", THIRD)
    assert await owed(world, "jp", asked.item) == [("o-6g-mark", True), ("o-6g-notice", True)]


@pytest.mark.parametrize("form", ["documentary", "magnetic", "equipment"])
async def test_what_has_to_be_stamped_waits_for_whoever_stamps_it(world: World, form: str) -> None:  # (13)
    given = await world.given(form=form)
    await changed(world, given)
    await world.exchange()
    assert await owed(world, "jp", given.item) == [("o-6g-mark", False), ("o-6g-notice", True)]
    with pytest.raises(Misuse) as caught:
        await mark_item(world.kr, MarkItem(item=given.item, mark=SECOND, actor=Actor("lee")))
    assert caught.value.code == "not-a-candidate"
    with pytest.raises(Misuse) as stamped:
        await mark_item(world.kr, MarkItem(item=given.item, mark=THIRD, actor=Actor("kim")))
    assert stamped.value.code == "no-role"
    await mark_item(world.kr, MarkItem(item=given.item, mark=THIRD, actor=Actor("lee")))
    await world.exchange()
    assert await owed(world, "jp", given.item) == [("o-6g-mark", True), ("o-6g-notice", True)]


async def test_where_several_marks_correspond_a_person_chooses_again(world: World) -> None:
    await world.both_ways()
    given = await world.given_back()  # 군사 Ⅲ급 비밀, which is 秘 and nothing else
    upgraded = Reclassify(item=given.item, mark=SECOND, reason="it grew", actor=Actor("yoon"))
    assert (await reclassify(world.kr, upgraded)).done
    await world.exchange()
    assert await label(world, "jp", given.item) == (SECOND, None)
    with pytest.raises(Refused) as caught:
        await open_item(
            world.jp,
            Open(item=given.item, purpose="air defence", path=str(world.folder / "no"), actor=Actor("mori")),
        )
    assert caught.value.code == "mark-not-chosen"
    await mark_item(world.jp, MarkItem(item=given.item, mark="特定秘密", actor=Actor("ito")))
    await world.exchange()
    assert await label(world, "jp", given.item) == (SECOND, "特定秘密")
    (there,) = (await show_levels(world.kr, ShowLevels(item=given.item))).relationships
    assert (there.marked, there.waiting) == ("特定秘密", 0)


async def test_the_mark_chosen_at_receipt_is_told_too(world: World) -> None:
    """Article 4.2: the originator sees under which of several marks its information stands there."""
    await world.both_ways()
    given = await world.given_back(mark=SECOND)
    await mark_item(world.jp, MarkItem(item=given.item, mark="極秘", actor=Actor("ito")))
    await world.exchange()
    (there,) = (await show_levels(world.kr, ShowLevels(item=given.item))).relationships
    assert (there.marked, there.changes) == ("極秘", ())
    found = await list_duties(world.kr, ListDuties(item=given.item))
    assert [each.discharged is not None for each in found.duties if each.obligation == "o-4.2"] == [True]


# ---- what was made from it ------------------------------------------------------------------------------------------


async def marks_of(world: World, *items: str) -> list[str]:
    """The mark of each, which both registers and the maker's own books have alike."""
    found = []
    for item in items:
        rows = [await house.need(DerivativeRow, f"{RELATIONSHIP}/{item}", "d") for house in (world.jp, world.kr)]
        assert rows[0] == rows[1]
        assert (await label(world, "kr", item))[0] == rows[0].label.mark
        found.append(rows[0].label.mark)
    return found


async def test_everything_made_from_it_follows(world: World) -> None:  # (15)
    given = await world.given()
    translation = await made(world, "translation", given.item)
    extract = await made(world, "extract", translation.item)
    await world.exchange()
    assert await marks_of(world, translation.item, extract.item) == [SECOND, SECOND]
    await changed(world, given)
    await world.exchange()
    assert await marks_of(world, translation.item, extract.item) == [THIRD, THIRD]
    await changed(world, given, "極秘")
    await world.exchange()
    assert await marks_of(world, translation.item, extract.item) == [SECOND, SECOND]
    await changed(world, given, "")
    await world.exchange()
    assert await marks_of(world, translation.item, extract.item) == ["", ""]
    (there,) = (await show_levels(world.jp, ShowLevels(item=given.item))).relationships
    assert [(each.item, each.mark) for each in there.made] == [(translation.item, "")]
    for house in (world.jp, world.kr):
        assert (await verify_ledger(house, VerifyLedger())).findings == ()


async def test_what_holds_two_items_stays_as_high_as_the_higher(world: World) -> None:
    first = await world.given()
    second = await world.given(path=world.document(b"another", "another.txt"))
    both = await made(world, "contains", first.item, second.item)
    await world.exchange()
    await changed(world, first)
    await world.exchange()
    assert await marks_of(world, both.item) == [SECOND]
    await changed(world, second)
    await world.exchange()
    assert await marks_of(world, both.item) == [THIRD]


async def test_what_its_maker_marked_higher_stays_higher(world: World) -> None:
    given = await world.given(mark="秘")
    high = await made(world, "contains", given.item, mark=SECOND)
    low = await made(world, "translation", given.item)
    await world.exchange()
    await changed(world, given, "")
    await world.exchange()
    assert await marks_of(world, high.item, low.item) == [SECOND, ""]
    await changed(world, given, "秘")
    await world.exchange()
    assert await marks_of(world, high.item, low.item) == [SECOND, THIRD]


async def test_something_stamped_that_was_made_keeps_the_proof_open(world: World) -> None:
    given = await world.given()
    paper = await made(world, "translation", given.item, form="documentary")
    file = await made(world, "extract", given.item)
    await world.exchange()
    await changed(world, given)
    await world.exchange()
    assert await marks_of(world, paper.item, file.item) == [SECOND, THIRD]
    assert await owed(world, "jp", given.item) == [("o-6g-mark", False), ("o-6g-notice", True)]
    await mark_item(world.kr, MarkItem(item=given.item, mark=THIRD, actor=Actor("lee")))
    await world.exchange()
    assert await marks_of(world, paper.item, file.item) == [THIRD, THIRD]
    assert await owed(world, "jp", given.item) == [("o-6g-mark", True), ("o-6g-notice", True)]


async def test_what_was_made_is_marked_up_by_its_maker_and_never_below(world: World) -> None:
    given = await world.given(mark="秘")
    child = await made(world, "translation", given.item)
    await world.exchange()
    await mark_item(world.kr, MarkItem(item=child.item, mark=SECOND, actor=Actor("lee")))
    await world.exchange()
    assert await marks_of(world, child.item) == [SECOND]
    await changed(world, given, "極秘")
    await world.exchange()
    with pytest.raises(Misuse) as caught:
        await mark_item(world.kr, MarkItem(item=child.item, mark=THIRD, actor=Actor("lee")))
    assert caught.value.code == "below-ancestor"


# ---- reviews, and signing elsewhere ---------------------------------------------------------------------------------


async def test_reviews_are_listed_when_they_are_due(world: World) -> None:  # (17)
    given = await world.given()
    review = TODAY + timedelta(days=30)
    await changed(world, given, "極秘", reason="looked at again", review=review)
    await world.exchange()
    assert await list_reviews(world.jp, ListReviews()) == []
    (line,) = await list_reviews(world.jp, ListReviews(before=review))
    assert (line.item, line.mark, line.due) == (given.item, "極秘", False)
    assert await list_reviews(world.jp, ListReviews(before=review, actor=Actor("sato"))) == [line]
    await world.person("jp", "oda")
    assert await list_reviews(world.jp, ListReviews(before=review, actor=Actor("oda"))) == []
    world.clock.time = review + timedelta(hours=1)
    (line,) = await list_reviews(world.jp, ListReviews())
    assert line.due
    level = await world.kr.need(LevelRow, f"{RELATIONSHIP}/{given.item}", "level")
    assert (level.review, level.pending) == (review, ())
    assert await label(world, "kr", given.item) == ("極秘", SECOND)
    await changed(world, given)
    assert await list_reviews(world.jp, ListReviews()) == []


async def test_the_review_is_a_duty_where_an_arrangement_makes_it_one(tmp_path: Path) -> None:
    world = await World.make(tmp_path, layers=("jp-kr-arrangement.example.toml",))
    given = await world.given()
    review = TODAY + timedelta(days=10)
    await changed(world, given, "極秘", review=review)
    await world.exchange()
    for party in ("jp", "kr"):
        (duty,) = [
            each
            for each in (await list_duties(world.house(party), ListDuties(item=given.item))).duties
            if each.obligation == "a-review"
        ]
        assert (duty.who, duty.due, duty.discharged) == ("jp", review, None)
    await changed(world, given, "極秘", review=review + timedelta(days=300))
    found = (await list_duties(world.jp, ListDuties(item=given.item))).duties
    assert sorted(each.discharged is not None for each in found if each.obligation == "a-review") == [False, True]
    await world.close()


async def test_an_authority_with_its_own_key_signs_the_change_and_the_notice(world: World) -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    await world.person(
        "jp",
        "oda",
        roles=("release-authority",),
        custody="strict",
        recipient=str(generate_identity(SeededEntropy("oda")).recipient),
        signing_key=key.public_key().public_bytes_raw(),
    )
    given = await world.given()
    signatures: tuple[bytes, ...] = ()
    change = world.jp.new_name("l")
    for _ in range(3):
        try:
            told = await changed(world, given, actor=Actor("oda", signatures), change=change)
        except NeedsSignature as asked:
            signatures += (key.sign(asked.message),)
        else:
            break
    assert told.done
    assert len(signatures) == 2
    await world.exchange()
    assert await label(world, "kr", given.item) == ("秘", THIRD)
