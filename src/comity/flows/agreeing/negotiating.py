"""Negotiating: from a channel with a house that one has no agreement with to a text that both have signed.

What a delegate says is recorded on both sides, and there for delegates only (``spec/lifecycle.md``). What counts is
done with pen and ink, and by notes through the diplomatic channel: these records say that it was.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from comity.agreement.model import Agreement
from comity.errors import Misuse, Rejected
from comity.flows.actors import Actor
from comity.flows.agreeing.drafts import applies, check_text, open_draft, seal_draft
from comity.flows.agreeing.negotiations import NegotiationShown, Taken, draft_named, running_row, shown, taking_part
from comity.flows.deciding.basis import basis
from comity.flows.deciding.visibility import check_role, viewer
from comity.flows.house import House
from comity.flows.keeping.work import Draft, Work
from comity.flows.people.directory import list_in_directory
from comity.flows.speaking import speaker
from comity.record.bodies import Body
from comity.record.bodies.negotiation import (
    About,
    AgreementSigned,
    ApprovalTold,
    ApprovedAtHome,
    ChannelOpened,
    DelegationNamed,
    DraftProposed,
    EntryTold,
    Initialled,
    NegotiationOpened,
    NegotiationWithdrawn,
    SignaturePostponed,
    SignaturesExchanged,
)
from comity.record.person_act import unsigned
from comity.record.statement import DOMESTIC, Record
from comity.register.roles import AGREEMENT_AUTHORITY
from comity.register.rows import DirectoryRow, PersonRow
from comity.register.rows.negotiation import (
    ChannelRow,
    DomesticApprovalRow,
    DraftKept,
    NegotiationRow,
    negotiation_key,
    talks_of,
)
from comity.seal.manifest import Binding

B = TypeVar("B", bound=Body)


class OpenChannel(msgspec.Struct, frozen=True):
    """Talk with another house whose card was taken up."""

    peer: str


class ChannelShown(msgspec.Struct, frozen=True, kw_only=True):
    """A channel."""

    relationship: str
    peer: str


class OpenNegotiation(msgspec.Struct, frozen=True, kw_only=True):
    """Open a negotiation.

    Attributes:
        peer: with whom; the channel is opened where there is none.
        about: what is negotiated.
        title: what it is called.
        delegates: handles of those who take part besides the actor.
        actor: an agreement authority.
        on: the running agreement that it is about; none for a new agreement.
        negotiation: identifier for it, for a person who signs elsewhere.
    """

    peer: str
    about: About
    title: str
    actor: Actor
    delegates: tuple[str, ...] = ()
    on: str | None = None
    negotiation: str | None = None


class NameDelegates(msgspec.Struct, frozen=True, kw_only=True):
    """Say who takes part for this side besides the actor, instead of those named before."""

    negotiation: str
    actor: Actor
    delegates: tuple[str, ...] = ()


class ProposeDraft(msgspec.Struct, frozen=True, kw_only=True):
    """Propose a draft: ``text`` of the file ``name``, to apply from ``since`` on (a day; once signed, unless given)."""

    negotiation: str
    text: str
    name: str
    actor: Actor
    since: str | None = None
    note: str = ""


class InitialDraft(msgspec.Struct, frozen=True, kw_only=True):
    """Put this side's initials under a draft."""

    negotiation: str
    draft: str
    actor: Actor


class ApproveDraft(msgspec.Struct, frozen=True, kw_only=True):
    """Record that ``body`` approved the text at home on ``day`` by ``act``; the other side is told the day."""

    negotiation: str
    body: str
    act: str
    day: str
    actor: Actor


class SignDraft(msgspec.Struct, frozen=True, kw_only=True):
    """Record that this side has signed the text that both have initialled and approved."""

    negotiation: str
    actor: Actor


class PostponeSignature(msgspec.Struct, frozen=True, kw_only=True):
    """Put the signature off, until a day or until further notice."""

    negotiation: str
    reason: str
    actor: Actor
    until: str | None = None


class WithdrawNegotiation(msgspec.Struct, frozen=True, kw_only=True):
    """Withdraw from a negotiation."""

    negotiation: str
    reason: str
    actor: Actor


class TellEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Record that this side has given its note for entry into force.

    Attributes:
        negotiation: in which both have signed.
        channel: through which channel.
        note: the note's reference.
        day: the day on which it was given.
        actor: an agreement authority.
        document: SHA-256 of the note itself, where it is at hand.
    """

    negotiation: str
    channel: str
    note: str
    day: str
    actor: Actor
    document: bytes | None = None


async def open_channel(house: House, request: OpenChannel) -> ChannelShown:
    """Open the channel with a peer; it is the same one whichever side opens it first (6).

    Raises:
        Misuse: it is open, or that party is no peer.
    """
    relationship = talks_of(house.party, request.peer)
    body = ChannelOpened(relationship=relationship, peer=request.peer)

    async def opened(work: Work) -> None:
        await work.say(Draft(DOMESTIC, body))

    await house.sequencer.submit(opened)
    return ChannelShown(relationship=relationship, peer=request.peer)


async def open_negotiation(house: House, request: OpenNegotiation) -> NegotiationShown:
    """Open a negotiation in the channel with a peer.

    Raises:
        Misuse: the actor may not, nobody has such a handle, or no agreement runs as ``on``.
    """
    await _check_authority(house, request.actor)
    relationship = talks_of(house.party, request.peer)
    if await house.row(ChannelRow, relationship) is None:
        await open_channel(house, OpenChannel(request.peer))
    people = await _people(house, request.actor, request.delegates)
    negotiation = house.name("g", request.negotiation)
    body = NegotiationOpened(
        negotiation=negotiation,
        about=request.about,
        title=request.title,
        delegates=_names(house, relationship, people),
        by=house.pseudonym(relationship, people[0].person),
        signature=unsigned(),
        on=request.on,
    )
    await _say(house, relationship, body, request.actor, people)
    return await _told(house, negotiation, request.actor)


async def name_delegates(house: House, request: NameDelegates) -> NegotiationShown:
    """Say who takes part for this side.

    Raises:
        Misuse: there is no such negotiation for the actor, or nobody has such a handle.
    """
    await _check_authority(house, request.actor)
    taken = await taking_part(house, request.negotiation, request.actor)
    people = await _people(house, request.actor, request.delegates)
    body = DelegationNamed(delegates=_names(house, taken.relationship, people), **_frame(house, taken))
    await _say(house, taken.relationship, body, request.actor, people)
    return await _told(house, request.negotiation, request.actor)


async def propose_draft(house: House, request: ProposeDraft) -> NegotiationShown:
    """Propose a draft to the delegates of both sides.

    Raises:
        Rejected: the text has a mistake, or is not what is negotiated.
        Misuse: there is no such negotiation for the actor, or the day is none.
    """
    taken = await taking_part(house, request.negotiation, request.actor)
    row = taken.row
    base, running = await _base(house, row)
    text = check_text(house, row.about, request.text, request.name, peer=taken.peer, base=base, running=running)
    since = applies(house, text, request.since)
    number = sum(each.party == house.party for each in row.drafts) + 1
    draft = f"{house.party}-{number}"
    readers = [entry for party in (house.party, taken.peer) for entry in await _entries(house, taken, party)]
    place = Binding(
        author=house.party,
        relationship=taken.relationship,
        item=f"{row.negotiation}/{draft}",
        label=text.digest,
        agreement=text.digest,
        content=bytes(32),
    )
    sealed = await seal_draft(house, place, request.text, readers)
    body = DraftProposed(
        draft=draft,
        agreement=text.agreement,
        version=text.version,
        digest=text.digest,
        content=sealed.content,
        payload=sealed.payload,
        size=sealed.size,
        readers=tuple(sorted(each.pseudonym for each in readers)),
        note=request.note,
        since=since,
        **_frame(house, taken),
    )
    try:
        await _say(house, taken.relationship, body, request.actor)
    finally:
        house.payloads.under_way.discard(sealed.payload)
    return await _told(house, request.negotiation, request.actor)


async def initial_draft(house: House, request: InitialDraft) -> NegotiationShown:
    """Put initials under a draft, whose text is read and checked first.

    Raises:
        Rejected: its text has a mistake, or is not the one whose digest was proposed.
        Misuse: there is no such negotiation or draft for the actor, or it is not the time for it.
    """
    taken = await taking_part(house, request.negotiation, request.actor)
    draft = draft_named(taken, request.draft)
    if taken.person.custody == "served":  # in strict custody, whoever has the key has read it
        await _check_read(house, taken, draft)
    body = Initialled(draft=draft.draft, digest=draft.digest, **_frame(house, taken))
    await _say(house, taken.relationship, body, request.actor)
    return await _told(house, request.negotiation, request.actor)


async def approve_draft(house: House, request: ApproveDraft) -> NegotiationShown:
    """Record the approval at home, and tell the other side that there is one (13).

    Raises:
        Misuse: there is no such negotiation for the actor, or no text that both have initialled.
    """
    await _check_authority(house, request.actor)
    taken = await taking_part(house, request.negotiation, request.actor)
    draft = _text_of(taken)
    at_home = ApprovedAtHome(
        relationship=taken.relationship,
        negotiation=request.negotiation,
        draft=draft.draft,
        body=request.body,
        act=request.act,
        day=request.day,
        by=taken.person.person,
        signature=unsigned(),
    )
    key = f"{taken.relationship}/{request.negotiation}/{draft.draft}"
    row = await house.row(DomesticApprovalRow, key)
    if row is None or (row.body, row.act, row.day) != (request.body, request.act, request.day):
        signed = await house.sign(at_home, DOMESTIC, request.actor)

        async def record(work: Work) -> None:
            await work.say(Draft(DOMESTIC, signed))

        await house.sequencer.submit(record)
        row = await house.need(DomesticApprovalRow, key, "approval")
    body = ApprovalTold(
        draft=draft.draft,
        digest=draft.digest,
        day=request.day,
        basis=basis(house, row.record),
        **_frame(house, taken),
    )
    await _say(house, taken.relationship, body, request.actor)
    return await _told(house, request.negotiation, request.actor)


async def sign_draft(house: House, request: SignDraft) -> NegotiationShown:
    """Record this side's signature; both are bound once each knows of the other's (3).

    Raises:
        Misuse: there is no such negotiation for the actor, or it is not the time for it.
    """
    await _check_authority(house, request.actor)
    taken = await taking_part(house, request.negotiation, request.actor)
    draft = _text_of(taken)
    theirs = taken.row.standing.theirs(house.party)
    body = AgreementSigned(draft=draft.draft, digest=draft.digest, theirs=theirs, **_frame(house, taken))
    await _say(house, taken.relationship, body, request.actor)
    return await _told(house, request.negotiation, request.actor)


async def postpone_signature(house: House, request: PostponeSignature) -> NegotiationShown:
    """Put the signature off; no signature counts any longer.

    Raises:
        Misuse: there is no such negotiation for the actor, or it is not the time for it.
    """
    await _check_authority(house, request.actor)
    taken = await taking_part(house, request.negotiation, request.actor)
    body = SignaturePostponed(reason=request.reason, until=request.until, **_frame(house, taken))
    await _say(house, taken.relationship, body, request.actor)
    return await _told(house, request.negotiation, request.actor)


async def withdraw_negotiation(house: House, request: WithdrawNegotiation) -> NegotiationShown:
    """Withdraw; nothing that was initialled, approved or signed counts.

    Raises:
        Misuse: there is no such negotiation for the actor, or both sides have signed.
    """
    await _check_authority(house, request.actor)
    taken = await taking_part(house, request.negotiation, request.actor)
    body = NegotiationWithdrawn(reason=request.reason, **_frame(house, taken))
    await _say(house, taken.relationship, body, request.actor)
    return await _told(house, request.negotiation, request.actor)


async def tell_entry(house: House, request: TellEntry) -> NegotiationShown:
    """Record that this side's note for entry into force was given.

    Raises:
        Misuse: there is no such negotiation for the actor, both have not signed, or the day is none.
    """
    await _check_authority(house, request.actor)
    taken = await taking_part(house, request.negotiation, request.actor)
    body = EntryTold(
        channel=request.channel,
        note=request.note,
        day=request.day,
        document=request.document,
        **_frame(house, taken),
    )
    await _say(house, taken.relationship, body, request.actor)
    return await _told(house, request.negotiation, request.actor)


async def meet(house: House, work: Work, record: Record) -> None:
    """The other side has signed: where this side has too, its node says that it knows (3)."""
    assert isinstance(record.body, AgreementSigned)  # the table of what follows says so
    await _meet(house, work, record.statement.relationship, record.body.negotiation)


async def _meet(house: House, work: Work, relationship: str, negotiation: str) -> None:
    row = await work.need(NegotiationRow, negotiation_key(relationship, negotiation)[1], "negotiation")
    now = row.standing
    theirs = now.theirs(house.party)
    if theirs is None or house.party not in now.signatures or house.party in now.met:
        return
    body = SignaturesExchanged(negotiation=negotiation, theirs=theirs, after=row.last(house.party))
    await work.say(Draft(relationship, body))


async def _check_authority(house: House, actor: Actor) -> None:
    """Who may not speak for this side is told so before what he names is looked for (``spec/visibility.md`` step 7)."""
    person = await viewer(house, actor)
    if person is not None:
        check_role(person, actor, AGREEMENT_AUTHORITY)


async def _people(house: House, actor: Actor, delegates: tuple[str, ...]) -> list[PersonRow]:
    """The actor and those he names, each once."""
    people = [await house.person(handle) for handle in (actor.handle, *delegates)]
    return list({each.person: each for each in people}.values())


def _names(house: House, relationship: str, people: list[PersonRow]) -> tuple[str, ...]:
    return tuple(sorted(house.pseudonym(relationship, each.person) for each in people))


def _frame(house: House, taken: Taken) -> dict[str, Any]:
    """What every act about a negotiation says beside its own."""
    row = taken.row
    return {
        "negotiation": row.negotiation,
        "by": taken.pseudonym,
        "after": row.last(house.party),
        "signature": unsigned(),
    }


async def _say(house: House, relationship: str, body: B, actor: Actor, people: list[PersonRow] | None = None) -> None:
    """Sign and record an act; who is named in it is in the channel's directory first, with a signature met at once."""
    person = await house.person(actor.handle)
    signed = await house.sign(body, relationship, actor, await speaker(house, relationship, actor))

    async def say(work: Work) -> None:
        for each in people or ():
            await list_in_directory(house, work, relationship, each)
        await work.say(Draft(relationship, signed, person.function))
        if isinstance(signed, AgreementSigned):  # theirs may have come while this one was being made
            await _meet(house, work, relationship, signed.negotiation)

    await house.sequencer.submit(say)


async def _told(house: House, negotiation: str, actor: Actor) -> NegotiationShown:
    return await shown(house, await taking_part(house, negotiation, actor))


async def _base(house: House, row: NegotiationRow) -> tuple[Agreement | None, str]:
    """The running agreement that a negotiation is about, and its version."""
    running = await running_row(house, row.on)
    if running is None:
        return None, ""
    agreement = (await house.library.load(running)).agreement
    return agreement, agreement.header.version


async def _entries(house: House, taken: Taken, party: str) -> list[DirectoryRow]:
    """The delegates of one side who can receive."""
    found = [
        await house.row(DirectoryRow, f"{taken.relationship}/{party}/{each}") for each in taken.row.delegates(party)
    ]
    return [each for each in found if each is not None and each.reachable]


def _text_of(taken: Taken) -> DraftKept:
    """The text that both sides have initialled.

    Raises:
        Misuse: there is none.
    """
    draft = taken.row.draft(taken.row.standing.draft)
    if draft is None:
        raise Misuse("there is no text that both sides have initialled", code="no-such-step")
    return draft


async def _check_read(house: House, taken: Taken, draft: DraftKept) -> None:
    base, running = await _base(house, taken.row)
    text = await open_draft(house, taken.relationship, taken.row, draft)
    name = f"{draft.draft}.toml"
    read = check_text(house, taken.row.about, text, name, peer=taken.peer, base=base, running=running)
    if read.digest != draft.digest:
        raise Rejected("the text is not the one whose digest was proposed", code="other-digest", place=name)
