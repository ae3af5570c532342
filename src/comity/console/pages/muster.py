"""Muster: copies are counted, what differs is found and explained, registers are compared (Article 6(f))."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from comity.console.acts import Act, Done, Ready, cell
from comity.console.banners import banner_of
from comity.console.called import labels, names
from comity.console.fields import Field, Typed
from comity.console.languages import N_
from comity.console.places import agreements, titled
from comity.console.signing import new_name
from comity.console.visit import Entry, Visit
from comity.console.words import STATES
from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.looking.counting import MusterTold
from comity.flows.looking.findings import Explain, FindingTold, Musters, ShowMusters
from comity.flows.looking.muster import Begin, CountCopies, CountTold, DropMuster, Signed, SignMuster
from comity.flows.looking.reconciling import Reconcile, Reconciliation
from comity.register.roles import REGISTRY

LISTED_MAX = 200
COUNTED: Mapping[str, str] = {
    **STATES,
    "present": N_("present"),
    "missing": N_("missing"),
    "elsewhere": N_("held by somebody of another place"),
    "unknown": N_("no copy of the register"),
}
"""What the register says of a copy that was counted, or expected."""
BECAUSE: Mapping[str, str] = {
    "on its way there": N_("on its way there"),
    "held there": N_("kept back there, until what it rests on has come"),
    "returned": N_("returned as of no effect"),
    "on its way here": N_("on its way here"),
    "held here": N_("kept back here, until what it rests on has come"),
    "answered": N_("answered meanwhile"),
    "nothing explains it": N_("nothing explains it"),
}
"""Why two lines of two registers differ."""


async def listed(visit: Visit) -> Response:
    """Every muster, by when copies are counted again, and every open finding."""
    shown: Musters = await visit.ask("muster.show", ShowMusters(actor=visit.actor))
    return visit.show(
        "muster/list.html",
        musters=shown.musters[:LISTED_MAX],
        due=shown.due,
        **await _findings(visit, shown.findings[:LISTED_MAX]),
        peers=await agreements(visit),
    )


async def one(visit: Visit) -> Response:
    """One muster with all that it found."""
    shown = await _shown(visit)
    return visit.show(
        "muster/one.html",
        muster=shown.musters[0],
        **await _findings(visit, shown.findings),
    )


async def _findings(visit: Visit, findings: Sequence[FindingTold]) -> dict[str, Any]:
    """What a table of findings needs."""
    named = await names(visit, [each.item for each in findings])
    return {
        "findings": findings,
        "named": named,
        "banner": await banner_of(visit, labels(named)),
        "words_of": COUNTED,
        "may_count": visit.has(REGISTRY),
    }


async def _shown(visit: Visit) -> Musters:
    request = ShowMusters(actor=visit.actor, muster=_name(visit))
    shown: Musters = await visit.ask("muster.show", request)
    return shown


def _name(visit: Visit) -> str:
    name: str = visit.request.path_params["muster"]
    return name


async def _ready_begin(visit: Visit) -> Ready:
    say = visit.words
    return Ready(
        back="/muster",
        fields=(
            Field(
                name="facility",
                label=say("Site"),
                hint=say("Only the copies of people posted there; leave both empty for the whole house."),
                needed=False,
            ),
            Field(name="holder", label=say("Holder"), hint=say("Only the copies of this handle."), needed=False),
        ),
    )


def _begun(visit: Visit, told: MusterTold) -> Done:
    sentence = visit.words.count(
        "Begun. %(num)s copy is expected.", "Begun. %(num)s copies are expected.", told.expected
    )
    return Done(path=f"/muster/{told.muster}", told=sentence)


BEGIN = Act(
    path="/muster/begin",
    flow="muster.begin",
    title=N_("Begin a muster"),
    lead=N_("Count the copies of the whole house, of a site, or of one person."),
    button=N_("Begin"),
    ready=_ready_begin,
    request=lambda visit, typed, actor: Begin(
        actor=actor,
        facility=typed.maybe("facility"),
        holder=typed.maybe("holder"),
        muster=new_name("m", visit.person.custody, typed.fresh),
    ),
    done=_begun,
    command="comity muster begin --as {handle} --key FILE",
)


async def _about(visit: Visit, *fields: Field) -> Ready:
    told, say = (await _shown(visit)).musters[0], visit.words
    return Ready(
        back=f"/muster/{told.muster}",
        fields=fields,
        about=(
            (say("Muster"), cell(told.muster)),
            (say("Of"), cell(told.facility or told.holder or say("the whole house"))),
            (say("Begun by"), cell(f"{told.by}, {say.instant(told.begun)}")),
            (say("Expected"), say.number(told.expected)),
            (say("Counted"), say.number(told.counted)),
            (say("Left"), say.number(told.remaining)),
        ),
        seen="signed" if told.signed is not None else "under way",
    )


async def _ready_count(visit: Visit) -> Ready:
    say = visit.words
    return await _about(
        visit,
        Field(
            name="references",
            label=say("Copies"),
            kind="lines",
            hint=say("What their labels say, or the item, a slash and the number; each on a line. None counts twice."),
        ),
    )


def _counted(visit: Visit, told: CountTold) -> Done:
    say = visit.words
    unlike = [
        f"{each.item}/{each.number}: {say(COUNTED.get(each.found, each.found))}"
        for each in told.lines
        if each.found != "present"
    ]
    sentence = say(
        "Counted: %(now)s; left: %(left)s.", now=say.number(len(told.lines)), left=say.number(told.muster.remaining)
    )
    if unlike:
        sentence += " " + say("Not as expected: %(lines)s.", lines=say.listed(unlike))
    return Done(path=f"/muster/{told.muster.muster}", told=sentence)


COUNT = Act(
    path="/muster/{muster}/count",
    flow="muster.count",
    title=N_("Count copies"),
    lead=N_("Scan or type what the labels of the copies say, one on each line."),
    button=N_("Count them"),
    ready=_ready_count,
    request=lambda visit, typed, actor: CountCopies(
        references=tuple(each.strip() for each in typed.several("references")), actor=actor, muster=_name(visit)
    ),
    done=_counted,
    command="comity muster count REFERENCE … --muster {muster} --as {handle} --key FILE",
)


async def _ready_sign(visit: Visit) -> Ready:
    say = visit.words
    return await _about(
        visit,
        Field(
            name="tell",
            label=say("Tell the other parties that everything was counted; no numbers"),
            kind="check",
            needed=False,
            value="yes",
        ),
    )


def _signed(visit: Visit, told: Signed) -> Done:
    say = visit.words
    sentence = say("Signed. Everything is as the register says.")
    if told.findings:
        sentence = say.count(
            "Signed. %(num)s finding is to be explained.",
            "Signed. %(num)s findings are to be explained.",
            len(told.findings),
        )
    return Done(path=f"/muster/{told.muster.muster}", told=sentence)


SIGN = Act(
    path="/muster/{muster}/sign",
    flow="muster.sign",
    title=N_("Sign the muster"),
    lead=N_("End the count: what was counted and what was missed become records, what differs becomes findings."),
    button=N_("Sign it"),
    ready=_ready_sign,
    request=lambda visit, typed, actor: SignMuster(actor=actor, muster=_name(visit), tell=typed.yes("tell")),
    done=_signed,
    final=True,
    command="comity muster sign --muster {muster} --as {handle} --key FILE",
)


async def _ready_drop(visit: Visit) -> Ready:
    return await _about(visit)


DROP = Act(
    path="/muster/{muster}/drop",
    flow="muster.drop",
    title=N_("Give the muster up"),
    lead=N_("Give it up before it is signed; nothing of it remains."),
    button=N_("Give it up"),
    ready=_ready_drop,
    request=lambda visit, _typed, actor: DropMuster(actor=actor, muster=_name(visit)),
    done=lambda visit, _told: Done(path="/muster", told=visit.words("Given up; nothing of it remains.")),
    final=True,
    command="comity muster drop --muster {muster} --as {handle} --key FILE",
)


# ---- findings -------------------------------------------------------------------------------------------------------


async def _finding(visit: Visit) -> FindingTold:
    """The finding that the address names.

    Raises:
        Misuse: there is none.
        Refused: whoever asks does not answer for the register.
    """
    name = "{source}/{number}".format_map(visit.request.path_params)
    shown: Musters = await visit.ask("muster.show", ShowMusters(actor=visit.actor))
    found = next((each for each in shown.findings if each.finding == name), None)
    if found is None:
        raise Misuse(f"there is no open finding {name!r}", code="unknown-finding")
    return found


async def _ready_explain(visit: Visit) -> Ready:
    found, say = await _finding(visit), visit.words
    return Ready(
        back="/muster",
        fields=(
            Field(name="reason", label=say("What became of it"), kind="area"),
            Field(
                name="record",
                label=say("The record that followed"),
                hint=say("Its 64 digits: of a report of loss, or of a copy found again."),
                needed=False,
            ),
        ),
        about=(
            (say("Finding"), cell(found.finding)),
            (say("Item"), cell(found.item)),
            (say("Copy"), say.number(found.copy) if found.copy else ""),
            (say("By the register"), say(COUNTED.get(found.here, found.here))),
            (say("Found"), say(COUNTED.get(found.there, found.there))),
            (say("Now"), say(COUNTED.get(found.now, found.now))),
        ),
        relationship=found.relationship,
    )


EXPLAIN = Act(
    path="/muster/findings/{source}/{number}",
    flow="muster.explain",
    title=N_("Explain a finding"),
    lead=N_("Say what became of a copy that was missed, or of one that nobody expected."),
    button=N_("Explain it"),
    ready=_ready_explain,
    request=lambda visit, typed, actor: Explain(
        finding="{source}/{number}".format_map(visit.request.path_params),
        reason=typed.text("reason"),
        actor=actor,
        record=typed.maybe("record"),
    ),
    done=lambda visit, told: Done(path="/muster", told=visit.words("Explained: %(finding)s.", finding=told.finding)),
    command="comity muster explain {source}/{number} --reason TEXT --as {handle} --key FILE",
)


# ---- comparing ------------------------------------------------------------------------------------------------------


async def _ready_compare(visit: Visit) -> Ready:
    say = visit.words
    options = tuple(
        (f"{each.peer} {each.relationship}", f"{each.peer.upper()}: {titled(visit, each)}")
        for each in await agreements(visit)
    )
    return Ready(
        back="/muster",
        fields=(
            Field(name="whose", label=say("With whom"), kind="choice", options=options),
            Field(
                name="recount",
                label=say("Add the sums up anew from the copies themselves first"),
                kind="check",
                needed=False,
            ),
        ),
    )


def _compare(_visit: Visit, typed: Typed, actor: Actor) -> Reconcile:
    peer, _, relationship = typed.text("whose").partition(" ")
    return Reconcile(peer=peer, relationship=relationship, recount=typed.yes("recount"), actor=actor)


def _compared(visit: Visit, found: Reconciliation) -> Response:
    return visit.show(
        "muster/compared.html",
        found=found,
        because=BECAUSE,
        differences=found.differences[:LISTED_MAX],
        left=max(0, len(found.differences) - LISTED_MAX),
    )


COMPARE = Act(
    path="/muster/compare",
    flow="reconcile",
    title=N_("Compare with another party"),
    lead=N_("Compare your register with another party's over the wire, and have every difference explained."),
    button=N_("Compare"),
    ready=_ready_compare,
    request=_compare,
    result=_compared,
    follows=(
        N_("Only sums are exchanged where both registers say the same."),
        N_("That they were compared, and what was found, is recorded here."),
    ),
)

ROUTES = (
    Entry("/muster", listed),
    *(each.entry for each in (BEGIN, COMPARE, EXPLAIN)),
    Entry("/muster/{muster}", one),
    *(each.entry for each in (COUNT, SIGN, DROP)),
)
