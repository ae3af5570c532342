"""The example at the head of the specification has the shape of a real file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import msgspec

from comity.evidence.model import WITHHELD_BY_DEFAULT, Group
from comity.record.encoding import encode
from evidence.made import ALL_GROUPS, Made, contents

SPEC = (Path(__file__).parents[2] / "spec" / "evidence.md").read_text(encoding="utf-8")


def shape(value: Any) -> Any:
    """The keys in their order, of everything; one element stands for a list of its kind."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return sorted({repr(shape(inner)) for inner in value})
    return type(value).__name__


def test_the_example_has_the_shape_of_a_file(made: Made) -> None:
    written = msgspec.json.decode(SPEC.split("```json\n")[1].split("```")[0])
    real = msgspec.json.decode(encode(contents(made.jp)))
    assert list(written) == list(real)
    for chain in real["chains"]:
        assert list(chain) == list(written["chains"][0])
    kinds = {record["is"]: list(record) for chain in real["chains"] for record in chain["records"]}
    assert kinds == {record["is"]: list(record) for record in written["chains"][0]["records"]}
    assert shape(written["texts"]) == shape(real["texts"])
    assert shape(written["anchors"]) == shape(real["anchors"])


def test_the_groups_are_those_of_the_specification() -> None:
    paragraph = next(each for each in SPEC.split("\n\n") if each.startswith("(5)"))
    may = paragraph.partition("whole groups:")[2].partition(". By default")[0]
    assert tuple(re.findall(r"`([a-z-]+)`", may)) == ALL_GROUPS == get_args(Group)
    default = paragraph.partition("By default")[2].partition("are withheld")[0]
    assert tuple(re.findall(r"`([a-z-]+)`", default)) == WITHHELD_BY_DEFAULT
