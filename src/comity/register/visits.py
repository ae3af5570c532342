"""Visits: the rules of its records (Articles 8, 18).

The author of ``visit-request/1`` visits; the other party, on whose territory the site lies, is the host. Each rule
serves both sides; ``spec/visits.md`` has the steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import cast

import msgspec

from comity.agreement.equivalence import level_of
from comity.agreement.model import Agreement
from comity.marking.label import Label
from comity.record.bodies import Body
from comity.record.bodies import visits as bodies
from comity.record.statement import Record
from comity.register.officers import check_officer, officer_key
from comity.register.roles import AGREEMENT_AUTHORITY, SECURITY_OFFICER
from comity.register.rows import AgreementRow, DirectoryRow, Facts, Key, directory_key
from comity.register.rows.visits import FindingRow, VisitRow, finding_key, visit_key
from comity.register.sides import other_party
from comity.register.verdict import Context, Discharge, Occasions, Occurrence, Put, Rule, check_after, need, no

AUTHORITIES = (AGREEMENT_AUTHORITY, SECURITY_OFFICER)
"""Roles by which somebody speaks for his side's competent authority about visits (1)."""
_About = bodies.VisitAnswered | bodies.VisitEnded | bodies.FindingMade | bodies.FindingClosed
"""What is said about a visit that was asked for."""


def _agreement(context: Context, facts: Facts, record: Record) -> Agreement:
    row: AgreementRow = need(facts, (AgreementRow.table, record.statement.relationship), "agreement")
    return context.agreement(row.digest)


# ---- asking ---------------------------------------------------------------------------------------------------------


def _asked_reads(_: Context, record: Record) -> list[Key]:
    body, statement = cast("bodies.VisitAsked", record.body), record.statement
    visitors = [directory_key(statement.relationship, statement.author, each) for each in body.visitors]
    return [
        (AgreementRow.table, statement.relationship),
        visit_key(statement.relationship, body.visit),
        officer_key(record),
        *visitors,
    ]


def _asked(context: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("bodies.VisitAsked", record.body), record.statement
    key = visit_key(statement.relationship, body.visit)
    if facts[key] is not None:
        raise no("visit-exists", f"visit {body.visit!r} was already asked for")
    check_officer(facts, record, *AUTHORITIES)
    agreement: AgreementRow = need(facts, (AgreementRow.table, statement.relationship), "agreement")
    if not {context.party, agreement.peer} <= set(agreement.acknowledged):
        raise no("not-acknowledged", f"both parties must acknowledge {agreement.agreement!r} before anybody visits")
    for visitor in body.visitors:
        entry: DirectoryRow = need(facts, directory_key(statement.relationship, statement.author, visitor), "function")
        if not entry.reachable:
            raise no("withdrawn", f"{visitor!r} can be shown nothing; the directory of {statement.author!r} says so")
    if not body.starts < body.ends or body.ends <= statement.at:
        raise no("dates", "a visit ends after it starts, and not before it is asked for")
    level = level_of(_agreement(context, facts, record), other_party(context, facts, record), body.mark)
    if not level.crosses:
        raise no("above-ceiling", f"{body.mark!r} is above what may be shown at all (Article {level.clause})")
    fields = {name: getattr(body, name) for name in body.__struct_fields__ if name != "signature"}
    fields["visitors"] = tuple(sorted(set(body.visitors)))
    row = VisitRow(author=statement.author, record=record.id, at=statement.at, last=record.id, **fields)
    return [Put(key, row)]


# ---- answering ------------------------------------------------------------------------------------------------------


def _visit_reads(_: Context, record: Record) -> list[Key]:
    body, statement = cast("_About", record.body), record.statement
    return [
        (AgreementRow.table, statement.relationship),
        visit_key(statement.relationship, body.visit),
        officer_key(record),
    ]


def _visit(facts: Facts, record: Record, *, host: bool) -> VisitRow:
    """The visit that a record of its host, or of its visitor, is about."""
    body, statement = cast("_About", record.body), record.statement
    row: VisitRow = need(facts, visit_key(statement.relationship, body.visit), "visit")
    if (row.author != statement.author) != host:
        if host:
            raise no("not-host", f"only the party on whose territory the site lies answers, not {statement.author!r}")
        raise no("not-visitor", f"{statement.author!r} is the host of visit {body.visit!r}, not its visitor")
    return row


def _answered(context: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("bodies.VisitAnswered", record.body), record.statement
    row = _visit(facts, record, host=True)
    check_officer(facts, record, *AUTHORITIES)
    check_after(body.after, row.last)
    if row.ended is not None and _knew(context, record, row.end):
        raise no("visit-ended", f"visit {body.visit!r} is over")
    if body.permits is None:
        if not body.reason:
            raise no("no-reason", "a visit that is not permitted is refused with the reason")
    else:
        _check_permission(_agreement(context, facts, record), row, body.permits, statement.author)
        if body.basis is None:
            raise no("no-basis", "a permission commits to the decision that allowed it")
    answered = msgspec.structs.replace(
        row,
        permits=body.permits,
        reason=body.reason,
        given=body.permits or row.given,
        answered=statement.at,
        answer=statement.sequence,
        last=record.id,
    )
    return [Put(visit_key(statement.relationship, body.visit), answered)]


def _check_permission(agreement: Agreement, row: VisitRow, permits: bodies.Permission, host: str) -> None:
    """A permission is what was asked for, or less (4)."""
    if not set(permits.visitors) <= set(row.visitors):
        raise no("other-visitor", "the permission names somebody for whom the visit was not asked")
    if not row.starts <= permits.starts < permits.ends <= row.ends:
        raise no("dates", "the permission reaches beyond the days that were asked for")
    if level_of(agreement, host, permits.mark).rank > level_of(agreement, host, row.mark).rank:
        raise no("above-asked", f"{permits.mark!r} is above {row.mark!r}, which was asked for")


def _knew(context: Context, record: Record, sequence: int | None) -> bool:
    """Whether the author of a record had seen one of the other party; one's own house knows all that is here."""
    return record.statement.author == context.party or (sequence is not None and record.statement.has_seen(sequence))


def _ended(context: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("bodies.VisitEnded", record.body), record.statement
    row = _visit(facts, record, host=False)
    officer = check_officer(facts, record)
    if officer.pseudonym not in row.visitors and not set(AUTHORITIES) & set(officer.roles):
        raise no("no-role", f"{officer.pseudonym!r} is neither one of the visitors nor of the authority")
    if row.answer is None or _knew(context, record, row.answer):  # else the host has answered meanwhile (7)
        check_after(body.after, row.last)
    if row.ended is not None:
        raise no("visit-ended", f"visit {body.visit!r} is over already")
    ended = msgspec.structs.replace(row, report=body.report, ended=statement.at, end=statement.sequence)
    return [Put(visit_key(statement.relationship, body.visit), ended)]


# ---- what is shown during a visit -----------------------------------------------------------------------------------


def check_shown(
    agreement: Agreement,
    row: VisitRow | None,
    *,
    author: str,
    to: Sequence[str],
    label: Label,
    topic: str,
    shown: datetime,
) -> None:
    """Check that something may be shown during a visit: to whom, what and when was permitted (6).

    Args:
        agreement: under which the visit takes place.
        row: the visit; None where there is none of that name.
        author: party id of whoever shows it.
        to: pseudonyms of those to whom.
        label: of what is shown.
        topic: its need-to-know list.
        shown: the instant at which.

    Raises:
        Rejected: no such visit, not by its host, not permitted, over, to somebody else, too high, another topic.
    """
    if row is None or author == row.author:
        raise no("unknown-visit", "there is no visit of that name to a site of whoever shows something")
    permits = row.permits
    if permits is None:
        raise no("visit-not-permitted", f"visit {row.visit!r} is not permitted")
    if not permits.starts <= shown < permits.ends or (row.ended is not None and shown >= row.ended):
        raise no("visit-dates", f"visit {row.visit!r} is not permitted on that day")
    others = sorted(set(to) - set(permits.visitors))
    if others:
        raise no("other-visitor", f"{others[0]!r} is not among those who visit")
    if topic != permits.topic:
        raise no("other-topic", f"the topic of visit {row.visit!r} is {permits.topic!r}, not {topic!r}")
    if level_of(agreement, label.policy, label.mark).rank > level_of(agreement, author, permits.mark).rank:
        raise no("above-visit", f"{label.mark!r} is above {permits.mark!r}, the highest level of visit {row.visit!r}")


# ---- security representatives ---------------------------------------------------------------------------------------


def _finding_reads(context: Context, record: Record) -> list[Key]:
    body = cast("bodies.FindingMade | bodies.FindingClosed", record.body)
    return [*_visit_reads(context, record), finding_key(record.statement.relationship, body.visit, body.finding)]


def _found(context: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("bodies.FindingMade", record.body), record.statement
    row = _visit(facts, record, host=False)
    key = finding_key(statement.relationship, body.visit, body.finding)
    if facts[key] is not None:
        raise no("finding-exists", f"finding {body.finding!r} was already recorded")
    check_officer(facts, record)
    if not row.security:
        raise no("not-security", f"visit {body.visit!r} is not one by security representatives")
    if row.answer is None or _knew(context, record, row.answer):
        if row.permits is None or statement.at < row.permits.starts:
            raise no("visit-dates", f"visit {body.visit!r} has not begun, or is not permitted")
        if body.by not in row.permits.visitors:
            raise no("other-visitor", f"{body.by!r} is not among those who visit")
    elif row.given is None or body.by not in row.visitors:  # (8) another permission than the one that held for it
        raise no("visit-dates", f"visit {body.visit!r} was never permitted to {body.by!r}")
    if not body.says:
        raise no("no-findings", "a finding says what was found")
    finding = FindingRow(
        finding=body.finding,
        visit=body.visit,
        record=record.id,
        says=body.says,
        wanted=body.wanted,
        by=body.by,
        at=statement.at,
    )
    return [Put(key, finding)]


def _closed(_: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("bodies.FindingClosed", record.body), record.statement
    _visit(facts, record, host=True)
    key = finding_key(statement.relationship, body.visit, body.finding)
    row: FindingRow = need(facts, key, "finding")
    check_officer(facts, record, *AUTHORITIES)
    if row.closed is not None:
        raise no("finding-closed", f"finding {body.finding!r} is closed already")
    check_after(body.after, row.record)
    if not body.evidence:
        raise no("no-evidence", "a finding is closed by saying what shows that it was followed up")
    closed = msgspec.structs.replace(row, closed=record.id, closed_at=statement.at, evidence=body.evidence)
    return [Put(key, closed)]


RULES: dict[type[Body], Rule] = {
    bodies.VisitAsked: Rule(_asked_reads, _asked),
    bodies.VisitAnswered: Rule(_visit_reads, _answered),
    bodies.VisitEnded: Rule(_visit_reads, _ended),
    bodies.FindingMade: Rule(_finding_reads, _found),
    bodies.FindingClosed: Rule(_finding_reads, _closed),
}
"""The rule of every record type of this area."""


# ---- duties ---------------------------------------------------------------------------------------------------------


def _is_wanted(context: Context, facts: Facts, record: Record) -> list[Occurrence | Discharge]:
    body, author = cast("bodies.VisitAsked", record.body), record.statement.author
    host = other_party(context, facts, record)
    return [
        Occurrence(event="visit-wanted", subject=body.visit, originator=host, visiting=author),
        Discharge(deed="request-visit", subject=body.visit),
        Occurrence(event="visit-asked", subject=body.visit, originator=host, visiting=author),
    ]


def _is_answered(_: Context, facts: Facts, record: Record) -> list[Occurrence | Discharge]:
    body, host = cast("bodies.VisitAnswered", record.body), record.statement.author
    row: VisitRow = need(facts, visit_key(record.statement.relationship, body.visit), "visit")
    answered = Discharge(deed="answer-visit", subject=body.visit)
    if body.permits is None:
        return [answered]
    return [
        answered,
        Occurrence(event="visit-permitted", subject=body.visit, originator=host, visiting=row.author),
        Discharge(deed="brief-site", subject=body.visit),
    ]


def _is_over(context: Context, facts: Facts, record: Record) -> list[Occurrence | Discharge]:
    body = cast("bodies.VisitEnded", record.body)
    visiting = record.statement.author
    host = other_party(context, facts, record)
    return [
        Occurrence(event="visit-ended", subject=body.visit, originator=host, visiting=visiting),
        Discharge(deed="report-visit", subject=body.visit),
        Discharge(deed="answer-visit", subject=body.visit, party=host),
    ]


def finding_subject(visit: str, finding: str) -> str:
    """Subject of what is owed about a finding."""
    return f"{visit}/{finding}"


def _is_found(_: Context, __: Facts, record: Record) -> list[Occurrence | Discharge]:
    body, visiting = cast("bodies.FindingMade", record.body), record.statement.author
    subject = finding_subject(body.visit, body.finding)
    return [Occurrence(event="finding-made", subject=subject, originator=visiting, visiting=visiting)]


def _is_followed_up(_: Context, __: Facts, record: Record) -> list[Occurrence | Discharge]:
    body = cast("bodies.FindingClosed", record.body)
    return [Discharge(deed="close-finding", subject=finding_subject(body.visit, body.finding))]


OCCASIONS: dict[type[Body], Occasions] = {
    bodies.VisitAsked: _is_wanted,
    bodies.VisitAnswered: _is_answered,
    bodies.VisitEnded: _is_over,
    bodies.FindingMade: _is_found,
    bodies.FindingClosed: _is_followed_up,
}
"""Of what the records of this area are occasions."""
