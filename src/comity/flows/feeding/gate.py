"""The gate of each feed, worked out from the register (``spec/feed.md`` steps 5 and 6).

The publisher decides again what it decided when the release was made, on what is recorded now. The recipient knows
less, and finds the gate closed by what it knows: an end, another text, an agreement out of force, nobody who gets it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import cast

import msgspec

from comity.agreement.check import moment_of
from comity.agreement.model import Agreement, Layer
from comity.decision import model as decision
from comity.errors import Refused
from comity.feed.batch import Closed
from comity.feed.gate import Gate
from comity.feed.release import Posture, joint
from comity.flows.deciding.cases import answer, outcome_word
from comity.flows.deciding.picking import AGAINST
from comity.flows.deciding.standings import halted
from comity.flows.feeding.cases import feed_case
from comity.flows.feeding.names import FeedName
from comity.flows.feeding.originators import marked_otherwise
from comity.flows.feeding.terms import Terms, heard_terms, kept_terms
from comity.flows.house import House
from comity.flows.keeping.library import Running
from comity.flows.keeping.work import Work
from comity.register.rows import AgreementRow, DirectoryRow, Key, RequestRow, ReturnedRow, directory_key
from comity.register.rows.feeding import (
    FeedReleaseRow,
    FeedRow,
    FeedWantedRow,
    PostureRow,
    feed_key,
    feed_release_key,
    posture_key,
)

TERMS_KEPT = 256
"""Most releases whose terms are kept parsed."""
BEGINNING = datetime.min.replace(tzinfo=UTC)
CONSENT_STEP = 11
"""The step of the decision that asks for consents (``spec/decision.md``)."""


class _Stop(msgspec.Struct, frozen=True):
    """Why nothing crosses: the code, since when (None: since it was found so), and what a batch says of it."""

    why: str
    since: datetime | None
    changed: Closed


async def gate(house: House, relationship: str, publisher: str, feed: str) -> Gate:
    """What is so now of one feed, ours or the other party's, worked out afresh."""
    found, turn = await work_out(house, FeedName(relationship, publisher, feed), house.sequencer.look(), {})
    return msgspec.structs.replace(found, until=turn)


async def work_out(house: House, name: FeedName, work: Work, kept: dict[str, Terms]) -> tuple[Gate, datetime | None]:
    """The gate, and the next instant at which it changes by itself.

    Args:
        house: whose register it is.
        name: the feed.
        work: the facts and the instant.
        kept: terms of releases that were parsed before; more are put in.
    """
    feed = await work.row(FeedRow, feed_key(name.relationship, name.publisher, name.feed)[1])
    row = await work.row(AgreementRow, name.relationship)
    if feed is None or row is None:
        return Gate(stands=False, why="no-release", since=BEGINNING, changed="release"), None
    release = await work.need(FeedReleaseRow, feed_release_key(name.relationship, feed.release)[1], "release")
    running = await house.library.load(row)
    posture, since, turns = await _posture(house, work, row, name)
    stop, more = await _stopped(house, work, row, running, release)
    terms = await _terms_of(house, work, running, release, kept)
    changed: Closed = "release" if since <= release.at else "posture"
    turns += [release.until, *more]
    gate = Gate(
        stands=stop is None,
        why="" if stop is None else stop.why,
        since=max(since, release.at),
        changed=changed,
        schema=terms.schema,
        release=terms.release,
        posture=posture,
    )
    if stop is not None:
        gate = msgspec.structs.replace(gate, since=stop.since or release.at, changed=stop.changed)
    return gate, min((each for each in turns if each > work.at), default=None)


async def _posture(
    house: House, work: Work, row: AgreementRow, name: FeedName
) -> tuple[Posture, datetime, list[datetime]]:
    """(5) What both have declared, since when at the earliest, and when a declaration ends."""
    keys = [posture_key(name.relationship, party) for party in (house.party, row.peer)]
    found = await work.facts(keys)
    rows = [cast("PostureRow | None", found[key]) for key in keys]
    held = [each.posture if each is not None and _declared(each, work.at) else None for each in rows]
    events = [at for each in rows if each is not None for at in (each.at, each.until) if at is not None]
    since = max((at for at in events if at <= work.at), default=BEGINNING)
    return joint(held), since, [at for at in events if at > work.at]


async def _stopped(
    house: House, work: Work, row: AgreementRow, running: Running, release: FeedReleaseRow
) -> tuple[_Stop | None, list[datetime]]:
    """(6) Why nothing crosses under a release, if so; and when that may change by itself."""
    if release.ended is not None:  # at once, even where the clock of whoever ended it is ahead
        return _Stop("ended", min(release.ended, work.at), "ended"), []
    if work.at >= release.until:
        return _Stop("expired", release.until, "release"), []
    if await work.row(ReturnedRow, release.record.hex()) is not None:
        return _Stop("returned", None, "release"), []
    turns: list[datetime] = []
    if release.agreement != row.digest or row.superseded is not None:
        if row.superseded is not None and work.at < row.superseded:
            turns.append(row.superseded)
        else:
            return _Stop("other-text", row.superseded, "standing"), turns
    turns += await _term(house, work, row, running)
    if release.publisher == house.party:
        if await marked_otherwise(house, work, row, running.agreement, release.feed, release.label) is not None:
            return _Stop("level-changed", None, "standing"), turns
        reason, more = await _decided(house, work, row, running, release)
        turns += more
    else:
        reason = await _received(house, work, row, release)
    if reason is None:
        return None, turns
    return _Stop(reason.code, None, "consent" if reason.step == CONSENT_STEP else "standing"), turns


async def _term(house: House, work: Work, row: AgreementRow, running: Running) -> list[datetime]:
    """When the agreement, one from which it borrows its protection, or a rule of its texts, turns."""
    turns = [await house.library.turns(row, work.at)]
    for basis in running.agreement.protection_bases:
        for relationship, _ in await house.relationships():
            beside = await house.agreement_row(relationship)
            if beside.agreement == basis.agreement:
                turns.append(await house.library.turns(beside, work.at))
    texts: tuple[Agreement | Layer, ...] = (running.agreement, *running.layers)
    for text in texts:
        for rule in text.rules:
            turns += [at for each in (rule.since, rule.until) if each and (at := moment_of(each)) is not None]
    return turns


async def _decided(
    house: House, work: Work, row: AgreementRow, running: Running, release: FeedReleaseRow
) -> tuple[decision.Reason | None, list[datetime]]:
    """The publisher decides again, on what is recorded now, just as when the release was made."""
    asked = await work.need(RequestRow, release.release, "request")
    try:
        case = await feed_case(house, work, row, running, asked, release)
    except Refused as error:
        return decision.Reason(0, error.code, "", "", "", "lacks"), []
    outcome = answer(running, case)
    ends = [each.until for each in case.facts.consents]
    ends += [each.until for each in case.facts.attestations if each.until is not None]
    against = AGAINST.get(outcome_word(outcome))
    return next((each for each in outcome.reasons if each.effect == against), None), ends


async def _received(house: House, work: Work, row: AgreementRow, release: FeedReleaseRow) -> decision.Reason | None:
    """The recipient knows whether the agreement stands by every reading, and whether somebody still gets the feed."""
    keys: list[Key] = [directory_key(row.relationship, house.party, each) for each in release.recipients]
    found: Iterable[object] = (await work.facts(keys)).values()
    if not any(isinstance(each, DirectoryRow) and each.reachable for each in found):
        return decision.Reason(1, "no-recipients", "", "", "", "forbids")
    return await halted(house, row.relationship, work.at)


async def _terms_of(
    house: House, work: Work, running: Running, release: FeedReleaseRow, kept: dict[str, Terms]
) -> Terms:
    """What messages there are and what crosses: as written here, or as told.

    Two releases of the same text are two: other people may read, and the keys of one are not those of the other (12).
    """
    terms = kept.get(release.release)
    if terms is None:
        if release.publisher == house.party:
            wanted = await work.need(FeedWantedRow, release.release, "terms of a release")
            terms = await kept_terms(work, wanted.schema, wanted.terms, running.agreement)
            terms = Terms(terms.schema, msgspec.structs.replace(terms.release, digest=release.record.hex()))
        else:
            terms = heard_terms(release)
        if len(kept) >= TERMS_KEPT:
            kept.clear()
        kept[release.release] = terms
    return terms


def _declared(row: PostureRow, at: datetime) -> bool:
    """Whether a declaration has not ended."""
    return row.until is None or at < row.until
