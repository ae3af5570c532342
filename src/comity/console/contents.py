"""Contents in a page: what they are, by their own bytes, and how they are answered (``spec/contents.md`` 16 to 18).

Rules of this file:

- What something is, its first bytes say: never its name, and never what anybody calls it.
- What is not plainly one of a few harmless types is handed over to be saved, as bytes without a type.
- A picture is not decoded here. Its header is read, for its type and its measures, and the browser does the rest.
"""

from __future__ import annotations

import asyncio
import re
import unicodedata
from collections.abc import AsyncIterator, Mapping
from typing import BinaryIO, Literal
from urllib.parse import quote

import msgspec
from markupsafe import Markup
from starlette.responses import Response, StreamingResponse

from comity.console.spool import PIECE_BYTES, Spool, Spooled

HEAD_BYTES = PIECE_BYTES
"""What of a content is looked at: the header of a JPEG stands behind whatever its camera wrote there."""
POINTS_MAX = 50_000_000
"""Largest picture that is shown: a page of a newspaper at 600 dots an inch. A larger one is saved."""
TEXT_BYTES_MAX = 2**20
GUESSES: Mapping[str, str] = {"shift_jis": "cp932", "euc_kr": "cp949"}
"""What a reader can have a text read as, and the table of it that is really in use."""
TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that change the direction of the text around them."""
UNTYPED = "application/octet-stream"
POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; sandbox; frame-ancestors "
"""What a content may do in a browser: nothing. A PDF is shown so all the same; in a sandbox of the frame it is not."""

Kind = Literal["text", "picture", "pdf", "other"]
_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


class Shape(msgspec.Struct, frozen=True):
    """What a content is, and how it is called when it is shown."""

    kind: Kind
    media_type: str = UNTYPED
    text: str = ""


def shape_of(head: bytes, size: int, encoding: str = "") -> Shape:
    """(16) (17) What a content of ``size`` bytes is, that begins with ``head``.

    Args:
        head: its first ``HEAD_BYTES``.
        size: of all of it.
        encoding: what its reader has it read as, where it is no UTF-8 and no UTF-16.
    """
    found = _picture(head)
    if found is not None:
        media_type, width, height = found
        return Shape("picture", media_type) if 0 < width * height <= POINTS_MAX else Shape("other")
    if re.match(rb"%PDF-[12]\.\d[\r\n]", head):
        return Shape("pdf", "application/pdf")
    text = read_text(head, encoding) if size <= min(len(head), TEXT_BYTES_MAX) else None
    return Shape("other") if text is None else Shape("text", text=text)


def read_text(data: bytes, encoding: str = "") -> str | None:
    """(17) Text, where it plainly is some."""
    marked = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    tried = "utf-16" if marked else GUESSES.get(encoding, "utf-8-sig")
    try:
        text = data.decode(tried)
    except UnicodeDecodeError:
        return None
    return None if any(unicodedata.category(each) == "Cc" and each not in "\t\n\r\f" for each in text) else text


def may_be_text(head: bytes, size: int) -> bool:
    """Whether it is worth having a reader choose how to read it: there is a way to."""
    return size <= TEXT_BYTES_MAX and any(read_text(head, each) is not None for each in GUESSES)


def shown_text(text: str) -> Markup:
    """A text for a page, with what changes its direction shown by its number."""
    made = (
        Markup('<span class="turning">U+{}</span>').format(f"{ord(each):04X}") if each in TURNING else each
        for each in re.split(f"([{''.join(TURNING)}])", text)
    )
    return Markup("").join(made)


def _picture(head: bytes) -> tuple[str, int, int] | None:
    """The type of a picture with its width and height, by its header; None for anything else."""

    def number(start: int, end: int) -> int:
        return int.from_bytes(head[start:end])

    def little(start: int, end: int) -> int:
        return int.from_bytes(head[start:end], "little")

    if head.startswith(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR") and len(head) > 33:
        return "image/png", number(16, 20), number(20, 24)
    if head[:6] in (b"GIF87a", b"GIF89a") and len(head) > 13:
        return "image/gif", little(6, 8), little(8, 10)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP" and len(head) > 30:
        if head[12:16] == b"VP8 " and head[23:26] == b"\x9d\x01\x2a":
            return "image/webp", little(26, 28) & 0x3FFF, little(28, 30) & 0x3FFF
        if head[12:16] == b"VP8L" and head[20] == 0x2F:
            return "image/webp", 1 + (little(21, 25) & 0x3FFF), 1 + (little(21, 25) >> 14 & 0x3FFF)
        if head[12:16] == b"VP8X":
            return "image/webp", 1 + little(24, 27), 1 + little(27, 30)
        return None
    return _jpeg(head) if head.startswith(b"\xff\xd8\xff") else None


def _jpeg(head: bytes) -> tuple[str, int, int] | None:
    """The measures in the frame header of a JPEG, behind however many other segments (ITU-T T.81, B.1 and B.2)."""
    at = 2
    while at + 9 <= len(head) and head[at] == 0xFF:
        marker = head[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return "image/jpeg", int.from_bytes(head[at + 7 : at + 9]), int.from_bytes(head[at + 5 : at + 7])
        if marker in (0x00, 0x01, 0xD8, 0xD9, 0xDA) or 0xD0 <= marker <= 0xD7:
            return None
        at += 1 if marker == 0xFF else 2 + int.from_bytes(head[at + 2 : at + 4])
    return None


def disposition(name: str) -> str:
    """(18) How something to be saved is named: in ASCII for old programs, and as it is (RFC 6266, RFC 8187)."""
    plain = "".join(each if each.isascii() and (each.isalnum() or each in " ._-") else "_" for each in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def answered(spool: Spool, spooled: Spooled, shape: Shape, asked: str, *, save: bool) -> Response:
    """(18) A content, or the part of it that a browser asks for.

    Args:
        spool: where it lies.
        spooled: the content.
        shape: what it is.
        asked: the ``Range`` of the request.
        save: it is to be saved, not shown.
    """
    shown = shape.kind in ("picture", "pdf") and not save
    framed = shown and shape.kind == "pdf"
    headers = {
        "content-type": shape.media_type if shown else UNTYPED,
        "content-security-policy": POLICY + ("'self'" if framed else "'none'"),
        "x-content-type-options": "nosniff",
        "accept-ranges": "bytes",
    }
    if framed:
        headers |= {"x-frame-options": "SAMEORIGIN", "content-disposition": "inline"}
    if not shown:
        headers["content-disposition"] = disposition(spooled.name)
    first, last, status = 0, spooled.size - 1, 200
    if (part := _part(asked, spooled.size)) is not None:
        first, last = part
        status = 206
        headers["content-range"] = f"bytes {first}-{last}/{spooled.size}"
    elif asked.startswith("bytes=") and "," not in asked:
        return Response(status_code=416, headers={"content-range": f"bytes */{spooled.size}"})
    headers["content-length"] = str(last - first + 1)
    source = spool.read(spooled)
    source.seek(first)
    return StreamingResponse(_pieces(source, last - first + 1), status, headers)


def download(spool: Spool, spooled: Spooled, *, once: bool = False) -> Response:
    """All of something that was made to be saved; where it is handed over once, it lies there no more."""
    source = spool.read(spooled)
    if once:
        spool.drop(spooled)
    headers = {"content-disposition": disposition(spooled.name), "content-length": str(spooled.size)}
    return StreamingResponse(_pieces(source, spooled.size), headers=headers, media_type=UNTYPED)


def _part(asked: str, size: int) -> tuple[int, int] | None:
    """The first and last byte of the one range that is asked for; None for all of it, and for what is not there."""
    found = _RANGE.fullmatch(asked.strip())
    if found is None or found[1] == found[2] == "":
        return None
    if not found[1]:
        first, last = max(0, size - int(found[2])), size - 1
    else:
        first, last = int(found[1]), min(size - 1, int(found[2] or size))
    return (first, last) if first <= last else None


async def _pieces(source: BinaryIO, left: int) -> AsyncIterator[bytes]:
    with source:
        while left:
            piece = await asyncio.to_thread(source.read, min(PIECE_BYTES, left))
            left -= len(piece)
            yield piece
