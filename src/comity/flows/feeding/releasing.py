"""A standing release: asked for, approved, carried out (``spec/feed.md`` steps 3 and 4).

It goes the way of an item that is given: ``preview_feed`` asks and changes nothing but the record of the question,
``release_feed`` records the request, ``advance_feed`` carries it out once nothing is missing, inside the change that
brings the last approval or assurance.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import PurePath

import msgspec

from comity.decision import model as decision
from comity.errors import Misuse, Rejected
from comity.flows.actors import Actor
from comity.flows.deciding.basis import basis
from comity.flows.deciding.cases import answer, outcome_word, record_decision
from comity.flows.feeding.cases import feed_case
from comity.flows.feeding.originators import marked_otherwise, tell_originator, tell_over
from comity.flows.feeding.terms import FEED_TEXT, Terms, kept_terms, read_terms, told_postures, told_types
from comity.flows.giving.marks import alternative_label
from comity.flows.giving.release import POSSIBLE, directory_entries
from comity.flows.house import FRESH_NAME, House
from comity.flows.keeping.library import Running
from comity.flows.keeping.work import Draft, Work
from comity.marking.label import Label
from comity.record import bodies
from comity.record.bodies.feeding import FeedReleased, FeedRequested
from comity.record.encoding import encode
from comity.record.person_act import unsigned
from comity.record.statement import DOMESTIC
from comity.register.feeding import FEED_FORM
from comity.register.roles import OFFICER
from comity.register.rows import AgreementRow, RequestRow
from comity.register.rows.feeding import FeedReleaseRow, FeedRow, FeedWantedRow, feed_key, feed_release_key

TEXT_BYTES_MAX = 1_048_576
"""Longest schema or release, in bytes."""
TERMS_BYTES_MAX = 32_768
"""Most bytes in which the recipient is told what crosses, so that the record of a release is a record."""


class ReleaseFeed(msgspec.Struct, frozen=True, kw_only=True):
    """Ask that a feed be released to people of the other party, until it ends.

    Attributes:
        schema: the text of the schema: what messages there are.
        terms: the text of the release: what of them crosses, under which mark, until when.
        names: what the two files are called, for errors.
        relationship: with whom, under which agreement.
        recipients: pseudonyms in the other party's directory; never empty.
        actor: the officer who asks.
        request: identifier for the request, when the caller must know it beforehand; the release has the same.
    """

    schema: str
    terms: str
    relationship: str
    recipients: tuple[str, ...]
    actor: Actor
    names: tuple[str, str] = ("schema.toml", "release.toml")
    request: str | None = None


class FeedAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Where a request for a standing release stands.

    Attributes:
        request: request id; the release has the same.
        feed: which feed.
        relationship: with whom.
        outcome: of the newest decision: ``permit``, ``needs-consent``, ``forbidden`` or ``no-basis``.
        decision: the decision.
        decision_record: its record id in hex.
        release: record id in hex once it was released.
        until: when it ends.
        alternative: the other party's mark for it; None where it will choose between several.
        never: fields of the schema that never cross, by type, as ``type.field``.
    """

    request: str
    feed: str
    relationship: str
    outcome: str
    decision: decision.Outcome
    decision_record: str
    release: str | None
    until: str
    alternative: Label | None
    never: tuple[str, ...] = ()


class _Wish(msgspec.Struct, frozen=True):
    """A release as somebody wants it, before it is decided."""

    row: AgreementRow
    running: Running
    terms: Terms
    asked: RequestRow
    wanted: FeedWantedRow


async def preview_feed(house: House, request: ReleaseFeed) -> FeedAsked:
    """May it cross, under which articles, and what is missing? Records the decision and changes nothing else."""
    wish = await _wish(house, request)
    return await house.sequencer.submit(lambda work: _decide(house, work, wish))


async def release_feed(house: House, request: ReleaseFeed) -> FeedAsked:
    """Ask for a standing release; it is made at once where nothing is missing. What is refused is recorded as refused.

    Raises:
        Misuse: an unknown person was named, the actor is no officer, or a text is too long.
        Rejected: a text breaks a rule of steps 1 or 3.
        Refused: no agreement runs in that relationship.
    """
    wish = await _wish(house, request)
    first = await house.sequencer.submit(lambda work: _decide(house, work, wish))
    if first.outcome not in POSSIBLE:
        return first
    body = FeedRequested(
        request=wish.asked.request,
        relationship=wish.row.relationship,
        recipients=wish.asked.recipients,
        purpose=wish.asked.purpose,
        by=wish.asked.by,
        signature=unsigned(),
        **{name: getattr(wish.wanted, name) for name in FeedWantedRow.__struct_fields__},
    )
    signed = await house.sign(body, DOMESTIC, request.actor)

    async def ask(work: Work) -> FeedAsked:
        await work.say(Draft(DOMESTIC, signed))
        for text in (request.schema, request.terms):
            work.put_side(FEED_TEXT, sha256(text.encode()).hexdigest(), text.encode())
        if _needs_assurance(first.decision):
            asking = bodies.AssuranceAsked(
                request=wish.asked.request,
                item=wish.wanted.feed,
                label=wish.wanted.label,
                form=FEED_FORM,
                topic=wish.wanted.topic,
                purpose=wish.asked.purpose,
                recipients=wish.asked.recipients,
                act="feed",
            )
            person = await house.person(request.actor.handle)
            await work.say(Draft(wish.row.relationship, asking, person.function))
        return await advance_feed(house, work, wish.asked.request) or first

    return await house.sequencer.submit(ask)


async def advance_feed(house: House, work: Work, request: str) -> FeedAsked | None:
    """Carry a request out if nothing is missing any more; None while something is, and when it was carried out before.

    The decision is made again on what is recorded at that instant, and recorded with the release it allows.

    Raises:
        Misuse: it would end before it began.
    """
    asked = await work.need(RequestRow, request, "request")
    if asked.consignment is not None or asked.act != "feed":
        return None
    wanted = await work.need(FeedWantedRow, request, "terms of a release")
    row = await work.need(AgreementRow, asked.relationship, "agreement")
    running = await house.library.load(row)
    terms = await kept_terms(work, wanted.schema, wanted.terms, running.agreement)
    case = await feed_case(house, work, row, running, asked, wanted)
    outcome = answer(running, case)
    if outcome_word(outcome) == "needs-consent":
        return None
    wish = _Wish(row, running, terms, asked, wanted)
    decided = await record_decision(work, row, case, outcome)
    if outcome_word(outcome) != "permit":
        return _told(wish, outcome, decided.id)
    body = FeedReleased(
        release=request,
        feed=wanted.feed,
        label=wanted.label,
        alternative=alternative_label(running.agreement, wanted.label, row.peer),
        topic=wanted.topic,
        subject=wanted.subject,
        purpose=asked.purpose,
        until=wanted.until,
        host=wanted.host,
        recipients=asked.recipients,
        agreement=row.digest,
        types=told_types(terms),
        postures=told_postures(terms),
        basis=basis(house, decided.id),
    )
    feed = await work.row(FeedRow, feed_key(row.relationship, house.party, wanted.feed)[1])
    released = await work.say(Draft(row.relationship, body, (await house.person(asked.by)).function))
    made = await work.need(FeedReleaseRow, feed_release_key(row.relationship, request)[1], "release")
    await tell_originator(house, work, row, made, outcome)
    if feed is not None:
        before = await work.need(FeedReleaseRow, feed_release_key(row.relationship, feed.release)[1], "release")
        await tell_over(house, work, row, before, f"followed by {request}")
    return _told(wish, outcome, decided.id, released.id)


async def _wish(house: House, request: ReleaseFeed) -> _Wish:
    officer = await house.person(request.actor.handle)
    if OFFICER not in officer.roles:
        raise Misuse(f"{request.actor.handle!r} does not have the role {OFFICER!r}", code="no-role")
    row = await house.agreement_row(request.relationship)
    running = await house.library.load(row)
    for text, name in zip((request.schema, request.terms), request.names, strict=True):
        if len(text.encode()) > TEXT_BYTES_MAX:
            raise Misuse(f"{name!r} is longer than {TEXT_BYTES_MAX} bytes", code="too-long")
    schema_file, release_file = (PurePath(each).name for each in request.names)
    terms = read_terms(request.schema, schema_file, request.terms, release_file, running.agreement, house.party)
    release = terms.release
    if not told_types(terms):
        raise Rejected("this release lets nothing cross", code="nothing-crosses", place=release_file)
    if FRESH_NAME.fullmatch(release.feed[2:]):
        raise Rejected(
            f"{release.feed!r} is written like an item's name; call the feed otherwise",
            code="reserved-name",
            place=release_file,
        )
    if len(encode((told_types(terms), told_postures(terms)))) > TERMS_BYTES_MAX:
        raise Rejected(
            f"what crosses takes more than {TERMS_BYTES_MAX} bytes to tell; release it as several feeds",
            code="too-many-fields",
            place=release_file,
        )
    await directory_entries(house.sequencer.rows.get, row, request.recipients)
    label = Label(policy=house.party, mark=release.mark, originator=release.originator or house.party)
    await _check_mark(house, row, running, label, release.feed, release_file)
    name = house.name("r", request.request)
    wanted = FeedWantedRow(
        feed=release.feed,
        label=label,
        topic=release.topic,
        subject=release.subject,
        until=release.until,
        host=release.host or house.party,
        schema=sha256(request.schema.encode()).digest(),
        terms=sha256(request.terms.encode()).digest(),
    )
    asked = RequestRow(
        request=name,
        record=bytes(32),
        item=release.feed,
        relationship=row.relationship,
        recipients=tuple(sorted(set(request.recipients))),
        purpose=release.purpose,
        by=officer.person,
        at=house.now(),
        act="feed",
    )
    return _Wish(row, running, terms, asked, wanted)


async def _check_mark(house: House, row: AgreementRow, running: Running, label: Label, feed: str, file: str) -> None:
    """See that its originator does not mark it otherwise."""
    said = await marked_otherwise(house, house.sequencer.look(), row, running.agreement, feed, label)
    if said is not None:
        raise Rejected(
            f"{label.originator!r}, whose it is, marks {feed!r} {said.mark!r} since {said.at:%Y-%m-%d}; {label.mark!r} "
            "does not correspond to that",
            code="other-mark",
            place=file,
        )


async def _decide(house: House, work: Work, wish: _Wish) -> FeedAsked:
    case = await feed_case(house, work, wish.row, wish.running, wish.asked, wish.wanted)
    outcome = answer(wish.running, case)
    record = await record_decision(work, wish.row, case, outcome)
    return _told(wish, outcome, record.id)


def _needs_assurance(outcome: decision.Outcome) -> bool:
    """Whether the agreement asks that the other party attest something of each recipient before."""
    return any(each.code == "condition-missing" and each.effect == "needs" and each.about for each in outcome.reasons)


def _told(wish: _Wish, outcome: decision.Outcome, decided: bytes, released: bytes | None = None) -> FeedAsked:
    kinds = wish.terms.schema.types
    crosses = {each.type: {field.name for field in each.fields} for each in told_types(wish.terms)}
    possible = outcome_word(outcome) in POSSIBLE
    return FeedAsked(
        request=wish.asked.request,
        feed=wish.wanted.feed,
        relationship=wish.row.relationship,
        outcome=outcome_word(outcome),
        decision=outcome,
        decision_record=decided.hex(),
        release=None if released is None else released.hex(),
        until=f"{wish.wanted.until:%Y-%m-%dT%H:%M:%SZ}",
        alternative=(alternative_label(wish.running.agreement, wish.wanted.label, wish.row.peer) if possible else None),
        never=tuple(
            f"{name}.{field}"
            for name, kind in kinds.items()
            for field in kind.fields
            if field not in crosses.get(name, ())
        ),
    )
