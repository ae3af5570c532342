"""``comity authority``, ``law``, ``cost``: what the parties tell each other of themselves, and what it costs."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import click

from comity.cli.instants import told_instant
from comity.cli.options import Desk, Verbs, acting, housed, relationship
from comity.cli.output import Output
from comity.cli.session import fresh_name
from comity.flows.actors import Actor
from comity.flows.agreeing.notices import (
    AnswerLaws,
    AskLaws,
    Designate,
    DesignationShown,
    EndDesignation,
    LawRequestShown,
    LawShown,
    LawsShown,
    ListDesignations,
    ListLaws,
    NotifyLaw,
)
from comity.flows.agreeing.outlays import ListOutlays, NoteOutlay, OutlayShown, OutlaysShown
from comity.record.bodies.notices import LawChange

noted = click.option("--note", required=True, metavar="ID", help="Id of the diplomatic note.")


@click.group(cls=Verbs)
def authority() -> None:
    """Tell the other side which authorities are competent, from when (Article 2(d)).

    The register begins with what the agreement file lists, and goes on with what each side tells the other.
    """


@authority.command()
@click.argument("name")
@click.option("--since", required=True, metavar="DAY", help="Its first day, such as 2026-12-01.")
@noted
@relationship
@acting
@housed
def designate(
    desk: Desk, name: str, since: str, note: str, relationship: str | None, actor: str, key: Path | None
) -> None:
    """Designate a competent authority of this side; an agreement authority signs it.

    Example:
      comity authority designate "Ministry of Defense" --since 2026-12-01 --note "note 12/2026" --as mori
    """
    request = Designate(
        relationship=desk.session.relationship(relationship),
        authority=name,
        since=since,
        note=note,
        actor=Actor(actor),
        designation=fresh_name("d", key),
    )
    made: DesignationShown = desk.act("authority.designate", request, key)
    desk.show(made, lambda out, _: _tell_made(out, made, desk))


@authority.command()
@click.argument("designation")
@click.option("--on", "since", required=True, metavar="DAY", help="The first day on which it holds no longer.")
@noted
@relationship
@acting
@housed
def end(
    desk: Desk, designation: str, since: str, note: str, relationship: str | None, actor: str, key: Path | None
) -> None:
    """End a designation of this side, from a day on.

    Example:
      comity authority end d-7k3m… --on 2027-12-01 --note "note 30/2027" --as mori
    """
    request = EndDesignation(
        relationship=desk.session.relationship(relationship),
        designation=designation,
        since=since,
        note=note,
        actor=Actor(actor),
    )
    made: DesignationShown = desk.act("authority.end", request, key)
    desk.show(made, lambda out, _: _tell_made(out, made, desk))


@authority.command("list")
@click.option("--on", metavar="DAY", help="Only those that hold on this day.")
@housed
def list_authorities(desk: Desk, on: str | None) -> None:
    """List the competent authorities of every side, by day.

    Example:
      comity authority list --on 2026-12-01
    """
    found = desk.call("authority.list", ListDesignations(on=on))
    desk.show(found, lambda out, shown: _tell_authorities(out, shown, on))


@click.group(cls=Verbs)
def law() -> None:
    """Tell the other side of laws that bear on protection, ask for theirs, and see both registers (Article 3)."""


@law.command()
@click.argument("title", default="")
@click.option(
    "--change",
    type=click.Choice(get_args(LawChange)),
    default="enacted",
    show_default=True,
    help="What became of it; 'stated' tells it as it stands.",
)
@click.option("--in-force", required=True, metavar="DAY", help="Its day, or that of the change.")
@click.option("--says", required=True, metavar="TEXT", help="What it means for protection.")
@click.option("--law", "known", metavar="ID", help="The law, where it was told before.")
@noted
@relationship
@acting
@housed
def notify(
    desk: Desk,
    title: str,
    change: LawChange,
    in_force: str,
    says: str,
    known: str | None,
    note: str,
    relationship: str | None,
    actor: str,
    key: Path | None,
) -> None:
    r"""Tell the other side of a law of this one, or of its change, unprompted; an agreement authority signs it.

    Example:
      comity law notify "Act on Specially Designated Secrets" --change amended --in-force 2027-04-01 \
        --says "a new ladder of marks" --note "note 14/2026" --as mori
    """
    request = NotifyLaw(
        relationship=desk.session.relationship(relationship),
        title=title,
        change=change,
        in_force=in_force,
        says=says,
        note=note,
        actor=Actor(actor),
        law=known or fresh_name("w", key),
        known=known is not None,
    )
    told: LawShown = desk.act("law.notify", request, key)
    desk.show(told, lambda out, _: _tell_law_made(out, told, desk))


@law.command()
@click.argument("matter")
@relationship
@acting
@housed
def ask(desk: Desk, matter: str, relationship: str | None, actor: str, key: Path | None) -> None:
    """Ask the other side for its laws on a matter; it then owes an answer.

    Example:
      comity law ask "who may be cleared, and by whom" --as yun
    """
    request = AskLaws(
        relationship=desk.session.relationship(relationship),
        matter=matter,
        actor=Actor(actor),
        request=fresh_name("q", key),
    )
    asked: LawRequestShown = desk.act("law.ask", request, key)
    desk.show(asked, lambda out, _: _tell_asked(out, asked, desk))


@law.command()
@click.argument("request")
@click.option("--law", "laws", multiple=True, metavar="ID", help="A law of this side's register; repeat it.")
@click.option("--says", required=True, metavar="TEXT", help="What there is to say.")
@noted
@relationship
@acting
@housed
def answer(
    desk: Desk,
    request: str,
    laws: tuple[str, ...],
    says: str,
    note: str,
    relationship: str | None,
    actor: str,
    key: Path | None,
) -> None:
    """Answer what the other side asked about laws.

    Example:
      comity law answer q-4xq7… --law w-7k3m… --says "its chapter 5" --note "note 16/2026" --as mori
    """
    given = AnswerLaws(
        relationship=desk.session.relationship(relationship),
        request=request,
        laws=laws,
        says=says,
        note=note,
        actor=Actor(actor),
    )
    answered: LawRequestShown = desk.act("law.answer", given, key)
    desk.show(answered, lambda out, _: _tell_asked(out, answered, desk))


@law.command("list")
@housed
def list_laws(desk: Desk) -> None:
    """See both registers of laws, and what was asked.

    Example:
      comity law list
    """
    desk.show(desk.call("law.list", ListLaws()), _tell_laws)


@click.group(cls=Verbs)
def cost() -> None:
    """Note what this side spends on carrying out an agreement; it stays in this house (Article 19)."""


@cost.command()
@click.argument("amount")
@click.argument("currency")
@click.option("--for", "purpose", required=True, metavar="TEXT", help="What it was spent on.")
@click.option("--on", "day", required=True, metavar="DAY", help="On which day.")
@click.option("--item", metavar="ID", help="The item it was spent on, if on one.")
@relationship
@acting
@housed
def note(
    desk: Desk,
    amount: str,
    currency: str,
    purpose: str,
    day: str,
    item: str | None,
    relationship: str | None,
    actor: str,
    key: Path | None,
) -> None:
    """Note an outlay of this side; an agreement authority signs it, and the other side never hears of it.

    Example:
      comity cost note 1200.50 JPY --for "courier to Seoul" --on 2026-11-21 --as mori
    """
    request = NoteOutlay(
        relationship=desk.session.relationship(relationship),
        amount=amount,
        currency=currency,
        day=day,
        purpose=purpose,
        item=item,
        actor=Actor(actor),
        outlay=fresh_name("c", key),
    )
    noted_: OutlayShown = desk.act("cost.note", request, key)
    desk.show(noted_, _tell_outlay)


@cost.command("list")
@click.option("--as", "viewer", metavar="HANDLE", help="As this person may see it; the whole house otherwise.")
@housed
def list_costs(desk: Desk, viewer: str | None) -> None:
    """List what this side spent, with a sum for each currency; nothing is converted.

    Example:
      comity cost list
    """
    request = ListOutlays(viewer=Actor(viewer) if viewer else None)
    desk.show(desk.call("cost.list", request), _tell_outlays)


def _days(each: DesignationShown) -> str:
    return f"from {each.since}" + (f" to {each.until}, which is the first day without" if each.until else "")


def _notes(each: DesignationShown) -> str:
    return ", ".join(filter(None, (each.note, each.end_note)))


def _tell_made(out: Output, made: DesignationShown, desk: Desk) -> None:
    out.line(("told ", "good"), f"{made.designation}  {made.authority}")
    out.fields(
        [("of", made.party), ("days", _days(made)), ("note", ", ".join(filter(None, (made.note, made.end_note))))]
    )
    out.next(("comity authority list", "the registers of both sides"), *desk.sending())


def _tell_authorities(out: Output, found: list[DesignationShown], on: str | None) -> None:
    if not found:
        out.line(f"no designation holds on {on}" if on else "no authority is designated")
        out.next(("comity authority designate NAME --since DAY --note ID --as HANDLE", "tell the other side"))
    for each in found:
        out.line((f"{each.party}  ", "dim"), (each.authority, "strong"))
        out.fields(
            [
                ("days", _days(each)),
                ("note", _notes(each)),
                ("designation", each.designation),
                ("listed by", f"the agreement file [{each.provenance}]" if each.provenance else ""),
                ("told", told_instant(each.told) if each.told else ""),
            ]
        )


def _tell_law_made(out: Output, told: LawShown, desk: Desk) -> None:
    out.line(("told ", "good"), told.law)
    _law_fields(out, told, indent=2)
    out.next(("comity law list", "the registers of both sides"), *desk.sending())


def _law_fields(out: Output, told: LawShown, indent: int) -> None:
    out.fields(
        [
            ("title", told.title),
            (told.change, f"in force {told.in_force}"),
            ("says", told.says),
            ("note", told.note),
            ("told", told_instant(told.told) + (f", {told.notices} notices" if told.notices > 1 else "")),
        ],
        indent=indent,
    )


def _tell_asked(out: Output, asked: LawRequestShown, desk: Desk) -> None:
    out.line(("answered " if asked.answered else "asked ", "good"), asked.request)
    _request_fields(out, asked, indent=2)
    out.next(("comity law list", "what was told and answered"), *desk.sending())


def _request_fields(out: Output, asked: LawRequestShown, indent: int) -> None:
    out.fields(
        [
            ("about", asked.matter),
            ("asked", f"by {asked.party}, {told_instant(asked.asked)}"),
            ("answered", told_instant(asked.answered) if asked.answered else "not yet"),
            ("laws", ", ".join(asked.laws)),
            ("says", asked.says),
        ],
        indent=indent,
    )


def _tell_laws(out: Output, shown: LawsShown) -> None:
    out.line(("laws", "strong"))
    if not shown.laws:
        out.line("none was told", indent=2)
    for each in shown.laws:
        out.line((f"{each.party}  ", "dim"), (each.law, "strong"), indent=2)
        _law_fields(out, each, indent=4)
    out.gap()
    out.line(("asked", "strong"))
    if not shown.requests:
        out.line("nothing", indent=2)
    for asked in shown.requests:
        out.line((asked.request, "strong"), indent=2)
        _request_fields(out, asked, indent=4)


def _tell_outlay(out: Output, noted_: OutlayShown) -> None:
    out.line(("noted ", "good"), f"{noted_.outlay}  {noted_.amount} {noted_.currency}")
    out.fields([("for", noted_.purpose), ("on", noted_.day), ("item", noted_.item), ("noted by", noted_.by)])
    out.text("It stays in this house: each side bears its own costs.", indent=2, style="dim")


def _tell_outlays(out: Output, shown: OutlaysShown) -> None:
    if not shown.outlays:
        out.line("nothing is noted")
        return
    rows = [(each.day, f"{each.amount} {each.currency}", each.purpose, each.item, each.by) for each in shown.outlays]
    out.table(("day", "amount", "for", "item", "noted by"), rows)
    out.gap()
    for currency, total in shown.sums.items():
        out.line(("together ", "dim"), f"{total} {currency}", indent=2)
