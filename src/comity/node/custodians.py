"""The keys of a house shared out to custodians, and brought back by enough of them (``spec/keys.md``, 15 to 18)."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from comity.errors import Misuse, Rejected
from comity.node.keys import Passphrase, entropy, list_keys, opened_lock, state_of
from comity.node.settings import FILE, KeysSettings, read_settings
from comity.ports import KeyFacts
from comity.seal import age, armor
from comity.seal.hybrid import HybridIdentity
from comity.seal.keys import parse_recipient
from comity.seal.recipients import Recipient
from comity.seal.refusals import NoMatch
from comity.seal.shares import combine, split
from comity.stores.durable import disk_errors, make_folders, replace_file, sync_folder, write_synced
from comity.stores.folder import DataFolder
from comity.stores.key_bundle import BUNDLE_BYTES_MAX, RECOVERY, is_secret, pack, put_back, unpack
from comity.stores.key_facts import key_facts
from comity.stores.key_files import instant
from comity.stores.key_lock import Lock, root_files
from comity.stores.secrets import KEYS, LOCK, ROOT

BUNDLE = "keys.age"


class Split(msgspec.Struct, frozen=True, kw_only=True):
    """What ``split_keys`` made.

    Attributes:
        bundle: the file with all keys, sealed to the recovery key.
        shares: a file for each custodian.
        sealed: whether each share is sealed to its custodian; else the files hold the words.
        root: whether the root key is in the bundle.
        tokens: the keys that live on a token, which no bundle holds.
    """

    bundle: str
    shares: list[str]
    sealed: bool
    threshold: int
    root: bool
    tokens: list[str] = []


class Recovered(msgspec.Struct, frozen=True, kw_only=True):
    """Keys that were brought back."""

    folder: str
    keys: list[KeyFacts]
    locked: bool


def split_keys(
    folder: Path, out: Path, threshold: int, custodians: Sequence[Recipient] | int, passphrase: Passphrase
) -> Split:
    """(15) (16) Make a recovery key, seal all keys to it, and write a share of it for each custodian.

    The recovery key itself is kept nowhere.

    Args:
        folder: the data folder; no node runs on it.
        out: a folder that does not exist yet.
        threshold: how many shares give the recovery key back.
        custodians: to whom each share is sealed; or how many there are, for shares in words.
        passphrase: asked where the keys are locked.

    Raises:
        Misuse: such a split cannot be, or there is something under ``out`` already.
        Unavailable: a node runs on the folder.
    """
    count = custodians if isinstance(custodians, int) else len(custodians)
    seed = os.urandom(32)
    identity = HybridIdentity(seed)
    words = split(seed, threshold, count)
    party = read_settings(folder / FILE).party
    made = instant(datetime.now(UTC))
    with closing(DataFolder.open(folder, "comity keys split")), disk_errors(f"writing shares to {str(out)!r}"):
        bundle = pack(folder, opened_lock(folder, passphrase))
        if out.exists():
            raise Misuse(f"{str(out)!r} exists already; name a new folder", code="exists")
        make_folders([out])
        _seal_bundle(out / BUNDLE, bundle, identity.recipient)
        files: list[str] = []
        for number, share in enumerate(words, 1):
            text = _share_text(party, made, number, count, threshold, share)
            path = out / f"share-{number}.txt"
            if not isinstance(custodians, int):
                path = path.with_suffix(".age")
                text = armor.encode(bytes(age.seal_bytes(text, [custodians[number - 1]], entropy)))
            write_synced(path, text)
            files.append(str(path))
        sync_folder(out)
        _note(folder, made, threshold, count, str(identity.recipient))
    return Split(
        bundle=str(out / BUNDLE),
        shares=files,
        sealed=not isinstance(custodians, int),
        threshold=threshold,
        root=bool(root_files(folder)),
        tokens=_on_tokens(folder),
    )


def seal_again(folder: Path, out: Path, passphrase: Passphrase) -> Split:
    """(16) Seal the keys that there are now to the same recovery key: no custodian is needed for it.

    Raises:
        Misuse: the keys were never shared out, or ``out`` is there already.
        Unavailable: a node runs on the folder.
    """
    recovery = list_keys(folder).recovery
    if recovery is None:
        raise Misuse("the keys were never shared out; 'comity keys split' does it", code="no-recovery")
    if out.exists():
        raise Misuse(f"{str(out)!r} exists already; name a new file", code="exists")
    with closing(DataFolder.open(folder, "comity keys bundle")), disk_errors(f"writing {str(out)!r}"):
        _seal_bundle(out, pack(folder, opened_lock(folder, passphrase)), parse_recipient(recovery.recipient))
        sync_folder(out.absolute().parent)
        _note(folder, recovery.created, recovery.threshold, recovery.custodians, recovery.recipient)
    return Split(
        bundle=str(out),
        shares=[],
        sealed=True,
        threshold=recovery.threshold,
        root=bool(root_files(folder)),
        tokens=_on_tokens(folder),
    )


def recover(folder: Path, bundle: bytes, shares: Sequence[tuple[str, str]], passphrase: str) -> Recovered:
    """(17) (18) Bring the keys in ``bundle`` back into ``folder``, by the shares of enough custodians.

    Args:
        folder: has no keys: a data folder that came back from a backup, or a new one whose parent exists.
        bundle: the file that ``split_keys`` or ``seal_again`` wrote.
        shares: where each comes from, and its text.
        passphrase: locks the keys again; they lie open without one.

    Raises:
        Misuse: too few shares, or there are keys in the folder already.
        Rejected: a share or the bundle is not what it must be.
    """
    if len(bundle) > BUNDLE_BYTES_MAX:
        raise Rejected("too long for a bundle of keys", code="bad-bundle")
    identity = HybridIdentity(combine(shares))
    sealed = armor.decode(bundle) if bundle.startswith(armor.BEGIN) else bundle
    try:
        files = unpack(age.open_bytes(age.Sealed.split(sealed), [identity]))
    except NoMatch:
        raise Rejected("these shares belong to another bundle than this one", code="other-bundle") from None
    if passphrase:
        settings = folder / FILE
        asked = read_settings(settings).keys if settings.exists() else KeysSettings()  # a new folder has none yet
        files = _locked(files, passphrase, asked.work_factor)
    with closing(DataFolder.open(folder, "comity keys recover")):
        put_back(folder, files)
    return Recovered(folder=str(folder), keys=key_facts(folder), locked=bool(passphrase))


def _on_tokens(folder: Path) -> list[str]:
    return [key.name for key in list_keys(folder).keys if key.token]


def _locked(files: Mapping[str, bytes], passphrase: str, work_factor: int) -> dict[str, bytes]:
    """The same files under a new lock, before any of them is on the disk."""
    lock = Lock.make(entropy)
    sealed = {name: lock.seal(content, entropy) if is_secret(name) else content for name, content in files.items()}
    for place in {Path(name).parts[0] for name in files} & {KEYS, ROOT}:
        sealed[f"{place}/{LOCK}"] = lock.file(passphrase, instant(datetime.now(UTC)), entropy, work_factor)
    return sealed


def _seal_bundle(path: Path, bundle: bytes, recipient: Recipient) -> None:
    write_synced(path, bytes(age.seal_bytes(bundle, [recipient], entropy)))


def _share_text(party: str, made: str, number: int, count: int, threshold: int, words: str) -> bytes:
    listed = words.split()
    lines = [" ".join(listed[start : start + 6]) for start in range(0, len(listed), 6)]
    return (
        f"# Share {number} of {count} of the recovery key of {party!r}, made {made}.\n"
        f"# Any {threshold} of the {count} open the keys of {party!r}.\n"
        "# Alone it opens nothing. Keep it where only you reach it; tell nobody but a recovery with two witnesses.\n"
        + "\n".join(lines)
        + "\n"
    ).encode()


def _note(folder: Path, made: str, threshold: int, count: int, recipient: str) -> None:
    state = state_of(list_keys(folder).keys)
    text = f"# created: {made}\n# shares: {threshold} of {count}\n# keys: {state}\n{recipient}\n"
    replace_file(folder / KEYS / RECOVERY, text.encode())
