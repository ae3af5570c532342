"""Acts: what somebody does on a page, from the empty form to what the next page tells him.

Every act goes the same way (``spec/acts.md``). A form shows what it is about and what will follow;
what was typed is read and kept; a form made for a state that is over says who did what meanwhile; what cannot be undone
is looked at twice; a refusal is shown with its reasons; somebody who keeps his own key is shown what he is to sign.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from hashlib import sha256
from shlex import quote
from typing import Any

import msgspec
from markupsafe import Markup
from starlette.responses import Response

from comity.agreement.vocabulary import Event
from comity.answers import status_of
from comity.console.decided import told_outcome
from comity.console.fields import Field, Typed, read_typed
from comity.console.guard import READING
from comity.console.places import agreements
from comity.console.signing import FRESH, SIGNATURE, fresh, read_signatures, shown_message
from comity.console.visit import SEEN, TOKEN, Entry, Visit
from comity.decision import model as decision
from comity.errors import TOLD, ComityError
from comity.flows.actors import Actor, NeedsSignature
from comity.flows.deciding.said import Said
from comity.flows.looking.foreseen import ForeseeDuties

SURE = "sure"
"""The field by which somebody says that he has looked twice."""
CONFLICT = 409
GOES_ON = ("kind", "nationality")
"""What was typed about who gains goes along to the page on which a consent is asked that would change a refusal."""
OWN_KEY = ("rewrap", "confirm", "by_holder")
"""By these a flow says that its actor has to go on with his own key."""


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """What a form is made of, for whoever asks for it.

    Attributes:
        about: what it is about, in pairs of a word and what it is.
        fields: what can be typed.
        back: where one goes without doing it.
        seen: the state that the form is made for; empty where nobody else can change it.
        last: who said the last of it.
        relationship: where it will be said; None where that is chosen, or everywhere.
        more: what the page needs besides.
    """

    fields: tuple[Field, ...]
    back: str
    about: tuple[tuple[str, object], ...] = ()
    seen: str = ""
    last: Said | None = None
    relationship: str | None = None
    more: Mapping[str, Any] = {}


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """Where one goes afterwards, and what is told there."""

    path: str
    told: str


def against(answer: object) -> decision.Outcome | None:
    """The decision in an answer, where it does not permit what was asked."""
    word = getattr(answer, "outcome", "permit")
    return getattr(answer, "decision", None) if word != "permit" else None


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that somebody does.

    Attributes:
        path: as Starlette writes it.
        flow: which flow does it.
        title: what the page is called, in English, and so the next ones.
        lead: what it is for, in a sentence.
        button: what the button says.
        ready: makes the form; raises what an unknown thing raises.
        request: what is asked of the flow.
        done: what is said afterwards.
        events: what it brings about, for the duties that follow.
        follows: what follows besides, in sentences.
        final: it cannot be undone.
        command: what is typed instead, by somebody who keeps his own key; ``{name}`` is a part of the address.
        decided: the decision in what the flow answers, where nothing was done; None where it was done.
        template: the page.
        result: the page that shows what was found, where nothing was changed that another page would show.
    """

    path: str
    flow: str
    title: str
    lead: str
    button: str
    ready: Callable[[Visit], Awaitable[Ready]]
    request: Callable[[Visit, Typed, Actor], msgspec.Struct]
    done: Callable[[Visit, Any], Done] = lambda _visit, _answer: Done(path="/", told="")
    events: tuple[Event, ...] = ()
    follows: tuple[str, ...] = ()
    final: bool = False
    command: str = ""
    decided: Callable[[Any], decision.Outcome | None] = against
    template: str = "acts/act.html"
    result: Callable[[Visit, Any], Response] | None = None

    @property
    def entry(self) -> Entry:
        """Its page, and its form."""
        return Entry(self.path, lambda visit: run(visit, self), methods=("GET", "POST"))


class State(msgspec.Struct, frozen=True, kw_only=True):
    """How far a form has come: what was typed, and what stands against it."""

    typed: Typed
    mistakes: Mapping[str, object] = {}
    stale: Said | None = None
    is_stale: bool = False
    outcome: Any = None
    record: str = ""
    relationship: str | None = None
    sure: bool = False
    message: Any = None
    own_key: bool = False


async def run(visit: Visit, act: Act) -> Response:
    """(1) The form; or, sent, what comes of it; sent twice, what came of it then (8)."""
    if visit.request.method in READING:
        ready = await act.ready(visit)
        typed = read_typed(ready.fields, visit.query, visit.words, blank=True)
        return await _page(visit, act, ready, State(typed=typed))
    came = await visit.desk.once.run(_digest(visit), lambda: _send(visit, act), lambda answer: isinstance(answer, Done))
    if not isinstance(came, Done):
        return came
    return visit.to(came.path, "" if came.told in visit.signed_in.told else came.told)


def _digest(visit: Visit) -> str:
    """Which form was sent in which session, and with what in it."""
    typed = [each for each in visit.form.fields if each[0] != TOKEN]
    return sha256(repr((visit.signed_in.token, visit.request.url.path, typed)).encode()).hexdigest()


async def _send(visit: Visit, act: Act) -> Response | Done:
    """What comes of a form."""
    ready = await act.ready(visit)
    typed = read_typed(ready.fields, visit.form, visit.words)
    state = State(typed=typed, mistakes=typed.mistakes)
    if ready.seen and visit.form.get(SEEN) != ready.seen:  # (3)
        stale = msgspec.structs.replace(state, stale=ready.last, is_stale=True)
        return await _page(visit, act, ready, stale, CONFLICT)
    if typed.mistakes:
        return await _page(visit, act, ready, state, 422)
    if act.final and SURE not in visit.form:  # (4)
        return await _page(visit, act, ready, msgspec.structs.replace(state, sure=True))
    try:
        actor = Actor(visit.actor.handle, read_signatures(visit.form, visit.words))
        answer = await visit.ask(act.flow, act.request(visit, typed, actor))
    except NeedsSignature as needed:  # (6)
        message = shown_message(needed.message, visit.form, _command(visit, act))
        return await _page(visit, act, ready, msgspec.structs.replace(state, message=message))
    except TOLD as error:
        state = msgspec.structs.replace(state, mistakes=_mistake(ready, error, visit))
        return await _page(visit, act, ready, state, status_of(error))
    outcome = act.decided(answer)
    if outcome is not None:  # (5)
        told = await told_outcome(visit, outcome)
        named = {"outcome": told, "record": getattr(answer, "decision_record", "")}
        state = msgspec.structs.replace(state, relationship=await _relationship(visit, ready), **named)
        return await _page(visit, act, ready, state, 403)
    if any(getattr(answer, name, None) for name in OWN_KEY):
        return await _page(visit, act, ready, msgspec.structs.replace(state, own_key=True), CONFLICT)
    if act.result is not None:
        return act.result(visit, answer)
    return act.done(visit, answer)


def _mistake(ready: Ready, error: ComityError, visit: Visit) -> dict[str, object]:
    """What was wrong, at its field where the error names one."""
    named = error.place.rpartition(".")[2]
    field = next((each.name for each in ready.fields if each.name == named), "")
    return {field: visit.words.told(error.sentence, error.code)}


async def _relationship(visit: Visit, ready: Ready) -> str | None:
    """Under which agreement it was decided, for the links to its articles; None where several run."""
    if ready.relationship:
        return ready.relationship
    running = await agreements(visit)
    return running[0].relationship if len(running) == 1 else None


def _command(visit: Visit, act: Act) -> str:
    given = {**visit.request.path_params, "handle": visit.actor.handle}
    return act.command.format_map({name: quote(str(each)) for name, each in given.items()})


async def _page(visit: Visit, act: Act, ready: Ready, state: State, status: int = 200) -> Response:
    duties = []
    if act.events and not state.message:
        foresee = ForeseeDuties(events=act.events, relationship=ready.relationship, language=visit.words.code)
        duties = await visit.ask("duties.foresee", foresee)
    return visit.show(
        act.template,
        status,
        act=act,
        ready=ready,
        state=state,
        duties=_once(duties),
        command=_command(visit, act),
        kept=_kept(visit, ready),
        going_on={name: value for name, value in _kept(visit, ready) if name in GOES_ON and value},
        fresh=visit.form.get(FRESH) or fresh(visit.desk.entropy),
        **ready.more,
    )


def _once(duties: Sequence[Any]) -> list[str]:
    return list(dict.fromkeys(each.says for each in duties))


def _kept(visit: Visit, ready: Ready) -> list[tuple[str, str]]:
    """What was sent, for a page that sends it again unchanged."""
    ours = {TOKEN, SEEN, SIGNATURE, FRESH}
    known = {each.name for each in ready.fields} | {SURE}
    return [(name, value) for name, value in visit.form.fields if name in known and name not in ours]


def cell(text: object) -> Markup:
    """What people wrote, apart from the direction of the words around it; for ``Ready.about``."""
    return Markup("<bdi>{}</bdi>").format(text)
