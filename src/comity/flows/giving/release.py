"""Giving: from "may this go?" to a consignment that carries its approvals and assurances (Articles 4, 6, 7.5, 9).

``preview`` asks and changes nothing but the record of the question; ``look`` says the same of what is still being
written, and records nothing. ``give`` registers the item, seals it, records the
request and asks the other party for its assurance. ``advance`` carries a request out once nothing is missing; it is
called inside each change that brings an approval or an assurance, and does nothing twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import PurePath

import msgspec

from comity.agreement.equivalence import ladder, level_of
from comity.decision import model as decision
from comity.errors import Misuse, Refused
from comity.flows.actors import Actor
from comity.flows.deciding.basis import basis
from comity.flows.deciding.cases import answer, giving_case, new_item, outcome_word, record_decision
from comity.flows.deciding.picking import (
    Picked,
    Place,
    Question,
    TriedTold,
    consider,
    decide_among,
    tried_told,
)
from comity.flows.giving.content import Prepared, seal_content, wrapping_of
from comity.flows.giving.forwarding import letter_for, onward, tell_originator
from comity.flows.giving.marks import alternative_label
from comity.flows.house import House
from comity.flows.keeping.committed import ReadRows
from comity.flows.keeping.erasing import HEADER
from comity.flows.keeping.library import Running
from comity.flows.keeping.work import Draft, Work
from comity.marking.label import Label
from comity.record import bodies
from comity.record.encoding import decode, encode
from comity.record.person_act import unsigned
from comity.record.statement import DOMESTIC
from comity.register.rows import AgreementRow, AskedRow, DirectoryRow, ItemRow, PersonRow, RequestRow

PREPARED = "prepared"
"""Side table: sealed payloads that wait for their release, by request id; removed when it is carried out."""
ITEM_TITLE = "item-title"
"""Side table: what this house calls an item, by item id; erasable, never crosses."""

POSSIBLE = ("permit", "needs-consent")
"""Outcomes under which a request makes sense: nothing forbids it, somebody's act may be missing."""


class Give(msgspec.Struct, frozen=True, kw_only=True):
    """Ask that a file be given.

    Attributes:
        path: the content.
        relationship: with whom, under which agreement.
        mark: this party's own mark, exactly.
        topic: whose need-to-know list a reader must be on.
        recipients: pseudonyms in the other party's directory; never empty.
        purpose: what it is given for (Article 6(c)).
        actor: the officer who asks.
        form: in which form.
        subject: what it is about, a word of the agreement's scope.
        categories: restrictive categories of the label.
        title: what this house calls it; stays here. The file's name unless given.
        rights: patents, copyright or trade secrets in it, which the other party is to respect (Article 6(d)).
        request: identifier for the request, when the caller must know it beforehand.
        item: identifier for the item, likewise: an officer in strict custody signs over both.
        otherwise: other agreements with the same party; it goes under the one by which it may (``spec/routes.md`` 13).
    """

    path: str
    relationship: str
    mark: str
    topic: str
    recipients: tuple[str, ...]
    purpose: str
    actor: Actor
    form: str = "electronic"
    subject: str = "defence"
    categories: tuple[str, ...] = ()
    title: str = ""
    rights: str = ""
    request: str | None = None
    item: str | None = None
    otherwise: tuple[Place, ...] = ()


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept for a request until it is carried out."""

    prepared: Prepared
    alternative: Label | None


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """Where a request stands.

    Attributes:
        request: request id.
        item: item id.
        outcome: of the newest decision: ``permit``, ``needs-consent``, ``forbidden`` or ``no-basis``.
        decision: the decision.
        decision_record: its record id in hex.
        consignment: record id in hex once it was given.
        size: of the sealed payload in bytes, 0 when nothing was sealed.
        alternative: the other party's mark for it; None where it will choose between several, or where nothing goes.
        relationship: with whom, under which agreement.
        tried: the other agreements with that party that were asked, and what they say.
    """

    request: str
    item: str
    outcome: str
    decision: decision.Outcome
    decision_record: str
    consignment: str | None
    size: int
    alternative: Label | None
    relationship: str = ""
    tried: tuple[TriedTold, ...] = ()


class Wish(msgspec.Struct, frozen=True):
    """A release as somebody wants it, before it is decided."""

    row: AgreementRow
    running: Running
    officer: PersonRow
    item: decision.Item
    asked: RequestRow

    @property
    def alternative(self) -> Label | None:
        """The other party's mark for it."""
        return alternative_label(self.running.agreement, self.item.label, self.row.peer)

    @property
    def requested(self) -> bodies.ReleaseRequested:
        """What the officer signs."""
        return bodies.ReleaseRequested(
            request=self.asked.request,
            item=self.item.id,
            relationship=self.row.relationship,
            recipients=self.asked.recipients,
            purpose=self.asked.purpose,
            by=self.asked.by,
            signature=unsigned(),
        )


async def preview(house: House, request: Give) -> Given:
    """May it go, under which articles, and what is missing? Records the decision and changes nothing else."""
    wish, given = await decide_wish(house, await _wishes(house, request))
    if given.outcome not in POSSIBLE:
        return given
    return msgspec.structs.replace(given, alternative=wish.alternative)


async def look(house: House, request: Give) -> Given:
    """What ``preview`` would say of something that is still being written: it was not asked yet, and is not recorded.

    Raises:
        ComityError: as ``preview``.
    """
    wishes = await _wishes(house, request)
    work = house.sequencer.look()
    cases = [await giving_case(house, work, each.row, each.running, each.asked, each.item) for each in wishes]
    place, outcomes = consider(
        [Question(each.row, each.running, case) for each, case in zip(wishes, cases, strict=True)]
    )
    wish = wishes[place]
    given = _given(wish.asked, outcomes[place], b"", None, 0, None)
    others = [
        tried_told(each.row.relationship, outcome, b"")
        for number, (each, outcome) in enumerate(zip(wishes, outcomes, strict=True))
        if number != place
    ]
    alternative = wish.alternative if given.outcome in POSSIBLE else None
    return msgspec.structs.replace(given, tried=tuple(others), alternative=alternative)


async def give(house: House, request: Give) -> Given:
    """Ask for the release of a file. What is refused is recorded as refused, and nothing is registered or sealed.

    Raises:
        Misuse: an unknown person was named, or the file cannot be read.
        Rejected: the mark is not on this party's ladder; the nearest one is named.
        Refused: no agreement runs in that relationship.
    """
    wish, first = await decide_wish(house, await _wishes(house, request))
    if first.outcome not in POSSIBLE:
        return first
    row, item, asked = wish.row, wish.item, wish.asked
    signed = await house.sign(wish.requested, DOMESTIC, request.actor)
    entries = await directory_entries(house.sequencer.rows.get, row, asked.recipients)
    keys = [(entry.pseudonym, entry.recipient) for entry in entries]
    file_name = PurePath(request.path).name
    wrapping = wrapping_of(house.party, row, item.id, item.label, file_name)
    prepared = await seal_content(house.files, request.path, wrapping, keys, house.payloads, house.entropy)

    async def ask(work: Work) -> Given:
        await work.say(Draft(DOMESTIC, _registered(request, wish, prepared)))
        work.put_side(ITEM_TITLE, item.id, (request.title or file_name).encode())
        return await ask_for(house, work, wish, signed, prepared, first)

    try:
        return await house.sequencer.submit(ask)
    finally:
        house.payloads.under_way.discard(prepared.payload)


def _registered(request: Give, wish: Wish, prepared: Prepared) -> bodies.ItemRegistered:
    return bodies.ItemRegistered(
        item=wish.item.id,
        label=wish.item.label,
        form=request.form,
        topic=request.topic,
        subject=request.subject,
        size=prepared.length,
        content=prepared.content,
        by=wish.officer.person,
        originator=wish.item.label.originator,
        rights=request.rights,
    )


async def ask_for(
    house: House, work: Work, wish: Wish, signed: bodies.ReleaseRequested, prepared: Prepared, first: Given
) -> Given:
    """Record what was asked for, and ask the other party for its assurance; it goes at once where nothing is missing.

    Args:
        house: this house.
        work: the change under way, in which the item is registered.
        wish: what is wanted.
        signed: the request, by the officer who asks.
        prepared: what is sealed for its recipients.
        first: what was decided about it.
    """
    asked, alternative = wish.asked, wish.alternative
    await work.say(Draft(DOMESTIC, signed))
    asking = bodies.AssuranceAsked(
        request=asked.request,
        item=wish.item.id,
        label=wish.item.label,
        form=wish.item.form,
        topic=wish.item.need_to_know[0],
        purpose=asked.purpose,
        recipients=asked.recipients,
    )
    await work.say(Draft(wish.row.relationship, asking, wish.officer.function))
    work.put_side(PREPARED, asked.request, encode(Waiting(prepared=prepared, alternative=alternative)))
    asked_for = msgspec.structs.replace(first, size=prepared.size, alternative=alternative)
    nothing_missing = first.outcome == "permit"
    return (nothing_missing and await advance(house, work, asked.request)) or asked_for


async def advance(house: House, work: Work, request: str) -> Given | None:
    """Carry a request out if nothing is missing any more; None while something is, and when it was carried out before.

    The decision is made again on what is recorded at that instant, and recorded with the consignment it allows.

    Raises:
        Refused: it was sealed and assured under another level than the item has now, or for a key that was replaced.
    """
    asked = await work.need(RequestRow, request, "request")
    waiting = await work.side_value(PREPARED, request)
    if asked.consignment is not None or waiting is None:
        return None
    row = await work.need(AgreementRow, asked.relationship, "agreement")
    running = await house.library.load(row)
    registered = came = await work.need(ItemRow, asked.item, "item")
    assured = await work.need(AskedRow, f"{row.relationship}/{request}", "request for assurance")
    forwarded = await onward(house, work, row, registered)
    label = registered.label if forwarded is None else forwarded.label
    if assured.label != label:
        raise Refused(
            f"the level of item {registered.item!r} was changed since this was asked for; ask for the release again",
            code="level-changed",
        )
    item = new_item(
        registered.item,
        row.agreement,
        label,
        registered.form,
        registered.subject,
        registered.topic,
        registered.provided or asked.purpose,
    )
    waited = decode(waiting, Waiting)
    prepared, alternative = waited.prepared, waited.alternative
    case = await giving_case(house, work, row, running, asked, item)
    outcome = answer(running, case)
    if outcome_word(outcome) == "needs-consent":
        return None
    decided = await record_decision(work, row, case, outcome)
    if outcome_word(outcome) != "permit":
        return _given(asked, outcome, decided.id, None, prepared.size, alternative)
    entries = await directory_entries(work.facts, row, asked.recipients)
    if forwarded is not None:
        registered = msgspec.structs.replace(registered, label=label, copies=forwarded.copies)
    body = _consignment(house, row, registered, asked, waited, entries, case, decided.id)
    if forwarded is not None:
        shown = await letter_for(work, row, came, asked.purpose)
        body = msgspec.structs.replace(body, letter=shown.letter)
        await tell_originator(house, work, came, asked, body, row.peer, shown.consent)
    consigned = await work.say(Draft(row.relationship, body, (await house.person(asked.by)).function))
    for _, _, header in prepared.headers:
        work.put_side(HEADER, sha256(header).hexdigest(), header)
    work.put_side(PREPARED, request, None)
    return _given(asked, outcome, decided.id, consigned.id, prepared.size, alternative)


async def decide_wish(house: House, wishes: Sequence[Wish], came_under: str = "") -> tuple[Wish, Given]:
    """Decide about what is wanted under each agreement, and record it; the wish under the one that was picked.

    ``came_under`` is the agreement by which the item came, of what is another party's.
    """

    async def decide(work: Work) -> Picked:
        cases = [await giving_case(house, work, each.row, each.running, each.asked, each.item) for each in wishes]
        return await decide_among(
            work, [Question(each.row, each.running, case) for each, case in zip(wishes, cases, strict=True)], came_under
        )

    picked = await house.sequencer.submit(decide)
    wish = wishes[picked.place]
    given = _given(wish.asked, picked.outcome, picked.record.id, None, 0, None)
    return wish, msgspec.structs.replace(given, tried=picked.tried)


def _consignment(
    house: House,
    row: AgreementRow,
    item: ItemRow,
    asked: RequestRow,
    waiting: Waiting,
    entries: list[DirectoryRow],
    case: decision.Case,
    decided: bytes,
) -> bodies.Consigned:
    prepared = waiting.prepared
    current = {entry.pseudonym: entry.recipient for entry in entries}
    for holder, sealed_to, _ in prepared.headers:
        if current.get(holder) != sealed_to:
            raise Refused(
                f"the key of {holder!r} was replaced since this was sealed; ask for the release again",
                code="recipient-key",
            )
    return bodies.Consigned(
        request=asked.request,
        item=item.item,
        label=item.label,
        alternative=waiting.alternative,
        form=item.form,
        topic=item.topic,
        subject=item.subject,
        purpose=asked.purpose,
        originator=item.originator,
        agreement=row.digest,
        payload=prepared.payload,
        size=prepared.size,
        content=prepared.content,
        copies=tuple(
            bodies.CopyMade(item.copies + number, holder, sha256(header).digest())
            for number, (holder, _, header) in enumerate(prepared.headers, start=1)
        ),
        assurances=tuple(sorted({bytes.fromhex(each.evidence) for each in case.facts.attestations})),
        basis=basis(house, decided),
        rights=item.rights,
    )


async def _wishes(house: House, request: Give) -> list[Wish]:
    """What is wanted, under each agreement by which it may be wanted; everywhere it is the same item and request.

    Raises:
        Misuse: the agreements are with several parties.
        Rejected: the mark stands on this party's ladder in none of them.
    """
    officer = await house.person(request.actor.handle)
    name, item = request.request or house.new_name("r"), house.name("i", request.item)
    places = (Place(relationship=request.relationship, recipients=request.recipients), *request.otherwise)
    rows = [await house.agreement_row(each.relationship) for each in places]
    check_one_party(rows)
    runnings = [await house.library.load(row) for row in rows]
    label = _label(house, runnings, request)
    return [
        Wish(
            row,
            running,
            officer,
            new_item(item, row.agreement, label, request.form, request.subject, request.topic, request.purpose),
            request_row(house, name, item, row, place.recipients, request.purpose, officer.person),
        )
        for place, row, running in zip(places, rows, runnings, strict=True)
    ]


def check_one_party(rows: Sequence[AgreementRow]) -> None:
    """Agreements are picked among those with one and the same party.

    Raises:
        Misuse: they are with several.
    """
    peers = sorted({row.peer for row in rows})
    if len(peers) > 1:
        raise Misuse(f"{', '.join(peers)}: one party is given something at a time", code="several-parties")


async def directory_entries(read: ReadRows, row: AgreementRow, recipients: tuple[str, ...]) -> list[DirectoryRow]:
    """The directory entries of recipients, in their order.

    Raises:
        Misuse: one of them is not (or no longer) in the directory.
    """
    keys = [(DirectoryRow.table, f"{row.relationship}/{row.peer}/{recipient}") for recipient in recipients]
    facts = await read(keys)
    entries = []
    for key, recipient in zip(keys, recipients, strict=True):
        entry = facts[key]
        if not isinstance(entry, DirectoryRow) or not entry.reachable:
            raise Misuse(f"{recipient!r} is not in the directory of {row.peer!r}", code="unknown-recipient")
        entries.append(entry)
    return entries


def _label(house: House, runnings: Sequence[Running], request: Give) -> Label:
    """The label that was asked for."""
    check_mark(house, runnings, request.mark)
    return Label(
        policy=house.party, mark=request.mark, categories=tuple(sorted(request.categories)), originator=house.party
    )


def check_mark(house: House, runnings: Sequence[Running], mark: str) -> None:
    """A mark that stands on this party's ladder under none of several agreements is mistyped.

    Raises:
        Rejected: it does; the error names the nearest one.
    """
    ladders = [ladder(each.agreement, house.party) for each in runnings]
    if not any(level.mark == mark for levels in ladders for level in levels):
        level_of(runnings[0].agreement, house.party, mark)


def request_row(
    house: House,
    request: str | None,
    item: str,
    row: AgreementRow,
    recipients: tuple[str, ...],
    purpose: str,
    by: str,
) -> RequestRow:
    """A request that is not recorded yet; ``request`` is its identifier where the caller must know it beforehand."""
    return RequestRow(
        request=request or house.new_name("r"),
        record=bytes(32),
        item=item,
        relationship=row.relationship,
        recipients=tuple(sorted(set(recipients))),
        purpose=purpose,
        by=by,
        at=house.now(),
    )


def _given(
    asked: RequestRow,
    outcome: decision.Outcome,
    decided: bytes,
    consignment: bytes | None,
    size: int,
    alternative: Label | None,
) -> Given:
    return Given(
        request=asked.request,
        item=asked.item,
        outcome=outcome_word(outcome),
        decision=outcome,
        decision_record=decided.hex(),
        consignment=None if consignment is None else consignment.hex(),
        size=size,
        alternative=alternative,
        relationship=asked.relationship,
    )
