"""What a returned record had opened ends at its author (``spec/duties.md`` step 12)."""

from __future__ import annotations

import pytest

from comity.record.bodies import Body, Returned
from comity.record.statement import Record, SeenCheckpoint
from comity.register.rows.duties import DutiesRow, Duty, OpenDutyRow
from comity.register.verdict import Changes
from register.hands import given
from register.story import Story, acknowledged, adopted, listed, peer, returned, told
from register.test_ending import notified, recalled, reclassified, remarked, story_of


def said_alone(story: Story, author: str, body: Body) -> Record:
    """A record that its author's house accepts; what the other one makes of it is still to come."""
    record = story.write(author, body)
    assert isinstance(story.registers[author].take(record, story.now), Changes)
    story._next[record.statement.chain] = (record.statement.sequence + 1, record.id)
    return record


def verdict_on(record: Record) -> Body:
    return Returned(record=record.id, code="unknown-item", reason="there is no such item here", item=None, copies=())


def opened_by(story: Story, record: Record, party: str = "jp") -> list[Duty]:
    rows = [row for row in story.registers[party].rows.values() if isinstance(row, DutiesRow)]
    return [duty for row in rows for duty in row.duties if duty.opened == record.id]


def open_ones(story: Story, party: str) -> list[tuple[str, int]]:
    rows = story.registers[party].rows
    listed_open = [(row.duty, row.place) for row in rows.values() if isinstance(row, OpenDutyRow)]
    found = [
        (key, place)
        for (_, key), row in rows.items()
        if isinstance(row, DutiesRow)
        for place, duty in enumerate(row.duties)
        if duty.open
    ]
    assert sorted(listed_open) == sorted(found)
    return sorted(found)


def level_change(story: Story) -> Record:
    story.say("jp", reclassified(story))
    return said_alone(story, "jp", notified(story))


def recall(story: Story) -> Record:
    return said_alone(story, "jp", recalled(story))


@pytest.mark.parametrize("said", [level_change, recall])
def test_what_a_returned_record_opened_ends_with_the_verdict(said: object) -> None:
    story = story_of()
    before = open_ones(story, "jp")
    record = said(story)  # type: ignore[operator]  # one of the two above
    opened = opened_by(story, record)
    verdict = story.say("kr", verdict_on(record))
    for duty in opened_by(story, record):
        assert not duty.open
        assert duty.void == (duty.discharged == verdict.id)
    assert any(duty.open for duty in opened) == any(duty.void for duty in opened_by(story, record))
    assert open_ones(story, "jp") == before
    assert not opened_by(story, record, "kr")


def test_a_level_change_that_comes_back_leaves_nobody_to_mark_anything() -> None:
    story = story_of()
    record = level_change(story)
    assert [duty.deed for duty in opened_by(story, record) if duty.open] == ["re-mark"]
    story.say("kr", verdict_on(record))
    assert [duty.deed for duty in opened_by(story, record) if duty.void] == ["re-mark"]


def test_what_was_done_before_the_verdict_stays_done() -> None:
    story = story_of()
    story.say("jp", reclassified(story))
    record = story.say("jp", notified(story))
    proof = story.say("kr", remarked(story))
    story.say("kr", verdict_on(record))
    assert [(duty.discharged, duty.void) for duty in opened_by(story, record) if duty.deed == "re-mark"] == [
        (proof.id, False)
    ]


def test_a_consignment_that_comes_back_leaves_nothing_open() -> None:
    story = given("documentary", receipted=False)
    record = story.said["consignment/1"]
    assert open_ones(story, "jp")
    before = [each for each in open_ones(story, "jp") if not opened_by_key(story, each, record)]
    story.say("kr", returned(story))
    assert open_ones(story, "jp") == before


def opened_by_key(story: Story, place: tuple[str, int], record: Record) -> bool:
    row = story.row("jp", "duty", place[0])
    return isinstance(row, DutiesRow) and row.duties[place[1]].opened == record.id


def test_nobody_ends_his_own_duties_by_returning_his_own_record() -> None:
    story = story_of()
    story.say("kr", listed("other", ("registry",)))
    story.say("jp", reclassified(story))
    record = story.say("jp", notified(story))
    said_alone(story, "jp", verdict_on(record))  # its author says that it returned its own record
    assert [duty.deed for duty in opened_by(story, record) if duty.open] == ["re-mark"]


def test_what_both_have_acknowledged_no_verdict_takes_away() -> None:
    """Seoul says of Tokyo's acknowledgement that it returns it: what the text always lays is owed all the same."""
    story = told("founded")
    for party, other in (("jp", "kr"), ("kr", "jp")):
        story.say(party, peer(other))
        story.say(party, adopted(other))
    story.say("kr", acknowledged("kr"))
    record = story.say("jp", acknowledged("jp"))
    assert len(opened_by(story, record)) > 1
    story.say("kr", verdict_on(record))
    assert all(duty.open and duty.standing and not duty.void for duty in opened_by(story, record))


@pytest.mark.parametrize(("cited", "ends"), [(0, True), (1, False)])
def test_what_somebody_said_he_had_taken_he_does_not_return(cited: int, ends: bool) -> None:
    """Else whoever owes something could rid himself of it in the other one's books whenever he likes."""
    story = story_of()
    record = level_change(story)
    seen = SeenCheckpoint(record.statement.sequence + cited, bytes(32))
    for body in (listed("other", ("registry",)), verdict_on(record)):
        said = story.write("kr", body, seen=seen)
        story._next[said.statement.chain] = (said.statement.sequence + 1, said.id)
        assert isinstance(story.registers["jp"].take(said, story.now), Changes)
    assert [duty.void for duty in opened_by(story, record) if duty.deed == "re-mark"] == [ends]
    assert story.row("jp", "returned", record.id.hex()) is not None
