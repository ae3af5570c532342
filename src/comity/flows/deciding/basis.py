"""The basis of a record: the decision on which its author said it, committed to and not told (``spec/evidence.md``)."""

from __future__ import annotations

import hmac

from comity.flows.house import House
from comity.record.contexts import BASIS
from comity.seal.commitment import commitment


def basis(house: House, decided: bytes) -> bytes:
    """The commitment of a crossing record to the decision record ``decided`` of this house's own chain."""
    return commitment(BASIS, basis_salt(house, decided), decided)


def basis_salt(house: House, decided: bytes) -> bytes:
    """The salt of that commitment: derived, so that it need not be kept; shown only with evidence."""
    return hmac.digest(house.keys.pairwise(), BASIS + decided, "sha256")
