"""``comity retention``: what is kept how long, and the end of it (``spec/keys.md`` steps 75 to 80)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from comity.cli.instants import told_instant
from comity.cli.options import Desk, Verbs, acting, ask_first, final, housed
from comity.cli.output import Output
from comity.flows.actors import Actor
from comity.flows.maintaining.retention import ApplyRetention, ShowRetention

if TYPE_CHECKING:
    from comity.flows.maintaining.retention import Due, RetentionApplied, RetentionShown


@click.group(cls=Verbs)
def retention() -> None:
    """See how long what is kept, and erase what was kept long enough. No record is ever erased."""


@retention.command()
@housed
def show(desk: Desk) -> None:
    """Show by class what is kept, how long, by which clause or setting, and what is due to be erased.

    Example:
      comity retention show
    """
    desk.show(desk.call("retention.show", ShowRetention()), _tell)


@retention.command()
@final
@acting
@housed
def apply(desk: Desk, actor: str, key: Path | None, *, yes: bool) -> None:
    """Erase what is due: names, titles and sealed payloads whose time is over. It is recorded what was erased, and why.

    Example:
      comity retention apply --as lee --yes
    """
    due = desk.call("retention.show", ShowRetention()).due
    if due:
        ask_first(f"{_counted(due)} are erased.", yes=yes)
    desk.show(desk.act("retention.apply", ApplyRetention(actor=Actor(actor)), key), _tell_applied)


def _tell(out: Output, shown: RetentionShown) -> None:
    rows = [
        (each.kind, each.what, each.kept, "; ".join(each.rests_on), str(each.due) if each.due else "")
        for each in shown.classes
    ]
    out.table(("class", "what", "kept", "by", "due"), rows)
    _tell_each(out, "due to be erased", shown.due)
    _tell_each(out, "their time is over, and something needs them still", shown.needed)
    if shown.older_backups is not None:
        out.gap()
        out.text(f"Backups made before {told_instant(shown.older_backups)} have what was erased since.", style="warn")
    if shown.due:
        out.next(("comity retention apply --as HANDLE", "erase what is due; a security officer does, or root"))


def _tell_applied(out: Output, told: RetentionApplied) -> None:
    if told.erased:
        out.line((f"erased: {_counted(told.erased)}", "good"))
        _tell_each(out, "", told.erased)
        out.fields([("recorded", record[:16]) for record in told.records])
        out.text("Backups made before have it still; the next one has not.", style="warn")
        out.next(("comity backup take --help", "a new one, and --keep to remove the old ones"))
    else:
        out.line("nothing is due")
    _tell_each(out, "their time is over, and something needs them still", told.needed)


def _tell_each(out: Output, title: str, found: Sequence[Due]) -> None:
    if found:
        out.gap()
        if title:
            out.text(f"{len(found)} {title}:")
        rows = [(each.what, each.subject, told_instant(each.since), each.needed or each.because) for each in found]
        out.table(("class", "of", "since", "by"), rows)


def _counted(found: Sequence[Due]) -> str:
    kinds = dict.fromkeys(each.what for each in found)
    return ", ".join(f"{sum(each.what == kind for each in found)} {kind}" for kind in kinds)
