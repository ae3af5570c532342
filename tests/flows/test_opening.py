"""Strict custody: what a reader confirms is what was decided, and nothing beside it (Articles 6(c), 7)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from comity.errors import Misuse
from comity.flows.actors import Actor, NeedsSignature
from comity.flows.giving.opening import Confirm, Open, OpenedItem, confirm, open_item
from comity.flows.people.clearances import ChangeList, GrantClearance, change_list, grant_clearance
from comity.seal.keys import generate_identity
from world import ROOT, TODAY, SeededEntropy, World

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


async def strict_reader(world: World) -> str:
    """Han keeps his own keys; cleared, and on the list. Returns his pseudonym."""
    await world.person(
        "kr",
        "han",
        custody="strict",
        recipient=str(generate_identity(SeededEntropy("han")).recipient),
        signing_key=KEY.public_key().public_bytes_raw(),
    )
    until = TODAY + timedelta(days=365)
    await grant_clearance(
        world.kr,
        GrantClearance(
            handle="han", mark="군사 Ⅱ급 비밀", until=until, basis="vetted", actor=ROOT, all_information=True
        ),
    )
    await change_list(world.kr, ChangeList(topic="missiles", handle="han", listed=True, actor=ROOT))
    await world.exchange()
    return await world.pseudonym("han")


async def confirmed(world: World, **fields: str) -> OpenedItem:
    """``confirm`` by Han, signed with his key once he is asked for it."""
    try:
        return await confirm(world.kr, Confirm(**fields, actor=Actor("han")))
    except NeedsSignature as asked:
        return await confirm(world.kr, Confirm(**fields, actor=Actor("han", (KEY.sign(asked.message),))))


async def test_a_reader_confirms_what_was_decided_and_nothing_else(world: World) -> None:
    given = await world.given(recipients=(await strict_reader(world),))
    path = str(world.folder / "sealed.age")
    fetched = await open_item(world.kr, Open(item=given.item, purpose="air defence", path=path, actor=Actor("han")))
    assert fetched.opening is None
    decided = fetched.decision_record
    for wrong in (
        {"purpose": "selling it on"},
        {"decision_record": "not hexadecimal"},
        {"decision_record": "00" * 32},
    ):
        with pytest.raises(Misuse) as caught:
            await confirmed(
                world, **{"item": given.item, "purpose": "air defence", "decision_record": decided, **wrong}
            )
        assert caught.value.code in {"other-decision", "unknown-decision"}
    said = await confirmed(world, item=given.item, purpose="air defence", decision_record=decided)
    assert said.opening is not None
