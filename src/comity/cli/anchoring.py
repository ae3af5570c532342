"""``comity ledger anchor``: old ledgers signed by what outlives Ed25519 (``spec/evidence.md`` steps 40 to 42)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from comity.cli.files import read_file, write_new_file
from comity.cli.options import Desk, Verb, housed
from comity.cli.output import Output
from comity.errors import Rejected

if TYPE_CHECKING:
    from comity.evidence.anchors import AnchoredHead, Unsigned

KEY_BYTES_MAX = 64 * 1024
"""Largest key file that is read."""


@click.command("anchor-key", cls=Verb)
@click.option("--out", "path", type=click.Path(path_type=Path), required=True, help="A new file.")
@housed
def anchor_key(desk: Desk, path: Path) -> None:
    """Make an anchor key (ML-DSA-65) and show the fingerprint that two people compare, as they did with the root key's.

    Example:
      comity ledger anchor-key --out anchor.key
    """
    from comity.seal.anchor_key import AnchorKey

    key = AnchorKey.generate()
    party = desk.session.party
    write_new_file(path, key.file())
    desk.show({"path": str(path), "fingerprint": _told(party, key.public)}, _tell_key)


@click.command("anchor", cls=Verb)
@click.option("--key", type=click.Path(path_type=Path), required=True, help="The anchor key; no node sees it.")
@click.option("--out", "path", type=click.Path(path_type=Path), required=True, help="A new file.")
@click.option("--relationship", default="", help="The one it is about; else all of them.")
@click.option(
    "--evidence",
    "files",
    multiple=True,
    type=click.Path(path_type=Path),
    help="An evidence file that is to stay verifiable, made by either party. Repeat it.",
)
@housed
def anchor(desk: Desk, key: Path, path: Path, relationship: str, files: tuple[Path, ...]) -> None:
    """Sign the heads of all ledgers, and this party's cards, anew: before Ed25519 weakens, by both parties.

    What both have anchored stands for whoever does not trust Ed25519 any more: see 'evidence verify --distrust-after'.

    Example:
      comity ledger anchor --key anchor.key --evidence item.evidence --out jp.anchor
    """
    from comity.evidence.model import EVIDENCE_BYTES_MAX
    from comity.flows.maintaining.anchoring import AnchorLedgers
    from comity.seal.anchor_key import AnchorKey

    signing = AnchorKey.read(read_file(key, KEY_BYTES_MAX), str(key))
    heads: dict[AnchoredHead, None] = {}
    cards: dict[bytes, None] = {}
    for file in files:
        of_file, own = _needed(read_file(file, EVIDENCE_BYTES_MAX), desk.session.party)
        heads |= dict.fromkeys(of_file)
        cards |= dict.fromkeys(own)
    request = AnchorLedgers(relationship=relationship, heads=tuple(heads), cards=tuple(cards))
    made = cast("Unsigned", desk.call("ledger.anchor", request))
    write_new_file(path, made.sign(signing.public, signing.sign))
    shown = {
        "path": str(path),
        "entries": len(made.entries),
        "fingerprint": _told(desk.session.party, signing.public),
    }
    desk.show(shown, _tell_anchor)


def _needed(data: bytes, party: str) -> tuple[list[AnchoredHead], list[bytes]]:
    """The states of ledgers that an evidence file hangs on, and this party's cards in it."""
    from comity.evidence.anchors import AnchoredHead
    from comity.evidence.model import read_evidence
    from comity.ledger.checkpoint import Checkpoint
    from comity.ledger.note import Note
    from comity.record.card import read_card

    evidence = read_evidence(data).evidence
    heads = []
    for chain in evidence.chains:
        if chain.checkpoint:
            head = Checkpoint.parse(Note.parse(chain.checkpoint).text).head
            heads.append(AnchoredHead(chain.name, head.size, head.root))
    cards = [card for card in evidence.cards if read_card(card).party == party]
    if not heads:
        raise Rejected("this evidence has no checkpoint that could be anchored", code="no-checkpoint")
    return heads, cards


def _told(party: str, public: bytes) -> str:
    from comity.evidence.anchors import anchor_fingerprint
    from comity.record.card import fingerprint_text

    return fingerprint_text(anchor_fingerprint(party, public))


def _tell_key(out: Output, told: dict[str, str]) -> None:
    out.line(("anchor key ", "good"), told["path"])
    out.fields([("fingerprint", told["fingerprint"])])
    out.text("Keep it where the root key is, and let two people compare the fingerprint with the other party.")
    out.next((f"comity ledger anchor --key {told['path']} --out FILE", "sign what is to outlive Ed25519"))


def _tell_anchor(out: Output, told: dict[str, object]) -> None:
    out.line(("anchored ", "good"), f"{told['entries']} heads and cards, {told['path']}")
    out.fields([("fingerprint", str(told["fingerprint"]))])
    out.text("It counts together with the other party's: keep both with the evidence.")
