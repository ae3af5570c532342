"""The format as JSON Schema (2020-12), generated from the types, so that editors complete and check files from it.

Rules of this file (``spec/agreement.md`` steps 11 and 12):

- Tables, keys, patterns, bounds and words come from the types alone. What else can be said of one table by itself
  stands in ``_ALONE``; what holds between tables only the loader knows.
- What the schema refuses, the loader refuses. The loader refuses more: names that nothing defines, ranks that
  contradict one another, text that is not in normal form C.
- A key or word carries what it means (``key_meanings.py``, ``word_meanings.py``); ``x-taplo`` holds the same for
  editors that read TOML with it.
"""

from __future__ import annotations

import re
import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from comity.agreement import history, model
from comity.agreement import vocabulary as words
from comity.agreement.check import EFFECTS
from comity.agreement.key_meanings import EVERYWHERE, KEYS
from comity.agreement.word_meanings import WORDS

Kind = Literal["agreement", "layer", "history"]
"""Which of the three files a schema is of."""

DIALECT = "https://json-schema.org/draft/2020-12/schema"
MOMENT_PATTERN = r"^[0-9]{4}-[0-9]{2}(-[0-9]{2}(T[0-9]{2}:[0-9]{2})?)?$"
"""A month, a day or a minute, as ``calendar.window`` reads them."""

Schema = dict[str, Any]

_ROOTS: Mapping[Kind, tuple[type, str]] = {
    "agreement": (model.AgreementFile, "An agreement file of Comity"),
    "layer": (model.LayerFile, "A layer on an agreement: an implementing arrangement, a domestic layer, a house rule"),
    "history": (history.HistoryFile, "What happened to an agreement"),
}
_SOURCED: Schema = {
    "if": {"required": ["provenance"], "properties": {"provenance": {"enum": ["P", "S"]}}},
    "then": {"required": ["source"], "properties": {"source": {"minLength": 1}}},
}
_NAMED = {"required": ["consent"], "properties": {"consent": {"const": "named"}}}
_NAMES = {"required": ["consent-of"]}
_RENEWED = {"required": ["renewal"], "properties": {"renewal": {"enum": ["automatic", "by-consent"]}}}
_WAITING = {"properties": {"entry": {"enum": sorted(words.WAITING_ENTRIES)}}}
_DOMESTIC = {"properties": {"kind": {"const": "domestic"}}}
_HOUSE = {"properties": {"kind": {"const": "house"}}}
_ALONE: Mapping[type, Schema] = {
    model.Party: {"not": {"properties": {"id": {"const": model.EVERY_PARTY}}}},
    model.Level: _SOURCED,
    model.Obligation: _SOURCED,
    model.Interval: _SOURCED,
    model.Rule: {
        **_SOURCED,
        "oneOf": [{"required": [effect]} for effect in EFFECTS],
        "allOf": [{"if": _NAMED, "then": _NAMES, "else": {"not": _NAMES}}],
    },
    model.When: {"minProperties": 1},
    model.Term: {
        "allOf": [
            {"if": _RENEWED, "then": {"required": ["duration"]}},
            {
                "if": _WAITING,
                "then": {"required": ["entry-plus"]},
                "else": {"not": {"required": ["entry-plus"]}},
            },
            {"if": {"required": ["entry-day"]}, "then": {"properties": {"entry-plus": {"pattern": "[YM]$"}}}},
        ]
    },
    model.LayerHeader: {
        "allOf": [
            {"if": _DOMESTIC, "then": {"required": ["party"]}, "else": {"not": {"required": ["party"]}}},
            {"if": _HOUSE, "else": {"required": ["on"]}},
        ]
    },
}
"""What the checks ask of one table, whatever stands in the others."""
_MOMENTS = {(history.Event, "when"), (history.Event, "not-before"), (history.Event, "not-after")}


def schema(kind: Kind) -> Schema:
    """The schema of one of the three files, ready to be written as JSON."""
    root, title = _ROOTS[kind]
    made = _Made(layer=kind == "layer")
    made.table(root)
    definitions = {name: made.definitions[name] for name in sorted(made.definitions) if name != root.__name__}
    count = sum(_countable(made.definitions.values()))
    return {
        "$schema": DIALECT,
        "$id": f"urn:comity:{kind}:{model.FORMAT_VERSION}.{count}",
        "title": title,
        **made.definitions[root.__name__],
        "$defs": definitions,
    }


class _Made:
    """The tables that were described so far, by the names of their types."""

    def __init__(self, *, layer: bool) -> None:
        self.layer = layer
        self.definitions: dict[str, Schema] = {}

    def table(self, kind: type) -> None:
        """Describe one table, and those in it."""
        if kind.__name__ in self.definitions:
            return
        described: Schema = {"description": _told(kind), "type": "object", "additionalProperties": False}
        self.definitions[kind.__name__] = described
        required: list[str] = []
        properties: dict[str, Schema] = {}
        hints = get_type_hints(kind, include_extras=True)
        for field in msgspec.structs.fields(kind):
            key = field.encode_name
            if self.layer and kind is model.Rule and key == "permits":
                continue
            properties[key] = {"description": _meaning(kind, key), **self.value(hints[field.name])}
            if (kind, key) in _MOMENTS:
                properties[key]["pattern"] = MOMENT_PATTERN
            if key == "format":
                properties[key]["const"] = model.FORMAT_VERSION
            if field.required:
                required.append(key)
            elif field.default not in {None, "", (), msgspec.NODEFAULT}:
                properties[key]["default"] = field.default
        described |= {"required": required, "properties": properties, **_ALONE.get(kind, {})}
        if self.layer and kind is model.Rule:
            described["oneOf"] = [each for each in described["oneOf"] if each != {"required": ["permits"]}]
        described["x-taplo"] = {"initKeys": required}

    def value(self, hint: Any) -> Schema:
        """Describe what may be written for a key of this type."""
        if hint == model.Within:
            durations = {"type": "string", "pattern": _pattern(model.DURATION_PATTERN)}
            return {"anyOf": [self.value(words.Within), durations]}
        origin = get_origin(hint)
        if origin is Annotated:
            plain, *notes = get_args(hint)
            return self.value(plain) | _bounds(plain, notes)
        if origin in {Union, types.UnionType}:
            options = [each for each in get_args(hint) if each is not type(None)]
            return self.value(options[0]) if len(options) == 1 else _enumeration(options)
        if origin is Literal:
            return _enumeration([hint])
        if origin is tuple:
            return {"type": "array", "items": self.value(get_args(hint)[0])}
        if origin is not None:  # Mapping
            return {"type": "object", "additionalProperties": self.value(get_args(hint)[1])}
        if isinstance(hint, type) and issubclass(hint, model.Table):
            self.table(hint)
            return {"$ref": f"#/$defs/{hint.__name__}"}
        return {"type": {str: "string", int: "integer", bool: "boolean"}[hint]}


def _enumeration(lists: Sequence[Any]) -> Schema:
    """The words of one closed list, or of several, with what each means."""
    known = [word for each in lists for word in get_args(each)]
    if known == [True]:
        return {"const": True}
    meanings = {word: says for each in lists for word, says in WORDS.get(each, {}).items()}
    docs = {"x-taplo": {"docs": {"enumValues": [meanings.get(word, "") for word in known]}}} if meanings else {}
    return {"type": "string", "enum": known, **docs}


def _bounds(plain: Any, notes: Sequence[Any]) -> Schema:
    kind = "Length" if plain is str else "Properties" if get_origin(plain) is not tuple else "Items"
    found: Schema = {}
    for note in notes:
        if not isinstance(note, Meta):
            continue
        bounds = {
            f"min{kind}": note.min_length,
            f"max{kind}": note.max_length,
            "minimum": note.ge,
            "maximum": note.le,
            "pattern": None if note.pattern is None else _pattern(note.pattern),
        }
        found |= {key: bound for key, bound in bounds.items() if bound is not None}
    return found


def _pattern(ours: str) -> str:
    """A pattern of the types as every engine reads it: ``$`` of ECMA-262 is the end of the text, not of a line."""
    return ours.replace(r"(?!\n)$", "$")


def _told(kind: type) -> str:
    """The docstring of a type, with keys as they are written in a file, a line to a paragraph."""
    paragraphs = re.split(r"\n\s*\n", (kind.__doc__ or "").strip())
    text = "\n\n".join(" ".join(each.split()) for each in paragraphs)
    return re.sub(r"`([^`]*)`", lambda name: name[1].replace("_", "-"), text)


def _meaning(kind: type, key: str) -> str:
    return KEYS.get(kind, {}).get(key) or EVERYWHERE.get(key, "")


def _countable(definitions: Iterable[Schema]) -> Iterator[int]:
    """How many tables, keys and words there are; since a format only grows, the number orders its versions."""
    for definition in definitions:
        yield 1
        for value in definition["properties"].values():
            inner = value.get("items", value)
            listed = inner.get("anyOf", [inner])
            yield 1 + sum(len(each.get("enum", ())) for each in listed)
