"""Destruction: a copy's holder destroys it, others witness it, and its key is erased (Articles 6(h)(ii), 13).

``spec/ending.md`` steps 30 to 37. That a key was destroyed cannot be shown to anybody; it is attested, and this house
does what it can so that it stays true (``erasing.py``).
"""

from __future__ import annotations

from typing import cast

import msgspec

from comity.agreement.vocabulary import Method
from comity.decision import model as decision
from comity.decision.counterfactual import what_would_change
from comity.errors import Misuse, Refused, Unavailable
from comity.flows.actors import Actor
from comity.flows.deciding.basis import basis
from comity.flows.deciding.once import Decided
from comity.flows.ending.asking import decide_about_copy, purpose_of, request_name
from comity.flows.ending.certificates import CertificateShown, certificate_shown, find_certificate
from comity.flows.handling.custody import (
    Found,
    Place,
    check_own,
    check_state,
    find_copy,
    pseudonym,
    say_in_each,
    sign_in_each,
)
from comity.flows.house import PSEUDONYM_OF, House
from comity.flows.keeping.erasing import HEADER
from comity.flows.keeping.work import Draft, Work
from comity.flows.people.cleared import check_cleared
from comity.record.bodies.ending import CrisisHeard, Destroyed, DestructionWitnessed
from comity.record.person_act import unsigned
from comity.record.statement import Record
from comity.register.rows import CopyRow, PersonRow, copy_key
from comity.register.rows.ending import EndingRow, ending_key

CRISIS = "crisis"
"""The purpose for which a copy is destroyed that is about to fall into other hands; a layer may let it (step 35)."""


class Destroy(msgspec.Struct, frozen=True, kw_only=True):
    """Destroy a copy of one's own, and certify it.

    Attributes:
        item: item id, or the reference of the copy.
        copy: its number; not needed with a reference.
        method: how.
        reason: why.
        actor: its holder.
        crisis: at once, because it is about to fall into other hands.
        certificate: identifier of the certificate, when somebody who signs elsewhere must know it beforehand.
        relationship: where it was given, when there are several.
    """

    item: str
    copy: int | None = None
    method: Method
    reason: str
    actor: Actor
    crisis: bool = False
    certificate: str | None = None
    relationship: str | None = None


class WitnessDestruction(msgspec.Struct, frozen=True, kw_only=True):
    """Sign a certificate as a witness; or say, with ``seen`` false, that one saw no such thing."""

    certificate: str
    actor: Actor
    seen: bool = True
    reason: str = ""


class Destruction(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it.

    Attributes:
        item: item id.
        copy: number of the copy.
        outcome: of the decision; ``needs-consent`` goes on where nothing but witnesses is missing.
        decision: the decision.
        decision_record: its record id in hex.
        certificate: the certificate; None when it was refused.
    """

    item: str
    copy: int
    outcome: str
    decision: decision.Outcome
    decision_record: str
    certificate: CertificateShown | None = None


async def destroy(house: House, request: Destroy) -> Destruction:
    """Destroy a copy, or say why it may not be; a refusal is recorded.

    Where witnesses are asked, the copy is closed and the certificate waits for them. Else its key is erased in the
    commit that records the certificate.

    Raises:
        Misuse: there is no such item for him.
        Refused: it is not his copy, it is not held, a certificate is under way, or nothing lets a copy be destroyed
            without its witnesses in a crisis.
        NeedsSignature: he signs with his own key, and has not yet.
    """
    found = await find_copy(house, request.item, request.copy, request.actor, request.relationship)
    check_own(house, found)  # (30)
    check_state(found, "only a held copy can be destroyed", "held")
    certificate = house.name("t", request.certificate)
    purpose = CRISIS if request.crisis else purpose_of(found)
    asked = request_name("destroy", found, certificate)
    decided = await decide_about_copy(
        house, found, "destroy", request.actor, request=asked, purpose=purpose, method=request.method
    )
    told = Destruction(
        item=found.item.item,
        copy=found.number,
        outcome=decided.word,
        decision=decided.outcome,
        decision_record=decided.record.hex(),
    )
    wanted = witnesses_wanted(house, found, decided)
    if wanted is None:
        return told
    if request.crisis and wanted:  # (35)
        raise Refused(
            "nothing in the agreement or its layers lets a copy be destroyed in a crisis without its witnesses; "
            "destroy it with them, without --crisis",
            code="no-crisis-rule",
        )

    def body(place: Place, name: str) -> Destroyed:
        return Destroyed(
            certificate=certificate,
            item=found.item.item,
            copy=found.number,
            method=request.method,
            reason=request.reason,
            witnesses=wanted,
            crisis=request.crisis,
            basis=basis(house, decided.record),
            by=name,
            after=place.copy.last,
            signature=unsigned(),
        )

    said = await sign_in_each(house, found, request.actor, body)

    async def say(work: Work) -> None:
        await say_in_each(work, said, found.person.function)
        if not wanted:
            forget_keys(work, [place.copy for place in found.places])

    await house.sequencer.submit(say)
    await list_erased(house)
    shown = await certificate_shown(house, found.first.relationship, certificate)
    return msgspec.structs.replace(told, certificate=shown)


async def witness(house: House, request: WitnessDestruction) -> CertificateShown:
    """Sign a certificate as its witness; with the last signature it asks for, the copy is destroyed and its key erased.

    Raises:
        Misuse: there is no such certificate for him, or it does not wait for a witness.
        Refused: he destroyed it himself, has signed already, or is not cleared for what it was.
        NeedsSignature: he signs with his own key, and has not yet.
    """
    person = await house.person(request.actor.handle)
    relationship, listed = await find_certificate(house, request.certificate, person)
    actor = request.actor
    found = await find_copy(house, listed.item, listed.copy, actor, relationship, in_hand=True)
    ending = await house.need(EndingRow, ending_key(relationship, listed.item, listed.copy)[1], "certificate")
    if ending.certificate != request.certificate or ending.void is not None:
        raise Misuse(
            f"certificate {request.certificate!r} counts for nothing; it was not seen", code="void-certificate"
        )
    if not ending.pending:
        raise Misuse(f"certificate {request.certificate!r} has all its signatures", code="already-complete")
    mine = pseudonym(house, found.first, person)
    if mine == ending.by:  # (32)
        raise Refused("whoever destroyed the copy cannot witness it; somebody else must", code="own-certificate")
    if any(each.by == mine for each in ending.witnesses):
        raise Refused("this person has signed this certificate already", code="already-signed")
    await check_cleared(house, found, person)
    last = request.seen and len(ending.witnesses) + 1 >= ending.needed
    if last:
        await _decide_again(house, found, ending, mine, actor)
    endings = {
        place.relationship: await house.need(
            EndingRow, ending_key(place.relationship, listed.item, listed.copy)[1], "certificate"
        )
        for place in found.places
    }

    def body(place: Place, name: str) -> DestructionWitnessed:
        return DestructionWitnessed(
            certificate=request.certificate,
            item=listed.item,
            copy=listed.copy,
            seen=request.seen,
            reason=request.reason,
            by=name,
            after=endings[place.relationship].last,
            signature=unsigned(),
        )

    said = await sign_in_each(house, found, actor, body)

    async def say(work: Work) -> None:
        await say_in_each(work, said, person.function)
        if last:
            forget_keys(work, [place.copy for place in found.places])

    await house.sequencer.submit(say)
    await list_erased(house)
    return await certificate_shown(house, relationship, request.certificate)


# ---- what acts of an ending share -----------------------------------------------------------------------------------


def forget_keys(work: Work, copies: list[CopyRow]) -> None:
    """Erase the headers of copies: nobody opens them again (step 40)."""
    for header in sorted({copy.header.hex() for copy in copies}):
        work.put_side(HEADER, header, None)


async def list_erased(house: House) -> None:
    """Put what was erased on its list now; where that fails it is done before anything leaves (step 42)."""
    try:
        await house.sequencer.raise_mark()
    except Unavailable:
        return


def witnesses_wanted(house: House, found: Found, decided: Decided) -> int | None:
    """(31) How many witnesses a permitted destruction waits for; None where more than witnesses is missing."""
    if decided.word == "permit":
        return 0
    change = what_would_change(decided.outcome, (pseudonym(house, found.first, found.person),))
    if not change.possible or any(each.kind != "witness" for each in change.missing):
        return None
    return max(int(each.what[0]) for each in change.missing)


# ---- deciding -------------------------------------------------------------------------------------------------------


async def _decide_again(house: House, found: Found, ending: EndingRow, witness: str, actor: Actor) -> None:
    """(34) The last witness: it must be permitted now, with everybody who has seen it.

    Raises:
        Refused: something has changed since the certificate was signed.
    """
    decided = await decide_about_copy(
        house,
        found,
        "destroy",
        actor,
        request=request_name("destroy", found, ending.certificate),
        person=await _person(house, found.first.relationship, ending.by),
        method=ending.method or "",
        witnesses=[*(each.by for each in ending.witnesses), witness],
    )
    if decided.word != "permit":
        raise Refused(
            "something has changed since this certificate was signed, and the copy may not be destroyed any more; "
            f"'comity why {found.item.item}' shows it",
            code="not-permitted",
        )


async def _person(house: House, relationship: str, name: str) -> PersonRow:
    value = await house.side(PSEUDONYM_OF, f"{relationship}/{name}")
    return await house.need(PersonRow, value.decode() if value is not None else name, "person")


# ---- what the other party's record sets in motion -------------------------------------------------------------------


async def forget_with(_: House, work: Work, record: Record) -> None:
    """A copy has come to its end on the other side: the header by which it was sent is erased here too."""
    body = cast("Destroyed | DestructionWitnessed", record.body)
    relationship = record.statement.relationship
    copy = await work.row(CopyRow, copy_key(relationship, body.item, body.copy)[1])
    if copy is not None and copy.state == "destroyed":
        forget_keys(work, [copy])
    if isinstance(body, Destroyed) and body.crisis:  # (36)
        await work.say(Draft(relationship, CrisisHeard(certificate=body.certificate)))
