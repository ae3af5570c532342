"""A house looked at in its folder, with no key opened and nothing held: for verbs that read what is public."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec

from comity.flows.table import FLOWS
from comity.node.backups import looking_house
from comity.node.settings import FILE, read_settings
from comity.stores.backups.snapshot import View, snapshot


def look(folder: Path, flow: str, request: msgspec.Struct) -> Any:
    """The response of a flow that only reads, and reads nothing that is locked.

    Raises:
        ComityError: whatever the flow raised, or the database cannot be read.
    """
    party = read_settings(folder / FILE).party
    path = folder / "comity.sqlite"

    async def looked() -> Any:
        return await FLOWS[flow].run(await looking_house(folder, party, View(path, seen)), request)

    with snapshot(path) as seen:
        return asyncio.run(looked())
