"""What the parties negotiate, in a channel of its own, and what they tell of an end; as in ``acts.py``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from comity.errors import Misuse
from comity.flows.agreeing.end_notes import TellEndNote, tell_end_note
from comity.flows.agreeing.layers import TellLayer, tell_layer
from comity.flows.agreeing.negotiating import (
    ApproveDraft,
    InitialDraft,
    NameDelegates,
    OpenNegotiation,
    PostponeSignature,
    ProposeDraft,
    SignDraft,
    WithdrawNegotiation,
    approve_draft,
    initial_draft,
    name_delegates,
    open_negotiation,
    postpone_signature,
    propose_draft,
    sign_draft,
    withdraw_negotiation,
)
from comity.flows.house import House
from comity.register.rows.negotiation import NegotiationRow
from comity.register.rows.term import EndNotesRow
from world import RELATIONSHIP, library

from . import cast
from .handling import one, recent

if TYPE_CHECKING:
    from .simulation import Simulation

Doing = Callable[["Simulation", House], Awaitable[object]]
CHANNEL = "talks/jp.kr"
TEXT = library("jp-kr-2016.toml").replace('id = "jp-kr-2016"', 'id = "jp-kr-supply"', 1)
NEGOTIATIONS_MAX = 1
"""So many at a time: more than one would seldom come to anything."""


async def _negotiation(sim: Simulation, house: House, *states: str) -> NegotiationRow:
    found = await recent(house, NegotiationRow, f"{CHANNEL}/")
    return one(sim, found, "negotiation", lambda row: not states or row.standing.state in states)


def _envoy(house: House) -> object:
    return cast.actor(house.party, cast.ENVOY)


async def begin(sim: Simulation, house: House) -> object:
    """A negotiation is asked for, or whoever was asked says who takes part."""
    found = await recent(house, NegotiationRow, f"{CHANNEL}/")
    officer = cast.handle(house.party, cast.OFFICER)
    for _, row in found:
        if not row.delegates(house.party):
            answer = NameDelegates(negotiation=row.negotiation, delegates=(officer,), actor=_envoy(house))
            return await name_delegates(house, answer)
    if sum(row.standing.state not in ("signed", "withdrawn") for _, row in found) >= NEGOTIATIONS_MAX:
        raise Misuse("enough is negotiated", code="enough")
    opening = OpenNegotiation(
        peer=cast.PEER[house.party], about="agreement", title="supply", delegates=(officer,), actor=_envoy(house)
    )
    return await open_negotiation(house, opening)


async def propose(sim: Simulation, house: House) -> object:
    """A draft; now and then one that opens a text again."""
    states = ("negotiated",) if sim.random.random() < 0.8 else ("negotiated", "initialled", "approved")
    row = await _negotiation(sim, house, *states)
    if row.drafts and sim.random.random() < 0.7:
        raise Misuse("there is a draft to talk about", code="enough")
    text = TEXT.replace('version = "2016-11-23"', f'version = "{sim.number()}"', 1)
    draft = ProposeDraft(
        negotiation=row.negotiation, text=text, name="draft.toml", actor=cast.actor(house.party, cast.OFFICER)
    )
    return await propose_draft(house, draft)


async def initial(sim: Simulation, house: House) -> object:
    """Initials, mostly under what has some already."""
    row = await _negotiation(sim, house, "negotiated")
    drafts = [*row.standing.initials.values(), *(each.draft for each in row.drafts[::-1])] or ["jp-1"]
    draft = drafts[0] if sim.random.random() < 0.8 else sim.random.choice(drafts)
    request = InitialDraft(negotiation=row.negotiation, draft=draft, actor=cast.actor(house.party, cast.OFFICER))
    return await initial_draft(house, request)


async def approve_at_home(sim: Simulation, house: House) -> object:
    """A text is approved at home."""
    row = await _negotiation(sim, house, "initialled", "approved")
    request = ApproveDraft(
        negotiation=row.negotiation, body="Cabinet", act="decision", day=f"{house.now():%Y-%m-%d}", actor=_envoy(house)
    )
    return await approve_draft(house, request)


async def sign(sim: Simulation, house: House) -> object:
    """A text is signed."""
    row = await _negotiation(sim, house, "approved")
    return await sign_draft(house, SignDraft(negotiation=row.negotiation, actor=_envoy(house)))


async def put_off(sim: Simulation, house: House) -> object:
    """The signature is put off."""
    row = await _negotiation(sim, house, "approved")
    request = PostponeSignature(negotiation=row.negotiation, reason="not today", actor=_envoy(house))
    return await postpone_signature(house, request)


async def give_up(sim: Simulation, house: House) -> object:
    """A side withdraws."""
    row = await _negotiation(sim, house)
    request = WithdrawNegotiation(negotiation=row.negotiation, reason="no majority", actor=_envoy(house))
    return await withdraw_negotiation(house, request)


async def note_end(sim: Simulation, house: House) -> object:
    """A note about the end: a notice, or what becomes of the newest one; it moves no history."""
    row = await house.row(EndNotesRow, f"{RELATIONSHIP}/{house.party}")
    step = sim.random.choice(("notice", "suspension", "reactivation", "withdrawal"))
    request = TellEndNote(
        relationship=RELATIONSHIP,
        step=step,
        note=f"note {sim.number()}",
        day=f"{house.now():%Y-%m-%d}",
        notice=row.notes[-1].notice if row is not None and step != "notice" else None,
        actor=_envoy(house),
    )
    return await tell_end_note(house, request)


async def tell_of_layer(sim: Simulation, house: House) -> object:
    """A party tells of its domestic layer, or that it holds no longer."""
    request = TellLayer(
        relationship=RELATIONSHIP,
        text=library(f"{house.party}-domestic.example.toml"),
        name="layer.toml",
        since=f"{house.now():%Y-%m-%d}",
        withdrawn=sim.random.random() < 0.4,
        actor=_envoy(house),
    )
    return await tell_layer(house, request)


async def go_on(sim: Simulation, house: House) -> object:
    """Whatever this side has to do next for it to come to a signature."""
    row = await _negotiation(sim, house, "negotiated", "initialled", "approved")
    acts: dict[str, Doing] = {"negotiated": initial, "initialled": approve_at_home, "approved": sign}
    if not row.delegates(house.party):
        return await begin(sim, house)
    readable = [each for each in row.drafts if {*each.readers} & {*row.delegates(house.party)}]
    return await (acts.get(row.standing.state, sign) if readable else propose)(sim, house)


NEGOTIATING: dict[str, tuple[Doing, float]] = {
    "begin negotiation": (begin, 1),
    "go on": (go_on, 10),
    "propose": (propose, 0.5),
    "initial": (initial, 0.5),
    "approve at home": (approve_at_home, 0.5),
    "sign": (sign, 2),
    "put off": (put_off, 0.5),
    "give up": (give_up, 0.3),
    "note end": (note_end, 0.7),
    "tell of layer": (tell_of_layer, 0.4),
}
"""Every kind of act about a text that is negotiated, or about the end of one, and how often it is done."""
