"""Which flows are verbs of the API, and which of them only read (``spec/api.md`` steps 1 and 2)."""

from __future__ import annotations

from collections.abc import Mapping

from comity.console.desk import AnyFlow
from comity.console.rights import WITHOUT_ACTOR, takes_actor

_READING = """
    agreement.layer.list agreement.list agreement.notice.list agreement.notice.preview agreement.read
    agreement.status agreement.timeline agreement.versions agreement.what-if authority.list card.show
    clearance.list consent.list copy.label copy.list copy.scan copy.show cost.list decision.show deposit.check
    deposit.list destroy.certificate directory.list dispute.list dispute.show duties.foresee duties.list events.list
    facility.list facility.persons facility.show feed.elsewhere feed.list feed.readers feed.show given inbox
    incident.list incident.show item item.called keys.card law.list ledger.contradictions ledger.policy ledger.prove
    ledger.verify ledger.witness.list level.reviews level.show lineage muster.show negotiation.list
    negotiation.read negotiation.show node.status outbox pass-on.list peer.list person.list posture.show
    recall.show register register.facets register.page retention.show show.compare today visit.list visit.show
    why
"""
READING = frozenset(_READING.split())
"""Flows that record nothing."""


def verbs(flows: Mapping[str, AnyFlow]) -> dict[str, AnyFlow]:
    """The flows that the API offers: those that take an actor, or stand in the table of those that do not."""
    return {name: flow for name, flow in sorted(flows.items()) if takes_actor(flow.request) or name in WITHOUT_ACTOR}
