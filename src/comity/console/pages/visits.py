"""Visits: a month of them, asked for by one side and permitted by the other, and what was found (Articles 8, 18)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

from babel.dates import format_skeleton, get_day_names
from markupsafe import Markup
from starlette.responses import Response

from comity.console.banners import banner_of
from comity.console.decided import functions
from comity.console.languages import N_
from comity.console.pages import visiting
from comity.console.pages.visiting import STATES, visit_seen
from comity.console.pictures import calendar
from comity.console.places import other_party
from comity.console.visit import Entry, Visit
from comity.flows.people.visit_views import ListVisits, VisitShown
from comity.marking.label import Label
from comity.register.roles import AGREEMENT_AUTHORITY, SECURITY_OFFICER

LISTED_MAX = 200
SIDES: Mapping[str, str] = {"visitor": N_("our people visit"), "host": N_("we are the host")}


async def listed(visit: Visit) -> Response:
    """A month of visits as a calendar, and the same as a list."""
    say = visit.words
    today = visit.desk.clock.now().astimezone(say.zone).date()
    first = _month(visit.query.get("month")) or today.replace(day=1)
    following = (first.replace(day=28) + timedelta(days=4)).replace(day=1)
    begins, ends = (datetime.combine(each, time(), say.zone) for each in (first, following))
    found: list[VisitShown] = await visit.ask("visit.list", ListVisits(first=begins, last=ends, actor=visit.actor))
    waiting: list[VisitShown] = await visit.ask("visit.list", ListVisits(open=True, actor=visit.actor))
    return visit.show(
        "visits/list.html",
        calendar=_drawn(visit, first, found, today),
        visits=found[:LISTED_MAX],
        waiting=[each for each in waiting if each.state == "asked"][:LISTED_MAX],
        before=(first - timedelta(days=1)).isoformat()[:7],
        after=following.isoformat()[:7],
        states=STATES,
        sides=SIDES,
        banner=await _banner(visit, *found, *waiting),
    )


def _month(said: str) -> date | None:
    """The month that an address names; None for what is none."""
    try:
        first = date.fromisoformat(f"{said}-01")
    except ValueError:
        return None
    return first if len(said) == len("2027-01") and 1000 < first.year < 9000 else None


async def _banner(visit: Visit, *visits: VisitShown) -> object:
    """The highest level that a visit on the page names."""
    labels = []
    for each in visits:
        owner = visit.desk.house.party if each.side == "host" else other_party(visit, each.relationship)
        labels.append((Label(policy=owner, mark=each.mark, originator=owner), None))
    return await banner_of(visit, labels)


def _drawn(visit: Visit, first: date, visits: list[VisitShown], today: date) -> Markup:
    say = visit.words
    short, long = (get_day_names(width, "stand-alone", say.code) for width in ("short", "wide"))
    words = calendar.Words(
        caption=say("Visits in %(month)s", month=format_skeleton("yMMMM", first, locale=say.code)),
        days=tuple((short[day], long[day]) for day in range(7)),
        today=say("today"),
        nothing=say("No visit in this month."),
    )
    bars = [
        calendar.Visit(
            first=each.starts.astimezone(say.zone).date(),
            last=each.ends.astimezone(say.zone).date(),
            says=f"{each.facility}: {say(STATES[each.state])}",
            sort=each.state,
            href=f"/visits/{each.visit}",
        )
        for each in visits
    ]
    return calendar.month(first, bars, words, today=today, starts_on=0 if say.code == "en" else 6)


async def one(visit: Visit) -> Response:
    """One visit: who, where, up to which level, what was shown, what was found."""
    shown = await visit_seen(visit)
    return visit.show(
        "visits/one.html",
        shown=shown,
        known=await functions(visit),
        states=STATES,
        sides=SIDES,
        acts=_possible(visit, shown),
        may_close=shown.side == "host" and visit.has(AGREEMENT_AUTHORITY, SECURITY_OFFICER),
        banner=await _banner(visit, shown),
    )


def _possible(visit: Visit, shown: VisitShown) -> list[tuple[str, str]]:
    """What whoever looks may want to do about it, as far as its state and his roles say."""
    authority = visit.has(AGREEMENT_AUTHORITY, SECURITY_OFFICER)
    found = []
    if shown.side == "host" and authority and shown.state in ("asked", "refused"):
        found.append(("permit", visiting.PERMIT.title))
    if shown.side == "host" and authority and shown.state in ("asked", "permitted"):
        found.append(("refuse", visiting.REFUSE.title))
    if shown.side == "visitor" and shown.state in ("asked", "permitted", "over"):
        found.append(("end", visiting.END.title))
    if shown.side == "visitor" and shown.security and shown.state in ("permitted", "over", "ended"):
        found.append(("finding", visiting.FINDING.title))
    return found


ROUTES = (
    Entry("/visits", listed),
    visiting.ASK.entry,
    Entry("/visits/{visit}", one),
    *visiting.ROUTES,
)
