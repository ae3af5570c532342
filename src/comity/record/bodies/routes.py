"""Handing on: what records say of an item that goes from party to party (``spec/routes.md``)."""

from __future__ import annotations

from typing import ClassVar

from comity.marking.label import Label
from comity.record.bodies.base import Body
from comity.record.encoding import Count, Digest, Identifier, Letter, Words


class ConsentLettered(Body, frozen=True, kw_only=True):
    """The originator puts a consent into a letter, by which the holder shows it to the party that gains by it."""

    kind: ClassVar[str] = "consent-letter/1"
    crosses: ClassVar[bool] = True
    consent: Identifier
    beneficiary: Identifier
    letter: Letter


class HandedOn(Body, frozen=True, kw_only=True):
    """The holder tells the originator that it has given the item to another party, by which consent.

    ``request`` is the holder's own, by which the receipt of that party is known; ``label`` what the holder marked it
    with for that party.
    """

    kind: ClassVar[str] = "handed-on/1"
    crosses: ClassVar[bool] = True
    request: Identifier
    item: Identifier
    to: Identifier
    label: Label
    purpose: Words
    copies: Count
    consent: Identifier
    basis: Digest


class Relayed(Body, frozen=True, kw_only=True):
    """The holder brings the originator the receipt of the party to which the item was handed on."""

    kind: ClassVar[str] = "relay/1"
    crosses: ClassVar[bool] = True
    request: Identifier
    item: Identifier
    letter: Letter
