"""``comity deposit``: commit to a statement or a log now, reveal it later."""

from __future__ import annotations

from pathlib import Path

import click

from comity.cli.files import absolute
from comity.cli.instants import told_instant
from comity.cli.options import Desk, Verbs, acting, ask_first, final, housed, relationship
from comity.cli.output import FINDINGS, Output
from comity.cli.session import fresh_name
from comity.flows.actors import Actor
from comity.flows.agreeing.deposits import (
    CheckDeposit,
    DepositChecked,
    DepositShown,
    ListDeposits,
    MakeDeposit,
    RevealDeposit,
)


@click.group(cls=Verbs)
def deposit() -> None:
    """Deposit a statement or a log before it is shown, so that nobody can adjust it afterwards.

    Only a commitment crosses: it says nothing of the content. Once the other side has witnessed it, this side cannot
    have written it later.
    """


@deposit.command()
@click.argument("file", type=click.Path())
@click.option("--about", required=True, metavar="TEXT", help="What it is, for both sides to know it by.")
@relationship
@acting
@housed
def make(desk: Desk, file: str, about: str, relationship: str | None, actor: str, key: Path | None) -> None:
    """Deposit a file; nothing of it leaves this house.

    Example:
      comity deposit make radar.log --about "radar log of 20 December 2026, 06:00 to 07:00 UTC" --as sato
    """
    request = MakeDeposit(
        path=absolute(file),
        relationship=desk.session.relationship(relationship),
        about=about,
        actor=Actor(actor),
        deposit=fresh_name("e", key),
    )
    made: DepositShown = desk.act("deposit.make", request, key)
    desk.show(made, lambda out, _: _tell_made(out, made, desk))


@deposit.command()
@click.argument("deposit")
@click.argument("file", type=click.Path())
@housed
def check(desk: Desk, deposit: str, file: str) -> int:
    """Compare a file with what was deposited, to the byte; ends with code 6 when it is another one.

    A deposit of the other side can be compared once it is revealed.

    Example:
      comity deposit check e-7k3m… radar.log
    """
    found: DepositChecked = desk.call("deposit.check", CheckDeposit(deposit=deposit, path=absolute(file)))
    desk.show(found, _tell_checked)
    return 0 if found.matches else FINDINGS


@deposit.command()
@click.argument("deposit")
@click.option("--file", type=click.Path(), help="The file, where this house kept no copy of it.")
@final
@acting
@housed
def reveal(desk: Desk, deposit: str, file: str | None, actor: str, key: Path | None, *, yes: bool) -> None:
    """Reveal a deposit of this side: its digest, and the text itself where it is short. It cannot be taken back.

    Example:
      comity deposit reveal e-7k3m… --as sato
    """
    ask_first(f"What {deposit} commits to is told to the other side.", yes=yes)
    request = RevealDeposit(deposit=deposit, actor=Actor(actor), path=absolute(file) if file else None)
    made: DepositShown = desk.act("deposit.reveal", request, key)
    desk.show(made, lambda out, _: _tell_revealed(out, made, desk))


@deposit.command("list")
@housed
def list_command(desk: Desk) -> None:
    """List the deposits of both sides: which are witnessed, and which are revealed.

    Example:
      comity deposit list
    """
    desk.show(desk.call("deposit.list", ListDeposits()), _tell_list)


def _fields(out: Output, shown: DepositShown, indent: int = 2) -> None:
    kept = ""
    if shown.salt_kept:
        kept = "salt and a copy" if shown.copy_kept else "the salt; keep the file"
    out.fields(
        [
            ("about", shown.about),
            ("made", f"by {shown.party}, {told_instant(shown.at)}"),
            ("witnessed", "yes" if shown.witnessed else "not yet"),
            ("revealed", told_instant(shown.revealed) if shown.revealed else "no"),
            ("digest", shown.digest),
            ("file", shown.file_name),
            ("kept here", kept),
        ],
        indent=indent,
    )


def _tell_made(out: Output, made: DepositShown, desk: Desk) -> None:
    out.line(("deposited ", "good"), made.deposit)
    _fields(out, made)
    out.text(
        "Only the commitment crosses. It is a promise once the other side has witnessed it. Without its salt it can "
        "never be revealed: the salt is kept here, and in no journal.",
        indent=2,
        style="dim",
    )
    out.next(
        ("comity deposit list", "whether it is witnessed"),
        (f"comity deposit reveal {made.deposit} --as HANDLE", "when its time has come"),
        *desk.sending(),
    )


def _tell_checked(out: Output, found: DepositChecked) -> None:
    if found.matches:
        out.line(("the same ", "good"), f"to the byte as deposit {found.deposit}")
    else:
        out.line(("another one ", "bad"), f"than deposit {found.deposit}")
    out.fields(
        [("digest of the file", found.digest), ("deposited", f"by {found.shown.party}, {told_instant(found.shown.at)}")]
    )


def _tell_revealed(out: Output, made: DepositShown, desk: Desk) -> None:
    out.line(("revealed ", "good"), made.deposit)
    _fields(out, made)
    if made.text is None:
        out.text(
            "Its text does not fit into a record: the other side compares the file, once it has it, with "
            f"'comity deposit check {made.deposit} FILE'.",
            indent=2,
        )
    out.next(("comity deposit list", "what both sides have revealed"), *desk.sending())


def _tell_list(out: Output, found: list[DepositShown]) -> None:
    if not found:
        out.line("nothing is deposited")
    for each in found:
        out.line((each.deposit, "strong"))
        _fields(out, each)
        for line in (each.text or "").splitlines():
            out.text(f"| {line}", indent=4)
    if found:
        out.next((f"comity deposit check {found[0].deposit} FILE", "whether a file is what was deposited"))
