"""The world of two houses for every test of a flow."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from comity.agreement.model import Agreement
from comity.flows.agreeing import agreements
from comity.flows.keeping import library
from world import World


@pytest.fixture(scope="session", autouse=True)
def _parsed_once() -> Iterator[None]:
    """Parsing is pure, and it is most of what making a world costs: each text is parsed once for all tests."""
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


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = await World.make(tmp_path)
    yield made
    await made.close()
