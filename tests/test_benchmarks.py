"""The table of measurements: what counts as met, and what a benchmark may not return."""

from __future__ import annotations

import pytest

from benchmarks.__main__ import discover, how
from benchmarks.report import Row, table

ROW = {
    "name": "appends per second",
    "ours": 120_000.0,
    "peer": 20_000.0,
    "peer_name": "a peer",
    "unit": "1/s",
    "ratio": 6.0,
    "aim": 5,
}


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"aim": 6}, "met"),
        ({"aim": 6.1}, "missed"),
        ({"aim": "at least 5"}, "met"),
        ({"aim": "at most 1.2", "ratio": 1.21}, "missed"),
        ({"aim": "at most 1.2", "ratio": 1.2}, "met"),
        ({"aim": "at most 20 ms", "unit": "ms", "ours": 19.0, "ratio": None, "peer": None}, "met"),
        ({"aim": "at most 20 ms", "unit": "ms", "ours": 20.5, "ratio": 9.0}, "missed"),
        ({"aim": None}, ""),
        ({"aim": 5, "ratio": None, "peer": None}, ""),
    ],
)
def test_an_aim_is_met_by_the_ratio_or_by_our_own_figure_in_its_unit(changes: dict[str, object], verdict: str) -> None:
    assert Row.read(ROW | changes).verdict == verdict


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"aim": "about 5"}, "write None, a number"),
        ({"aim": "at most 20 s", "unit": "ms"}, "is measured in 'ms'"),
        ({"note": "fast"}, "note"),
    ],
)
def test_a_row_that_cannot_be_judged_is_refused(changes: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Row.read(ROW | changes)


def test_the_table_aligns_figures_to_the_right() -> None:
    lines = table([Row.read(ROW), Row.read(ROW | {"name": "proofs", "ours": 1.5, "peer": None, "ratio": None})]).split(
        "\n"
    )
    assert lines[1].index("120,000") + len("120,000") == lines[2].index("1.5") + len("1.5")
    assert "6.00×" in lines[1]
    assert "met" in lines[1]


def test_every_benchmark_says_how_it_measures() -> None:
    for benchmark in discover().values():
        assert how(benchmark).endswith(".")
