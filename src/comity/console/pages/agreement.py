"""Agreements: what each article says and does, how it stands on any day, what would follow, and its versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from importlib import resources

import msgspec
from markupsafe import Markup
from starlette.responses import Response

from comity.agreement.calendar import day_end
from comity.agreement.coverage import Coverage, read_coverage
from comity.agreement.term import Status
from comity.answers import status_of
from comity.console.languages import N_
from comity.console.pages import agreement_acts
from comity.console.pages.agreement_drawn import (
    AHEAD,
    PHASES,
    draw_ladders,
    draw_timeline,
    party_names,
)
from comity.console.pictures.axis import Axis
from comity.console.visit import Entry, Visit, needed
from comity.errors import TOLD, Misuse, Rejected
from comity.explanation.difference import difference
from comity.explanation.document import document
from comity.flows.agreeing.agreements import AskStatus, ListAgreements, ListVersions
from comity.flows.agreeing.chronicles import ShowTimeline
from comity.flows.agreeing.end_notes import ListEndNotes
from comity.flows.agreeing.layers import ListLayers
from comity.flows.agreeing.notices import ListDesignations
from comity.flows.agreeing.texts import ShowTexts, TextsShown
from comity.flows.foreseeing.what_if import AskWhatIf
from comity.foresight.supposition import SupposedAct
from comity.foresight.written import Written
from comity.register.roles import AGREEMENT_AUTHORITY

YEARS_AHEAD = 20
"""How far ahead a day can be asked about: a picture of more has nothing to tell."""
STEPS: Mapping[str, str] = {
    "notice": N_("a notice of the end is given"),
    "suspension": N_("the effect of a notice is suspended"),
    "reactivation": N_("a suspended notice runs again"),
    "withdrawal": N_("a notice is withdrawn"),
    "end-by-consent": N_("all parties end it by consent"),
}
"""What can be supposed in the form."""
KNOWN = {
    "said": N_("as it said itself"),
    "reported": N_("as others reported of it"),
    "text": N_("by the text: it has said nothing"),
}
PROVENANCE = {
    "P": N_("read in the text itself"),
    "S": N_("from a secondary source"),
    "K": N_("not checked: it warns, and refuses nothing"),
}
POINTS = {
    "in-force": N_("whether it is in force"),
    "how-it-can-end": N_("how it can be ended"),
    "when-it-ends": N_("when it ends"),
}
AHEAD_WORDS = {
    "last-day-for-notice": N_("last day for a notice"),
    "renewal": N_("renewed by itself"),
    "end": N_("ends"),
    "entry": N_("enters into force"),
}
FATES = {
    "opens": N_("opens"),
    "opens-no-more": N_("opens no more"),
    "ends": N_("ends with the agreement"),
    "added": N_("is new"),
    "removed": N_("is gone"),
    "changed": N_("is another one"),
    "survives": N_("survives"),
    "as-before": N_("as before"),
}
HOW = {"added": N_("added"), "removed": N_("removed"), "changed": N_("changed"), "renamed": N_("renamed")}


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How an agreement stands at the end of a day, and where that day is among all that can be asked about.

    ``first`` and ``last`` are the days of the slider, ``place`` is the number of the day on it, ``notches`` are those
    of the events.
    """

    day: date
    status: Status
    picture: Markup
    first: date
    last: date
    place: int
    places: int
    notches: tuple[int, ...]


async def list_agreements(visit: Visit) -> Response:
    """Every agreement that runs here, and how it stands now."""
    found = await visit.ask("agreement.list", ListAgreements())
    states = {
        each.relationship: await visit.ask("agreement.status", AskStatus(relationship=each.relationship))
        for each in found
    }
    return visit.show("agreement/list.html", found=found, states=states, phases=PHASES)


async def show_agreement(visit: Visit) -> Response:
    """One agreement: how it stands, who, which levels, and each article with what is done for it."""
    texts = await _texts(visit)
    mistakes: dict[str, Markup] = {}
    status = 200
    try:
        standing = await _standing(visit, texts, _asked_day(visit))
    except (Misuse, Rejected) as error:
        mistakes, status = {"on": visit.words.told(error.sentence, error.code)}, status_of(error)
        standing = await _standing(visit, texts, None)
    context = {
        "texts": texts,
        "called": party_names(texts.agreement, visit.words.code),
        "standing": standing,
        "phases": PHASES,
        "known": KNOWN,
        "points": POINTS,
        "ahead": AHEAD_WORDS,
        "mistakes": mistakes,
    }
    if visit.partial:
        return visit.show("agreement/standing.html", status, **context)
    relationship, ours = texts.relationship, visit.desk.house.party
    coverage = coverage_of(texts.agreement.id)
    return visit.show(
        "agreement/one.html",
        status,
        **context,
        ladders=draw_ladders(texts.agreement, texts.layers, ours, texts.peer, visit.words),
        authorities=await visit.ask("authority.list", ListDesignations()),
        notes=(await visit.ask("agreement.notice.list", ListEndNotes(relationship=relationship))).notes,
        layers=await visit.ask("agreement.layer.list", ListLayers(relationship)),
        done=_done(coverage) if coverage is not None else {},
        same_text=coverage is not None and coverage.digest == texts.agreement.digest,
        provenance=PROVENANCE,
        speaks=visit.has(AGREEMENT_AUTHORITY),
        acknowledged=await _acknowledged(visit, relationship),
        day=lambda text: visit.words.date(date.fromisoformat(text)) if text else "",
    )


async def read_text(visit: Visit) -> Response:
    """The whole agreement told in the reader's language, with its layers."""
    texts = await _texts(visit)
    zone = visit.desk.house.zones.zone(texts.agreement.term.timezone)
    today = visit.desk.house.now().astimezone(zone).date()
    told = document(texts.agreement, texts.layers, visit.words.code, today)
    parts = [(type(block).__name__.lower(), block, captioned) for block, captioned in told.parts()]
    return visit.show("agreement/text.html", texts=texts, document=told, parts=parts)


async def ask_what_if(visit: Visit) -> Response:
    """What would follow from an act on a day; nothing is changed by asking."""
    texts = await _texts(visit)
    typed = {name: visit.query.get(name) for name in ("step", "day", "by")}
    mistakes: dict[str, Markup] = {}
    found, status = None, 200
    if "step" in visit.query:
        try:
            found = await visit.ask("agreement.what-if", _supposing(visit, texts))
        except TOLD as error:
            mistakes = {error.place if error.place in typed else "day": visit.words.told(error.sentence, error.code)}
            status = status_of(error)
    return visit.show(
        "agreement/what_if.html",
        status,
        texts=texts,
        called=party_names(texts.agreement, visit.words.code),
        typed=typed,
        steps=STEPS,
        found=found,
        mistakes=mistakes,
        phases=PHASES,
        points=POINTS,
        fates=FATES,
    )


def _supposing(visit: Visit, texts: TextsShown) -> AskWhatIf:
    """What the form supposes.

    Raises:
        Misuse: a field is empty or has none of its words; ``place`` is the field.
    """
    step = needed(visit.query, "step", "choose what is supposed")
    if step not in STEPS:
        raise Misuse(f"{step!r} cannot be supposed here", code="unknown-step", place="step")
    day = needed(visit.query, "day", "name the day on which it is done")
    by = visit.query.get("by") or visit.desk.house.party
    if by not in {party.id for party in texts.agreement.parties}:
        raise Misuse(f"{by!r} is no party", code="unknown-party", place="by")
    act = SupposedAct(step, read_day(day, "day").isoformat())  # type: ignore[arg-type]  # one of the words of STEPS
    what = Written(acts=(act,), by=by)
    return AskWhatIf(relationship=texts.relationship, supposing=what, actor=visit.actor, language=visit.words.code)


async def compare_versions(visit: Visit) -> Response:
    """The texts by which this house has decided, and in what two of them differ."""
    texts = await _texts(visit)
    versions = await visit.ask("agreement.versions", ListVersions(texts.relationship))
    records = [each.record for each in versions]
    first = visit.query.get("first") or records[-2 if len(records) > 1 else -1]
    second = visit.query.get("second") or records[-1]
    one, other = [
        await visit.ask("agreement.texts", ShowTexts(relationship=texts.relationship, version=each))
        for each in (first, second)
    ]
    told = difference((one.agreement, one.layers), (other.agreement, other.layers), visit.words.code)
    return visit.show(
        "agreement/versions.html", texts=texts, versions=versions, first=first, second=second, compared=told, how=HOW
    )


async def _acknowledged(visit: Visit, relationship: str) -> tuple[str, ...]:
    """Who has acknowledged the text that runs."""
    found = await visit.ask("agreement.list", ListAgreements())
    return next((each.acknowledged for each in found if each.relationship == relationship), ())


async def _texts(visit: Visit) -> TextsShown:
    path = visit.request.path_params
    relationship = f"{path['agreement']}/{path['pair']}"
    shown: TextsShown = await visit.ask("agreement.texts", ShowTexts(relationship=relationship))
    return shown


def read_day(text: str, field: str) -> date:
    """A day as a form sends it.

    Raises:
        Misuse: it is none; ``place`` is the field.
    """
    try:
        if len(text) == len("2026-11-21"):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise Misuse(f"{text!r} is not a day; write one as in 2026-11-21", code="bad-day", place=field)


def _asked_day(visit: Visit) -> date | int | None:
    """The day that was typed, or its place on the slider."""
    on, place = visit.query.get("on"), visit.query.get("place")
    if on:
        return read_day(on, "on")
    if place:
        if not (place.isascii() and place.isdigit() and len(place) <= 6):
            raise Misuse(f"{place!r} is no place on the slider", code="bad-day", place="on")
        return int(place)
    return None


async def _standing(visit: Visit, texts: TextsShown, asked: date | int | None) -> Standing:
    """How the agreement stands at the end of a day, or now.

    Raises:
        Misuse: the day is before everything that happened, or too far ahead.
    """
    house, relationship = visit.desk.house, texts.relationship
    zone, now = house.zones.zone(texts.agreement.term.timezone), house.now()
    today = now.astimezone(zone).date()
    rows = await visit.ask("agreement.timeline", ShowTimeline(relationship=relationship))
    first = date((rows[0].at if rows else now).astimezone(zone).year - 1, 1, 1)
    day = first + timedelta(days=asked) if isinstance(asked, int) else asked or today
    farthest = date(today.year + YEARS_AHEAD, 12, 31)
    if not first <= day <= farthest:
        raise Misuse(f"name a day from {first} to {farthest}", code="bad-day", place="on")
    at = now if day == today else day_end(day, zone)
    if at > now:
        rows = await visit.ask("agreement.timeline", ShowTimeline(relationship=relationship, until=at))
    last = (max(now, at) + AHEAD).astimezone(zone).date()
    axis = Axis(day_end(first, zone), day_end(last, zone))
    before = await visit.ask("agreement.status", AskStatus(relationship=relationship, at=axis.start))
    return Standing(
        day=day,
        status=await visit.ask("agreement.status", AskStatus(relationship=relationship, at=at)),
        picture=draw_timeline(texts.agreement, rows, before, axis, at, visit.words),
        first=first,
        last=last,
        place=(day - first).days,
        places=(last - first).days,
        notches=tuple(dict.fromkeys((row.at.astimezone(zone).date() - first).days for row in rows if row.event)),
    )


@cache
def coverage_of(agreement: str) -> Coverage | None:
    """Which test shows what becomes of each clause of an agreement of the library; None where no table says so."""
    entry = resources.files("comity.agreements").joinpath(f"{agreement}.coverage.json")
    return read_coverage(entry.read_text(encoding="utf-8"), entry.name) if entry.is_file() else None


def _done(coverage: Coverage) -> Mapping[str, Sequence[tuple[str, str]]]:
    """What is done for each clause, with what is typed for it; each once."""
    found: dict[str, dict[tuple[str, str], None]] = {}
    for row in coverage.rows:
        found.setdefault(row.clause, {})[row.does, row.command] = None
    return {clause: tuple(rows) for clause, rows in found.items()}


ROUTES = (
    Entry("/agreements", list_agreements),
    Entry("/agreement/{agreement}/{pair}", show_agreement),
    Entry("/agreement/{agreement}/{pair}/text", read_text),
    Entry("/agreement/{agreement}/{pair}/what-if", ask_what_if),
    Entry("/agreement/{agreement}/{pair}/versions", compare_versions),
    *agreement_acts.ROUTES,
)
