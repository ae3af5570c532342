"""Schemas that come with doors say what those give, and let nothing cross (``spec/doors.md`` steps 3, 11 and 14)."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import comity
from comity.doors.alert import ALERT, AREA, INFO, RESOURCE, SCOPES, WHERE, Element
from comity.doors.items import CATEGORIES
from comity.doors.table import DOORS, schema_text
from comity.errors import Misuse
from comity.feed.schema import MessageType, Schema, parse_schema
from doors.blocks import SPECS

SPEC = Path(__file__).parents[2] / "spec" / "doors.md"
ASTERIX, CAP = (parse_schema(schema_text(DOORS[name]), name) for name in ("asterix", "cap"))


def said(kind: MessageType) -> dict[str, tuple[str, bool]]:
    return {name: (field.kind, not field.optional) for name, field in kind.fields.items()}


def wanted(*elements: Element, **others: tuple[str, bool]) -> dict[str, tuple[str, bool]]:
    return {each.name: (each.kind, each.needed) for each in elements} | others


@pytest.mark.parametrize("schema", [ASTERIX, CAP])
def test_nothing_crosses_before_its_owner_has_marked_it(schema: Schema) -> None:
    assert {field.mark for kind in schema.types.values() for field in kind.fields.values()} == {None}


def test_a_field_of_asterix_is_what_the_table_says() -> None:
    assert set(ASTERIX.types) == {each.type for each in CATEGORIES.values()}
    for each in CATEGORIES.values():
        kinds = {"sensor": ("text", True), "observed": ("instant", True)}
        assert said(ASTERIX.types[each.type]) == kinds | {one.field: (one.kind, one.needed) for one in each.fields}


def test_a_field_of_an_alert_is_what_the_standard_says() -> None:
    assert len(CAP.types) == 9
    place = {"info": ("integer", True)}
    identity = [each for each in ALERT.elements if each.name in {"identifier", "sender", "sent"}]
    for scope, prefix in SCOPES.items():
        head = wanted(*ALERT.elements, signer=("text", True), infos=("integer", True), **place)
        del head["scope"]
        if scope in WHERE:
            head[WHERE[scope]] = ("text", True)
        infos = {each.name: (each.kind, False) for each in INFO.elements}
        assert said(CAP.types[f"{prefix}-alert"]) == head | infos
        for group in (AREA, RESOURCE):
            number = {group.name: ("integer", True)}
            assert said(CAP.types[f"{prefix}-{group.name}"]) == wanted(*identity, *group.elements) | place | number


def unit_of(record: Any, path: tuple[str, ...]) -> str:
    """The unit that the library's copy of the standard has."""
    found = record.spec(path[0]).cv_rule.cv_variation
    for name in path[1:]:
        part = found.spec(name)
        found = getattr(part, "cv_rule", part).cv_variation
    unit: str = found.cv_rule.cv_content.cv_unit
    return unit


def test_units_are_those_of_the_standard_and_stand_in_the_names() -> None:
    ends = {
        "°": "_deg",
        "NM": "_nm",
        "NM/s": "_kt",
        "m": "_m",
        "m/s": "_mps",
        "ft": "_ft",
        "ft/min": "_ftpm",
        "FL": "_level",
    }
    for number, category in CATEGORIES.items():
        for each in category.fields:
            if each.how == "quantity":
                for path in filter(None, (each.path, each.otherwise)):
                    assert unit_of(SPECS[number].cv_record, path) == each.unit
                assert each.field.endswith(ends[each.unit]), each.field


def test_the_spec_lists_what_is_read() -> None:
    text = SPEC.read_text(encoding="utf-8")
    for number, each in CATEGORIES.items():
        (row,) = re.findall(rf"^\| {number:03} \| `{each.type}` \| (.*) \|$", text, re.MULTILINE)
        assert set(re.findall(r"`(\w+)`", row)) == {
            "sensor",
            "observed",
            *(one.field for one in each.fields),
        }
        assert {one.path[0] for one in each.fields} | set(each.times) <= set(re.findall(r"\b\d{3}\b", row))
        assert f"{number:03} (edition {each.edition[0]}.{each.edition[1]})" in " ".join(text.split())


def test_a_door_for_the_users_own_schema_has_none() -> None:
    with pytest.raises(Misuse) as raised:
        schema_text(DOORS["cloudevents"])
    assert raised.value.code == "no-schema"


WITHOUT = """
import sys
from datetime import UTC, datetime
for name in ("asterix", "lxml", "signxml"):
    sys.modules[name] = None
from comity.doors.passing import Setting
from comity.doors.table import DOORS
from comity.errors import Misuse
for name in ("asterix", "cap"):
    try:
        list(DOORS[name].read(b"", Setting(now=lambda: datetime.now(UTC))))
    except Misuse as error:
        print(name, error.code)
print(*DOORS["cloudevents"].read(b"7", Setting(now=lambda: datetime.now(UTC))))
"""


def test_a_node_that_has_no_library_for_a_door_is_told_and_has_the_others() -> None:
    path = str(Path(comity.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True, env={"PYTHONPATH": path}
    )
    assert done.stdout.splitlines()[:2] == ["asterix no-library", "cap no-library"]
    assert "malformed" in done.stdout
