r"""From tables to TOML text, as a person would write it: what is read back is what was given.

Rules of this file:

- Only what an agreement file may hold: texts, whole numbers, true and false, lists and tables (``spec/agreement.md``
  step 1). A text stands on one line, with escapes for what cannot be seen.
- A table within a table, and a list, stand inline.

    >>> print(table("[[rule]]", {"id": "open", "acts": ["open"], "when": {"holder": "recipient"}}))
    [[rule]]
    id = "open"
    acts = ["open"]
    when = { holder = "recipient" }
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from comity.agreement.digest import Written

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}


def table(head: str, rows: Mapping[str, Written]) -> str:
    """A table under its head, a key to a line; no line break at the end."""
    return "\n".join([head, *(f"{_key(key)} = {value(each)}" for key, each in rows.items())])


def value(written: Written) -> str:
    """A value on one line."""
    match written:
        case bool():
            return "true" if written else "false"
        case int():
            return str(written)
        case str():
            return _text(written)
        case list():
            return f"[{', '.join(map(value, written))}]"
        case dict():
            inner = ", ".join(f"{_key(key)} = {value(each)}" for key, each in written.items())
            return f"{{ {inner} }}" if inner else "{}"


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _text(key)


def _text(text: str) -> str:
    return '"' + "".join(_escaped(each) for each in text) + '"'


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable() or character == "\u3000":
        return character
    return f"\\u{ord(character):04X}" if ord(character) < 0x10000 else f"\\U{ord(character):08X}"
