"""The digest by which both parties know that they hold the same file (``spec/agreement.md`` step 8).

SHA-256 over the canonical JSON (RFC 8785) of what is written: no default is filled in, so that a file keeps its digest
when the format grows; there are no floats, and every text is in Unicode normal form C.
"""

from __future__ import annotations

import hashlib

import rfc8785

Written = str | int | bool | list["Written"] | dict[str, "Written"]
"""What a file may hold once `load.py` has refused floats, dates and text that is not in normal form C."""


def digest_of(written: dict[str, Written]) -> str:
    """The digest of a file, 64 lowercase hexadecimal digits."""
    return hashlib.sha256(rfc8785.dumps(written)).hexdigest()
