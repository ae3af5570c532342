"""References of copies: what a label says to whoever may know, and to nobody else (``spec/custody.md`` step 17).

A reference follows from the record that made the copies and the number, so that both parties can read a label that
either has printed. What was looked up once is kept beside the register; it can be worked out again.
"""

from __future__ import annotations

import re
from base64 import b32encode
from hashlib import sha256

from comity.errors import Misuse
from comity.flows.house import House
from comity.flows.keeping.work import Work
from comity.record.contexts import COPY_REFERENCE
from comity.register.rows import CopyRow

REFERENCE_PREFIX = "c-"
REFERENCE = re.compile("c-[a-z2-7]{16}")
"""How a reference is written."""
COPY_LABELLED = "copy-reference"
"""Side table: where the copy of a reference is, by the reference; derived."""
REFERENCE_BYTES = 10
"""Bytes of the digest in a reference, as many as other identifiers have."""


def reference_of(copy: CopyRow) -> str:
    """(17) The reference of a copy."""
    digest = sha256(COPY_REFERENCE + copy.consignment + copy.number.to_bytes(8, "big")).digest()
    return REFERENCE_PREFIX + b32encode(digest[:REFERENCE_BYTES]).decode().lower()


async def copy_by_reference(house: House, reference: str) -> tuple[str, CopyRow]:
    """The relationship and the copy that a label stands on.

    Raises:
        Misuse: no copy here has that reference.
    """
    if REFERENCE.fullmatch(reference):
        known = await house.side(COPY_LABELLED, reference)
        if known is not None:
            key = known.decode()
            copy = await house.row(CopyRow, key)
            if copy is not None and reference_of(copy) == reference:
                return _relationship(key), copy
        async for key, copy in house.rows(CopyRow):
            if reference_of(copy) == reference:
                await remember(house, reference, key)
                return _relationship(key), copy
    raise no_such_reference(reference)


async def remember(house: House, reference: str, key: str) -> None:
    """Keep where the copy of a reference is, so that it is found at once."""

    async def keep(work: Work) -> None:
        work.put_side(COPY_LABELLED, reference, key.encode())

    await house.sequencer.submit(keep)


def no_such_reference(reference: str) -> Misuse:
    """The one answer about a reference that no copy has, or none that whoever asks may see."""
    return Misuse(f"there is no copy with the reference {reference!r}", code="unknown-reference")


def _relationship(key: str) -> str:
    return key.rsplit("/", 2)[0]
