"""Whatever people do with copies, in whatever order each side hears of it: nothing is made or vanishes unseen.

On the registers alone, because it is about their rules. Acts are tried at random, the sensible and the forged; each
side's records reach the other in their order, sooner or later. What one side accepted at home the other accepts too;
in the end both have the same rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from hypothesis import given as supposed
from hypothesis import settings
from hypothesis import strategies as st

from comity.record.bodies import Body
from comity.record.bodies.custody import Reproduced
from comity.record.statement import Record
from comity.register.rows import CopyRow, Row
from comity.register.rows.custody import LinkRow
from comity.register.rows.duties import DutiesRow
from comity.register.rows.ending import EndingRow, HoldingRow
from comity.register.verdict import Changes
from register.hands import (
    carried,
    found,
    given,
    handed_over,
    lost,
    reproduced,
    sent_back,
    taken_back,
    taken_over,
)

EXAMPLES = 100
ACTS_MAX = 30
PEOPLE = {"kr": ("n-kim", "n-other", "n-rei", "n-lee"), "jp": ("n-oda", "n-rei")}
MADE: dict[str, Callable[..., Body]] = {
    "copy": reproduced,
    "hand over": handed_over,
    "take over": taken_over,
    "carry": carried,
    "lose": lost,
    "find": found,
    "send back": sent_back,
    "take back": taken_back,
}
SHARED = (CopyRow, LinkRow, EndingRow, HoldingRow, DutiesRow)
STATES = ("in transit", "held", "passed on", "returned", "destroyed", "lost")
FIRST_MADE = 2
"""Copies that were given to begin with."""


class Apart:
    """A story whose sides hear of each other late."""

    def __init__(self, form: str) -> None:
        self.story = given(form, ("n-kim", "n-other"))
        self.waiting: dict[str, list[Record]] = {"jp": [], "kr": []}
        self.made = FIRST_MADE

    def copies(self, party: str) -> dict[str, CopyRow]:
        rows = self.story.registers[party].rows.items()
        return {key: row for (_, key), row in rows if isinstance(row, CopyRow)}

    def endings(self, party: str) -> dict[str, EndingRow]:
        rows = self.story.registers[party].rows.items()
        return {key: row for (_, key), row in rows if isinstance(row, EndingRow)}

    def shared(self, party: str) -> dict[tuple[str, str], Row]:
        """Every row that says what became of the copies, and what is still owed for them."""
        return {key: row for key, row in self.story.registers[party].rows.items() if isinstance(row, SHARED)}

    def sent_back_by(self, party: str, copy: CopyRow) -> bytes:
        """What a receipt for a copy that came back names."""
        found_there = [row.record for key, row in self.endings(party).items() if key.endswith(f"{copy.number:06d}")]
        return (*found_there, bytes(32))[0]

    def say(self, party: str, body: Body) -> None:
        """Record something at home, if its own side's register lets it."""
        record = self.story.write(party, body)
        if isinstance(self.story.registers[party].take(record, self.story.now), Changes):
            statement = record.statement
            self.story._next[statement.chain] = (statement.sequence + 1, record.id)
            self.waiting[party].append(record)
            self.made += len(body.copies) if isinstance(body, Reproduced) else 0

    def hear(self, party: str) -> None:
        """The next record of the other side arrives."""
        author = "kr" if party == "jp" else "jp"
        if self.waiting[author]:
            record = self.waiting[author].pop(0)
            verdict = self.story.registers[party].take(record, self.story.now)
            assert isinstance(verdict, Changes), (party, record.body, verdict)

    def check(self, party: str, made: int) -> None:
        """Every copy that was made is in one state."""
        states = Counter(row.state for row in self.copies(party).values())
        assert set(states) <= set(STATES)
        assert sum(states.values()) == made
        for row in self.copies(party).values():
            assert (row.state == "in transit") <= (row.sent is not None)
            assert (row.sent is not None) <= (row.state in ("in transit", "lost"))
            assert (row.custodian is None) or row.sent is not None


@settings(max_examples=EXAMPLES, deadline=None)
@supposed(st.data())
def test_copies_are_conserved_on_both_sides_and_both_end_the_same(data: st.DataObject) -> None:
    apart = Apart(data.draw(st.sampled_from(("electronic", "documentary", "equipment"))))
    for _ in range(data.draw(st.integers(1, ACTS_MAX))):
        party = data.draw(st.sampled_from(("kr", "kr", "jp")))
        if data.draw(st.booleans()):
            apart.hear(party)
        copy = data.draw(st.sampled_from(sorted(apart.copies(party).values(), key=lambda each: each.number)))
        act = data.draw(st.sampled_from(sorted(MADE)))
        likely = (copy.holder, copy.taker or copy.holder, *PEOPLE[party])
        by = data.draw(st.sampled_from([each for each in likely if each in PEOPLE[party]]))
        before = copy.carrier(party)
        after = before.record if act == "carry" and before is not None else copy.last
        if act == "take back":
            after = apart.sent_back_by(party, copy)
        changes: dict[str, object] = {"copy": copy.number, "after": after}
        if act == "copy":
            first = max([1_000, *(each.number for each in apart.copies(party).values())]) + 1
            changes["first"] = data.draw(st.sampled_from((first, first, first + 1)))
        if act == "hand over":
            changes["taker"] = data.draw(st.sampled_from(PEOPLE["kr"]))
        apart.say(party, MADE[act](apart.story, by, party=party, **changes))
        apart.check("kr", apart.made)  # whose people hold them makes them too
    while any(apart.waiting.values()):
        apart.hear("jp")
        apart.hear("kr")
    apart.check("jp", apart.made)
    apart.check("kr", apart.made)
    assert apart.shared("jp") == apart.shared("kr")
