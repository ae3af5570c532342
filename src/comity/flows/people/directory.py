"""The directory: the functions of this house that a peer may know, and what it is told of them (Articles 6(e), 7)."""

from __future__ import annotations

import msgspec

from comity.flows.house import PSEUDONYM_OF, House
from comity.flows.keeping.work import Draft, Work
from comity.record import bodies
from comity.register.roles import UNLISTED
from comity.register.rows import DirectoryRow, PersonRow, directory_key
from comity.register.rows.negotiation import TALKS, ChannelRow


class ListDirectory(msgspec.Struct, frozen=True):
    """List the functions of all parties that can receive or sign."""


class DirectoryShown(msgspec.Struct, frozen=True, kw_only=True):
    """A function as the other party knows it."""

    relationship: str
    party: str
    pseudonym: str
    function: str
    body: str
    employer: str
    nationality: str
    serves: str
    roles: tuple[str, ...]
    custody: str
    firm: str | None
    withdrawn: bool
    receives: bool


async def list_in_directory(house: House, work: Work, relationship: str, row: PersonRow) -> None:
    """Tell the peer of a relationship about a function, under its pseudonym there, unless it knows the same already.

    Whoever neither receives nor signs anything across is not told of; where he was, he is withdrawn.
    """
    pseudonym = house.pseudonym(relationship, row.person)
    body = bodies.Listed(
        pseudonym=pseudonym,
        function=row.function,
        body=row.body,
        employer=row.employer,
        nationality=row.nationality,
        serves=row.serves,
        roles=row.roles,
        custody=row.custody,
        recipient=row.recipient,
        signing_key=row.signing_key,
        firm=row.firm,
        withdrawn=row.removed or (bool(row.roles) and UNLISTED.issuperset(row.roles)),
        receives=not row.stopped,
    )
    _, key = directory_key(relationship, house.party, pseudonym)
    before = await work.row(DirectoryRow, key)
    if before is None and body.withdrawn:
        return
    if before is not None and all(getattr(before, name) == getattr(body, name) for name in body.__struct_fields__):
        return
    await work.say(Draft(relationship, body))
    work.put_side(PSEUDONYM_OF, f"{relationship}/{pseudonym}", row.person.encode())


async def list_everywhere(house: House, work: Work, person: str) -> None:
    """Tell every peer about a person's function as it is now."""
    row = await work.need(PersonRow, person, "person")
    for relationship, _ in await house.relationships():
        await list_in_directory(house, work, relationship, row)
    async for relationship, _channel in house.rows(ChannelRow):  # there stand delegates only
        _, key = directory_key(relationship, house.party, house.pseudonym(relationship, person))
        if await work.row(DirectoryRow, key) is not None:
            await list_in_directory(house, work, relationship, row)


async def list_everybody(house: House, work: Work, relationship: str) -> None:
    """Tell the peer of a new relationship about every function of this house."""
    async for _, row in house.rows(PersonRow):
        await list_in_directory(house, work, relationship, row)


async def list_directory(house: House, _: ListDirectory) -> list[DirectoryShown]:
    """Every function in the directories of this house's relationships; of channels, none is told."""
    return [
        DirectoryShown(
            relationship=key.removesuffix(f"/{row.party}/{row.pseudonym}"),
            **{name: getattr(row, name) for name in DirectoryShown.__struct_fields__ if name != "relationship"},
        )
        async for key, row in house.rows(DirectoryRow)
        if not key.startswith(f"{TALKS}/")
    ]
