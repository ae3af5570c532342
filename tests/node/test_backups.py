"""A house brought back from real folders, whole or cut at a point, and what was destroyed (``spec/backup.md``)."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from comity.cli.main import main
from comity.errors import Refused, Rejected, Unavailable
from comity.flows.actors import Actor
from comity.flows.ending.destruction import Destroy, destroy
from comity.flows.exchanging.roads import Road
from comity.flows.giving.opening import Open, open_item
from comity.flows.keeping.erasing import HEADER
from comity.flows.looking.views import ShowInbox, show_inbox
from comity.flows.maintaining.catching_up import CatchUp, catch_up
from comity.flows.maintaining.rebuilding import Rebuild, VerifyLedger, rebuild, verify_ledger
from comity.node.backups import Taken
from comity.record.card import Card
from comity.register.rows import CopyRow
from comity.seal.keys import generate_identity, key_file
from comity.stores.folder import parse_mark
from flows.test_catching_up import Given
from released import RELEASES, brought, houses
from world import World


def entropy(count: int) -> bytes:
    return bytes(count)


class Backed:
    """Seoul's folder, and where its backups are."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = brought(RELEASES[-1], folder / "released")
        self.folder.chmod(0o700)
        self.to = folder / "elsewhere"
        self.back = folder / "back"
        self._capsys = capsys
        identity = generate_identity(entropy)
        self._key = folder / "recovery.key"
        self._key.write_text(key_file(identity, "2026-11-21"))
        (folder / "recovery.txt").write_text(f"{identity.recipient}\n")

    def take(self) -> Taken:
        recipients = ("-R", str(self._key.with_name("recovery.txt")))
        made = (self.to / "comity-backup").exists()
        self._run("backup", "take", str(self.to), *(() if made else recipients), "--folder", str(self.folder / "kr"))
        return msgspec.json.decode(self._capsys.readouterr().out, type=Taken)

    def restore(self, *point: str) -> None:
        shutil.rmtree(self.back, ignore_errors=True)
        self._run("restore", str(self.to), "-i", str(self._key), "--folder", str(self.back), *point)
        self._capsys.readouterr()
        self._run("fsck", "--folder", str(self.back))
        self._capsys.readouterr()

    def _run(self, *words: str) -> None:
        code = main([*words, "--json"])
        assert code == 0, self._capsys.readouterr()


@pytest.fixture
def backed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Backed:
    return Backed(tmp_path, capsys)


async def caught_up(world: World) -> None:
    @asynccontextmanager
    async def reach(_: Card) -> AsyncIterator[Road]:
        yield Given(world.jp, "kr", None)

    world.kr.reach = reach
    shown = await catch_up(world.kr, CatchUp())
    assert (shown.restored, shown.failed) == (None, {})
    await world.exchange()
    for house in (world.jp, world.kr):
        assert (await verify_ledger(house, VerifyLedger())).findings == ()
        assert (await rebuild(house, Rebuild())).findings == ()


@pytest.mark.parametrize("again", [False, True], ids=["no backup since", "a backup since"])
async def test_no_point_before_a_destruction_brings_the_key_back(backed: Backed, again: bool) -> None:
    """(16) (33) (49) Whole, or cut to before it: nobody opens what was destroyed, and Seoul's register says so."""
    first = await asyncio.to_thread(backed.take)
    async with houses(backed.folder) as world:
        line = (await show_inbox(world.kr, ShowInbox())).received[0]
        [(key, copy)] = [row async for row in world.kr.rows(CopyRow)]
        header = copy.header.hex()
        await destroy(world.kr, Destroy(item=line.item, copy=1, method="erase-key", reason="done", actor=Actor("kim")))
        await world.exchange()
    chain = next(name for name in first.chains if name.endswith("jp.kr/kr"))
    if again:
        await asyncio.to_thread(backed.take)
    before = f"{chain}={first.chains[chain] - 1}"
    for point in (("--backup", "1"), ("--size", before), () if again else ("--at", first.at.isoformat())):
        await asyncio.to_thread(backed.restore, *point)
        async with houses(backed.folder, kr=backed.back) as world:
            held = await world.kr.row(CopyRow, key)
            if point and point[0] != "--at":
                assert held is not None
                assert held.state == "held"
            asked = Open(item=line.item, purpose="air defence", path=str(backed.back / "x"), actor=Actor("kim"))
            with pytest.raises(Unavailable) as early:
                await open_item(world.kr, asked)
            assert early.value.code == "restored-node"
            if again:
                assert await world.kr.side(HEADER, header) is None
            await caught_up(world)
            assert await world.kr.side(HEADER, header) is None
            assert (await world.kr.need(CopyRow, key, "copy")).state == "destroyed"
            with pytest.raises(Refused):
                await open_item(world.kr, asked)
            assert not (backed.back / "x").exists()
        assert header in (backed.back / "erased-keys").read_text()
        assert parse_mark((backed.back / "high-water-mark").read_bytes(), "")[chain] > first.chains[chain]
        assert not (backed.back / "restored").exists()


async def test_a_house_cut_to_a_point_goes_on(backed: Backed) -> None:  # (31) (35)
    """What follows from the journal is made again, and the rest of the day comes from the peer."""
    taken = await asyncio.to_thread(backed.take)
    chain = next(name for name in taken.chains if name.endswith("jp.kr/kr"))
    await asyncio.to_thread(backed.restore, "--size", f"{chain}=1")
    async with houses(backed.folder, kr=backed.back) as world:
        assert world.kr.sequencer.head(chain).size == 1
        await caught_up(world)
        assert world.kr.sequencer.head(chain).size >= taken.chains[chain]


def test_what_cannot_be_asked_is_told(backed: Backed, capsys: pytest.CaptureFixture[str]) -> None:
    backed.take()
    kr, to = str(backed.folder / "kr"), str(backed.to)
    for words, code in (
        (("backup", "take", f"{kr}/inside", "--folder", kr), 1),
        (("backup", "take", to, "--folder", str(backed.folder / "nowhere")), 1),
        (("backup", "check", kr), 1),
        (("restore", to, "--folder", str(backed.back)), 1),
        (("restore", to, "--at", "2016-11-23", "--keys", kr, "--folder", str(backed.back)), 1),
        (("restore", to, "--backup", "1", "--at", "2026-11-21", "--folder", str(backed.back)), 2),
        (("restore", to, "--size", "x", "--folder", str(backed.back)), 2),
        (("restore", to, "-i", "x", "-p", "--folder", str(backed.back)), 2),
        (("catch-up", "--without", "x/y", "--folder", kr), 2),
    ):
        assert main([*words]) == code, words
    capsys.readouterr()
    assert main(["catch-up", "--folder", kr, "--json"]) == 0
    assert '"restored":null' in capsys.readouterr().out


async def test_a_database_put_back_by_hand_catches_up(backed: Backed, capsys: pytest.CaptureFixture[str]) -> None:
    """(36) It is refused as it is; told of, it fetches what is missing. One that is the newest is none."""
    kr = backed.folder / "kr"
    assert await asyncio.to_thread(main, ["catch-up", "--older-database", "--folder", str(kr)]) == 1
    assert "it is no older copy" in capsys.readouterr().err
    older = (kr / "comity.sqlite").read_bytes()
    async with houses(backed.folder) as world:
        line = (await show_inbox(world.kr, ShowInbox())).received[0]
        asked = Open(item=line.item, purpose="air defence", path=str(backed.folder / "y"), actor=Actor("kim"))
        assert (await open_item(world.kr, asked)).outcome == "permit"
        await world.exchange()
    for left in kr.glob("comity.sqlite-*"):
        left.unlink()
    (kr / "comity.sqlite").write_bytes(older)
    with pytest.raises(Rejected) as refused:
        async with houses(backed.folder):
            pass
    assert refused.value.code == "restored-database"
    assert await asyncio.to_thread(main, ["catch-up", "--older-database", "--folder", str(kr)]) == 0
    assert "older copy of the database" in capsys.readouterr().out
    async with houses(backed.folder) as world:
        await caught_up(world)
