"""What is secret in a folder, in one table: by it a lock seals, a bundle holds, a list shows, a check looks.

It is the table of ``spec/keys.md`` step 1. A secret has its place in the folder, or settings name it; a witness that is
served beside a house has a folder of its own, whose secrets are the house's to lock.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

import msgspec

KEYS, ROOT = "keys", "root"
"""Where keys lie in a data folder."""
LOCK = "lock.age"
"""Name of the lock, beside the keys that it locks; ``root/`` and the witness's folder have a copy of their own."""
WITNESS = "witness.toml"
"""What the folder of a witness has; it may lie below the data folder of the node that serves it."""
Named = Literal["alarm", "source", "webhook", "organisation", "tls"]
"""What settings name a file for: secrets of the alarm, sources, webhooks and a login; a witness server's key."""


class Kind(msgspec.Struct, frozen=True):
    """A row of the table.

    Attributes:
        places: patterns below the folder; none where settings name the file.
        bundled: whether it goes to the custodians.
        backed_up: whether it goes into a sealed backup.
        sealed: whether the lock seals it.
    """

    places: tuple[str, ...] = ()
    bundled: bool = True
    backed_up: bool = True
    sealed: bool = True


TABLE: dict[str, Kind] = {
    "root": Kind(("root/root.key", "root/root.token"), backed_up=False),
    "signing": Kind(("keys/*.key", "keys/*.token")),
    "pairwise": Kind(("keys/*.secret",)),
    "registry": Kind(("keys/registry/*.age",)),
    "people": Kind(("keys/people/*.key",)),
    "tls": Kind(("tls/key*.pem",)),
    "backup": Kind(("backup-keys/*",), bundled=False, backed_up=False, sealed=False),
    "alarm": Kind(bundled=False),
    "source": Kind(bundled=False),
    "webhook": Kind(bundled=False),
    "organisation": Kind(bundled=False),
    "witness": Kind(bundled=False, backed_up=False),
}
"""(1) A witness that came back would cosign a second history, so its keys are kept nowhere else."""


class Secret(msgspec.Struct, frozen=True):
    """A file with a secret.

    Attributes:
        path: where it is.
        kind: its row of the table.
        inside: whether it lies in the folder; what settings name elsewhere is somebody else's to seal and to keep.
    """

    path: Path
    kind: str
    inside: bool = True

    @property
    def sealed(self) -> bool:
        """Whether a lock seals it."""
        return self.inside and TABLE[self.kind].sealed


class Secrets:
    """Everything secret of one folder.

    Args:
        folder: a data folder, or that of a witness.
        named: what its settings name.
        beside: the secrets of the witness that the node of this folder serves.
    """

    def __init__(self, folder: Path, named: Iterable[tuple[Named, Path]] = (), beside: Secrets | None = None) -> None:
        self.folder = folder
        self.named = tuple(named)
        self.beside = beside
        self.lock = folder / KEYS / LOCK

    def __iter__(self) -> Iterator[Secret]:
        """Each file that is there, once."""
        seen: set[Path] = set()
        for each in self._all():
            if each.path not in seen:
                seen.add(each.path)
                yield each

    def sealed(self, *, root: bool) -> list[Path]:
        """The files that a lock seals; with the root key, or without."""
        return [each.path for each in self if each.sealed and (root or each.kind != "root")]

    def alone(self) -> Secrets:
        """The same without the witness beside."""
        return Secrets(self.folder, self.named)

    def _all(self) -> Iterator[Secret]:
        for kind, row in TABLE.items():
            for place in row.places:
                yield from (Secret(path, kind) for path in sorted(self.folder.glob(place)))
        for named, path in self.named:
            if path.exists():
                yield Secret(path, named, path.resolve().is_relative_to(self.folder.resolve()))
        if self.beside is not None:
            yield from (Secret(each.path, "witness", each.inside) for each in self.beside)


def witness_folders(folder: Path) -> set[Path]:
    """The folders of witnesses at or below a folder."""
    return {each.parent for each in folder.rglob(WITNESS)}


def exposed(secret: Secret) -> str:
    """What is wrong with how a secret lies on the disk, beside what a lock does; empty where nothing is (3)."""
    found = os.lstat(secret.path)
    if not stat.S_ISREG(found.st_mode):
        return "it is not a file"
    if found.st_mode & 0o077:
        return "others can read it; take it back with 'chmod 600' and think about replacing it"
    if found.st_uid not in {os.geteuid(), 0}:
        return "it belongs to another user of this machine"
    return ""
