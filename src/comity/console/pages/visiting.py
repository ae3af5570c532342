"""What is done about a visit: asked for, permitted or refused, ended, found and mended (Articles 8, 18)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from comity.console.acts import Act, Done, Ready, cell
from comity.console.decided import directory, functions
from comity.console.fields import Field, Typed
from comity.console.languages import N_
from comity.console.places import chosen_relationship, relationship_field
from comity.console.signing import new_name
from comity.console.visit import Visit
from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.people.permitting import PermitVisit, RefuseVisit, VisitPermitted
from comity.flows.people.visit_views import FindingShown, ShowVisit, VisitShown
from comity.flows.people.visits import AskVisit, CloseFinding, EndVisit, MakeFinding

STATES: Mapping[str, str] = {
    "asked": N_("asked for"),
    "permitted": N_("permitted"),
    "refused": N_("refused"),
    "ended": N_("ended"),
    "over": N_("over; nobody has said so yet"),
}


async def visit_seen(visit: Visit) -> VisitShown:
    """The visit that the address names.

    Raises:
        Misuse: there is none of that name for whoever asks.
    """
    request = ShowVisit(visit=_name(visit), actor=visit.actor)
    shown: VisitShown = await visit.ask("visit.show", request)
    return shown


async def _ready_ask(visit: Visit) -> Ready:
    say = visit.words
    own = visit.desk.house.party
    people = tuple(
        (each.pseudonym, f"{each.function}, {each.body}")
        for each in await directory(visit)
        if each.party == own and not each.withdrawn
    )
    return Ready(
        back="/visits",
        fields=(
            *(await relationship_field(visit, needed=True)),
            Field(name="facility", label=say("Site"), hint=say("As the host calls it.")),
            Field(name="topic", label=say("Topic"), hint=say("The need-to-know list of what is to be shown there.")),
            Field(name="scope", label=say("Scope"), kind="area", hint=say("What the visit is to cover.")),
            Field(name="purpose", label=say("Official purpose"), hint=say("What needs it.")),
            Field(name="mark", label=say("Highest level"), hint=say("On the host's ladder, or on your own.")),
            Field(name="visitors", label=say("Who visits"), kind="many", options=people),
            Field(name="starts", label=say("First day"), kind="day"),
            Field(name="ends", label=say("Last day"), kind="until"),
            Field(name="recurring", label=say("Any number of times in between"), kind="check", needed=False),
            Field(name="security", label=say("They are security representatives"), kind="check", needed=False),
            Field(name="subject", label=say("Subject"), hint=say("A word of the agreement."), value="defence"),
        ),
    )


def _ask(visit: Visit, typed: Typed, actor: Actor) -> AskVisit:
    return AskVisit(
        relationship=chosen_relationship(typed),
        facility=typed.text("facility"),
        topic=typed.text("topic"),
        scope=typed.text("scope"),
        purpose=typed.text("purpose"),
        mark=typed.text("mark"),
        visitors=typed.several("visitors"),
        starts=typed.instant("starts"),
        ends=typed.instant("ends"),
        actor=actor,
        recurring=typed.yes("recurring"),
        security=typed.yes("security"),
        subject=typed.text("subject"),
        visit=new_name("v", visit.person.custody, typed.fresh),
    )


def _told(sentence: str) -> Callable[[Visit, VisitShown], Done]:
    """What is said after an act whose flow answers with the visit as it stands."""
    return lambda visit, shown: Done(path=f"/visits/{shown.visit}", told=visit.words(sentence))


ASK = Act(
    path="/visits/ask",
    flow="visit.ask",
    title=N_("Ask for a visit"),
    lead=N_("Ask the host's authority that people of this house may visit a site there."),
    button=N_("Ask"),
    ready=_ready_ask,
    request=_ask,
    done=_told(N_("Asked. The host permits it or refuses it.")),
    events=("visit-wanted", "visit-asked"),
    follows=(N_("What the agreement wants assured of each visitor is assured with it, from your register."),),
    command="comity visit ask --facility SITE … --as {handle} --key FILE",
)


# ---- answering ------------------------------------------------------------------------------------------------------


async def _about(visit: Visit, *fields: Field) -> Ready:
    shown, say = await visit_seen(visit), visit.words
    known = await functions(visit)
    visit.request.state.relationship = shown.relationship
    return Ready(
        back=f"/visits/{shown.visit}",
        fields=fields,
        about=(
            (say("Site"), cell(shown.facility)),
            (say("Topic"), cell(shown.topic)),
            (say("Scope"), cell(shown.scope)),
            (say("Official purpose"), cell(shown.purpose)),
            (say("Highest level"), cell(shown.mark)),
            (say("Who visits"), cell(say.listed([known.get(each, each) for each in shown.visitors]))),
            (say("From"), say.instant(shown.starts)),
            (say("Until"), say.instant(shown.ends)),
            (say("Stands"), say(STATES[shown.state])),
        ),
        seen=_seen(shown),
        last=shown.last,
        relationship=shown.relationship,
        more={"shown": shown},
    )


def _seen(shown: VisitShown) -> str:
    """How a visit stands, by its newest record."""
    closed = sum(each.closed_at is not None for each in shown.findings)
    return f"{shown.state}-{shown.last.record[:16] if shown.last else ''}-{len(shown.findings)}-{closed}"


async def _ready_permit(visit: Visit) -> Ready:
    say = visit.words
    shown = await visit_seen(visit)
    known = await functions(visit)
    people = tuple((each, known.get(each, each)) for each in shown.visitors)
    less = say("Less than was asked for; leave it empty for what was asked.")
    return await _about(
        visit,
        Field(
            name="site",
            label=say("Your facility"),
            hint=say("Where it is called otherwise in the request."),
            needed=False,
        ),
        Field(
            name="told",
            label=say("Who at the site was told"),
            hint=say("A function; else whoever answers for the site."),
            needed=False,
        ),
        Field(name="topic", label=say("Topic"), hint=less, needed=False),
        Field(name="scope", label=say("Scope"), kind="area", hint=less, needed=False),
        Field(name="mark", label=say("Highest level"), hint=less, needed=False),
        Field(name="visitors", label=say("Only these"), kind="many", options=people, hint=less, needed=False),
        Field(name="starts", label=say("First day"), kind="day", hint=less, needed=False),
        Field(name="ends", label=say("Last day"), kind="until", hint=less, needed=False),
        Field(
            name="conditions",
            label=say("Conditions that are met"),
            kind="lines",
            hint=say("Clauses of checklists in layers, each on a line."),
            needed=False,
        ),
    )


def _permitted(visit: Visit, told: VisitPermitted) -> Done:
    sentence = visit.words("Permitted. %(who)s was told of topic, scope and highest level.", who=told.visit.told)
    return Done(path=f"/visits/{told.visit.visit}", told=sentence)


def _place(visit: Visit) -> str:
    """The relationship of the visit, as the form was made for it."""
    relationship: str = visit.request.state.relationship
    return relationship


def _name(visit: Visit) -> str:
    name: str = visit.request.path_params["visit"]
    return name


PERMIT = Act(
    path="/visits/{visit}/permit",
    flow="visit.permit",
    title=N_("Permit the visit"),
    lead=N_("Permit it, as it was asked for or less; it is decided under the agreement, and the site is told."),
    button=N_("Permit it"),
    ready=_ready_permit,
    request=lambda visit, typed, actor: PermitVisit(
        relationship=_place(visit),
        visit=_name(visit),
        actor=actor,
        site=typed.maybe("site"),
        told=typed.maybe("told"),
        topic=typed.maybe("topic"),
        scope=typed.maybe("scope"),
        mark=typed.maybe("mark"),
        visitors=typed.several("visitors") or None,
        starts=typed.maybe_instant("starts"),
        ends=typed.maybe_instant("ends"),
        conditions=typed.several("conditions"),
    ),
    done=_permitted,
    events=("visit-permitted",),
    command="comity visit approve {visit} --as {handle} --key FILE",
)


async def _ready_reason(visit: Visit) -> Ready:
    say = visit.words
    return await _about(
        visit, Field(name="reason", label=say("Reason"), kind="area", hint=say("The other party is told."))
    )


REFUSE = Act(
    path="/visits/{visit}/refuse",
    flow="visit.refuse",
    title=N_("Refuse the visit"),
    lead=N_("Refuse it, or take its permission back, and say why."),
    button=N_("Refuse it"),
    ready=_ready_reason,
    request=lambda visit, typed, actor: RefuseVisit(
        relationship=_place(visit), visit=_name(visit), reason=typed.text("reason"), actor=actor
    ),
    done=_told(N_("Refused. The other party is told why.")),
    final=True,
    command="comity visit refuse {visit} --reason TEXT --as {handle} --key FILE",
)


# ---- afterwards -----------------------------------------------------------------------------------------------------


async def _ready_end(visit: Visit) -> Ready:
    say = visit.words
    return await _about(
        visit,
        Field(
            name="report",
            label=say("Report"),
            kind="area",
            hint=say("What came of it, or why it does not take place; the host reads it."),
        ),
    )


END = Act(
    path="/visits/{visit}/end",
    flow="visit.end",
    title=N_("It is over"),
    lead=N_("Say that the visit is over, or will not take place, and what came of it."),
    button=N_("It is over"),
    ready=_ready_end,
    request=lambda visit, typed, actor: EndVisit(
        relationship=_place(visit), visit=_name(visit), report=typed.text("report"), actor=actor
    ),
    done=_told(N_("Recorded: the visit is over.")),
    events=("visit-ended",),
    final=True,
    command="comity visit end {visit} --report TEXT --as {handle} --key FILE",
)


async def _ready_finding(visit: Visit) -> Ready:
    say = visit.words
    return await _about(
        visit,
        Field(name="says", label=say("What was found"), kind="area"),
        Field(name="wanted", label=say("What is wanted"), kind="area", hint=say("What is to be done about it.")),
    )


FINDING = Act(
    path="/visits/{visit}/finding",
    flow="visit.finding",
    title=N_("Record a finding"),
    lead=N_("Say what a security representative found, and what is to be done about it."),
    button=N_("Record it"),
    ready=_ready_finding,
    request=lambda visit, typed, actor: MakeFinding(
        relationship=_place(visit),
        visit=_name(visit),
        says=typed.text("says"),
        wanted=typed.text("wanted"),
        actor=actor,
        finding=new_name("f", visit.person.custody, typed.fresh),
    ),
    done=_told(N_("Recorded. The host has to mend it and say so.")),
    events=("finding-made",),
    command="comity visit finding {visit} --says TEXT --wanted TEXT --as {handle} --key FILE",
)


async def _ready_close(visit: Visit) -> Ready:
    say = visit.words
    ready = await _about(
        visit, Field(name="evidence", label=say("Evidence"), kind="area", hint=say("What shows that it is mended."))
    )
    finding = _finding(visit, ready.more["shown"])
    more = ((say("What was found"), cell(finding.says)), (say("What is wanted"), cell(finding.wanted)))
    return msgspec.structs.replace(ready, about=(*ready.about, *more))


def _finding(visit: Visit, shown: VisitShown) -> FindingShown:
    """The finding that the address names.

    Raises:
        Misuse: there is none.
    """
    name = visit.request.path_params["finding"]
    found = next((each for each in shown.findings if each.finding == name), None)
    if found is None:
        raise Misuse(f"there is no finding {name!r}", code="unknown-finding")
    return found


CLOSE = Act(
    path="/visits/{visit}/findings/{finding}/close",
    flow="visit.close-finding",
    title=N_("Close the finding"),
    lead=N_("Say that what was found is mended, with what shows it."),
    button=N_("Close it"),
    ready=_ready_close,
    request=lambda visit, typed, actor: CloseFinding(
        relationship=_place(visit),
        visit=_name(visit),
        finding=visit.request.path_params["finding"],
        evidence=typed.text("evidence"),
        actor=actor,
    ),
    done=_told(N_("Recorded: the finding is closed.")),
    command="comity visit close {visit} {finding} --evidence TEXT --as {handle} --key FILE",
)

ROUTES = tuple(each.entry for each in (PERMIT, REFUSE, END, FINDING, CLOSE))
