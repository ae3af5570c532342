"""What the pages of a feed draw: how long messages took, and how many became what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup
from msgspec import Struct

from comity.console.languages import N_, Language
from comity.console.pictures import latency
from comity.console.pictures.drawing import Names
from comity.feed.histogram import BOUNDS
from comity.flows.feeding.names import FeedName
from comity.flows.feeding.reading import Readers

EDGES = (0.01, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)
"""The bounds of the bars, in seconds; they are among those that are measured."""
LATE_SECONDS = 1.0
COUNTED: Mapping[str, str] = {
    "crossed": N_("messages that crossed"),
    "batches": N_("batches"),
    "sent": N_("batches sent"),
    "messages": N_("messages that came"),
    "repeated": N_("batches that came again"),
    "message": N_("messages shown to readers"),
    "gap": N_("gaps told to readers"),
    "left-out": N_("times messages were left out for a reader"),
    "stale": N_("silent sources told to readers"),
    "skew": N_("wrong clocks told to readers"),
    "started": N_("readings begun"),
    "standing": N_("times readers were told how it stands"),
    "changed": N_("times readers were told of other terms"),
    "ended": N_("readings that had to end"),
}
"""What is counted, and what it is called; what was dropped or refused has its reason."""
REASONS: Mapping[str, str] = {
    "rate": N_("too many a second"),
    "space": N_("no room, or too old while the link was down"),
    "clock": N_("the clock of a source"),
    "ended": N_("nothing of their type crossed any more"),
    "form": N_("no form that may cross"),
}
"""Why messages were not let cross."""


class Pulse(Struct, frozen=True):
    """How a feed goes at this node since it was started: counts by what they count, and how long messages took.

    ``seconds`` are as ``feed.histogram.BOUNDS``; empty where nothing was measured. ``waiting`` are messages that wait
    here for their time, ``unacknowledged`` batches that the recipient has not said it has.
    """

    counts: tuple[tuple[str, int], ...]
    seconds: tuple[int, ...]
    waiting: int = 0
    unacknowledged: int = 0
    stopped: str = ""


def pulse_of(readers: Readers | None, name: FeedName) -> Pulse | None:
    """How a feed goes; None where this node has not touched it since it was started."""
    if readers is None:
        return None
    for publisher in readers.feeds.open_publishers():
        if publisher.name == name:
            return Pulse(
                counts=tuple(sorted((key, count) for key, count in publisher.counts.items() if count)),
                seconds=tuple(publisher.durable.counts),
                waiting=publisher.held,
                unacknowledged=publisher.size - publisher.acknowledged,
                stopped=publisher.stopped.sentence if publisher.stopped is not None else "",
            )
    for recipient in readers.feeds.open_recipients():
        if recipient.name == name:
            told: Mapping[str, int] = readers.counts.get(name, {})
            counts = {key: count for key, count in (*recipient.counts.items(), *told.items()) if count}
            seconds = readers.latency.get(name)
            return Pulse(tuple(sorted(counts.items())), tuple(seconds.counts) if seconds is not None else ())
    return None


def draw_counts(pulse: Pulse, words: Language) -> Markup:
    """What became of how many."""
    bars = [
        latency.Bar(_called(key, words), count, words.number(count), "late" if _bad(key) else "counted")
        for key, count in pulse.counts
    ]
    names = Names(
        key="counts",
        title=words.say("What became of how many, since this node was started"),
        description=words.say("A bar for each thing that is counted; what was refused or dropped stands out."),
        table=words.say("The same as a table"),
    )
    columns = (words.say("What"), words.say("How many"))
    return latency.counted(bars, latency.Words(names=names, below="", columns=columns))


def _bad(key: str) -> bool:
    return key.startswith(("refused ", "dropped ", "failed", "bad ")) or key in ("gap", "left-out", "skew", "stale")


def _called(key: str, words: Language) -> str:
    for start, form in (("refused ", N_("refused: %(reason)s")), ("dropped ", N_("dropped: %(reason)s"))):
        if key.startswith(start):
            reason = key.removeprefix(start)
            return words.say(form, reason=words.say(REASONS[reason]) if reason in REASONS else reason)
    return words.say(COUNTED[key]) if key in COUNTED else key.replace("-", " ")


def draw_latency(seconds: Sequence[int], words: Language) -> Markup:
    """How long messages took."""
    bars, low = [], 0.0
    for high in (*EDGES, float("inf")):
        count = sum(each for bound, each in zip((*BOUNDS, float("inf")), seconds, strict=True) if low < bound <= high)
        bars.append(latency.Bar(_between(low, high, words), count, words.number(count), _sort(low)))
        low = high
    names = Names(
        key="latency",
        title=words.say("How long messages took from their publication"),
        description=words.say("A bar for each length of time, from the shortest to the longest."),
        table=words.say("The same as a table"),
    )
    columns = (words.say("How long"), words.say("Messages"))
    return latency.counted(bars, latency.Words(names=names, below=_below(seconds, words), columns=columns))


def _sort(low: float) -> str:
    return "late" if low >= LATE_SECONDS else "counted"


def _between(low: float, high: float, words: Language) -> str:
    if high == float("inf"):
        return words.say("over %(low)s s", low=words.number(low))
    return words.say("to %(high)s s", high=words.number(high))


def _below(seconds: Sequence[int], words: Language) -> str:
    """Between which bounds the middle and the 99th of a hundred lie."""
    total = sum(seconds)
    if not total:
        return words.say("Nothing has been measured yet.")
    return words.say(
        "Half took at most %(half)s s, 99 of 100 at most %(most)s s.",
        half=words.number(_quantile(seconds, total * 0.5)),
        most=words.number(_quantile(seconds, total * 0.99)),
    )


def _quantile(seconds: Sequence[int], wanted: float) -> float:
    reached = 0
    for bound, count in zip(BOUNDS, seconds, strict=False):
        reached += count
        if reached >= wanted:
            return bound
    return BOUNDS[-1]
