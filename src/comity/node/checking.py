"""``fsck``: everything that a data folder holds, checked beside its node (``spec/backup.md`` steps 70 to 75)."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from itertools import chain
from multiprocessing import get_context
from pathlib import Path

import msgspec

from comity.errors import ComityError
from comity.flows.deriving.derivation import UNSIGNED, payload_waiting
from comity.flows.feeding.checking import check_feed
from comity.flows.feeding.names import FeedName
from comity.flows.feeding.shelf import Shelf
from comity.flows.giving.release import PREPARED, Waiting
from comity.flows.house import House
from comity.flows.keeping.committed import scan_side
from comity.flows.keeping.erasing import HEADER
from comity.flows.maintaining.digests import Digests, Finding, Share, share
from comity.flows.maintaining.rebuilding import compare, compare_ledgers
from comity.flows.maintaining.replaying import Replay
from comity.node.backups import looking_house
from comity.node.run import SystemClock, system_entropy
from comity.node.secrets import secrets_of
from comity.node.settings import FILE, read_settings
from comity.record.encoding import decode
from comity.register.rows import ConsignmentRow, CopyRow
from comity.register.rows.feeding import FeedRow
from comity.stores.backups.snapshot import View, snapshot
from comity.stores.blob_check import BlobsChecked, check_blobs
from comity.stores.erased_keys import read_erased
from comity.stores.folder import parse_mark
from comity.stores.key_lock import is_sealed
from comity.stores.secrets import exposed

Progress = Callable[[str, int, int], None]
PARTS = ("books", "payloads", "feeds")
"""What is checked, and can be checked by itself."""
DIGESTS = "digests"
"""The part of the books that can be checked by itself: no signatures and verdicts, and far faster for that."""
DIGESTS_AT_ONCE = 4_096
"""Entries read at once: whole tiles."""
SHARE = 16 * DIGESTS_AT_ONCE
"""Entries that one process checks at once."""
SHARED_FROM = 400_000
"""Entries from which on several processes take less time than they need to begin."""
_USABLE = frozenset({"in transit", "held", "lost"})


class FolderChecked(msgspec.Struct, frozen=True, kw_only=True):
    """What was checked, and what was found.

    Attributes:
        entries: journal entries, each with its digest, its place, its leaf, its signatures and its verdict.
        rows: rows of the register compared with what the journal gives.
        chains: size of every chain whose ledger was recomputed.
        witnessed: for each own chain, how much the other party has cosigned.
        payloads: sealed payloads compared with their digests.
        payload_bytes: how many bytes they have.
        feeds: batches of each feed, each with its signature and its place in the log.
        findings: what is wrong; empty when all is well.
        signatures: whether signatures and verdicts of the entries were checked as well.
    """

    entries: int = 0
    rows: int = 0
    chains: dict[str, int] = {}
    witnessed: dict[str, int] = {}
    payloads: int = 0
    payload_bytes: int = 0
    feeds: dict[str, int] = {}
    findings: tuple[Finding, ...] = ()
    signatures: bool = True


def check_folder(folder: Path, parts: tuple[str, ...], progress: Progress) -> FolderChecked:
    """Check a data folder as it is now; a node may run on it and is not kept from anything.

    Args:
        folder: the data folder.
        parts: of ``PARTS``; ``DIGESTS`` in the place of the books.
        progress: told how far it is.

    Raises:
        ComityError: there is no node in it, or a database cannot be read at all.
    """
    party = read_settings(folder / FILE).party
    checked = FolderChecked()
    with ExitStack() as stack:
        view = View(folder / "comity.sqlite", stack.enter_context(snapshot(folder / "comity.sqlite")))
        if "books" in parts:
            checked = asyncio.run(_books(folder, party, view, progress))
        elif DIGESTS in parts:
            checked = asyncio.run(_digests(folder / "comity.sqlite", view, progress))
        if "payloads" in parts:
            blobs = check_blobs(folder / "blobs", progress)
            findings = asyncio.run(_payloads(folder, party, view, blobs))
            checked = msgspec.structs.replace(
                checked,
                payloads=len(blobs.digests),
                payload_bytes=blobs.bytes_read,
                findings=(*checked.findings, *findings),
            )
        if "feeds" in parts and (folder / "feeds.sqlite").exists():
            feeds = View(folder / "feeds.sqlite", stack.enter_context(snapshot(folder / "feeds.sqlite")))
            sizes, found = asyncio.run(_feeds(folder, party, view, feeds, progress))
            checked = msgspec.structs.replace(checked, feeds=sizes, findings=(*checked.findings, *found))
    return checked


async def _books(folder: Path, party: str, view: View, progress: Progress) -> FolderChecked:
    """The journal with all that follows from it, and what lies beside it (71)."""
    house = await looking_house(folder, party, view)
    findings = [Finding("comity.sqlite", says) for says in view.damage()]
    total = await _count(view)
    progress("journal", 0, total)
    replay = Replay(house, os.cpu_count() or 1)
    await replay.run(lambda done: progress("journal", done, total))
    verified = await compare(house, replay)
    return FolderChecked(
        entries=verified.entries,
        rows=verified.rows,
        chains=verified.chains,
        witnessed=verified.witnessed,
        findings=(*findings, *verified.findings, *await _outside(folder, house)),
    )


async def _digests(path: Path, view: View, progress: Progress) -> FolderChecked:
    """Digests, places, links and leaves of the journal, tiles and heads of the ledgers (76)."""
    total = view.seen.entries
    ledgers = Digests()
    findings: list[Finding] = []
    for first, stop, checked in _shares(path, total):
        if checked is None or not ledgers.add(checked):  # one by one, so that what is wrong has its name
            for at in range(first, stop, DIGESTS_AT_ONCE):
                findings += ledgers.take(view.seen.digested(at, min(DIGESTS_AT_ONCE, stop - at))).values()
                progress(DIGESTS, ledgers.entries, total)
        progress(DIGESTS, ledgers.entries, total)
    if ledgers.entries != total:
        findings.append(Finding("journal", f"{total - ledgers.entries} of {total} entries are missing"))
    findings += await compare_ledgers(view, ledgers)
    chains = {chain: head.size for chain, head in sorted(ledgers.heads().items())}
    return FolderChecked(entries=total, chains=chains, findings=tuple(findings), signatures=False)


def _shares(path: Path, total: int) -> Iterator[tuple[int, int, Share | None]]:
    """From where to where, and what other processes found it to be; None where few entries are not worth a process.

    Each process reads the journal by itself: an entry that is there never changes.
    """
    if total < SHARED_FROM:
        yield 0, total, None
        return
    workers = os.cpu_count() or 1
    shares = [(first, min(first + SHARE, total)) for first in range(0, total, SHARE)]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        asked = deque(pool.submit(_share, path, *each) for each in shares[: 2 * workers])
        for number, (first, stop) in enumerate(shares):
            yield first, stop, asked.popleft().result()
            asked += (pool.submit(_share, path, *each) for each in shares[number + 2 * workers :][:1])


def _share(path: Path, first: int, stop: int) -> Share | None:
    """A part of the journal, checked by itself."""
    with snapshot(path) as seen:
        portions = (seen.digested(at, min(DIGESTS_AT_ONCE, stop - at)) for at in range(first, stop, DIGESTS_AT_ONCE))
        return share(chain.from_iterable(portions), seen.record)


async def _count(view: View) -> int:
    return sum([head.size for head in (await view.heads()).values()])


def _exposed(folder: Path) -> list[Finding]:
    """What is secret, and lies as it must not (74); the root key is left as it is brought."""
    secrets = secrets_of(folder)
    found = []
    for each in secrets:
        wrong = exposed(each)
        if not wrong and each.sealed and each.kind != "root" and secrets.lock.exists():
            wrong = "" if is_sealed(each.path.read_bytes()) else "it lies open beside the lock; a start seals it"
        if wrong:
            found.append(Finding(os.path.relpath(each.path, folder), wrong))
    return found


async def _outside(folder: Path, house: House) -> list[Finding]:
    """Secrets, the mark and the list of erased keys, outside the database (74)."""
    found = _exposed(folder)
    heads = await house.store.heads()
    try:
        path = folder / "high-water-mark"
        for chain, size in parse_mark(path.read_bytes(), path.name).items() if path.exists() else ():
            if chain not in heads or heads[chain].size < size:
                held = heads[chain].size if chain in heads else 0
                found.append(Finding("high-water-mark", f"{chain!r} had {size} records, and {held} are here"))
        erased = {digest.hex() for digest in read_erased(folder / "erased-keys")}
    except ComityError as error:
        return [*found, Finding(error.place or "data folder", error.sentence)]
    async for key, _ in scan_side(house.store, HEADER):
        if key in erased:
            found.append(Finding(f"{HEADER} {key}", "it is on the list of erased keys, and has to be erased"))
    return found


async def _payloads(folder: Path, party: str, view: View, blobs: BlobsChecked) -> list[Finding]:
    """Damaged payloads, and those that are missing of what can still be opened, or waits to be sent (72)."""
    found = [Finding(f"blobs {digest.hex()}", "the bytes are not what their digest says") for digest in blobs.damaged]
    try:
        needed = await _needed(await looking_house(folder, party, view))
    except (msgspec.MsgspecError, ComityError):
        return [*found, Finding("comity.sqlite", "its rows cannot be read, so nobody knows which payloads are needed")]
    return found + [
        Finding(whose, f"its sealed payload {digest.hex()} is missing")
        for digest, whose in sorted(needed.items())
        if digest not in blobs.digests
    ]


async def _needed(house: House) -> dict[bytes, str]:
    """The payloads that must be here, and for what."""
    needed: dict[bytes, str] = {}
    async for key, copy in house.rows(CopyRow):
        consignment = await house.row(ConsignmentRow, copy.consignment.hex())
        if copy.state in _USABLE and consignment is not None and consignment.author != house.party:
            needed[consignment.payload] = f"copy {key}"
    async for request, value in scan_side(house.store, PREPARED):
        needed[decode(value, Waiting).prepared.payload] = f"request {request}"
    async for item, value in scan_side(house.store, UNSIGNED):
        waiting = payload_waiting(value, SystemClock().now())
        if waiting is not None:
            needed[waiting] = f"item {item}"
    return needed


async def _feeds(
    folder: Path, party: str, view: View, feeds: View, progress: Progress
) -> tuple[dict[str, int], list[Finding]]:
    """The feeds' own database (73)."""
    house = await looking_house(folder, party, view)
    found = [Finding("feeds.sqlite", says) for says in feeds.damage()]
    sizes: dict[str, int] = {}
    names = [FeedName(*key.rsplit("/", 2)) async for key, _ in house.rows(FeedRow)]
    for number, name in enumerate(names, 1):
        card = house.own_card if name.publisher == party else await house.peer_card(name.publisher)
        shelf = Shelf(feeds, name.origin, bytes(32), system_entropy)
        sizes[name.chain], says = await check_feed(name, shelf, card.had("log") if card is not None else ())
        found += [Finding(name.chain, each) for each in says]
        progress("feeds", number, len(names))
    return sizes, found
