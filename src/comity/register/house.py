"""Rules for house records: people, places, peers, items, requests, decisions (``spec/register.md`` step 5)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar, cast

import msgspec

from comity.record import bodies
from comity.record.card import fingerprint, read_card
from comity.record.person_act import check_act, signature_in
from comity.record.statement import Record
from comity.register.roles import REGISTRY, ROLES, ROOT, SECURITY_OFFICER, check_apart
from comity.register.rows import (
    AgreementRow,
    DecisionRow,
    Facts,
    ItemRow,
    Key,
    PeerRow,
    PersonRow,
    Row,
    SigningKeyRow,
)
from comity.register.rows.giving import Clearing
from comity.register.rows.negotiation import (
    TALKS,
    NegotiationRow,
    VersionRow,
    applies_from,
    negotiation_key,
    talks_of,
    version_key,
)
from comity.register.rows.places import PersonThenRow, PostingRow, person_then_key, posting_key
from comity.register.verdict import Context, Put, Rule, check_after, need, no

R = TypeVar("R", bound=Row)


def person_key(person: str) -> Key:
    """Key of a person row."""
    return PersonRow.table, person


def check_house_act(context: Context, facts: Facts, body: bodies.Body, relationship: str, role: str) -> str:
    """The signer of a house act, once signature and role are verified; the root key may do what ``role`` may.

    Raises:
        Rejected: unknown signer, wrong key, signature that does not verify, or a signer without the role.
    """
    signature = signature_in(body)
    if signature.signer == ROOT:
        return check_act(body, relationship, context.party, context.root)
    signer: PersonRow = need(facts, person_key(signature.signer), "person")
    check_act(body, relationship, context.party, signer.signing_key)
    if role not in signer.roles:
        raise no("no-role", f"{signature.signer!r} does not have the role {role!r}")
    return signature.signer


def signer_keys(body: Any) -> list[Key]:
    """Key of the person who signed a house act; none for the root key."""
    signature = signature_in(body)
    return [] if signature.signer == ROOT else [person_key(signature.signer)]


def person_reads(_: Context, record: Record) -> list[Key]:
    """Keys of the person an act is about, and of its signer."""
    body: Any = record.body
    return [person_key(body.person), *signer_keys(body)]


def _enrolled_reads(context: Context, record: Record) -> list[Key]:
    body = cast("bodies.PersonEnrolled", record.body)
    return [*person_reads(context, record), (SigningKeyRow.table, body.signing_key.hex())]


def person_puts(row: PersonRow, record: Record) -> list[Put]:
    """A person as he stands after ``record``, and the same in his history."""
    then = person_then_key(row.person, record.statement.at, record.statement.sequence)
    return [Put(person_key(row.person), row), Put(then, PersonThenRow(since=record.statement.at, person=row))]


def posting_more(_: Context, facts: Facts, record: Record) -> list[Key]:
    """Key of the posting of the person a record is about, which may end with it."""
    body: Any = record.body
    row = cast("PersonRow | None", facts[person_key(body.person)])
    return [posting_key(row.site, row.person)] if row is not None and row.site is not None else []


def posting_ends(facts: Facts, row: PersonRow, at: datetime) -> list[Put]:
    """The posting of ``row``, ended at ``at``; none where the person was posted nowhere."""
    if row.site is None:
        return []
    key = posting_key(row.site, row.person)
    posting = cast("PostingRow", facts[key])
    return [Put(key, msgspec.structs.replace(posting, ended=at))]


def _enrolled(context: Context, facts: Facts, record: Record) -> list[Put]:
    body = cast("bodies.PersonEnrolled", record.body)
    if check_house_act(context, facts, body, record.statement.relationship, SECURITY_OFFICER) == body.person:
        raise no("self-enrolment", f"{body.person!r} cannot enrol a key of his own; a second signer must")
    for role in body.roles:
        if role not in ROLES:
            raise no("unknown-role", f"{role!r} is not a role; there are: {', '.join(ROLES)}")
    check_apart(body.roles)
    before = cast("PersonRow | None", facts[person_key(body.person)])
    if body.after is not None:
        check_after(body.after, before.last if before is not None else bytes(32))
    if before is not None and before.removed:
        raise no("removed-person", f"{body.person!r} has left this house; enrol somebody who comes back anew")
    key = SigningKeyRow.table, body.signing_key.hex()
    holder = cast("SigningKeyRow | None", facts[key])
    if holder is not None and holder.person != body.person:
        raise no("key-taken", "this signing key is another person's; with one key two people would be one")
    row = PersonRow(
        person=body.person,
        function=body.function,
        body=body.body,
        employer=body.employer,
        nationality=body.nationality,
        serves=body.serves,
        roles=body.roles,
        custody=body.custody,
        recipient=body.recipient,
        signing_key=body.signing_key,
        last=record.id,
        firm=body.firm,
    )
    ended: list[Put] = []
    if before is not None:
        stays = before.firm == body.firm
        ended = [] if stays else posting_ends(facts, before, record.statement.at)
        kept = {name: getattr(before, name) for name in _KEPT if name != "site" or stays}
        row = msgspec.structs.replace(row, **kept)
    return [*person_puts(row, record), Put(key, SigningKeyRow(person=body.person)), *ended]


_KEPT = ("clearance", "clearance_until", "topics", "site", "briefed", "stopped", "clearing")
"""What stays with a person whose entry is changed; a posting only while the firm is the same."""


def check_about_person(context: Context, facts: Facts, record: Record) -> PersonRow:
    """The person whom an act of a security officer is about, once signature and place are verified.

    Raises:
        Rejected: signed by somebody else, or by the person himself; nobody, or somebody who has left; a stale act.
    """
    body: Any = record.body
    if check_house_act(context, facts, body, record.statement.relationship, SECURITY_OFFICER) == body.person:
        raise no("own-clearance", f"{body.person!r} cannot decide about his own access; another officer must")
    row: PersonRow = need(facts, person_key(body.person), "person")
    check_after(body.after, row.last)
    if row.removed:
        raise no("removed-person", f"{body.person!r} has left this house")
    return row


def change_person(row: PersonRow, record: Record, **changes: object) -> list[Put]:
    """A person as he stands after ``record``, and the same in his history."""
    return person_puts(msgspec.structs.replace(row, last=record.id, **changes), record)


def _cleared(context: Context, facts: Facts, record: Record) -> list[Put]:
    body = cast("bodies.ClearanceGranted", record.body)
    if body.until <= record.statement.at:
        raise no("expired-clearance", "a clearance that ends before it is granted")
    row = check_about_person(context, facts, record)
    if body.decided_by == body.person:
        raise no("own-clearance", f"{body.person!r} cannot decide about his own access; somebody else must")
    clearing = Clearing(
        record=record.id,
        basis=body.basis,
        decided_by=body.decided_by or body.signature.signer,
        signed_by=body.signature.signer,
        all_information=body.all_information,
    )
    changes = {"clearance": body.mark, "clearance_until": body.until, "clearing": clearing, "stopped": False}
    return change_person(row, record, **changes)


def _withdrawn(context: Context, facts: Facts, record: Record) -> list[Put]:
    row = check_about_person(context, facts, record)
    nothing = {"clearance": None, "clearance_until": None, "clearing": None, "site": None}
    return [*change_person(row, record, stopped=True, **nothing), *posting_ends(facts, row, record.statement.at)]


def _listed(context: Context, facts: Facts, record: Record) -> list[Put]:
    body = cast("bodies.NeedToKnow", record.body)
    row = check_about_person(context, facts, record)
    topics = set(row.topics) | {body.topic} if body.listed else set(row.topics) - {body.topic}
    return change_person(row, record, topics=tuple(sorted(topics)))


def _peer_reads(_: Context, record: Record) -> list[Key]:
    return [(PeerRow.table, cast("bodies.PeerAdded", record.body).party)]


def _peer(context: Context, facts: Facts, record: Record) -> list[Put]:
    body = cast("bodies.PeerAdded", record.body)
    card = read_card(body.card)
    if card.party != body.party or fingerprint(card.party, card.root) != body.fingerprint:
        raise no("fingerprint", f"the card is not the one whose fingerprint was compared for {body.party!r}")
    if body.party == context.party:
        raise no("own-name", f"{body.party!r} is this party's own name; two nodes cannot have one name")
    if body.compared_by[0] == body.compared_by[1]:
        raise no("one-person", "the fingerprint must be compared by two people")
    if card.until <= record.statement.at:
        raise no("expired-card", f"the card of {body.party!r} ended at {card.until.isoformat()}; ask for a new one")
    before = cast("PeerRow | None", facts[PeerRow.table, body.party])
    if before is not None and before.fingerprint != body.fingerprint:
        raise no("name-taken", f"{body.party!r} is known under another root key; two nodes cannot have one name")
    if before is not None and read_card(before.card).issued > card.issued:
        raise no("older-card", f"a newer card of {body.party!r} is here; an older one cannot bring back its keys")
    row = PeerRow(party=body.party, card=body.card, fingerprint=body.fingerprint, compared_by=body.compared_by)
    return [Put((PeerRow.table, body.party), row)]


def _negotiated(context: Context, body: bodies.AgreementAdopted) -> Key:
    return negotiation_key(talks_of(context.party, body.peer), body.negotiation or "")


def _agreement_reads(context: Context, record: Record) -> list[Key]:
    body = cast("bodies.AgreementAdopted", record.body)
    keys: list[Key] = [(AgreementRow.table, body.relationship), (PeerRow.table, body.peer)]
    return keys if body.negotiation is None else [*keys, _negotiated(context, body)]


def _check_signed(context: Context, facts: Facts, record: Record) -> None:
    """A text that was negotiated runs once both have signed it, from its day on (``spec/lifecycle.md`` step 16)."""
    body = cast("bodies.AgreementAdopted", record.body)
    negotiated: NegotiationRow = need(facts, _negotiated(context, body), "negotiation")
    signed = negotiated.standing
    draft = negotiated.draft(signed.draft)
    if signed.state != "signed" or draft is None or draft.digest != body.digest:
        raise no("not-signed", f"both parties have not signed this text of {body.agreement!r}")
    if record.statement.at < applies_from(negotiated):
        raise no("not-yet", f"this text of {body.agreement!r} applies from {applies_from(negotiated).isoformat()} on")


def _agreement(context: Context, facts: Facts, record: Record) -> list[Put]:
    body = cast("bodies.AgreementAdopted", record.body)
    need(facts, (PeerRow.table, body.peer), "peer")
    before = cast("AgreementRow | None", facts[AgreementRow.table, body.relationship])
    if before is not None and before.peer != body.peer:
        raise no("other-peer", f"{body.relationship!r} is a relationship with {before.peer!r}, not with {body.peer!r}")
    if body.relationship.startswith(f"{TALKS}/"):
        raise no("reserved-name", f"{TALKS!r} names the channels of houses that negotiate; no agreement is called so")
    if body.negotiation is not None:
        _check_signed(context, facts, record)
    elif before is not None and before.agreed and before.agreed != body.version:
        raise no(
            "not-signed",
            f"both parties run version {before.agreed!r} of {body.agreement!r}; version {body.version!r} amends it, "
            "and an amendment runs once both have signed it",
        )
    same = before is not None and before.digest == body.digest
    row = AgreementRow(
        agreement=body.agreement,
        relationship=body.relationship,
        peer=body.peer,
        digest=body.digest,
        text=body.text,
        history=body.history,
        layers=body.layers,
        acknowledged=before.acknowledged if before is not None and same else (),
        version=body.version,
        agreed=before.agreed if before is not None else "",
        superseded=before.superseded if before is not None and body.negotiation is None else None,
    )
    statement = record.statement
    ran = VersionRow(
        digest=body.digest,
        text=body.text,
        history=body.history,
        layers=body.layers,
        version=body.version,
        since=statement.at,
        record=record.id,
        negotiation=body.negotiation,
    )
    key = version_key(body.relationship, statement.at, record.id)
    return [Put((AgreementRow.table, body.relationship), row), Put(key, ran)]


def _item_reads(_: Context, record: Record) -> list[Key]:
    body = cast("bodies.ItemRegistered", record.body)
    return [(ItemRow.table, body.item), person_key(body.by)]


def _item(_: Context, facts: Facts, record: Record) -> list[Put]:
    body = cast("bodies.ItemRegistered", record.body)
    need(facts, person_key(body.by), "person")
    if facts[ItemRow.table, body.item] is not None:
        raise no("item-exists", f"item {body.item!r} is already registered")
    row = ItemRow(
        item=body.item,
        label=body.label,
        form=body.form,
        topic=body.topic,
        subject=body.subject,
        size=body.size,
        content=body.content,
        originator=body.originator,
        registered=record.statement.at,
        contains=body.contains,
        rights=body.rights,
    )
    return [Put((ItemRow.table, body.item), row)]


def _marking_reads(_: Context, record: Record) -> list[Key]:
    body = cast("bodies.Marked", record.body)
    return [(ItemRow.table, body.item), *signer_keys(body)]


def _marking(context: Context, facts: Facts, record: Record) -> list[Put]:
    body = cast("bodies.Marked", record.body)
    item: ItemRow = need(facts, (ItemRow.table, body.item), "item")
    if item.relationship == record.statement.relationship:
        raise no("own-item", f"item {body.item!r} is this party's own; its label is its mark")
    if check_house_act(context, facts, body, record.statement.relationship, REGISTRY) != body.by:
        raise no("other-signer", f"the marking names {body.by!r} but somebody else signed it")
    alternative = msgspec.structs.replace(item.label, policy=context.party, mark=body.mark)
    return [Put((ItemRow.table, body.item), msgspec.structs.replace(item, alternative=alternative))]


def _decision(_: Context, __: Facts, record: Record) -> list[Put]:
    body = cast("bodies.Decided", record.body)
    at = record.statement.at
    row = DecisionRow(record=record.id, act=body.act, item=body.item, outcome=body.outcome, at=at)
    # Two decisions of one commit have the same instant: then their place in the chain says which came first.
    order = f"{at:%Y%m%dT%H%M%S.%f}/{record.statement.sequence:012d}"
    return [Put((DecisionRow.table, f"{body.item}/{order}/{record.id.hex()}"), row)]


def _reads_nothing(_: Context, __: Record) -> list[Key]:
    return []


HOUSE_RULES: dict[type[bodies.Body], Rule] = {
    bodies.PersonEnrolled: Rule(_enrolled_reads, _enrolled, posting_more),
    bodies.ClearanceGranted: Rule(person_reads, _cleared),
    bodies.ClearanceWithdrawn: Rule(person_reads, _withdrawn, posting_more),
    bodies.NeedToKnow: Rule(person_reads, _listed),
    bodies.PeerAdded: Rule(_peer_reads, _peer),
    bodies.AgreementAdopted: Rule(_agreement_reads, _agreement),
    bodies.ItemRegistered: Rule(_item_reads, _item),
    bodies.Marked: Rule(_marking_reads, _marking),
    bodies.Decided: Rule(_reads_nothing, _decision),
}
"""The rule of every house record type."""
