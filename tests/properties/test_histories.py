"""What must hold of whatever happened to an agreement: random histories, read, decided under, and asked about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from agreement.histories import ENTRY, UNDATED, ZONES, attempts, histories, instants, possible, run, written
from comity.agreement.history import Event
from comity.agreement.load_history import parse_history
from comity.agreement.term import Contradiction, Status
from comity.agreement.writing import table
from comity.decision.compiled import compile_agreement
from comity.decision.decide import decide
from comity.decision.model import Acknowledgement, Case, Standing
from comity.errors import Rejected
from comity.flows.keeping.library import readings
from comity.foresight.consequences import foresee
from comity.foresight.supposition import Ground, SupposedAct, Supposition, suppose
from decision.cases import AGREEMENT, HOUSE, TZDATA
from decision.test_properties import OUTCOMES, cases, stricter

COMPILED = compile_agreement(AGREEMENT, [HOUSE], tzdata=TZDATA)
UNDATED_GROUND = compile_agreement(UNDATED, [], tzdata=TZDATA)


def as_file(events: list[Event]) -> str:
    """A history as a lawyer writes it."""
    parts = [table("[history]", {"format": 1, "agreement": UNDATED.id, "title": "A history"})]
    for each in events:
        row: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(each))
        claims = row.pop("reading", [])
        parts.append("\n".join([table("[[event]]", row), *(table("[[event.reading]]", claim) for claim in claims)]))
    return "\n\n".join(parts) + "\n"


@settings(max_examples=60)
@given(attempts())
def test_a_history_that_contradicts_itself_is_refused_at_the_line_of_the_act(events: list[Event]) -> None:
    """The first act that cannot follow what stands before it, and no other; without it, what is left is read."""
    text = as_file(events)
    try:
        parse_history(text, "h.toml", UNDATED, ZONES)
    except Rejected as refused:
        line = int(refused.place.removeprefix("h.toml:"))
        lines = text.split("\n")
        heads = [number for number, each in enumerate(lines, start=1) if each == "[[event]]"]
        index = sum(head <= line for head in heads) - 1  # in the table of this event
        if isinstance(refused, Contradiction):
            assert lines[line - 1].startswith(f'kind = "{events[index].kind}"')
            assert refused.sentence.startswith(repr(events[index].id))  # noqa: PT017 - any refusal is looked at
        run(possible(events[:index]))
        with pytest.raises(Rejected):
            run(events[: index + 1])
    else:
        assert possible(events) == events


@settings(max_examples=60)
@given(histories)
def test_a_history_reads_as_it_was_written(events: list[Event]) -> None:
    assert parse_history(as_file(events), "h.toml", UNDATED, ZONES).events == written(events).events


def standing(status: Status) -> Standing:
    return Standing(
        agreement=AGREEMENT.id,
        readings=readings(status),
        acknowledgements=tuple(Acknowledgement(party, AGREEMENT.digest) for party in ("jp", "kr")),
    )


@settings(max_examples=60)
@given(histories, cases, stricter, st.randoms(use_true_random=False))
def test_a_stricter_layer_never_permits_more_whatever_happened(
    events: list[Event], case: Case, more: Any, chance: Any
) -> None:
    chronicle = run(events)
    layered = compile_agreement(AGREEMENT, [HOUSE, more], tzdata=TZDATA)
    for at in chance.sample(instants(chronicle), 2):
        asked = replace(case, facts=replace(case.facts, standings=(standing(chronicle.status(at)),)))
        assert OUTCOMES.index(type(decide(layered, asked))) >= OUTCOMES.index(type(decide(COMPILED, asked)))


@settings(max_examples=60)
@given(histories, cases, st.integers(0, 4_000))
def test_what_happens_later_changes_no_decision(events: list[Event], case: Case, day: int) -> None:
    """A decision on an instant is the same whether or not anything later is known."""
    at = datetime(2016, 11, 20, tzinfo=UTC) + timedelta(days=day)
    chronicle = run(events)
    known = run([dated.event for dated in chronicle.history.events if dated.window.earliest <= at])
    outcomes = [
        decide(COMPILED, replace(case, facts=replace(case.facts, standings=(standing(each.status(at)),))))
        for each in (chronicle, known)
    ]
    assert outcomes[0] == outcomes[1]


QUIET = st.just(list(ENTRY))
STEPS = st.sampled_from(
    [
        ("notice",),
        ("notice", "suspension"),
        ("notice", "suspension", "reactivation"),
        ("notice", "suspension", "withdrawal"),
        ("notice", "withdrawal", "notice"),
        ("end-by-consent",),
        ("suspension",),
        ("withdrawal",),
    ]
)


@settings(max_examples=60)
@given(histories, st.integers(5, 900), st.integers(-3, 300), st.integers(1, 500), STEPS, st.sampled_from(["jp", "kr"]))
def test_nothing_before_a_supposed_act_is_touched(
    events: list[Event], start: int, later: int, apart: int, steps: tuple[Any, ...], by: str
) -> None:
    """(3) of spec/what-if.md, whatever had happened; and what is supposed is refused or followed to its end."""
    at = datetime(2016, 11, 20, tzinfo=UTC) + timedelta(days=start)
    day = at + timedelta(days=later)
    chronicle = run(events)
    ground = Ground(UNDATED, (), UNDATED_GROUND, chronicle)
    days = [day + number * timedelta(days=apart) for number in range(len(steps))]
    acts = [SupposedAct(step, f"{when:%Y-%m-%d}") for step, when in zip(steps, days, strict=True)]
    supposition = Supposition(acts=tuple(acts), by=by)
    try:
        supposed = suppose(ground, supposition, at, ZONES)
    except Rejected as refused:
        assert refused.code in {"contradiction", "no-such-notice"}  # noqa: PT017 - it is one of two right answers
        return
    found = foresee(supposed, supposition)
    first = min(at, day - timedelta(days=2))
    assert supposed.ground.chronicle.courses(first) == supposed.before.chronicle.courses(first)
    assert found.before == chronicle.status(at)
    last = [course.state for course in supposed.ground.chronicle.courses(datetime(2100, 1, 1, tzinfo=UTC))]
    ends = {(name.party, name.counting) for turn in found.turns if turn.phase == "lapsed" for name in turn.courses}
    before = supposed.ground.chronicle.courses(first)
    for course, state in zip(before, last, strict=True):
        lapses = state == "lapsed" and course.state != "lapsed"
        assert lapses == ((course.party, course.counting) in ends)
