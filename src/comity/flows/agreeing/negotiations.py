"""Negotiations as their delegates see them; for everybody else there is none (``spec/lifecycle.md`` step 9)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Literal, NamedTuple

import msgspec

from comity.agreement.negotiation import Move, State
from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.agreeing.drafts import binding_of, open_draft, sealed_draft
from comity.flows.deciding.visibility import viewer
from comity.flows.house import PSEUDONYM_OF, House
from comity.record.bodies.negotiation import About
from comity.register.roles import AGREEMENT_AUTHORITY
from comity.register.rows import AgreementRow, DirectoryRow, PersonRow
from comity.register.rows.negotiation import ChannelRow, DraftKept, NegotiationRow, applies_from
from comity.seal.manifest import Binding


class ListNegotiations(msgspec.Struct, frozen=True):
    """The negotiations in which ``actor`` takes part; the house itself takes part in none."""

    actor: Actor | None = None


class ShowNegotiation(msgspec.Struct, frozen=True):
    """One negotiation in which ``actor`` takes part."""

    negotiation: str
    actor: Actor | None = None


class ReadDraft(msgspec.Struct, frozen=True, kw_only=True):
    """Read a draft; the newest unless one is named."""

    negotiation: str
    actor: Actor | None = None
    draft: str | None = None


class DraftShown(msgspec.Struct, frozen=True, kw_only=True):
    """A draft; ``initialled`` by which sides, ``readable`` whether it was sealed to whoever looks."""

    draft: str
    party: str
    at: datetime
    agreement: str
    version: str
    digest: str
    note: str
    applies: datetime | None
    initialled: tuple[str, ...]
    readable: bool


class HappenedShown(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a side did."""

    party: str
    did: Move
    at: datetime
    draft: str
    day: str
    says: str
    record: str


class DelegateShown(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who takes part: by handle where he is of this house, else by function."""

    party: str
    name: str


class NegotiationShown(msgspec.Struct, frozen=True, kw_only=True):
    """A negotiation.

    Attributes:
        about: what is negotiated; ``on`` the running agreement that it is about.
        state: what has become of the text; ``postponed`` whether the signature was put off.
        draft: the text that both have initialled; empty while there is none.
        approved: sides that have said that it is approved at home.
        signed: sides whose signature counts.
        applies: from when a text that both have signed applies.
        entered: day of each side's note for entry into force.
        waits: whether this side was asked and has named nobody yet.
    """

    negotiation: str
    relationship: str
    peer: str
    about: About
    title: str
    on: str
    opened: datetime
    state: State
    postponed: bool
    draft: str
    drafts: tuple[DraftShown, ...]
    approved: tuple[str, ...]
    signed: tuple[str, ...]
    applies: datetime | None
    entered: dict[str, str]
    delegates: tuple[DelegateShown, ...]
    happened: tuple[HappenedShown, ...]
    waits: bool


class DraftRead(msgspec.Struct, frozen=True, kw_only=True):
    """A draft with its text.

    Attributes:
        draft: which.
        about: whether it is an agreement file or a layer.
        digest: what its text must have.
        text: None for somebody in strict custody, who opens ``sealed`` with his own key.
        sealed: an age file; its manifest must say ``binding``.
        base: the text of the running agreement that it amends or stands on.
    """

    draft: str
    about: About
    digest: str
    binding: Binding
    text: str | None = None
    sealed: bytes = b""
    base: str = ""


class Taken(NamedTuple):
    """A negotiation, where it stands, and who of this house looks at it."""

    relationship: str
    peer: str
    row: NegotiationRow
    person: PersonRow
    pseudonym: str


async def taking_part(house: House, negotiation: str, actor: Actor | None) -> Taken:
    """The negotiation, for somebody who takes part in it (9).

    Raises:
        Misuse: there is none of that name, or he does not take part; nobody can tell which.
    """
    async for taken in all_of(house, actor):
        if taken.row.negotiation == negotiation:
            return taken
    raise Misuse(f"there is no negotiation {negotiation!r}", code="unknown-negotiation")


async def all_of(house: House, actor: Actor | None) -> AsyncIterator[Taken]:
    """Every negotiation in which somebody takes part; what waits for an answer, for agreement authorities."""
    person = await viewer(house, actor)
    if person is None or person.removed:
        return
    async for relationship, channel in house.rows(ChannelRow):
        pseudonym = house.pseudonym(relationship, person.person)
        async for _, row in house.rows(NegotiationRow, f"{relationship}/"):
            delegates = row.delegates(house.party)
            if pseudonym in delegates or (not delegates and AGREEMENT_AUTHORITY in person.roles):
                yield Taken(relationship, channel.peer, row, person, pseudonym)


async def list_negotiations(house: House, request: ListNegotiations) -> list[NegotiationShown]:
    """Every negotiation in which somebody takes part, oldest first."""
    found = [await shown(house, taken) async for taken in all_of(house, request.actor)]
    return sorted(found, key=lambda each: (each.opened, each.negotiation))


async def show_negotiation(house: House, request: ShowNegotiation) -> NegotiationShown:
    """One negotiation.

    Raises:
        Misuse: there is none, or he does not take part.
    """
    return await shown(house, await taking_part(house, request.negotiation, request.actor))


async def read_draft(house: House, request: ReadDraft) -> DraftRead:
    """A draft with its text, for a delegate to whom it was sealed.

    Raises:
        Misuse: there is no such negotiation or draft, or it was proposed before he took part.
    """
    taken = await taking_part(house, request.negotiation, request.actor)
    draft = draft_named(taken, request.draft)
    about = taken.row.about
    base = ""
    if taken.row.on is not None:
        base = await house.library.text((await house.agreement_row(taken.row.on)).text)
    read = DraftRead(
        draft=draft.draft,
        about=about,
        digest=draft.digest.hex(),
        binding=binding_of(taken.relationship, taken.row, draft),
        base=base,
    )
    if taken.person.custody == "strict":
        return msgspec.structs.replace(read, sealed=await sealed_draft(house, draft))
    return msgspec.structs.replace(read, text=await open_draft(house, taken.relationship, taken.row, draft))


def draft_named(taken: Taken, name: str | None) -> DraftKept:
    """A draft that somebody may read; the newest where none is named.

    Raises:
        Misuse: there is none, or it was not sealed to him.
    """
    if name is None and not taken.row.drafts:
        raise Misuse("no draft was proposed yet", code="unknown-draft")
    draft = taken.row.drafts[-1] if name is None else taken.row.draft(name)
    if draft is None:
        known = ", ".join(each.draft for each in taken.row.drafts) or "none"
        raise Misuse(f"there is no draft {name!r}; proposed: {known}", code="unknown-draft")
    if taken.pseudonym not in draft.readers:
        raise Misuse(
            f"{draft.draft} was proposed before you took part, and is not sealed to you; have it proposed again",
            code="not-sealed-to-you",
        )
    return draft


async def shown(house: House, taken: Taken) -> NegotiationShown:
    """A negotiation as a delegate sees it."""
    row, now = taken.row, taken.row.standing
    return NegotiationShown(
        negotiation=row.negotiation,
        relationship=taken.relationship,
        peer=taken.peer,
        about=row.about,
        title=row.title,
        on=row.on or "",
        opened=row.at,
        state=now.state,
        postponed=now.postponed,
        draft=now.draft,
        drafts=tuple(
            DraftShown(
                draft=each.draft,
                party=each.party,
                at=each.at,
                agreement=each.agreement,
                version=each.version,
                digest=each.digest.hex(),
                note=each.note,
                applies=each.since,
                initialled=tuple(sorted(party for party, draft in now.initials.items() if draft == each.draft)),
                readable=taken.pseudonym in each.readers,
            )
            for each in row.drafts
        ),
        approved=tuple(sorted(now.approved)),
        signed=tuple(sorted(now.signatures)),
        applies=applies_from(row) if now.state == "signed" else None,
        entered=dict(now.entered),
        delegates=tuple(await _delegates(house, taken)),
        happened=tuple(
            HappenedShown(
                party=each.party,
                did=each.move,
                at=datetime.fromisoformat(each.at),
                draft=each.draft,
                day=each.day,
                says=each.says,
                record=each.record.hex(),
            )
            for each in row.done
        ),
        waits=not row.delegates(house.party),
    )


async def _delegates(house: House, taken: Taken) -> list[DelegateShown]:
    found = []
    for party in (house.party, taken.peer):
        for pseudonym in taken.row.delegates(party):
            entry = await house.row(DirectoryRow, f"{taken.relationship}/{party}/{pseudonym}")
            person = await house.side(PSEUDONYM_OF, f"{taken.relationship}/{pseudonym}")
            function = entry.function if entry is not None else pseudonym
            named = await house.handle(person.decode()) if party == house.party and person else function
            found.append(DelegateShown(party=party, name=named))
    return sorted(found, key=lambda each: (each.party != house.party, each.name))


async def running_row(house: House, on: str | None) -> AgreementRow | None:
    """The running agreement that a negotiation is about; None where it is about none."""
    return None if on is None else await house.agreement_row(on)


Asked = Literal["take-part", "answer-draft", "approve", "sign"]
"""What a negotiation waits for from one side."""


def asked_of(shown: NegotiationShown, party: str) -> tuple[Asked, str] | None:
    """What a negotiation waits for from ``party``, and the draft it is about; None where it waits for nothing of it."""
    theirs = [each for each in shown.drafts if each.party != party]
    if shown.waits:
        return "take-part", ""
    if shown.state == "negotiated" and theirs and theirs[-1] == shown.drafts[-1] and party not in theirs[-1].initialled:
        return "answer-draft", theirs[-1].draft
    if shown.state == "initialled" and party not in shown.approved:
        return "approve", shown.draft
    if shown.state == "approved" and shown.signed and party not in shown.signed:
        return "sign", shown.draft
    return None


def waits_for(shown: NegotiationShown, party: str) -> str | None:
    """What a negotiation waits for from ``party``, in words; None where it waits for nothing, or for the other side."""
    match asked_of(shown, party):
        case "take-part", _:
            return f"{shown.peer} asks to negotiate; say who takes part here"
        case "answer-draft", draft:
            return f"{draft} is proposed"
        case "approve", draft:
            return f"{draft} is to be approved at home"
        case "sign", draft:
            return f"{shown.peer} has signed {draft}"
    return None
