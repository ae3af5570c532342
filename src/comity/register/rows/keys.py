"""The row about the keys that sign in a chain, and its key (``spec/keys.md`` step 44)."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from comity.register.rows.base import Key, Row


class ChainKeysRow(Row, frozen=True, kw_only=True):
    """What a chain's newest change of keys says; none where the keys of its author never changed in it.

    Attributes:
        keys: the raw public keys that sign its records from ``sequence`` on.
        sequence: the place of the change.
        issued: when the card was made that the change brought.
    """

    table: ClassVar[str] = "chain-keys"
    keys: tuple[bytes, ...]
    sequence: int
    issued: datetime


def chain_keys_key(chain: str) -> Key:
    """Key of the row about the keys of a chain."""
    return ChainKeysRow.table, chain
