"""What goes on at a node, as OpenMetrics text (``spec/feed.md`` step 19).

It counts messages and names feeds, and shows nothing of what they say. Over the local socket whoever can open it reads
it; over the network nobody, unless the settings open a door on this machine's own loopback address.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, Protocol

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from comity.feed.histogram import BOUNDS, Histogram
from comity.flows.feeding.feeds import Feeds
from comity.flows.feeding.names import FeedName
from comity.flows.feeding.reading import Readers

METRICS = "/metrics"
MEDIA_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})

Labels = Mapping[str, str]


class Family(Struct, frozen=True):
    """A metric with all its samples.

    Attributes:
        name: without what its kind adds.
        kind: how its samples are read.
        help: a sentence.
        samples: a value for each set of labels.
        unit: at the end of the name, where it has one.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    samples: Sequence[tuple[Labels, float | Histogram]]
    unit: str = ""


def write_metrics(families: Iterable[Family]) -> bytes:
    """Families as OpenMetrics text, version 1.0.0."""
    lines: list[str] = []
    for each in families:
        if not each.samples:
            continue
        lines.append(f"# TYPE {each.name} {each.kind}")
        if each.unit:
            lines.append(f"# UNIT {each.name} {each.unit}")
        lines.append(f"# HELP {each.name} {each.help.translate(_ESCAPES)}")
        for labels, value in each.samples:
            if isinstance(value, Histogram):
                lines += _histogram(each.name, labels, value)
            else:
                end = "_total" if each.kind == "counter" else ""
                lines.append(f"{each.name}{end}{_labels(labels)} {value}")
    return "\n".join([*lines, "# EOF", ""]).encode()


def _histogram(name: str, labels: Labels, value: Histogram) -> list[str]:
    lines, total = [], 0
    for bound, count in zip((*map(str, BOUNDS), "+Inf"), value.counts, strict=True):
        total += count
        lines.append(f"{name}_bucket{_labels({**labels, 'le': bound})} {total}")
    return [*lines, f"{name}_count{_labels(labels)} {total}", f"{name}_sum{_labels(labels)} {value.sum / 1_000_000}"]


def _labels(labels: Labels) -> str:
    return "{" + ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in labels.items()) + "}"


def measure(feeds: Feeds, readers: Readers) -> list[Family]:
    """Everything that is counted and measured now of the feeds that are open at this node."""
    publishers, recipients = feeds.open_publishers(), feeds.open_recipients()
    ours = [(_of(each.name), each) for each in publishers]
    theirs = [(_of(each.name), each) for each in recipients]
    return [
        Family(
            "comity_feed_crossed_messages",
            "counter",
            "Messages that crossed: cut, sealed and durable here.",
            [(name, each.counts["crossed"]) for name, each in ours],
        ),
        Family(
            "comity_feed_refused_messages",
            "counter",
            "Messages that were not taken, or did not cross, by the code of the reason.",
            [pair for name, each in ours for pair in _by_reason(name, each.counts, "refused ")],
        ),
        Family(
            "comity_feed_dropped_messages",
            "counter",
            "Messages that waited and were let go of, by the reason.",
            [pair for name, each in ours for pair in _by_reason(name, each.counts, "dropped ")],
        ),
        Family(
            "comity_feed_batches",
            "counter",
            "Batches that were sealed and are durable here.",
            [(name, each.counts["batches"]) for name, each in ours],
        ),
        Family(
            "comity_feed_sent_batches",
            "counter",
            "Batches that were handed to the channel; one that goes twice counts twice.",
            [(name, each.counts["sent"]) for name, each in ours],
        ),
        Family(
            "comity_feed_unacknowledged_batches",
            "gauge",
            "Batches that the recipient has not said it has durably.",
            [(name, each.size - each.acknowledged) for name, each in ours],
        ),
        Family(
            "comity_feed_waiting_messages",
            "gauge",
            "Messages that wait for their time, or for room on the way.",
            [(name, each.held) for name, each in ours],
        ),
        Family(
            "comity_feed_failures",
            "counter",
            "Rounds that were not made durable, what a recipient said that was not true, a clock that was far ahead.",
            [
                ({**name, "reason": reason}, each.counts[reason.replace("-", " ")])
                for name, each in ours
                for reason in ("failed-rounds", "bad-acknowledgements", "acknowledged-and-lost", "clock-went-back")
            ],
        ),
        Family(
            "comity_feed_stopped",
            "gauge",
            "Whether nothing more can be published on it here, whatever its release says.",
            [(name, int(each.stopped is not None)) for name, each in ours],
        ),
        Family(
            "comity_feed_durable_seconds",
            "histogram",
            "From publication to the recipient's word that it has the message durably, its ordered delay included.",
            [(name, each.durable) for name, each in ours],
            unit="seconds",
        ),
        Family(
            "comity_feed_received_messages",
            "counter",
            "Messages of another party that are durable here.",
            [(name, each.counts["messages"]) for name, each in theirs],
        ),
        Family(
            "comity_feed_received_batches",
            "counter",
            "Batches of another party that are durable here.",
            [(name, each.counts["batches"]) for name, each in theirs],
        ),
        Family(
            "comity_feed_repeated_batches",
            "counter",
            "Batches that came again.",
            [(name, each.counts["repeated"]) for name, each in theirs],
        ),
        Family(
            "comity_feed_refused_batches",
            "counter",
            "Channels that ended because of what came over them, by the code of the reason.",
            [pair for name, each in theirs for pair in _by_reason(name, each.counts, "refused ")],
        ),
        Family(
            "comity_feed_readers",
            "gauge",
            "Readings under way.",
            [(_of(name), count) for name, count in readers.open.items()],
        ),
        Family(
            "comity_feed_reader_events",
            "counter",
            "What readers were told, by the kind of event.",
            [
                ({**_of(name), "event": event}, count)
                for name, counts in readers.counts.items()
                for event, count in sorted(counts.items())
            ],
        ),
        Family(
            "comity_feed_reader_seconds",
            "histogram",
            "From publication, by the publisher's clock, to being handed to a reader, by this node's.",
            [(_of(name), each) for name, each in readers.latency.items()],
            unit="seconds",
        ),
    ]


def _of(name: FeedName) -> dict[str, str]:
    return {"relationship": name.relationship, "publisher": name.publisher, "feed": name.feed}


def _by_reason(name: Labels, counts: Mapping[str, int], start: str) -> list[tuple[Labels, float]]:
    return [
        ({**name, "reason": key.removeprefix(start)}, count)
        for key, count in sorted(counts.items())
        if key.startswith(start)
    ]


class Measured(Protocol):
    """What gives the families of the moment."""

    def __call__(self) -> Iterable[Family]:
        """The families, now."""
        ...


class MetricsDoor:
    """The ASGI application that answers with the metrics, and with nothing else."""

    def __init__(self, measured: Measured) -> None:
        self._measured = measured

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request (ASGI)."""
        if scope["type"] != "http":
            await send({"type": "websocket.close"})
            return
        request = Request(scope, receive)
        if request.url.path != METRICS:
            response = Response(b"", 404)
        elif request.method not in ("GET", "HEAD"):
            response = Response(b"", 405, {"allow": "GET, HEAD"})
        else:
            response = Response(write_metrics(self._measured()), headers={"content-type": MEDIA_TYPE})
        await response(scope, receive, send)
