"""``comity catch-up``: how far a node that was brought back has come (``spec/backup.md`` steps 40 to 52)."""

from __future__ import annotations

import click

from comity.cli.instants import told_instant
from comity.cli.options import Desk, Verb, housed
from comity.cli.output import Output, working
from comity.flows.maintaining.catching_up import CatchingUpShown, CatchUp, WithoutPeer
from comity.ports import RestoredFrom


@click.command("catch-up", cls=Verb)
@click.option("--without", metavar="RELATIONSHIP", help="Go on without what that other party has; needs the root key.")
@click.option("--reason", help="Why, for the books.")
@click.option("--older-database", is_flag=True, help="The database here is an older copy: let it catch up.")
@housed
def catch_up(desk: Desk, without: str | None, reason: str | None, *, older_database: bool) -> None:
    """Ask each other party that is missing once more, and say how far a node that was brought back has come.

    Going on without one means that there are two histories if it has more of yours than came back.

    Example:
      comity catch-up
      comity catch-up --without jp-kr-2016/jp.kr --reason "their ministry was dissolved"
    """
    if (without is None) != (reason is None):
        raise click.UsageError("--without and --reason belong together")
    if older_database:
        from comity.node.backups import admit_older

        desk.session.check()
        admit_older(desk.session.folder)
    if without is not None and reason is not None:
        desk.call("catch-up.without", WithoutPeer(relationship=without, reason=reason))
    with working("asking the other parties", quiet=desk.out.as_json):
        shown: CatchingUpShown = desk.call("catch-up", CatchUp())
    desk.show(shown, _tell)


def _what(restored: RestoredFrom) -> str:
    if not restored.backup:
        return f"an older copy of the database, told of {told_instant(restored.at)}"
    return f"brought back from backup {restored.backup} of {told_instant(restored.taken)}"


def _tell(out: Output, shown: CatchingUpShown) -> None:
    restored = shown.restored
    if restored is None:
        out.line(("nothing is missing", "good"), "; this node signs and opens")
        return
    out.line(("catching up", "bad"), f": {_what(restored)}")
    out.fields([(name, f"compared, {size:,} records of ours") for name, size in sorted(restored.compared.items())])
    out.fields([(name, shown.failed.get(name, "not asked yet")) for name in shown.missing])
    out.next(
        ("comity node run", "asks them again and again"),
        ("comity catch-up --without RELATIONSHIP --reason WHY", "once it is sure that nobody will ever give it back"),
    )
