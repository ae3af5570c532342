"""Endings: a copy is sent back, or destroyed before witnesses (Articles 6(h), 13)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast, get_args

from starlette.responses import Response

from comity.agreement.vocabulary import Method
from comity.console.acts import Act, Done, Ready, cell
from comity.console.banners import banner_of
from comity.console.called import labels, names
from comity.console.fields import Field, Typed
from comity.console.languages import N_
from comity.console.pages.hands import about_copy, named, path_of
from comity.console.signing import new_name
from comity.console.visit import Entry, Visit
from comity.console.words import METHODS
from comity.flows.actors import Actor
from comity.flows.ending.certificates import CertificateShown, ShowCertificate
from comity.flows.ending.destruction import Destroy, Destruction, WitnessDestruction
from comity.flows.ending.returning import SendBack, SentBackShown, TakeBack
from comity.marking.label import Label

CERTIFICATES: Mapping[str, str] = {
    "complete": N_("complete"),
    "waiting": N_("waits for its witnesses"),
    "void": N_("void"),
}


def reason_field(visit: Visit) -> Field:
    """Why something is done."""
    say = visit.words
    return Field(name="reason", label=say("Reason"), kind="area", hint=say("It is recorded, and crosses."))


# ---- sent back ------------------------------------------------------------------------------------------------------


async def _ready_return(visit: Visit) -> Ready:
    return await about_copy(visit, reason_field(visit))


def _sent(visit: Visit, told: SentBackShown) -> Done:
    sentence = visit.words("Sent back to %(party)s. Its key is erased here.", party=told.to.upper())
    return Done(path=path_of(visit), told=sentence)


RETURN = Act(
    path="/copies/{item}/{number}/return",
    flow="return",
    title=N_("Send it back"),
    lead=N_("Send your copy back to whoever gave it."),
    button=N_("Send it back"),
    ready=_ready_return,
    request=lambda visit, typed, actor: SendBack(reason=typed.text("reason"), actor=actor, **named(visit)),
    done=_sent,
    events=("returned",),
    follows=(N_("Its key is erased here at once: nobody opens it on its way, and nobody here afterwards."),),
    final=True,
    command="comity return {item} --copy {number} --reason TEXT --as {handle} --key FILE",
)


async def _ready_take_back(visit: Visit) -> Ready:
    return await about_copy(visit)


TAKE_BACK = Act(
    path="/copies/{item}/{number}/take-back",
    flow="return.receive",
    title=N_("Sign for its return"),
    lead=N_("Sign for a copy of yours that has come back."),
    button=N_("Sign for it"),
    ready=_ready_take_back,
    request=lambda visit, _typed, actor: TakeBack(actor=actor, **named(visit)),
    done=lambda visit, _told: Done(path=path_of(visit), told=visit.words("Signed for; the copy is returned.")),
    command="comity return receive {item} --copy {number} --as {handle} --key FILE",
)


# ---- destroyed ------------------------------------------------------------------------------------------------------


async def _ready_destroy(visit: Visit) -> Ready:
    say = visit.words
    return await about_copy(
        visit,
        Field(
            name="method",
            label=say("How"),
            kind="choice",
            options=tuple((each, say(METHODS[each])) for each in get_args(Method)),
            hint=say("An arrangement may say which ways."),
        ),
        reason_field(visit),
        Field(
            name="crisis",
            label=say("At once, because it is about to fall into other hands"),
            kind="check",
            needed=False,
        ),
    )


def _destroy(visit: Visit, typed: Typed, actor: Actor) -> Destroy:
    return Destroy(
        method=cast("Method", typed.text("method")),
        reason=typed.text("reason"),
        actor=actor,
        crisis=typed.yes("crisis"),
        certificate=new_name("t", visit.person.custody, typed.fresh),
        **named(visit),
    )


def _destroyed(visit: Visit, told: Destruction) -> Done:
    assert told.certificate is not None  # a refusal is shown by itself
    say, certificate = visit.words, told.certificate
    sentence = say("Certified: %(certificate)s.", certificate=certificate.certificate)
    if certificate.state == "waiting":
        sentence += " " + say("The copy is closed until its witnesses have signed.")
    return Done(path=f"/certificates/{certificate.certificate}", told=sentence)


DESTROY = Act(
    path="/copies/{item}/{number}/destroy",
    flow="destroy",
    title=N_("Destroy it"),
    lead=N_("Certify that you have destroyed your copy, and how."),
    button=N_("Certify its destruction"),
    ready=_ready_destroy,
    request=_destroy,
    done=_destroyed,
    events=("destroyed",),
    follows=(
        N_("Where witnesses are asked, the copy is closed until they have signed; else its key is erased at once."),
        N_("Nobody opens it again. That the key is destroyed is attested, not proved."),
    ),
    final=True,
    command="comity destroy {item} --copy {number} --method METHOD --reason TEXT --as {handle} --key FILE",
    decided=lambda told: told.decision if told.certificate is None else None,
)


async def certificate(visit: Visit) -> Response:
    """A certificate of destruction: what, how, by whom, who saw it, and what it attests."""
    shown = await _certificate(visit)
    label = Label(policy=shown.originator, mark=shown.mark, originator=shown.originator)
    named = await names(visit, [shown.item])
    return visit.show(
        "copies/certificate.html",
        shown=shown,
        named=named,
        states=CERTIFICATES,
        methods=METHODS,
        banner=await banner_of(visit, [(label, None), *labels(named)]),
    )


async def _certificate(visit: Visit) -> CertificateShown:
    request = ShowCertificate(certificate=visit.request.path_params["certificate"], actor=visit.actor)
    shown: CertificateShown = await visit.ask("destroy.certificate", request)
    return shown


async def _about_certificate(visit: Visit, *fields: Field) -> Ready:
    shown, say = await _certificate(visit), visit.words
    return Ready(
        back=f"/certificates/{shown.certificate}",
        fields=fields,
        about=(
            (say("Item"), cell(shown.item)),
            (say("Copy"), say.number(shown.copy)),
            (say("How"), say(METHODS[shown.method])),
            (say("Reason"), cell(shown.reason)),
            (say("Destroyed by"), cell(f"{shown.by.function or shown.by.by}, {say.instant(shown.by.at)}")),
            (say("Stands"), say(CERTIFICATES[shown.state])),
        ),
        seen=f"{shown.state}-{len(shown.witnesses)}",
        relationship=shown.relationship,
    )


async def _ready_witness(visit: Visit) -> Ready:
    return await _about_certificate(visit)


async def _ready_deny(visit: Visit) -> Ready:
    say = visit.words
    return await _about_certificate(visit, Field(name="reason", label=say("What you saw"), kind="area"))


def _witnessed(visit: Visit, shown: CertificateShown) -> Done:
    sentence = visit.words("Signed. The certificate: %(state)s.", state=visit.words(CERTIFICATES[shown.state]))
    return Done(path=f"/certificates/{shown.certificate}", told=sentence)


WITNESS = Act(
    path="/certificates/{certificate}/witness",
    flow="destroy.witness",
    title=N_("Witness the destruction"),
    lead=N_("Sign that you saw it, if you did."),
    button=N_("I saw it"),
    ready=_ready_witness,
    request=lambda visit, _typed, actor: WitnessDestruction(
        certificate=visit.request.path_params["certificate"], actor=actor
    ),
    done=_witnessed,
    follows=(N_("With the last signature it asks for, the copy is destroyed and its key erased."),),
    final=True,
    command="comity destroy witness {certificate} --as {handle} --key FILE",
)
DENY = Act(
    path="/certificates/{certificate}/deny",
    flow="destroy.witness",
    title=N_("I saw no such thing"),
    lead=N_("Say that you did not see it; the certificate is then void, and the copy as it was."),
    button=N_("I saw no such thing"),
    ready=_ready_deny,
    request=lambda visit, typed, actor: WitnessDestruction(
        certificate=visit.request.path_params["certificate"], actor=actor, seen=False, reason=typed.text("reason")
    ),
    done=_witnessed,
    command="comity destroy witness {certificate} --refuse TEXT --as {handle} --key FILE",
)


ROUTES = (
    Entry("/certificates/{certificate}", certificate),
    *(each.entry for each in (WITNESS, DENY, RETURN, TAKE_BACK, DESTROY)),
)
