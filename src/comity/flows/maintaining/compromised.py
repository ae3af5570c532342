"""A key of this house is in other hands: what is done at once, and what it means (``spec/keys.md`` steps 60 to 63)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import msgspec

from comity.agreement.vocabulary import Event
from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.house import House
from comity.flows.incidents.reporting import ReportIncident, report_incident
from comity.flows.maintaining.epochs import SealedThere, sealed_to
from comity.flows.maintaining.rotating import KeyPurpose, RevokeKey, RotateKey, revoke_key, rotate_key
from comity.record.statement import DOMESTIC, chain_id, peek
from comity.register.rows import AgreementRow

LOSS: Event = "loss-suspected"
"""The event on which an agreement lays what is to be done about a loss."""
CHAIN_READ = 500
"""Records read at once, from the newest back."""


class KeyCompromised(msgspec.Struct, frozen=True, kw_only=True):
    """Say that a key of this house is in other hands.

    Attributes:
        purpose: which.
        since: since when it may be.
        reporter: who reports what was sealed to it as an incident; None where nobody does so now.
    """

    purpose: KeyPurpose
    since: datetime
    reporter: Actor | None = None


class Provable(msgspec.Struct, frozen=True, kw_only=True):
    """What of a chain of this house stays provable, whoever has the key.

    Attributes:
        chain: which.
        records: how many there are.
        witnessed: how many of them the other party has cosigned.
        at: when it did, by its clock; None where it never did, or nobody witnesses this chain.
        later: how many were signed since the instant: look at each of them.
    """

    chain: str
    records: int
    witnessed: int
    at: datetime | None
    later: int


class CompromiseTold(msgspec.Struct, frozen=True, kw_only=True):
    """What was done, and what is to be done.

    Attributes:
        purpose: which key it was.
        since: since when.
        provable: what stays provable.
        sealed: what was sealed to the lost key and can be read with it by whoever has the payload.
        incident: the incident that was reported; empty where there was none to report, or nobody to report it.
        duty: the clause that asks for a report, of the first agreement that has one; empty where none does.
        epoch: the registry's epoch that was lost; 0 for other keys.
    """

    purpose: str
    since: datetime
    provable: tuple[Provable, ...]
    sealed: tuple[SealedThere, ...] = ()
    incident: str = ""
    duty: str = ""
    epoch: int = 0


async def key_compromised(house: House, request: KeyCompromised) -> CompromiseTold:
    """(60) Replace the key without overlap and say since when it counts for nothing; the root key must be at hand.

    Raises:
        Misuse: as ``revoke_key`` and ``report_incident``.
        Unavailable: the root key is offline.
    """
    if request.since > house.now():
        raise Misuse("a key was lost at an instant that has been", code="time-to-come")
    sealed: list[SealedThere] = []
    epoch = 0
    if request.purpose == "registry":
        epoch = house.keys.epochs()[0]
        await rotate_key(house, RotateKey(purpose="registry"))
        sealed = await sealed_to(house, epoch)
    else:
        await revoke_key(house, RevokeKey(purpose=request.purpose, since=request.since))
    items = tuple(dict.fromkeys(each.name for each in sealed if each.kind == "copy"))
    duty = await _duty(house) if items else ""
    incident = ""
    if items and duty and request.reporter is not None:
        circumstances = f"the registry's key of epoch {epoch} may be in other hands since {request.since.isoformat()}"
        report = ReportIncident(items=items, what="suspected", circumstances=circumstances, actor=request.reporter)
        incident = (await report_incident(house, report)).incident
    return CompromiseTold(
        purpose=request.purpose,
        since=request.since,
        provable=tuple([each async for each in _provable(house, request.since)]),
        sealed=tuple(sealed),
        incident=incident,
        duty=duty,
        epoch=epoch,
    )


async def _duty(house: House) -> str:
    """(62) The clause by which a loss is reported, in the first relationship whose agreement has one."""
    async for _, row in house.rows(AgreementRow):
        agreement = (await house.library.load(row)).agreement
        for duty in agreement.obligations:
            if duty.on == LOSS:
                return f"{agreement.id} {duty.clause}"
    return ""


async def _provable(house: House, since: datetime) -> AsyncIterator[Provable]:
    """(61) What the other party cosigned of each chain, and what came after the instant by this house's own clock."""
    for relationship, peer in [*await house.correspondence(), (DOMESTIC, "")]:
        chain = chain_id(relationship, house.party)
        size = house.sequencer.head(chain).size
        signed = await house.exchange.witnessed(chain, peer) if peer else None
        times = [each.time for each in signed.witnesses if each.time is not None] if signed is not None else []
        yield Provable(
            chain=chain,
            records=size,
            witnessed=signed.checkpoint.head.size if signed is not None else 0,
            at=datetime.fromtimestamp(min(times), UTC) if times else None,
            later=await _later(house, chain, size, since),
        )


async def _later(house: House, chain: str, size: int, since: datetime) -> int:
    later, end = 0, size
    while end > 0:
        start = max(0, end - CHAIN_READ)
        entries = await house.store.chain(chain, start, end - start)
        found = sum(peek(entry.envelope).at >= since for entry in entries)
        later, end = later + found, start
        if found < len(entries):
            break
    return later
