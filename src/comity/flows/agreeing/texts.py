"""The texts of a running agreement as this house decides by them: the agreement with its layers, of any version."""

from __future__ import annotations

import msgspec

from comity.agreement.model import Agreement, Layer
from comity.errors import Misuse
from comity.flows.house import House
from comity.register.rows.negotiation import VersionRow


class ShowTexts(msgspec.Struct, frozen=True, kw_only=True):
    """Show the agreement of a relationship with its layers; of the version that a record adopted, where one is named.

    ``version`` is that record's id in hex, as ``agreement.versions`` tells it.
    """

    relationship: str
    version: str = ""


class TextsShown(msgspec.Struct, frozen=True, kw_only=True):
    """An agreement and the layers that stand on it; ``runs`` where decisions rest on them now."""

    relationship: str
    peer: str
    agreement: Agreement
    layers: tuple[Layer, ...]
    runs: bool


async def show_texts(house: House, request: ShowTexts) -> TextsShown:
    """The texts that run, or those of an earlier version.

    Raises:
        Refused: no agreement runs in that relationship.
        Misuse: no such version was adopted there.
    """
    row = await house.agreement_row(request.relationship)
    wanted = row
    if request.version:
        found = [
            version
            async for _, version in house.rows(VersionRow, f"{request.relationship}/")
            if version.record.hex() == request.version
        ]
        if not found:
            raise Misuse(f"no version {request.version!r} was adopted there", code="unknown-version")
        named = {"digest": found[0].digest, "text": found[0].text}
        wanted = msgspec.structs.replace(row, history=found[0].history, layers=found[0].layers, **named)
    runs = (wanted.text, wanted.layers) == (row.text, row.layers)
    running = await (house.library.load(row) if runs else house.library.version(wanted))
    return TextsShown(
        relationship=row.relationship, peer=row.peer, agreement=running.agreement, layers=running.layers, runs=runs
    )
