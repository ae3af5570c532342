"""Labels: what is drawn is the code of the reference, and nothing else stands where a stranger may look."""

from __future__ import annotations

import re
import zlib
from xml.etree import ElementTree as Xml

import pytest

from comity.cli.labels import BORDER, PNG_SCALE, code, png, svg, terminal
from comity.flows.handling.copies import Label

REFERENCE = "c-5q2kabcdefghijkl"
LABEL = Label(
    item="i-7k3mabcdefghijkl",
    number=1_001,
    holder="Second <desk>",
    body="Ministry & Sons",
    marks=("極秘", "군사 Ⅱ급 비밀"),
    reference=REFERENCE,
)
MODULES = [[bool(module) for module in row] for row in code(REFERENCE).matrix_iter(border=BORDER)]


def texts(drawn: bytes) -> list[str]:
    return [each.text or "" for each in Xml.fromstring(drawn).iter("{http://www.w3.org/2000/svg}text")]


@pytest.mark.parametrize("outside", [False, True])
def test_the_path_of_a_label_is_the_code(outside: bool) -> None:
    drawn = svg(LABEL, outside=outside)
    (path,) = Xml.fromstring(drawn).iter("{http://www.w3.org/2000/svg}path")
    filled = [[False] * len(MODULES) for _ in MODULES]
    for x, y, length, back in re.findall(r"M(\d+) (\d+)h(\d+)v1h-(\d+)z", path.attrib["d"]):
        assert length == back
        for column in range(int(x), int(x) + int(length)):
            filled[int(y)][column] = True
    assert filled == MODULES


def test_a_label_for_the_inside_says_what_the_copy_is() -> None:
    assert texts(svg(LABEL, outside=False)) == [
        "極秘 = 군사 Ⅱ급 비밀",
        "copy 1001",
        LABEL.item,
        "Second <desk>, Ministry & Sons",
        REFERENCE,
    ]


def test_a_label_for_the_outside_says_nothing() -> None:
    drawn = svg(LABEL, outside=True)
    assert texts(drawn) == [REFERENCE]
    for told in (LABEL.item, "極秘", "1001", "desk", "Ministry"):
        assert told not in drawn.decode()


def test_the_picture_is_the_code() -> None:
    picture = png(REFERENCE)
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    place, data, size = 8, b"", 0
    while place < len(picture):
        length = int.from_bytes(picture[place : place + 4], "big")
        kind, content = picture[place + 4 : place + 8], picture[place + 8 : place + 8 + length]
        if kind == b"IHDR":
            size = int.from_bytes(content[:4], "big")
            assert content[8:10] == b"\x01\x00"  # one bit, grey
        data += content if kind == b"IDAT" else b""
        place += length + 12
    assert size == PNG_SCALE * len(MODULES)
    row_bytes = (size + 7) // 8
    pixels = zlib.decompress(data)
    before = bytes(row_bytes)
    for y in range(size):
        line = pixels[y * (row_bytes + 1) :][: row_bytes + 1]
        assert line[0] in (0, 2)  # as it is, or as the difference to the line above
        before = bytes((one + two * (line[0] == 2)) % 256 for one, two in zip(line[1:], before, strict=True))
        bits = "".join(f"{byte:08b}" for byte in before)
        row = MODULES[y // PNG_SCALE]
        assert [bits[x * PNG_SCALE + PNG_SCALE // 2] == "0" for x in range(len(row))] == row


def test_a_terminal_shows_it_in_half_as_many_lines() -> None:
    lines = terminal(REFERENCE)
    assert len(lines) == (len(MODULES) + 1) // 2
    assert {len(line) for line in lines} == {len(MODULES)}
