"""Feeds: what is released to us and by us, how it goes, who read it, and what comes, as it comes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from markupsafe import Markup
from starlette.responses import Response

from comity.answers import status_of
from comity.console.banners import banner_of
from comity.console.languages import N_
from comity.console.pages import feed_acts
from comity.console.pages.feed_acts import POSTURES
from comity.console.pages.feed_drawn import REASONS, draw_counts, draw_latency, pulse_of
from comity.console.views import View, Views
from comity.console.visit import Entry, Visit, needed
from comity.errors import TOLD, Misuse, Refused, Unavailable
from comity.feed.filters import Filters
from comity.feed.reading import Changed, Dropped, Ended, Event, Gap, LeftOut, Message, Skew, Stale, Standing
from comity.flows.feeding.listing import FeedShown, ListFeeds, ShowFeed
from comity.flows.feeding.names import FeedName
from comity.flows.feeding.postures import ShowPostures
from comity.flows.feeding.reading import Follow
from comity.flows.feeding.readings import ListReadings
from comity.register.feeding import ENDS_IT
from comity.register.roles import RELEASE_AUTHORITY

BEFORE = 50
"""How many messages that are here already a reading may begin with."""
STATES = {
    "stands": N_("stands"),
    "stopped": N_("stopped"),
    "ended": N_("ended"),
    "expired": N_("expired"),
    "followed": N_("followed by another release"),
}
LEFT_OUT = {
    "slow": N_("the browser did not take what came"),
    "not-permitted": N_("they were released on terms under which you may not read"),
    "not-as-released": N_("what crossed was not as it was released"),
}
CHANGED = {
    "posture": N_("the posture changed"),
    "release": N_("another release holds"),
    "standing": N_("whether the agreement stands changed"),
    "consent": N_("a consent changed"),
    "ended": N_("the release ended"),
}
_values = msgspec.json.Decoder(dict[str, Any])


class Line(msgspec.Struct, frozen=True):
    """A message as it stands in the table: its number, type and source, its instants, its fields with their values."""

    number: int
    type: str
    source: str
    published: Any
    seconds: float | None
    fields: tuple[tuple[str, str], ...]


async def list_feeds(visit: Visit) -> Response:
    """Every standing release that the reader may know of, and how it goes."""
    everything = visit.query.get("all") == "1"
    found = await visit.ask("feed.list", ListFeeds(actor=visit.actor, all=everything))
    readers = visit.desk.views.readers if visit.desk.views is not None else None
    return visit.show(
        "feed/list.html",
        found=found,
        everything=everything,
        pulses={each.release: pulse_of(readers, _name(each)) for each in found},
        states=STATES,
        postures=POSTURES,
        banner=await banner_of(visit, [(each.label, each.alternative) for each in found]),
    )


def _name(line: Any) -> FeedName:
    return FeedName(line.relationship, line.publisher, line.feed)


async def show_feed(visit: Visit) -> Response:
    """One release: what crosses under which posture and what is cut, how it goes, and who read it."""
    shown = await _shown(visit)
    line = shown.line
    readers = visit.desk.views.readers if visit.desk.views is not None else None
    pulse = pulse_of(readers, _name(line))
    context: dict[str, Any] = {
        "shown": shown,
        "pulse": pulse,
        "counts": draw_counts(pulse, visit.words) if pulse is not None and pulse.counts else None,
        "latency": draw_latency(pulse.seconds, visit.words) if pulse is not None and any(pulse.seconds) else None,
    }
    if visit.partial:
        return visit.show("feed/pulse.html", **context)
    readings = await visit.ask(
        "feed.readers", ListReadings(feed=line.feed, relationship=line.relationship, actor=visit.actor)
    )
    return visit.show(
        "feed/one.html",
        **context,
        cuts=tuple(_cuts(shown)),
        readings=sorted(readings, key=lambda each: each.at, reverse=True),
        declared=await visit.ask("posture.show", ShowPostures(relationship=line.relationship)),
        states=STATES,
        postures=POSTURES,
        releases=visit.has(RELEASE_AUTHORITY),
        ends=visit.has(*ENDS_IT),
        banner=await banner_of(visit, [(line.label, line.alternative)]),
    )


def _cuts(shown: FeedShown) -> Iterator[tuple[str, Sequence[str], Sequence[tuple[str, Sequence[str]]]]]:
    """Of each type what each posture lets cross: the postures, and for each field what becomes of it under each."""
    for kind in shown.types:
        under = {
            each.posture: next((crossed for crossed in each.types if crossed.type == kind.type), None)
            for each in shown.postures
        }
        rows: list[tuple[str, Sequence[str]]] = []
        for field in kind.fields:
            cells = []
            for crossed in under.values():
                steps = {} if crossed is None else {each.field: each.step for each in crossed.rounded}
                there = crossed is not None and field.name in crossed.fields
                cells.append("" if not there else steps.get(field.name, "whole"))
            rows.append((f"{field.name} ({field.mark})", cells))
        terms = ["" if each is None else "; ".join(_terms(each.delay, each.rate)) for each in under.values()]
        yield kind.type, tuple(under), (*rows, ("", terms))


def _terms(delay: int, rate: int | None) -> Iterator[str]:
    if delay:
        yield f"{delay} s"
    if rate is not None:
        yield f"{rate}/s"


async def show_live(visit: Visit) -> Response:
    """What comes, as it comes, to whoever has begun to read; a form to begin with, to anybody else."""
    shown = await _shown(visit)
    return await _live(visit, shown)


async def _live(
    visit: Visit, shown: FeedShown, status: int = 200, mistakes: Mapping[str, Markup] | None = None
) -> Response:
    views = visit.desk.views
    line = shown.line
    view = views.look(visit.signed_in, line.relationship, line.feed) if views is not None else None
    context: dict[str, Any] = {
        "shown": shown,
        "view": view,
        "messages": [_line(visit, each) for each in reversed(view.messages)] if view is not None else [],
        "notes": _notes(visit, view) if view is not None else [],
        "latency": draw_latency(view.latency.counts, visit.words) if view is not None else None,
        "ended": _ended(visit, view) if view is not None else None,
        "postures": POSTURES,
        "hold": visit.query.get("hold") == "1",
    }
    if visit.partial:
        return visit.show("feed/messages.html", status, **context)
    return visit.show(
        "feed/live.html",
        status,
        **context,
        mistakes=mistakes or {},
        purpose=visit.form.get("purpose") or line.purpose,
        chosen=visit.form.all("type"),
        here=views is not None,
        banner=await banner_of(visit, [(line.label, line.alternative)]),
    )


async def begin_reading(visit: Visit) -> Response:
    """Begin to read a feed for a purpose; that is decided and recorded."""
    shown = await _shown(visit)
    line, views = shown.line, visit.desk.views
    try:
        if views is None:
            raise Unavailable("no feed is read at this node", code="no-feeds")
        if line.ours:
            raise Misuse("this feed is ours; what comes of it is read by whoever gets it", code="own-feed")
        request = Follow(
            feed=line.feed,
            purpose=needed(visit.form, "purpose", "say what you read it for"),
            actor=visit.actor,
            relationship=line.relationship,
            filters=Filters(types=visit.form.all("type")),
            after=await _after(visit, views, _name(line)),
        )
        await views.begin(visit.signed_in, request)
    except Refused as error:
        return await _live(visit, shown, status_of(error), {"": visit.words.told(error.sentence, error.code)})
    except TOLD as error:
        place = "type" if error.code == "unknown-type" else "purpose"
        return await _live(visit, shown, status_of(error), {place: visit.words.told(error.sentence, error.code)})
    return visit.to(f"/feed/{line.release}/live")


async def _after(visit: Visit, views: Views, name: FeedName) -> int | None:
    """The number of the last message that is not wanted: of those that are here, the newest may be."""
    if "before" not in visit.form:
        return None
    recipient = await views.readers.feeds.recipient(name)
    return max(-1, recipient.first - 1 - BEFORE)


async def end_reading(visit: Visit) -> Response:
    """End a reading; what was shown is recorded."""
    line = (await _shown(visit)).line
    views = visit.desk.views
    view = views.look(visit.signed_in, line.relationship, line.feed) if views is not None else None
    if views is not None and view is not None:
        await views.end(view)
    return visit.to(f"/feed/{line.release}", visit.words.say("The reading is over; what you were shown is recorded."))


async def _shown(visit: Visit) -> FeedShown:
    release = visit.request.path_params["release"]
    shown: FeedShown = await visit.ask("feed.show", ShowFeed(release=release, actor=visit.actor))
    return shown


def _line(visit: Visit, message: Message) -> Line:
    fields = {key: value for key, value in _values.decode(message.view).items() if key != "type"}
    return Line(
        message.number,
        message.type,
        message.source,
        message.published,
        None if message.arrived is None else max(0.0, (message.arrived - message.published).total_seconds()),
        tuple((key, _value(visit, value)) for key, value in fields.items()),
    )


def _value(visit: Visit, value: object) -> str:
    if isinstance(value, bool) or value is None:
        return msgspec.json.encode(value).decode()
    return visit.words.number(value) if isinstance(value, int | float) else str(value)


def _ended(visit: Visit, view: View) -> Markup | None:
    return None if view.ended is None else visit.words.told(view.ended.sentence, view.ended.code)


def _notes(visit: Visit, view: View) -> list[tuple[Any, str]]:
    """What was told besides messages, the newest first, as sentences."""
    return [(at, _note(visit, event)) for at, event in reversed(view.told)]


def _note(visit: Visit, event: Event) -> str:
    say = visit.words.say
    match event:
        case Dropped(type=kind, why=why, count=count):
            return say(
                "%(count)s messages of type %(type)s were cut off by the publisher: %(why)s",
                count=visit.words.number(count),
                type=kind,
                why=say(REASONS[why]),
            )
        case LeftOut(first=first, last=last, why=why):
            return say(
                "Messages %(first)s to %(last)s were left out: %(why)s", first=first, last=last, why=say(LEFT_OUT[why])
            )
        case Gap(first=first, last=last):
            return say("Messages %(first)s to %(last)s did not come", first=first, last=last)
        case Stale(source=source, type=kind, silent=silent):
            who = source or kind
            return say("%(who)s has been silent for %(seconds)s s", who=who, seconds=visit.words.number(round(silent)))
        case Skew(source=source, seconds=seconds):
            return say("The clock of %(who)s is off by %(seconds)s s", who=source, seconds=visit.words.number(seconds))
        case Changed(why=why):
            return say("From here on other terms: %(why)s", why=say(CHANGED[why]) if why in CHANGED else why)
        case Standing(stands=stands, posture=posture):
            if stands:
                return say("The feed stands; posture: %(posture)s", posture=say(POSTURES[posture]))
            return say("The feed does not stand now")
        case Ended():
            return say("The reading is over")
        case _:
            return ""


ROUTES = (
    Entry("/feeds", list_feeds),
    Entry("/feed/{release}", show_feed),
    Entry("/feed/{release}/live", show_live),
    Entry("/feed/{release}/read", begin_reading, methods=("POST",)),
    Entry("/feed/{release}/stop", end_reading, methods=("POST",)),
    *feed_acts.ROUTES,
)
