"""Files from browsers lie sealed on the disk, and nowhere for long (``spec/contents.md`` steps 1 to 4)."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

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
    room.spool.needed(held)
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
    room.spool.needed(held)
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
