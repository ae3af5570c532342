"""Data folders as released versions wrote them, kept with the tests (``spec/backup.md`` step 82).

``PYTHONPATH=tests python tests/released.py VERSION`` makes that of the present version, once, when it is released: two
houses, one document given from Tokyo to Seoul and opened there, in one archive.
"""

from __future__ import annotations

import asyncio
import sys
import tarfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from comity.flows.following import follow
from comity.flows.house import House
from comity.stores.blobs import FolderBlobs
from comity.stores.erased_keys import FileErasedKeys
from comity.stores.files import LocalFiles
from comity.stores.folder import FolderHighWaterMark
from comity.stores.keys import KeyFolder
from comity.stores.restoration import FileRestoration
from comity.stores.sqlite import SqliteStore
from comity.timezones import time_zones
from world import SeededEntropy, StandingClock, World

DATA = Path(__file__).parent / "data"
RELEASES = tuple(sorted(path.name.removesuffix(".tar.xz") for path in DATA.glob("released-*.tar.xz")))


def brought(release: str, folder: Path) -> Path:
    """The folders of a release, unpacked."""
    with tarfile.open(DATA / f"{release}.tar.xz") as archive:
        archive.extractall(folder)  # our own archive; the first releases of Python 3.11 know no filter
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
    for party in ("jp", "kr"):
        for name in ("blobs", "uploads", "temporary"):
            (folder / party / name).mkdir(mode=0o700, exist_ok=True)
    return folder


LATER = datetime(2026, 11, 22, 3, tzinfo=UTC)
"""The day after they were made; what was granted then still holds."""


@asynccontextmanager
async def houses(folder: Path, **elsewhere: Path) -> AsyncIterator[World]:
    """The two houses of a release, on the present program; a party's folder may be elsewhere."""
    world = World(folder)
    world.clock = StandingClock(LATER)
    async with AsyncExitStack() as stack:
        for party in ("jp", "kr"):
            home = elsewhere.get(party, folder / party)
            store = await SqliteStore.open(home / "comity.sqlite")
            stack.push_async_callback(store.close)
            blobs = await FolderBlobs.in_folder(home)
            stack.push_async_callback(blobs.close)
            entropy = SeededEntropy(f"{party} later")
            house = House(
                party,
                store=store,
                blobs=blobs,
                mark=FolderHighWaterMark(home / "high-water-mark"),
                erased=FileErasedKeys(home / "erased-keys"),
                clock=world.clock,
                entropy=entropy,
                keys=KeyFolder(home, entropy),
                files=LocalFiles(home / "temporary"),
                zones=time_zones(),
                follow=follow,
                restoration=FileRestoration(home / "restored"),
            )
            await house.start()
            stack.push_async_callback(house.close)
            setattr(world, party, house)
        yield world


async def make(folder: Path) -> None:
    """Two data folders with something of everything that a database keeps."""
    from comity.flows.actors import Actor
    from comity.flows.agreeing.agreements import AcknowledgeAgreement, acknowledge_agreement
    from comity.flows.agreeing.founding import add_peer
    from comity.flows.giving.opening import Open, open_item
    from comity.node.run import found, opened
    from comity.node.settings import Listen, Settings
    from world import RELATIONSHIP, ROOT, World, adopt, hand_over, introduce, peer_of  # noqa: F401 - as World.make does it

    cards = []
    for number, party in enumerate(("jp", "kr")):
        (folder / party).mkdir(mode=0o700)
        listen = Listen(port=40_000 + number, public=(f"https://127.0.0.1:{40_000 + number}",))
        cards.append(await found(folder / party, Settings(party=party, listen=listen), party.upper()))
    world = World(folder)
    async with opened(folder / "jp") as world.jp, opened(folder / "kr") as world.kr:
        for house, card, peer in ((world.jp, cards[1], "kr"), (world.kr, cards[0], "jp")):
            await add_peer(house, peer_of(card))
            await adopt(house, peer, "jp-kr-2016.history.toml")
        await world.enrol()
        for house in (world.jp, world.kr):
            await acknowledge_agreement(house, AcknowledgeAgreement(relationship=RELATIONSHIP, actor=ROOT))
        await world.exchange()
        given = await world.given()
        asked = Open(item=given.item, purpose="air defence", path=str(folder / "opened"), actor=Actor("kim"))
        assert (await open_item(world.kr, asked)).outcome == "permit"
        await world.exchange(3)


def archive(folder: Path, target: Path) -> None:
    """Keep what a release needs of the two folders, without what every start makes anew."""

    def kept(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        empty = member.isdir() and not any((folder / member.name).rglob("*"))
        lasting = not member.name.endswith(("-wal", "-shm", "/lock"))
        return member if lasting and not (empty and "blobs/" in member.name) else None

    with tarfile.open(target, "w:xz") as packed:
        for party in ("jp", "kr"):
            packed.add(folder / party, party, filter=kept)


if __name__ == "__main__":
    with TemporaryDirectory() as made:
        asyncio.run(make(Path(made)))
        DATA.mkdir(exist_ok=True)
        archive(Path(made), DATA / f"released-{sys.argv[1]}.tar.xz")
