"""The JSON Schemas of the three files (``spec/agreement.md`` steps 11 and 12)."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from agreement.test_load import AGREEMENT, HOUSE, MISTAKES, TEXT
from comity.agreement import vocabulary
from comity.agreement.key_meanings import EVERYWHERE, KEYS
from comity.agreement.load import parse_agreement, parse_layer
from comity.agreement.load_history import parse_history
from comity.agreement.schema import Kind, schema
from comity.agreement.word_meanings import WORDS
from comity.errors import Rejected
from comity.timezones import time_zones

LIBRARY = Path(__file__).parents[2] / "src" / "comity" / "agreements"
KINDS: tuple[Kind, ...] = get_args(Kind)
FORMATS = Path(__file__).parent / "formats"
"""The schemas as they were when the format was first described by one."""
HISTORY = LIBRARY.joinpath("jp-kr-2016.history.toml").read_text(encoding="utf-8")
TEXTS: dict[Kind, str] = {"agreement": TEXT, "layer": HOUSE, "history": HISTORY}
SCHEMAS: dict[Kind, Any] = {kind: json.loads(msgspec.json.encode(schema(kind))) for kind in KINDS}
VALIDATORS = {kind: Draft202012Validator(SCHEMAS[kind]) for kind in KINDS}
TAPLO = Path(sys.executable).with_name("taplo")


def kind_of(written: dict[str, Any]) -> Kind:
    return next(kind for kind in KINDS if kind in written)


def load(kind: Kind, text: str) -> None:
    """Read a file as the product does."""
    if kind == "agreement":
        parse_agreement(text, "mine.toml")
    elif kind == "layer":
        parse_layer(text, "mine.toml", AGREEMENT)
    else:
        parse_history(text, "mine.toml", AGREEMENT, time_zones())


def toml(value: object) -> str:
    """A value as TOML, tables inline."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def file_of(written: dict[str, Any]) -> str:
    return "".join(f"{json.dumps(key)} = {toml(value)}\n" for key, value in written.items())


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_in_the_repository_is_what_the_types_give(kind: Kind) -> None:
    stored = LIBRARY.joinpath(f"{kind}.schema.json").read_text(encoding="utf-8")
    assert json.loads(stored) == SCHEMAS[kind], "the types have changed: make schema"


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_a_schema(kind: Kind) -> None:
    Draft202012Validator.check_schema(SCHEMAS[kind])


@pytest.mark.parametrize("file", sorted(LIBRARY.glob("*.toml")), ids=lambda file: file.name)
def test_every_file_of_the_library_keeps_it(file: Path) -> None:
    written = tomllib.loads(file.read_text(encoding="utf-8"))
    VALIDATORS[kind_of(written)].validate(written)


def test_the_files_written_for_tests_are_those_that_are_read() -> None:
    for kind in KINDS:
        load(kind, file_of(tomllib.loads(TEXTS[kind])))


ALONE = {
    "bad-duration",
    "bad-identifier",
    "bad-limit",
    "bad-time-zone",
    "empty-list",
    "empty-table",
    "empty-text",
    "missing-key",
    "missing-source",
    "out-of-range",
    "reserved-id",
    "rule-effect",
    "term-entry",
    "unknown-key",
    "unknown-word",
    "wrong-type",
}
"""Mistakes that can be seen in one table by itself."""


@pytest.mark.parametrize(("old", "new"), [(old, new) for old, new, code, _, _ in MISTAKES if code in ALONE])
def test_a_mistake_within_one_table_is_refused_by_the_schema_too(old: str, new: str) -> None:
    assert not VALIDATORS["agreement"].is_valid(tomllib.loads(TEXT.replace(old, new, 1)))


LAYER_MISTAKES = [
    ('kind = "house"', 'kind = "domestic"\non = "jp-kr-2016"'),
    ('kind = "house"', 'kind = "arrangement"'),
    ('kind = "house"', 'kind = "house"\nparty = "jp"'),
    ("approvals = 1", "permits = true"),
    ("approvals = 1", "approvals = 1\nwitnesses = 1"),
    ("approvals = 1", "approvals = 10"),
]


@pytest.mark.parametrize(("old", "new"), LAYER_MISTAKES)
def test_a_mistake_in_a_layer(old: str, new: str) -> None:
    assert old in HOUSE
    text = HOUSE.replace(old, new, 1)
    assert not VALIDATORS["layer"].is_valid(tomllib.loads(text))
    with pytest.raises(Rejected):
        load("layer", text)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('when = "2010-07"', 'when = "July 2010"'),
        ('kind = "context"', 'kind = "contexts"'),
        ('known = "reported"', 'known = "heard"'),
        ("[history]\nformat = 1", "[history]\nformat = 2"),
    ],
)
def test_a_mistake_in_a_history(old: str, new: str) -> None:
    assert old in HISTORY
    text = HISTORY.replace(old, new, 1)
    assert not VALIDATORS["history"].is_valid(tomllib.loads(text))
    with pytest.raises(Rejected):
        load("history", text)


def places(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every key and every entry of a list."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for part, each in inner:
        yield (*path, part)
        yield from places(each, (*path, part))


PLACES = {kind: sorted(places(tomllib.loads(TEXTS[kind])), key=repr) for kind in KINDS}
WORD = st.sampled_from(
    ["", "a", "jp", "all", "P1Y", "PT1H", "P", "K", "none", "2016-11-23", "x" * 2001, "give", "é", "A b"]
)
VALUE = st.one_of(
    WORD,
    st.integers(-3, 1002),
    st.booleans(),
    st.lists(WORD, max_size=2),
    st.dictionaries(st.sampled_from(["en", "jp", "kr", "form"]), WORD, max_size=2),
)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_what_the_schema_refuses_the_loader_refuses(data: st.DataObject) -> None:
    """A file with one key taken out, renamed or written otherwise. The loader may refuse more, and does."""
    kind = data.draw(st.sampled_from(KINDS))
    written = tomllib.loads(TEXTS[kind])
    *path, last = data.draw(st.sampled_from(PLACES[kind]))
    table: Any = written
    for part in path:
        table = table[part]
    how = data.draw(st.sampled_from(["take out", "rename", "write", "add"]))
    if how == "take out":
        del table[last]
    elif how == "rename" and isinstance(last, str):
        table[data.draw(st.sampled_from(["clause", "source", "party", "idd", "when"]))] = table.pop(last)
    elif how == "add" and isinstance(last, str):
        table[data.draw(st.sampled_from(["provenance", "permits", "origin", "entry-plus", "kind"]))] = data.draw(VALUE)
    else:
        table[last] = data.draw(VALUE)
    assume(not VALIDATORS[kind].is_valid(written))
    with pytest.raises(Rejected):
        load(kind, file_of(written))


class TestWhatItSays:
    def test_every_key_and_every_word_says_what_it_means(self) -> None:
        for kind in KINDS:
            for name, table in tables(SCHEMAS[kind]).items():
                for key, value in table["properties"].items():
                    assert value["description"].endswith("."), f"{name}.{key}"
                    for each in [value, value.get("items", {}), *value.get("anyOf", ())]:
                        docs = each.get("x-taplo", {}).get("docs", {}).get("enumValues", ())
                        assert "" not in docs, f"{name}.{key}"
                        known = get_args(vocabulary.Language) if key == "known" else each.get("enum", docs)
                        assert key in {"known", "point"} or len(docs) == len(known), f"{name}.{key}"

    def test_no_meaning_is_left_of_a_key_or_word_that_is_gone(self) -> None:
        for kind, meanings in KEYS.items():
            assert set(meanings) <= {field.encode_name for field in msgspec.structs.fields(kind)}, kind
        for words, phrases in WORDS.items():
            assert set(phrases) == set(get_args(words))
        used = {key for kind in KEYS for key in (field.encode_name for field in msgspec.structs.fields(kind))}
        assert set(EVERYWHERE) <= used

    def test_keys_are_named_as_they_are_written(self) -> None:
        assert "level-at-least" in SCHEMAS["agreement"]["$defs"]["When"]["description"]
        assert "`" not in json.dumps([table["description"] for table in tables(SCHEMAS["agreement"]).values()])


def tables(made: Any) -> dict[str, Any]:
    return {"(the file)": made, **made["$defs"]}


def narrower(old: Any, new: Any) -> Iterator[str]:
    """(12) What a file written by the old schema could no longer say, or would now say otherwise."""
    after = tables(new)
    for name, table in tables(old).items():
        if name not in after:
            yield f"{name} is gone"
            continue
        now = after[name]
        yield from (f"{name} now needs {key}" for key in set(now["required"]) - set(table["required"]))
        kept = [effect for effect in table.get("oneOf", ()) if effect not in now.get("oneOf", ())]
        yield from (f"{name} no longer offers {effect}" for effect in kept)
        for key, value in table["properties"].items():
            if key not in now["properties"]:
                yield f"{name}.{key} is gone"
            else:
                yield from (f"{name}.{key} {why}" for why in stricter(value, now["properties"][key]))


def stricter(old: Any, new: Any) -> Iterator[str]:
    for same in ("type", "pattern", "const", "default", "$ref"):
        if old.get(same) != new.get(same):
            yield f"has another {same}"
    words = old.get("enum", ())
    if list(words) != list(new.get("enum", ()))[: len(words)]:
        yield "has lost or moved a word"
    for bound, worse in (("min", 1), ("max", -1)):
        for what in ("imum", "Length", "Items", "Properties"):
            if (limit := new.get(bound + what)) is not None and (
                limit - old.get(bound + what, limit - worse)
            ) * worse > 0:
                yield f"has a stricter {bound}{what}"
    for inner in ("items", "additionalProperties"):
        if isinstance(old.get(inner), dict):
            yield from stricter(old[inner], new.get(inner, {}))
    for before, now in zip(old.get("anyOf", ()), new.get("anyOf", ()), strict=False):
        yield from stricter(before, now)


def number(made: Any) -> tuple[int, ...]:
    return tuple(map(int, made["$id"].rpartition(":")[2].split(".")))


class TestGrowth:
    """(12) A file keeps its meaning: what could be written can be written, and says the same."""

    @pytest.mark.parametrize("kind", KINDS)
    def test_the_format_has_only_grown(self, kind: Kind) -> None:
        first = json.loads(FORMATS.joinpath(f"{kind}.json").read_text(encoding="utf-8"))
        assert list(narrower(first, SCHEMAS[kind])) == []
        assert number(first) <= number(SCHEMAS[kind])

    @pytest.mark.parametrize(
        ("path", "change"),
        [
            (("$defs", "Rule", "properties", "acts", "items", "enum"), lambda words: words.remove("visit")),
            (("$defs", "Rule", "properties", "acts", "items", "enum"), lambda words: words.reverse()),
            (("$defs", "Rule", "properties"), lambda keys: keys.pop("witnesses")),
            (("$defs", "Rule", "required"), lambda keys: keys.append("source")),
            (("$defs", "Rule", "oneOf"), lambda effects: effects.pop()),
            (("$defs", "Rule", "properties", "approvals"), lambda value: value.update(maximum=3)),
            (("$defs", "Rule", "properties", "acts"), lambda value: value.update(minItems=2)),
            (("$defs", "Clause", "properties", "says"), lambda value: value.update(maxLength=10)),
            (("$defs", "Clause", "properties", "id"), lambda value: value.update(pattern="^[0-9]+$")),
            (("$defs", "Level", "properties", "crosses"), lambda value: value.update(default=False)),
            (("$defs", "Level", "properties", "rank"), lambda value: value.update(type="string")),
            (("$defs",), lambda found: found.pop("Route")),
        ],
    )
    def test_a_planted_narrowing_is_found(self, path: tuple[str, ...], change: Any) -> None:
        changed = json.loads(json.dumps(SCHEMAS["agreement"]))
        table = changed
        for part in path:
            table = table[part]
        change(table)
        assert list(narrower(SCHEMAS["agreement"], changed))

    def test_its_number_counts_tables_keys_and_words(self) -> None:
        made = SCHEMAS["history"]
        keys = [value for table in tables(made).values() for value in table["properties"].values()]
        words = sum(len(value.get("enum", ())) for value in keys)
        assert number(made) == (1, len(tables(made)) + len(keys) + words)


class TestEditors:
    """Taplo reads TOML for the editors: it takes the schema and finds with it what is wrong."""

    def lint(self, folder: Path, kind: Kind, *files: Path) -> subprocess.CompletedProcess[str]:
        stored = folder / f"{kind}.schema.json"
        stored.write_bytes(msgspec.json.encode(SCHEMAS[kind]))
        command = [TAPLO, "lint", "--no-auto-config", "--colors", "never", "--schema", stored.as_uri(), *files]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=folder)

    @pytest.mark.parametrize("kind", KINDS)
    def test_it_accepts_the_library(self, kind: Kind, tmp_path: Path) -> None:
        files = [file for file in LIBRARY.glob("*.toml") if kind_of(tomllib.loads(file.read_text("utf-8"))) == kind]
        assert files
        done = self.lint(tmp_path, kind, *files)
        assert done.returncode == 0, done.stderr

    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            ('acts = ["give", "show"]', 'acts = ["giv", "show"]', '"giv" is not one of ["give"'),
            ("crosses = false", "crosse = false", "'crosse' was unexpected"),
        ],
    )
    def test_it_says_what_is_wrong(self, old: str, new: str, said: str, tmp_path: Path) -> None:
        mine = tmp_path / "mine.toml"
        mine.write_text(TEXT.replace(old, new, 1), encoding="utf-8")
        done = self.lint(tmp_path, "agreement", mine)
        assert done.returncode != 0
        assert said in done.stderr + done.stdout
