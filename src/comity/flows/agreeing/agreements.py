"""Adopting an agreement, acknowledging its digest, and asking how it stands (Articles 5 and 21; design 4)."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import msgspec

from comity.agreement.load import check_time_zones, parse_agreement, parse_layer
from comity.agreement.load_history import parse_history
from comity.agreement.model import Clause
from comity.agreement.term import Status
from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.house import ROOT, House, file_digest
from comity.flows.keeping.library import TEXT, known_relationship
from comity.flows.keeping.work import Draft, Work
from comity.flows.people.directory import list_everybody
from comity.record import bodies
from comity.record.person_act import unsigned
from comity.record.statement import DOMESTIC
from comity.register.rows import AgreementRow
from comity.register.rows.negotiation import NegotiationRow, VersionRow, talks_of


class AdoptAgreement(msgspec.Struct, frozen=True, kw_only=True):
    """Run an agreement with a peer.

    Attributes:
        peer: party id of the other party.
        text: the agreement file.
        history: its history file, as this house reads it.
        layers: implementing arrangement, domestic layer and house rules; they only refuse or ask more.
        names: file names of text, history and layers, in that order, for errors.
    """

    peer: str
    text: str
    history: str
    layers: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


class AcknowledgeAgreement(msgspec.Struct, frozen=True, kw_only=True):
    """Accept the digest of a running agreement as this party's working model."""

    relationship: str
    actor: Actor


class ListAgreements(msgspec.Struct, frozen=True):
    """List the agreements this house runs."""


class AgreementShown(msgspec.Struct, frozen=True, kw_only=True):
    """A running agreement; from ``superseded`` on an amendment that both have signed applies instead of its text."""

    relationship: str
    agreement: str
    title: str
    peer: str
    digest: str
    layers: tuple[str, ...]
    acknowledged: tuple[str, ...]
    hypothetical: str | None
    version: str = ""
    superseded: datetime | None = None


class ListVersions(msgspec.Struct, frozen=True):
    """The texts that were adopted in a relationship."""

    relationship: str


class VersionShown(msgspec.Struct, frozen=True, kw_only=True):
    """A text by which this house has decided ``since`` an instant; ``signed`` where both sides signed it here."""

    version: str
    digest: str
    history: str
    layers: tuple[str, ...]
    since: datetime
    record: str
    signed: bool


class ReadAgreement(msgspec.Struct, frozen=True, kw_only=True):
    """Read the text of a running agreement."""

    relationship: str


class AgreementRead(msgspec.Struct, frozen=True, kw_only=True):
    """What a running agreement says, clause by clause."""

    agreement: str
    digest: str
    clauses: tuple[Clause, ...]


class AskStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Ask how a running agreement stands at an instant (now, when none is given)."""

    relationship: str
    at: datetime | None = None


async def adopt_agreement(house: House, request: AdoptAgreement) -> AgreementShown:
    """Check the texts and run the agreement; nothing crosses before both parties acknowledged its digest.

    Raises:
        Rejected: a file has a mistake; file, line and key are named.
        Misuse: a party is no party to the agreement, or the peer is unknown.
    """
    names = [*request.names, "agreement", "history", *[f"layer {n}" for n in range(len(request.layers))]]
    agreement = parse_agreement(request.text, names[0])
    check_time_zones(agreement, request.text, names[0], house.zones.zones)
    zones = house.zones
    parse_history(request.history, names[1], agreement, zones)
    layers = [parse_layer(layer, name, agreement) for layer, name in zip(request.layers, names[2:], strict=False)]
    relationship = known_relationship(agreement, house.party, request.peer)
    texts = [text.encode() for text in (request.text, request.history, *request.layers)]
    digests = [file_digest(text) for text in texts]
    digest = bytes.fromhex(agreement.digest)
    text = await negotiated(house, request.peer, digest)
    for layer in layers:
        arranged = await negotiated(house, request.peer, bytes.fromhex(layer.digest))
        if arranged is not None and not arranged.signed:
            raise Misuse(f"both parties have not signed this text of {layer.id!r}", code="not-signed")
    body = bodies.AgreementAdopted(
        agreement=agreement.id,
        relationship=relationship,
        peer=request.peer,
        digest=digest,
        text=digests[0],
        history=digests[1],
        layers=tuple(digests[2:]),
        version=agreement.header.version,
        negotiation=text.negotiation if text is not None else None,
    )

    async def adopt(work: Work) -> None:
        for digest, text in zip(digests, texts, strict=True):
            work.put_side(TEXT, digest.hex(), text)
        await work.say(Draft(DOMESTIC, body))
        await list_everybody(house, work, relationship)

    await house.sequencer.submit(adopt)
    return await _shown(house, await house.agreement_row(relationship))


class Negotiated(NamedTuple):
    """A negotiation in which a text was proposed, and whether both have signed that text there."""

    negotiation: str
    signed: bool


async def negotiated(house: House, peer: str, digest: bytes) -> Negotiated | None:
    """Where a text was proposed: the negotiation in which both signed it before any other; None for none."""
    found: Negotiated | None = None
    async for _, row in house.rows(NegotiationRow, f"{talks_of(house.party, peer)}/"):
        if any(draft.digest == digest for draft in row.drafts) and not (found is not None and found.signed):
            now = row.standing
            draft = row.draft(now.draft)
            signed = now.state == "signed" and draft is not None and draft.digest == digest
            found = Negotiated(row.negotiation, signed)
    return found


async def list_versions(house: House, request: ListVersions) -> list[VersionShown]:
    """The texts by which this house has decided under an agreement, oldest first (``spec/lifecycle.md`` step 15).

    Raises:
        Refused: no agreement runs there.
    """
    await house.agreement_row(request.relationship)
    return [
        VersionShown(
            version=row.version,
            digest=row.digest.hex(),
            history=row.history.hex(),
            layers=tuple(layer.hex() for layer in row.layers),
            since=row.since,
            record=row.record.hex(),
            signed=row.negotiation is not None,
        )
        async for _, row in house.rows(VersionRow, f"{request.relationship}/")
    ]


async def acknowledge_agreement(house: House, request: AcknowledgeAgreement) -> AgreementShown:
    """Say to the other party that this digest is our working model; signed by root or an authorised person.

    Raises:
        Misuse: the actor may not, or the agreement was acknowledged already.
    """
    row = await house.agreement_row(request.relationship)
    both = {house.party, row.peer}
    if both <= set(row.acknowledged):  # said alone, it may have come before the peer adopted the text
        raise Misuse(f"{house.party!r} has acknowledged this text of {row.agreement!r} already", code="acknowledged")
    body = bodies.Acknowledged(agreement=row.agreement, digest=row.digest, signature=unsigned())
    signer = None
    if request.actor.handle != ROOT:
        person = await house.person(request.actor.handle)
        signer = house.pseudonym(request.relationship, person.person)
    signed = await house.sign(body, request.relationship, request.actor, signer)

    async def acknowledge(work: Work) -> None:
        await work.say(Draft(request.relationship, signed))

    await house.sequencer.submit(acknowledge)
    return await _shown(house, await house.agreement_row(request.relationship))


async def list_agreements(house: House, _: ListAgreements) -> list[AgreementShown]:
    """Every agreement this house runs."""
    return [await _shown(house, row) async for _, row in house.rows(AgreementRow)]


async def read_agreement(house: House, request: ReadAgreement) -> AgreementRead:
    """The text of a running agreement as this house adopted it."""
    running = await house.library.load(await house.agreement_row(request.relationship))
    text = running.agreement
    return AgreementRead(agreement=text.id, digest=text.digest, clauses=text.clauses)


async def ask_status(house: House, request: AskStatus) -> Status:
    """The state of a running agreement, by every reading."""
    row = await house.agreement_row(request.relationship)
    running = await house.library.load(row)
    return running.chronicle.status(request.at or house.now())


async def _shown(house: House, row: AgreementRow) -> AgreementShown:
    running = await house.library.load(row)
    return AgreementShown(
        relationship=row.relationship,
        agreement=row.agreement,
        title=running.agreement.header.title.en,
        peer=row.peer,
        digest=row.digest.hex(),
        layers=tuple(layer.id for layer in running.layers),
        acknowledged=row.acknowledged,
        hypothetical=running.chronicle.history.hypothetical,
        version=running.agreement.header.version,
        superseded=row.superseded,
    )
