"""Feeds: the rules of their records (``spec/feed.md`` steps 4 to 6, 8, 12 and 15).

What one party says is judged by what stands in its own chain, so that the verdict on both sides is the same, whatever
each had heard of the other: a release by the releases before it, an end by the author's own end, a posture by the
author's posture before it.
"""

from __future__ import annotations

from typing import cast

import msgspec

from comity.agreement.equivalence import level_of
from comity.agreement.model import Agreement
from comity.record import bodies
from comity.record.bodies.feeding import (
    POSTURES,
    FeedEnded,
    FeedEpoch,
    FeedMarked,
    FeedOriginals,
    FeedOver,
    FeedRead,
    FeedReceipted,
    FeedReleased,
    FeedRequested,
    FeedTold,
    PostureDeclared,
)
from comity.record.statement import Record
from comity.register.house import person_key
from comity.register.officers import check_officer, officer_key
from comity.register.providing import check_form, check_marks
from comity.register.requests import new_request
from comity.register.roles import OFFICER, RELEASE_AUTHORITY, SECURITY_OFFICER
from comity.register.rows import (
    AgreementRow,
    DirectoryRow,
    Facts,
    Key,
    RequestRow,
    directory_key,
)
from comity.register.rows.consents import ConsentRow, consent_key
from comity.register.rows.feeding import (
    FeedEnd,
    FeedEpochRow,
    FeedMarkRow,
    FeedOriginalsRow,
    FeedReadRow,
    FeedReceiptRow,
    FeedReleaseRow,
    FeedRow,
    FeedToldRow,
    FeedWantedRow,
    PostureRow,
    feed_epoch_key,
    feed_key,
    feed_mark_key,
    feed_originals_key,
    feed_read_key,
    feed_receipt_key,
    feed_release_key,
    feed_told_key,
    feed_wanted_key,
    posture_key,
)
from comity.register.sides import other_party
from comity.register.verdict import Context, Put, Rule, check_after, need, no

FEED_FORM = "electronic"
"""In which form messages cross: a scope that leaves it out covers no feed."""
ENDS_IT = (RELEASE_AUTHORITY, SECURITY_OFFICER, OFFICER)
"""Who may end a standing release, each alone: to stop takes one person."""


def _agreement_key(record: Record) -> Key:
    return AgreementRow.table, record.statement.relationship


# ---- asking --------------------------------------------------------------------------------------------------------


def _requested_reads(_: Context, record: Record) -> list[Key]:
    body = cast("FeedRequested", record.body)
    return [(RequestRow.table, body.request), (AgreementRow.table, body.relationship), person_key(body.by)]


def _requested(context: Context, facts: Facts, record: Record) -> list[Put]:
    body = cast("FeedRequested", record.body)
    request, person = new_request(context, facts, record, body.feed)
    if OFFICER not in person.roles:
        raise no("no-role", f"{body.by!r} does not have the role {OFFICER!r}")
    if body.until <= record.statement.at:
        raise no("ended-before-asked", "a release that is to end before it is asked for")
    wanted = FeedWantedRow(**{name: getattr(body, name) for name in FeedWantedRow.__struct_fields__})
    request = msgspec.structs.replace(request, act="feed")
    return [Put((RequestRow.table, body.request), request), Put(feed_wanted_key(body.request), wanted)]


# ---- the release ---------------------------------------------------------------------------------------------------


def _released_reads(context: Context, record: Record) -> list[Key]:
    body, statement = cast("FeedReleased", record.body), record.statement
    keys = [
        _agreement_key(record),
        feed_release_key(statement.relationship, body.release),
        feed_key(statement.relationship, statement.author, body.feed),
    ]
    if statement.author == context.party:
        keys += [(RequestRow.table, body.release), feed_wanted_key(body.release)]
    return keys


def _released_more(context: Context, facts: Facts, record: Record) -> list[Key]:
    """The release before this one, and the recipients as their own party lists them."""
    body, statement = cast("FeedReleased", record.body), record.statement
    keys: list[Key] = []
    feed = cast("FeedRow | None", facts[feed_key(statement.relationship, statement.author, body.feed)])
    if feed is not None:
        keys.append(feed_release_key(statement.relationship, feed.release))
    row = cast("AgreementRow | None", facts[_agreement_key(record)])
    if row is not None:
        receiver = row.peer if statement.author == context.party else context.party
        keys += [directory_key(statement.relationship, receiver, each) for each in body.recipients]
    return keys


def _released(context: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("FeedReleased", record.body), record.statement
    row: AgreementRow = need(facts, _agreement_key(record), "agreement")
    receiver = other_party(context, facts, record)
    key = feed_release_key(statement.relationship, body.release)
    if facts[key] is not None:
        raise no("release-exists", f"release {body.release!r} was already made")
    if not {statement.author, receiver} <= set(row.acknowledged):
        raise no("not-acknowledged", f"both parties must acknowledge {row.agreement!r} before anything crosses")
    if body.agreement != row.digest:
        raise no("other-digest", f"released under another text of {row.agreement!r} than the one both acknowledged")
    if body.until <= statement.at:
        raise no("ended-before-released", "a release that ends before it is made")
    agreement = context.agreement(row.digest)
    check_marks(agreement, body.label, body.alternative, receiver)
    check_form(agreement, FEED_FORM)
    _check_basis(agreement, body, statement.author)
    _check_terms(agreement, body)
    for each in body.recipients:
        entry = cast("DirectoryRow | None", facts[directory_key(statement.relationship, receiver, each)])
        if entry is None:
            raise no("unknown-recipient", f"{each!r} is not in the directory of {receiver!r}")
    puts = [*_followed(facts, record), *_carried_out(context, facts, record)]
    released = FeedReleaseRow(
        record=record.id,
        publisher=statement.author,
        at=statement.at,
        **{name: getattr(body, name) for name in FeedReleased.__struct_fields__ if name != "basis"},
    )
    return [*puts, Put(key, released)]


def _check_basis(agreement: Agreement, body: FeedReleased, author: str) -> None:
    """That some clause lets feeds cross, and that whoever is named is somebody the agreement knows."""
    if not any(rule.permits and "feed" in rule.acts for rule in agreement.rules):
        raise no("no-basis", f"nothing in {agreement.id!r} lets a feed cross")
    known = {each.id for each in agreement.parties} | {each.id for each in agreement.bodies}
    for what, named in (("originator", body.label.originator), ("host", body.host)):
        if named not in known:
            raise no("unknown-party", f"the {what} {named!r} is nobody that {agreement.id!r} knows")
    if body.label.policy != author:
        raise no("other-label", f"{author!r} publishes under a mark of its own, and not of {body.label.policy!r}")


def _check_terms(agreement: Agreement, body: FeedReleased) -> None:
    """That what crosses is told of, and nothing of it is marked above the release."""
    if tuple(each.posture for each in body.postures) != POSTURES:
        raise no("postures", f"a release says what crosses under each of {', '.join(POSTURES)}, in this order")
    highest = level_of(agreement, body.label.policy, body.label.mark).rank
    fields: dict[str, set[str]] = {}
    for kind in body.types:
        names = {each.name for each in kind.fields}
        if kind.type in fields or len(names) != len(kind.fields):
            raise no("twice", f"the type {kind.type!r}, or a field of it, is there twice")
        if {kind.time or kind.fields[0].name, kind.source or kind.fields[0].name} - names:
            raise no("unknown-field", f"the type {kind.type!r} names a time or a source that does not cross")
        fields[kind.type] = names
        for each in kind.fields:
            if level_of(agreement, body.label.policy, each.mark).rank > highest:
                raise no("above-release", f"{each.name!r} is marked {each.mark!r}, above {body.label.mark!r}")
    for under in body.postures:
        named = [each.type for each in under.types]
        if len(set(named)) != len(named):
            raise no("twice", f"a type is there twice under {under.posture!r}")
        for crossed in under.types:
            if set(crossed.fields) - fields.get(crossed.type, set()) or len(set(crossed.fields)) != len(crossed.fields):
                raise no(
                    "unknown-field", f"under {under.posture!r} {crossed.type!r} crosses with fields it is not told of"
                )
            if {each.field for each in crossed.rounded} - set(crossed.fields):
                raise no(
                    "unknown-field",
                    f"under {under.posture!r} a field of {crossed.type!r} is rounded that does not cross",
                )


def _followed(facts: Facts, record: Record) -> list[Put]:
    """The feed with its newest release, and the one before it, which this one follows."""
    body, statement = cast("FeedReleased", record.body), record.statement
    key = feed_key(statement.relationship, statement.author, body.feed)
    feed = cast("FeedRow | None", facts[key])
    if feed is None:
        return [Put(key, FeedRow(release=body.release))]
    before_key = feed_release_key(statement.relationship, feed.release)
    before: FeedReleaseRow = need(facts, before_key, "release")
    followed = msgspec.structs.replace(before, followed=statement.at, by_release=body.release)
    return [Put(key, msgspec.structs.replace(feed, release=body.release)), Put(before_key, followed)]


def _carried_out(context: Context, facts: Facts, record: Record) -> list[Put]:
    """Our own request that a release carries out, approved, on the very terms that were asked for."""
    body, statement = cast("FeedReleased", record.body), record.statement
    if statement.author != context.party:
        return []
    request: RequestRow = need(facts, (RequestRow.table, body.release), "request")
    if not any(each.granted for each in request.approvals):
        raise no("not-approved", f"no release authority has approved request {body.release!r}")
    wanted: FeedWantedRow = need(facts, feed_wanted_key(body.release), "terms of a release")
    if request.consignment is not None:
        raise no("already-given", f"request {body.release!r} was already carried out")
    same = ("feed", "label", "topic", "subject", "until", "host")
    differs = [name for name in same if getattr(wanted, name) != getattr(body, name)]
    asked = (request.relationship, request.recipients, request.purpose)
    if differs or asked != (statement.relationship, tuple(sorted(set(body.recipients))), body.purpose):
        raise no("other-terms", f"request {body.release!r} was approved on other terms")
    return [Put((RequestRow.table, body.release), msgspec.structs.replace(request, consignment=record.id))]


# ---- what the originator is told ----------------------------------------------------------------------------------


def _told_reads(_: Context, record: Record) -> list[Key]:
    body, statement = cast("FeedTold", record.body), record.statement
    return [
        _agreement_key(record),
        feed_told_key(statement.relationship, statement.author, body.release),
        *(consent_key(statement.relationship, each) for each in body.consents),
    ]


def _told(context: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("FeedTold", record.body), record.statement
    need(facts, _agreement_key(record), "agreement")
    originator = other_party(context, facts, record)
    key = feed_told_key(statement.relationship, statement.author, body.release)
    if facts[key] is not None:
        raise no("release-exists", f"{originator!r} was told of release {body.release!r} already")
    if body.label.originator != originator or body.to in (originator, statement.author):
        raise no("not-originator", f"what {statement.author!r} publishes to others of another's is told to that one")
    for each in body.consents:
        consent: ConsentRow = need(facts, consent_key(statement.relationship, each), "consent")
        given = consent.granted and consent.author == originator and "feed" in consent.acts
        if not given or body.to not in consent.beneficiaries or consent.purpose != body.purpose:
            raise no("other-consent", f"consent {each!r} lets nobody publish this to {body.to!r}")
    row = FeedToldRow(
        record=record.id,
        at=statement.at,
        **{name: getattr(body, name) for name in FeedTold.__struct_fields__},
    )
    return [Put(key, row)]


def _over_reads(_: Context, record: Record) -> list[Key]:
    body, statement = cast("FeedOver", record.body), record.statement
    return [feed_told_key(statement.relationship, statement.author, body.release)]


def _over(context: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("FeedOver", record.body), record.statement
    key = _over_reads(context, record)[0]
    row: FeedToldRow = need(facts, key, "feed that was told of")
    if row.over is not None:
        raise no("already-ended", f"release {body.release!r} was said to be over already")
    return [Put(key, msgspec.structs.replace(row, over=statement.at, reason=body.reason))]


def _marked_reads(_: Context, record: Record) -> list[Key]:
    return [_agreement_key(record), officer_key(record)]


def _marked_more(context: Context, facts: Facts, record: Record) -> list[Key]:
    """What the originator was told by the party that it speaks to, and what it said before."""
    body, relationship = cast("FeedMarked", record.body), record.statement.relationship
    publisher = other_party(context, facts, record)
    return [feed_told_key(relationship, publisher, body.release), feed_mark_key(relationship, publisher, body.feed)]


def _marked(context: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("FeedMarked", record.body), record.statement
    row: AgreementRow = need(facts, _agreement_key(record), "agreement")
    told_key, key = _marked_more(context, facts, record)
    told: FeedToldRow = need(facts, told_key, "feed that was told of")
    if told.feed != body.feed:
        raise no("other-feed", f"release {body.release!r} is of {told.feed!r}, not of {body.feed!r}")
    check_officer(facts, record, RELEASE_AUTHORITY)
    before = cast("FeedMarkRow | None", facts[key])
    check_after(body.after, told.record if before is None else before.record)
    level_of(context.agreement(row.digest), statement.author, body.mark)
    if before is not None and before.mark == body.mark:
        raise no("no-change", f"{body.feed!r} is marked {body.mark!r} already")
    marked = FeedMarkRow(mark=body.mark, reason=body.reason, by=body.by, record=record.id, at=statement.at)
    return [Put(key, marked)]


# ---- its end -------------------------------------------------------------------------------------------------------


def _ended_reads(_: Context, record: Record) -> list[Key]:
    body = cast("FeedEnded", record.body)
    return [feed_release_key(record.statement.relationship, body.release), officer_key(record)]


def _ended(_: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("FeedEnded", record.body), record.statement
    key = feed_release_key(statement.relationship, body.release)
    row: FeedReleaseRow = need(facts, key, "release")
    check_officer(facts, record, *ENDS_IT)
    check_after(body.after, row.record)
    if any(each.party == statement.author for each in row.ends):
        raise no("already-ended", f"{statement.author!r} has ended release {body.release!r} already")
    end = FeedEnd(party=statement.author, record=record.id, at=statement.at, by=body.by, reason=body.reason)
    ends = tuple(sorted((*row.ends, end), key=lambda each: each.party))
    return [Put(key, msgspec.structs.replace(row, ends=ends))]


# ---- postures ------------------------------------------------------------------------------------------------------


def _declared_reads(_: Context, record: Record) -> list[Key]:
    statement = record.statement
    return [
        posture_key(statement.relationship, statement.author),
        officer_key(record),
        (AgreementRow.table, statement.relationship),
    ]


def _declared(_: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("PostureDeclared", record.body), record.statement
    need(facts, _agreement_key(record), "agreement")
    check_officer(facts, record, RELEASE_AUTHORITY)
    key = posture_key(statement.relationship, statement.author)
    before = cast("PostureRow | None", facts[key])
    check_after(body.after, before.record if before is not None else bytes(32))
    if (body.until is None) != (body.posture == POSTURES[0]):
        raise no("posture-end", f"{POSTURES[0]!r} has no end, and every posture above it has one")
    if body.until is not None and body.until <= statement.at:
        raise no("ended-before-declared", "a posture that ends before it is declared")
    row = PostureRow(
        posture=body.posture, until=body.until, record=record.id, at=statement.at, by=body.by, reason=body.reason
    )
    return [Put(key, row)]


# ---- what the two sides say of the stream ----------------------------------------------------------------------------


def _epoch_reads(_: Context, record: Record) -> list[Key]:
    body, statement = cast("FeedEpoch", record.body), record.statement
    return [
        feed_release_key(statement.relationship, body.release),
        feed_key(statement.relationship, statement.author, body.feed),
    ]


def _epoch(_: Context, facts: Facts, record: Record) -> list[Put]:
    """(12) A key of the newest release, which its publisher has not ended."""
    body, statement = cast("FeedEpoch", record.body), record.statement
    release: FeedReleaseRow = need(facts, feed_release_key(statement.relationship, body.release), "release")
    key = feed_key(statement.relationship, statement.author, body.feed)
    feed: FeedRow = need(facts, key, "feed")
    if feed.release != body.release or release.publisher != statement.author:
        raise no("other-release", f"{body.release!r} is not the newest release of {body.feed!r}")
    if statement.at >= release.until or any(each.party == statement.author for each in release.ends):
        raise no("release-ended", f"release {body.release!r} has ended; no key is made for it")
    if body.epoch != feed.epoch + 1:
        raise no("epoch-order", f"the epoch after {feed.epoch} is {feed.epoch + 1}, not {body.epoch}")
    row = FeedEpochRow(release=body.release, record=record.id, first=body.first, key=body.key, at=statement.at)
    made = feed_epoch_key(statement.relationship, statement.author, body.feed, body.epoch)
    return [Put(key, msgspec.structs.replace(feed, epoch=body.epoch)), Put(made, row)]


def _originals_reads(context: Context, record: Record) -> list[Key]:
    body = cast("FeedOriginals", record.body)
    return [
        feed_key(body.relationship, context.party, body.feed),
        feed_originals_key(body.relationship, body.feed, body.batch),
    ]


def _originals(context: Context, facts: Facts, record: Record) -> list[Put]:
    body = cast("FeedOriginals", record.body)
    need(facts, feed_key(body.relationship, context.party, body.feed), "feed")
    key = feed_originals_key(body.relationship, body.feed, body.batch)
    if facts[key] is not None:
        raise no("already-logged", f"the originals of batch {body.batch} are logged already")
    if not body.batches:
        raise no("nothing-logged", "originals of no batch")
    row = FeedOriginalsRow(release=body.release, record=record.id, batches=body.batches, root=body.root)
    return [Put(key, row)]


def _read_reads(_: Context, record: Record) -> list[Key]:
    body = cast("FeedRead", record.body)
    return [feed_key(body.relationship, body.publisher, body.feed)]


def _read(context: Context, facts: Facts, record: Record) -> list[Put]:
    body = cast("FeedRead", record.body)
    need(facts, _read_reads(context, record)[0], "feed")
    if not 0 < body.messages <= body.next - body.first:
        raise no("nothing-read", f"{body.messages} messages from {body.first} to before {body.next}")
    row = FeedReadRow(
        at=record.statement.at, **{name: getattr(body, name) for name in FeedReadRow.__struct_fields__ if name != "at"}
    )
    return [Put(feed_read_key(body.relationship, body.publisher, body.feed, body.first, record.id), row)]


def _receipt_reads(_: Context, record: Record) -> list[Key]:
    return [_agreement_key(record)]


def _receipt_keys(context: Context, facts: Facts, record: Record) -> list[Key]:
    body, relationship = cast("FeedReceipted", record.body), record.statement.relationship
    if facts[_agreement_key(record)] is None:
        return []
    publisher = other_party(context, facts, record)
    return [feed_key(relationship, publisher, body.feed), feed_receipt_key(relationship, publisher, body.feed)]


def _receipt(context: Context, facts: Facts, record: Record) -> list[Put]:
    """(15) What was durable stays so: a receipt says more than the one before it."""
    body, statement = cast("FeedReceipted", record.body), record.statement
    need(facts, _agreement_key(record), "agreement")
    feed, key = _receipt_keys(context, facts, record)
    need(facts, feed, "feed")
    before = cast("FeedReceiptRow | None", facts[key])
    if before is not None and (body.batches <= before.batches or body.messages < before.messages):
        raise no("receipt-order", f"a receipt for {before.batches} batches was given already")
    row = FeedReceiptRow(
        record=record.id, batches=body.batches, messages=body.messages, root=body.root, at=statement.at
    )
    return [Put(key, row)]


RULES: dict[type[bodies.Body], Rule] = {
    FeedRead: Rule(_read_reads, _read),
    FeedRequested: Rule(_requested_reads, _requested),
    FeedReleased: Rule(_released_reads, _released, _released_more),
    FeedTold: Rule(_told_reads, _told),
    FeedOver: Rule(_over_reads, _over),
    FeedMarked: Rule(_marked_reads, _marked, _marked_more),
    FeedEnded: Rule(_ended_reads, _ended),
    PostureDeclared: Rule(_declared_reads, _declared),
    FeedEpoch: Rule(_epoch_reads, _epoch),
    FeedOriginals: Rule(_originals_reads, _originals),
    FeedReceipted: Rule(_receipt_reads, _receipt, _receipt_keys),
}
"""The rule of every record type of this area."""
