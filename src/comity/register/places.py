"""Briefings, postings, responsible officers, inspections: the rules of its records (Articles 6(e), 7, 10, 11, 16).

All of them are records of the house; ``spec/places.md`` has the steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import msgspec

from comity.record import bodies
from comity.record.bodies import house as house_bodies
from comity.record.bodies import places as place_bodies
from comity.record.person_act import check_act
from comity.record.statement import Record
from comity.register.conditions import is_cleared
from comity.register.house import (
    change_person,
    check_about_person,
    check_house_act,
    person_key,
    person_reads,
    posting_ends,
    posting_more,
    signer_keys,
)
from comity.register.roles import ROOT, SECURITY_OFFICER
from comity.register.rows import (
    AgreementRow,
    FacilityRow,
    Facts,
    Key,
    PersonRow,
)
from comity.register.rows.giving import Evidence
from comity.register.rows.places import InspectionRow, PostingRow, inspection_key, posting_key
from comity.register.verdict import Context, Put, Rule, check_after, need, no

_AboutSite = place_bodies.ConditionEvidenced | place_bodies.OfficerNamed | place_bodies.Inspected
"""What a security officer says about a site that is registered."""


def facility_key(facility: str) -> Key:
    """Key of a site."""
    return FacilityRow.table, facility


def last_of(row: FacilityRow) -> bytes:
    """What an act about a site names as the newest record about it."""
    return row.last or bytes(32)


# ---- people ---------------------------------------------------------------------------------------------------------


def _removed(context: Context, facts: Facts, record: Record) -> list[Put]:
    row = check_about_person(context, facts, record)
    nothing: dict[str, object] = {"clearance": None, "clearance_until": None, "clearing": None, "site": None}
    gone = change_person(row, record, roles=(), topics=(), briefed=(), stopped=True, removed=True, **nothing)
    return [*gone, *posting_ends(facts, row, record.statement.at)]


def _briefed_reads(_: Context, record: Record) -> list[Key]:
    body = cast("place_bodies.Briefed", record.body)
    given_by = [] if body.given_by == ROOT else [person_key(body.given_by)]
    return [person_key(body.person), *given_by]


def _briefed_more(_: Context, facts: Facts, record: Record) -> list[Key]:
    row = cast("PersonRow | None", facts[person_key(cast("place_bodies.Briefed", record.body).person)])
    return [facility_key(row.site)] if row is not None and row.site is not None else []


def _briefed(context: Context, facts: Facts, record: Record) -> list[Put]:
    body = cast("place_bodies.Briefed", record.body)
    row: PersonRow = need(facts, person_key(body.person), "person")
    if check_act(body, record.statement.relationship, context.party, row.signing_key) != body.person:
        raise no("other-signer", f"whoever was briefed acknowledges it; {body.person!r} did not sign")
    check_after(body.after, row.last)
    if row.removed:
        raise no("removed-person", f"{body.person!r} has left this house")
    if body.given_by == body.person:
        raise no("self-briefing", f"{body.person!r} cannot brief himself; a security officer must")
    if body.given_by != ROOT:
        giver: PersonRow = need(facts, person_key(body.given_by), "person")
        site = cast("FacilityRow | None", facts[facility_key(row.site)]) if row.site is not None else None
        answers = site is not None and site.officer == body.given_by
        if SECURITY_OFFICER not in giver.roles and not answers:
            says = f"neither has the role {SECURITY_OFFICER!r} nor answers for the site"
            raise no("no-role", f"{body.given_by!r} {says}")
    return change_person(row, record, briefed=tuple(sorted({*row.briefed, body.on})))


def _posted_reads(context: Context, record: Record) -> list[Key]:
    body = cast("place_bodies.Posted", record.body)
    return [
        *person_reads(context, record),
        facility_key(body.facility),
        posting_key(body.facility, body.person),
        *under_keys(body.under),
    ]


def _posted(context: Context, facts: Facts, record: Record) -> list[Put]:
    body, at = cast("place_bodies.Posted", record.body), record.statement.at
    row = check_about_person(context, facts, record)
    site: FacilityRow = need(facts, facility_key(body.facility), "facility")
    _check_under(facts, body.under)
    if not body.posted:
        if row.site != body.facility:
            raise no("not-posted", f"{body.person!r} is not posted at {body.facility!r}")
        return [*change_person(row, record, site=None), *posting_ends(facts, row, at)]
    if row.site == body.facility:
        raise no("already-posted", f"{body.person!r} is posted at {body.facility!r} already")
    if not is_cleared(row, at):
        raise no("not-cleared", f"{body.person!r} holds no clearance; only cleared persons are authorised at a site")
    if row.firm is not None and row.firm != body.facility:
        raise no(
            "other-site",
            f"{body.person!r} works at {row.firm!r}, where the conditions for a contractor are evidenced, "
            f"not at {body.facility!r}",
        )
    if at >= site.until:
        raise no("site-ended", f"the approval of {body.facility!r} has ended")
    posting = PostingRow(facility=body.facility, person=body.person, since=at)
    return [
        *change_person(row, record, site=body.facility),
        *posting_ends(facts, row, at),
        Put(posting_key(body.facility, body.person), posting),
    ]


# ---- sites ----------------------------------------------------------------------------------------------------------


def under_keys(relationships: Sequence[str]) -> list[Key]:
    """Keys of the agreements in the relationships that a record about a place names."""
    return [(AgreementRow.table, each) for each in relationships]


def _facility_reads(_: Context, record: Record) -> list[Key]:
    body = cast("house_bodies.FacilityRegistered", record.body)
    parent = [facility_key(body.parent)] if body.parent is not None else []
    return [facility_key(body.facility), *parent, *signer_keys(body), *under_keys(body.under)]


def _facility(context: Context, facts: Facts, record: Record) -> list[Put]:
    body = cast("house_bodies.FacilityRegistered", record.body)
    check_house_act(context, facts, body, record.statement.relationship, SECURITY_OFFICER)
    before = cast("FacilityRow | None", facts[facility_key(body.facility)])
    if body.after is not None:
        check_after(body.after, last_of(before) if before is not None else bytes(32))
    _check_parent(facts, body, before)
    _check_under(facts, body.under)
    row = FacilityRow(
        facility=body.facility,
        mark=body.mark,
        until=body.until,
        conditions=tuple(sorted(set(body.conditions))),
        evidence=body.evidence,
        nature=body.nature,
        parent=body.parent,
        under=body.under,
        last=record.id,
    )
    if before is not None:
        kept = {name: getattr(before, name) for name in _KEPT}
        withdrawn = tuple(each for each in before.withdrawn if each not in row.conditions)
        row = msgspec.structs.replace(row, withdrawn=withdrawn, **kept)
    return [Put(facility_key(body.facility), row)]


_KEPT = ("evidenced", "officer", "authority", "inspected", "inspection_due", "inspection")
"""What stays with a site whose approval is changed."""


def _check_parent(facts: Facts, body: house_bodies.FacilityRegistered, before: FacilityRow | None) -> None:
    """A sub-contractor has one parent from its first day on, so that nobody is his own parent's parent (13)."""
    if before is not None and body.parent != before.parent:
        raise no("other-parent", f"{body.facility!r} was registered under {before.parent or 'nobody'}; that stays")
    if body.parent is None:
        return
    parent: FacilityRow = need(facts, facility_key(body.parent), "facility")
    if body.nature != "contractor" or parent.nature != "contractor" or body.parent == body.facility:
        raise no("not-a-contractor", f"{body.facility!r} cannot be a sub-contractor of {body.parent!r}")


def _check_under(facts: Facts, relationships: Sequence[str]) -> None:
    for key in under_keys(relationships):
        need(facts, key, "agreement")


def _site_reads(_: Context, record: Record) -> list[Key]:
    body = cast("_AboutSite", record.body)
    return [facility_key(body.facility), *signer_keys(body)]


def _check_about_site(context: Context, facts: Facts, record: Record) -> tuple[FacilityRow, str]:
    """The site that an act of a security officer is about, and who signed it."""
    body = cast("_AboutSite", record.body)
    signer = check_house_act(context, facts, body, record.statement.relationship, SECURITY_OFFICER)
    row: FacilityRow = need(facts, facility_key(body.facility), "facility")
    check_after(body.after, last_of(row))
    return row, signer


def _change_site(row: FacilityRow, record: Record, **changes: object) -> list[Put]:
    return [Put(facility_key(row.facility), msgspec.structs.replace(row, last=record.id, **changes))]


def _officer_reads(context: Context, record: Record) -> list[Key]:
    body = cast("place_bodies.OfficerNamed", record.body)
    named = [] if body.person is None else [person_key(body.person)]
    return [*_site_reads(context, record), *named, *under_keys(body.under)]


def _officer(context: Context, facts: Facts, record: Record) -> list[Put]:
    body = cast("place_bodies.OfficerNamed", record.body)
    row, signer = _check_about_site(context, facts, record)
    _check_under(facts, body.under)
    if body.person is None:
        if row.officer is None:
            raise no("no-officer", f"nobody answers for {body.facility!r}")
        return _change_site(row, record, officer=None, authority="")
    person: PersonRow = need(facts, person_key(body.person), "person")
    if signer == body.person:
        raise no("own-post", f"{body.person!r} cannot name himself; another security officer must")
    if not body.authority:
        raise no("no-authority", "a responsible officer is named with what makes him qualified, and by what authority")
    if not is_cleared(person, record.statement.at):
        raise no("not-cleared", f"{body.person!r} holds no clearance, and cannot answer for a site")
    return _change_site(row, record, officer=body.person, authority=body.authority)


def _condition(context: Context, facts: Facts, record: Record) -> list[Put]:
    body = cast("place_bodies.ConditionEvidenced", record.body)
    row, _ = _check_about_site(context, facts, record)
    others = tuple(each for each in row.evidenced if each.condition != body.condition)
    if not body.met:
        if body.condition not in row.conditions and others == row.evidenced:
            raise no("not-evidenced", f"{body.condition} is not evidenced for {body.facility!r}")
        withdrawn = tuple(sorted({*row.withdrawn, body.condition} & set(row.conditions)))
        return _change_site(row, record, evidenced=others, withdrawn=withdrawn)
    if not body.evidence:
        raise no("no-evidence", f"what shows that {body.facility!r} meets {body.condition} is missing")
    if body.until is not None and body.until <= record.statement.at:
        raise no("ended-evidence", "evidence that ends before it is recorded")
    evidence = Evidence(
        condition=body.condition,
        record=record.id,
        evidence=body.evidence,
        until=body.until,
        borne_out=body.borne_out,
    )
    every = tuple(sorted((*others, evidence), key=lambda each: each.condition))
    withdrawn = tuple(each for each in row.withdrawn if each != body.condition)
    return _change_site(row, record, evidenced=every, withdrawn=withdrawn)


def _inspected_reads(context: Context, record: Record) -> list[Key]:
    return [*_site_reads(context, record), *under_keys(cast("place_bodies.Inspected", record.body).under)]


def _inspected(context: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("place_bodies.Inspected", record.body), record.statement
    row, signer = _check_about_site(context, facts, record)
    if signer != body.by:
        raise no("other-signer", f"the inspection names {body.by!r} but somebody else signed it")
    if row.officer == body.by:
        raise no("own-site", f"{body.by!r} answers for {body.facility!r}; somebody else inspects it")
    if not body.findings:
        raise no("no-findings", "an inspection says what was found, if only that all is in order")
    if body.due is not None and body.due <= statement.at:
        raise no("due-passed", "the next inspection is due after this one")
    _check_under(facts, body.under)
    inspection = InspectionRow(
        record=record.id,
        facility=body.facility,
        by=body.by,
        findings=body.findings,
        at=statement.at,
        due=body.due,
    )
    changes = {"inspected": statement.at, "inspection_due": body.due, "inspection": record.id, "under": body.under}
    return [
        *_change_site(row, record, **changes),
        Put(inspection_key(body.facility, statement.at, statement.sequence), inspection),
    ]


RULES: dict[type[bodies.Body], Rule] = {
    bodies.FacilityRegistered: Rule(_facility_reads, _facility),
    place_bodies.PersonRemoved: Rule(person_reads, _removed, posting_more),
    place_bodies.Briefed: Rule(_briefed_reads, _briefed, _briefed_more),
    place_bodies.Posted: Rule(_posted_reads, _posted, posting_more),
    place_bodies.OfficerNamed: Rule(_officer_reads, _officer),
    place_bodies.ConditionEvidenced: Rule(_site_reads, _condition),
    place_bodies.Inspected: Rule(_inspected_reads, _inspected),
}
"""The rule of every record type of this area."""
