"""Data folders as released versions wrote them, kept with the tests (``spec/backup.md`` step 82).

``python tests/released.py VERSION`` makes the one of the present version, once, when that is released: two houses, one
document given from Tokyo to Seoul and opened there. Both are one archive, ``tests/data/released-VERSION.tar.xz``.
"""

from __future__ import annotations

import asyncio
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

DATA = Path(__file__).parent / "data"
RELEASES = tuple(sorted(path.name.removesuffix(".tar.xz") for path in DATA.glob("released-*.tar.xz")))


def brought(release: str, folder: Path) -> Path:
    """The folders of a release, unpacked."""
    with tarfile.open(DATA / f"{release}.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
    for party in ("jp", "kr"):
        for name in ("blobs", "uploads", "temporary"):
            (folder / party / name).mkdir(mode=0o700, exist_ok=True)
    return folder


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
    sys.path[:0] = [str(Path(__file__).parent)]
    with TemporaryDirectory() as made:
        asyncio.run(make(Path(made)))
        DATA.mkdir(exist_ok=True)
        archive(Path(made), DATA / f"released-{sys.argv[1]}.tar.xz")
