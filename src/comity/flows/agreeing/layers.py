"""Layers on an agreement: what both have signed, what one side tells the other of its own (Article 5; design 4).

A domestic layer binds only acts of the side whose law it is, and it may only refuse or ask more: so its digest is told,
and its text stays at home unless it is given as a law is (``comity law``).
"""

from __future__ import annotations

import msgspec

from comity.agreement.load import parse_layer
from comity.agreement.vocabulary import LayerKind
from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.agreeing.agreements import negotiated
from comity.flows.house import House
from comity.flows.speaking import speak, speaker
from comity.record.bodies.negotiation import LayerTold
from comity.record.person_act import unsigned
from comity.register.rows.negotiation import LayerToldRow


class TellLayer(msgspec.Struct, frozen=True, kw_only=True):
    """Tell the other side of a domestic layer of this party's.

    Attributes:
        relationship: which agreement it stands on.
        text: the file's content; only its digest crosses.
        name: its name, for errors.
        since: the day from which it holds, or no longer holds.
        actor: an agreement authority.
        withdrawn: it holds no longer.
    """

    relationship: str
    text: str
    name: str
    since: str
    actor: Actor
    withdrawn: bool = False


class ListLayers(msgspec.Struct, frozen=True):
    """The layers on a running agreement."""

    relationship: str


class LayerShown(msgspec.Struct, frozen=True, kw_only=True):
    """A layer.

    Attributes:
        layer, version, title, digest: which.
        kind: empty for one that the other side has told of.
        party: whose domestic layer it is.
        here: whether this house decides by it.
        signed: whether both sides have signed it here.
        since: the day from which its side says that it holds; empty where nothing was told.
        withdrawn: its side says that it holds no longer.
    """

    layer: str
    version: str
    title: str
    digest: str
    kind: LayerKind | None = None
    party: str = ""
    here: bool = False
    signed: bool = False
    since: str = ""
    withdrawn: bool = False


async def tell_layer(house: House, request: TellLayer) -> list[LayerShown]:
    """Tell the other side of a domestic layer: what it is called, from when it holds, its digest.

    Raises:
        Rejected: the layer has a mistake.
        Misuse: it is none of this party's own, or the register does not accept what is told.
    """
    running = await house.library.load(await house.agreement_row(request.relationship))
    layer = parse_layer(request.text, request.name, running.agreement)
    header = layer.header
    if header.kind != "domestic" or header.party != house.party:
        raise Misuse(
            f"{layer.id!r} is no domestic layer of {house.party!r}; an arrangement is signed by both, and a house rule "
            "is nobody else's",
            code="not-domestic",
        )
    before = await house.row(LayerToldRow, f"{request.relationship}/{house.party}/{layer.id}")
    body = LayerTold(
        layer=layer.id,
        version=header.version,
        title=header.title.en,
        digest=bytes.fromhex(layer.digest),
        since=request.since,
        withdrawn=request.withdrawn,
        by=await speaker(house, request.relationship, request.actor),
        after=before.record if before is not None else bytes(32),
        signature=unsigned(),
    )
    await speak(house, request.relationship, body, request.actor)
    return await list_layers(house, ListLayers(request.relationship))


async def list_layers(house: House, request: ListLayers) -> list[LayerShown]:
    """The layers by which this house decides, then those that were told and are not among them."""
    row = await house.agreement_row(request.relationship)
    told = {each.digest.hex(): each async for _, each in house.rows(LayerToldRow, f"{request.relationship}/")}
    found = []
    for layer in (await house.library.load(row)).layers:
        known = told.pop(layer.digest, None)
        state = await negotiated(house, row.peer, bytes.fromhex(layer.digest))
        found.append(
            LayerShown(
                layer=layer.id,
                version=layer.header.version,
                title=layer.header.title.en,
                digest=layer.digest,
                kind=layer.header.kind,
                party=layer.header.party or "",
                here=True,
                signed=state is not None and state.signed,
                since=known.since if known is not None else "",
                withdrawn=known is not None and known.withdrawn,
            )
        )
    others = sorted(told.values(), key=lambda each: (each.party, each.layer))
    return [
        *found,
        *(
            LayerShown(
                layer=each.layer,
                version=each.version,
                title=each.title,
                digest=each.digest.hex(),
                party=each.party,
                since=each.since,
                withdrawn=each.withdrawn,
            )
            for each in others
        ),
    ]
