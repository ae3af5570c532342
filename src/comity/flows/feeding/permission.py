"""Whether a person of this house may read a feed, and which fields of it (``spec/feed.md`` step 16).

It is decided as ``open`` is, on what is recorded now: once for the mark of the release, and once for each mark that a
field has. So somebody cleared for less than the whole sees what he is cleared for. Only those read whom the release
names; the publisher was asked about each of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import cast

import msgspec
from msgspec import Struct

from comity.agreement.equivalence import level_of
from comity.agreement.model import Agreement
from comity.decision import model as decision
from comity.errors import Rejected
from comity.feed.reading import Seen
from comity.flows.deciding.attested import attestations
from comity.flows.deciding.cases import answer, at_their_sites, new_item, outcome_word, reader
from comity.flows.deciding.consents import consents_for
from comity.flows.deciding.lineage import Ancestry
from comity.flows.deciding.standings import standings_of
from comity.flows.deciding.visibility import against_person, sees_all
from comity.flows.feeding.terms import heard_terms
from comity.flows.giving.marks import alternative_label
from comity.flows.house import House
from comity.flows.keeping.committed import ReadRows
from comity.flows.keeping.work import Work
from comity.marking.label import Label
from comity.register.feeding import FEED_FORM
from comity.register.rows import AgreementRow, AssuranceRow, ItemRow, PersonRow, assurance_key
from comity.register.rows.feeding import FeedReleaseRow

LOOK_AGAIN = timedelta(seconds=1)
"""How long a permission is taken for what it was without deciding again: a clearance ends without any record."""
KNOWN_MAX = 1_024
"""Most permissions that are kept until then."""


class Weighed(Struct, frozen=True):
    """A question and the answer."""

    case: decision.Case
    outcome: decision.Outcome

    @property
    def permits(self) -> bool:
        """Whether it may be done."""
        return outcome_word(self.outcome) == "permit"


class Permission(Struct, frozen=True):
    """What a person may see of messages under one release.

    Attributes:
        release: which.
        whole: the decision on the mark of the release.
        marks: the decision on each mark that something of it has.
        known: whether he may know that there is this feed.
        named: whether the release names him.
    """

    release: FeedReleaseRow
    whole: Weighed
    marks: Mapping[str, Weighed]
    known: bool
    named: bool

    @property
    def permits(self) -> bool:
        """Whether he may read anything of it."""
        return self.named and any(each.permits for each in self.marks.values())

    @property
    def deciding(self) -> list[Weighed]:
        """The decisions that are recorded: the one on the whole, and those by which he sees a part of it."""
        parts = [each for each in self.marks.values() if each.permits and each is not self.whole]
        return [self.whole] if self.whole.permits or not self.named else [self.whole, *parts]

    def same(self, other: Permission) -> bool:
        """Whether another one lets him see the same."""
        return (self.named, self._permitted) == (other.named, other._permitted)

    @property
    def _permitted(self) -> list[str]:
        return sorted(mark for mark, each in self.marks.items() if each.permits)

    def seen(self, agreement: Agreement, party: str, mark: str = "") -> dict[str, Seen]:
        """What he sees of each type; with ``mark`` given, of no field that is marked above it.

        Args:
            agreement: whose levels count.
            party: whose house this is.
            mark: of the publisher's ladder, or of this party's.
        """
        kinds = heard_terms(self.release).schema.types
        shown = {
            each for each in self._permitted if not mark or _within(agreement, self.release.label, each, mark, party)
        }
        return {
            each.type: Seen(kinds[each.type], frozenset(field.name for field in each.fields if field.mark in shown))
            for each in self.release.types
            if self.permits
        }


class Known(Struct, frozen=True):
    """What somebody may see of messages under a release, as it was found.

    Attributes:
        permission: that.
        agreement: by which text.
        commits: after how many commits.
        again: when it is worked out again at the latest.
    """

    permission: Permission
    agreement: Agreement
    commits: int
    again: datetime


class Permissions:
    """What everybody who reads may see, worked out once for all readings of one person for one purpose.

    Attributes:
        commits: of the house since this was made; after each of them permissions are worked out anew.
    """

    def __init__(self, house: House) -> None:
        self.commits = 0
        self._house = house
        self._known: dict[tuple[str, str, str, str], Known] = {}
        house.after_commit.append(self._committed)

    def _committed(self) -> None:
        self.commits += 1

    async def look(self, relationship: str, release: FeedReleaseRow, handle: str, purpose: str) -> Known:
        """What somebody may see under a release, as it is recorded now.

        Raises:
            Misuse: he has left this house.
        """
        key = (relationship, release.release, handle, purpose)
        known = self._known.get(key)
        if known is None or known.commits != self.commits or self._house.now() >= known.again:
            known = await self.work_out(self._house.sequencer.look(), relationship, release, handle, purpose)
            if len(self._known) >= KNOWN_MAX:
                self._known.clear()
            self._known[key] = known
        return known

    async def work_out(
        self, work: Work, relationship: str, release: FeedReleaseRow, handle: str, purpose: str
    ) -> Known:
        """The same, on the facts of a work.

        Raises:
            Misuse: he has left this house.
        """
        commits = self.commits
        row = await work.need(AgreementRow, relationship, "agreement")
        running = await self._house.library.load(row)
        person = await self._house.person(handle)
        found = await weigh(self._house, work.facts, row, release, person, purpose, work.at)
        return Known(found, running.agreement, commits, work.at + LOOK_AGAIN)


async def weigh(
    house: House,
    read: ReadRows,
    row: AgreementRow,
    release: FeedReleaseRow,
    person: PersonRow,
    purpose: str,
    at: datetime,
) -> Permission:
    """What a person may see of a feed that this house gets, as it is recorded now.

    Args:
        house: this house.
        read: where rows come from.
        row: the agreement that the feed crosses under.
        release: the standing release.
        person: who reads.
        purpose: what for.
        at: the instant.
    """
    pseudonym = house.pseudonym(row.relationship, person.person)
    running = await house.library.load(row)
    case = await _case(house, read, row, release, person, purpose, at)

    def asked(mark: str) -> Weighed:
        label = msgspec.structs.replace(release.label, mark=mark)
        posed = msgspec.structs.replace(case, item=msgspec.structs.replace(case.item, label=label))
        return Weighed(posed, answer(running, posed))

    wanted = dict.fromkeys([release.label.mark, *(field.mark for each in release.types for field in each.fields)])
    marks = {mark: asked(mark) for mark in wanted}
    named = pseudonym in release.recipients
    known = named or sees_all(person) or not any(map(against_person, marks[release.label.mark].outcome.reasons))
    return Permission(release, marks[release.label.mark], marks, known, named)


async def _case(
    house: House,
    read: ReadRows,
    row: AgreementRow,
    release: FeedReleaseRow,
    person: PersonRow,
    purpose: str,
    at: datetime,
) -> decision.Case:
    """The question, for the mark of the whole release."""
    pseudonym = house.pseudonym(row.relationship, person.person)
    item = new_item(
        release.feed, row.agreement, release.label, FEED_FORM, release.subject, release.topic, release.purpose
    )
    found = Ancestry(item=item, agreements={row.relationship: row}, rows=())
    facilities, attested = await at_their_sites(house, read, row, found, [person], at)
    assured = await _assured(house, read, row, release)
    return decision.Case(
        request=f"open/{release.feed}/{pseudonym}",
        act="open",
        item=item,
        purpose=purpose,
        requester=pseudonym,
        acting=house.party,
        recipients=(reader(person, house.party, pseudonym),),
        at=at,
        facts=decision.Facts(
            standings=await standings_of(house, [row], at),
            attestations=(*attested, *assured),
            consents=await consents_for(read, row, _about(release), at),
            facilities=facilities,
        ),
    )


async def _assured(
    house: House, read: ReadRows, row: AgreementRow, release: FeedReleaseRow
) -> tuple[decision.Attestation, ...]:
    """What this house assured of the recipients when it was asked about the release."""
    agreement = (await house.library.load(row)).agreement
    keys = [assurance_key(row.relationship, release.release, each) for each in release.recipients]
    found = [cast("AssuranceRow", each) for each in (await read(keys)).values() if each is not None]
    return tuple(
        each
        for assurance in found
        for each in attestations(
            agreement,
            assurance.conditions,
            house.party,
            item=release.feed,
            recipient=assurance.recipient,
            site="",
            evidence=assurance.record.hex(),
        )
    )


def _about(release: FeedReleaseRow) -> ItemRow:
    """The feed as consents speak of it."""
    return ItemRow(
        item=release.feed,
        label=release.label,
        form=FEED_FORM,
        topic=release.topic,
        subject=release.subject,
        size=0,
        content=bytes(32),
        originator=release.label.originator,
        registered=release.at,
    )


def _within(agreement: Agreement, label: Label, mark: str, highest: str, party: str) -> bool:
    """Whether a mark of the publisher is not above another of its ladder, or of this party's."""
    try:
        return level_of(agreement, label.policy, mark).rank <= level_of(agreement, label.policy, highest).rank
    except Rejected:  # it is not the publisher's
        here = alternative_label(agreement, msgspec.structs.replace(label, mark=mark), party)
        asked = level_of(agreement, party, highest).rank
        return here is not None and level_of(agreement, party, here.mark).rank <= asked
