"""A peer that signs two histories is caught at the next exchange, and the proof convinces a stranger.

``spec/contradictions.md`` steps 10 to 21, ``spec/exchange.md`` steps 5 to 9.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from comity.errors import Misuse, Rejected
from comity.evidence.contradiction import Contradicted, verify_contradiction
from comity.flows.exchanging.exchange import CONFLICT, COSIGNED
from comity.flows.exchanging.parcel import Parcel
from comity.flows.exchanging.witnessing import read_head, witness_key
from comity.flows.house import House
from comity.flows.vouching.contradictions import (
    ContradictionShown,
    ExportContradiction,
    ListContradictions,
    export_contradiction,
    list_contradictions,
)
from comity.ledger.note import Note, cosign
from comity.ledger.tree import TreeHead
from comity.record.card import fingerprint
from comity.record.contexts import witness_name
from flows.parcels import JP, after, head_with, listed, parcel_with, record_of, replace, signed_head
from world import RELATIONSHIP, World, new_house


async def caught(world: World, parcel: Parcel) -> list[ContradictionShown]:
    """What Seoul keeps once it has been handed this parcel of Tokyo's."""
    with pytest.raises(Rejected):
        await world.kr.exchange.unpack("jp", parcel)
    return await list_contradictions(world.kr, ListContradictions())


async def proof(world: World, house: House, which: ContradictionShown, name: str = "proof") -> Contradicted:
    """What a stranger reads out of the file, who trusts nobody but has compared one fingerprint."""
    path = world.folder / f"{which.contradiction}-{name}.proof"
    exported = await export_contradiction(house, ExportContradiction(contradiction=which.contradiction, path=str(path)))
    data = path.read_bytes()
    assert (exported.path, exported.size) == (str(path), len(data))
    other = world.jp if which.signer == "jp" else world.kr
    return verify_contradiction(data, [fingerprint(other.party, other.keys.root_public)])


async def test_an_honest_run_leaves_nothing(world: World) -> None:
    await world.given()
    await world.exchange(3)
    for house in (world.jp, world.kr):
        assert await list_contradictions(house, ListContradictions()) == []


async def test_a_record_replaced_within_what_was_witnessed(world: World) -> None:  # (5)
    previous = (await world.kr.store.chain(JP, 0, 1))[0].record
    other = record_of(world.jp, listed(world.jp), sequence=1, previous=previous)
    (found,) = await caught(world, await parcel_with(world.jp, other))
    assert (found.signer, found.log, found.kind) == ("jp", JP, "two-records")
    told = await proof(world, world.kr, found)
    assert told.trusted
    assert told.signer == "jp"
    assert told.says.startswith(f"record 1 of {JP} is ")


async def test_a_record_that_goes_on_from_a_rewritten_chain(world: World) -> None:  # (9)
    """A dropped record: the chain goes on, but not from the one that was shown."""
    wrong = record_of(world.jp, listed(world.jp), previous=bytes(32))
    (found,) = await caught(world, await parcel_with(world.jp, wrong))
    assert (await proof(world, world.kr, found)).kind == "two-records"


async def test_two_records_that_waited_for_their_predecessor(world: World) -> None:  # (10)
    gap = record_of(world.jp, listed(world.jp, "n-gap"))
    ahead = record_of(world.jp, listed(world.jp, "n-ahead"), **after(gap))
    other = record_of(world.jp, listed(world.jp, "n-other"), **after(gap))
    await world.kr.exchange.unpack("jp", await parcel_with(world.jp, ahead))
    (found,) = await caught(world, await parcel_with(world.jp, other))
    assert (await proof(world, world.kr, found)).kind == "two-records"


@pytest.mark.parametrize("back", [0, 1, 2, 3])
async def test_a_checkpoint_over_another_history(world: World, back: int) -> None:  # (6)
    """Backdated or dropped, whatever was done: an older or the newest root is not what it was."""
    await world.given()
    await world.exchange()
    size = world.jp.sequencer.head(JP).size - back
    note = signed_head(world.jp, TreeHead(size, bytes([7]) * 32))
    (found,) = await caught(world, replace(await world.jp.pack(RELATIONSHIP), checkpoint=note))
    assert (found.kind, found.log) == ("two-histories", JP)
    assert f"the first {size} leaves" in (await proof(world, world.kr, found)).says


async def test_what_cannot_be_proved_yet_accuses_nobody_and_is_proved_when_it_can(world: World) -> None:  # (16, 21)
    record = record_of(world.jp, listed(world.jp))
    parcel = await parcel_with(world.jp, record)
    true = await head_with(world.jp, parcel.entries[0])
    lie = signed_head(world.jp, TreeHead(true.size, bytes(32)))
    (found,) = await caught(world, replace(parcel, checkpoint=lie))
    assert found.kind is None
    with pytest.raises(Misuse) as refused:
        await proof(world, world.kr, found)
    assert refused.value.code == "no-proof"
    await world.kr.exchange.unpack("jp", replace(parcel, checkpoint=signed_head(world.jp, true)))
    (again,) = await list_contradictions(world.kr, ListContradictions())
    assert again.contradiction == found.contradiction
    assert (await proof(world, world.kr, again)).kind == "two-histories"


async def test_our_own_key_signed_two_histories(world: World) -> None:  # (7)
    """A node that was rolled back and did not notice: what the peer cosigned of it shows it, to itself too."""
    head = TreeHead(2, bytes(32))
    text = Note.parse(signed_head(world.jp, head))
    signature = cosign(text.text, witness_name("kr"), world.kr.keys.witness, 1)
    note = Note(text.text, (*text.signatures, signature)).encode()
    parcel = replace(await world.kr.pack(RELATIONSHIP), cosigned=note)
    with pytest.raises(Rejected) as refused:
        await world.jp.exchange.unpack("kr", parcel)
    assert refused.value.code == "two-histories"
    (found,) = await list_contradictions(world.jp, ListContradictions())
    assert (found.signer, found.kind) == ("jp", "two-histories")
    assert (await proof(world, world.jp, found)).trusted


def cosigned(world: World, note: bytes, seconds: int) -> bytes:
    """A checkpoint of Tokyo's with Seoul's cosignature, so much later."""
    parsed = Note.parse(note)
    time = int(world.clock.now().timestamp()) + seconds
    return Note(
        parsed.text, (*parsed.signatures, cosign(parsed.text, witness_name("kr"), world.kr.keys.witness, time))
    ).encode()


async def test_a_peer_that_lost_what_it_acknowledged(world: World) -> None:  # (14)
    await world.given()
    await world.exchange()
    kept = await world.jp.side(COSIGNED, JP)
    assert kept is not None
    less = signed_head(world.jp, await root_of_first(world.jp, read_head(kept).size - 2))
    parcel = await world.kr.pack(RELATIONSHIP)
    for seconds in (-3600, 0):  # an older parcel that comes late says nothing
        await world.jp.exchange.unpack("kr", replace(parcel, cosigned=cosigned(world, less, seconds)))
        assert await list_contradictions(world.jp, ListContradictions()) == []
    await world.jp.exchange.unpack("kr", replace(parcel, cosigned=cosigned(world, less, 3600)))
    assert await world.jp.side(COSIGNED, JP) == kept
    (found,) = await list_contradictions(world.jp, ListContradictions())
    assert (found.signer, found.kind) == ("kr", "acknowledged-and-lost")
    told = await proof(world, world.jp, found)
    assert (told.signer, told.trusted) == ("kr", True)
    await world.jp.exchange.unpack("kr", replace(parcel, cosigned=cosigned(world, less, 3600)))
    assert len(await world.jp.store.scan(CONFLICT, limit=10)) == 1


async def root_of_first(house: House, size: int) -> TreeHead:
    """The head that the house's crossing chain had when it was so long."""
    from comity.ledger.leaf import record_leaf
    from comity.ledger.tree import Frontier

    entries = await house.store.chain(JP, 0, size)
    return Frontier().append([record_leaf(each.salt, each.envelope).data for each in entries])[0].head()


async def test_a_cosignature_is_never_later_over_less(world: World) -> None:  # (14)
    """However an exchange is packed and interrupted, its times rise with its sizes."""
    times: list[tuple[int, int]] = []
    key = witness_key("kr", world.kr.keys.witness.public)
    for _ in range(4):
        await world.given()
        await world.exchange()
        world.clock.time -= timedelta(seconds=30)
        note = Note.parse(await world.kr.exchange.cosign_theirs(JP))
        signature = next(each for each in note.signatures if each.name == key.name)
        times.append((read_head(note.encode()).size, int.from_bytes(signature.blob[:8], "big")))
    assert times == sorted(times)
    assert [time for _, time in times] == sorted(time for _, time in times)


async def test_a_clock_that_was_fast_before_a_restart_accuses_nobody(world: World) -> None:  # (14)
    """It cosigned for a while by a clock that was an hour fast, was restarted with the right one, and took more."""
    times: list[tuple[int, int]] = []
    key = witness_key("kr", world.kr.keys.witness.public)

    async def cosign() -> None:
        note = Note.parse(await world.kr.exchange.cosign_theirs(JP))
        signature = next(each for each in note.signatures if each.name == key.name)
        times.append((read_head(note.encode()).size, int.from_bytes(signature.blob[:8], "big")))

    await world.given()
    await world.exchange()
    world.clock.time += timedelta(hours=1)
    commits = len(await world.kr.store.journal(0, 10_000))
    for _ in range(3):
        await cosign()
        world.clock.time += timedelta(seconds=5)
    assert len(await world.kr.store.journal(0, 10_000)) == commits  # and nothing was recorded meanwhile
    world.clock.time -= timedelta(hours=1, seconds=15)
    disk = world.kr.store._disk  # type: ignore[attr-defined]  # a memory store
    await world.kr.close()
    disk.crash(unsynced_kept=False)
    world.kr = await new_house("kr", world.folder, world.clock, disk)
    await cosign()
    await world.given()
    await world.exchange()
    await cosign()
    assert times[-1][0] > times[0][0]
    assert [time for _, time in times] == sorted(time for _, time in times)


async def test_what_is_not_there_cannot_be_exported(world: World, tmp_path: Path) -> None:
    request = ExportContradiction(contradiction="00", path=str(tmp_path / "x"))
    with pytest.raises(Misuse) as refused:
        await export_contradiction(world.kr, request)
    assert refused.value.code == "unknown-contradiction"
    previous = (await world.kr.store.chain(JP, 0, 1))[0].record
    for number in range(2):
        other = record_of(world.jp, listed(world.jp, f"n-{number}"), sequence=1, previous=previous)
        await caught(world, await parcel_with(world.jp, other))
    with pytest.raises(Misuse, match="2 contradictions begin with ''"):
        await export_contradiction(world.kr, replace(request, contradiction=""))
