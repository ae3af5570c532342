"""What people do, and what nodes do by themselves: one function for each kind of act, all of them at random.

An act may be senseless or forbidden; whoever does it does not know better. It returns what its flow returned.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from comity.errors import Misuse
from comity.flows.deciding.explaining import Why, why
from comity.flows.exchanging.parcel import Parcel, write_parcel
from comity.flows.giving.answering import Approve, Assure, approve, assure
from comity.flows.giving.marks import MarkItem, mark_item
from comity.flows.giving.opening import Open, open_item
from comity.flows.giving.release import Give, Given, give, preview
from comity.flows.house import House
from comity.flows.looking.views import ShowInbox, ShowOutbox, ShowRegister, show_inbox, show_outbox, show_register
from comity.flows.maintaining.collecting import Collect, collect
from comity.flows.maintaining.rebuilding import LedgerVerified, Rebuild, VerifyLedger, rebuild, verify_ledger
from comity.flows.maintaining.rotating import RevokeKey, RotateKey, revoke_key, rotate_key
from comity.flows.people.clearances import ChangeList, WithdrawClearance, change_list, withdraw_clearance
from comity.flows.people.places import RegisterFacility, register_facility
from comity.flows.pouch import ExportPouch, export_pouch
from comity.record.statement import chain_id
from comity.register.rows import ConsignmentRow, CopyRow, ItemRow
from world import RELATIONSHIP

from . import cast
from .ending import ENDING
from .feeding import FEEDING
from .handling import HANDLING
from .markers import OURS, SECRET
from .negotiating import CHANNEL, NEGOTIATING
from .network import Message
from .pouches import parcels_in
from .telling import TELLING
from .witness import Opening, Slip

if TYPE_CHECKING:
    from .simulation import Simulation

Doing = Callable[["Simulation", House], Awaitable[object]]
SIZES = (0, 1, 40, 1000, 1000, 5000, 5000, 300_000)
"""Sizes of documents in bytes; the last travels outside its parcel."""
STREAMED = 1_100_000
"""A document that is sealed as a stream."""
FORMS = {"electronic": 12, "documentary": 4, "magnetic": 1, "equipment": 1}
"""Forms of what is given, and how often each is; but for the first the thing itself travels, in somebody's hands."""
RECENT = 8
"""People mostly answer what was asked lately."""


@dataclass
class Asked:
    """A request, as people remember it; ``known`` is false once it was refused."""

    party: str
    request: str
    content: bytes
    recipients: tuple[str, ...]
    known: bool = False
    approved: bool = False
    assured: set[str] = field(default_factory=set)


async def ask(sim: Simulation, house: House) -> object:
    """An officer asks that a new document be given."""
    sim.asked.append(asked := _new(sim, house))
    given = await give(house, _give(sim, house, asked))
    asked.known = given.outcome == "needs-consent"
    return given


async def consider(sim: Simulation, house: House) -> object:
    """An officer looks what would happen."""
    return await preview(house, _give(sim, house, _new(sim, house)))


def _new(sim: Simulation, house: House) -> Asked:
    number = len(sim.asked)
    size = STREAMED if sim.random.random() < 0.005 else sim.random.choice(SIZES)
    content = (SECRET + b"%d " % number) * (size // 20 + 1)
    who = sim.random.choices(cast.READERS, weights=(8, 4, 2, 1, 1, 1, 1), k=sim.random.choice((1, 1, 1, 2)))
    return Asked(house.party, f"r-{number}", content, tuple(dict.fromkeys(who)))


def _give(sim: Simulation, house: House, asked: Asked) -> Give:
    peer = cast.PEER[house.party]
    path = sim.folder / f"{OURS.decode()}{asked.request}.txt"
    path.write_bytes(asked.content)
    names = [sim.pseudonyms[peer, who] for who in asked.recipients]
    return Give(
        path=str(path),
        relationship=RELATIONSHIP,
        mark=sim.random.choices(cast.MARKS[house.party], weights=(6, 6, 6, 1))[0],
        topic=sim.random.choice(cast.TOPICS),
        recipients=tuple(names) if sim.random.random() < 0.97 else (),
        purpose=sim.random.choice(cast.PURPOSES),
        request=asked.request,
        form=sim.random.choices(list(FORMS), weights=list(FORMS.values()))[0],
        actor=cast.actor(house.party, cast.OFFICER),
    )


async def release(sim: Simulation, house: House) -> object:
    """An authority (or the officer himself) approves a request of this house, or refuses to."""
    asked = _recent(sim, house.party, lambda asked: not asked.approved)
    who = sim.random.choices((cast.AUTHORITY, cast.OFFICER), weights=(15, 1))[0]
    granted = sim.random.random() < 0.9
    request = Approve(request=asked.request, reason="seen", granted=granted, actor=cast.actor(house.party, who))
    approved = await approve(house, request)
    asked.approved = granted
    return approved


async def vouch(sim: Simulation, house: House) -> object:
    """An officer gives the assurance that the other side asked for, or refuses it."""
    asked = _recent(sim, cast.PEER[house.party], lambda asked: set(asked.recipients) > asked.assured)
    who = sim.random.choices((cast.GUARD, cast.AUTHORITY), weights=(15, 1))[0]
    recipient = sim.random.choice([each for each in asked.recipients if each not in asked.assured] or asked.recipients)
    request = Assure(
        request=asked.request,
        relationship=RELATIONSHIP,
        recipient=sim.pseudonyms[house.party, recipient],
        refuse="not now" if sim.random.random() < 0.1 else None,
        actor=cast.actor(house.party, who),
    )
    answered = await assure(house, request)
    if request.refuse is None:
        asked.assured.add(recipient)
    return answered


def _recent(sim: Simulation, party: str, open_: Callable[[Asked], bool]) -> Asked:
    """A request of a party: mostly one of the latest that somebody still waits for."""
    asked = [each for each in sim.asked if each.party == party]
    waiting = [each for each in asked if each.known and open_(each)]
    if not asked:
        raise Misuse("nothing was asked yet")
    return sim.random.choice(asked if sim.random.random() < 0.1 or not waiting else waiting[-RECENT:])


async def choose_mark(sim: Simulation, house: House) -> object:
    """The registry chooses the mark of something received, sometimes one that does not correspond."""
    item = await _received(sim, house)
    mark = sim.random.choice(cast.MARKS[house.party])
    return await mark_item(house, MarkItem(item=item.item, mark=mark, actor=cast.actor(house.party, cast.GUARD)))


async def read(sim: Simulation, house: House) -> object:
    """Somebody opens something received: mostly who holds a copy, mostly for what it was given for."""
    item = await _received(sim, house)
    holders = [copy.holder async for _, copy in house.rows(CopyRow, f"{RELATIONSHIP}/{item.item}/")]
    who = [each for each in cast.READERS if sim.pseudonyms[house.party, each] in holders]
    if not who or sim.random.random() < 0.1:
        who = list(cast.READERS)
    purpose = item.provided if sim.random.random() < 0.85 else sim.random.choice(cast.PURPOSES)
    path = sim.folder / f"opened-{sim.number()}"
    opened = await open_item(
        house,
        Open(
            item=item.item,
            purpose=purpose or "none",
            path=str(path),
            actor=cast.actor(house.party, sim.random.choice(who)),
        ),
    )
    if opened.opening is not None:
        await _tell_opening(sim, house, item, path)
    return opened


async def _tell_opening(sim: Simulation, house: House, item: ItemRow, path: Path) -> None:
    if not item.consignments:  # made here, of something that was received
        sim.witness.news.openings.append(Opening(house.party, item.item, path.read_bytes()))
        path.unlink()
        return
    consignment = await house.need(ConsignmentRow, item.consignments[0].hex(), "consignment")
    sim.witness.news.openings.append(Opening(house.party, consignment.request, path.read_bytes()))
    path.unlink()


async def _received(sim: Simulation, house: House) -> ItemRow:
    items = [row async for _, row in house.rows(ItemRow) if row.originator != house.party]
    if not items:
        raise Misuse("nothing was received yet")
    return sim.random.choice(sorted(items, key=lambda row: row.registered)[-RECENT:])


async def clear(sim: Simulation, house: House) -> object:
    """A clearance is granted."""
    who = sim.random.choice(cast.READERS)
    mark = sim.random.choice(cast.MARKS[house.party][:2])
    return await cast.clear(house, who, mark, house.now() + timedelta(days=sim.random.choice((2, 300))))


async def withdraw(sim: Simulation, house: House) -> object:
    """A clearance is withdrawn."""
    request = WithdrawClearance(
        handle=cast.handle(house.party, sim.random.choice(cast.READERS)),
        reason="moved on",
        actor=cast.actor(house.party, cast.GUARD),
    )
    return await withdraw_clearance(house, request)


async def change_need(sim: Simulation, house: House) -> object:
    """A need-to-know list changes."""
    request = ChangeList(
        topic=sim.random.choice(cast.TOPICS),
        handle=cast.handle(house.party, sim.random.choice(cast.READERS)),
        listed=sim.random.random() < 0.8,
        actor=cast.actor(house.party, cast.GUARD),
    )
    return await change_list(house, request)


async def inspect_site(sim: Simulation, house: House) -> object:
    """The contractor's site is registered with what was evidenced there, sometimes all that Article 16 asks."""
    row = await house.agreement_row(RELATIONSHIP)
    agreement = (await house.library.load(row)).agreement
    asked = [
        each for checklist in agreement.checklists if checklist.bound_to == "site" for each in checklist.conditions
    ]
    request = RegisterFacility(
        facility="works",
        mark=cast.MARKS[house.party][1],
        until=house.now() + timedelta(days=300),
        conditions=tuple(asked if sim.random.random() < 0.7 else asked[1:]),
        evidence="inspected",
        actor=cast.actor(house.party, cast.GUARD),
    )
    return await register_facility(house, request)


async def enrol(sim: Simulation, house: House) -> object:
    """Somebody new comes."""
    return await cast.enrol(house, f"new_{sim.number()}")


async def look(sim: Simulation, house: House) -> object:
    """Somebody looks at one of the views."""
    view = sim.random.choice(("inbox", "outbox", "register", "why"))
    if view == "inbox":
        return await show_inbox(house, ShowInbox())
    if view == "outbox":
        return await show_outbox(house, ShowOutbox())
    if view == "register":
        return await show_register(house, ShowRegister())
    items = [row.item async for _, row in house.rows(ItemRow)]
    return await why(house, Why(of=sim.random.choice(items) if items else "i-0"))


async def verify(sim: Simulation, house: House) -> object:
    """An auditor verifies the house while it works."""
    return _sound(sim, house, "verify", await verify_ledger(house, VerifyLedger()))


async def rebuild_register(sim: Simulation, house: House) -> object:
    """An engineer rebuilds the register while the house works."""
    return _sound(sim, house, "rebuild", await rebuild(house, Rebuild()))


async def tidy(sim: Simulation, house: House) -> object:
    """An engineer removes what nobody needs, while others seal, upload and give."""
    return await collect(house, Collect())


async def change_key(sim: Simulation, house: House) -> object:
    """A key of the house is replaced, or the registry begins another epoch."""
    purpose = sim.random.choice(("record", "log", "witness", "transport", "registry"))
    return await rotate_key(house, RotateKey(purpose=purpose, days=sim.random.choice((None, 1, 60))))


async def give_key_up(sim: Simulation, house: House) -> object:
    """A key is another's from now on; what it signed until then still counts."""
    purpose = sim.random.choice(("record", "log", "witness", "transport"))
    return await revoke_key(house, RevokeKey(purpose=purpose, since=house.now()))


def _sound(sim: Simulation, house: House, act: str, verified: LedgerVerified) -> LedgerVerified:
    for finding in (each for each in verified.findings if not sim.is_lie(each.says)):
        sim.witness.news.findings.append(Slip(f"{act} in {house.party}: {finding.place}", finding.says))
    return verified


async def hand_over(sim: Simulation, house: House, place: str = "") -> object:
    """The node gives the road what the peer does not have; sometimes it begins too far, as after losing its place."""
    peer = cast.PEER[house.party]
    place = place or _place(sim)
    start = None
    if sim.random.random() < sim.network.weather.gap:
        own = house.sequencer.head(chain_id(place, house.party)).size
        start = sim.random.randint(max(0, own - 5), own)
        sim.witness.fault("network gap")
    parcel = await house.exchange.pack(place, peer, start)
    for digest, size in await house.exchange.large_blobs(parcel):
        async with house.blobs.open(digest) as blob:
            sim.network.post(Message("payload", house.party, peer, place, blob.read(), digest, size))
    send(sim, house, parcel, "parcel")
    return None


def _place(sim: Simulation) -> str:
    """Where something is handed over: under the agreement, or in the channel."""
    return sim.random.choices((RELATIONSHIP, CHANNEL), weights=(3, 1))[0]


def send(sim: Simulation, house: House, parcel: Parcel, kind: str) -> None:
    """Put a parcel on the road."""
    sim.witness.departed(house.party, parcel, sim.nodes[house.party].marks)
    sim.network.post(
        Message(
            kind, house.party, parcel.receiver, parcel.relationship, write_parcel(parcel)
        )  # the two kinds that carry one
    )


async def pack_pouch(sim: Simulation, house: House) -> object:
    """Somebody carries a pouch instead."""
    path, place = sim.folder / f"pouch-{sim.number()}", _place(sim)
    shown = await export_pouch(house, ExportPouch(relationship=place, path=str(path)))
    body = path.read_bytes()
    path.unlink()
    for parcel in parcels_in(body):
        sim.witness.departed(house.party, parcel, sim.nodes[house.party].marks)
    sim.network.post(Message("pouch", house.party, shown.receiver, place, body))
    return None


ACTS: dict[str, tuple[Doing, float]] = {
    "ask": (ask, 16),
    "consider": (consider, 2),
    "release": (release, 18),
    "vouch": (vouch, 18),
    "choose mark": (choose_mark, 8),
    "read": (read, 18),
    "clear": (clear, 2),
    "withdraw": (withdraw, 0.5),
    "change need": (change_need, 1.5),
    "inspect site": (inspect_site, 0.5),
    "enrol": (enrol, 0.5),
    "look": (look, 2),
    "verify": (verify, 0.7),
    "rebuild": (rebuild_register, 0.7),
    "collect": (tidy, 1),
    "hand over": (hand_over, 40),
    "pouch": (pack_pouch, 2),
    **HANDLING,
    **ENDING,
    **TELLING,
    **NEGOTIATING,
    **FEEDING,
}
"""Every kind of act, and how often it is done."""
CHANGING_KEYS: dict[str, tuple[Doing, float]] = {"rotate key": (change_key, 3), "revoke key": (give_key_up, 0.5)}
"""What is done besides where keys change."""


def records_named(result: object) -> tuple[bytes, ...]:
    """The records that a flow's answer names, each of which it has acknowledged."""
    names = [getattr(result, name, None) for name in ("record", "decision_record", "consignment", "opening")]
    given = getattr(result, "given", None)
    inner = records_named(given) if isinstance(given, Given) else ()
    return (*(bytes.fromhex(name) for name in names if name), *inner)


def outcome(result: object) -> str:
    """What an answer says in one word, without anything that depends on a ciphertext: a decision, or what it is."""
    decided = getattr(result, "outcome", None)
    return decided if isinstance(decided, str) else type(result).__name__
