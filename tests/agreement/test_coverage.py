"""The table of which test shows what (``spec/agreement.md`` steps 9 and 10): its form, and what is missing in it."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest

from comity.agreement.coverage import Coverage, Row, in_order, read_coverage, uncovered, write_coverage
from comity.agreement.load import parse_agreement
from comity.api import coverage_of
from comity.cli.coverage import covered
from comity.errors import Misuse, Rejected

TEXT = resources.files("comity.agreements").joinpath("jp-kr-2016.toml").read_text(encoding="utf-8")
AGREEMENT = parse_agreement(TEXT, "jp-kr-2016.toml")
ROWS = tuple(
    Row(each.id, "does it", "comity give", f"tests/articles/test_article_{each.article}.py::test_it", ("give",))
    for each in AGREEMENT.clauses
)
WHOLE = Coverage(1, AGREEMENT.id, AGREEMENT.digest, ROWS)


def test_it_writes_back_one_row_to_a_line() -> None:
    text = write_coverage(WHOLE)
    assert read_coverage(text, "x") == WHOLE
    assert text.count("\n") == len(ROWS) + 2
    assert write_coverage(read_coverage(text, "x")) == text
    empty = Coverage(1, "a", "d", ())
    assert read_coverage(write_coverage(empty), "x") == empty


def test_rows_stand_in_the_order_of_the_clauses() -> None:
    assert in_order(reversed(ROWS), AGREEMENT.clauses) == ROWS
    stray = Row("99", "does it", "comity give", "t::t")
    assert in_order((stray, *ROWS), AGREEMENT.clauses)[-1] == stray


def test_a_clause_without_a_row_is_named() -> None:
    assert uncovered(AGREEMENT.clauses, WHOLE) == ()
    less = Coverage(1, AGREEMENT.id, AGREEMENT.digest, tuple(row for row in ROWS if row.clause not in {"6.a", "17"}))
    assert uncovered(AGREEMENT.clauses, less) == ("6.a", "17")
    shown = covered(AGREEMENT.id, AGREEMENT.digest, AGREEMENT.clauses, less)
    assert (shown.missing, shown.same) == (("6.a", "17"), True)


def test_of_another_text_it_says_that_it_is_another() -> None:
    shown = covered(AGREEMENT.id, "0" * 64, AGREEMENT.clauses, WHOLE)
    assert (shown.same, shown.digest, shown.tested) == (False, "0" * 64, AGREEMENT.digest)
    assert shown.rows[0].provenance == "P"


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('"format":1', '"format":2', "unknown-format"),
        ('"format":1', '"form":1', "bad-coverage"),
        ('"clause":"1"', '"clause":1', "bad-coverage"),
        ('"rests_on":["give"]', '"rests_on":["give"],"manual":true', "bad-coverage"),
        ('{"format"', "", "bad-coverage"),
    ],
)
def test_what_is_no_table_is_rejected(old: str, new: str, code: str) -> None:
    text = write_coverage(WHOLE)
    assert old in text
    with pytest.raises(Rejected) as raised:
        read_coverage(text.replace(old, new, 1), "mine.coverage.json")
    assert (raised.value.code, raised.value.place) == (code, "mine.coverage.json")
    with pytest.raises(Rejected, match="at most 4000000"):
        read_coverage(" " * 4_000_001, "mine.coverage.json")


def test_a_table_beside_a_file_comes_first(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(TEXT)
    beside = tmp_path / "mine.coverage.json"
    beside.write_text(write_coverage(WHOLE))
    assert coverage_of("jp-kr-2016", file) == WHOLE
    beside.write_text(write_coverage(Coverage(1, "other", AGREEMENT.digest, ROWS)))
    with pytest.raises(Rejected, match="it speaks of 'other'"):
        coverage_of("jp-kr-2016", file)


@pytest.mark.parametrize("name", ["jp-us-2007", "../secrets", "house"])
def test_of_an_agreement_without_a_table_nothing_is_said(name: str) -> None:
    with pytest.raises(Misuse, match="no table says"):
        coverage_of(name)
