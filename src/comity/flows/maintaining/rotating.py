"""Keys of this house that are replaced, and revoked (``spec/keys.md`` steps 41 to 51).

A new key is made, the root key certifies a card with it, and one commit says so in every chain of this house: from
there on the new keys sign, and nothing waits for anybody.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

import msgspec

from comity.errors import Misuse
from comity.flows.agreeing.founding import CARD_VALIDITY
from comity.flows.exchanging.exchange import PEER_HAS
from comity.flows.house import House
from comity.flows.keeping.work import CARD, Draft, Work
from comity.flows.maintaining.epochs import move_people
from comity.record.bodies.keys import KeysRenewed, KeysRotated
from comity.record.card import FORMER_MAX, PURPOSES, Card, FormerKey, Purpose, RegistryKey, read_card, write_card
from comity.record.dsse import key_id
from comity.record.statement import DOMESTIC, chain_id, peek
from comity.seal.keys import parse_identity

OVERLAP = timedelta(days=30)
"""How long others take what the key before signs: a courier comes by in that time."""
OVERLAP_MAX = timedelta(days=366)
"""Longest overlap."""
EPOCHS_SHOWN_MAX = 8
"""Most epochs of the registry on a card."""
KeyPurpose = Literal["record", "log", "witness", "transport", "tls", "registry"]
"""What is replaced: a signing key, the certificate of the server, or the registry's epoch."""


class RotateKey(msgspec.Struct, frozen=True, kw_only=True):
    """Replace a key of this house.

    Attributes:
        purpose: which.
        days: how many days others still take the old key, and what it signs; None for as many as is usual.
    """

    purpose: KeyPurpose
    days: int | None = None


class RevokeKey(msgspec.Struct, frozen=True, kw_only=True):
    """Say that a key of this house is another's since some instant.

    Attributes:
        purpose: what it is for.
        key: the first digits of its public half, digest or short name; the present one unless given, which is replaced.
        since: what it signed later is not this party's.
    """

    purpose: Purpose
    since: datetime
    key: str = ""


class ListOwnKeys(msgspec.Struct, frozen=True):
    """List the keys on this party's card, present and former."""


class KeyShown(msgspec.Struct, frozen=True, kw_only=True):
    """A key of this party, as others know it.

    Attributes:
        purpose: what it is for.
        key: its public half, hexadecimal; of ``tls`` the digest of the certificate; of the registry, the age recipient.
        name: its short name, as it stands in envelopes; of ``tls`` the start of the digest; of the registry, the epoch.
        state: ``present``, ``overlaps``, ``former`` or ``revoked``.
        until: when the overlap ends, or ended; None for a present one.
        since: since when what it signs is not this party's; None where it is not revoked.
    """

    purpose: str
    key: str
    name: str
    state: Literal["present", "overlaps", "former", "revoked"]
    until: datetime | None = None
    since: datetime | None = None


class Untold(msgspec.Struct, frozen=True, kw_only=True):
    """A peer that does not have the newest card yet, in one relationship."""

    peer: str
    relationship: str


class KeysChanged(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the keys.

    Attributes:
        keys: all of them, the present ones first.
        untold: where the other party has not said yet that it has the newest card.
    """

    keys: tuple[KeyShown, ...]
    untold: tuple[Untold, ...]


async def list_own_keys(house: House, _: ListOwnKeys) -> KeysChanged:
    """The keys on this party's card, and who does not have the newest card yet."""
    return KeysChanged(keys=keys_on(read_card(await house.card()), house.now()), untold=await _untold(house))


def keys_on(card: Card, now: datetime) -> tuple[KeyShown, ...]:
    """The keys on a card, the present ones first."""
    present = [
        KeyShown(purpose=purpose, key=key.hex(), name=_name(purpose, key), state="present")
        for purpose in PURPOSES
        for key in card.present(purpose)
    ]
    epochs = [
        KeyShown(purpose="registry", key=each.recipient, name=str(each.epoch), state="former" if number else "present")
        for number, each in enumerate(card.registry)
    ]
    return (*present, *epochs, *(_former(each, now) for each in card.former))


def _former(key: FormerKey, now: datetime) -> KeyShown:
    state: Literal["overlaps", "former"] = "overlaps" if now <= key.until else "former"
    return KeyShown(
        purpose=key.purpose,
        key=key.key.hex(),
        name=_name(key.purpose, key.key),
        state="revoked" if key.revoked is not None else state,
        until=key.until,
        since=key.revoked,
    )


def _name(purpose: Purpose, key: bytes) -> str:
    return key_id(key) if purpose != "tls" else key.hex()[:16]


async def rotate_key(house: House, request: RotateKey) -> KeysChanged:
    """(41) Replace a key; the root key must be at hand.

    Raises:
        Misuse: an overlap that is none, or a card that can name no more former keys.
        Unavailable: the root key is offline.
    """
    overlap = OVERLAP if request.days is None else timedelta(days=request.days)
    if not timedelta(0) <= overlap <= OVERLAP_MAX:
        raise Misuse(f"an overlap of {request.days} days; at most {OVERLAP_MAX.days}", code="bad-overlap")
    house.keys.root()  # before anything is made
    card = read_card(await house.card())
    if request.purpose == "registry":
        _check_room(len(card.registry), EPOCHS_SHOWN_MAX, "epochs; destroy one that nothing needs any more")
        house.keys.new_epoch()
        await _tell(house, msgspec.structs.replace(card, registry=registry_of(house)))
        await move_people(house)
        return await list_own_keys(house, ListOwnKeys())
    replaced = _replaced(house, card, request.purpose, until=house.now() + overlap)
    return await _tell(house, replaced)


async def revoke_key(house: House, request: RevokeKey) -> KeysChanged:
    """(50) Revoke a key from an instant on; the present one is replaced, without overlap. The root key must be at hand.

    Raises:
        Misuse: there is no such key, it is revoked already from an earlier instant on, the instant is to come, or the
            key at that instant was another one, which was revoked since, and the request names none.
        Unavailable: the root key is offline.
    """
    now = house.now()
    if request.since > now:
        raise Misuse("a key is revoked from an instant that has been, or from now on", code="time-to-come")
    house.keys.root()
    card = read_card(await house.card())
    key = _named(card, request)
    if key in card.present(request.purpose):
        newer = [each for each in card.former if each.purpose == request.purpose and each.until > request.since]
        if not request.key and any(each.revoked is not None for each in newer):
            raise Misuse(
                f"the present {request.purpose} key took the place of a revoked one after that instant; name the key "
                "that is meant, 'comity keys card' shows them",
                code="revoked-since",
            )
        card = _replaced(house, card, request.purpose, until=now, revoked=request.since)
    else:
        before = card.revoked(request.purpose).get(key)
        if before is not None and before <= request.since:
            raise Misuse(f"it is revoked already, from {before.isoformat()} on", code="revoked-already")
        card = msgspec.structs.replace(
            card,
            former=tuple(
                msgspec.structs.replace(each, revoked=request.since) if each.key == key else each
                for each in card.former
            ),
        )
    return await _tell(house, card)


def _named(card: Card, request: RevokeKey) -> bytes:
    """The key that a request names, by its first digits or its short name."""
    keys = card.had(request.purpose)
    digits = request.key.lower()
    found = [key for key in keys if key.hex().startswith(digits) or key_id(key).startswith(digits)] if digits else keys
    if not found or (digits and len(found) > 1):
        raise Misuse(
            f"{request.key!r} is not the one {request.purpose} key of this party; 'comity keys card' shows them",
            code="unknown-key",
        )
    return found[0]


def _replaced(house: House, card: Card, purpose: Purpose, *, until: datetime, revoked: datetime | None = None) -> Card:
    """``card`` with a new key for ``purpose``, the present one among the former."""
    _check_room(len(card.former), FORMER_MAX, "former keys on this card")
    before = card.present(purpose)
    former = tuple(FormerKey(purpose=purpose, key=key, until=until, revoked=revoked) for key in before)
    made = house.keys.new_certificate(house.party) if purpose == "tls" else house.keys.make(purpose).public
    fields: dict[Purpose, dict[str, object]] = {
        "record": {"node_sign": (made,)},
        "log": {"log": made},
        "witness": {"witness": made},
        "transport": {"transport": made},
        "tls": {"certificate": made},
    }
    return msgspec.structs.replace(card, former=(*former, *card.former), **fields[purpose])


def _check_room(used: int, most: int, what: str) -> None:
    if used >= most:
        raise Misuse(f"there are {used} {what}", code="too-many-keys")


def registry_of(house: House) -> tuple[RegistryKey, ...]:
    """The recipients of the registry by epoch, as a card has them."""
    pairs = zip(house.keys.epochs(), house.keys.registry(), strict=True)
    return tuple(RegistryKey(epoch, str(parse_identity(secret).recipient)) for epoch, secret in pairs)


async def _tell(house: House, card: Card) -> KeysChanged:
    """(42) Certify ``card``, and say in every chain of this house that its keys sign from here on."""
    now = house.now()
    card = msgspec.structs.replace(card, issued=now, until=now + CARD_VALIDITY)
    envelope = write_card(card, house.keys.root().sign)

    async def tell(work: Work) -> None:
        work.put_side(CARD, "self", envelope)  # first: what follows is signed by the keys that it names
        await work.say(Draft(DOMESTIC, KeysRenewed(card=envelope)))
        for relationship, _ in await house.correspondence():
            await work.say(Draft(relationship, KeysRotated(card=envelope)))

    await house.sequencer.submit(tell)
    await house.use_own_card()
    return await list_own_keys(house, ListOwnKeys())


async def _untold(house: House) -> tuple[Untold, ...]:
    """(43) Where the other party does not have the newest change of keys, as far as it has said."""
    untold = []
    for relationship, peer in await house.correspondence():
        chain = chain_id(relationship, house.party)
        has = int.from_bytes(await house.side(PEER_HAS, chain) or b"", "big")
        if await _changes_after(house, chain, has):
            untold.append(Untold(peer=peer, relationship=relationship))
    return tuple(untold)


async def _changes_after(house: House, chain: str, start: int) -> bool:
    while entries := await house.store.chain(chain, start, 512):
        if any(peek(entry.envelope).type == KeysRotated.kind for entry in entries):
            return True
        start += len(entries)
    return False
