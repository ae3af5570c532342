"""Two worlds that differ only in what one user may not see.

The common story is told once, and its houses are copied, disks and keys. What is secret happens in one of the two only.
"""

from __future__ import annotations

import copy
import shutil
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from comity.errors import ComityError
from comity.flows.actors import Actor
from comity.flows.agreeing.disputes import OpenDispute, open_dispute
from comity.flows.agreeing.negotiating import (
    OpenChannel,
    OpenNegotiation,
    ProposeDraft,
    open_channel,
    open_negotiation,
    propose_draft,
)
from comity.flows.agreeing.outlays import NoteOutlay, note_outlay
from comity.flows.consenting.consent_requests import AskConsent, ask_consent
from comity.flows.consenting.granting import GrantConsent, grant_consent
from comity.flows.consenting.passing_on import AskPassOn, SealPassOn, ask_pass_on, seal_pass_on
from comity.flows.deriving.derivation import Derive, derive
from comity.flows.ending.destruction import Destroy, destroy
from comity.flows.ending.levels import Reclassify, reclassify
from comity.flows.ending.recalls import Recall, recall
from comity.flows.exchanging.parcel import write_parcel
from comity.flows.giving.answering import Approve, approve
from comity.flows.giving.opening import Open, open_item
from comity.flows.giving.release import Given
from comity.flows.handling.copying import MakeCopies, make_copies
from comity.flows.handling.handing_over import HandOver, TakeOver, hand_over, take_over
from comity.flows.handling.losing import LoseCopy, lose_copy
from comity.flows.incidents.reporting import ReportIncident, report_incident
from comity.flows.looking.muster import Begin, SignMuster, begin, sign
from comity.flows.people.clearances import ChangeList, GrantClearance, change_list, grant_clearance
from comity.register.rows.duties import DutiesRow
from comity.seal.keys import generate_identity
from comity.stores.memory_disk import MemoryDisk
from world import RELATIONSHIP, ROOT, TODAY, SeededEntropy, World, library, new_house

LATER = TODAY + timedelta(days=30)
"""The instant at which a user looks, in both worlds."""
LIM = Actor("lim")


@dataclass
class Told:
    """A world with its common story told, and the items of it."""

    world: World
    seen: str
    """Kim and Lim have a copy each."""
    own: str
    """Kim alone has it."""
    secret: list[str] = field(default_factory=list)
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
    await world.person("kr", "lim", roles=("reader", "agreement-authority"))
    await world.person("kr", "cho", roles=("reader", "agreement-authority"))
    await world.person("kr", "adam", roles=("administrator",))
    await world.person("kr", "baek", roles=("release-authority",))
    await world.person("kr", "han", roles=("officer",))
    await world.person("kr", "mun", roles=("agreement-authority",))
    await world.person("jp", "ono", roles=("officer",))
    await world.person("jp", "mori")
    await world.person("jp", "okada", roles=("administrator",))
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


async def another_item(told: Told) -> Given:
    """Ono gives Lim something on a topic that only few may know of."""
    world = told.world
    lim = await world.pseudonym("lim")
    path = world.document(b"secret" + bytes([len(told.secret)]), f"secret-{len(told.secret)}.txt")
    given = await world.given(path=path, topic="submarines", recipients=(lim,), actor=Actor("ono"), mark="秘")
    told.secret.append(given.item)
    return given


async def _secret(told: Told) -> str:
    if not told.secret:
        await another_item(told)
    return told.secret[0]


async def _another(told: Told) -> str:
    """One that nothing has happened to yet."""
    return (await another_item(told)).item


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
    item = await _another(told)
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
        beneficiary_kind="party",
        purpose="an exercise",
        reason="it would help",
        until=LATER + timedelta(days=300),
        actor=Actor("lee"),
    )
    await ask_consent(told.world.kr, request)


async def consented(told: Told) -> None:
    """Tokyo consents to it unasked."""
    request = GrantConsent(
        relationship=RELATIONSHIP,
        item=await _secret(told),
        acts=("use-for",),
        beneficiaries=("kr",),
        purpose="an exercise",
        until=LATER + timedelta(days=300),
        reason="it helps",
        actor=Actor("abe"),
    )
    await grant_consent(told.world.jp, request)


async def consented_widely(told: Told) -> None:
    """Tokyo consents to whatever it gives about submarines."""
    request = GrantConsent(
        relationship=RELATIONSHIP,
        topic="submarines",
        acts=("use-for",),
        beneficiaries=("kr",),
        purpose="an exercise",
        until=LATER + timedelta(days=300),
        reason="it helps",
        actor=Actor("abe"),
    )
    await grant_consent(told.world.jp, request)


async def passed_on(told: Told) -> None:
    """Lim's copy goes to a third country, with Tokyo's consent and Baek's approval."""
    world, item = told.world, await _another(told)
    consent = GrantConsent(
        relationship=RELATIONSHIP,
        item=item,
        acts=("pass-on",),
        beneficiaries=("us",),
        purpose="air defence",
        until=LATER + timedelta(days=300),
        reason="it helps",
        actor=Actor("abe"),
    )
    await grant_consent(world.jp, consent)
    await world.exchange()
    asking = AskPassOn(
        item=item,
        copy=1,
        beneficiary="us",
        beneficiary_kind="government",
        recipient=str(generate_identity(SeededEntropy("us")).recipient),
        purpose="air defence",
        actor=LIM,
    )
    asked = await ask_pass_on(world.kr, asking)
    await approve(world.kr, Approve(request=asked.request, reason="needed", actor=Actor("baek")))
    path = world.folder / f"{item} passed on"
    path.unlink(missing_ok=True)
    sealing = SealPassOn(request=asked.request, path=str(path), actor=LIM)
    assert (await seal_pass_on(world.kr, sealing)).record is not None


async def asked_only(told: Told) -> None:
    """Ono asks to give something else to Lim, and nobody has answered yet."""
    lim = await told.world.pseudonym("lim")
    path = told.world.document(b"not given yet", "asked.txt")
    await told.world.ask(path=path, topic="submarines", recipients=(lim,), actor=Actor("ono"), mark="秘")


async def lost(told: Told) -> None:
    """Nobody knows where Lim's copy is."""
    await lose_copy(
        told.world.kr, LoseCopy(item=await _another(told), copy=1, circumstances="it is not there", actor=LIM)
    )


async def destroyed(told: Told) -> None:
    """Lim destroys his copy."""
    request = Destroy(item=await _another(told), copy=1, method="erase-key", reason="not needed", actor=LIM)
    assert (await destroy(told.world.kr, request)).certificate is not None


async def disputed(told: Told) -> None:
    """Cho wants to talk about it with the other side."""
    request = OpenDispute(
        relationship=RELATIONSHIP,
        about="item",
        subject=await _secret(told),
        question="may it be shown?",
        position="yes",
        actor=Actor("cho"),
    )
    await open_dispute(told.world.kr, request)


async def duty_disputed(told: Told) -> None:
    """Lim wants to talk about how it was to be marked."""
    item, house = await _another(told), told.world.kr
    rows = [row async for _, row in house.rows(DutiesRow, f"{RELATIONSHIP}/{item}/")]
    request = OpenDispute(
        relationship=RELATIONSHIP,
        about="duty",
        subject=next(row.subject for row in rows if any(duty.obligation == "o-4.2" for duty in row.duties)),
        obligation="o-4.2",
        question="was it marked?",
        position="yes",
        actor=LIM,
    )
    await open_dispute(house, request)


async def paid_for(told: Told) -> None:
    """Something was spent on it."""
    request = NoteOutlay(
        relationship=RELATIONSHIP,
        amount="12.50",
        currency="KRW",
        day="2026-11-21",
        purpose="a courier",
        item=await _secret(told),
        actor=ROOT,
    )
    await note_outlay(told.world.kr, request)


async def negotiated(told: Told) -> None:
    """Lim and Cho negotiate with Tokyo, and propose a draft: for all others there is no such thing."""
    kr = told.world.kr
    opening = OpenNegotiation(
        peer="jp", about="agreement", title="Mutual supply", actor=Actor("lim"), delegates=("cho",)
    )
    opened = await open_negotiation(kr, opening)
    text = library("jp-kr-2016.toml")
    draft = ProposeDraft(negotiation=opened.negotiation, text=text, name="draft.toml", actor=Actor("cho"))
    await propose_draft(kr, draft)
    await open_channel(told.world.jp, OpenChannel("kr"))
    await told.world.jp.take_parcel("kr", "talks/jp.kr", write_parcel(await kr.pack("talks/jp.kr")))


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


SECRETS: dict[str, Callable[[Told], Awaitable[object]]] = {
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
        consented,
        consented_widely,
        passed_on,
        asked_only,
        disputed,
        duty_disputed,
        paid_for,
        negotiated,
        recalled,
        reclassified,
        lost,
        destroyed,
    )
}
"""What can happen in secret."""
BESIDE = {act.__name__: act for act in (read_beside, copied_beside)}
"""What others do with their copies of what a reader has one of: it is hidden from him, not from who gave it."""


async def in_secret(told: Told, acts: Sequence[str]) -> None:
    """Do these, in this order; what cannot be done any more is left."""
    for name in acts:
        try:
            await {**SECRETS, **BESIDE}[name](told)
        except ComityError:
            continue
        await told.world.exchange()
