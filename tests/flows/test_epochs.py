"""Epochs of the registry's key, and keys in other hands (``spec/keys.md`` steps 52 to 62)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.giving.opening import Open, open_item
from comity.flows.maintaining.compromised import KeyCompromised, key_compromised
from comity.flows.maintaining.epochs import DestroyEpoch, destroy_epoch, sealed_to
from comity.flows.maintaining.rebuilding import VerifyLedger, verify_ledger
from comity.flows.maintaining.rotating import EPOCHS_SHOWN_MAX, RotateKey, rotate_key
from comity.record.card import read_card
from comity.register.rows import DirectoryRow
from comity.register.rows.incidents import IncidentRow
from world import RELATIONSHIP, ROOT, World

LEE = Actor("lee")


@pytest.fixture
async def world(tmp_path: Path) -> World:
    return await World.make(tmp_path)


async def opened(world: World, item: str) -> bytes:
    path = world.folder / f"{item}.opened"
    asked = Open(item=item, purpose="air defence", path=str(path), actor=Actor("kim"))
    assert (await open_item(world.kr, asked)).outcome == "permit"
    return path.read_bytes()


def end(epoch: int, actor: Actor = LEE) -> DestroyEpoch:
    return DestroyEpoch(epoch=epoch, reason="nothing is sealed to it", actor=actor)


async def test_what_is_given_after_an_epoch_began_is_sealed_to_it_and_all_of_it_opens(world: World) -> None:  # (52)
    first = await world.given(path=world.document(b"what the radar saw"))
    await rotate_key(world.kr, RotateKey(purpose="registry"))
    await world.exchange()
    newest = read_card(await world.kr.card()).registry[0]
    assert newest.epoch == 2
    listed = [row async for _, row in world.jp.rows(DirectoryRow) if row.party == "kr" and row.custody == "served"]
    assert listed
    assert {row.recipient for row in listed} == {newest.recipient}
    second = await world.given(path=world.document(b"what it saw next"))
    assert [each.name for each in await sealed_to(world.kr, 1)] == [first.item]
    assert [each.name for each in await sealed_to(world.kr, 2)] == [second.item]
    for item, content in ((first.item, b"what the radar saw"), (second.item, b"what it saw next")):
        assert await opened(world, item) == content
    for house in (world.jp, world.kr):
        assert not (await verify_ledger(house, VerifyLedger())).findings


async def test_an_epoch_ends_when_nothing_needs_it_and_that_is_attested(world: World) -> None:  # (53, 54)
    given = await world.given()
    await rotate_key(world.kr, RotateKey(purpose="registry"))
    for epoch, code in ((1, "epoch-needed"), (2, "epoch-in-use"), (3, "unknown-epoch")):
        with pytest.raises(Misuse) as caught:
            await destroy_epoch(world.kr, end(epoch))
        assert caught.value.code == code
    with pytest.raises(Misuse) as caught:
        await destroy_epoch(world.jp, end(1))
    assert caught.value.code == "epoch-in-use"
    await rotate_key(world.kr, RotateKey(purpose="registry"))
    with pytest.raises(Misuse) as caught:
        await destroy_epoch(world.kr, end(2, Actor("kim")))
    assert caught.value.code == "no-role"
    assert list(world.kr.keys.epochs()) == [3, 2, 1]
    gone = await destroy_epoch(world.kr, end(2))
    assert gone.left == (3, 1)
    assert await opened(world, given.item)
    entry = await world.kr.store.find(bytes.fromhex(gone.record))
    assert entry is not None
    assert entry.verdict == "changes"


async def test_an_epoch_can_be_destroyed_by_the_root_key(world: World) -> None:  # (54)
    await rotate_key(world.jp, RotateKey(purpose="registry"))
    assert (await destroy_epoch(world.jp, end(1, ROOT))).left == (2,)


async def test_there_are_only_so_many_epochs(world: World) -> None:  # (52)
    for _ in range(EPOCHS_SHOWN_MAX - 1):
        await rotate_key(world.kr, RotateKey(purpose="registry"))
    with pytest.raises(Misuse) as caught:
        await rotate_key(world.kr, RotateKey(purpose="registry"))
    assert caught.value.code == "too-many-keys"


async def test_a_lost_registry_key_names_what_it_opens_and_reports_it(world: World) -> None:  # (60, 62)
    given = await world.given()
    since = world.clock.now() - timedelta(days=1)
    told = await key_compromised(world.kr, KeyCompromised(purpose="registry", since=since, reporter=LEE))
    assert [(each.kind, each.name, each.number) for each in told.sealed] == [("copy", given.item, 1)]
    assert (told.epoch, told.duty) == (1, "jp-kr-2016 17")
    await world.exchange()
    for house in (world.jp, world.kr):
        assert await house.row(IncidentRow, f"{RELATIONSHIP}/{told.incident}") is not None


async def test_nobody_is_named_who_reports_it_then_its_clause_is(world: World) -> None:  # (62)
    await world.given()
    told = await key_compromised(world.kr, KeyCompromised(purpose="registry", since=world.clock.now()))
    assert (told.incident, told.duty) == ("", "jp-kr-2016 17")


async def test_what_stays_provable_of_a_lost_node_key(world: World) -> None:  # (61)
    since = world.clock.now()
    await world.person("jp", "mori")
    size = world.jp.sequencer.head(f"{RELATIONSHIP}/jp").size
    told = await key_compromised(world.jp, KeyCompromised(purpose="record", since=since))
    crossing, domestic = told.provable
    assert (crossing.chain, crossing.records, crossing.witnessed) == (f"{RELATIONSHIP}/jp", size + 1, size - 1)
    assert crossing.at is not None
    assert crossing.at <= since
    assert crossing.later == 2  # the directory entry, and the change of keys
    assert (domestic.chain, domestic.witnessed, domestic.at, domestic.later) == ("domestic/jp", 0, None, 2)
    assert told.sealed == ()
    assert read_card(await world.jp.card()).revoked("record")


@pytest.mark.parametrize("purpose", ["record", "registry"])
async def test_a_key_is_not_lost_in_the_future(world: World, purpose: str) -> None:
    since = world.clock.now() + timedelta(days=1)
    request = KeyCompromised(purpose="record" if purpose == "record" else "registry", since=since)
    with pytest.raises(Misuse) as caught:
        await key_compromised(world.jp, request)
    assert caught.value.code == "time-to-come"
