"""Change of level, recall, return, destruction: each record accepted once and refused for each reason, on both sides.

``Story.try_`` steps a record at its author's and at the other party's, and demands the same verdict: what is refused
here is refused to a party that records it with a program of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest

from comity.marking.label import Label
from comity.record.bodies import Body, CopyMade
from comity.record.bodies.ending import (
    ChildMark,
    CrisisHeard,
    Destroyed,
    DestructionWitnessed,
    LevelChanged,
    PurposeEnded,
    Recalled,
    RecallLifted,
    Reclassified,
    Remarked,
)
from comity.record.person_act import unsigned
from comity.register.levels import PENDING_MAX
from comity.register.rows import CopyRow, ItemRow
from comity.register.rows.ending import ChangeRow, EndedRow, EndingRow, HoldingRow, LevelRow, RecallRow
from comity.register.verdict import Changes, Rejection
from register.hands import sent_back, taken_back
from register.story import (
    ALTERNATIVE,
    CONDITIONS,
    RELATIONSHIP,
    Story,
    approved,
    asked,
    assured,
    borrowed,
    consigned,
    item,
    listed,
    opened,
    received,
    requested,
    signed,
    told,
)

Make = Callable[[Story], Body]
ZEROS = bytes(32)
HI = "秘"
SECOND, THIRD = "군사 Ⅱ급 비밀", "군사 Ⅲ급 비밀"


def story_of(form: str = "electronic", originator: str = "jp") -> Story:
    """Two copies of ``i-1`` held in Seoul, by ``n-kim`` and by ``n-lee``; both sides' officers stand in directories."""
    story = told("peered")
    label = Label(policy="jp", mark="極秘", originator=originator)
    other = msgspec.structs.replace(ALTERNATIVE, originator=originator)
    story.say("jp", listed("abe", ("release-authority",)))
    story.say("jp", listed("nao", ("registry",)))
    story.say("jp", listed("sato", ("officer",)))
    story.say("kr", listed("lee", ("assurance-officer", "agreement-authority", "registry")))
    story.say("kr", listed("other", ("reader",)))
    story.say("jp", item(form=form, label=label, originator=originator))
    story.say("jp", requested(recipients=("n-kim", "n-lee")))
    story.say("jp", asked(form=form, label=label, recipients=("n-kim", "n-lee")))
    answers = [story.say("kr", assured(story, recipient=each, conditions=CONDITIONS)).id for each in ("n-kim", "n-lee")]
    story.say("jp", approved(story))
    copies = tuple(CopyMade(number, holder, bytes([number]) * 32) for number, holder in ((1, "n-kim"), (2, "n-lee")))
    given = {"form": form, "label": label, "alternative": other, "originator": originator}
    story.say("jp", consigned(story, **given, copies=copies, assurances=tuple(sorted(answers))))
    story.say("kr", received(story, copies=(1, 2)))
    return story


def reclassified(story: Story, signer: str = "p-abe", key: str = "", **changes: object) -> Body:
    level = story.row("jp", "level", "domestic/i-1")
    fields: dict[str, object] = {
        "change": "l-1",
        "item": "i-1",
        "mark": HI,
        "reason": "no longer current",
        "by": signer,
        "after": level.last if isinstance(level, LevelRow) else ZEROS,
        "signature": unsigned(),
        **changes,
    }
    return signed(Reclassified(**fields), signer, key=key)


def notified(story: Story, signer: str = "n-abe", party: str = "jp", key: str = "", **changes: object) -> Body:
    level = story.row("jp", "level", f"{RELATIONSHIP}/i-1")
    fields: dict[str, object] = {
        "change": "l-1",
        "item": "i-1",
        "mark": HI,
        "reason": "no longer current",
        "by": signer,
        "after": level.last if isinstance(level, LevelRow) else ZEROS,
        "signature": unsigned(),
        **changes,
    }
    return signed(LevelChanged(**fields), signer, party, key)


def remarked(story: Story, signer: str = "", party: str = "kr", key: str = "", **changes: object) -> Body:
    level = story.row(party, "level", f"{RELATIONSHIP}/i-1")
    fields: dict[str, object] = {
        "item": "i-1",
        "change": "l-1",
        "mark": THIRD,
        "copies": (1, 2),
        "after": level.marking if isinstance(level, LevelRow) else ZEROS,
        "by": signer or None,
        **changes,
    }
    body = Remarked(**fields)
    return signed(body, signer, party, key) if signer else body


def ended(story: Story, signer: str = "n-lee", party: str = "kr", key: str = "", **changes: object) -> Body:
    row = story.row(party, "ended", f"{RELATIONSHIP}/i-1")
    fields: dict[str, object] = {
        "ended": "e-1",
        "item": "i-1",
        "reason": "the exercise is over",
        "by": signer,
        "after": row.record if isinstance(row, EndedRow) else ZEROS,
        "signature": unsigned(),
        **changes,
    }
    return signed(PurposeEnded(**fields), signer, party, key)


def recalled(story: Story, signer: str = "n-abe", party: str = "jp", key: str = "", **changes: object) -> Body:
    row = story.row("jp", "recall", f"{RELATIONSHIP}/i-1")
    fields: dict[str, object] = {
        "recall": "c-1",
        "item": "i-1",
        "asks": "either",
        "reason": "sent by mistake",
        "by": signer,
        "after": row.last if isinstance(row, RecallRow) else ZEROS,
        "signature": unsigned(),
        **changes,
    }
    return signed(Recalled(**fields), signer, party, key)


def lifted(story: Story, signer: str = "n-abe", party: str = "jp", key: str = "", **changes: object) -> Body:
    row = story.row("jp", "recall", f"{RELATIONSHIP}/i-1")
    fields: dict[str, object] = {
        "recall": "c-1",
        "item": "i-1",
        "reason": "it was right after all",
        "by": signer,
        "after": row.last if isinstance(row, RecallRow) else ZEROS,
        "signature": unsigned(),
        **changes,
    }
    return signed(RecallLifted(**fields), signer, party, key)


def newest(story: Story, copy: int) -> bytes:
    row = story.row("kr", "copy", f"{RELATIONSHIP}/i-1/{copy:06d}")
    return row.last if isinstance(row, CopyRow) else ZEROS


def destroyed(story: Story, signer: str = "n-kim", party: str = "kr", key: str = "", **changes: object) -> Body:
    fields: dict[str, object] = {
        "certificate": "d-1",
        "item": "i-1",
        "copy": 1,
        "method": "erase-key",
        "reason": "no longer needed",
        "basis": ZEROS,
        "by": signer,
        "signature": unsigned(),
        **changes,
    }
    fields.setdefault("after", newest(story, int(str(fields["copy"]))))
    return signed(Destroyed(**fields), signer, party, key)


def witnessed(story: Story, signer: str = "n-lee", party: str = "kr", key: str = "", **changes: object) -> Body:
    row = story.row("kr", "ending", f"{RELATIONSHIP}/i-1/000001")
    fields: dict[str, object] = {
        "certificate": "d-1",
        "item": "i-1",
        "copy": 1,
        "seen": True,
        "by": signer,
        "after": row.last if isinstance(row, EndingRow) else ZEROS,
        "signature": unsigned(),
        **changes,
    }
    return signed(DestructionWitnessed(**fields), signer, party, key)


def at(point: str, form: str = "electronic") -> Story:
    """The story up to a point of its end."""
    story = story_of(form)
    for step in POINTS[point]:
        author, make = STEPS[step]
        story.say(author, make(story))
    return story


STEPS: dict[str, tuple[str, Make]] = {
    "reclassified": ("jp", reclassified),
    "notified": ("jp", notified),
    "remarked": ("kr", remarked),
    "ended": ("kr", ended),
    "recalled": ("jp", recalled),
    "lifted": ("jp", lifted),
    "sent": ("kr", sent_back),
    "taken": ("jp", taken_back),
    "destroyed": ("kr", destroyed),
    "waiting": ("kr", lambda story: destroyed(story, witnesses=2)),
    "one": ("kr", witnessed),
    "two": ("kr", lambda story: witnessed(story, "n-other")),
    "unseen": ("kr", lambda story: witnessed(story, seen=False, reason="i saw nothing")),
    "crisis": ("kr", lambda story: destroyed(story, crisis=True)),
    "heard": ("jp", lambda _: CrisisHeard(certificate="d-1")),
    "destroyed two": ("kr", lambda story: destroyed(story, "n-lee", certificate="d-2", copy=2)),
}
POINTS: dict[str, tuple[str, ...]] = {
    "held": (),
    "reclassified": ("reclassified",),
    "notified": ("reclassified", "notified"),
    "remarked": ("reclassified", "notified", "remarked"),
    "ended": ("ended",),
    "recalled": ("recalled",),
    "lifted": ("recalled", "lifted"),
    "sent": ("sent",),
    "taken": ("sent", "taken"),
    "destroyed": ("destroyed",),
    "waiting": ("waiting",),
    "one": ("waiting", "one"),
    "two": ("waiting", "one", "two"),
    "unseen": ("waiting", "unseen"),
    "crisis": ("crisis",),
    "heard": ("crisis", "heard"),
    "gone": ("destroyed", "destroyed two"),
}

ACCEPTED: list[tuple[str, str, Make]] = [
    ("held", "jp", reclassified),
    ("held", "jp", lambda story: reclassified(story, mark="")),
    ("held", "jp", lambda story: reclassified(story, mark="極秘", review=story.now + timedelta(days=1))),
    ("reclassified", "jp", notified),
    ("remarked", "jp", lambda story: reclassified(story, change="l-2", mark="極秘")),
    ("notified", "kr", remarked),
    ("notified", "kr", lambda story: remarked(story, "n-lee")),
    ("notified", "kr", lambda story: remarked(story, more=True)),
    ("remarked", "kr", lambda story: remarked(story, "n-lee")),
    ("held", "kr", lambda story: remarked(story, change=None, mark=SECOND)),
    ("held", "kr", ended),
    ("held", "jp", recalled),
    ("held", "jp", lambda story: recalled(story, answer_by=story.now + timedelta(days=9), clause="x:1")),
    ("lifted", "jp", lambda story: recalled(story, recall="c-2")),
    ("recalled", "jp", lifted),
    ("held", "kr", sent_back),
    ("recalled", "kr", sent_back),
    ("sent", "jp", taken_back),
    ("held", "kr", destroyed),
    ("ended", "kr", destroyed),
    ("held", "kr", lambda story: destroyed(story, witnesses=2)),
    ("waiting", "kr", witnessed),
    ("waiting", "kr", lambda story: witnessed(story, seen=False, reason="i saw nothing")),
    ("one", "kr", lambda story: witnessed(story, "n-other")),
    ("unseen", "kr", lambda story: opened(story, "n-kim")),
    ("unseen", "kr", lambda story: destroyed(story, certificate="d-2")),
    ("crisis", "jp", lambda _: CrisisHeard(certificate="d-1")),
]

REFUSED: list[tuple[str, str, Make, str]] = [
    # the originator's own record
    ("held", "jp", lambda story: reclassified(story, item="i-2"), "unknown-item"),
    ("held", "kr", reclassified, "not-originator"),
    ("held", "jp", lambda story: reclassified(story, "p-sato"), "no-role"),
    ("held", "jp", lambda story: reclassified(story, "root"), "other-signer"),
    ("held", "jp", lambda story: reclassified(story, by="p-oda"), "other-signer"),
    ("held", "jp", lambda story: reclassified(story, key="sato"), "unknown-key"),
    ("held", "jp", lambda story: reclassified(story, after=bytes([1]) * 32), "stale-act"),
    ("reclassified", "jp", lambda story: reclassified(story, change="l-2", after=ZEROS), "stale-act"),
    ("reclassified", "jp", lambda story: reclassified(story, mark="極秘"), "change-exists"),
    ("held", "jp", lambda story: reclassified(story, mark="極秘"), "no-change"),
    ("held", "jp", lambda story: reclassified(story, review=story.now), "past-review"),
    # the proof, for a level that its author knows to be over
    ("notified", "kr", lambda story: remarked(story, change=None, mark=SECOND), "stale-act"),
    ("remarked", "kr", lambda story: remarked(story, change=None, mark=SECOND), "stale-act"),
    ("notified", "kr", lambda story: remarked(story, copies=(1, 2, 99)), "unknown-copy"),
    # the notice
    ("reclassified", "kr", lambda story: notified(story, "n-lee", "kr"), "not-originator"),
    ("reclassified", "jp", lambda story: notified(story, "n-sato"), "no-role"),
    ("reclassified", "jp", lambda story: notified(story, "n-lee"), "unknown-directory"),
    ("reclassified", "jp", lambda story: notified(story, key="sato"), "unknown-key"),
    ("reclassified", "jp", lambda story: notified(story, by="n-sato"), "other-signer"),
    ("reclassified", "jp", lambda story: notified(story, item="i-2"), "unknown-item"),
    ("reclassified", "jp", lambda story: notified(story, after=bytes([1]) * 32), "stale-act"),
    ("notified", "jp", notified, "change-exists"),
    # the proof
    ("notified", "jp", lambda story: remarked(story, party="jp"), "not-recipient"),
    ("notified", "kr", lambda story: remarked(story, mark=SECOND), "wrong-mark"),
    ("notified", "kr", lambda story: remarked(story, mark=""), "wrong-mark"),
    ("notified", "kr", lambda story: remarked(story, change="l-9"), "unknown-level-change"),
    ("notified", "kr", lambda story: remarked(story, item="i-2"), "unknown-holding"),
    ("notified", "kr", lambda story: remarked(story, "n-kim"), "no-role"),
    ("notified", "kr", lambda story: remarked(story, "n-lee", key="kim"), "unknown-key"),
    ("notified", "kr", lambda story: remarked(story, "n-lee", by="n-kim"), "other-signer"),
    ("notified", "kr", lambda story: remarked(story, by="n-lee"), "other-signer"),
    ("remarked", "kr", lambda story: remarked(story, after=ZEROS), "stale-act"),
    ("notified", "kr", lambda story: remarked(story, children=(ChildMark("i-9", THIRD),)), "unknown-derivative"),
    # the purpose has ended
    ("held", "jp", lambda story: ended(story, "n-nao", "jp"), "not-recipient"),
    ("held", "kr", lambda story: ended(story, "n-kim"), "no-role"),
    ("held", "kr", lambda story: ended(story, key="kim"), "unknown-key"),
    ("held", "kr", lambda story: ended(story, by="n-kim"), "other-signer"),
    ("held", "kr", lambda story: ended(story, item="i-2"), "unknown-holding"),
    ("ended", "kr", lambda story: ended(story, after=ZEROS), "stale-act"),
    # recall
    ("held", "kr", lambda story: recalled(story, "n-lee", "kr"), "not-provider"),
    ("held", "jp", lambda story: recalled(story, "n-sato"), "no-role"),
    ("held", "jp", lambda story: recalled(story, key="sato"), "unknown-key"),
    ("held", "jp", lambda story: recalled(story, by="n-sato"), "other-signer"),
    ("held", "jp", lambda story: recalled(story, item="i-2"), "unknown-holding"),
    ("held", "jp", lambda story: recalled(story, answer_by=story.now), "past-answer"),
    ("recalled", "jp", recalled, "already-recalled"),
    ("recalled", "jp", lambda story: recalled(story, after=ZEROS), "stale-act"),
    ("held", "jp", lifted, "unknown-recall"),
    ("recalled", "kr", lambda story: lifted(story, "n-lee", "kr"), "other-recall"),
    ("recalled", "jp", lambda story: lifted(story, recall="c-2"), "other-recall"),
    ("recalled", "jp", lambda story: lifted(story, "n-sato"), "no-role"),
    ("recalled", "jp", lambda story: lifted(story, by="n-sato"), "other-signer"),
    ("recalled", "jp", lambda story: lifted(story, after=ZEROS), "stale-act"),
    ("lifted", "jp", lifted, "not-recalled"),
    # copies that are sent back
    ("held", "kr", lambda story: sent_back(story, "n-lee"), "not-holder"),
    ("held", "kr", lambda story: sent_back(story, key="lee"), "unknown-key"),
    ("held", "kr", lambda story: sent_back(story, "n-lee", by="n-kim"), "other-signer"),
    ("held", "jp", lambda story: sent_back(story, "n-nao", "jp", by="n-kim"), "not-holder"),
    ("held", "kr", lambda story: sent_back(story, copy=9), "unknown-copy"),
    ("held", "kr", lambda story: sent_back(story, after=ZEROS), "stale-act"),
    ("sent", "kr", sent_back, "copy-state"),
    ("destroyed", "kr", sent_back, "copy-state"),
    ("waiting", "kr", sent_back, "second-certificate"),
    ("held", "jp", taken_back, "not-returned"),
    ("sent", "kr", lambda story: taken_back(story, "n-lee", "kr"), "not-provider"),
    ("sent", "jp", lambda story: taken_back(story, "n-abe"), "no-role"),
    ("sent", "jp", lambda story: taken_back(story, key="abe"), "unknown-key"),
    ("sent", "jp", lambda story: taken_back(story, by="n-abe"), "other-signer"),
    ("sent", "jp", lambda story: taken_back(story, after=ZEROS), "stale-act"),
    ("taken", "jp", taken_back, "not-returned"),
    ("destroyed", "jp", taken_back, "not-returned"),
    # destruction
    ("held", "kr", lambda story: destroyed(story, "n-lee"), "not-holder"),
    ("held", "kr", lambda story: destroyed(story, key="lee"), "unknown-key"),
    ("held", "kr", lambda story: destroyed(story, "n-lee", by="n-kim"), "other-signer"),
    ("held", "jp", lambda story: destroyed(story, "n-nao", "jp", by="n-kim"), "not-holder"),
    ("held", "kr", lambda story: destroyed(story, copy=9), "unknown-copy"),
    ("held", "kr", lambda story: destroyed(story, item="i-2"), "unknown-holding"),
    ("held", "kr", lambda story: destroyed(story, witnesses=10), "too-many-witnesses"),
    ("held", "kr", lambda story: destroyed(story, after=ZEROS), "stale-act"),
    ("destroyed", "kr", destroyed, "certificate-exists"),
    ("destroyed", "kr", lambda story: destroyed(story, certificate="d-2"), "copy-state"),
    ("sent", "kr", destroyed, "copy-state"),
    ("taken", "kr", destroyed, "copy-state"),
    ("waiting", "kr", lambda story: destroyed(story, certificate="d-2"), "second-certificate"),
    ("waiting", "kr", lambda story: opened(story, "n-kim"), "copy-closed"),
    ("destroyed", "kr", lambda story: opened(story, "n-kim"), "copy-state"),
    # witnesses
    ("held", "kr", witnessed, "unknown-certificate"),
    ("waiting", "kr", lambda story: witnessed(story, "n-kim"), "own-certificate"),
    ("waiting", "kr", lambda story: witnessed(story, key="kim"), "unknown-key"),
    ("waiting", "kr", lambda story: witnessed(story, by="n-other"), "other-signer"),
    ("waiting", "jp", lambda story: witnessed(story, "n-nao", "jp"), "not-holder"),
    ("waiting", "kr", lambda story: witnessed(story, after=ZEROS), "stale-act"),
    ("waiting", "kr", lambda story: witnessed(story, copy=2), "other-copy"),
    ("waiting", "kr", lambda story: witnessed(story, item="i-2"), "other-copy"),
    ("one", "kr", witnessed, "already-signed"),
    ("two", "kr", lambda story: witnessed(story, "n-other"), "already-complete"),
    ("destroyed", "kr", witnessed, "already-complete"),
    ("unseen", "kr", lambda story: witnessed(story, "n-other"), "void-certificate"),
    # a crisis
    ("destroyed", "jp", lambda _: CrisisHeard(certificate="d-1"), "no-crisis"),
    ("crisis", "kr", lambda _: CrisisHeard(certificate="d-1"), "not-provider"),
    ("crisis", "jp", lambda _: CrisisHeard(certificate="d-2"), "unknown-certificate"),
    ("heard", "jp", lambda _: CrisisHeard(certificate="d-1"), "already-heard"),
]


@pytest.mark.parametrize(("point", "author", "make"), ACCEPTED)
def test_accepted(point: str, author: str, make: Make) -> None:
    story = at(point)
    verdict = story.try_(author, make(story))
    assert isinstance(verdict, Changes), verdict


@pytest.mark.parametrize(("point", "author", "make", "code"), REFUSED)
def test_refused(point: str, author: str, make: Make, code: str) -> None:
    story = at(point)
    verdict = story.try_(author, make(story))
    assert isinstance(verdict, Rejection), verdict
    assert verdict.code == code


def both(story: Story, table: str, key: str) -> object:
    """A row that both registers have alike."""
    here, there = story.row("jp", table, key), story.row("kr", table, key)
    assert here == there
    return here


def copy_of(story: Story, number: int) -> CopyRow:
    row = both(story, "copy", f"{RELATIONSHIP}/i-1/{number:06d}")
    assert isinstance(row, CopyRow)
    return row


def left(story: Story) -> HoldingRow:
    row = both(story, "holding", f"{RELATIONSHIP}/i-1")
    assert isinstance(row, HoldingRow)
    return row


# ---- levels ---------------------------------------------------------------------------------------------------------


def test_a_notice_changes_the_label_there_and_its_proof_the_mark() -> None:
    story = at("remarked")
    for party, mark in (("jp", None), ("kr", THIRD)):
        row = story.row(party, "item", "i-1")
        assert isinstance(row, ItemRow)
        assert row.label.mark == HI
        assert (row.alternative.mark if row.alternative else None) == mark
    level = both(story, "level", f"{RELATIONSHIP}/i-1")
    assert isinstance(level, LevelRow)
    assert (level.given, level.mark, level.marked, level.marked_for, level.pending) == ("極秘", HI, THIRD, "l-1", ())
    change = both(story, "level-change", f"{RELATIONSHIP}/i-1/l-1")
    assert isinstance(change, ChangeRow)
    assert (change.before, change.mark, change.remarked) == ("極秘", HI, story.said["re-marking/1"].id)


def test_the_house_says_first_what_it_notifies() -> None:
    """The other party cannot see the originator's house; its own register holds it to what it recorded there."""
    story = at("held")
    home = story.registers["jp"].judge(story.write("jp", notified(story)), story.now)
    assert (home.word, home.code) == ("rejected", "not-reclassified")
    story = at("reclassified")
    record = story.write("jp", notified(story, mark=""))
    assert story.registers["jp"].judge(record, story.now).code == "not-reclassified"


@pytest.mark.parametrize(
    ("mark", "code"), [("機密", "above-ceiling"), ("極密", "unknown-mark"), ("II", "unknown-mark")]
)
def test_nothing_crosses_under_a_mark_that_cannot(mark: str, code: str) -> None:  # (11)
    story = at("held")
    story.say("jp", reclassified(story, mark=mark))
    verdict = story.try_("jp", notified(story, mark=mark))
    assert verdict.code == code


def test_the_notice_of_a_third_originator_is_passed_on_as_this_house_has_it() -> None:  # (11)
    """A third party's information came through Tokyo; it has no voice in this relationship, and Tokyo passes it on."""
    story = at("held")
    for register in story.registers.values():  # as the originator's letter lets it be given
        row = register.rows[ItemRow.table, "i-1"]
        assert isinstance(row, ItemRow)
        label = msgspec.structs.replace(row.label, originator="us")
        register.rows[ItemRow.table, "i-1"] = msgspec.structs.replace(row, originator="us", label=label)
    review = story.now + timedelta(days=30)
    assert isinstance(story.try_("jp", notified(story, mark="極秘", review=review)), Changes)
    home = story.registers["jp"].judge(story.write("jp", notified(story)), story.now)
    assert home.code == "not-reclassified"
    assert story.try_("kr", notified(story, "n-lee", "kr", mark="極秘", review=review)).code == "not-originator"


def test_what_was_never_given_has_nobody_to_be_notified() -> None:
    story = at("held")
    story.say("jp", item(item="i-2"))
    story.say("jp", reclassified(story, item="i-2"))
    record = story.write("jp", notified(story, item="i-2"))
    assert story.registers["jp"].judge(record, story.now).code == "unknown-holding"


def test_a_review_that_keeps_the_level_asks_for_no_mark() -> None:
    story = at("held")
    review = story.now + timedelta(days=30)
    story.say("jp", reclassified(story, mark="極秘", review=review))
    story.say("jp", notified(story, mark="極秘", review=review))
    level = both(story, "level", f"{RELATIONSHIP}/i-1")
    assert isinstance(level, LevelRow)
    assert (level.review, level.pending, level.mark) == (review, (), "極秘")
    row = story.row("kr", "item", "i-1")
    assert isinstance(row, ItemRow)
    assert row.alternative is not None  # its mark was chosen, or given, and stays


@pytest.mark.parametrize("form", ["documentary", "magnetic", "equipment"])
def test_what_has_to_be_stamped_is_signed_by_whoever_did_it(form: str) -> None:  # (13)
    story = at("notified", form)
    assert story.try_("kr", remarked(story)).code == "unsigned-act"
    assert isinstance(story.try_("kr", remarked(story, "n-lee")), Changes)


def test_a_later_proof_answers_earlier_changes_whatever_the_order_on_the_way() -> None:  # (16)
    """Tokyo changes twice before it hears of the first proof; both sides end the same."""
    story = at("notified")
    first = story.write("kr", remarked(story))
    story.say("jp", reclassified(story, change="l-2", mark="極秘"))
    second = story.write("jp", notified(story, change="l-2", mark="極秘"))
    kr, jp = story.registers["kr"], story.registers["jp"]
    for register, records in ((kr, (first, second)), (jp, (second, first))):
        for record in records:
            assert isinstance(register.take(record, story.now), Changes)
    level = both(story, "level", f"{RELATIONSHIP}/i-1")
    assert isinstance(level, LevelRow)
    assert level.pending == ("l-2",)
    story._next[f"{RELATIONSHIP}/jp"] = (second.statement.sequence + 1, second.id)
    story._next[f"{RELATIONSHIP}/kr"] = (first.statement.sequence + 1, first.id)
    story.say("kr", remarked(story, change="l-2", mark=SECOND))
    level = both(story, "level", f"{RELATIONSHIP}/i-1")
    assert isinstance(level, LevelRow)
    assert (level.pending, level.marked) == ((), SECOND)
    row = story.row("kr", "item", "i-1")
    assert isinstance(row, ItemRow)
    assert row.alternative is not None
    assert row.alternative.mark == SECOND


def test_a_proof_that_skips_changes_answers_them_all() -> None:  # (16)
    story = at("notified")
    story.say("jp", reclassified(story, change="l-2", mark=""))
    story.say("jp", notified(story, change="l-2", mark=""))
    story.say("kr", remarked(story, change="l-2", mark=""))
    for change in ("l-1", "l-2"):
        row = both(story, "level-change", f"{RELATIONSHIP}/i-1/{change}")
        assert isinstance(row, ChangeRow)
        assert row.remarked == story.said["re-marking/1"].id


def test_parts_of_a_proof_answer_with_the_last() -> None:
    story = at("notified")
    story.say("kr", remarked(story, copies=(1,), more=True))
    row = both(story, "level-change", f"{RELATIONSHIP}/i-1/l-1")
    assert isinstance(row, ChangeRow)
    assert row.remarked is None
    story.say("kr", remarked(story, copies=(2,)))
    row = both(story, "level-change", f"{RELATIONSHIP}/i-1/l-1")
    assert isinstance(row, ChangeRow)
    assert row.remarked is not None


def test_nobody_is_flooded_with_changes() -> None:
    story = at("held")
    for number in range(PENDING_MAX):
        mark = HI if number % 2 == 0 else "極秘"
        story.say("jp", reclassified(story, change=f"l-{number}", mark=mark))
        story.say("jp", notified(story, change=f"l-{number}", mark=mark))
    story.say("jp", reclassified(story, change="l-last", mark=HI))
    assert story.try_("jp", notified(story, change="l-last", mark=HI)).code == "too-many-changes"


# ---- copies and what is left ----------------------------------------------------------------------------------------


def test_what_is_left_follows_the_copies() -> None:  # (1)
    story = at("held")
    assert (left(story).left, left(story).keeper) == (2, "kr")
    story.say("kr", sent_back(story))
    assert (left(story).left, copy_of(story, 1).state) == (2, "in transit")
    story.say("jp", taken_back(story))
    assert (left(story).left, copy_of(story, 1).state) == (1, "returned")
    story.say("kr", destroyed(story, "n-lee", copy=2))
    assert (left(story).left, copy_of(story, 2).state) == (0, "destroyed")
    assert left(story).gone


def test_a_certificate_waits_for_its_witnesses_and_the_copy_with_it() -> None:
    story = at("waiting")
    assert (copy_of(story, 1).state, copy_of(story, 1).at_hand, left(story).left) == ("held", False, 2)
    story.say("kr", witnessed(story))
    assert copy_of(story, 1).state == "held"
    story.say("kr", witnessed(story, "n-other"))
    assert (copy_of(story, 1).state, left(story).left) == ("destroyed", 1)
    row = both(story, "ending", f"{RELATIONSHIP}/i-1/000001")
    assert isinstance(row, EndingRow)
    assert [each.by for each in row.witnesses] == ["n-lee", "n-other"]
    assert row.done == story.now


def test_one_person_under_two_names_is_one_witness() -> None:  # (32)
    """A house that lists one signing key under two pseudonyms does not get two people out of it."""
    story = at("waiting")
    story.say("kr", listed("kim", ("reader",), pseudonym="n-mask"))
    assert story.try_("kr", witnessed(story, "n-mask", key="kim")).code == "own-certificate"
    story.say("kr", witnessed(story))
    story.say("kr", listed("lee", ("reader",), pseudonym="n-shade"))
    assert story.try_("kr", witnessed(story, "n-shade", key="lee")).code == "already-signed"


def test_the_provider_cannot_end_a_copy_under_a_borrowed_name() -> None:  # (22)
    """Were the holder's pseudonym in Tokyo's directory, with a key of Tokyo's, it would still not hold his copy."""
    story = at("held")
    borrowed(story, "kim", "other")
    for make in (destroyed, sent_back):
        assert story.try_("jp", make(story, "n-kim", "jp", key="other")).code == "not-holder"


def test_a_void_certificate_leaves_the_copy_as_it_was() -> None:  # (33)
    story = at("unseen")
    copy = copy_of(story, 1)
    assert (copy.state, copy.certificate, copy.at_hand) == ("held", None, True)
    row = both(story, "ending", f"{RELATIONSHIP}/i-1/000001")
    assert isinstance(row, EndingRow)
    assert row.void == "n-lee: i saw nothing"
