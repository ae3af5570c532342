"""One item: what it is, how it hangs together with others, who had each copy when, and all that was done with it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from starlette.responses import Response

from comity.console.banners import banner_of
from comity.console.decided import functions, with_functions
from comity.console.languages import N_
from comity.console.pages.item_drawn import draw_custody, draw_family
from comity.console.pages.register import FORMS
from comity.console.places import agreements
from comity.console.visit import Entry, Visit
from comity.console.words import ACTS, STATES
from comity.errors import Misuse
from comity.flows.deciding.explaining import DecisionTold, Why
from comity.flows.handling.copies import ShowCopy
from comity.flows.looking.item_story import ItemStory, ShowItem

DRAWN_COPIES_MAX = 20
"""Copies whose custody is drawn; the page of copies has all."""
EVENTS_SHOWN = 200
ASKED_BACK: Mapping[str, str] = {
    "return": N_("It is asked back."),
    "destroy": N_("Its destruction is asked for."),
    "either": N_("It is to be sent back or destroyed."),
}


async def item(visit: Visit) -> Response:
    """Everything about an item that whoever looks may see."""
    name = visit.request.path_params["item"]
    story: ItemStory = await visit.ask("item", ShowItem(item=name, actor=visit.actor))
    drawn = [each for each in story.copies if each.holder][:DRAWN_COPIES_MAX]
    chains = [
        await visit.ask(
            "copy.show",
            ShowCopy(item=name, copy=each.number, relationship=each.relationship, actor=visit.actor),
        )
        for each in drawn
    ]
    return visit.show(
        "items/item.html",
        story=story,
        known=await functions(visit) | await _parties(visit, story),
        family=draw_family(visit, story.family),
        custody=draw_custody(visit, chains, {each.holder: each.function for each in story.copies}),
        banner=await banner_of(visit, [(story.label, story.alternative)]),
        events=story.events[-EVENTS_SHOWN:],
        forms=FORMS,
        states=STATES,
        asked_back=ASKED_BACK,
    )


async def _parties(visit: Visit, story: ItemStory) -> dict[str, str]:
    """How pages call the parties that may have done something with an item."""
    parties = {visit.desk.house.party, story.originator, *(each.peer for each in await agreements(visit))}
    return {each: each.upper() for each in parties}


async def why(visit: Visit) -> Response:
    """The decisions about an item, each decided again, with their reasons."""
    name = visit.request.path_params["item"]
    story: ItemStory = await visit.ask("item", ShowItem(item=name, actor=visit.actor))
    return visit.show(
        "items/why.html",
        story=story,
        decisions=await _decisions(visit, name),
        acts=ACTS,
        banner=await banner_of(visit, [(story.label, story.alternative)]),
    )


async def _decisions(visit: Visit, item: str) -> list[DecisionTold]:
    """The decisions that he may see, newest first; none, where he may see none."""
    try:
        found: list[DecisionTold] = await visit.ask("why", Why(of=item, actor=visit.actor, language=visit.words.code))
    except Misuse as error:
        if error.code != "unknown-item":
            raise
        return []
    known = await functions(visit)
    return [msgspec.structs.replace(each, told=with_functions(each.told, known)) for each in found[::-1]]


ROUTES = (Entry("/items/{item}", item), Entry("/items/{item}/why", why))
