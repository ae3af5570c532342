"""The lock on a house's keys: an age identity, itself sealed to a passphrase, to which every key is sealed.

Rules of this file (``spec/keys.md`` steps 4 to 9):

- The lock is what the passphrase opens; the keys are sealed to the lock. So a new passphrase replaces one small file,
  and a new key is sealed without asking for the passphrase again.
- Both are ordinary age files: whoever has the folder and the passphrase needs no Comity.
- Neither a passphrase nor a key stands in an error or a ``repr``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from io import BytesIO
from pathlib import Path

from comity.errors import Misuse, Rejected, Unavailable
from comity.ports import Entropy
from comity.seal import age, armor
from comity.seal.hybrid import HybridIdentity
from comity.seal.keys import generate_identity, key_file, locked_key_file, read_key_file
from comity.seal.passphrase import WORK_FACTOR, PassphraseRecipient
from comity.seal.refusals import NoMatch
from comity.stores.durable import replace_file
from comity.stores.key_files import instant, read_private, remove
from comity.stores.secrets import KEYS, LOCK, ROOT, Secrets

PASSPHRASE_CHARACTERS_MIN = 12
"""Of a new passphrase: whoever has the file can guess as long as he likes."""
Passphrase = Callable[[], str]
"""Asks for the passphrase, wherever it comes from; called once, and only where something is locked."""


class Lock:
    """An opened lock: it opens and seals the keys of a house."""

    def __init__(self, identity: HybridIdentity) -> None:
        self._identity = identity

    @classmethod
    def make(cls, entropy: Entropy) -> Lock:
        """A new lock, which lies nowhere yet."""
        return cls(generate_identity(entropy))

    @classmethod
    def read(cls, path: Path, passphrase: Passphrase | None) -> Lock:
        """(5) The lock in the file at ``path``, opened.

        Raises:
            Unavailable: it cannot be read, or there is nobody to ask for the passphrase.
            Rejected: others can read it, or it is no lock.
            Misuse: the passphrase is another one.
        """
        content = read_private(path)
        if passphrase is None:
            raise Unavailable("the keys are locked, and no passphrase is at hand", code="keys-locked")
        words = passphrase()
        try:
            (identity,) = read_key_file(content, lambda: words)
        except NoMatch:
            raise Misuse(
                "this passphrase does not unlock the keys; nothing was done", code="wrong-passphrase"
            ) from None
        except Rejected as error:
            raise Rejected(f"not a lock of keys: {error.sentence}", code="bad-lock", place=str(path)) from None
        except ValueError:
            identity = None
        if not isinstance(identity, HybridIdentity):
            raise Rejected("not a lock of keys: it holds something else", code="bad-lock", place=str(path))
        return cls(identity)

    def file(self, passphrase: str, created: str, entropy: Entropy, work_factor: int = WORK_FACTOR) -> bytes:
        """(4) What lies on the disk: the lock, sealed to a passphrase.

        Raises:
            Misuse: the passphrase is empty, or short.
        """
        check_passphrase(passphrase)
        return locked_key_file(key_file(self._identity, created), PassphraseRecipient(passphrase, work_factor), entropy)

    def seal(self, content: bytes, entropy: Entropy) -> bytes:
        """(4) A key, sealed to this lock, in the text form."""
        return armor.encode(bytes(age.seal_bytes(content, [self._identity.recipient], entropy)))

    def open(self, content: bytes, place: str) -> bytes:
        """(5) What was sealed to this lock.

        Raises:
            Rejected: it was not, or it was changed since.
        """
        opened = BytesIO()
        try:
            age.open_stream(armor.detected(BytesIO(content)), opened, [self._identity])
        except NoMatch:
            raise Rejected("locked with another lock than this house's", code="other-lock", place=place) from None
        except Rejected as error:
            raise Rejected(
                f"a locked key that is damaged: {error.sentence}", code="bad-key-file", place=place
            ) from None
        return opened.getvalue()

    def opens(self, paths: list[Path]) -> bool:
        """Whether all that is sealed among these files is sealed to this lock."""
        for path in paths:
            content = read_private(path)
            if is_sealed(content):
                try:
                    self.open(content, str(path))
                except Rejected:
                    return False
        return True

    def __repr__(self) -> str:
        return "Lock()"


def is_sealed(content: bytes) -> bool:
    """Whether a key file is sealed to a lock."""
    return content.startswith(armor.BEGIN)


def check_passphrase(passphrase: str) -> None:
    """(6) Whether a new passphrase may be.

    Raises:
        Misuse: it is short.
    """
    if 0 < len(passphrase) < PASSPHRASE_CHARACTERS_MIN:
        raise Misuse(
            f"a passphrase of {len(passphrase)} characters is soon guessed; take at least "
            f"{PASSPHRASE_CHARACTERS_MIN}, such as four words drawn by lot",
            code="short-passphrase",
        )


def signing_files(keys: Path, purpose: str) -> list[Path]:
    """The files of a purpose's keys: the first one has its name alone, the others the start of their public half."""
    return [
        path
        for name in (purpose, f"{purpose}-*")
        for suffix in ("key", "token")
        for path in sorted(keys.glob(f"{name}.{suffix}"))
    ]


def root_files(folder: Path) -> list[Path]:
    """The file of the root key, where it is not away."""
    return [path for name in ("root.key", "root.token") if (path := folder / ROOT / name).exists()]


def open_lock(secrets: Secrets, passphrase: Passphrase | None, house: Lock | None = None) -> Lock | None:
    """(5) The lock of a folder, opened; None where its secrets lie open.

    Args:
        secrets: of the folder.
        passphrase: asked where it is needed.
        house: of a witness the lock of the house it is served beside, which may be its own, too.

    Raises:
        ComityError: as ``Lock.read``.
    """
    if not secrets.lock.exists():
        return None
    if house is not None and house.opens(secrets.sealed(root=False)):
        return house
    return Lock.read(secrets.lock, passphrase)


def seal_all(secrets: Secrets, lock: Lock, entropy: Entropy, *, root: bool = False) -> None:
    """(7) Seal what lies open, file by file; what is sealed already stays as it is."""
    for path in _reached(secrets, lock).sealed(root=root):
        content = read_private(path)
        if not is_sealed(content):
            replace_file(path, lock.seal(content, entropy))


def mend(secrets: Secrets, lock: Lock | None, entropy: Entropy) -> None:
    """(7) Finish what a crash has cut short: no half-written file stays; under a lock nothing lies open."""
    for place in {secrets.folder / KEYS, secrets.folder / ROOT, *(each.path.parent for each in secrets if each.sealed)}:
        for path in place.glob("*.partial"):
            remove(path)
    if lock is not None:
        beside = _reached(secrets, lock).beside
        if beside is not None and read_private(secrets.lock) != _content(beside.lock):
            replace_file(beside.lock, read_private(secrets.lock))
        seal_all(secrets, lock, entropy)


def lock_keys(secrets: Secrets, passphrase: str, now: datetime, entropy: Entropy, factor: int = WORK_FACTOR) -> Lock:
    """(7) Lock the secrets of a folder: first the lock is there, then each file is sealed to it.

    Raises:
        Misuse: they are locked already, or the passphrase is empty.
    """
    if secrets.lock.exists():
        raise Misuse("the keys are locked already; 'comity keys passphrase' changes the passphrase", code="is-locked")
    lock = Lock.make(entropy)
    write_lock(secrets, lock, passphrase, now, entropy, factor)
    seal_all(secrets, lock, entropy, root=True)
    return lock


def write_lock(
    secrets: Secrets, lock: Lock, passphrase: str, now: datetime, entropy: Entropy, factor: int = WORK_FACTOR
) -> None:
    """(6) Put the lock, under a passphrase, in the place of the one that was there; beside the root key, too.

    After a crash either passphrase may be the good one, and exactly one is in each place.
    """
    content = lock.file(passphrase, instant(now), entropy, factor)
    if any(root_files(secrets.folder)):
        replace_file(secrets.folder / ROOT / LOCK, content)
    beside = _reached(secrets, lock).beside
    if beside is not None:
        replace_file(beside.lock, content)
    replace_file(secrets.lock, content)


def unlock_keys(secrets: Secrets, lock: Lock) -> None:
    """(8) Take the lock away: each file is opened in its place, and the lock goes last."""
    secrets = _reached(secrets, lock)
    for path in secrets.sealed(root=True):
        content = read_private(path)
        if is_sealed(content):
            replace_file(path, lock.open(content, str(path)))
    if secrets.beside is not None:
        remove(secrets.beside.lock)
    remove(secrets.lock)
    remove(secrets.folder / ROOT / LOCK)


def _reached(secrets: Secrets, lock: Lock) -> Secrets:
    """What a lock is there for: not the witness beside, where that has a lock of its own."""
    beside = secrets.beside
    return secrets if beside is None or lock.opens(beside.sealed(root=False)) else secrets.alone()


def _content(path: Path) -> bytes | None:
    return read_private(path) if path.exists() else None
