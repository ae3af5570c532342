"""``agreement explain``: an agreement as a readable text."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from comity.agreement.vocabulary import Language
from comity.cli.comparing import language_option, read_agreement
from comity.cli.files import write_new_file
from comity.cli.options import Desk, Verb, housed
from comity.cli.output import Output
from comity.errors import Misuse

if TYPE_CHECKING:
    from comity.explanation.blocks import Document

FONTS_HINT = "Debian's package fonts-noto-cjk has them; or name a folder of fonts with --fonts"
PDF_HINT = "pip install 'comity[pdf]', or ask for --format html and print that"


@click.command(cls=Verb)
@click.argument("name")
@click.option("--layer", "layers", multiple=True, metavar="FILE", help="A layer that stands on it; repeat it.")
@language_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["markdown", "html", "pdf"]),
    default="markdown",
    help="Markdown unless given.",
)
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write it to this new file.")
@click.option("--on", metavar="DAY", help="Draw the term as it runs on this day, such as 2026-11-23; today else.")
@click.option("--fonts", type=click.Path(path_type=Path), metavar="FOLDER", help="A folder of fonts for the PDF.")
@housed
def explain(
    desk: Desk,
    name: str,
    layers: tuple[str, ...],
    language: str,
    form: str,
    out: Path | None,
    on: str | None,
    fonts: Path | None,
) -> None:
    """Tell a whole agreement as a readable text: levels, rules as sentences, duties by date, term, clauses.

    The HTML is one file that fetches nothing and prints. The PDF is for screen readers too (PDF/UA).

    Example:
      comity agreement explain jp-kr-2016 --language ja --format pdf --out kyotei.pdf
    """
    from comity.explanation.document import document

    if form == "pdf" and out is None:
        raise Misuse("a PDF is written to a file; name one with --out", code="no-file")
    agreement, stacked = read_agreement(name, layers)
    made = document(agreement, stacked, cast("Language", language), _day(on, agreement.term.timezone))
    if out is None:
        text = _text(made, form)
        desk.show(made, lambda spoken, _: _print(spoken, text))
        return
    content = _pdf(made, fonts) if form == "pdf" else _text(made, form).encode()
    write_new_file(out, content)
    written = {"agreement": agreement.id, "language": language, "format": form, "file": str(out), "bytes": len(content)}
    desk.show(written, lambda spoken, _: spoken.line(("written: ", "good"), f"{out}, {len(content)} bytes"))


def _day(on: str | None, zone: str) -> date:
    """The day that was typed, or today where the agreement counts its days."""
    if on is None:
        from comity.timezones import time_zones

        return datetime.now(UTC).astimezone(time_zones().zone(zone)).date()
    try:
        return date.fromisoformat(on)
    except ValueError:
        raise Misuse(f"{on!r} is not a day; write one as in '2026-11-23'", code="bad-day") from None


def _text(made: Document, form: str) -> str:
    if form == "html":
        from importlib import resources

        from comity.explanation.page import page

        return page(made, resources.files("comity.explanation").joinpath("page.css").read_text(encoding="utf-8"))
    from comity.explanation.markdown import markdown

    return markdown(made)


def _print(spoken: Output, text: str) -> None:
    for line in text.splitlines():
        spoken.line(line)


def _pdf(made: Document, folder: Path | None) -> bytes:
    """The PDF, typeset by Typst with the fonts of this machine.

    Raises:
        Misuse: Typst is not here, or no font here has a letter that is needed.
    """
    from comity.explanation.typeset import FAMILIES, typst_source

    try:
        import typst
    except ImportError:
        raise Misuse(f"a PDF needs the package typst: {PDF_HINT}", code="no-typesetter") from None
    known = typst.Fonts(font_paths=[] if folder is None else [folder])
    there = set(known.families())
    source = typst_source(made, [each for each in FAMILIES[made.language] if each in there])
    try:
        return typst.compile(source.encode(), format="pdf", pdf_standards=["ua-1"], font_paths=known)
    except typst.TypstError as error:
        if "could not be displayed" in error.message:
            letters = error.message.partition("`")[2].partition("`")[0].strip('"')
            raise Misuse(f"no font here has the letters {letters!r}: {FONTS_HINT}", code="no-font") from None
        raise
