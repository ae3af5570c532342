"""Bytes like others: what copies, cables and liars make of them."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

TELLING = (
    b"",
    b"\x00",
    b"\xff",
    b"\x80",
    b"\n",
    b"\r\n",
    b" ",
    b"\t",
    b"=",
    b"-1",
    b"0",
    b"00",
    b"9" * 40,
    b"1e999",
    b"null",
    b"[" * 200,
    b'{"":' * 200,
    b'"',
    b"\\u0000",
    b"\\ud800",
    "\u202e".encode(),
    "\ufeff".encode(),
    "e\u0301".encode(),
    "極秘".encode(),
    b"\xc1" * 9,
    b"\xdd\xff\xff\xff\xff",
    b"\xdf\xff\xff\xff\xff",
    b"\xc6\xff\xff\xff\xff",
    b"/" * 9,
    b"..",
    b"%2e",
)
"""What readers have stumbled over before."""


SHOWN_BYTES = 400


class Altered(bytes):
    """Bytes that a failing test shows no more of than a person reads."""

    def __repr__(self) -> str:
        shown = bytes(self)
        return repr(shown) if len(shown) < SHOWN_BYTES else f"{shown[:SHOWN_BYTES]!r} and {len(shown)} bytes in all"


@st.composite
def altered(draw: st.DrawFn, corpus: Sequence[bytes]) -> bytes:
    """An example with some edits: cut, doubled, overwritten, spliced with another one."""
    data = draw(st.sampled_from(corpus))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.sampled_from((0, 1, 4, 64, len(data)))))
        match draw(st.sampled_from(("cut", "double", "telling", "any", "flip", "splice", "end"))):
            case "cut":
                data = data[:start] + data[end:]
            case "double":
                data = data[:end] + data[start:]
            case "telling":
                data = data[:start] + draw(st.sampled_from(TELLING)) + data[end:]
            case "any":
                data = data[:start] + draw(st.binary(max_size=8)) + data[end:]
            case "flip" if start < len(data):
                data = data[:start] + bytes([data[start] ^ 1 << draw(st.integers(0, 7))]) + data[start + 1 :]
            case "splice":
                other = draw(st.sampled_from(corpus))
                data = data[:start] + other[draw(st.integers(0, len(other))) :]
            case _:
                data = data[:start]
    return Altered(data)
