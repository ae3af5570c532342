"""What somebody may not see changes nothing for him: not a byte of a view, not a word of an error.

``spec/visibility.md`` step 8. All reading flows of ``flows/table.py`` that are told who looks take part by themselves;
so does every flow that names an item, with its error.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import msgspec
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from comity.flows.table import FLOWS
from properties.secrets_kept import (
    BESIDE,
    GHOST,
    SECRETS,
    acting,
    answer,
    common,
    everything,
    in_secret,
    made,
    read_flows,
    two_worlds,
)

READERS = ("kim", "park", "choi", "hong", "smith")
OFFICERS = ("sato",)
SLOW = settings(
    max_examples=5, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate]
)


def test_there_are_flows_to_look_at() -> None:
    looked_at = {"inbox", "outbox", "register", "item", "given", "why", "copy.list", "lineage", "duties.list"}
    assert looked_at <= set(read_flows())


def some(acts: set[str]) -> st.SearchStrategy[list[str]]:
    """Some of these acts, in some order."""
    return st.lists(st.sampled_from(sorted(acts)), unique=True, min_size=1)


@SLOW
@given(some({*SECRETS, *BESIDE}))
def test_a_reader_sees_the_same_without_what_he_may_not_see(acts: list[str]) -> None:  # (8)
    asyncio.run(compared(acts, "kr", READERS))


@SLOW
@given(some(set(SECRETS)))
def test_an_officer_sees_the_same_without_what_others_gave(acts: list[str]) -> None:  # (8)
    asyncio.run(compared(acts, "jp", OFFICERS))


def test_all_of_it_at_once() -> None:  # (8)
    asyncio.run(compared([*SECRETS, *BESIDE], "kr", READERS))
    asyncio.run(compared([*SECRETS], "jp", OFFICERS))


async def compared(acts: list[str], party: str, users: tuple[str, ...]) -> None:
    with tempfile.TemporaryDirectory() as name:
        without, with_secrets = await two_worlds(Path(name))
        await in_secret(with_secrets, acts)
        items = [without.seen, without.own, GHOST, *with_secrets.secret]
        for handle in users:
            expected, found = [
                await everything(told, told.world.house(party), handle, items) for told in (without, with_secrets)
            ]
            for what in expected:
                assert found[what] == expected[what], f"{handle}: {what} after {acts}"
        for told in (without, with_secrets):
            await told.world.close()


async def test_whoever_names_it_hears_what_is_said_of_nothing(tmp_path: Path) -> None:  # (5)
    """Every flow that takes an item, also those that act."""
    told = await common(tmp_path)
    await in_secret(told, ["another_item"])
    (secret,) = told.secret
    house = told.world.kr
    taking = {
        name: flow.request
        for name, flow in FLOWS.items()
        if acting(flow.request) and {"item", "ancestors", "items"} & set(flow.request.__struct_fields__)
    }
    assert len(taking) > 10
    for handle in READERS:
        for name, request in sorted(taking.items()):
            heard = []
            for item in (secret, GHOST):
                fields = set(request.__struct_fields__)
                named: dict[str, object] = dict.fromkeys(fields & {"ancestors", "items"}, (item,))
                if "item" in fields:
                    named["item"] = item
                asked = made(request, handle, tmp_path, **named)
                heard.append((await answer(house, name, asked)).replace(item.encode(), b"..."))
            assert heard[0] == heard[1], f"{handle}: {name}: {msgspec.json.encode(asked)!r}"
    await told.world.close()
