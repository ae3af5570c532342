"""The glossary: every term in three languages, with the source of each."""

from __future__ import annotations

from starlette.responses import Response

from comity.console.glossary import GROUPS, KNOWN, glossary
from comity.console.visit import Entry, Visit

WANTED_MAX = 100
"""Most characters by which a term is looked for."""


async def terms(visit: Visit) -> Response:
    """Every term, or those in which a text stands."""
    wanted = visit.query.get("q")[:WANTED_MAX]
    book = glossary()
    found = book.found(wanted)
    return visit.show(
        "glossary/terms.html",
        wanted=wanted,
        book=book,
        known=KNOWN,
        groups=[
            (name, title, [each for each in found if each.group == name])
            for name, title in GROUPS.items()
            if any(each.group == name for each in found)
        ],
    )


ROUTES = (Entry("/glossary", terms, open=True),)
