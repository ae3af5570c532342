"""Padmé: lengths rounded up so that a size tells little (``spec/seal.md`` step 25).

A length keeps only as many leading bits as its exponent has digits, so that of L possible lengths about
log(log(L)) bits can be seen, and at most 12 % is added (Nikitin and others, "Reducing Metadata Leakage from Encrypted
Files", PoPETs 2019, section 4).
"""

from __future__ import annotations


def padded_length(length: int) -> int:
    """(25) The Padmé length of ``length`` bytes: the smallest allowed one that is not smaller."""
    if length < 2:
        return length
    exponent = length.bit_length() - 1
    mask = (1 << exponent - exponent.bit_length()) - 1
    return length + mask & ~mask
