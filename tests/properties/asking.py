"""Everything that somebody can ask of a house, made from the table of flows: views, and acts that name something.

A flow takes part by itself: its request says which fields it has, and what they are called says what they name.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from comity.errors import ComityError
from comity.flows.actors import Actor
from comity.flows.deriving.derivation import Derive
from comity.flows.giving.release import Give
from comity.flows.handling.copy_references import reference_of
from comity.flows.house import House
from comity.flows.table import FLOWS
from comity.foresight.supposition import SupposedAct
from comity.foresight.written import Written, WrittenFile
from comity.register.rows import AskedRow, CopyRow, DecisionRow, ItemRow, RequestRow
from comity.register.rows.consents import ConsentAskedRow, ConsentRow, ConsentWantedRow
from comity.register.rows.duties import DutiesRow
from comity.register.rows.ending import CertificateRow
from comity.register.rows.incidents import IncidentRow
from comity.register.rows.inventory import FindingRow, MusterRow
from comity.register.rows.lineage import DerivativeRow
from comity.register.rows.negotiation import NegotiationRow
from comity.register.rows.notices import DisputeRow
from properties.secrets_kept import LATER, Told
from world import RELATIONSHIP

Flows = Mapping[str, type[msgspec.Struct]]
"""Flows by name, with what they are asked."""
INSTANT = re.compile(f"{LATER:%Y-%m-%d}T[0-9:.]+Z".encode())
"""The instants at which somebody asks."""
Names = Mapping[str, Sequence[str]]
"""What can be named, by the field that names it."""
WHO = ("actor", "viewer")
"""How the field is called by which a flow knows who asks."""
NAMED_BY = {
    "item": ("item",),
    "of": ("item", "decision"),
    "items": ("item",),
    "ancestors": ("item",),
    "subject": ("item", "matter"),
    "request": ("request", "consent-request"),
    "consent": ("consent",),
    "certificate": ("certificate",),
    "incident": ("incident",),
    "dispute": ("dispute",),
    "muster": ("muster",),
    "negotiation": ("negotiation",),
    "finding": ("finding",),
    "record": ("decision",),
    "decision_record": ("decision",),
    "reference": ("reference",),
    "references": ("reference",),
}
"""What a field names."""
NAMES_ITS_OWN = frozenset({Derive, Give})
"""What is asked with an ``item`` that is not there yet: the name of what is to be made."""
GHOSTS: Names = {
    "item": ("i-zzzzzzzzzzzzzzzz",),
    "request": ("r-zzzzzzzzzzzzzzzz",),
    "consent-request": ("r-yyyyyyyyyyyyyyyy",),
    "consent": ("s-zzzzzzzzzzzzzzzz",),
    "certificate": ("t-zzzzzzzzzzzzzzzz",),
    "incident": ("x-zzzzzzzzzzzzzzzz",),
    "dispute": ("d-zzzzzzzzzzzzzzzz",),
    "muster": ("m-zzzzzzzzzzzzzzzz",),
    "negotiation": ("g-zzzzzzzzzzzzzzzz",),
    "finding": ("m-zzzzzzzzzzzzzzzz/000001",),
    "decision": ("5a" * 32,),
    "reference": ("c-zzzzzzzzzzzzzzzz",),
    "matter": ("k-zzzzzzzzzzzzzzzz",),
}
"""A name of each kind that nothing has."""


async def names(house: House) -> dict[str, list[str]]:
    """Everything in a register that has a name."""
    found: dict[str, list[str]] = {kind: [] for kind in GHOSTS}
    async for kind, name in _names(house):
        if name not in found[kind]:
            found[kind].append(name)
    return found


async def _names(house: House) -> AsyncIterator[tuple[str, str]]:
    for kind, rows in (
        ("item", (ItemRow, DerivativeRow)),
        ("request", (RequestRow, AskedRow)),
        ("consent-request", (ConsentAskedRow, ConsentWantedRow)),
        ("consent", (ConsentRow,)),
        ("certificate", (CertificateRow,)),
        ("incident", (IncidentRow,)),
        ("dispute", (DisputeRow,)),
        ("muster", (MusterRow,)),
        ("negotiation", (NegotiationRow,)),
        ("decision", (DecisionRow,)),
    ):
        for each in rows:
            async for key, _ in house.rows(each):
                yield kind, key.rpartition("/")[2]
    async for _key, duties in house.rows(DutiesRow):
        yield "matter", duties.subject
    async for key, _ in house.rows(FindingRow):
        yield "finding", key
    async for _key, copy in house.rows(CopyRow):
        yield "reference", reference_of(copy)


def cloaked(said: bytes, named: Names) -> bytes:
    """An answer with every name in it, and every name that nothing has, replaced by its kind; asked at any instant."""
    said = INSTANT.sub(b"now", said)
    for kind, ghosts in GHOSTS.items():
        for each in (*named.get(kind, ()), *ghosts):
            said = said.replace(each.encode(), kind.encode()).replace(each[:16].encode(), kind.encode())
    return said


def hidden(all_names: Names, known: Names) -> dict[str, list[str]]:
    """What only the first register names."""
    return {kind: [each for each in some if each not in known[kind]] for kind, some in all_names.items()}


# ---- requests --------------------------------------------------------------------------------------------------------


def looking(request: type[msgspec.Struct]) -> bool:
    """Whether a flow only shows something to whoever it is told: its asker may be left out."""
    return any(
        field.name in WHO and not field.required and set(typing.get_args(field.type)) == {Actor, types.NoneType}
        for field in msgspec.structs.fields(request)
    )


def acting(request: type[msgspec.Struct]) -> bool:
    """Whether somebody acts by a flow, and names something that is there already."""
    fields = msgspec.structs.fields(request)
    return not looking(request) and any(field.name in WHO for field in fields) and bool(naming(request))


def naming(request: type[msgspec.Struct]) -> tuple[str, ...]:
    """The fields by which a request names something; not the name that it gives to what it makes."""
    fields = {field.name: field for field in msgspec.structs.fields(request)}
    free = {"item"} if request not in NAMES_ITS_OWN else set()
    return tuple(
        name for name in NAMED_BY if name in fields and (name in free or fields[name].required or looking(request))
    )


def reading_flows() -> Flows:
    """Every flow that shows something to whoever it is told."""
    return {name: flow.request for name, flow in sorted(FLOWS.items()) if looking(flow.request)}


def acting_flows() -> Flows:
    """Every flow by which somebody acts on something that he names."""
    return {name: flow.request for name, flow in sorted(FLOWS.items()) if acting(flow.request)}


WORTH_NOTHING = """
[clearances]
format = 1
on = "jp-kr-2016"
[[clearance]]
party = "kr"
mark = "군사 Ⅱ급 비밀"
[[clearance]]
party = "jp"
mark = "極秘"
"""
FILLED: dict[str, Any] = {
    "supposing": Written(
        acts=(SupposedAct("notice", "2027-12-01"),), by="kr", clearances=WrittenFile(WORTH_NOTHING, "levels.toml")
    ),
    "purpose": "air defence",
    "reason": "because",
    "circumstances": "so",
    "copy": 1,
    "relationship": RELATIONSHIP,
    "holders": ("lim",),
    "taker": "lim",
    "handle": "lim",
    "mark": "秘",
    "acts": ("use-for",),
    "beneficiary": "kr",
    "until": LATER + timedelta(days=30),
    "what": "suspected",
    "asks": "either",
    "relation": "extract",
    "method": "erase-key",
    "about": "item",
    "amount": "1.50",
    "currency": "KRW",
    "day": "2026-11-21",
}
"""What a request says where it must say something."""


def made(request: type[msgspec.Struct], handle: str, told: Told, named: Mapping[str, Any]) -> msgspec.Struct:
    """A request of this kind by ``handle``, which names this, and whatever else it needs."""
    values: dict[str, Any] = dict(named)
    for field in msgspec.structs.fields(request):
        if field.name in WHO:
            values[field.name] = Actor(handle)
        elif field.name not in values and field.required:
            values[field.name] = _filled(field.name, field.type, told)
    return request(**values)


def _filled(name: str, kind: Any, told: Told) -> Any:
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Literal:
        return FILLED[name] if FILLED.get(name) in args else args[0]
    if name in FILLED:
        return FILLED[name]
    if name in NAMED_BY:
        ghost = GHOSTS[NAMED_BY[name][0]][0]
        return (ghost,) if typing.get_origin(kind) is tuple else ghost
    if name in ("path", "out"):
        return str(told.world.folder / "asked for")
    if types.NoneType in args:
        return None
    if origin is tuple:
        return (_filled(name, args[0], told),)
    plain: dict[Any, Any] = {str: "something", int: 1, bool: True, bytes: b"x", datetime: LATER}
    return plain[kind]


def _as(kind: Any, *named: str) -> Any:
    return named if typing.get_origin(kind) is tuple else named[0]


def requests(flows: Flows, handle: str, told: Told, known: Names) -> Iterator[tuple[str, str, msgspec.Struct]]:
    """Every request of some flows with each name that it can have: flow, what was asked, request."""
    for flow, request in flows.items():
        fields = {field.name: field for field in msgspec.structs.fields(request)}
        asked = False
        for name in naming(request):
            several = typing.get_origin(fields[name].type) is tuple
            for kind, each in [(sort, each) for sort in NAMED_BY[name] for each in known.get(sort, ())]:
                asked = True
                matter = {"about": "duty", "obligation": "o-4.2"} if kind == "matter" and "about" in fields else {}
                named = {name: (each,) if several else each, **matter}
                yield flow, f"{flow} {name} {kind} {each}", made(request, handle, told, named)
                if several and kind == "item":
                    both = told.seen, each
                    yield flow, f"{flow} {name} {' '.join(both)}", made(request, handle, told, {name: both})
        if looking(request) and not (asked and any(fields[name].required for name in naming(request))):
            yield flow, flow, made(request, handle, told, {})


async def answer(house: House, flow: str, request: msgspec.Struct) -> bytes:
    """What a flow answers, or how it refuses, as bytes."""
    try:
        return msgspec.json.encode(await FLOWS[flow].run(house, request))
    except ComityError as error:
        return f"{type(error).__name__} {error.code} {error.place} {error.sentence}".encode()


async def answers(flows: Flows, told: Told, house: House, handle: str, known: Names) -> dict[str, bytes]:
    """The answers of some flows to one user, with each name that they can take."""
    found: dict[str, bytes] = {}
    for flow, what, request in requests(flows, handle, told, known):
        told.asked += 1  # no clock steps back, and each look at it costs time
        told.world.clock.time = LATER + timedelta(seconds=told.asked)
        found[what] = await answer(house, flow, request)
    return found
