"""``comity why``: the decisions about an item, each made again and told with its articles."""

from __future__ import annotations

import click

from comity.cli.decisions import functions, tell_outcome, tell_tried
from comity.cli.instants import told_instant
from comity.cli.options import Desk, Verb, as_actor, housed, seeing
from comity.cli.output import Output
from comity.flows.deciding.explaining import DecisionTold, Why


@click.command(cls=Verb)
@click.argument("of")
@seeing
@housed
def why(desk: Desk, of: str, actor: str | None) -> None:
    """Tell every decision about an item: its reasons, their articles, and what would change it.

    Each is decided again from what was recorded; one that came out differently would be refused. OF is an item, or the
    first digits of a decision.

    Example:
      comity why i-7k3m…
    """
    told: list[DecisionTold] = desk.call("why", Why(of=of, actor=as_actor(actor)))
    known = functions(desk)
    desk.show(told, lambda out, _: _tell(out, told, known))


def _tell(out: Output, told: list[DecisionTold], known: dict[str, str]) -> None:
    for number, each in enumerate(told):
        if number:
            out.gap()
        out.line(("may it be done: ", "dim"), (f"{each.act} {each.item}", "strong"), f' for "{each.purpose}"')
        decided = f"{told_instant(each.at)}, decision {each.record[:16]}"
        again = "decided again, and the same" if each.replayed else "recorded under other texts; not decided again"
        if each.past and each.version:
            again += f"; under version {each.version}, as it was then"
        out.line((f"{decided}; {again}", "dim"))
        tell_outcome(out, each.told, known, full=True)
        tell_tried(out, each.tried, known)
