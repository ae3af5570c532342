"""The menu: the pages that every page leads to, in their order, for whoever has something to do there."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from comity.console.languages import N_
from comity.register.roles import (
    ADMINISTRATOR,
    ASSURANCE_OFFICER,
    AUDITOR,
    OFFICER,
    RELEASE_AUTHORITY,
    ROLES,
    SECURITY_OFFICER,
)

EVERYBODY = frozenset(ROLES)
BUT_THE_ADMINISTRATOR = EVERYBODY - {ADMINISTRATOR}


class Place(msgspec.Struct, frozen=True):
    """A page of the menu: its address, how it is called, and for which roles."""

    path: str
    label: str
    roles: frozenset[str] = BUT_THE_ADMINISTRATOR


MENU: tuple[Place, ...] = (
    Place("/", N_("Today")),
    Place("/give", N_("Give"), frozenset({OFFICER})),
    Place("/releases", N_("Releases"), frozenset({OFFICER, RELEASE_AUTHORITY, ASSURANCE_OFFICER})),
    Place("/register", N_("Register")),
    Place("/requests", N_("Requests")),
    Place("/duties", N_("Duties")),
    Place("/incidents", N_("Incidents")),
    Place("/visits", N_("Visits")),
    Place("/people", N_("People")),
    Place("/agreements", N_("Agreements"), EVERYBODY),
    Place("/ledger", N_("Ledger"), EVERYBODY),
    Place("/feeds", N_("Feeds")),
    Place("/accounts", N_("Accounts"), frozenset({ADMINISTRATOR, SECURITY_OFFICER})),
    Place("/access", N_("Access"), frozenset({ADMINISTRATOR, AUDITOR})),
)
"""What a role has nothing to do with is not in its menu; whoever types its address is told why it is not for him."""


def menu(roles: tuple[str, ...]) -> Iterator[Place]:
    """The menu of somebody with these roles."""
    return (place for place in MENU if not place.roles.isdisjoint(roles))
