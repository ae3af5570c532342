"""``comity catch-up``: how far a node that was brought back has come (``spec/backup.md`` steps 40 to 52)."""

from __future__ import annotations

import click

from comity.cli.files import absolute
from comity.cli.instants import told_instant
from comity.cli.options import Desk, Verb, housed
from comity.cli.output import Output, working
from comity.flows.maintaining.catching_up import CatchingUpShown, CatchUp, WithoutPeer
from comity.flows.maintaining.giving_back import AskBack, BackShown, TakeBack
from comity.ports import RestoredFrom


@click.command("catch-up", cls=Verb)
@click.option("--without", metavar="RELATIONSHIP", help="Go on without what that other party has; needs the root key.")
@click.option("--reason", help="Why, for the books.")
@click.option("--ask", metavar="RELATIONSHIP", help="Ask that other party in a file, where no network leads to it.")
@click.option("--out", metavar="FILE", help="The new file for --ask.")
@click.option("--take", metavar="FILE", help="Take the file with which it answers.")
@click.option("--older-database", is_flag=True, help="The database here is an older copy: let it catch up.")
@housed
def catch_up(
    desk: Desk,
    without: str | None,
    reason: str | None,
    ask: str | None,
    out: str | None,
    take: str | None,
    *,
    older_database: bool,
) -> None:
    """Ask each other party that is missing once more, and say how far a node that was brought back has come.

    One that is reached by pouch only is asked in a file: it answers with 'comity pouch give-back'. Going on without
    one means that there are two histories if it has more of yours than came back.

    Example:
      comity catch-up
      comity catch-up --ask jp-kr-2016/jp.kr --out asked.pouch
      comity catch-up --take back-to-tokyo.pouch
      comity catch-up --without jp-kr-2016/jp.kr --reason "their ministry was dissolved"
    """
    if (without is None) != (reason is None):
        raise click.UsageError("--without and --reason belong together")
    if (ask is None) != (out is None):
        raise click.UsageError("--ask and --out belong together")
    if ask is not None and take is not None:
        raise click.UsageError("what is asked is answered there before it can be taken; give --ask or --take")
    if older_database:
        from comity.node.backups import admit_older

        desk.session.check()
        admit_older(desk.session.folder)
    if without is not None and reason is not None:
        desk.call("catch-up.without", WithoutPeer(relationship=without, reason=reason))
    if ask is not None and out is not None:
        desk.show(desk.call("catch-up.ask", AskBack(relationship=ask, path=absolute(out))), _tell_asked)
        return
    if take is not None:
        with working("taking up what was given back", quiet=desk.out.as_json):
            taken: CatchingUpShown = desk.call("catch-up.take", TakeBack(path=absolute(take)))
        desk.show(taken, _tell)
        return
    with working("asking the other parties", quiet=desk.out.as_json):
        shown: CatchingUpShown = desk.call("catch-up", CatchUp())
    desk.show(shown, _tell)


def _tell_asked(out: Output, shown: BackShown) -> None:
    out.line(("asked ", "good"), f"in {shown.path}")
    name = shown.path.rpartition("/")[2]
    out.next(
        (f"comity pouch give-back {name} --out BACK", f"there, at {shown.peer}"),
        ("comity catch-up --take BACK", "here, once that file is here"),
    )


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
        ("comity catch-up --ask RELATIONSHIP --out FILE", "of one that is reached by pouch only"),
        ("comity catch-up --without RELATIONSHIP --reason WHY", "once it is sure that nobody will ever give it back"),
    )
