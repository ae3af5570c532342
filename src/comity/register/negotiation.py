"""Channels and negotiations: the rules of their records (Articles 5, 21; ``spec/lifecycle.md``).

Both sides may act at once, and each hears of the other late. So what an act may follow on is what its author could
know, which both registers can tell (step 5); what has become of the text follows from all acts there are (step 4).
"""

from __future__ import annotations

from typing import Any, cast

import msgspec

from comity.agreement.negotiation import Done, Move, in_order, known_to, standing, why_not
from comity.record.bodies import Body, Listed, Returned
from comity.record.bodies.keys import KeysRotated
from comity.record.bodies.negotiation import (
    AgreementSigned,
    ApprovalTold,
    ApprovedAtHome,
    ChannelOpened,
    DelegationNamed,
    DraftProposed,
    EntryTold,
    Initialled,
    NegotiationOpened,
    NegotiationWithdrawn,
    SignaturePostponed,
    SignaturesExchanged,
)
from comity.record.statement import Record
from comity.register.house import check_house_act, signer_keys
from comity.register.notices import check_day
from comity.register.officers import check_officer, officer_key
from comity.register.roles import AGREEMENT_AUTHORITY
from comity.register.rows import AgreementRow, Facts, Key, PeerRow
from comity.register.rows.negotiation import (
    ChannelRow,
    Delegation,
    DomesticApprovalRow,
    DraftKept,
    NegotiationRow,
    applies_from,
    domestic_approval_key,
    negotiation_key,
    talks_of,
)
from comity.register.term import EASTERNMOST
from comity.register.verdict import Context, Put, Rule, check_after, need, no

ACTS_MAX = 256
"""(14) Most records of one side in one negotiation, beside the opening and the naming of delegates."""
MOVES: dict[type[Body], Move] = {
    DraftProposed: "draft",
    Initialled: "initials",
    ApprovalTold: "approval",
    AgreementSigned: "signature",
    SignaturesExchanged: "exchange",
    SignaturePostponed: "postponement",
    NegotiationWithdrawn: "withdrawal",
    EntryTold: "entry-note",
}
"""What a side does by each type of record."""
BY_ANY_DELEGATE = (DraftProposed, Initialled)
"""Types that need no agreement authority."""


# ---- the channel ----------------------------------------------------------------------------------------------------


def _channel_reads(_: Context, record: Record) -> list[Key]:
    body = cast("ChannelOpened", record.body)
    return [(ChannelRow.table, body.relationship), (PeerRow.table, body.peer)]


def _channel(context: Context, facts: Facts, record: Record) -> list[Put]:
    body = cast("ChannelOpened", record.body)
    need(facts, (PeerRow.table, body.peer), "peer")
    key = ChannelRow.table, body.relationship
    if body.relationship != talks_of(context.party, body.peer):
        raise no("other-peer", f"{body.relationship!r} is not the channel with {body.peer!r}")
    if facts[key] is not None:
        raise no("channel-exists", f"the channel with {body.peer!r} is open already")
    return [Put(key, ChannelRow(relationship=body.relationship, peer=body.peer))]


def _check_channel(facts: Facts, record: Record) -> None:
    need(facts, (ChannelRow.table, record.statement.relationship), "channel")


# ---- who takes part -------------------------------------------------------------------------------------------------


def _keys(record: Record) -> list[Key]:
    body, relationship = cast("Any", record.body), record.statement.relationship
    keys: list[Key] = [(ChannelRow.table, relationship), negotiation_key(relationship, body.negotiation)]
    return keys if isinstance(body, SignaturesExchanged) else [*keys, officer_key(record)]


def _opened_reads(_: Context, record: Record) -> list[Key]:
    on = cast("NegotiationOpened", record.body).on
    return _keys(record) if on is None else [*_keys(record), (AgreementRow.table, on)]


def _opened(context: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("NegotiationOpened", record.body), record.statement
    _check_channel(facts, record)
    check_officer(facts, record, AGREEMENT_AUTHORITY)
    key = negotiation_key(statement.relationship, body.negotiation)
    if facts[key] is not None:
        raise no("negotiation-exists", f"negotiation {body.negotiation!r} was already opened")
    if body.by not in body.delegates:
        raise no("no-delegate", "whoever opens a negotiation takes part in it")
    if (body.on is None) != (body.about == "agreement"):
        raise no("which-agreement", f"an {body.about} names the running agreement that it is about, and no other does")
    if body.on is not None:
        _check_on(context, facts, body.on, record)
    row = NegotiationRow(
        negotiation=body.negotiation,
        author=statement.author,
        about=body.about,
        title=body.title,
        record=record.id,
        at=statement.at,
        sides=(Delegation(party=statement.author, delegates=body.delegates, last=record.id),),
        on=body.on,
    )
    return [Put(key, row)]


def _check_on(context: Context, facts: Facts, on: str, record: Record) -> None:
    if on.partition("/")[2] != record.statement.relationship.partition("/")[2]:
        raise no("other-relationship", f"{on!r} is no agreement between the two parties of this channel")
    running = cast("AgreementRow | None", facts[AgreementRow.table, on])
    if record.statement.author == context.party and (running is None or len(running.acknowledged) < 2):
        raise no("not-acknowledged", f"no agreement runs as {on!r} that both parties have acknowledged")


def _named_reads(_: Context, record: Record) -> list[Key]:
    return _keys(record)


def _named(_: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("DelegationNamed", record.body), record.statement
    _check_channel(facts, record)
    check_officer(facts, record, AGREEMENT_AUTHORITY)
    row = _negotiation(facts, record)
    check_after(body.after, row.last(statement.author))
    before = row.delegates(statement.author)
    if body.by not in (before or body.delegates) or body.by not in body.delegates:
        raise no("no-delegate", f"{body.by!r} does not take part in negotiation {body.negotiation!r}")
    named = Delegation(party=statement.author, delegates=body.delegates, last=record.id)
    return [_with(row, record, named)]


def _negotiation(facts: Facts, record: Record) -> NegotiationRow:
    name = cast("Any", record.body).negotiation
    row = cast("NegotiationRow | None", facts[negotiation_key(record.statement.relationship, name)])
    if row is None:
        raise no("unknown-negotiation", f"there is no negotiation {name!r}")
    return row


def _with(row: NegotiationRow, record: Record, side: Delegation, **changes: object) -> Put:
    others = [each for each in row.sides if each.party != side.party]
    sides = tuple(sorted((*others, side), key=lambda each: each.party))
    key = negotiation_key(record.statement.relationship, row.negotiation)
    return Put(key, msgspec.structs.replace(row, sides=sides, **changes))


# ---- what is done with the text -------------------------------------------------------------------------------------


def _act_reads(_: Context, record: Record) -> list[Key]:
    keys, body = _keys(record), record.body
    if isinstance(body, ApprovalTold):
        keys.append(domestic_approval_key(record.statement.relationship, body.negotiation, body.draft))
    return keys


def _act_more(_: Context, facts: Facts, record: Record) -> list[Key]:
    """The agreement that a signed amendment replaces."""
    name = cast("Any", record.body).negotiation
    row = cast("NegotiationRow | None", facts[negotiation_key(record.statement.relationship, name)])
    return [] if row is None or row.on is None else [(AgreementRow.table, row.on)]


def _act(context: Context, facts: Facts, record: Record) -> list[Put]:
    body, party = cast("Any", record.body), record.statement.author
    _check_channel(facts, record)
    row = _negotiation(facts, record)
    if not isinstance(body, SignaturesExchanged):
        check_officer(facts, record, *(() if isinstance(body, BY_ANY_DELEGATE) else (AGREEMENT_AUTHORITY,)))
        if body.by not in row.delegates(party):
            raise no("no-delegate", f"{body.by!r} does not take part in negotiation {body.negotiation!r}")
    check_after(body.after, row.last(party))
    if sum(each.party == party for each in row.done) >= ACTS_MAX:
        raise no("too-many-acts", f"{party!r} has said {ACTS_MAX} things in negotiation {body.negotiation!r} already")
    done = _done(row, record)
    why = why_not(standing(known_to(row.done, party, done.seen)), done)  # (5)
    if not why and party == context.party:
        why = why_not(row.standing, done)
    if why:
        raise no("no-such-step", why)
    _check_text(context, facts, row, record)
    side = Delegation(party=party, delegates=row.delegates(party), last=record.id)
    drafts = [*row.drafts, *([_kept(body, record)] if isinstance(body, DraftProposed) else [])]
    listed = tuple(sorted(drafts, key=lambda each: (each.at, each.party)))  # as both sides list them, as they do acts
    put = _with(row, record, side, drafts=listed, done=tuple(in_order([*row.done, done])))
    return [put, *_superseded(facts, row, cast("NegotiationRow", put.row))]


def _done(row: NegotiationRow, record: Record) -> Done:
    """The act of a record; its author has seen what it names, and what his acts before it had seen."""
    body, statement = cast("Any", record.body), record.statement
    theirs: bytes | None = getattr(body, "theirs", None)
    seen = statement.seen.size if statement.seen is not None else 0
    seen = max([seen, *(each.seen for each in row.done if each.party == statement.author)])
    if theirs is not None:
        met = next((each for each in row.done if each.record == theirs and each.party != statement.author), None)
        if met is None:
            raise no("unknown-signature", "the other side's signature that is named is not there")
        seen = max(seen, met.sequence + 1)
    return Done(
        party=statement.author,
        move=MOVES[type(body)],
        record=record.id,
        sequence=statement.sequence,
        at=f"{statement.at:%Y-%m-%dT%H:%M:%S.%fZ}",
        seen=seen,
        draft=getattr(body, "draft", ""),
        theirs=theirs,
        day=getattr(body, "day", None) or getattr(body, "until", None) or "",
        says=getattr(body, "reason", ""),
    )


def _check_text(context: Context, facts: Facts, row: NegotiationRow, record: Record) -> None:
    """What an act says of the text, and its day (12, 13)."""
    body, statement = cast("Any", record.body), record.statement
    if isinstance(body, DraftProposed):
        number = sum(each.party == statement.author for each in row.drafts) + 1
        if body.draft != f"{statement.author}-{number}":
            raise no("draft-name", f"the next draft of {statement.author!r} is {statement.author}-{number}")
        if row.about == "amendment" and row.on is not None and body.agreement != row.on.partition("/")[0]:
            raise no("other-agreement", f"a text of {body.agreement!r} is no amendment of {row.on.partition('/')[0]!r}")
    elif isinstance(body, (Initialled, ApprovalTold, AgreementSigned)):
        draft = row.draft(body.draft)
        if draft is None or draft.digest != body.digest:
            raise no("other-digest", f"the digest is not that of draft {body.draft!r}")
    if isinstance(body, (ApprovalTold, EntryTold)):
        if check_day(body.day) > (statement.at + EASTERNMOST).date().isoformat():
            raise no("day-ahead", f"what is done on {body.day} cannot be told before that day")
    elif isinstance(body, SignaturePostponed) and body.until is not None:
        check_day(body.until)
    if isinstance(body, EntryTold) and body.day < _signed_on(row):
        raise no("day-before", f"the note follows on the signature, of {_signed_on(row)}")
    if isinstance(body, ApprovalTold) and statement.author == context.party:
        key = domestic_approval_key(statement.relationship, body.negotiation, body.draft)
        at_home = cast("DomesticApprovalRow | None", facts[key])
        if at_home is None or at_home.day != body.day:
            raise no("not-approved-here", f"no approval of {body.draft} on {body.day} is recorded in this house")


def _signed_on(row: NegotiationRow) -> str:
    """The earliest day on which the text can have been signed, wherever that was."""
    return min((each.at[:10] for each in row.done if each.move == "signature"), default="")


def _kept(body: DraftProposed, record: Record) -> DraftKept:
    return DraftKept(
        draft=body.draft,
        party=record.statement.author,
        agreement=body.agreement,
        version=body.version,
        digest=body.digest,
        content=body.content,
        payload=body.payload,
        readers=body.readers,
        note=body.note,
        record=record.id,
        at=record.statement.at,
        since=body.since,
    )


def _superseded(facts: Facts, before: NegotiationRow, after: NegotiationRow) -> list[Put]:
    """(16) Once both have signed an amendment, the text that runs is replaced from its day on."""
    if after.about != "amendment" or after.on is None or before.standing.state == "signed":
        return []
    running = cast("AgreementRow | None", facts[AgreementRow.table, after.on])
    signed = after.standing
    draft = after.draft(signed.draft)
    if signed.state != "signed" or running is None or draft is None or draft.digest == running.digest:
        return []
    return [Put((AgreementRow.table, after.on), msgspec.structs.replace(running, superseded=applies_from(after)))]


# ---- approval at home -----------------------------------------------------------------------------------------------


def _at_home_reads(_: Context, record: Record) -> list[Key]:
    body = cast("ApprovedAtHome", record.body)
    return [
        negotiation_key(body.relationship, body.negotiation),
        domestic_approval_key(body.relationship, body.negotiation, body.draft),
        *signer_keys(body),
    ]


def _at_home(context: Context, facts: Facts, record: Record) -> list[Put]:
    body = cast("ApprovedAtHome", record.body)
    if check_house_act(context, facts, body, record.statement.relationship, AGREEMENT_AUTHORITY) != body.by:
        raise no("other-signer", f"the approval names {body.by!r} but somebody else signed it")
    row = cast("NegotiationRow | None", facts[negotiation_key(body.relationship, body.negotiation)])
    if row is None:
        raise no("unknown-negotiation", f"there is no negotiation {body.negotiation!r}")
    if row.standing.draft != body.draft:
        raise no("no-such-step", f"draft {body.draft!r} is not what both sides have initialled")
    if check_day(body.day) > (record.statement.at + EASTERNMOST).date().isoformat():
        raise no("day-ahead", f"what is done on {body.day} cannot be told before that day")
    key = domestic_approval_key(body.relationship, body.negotiation, body.draft)
    return [Put(key, DomesticApprovalRow(body=body.body, act=body.act, day=body.day, record=record.id))]


RULES: dict[type[Body], Rule] = {
    ChannelOpened: Rule(_channel_reads, _channel),
    NegotiationOpened: Rule(_opened_reads, _opened),
    DelegationNamed: Rule(_named_reads, _named),
    ApprovedAtHome: Rule(_at_home_reads, _at_home),
    **dict.fromkeys(MOVES, Rule(_act_reads, _act, _act_more)),
}
"""The rule of every record type of this area."""
IN_CHANNELS = frozenset({*MOVES, NegotiationOpened, DelegationNamed, Listed, Returned, KeysRotated})
"""(6) What is said in a channel: nothing that rests on an agreement."""
