"""Tokens of programs (``spec/console.md`` steps 24 and 25)."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from comity.console.tokens import TOKENS_MAX, Tokens
from comity.errors import Misuse
from comity.flows.people.leaving import RemovePerson, remove_person
from console.browser import new_desk
from world import ROOT, World


@pytest.fixture
def tokens(world: World) -> Tokens:
    return new_desk(world.jp).tokens


async def person(world: World, handle: str = "sato") -> str:
    return (await world.jp.person(handle)).person


async def test_a_token_asks_in_the_name_of_whoever_made_it(world: World, tokens: Tokens) -> None:
    written, made = await tokens.make(await person(world), "nightly", ("read", "give"), 30)
    bearer = await tokens.verify(written)
    assert bearer is not None
    assert (bearer.handle, bearer.person.person, bearer.token) == ("sato", await person(world), made)
    assert made.allows("register", reads=True)
    assert made.allows("give", reads=False)
    assert not made.allows("assure", reads=False)


async def test_what_asks_for_a_fresh_sign_in_is_named_by_its_own_scope(world: World, tokens: Tokens) -> None:
    _, broad = await tokens.make(await person(world), "broad", ("read", "act"), 1)
    _, named = await tokens.make(await person(world), "named", ("approve",), 1)
    assert broad.allows("assure", reads=False)
    assert not broad.allows("approve", reads=False)
    assert named.allows("approve", reads=False)


async def test_a_token_is_worth_nothing_once_it_ended(world: World, tokens: Tokens) -> None:
    written, made = await tokens.make(await person(world), "short", ("read",), 1)
    other, _ = await tokens.make(await person(world), "other", ("read",), 2)
    world.clock.time += timedelta(days=1)
    assert await tokens.verify(written) is None
    bearer = await tokens.verify(other)
    assert bearer is not None
    await tokens.revoke(await person(world), bearer.token.token)
    assert await tokens.verify(other) is None
    assert [each.token for each in await tokens.of_person(await person(world))] == [made.token]


async def test_whoever_left_asks_nothing_more(world: World, tokens: Tokens) -> None:
    written, _ = await tokens.make(await person(world), "mine", ("read",), 1)
    await remove_person(world.jp, RemovePerson(handle="sato", reason="left", actor=ROOT))
    assert await tokens.verify(written) is None


@pytest.mark.parametrize("change", ["", "x", "flip", "number", "upper", "spaced", "long"])
async def test_what_is_no_token_is_nothing(world: World, tokens: Tokens, change: str) -> None:
    written, made = await tokens.make(await person(world), "mine", ("read",), 1)
    flipped = written[:-1] + ("0" if written[-1] != "0" else "1")
    bearer = {
        "flip": flipped,
        "number": written.replace(made.token, "a" * 16),
        "upper": written.upper(),
        "spaced": f" {written}",
        "long": written * 10_000,
    }.get(change, change)
    assert await tokens.verify(bearer) is None


@pytest.mark.parametrize(
    ("name", "scopes", "days", "code"),
    [
        ("", ("read",), 1, "bad-name"),
        ("n" * 101, ("read",), 1, "bad-name"),
        ("n", (), 1, "no-scope"),
        ("n", ("everything",), 1, "unknown-scope"),
        ("n", ("read",), 0, "bad-period"),
        ("n", ("read",), 367, "bad-period"),
    ],
)
async def test_a_token_that_cannot_be_is_refused(
    world: World, tokens: Tokens, name: str, scopes: tuple[str, ...], days: int, code: str
) -> None:
    with pytest.raises(Misuse) as caught:
        await tokens.make(await person(world), name, scopes, days)
    assert caught.value.code == code
    assert await tokens.of_person(await person(world)) == []


async def test_of_many_tokens_that_are_made_at_once_no_more_are_made(world: World, tokens: Tokens) -> None:
    his = await person(world)
    many = [tokens.make(his, str(number), ("read",), 1) for number in range(TOKENS_MAX + 15)]
    made = await asyncio.gather(*many, return_exceptions=True)
    assert sum(isinstance(each, Misuse) for each in made) == 15
    assert len(await tokens.of_person(his)) == TOKENS_MAX


async def test_tokens_that_are_over_keep_nobody_from_making_one(world: World, tokens: Tokens) -> None:
    his = await person(world)
    for number in range(TOKENS_MAX):
        await tokens.make(his, str(number), ("read",), 1 if number else 2)
    world.clock.time += timedelta(days=1)
    await tokens.make(his, "one more", ("read",), 1)
    assert [each.name for each in await tokens.of_person(his)] == ["one more", "0"]


async def test_nobody_has_too_many_tokens_or_revokes_anothers(world: World, tokens: Tokens) -> None:
    for number in range(TOKENS_MAX):
        _, made = await tokens.make(await person(world), str(number), ("read",), 1)
    with pytest.raises(Misuse, match="more than"):
        await tokens.make(await person(world), "one more", ("read",), 1)
    with pytest.raises(Misuse, match="no such token"):
        await tokens.revoke(await person(world, "abe"), made.token)
    assert await tokens.revoke_all(await person(world)) == TOKENS_MAX
