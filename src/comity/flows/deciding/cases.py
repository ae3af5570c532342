"""Cases: from the rows of the register to the question that the decision answers (``spec/decision.md`` step 1).

A case holds everything the decision rests on, so that it can be recorded with it and decided again anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

import msgspec

from comity.agreement.model import Agreement
from comity.agreement.vocabulary import ACCESS_ACTS, ONWARD_ACTS, Act
from comity.decision import model as decision
from comity.decision.decide import decide
from comity.errors import Refused
from comity.flows.deciding.attested import approved_with, assured_before, attestations
from comity.flows.deciding.consents import consents_for
from comity.flows.deciding.lineage import Ancestry, ancestry
from comity.flows.deciding.sites import shown_at, site_of, sites_from
from comity.flows.deciding.standings import standings_of
from comity.flows.house import House
from comity.flows.keeping.committed import ReadRows
from comity.flows.keeping.library import Running
from comity.flows.keeping.work import Draft, Work
from comity.flows.vouching.contradictions import check_frozen
from comity.marking.label import Label
from comity.record import bodies
from comity.record.encoding import encode
from comity.record.statement import DOMESTIC, Record
from comity.register.roles import UNLISTED
from comity.register.rows import (
    AgreementRow,
    AssuranceRow,
    DirectoryRow,
    FacilityRow,
    ItemRow,
    PersonRow,
    RequestRow,
    assurance_key,
    directory_key,
)


def new_item(
    item: str, agreement: str, label: Label, form: str, subject: str, topic: str, purpose: str
) -> decision.Item:
    """An item that is not registered yet."""
    return decision.Item(
        id=item,
        agreement=agreement,
        label=label,
        form=form,  # type: ignore[arg-type]  # the word as it was typed; step 5 of the decision checks it
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
        site=site_of(row),
        clearance=clearance,
        need_to_know=row.topics,
        briefed=row.briefed,
    )


def approvals_of(
    asked: RequestRow, name: Callable[[str], str], offices: Mapping[str, str] = MappingProxyType({})
) -> tuple[decision.Approval, ...]:
    """Who has approved what was asked for, by the name that the question has for a person, and his office."""
    return tuple(
        decision.Approval(request=asked.request, by=name(each.by), office=offices.get(each.by, ""))
        for each in asked.approvals
        if each.granted
    )


async def giving_case(
    house: House,
    work: Work,
    row: AgreementRow,
    running: Running,
    request: RequestRow,
    item: decision.Item,
    act: Act = "give",
) -> decision.Case:
    """The question whether an item may be given, from what is recorded about the request.

    What is registered is taken as the register has it, with all it came from and what was consented to; ``item`` is
    for what is not registered yet.

    Raises:
        Refused: the item has too many ancestors (``lineage-too-long``), or nothing leaves now under that agreement or
            one that the item came by (``frozen``).
    """
    recipients, attested = await _addressees(house, work, row, running, request)
    offices = await _offices(work, running, request)
    approvals = approvals_of(request, str, offices)
    registered = await work.row(ItemRow, item.id)
    rows: Iterable[AgreementRow] = (row,)
    consents: tuple[decision.Consent, ...] = ()
    if registered is not None:
        found = await ancestry(house, work.facts, row, registered, request.purpose)
        item, rows = found.item, found.agreements.values()
        consents = await _consents(work.facts, found, work.at)
    await check_frozen(house, rows)
    office = offices.get(request.by, "")
    if item.label.originator == house.party:  # it is registered by whoever asks that it be given
        item = msgspec.structs.replace(item, office=office)
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
            standings=await standings_of(house, rows, work.at),
            attestations=tuple(attested),
            approvals=approvals,
            consents=consents,
        ),
        office=office,
    )


async def _offices(work: Work, running: Running, request: RequestRow) -> dict[str, str]:
    """Where those work who ask and approve, by person; nobody is looked up where no rule speaks of offices."""
    if not running.compiled.offices:
        return {}
    people = [(PersonRow.table, each) for each in (request.by, *(each.by for each in request.approvals))]
    facts = await work.facts(people)
    return {key: row.body for (_, key), row in facts.items() if isinstance(row, PersonRow)}


async def _addressees(
    house: House, work: Work, row: AgreementRow, running: Running, request: RequestRow
) -> tuple[list[decision.Person], list[decision.Attestation]]:
    """The recipients of a request as the directory has them, and what their own party or this one attests of each."""
    recipients: list[decision.Person] = []
    attested: list[decision.Attestation] = []
    entries = [directory_key(row.relationship, row.peer, each) for each in request.recipients]
    answers = [assurance_key(row.relationship, request.request, each) for each in request.recipients]
    facts = await work.facts([*entries, *answers])
    for listed, answered in zip(entries, answers, strict=True):
        entry, assurance = facts[listed], facts[answered]
        if isinstance(entry, DirectoryRow) and entry.reachable:
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
        if isinstance(entry, DirectoryRow):
            attested += approved_with(house.party, row, running, request, entry)
    return recipients, list(dict.fromkeys(attested))


async def handling_case(
    house: House,
    row: AgreementRow,
    item: ItemRow,
    person: PersonRow,
    act: Act,
    purpose: str,
    at: datetime,
    *,
    read: ReadRows | None = None,
    beside: Sequence[PersonRow] = (),
    method: str = "",
    copies: int = 0,
    request: str = "",
    approvals: Sequence[decision.Approval] = (),
    witnesses: Sequence[decision.Witness] = (),
) -> decision.Case:
    """The question whether a person of this house may open (or use, copy, translate, destroy …) an item.

    Args:
        house: this house.
        row: the agreement under which it is decided: of one of the relationships that the item belongs to.
        item: received, made here from what was received, or this house's own.
        person: who acts.
        act: what is to be done.
        purpose: for which purpose.
        at: the instant of the decision.
        read: where rows come from: a work's ``facts``, so that what it has said counts; what is committed, by default.
        beside: other people of this house who get at the item by the act.
        method: how it is to be done, where that matters.
        copies: how many copies its recipient will have made of it with this act.
        request: what approvals and witnesses name; act, item and person by default.
        approvals: of that request.
        witnesses: of it.

    Raises:
        Refused: the item has too many ancestors (``lineage-too-long``), somebody keeps the node or audits it and
            therefore gets at nothing (``no-reader``, ``spec/places.md`` step 3), or nothing leaves now under an
            agreement that it came by (``frozen``).
    """
    for each in (person, *beside) if act in ACCESS_ACTS else ():
        check_reader(each)
    read = read or house.sequencer.rows.get
    found = await ancestry(house, read, row, item, purpose)
    if act in ONWARD_ACTS:
        await check_frozen(house, found.agreements.values())
    pseudonym = house.pseudonym(row.relationship, person.person)
    people = [person, *(each for each in beside if each.person != person.person)]
    facilities, attested = await at_their_sites(house, read, row, found, people, at)
    assured = await assured_before(house, read, found)
    return decision.Case(
        request=request or f"{act}/{item.item}/{pseudonym}",
        act=act,
        item=found.item,
        purpose=purpose,
        requester=pseudonym,
        acting=house.party,
        recipients=tuple(reader(each, house.party, house.pseudonym(row.relationship, each.person)) for each in people),
        at=at,
        facts=decision.Facts(
            standings=await standings_of(house, found.agreements.values(), at),
            attestations=(*attested, *assured),
            approvals=tuple(approvals),
            consents=await _consents(read, found, at),
            facilities=facilities,
            witnesses=tuple(witnesses),
        ),
        method=method,
        copies=copies,
    )


async def at_their_sites(
    house: House, read: ReadRows, row: AgreementRow, found: Ancestry, people: Sequence[PersonRow], at: datetime
) -> tuple[tuple[decision.Facility, ...], tuple[decision.Attestation, ...]]:
    """Where people handle an item, and what this house attests of it under each agreement that takes part."""
    attested: list[decision.Attestation] = []
    facilities: dict[str, decision.Facility] = {}
    for person in people:
        sites = await sites_from(read, site_of(person))
        if not sites:
            continue
        site = sites[0]
        facilities[site.facility] = decision.Facility(
            site=site.facility, party=house.party, mark=site.mark, until=site.until
        )
        recipient = house.pseudonym(row.relationship, person.person)
        for each in found.agreements.values():
            agreement = (await house.library.load(each)).agreement
            attested += await _site_attestations(
                house, read, agreement, sites, person, item=found.item.id, recipient=recipient, at=at
            )
    return tuple(facilities.values()), tuple(dict.fromkeys(attested))


def check_reader(person: PersonRow) -> None:
    """Whoever only keeps the node running, or audits, gets at no content, whatever clearance he holds.

    Raises:
        Refused: it is such a person (``no-reader``).
    """
    if person.roles and UNLISTED.issuperset(person.roles):
        raise Refused(
            f"somebody who is only {' and '.join(person.roles)} handles no content; another person must",
            code="no-reader",
        )


async def _consents(read: ReadRows, found: Ancestry, at: datetime) -> tuple[decision.Consent, ...]:
    """What was consented to about the item and each ancestor, in the relationship of each."""
    given = [
        consent
        for relationship, row in found.rows
        for consent in await consents_for(read, found.agreements[relationship], row, at)
    ]
    return tuple(dict.fromkeys(given))


async def _site_attestations(
    house: House,
    read: ReadRows,
    agreement: Agreement,
    sites: list[FacilityRow],
    person: PersonRow,
    *,
    item: str,
    recipient: str,
    at: datetime,
) -> list[decision.Attestation]:
    """What this house attests of a person's site, each condition by what shows it (``spec/places.md`` steps 11, 12)."""
    shown: dict[tuple[str, datetime | None], list[str]] = {}
    for condition, each in (await shown_at(read, sites, person, at)).items():
        shown.setdefault((each.record.hex() or each.evidence, each.until), []).append(condition)
    return [
        msgspec.structs.replace(attestation, until=until)
        for (evidence, until), conditions in shown.items()
        for attestation in attestations(
            agreement,
            conditions,
            house.party,
            item=item,
            recipient=recipient,
            site=sites[0].facility,
            evidence=evidence,
        )
    ]


async def record_decision(
    work: Work,
    row: AgreementRow,
    case: decision.Case,
    outcome: decision.Outcome,
    tried: Sequence[bodies.Tried] = (),
) -> Record:
    """Record a decision with its case in the domestic chain, permits and refusals alike.

    ``tried`` are the decisions on the same question under the other agreements with that party.
    """
    body = bodies.Decided(
        act=case.act,
        item=case.item.id,
        relationship=row.relationship,
        outcome=outcome_word(outcome),
        agreement=row.digest,
        case=msgspec.Raw(encode(case)),
        decision=msgspec.Raw(encode(outcome)),
        tried=tuple(tried),
    )
    return await work.say(Draft(DOMESTIC, body))


def answer(running: Running, case: decision.Case) -> decision.Outcome:
    """The decision on a case, under the agreement and layers in use, and those of its ancestors beside it."""
    others = sorted(_agreements(case.item) - {running.compiled.id})
    return decide(running.compiled, case, [each for each in map(running.beside, others) if each is not None])


def _agreements(item: decision.Item) -> set[str]:
    """The agreements under which an item and its ancestors were provided."""
    return {item.agreement}.union(*(_agreements(each) for each in item.lineage))


def outcome_word(outcome: decision.Outcome) -> str:
    """``permit``, ``needs-consent``, ``forbidden`` or ``no-basis``."""
    return str(type(outcome).__struct_config__.tag)
