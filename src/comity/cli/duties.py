"""``comity duties``: what is owed, by whom, until when, and what to type so that it is done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import click

from comity.cli.instants import told_instant, told_period
from comity.cli.options import Desk, Verb, housed
from comity.cli.output import OVERDUE, Output, Part, Style, article
from comity.flows.actors import Actor
from comity.flows.looking.duties import DutiesShown, DutyShown, ListDuties

Whose = Literal["mine", "theirs", "all"]
_WORDS = {
    "": "no number in the text",
    "before": "before it is done",
    "at-receipt": "at receipt",
    "at-creation": "as it is made",
    "as-appropriate": "as appropriate",
    "continuous": "always",
}


@click.command(cls=Verb)
@click.option("--mine", "whose", flag_value="mine", help="Only what this house owes.")
@click.option("--theirs", "whose", flag_value="theirs", help="Only what the other parties owe.")
@click.option("--all", "whose", flag_value="all", default=True, help="Both; this is what is shown otherwise too.")
@click.option("--overdue", is_flag=True, help="Only what is overdue.")
@click.option("--item", metavar="ID", help="Only what concerns this item, with what is done already.")
@click.option("--limit", type=click.IntRange(1, 1_000), default=100, show_default=True, help="At most so many of each.")
@click.option("--as", "viewer", metavar="HANDLE", help="As this person may see it; the whole house otherwise.")
@housed
def duties(desk: Desk, whose: Whose, item: str | None, limit: int, viewer: str | None, *, overdue: bool) -> int:
    """See what is owed, in the order in which it presses.

    A limit without a number stays a word: nothing becomes overdue by it. Ends with code 7 when something that rests on
    a checked clause is overdue.

    Example:
      comity duties --mine --overdue
    """
    request = ListDuties(whose=whose, overdue=overdue, item=item, actor=Actor(viewer) if viewer else None, limit=limit)
    found: DutiesShown = desk.call("duties.list", request)
    desk.show(found, lambda out, shown: _tell(out, shown, whose, overdue=overdue))
    return OVERDUE if found.overdue else 0


def _tell(out: Output, shown: DutiesShown, whose: Whose, *, overdue: bool) -> None:
    sides = {"mine": (True,), "theirs": (False,), "all": (True, False)}[whose]
    for number, ours in enumerate(sides):
        if number:
            out.gap()
        listed = [each for each in shown.duties if (each.who == shown.party) is ours]
        listed.sort(key=lambda each: each.discharged is not None)
        out.line(("this house owes" if ours else "others owe", "strong"))
        if not listed:
            out.line("nothing that is overdue" if overdue else "nothing that is open", indent=2)
        for each in listed:
            _tell_duty(out, each, ours=ours)
        standing = [each for each in shown.standing if (each.who == shown.party) is ours]
        if standing:
            _tell_standing(out, standing, ours=ours)
    if shown.more:
        out.text("There are more; --limit shows more of them, --overdue and --item fewer.", indent=2, style="dim")
    following = [(each.next, each.says) for each in shown.duties if each.next]
    if following:
        out.next(*list(dict(following).items())[:3])


def _tell_duty(out: Output, duty: DutyShown, *, ours: bool) -> None:
    done = duty.discharged is not None
    out.line(_state(duty), f"  {_who(duty, ours=ours)}{duty.says}{_to(duty)}", indent=2)
    out.fields(
        [
            ("about", duty.subject),
            ("clause", f"{_clause(duty)}, obligation {duty.obligation}"),
            ("opened", _by(duty.opened, duty.at)),
            ("due", "" if done else _due(duty)),
            ("shown by", "" if done else duty.evidence),
            ("returned" if duty.void else "done", _by(duty.discharged, duty.discharged_at)),
        ],
        indent=4,
    )


def told_state(duty: DutyShown) -> tuple[str, Style] | None:
    """A duty that is over, or overdue, in a word; None for one that is merely open."""
    if duty.void:
        return ("void", "dim")
    if duty.discharged is not None:
        return ("done", "good")
    if duty.overdue:
        return ("overdue", "warn" if duty.unchecked else "bad")
    return None


def _state(duty: DutyShown) -> Part:
    return told_state(duty) or (("due now", "warn") if duty.now else ("open", "strong"))


def _who(duty: DutyShown, *, ours: bool) -> str:
    return "" if ours else f"{duty.who}: "


def _to(duty: DutyShown) -> str:
    return f" (to {duty.to})" if duty.to not in ("", duty.who) else ""


def _by(record: str | None, at: datetime | None) -> str:
    return f"{told_instant(at)} by record {record[:16]}…" if record and at else ""


def _clause(duty: DutyShown) -> str:
    known = "K, unchecked: warns only" if duty.unchecked else duty.provenance
    return f"{article(duty.clause)} of {duty.instrument} [{known}]"


def _due(duty: DutyShown) -> str:
    word = _WORDS.get(duty.within, duty.within)
    if duty.due is None:
        return word
    number = told_period(duty.limit) or (told_period(duty.within) if duty.within.startswith("P") else "")
    instrument, _, clause = duty.limit_from.rpartition(":")
    source = f"{number} by {article(clause)} of {instrument}" if duty.limit else number or "as the record says"
    said = "; ".join(part for part in (source, word if duty.limit and duty.within else "") if part)
    return told_instant(duty.due) + (f" ({said})" if said else "")


def _article_order(duty: DutyShown) -> tuple[object, ...]:
    """What is always owed, in the order of the articles; an article 10 comes after an article 6."""
    parts = tuple((int(part), "") if part.isdigit() else (0, part) for part in duty.clause.split("."))
    return duty.who, duty.instrument, parts


def _tell_standing(out: Output, standing: Sequence[DutyShown], *, ours: bool) -> None:
    out.line(("always", "dim"), indent=2)
    for each in sorted(standing, key=_article_order):
        shown = _by(each.shown, each.shown_at)
        shown = f"; shown {shown}" if shown else ""
        out.text(f"{_who(each, ours=ours)}{each.says}", indent=4)
        out.text(f"{_clause(each)}{shown}", indent=6, style="dim")
