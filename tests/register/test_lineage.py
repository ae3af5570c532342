"""What is made from received information: accepted once on both sides, and refused for each reason."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from comity.marking.label import Label
from comity.record.bodies import Body, CopyMade
from comity.record.bodies.ending import LevelChanged, Recalled, RecallLifted, Reclassified
from comity.record.bodies.lineage import Derived
from comity.record.person_act import unsigned
from comity.record.statement import SeenCheckpoint
from comity.register.duties import OCCASIONS
from comity.register.rows import CopyRow
from comity.register.rows.duties import DutiesRow
from comity.register.rows.ending import LevelRow, RecallRow
from comity.register.rows.lineage import ChildRow, DerivativeRow
from comity.register.verdict import Changes, Rejection
from register.families import NOTE, OWN, THIRD, derived, received, registered, translated
from register.hands import digest as header
from register.hands import lost
from register.story import LABEL, RELATIONSHIP, Story, borrowed, item, listed, opened, signed

HI = "秘"


def code(story: Story, body: Body, author: str = "kr") -> str:
    """Of a record that both sides reject alike."""
    verdict = story.try_(author, body)
    assert isinstance(verdict, Rejection), verdict
    return verdict.code


def at_home(story: Story, body: Body) -> str:
    verdict = story.registers["kr"].judge(story.write("kr", body), story.now)
    return verdict.code if isinstance(verdict, Rejection) else ""


def abroad(story: Story, body: Body) -> str:
    verdict = story.registers["jp"].judge(story.write("kr", body), story.now)
    return verdict.code if isinstance(verdict, Rejection) else ""


def ready() -> Story:
    """Copy 1 is held, and the item that is about to be made from it is registered at home."""
    story = received()
    story.say("kr", registered())
    return story


def test_both_sides_know_what_was_made_from_what() -> None:
    story = translated()
    for party in ("jp", "kr"):
        made = story.row(party, "derivative", f"{RELATIONSHIP}/i-2")
        assert isinstance(made, DerivativeRow)
        assert (made.maker, made.ancestors, made.label, made.language, made.note) == ("kr", ("i-1",), OWN, "ko", NOTE)
        child = story.row(party, "child", f"{RELATIONSHIP}/i-1/i-2")
        assert child == ChildRow(item="i-2", relation="translation")
        copies = [story.row(party, "copy", f"{RELATIONSHIP}/i-2/{number:06d}") for number in (1, 2)]
        assert [(copy.holder, copy.state, copy.consignment) for copy in copies if isinstance(copy, CopyRow)] == [
            ("n-kim", "held", made.record),
            ("n-other", "held", made.record),
        ]


def test_marking_is_owed_and_done_by_the_same_record() -> None:
    row = translated().row("jp", "duty", f"{RELATIONSHIP}/i-2")
    assert isinstance(row, DutiesRow)
    assert [(duty.obligation, duty.who, duty.open) for duty in row.duties] == [("o-4.3", "kr", False)]
    assert Derived in OCCASIONS


def test_what_was_made_is_opened_by_its_derivation() -> None:
    story = translated()
    made = story.said["derivation/1"].id
    story.say("kr", opened(story, "n-kim", consignment=made, item="i-2"))
    assert code(story, opened(story, "n-kim", consignment=made, item="i-2", copy=2)) == "not-holder"
    assert code(story, opened(story, consignment=story.said["consignment/1"].id, item="i-2")) == "other-item"
    assert code(story, signed(opened(story, consignment=made, item="i-2"), "n-kim", "jp"), "jp") == "not-receiver"


REFUSED: list[tuple[str, Callable[[Story], Body]]] = [
    ("other-digest", lambda _: derived(agreement=bytes(32))),
    ("other-signer", lambda _: derived(by="n-other")),
    ("unknown-key", lambda _: derived(key="other")),
    ("cycle", lambda _: derived("i-2", ("i-1", 1), ("i-2", 1))),
    ("ancestor-twice", lambda _: derived("i-2", ("i-1", 1), ("i-1", 1))),
    ("unknown-copy", lambda _: derived("i-2", ("i-1", 9))),
    ("not-held", lambda _: derived("i-2", ("i-1", 2))),
    ("other-policy", lambda _: derived(label=LABEL)),
    ("other-originator", lambda _: derived(label=msgspec.structs.replace(OWN, originator="kr"))),
    ("unknown-mark", lambda _: derived(label=msgspec.structs.replace(OWN, mark="군사 II급 비밀"))),
    ("lower-mark", lambda _: derived(label=msgspec.structs.replace(OWN, mark=THIRD))),
    ("lower-mark", lambda _: derived(relation="extract", label=msgspec.structs.replace(OWN, mark=THIRD))),
    ("lower-mark", lambda _: derived(label=msgspec.structs.replace(OWN, mark=""))),
    ("above-ceiling", lambda _: derived(label=msgspec.structs.replace(OWN, mark="군사 Ⅰ급 비밀"))),
    ("language", lambda _: derived(language=None)),
    ("language", lambda _: derived(relation="extract", language="ko")),
    ("no-note", lambda _: derived(language="fr")),
    ("other-note", lambda _: derived(note="a note of our own")),
    ("other-note", lambda _: derived(language="ja")),
    ("other-note", lambda _: derived(relation="contains", note=NOTE)),
    ("copy-number", lambda _: derived(copies=(CopyMade(2, "n-kim", header(21)),))),
    ("copy-number", lambda _: derived(copies=(CopyMade(1, "n-kim", header(21)), CopyMade(1, "n-kim", header(22))))),
    ("unknown-directory", lambda _: derived(copies=(CopyMade(1, "n-nobody", header(21)),))),
]


@pytest.mark.parametrize(("expected", "make"), REFUSED)
def test_what_is_forged_or_wrong_is_refused_on_both_sides(expected: str, make: Callable[[Story], Body]) -> None:
    story = ready()
    assert code(story, make(story)) == expected


@pytest.mark.parametrize(("form", "expected"), [("documentary", "by-hand"), ("equipment", "by-hand"), ("oral", "form")])
def test_what_travels_by_hand_begins_with_its_maker(form: str, expected: str) -> None:
    story = received()
    story.say("kr", registered(form=form))
    assert code(story, derived(form=form)) == expected
    mine = derived(form=form, copies=(CopyMade(1, "n-kim", header(21)),))
    assert isinstance(story.try_("kr", mine), Rejection if expected == "form" else Changes)


def test_the_ancestors_of_its_ancestors_count_too(monkeypatch: pytest.MonkeyPatch) -> None:  # (1)
    monkeypatch.setattr("comity.register.lineage.ANCESTORS_MAX", 1)
    story = translated()
    story.say("kr", registered("i-3", ("i-2",)))
    assert code(story, derived("i-3", ("i-2", 1))) == "lineage-too-long"


def test_nothing_is_made_twice() -> None:
    story = translated()
    assert at_home(story, derived()) == "item-exists"
    assert abroad(story, derived()) == "item-exists"


def test_at_home_it_is_the_item_that_was_just_registered() -> None:
    story = received()
    assert at_home(story, derived()) == "unknown-item"
    story.say("kr", registered(contains=()))
    assert at_home(story, derived()) == "other-item"
    story.say("kr", registered("i-3"))
    assert at_home(story, derived("i-3", topic="submarines")) == "other-item"
    assert at_home(story, derived("i-3")) == ""


def test_an_id_that_the_other_side_has_already_is_refused_there() -> None:
    story = received()
    story.say("jp", item(item="i-2"))
    assert abroad(story, derived()) == "item-exists"


def test_the_giver_makes_nothing_from_what_it_gave() -> None:
    """Its own item did not come to it, whoever it lists under the name of a holder."""
    story = ready()
    borrowed(story, "kim", "kim")
    forged = derived("i-5", party="jp", label=Label(policy="jp", mark="極秘", originator="jp"))
    verdict = story.registers["kr"].judge(story.write("jp", forged), story.now)
    assert isinstance(verdict, Rejection)
    assert verdict.code == "not-received"


def test_what_was_not_given_in_this_relationship_is_no_ancestor() -> None:
    story = received()
    story.say("kr", registered("i-2", ("i-4", "i-9")))
    story.say("jp", item(item="i-4"))
    assert (at_home(story, derived("i-2", ("i-4", 1))), abroad(story, derived("i-2", ("i-4", 1)))) == (
        "not-received",
        "unknown-copy",
    )
    assert code(story, derived("i-2", ("i-9", 1))) == "not-received"


def test_from_a_lost_copy_nothing_is_made() -> None:
    story = ready()
    story.say("kr", lost(story))
    assert code(story, derived()) == "not-held"


def test_who_was_withdrawn_gets_no_copy() -> None:
    story = ready()
    story.say("kr", listed("other", ("reader",), receives=False))
    assert code(story, derived()) == "not-receiving"
    assert isinstance(story.try_("kr", derived(copies=(CopyMade(1, "n-kim", header(21)),))), Changes)


def test_categories_unite_and_release_lists_narrow() -> None:
    story = _restricted()
    full = msgspec.structs.replace(OWN, categories=("A", "B"), releasable_to=("jp", "kr"))
    assert isinstance(story.try_("kr", derived(label=full)), Changes)
    assert isinstance(story.try_("kr", derived(label=msgspec.structs.replace(full, releasable_to=("kr",)))), Changes)
    assert code(story, derived(label=msgspec.structs.replace(full, categories=("A",)))) == "lost-category"
    assert code(story, derived(label=msgspec.structs.replace(full, releasable_to=()))) == "wider-release"
    assert (
        code(story, derived(label=msgspec.structs.replace(full, releasable_to=("jp", "kr", "us")))) == "wider-release"
    )


def _restricted() -> Story:
    story = ready()
    for register in story.registers.values():
        row = register.rows["item", "i-1"]
        assert row is not None
        label = msgspec.structs.replace(LABEL, categories=("A", "B"), releasable_to=("jp", "kr"))
        register.rows["item", "i-1"] = msgspec.structs.replace(row, label=label)
    return story


def test_a_child_of_a_child_is_measured_by_what_the_child_was_marked() -> None:
    story = translated()
    story.say("kr", registered("i-3", ("i-2",)))
    low = derived("i-3", ("i-2", 1), relation="extract", label=msgspec.structs.replace(OWN, mark=THIRD))
    assert code(story, low) == "lower-mark"
    story.say("kr", derived("i-3", ("i-2", 1), relation="extract"))
    assert story.row("jp", "child", f"{RELATIONSHIP}/i-2/i-3") is not None


# ---- what the other side says meanwhile ------------------------------------------------------------------------------


def recalled(story: Story) -> Body:
    fields: dict[str, object] = {
        "recall": "c-1",
        "item": "i-1",
        "asks": "return",
        "reason": "given in error",
        "by": "n-oda",
        "after": bytes(32),
        "signature": unsigned(),
    }
    return signed(Recalled(**fields), "n-oda")


def _listed_officer(story: Story) -> None:
    story.say("jp", listed("oda", ("officer", "release-authority"), nationality="jp", serves="jp"))


def test_nothing_is_made_from_what_was_recalled_once_it_is_known() -> None:
    story = ready()
    story.say("kr", registered("i-6"))
    story.say("kr", derived("i-6"))
    _listed_officer(story)
    story.say("jp", recalled(story))
    row = story.row("kr", "recall", f"{RELATIONSHIP}/i-1")
    assert isinstance(row, RecallRow)
    assert at_home(story, derived()) == "recalled"
    story.say("kr", registered("i-7", ("i-6",)))
    assert at_home(story, derived("i-7", ("i-6", 1), relation="extract")) == "recalled"  # what i-6 was made from
    assert abroad(story, derived()) == ""  # for all Tokyo can see, the recall is still on its way
    assert _abroad_seen(story, row.sequence + 1) == "recalled"
    assert _abroad_seen(story, row.sequence) == ""
    lifting = RecallLifted(
        recall="c-1", item="i-1", reason="not in error", by="n-oda", after=row.last, signature=unsigned()
    )
    story.say("jp", signed(lifting, "n-oda"))
    assert isinstance(story.try_("kr", derived()), Changes)


def _abroad_seen(story: Story, size: int) -> str:
    """The other side's verdict on a derivation whose maker cites a checkpoint of ``size`` records."""
    record = story.write("kr", derived())
    seen = msgspec.structs.replace(record.statement, seen=SeenCheckpoint(size=size, root=bytes(32)))
    verdict = story.registers["jp"].judge(msgspec.structs.replace(record, statement=seen), story.now)
    return verdict.code if isinstance(verdict, Rejection) else ""


def test_a_mark_is_held_against_the_level_that_its_maker_could_know() -> None:
    """Tokyo raises an item again, and Seoul, who has not heard of it, marks what it makes by the old level."""
    story = ready()
    story.say("jp", listed("abe", ("release-authority",), nationality="jp", serves="jp"))
    story.say("jp", _changed(story, Reclassified, "p-abe", HI))
    story.say("jp", _changed(story, LevelChanged, "n-abe", HI))
    low = derived(label=msgspec.structs.replace(OWN, mark=THIRD))
    assert isinstance(story.try_("kr", low), Changes)
    story.say("jp", _changed(story, Reclassified, "p-abe", "極秘", change="l-2"))
    record = story.write("jp", _changed(story, LevelChanged, "n-abe", "極秘", change="l-2"))
    assert isinstance(story.registers["jp"].take(record, story.now), Changes)
    assert abroad(story, low) == ""
    assert isinstance(story.registers["kr"].take(record, story.now), Changes)
    assert at_home(story, low) == "lower-mark"


def _changed(story: Story, kind: type[Body], signer: str, mark: str, change: str = "l-1") -> Body:
    place = "domestic" if kind is Reclassified else RELATIONSHIP
    level = story.row("jp", "level", f"{place}/i-1")
    fields: dict[str, object] = {
        "change": change,
        "item": "i-1",
        "mark": mark,
        "reason": "it matters more",
        "by": signer,
        "after": level.last if isinstance(level, LevelRow) else bytes(32),
        "signature": unsigned(),
    }
    return signed(kind(**fields), signer)


def test_what_is_made_in_another_relationship_is_not_named() -> None:
    """An ancestor of another relationship is unknown in this one, whatever the maker's own books say."""
    story = received()
    story.say("kr", registered("i-8", ()))
    story.say("kr", registered("i-2", ("i-1", "i-8")))
    both = derived("i-2", ("i-1", 1), ("i-8", 1), relation="contains")
    assert at_home(story, both) == "not-received"
    assert abroad(story, both) == "not-received"
    assert isinstance(story.try_("kr", derived("i-2", ("i-1", 1), relation="contains")), Changes)
