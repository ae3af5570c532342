"""Beside each key file stands what the card says of it, and no passphrase is asked (``spec/keys.md`` step 10)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from comity.cli.main import main
from comity.flows.maintaining.rotating import RevokeKey, RotateKey, revoke_key, rotate_key
from comity.node.keys import list_standing, show_key
from comity.node.run import found, opened
from comity.node.settings import Settings


def test_each_key_says_what_the_card_says_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "jp"

    async def change() -> datetime:
        await found(folder, Settings(party="jp"), "Japan")
        async with opened(folder) as house:
            await rotate_key(house, RotateKey(purpose="record"))
            await rotate_key(house, RotateKey(purpose="registry"))
            return house.now()

    at = asyncio.run(change())
    keys = {each.name: each for each in list_standing(folder).keys}
    assert keys["record"].standing == "overlaps"
    until = keys["record"].until
    assert until is not None
    assert timedelta(days=29) < until - at < timedelta(days=31)
    following = next(each for name, each in keys.items() if name.startswith("record-"))
    assert (following.standing, following.until) == ("present", None)
    assert keys["registry/000001"].standing == "former"
    assert keys["registry/000002"].standing == keys["log"].standing == "present"
    assert keys["root"].standing == keys["pairwise"].standing == ""
    assert main(["keys", "list", "--folder", str(folder)]) == 0
    told = capsys.readouterr().out
    assert "open, overlaps until" in told
    assert "open, former" in told

    async def revoke() -> None:
        async with opened(folder) as house:
            house.keys.destroy = lambda purpose, public: None  # type: ignore[method-assign]  # a crash before it
            await revoke_key(house, RevokeKey(purpose="log", since=datetime.now(UTC) - timedelta(seconds=1)))

    asyncio.run(revoke())
    log = show_key(folder, "log")
    assert log.standing == "revoked"
    assert log.since is not None
    assert main(["keys", "show", "log", "--folder", str(folder)]) == 0
    assert "revoked since" in capsys.readouterr().out
