"""Releases that wait: who asks what, for whom, what is missing; approving, assuring, marking (``spec/contents.md``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from starlette.responses import Response

from comity.agreement.model import Agreement, Layer
from comity.console.acts import Act, Done, Ready, cell
from comity.console.banners import banner_of
from comity.console.decided import directory, functions, named, told_outcome
from comity.console.fields import Field, Typed
from comity.console.languages import N_, Language
from comity.console.pages.give import is_sealing, sealing_of, show_outcome
from comity.console.visit import Entry, Visit
from comity.errors import Misuse, Refused
from comity.flows.actors import Actor
from comity.flows.agreeing.texts import ShowTexts, TextsShown
from comity.flows.finding.releases import ListRequests, RequestsListed
from comity.flows.giving.answering import Approve, Approved, Assure
from comity.flows.giving.marks import MarkingShown, MarkItem
from comity.flows.giving.release import POSSIBLE
from comity.flows.looking.item_story import ItemStory, ShowItem
from comity.flows.looking.requests import AskedShown, RequestShown, ShowAsked, ShowRequest
from comity.marking.translation import NeedsChoice, translate
from comity.register.roles import ASSURANCE_OFFICER, OFFICER, REGISTRY, RELEASE_AUTHORITY

ACTS: Mapping[str, str] = {
    "give": N_("to give"),
    "show": N_("to show"),
    "pass-on": N_("to pass on"),
    "feed": N_("to let a feed cross"),
}
"""What is asked for."""
GRANT, REFUSE = "grant", "refuse"


async def listed(visit: Visit) -> Response:
    """What waits for somebody, and what he waits for himself."""
    found: RequestsListed = await visit.ask("request.list", ListRequests(actor=visit.actor, language=visit.words.code))
    lines = (*found.approve, *found.own)
    labels = [*(each.label for each in lines), *(each.label for each in found.assure)]
    return visit.show(
        "give/requests.html",
        found=found,
        acts=ACTS,
        known=await functions(visit),
        approves=visit.has(RELEASE_AUTHORITY),
        assures=visit.has(ASSURANCE_OFFICER),
        asks=visit.has(OFFICER),
        banner=await banner_of(visit, [(each, None) for each in labels]),
    )


async def one(visit: Visit) -> Response:
    """One request: how far it is, and all that there is to see of it."""
    request = str(visit.request.path_params["request"])
    if (file := sealing_of(visit, request)) is not None:
        visit.desk.spool.keep(file)
        if is_sealing(file):
            percent = min(99, 50 * file.seen // max(1, file.size))
            return visit.show("give/sealing.html", file=file, percent=percent)
        return await show_outcome(visit, file)
    shown = await _shown(visit)
    return visit.show("give/request.html", **await _facts(visit, shown))


async def _shown(visit: Visit) -> RequestShown:
    request = str(visit.request.path_params["request"])
    shown: RequestShown = await visit.ask(
        "request.show", ShowRequest(request=request, actor=visit.actor, language=visit.words.code)
    )
    return shown


async def _facts(visit: Visit, shown: RequestShown) -> dict[str, Any]:
    """What the page of a request needs, and that of its answer."""
    listed = {each.pseudonym: each for each in await directory(visit)}
    outcome = None
    if shown.outcome is not None:
        told = await told_outcome(visit, shown.outcome)
        missing = tuple(named(each, {shown.by: shown.line.by}) for each in told.missing)
        outcome = msgspec.structs.replace(told, missing=missing)
    answered = any(each.said is not None and each.said.by == visit.actor.handle for each in shown.answers)
    return {
        "shown": shown,
        "line": shown.line,
        "outcome": outcome,
        "people": [listed.get(each) for each in shown.line.recipients],
        "known": {each.pseudonym: each.function for each in listed.values()},
        "acts": ACTS,
        "may_answer": visit.has(RELEASE_AUTHORITY) and not shown.mine and not shown.line.given,
        "answered": answered,
        "banner": await banner_of(visit, [(shown.line.label, shown.alternative)]),
    }


# ---- approving ---------------------------------------------------------------------------------------------------


async def _ready_answer(visit: Visit) -> Ready:
    words = visit.words
    shown = await _shown(visit)
    if shown.mine:
        raise Refused("whoever asked for a release does not approve it: somebody else answers", code="own-request")
    if not visit.has(RELEASE_AUTHORITY):
        raise Refused("a release authority answers requests, and you have not that role", code="no-role")
    texts: TextsShown = await visit.ask("agreement.texts", ShowTexts(relationship=shown.line.relationship))
    conditions = _attestable([texts.agreement, *texts.layers])
    options = (("", words("Choose")), (GRANT, words("Approve it")), (REFUSE, words("Refuse it")))
    fields = [
        Field(name="answer", label=words("Your answer"), kind="choice", options=options),
        Field(name="reason", label=words("Why"), kind="area", hint=words("It stays in this house's records.")),
    ]
    if conditions:
        hint = words("Conditions that this side attests with its approval, by article.")
        ours = tuple((each, each) for each in conditions)
        attests = Field(name="attests", label=words("Attested"), kind="many", hint=hint, options=ours, needed=False)
        fields.append(attests)
    return Ready(
        fields=tuple(fields),
        back=f"/releases/{shown.line.request}",
        seen=shown.last,
        last=shown.newest,
        relationship=shown.line.relationship,
        more=await _facts(visit, shown),
    )


def _attestable(texts: list[Agreement | Layer]) -> list[str]:
    """The conditions that the side which gives attests, each once."""
    ours = [each for text in texts for each in text.checklists if each.attested_by != "recipient"]
    return list(dict.fromkeys(condition for checklist in ours for condition in checklist.conditions))


def _answered(visit: Visit, approved: Approved) -> Done:
    path = f"/releases/{approved.request}"
    if not approved.granted:
        return Done(path=path, told=visit.words("Refused: it does not leave on this request."))
    if approved.given is not None and approved.given.consignment:
        return Done(path=path, told=visit.words("Approved; nothing was missing any more, and it was sent."))
    if approved.given is not None and approved.given.outcome not in POSSIBLE:
        return Done(path=path, told=visit.words("Approved; but it may not go as things stand now, and did not."))
    return Done(path=path, told=visit.words("Approved; something is still missing before it leaves."))


ANSWER = Act(
    path="/releases/{request}/answer",
    flow="approve",
    title=N_("Answer a request for release"),
    lead=N_("Look at who asks, what, and for whom; then approve it or refuse it, and say why."),
    button=N_("Send the answer"),
    ready=_ready_answer,
    request=lambda visit, typed, actor: Approve(
        request=visit.request.path_params["request"],
        reason=typed.text("reason"),
        granted=typed.text("answer") == GRANT,
        attests=typed.several("attests"),
        actor=actor,
    ),
    done=_answered,
    template="give/answer.html",
    command="comity approve {request} --reason WHY --as {handle} --key FILE",
)


# ---- assuring ----------------------------------------------------------------------------------------------------


async def _asked(visit: Visit) -> AskedShown:
    given = visit.request.path_params
    shown: AskedShown = await visit.ask(
        "assurance.show",
        ShowAsked(
            relationship=f"{given['agreement']}/{given['pair']}",
            request=given["request"],
            actor=visit.actor,
            language=visit.words.code,
        ),
    )
    return shown


async def _ready_assure(visit: Visit) -> Ready:
    words = visit.words
    shown = await _asked(visit)
    if not visit.has(ASSURANCE_OFFICER):
        raise Refused("an assurance officer answers this, and you have not that role", code="no-role")
    known = {each.recipient: f"{each.function}, {each.body}" for each in shown.about}
    open_ = [each for each in shown.line.recipients if each not in shown.line.answered] or list(shown.line.recipients)
    people = tuple((each, known.get(each, each)) for each in open_)
    choose = (("", words("Choose")),)
    answers = ((GRANT, words("Give the assurance")), (REFUSE, words("Refuse it")))
    fields = (
        Field(name="recipient", label=words("About whom"), kind="choice", options=people, value=people[0][0]),
        Field(name="answer", label=words("Your answer"), kind="choice", options=(*choose, *answers)),
        Field(
            name="reason",
            label=words("Why it is refused"),
            kind="area",
            needed=False,
            hint=words("Only where you refuse it; the other party reads it."),
        ),
    )
    return Ready(
        fields=fields,
        back="/releases",
        about=_about_asked(visit, shown, known),
        seen=shown.last,
        last=shown.newest,
        relationship=shown.relationship,
        more={"banner": await banner_of(visit, [(shown.line.label, None)])},
    )


def _about_asked(visit: Visit, shown: AskedShown, known: Mapping[str, str]) -> tuple[tuple[str, object], ...]:
    words, line = visit.words, shown.line
    answers = [
        (
            words("Answered about %(who)s", who=known.get(each.recipient, each.recipient)),
            cell(each.reason)
            if each.reason
            else words("assured: %(articles)s", articles=_cited(words, each.conditions or ())),
        )
        for each in shown.assurances
        if each.conditions is not None
    ]
    for about in shown.about:
        against = cell(words.told(about.against)) if about.against else ""
        borne = words("the register bears it out: %(articles)s", articles=_cited(words, about.conditions))
        answers.append((words("What is known of %(who)s", who=known[about.recipient]), against or borne))
    halted = ((words("It does not go now"), cell(line.halted.says)),) if line.halted is not None else ()
    return (
        (words("Request"), line.request),
        (words("What for"), words(ACTS.get(line.act, line.act))),
        (words("Mark of its originator"), cell(line.label.mark)),
        (words("Topic"), cell(line.topic)),
        (words("Purpose"), cell(line.purpose)),
        *answers,
        *halted,
    )


def _cited(words: Language, clauses: Iterable[str]) -> str:
    return words.listed([words.article(each) for each in clauses])


def _request_assure(visit: Visit, typed: Typed, actor: Actor) -> Assure:
    given = visit.request.path_params
    refused = typed.text("answer") == REFUSE
    if refused and not typed.text("reason"):
        raise Misuse("say why the assurance is refused", code="empty-field", place="reason")
    return Assure(
        request=given["request"],
        relationship=f"{given['agreement']}/{given['pair']}",
        recipient=typed.text("recipient"),
        refuse=typed.text("reason") if refused else None,
        actor=actor,
    )


ASSURE = Act(
    path="/assurances/{agreement}/{pair}/{request}",
    flow="assure",
    title=N_("Assure the other party"),
    lead=N_("Say of somebody of this house that he may receive it: cleared, and with a need to know it."),
    button=N_("Send the answer"),
    ready=_ready_assure,
    request=_request_assure,
    done=lambda visit, told: Done(
        path="/releases",
        told=visit.words("Given: the other party is told that this recipient meets what the agreement asks.")
        if told.conditions
        else visit.words("Refused: the other party is told why."),
    ),
    follows=(N_("You answer for what you sign. What the register plainly contradicts is refused here first."),),
    command="comity assure {request} --as {handle} --key FILE",
)


# ---- marking -----------------------------------------------------------------------------------------------------


async def _ready_mark(visit: Visit) -> Ready:
    words = visit.words
    item = str(visit.request.path_params["item"])
    story: ItemStory = await visit.ask("item", ShowItem(item=item, actor=visit.actor))
    if not visit.has(REGISTRY):
        raise Refused("a registry officer marks what arrives, and you have not that role", code="no-role")
    if not story.places:
        raise Misuse(f"item {item!r} is this house's own; its label is its mark", code="own-item")
    place = story.places[0].relationship
    texts: TextsShown = await visit.ask("agreement.texts", ShowTexts(relationship=place))
    own = visit.desk.house.party
    marks: tuple[str, ...] = ()
    if story.label.policy != own:
        found = translate(texts.agreement, story.label, own, texts.layers)
        labels = found.candidates if isinstance(found, NeedsChoice) else (found.alternative,)
        marks = tuple(each.mark for each in labels)
    now = story.alternative.mark if story.alternative is not None and story.alternative.policy == own else ""
    options = tuple((each, each) for each in marks)
    field = Field(name="mark", label=words("Mark it bears here"), kind="choice", options=options, value=now)
    return Ready(
        fields=(field,) if marks else (),
        back=f"/items/{item}",
        about=(
            (words("Item"), item),
            (words("Mark of its originator"), cell(story.label.mark)),
            (words("Mark on this side"), cell(now or words("not chosen yet"))),
        ),
        seen=now or "-",
        relationship=place,
        more={"banner": await banner_of(visit, [(story.label, story.alternative)])},
    )


def _marked(visit: Visit, shown: MarkingShown) -> Done:
    told = visit.words("It bears %(mark)s here now; the other party has the proof.", mark=shown.alternative.mark)
    return Done(path=f"/items/{shown.item}", told=told)


MARK = Act(
    path="/items/{item}/mark",
    flow="mark",
    title=N_("Mark what arrived"),
    lead=N_("Put this side's own mark on it, as the agreement has it; where several correspond, a person chooses."),
    button=N_("It is marked"),
    ready=_ready_mark,
    request=lambda visit, typed, actor: MarkItem(
        item=visit.request.path_params["item"], mark=typed.text("mark"), actor=actor
    ),
    done=_marked,
    command="comity mark {item} MARK --as {handle} --key FILE",
)

ROUTES = (
    Entry("/releases", listed),
    Entry("/releases/{request}", one),
    ANSWER.entry._replace(fresh=True),
    ASSURE.entry,
    MARK.entry,
)
