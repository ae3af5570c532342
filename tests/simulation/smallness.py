"""Limits of feeds, so small that worlds of some hundred messages meet them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

from comity.feed import publication
from comity.flows.feeding import delivering, publishing

LIMITS: dict[str, int] = {"MESSAGES_MAX": 4, "BATCHES_UNDER_WAY_MAX": 6, "PENDING_MAX": 12, "HOLD_MAX": 10}


@contextmanager
def small() -> Iterator[None]:
    """As long as the context lasts; every limit is somewhere."""
    with ExitStack() as stack:
        for name, limit in LIMITS.items():
            places = [module for module in (publication, publishing, delivering) if hasattr(module, name)]
            assert places, name
            for module in places:
                stack.enter_context(patch.object(module, name, limit))
        yield
