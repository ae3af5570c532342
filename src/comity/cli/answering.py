"""``comity approve`` and ``comity assure``: the two answers without which nothing leaves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from comity.cli.decisions import functions, named, tell_outcome
from comity.cli.options import Desk, Verb, acting, housed, relationship
from comity.cli.output import Output, size
from comity.flows.actors import Actor
from comity.flows.deciding.explaining import tell
from comity.flows.giving.answering import Approve, Approved, AssuranceGiven, Assure

_THEN: dict[str, Callable[[str], tuple[str, str]]] = {
    "show": lambda request: (f"comity show done {request} --as HANDLE", "when it was shown"),
    "pass-on": lambda request: (f"comity pass-on seal {request} --out FILE --as HANDLE", "whoever asked"),
}
"""What follows on the approval of what does not go by itself."""


@click.command(cls=Verb)
@click.argument("request")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it is recorded.")
@click.option("--refuse", is_flag=True, help="Refuse the release instead.")
@click.option(
    "--attest", "attests", multiple=True, metavar="CLAUSE", help="A condition that you attest with it; repeat it."
)
@acting
@housed
def approve(
    desk: Desk, request: str, reason: str, attests: tuple[str, ...], actor: str, key: Path | None, *, refuse: bool
) -> None:
    """Approve a release that somebody else asked for, or refuse it: to give, to show, to pass on, or a feed.

    When nothing else is missing, what is to be given goes in the same moment. What the agreement has the giver attest
    (that a receiver was assessed, an item made fit for it) is attested here. REQUEST is shown by 'comity outbox'.

    Example:
      comity approve r-4xq7… --reason "needed for the exercise" --as abe
    """
    asked = Approve(request=request, reason=reason, actor=Actor(actor), granted=not refuse, attests=attests)
    approved: Approved = desk.act("approve", asked, key)
    known = functions(desk)
    desk.show(approved, lambda out, _: _tell_approved(out, approved, known, desk))


@click.command(cls=Verb)
@click.argument("request")
@click.option("--recipient", metavar="WHO", help="Handle or pseudonym, when several are asked about.")
@click.option("--refuse", metavar="WHY", help="Refuse the assurance, and say why.")
@relationship
@acting
@housed
def assure(
    desk: Desk,
    request: str,
    recipient: str | None,
    refuse: str | None,
    relationship: str | None,
    actor: str,
    key: Path | None,
) -> None:
    """Assure the other party about a recipient, for one item (Article 7.5).

    The register is checked first: what it contradicts cannot be assured. REQUEST is shown by 'comity inbox'.

    Example:
      comity assure r-4xq7… --as lee
    """
    asked = Assure(
        request=request,
        relationship=desk.session.relationship(relationship),
        actor=Actor(actor),
        recipient=recipient,
        refuse=refuse,
    )
    given: AssuranceGiven = desk.act("assure", asked, key)
    known = functions(desk)
    desk.show(given, lambda out, _: _tell_assured(out, given, named(given.recipient, known), desk))


def _tell_approved(out: Output, approved: Approved, known: dict[str, str], desk: Desk) -> None:
    out.line(
        ("approved " if approved.granted else "refused ", "good" if approved.granted else "warn"), approved.request
    )
    given = approved.given
    if approved.act == "feed":
        if approved.released:
            out.fields([("released", approved.released[:16])])
            out.next((f"comity feed show {approved.request}", "what crosses under which posture"), *desk.sending())
            return
        if approved.granted:
            out.text("It is not released yet; another approval, an assurance or a consent may be missing.")
        out.next(("comity outbox", "what waits, and for what"))
        return
    if given is None:
        if approved.granted and approved.act != "give":
            out.next(_THEN[approved.act](approved.request))
            return
        if approved.granted:
            out.text("It waits for something else, most likely the other party's assurance; then it goes by itself.")
        out.next(("comity outbox", "what waits, and for what"))
        return
    tell_outcome(out, tell(given.decision), known, full=False)
    if given.consignment:
        out.gap()
        out.fields(
            [
                ("given", given.item),
                ("consignment", given.consignment[:16]),
                ("sealed", size(given.size)),
                ("marked there", given.alternative.mark if given.alternative else "chosen by the other party"),
            ]
        )
    out.next(
        (f"comity why {given.item}", "the whole decision"), ("comity outbox", "whether it has arrived"), *desk.sending()
    )


def _tell_assured(out: Output, given: AssuranceGiven, recipient: str, desk: Desk) -> None:
    if given.conditions:
        out.line(("assured ", "good"), given.request, " about ", recipient)
        out.fields([("item", given.item), ("conditions", ", ".join(given.conditions))])
    else:
        out.line(("refused ", "warn"), given.request, " about ", recipient)
    out.next(("comity inbox", "what came, and what else is asked"), *desk.sending())
