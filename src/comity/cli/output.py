"""What is printed, and how: for people, as JSON, and for the shell (``spec/command-line.md``, "Output").

Rules of this file:

- A command hands over one response. With ``--json`` it is written as it is; otherwise a renderer tells it in lines.
- Text is made visible before it is coloured: a control character or a change of writing direction, which the other
  party may have put into a title, is shown as its code point and moves nothing on the screen.
- Colour and progress are for terminals; ``NO_COLOR`` is respected.
- Columns are counted as a terminal counts them: a Japanese or Korean character takes two.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Literal, TextIO, TypeVar

import msgspec

from comity.errors import ComityError, InternalError, Misuse, Refused, Rejected, Unavailable

R = TypeVar("R")

DONE = 0
MISUSE = 1
USAGE = 2
REFUSED = 3
REJECTED = 4
UNAVAILABLE = 5
FINDINGS = 6
OVERDUE = 7
INTERNAL = 70
STOPPED = 130

EXIT_CODES: Mapping[int, str] = {
    DONE: "done",
    MISUSE: "it cannot be done as asked; nothing was changed",
    USAGE: "the command line is not understood",
    REFUSED: "the agreement, or a rule of the house, does not allow it; the decision is shown",
    REJECTED: "data from outside is not what it must be",
    UNAVAILABLE: "the world failed (disk, peer, folder in use); the same command may work later",
    FINDINGS: "something that was verified is not as it must be",
    OVERDUE: "something that is owed is overdue",
    INTERNAL: "a defect of Comity",
    STOPPED: "stopped by the user",
}
"""What each exit code says; `comity --help` prints it and ``spec/command-line.md`` lists it."""

_EXIT_OF_ROOT: tuple[tuple[type[ComityError], int], ...] = (
    (Misuse, MISUSE),
    (Refused, REFUSED),
    (Rejected, REJECTED),
    (Unavailable, UNAVAILABLE),
    (InternalError, INTERNAL),
)
HINTS: Mapping[str, str] = {
    "internal": "the same with COMITY_TRACE=1 in the environment, and report what it says",
    "needs-signature": "add --key FILE with the person's own keys",
    "no-house": "comity init PARTY --name NAME",
    "no-peer": "comity peer list",
    "root-offline": "where the verb has --as, a person with the role can do it instead",
    "unknown-agreement": "comity agreement list",
    "unknown-asked": "comity inbox",
    "unknown-deposit": "comity deposit list",
    "unknown-designation": "comity authority list",
    "unknown-dispute": "comity dispute list",
    "unknown-consent": "comity consent list",
    "unknown-consent-request": "comity consent list",
    "unknown-facility": "comity facility list",
    "unknown-feed": "comity feed list",
    "unknown-item": "comity register",
    "unknown-law": "comity law list",
    "unknown-law-request": "comity law list",
    "unknown-peer": "comity peer list",
    "unknown-recipient": "comity directory",
    "unknown-relationship": "comity agreement list",
    "unknown-request": "comity outbox",
}
"""What to try after an error, by its code, where the sentence itself does not say."""

CLAUSE = re.compile(r"[0-9]{1,2}(?:\.[0-9a-z]+)*")
"""A place that is a clause of the agreement, not a file or a line."""
Style = Literal["good", "bad", "warn", "dim", "strong"]
Part = str | tuple[str, Style]
"""A piece of a line, plain or in a style."""
_COLOURS: Mapping[Style, str] = {"good": "32", "bad": "31", "warn": "33", "dim": "2", "strong": "1"}
WIDTH_MAX = 100
"""Widest line we break to, in columns; longer lines are hard to read."""
WIDTH_MIN = 40
"""Narrowest; below it the terminal may break lines itself."""
_WIDE = {"W", "F"}
_SPACES = {" ", "\u3000"}


def visible(text: str) -> str:
    r"""(17) ``text`` with everything that is not a visible character or a space shown as its code point.

    >>> visible("safe\u202etxt.exe\x1b[2J")
    'safe<U+202E>txt.exe<U+001B>[2J'
    """
    return "".join(each if each.isprintable() or each in _SPACES else f"<U+{ord(each):04X}>" for each in text)


def width(text: str) -> int:
    """(19) Columns that ``text`` takes on a terminal."""
    return sum(
        0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in _WIDE else 1 for each in text
    )


def wrapped(text: str, columns: int) -> list[str]:
    """(19) ``text`` broken at spaces into lines of at most ``columns``; a longer word has a line of its own."""
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and width(lines[-1]) + 1 + width(word) > columns:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}" if lines[-1] else word
    return lines


def article(clause: str) -> str:
    """(23) A clause as it is cited: only a number is called an article.

    >>> article("6.h"), article("two-people")
    ('Article 6.h', 'two-people')
    """
    return f"Article {clause}" if clause[:1].isdigit() else clause


def size(count: int) -> str:
    """A number of bytes as people say it.

    >>> size(4096), size(3 * 2**30)
    ('4.0 KiB', '3.0 GiB')
    """
    if count < 1024:
        return f"{count} bytes"
    value = float(count)
    for unit in ("KiB", "MiB", "GiB", "TiB"):
        value /= 1024
        if value < 1024:
            return f"{value:.1f} {unit}"
    return f"{value:.1f} TiB"


class Output:
    """Where a command speaks.

    Args:
        as_json: the response is written as JSON, and nothing else is said.
        stream: standard output unless given.
    """

    def __init__(self, *, as_json: bool, stream: TextIO | None = None) -> None:
        self.as_json = as_json
        self._stream = stream or sys.stdout
        self._colour = coloured(self._stream)
        self.columns = WIDTH_MAX
        if self._stream.isatty():
            self.columns = min(WIDTH_MAX, max(WIDTH_MIN, shutil.get_terminal_size().columns))

    def show(self, response: R, tell: Callable[[Output, R], None]) -> None:
        """(13) The one document of a command: JSON, or what ``tell`` makes of it."""
        if self.as_json:
            self._stream.write(msgspec.json.encode(response).decode() + "\n")
        else:
            tell(self, response)

    def line(self, *parts: Part, indent: int = 0) -> None:
        """One line; every part is made visible before it is coloured."""
        self._stream.write(" " * indent + "".join(map(self._painted, parts)).rstrip(" ") + "\n")

    def gap(self) -> None:
        """An empty line."""
        self._stream.write("\n")

    def text(self, text: str, indent: int = 0, style: Style | None = None) -> None:
        """A sentence, broken to the width of the terminal."""
        for line in wrapped(visible(text), self.columns - indent):
            self.line((line, style) if style else line, indent=indent)

    def fields(self, pairs: Iterable[tuple[str, str]], indent: int = 2) -> None:
        """Names and values in two columns; values that are empty are left out."""
        kept = [(name, visible(value)) for name, value in pairs if value]
        left = max((width(name) for name, _ in kept), default=0) + 2
        for name, value in kept:
            first, *rest = wrapped(value, max(WIDTH_MIN, self.columns - indent - left))
            self.line((name + " " * (left - width(name)), "dim"), first, indent=indent)
            for line in rest:
                self.line(line, indent=indent + left)

    def table(self, heads: Sequence[str], rows: Iterable[Sequence[str]], indent: int = 2) -> None:
        """Columns as wide as their widest entry."""
        shown = [[visible(cell) for cell in row] for row in rows]
        widths = [max(map(width, column)) for column in zip(heads, *shown, strict=True)]

        def padded(row: Sequence[str]) -> str:
            return "  ".join(cell + " " * (space - width(cell)) for cell, space in zip(row, widths, strict=True))

        self.line((padded(heads).rstrip(), "dim"), indent=indent)
        for row in shown:
            self.line(padded(row), indent=indent)

    def next(self, *commands: tuple[str, str]) -> None:
        """(21) What to type next, and what for."""
        self.gap()
        self.line(("next", "dim"))
        for command, purpose in commands:
            self.line(command, ("  # " + purpose, "dim"), indent=2)

    def _painted(self, part: Part) -> str:
        if isinstance(part, str):
            return visible(part)
        text, style = part
        return f"\x1b[{_COLOURS[style]}m{visible(text)}\x1b[0m" if self._colour and text else visible(text)


def coloured(stream: TextIO) -> bool:
    """(18) Whether colour may be written to ``stream``."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def exit_code(error: ComityError) -> int:
    """(15) The exit code of an error, by who is at fault."""
    return next((code for root, code in _EXIT_OF_ROOT if isinstance(error, root)), INTERNAL)


def tell_error(error: ComityError, *, as_json: bool, stream: TextIO) -> int:
    """(14) Say what went wrong and what to try; returns the exit code."""
    if as_json:
        from comity.answers import write_error

        stream.write(write_error(error).decode() + "\n")
        return exit_code(error)
    out = Output(as_json=False, stream=stream)
    told = f"{article(error.place)}: {error.sentence}" if CLAUSE.fullmatch(error.place) else str(error)
    out.line(("comity: ", "bad"), told)
    if hint := HINTS.get(error.code):
        out.line(("  try: ", "dim"), hint)
    return exit_code(error)


@contextmanager
def working(
    doing: str, total: int | None = None, *, quiet: bool = False, counted: bool = False
) -> Iterator[Callable[[int], None]]:
    """(20) A progress bar on standard error while something long is done, on a terminal only.

    Args:
        doing: what, in two or three words.
        total: how much there is to do; unknown when None.
        quiet: show nothing, whatever standard error is.
        counted: things are counted, not bytes.

    Yields:
        A function to call with how much more was done.
    """
    if quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TransferSpeedColumn,
    )

    amounts = (MofNCompleteColumn(),) if counted else (DownloadColumn(), TransferSpeedColumn()) if total else ()
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        *amounts,
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task(visible(doing), total=total)
        yield lambda more: bar.advance(task, more)
