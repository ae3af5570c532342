"""The keys of a house as things to be listed, locked and kept: for the verbs of ``comity keys`` (``spec/keys.md``).

A node's work goes through the port; this is the one other module that knows that the keys are files.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from comity.errors import Misuse
from comity.node.settings import FILE, read_settings
from comity.ports import KeyFacts
from comity.stores.folder import DataFolder
from comity.stores.key_facts import key_facts
from comity.stores.key_lock import KEYS, LOCK, Lock, lock_keys, root_files, unlock_keys, write_lock

Passphrase = Callable[[], str]


class KeysShown(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of a house.

    Attributes:
        keys: each with what can be told without opening it.
        open: the names of those that lie open on the disk.
        root_away: whether the root key is not here.
    """

    keys: list[KeyFacts]
    open: list[str]
    root_away: bool


def list_keys(folder: Path) -> KeysShown:
    """(10) Every key of the house in ``folder``.

    Raises:
        ComityError: as ``stores.key_facts.key_facts``.
    """
    found = key_facts(folder)
    return KeysShown(
        keys=found,
        open=[each.name for each in found if each.here and not each.locked],
        root_away=not root_files(folder),
    )


def show_key(folder: Path, name: str) -> KeyFacts:
    """(10) One of them.

    Raises:
        Misuse: there is none of that name.
    """
    found = {each.name: each for each in key_facts(folder)}
    if name not in found:
        raise Misuse(f"there is no key {name!r} here; there are {', '.join(found)}", code="unknown-key")
    return found[name]


def lock(folder: Path, passphrase: str) -> KeysShown:
    """(7) Lock the keys with a passphrase.

    Raises:
        Misuse: they are locked already, or the passphrase is empty.
        Unavailable: a node runs on the folder.
    """
    with _alone(folder, "lock") as work_factor:
        lock_keys(folder, passphrase, datetime.now(UTC), _entropy, work_factor)
    return list_keys(folder)


def unlock(folder: Path, passphrase: Passphrase) -> KeysShown:
    """(8) Take the lock away.

    Raises:
        Misuse: they are not locked, or the passphrase is another one.
        Unavailable: a node runs on the folder.
    """
    with _alone(folder, "unlock"):
        unlock_keys(folder, _lock(folder, passphrase))
    return list_keys(folder)


def change_passphrase(folder: Path, old: Passphrase, new: Passphrase) -> KeysShown:
    """(6) Put the lock under another passphrase.

    Raises:
        Misuse: they are not locked, the old passphrase is another one, or the new one is empty.
        Unavailable: a node runs on the folder.
    """
    with _alone(folder, "passphrase") as work_factor:
        opened = _lock(folder, old)
        write_lock(folder, opened, new(), datetime.now(UTC), _entropy, work_factor)
    return list_keys(folder)


def _lock(folder: Path, passphrase: Passphrase) -> Lock:
    path = folder / KEYS / LOCK
    if not path.exists():
        raise Misuse("the keys are not locked; 'comity keys lock' locks them", code="not-locked")
    return Lock.read(path, passphrase)


@contextmanager
def _alone(folder: Path, verb: str) -> Iterator[int]:
    """The folder, held by this process; what is given is the work factor that its settings ask for."""
    settings = read_settings(folder / FILE)
    with closing(DataFolder.open(folder, f"comity keys {verb}")):
        yield settings.keys.work_factor


def _entropy(count: int) -> bytes:
    return os.urandom(count)
