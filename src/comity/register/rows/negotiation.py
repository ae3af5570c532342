"""The rows about channels, negotiations and versions, and their keys (``spec/lifecycle.md``)."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import msgspec

from comity.agreement.negotiation import Done, Standing, standing
from comity.record.bodies.negotiation import About
from comity.register.rows.base import Key, Row

TALKS = "talks"
"""What a channel is named by, where a relationship is named by its agreement."""


class ChannelRow(Row, frozen=True, kw_only=True):
    """A channel of this house. Key: relationship id, ``talks/A.B``."""

    table: ClassVar[str] = "channel"
    relationship: str
    peer: str


class Delegation(msgspec.Struct, frozen=True, kw_only=True):
    """Who takes part for one side."""

    party: str
    delegates: tuple[str, ...]
    last: bytes


class DraftKept(msgspec.Struct, frozen=True, kw_only=True):
    """A draft that was proposed; the fields are those of its record."""

    draft: str
    party: str
    agreement: str
    version: str
    digest: bytes
    content: bytes
    payload: bytes
    readers: tuple[str, ...]
    note: str
    record: bytes
    at: datetime
    since: datetime | None = None


class NegotiationRow(Row, frozen=True, kw_only=True):
    """A negotiation. Key: ``relationship/negotiation``.

    ``sides`` holds, for each side, its delegates and the newest record it has said about the negotiation.
    """

    table: ClassVar[str] = "negotiation"
    negotiation: str
    author: str
    about: About
    title: str
    record: bytes
    at: datetime
    sides: tuple[Delegation, ...]
    drafts: tuple[DraftKept, ...] = ()
    done: tuple[Done, ...] = ()
    on: str | None = None

    def last(self, party: str) -> bytes:
        """What the next act of a side names: its newest record, or the opening."""
        return next((each.last for each in self.sides if each.party == party), self.record)

    def delegates(self, party: str) -> tuple[str, ...]:
        """Who takes part for a side; nobody before it has named them."""
        return next((each.delegates for each in self.sides if each.party == party), ())

    def draft(self, name: str) -> DraftKept | None:
        """The draft of that name."""
        return next((each for each in self.drafts if each.draft == name), None)

    @property
    def standing(self) -> Standing:
        """What has become of the text."""
        return standing(self.done)


class DomesticApprovalRow(Row, frozen=True, kw_only=True):
    """What was approved at home. Key: ``relationship/negotiation/draft``; the newest counts."""

    table: ClassVar[str] = "domestic-approval"
    body: str
    act: str
    day: str
    record: bytes


class VersionRow(Row, frozen=True, kw_only=True):
    """The texts by which a house has decided, from an instant on. Key: ``relationship/at/record``: in order.

    ``negotiation`` is the one in which both signed it, where there was one.
    """

    table: ClassVar[str] = "version"
    digest: bytes
    text: bytes
    history: bytes
    layers: tuple[bytes, ...]
    version: str
    since: datetime
    record: bytes
    negotiation: str | None = None


class LayerToldRow(Row, frozen=True, kw_only=True):
    """A domestic layer that a side has told of. Key: ``relationship/party/layer``; the newest counts."""

    table: ClassVar[str] = "layer-told"
    party: str
    layer: str
    version: str
    title: str
    digest: bytes
    since: str
    withdrawn: bool
    record: bytes
    at: datetime


def talks_of(one: str, other: str) -> str:
    """The channel of two parties."""
    return f"{TALKS}/{'.'.join(sorted((one, other)))}"


def negotiation_key(relationship: str, negotiation: str) -> Key:
    """Key of a negotiation."""
    return NegotiationRow.table, f"{relationship}/{negotiation}"


def domestic_approval_key(relationship: str, negotiation: str, draft: str) -> Key:
    """Key of what was approved at home."""
    return DomesticApprovalRow.table, f"{relationship}/{negotiation}/{draft}"


def layer_told_key(relationship: str, party: str, layer: str) -> Key:
    """Key of a domestic layer that a side has told of."""
    return LayerToldRow.table, f"{relationship}/{party}/{layer}"


def version_key(relationship: str, at: datetime, record: bytes) -> Key:
    """Key of the texts that a house adopted by ``record``."""
    return VersionRow.table, f"{relationship}/{at:%Y%m%dT%H%M%S.%f}/{record.hex()}"


def applies_from(row: NegotiationRow) -> datetime:
    """The instant from which a signed text applies: the one it names, else that of the later signature."""
    signed = row.standing
    draft = row.draft(signed.draft)
    if draft is not None and draft.since is not None:
        return draft.since
    return datetime.fromisoformat(max(each.at for each in row.done if each.record in signed.signatures.values()))
