"""Founding: a house gets its card, and peers get to know each other by theirs."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from comity.errors import Misuse
from comity.flows.house import House
from comity.flows.keeping.work import CARD, Draft, Work
from comity.record import bodies
from comity.record.card import (
    CARD_VERSION,
    Card,
    RegistryKey,
    fingerprint,
    fingerprint_text,
    read_card,
    write_card,
)
from comity.record.statement import DOMESTIC, SUITE, VERSION
from comity.register.rows import PeerRow
from comity.seal.keys import parse_identity

CARD_VALIDITY = timedelta(days=2 * 365)
"""How long a card is good for; a new one is issued whenever keys or addresses change."""


class IssueCard(msgspec.Struct, frozen=True, kw_only=True):
    """Make this party's card, signed by its root key.

    Attributes:
        name: the party's name for people.
        certificate: SHA-256 of its TLS certificate (DER), 32 bytes.
        addresses: base addresses of its server; none when it is reached by pouch only.
    """

    name: str
    certificate: bytes
    addresses: tuple[str, ...] = ()


class ShowCard(msgspec.Struct, frozen=True):
    """Show this party's card."""


class CardShown(msgspec.Struct, frozen=True, kw_only=True):
    """A card, and the fingerprint that two people compare in full."""

    party: str
    name: str
    addresses: tuple[str, ...]
    fingerprint: str
    until: str
    card: bytes


class AddPeer(msgspec.Struct, frozen=True, kw_only=True):
    """Add another party by its card.

    Attributes:
        card: the card's envelope.
        fingerprint: what two people read, in hexadecimal digits with or without spaces.
        compared_by: the two people.
    """

    card: bytes
    fingerprint: str
    compared_by: tuple[str, str]


class ListPeers(msgspec.Struct, frozen=True):
    """List the peers of this house."""


class PeerShown(msgspec.Struct, frozen=True, kw_only=True):
    """A peer."""

    party: str
    name: str
    addresses: tuple[str, ...]
    fingerprint: str
    compared_by: tuple[str, str]


async def issue_card(house: House, request: IssueCard) -> CardShown:
    """Make, sign and keep the card. The root key must be at hand."""
    now = house.now()
    keys = house.keys
    epochs = keys.registry()
    card = Card(
        version=CARD_VERSION,
        party=house.party,
        name=request.name,
        root=keys.root_public,
        node_sign=(keys.record.public,),
        log=keys.log.public,
        witness=keys.witness.public,
        transport=keys.transport.public,
        certificate=request.certificate,
        addresses=request.addresses,
        registry=tuple(
            RegistryKey(len(epochs) - index, str(parse_identity(secret).recipient))
            for index, secret in enumerate(epochs)
        ),
        suites=(SUITE,),
        records=(VERSION,),
        issued=now,
        until=now + CARD_VALIDITY,
    )
    envelope = write_card(card, keys.root().sign)

    async def keep(work: Work) -> None:
        work.put_side(CARD, "self", envelope)

    await house.sequencer.submit(keep)
    await house.use_own_card()
    return _shown(card, envelope)


async def show_card(house: House, _: ShowCard) -> CardShown:
    """This party's card."""
    envelope = await house.card()
    return _shown(read_card(envelope), envelope)


async def add_peer(house: House, request: AddPeer) -> PeerShown:
    """Add a peer whose card has the fingerprint that two people compared.

    Raises:
        Rejected: the card is not what it must be.
        Misuse: the fingerprint is another one, the name is our own or taken, or one person compared alone.
    """
    card = read_card(request.card)
    digest = fingerprint(card.party, card.root)
    compared = "".join(request.fingerprint.split()).lower()
    if compared != digest.hex():
        raise Misuse(
            f"the card's fingerprint is {fingerprint_text(digest)}, not what was compared; do not use this card",
            code="fingerprint",
        )
    body = bodies.PeerAdded(party=card.party, card=request.card, fingerprint=digest, compared_by=request.compared_by)

    async def add(work: Work) -> None:
        await work.say(Draft(DOMESTIC, body))

    await house.sequencer.submit(add)
    return await _peer(house, await house.need(PeerRow, card.party, "peer"))


async def list_peers(house: House, _: ListPeers) -> list[PeerShown]:
    """Every peer of this house."""
    return [await _peer(house, row) async for _, row in house.rows(PeerRow)]


async def _peer(house: House, row: PeerRow) -> PeerShown:
    card = await house.peer_card(row.party)
    return PeerShown(
        party=row.party,
        name=card.name,
        addresses=card.addresses,
        fingerprint=fingerprint_text(row.fingerprint),
        compared_by=row.compared_by,
    )


def _shown(card: Card, envelope: bytes) -> CardShown:
    return CardShown(
        party=card.party,
        name=card.name,
        addresses=card.addresses,
        fingerprint=fingerprint_text(fingerprint(card.party, card.root)),
        until=card.until.isoformat(),
        card=envelope,
    )
