"""What a release authority says of feeds: that a release ends, and which posture this party is in."""

from __future__ import annotations

import msgspec

from comity.console.acts import Act, Done, Ready, cell
from comity.console.fields import Field
from comity.console.languages import N_
from comity.console.pages.agreement_acts import relationship_of
from comity.console.visit import Visit
from comity.feed.release import Posture
from comity.flows.feeding.ending import EndFeed
from comity.flows.feeding.listing import FeedShown, ShowFeed
from comity.flows.feeding.postures import DeclarePosture, PosturesShown, ShowPostures

POSTURES = {"normal": N_("normal"), "heightened": N_("heightened"), "crisis": N_("crisis")}


async def _shown(visit: Visit) -> FeedShown:
    release = visit.request.path_params["release"]
    shown: FeedShown = await visit.ask("feed.show", ShowFeed(release=release, actor=visit.actor))
    return shown


async def _ready_end(visit: Visit) -> Ready:
    say, line = visit.words, (await _shown(visit)).line
    return Ready(
        back=f"/feed/{line.release}",
        fields=(Field(name="reason", label=say("Reason"), kind="area", hint=say("It is recorded, and crosses.")),),
        about=((say("Feed"), cell(line.feed)), (say("Publisher"), cell(line.publisher))),
        seen=f"{line.release}-{line.state}",
        relationship=line.relationship,
    )


END = Act(
    path="/feed/{release}/end",
    flow="feed.end",
    title=N_("End the release"),
    lead=N_("End what may cross of this feed, from now on; what has come stays where it is."),
    button=N_("End it"),
    ready=_ready_end,
    request=lambda visit, typed, actor: EndFeed(
        release=visit.request.path_params["release"], reason=typed.text("reason"), actor=actor
    ),
    done=lambda visit, _answer: Done(
        path=f"/feed/{visit.request.path_params['release']}", told=visit.words("The release has ended.")
    ),
    final=True,
    command="comity feed end {release} --reason TEXT --as {handle} --key FILE",
)


async def _ready_posture(visit: Visit) -> Ready:
    say, relationship = visit.words, relationship_of(visit)
    shown: PosturesShown = await visit.ask("posture.show", ShowPostures(relationship=relationship))
    ours = next(each for each in shown.declared if each.party == visit.desk.house.party)
    return Ready(
        back="/feeds",
        fields=(
            Field(
                name="posture",
                label=say("Posture"),
                kind="choice",
                options=tuple((each, say(word)) for each, word in POSTURES.items()),
            ),
            Field(
                name="until",
                label=say("Until this day"),
                kind="until",
                hint=say("What is above normal ends by itself; normal has no end."),
                needed=False,
            ),
            Field(name="reason", label=say("Reason"), kind="area", hint=say("It is recorded, and crosses.")),
        ),
        about=(
            (say("Under"), cell(relationship)),
            (say("The posture that holds"), say(POSTURES[shown.holds])),
            (say("We declared"), say(POSTURES[ours.posture])),
        ),
        seen=ours.at.isoformat() if ours.at is not None else "none",
        relationship=relationship,
    )


DECLARE = Act(
    path="/agreement/{agreement}/{pair}/posture",
    flow="posture.declare",
    title=N_("Declare a posture"),
    lead=N_("Say in which posture this party is; what both declared decides how much of feeds crosses."),
    button=N_("Declare it"),
    ready=_ready_posture,
    request=lambda visit, typed, actor: DeclarePosture(
        posture=msgspec.convert(typed.text("posture"), Posture),
        relationship=relationship_of(visit),
        reason=typed.text("reason"),
        actor=actor,
        until=typed.maybe_instant("until"),
    ),
    done=lambda visit, _answer: Done(
        path="/feeds", told=visit.words("Declared; it holds once the other side has declared as much.")
    ),
    command="comity posture declare POSTURE --reason TEXT --as {handle} --key FILE",
)

ROUTES = tuple(act.entry for act in (END, DECLARE))
