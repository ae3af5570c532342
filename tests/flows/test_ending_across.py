"""Levels, recall and destruction of what holds information of two originators (``spec/ending.md`` 15, 21, 23)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from comity.errors import Misuse, Refused
from comity.flows.actors import Actor
from comity.flows.deriving.derivation import Derive, DerivedItem, derive
from comity.flows.ending.certificates import ShowCertificate, show_certificate
from comity.flows.ending.destruction import Destroy, destroy
from comity.flows.ending.levels import Reclassify, reclassify
from comity.flows.ending.recalls import EndPurpose, Recall, ShowRecall, end_purpose, recall, show_recall
from comity.flows.ending.returning import SendBack, send_back
from comity.flows.giving.opening import Open, open_item
from comity.flows.keeping.erasing import HEADER
from comity.flows.looking.duties import ListDuties, list_duties
from comity.flows.maintaining.rebuilding import VerifyLedger, verify_ledger
from comity.flows.people.clearances import ChangeList, GrantClearance, change_list, grant_clearance
from comity.register.rows import CopyRow, ItemRow
from comity.register.rows.ending import HoldingRow
from comity.register.rows.lineage import DerivativeRow
from three import BESIDE, Three
from world import RELATIONSHIP, ROOT, TODAY

SECOND, THIRD = "군사 Ⅱ급 비밀", "군사 Ⅲ급 비밀"
KIM = Actor("kim")


@pytest.fixture
async def three(tmp_path: Path) -> AsyncIterator[Three]:
    made = await Three.three(tmp_path)
    assert isinstance(made, Three)
    yield made
    await made.close()


async def brief(three: Three, *ancestors: str) -> DerivedItem:
    made = await derive(
        three.kr,
        Derive(
            relation="contains",
            ancestors=ancestors,
            path=three.document(b"a brief", "brief.txt"),
            purpose="air defence",
            actor=KIM,
        ),
    )
    await three.everybody_exchanges()
    return made


async def marks(three: Three, item: str) -> tuple[str, str, str]:
    """How the brief is marked in Seoul's own books, in Tokyo's register and in Washington's."""
    home = await three.kr.need(ItemRow, item, "item")
    rows = [
        (await house.need(DerivativeRow, f"{place}/{item}", "derivative")).label.mark
        for house, place in ((three.jp, RELATIONSHIP), (three.us, BESIDE))
    ]
    return home.label.mark, rows[0], rows[1]


async def lowered(three: Three, item: str, mark: str = "秘") -> None:
    request = Reclassify(item=item, mark=mark, reason="no longer current", actor=Actor("abe"))
    assert (await reclassify(three.jp, request)).done
    await three.everybody_exchanges()


async def test_a_change_by_one_originator_is_told_to_the_other_as_far_as_it_shows(three: Three) -> None:  # (15)
    japanese, american = await three.given(), await three.given_by_us()  # 極秘, and one level lower
    both = await brief(three, japanese.item, american.item)
    assert await marks(three, both.item) == (SECOND, SECOND, SECOND)
    await lowered(three, japanese.item)
    assert await marks(three, both.item) == (THIRD, THIRD, THIRD)
    await lowered(three, japanese.item, "")
    assert await marks(three, both.item) == (THIRD, THIRD, THIRD)  # Washington's part is what it was
    for house in (three.jp, three.kr, three.us):
        assert (await verify_ledger(house, VerifyLedger())).findings == ()


async def test_what_holds_received_information_is_marked_with_it_and_not_by_its_maker(three: Three) -> None:
    japanese, american = await three.given(), await three.given_by_us()
    both = await brief(three, japanese.item, american.item)
    await three.person("kr", "yoon", roles=("release-authority",))
    request = Reclassify(item=both.item, mark=THIRD, reason="we would like to", actor=Actor("yoon"))
    with pytest.raises(Misuse) as caught:  # it is no item of this house's own, and he is on no list for it
        await reclassify(three.kr, request)
    assert caught.value.code == "unknown-item"
    until = TODAY + timedelta(days=365)
    clearance = GrantClearance(
        handle="yoon", mark=SECOND, until=until, basis="vetted", all_information=True, actor=ROOT
    )
    await grant_clearance(three.kr, clearance)
    await change_list(three.kr, ChangeList(topic="missiles", handle="yoon", listed=True, actor=ROOT))
    told = await reclassify(three.kr, request)
    assert [each.outcome for each in told.asked] == ["no-basis", "no-basis"]
    assert await marks(three, both.item) == (SECOND, SECOND, SECOND)


async def test_a_copy_of_it_is_destroyed_for_both(three: Three) -> None:  # (21)
    japanese, american = await three.given(), await three.given_by_us()
    both = await brief(three, japanese.item, american.item)
    with pytest.raises(Refused) as caught:
        await send_back(three.kr, SendBack(item=both.item, copy=1, reason="done", actor=KIM))
    assert caught.value.code == "several-originators"
    request = Destroy(item=both.item, copy=1, method="erase-key", reason="done", actor=KIM)
    told = await destroy(three.kr, request)
    assert told.certificate is not None
    await three.everybody_exchanges()
    for house, place in ((three.jp, RELATIONSHIP), (three.us, BESIDE)):
        copy = await house.need(CopyRow, f"{place}/{both.item}/000001", "copy")
        here = await three.kr.need(CopyRow, f"{place}/{both.item}/000001", "copy")
        assert (copy, copy.state) == (here, "destroyed")
        assert await three.kr.side(HEADER, copy.header.hex()) is None
        assert (await house.need(HoldingRow, f"{place}/{both.item}", "holding")).gone
        shown = await show_certificate(house, ShowCertificate(certificate=told.certificate.certificate))
        assert (shown.state, shown.relationship, shown.copy) == ("complete", place, 1)
    asked = Open(item=both.item, purpose="air defence", path=str(three.folder / "opened"), actor=KIM)
    with pytest.raises(Refused):
        await open_item(three.kr, asked)


async def test_a_recall_by_one_reaches_it_and_the_other_hears_nothing(three: Three) -> None:  # (25)
    japanese, american = await three.given(), await three.given_by_us()
    both = await brief(three, japanese.item, american.item)
    request = Recall(item=japanese.item, asks="destroy", reason="sent by mistake", actor=Actor("abe"))
    await recall(three.jp, request)
    await three.everybody_exchanges()
    (told,) = await show_recall(three.jp, ShowRecall(item=japanese.item))
    assert [each.item for each in told.reached] == [japanese.item, both.item]
    with pytest.raises(Misuse):
        await show_recall(three.us, ShowRecall(item=american.item))
    asked = Open(item=both.item, purpose="air defence", path=str(three.folder / "opened"), actor=KIM)
    assert (await open_item(three.kr, asked)).outcome == "permit"  # no rule of either agreement says otherwise
    await destroy(three.kr, Destroy(item=both.item, copy=1, method="erase-key", reason="recalled", actor=KIM))
    await three.everybody_exchanges()
    (told,) = await show_recall(three.jp, ShowRecall(item=japanese.item))
    assert told.unanswered == 1


async def test_its_purpose_ends_for_both(three: Three) -> None:
    japanese, american = await three.given(), await three.given_by_us()
    both = await brief(three, japanese.item, american.item)
    shown = await end_purpose(three.kr, EndPurpose(item=both.item, reason="over", actor=Actor("lee")))
    assert [each.relationship for each in shown] == [RELATIONSHIP, BESIDE]
    await three.everybody_exchanges()
    for house in (three.jp, three.us):
        found = await list_duties(house, ListDuties(item=both.item))
        assert [each.discharged for each in found.duties if each.obligation == "o-6h"] == [None]
    await destroy(three.kr, Destroy(item=both.item, copy=1, method="erase-key", reason="over", actor=KIM))
    await three.everybody_exchanges()
    for house in (three.jp, three.us):
        found = await list_duties(house, ListDuties(item=both.item))
        assert [each.discharged is not None for each in found.duties if each.obligation == "o-6h"] == [True]
