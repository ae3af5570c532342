"""``comity ledger`` and ``comity rebuild``: verify what is kept, show how far it is witnessed, make it anew."""

from __future__ import annotations

import click
import msgspec

from comity.cli.anchoring import anchor, anchor_key
from comity.cli.boxes import tell_chains, tell_findings
from comity.cli.contradictions import contradictions, settle
from comity.cli.options import Desk, Verb, Verbs, housed
from comity.cli.output import FINDINGS, Output, working
from comity.cli.proving import check, prove
from comity.cli.vouching import policy, witness
from comity.flows.looking.views import ChainLine, ShowOutbox
from comity.flows.maintaining.collecting import Collect, Collected
from comity.flows.maintaining.rebuilding import LedgerVerified, Rebuild, VerifyLedger


class LedgersShown(msgspec.Struct, frozen=True, kw_only=True):
    """Every ledger that this house writes or reads."""

    ledgers: tuple[ChainLine, ...]


@click.group(cls=Verbs)
def ledger() -> None:
    """Verify and show: the journal is the source, the ledger proves it, the peers witness the ledger."""


ledger.add_command(witness)
ledger.add_command(policy)
ledger.add_command(prove)
ledger.add_command(check)
ledger.add_command(contradictions)
ledger.add_command(settle)
ledger.add_command(anchor_key)
ledger.add_command(anchor)


@ledger.command()
@housed
def verify(desk: Desk) -> int:
    """Check every record, link, leaf, checkpoint and row against one another; a finding ends with exit code 6.

    Example:
      comity ledger verify
    """
    with working("verifying the ledgers", quiet=desk.out.as_json):
        verified: LedgerVerified = desk.call("ledger.verify", VerifyLedger())
    desk.show(verified, _tell)
    return FINDINGS if verified.findings else 0


@ledger.command()
@housed
def collect(desk: Desk) -> None:
    """Remove sealed payloads that nothing names: refused requests, uploads for which no record came.

    Example:
      comity ledger collect
    """
    desk.show(desk.call("ledger.collect", Collect()), _tell_collected)


@ledger.command()
@housed
def show(desk: Desk) -> None:
    """Show every ledger: its size and root, what the other party has and has witnessed, and the unwitnessed tail.

    Example:
      comity ledger show
    """
    desk.show(LedgersShown(ledgers=tuple(desk.call("outbox", ShowOutbox()).chains)), _tell_shown)


@click.command(cls=Verb)
@housed
def rebuild(desk: Desk) -> int:
    """Make the register's tables anew from the journal, then check them against the witnessed ledgers.

    The node may run; it commits nothing until the new tables are in their place, all at once.

    Example:
      comity rebuild
    """
    with working("rebuilding the register", quiet=desk.out.as_json):
        verified: LedgerVerified = desk.call("rebuild", Rebuild())
    desk.show(verified, _tell)
    return FINDINGS if verified.findings else 0


def _tell_shown(out: Output, shown: LedgersShown) -> None:
    tell_chains(out, shown.ledgers)
    if any(each.witnessed is not None and each.witnessed < each.size for each in shown.ledgers):
        out.text("Nobody vouches for what is unwitnessed: its author can still replace it, unseen.", style="warn")


def _tell_collected(out: Output, collected: Collected) -> None:
    out.fields(
        [
            ("removed", f"{collected.payloads} sealed payloads, {collected.headers} headers"),
            ("kept", f"{collected.kept} sealed payloads that the books name"),
        ]
    )


def _tell(out: Output, verified: LedgerVerified) -> None:
    tell_findings(out, verified.findings)
    out.fields(
        [
            ("journal", f"{verified.entries} entries, each with its signatures"),
            ("register", f"{verified.rows} rows compared with what the journal gives"),
            *[
                (chain, f"{count} records" + _witnessed(count, verified.witnessed.get(chain)))
                for chain, count in verified.chains.items()
            ],
            *[
                (chain, f"{size} cosigned by {name}, whose signature holds")
                for chain, by in verified.vouched.items()
                for name, size in by.items()
            ],
            *[(chain, f"{size} count by its policy") for chain, size in verified.counted.items()],
        ]
    )


def _witnessed(count: int, witnessed: int | None) -> str:
    if witnessed is None:
        return ""
    tail = count - witnessed
    return f", {witnessed} witnessed by the other party" + (f", {tail} unwitnessed" if tail else "")
