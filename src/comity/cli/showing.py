"""``comity show``: something is said or let be seen, and no copy changes hands (Articles 7.5, 8)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from comity.cli.decisions import functions, named, tell_outcome, tell_tried
from comity.cli.files import absolute
from comity.cli.giving import places_of, recipients_of
from comity.cli.instants import read_instant, told_instant
from comity.cli.options import Desk, acting, housed, relationship
from comity.cli.output import DONE, FINDINGS, REFUSED, Output
from comity.cli.recalls import ShortVerbs
from comity.cli.session import fresh_name
from comity.flows.actors import Actor
from comity.flows.consenting.showing import AskShow, CompareShown, DoneShow, ShownCompared, ShowTold
from comity.flows.deciding.explaining import tell
from comity.flows.deciding.picking import Place
from comity.record.bodies.consents import Manner


@click.group(cls=ShortVerbs)
def show() -> None:
    """Show something by word or sight: both registers say what was shown to whom, and no copy is made.

    'comity show ITEM --form oral --to WHO' is short for 'comity show ask ITEM --form oral --to WHO'.
    """


@show.command()
@click.argument("item", required=False)
@click.option(
    "--to", "recipients", multiple=True, required=True, metavar="WHO", help="A function or pseudonym; repeat it."
)
@click.option("--form", "manner", required=True, type=click.Choice(("oral", "visual")), help="By word or by sight.")
@click.option("--purpose", required=True, help="What for; it may be used for nothing else.")
@click.option("--mark", default="", help="Of something new: your own mark, exactly as on your ladder.")
@click.option("--topic", default="", help="Of something new: its need-to-know list.")
@click.option("--title", default="", help="Of something new: what this house calls it; stays here.")
@click.option(
    "--text", type=click.Path(path_type=Path), help="Of something new: what will be said; its digest is kept."
)
@click.option("--subject", default="defence", show_default=True, help="What it is about, a word of the agreement.")
@click.option("--category", "categories", multiple=True, help="A restrictive category of the label; repeat it.")
@click.option("--rights", default="", metavar="TEXT", help="Patents, copyright or trade secrets in it (Article 6(d)).")
@click.option("--here", is_flag=True, help="To people of this house: something that was received is shown on.")
@relationship
@acting
@housed
def ask(
    desk: Desk,
    item: str | None,
    recipients: tuple[str, ...],
    manner: Manner,
    purpose: str,
    mark: str,
    topic: str,
    title: str,
    text: Path | None,
    subject: str,
    categories: tuple[str, ...],
    rights: str,
    relationship: str | None,
    actor: str,
    key: Path | None,
    *,
    here: bool,
) -> int:
    r"""Ask that something be shown: an item, or something new with its mark, topic and title.

    The other party assures its people first, and somebody else approves. What came from the other party may be shown on
    to people of this house, with --here.

    Example:
      comity show ask --title "what the radar saw" --mark 極秘 --topic missiles --form oral \
        --to "Air defence desk" --purpose "air defence" --as sato
    """
    if here:
        only = desk.session.relationship(relationship)
        places = [Place(relationship=only, recipients=recipients_of(desk, only, recipients, here=True))]
    else:
        places = places_of(desk, relationship, recipients)
    request = AskShow(
        relationship=places[0].relationship,
        recipients=places[0].recipients,
        otherwise=tuple(places[1:]),
        manner=manner,
        purpose=purpose,
        actor=Actor(actor),
        item=item,
        mark=mark,
        topic=topic,
        title=title,
        path=absolute(str(text)) if text is not None else None,
        subject=subject,
        categories=categories,
        rights=rights,
        request=fresh_name("r", key),
        new=fresh_name("i", key),
    )
    told: ShowTold = desk.act("show.ask", request, key)
    known = functions(desk)
    desk.show(told, lambda out, _: _tell_asked(out, told, known, desk))
    return DONE if told.request else REFUSED


@show.command()
@click.argument("request")
@click.option("--at", metavar="INSTANT", help="When it was shown; else now.")
@click.option("--visit", metavar="VISIT", help="During which visit.")
@acting
@housed
def done(desk: Desk, request: str, at: str | None, visit: str | None, actor: str, key: Path | None) -> int:
    """Record that it was shown, once nothing is missing; it is decided again first.

    Example:
      comity show done r-4xq7… --visit v-2m4p… --as sato
    """
    asked = DoneShow(request=request, actor=Actor(actor), at=_instant(at, key), visit=visit)
    told: ShowTold = desk.act("show.done", asked, key)
    known = functions(desk)
    desk.show(told, lambda out, _: _tell_done(out, told, known, desk))
    return DONE if told.record else REFUSED


@show.command()
@click.argument("item")
@click.argument("text", type=click.Path(path_type=Path))
@housed
def compare(desk: Desk, item: str, text: Path) -> int:
    """Ask whether TEXT is what was registered for ITEM when it was asked to be shown.

    Example:
      comity show compare i-7k3m… what-was-said.txt
    """
    compared: ShownCompared = desk.call("show.compare", CompareShown(item=item, path=absolute(str(text))))
    desk.show(compared, _tell_compared)
    return DONE if compared.same else FINDINGS


def _instant(typed: str | None, key: Path | None) -> datetime | None:
    """When it was shown: as typed; now, where a person signs over it with his own key; else as the house knows it."""
    if typed is not None:
        return read_instant(typed, "UTC").at
    return datetime.now(UTC) if key is not None else None


def _tell_asked(out: Output, told: ShowTold, known: dict[str, str], desk: Desk) -> None:
    if told.tried:
        out.line(("under  ", "dim"), (told.relationship, "strong"))
    tell_outcome(out, tell(told.decision), known, full=False)
    tell_tried(out, told.tried, known)
    out.gap()
    if not told.request:
        out.text("Nothing was registered or sent. The refusal is recorded in this house.")
        out.next((f"comity why {told.decision_record[:16]}", "the whole decision"))
        return
    out.fields(
        [
            ("request", told.request),
            ("item", told.item),
            ("to be shown", f"{told.manner}, to {named(', '.join(told.to), known)}"),
        ]
    )
    out.next(
        (f"comity approve {told.request} --reason WHY --as HANDLE", "somebody else, with the role"),
        (f"comity show done {told.request} --as HANDLE", "when it was shown"),
        *(desk.sending() if told.assured else ()),
    )


def _tell_done(out: Output, told: ShowTold, known: dict[str, str], desk: Desk) -> None:
    if not told.record or told.at is None:
        tell_outcome(out, tell(told.decision), known, full=False)
        out.gap()
        out.text("Nothing may be shown yet. That it was asked is recorded in this house.")
        out.next((f"comity why {told.decision_record[:16]}", "the whole decision"))
        return
    out.line(("shown ", "good"), f"{told.item}: {told.manner}, to {named(', '.join(told.to), known)}")
    out.fields([("shown at", told_instant(told.at)), ("recorded as", told.record[:16])])
    out.text("No copy was made.")
    out.next(("comity register", "what was shown, and every copy"), *desk.sending())


def _tell_compared(out: Output, compared: ShownCompared) -> None:
    if compared.same:
        out.line(("the same ", "good"), f"text that was registered for {compared.item}")
    else:
        out.line(("another ", "bad"), f"text than the one that was registered for {compared.item}")
    out.fields([("commitment", compared.content[:16])])
