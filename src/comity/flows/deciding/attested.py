"""What was attested, as facts of a case: with an assurance, with an approval, of a site (``spec/decision.md`` step 12).

Rules of this file:

- Whoever is to receive attests with its assurance, whoever gives with its approval; each for one request.
- What the receiver has assured about an item it still attests when its people handle that item, until it says
  otherwise: a later answer to the same request takes the place of the earlier one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from comity.agreement.model import Agreement, Layer
from comity.agreement.vocabulary import GIVING_ACTS
from comity.decision import model as decision
from comity.flows.deciding.lineage import Ancestry
from comity.flows.house import House
from comity.flows.keeping.committed import ReadRows
from comity.flows.keeping.library import Running
from comity.register.rows import (
    AgreementRow,
    AskedRow,
    AssuranceRow,
    ConsignmentRow,
    DirectoryRow,
    ItemRow,
    RequestRow,
    asked_key,
    assurance_key,
)


def attestations(
    text: Agreement | Layer,
    conditions: Iterable[str],
    by: str,
    *,
    item: str,
    recipient: str,
    site: str,
    evidence: str,
    whom: str = "",
) -> list[decision.Attestation]:
    """The checklists of a text that ``conditions`` (clause ids) speak to, each about what it is bound to.

    ``whom`` is the party they are about where they are about one; whoever attests speaks of itself otherwise.
    """
    given = set(conditions)
    about = {"item-and-recipient": recipient, "item": item, "site": site, "party": whom or by}
    return [
        decision.Attestation(
            checklist=checklist.id,
            conditions=tuple(each for each in checklist.conditions if each in given),
            about=about[checklist.bound_to],
            by=by,
            item=item if checklist.bound_to == "item-and-recipient" else "",
            evidence=evidence,
        )
        for checklist in text.checklists
        if given & set(checklist.conditions)
    ]


def approved_with(
    party: str, row: AgreementRow, running: Running, request: RequestRow, entry: DirectoryRow
) -> list[decision.Attestation]:
    """What this side's release authorities have attested with their approvals."""
    texts: list[Agreement | Layer] = [running.agreement, *running.layers]
    return [
        each
        for approval in request.approvals
        if approval.granted
        for text in texts
        for each in attestations(
            text,
            approval.attests,
            party,
            item=request.item,
            recipient=entry.pseudonym,
            site=entry.firm or "",
            evidence=approval.record.hex(),
            whom=row.peer,
        )
    ]


async def assured_before(house: House, read: ReadRows, found: Ancestry) -> tuple[decision.Attestation, ...]:
    """What this house assured when it was given an item, and what that came from; where rules still ask for it."""
    attested: list[decision.Attestation] = []
    for relationship, row in found.rows:
        agreement = (await house.library.load(found.agreements[relationship])).agreement
        if row.relationship != relationship or not _asks_again(agreement):
            continue
        for assurance in await _assurances(read, relationship, row):
            attested += attestations(
                agreement,
                assurance.conditions,
                house.party,
                item=row.item,
                recipient=assurance.recipient,
                site="",
                evidence=assurance.record.hex(),
            )
    return tuple(dict.fromkeys(attested))


def _asks_again(agreement: Agreement) -> bool:
    """Whether anything but giving rests on a checklist that the receiver attests, and not of a site."""
    named = {rule.checklist for rule in agreement.rules if not GIVING_ACTS.issuperset(rule.acts)}
    lists = [each for each in agreement.checklists if each.bound_to != "site" and each.attested_by != "originator"]
    return any(each.id in named for each in lists)


async def _assurances(read: ReadRows, relationship: str, item: ItemRow) -> list[AssuranceRow]:
    """The answers that stand, to the requests by which an item came."""
    consigned = await read([(ConsignmentRow.table, each.hex()) for each in item.consignments])
    requests = sorted({cast("ConsignmentRow", each).request for each in consigned.values() if each is not None})
    asked = await read([asked_key(relationship, each) for each in requests])
    keys = [
        assurance_key(relationship, row.request, recipient)
        for row in (cast("AskedRow", each) for each in asked.values() if each is not None)
        for recipient in row.recipients
    ]
    return [cast("AssuranceRow", each) for each in (await read(keys)).values() if each is not None]
