"""Deriving: something new made from received information, by somebody who may (Articles 4.3, 15; ``spec/lineage.md``).

Each thing it is made from is decided about under its own agreement, for whoever makes it and for whoever gets a copy;
refusals are recorded too. Then it is labelled, sealed to its holders, registered here, and said by one record in every
relationship that it belongs to.

A maker in strict custody signs these records with a key that the node does not have. What he signs names a sealed
payload, which cannot be sealed a second time to the same bytes; so it is kept between the question and his signature.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import PurePath

import msgspec

from comity.agreement.vocabulary import Act
from comity.decision import model as decision
from comity.errors import Misuse
from comity.flows.actors import Actor, NeedsSignature
from comity.flows.deciding.basis import basis
from comity.flows.deciding.cases import answer, check_reader, handling_case, outcome_word, record_decision
from comity.flows.deciding.lineage import too_many
from comity.flows.deciding.visibility import may_see, no_item
from comity.flows.deriving.labelling import Labelled, label_for
from comity.flows.deriving.sources import Source, check_recall, copy_of, note_on, source_of
from comity.flows.giving.content import Prepared, seal_content, wrapping_of
from comity.flows.giving.marks import show_derived_marking
from comity.flows.giving.release import ITEM_TITLE
from comity.flows.house import House
from comity.flows.keeping.erasing import HEADER
from comity.flows.keeping.work import Draft, Work
from comity.marking.banner import Banner
from comity.marking.label import Label
from comity.record import bodies
from comity.record.bodies.lineage import ANCESTORS_MAX, Ancestor, Derived, Made
from comity.record.encoding import decode, encode
from comity.record.person_act import unsigned
from comity.record.statement import DOMESTIC
from comity.register.lineage import WITHOUT_COPIES
from comity.register.occasions import BY_HAND
from comity.register.rows import PersonRow
from comity.register.rows.lineage import DerivativeRow

UNSIGNED = "unsigned-derivation"
"""Side table: what was made and waits for its maker's own signature, by item id; removed with it."""
UNSIGNED_KEPT = timedelta(days=1)
"""How long it waits; then it is given up, and its payload is collected."""
_ACTS: dict[Made, Act] = {"translation": "translate", "extract": "extract", "contains": "extract"}
"""What its maker does with each thing it is made from."""


class Derive(msgspec.Struct, frozen=True, kw_only=True):
    """Make something new from received information.

    Attributes:
        path: its content.
        relation: a translation, an extract, or something that contains what was received.
        ancestors: the items it is made from; never empty, and exactly one of a translation or an extract.
        purpose: what for.
        actor: who makes it; holds a copy of each ancestor.
        holders: handles of the people of this house who get a copy; the maker himself, unless given.
        language: of a translation, the language translated into.
        mark: this party's mark on it, where it is to be another than the highest of its ancestors'.
        topic: whose need-to-know list a reader must be on; its ancestors', where they have one.
        subject: what it is about; likewise.
        form: in which form.
        title: what this house calls it; the file's name unless given.
        item: identifier for it, when the caller must know it beforehand: a maker in strict custody signs over it.
    """

    path: str
    relation: Made
    ancestors: tuple[str, ...]
    purpose: str
    actor: Actor
    holders: tuple[str, ...] = ()
    language: str | None = None
    mark: str | None = None
    topic: str = ""
    subject: str = ""
    form: str = "electronic"
    title: str = ""
    item: str | None = None


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The decision about one of the things it is made from."""

    item: str
    relationship: str
    outcome: str
    decision: decision.Outcome
    record: str


class DerivedItem(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it.

    Attributes:
        item: id of what was made; empty when it was refused.
        asked: the decision about each thing it was to be made from.
        relation: how it came from them.
        label: its label in this house's books.
        banner: what stands on it.
        relationships: where it was said, by the record's id in hex.
        copies: the handle of each holder, in the order of their numbers from 1.
        size: of the sealed payload in bytes.
    """

    item: str = ""
    asked: tuple[Asked, ...]
    relation: Made
    label: Label | None = None
    banner: Banner | None = None
    relationships: dict[str, str] = {}
    copies: tuple[str, ...] = ()
    size: int = 0

    @property
    def made(self) -> bool:
        """Whether anything was made."""
        return bool(self.item)


class _Saying(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be recorded, once it is signed; ``request`` is what it answers, by its digest."""

    request: bytes
    asked: bytes
    registered: bodies.ItemRegistered
    said: tuple[tuple[str, Derived], ...]
    prepared: Prepared
    title: str
    holders: tuple[str, ...]
    at: datetime


class _Decided(msgspec.Struct, frozen=True):
    """Everything was permitted: from what, by which decisions."""

    sources: tuple[Source, ...]
    asked: tuple[Asked, ...]

    def record(self, item: str) -> bytes:
        """The decision about one of them."""
        return next(bytes.fromhex(each.record) for each in self.asked if each.item == item)


async def derive(house: House, request: Derive) -> DerivedItem:
    """Make something new from received information, or say why not.

    Raises:
        Misuse: an ancestor is not known to the actor or is this house's own, nobody has a holder's handle, several
            marks, lists or subjects could be meant, or the file cannot be read.
        Refused: the actor holds no copy of an ancestor, it is recalled, its mark was not chosen, the mark asked for is
            lower, or the agreement has no words for the note in that language.
        NeedsSignature: the actor signs with his own key, and has not yet.
    """
    person = await house.person(request.actor.handle)
    check_reader(person)
    waiting = await _waiting(house, request)
    if waiting is None:
        sources = [await _source(house, request, each, person) for each in _named(request)]
        holders = [await house.person(each) for each in dict.fromkeys(request.holders or (request.actor.handle,))]
        decided = await _decide(house, request, person, holders, sources)
        if any(each.outcome != "permit" for each in decided.asked):
            return DerivedItem(asked=decided.asked, relation=request.relation)
        waiting = await _make(house, request, person, holders, decided)
    try:
        return await _say(house, request, person, waiting)
    except NeedsSignature:
        if request.item is not None:
            await _keep(house, request.item, waiting)
        raise
    finally:
        house.payloads.under_way.discard(waiting.prepared.payload)


async def _source(house: House, request: Derive, name: str, person: PersonRow) -> Source:
    """One thing it is made from. Of what the actor may not know of, a refusal is recorded and nothing else is done.

    Raises:
        Misuse: there is none for him, or it is this house's own.
    """
    source = await source_of(house, name, person)
    if not await may_see(house, source.item, person):
        await _decide(house, request, person, (), (source,))
        raise no_item(name)
    return source


def _named(request: Derive) -> tuple[str, ...]:
    """What it is made from, each once."""
    if request.form in WITHOUT_COPIES:
        raise Misuse(f"what is {request.form} leaves no copy behind; show it instead: comity show", code="form")
    if request.form in BY_HAND and set(request.holders) - {request.actor.handle}:
        raise Misuse(
            f"what is {request.form} is with who made it; let others sign for it: comity hand-over", code="by-hand"
        )
    named = tuple(dict.fromkeys(request.ancestors))
    if not named:
        raise Misuse("name what it is made from", code="no-ancestor")
    if request.relation != "contains" and len(named) > 1:
        raise Misuse(f"a {request.relation} is made from one item; this names {len(named)}", code="several-ancestors")
    if request.item in named:
        raise Misuse(f"item {request.item!r} cannot be made from itself", code="cycle")
    return named


async def _decide(
    house: House, request: Derive, person: PersonRow, holders: Sequence[PersonRow], sources: Sequence[Source]
) -> _Decided:
    """(2) One decision about each ancestor, under its own agreement; all of them are recorded."""

    async def decide(work: Work) -> tuple[list[Asked], int]:
        asked: list[Asked] = []
        ancestors: set[tuple[str, str]] = set()
        for source in sources:
            case = await handling_case(
                house,
                source.row,
                source.item,
                person,
                _ACTS[request.relation],
                request.purpose,
                work.at,
                read=work.facts,
                beside=holders,
            )
            running = await house.library.load(source.row)
            outcome = answer(running, case)
            record = await record_decision(work, source.row, case, outcome)
            ancestors |= set(_above(case.item))
            asked.append(
                Asked(
                    item=source.item.item,
                    relationship=source.row.relationship,
                    outcome=outcome_word(outcome),
                    decision=outcome,
                    record=record.id.hex(),
                )
            )
        return asked, len(ancestors)

    asked, ancestors = await house.sequencer.submit(decide)
    if ancestors > ANCESTORS_MAX:
        raise too_many(request.item or "it")
    return _Decided(tuple(sources), tuple(asked))


def _above(item: decision.Item) -> list[tuple[str, str]]:
    """An item with all it came from, each under its agreement."""
    return [(item.id, item.agreement), *(each for above in item.lineage for each in _above(above))]


async def _make(
    house: House, request: Derive, person: PersonRow, holders: Sequence[PersonRow], decided: _Decided
) -> _Saying:
    """Label it, seal it to its holders, and write what will be said about it."""
    copies = {source.item.item: await copy_of(house, source, person) for source in decided.sources}
    for source in decided.sources:
        await check_recall(house, source)
    labelled = await label_for(house, decided.sources, request.mark)
    rows = {each: row for source in decided.sources for each, row in source.rows.items()}
    notes = {each: note_on(house, row, request.language) for each, row in rows.items()}
    shape = _shape(request, decided.sources)
    item = house.name("i", request.item)
    first = min(rows)
    file_name = PurePath(request.path).name
    keys = [(each.person, each.recipient) for each in holders]
    wrapping = wrapping_of(house.party, rows[first], item, labelled.labels[first], file_name)
    prepared = await seal_content(house.files, request.path, wrapping, keys, house.payloads, house.entropy)
    said: list[tuple[str, Derived]] = []
    for relationship in sorted(rows):
        here = sorted(source.item.item for source in decided.sources if relationship in source.rows)
        body = Derived(
            item=item,
            relation=request.relation,
            ancestors=tuple(Ancestor(each, copies[each], basis(house, decided.record(each))) for each in here),
            label=labelled.labels[relationship],
            form=request.form,
            topic=shape[0],
            subject=shape[1],
            purpose=request.purpose,
            language=request.language if request.relation == "translation" else None,
            note=notes[relationship],
            agreement=rows[relationship].digest,
            payload=prepared.payload,
            size=prepared.size,
            content=prepared.content,
            copies=_copies_made(house, relationship, prepared),
            by=house.pseudonym(relationship, person.person),
            signature=unsigned(),
        )
        said.append((relationship, body))
    return _Saying(
        request=_digest(request),
        asked=encode(decided.asked),
        registered=_registered(request, item, shape, labelled, prepared, person, decided.sources),
        said=tuple(said),
        prepared=prepared,
        title=request.title or file_name,
        holders=tuple(each.person for each in holders),
        at=house.now(),
    )


def _copies_made(house: House, relationship: str, prepared: Prepared) -> tuple[bodies.CopyMade, ...]:
    return tuple(
        bodies.CopyMade(number, house.pseudonym(relationship, holder), sha256(header).digest())
        for number, (holder, _, header) in enumerate(prepared.headers, start=1)
    )


def _registered(
    request: Derive,
    item: str,
    shape: tuple[str, str],
    labelled: Labelled,
    prepared: Prepared,
    person: PersonRow,
    sources: Sequence[Source],
) -> bodies.ItemRegistered:
    return bodies.ItemRegistered(
        item=item,
        label=labelled.at_home,
        form=request.form,
        topic=shape[0],
        subject=shape[1],
        size=prepared.length,
        content=prepared.content,
        by=person.person,
        originator=labelled.at_home.originator,
        contains=tuple(sorted(source.item.item for source in sources)),
    )


def _shape(request: Derive, sources: Sequence[Source]) -> tuple[str, str]:
    """Topic and subject: as asked, or those of all it is made from."""
    topics = sorted({source.item.topic for source in sources})
    subjects = sorted({source.item.subject for source in sources})
    if not request.topic and len(topics) > 1:
        raise Misuse(
            f"it is made from items of several lists ({', '.join(topics)}); name one with --topic", code="topic"
        )
    if not request.subject and len(subjects) > 1:
        listed = ", ".join(subjects)
        raise Misuse(f"it is made from items of several subjects ({listed}); name one with --subject", code="subject")
    return request.topic or topics[0], request.subject or subjects[0]


async def _say(house: House, request: Derive, person: PersonRow, saying: _Saying) -> DerivedItem:
    """Register it, and say it in every relationship, signed by its maker in each; all or nothing."""
    signed = [
        (relationship, await house.sign(body, relationship, request.actor, body.by))
        for relationship, body in saying.said
    ]
    item = saying.registered.item

    async def say(work: Work) -> dict[str, str]:
        await work.say(Draft(DOMESTIC, saying.registered))
        records = {}
        for relationship, body in signed:
            records[relationship] = (await work.say(Draft(relationship, body, person.function))).id.hex()
        for _, _, header in saying.prepared.headers:
            work.put_side(HEADER, sha256(header).hexdigest(), header)
        work.put_side(ITEM_TITLE, item, saying.title.encode())
        work.put_side(UNSIGNED, item, None)
        return records

    records = await house.sequencer.submit(say)
    rows = [await house.agreement_row(each) for each in records]
    made = [(row, await house.need(DerivativeRow, f"{row.relationship}/{item}", "derivative")) for row in rows]
    return DerivedItem(
        item=item,
        asked=msgspec.json.decode(saying.asked, type=tuple[Asked, ...]),
        relation=request.relation,
        label=saying.registered.label,
        banner=(await show_derived_marking(house, made)).banner,
        relationships=records,
        copies=tuple([await house.handle(each) for each in saying.holders]),
        size=saying.prepared.size,
    )


async def _keep(house: House, item: str, saying: _Saying) -> None:
    """Keep what waits for a signature, so that what is signed is what is said."""

    async def keep(work: Work) -> None:
        work.put_side(UNSIGNED, item, encode(saying))

    await house.sequencer.submit(keep)


async def _waiting(house: House, request: Derive) -> _Saying | None:
    """What was made before and waits for its maker's signature.

    Raises:
        Misuse: what waits under that name was made for another request.
    """
    value = await house.side(UNSIGNED, request.item) if request.item is not None else None
    if value is None or not request.actor.signatures:
        return None
    waiting = decode(value, _Saying)
    if waiting.request != _digest(request):
        raise Misuse(f"item {request.item!r} waits for a signature, but was made otherwise", code="other-request")
    return waiting


def payload_waiting(value: bytes, at: datetime) -> bytes | None:
    """The sealed payload that a value of ``UNSIGNED`` still needs at ``at``; None once it is given up."""
    waiting = decode(value, _Saying)
    return waiting.prepared.payload if at < waiting.at + UNSIGNED_KEPT else None


def _digest(request: Derive) -> bytes:
    """What was asked, whoever has signed it by now."""
    return sha256(encode(msgspec.structs.replace(request, actor=Actor(request.actor.handle)))).digest()
