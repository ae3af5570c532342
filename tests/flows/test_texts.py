"""The texts a house decides by, of any version it adopted."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from comity.errors import Misuse, Refused
from comity.flows.agreeing.agreements import ListVersions, list_versions
from comity.flows.agreeing.texts import ShowTexts, TextsShown, show_texts
from world import RELATIONSHIP, World, adopt, library


async def test_the_texts_that_run_and_those_that_ran_before(tmp_path: Path) -> None:
    world = await World.make(tmp_path, acknowledge=False)
    other = library("jp-kr-2016.toml").replace('version = "2016-11-23"', 'version = "2027"')
    await adopt(world.jp, "kr", "jp-kr-2016.history.toml", ("house.toml",), other)
    first, second = await list_versions(world.jp, ListVersions(RELATIONSHIP))
    now = await show_texts(world.jp, ShowTexts(relationship=RELATIONSHIP))
    before = await show_texts(world.jp, ShowTexts(relationship=RELATIONSHIP, version=first.record))
    assert (now.agreement.header.version, now.runs) == ("2027", True)
    assert (before.agreement.header.version, before.runs) == ("2016-11-23", False)
    assert [layer.id for layer in now.layers] == ["comity-house"]
    assert await show_texts(world.jp, ShowTexts(relationship=RELATIONSHIP, version=second.record)) == now
    assert msgspec.json.decode(msgspec.json.encode(before), type=TextsShown) == before
    await world.close()


@pytest.mark.parametrize("version", ["00", "x" * 64, "é"])
async def test_a_version_that_was_never_adopted_is_refused(tmp_path: Path, version: str) -> None:
    world = await World.make(tmp_path)
    with pytest.raises(Misuse, match="no version"):
        await show_texts(world.jp, ShowTexts(relationship=RELATIONSHIP, version=version))
    with pytest.raises(Refused):
        await show_texts(world.jp, ShowTexts(relationship="jp-kr-2016/jp.us"))
    await world.close()
