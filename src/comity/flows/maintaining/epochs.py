"""Epochs of the registry's key: what is still sealed to one, and its end (``spec/keys.md`` steps 52 to 54)."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

from comity.errors import Misuse, Rejected
from comity.flows.actors import Actor
from comity.flows.agreeing.drafts import sealed_draft
from comity.flows.house import ROOT, House
from comity.flows.keeping.erasing import HEADER, USABLE
from comity.flows.keeping.work import Draft, Work
from comity.flows.people.directory import list_everywhere
from comity.record.bodies import PersonEnrolled
from comity.record.bodies.keys import EpochDestroyed
from comity.record.person_act import unsigned
from comity.record.statement import DOMESTIC
from comity.register.rows import CopyRow, PersonRow
from comity.register.rows.feeding import FeedEpochRow, FeedRow, feed_epoch_key
from comity.register.rows.negotiation import NegotiationRow
from comity.seal.age import Sealed, open_header
from comity.seal.hybrid import HybridIdentity
from comity.seal.keys import parse_identity
from comity.seal.recipients import Identity
from comity.seal.refusals import NoMatch
from comity.seal.x25519 import X25519Identity


class SealedThere(msgspec.Struct, frozen=True, kw_only=True):
    """Something that only the identity of one epoch opens here.

    Attributes:
        kind: ``copy``, ``draft`` or ``feed``.
        relationship: in which it stands.
        name: the item, the draft or the feed.
        number: of the copy; of a feed, its epoch; else 0.
    """

    kind: str
    relationship: str
    name: str
    number: int = 0


class DestroyEpoch(msgspec.Struct, frozen=True, kw_only=True):
    """Destroy the identity of an epoch that nothing needs any more.

    Attributes:
        epoch: which; never the newest.
        reason: why.
        actor: a security officer, or root; signs for it.
    """

    epoch: int
    reason: str
    actor: Actor


class EpochGone(msgspec.Struct, frozen=True, kw_only=True):
    """The identity of an epoch is destroyed, by whose word, and which are left."""

    epoch: int
    record: str
    left: tuple[int, ...]


async def sealed_to(house: House, epoch: int) -> list[SealedThere]:
    """(53) What is sealed to an epoch and may still be needed: copies, texts of negotiations, feeds that go on.

    Raises:
        Misuse: the identity of that epoch is not here.
    """
    identity = identity_of(house, epoch)
    return [found async for opened, found in _sealed(house) if _opens(opened, identity)]


def identity_of(house: House, epoch: int) -> HybridIdentity | X25519Identity:
    """The identity of an epoch.

    Raises:
        Misuse: it is not here.
    """
    epochs = list(house.keys.epochs())
    if epoch not in epochs:
        raise Misuse(f"the identity of epoch {epoch} is not here; there are {epochs}", code="unknown-epoch")
    return parse_identity(house.keys.registry()[epochs.index(epoch)])


async def _sealed(house: House) -> AsyncIterator[tuple[bytes, SealedThere]]:
    async for key, copy in house.rows(CopyRow):
        header = await house.side(HEADER, copy.header.hex()) if copy.state in USABLE else None
        if header is not None:
            relationship = key.removesuffix(f"/{copy.item}/{copy.number:06d}")
            yield header, SealedThere(kind="copy", relationship=relationship, name=copy.item, number=copy.number)
    async for key, negotiation in house.rows(NegotiationRow):
        relationship = key.rpartition("/")[0]
        for draft in negotiation.drafts:
            header = Sealed.split(await sealed_draft(house, draft)).header
            yield header, SealedThere(kind="draft", relationship=relationship, name=draft.draft)
    async for key, feed in house.rows(FeedRow):
        relationship, publisher, name = key.rsplit("/", 2)
        row = await house.row(FeedEpochRow, feed_epoch_key(relationship, publisher, name, feed.epoch)[1])
        if row is not None:
            header = Sealed.split(row.key).header
            yield header, SealedThere(kind="feed", relationship=relationship, name=name, number=feed.epoch)


def _opens(header: bytes, identity: Identity) -> bool:
    try:
        open_header(header, [identity])
    except NoMatch:
        return False
    except Rejected:  # damaged: nobody shows here that it is not needed
        return True
    return True


async def destroy_epoch(house: House, request: DestroyEpoch) -> EpochGone:
    """(54) Attest in the house's own chain that an identity is destroyed, then destroy it.

    Raises:
        Misuse: it is the newest, it is not here, or something is sealed to it still.
        NeedsSignature: he signs with his own key, and has not yet.
    """
    identity = identity_of(house, request.epoch)
    if request.epoch == house.keys.epochs()[0]:
        raise Misuse(
            "the newest epoch of the registry is in use; 'comity keys rotate registry' begins another",
            code="epoch-in-use",
        )
    needed = await sealed_to(house, request.epoch)
    if needed:
        first = needed[0]
        raise Misuse(
            f"{len(needed)} things are sealed to epoch {request.epoch} still, such as {first.kind} {first.name}; they "
            "are destroyed or sent back first",
            code="epoch-needed",
        )
    by = ROOT if request.actor.handle == ROOT else (await house.person(request.actor.handle)).person
    body = EpochDestroyed(
        epoch=request.epoch,
        recipient=str(identity.recipient),
        reason=request.reason,
        by=by,
        signature=unsigned(),
    )
    signed = await house.sign(body, DOMESTIC, request.actor)

    async def say(work: Work) -> bytes:
        return (await work.say(Draft(DOMESTIC, signed))).id

    record = await house.sequencer.submit(say)
    house.keys.destroy_epoch(request.epoch)
    return EpochGone(epoch=request.epoch, record=record.hex(), left=tuple(house.keys.epochs()))


async def move_people(house: House) -> None:
    """(52) Tell every party that what is for people in served custody is sealed to the newest epoch from now on.

    Signed by the root key, which is at hand when an epoch begins.
    """
    recipient = str(parse_identity(house.keys.registry()[0]).recipient)
    moved = []
    async for _, row in house.rows(PersonRow):
        if row.custody == "served" and not row.removed and row.recipient != recipient:
            fields = {name: getattr(row, name) for name in PersonEnrolled.__struct_fields__ if hasattr(row, name)}
            body = PersonEnrolled(**{**fields, "recipient": recipient, "after": row.last, "signature": unsigned()})
            moved.append((row.person, await house.sign(body, DOMESTIC, Actor(ROOT))))

    async def move(work: Work) -> None:
        for person, signed in moved:
            await work.say(Draft(DOMESTIC, signed))
            await list_everywhere(house, work, person)

    await house.sequencer.submit(move)
