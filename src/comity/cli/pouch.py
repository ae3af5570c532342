"""``comity pouch``: the exchange as one file, for an air gap or a courier."""

from __future__ import annotations

import click

from comity.cli.files import absolute
from comity.cli.options import Desk, Verbs, housed
from comity.cli.output import Output, size, working
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
