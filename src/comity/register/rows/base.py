"""What every row has (``spec/register.md`` step 1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import msgspec


class Row(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The root of all rows; ``table`` is where its kind stands."""

    table: ClassVar[str]


Key = tuple[str, str]
"""Table and key of a row."""
Facts = Mapping[Key, Row | None]
"""The rows a verdict depends on; None where there is no such row."""
