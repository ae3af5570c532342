"""The life of a text before it is an agreement, on both sides, whatever each heard first (``spec/lifecycle.md``)."""

from __future__ import annotations

import random
import re
from itertools import product
from pathlib import Path
from typing import get_args

import pytest

from comity.agreement.negotiation import (
    NEGOTIATION,
    OF_BOTH,
    UNDOING,
    Done,
    Move,
    Standing,
    State,
    diagram,
    in_order,
    known_to,
    standing,
    why_not,
)

SPEC = (Path(__file__).parents[2] / "spec/lifecycle.md").read_text(encoding="utf-8")
SIDES = ("jp", "kr")


class Side:
    """What one side has done and taken up; it acts only as its own standing allows."""

    def __init__(self, party: str) -> None:
        self.party = party
        self.known: list[Done] = []
        self.own: list[Done] = []
        self.taken = 0

    def make(self, move: Move, at: int, draft: str = "") -> Done | None:
        now = standing(self.known)
        theirs = now.theirs(self.party) if move in ("signature", "exchange") else None
        if move == "exchange" and theirs is None:
            return None
        act = Done(
            party=self.party,
            move=move,
            record=f"{self.party}-{len(self.own)}".encode(),
            sequence=len(self.own),
            at=f"{at:06d}",
            seen=self.taken,
            draft=draft,
            theirs=theirs,
            day="2026-11-21" if move == "entry-note" else "",
        )
        if why_not(now, act):
            return None
        self.own.append(act)
        self.known.append(act)
        return act

    def take(self, other: Side) -> None:
        """The next act of the other side; a signature that completes ours is met at once."""
        act = other.own[self.taken]
        view = standing(known_to(self.known, act.party, act.seen))
        assert why_not(view, act) == "", (view, act)  # whoever hears of it finds what its author found
        self.known.append(act)
        self.taken += 1
        self.make("exchange", len(self.own) + 500)


def choices(side: Side) -> list[tuple[Move, str]]:
    drafts = sorted({act.draft for act in side.known if act.move == "draft"})
    now = standing(side.known)
    named: list[tuple[Move, str]] = [("draft", f"{side.party}-{sum(act.move == 'draft' for act in side.own) + 1}")]
    named += [("initials", draft) for draft in drafts]
    named += [("approval", now.draft), ("signature", now.draft), ("signature", now.draft)]
    return [*named, ("postponement", ""), ("withdrawal", ""), ("entry-note", "")]


def approved() -> tuple[Side, Side]:
    """Both have initialled jp-1 and told of their approval, and each has heard all of it."""
    jp, kr = sides = Side("jp"), Side("kr")
    steps: list[tuple[Side, Move]] = [
        (jp, "draft"),
        (jp, "initials"),
        (kr, "initials"),
        (kr, "approval"),
        (jp, "approval"),
    ]
    for at, (side, move) in enumerate(steps):
        assert side.make(move, at, "jp-1")
        (kr if side is jp else jp).take(side)
    assert [standing(side.known).state for side in sides] == ["approved"] * 2
    return jp, kr


def settle(jp: Side, kr: Side) -> Standing:
    """Everything is delivered, exchanges too; both come to the same."""
    while jp.taken < len(kr.own) or kr.taken < len(jp.own):
        for side, other in ((jp, kr), (kr, jp)):
            if side.taken < len(other.own):
                side.take(other)
    found = [standing(side.known) for side in (jp, kr)]
    assert found[0] == found[1]
    return found[0]


@pytest.mark.parametrize("seed", range(400))
def test_two_sides_that_act_at_once_come_to_the_same_and_what_one_saw_signed_stays_signed(seed: int) -> None:
    chance = random.Random(seed)
    jp, kr = approved() if seed % 2 else (Side("jp"), Side("kr"))
    was_signed = False
    for at in range(100, 140):
        side, other = (jp, kr) if chance.random() < 0.5 else (kr, jp)
        if side.taken < len(other.own) and chance.random() < 0.5:
            side.take(other)
        else:
            move, draft = chance.choice(choices(side))
            side.make(move, at + chance.randrange(3), draft)
        was_signed = was_signed or "signed" in {standing(each.known).state for each in (jp, kr)}
    found = settle(jp, kr)
    assert not was_signed or found.state == "signed"
    done = jp.own + kr.own
    if found.state == "signed":
        assert {act.party for act in done if act.move in ("signature", "exchange")} == set(SIDES)
        assert not any(act.move == "withdrawal" for act in done)


RACING: tuple[Move, ...] = ("signature", "withdrawal", "postponement", "draft")


def test_every_race_of_two_acts_each_ends_alike_and_a_withdrawal_is_never_outrun() -> None:
    count = 0
    for mine, yours in product(product(RACING, repeat=2), repeat=2):
        for late in (False, True):
            jp, kr = approved()
            for side, moves in ((jp, mine), (kr, yours)):
                for number, move in enumerate(moves):
                    if late and number == 1 and side.taken < len((kr if side is jp else jp).own):
                        side.take(kr if side is jp else jp)
                    draft = f"{side.party}-9" if move == "draft" else "jp-1"
                    side.make(move, 100 + number, draft)
            found = settle(jp, kr)
            withdrew = any(act.move == "withdrawal" for act in jp.own + kr.own)
            assert not (withdrew and found.state == "signed"), (mine, yours)
            assert found.state != "signed" or found.met == set(SIDES)
            count += 1
    assert count == 512


def test_both_sign_at_once_and_it_is_signed_when_each_knows() -> None:
    jp, kr = approved()
    assert jp.make("signature", 100, "jp-1")
    assert kr.make("signature", 100, "jp-1")
    assert standing(jp.known).state == standing(kr.known).state == "approved"  # nobody is bound alone
    jp.take(kr)
    assert standing(jp.known).state == "approved"
    assert settle(jp, kr).state == "signed"


def test_the_second_to_sign_is_bound_at_once_and_the_first_when_he_hears_of_it() -> None:
    jp, kr = approved()
    assert jp.make("signature", 100, "jp-1")
    kr.take(jp)
    assert kr.make("signature", 101, "jp-1")
    assert kr.make("withdrawal", 102) is None
    assert jp.make("withdrawal", 103)  # he has not heard of it, and is free
    assert settle(jp, kr).state == "withdrawn"


def test_what_is_put_off_counts_no_signature() -> None:
    jp, kr = approved()
    assert jp.make("signature", 100, "jp-1")
    kr.take(jp)
    assert kr.make("postponement", 101)
    found = settle(jp, kr)
    assert (found.state, found.signatures, found.postponed) == ("approved", {}, True)
    assert kr.make("signature", 102, "jp-1")
    assert settle(jp, kr).state == "approved"
    assert jp.make("signature", 103, "jp-1")
    assert settle(jp, kr).state == "signed"


def test_a_draft_after_the_initials_opens_the_text_again() -> None:
    jp, kr = approved()
    assert kr.make("draft", 100, "kr-1")
    found = settle(jp, kr)
    assert (found.state, found.draft, found.initials, found.approved) == ("negotiated", "", {}, frozenset())


REFUSED: list[tuple[list[tuple[str, Move, str]], tuple[str, Move, str], str]] = [
    ([], ("jp", "initials", "jp-1"), "there is no draft 'jp-1'; proposed: none"),
    ([], ("jp", "approval", "jp-1"), "the text is negotiated; no approval follows on that"),
    ([], ("jp", "signature", "jp-1"), "no signature follows on that; next can come draft, initials, withdrawal"),
    ([], ("jp", "postponement", ""), "the text is negotiated; no postponement follows on that"),
    ([], ("jp", "entry-note", ""), "the text is negotiated; no entry-note follows on that"),
    ([("jp", "draft", "jp-1"), ("jp", "initials", "jp-1")], ("jp", "initials", "jp-1"), "initialled jp-1 already"),
    ([("jp", "withdrawal", "")], ("kr", "draft", "kr-1"), "the text is withdrawn; no draft follows on that"),
]


@pytest.mark.parametrize(("before", "then", "says"), REFUSED)
def test_an_act_that_cannot_follow_changes_nothing(
    before: list[tuple[str, Move, str]], then: tuple[str, Move, str], says: str
) -> None:
    jp, kr = Side("jp"), Side("kr")
    for at, (party, move, draft) in enumerate(before):
        side, other = (jp, kr) if party == "jp" else (kr, jp)
        assert side.make(move, at, draft)
        other.take(side)
    side = jp if then[0] == "jp" else kr
    now = standing(side.known)
    act = Done(party=then[0], move=then[1], record=b"x", sequence=99, at="999999", seen=99, draft=then[2])
    assert says in why_not(now, act)
    assert standing([*side.known, act]) == now


def test_of_approvals_and_signatures_each_is_given_once_and_for_the_text_that_both_initialled() -> None:
    jp, _ = approved()
    again = Done(party="jp", move="signature", record=b"x", sequence=99, at="9", seen=99, draft="jp-2")
    assert "have initialled jp-1, not jp-2" in why_not(standing(jp.known), again)
    assert jp.make("signature", 100, "jp-1")
    again = Done(party="jp", move="signature", record=b"x", sequence=99, at="9", seen=99, draft="jp-1")
    assert "has signed already" in why_not(standing(jp.known), again)
    other = Done(party="kr", move="signature", record=b"x", sequence=99, at="9", seen=99, draft="jp-1", theirs=b"no")
    assert "not the one that is named" in why_not(standing(jp.known), other)
    nothing = Done(party="kr", move="exchange", record=b"x", sequence=99, at="9", seen=99, theirs=jp.own[-1].record)
    assert "no signature of 'kr'" in why_not(standing(jp.known), nothing)


def test_the_order_is_the_same_for_everybody_who_has_all() -> None:
    jp, kr = approved()
    done = jp.own + kr.own
    random.Random(1).shuffle(done)
    assert in_order(done) == in_order(jp.own + kr.own) == in_order(kr.own + jp.own)


def test_the_table_of_the_spec_is_the_codes_and_the_drawing_has_an_arrow_for_each_row() -> None:
    rows = re.findall(r"^\| ([a-z]+) \| `([a-z-]+)`( of both)? \| ([a-z]+) \|$", SPEC, re.MULTILINE)
    assert {(state, move): after for state, move, _, after in rows} == {key: NEGOTIATION[key] for key in NEGOTIATION}
    assert {move for _, move, both, _ in rows if both} == set(OF_BOTH)
    assert f"```mermaid\n{diagram()}```\n" in SPEC
    assert diagram().count(" --> ") == len(NEGOTIATION)
    assert "  approved --> signed: signature of both\n" in diagram()
    assert {state for state, _ in NEGOTIATION} | set(NEGOTIATION.values()) == set(get_args(State))
    assert {move for _, move in NEGOTIATION} == set(get_args(Move))
    assert {"draft", "postponement", "withdrawal"} == UNDOING
