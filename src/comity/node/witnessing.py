"""A witness in its own folder: its settings, its keys, its doors (``spec/witness.md`` steps 1 to 4 and 15).

The folder of a witness::

    witness.toml        name and where it listens
    lock                held by the one process that may write here
    witness.sqlite      the logs it follows, and the newest checkpoint of each
    high-water-mark     how far it has cosigned, outside the database
    keys/               its private keys, and the lock to which they are sealed
    node.sock           where the command line reaches it while it runs

``comity witness run`` serves it in a process of its own; a node does it beside its own doors where ``node.toml`` names
the folder.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec

from comity.errors import Misuse, Rejected, Unavailable
from comity.ledger.note import KeyType, VerifierKey, check_name
from comity.node.client import call
from comity.node.local import AnyFlow, LocalDoor, forget, local_path
from comity.node.passphrase import required
from comity.node.serving import Serving, listen_tcp, listen_unix, place, run_until_signal, until
from comity.node.settings import quoted, read_file
from comity.node.tls import server_context
from comity.node.witness_door import WitnessDoor
from comity.ports import Entropy
from comity.stores.durable import make_folders, replace_file
from comity.stores.folder import DataFolder, FolderHighWaterMark
from comity.stores.key_files import read_private
from comity.stores.key_lock import Lock, Passphrase, check_passphrase, is_sealed, lock_keys, mend, open_lock
from comity.stores.secrets import KEYS, WITNESS, Secrets
from comity.stores.sqlite import SqliteStore
from comity.stores.witness_keys import ED25519, ML_DSA_44, make_witness_key, read_witness_key
from comity.witness.witness import Contradiction, Cosigner, Followed, Witness

FILE = WITNESS
DATABASE = "witness.sqlite"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class WitnessListen(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab", kw_only=True):
    """The ``[listen]`` table of ``witness.toml``.

    Attributes:
        address: the interface to listen on.
        port: the port; 0 takes a free one.
        certificate, key: PEM files for TLS, beside ``witness.toml`` unless their paths are absolute; without them HTTP
            is plain, and on this machine only.
    """

    address: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65_535)] = 0
    certificate: str | None = None
    key: str | None = None


class WitnessSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab", kw_only=True):
    """All of ``witness.toml``.

    Attributes:
        name: key name of the witness; another name is another witness.
        ml_dsa_44: whether it cosigns by ML-DSA-44 besides.
        listen: where.
    """

    name: str
    ml_dsa_44: bool = False
    listen: WitnessListen = WitnessListen()


class WitnessReady(msgspec.Struct, frozen=True, kw_only=True):
    """What a witness says once, when it takes requests.

    Attributes:
        name: whose cosignatures.
        witness: the prefix of its addresses.
        process: process id.
    """

    name: str
    witness: str
    process: int

    def __str__(self) -> str:
        return f"the witness {self.name!r} is ready at {self.witness} (process {self.process})"


class ShowWitness(msgspec.Struct, frozen=True):
    """Show the witness and the logs it follows."""


class FollowLog(msgspec.Struct, frozen=True):
    """Follow the log of this verifier key, or take another key of it."""

    key: str


class UnfollowLog(msgspec.Struct, frozen=True):
    """Cosign this log no more."""

    origin: str


class ShowContradictions(msgspec.Struct, frozen=True):
    """Show what is kept against a log."""

    origin: str


class WitnessShown(msgspec.Struct, frozen=True, kw_only=True):
    """A witness: its name, the keys by which others verify its cosignatures, and the logs that it follows."""

    name: str
    keys: tuple[str, ...]
    logs: list[Followed]


class _Flow(msgspec.Struct, frozen=True):
    request: type[msgspec.Struct]
    run: Callable[[Any, Any], Awaitable[Any]]
    response: Any = WitnessShown


async def _show(witness: Witness, _: ShowWitness) -> WitnessShown:
    keys = witness.keys
    return WitnessShown(name=keys[0].name, keys=tuple(key.text for key in keys), logs=await witness.logs())


async def _follow(witness: Witness, request: FollowLog) -> WitnessShown:
    await witness.follow(VerifierKey.parse(request.key))
    return await _show(witness, ShowWitness())


async def _unfollow(witness: Witness, request: UnfollowLog) -> WitnessShown:
    await witness.unfollow(request.origin)
    return await _show(witness, ShowWitness())


async def _contradictions(witness: Witness, request: ShowContradictions) -> list[Contradiction]:
    return await witness.contradictions(request.origin)


FLOWS: dict[str, _Flow] = {
    "witness.show": _Flow(ShowWitness, _show),
    "witness.follow": _Flow(FollowLog, _follow),
    "witness.unfollow": _Flow(UnfollowLog, _unfollow),
    "witness.contradictions": _Flow(ShowContradictions, _contradictions, list[Contradiction]),
}


class RunningWitness(msgspec.Struct, frozen=True):
    """A witness that takes requests in this process; its doors are run by the caller."""

    witness: Witness
    says: WitnessReady
    doors: tuple[Serving, ...]


class _SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


def _entropy(count: int) -> bytes:
    return os.urandom(count)


def make_witness(
    folder: Path, settings: WitnessSettings, entropy: Entropy = _entropy, passphrase: str = ""
) -> WitnessShown:
    """Make the folder of a new witness: its keys and settings (1); locked where there is a passphrase.

    Raises:
        Misuse: there is something in the folder already, or the passphrase is short.
        Rejected: the name can be none.
        Unavailable: the disk refuses.
    """
    check_name(settings.name)
    _check_open(settings.listen, folder)
    check_passphrase(passphrase)
    if folder.exists() and any(folder.iterdir()):
        raise Misuse("there is something in this folder already; name another", code="folder-taken", place=str(folder))
    with closing(DataFolder.open(folder, "comity witness init")):
        lock = None
        if passphrase:
            make_folders([folder / KEYS])
            lock = lock_keys(Secrets(folder), passphrase, datetime.now(UTC), entropy)
        for name in (ED25519, ML_DSA_44) if settings.ml_dsa_44 else (ED25519,):
            make_witness_key(folder, name, entropy, lock)
        replace_file(folder / FILE, _write(settings).encode())
        keys = tuple(each.key.text for each in _cosigners(folder, settings, lock))
    return WitnessShown(name=settings.name, keys=keys, logs=[])


@asynccontextmanager
async def opened(
    folder: Path, holder: str = "comity witness", passphrase: Passphrase = required, house: Lock | None = None
) -> AsyncIterator[tuple[WitnessSettings, Witness, Lock | None]]:
    """The witness in a folder that no process runs on, and its lock, for as long as the context lasts.

    ``passphrase`` is asked where its keys are locked, unless it is by the lock of the ``house`` beside.

    Raises:
        Unavailable: another process holds the folder (``folder-in-use``), or there is no witness in it.
        Rejected: the settings, a key or the database is not what it must be.
    """
    settings = read_file(folder / FILE, WitnessSettings)
    check_name(settings.name)
    async with AsyncExitStack() as stack:
        stack.enter_context(closing(DataFolder.open(folder, holder)))
        secrets = witness_secrets(folder, settings)
        try:
            lock = open_lock(secrets, passphrase, house)
        except (Misuse, Unavailable) as error:  # whose keys it is about: a house may lie around this folder
            raise type(error)(error.sentence, code=error.code, place=error.place or str(folder)) from None
        mend(secrets, lock, _entropy)
        store = await SqliteStore.open(folder / DATABASE)
        stack.push_async_callback(store.close)
        mark = FolderHighWaterMark(folder / "high-water-mark")
        witness = Witness(store, mark, _cosigners(folder, settings, lock), _SystemClock())
        await witness.start()
        yield settings, witness, lock


@asynccontextmanager
async def running(
    folder: Path, passphrase: Passphrase = required, house: Lock | None = None
) -> AsyncIterator[RunningWitness]:
    """The witness of a folder in this process, listening; its doors are run by the caller.

    Raises:
        Unavailable, Rejected: as ``opened``; or it may not listen there (15).
    """
    async with (
        opened(folder, "comity witness run", passphrase, house) as (settings, witness, lock),
        AsyncExitStack() as stack,
    ):
        listen = settings.listen
        _check_open(listen, folder)
        tls = None
        if listen.certificate is not None and listen.key is not None:
            key = read_private(folder / listen.key)
            if lock is not None and is_sealed(key):
                key = lock.open(key, listen.key)
            tls = server_context(folder / listen.certificate, key)
        listener = listen_tcp(listen.address, listen.port)
        stack.callback(listener.close)
        local = local_path(folder)
        stack.callback(forget, folder, local)
        commands = listen_unix(local)
        stack.callback(commands.close)
        scheme = "http" if tls is None else "https"
        says = WitnessReady(name=settings.name, witness=f"{scheme}://{place(listener)}", process=os.getpid())
        flows: dict[str, AnyFlow] = {**FLOWS}
        doors = (Serving(WitnessDoor(witness), listener, tls), Serving(LocalDoor(witness, flows, _nothing), commands))
        yield RunningWitness(witness, says, doors)


def run(folder: Path, ready: Callable[[WitnessReady], None], passphrase: Passphrase = required) -> None:
    """Run the witness of a folder in this process until SIGTERM or SIGINT.

    Raises:
        ComityError: as ``running``.
    """

    async def serve(stop: asyncio.Event) -> None:
        async with running(folder, passphrase) as witness:
            ready(witness.says)
            await until(stop, witness.doors)

    run_until_signal(serve)


def ask_witness(folder: Path, flow: str, request: msgspec.Struct, passphrase: Passphrase = required) -> Any:
    """Run a flow on the witness in ``folder``, whether it runs or not.

    Raises:
        ComityError: whatever the flow raised.
        Unavailable: another process holds the folder, or there is no witness in it.
    """
    entry = FLOWS[flow]
    try:
        return call(folder, flow, request, entry.response)
    except Unavailable as error:
        if error.code != "no-node":
            raise

    async def alone() -> Any:
        async with opened(folder, f"comity {flow}", passphrase) as (_, witness, _lock):
            return await entry.run(witness, request)

    return asyncio.run(alone())


async def _nothing(_flow: str) -> None:
    """Nothing follows on a flow of a witness."""


def witness_secrets(folder: Path, settings: WitnessSettings | None = None) -> Secrets:
    """Everything secret in the folder of a witness.

    Raises:
        Unavailable, Rejected: its settings cannot be read, or are not what they must be.
    """
    key = (settings or read_file(folder / FILE, WitnessSettings)).listen.key
    return Secrets(folder, [] if key is None else [("tls", folder / key)])


def _cosigners(folder: Path, settings: WitnessSettings, lock: Lock | None) -> list[Cosigner]:
    kinds = {ED25519: KeyType.COSIGNATURE_V1}
    if settings.ml_dsa_44:
        kinds[ML_DSA_44] = KeyType.COSIGNATURE_ML_DSA_44
        if not (folder / KEYS / ML_DSA_44).exists():
            raise Rejected(
                "the witness is to cosign by ML-DSA-44, and was made without such a key; take 'ml-dsa-44' away",
                code="no-key",
                place=str(folder / FILE),
            )
    signers = ((kind, read_witness_key(folder, name, lock)) for name, kind in kinds.items())
    return [Cosigner(VerifierKey(settings.name, kind, signer.public), signer) for kind, signer in signers]


def _check_open(listen: WitnessListen, folder: Path) -> None:
    """(15) Nothing is served in plain HTTP to other machines.

    Raises:
        Rejected: ``plain-http``.
    """
    if (listen.certificate is None) != (listen.key is None) or (
        listen.address not in LOOPBACK and listen.certificate is None
    ):
        raise Rejected(
            f"on {listen.address!r} a witness needs a certificate and its key: HTTP is plain on this machine only",
            code="plain-http",
            place=str(folder / FILE),
        )


def _write(settings: WitnessSettings) -> str:
    listen = settings.listen
    lines = [f"name = {quoted(settings.name)}"]
    lines += ["ml-dsa-44 = true"] if settings.ml_dsa_44 else []
    lines += ["", "[listen]", f"address = {quoted(listen.address)}", f"port = {listen.port}"]
    for key, value in (("certificate", listen.certificate), ("key", listen.key)):
        lines += [] if value is None else [f"{key} = {quoted(value)}"]
    return "\n".join([*lines, ""])
