"""TOML from strangers, read within bounds (``spec/limits.md`` step 3).

The library's parser takes a key of any number of parts, at a cost that grows with their square, nests as deep as the
interpreter's stack, and passes on what Python says of a number that is too long. Whatever is not taken here is a
``TOMLDecodeError``, as whatever else is no TOML.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any

KEY_PARTS_MAX = 16
"""Parts of one key, as in ``[a.b.c]``; an agreement has three."""
DEPTH_MAX = 32
"""Tables and lists within one another; an agreement has six."""
_PART = r"""(?:[A-Za-z0-9_-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+"""
_LONG_KEY = re.compile(rf"(?<![A-Za-z0-9_-]){_PART}(?:\.[ \t]*+{_PART}){{{KEY_PARTS_MAX}}}")
"""A key of more parts; between quotation marks, where it is none, so many words joined by points do not come."""


def loads(text: str) -> dict[str, Any]:
    """The tables written in ``text``.

    Raises:
        TOMLDecodeError: it is not TOML, or beyond the bounds of this module.
    """
    if found := _LONG_KEY.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise tomllib.TOMLDecodeError(f"A key has more than {KEY_PARTS_MAX} parts (at line {line}, column 1)")
    try:
        written = tomllib.loads(text)
    except RecursionError:
        raise _too_deep() from None
    except tomllib.TOMLDecodeError:
        raise
    except ValueError:  # what Python says of a number with thousands of digits
        raise tomllib.TOMLDecodeError("A number is too long (at end of document)") from None
    within: list[Any] = [written]
    for _ in range(DEPTH_MAX):
        within = [each for value in within for each in _inside(value) if isinstance(each, dict | list)]
    if within:
        raise _too_deep()
    return written


def _inside(value: dict[str, Any] | list[Any]) -> Any:
    return value.values() if isinstance(value, dict) else value


def _too_deep() -> tomllib.TOMLDecodeError:
    return tomllib.TOMLDecodeError(f"Tables and lists lie more than {DEPTH_MAX} deep (at end of document)")
