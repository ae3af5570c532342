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
from comity.flows.people.leaving import ChangePerson, change_person
from comity.register.rows import DirectoryRow
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
