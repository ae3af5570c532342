"""``comity witness``: cosign the ledgers of others, as a third party (``spec/witness.md``)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from comity.cli.custodians import passphrase_option
from comity.cli.instants import told_instant
from comity.cli.options import Verbs, spoken
from comity.cli.output import Output
from comity.cli.passphrases import unlocking
from comity.errors import Misuse

if TYPE_CHECKING:
    import msgspec

    from comity.node.witnessing import WitnessShown
    from comity.witness.witness import Contradiction

in_folder = click.option(
    "--folder", required=True, type=click.Path(path_type=Path), help="The folder of the witness; not that of a house."
)


@click.group(cls=Verbs)
def witness() -> None:
    """Cosign the ledgers of others: a third party that sees sizes and hashes, and no record."""


@witness.command()
@in_folder
@click.option("--name", required=True, help="Key name of the witness, such as witness.example/w1; it never changes.")
@click.option("--port", type=click.IntRange(0, 65_535), default=0, help="The port on this machine; 0 takes a free one.")
@click.option("--ml-dsa-44", is_flag=True, help="Cosign by ML-DSA-44 besides Ed25519.")
@passphrase_option
@spoken
def init(out: Output, folder: Path, name: str, port: int, passphrase_file: Path | None, *, ml_dsa_44: bool) -> None:
    """Make the folder of a new witness: its keys and settings.

    With --passphrase-file its keys are locked from the beginning; 'comity keys lock --folder' does it later.

    Example:
      comity witness init --folder w1 --name witness.example/w1
    """
    from comity.node.passphrase import first_line
    from comity.node.witnessing import WitnessListen, WitnessSettings, make_witness

    settings = WitnessSettings(name=name, ml_dsa_44=ml_dsa_44, listen=WitnessListen(port=port))
    passphrase = first_line(passphrase_file) if passphrase_file is not None else ""
    out.show(make_witness(folder.absolute(), settings, passphrase=passphrase), _tell)
    if not out.as_json:
        out.next(
            (
                f"comity witness follow VKEY --folder {folder}",
                "a log; 'comity ledger policy' prints its key",
            ),
            (f"comity witness run --folder {folder}", "take its checkpoints"),
        )


@witness.command()
@in_folder
@passphrase_option
@spoken
def run(out: Output, folder: Path, passphrase_file: Path | None) -> None:
    """Take checkpoints until interrupted; what is cosigned is durable before it is answered.

    Locked keys are unlocked once, at the start. With --json one line of JSON says when the witness is ready.

    Example:
      comity witness run --folder w1
    """
    import msgspec

    from comity.node import witnessing

    def ready(says: witnessing.WitnessReady) -> None:
        if out.as_json:
            sys.stdout.write(msgspec.json.encode(says).decode() + "\n")
        else:
            out.line(("ready: ", "good"), str(says))
        sys.stdout.flush()

    witnessing.run(folder.absolute(), ready, lambda: unlocking(folder, passphrase_file))


@witness.command()
@in_folder
@spoken
def show(out: Output, folder: Path) -> None:
    """Show the witness's verifier keys and how far it has cosigned each log.

    Example:
      comity witness show --folder w1
    """
    from comity.node.witnessing import ShowWitness

    out.show(_ask(folder, "witness.show", ShowWitness()), _tell)


@witness.command()
@click.argument("key")
@in_folder
@spoken
def follow(out: Output, key: str, folder: Path) -> None:
    """Follow a log by its verifier key; another key of a log that is followed is added.

    Example:
      comity witness follow comity/jp-kr-2016/jp+e8aa01a6+AYqI… --folder w1
    """
    from comity.node.witnessing import FollowLog

    out.show(_ask(folder, "witness.follow", FollowLog(key)), _tell)


@witness.command()
@click.argument("origin")
@in_folder
@spoken
def unfollow(out: Output, origin: str, folder: Path) -> None:
    """Cosign a log no more; how far it was cosigned stays known.

    Example:
      comity witness unfollow comity/jp-kr-2016/jp --folder w1
    """
    from comity.node.witnessing import UnfollowLog

    out.show(_ask(folder, "witness.unfollow", UnfollowLog(origin)), _tell)


@witness.command()
@click.argument("origin")
@click.option("--out", "path", type=click.Path(path_type=Path), help="A new file, for the first proof that there is.")
@in_folder
@spoken
def contradictions(out: Output, origin: str, folder: Path, path: Path | None) -> None:
    """Show what a log signed that does not agree with what it had signed before.

    With --out the proof of it is written: anybody verifies it with 'comity evidence verify' and the key of the log.

    Example:
      comity witness contradictions comity/jp-kr-2016/jp --folder w1 --out two-histories.proof
    """
    from comity.cli.files import write_new_file
    from comity.evidence.comparing import prove_refused
    from comity.node.witnessing import ShowContradictions, ShowWitness

    found = _ask(folder, "witness.contradictions", ShowContradictions(origin))
    if path is not None:
        logs = _ask(folder, "witness.show", ShowWitness()).logs
        keys = [key for log in logs if log.origin == origin for key in log.keys]
        proofs = [proof for each in found if (proof := prove_refused(each.recorded, each.request, keys))]
        if not proofs:
            raise Misuse("nothing that is kept proves two histories of a log that is followed here", code="no-proof")
        write_new_file(path, proofs[0])
    out.show(found, _tell_contradictions)


def _ask(folder: Path, flow: str, request: msgspec.Struct) -> Any:
    """What the witness answers; where it does not run and its keys are locked, their passphrase is asked."""
    from comity.node.witnessing import ask_witness

    return ask_witness(folder.absolute(), flow, request, lambda: unlocking(folder))


def _tell(out: Output, shown: WitnessShown) -> None:
    out.line((shown.name, "strong"))
    for key in shown.keys:
        out.line(key, indent=2)
    if not shown.logs:
        out.line("it follows no log yet", indent=2)
    for log in shown.logs:
        out.line((log.origin, "strong"), "" if log.keys else "  followed no more", indent=2)
        out.fields(
            [
                ("cosigned", f"{log.size} records, at {told_instant(log.cosigned)}" if log.cosigned else "nothing yet"),
                ("root", log.root if log.cosigned else ""),
                *(("key", key) for key in log.keys),
                ("contradictions", str(log.contradictions) if log.contradictions else ""),
            ],
            indent=4,
        )


def _tell_contradictions(out: Output, found: list[Contradiction]) -> None:
    if not found:
        out.line(("nothing is kept against this log", "good"))
    for number, each in enumerate(found, 1):
        proved = "two histories, proved" if each.code in {"split-view", "stale"} else "no proof that it grew"
        out.line((f"{number}. {proved}", "bad"))
        for title, note in (("it had signed", each.recorded), ("it then signed", each.request)):
            out.line((title, "dim"), indent=2)
            for line in note.decode().splitlines():
                out.line(line, indent=4)
