"""Keys that are replaced and revoked, and the exchange that goes on through it (``spec/keys.md`` steps 41 to 51)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from comity.errors import Misuse, Rejected, Unavailable
from comity.flows.exchanging.parcel import Parcel
from comity.flows.maintaining.rebuilding import Rebuild, VerifyLedger, rebuild, verify_ledger
from comity.flows.maintaining.rotating import (
    ListOwnKeys,
    RevokeKey,
    RotateKey,
    list_own_keys,
    revoke_key,
    rotate_key,
)
from comity.flows.pouch import ExportPouch, ImportPouch, export_pouch, import_pouch
from comity.ledger.note import Note
from comity.ports import Signer
from comity.record import dsse
from comity.record.bodies.keys import KeysRotated
from comity.record.card import PURPOSES, SIGNING, Purpose, read_card, write_card
from comity.record.contexts import RECORD
from comity.record.encoding import encode
from comity.record.statement import peek, read
from comity.stores.memory_disk import MemoryDisk
from courier.keys import Key
from flows.parcels import everything, listed, parcel_with, record_of
from world import RELATIONSHIP, World, new_house

JP = f"{RELATIONSHIP}/jp"


@pytest.fixture
async def world(tmp_path: Path) -> World:
    return await World.make(tmp_path)


async def say_something(world: World, name: str, party: str = "jp") -> None:
    await world.person(party, name)


async def same_on_both_sides(world: World) -> None:
    await world.exchange()
    for house, other in ((world.jp, world.kr), (world.kr, world.jp)):
        chain = f"{RELATIONSHIP}/{house.party}"
        assert house.sequencer.head(chain) == other.sequencer.head(chain)
        entries = await other.store.chain(chain, 0, 1000)
        assert {entry.verdict for entry in entries} == {"changes"}
        found = await verify_ledger(house, VerifyLedger())
        assert not found.findings


@pytest.mark.parametrize("purpose", SIGNING)
async def test_the_exchange_goes_on_through_a_rotation(world: World, purpose: Purpose) -> None:  # (41, 42)
    before = world.jp.own_card
    assert before is not None
    await rotate_key(world.jp, RotateKey(purpose=purpose))
    after = read_card(await world.jp.card())
    assert after.present(purpose) != before.present(purpose)
    assert after.had(purpose) == (*after.present(purpose), *before.present(purpose))
    for other in set(SIGNING) - {purpose}:
        assert after.had(other) == before.had(other)
    await say_something(world, "mori")
    await same_on_both_sides(world)
    assert await world.kr.peer_card("jp") == after
    await say_something(world, "han", "kr")
    await same_on_both_sides(world)


async def test_old_and_new_keys_in_every_order(world: World) -> None:
    for purpose in (*SIGNING, "registry", *reversed(SIGNING)):
        await rotate_key(world.jp, RotateKey(purpose=purpose))
        await rotate_key(world.kr, RotateKey(purpose=purpose))
        await world.exchange(1)
    await same_on_both_sides(world)
    card = read_card(await world.kr.card())
    assert [each.purpose for each in card.former] == [*SIGNING, *reversed(SIGNING)]
    assert [each.epoch for each in card.registry] == [2, 1]


async def test_a_house_that_is_opened_again_signs_with_its_newest_keys(tmp_path: Path) -> None:  # (40)
    disk = MemoryDisk()
    world = await World.make(tmp_path, disks={"jp": disk})
    for purpose in SIGNING:
        await rotate_key(world.jp, RotateKey(purpose=purpose))
    card = read_card(await world.jp.card())
    await world.jp.close()
    world.jp = await new_house("jp", tmp_path, world.clock, disk)
    used = [world.jp.keys.record, world.jp.keys.log, world.jp.keys.witness, world.jp.keys.transport]
    assert [signer.public for signer in used] == [card.present(each)[0] for each in SIGNING]
    await say_something(world, "mori")
    await same_on_both_sides(world)


async def test_the_root_key_must_be_there_and_nothing_is_made_without_it(world: World) -> None:  # (41)
    (world.folder / "jp" / "root" / "root.key").rename(world.folder / "root.away")
    files = sorted((world.folder / "jp" / "keys").rglob("*"))
    for act in (
        rotate_key(world.jp, RotateKey(purpose="record")),
        revoke_key(world.jp, RevokeKey(purpose="record", since=world.clock.now())),
    ):
        with pytest.raises(Unavailable, match="root key is offline"):
            await act
    assert sorted((world.folder / "jp" / "keys").rglob("*")) == files


@pytest.mark.parametrize("days", [-1, 367])
async def test_an_overlap_has_bounds(world: World, days: int) -> None:  # (41)
    with pytest.raises(Misuse) as caught:
        await rotate_key(world.jp, RotateKey(purpose="log", days=days))
    assert caught.value.code == "bad-overlap"


async def test_every_chain_says_so_with_the_new_key(world: World) -> None:  # (42)
    before = world.jp.keys.record.public
    await rotate_key(world.jp, RotateKey(purpose="record"))
    for chain, kind in ((JP, "key-rotation/1"), ("domestic/jp", "own-keys/1")):
        size = world.jp.sequencer.head(chain).size
        (last,) = await world.jp.store.chain(chain, size - 1, 1)
        assert peek(last.envelope).type == kind
        with pytest.raises(Rejected):
            read(last.envelope, [before])
        assert read(last.envelope, [world.jp.keys.record.public])


async def test_it_is_told_who_does_not_have_the_newest_card(world: World) -> None:  # (43)
    assert (await list_own_keys(world.jp, ListOwnKeys())).untold == ()
    shown = await rotate_key(world.jp, RotateKey(purpose="witness"))
    assert [(each.peer, each.relationship) for each in shown.untold] == [("kr", RELATIONSHIP)]
    await world.exchange()
    shown = await list_own_keys(world.jp, ListOwnKeys())
    assert shown.untold == ()
    states = [(key.purpose, key.state) for key in shown.keys]
    assert states == [*((each, "present") for each in (*PURPOSES, "registry")), ("witness", "overlaps")]
    world.clock.time += timedelta(days=31)
    shown = await list_own_keys(world.jp, ListOwnKeys())
    assert shown.keys[-1].state == "former"


async def stolen(world: World, purpose: Purpose = "record") -> Signer:
    """The present key of Tokyo, as a thief has it."""
    return world.jp.keys.signer(purpose, getattr(world.jp.keys, purpose).public)


async def forged(world: World, thief: Signer) -> Parcel:
    """What whoever has the old key makes of the end of Tokyo's chain."""
    record = record_of(world.jp, listed(world.jp))
    envelope = dsse.sign(RECORD, encode(record.statement), [(thief.public, thief.sign)])
    return await parcel_with(world.jp, msgspec.structs.replace(record, envelope=envelope))


async def test_what_the_key_before_signs_after_the_change_is_refused(world: World) -> None:  # (45)
    thief = await stolen(world)
    await rotate_key(world.jp, RotateKey(purpose="record"))
    await world.exchange()
    with pytest.raises(Rejected) as caught:
        await world.kr.exchange.unpack("jp", await forged(world, thief))
    assert caught.value.code == "unknown-key"


async def test_what_a_revoked_key_signs_is_refused_and_the_honest_tail_before_the_change_is_not(  # (45, 50)
    world: World,
) -> None:
    thief, since = await stolen(world), world.clock.now()
    await say_something(world, "mori")  # under the key that turns out to be another's: Tokyo stands by it
    await revoke_key(world.jp, RevokeKey(purpose="record", since=since))
    await world.exchange()
    await same_on_both_sides(world)
    assert (await world.kr.peer_card("jp")).revoked("record") == {thief.public: since}
    with pytest.raises(Rejected) as caught:
        await world.kr.exchange.unpack("jp", await forged(world, thief))
    assert caught.value.code == "revoked-key"
    with pytest.raises(Unavailable):
        world.jp.keys.signer("record", thief.public)  # (49)


async def test_a_key_is_revoked_afterwards_and_only_from_earlier_on(world: World) -> None:  # (50)
    key, since = world.jp.keys.log.public, world.clock.now()
    await rotate_key(world.jp, RotateKey(purpose="log"))
    revoked = await revoke_key(world.jp, RevokeKey(purpose="log", since=since, key=key.hex()[:12]))
    assert (revoked.keys[-1].state, revoked.keys[-1].since) == ("revoked", since)
    for again, code in ((since, "revoked-already"), (since + timedelta(days=1), "time-to-come")):
        with pytest.raises(Misuse) as caught:
            await revoke_key(world.jp, RevokeKey(purpose="log", since=again, key=key.hex()))
        assert caught.value.code == code
    earlier = since - timedelta(days=1)
    assert (await revoke_key(world.jp, RevokeKey(purpose="log", since=earlier, key=key.hex()))).keys[
        -1
    ].since == earlier
    with pytest.raises(Misuse) as caught:
        await revoke_key(world.jp, RevokeKey(purpose="log", since=since, key="00"))
    assert caught.value.code == "unknown-key"
    await same_on_both_sides(world)


@pytest.mark.parametrize("purpose", ["log", "witness"])
async def test_a_note_of_the_key_before_counts_while_they_overlap_and_not_after(  # (47, 48)
    world: World, purpose: Purpose
) -> None:
    await rotate_key(world.jp, RotateKey(purpose=purpose))
    world.jp.own_card, newest = None, world.jp.own_card  # as a node that does not know of the new key yet
    old = read_card(await world.jp.card()).had(purpose)[1]
    world.jp.keys.use(purpose, old)
    await world.exchange()
    world.clock.time += timedelta(days=31)
    await say_something(world, "mori", "kr" if purpose == "witness" else "jp")
    with pytest.raises(Rejected) as caught:
        await world.exchange()
    assert caught.value.code == {"log": "no-trusted-signature", "witness": "not-cosigned"}[purpose]
    assert newest is not None
    world.jp.own_card = newest
    world.jp.keys.use(purpose, newest.present(purpose)[0])
    await same_on_both_sides(world)


async def test_both_keys_sign_while_they_overlap(world: World) -> None:  # (48)
    await rotate_key(world.jp, RotateKey(purpose="log"))
    await rotate_key(world.jp, RotateKey(purpose="witness"))
    parcel = await world.jp.pack(RELATIONSHIP)
    assert len(Note.parse(parcel.checkpoint).signatures) == 2
    assert len(Note.parse(parcel.cosigned).signatures) == 1 + 2
    world.clock.time += timedelta(days=31)
    parcel = await world.jp.pack(RELATIONSHIP)
    assert len(Note.parse(parcel.checkpoint).signatures) == 1
    assert len(Note.parse(parcel.cosigned).signatures) == 1 + 1


async def test_pouches_go_on_and_the_old_key_ends(world: World) -> None:  # (47, 48)
    card = await world.kr.peer_card("jp")
    await rotate_key(world.jp, RotateKey(purpose="transport"))
    assert world.jp.transport().public == card.transport  # which Seoul knows
    await carry(world, "1")
    world.clock.time += timedelta(days=31)
    assert world.jp.transport().public != card.transport
    await say_something(world, "mori")
    await carry(world, "2")
    world.jp.transport = lambda: thief  # type: ignore[method-assign]  # whoever kept the old key
    thief = Key("nobody")
    with pytest.raises(Rejected) as caught:
        await carry(world, "3")
    assert caught.value.code == "unknown-key"


async def carry(world: World, name: str) -> None:
    path = str(world.folder / name)
    await export_pouch(world.jp, ExportPouch(relationship=RELATIONSHIP, path=path))
    await import_pouch(world.kr, ImportPouch(path=path))


async def test_whoever_kept_the_key_before_brings_it_back_with_no_older_card(world: World) -> None:  # (44, 46)
    thief, card = await stolen(world), await world.jp.card()
    await rotate_key(world.jp, RotateKey(purpose="record"))
    await world.exchange()
    before = await everything(world.kr)
    record = record_of(world.jp, KeysRotated(card=card))
    envelope = dsse.sign(RECORD, encode(record.statement), [(thief.public, thief.sign)])
    with pytest.raises(Rejected) as caught:
        await world.kr.exchange.unpack(
            "jp", await parcel_with(world.jp, msgspec.structs.replace(record, envelope=envelope))
        )
    assert caught.value.code == "older-card"
    assert await everything(world.kr) == before


async def test_a_card_of_another_root_brings_nothing(world: World) -> None:  # (44)
    other = Key("another root")
    card = msgspec.structs.replace(read_card(await world.jp.card()), root=other.public)
    record = record_of(world.jp, KeysRotated(card=write_card(card, other.sign)))
    with pytest.raises(Rejected) as caught:
        await world.kr.exchange.unpack("jp", await parcel_with(world.jp, record))
    assert caught.value.code == "other-card"


async def test_a_change_of_keys_is_signed_by_a_key_that_it_brings(world: World) -> None:  # (42)
    made = Key("next")
    card = msgspec.structs.replace(read_card(await world.jp.card()), node_sign=(made.public,), issued=world.clock.now())
    record = record_of(world.jp, KeysRotated(card=write_card(card, world.jp.keys.root().sign)))
    with pytest.raises(Rejected) as caught:
        await world.kr.exchange.unpack("jp", await parcel_with(world.jp, record))
    assert caught.value.code == "unknown-key"


async def test_the_register_is_rebuilt_with_keys_of_every_time(world: World) -> None:  # (45)
    for purpose in ("record", "log", "witness", "record"):
        await rotate_key(world.jp, RotateKey(purpose=purpose))
        await world.exchange()
    await revoke_key(world.jp, RevokeKey(purpose="record", since=world.clock.now() - timedelta(seconds=1)))
    await same_on_both_sides(world)
    for house in (world.jp, world.kr):
        assert not (await rebuild(house, Rebuild())).findings


async def test_revoking_twice_does_not_revoke_the_key_that_was_made_meanwhile(world: World) -> None:  # (50)
    since = world.clock.now()
    await revoke_key(world.jp, RevokeKey(purpose="record", since=since))
    made = read_card(await world.jp.card()).present("record")
    with pytest.raises(Misuse, match="name the key that is meant") as caught:
        await revoke_key(world.jp, RevokeKey(purpose="record", since=since))
    assert caught.value.code == "revoked-since"
    assert read_card(await world.jp.card()).present("record") == made
    await revoke_key(world.jp, RevokeKey(purpose="record", since=world.clock.now()))
    assert read_card(await world.jp.card()).present("record") != made


async def test_the_certificate_of_the_server_changes_with_overlap(world: World) -> None:  # (41, 48, 49)
    keys = world.jp.keys
    first = read_card(await world.jp.card()).certificate
    await rotate_key(world.jp, RotateKey(purpose="tls", days=7))
    second = read_card(await world.jp.card()).certificate
    assert second in keys.certificates()
    assert world.jp.certificate() == second  # this house has no server, so its first certificate is not here
    await rotate_key(world.jp, RotateKey(purpose="tls", days=7))
    third = read_card(await world.jp.card()).certificate
    await same_on_both_sides(world)
    told = await world.kr.peer_card("jp")
    assert told.taken("tls", world.clock.now()) == (third, second, first)
    assert world.jp.certificate() == second
    shown = await list_own_keys(world.jp, ListOwnKeys())
    assert [(key.key, key.name, key.state) for key in shown.keys if key.purpose == "tls"] == [
        (third.hex(), third.hex()[:16], "present"),
        (second.hex(), second.hex()[:16], "overlaps"),
        (first.hex(), first.hex()[:16], "overlaps"),
    ]
    world.clock.time += timedelta(days=8)
    assert world.jp.certificate() == third  # at that instant, and of a node that runs
    assert set(keys.certificates()) == {second, third}
    await world.jp.use_own_card()
    assert set(keys.certificates()) == {third}


async def test_a_revoked_certificate_is_shown_no_more(world: World) -> None:  # (50)
    await rotate_key(world.jp, RotateKey(purpose="tls"))
    stolen = world.jp.certificate()
    await rotate_key(world.jp, RotateKey(purpose="tls"))
    assert world.jp.certificate() == stolen
    now = world.clock.now()
    await revoke_key(world.jp, RevokeKey(purpose="tls", since=now, key=stolen.hex()[:16]))
    assert world.jp.certificate() == read_card(await world.jp.card()).certificate != stolen
    assert stolen not in world.jp.keys.certificates()
    present = world.jp.certificate()
    await revoke_key(world.jp, RevokeKey(purpose="tls", since=now, key=present.hex()))
    assert world.jp.certificate() not in {stolen, present}
    await same_on_both_sides(world)
    assert set((await world.kr.peer_card("jp")).revoked("tls")) == {stolen, present}
