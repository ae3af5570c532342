"""The textual header: its one form, and its MAC (``spec/seal.md`` steps 5, 6 and 12).

    age-encryption.org/v1
    -> X25519 XEl0dJ6y3C7KZkgmgWUicg63EyXJiwBJW8PdYJ/cYBE
    qRS0AMjdjPvZ/WT08U2KL4G+PIooA3hy38SvLpvaC1E
    --- HK2NmOBN9Dpq0Gw6xMCuhFcQlQLvZ/wQUi/2scLG75s

Reading is line by line, so that a refusal can name its line; the result is written again and compared, so that no
second text can mean the same header.
"""

from __future__ import annotations

import hmac
import re
from typing import NewType

import msgspec

from comity.seal.derivation import derive
from comity.seal.encoding import decode, decode_exactly, encode
from comity.seal.refusals import HeaderForged, HeaderMalformed

FileKey = NewType("FileKey", bytes)
"""The 16 random bytes from which everything else in one file is derived; never used for a second payload."""

FILE_KEY_BYTES = 16
"""Size of a file key (c2sp.org/age, File key)."""
HEADER_BYTES_MAX = 1 << 20
"""Largest header read: room for ``STANZAS_MAX`` hybrid stanzas of 1.6 KiB. Our bound; age names none."""
STANZAS_MAX = 512
"""Most recipients of one file, so that a header cannot cost more than 512 trial decryptions per identity."""

_VERSION_LINE = b"age-encryption.org/v1\n"
_LINE_COLUMNS = 64
_MAC_BYTES = 32
_ALONE = "scrypt"
_ARGUMENT = re.compile(r"[!-~]+")


class Stanza(msgspec.Struct, frozen=True):
    """The file key, wrapped for one recipient.

    Attributes:
        arguments: the kind and what follows it; each is one or more visible ASCII characters.
        body: the wrapped key.
    """

    arguments: tuple[str, ...]
    body: bytes

    @property
    def kind(self) -> str:
        """What type of recipient can read it, such as ``mlkem768x25519``."""
        return self.arguments[0]

    def encode(self) -> bytes:
        """The stanza's lines; the last body line is shorter than 64 columns and may be empty."""
        body = encode(self.body)
        lines = [body[start : start + _LINE_COLUMNS] for start in range(0, len(body) + 1, _LINE_COLUMNS)]
        return "\n".join((f"-> {' '.join(self.arguments)}", *lines, "")).encode()


class Header(msgspec.Struct, frozen=True):
    """Who can open a payload.

    Attributes:
        stanzas: one per recipient, at least one.
        mac: HMAC-SHA-256 over everything before it, 32 bytes.
    """

    stanzas: tuple[Stanza, ...]
    mac: bytes

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of its stanzas, for whoever demands a minimum suite."""
        return frozenset(stanza.kind for stanza in self.stanzas)

    def encode(self) -> bytes:
        """The header's one form."""
        return _authenticated(self.stanzas) + f" {encode(self.mac)}\n".encode()


def _authenticated(stanzas: tuple[Stanza, ...]) -> bytes:
    """(12) Everything the MAC covers: the header up to and including ``---``."""
    return b"".join((_VERSION_LINE, *(stanza.encode() for stanza in stanzas), b"---"))


def _mac(file_key: FileKey, stanzas: tuple[Stanza, ...]) -> bytes:
    return hmac.digest(derive(file_key, b"", b"header"), _authenticated(stanzas), "sha256")


def sign(file_key: FileKey, stanzas: tuple[Stanza, ...]) -> Header:
    """(12) The header of ``stanzas``, authenticated with the key they wrap."""
    return Header(stanzas, _mac(file_key, stanzas))


def verify(header: Header, file_key: FileKey) -> FileKey:
    """(12) ``file_key``, if the header's MAC is made with it.

    Raises:
        HeaderForged: it is not.
    """
    if not hmac.compare_digest(header.mac, _mac(file_key, header.stanzas)):
        raise HeaderForged(
            "the header was changed after it was sealed: its MAC does not fit; ask the sender to seal it again"
        )
    return file_key


def length_in(data: bytes | bytearray) -> int | None:
    """How many bytes at the start of ``data`` are the header; None while its last line is not all there.

    Raises:
        HeaderMalformed: ``data`` does not begin like an age file, or the header is longer than ``HEADER_BYTES_MAX``.
    """
    if not _VERSION_LINE.startswith(data[: len(_VERSION_LINE)]):
        raise HeaderMalformed("this is no age v1 file: it does not begin with 'age-encryption.org/v1'", code="not-age")
    mark = data.find(b"\n---")
    end = data.find(b"\n", mark + 1) + 1 if mark >= 0 else 0
    if (end or len(data)) > HEADER_BYTES_MAX:
        raise HeaderMalformed(f"the header is longer than {HEADER_BYTES_MAX} bytes", code="too-long")
    return end or None


def parse(data: bytes) -> Header:
    """(5) (6) The header whose one form is ``data``.

    Raises:
        HeaderMalformed: it is not the one form of any header; ``place`` names the line, counted from 1.
    """
    if length_in(data) != len(data):
        raise HeaderMalformed("the header does not end with its one line that begins with '---'", code="truncated")
    try:
        lines = data.decode("ascii").split("\n")[:-1]
    except UnicodeDecodeError as error:
        raise HeaderMalformed(f"byte {error.start} of the header is not ASCII", code="not-ascii") from None
    stanzas: list[Stanza] = []
    number = 1
    while number < len(lines) - 1:
        stanza, number = _stanza(lines, number)
        stanzas.append(stanza)
    if not 1 <= len(stanzas) <= STANZAS_MAX:
        raise HeaderMalformed(f"a header has 1 to {STANZAS_MAX} stanzas, not {len(stanzas)}", code="stanza-count")
    header = Header(tuple(stanzas), _mac_in(lines[-1], len(lines)))
    if len(stanzas) > 1 and _ALONE in header.kinds:  # (6)
        raise HeaderMalformed("a passphrase stanza stands next to another stanza", code="mixed-kinds")
    if header.encode() != data:
        raise HeaderMalformed("the header is not written in its one form", code="not-canonical")
    return header


def _stanza(lines: list[str], number: int) -> tuple[Stanza, int]:
    """The stanza whose first line is ``lines[number]``, and the number of the line after it."""
    marker, *arguments = lines[number].split(" ")
    place = f"line {number + 1}"
    if marker != "->" or not arguments:
        raise HeaderMalformed(
            f"{lines[number][:80]!r} does not begin a stanza ('-> KIND ...')", code="stanza", place=place
        )
    for argument in arguments:
        if not _ARGUMENT.fullmatch(argument):
            raise HeaderMalformed(
                f"{argument[:80]!r} is not one or more visible ASCII characters", code="argument", place=place
            )
    body = []
    for line in lines[number + 1 : -1]:
        number += 1
        if len(line) > _LINE_COLUMNS:
            raise HeaderMalformed(
                f"a body line has {len(line)} columns, more than {_LINE_COLUMNS}",
                code="long-line",
                place=f"line {number + 1}",
            )
        body.append(line)
        if len(line) < _LINE_COLUMNS:
            return Stanza(tuple(arguments), decode("".join(body), f"line {number + 1}")), number + 1
    raise HeaderMalformed(
        "the stanza's body has no last line shorter than 64 columns", code="no-final-line", place=place
    )


def _mac_in(line: str, number: int) -> bytes:
    place = f"line {number}"
    if not line.startswith("--- "):
        raise HeaderMalformed(f"{line[:80]!r} is not a MAC line ('--- MAC')", code="mac-line", place=place)
    try:
        return decode_exactly(line[4:], _MAC_BYTES, "the MAC")
    except HeaderMalformed as error:
        raise HeaderMalformed(error.args[0], code="mac-line", place=place) from None
