"""The register: what came, what went, and what is here, as far as whoever looks may see it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import urlencode

from starlette.responses import Response

from comity.answers import status_of
from comity.console.banners import banner_of
from comity.console.fields import Field, Typed, read_typed
from comity.console.languages import N_
from comity.console.visit import Entry, Visit
from comity.console.words import STATES
from comity.errors import Misuse
from comity.flows.finding.pages import Facets, Page, ShowFacets
from comity.flows.finding.questions import ReadPage

BOXES: Mapping[str, str] = {
    "all": N_("everything"),
    "in": N_("what came"),
    "out": N_("what went"),
    "own": N_("this house's own"),
}
FORMS: Mapping[str, str] = {
    "oral": N_("oral"),
    "visual": N_("visual"),
    "electronic": N_("electronic"),
    "magnetic": N_("magnetic"),
    "documentary": N_("documentary"),
    "equipment": N_("equipment"),
    "technology": N_("technology"),
}
"""In which form information may be."""
LINES = 50
NOTHING = Page(lines=(), older="", newer="", total=None, searched_to=None)


async def register(visit: Visit) -> Response:
    """One page of the register, newest first."""
    fields = _fields(visit, await visit.ask("register.facets", ShowFacets(actor=visit.actor)))
    typed = read_typed(fields, visit.query, visit.words)
    mistakes: dict[str, object] = dict(typed.mistakes)
    page, status = NOTHING, 422
    if not mistakes:
        try:
            page, status = await visit.ask("register.page", _request(visit, typed)), 200
        except Misuse as error:
            mistakes[""], status = visit.words.told(error.sentence, error.code), status_of(error)
    chosen = {each.name: typed.text(each.name) for each in fields if typed.text(each.name)}
    return visit.show(
        "register/lines.html" if visit.partial else "register/register.html",
        status,
        page=page,
        fields=fields,
        typed=typed,
        filtered=bool(chosen.keys() - {"box"}) or chosen.get("box", "all") != "all",
        mistakes=mistakes,
        banner=await banner_of(visit, [(line.label, line.alternative) for line in page.lines]),
        forms=FORMS,
        states=STATES,
        older=_link(chosen, "after", page.older),
        newer=_link(chosen, "before", page.newer),
    )


def _fields(visit: Visit, facets: Facets) -> tuple[Field, ...]:
    say = visit.words

    def one_of(name: str, label: str, values: Iterable[str], words: Mapping[str, str] | None = None) -> Field:
        shown = [(value, say.message(words[value]) if words and value in words else value) for value in values]
        return Field(name=name, label=label, kind="choice", needed=False, options=(("", say("any")), *shown))

    boxes = tuple((box, say.message(word)) for box, word in BOXES.items())
    return (
        Field(name="text", label=say("Words of the title, topic or subject"), needed=False),
        Field(name="box", label=say("Which part"), kind="choice", needed=False, options=boxes),
        one_of("relationship", say("Under"), facets.relationships),
        one_of("peer", say("With"), facets.peers),
        one_of("mark", say("Mark"), facets.marks),
        one_of("topic", say("Topic"), facets.topics),
        one_of("form", say("Form"), facets.forms, FORMS),
        one_of("state", say("A copy is"), STATES, STATES),
        Field(name="since", label=say("Registered from"), kind="day", needed=False),
        Field(name="until", label=say("Registered until"), kind="until", needed=False),
    )


def _request(visit: Visit, typed: Typed) -> ReadPage:
    return ReadPage(
        box=typed.text("box") or "all",  # type: ignore[arg-type]  # one of the boxes: the field was checked
        relationship=typed.text("relationship"),
        peer=typed.text("peer"),
        mark=typed.text("mark"),
        topic=typed.text("topic"),
        form=typed.text("form"),
        state=typed.text("state"),
        text=typed.text("text"),
        since=typed.maybe_instant("since"),
        until=typed.maybe_instant("until"),
        after=visit.query.get("after"),
        before=visit.query.get("before"),
        limit=LINES,
        actor=visit.actor,
    )


def _link(chosen: Mapping[str, str], cursor: str, value: str) -> str:
    """The address of another page of the same question; empty where there is none."""
    return f"/register?{urlencode({**chosen, cursor: value})}" if value else ""


ROUTES = (Entry("/register", register),)
