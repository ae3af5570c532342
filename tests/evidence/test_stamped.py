"""Time-stamps in evidence, and what bounds the time of a record (``spec/timestamps.md`` steps 8 to 10)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from comity.errors import Rejected
from comity.evidence.model import Evidence, Stamped, read_evidence
from comity.evidence.stamped import ReadToken
from comity.evidence.story import Verified
from comity.evidence.verify import verify
from comity.ledger.checkpoint import Checkpoint, sign_checkpoint
from comity.ledger.tree import TreeHead
from comity.node.timestamping import Stamper
from comity.record.contexts import origin
from comity.record.encoding import encode
from comity.timestamps.token import read_authorities, verify_token
from evidence.made import ZONES, Forger, Made
from flows.parcels import JP
from timestamps.authority import Authority
from world import SeededEntropy, World


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
async def stamped(tmp_path: Path, authority: Authority) -> AsyncIterator[Made]:
    """Something was given and stamped, with the whole ledger under one token and its beginning under another."""
    made = Made(await World.make(tmp_path))
    world = made.world
    world.clock.time = datetime.now(UTC)

    async def post(request: bytes) -> bytes:
        return authority.stamp(request)

    stamper = Stamper(world.jp, post, read_authorities(authority.root), timedelta(0), SeededEntropy("pauses"))
    await stamper.stamp()
    made.item = (await world.given()).item
    await world.exchange()
    await stamper.stamp()
    await made.open_it()
    await world.exchange()
    await made.export("jp")
    yield made
    await world.close()


def believing(authority: Authority) -> ReadToken:
    authorities = read_authorities(authority.root)
    return lambda token, text: verify_token(token, text, authorities)


def told(data: bytes, stamp: ReadToken | None = None) -> Verified:
    return verify(data, (), ZONES, stamp=stamp)


async def test_a_record_is_bounded_by_what_it_cites_and_by_who_first_vouched(
    stamped: Made, authority: Authority
) -> None:
    verified = told(stamped.others["jp"], believing(authority))
    assert {each.chain for each in verified.stamps} == {JP, "domestic/jp"}
    assert all(each.at is not None for each in verified.stamps)
    lines = {line.code: line for line in verified.lines}
    opening, consigned = lines["opening/1"], lines["consignment/1"]
    decided = next(line for line in verified.lines if line.code == "decision/1" and line.parameters[0] == "give")
    assert opening.not_before is not None
    assert opening.not_before >= consigned.at - timedelta(milliseconds=1)  # it had seen what it opens
    assert consigned.not_after is not None
    stamp = max(each.at for each in verified.stamps if each.chain == JP and each.at is not None)
    assert consigned.before is not None
    assert consigned.not_after == min(stamp, consigned.before)
    assert decided.before is None  # nobody cosigns what is of the house
    assert decided.not_after is not None  # but it was stamped
    for line in verified.lines:
        assert (
            line.not_before is None
            or line.not_after is None
            or line.not_before <= line.not_after + timedelta(seconds=2)
        )


async def test_without_an_authority_the_tokens_say_nothing(stamped: Made) -> None:  # (9)
    verified = told(stamped.others["jp"])
    assert verified.stamps
    assert {each.at for each in verified.stamps} == {None}
    assert all(line.not_after == line.before for line in verified.lines)


async def test_an_authority_that_is_not_believed(stamped: Made, tmp_path: Path) -> None:  # (9)
    with pytest.raises(Rejected) as caught:
        told(stamped.others["jp"], believing(Authority(tmp_path, "b")))
    assert (caught.value.code, caught.value.place) == ("bad-token", "time-stamp 1")


async def test_a_stamp_that_is_not_of_this_chain(stamped: Made, authority: Authority) -> None:  # (8)
    forger = Forger(stamped, stamped.others["jp"])
    contents: Evidence = forger.evidence
    first = contents.stamps[0]
    jp = stamped.world.jp
    lie = TreeHead(1, bytes(32))
    other = sign_checkpoint(Checkpoint(origin(first.chain), lie), jp.keys.log).encode()
    by_kr = sign_checkpoint(Checkpoint(origin(first.chain), lie), stamped.world.kr.keys.log).encode()
    for changed, code in (
        (msgspec.structs.replace(first, note=other), "inconsistent"),
        (msgspec.structs.replace(first, note=by_kr), "no-trusted-signature"),
        (msgspec.structs.replace(first, chain="domestic/kr"), "wrong-chain"),
        (msgspec.structs.replace(first, chain="domestic/jp"), "no-trusted-signature"),
        (msgspec.structs.replace(first, path=(bytes(32), *first.path)), "inconsistent"),
    ):
        with pytest.raises(Rejected) as caught:
            told(forger.signed(contents, stamps=(changed,)))
        assert (caught.value.code, caught.value.place) == (code, "time-stamp 1")
    swapped = [msgspec.structs.replace(first, token=contents.stamps[-1].token)]
    assert told(forger.signed(contents, stamps=tuple(swapped)))  # nobody reads it
    with pytest.raises(Rejected) as caught:
        told(forger.signed(contents, stamps=tuple(swapped)), believing(authority))
    assert caught.value.code == "bad-token"


async def test_a_changed_byte_of_a_stamp_is_named(stamped: Made) -> None:
    data = stamped.others["jp"]
    payload = read_evidence(data).envelope.payload
    token = encode(read_evidence(data).evidence.stamps[0])
    assert token in payload
    cut = data[: len(data) * 99 // 100] + b"!" + data[len(data) * 99 // 100 + 1 :]
    with pytest.raises(Rejected) as caught:
        told(cut)
    assert caught.value.place


def test_a_file_without_stamps_is_written_as_before(made: Made) -> None:
    assert b'"stamps"' not in read_evidence(made.jp).envelope.payload
    assert Stamped.__struct_fields__ == ("chain", "note", "path", "token")
