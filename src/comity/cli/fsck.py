"""``comity fsck``: everything that a data folder holds, checked beside its node (``spec/backup.md`` steps 70 to 75)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from comity.cli.backups import progress_bars
from comity.cli.boxes import tell_findings
from comity.cli.options import Desk, Verb, housed
from comity.cli.output import FINDINGS, Output

if TYPE_CHECKING:
    from comity.node.checking import FolderChecked


@click.command(cls=Verb)
@click.option(
    "--only",
    "parts",
    type=click.Choice(("books", "digests", "payloads", "feeds")),
    multiple=True,
    help="Only this part; repeat it. Else all of them. 'digests' is a faster look at the books: no signatures.",
)
@housed
def fsck(desk: Desk, parts: tuple[str, ...]) -> int:
    """Check every digest, signature, tile, row and sealed payload; a finding ends with exit code 6.

    The node may run: what is checked is what it had committed when this began, and it is kept from nothing.

    Example:
      comity fsck
      comity fsck --only payloads
      comity fsck --only digests
    """
    from comity.node.checking import PARTS, check_folder

    desk.session.check()
    with progress_bars(desk.out) as progress:
        checked = check_folder(desk.session.folder, parts or PARTS, progress)
    desk.show(checked, _tell)
    return FINDINGS if checked.findings else 0


def _tell(out: Output, checked: FolderChecked) -> None:
    tell_findings(out, checked.findings)
    what = "signatures" if checked.signatures else "digests; signatures were not verified"
    out.fields(
        [
            ("journal", f"{checked.entries:,} entries, each with its {what}" if checked.entries else ""),
            ("register", f"{checked.rows:,} rows compared with what the journal gives" if checked.rows else ""),
            *[(chain, f"{size:,} records") for chain, size in checked.chains.items()],
            ("payloads", f"{checked.payloads:,}, {checked.payload_bytes:,} bytes"),
            *[(feed, f"{size:,} batches") for feed, size in checked.feeds.items()],
        ]
    )
    if checked.findings:
        out.next(("comity rebuild", "where rows are wrong and the journal is not"), ("comity restore", "otherwise"))
