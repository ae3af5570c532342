"""Requests: consents asked of us and by us, what was answered, granted unasked and withdrawn (Articles 6(a), 6(c)).

Passing on, showing and other use, for which consents are asked, are in ``onward.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast, get_args

import msgspec
from starlette.responses import Response

from comity.agreement.vocabulary import Act as AgreementAct
from comity.console.acts import Act, Done, Ready, cell
from comity.console.banners import banner_of
from comity.console.fields import Field, Typed
from comity.console.languages import N_, Language
from comity.console.places import chosen_relationship, other_party, relationship_field
from comity.console.signing import new_name
from comity.console.visit import Entry, Visit
from comity.console.words import ACTS, BODIES
from comity.flows.actors import Actor
from comity.flows.consenting.consent_register import AskedShown, ConsentLine, ConsentsShown, ListConsents
from comity.flows.consenting.consent_requests import AskConsent, AskedForConsent, AskFeedConsent, DropConsent
from comity.flows.consenting.granting import (
    AnswerConsent,
    ConsentShown,
    GrantConsent,
    WithdrawConsent,
    no_consent,
    no_request,
)
from comity.marking.label import Label
from comity.record.bodies.consents import BeneficiaryKind
from comity.register.roles import OFFICER, REGISTRY, RELEASE_AUTHORITY

LISTED_MAX = 200
"""Most lines of each list on one page."""
READ_MAX = 1_000
"""Most requests and consents that are looked at for it: the newest."""
ANSWERS: Mapping[str, str] = {
    "silent": N_("no answer yet"),
    "lapsed": N_("lapsed without an answer"),
    "dropped": N_("dropped"),
    "granted": N_("granted"),
    "refused": N_("refused"),
}
STANDINGS: Mapping[str, str] = {
    "holds": N_("holds"),
    "ended": N_("ended"),
    "withdrawn": N_("withdrawn"),
    "refused": N_("refused"),
}


async def listed(visit: Visit) -> Response:
    """What is asked of us and by us, what we granted, and what was granted to us; what waits comes first."""
    found: ConsentsShown = await visit.ask("consent.list", ListConsents(actor=visit.actor, limit=READ_MAX))
    return await _page(visit, "requests/list.html", found)


async def one(visit: Visit) -> Response:
    """One request with its answer, or one consent; whichever has this id.

    Raises:
        Misuse: there is none for whoever asks.
    """
    name = visit.request.path_params["name"]
    found = await _about(visit, name)
    if not found.asked and not found.consents:
        raise no_request(name)
    for each in found.asked:
        if each.consent:
            found = msgspec.structs.replace(found, consents=(await _about(visit, each.consent)).consents)
    return await _page(visit, "requests/one.html", found, name)


async def _page(visit: Visit, template: str, found: ConsentsShown, name: str = "") -> Response:
    asked = sorted(found.asked, key=lambda each: (each.answer == "silent", each.at), reverse=True)
    given = sorted(found.consents, key=lambda each: (each.standing == "holds", each.at), reverse=True)
    return visit.show(
        template,
        of_us=[each for each in asked if not each.ours][:LISTED_MAX],
        by_us=[each for each in asked if each.ours][:LISTED_MAX],
        our_own=[each for each in given if each.ours][:LISTED_MAX],
        for_us=[each for each in given if not each.ours][:LISTED_MAX],
        more=found.more,
        answers=ANSWERS,
        standings=STANDINGS,
        acts=ACTS,
        bodies=BODIES,
        may_answer=visit.has(RELEASE_AUTHORITY),
        may_drop=visit.has(OFFICER, REGISTRY),
        banner=await banner_of(visit, [(_label(visit, each), None) for each in found.asked]),
        name=name,
    )


def _label(visit: Visit, asked: AskedShown) -> Label:
    """The originator's label of what is asked about."""
    originator = other_party(visit, asked.relationship) if asked.ours else visit.desk.house.party
    return Label(policy=originator, mark=asked.mark, originator=originator)


async def _about(visit: Visit, name: str) -> ConsentsShown:
    """A single request or consent by its id, as far as whoever asks may see it."""
    shown: ConsentsShown = await visit.ask("consent.list", ListConsents(actor=visit.actor, about=name))
    return shown


async def _request(visit: Visit) -> AskedShown:
    """The request that the address names, as far as whoever asks may see it.

    Raises:
        Misuse: there is none for him.
    """
    name = visit.request.path_params["request"]
    found = (await _about(visit, name)).asked
    if not found:
        raise no_request(name)
    return found[0]


async def _consent(visit: Visit) -> ConsentLine:
    name = visit.request.path_params["consent"]
    found = (await _about(visit, name)).consents
    if not found:
        raise no_consent(name)
    return found[0]


def _acts(words: Language, acts: tuple[str, ...]) -> str:
    return words.listed([words(ACTS[each]) for each in acts])


def _about_request(visit: Visit, asked: AskedShown) -> tuple[tuple[str, object], ...]:
    say = visit.words
    return (
        (say("Asked by"), cell(f"{asked.by}, {say.instant(asked.at)}")),
        (say("Item") if asked.topic is None else say("Feed"), cell(f"{asked.item} ({asked.mark})")),
        (say("To be done"), _acts(say, asked.acts)),
        (say("Who gains"), cell(f"{say.listed(asked.beneficiaries)} ({say(BODIES[asked.beneficiary_kind])})")),
        (say("Purpose"), cell(asked.purpose)),
        (say("Reason given"), cell(asked.reason)),
        (say("Wanted until"), say.instant(asked.until)),
        (say("Stands"), say(ANSWERS[asked.answer])),
    )


async def _ready_request(visit: Visit, *fields: Field) -> Ready:
    asked = await _request(visit)
    return Ready(
        back="/requests",
        fields=fields,
        about=_about_request(visit, asked),
        seen=f"{asked.answer}-{asked.consent or ''}",
        last=asked.answered,
        relationship=asked.relationship,
    )


def _reason(visit: Visit) -> Field:
    return Field(
        name="reason", label=visit.words("Reason"), kind="area", hint=visit.words("It is recorded, and crosses.")
    )


def _until(visit: Visit, hint: str, *, needed: bool = True) -> Field:
    return Field(name="until", label=visit.words("Until"), kind="until", hint=hint, needed=needed)


def _conditions(visit: Visit) -> Field:
    return Field(
        name="conditions",
        label=visit.words("Conditions"),
        kind="lines",
        hint=visit.words("On what conditions, each on a line of its own; whoever uses the consent is shown them."),
        needed=False,
    )


def _acts_field(visit: Visit) -> Field:
    say = visit.words
    known = get_args(AgreementAct)
    return Field(
        name="acts", label=say("To be done"), kind="many", options=tuple((each, say(ACTS[each])) for each in known)
    )


def _shown(visit: Visit, shown: ConsentShown) -> Done:
    say = visit.words
    if shown.row.withdrawn is not None:
        sentence = say("Taken back: %(consent)s. What was done under it stays as it was.", consent=shown.consent)
    elif shown.row.granted:
        sentence = say("Granted: %(consent)s.", consent=shown.consent)
    else:
        sentence = say("Refused: %(consent)s. The other side is told why.", consent=shown.consent)
    return Done(path="/requests", told=sentence)


# ---- asking ---------------------------------------------------------------------------------------------------------


async def _ready_ask(visit: Visit) -> Ready:
    say = visit.words
    return Ready(
        back="/requests",
        fields=(
            Field(name="item", label=say("Item"), hint=say("Its identifier.")),
            _acts_field(visit),
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
            _reason(visit),
            _until(visit, say("How long the consent is wanted for; a day means until it is over.")),
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
            _reason(visit),
            _until(visit, say("How long the consent is wanted for; a day means until it is over.")),
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
    return await _ready_request(visit, _reason(visit))


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


# ---- answering ------------------------------------------------------------------------------------------------------


async def _ready_grant(visit: Visit) -> Ready:
    say = visit.words
    return await _ready_request(
        visit,
        _conditions(visit),
        _until(visit, say("Not longer than was asked for; leave it empty for as long."), needed=False),
        _reason(visit),
    )


async def _ready_refuse(visit: Visit) -> Ready:
    return await _ready_request(visit, _reason(visit))


GRANT = Act(
    path="/requests/{request}/grant",
    flow="consent.answer",
    title=N_("Grant what is asked"),
    lead=N_("Give your consent, as it was asked for or less, on conditions and until a day."),
    button=N_("Grant it"),
    ready=_ready_grant,
    request=lambda visit, typed, actor: AnswerConsent(
        request=visit.request.path_params["request"],
        granted=True,
        reason=typed.text("reason"),
        actor=actor,
        until=typed.maybe_instant("until"),
        conditions=typed.several("conditions"),
        consent=new_name("c", visit.person.custody, typed.fresh),
    ),
    done=_shown,
    follows=(
        N_("What was asked may be done from now on, until the day you name; you can take the consent back."),
        N_("Whatever waits here for this consent, and for nothing else, is given at once."),
    ),
    command="comity consent grant {request} --reason TEXT --as {handle} --key FILE",
)
REFUSE = Act(
    path="/requests/{request}/refuse",
    flow="consent.answer",
    title=N_("Refuse what is asked"),
    lead=N_("Say that it may not be done, and why."),
    button=N_("Refuse it"),
    ready=_ready_refuse,
    request=lambda visit, typed, actor: AnswerConsent(
        request=visit.request.path_params["request"],
        granted=False,
        reason=typed.text("reason"),
        actor=actor,
        consent=new_name("c", visit.person.custody, typed.fresh),
    ),
    done=_shown,
    command="comity consent refuse {request} --reason TEXT --as {handle} --key FILE",
)


async def _ready_unasked(visit: Visit) -> Ready:
    say = visit.words
    return Ready(
        back="/requests",
        fields=(
            *(await relationship_field(visit, needed=True)),
            Field(
                name="item", label=say("Item"), hint=say("The one item; leave it empty for a pattern."), needed=False
            ),
            Field(name="topic", label=say("Topic"), hint=say("Every item of this need-to-know list."), needed=False),
            Field(
                name="subject",
                label=say("Subject"),
                hint=say("Every item about it, in a word of the agreement."),
                needed=False,
            ),
            Field(
                name="marks",
                label=say("Marks"),
                kind="lines",
                hint=say("Every item under one of these marks of yours, each on a line."),
                needed=False,
            ),
            _acts_field(visit),
            Field(
                name="beneficiaries",
                label=say("Who may gain"),
                kind="lines",
                hint=say("Bodies that may gain, such as us, each on a line."),
            ),
            Field(
                name="purpose", label=say("Purpose"), hint=say("What for; the consent is good for these very words.")
            ),
            _conditions(visit),
            _until(visit, say("A day means until it is over.")),
            _reason(visit),
        ),
    )


def _unasked(visit: Visit, typed: Typed, actor: Actor) -> GrantConsent:
    return GrantConsent(
        relationship=chosen_relationship(typed),
        acts=cast("tuple[AgreementAct, ...]", typed.several("acts")),
        beneficiaries=typed.several("beneficiaries"),
        purpose=typed.text("purpose"),
        until=typed.instant("until"),
        reason=typed.text("reason"),
        actor=actor,
        item=typed.maybe("item"),
        topic=typed.maybe("topic"),
        subject=typed.maybe("subject"),
        marks=typed.several("marks"),
        conditions=typed.several("conditions"),
        consent=new_name("c", visit.person.custody, typed.fresh),
    )


UNASKED = Act(
    path="/requests/consent",
    flow="consent.grant",
    title=N_("Consent unasked"),
    lead=N_("Consent once to one item, or to every item of a topic, a subject or some marks."),
    button=N_("Consent"),
    ready=_ready_unasked,
    request=_unasked,
    done=_shown,
    follows=(N_("It holds for everything that the pattern speaks of, also for what is given later."),),
    command="comity consent grant --standing --act ACT --for BODY --purpose TEXT --until DAY --reason TEXT "
    "--as {handle} --key FILE",
)


async def _ready_withdraw(visit: Visit) -> Ready:
    line, say = await _consent(visit), visit.words
    pattern = [each for each in (line.topic, line.subject, *line.marks) if each]
    return Ready(
        back="/requests",
        fields=(_reason(visit),),
        about=(
            (say("Consent"), cell(line.consent)),
            (
                say("About"),
                cell(line.item or say.listed(pattern)),
            ),
            (say("To be done"), _acts(say, line.acts)),
            (say("Who gains"), cell(say.listed(line.beneficiaries))),
            (say("Purpose"), cell(line.purpose)),
            (say("Stands"), say(STANDINGS[line.standing])),
        ),
        seen=line.standing,
        last=line.last,
        relationship=line.relationship,
    )


WITHDRAW = Act(
    path="/requests/consents/{consent}/withdraw",
    flow="consent.withdraw",
    title=N_("Take the consent back"),
    lead=N_("End a consent from now on; what was done under it stays as it was."),
    button=N_("Take it back"),
    ready=_ready_withdraw,
    request=lambda visit, typed, actor: WithdrawConsent(
        consent=visit.request.path_params["consent"], reason=typed.text("reason"), actor=actor
    ),
    done=_shown,
    follows=(N_("From its instant on nothing more may be done under it; the other side is told why."),),
    final=True,
    command="comity consent withdraw {consent} --reason TEXT --as {handle} --key FILE",
)

ROUTES = (
    Entry("/requests", listed),
    Entry("/consents/{name}", one),
    *(each.entry for each in (ASK, ASK_FEED, UNASKED, DROP, GRANT, REFUSE, WITHDRAW)),
)
