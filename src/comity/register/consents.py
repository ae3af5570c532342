"""Consent: the rules of its records (Articles 6(a), 6(c); ``spec/consent.md`` steps 3 to 9)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast, get_args

import msgspec

from comity.agreement.equivalence import level_of
from comity.agreement.model import Agreement, Layer
from comity.agreement.vocabulary import Act, Event
from comity.record.bodies import Body
from comity.record.bodies.consents import (
    ConsentAsked,
    ConsentDropped,
    Consented,
    ConsentUnwanted,
    ConsentWanted,
    ConsentWithdrawn,
)
from comity.record.person_act import check_act
from comity.record.statement import Record
from comity.register import passing_on, showing
from comity.register.house import person_key
from comity.register.marks import marks_more, marks_reads, possible_marks
from comity.register.officers import check_officer, officer_key
from comity.register.roles import OFFICER, REGISTRY, RELEASE_AUTHORITY
from comity.register.rows import AgreementRow, ConsignmentRow, Facts, ItemRow, Key, PersonRow
from comity.register.rows.consents import (
    ConsentAskedRow,
    ConsentEntry,
    ConsentListRow,
    ConsentRow,
    ConsentWantedRow,
    ShownRow,
    consent_asked_key,
    consent_key,
    consent_list_keys,
    consent_wanted_key,
    shown_key,
)
from comity.register.rows.lineage import DerivativeRow, derivative_key
from comity.register.sides import other_party
from comity.register.verdict import Context, Discharge, Occasions, Occurrence, Put, Rule, need, no

CONSENTS_LIVE_MAX = 256
"""Most consents of one party to one item or pattern that may hold at the same time."""
ACTS = frozenset(get_args(Act))
_ASKED_FIELDS = (
    "item",
    "acts",
    "beneficiaries",
    "beneficiary_kind",
    "purpose",
    "reason",
    "until",
    "answer_by",
    "topic",
)
TO_A_FEED: tuple[Act, ...] = ("feed",)
"""The only act that a request about a feed asks for."""
NO_ORIGIN = bytes(32)
"""What such a request names instead of a record by which an item came."""


def _agreement(facts: Facts, record: Record) -> AgreementRow:
    return cast("AgreementRow", need(facts, (AgreementRow.table, record.statement.relationship), "agreement"))


def _knew(record: Record, sequence: int | None, *, ours: bool) -> bool:
    """Whether the author of a record had seen the other party's record at ``sequence``.

    What stands here, this house has. Where an author had not, the two crossed on the way, and each takes effect.
    """
    return ours or (sequence is not None and record.statement.has_seen(sequence))


def _check_acts(acts: Sequence[str]) -> None:
    for act in acts:
        if act not in ACTS:
            raise no("unknown-act", f"{act!r} is no act that an agreement knows")


# ---- wanting and asking ----------------------------------------------------------------------------------------------


def _wanted_reads(_: Context, record: Record) -> list[Key]:
    body = cast("ConsentWanted", record.body)
    return [
        consent_wanted_key(body.request),
        person_key(body.by),
        (ItemRow.table, body.item),
        (AgreementRow.table, body.relationship),
    ]


def _wanted(context: Context, facts: Facts, record: Record) -> list[Put]:
    body = cast("ConsentWanted", record.body)
    need(facts, (AgreementRow.table, body.relationship), "agreement")
    if body.topic is None:
        need(facts, (ItemRow.table, body.item), "item")
    elif facts[ItemRow.table, body.item] is not None:
        raise no("not-a-feed", f"{body.item!r} is an item, and no feed")
    if facts[consent_wanted_key(body.request)] is not None:
        raise no("request-exists", f"request {body.request!r} was already made")
    _check_wants(context, facts, record, body.by)
    fields = {name: getattr(body, name) for name in _ASKED_FIELDS}
    row = ConsentWantedRow(record=record.id, relationship=body.relationship, by=body.by, **fields)
    return [Put(consent_wanted_key(body.request), row)]


def _asked_reads(context: Context, record: Record) -> list[Key]:
    body, relationship = cast("ConsentAsked", record.body), record.statement.relationship
    keys = [
        consent_asked_key(relationship, body.request),
        (ConsignmentRow.table, body.origin.hex()),
        shown_key(relationship, body.item, body.origin),
        *marks_reads(relationship, body.item),
    ]
    if record.statement.author == context.party:
        keys.append(consent_wanted_key(body.request))
    return keys


def _asked_more(_: Context, facts: Facts, record: Record) -> list[Key]:
    return marks_more(facts, record.statement.relationship, cast("ConsentAsked", record.body).item)


def _came(facts: Facts, record: Record) -> ConsignmentRow | ShownRow | DerivativeRow | None:
    """The row that shows how the item of a request for consent came to its author; None when nothing does."""
    body, statement = cast("ConsentAsked", record.body), record.statement
    given = cast("ConsignmentRow | None", facts[ConsignmentRow.table, body.origin.hex()])
    if given is not None and (given.item, given.relationship) == (body.item, statement.relationship):
        return given if given.author != statement.author and given.returned is None else None
    shown = cast("ShownRow | None", facts[shown_key(statement.relationship, body.item, body.origin)])
    if shown is not None:
        return shown if shown.author != statement.author else None
    made = cast("DerivativeRow | None", facts[derivative_key(statement.relationship, body.item)])
    return made if made is not None and (made.record, made.maker) == (body.origin, statement.author) else None


def _asked(context: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("ConsentAsked", record.body), record.statement
    key = consent_asked_key(statement.relationship, body.request)
    if facts[key] is not None:
        raise no("request-exists", f"request {body.request!r} was already made")
    _check_acts(body.acts)
    if body.topic is None:
        _check_came(context, facts, record)
    else:
        _check_feed(context, facts, record)
    parties = {party.id for party in context.agreement(_agreement(facts, record).digest).parties}
    if (body.beneficiary_kind == "party") != (set(body.beneficiaries) <= parties):
        raise no("beneficiary-kind", f"{', '.join(body.beneficiaries)}: it says {body.beneficiary_kind!r} of them")
    if body.until <= statement.at or (body.answer_by is not None and body.answer_by <= statement.at):
        raise no("ended-before-asked", "a consent that is to end, or be answered, before it is asked for")
    if statement.author == context.party:
        wanted: ConsentWantedRow = need(facts, consent_wanted_key(body.request), "wish for a consent")
        if any(getattr(wanted, name) != getattr(body, name) for name in _ASKED_FIELDS):
            raise no("other-terms", f"request {body.request!r} was signed on other terms")
    row = ConsentAskedRow(
        request=body.request,
        record=record.id,
        author=statement.author,
        function=statement.on_behalf_of,
        label=body.label,
        at=statement.at,
        **{name: getattr(body, name) for name in _ASKED_FIELDS},
    )
    return [Put(key, row)]


def _check_came(context: Context, facts: Facts, record: Record) -> None:
    """(3) That the item came from the party that is asked, under this label."""
    body, statement = cast("ConsentAsked", record.body), record.statement
    came = _came(facts, record)
    if came is None:
        raise no("not-given", f"{statement.author!r} was not given item {body.item!r} by the party it asks")
    item = cast("ItemRow | None", facts[ItemRow.table, body.item])
    other = other_party(context, facts, record)
    known = isinstance(came, DerivativeRow) or (item is not None and item.originator == other)
    if not known or body.label.originator != other:
        _check_every_party(context, facts, record, body.item)
    _check_label(facts, record, came)


def _check_feed(context: Context, facts: Facts, record: Record) -> None:
    """(21) That a feed is asked about as its author would publish it: of the other party's, under a mark of its own."""
    body, statement = cast("ConsentAsked", record.body), record.statement
    if body.acts != TO_A_FEED or body.origin != NO_ORIGIN:
        raise no("not-a-feed", f"of the feed {body.item!r} is asked that it be published; it came by no record")
    if body.label.originator != other_party(context, facts, record):
        raise no("not-originator", f"the feed {body.item!r} is of {body.label.originator!r}, which is asked itself")
    if body.label.policy != statement.author:
        raise no("other-label", f"{statement.author!r} publishes under a mark of its own")
    level_of(context.agreement(_agreement(facts, record).digest), statement.author, body.label.mark)


def _check_label(facts: Facts, record: Record, came: ConsignmentRow | ShownRow | DerivativeRow) -> None:
    """(3) It is asked about under the label that it has there: the one it came under, or has had notice of since.

    Raises:
        Rejected: it is not; whoever answers would decide about something else.
    """
    body, relationship = cast("ConsentAsked", record.body), record.statement.relationship
    item = cast("ItemRow | None", facts[ItemRow.table, body.item])
    labels = [came.label] if not isinstance(came, ConsignmentRow) else []
    if item is not None and not isinstance(came, DerivativeRow):
        marks = possible_marks(facts, relationship, body.item, record)
        labels += [msgspec.structs.replace(item.label, mark=mark) for mark in marks]
    if body.label not in labels:
        raise no("other-label", f"item {body.item!r} is not known under that label; it is asked about as it came")


def _check_wants(context: Context, facts: Facts, record: Record, by: str) -> None:
    """An officer or the registry of this house speaks for what it wants."""
    person: PersonRow = need(facts, person_key(by), "person")
    body = cast("ConsentWanted | ConsentUnwanted", record.body)
    if check_act(body, record.statement.relationship, context.party, person.signing_key) != by:
        raise no("other-signer", f"the request names {by!r} but somebody else signed it")
    if not {OFFICER, REGISTRY} & set(person.roles):
        raise no("no-role", f"{by!r} has neither the role {OFFICER!r} nor {REGISTRY!r}")


def _unwanted_reads(_: Context, record: Record) -> list[Key]:
    body = cast("ConsentUnwanted", record.body)
    return [consent_wanted_key(body.request), person_key(body.by)]


def _unwanted(context: Context, facts: Facts, record: Record) -> list[Put]:
    body = cast("ConsentUnwanted", record.body)
    row: ConsentWantedRow = need(facts, consent_wanted_key(body.request), "wish for a consent")
    if row.dropped is not None:
        raise no("dropped", f"request {body.request!r} was dropped already")
    _check_wants(context, facts, record, body.by)
    return [Put(consent_wanted_key(body.request), msgspec.structs.replace(row, dropped=record.id))]


def _dropped_reads(context: Context, record: Record) -> list[Key]:
    body, statement = cast("ConsentDropped", record.body), record.statement
    keys = [consent_asked_key(statement.relationship, body.request)]
    if statement.author == context.party:
        keys.append(consent_wanted_key(body.request))
    return keys


def _dropped(context: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("ConsentDropped", record.body), record.statement
    key = consent_asked_key(statement.relationship, body.request)
    asked: ConsentAskedRow = need(facts, key, "request for consent")
    if asked.author != statement.author:
        raise no("not-yours", f"request {body.request!r} is the other party's; only who asked can drop it")
    ours = statement.author == context.party
    if asked.dropped is not None:
        raise no("dropped", f"request {body.request!r} was dropped already")
    if asked.consent is not None and _knew(record, asked.answered_sequence, ours=ours):
        raise no("already-answered", f"request {body.request!r} was already answered")
    if ours:
        wanted: ConsentWantedRow = need(facts, consent_wanted_key(body.request), "wish for a consent")
        if wanted.dropped is None:
            raise no("still-wanted", f"nobody of this house has dropped request {body.request!r}")
    dropped = msgspec.structs.replace(asked, dropped=statement.at, dropped_sequence=statement.sequence)
    return [Put(key, dropped)]


# ---- answering -------------------------------------------------------------------------------------------------------


def _check_every_party(context: Context, facts: Facts, record: Record, item: str | None) -> None:
    """Who is not the originator has nothing to say, unless a text asks the consent of every party, or names it.

    Raises:
        Rejected: none does.
    """
    row = _agreement(facts, record)
    texts: list[Agreement | Layer] = [context.agreement(row.digest), *map(context.layer, row.layers)]
    author = record.statement.author
    rules = [rule for text in texts for rule in text.rules]
    if not any(rule.consent == "every-party" or author in (rule.consent_of or ()) for rule in rules):
        raise no("not-originator", f"item {item!r} is another's; only its originator can consent")


def _consented_reads(_: Context, record: Record) -> list[Key]:
    body, relationship = cast("Consented", record.body), record.statement.relationship
    keys = [
        consent_key(relationship, body.consent),
        officer_key(record),
        *consent_list_keys(relationship, body.item, body.topic, body.subject, body.marks),
    ]
    if body.request is not None:
        keys.append(consent_asked_key(relationship, body.request))
    if body.item is not None:
        keys += [(ItemRow.table, body.item), derivative_key(relationship, body.item)]
    return keys


def _check_answer(asked: ConsentAskedRow, record: Record, *, ours: bool) -> None:
    """That a consent answers a request, once, in time, and allows no more than was asked for."""
    body, statement = cast("Consented", record.body), record.statement
    if asked.author == statement.author:
        raise no("own-request", f"{statement.author!r} asked for this consent and cannot give it")
    if asked.consent is not None:
        raise no("already-answered", f"request {asked.request!r} was already answered")
    if asked.dropped is not None and _knew(record, asked.dropped_sequence, ours=ours):
        raise no("dropped", f"request {asked.request!r} was dropped; nobody waits for an answer")
    if asked.lapsed(statement.at):
        raise no("lapsed", f"request {asked.request!r} has lapsed unanswered; it must be asked again")
    if (body.item, body.purpose) != (asked.item, asked.purpose):
        raise no("other-terms", f"the answer is about another item or purpose than request {asked.request!r}")
    wider = set(body.acts) - set(asked.acts) or set(body.beneficiaries) - set(asked.beneficiaries)
    if wider or (body.until is not None and body.until > asked.until):
        raise no("other-terms", f"the answer allows more than request {asked.request!r} asks for")


def _check_scope(context: Context, facts: Facts, record: Record) -> None:
    """That a consent is about one thing, and that it is its author's to give."""
    body, statement = cast("Consented", record.body), record.statement
    pattern = body.topic is not None or body.subject is not None or bool(body.marks)
    if pattern == (body.item is not None):
        raise no("scope", "a consent is about one item, or about a topic, a subject or marks")
    if body.item is None:
        known = {level.mark for level in context.agreement(_agreement(facts, record).digest).levels}
        for mark in body.marks:
            if mark not in known:
                raise no("unknown-mark", f"{mark!r} is no mark of the agreement")
        return
    made = cast("DerivativeRow | None", facts[derivative_key(statement.relationship, body.item)])
    if made is not None and made.maker != statement.author:
        return
    item = cast("ItemRow | None", facts[ItemRow.table, body.item])
    if item is None and statement.author == context.party:
        need(facts, (ItemRow.table, body.item), "item")
    if made is not None or (item is not None and item.originator != statement.author):
        _check_every_party(context, facts, record, body.item)


def _check_terms(context: Context, facts: Facts, record: Record) -> ConsentAskedRow | None:
    """That a consent is well made; the request that it answers, if it answers one."""
    body, statement = cast("Consented", record.body), record.statement
    _check_acts(body.acts)
    asked: ConsentAskedRow | None = None
    if body.request is not None:
        asked = need(facts, consent_asked_key(statement.relationship, body.request), "request for consent")
        _check_answer(asked, record, ours=statement.author == context.party)
        if body.topic is not None or body.subject is not None or body.marks:
            raise no("scope", "an answer is about the item that was asked about, and about no pattern")
    elif not body.granted:
        raise no("nothing-asked", "a refusal answers a request; this one names none")
    else:
        _check_scope(context, facts, record)
    if body.granted and (body.until is None or body.until <= statement.at):
        raise no("ended-before-given", "a consent names its end, and ends after it is given")
    return asked


def _consented(context: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("Consented", record.body), record.statement
    relationship = statement.relationship
    key = consent_key(relationship, body.consent)
    if facts[key] is not None:
        raise no("consent-exists", f"consent {body.consent!r} was already given or refused")
    asked = _check_terms(context, facts, record)
    check_officer(facts, record, RELEASE_AUTHORITY)
    row = ConsentRow(
        record=record.id,
        author=statement.author,
        at=statement.at,
        **{name: getattr(body, name) for name in Consented.__struct_fields__ if name != "signature"},
    )
    puts = [Put(key, row)]
    if asked is not None:
        answered = msgspec.structs.replace(asked, consent=body.consent, answered_sequence=statement.sequence)
        puts.append(Put(consent_asked_key(relationship, asked.request), answered))
    if body.granted and body.until is not None:
        entry = ConsentEntry(body.consent, statement.author, body.until)
        lists = consent_list_keys(relationship, body.item, body.topic, body.subject, body.marks)
        puts += [Put(each, _with(cast("ConsentListRow | None", facts[each]), entry, record)) for each in lists]
    return puts


def _with(before: ConsentListRow | None, entry: ConsentEntry, record: Record) -> ConsentListRow:
    """A list with one more consent, and without those that have ended."""
    kept = [each for each in before.consents if each.until > record.statement.at] if before is not None else []
    if sum(each.author == entry.author for each in kept) >= CONSENTS_LIVE_MAX:
        raise no("too-many-consents", f"{CONSENTS_LIVE_MAX} consents to this hold already; withdraw some")
    listed = sorted((*kept, entry), key=lambda each: (each.author, each.consent))
    return ConsentListRow(consents=tuple(listed))


# ---- withdrawing -----------------------------------------------------------------------------------------------------


def _withdrawn_reads(_: Context, record: Record) -> list[Key]:
    body = cast("ConsentWithdrawn", record.body)
    return [consent_key(record.statement.relationship, body.consent), officer_key(record)]


def _withdrawn_more(_: Context, facts: Facts, record: Record) -> list[Key]:
    body, relationship = cast("ConsentWithdrawn", record.body), record.statement.relationship
    row = cast("ConsentRow | None", facts[consent_key(relationship, body.consent)])
    return [] if row is None else consent_list_keys(relationship, row.item, row.topic, row.subject, row.marks)


def _withdrawn(_: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("ConsentWithdrawn", record.body), record.statement
    key = consent_key(statement.relationship, body.consent)
    row: ConsentRow = need(facts, key, "consent")
    if row.author != statement.author:
        raise no("not-yours", f"consent {body.consent!r} is another party's; only who gave it can withdraw it")
    if row.withdrawn is not None:
        raise no("already-withdrawn", f"consent {body.consent!r} was already withdrawn")
    if not row.holds(statement.at):
        raise no("lapsed", f"consent {body.consent!r} was refused or has ended; there is nothing to withdraw")
    check_officer(facts, record, RELEASE_AUTHORITY)
    ended = msgspec.structs.replace(
        row,
        withdrawn=statement.at,
        withdrawal=record.id,
        withdrawal_reason=body.reason,
        withdrawn_sequence=statement.sequence,
    )
    puts = [Put(key, ended)]
    for listed in consent_list_keys(statement.relationship, row.item, row.topic, row.subject, row.marks):
        before: ConsentListRow = need(facts, listed, "list of consents")
        kept = tuple(each for each in before.consents if each.consent != body.consent)
        puts.append(Put(listed, ConsentListRow(consents=kept) if kept else None))
    return puts


# ---- what it opens and discharges ------------------------------------------------------------------------------------


def consent_subject(item: str, request: str) -> str:
    """Subject of what is owed before something is done for which a consent is wanted."""
    return f"{item}/{request}"


def _asked_occasions(_: Context, facts: Facts, record: Record) -> list[Occurrence | Discharge]:
    """Whoever wants to pass on or to use otherwise asks first (6(a), 6(c)); the originator owes an answer."""
    body = cast("ConsentAsked", record.body)
    events: list[Event] = ["consent-wanted"]
    if body.beneficiary_kind != "party":
        events.append("pass-on-wanted")
    came = _came(facts, record)
    if body.topic is not None:
        pass  # nothing came that would be used otherwise
    elif body.beneficiary_kind == "party" or (came is not None and came.purpose != body.purpose):
        events.append("other-use-wanted")
    subject = consent_subject(body.item, body.request)
    return [
        Occurrence(event=event, subject=subject, originator=body.label.originator, item=body.item) for event in events
    ]


def _consented_occasions(_: Context, facts: Facts, record: Record) -> list[Occurrence | Discharge]:
    """An answer, whichever it is, ends the wait of the party that asked, and is what the other one owed."""
    body = cast("Consented", record.body)
    if body.request is None:
        return []
    asked: ConsentAskedRow = need(
        facts, consent_asked_key(record.statement.relationship, body.request), "request for consent"
    )
    subject = consent_subject(asked.item, asked.request)
    return [
        Discharge(deed="ask-consent", subject=subject, party=asked.author),
        Discharge(deed="answer-request", subject=subject),
    ]


def _dropped_occasions(_: Context, facts: Facts, record: Record) -> list[Occurrence | Discharge]:
    """Nothing is wanted any more, and nobody waits."""
    body, statement = cast("ConsentDropped", record.body), record.statement
    asked: ConsentAskedRow = need(facts, consent_asked_key(statement.relationship, body.request), "request for consent")
    subject = consent_subject(asked.item, asked.request)
    return [
        Discharge(deed="ask-consent", subject=subject),
        Discharge(deed="answer-request", subject=subject, party=asked.label.originator),
    ]


RULES: dict[type[Body], Rule] = {
    ConsentUnwanted: Rule(_unwanted_reads, _unwanted),
    ConsentDropped: Rule(_dropped_reads, _dropped),
    ConsentWanted: Rule(_wanted_reads, _wanted),
    ConsentAsked: Rule(_asked_reads, _asked, _asked_more),
    Consented: Rule(_consented_reads, _consented),
    ConsentWithdrawn: Rule(_withdrawn_reads, _withdrawn, _withdrawn_more),
    **showing.RULES,
    **passing_on.RULES,
}
"""The rule of every record type of this area."""
OCCASIONS: dict[type[Body], Occasions] = {
    ConsentAsked: _asked_occasions,
    Consented: _consented_occasions,
    ConsentDropped: _dropped_occasions,
    **passing_on.OCCASIONS,
}
"""Which duties its records open and discharge."""
