"""Showing: asked for, and recorded once it was done; no copy is made (Articles 7.5, 8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from comity.console.acts import Act, Done, Ready, cell
from comity.console.decided import directory, functions
from comity.console.fields import Field, Typed, moment_of
from comity.console.languages import N_
from comity.console.places import chosen_relationship, relationship_field
from comity.console.signing import new_name
from comity.console.visit import Visit
from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.consenting.showing import AskShow, DoneShow, ShowTold
from comity.flows.looking.requests import ShowRequest
from comity.flows.looking.views import RequestLine
from comity.record.bodies.consents import Manner

MANNERS: Mapping[str, str] = {"oral": N_("by word"), "visual": N_("by sight")}


async def request_line_seen(visit: Visit, act: str) -> RequestLine:
    """The request that the address names, as far as whoever asks may see it.

    Raises:
        Misuse: there is none for him.
    """
    name = visit.request.path_params["request"]
    asked = ShowRequest(request=name, actor=visit.actor, language=visit.words.code)
    line: RequestLine = (await visit.ask("request.show", asked)).line
    if line.act != act or line.given:
        raise Misuse(f"there is no request {name!r} that waits", code="unknown-request")
    return line


async def about_request(visit: Visit, act: str, *fields: Field) -> Ready:
    """A form about the request that the address names."""
    line, say = await request_line_seen(visit, act), visit.words
    known = await functions(visit)
    return Ready(
        back="/onward",
        fields=fields,
        about=(
            (say("Item"), cell(line.title or line.item)),
            (say("To whom"), cell(say.listed([known.get(each, each) for each in line.recipients]))),
            (say("Purpose"), cell(line.purpose)),
            (say("Approved by"), cell(say.listed(line.approved_by) or say("nobody yet"))),
        ),
        relationship=line.relationship,
    )


def name_of(visit: Visit) -> str:
    """The request that the address names."""
    name: str = visit.request.path_params["request"]
    return name


async def _ready_show(visit: Visit) -> Ready:
    say = visit.words
    people = tuple(
        (each.pseudonym, f"{each.party.upper()}: {each.function}, {each.body}")
        for each in await directory(visit)
        if each.receives and not each.withdrawn
    )
    return Ready(
        back="/onward",
        fields=(
            *(await relationship_field(visit, needed=True)),
            Field(name="recipients", label=say("To whom"), kind="many", options=people),
            Field(
                name="manner",
                label=say("How"),
                kind="choice",
                options=tuple((word, say(told)) for word, told in MANNERS.items()),
            ),
            Field(name="purpose", label=say("Purpose"), hint=say("What for; it may be used for nothing else.")),
            Field(
                name="item",
                label=say("Item"),
                hint=say("Its identifier; leave it empty for something new, with the next three."),
                needed=False,
            ),
            Field(name="mark", label=say("Mark"), hint=say("Your own, exactly as on your ladder."), needed=False),
            Field(name="topic", label=say("Topic"), hint=say("Its need-to-know list."), needed=False),
            Field(
                name="title",
                label=say("Title"),
                hint=say("What this house calls it; it stays here."),
                needed=False,
            ),
        ),
    )


def _show(visit: Visit, typed: Typed, actor: Actor) -> AskShow:
    return AskShow(
        relationship=chosen_relationship(typed),
        recipients=typed.several("recipients"),
        manner=cast("Manner", typed.text("manner")),
        purpose=typed.text("purpose"),
        actor=actor,
        item=typed.maybe("item"),
        mark=typed.text("mark"),
        topic=typed.text("topic"),
        title=typed.text("title"),
        request=new_name("r", visit.person.custody, typed.fresh),
        new=new_name("i", visit.person.custody, typed.fresh),
    )


def _wants_showing(visit: Visit, told: ShowTold) -> Done:
    sentence = visit.words(
        "Asked: %(request)s. Somebody else approves it before anything is shown.", request=told.request
    )
    if told.assured:
        sentence += " " + visit.words("The other party assures its people first.")
    return Done(path="/onward", told=sentence)


SHOW = Act(
    path="/onward/show",
    flow="show.ask",
    title=N_("Show something"),
    lead=N_("Ask that something be told or let be seen; no copy is made, and both registers say what was shown."),
    button=N_("Ask"),
    ready=_ready_show,
    request=_show,
    done=_wants_showing,
    follows=(N_("The other party assures its people first, and somebody else here approves."),),
    command="comity show ask --form FORM --to WHO --purpose TEXT --as {handle} --key FILE",
    decided=lambda told: told.decision if not told.request else None,
)


async def _ready_done(visit: Visit) -> Ready:
    say = visit.words
    now = visit.desk.clock.now().isoformat()
    return await about_request(
        visit,
        "show",
        Field(name="now", label=say("Now"), kind="hidden", value=now, needed=False),
        Field(
            name="at",
            label=say("When it was shown"),
            kind="moment",
            hint=say("Now, unless given."),
            needed=False,
        ),
        Field(name="visit", label=say("Visit"), hint=say("During which visit, where it was one."), needed=False),
    )


def _done(visit: Visit, typed: Typed, actor: Actor) -> DoneShow:
    """It was shown when he says, else now; who keeps his own key signs over the instant at which he opened the form."""
    at = typed.maybe_instant("at")
    if at is None and visit.person.custody == "strict":
        at = moment_of(typed.text("now"), visit.words.zone)
    return DoneShow(request=name_of(visit), actor=actor, at=at, visit=typed.maybe("visit"))


def _was_shown(visit: Visit, told: ShowTold) -> Done:
    return Done(path="/onward", told=visit.words("Recorded as shown: %(item)s. No copy was made.", item=told.item))


SHOWN = Act(
    path="/onward/show/{request}/done",
    flow="show.done",
    title=N_("It was shown"),
    lead=N_("Record that something was shown, once nothing is missing; it is decided again first."),
    button=N_("Record it"),
    ready=_ready_done,
    request=_done,
    done=_was_shown,
    command="comity show done {request} --as {handle} --key FILE",
    decided=lambda told: told.decision if not told.record else None,
)

ROUTES = (SHOW.entry, SHOWN.entry)
