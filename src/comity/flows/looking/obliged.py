"""What the agreements in use ask of this house: which clauses, and in which relationships."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from comity.agreement.model import Agreement, Checklist, Layer
from comity.agreement.vocabulary import Deed, Provenance
from comity.flows.house import House
from comity.flows.keeping.library import Running
from comity.register.rows import AgreementRow


class Cited(msgspec.Struct, frozen=True):
    """A clause on which something rests."""

    instrument: str
    clause: str
    provenance: Provenance


async def all_running(house: House) -> list[tuple[str, Running]]:
    """Every agreement in use, with its relationship."""
    return [(name, await house.library.load(row)) async for name, row in house.rows(AgreementRow)]


def binding_texts(house: House, running: Running) -> Iterable[Agreement | Layer]:
    """An agreement, and the layers on it that bind this house."""
    yield running.agreement
    yield from (layer for layer in running.layers if layer.header.party in (None, house.party))


async def cited(house: House, deed: Deed) -> tuple[Cited, ...]:
    """The clauses that oblige to a deed, in the agreements in use and their layers."""
    found: dict[Cited, None] = {}
    for _, running in await all_running(house):
        for text in binding_texts(house, running):
            known = {clause.id: clause.provenance for clause in text.clauses}
            for each in text.obligations:
                if each.act == deed:
                    found[Cited(text.id, each.clause, each.provenance or known[each.clause])] = None
    return tuple(found)


async def asked_by(house: House, deed: Deed) -> tuple[str, ...]:
    """The relationships whose agreement, or a layer on it, obliges to a deed."""
    return tuple(
        name
        for name, running in await all_running(house)
        if any(each.act == deed for text in binding_texts(house, running) for each in text.obligations)
    )


def site_checklists(running: Running) -> Iterable[tuple[str, Checklist]]:
    """The checklists that speak about sites, each with the id of its agreement or layer."""
    texts: tuple[Agreement | Layer, ...] = (running.agreement, *running.layers)
    for text in texts:
        for checklist in text.checklists:
            if checklist.bound_to == "site":
                yield text.id, checklist


def heading(running: Running, instrument: str, clause: str) -> str:
    """The English heading of a clause; empty where the instrument has none of that id."""
    texts: tuple[Agreement | Layer, ...] = (running.agreement, *running.layers)
    for text in texts:
        for each in text.clauses if text.id == instrument else ():
            if each.id == clause:
                return each.heading.en
    return ""
