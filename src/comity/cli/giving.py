"""``comity give``: ask that a file be given, or only whether it may."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import click

from comity.agreement.nearest import nearest
from comity.agreement.vocabulary import Form
from comity.cli.decisions import functions, tell_outcome
from comity.cli.files import absolute
from comity.cli.options import Desk, Verb, acting, housed, relationship
from comity.cli.output import REFUSED, Output, size
from comity.cli.session import fresh_name
from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.deciding.explaining import tell
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
    have come; then it goes by itself.

    Example:
      comity give report.pdf --to "Air defence desk" --mark 極秘 --topic missiles \
        --purpose "air defence" --as sato --preview
    """
    if not Path(file).name.isprintable():
        raise Misuse(f"{file!r} has characters in its name that people cannot see; rename it", code="file-name")
    chosen = desk.session.relationship(relationship)
    request = Give(
        path=absolute(file),
        relationship=chosen,
        mark=mark,
        topic=topic,
        recipients=recipients_of(desk, chosen, recipients),
        purpose=purpose,
        actor=Actor(actor),
        form=form,
        subject=subject,
        categories=categories,
        title=title,
        rights=rights,
        request=fresh_name("r", key),
        item=fresh_name("i", key),
    )
    given: Given = desk.act("give.preview" if preview else "give", request, key)
    known = functions(desk)
    desk.show(given, lambda out, _: _tell(out, given, known, desk, preview=preview))
    return 0 if given.outcome in POSSIBLE else REFUSED


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


def _tell(out: Output, given: Given, known: dict[str, str], desk: Desk, *, preview: bool) -> None:
    tell_outcome(out, tell(given.decision), known, full=preview)
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
