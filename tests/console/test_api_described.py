"""The API does what its description says, whatever it is asked (``spec/api.md`` step 7): tried by schemathesis."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, settings
from jsonschema import Draft202012Validator
from schemathesis.generation.modes import GenerationMode
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

from comity.console.api.description import description
from comity.console.api.verbs import verbs
from comity.console.application import console
from comity.console.tokens import Tokens
from comity.flows.table import FLOWS
from comity.register.roles import ADMINISTRATOR
from console.browser import new_desk
from world import World

EXAMPLES = int(os.environ.get("COMITY_API_EXAMPLES", "2"))
"""How many requests of each sort each verb is sent; the gate sends few, a long run many."""

NOT_MEANT = [positive_data_acceptance, ignored_auth]
"""A name of the right shape may still be nobody's; and the token is put over the one that is made up."""


@dataclass
class Served:
    """A house whose API is really served, and the tokens of everybody in it."""

    address: str
    tokens: list[str]


@pytest.fixture
async def served(world: World) -> AsyncIterator[Served]:
    await world.given()
    await world.person("jp", "root_admin", roles=(ADMINISTRATOR,))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
        desk = new_desk(world.jp, origin)
        server = uvicorn.Server(uvicorn.Config(console(desk), log_level="error", lifespan="off"))
        task = asyncio.create_task(server.serve([listener]))
        tokens = Tokens(world.jp, desk.store, verbs(FLOWS), clock=world.clock, entropy=desk.entropy)
        made: list[str] = []  # several for each, since a token may ask so much at once
        for handle in ("ito", "sato", "abe", "root_admin"):
            person = (await world.jp.person(handle)).person
            made += [(await tokens.make(person, "described", ("read", "act"), 30))[0] for _ in range(3)]
        yield Served(origin, made)
        server.should_exit = True
        await task


def test_the_description_is_an_openapi_of_json_schemas() -> None:
    told = description(FLOWS)
    assert told["openapi"] == "3.1.0"
    for schema in told["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    for name in verbs(FLOWS):
        assert told["paths"][f"/{name}"]["post"]["operationId"] == name
        assert told["paths"][f"/{name}"]["post"]["summary"]


def test_no_request_says_in_whose_name_it_is_asked() -> None:
    told = description(FLOWS)
    for name in verbs(FLOWS):
        asked = told["paths"][f"/{name}"]["post"]["requestBody"]["content"]["application/json"]["schema"][
            "$ref"
        ].rpartition("/")[2]
        assert "actor" not in told["components"]["schemas"][asked]["properties"]


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
async def test_whatever_is_asked_is_answered_as_it_is_described(served: Served, mode: GenerationMode) -> None:
    answered = await asyncio.to_thread(ask_everything, served, mode)
    assert len(answered) > 100
    assert all(status < 500 or status in (503, 507) for statuses in answered.values() for status in statuses)


def ask_everything(served: Served, mode: GenerationMode) -> dict[str, set[int]]:
    """Every verb some times; what it answered, and an error where that is not as described."""
    schema = schemathesis.openapi.from_url(f"{served.address}/api/v1/openapi.json")
    tokens = cycle(served.tokens)
    answered: dict[str, set[int]] = {}

    def check(case: Any) -> None:
        answer = case.call(headers={"authorization": f"Bearer {next(tokens)}"})
        case.validate_response(answer, excluded_checks=NOT_MEANT)
        answered.setdefault(case.operation.path, set()).add(answer.status_code)

    for found in schema.get_all_operations():
        strategy = found.ok().as_strategy(generation_mode=mode)
        settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )(given(case=strategy)(check))()
    return answered
