"""Of what the records about places are occasions: which duties they open and discharge (``spec/places.md`` step 15)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import cast

from comity.agreement.vocabulary import Deed
from comity.record import bodies
from comity.record.bodies import giving as giving_bodies
from comity.record.bodies import house as house_bodies
from comity.record.bodies import places as place_bodies
from comity.record.statement import Record
from comity.register.occasions import THE_AGREEMENT, request_subject
from comity.register.places import facility_key, under_keys
from comity.register.rows import AgreementRow, AskedRow, DirectoryRow, FacilityRow, Facts, asked_key, directory_key
from comity.register.sides import other_party
from comity.register.verdict import Context, Discharge, Occasions, Occurrence, need


def inspection_subject(facility: str, inspection: bytes | None) -> str:
    """Subject of the inspection that is owed after the last one; the first where there was none."""
    return f"{facility}/{'first' if inspection is None else inspection.hex()[:32]}"


def _next_inspection(
    facts: Facts, facility: str, under: Sequence[str], last: bytes | None, due: datetime | None
) -> list[Occurrence | Discharge]:
    """Under each agreement that asks for it, in the view of this house alone, which is the one to inspect (15)."""
    return [
        Occurrence(
            event="inspection-due",
            subject=inspection_subject(facility, last),
            originator=need(facts, key, "agreement").peer,
            relationship=key[1],
            due=due,
        )
        for key in under_keys(under)
    ]


def _first_is_due(_: Context, facts: Facts, record: Record) -> list[Occurrence | Discharge]:
    body = cast("house_bodies.FacilityRegistered", record.body)
    before = cast("FacilityRow | None", facts[facility_key(body.facility)])
    if body.nature != "contractor" or (before is not None and before.inspection is not None):
        return []
    return _next_inspection(facts, body.facility, body.under, None, None)


def _was_inspected(_: Context, facts: Facts, record: Record) -> list[Occurrence | Discharge]:
    body = cast("place_bodies.Inspected", record.body)
    row: FacilityRow = need(facts, facility_key(body.facility), "facility")
    subject = inspection_subject(body.facility, row.inspection)
    told: list[Occurrence | Discharge] = [
        Occurrence(
            event="contractor-inspected",
            subject=inspection_subject(body.facility, record.id),
            originator=need(facts, key, "agreement").peer,
            relationship=key[1],
        )
        for key in under_keys(body.under if row.nature == "contractor" else ())
    ]
    done: list[Occurrence | Discharge] = [
        Discharge(deed="inspect-site", subject=subject, relationship=each)
        for each in dict.fromkeys((*row.under, *body.under))
    ]
    done += told
    if body.due is None or row.nature != "contractor":
        return done
    return done + _next_inspection(facts, body.facility, body.under, record.id, body.due)


def _contractors_asked(_: Context, facts: Facts, record: Record) -> list[Occurrence | Discharge]:
    """Before anything goes to a contractor's person his site must meet what the agreement asks of it."""
    body, statement = cast("giving_bodies.AssuranceAsked", record.body), record.statement
    row: AgreementRow = need(facts, (AgreementRow.table, statement.relationship), "agreement")
    parties = dict.fromkeys((row.peer, *row.acknowledged))
    keys = [directory_key(statement.relationship, party, each) for party in parties for each in body.recipients]
    entries = [cast("DirectoryRow | None", facts[key]) for key in keys if key in facts]
    if not any(each is not None and each.employer == "contractor" for each in entries):
        return []
    subject = request_subject(body.item, body.request)
    author = statement.author
    return [Occurrence(event="contractor-release-wanted", subject=subject, originator=author, item=body.item)]


def _contractors_assured(_: Context, facts: Facts, record: Record) -> list[Occurrence | Discharge]:
    """Met, or refused, with the answer about the last of those who were asked about."""
    body = cast("giving_bodies.Assured", record.body)
    asked = cast("AskedRow | None", facts[asked_key(record.statement.relationship, body.request)])
    if asked is None or not set(asked.recipients) <= {*asked.answered, body.recipient}:
        return []
    return [Discharge(deed="meet-checklist", subject=request_subject(body.item, body.request))]


def _access_ended(context: Context, facts: Facts, record: Record) -> list[Occurrence | Discharge]:
    """A function to which nothing new may go has no access from this record on (5)."""
    body, statement = cast("giving_bodies.Listed", record.body), record.statement
    before = cast("DirectoryRow | None", facts[directory_key(statement.relationship, statement.author, body.pseudonym)])
    if before is None or not before.reachable or (body.receives and not body.withdrawn):
        return []
    if facts[AgreementRow.table, statement.relationship] is None:  # in a channel nothing is given
        return []
    originator = other_party(context, facts, record)
    subject = f"{body.pseudonym}/{record.id.hex()[:32]}"
    return [
        Occurrence(event="clearance-ended", subject=subject, originator=originator),
        Discharge(deed="end-access", subject=subject),
    ]


def _shows(deed: Deed) -> Occasions:
    """What is owed as long as the agreement stands is shown to be done (``spec/duties.md`` step 6)."""

    def shows(_: Context, __: Facts, record: Record) -> list[Occurrence | Discharge]:
        body = cast("place_bodies.Posted | place_bodies.OfficerNamed", record.body)
        return [Discharge(deed=deed, subject=THE_AGREEMENT, relationship=each) for each in body.under]

    return shows


OCCASIONS: dict[type[bodies.Body], Occasions] = {
    bodies.FacilityRegistered: _first_is_due,
    place_bodies.Inspected: _was_inspected,
    place_bodies.Posted: _shows("keep-register"),
    place_bodies.OfficerNamed: _shows("name-officer"),
    giving_bodies.AssuranceAsked: _contractors_asked,
    giving_bodies.Assured: _contractors_assured,
    giving_bodies.Listed: _access_ended,
}
"""Of what the records of this area are occasions."""
