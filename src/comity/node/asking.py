"""Asking a house for something, whether a node runs on its folder or not.

A running node is asked over its local socket. Where none runs, this process takes the folder's lock, opens the house,
runs the flow and closes it again. Two writers are impossible: the lock decides.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from comity.errors import Unavailable
from comity.node.client import call


def ask(folder: Path, flow: str, request: msgspec.Struct, passphrase: Callable[[], str] | None = None) -> Any:
    """Run a flow of ``flows.table`` on the house in ``folder``.

    Args:
        folder: the data folder.
        flow: name of the flow.
        request: its request.
        passphrase: asked where no node runs and the keys are locked; else it must be at hand (``node.passphrase``).

    Returns:
        What the flow returns, of the type that the table names.

    Raises:
        ComityError: whatever the flow raised.
        Unavailable: another process than a node holds the folder, or there is no house in it.
    """
    from comity.flows.table import FLOWS  # late: a command that fails on its own words must not wait for all flows

    entry = FLOWS[flow]
    try:
        return call(folder, flow, request, entry.response)
    except Unavailable as error:
        if error.code != "no-node":
            raise
    return asyncio.run(_alone(folder, flow, request, passphrase))


async def _alone(folder: Path, flow: str, request: msgspec.Struct, passphrase: Callable[[], str] | None) -> Any:
    from comity.flows.table import FLOWS
    from comity.node.passphrase import required
    from comity.node.run import opened

    async with opened(folder, f"comity {flow}", passphrase or required) as house:
        return await FLOWS[flow].run(house, request)
