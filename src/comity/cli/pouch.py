"""``comity pouch``: the exchange as one file, for an air gap or a courier."""

from __future__ import annotations

import click

from comity.cli.files import absolute
from comity.cli.options import Desk, Verbs, housed
from comity.cli.output import Output, size, working
from comity.flows.maintaining.giving_back import BackShown, GiveBack
from comity.flows.pouch import ExportPouch, ImportPouch, PouchShown


@click.group(cls=Verbs)
def pouch() -> None:
    """Carry the exchange by hand: records, receipts and sealed items in one signed file.

    What the other side answers comes back in the pouch it exports next. Importing one twice changes nothing.
    """


@pouch.command()
@click.argument("relationship", required=False)
@click.option("--out", "path", required=True, help="A new file.")
@housed
def export(desk: Desk, relationship: str | None, path: str) -> None:
    """Put everything the other party does not have yet into one file; of a channel, name it: talks/jp.kr.

    Example:
      comity pouch export --out to-seoul.pouch
    """
    named = relationship or ""
    if not named.startswith("talks/"):
        named = desk.session.relationship(relationship)
    request = ExportPouch(relationship=named, path=absolute(path))
    with working("packing the pouch", quiet=desk.out.as_json):
        shown: PouchShown = desk.call("pouch.export", request)
    desk.show(shown, _tell_exported)


@pouch.command("import")
@click.argument("file")
@housed
def import_(desk: Desk, file: str) -> None:
    """Take a pouch that somebody carried here: it is verified, kept, registered and answered.

    Example:
      comity pouch import to-seoul.pouch
    """
    with working("unpacking the pouch", quiet=desk.out.as_json):
        shown: PouchShown = desk.call("pouch.import", ImportPouch(path=absolute(file)))
    desk.show(shown, _tell_imported)


@pouch.command("give-back")
@click.argument("file")
@click.option("--out", "path", required=True, help="A new file.")
@housed
def give_back(desk: Desk, file: str, path: str) -> None:
    """Give back what another party lost with its disk: what it had said to you, and what you had said to it.

    FILE is what it asks with ('comity catch-up --ask', there). It takes nothing but an answer to that very file.

    Example:
      comity pouch give-back asked.pouch --out back-to-tokyo.pouch
    """
    with working("packing what is given back", quiet=desk.out.as_json):
        shown: BackShown = desk.call("pouch.give-back", GiveBack(asked=absolute(file), path=absolute(path)))
    desk.show(shown, _tell_given_back)


def _tell_given_back(out: Output, shown: BackShown) -> None:
    out.line(("packed ", "good"), shown.path)
    told = [("relationship", shown.relationship), ("to", shown.peer)]
    out.fields([*told, ("records", str(shown.records)), ("large items", str(shown.payloads))])
    if not shown.whole:
        out.text("There is more than one file holds: when this one is taken, it is asked once more.", style="warn")
    out.next((f"comity catch-up --take {shown.path.rpartition('/')[2]}", f"there, at {shown.peer}"))


def _fields(out: Output, shown: PouchShown) -> None:
    out.fields(
        [
            ("relationship", shown.relationship),
            ("from", shown.sender),
            ("to", shown.receiver),
            ("records", str(shown.records)),
            ("large items", str(shown.payloads)),
            ("size", size(shown.size)),
        ]
    )


def _tell_exported(out: Output, shown: PouchShown) -> None:
    out.line(("packed ", "good"), shown.path)
    _fields(out, shown)
    out.next((f"comity pouch import {shown.path.rpartition('/')[2]}", f"there, at {shown.receiver}"))


def _tell_imported(out: Output, shown: PouchShown) -> None:
    out.line(("taken ", "good"), shown.path)
    _fields(out, shown)
    out.next(
        ("comity inbox", "what came"),
        ("comity pouch export --out FILE", "receipts and answers, for the way back"),
    )
