"""``agreement explain`` as it is typed: as PDF, as blocks, and where it cannot (``spec/explanation.md`` step 13)."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import pypdf
import pytest
import typst

from comity.cli.main import main
from comity.explanation.typeset import FAMILIES
from explanation.test_voice import AGREEMENT, read

LETTERS = bool({*FAMILIES["ja"], *FAMILIES["ko"]} & set(typst.Fonts().families()))
needs_letters = pytest.mark.skipif(
    not LETTERS and not os.environ.get("CI"), reason="no font with Japanese and Korean letters is installed here"
)


def explained(tmp_path: Path, *arguments: str) -> pypdf.PdfReader:
    out = tmp_path / "out.pdf"
    out.unlink(missing_ok=True)
    given = [*arguments, "--format", "pdf", "--out", str(out), "--on", "2026-11-21"]
    assert main(["agreement", "explain", *given]) == 0
    return pypdf.PdfReader(out)


def text_of(reader: pypdf.PdfReader) -> str:
    """All letters, without the spaces and line breaks that typesetting adds."""
    return "".join("".join(page.extract_text().split()) for page in reader.pages)


@needs_letters
@pytest.mark.parametrize(
    ("language", "title", "headings"),
    [
        ("en", AGREEMENT.header.title.en, ["Calendar of duties", "What may be done, and on what conditions"]),
        ("ja", AGREEMENT.header.title.ja, ["義務の一覧(期限順)", "行為及びその条件", "第三国"]),
        ("ko", AGREEMENT.header.title.ko, ["의무의 일정표(기한순)", "행위 및 그 조건", "제3국"]),
    ],
)
def test_it_prints_in_three_languages(language: str, title: str, headings: list[str], tmp_path: Path) -> None:
    reader = explained(tmp_path, "jp-kr-2016", "--language", language)
    text = text_of(reader)
    for each in (title, *headings, "極秘", "비밀", "2026-08-24"):
        assert "".join(each.split()) in text, each
    assert len(reader.pages) > 5


@needs_letters
def test_it_is_for_screen_readers_too(tmp_path: Path) -> None:
    reader = explained(tmp_path, "jp-kr-2016", "--language", "ja")
    root: Any = reader.trailer["/Root"]
    assert root["/Lang"].startswith("ja")
    assert root["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in root
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert reader.metadata is not None
    assert reader.metadata.title == AGREEMENT.header.title.ja
    assert b"pdfuaid" in root["/Metadata"].get_object().get_data()
    headings = [str(each["/Title"]) for each in reader.outline if isinstance(each, dict)]
    assert headings == [] or AGREEMENT.header.title.ja in headings


@needs_letters
def test_the_same_text_makes_the_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "a.pdf", tmp_path / "b.pdf"
    for out in (first, second):
        arguments = ["jp-kr-2016", "--format", "pdf", "--on", "2026-11-21", "--out", str(out)]
        assert main(["agreement", "explain", *arguments]) == 0
    assert first.read_bytes() == second.read_bytes()


@needs_letters
def test_what_a_clause_says_is_text_and_no_sign_of_typst(tmp_path: Path) -> None:
    says = '#panic("no") $x$ @ref [a] *b* _c_ \\\\ = d'
    mine = tmp_path / "mine.toml"
    old = "Patents, copyright and trade secrets are respected."
    mine.write_text(read("jp-kr-2016").replace(old, says.replace('"', '\\"')), encoding="utf-8")
    assert "".join(says.replace("\\\\", "\\").split()) in text_of(explained(tmp_path, str(mine)))


def test_a_letter_that_no_font_has_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fonts = typst.Fonts
    monkeypatch.setattr(typst, "Fonts", lambda font_paths: fonts(include_system_fonts=False, font_paths=font_paths))
    out = tmp_path / "out.pdf"
    assert main(["agreement", "explain", "jp-kr-2016", "--format", "pdf", "--out", str(out)]) == 1
    told = capsys.readouterr().err
    assert "no font here has the letters" in told
    assert "fonts-noto-cjk" in told
    assert not out.exists()


@needs_letters
def test_fonts_may_be_in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = next(font.path for font in typst.Fonts().fonts() if font.family in {*FAMILIES["ja"], *FAMILIES["ko"]})
    assert there is not None
    fonts = typst.Fonts
    monkeypatch.setattr(typst, "Fonts", lambda font_paths: fonts(include_system_fonts=False, font_paths=font_paths))
    reader = explained(tmp_path, "jp-kr-2016", "--fonts", str(Path(there).parent))
    assert "極秘" in text_of(reader)


def test_without_typst_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    out = tmp_path / "out.pdf"
    assert main(["agreement", "explain", "jp-kr-2016", "--format", "pdf", "--out", str(out), "--json"]) == 1
    error = json.load(io.StringIO(capsys.readouterr().err))["error"]
    assert error["code"] == "no-typesetter"
    assert "comity[pdf]" in error["sentence"]


def test_the_text_as_blocks(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["agreement", "explain", "jp-kr-2016", "--language", "ko", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["title"] == {"text": AGREEMENT.header.title.ko, "language": ""}
    assert {block["type"] for block in made["blocks"]} == {"heading", "paragraph", "entries", "grid", "drawing"}
