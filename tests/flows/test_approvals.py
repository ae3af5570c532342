"""Two people see each release: how many the rules ask for, and who may not be one (``spec/consent.md`` step 18)."""

from __future__ import annotations

from pathlib import Path

import pytest

from comity.errors import ComityError
from comity.flows.actors import Actor
from comity.flows.consenting.passing_on import SealPassOn, seal_pass_on
from comity.flows.consenting.showing import AskShow, DoneShow, ask_show, done_show
from comity.flows.giving.answering import Approve, Approved, Assure, approve, assure
from flows.consenting import answer, ask, ask_on, path, staffed
from world import RELATIONSHIP, World

TWO_FOR_SECRETS = """
[layer]
format = 1
id = "jp-two-for-secrets"
version = "1"
kind = "domestic"
party = "jp"
on = "jp-kr-2016"
title = { en = "Two approvals for secrets" }

[[clause]]
id = "3"
heading = { en = "Two approvals" }
says = "What is secret is given, shown or passed on with two approvals."
provenance = "P"
source = "a text for this test"

[[rule]]
id = "two-for-secrets"
clause = "3"
acts = ["give", "show", "pass-on"]
when = { level-at-least = "SECRET" }
approvals = 2
"""


async def two(tmp_path: Path, text: str = TWO_FOR_SECRETS) -> World:
    world = await World.make(tmp_path, layers=(text,))
    await world.person("jp", "endo", roles=("release-authority",))
    return world


async def approves(world: World, request: str, handle: str, party: str = "jp", *, granted: bool = True) -> Approved:
    return await approve(
        world.house(party), Approve(request=request, reason="needed", actor=Actor(handle), granted=granted)
    )


async def assured(world: World, request: str) -> None:
    await world.exchange()
    await assure(world.kr, Assure(request=request, relationship=RELATIONSHIP, actor=Actor("lee")))
    await world.exchange()


async def test_a_layer_asks_two_for_a_level_and_one_below_it(tmp_path: Path) -> None:
    world = await two(tmp_path)
    secret, lower = await world.ask(), await world.ask(mark="秘")
    for each in (secret, lower):
        await assured(world, each.request)
    assert (await approves(world, lower.request, "abe")).given is not None
    assert (await approves(world, secret.request, "abe")).given is None
    assert (await approves(world, secret.request, "abe")).given is None  # the same person twice is one
    second = await approves(world, secret.request, "endo")
    assert second.given is not None
    assert second.given.consignment is not None
    counted = {(each.instrument, each.parameters) for each in second.given.decision.reasons if each.code == "approved"}
    assert counted == {("comity-house", ("1", "2")), ("jp-two-for-secrets", ("2", "2"))}
    await world.close()


async def test_a_refusal_is_no_approval_and_can_be_changed(tmp_path: Path) -> None:
    world = await two(tmp_path)
    secret = await world.ask()
    await assured(world, secret.request)
    await approves(world, secret.request, "abe")
    assert (await approves(world, secret.request, "endo", granted=False)).given is None
    assert (await approves(world, secret.request, "endo")).given is not None
    await world.close()


async def test_showing_counts_approvals_too(tmp_path: Path) -> None:
    world = await two(tmp_path)
    asked = await ask_show(
        world.jp,
        AskShow(
            relationship=RELATIONSHIP,
            recipients=(await world.pseudonym("kim"),),
            manner="oral",
            purpose="air defence",
            actor=Actor("sato"),
            mark="極秘",
            topic="missiles",
            title="a talk",
        ),
    )
    await assured(world, asked.request)
    done = DoneShow(request=asked.request, actor=Actor("sato"))
    for handle, outcome in (("abe", "needs-consent"), ("endo", "permit")):
        await approves(world, asked.request, handle)
        assert (await done_show(world.jp, done)).outcome == outcome
    await world.close()


async def test_the_other_sides_layer_binds_the_other_side_only(tmp_path: Path) -> None:
    """Tokyo's law asks two approvals of Tokyo; Seoul passes on with one, as its own rule says."""
    world = await staffed(await two(tmp_path))
    asked = await world.ask()
    await assured(world, asked.request)
    for handle in ("abe", "endo"):
        await approves(world, asked.request, handle)
    await world.exchange()
    await answer(world, (await ask(world, asked.item)).request)
    on = await ask_on(world, asked.item)
    await approves(world, on.request, "baek", "kr")
    sealing = SealPassOn(request=on.request, path=str(path(world, "courier.age")), actor=Actor("kim"))
    assert (await seal_pass_on(world.kr, sealing)).outcome == "permit"
    await world.close()


@pytest.mark.parametrize("handle", ["sato", "ito", "han"])
async def test_nobody_approves_without_the_role(world: World, handle: str) -> None:
    await world.person("jp", "han", roles=("officer", "registry"))
    asked = await world.ask()
    with pytest.raises(ComityError) as raised:
        await approves(world, asked.request, handle)
    assert raised.value.code == "no-role"


async def test_whoever_asked_does_not_approve_though_entitled(world: World) -> None:
    await world.person("jp", "oda", roles=("officer", "release-authority"))
    asked = await world.ask(actor=Actor("oda"))
    with pytest.raises(ComityError) as raised:
        await approves(world, asked.request, "oda")
    assert raised.value.code == "own-request"


async def test_what_was_carried_out_is_approved_no_more(world: World) -> None:
    await world.person("jp", "endo", roles=("release-authority",))
    asked = await world.ask()
    await assured(world, asked.request)
    assert (await approves(world, asked.request, "abe")).given is not None
    with pytest.raises(ComityError) as raised:
        await approves(world, asked.request, "endo")
    assert raised.value.code == "already-given"
