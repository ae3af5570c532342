"""Putting the whole together: which adapter stands behind which port, in what order things open and close.

The data folder of a node::

    node.toml           settings
    lock                held by the one process that may write here
    comity.sqlite       journal, heads and rows
    console.sqlite      accounts of the console
    feeds.sqlite        what is kept of feeds: batches, what was published, what waits
    index.sqlite        what pages of the register are looked up in; made again when it is deleted
    blobs/ uploads/     sealed payloads
    high-water-mark     how far this party has signed, outside the database
    keys/ root/         private keys; root/ can be carried away
    tls/                certificate and key of the server
    node.sock           where the command line reaches a running node
"""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
import sys
import time
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager, closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from comity.courier.http import HttpCourier
from comity.errors import Misuse
from comity.flows.agreeing.founding import CardShown, IssueCard, issue_card
from comity.flows.exchanging.parcel import PARCEL_BYTES_MAX
from comity.flows.exchanging.tallies import AskPeer
from comity.flows.feeding.books import Books
from comity.flows.feeding.feeds import Feeds
from comity.flows.feeding.gates import Gates
from comity.flows.following import follow
from comity.flows.house import House
from comity.flows.indexing.upkeep import keep_up
from comity.flows.table import FLOWS
from comity.node.accounts import console_flows
from comity.node.alarm import Alarm, poster
from comity.node.catching_up import keep_catching_up, reaching
from comity.node.channels import Callers, Line
from comity.node.feeds import FeedSent, feeds_flows, feeds_lines, feeds_sent
from comity.node.ledger_door import ledger_door
from comity.node.local import AnyFlow, LocalDoor, forget, local_path
from comity.node.pages import Pages, origins_here
from comity.node.passphrase import required
from comity.node.secrets import secrets_of
from comity.node.sending import reconcile
from comity.node.server import PeerDoor
from comity.node.serving import Serving, listen_tcp, listen_unix, place, run_until_signal, until
from comity.node.settings import FILE, Settings, read_settings, write_settings
from comity.node.sources import read_secret
from comity.node.submitting import Submission, Submitters, witness_poster
from comity.node.timestamping import stamper_of
from comity.node.tls import changing_context, server_context
from comity.node.watching import Watching
from comity.node.webhooks import Webhook
from comity.node.witnessing import LOOPBACK
from comity.node.witnessing import running as witness_in
from comity.node.worker import Road, Workers
from comity.ports import TokenHome
from comity.record.card import Card
from comity.stores.blobs import FolderBlobs
from comity.stores.durable import replace_file
from comity.stores.erased_keys import FileErasedKeys
from comity.stores.files import LocalFiles
from comity.stores.folder import DataFolder, FolderHighWaterMark
from comity.stores.index import SqliteIndex
from comity.stores.key_lock import Passphrase, check_passphrase
from comity.stores.keys import KeyFolder
from comity.stores.restoration import NOTE, FileRestoration
from comity.stores.sqlite import SqliteStore
from comity.timezones import time_zones

FEEDS = "feeds.sqlite"
INDEX = "index.sqlite"
CONSOLE = "console.sqlite"
SWITCH_SECONDS = 0.0002
"""How soon a thread that has waited for the disk gets its turn beside a busy event loop; Python's default is 5 ms."""
BEGINNINGS = frozenset({"agreement.adopt", "rebuild", "negotiation.channel", "negotiation.open"})
"""Flows after which there may be a relationship that nobody keeps up with yet."""


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        """The present instant, UTC."""
        return datetime.now(UTC)


def system_entropy(count: int) -> bytes:
    """``count`` fresh random bytes from the operating system."""
    return os.urandom(count)


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """What a node says once, when it takes requests.

    Attributes:
        party: whose node it is.
        peers: where peers reach it, with the real port.
        commands: the local socket.
        process: process id.
        readers: where people read feeds over the network; empty where nowhere.
        metrics: where a collector on this machine reads the metrics; likewise.
        events: where sources publish events over the network; likewise.
        witness: where the witness that is served beside the house takes checkpoints of others' logs; likewise.
        ledgers: where witnesses read the hashes of this house's ledgers; likewise.
        console: where people of this house open the console in a browser; likewise.
    """

    party: str
    peers: str
    commands: str
    process: int
    readers: str = ""
    metrics: str = ""
    events: str = ""
    witness: str = ""
    ledgers: str = ""
    console: str = ""

    def __str__(self) -> str:
        doors = {
            "peers": self.peers,
            "commands": self.commands,
            "readers": self.readers,
            "events": self.events,
            "metrics": self.metrics,
            "logs of others": self.witness,
            "witnesses": self.ledgers,
            "browsers": self.console,
        }
        told = ", ".join(f"{who} at {where}" for who, where in doors.items() if where)
        return f"the node of {self.party!r} is ready: {told} (process {self.process})"


class ShowNode(msgspec.Struct, frozen=True):
    """Show how the exchange with every peer goes (flow ``node.status``)."""


class NodeShown(msgspec.Struct, frozen=True, kw_only=True):
    """A running node: how it goes with each peer, each feed it publishes or follows, and each witness it has."""

    ready: Ready
    roads: list[Road]
    sent: list[FeedSent] = []
    followed: list[Line] = []
    submitted: list[Submission] = []


class _StatusFlow(msgspec.Struct, frozen=True):
    """The one flow that is about the process, not the house."""

    run: Callable[[Any, Any], Any]
    request: type[msgspec.Struct] = ShowNode


async def found(
    folder: Path,
    settings: Settings,
    name: str,
    passphrase: str = "",
    token: TokenHome | None = None,
    on_token: Collection[str] = (),
) -> CardShown:
    """Make the data folder of a new party: keys, certificate, settings and a card signed by the new root key.

    Args:
        folder: does not exist yet, or is empty; its parent exists.
        settings: written to ``node.toml``; their public addresses go on the card.
        name: the party's name for people.
        passphrase: locks the keys (``spec/keys.md`` step 4); they lie open without one.
        token: where the keys of ``on_token`` are born and stay (step 21).
        on_token: purposes, and ``root``.

    Raises:
        Misuse: there is something in the folder already, or the passphrase is short.
        Unavailable: the disk refuses, or another process holds the folder.
    """
    _check_empty(folder)
    check_passphrase(passphrase)
    with closing(DataFolder.open(folder, "comity init")):
        keys = KeyFolder.create(
            folder, system_entropy, passphrase, settings.keys.work_factor, token=token, on_token=on_token
        )
        async with _house(folder, settings, keys) as house:
            certificate = keys.new_certificate(settings.party)
            request = IssueCard(name=name, certificate=certificate, addresses=settings.listen.public)
            shown = await issue_card(house, request)
        replace_file(folder / FILE, write_settings(settings).encode())
    return shown


@asynccontextmanager
async def opened(folder: Path, holder: str = "comity", passphrase: Passphrase = required) -> AsyncIterator[House]:
    """The house in a data folder that no node runs on, for as long as the context lasts.

    ``passphrase`` is asked where the keys are locked.

    Raises:
        Unavailable: another process holds the folder (``folder-in-use``), or there is no node in it.
        Rejected: the settings, a key or the database is not what it must be.
    """
    settings = read_settings(folder / FILE)
    with closing(DataFolder.open(folder, holder)):
        keys = KeyFolder(folder, system_entropy, passphrase, secrets=secrets_of(folder))
        async with _house(folder, settings, keys) as house:
            yield house


class Running(msgspec.Struct, frozen=True):
    """A node that takes requests in this process.

    Attributes:
        house: its core; flows can be called on it directly.
        says: where it is reached.
        doors: what serves peers and commands.
    """

    house: House
    says: Ready
    doors: tuple[Serving, ...]


@asynccontextmanager
async def running(folder: Path, passphrase: Passphrase = required) -> AsyncIterator[Running]:
    """The node of a data folder in this process, for as long as the context lasts; its doors are run by the caller.

    Raises:
        Unavailable: another process holds the folder, or the address is taken.
        Rejected: the settings, a key or the database is not what it must be.
    """
    settings = read_settings(folder / FILE)
    with closing(DataFolder.open(folder, "comity node run")):
        keys = KeyFolder(folder, system_entropy, passphrase, secrets=secrets_of(folder))
        async with _house(folder, settings, keys) as house, AsyncExitStack() as stack:
            tls = changing_context(house.certificate, lambda digest: server_context(*keys.certificate(digest)))
            listener = listen_tcp(settings.listen.address, settings.listen.port)
            stack.callback(listener.close)
            local = local_path(folder)
            stack.callback(forget, folder, local)
            commands = listen_unix(local)
            stack.callback(commands.close)
            says = Ready(
                party=house.party,
                peers=f"https://{place(listener)}",
                commands=str(local),
                process=os.getpid(),
            )
            if settings.alarm is not None:
                file = settings.alarm.secret
                secret = None if file is None else read_secret(file, folder, "the alarm", keys.secret)
                alarm = Alarm(house, poster(settings.alarm.url), secret, system_entropy)
                stack.push_async_callback(_ended, asyncio.create_task(alarm.run(), name="alarm"))
            for hook in settings.webhook:
                secret = read_secret(hook.secret, folder, "a webhook", keys.secret)
                telling = Webhook(house, hook.url, poster(hook.url), secret, hook.kinds, system_entropy)
                stack.push_async_callback(_ended, asyncio.create_task(telling.run(), name="webhook"))
            if settings.timestamps is not None:
                stamper = stamper_of(house, folder, settings.timestamps, system_entropy)
                stack.push_async_callback(_ended, asyncio.create_task(stamper.run(), name="timestamps"))
            workers = Workers(house, connect=_connect(house), clock=SystemClock(), entropy=system_entropy)
            stack.push_async_callback(workers.close)
            await workers.refresh()
            stack.push_async_callback(_ended, asyncio.create_task(keep_up(house), name="index"))
            submitters = Submitters(house, witness_poster(), SystemClock(), system_entropy)
            stack.push_async_callback(_ended, asyncio.create_task(submitters.run(), name="submitters"))
            if house.restored is not None:
                catching_up = keep_catching_up(house, system_entropy, workers.heard)
                stack.push_async_callback(_ended, asyncio.create_task(catching_up, name="catching up"))

            async def status(_house: House, _request: ShowNode) -> NodeShown:
                return NodeShown(
                    ready=says,
                    roads=workers.roads(),
                    sent=feeds_sent(feeds),
                    followed=callers.lines(),
                    submitted=submitters.told(),
                )

            async def after(flow: str) -> None:
                if flow in BEGINNINGS:
                    await workers.refresh()

            flows: dict[str, AnyFlow] = {**FLOWS, "node.status": _StatusFlow(status)}
            store = await SqliteStore.open(folder / FEEDS, large_rows=True)
            stack.push_async_callback(store.close)
            gates = Gates(house)

            def fetch(relationship: str) -> None:
                house.fetch(relationship)
                workers.wake(relationship)

            feeds = Feeds(house, store, gates, fetch)
            stack.push_async_callback(feeds.close)
            books = Books(house, feeds)
            stack.push_async_callback(_ended, asyncio.create_task(books.run(), name="books"))
            flows |= feeds_flows(feeds, books)
            local_flows = dict(flows)
            watching = Watching(house, feeds, gates)
            callers = Callers(feeds, connect=_connect(house), clock=SystemClock(), entropy=system_entropy)
            stack.push_async_callback(_ended, asyncio.create_task(callers.run(), name="callers"))
            door = PeerDoor(
                house,
                feeds=feeds,
                clock=SystemClock(),
                monotonic=time.monotonic,
                quotas=settings.quotas,
                free_bytes=lambda: shutil.disk_usage(folder).free,
                seen=workers.heard,
            )
            doors = (
                Serving(door, listener, tls),
                Serving(
                    LocalDoor(house, local_flows, after, feeds_lines(feeds), watching.apps),
                    commands,
                    ending=watching.end,
                ),
                *watching.doors(settings, folder, tls, keys.secret, stack),
            )
            says = msgspec.structs.replace(
                says, readers=watching.readers_at, metrics=watching.metrics_at, events=watching.events_at
            )
            if settings.ledgers is not None:
                shown = listen_tcp(settings.ledgers.address, settings.ledgers.port)
                stack.callback(shown.close)
                plain = settings.ledgers.address in LOOPBACK
                doors += (Serving(ledger_door(house), shown, None if plain else tls),)
                says = msgspec.structs.replace(says, ledgers=f"http{'' if plain else 's'}://{place(shown)}")
            if settings.console.serve:
                shown = listen_tcp(settings.console.address, settings.console.port)
                stack.callback(shown.close)
                plain = settings.console.address in LOOPBACK
                pages = Pages(
                    house,
                    flows,
                    settings.console,
                    partial(SqliteStore.open, folder / CONSOLE),
                    folder / "temporary",
                    lambda: shutil.disk_usage(folder).free - settings.quotas.disk_reserve_bytes,
                    clock=SystemClock(),
                    entropy=system_entropy,
                    here=origins_here("http" if plain else "https", settings.console.address, shown.getsockname()[1]),
                    after=after,
                    readers=watching.readers,
                    secret=_organisation_secret(settings, folder, keys),
                )
                stack.push_async_callback(pages.close)
                local_flows |= console_flows(pages.desk, pages.address)
                doors += (Serving(pages, shown, None if plain else tls),)
                says = msgspec.structs.replace(says, console=pages.address)
            if settings.witness is not None:
                beside = await stack.enter_async_context(
                    witness_in(folder / settings.witness.folder, passphrase, keys.lock)
                )
                doors += beside.doors
                says = msgspec.structs.replace(says, witness=beside.says.witness)
            yield Running(house, says, doors)


async def serve(
    folder: Path, ready: Callable[[Ready], None], stop: asyncio.Event, passphrase: Passphrase = required
) -> None:
    """Run the node of a data folder until ``stop``: requests under way are finished, then everything is closed.

    Args:
        folder: made by ``found``.
        ready: called once, when peers and commands are taken.
        stop: set it to stop.
        passphrase: asked at the start, where the keys are locked.

    Raises:
        ComityError: as ``running``.
    """
    async with running(folder, passphrase) as node:
        gc.freeze()  # modules and tables stay: looking through them again would hold up a feed for tens of milliseconds
        ready(node.says)
        await until(stop, node.doors)


def run(folder: Path, ready: Callable[[Ready], None], passphrase: Passphrase = required) -> None:
    """Run the node of a data folder in this process until SIGTERM or SIGINT; a second signal ends it at once.

    Raises:
        ComityError: as ``serve``.
    """
    sys.setswitchinterval(SWITCH_SECONDS)

    run_until_signal(lambda stop: serve(folder, ready, stop, passphrase))


def _check_empty(folder: Path) -> None:
    if (folder / FILE).exists():
        raise Misuse("there is a node in this folder already", code="folder-taken", place=str(folder))
    if folder.is_dir() and any(folder.iterdir()):
        raise Misuse(
            "there is something in this folder already; name another, or empty it if it is what a founding that was "
            "cut short has left",
            code="folder-taken",
            place=str(folder),
        )


@asynccontextmanager
async def _house(folder: Path, settings: Settings, keys: KeyFolder) -> AsyncIterator[House]:
    """The house on the adapters of a folder that this process has locked."""
    async with AsyncExitStack() as stack:
        store = await SqliteStore.open(folder / "comity.sqlite")
        stack.push_async_callback(store.close)
        blobs = await FolderBlobs.in_folder(folder)
        stack.push_async_callback(blobs.close)
        index = SqliteIndex(folder / INDEX)
        stack.push_async_callback(index.close)
        house = House(
            settings.party,
            store=store,
            blobs=blobs,
            mark=FolderHighWaterMark(folder / "high-water-mark"),
            erased=FileErasedKeys(folder / "erased-keys"),
            clock=SystemClock(),
            entropy=system_entropy,
            keys=keys,
            files=LocalFiles(folder / "temporary"),
            zones=time_zones(),
            follow=follow,
            restoration=FileRestoration(folder / NOTE),
            periods=settings.retention,
            index=index,
        )
        house.ask_peer = _asker(house)
        house.reach = reaching(_connect(house))
        await house.start()
        stack.push_async_callback(house.close)
        yield house


def _organisation_secret(settings: Settings, folder: Path, keys: KeyFolder) -> str:
    """By what the organisation's login knows this console; empty where there is none."""
    named = settings.console.organisation
    return "" if named is None else read_secret(named.secret, folder, "the organisation's login", keys.secret).decode()


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _connect(house: House) -> Callable[[Card], HttpCourier]:
    def connect(card: Card) -> HttpCourier:
        return HttpCourier(
            card,
            sender=house.party,
            signer=house.transport,
            clock=SystemClock(),
            entropy=system_entropy,
            reply_bytes_max=PARCEL_BYTES_MAX,
        )

    return connect


def _asker(house: House) -> AskPeer:
    """What brings a question to a peer over its own connection, also where no node runs on the folder."""
    connect = _connect(house)

    async def ask(peer: str, relationship: str, question: bytes) -> bytes:
        courier = connect(await house.peer_card(peer))
        try:
            return await reconcile(courier, relationship, question)
        finally:
            await courier.close()

    return ask
