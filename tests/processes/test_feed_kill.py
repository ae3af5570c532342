"""A feed between two real nodes, each killed again and again: nothing acknowledged is lost, nothing comes twice.

``spec/feed.md`` step 15; what a disk loses with its power is tried in ``tests/feed`` with disks that fail as told.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from comity.errors import Misuse, Unavailable
from comity.flows.actors import Actor
from comity.flows.agreeing.agreements import AcknowledgeAgreement, AdoptAgreement, AgreementShown
from comity.flows.feeding.feeds import Feeds
from comity.flows.feeding.gates import Gates
from comity.flows.feeding.listing import FeedLine, ListFeeds
from comity.flows.feeding.releasing import FeedAsked, ReleaseFeed
from comity.flows.feeding.requests import Published
from comity.flows.giving.answering import Approve, Approved
from comity.flows.looking.views import Outbox, ShowOutbox
from comity.flows.people.directory import DirectoryShown, ListDirectory
from comity.node.client import call_lines
from comity.node.feeds import PROVE, MessageProved, ProveMessage
from comity.node.run import FEEDS, opened
from comity.stores.sqlite import SqliteStore
from feeds import FEEDS_RULE, NAME, SCHEMA, TERMS, track
from node.processes import Node, pair, until
from processes.giving import AGREEMENTS, FILES, person
from world import RELATIONSHIP, ROOT

KILLS = 6


def test_every_message_that_was_acknowledged_arrives_once_whoever_is_killed(tmp_path: Path) -> None:
    seed = int.from_bytes(os.urandom(4), "big")
    print(f"seed {seed}")  # shown when the test fails
    chance = random.Random(seed)
    with pair(tmp_path) as (jp, kr):
        settle_in(jp, kr)
        count = request = 0
        for _ in range(KILLS):
            victim = chance.choice((jp, kr))
            with ThreadPoolExecutor(1) as threads:
                killing = threads.submit(kill_soon, victim, chance.uniform(0, 0.15))
                for _ in range(3):
                    size = chance.choice((1, 20, 1500))
                    publish(jp, request, range(count, count + size), killing_done=killing.done)
                    count, request = count + size, request + 1
                killing.result()
        until(lambda: arrived(kr) == count)
        until(lambda: all_acknowledged(jp))  # so that what is proved is cosigned

        proof = tmp_path / "proof"
        for node, fields in ((jp, ["--field", "track"]), (kr, [])):
            proof.unlink(missing_ok=True)
            comity(node, "feed", "prove", "air-picture", str(count - 1), *fields, "--out", str(proof))
            for verifier in (jp, kr):
                said = comity(verifier, "feed", "verify", str(proof), "--json")
                shown = json.loads(said)
                assert json.loads(shown["view"])["track"] == f"T-{count - 1}"
                assert shown["cosigned"]
        lines = "\n".join([message(count).decode(), "{", message(count + 1).decode()])
        told = comity(jp, "feed", "publish", "air-picture", "--json", lines=lines, status=3)
        assert (json.loads(told)["accepted"], json.loads(told)["refused"]) == (2, {"malformed": 1})
        twice = b'{"sensor":"other",' + message(count)[1:]
        lines = b"\n".join([message(count + 2), twice, message(count + 3)]).decode()
        told = comity(jp, "feed", "publish", "air-picture", "--door", "json", "--json", lines=lines, status=3)
        said = json.loads(told)
        assert (said["accepted"], [each["place"] for each in said["told"]]) == (2, [2])
        count += 2
        until(lambda: arrived(kr) == count + 2)
        (sent,), (line,) = jp.status().sent, kr.status().followed
        until(lambda: all_acknowledged(jp))
        assert (sent.feed, sent.waiting, sent.stopped, line.open, line.publisher) == ("air-picture", 0, "", True, "jp")
        assert "all acknowledged" in comity(jp, "node", "status")
        assert "air-picture  of jp" in comity(kr, "node", "status")
        for node in (jp, kr):
            node.end()
        assert asyncio.run(tracks(kr.folder)) == [f"T-{number}" for number in range(count + 2)]


def kill_soon(node: Node, seconds: float) -> None:
    time.sleep(seconds)
    node.end(signal.SIGKILL)
    node.start()


def message(number: int) -> bytes:
    return track(number, observed="2026-11-20T01:02:03Z", sensor=f"s-{number % 3}")


def publish(jp: Node, request: int, numbers: range, killing_done) -> None:  # type: ignore[no-untyped-def]  # a function
    """Until it is acknowledged; the request is numbered, so that it is taken once."""
    query = {"feed": "air-picture", "source": "sensor", "request": str(request)}
    end = time.monotonic() + 30
    while True:
        try:
            found = call_lines(jp.folder, "feed.publish", query, [message(n) for n in numbers], Published)
        except Unavailable:
            assert time.monotonic() < end, "the node does not come back"
            time.sleep(0.02)
        else:
            assert found.accepted + found.repeated == len(numbers), found
            return


def arrived(kr: Node) -> int:
    """How many messages the recipient can prove that it has."""
    low, high = 0, 2**20
    while low < high:
        middle = (low + high) // 2
        try:
            comity_prove(kr, middle)
        except Misuse:
            high = middle
        else:
            low = middle + 1
    return low


def all_acknowledged(jp: Node) -> bool:
    return [sent.acknowledged == sent.batches > 0 for sent in jp.status().sent] == [True]


def comity_prove(node: Node, number: int) -> None:
    node.ask(PROVE, ProveMessage(feed="air-picture", number=number), MessageProved)


def comity(node: Node, *words: str, lines: str = "", status: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "comity", "--folder", str(node.folder), *words],
        input=lines.encode(),
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == status, done.stderr.decode()
    return done.stdout.decode()


async def tracks(folder: Path) -> list[str]:
    """Everything that is kept of the feed, in order."""
    async with opened(folder) as house:
        store = await SqliteStore.open(folder / FEEDS, large_rows=True)
        kept = Feeds(house, store, Gates(house)).kept(NAME)
        state, found = await kept.shelf.read_state(), []
        for index in range(state.size):
            _, contents = await kept.batch(index)
            found += [json.loads(view)["track"] for view in contents.views]
        await store.close()
    return found


def settle_in(jp: Node, kr: Node) -> None:
    """An agreement under which feeds cross, and a standing release of one."""
    text, history, layer = ((AGREEMENTS / name).read_text(encoding="utf-8") for name in FILES)
    for node, peer in ((jp, "kr"), (kr, "jp")):
        adopted = AdoptAgreement(peer=peer, text=text + FEEDS_RULE, history=history, layers=(layer,), names=FILES)
        node.ask("agreement.adopt", adopted, AgreementShown)
        node.ask("agreement.acknowledge", AcknowledgeAgreement(relationship=RELATIONSHIP, actor=ROOT), AgreementShown)
    person(jp, "sato", "officer")
    person(jp, "abe", "release-authority")
    kim = person(kr, "kim", "reader")
    until(lambda: kim in {line.pseudonym for line in jp.ask("directory.list", ListDirectory(), list[DirectoryShown])})
    until(lambda: jp.acknowledged() == ("jp", "kr") == kr.acknowledged())
    terms = TERMS.format(until=datetime(2027, 3, 31, tzinfo=UTC))
    release = ReleaseFeed(schema=SCHEMA, terms=terms, relationship=RELATIONSHIP, recipients=(kim,), actor=Actor("sato"))
    asked = jp.ask("feed.release", release, FeedAsked)
    if asked.release is None:
        assert jp.ask("outbox", ShowOutbox(), Outbox).waiting, asked
        approval = Approve(request=asked.request, reason="needed", actor=Actor("abe"))
        assert jp.ask("approve", approval, Approved).released
    until(lambda: bool(kr.ask("feed.list", ListFeeds(), list[FeedLine])))
