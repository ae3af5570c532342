"""Incidents: a loss or compromise, what it affects, and what follows on its report (Article 17)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup
from starlette.responses import Response

from comity.console.acts import Act, Done, Ready, cell
from comity.console.banners import banner_of
from comity.console.called import labels, names
from comity.console.decided import functions
from comity.console.fields import Field, Typed
from comity.console.languages import N_
from comity.console.picking import item_field
from comity.console.pictures import affected as drawn
from comity.console.pictures.drawing import Names
from comity.console.signing import new_name
from comity.console.visit import Entry, Visit
from comity.console.words import KIN, RELATIONS, STATES
from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.deriving.descent import LineageLine
from comity.flows.incidents.investigating import (
    CloseIncident,
    IncidentChanged,
    IncidentLine,
    IncidentWhole,
    Investigate,
    ListIncidents,
    ReleaseItems,
    ShowIncident,
    TellResult,
)
from comity.flows.incidents.reporting import IncidentTold, ReportIncident
from comity.register.roles import SECURITY_OFFICER

LISTED_MAX = 500
ITEMS_TOLD = 5
"""How many of the items of an incident are told in a line."""
WHAT: Mapping[str, str] = {
    "lost": N_("a copy is lost"),
    "compromised": N_("what it says became known"),
    "suspected": N_("either is possible"),
}
STAGES: Mapping[str, str] = {
    "reported": N_("reported"),
    "under investigation": N_("under investigation"),
    "result told, measures still to come": N_("result told, measures still to come"),
    "measures told, result still to come": N_("measures told, result still to come"),
    "result and measures told": N_("result and measures told"),
    "closed": N_("closed"),
    "false alarm": N_("false alarm"),
}


async def listed(visit: Visit) -> Response:
    """The incidents, those that are open first."""
    everything = bool(visit.query.get("all"))
    request = ListIncidents(actor=visit.actor, everything=everything, limit=LISTED_MAX + 1)
    lines: list[IncidentLine] = await visit.ask("incident.list", request)
    lines, more = lines[::-1][:LISTED_MAX], len(lines) > LISTED_MAX
    named = await names(visit, [item for line in lines for item in line.items[:ITEMS_TOLD]])
    return visit.show(
        "incidents/list.html",
        lines=lines,
        named=named,
        most=ITEMS_TOLD,
        banner=await banner_of(visit, labels(named)),
        more=more,
        everything=everything,
        what=WHAT,
        stages=STAGES,
    )


async def one(visit: Visit) -> Response:
    """One incident, with everything it affects now."""
    whole = await _whole(visit)
    line = whole.lines[0]
    known = await functions(visit)
    named = await names(visit, [item for each in whole.lines for item in each.items])
    return visit.show(
        "incidents/one.html",
        whole=whole,
        named=named,
        line=line,
        known=known,
        what=WHAT,
        stages=STAGES,
        kin=KIN,
        states=STATES,
        picture=_picture(visit, whole, known) if whole.copies or whole.families else "",
        acts=_acts(visit, whole),
        banner=await banner_of(visit, [*((each.label, each.alternative) for each in _family(whole)), *labels(named)]),
    )


async def _whole(visit: Visit) -> IncidentWhole:
    incident = visit.request.path_params["incident"]
    whole: IncidentWhole = await visit.ask("incident.show", ShowIncident(incident=incident, actor=visit.actor))
    return whole


def _acts(visit: Visit, whole: IncidentWhole) -> list[tuple[str, str]]:
    """What whoever looks can do about it now, as far as his roles say."""
    line = whole.lines[0]
    if not visit.has(SECURITY_OFFICER) or line.closed is not None:
        return []
    found = []
    ours = line.author == visit.desk.house.party
    if line.investigated is None if ours else line.followed is None and bool(line.ground):
        found.append(("investigate", INVESTIGATE.title))
    if ours and line.investigated is not None and line.reported is None:
        found.append(("result", RESULT.title))
    if ours and whole.suspended:
        found.append(("release", RELEASE.title))
    if ours:
        found.append(("close", CLOSE.title))
    return found


def _picture(visit: Visit, whole: IncidentWhole, known: Mapping[str, str]) -> Markup:
    """What it affects: what was lost or seen, what was made from it, and who had each of them."""
    say = visit.words
    held: dict[str, list[str]] = {}
    titles: dict[str, str] = {}
    kin: dict[str, str] = {}
    for copy in whole.copies:
        holder = known.get(copy.holder, copy.holder)
        state = say(STATES.get(copy.state, copy.state))
        held.setdefault(copy.item, []).append(f"{copy.number}: {holder}, {state}")
        titles[copy.item] = copy.title
        kin[copy.item] = copy.kin
    lines = {each.item: each for each in _family(whole)}
    themselves = {item for line in whole.lines for item in line.items}
    items = [
        drawn.Affected(
            item=each.item,
            name=titles.get(each.item) or each.title or each.item,
            what=say(WHAT[whole.lines[0].what]) if each.item in themselves else say(RELATIONS[each.relation]),
            holders=tuple(held.get(each.item, ())),
            above=tuple(above for above in each.ancestors if above in lines),
            kind="lost" if each.item in themselves else "made",
            href=f"/items/{each.item}",
        )
        for each in _in_order(list(lines.values()))
    ]
    words = drawn.Words(
        names=Names(
            key="affected",
            title=say("What this affects"),
            description=say(
                "What was lost or became known, what it was made from and what was made from it, with whoever had it."
            ),
            table=say("The same as a table"),
        ),
        lost=say("what was lost or became known"),
        made=say("what it was made from, or what was made from it"),
        nobody=say("nobody has a copy"),
        more=say("There is more; the table has all of it."),
        columns=(say("Item"), say("What became of it"), say("Who had it")),
    )
    return drawn.affected(items, words) if items else Markup()


def _family(whole: IncidentWhole) -> list[LineageLine]:
    """Every item of the families that whoever looks may see."""
    return [each for family in whole.families for each in (family.item, *family.ancestors, *family.descendants)]


def _in_order(lines: Sequence[LineageLine]) -> list[LineageLine]:
    """What was made after what it was made from."""
    left, found, done = list(lines), list[LineageLine](), set[str]()
    names = {each.item for each in lines}
    while left:
        ready = [each for each in left if all(above in done or above not in names for above in each.ancestors)]
        for each in ready or left[:1]:
            found.append(each)
            done.add(each.item)
            left.remove(each)
    return found


# ---- reporting ------------------------------------------------------------------------------------------------------


async def _ready_report(visit: Visit) -> Ready:
    say = visit.words
    hint = say("What was lost or became known.")
    items, more = await item_field(visit, hint, name="items", several=True, value=visit.query.get("item"))
    return Ready(
        back="/incidents",
        more=more,
        fields=(
            items,
            Field(
                name="copies",
                label=say("Numbers of copies"),
                kind="lines",
                hint=say("Of one item: which copies of it, each on a line. Leave it empty where there is one copy."),
                needed=False,
            ),
            Field(
                name="what",
                label=say("What happened"),
                kind="choice",
                options=tuple((word, say(told)) for word, told in WHAT.items()),
                value="suspected",
            ),
            Field(
                name="circumstances",
                label=say("Circumstances"),
                kind="area",
                hint=say("What happened, as far as it is known. The originator reads it."),
            ),
            Field(
                name="ground",
                label=say("On whose ground"),
                hint=say("The state on whose ground it happened, such as us, where it was not your own."),
                needed=False,
            ),
        ),
    )


def _report(visit: Visit, typed: Typed, actor: Actor) -> ReportIncident:
    copies = typed.several("copies")
    if not all(each.isascii() and each.isdecimal() and len(each) < 16 for each in copies):
        raise Misuse(visit.words("the number of a copy is a whole number"), code="which-copy", place="copies")
    return ReportIncident(
        items=typed.several("items"),
        what=typed.text("what"),  # type: ignore[arg-type]  # one of the options
        circumstances=typed.text("circumstances"),
        actor=actor,
        copies=tuple(int(each) for each in copies),
        ground=typed.maybe("ground"),
        incident=new_name("x", visit.person.custody, typed.fresh),
    )


def _reported(visit: Visit, told: IncidentTold) -> Done:
    say = visit.words
    sentence = say(
        "Reported. Items affected: %(items)s; copies: %(copies)s; people who had them: %(holders)s.",
        items=say.number(told.items),
        copies=say.number(told.copies),
        holders=say.number(told.holders),
    )
    return Done(path=f"/incidents/{told.incident}", told=sentence)


REPORT = Act(
    path="/incidents/report",
    flow="incident.report",
    title=N_("Report a loss or compromise"),
    lead=N_("Say at once what was lost or may have become known; everybody whose information it is will be told."),
    button=N_("Report it"),
    ready=_ready_report,
    request=_report,
    done=_reported,
    events=("loss-suspected", "loss-on-third-ground"),
    follows=(
        N_("Every copy, everything made from it and everybody who had it is found and recorded."),
        N_("Each originator is told at once, of what concerns him and of nothing else."),
        N_("A copy that you name as lost is marked lost in both registers."),
    ),
    command="comity incident report ITEM --what WHAT --circumstances TEXT --as {handle} --key FILE",
)


# ---- what follows ---------------------------------------------------------------------------------------------------


async def _about(visit: Visit, *fields: Field) -> Ready:
    whole = await _whole(visit)
    line, say = whole.lines[0], visit.words
    return Ready(
        back=f"/incidents/{line.incident}",
        fields=fields,
        about=(
            (say("Incident"), cell(line.incident)),
            (say("What happened"), say(WHAT[line.what])),
            (say("How far it has come"), say(STAGES[line.stage])),
            (say("Circumstances"), cell(line.circumstances)),
        ),
        seen=seen(whole.lines),
        last=line.last,
        relationship=line.relationship if len(whole.lines) == 1 else None,
    )


def seen(lines: Sequence[IncidentLine]) -> str:
    """The newest record about an incident, in each relationship."""
    return "-".join(each.last.record[:16] for each in lines if each.last is not None)


def _changed(visit: Visit, told: IncidentChanged) -> Done:
    sentence = visit.words("Recorded. The incident is now: %(stage)s.", stage=visit.words(STAGES[told.stage]))
    return Done(path=f"/incidents/{told.incident}", told=sentence)


async def _ready_investigate(visit: Visit) -> Ready:
    say = visit.words
    return await _about(
        visit,
        Field(
            name="note",
            label=say("Note"),
            kind="area",
            hint=say("Who investigates what. The originator reads it."),
        ),
    )


async def _ready_result(visit: Visit) -> Ready:
    say = visit.words
    return await _about(
        visit,
        Field(
            name="result",
            label=say("Result"),
            kind="area",
            hint=say("What the investigation found; it may come later than the measures."),
            needed=False,
        ),
        Field(
            name="measures",
            label=say("Measures"),
            kind="area",
            hint=say("What is done so that it does not happen again; they may come later than the result."),
            needed=False,
        ),
    )


async def _ready_reason(visit: Visit) -> Ready:
    say = visit.words
    return await _about(
        visit, Field(name="reason", label=say("Reason"), kind="area", hint=say("It is recorded, and crosses."))
    )


async def _ready_close(visit: Visit) -> Ready:
    say = visit.words
    return await _about(
        visit,
        Field(name="reason", label=say("Reason"), kind="area", hint=say("It is recorded, and crosses.")),
        Field(name="false_alarm", label=say("It was a false alarm"), kind="check", needed=False),
    )


INVESTIGATE = Act(
    path="/incidents/{incident}/investigate",
    flow="incident.investigate",
    title=N_("Open the investigation"),
    lead=N_("Say that it is being investigated, and by whom."),
    button=N_("Open it"),
    ready=_ready_investigate,
    request=lambda visit, typed, actor: Investigate(
        incident=visit.request.path_params["incident"], note=typed.text("note"), actor=actor
    ),
    done=_changed,
    command="comity incident investigate {incident} --note TEXT --as {handle} --key FILE",
)
RESULT = Act(
    path="/incidents/{incident}/result",
    flow="incident.result",
    title=N_("Tell the result and the measures"),
    lead=N_("Tell every originator what was found, and what is done against recurrence."),
    button=N_("Tell them"),
    ready=_ready_result,
    request=lambda visit, typed, actor: TellResult(
        incident=visit.request.path_params["incident"],
        actor=actor,
        result=typed.text("result"),
        measures=typed.text("measures"),
    ),
    done=_changed,
    events=("investigation-ended",),
    command="comity incident result {incident} --result TEXT --measures TEXT --as {handle} --key FILE",
)
RELEASE = Act(
    path="/incidents/{incident}/release",
    flow="incident.release",
    title=N_("Let it be opened again"),
    lead=N_("End the suspension that an arrangement or a layer laid on what the incident concerns."),
    button=N_("Let it be opened"),
    ready=_ready_reason,
    request=lambda visit, typed, actor: ReleaseItems(
        incident=visit.request.path_params["incident"], reason=typed.text("reason"), actor=actor
    ),
    done=_changed,
    command="comity incident release {incident} --reason TEXT --as {handle} --key FILE",
)
CLOSE = Act(
    path="/incidents/{incident}/close",
    flow="incident.close",
    title=N_("Close the incident"),
    lead=N_("Say that it is over: its report was made, or it was a false alarm."),
    button=N_("Close it"),
    ready=_ready_close,
    request=lambda visit, typed, actor: CloseIncident(
        incident=visit.request.path_params["incident"],
        reason=typed.text("reason"),
        actor=actor,
        false_alarm=typed.yes("false_alarm"),
    ),
    done=_changed,
    follows=(N_("What was suspended because of it can be opened again."),),
    final=True,
    command="comity incident close {incident} --reason TEXT --as {handle} --key FILE",
)

ROUTES = (
    Entry("/incidents", listed),
    REPORT.entry,
    Entry("/incidents/{incident}", one),
    *(each.entry for each in (INVESTIGATE, RESULT, RELEASE, CLOSE)),
)
