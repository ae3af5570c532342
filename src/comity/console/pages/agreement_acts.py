"""What an agreement authority says of an agreement: its text acknowledged, notes about its end, who is competent."""

from __future__ import annotations

from typing import Any

import msgspec

from comity.agreement.lifecycle import Step
from comity.console.acts import Act, Done, Ready, cell
from comity.console.fields import Field, Typed
from comity.console.languages import N_
from comity.console.signing import new_name
from comity.console.visit import Visit
from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.agreeing.agreements import AcknowledgeAgreement
from comity.flows.agreeing.end_notes import EndNoteShown, ListEndNotes, TellEndNote
from comity.flows.agreeing.notices import Designate, DesignationShown, EndDesignation, ListDesignations
from comity.flows.agreeing.texts import ShowTexts, TextsShown

STEPS = {
    "notice": N_("a notice of the end was given"),
    "suspension": N_("the effect of a notice was suspended"),
    "reactivation": N_("a suspended notice runs again"),
    "withdrawal": N_("a notice was withdrawn"),
}
"""What a note about the end does."""


def relationship_of(visit: Visit) -> str:
    """The relationship that an address names."""
    path = visit.request.path_params
    return f"{path['agreement']}/{path['pair']}"


async def _ready(visit: Visit, *fields: Field, seen: str = "", about: tuple[tuple[str, object], ...] = ()) -> Ready:
    relationship, say = relationship_of(visit), visit.words
    texts: TextsShown = await visit.ask("agreement.texts", ShowTexts(relationship=relationship))
    title = texts.agreement.header.title.in_language(say.code)
    return Ready(
        back=f"/agreement/{relationship}",
        fields=fields,
        about=((say("Agreement"), cell(title)), (say("With"), cell(texts.peer)), *about),
        seen=seen,
        relationship=relationship,
    )


def _done(visit: Visit, _answer: object) -> Done:
    told = visit.words("Recorded; the other side hears of it with the next exchange.")
    return Done(path=f"/agreement/{relationship_of(visit)}", told=told)


# ---- the text -------------------------------------------------------------------------------------------------------


async def _ready_acknowledge(visit: Visit) -> Ready:
    texts = await visit.ask("agreement.texts", ShowTexts(relationship=relationship_of(visit)))
    about = (
        (visit.words("Version"), cell(texts.agreement.header.version)),
        (visit.words("Digest of this working model"), cell(texts.agreement.digest)),
    )
    return await _ready(visit, seen=texts.agreement.digest[:16], about=about)


ACKNOWLEDGE = Act(
    path="/agreement/{agreement}/{pair}/acknowledge",
    flow="agreement.acknowledge",
    title=N_("Acknowledge the text"),
    lead=N_("Say to the other party that this digest is our working model; nothing crosses before both have."),
    button=N_("Acknowledge it"),
    ready=_ready_acknowledge,
    request=lambda visit, _typed, actor: AcknowledgeAgreement(relationship=relationship_of(visit), actor=actor),
    done=_done,
    final=True,
    command="comity agreement acknowledge {agreement}/{pair} --as {handle} --key FILE",
)


# ---- notes about the end --------------------------------------------------------------------------------------------


async def _notes(visit: Visit) -> tuple[EndNoteShown, ...]:
    shown = await visit.ask("agreement.notice.list", ListEndNotes(relationship=relationship_of(visit)))
    return tuple(each for each in shown.notes if each.party == visit.desk.house.party)


async def _ready_note(visit: Visit) -> Ready:
    say, mine = visit.words, await _notes(visit)
    given = dict.fromkeys(each.notice for each in mine)
    fields = (
        Field(
            name="step",
            label=say("What the note does"),
            kind="choice",
            options=tuple((step, say(word)) for step, word in STEPS.items()),
        ),
        Field(name="note", label=say("Id of the note verbale"), hint=say("As the ministry numbers it.")),
        Field(name="day", label=say("The day on which it was given"), kind="day"),
        Field(
            name="notice",
            label=say("The notice that it acts on"),
            kind="choice",
            options=(("", say("none: it is a notice itself")), *((each, each) for each in given)),
            needed=False,
        ),
    )
    last = "-".join(each.record[:16] for each in mine) or "none"
    return await _ready(visit, *fields, seen=last)


def _note(visit: Visit, typed: Typed, actor: Actor) -> TellEndNote:
    step = typed.text("step")
    if step not in STEPS:
        raise Misuse("choose what the note does", code="unknown-step", place="step")
    named = typed.maybe("notice") if step != "notice" else None
    return TellEndNote(
        relationship=relationship_of(visit),
        step=msgspec.convert(step, Step),
        note=typed.text("note"),
        day=typed.text("day"),
        actor=actor,
        notice=named if step != "notice" else new_name("e", visit.person.custody, typed.fresh),
    )


TELL_NOTE = Act(
    path="/agreement/{agreement}/{pair}/notice",
    flow="agreement.notice",
    title=N_("Tell of a note about the end"),
    lead=N_("Tell the other side that a note was given through the diplomatic channel, or what became of one."),
    button=N_("Tell of it"),
    ready=_ready_note,
    request=_note,
    done=_done,
    follows=(N_("What counts is the note itself; no decision changes before the history of this house tells of it."),),
    final=True,
    command="comity agreement notice {agreement}/{pair} --as {handle} --key FILE",
)


# ---- who is competent -----------------------------------------------------------------------------------------------


async def _ready_designate(visit: Visit) -> Ready:
    say = visit.words
    return await _ready(
        visit,
        Field(name="authority", label=say("The body"), hint=say("As the note names it.")),
        Field(name="since", label=say("Competent from"), kind="day"),
        Field(name="note", label=say("Id of the diplomatic note")),
    )


DESIGNATE = Act(
    path="/agreement/{agreement}/{pair}/designate",
    flow="authority.designate",
    title=N_("Designate a competent authority"),
    lead=N_("Tell the other side which body of ours is competent under this agreement, and from which day."),
    button=N_("Designate it"),
    ready=_ready_designate,
    request=lambda visit, typed, actor: Designate(
        relationship=relationship_of(visit),
        authority=typed.text("authority"),
        since=typed.text("since"),
        note=typed.text("note"),
        actor=actor,
        designation=new_name("d", visit.person.custody, typed.fresh),
    ),
    done=_done,
    command="comity authority designate --with PARTY --as {handle} --key FILE",
)


async def _designation(visit: Visit) -> DesignationShown:
    """The designation of this party that an address names.

    Raises:
        Misuse: there is none.
    """
    wanted, here = visit.request.path_params["designation"], visit.desk.house.party
    found: list[Any] = await visit.ask("authority.list", ListDesignations())
    for each in found:
        if (each.relationship, each.party, each.designation) == (relationship_of(visit), here, wanted):
            shown: DesignationShown = each
            return shown
    raise Misuse(f"there is no designation {wanted!r} of this party", code="unknown-designation")


async def _ready_end(visit: Visit) -> Ready:
    say, shown = visit.words, await _designation(visit)
    return await _ready(
        visit,
        Field(name="since", label=say("Competent no longer from"), kind="day"),
        Field(name="note", label=say("Id of the diplomatic note")),
        seen=f"{shown.record[:16]}-{shown.until}",
        about=((say("The body"), cell(shown.authority)),),
    )


END_DESIGNATION = Act(
    path="/agreement/{agreement}/{pair}/designations/{designation}/end",
    flow="authority.end",
    title=N_("End a designation"),
    lead=N_("Tell the other side that a body of ours is competent no longer, from a day on."),
    button=N_("End it"),
    ready=_ready_end,
    request=lambda visit, typed, actor: EndDesignation(
        relationship=relationship_of(visit),
        designation=visit.request.path_params["designation"],
        since=typed.text("since"),
        note=typed.text("note"),
        actor=actor,
    ),
    done=_done,
    final=True,
    command="comity authority end {designation} --as {handle} --key FILE",
)

ROUTES = tuple(act.entry for act in (ACKNOWLEDGE, TELL_NOTE, DESIGNATE, END_DESIGNATION))
