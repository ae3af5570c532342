"""Two histories of a feed: whoever has the words of both proves it, in the same form (``spec/contradictions.md``)."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from comity.errors import ComityError, Misuse, Refused
from comity.evidence.contradiction import verify_contradiction
from comity.feed.batch import read_frame
from comity.feed.delivery import Acknowledged, Have, write_word
from comity.flows.feeding.feeds import Feeds
from comity.flows.house import House
from comity.flows.maintaining.rotating import RevokeKey, revoke_key
from comity.flows.vouching.contradictions import (
    ContradictionExported,
    ContradictionShown,
    ExportContradiction,
    ListContradictions,
    SettleContradiction,
    check_frozen,
    list_contradictions,
    settle_contradiction,
)
from comity.ledger.checkpoint import Checkpoint, sign_checkpoint
from comity.ledger.note import Note, cosign
from comity.ledger.tree import TreeHead
from comity.node.feeds import feeds_flows
from comity.record.card import fingerprint
from comity.record.contexts import witness_name
from feed.stage import Line, until
from flows.test_feeds_between_houses import AT_ONCE, FEED, NAME, Both, both, track
from flows.test_frozen import LAYER, calls
from flows.test_releasing_feeds import released, text
from world import RELATIONSHIP, ROOT, World

__all__ = ["both"]


async def listed(feeds: Feeds, house: House) -> list[ContradictionShown]:
    flow = feeds_flows(feeds, None)["ledger.contradictions"]  # type: ignore[arg-type]  # the books are not asked
    found: list[ContradictionShown] = await flow.run(house, ListContradictions())
    return found


async def exported(both: Both, feeds: Feeds, house: House, name: str) -> bytes:
    path = both.world.folder / "of-a-feed.proof"
    flow = feeds_flows(feeds, None)["evidence.contradiction"]  # type: ignore[arg-type]  # the books are not asked
    written: ContradictionExported = await flow.run(house, ExportContradiction(contradiction=name, path=str(path)))
    assert written.path == str(path)
    return path.read_bytes()


async def published(both: Both, count: int) -> None:
    publisher = await both.jp.publisher(NAME)
    async with both.connected():
        for number in range(count):
            await publisher.publish([track(number)])
        await until(lambda: publisher.acknowledged == publisher.size == count)


async def told(both: Both, *frames: bytes) -> None:
    """Seoul is handed frames as if by Tokyo, until it refuses one."""
    line = Line()
    for frame in frames:
        await line.ends[0].send(frame)
    with pytest.raises(ComityError):
        await (await both.kr.recipient(NAME)).follow(line.ends[1])


async def test_an_honest_feed_leaves_nothing(both: Both) -> None:
    await published(both, 2)
    assert await listed(both.kr, both.world.kr) == []
    assert await listed(both.jp, both.world.jp) == []


async def test_a_publisher_who_signed_another_checkpoint_of_the_same_size(both: Both) -> None:  # (11)
    await published(both, 2)
    kept = await both.kr.shelf(NAME).read_frame(0)
    assert kept is not None
    lie = sign_checkpoint(Checkpoint(NAME.origin, TreeHead(1, bytes(32))), both.world.jp.keys.log).encode()
    await told(both, msgspec.msgpack.encode(msgspec.structs.replace(read_frame(kept), note=lie)))
    (found,) = await listed(both.kr, both.world.kr)
    assert (found.signer, found.log, found.kind) == ("jp", NAME.origin, "two-histories")
    proof = await exported(both, both.kr, both.world.kr, found.contradiction)
    jp = both.world.jp
    assert verify_contradiction(proof, [fingerprint("jp", jp.keys.root_public)]).says.startswith("the first 1 leaves")


async def test_what_only_the_line_may_have_altered_accuses_nobody(both: Both) -> None:  # (16)
    """A batch that does not fit its checkpoint: the batch is not signed, and a checkpoint of that size is not here."""
    await published(both, 2)
    lie = sign_checkpoint(Checkpoint(NAME.origin, TreeHead(9, bytes(32))), both.world.jp.keys.log).encode()
    kept = await both.kr.shelf(NAME).read_frame(0)
    assert kept is not None
    await told(both, msgspec.msgpack.encode(msgspec.structs.replace(read_frame(kept), note=lie)))
    (found,) = await listed(both.kr, both.world.kr)
    assert found.kind is None
    with pytest.raises(Misuse) as refused:
        await exported(both, both.kr, both.world.kr, found.contradiction)
    assert refused.value.code == "no-proof"


async def test_a_recipient_who_lost_what_it_acknowledged(both: Both) -> None:  # (14)
    await published(both, 2)
    kept = await both.jp.shelf(NAME).read_frame(0)
    assert kept is not None
    note = Note.parse(read_frame(kept).note)
    later = int(both.world.clock.now().timestamp()) + 3600
    signature = cosign(note.text, witness_name("kr"), both.world.kr.keys.witness, later)
    line = Line()
    await line.ends[1].send(write_word(Have(1, Checkpoint.parse(note.text).head.root)))
    serving = asyncio.ensure_future(both.jp.deliver("kr", RELATIONSHIP, FEED, line.ends[0]))
    await asyncio.wait_for(line.ends[1].receive(), 60)  # the second batch, again
    (found,) = await listed(both.jp, both.world.jp)
    assert found.kind is None  # what it says it has it did not sign
    await line.ends[1].send(write_word(Acknowledged(1, signature.line)))

    async def kinds() -> list[str | None]:
        return [each.kind for each in await listed(both.jp, both.world.jp)]

    for _ in range(200):
        if set(await kinds()) == {None, "acknowledged-and-lost"}:
            break
        await asyncio.sleep(0.01)
    (found,) = [each for each in await listed(both.jp, both.world.jp) if each.kind]  # beside what it said
    assert (found.signer, found.log) == ("kr", NAME.origin)
    line.cut()
    serving.cancel()
    with suppress(BaseException):
        await serving
    proof = await exported(both, both.jp, both.world.jp, found.contradiction)
    kr = both.world.kr
    assert verify_contradiction(proof, [fingerprint("kr", kr.keys.root_public)]).kind == "acknowledged-and-lost"


async def test_an_acknowledgement_is_never_earlier_than_the_one_before(both: Both) -> None:  # (14)
    await published(both, 1)
    recipient = await both.kr.recipient(NAME)
    both.world.clock.time -= timedelta(seconds=3)
    publisher = await both.jp.publisher(NAME)
    before = publisher.cosigned
    async with both.connected():
        await publisher.publish([track(1)])
        await until(lambda: recipient.size == publisher.acknowledged == 2)
    times = [int.from_bytes(Note.parse(each).signatures[-1].blob[:8], "big") for each in (before, publisher.cosigned)]
    assert times[0] <= times[1]


async def test_what_a_publisher_signed_twice_freezes_and_calls_until_it_is_settled(tmp_path: Path) -> None:  # (20, 32)
    world = await World.make(tmp_path, text=text(), layers=(LAYER,))
    await released(world, terms=AT_ONCE)
    pair = Both(world)
    await published(pair, 2)
    kept = await pair.kr.shelf(NAME).read_frame(0)
    assert kept is not None
    lie = sign_checkpoint(Checkpoint(NAME.origin, TreeHead(1, bytes(32))), world.jp.keys.log).encode()
    await told(pair, msgspec.msgpack.encode(msgspec.structs.replace(read_frame(kept), note=lie)))
    (found,) = await list_contradictions(world.kr, ListContradictions())  # with no feed open
    assert (found.kind, found.relationship, found.response) == ("two-histories", RELATIONSHIP, ("freeze", "consult"))
    assert [each.contradiction for each in await listed(pair.kr, world.kr)] == [found.contradiction]
    assert [says for _, says in await calls(world.kr)] == [
        "jp signed two things that cannot both be true; a consultation is asked for"
    ]
    row = await world.kr.agreement_row(RELATIONSHIP)
    with pytest.raises(Refused, match="nothing leaves under"):
        await check_frozen(world.kr, [row])
    request = SettleContradiction(contradiction=found.contradiction, reason="a restored copy", actor=ROOT)
    assert (await settle_contradiction(world.kr, request)).kind == "two-histories"
    await check_frozen(world.kr, [row])
    await pair.jp.close()
    await pair.kr.close()
    await world.close()


async def test_a_key_that_is_revoked_since_signed_nothing_that_freezes(both: Both) -> None:  # (8)
    await published(both, 2)
    kept = await both.kr.shelf(NAME).read_frame(0)
    assert kept is not None
    lie = sign_checkpoint(Checkpoint(NAME.origin, TreeHead(1, bytes(32))), both.world.jp.keys.log).encode()
    await told(both, msgspec.msgpack.encode(msgspec.structs.replace(read_frame(kept), note=lie)))
    (found,) = await list_contradictions(both.world.kr, ListContradictions())
    assert found.proved
    await revoke_key(both.world.jp, RevokeKey(purpose="log", since=both.world.clock.now()))
    await both.world.exchange()
    (found,) = await list_contradictions(both.world.kr, ListContradictions())
    assert not found.proved
