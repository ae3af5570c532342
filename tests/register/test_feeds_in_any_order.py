"""Whatever two parties say of feeds, and whenever each hears of it: in the end both registers say the same.

A party says only what its own register accepts, from what it has heard so far; what it said is heard later, in order.
"""

from __future__ import annotations

from collections import deque
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from comity.record.bodies import Body
from comity.record.bodies.feeding import FeedEnded, FeedEpoch, FeedReceipted, PostureDeclared
from comity.record.person_act import unsigned
from comity.record.statement import Record, SeenCheckpoint
from comity.register.rows import RequestRow
from comity.register.rows.feeding import (
    FeedEpochRow,
    FeedReceiptRow,
    FeedReleaseRow,
    FeedRow,
    PostureRow,
)
from comity.register.verdict import Changes
from register import story as stories
from register.story import RELATIONSHIP, START, Story, approved, listed, signed, told
from register.test_feeding import FEED, release, requested, with_feeds

SAME = (FeedEpochRow, FeedReceiptRow, FeedReleaseRow, FeedRow, PostureRow)
OFFICERS = {"jp": "n-abe", "kr": "n-other"}
ACTS = {
    "jp": ("release", "end", "posture", "epoch", "hear", "hear"),
    "kr": ("end", "posture", "receipt", "hear", "hear"),
}


class Apart:
    """Two parties that hear each other late."""

    def __init__(self) -> None:
        self.story = told("peered")
        for name in ("abe", "sato"):
            roles = ("release-authority",) if name == "abe" else ("officer",)
            self.story.say("jp", listed(name, roles, nationality="jp", serves="jp"))
        self.story.say("kr", listed("other", ("release-authority",)))
        self.to_hear: dict[str, deque[Record]] = {"jp": deque(), "kr": deque()}
        self.releases = 0
        self.receipts = 0
        self.said = 0

    def say(self, party: str, body: Body) -> None:
        """Something that a party's own register accepts, and the other's will have to."""
        story: Story = self.story
        story.now += timedelta(seconds=1)
        other = "kr" if party == "jp" else "jp"
        heard = story._next.get(f"{RELATIONSHIP}/{other}", (0, b""))[0] - len(self.to_hear[party])
        record = story.write(party, body, seen=SeenCheckpoint(heard, bytes(32)) if body.crosses and heard else None)
        if isinstance(story.registers[party].take(record, story.now), Changes):
            statement = record.statement
            story._next[statement.chain] = (statement.sequence + 1, record.id)
            self.said += 1
            if body.crosses:
                self.to_hear[other].append(record)

    def hear(self, party: str) -> None:
        """The next thing that the other party said."""
        if self.to_hear[party]:
            record = self.to_hear[party].popleft()
            verdict = self.story.registers[party].take(record, self.story.now)
            assert isinstance(verdict, Changes), (party, record.body, verdict)

    def do(self, party: str, act: str, number: int) -> None:
        """One act, made from what the party's own register says."""
        rows = self.story.registers[party].rows
        known = sorted(row.release for row in rows.values() if isinstance(row, FeedReleaseRow))
        which = known[number % len(known)] if known else "r-1"
        row = rows.get(("feed-release", f"{RELATIONSHIP}/{which}"))
        after = row.record if isinstance(row, FeedReleaseRow) else bytes(32)
        if act == "hear":
            self.hear(party)
        elif act == "release":
            self.releases += 1
            name = f"r-{self.releases}"
            self.say("jp", requested(request=name))
            request = rows.get(("request", name)) or self.story.registers["jp"].rows["request", name]
            assert isinstance(request, RequestRow)
            self.say("jp", approved(self.story, request=name, after=request.record))
            self.say("jp", release(release=name))
        elif act == "end":
            body: Body = FeedEnded(
                release=which, reason="enough", by=OFFICERS[party], after=after, signature=unsigned()
            )
            self.say(party, signed(body, OFFICERS[party], party))
        elif act == "posture":
            before = rows.get(("posture", f"{RELATIONSHIP}/{party}"))
            posture = ("normal", "heightened", "crisis")[number % 3]
            declared = PostureDeclared(
                posture=posture,  # type: ignore[arg-type]  # one of the three
                until=None if posture == "normal" else START + timedelta(days=1),
                reason="so",
                by=OFFICERS[party],
                after=before.record if isinstance(before, PostureRow) else bytes(32),
                signature=unsigned(),
            )
            self.say(party, signed(declared, OFFICERS[party], party))
        elif act == "epoch":
            feed = rows.get(("feed", f"{RELATIONSHIP}/jp/{FEED}"))
            if isinstance(feed, FeedRow):
                body = FeedEpoch(release=feed.release, feed=FEED, epoch=feed.epoch + 1, first=0, key=b"sealed")
                self.say("jp", body)
        elif act == "receipt":
            self.receipts += 1
            self.say("kr", FeedReceipted(feed=FEED, batches=self.receipts, messages=self.receipts, root=bytes(32)))


@pytest.fixture(autouse=True)
def _feeds_may_cross(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stories, "agreement", with_feeds)


MOVES = st.sampled_from([(party, act) for party, acts in ACTS.items() for act in acts])


@given(st.lists(st.tuples(MOVES, st.integers(0, 5)), min_size=8, max_size=30))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_both_registers_say_the_same_in_the_end(moves: list[tuple[tuple[str, str], int]]) -> None:
    apart = Apart()
    apart.do("jp", "release", 0)
    for (party, act), number in moves:
        apart.do(party, act, number)
    for party in ("jp", "kr"):
        while apart.to_hear[party]:
            apart.hear(party)
    assert apart.story.rows("jp", *SAME) == apart.story.rows("kr", *SAME)
    assert apart.said >= 3
