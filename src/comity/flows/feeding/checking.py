"""Checking what is kept of a feed: frames, signatures and the log they stand in (``spec/backup.md`` step 73).

It needs no private key, so frames are not opened: that each is signed where it stands, and that its leaf is the one
under the signed root, is what anybody can see. What is in them is checked when they are opened.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from comity.errors import Rejected
from comity.feed.batch import read_frame
from comity.flows.feeding.names import FeedName
from comity.flows.feeding.shelf import Shelf
from comity.ledger.canonical import HASH_BYTES
from comity.ledger.checkpoint import open_checkpoint
from comity.ledger.note import VerifierKey
from comity.ledger.tiles import TILE_WIDTH
from comity.ledger.tree import Frontier


async def check_feed(name: FeedName, shelf: Shelf, log_keys: Sequence[bytes]) -> tuple[int, list[str]]:
    """How many batches a feed has, and what is wrong with what is kept of it."""
    try:
        state = await shelf.read_state()
    except Rejected as error:
        return 0, [error.sentence]
    keys = [name.log_key(key) for key in log_keys]
    found: list[str] = []
    log = Frontier()
    tile, hashes = -1, b""
    for index in range(state.size):
        if index // TILE_WIDTH != tile:
            tile = index // TILE_WIDTH
            hashes = (await shelf.read_tiles([(0, tile)], state.log))[0, tile]
        leaf = hashes[index % TILE_WIDTH * HASH_BYTES :][:HASH_BYTES]
        if len(leaf) != HASH_BYTES:
            return state.size, [*found, f"the tile with the leaf of batch {index} is missing or cut short"]
        log, grown = log.append_hashes([leaf])
        for full in (each for each in grown if each.id.width == TILE_WIDTH):
            place = (full.id.level, full.id.index)
            if (await shelf.read_tiles([place], state.log))[place] != full.hashes:
                found.append(f"tile {full.id.path} is not what its leaves give")
        found += [f"batch {index}: {says}" for says in _frame(await shelf.read_frame(index), name, keys, log)]
    if log.root() != state.root:
        found.append("the leaves that are kept do not give the root that is kept")
    return state.size, found


def _frame(data: bytes | None, name: FeedName, keys: Sequence[VerifierKey], log: Frontier) -> Iterator[str]:
    if data is None:
        yield "it is missing"
        return
    try:
        frame = read_frame(data)
        stated = open_checkpoint(frame.note, name.origin, keys).checkpoint.head
    except Rejected as error:
        yield error.sentence
        return
    if stated != log.head():
        yield "its checkpoint is not that of the leaves that are kept"
