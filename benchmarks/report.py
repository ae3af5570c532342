"""Rows of measurements, whether their aims are met, and the table that shows them.

>>> Row.read({"name": "appends per second", "ours": 1.2e5, "peer": 2e4, "peer_name": "pymerkle 6",
...           "unit": "1/s", "ratio": 6.0, "aim": 5}).verdict
'met'
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

_AIM = re.compile(r"(at least|at most) ([0-9]+(?:\.[0-9]+)?)(?: (.+))?")


@dataclass(frozen=True)
class Aim:
    """A bound on the ratio, or on our own figure when it is written with its unit."""

    least: bool
    bound: float
    unit: str = ""

    @classmethod
    def read(cls, written: object) -> Aim | None:
        """The aim as a benchmark writes it: None, a number, or ``"at most 20 ms"``."""
        if written is None:
            return None
        if isinstance(written, int | float):
            return cls(True, float(written))
        match = _AIM.fullmatch(str(written))
        if match is None:
            raise ValueError(
                f"aim {written!r}: write None, a number, 'at least N' or 'at most N', or either with a unit"
            )
        return cls(match[1] == "at least", float(match[2]), match[3] or "")

    def __str__(self) -> str:
        return f"{'≥' if self.least else '≤'} {self.bound:g}{f' {self.unit}' if self.unit else '×'}"


@dataclass(frozen=True)
class Row:
    """One measurement; ``benchmarks/__init__.py`` says what the fields hold."""

    name: str
    ours: float
    peer: float | None
    peer_name: str
    unit: str
    ratio: float | None
    aim: object

    @classmethod
    def read(cls, row: Mapping[str, object]) -> Row:
        """The row a benchmark returned, with exactly the keys agreed."""
        expected = {field.name for field in fields(cls)}
        if set(row) != expected:
            raise ValueError(f"row {row.get('name')!r} differs from the agreed keys in {sorted(set(row) ^ expected)}")
        made = cls(**row)  # type: ignore[arg-type]  # a benchmark's figures are what Python measured
        aim = Aim.read(made.aim)
        if aim and aim.unit and aim.unit != made.unit:
            raise ValueError(f"row {made.name!r} is measured in {made.unit!r}, its aim is written in {aim.unit!r}")
        return made

    @property
    def verdict(self) -> str:
        """``met``, ``missed``, or empty where there is no aim or nothing to compare with."""
        aim = Aim.read(self.aim)
        figure = self.ours if aim and aim.unit else self.ratio
        if aim is None or figure is None:
            return ""
        return "met" if (figure >= aim.bound if aim.least else figure <= aim.bound) else "missed"

    @property
    def cells(self) -> tuple[str, ...]:
        """The row as the table prints it."""
        aim = Aim.read(self.aim)
        return (
            self.name,
            number(self.ours),
            number(self.peer),
            self.unit,
            "" if self.ratio is None else f"{self.ratio:.2f}×",
            "" if aim is None else str(aim),
            self.verdict,
            self.peer_name,
        )


def number(figure: float | None) -> str:
    """A figure with three significant digits; larger ones whole, in groups of three."""
    if figure is None:
        return ""
    return f"{figure:,.0f}" if abs(figure) >= 100 else f"{figure:.3g}"


HEADINGS = ("measured", "ours", "peer", "unit", "ratio", "aim", "", "compared with")
RIGHT = {1, 2, 4, 5}
"""Columns of figures stand to the right."""


def table(rows: Sequence[Row]) -> str:
    """All rows, aligned, under one heading."""
    lines = [HEADINGS, *(row.cells for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column in RIGHT else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
