"""What was kept for a time was erased: what records say of it (``spec/keys.md`` step 79)."""

from __future__ import annotations

from typing import ClassVar, Literal

from comity.record.bodies.base import Body, Identifiers, PersonSignature
from comity.record.encoding import Identifier, Words

Erasable = Literal["names", "titles", "payloads"]
"""What is erased: names of people who left, titles of items, sealed payloads of items."""


class Erased(Body, frozen=True, kw_only=True):
    """The time of what was kept is over, and it is erased. ``subjects`` are the people or items by their identifiers.

    ``because`` is the clause or the setting by which it was due, ``by`` whoever erased it.
    """

    kind: ClassVar[str] = "erasure/1"
    crosses: ClassVar[bool] = False
    what: Erasable
    subjects: Identifiers
    because: Words
    by: Identifier
    signature: PersonSignature
