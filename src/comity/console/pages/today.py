"""Today: what waits for whoever looks, what is owed, and how the house stands with everybody."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response

from comity.console.banners import banner_of
from comity.console.languages import N_
from comity.console.pages.agreement_drawn import PHASES
from comity.console.visit import Entry, Visit
from comity.flows.finding.today import ShowToday, Today
from comity.flows.finding.waiting import Wait
from comity.register.roles import ADMINISTRATOR

FIRST = 8
"""How many of each list are shown; the page of the list has all."""
KINDS: Mapping[str, str] = {
    "approve": N_("Releases to approve"),
    "asked": N_("Your requests that wait for somebody else"),
    "assure": N_("Assurances to give"),
    "consent": N_("Consents to answer"),
    "visit": N_("Visits to answer"),
    "recall": N_("Recalls to answer"),
    "incident": N_("Open incidents"),
    "dispute": N_("Open disputes"),
    "negotiation": N_("Negotiations"),
    "note": N_("Notes about the end of an agreement"),
    "amendment": N_("Amendments to acknowledge"),
    "feed": N_("Feeds offered to this house"),
    "contradiction": N_("Contradictions"),
    "receipt": N_("Given, and not yet received"),
}
"""What may wait, as the heading of a list."""
PLACES: Mapping[str, str] = {
    "approve": "/releases/{subject}",
    "asked": "/releases/{subject}",
    "assure": "/assurances/{relationship}/{subject}",
    "consent": "/consents/{subject}",
    "visit": "/visits/{subject}",
    "recall": "/copies/{item}/recall",
    "incident": "/incidents/{subject}",
    "receipt": "/items/{item}",
    "contradiction": "/ledger",
    "feed": "/feeds",
    "amendment": "/agreement/{relationship}",
    "note": "/agreement/{relationship}",
    "negotiation": "/agreements",
    "dispute": "/agreement/{relationship}",
}
"""Where something is done about it."""
COMMANDS: Mapping[str, str] = {"negotiation": "comity negotiation show", "dispute": "comity dispute show"}
"""What is typed about what has no page of its own."""


async def today(visit: Visit) -> Response:
    """The first page of the day."""
    if visit.has(ADMINISTRATOR):
        return visit.to("/accounts")
    found: Today = await visit.ask("today", ShowToday(actor=visit.actor, limit=FIRST))
    labels = [(wait.label, None) for waits in found.waits for wait in waits.first if wait.label is not None]
    return visit.show(
        "today/today.html",
        found=found,
        kinds=KINDS,
        place=place_of,
        commands=COMMANDS,
        phases=PHASES,
        banner=await banner_of(visit, labels),
    )


def place_of(wait: Wait) -> str:
    """The page on which something is done about what waits."""
    return PLACES[wait.kind].format(subject=wait.subject, relationship=wait.relationship, item=wait.item)


ROUTES = (Entry("/", today),)
