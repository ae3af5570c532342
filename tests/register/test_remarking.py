"""The proof that what was made is marked with what it was made from, and what is left of a family (steps 1, 15)."""

from __future__ import annotations

import pytest

from comity.record.bodies import Body, CopyMade
from comity.record.bodies.ending import ChildMark, Destroyed, LevelChanged, Reclassified, Remarked
from comity.record.person_act import unsigned
from comity.register.rows import CopyRow, ItemRow
from comity.register.rows.ending import EndingRow, HoldingRow, LevelRow
from comity.register.rows.lineage import DerivativeRow
from comity.register.verdict import Changes, Rejection
from register.families import OWN, THIRD, derived, registered, translated
from register.story import RELATIONSHIP, Story, listed, signed

SECOND = OWN.mark
HI = "秘"


def family() -> Story:
    """``i-2`` was made from ``i-1`` in Seoul, ``i-3`` from ``i-2``; Tokyo then lowers ``i-1``."""
    story = translated()
    story.say("kr", registered("i-3", ("i-2",)))
    story.say("kr", derived("i-3", ("i-2", 1), relation="extract"))
    story.say("kr", listed("lee", ("assurance-officer", "agreement-authority", "registry")))
    story.say("jp", listed("abe", ("release-authority",), nationality="jp", serves="jp"))
    lowered(story, HI, "l-1")
    return story


def lowered(story: Story, mark: str, change: str) -> None:
    for kind, signer, place in ((Reclassified, "p-abe", "domestic"), (LevelChanged, "n-abe", RELATIONSHIP)):
        level = story.row("jp", "level", f"{place}/i-1")
        body = kind(
            change=change,
            item="i-1",
            mark=mark,
            reason="it matters less",
            by=signer,
            after=level.last if isinstance(level, LevelRow) else bytes(32),
            signature=unsigned(),
        )
        story.say("jp", signed(body, signer))


def proof(story: Story, *children: tuple[str, str], signer: str = "", **changes: object) -> Body:
    level = story.row("kr", "level", f"{RELATIONSHIP}/{changes.get('item', 'i-1')}")
    fields: dict[str, object] = {
        "item": "i-1",
        "change": "l-1",
        "mark": THIRD,
        "children": tuple(ChildMark(*each) for each in children),
        "after": level.marking if isinstance(level, LevelRow) else bytes(32),
        "by": signer or None,
        **changes,
    }
    body = Remarked(**fields)
    return signed(body, signer, "kr") if signer else body


def marks(story: Story) -> list[str]:
    """How ``i-2`` and ``i-3`` are marked, alike in both registers and in their maker's own books."""
    found = []
    for item in ("i-2", "i-3"):
        rows = [story.row(party, "derivative", f"{RELATIONSHIP}/{item}") for party in ("jp", "kr")]
        assert rows[0] == rows[1]
        at_home = story.row("kr", "item", item)
        assert isinstance(rows[0], DerivativeRow)
        assert isinstance(at_home, ItemRow)
        assert at_home.label.mark == rows[0].label.mark
        found.append(rows[0].label.mark)
    return found


def test_a_family_is_marked_by_one_proof() -> None:
    story = family()
    assert marks(story) == [SECOND, SECOND]
    story.say("kr", proof(story, ("i-2", THIRD), ("i-3", THIRD)))
    assert marks(story) == [THIRD, THIRD]


def test_or_by_several_parts_of_one() -> None:
    story = family()
    story.say("kr", proof(story, ("i-2", THIRD), more=True))
    assert marks(story) == [THIRD, SECOND]
    level = story.row("jp", "level", f"{RELATIONSHIP}/i-1")
    assert isinstance(level, LevelRow)
    assert (level.marked, level.pending) == (None, ("l-1",))
    story.say("kr", proof(story, ("i-3", THIRD)))
    assert marks(story) == [THIRD, THIRD]


@pytest.mark.parametrize(
    ("children", "expected"),
    [
        ((("i-2", ""),), "below-ancestor"),  # i-1 itself is no lower than 군사 Ⅲ급 비밀
        ((("i-2", "군사 Ⅸ급 비밀"),), "unknown-mark"),
        ((("i-2", "秘"),), "unknown-mark"),  # another ladder's
        ((("i-1", THIRD),), "unknown-derivative"),
        ((("i-9", THIRD),), "unknown-derivative"),
    ],
)
def test_a_dishonest_proof_is_refused_on_both_sides(children: tuple[tuple[str, str], ...], expected: str) -> None:
    story = family()
    verdict = story.try_("kr", proof(story, *children))
    assert isinstance(verdict, Rejection)
    assert verdict.code == expected


def test_a_grandchild_is_measured_by_its_parent_as_the_same_proof_marks_it() -> None:
    story = family()
    assert isinstance(story.try_("kr", proof(story, ("i-2", SECOND), ("i-3", SECOND))), Changes)
    assert isinstance(story.try_("kr", proof(story, ("i-2", THIRD), ("i-3", THIRD))), Changes)
    verdict = story.try_("kr", proof(story, ("i-2", SECOND), ("i-3", THIRD)))
    assert isinstance(verdict, Rejection)
    assert verdict.code == "below-ancestor"


def test_what_was_not_made_from_it_is_not_marked_with_it() -> None:
    story = family()
    story.say("kr", proof(story, ("i-2", THIRD), ("i-3", THIRD)))
    verdict = story.try_("kr", proof(story, ("i-2", THIRD), item="i-3", change=None, mark=THIRD))
    assert isinstance(verdict, Rejection)
    assert verdict.code == "other-child"


def test_only_its_maker_marks_what_he_made() -> None:
    story = family()
    verdict = story.try_("jp", proof(story, item="i-2", change=None, mark=THIRD))
    assert isinstance(verdict, Rejection)
    assert verdict.code == "not-recipient"


def test_a_child_by_itself_is_marked_no_lower_than_its_maker_has_said_of_its_parents() -> None:
    story = family()
    low = proof(story, item="i-2", change=None, mark=THIRD)
    verdict = story.try_("kr", low)  # of i-1 nothing was said yet but that it came as 極秘
    assert isinstance(verdict, Rejection)
    assert verdict.code == "below-ancestor"
    story.say("kr", proof(story, ("i-2", SECOND), ("i-3", SECOND)))
    story.say("kr", proof(story, item="i-2", change=None, mark=THIRD))
    assert marks(story) == [THIRD, SECOND]


@pytest.mark.parametrize("signer", ["", "n-lee"])
def test_papers_that_were_made_are_stamped_by_somebody(signer: str) -> None:  # (13)
    story = translated()
    story.say("kr", registered("i-4", ("i-1",), form="documentary"))
    copies = (CopyMade(1, "n-kim", bytes([4]) * 32),)
    story.say("kr", derived("i-4", relation="extract", form="documentary", copies=copies))
    story.say("kr", listed("lee", ("assurance-officer", "agreement-authority", "registry")))
    story.say("jp", listed("abe", ("release-authority",), nationality="jp", serves="jp"))
    lowered(story, HI, "l-1")
    verdict = story.try_("kr", proof(story, ("i-4", THIRD), signer=signer))
    assert isinstance(verdict, Changes) == bool(signer), verdict


def test_what_is_left_of_a_family_is_counted_upwards() -> None:  # (1)
    story = family()
    assert [_left(story, item) for item in ("i-1", "i-2", "i-3")] == [(2, 4), (2, 2), (2, 0)]
    for number, (item, copy, holder) in enumerate((("i-3", 1, "n-kim"), ("i-2", 1, "n-kim"), ("i-1", 1, "n-kim"))):
        row = story.row("kr", "copy", f"{RELATIONSHIP}/{item}/{copy:06d}")
        assert isinstance(row, CopyRow)
        body = Destroyed(
            certificate=f"t-{number}",
            item=item,
            copy=copy,
            method="erase-key",
            reason="done",
            basis=bytes(32),
            by=holder,
            after=row.last,
            signature=unsigned(),
        )
        story.say("kr", signed(body, holder, "kr"))
    assert [_left(story, item) for item in ("i-1", "i-2", "i-3")] == [(1, 2), (1, 1), (1, 0)]
    ending = story.row("jp", "ending", f"{RELATIONSHIP}/i-3/000001")
    assert isinstance(ending, EndingRow)
    assert ending.done is not None


def _left(story: Story, item: str) -> tuple[int, int]:
    rows = [story.row(party, "holding", f"{RELATIONSHIP}/{item}") for party in ("jp", "kr")]
    assert rows[0] == rows[1]
    assert isinstance(rows[0], HoldingRow)
    return rows[0].left, rows[0].below


def raised() -> Story:
    """The family was lowered, and its first item is raised again."""
    story = family()
    story.say("kr", proof(story, ("i-2", THIRD), ("i-3", THIRD)))
    lowered(story, "極秘", "l-2")
    return story


def test_nothing_made_from_it_stays_below_once_the_proof_is_given() -> None:  # (15)
    """Whoever leaves one out has not proved anything, however many others he names."""
    story = raised()
    for children in ((), (("i-2", SECOND),), (("i-3", SECOND),)):
        assert story.try_("kr", proof(story, *children, change="l-2", mark=SECOND)).code == "below-ancestor"
    assert isinstance(story.try_("kr", proof(story, ("i-2", SECOND), change="l-2", mark=SECOND, more=True)), Changes)
    story.say("kr", proof(story, ("i-3", SECOND), change="l-2", mark=SECOND, more=True))
    story.say("kr", proof(story, ("i-2", SECOND), change="l-2", mark=SECOND))
    assert marks(story) == [SECOND, SECOND]
    for item, made in (("i-1", ((SECOND, 2),)), ("i-2", ((SECOND, 1),)), ("i-3", ())):
        row = story.row("jp", "holding", f"{RELATIONSHIP}/{item}")
        assert isinstance(row, HoldingRow)
        assert row == story.row("kr", "holding", f"{RELATIONSHIP}/{item}")
        assert row.made == made


def test_nothing_is_named_twice() -> None:
    story = family()
    assert story.try_("kr", proof(story, ("i-2", THIRD), ("i-2", SECOND), ("i-3", THIRD))).code == "child-twice"


def test_a_level_that_was_proved_is_not_proved_away_by_an_older_one() -> None:  # (16)
    """Else what was made from it could follow the older one down again."""
    story = raised()
    story.say("kr", proof(story, ("i-2", SECOND), ("i-3", SECOND), change="l-2", mark=SECOND))
    for old in ("l-1", None):
        mark = THIRD if old else SECOND
        again = story.try_("kr", proof(story, ("i-2", THIRD), ("i-3", THIRD), change=old, mark=mark))
        assert again.code == ("stale-act" if old else "below-ancestor")
    assert marks(story) == [SECOND, SECOND]
