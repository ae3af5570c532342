"""What an analysis finds in a text: where, what is wrong with it, and what to do about it.

Rules of this file (``spec/analysis.md`` steps 1 and 2):

- A finding names its clause and its line; whoever corrects a text should not have to look for it.
- ``wrong`` is what cannot be meant so; ``doubt`` is what a reader has to decide about; ``note`` is worth knowing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from comity.agreement.lines import Lines, Path
from comity.agreement.model import Agreement, Layer

Weight = Literal["wrong", "doubt", "note"]
WEIGHTS: tuple[Weight, ...] = ("wrong", "doubt", "note")
"""From the heaviest on."""


class Finding(Struct, frozen=True, kw_only=True):
    """Something in a text that does not do what its reader expects.

    Attributes:
        code: a stable word, such as ``"round-trip"``.
        weight: how much it matters.
        instrument: id of the agreement or layer.
        clause: the clause concerned; empty where there is none.
        file: where the text was read, as its reader named it.
        line: the line there, from 1.
        says: what is so, in one sentence.
        do: what can be done about it.
    """

    code: str
    weight: Weight
    instrument: str
    clause: str
    file: str
    line: int
    says: str
    do: str


class Source(Struct, frozen=True):
    """A checked text, and where each of its keys stands."""

    text: Agreement | Layer
    file: str
    lines: Lines

    def finding(self, code: str, weight: Weight, clause: str, path: Path, says: str, do: str) -> Finding:
        """A finding about what stands at ``path`` of this text."""
        return Finding(
            code=code,
            weight=weight,
            instrument=self.text.id,
            clause=clause,
            file=self.file,
            line=self.lines.of(path),
            says=says,
            do=do,
        )


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Heaviest first, then as they stand in their files; each once."""
    return tuple(
        sorted(
            set(findings),
            key=lambda each: (WEIGHTS.index(each.weight), each.file, each.line, each.code, each.says, each.instrument),
        )
    )


def several(words: Iterable[str], joined: str = "or") -> str:
    """Words as a sentence lists them.

    >>> several(["a", "b", "c"])
    'a, b or c'
    """
    *first, last = list(words) or ["nothing"]
    return f"{', '.join(first)} {joined} {last}" if first else last
