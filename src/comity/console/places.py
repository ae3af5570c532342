"""Relationships on forms: under which agreement, with whom, where there are several to choose from."""

from __future__ import annotations

from comity.console.fields import Field, Typed
from comity.console.phrases import phrase
from comity.console.visit import Visit
from comity.flows.agreeing.agreements import AgreementShown, ListAgreements


async def agreements(visit: Visit) -> list[AgreementShown]:
    """The agreements that this house runs."""
    shown: list[AgreementShown] = await visit.ask("agreement.list", ListAgreements())
    return shown


def titled(visit: Visit, shown: AgreementShown) -> str:
    """The title of an agreement in the language of whoever reads; as it is written where it has none in it."""
    return phrase(shown.title, visit.words.code) or shown.title


async def relationship_field(visit: Visit, *, needed: bool) -> tuple[Field, ...]:
    """The field by which an agreement is chosen; where one need not be and there is one only, no field at all."""
    running = await agreements(visit)
    if not needed and len(running) < 2:
        return ()
    options = tuple((each.relationship, f"{titled(visit, each)} ({each.peer.upper()})") for each in running)
    field = Field(
        name="relationship",
        label=visit.words("Agreement"),
        kind="choice",
        options=options if needed else (("", visit.words("any")), *options),
        needed=needed,
    )
    return (field,)


def other_party(visit: Visit, relationship: str) -> str:
    """With whom a relationship such as ``jp-kr-2016/jp.kr`` is."""
    own = visit.desk.house.party
    return next((party for party in relationship.rpartition("/")[2].split(".") if party != own), own)


def chosen_relationship(typed: Typed) -> str:
    """The agreement that was chosen."""
    return typed.text("relationship")
