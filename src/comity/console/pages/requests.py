"""Requests: consents asked of us and by us, what was answered, granted unasked and withdrawn (Articles 6(a), 6(c)).

Passing on, showing and other use, for which consents are asked, are in ``onward.py``.
"""

from __future__ import annotations

import msgspec
from starlette.responses import Response

from comity.console.banners import banner_of
from comity.console.called import labels, names
from comity.console.pages import asking, consents
from comity.console.pages.consents import ANSWERS, STANDINGS, consents_about
from comity.console.places import other_party
from comity.console.visit import Entry, Visit
from comity.console.words import ACTS, BODIES
from comity.flows.consenting.consent_register import AskedShown, ConsentsShown, ListConsents
from comity.flows.consenting.granting import (
    no_request,
)
from comity.marking.label import Label
from comity.register.roles import OFFICER, REGISTRY, RELEASE_AUTHORITY

LISTED_MAX = 200
"""Most lines of each list on one page."""
READ_MAX = 1_000
"""Most requests and consents that are looked at for it: the newest."""


async def listed(visit: Visit) -> Response:
    """What is asked of us and by us, what we granted, and what was granted to us; what waits comes first."""
    found: ConsentsShown = await visit.ask("consent.list", ListConsents(actor=visit.actor, limit=READ_MAX))
    return await _page(visit, "requests/list.html", found)


async def one(visit: Visit) -> Response:
    """One request with its answer, or one consent; whichever has this id.

    Raises:
        Misuse: there is none for whoever asks.
    """
    name = visit.request.path_params["name"]
    found = await consents_about(visit, name)
    if not found.asked and not found.consents:
        raise no_request(name)
    for each in found.asked:
        if each.consent:
            found = msgspec.structs.replace(found, consents=(await consents_about(visit, each.consent)).consents)
    return await _page(visit, "requests/one.html", found, name)


async def _page(visit: Visit, template: str, found: ConsentsShown, name: str = "") -> Response:
    asked = sorted(found.asked, key=lambda each: (each.answer == "silent", each.at), reverse=True)
    given = sorted(found.consents, key=lambda each: (each.standing == "holds", each.at), reverse=True)
    named = await names(visit, [*(each.item for each in found.asked), *(each.item or "" for each in found.consents)])
    marks = [(_label(visit, each), None) for each in found.asked]
    return visit.show(
        template,
        named=named,
        of_us=[each for each in asked if not each.ours][:LISTED_MAX],
        by_us=[each for each in asked if each.ours][:LISTED_MAX],
        our_own=[each for each in given if each.ours][:LISTED_MAX],
        for_us=[each for each in given if not each.ours][:LISTED_MAX],
        more=found.more,
        answers=ANSWERS,
        standings=STANDINGS,
        acts=ACTS,
        bodies=BODIES,
        may_answer=visit.has(RELEASE_AUTHORITY),
        may_drop=visit.has(OFFICER, REGISTRY),
        banner=await banner_of(visit, [*marks, *labels(named)]),
        name=name,
    )


def _label(visit: Visit, asked: AskedShown) -> Label:
    """The originator's label of what is asked about."""
    originator = other_party(visit, asked.relationship) if asked.ours else visit.desk.house.party
    return Label(policy=originator, mark=asked.mark, originator=originator)


ROUTES = (
    Entry("/requests", listed),
    Entry("/consents/{name}", one),
    *asking.ROUTES,
    *consents.ROUTES,
)
