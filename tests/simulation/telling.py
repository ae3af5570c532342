"""What the parties tell each other: authorities, laws, disputes, deposits, showings, visits; as in ``acts.py``."""

from __future__ import annotations

from base64 import b32encode
from collections.abc import Awaitable, Callable
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from comity.flows.actors import Actor
from comity.flows.agreeing.deposits import MakeDeposit, RevealDeposit, make_deposit, reveal_deposit
from comity.flows.agreeing.disputes import (
    AnswerDispute,
    OpenDispute,
    SettleDispute,
    answer_dispute,
    open_dispute,
    settle_dispute,
)
from comity.flows.agreeing.notices import (
    AnswerLaws,
    AskLaws,
    Designate,
    NotifyLaw,
    answer_laws,
    ask_laws,
    designate,
    notify_law,
)
from comity.flows.consenting.showing import AskShow, DoneShow, ask_show, done_show
from comity.flows.giving.answering import Approve, Assure, approve, assure
from comity.flows.house import House
from comity.flows.people.permitting import PermitVisit, RefuseVisit, permit_visit, refuse_visit
from comity.flows.people.visits import (
    AskVisit,
    CloseFinding,
    EndVisit,
    MakeFinding,
    ask_visit,
    close_finding,
    end_visit,
    make_finding,
)
from comity.register.rows import AskedRow, RequestRow
from comity.register.rows.notices import DepositRow, DisputeRow, LawRequestRow
from comity.register.rows.visits import FindingRow, VisitRow
from world import RELATIONSHIP

from . import cast
from .handling import copy_in, handle_of, one, recent
from .markers import OURS

if TYPE_CHECKING:
    from .simulation import Simulation

Doing = Callable[["Simulation", House], Awaitable[object]]
LEAD_DAYS = 22
"""How long ahead people ask for a visit: one day more than the arrangement wants."""


def _envoy(sim: Simulation, house: House) -> Actor:
    return cast.actor(house.party, sim.random.choices((cast.ENVOY, cast.OFFICER), weights=(20, 1))[0])


# ---- authorities and laws -------------------------------------------------------------------------------------------


async def name_authority(sim: Simulation, house: House) -> object:
    """A party tells which body is its competent authority."""
    number = sim.number()
    request = Designate(
        relationship=RELATIONSHIP,
        authority=f"Ministry {number}",
        since=f"{house.now():%Y-%m-%d}",
        note=f"note {number}",
        actor=_envoy(sim, house),
    )
    return await designate(house, request)


async def tell_law(sim: Simulation, house: House) -> object:
    """A party tells of a law that affects protection."""
    number = sim.number()
    request = NotifyLaw(
        relationship=RELATIONSHIP,
        title=f"Act {number}",
        change=sim.random.choice(("stated", "enacted")),
        in_force=f"{house.now():%Y-%m-%d}",
        says="more is asked of contractors",
        note=f"note {number}",
        actor=_envoy(sim, house),
    )
    return await notify_law(house, request)


async def ask_law(sim: Simulation, house: House) -> object:
    """A party asks what the other's laws say."""
    request = AskLaws(relationship=RELATIONSHIP, matter="who may see what", actor=_envoy(sim, house))
    return await ask_laws(house, request)


async def answer_law(sim: Simulation, house: House) -> object:
    """The other one answers."""
    found = await recent(house, LawRequestRow)
    asked = one(sim, found, "request for laws", lambda row: row.author != house.party and row.answer is None)
    request = AnswerLaws(
        relationship=RELATIONSHIP,
        request=asked.request,
        laws=(),
        says="nothing beyond the agreement",
        note="by letter",
        actor=_envoy(sim, house),
    )
    return await answer_laws(house, request)


# ---- disputes and deposits ------------------------------------------------------------------------------------------


async def dispute(sim: Simulation, house: House) -> object:
    """A party opens a consultation about how a clause is to be read."""
    request = OpenDispute(
        relationship=RELATIONSHIP,
        about="reading",
        subject="6.h",
        question="when is a purpose over?",
        position="when we say so",
        actor=_envoy(sim, house),
    )
    return await open_dispute(house, request)


async def state_position(sim: Simulation, house: House) -> object:
    """A party states its position."""
    row = one(sim, await recent(house, DisputeRow), "dispute")
    return await answer_dispute(
        house, AnswerDispute(dispute=row.dispute, says="when both say so", actor=_envoy(sim, house))
    )


async def settle(sim: Simulation, house: House) -> object:
    """A party signs a settlement, mostly the text that the other side has signed."""
    row = one(sim, await recent(house, DisputeRow), "dispute")
    text = sim.random.choice(("when both say so", "when both say so", "by the calendar"))
    if any(each.party != house.party for each in row.proposed) and sim.random.random() < 0.7:
        theirs = next(each for each in row.proposed if each.party != house.party)
        request = SettleDispute(dispute=row.dispute, digest=theirs.digest.hex(), actor=_envoy(sim, house))
    else:
        request = SettleDispute(dispute=row.dispute, text=text, actor=_envoy(sim, house))
    return await settle_dispute(house, request)


async def deposit(sim: Simulation, house: House) -> object:
    """A party commits to a statement that it keeps to itself."""
    path = sim.folder / f"{OURS.decode()}deposit-{sim.number()}.txt"
    path.write_bytes(sha256(path.name.encode()).hexdigest().encode())
    request = MakeDeposit(path=str(path), relationship=RELATIONSHIP, about="a sensor's log", actor=_envoy(sim, house))
    return await make_deposit(house, request)


async def reveal(sim: Simulation, house: House) -> object:
    """A party reveals what it committed to."""
    found = await recent(house, DepositRow)
    row = one(sim, found, "deposit", lambda row: row.party == house.party and row.reveal is None)
    return await reveal_deposit(house, RevealDeposit(deposit=row.deposit, actor=_envoy(sim, house)))


# ---- showing --------------------------------------------------------------------------------------------------------


async def ask_to_show(sim: Simulation, house: House) -> object:
    """An officer asks to show something by word or sight, what is his or what he was given."""
    peer = cast.PEER[house.party]
    who = sim.random.choices(cast.READERS, weights=(8, 4, 2, 1, 1, 1, 1))[0]
    ours = sim.random.random() < 0.8
    item = None if ours else (await copy_in(sim, house, "held")).item
    request = AskShow(
        relationship=RELATIONSHIP,
        recipients=(sim.pseudonyms[peer, who],),
        manner=sim.random.choice(("oral", "visual")),
        purpose=sim.random.choice(cast.PURPOSES),
        actor=cast.actor(house.party, cast.OFFICER),
        item=item,
        mark=sim.random.choice(cast.MARKS[house.party]) if ours else "",
        topic=sim.random.choice(cast.TOPICS) if ours else "",
        title=f"{OURS.decode()}what was said" if ours else "",
        request=f"r-{b32encode(sim.random.randbytes(10)).decode().lower()}",
    )
    told = await ask_show(house, request)
    if told.request:
        sim.showings.append((house.party, told.request, who))
    return told


async def approve_show(sim: Simulation, house: House) -> object:
    """An authority approves that something is shown."""
    request = await _to_show(sim, house, lambda row: not row.approvals)
    actor = cast.actor(house.party, cast.AUTHORITY)
    return await approve(house, Approve(request=request, reason="seen", actor=actor))


async def assure_show(sim: Simulation, house: House) -> object:
    """The other side assures that whoever is to be shown something may be."""
    asked = {request: who for party, request, who in sim.showings if party != house.party}
    found = [(key, row) for key, row in await recent(house, AskedRow) if row.request in asked]
    row = one(sim, found, "request to show something", lambda row: not row.answered)
    request, who = row.request, asked[row.request]
    recipient = sim.pseudonyms[house.party, who]
    actor = cast.actor(house.party, cast.GUARD)
    return await assure(house, Assure(request=request, relationship=RELATIONSHIP, recipient=recipient, actor=actor))


async def show(sim: Simulation, house: House) -> object:
    """The officer shows it, if he may, and says so."""
    request = await _to_show(sim, house, lambda row: bool(row.approvals) and row.consignment is None)
    return await done_show(house, DoneShow(request=request, actor=cast.actor(house.party, cast.OFFICER)))


async def _to_show(sim: Simulation, house: House, fits: Callable[[RequestRow], bool]) -> str:
    """A request of this house to show something."""
    asked = {request for party, request, _ in sim.showings if party == house.party}
    found = [(key, row) for key, row in await recent(house, RequestRow, "") if key in asked]
    return one(sim, found, "request to show something", fits).request


# ---- visits ---------------------------------------------------------------------------------------------------------


async def ask_to_visit(sim: Simulation, house: House) -> object:
    """One side's authority asks the other's to visit a site."""
    peer = cast.PEER[house.party]
    request = AskVisit(
        relationship=RELATIONSHIP,
        facility="works",
        topic=sim.random.choice(cast.TOPICS),
        scope="the radar hall",
        purpose=sim.random.choice(cast.PURPOSES),
        mark=sim.random.choices(cast.MARKS[peer], weights=(6, 6, 6, 1))[0],
        visitors=(sim.pseudonyms[house.party, sim.random.choices(cast.READERS, weights=(8, 8, 1, 1, 1, 1, 1))[0]],),
        starts=house.now() + timedelta(days=LEAD_DAYS),
        ends=house.now() + timedelta(days=LEAD_DAYS + 60),
        security=sim.random.random() < 0.7,
        actor=_envoy(sim, house),
    )
    return await ask_visit(house, request)


async def answer_visit(sim: Simulation, house: House) -> object:
    """The host permits a visit, or does not; the visitor may try to permit it himself."""
    found = await recent(house, VisitRow)
    visit = one(sim, found, "visit", lambda row: row.author != house.party and row.ended is None).visit
    if sim.random.random() < 0.1:
        return await refuse_visit(
            house, RefuseVisit(relationship=RELATIONSHIP, visit=visit, reason="not now", actor=_envoy(sim, house))
        )
    return await permit_visit(
        house, PermitVisit(relationship=RELATIONSHIP, visit=visit, told="by telephone", actor=_envoy(sim, house))
    )


async def finish_visit(sim: Simulation, house: House) -> object:
    """The visiting side reports."""
    visit = one(sim, await recent(house, VisitRow), "visit", lambda row: row.author == house.party).visit
    request = EndVisit(relationship=RELATIONSHIP, visit=visit, report="all was shown", actor=_envoy(sim, house))
    return await end_visit(house, request)


async def find_fault(sim: Simulation, house: House) -> object:
    """A visitor finds something to put right."""

    def begun(row: VisitRow) -> bool:
        return row.author == house.party and row.security and row.permits is not None and row.starts <= house.now()

    row = one(sim, await recent(house, VisitRow), "visit", begun)
    actor = Actor(handle_of(sim, house, row.visitors[0]))
    request = MakeFinding(relationship=RELATIONSHIP, visit=row.visit, says="a door", wanted="a lock", actor=actor)
    return await make_finding(house, request)


async def put_right(sim: Simulation, house: House) -> object:
    """The host puts it right."""
    finding = one(sim, await recent(house, FindingRow), "finding", lambda row: row.closed is None)
    request = CloseFinding(
        relationship=RELATIONSHIP,
        visit=finding.visit,
        finding=finding.finding,
        evidence="a photograph",
        actor=_envoy(sim, house),
    )
    return await close_finding(house, request)


TELLING: dict[str, tuple[Doing, float]] = {
    "name authority": (name_authority, 0.5),
    "tell law": (tell_law, 0.5),
    "ask law": (ask_law, 0.5),
    "answer law": (answer_law, 1),
    "dispute": (dispute, 0.5),
    "state position": (state_position, 0.8),
    "settle": (settle, 0.7),
    "deposit": (deposit, 0.5),
    "reveal": (reveal, 0.6),
    "ask to show": (ask_to_show, 2),
    "approve show": (approve_show, 2),
    "assure show": (assure_show, 2),
    "show": (show, 2),
    "ask to visit": (ask_to_visit, 2),
    "answer visit": (answer_visit, 2),
    "finish visit": (finish_visit, 0.3),
    "find fault": (find_fault, 1.5),
    "put right": (put_right, 1.5),
}
"""Every kind of act by which parties tell each other something, and how often it is done."""
