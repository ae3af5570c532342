"""Asking an originator for its consent, to what is done with an item or to a feed, and no longer (Article 6)."""

from __future__ import annotations

from typing import cast, get_args

from comity.agreement.vocabulary import Act as AgreementAct
from comity.console.acts import Act, Done, Ready
from comity.console.fields import Field, Typed
from comity.console.languages import N_
from comity.console.pages.consents import acts_field, ready_request, reason_field, until_field
from comity.console.picking import item_field
from comity.console.places import chosen_relationship, relationship_field
from comity.console.signing import new_name
from comity.console.visit import Visit
from comity.console.words import BODIES
from comity.flows.actors import Actor
from comity.flows.consenting.consent_requests import AskConsent, AskedForConsent, AskFeedConsent, DropConsent
from comity.record.bodies.consents import BeneficiaryKind


async def _ready_ask(visit: Visit) -> Ready:
    say = visit.words
    item, more = await item_field(visit, say("What came from another side, or was made here from it."), box="in")
    return Ready(
        back="/requests",
        more=more,
        fields=(
            item,
            acts_field(visit),
            Field(
                name="beneficiary",
                label=say("Who gains"),
                hint=say("The body that is to gain by it, such as us; your own side for another use."),
            ),
            Field(
                name="kind",
                label=say("What kind of body it is"),
                kind="choice",
                options=tuple((each, say(BODIES[each])) for each in get_args(BeneficiaryKind)),
                value="government",
            ),
            Field(
                name="nationality",
                label=say("State it belongs to"),
                hint=say("Where it is not a state itself."),
                needed=False,
            ),
            Field(
                name="purpose", label=say("Purpose"), hint=say("What for; the consent is good for these very words.")
            ),
            reason_field(visit),
            until_field(visit, say("How long the consent is wanted for; a day means until it is over.")),
            Field(
                name="answer_by",
                label=say("Answer by"),
                kind="until",
                hint=say("When the request lapses unanswered."),
                needed=False,
            ),
            *(await relationship_field(visit, needed=False)),
        ),
    )


def _ask(visit: Visit, typed: Typed, actor: Actor) -> AskConsent:
    beneficiary = typed.text("beneficiary")
    kind = "party" if beneficiary == visit.desk.house.party else typed.text("kind")
    return AskConsent(
        item=typed.text("item"),
        acts=cast("tuple[AgreementAct, ...]", typed.several("acts")),
        beneficiary=beneficiary,
        beneficiary_kind=cast("BeneficiaryKind", kind),
        nationality=typed.text("nationality"),
        purpose=typed.text("purpose"),
        reason=typed.text("reason"),
        until=typed.instant("until"),
        answer_by=typed.maybe_instant("answer_by"),
        actor=actor,
        relationship=typed.maybe("relationship"),
        request=new_name("r", visit.person.custody, typed.fresh),
    )


def _asked(visit: Visit, told: AskedForConsent) -> Done:
    sentence = visit.words(
        "Asked %(party)s for its consent: %(request)s. Until it answers nothing of this may be done; silence is no "
        "consent.",
        party=told.originator.upper(),
        request=told.request,
    )
    return Done(path="/requests", told=sentence)


ASK = Act(
    path="/requests/ask",
    flow="consent.ask",
    title=N_("Ask for consent"),
    lead=N_("Ask the originator of an item whether something may be done with it that needs its consent."),
    button=N_("Ask"),
    ready=_ready_ask,
    request=_ask,
    done=_asked,
    events=("consent-wanted",),
    follows=(
        N_("The originator learns the item, what is to be done, who gains, what for, why and until when."),
        N_("Which person asks, and whom else you ask, stays here."),
    ),
    command="comity consent ask ITEM --act ACT --for BODY --purpose TEXT --until DAY --reason TEXT "
    "--as {handle} --key FILE",
)


async def _ready_ask_feed(visit: Visit) -> Ready:
    say = visit.words
    return Ready(
        back="/requests",
        fields=(
            Field(name="feed", label=say("Feed"), hint=say("Its name, as the release will have it.")),
            Field(name="mark", label=say("Mark"), hint=say("Of your own ladder, under which it is to be published.")),
            Field(name="topic", label=say("Topic"), hint=say("Its need-to-know list.")),
            Field(name="beneficiary", label=say("Who gains"), hint=say("The party that is to get it.")),
            Field(name="purpose", label=say("Purpose"), hint=say("What for, in the very words of the release.")),
            reason_field(visit),
            until_field(visit, say("How long the consent is wanted for; a day means until it is over.")),
            Field(name="answer_by", label=say("Answer by"), kind="until", needed=False),
            *(await relationship_field(visit, needed=True)),
        ),
    )


def _ask_feed(visit: Visit, typed: Typed, actor: Actor) -> AskFeedConsent:
    return AskFeedConsent(
        feed=typed.text("feed"),
        mark=typed.text("mark"),
        topic=typed.text("topic"),
        beneficiary=typed.text("beneficiary"),
        purpose=typed.text("purpose"),
        reason=typed.text("reason"),
        until=typed.instant("until"),
        relationship=chosen_relationship(typed),
        actor=actor,
        answer_by=typed.maybe_instant("answer_by"),
        request=new_name("r", visit.person.custody, typed.fresh),
    )


ASK_FEED = Act(
    path="/requests/ask-feed",
    flow="consent.ask-feed",
    title=N_("Ask for consent to a feed"),
    lead=N_("Ask an originator whether a feed of its information may be published."),
    button=N_("Ask"),
    ready=_ready_ask_feed,
    request=_ask_feed,
    done=_asked,
    events=("consent-wanted",),
    command="comity consent ask --feed NAME --mark MARK --topic TOPIC --for PARTY --purpose TEXT --until DAY "
    "--reason TEXT --as {handle} --key FILE",
)


async def _ready_drop(visit: Visit) -> Ready:
    return await ready_request(visit, reason_field(visit))


DROP = Act(
    path="/requests/{request}/drop",
    flow="consent.drop",
    title=N_("Drop the request"),
    lead=N_("Tell the originator that nothing is asked any more."),
    button=N_("Drop it"),
    ready=_ready_drop,
    request=lambda visit, typed, actor: DropConsent(
        request=visit.request.path_params["request"], reason=typed.text("reason"), actor=actor
    ),
    done=lambda visit, told: Done(
        path="/requests", told=visit.words("Dropped: %(request)s. Nobody waits for its answer.", request=told.request)
    ),
    final=True,
    command="comity consent drop {request} --reason TEXT --as {handle} --key FILE",
)


ROUTES = tuple(each.entry for each in (ASK, ASK_FEED, DROP))
