"""Where each key of a TOML text stands, because the standard library's reader does not say.

Rules of this file:

- The text has been read by ``tomllib`` already, so it is valid; this pass only finds line numbers.
- A place is a path of keys and list positions: ``("rule", 3, "acts")`` is the key ``acts`` of the fourth ``[[rule]]``.
- What stands inside a value has the line of the nearest key around it.
"""

from __future__ import annotations

import re
import tomllib

Path = tuple[str | int, ...]

_TOKEN = re.compile(
    r"""
    \"{3}(?:\\.|[^\\])*?\"{3}(?!\") | '{3}.*?'{3}(?!')      # strings over several lines
  | \"(?:\\.|[^\"\\\n])*\"          | '[^'\n]*'             # strings on one line
  | \#[^\n]*                                                # a comment
  | [\[\]{}=.,\n]                                           # what gives the text its shape
  | [^\[\]{}=.,\n\#\"'\s]+                                  # bare keys, numbers, dates, true and false
    """,
    re.VERBOSE | re.DOTALL,
)


class Lines:
    """The line of every table and key in ``text``; they are looked for when the first one is asked for."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines: dict[Path, int] = {}
        self._last: dict[Path, int] = {}
        self._tokens: list[tuple[str, int]] = []
        self._next = 0

    def of(self, path: Path) -> int:
        """The line, from 1, of what stands at ``path``, or of the nearest thing around it that has one."""
        if not self._lines:
            self._find()
        while path not in self._lines:
            path = path[:-1]
        return self._lines[path]

    def _find(self) -> None:
        self._lines[()] = 1
        self._tokens = _tokens(self._text)
        table: Path = ()
        while (token := self._take()) is not None:
            word, line = token
            if word == "\n":
                continue
            if word == "[":
                table = self._table(line)
            else:
                self._lines[table + self._keys("=", word)] = line
                self._skip_value()

    def _table(self, line: int) -> Path:
        first, _ = self._tokens[self._next]
        many = first == "["
        if many:
            self._next += 1
        *parents, name = self._keys("]")
        path: Path = ()
        for parent in parents:
            path = self._newest((*path, parent))
        path = (*path, name)
        if many:
            self._next += 1
            self._last[path] = self._last.get(path, -1) + 1
            self._lines.setdefault(path, line)
            path = self._newest(path)
        self._lines[path] = line
        return path

    def _newest(self, path: Path) -> Path:
        return (*path, self._last[path]) if path in self._last else path

    def _keys(self, end: str, first: str | None = None) -> Path:
        parts = [] if first is None else [first]
        while (token := self._take()) is not None and token[0] != end:
            parts.append(token[0])
        return tuple(_unquoted(part) for part in parts if part != ".")

    def _skip_value(self) -> None:
        depth = 0
        while (token := self._take()) is not None:
            depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
            if token[0] == "\n" and depth == 0:
                return

    def _take(self) -> tuple[str, int] | None:
        if self._next == len(self._tokens):
            return None
        self._next += 1
        return self._tokens[self._next - 1]


def _tokens(text: str) -> list[tuple[str, int]]:
    tokens, line, counted = [], 1, 0
    for match in _TOKEN.finditer(text):
        line += text.count("\n", counted, match.start())
        counted = match.start()
        if not match.group().startswith("#"):
            tokens.append((match.group(), line))
    return tokens


def _unquoted(key: str) -> str:
    return str(tomllib.loads(f"key = {key}")["key"]) if key[0] in "\"'" else key
