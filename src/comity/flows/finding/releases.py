"""Releases that wait: for somebody's answer, and for others' where he asked (``spec/contents.md`` step 12).

They are found by the index, so that the page costs what it shows, however much was ever given.
"""

from __future__ import annotations

import msgspec

from comity.decision.wording.words import AS_TYPED
from comity.flows.actors import Actor
from comity.flows.deciding.visibility import Sight, viewer
from comity.flows.finding.waiting import to_approve
from comity.flows.house import House
from comity.flows.indexing.upkeep import up_to_date
from comity.flows.looking.views import AskedLine, RequestLine, asked_line, request_line
from comity.ports.index import Entry
from comity.register.roles import ASSURANCE_OFFICER, RELEASE_AUTHORITY
from comity.register.rows import AskedRow, RequestRow

LINES_MAX = 200
"""Most lines of each list; the newest."""


class ListRequests(msgspec.Struct, frozen=True, kw_only=True):
    """The requests that wait for somebody's answer, and his own that are not carried out."""

    actor: Actor
    language: str = AS_TYPED


class RequestsListed(msgspec.Struct, frozen=True, kw_only=True):
    """What waits, newest first.

    Attributes:
        approve: requests of others that he can approve or refuse, and that nobody has refused.
        assure: assurances that the other party asks for, of an assurance officer.
        own: his own requests, refused ones too.
    """

    approve: tuple[RequestLine, ...]
    assure: tuple[AskedLine, ...]
    own: tuple[RequestLine, ...]


async def list_requests(house: House, request: ListRequests) -> RequestsListed:
    """What waits for somebody, and what he waits for himself.

    Raises:
        Unavailable: the index is not ready.
    """
    person = Sight(house, await viewer(house, request.actor)).person
    index = await up_to_date(house)
    approve: list[Entry] = []
    assure: list[Entry] = []
    own: list[Entry] = []
    if person is not None and RELEASE_AUTHORITY in person.roles:
        approve = await to_approve(index, person.person, LINES_MAX)
    if person is not None and ASSURANCE_OFFICER in person.roles:
        assure = await index.walk(["assure"], limit=LINES_MAX)
    if person is not None:
        own = await index.walk([f"asked/{person.person}", f"refused/{person.person}"], limit=LINES_MAX)
    return RequestsListed(
        approve=await _lines(house, approve, request.language),
        assure=await _asked(house, assure, request.language),
        own=await _lines(house, own, request.language),
    )


async def _lines(house: House, entries: list[Entry], language: str) -> tuple[RequestLine, ...]:
    rows = [await house.row(RequestRow, each.key.removeprefix("approve/")) for each in entries]
    return tuple([await request_line(house, row, language) for row in rows if row is not None])


async def _asked(house: House, entries: list[Entry], language: str) -> tuple[AskedLine, ...]:
    names = [each.key.removeprefix("assure/") for each in entries]
    rows = [(name.rpartition("/")[0], await house.row(AskedRow, name)) for name in names]
    return tuple([await asked_line(house, where, row, language) for where, row in rows if row is not None])
