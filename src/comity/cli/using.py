"""``comity use``: may what was received be used for this purpose? (Article 6(c))."""

from __future__ import annotations

from pathlib import Path

import click

from comity.cli.decisions import functions, tell_outcome
from comity.cli.options import Desk, Verb, acting, housed
from comity.cli.output import DONE, REFUSED, Output
from comity.flows.actors import Actor
from comity.flows.deciding.explaining import tell
from comity.flows.giving.using import UseItem, UseTold


@click.command(cls=Verb)
@click.argument("item")
@click.option("--purpose", required=True, help="What for; another than it came for needs the originator's consent.")
@acting
@housed
def use(desk: Desk, item: str, purpose: str, actor: str, key: Path | None) -> int:
    """Ask whether you may use an item for a purpose, before you do.

    The answer is recorded. For another purpose than it came for, ask its originator with 'comity consent ask'.

    Example:
      comity use i-7k3m… --purpose "training of operators" --as kim
    """
    told: UseTold = desk.act("use", UseItem(item=item, purpose=purpose, actor=Actor(actor)), key)
    known = functions(desk)
    desk.show(told, lambda out, _: _tell(out, told, known))
    return DONE if told.outcome == "permit" else REFUSED


def _tell(out: Output, told: UseTold, known: dict[str, str]) -> None:
    tell_outcome(out, tell(told.decision), known, full=False)
    out.gap()
    out.fields(
        [
            ("item", told.item),
            ("came for", told.provided),
            ("to be used for", told.purpose),
            ("by consent", ", ".join(told.consents)),
            *(("on condition", each) for each in told.conditions),
            ("recorded as", told.decision_record[:16]),
        ]
    )
    if told.outcome != "permit":
        out.next(
            (f'comity consent ask {told.item} --act use-for --purpose "{told.purpose}" --help', "ask its originator"),
            (f"comity why {told.decision_record[:16]}", "the whole decision"),
        )
