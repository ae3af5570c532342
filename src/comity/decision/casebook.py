"""A casebook: who and what there is, and cases with what is expected of each, written as TOML by a person.

Rules of this file (``spec/casebook.md``):

- Each type is one table of the file, key for key; what a table does not say has the plain meaning that its docstring
  gives, so that a case names only what matters to it.
- Names are checked as strictly as in an agreement file: what one table names, another defines.
- Reading makes cases; deciding them is `trial.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeVar

from msgspec import Struct, field
from msgspec.structs import asdict

from comity.agreement.calendar import TimeZones, window
from comity.agreement.check import Mistake, check_name
from comity.agreement.lines import Lines, Path
from comity.agreement.load import read_file
from comity.agreement.model import Agreement, Identifier, Layer, Line, Names, Table
from comity.agreement.vocabulary import Act, Employer, Event, Form, Relation
from comity.decision import model
from comity.errors import Rejected
from comity.marking.label import Label

Outcome = Literal["permit", "needs-consent", "forbidden", "no-basis"]
Standing = Literal["in-force", "ended", "none", "history"]
"""How an agreement stands: in force, ended with what then goes on, never in force, or as its history says."""

LONG = timedelta(days=365)
"""How long what has no end written holds after the instant of a case."""


class Head(Table, frozen=True):
    """`[casebook]`: for which agreement, and what all cases have in common.

    `at` is the instant of every case that names none; `given` are facts that hold in every case; `standing` is how the
    agreement stands in every case, `beside` how other agreements do, by their ids.
    """

    format: int
    agreement: Identifier
    at: Line
    title: str = ""
    standing: Standing = "in-force"
    beside: Mapping[str, Standing] = {}
    given: tuple[Identifier, ...] = ()


class PersonTold(Table, frozen=True):
    """`[[person]]`: somebody who receives or handles. What is not written is as with `like`, and else plain.

    Plain is: serving the own party, of its only nation, employed by it, without clearance, lists, briefings and site.
    """

    id: Identifier
    like: Identifier | None = None
    party: str | None = None
    serves: str | None = None
    nationality: str | None = None
    employer: Employer | None = None
    body: str | None = None
    function: str | None = None
    site: str | None = None
    clearance: str | None = None
    clearance_until: str | None = None
    need_to_know: tuple[str, ...] | None = None
    briefed: tuple[str, ...] | None = None


class ItemTold(Table, frozen=True):
    """`[[item]]`: one piece of information. What is not written is as with `like`, and else plain.

    Plain is: marked on the originator's ladder, documentary, about the only subject and for the only purpose of the
    scope, on no list, recalled by nobody. `made_from` are the items it came from.
    """

    id: Identifier
    like: Identifier | None = None
    agreement: str | None = None
    originator: str | None = None
    policy: str | None = None
    mark: str | None = None
    categories: tuple[str, ...] | None = None
    releasable_to: tuple[str, ...] | None = None
    form: Form | None = None
    subject: str | None = None
    purpose: str | None = None
    need_to_know: tuple[str, ...] | None = None
    relation: Relation | None = None
    made_from: tuple[Identifier, ...] | None = None
    recalled: bool | None = None
    suspected: bool | None = None
    office: str | None = None


class ConsentTold(Table, frozen=True):
    """`[[consent]]`: a consent that a case may be given; without `until` it holds a year.

    `standing` is one that was given for more than its item alone.
    """

    id: Identifier
    by: str
    item: Identifier
    act: Act
    beneficiary: str
    purpose: str | None = None
    until: str | None = None
    standing: bool = False


class AttestationTold(Table, frozen=True):
    """`[[attestation]]`: conditions of a checklist that somebody attests; all of them where none is named."""

    id: Identifier
    checklist: Identifier
    about: str
    by: str
    item: Identifier | None = None
    conditions: Names | None = None
    until: str | None = None


class FacilityTold(Table, frozen=True):
    """`[[facility]]`: a site approved to hold items up to `mark`."""

    id: Identifier
    party: str
    mark: str
    until: str | None = None


class CaseTold(Table, frozen=True):
    """`[[case]]`: what is to be done with which item and by whom, and what is expected.

    Attributes:
        to: whoever receives, or does it: ids of persons.
        acting: the party whose side acts: the originator that gives or shows, else the side of the first person.
        requester: who asks: the first person, of what is done with what one has; else somebody else.
        purpose: for which; that of the item unless written.
        given: facts of this case besides those of the head; `without` takes some of those away.
        approved_by: who has approved it, and `witnessed_by` who has seen it done: persons, or other names.
        office: the office from which it goes to whoever receives it.
        acknowledged: the parties that have acknowledged the text; every party unless written.
        expect: the outcome.
        because: what it rests on: of a permit the clauses that permit, of any other what stands against it.
        warns: what warns.
        duties: ids of the obligations that it opens.
    """

    id: Identifier
    act: Act
    item: Identifier
    expect: Outcome
    says: str = ""
    to: str | tuple[str, ...] = ()
    acting: str | None = None
    requester: str | None = None
    purpose: str | None = None
    at: str | None = None
    via: tuple[str, ...] = ()
    method: str = ""
    copies: int = 0
    office: str = ""
    given: tuple[Identifier, ...] = ()
    without: tuple[Identifier, ...] = ()
    approved_by: tuple[str, ...] = ()
    witnessed_by: tuple[str, ...] = ()
    standing: Standing | None = None
    beside: Mapping[str, Standing] | None = None
    acknowledged: tuple[str, ...] | None = None
    because: tuple[str, ...] | None = None
    warns: tuple[str, ...] | None = None
    duties: tuple[str, ...] | None = None


class EventTold(Table, frozen=True):
    """`[[event]]`: something happens, with an item where it is about one, and lays these obligations."""

    id: Identifier
    on: Event
    duties: tuple[str, ...]
    item: Identifier | None = None
    says: str = ""


class CasebookFile(Table, frozen=True):
    """A casebook as written."""

    head: Head = field(name="casebook")
    people: tuple[PersonTold, ...] = field(name="person", default=())
    items: tuple[ItemTold, ...] = field(name="item", default=())
    consents: tuple[ConsentTold, ...] = field(name="consent", default=())
    attestations: tuple[AttestationTold, ...] = field(name="attestation", default=())
    facilities: tuple[FacilityTold, ...] = field(name="facility", default=())
    cases: tuple[CaseTold, ...] = field(name="case", default=())
    events: tuple[EventTold, ...] = field(name="event", default=())


class Posed(Struct, frozen=True, kw_only=True):
    """One case, ready but for how the agreements stand at its instant: that is the caller's to say."""

    told: CaseTold
    case: model.Case
    standing: Standing
    beside: Mapping[str, Standing]
    acknowledged: tuple[str, ...]


class Happening(Struct, frozen=True, kw_only=True):
    """One event of a casebook, with the item it is about."""

    told: EventTold
    item: model.Item | None


class Casebook(Struct, frozen=True, kw_only=True):
    """A casebook that was read and checked against its agreement."""

    agreement: str
    title: str
    posed: tuple[Posed, ...]
    happenings: tuple[Happening, ...]


def parse_casebook(text: str, file: str, agreement: Agreement, layers: Iterable[Layer], zones: TimeZones) -> Casebook:
    """The cases written in ``text``, made ready for an agreement.

    Raises:
        Rejected: the text breaks a rule of ``spec/casebook.md``; its ``place`` is ``file:line``.
    """
    _, lines, read = read_file(text, file, CasebookFile, "casebook")
    try:
        return _Reader(read, agreement, layers, zones).casebook()
    except Mistake as mistake:
        raise Rejected(mistake.sentence, code=mistake.code, place=_place(file, lines, mistake.path)) from None


def _place(file: str, lines: Lines, path: Path) -> str:
    return f"{file}:{lines.of(path)}"


class _Reader:
    """Checks the names of a casebook and makes its cases."""

    def __init__(self, file: CasebookFile, agreement: Agreement, layers: Iterable[Layer], zones: TimeZones) -> None:
        self.file = file
        self.head = file.head
        self.agreement = agreement
        texts: tuple[Agreement | Layer, ...] = (agreement, *layers)
        self.checklists = {checklist.id: checklist for text in texts for checklist in text.checklists}
        self.obligations = [obligation.id for text in texts for obligation in text.obligations]
        self.zone = zones.zone(agreement.term.timezone)
        self.parties = [party.id for party in agreement.parties]
        self.bodies = [*self.parties, *(body.id for body in agreement.bodies)]
        self.people = _by_id((("person", file.people),))
        self.items = _by_id((("item", file.items),))
        self.facts = _by_id(
            (("consent", file.consents), ("attestation", file.attestations), ("facility", file.facilities))
        )
        _by_id((("case", file.cases), ("event", file.events)))

    def casebook(self) -> Casebook:
        """Everything, in the order of the file."""
        head = self.head
        if head.agreement != self.agreement.id:
            sentence = f"these are cases for {head.agreement!r}, not for {self.agreement.id!r}"
            raise Mistake("other-agreement", ("casebook", "agreement"), sentence)
        self._facts(head.given, ("casebook", "given"))
        if not self.file.cases and not self.file.events:
            raise Mistake("missing-key", (), "there is no [[case]] and no [[event]]")
        for index, person in enumerate(self.file.people):
            self.person(person.id, self._instant(head.at, ("casebook", "at")), ("person", index))
        for index, item in enumerate(self.file.items):
            self.item(item.id, ("item", index))
        return Casebook(
            agreement=self.agreement.id,
            title=head.title,
            posed=tuple(self._posed(case, ("case", index)) for index, case in enumerate(self.file.cases)),
            happenings=tuple(self._happening(event, ("event", i)) for i, event in enumerate(self.file.events)),
        )

    def _posed(self, told: CaseTold, path: Path) -> Posed:
        head = self.head
        at = self._instant(told.at or head.at, (*path, "at") if told.at else ("casebook", "at"))
        names = (told.to,) if isinstance(told.to, str) else told.to
        for name in names:
            check_name(name, self.people, (*path, "to"), "person")
        check_name(told.item, self.items, (*path, "item"), "item")
        self._facts(told.given, (*path, "given"))
        self._facts(told.without, (*path, "without"))
        for duty in told.duties or ():
            check_name(duty, self.obligations, (*path, "duties"), "obligation")
        item = self.item(told.item, path)
        recipients = tuple(self.person(name, at, path) for name in names)
        acting = told.acting or self._acting(told, item, recipients)
        purpose = told.purpose if told.purpose is not None else item.purpose
        given = [each for each in (*head.given, *told.given) if each not in told.without]
        request = f"request/{told.id}"
        facts = model.Facts(
            attestations=tuple(self._attestation(each, at) for each in self.file.attestations if each.id in given),
            approvals=tuple(
                model.Approval(request=request, by=by, office=self._office(by, path)) for by in told.approved_by
            ),
            consents=tuple(self._consent(each, at, purpose) for each in self.file.consents if each.id in given),
            facilities=tuple(
                model.Facility(
                    site=each.id, party=each.party, mark=each.mark, until=self._until(each.until, at, ("facility", i))
                )
                for i, each in enumerate(self.file.facilities)
                if each.id in given
            ),
            witnesses=tuple(model.Witness(request=request, by=by) for by in told.witnessed_by),
        )
        outward = told.act in {"give", "show", "visit", "feed", "pass-on"}
        requester = told.requester or ("somebody-else" if outward or not names else names[0])
        return Posed(
            told=told,
            case=model.Case(
                request=request,
                act=told.act,
                item=item,
                purpose=purpose,
                requester=requester,
                acting=acting,
                recipients=recipients,
                at=at,
                via=told.via,
                facts=facts,
                method=told.method,
                copies=told.copies,
                office=told.office,
            ),
            standing=told.standing or head.standing,
            beside={**head.beside, **(told.beside or {})},
            acknowledged=tuple(self.parties) if told.acknowledged is None else told.acknowledged,
        )

    def _office(self, name: str, path: Path) -> str:
        """Where somebody works who is told of; of any other name nothing is known."""
        return _whole(self.people, name, path).body or "" if name in self.people else ""

    def _acting(self, told: CaseTold, item: model.Item, recipients: Sequence[model.Person]) -> str:
        """The side that acts where it is not written."""
        if told.act in {"give", "show", "visit", "feed", "reclassify"} or not recipients:
            return item.label.originator
        if told.act == "pass-on":  # whoever was given it: the only other party, where there are two
            others = [party for party in self.parties if party != item.label.originator]
            return others[0]
        return recipients[0].party

    def _happening(self, told: EventTold, path: Path) -> Happening:
        for duty in told.duties:
            check_name(duty, self.obligations, (*path, "duties"), "obligation")
        if told.item is None:
            return Happening(told=told, item=None)
        check_name(told.item, self.items, (*path, "item"), "item")
        return Happening(told=told, item=self.item(told.item, path))

    # ---- people, items and facts -----------------------------------------------------------------------------------

    def person(self, name: str, at: datetime, path: Path) -> model.Person:
        """A person as he is at an instant."""
        told = _whole(self.people, name, path)
        if told.party is None:
            raise Mistake("missing-key", path, f"person {name!r} has no 'party', nor has whoever he is 'like'")
        nations = next((party.nations for party in self.agreement.parties if party.id == told.party), ())
        clearance = None
        if told.clearance:
            clearance = model.Clearance(told.clearance, self._until(told.clearance_until, at, path))
        return model.Person(
            pseudonym=name,
            party=told.party,
            serves=told.serves if told.serves is not None else told.party,
            nationality=told.nationality if told.nationality is not None else (nations[0] if nations else told.party),
            employer=told.employer or "party",
            body=told.body or "",
            function=told.function or "",
            site=told.site or "",
            clearance=clearance,
            need_to_know=told.need_to_know or (),
            briefed=told.briefed or (),
        )

    def item(self, name: str, path: Path, seen: tuple[str, ...] = ()) -> model.Item:
        """An item, with all it came from."""
        if name in seen:
            raise Mistake("cycle", path, f"item {name!r} is made from itself")
        told = _whole(self.items, name, path)
        if told.originator is None or told.mark is None:
            raise Mistake("missing-key", path, f"item {name!r} needs an 'originator' and a 'mark'")
        for each in told.made_from or ():
            check_name(each, self.items, path, "item")
        scope = self.agreement.scope
        try:
            label = Label(
                policy=told.policy or told.originator,
                mark=told.mark,
                categories=tuple(sorted(told.categories or ())),
                releasable_to=tuple(sorted(told.releasable_to or ())),
                originator=told.originator,
            )
        except Rejected as error:
            raise Mistake(error.code, path, error.sentence) from None
        return model.Item(
            id=name,
            agreement=told.agreement or self.agreement.id,
            label=label,
            form=told.form or "documentary",
            subject=told.subject if told.subject is not None else _only(scope.subjects),
            purpose=told.purpose if told.purpose is not None else _only(scope.purposes) or "duty",
            need_to_know=told.need_to_know or (),
            relation=told.relation or ("copy" if told.made_from else "original"),
            lineage=tuple(self.item(each, path, (*seen, name)) for each in told.made_from or ()),
            recalled=bool(told.recalled),
            suspected=bool(told.suspected),
            office=told.office or "",
        )

    def _attestation(self, told: AttestationTold, at: datetime) -> model.Attestation:
        path: Path = ("attestation", self.file.attestations.index(told))
        check_name(told.checklist, self.checklists, (*path, "checklist"), "checklist")
        conditions = self.checklists[told.checklist].conditions
        for condition in told.conditions or ():
            check_name(condition, conditions, (*path, "conditions"), "condition")
        return model.Attestation(
            checklist=told.checklist,
            conditions=told.conditions or conditions,
            about=told.about,
            by=told.by,
            item=told.item or "",
            until=self._until(told.until, at, path) if told.until else None,
        )

    def _consent(self, told: ConsentTold, at: datetime, purpose: str) -> model.Consent:
        path: Path = ("consent", self.file.consents.index(told))
        check_name(told.item, self.items, (*path, "item"), "item")
        return model.Consent(
            by=told.by,
            item=told.item,
            act=told.act,
            beneficiary=told.beneficiary,
            purpose=told.purpose if told.purpose is not None else purpose,
            until=self._until(told.until, at, path),
            standing=told.standing,
        )

    def _facts(self, names: Iterable[str], path: Path) -> None:
        for name in names:
            check_name(name, self.facts, path, "fact")

    def _until(self, written: str | None, at: datetime, path: Path) -> datetime:
        return at + LONG if written is None else self._instant(written, path)

    def _instant(self, written: str, path: Path) -> datetime:
        """A day, a local time of the agreement's zone, or a time with its offset from UTC."""
        try:
            exact = datetime.fromisoformat(written)
            if exact.tzinfo is not None:
                return exact.astimezone(UTC)
            return window(written, self.zone).earliest
        except (ValueError, Rejected):
            sentence = f"{written!r} is no instant; write '2020-11-23', '2020-11-23T12:00' or '2020-11-23T12:00+09:00'"
            raise Mistake("bad-date", path, sentence) from None


Told = TypeVar("Told", PersonTold, ItemTold)
Each = TypeVar(
    "Each", bound=PersonTold | ItemTold | ConsentTold | AttestationTold | FacilityTold | CaseTold | EventTold
)


def _by_id(tables: Iterable[tuple[str, Sequence[Each]]]) -> dict[str, Each]:
    """The rows of some tables by their ids, which are unique among them all."""
    found: dict[str, Each] = {}
    for table, rows in tables:
        for index, row in enumerate(rows):
            if row.id in found:
                raise Mistake("duplicate-id", (table, index, "id"), f"{row.id!r} is the id of another one")
            found[row.id] = row
    return found


def _whole(rows: Mapping[str, Told], name: str, path: Path) -> Told:
    """A row with what it takes from those it is like.

    Raises:
        Mistake: it is like nobody, or like itself.
    """
    told, seen = rows[name], [name]
    while told.like is not None:
        check_name(told.like, rows, (*path, "like"), "row")
        if told.like in seen:
            raise Mistake("cycle", (*path, "like"), f"{name!r} is like itself")
        seen.append(told.like)
        first = rows[told.like]
        own = {key: value for key, value in asdict(told).items() if value is not None and key != "like"}
        told = type(told)(**{**asdict(first), **own})
    return told


def _only(words: Sequence[str] | None) -> str:
    """The only word of a list; empty where there are several or none."""
    return words[0] if words and len(words) == 1 else ""
