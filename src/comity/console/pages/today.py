"""Today: what waits for whoever looks, what is owed, and how the house stands with everybody."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response

from comity.console.banners import banner_of
from comity.console.called import called, labels, names
from comity.console.languages import N_
from comity.console.pages.agreement import AHEAD_WORDS
from comity.console.pages.agreement_drawn import PHASES
from comity.console.pages.duties import page_of
from comity.console.pages.incidents import WHAT
from comity.console.visit import Entry, Visit
from comity.flows.finding.today import ShowToday, Today
from comity.flows.finding.waiting import Wait
from comity.flows.looking.called import ItemNamed
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
NAMES = ("question", "title", "facility", "feed", "topic")
"""What names something that is no item of this house, or is none that its reader sees: the first of these it has."""
COMMANDS: Mapping[str, str] = {"negotiation": "comity negotiation show", "dispute": "comity dispute show"}
"""What is typed about what has no page of its own."""


async def today(visit: Visit) -> Response:
    """The first page of the day."""
    if visit.has(ADMINISTRATOR):
        return visit.to("/accounts")
    found: Today = await visit.ask("today", ShowToday(actor=visit.actor, limit=FIRST))
    waiting = [wait for waits in found.waits for wait in waits.first]
    named = await names(visit, [*(each.item for each in waiting), *(each.item for each in found.duties.first)])
    bears = [(wait.label, None) for wait in waiting if wait.label is not None]
    return visit.show(
        "today/today.html",
        found=found,
        named=named,
        name_of=lambda wait: name_of(visit, wait, named),
        page_of=lambda duty: page_of(visit, duty),
        ahead=AHEAD_WORDS,
        kinds=KINDS,
        place=place_of,
        commands=COMMANDS,
        phases=PHASES,
        banner=await banner_of(visit, [*bears, *labels(named)]),
    )


def name_of(visit: Visit, wait: Wait, named: Mapping[str, ItemNamed]) -> str:
    """What a person calls what waits; empty where its number is all that it has."""
    if wait.title:
        return wait.title
    if wait.item in named:
        return called(visit.words, named[wait.item])
    if wait.kind == "incident":
        what = WHAT[wait.parameters["what"]]
        return visit.words(what)
    return next((wait.parameters[each] for each in NAMES if wait.parameters.get(each)), "")


def place_of(wait: Wait) -> str:
    """The page on which something is done about what waits."""
    return PLACES[wait.kind].format(subject=wait.subject, relationship=wait.relationship, item=wait.item)


ROUTES = (Entry("/", today),)
