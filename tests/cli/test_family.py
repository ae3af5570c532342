"""How a family of items reads: as a tree, and as a drawing that a browser takes."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as Xml

from comity.cli.family import drawing, tell_family
from comity.cli.output import Output
from comity.flows.deriving.descent import LineageLine, LineageShown
from comity.marking.label import Label

LABEL = Label(policy="kr", mark="군사 Ⅱ급 비밀", originator="jp")
SVG = "{http://www.w3.org/2000/svg}"


def line(item: str, *ancestors: str, relation: str = "extract", **changes: object) -> LineageLine:
    fields: dict[str, object] = {
        "item": item,
        "title": "",
        "relation": relation,
        "language": "",
        "ancestors": ancestors,
        "maker": "kr",
        "label": LABEL,
        "alternative": None,
        "relationships": ("jp-kr-2016/jp.kr",),
        "copies": {"held": 1},
        "recalled": False,
        "suspected": False,
        "at": datetime(2026, 11, 21, tzinfo=UTC) + timedelta(hours=len(ancestors)),
        **changes,
    }
    return LineageLine(**fields)


def family() -> LineageShown:
    """``i-b`` was made from ``i-a`` in two ways: at once, and through ``i-m``."""
    return LineageShown(
        item=line("i-a", relation="original", maker="jp"),
        ancestors=(),
        descendants=(
            line("i-m", "i-a", relation="translation", language="ko", title="<b>report</b>"),
            line("i-b", "i-a", "i-m", relation="contains", copies={"held": 2, "lost": 1}, suspected=True),
        ),
    )


def told(shown: LineageShown) -> list[str]:
    stream = io.StringIO()
    tell_family(Output(as_json=False, stream=stream), shown)
    return stream.getvalue().splitlines()


def test_a_tree_tells_each_item_once_and_points_back_to_it() -> None:
    assert told(family()) == [
        "i-a  as it was given  군사 Ⅱ급 비밀  1 held",
        "",
        "made from",
        "  nothing",
        "",
        "made from it",
        "├─ i-m  translation (ko), <b>report</b>  군사 Ⅱ급 비밀  1 held",
        "│  └─ i-b  contains it  군사 Ⅱ급 비밀  2 held, 1 lost  suspected",
        "└─ i-b  as above",
    ]


def test_ancestors_are_told_upwards() -> None:
    shown = LineageShown(
        item=line("i-b", "i-m", "i-a", relation="contains"),
        ancestors=(
            line("i-m", "i-a"),
            line("i-a", relation="original", label=Label(policy="jp", mark="", originator="jp")),
        ),
        descendants=(),
        more=7,
    )
    assert told(shown) == [
        "i-b  contains it  군사 Ⅱ급 비밀  1 held",
        "",
        "made from",
        "├─ i-a  as it was given  declassified  1 held",
        "└─ i-m  extract  군사 Ⅱ급 비밀  1 held",
        "   └─ i-a  as above",
        "",
        "made from it",
        "  nothing",
        "",
        "7 more are not shown",
    ]


def test_a_drawing_has_a_box_for_each_item_and_a_line_for_each_way() -> None:
    root = Xml.fromstring(drawing(family(), "kr"))
    boxes = root.findall(f"{SVG}g")
    assert len(boxes) == 3
    assert len(root.findall(f"{SVG}path")) == 3
    places = {}
    for box in boxes:
        rectangle = box.find(f"{SVG}rect")
        assert rectangle is not None
        places["".join(box.itertext())[:3]] = int(rectangle.get("x", ""))
    assert places["i-a"] < places["i-m"] < places["i-b"]  # right of everything it was made from
    assert "<b>report</b>" in "".join(root.itertext())  # as text


def test_a_drawing_goes_to_the_left_for_ancestors_and_marks_what_is_recalled() -> None:
    shown = LineageShown(
        item=line("i-b", "i-a"),
        ancestors=(line("i-a", relation="original", recalled=True, maker="jp"),),
        descendants=(line("i-c", "i-b"),),
    )
    text = drawing(shown, "kr")
    root = Xml.fromstring(text)
    rectangles = [box.find(f"{SVG}rect") for box in root.findall(f"{SVG}g")]
    columns = [int(each.get("x", "")) for each in rectangles if each is not None]
    assert columns == sorted(columns)
    assert "recalled" in text
    assert len({each.get("fill") for each in rectangles if each is not None}) == 3
