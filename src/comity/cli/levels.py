"""``comity reclassify``, ``levels``, ``reviews``: the level of what was given, and its changes (Article 6(g))."""

from __future__ import annotations

from pathlib import Path

import click

from comity.cli.decisions import functions, tell_outcome
from comity.cli.instants import read_instant, told_instant
from comity.cli.options import Desk, Verb, acting, as_actor, housed, seeing
from comity.cli.output import DONE, REFUSED, Output
from comity.cli.session import fresh_name
from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.deciding.explaining import tell
from comity.flows.ending.level_books import ChangeLine, LevelsShown, ListReviews, NoticeShown, ReviewLine, ShowLevels
from comity.flows.ending.levels import Reclassification, Reclassify

DECLASSIFIED = "no mark: declassified"


@click.command(cls=Verb)
@click.argument("item")
@click.option("--to", "--mark", "mark", metavar="MARK", help="The new mark, on your own ladder; the same for a review.")
@click.option("--declassify", is_flag=True, help="Take the mark away.")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it is recorded, and crosses.")
@click.option("--review", metavar="DAY", help="When it is to be looked at again.")
@acting
@housed
def reclassify(
    desk: Desk,
    item: str,
    mark: str | None,
    reason: str,
    review: str | None,
    actor: str,
    key: Path | None,
    *,
    declassify: bool,
) -> int:
    """Change the level of an item of yours; everybody who was given it is notified and re-marks it.

    By a release authority of the originator, and by nobody else. A level above the ceiling of the agreement cannot be
    set on what has crossed: recall it instead.

    Example:
      comity reclassify i-7k3m… --to 秘 --reason "no longer current" --review 2027-11-21 --as abe
    """
    if declassify == (mark is not None):
        raise Misuse("name the new mark with --to, or say --declassify", code="which-mark")
    request = Reclassify(
        item=item,
        mark=mark or "",
        reason=reason,
        actor=Actor(actor),
        review=read_instant(review, "UTC").at if review else None,
        change=fresh_name("l", key),
    )
    told: Reclassification = desk.act("level.change", request, key)
    known = functions(desk)
    desk.show(told, lambda out, _: _tell_changed(out, told, known, desk))
    return DONE if told.done else REFUSED


@click.command(cls=Verb)
@click.argument("item")
@seeing
@housed
def levels(desk: Desk, item: str, actor: str | None) -> None:
    """See how the level of an item has changed, who was notified, and who has proved that it is re-marked.

    Example:
      comity levels i-7k3m…
    """
    shown: LevelsShown = desk.call("level.show", ShowLevels(item=item, actor=as_actor(actor)))
    desk.show(shown, _tell_levels)


@click.command(cls=Verb)
@click.option(
    "--by", "before", metavar="DAY", help="Those that are to be reviewed by this day; those due now otherwise."
)
@seeing
@housed
def reviews(desk: Desk, before: str | None, actor: str | None) -> None:
    """See which of your items are to be reviewed.

    Example:
      comity reviews --by 2027-06-30
    """
    request = ListReviews(before=read_instant(before, "UTC", end=True).at if before else None, actor=as_actor(actor))
    lines: list[ReviewLine] = desk.call("level.reviews", request)
    desk.show(lines, _tell_reviews)


def _tell_changed(out: Output, told: Reclassification, known: dict[str, str], desk: Desk) -> None:
    if not told.done:
        for asked in told.asked:
            if asked.outcome != "permit":
                tell_outcome(out, tell(asked.decision), known, full=False)
        codes = {reason.code for asked in told.asked for reason in asked.decision.reasons}
        if "above-ceiling" in codes:
            out.gap()
            out.text("It has crossed, and cannot stand there under that mark: recall it instead.")
            out.next((f"comity recall ask {told.item} --ask either --reason WHY --as HANDLE", "ask for it back"))
        return
    assert told.levels is not None  # what was changed is shown
    mark = told.levels.label.mark or DECLASSIFIED
    out.line("changed  ", (told.item, "strong"), f"  {mark}")
    review = told.levels.review
    out.fields(
        [
            ("change", told.change),
            ("notified", ", ".join(told.notified) or "nobody: it was given to nobody"),
            ("review", told_instant(review) if review else ""),
        ]
    )
    out.next((f"comity levels {told.item}", "who has re-marked it"), *(desk.sending() if told.notified else ()))


def _tell_levels(out: Output, shown: LevelsShown) -> None:
    out.line((shown.item, "strong"))
    own = shown.alternative
    out.fields(
        [
            ("mark", shown.label.mark or DECLASSIFIED),
            ("own mark", own.mark if own is not None else ""),
            ("review", told_instant(shown.review) if shown.review else ""),
        ]
    )
    if not shown.relationships:
        out.line("given to nobody", indent=2)
    for each in shown.relationships:
        _tell_notices(out, each)
    untold = [each for each in shown.relationships if each.untold]
    if untold:
        mark = f"--to {shown.label.mark}" if shown.label.mark else "--declassify"
        out.next((f"comity reclassify {shown.item} {mark} --reason WHY --as HANDLE", "they have not been told"))


def _tell_notices(out: Output, there: NoticeShown) -> None:
    out.line(there.relationship, f"  kept by {there.keeper}", indent=2)
    marked = "nobody has said yet" if there.marked is None else there.marked or DECLASSIFIED
    out.fields([("notified mark", there.mark or DECLASSIFIED), ("marked there", marked)], indent=4)
    for change in there.changes:
        before, after = change.before or "no mark", change.mark or "no mark"
        what = f"{before} to {after}" if change.before != change.mark else f"{after}, reviewed and kept"
        out.line((told_instant(change.at), "dim"), f"  {what}", indent=4)
        out.fields(
            [
                ("change", change.change),
                ("reason", change.reason),
                ("next review", told_instant(change.review) if change.review else ""),
                ("notice", "has arrived" if change.delivered else "is on its way"),
                ("re-marked", _proved(change)),
            ],
            indent=6,
        )
    for made in there.made:
        out.line(f"{made.relation} {made.item}  {made.mark or DECLASSIFIED}", indent=4)


def _proved(change: ChangeLine) -> str:
    if change.before == change.mark:
        return "nothing to mark"
    return told_instant(change.remarked) if change.remarked else "not proved yet"


def _tell_reviews(out: Output, lines: list[ReviewLine]) -> None:
    if not lines:
        out.line("nothing is to be reviewed")
        return
    for each in lines:
        out.line((each.item, "strong"), f"  {each.mark or DECLASSIFIED}")
        due = "  due" if each.due else ""
        out.fields([("review", told_instant(each.review) + due), ("last said", each.reason)])
    first = lines[0]
    again = f"comity reclassify {first.item} --to {first.mark} --reason WHY --review DAY --as HANDLE"
    out.next((again, "keep the level, and set the next review"))
