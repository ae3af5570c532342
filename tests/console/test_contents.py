"""What a content is, by its own bytes, and how it is answered (``spec/contents.md`` steps 16 to 18)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import pytest
from starlette.responses import Response

from comity.console.contents import (
    TEXT_BYTES_MAX,
    Kind,
    answered,
    disposition,
    download,
    may_be_text,
    shape_of,
    shown_text,
)
from comity.errors import Misuse
from console.test_spool import Room


def png(width: int = 2, height: int = 2, after: bytes = b"") -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    lines = b"".join(b"\0" + b"\xff\0\0" * width for _ in range(min(height, 10)))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"") + after
    )


def jpeg(width: int = 2, height: int = 3) -> bytes:
    comment = b"\xff\xfe" + struct.pack(">H", 5_002) + b"c" * 5_000
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 17, 8, height, width, 3) + bytes(9)
    return b"\xff\xd8\xff\xe0" + struct.pack(">H", 16) + b"JFIF\0" + bytes(9) + comment + frame


GIF = b"GIF89a" + struct.pack("<HH", 4, 5) + bytes(20)
WEBP = (
    b"RIFF" + struct.pack("<I", 40) + b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + b"\x07\0\0\x08\0\0" + bytes(20)
)
LOSSY = (
    b"RIFF" + struct.pack("<I", 40) + b"WEBPVP8 " + bytes(7) + b"\x9d\x01\x2a" + struct.pack("<HH", 7, 8) + bytes(20)
)
LOSSLESS = (
    b"RIFF" + struct.pack("<I", 40) + b"WEBPVP8L" + bytes(4) + b"\x2f" + struct.pack("<I", 6 | 7 << 14) + bytes(20)
)
PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
SCRIPT = b"<html><script>alert(1)</script></html>"

SHAPES: Sequence[tuple[bytes, Kind, str]] = (
    (png(), "picture", "image/png"),
    (png(after=SCRIPT), "picture", "image/png"),
    (jpeg(), "picture", "image/jpeg"),
    (GIF, "picture", "image/gif"),
    (b"GIF87a" + GIF[6:], "picture", "image/gif"),
    (WEBP, "picture", "image/webp"),
    (LOSSY, "picture", "image/webp"),
    (LOSSLESS, "picture", "image/webp"),
    (PDF, "pdf", "application/pdf"),
    (PDF + SCRIPT, "pdf", "application/pdf"),
    (b"%PDF-2.0\r" + PDF[9:], "pdf", "application/pdf"),
    (SCRIPT + PDF, "text", "application/octet-stream"),
    (b"\n" + PDF, "text", "application/octet-stream"),
    (b"%PDF-9.9\n" + bytes(5), "other", "application/octet-stream"),
    (b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "text", "application/octet-stream"),
    (SCRIPT, "text", "application/octet-stream"),
    (b"GIF89a/*" + bytes(20), "other", "application/octet-stream"),
    (GIF + b"*/=1;alert(1)", "picture", "image/gif"),
    (b"GIF89a", "text", "application/octet-stream"),
    (b"\x89PNG\r\n\x1a\n" + SCRIPT, "other", "application/octet-stream"),
    (b"\xff\xd8\xff" + SCRIPT, "other", "application/octet-stream"),
    (b"\xff\xd8\xff\xda\0\x08" + bytes(20), "other", "application/octet-stream"),
    (b"\xff\xd8" + b"\xff\xe0\0\x04xx" * 5, "other", "application/octet-stream"),
    (b"RIFF" + bytes(4) + b"WAVEfmt " + bytes(30), "other", "application/octet-stream"),
    (b"RIFF" + bytes(4) + b"WEBPVP8 " + bytes(30), "other", "application/octet-stream"),
    (png(60_000, 60_000), "other", "application/octet-stream"),
    (png(0, 7), "other", "application/octet-stream"),
    (b"", "text", "application/octet-stream"),
    ("요격 계획\n迎撃".encode(), "text", "application/octet-stream"),
    (b"a\0b", "other", "application/octet-stream"),
    (b"a\x1b[31mred", "other", "application/octet-stream"),
    (b"PK\x03\x04" + bytes(30), "other", "application/octet-stream"),
    (b"MZ\x90\0" + bytes(30), "other", "application/octet-stream"),
)


@pytest.mark.parametrize(("content", "kind", "media_type"), SHAPES)
def test_what_it_is_its_own_bytes_say(content: bytes, kind: Kind, media_type: str) -> None:
    found = shape_of(content, len(content))
    assert (found.kind, found.media_type) == (kind, media_type)


@pytest.mark.parametrize("picture", [png(), jpeg(), GIF, WEBP, LOSSY, LOSSLESS])
def test_a_picture_that_is_cut_anywhere_is_looked_at_without_harm(picture: bytes) -> None:
    for end in range(len(picture)):
        shape_of(picture[:end], end)


@pytest.mark.parametrize(
    ("content", "encoding", "text"),
    [
        ("요격".encode("utf-8-sig"), "", "요격"),
        ("요격 迎撃".encode("utf-16"), "", "요격 迎撃"),
        (b"\xfe\xff" + "迎撃".encode("utf-16-be"), "", "迎撃"),
        ("迎撃計画①".encode("cp932"), "shift_jis", "迎撃計画①"),
        ("요격 계획".encode("cp949"), "euc_kr", "요격 계획"),
        ("迎撃".encode(), "no-such-encoding", "迎撃"),
    ],
)
def test_text_is_read_strictly(content: bytes, encoding: str, text: str) -> None:
    """(17)"""
    found = shape_of(content, len(content), encoding)
    assert (found.kind, found.text) == ("text", text)


def test_of_other_bytes_nobody_can_tell() -> None:
    """(17) The reader chooses, where there is anything to choose."""
    content = "요격 계획".encode("cp949")
    assert shape_of(content, len(content)).kind == "other"
    assert may_be_text(content, len(content))
    assert shape_of(b"\xff\xff\xff\x80\x81", 5, "shift_jis").kind == "other"
    assert not may_be_text(b"\0\0\0", 3)
    assert not may_be_text(content, TEXT_BYTES_MAX + 1)
    assert shape_of(b"a" * TEXT_BYTES_MAX, TEXT_BYTES_MAX + 1).kind == "other"


def test_what_turns_a_text_is_shown_by_its_number() -> None:
    """(17) Otherwise what is read is not what is written."""
    shown = shown_text("pay \u202e100\u202c to <b>")
    assert str(shown) == ('pay <span class="turning">U+202E</span>100<span class="turning">U+202C</span> to &lt;b&gt;')
    assert shown_text("") == ""


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("plan.txt", "plan.txt"),
        ('a"; filename="b.exe', "a__ filename__b.exe"),
        ("계획\r\nSet-Cookie: x.pdf", "____Set-Cookie_ x.pdf"),
        ("../x", ".._x"),
    ],
)
def test_what_is_saved_is_named_without_tricks(name: str, plain: str) -> None:
    """(18)"""
    said = disposition(name)
    assert said.startswith(f"attachment; filename=\"{plain}\"; filename*=UTF-8''")
    assert said.isascii()
    assert said.isprintable()
    assert said.count('"') == 2


async def body_of(response: Response) -> bytes:
    return b"".join([bytes(piece) async for piece in response.body_iterator])  # type: ignore[attr-defined]  # streamed


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        ("", 200, slice(None)),
        ("bytes=0-9", 206, slice(0, 10)),
        ("bytes=5-", 206, slice(5, None)),
        ("bytes=-7", 206, slice(-7, None)),
        ("bytes=1048570-1048590", 206, slice(1_048_570, 1_048_591)),
        ("bytes=0-99999999", 206, slice(None)),
        ("bytes=0-1,5-6", 200, slice(None)),
        ("lines=0-1", 200, slice(None)),
    ],
)
async def test_a_part_of_it_can_be_asked_for(tmp_path: Path, asked: str, status: int, part: slice) -> None:
    """(18)"""
    room = Room(tmp_path)
    content = png(after=bytes(range(256)) * 8_000)
    held = room.spool.of(room.session, room.put(content))
    assert held is not None
    response = answered(room.spool, held, shape_of(content, len(content)), asked, save=False)
    body = await body_of(response)
    assert (response.status_code, body == content[part]) == (status, True)
    assert response.headers["content-length"] == str(len(body))


@pytest.mark.parametrize("asked", ["bytes=99999999-", "bytes=5-2", "bytes=-", "bytes=x-y", "bytes=-0"])
async def test_a_part_that_is_not_there_is_refused(tmp_path: Path, asked: str) -> None:
    room = Room(tmp_path)
    held = room.spool.of(room.session, room.put(b"content"))
    assert held is not None
    assert answered(room.spool, held, shape_of(b"content", 7), asked, save=True).status_code == 416


async def test_what_was_made_to_be_saved_is_handed_over_once_or_again(tmp_path: Path) -> None:
    room = Room(tmp_path)
    content = bytes(range(256)) * 10_000
    held = room.spool.of(room.session, room.put(content))
    assert held is not None
    for once in (False, False, True):
        response = download(room.spool, held, once=once)
        assert held.file.closed is once
        assert (await body_of(response), response.headers["content-length"]) == (content, str(len(content)))
        assert response.headers["content-type"] == "application/octet-stream"
    with pytest.raises(Misuse, match="not here any more"):
        download(room.spool, held)


@pytest.mark.parametrize("content", [each[0] for each in SHAPES if each[0]])
@pytest.mark.parametrize("save", [True, False])
async def test_nothing_is_answered_with_a_type_that_acts(tmp_path: Path, content: bytes, save: bool) -> None:
    """(16) (18) HTML, SVG and scripts never are, whatever they pretend to be."""
    room = Room(tmp_path)
    held = room.spool.of(room.session, room.put(content))
    assert held is not None
    shape = shape_of(content, len(content))
    response = answered(room.spool, held, shape, "", save=save)
    told = response.headers
    assert told["content-type"] in {shape.media_type, "application/octet-stream"}
    assert told["content-type"] in {
        *("image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf", "application/octet-stream")
    }
    assert told["x-content-type-options"] == "nosniff"
    assert "sandbox" in told["content-security-policy"]
    assert "script" not in told["content-security-policy"]
    if save or shape.kind in ("text", "other"):
        assert told["content-disposition"].startswith("attachment")
        assert told["content-type"] == "application/octet-stream"
    assert await body_of(response) == content
