"""The drawing of how far information gets (``spec/analysis.md`` step 21)."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from comity.cli.main import main

SVG = "{http://www.w3.org/2000/svg}"


def drawn(tmp_path: Path, *arguments: str) -> Xml.Element:
    main(["agreement", "flows", *arguments, "--svg", str(tmp_path / "map.svg")])
    return Xml.fromstring((tmp_path / "map.svg").read_bytes())


def test_each_body_stands_once_and_right_of_where_it_comes_from(tmp_path: Path) -> None:
    root = drawn(tmp_path, "jp-kr-2016", "jp-us-2007", "us-kr-1987", "--from", "jp")
    assert root.findtext(f"{SVG}title") == "jp: nothing reaches a third party without consent"
    names = [each.text for each in root.findall(f"{SVG}text[@font-weight='bold']")][1:]
    assert names == ["jp", "any other body", "kr", "us"]
    assert [each.get("stroke-dasharray") for each in root.findall(f"{SVG}path")] == ["5 4", None, None]


def test_who_is_reached_without_consent_is_red(tmp_path: Path) -> None:
    root = drawn(tmp_path, "csirt-tlp.example", "--from", "alpha", "--mark", "TLP:AMBER")
    boxes, texts = root.findall(f"{SVG}rect"), root.findall(f"{SVG}text[@font-weight='bold']")[1:]
    red = [text.text for box, text in zip(boxes, texts, strict=True) if box.get("fill") == "#f7dddd"]
    assert red == ["utility"]
    column = {text.text: int(box.get("x", "")) for box, text in zip(boxes, texts, strict=True)}
    assert column["alpha"] < column["beta"] < column["utility"]


def test_no_two_boxes_stand_in_one_place(tmp_path: Path) -> None:
    root = drawn(tmp_path, "csirt-tlp.example", "--from", "alpha")
    corners = [(each.get("x"), each.get("y")) for each in root.findall(f"{SVG}rect")]
    assert len(set(corners)) == len(corners)


def test_a_drawing_is_of_one_originator(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["agreement", "flows", "jp-kr-2016", "--svg", str(tmp_path / "map.svg")]) == 1
    assert "name it with --from" in capsys.readouterr().err
    assert not (tmp_path / "map.svg").exists()
