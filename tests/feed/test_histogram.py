"""Histograms of seconds (``spec/feed.md`` step 19)."""

from __future__ import annotations

from comity.feed.histogram import BOUNDS, Histogram


def test_each_lies_up_to_the_first_bound_that_is_not_below_it() -> None:
    made = Histogram()
    made.observe_since(2_000_000, [2_000_000, 1_999_000, 1_998_999, 1_000_000, 3_000_000])
    made.observe_since(5 * 3_600_000_000, [0])
    made.observe_since(7, [])
    found = dict(zip((*BOUNDS, None), made.counts, strict=True))
    assert {bound: count for bound, count in found.items() if count} == {0.001: 3, 0.002: 1, 1.0: 1, None: 1}
    assert made.sum == 18_001_002_001
