"""Handing on: the rows about items that go from party to party (``spec/routes.md``)."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from comity.marking.label import Label
from comity.register.rows.base import Key, Row


class LetterRow(Row, frozen=True, kw_only=True):
    """A consent as a third party can be shown it. Key: ``relationship/consent/beneficiary``."""

    table: ClassVar[str] = "letter"
    letter: bytes


class ForwardRow(Row, frozen=True, kw_only=True):
    """An item that is handed on in a relationship, to whose parties it is another's. Key: ``relationship/item``.

    ``relationship`` is the one in which its originator gave it to whoever hands it on, ``label`` the originator's;
    ``consent``, ``conditions`` and ``until`` are those of the newest letter; ``copies`` counts the copies made here.
    """

    table: ClassVar[str] = "forward"
    item: str
    originator: str
    holder: str
    relationship: str
    label: Label
    consent: str
    purpose: str
    conditions: tuple[str, ...] = ()
    until: datetime
    copies: int = 0


class HandedOnRow(Row, frozen=True, kw_only=True):
    """An item went on to another party, as its originator and its holder know. Key: ``relationship/item/request``.

    ``receipt`` is the letter of that party; ``received`` and ``mark`` what it says. None while there is silence.
    """

    table: ClassVar[str] = "handed-on"
    record: bytes
    request: str
    item: str
    to: str
    label: Label
    purpose: str
    copies: int
    consent: str
    at: datetime
    receipt: bytes | None = None
    received: datetime | None = None
    mark: str = ""


def letter_key(relationship: str, consent: str, beneficiary: str) -> Key:
    """Key of a letter of consent."""
    return LetterRow.table, f"{relationship}/{consent}/{beneficiary}"


def forward_key(relationship: str, item: str) -> Key:
    """Key of an item that is handed on in a relationship."""
    return ForwardRow.table, f"{relationship}/{item}"


def handed_on_key(relationship: str, item: str, request: str) -> Key:
    """Key of a handing on, in the relationship with the originator."""
    return HandedOnRow.table, f"{relationship}/{item}/{request}"
