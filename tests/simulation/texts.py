"""Agreement texts are read once per process: houses start often here, and reading is most of what a start takes.

What a text says depends on the text, its name and the agreement it belongs to, and on nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from comity.flows.keeping import library


def once(read: Callable[..., Any]) -> Callable[..., Any]:
    """``read`` with a memory."""
    known: dict[tuple[str, ...], Any] = {}

    def remembered(text: str, name: str, *rest: Any) -> Any:
        key = (text, name, *(agreement.digest for agreement in rest[:1]))
        if key not in known:
            known[key] = read(text, name, *rest)
        return known[key]

    return remembered


@cache
def read_texts_once() -> None:
    """From now on, in this process."""
    for reader in ("parse_agreement", "parse_layer", "parse_history"):
        setattr(library, reader, once(getattr(library, reader)))
