"""``comity agreement layer``: the layers on a running agreement, and what a side tells of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from comity.cli.options import Desk, Verbs, acting, housed
from comity.cli.options import relationship as relationship_option
from comity.cli.output import Output

if TYPE_CHECKING:
    from comity.flows.agreeing.layers import LayerShown


@click.group(cls=Verbs)
def layer() -> None:
    """See the layers on a running agreement; tell the other side of a domestic one (Articles 1 and 5).

    An arrangement is negotiated and signed by both: 'comity negotiation open --about arrangement'.
    """


@layer.command("list")
@relationship_option
@housed
def list_(desk: Desk, relationship: str | None) -> None:
    """List the layers by which this house decides, and those that the other side has told of.

    Example:
      comity agreement layer list
    """
    from comity.flows.agreeing.layers import ListLayers

    request = ListLayers(desk.session.relationship(relationship))
    desk.show(desk.call("agreement.layer.list", request), _tell)


@layer.command()
@click.argument("file")
@click.option("--from", "since", required=True, metavar="DAY", help="The day from which it holds, or no longer does.")
@click.option("--withdrawn", is_flag=True, help="It holds no longer.")
@relationship_option
@acting
@housed
def tell(
    desk: Desk, file: str, since: str, withdrawn: bool, relationship: str | None, actor: str, key: Path | None
) -> None:
    """Tell the other side of a domestic layer of yours: its name and its digest, not its text.

    Example:
      comity agreement layer tell jp-domestic.example --from 2026-11-21 --as oda
    """
    from comity.api import read_text
    from comity.flows.actors import Actor
    from comity.flows.agreeing.layers import TellLayer

    text, name = read_text(file)
    request = TellLayer(
        relationship=desk.session.relationship(relationship),
        text=text,
        name=name,
        since=since,
        withdrawn=withdrawn,
        actor=Actor(actor),
    )
    told = desk.act("agreement.layer.tell", request, key)

    def shown(out: Output, found: list[LayerShown]) -> None:
        _tell(out, found)
        out.next(*desk.sending())

    desk.show(told, shown)


def _tell(out: Output, found: list[LayerShown]) -> None:
    if not found:
        out.line("no layer stands on it here, and none was told")
        return
    out.table(
        ("layer", "version", "whose", "", ""),
        [(each.layer, each.version, each.party, _standing(each), _told(each)) for each in found],
    )


def _standing(each: LayerShown) -> str:
    if not each.here:
        return "not here"
    return f"{each.kind}, signed by both" if each.signed else str(each.kind)


def _told(each: LayerShown) -> str:
    if not each.since:
        return ""
    return f"withdrawn from {each.since} on" if each.withdrawn else f"told, from {each.since} on"
