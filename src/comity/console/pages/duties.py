"""Duties: what this house and the other parties owe, by the clock, with the page on which each is done."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec
from starlette.responses import Response

from comity.console.banners import banner_of
from comity.console.called import labels, names
from comity.console.fields import Field, read_typed
from comity.console.languages import N_
from comity.console.visit import Entry, Visit
from comity.flows.looking.duties import DutiesShown, DutyShown, ListDuties
from comity.register.roles import ASSURANCE_OFFICER

LISTED_MAX = 300
"""Most duties of each party on one page; what presses most comes first."""
DAY = timedelta(days=1)
CLOCKS: tuple[tuple[str, str], ...] = (
    ("overdue", N_("Overdue")),
    ("now", N_("Due at once")),
    ("week", N_("Due within seven days")),
    ("later", N_("Due later")),
    ("undated", N_("Without a day: as soon as it can be done")),
)
"""In which order duties press, and what each group is called."""
WITHIN: Mapping[str, str] = {
    "immediately": N_("immediately"),
    "promptly": N_("promptly"),
    "as-appropriate": N_("as appropriate"),
    "before": N_("before it is done"),
    "at-receipt": N_("at receipt"),
    "at-creation": N_("when it is made"),
    "continuous": N_("for as long as it lasts"),
}
"""Limits of time that carry no number."""
ITEM = re.compile("[iv]-[a-z2-7]{16}")


class DutyLine(msgspec.Struct, frozen=True, kw_only=True):
    """A duty on a page: where it is done, and under which clock it stands."""

    duty: DutyShown
    clock: str
    href: str


async def listed(visit: Visit) -> Response:
    """What is owed, grouped by the clock; of both sides, of one, of one item, or what is overdue only."""
    say = visit.words
    fields = (
        Field(
            name="whose",
            label=say("Whose"),
            kind="choice",
            options=(("all", say("of everybody")), ("mine", say("ours")), ("theirs", say("of the other side"))),
            value="all",
        ),
        Field(name="item", label=say("Item"), needed=False),
        Field(name="overdue", label=say("Only what is overdue"), kind="check", needed=False),
    )
    typed = read_typed(fields, visit.query, say, blank=True)
    whose = typed.text("whose")
    found: DutiesShown = await visit.ask(
        "duties.list",
        ListDuties(
            whose=whose if whose in ("mine", "theirs") else "all",  # type: ignore[arg-type]  # one of the words
            overdue=typed.yes("overdue"),
            item=typed.maybe("item"),
            actor=visit.actor,
            limit=LISTED_MAX,
        ),
    )
    named = await names(visit, [each.item for each in (*found.duties, *found.standing[:LISTED_MAX])])
    lines = [DutyLine(duty=each, clock=clock_of(each, found.at), href=page_of(visit, each)) for each in found.duties]
    groups = [
        (key, title, [each for each in lines if each.clock == key and not each.duty.discharged])
        for key, title in CLOCKS
    ]
    return visit.show(
        "duties/list.html",
        found=found,
        fields=fields,
        typed=typed,
        groups=[each for each in groups if each[2]],
        done=[each for each in lines if each.duty.discharged],
        standing=found.standing[:LISTED_MAX],
        within=WITHIN,
        named=named,
        banner=await banner_of(visit, labels(named)),
    )


def clock_of(duty: DutyShown, at: datetime) -> str:
    """Under which clock a duty stands at an instant."""
    if duty.overdue:
        return "overdue"
    if duty.now:
        return "now"
    if duty.due is None:
        return "undated"
    return "week" if duty.due <= at + 7 * DAY else "later"


def page_of(visit: Visit, duty: DutyShown) -> str:
    """The page on which this house does it; empty where it is not ours, or has no page of its own."""
    if not duty.next:
        return ""
    words = duty.next.split()
    for command, page in PAGES:
        if words[1 : 1 + len(command)] == list(command):
            rest = words[1 + len(command) :]
            named = rest[0] if rest and not rest[0].startswith("-") else ""
            copy = rest[rest.index("--copy") + 1] if "--copy" in rest else ""
            if "{named}" in page and not named:
                return ""
            if "{copy}" in page and not copy.isdecimal():
                return f"/copies/{named}" if ITEM.fullmatch(named) else ""
            if page == ASSURANCE and not visit.has(ASSURANCE_OFFICER):
                return "/releases"
            return page.format(named=named, copy=copy, relationship=duty.relationship)
    return ""


ASSURANCE = "/assurances/{relationship}/{named}"
"""The page on which a request for assurance is answered; whoever does not answer it is led to the list."""
PAGES: tuple[tuple[tuple[str, ...], str], ...] = (
    (("consent", "grant"), "/requests/{named}/grant"),
    (("consent",), "/requests"),
    (("visit", "approve"), "/visits/{named}/permit"),
    (("visit", "end"), "/visits/{named}/end"),
    (("visit", "close"), "/visits/{named}"),
    (("visit", "ask"), "/visits/ask"),
    (("incident", "investigate"), "/incidents/{named}/investigate"),
    (("incident", "result"), "/incidents/{named}/result"),
    (("incident", "report"), "/incidents/report"),
    (("take-over",), "/copies/{named}/{copy}/take-over"),
    (("return", "receive"), "/copies/{named}/{copy}/take-back"),
    (("return",), "/copies/{named}/{copy}/return"),
    (("pass-on", "receipt"), "/onward/receipt?item={named}&copy={copy}"),
    (("reclassify",), "/copies/{named}/levels/change"),
    (("muster", "begin"), "/muster"),
    (("person", "list"), "/people"),
    (("clearance", "list"), "/people"),
    (("facility", "inspect"), "/sites/{named}/inspect"),
    (("facility", "officer"), "/sites"),
    (("inbox", "mark"), "/items/{named}"),
    (("assure",), ASSURANCE),
    (("register",), "/register"),
)
"""The page on which a command of ``duty_words.WORDS`` is done; the first that fits."""

ROUTES = (Entry("/duties", listed),)
