"""What is printed: visible, aligned, coloured on terminals only, and JSON that a program can trust."""

from __future__ import annotations

import io
import unicodedata

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.cli.main import VERBS
from comity.cli.output import (
    EXIT_CODES,
    HINTS,
    Output,
    coloured,
    exit_code,
    size,
    tell_error,
    visible,
    width,
    working,
    wrapped,
)
from comity.errors import ComityError, InternalError, Misuse, Refused, Rejected, Unavailable
from comity.flows.actors import NeedsSignature
from comity.ports import DiskFull

TRICKS = "".join(map(chr, [*range(0x20), *range(0x7F, 0xA0), 0x200E, 0x200F, *range(0x202A, 0x202F)]))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Thing(msgspec.Struct):
    name: str
    at: int


@given(st.text())
def test_nothing_invisible_is_printed(text: str) -> None:
    """(17)"""
    shown = visible(text)
    assert all(each.isprintable() or each == "\u3000" for each in shown)
    assert visible(shown) == shown


@given(st.text(st.characters(categories=["L", "N", "P", "S"])))
def test_what_is_visible_is_left_alone(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize("trick", TRICKS)
def test_each_trick_is_named_by_its_code_point(trick: str) -> None:
    assert visible(f"a{trick}b") == f"a<U+{ord(trick):04X}>b"


@pytest.mark.parametrize("write", ["line", "text", "fields", "table", "next"])
def test_no_way_to_print_lets_a_trick_through(write: str) -> None:
    stream = Terminal()
    out = Output(as_json=False, stream=stream)
    trick = "x\x1b[2J\u202ey"
    arguments = {
        "line": [(trick, "good")],
        "text": [trick],
        "fields": [[("name", trick)]],
        "table": [("head",), [(trick,)]],
        "next": [(trick, trick)],
    }
    getattr(out, write)(*arguments[write])
    printed = stream.getvalue()
    for escape in ("32", "2", "0"):
        printed = printed.replace(f"\x1b[{escape}m", "")
    assert "\x1b" not in printed
    assert "\u202e" not in printed
    assert "x<U+001B>[2J<U+202E>y" in printed


def test_japanese_and_korean_take_two_columns() -> None:
    """(19)"""
    assert [width(text) for text in ("SECRET", "極秘", "군사 Ⅱ급 비밀", "e\u0301")] == [6, 4, 13, 1]


@given(st.text("ab 極秘", max_size=300), st.integers(10, 60))
def test_wrapping_loses_nothing_and_keeps_to_the_width(text: str, columns: int) -> None:
    lines = wrapped(text, columns)
    assert " ".join(lines).split() == text.split()
    assert all(width(line) <= columns or " " not in line for line in lines)


def test_columns_stay_aligned_over_scripts() -> None:
    stream = io.StringIO()
    Output(as_json=False, stream=stream).table(("mark", "means"), [("極秘", "SECRET"), ("秘", "CONFIDENTIAL")])
    heads, first, second = stream.getvalue().splitlines()
    columns = {width(line[: line.index(word)]) for line, word in ((heads, "means"), (first, "SEC"), (second, "CON"))}
    assert len(columns) == 1


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 bytes"), (1023, "1023 bytes"), (4096, "4.0 KiB"), (2**50, "1024.0 TiB")]
)
def test_sizes_as_people_say_them(count: int, said: str) -> None:
    assert size(count) == said


def test_colour_is_for_terminals_and_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """(18)"""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert coloured(Terminal())
    assert not coloured(io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not coloured(Terminal())
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not coloured(Terminal())


def test_json_is_one_line_and_nothing_else() -> None:
    """(13)"""
    stream = io.StringIO()
    thing = Thing("a\nb\u202e", 3)
    Output(as_json=True, stream=stream).show(thing, lambda out, _: out.line("never"))
    assert stream.getvalue().count("\n") == 1
    assert msgspec.json.decode(stream.getvalue(), type=Thing) == thing


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Misuse("x"), 1),
        (NeedsSignature(b"x"), 1),
        (Refused("x"), 3),
        (Rejected("x"), 4),
        (Unavailable("x"), 5),
        (DiskFull("x"), 5),
        (InternalError("x"), 70),
        (ComityError("x"), 70),
    ],
)
def test_the_exit_code_says_who_is_at_fault(error: ComityError, code: int) -> None:
    """(15)"""
    assert exit_code(error) == code
    assert code in EXIT_CODES


def test_an_error_is_one_sentence_with_place_and_hint() -> None:
    """(14)"""
    stream = io.StringIO()
    error = Misuse("there is no item 'i-1\x1b'", code="unknown-item", place="register")
    assert tell_error(error, as_json=False, stream=stream) == 1
    assert stream.getvalue() == "comity: register: there is no item 'i-1<U+001B>'\n  try: comity register\n"


def test_an_error_as_json_keeps_its_parts() -> None:
    """(14)"""
    stream = io.StringIO()
    assert tell_error(Rejected("not TOML", code="not-toml", place="a.toml:3"), as_json=True, stream=stream) == 4
    assert msgspec.json.decode(stream.getvalue()) == {
        "error": {"root": "rejected", "code": "not-toml", "place": "a.toml:3", "sentence": "not TOML"}
    }


def test_combining_marks_take_no_column() -> None:
    assert unicodedata.combining("\u0301")
    assert width("\u0301") == 0


def test_progress_is_shown_on_a_terminal_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """(20)"""
    monkeypatch.setenv("TERM", "xterm")
    for stream, quiet, shows in ((Terminal(), False, True), (Terminal(), True, False), (io.StringIO(), False, False)):
        monkeypatch.setattr("sys.stderr", stream)
        with working("sealing\x1b[2J", 100, quiet=quiet) as more:
            more(50)
        assert bool(stream.getvalue()) is shows
        assert "sealing\x1b[2J" not in stream.getvalue()


@pytest.mark.parametrize("hint", [hint for hint in HINTS.values() if hint.startswith("comity ")])
def test_a_hint_names_a_verb_that_there_is(hint: str) -> None:
    """(14)"""
    assert hint.split()[1] in VERBS
