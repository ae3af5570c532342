"""Cases: from the rows of the register to the question that the decision answers (``spec/decision.md`` step 1).

A case holds everything the decision rests on, so that it can be recorded with it and decided again anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from comity.agreement.model import Agreement
from comity.agreement.vocabulary import Act
from comity.decision import model as decision
from comity.decision.decide import decide
from comity.flows.house import House
from comity.flows.library import Running
from comity.flows.work import Draft, Work
from comity.marking.label import Label
from comity.record import bodies
from comity.record.encoding import encode
from comity.record.statement import DOMESTIC, Record
from comity.register.rows import (
    AgreementRow,
    AssuranceRow,
    DirectoryRow,
    FacilityRow,
    ItemRow,
    PersonRow,
    RequestRow,
)


def item_of(row: ItemRow, agreement: str, purpose: str) -> decision.Item:
    """An item as the decision sees it; ``purpose`` is what it is given for, unless it came to us for another."""
    return decision.Item(
        id=row.item,
        agreement=agreement,
        label=row.label,
        form=row.form,  # type: ignore[arg-type]  # the register keeps the word as it came; step 2 checks it
        subject=row.subject,
        purpose=row.provided or purpose,
        need_to_know=(row.topic,),
    )


def new_item(
    item: str, agreement: str, label: Label, form: str, subject: str, topic: str, purpose: str
) -> decision.Item:
    """An item that is not registered yet."""
    return decision.Item(
        id=item,
        agreement=agreement,
        label=label,
        form=form,  # type: ignore[arg-type]  # as above
        subject=subject,
        purpose=purpose,
        need_to_know=(topic,),
    )


def addressee(row: DirectoryRow) -> decision.Person:
    """A recipient as the giving side knows him: from the directory, without clearance or lists."""
    return decision.Person(
        pseudonym=row.pseudonym,
        party=row.party,
        serves=row.serves,
        nationality=row.nationality,
        employer="party" if row.employer == "government" else "contractor",
        body=row.body,
        function=row.function,
        site=row.firm or "",
    )


def reader(row: PersonRow, party: str, pseudonym: str) -> decision.Person:
    """A person as his own house knows him."""
    clearance = None
    if row.clearance is not None and row.clearance_until is not None:
        clearance = decision.Clearance(row.clearance, row.clearance_until)
    return decision.Person(
        pseudonym=pseudonym,
        party=party,
        serves=row.serves,
        nationality=row.nationality,
        employer="party" if row.employer == "government" else "contractor",
        body=row.body,
        function=row.function,
        site=row.firm or "",
        clearance=clearance,
        need_to_know=row.topics,
    )


def attestations(
    agreement: Agreement, conditions: Iterable[str], by: str, *, item: str, recipient: str, site: str, evidence: str
) -> list[decision.Attestation]:
    """The checklists of an agreement that ``conditions`` (clause ids) speak to, each about what it is bound to."""
    given = set(conditions)
    about = {"item-and-recipient": recipient, "item": item, "site": site, "party": by}
    return [
        decision.Attestation(
            checklist=checklist.id,
            conditions=tuple(each for each in checklist.conditions if each in given),
            about=about[checklist.bound_to],
            by=by,
            item=item if checklist.bound_to == "item-and-recipient" else "",
            evidence=evidence,
        )
        for checklist in agreement.checklists
        if given & set(checklist.conditions)
    ]


async def giving_case(
    house: House,
    work: Work,
    row: AgreementRow,
    running: Running,
    request: RequestRow,
    item: decision.Item,
    act: Act = "give",
) -> decision.Case:
    """The question whether an item may be given, from what is recorded about the request."""
    recipients, attested = [], []
    directory = [f"{row.relationship}/{row.peer}/{recipient}" for recipient in request.recipients]
    answers = [f"{row.relationship}/{request.request}/{recipient}" for recipient in request.recipients]
    facts = await work.facts(
        [*((DirectoryRow.table, key) for key in directory), *((AssuranceRow.table, key) for key in answers)]
    )
    for listed, answered in zip(directory, answers, strict=True):
        entry, assurance = facts[DirectoryRow.table, listed], facts[AssuranceRow.table, answered]
        if isinstance(entry, DirectoryRow) and not entry.withdrawn:
            recipients.append(addressee(entry))
        if isinstance(entry, DirectoryRow) and isinstance(assurance, AssuranceRow):
            attested += attestations(
                running.agreement,
                assurance.conditions,
                row.peer,
                item=assurance.item,
                recipient=assurance.recipient,
                site=entry.firm or "",
                evidence=assurance.record.hex(),
            )
    approvals = tuple(
        decision.Approval(request=request.request, by=each.by) for each in request.approvals if each.granted
    )
    return decision.Case(
        request=request.request,
        act=act,
        item=item,
        purpose=request.purpose,
        requester=request.by,
        acting=house.party,
        recipients=tuple(recipients),
        at=work.at,
        facts=decision.Facts(
            standings=(await house.library.standing(row, work.at),),
            attestations=tuple(attested),
            approvals=approvals,
        ),
    )


async def handling_case(
    house: House, row: AgreementRow, item: ItemRow, person: PersonRow, act: Act, purpose: str, at: datetime
) -> decision.Case:
    """The question whether a person of this house may open (or use, copy, translate …) an item."""
    running = await house.library.load(row)
    pseudonym = house.pseudonym(row.relationship, person.person)
    attested: list[decision.Attestation] = []
    facilities: list[decision.Facility] = []
    if person.firm is not None:
        site = await house.row(FacilityRow, person.firm)
        if site is not None:
            facilities.append(
                decision.Facility(site=site.facility, party=house.party, mark=site.mark, until=site.until)
            )
            attested = attestations(
                running.agreement,
                site.conditions,
                house.party,
                item=item.item,
                recipient=pseudonym,
                site=site.facility,
                evidence=site.evidence,
            )
    return decision.Case(
        request=f"{act}/{item.item}/{pseudonym}",
        act=act,
        item=item_of(item, row.agreement, purpose),
        purpose=purpose,
        requester=pseudonym,
        acting=house.party,
        recipients=(reader(person, house.party, pseudonym),),
        at=at,
        facts=decision.Facts(
            standings=(await house.library.standing(row, at),),
            attestations=tuple(attested),
            facilities=tuple(facilities),
        ),
    )


async def record_decision(work: Work, row: AgreementRow, case: decision.Case, outcome: decision.Outcome) -> Record:
    """Record a decision with its case in the domestic chain, permits and refusals alike."""
    body = bodies.Decided(
        act=case.act,
        item=case.item.id,
        relationship=row.relationship,
        outcome=outcome_word(outcome),
        agreement=row.digest,
        case=msgspec.Raw(encode(case)),
        decision=msgspec.Raw(encode(outcome)),
    )
    return await work.say(Draft(DOMESTIC, body))


def answer(running: Running, case: decision.Case) -> decision.Outcome:
    """The decision on a case, under the agreement and layers in use."""
    return decide(running.compiled, case)


def outcome_word(outcome: decision.Outcome) -> str:
    """``permit``, ``needs-consent``, ``forbidden`` or ``no-basis``."""
    return str(type(outcome).__struct_config__.tag)
