"""What is owed for the last copy is done alike in both registers, whatever each heard first (``spec/ending.md`` 28)."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

import msgspec
import pytest

from comity.agreement.model import Obligation
from comity.record.bodies import Body
from comity.record.statement import Record
from comity.register.rows import CopyRow
from comity.register.rows.duties import DutiesRow, Duty, OpenDutyRow
from comity.register.rows.ending import EndingRow, HoldingRow
from comity.register.verdict import Rejection
from register import story as told_here
from register.hands import sent_back, taken_back
from register.story import Story
from register.test_ending import destroyed, ended, lifted, recalled, story_of

KINDS = (CopyRow, EndingRow, HoldingRow, DutiesRow, OpenDutyRow)
Make = Callable[[Story], Body]


@pytest.fixture(autouse=True)
def _a_recall_obliges(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under a text that asks for an answer to a recall, as the agreement of 2016 does not."""
    text = told_here.agreement()
    like = next(each for each in text.obligations if each.act == "return-or-destroy")
    asked: Obligation = msgspec.structs.replace(like, id="o-recall", on="recalled", act="answer-recall")
    other = msgspec.structs.replace(
        text, obligations=(*text.obligations, asked), digest=sha256(b"recalls oblige").hexdigest()
    )
    monkeypatch.setattr(told_here, "agreement", lambda: other)


def owed(story: Story) -> list[Duty]:
    """What the recipient owes for the copies, the same in both registers."""
    assert story.rows("jp", *KINDS) == story.rows("kr", *KINDS)
    rows = [row for row in story.rows("jp", DutiesRow).values() if isinstance(row, DutiesRow)]
    return [duty for row in rows for duty in row.duties if duty.event in ("recalled", "purpose-ended")]


def last_copy(story: Story) -> None:
    """Only copy 1 is left."""
    story.say("kr", destroyed(story, "n-lee", certificate="d-2", copy=2))


def at_once(story: Story, *makes: tuple[str, Make]) -> list[Record]:
    return story.at_once(*((author, make(story)) for author, make in makes))


DESTROYED: tuple[str, Make] = ("kr", destroyed)
RECALLED: tuple[str, Make] = ("jp", recalled)


@pytest.mark.parametrize("makes", [(DESTROYED, RECALLED), (RECALLED, DESTROYED)])
def test_the_last_copy_is_destroyed_while_it_is_recalled(makes: tuple[tuple[str, Make], ...]) -> None:
    story = story_of()
    last_copy(story)
    _, later = at_once(story, *makes)
    (duty,) = owed(story)
    assert duty.discharged == later.id


def test_one_copy_comes_back_while_the_last_other_one_is_destroyed() -> None:
    story = story_of()
    story.say("kr", sent_back(story, "n-lee", copy=2))
    story.say("jp", recalled(story))
    _, later = at_once(story, ("jp", lambda story: taken_back(story, copy=2)), DESTROYED)
    (duty,) = owed(story)
    assert duty.discharged == later.id


def test_the_last_copy_comes_back_while_its_recipient_says_that_it_needs_it_no_more() -> None:
    story = story_of()
    last_copy(story)
    story.say("kr", sent_back(story))
    _, later = at_once(story, ("jp", taken_back), ("kr", ended))
    (duty,) = owed(story)
    assert duty.discharged == later.id


def test_a_recall_is_lifted_while_the_last_copy_is_destroyed() -> None:
    story = story_of()
    last_copy(story)
    story.say("jp", recalled(story))
    earlier, _ = at_once(story, ("jp", lifted), DESTROYED)
    (duty,) = owed(story)
    assert duty.discharged == earlier.id


def test_whoever_has_nothing_left_does_not_say_that_it_is_needed_no_more() -> None:
    story = story_of()
    last_copy(story)
    story.say("kr", destroyed(story))
    home = story.registers["kr"].judge(story.write("kr", ended(story)), story.now)
    assert isinstance(home, Rejection)
    assert home.code == "nothing-left"
