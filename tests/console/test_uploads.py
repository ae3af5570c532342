"""Forms with a file: what is taken, what is refused, and that nothing of it lies open (``spec/contents.md`` 5 to 8)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.requests import Request

from comity.console import bodies
from comity.console.guard import FORM_BYTES_MAX
from comity.console.spool import PIECE_BYTES
from comity.console.uploads import NAME_BYTES_MAX, ToSpool, Upload, read_fields, read_upload, safe_name
from comity.errors import ComityError, Misuse, Rejected
from console.test_spool import MARKER, Room

MOST = 4 * PIECE_BYTES


def part(name: str, content: bytes, file: str | None = None, more: str = "") -> bytes:
    named = "" if file is None else f'; filename="{file}"'
    return f'--B\r\nContent-Disposition: form-data; name="{name}"{named}\r\n{more}\r\n'.encode() + content + b"\r\n"


def request(
    body: bytes, *, pieces: int = 7_001, kind: str = "multipart/form-data; boundary=B", length: str = ""
) -> Request:
    cut = [body[start : start + pieces] for start in range(0, len(body), pieces)]

    async def receive() -> dict[str, object]:
        await asyncio.sleep(0)
        return {"type": "http.request", "body": cut.pop(0) if cut else b"", "more_body": bool(cut)}

    headers = [(b"content-type", kind.encode())]
    if length:
        headers.append((b"content-length", length.encode()))
    return Request({"type": "http", "method": "POST", "path": "/give", "headers": headers}, receive)


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path / "temporary")


async def sent(room: Room, body: bytes, **how: object) -> Upload:
    to = ToSpool(room.session, room.sessions, room.spool)
    return await read_upload(request(body, **how), to, MOST)  # type: ignore[arg-type]  # a test says which


def token(room: Room) -> bytes:
    return part("token", room.session.token.encode())


def nothing_left(room: Room) -> bool:
    return not room.spool._held


@pytest.mark.parametrize("pieces", [1, 13, 7_001, 10_000_000])
async def test_fields_and_a_file_come_in_whatever_pieces(room: Room, pieces: int) -> None:
    content = b"\r\n--B\r\n-not the end--\r\n" + MARKER * (10 if pieces < 100 else 100_000)
    body = (
        token(room)
        + part("topic", "미사일".encode())
        + part("file", content, "요격 계획.txt", "Content-Type: text/html\r\n")
    )
    found = await sent(
        room, body.replace(b"--B\r\n-not", b"--C\r\n-not") + part("do", b"look") + b"--B--\r\n", pieces=pieces
    )
    assert [pair for pair in found.form.fields if pair[0] != "token"] == [("topic", "미사일"), ("do", "look")]
    assert found.file is not None
    assert (found.file.given, found.file.name) == ("요격 계획.txt", "요격 계획.txt")
    assert room.read(found.file.id) == content.replace(b"--B\r\n-not", b"--C\r\n-not")


async def test_without_a_file_there_is_none(room: Room) -> None:
    found = await sent(room, token(room) + part("file", b"", "") + b"--B--\r\n")
    assert found.file is None
    empty = await sent(room, token(room) + part("file", b"", "empty.txt") + b"--B--\r\n")
    assert empty.file is not None
    assert room.read(empty.file.id) == b""


REFUSED: Sequence[tuple[str, bytes, dict[str, object], str]] = (
    ("no form", b"token=x", {"kind": "application/x-www-form-urlencoded"}, "wrong-form"),
    ("no boundary", b"", {"kind": "multipart/form-data"}, "wrong-form"),
    ("a long boundary", b"", {"kind": "multipart/form-data; boundary=" + "B" * 300}, "wrong-form"),
    ("nothing", b"", {}, "wrong-form"),
    ("cut short", part("file", MARKER, "a.txt"), {}, "wrong-form"),
    ("cut in the headers", b'--B\r\nContent-Disposition: form-data; name="x"', {}, "wrong-form"),
    ("a part without a name", b"--B\r\nContent-Disposition: form-data\r\n\r\nx\r\n--B--\r\n", {}, "wrong-form"),
    (
        "a part that is no field",
        b'--B\r\nContent-Disposition: attachment; name="x"\r\n\r\nx\r\n--B--\r\n',
        {},
        "wrong-form",
    ),
    ("many headers", part("x", b"x", more="".join(f"X-{n}: y\r\n" for n in range(9))) + b"--B--\r\n", {}, "wrong-form"),
    ("a long header", part("x", b"x", more=f"X: {'y' * 5_000}\r\n") + b"--B--\r\n", {}, "wrong-form"),
    ("too many fields", part("x", b"y") * 501 + b"--B--\r\n", {}, "wrong-form"),
    ("too much text", part("x", b"y" * FORM_BYTES_MAX) + b"--B--\r\n", {}, "too-large"),
    ("no UTF-8", part("x", b"\xff") + b"--B--\r\n", {}, "wrong-form"),
    ("a control character", part("x", b"a\0b") + b"--B--\r\n", {}, "control-character"),
    ("too large a file", part("file", bytes(MOST + 1), "a.bin") + b"--B--\r\n", {}, "too-large"),
    ("announced as too large", part("file", b"x", "a"), {"length": str(MOST + FORM_BYTES_MAX + 1)}, "too-large"),
    ("two files", part("file", b"x", "a") + part("file", b"y", "b") + b"--B--\r\n", {}, "wrong-form"),
    ("a file in another field", part("topic", b"x", "a") + b"--B--\r\n", {}, "wrong-form"),
    ("a file without a name", part("file", MARKER, "") + b"--B--\r\n", {}, "wrong-form"),
)


@pytest.mark.parametrize(("body", "how", "code"), [each[1:] for each in REFUSED], ids=[each[0] for each in REFUSED])
async def test_anything_else_is_refused_and_nothing_is_kept(
    room: Room, body: bytes, how: dict[str, object], code: str
) -> None:
    before = b"" if code == "wrong-form" and not body else token(room)
    with pytest.raises(Rejected) as refused:
        await sent(room, before + body, **how)
    assert refused.value.code == code
    assert nothing_left(room)


@pytest.mark.parametrize("before", [b"", part("token", b"0" * 64), part("file", b"", "") + part("token", b"x")])
async def test_no_byte_of_a_file_is_kept_without_the_token(room: Room, before: bytes) -> None:
    """(5) A token that comes after the file is none."""
    body = before + part("file", MARKER * PIECE_BYTES, "a.txt") + token(room) + b"--B--\r\n"
    with pytest.raises(Rejected, match="earlier sign-in"):
        await sent(room, body)
    assert nothing_left(room)


async def test_a_session_that_ends_takes_its_upload_with_it(room: Room) -> None:
    """(6)"""
    body = token(room) + part("file", MARKER * 200_000, "a.txt") + b"--B--\r\n"
    to = ToSpool(room.session, room.sessions, room.spool)

    async def cut() -> None:
        while to.file is None or to.file.size == 0:
            await asyncio.sleep(0)
        room.sessions.end(room.secret)

    reading = asyncio.create_task(read_upload(request(body), to, 10 * PIECE_BYTES))
    await cut()
    with pytest.raises(Misuse, match="signed out while the file was coming"):
        await reading
    assert nothing_left(room)


async def test_a_session_does_not_end_for_idleness_while_its_file_comes(room: Room) -> None:
    """(6)"""
    body = token(room) + part("file", MARKER * 100_000, "a.txt") + b"--B--\r\n"
    made = request(body, pieces=PIECE_BYTES)
    inner = made._receive

    async def slow() -> object:
        room.clock.time += timedelta(minutes=6)
        return await inner()

    found = await read_upload(Request(made.scope, slow), ToSpool(room.session, room.sessions, room.spool), MOST)  # type: ignore[arg-type]  # as starlette has it
    assert found.file is not None
    assert room.sessions.of(room.secret) is room.session


async def test_what_comes_too_slowly_is_refused(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """(6)"""
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.05)
    made = request(token(room) + part("file", MARKER, "a.txt"), pieces=50, length=str(MOST))
    inner = made._receive

    async def stuck() -> object:
        said = await inner()
        if not said["more_body"]:
            await asyncio.Event().wait()
        return said

    with pytest.raises(Rejected) as refused:
        await read_upload(Request(made.scope, stuck), ToSpool(room.session, room.sessions, room.spool), MOST)  # type: ignore[arg-type]  # as starlette has it
    assert refused.value.code == "slow-body"
    assert nothing_left(room)


async def test_a_browser_that_goes_away_leaves_nothing(room: Room) -> None:
    async def gone() -> AsyncIterator[dict[str, object]]:
        yield {"type": "http.request", "body": token(room) + part("file", MARKER * 200_000, "a"), "more_body": True}
        yield {"type": "http.disconnect"}

    said = gone()
    made = Request({**request(b"").scope}, lambda: anext(said))  # type: ignore[arg-type,return-value]  # as starlette has it
    with pytest.raises(Exception) as ended:  # noqa: PT011 - starlette says it in its own way
        await read_upload(made, ToSpool(room.session, room.sessions, room.spool), 10 * PIECE_BYTES)
    assert not isinstance(ended.value, ComityError)
    assert nothing_left(room)


async def test_the_text_before_a_file_is_read_without_it(room: Room) -> None:
    body = token(room) + part("topic", b"missiles") + part("file", MARKER * 100_000, "a.txt")
    form = await read_fields(request(body), MOST)
    assert (form.get("topic"), nothing_left(room)) == ("missiles", True)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("plan.txt", "plan.txt"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("C:\\plans\\계획.hwp", "계획.hwp"),
        ("/", "file"),
        ("..", "file"),
        (" . ", "file"),
        (".bashrc", "bashrc"),
        ("a\0b\r\n.txt", "ab.txt"),
        ("plan\u202efdp.exe", "planfdp.exe"),
        ("\u2066plan\u2069\u200e.txt", "plan.txt"),
        ("\ufeffplan\u2028.txt", "plan.txt"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("COM¹.log", "_COM¹.log"),
        ("계획".encode().decode() + ".txt", "계획.txt"),
        ("한글.txt", "한글.txt"),
        ("<script>alert(1)</script>.txt", "script>.txt"),
        ('"quoted".txt', '"quoted".txt'),
        ("トマホーク" * 40 + ".pdf", ("トマホーク" * 40).encode()[:196].decode(errors="ignore") + ".pdf"),
        ("x" * 300, "x" * NAME_BYTES_MAX),
        ("a." + "y" * 300, "a." + "y" * (NAME_BYTES_MAX - 2)),
    ],
)
def test_a_name_is_kept_without_paths_and_tricks(given: str, kept: str) -> None:
    """(7)"""
    assert safe_name(given) == kept
    assert len(kept.encode()) <= NAME_BYTES_MAX
