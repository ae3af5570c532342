"""Showing: something is said or let be seen, and no copy changes hands (Articles 7.5, 8; ``spec/consent.md``).

It is asked for, approved and assured like giving, and then done by people in a room. What stands in the registers of
both sides afterwards is that it was shown: what, how, to whom, when. Nothing is sealed and nothing is copied, not even
here: of what was said or shown only the salted digest of a text is kept, if there is one, so that whoever keeps the
text can prove later what it was.

What was received may be shown on to people of this house; that is decided about each of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import cast

import msgspec

from comity.decision import model as decision
from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.deciding.basis import basis
from comity.flows.deciding.cases import approvals_of, giving_case, handling_case, new_item, outcome_word
from comity.flows.deciding.once import decide_once
from comity.flows.deciding.picking import Place, Question, TriedTold, decide_among
from comity.flows.deciding.visibility import viewer, visible_item
from comity.flows.giving.marks import alternative_label
from comity.flows.giving.release import ITEM_TITLE, POSSIBLE, check_mark, check_one_party
from comity.flows.house import PSEUDONYM_OF, House
from comity.flows.keeping.library import Running
from comity.flows.keeping.work import Draft, Work
from comity.marking.label import Label
from comity.record import bodies
from comity.record.bodies.consents import Manner, Shown
from comity.record.person_act import unsigned
from comity.record.statement import DOMESTIC
from comity.register.rows import AgreementRow, ItemRow, PersonRow, RequestRow
from comity.seal.items import measure
from comity.seal.manifest import content_commitment
from comity.seal.streams import Source

SHOWN_SALT = "shown-salt"
"""Side table: the salt of the commitment to what is to be shown, by item id; erasable, never crosses."""


class AskShow(msgspec.Struct, frozen=True, kw_only=True):
    """Ask that something be shown.

    Attributes:
        relationship: to which party, under which agreement.
        recipients: to whom: pseudonyms of the other party's, or of this house's where something received is shown on.
        manner: by word or by sight.
        purpose: what for.
        actor: the officer who asks.
        item: an item that is registered; None for something new, which needs ``mark``, ``topic`` and ``title``.
        mark: this party's own mark, exactly.
        topic: whose need-to-know list it belongs to.
        title: what this house calls it; stays here.
        path: a text of what is to be said or shown; its digest is kept, not the text.
        subject: what it is about, a word of the agreement's scope.
        categories: restrictive categories of the label.
        rights: patents, copyright or trade secrets in it.
        request: identifier for the request, for a person who signs elsewhere.
        new: identifier for the new item, likewise.
        otherwise: other agreements with the same party; it is shown under the one by which it may (``spec/routes.md``
            13).
    """

    relationship: str
    recipients: tuple[str, ...]
    manner: Manner
    purpose: str
    actor: Actor
    item: str | None = None
    mark: str = ""
    topic: str = ""
    title: str = ""
    path: str | None = None
    subject: str = "defence"
    categories: tuple[str, ...] = ()
    rights: str = ""
    request: str | None = None
    new: str | None = None
    otherwise: tuple[Place, ...] = ()


class DoneShow(msgspec.Struct, frozen=True, kw_only=True):
    """Say that it was shown: when (now unless given), and during which visit.

    A person who signs elsewhere signs over the instant: it is given then.
    """

    request: str
    actor: Actor
    at: datetime | None = None
    visit: str | None = None


class ShowTold(msgspec.Struct, frozen=True, kw_only=True):
    """Where a request to show stands.

    Attributes:
        request: its id; empty when it was refused and nothing was recorded but that.
        item: item id.
        manner: how it is, or was, to be shown.
        to: to whom.
        outcome: of the newest decision.
        decision: the decision.
        decision_record: its record id in hex.
        assured: whether the other party is asked for its assurance first.
        record: id of the record in hex once it was shown.
        at: when it was shown.
        relationship: to which party, under which agreement.
        tried: the other agreements with that party that were asked, and what they say.
    """

    request: str
    item: str
    manner: str
    to: tuple[str, ...]
    outcome: str
    decision: decision.Outcome
    decision_record: str
    assured: bool = False
    record: str | None = None
    at: datetime | None = None
    relationship: str = ""
    tried: tuple[TriedTold, ...] = ()


class CompareShown(msgspec.Struct, frozen=True, kw_only=True):
    """Ask whether a text is the one that was registered for something that was to be shown."""

    item: str
    path: str
    actor: Actor | None = None


class ShownCompared(msgspec.Struct, frozen=True, kw_only=True):
    """Whether it is, and the commitment that both registers have."""

    item: str
    same: bool
    content: str


class _Subject(msgspec.Struct, frozen=True):
    """What is to be shown, before it is decided: as it is, or will be, registered."""

    row: AgreementRow
    running: Running
    item: ItemRow
    salt: bytes | None
    onward: bool
    """Whether it was received and is shown to people of this house."""


async def ask_show(house: House, request: AskShow) -> ShowTold:
    """Ask that something be shown. What is refused is recorded as refused, and nothing else is.

    Raises:
        Misuse: an unknown item or person, or the text cannot be read.
        Rejected: the mark is not on this party's ladder; the nearest one is named.
        Refused: no agreement runs in that relationship.
    """
    officer = await house.person(request.actor.handle)
    places = (Place(relationship=request.relationship, recipients=request.recipients), *request.otherwise)
    subjects = await _subjects(house, request, [await house.agreement_row(each.relationship) for each in places])
    name = house.name("r", request.request)
    wishes = [
        RequestRow(
            request=name,
            record=bytes(32),
            item=subject.item.item,
            relationship=place.relationship,
            recipients=tuple(sorted(set(place.recipients))),
            purpose=request.purpose,
            by=officer.person,
            at=house.now(),
            act="show",
            manner=request.manner,
        )
        for subject, place in zip(subjects, places, strict=True)
    ]
    number, told = await house.sequencer.submit(lambda work: _pick(house, work, subjects, wishes, request.actor))
    subject, wish = subjects[number], wishes[number]
    if told.outcome not in POSSIBLE:
        return msgspec.structs.replace(told, request="")
    fields = bodies.ReleaseRequested.__struct_fields__
    body = bodies.ReleaseRequested(
        signature=unsigned(), **{name: getattr(wish, name) for name in fields if name != "signature"}
    )
    signed = await house.sign(body, DOMESTIC, request.actor)

    async def ask(work: Work) -> ShowTold:
        if request.item is None:
            await work.say(Draft(DOMESTIC, _registered(subject.item, officer)))
            work.put_side(SHOWN_SALT, subject.item.item, subject.salt)
            work.put_side(ITEM_TITLE, subject.item.item, request.title.encode())
        await work.say(Draft(DOMESTIC, signed))
        if not subject.onward:
            await work.say(Draft(wish.relationship, _asking(subject.item, wish), officer.function))
        return msgspec.structs.replace(told, assured=not subject.onward)

    return await house.sequencer.submit(ask)


async def done_show(house: House, request: DoneShow) -> ShowTold:
    """Record that it was shown, once nothing is missing; decided again, on what is recorded now.

    Raises:
        Misuse: no such request, carried out before, or it is said to have been shown before it was asked for.
    """
    officer = await house.person(request.actor.handle)
    asked = await house.row(RequestRow, request.request)
    if asked is None or asked.act != "show":
        raise Misuse(f"there is no request {request.request!r} to show something", code="unknown-request")
    if asked.consignment is not None:
        raise Misuse(f"request {asked.request!r} was already carried out", code="already-given")
    at = request.at or house.now()
    if at < asked.at:
        raise Misuse("it cannot have been shown before it was asked for", code="too-early")
    item = await house.need(ItemRow, asked.item, "item")
    row = await house.agreement_row(asked.relationship)
    subject = _Subject(row, await house.library.load(row), item, None, item.relationship != DOMESTIC)
    told, assurances = await house.sequencer.submit(lambda work: _decide(house, work, subject, asked, request.actor))
    if told.outcome != "permit":
        return told
    signer = house.pseudonym(asked.relationship, officer.person)
    body = Shown(
        request=asked.request,
        item=item.item,
        label=item.label,
        alternative=_alternative(subject),
        form=item.form,
        topic=item.topic,
        subject=item.subject,
        purpose=asked.purpose,
        originator=item.originator,
        agreement=row.digest,
        size=item.size,
        content=item.content,
        rights=item.rights,
        manner=asked.manner or "oral",  # its rule asked for one
        to=asked.recipients,
        at=at,
        visit=request.visit,
        assurances=assurances,
        basis=basis(house, bytes.fromhex(told.decision_record)),
        by=signer,
        signature=unsigned(),
    )
    signed = await house.sign(body, asked.relationship, request.actor, signer)

    async def say(work: Work) -> ShowTold:
        record = await work.say(Draft(asked.relationship, signed, officer.function))
        return msgspec.structs.replace(told, record=record.id.hex(), at=at)

    return await house.sequencer.submit(say)


async def compare_shown(house: House, request: CompareShown) -> ShownCompared:
    """Whether a text is the one that the registers of both sides commit to.

    Raises:
        Misuse: no such item, its salt is not here, or the text cannot be read.
    """
    item = await visible_item(house, None, request.item, await viewer(house, request.actor))
    salt = await house.side(SHOWN_SALT, item.item)
    if salt is None:
        raise Misuse(f"this house keeps no text's digest for {item.item!r}", code="no-text")
    with house.files.read(request.path) as source:
        digest = measure(cast("Source", source)).digest
    return ShownCompared(
        item=item.item, same=content_commitment(salt, digest) == item.content, content=item.content.hex()
    )


async def _subjects(house: House, request: AskShow, rows: Sequence[AgreementRow]) -> list[_Subject]:
    """What is to be shown, under each agreement by which it may be; everywhere it is the same item.

    Raises:
        Misuse: the agreements are with several parties; or as ``_subject``.
    """
    check_one_party(rows)
    runnings = [await house.library.load(row) for row in rows]
    first = await _subject(house, request, rows[0], runnings)
    return [msgspec.structs.replace(first, row=row, running=each) for row, each in zip(rows, runnings, strict=True)]


async def _subject(house: House, request: AskShow, row: AgreementRow, runnings: Sequence[Running]) -> _Subject:
    running = runnings[0]
    if request.item is not None:
        item = await visible_item(house, None, request.item, await viewer(house, request.actor))
        if item.relationship not in (DOMESTIC, request.relationship):
            raise Misuse(f"item {item.item!r} came by {item.relationship!r}; show it under that", code="other-item")
        if item.contains:
            raise Misuse(
                f"item {item.item!r} was made here from received information; whoever is to know it opens a copy, and "
                "nobody else is shown it as ours",
                code="derived",
            )
        return _Subject(row, running, item, None, item.relationship != DOMESTIC)
    if not (request.mark and request.topic and request.title):
        raise Misuse("something new needs its mark, its topic and a title", code="which-item")
    check_mark(house, runnings, request.mark)
    salt = house.entropy(32)
    length, digest = 0, sha256(b"").digest()
    if request.path is not None:
        with house.files.read(request.path) as source:
            measured = measure(cast("Source", source))
            length, digest = measured.length, measured.digest
    label = Label(
        policy=house.party,
        mark=request.mark,
        categories=tuple(sorted(request.categories)),
        originator=house.party,
    )
    item = ItemRow(
        item=house.name("i", request.new),
        label=label,
        form=request.manner,
        topic=request.topic,
        subject=request.subject,
        size=length,
        content=content_commitment(salt, digest),
        originator=house.party,
        registered=house.now(),
        rights=request.rights,
    )
    return _Subject(row, running, item, salt, onward=False)


async def _pick(
    house: House, work: Work, subjects: Sequence[_Subject], wishes: Sequence[RequestRow], actor: Actor
) -> tuple[int, ShowTold]:
    """Decide under each agreement, and record it; the place of the one that was picked (``spec/routes.md`` 14)."""
    if len(subjects) == 1:
        return 0, (await _decide(house, work, subjects[0], wishes[0], actor))[0]
    asked = list(zip(subjects, wishes, strict=True))
    cases = [await _case(house, work, subject, wish) for subject, wish in asked]
    questions = [Question(each.row, each.running, case) for each, case in zip(subjects, cases, strict=True)]
    picked = await decide_among(work, questions)
    told = _told(wishes[picked.place], picked.outcome, picked.record.id)
    return picked.place, msgspec.structs.replace(told, tried=picked.tried)


async def _case(house: House, work: Work, subject: _Subject, asked: RequestRow) -> decision.Case:
    """The question, by what stands at this instant."""
    now = await work.row(RequestRow, asked.request) or asked
    if subject.onward:
        case = await _onward_case(house, work, subject, now)
    else:
        item = subject.item
        described = new_item(
            item.item,
            subject.row.agreement,
            item.label,
            asked.manner or item.form,
            item.subject,
            item.topic,
            asked.purpose,
        )
        case = await giving_case(house, work, subject.row, subject.running, now, described, "show")
    manner = asked.manner or "oral"  # its rule asked for one
    return msgspec.structs.replace(case, item=msgspec.structs.replace(case.item, form=manner))


def _told(asked: RequestRow, outcome: decision.Outcome, decided: bytes) -> ShowTold:
    return ShowTold(
        request=asked.request,
        item=asked.item,
        manner=asked.manner or "oral",
        to=asked.recipients,
        outcome=outcome_word(outcome),
        decision=outcome,
        decision_record=decided.hex(),
        relationship=asked.relationship,
    )


async def _decide(
    house: House, work: Work, subject: _Subject, asked: RequestRow, actor: Actor
) -> tuple[ShowTold, tuple[bytes, ...]]:
    """Decide by what stands at this instant, record the decision, and name the assurances it rests on."""
    case = await _case(house, work, subject, asked)
    decided = await decide_once(house, work, subject.row, subject.running, case, actor)
    told = _told(asked, decided.outcome, decided.record)
    if subject.onward:
        return told, ()
    return told, tuple(sorted({bytes.fromhex(each.evidence) for each in case.facts.attestations}))


async def _onward_case(house: House, work: Work, subject: _Subject, asked: RequestRow) -> decision.Case:
    """The question whether people of this house may be shown what was received."""
    people = []
    for pseudonym in asked.recipients:
        person = await house.side(PSEUDONYM_OF, f"{asked.relationship}/{pseudonym}")
        if person is None:
            raise Misuse(f"{pseudonym!r} is nobody of this house", code="unknown-person")
        people.append(await house.need(PersonRow, person.decode(), "person"))
    case = await handling_case(
        house,
        subject.row,
        subject.item,
        people[0],
        "show",
        asked.purpose,
        work.at,
        read=work.facts,
        beside=people[1:],
        request=asked.request,
        approvals=approvals_of(asked, partial(house.pseudonym, asked.relationship)),
    )
    return msgspec.structs.replace(case, requester=house.pseudonym(asked.relationship, asked.by))


def _registered(item: ItemRow, officer: PersonRow) -> bodies.ItemRegistered:
    return bodies.ItemRegistered(
        item=item.item,
        label=item.label,
        form=item.form,
        topic=item.topic,
        subject=item.subject,
        size=item.size,
        content=item.content,
        by=officer.person,
        originator=item.originator,
        rights=item.rights,
    )


def _asking(item: ItemRow, wish: RequestRow) -> bodies.AssuranceAsked:
    return bodies.AssuranceAsked(
        request=wish.request,
        item=item.item,
        label=item.label,
        form=item.form,
        topic=item.topic,
        purpose=wish.purpose,
        recipients=wish.recipients,
        act="show",
    )


def _alternative(subject: _Subject) -> Label | None:
    """The mark on the side of those to whom it is shown; None where they will choose between several."""
    if subject.onward:
        return subject.item.alternative
    return alternative_label(subject.running.agreement, subject.item.label, subject.row.peer)
