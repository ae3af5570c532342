"""``comity purpose-ended``, ``recall``, ``return``: what is asked back, who answered, what came back (Article 6(h))."""

from __future__ import annotations

from pathlib import Path

import click

from comity.cli.decisions import functions, named, tell_outcome
from comity.cli.instants import read_instant, told_instant
from comity.cli.options import Desk, Verb, Verbs, acting, as_actor, ask_first, final, housed, seeing
from comity.cli.output import DONE, REFUSED, Output
from comity.cli.session import fresh_name
from comity.flows.actors import Actor
from comity.flows.deciding.explaining import tell
from comity.flows.ending.recalls import EndPurpose, LiftRecall, ReachedCopy, Recall, RecallShown, ShowRecall
from comity.flows.ending.returning import SendBack, SentBackShown, TakeBack, TakenBackShown
from comity.record.bodies.ending import Asks

NAMED = ("i-", "c-")
"""How what is asked for begins: an item, or the reference of a copy."""
copy_number = click.option("--copy", "number", type=click.IntRange(min=1), help="Number of the copy.")
somewhere = click.option("--relationship", metavar="NAME", help="Only there; everywhere it was given otherwise.")


class ShortVerbs(Verbs):
    """Verbs of which the first need not be typed before an item."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The verb that was typed; the first one, where an item was typed at once."""
        if args[0].startswith(NAMED):
            args = [next(iter(self.commands)), *args]
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """An option that is not the group's own belongs to the first verb as well."""
        if args and args[0].startswith("-") and args[0] not in ctx.help_option_names:
            args = [next(iter(self.commands)), *args]
        return super().parse_args(ctx, args)


@click.command("purpose-ended", cls=Verb)
@click.argument("item")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it is recorded, and crosses.")
@acting
@housed
def purpose_ended(desk: Desk, item: str, reason: str, actor: str, key: Path | None) -> None:
    """Say that an item that came is no longer needed for what it came for; by the registry.

    From then on it is owed that every copy, and everything made from it, is returned or destroyed (Article 6(h)). The
    end of the agreement alone opens no such duty (Article 21(4)).

    Example:
      comity purpose-ended i-7k3m… --reason "the exercise is over" --as lee
    """
    request = EndPurpose(item=item, reason=reason, actor=Actor(actor), ended=fresh_name("z", key))
    shown: list[RecallShown] = desk.act("purpose.end", request, key)
    known = functions(desk)
    desk.show(shown, lambda out, _: _tell_recalls(out, shown, known, desk, "ended"))


@click.group(cls=ShortVerbs)
def recall() -> None:
    """Ask for what you gave, see who has answered for which copy, and take the recall back.

    'comity recall ITEM --ask return' is short for 'comity recall ask ITEM --ask return'. The agreement of 2016 has no
    article on recalls: an arrangement may oblige the other side to answer, and its clause is cited.
    """


@recall.command()
@click.argument("item")
@click.option("--ask", "asks", required=True, type=click.Choice(("return", "destroy", "either")), help="For what.")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it is recorded, and crosses.")
@click.option("--answer-by", metavar="DAY", help="Until when you ask for an answer.")
@somewhere
@acting
@housed
def ask(
    desk: Desk,
    item: str,
    asks: Asks,
    reason: str,
    answer_by: str | None,
    relationship: str | None,
    actor: str,
    key: Path | None,
) -> None:
    """Recall an item of yours from everybody it was given to; by a release authority.

    Example:
      comity recall ask i-7k3m… --ask return --reason "sent by mistake" --answer-by 2026-12-31 --as abe
    """
    request = Recall(
        item=item,
        asks=asks,
        reason=reason,
        actor=Actor(actor),
        answer_by=read_instant(answer_by, "UTC", end=True).at if answer_by else None,
        relationship=relationship,
        recall=fresh_name("k", key),
    )
    shown: list[RecallShown] = desk.act("recall", request, key)
    known = functions(desk)
    desk.show(shown, lambda out, _: _tell_recalls(out, shown, known, desk, "recalled"))


@recall.command("show")
@click.argument("item")
@seeing
@housed
def show_command(desk: Desk, item: str, actor: str | None) -> None:
    """See who has answered for which copy, who has not, and since when.

    Example:
      comity recall show i-7k3m…
    """
    shown: list[RecallShown] = desk.call("recall.show", ShowRecall(item=item, actor=as_actor(actor)))
    known = functions(desk)
    desk.show(shown, lambda out, _: _tell_recalls(out, shown, known, desk, ""))


@recall.command()
@click.argument("item")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it is recorded, and crosses.")
@somewhere
@acting
@housed
def lift(desk: Desk, item: str, reason: str, relationship: str | None, actor: str, key: Path | None) -> None:
    """Take a recall back; what was returned or destroyed since stays so.

    Example:
      comity recall lift i-7k3m… --reason "it was right after all" --as abe
    """
    request = LiftRecall(item=item, reason=reason, actor=Actor(actor), relationship=relationship)
    shown: list[RecallShown] = desk.act("recall.lift", request, key)
    known = functions(desk)
    desk.show(shown, lambda out, _: _tell_recalls(out, shown, known, desk, "lifted"))


@click.group("return", cls=ShortVerbs)
def return_command() -> None:
    """Send a copy back to whoever gave it; sign for one that came back.

    'comity return ITEM --copy N' is short for 'comity return send ITEM --copy N'.
    """


@return_command.command()
@click.argument("item")
@copy_number
@click.option("--reason", required=True, metavar="TEXT", help="Why; it is recorded, and crosses.")
@somewhere
@final
@acting
@housed
def send(
    desk: Desk,
    item: str,
    number: int | None,
    reason: str,
    relationship: str | None,
    actor: str,
    key: Path | None,
    *,
    yes: bool,
) -> int:
    """Send your copy back to whoever gave it; its key is erased here at once.

    Example:
      comity return send i-7k3m… --copy 1 --reason "done with it" --as kim
    """
    which = item if number is None else f"copy {number} of {item}"
    ask_first(f"{which} is sent back, and its key is erased here.", yes=yes)
    request = SendBack(item=item, copy=number, reason=reason, actor=Actor(actor), relationship=relationship)
    told: SentBackShown = desk.act("return", request, key)
    known = functions(desk)
    desk.show(told, lambda out, _: _tell_sent(out, told, known, desk))
    return DONE if told.record else REFUSED


@return_command.command()
@click.argument("item")
@copy_number
@somewhere
@acting
@housed
def receive(desk: Desk, item: str, number: int | None, relationship: str | None, actor: str, key: Path | None) -> None:
    """Sign for a copy that came back; by the registry of whoever gave it.

    Example:
      comity return receive i-7k3m… --copy 1 --as ito
    """
    request = TakeBack(item=item, copy=number, actor=Actor(actor), relationship=relationship)
    taken: TakenBackShown = desk.act("return.receive", request, key)
    desk.show(taken, lambda out, _: _tell_taken(out, taken, desk))


# ---- how it reads ---------------------------------------------------------------------------------------------------


def _tell_recalls(out: Output, shown: list[RecallShown], known: dict[str, str], desk: Desk, did: str) -> None:
    for place, each in enumerate(shown):
        if place:
            out.gap()
        _tell_recall(out, each, known)
    mine = desk.session.party
    here = [copy for each in shown if each.keeper == mine for copy in each.reached if copy.state == "held"]
    back = [copy for each in shown if each.keeper != mine for copy in each.reached if copy.sent and not copy.answered]
    following: list[tuple[str, str]] = []
    if did and any(each.by == mine for each in shown):
        following.append((f"comity recall show {shown[0].item}", "who has answered, and who has not"))
    following += [
        (f"comity return receive {each.item} --copy {each.number} --as HANDLE", "once it has come back")
        for each in back[:1]
    ]
    for copy in here[:1] if did != "lifted" else ():
        what = f"{copy.item} --copy {copy.number}"
        following.append((f"comity return {what} --reason WHY --as HOLDER", "send it back"))
        following.append((f"comity destroy {what} --method METHOD --reason WHY --as HOLDER", "or destroy it"))
    following += desk.sending() if did else []
    if following:
        out.next(*following)


def _tell_recall(out: Output, shown: RecallShown, known: dict[str, str]) -> None:
    state = "recalled" if shown.recall and shown.lifted is None else "recall lifted" if shown.recall else "not needed"
    out.line((shown.item, "strong"), f"  {state}  {shown.relationship}")
    asks = {"return": "its return", "destroy": "its destruction", "either": "its return or its destruction"}
    out.fields(
        [
            ("recall", f"{shown.recall} by {shown.by}, for {asks[shown.asks]}" if shown.recall else ""),
            ("reason", shown.reason),
            ("since", told_instant(shown.at)),
            ("obliges by", shown.clause),
            (
                "answer by",
                told_instant(shown.answer_by) + ("  overdue" if shown.overdue else "") if shown.answer_by else "",
            ),
            ("notice", "has arrived" if shown.delivered else "is on its way"),
            ("lifted", told_instant(shown.lifted) if shown.lifted else ""),
            ("not needed", f"since {told_instant(shown.ended)}: {shown.ended_reason}" if shown.ended else ""),
            ("unanswered", _unanswered(shown)),
        ]
    )
    if shown.recall and not shown.clause:
        out.text(
            "Nothing in the agreement or its layers obliges the other side to answer; it was asked all the same.",
            indent=2,
            style="warn",
        )
    rows = [
        (
            f"copy {copy.number}" + (f" of {copy.item}" if copy.item != shown.item else ""),
            copy.state,
            named(copy.holder, known),
            _answer(copy, shown),
        )
        for copy in shown.reached
    ]
    if rows:
        out.table(("copy", "state", "with", "answer"), rows)
    if shown.more:
        out.line(f"and {shown.more} copies more", indent=2)


def _unanswered(shown: RecallShown) -> str:
    if shown.lifted is not None and shown.ended is None:
        return ""
    if not shown.unanswered:
        return "none; every copy is accounted for"
    return f"{shown.unanswered} of {len(shown.reached) + shown.more} copies"


def _answer(copy: ReachedCopy, shown: RecallShown) -> str:
    """What has been heard about a copy."""
    if copy.answered is not None:
        return told_instant(copy.answered)
    if copy.sent is not None:
        return f"sent back {told_instant(copy.sent)}"
    if copy.state == "passed on" or (shown.lifted is not None and shown.ended is None):
        return ""
    waiting = f", certificate {copy.certificate} waits" if copy.certificate else ""
    return f"silent since {told_instant(shown.at)}{waiting}"


def _tell_sent(out: Output, told: SentBackShown, known: dict[str, str], desk: Desk) -> None:
    if not told.record:
        tell_outcome(out, tell(told.decision), known, full=False)
        return
    out.line("sent back  ", (f"copy {told.copy} of {told.item}", "strong"), f"  to {told.to}")
    out.fields([("recorded as", told.record[:16])])
    out.text("Its key is erased here; nobody opens it on its way.", indent=2)
    out.next((f"comity copy show {told.item} --copy {told.copy}", "whether it has arrived"), *desk.sending())


def _tell_taken(out: Output, taken: TakenBackShown, desk: Desk) -> None:
    out.line("returned  ", (f"copy {taken.copy} of {taken.item}", "strong"))
    out.fields([("recorded as", taken.record[:16])])
    if sending := desk.sending():
        out.next(*sending)
