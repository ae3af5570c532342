"""From hand to hand: a copy is handed over, carried, signed for, copied, lost and found (Articles 9, 12, 14)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypedDict, cast

from comity.console.acts import Act, Done, Ready, cell
from comity.console.decided import functions
from comity.console.fields import Field, Typed
from comity.console.languages import N_
from comity.console.visit import Visit
from comity.console.words import STATES
from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.handling.copies import CopyLine, CopyShown, ShowCopy
from comity.flows.handling.copying import CopiesMade, MakeCopies
from comity.flows.handling.handing_over import Carry, HandedOn, HandOver, Signed, TakeOver
from comity.flows.handling.losing import CopyTold, FindCopy, LoseCopy
from comity.record.bodies.custody import DoubleEnvelope, Enclosure, Packing

IN = "in"
"""Where a copy is registered, in an address and in a form."""
MEANS: Mapping[str, str] = {
    "": N_("in two envelopes"),
    "vehicle": N_("in a sealed vehicle"),
    "crate": N_("in a sealed crate"),
}


async def copy_shown(visit: Visit) -> CopyShown:
    """The copy that the address names.

    Raises:
        Misuse: there is no such item for whoever asks, or several copies are meant.
        Refused: it is no copy of his.
    """
    number = visit.request.path_params["number"]
    request = ShowCopy(
        item=visit.request.path_params["item"],
        copy=int(number) if number.isascii() and number.isdecimal() and len(number) < 16 else 0,
        actor=visit.actor,
        relationship=where(visit),
    )
    shown: CopyShown = await visit.ask("copy.show", request)
    return shown


def where(visit: Visit) -> str | None:
    """The relationship in which a copy is meant, where the page or the form says one."""
    return visit.form.get(IN) or visit.query.get(IN) or None


async def about_copy(visit: Visit, *fields: Field) -> Ready:
    """A form about the copy that the address names."""
    shown, say = await copy_shown(visit), visit.words
    copy, known = shown.copy, await functions(visit)
    return Ready(
        back=f"/copies/{copy.item}/{copy.number}?in={copy.relationship}",
        fields=(*fields, Field(name=IN, label=say("Registered in"), kind="hidden", value=copy.relationship)),
        about=(
            (say("Item"), cell(copy.item)),
            (say("Copy"), say.number(copy.number)),
            (say("State"), say(STATES[copy.state])),
            (say("Holder"), cell(known.get(copy.holder, copy.holder))),
        ),
        seen=seen(copy),
        last=copy.last,
        relationship=copy.relationship,
    )


def seen(copy: CopyLine) -> str:
    """The newest record about a copy, and its state."""
    return f"{copy.state}-{copy.last.record[:16] if copy.last is not None else ''}"


def path_of(visit: Visit) -> str:
    """The page of the copy that the address names."""
    return "/copies/{item}/{number}".format_map(visit.request.path_params)


class Named(TypedDict):
    """How a request to a flow names a copy."""

    item: str
    copy: int
    relationship: str | None


def named(visit: Visit) -> Named:
    """The copy that the address names, as a request to a flow names it."""
    return Named(
        item=visit.request.path_params["item"],
        copy=int(visit.request.path_params["number"]),
        relationship=where(visit),
    )


def _back(visit: Visit, told: str) -> Done:
    return Done(path=path_of(visit), told=told)


async def _ready_hand_over(visit: Visit) -> Ready:
    say = visit.words
    field = Field(
        name="taker", label=say("To whom"), hint=say("The handle of somebody of this house, who may open it.")
    )
    return await about_copy(visit, field)


def _handed(visit: Visit, told: HandedOn) -> Done:
    sentence = visit.words("Handed over to %(taker)s. Nobody can open it until he has signed for it.", taker=told.taker)
    return _back(visit, sentence)


HAND_OVER = Act(
    path="/copies/{item}/{number}/hand-over",
    flow="hand-over",
    title=N_("Hand it over"),
    lead=N_("Give the copy to somebody else of this house, who answers for it once he has signed."),
    button=N_("Hand it over"),
    ready=_ready_hand_over,
    request=lambda visit, typed, actor: HandOver(taker=typed.text("taker"), actor=actor, **named(visit)),
    done=_handed,
    events=("hands-changed",),
    follows=(
        N_("It is decided whether he may open it; a refusal is recorded."),
        N_("It is sealed anew to him, and its old key is erased."),
    ),
    command="comity hand-over {item} --copy {number} --to HANDLE --as {handle} --key FILE",
)


async def _ready_take_over(visit: Visit) -> Ready:
    say = visit.words
    return await about_copy(
        visit,
        Field(
            name="condition",
            label=say("What is amiss with it"),
            kind="area",
            hint=say("Leave it empty where nothing is."),
            needed=False,
        ),
    )


TAKE_OVER = Act(
    path="/copies/{item}/{number}/take-over",
    flow="take-over",
    title=N_("Sign for it"),
    lead=N_("Sign for a copy that was sent to you; you answer for it from now on."),
    button=N_("Sign for it"),
    ready=_ready_take_over,
    request=lambda visit, typed, actor: TakeOver(condition=typed.text("condition"), actor=actor, **named(visit)),
    done=lambda visit, _told: _back(visit, visit.words("Signed for; you hold the copy now.")),
    command="comity take-over {item} --copy {number} --as {handle} --key FILE",
)


def _packing_fields(visit: Visit) -> tuple[Field, ...]:
    say = visit.words
    return (
        Field(
            name="means",
            label=say("How it is packed"),
            kind="choice",
            options=tuple((word, say(told)) for word, told in MEANS.items()),
            needed=False,
        ),
        Field(name="inner_mark", label=say("Mark on the inner envelope"), needed=False),
        Field(name="inner_address", label=say("Address on the inner envelope"), needed=False),
        Field(name="outer_recipient", label=say("Recipient on the outer envelope"), needed=False),
        Field(name="outer_sender", label=say("Sender on the outer envelope"), needed=False),
        Field(name="register_number", label=say("Register number on the outer envelope"), needed=False),
        Field(name="seal", label=say("Number of the seal"), needed=False),
        Field(name="control", label=say("How it is controlled without a break"), needed=False),
        Field(name="concealed", label=say("Its shape, size and contents cannot be seen"), kind="check", needed=False),
    )


def _packing(visit: Visit, typed: Typed) -> Packing | None:
    """How it is packed, as the carrier says; None where he says nothing.

    Raises:
        Misuse: he says that it is in envelopes and in a crate, or not which mark shows.
    """
    envelopes = [typed.text(name) for name in ("inner_mark", "inner_address", "outer_recipient", "outer_sender")]
    means = typed.text("means")
    if means and any(envelopes):
        raise Misuse(
            visit.words("it is in two envelopes, or in a vehicle or crate; not both"), code="packing", place="means"
        )
    if means:
        return Enclosure(
            means=cast("Literal['vehicle', 'crate']", means),
            seal=typed.text("seal"),
            concealed=typed.yes("concealed"),
            control=typed.text("control"),
        )
    if not any(envelopes):
        return None
    if not envelopes[0]:
        raise Misuse(visit.words("say which mark the inner envelope shows"), code="packing", place="inner_mark")
    return DoubleEnvelope(
        inner_mark=envelopes[0],
        inner_address=envelopes[1],
        outer_recipient=envelopes[2],
        outer_sender=envelopes[3],
        register_number=typed.text("register_number"),
    )


def _carried(visit: Visit, told: Signed) -> str:
    say = visit.words
    sentence = say("Signed for as carrier; it is in your hands until the next one signs.")
    for each in told.amiss:
        sentence += " " + say("Amiss: %(what)s.", what=each.says)
    return sentence


async def _ready_carry(visit: Visit) -> Ready:
    return await about_copy(visit, *_packing_fields(visit))


CARRY = Act(
    path="/copies/{item}/{number}/carry",
    flow="copy.carry",
    title=N_("Sign for it as carrier"),
    lead=N_("Sign, as a carrier, for a thing that is on its way, and say how it is packed."),
    button=N_("Sign for it"),
    ready=_ready_carry,
    request=lambda visit, typed, actor: Carry(packing=_packing(visit, typed), actor=actor, **named(visit)),
    done=lambda visit, told: _back(visit, _carried(visit, told)),
    command="comity copy carry {item} --copy {number} --as {handle} --key FILE",
)


async def _ready_carry_label(visit: Visit) -> Ready:
    say = visit.words
    reference = Field(name="reference", label=say("Reference"), hint=say("What its label says, such as c-5q2k…."))
    return Ready(back="/copies", fields=(reference, *_packing_fields(visit)))


CARRY_LABEL = Act(
    path="/copies/carry",
    flow="copy.carry",
    title=N_("Sign for a thing by its label"),
    lead=N_("Sign, as a carrier, for what you have in your hands; you learn nothing of what it is."),
    button=N_("Sign for it"),
    ready=_ready_carry_label,
    request=lambda visit, typed, actor: Carry(
        item=typed.text("reference"), packing=_packing(visit, typed), actor=actor
    ),
    done=lambda visit, told: Done(path="/copies", told=_carried(visit, told)),
    command="comity copy carry REFERENCE --as {handle} --key FILE",
)


async def _ready_lost(visit: Visit) -> Ready:
    say = visit.words
    hint = say("Since when, and what was done to find it.")
    return await about_copy(visit, Field(name="circumstances", label=say("Circumstances"), kind="area", hint=hint))


async def _ready_found(visit: Visit) -> Ready:
    say = visit.words
    hint = say("Where it was, and who could get at it meanwhile.")
    return await about_copy(visit, Field(name="circumstances", label=say("Circumstances"), kind="area", hint=hint))


def _now(visit: Visit, told: CopyTold) -> Done:
    return _back(visit, visit.words("Recorded. The copy is now: %(state)s.", state=visit.words(STATES[told.state])))


LOST = Act(
    path="/copies/{item}/{number}/lost",
    flow="copy.lost",
    title=N_("It is lost"),
    lead=N_("Say that a copy cannot be found; whoever gave it hears of it. Report the loss besides."),
    button=N_("Say that it is lost"),
    ready=_ready_lost,
    request=lambda visit, typed, actor: LoseCopy(
        circumstances=typed.text("circumstances"), actor=actor, **named(visit)
    ),
    done=_now,
    events=("loss-suspected",),
    command="comity copy lost {item} --copy {number} --circumstances TEXT --as {handle} --key FILE",
)
FOUND = Act(
    path="/copies/{item}/{number}/found",
    flow="copy.found",
    title=N_("It is found again"),
    lead=N_("Say that a lost copy is there again."),
    button=N_("Say that it is found"),
    ready=_ready_found,
    request=lambda visit, typed, actor: FindCopy(
        circumstances=typed.text("circumstances"), actor=actor, **named(visit)
    ),
    done=_now,
    command="comity copy found {item} --copy {number} --circumstances TEXT --as {handle} --key FILE",
)


async def _ready_make(visit: Visit) -> Ready:
    say = visit.words
    return await about_copy(
        visit,
        Field(
            name="holders",
            label=say("For whom"),
            kind="lines",
            hint=say("The handle of everybody who gets one, each on a line; the same may be named again."),
        ),
        Field(name="purpose", label=say("Purpose"), hint=say("What for; no more copies than that needs.")),
    )


def _make(visit: Visit, typed: Typed, actor: Actor) -> MakeCopies:
    return MakeCopies(
        holders=typed.several("holders"),
        purpose=typed.text("purpose"),
        actor=actor,
        **named(visit),
    )


def _made(visit: Visit, told: CopiesMade) -> Done:
    say = visit.words
    listed = say.listed([f"{each.number} ({each.handle})" for each in told.made])
    marks = say.listed(told.marks) if told.marks else say("no mark")
    sentence = say("Made: %(copies)s. On each of them stands: %(marks)s.", copies=listed, marks=marks)
    return Done(path=f"/copies/{told.item}", told=sentence)


MAKE = Act(
    path="/copies/{item}/{number}/copy",
    flow="copy",
    title=N_("Make copies of it"),
    lead=N_("Make further numbered copies of one that you hold, each sealed to its holder."),
    button=N_("Make them"),
    ready=_ready_make,
    request=_make,
    done=_made,
    events=("derivative-made",),
    follows=(N_("They stand in the originator's register, too, with the original marks on each."),),
    command="comity copy {item} --from {number} --to HANDLE --purpose TEXT --as {handle} --key FILE",
)

ROUTES = (CARRY_LABEL.entry, *(each.entry for each in (HAND_OVER, TAKE_OVER, CARRY, LOST, FOUND, MAKE)))
