"""A node lets readers and collectors in where its settings say so, and nowhere else (``spec/feed.md`` 17 and 19)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from comity.node.client import SOCKET
from comity.node.events import EVENTS, READ_EVENTS
from comity.node.metrics import METRICS
from comity.node.reading import READ
from comity.node.run import found, running
from comity.node.serving import until
from comity.node.settings import Listen, MetricsSettings, ReadersSettings, Settings
from comity.node.sources import Source, Sources


async def made(folder: Path, **tables: object) -> Path:
    listen = Listen(port=0, public=("https://127.0.0.1:1",))
    await found(folder, Settings(party="jp", listen=listen, **tables), "JP")
    return folder


@pytest.mark.parametrize("opened", [True, False])
async def test_readers_and_collectors_come_in_where_the_settings_say(tmp_path: Path, opened: bool) -> None:
    coast = Source(token=str(tmp_path / "token"), feeds=("air",))
    (tmp_path / "token").touch(0o600)
    (tmp_path / "token").write_text("the token of the coast")
    tables = {
        "readers": ReadersSettings(port=0),
        "metrics": MetricsSettings(port=0),
        "events": Sources(port=0, source=(coast,)),
    }
    folder = await made(tmp_path / "jp", **(tables if opened else {}))
    stop = asyncio.Event()
    async with running(folder) as node:
        serving = asyncio.create_task(until(stop, node.doors))
        here = aiohttp.UnixConnector(str(folder / SOCKET))
        async with aiohttp.ClientSession(connector=here) as local, aiohttp.ClientSession() as network:
            async with local.get(f"http://comity{METRICS}") as response:
                assert list(text_string_to_metric_families(await response.text())) == []
            async with local.post(f"http://comity{READ}", data=b"{}") as response:
                assert response.status == 400
            async with local.post(f"http://comity{READ_EVENTS}", data=b"{}") as response:
                assert response.status == 400
            async with local.post(f"http://comity{EVENTS}?feed=air", data=b"{}") as response:
                assert (await response.json())["error"]["code"] == "unknown-feed"
            async with network.get(node.says.peers + METRICS, ssl=False) as response:  # peers see none of it
                assert response.status == 404
            if opened:
                told = f"readers at {node.says.readers}, events at {node.says.events}, metrics at {node.says.metrics}"
                assert told in str(node.says)
                for path in (READ_EVENTS, READ):
                    async with network.post(node.says.readers + path, data=b"{}", ssl=False) as response:
                        assert response.status == 401
                async with network.post(node.says.events + "?feed=air", data=b"{}", ssl=False) as response:
                    assert (await response.json())["error"]["code"] == "unknown-token"
                shown = {"authorization": "Bearer the token of the coast"}
                async with network.post(node.says.events + "?feed=air", headers=shown, ssl=False) as response:
                    assert (await response.json())["error"]["code"] == "unknown-feed"
                async with network.get(node.says.metrics) as response:
                    assert response.status == 200
                with pytest.raises(aiohttp.ClientError):
                    await network.post(node.says.readers.replace("https", "http") + READ, data=b"{}")
            else:
                assert (node.says.readers, node.says.metrics, node.says.events) == ("", "", "")
                assert len(node.doors) == 3  # peers, commands, and browsers on this machine
        stop.set()
        await serving
