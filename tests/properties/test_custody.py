"""Whatever people do with copies, in whatever order each side hears of it: nothing is made or vanishes unseen.

On the registers alone, because it is about their rules. Acts are tried at random, the sensible and the forged; each
side's records reach the other in their order, sooner or later. What one side accepted at home the other accepts too,
but for two carriers who both say that they have a thing from the same hand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import msgspec
from hypothesis import given as supposed
from hypothesis import settings
from hypothesis import strategies as st

from comity.record.bodies import Body
from comity.record.bodies.custody import Carried, Reproduced
from comity.record.statement import Record
from comity.register.rows import CopyRow
from comity.register.verdict import Changes, Rejection
from register.hands import carried, found, given, handed_over, lost, reproduced, taken_over

EXAMPLES = 60
ACTS_MAX = 30
PEOPLE = {"kr": ("n-kim", "n-other", "n-rei", "n-lee"), "jp": ("n-oda",)}
MADE: dict[str, Callable[..., Body]] = {
    "copy": reproduced,
    "hand over": handed_over,
    "take over": taken_over,
    "carry": carried,
    "lose": lost,
    "find": found,
}
STATES = ("in transit", "held", "passed on", "returned", "destroyed", "lost")
FIRST_MADE = 2
"""Copies that were given to begin with."""


class Apart:
    """A story whose sides hear of each other late."""

    def __init__(self, form: str) -> None:
        self.story = given(form, ("n-kim", "n-other"))
        self.waiting: dict[str, list[Record]] = {"jp": [], "kr": []}
        self.made = FIRST_MADE
        self.disputed = False

    def copies(self, party: str) -> dict[str, CopyRow]:
        rows = self.story.registers[party].rows.items()
        return {key: row for (_, key), row in rows if isinstance(row, CopyRow)}

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
            if isinstance(verdict, Rejection):
                assert isinstance(record.body, Carried), (party, record.body, verdict)
                assert verdict.code in ("stale-act", "same-hands"), verdict
                self.disputed = True

    def check(self, party: str, made: int) -> None:
        """Every copy that was made is in one state."""
        states = Counter(row.state for row in self.copies(party).values())
        assert set(states) <= set(STATES)
        assert sum(states.values()) == made
        for row in self.copies(party).values():
            assert (row.state == "in transit") <= (row.taker is not None)
            assert (row.custodian is None) or row.taker is not None


def known(copy: CopyRow, *, disputed: bool) -> CopyRow:
    """A copy as both sides know it; in whose hands it is on its way only where nobody disputes that."""
    return msgspec.structs.replace(copy, custodian=None, carried=None) if disputed else copy


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
        after = copy.carried or copy.last if act == "carry" else copy.last
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
    sides = [
        {key: known(row, disputed=apart.disputed) for key, row in apart.copies(party).items()} for party in ("jp", "kr")
    ]
    assert sides[0] == sides[1]
