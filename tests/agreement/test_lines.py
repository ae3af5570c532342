"""Line numbers of keys, checked against a text whose every key says its own line."""

from __future__ import annotations

import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from comity.agreement.lines import Lines, Path

TRICKY = '''\
# [not.a.table]
top = 2
[a]  # ] [[
"quoted.key" = 4
'single' = 5
text = """6
[nothing = 1
\\""" x = 1
"""
raw = \'\'\'10
]] " # \'\'\'
list = [ # [
  "]", 13,
  { deep = 14 },
]
dotted.key = 16
many = { x = 17, y = { z = 17 } }
[[a.rows]]
line = 19
[a.rows.inner]
line = 21
[[a.rows]]
line = 23
[[a.rows.parts]]
line = 25
[[a.rows.parts]]
line = 27
  [ b . "c d" ]
line = 29
four = """"quoted""""
line2 = 31
'''


def test_each_key_has_its_own_line() -> None:
    tomllib.loads(TRICKY)
    lines = Lines(TRICKY)
    expected: dict[Path, int] = {
        ("top",): 2,
        ("a",): 3,
        ("a", "quoted.key"): 4,
        ("a", "single"): 5,
        ("a", "text"): 6,
        ("a", "raw"): 10,
        ("a", "list"): 12,
        ("a", "dotted", "key"): 16,
        ("a", "many"): 17,
        ("a", "rows"): 18,
        ("a", "rows", 0): 18,
        ("a", "rows", 0, "line"): 19,
        ("a", "rows", 0, "inner", "line"): 21,
        ("a", "rows", 1): 22,
        ("a", "rows", 1, "line"): 23,
        ("a", "rows", 1, "parts", 0, "line"): 25,
        ("a", "rows", 1, "parts", 1, "line"): 27,
        ("b", "c d"): 28,
        ("b", "c d", "line"): 29,
        ("b", "c d", "line2"): 31,
    }
    assert {path: lines.of(path) for path in expected} == expected


def test_what_has_no_line_has_that_of_the_nearest_thing_around_it() -> None:
    lines = Lines(TRICKY)
    assert lines.of(("a", "many", "y", "z")) == 17
    assert lines.of(("a", "list", 3)) == 12
    assert lines.of(("nowhere",)) == 1


KEY = st.sampled_from(["a", "b", '"c.d"', "'e]'", "f-1"])
VALUE = st.sampled_from(['"x"', "1", '["=", "[", 3]', "[\n  1,\n  2, # ]\n]", '"""\n[x]\ny = 1\n"""', "{ k = 1 }"])


@given(st.lists(st.tuples(st.sampled_from(["[[t]]", "[[t.u]]"]), st.dictionaries(KEY, VALUE, max_size=4)), max_size=6))
def test_the_line_named_holds_the_key(tables: list[tuple[str, dict[str, str]]]) -> None:
    text = "[[t]]\n" + "".join(
        header + "\n" + "".join(f"{key} = {value}\n" for key, value in body.items()) for header, body in tables
    )
    lines = Lines(text)
    numbered = text.splitlines()

    def visit(value: Any, path: Path) -> None:
        if isinstance(value, dict) and "k" not in value:
            for key, inner in value.items():
                if key not in {"t", "u"}:
                    assert key in numbered[lines.of((*path, key)) - 1]
                    assert "=" in numbered[lines.of((*path, key)) - 1]
                visit(inner, (*path, key))
        elif isinstance(value, list) and path[-1] in {"t", "u"}:
            for index, inner in enumerate(value):
                assert numbered[lines.of((*path, index)) - 1].startswith("[[")
                visit(inner, (*path, index))

    visit(tomllib.loads(text), ())
