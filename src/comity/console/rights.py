"""Who may ask what through the console and its API, of flows that take no actor (``spec/console.md`` step 9).

A flow that takes an actor decides by itself what he may do and see. The others were made for the house's own desk: what
they show or do here, they show and do for the roles of this table. What is in neither table stays with the command
line of whoever keeps the house.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from comity.errors import Refused
from comity.flows.actors import Actor
from comity.register.roles import (
    ADMINISTRATOR,
    AGREEMENT_AUTHORITY,
    AUDITOR,
    OFFICER,
    REGISTRY,
    RELEASE_AUTHORITY,
    ROLES,
    SECURITY_OFFICER,
)

EVERYBODY = frozenset(ROLES)
OVERSIGHT = frozenset({REGISTRY, SECURITY_OFFICER, AUDITOR})
OFFICES = OVERSIGHT | {OFFICER, RELEASE_AUTHORITY, AGREEMENT_AUTHORITY}
KEEPERS = frozenset({SECURITY_OFFICER, AUDITOR, ADMINISTRATOR})

WITHOUT_ACTOR: Mapping[str, frozenset[str]] = {
    "agreement.layer.list": EVERYBODY,
    "agreement.list": EVERYBODY,
    "agreement.notice.list": EVERYBODY,
    "agreement.notice.preview": frozenset({AGREEMENT_AUTHORITY, SECURITY_OFFICER}),
    "agreement.read": EVERYBODY,
    "agreement.status": EVERYBODY,
    "agreement.texts": EVERYBODY,
    "agreement.timeline": EVERYBODY,
    "agreement.versions": EVERYBODY,
    "authority.list": EVERYBODY,
    "card.show": EVERYBODY,
    "catch-up": frozenset({ADMINISTRATOR}),
    "cost.list": OVERSIGHT,
    "deposit.check": OFFICES,
    "deposit.list": OFFICES,
    "directory.list": OFFICES,
    "dispute.list": OFFICES,
    "dispute.show": OFFICES,
    "duties.foresee": EVERYBODY,
    "evidence.contradiction": OVERSIGHT,
    "facility.list": OFFICES,
    "facility.persons": OVERSIGHT,
    "facility.show": OFFICES,
    "keys.card": EVERYBODY,
    "law.list": EVERYBODY,
    "ledger.anchor": frozenset({ADMINISTRATOR}),
    "ledger.contradictions": OVERSIGHT | KEEPERS | {AGREEMENT_AUTHORITY},
    "ledger.policy": OVERSIGHT | KEEPERS,
    "ledger.prove": OVERSIGHT,
    "ledger.verify": OVERSIGHT | KEEPERS,
    "ledger.witness.list": OVERSIGHT | KEEPERS,
    "node.status": OVERSIGHT | KEEPERS,
    "peer.list": EVERYBODY,
    "posture.show": EVERYBODY,
    "reconcile.answer": frozenset({REGISTRY}),
    "reconcile.ask": frozenset({REGISTRY}),
    "retention.show": OVERSIGHT | KEEPERS,
}
"""The roles that may ask a flow that takes no actor."""


def takes_actor(request: type[msgspec.Struct]) -> bool:
    """Whether a flow's request says in whose name it is asked."""
    return "actor" in request.__struct_fields__


def check_right(flow: str, request: type[msgspec.Struct], roles: tuple[str, ...]) -> None:
    """Check that somebody with these roles may ask a flow at all.

    Raises:
        Refused: it takes no actor, and the table has none of his roles for it.
    """
    if takes_actor(request):
        return
    allowed = WITHOUT_ACTOR.get(flow, frozenset())
    if not allowed:
        raise Refused(
            f"{flow!r} is for whoever keeps the house, at its command line: comity --help", code="command-line-only"
        )
    if allowed.isdisjoint(roles):
        raise Refused(f"{flow!r} is for {', '.join(sorted(allowed))}; you have none of these roles", code="no-role")


def in_the_name_of(actor: Actor, request: msgspec.Struct) -> bool:
    """Whether a request is asked in somebody's name, where it names anybody."""
    named = getattr(request, "actor", None)
    return not takes_actor(type(request)) or (isinstance(named, Actor) and named.handle == actor.handle)
