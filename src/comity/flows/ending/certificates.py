"""Certificates of destruction, as both registers have them (``spec/ending.md`` step 37)."""

from __future__ import annotations

from datetime import datetime

import msgspec

from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.deciding.visibility import may_see, viewer
from comity.flows.house import House
from comity.flows.people.cleared import shape_of
from comity.register.rows import AgreementRow, CopyRow, DirectoryRow, ItemRow, PersonRow, copy_key
from comity.register.rows.ending import CertificateRow, EndingRow, certificate_key, ending_key

ATTESTED = (
    "That the key of this copy is destroyed is attested by its holder and its house, not proved: nobody can show that "
    "no copy of a key is left."
)
"""What a certificate of destruction can say about a key, and what it cannot."""


class ShowCertificate(msgspec.Struct, frozen=True, kw_only=True):
    """Show a certificate of destruction, as ``actor`` may see it, or the house itself."""

    certificate: str
    actor: Actor | None = None


class WitnessShown(msgspec.Struct, frozen=True, kw_only=True):
    """A signature under a certificate: who, by function and pseudonym, when, and in which record (id in hex)."""

    by: str
    function: str
    at: datetime
    record: str


class CertificateShown(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate of destruction, as both registers have it.

    Attributes:
        certificate: its id.
        relationship: where it stands.
        item: the item.
        copy: number of the copy.
        form: in which form it was.
        mark: the originator's mark.
        originator: party id.
        method: how it was destroyed.
        reason: why.
        by: its holder; with function, time and record.
        needed: witnesses it waits for in all.
        witnesses: those who have signed.
        state: ``complete``, ``waiting`` or ``void``.
        completed: since when it is complete.
        void: why it counts for nothing.
        crisis: whether it was destroyed at once.
        heard: when the originator was told of that.
        header: SHA-256 of the header by which the copy could be opened, in hex.
        attested: what this says about its key.
    """

    certificate: str
    relationship: str
    item: str
    copy: int
    form: str
    mark: str
    originator: str
    method: str
    reason: str
    by: WitnessShown
    needed: int
    witnesses: tuple[WitnessShown, ...]
    state: str
    completed: datetime | None
    void: str | None
    crisis: bool
    heard: datetime | None
    header: str
    attested: str = ATTESTED


async def show_certificate(house: House, request: ShowCertificate) -> CertificateShown:
    """A certificate of destruction, here or there.

    Raises:
        Misuse: there is none of that name for whoever asks.
    """
    relationship, _ = await find_certificate(house, request.certificate, await viewer(house, request.actor))
    return await certificate_shown(house, relationship, request.certificate)


async def find_certificate(house: House, certificate: str, person: PersonRow | None) -> tuple[str, CertificateRow]:
    """Where a certificate stands, for somebody who may see what it is about.

    Raises:
        Misuse: there is none of that name for him.
    """
    async for relationship, _ in house.rows(AgreementRow):
        row = await house.row(CertificateRow, certificate_key(relationship, certificate)[1])
        if row is None:
            continue
        item = await house.row(ItemRow, row.item)
        if person is None or (item is not None and await may_see(house, item, person)):
            return relationship, row
    raise Misuse(f"there is no certificate {certificate!r}", code="unknown-certificate")


async def certificate_shown(house: House, relationship: str, certificate: str) -> CertificateShown:
    """A certificate as both registers have it.

    Raises:
        Misuse: it was void, and another one has taken its place.
    """
    listed = await house.need(CertificateRow, certificate_key(relationship, certificate)[1], "certificate")
    ending = await house.need(EndingRow, ending_key(relationship, listed.item, listed.copy)[1], "certificate")
    if ending.certificate != certificate:
        raise Misuse(f"certificate {certificate!r} was void; another one took its place", code="void-certificate")
    copy = await house.need(CopyRow, copy_key(relationship, listed.item, listed.copy)[1], "copy")
    shape = await shape_of(house, relationship, listed.item)
    state = "void" if ending.void is not None else "complete" if ending.done is not None else "waiting"
    return CertificateShown(
        certificate=certificate,
        relationship=relationship,
        item=listed.item,
        copy=listed.copy,
        form=shape.form,
        mark=shape.mark,
        originator=shape.originator,
        method=ending.method or "",
        reason=ending.reason,
        by=await _signature(house, relationship, ending.by, ending.at, ending.record),
        needed=ending.needed,
        witnesses=tuple(
            [await _signature(house, relationship, each.by, each.at, each.record) for each in ending.witnesses]
        ),
        state=state,
        completed=ending.done,
        void=ending.void,
        crisis=ending.crisis,
        heard=ending.heard,
        header=copy.header.hex(),
    )


async def _signature(house: House, relationship: str, by: str, at: datetime, record: bytes) -> WitnessShown:
    function = ""
    for party in (house.party, (await house.agreement_row(relationship)).peer):
        entry = await house.row(DirectoryRow, f"{relationship}/{party}/{by}")
        function = entry.function if entry is not None and not function else function
    return WitnessShown(by=by, function=function, at=at, record=record.hex())
