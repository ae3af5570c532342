"""The keys of a house as files in its data folder (the ``Keys`` port; ``spec/keys.md``).

Each key is a file of its own, readable by its owner only: ``keys/record.key`` and so on as Ed25519 keys in PEM
(PKCS#8), ``keys/registry/EPOCH.age`` as age identities, ``keys/people/PERSON.key`` for people in served custody. The
root key stands apart in ``root/root.key`` so that it can be carried away: the house runs without it. Where there is a
``keys/lock.age``, every key is sealed to it, under the same name.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from comity.errors import Misuse, Rejected, Unavailable
from comity.ports import Entropy, Signer, TokenHome
from comity.seal.certificate import make_certificate
from comity.seal.keys import generate_identity, key_file, parse_identity
from comity.seal.passphrase import WORK_FACTOR
from comity.stores import tls_keys
from comity.stores.durable import make_folders, sync_folder, write_synced
from comity.stores.key_files import check_folder, instant, read_private, read_public, remove, write_public, written_at
from comity.stores.key_lock import (
    Lock,
    Passphrase,
    check_passphrase,
    is_sealed,
    mend,
    open_lock,
    root_files,
    signing_files,
    write_lock,
)
from comity.stores.secrets import KEYS, LOCK, ROOT, Secrets
from comity.stores.tls_keys import TLS
from comity.stores.token import TokenSigner, make_on_token, put_on_token, read_token_key, remove_from_token

PURPOSES = ("record", "log", "witness", "transport")
"""One key, one purpose."""
PAIRWISE_BYTES = 32


class Ed25519Signer:
    """A private Ed25519 key in memory."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self.public = private.public_key().public_bytes_raw()
        self.sign = private.sign

    def __repr__(self) -> str:
        return f"Ed25519Signer({self.public.hex()[:16]}…)"


def system_now() -> datetime:
    """The clock of this machine, for the note of when a key was made."""
    return datetime.now(UTC)


class KeyFolder:
    """The keys below one data folder; read once, when first asked for.

    Args:
        folder: the data folder, locked by this process.
        entropy: fresh random bytes.
        unlock: asks for the passphrase, once and only where the keys are locked; or the lock, opened.
        now: when a key is made, for people who list them.
        secrets: what is secret in the folder, with what settings name; else what has its place there.
    """

    def __init__(
        self,
        folder: Path,
        entropy: Entropy,
        unlock: Passphrase | Lock | None = None,
        now: Callable[[], datetime] = system_now,
        secrets: Secrets | None = None,
    ) -> None:
        self._data = folder
        self._secrets = secrets or Secrets(folder)
        self._folder = folder / KEYS
        self._root = folder / ROOT / ROOT
        self._entropy = entropy
        self._now = now
        self._people: dict[str, dict[bytes, Signer]] = {}
        check_folder(self._folder)
        self.lock = unlock if isinstance(unlock, Lock) else open_lock(self._secrets, unlock)
        self._unlock = unlock
        self._mend()
        self.root_public = bytes.fromhex(self._public("root"))
        self._signers: dict[str, dict[bytes, Signer]] = {}
        self.record, self.log, self.witness, self.transport = (next(iter(self._of(each).values())) for each in PURPOSES)
        self._pairwise = self._read(self._folder / "pairwise.secret")
        if len(self._pairwise) != PAIRWISE_BYTES:
            raise Rejected("not a pairwise secret", code="bad-key-file", place=str(self._folder / "pairwise.secret"))
        self._registry: list[str] = []
        self._read_registry()

    @classmethod
    def create(
        cls,
        folder: Path,
        entropy: Entropy,
        passphrase: str = "",
        work_factor: int = WORK_FACTOR,
        now: Callable[[], datetime] = system_now,
        token: TokenHome | None = None,
        on_token: Collection[str] = (),
    ) -> KeyFolder:
        """Make all keys of a new house, durably; locked where there is a passphrase: no key ever lies open then.

        Those named in ``on_token`` are born on ``token`` (step 21).

        Raises:
            Misuse: there are keys already, or the passphrase is short; nothing was changed.
        """
        keys = folder / KEYS
        if keys.exists():
            raise Misuse(f"there are keys in {str(folder)!r} already", code="keys-exist")
        check_passphrase(passphrase)
        make_folders([keys, keys / "registry", keys / "people", folder / ROOT])
        lock = Lock.make(entropy) if passphrase else None
        created = instant(now())
        for purpose in (ROOT, *PURPOSES):
            path = (folder / ROOT if purpose == ROOT else keys) / purpose
            made: TokenSigner | Ed25519Signer
            if token is not None and purpose in on_token:
                made = _new_on_token(path, token, entropy, lock)
            else:
                made = _new(path.with_name(f"{purpose}.key"), entropy(32), entropy, lock)
            if purpose == ROOT and lock is not None:
                write_lock(Secrets(folder), lock, passphrase, now(), entropy, work_factor)
            write_public(keys / f"{purpose}.public", made.public.hex(), created, _home(made))
        _new_epoch(keys / "registry" / "000001.age", entropy, lock, created)
        _put(keys / "pairwise.secret", entropy(PAIRWISE_BYTES), entropy, lock)
        return cls(folder, entropy, lock, now)

    # ---- the port --------------------------------------------------------------------------------------------------

    def root(self) -> Signer:
        """See ``ports.Keys.root``."""
        path = self._root_file()
        try:
            signer = self._load(path)
        except Rejected as error:
            lock = path.with_name(LOCK)
            if error.code != "other-lock" or not lock.exists():
                raise
            signer = _signer(path, Lock.read(lock, self._asking()).open(read_private(path), str(path)))
        if signer.public != self.root_public:
            raise Rejected("the root key brought here is another party's, or another one of ours", code="other-root")
        return signer

    def person(self, person: str, public: bytes | None = None) -> Signer:
        """See ``ports.Keys.person``."""
        kept = self._of_person(person)
        signer = next(iter(kept.values()), None) if public is None else kept.get(public)
        if signer is None:
            raise Unavailable("this person's signing key is not kept here", code="no-person-key")
        return signer

    def person_keys(self, person: str) -> Sequence[bytes]:
        """See ``ports.Keys.person_keys``."""
        return list(self._of_person(person))

    def new_person(self, person: str) -> Signer:
        """See ``ports.Keys.new_person``."""
        seed = self._entropy(32)
        name = person
        if self._of_person(person):  # (11) it is to follow another
            name += f"-{Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw().hex()[:16]}"
        made = self._make(self._folder / "people" / name, seed)
        self._people[person][made.public] = made
        return made

    def destroy_person(self, person: str, public: bytes) -> None:
        """See ``ports.Keys.destroy_person``."""
        self._of_person(person).pop(public, None)
        for path in self._person_files(person):
            noted = read_public(path.with_suffix(".public"))
            if noted is not None and noted[0] == public.hex():
                remove(path)
                remove(path.with_suffix(".public"))

    def registry(self) -> Sequence[str]:
        """See ``ports.Keys.registry``."""
        return self._registry

    def pairwise(self) -> bytes:
        """See ``ports.Keys.pairwise``."""
        return self._pairwise

    # ---- keys that follow others -----------------------------------------------------------------------------------

    def signer(self, purpose: str, public: bytes) -> Signer:
        """See ``ports.Keys.signer``."""
        found = self._of(purpose).get(public)
        if found is None:
            raise Unavailable(f"this {purpose} key is not kept here", code="no-key", place=public.hex())
        return found

    def make(self, purpose: str) -> Signer:
        """See ``ports.Keys.make``."""
        present = getattr(self, purpose)
        if isinstance(present, TokenSigner):
            made = make_on_token(present.key.home, token_label(purpose, self._entropy))
            path = self._folder / f"{purpose}-{made.public.hex()[:16]}"
            _put(path.with_name(f"{path.name}.token"), msgspec.json.encode(made.key), self._entropy, self.lock)
            write_public(path.with_name(f"{path.name}.public"), made.public.hex(), instant(self._now()), _home(made))
            self._of(purpose)[made.public] = made
            return made
        seed = self._entropy(32)
        public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
        kept = self._make(self._folder / f"{purpose}-{public.hex()[:16]}", seed)
        self._of(purpose)[public] = kept
        return kept

    def use(self, purpose: str, public: bytes) -> None:
        """See ``ports.Keys.use``."""
        setattr(self, purpose, self.signer(purpose, public))

    def destroy(self, purpose: str, public: bytes) -> None:
        """(12) Destroy a key that signs no more, or a certificate; nothing where it is gone already.

        Raises:
            Misuse: it is the one in use.
        """
        if purpose == TLS:
            tls_keys.destroy_certificate(self._data, public)
            return
        if getattr(self, purpose).public == public:
            raise Misuse(f"this {purpose} key is in use", code="key-in-use")
        gone = self._of(purpose).pop(public, None)
        if isinstance(gone, TokenSigner):
            remove_from_token(gone.key)
        for path in signing_files(self._folder, purpose):
            noted = read_public(path.with_suffix(".public"))
            if noted is not None and noted[0] == public.hex():
                remove(path)
                remove(path.with_suffix(".public"))

    def certificates(self) -> Collection[bytes]:
        """See ``ports.Keys.certificates``."""
        return tls_keys.certificates(self._data)

    def new_certificate(self, party: str) -> bytes:
        """See ``ports.Keys.new_certificate``."""
        made = make_certificate(party, self._now())
        tls_keys.keep_certificate(self._data, made, self._sealed)
        return made.digest

    def certificate(self, digest: bytes) -> tuple[Path, bytes]:
        """The file of a certificate, and its key in PEM, for the server.

        Raises:
            Unavailable: it is not here.
        """
        path = tls_keys.certificates(self._data).get(digest)
        if path is None:
            told = f"the certificate {digest.hex()[:16]}…, which this party's card names, is not here with its key"
            raise Unavailable(told, code="no-certificate", place=str(self._data / TLS))
        return path, self._read(tls_keys.key_of(path))

    def new_epoch(self) -> int:
        """(13) Make the identity of the registry's next epoch, durably; it is the newest from now on."""
        epoch = self.epochs()[0] + 1
        _new_epoch(self._folder / "registry" / f"{epoch:06}.age", self._entropy, self.lock, instant(self._now()))
        self._read_registry()
        return epoch

    def epochs(self) -> list[int]:
        """The epochs whose identities are kept, newest first, in the order of ``registry``."""
        return sorted((int(path.stem) for path in (self._folder / "registry").glob("*.age")), reverse=True)

    def destroy_epoch(self, epoch: int) -> None:
        """(13) Destroy the identity of an epoch; what was sealed to it alone is never opened again.

        Raises:
            Misuse: it is the newest one.
        """
        if epoch == self.epochs()[0]:
            raise Misuse("the newest epoch of the registry is in use", code="epoch-in-use")
        for suffix in (".age", ".public"):
            remove(self._folder / "registry" / f"{epoch:06}{suffix}")
        self._read_registry()

    def put_on_token(self, purpose: str, home: TokenHome, probe: bytes) -> TokenSigner:
        """(22) Put the key of ``purpose``, or the root key, on a token; its file is gone when the token has signed.

        Args:
            purpose: whose key.
            home: the token.
            probe: what the token signs, to show that it can; nothing else may be signed by these bytes.

        Raises:
            Misuse: it lives on a token already, or the label is taken there.
            Unavailable: the token is not there, or does not answer; nothing was changed.
        """
        path, present = self._present(purpose)
        if path.suffix == ".token":
            raise Misuse(f"the {purpose} key lives on a token already", code="on-token")
        private = load_pem_private_key(self._read(path), password=None)
        assert isinstance(private, Ed25519PrivateKey)
        signer = put_on_token(home, token_label(purpose, self._entropy), private.private_bytes_raw(), present)
        signer.sign(probe)
        _put(path.with_suffix(".token"), msgspec.json.encode(signer.key), self._entropy, self.lock)
        public = self._folder / f"{path.stem}.public"
        noted = read_public(public)
        write_public(public, present.hex(), noted[1] if noted else "", home.token)
        remove(path)
        if purpose != ROOT:
            self._of(purpose)[present] = signer
            self.use(purpose, present)
        return signer

    def _present(self, purpose: str) -> tuple[Path, bytes]:
        """The file of the key in use, and its public half."""
        if purpose == ROOT:
            return self._root_file(), self.root().public
        public: bytes = getattr(self, purpose).public
        for path in signing_files(self._folder, purpose):
            noted = read_public(path.with_suffix(".public"))
            if noted is not None and noted[0] == public.hex():
                return path, public
        raise Unavailable(f"this {purpose} key is not kept here", code="no-key")

    # ---- files -----------------------------------------------------------------------------------------------------

    def _root_file(self) -> Path:
        found = root_files(self._data)
        if not found:
            place = str(self._root.with_suffix(".key"))
            raise Unavailable(
                f"the root key is offline; put it at {place!r} for this act, then take it away again",
                code="root-offline",
            )
        return found[-1]

    def secret(self, path: Path) -> bytes:
        """What is in a file that settings name, opened where it is locked.

        Raises:
            Unavailable: it cannot be read.
            Rejected: others can read it, or it is locked with another lock.
        """
        return self._read(path, "secret")

    def _sealed(self, content: bytes) -> bytes:
        return content if self.lock is None else self.lock.seal(content, self._entropy)

    def _asking(self) -> Passphrase | None:
        return None if isinstance(self._unlock, Lock) else self._unlock

    def _mend(self) -> None:
        for told in (*self._folder.glob("*.token"), *self._root.parent.glob("*.token")):
            remove(told.with_suffix(".key"))  # (22) it was put on the token
        mend(self._secrets, self.lock, self._entropy)

    def _read(self, path: Path, what: str = "key") -> bytes:
        content = read_private(path, what)
        if not is_sealed(content):
            return content
        if self.lock is None:
            raise Rejected("locked with another lock than this house's", code="other-lock", place=str(path))
        return self.lock.open(content, str(path))

    def _load(self, file: Path) -> Signer:
        signer = _signer(file, self._read(file))
        if file.parent != self._root.parent:
            public = file.with_suffix(".public")
            noted = read_public(public)
            if noted is None or noted[0] != signer.public.hex():  # made by an older program, or cut short
                write_public(public, signer.public.hex(), written_at(file), _home(signer))
        return signer

    def _of(self, purpose: str) -> dict[bytes, Signer]:
        """The keys of a purpose by their public halves, the first one that was made first."""
        if purpose not in self._signers:
            files = signing_files(self._folder, purpose)
            if not files:
                raise Unavailable(f"there is no {purpose} key", code="no-key", place=str(self._folder))
            found = [self._load(path) for path in files]
            self._signers[purpose] = {each.public: each for each in found}
        return self._signers[purpose]

    def _of_person(self, person: str) -> dict[bytes, Signer]:
        """The keys of a person by their public halves, the first one that was made first."""
        if person not in self._people:
            found = [self._load(path) for path in self._person_files(person)]
            self._people[person] = {each.public: each for each in found}
        return self._people[person]

    def _person_files(self, person: str) -> list[Path]:
        people = self._folder / "people"
        return [path for path in (people / f"{person}.key", *sorted(people.glob(f"{person}-*.key"))) if path.exists()]

    def _make(self, path: Path, seed: bytes) -> Signer:
        signer = _new(path.with_name(f"{path.name}.key"), seed, self._entropy, self.lock)
        write_public(path.with_name(f"{path.name}.public"), signer.public.hex(), instant(self._now()))
        return signer

    def _public(self, name: str) -> str:
        path = self._folder / f"{name}.public"
        noted = read_public(path)
        if noted is None:
            raise Unavailable("the public half of this key is not here", code="no-key", place=str(path))
        return noted[0]

    def _read_registry(self) -> None:
        paths = sorted((self._folder / "registry").glob("*.age"), reverse=True)
        self._registry[:] = map(self._identity, paths)

    def _identity(self, path: Path) -> str:
        content = self._read(path)
        try:
            secret = content.decode("ascii", "replace").split()[-1]
            parse_identity(secret)
        except (IndexError, Rejected):
            raise Rejected("not an identity of the registry", code="bad-key-file", place=str(path)) from None
        return secret


def _new(path: Path, seed: bytes, entropy: Entropy, lock: Lock | None) -> Ed25519Signer:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    _put(path, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), entropy, lock)
    return Ed25519Signer(private)


def _new_epoch(path: Path, entropy: Entropy, lock: Lock | None, created: str) -> None:
    identity = generate_identity(entropy)
    _put(path, key_file(identity, created).encode(), entropy, lock)
    write_public(path.with_suffix(".public"), str(identity.recipient), created)


def _put(path: Path, content: bytes, entropy: Entropy, lock: Lock | None) -> None:
    write_synced(path, content if lock is None else lock.seal(content, entropy))
    sync_folder(path.parent)


def _new_on_token(path: Path, home: TokenHome, entropy: Entropy, lock: Lock | None) -> TokenSigner:
    signer = make_on_token(home, token_label(path.name, entropy))
    _put(path.with_name(f"{path.name}.token"), msgspec.json.encode(signer.key), entropy, lock)
    return signer


def token_label(purpose: str, entropy: Entropy) -> str:
    """What a key is called on a token: told apart from all others there."""
    return f"comity {purpose} {entropy(4).hex()}"


def _home(signer: Signer) -> str:
    return signer.key.home.token if isinstance(signer, TokenSigner) else ""


def _signer(file: Path, content: bytes) -> Signer:
    place = str(file)
    if file.suffix == ".token":
        return read_token_key(content, place)
    try:
        private = load_pem_private_key(content, password=None)
    except ValueError:
        raise Rejected("not a private key in PEM", code="bad-key-file", place=place) from None
    if not isinstance(private, Ed25519PrivateKey):
        raise Rejected("not an Ed25519 key", code="bad-key-file", place=place)
    return Ed25519Signer(private)
