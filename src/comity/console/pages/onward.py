"""Onward: what came is passed on, shown, or used for another purpose, by consent (Articles 6(a), 6(c), 7.5)."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import cast, get_args

from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response

from comity.console.acts import Act, Done, Ready, run
from comity.console.banners import banner_of
from comity.console.called import labels, names
from comity.console.decided import functions
from comity.console.fields import Field, Typed
from comity.console.languages import N_
from comity.console.pages import showing
from comity.console.pages.showing import MANNERS, about_request, name_of
from comity.console.picking import item_field
from comity.console.signing import new_name
from comity.console.visit import Entry, Visit
from comity.console.words import BODIES
from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.consenting.passed_on import ListPassedOn, PassOnReceipt, ReceiptPassOn
from comity.flows.consenting.passing_on import AskPassOn, PassOnTold, SealPassOn
from comity.flows.finding.releases import ListRequests, RequestsListed
from comity.flows.giving.using import UseItem, UseTold
from comity.flows.looking.requests import ShowRequest
from comity.record.bodies.consents import BeneficiaryKind

LISTED_MAX = 200


async def listed(visit: Visit) -> Response:
    """What waits to be shown or passed on, and what was passed on."""
    requests: RequestsListed = await visit.ask(
        "request.list", ListRequests(actor=visit.actor, language=visit.words.code)
    )
    waiting = [each for each in (*requests.own, *requests.approve) if each.act in ("show", "pass-on")]
    lines = await visit.ask("pass-on.list", ListPassedOn(actor=visit.actor))
    lines = lines[::-1][:LISTED_MAX]
    named = await names(visit, [each.item for each in (*waiting, *lines)])
    return visit.show(
        "onward/list.html",
        waiting=waiting,
        named=named,
        banner=await banner_of(visit, [*((each.label, None) for each in waiting), *labels(named)]),
        lines=lines,
        known=await functions(visit),
        manners=MANNERS,
        bodies=BODIES,
    )


# ---- use ------------------------------------------------------------------------------------------------------------


async def _ready_use(visit: Visit) -> Ready:
    say = visit.words
    item, more = await item_field(visit, say("What came from another side, or was made here from it."), box="in")
    return Ready(
        back="/onward",
        more=more,
        fields=(
            item,
            Field(
                name="purpose",
                label=say("Purpose"),
                hint=say("What for; another purpose than it came for needs the originator's consent."),
            ),
        ),
    )


def _may_use(visit: Visit, told: UseTold) -> Done:
    say = visit.words
    sentence = say(
        "You may use %(item)s for: %(purpose)s. It is recorded as %(record)s.",
        item=told.item,
        purpose=told.purpose,
        record=told.decision_record[:16],
    )
    if told.consents:
        sentence += " " + say("By consent: %(consents)s.", consents=say.listed(told.consents))
    if told.conditions:
        sentence += " " + say("On condition: %(conditions)s.", conditions=say.listed(told.conditions))
    return Done(path="/onward", told=sentence)


USE = Act(
    path="/onward/use",
    flow="use",
    title=N_("Use for another purpose"),
    lead=N_("Ask, before you do, whether you may use something that came for a purpose; the answer is recorded."),
    button=N_("Ask"),
    ready=_ready_use,
    request=lambda _visit, typed, actor: UseItem(item=typed.text("item"), purpose=typed.text("purpose"), actor=actor),
    done=_may_use,
    events=("other-use-wanted",),
    command="comity use ITEM --purpose TEXT --as {handle} --key FILE",
)


# ---- passing on -----------------------------------------------------------------------------------------------------


async def _ready_pass_on(visit: Visit) -> Ready:
    say = visit.words
    item, more = await item_field(visit, say("What came from another side, or was made here from it."), box="in")
    return Ready(
        back="/onward",
        more=more,
        fields=(
            item,
            Field(name="copy", label=say("Number of the copy"), kind="number", hint=say("You hold it.")),
            Field(name="beneficiary", label=say("To whom"), hint=say("The body that is to get it, such as us.")),
            Field(
                name="kind",
                label=say("What kind of body it is"),
                kind="choice",
                options=tuple((each, say(BODIES[each])) for each in get_args(BeneficiaryKind) if each != "party"),
                value="government",
            ),
            Field(
                name="nationality",
                label=say("State it belongs to"),
                hint=say("Where it is not a state itself."),
                needed=False,
            ),
            Field(
                name="recipient",
                label=say("Its key"),
                hint=say("The age recipient that the copy will be sealed to, as the body itself gave it."),
                kind="area",
            ),
            Field(
                name="purpose", label=say("Purpose"), hint=say("What for; the very words that the consent is good for.")
            ),
        ),
    )


def _pass_on(visit: Visit, typed: Typed, actor: Actor) -> AskPassOn:
    return AskPassOn(
        item=typed.text("item"),
        copy=typed.number("copy") or 0,
        beneficiary=typed.text("beneficiary"),
        beneficiary_kind=cast("BeneficiaryKind", typed.text("kind")),
        recipient="".join(typed.text("recipient").split()),
        purpose=typed.text("purpose"),
        actor=actor,
        nationality=typed.text("nationality"),
        request=new_name("r", visit.person.custody, typed.fresh),
    )


def _wants_approval(visit: Visit, told: PassOnTold) -> Done:
    sentence = visit.words(
        "Asked: %(request)s. Somebody else approves it; then you seal the copy to %(body)s.",
        request=told.request,
        body=told.beneficiary,
    )
    return Done(path="/onward", told=sentence)


PASS_ON = Act(
    path="/onward/pass-on",
    flow="pass-on.ask",
    title=N_("Pass a copy on"),
    lead=N_("Ask that a copy you hold go to a body outside the parties, with the originator's consent."),
    button=N_("Ask"),
    ready=_ready_pass_on,
    request=_pass_on,
    done=_wants_approval,
    events=("pass-on-wanted",),
    follows=(
        N_("Without the originator's consent nothing but the refusal is recorded."),
        N_("Somebody else approves it before you can seal the copy."),
    ),
    command="comity pass-on ask ITEM --copy N --to BODY --recipient KEY --purpose TEXT --as {handle} --key FILE",
    decided=lambda told: told.decision if not told.request else None,
)


async def _ready_seal(visit: Visit) -> Ready:
    return await about_request(visit, "pass-on")


def _seal(visit: Visit, _typed: Typed, actor: Actor) -> SealPassOn:
    return SealPassOn(request=visit.request.path_params["request"], path=_file(visit), actor=actor)


def _file(visit: Visit) -> str:
    """A new file for the courier's sealed copy, in a folder of this process's own."""
    folder = Path(tempfile.mkdtemp(prefix="comity-courier-"))
    visit.request.state.courier = folder
    return str(folder / "sealed.age")


def _forget(visit: Visit) -> None:
    """Remove what is left of the folder."""
    folder = getattr(visit.request.state, "courier", None)
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


def _sealed(visit: Visit, told: PassOnTold) -> Done:
    sentence = visit.words(
        "Sealed to %(body)s and recorded: %(item)s, copy %(copy)s. Now take the file for the courier.",
        body=told.beneficiary,
        item=told.item,
        copy=str(told.copy),
    )
    return Done(path=f"/onward/pass-on/{told.request}/file", told=sentence)


SEAL = Act(
    path="/onward/pass-on/{request}/seal",
    flow="pass-on.seal",
    title=N_("Seal the copy for the next body"),
    lead=N_("Decide once more, record that the copy went, and seal it to the key of the body that gets it."),
    button=N_("Seal and record it"),
    ready=_ready_seal,
    request=_seal,
    done=_sealed,
    events=("passed-on",),
    follows=(
        N_("Your own key of the copy is erased here; nobody of this house opens it again."),
        N_("The originator's register shows the copy as passed on, to whom, and by which consents."),
    ),
    final=True,
    command="comity pass-on seal {request} --out FILE --as {handle} --key FILE",
    decided=lambda told: told.decision if not told.record and not told.by_holder else None,
)


async def courier_file(visit: Visit) -> Response:
    """The page that leads to the courier's file of a copy that was passed on."""
    return visit.show("onward/file.html", request=visit.request.path_params["request"])


async def seal(visit: Visit) -> Response:
    """Seal it; the file is made anew when it is fetched."""
    try:
        return await run(visit, SEAL)
    finally:
        _forget(visit)


async def fetch(visit: Visit) -> Response:
    """The courier's file, once more as it was sealed; nothing new is decided or recorded.

    Raises:
        Misuse: there is no such request of his, or it was not carried out yet.
    """
    shown = await visit.ask("request.show", ShowRequest(request=name_of(visit), actor=visit.actor))
    if not shown.line.given:
        raise Misuse(f"request {name_of(visit)!r} was not carried out yet", code="not-given")
    path = _file(visit)
    try:
        told = await visit.ask("pass-on.seal", SealPassOn(request=name_of(visit), path=path, actor=visit.actor))
    except BaseException:
        _forget(visit)
        raise
    return FileResponse(
        path,
        media_type="application/octet-stream",
        filename=f"{told.item}-{told.copy}.age",
        background=BackgroundTask(_forget, visit),
    )


async def _ready_receipt(visit: Visit) -> Ready:
    say = visit.words
    return Ready(
        back="/onward",
        fields=(
            Field(name="item", label=say("Item"), hint=say("Its identifier.")),
            Field(name="copy", label=say("Number of the copy"), kind="number"),
            Field(name="receipt", label=say("Receipt"), hint=say("Which receipt it is, and where it is kept.")),
        ),
    )


def _receipted(visit: Visit, told: PassOnReceipt) -> Done:
    sentence = visit.words(
        "Recorded: %(body)s has %(item)s, copy %(copy)s.", body=told.beneficiary, item=told.item, copy=str(told.copy)
    )
    return Done(path="/onward", told=sentence)


RECEIPT = Act(
    path="/onward/receipt",
    flow="pass-on.receipt",
    title=N_("Record the receipt of the next body"),
    lead=N_("Say where the receipt of the body that got a copy can be found, so that the originator sees it arrived."),
    button=N_("Record it"),
    ready=_ready_receipt,
    request=lambda _visit, typed, actor: ReceiptPassOn(
        item=typed.text("item"), copy=typed.number("copy") or 0, receipt=typed.text("receipt"), actor=actor
    ),
    done=_receipted,
    command="comity pass-on receipt ITEM --copy N --receipt TEXT --as {handle} --key FILE",
)


ROUTES = (
    Entry("/onward", listed),
    *(each.entry for each in (USE, PASS_ON, RECEIPT)),
    *showing.ROUTES,
    Entry(SEAL.path, seal, methods=("GET", "POST"), fresh=True),
    Entry("/onward/pass-on/{request}/file", courier_file),
    Entry("/onward/pass-on/{request}/fetch", fetch, methods=("POST",)),
)
