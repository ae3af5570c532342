"""The table of ``comity agreement coverage``: it says what the tests show, and of this very text of the agreement."""

from __future__ import annotations

import importlib
import re

import click
import pytest

from articles.marked import TABLE, agreement, marked, table
from comity.agreement.coverage import Coverage, read_coverage, uncovered, write_coverage
from comity.cli.main import VERBS

AGAIN = "make coverage writes it again"


@pytest.fixture(scope="module")
def committed() -> Coverage:
    return read_coverage(TABLE.read_text(encoding="utf-8"), TABLE.name)


def test_it_was_written_of_this_text(committed: Coverage) -> None:
    text = agreement()
    assert (committed.agreement, committed.digest) == (text.id, text.digest), AGAIN


def test_it_says_what_the_tests_are_marked_with(committed: Coverage) -> None:
    assert committed.rows == table().rows, AGAIN
    assert write_coverage(committed) == TABLE.read_text(encoding="utf-8"), AGAIN


def test_it_names_only_tests_that_there_are(committed: Coverage) -> None:
    assert {row.test for row in committed.rows} == {each.name for each in marked()}, AGAIN


def test_every_clause_has_a_row_and_every_row_a_clause(committed: Coverage) -> None:
    assert uncovered(agreement().clauses, committed) == ()
    assert {row.clause for row in committed.rows} <= {clause.id for clause in agreement().clauses}


def test_no_row_leaves_its_clause_to_somebody(committed: Coverage) -> None:
    for row in committed.rows:
        assert not re.search(r"manual|by hand|n/a|todo", row.does, re.IGNORECASE), row
        assert row.does[0].islower(), row
        assert not row.does.endswith("."), row


@pytest.mark.parametrize("typed", sorted({row.command for row in table().rows}))
def test_every_command_can_be_typed(typed: str) -> None:
    word, verb, *rest = typed.split()
    assert (word, verb in VERBS) == ("comity", True)
    command: click.Command = getattr(importlib.import_module(f"comity.cli.{VERBS[verb].module}"), VERBS[verb].command)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        assert rest[0] in command.commands
        command = command.commands[rest.pop(0)]
    options = {option for each in command.params for option in (*each.opts, *each.secondary_opts)}
    assert {each for each in rest if each.startswith("-")} <= options


def test_everything_a_test_can_rest_on_is_rested_on_by_one() -> None:
    """No rule, duty or checklist of the agreement is there that no test would miss."""
    text = agreement()
    rested = {what for each in marked() for what in each.rests_on}
    known = {each.id for each in (*text.rules, *text.obligations, *text.checklists)}
    assert known - rested == set()
