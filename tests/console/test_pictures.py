"""Pictures: safe whatever is in the data, no words overlap, the same bytes each time (``spec/pictures.md``)."""

from __future__ import annotations

import ast
from datetime import date, timedelta
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from comity.console import pictures
from comity.console.pictures import axis, calendar, lineage, rails
from comity.console.pictures.drawing import ATTRIBUTES, ELEMENTS, NARROWEST, SIZES, cut, element, width_of, wrapped
from comity.errors import InternalError, Misuse
from console.sample_pictures import GOLDEN, SAMPLES, at, say

SVG = [name for name in SAMPLES if name != "calendar"]
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "]]>&lt;/title>",
    "\N{RIGHT-TO-LEFT OVERRIDE}gnp.exe\N{POP DIRECTIONAL FORMATTING}",
    "nul\x00bell\x07\ud800",
    "長い名前" * 60,
    "이름이아주길다" * 40,
    "W" * 300,
    "word " * 90,
    "שלום עולם",
    "",
)


def read(markup: str) -> ET.Element:
    return ET.fromstring(f"<body>{markup}</body>")


@pytest.mark.parametrize("name", SAMPLES)
def test_the_small_picture_is_the_one_that_was_looked_at(name: str) -> None:  # (1)
    kept = (GOLDEN / f"{name}.html").read_text(encoding="utf-8")
    assert f"{SAMPLES[name]()}\n".replace("><", ">\n<") == kept, "look at it, then run tests/console/sample_pictures.py"


@pytest.mark.parametrize("name", SVG)
def test_a_picture_says_what_it_shows_and_has_a_table_beside_it(name: str) -> None:  # (4)
    figure = read(SAMPLES[name]())
    (svg,) = figure.iter("svg")
    title, description = svg.attrib["aria-labelledby"].split()
    named = {each.attrib["id"]: each.text for each in svg if "id" in each.attrib}
    assert svg.attrib["role"] == "img"
    assert named[title]
    assert named[description]
    (table,) = figure.iter("table")
    assert table.find("caption") is not None
    scopes = {each.attrib["scope"] for each in table.iter("th")}
    assert scopes == {"row", "col"}


@pytest.mark.parametrize("name", SVG)
def test_the_table_names_what_the_drawing_names(name: str) -> None:
    figure = read(SAMPLES[name]())
    named = [each.text or "" for each in figure.iter("text") if each.attrib.get("class") == "strong"]
    told = "".join("".join(each.itertext()) for each in figure.find("figure/details") or ())
    assert not [part for each in named for part in each.split() if part not in told]
    assert named or name == "latency"


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("hostile", HOSTILE)
def test_whatever_is_in_the_data_it_stays_text(name: str, hostile: str) -> None:  # (2)
    markup = SAMPLES[name](hostile)
    for each in read(markup).iter():
        assert each.tag in ELEMENTS | {"body"}
        assert set(each.attrib) <= ATTRIBUTES
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in markup
    assert "\x00" not in markup


@pytest.mark.parametrize("name", SVG)
@pytest.mark.parametrize("hostile", [None, *HOSTILE])
def test_no_words_overlap_and_none_stands_outside(name: str, hostile: str | None) -> None:  # (5) (6)
    figure = read(SAMPLES[name]() if hostile is None else SAMPLES[name](hostile))
    (svg,) = figure.iter("svg")
    for width in (NARROWEST, 700) if "viewBox" not in svg.attrib else (float(svg.attrib["width"]),):
        boxes = [box(each, width) for each in svg.iter("text")]
        for left, top, right, bottom, word in boxes:
            assert left >= -0.5, word
            assert right <= width + 0.5, word
            assert top >= 0, word
            assert bottom <= float(svg.attrib["height"]) + 1, word
        for one, other in combinations(boxes, 2):
            apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
            assert apart, (one[4], other[4])


def box(text: ET.Element, width: float) -> tuple[float, float, float, float, str]:
    said = (text.text or "") + "".join(child.tail or "" for child in text)
    sort = next((each for each in text.attrib.get("class", "").split() if each in SIZES), "")
    wide, high = width_of(said, sort), SIZES[sort]
    x, y = text.attrib["x"], float(text.attrib["y"])
    place = float(x.removesuffix("%")) / 100 * width if x.endswith("%") else float(x)
    left = place - {"start": 0, "middle": wide / 2, "end": wide}[text.attrib.get("text-anchor", "start")]
    return left, y - 0.8 * high, left + wide, y + 0.2 * high, said


def test_an_element_that_could_run_or_fetch_is_not_written() -> None:  # (2)
    for name in ("script", "style", "image", "use", "foreignObject", "iframe"):
        with pytest.raises(InternalError):
            element(name)
    for attribute in ({"onclick": "x"}, {"style": "x"}, {"src": "x"}, {"xlink:href": "x"}):
        with pytest.raises(InternalError):
            element("rect", **attribute)
    for address in ("javascript:alert(1)", "//elsewhere", "/\\elsewhere", "elsewhere", ""):
        with pytest.raises(InternalError):
            element("a", href=address)


def test_full_width_letters_count_whole_and_marks_over_letters_nothing() -> None:
    assert width_of("秘密") == 2 * SIZES[""]
    assert width_of("비밀") == 2 * SIZES[""]
    assert width_of("Ⅱ") == SIZES[""]
    assert width_of("e\u0301") == width_of("e")
    assert width_of("il") < width_of("mw")


def test_a_text_is_cut_where_it_does_not_fit_and_broken_where_its_script_allows() -> None:
    assert cut("short", 100) == "short"
    assert cut("特定秘密特定秘密", 60) == "特定秘…"
    assert wrapped("特定秘密特定秘密", 54) == ("特定秘密", "特定秘密")
    assert wrapped("군사 Ⅱ급 비밀", 60) == ("군사 Ⅱ급", "비밀")
    assert wrapped("Specially Designated Secret", 90, "small") == ("Specially", "Designated…")


def test_a_picture_says_nothing_of_a_letter_that_was_cut_off() -> None:
    long = "A very long name of a radar assessment that nobody can read at once"
    assert long in lineage_with(long)


def lineage_with(title: str) -> str:
    return SAMPLES["lineage"](title)


def test_a_family_stands_below_what_it_came_from_and_its_last_child_goes_on_on_the_same_rail() -> None:
    members = [member("c", "b"), member("b", "a"), member("a"), member("d", "a", "c"), member("e", "elsewhere")]
    assert [each.key for each in rails.in_order(members)] == ["a", "b", "c", "d", "e"]


@pytest.mark.parametrize("above", ["b", "a"])
def test_a_family_in_a_ring_is_refused(above: str) -> None:  # (7)
    with pytest.raises(Misuse, match="came from itself"):
        rails.in_order([member("a", above), member("b", "a")])


def test_somebody_who_stands_twice_is_refused() -> None:
    with pytest.raises(Misuse, match="twice"):
        rails.in_order([member("a"), member("a")])


def member(key: str, *above: str) -> rails.Member:
    return rails.Member(key, above, "made", ((key, "strong"),))


def test_a_long_family_is_drawn_in_part_and_told_whole() -> None:
    family = [relative(place) for place in range(lineage.DRAWN_MAX + 20)]
    figure = read(lineage.lineage(family, lineage_words()))
    (svg,) = figure.iter("svg")
    assert len(list(svg.iter("circle"))) == lineage.DRAWN_MAX
    assert f"i-{lineage.DRAWN_MAX + 19}" in "".join(svg.itertext())
    (table,) = figure.iter("table")
    assert len(list(table.iter("tr"))) == 1 + len(family)
    assert "20 are not drawn" in "".join(figure.itertext())
    assert svg.attrib["width"] == "360"


def relative(place: int) -> lineage.Relative:
    above = (f"i-{place // 2}",) if place else ()
    side = "this" if place == lineage.DRAWN_MAX + 19 else "ours"
    return lineage.Relative(
        item=f"i-{place}", name=f"i-{place}", made="copy", marks="秘", copies="", above=above, side=side
    )


def lineage_words() -> lineage.Words:
    from console.sample_pictures import names

    return lineage.Words(
        names=names("family", "A long family"),
        sides={"this": "this", "ours": "ours"},
        alarm="alarm",
        more="20 are not drawn",
        columns=("Item", "Made", "Marks", "Copies", "From"),
    )


@pytest.mark.parametrize(
    "length", [timedelta(minutes=7), timedelta(hours=5), timedelta(days=3), timedelta(days=100), timedelta(days=20_000)]
)
def test_dates_stand_on_every_axis_and_never_touch(length: timedelta) -> None:
    drawn = axis.Axis(at("2016-11-23"), at("2016-11-23") + length)
    told = drawn.ticks(say)
    assert 1 <= len(told) <= 12
    edge = 0.0
    for instant, word in told:
        left = axis.placed(drawn.share(instant), width_of(word, "small"))[0]
        assert left >= edge
        edge = left + width_of(word, "small")
    assert edge <= NARROWEST
    times = [word for _, word in told if ":" in word]
    assert [word.endswith(" UTC") for word in times] == [place == 0 for place in range(len(times))]  # (9)


def test_an_axis_without_length_is_a_defect() -> None:
    with pytest.raises(InternalError):
        axis.Axis(at("2016-11-23"), at("2016-11-23"))


def test_a_month_has_every_day_once_and_a_bar_for_each_week_of_a_visit() -> None:
    table = read(SAMPLES["calendar"]())
    days = [each.attrib["datetime"] for each in table.iter("time")]
    assert len(days) == len(set(days))
    assert {date(2026, 11, day).isoformat() for day in range(1, 31)} <= set(days)
    assert [each.text for each in table.iter("a")] == ["Yokosuka", "평택", "Yokosuka"]
    for row in table.iter("tr"):
        assert sum(int(cell.attrib.get("colspan", 1)) for cell in row) == 7


def test_a_week_may_begin_on_sunday() -> None:
    words = calendar.Words(caption="c", days=tuple((each, each) for each in "MTWtFSs"), today="today", nothing="none")
    table = read(calendar.month(date(2026, 11, 1), (), words, today=None, starts_on=6))
    assert next(iter(table.iter("time"))).attrib["datetime"] == "2026-11-01"
    assert next(iter(table.iter("th")))[0].text == "s"
    assert "none" in "".join(table.itertext())


def test_a_month_begins_on_its_first_day() -> None:
    words = calendar.Words(caption="c", days=tuple((each, each) for each in "MTWtFSs"), today="today", nothing="none")
    with pytest.raises(Misuse, match="first day"):
        calendar.month(date(2026, 11, 2), (), words, today=None)


def test_a_gap_in_custody_is_drawn_and_told() -> None:  # (8)
    figure = read(SAMPLES["custody"]())
    assert [each for each in figure.iter("rect") if "gap" in each.attrib["class"]]
    cells = [[cell.text for cell in row] for row in figure.iter("tr")]
    assert ["Copy 1", None, "not told", "2026-05-01 00:00", "2026-05-12 00:00"] in cells


def test_ledgers_of_houses_of_one_name_are_told_apart() -> None:
    figure = read(SAMPLES["ledgers"]("Government of Japan", "agree"))
    assert "977 entries" in "".join(figure.itertext())
    assert "✓" in "".join(figure.itertext())


def test_pictures_know_no_house_no_clock_and_no_language() -> None:
    room = Path(pictures.__file__).parent
    named = {
        name
        for path in room.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [])
    }
    ours = {each for each in named if each.startswith("comity")}
    assert {each for each in ours if not each.startswith("comity.console.pictures")} == {"comity.errors"}
    assert named - ours == {"__future__", "collections.abc", "datetime", "itertools", "markupsafe", "typing"}
