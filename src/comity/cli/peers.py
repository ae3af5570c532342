"""``comity peer``: your card for others, and theirs for you."""

from __future__ import annotations

from pathlib import Path

import click

from comity.cli.files import read_file, write_new_file
from comity.cli.options import Desk, Verbs, housed
from comity.cli.output import Output
from comity.flows.agreeing.founding import AddPeer, CardShown, ListPeers, PeerShown, ShowCard
from comity.record.dsse import ENVELOPE_BYTES_MAX


@click.group(cls=Verbs)
def peer() -> None:
    """Show your card, and add another party by its card.

    A card is public. What makes it trusted is that two people on each side compared its fingerprint in full with the
    other party, by voice or in person, before it is added.
    """


@peer.command()
@click.option("--out", "path", type=click.Path(path_type=Path), help="Write the card to a new file.")
@housed
def card(desk: Desk, path: Path | None) -> None:
    """Show your card and its fingerprint.

    Example:
      comity peer card --out jp.card
    """
    shown: CardShown = desk.session.look("card.show", ShowCard())
    if path is not None:
        write_new_file(path, shown.card)
    desk.show(shown, lambda out, _: _tell_card(out, shown, path))


@peer.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--fingerprint", required=True, metavar="TEXT", help="As the other party read it to you, in full.")
@click.option(
    "--compared-by", multiple=True, metavar="NAME", help="One of the two people who compared it; give it twice."
)
@housed
def add(desk: Desk, file: Path, fingerprint: str, compared_by: tuple[str, ...]) -> None:
    """Add another party by its card, once two people have compared the fingerprint.

    Example:
      comity peer add kr.card --fingerprint "3f2a 91c0 …" --compared-by ito --compared-by sato
    """
    if len(compared_by) != 2:
        raise click.UsageError("two people compare a fingerprint: give --compared-by twice")
    request = AddPeer(
        card=read_file(file, ENVELOPE_BYTES_MAX), fingerprint=fingerprint, compared_by=(compared_by[0], compared_by[1])
    )
    desk.show(desk.call("peer.add", request), _tell_added)


@peer.command("list")
@housed
def list_(desk: Desk) -> None:
    """List the parties this house knows.

    Example:
      comity peer list
    """
    desk.show(desk.session.look("peer.list", ListPeers()), _tell_peers)


def _tell_card(out: Output, shown: CardShown, path: Path | None) -> None:
    out.line((shown.party, "strong"), f" ({shown.name})")
    out.fields(
        [
            ("reached at", ", ".join(shown.addresses) or "by pouch only"),
            ("good until", shown.until[:10]),
            ("fingerprint", shown.fingerprint),
            ("written to", str(path or "")),
        ]
    )
    out.gap()
    out.text("Read the whole fingerprint to the other party; two people there compare it before they add the card.")


def _tell_added(out: Output, added: PeerShown) -> None:
    out.line("added ", (added.party, "strong"), f" ({added.name})")
    _fields(out, added)
    out.next(
        (f"comity agreement adopt jp-kr-2016 --with {added.party}", "run an agreement with it"),
        ("comity peer list", "who is known"),
    )


def _tell_peers(out: Output, peers: list[PeerShown]) -> None:
    if not peers:
        out.line("no peer yet")
        out.next(("comity peer add FILE --help", "add one by its card"))
    for each in peers:
        out.line((each.party, "strong"), f" ({each.name})")
        _fields(out, each)


def _fields(out: Output, shown: PeerShown) -> None:
    out.fields(
        [
            ("reached at", ", ".join(shown.addresses) or "by pouch only"),
            ("fingerprint", shown.fingerprint),
            ("compared by", " and ".join(shown.compared_by)),
        ]
    )
