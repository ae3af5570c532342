"""Muster: the copies that are here are counted, and what differs from the register is found (Article 6(f)).

A muster is begun, copies are counted (scanned from their labels, or typed), and it is signed. Until then it is a draft
that nobody vouches for; the signature makes records of it. What was expected and not counted, and what was counted and
not expected, are findings, and stay open until somebody says what became of them.
"""

from __future__ import annotations

import msgspec

from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.house import ROOT, House
from comity.flows.keeping.work import Draft, Work
from comity.flows.looking.counting import (
    DRAFT,
    MUSTER_COPIES_MAX,
    CopyRef,
    MusterDraft,
    MusterTold,
    Scope,
    draft_of,
    lines_of,
    resolve,
    signed_told,
    under_way,
)
from comity.flows.looking.findings import FindingTold, finding_told, registrar
from comity.record.bodies import Body
from comity.record.bodies.inventory import SHEET_COPIES_MAX, InventoryDone, MusterSheet, MusterSigned
from comity.record.encoding import decode, encode
from comity.record.person_act import unsigned
from comity.record.statement import DOMESTIC
from comity.register.rows import AgreementRow, FacilityRow
from comity.register.rows.inventory import FindingRow, MusterRow


class Begin(msgspec.Struct, frozen=True, kw_only=True):
    """Begin a muster: of the whole house, of the copies of people posted at a facility, or of one holder (handle)."""

    actor: Actor
    facility: str | None = None
    holder: str | None = None
    muster: str | None = None


class CountCopies(msgspec.Struct, frozen=True, kw_only=True):
    """Count copies: references on labels, or ``item/number``; in the only muster under way, unless it is named."""

    references: tuple[str, ...]
    actor: Actor
    muster: str | None = None


class SignMuster(msgspec.Struct, frozen=True, kw_only=True):
    """End a muster. ``tell`` lets the other parties know that everything was counted, no numbers."""

    actor: Actor
    muster: str | None = None
    tell: bool = True


class DropMuster(msgspec.Struct, frozen=True, kw_only=True):
    """Give a muster up before it is signed; nothing of it remains."""

    actor: Actor
    muster: str | None = None


class CountedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A copy that was counted just now, and what the register says of it."""

    item: str
    number: int
    relationship: str | None
    found: str
    holder: str


class CountTold(msgspec.Struct, frozen=True, kw_only=True):
    """What was counted just now, and where the muster stands."""

    lines: tuple[CountedLine, ...]
    muster: MusterTold


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """A muster that was signed, with what it found; ``told`` are the relationships in which it was told."""

    muster: MusterTold
    findings: tuple[FindingTold, ...]
    told: tuple[str, ...]


# ---- what a user does ------------------------------------------------------------------------------------------------


async def begin(house: House, request: Begin) -> MusterTold:
    """(1) Begin a muster.

    Raises:
        Misuse: no such facility or person, or both are named.
        Refused: the actor is no registry officer.
    """
    by = await registrar(house, request.actor)
    if request.facility is not None and request.holder is not None:
        raise Misuse("a muster is of a facility or of a holder, not of both", code="which-muster")
    if request.facility is not None:
        await house.need(FacilityRow, request.facility, "facility")
    holder = (await house.person(request.holder)).person if request.holder is not None else None
    draft = MusterDraft(
        muster=house.name("m", request.muster),
        facility=request.facility,
        holder=holder,
        by=by,
        begun=house.now(),
        expected=0,
    )
    expected = [ref async for ref in Scope(house, draft).expected()]
    draft = msgspec.structs.replace(draft, expected=len(expected))
    await house.sequencer.submit(lambda work: _keep(work, draft.muster, draft))
    return await under_way(house, draft)


async def count(house: House, request: CountCopies) -> CountTold:
    """(2) Count copies; a list with one that was counted before is refused whole.

    Raises:
        Misuse: no muster is under way, something is no copy's label, or a copy is counted twice.
    """
    await registrar(house, request.actor)
    muster = (await draft_of(house, request.muster)).muster
    refs = [(reference, await resolve(house, reference)) for reference in request.references]

    async def add(work: Work) -> CountTold:
        value = await work.side_value(DRAFT, muster)
        if value is None:
            raise Misuse(f"muster {muster!r} is over", code="no-muster")
        draft, lines = await _counted(house, decode(value, MusterDraft), refs)
        work.put_side(DRAFT, muster, encode(draft))
        return CountTold(lines=tuple(lines), muster=await under_way(house, draft))

    return await house.sequencer.submit(add)


async def _counted(
    house: House, draft: MusterDraft, refs: list[tuple[str, CopyRef]]
) -> tuple[MusterDraft, list[CountedLine]]:
    """The draft with these copies counted, and what the register says of them."""
    scope = Scope(house, draft)
    seen = {each: place for place, each in enumerate(draft.counted, start=1)}
    counted = list(draft.counted)
    lines: list[CountedLine] = []
    for reference, ref in refs:
        if ref in seen:
            raise Misuse(
                f"copy {ref.number} of {ref.item!r} is counted twice: it is number {seen[ref]} of this muster",
                code="counted-twice",
                place=reference,
            )
        counted.append(ref)
        seen[ref] = len(counted)
        found, holder = await scope.found(ref)
        lines.append(
            CountedLine(item=ref.item, number=ref.number, relationship=ref.relationship, found=found, holder=holder)
        )
    if len(counted) > MUSTER_COPIES_MAX:
        raise Misuse(
            f"more than {MUSTER_COPIES_MAX} copies in one muster; count by facility or by holder", code="too-many"
        )
    present = draft.present + [line.found for line in lines].count("present")
    return msgspec.structs.replace(draft, counted=tuple(counted), present=present), lines


async def sign(house: House, request: SignMuster) -> Signed:
    """(3) Sign a muster: what was counted and what was missed become records, what differs becomes findings.

    Raises:
        Misuse: no muster is under way, somebody else began it, or a copy changed meanwhile: sign again.
        NeedsSignature: the actor's key is in strict custody and he has not signed everything yet.
    """
    by = await registrar(house, request.actor)
    draft = await draft_of(house, request.muster)
    if draft.by != by:
        raise Misuse("whoever began a muster signs it", code="other-signer")
    lines = await lines_of(house, draft)
    pages = [lines[start : start + SHEET_COPIES_MAX] for start in range(0, len(lines), SHEET_COPIES_MAX)]
    found = [line.found for line in lines]
    covers = tuple(sorted([relationship for relationship, _ in await house.relationships()]))
    said: list[Body] = [
        MusterSheet(muster=draft.muster, sheet=number, copies=tuple(page), by=by, signature=unsigned())
        for number, page in enumerate(pages, start=1)
    ]
    closing = MusterSigned(
        muster=draft.muster,
        facility=draft.facility,
        holder=draft.holder,
        covers=covers,
        begun=draft.begun,
        sheets=len(pages),
        expected=found.count("present") + found.count("missing"),
        counted=len(found) - found.count("missing"),
        findings=len(found) - found.count("present"),
        by=by,
        signature=unsigned(),
    )
    signed = [await house.sign(body, DOMESTIC, request.actor) for body in (*said, closing)]
    telling = await _telling(house, draft, request) if request.tell else []

    async def write(work: Work) -> None:
        for body in signed:
            await work.say(Draft(DOMESTIC, body))
        for draft_told in telling:
            await work.say(draft_told)
        work.put_side(DRAFT, draft.muster, None)

    await house.sequencer.submit(write)
    row = await house.need(MusterRow, draft.muster, "muster")
    findings = tuple([await finding_told(house, each) async for _, each in house.rows(FindingRow, f"{draft.muster}/")])
    told = tuple(each.relationship for each in telling)
    return Signed(muster=await signed_told(house, row), findings=findings, told=told)


async def drop(house: House, request: DropMuster) -> MusterTold:
    """(4) Give a muster up."""
    await registrar(house, request.actor)
    draft = await draft_of(house, request.muster)
    await house.sequencer.submit(lambda work: _keep(work, draft.muster, None))
    return await under_way(house, draft)


async def _keep(work: Work, muster: str, draft: MusterDraft | None) -> None:
    work.put_side(DRAFT, muster, None if draft is None else encode(draft))


# ---- telling -------------------------------------------------------------------------------------------------------


async def _telling(house: House, draft: MusterDraft, request: SignMuster) -> list[Draft]:
    """What the other parties are told of a muster of the whole house: that it was, since when, and nothing else.

    It is told under every agreement that both parties acknowledged, by whom their directories know.
    """
    if draft.facility is not None or draft.holder is not None or request.actor.handle == ROOT:
        return []
    person = await house.person(request.actor.handle)
    drafts = []
    async for _, row in house.rows(AgreementRow):
        if {house.party, row.peer} <= set(row.acknowledged):
            pseudonym = house.pseudonym(row.relationship, person.person)
            body = InventoryDone(muster=draft.muster, begun=draft.begun, by=pseudonym, signature=unsigned())
            signed = await house.sign(body, row.relationship, request.actor, pseudonym)
            drafts.append(Draft(row.relationship, signed, person.function))
    return drafts
