"""What may cross under which posture, and what it is rounded to (``spec/feed.md`` steps 3, 5 and 7)."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.errors import Rejected
from comity.feed.release import POSTURES, joint, parse_release, rounding
from feed.examples import INSTANTS, NUMBERS, RANKS, RELEASE_TEXT, release, schema


def test_a_posture_without_a_table_has_that_of_the_next_lower_one() -> None:
    postures = release().postures
    assert postures["heightened"] == postures["normal"] != postures["crisis"]
    assert postures["normal"]["track"].delay == 60
    assert postures["crisis"]["track"].rate is None
    text = RELEASE_TEXT.replace('posture = "normal"', 'posture = "heightened"')
    assert parse_release(text, "release.toml", schema(), RANKS).postures["normal"] == {}


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("2027-03-31T00:00:00Z", "2027-03-31", "bad-instant"),
        ("2027-03-31T00:00:00Z", "2027-02-31T00:00:00Z", "bad-instant"),
        ('mark = "極秘"', 'mark = "秘"', "unknown-mark"),
        ("types.track]", "types.trick]", "unknown-type"),
        ('"height"', '"hight"', "unknown-field"),
        ('"height"', '"quality"', "unlabelled-field"),
        ('"height"', '"method"', "above-release"),
        ('"height"', '"track"', "twice"),
        ('posture = "crisis"', 'posture = "normal"', "twice"),
        ('speed = "10"', 'height = "10"', "not-released"),
        ('speed = "10"', 'speed = "30"', "bad-step"),
        ('speed = "10"', 'speed = "0"', "bad-step"),
        ('speed = "10"', f'speed = "0.{"0" * 15}1"', "bad-step"),
        ('speed = "10"', f'speed = "1{"0" * 16}"', "bad-step"),
        ('speed = "10"', 'track = "10"', "bad-step"),
        ('observed = "1s"', 'observed = "2s"', "bad-step"),
        ("delay = 60", "delay = -1", None),
        ("rate = 200", "rate = 0", None),
        ('feed = "air-picture"', "", None),
    ],
)
def test_a_release_that_is_not_in_order_is_rejected(old: str, new: str, code: str | None) -> None:
    assert old in RELEASE_TEXT
    with pytest.raises(Rejected) as caught:
        parse_release(RELEASE_TEXT.replace(old, new, 1), "release.toml", schema(), RANKS)
    assert caught.value.place.startswith("release.toml:")
    assert code is None or caught.value.code == code


@given(st.lists(st.sampled_from([*POSTURES, None]), min_size=1, max_size=3))
def test_the_lowest_that_all_have_declared_holds(declared: list[str | None]) -> None:
    held = joint(declared)  # type: ignore[arg-type]  # drawn from the postures
    assert all(POSTURES.index(held) <= POSTURES.index(each or "normal") for each in declared)  # type: ignore[arg-type]  # as above
    assert held in {each or "normal" for each in declared}


STEPS = st.builds(
    lambda digit, power: f"0.{'0' * (-power - 1)}{digit}" if power < 0 else f"{digit}{'0' * power}",
    st.sampled_from([1, 2, 5]),
    st.integers(-6, 6),
)


@given(NUMBERS, STEPS)
def test_a_number_is_rounded_to_the_nearest_multiple(number: float, step: str) -> None:
    change = rounding("number", step)
    assert change is not None
    rounded = change(number)
    assert isinstance(rounded, float)
    assert change(rounded) == rounded
    # half a step, and as much again as a double of that size can be off
    assert abs(Fraction(rounded) - Fraction(number)) <= Fraction(step) / 2 + Fraction(abs(number)) * Fraction(1, 2**50)


@given(st.integers(-(2**53), 2**53), STEPS)
def test_a_whole_number_is_rounded_exactly_half_to_even(number: int, step: str) -> None:
    change = rounding("integer", step)
    if "." in step:
        assert change is None
        return
    assert change is not None
    rounded = change(number)
    assert isinstance(rounded, int)
    size = int(step)
    assert rounded % size == 0
    assert abs(rounded - number) * 2 <= size
    if abs(rounded - number) * 2 == size:
        assert rounded // size % 2 == 0


@given(INSTANTS, st.sampled_from([("1s", 1), ("10s", 10), ("1min", 60), ("10min", 600), ("1h", 3600)]))
def test_an_instant_is_cut_down_in_utc(instant: datetime, step: tuple[str, int]) -> None:
    name, seconds = step
    change = rounding("instant", name)
    assert change is not None
    cut = change(instant)
    assert isinstance(cut, datetime)
    assert cut.tzinfo is UTC
    assert int(cut.timestamp()) % seconds == 0
    assert 0 <= (instant - cut).total_seconds() < seconds


def test_there_is_no_step_for_texts_and_truths() -> None:
    assert rounding("text", "1") is None
    assert rounding("boolean", "1") is None
