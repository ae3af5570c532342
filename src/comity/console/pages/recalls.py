"""Asked back: an item is recalled, its purpose ends, its level changes (Articles 6(g), 6(h))."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from starlette.responses import Response

from comity.console.acts import Act, Done, Ready, cell
from comity.console.banners import banner_of
from comity.console.called import labels, names
from comity.console.decided import functions
from comity.console.fields import Field, Typed
from comity.console.languages import N_
from comity.console.pages.endings import reason_field
from comity.console.places import relationship_field
from comity.console.signing import new_name
from comity.console.visit import Entry, Visit
from comity.console.words import RELATIONS, STATES
from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.ending.level_books import LevelsShown, ShowLevels
from comity.flows.ending.levels import Reclassification, Reclassify
from comity.flows.ending.recalls import EndPurpose, LiftRecall, Recall, RecallShown, ShowRecall
from comity.record.bodies.ending import Asks
from comity.register.roles import REGISTRY, RELEASE_AUTHORITY

ASKS: Mapping[str, str] = {
    "return": N_("its return"),
    "destroy": N_("its destruction"),
    "either": N_("its return or its destruction"),
}


def _item(visit: Visit) -> str:
    item: str = visit.request.path_params["item"]
    return item


async def _levels(visit: Visit) -> LevelsShown:
    levels: LevelsShown = await visit.ask("level.show", ShowLevels(item=_item(visit), actor=visit.actor))
    return levels


async def recalls(visit: Visit) -> Response:
    """What was recalled or is no longer needed, and who has answered for which copy."""
    levels = await _levels(visit)
    try:
        shown: list[RecallShown] = await visit.ask("recall.show", ShowRecall(item=_item(visit), actor=visit.actor))
    except Misuse as error:
        if error.code != "not-recalled":
            raise
        shown = []
    named = await names(visit, [_item(visit), *(copy.item for each in shown for copy in each.reached)])
    return visit.show(
        "copies/recall.html",
        item=_item(visit),
        named=named,
        shown=shown,
        known=await functions(visit),
        states=STATES,
        asks=ASKS,
        party=visit.desk.house.party,
        banner=await banner_of(visit, [(levels.label, levels.alternative), *labels(named)]),
        may_recall=visit.has(RELEASE_AUTHORITY),
        may_end=visit.has(REGISTRY),
    )


async def _about_item(visit: Visit, *fields: Field) -> Ready:
    levels, say = await _levels(visit), visit.words
    return Ready(
        back=f"/copies/{_item(visit)}/recall",
        fields=fields,
        about=((say("Item"), cell(_item(visit))), (say("Mark"), cell(levels.label.mark or say("declassified")))),
    )


async def _ready_recall(visit: Visit) -> Ready:
    say = visit.words
    return await _about_item(
        visit,
        Field(
            name="asks",
            label=say("For what"),
            kind="choice",
            options=tuple((each, say(told)) for each, told in ASKS.items()),
        ),
        reason_field(visit),
        Field(name="answer_by", label=say("Answer by"), kind="until", needed=False),
        *(await relationship_field(visit, needed=False)),
    )


def _recall(visit: Visit, typed: Typed, actor: Actor) -> Recall:
    return Recall(
        item=_item(visit),
        asks=cast("Asks", typed.text("asks")),
        reason=typed.text("reason"),
        actor=actor,
        answer_by=typed.maybe_instant("answer_by"),
        relationship=typed.maybe("relationship"),
        recall=new_name("k", visit.person.custody, typed.fresh),
    )


def _recalled(visit: Visit, shown: list[RecallShown]) -> Done:
    say = visit.words
    unanswered = sum(each.unanswered for each in shown)
    sentence = say.count(
        "Recorded. %(num)s copy is to be answered for.", "Recorded. %(num)s copies are to be answered for.", unanswered
    )
    if any(each.recall and not each.clause for each in shown):
        sentence += " " + say("Nothing obliges the other side to answer; it was asked all the same.")
    return Done(path=f"/copies/{shown[0].item}/recall", told=sentence)


RECALL = Act(
    path="/copies/{item}/recall/ask",
    flow="recall",
    title=N_("Recall it"),
    lead=N_("Ask for an item of yours back from everybody it was given to."),
    button=N_("Recall it"),
    ready=_ready_recall,
    request=_recall,
    done=_recalled,
    events=("recalled",),
    follows=(N_("Nobody opens it or makes copies of it there where a layer says so; every copy and holder is found."),),
    command="comity recall {item} --ask WHAT --reason TEXT --as {handle} --key FILE",
)


async def _ready_reason(visit: Visit) -> Ready:
    return await _about_item(visit, reason_field(visit))


LIFT = Act(
    path="/copies/{item}/recall/lift",
    flow="recall.lift",
    title=N_("Take the recall back"),
    lead=N_("No longer ask for it; what was returned or destroyed since stays so."),
    button=N_("Take the recall back"),
    ready=_ready_reason,
    request=lambda visit, typed, actor: LiftRecall(item=_item(visit), reason=typed.text("reason"), actor=actor),
    done=lambda visit, shown: Done(
        path=f"/copies/{shown[0].item}/recall", told=visit.words("The recall is taken back.")
    ),
    command="comity recall lift {item} --reason TEXT --as {handle} --key FILE",
)
PURPOSE = Act(
    path="/copies/{item}/recall/purpose-ended",
    flow="purpose.end",
    title=N_("Its purpose has ended"),
    lead=N_("Say that an item that came is no longer needed for what it came for."),
    button=N_("It is needed no longer"),
    ready=_ready_reason,
    request=lambda visit, typed, actor: EndPurpose(
        item=_item(visit),
        reason=typed.text("reason"),
        actor=actor,
        ended=new_name("z", visit.person.custody, typed.fresh),
    ),
    done=_recalled,
    events=("purpose-ended",),
    final=True,
    command="comity purpose-ended {item} --reason TEXT --as {handle} --key FILE",
)


# ---- levels ---------------------------------------------------------------------------------------------------------


async def levels(visit: Visit) -> Response:
    """Every change of an item's level, and whether it was carried out."""
    shown = await _levels(visit)
    return visit.show(
        "copies/levels.html",
        shown=shown,
        named=await names(visit, [shown.item]),
        relations=RELATIONS,
        banner=await banner_of(visit, [(shown.label, shown.alternative)]),
        may_change=visit.has(RELEASE_AUTHORITY),
    )


async def _ready_level(visit: Visit) -> Ready:
    shown, say = await _levels(visit), visit.words
    return Ready(
        back=f"/copies/{_item(visit)}/levels",
        fields=(
            Field(
                name="mark",
                label=say("New mark"),
                hint=say("On your own ladder, exactly; the same again to keep it at a review."),
                value=shown.label.mark,
                needed=False,
            ),
            Field(name="declassify", label=say("Take the mark away: declassified"), kind="check", needed=False),
            reason_field(visit),
            Field(
                name="review",
                label=say("Next review"),
                kind="day",
                hint=say("When it is to be looked at again."),
                needed=False,
            ),
        ),
        about=((say("Item"), cell(_item(visit))), (say("Mark"), cell(shown.label.mark or say("declassified")))),
        seen=_changes(shown),
    )


def _changes(shown: LevelsShown) -> str:
    """How an item's level stands, and by which change."""
    newest = [each.changes[-1].change for each in shown.relationships if each.changes]
    return f"{shown.label.mark}/{'-'.join(newest)}/{shown.review or ''}"


def _level(visit: Visit, typed: Typed, actor: Actor) -> Reclassify:
    away = typed.yes("declassify")
    if not away and not typed.text("mark"):
        raise Misuse(visit.words("name the new mark, or take it away"), code="which-mark", place="mark")
    return Reclassify(
        item=_item(visit),
        mark="" if away else typed.text("mark"),
        reason=typed.text("reason"),
        actor=actor,
        review=typed.maybe_instant("review"),
        change=new_name("l", visit.person.custody, typed.fresh),
    )


def _relevelled(visit: Visit, told: Reclassification) -> Done:
    say = visit.words
    notified = say.listed(told.notified) if told.notified else say("nobody: it was given to nobody")
    return Done(path=f"/copies/{told.item}/levels", told=say("Changed. Notified: %(where)s.", where=notified))


def _not_relevelled(told: Any) -> Any:
    return None if told.done else next(each.decision for each in told.asked if each.outcome != "permit")


LEVEL = Act(
    path="/copies/{item}/levels/change",
    flow="level.change",
    title=N_("Change its level"),
    lead=N_("Change the level of an item of yours, or keep it at a review; whoever was given it is notified."),
    button=N_("Change it"),
    ready=_ready_level,
    request=_level,
    done=_relevelled,
    events=("level-changed", "level-change-notified"),
    command="comity reclassify {item} --to MARK --reason TEXT --as {handle} --key FILE",
    decided=_not_relevelled,
)

ROUTES = (
    Entry("/copies/{item}/recall", recalls),
    *(each.entry for each in (RECALL, LIFT, PURPOSE)),
    Entry("/copies/{item}/levels", levels),
    LEVEL.entry,
)
