"""``comity dispute``: consultations between the parties, and how they were settled."""

from __future__ import annotations

from pathlib import Path

import click

from comity.cli.files import read_file
from comity.cli.instants import told_instant
from comity.cli.options import Desk, Verbs, acting, housed, relationship
from comity.cli.output import Output
from comity.cli.session import fresh_name
from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.agreeing.disputes import (
    AnswerDispute,
    DisputeShown,
    ListDisputes,
    OpenDispute,
    PositionShown,
    SettleDispute,
    ShowDispute,
)
from comity.record.bodies.notices import DisputeAbout

SETTLEMENT_BYTES_MAX = 1024 * 1024
"""Longest text of a settlement that is read; a longer one is signed by its digest."""
deposited = click.option(
    "--deposit", "deposits", multiple=True, metavar="ID", help="A deposit that bears on it; repeat it."
)
seen_as = click.option("--as", "viewer", metavar="HANDLE", help="As this person may see it; the whole house otherwise.")


@click.group(cls=Verbs)
def dispute() -> None:
    """Consult the other side about an item, a duty or a reading (Article 20).

    Disputes are settled by consultation and by nothing else. Meanwhile everything stays protected: nothing that is in
    dispute is opened, marked or kept in another way than before.
    """


@dispute.command("open")
@click.option("--item", metavar="ID", help="About an item that passed between the parties.")
@click.option("--duty", metavar="SUBJECT", help="About a duty, by what 'comity duties' says of it.")
@click.option("--obligation", metavar="ID", help="Of a duty, its obligation.")
@click.option("--clause", metavar="ID", help="About how a clause of the agreement is to be read.")
@click.option("--question", required=True, metavar="TEXT", help="What is in dispute.")
@click.option("--position", required=True, metavar="TEXT", help="What this side says.")
@deposited
@relationship
@acting
@housed
def open_command(
    desk: Desk,
    item: str | None,
    duty: str | None,
    obligation: str | None,
    clause: str | None,
    question: str,
    position: str,
    deposits: tuple[str, ...],
    relationship: str | None,
    actor: str,
    key: Path | None,
) -> None:
    r"""Open a consultation, with the position of this side; an agreement authority signs it.

    Example:
      comity dispute open --clause 21.3 --question "may a notice be suspended?" \
        --position "it may, until its day" --as yun
    """
    about, subject = _about(item, duty, clause)
    request = OpenDispute(
        relationship=desk.session.relationship(relationship),
        about=about,
        subject=subject,
        obligation=obligation,
        question=question,
        position=position,
        deposits=deposits,
        actor=Actor(actor),
        dispute=fresh_name("x", key),
    )
    desk.show(desk.act("dispute.open", request, key), lambda out, made: _tell_after(out, made, "opened ", desk))


@dispute.command()
@click.argument("dispute")
@click.option("--says", required=True, metavar="TEXT", help="The position of this side.")
@deposited
@acting
@housed
def answer(desk: Desk, dispute: str, says: str, deposits: tuple[str, ...], actor: str, key: Path | None) -> None:
    """Take a position in a dispute.

    Example:
      comity dispute answer x-7k3m… --says "it may not" --as mori
    """
    request = AnswerDispute(dispute=dispute, says=says, deposits=deposits, actor=Actor(actor))
    desk.show(desk.act("dispute.answer", request, key), lambda out, made: _tell_after(out, made, "answered ", desk))


@dispute.command()
@click.argument("dispute")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--digest", metavar="HEX", help="SHA-256 of the text, instead of the file.")
@acting
@housed
def settle(desk: Desk, dispute: str, file: Path | None, digest: str | None, actor: str, key: Path | None) -> None:
    """Sign a text that settles a dispute; it is settled once the other side has signed the same, to the byte.

    Example:
      comity dispute settle x-7k3m… settlement.txt --as mori
    """
    text = _read(file) if file is not None else None
    request = SettleDispute(dispute=dispute, text=text, digest=digest, actor=Actor(actor))
    desk.show(desk.act("dispute.settle", request, key), lambda out, made: _tell_after(out, made, "signed ", desk))


@dispute.command("list")
@seen_as
@housed
def list_command(desk: Desk, viewer: str | None) -> None:
    """List the disputes, oldest first.

    Example:
      comity dispute list
    """
    request = ListDisputes(viewer=Actor(viewer) if viewer else None)
    desk.show(desk.call("dispute.list", request), _tell_list)


@dispute.command()
@click.argument("dispute")
@seen_as
@housed
def show(desk: Desk, dispute: str, viewer: str | None) -> None:
    """Show a dispute with the positions of both sides.

    Example:
      comity dispute show x-7k3m…
    """
    request = ShowDispute(dispute=dispute, viewer=Actor(viewer) if viewer else None)
    desk.show(desk.call("dispute.show", request), _tell)


def _about(item: str | None, duty: str | None, clause: str | None) -> tuple[DisputeAbout, str]:
    named: list[tuple[DisputeAbout, str | None]] = [("item", item), ("duty", duty), ("reading", clause)]
    given = [(about, subject) for about, subject in named if subject is not None]
    if len(given) != 1:
        raise Misuse("say what it is about: --item, --duty with --obligation, or --clause", code="which-subject")
    return given[0]


def _read(file: Path) -> str:
    try:
        return read_file(file, SETTLEMENT_BYTES_MAX).decode()
    except UnicodeDecodeError:
        raise Misuse(f"{str(file)!r} is no text in UTF-8; sign it by its digest, --digest", code="not-text") from None


def _subject(shown: DisputeShown) -> str:
    what = {"item": "item", "duty": "duty about", "reading": "reading of clause"}[shown.about]
    return f"{what} {shown.subject}" + (f" under {shown.obligation}" if shown.obligation else "")


def _state(shown: DisputeShown) -> str:
    if shown.settled:
        return f"settled {told_instant(shown.settled)}"
    return "one side has signed a text" if shown.proposed else "open"


def _tell(out: Output, shown: DisputeShown) -> None:
    out.line((shown.dispute, "strong"), f"  {_subject(shown)}  ", (_state(shown), "good" if shown.settled else "warn"))
    out.fields([("question", shown.question), ("opened", f"by {shown.party}, {told_instant(shown.opened)}")])
    for each in shown.positions:
        out.text(f"{each.party} says: {each.says}", indent=2)
        if each.deposits:
            out.fields([("deposits", ", ".join(each.deposits))], indent=4)
    for each in shown.proposed:
        _tell_text(out, each)
    out.text("What is in dispute stays protected as before.", indent=2, style="dim")


def _tell_text(out: Output, each: PositionShown) -> None:
    out.line(f"{each.party} has signed a text", indent=2)
    out.fields(
        [("digest", each.digest), ("text", each.says.replace("\n", " ")), ("on", told_instant(each.at))], indent=4
    )


def _tell_after(out: Output, shown: DisputeShown, did: str, desk: Desk) -> None:
    out.line((did, "good"), shown.dispute)
    _tell(out, shown)
    following = [("comity dispute list", "where each stands")]
    if shown.proposed and not shown.settled:
        following.insert(0, (f"comity dispute settle {shown.dispute} FILE --as HANDLE", "there, over the same text"))
    out.next(*following, *desk.sending())


def _tell_list(out: Output, found: list[DisputeShown]) -> None:
    if not found:
        out.line("nothing is in dispute")
    for each in found:
        out.line((each.dispute, "strong"), f"  {_subject(each)}  ", (_state(each), "good" if each.settled else "warn"))
        out.fields([("question", each.question), ("opened", f"by {each.party}, {told_instant(each.opened)}")])
    if found:
        out.next((f"comity dispute show {found[0].dispute}", "the positions of both sides"))
