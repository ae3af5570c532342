"""Publishing and receiving, from the message to the cosignature (``spec/feed.md`` steps 10 to 15)."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import msgspec
import pytest
from msgspec.structs import replace

from comity.errors import InternalError, Misuse, Rejected, Unavailable
from comity.feed import publication
from comity.feed.batch import MESSAGES_MAX, read_frame, root_of
from comity.feed.delivery import Acknowledged, Have, write_word
from comity.feed.gate import Epoch, Gate
from comity.feed.proof import read_proof, verify_proof, write_proof
from comity.feed.schema import parse_schema
from comity.flows.feeding import publishing, receiving, sessions
from comity.flows.feeding.delivering import Delivery
from comity.flows.feeding.names import FeedName
from comity.flows.feeding.proving import Kept
from comity.flows.feeding.shelf import CLAIMS_MAX
from comity.ledger.checkpoint import open_checkpoint
from comity.ledger.note import Note, cosign
from comity.ledger.tree import EMPTY_ROOT
from comity.stores.memory_disk import WritePoint
from feed.examples import SCHEMA_TEXT
from feed.examples import schema as stage_schema
from feed.stage import KEYS, NAME, NOW, Line, Stage, parties, track, until


async def test_what_is_published_crosses_cut_and_in_order_and_is_acknowledged_by_a_cosignature() -> None:
    stage = Stage()
    async with stage.publisher() as publisher:
        recipient = await stage.recipient()
        async with stage.connected(publisher, recipient, Line()):
            for start in range(0, 30, 10):
                found = await publisher.publish([track(n) for n in range(start, start + 10)])
                assert (found.accepted, found.refused) == (10, {})
            await until(lambda: publisher.acknowledged == publisher.size > 0)
        assert [view["track"] for view in stage.views] == [f"T-{n}" for n in range(30)]
        assert all("method" not in view and "quality" not in view for view in stage.views)
        assert recipient.first == 30
        turns = {}
        for arrived in stage.arrived:
            contents = arrived.opened.contents
            for source, turn in zip(contents.source, contents.turn, strict=True):
                assert turns.get(contents.sources[source], 0) == turn
                turns[contents.sources[source]] = turn + 1
        assert turns == {"s-0": 10, "s-1": 10, "s-2": 10}
        log, witness = NAME.log_key(KEYS["jp log"].public), parties("jp", "kr").peer_witness_key
        signed = open_checkpoint(publisher.cosigned, NAME.origin, [log], [witness])
        assert signed.witnesses
        assert signed.checkpoint.head.size == publisher.size == recipient.size


async def test_a_message_that_is_not_in_order_is_refused_alone() -> None:
    stage = Stage()
    async with stage.publisher() as publisher:
        bad = [
            (b"{", "malformed"),
            (track(1, weather="rain"), "unknown-field"),
            (track(1, quality="x"), "bad-field"),
            (track(1, observed="0001-01-01T00:00:00+09:00"), "bad-field"),
            (track(1, observed="2026-11-20T01:00:31Z"), "clock"),
            (track(1, type="trick"), "unknown-type"),
            (b" " * 70_000, "too-large"),
        ]
        messages = [track(0)]
        for message, _ in bad:
            messages += [message, track(9)]
        found = await publisher.publish(messages)
        assert found.accepted == len(bad) + 1
        expected = {(1 + 2 * place, code) for place, (_, code) in enumerate(bad)}
        assert {(each.place, each.code) for each in found.told} == expected
        assert all(each.sentence for each in found.told)
        assert sum(count for what, count in publisher.counts.items() if what.startswith("refused")) == len(bad)


async def test_a_source_whose_clock_jumps_back_is_taken_and_one_that_jumps_ahead_is_told() -> None:
    stage = Stage()
    async with stage.publisher() as publisher:
        recipient = await stage.recipient()
        found = await publisher.publish(
            [track(0), track(1, observed="2026-11-20T00:00:00Z"), track(2, observed="2027-01-01T00:00:00Z"), track(3)]
        )
        assert (found.accepted, found.refused) == (3, {"clock": 1})
        async with stage.connected(publisher, recipient, Line()):
            await until(lambda: recipient.first == 3)
        told = [each for arrived in stage.arrived for each in arrived.opened.contents.dropped]
        assert [(each.type, each.why, each.count) for each in told] == [("track", "clock", 1)]


def stamps(stage: Stage) -> dict[str, datetime]:
    """When each track that arrived was published, as it was stamped."""
    return {
        str(msgspec.json.decode(view)["track"]): publication.instant_of(at)
        for arrived in stage.arrived
        for view, at in zip(arrived.opened.contents.views, arrived.opened.contents.at, strict=True)
    }


async def test_stamps_wait_for_a_clock_that_goes_back_a_little_and_go_back_with_one_that_was_far_ahead() -> None:
    stage = Stage()
    async with stage.publisher() as publisher:
        recipient = await stage.recipient()
        async with stage.connected(publisher, recipient, Line()):
            for number, passes in enumerate([0, -0.9, 7200, -7200, 1]):
                stage.clock.pass_by(passes)
                await publisher.publish([track(number)])
            await until(lambda: recipient.first == 5)
        found = [(each - NOW).total_seconds() for each in stamps(stage).values()]
        assert found == pytest.approx([0, 0, 7199.1, -0.9, 0.1], abs=0.05)
        assert publisher.counts["clock went back"] == 1
        assert len(stage.ruler.epochs) == 3  # no key is used for as long as the clock was ahead


@pytest.mark.parametrize("restarted", [False, True])
async def test_what_waits_when_the_clock_goes_back_waits_its_delay_and_holds_nothing_up(restarted: bool) -> None:
    stage = Stage()
    stage.ruler.declare("normal")  # 60 seconds
    recipient = await stage.recipient()
    async with stage.publisher() as publisher:
        stage.clock.pass_by(7200)
        await publisher.publish([track(0), track(1)])
        stage.clock.pass_by(-7200)
        if not restarted:
            await publisher.publish([track(2)])
    async with stage.publisher() as publisher, stage.connected(publisher, recipient, Line()):
        stage.clock.pass_by(30)
        await publisher.publish([track(3)])
        assert recipient.first == 0
        stage.clock.pass_by(31)
        await until(lambda: recipient.first == (2 if restarted else 3))
        assert publisher.held == 1
    assert max(stamps(stage).values()) < NOW + timedelta(seconds=1)


async def test_an_open_batch_goes_back_with_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "LINGER_SECONDS", 0.2)
    stage = Stage()
    async with stage.publisher() as publisher:
        stage.clock.pass_by(7200)
        first = asyncio.create_task(publisher.publish([track(0)]))
        await until(lambda: bool(publisher._pending))
        stage.clock.pass_by(-7200)
        second = await asyncio.wait_for(publisher.publish([track(1)]), 60)
        assert (await first).accepted == second.accepted == 1
        recipient = await stage.recipient()
        async with stage.connected(publisher, recipient, Line()):
            await until(lambda: recipient.first == 2)
        assert max(stamps(stage).values()) < NOW + timedelta(seconds=1)


async def test_the_gate_cuts_the_open_batch_and_each_message_crosses_under_what_held_when_it_was_published(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(publishing, "LINGER_SECONDS", 0.3)  # the batch is still open, however slow the machine
    stage = Stage()
    stage.ruler.declare("crisis")
    async with stage.publisher() as publisher:
        recipient = await stage.recipient()
        async with stage.connected(publisher, recipient, Line()):
            await publisher.publish([track(0)])
            before = asyncio.create_task(publisher.publish([track(1)]))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            stage.ruler.end("consent-withdrawn", "consent")
            after = await publisher.publish([track(2)])
            assert (await before).accepted == 1
            assert (after.accepted, after.refused) == (0, {"consent-withdrawn": 1})
            await until(lambda: recipient.first == 2)
        closed = [arrived.opened.place.closed for arrived in stage.arrived]
        assert closed[-1] == "consent"
        assert [view["track"] for view in stage.views] == ["T-0", "T-1"]


async def test_a_delayed_message_waits_on_disk_and_crosses_when_its_time_has_come() -> None:
    stage = Stage()
    stage.ruler.declare("normal")  # 60 seconds
    async with stage.publisher() as publisher:
        assert (await publisher.publish([track(n) for n in range(5)])).accepted == 5
        assert (publisher.held, publisher.size) == (5, 0)
    async with stage.publisher() as publisher:  # what waits outlives the process
        assert publisher.held == 5
        recipient = await stage.recipient()
        async with stage.connected(publisher, recipient, Line()):
            stage.clock.pass_by(61)
            await publisher.publish([track(9)])
            await until(lambda: recipient.first == 5)
        assert publisher.held == 1
        assert [view["track"] for view in stage.views] == [f"T-{n}" for n in range(5)]
        assert "height" not in stage.views[0]
        assert {name for arrived in stage.arrived for name in arrived.opened.contents.sources} == {""}


async def test_what_still_waits_when_the_release_ends_does_not_cross_and_the_next_batch_says_so() -> None:
    stage = Stage()
    stage.ruler.declare("normal")
    async with stage.publisher() as publisher:
        recipient = await stage.recipient()
        async with stage.connected(publisher, recipient, Line()):
            await publisher.publish([track(n) for n in range(5)])
            stage.ruler.end()
            await until(lambda: publisher.held == 0)
            stage.ruler.now = Stage().ruler.now
            stage.clock.pass_by(100)
            stage.ruler.declare("crisis")
            await publisher.publish([track(7)])
            await until(lambda: recipient.first == 1)
        assert [view["track"] for view in stage.views] == ["T-7"]
        told = [each for arrived in stage.arrived for each in arrived.opened.contents.dropped]
        assert [(each.why, each.count) for each in told] == [("ended", 5)]


async def test_what_waits_when_nothing_of_its_type_crosses_any_more_does_not_cross_in_a_later_crisis() -> None:
    stage = Stage()
    crossings = stage.ruler.now.release.postures  # type: ignore[union-attr]  # there is one
    tables = {"normal": {}, "heightened": crossings["normal"], "crisis": crossings["crisis"]}
    stage.ruler.now = replace(stage.ruler.now, release=replace(stage.ruler.now.release, postures=tables))
    stage.ruler.declare("heightened")  # 60 seconds
    async with stage.publisher() as publisher:
        recipient = await stage.recipient()
        async with stage.connected(publisher, recipient, Line()):
            await publisher.publish([track(n) for n in range(3)])
            assert publisher.held == 3
            stage.ruler.declare("normal")
            await until(lambda: publisher.held == 0)
            stage.clock.pass_by(3600)
            stage.ruler.declare("crisis")
            await publisher.publish([track(7)])
            await until(lambda: recipient.first == 1)
        assert [view["track"] for view in stage.views] == ["T-7"]
        told = [each for arrived in stage.arrived for each in arrived.opened.contents.dropped]
        assert [(each.type, each.why, each.count) for each in told] == [("track", "ended", 3)]


async def test_beyond_the_rate_messages_are_dropped_and_counted() -> None:
    stage = Stage()
    stage.ruler.declare("normal")  # 200 a second
    async with stage.publisher() as publisher:
        recipient = await stage.recipient()
        await publisher.publish([track(n) for n in range(250)])
        stage.clock.pass_by(61)
        async with stage.connected(publisher, recipient, Line()):
            await until(lambda: recipient.first == 200)
            stage.ruler.declare("crisis")
            await publisher.publish([track(999)])
            await until(lambda: recipient.first == 201)
        told = [each for arrived in stage.arrived for each in arrived.opened.contents.dropped]
        assert [(each.why, each.count) for each in told] == [("rate", 50)]


async def test_what_waited_and_is_of_one_source_too_many_is_said_not_to_cross(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publication, "SOURCES_MAX", 2)
    stage = Stage()
    async with stage.publisher() as publisher:
        recipient = await stage.recipient()
        assert (await publisher.publish([track(n, sensor=f"s-{n}") for n in range(2)])).accepted == 2
        stage.ruler.declare("normal")  # no source crosses, and everything waits
        assert (await publisher.publish([track(10 + n, sensor=f"s-{n}") for n in range(5)])).accepted == 5
        stage.ruler.declare("crisis")
        async with stage.connected(publisher, recipient, Line()):
            await until(lambda: recipient.first == 4)
            assert publisher.counts["refused too-many-sources"] == 3
            assert (await publisher.publish([track(20, sensor="s-1")])).accepted == 1
            await until(lambda: recipient.first == 5)
        assert [view["track"] for view in stage.views] == ["T-0", "T-1", "T-10", "T-11", "T-20"]
        told = [each for arrived in stage.arrived for each in arrived.opened.contents.dropped]
        assert [(each.type, each.why, each.count) for each in told] == [("track", "space", 3)]


async def test_what_waited_and_has_no_form_in_which_it_may_cross_is_said_not_to_cross(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = Stage()
    stage.ruler.declare("normal")
    async with stage.publisher() as publisher:
        recipient = await stage.recipient()
        assert (await publisher.publish([track(n) for n in range(2)])).accepted == 2
        with monkeypatch.context() as patched:
            patched.setattr(publication.Publication, "admit", lambda _self, _entry: "bad-field")
            stage.clock.pass_by(61)
            await publisher.publish([])
            await until(lambda: publisher.counts["refused bad-field"] == 2)
        stage.ruler.declare("crisis")
        async with stage.connected(publisher, recipient, Line()):
            await publisher.publish([track(9)])
            await until(lambda: recipient.first == 1)
        told = [each for arrived in stage.arrived for each in arrived.opened.contents.dropped]
        assert [(each.type, each.why, each.count) for each in told] == [("track", "form", 2)]


async def test_sources_without_end_are_refused_each_by_itself_until_the_key_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(publication, "SOURCES_MAX", 2)
    stage = Stage()
    async with stage.publisher() as publisher:
        for number in range(2):
            assert (await publisher.publish([track(number, sensor=f"s-{number}")])).accepted == 1
        found = await publisher.publish([track(2, sensor="s-2"), track(3, sensor="s-1")])
        assert (found.accepted, found.refused) == (1, {"too-many-sources": 1})
        assert publisher.counts["refused too-many-sources"] == 1
        stage.clock.pass_by(3601)
        assert (await publisher.publish([track(4, sensor="s-1")])).accepted == 1  # the first under another key
        assert (await publisher.publish([track(5, sensor="s-2")])).accepted == 1


async def test_a_flood_without_a_line_waits_in_bounded_space_and_what_is_dropped_is_said() -> None:
    stage = Stage()
    stage.held_bytes_max = 30_000
    async with stage.publisher() as publisher:
        recipient = await stage.recipient()
        for start in range(0, 400, 2):
            await publisher.publish([track(n) for n in range(start, start + 2)])
        assert publisher.size == 64
        kept = publisher.held
        assert 0 < kept < 272
        async with stage.connected(publisher, recipient, Line()):
            await until(lambda: publisher.held == 0 and publisher.acknowledged == publisher.size)
        dropped = sum(each.count for arrived in stage.arrived for each in arrived.opened.contents.dropped)
        assert recipient.first + dropped == 400
        numbers = [int(str(view["track"])[2:]) for view in stage.views]
        assert numbers == sorted(set(numbers))
        assert numbers[:128] == list(range(128))
        assert numbers[-1] == 399


async def test_a_schema_that_changes_under_way_is_that_of_the_next_messages() -> None:
    stage = Stage()
    async with stage.publisher() as publisher:
        await publisher.publish([track(0)])
        other = parse_schema(SCHEMA_TEXT.replace("quality    =", "grade      ="), "s.toml")
        stage.ruler.now = replace(stage.ruler.now, schema=other, since=stage.clock.now())
        message = track(1).replace(b'"quality"', b'"grade"')
        assert (await publisher.publish([message])).accepted == 1  # the first, read by what holds when it is published
        assert (await publisher.publish([track(2)])).refused in ({"unknown-field": 1}, {"missing-field": 1})


async def test_what_came_before_another_schema_is_sealed_by_the_one_it_was_read_by(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(publishing, "LINGER_SECONDS", 0.2)  # the batch is still open
    stage = Stage()
    other = parse_schema(SCHEMA_TEXT.replace("quality    =", "grade      ="), "s.toml")
    async with stage.publisher() as publisher:
        before = asyncio.create_task(publisher.publish([track(0)], "s", 1))
        await until(lambda: bool(publisher._pending))
        stage.ruler.now = replace(stage.ruler.now, schema=other, since=stage.clock.now(), changed="release")
        messages = [track(1).replace(b'"quality"', b'"grade"'), track(2)]
        after, late = await asyncio.gather(publisher.publish(messages, "t", 1), publisher.publish([track(3)]))
        assert (await before).accepted == after.accepted == 1
        assert after.refused == late.refused == {after.told[0].code: 1}
        kept = [await publisher.shelf.read_originals(index) for index in range(publisher.size)]
        assert [each.schema for each in kept if each is not None] == [stage_schema().digest, other.digest]


async def test_what_does_not_cross_begins_no_batch_and_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage()
    async with stage.publisher() as publisher:
        await publisher.publish([track(0)])
        monkeypatch.setattr(publishing, "LINGER_SECONDS", 0.2)
        written, time = list[WritePoint](), asyncio.get_running_loop().time
        stage.disks[0].faults = written.append
        began = time()
        nothing = [track(1, type="trick"), b"{", track(1, observed="2027-01-01T00:00:00Z")]
        assert sum((await publisher.publish(nothing)).refused.values()) == 3
        assert sum((await publisher.publish(nothing, "sensor", 1)).refused.values()) == 3
        assert time() - began < 0.1  # it is not made to wait for a batch
        assert not written
        await asyncio.sleep(0.15)
        began = time()
        assert (await publisher.publish([track(1, type="trick"), track(2)], "sensor", 1)).accepted == 1
        assert time() - began > 0.19  # the first that crosses waits for others, as if nothing had been there before it
        assert publisher.size == 2


async def test_what_waits_and_is_no_message_of_the_schema_that_holds_then_is_said_not_to_cross() -> None:
    stage = Stage()
    stage.ruler.declare("normal")
    async with stage.publisher() as publisher:
        recipient = await stage.recipient()
        async with stage.connected(publisher, recipient, Line()):
            assert (await publisher.publish([track(0), track(1)])).accepted == 2
            other = parse_schema(SCHEMA_TEXT.replace("quality    =", "grade      ="), "s.toml")
            stage.ruler.now = replace(stage.ruler.now, schema=other, since=stage.clock.now(), changed="release")
            stage.clock.pass_by(61)
            await until(lambda: publisher.counts["dropped ended"] == 2)
            assert (await publisher.publish([track(2).replace(b'"quality"', b'"grade"')])).accepted == 1
            stage.clock.pass_by(61)
            await publisher.publish([])
            await until(lambda: recipient.first == 1)
        assert [view["track"] for view in stage.views] == ["T-2"]
        told = [each for arrived in stage.arrived for each in arrived.opened.contents.dropped]
        assert [(each.type, each.why, each.count) for each in told] == [("track", "ended", 2)]


async def test_a_numbered_request_is_taken_once() -> None:
    stage = Stage()
    async with stage.publisher() as publisher:
        messages = [track(n) for n in range(3)]
        assert (await publisher.publish(messages, "sensor", 1)).accepted == 3
        again = await publisher.publish(messages, "sensor", 1)
        assert (again.accepted, again.repeated) == (0, 3)
        with pytest.raises(Misuse):
            await publisher.publish(messages, "sensor", 0)
        assert (await publisher.publish(messages, "sensor", 2)).accepted == 3
        recipient = await stage.recipient()
        async with stage.connected(publisher, recipient, Line()):
            await until(lambda: recipient.first == 6)


async def test_a_source_is_known_for_a_week_after_its_newest_request_and_then_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sessions, "FORGET_ROWS", 4)
    stage, week = Stage(), 7 * 24 * 3600

    async def known(publisher: publishing.Publisher) -> list[str]:
        return [name for name, _ in await publisher.shelf.sessions("", 100)]

    async with stage.publisher() as publisher:
        for number in range(10):
            await publisher.publish([track(number)], f"s-{number}", 1)
        stage.clock.pass_by(week - 10)
        assert (await publisher.publish([track(0)], "s-0", 1)).repeated == 1  # it may still come again
        await publisher.publish([track(1)], "s-1", 2)
        assert len(await known(publisher)) == 10
        for _ in range(8):  # some in each round, and all of them once an hour
            stage.clock.pass_by(3601)
            await publisher.publish([track(0)])
        assert await known(publisher) == ["s-1"]
        assert (await publisher.publish([track(1)], "s-1", 2)).repeated == 1
        assert (await publisher.publish([track(0)], "s-0", 1)).accepted == 1
        with pytest.raises(Misuse, match="at most 200"):
            await publisher.publish([track(0)], "s" * 201, 1)


async def test_a_source_that_publishes_while_it_would_be_forgotten_is_not() -> None:
    stage = Stage()
    async with stage.publisher() as publisher:
        await publisher.publish([track(0)], "s", 1)
        stage.clock.pass_by(8 * 24 * 3600)
        assert (await publisher.publish([track(1)], "s", 2)).accepted == 1  # in the round that looks
        assert (await publisher.publish([track(1)], "s", 2)).repeated == 1


async def test_a_large_request_makes_several_full_batches() -> None:
    stage = Stage()
    async with stage.publisher() as publisher:
        recipient = await stage.recipient()
        async with stage.connected(publisher, recipient, Line()):
            assert (await publisher.publish([track(n) for n in range(3_500)])).accepted == 3_500
            await until(lambda: recipient.first == 3_500)
        places = [arrived.opened.place for arrived in stage.arrived]
        assert all(place.count <= MESSAGES_MAX for place in places)
        assert "full" in {place.closed for place in places}


async def test_a_recipient_with_another_history_is_not_served() -> None:
    stage = Stage()
    async with stage.publisher() as publisher:
        await publisher.publish([track(0)])
        line = Line()
        await line.ends[1].send(write_word(Have(1, bytes(32))))
        with pytest.raises(Rejected) as caught:
            await Delivery(publisher, line.ends[0]).run()
        assert caught.value.code == "two-histories"
        for root in range(1, 200):  # whatever it claims, again and again
            line = Line()
            await line.ends[1].send(write_word(Have(1, bytes([root]) * 32)))
            with pytest.raises(Rejected):
                await Delivery(publisher, line.ends[0]).run()
        assert len(await publisher.shelf.read_evidence()) == CLAIMS_MAX


@pytest.mark.parametrize(("has", "code"), [(1, "two-histories"), (2, "restored-database")])
async def test_a_publisher_restored_from_a_copy_refuses_its_sources_until_the_recipient_has_what_is_there(
    has: int, code: str
) -> None:
    stage = Stage()

    async def calls(publisher: publishing.Publisher) -> None:
        line = Line()
        await line.ends[1].send(write_word(Have(has, bytes(32))))
        with pytest.raises(Rejected) as caught:
            await Delivery(publisher, line.ends[0]).run()
        assert caught.value.code == code

    async def refused(publisher: publishing.Publisher) -> None:
        for source in ("", "sensor"):  # the one of the sensor was taken before
            with pytest.raises(Unavailable, match="put back the newer one") as stopped:
                await publisher.publish([track(0)], source, 1)
            assert stopped.value.code == code

    async with stage.publisher() as publisher:
        await publisher.publish([track(0)], "sensor", 1)
        await calls(publisher)
        await refused(publisher)
    async with stage.publisher() as publisher:  # nor after a restart
        await refused(publisher)
        recipient = await stage.recipient()
        async with stage.connected(publisher, recipient, Line()):
            await until(lambda: recipient.first == 1)
            assert (await publisher.publish([track(1)])).accepted == 1
            await until(lambda: recipient.first == 2)
    async with stage.publisher() as publisher:
        assert (await publisher.publish([track(2)])).accepted == 1


async def test_a_log_without_batches_has_one_root() -> None:
    stage = Stage()
    async with stage.publisher() as publisher:
        line = Line()
        await line.ends[1].send(write_word(Have(0, bytes(32))))
        with pytest.raises(Rejected) as caught:
            await Delivery(publisher, line.ends[0]).run()
        assert caught.value.code == "bad-word"
        assert (await publisher.publish([track(0)])).accepted == 1


COSIGNED = "— comity/kr AAAAAAAAAAAA"


@pytest.mark.parametrize(
    ("size", "line_said"),
    [
        *[(size, COSIGNED) for size in (0, 1, 2, 5)],
        *[(1, said) for said in ("", "\n", "— kr", "— kr ====", f"{COSIGNED}\n{COSIGNED}\n")],
    ],
)
async def test_a_peer_that_acknowledges_what_it_did_not_store_is_cut_off(size: int, line_said: str) -> None:
    stage = Stage()
    async with stage.publisher() as publisher:
        await publisher.publish([track(0)])
        line = Line()
        peer = line.ends[1]
        running = asyncio.create_task(Delivery(publisher, line.ends[0]).run())
        await peer.send(write_word(Have(0, (await stage.shelf(1).read_state()).root)))
        await peer.receive()
        await peer.send(write_word(Acknowledged(size, line_said)))
        with pytest.raises(Rejected) as caught:
            await running
        assert caught.value.code == "bad-acknowledgement"
        assert publisher.counts["bad acknowledgements"] == 1
        assert publisher.acknowledged == 0


async def test_a_cosignature_of_another_root_or_another_key_acknowledges_nothing() -> None:
    stage, other = Stage(), Stage()
    other.chance.seed(2)
    async with stage.publisher() as publisher, other.publisher() as elsewhere:
        for each in (publisher, elsewhere):
            await each.publish([track(0)])
            await each.publish([track(1)])
        texts = [
            Note.parse(read_frame(each.under_way[index].frame).note).text
            for each, index in ((elsewhere, 1), (publisher, 0), (publisher, 1), (publisher, 1))
        ]
        name = parties("kr", "jp").own_witness_name
        signers = [(name, "kr witness"), (name, "kr witness"), (name, "kr log"), ("comity/jp", "kr witness")]
        for text, (signer, key) in zip(texts, signers, strict=True):
            line = Line()
            running = asyncio.create_task(Delivery(publisher, line.ends[0]).run())
            await line.ends[1].send(write_word(Have(0, EMPTY_ROOT)))
            await line.ends[1].receive()
            await line.ends[1].receive()
            await line.ends[1].send(write_word(Acknowledged(2, cosign(text, signer, KEYS[key], 1_800_000_000).line)))
            with pytest.raises(Rejected) as caught:
                await running
            assert caught.value.code == "bad-acknowledgement"
            assert publisher.acknowledged == 0


async def test_a_peer_that_lost_what_it_acknowledged_gets_it_again_and_its_word_is_kept() -> None:
    stage = Stage()
    async with stage.publisher() as publisher:
        recipient = await stage.recipient()
        async with stage.connected(publisher, recipient, Line()):
            await publisher.publish([track(0)])
            await until(lambda: publisher.acknowledged == 1)
        stage.disks = stage.disks[0], type(stage.disks[1])()
        recipient = await stage.recipient()
        async with stage.connected(publisher, recipient, Line()):
            await publisher.publish([track(1)])
            await until(lambda: recipient.first == 2)
        assert publisher.counts["acknowledged and lost"] == 1
        assert (await publisher.shelf.read_evidence())[0][1] == b"0"


async def test_a_batch_waits_for_the_record_that_brings_its_key() -> None:
    stage = Stage()
    stage.ruler.held_back = 1
    async with stage.publisher() as publisher:
        recipient = await stage.recipient()
        async with stage.connected(publisher, recipient, Line()):
            await publisher.publish([track(0)])
            await until(lambda: stage.fetched == 1)  # it is asked for at once
            await asyncio.sleep(0.05)
            assert (recipient.first, stage.fetched) == (0, 1)
            stage.ruler.held_back = 0
            recipient.recorded.set()
            await until(lambda: recipient.first == 1, seconds=0.5)  # and used as soon as it has come
            assert stage.fetched == 1


async def test_a_key_that_does_not_come_is_asked_for_again_and_not_waited_for_without_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(receiving, "FETCH_SECONDS", 0.1)
    monkeypatch.setattr(receiving, "KEY_SECONDS", 0.35)
    stage = Stage()
    stage.ruler.held_back = 1
    async with stage.publisher() as publisher:
        recipient = await stage.recipient()
        line = Line()
        async with stage.connected(publisher, recipient, line):
            await publisher.publish([track(0)])
            await until(lambda: line.is_cut)
        assert stage.fetched == 4
        assert recipient.counts["refused unknown-epoch"] == 1
        stage.ruler.held_back = 0
        async with stage.connected(publisher, recipient, Line()):
            await until(lambda: recipient.first == 1)


async def test_a_key_is_used_for_an_hour() -> None:
    stage = Stage()
    async with stage.publisher() as publisher:
        for _ in range(3):
            await publisher.publish([track(0)])
            stage.clock.pass_by(1801)
        assert [epoch.number for epoch in stage.ruler.epochs] == [1, 2]


async def test_either_party_proves_a_message_and_the_publisher_its_original() -> None:
    stage = Stage()
    async with stage.publisher() as publisher:
        recipient = await stage.recipient()
        async with stage.connected(publisher, recipient, Line()):
            for start in range(0, 30, 10):
                await publisher.publish([track(n) for n in range(start, start + 10)])
            await until(lambda: publisher.acknowledged == publisher.size > 2)
            await until(lambda: not publisher._unsaved)  # within a second it is on the shelf, too
        log, witness = NAME.log_key(KEYS["jp log"].public), parties("jp", "kr").peer_witness_key
        ours, theirs = (Kept(NAME, side.shelf, stage.ruler) for side in (publisher, recipient))
        for number in (0, 17, 29):
            proof = await ours.prove(number, ["track", "latitude"], (0, publisher.size))
            assert (await theirs.prove(number)).view.leaf == proof.view.leaf
            proved = verify_proof(read_proof(write_proof(proof)), NAME.origin, [log], [witness])
            assert proved.number == number
            assert proved.same == ("track", "latitude")
            assert proved.signed.witnesses
            roots = await ours.original_roots(0, publisher.size)
            assert proved.record_root == root_of(roots)
        with pytest.raises(Misuse, match="no message 30"):
            await ours.prove(30)
        with pytest.raises(Misuse, match="no field 'colour'"):
            await ours.prove(0, ["colour"], (0, publisher.size))
        with pytest.raises(Misuse, match="another party's"):
            await theirs.prove(0, [], (0, recipient.size))


async def test_a_log_of_more_than_a_tile_goes_on_after_a_restart_and_proves_its_first_and_last() -> None:
    stage = Stage()
    log, witness = NAME.log_key(KEYS["jp log"].public), parties("jp", "kr").peer_witness_key
    for _ in range(2):
        async with stage.publisher() as publisher:
            recipient = await stage.recipient()
            async with stage.connected(publisher, recipient, Line()):
                for number in range(150):
                    await publisher.publish([track(number)])
                await until(lambda: publisher.acknowledged == publisher.size)
    kept = Kept(NAME, recipient.shelf, stage.ruler)
    assert recipient.size == recipient.first == 300
    for number in (0, 15, 16, 149, 255, 256, 299):
        proved = verify_proof(await kept.prove(number), NAME.origin, [log], [witness])
        assert proved.signed.checkpoint.head.size == 300
        assert proved.signed.witnesses
        assert f'"T-{number % 150}"' in proved.view.decode()


async def test_a_defect_stops_the_feed_and_leaves_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage()
    async with stage.publisher() as publisher:

        def broken(*_: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(publisher, "_take_pending", broken)
        with pytest.raises(InternalError, match="ZeroDivisionError"):
            await asyncio.wait_for(publisher.publish([track(0)]), 60)
        with pytest.raises(InternalError):
            await publisher.publish([track(1)])


async def test_before_a_release_every_message_is_refused_and_after_it_they_are_taken() -> None:
    stage = Stage()
    standing = stage.ruler.now
    stage.ruler.now = replace(standing, stands=False, why="no-release", schema=None, release=None)
    async with stage.publisher() as publisher:
        assert (await publisher.publish([track(0)])).refused == {"no-release": 1}
        stage.ruler.now = replace(standing, since=stage.clock.now())
        assert (await publisher.publish([track(1)])).accepted == 1


async def test_a_key_that_cannot_be_recorded_now_is_told_to_whoever_publishes_and_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = Stage()
    async with stage.publisher() as publisher:
        recipient = await stage.recipient()

        async def refuse(_name: FeedName, _first: int) -> Epoch:
            raise Unavailable("the register's disk is full", code="disk-full")

        with monkeypatch.context() as broken:
            broken.setattr(stage.ruler, "next_epoch", refuse)
            with pytest.raises(Unavailable, match="the register's disk is full"):
                await asyncio.wait_for(publisher.publish([track(0)]), 60)
        assert (await publisher.publish([track(1)])).accepted == 1
        async with stage.connected(publisher, recipient, Line()):
            await until(lambda: recipient.first == 1)
        assert [view["track"] for view in stage.views] == ["T-1"]


async def test_what_comes_while_another_release_comes_goes_under_that_and_its_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Sealed as the one before had it, whoever reads under the next one would read what was never released to him."""
    stage = Stage()
    async with stage.publisher() as publisher:
        recipient = await stage.recipient()
        begin, before, begun = stage.ruler.next_epoch, stage.ruler.now, list[int]()

        async def released_meanwhile(name: FeedName, first: int) -> Epoch:
            assert before.release is not None
            if len(begun) < 2:  # one comes while each of the first two keys is made
                again = replace(before.release, digest=f"that of another one, {len(begun)}")
                stage.ruler.now = replace(before, release=again, since=stage.clock.now())
            epoch = await begin(name, first)
            begun.append(epoch.number)
            return epoch

        monkeypatch.setattr(stage.ruler, "next_epoch", released_meanwhile)
        assert (await publisher.publish([track(0)])).accepted == 1
        assert (await publisher.publish([track(1)])).accepted == 1
        async with stage.connected(publisher, recipient, Line()):
            await until(lambda: recipient.first == 2)
        assert begun == [1, 2, 3]
        assert [(each.opened.place.epoch, each.opened.place.batch) for each in stage.arrived] == [(3, 0), (3, 1)]


async def test_what_comes_between_the_key_and_the_deciding_waits_for_the_next_round(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """When it was looked whether a key is needed, nothing was there: it came within the same microsecond."""
    stage = Stage()
    async with stage.publisher() as publisher:
        recipient = await stage.recipient()
        begin, rounds = publisher._begin_epoch, list[int]()

        async def too_early(now: int) -> Gate | None:
            rounds.append(now)
            return await begin(now) if len(rounds) > 1 else None

        monkeypatch.setattr(publisher, "_begin_epoch", too_early)
        assert (await publisher.publish([track(0)])).accepted == 1
        assert len(rounds) == 2
        async with stage.connected(publisher, recipient, Line()):
            await until(lambda: recipient.first == 1)
        assert [(each.opened.place.epoch, each.opened.place.batch) for each in stage.arrived] == [(1, 0)]


async def test_a_posture_that_comes_while_a_key_is_made_holds_for_what_came_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The key is of the same release, whose other posture keeps such a message back for a while."""
    stage = Stage()
    async with stage.publisher() as publisher:
        begin, before = stage.ruler.next_epoch, stage.ruler.now

        async def meanwhile(name: FeedName, first: int) -> Epoch:
            stage.ruler.now = replace(before, posture="normal", changed="posture")  # of before the message, heard now
            return await begin(name, first)

        monkeypatch.setattr(stage.ruler, "next_epoch", meanwhile)
        assert (await publisher.publish([track(0)])).accepted == 1
        assert not publisher.counts["batches"], "it crossed as the posture before had it"
        assert publisher.held == 1


async def test_what_may_not_cross_under_the_release_that_comes_is_refused_by_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = Stage()
    async with stage.publisher() as publisher:
        begin, before = stage.ruler.next_epoch, stage.ruler.now

        async def ended_meanwhile(name: FeedName, first: int) -> Epoch:
            stage.ruler.now = replace(
                before, stands=False, why="ended", schema=None, release=None, since=stage.clock.now()
            )
            return await begin(name, first)

        monkeypatch.setattr(stage.ruler, "next_epoch", ended_meanwhile)
        assert (await publisher.publish([track(0)])).refused == {"ended": 1}
        assert not publisher.counts["batches"]


async def test_more_than_there_is_room_for_is_taken_as_room_comes_and_a_close_leaves_nobody_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(publishing, "PENDING_MAX", 100)
    stage = Stage()
    async with stage.publisher() as publisher:
        calls = [asyncio.create_task(publisher.publish([track(n)] * 60)) for n in range(20)]
        assert sum([(await call).accepted for call in calls]) == 1_200
        monkeypatch.setattr(publisher, "_rounds", asyncio.Event().wait)
        calls = [asyncio.create_task(publisher.publish([track(n)] * 2_000)) for n in range(20)]
        await asyncio.sleep(0.05)
    for outcome in await asyncio.gather(*calls, return_exceptions=True):
        assert not isinstance(outcome, Exception) or getattr(outcome, "code", "") == "stopping"
