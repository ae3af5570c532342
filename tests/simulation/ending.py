"""How information ends, and what goes wrong with it: levels, recalls, destruction, losses; as in ``acts.py``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.ending.destruction import Destroy, WitnessDestruction, destroy, witness
from comity.flows.ending.levels import Reclassify, reclassify
from comity.flows.ending.recalls import EndPurpose, LiftRecall, Recall, end_purpose, lift, recall
from comity.flows.ending.returning import SendBack, TakeBack, send_back, take_back
from comity.flows.house import House
from comity.flows.incidents.investigating import (
    CloseIncident,
    Investigate,
    ReleaseItems,
    TellResult,
    close_incident,
    investigate,
    release_items,
    tell_result,
)
from comity.flows.incidents.reporting import ReportIncident, report_incident
from comity.register.rows import ItemRow
from comity.register.rows.ending import EndingRow, RecallRow
from comity.register.rows.incidents import IncidentRow

from . import cast
from .handling import RECENT, WRONG, copy_in, handle_of, one, recent

if TYPE_CHECKING:
    from .simulation import Simulation

Doing = Callable[["Simulation", House], Awaitable[object]]
METHODS = ("erase-key", "shred", "burn")


async def _given(sim: Simulation, house: House) -> ItemRow:
    """An item that this house gave, mostly."""
    found = [row async for _, row in house.rows(ItemRow)]
    ours = [row for row in found if row.originator == house.party and row.consignments]
    wanted = found if sim.random.random() < WRONG else ours
    if not wanted:
        raise Misuse("nothing was given yet")
    return sim.random.choice(sorted(wanted, key=lambda row: row.registered)[-RECENT:])


def _authority(sim: Simulation, house: House) -> Actor:
    return cast.actor(house.party, sim.random.choices((cast.AUTHORITY, cast.OFFICER), weights=(15, 1))[0])


# ---- the level changes ----------------------------------------------------------------------------------------------


async def change_level(sim: Simulation, house: House) -> object:
    """An originator raises, lowers or ends the level of what it gave, or somebody tries to of what he got."""
    item = await _given(sim, house)
    request = Reclassify(
        item=item.item,
        mark=sim.random.choice((*cast.MARKS[house.party], "")),
        reason="looked at again",
        review=house.now() + timedelta(days=30) if sim.random.random() < 0.3 else None,
        actor=_authority(sim, house),
    )
    return await reclassify(house, request)


# ---- it ends --------------------------------------------------------------------------------------------------------


async def call_back(sim: Simulation, house: House) -> object:
    """Whoever gave something asks for it back."""
    item = await _given(sim, house)
    request = Recall(
        item=item.item,
        asks=sim.random.choice(("return", "destroy", "either")),
        reason="given in error",
        answer_by=house.now() + timedelta(days=9) if sim.random.random() < 0.5 else None,
        actor=_authority(sim, house),
    )
    return await recall(house, request)


async def lift_recall(sim: Simulation, house: House) -> object:
    """Whoever asked for something back asks no more."""
    found = await recent(house, RecallRow)
    row = one(sim, found, "recall", lambda row: row.recalled and row.author == house.party)
    item = next(key for key, each in found if each is row).rpartition("/")[2]
    return await lift(house, LiftRecall(item=item, reason="found in order", actor=_authority(sim, house)))


async def need_no_more(sim: Simulation, house: House) -> object:
    """A recipient no longer needs something."""
    copy = await copy_in(sim, house, "held")
    actor = cast.actor(house.party, sim.random.choices((cast.GUARD, cast.OFFICER), weights=(9, 1))[0])
    return await end_purpose(house, EndPurpose(item=copy.item, reason="the season is over", actor=actor))


async def return_copy(sim: Simulation, house: House) -> object:
    """A holder sends his copy back."""
    copy = await copy_in(sim, house, "held")
    actor = Actor(handle_of(sim, house, copy.holder))
    return await send_back(house, SendBack(item=copy.item, copy=copy.number, reason="no longer needed", actor=actor))


async def receive_back(sim: Simulation, house: House) -> object:
    """The registry of whoever gave a copy signs for its return."""
    copy = await copy_in(sim, house, "in transit", mine=False, fits=lambda copy: copy.going_back)
    actor = cast.actor(house.party, sim.random.choices((cast.GUARD, cast.OFFICER), weights=(12, 1))[0])
    return await take_back(house, TakeBack(item=copy.item, copy=copy.number, actor=actor))


async def destroy_copy(sim: Simulation, house: House) -> object:
    """A holder destroys his copy."""
    copy = await copy_in(sim, house, "held")
    request = Destroy(
        item=copy.item,
        copy=copy.number,
        method=sim.random.choice(METHODS),
        reason="no longer needed",
        crisis=sim.random.random() < 0.1,
        actor=Actor(handle_of(sim, house, copy.holder)),
    )
    done = await destroy(house, request)
    if done.certificate is not None:
        sim.certificates.append((house.party, done.certificate.certificate))
    return done


async def see_destroyed(sim: Simulation, house: House) -> object:
    """Somebody signs that he saw a copy destroyed, or that he did not."""
    known = {certificate for party, certificate in sim.certificates if party == house.party}
    found = [(key, row) for key, row in await recent(house, EndingRow) if row.certificate in known]
    ending = one(sim, found, "certificate", lambda row: row.pending)
    seen = sim.random.random() < 0.9
    request = WitnessDestruction(
        certificate=ending.certificate,
        seen=seen,
        reason="" if seen else "I was elsewhere",
        actor=cast.actor(house.party, sim.random.choices(cast.READERS, weights=(6, 6, 2, 1, 1, 1, 1))[0]),
    )
    return await witness(house, request)


# ---- it goes wrong --------------------------------------------------------------------------------------------------


async def report(sim: Simulation, house: House) -> object:
    """Somebody reports that something is lost, got out, or may have."""
    copy = await copy_in(sim, house, "held", "in transit")
    what = sim.random.choice(("lost", "compromised", "suspected"))
    request = ReportIncident(
        items=(copy.item,),
        what=what,
        circumstances="the safe stood open",
        copies=(copy.number,) if what == "lost" else (),
        actor=Actor(handle_of(sim, house, copy.holder)),
    )
    return await report_incident(house, request)


async def look_into(sim: Simulation, house: House) -> object:
    """A security officer opens an investigation."""
    incident = await _incident(sim, house, lambda row: row.investigated is None)
    request = Investigate(incident=incident, note="by two officers", actor=_guard(sim, house))
    return await investigate(house, request)


async def tell_outcome(sim: Simulation, house: House) -> object:
    """He tells what came of it, or what keeps it from happening again, or both."""
    outcomes = (("found in a drawer", ""), ("", "a second lock"), ("sold", "a lock"), ("burnt", "a lock"))
    result, measures = sim.random.choice(outcomes)
    incident = await _incident(sim, house, lambda row: row.investigated is not None)
    request = TellResult(incident=incident, result=result, measures=measures, actor=_guard(sim, house))
    return await tell_result(house, request)


async def release_again(sim: Simulation, house: House) -> object:
    """What was suspended may be opened again."""
    incident = await _incident(sim, house, lambda row: row.released is None)
    request = ReleaseItems(incident=incident, reason="it is clear", actor=_guard(sim, house))
    return await release_items(house, request)


async def close(sim: Simulation, house: House) -> object:
    """An incident is closed."""
    request = CloseIncident(
        incident=await _incident(sim, house, lambda row: row.reported is not None),
        reason="nothing is left to do",
        false_alarm=sim.random.random() < 0.2,
        actor=_guard(sim, house),
    )
    return await close_incident(house, request)


async def _incident(sim: Simulation, house: House, fits: Callable[[IncidentRow], bool]) -> str:
    """An incident that this house reported, and that is not over."""
    found = await recent(house, IncidentRow)
    return one(
        sim, found, "incident", lambda row: row.author == house.party and row.closed is None and fits(row)
    ).incident


def _guard(sim: Simulation, house: House) -> Actor:
    return cast.actor(house.party, sim.random.choices((cast.GUARD, cast.OFFICER), weights=(15, 1))[0])


ENDING: dict[str, tuple[Doing, float]] = {
    "change level": (change_level, 1.5),
    "call back": (call_back, 1),
    "lift recall": (lift_recall, 0.7),
    "need no more": (need_no_more, 0.7),
    "return": (return_copy, 1.5),
    "receive back": (receive_back, 2),
    "destroy": (destroy_copy, 5),
    "see destroyed": (see_destroyed, 2.5),
    "report": (report, 1),
    "look into": (look_into, 1.2),
    "tell outcome": (tell_outcome, 1.5),
    "release again": (release_again, 0.9),
    "close": (close, 1.2),
}
"""Every kind of act by which information ends or goes wrong, and how often it is done."""
