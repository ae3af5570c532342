"""The keys of a house as things to be listed, locked and kept: for the verbs of ``comity keys`` (``spec/keys.md``).

A node's work goes through the port; this is the one other module that knows that the keys are files.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import msgspec

from comity.errors import Misuse, Rejected
from comity.flows.keeping.work import CARD
from comity.flows.maintaining.rotating import keys_on
from comity.node.secrets import secrets_of
from comity.node.settings import FILE, read_settings
from comity.ports import KeyFacts, TokenHome
from comity.record.card import known_card
from comity.record.contexts import TOKEN_PROBE
from comity.seal.passphrase import WORK_FACTOR
from comity.stores.backups.snapshot import View, snapshot
from comity.stores.folder import DataFolder
from comity.stores.key_bundle import RECOVERY
from comity.stores.key_facts import key_facts
from comity.stores.key_lock import Lock, lock_keys, open_lock, root_files, unlock_keys, write_lock
from comity.stores.keys import PURPOSES, KeyFolder
from comity.stores.secrets import KEYS, ROOT, TABLE, WITNESS, Secrets

Passphrase = Callable[[], str]
ON_TOKEN = (ROOT, *PURPOSES)
"""The keys that can live on a token: those that sign."""
_NOTED = re.compile(r"# created: (\S+)\n# shares: (\d+) of (\d+)\n# keys: ([0-9a-f]{64})\n(age1pq1\S+)\n")


class Recovery(msgspec.Struct, frozen=True, kw_only=True):
    """What is noted of the recovery key: when it was made, how many shares are needed of how many.

    ``current`` says whether the bundle that was sealed last holds the keys that there are now.
    """

    created: str
    threshold: int
    custodians: int
    recipient: str
    current: bool


class KeysShown(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of a house.

    Attributes:
        keys: each with what can be told without opening it.
        open: the names of those that lie open on the disk.
        root_away: whether the root key is not here.
        recovery: what is noted of the recovery key, where the keys were shared out.
    """

    keys: list[KeyFacts]
    open: list[str]
    root_away: bool
    recovery: Recovery | None = None


def list_keys(folder: Path) -> KeysShown:
    """(10) Every key of the house in ``folder``.

    Raises:
        ComityError: as ``stores.key_facts.key_facts``.
    """
    found = key_facts(folder, secrets_of(folder))
    return KeysShown(
        keys=found,
        open=[each.name for each in found if each.here and not each.locked],
        root_away=not root_files(folder) and not (folder / WITNESS).exists(),
        recovery=recovery_of(folder, found),
    )


def list_standing(folder: Path) -> KeysShown:
    """(10) The same, with what this party's own card says of each; beside the node where one runs.

    Raises:
        ComityError: as ``list_keys``; or the database cannot be read.
    """
    shown, path = list_keys(folder), folder / "comity.sqlite"
    if not path.exists():  # the keys came back before the rest
        return shown
    with snapshot(path) as seen:
        envelope = asyncio.run(View(path, seen).get(CARD, ["self"]))[0]
    told = () if envelope is None else keys_on(known_card(envelope), datetime.now(UTC))
    named = {each.key: each for each in told}

    def standing(key: KeyFacts) -> KeyFacts:
        found = named.get(key.public)
        if found is None:
            return key
        return msgspec.structs.replace(key, standing=found.state, until=found.until, since=found.since)

    return msgspec.structs.replace(shown, keys=[standing(key) for key in shown.keys])


def recovery_of(folder: Path, present: list[KeyFacts]) -> Recovery | None:
    """What is noted of the recovery key of the house in ``folder``; None where the keys were never shared out.

    Raises:
        Rejected: the note is not what ``split_keys`` writes.
    """
    path = folder / KEYS / RECOVERY
    if not path.exists():
        return None
    noted = _NOTED.fullmatch(path.read_text("ascii", "replace"))
    if noted is None:
        raise Rejected("not the note of a recovery key", code="bad-key-file", place=str(path))
    return Recovery(
        created=noted[1],
        threshold=int(noted[2]),
        custodians=int(noted[3]),
        recipient=noted[5],
        current=noted[4] == state_of(present),
    )


def state_of(present: list[KeyFacts]) -> str:
    """A digest of the public halves of all keys: another one when a key was added, replaced or destroyed."""
    told = [f"{key.name} {key.public}" for key in present if key.name != "root" and _bundled(key)]
    return sha256("\n".join(sorted(told)).encode()).hexdigest()


def _bundled(key: KeyFacts) -> bool:
    """Whether it goes to the custodians: a witness's keys and what settings name do not."""
    kind, _, more = key.name.partition("/")
    return TABLE[kind].bundled if more or kind == "alarm" else True


def show_key(folder: Path, name: str) -> KeyFacts:
    """(10) One of them.

    Raises:
        Misuse: there is none of that name.
    """
    found = {each.name: each for each in list_standing(folder).keys}
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
        lock_keys(secrets_of(folder), passphrase, datetime.now(UTC), entropy, work_factor)
    return list_keys(folder)


def unlock(folder: Path, passphrase: Passphrase) -> KeysShown:
    """(8) Take the lock away.

    Raises:
        Misuse: they are not locked, or the passphrase is another one.
        Unavailable: a node runs on the folder.
    """
    with _alone(folder, "unlock"):
        unlock_keys(secrets_of(folder), _lock(folder, passphrase))
    return list_keys(folder)


def change_passphrase(folder: Path, old: Passphrase, new: Passphrase) -> KeysShown:
    """(6) Put the lock under another passphrase.

    Raises:
        Misuse: they are not locked, the old passphrase is another one, or the new one is empty.
        Unavailable: a node runs on the folder.
    """
    with _alone(folder, "passphrase") as work_factor:
        opened = _lock(folder, old)
        write_lock(secrets_of(folder), opened, new(), datetime.now(UTC), entropy, work_factor)
    return list_keys(folder)


def put_on_token(folder: Path, purpose: str, home: TokenHome, passphrase: Passphrase) -> KeyFacts:
    """(22) Put the key of ``purpose``, or the root key, on a token.

    Raises:
        Misuse: there is no such purpose, the key lives on a token already, or the PIN is another one.
        Unavailable: a node runs on the folder, the key is away, or the token does not answer.
    """
    if purpose not in ON_TOKEN:
        raise Misuse(f"{purpose!r} cannot live on a token: {', '.join(ON_TOKEN)} can", code="bad-purpose")
    with _alone(folder, "token"):
        KeyFolder(folder, entropy, passphrase).put_on_token(purpose, home, TOKEN_PROBE)
    return next(each for each in key_facts(folder) if each.name.split("-")[0] == purpose and each.token)


def opened_lock(folder: Path, passphrase: Passphrase) -> Lock | None:
    """(5) The lock of the house in ``folder``; None where its keys lie open.

    Raises:
        Misuse: the passphrase is another one.
    """
    return open_lock(Secrets(folder), passphrase)


def _lock(folder: Path, passphrase: Passphrase) -> Lock:
    found = opened_lock(folder, passphrase)
    if found is None:
        raise Misuse("the keys are not locked; 'comity keys lock' locks them", code="not-locked")
    return found


@contextmanager
def _alone(folder: Path, verb: str) -> Iterator[int]:
    """The folder, held by this process; what is given is the work factor that its settings ask for."""
    alone = (folder / WITNESS).exists()  # of a witness, whose settings have no such table
    factor = WORK_FACTOR if alone else read_settings(folder / FILE).keys.work_factor
    with closing(DataFolder.open(folder, f"comity keys {verb}")):
        yield factor


def entropy(count: int) -> bytes:
    """``count`` fresh random bytes from the operating system."""
    return os.urandom(count)
