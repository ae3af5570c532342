"""Reading what somebody typed in answer to a question: a value, or why it cannot be one.

What is typed is put in Unicode normal form C and stripped, as a keyboard's owner expects; nothing else is repaired.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import get_args

from comity.agreement import vocabulary as words
from comity.agreement.model import (
    DURATION_PATTERN,
    EVERY_PARTY,
    IDENTIFIER_PATTERN,
    PERIOD_PATTERN,
    WITHIN_PATTERN,
    ZONE_PATTERN,
)

LINE_MAX = 200
"""Longest answer, in characters."""


class Wrong(Exception):
    """An answer that cannot be taken; the text says why."""


def line(typed: str, default: str | None) -> str:
    """One line as it was typed, or what an empty one means."""
    given = unicodedata.normalize("NFC", typed).strip()
    if not given and default is None:
        raise Wrong("something must be typed")
    if len(given) > LINE_MAX:
        raise Wrong(f"at most {LINE_MAX} characters")
    if not all(each.isprintable() for each in given):
        raise Wrong("a character that cannot be seen is among them")
    return given or default or ""


def optional(pattern: str, example: str) -> Callable[[str], str | None]:
    """A text of one shape, or none."""

    def read(typed: str) -> str | None:
        if typed and not re.search(pattern, typed):
            raise Wrong(f"write it as in {example}, or leave it empty")
        return typed or None

    return read


period = optional(PERIOD_PATTERN, "P90D, P6M or P1Y")
duration = optional(DURATION_PATTERN, "PT24H or P3D")


def needed(read: Callable[[str], str | None]) -> Callable[[str], str]:
    """The same, which must be there."""

    def must(typed: str) -> str:
        found = read(typed)
        if found is None:
            raise Wrong("something must be typed")
        return found

    return must


def identifier(typed: str) -> str:
    """An id."""
    if not re.search(IDENTIFIER_PATTERN, typed) or len(typed) > 80:
        raise Wrong("an id is lowercase letters and digits, joined by '-' or '.'")
    return typed


def number_in(least: int, most: int) -> Callable[[str], int]:
    """A whole number."""

    def read(typed: str) -> int:
        if not re.fullmatch("[0-9]{1,3}", typed) or not least <= int(typed) <= most:
            raise Wrong(f"a number from {least} to {most}")
        return int(typed)

    return read


def one_of(*known: str) -> Callable[[str], str]:
    """One of the words that are known."""

    def read(typed: str) -> str:
        if typed not in known:
            raise Wrong(f"one of {', '.join(known)}")
        return typed

    return read


def yes(typed: str) -> bool:
    """Yes or no."""
    return one_of("yes", "no")(typed) == "yes"


def several(read: Callable[[str], str], separator: str = ",") -> Callable[[str], list[str]]:
    """Several, each once."""

    def all_of(typed: str) -> list[str]:
        found = [read(each.strip()) for each in typed.split(separator) if each.strip()]
        if len(set(found)) != len(found):
            raise Wrong("one of them is there twice")
        return found

    return all_of


def untaken(taken: Sequence[str], read: Callable[[str], str]) -> Callable[[str], str]:
    """A name that nobody has yet."""

    def another(typed: str) -> str:
        found = read(typed)
        if found in taken or found == EVERY_PARTY:
            raise Wrong(f"{found!r} is taken")
        return found

    return another


def zone_of(zones: Sequence[str]) -> Callable[[str], str]:
    """The name of a time zone that there is."""

    def read(typed: str) -> str:
        if not re.search(ZONE_PATTERN, typed) or typed not in zones:
            raise Wrong(f"there is no time zone {typed!r}; write one as in 'Asia/Tokyo'")
        return typed

    return read


def level_of(levels: Sequence[str]) -> Callable[[str], str | None]:
    """A level, or none."""

    def read(typed: str) -> str | None:
        return one_of(*levels)(typed) if typed else None

    return read


def within(typed: str) -> str:
    """A limit of time."""
    if not re.search(WITHIN_PATTERN, typed):
        known = ", ".join(get_args(words.Within))
        raise Wrong(f"one of {known}, or a time as in PT24H or P3D")
    return typed
