"""What somebody may not see changes nothing for him: not a byte of a view, not a word of an error.

``spec/visibility.md`` step 8. All reading flows of ``flows/table.py`` that are told who looks take part by themselves;
so does every flow by which somebody acts on what he names, with its error.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from comity.errors import ComityError
from comity.flows.actors import Actor
from comity.flows.giving.using import UseItem, use_item
from comity.flows.house import House
from comity.register.rows import DecisionRow
from properties.asking import GHOSTS, Flows, Names, acting_flows, answers, cloaked, hidden, names, reading_flows
from properties.secrets_kept import BESIDE, SECRETS, Told, common, in_secret, mustered, two_worlds

READERS = ("kim", "park", "choi", "hong", "smith", "adam", "han", "mun")
OFFICERS = ("sato", "mori", "okada")
SECRETS_NAMED = 4
"""How many secret things of a kind are named."""
SLOW = settings(
    max_examples=5, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate]
)


def test_there_are_flows_to_look_at() -> None:
    looked_at = {"inbox", "outbox", "register", "item", "given", "why", "copy.list", "lineage", "duties.list"}
    assert looked_at <= set(reading_flows())
    done = {"open", "use", "derive", "copy", "hand-over", "destroy", "return", "approve", "consent.answer", "mark"}
    assert done <= set(acting_flows())


@pytest.mark.parametrize("name", [*SECRETS, *BESIDE])
async def test_what_is_to_be_kept_secret_does_happen(name: str, tmp_path: Path) -> None:
    """An act that fails would hide nothing."""
    told = await common(tmp_path)
    await {**SECRETS, **BESIDE}[name](told)
    await told.world.close()


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


@pytest.mark.parametrize(("party", "users"), [("kr", READERS), ("jp", OFFICERS)])
def test_all_of_it_at_once(party: str, users: tuple[str, ...]) -> None:  # (8)
    acts = [*SECRETS, *BESIDE] if party == "kr" else [*SECRETS]
    asyncio.run(compared(acts, party, users))


async def compared(acts: list[str], party: str, users: tuple[str, ...]) -> None:
    """Each of ``users`` tries whatever he can with what is secret, and then looks at everything; twice the same."""
    with tempfile.TemporaryDirectory() as name:
        without, with_secrets = await two_worlds(Path(name))
        await in_secret(with_secrets, acts)
        known = await names(without.world.house(party))
        secret = hidden(await names(with_secrets.world.house(party)), known)
        some_secrets = {kind: named[:SECRETS_NAMED] for kind, named in secret.items()}
        all_names = {kind: [*named, *secret[kind]] for kind, named in known.items()}
        for handle in users:
            for flows, named in ((acting_flows(), some_secrets), (reading_flows(), all_names)):
                expected, found = [
                    await answers(flows, told, told.world.house(party), handle, named)
                    for told in (without, with_secrets)
                ]
                for what in expected:
                    assert found[what] == expected[what], f"{handle}: {what} after {acts}"
        for told in (without, with_secrets):
            await told.world.close()


@pytest.mark.parametrize(("party", "users"), [("kr", READERS), ("jp", OFFICERS)])
async def test_whoever_names_it_hears_what_is_said_of_nothing(
    party: str, users: tuple[str, ...], tmp_path: Path
) -> None:  # (5)
    """In one world, too: whatever is secret, and a name that nothing has."""
    told = await common(tmp_path)
    house = told.world.house(party)
    known = await names(house)
    await in_secret(told, [*SECRETS])
    secret = {kind: some for kind, some in hidden(await names(house), known).items() if some}
    assert {"item", "request", "consent", "incident", "dispute", "reference", "decision"} <= set(secret)
    for handle in users:
        for flows in (acting_flows(), reading_flows()):
            expected = await told_of(flows, told, house, handle, GHOSTS)
            for place in range(SECRETS_NAMED):
                named = {kind: some[place : place + 1] for kind, some in secret.items()}
                heard = await told_of(flows, told, house, handle, named)
                for what in heard.keys() & expected.keys():
                    assert heard[what] == expected[what], f"{handle}: {what.decode()} of {named}"
    await told.world.close()


@pytest.mark.parametrize(("party", "users"), [("kr", READERS), ("jp", OFFICERS)])
async def test_nothing_that_is_shown_has_a_secret_name_in_it(
    party: str, users: tuple[str, ...], tmp_path: Path
) -> None:  # (5)
    """Also where everybody may know that something was done, as a muster is, and only not of what."""
    told = await common(tmp_path)
    house = told.world.house(party)
    known = await names(house)
    await in_secret(told, [*SECRETS])
    await mustered(told)
    secret = hidden(await names(house), known)
    del secret["muster"]
    assert secret["finding"] or party == "jp"
    for handle in users:
        for what, said in (await answers(reading_flows(), told, house, handle, known)).items():
            for name in (name for some in secret.values() for name in some):
                assert name.encode() not in said, f"{handle}: {what} tells of {name}"
    await told.world.close()


async def told_of(flows: Flows, told: Told, house: House, handle: str, named: Names) -> dict[bytes, bytes]:
    """What somebody hears of these names, without the names."""
    said = await answers(flows, told, house, handle, named)
    return {cloaked(what.encode(), named): cloaked(answer, named) for what, answer in said.items()}


async def test_what_was_refused_to_somebody_who_may_not_know_is_in_the_books(tmp_path: Path) -> None:  # (7)
    told = await common(tmp_path)
    await in_secret(told, ["another_item"])
    (secret,) = told.secret
    house = told.world.kr
    before = [row async for _, row in house.rows(DecisionRow, f"{secret}/")]
    with pytest.raises(ComityError, match="there is no item"):
        await use_item(house, UseItem(item=secret, purpose="air defence", actor=Actor("kim")))
    after = [row async for _, row in house.rows(DecisionRow, f"{secret}/")]
    assert [row.outcome for row in after[len(before) :]] == ["needs-consent"]
    await told.world.close()
