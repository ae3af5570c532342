"""The log of a node: one line each, in universal time, and no stranger writes one of his own."""

from __future__ import annotations

import logging
import re
import sys

import pytest

from comity.errors import Rejected
from comity.node.log import OneLine

FORGED = "no\n2026-01-01T00:00:00Z ERROR all keys were read\r\x1b[2J\u202e\u2028\x00"


def record(message: str, *arguments: object, trace: bool = False) -> str:
    told = None
    if trace:
        try:
            raise Rejected(FORGED)  # noqa: TRY301 - for its trace
        except Rejected:
            told = sys.exc_info()
    made = logging.LogRecord("comity.node", logging.WARNING, __file__, 1, message, arguments, told)
    made.created = 1_767_225_600.0
    return OneLine().format(made)


@pytest.mark.parametrize(("message", "arguments"), [("%s is refused: %s", ("kr", FORGED)), (FORGED, ())])
def test_what_a_peer_says_stays_within_its_line(message: str, arguments: tuple[object, ...]) -> None:
    line = record(message, *arguments)
    assert line.isprintable()
    assert line.startswith("2026-01-01T00:00:00Z WARNING ")
    assert r"no\n2026" in line


def test_a_trace_is_indented_and_forges_nothing() -> None:
    first, *rest = record("packing failed inside", trace=True).split("\n")
    assert first.endswith("WARNING packing failed inside")
    assert len(rest) > 2
    assert all(line.startswith("  ") and line.isprintable() for line in rest)
    assert [line for line in [first, *rest] if re.match("[0-9]{4}-", line)] == [first]


def test_letters_of_every_language_are_left_alone() -> None:
    assert record("極秘 «é»").endswith("極秘 «é»")
