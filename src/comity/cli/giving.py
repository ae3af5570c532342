"""``comity give``: ask that a file be given, or only whether it may."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import click

from comity.agreement.nearest import nearest
from comity.agreement.vocabulary import Form
from comity.cli.decisions import functions, tell_outcome, tell_tried
from comity.cli.files import absolute
from comity.cli.options import Desk, Verb, acting, housed, relationship
from comity.cli.output import REFUSED, Output, size
from comity.cli.session import fresh_name
from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.agreeing.agreements import AgreementShown, ListAgreements
from comity.flows.deciding.explaining import tell
from comity.flows.deciding.picking import Place
from comity.flows.giving.release import POSSIBLE, Give, Given
from comity.flows.people.directory import DirectoryShown, ListDirectory


@click.command(cls=Verb)
@click.argument("file", type=click.Path())
@click.option(
    "--to", "recipients", multiple=True, metavar="WHO", help="A recipient's function or pseudonym; repeat it."
)
@click.option("--mark", required=True, help="Your own mark, exactly as on your ladder.")
@click.option("--topic", required=True, help="Whose need-to-know list a reader must be on.")
@click.option("--purpose", required=True, help="What it is given for; it may be used for nothing else.")
@click.option("--subject", default="defence", show_default=True, help="What it is about, a word of the agreement.")
@click.option(
    "--form", type=click.Choice(get_args(Form)), default="electronic", show_default=True, help="In which form."
)
@click.option("--category", "categories", multiple=True, help="A restrictive category of the label; repeat it.")
@click.option("--title", default="", help="What this house calls it; stays here. Else the file's name.")
@click.option("--rights", default="", metavar="TEXT", help="Patents, copyright or trade secrets in it (Article 6(d)).")
@click.option("--preview", is_flag=True, help="Only ask whether it may go; nothing is sealed or registered.")
@relationship
@acting
@housed
def give(
    desk: Desk,
    file: str,
    recipients: tuple[str, ...],
    mark: str,
    topic: str,
    purpose: str,
    subject: str,
    form: str,
    categories: tuple[str, ...],
    title: str,
    rights: str,
    relationship: str | None,
    actor: str,
    key: Path | None,
    *,
    preview: bool,
) -> int:
    r"""Ask that a file be given to people of the other party.

    It is decided, sealed to its readers and kept here until the approval and the assurance that the agreement asks for
    have come; then it goes by itself. Of several agreements with that party the one is picked under which it may go;
    --relationship names one.

    Example:
      comity give report.pdf --to "Air defence desk" --mark 極秘 --topic missiles \
        --purpose "air defence" --as sato --preview
    """
    if not Path(file).name.isprintable():
        raise Misuse(f"{file!r} has characters in its name that people cannot see; rename it", code="file-name")
    chosen, *otherwise = places_of(desk, relationship, recipients)
    request = Give(
        path=absolute(file),
        relationship=chosen.relationship,
        mark=mark,
        topic=topic,
        recipients=chosen.recipients,
        purpose=purpose,
        actor=Actor(actor),
        form=form,
        subject=subject,
        categories=categories,
        title=title,
        rights=rights,
        request=fresh_name("r", key),
        item=fresh_name("i", key),
        otherwise=tuple(otherwise),
    )
    given: Given = desk.act("give.preview" if preview else "give", request, key)
    known = functions(desk)
    desk.show(given, lambda out, _: tell_given(out, given, known, desk, preview=preview))
    return 0 if given.outcome in POSSIBLE else REFUSED


def places_of(desk: Desk, chosen: str | None, recipients: Sequence[str]) -> list[Place]:
    """(33) The agreements under which something may be given to some people: the one chosen, or all with their party.

    Raises:
        Misuse: nobody is called so, several are, or they are people of several parties.
    """
    running: list[AgreementShown] = desk.call("agreement.list", ListAgreements())
    if chosen is not None or len(running) < 2 or not recipients:
        only = desk.session.relationship(chosen)
        return [Place(relationship=only, recipients=recipients_of(desk, only, recipients))]
    found: dict[str, Place] = {}
    problem: Misuse | None = None
    for each in running:
        try:
            people = recipients_of(desk, each.relationship, recipients)
        except Misuse as error:
            problem = error if problem is None or error.code == "ambiguous" else problem
            continue
        found[each.relationship] = Place(relationship=each.relationship, recipients=people)
    if not found:
        assert problem is not None  # at least one agreement runs
        raise problem
    peers = sorted({each.peer for each in running if each.relationship in found})
    if len(peers) > 1:
        raise Misuse(
            f"{' and '.join(peers)} each have somebody of that name; name one agreement with --relationship",
            code="which-relationship",
        )
    return list(found.values())


def recipients_of(desk: Desk, relationship: str, named: Sequence[str], *, here: bool = False) -> tuple[str, ...]:
    """(10) Pseudonyms of the recipients that were named by pseudonym or by function; ``here`` for this house's people.

    Raises:
        Misuse: nobody is called so, or several are.
    """
    if not named:
        return ()
    entries: list[DirectoryShown] = desk.call("directory.list", ListDirectory())
    own = desk.session.party
    open_to = [
        each
        for each in entries
        if each.relationship == relationship and (each.party == own) == here and each.receives and not each.withdrawn
    ]
    return tuple(_recipient(open_to, each) for each in named)


def _recipient(entries: Sequence[DirectoryShown], name: str) -> str:
    if any(name == each.pseudonym for each in entries):
        return name
    found = [each for each in entries if each.function == name]
    if len(found) == 1:
        return found[0].pseudonym
    if found:
        listed = "; ".join(f"{each.pseudonym} at {each.body}" for each in found)
        raise Misuse(f"{len(found)} people hold the function {name!r}: {listed}; name a pseudonym", code="ambiguous")
    raise Misuse(
        f"nobody in the other party's directory is {name!r}{nearest(name, [each.function for each in entries])}",
        code="unknown-recipient",
    )


def tell_given(out: Output, given: Given, known: dict[str, str], desk: Desk, *, preview: bool) -> None:
    """What was decided about a giving, where it stands, and what to type next."""
    if given.tried:
        out.line(("under  ", "dim"), (given.relationship, "strong"))
    tell_outcome(out, tell(given.decision), known, full=preview)
    tell_tried(out, given.tried, known)
    if given.outcome not in POSSIBLE:
        out.gap()
        out.text("Nothing was sealed, registered or sent. The refusal is recorded in this house.")
        out.next((f"comity why {given.decision_record[:16]}", "the whole decision"))
        return
    out.gap()
    marked = given.alternative.mark if given.alternative else "the other party chooses between several"
    if preview:
        out.fields([("marked there", marked)])
        out.text("Nothing was sealed, registered or sent: this was a question.", indent=2)
        return
    out.fields(
        [
            ("request", given.request),
            ("item", given.item),
            ("marked there", marked),
            ("sealed", size(given.size)),
            ("given", given.consignment[:16] if given.consignment else "not yet"),
        ]
    )
    if not given.consignment:
        out.next(
            (f"comity approve {given.request} --reason WHY --as HANDLE", "somebody else, with the role"),
            (f"comity why {given.item}", "the whole decision"),
            *desk.sending(),
        )
