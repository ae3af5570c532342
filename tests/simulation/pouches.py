"""Looking into a pouch without a key, as whoever carries it can."""

from __future__ import annotations

from comity.flows.exchanging.parcel import Parcel, read_parcel
from comity.flows.pouch import MAGIC, Contents
from comity.record.encoding import decode

from .witness import payload


def parcels_in(pouch: bytes) -> list[Parcel]:
    """The parcels of a whole pouch."""
    length = int.from_bytes(pouch[len(MAGIC) : len(MAGIC) + 4], "big")
    offset = len(MAGIC) + 4 + length
    contents = decode(payload(pouch[len(MAGIC) + 4 : offset]), Contents)
    parcels = []
    for part in contents.parcels:
        parcels.append(read_parcel(pouch[offset : offset + part.size]))
        offset += part.size
    return parcels
