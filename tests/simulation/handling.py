"""What people do with information after it has crossed: one function for each kind of act, as in ``acts.py``.

Nobody here knows better either: copies are handed to people who may not have them, destroyed twice, found before they
were lost, and passed on without a word to the originator.
"""

from __future__ import annotations

from base64 import b32encode
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.consenting.consent_requests import AskConsent, ask_consent
from comity.flows.consenting.granting import (
    AnswerConsent,
    GrantConsent,
    WithdrawConsent,
    answer_consent,
    grant_consent,
    withdraw_consent,
)
from comity.flows.consenting.passing_on import AskPassOn, SealPassOn, ask_pass_on, seal_pass_on
from comity.flows.deriving.derivation import Derive, derive
from comity.flows.giving.answering import Approve, approve
from comity.flows.handling.copy_references import reference_of
from comity.flows.handling.copying import MakeCopies, make_copies
from comity.flows.handling.handing_over import Carry, HandOver, TakeOver, carry, hand_over, take_over
from comity.flows.handling.losing import FindCopy, LoseCopy, find_again, lose_copy
from comity.flows.house import House
from comity.flows.looking.findings import Explain, explain
from comity.flows.looking.muster import Begin, CountCopies, DropMuster, SignMuster, begin, count, drop, sign
from comity.record.bodies.custody import DoubleEnvelope
from comity.register.rows import CopyRow, ItemRow, RequestRow, Row
from comity.register.rows.consents import ConsentAskedRow, ConsentRow
from comity.register.rows.inventory import FindingRow
from comity.seal.x25519 import X25519Identity
from world import RELATIONSHIP

from . import cast
from .markers import OURS, SECRET

if TYPE_CHECKING:
    from .simulation import Simulation

R = TypeVar("R", bound=Row)
Doing = Callable[["Simulation", House], Awaitable[object]]
RECENT = 12
"""People mostly handle what moved lately."""
THIRD = "us"
"""A body outside the parties."""
ABROAD = str(X25519Identity(bytes(range(1, 33))).recipient)
"""Its age recipient."""
ENVELOPES = DoubleEnvelope(
    inner_mark="SECRET",
    inner_address="the desk of the reader",
    outer_recipient="Ministry of Defence, there",
    outer_sender="Ministry of Defence, here",
    register_number="117",
)
WRONG = 0.08
"""How often somebody picks the wrong copy, the wrong person or the wrong moment."""


async def recent(house: House, kind: type[R], prefix: str = f"{RELATIONSHIP}/") -> list[tuple[str, R]]:
    """The rows of a kind in this relationship, oldest first."""
    return [(key, row) async for key, row in house.rows(kind, prefix)]


def one(sim: Simulation, found: list[tuple[str, R]], what: str, fits: Callable[[R], bool] = lambda _: True) -> R:
    """One of some rows, mostly a late one, and mostly one that fits."""
    wanted = found if sim.random.random() < WRONG else [each for each in found if fits(each[1])]
    if not wanted:
        raise Misuse(f"there is no {what} yet")
    return sim.random.choice(wanted[-RECENT:])[1]


async def copy_in(
    sim: Simulation, house: House, *states: str, mine: bool = True, fits: Callable[[CopyRow], bool] = lambda _: True
) -> CopyRow:
    """A copy in one of these states, mostly; held by people of this house if ``mine``, of the other if not."""
    people = {name for (party, _), name in sim.pseudonyms.items() if (party == house.party) == mine}

    def wanted(copy: CopyRow) -> bool:
        return copy.state in states and bool({copy.holder, copy.taker} & people) and fits(copy)

    return one(sim, await recent(house, CopyRow), "copy in such a state", wanted)


def handle_of(sim: Simulation, house: House, pseudonym: str | None) -> str:
    """What the house calls the person of a pseudonym; sometimes the wrong one, always so for somebody else's."""
    who = [each for (party, each), name in sim.pseudonyms.items() if party == house.party and name == pseudonym]
    if not who or sim.random.random() < WRONG:
        who = [*cast.READERS, cast.GUARD]
    return cast.handle(house.party, sim.random.choice(who))


def _somebody(sim: Simulation, house: House) -> str:
    return cast.handle(house.party, sim.random.choices(cast.READERS, weights=(6, 6, 2, 1, 1, 1, 1))[0])


async def _item(house: House, item: str) -> ItemRow:
    return await house.need(ItemRow, item, "item")


async def _purpose(sim: Simulation, house: House, item: str) -> str:
    provided = (await _item(house, item)).provided
    return provided if provided and sim.random.random() > WRONG else sim.random.choice(cast.PURPOSES)


# ---- copies ---------------------------------------------------------------------------------------------------------


async def reproduce(sim: Simulation, house: House) -> object:
    """A holder copies what he holds."""
    copy = await copy_in(sim, house, "held")
    request = MakeCopies(
        item=copy.item,
        copy=copy.number,
        holders=tuple(_somebody(sim, house) for _ in range(sim.random.choice((1, 1, 2)))),
        purpose=await _purpose(sim, house, copy.item),
        actor=Actor(handle_of(sim, house, copy.holder)),
    )
    return await make_copies(house, request)


async def hand_on(sim: Simulation, house: House) -> object:
    """A holder hands his copy over."""
    copy = await copy_in(sim, house, "held")
    request = HandOver(
        item=copy.item,
        copy=copy.number,
        taker=_somebody(sim, house),
        actor=Actor(handle_of(sim, house, copy.holder)),
    )
    return await hand_over(house, request)


async def sign_for(sim: Simulation, house: House) -> object:
    """Somebody signs for a copy that was sent to him."""
    copy = await copy_in(sim, house, "in transit", fits=lambda copy: copy.taker is not None)
    actor = Actor(handle_of(sim, house, copy.taker))
    condition = "a corner is torn" if sim.random.random() < WRONG else ""
    return await take_over(house, TakeOver(item=copy.item, copy=copy.number, actor=actor, condition=condition))


async def carry_on(sim: Simulation, house: House) -> object:
    """A carrier of either side takes a copy over on its way."""
    mine = sim.random.random() < 0.5
    copy = await copy_in(sim, house, "in transit", mine=mine, fits=lambda copy: copy.sent is not None)
    actor = cast.actor(house.party, sim.random.choice((cast.CARRIER, cast.OFFICER, cast.ENVOY)))
    packing = ENVELOPES if sim.random.random() < 0.5 else None
    return await carry(house, Carry(item=reference_of(copy), actor=actor, packing=packing))


async def lose(sim: Simulation, house: House) -> object:
    """A copy cannot be found."""
    copy = await copy_in(sim, house, "held", "in transit")
    actor = Actor(handle_of(sim, house, copy.holder))
    return await lose_copy(house, LoseCopy(item=copy.item, copy=copy.number, circumstances="not there", actor=actor))


async def find(sim: Simulation, house: House) -> object:
    """A lost copy is there again."""
    copy = await copy_in(sim, house, "lost")
    actor = Actor(handle_of(sim, house, copy.holder))
    return await find_again(house, FindCopy(item=copy.item, copy=copy.number, circumstances="behind it", actor=actor))


# ---- what is made of it ---------------------------------------------------------------------------------------------


async def make(sim: Simulation, house: House) -> object:
    """A holder translates, extracts from, or writes something that contains what he holds."""
    copy = await copy_in(sim, house, "held")
    relation = sim.random.choice(("translation", "extract", "contains"))
    path = sim.folder / f"{OURS.decode()}made-{sim.number()}.txt"
    content = SECRET * sim.random.choice((1, 40))
    path.write_bytes(content)
    item = f"i-{b32encode(sim.random.randbytes(10)).decode().lower()}"
    sim.made[item] = content
    request = Derive(
        item=item,
        path=str(path),
        relation=relation,
        ancestors=(copy.item,),
        purpose=await _purpose(sim, house, copy.item),
        actor=Actor(handle_of(sim, house, copy.holder)),
        holders=(_somebody(sim, house),) if sim.random.random() < 0.5 else (),
        language=sim.random.choice(("en", "ja", "ko")) if relation == "translation" else None,
    )
    return await derive(house, request)


# ---- consent and passing on -----------------------------------------------------------------------------------------


async def ask_originator(sim: Simulation, house: House) -> object:
    """Somebody asks the originator for its consent, mostly to pass a copy on."""
    copy = await copy_in(sim, house, "held")
    passing = sim.random.random() < 0.8
    request = AskConsent(
        item=copy.item,
        acts=("pass-on",) if passing else ("open",),
        beneficiary=THIRD if passing else house.party,
        beneficiary_kind="government" if passing else "party",
        purpose=sim.random.choice(cast.PURPOSES) if passing else _other((await _item(house, copy.item)).provided),
        reason="they watch the same sea",
        until=house.now() + timedelta(days=sim.random.choice((1, 60))),
        answer_by=house.now() + timedelta(days=10) if sim.random.random() < 0.3 else None,
        actor=cast.actor(house.party, sim.random.choices((cast.OFFICER, cast.GUARD, "reader"), weights=(6, 6, 1))[0]),
    )
    return await ask_consent(house, request)


def _other(purpose: str | None) -> str:
    return next(each for each in cast.PURPOSES if each != purpose)


async def consent(sim: Simulation, house: House) -> object:
    """The originator answers a request for its consent."""
    found = await recent(house, ConsentAskedRow)
    asked = one(sim, found, "request for consent", lambda row: row.author != house.party and row.consent is None)
    request = AnswerConsent(
        request=asked.request,
        granted=sim.random.random() < 0.8,
        reason="considered",
        conditions=("for eyes only",) if sim.random.random() < 0.3 else (),
        actor=cast.actor(house.party, sim.random.choices((cast.AUTHORITY, cast.OFFICER), weights=(12, 1))[0]),
    )
    return await answer_consent(house, request)


async def consent_unasked(sim: Simulation, house: House) -> object:
    """An originator consents to a whole topic."""
    request = GrantConsent(
        relationship=RELATIONSHIP,
        acts=("pass-on",),
        beneficiaries=(THIRD,),
        purpose=sim.random.choice(cast.PURPOSES),
        until=house.now() + timedelta(days=20),
        reason="they share the load",
        topic=sim.random.choice(cast.TOPICS),
        actor=cast.actor(house.party, cast.AUTHORITY),
    )
    return await grant_consent(house, request)


async def take_back(sim: Simulation, house: House) -> object:
    """A consent is withdrawn, sometimes by whoever got it."""
    given = one(sim, await recent(house, ConsentRow), "consent", lambda row: row.author == house.party)
    actor = cast.actor(house.party, cast.AUTHORITY)
    return await withdraw_consent(house, WithdrawConsent(consent=given.consent, reason="no longer", actor=actor))


async def ask_to_pass_on(sim: Simulation, house: House) -> object:
    """A holder asks that his copy may go to somebody outside, mostly where the originator has consented."""
    given = one(sim, await recent(house, ConsentRow), "consent", lambda row: row.author != house.party and row.granted)
    topics = {row.item: row.topic async for _, row in house.rows(ItemRow)}

    def covered(copy: CopyRow) -> bool:
        return copy.item == given.item or (given.topic is not None and topics.get(copy.item) == given.topic)

    copy = await copy_in(sim, house, "held", fits=covered)
    request = AskPassOn(
        item=copy.item,
        copy=copy.number,
        beneficiary=THIRD,
        beneficiary_kind="government",
        recipient=ABROAD,
        purpose=given.purpose,
        actor=Actor(handle_of(sim, house, copy.holder)),
    )
    told = await ask_pass_on(house, request)
    if told.request:
        sim.passing.append((house.party, told.request, request.actor.handle))
    return told


async def release_abroad(sim: Simulation, house: House) -> object:
    """An authority approves that a copy is passed on, or does not."""
    request, _ = await _passing(sim, house, lambda row: not row.approvals)
    granted = sim.random.random() < 0.9
    actor = cast.actor(house.party, cast.AUTHORITY)
    return await approve(house, Approve(request=request, reason="seen", granted=granted, actor=actor))


async def pass_on(sim: Simulation, house: House) -> object:
    """The holder passes the copy on, if he may."""
    request, holder = await _passing(sim, house, lambda row: bool(row.approvals) and row.consignment is None)
    path = sim.folder / f"abroad-{sim.number()}.age"
    told = await seal_pass_on(house, SealPassOn(request=request, path=str(path), actor=Actor(holder)))
    path.unlink(missing_ok=True)
    return told


async def _passing(sim: Simulation, house: House, fits: Callable[[RequestRow], bool]) -> tuple[str, str]:
    """A request of this house to pass something on, and who made it."""
    holders = {request: holder for party, request, holder in sim.passing if party == house.party}
    asked = [(key, row) for key, row in await recent(house, RequestRow, "") if key in holders]
    request = one(sim, asked, "request to pass something on", fits).request
    return request, holders[request]


# ---- counting -------------------------------------------------------------------------------------------------------


async def count_copies(sim: Simulation, house: House) -> object:
    """The registry counts what is here, and does not always find everything."""
    actor = cast.actor(house.party, cast.GUARD)
    if sim.random.random() < 0.1:
        return await drop(house, DropMuster(actor=actor))
    begun = await begin(house, Begin(actor=actor))
    held = [row for _, row in await recent(house, CopyRow) if row.state == "held"]
    people = {name for (party, _), name in sim.pseudonyms.items() if party == house.party}
    here = [f"{row.item}/{row.number}" for row in held if row.holder in people and sim.random.random() > WRONG]
    if here:
        await count(house, CountCopies(references=tuple(here[:200]), actor=actor, muster=begun.muster))
    return await sign(house, SignMuster(actor=actor, muster=begun.muster))


async def explain_finding(sim: Simulation, house: House) -> object:
    """Somebody says why something did not add up."""
    finding = one(sim, await recent(house, FindingRow, ""), "finding", lambda row: row.explained is None)
    request = Explain(
        finding=f"{finding.source}/{finding.number}",
        reason="it lay on the other table",
        actor=cast.actor(house.party, cast.GUARD),
    )
    return await explain(house, request)


HANDLING: dict[str, tuple[Doing, float]] = {
    "reproduce": (reproduce, 4),
    "hand on": (hand_on, 4),
    "sign for": (sign_for, 4),
    "carry": (carry_on, 2),
    "lose": (lose, 1.5),
    "find": (find, 1.5),
    "make": (make, 3),
    "ask originator": (ask_originator, 4),
    "consent": (consent, 2.5),
    "consent unasked": (consent_unasked, 1.5),
    "take back": (take_back, 0.8),
    "ask to pass on": (ask_to_pass_on, 4),
    "release abroad": (release_abroad, 3.5),
    "pass on": (pass_on, 4),
    "count": (count_copies, 1.5),
    "explain": (explain_finding, 1.2),
}
"""Every kind of act on what has crossed, and how often it is done."""
