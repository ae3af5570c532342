"""What is counted and measured, as the reference parser of OpenMetrics reads it (``spec/feed.md`` step 19)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from comity.errors import Rejected
from comity.feed.histogram import BOUNDS, Histogram
from comity.node.metrics import METRICS, Family, MetricsDoor, measure, write_metrics
from comity.node.serving import Serving, listen_tcp
from feeds import FeedWorld, track


def parsed(text: bytes) -> dict[str, object]:
    return {each.name: each for each in text_string_to_metric_families(text.decode())}


def values(family) -> dict[str, float]:
    """Samples by what sets them apart."""
    apart = ("reason", "event", "le")
    return {
        sample.name.removeprefix(family.name) + "".join(sample.labels.get(each, "") for each in apart): sample.value
        for sample in family.samples
    }


async def test_what_crossed_was_refused_and_was_read_is_counted_and_measured(tmp_path: Path) -> None:
    feeds = await FeedWorld.make(tmp_path)
    async with feeds.connected():
        reading = feeds.readers.follow(feeds.follow("kim"))
        await anext(reading)
        coming = asyncio.ensure_future(anext(reading))
        await feeds.publish(track(1), track(2))
        await coming
        publisher = feeds.feeds[0].open_publishers()[0]
        await publisher.publish([b"{", b'{"type":"track"}', b"{"])
        async with asyncio.timeout(60):
            while publisher.acknowledged < publisher.size:
                await asyncio.sleep(0.002)
        jp, kr = [parsed(write_metrics(measure(each, feeds.readers))) for each in feeds.feeds]
        await reading.aclose()
    assert values(jp["comity_feed_stopped"]) == {"": 0}
    feeds.world.clock.time -= timedelta(hours=1)
    await publisher.publish([track(3)])
    await publisher.disown(Rejected("its disk was restored", code="restored-database"))
    then = parsed(write_metrics(measure(feeds.feeds[0], feeds.readers)))
    assert values(then["comity_feed_stopped"]) == {"": 1}
    assert values(then["comity_feed_failures"])["_totalclock-went-back"] == 1
    await feeds.close()
    assert values(jp["comity_feed_crossed_messages"]) == {"_total": 2}
    assert values(jp["comity_feed_refused_messages"]) == {"_totalmalformed": 2, "_totalmissing-field": 1}
    assert values(jp["comity_feed_unacknowledged_batches"]) == {"": 0}
    durable = values(jp["comity_feed_durable_seconds"])
    assert durable["_count"] == durable["_bucket+Inf"] == 2
    assert 0 < durable["_sum"] < 20
    assert "comity_feed_received_messages" not in jp
    assert values(kr["comity_feed_received_messages"]) == {"_total": 2}
    assert values(kr["comity_feed_readers"]) == {"": 1}
    assert values(kr["comity_feed_reader_events"])["_totalmessage"] >= 1
    assert values(kr["comity_feed_reader_seconds"])["_count"] >= 1
    labels = kr["comity_feed_readers"].samples[0].labels
    assert labels == {"relationship": "jp-kr-2016/jp.kr", "publisher": "jp", "feed": "air-picture"}


def test_a_histogram_says_how_many_lay_up_to_each_bound() -> None:
    made = Histogram()
    made.observe_since(2_000_000, [2_000_000, 1_999_000, 1_998_999, 1_000_000, 3_000_000])
    made.observe_since(5 * 3_600_000_000, [0])
    made.observe_since(7, [])
    found = values(
        parsed(write_metrics([Family("a_seconds", "histogram", "A.", [({}, made)], "seconds")]))["a_seconds"]
    )
    assert found["_bucket0.001"] == 3
    assert found["_bucket0.002"] == 4
    assert found["_bucket1.0"] == found[f"_bucket{BOUNDS[-1]}"] == 5
    assert found["_bucket+Inf"] == found["_count"] == 6
    assert found["_sum"] == pytest.approx(18_001.002001)


def test_names_and_sentences_are_escaped_and_what_is_empty_is_left_out() -> None:
    text = write_metrics(
        [
            Family("a", "counter", 'says "no"\nand \\ more', [({"feed": 'x"\\\n'}, 1)]),
            Family("b", "gauge", "Nothing.", []),
        ]
    )
    [family] = parsed(text).values()
    assert family.documentation == 'says "no"\nand \\ more'
    assert family.samples[0].labels == {"feed": 'x"\\\n'}
    assert text.endswith(b"# EOF\n")
    assert parsed(write_metrics([])) == {}


async def test_the_door_answers_with_the_metrics_and_nothing_else() -> None:
    listener = listen_tcp("127.0.0.1", 0)
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    serving = Serving(MetricsDoor(lambda: [Family("a", "gauge", "A.", [({}, 1)])]), listener)
    task = asyncio.create_task(serving.run())
    async with aiohttp.ClientSession() as session:
        async with session.get(address + METRICS) as response:
            assert response.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
            assert "a" in parsed(await response.read())
        for method, path, status in (("GET", "/v1/read", 404), ("POST", METRICS, 405)):
            async with session.request(method, address + path) as response:
                assert response.status == status
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(address + METRICS)
    serving.stop()
    await task
