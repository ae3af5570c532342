"""Backups as the command line asks for them: of a data folder whose node runs or not, and back into a new one.

A backup reads beside the node and never through it, so that it costs the node nothing but the disk's time and a log
that grows meanwhile (``spec/backup.md`` step 11).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import msgspec

from comity.errors import Misuse
from comity.flows.house import House
from comity.flows.keeping.work import CARD
from comity.flows.maintaining.restoring import FOLLOWING, NEVER, make_again
from comity.node.run import SystemClock, system_entropy
from comity.node.settings import FILE, read_settings
from comity.ports import Keys, RestoredFrom, Store
from comity.record.card import Card, read_card
from comity.seal.recipients import Identity, Recipient
from comity.stores.backups import restoring, taking
from comity.stores.backups.checking import BackupsChecked, BackupShown, check_backups, show_backups
from comity.stores.backups.repository import Repository, read_about
from comity.stores.backups.restoring import Derived, Point, Restored
from comity.stores.backups.snapshot import snapshot
from comity.stores.backups.taking import KEPT_KEYS, Progress, Taken
from comity.stores.blobs import FolderBlobs
from comity.stores.durable import disk_errors, replace_file
from comity.stores.erased_keys import FileErasedKeys
from comity.stores.files import LocalFiles
from comity.stores.folder import DataFolder, FolderHighWaterMark, format_mark, parse_mark
from comity.stores.restoration import NOTE, FileRestoration, write_note
from comity.stores.sqlite import SqliteStore
from comity.timezones import time_zones

__all__ = [
    "BackupShown",
    "BackupsChecked",
    "Point",
    "Progress",
    "Restored",
    "Taken",
    "admit_older",
    "check",
    "listed",
    "restore",
    "take",
]


def take(
    folder: Path,
    to: Path,
    recipients: Sequence[Recipient],
    keep: int | None,
    program: str,
    progress: Progress,
    *,
    openly: bool = False,
) -> Taken:
    """Take a backup of the node in ``folder`` and add it to the folder of backups ``to``, made if there is none.

    Raises:
        ComityError: as ``stores.backups.taking`` says; no backup was added.
    """
    if to.absolute().is_relative_to(folder.absolute()):
        raise Misuse("a backup within the folder that it is of is lost with it; name another place", code="same-folder")
    party = read_settings(folder / FILE).party
    repository = taking.open_or_make(folder, to, party, list(recipients), system_entropy, openly=openly)
    return taking.take(folder, repository, at=SystemClock().now(), program=program, keep=keep, progress=progress)


def listed(path: Path, folder: Path | None, identities: Sequence[Identity]) -> list[BackupShown]:
    """Every whole backup in a folder of backups.

    Raises:
        ComityError: as ``Repository.open``.
    """
    return show_backups(_opened(path, folder, identities))


def check(path: Path, folder: Path | None, identities: Sequence[Identity], progress: Progress) -> BackupsChecked:
    """Read every piece of every backup in a folder of backups.

    Raises:
        ComityError: as ``Repository.open``.
    """
    return check_backups(_opened(path, folder, identities), progress)


def restore(
    path: Path,
    point: Point,
    target: Path,
    *,
    identities: Sequence[Identity],
    lost: Path | None,
    keys: Path | None,
    progress: Progress,
) -> Restored:
    """Bring the node of a backup back into ``target``.

    Args:
        path: the folder of backups.
        point: which state.
        target: a folder that does not exist yet, or is empty.
        identities: whom a sealed backup is sealed to.
        lost: what is left of the lost data folder.
        keys: a folder with private keys, where the backup is not sealed.
        progress: told how far it is.

    Raises:
        ComityError: as ``stores.backups.restoring.restore``; there is no node in the folder then.
    """
    repository = _opened(path, lost, identities)
    if not repository.vault.is_sealed and keys is None and lost is not None and (lost / "keys").is_dir():
        keys = lost
    if not repository.vault.is_sealed and keys is None:
        raise Misuse(
            "this backup is not sealed, so it has no private keys; name the folder where 'keys' and 'tls' are with "
            "--keys",
            code="no-keys",
        )
    return asyncio.run(
        restoring.restore(
            repository,
            point,
            target,
            lost=lost,
            keys=keys,
            derived=Derived(FOLLOWING, NEVER, lambda folder: _again(folder, repository.about.party)),
            at=SystemClock().now(),
            progress=progress,
        )
    )


def admit_older(folder: Path) -> RestoredFrom:
    """Note that the database in ``folder`` is an older copy, so that its node catches up with its peers.

    What it had signed besides is lost where no peer has it, and its own chain says so (``spec/backup.md`` step 36).

    Raises:
        Misuse: ``not-older``: the database holds all that its mark says.
        Unavailable: a process holds the folder.
    """
    with DataFolder.open(folder, "comity catch-up") as held:
        path = held.high_water_mark
        marked = parse_mark(path.read_bytes(), str(path)) if path.exists() else {}
        with snapshot(held.database) as seen:
            sizes = {chain: stand.size for chain, stand in seen.heads().items()}
        if all(sizes.get(chain, 0) >= size for chain, size in marked.items()):
            raise Misuse("the database holds all that its high-water mark says: it is no older copy", code="not-older")
        kept = {chain: min(sizes.get(chain, 0), size) for chain, size in marked.items()}
        now = SystemClock().now()
        note = RestoredFrom(backup=0, taken=now, at=now, floor=marked, kept=kept)
        write_note(folder / NOTE, note)
        with disk_errors(f"writing {str(path)!r}"):
            replace_file(path, format_mark(kept))
    return note


def _opened(path: Path, folder: Path | None, identities: Sequence[Identity]) -> Repository:
    """A folder of backups, by who it is sealed to, or by the key that a data folder keeps of it."""
    about = read_about(path)
    kept = folder / KEPT_KEYS / about.id if folder is not None else None
    key = kept.read_bytes() if kept is not None and about.sealed and not identities and kept.is_file() else b""
    return Repository.open(path, system_entropy, key=key, identities=identities)


class _PublicKey(msgspec.Struct, frozen=True):
    public: bytes


class _CardKeys(msgspec.Struct, frozen=True):
    """What the card of a house says of its keys: enough to check what they have signed."""

    card: Card

    @property
    def root_public(self) -> bytes:
        return self.card.root

    @property
    def record(self) -> _PublicKey:
        return _PublicKey(self.card.node_sign[0])

    @property
    def log(self) -> _PublicKey:
        return _PublicKey(self.card.log)


async def _again(folder: Path, party: str) -> None:
    """Make what follows from the journal of a database from which entries were left out."""
    store = await SqliteStore.open(folder / "comity.sqlite")
    try:
        await make_again(await looking_house(folder, party, store))
    finally:
        await store.close()


async def looking_house(folder: Path, party: str, store: Store) -> House:
    """A house that is not started: nothing is signed with it, and it holds no private key."""
    card = (await store.get(CARD, ["self"]))[0]
    if card is None:
        raise Misuse("this folder has no card yet; run 'comity init' first", code="no-card")
    own = read_card(card)
    house = House(
        party,
        store=store,
        blobs=FolderBlobs(folder),
        mark=FolderHighWaterMark(folder / "high-water-mark"),
        erased=FileErasedKeys(folder / "erased-keys"),
        restoration=FileRestoration(folder / NOTE),
        clock=SystemClock(),
        entropy=system_entropy,
        keys=cast("Keys", _CardKeys(own)),
        files=LocalFiles(folder / "temporary"),
        zones=time_zones(),
        follow=_follow_nothing,
    )
    house.own_card = own  # a house that is started would take up its private keys with it
    return house


async def _follow_nothing(*_: object) -> None:
    """Nothing is set in motion by looking."""
