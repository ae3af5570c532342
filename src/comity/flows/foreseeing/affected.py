"""What stands in the register that a supposition would touch, as one reader sees it (``spec/what-if.md`` step 10)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Literal

import msgspec

from comity.agreement.equivalence import ladder, level_of
from comity.agreement.model import Agreement
from comity.agreement.vocabulary import GIVING_ACTS
from comity.decision import model as decision
from comity.decision.wording.words import AS_TYPED
from comity.errors import Misuse, Refused, Rejected
from comity.flows.actors import Actor
from comity.flows.consenting.consent_register import ListConsents, list_consents
from comity.flows.deciding.cases import answer, handling_case, outcome_word
from comity.flows.deciding.explaining import ReasonTold, told_reason
from comity.flows.deciding.recorded import recorded
from comity.flows.deciding.standings import standings_of
from comity.flows.deciding.visibility import Sight, viewer
from comity.flows.foreseeing.supposing import SupposedHouse, Worth, same
from comity.flows.house import PSEUDONYM_OF, House
from comity.flows.looking.duties import LINES_MAX, ListDuties, list_duties
from comity.flows.looking.obliged import all_running
from comity.flows.people.visit_views import ListVisits, list_visits
from comity.foresight.consequences import Consequences
from comity.foresight.obligations import Fate
from comity.foresight.supposition import Supposed
from comity.register.roles import RELEASE_AUTHORITY
from comity.register.rows import CopyRow, DecisionRow, DirectoryRow, ItemRow, PersonRow, RequestRow, decode_row
from comity.register.rows.feeding import FeedReleaseRow

AGAINST = frozenset({"needs", "lacks", "forbids"})
"""Effects of reasons that stand in the way."""


class RequestAffected(msgspec.Struct, frozen=True, kw_only=True):
    """A request that waits: its newest decision made again, with the supposition and without.

    ``reasons`` are those that stand in the way only then.
    """

    request: str
    item: str
    act: str
    by: str
    outcome: str
    then: str
    reasons: tuple[ReasonTold, ...]


class ReaderAffected(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody of this house who could no longer open a copy that he holds."""

    handle: str
    item: str
    copy: int
    then: str
    reasons: tuple[ReasonTold, ...]


class PersonAffected(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody of this house whose clearance would be worth less; ``then`` is empty where it would be worth nothing."""

    handle: str
    clearance: str
    then: str


class ConsentAffected(msgspec.Struct, frozen=True, kw_only=True):
    """A consent that holds, and what becomes of it.

    ``fate``: the acts it is to stop, all (``ends``) or some of them (``in-part``); it names a mark that is no more
    (``mark-gone``); it ends by itself before that (``over-before``); or it ``goes-on``.
    """

    consent: str
    ours: bool
    item: str | None
    acts: tuple[str, ...]
    until: datetime | None
    fate: Literal["ends", "in-part", "mark-gone", "over-before", "goes-on"]


class WaitingAffected(msgspec.Struct, frozen=True, kw_only=True):
    """A request for consent that nobody has answered; ``stops`` where the act it is about does."""

    request: str
    ours: bool
    item: str
    acts: tuple[str, ...]
    stops: bool


class VisitAffected(msgspec.Struct, frozen=True, kw_only=True):
    """A visit that is not over: it would not begin, be cut short, or be over before."""

    visit: str
    side: str
    starts: datetime
    ends: datetime
    fate: Literal["does-not-begin", "cut-short", "over-before"]


class FeedAffected(msgspec.Struct, frozen=True, kw_only=True):
    """A feed whose standing release holds: it stops, is over before, or its mark is no more."""

    feed: str
    release: str
    publisher: str
    until: datetime
    fate: Literal["stops", "over-before", "mark-gone"]


class DutyAffected(msgspec.Struct, frozen=True, kw_only=True):
    """An open duty, and what becomes of the obligation that lays it."""

    who: str
    subject: str
    instrument: str
    obligation: str
    clause: str
    says: str
    due: datetime | None
    standing: bool
    fate: Fate


class BorrowerAffected(msgspec.Struct, frozen=True, kw_only=True):
    """Another agreement that runs here and borrows its protection from this one: nothing is given without it."""

    relationship: str
    instrument: str
    clause: str
    unchecked: bool


class Affected(msgspec.Struct, frozen=True, kw_only=True):
    """What the register has that would be touched.

    Attributes:
        party: this house.
        relationship: where.
        looked_at: the instant at which both were asked.
        held_here, held_there: copies held by people of this house, and those of ours that the other party holds.
        requests, readers, people, consents, waiting, visits, feeds, duties: what would be touched, at most
            ``LINES_MAX`` each.
        borrowers: the agreements under which giving stops with this one.
        more: there are others.
    """

    party: str
    relationship: str
    looked_at: datetime
    held_here: int
    held_there: int
    requests: tuple[RequestAffected, ...]
    readers: tuple[ReaderAffected, ...]
    people: tuple[PersonAffected, ...]
    consents: tuple[ConsentAffected, ...]
    waiting: tuple[WaitingAffected, ...]
    visits: tuple[VisitAffected, ...]
    feeds: tuple[FeedAffected, ...]
    duties: tuple[DutyAffected, ...]
    borrowers: tuple[BorrowerAffected, ...]
    more: bool


async def affected(
    house: House,
    relationship: str,
    supposed: Supposed,
    told: Consequences,
    looked_at: datetime,
    worth: Worth,
    actor: Actor | None,
    language: str = AS_TYPED,
) -> Affected:
    """What the register of this house has that a supposition would touch, as ``actor`` may see it."""
    sight = Sight(house, await viewer(house, actor))
    look = _Look(house, relationship, supposed, told, looked_at, worth, sight, actor, language)
    requests = [each async for each in look.requests()]
    readers = [each async for each in look.readers()]
    consents, waiting = await look.consents()
    duties = await look.duties()
    people = [each async for each in look.people()]
    visits = await look.visits()
    feeds = [each async for each in look.feeds()]
    kinds = (requests, readers, people, consents, waiting, visits, feeds, duties)
    return Affected(
        party=house.party,
        relationship=relationship,
        looked_at=looked_at,
        held_here=look.held_here,
        held_there=look.held_there,
        requests=tuple(requests[:LINES_MAX]),
        readers=tuple(readers[:LINES_MAX]),
        people=tuple(people[:LINES_MAX]),
        consents=tuple(consents[:LINES_MAX]),
        waiting=tuple(waiting[:LINES_MAX]),
        visits=tuple(visits[:LINES_MAX]),
        feeds=tuple(feeds[:LINES_MAX]),
        duties=tuple(duties[:LINES_MAX]),
        borrowers=tuple([each async for each in look.borrowers()]),
        more=look.more or any(len(kind) > LINES_MAX for kind in kinds),
    )


class _Look:
    """One look at the register, of one reader."""

    def __init__(
        self,
        house: House,
        relationship: str,
        supposed: Supposed,
        told: Consequences,
        at: datetime,
        worth: Worth,
        sight: Sight,
        actor: Actor | None,
        language: str,
    ) -> None:
        self.house, self.relationship, self.at, self.sight, self.actor = house, relationship, at, sight, actor
        self.told, self.worth, self.language = told, worth, language
        self.now = SupposedHouse(house, relationship, supposed.before, at, same)
        self.then = SupposedHouse(house, relationship, supposed.ground, at, worth)
        self.texts = supposed.before.agreement, supposed.ground.agreement
        self.held_here = self.held_there = 0
        self.more = False

    def stops(self, act: str) -> bool:
        """Whether an act would have stopped by then."""
        return any(each.act == act and each.stops is not None and each.stops <= self.at for each in self.told.acts)

    async def requests(self) -> AsyncIterator[RequestAffected]:
        """(10) The requests that wait, which the viewer may see."""
        async for _, row in self.house.rows(RequestRow):
            if row.relationship != self.relationship or row.consignment is not None:
                continue
            if not (self.sight.has(RELEASE_AUTHORITY) or self.sight.is_himself(row.by)):
                continue
            case = await self._newest_case(row)
            if case is None or await self.sight.item(row.item) is None:
                continue
            now, then = [await self._again(house, case) for house in (self.now, self.then)]
            yield RequestAffected(
                request=row.request,
                item=row.item,
                act=row.act,
                by=await self.house.handle(row.by),
                outcome=outcome_word(now),
                then=outcome_word(then),
                reasons=_in_the_way(now, then, self.language),
            )

    async def _newest_case(self, request: RequestRow) -> decision.Case | None:
        """The case of the newest decision about a request."""
        first, before = f"{request.item}/", f"{request.item}0"
        while True:
            lines = await self.house.store.scan(DecisionRow.table, first, before, limit=64, newest_first=True)
            for _, value in lines:
                row = decode_row(DecisionRow.table, value)
                assert isinstance(row, DecisionRow)
                found = await recorded(self.house, row.record) if row.act == request.act else None
                if found is not None and found.case.request == request.request:
                    return found.case
            if len(lines) < 64:
                return None
            before = lines[-1][0]

    async def _again(self, house: SupposedHouse, case: decision.Case) -> decision.Outcome:
        """A case decided at the instant of the look, by how everything would stand."""
        row = await house.agreement_row(self.relationship)
        standings = await standings_of(house, [row], self.at)
        beside = tuple(
            each for each in case.facts.standings if each.agreement not in {of.agreement for of in standings}
        )
        facts = msgspec.structs.replace(case.facts, standings=(*standings, *beside))
        return answer(await house.library.load(row), msgspec.structs.replace(case, at=self.at, facts=facts))

    async def readers(self) -> AsyncIterator[ReaderAffected]:
        """(10) The copies held, and whoever here could no longer open what he holds."""
        decided = 0
        row = await self.house.agreement_row(self.relationship)
        async for _, copy in self.house.rows(CopyRow, f"{self.relationship}/"):
            item = await self._seen(copy) if copy.state == "held" else None
            if item is None:
                continue
            theirs = await self.house.row(DirectoryRow, f"{self.relationship}/{row.peer}/{copy.holder}")
            self.held_there += theirs is not None
            holder = None if theirs else await self.house.side(PSEUDONYM_OF, f"{self.relationship}/{copy.holder}")
            self.held_here += holder is not None
            if holder is None:
                continue
            if decided >= LINES_MAX:
                self.more = True
                continue
            decided += 1
            found = await self._opens(item, copy, holder.decode())
            if found is not None:
                yield found

    async def _seen(self, copy: CopyRow) -> ItemRow | None:
        """The item of a copy, where the viewer may see both."""
        item = await self.sight.item(copy.item)
        if item is None or await self.sight.sees_all_copies(item):
            return item
        assert self.sight.person is not None
        return item if self.house.pseudonym(self.relationship, self.sight.person.person) == copy.holder else None

    async def _opens(self, item: ItemRow, copy: CopyRow, person: str) -> ReaderAffected | None:
        outcomes = []
        for house in (self.now, self.then):
            row, holder = await house.agreement_row(self.relationship), await house.row(PersonRow, person)
            if holder is None:
                return None
            try:
                case = await handling_case(house, row, item, holder, "open", item.provided or "", self.at)
            except Refused:  # somebody who handles no content opens nothing either way
                return None
            outcomes.append(answer(await house.library.load(row), case))
        now, then = outcomes
        if outcome_word(now) != "permit" or outcome_word(then) == "permit":
            return None
        return ReaderAffected(
            handle=await self.house.handle(person),
            item=item.item,
            copy=copy.number,
            then=outcome_word(then),
            reasons=_in_the_way(now, then, self.language),
        )

    async def people(self) -> AsyncIterator[PersonAffected]:
        """(10) Whose clearance would be worth less."""
        async for _, row in self.house.rows(PersonRow):
            if row.clearance is None or row.removed or not self.sight.is_himself(row.person):
                continue
            becomes = self.worth(row.clearance)
            before, after = _rank(self.texts[0], self.house.party, row.clearance), 0
            if becomes is not None:
                after = _rank(self.texts[1], self.house.party, becomes)
            if after < before:
                yield PersonAffected(
                    handle=await self.house.handle(row.person),
                    clearance=row.clearance,
                    then=becomes if becomes is not None and after else "",
                )

    async def consents(self) -> tuple[list[ConsentAffected], list[WaitingAffected]]:
        """(10) Consents that hold, and requests for some that wait."""
        shown = await list_consents(self.house, ListConsents(relationship=self.relationship, actor=self.actor))
        marks = {level.mark for level in self.texts[1].levels}
        held: list[ConsentAffected] = []
        for each in shown.consents:
            if each.standing != "holds":
                continue
            stopped = [act for act in each.acts if self.stops(act)]
            fate: Literal["ends", "in-part", "mark-gone", "over-before", "goes-on"] = "goes-on"
            if each.until is not None and each.until <= self.at:
                fate = "over-before"
            elif not marks.issuperset(each.marks):
                fate = "mark-gone"
            elif stopped:
                fate = "ends" if len(stopped) == len(each.acts) else "in-part"
            held.append(
                ConsentAffected(
                    consent=each.consent, ours=each.ours, item=each.item, acts=each.acts, until=each.until, fate=fate
                )
            )
        waiting = [
            WaitingAffected(
                request=each.request,
                ours=each.ours,
                item=each.item,
                acts=each.acts,
                stops=any(map(self.stops, each.acts)),
            )
            for each in shown.asked
            if each.answer == "silent"
        ]
        return held, waiting

    async def visits(self) -> list[VisitAffected]:
        """(10) Visits that are not over."""
        if not any(self.stops(act) for act in GIVING_ACTS):
            return []
        stop = self.told.stops or self.at
        open_ones = ListVisits(relationship=self.relationship, open=True, actor=self.actor)
        return [
            VisitAffected(
                visit=each.visit,
                side=each.side,
                starts=each.starts,
                ends=each.ends,
                fate="over-before" if each.ends <= stop else "cut-short" if each.starts < stop else "does-not-begin",
            )
            for each in await list_visits(self.house, open_ones)
        ]

    async def feeds(self) -> AsyncIterator[FeedAffected]:
        """(10) Feeds whose release holds: one needs force under every reading, like whatever gives (``feed.md``)."""
        ladders = {
            (party.id, level.mark) for party in self.texts[1].parties for level in ladder(self.texts[1], party.id)
        }
        now, stop = self.house.now(), self.told.stops
        async for _, row in self.house.rows(FeedReleaseRow, f"{self.relationship}/"):
            if row.ended is not None or row.followed is not None or row.until <= now or not self._sees_feed(row):
                continue
            gone = (row.label.policy, row.label.mark) not in ladders
            if stop is None and not gone:
                continue
            over: Literal["stops", "over-before"] = "stops" if stop is not None and row.until > stop else "over-before"
            yield FeedAffected(
                feed=row.feed,
                release=row.release,
                publisher=row.publisher,
                until=row.until,
                fate="mark-gone" if gone else over,
            )

    def _sees_feed(self, row: FeedReleaseRow) -> bool:
        """Whether the viewer may know of a feed: he releases what this house publishes, or it is sealed to him."""
        person = self.sight.person
        if person is None or self.sight.everything:
            return True
        own = row.publisher == self.house.party and self.sight.has(RELEASE_AUTHORITY)
        return own or self.house.pseudonym(self.relationship, person.person) in row.recipients

    async def duties(self) -> list[DutyAffected]:
        """(10) Open duties, with what becomes of what lays them."""
        shown = await list_duties(self.house, ListDuties(actor=self.actor))
        self.more = self.more or shown.more
        fates = {(each.instrument, each.obligation): each.fate for each in self.told.duties}
        return [
            DutyAffected(
                who=each.who,
                subject=each.subject,
                instrument=each.instrument,
                obligation=each.obligation,
                clause=each.clause,
                says=each.says,
                due=each.due,
                standing=each.standing,
                fate=fates.get((each.instrument, each.obligation), "as-before"),
            )
            for each in (*shown.duties, *shown.standing)
            if each.relationship == self.relationship
        ]

    async def borrowers(self) -> AsyncIterator[BorrowerAffected]:
        """(10) Agreements that borrow their protection from this one, where giving under it stops."""
        for relationship, running in await all_running(self.house) if self.told.stops else ():
            known = {clause.id: clause.provenance for clause in running.agreement.clauses}
            for basis in running.agreement.protection_bases:
                if basis.agreement == self.told.agreement:
                    yield BorrowerAffected(
                        relationship=relationship,
                        instrument=running.agreement.id,
                        clause=basis.clause,
                        unchecked=known[basis.clause] == "K",
                    )


def _in_the_way(now: decision.Outcome, then: decision.Outcome, language: str) -> tuple[ReasonTold, ...]:
    """What stands in the way only then, in words."""
    before = {(each.step, each.code, each.clause, each.about) for each in now.reasons if each.effect in AGAINST}
    return tuple(
        told_reason(each, language)
        for each in then.reasons
        if each.effect in AGAINST and (each.step, each.code, each.clause, each.about) not in before
    )


def _rank(agreement: Agreement, party: str, mark: str) -> int:
    """How far a clearance reaches; 0 for a mark of no ladder."""
    try:
        return level_of(agreement, party, mark).rank
    except (Misuse, Rejected):
        return 0
