"""Consents on forms: granted, refused, given unasked and taken back (Articles 6(a), 6(c))."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast, get_args

from comity.agreement.vocabulary import Act as AgreementAct
from comity.console.acts import Act, Done, Ready, cell
from comity.console.fields import Field, Typed
from comity.console.languages import N_, Language
from comity.console.places import chosen_relationship, relationship_field
from comity.console.signing import new_name
from comity.console.visit import Visit
from comity.console.words import ACTS, BODIES
from comity.flows.actors import Actor
from comity.flows.consenting.consent_register import AskedShown, ConsentLine, ConsentsShown, ListConsents
from comity.flows.consenting.granting import (
    AnswerConsent,
    ConsentShown,
    GrantConsent,
    WithdrawConsent,
    no_consent,
    no_request,
)

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


async def consents_about(visit: Visit, name: str) -> ConsentsShown:
    """A single request or consent by its id, as far as whoever asks may see it."""
    shown: ConsentsShown = await visit.ask("consent.list", ListConsents(actor=visit.actor, about=name))
    return shown


async def request_seen(visit: Visit) -> AskedShown:
    """The request that the address names, as far as whoever asks may see it.

    Raises:
        Misuse: there is none for him.
    """
    name = visit.request.path_params["request"]
    found = (await consents_about(visit, name)).asked
    if not found:
        raise no_request(name)
    return found[0]


async def consent_seen(visit: Visit) -> ConsentLine:
    """The consent that the address names, likewise.

    Raises:
        Misuse: there is none for him.
    """
    name = visit.request.path_params["consent"]
    found = (await consents_about(visit, name)).consents
    if not found:
        raise no_consent(name)
    return found[0]


def acts_told(words: Language, acts: tuple[str, ...]) -> str:
    """Acts as their reader calls them."""
    return words.listed([words(ACTS[each]) for each in acts])


def _about_request(visit: Visit, asked: AskedShown) -> tuple[tuple[str, object], ...]:
    say = visit.words
    return (
        (say("Asked by"), cell(f"{asked.by}, {say.instant(asked.at)}")),
        (say("Item") if asked.topic is None else say("Feed"), cell(f"{asked.item} ({asked.mark})")),
        (say("To be done"), acts_told(say, asked.acts)),
        (say("Who gains"), cell(f"{say.listed(asked.beneficiaries)} ({say(BODIES[asked.beneficiary_kind])})")),
        (say("Purpose"), cell(asked.purpose)),
        (say("Reason given"), cell(asked.reason)),
        (say("Wanted until"), say.instant(asked.until)),
        (say("Stands"), say(ANSWERS[asked.answer])),
    )


async def ready_request(visit: Visit, *fields: Field) -> Ready:
    """A form about the request that the address names."""
    asked = await request_seen(visit)
    return Ready(
        back="/requests",
        fields=fields,
        about=_about_request(visit, asked),
        seen=f"{asked.answer}-{asked.consent or ''}",
        last=asked.answered,
        relationship=asked.relationship,
    )


def reason_field(visit: Visit) -> Field:
    """Why."""
    return Field(
        name="reason", label=visit.words("Reason"), kind="area", hint=visit.words("It is recorded, and crosses.")
    )


def until_field(visit: Visit, hint: str, *, needed: bool = True) -> Field:
    """Until when."""
    return Field(name="until", label=visit.words("Until"), kind="until", hint=hint, needed=needed)


def conditions_field(visit: Visit) -> Field:
    """On what conditions."""
    return Field(
        name="conditions",
        label=visit.words("Conditions"),
        kind="lines",
        hint=visit.words("On what conditions, each on a line of its own; whoever uses the consent is shown them."),
        needed=False,
    )


def acts_field(visit: Visit) -> Field:
    """What is to be done."""
    say = visit.words
    known = get_args(AgreementAct)
    return Field(
        name="acts", label=say("To be done"), kind="many", options=tuple((each, say(ACTS[each])) for each in known)
    )


def shown_after(visit: Visit, shown: ConsentShown) -> Done:
    """What is said after an answer."""
    say = visit.words
    if shown.row.withdrawn is not None:
        sentence = say("Taken back: %(consent)s. What was done under it stays as it was.", consent=shown.consent)
    elif shown.row.granted:
        sentence = say("Granted: %(consent)s.", consent=shown.consent)
    else:
        sentence = say("Refused: %(consent)s. The other side is told why.", consent=shown.consent)
    return Done(path="/requests", told=sentence)


async def _ready_grant(visit: Visit) -> Ready:
    say = visit.words
    return await ready_request(
        visit,
        conditions_field(visit),
        until_field(visit, say("Not longer than was asked for; leave it empty for as long."), needed=False),
        reason_field(visit),
    )


async def _ready_refuse(visit: Visit) -> Ready:
    return await ready_request(visit, reason_field(visit))


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
    done=shown_after,
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
    done=shown_after,
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
            acts_field(visit),
            Field(
                name="beneficiaries",
                label=say("Who may gain"),
                kind="lines",
                hint=say("Bodies that may gain, such as us, each on a line."),
            ),
            Field(
                name="purpose", label=say("Purpose"), hint=say("What for; the consent is good for these very words.")
            ),
            conditions_field(visit),
            until_field(visit, say("A day means until it is over.")),
            reason_field(visit),
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
    done=shown_after,
    follows=(N_("It holds for everything that the pattern speaks of, also for what is given later."),),
    command="comity consent grant --standing --act ACT --for BODY --purpose TEXT --until DAY --reason TEXT "
    "--as {handle} --key FILE",
)


async def _ready_withdraw(visit: Visit) -> Ready:
    line, say = await consent_seen(visit), visit.words
    pattern = [each for each in (line.topic, line.subject, *line.marks) if each]
    return Ready(
        back="/requests",
        fields=(reason_field(visit),),
        about=(
            (say("Consent"), cell(line.consent)),
            (
                say("About"),
                cell(line.item or say.listed(pattern)),
            ),
            (say("To be done"), acts_told(say, line.acts)),
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
    done=shown_after,
    follows=(N_("From its instant on nothing more may be done under it; the other side is told why."),),
    final=True,
    command="comity consent withdraw {consent} --reason TEXT --as {handle} --key FILE",
)

ROUTES = tuple(each.entry for each in (UNASKED, GRANT, REFUSE, WITHDRAW))
