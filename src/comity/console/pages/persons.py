"""One person on a form; clearances, need-to-know lists and briefings (Articles 6(e), 7)."""

from __future__ import annotations

from collections.abc import Callable

from comity.console.acts import Act, Done, Ready, cell
from comity.console.fields import Field
from comity.console.languages import N_
from comity.console.visit import Visit
from comity.errors import Misuse
from comity.flows.people.clearances import ChangeList, GrantClearance, WithdrawClearance
from comity.flows.people.person_views import ListPeople, PersonShown
from comity.flows.people.places import GiveBriefing


async def people_seen(visit: Visit) -> list[PersonShown]:
    """The people whom whoever asks may see, those who have left last."""
    people: list[PersonShown] = await visit.ask("person.list", ListPeople(visit.actor))
    return sorted(people, key=lambda each: (each.removed, each.handle))


async def person_seen(visit: Visit) -> PersonShown:
    """The person whom the address names, as far as whoever asks may see him.

    Raises:
        Misuse: there is nobody of that name for him.
    """
    name = visit.request.path_params["person"]
    found: list[PersonShown] = await visit.ask("person.list", ListPeople(visit.actor, name))
    if not found:
        raise Misuse(f"there is nobody called {name!r}", code="unknown-person")
    return found[0]


def told_of(sentence: str) -> Callable[[Visit, PersonShown], Done]:
    """What is said after an act whose flow answers with the person as he stands."""
    return lambda visit, person: Done(path=f"/people/{person.person}", told=visit.words(sentence, handle=person.handle))


async def about_person(visit: Visit, *fields: Field) -> Ready:
    """A form about the person whom the address names."""
    person, say = await person_seen(visit), visit.words
    cleared = say("none")
    if person.clearance is not None and person.clearance_until is not None:
        cleared = f"{person.clearance}, {say.instant(person.clearance_until)}"
    visit.request.state.handle = person.handle
    return Ready(
        back=f"/people/{person.person}",
        fields=fields,
        about=(
            (say("Person"), cell(person.handle)),
            (say("Function"), cell(f"{person.function}, {person.body}")),
            (say("Clearance"), cell(cleared)),
            (say("Needs to know"), cell(say.listed(person.topics) if person.topics else say("nothing yet"))),
        ),
        seen=person.last.record[:16] if person.last is not None else "",
        last=person.last,
        more={"person_shown": person},
    )


def handle_of(visit: Visit) -> str:
    """What this house calls the person whom the form is about."""
    handle: str = visit.request.state.handle
    return handle


def reason_field(visit: Visit) -> Field:
    """Why something is done."""
    return Field(name="reason", label=visit.words("Reason"), kind="area", hint=visit.words("It is recorded."))


async def ready_reason(visit: Visit) -> Ready:
    """A form that asks why."""
    return await about_person(visit, reason_field(visit))


async def _ready_clear(visit: Visit) -> Ready:
    say = visit.words
    return await about_person(
        visit,
        Field(name="mark", label=say("Up to which mark"), hint=say("Exactly as on your own ladder.")),
        Field(name="until", label=say("Last day"), kind="until"),
        Field(name="basis", label=say("Basis"), hint=say("What it rests on, such as the vetting's file number.")),
        Field(
            name="all_information",
            label=say("I assure that it rests on all available information about trustworthiness and reliability."),
            kind="check",
            needed=False,
        ),
        Field(name="decided_by", label=say("Who decided"), hint=say("A handle or a board; else you."), needed=False),
    )


CLEAR = Act(
    path="/people/{person}/clear",
    flow="clearance.grant",
    title=N_("Grant a clearance"),
    lead=N_("Say up to which mark the person may read, until when, and what that rests on."),
    button=N_("Grant it"),
    ready=_ready_clear,
    request=lambda visit, typed, actor: GrantClearance(
        handle=handle_of(visit),
        mark=typed.text("mark"),
        until=typed.instant("until"),
        basis=typed.text("basis"),
        actor=actor,
        all_information=typed.yes("all_information"),
        decided_by=typed.text("decided_by"),
    ),
    done=told_of(N_("Cleared: %(handle)s.")),
    command="comity clearance grant HANDLE --mark MARK --until DAY --basis TEXT --as {handle} --key FILE",
)
UNCLEAR = Act(
    path="/people/{person}/unclear",
    flow="clearance.withdraw",
    title=N_("Withdraw the clearance"),
    lead=N_("Withdraw it at once, and with it what it opened."),
    button=N_("Withdraw it"),
    ready=ready_reason,
    request=lambda visit, typed, actor: WithdrawClearance(
        handle=handle_of(visit), reason=typed.text("reason"), actor=actor
    ),
    done=told_of(N_("Withdrawn: %(handle)s. The copies in his hands are to be handed over.")),
    events=("clearance-ended",),
    follows=(
        N_("Nothing that asks for a clearance is open to the person from this instant on."),
        N_("Every other party is told that nothing new may go there; copies in hand are listed, to be handed over."),
    ),
    final=True,
    command="comity clearance withdraw HANDLE --reason TEXT --as {handle} --key FILE",
)


async def _ready_list(visit: Visit) -> Ready:
    say = visit.words
    return await about_person(
        visit,
        Field(name="topic", label=say("Topic"), hint=say("The need-to-know list.")),
        Field(
            name="listed",
            label=say("What to do"),
            kind="choice",
            options=(("yes", say("put the person on the list")), ("no", say("take the person off the list"))),
        ),
    )


LIST = Act(
    path="/people/{person}/list",
    flow="list.change",
    title=N_("Change the need-to-know lists"),
    lead=N_("Put the person on the list of a topic, or take him off it."),
    button=N_("Change the list"),
    ready=_ready_list,
    request=lambda visit, typed, actor: ChangeList(
        topic=typed.text("topic"), handle=handle_of(visit), listed=typed.text("listed") == "yes", actor=actor
    ),
    done=told_of(N_("The lists are changed: %(handle)s.")),
    command="comity list add TOPIC HANDLE --as {handle} --key FILE",
)


async def _ready_briefing(visit: Visit) -> Ready:
    say = visit.words
    return Ready(
        back="/people",
        fields=(
            Field(
                name="on",
                label=say("About what"),
                hint=say("An agreement's identifier, a category of labels, or duties."),
            ),
            Field(name="material", label=say("What you were told, or given to read"), kind="area"),
            Field(
                name="given_by",
                label=say("Who briefed you"),
                hint=say("The handle of a security officer, or of whoever answers for the site."),
            ),
        ),
    )


BRIEFED = Act(
    path="/people/briefing",
    flow="briefing.give",
    title=N_("Acknowledge a briefing"),
    lead=N_("Sign that you were briefed, by whom and on what."),
    button=N_("I was briefed"),
    ready=_ready_briefing,
    request=lambda _visit, typed, actor: GiveBriefing(
        on=typed.text("on"), material=typed.text("material"), given_by=typed.text("given_by"), actor=actor
    ),
    done=lambda visit, told: Done(
        path="/people", told=visit.words("Recorded. You are briefed on: %(all)s.", all=visit.words.listed(told))
    ),
    command="comity briefing give --on WHAT --material TEXT --given-by HANDLE --as {handle} --key FILE",
)


ROUTES = (BRIEFED.entry, *(each.entry for each in (CLEAR, UNCLEAR, LIST)))
