"""The text form of an age file: strict PEM with the label ``AGE ENCRYPTED FILE`` (``spec/seal.md`` steps 19, 20).

    -----BEGIN AGE ENCRYPTED FILE-----
    YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSBZbW9B...
    -----END AGE ENCRYPTED FILE-----

The armor authenticates nothing; what is inside does.
"""

from __future__ import annotations

from binascii import Error, a2b_base64, b2a_base64
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

from comity.seal.refusals import ArmorMalformed
from comity.seal.streams import Pieces, Resumed, Sink, Source, take, write_all

BEGIN = b"-----BEGIN AGE ENCRYPTED FILE-----"
END = b"-----END AGE ENCRYPTED FILE-----"
OUTER_SPACE_BYTES_MAX = 1024
"""Most white space before, and after, the armor; as ``age`` accepts."""

_COLUMNS = 64
_LINE_BYTES = 48
_BLOCK_BYTES = 256 * 1024
_SPACE = b" \t\r\n"


@contextmanager
def armored(sink: Sink) -> Iterator[Sink]:
    """(19) A sink whose bytes reach ``sink`` as text; the last line is written when the block ends without an error."""
    writer = _Writer(sink)
    write_all(sink, BEGIN + b"\n")
    yield writer
    writer.finish()


def detected(source: Source) -> Source:
    """(20) The binary file in ``source``, whichever of the two forms it has.

    Raises:
        ArmorMalformed: when read, at the first thing in an armor that ``armored`` does not write.
    """
    head = take(source, OUTER_SPACE_BYTES_MAX + len(BEGIN) + 2)
    resumed = Resumed(head, source)
    return Pieces(_decoded(resumed)) if head.lstrip(_SPACE).startswith(b"-----BEGIN") else resumed


def encode(file: bytes) -> bytes:
    """(19) The text form of a file in memory."""
    text = BytesIO()
    with armored(text) as sink:
        sink.write(file)
    return text.getvalue()


def decode(text: bytes) -> bytes:
    """(20) The file whose text form is ``text``.

    Raises:
        ArmorMalformed: it is no file's.
    """
    return b"".join(_decoded(BytesIO(text)))


class _Writer:
    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._pending = b""

    def write(self, data: memoryview | bytes, /) -> int:
        text = b"".join((self._pending, data))
        whole = len(text) // _LINE_BYTES * _LINE_BYTES
        self._lines(text[:whole])
        self._pending = text[whole:]
        return len(data)

    def finish(self) -> None:
        self._lines(self._pending)
        write_all(self._sink, END + b"\n")

    def _lines(self, data: bytes) -> None:
        text = b2a_base64(data, newline=False)
        lines = (text[start : start + _COLUMNS] + b"\n" for start in range(0, len(text), _COLUMNS))
        write_all(self._sink, b"".join(lines))


def _decoded(source: Source) -> Iterator[bytes]:
    """The bytes inside, a block at a time; ends only after everything behind the armor was checked too."""
    text, end_of_line = _opened(source)
    row = _COLUMNS + len(end_of_line)
    while (end := text.find(b"-")) < 0:
        whole = max(0, len(text) - 1) // row * row  # the last line, which may be short, is kept back
        yield _block(text[:whole], end_of_line, _LINE_BYTES * (whole // row))
        more = take(source, _BLOCK_BYTES)
        if not more:
            raise ArmorMalformed(f"the armor has no last line '{END.decode()}'; fetch it again, whole", code="no-end")
        text = text[whole:] + more
    body, rest = text[:end], text[end:]
    if not body:
        raise ArmorMalformed("the armor has nothing inside", code="empty")
    yield _block(body, end_of_line, None)
    rest += take(source, len(END) + OUTER_SPACE_BYTES_MAX + 1)
    if not rest.startswith(END):
        raise ArmorMalformed(f"the armor's last line is not '{END.decode()}'", code="end-line")
    if rest[len(END) :].strip(_SPACE) or len(rest) > len(END) + OUTER_SPACE_BYTES_MAX:
        raise ArmorMalformed("something other than a little white space follows the armor", code="trailing-data")


def _opened(source: Source) -> tuple[bytes, bytes]:
    """The text after the first line, and how that line ends, which decides how all end."""
    head = take(source, OUTER_SPACE_BYTES_MAX + len(BEGIN) + 2)
    text = head.lstrip(_SPACE)
    if len(head) - len(text) > OUTER_SPACE_BYTES_MAX or not text.startswith(BEGIN):
        raise ArmorMalformed(f"the armor does not begin with '{BEGIN.decode()}'", code="begin-line")
    text = text[len(BEGIN) :]
    for end_of_line in (b"\n", b"\r\n"):
        if text.startswith(end_of_line):
            return text[len(end_of_line) :], end_of_line
    raise ArmorMalformed(f"something follows '{BEGIN.decode()}' on its line", code="begin-line")


def _block(text: bytes, end_of_line: bytes, size: int | None) -> bytes:
    """The bytes of ``text``, full lines and, if ``size`` is None, the last one; else exactly ``size`` bytes."""
    *lines, rest = text.split(end_of_line)
    joined = b"".join(lines)
    try:
        data = a2b_base64(joined, strict_mode=True) if joined else b""
    except Error:
        data = b""
    full = all(len(line) == _COLUMNS for line in lines[:-1]) and (not lines or 1 <= len(lines[-1]) <= _COLUMNS)
    if rest or not full or b2a_base64(data, newline=False) != joined or (size is not None and len(data) != size):
        raise ArmorMalformed(
            "a line inside the armor is not canonical base64 in 64 columns (only the last may be shorter)",
            code="armor-line",
        )
    return data
