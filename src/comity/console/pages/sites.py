"""Sites and systems: what each may hold, what shows that it protects, who answers for it, who works there (10, 16)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, cast

from starlette.responses import Response

from comity.console.acts import Act, Done, Ready, cell
from comity.console.fields import Field, Typed
from comity.console.languages import N_
from comity.console.visit import Entry, Visit
from comity.flows.actors import Actor
from comity.flows.people.places import (
    EvidenceCondition,
    InspectFacility,
    NameOfficer,
    PostPerson,
    RegisterFacility,
)
from comity.flows.people.site_registers import (
    AskPersons,
    FacilityShown,
    ListFacilities,
    PersonsShown,
    ShowFacility,
)
from comity.record.bodies.places import BorneOut
from comity.register.roles import AUDITOR, REGISTRY, SECURITY_OFFICER

NATURES: Mapping[str, str] = {
    "government": N_("a government site"),
    "contractor": N_("a contractor's site"),
    "system": N_("a system"),
}
REGISTERS: Mapping[str, str] = {
    "briefings": N_("the briefings"),
    "clearances": N_("the clearances"),
    "inspections": N_("the inspections"),
    "officer": N_("the responsible officer"),
    "postings": N_("the register of persons"),
}
"""Registers of this house that may have to bear a condition out."""
STATES: Mapping[str, str] = {
    "met": N_("met"),
    "missing": N_("missing"),
    "ended": N_("its evidence has ended"),
    "not borne out": N_("the register of this house says otherwise"),
    "missing above": N_("the firm above does not meet it"),
}


async def listed(visit: Visit) -> Response:
    """Every site of this house, those first at which something is not as it should be."""
    found: list[FacilityShown] = await visit.ask("facility.list", ListFacilities())
    found.sort(key=lambda each: (not each.warnings, each.facility))
    return visit.show("sites/list.html", sites=found, natures=NATURES, may_change=visit.has(SECURITY_OFFICER))


async def one(visit: Visit) -> Response:
    """One site with its conditions, its inspections, and the register of persons."""
    site = await _site(visit)
    persons: PersonsShown | None = None
    if visit.has(REGISTRY, SECURITY_OFFICER, AUDITOR):
        persons = await visit.ask("facility.persons", AskPersons(facility=site.facility))
    return visit.show(
        "sites/one.html",
        site=site,
        persons=persons,
        natures=NATURES,
        states=STATES,
        may_change=visit.has(SECURITY_OFFICER),
    )


async def _site(visit: Visit) -> FacilityShown:
    site: FacilityShown = await visit.ask("facility.show", ShowFacility(facility=visit.request.path_params["site"]))
    return site


def _name(visit: Visit) -> str:
    name: str = visit.request.path_params["site"]
    return name


def _told(sentence: str) -> Callable[[Visit, FacilityShown | PersonsShown], Done]:
    """What is said after an act whose flow answers with the site as it stands."""
    return lambda visit, site: Done(path=f"/sites/{site.facility}", told=visit.words(sentence, site=site.facility))


def _approval(visit: Visit, site: FacilityShown | None = None) -> tuple[Field, ...]:
    say = visit.words
    return (
        Field(
            name="mark",
            label=say("Up to which mark"),
            hint=say("Exactly as on your own ladder."),
            value=site.mark if site else "",
        ),
        Field(name="until", label=say("Last day of the approval"), kind="until"),
        Field(name="evidence", label=say("Evidence"), hint=say("Where the evidence is, such as a file number.")),
        Field(
            name="nature",
            label=say("What it is"),
            kind="choice",
            options=tuple((each, say(told)) for each, told in NATURES.items()),
            value=site.nature if site else "government",
        ),
        Field(
            name="parent",
            label=say("Sub-contractor of"),
            hint=say("The site of the firm above it."),
            needed=False,
            value=(site.parent or "") if site else "",
        ),
        Field(
            name="conditions",
            label=say("Conditions that are met"),
            kind="lines",
            hint=say("Clauses of the checklist for sites, each on a line, all by this evidence."),
            needed=False,
        ),
    )


async def _ready_register(visit: Visit) -> Ready:
    say = visit.words
    return Ready(
        back="/sites",
        fields=(Field(name="facility", label=say("Site"), hint=say("A short identifier.")), *_approval(visit)),
    )


def _register(_visit: Visit, typed: Typed, actor: Actor) -> RegisterFacility:
    return RegisterFacility(
        facility=typed.text("facility"),
        mark=typed.text("mark"),
        until=typed.instant("until"),
        conditions=typed.several("conditions"),
        evidence=typed.text("evidence"),
        actor=actor,
        nature=cast("Literal['government', 'contractor', 'system']", typed.text("nature")),
        parent=typed.maybe("parent"),
    )


REGISTER = Act(
    path="/sites/register",
    flow="facility.register",
    title=N_("Register a site"),
    lead=N_("Say what a site or a system may hold, until when, and what that rests on; or change it."),
    button=N_("Register it"),
    ready=_ready_register,
    request=_register,
    done=_told(N_("Registered: %(site)s.")),
    follows=(N_("Of a contractor's site the first inspection is owed from now on."),),
    command="comity facility register SITE --mark MARK --until DAY --evidence TEXT --as {handle} --key FILE",
)


async def _about(visit: Visit, *fields: Field) -> Ready:
    site, say = await _site(visit), visit.words
    return Ready(
        back=f"/sites/{site.facility}",
        fields=fields,
        about=(
            (say("Site"), cell(site.facility)),
            (say("What it is"), say(NATURES[site.nature])),
            (say("Up to which mark"), cell(site.mark)),
            (say("Approved until"), say.instant(site.until)),
        ),
        seen=site.last.record[:16] if site.last is not None else "",
        last=site.last,
    )


async def _ready_officer(visit: Visit) -> Ready:
    say = visit.words
    return await _about(
        visit,
        Field(
            name="handle",
            label=say("Who answers for it"),
            hint=say("A handle; empty for nobody any more."),
            needed=False,
        ),
        Field(name="authority", label=say("By what authority"), hint=say("Such as the order that names him.")),
    )


OFFICER = Act(
    path="/sites/{site}/officer",
    flow="facility.officer",
    title=N_("Name the responsible officer"),
    lead=N_("Say who answers for the site, and by what authority."),
    button=N_("Name him"),
    ready=_ready_officer,
    request=lambda visit, typed, actor: NameOfficer(
        facility=_name(visit), handle=typed.maybe("handle"), authority=typed.text("authority"), actor=actor
    ),
    done=_told(N_("Recorded: %(site)s.")),
    command="comity facility officer {site} HANDLE --authority TEXT --as {handle} --key FILE",
)


async def _ready_condition(visit: Visit) -> Ready:
    say, site = visit.words, await _site(visit)
    known = dict.fromkeys((each.condition, f"{each.condition}: {each.heading}") for each in site.conditions)
    condition = Field(name="condition", label=say("Condition"), hint=say("Its clause."))
    if known:
        condition = Field(name="condition", label=say("Condition"), kind="choice", options=tuple(known))
    return await _about(
        visit,
        condition,
        Field(name="evidence", label=say("Evidence"), hint=say("What shows it.")),
        Field(name="until", label=say("Until when the evidence holds"), kind="until", needed=False),
        Field(
            name="met",
            label=say("Whether it is met"),
            kind="choice",
            options=(("yes", say("it is met")), ("no", say("it is met no longer"))),
        ),
        Field(
            name="borne_out",
            label=say("Which register has to bear it out"),
            kind="choice",
            options=(
                ("", say("none")),
                *((each, say(told)) for each, told in REGISTERS.items()),
            ),
            needed=False,
        ),
    )


CONDITION = Act(
    path="/sites/{site}/condition",
    flow="facility.condition",
    title=N_("Evidence a condition"),
    lead=N_("Say what shows that the site meets a condition, or that it no longer does."),
    button=N_("Record it"),
    ready=_ready_condition,
    request=lambda visit, typed, actor: EvidenceCondition(
        facility=_name(visit),
        condition=typed.text("condition"),
        evidence=typed.text("evidence"),
        actor=actor,
        until=typed.maybe_instant("until"),
        met=typed.text("met") == "yes",
        borne_out=cast("BorneOut", typed.text("borne_out")),
    ),
    done=_told(N_("Recorded: %(site)s.")),
    command="comity facility condition {site} CLAUSE --evidence TEXT --as {handle} --key FILE",
)


async def _ready_inspect(visit: Visit) -> Ready:
    say = visit.words
    return await _about(
        visit,
        Field(name="findings", label=say("What was found"), kind="area"),
        Field(
            name="due",
            label=say("Next inspection"),
            kind="until",
            hint=say("By when; else as an arrangement or a layer says."),
            needed=False,
        ),
    )


INSPECT = Act(
    path="/sites/{site}/inspect",
    flow="facility.inspect",
    title=N_("Record an inspection"),
    lead=N_("Say what an inspection found, and when the next one is due."),
    button=N_("Record it"),
    ready=_ready_inspect,
    request=lambda visit, typed, actor: InspectFacility(
        facility=_name(visit), findings=typed.text("findings"), actor=actor, due=typed.maybe_instant("due")
    ),
    done=_told(N_("Recorded: %(site)s.")),
    events=("contractor-inspected",),
    command="comity facility inspect {site} --findings TEXT --as {handle} --key FILE",
)


async def _ready_post(visit: Visit) -> Ready:
    say = visit.words
    return await _about(
        visit,
        Field(name="handle", label=say("Person"), hint=say("The handle of somebody who is cleared.")),
        Field(
            name="posted",
            label=say("What to do"),
            kind="choice",
            options=(("yes", say("authorise the person here")), ("no", say("end the authorisation"))),
        ),
    )


POST = Act(
    path="/sites/{site}/post",
    flow="facility.post",
    title=N_("Authorise a person here"),
    lead=N_("Authorise a cleared person at this site, or end that."),
    button=N_("Record it"),
    ready=_ready_post,
    request=lambda visit, typed, actor: PostPerson(
        handle=typed.text("handle"), facility=_name(visit), actor=actor, posted=typed.text("posted") == "yes"
    ),
    done=_told(N_("Recorded: %(site)s.")),
    command="comity facility post {site} HANDLE --as {handle} --key FILE",
)

ROUTES = (
    Entry("/sites", listed),
    REGISTER.entry,
    Entry("/sites/{site}", one),
    *(each.entry for each in (OFFICER, CONDITION, INSPECT, POST)),
)
