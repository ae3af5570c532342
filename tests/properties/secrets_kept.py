"""Two worlds that differ only in what one user may not see, and everything he can ask of them.

The common story is told once, and its houses are copied, disks and keys. What is secret happens in one of the two only.
"""

from __future__ import annotations

import copy
import shutil
import types
import typing
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from comity.errors import ComityError
from comity.flows.actors import Actor
from comity.flows.consenting.consent_requests import AskConsent, ask_consent
from comity.flows.deriving.derivation import Derive, derive
from comity.flows.ending.levels import Reclassify, reclassify
from comity.flows.ending.recalls import Recall, recall
from comity.flows.giving.opening import Open, open_item
from comity.flows.handling.copying import MakeCopies, make_copies
from comity.flows.handling.handing_over import HandOver, TakeOver, hand_over, take_over
from comity.flows.house import House
from comity.flows.incidents.reporting import ReportIncident, report_incident
from comity.flows.looking.muster import Begin, SignMuster, begin, sign
from comity.flows.people.clearances import ChangeList, GrantClearance, change_list, grant_clearance
from comity.flows.table import FLOWS
from comity.stores.memory_disk import MemoryDisk
from world import ROOT, TODAY, SeededEntropy, World, new_house

LATER = TODAY + timedelta(days=30)
"""The instant at which a user looks, in both worlds."""
GHOST = "i-zzzzzzzzzzzzzzzz"
"""An item that is nowhere."""
LIM = Actor("lim")


class Told(msgspec.Struct):
    """A world with its common story told, and the items of it."""

    world: World
    seen: str
    """Kim and Lim have a copy each."""
    own: str
    """Kim alone has it."""
    secret: list[str] = []
    """What only Lim and those who answer for the register may see."""
    asked: int = 0
    """How much was asked so far."""


async def two_worlds(folder: Path) -> tuple[Told, Told]:
    """Two worlds with the same past, byte for byte: one house after another is copied, disk and keys."""
    (folder / "one").mkdir()
    disks = {party: MemoryDisk() for party in ("jp", "kr")}
    told = await common(folder / "one", disks)
    await told.world.close()
    shutil.copytree(folder / "one", folder / "other")
    copies = [disks, copy.deepcopy(disks)]
    return tuple(  # type: ignore[return-value]  # there are two
        [
            Told(await again(folder / name, each, told.world.clock.time), told.seen, told.own)
            for name, each in zip(("one", "other"), copies, strict=True)
        ]
    )


async def again(folder: Path, disks: dict[str, MemoryDisk], time: datetime) -> World:
    """The houses on these disks, opened once more, with other randomness than before."""
    world = World(folder)
    world.clock.time = time
    world.jp, world.kr = [await new_house(party, folder, world.clock, disks[party]) for party in ("jp", "kr")]
    for house in (world.jp, world.kr):
        house.entropy = SeededEntropy(f"again {house.party}")
    return world


async def common(folder: Path, disks: dict[str, MemoryDisk] | None = None) -> Told:
    """People, two items, openings."""
    world = await World.make(folder, disks=disks)
    await world.person("kr", "lim")
    await world.person("kr", "cho")
    await world.person("jp", "ono", roles=("officer",))
    for handle in ("lim", "cho"):
        clearance = GrantClearance(
            handle=handle,
            mark="군사 Ⅱ급 비밀",
            until=TODAY + timedelta(days=365),
            basis="vetted",
            all_information=True,
            actor=ROOT,
        )
        await grant_clearance(world.kr, clearance)
        for topic in ("missiles", "submarines"):
            await change_list(world.kr, ChangeList(topic=topic, handle=handle, listed=True, actor=ROOT))
    await world.exchange()
    kim, lim = await world.pseudonym("kim"), await world.pseudonym("lim")
    seen = (await world.given(recipients=(kim, lim))).item
    own = (await world.given(path=world.document(b"kim's own", "own.txt"))).item
    await read(world, seen, "kim")
    await world.exchange()
    return Told(world, seen, own)


async def read(world: World, item: str, handle: str) -> None:
    """Somebody opens an item."""
    path = world.folder / f"{item} {handle}"
    path.unlink(missing_ok=True)
    await open_item(world.kr, Open(item=item, purpose="air defence", path=str(path), actor=Actor(handle)))


# ---- what happens in secret ------------------------------------------------------------------------------------------


async def another_item(told: Told) -> None:
    """Ono gives Lim something on a topic that only few may know of."""
    world = told.world
    lim = await world.pseudonym("lim")
    path = world.document(b"secret" + bytes([len(told.secret)]), f"secret-{len(told.secret)}.txt")
    given = await world.given(path=path, topic="submarines", recipients=(lim,), actor=Actor("ono"), mark="秘")
    told.secret.append(given.item)


async def _secret(told: Told) -> str:
    if not told.secret:
        await another_item(told)
    return told.secret[0]


async def opened(told: Told) -> None:
    """Lim reads it."""
    await read(told.world, await _secret(told), "lim")


async def tried(told: Told) -> None:
    """Others try to read it, and are refused."""
    for handle in ("kim", "park", "choi", "hong", "smith"):
        try:
            await read(told.world, await _secret(told), handle)
        except ComityError:
            continue


async def copied(told: Told) -> None:
    """Lim copies his copy for Cho."""
    item = await _secret(told)
    request = MakeCopies(item=item, copy=1, holders=("cho",), purpose="air defence", actor=LIM)
    await make_copies(told.world.kr, request)


async def read_beside(told: Told) -> None:
    """Lim reads his own copy of what Kim has one of."""
    await read(told.world, told.seen, "lim")


async def copied_beside(told: Told) -> None:
    """Lim copies that copy for Cho, and hands it over to him too."""
    request = MakeCopies(item=told.seen, copy=2, holders=("cho",), purpose="air defence", actor=LIM)
    await make_copies(told.world.kr, request)
    await hand_over(told.world.kr, HandOver(item=told.seen, copy=2, taker="cho", actor=LIM))
    await take_over(told.world.kr, TakeOver(item=told.seen, copy=2, actor=Actor("cho")))


async def handed_over(told: Told) -> None:
    """Lim hands his copy over to Cho."""
    item = await _secret(told)
    await hand_over(told.world.kr, HandOver(item=item, copy=1, taker="cho", actor=LIM))
    await take_over(told.world.kr, TakeOver(item=item, copy=1, actor=Actor("cho")))


async def derived(told: Told) -> None:
    """Lim writes something that contains it."""
    path = told.world.document(b"contains it", "contains.txt")
    request = Derive(path=path, relation="contains", ancestors=(await _secret(told),), purpose="air defence", actor=LIM)
    made = await derive(told.world.kr, request)
    if made.item:
        told.secret.append(made.item)


async def reported(told: Told) -> None:
    """It may be known to somebody."""
    request = ReportIncident(items=(await _secret(told),), what="suspected", circumstances="a rumour", actor=LIM)
    await report_incident(told.world.kr, request)


async def consent_asked(told: Told) -> None:
    """The registry asks for a consent."""
    request = AskConsent(
        item=await _secret(told),
        acts=("use-for",),
        beneficiary="kr",
        beneficiary_kind="government",
        purpose="an exercise",
        reason="it would help",
        until=LATER + timedelta(days=300),
        actor=Actor("lee"),
    )
    await ask_consent(told.world.kr, request)


async def recalled(told: Told) -> None:
    """Tokyo wants it back."""
    request = Recall(item=await _secret(told), asks="either", reason="no longer", actor=Actor("abe"))
    await recall(told.world.jp, request)


async def reclassified(told: Told) -> None:
    """Tokyo raises its level."""
    request = Reclassify(item=await _secret(told), mark="極秘", reason="it grew", actor=Actor("abe"))
    await reclassify(told.world.jp, request)


async def mustered(told: Told) -> None:
    """The registry counts, and finds nothing where it should be."""
    await begin(told.world.kr, Begin(actor=Actor("lee")))
    await sign(told.world.kr, SignMuster(actor=Actor("lee")))


SECRETS: dict[str, Callable[[Told], Awaitable[None]]] = {
    act.__name__: act
    for act in (
        another_item,
        opened,
        tried,
        copied,
        handed_over,
        derived,
        reported,
        consent_asked,
        recalled,
        reclassified,
        mustered,
    )
}
"""What can happen in secret."""
BESIDE = {act.__name__: act for act in (read_beside, copied_beside)}
"""What others do with their copies of what a reader has one of: it is hidden from him, not from who gave it."""


async def in_secret(told: Told, acts: typing.Sequence[str]) -> None:
    """Do these, in this order; what cannot be done any more is left."""
    for name in acts:
        try:
            await {**SECRETS, **BESIDE}[name](told)
        except ComityError:
            continue
        await told.world.exchange()


# ---- what somebody can ask -------------------------------------------------------------------------------------------

WHO = ("actor", "viewer")
"""How the field is called by which a flow knows who looks."""


def looking(request: type[msgspec.Struct]) -> str:
    """The field of a reading flow that says who looks; empty where there is none, or where somebody acts."""
    for field in msgspec.structs.fields(request):
        if field.name in WHO and not field.required and _is_optional_actor(field.type):
            return field.name
    return ""


def _is_optional_actor(kind: Any) -> bool:
    return set(typing.get_args(kind)) == {Actor, types.NoneType}


def acting(request: type[msgspec.Struct]) -> str:
    """The field of any flow that says who asks for it; empty where there is none."""
    names = [field.name for field in msgspec.structs.fields(request) if field.name in WHO]
    return names[0] if names else ""


FILLED: dict[str, Any] = {
    "purpose": "air defence",
    "reason": "because",
    "circumstances": "so",
    "copy": 1,
    "relationship": None,
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
    "method": "shredding",
}
"""What a request says where it must say something."""


def made(request: type[msgspec.Struct], handle: str, folder: Path, **fields: Any) -> msgspec.Struct:
    """A request of this kind by ``handle``, with these fields and whatever else it needs."""
    values: dict[str, Any] = dict(fields)
    for field in msgspec.structs.fields(request):
        if field.name in WHO:
            values[field.name] = Actor(handle)
        elif field.name not in values and field.required:
            values[field.name] = _filled(field.name, field.type, folder)
    return request(**values)


def _filled(name: str, kind: Any, folder: Path) -> Any:
    if name in FILLED:
        return FILLED[name]
    if name in ("path", "out"):
        return str(folder / "asked for")
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Literal:
        return args[0]
    if types.NoneType in args:
        return None
    if origin is tuple:
        return (_filled(name, args[0], folder),)
    plain: dict[Any, Any] = {str: "something", int: 1, bool: True, bytes: b"x", datetime: LATER}
    if kind in plain:
        return plain[kind]
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return made(kind, "nobody", folder)
    raise AssertionError(f"what is {name}: {kind}?")


async def answer(house: House, flow: str, request: msgspec.Struct) -> bytes:
    """What a flow answers, or how it refuses, as bytes."""
    try:
        return msgspec.json.encode(await FLOWS[flow].run(house, request))
    except ComityError as error:
        return f"{type(error).__name__} {error.code} {error.place} {error.sentence}".encode()


def read_flows() -> dict[str, type[msgspec.Struct]]:
    """Every flow that shows something to whoever it is told."""
    return {name: flow.request for name, flow in FLOWS.items() if looking(flow.request)}


async def everything(told: Told, house: House, handle: str, items: typing.Sequence[str]) -> dict[str, bytes]:
    """The answers of all reading flows for one user, with each of ``items`` where a flow takes one."""
    found: dict[str, bytes] = {}
    for name, request in sorted(read_flows().items()):
        named = {"item", "of"} & set(request.__struct_fields__)
        for item in items if named else ("",):
            told.asked += 1  # no clock steps back, and each look at it costs time
            told.world.clock.time = LATER + timedelta(minutes=told.asked)
            asked = made(request, handle, told.world.folder, **dict.fromkeys(named, item))
            found[f"{name} {item}"] = await answer(house, name, asked)
    return found
