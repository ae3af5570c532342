"""Copies: in whose hands each is, how it got there, and what whoever looks can do with it (Articles 9, 12, 14)."""

from __future__ import annotations

from starlette.responses import Response

from comity.console.banners import banner_of
from comity.console.called import called_whole, labels, names
from comity.console.decided import functions
from comity.console.pages import endings, hands, recalls
from comity.console.pages.hands import IN, copy_shown
from comity.console.visit import Entry, Visit
from comity.console.words import RECORDS, STATES
from comity.errors import Misuse
from comity.flows.ending.level_books import LevelsShown, ListReviews, ShowLevels
from comity.flows.handling.copies import CopyLine, CopyShown, ListCopies, ScanCopy
from comity.flows.looking.item_story import ItemStory, ShowItem
from comity.flows.people.person_views import ListPeople, PersonShown
from comity.register.roles import REGISTRY

REVIEWS_MAX = 200
"""Most levels to be reviewed on one page; what has waited longest comes first."""


async def find(visit: Visit) -> Response:
    """Find a copy by what its label says."""
    reference = visit.query.get("reference")
    reviews = (await visit.ask("level.reviews", ListReviews(actor=visit.actor)))[:REVIEWS_MAX]
    named = await names(visit, [each.item for each in reviews])
    known = {"reviews": reviews, "named": named, "banner": await banner_of(visit, labels(named))}
    if reference:
        try:
            found: CopyLine = await visit.ask("copy.scan", ScanCopy(reference=reference, actor=visit.actor))
        except Misuse as error:
            return visit.show("copies/find.html", 400, reference=reference, error=error, **known)
        return visit.to(f"/copies/{found.item}/{found.number}", **{IN: found.relationship})
    return visit.show("copies/find.html", reference="", error=None, **known)


async def _story(visit: Visit, item: str) -> tuple[str, dict[str, str]]:
    """What an item is called, and the functions of all whom its copies name, as far as whoever asks may see."""
    story: ItemStory = await visit.ask("item", ShowItem(item=item, actor=visit.actor))
    holders = {each.holder: each.function for each in story.copies if each.function}
    return called_whole(visit.words, story), holders | await functions(visit)


async def listed(visit: Visit) -> Response:
    """The copies of an item that whoever asks may see."""
    item = visit.request.path_params["item"]
    copies = await visit.ask("copy.list", ListCopies(item=item, actor=visit.actor))
    levels = await levels_of(visit, item)
    called, known = await _story(visit, item)
    return visit.show(
        "copies/list.html",
        item=item,
        called=called,
        copies=copies,
        levels=levels,
        banner=await banner_of(visit, [(levels.label, levels.alternative)]),
        known=known,
        states=STATES,
    )


async def one(visit: Visit) -> Response:
    """One copy with its chain of custody, and what whoever looks can do with it."""
    shown = await copy_shown(visit)
    levels = await levels_of(visit, shown.copy.item)
    called, known = await _story(visit, shown.copy.item)
    return visit.show(
        "copies/one.html",
        shown=shown,
        called=called,
        copy=shown.copy,
        known=known,
        states=STATES,
        records=RECORDS,
        banner=await banner_of(visit, [(levels.label, levels.alternative)]),
        acts=await _possible(visit, shown),
    )


async def levels_of(visit: Visit, item: str) -> LevelsShown:
    """The level of an item, for the banner and for what is to be re-marked."""
    levels: LevelsShown = await visit.ask("level.show", ShowLevels(item=item, actor=visit.actor))
    return levels


async def _possible(visit: Visit, shown: CopyShown) -> list[tuple[str, str]]:
    """What whoever looks may want to do with a copy, as far as its state and his hands say."""
    copy = shown.copy
    mine = await _name(visit, copy.relationship)
    holds, keeps = copy.holder == mine, visit.has(REGISTRY)
    sent_back = bool(shown.chain) and shown.chain[-1].kind == "return/1"
    found = []
    if copy.state == "in transit" and copy.taker == mine:
        found.append(("take-over", hands.TAKE_OVER.title))
    if copy.state == "in transit" and not sent_back:
        found.append(("carry", hands.CARRY.title))
    if copy.state == "in transit" and sent_back and keeps:
        found.append(("take-back", endings.TAKE_BACK.title))
    if copy.state == "held" and (holds or keeps):
        found.append(("hand-over", hands.HAND_OVER.title))
    if copy.state == "held" and holds:
        found += [("copy", hands.MAKE.title), ("return", endings.RETURN.title), ("destroy", endings.DESTROY.title)]
    if copy.state in ("held", "in transit") and (mine in (copy.holder, copy.taker, copy.custodian) or keeps):
        found.append(("lost", hands.LOST.title))
    if copy.state == "lost" and (holds or keeps):
        found.append(("found", hands.FOUND.title))
    return found


async def _name(visit: Visit, relationship: str) -> str:
    """The pseudonym of whoever is signed in."""
    people: list[PersonShown] = await visit.ask("person.list", ListPeople(visit.actor, visit.person.person))
    return next((each.pseudonyms.get(relationship, "") for each in people), "")


ROUTES = (
    Entry("/copies", find),
    *endings.ROUTES,
    *recalls.ROUTES,
    *hands.ROUTES,
    Entry("/copies/{item}", listed),
    Entry("/copies/{item}/{number}", one),
)
