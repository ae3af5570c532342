"""Each text of an agreement is parsed once for all tests: parsing is pure, and most of what making a world costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from comity.agreement.model import Agreement
from comity.flows.agreeing import agreements
from comity.flows.keeping import library


@pytest.fixture(scope="session", autouse=True)
def parsed_once() -> Iterator[None]:
    """Remember what was parsed, for a conftest that imports this."""
    parsed: dict[tuple[object, ...], object] = {}

    def once(parse: Callable[..., Any]) -> Callable[..., Any]:
        def parse_or_remember(text: str, file: str, *others: Any) -> Any:
            under = (parse, text, file, *(other.digest for other in others if isinstance(other, Agreement)))
            if under not in parsed:
                parsed[under] = parse(text, file, *others)
            return parsed[under]

        return parse_or_remember

    with pytest.MonkeyPatch.context() as patch:
        for module in (agreements, library):
            for name in ("parse_agreement", "parse_history", "parse_layer"):
                patch.setattr(module, name, once(getattr(module, name)))
        yield
