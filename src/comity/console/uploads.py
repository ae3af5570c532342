"""Forms with a file, read piece by piece into the spool as they come (``spec/contents.md`` steps 5 to 8)."""

from __future__ import annotations

import asyncio
import re
import unicodedata
from contextlib import ExitStack
from typing import TYPE_CHECKING, BinaryIO

import msgspec
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from comity.console.bodies import pieces_of
from comity.console.guard import FORM_BYTES_MAX
from comity.console.sessions import Session, Sessions
from comity.console.spool import PIECE_BYTES, Spool, Spooled
from comity.console.visit import FIELDS_MAX, Form, check_token, check_typed
from comity.errors import Misuse, Rejected

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

KIND = "multipart/form-data"
NAME_BYTES_MAX = 200
"""Longest name that is kept: some file systems take 255 bytes, and a reader's own program may add to it."""
ENDING_BYTES_MAX = 20
LENGTH_DIGITS = 16
UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Categories of characters that nobody sees in a name, or that change how the rest of it is seen."""
KEPT_FOR_THE_SYSTEM = re.compile(r"(?i)(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?")
"""Names of devices, with any ending, on one operating system or another."""


def is_upload(request: Request) -> bool:
    """Whether a request has a form with a file in it."""
    return request.headers.get("content-type", "").lower().startswith(KIND)


class Upload(msgspec.Struct, frozen=True):
    """What came.

    Attributes:
        form: its text fields.
        file: its file; None where none was chosen.
    """

    form: Form
    file: Spooled | None = None


class ToSpool:
    """Puts the file of a form into the spool.

    Attributes:
        form: the text fields that stand before the file, once they are known to be from a page of the session.
        file: the file.

    Args:
        session: whose form it is.
        sessions: all of them.
        spool: where it goes.
    """

    def __init__(self, session: Session, sessions: Sessions, spool: Spool) -> None:
        self.session = session
        self.sessions = sessions
        self._spool = spool
        self._writing = ExitStack()
        self._sink: BinaryIO | None = None
        self.form: Form | None = None
        self.file: Spooled | None = None

    def begin(self, form: Form, given: str) -> None:
        """(5) A file begins; its form carries the token of the session."""
        check_token(self.session, form)
        self.form = form
        if self.file is not None:
            raise Rejected("a form with several files; send one at a time", code="wrong-form")
        self.file = self._spool.new(self.session, safe_name(given))
        self.file.given = given
        self._sink = self._writing.enter_context(self._spool.whole(self.file))

    async def write(self, piece: bytes) -> None:
        """(6) A piece of it, while the session lasts."""
        if not self.sessions.lasts(self.session):
            raise Misuse(
                "you were signed out while the file was coming; sign in, and choose it again", code="signed-out"
            )
        assert self._sink is not None  # a file began
        await asyncio.to_thread(self._sink.write, piece)

    def end(self, error: BaseException | None) -> None:
        """All of it came, or the form is not taken."""
        self._writing.__exit__(type(error) if error else None, error, None)
        if error is not None and self.file is not None:
            self._spool.drop(self.file)


async def read_upload(request: Request, to: ToSpool, bytes_max: int, field: str = "file") -> Upload:
    """A form with at most one file, in the field that is named; the file is thrown away where this raises.

    Raises:
        Rejected: it is not such a form, without the token of the session, too large, or too slow.
        Misuse: the session ended meanwhile.
        Unavailable: there is no room for the file.
    """
    parts = _Parts(field, bytes_max, to)
    try:
        await parts.take(request)
    except BaseException as error:
        to.end(error)
        raise
    to.end(None)
    check_token(to.session, parts.form)
    return Upload(parts.form, to.file)


async def read_fields(request: Request, bytes_max: int) -> Form:
    """The text fields of a form with a file, as far as they stand before it; of the file nothing is looked at.

    Raises:
        Rejected: it is not such a form.
    """
    parts = _Parts("", bytes_max, None)
    await parts.take(request)
    return parts.form


class _Parts:
    """A form while it comes."""

    def __init__(self, field: str, bytes_max: int, to: ToSpool | None) -> None:
        self.form = Form()
        self._field = field
        self._bytes_max = bytes_max
        self._to = to
        self._header, self._value = bytearray(), bytearray()
        self._said = ""
        self._name, self._is_file, self._taken = "", False, False
        self._typed, self._gathered = bytearray(), bytearray()
        self._text = 0
        self._came = 0
        self._ended = self._enough = False
        self._fits = True

    async def take(self, request: Request) -> None:
        """Read it to its end, or to its first file where nobody takes that."""
        kind, options = parse_options_header(request.headers.get("content-type", "")[:1_000])
        boundary = options.get(b"boundary", b"")
        if kind.decode("latin-1") != KIND or not boundary:
            raise Rejected(f"a form with a file is sent as {KIND}, not as {kind[:100]!r}", code="wrong-form")
        length = request.headers.get("content-length", "")
        most = int(length) if length.isdecimal() and len(length) < LENGTH_DIGITS else self._bytes_max
        self._fits = most <= self._bytes_max + FORM_BYTES_MAX
        try:
            parser = MultipartParser(boundary, self._callbacks())
            async for piece in pieces_of(request):
                parser.write(piece)
                if self._enough:
                    return
                if len(self._gathered) >= PIECE_BYTES:
                    await self._hand_over()
        except FormParserError:
            raise Rejected("a form that is cut short or is none", code="wrong-form") from None
        if not self._ended:
            raise Rejected("a form that is cut short or is none", code="wrong-form")
        await self._hand_over()

    async def _hand_over(self) -> None:
        if self._to is not None and self._to.file is not None:
            gathered, self._gathered = bytes(self._gathered), bytearray()
            await self._to.write(gathered)

    def _callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self._part,
            "on_header_field": lambda data, start, end: self._header.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers,
            "on_part_data": lambda data, start, end: self._data(data[start:end]),
            "on_part_end": self._part_end,
            "on_end": self._end,
        }

    def _part(self) -> None:
        self._said, self._name, self._is_file, self._taken = "", "", False, False

    def _header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._said = self._value.decode("latin-1")
        self._header.clear()
        self._value.clear()

    def _headers(self) -> None:
        kind, options = parse_options_header(self._said)
        if kind != b"form-data" or b"name" not in options:
            raise Rejected("a part of a form without a name", code="wrong-form")
        self._name = _decoded(options[b"name"])
        if b"filename" not in options:
            return
        self._is_file = True
        given = _decoded(options[b"filename"])
        if self._to is None:
            self._enough = True
        elif given:  # without a name, none was chosen
            if self._name != self._field:
                raise Rejected(f"a file in the field {self._name[:100]!r}, which takes none", code="wrong-form")
            self._to.begin(self.form, given)
            self._taken = True
            if not self._fits:
                raise self._too_large()

    def _data(self, data: bytes) -> None:
        if self._enough:
            return
        if self._is_file:
            if not self._taken:
                raise Rejected("a file without a name; choose it again", code="wrong-form")
            self._came += len(data)
            if self._came > self._bytes_max:
                raise self._too_large()
            self._gathered += data
        else:
            self._text += len(data)
            if self._text > FORM_BYTES_MAX:
                raise Rejected(f"more than {FORM_BYTES_MAX} bytes of text in a form", code="too-large")
            self._typed += data

    def _part_end(self) -> None:
        if self._is_file:
            return
        text = _decoded(bytes(self._typed))
        self._typed.clear()
        check_typed(text)
        self.form = Form((*self.form.fields, (self._name, text)))
        if len(self.form.fields) > FIELDS_MAX:
            raise Rejected("a form with too many fields", code="wrong-form")

    def _end(self) -> None:
        self._ended = True

    def _too_large(self) -> Rejected:
        return Rejected(f"a file of more than {self._bytes_max} bytes is not taken here", code="too-large")


def _decoded(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError:
        raise Rejected("a form that is not text in UTF-8", code="wrong-form") from None


def safe_name(given: str) -> str:
    """(7) What is kept of the name that a browser gives a file."""
    last = unicodedata.normalize("NFC", re.split(r"[/\\]", given)[-1])
    shown = "".join(each for each in last if unicodedata.category(each) not in UNSEEN).strip(" .\u3000")
    if not shown:
        return "file"
    if KEPT_FOR_THE_SYSTEM.fullmatch(shown):
        shown = f"_{shown}"
    stem, dot, ending = shown.rpartition(".")
    if not stem or len(ending.encode()) > ENDING_BYTES_MAX:
        stem, dot, ending = shown, "", ""
    room = NAME_BYTES_MAX - len((dot + ending).encode())
    return stem.encode()[:room].decode(errors="ignore").rstrip(" .") + dot + ending
