"""The question whether a feed may cross, from what is recorded (``spec/feed.md`` step 4).

A feed is decided as one piece of information: its name is the item, the mark of its release the item's mark. What a
third party originated is asked of that party's consents, in this house's relationship with it under the same agreement.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

import msgspec

from comity.decision import model as decision
from comity.flows.deciding.cases import giving_case, new_item
from comity.flows.deciding.consents import consents_for
from comity.flows.house import House
from comity.flows.keeping.library import Running
from comity.flows.keeping.work import Work
from comity.flows.vouching.contradictions import check_frozen
from comity.marking.label import Label
from comity.register.feeding import FEED_FORM
from comity.register.rows import AgreementRow, ItemRow, RequestRow


class FeedTerms(Protocol):
    """What a decision about a feed rests on, wherever it stands: what is wanted, asked for, or released."""

    @property
    def feed(self) -> str:
        """Its name."""
        ...

    @property
    def label(self) -> Label:
        """Its label."""
        ...

    @property
    def topic(self) -> str:
        """The need-to-know list."""
        ...

    @property
    def subject(self) -> str:
        """What it is about."""
        ...


async def feed_case(
    house: House, work: Work, row: AgreementRow, running: Running, request: RequestRow, terms: FeedTerms
) -> decision.Case:
    """The question whether a feed of this house may cross, with all that is recorded about it.

    Args:
        house: this house, the publisher.
        work: the facts and the instant.
        row: the agreement it is to cross under.
        running: the same.
        request: to whom, for what, and who has approved.
        terms: the feed, its label, topic and subject.
    """
    item = new_item(terms.feed, row.agreement, terms.label, FEED_FORM, terms.subject, terms.topic, request.purpose)
    case = await giving_case(house, work, row, running, request, item, "feed")
    consents = await _consents(house, work, row, terms, work.at)
    return msgspec.structs.replace(case, facts=msgspec.structs.replace(case.facts, consents=consents))


async def _consents(
    house: House, work: Work, row: AgreementRow, terms: FeedTerms, at: datetime
) -> tuple[decision.Consent, ...]:
    """What the originator of a feed has consented to: where it deals with this house under the same agreement."""
    if terms.label.originator == house.party:
        return ()
    found: list[decision.Consent] = []
    for relationship in await originators(house, row, terms.label.originator):
        with_it = await house.agreement_row(relationship)
        await check_frozen(house, [with_it])
        found += await consents_for(work.facts, with_it, about(terms, at), at)
    return tuple(found)


def about(terms: FeedTerms, at: datetime) -> ItemRow:
    """A feed as consents speak of it: by its topic, subject and mark."""
    return ItemRow(
        item=terms.feed,
        label=terms.label,
        form=FEED_FORM,
        topic=terms.topic,
        subject=terms.subject,
        size=0,
        content=bytes(32),
        originator=terms.label.originator,
        registered=at,
    )


async def originators(house: House, row: AgreementRow, originator: str) -> list[str]:
    """The relationships in which this house deals with an originator under the same agreement."""
    with_it = [each for each, peer in await house.relationships() if peer == originator]
    return [each for each in with_it if (await house.agreement_row(each)).agreement == row.agreement]
