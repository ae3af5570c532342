"""``comity node``: run the node of a data folder, and see how its exchange goes."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from comity.cli.instants import told_instant
from comity.cli.keys import warn_open
from comity.cli.options import Desk, Verbs, housed
from comity.cli.output import Output
from comity.cli.passphrases import unlocking


@click.group(cls=Verbs)
def node() -> None:
    """Run the node, and see how the exchange with every peer goes."""


@node.command()
@click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path),
    help="Unlock the keys with the first line of this file; else the environment or a terminal is asked.",
)
@housed
def run(desk: Desk, passphrase_file: Path | None) -> None:
    """Listen for peers and commands until interrupted; what waits is handed over by itself.

    Locked keys are unlocked once, at the start. With --json one line of JSON says when the node is ready.

    Example:
      comity node run
    """
    import msgspec

    from comity.node import run as running
    from comity.node.keys import list_keys

    def ready(says: running.Ready) -> None:
        if desk.out.as_json:
            sys.stdout.write(msgspec.json.encode(says).decode() + "\n")
        else:
            _tell_ready(desk.out, says)
            if lying_open := list_keys(folder).open:
                warn_open(desk.out, lying_open)
        sys.stdout.flush()

    folder = desk.session.folder
    desk.session.check()
    running.run(folder, ready, lambda: unlocking(folder, passphrase_file))


@node.command()
@housed
def status(desk: Desk) -> None:
    """Say whether a node runs here, and how the exchange with every peer goes.

    Example:
      comity node status
    """
    from comity.node.client import call
    from comity.node.run import NodeShown, ShowNode

    desk.session.check()
    desk.show(call(desk.session.folder, "node.status", ShowNode(), NodeShown), _tell_status)


def _tell_ready(out: Output, says: object) -> None:
    out.line(("ready: ", "good"), str(says))
    out.line(("stop it with Ctrl-C; commands in other windows reach it by themselves", "dim"))


def _tell_status(out: Output, shown: object) -> None:
    from comity.node.run import NodeShown

    assert isinstance(shown, NodeShown)
    out.line(("running: ", "good"), str(shown.ready))
    if not shown.roads:
        out.line("no agreement runs with anybody yet", indent=2)
    for road in shown.roads:
        out.line((road.relationship, "strong"), f"  with {road.peer}", indent=2)
        out.fields(
            [
                ("last heard of", told_instant(road.last_success) if road.last_success else "not yet"),
                ("failed", _times(road.failures)),
                ("last error", road.last_error),
                ("next try", told_instant(road.next_try) if road.next_try else ""),
            ],
            indent=4,
        )
    for sent in shown.sent:
        out.line((sent.feed, "strong"), f"  published under {sent.relationship}", indent=2)
        behind = sent.batches - sent.acknowledged
        out.fields(
            [
                ("batches", f"{sent.batches:,}, all acknowledged" if not behind else f"{sent.batches:,}"),
                ("under way", f"{behind:,}" if behind else ""),
                ("waiting", f"{sent.waiting:,} messages" if sent.waiting else ""),
                ("stopped", sent.stopped),
            ],
            indent=4,
        )
    for each in shown.submitted:
        out.line((each.ledger, "strong"), f"  witnessed by {each.witness}", indent=2)
        out.fields(
            [
                ("last cosigned", told_instant(each.last_success) if each.last_success else "not since the start"),
                ("failed", _times(each.failures)),
                ("last error", each.last_error),
            ],
            indent=4,
        )
    for line in shown.followed:
        out.line((line.feed, "strong"), f"  of {line.publisher} under {line.relationship}", indent=2)
        out.fields(
            [
                ("channel", "open" if line.open else "closed"),
                ("since", told_instant(line.since)),
                ("failed", _times(line.failures)),
                ("last error", line.last_error),
            ],
            indent=4,
        )


def _times(failures: int) -> str:
    return "" if not failures else "once since then" if failures == 1 else f"{failures:,} times since then"
