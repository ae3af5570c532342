"""Duties: what obligations lay on the parties when a record takes effect, and what it discharges (``spec/duties.md``).

A consequence of records of any type. What a record means for duties its own module says, in a table ``OCCASIONS``; here
are the agreement's obligations laid on those occasions. The same record gives the same duties on both sides, as far as
both stand on the same texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple, cast
from zoneinfo import ZoneInfo

import msgspec

from comity.agreement.calendar import end_of_period
from comity.agreement.check import hours_of
from comity.agreement.conditions import Known
from comity.agreement.model import Agreement, Layer, Obligation
from comity.agreement.vocabulary import Event, Role
from comity.errors import Misuse, Rejected
from comity.record.bodies import Body
from comity.record.statement import DOMESTIC, Record
from comity.register import (
    consents,
    custody,
    ending,
    incidents,
    inventory,
    lineage,
    notices,
    occasions,
    place_occasions,
    routes,
    term,
    visits,
)
from comity.register.rows import AgreementRow, Facts, Key
from comity.register.rows.duties import (
    STANDING,
    DutiesRow,
    Duty,
    ItemDutyRow,
    OpenDutyRow,
    duties_key,
    item_duty_key,
    open_duty_key,
)
from comity.register.spoken_of import item_keys, known_of, speaks_of
from comity.register.verdict import Consequence, Context, Discharge, Occasions, Occurrence, Put, no

TEXTS_KEPT = 64
"""Agreements, each with its layers, whose obligations are kept sorted by event."""
_TABLES: tuple[dict[type[Body], Occasions], ...] = (
    occasions.OCCASIONS,
    consents.OCCASIONS,
    custody.OCCASIONS,
    ending.OCCASIONS,
    incidents.OCCASIONS,
    inventory.OCCASIONS,
    lineage.OCCASIONS,
    notices.OCCASIONS,
    place_occasions.OCCASIONS,
    routes.OCCASIONS,
    term.OCCASIONS,
    visits.OCCASIONS,
)


def _gather() -> dict[type[Body], tuple[Occasions, ...]]:
    found: dict[type[Body], tuple[Occasions, ...]] = {}
    for table in _TABLES:
        for body, of in table.items():
            found[body] = (*found.get(body, ()), of)
    return found


OCCASIONS = _gather()
"""Of what each record type is an occasion."""


class Limit(msgspec.Struct, frozen=True):
    """A number that a layer puts in, from where, and on whom alone it is binding (empty: on either side)."""

    within: str
    place: str
    binds: str


class Laid(msgspec.Struct, frozen=True):
    """An obligation, ready to be laid: with its instrument, what is known of its clause, and the numbers put in."""

    obligation: Obligation
    instrument: str
    provenance: str
    limits: tuple[Limit, ...]
    binds: str = ""


class _Texts:
    """An agreement and its layers as they stand under one house; equal where their digests are."""

    def __init__(self, context: Context, row: AgreementRow) -> None:
        self.names = (context.party, row.digest, row.layers)
        self.context = context

    def __hash__(self) -> int:
        return hash(self.names)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Texts) and other.names == self.names


STANDING_EVENTS: tuple[Event, ...] = ("always", "agreement-ended")
"""What an acknowledged text lays from then on (6)."""
AFTER_THE_END: Event = "agreement-ended"
BEGINNINGS: frozenset[Event] = frozenset(
    {
        "law-requested",
        "hand-over-wanted",
        "consent-wanted",
        "level-changed",
        "review-due",
        "purpose-ended",
        "recalled",
        "destroyed-in-crisis",
        "loss-suspected",
        "dispute-opened",
        "visit-wanted",
        "end-wanted",
    }
)
"""Events whose subject is named by an id that the author of the record has just chosen (1)."""


class _Sorted(NamedTuple):
    laid: dict[Event, tuple[Laid, ...]]
    timezone: str


@lru_cache(maxsize=TEXTS_KEPT)
def _sorted(texts: _Texts) -> _Sorted:
    """The obligations of an agreement and its layers by the event that opens them (2, 4)."""
    own, digest, layers_named = texts.names
    agreement = texts.context.agreement(digest)
    layers = [texts.context.layer(layer) for layer in layers_named]
    limits: dict[str, list[Limit]] = {}
    for layer in layers:
        for deadline in layer.deadlines:
            limit = Limit(deadline.within, f"{layer.id}:{deadline.clause}", _binds(layer, own))
            limits.setdefault(deadline.obligation, []).append(limit)
    laid: dict[Event, tuple[Laid, ...]] = {}
    texts_of: list[tuple[Agreement | Layer, str]] = [(agreement, ""), *((each, _binds(each, own)) for each in layers)]
    for text, binds in texts_of:
        known = {clause.id: clause.provenance for clause in text.clauses}
        for obligation in text.obligations:
            provenance = obligation.provenance or known.get(obligation.clause, "K")
            put_in = tuple(limits.get(obligation.id, ())) if text is agreement else ()
            each = Laid(obligation, text.id, provenance, put_in, binds)
            laid[obligation.on] = (*laid.get(obligation.on, ()), each)
    return _Sorted(laid, agreement.term.timezone)


def _binds(layer: Layer, own: str) -> str:
    """On whom alone a layer is binding: a house rule on this house, a domestic layer on its party."""
    return own if layer.header.kind == "house" else layer.header.party or ""


# ---- what a record reads and changes --------------------------------------------------------------------------------


def _occasions(context: Context, facts: Facts, record: Record) -> list[Occurrence | Discharge]:
    return [each for of in OCCASIONS.get(type(cast("Body", record.body)), ()) for each in of(context, facts, record)]


def _relationship(record: Record, occasion: Occurrence | Discharge) -> str:
    """In which relationship an occasion counts; empty where a house record says nothing of one (5)."""
    return record.statement.relationship if record.statement.relationship != DOMESTIC else occasion.relationship


def _reads(context: Context, facts: Facts, record: Record) -> list[Key]:
    try:
        occasions_of_it = _occasions(context, facts, record)
    except Rejected:  # a row that its rule needs too is not there, and that is what the rule says
        return []
    keys: dict[Key, None] = {}
    for occasion in occasions_of_it:
        if relationship := _relationship(record, occasion):
            keys[duties_key(relationship, occasion.subject)] = None
            if isinstance(occasion, Occurrence):
                keys[AgreementRow.table, relationship] = None
                if occasion.item and _goes_by_item(context, facts, relationship, occasion):
                    keys.update(dict.fromkeys(item_keys(relationship, occasion.item)))
    return list(keys)


def _goes_by_item(context: Context, facts: Facts, relationship: str, occasion: Occurrence) -> bool:
    """Whether some obligation on an event speaks of some items only; of a row that is not at hand it is not known."""
    key = (AgreementRow.table, relationship)
    row = cast("AgreementRow | None", facts[key] if key in facts else None)  # noqa: SIM401 - no key may be looked up unasked
    return row is None or _limited(context, row, occasion)


def _limited(context: Context, row: AgreementRow, occasion: Occurrence) -> bool:
    laid = _sorted(_Texts(context, row)).laid.get(occasion.event, ())
    return any(each.obligation.when is not None for each in laid)


def _apply(context: Context, facts: Facts, record: Record, puts: Sequence[Put]) -> list[Put]:
    occasions = _occasions(context, facts, record)
    books: dict[Key, DutyBook] = {}
    for occasion in occasions:
        if relationship := _relationship(record, occasion):
            key = duties_key(relationship, occasion.subject)
            if key not in books:
                books[key] = DutyBook(relationship, occasion.subject, cast("DutiesRow | None", facts[key]))
    for occasion in occasions:
        if isinstance(occasion, Occurrence) and (relationship := _relationship(record, occasion)):
            agreement = _agreement(facts, relationship, puts)
            if agreement is not None:
                book = books[duties_key(relationship, occasion.subject)]
                if occasion.event in BEGINNINGS and book.before:
                    raise no(
                        "subject-taken", f"{occasion.subject!r} has been the name of something else; take a new one"
                    )
                limited = occasion.item and _limited(context, agreement, occasion)
                known = known_of(facts, puts, relationship, occasion.item) if limited else None
                book.lay(context, agreement, record, occasion, known)
    for book in books.values():
        book.close_old(record)
    for occasion in occasions:
        relationship = _relationship(record, occasion)
        if isinstance(occasion, Discharge) and relationship:
            books[duties_key(relationship, occasion.subject)].discharge(record, occasion)
    return [put for book in books.values() for put in book.puts()]


def _agreement(facts: Facts, relationship: str, puts: Sequence[Put]) -> AgreementRow | None:
    """The agreement of a relationship as the record leaves it."""
    key = (AgreementRow.table, relationship)
    changed = [put.row for put in puts if put.key == key]
    return cast("AgreementRow | None", changed[-1] if changed else facts[key])


DUTIES = Consequence(_reads, _apply)
"""What follows from a record for the duties of both sides."""


# ---- the duties about one subject -----------------------------------------------------------------------------------


class DutyBook:
    """The duties about one subject, ``row``, while one record changes them; ``puts`` says what to write."""

    def __init__(self, relationship: str, subject: str, row: DutiesRow | None) -> None:
        self.relationship = relationship
        self.subject = subject
        self.before = row.duties if row is not None else ()
        self.duties = list(self.before)
        self.laid_again: dict[Event, set[int]] = {}

    def lay(
        self,
        context: Context,
        agreement: AgreementRow,
        record: Record,
        occasion: Occurrence,
        known: Known | None = None,
    ) -> None:
        """Open what an occurrence brings and what speaks of such an item, unless it was opened before (3)."""
        by_event, timezone = _sorted(_Texts(context, agreement))
        sides = (context.party, agreement.peer)
        if occasion.event in STANDING_EVENTS:
            self.laid_again.setdefault(occasion.event, set())
        for laid in by_event.get(occasion.event, ()):
            obligation = laid.obligation
            if occasion.event == AFTER_THE_END and obligation.within != STANDING:
                continue
            if not speaks_of(context.agreement(agreement.digest), obligation, known):
                continue
            for who in _meant(obligation.who, occasion, sides, record):
                if laid.binds not in ("", who):
                    continue
                to = other_side(sides, who) if obligation.to == "both" else ""
                if obligation.to and not to:
                    to = next(iter(_meant(obligation.to, occasion, sides, record)), "")
                limit, limit_from = _limit(laid, who)
                self._open(
                    Duty(
                        obligation=obligation.id,
                        instrument=laid.instrument,
                        clause=obligation.clause,
                        provenance=laid.provenance,
                        event=occasion.event,
                        deed=obligation.act,
                        who=who,
                        to=to,
                        item=occasion.item,
                        opened=record.id,
                        at=record.statement.at,
                        within=obligation.within or "",
                        limit=limit,
                        limit_from=limit_from,
                        due=_earlier(
                            occasion.due, _due(record.statement.at, limit or obligation.within or "", timezone, context)
                        ),
                        evidence=obligation.evidence,
                        alone=bool(laid.binds) or record.statement.relationship == DOMESTIC,
                    )
                )

    def _open(self, duty: Duty) -> None:
        for place, other in enumerate(self.duties):
            if (other.obligation, other.instrument, other.who) != (duty.obligation, duty.instrument, duty.who):
                continue
            if not duty.standing:
                return
            if other.open and _same_text(other, duty):
                self.laid_again[duty.event].add(place)
                return
        if duty.standing and duty.event in self.laid_again:
            self.laid_again[duty.event].add(len(self.duties))
        self.duties.append(duty)

    def close_old(self, record: Record) -> None:
        """End what stood under a text that both parties have replaced (6)."""
        for event, places_kept in self.laid_again.items():
            for place, duty in enumerate(self.duties):
                if duty.event == event and duty.standing and duty.open and place not in places_kept:
                    self.duties[place] = _discharged(duty, record)

    def discharge(self, record: Record, occasion: Discharge) -> None:
        """Discharge what a deed was asked for (5); what stands is shown instead (6)."""
        who = occasion.party or record.statement.author
        at, shown_by = occasion.shown_by or (record.statement.at, record.id)
        for place, duty in enumerate(self.duties):
            if (duty.deed, duty.who) != (occasion.deed, who) or not (duty.open or _before(at, shown_by, duty)):
                continue
            if duty.standing:
                self.duties[place] = msgspec.structs.replace(duty, shown=record.id, shown_at=record.statement.at)
            else:
                self.duties[place] = msgspec.structs.replace(duty, discharged=shown_by, discharged_at=at)

    def void(self, returned: bytes, verdict: Record) -> None:
        """End what a record opened that the other party has returned (12)."""
        for place, duty in enumerate(self.duties):
            if duty.open and not duty.standing and duty.opened == returned:
                self.duties[place] = msgspec.structs.replace(_discharged(duty, verdict), void=True)

    def puts(self) -> list[Put]:
        """The rows as they are now, where they differ."""
        duties = tuple(self.duties)
        if duties == self.before:
            return []
        row = DutiesRow(relationship=self.relationship, subject=self.subject, duties=duties)
        key = duties_key(self.relationship, self.subject)
        puts = [Put(key, row)]
        for place, duty in enumerate(duties):
            was_open = place < len(self.before) and self.before[place].open
            if duty.open and not was_open:
                puts.append(Put(open_duty_key(row, place), OpenDutyRow(duty=key[1], place=place)))
            elif was_open and not duty.open:
                puts.append(Put(open_duty_key(row, place), None))
        items = {duty.item for duty in duties[len(self.before) :]} - {"", self.subject.partition("/")[0]}
        entry = ItemDutyRow(subject=self.subject)
        return puts + [Put(item_duty_key(self.relationship, item, self.subject), entry) for item in sorted(items)]


def _same_text(one: Duty, other: Duty) -> bool:
    return all(
        getattr(one, name) == getattr(other, name) for name in ("clause", "provenance", "deed", "to", "evidence")
    )


def _before(at: datetime, record: bytes, duty: Duty) -> bool:
    """Whether a record is earlier than the one that discharged a duty: both sides did it at once (5)."""
    if duty.discharged is None or duty.discharged_at is None or duty.void or duty.standing:
        return False
    return (at, record) < (duty.discharged_at, duty.discharged)


def _discharged(duty: Duty, record: Record) -> Duty:
    return msgspec.structs.replace(duty, discharged=record.id, discharged_at=record.statement.at)


def other_side(sides: tuple[str, str], party: str) -> str:
    """The other one of two parties."""
    return sides[1] if party == sides[0] else sides[0]


def _meant(role: Role, occasion: Occurrence, sides: tuple[str, str], record: Record) -> tuple[str, ...]:
    """Whom a role means on an occasion (2)."""
    acting = occasion.acting
    match role:
        case "originator":
            found = occasion.originator
        case "recipient":
            found = other_side(sides, occasion.originator)
        case "visiting-authority":
            found = occasion.visiting
        case "host-authority":
            found = occasion.visiting and other_side(sides, occasion.visiting)
        case "carrier":
            found = occasion.carrier
        case "either":
            found = acting or record.statement.author
        case "both":
            if not acting:
                return sides if sides[0] < sides[1] else (sides[1], sides[0])
            found = acting
    return (found,) if found else ()


def _limit(laid: Laid, who: str) -> tuple[str, str]:
    """The shortest number that a layer puts in for a party, and from where; none where the text's own is shorter."""
    own = laid.obligation.within or ""
    numbers = [(hours_of(each.within), each.place, each.within) for each in laid.limits if each.binds in ("", who)]
    if not numbers:
        return "", ""
    hours, place, within = min(numbers)
    if own.startswith("P") and hours_of(own) <= hours:
        return "", ""
    return within, place


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((each for each in (one, other) if each is not None), default=None)


def _due(at: datetime, within: str, timezone: str, context: Context) -> datetime | None:
    """The last instant in time (4); None for a limit without a number, or beyond the calendar."""
    if not within.startswith("P"):
        return None
    try:
        if within.startswith("PT"):
            return at + timedelta(hours=hours_of(within))
        zone: ZoneInfo = context.zone(timezone)
        return end_of_period(at, within, zone).astimezone(UTC)
    except (Misuse, OverflowError):
        return None
