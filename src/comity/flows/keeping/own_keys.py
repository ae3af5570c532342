"""The keys that this house uses now, by its own card (``spec/keys.md`` steps 40, 48 and 49)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from comity.errors import Unavailable
from comity.ports import Keys, Signer
from comity.record.card import SIGNING, Card, Purpose


def signers(keys: Keys, card: Card | None, purpose: Purpose, now: datetime) -> tuple[Signer, ...]:
    """The keys of a purpose that others take now, the newest first: several while they overlap."""
    present: Signer = getattr(keys, purpose)
    if card is None or not card.former:
        return (present,)
    return (present, *_overlapping(keys, card, purpose, now))


def _overlapping(keys: Keys, card: Card, purpose: Purpose, now: datetime) -> Iterator[Signer]:
    for key in card.taken(purpose, now)[len(card.present(purpose)) :]:
        try:
            yield keys.signer(purpose, key)
        except Unavailable:
            continue  # what was put back from elsewhere lacks it; the present one signs


def use(keys: Keys, card: Card) -> None:
    """Sign with the keys that ``card`` names from now on.

    Raises:
        Unavailable: ``no-key``: one of them is not here.
    """
    for purpose in SIGNING:
        keys.use(purpose, card.present(purpose)[0])


def certificate(keys: Keys, card: Card, now: datetime) -> bytes:
    """(48) The certificate that the server shows: while two overlap the one before, which every peer knows."""
    taken = card.taken("tls", now)
    kept = keys.certificates() if len(taken) > 1 else taken
    return next((each for each in reversed(taken) if each in kept), card.certificate)


def destroy_ended(keys: Keys, card: Card, now: datetime) -> None:
    """(49) Destroy what signs no more: the keys that are in no overlap at ``now``, and those that were revoked."""
    for former in card.former:
        if former.key not in card.taken(former.purpose, now):
            keys.destroy(former.purpose, former.key)
