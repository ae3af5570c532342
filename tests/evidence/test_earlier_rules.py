"""A file whose decisions an earlier version of the rules made: read, and left open (``spec/decision.md`` step 22)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from comity.decision import compiled
from comity.decision.model import RULE_VERSION, Case
from comity.decision.replay import first_form
from comity.errors import Rejected
from comity.flows.deciding import cases
from comity.record.encoding import encode
from evidence.made import Made, told
from world import World


@pytest.fixture
async def exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """What a program exported that knew version 1 alone."""

    def encode_first(value: Any) -> bytes:
        return first_form(value) if isinstance(value, Case) else encode(value)

    with monkeypatch.context() as patch:
        patch.setattr(compiled, "RULE_VERSION", "1")
        patch.setattr(cases, "encode", encode_first)
        made = Made(await World.make(tmp_path))
        made.item = (await made.world.given()).item
        await made.export("first")
        await made.world.close()
    return made.others["first"]


async def test_it_verifies_and_says_what_could_not_be_decided_again(exported: bytes) -> None:
    assert RULE_VERSION != "1"
    verified = told(exported)
    found = [each for each in verified.open if each.code == "other-rules"]
    assert len(found) >= 2
    assert all("version '1' of the rules" in each.says for each in found)


async def test_a_case_in_a_form_that_its_version_does_not_write_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(compiled, "RULE_VERSION", "1")
        made = Made(await World.make(tmp_path))
        made.item = (await made.world.given()).item
        await made.export("mixed")
        await made.world.close()
    with pytest.raises(Rejected, match="not in canonical form"):
        told(made.others["mixed"])
