"""Deleting what an article test rests on turns it red: each test is run again in a world without it."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest

from articles.marked import TEXT, Marked, agreement, marked
from articles.mutation import Mutation, Unknown, without
from comity.agreement.load import parse_agreement
from world import World

CASES = [
    pytest.param(each, what, id=f"{each.name.rpartition('::')[2]}-{what}")
    for each in marked()
    for what in each.rests_on
]


class Survived(Exception):
    """The test passed although what it rests on was gone."""


async def run(each: Marked, mutation: Mutation, folder: Path, request: pytest.FixtureRequest) -> None:
    """Every run of the test, under the mutated text; raises what the first that fails raises."""
    worlds: list[World] = []

    async def make_world(**wishes: Any) -> World:
        place = folder / f"world-{len(worlds)}"
        place.mkdir()
        wishes["layers"] = tuple(mutation.of_layer(layer) for layer in wishes.get("layers", ()))
        worlds.append(await World.make(place, text=mutation.text, **wishes))
        return worlds[-1]

    try:
        for call in each.calls:
            given = dict(call)
            for name in inspect.signature(each.function).parameters:
                if name == "world":
                    given[name] = await make_world()
                elif name == "make_world":
                    given[name] = make_world
                elif name not in given:
                    given[name] = request.getfixturevalue(name)
            await each.function(**given)
    finally:
        for world in worlds:
            await world.close()


@pytest.mark.parametrize(("each", "what"), CASES)
async def test_without_what_it_rests_on_a_test_fails(
    each: Marked, what: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    mutation = Mutation(what)
    parse_agreement(mutation.text, "mutated.toml")  # it is a text that could be adopted
    try:
        await run(each, mutation, tmp_path, request)
    except (Exception, pytest.fail.Exception):  # noqa: BLE001 - whatever it is that fails, the test has failed
        return
    raise Survived(f"{each.name} passes without {what!r}: it does not rest on it")


class TestDeleting:
    def test_a_rule_a_duty_a_checklist_a_table_and_a_key(self) -> None:
        for what, gone in (
            ("third-party", 'id = "third-party"'),
            ("o-17-notify", 'id = "o-17-notify"'),
            ("marking", "[marking]"),
            ("marking.derivative", "derivative-clause"),
            ("term.notice", "[term.notice]"),
            ("scope.forms", "forms = ["),
        ):
            text = without(TEXT, what)
            assert gone in TEXT
            assert gone not in text
            assert parse_agreement(text, "x").digest != agreement().digest

    def test_the_rules_that_ask_a_checklist_go_with_it(self) -> None:
        text = parse_agreement(without(TEXT, "assurance"), "x")
        ids = {rule.id for rule in text.rules}
        assert {rule.id for rule in agreement().rules} - ids == {"assurance-before-giving", "assurance-before-showing"}

    def test_nothing_else_goes(self) -> None:
        text = parse_agreement(without(TEXT, "access"), "x")
        assert len(text.rules) == len(agreement().rules) - 1
        assert (text.obligations, text.clauses, text.levels) == (
            agreement().obligations,
            agreement().clauses,
            agreement().levels,
        )

    @pytest.mark.parametrize("what", ["third-parties", "markings", "marking.note", "6.a", ""])
    def test_what_is_not_there_cannot_be_rested_on(self, what: str) -> None:
        with pytest.raises(Unknown):
            without(TEXT, what)
