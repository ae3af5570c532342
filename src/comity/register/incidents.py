"""Loss and compromise: the rules of its records (Article 17; ``spec/incidents.md``).

The side that reports an incident goes on with it; each of its acts names the one before. The other side has one act of
its own, an investigation on the ground of a third party, and it stands in a row of its own beside the others, so that
neither side's records depend on what the other says at the same time.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, cast

import msgspec

from comity.record import bodies
from comity.record.bodies.incidents import (
    IncidentAffected,
    IncidentClosed,
    IncidentOpened,
    IncidentReported,
    IncidentWidened,
    InvestigationEnded,
    InvestigationOpened,
    SuspensionLifted,
)
from comity.record.person_act import check_act
from comity.record.statement import Record
from comity.register.house import person_key
from comity.register.officers import check_officer, officer_key
from comity.register.receiving import came_reads, came_to
from comity.register.roles import SECURITY_OFFICER
from comity.register.rows import AgreementRow, CopyRow, Facts, Key, PersonRow, copy_key
from comity.register.rows.incidents import (
    AffectedRow,
    IncidentPartRow,
    IncidentRow,
    SuspicionRow,
    incident_key,
    incident_part_key,
    suspicion_key,
)
from comity.register.sides import other_party
from comity.register.verdict import Context, Discharge, Occasions, Occurrence, Put, Rule, check_after, need, no


def _key(record: Record) -> Key:
    body: Any = record.body
    return incident_key(record.statement.relationship, body.incident)


def _row(facts: Facts, record: Record) -> IncidentRow:
    row: IncidentRow = need(facts, _key(record), "incident")
    return row


# ---- the report -----------------------------------------------------------------------------------------------------


def _reported_reads(_: Context, record: Record) -> list[Key]:
    body, relationship = cast("IncidentReported", record.body), record.statement.relationship
    keys = [(AgreementRow.table, relationship), _key(record), officer_key(record)]
    for item in body.items:
        keys += _item_keys(relationship, item)
    keys += (copy_key(relationship, each.item, each.number) for each in body.copies)
    return keys


def _item_keys(relationship: str, item: str) -> tuple[Key, ...]:
    return (*came_reads(relationship, item), suspicion_key(relationship, item))


def _reported(context: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("IncidentReported", record.body), record.statement
    relationship = statement.relationship
    if facts[_key(record)] is not None:
        raise no("incident-exists", f"incident {body.incident!r} was already reported")
    check_officer(facts, record)
    agreement: AgreementRow = need(facts, (AgreementRow.table, relationship), "agreement")
    parties = {party.id for party in context.agreement(agreement.digest).parties}
    if body.ground is not None and body.ground in parties:
        raise no("not-third-ground", f"{body.ground!r} is a party, and its ground is not that of a third one")
    for item in body.items:
        _check_keeps(facts, record, item)
    for each in body.copies:
        if each.item not in body.items:
            raise no("other-item", f"it names a copy of {each.item!r}, which it is not about")
        if cast("CopyRow | None", facts[copy_key(relationship, each.item, each.number)]) is None:
            raise no("unknown-copy", f"there is no copy {each.number} of {each.item!r}")
    row = IncidentRow(
        incident=body.incident,
        record=record.id,
        last=record.id,
        author=statement.author,
        what=body.what,
        items=body.items,
        copies=tuple((each.item, each.number) for each in body.copies),
        circumstances=body.circumstances,
        ground=body.ground or "",
        by=body.by,
        at=statement.at,
    )
    return [Put(_key(record), row), *_suspect(facts, relationship, body.incident, body.items)]


def _check_keeps(facts: Facts, record: Record, item: str) -> None:
    """(4) Who reports is the side that has the item: it was given to it, or it made it from what was given to it."""
    statement = record.statement
    if came_to(facts, statement.relationship, item, statement.author):
        return
    raise no("not-received", f"item {item!r} did not come to {statement.author!r} in this relationship")


def _suspect(facts: Facts, relationship: str, incident: str, items: Iterable[str]) -> list[Put]:
    puts = []
    for item in dict.fromkeys(items):
        key = suspicion_key(relationship, item)
        before = cast("SuspicionRow | None", facts[key])
        incidents = tuple(sorted({*(before.incidents if before is not None else ()), incident}))
        puts.append(Put(key, SuspicionRow(incidents=incidents)))
    return puts


def _widened_reads(_: Context, record: Record) -> list[Key]:
    body, relationship = cast("IncidentWidened", record.body), record.statement.relationship
    keys = [_key(record), officer_key(record)]
    for item in body.items:
        keys += _item_keys(relationship, item)
    return keys


def _widened(_: Context, facts: Facts, record: Record) -> list[Put]:
    body, relationship = cast("IncidentWidened", record.body), record.statement.relationship
    row = _own_open(facts, record)
    check_officer(facts, record)
    if body.part != row.parts + 1:
        raise no("part", f"part {body.part} of incident {body.incident!r} does not follow on part {row.parts}")
    for item in body.items:
        _check_keeps(facts, record, item)
    return [
        Put(_key(record), msgspec.structs.replace(row, parts=body.part)),
        Put(incident_part_key(relationship, body.incident, body.part), IncidentPartRow(items=body.items)),
        *_suspect(facts, relationship, body.incident, body.items),
    ]


# ---- what follows on it ---------------------------------------------------------------------------------------------


def _follows_reads(_: Context, record: Record) -> list[Key]:
    return [_key(record), officer_key(record)]


def _own_open(facts: Facts, record: Record) -> IncidentRow:
    """The incident, which its author's side reported and which is not over."""
    row = _row(facts, record)
    if row.author != record.statement.author:
        raise no("not-reporter", f"incident {row.incident!r} was reported by {row.author!r}, which goes on with it")
    if row.closed is not None:
        raise no("closed", f"incident {row.incident!r} is closed; report another one")
    return row


def _goes_on(facts: Facts, record: Record) -> IncidentRow:
    """(6) The incident, for the next act of the side that reported it, by a security officer."""
    body: Any = record.body
    row = _own_open(facts, record)
    check_officer(facts, record, SECURITY_OFFICER)
    check_after(body.after, row.last)
    return row


def _investigated(_: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("InvestigationOpened", record.body), record.statement
    row = _row(facts, record)
    if row.author != statement.author:
        return [Put(_key(record), _followed(facts, record, row))]
    row = _goes_on(facts, record)
    if row.investigated is not None:
        raise no("already-investigated", f"incident {row.incident!r} is under investigation")
    return [_changed(record, row, investigated=statement.at, investigation=body.note)]


def _followed(facts: Facts, record: Record, row: IncidentRow) -> IncidentRow:
    """(7) On the ground of a third party the side that gave the item may investigate too."""
    body, statement = cast("InvestigationOpened", record.body), record.statement
    check_officer(facts, record, SECURITY_OFFICER)
    if not row.ground:
        raise no("not-reporter", f"incident {row.incident!r} is for {row.author!r} to investigate")
    check_after(body.after, row.following or row.record)
    if row.following is not None:
        raise no("already-investigated", f"{statement.author!r} has opened its investigation already")
    return msgspec.structs.replace(row, followed=statement.at, following=record.id)


def _ended(_: Context, facts: Facts, record: Record) -> list[Put]:
    body, at = cast("InvestigationEnded", record.body), record.statement.at
    row = _goes_on(facts, record)
    if row.investigated is None:
        raise no("not-investigated", f"incident {row.incident!r} has no result before its investigation was opened")
    if not body.result and not body.measures:
        raise no("no-result", "neither a result nor measures are told")
    result, measures = body.result or row.result, body.measures or row.measures
    reported: datetime | None = at if result and measures else None
    return [_changed(record, row, result=result, measures=measures, reported=reported)]


def _release_more(_: Context, facts: Facts, record: Record) -> list[Key]:
    """Every item that the incident concerns: first the parts that name them, then what is suspected about each."""
    relationship = record.statement.relationship
    row = cast("IncidentRow | None", facts[_key(record)])
    if row is None:
        return []
    parts = [incident_part_key(relationship, row.incident, part) for part in range(1, row.parts + 1)]
    if any(key not in facts for key in parts):
        return parts
    return [*parts, *(suspicion_key(relationship, item) for item in _items(facts, relationship, row))]


def _items(facts: Facts, relationship: str, row: IncidentRow) -> list[str]:
    items = list(row.items)
    for part in range(1, row.parts + 1):
        more = cast("IncidentPartRow", facts[incident_part_key(relationship, row.incident, part)])
        items += more.items
    return list(dict.fromkeys(items))


def _released(_: Context, facts: Facts, record: Record) -> list[Put]:
    body, at = cast("SuspensionLifted", record.body), record.statement.at
    row = _goes_on(facts, record)
    if row.released is not None:
        raise no("already-released", f"what incident {row.incident!r} concerns was released already")
    return [_changed(record, row, released=at, release=body.reason), *_unsuspect(facts, record, row)]


def _unsuspect(facts: Facts, record: Record, row: IncidentRow) -> list[Put]:
    relationship = record.statement.relationship
    puts: list[Put] = []
    for item in _items(facts, relationship, row):
        key = suspicion_key(relationship, item)
        before = cast("SuspicionRow | None", facts[key])
        left = tuple(each for each in (before.incidents if before is not None else ()) if each != row.incident)
        puts.append(Put(key, SuspicionRow(incidents=left) if left else None))
    return puts


def _closed(_: Context, facts: Facts, record: Record) -> list[Put]:
    body, at = cast("IncidentClosed", record.body), record.statement.at
    row = _goes_on(facts, record)
    if not body.reason:
        raise no("no-reason", "an incident is closed with a reason")
    if not body.false_alarm and row.reported is None:
        raise no(
            "not-reported",
            f"incident {row.incident!r} is closed once its result and the measures against recurrence were told",
        )
    released = row.released or at
    puts = [_changed(record, row, closed=at, released=released, false_alarm=body.false_alarm, reason=body.reason)]
    return puts if row.released is not None else [*puts, *_unsuspect(facts, record, row)]


def _changed(record: Record, row: IncidentRow, **changes: object) -> Put:
    return Put(_key(record), msgspec.structs.replace(row, last=record.id, **changes))


# ---- the house's own ------------------------------------------------------------------------------------------------


def _affected_key(record: Record) -> Key:
    body: Any = record.body
    return AffectedRow.table, body.incident


def _opened_reads(_: Context, record: Record) -> list[Key]:
    return [_affected_key(record), person_key(cast("IncidentOpened", record.body).by)]


def _opened(context: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("IncidentOpened", record.body), record.statement
    if facts[_affected_key(record)] is not None:
        raise no("incident-exists", f"incident {body.incident!r} was already reported")
    person: PersonRow = need(facts, person_key(body.by), "person")
    if check_act(body, statement.relationship, context.party, person.signing_key) != body.by:
        raise no("other-signer", f"the report names {body.by!r}, but somebody else signed it")
    row = AffectedRow(
        incident=body.incident,
        record=record.id,
        what=body.what,
        items=body.items,
        told=body.told,
        affected_items=body.affected_items,
        affected_copies=body.affected_copies,
        holders=body.holders,
        digest=body.digest,
        by=body.by,
        at=statement.at,
    )
    return [Put(_affected_key(record), row)]


def _affected_reads(_: Context, record: Record) -> list[Key]:
    return [_affected_key(record)]


def _affected(_: Context, facts: Facts, record: Record) -> list[Put]:
    body = cast("IncidentAffected", record.body)
    row: AffectedRow = need(facts, _affected_key(record), "incident")
    if body.part != row.parts + 1:
        raise no("part", f"part {body.part} of incident {body.incident!r} does not follow on part {row.parts}")
    return [Put(_affected_key(record), msgspec.structs.replace(row, parts=body.part))]


# ---- duties ---------------------------------------------------------------------------------------------------------


def _loss(context: Context, facts: Facts, record: Record) -> list[Occurrence | Discharge]:
    """Told by the very record that says so; the investigation is still to come."""
    body = cast("IncidentReported", record.body)
    originator = other_party(context, facts, record)
    found: list[Occurrence | Discharge] = [
        Occurrence(event="loss-suspected", subject=body.incident, originator=originator, item=body.items[0]),
        Discharge(deed="notify", subject=body.incident),
    ]
    if body.ground is not None:
        found.append(
            Occurrence(event="loss-on-third-ground", subject=body.incident, originator=originator, item=body.items[0])
        )
    return found


def _investigation(_: Context, __: Facts, record: Record) -> list[Occurrence | Discharge]:
    return [Discharge(deed="investigate", subject=cast("InvestigationOpened", record.body).incident)]


def _result(context: Context, facts: Facts, record: Record) -> list[Occurrence | Discharge]:
    """The first word of a result ends the investigation; the report is whole with the measures."""
    body = cast("InvestigationEnded", record.body)
    row = _row(facts, record)
    found: list[Occurrence | Discharge] = [
        Occurrence(
            event="investigation-ended",
            subject=body.incident,
            originator=other_party(context, facts, record),
            item=row.items[0],
        )
    ]
    if (body.result or row.result) and (body.measures or row.measures):
        found.append(Discharge(deed="report", subject=body.incident))
    return found


def _over(_: Context, __: Facts, record: Record) -> list[Occurrence | Discharge]:
    """What a false alarm leaves open is not owed any more."""
    subject = cast("IncidentClosed", record.body).incident
    return [Discharge(deed="investigate", subject=subject), Discharge(deed="report", subject=subject)]


RULES: dict[type[bodies.Body], Rule] = {
    IncidentReported: Rule(_reported_reads, _reported),
    IncidentWidened: Rule(_widened_reads, _widened),
    InvestigationOpened: Rule(_follows_reads, _investigated),
    InvestigationEnded: Rule(_follows_reads, _ended),
    SuspensionLifted: Rule(_follows_reads, _released, _release_more),
    IncidentClosed: Rule(_follows_reads, _closed, _release_more),
    IncidentOpened: Rule(_opened_reads, _opened),
    IncidentAffected: Rule(_affected_reads, _affected),
}
"""The rule of every record type of this area."""
OCCASIONS: dict[type[bodies.Body], Occasions] = {
    IncidentReported: _loss,
    InvestigationOpened: _investigation,
    InvestigationEnded: _result,
    IncidentClosed: _over,
}
"""Of what each of these record types is an occasion."""
