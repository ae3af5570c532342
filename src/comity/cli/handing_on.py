"""``comity hand-on``: what came from one party goes on to another, with its originator's consent."""

from __future__ import annotations

from pathlib import Path

import click

from comity.cli.custody import with_own_keys
from comity.cli.decisions import functions
from comity.cli.giving import places_of, tell_given
from comity.cli.options import Desk, Verb, acting, housed, relationship
from comity.cli.output import REFUSED
from comity.cli.session import fresh_name
from comity.flows.actors import Actor
from comity.flows.giving.release import POSSIBLE
from comity.flows.handling.handing_on import HandedOnward, HandOn


@click.command("hand-on", cls=Verb)
@click.argument("item")
@click.option(
    "--to", "recipients", multiple=True, metavar="WHO", help="A recipient's function or pseudonym; repeat it."
)
@click.option("--purpose", required=True, help="What for, in the words of the originator's consent.")
@click.option("--preview", is_flag=True, help="Only ask whether it may go on; nothing is sealed.")
@relationship
@acting
@housed
def hand_on(
    desk: Desk,
    item: str,
    recipients: tuple[str, ...],
    purpose: str,
    relationship: str | None,
    actor: str,
    key: Path | None,
    *,
    preview: bool,
) -> int:
    r"""Ask that an item which came from one party be given to people of another.

    You hold a copy of it. Its originator must have consented to "give" this item, for that party and this purpose
    ('comity consent ask'). The sealed content stays as its originator sealed it; that party verifies the consent, and
    its receipt is brought back to the originator.

    Example:
      comity hand-on i-7k3m… --to "Air defence desk" --purpose "air defence" --relationship us-kr-1987/kr.us --as jones
    """
    chosen, *otherwise = places_of(desk, relationship, recipients)
    request = HandOn(
        item=item,
        relationship=chosen.relationship,
        recipients=chosen.recipients,
        purpose=purpose,
        actor=Actor(actor),
        preview=preview,
        request=fresh_name("r", key),
        otherwise=tuple(otherwise),
    )
    given: HandedOnward = with_own_keys(desk, "hand-on", request, key)
    known = functions(desk)
    desk.show(given, lambda out, _: tell_given(out, given, known, desk, preview=preview))
    return 0 if given.outcome in POSSIBLE else REFUSED
