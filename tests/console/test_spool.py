"""Files from browsers lie sealed on the disk, and nowhere for long (``spec/contents.md`` steps 1 to 4)."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from comity.console import spool as spooling
from comity.console.sessions import Session, Sessions
from comity.console.spool import FILES_OF_ONE_MAX, LIFE, PIECE_BYTES, Spool, SpooledFiles
from comity.errors import Misuse, Unavailable
from comity.stores.files import LocalFiles
from world import SeededEntropy, StandingClock

MARKER = b"the first line of the plan "


class Room:
    """A spool over a folder, with one person signed in."""

    def __init__(self, folder: Path, **changes: object) -> None:
        self.clock = StandingClock()
        self.folder = folder
        self.spool = Spool(
            folder,
            self.clock,
            os.urandom,
            int(str(changes.get("bytes_of_one", 2**30))),
            lambda: int(str(changes.get("free", 2**40))),
        )
        self.sessions = Sessions(self.clock, SeededEntropy("sessions"), timedelta(minutes=15))
        self.sessions.ended.append(self.spool.end)
        self.secret, self.session = self.sign_in("sato")
        self.files = SpooledFiles(LocalFiles(folder), self.spool)

    def sign_in(self, handle: str) -> tuple[str, Session]:
        return self.sessions.begin(handle, f"p-{handle}", "password")

    def put(self, content: bytes, session: Session | None = None) -> str:
        made = self.spool.new(session or self.session, "plan.txt")
        with self.files.whole(made.path) as sink:
            for start in range(0, len(content), 300_007):
                sink.write(content[start : start + 300_007])
        return made.id

    def read(self, identifier: str) -> bytes:
        found = self.spool.of(self.session, identifier)
        assert found is not None
        with self.files.read(found.path) as source:
            return source.read()


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path / "temporary")


@pytest.mark.parametrize("size", [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES + 17])
def test_what_was_written_is_read_at_any_place(room: Room, size: int) -> None:
    content = (MARKER * (size // len(MARKER) + 1))[:size]
    identifier = room.put(content)
    assert room.read(identifier) == content
    found = room.spool.of(room.session, identifier)
    assert found is not None
    assert found.path == f"spool:{identifier}/plan.txt"
    assert (found.size, found.seen) == (size, size)
    with room.files.read(found.path) as source:
        for place in (size // 2, 0, max(0, size - 5), size + 9):
            source.seek(place)
            assert source.read(70_000) == content[place : place + 70_000]


def test_a_file_has_no_name_and_no_plaintext(room: Room, tmp_path: Path) -> None:
    """(1) Neither by its name nor through the descriptor that holds it."""
    identifier = room.put(MARKER * 100_000)
    assert list((tmp_path / "temporary").iterdir()) == []
    held = room.spool.by_path(f"spool:{identifier}/plan.txt")
    assert held is not None
    on_disk = os.pread(held.file.fileno(), 10_000_000, 0)
    assert len(on_disk) > 2_700_000
    assert MARKER not in on_disk
    assert len(set(held.keys)) == len(held.keys) == 3


def test_a_piece_in_another_place_does_not_open(room: Room) -> None:
    identifier = room.put(MARKER * 100_000)
    held = room.spool.by_path(f"spool:{identifier}/plan.txt")
    assert held is not None
    stride = 1_048_848
    first, second = (os.pread(held.file.fileno(), stride, place) for place in (0, stride))
    os.pwrite(held.file.fileno(), second + first, 0)
    with pytest.raises(Exception, match="does not authenticate"):
        room.read(identifier)


def test_nothing_is_left_after_the_process_is_killed(tmp_path: Path) -> None:
    """(1) SIGKILL in the middle of an upload."""
    program = f"""
import os, signal
from pathlib import Path
from console.test_spool import MARKER, Room
room = Room(Path({str(tmp_path)!r}))
made = room.spool.new(room.session, "plan.txt")
with room.files.whole(made.path) as sink:
    sink.write(MARKER * 200_000)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    tests = str(Path(__file__).parents[1])
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=tests, check=False, env={**os.environ, "PYTHONPATH": tests}
    )
    assert ended.returncode == -9
    assert list(tmp_path.rglob("*")) == []


def test_it_is_thrown_away_with_its_session_and_after_a_while(room: Room) -> None:
    """(2) (4)"""
    _, others = room.sign_in("sato")
    first, second = room.put(b"one"), room.put(b"two", others)
    assert room.spool.of(others, first) is None
    room.sessions.end(room.secret)
    assert room.spool.of(room.session, first) is None
    held = room.spool.of(others, second)
    assert held is not None
    room.clock.time += LIFE - timedelta(minutes=1)
    room.spool.keep(held)
    room.clock.time += LIFE - timedelta(minutes=1)
    assert room.spool.of(others, second) is held
    room.clock.time += timedelta(minutes=2)
    assert room.spool.of(others, second) is None
    with pytest.raises(Misuse, match="choose it again"):
        room.files.read(held.path)


def test_every_way_a_session_ends_takes_its_files(room: Room) -> None:
    gone = [room.sign_in("sato") for _ in range(2)]
    ids = [room.put(b"x", session) for _, session in gone]
    room.sessions.end_all("p-sato", but=room.session)
    assert [room.spool.of(session, each) for (_, session), each in zip(gone, ids, strict=True)] == [None, None]
    kept = room.put(b"y")
    room.clock.time += timedelta(minutes=10)
    held = room.spool.of(room.session, kept)
    assert held is not None
    room.spool.keep(held)
    room.clock.time += timedelta(minutes=6)
    assert room.sessions.of(room.secret) is None
    assert room.spool.of(room.session, kept) is None


def test_whoever_reads_just_now_reads_on(room: Room) -> None:
    identifier = room.put(MARKER * 100_000)
    held = room.spool.of(room.session, identifier)
    assert held is not None
    with room.files.read(held.path) as source:
        begun = source.read(10)
        room.spool.end(room.session)
        assert begun + source.read() == MARKER * 100_000


def test_what_is_cut_short_is_thrown_away(room: Room) -> None:
    made = room.spool.new(room.session, "plan.txt")
    with suppress(RuntimeError), room.files.whole(made.path) as sink:
        sink.write(MARKER)
        raise RuntimeError
    assert room.spool.of(room.session, made.id) is None
    with pytest.raises(Misuse, match="open it again"), room.files.whole(made.path):
        pass


def test_what_is_thrown_away_while_it_is_sealed_is_written_nowhere(
    room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number of its descriptor is another file's by then: the database's, for example."""
    made = room.spool.new(room.session, "plan.txt")
    number = made.file.fileno()
    sealing, thrown_away = threading.Event(), threading.Event()
    seal, told = spooling.seal_payload_bytes, []

    def slowly(*given: object) -> bytes:
        sealing.set()
        assert thrown_away.wait(10)
        return seal(*given)

    def write() -> None:
        with pytest.raises(Unavailable, match="thrown away meanwhile") as refused, room.files.whole(made.path) as sink:
            sink.write(MARKER * 100_000)
        told.append(refused.value.code)

    monkeypatch.setattr(spooling, "seal_payload_bytes", slowly)
    writer = threading.Thread(target=write)
    writer.start()
    assert sealing.wait(10)
    room.spool.end(room.session)
    other = os.open(tmp_path / "other", os.O_RDWR | os.O_CREAT)
    try:
        assert other == number
        thrown_away.set()
        writer.join(10)
        assert (told, os.fstat(other).st_size) == (["spool-gone"], 0)
    finally:
        os.close(other)


def test_what_is_thrown_away_before_its_end_is_not_whole(room: Room) -> None:
    made = room.spool.new(room.session, "plan.txt")
    sink = room.files.whole(made.path)
    sink.__enter__().write(MARKER)
    room.spool.drop(made)
    with pytest.raises(Unavailable, match="thrown away meanwhile"):
        sink.__exit__(None, None, None)


def test_threads_write_while_files_come_and_go(tmp_path: Path) -> None:
    room = Room(tmp_path, bytes_of_one=0)
    made = room.spool.new(room.session, "plan.txt")
    over, told = threading.Event(), set()

    def write() -> None:
        while not over.is_set():
            try:
                room.spool._write(made, b"x")
            except Exception as error:  # noqa: BLE001 - whatever it is, the test is told
                told.add(str(getattr(error, "code", repr(error))))

    writers = [threading.Thread(target=write) for _ in range(3)]
    for each in writers:
        each.start()
    for _ in range(25):
        for each in [room.spool.new(room.session, "other.txt") for _ in range(FILES_OF_ONE_MAX - 1)]:
            room.spool.drop(each)
    over.set()
    for each in writers:
        each.join(10)
    assert told == {"spool-full"}


def test_what_comes_slowly_is_kept_while_it_comes(room: Room) -> None:
    """(2) Twelve minutes for each megabyte."""
    made = room.spool.new(room.session, "plan.txt")
    with room.files.whole(made.path) as sink:
        for _ in range(5):
            sink.write(bytes(PIECE_BYTES))
            room.clock.time += LIFE - timedelta(minutes=3)
            room.spool.sweep()
    found = room.spool.of(room.session, made.id)
    assert found is made
    assert found.size == 5 * PIECE_BYTES


async def test_it_is_thrown_away_also_where_nobody_looks_in(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """(2) By a clock of the loop, wound up again for what was needed meanwhile."""
    waits: list[tuple[int, Callable[[], None]]] = []
    monkeypatch.setattr(asyncio.get_running_loop(), "call_later", lambda wait, then: waits.append((round(wait), then)))
    made, other = room.spool.new(room.session, "plan.txt"), room.spool.new(room.session, "other.txt")
    assert [wait for wait, _ in waits] == [15 * 60 + 1]
    room.clock.time += timedelta(minutes=10)
    room.spool.keep(made)
    room.clock.time += timedelta(minutes=6)
    waits[0][1]()
    assert (made.file.closed, other.file.closed, [wait for wait, _ in waits][1:]) == (False, True, [9 * 60 + 1])
    room.clock.time += timedelta(minutes=10)
    waits[1][1]()
    assert (made.file.closed, len(waits)) == (True, 2)
    room.spool.new(room.session, "plan.txt")
    assert len(waits) == 3


def test_room_that_nobody_writes_to_is_free_again(room: Room) -> None:
    with room.spool.room(room.session, "plan.txt") as lies, room.files.whole(lies.path) as sink:
        sink.write(MARKER)
    assert room.read(lies.id) == MARKER
    with room.spool.room(room.session, "plan.txt") as unwritten:
        pass
    with suppress(RuntimeError), room.spool.room(room.session, "plan.txt") as failed:
        with room.files.whole(failed.path) as sink:
            sink.write(MARKER)
        raise RuntimeError
    assert (lies.file.closed, unwritten.file.closed, failed.file.closed) == (False, True, True)


def test_a_disk_that_takes_only_part_of_a_piece_is_full(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "pwrite", lambda _descriptor, data, _place: len(data) - 1)
    with pytest.raises(Unavailable, match="could not be written") as refused:
        room.put(MARKER)
    assert refused.value.code == "disk-full"


def test_one_person_has_so_many_files_and_so_many_bytes(tmp_path: Path) -> None:
    """(3)"""
    room = Room(tmp_path, bytes_of_one=2 * PIECE_BYTES)
    for _ in range(FILES_OF_ONE_MAX):
        room.put(b"x")
    with pytest.raises(Unavailable, match="too many files"):
        room.put(b"x")
    _, other = room.sign_in("abe")
    room.put(bytes(PIECE_BYTES), other)
    with pytest.raises(Unavailable, match="would lie here at once"):
        room.put(bytes(PIECE_BYTES + 1), other)


def test_the_reserve_of_the_disk_is_kept(tmp_path: Path) -> None:
    """(3)"""
    with pytest.raises(Unavailable, match="nearly full") as refused:
        Room(tmp_path, free=5).put(b"longer")
    assert refused.value.code == "disk-reserve"


def test_other_names_are_files_of_the_machine(room: Room, tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"there")
    with room.files.read(str(tmp_path / "other")) as source:
        assert source.read() == b"there"
    with room.files.whole(str(tmp_path / "new")) as sink:
        sink.write(b"new")
    assert (tmp_path / "new").read_bytes() == b"new"
    with room.files.scratch() as (path, _sink):
        assert Path(path).parent == room.folder
