"""``comity translate``, ``extract``, ``contain`` and ``lineage``: what is made from what was received."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import click

from comity.agreement.vocabulary import Form
from comity.cli.decisions import functions, tell_outcome
from comity.cli.family import drawing, tell_family
from comity.cli.files import absolute, write_new_file
from comity.cli.options import Desk, Verb, acting, housed
from comity.cli.output import REFUSED, Output, size
from comity.cli.session import fresh_name
from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.deciding.explaining import tell
from comity.flows.deriving.derivation import Derive, DerivedItem
from comity.flows.deriving.descent import LineageShown, ShowLineage
from comity.marking.banner import written
from comity.record.bodies.lineage import Made

_OPTIONS = (
    click.option("--purpose", required=True, help="What for; another purpose than it was given for needs consent."),
    click.option("--to", "holders", multiple=True, metavar="HANDLE", help="Who gets a copy; repeat it. Else you."),
    click.option("--mark", help="Your own mark for it, where it is to be higher, or where several are equally high."),
    click.option("--topic", default="", help="Whose need-to-know list a reader must be on, where there are several."),
    click.option("--subject", default="", help="What it is about, a word of the agreement, likewise."),
    click.option(
        "--form", type=click.Choice(get_args(Form)), default="electronic", show_default=True, help="In which form."
    ),
    click.option("--title", default="", help="What this house calls it; stays here. Else the file's name."),
)


def _making(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command(cls=Verb)
@click.argument("item")
@click.argument("file", type=click.Path())
@click.option("--language", required=True, help="The language of translation, such as ja, ko or en.")
@_making
@acting
@housed
def translate(desk: Desk, item: str, file: str, language: str, **given: Any) -> int:
    """Register a translation of an item that came, made from a copy that you hold.

    It carries the agreement's note in its language and the highest mark; whoever gave the item hears of it.

    Example:
      comity translate i-7k3m… report.ko.txt --language ko --purpose "air defence" --to kim --as kim
    """
    return _make(desk, "translation", file, (item,), language, **given)


@click.command(cls=Verb)
@click.argument("item")
@click.argument("file", type=click.Path())
@_making
@acting
@housed
def extract(desk: Desk, item: str, file: str, **given: Any) -> int:
    """Register an extract of an item that came, made from a copy that you hold.

    It keeps the mark of the whole until the originator changes that.

    Example:
      comity extract i-7k3m… page-3.txt --purpose "air defence" --as kim
    """
    return _make(desk, "extract", file, (item,), None, **given)


@click.command(cls=Verb)
@click.argument("file", type=click.Path())
@click.option("--of", "items", multiple=True, required=True, metavar="ITEM", help="What it contains; repeat it.")
@_making
@acting
@housed
def contain(desk: Desk, file: str, items: tuple[str, ...], **given: Any) -> int:
    r"""Register a document of yours that contains what came, from one party or several.

    It is marked with the highest of what it contains, and each originator hears of its own part only.

    Example:
      comity contain brief.odt --of i-7k3m… --of i-2qva… --purpose "air defence" \
        --to kim --to lee --as kim
    """
    return _make(desk, "contains", file, items, None, **given)


@click.command(cls=Verb)
@click.argument("item")
@click.option("--svg", type=click.Path(path_type=Path), help="Also write a drawing to this new file.")
@click.option("--as", "actor", metavar="HANDLE", help="Who looks; without it, the house itself.")
@housed
def lineage(desk: Desk, item: str, svg: Path | None, actor: str | None) -> None:
    """See what an item came from and what was made from it, on either side.

    Example:
      comity lineage i-7k3m… --svg family.svg
    """
    request = ShowLineage(item=item, actor=Actor(actor) if actor else None)
    shown: LineageShown = desk.call("lineage", request)
    if svg is not None:
        write_new_file(svg, drawing(shown, desk.session.party).encode())

    def show(out: Output, shown: LineageShown) -> None:
        tell_family(out, shown)
        if svg is not None:
            out.gap()
            out.line(f"drawn into {svg}")

    desk.show(shown, show)


def _make(desk: Desk, relation: Made, file: str, items: tuple[str, ...], language: str | None, **given: Any) -> int:
    if not Path(file).name.isprintable():
        raise Misuse(f"{file!r} has characters in its name that people cannot see; rename it", code="file-name")
    key: Path | None = given.pop("key")
    request = Derive(
        path=absolute(file),
        relation=relation,
        ancestors=items,
        actor=Actor(given.pop("actor")),
        language=language,
        item=fresh_name("i", key),
        **given,
    )
    made: DerivedItem = desk.act("derive", request, key)
    known = functions(desk)
    desk.show(made, lambda out, _: _tell(out, made, known, desk))
    return 0 if made.made else REFUSED


def _tell(out: Output, made: DerivedItem, known: dict[str, str], desk: Desk) -> None:
    if not made.made or made.label is None or made.banner is None:
        for asked in made.asked:
            if len(made.asked) > 1:
                out.line((asked.item, "strong"), f"  {asked.relationship}")
            tell_outcome(out, tell(asked.decision), known, full=False)
            out.gap()
        out.text("Nothing was made. That it was asked is recorded in this house.")
        out.next(*((f"comity why {each.record[:16]}", "the whole decision") for each in made.asked))
        return
    for line in made.banner.lines:
        out.line((line.text, "strong"), indent=2)
    out.gap()
    out.line(("made ", "good"), made.item, f" from {', '.join(each.item for each in made.asked)}")
    out.fields(
        [
            ("mark", written(made.label)),
            ("sealed", size(made.size)),
            *((f"copy {number}", holder) for number, holder in enumerate(made.copies, start=1)),
            *(
                ("told", f"{relationship}, recorded as {record[:16]}")
                for relationship, record in made.relationships.items()
            ),
        ]
    )
    out.next(
        (f'comity open {made.item} --purpose "…" --out FILE --as {made.copies[0]}', "read it"),
        (f"comity lineage {made.item}", "what it came from"),
        *desk.sending(),
    )
