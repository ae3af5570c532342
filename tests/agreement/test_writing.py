"""Writing TOML: what is read back is what was given."""

from __future__ import annotations

import tomllib

from hypothesis import given, settings
from hypothesis import strategies as st

from comity.agreement.writing import table, value

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    st.one_of(TEXTS, st.integers(-(2**53), 2**53), st.booleans()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=10,
)


@given(st.dictionaries(TEXTS, VALUES, max_size=4))
@settings(deadline=None)
def test_what_is_read_back_is_what_was_given(rows: dict[str, object]) -> None:
    written = table("[agreement]", rows)  # type: ignore[arg-type]  # made of such values only
    assert tomllib.loads(written)["agreement"] == rows
    assert written.count("\n") == len(rows)


def test_it_reads_as_a_person_would_write_it() -> None:
    assert table("[[level]]", {"mark": "군사 Ⅱ급 비밀", "rank": 2, "crosses": False}) == (
        '[[level]]\nmark = "군사 Ⅱ급 비밀"\nrank = 2\ncrosses = false'
    )
    assert value({"en": 'A "B"', "ja": "一\n二"}) == '{ en = "A \\"B\\"", ja = "一\\n二" }'
    assert value("safe\u202etxt") == '"safe\\u202Etxt"'
    assert value({"a b": [], "c": {}}) == '{ "a b" = [], c = {} }'
