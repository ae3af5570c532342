"""``comity agreement lint`` and ``comity agreement flows``: what follows from texts before anybody acts on them."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click
import msgspec

from comity.cli.options import Verb, spoken
from comity.cli.output import FINDINGS, Output, Style, article
from comity.errors import Misuse

if TYPE_CHECKING:
    from comity.analysis.findings import Finding, Weight
    from comity.analysis.lint import Stacked

_STYLES: dict[Weight, Style] = {"wrong": "bad", "doubt": "warn", "note": "dim"}
_MEANINGS: dict[Weight, str] = {
    "wrong": "cannot be meant so",
    "doubt": "a reader has to decide",
    "note": "worth knowing",
}
layers_option = click.option(
    "--layer", "layers", multiple=True, metavar="FILE", help="A layer that stands on one of them, or on any; repeat it."
)


class Linted(msgspec.Struct, frozen=True, kw_only=True):
    """What was found in some texts.

    Attributes:
        agreements: ids of the agreements looked at.
        layers: ids of their layers.
        findings: the heaviest first.
    """

    agreements: tuple[str, ...]
    layers: tuple[str, ...]
    findings: tuple[Finding, ...]


@click.command(cls=Verb)
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@layers_option
@spoken
def lint(out: Output, names: tuple[str, ...], layers: tuple[str, ...]) -> int:
    """Find what is missing, ambiguous, contradictory or dead in agreements, before anybody signs them.

    Each finding has its clause and line, what is so, and what to do. Marks are followed through all agreements that
    are named together. Ends with code 6 unless there are only notes.

    Example:
      comity agreement lint jp-kr-2016
    """
    from comity.analysis.lint import lint as look
    from comity.timezones import time_zones

    texts = stacked(names, layers)
    linted = Linted(
        agreements=tuple(source.text.id for source, _ in texts),
        layers=tuple(dict.fromkeys(layer.text.id for _, each in texts for layer in each)),
        findings=look(texts, tzdata=time_zones().version),
    )

    def tell(out: Output, linted: Linted) -> None:
        _tell_linted(out, linted)
        above = [word for layer in layers for word in ("--layer", layer)]
        out.next((shlex.join(["comity", "agreement", "flows", *names, *above]), "how far information gets"))

    out.show(linted, tell)
    return FINDINGS if any(each.weight != "note" for each in linted.findings) else 0


def stacked(names: Sequence[str], layers: Sequence[str]) -> list[Stacked]:
    """The agreements that are named, each with the layers that stand on it or on any.

    Raises:
        Misuse: there is no such file, or a layer stands on an agreement that is not named.
        Rejected: a text has a mistake, or they cannot be used together.
    """
    from comity.agreement import model
    from comity.agreement.lines import Lines
    from comity.agreement.load import check_time_zones, parse_agreement, parse_layer, read_file
    from comity.agreement.together import Placed, check_together
    from comity.analysis.findings import Source
    from comity.api import read_text
    from comity.timezones import time_zones

    placed = []
    for name in dict.fromkeys(names):
        text, file = read_text(name)
        agreement = parse_agreement(text, file)
        check_time_zones(agreement, text, file, time_zones().zones)
        placed.append(Placed(agreement, text, file))
    check_together(placed)
    above = []
    for name in dict.fromkeys(layers):
        text, file = read_text(name)
        _, _, read = read_file(text, file, model.LayerFile, "layer")
        on = read.header.on
        if on is not None and on not in {each.agreement.id for each in placed}:
            raise Misuse(f"layer {read.header.id!r} stands on {on!r}, which is not named", code="layer-on-nothing")
        above.append((on, text, file))
    return [
        (
            Source(each.agreement, each.file, Lines(each.text)),
            [
                Source(parse_layer(text, file, each.agreement), file, Lines(text))
                for on, text, file in above
                if on in {None, each.agreement.id}
            ],
        )
        for each in placed
    ]


def _tell_linted(out: Output, linted: Linted) -> None:
    alike: dict[tuple[Weight, str, str], list[Finding]] = {}
    for finding in linted.findings:
        alike.setdefault((finding.weight, finding.code, finding.do), []).append(finding)
    for (weight, code, do), findings in alike.items():
        out.line((f"{weight}  ", _STYLES[weight]), (code, "strong"))
        for finding in findings:
            cited = f"  {article(finding.clause)} of {finding.instrument}" if finding.clause else ""
            out.line((f"{finding.file}:{finding.line}{cited}", "dim"), indent=2)
            out.text(finding.says, indent=4)
        out.text(f"do: {do}", indent=2)
        out.gap()
    counted = [(sum(each.weight == weight for each in linted.findings), weight) for weight in _MEANINGS]
    told = ", ".join(f"{number} {weight} ({_MEANINGS[weight]})" for number, weight in counted if number)
    looked = " and ".join((", ".join(linted.agreements), *([", ".join(linted.layers)] if linted.layers else ())))
    out.text(f"{looked}: {told or 'nothing found'}.")
