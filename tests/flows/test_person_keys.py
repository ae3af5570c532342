"""A person's own keys change: what he signed before stands, the old key signs no more (``spec/keys.md`` step 55)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from comity.errors import Misuse
from comity.evidence.verify import verify
from comity.flows.actors import Actor, NeedsSignature
from comity.flows.giving.opening import Confirm, Open, confirm, open_item
from comity.flows.looking.evidence import ExportEvidence, export_evidence
from comity.flows.maintaining.rebuilding import VerifyLedger, verify_ledger
from comity.flows.people.leaving import ChangePerson, RemovePerson, change_person, remove_person
from comity.flows.people.new_keys import RotatePersonKey, rotate_person_key
from comity.register.rows import DirectoryRow, PersonRow
from comity.seal.keys import generate_identity
from flows.test_opening import KEY, strict_reader
from world import ROOT, SeededEntropy, World

NEXT = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
RECIPIENT = str(generate_identity(SeededEntropy("han again")).recipient)


@pytest.fixture
async def world(tmp_path: Path) -> World:
    return await World.make(tmp_path)


async def opened(world: World, item: str, key: Ed25519PrivateKey) -> str | None:
    """Han fetches his copy and confirms that he opened it, with a key."""
    path = str(world.folder / f"{world.clock.now():%H%M%S%f}.age")
    fetched = await open_item(world.kr, Open(item=item, purpose="air defence", path=path, actor=Actor("han")))
    fields = {"item": item, "purpose": "air defence", "decision_record": fetched.decision_record}
    with pytest.raises(NeedsSignature) as asked:
        await confirm(world.kr, Confirm(**fields, actor=Actor("han")))
    return (await confirm(world.kr, Confirm(**fields, actor=Actor("han", (key.sign(asked.value.message),))))).opening


async def test_a_person_signs_with_his_new_key_and_the_old_one_counts_no_more(world: World) -> None:
    given = await world.given(recipients=(await strict_reader(world),))
    assert await opened(world, given.item, KEY)
    public = NEXT.public_key().public_bytes_raw()
    change = ChangePerson(handle="han", recipient=RECIPIENT, signing_key=public, actor=ROOT)
    await change_person(world.kr, change)
    await world.exchange()
    listed = [row async for _, row in world.jp.rows(DirectoryRow) if row.signing_key == public]
    assert [row.recipient for row in listed] == [RECIPIENT]
    with pytest.raises(NeedsSignature):  # the old key signs something else than what is asked for
        await opened(world, given.item, KEY)
    assert await opened(world, given.item, NEXT)
    await world.exchange()
    for house in (world.jp, world.kr):
        assert not (await verify_ledger(house, VerifyLedger())).findings
    path = world.folder / "all.evidence"
    request = ExportEvidence(item=given.item, path=str(path), actor=Actor("lee"), withhold=())
    assert (await export_evidence(world.kr, request)).path
    verified = verify(path.read_bytes(), (), world.kr.zones)
    assert [line.code for line in verified.lines].count("opening/1") == 2


async def test_nobody_brings_keys_for_whom_the_node_keeps_them(world: World) -> None:
    brought: list[dict[str, Any]] = [{"recipient": RECIPIENT}, {"signing_key": NEXT.public_key().public_bytes_raw()}]
    for keys in brought:
        with pytest.raises(Misuse) as caught:
            await change_person(world.kr, ChangePerson(handle="kim", actor=ROOT, **keys))
        assert caught.value.code == "served-keys"


async def test_nobody_replaces_his_own_key(world: World) -> None:
    await strict_reader(world)
    change = ChangePerson(handle="han", recipient=RECIPIENT, actor=Actor("han"))
    with pytest.raises(NeedsSignature) as asked:
        await change_person(world.kr, change)
    signed = ChangePerson(handle="han", recipient=RECIPIENT, actor=Actor("han", (KEY.sign(asked.value.message),)))
    with pytest.raises(Misuse) as caught:
        await change_person(world.kr, signed)
    assert caught.value.code == "no-role"


async def test_a_key_that_the_node_keeps_is_replaced_and_the_one_before_is_gone(world: World) -> None:  # (56)
    given = await world.given()
    before = await world.kr.person("kim")
    shown = await rotate_person_key(world.kr, RotatePersonKey(handle="kim", actor=Actor("lee")))
    after = await world.kr.person("kim")
    assert (shown.person, shown.custody) == (before.person, "served")
    assert after.signing_key != before.signing_key
    assert world.kr.keys.person_keys(before.person) == [after.signing_key]
    await world.exchange()
    listed = [row async for _, row in world.jp.rows(DirectoryRow) if row.signing_key == after.signing_key]
    assert len(listed) == 1
    path = str(world.folder / "opened")
    asked = Open(item=given.item, purpose="air defence", path=path, actor=Actor("kim"))
    assert (await open_item(world.kr, asked)).opening is not None
    await world.exchange()
    for house in (world.jp, world.kr):
        assert not (await verify_ledger(house, VerifyLedger())).findings


async def test_a_crash_before_the_record_leaves_a_key_that_the_next_change_takes(world: World) -> None:  # (56)
    row = await world.kr.person("kim")
    waiting = world.kr.keys.new_person(row.person).public
    assert world.kr.keys.person(row.person, row.signing_key).public == row.signing_key
    await rotate_person_key(world.kr, RotatePersonKey(handle="kim", actor=ROOT))
    assert (await world.kr.person("kim")).signing_key == waiting
    assert world.kr.keys.person_keys(row.person) == [waiting]


async def test_a_key_that_he_had_never_comes_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:  # (56)
    row = await world.kr.person("kim")
    with monkeypatch.context() as crash:
        crash.setattr(world.kr.keys, "destroy_person", lambda person, public: None)
        await rotate_person_key(world.kr, RotatePersonKey(handle="kim", actor=ROOT))
    assert row.signing_key in world.kr.keys.person_keys(row.person)
    await rotate_person_key(world.kr, RotatePersonKey(handle="kim", actor=ROOT))
    now = await world.kr.person("kim")
    assert now.signing_key != row.signing_key
    assert world.kr.keys.person_keys(row.person) == [now.signing_key]


async def test_who_keeps_his_own_key_or_has_left_or_may_not_is_refused(world: World) -> None:  # (56)
    await strict_reader(world)
    await remove_person(world.kr, RemovePerson(handle="park", reason="left", actor=ROOT))
    (left,) = [row.person async for _, row in world.kr.rows(PersonRow) if row.removed]
    for handle, actor, code in (
        ("han", ROOT, "strict-custody"),
        (left, ROOT, "removed-person"),
        ("kim", Actor("choi"), "no-role"),
        ("nobody", ROOT, "unknown-person"),
    ):
        with pytest.raises(Misuse) as caught:
            await rotate_person_key(world.kr, RotatePersonKey(handle=handle, actor=actor))
        assert caught.value.code == code
