"""Translations, extracts and documents that contain what was received: made, sealed, told to its giver, refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from comity.errors import Misuse, Refused
from comity.flows.actors import Actor, NeedsSignature
from comity.flows.deciding.explaining import Why, why
from comity.flows.deciding.lineage import relationships_of
from comity.flows.deriving.derivation import UNSIGNED, UNSIGNED_KEPT, Derive, DerivedItem, derive
from comity.flows.ending.recalls import LiftRecall, Recall, lift, recall
from comity.flows.giving.marks import MarkItem, mark_item
from comity.flows.giving.opening import Confirm, Open, OpenedItem, confirm, open_item
from comity.flows.keeping.erasing import HEADER
from comity.flows.maintaining.collecting import Collect, collect
from comity.flows.maintaining.rebuilding import VerifyLedger, verify_ledger
from comity.flows.people.clearances import (
    ChangeList,
    GrantClearance,
    WithdrawClearance,
    change_list,
    grant_clearance,
    withdraw_clearance,
)
from comity.record.bodies.lineage import ANCESTORS_MAX
from comity.register.rows import CopyRow, DecisionRow, ItemRow
from comity.register.rows.lineage import ChildRow, DerivativeRow
from flows.test_opening import KEY, strict_reader
from three import BESIDE, Three
from world import RELATIONSHIP, ROOT, TODAY, World, adopt

SECOND, THIRD = "군사 Ⅱ급 비밀", "군사 Ⅲ급 비밀"


async def made(world: World, *ancestors: str, **changes: Any) -> DerivedItem:
    """Kim makes something from what he holds: a translation, unless it is said otherwise."""
    wanted = {
        "path": changes.pop("path", None) or world.document("레이더가 본 것".encode(), "report.ko.txt"),
        "relation": "translation",
        "ancestors": ancestors,
        "purpose": "air defence",
        "actor": Actor("kim"),
        **changes,
    }
    if wanted["relation"] == "translation":
        wanted.setdefault("language", "ko")
    return await derive(world.kr, Derive(**wanted))


async def read(world: World, item: str, who: str = "kim", purpose: str = "air defence") -> OpenedItem:
    path = world.folder / f"read-{item}-{who}"
    path.unlink(missing_ok=True)
    return await open_item(world.kr, Open(item=item, purpose=purpose, path=str(path), actor=Actor(who)))


async def cleared(world: World, handle: str) -> None:
    """Somebody in Seoul who may read about missiles."""
    until = TODAY + timedelta(days=365)
    await grant_clearance(
        world.kr,
        GrantClearance(handle=handle, mark=SECOND, until=until, basis="vetted", actor=ROOT, all_information=True),
    )


async def test_a_translation_is_told_sealed_and_read(world: World) -> None:
    given = await world.given()
    translation = await made(world, given.item)
    assert translation.made
    assert translation.label is not None
    assert (translation.label.policy, translation.label.mark, translation.label.originator) == ("kr", SECOND, "jp")
    assert translation.copies == ("kim",)
    opened = await read(world, translation.item)
    assert opened.opening is not None
    assert Path(opened.path).read_text() == "레이더가 본 것"
    assert opened.banner is not None
    notes = [line for line in opened.banner.lines if line.kind == "translation-note"]
    assert [(line.language, line.clause) for line in notes] == [("ko", "15")]
    await world.exchange()
    for table in (DerivativeRow, ChildRow, CopyRow):
        ours, theirs = [[row async for row in house.rows(table)] for house in (world.kr, world.jp)]
        assert ours == theirs
    (copy,) = [copy async for _, copy in world.jp.rows(CopyRow, f"{RELATIONSHIP}/{translation.item}/")]
    assert bytes.fromhex(opened.opening) in copy.openings
    assert await world.jp.row(ItemRow, translation.item) is None  # the content never crossed, and neither did the item


async def test_an_extract_keeps_the_mark_and_a_document_says_what_it_contains(world: World) -> None:
    given = await world.given()
    extract = await made(world, given.item, relation="extract")
    brief = await made(world, given.item, extract.item, relation="contains")
    for each in (extract, brief):
        assert each.label is not None
        assert each.label.mark == SECOND
        assert each.banner is not None
        assert [line.clause for line in each.banner.lines if line.kind == "derivative"] == ["4.3"] * 3
    row = await world.kr.need(DerivativeRow, f"{RELATIONSHIP}/{brief.item}", "derivative")
    assert row.ancestors == tuple(sorted((given.item, extract.item)))


async def test_copies_go_to_others_of_the_house(world: World) -> None:
    given = await world.given()
    await cleared(world, "lee")
    await cleared(world, "park")
    translation = await made(world, given.item, holders=("kim", "park", "kim"))
    assert translation.copies == ("kim", "park")
    assert (await read(world, translation.item, "park")).opening is not None
    with pytest.raises(Refused) as refused:
        await read(world, given.item, "park")
    assert refused.value.code == "not-holder"  # the original is not hers


async def test_nobody_gets_a_copy_who_could_not_read_the_original(world: World) -> None:
    given = await world.given()
    refusal = await made(world, given.item, holders=("kim", "park"))
    assert not refusal.made
    (asked,) = refusal.asked
    assert asked.outcome == "needs-consent"
    missing = {(each.clause, each.about) for each in asked.decision.reasons if each.effect == "needs"}
    assert missing == {("7.2", await world.pseudonym("park")), ("15", await world.pseudonym("park"))}
    assert [row async for row in world.kr.rows(DerivativeRow)] == []


async def test_a_translator_who_lost_his_clearance_is_refused_and_that_is_recorded(world: World) -> None:
    given = await world.given()
    await withdraw_clearance(world.kr, WithdrawClearance(handle="kim", reason="left the branch", actor=ROOT))
    before = [row async for row in world.kr.rows(DecisionRow)]
    refusal = await made(world, given.item)
    assert not refusal.made
    assert {each.clause for each in refusal.asked[0].decision.reasons if each.effect == "needs"} == {"7.2", "15"}
    assert len([row async for row in world.kr.rows(DecisionRow)]) == len(before) + 1


async def test_who_may_not_see_an_item_learns_nothing_of_it(world: World) -> None:
    given = await world.given()
    answers = []
    for item in (given.item, "i-aaaaaaaaaaaaaaaa"):
        with pytest.raises(Misuse) as refused:
            await made(world, item, actor=Actor("choi"))
        answers.append((refused.value.sentence.replace(item, "ITEM"), refused.value.code))
    assert answers[0] == answers[1]


async def test_another_purpose_asks_consent(world: World) -> None:
    given = await world.given()
    refusal = await made(world, given.item, purpose="trade talks")
    assert {each.clause for each in refusal.asked[0].decision.reasons if each.effect == "needs"} == {"6.c"}


async def test_a_maker_works_from_a_copy_of_his_own(world: World) -> None:
    given = await world.given()
    await cleared(world, "park")
    with pytest.raises(Refused) as refused:
        await made(world, given.item, actor=Actor("park"))
    assert refused.value.code == "not-holder"


async def test_nothing_is_made_from_what_was_recalled(world: World) -> None:
    given = await world.given()
    translation = await made(world, given.item)
    await recall(world.jp, Recall(item=given.item, asks="return", reason="given in error", actor=Actor("abe")))
    await world.exchange()
    refusal = await made(world, given.item)
    assert {each.clause for each in refusal.asked[0].decision.reasons if each.effect == "forbids"} == {"recalled"}
    through = await made(world, translation.item, relation="extract")
    assert [each.step for each in through.asked[0].decision.reasons if each.effect == "forbids"] == [18]
    await lift(world.jp, LiftRecall(item=given.item, reason="not in error", actor=Actor("abe")))
    await world.exchange()
    assert (await made(world, translation.item, relation="extract")).made


async def test_a_recall_stands_whatever_rules_a_house_runs(world: World) -> None:
    given = await world.given()
    translation = await made(world, given.item)
    await adopt(world.kr, "jp", "jp-kr-2016.history.toml", layers=())
    await recall(world.jp, Recall(item=given.item, asks="return", reason="given in error", actor=Actor("abe")))
    await world.exchange()
    for item, relation in ((given.item, "translation"), (translation.item, "extract")):
        with pytest.raises(Refused) as refused:
            await made(world, item, relation=relation)
        assert refused.value.code == "recalled"
        assert "given in error" in refused.value.sentence


BAD: list[tuple[str, type[Exception], dict[str, Any]]] = [
    ("no-note", Refused, {"language": "fr"}),
    ("unknown-mark", Misuse, {"mark": "군사 II급 비밀"}),
    ("lower-mark", Refused, {"mark": THIRD}),
    ("above-ceiling", Refused, {"mark": "군사 Ⅰ급 비밀"}),
    ("unknown-person", Misuse, {"holders": ("nobody",)}),
    ("unknown-item", Misuse, {"ancestors": ("i-aaaaaaaaaaaaaaaa",)}),
    ("no-ancestor", Misuse, {"ancestors": ()}),
    ("bad-name", Misuse, {"item": "i-1"}),
    ("by-hand", Misuse, {"form": "documentary", "holders": ("kim", "park")}),
    ("form", Misuse, {"form": "oral"}),
    ("unreadable", Misuse, {"path": "nowhere.txt"}),
]


@pytest.mark.parametrize(("code", "error", "changes"), BAD)
async def test_what_cannot_be_made(world: World, code: str, error: type[Exception], changes: dict[str, Any]) -> None:
    given = await world.given()
    wanted = {"ancestors": (given.item,), **changes}
    with pytest.raises(error) as refused:
        await made(world, *wanted.pop("ancestors"), **wanted)
    assert code in str(getattr(refused.value, "code", "")) or code == "unreadable"
    assert [row async for row in world.kr.rows(DerivativeRow)] == []
    assert not world.kr.payloads.under_way


async def test_a_language_without_words_says_what_to_do(world: World) -> None:
    given = await world.given()
    with pytest.raises(Refused) as refused:
        await made(world, given.item, language="fr")
    assert refused.value.place == "15"
    assert "translate into en or ja or ko, or agree on the words with 'jp'" in refused.value.sentence


async def test_one_thing_is_translated_at_a_time_and_nothing_from_itself(world: World) -> None:
    first, second = await world.given(), await world.given()
    with pytest.raises(Misuse) as refused:
        await made(world, first.item, second.item)
    assert refused.value.code == "several-ancestors"
    with pytest.raises(Misuse) as refused:
        await made(world, first.item, item=first.item)
    assert refused.value.code == "cycle"
    assert (await made(world, first.item, second.item, first.item, relation="contains")).made


async def test_what_is_the_houses_own_is_given_not_derived(world: World) -> None:
    await world.both_ways()
    own = await world.given_back()
    with pytest.raises(Misuse) as refused:
        await made(world, own.item, actor=Actor("lee"))
    assert refused.value.code == "own-item"


async def test_a_list_is_named_where_there_are_several(world: World) -> None:
    first, second = await world.given(), await world.given()
    translation = await made(world, first.item, topic="radars")
    await change_list(world.kr, ChangeList(topic="radars", handle="kim", listed=True, actor=ROOT))
    with pytest.raises(Misuse) as refused:
        await made(world, second.item, translation.item, relation="contains")
    assert refused.value.code == "topic"
    assert (await made(world, second.item, translation.item, relation="contains", topic="missiles")).made


async def test_equally_high_marks_are_a_persons_choice(world: World) -> None:
    await world.both_ways()
    marked = []
    for mark in ("極秘", "特定秘密"):
        item = (await world.given_back(mark=SECOND)).item
        request = Derive(
            path=world.document(),
            relation="extract",
            ancestors=(item,),
            purpose="air defence",
            actor=Actor("mori"),
        )
        with pytest.raises(Refused) as refused:
            await derive(world.jp, request)
        assert refused.value.code == "mark-not-chosen"
        await mark_item(world.jp, MarkItem(item=item, mark=mark, actor=Actor("ito")))
        marked.append(item)
    both = msgspec.structs.replace(request, relation="contains", ancestors=tuple(marked))
    with pytest.raises(Misuse) as undecided:
        await derive(world.jp, both)
    assert undecided.value.code == "mark-choice"
    chosen = await derive(world.jp, msgspec.structs.replace(both, mark="特定秘密"))
    assert chosen.label is not None
    assert chosen.label.mark == "特定秘密"


async def test_a_person_may_mark_higher(world: World) -> None:
    given = await world.given(mark="秘")
    plain, higher = await made(world, given.item), await made(world, given.item, mark=SECOND)
    assert plain.label is not None
    assert higher.label is not None
    assert (plain.label.mark, higher.label.mark) == (THIRD, SECOND)


async def test_an_item_with_too_many_ancestors_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ANCESTORS_MAX == 64
    for module in ("comity.flows.deriving.derivation", "comity.flows.deciding.lineage"):
        monkeypatch.setattr(f"{module}.ANCESTORS_MAX", 3)
    item = (await world.given()).item
    for _ in range(3):
        item = (await made(world, item, relation="extract")).item
    with pytest.raises(Refused) as refused:
        await made(world, item, relation="extract")
    assert refused.value.code == "lineage-too-long"


async def test_a_decision_has_room_for_as_many_ancestors_as_are_allowed(world: World) -> None:
    """One record names them all; with sixty-four it is still one that can be written."""
    item = (await world.given()).item
    for _ in range(ANCESTORS_MAX - 1):
        item = (await made(world, item, relation="extract")).item
    last = (await made(world, item, relation="extract")).item
    assert (await read(world, last)).opening is not None
    with pytest.raises(Refused) as refused:
        await made(world, last, relation="extract")
    assert refused.value.code == "lineage-too-long"


async def test_all_of_it_is_made_again_from_the_journal(world: World) -> None:
    given = await world.given()
    translation = await made(world, given.item)
    await read(world, translation.item)
    await world.exchange()
    for house in (world.jp, world.kr):
        assert (await verify_ledger(house, VerifyLedger())).findings == ()


async def test_collecting_keeps_what_was_made(world: World) -> None:
    given = await world.given()
    translation = await made(world, given.item)
    await collect(world.kr, Collect())
    assert (await read(world, translation.item)).opening is not None
    await world.exchange()
    assert (await collect(world.jp, Collect())).payloads == 0


# ---- strict custody -------------------------------------------------------------------------------------------------


async def test_a_translator_signs_with_his_own_key(world: World) -> None:
    given = await world.given(recipients=(await strict_reader(world),))
    request = Derive(
        path=world.document(),
        relation="translation",
        ancestors=(given.item,),
        purpose="air defence",
        actor=Actor("han"),
        language="ko",
        item="i-aaaaaaaaaaaaaaaa",
    )
    with pytest.raises(NeedsSignature) as asked:
        await derive(world.kr, request)
    assert await world.kr.row(ItemRow, "i-aaaaaaaaaaaaaaaa") is None
    await collect(world.kr, Collect())  # what waits for its signature is kept
    signed = Actor("han", (KEY.sign(asked.value.message),))
    with pytest.raises(Misuse) as refused:
        await derive(world.kr, msgspec.structs.replace(request, actor=signed, purpose="selling it on"))
    assert refused.value.code == "other-request"
    made_ = await derive(world.kr, msgspec.structs.replace(request, actor=signed))
    assert made_.item == "i-aaaaaaaaaaaaaaaa"
    assert await world.kr.side(UNSIGNED, made_.item) is None
    path = str(world.folder / "sealed.age")
    fetched = await open_item(world.kr, Open(item=made_.item, purpose="air defence", path=path, actor=Actor("han")))
    assert fetched.binding is not None
    confirming = Confirm(
        item=made_.item, purpose="air defence", decision_record=fetched.decision_record, actor=Actor("han")
    )
    with pytest.raises(NeedsSignature) as opening:
        await confirm(world.kr, confirming)
    own = Actor("han", (KEY.sign(opening.value.message),))
    assert (await confirm(world.kr, msgspec.structs.replace(confirming, actor=own))).opening is not None


async def test_a_maker_signs_once_for_each_relationship(tmp_path: Path) -> None:
    world = await Three.three(tmp_path)
    japanese = await world.given(recipients=(await strict_reader(world),))
    await world.everybody_exchanges()
    american = await world.given_by_us(recipients=(await world.beside_name("han"),))
    request = Derive(
        path=world.document(),
        relation="contains",
        ancestors=(japanese.item, american.item),
        purpose="air defence",
        actor=Actor("han"),
        item="i-aaaaaaaaaaaaaaaa",
    )
    signatures: list[bytes] = []
    for _ in range(2):
        with pytest.raises(NeedsSignature) as asked:
            await derive(world.kr, msgspec.structs.replace(request, actor=Actor("han", tuple(signatures))))
        signatures.append(KEY.sign(asked.value.message))
    brief = await derive(world.kr, msgspec.structs.replace(request, actor=Actor("han", tuple(signatures))))
    assert set(brief.relationships) == {RELATIONSHIP, BESIDE}
    await world.close()


async def test_what_nobody_signs_is_given_up(world: World) -> None:
    given = await world.given(recipients=(await strict_reader(world),))
    request = Derive(
        path=world.document(),
        relation="extract",
        ancestors=(given.item,),
        purpose="air defence",
        actor=Actor("han"),
        item="i-aaaaaaaaaaaaaaaa",
    )
    with pytest.raises(NeedsSignature):
        await derive(world.kr, request)
    world.clock.time += UNSIGNED_KEPT
    assert (await collect(world.kr, Collect())).payloads == 1
    assert await world.kr.side(UNSIGNED, "i-aaaaaaaaaaaaaaaa") is None


# ---- across agreements ----------------------------------------------------------------------------------------------


@pytest.fixture
async def three(tmp_path: Path) -> AsyncIterator[Three]:
    world = await Three.three(tmp_path)
    yield world
    await world.close()


async def test_each_originator_hears_of_its_own_part_only(three: Three) -> None:
    japanese, american = await three.given(), await three.given_by_us()
    brief = await made(three, japanese.item, american.item, relation="contains")
    assert set(brief.relationships) == {RELATIONSHIP, BESIDE}
    assert brief.label is not None
    assert (brief.label.mark, brief.label.originator) == (SECOND, "kr")
    opened = await read(three, brief.item)
    assert opened.opening is not None
    await three.everybody_exchanges()
    for house, place, ancestor, originator in (
        (three.jp, RELATIONSHIP, japanese.item, "jp"),
        (three.us, BESIDE, american.item, "us"),
    ):
        row = await house.need(DerivativeRow, f"{place}/{brief.item}", "derivative")
        assert row.ancestors == (ancestor,)
        assert (row.label.mark, row.label.originator) == (SECOND, originator)  # the highest of both, on either side
        (copy,) = [copy async for _, copy in house.rows(CopyRow, f"{place}/{brief.item}/")]
        assert len(copy.openings) == 1
    assert await relationships_of(three.kr, brief.item) == (RELATIONSHIP, BESIDE)
    (told,) = [each for each in await why(three.kr, Why(of=brief.item)) if each.act == "open"]
    assert told.replayed  # made again beside the other agreement


async def test_what_either_agreement_asks_holds_for_the_child(three: Three) -> None:
    """The purpose was allowed by Tokyo alone; Washington's condition bites on what contains its part."""
    japanese = await three.given(purpose="exercise")
    american = await three.given_by_us(purpose="exercise")
    brief = await made(three, japanese.item, american.item, relation="contains", purpose="exercise")
    refusal = await read(three, brief.item, purpose="trade talks")
    against = {(each.step, each.instrument) for each in refusal.decision.reasons if each.effect == "needs"}
    assert against == {(11, "jp-kr-2016"), (18, "jp-kr-2016"), (18, "kr-us-test")}


async def test_headers_of_copies_stay_here(three: Three) -> None:
    japanese, american = await three.given(), await three.given_by_us()
    brief = await made(three, japanese.item, american.item, relation="contains")
    await three.everybody_exchanges()
    (copy,) = [copy async for _, copy in three.kr.rows(CopyRow, f"{BESIDE}/{brief.item}/")]
    assert await three.kr.side(HEADER, copy.header.hex()) is not None
    for house in (three.jp, three.us):
        assert await house.side(HEADER, copy.header.hex()) is None


async def test_a_mark_that_an_agreement_does_not_know_stands_beside_the_other(tmp_path: Path) -> None:
    """Washington's agreement has another word for Seoul's lowest level: nobody can rank the two words."""
    world = await Three.three(tmp_path, change=lambda text: text.replace("군사 Ⅲ급 비밀", "대외비"))
    american = (await world.given_by_us()).item
    for mark, ours, theirs in (("秘", THIRD, "대외비"), ("極秘", SECOND, SECOND)):
        japanese = (await world.given(mark=mark)).item
        brief = await made(world, japanese, american, relation="contains")
        rows = [await world.kr.need(DerivativeRow, f"{place}/{brief.item}", "") for place in (RELATIONSHIP, BESIDE)]
        assert [row.label.mark for row in rows] == [ours, theirs]
        assert brief.banner is not None
        marks = [line.text for line in brief.banner.lines if line.kind == "mark"]
        assert [mark.partition(" (")[0] for mark in marks] == list(dict.fromkeys((ours, theirs)))
        await world.everybody_exchanges()
        assert await world.us.row(DerivativeRow, f"{BESIDE}/{brief.item}") is not None
    await world.close()
