"""``comity ledger witness`` and ``ledger policy``: third parties that vouch (``spec/witness.md`` steps 30 to 38)."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from comity.cli.files import read_file
from comity.cli.options import Desk, Verb, Verbs, housed
from comity.cli.output import Output
from comity.flows.vouching.witnesses import (
    AddWitness,
    ListWitnesses,
    NamedWitness,
    PolicyShown,
    RemoveWitness,
    SetPolicy,
    ShowPolicy,
)

POLICY_BYTES_MAX = 256 * 1024


@click.group(cls=Verbs)
def witness() -> None:
    """Third parties that are asked to cosign ledgers of this house: add, list, remove."""


@witness.command()
@click.argument("name")
@click.argument("keys", nargs=-1, required=True, metavar="VKEY...")
@click.option("--url", required=True, help="Where it takes checkpoints: https, or http on this machine.")
@click.option(
    "--ledger", "ledgers", multiple=True, required=True, metavar="CHAIN", help="What it witnesses; repeat it."
)
@housed
def add(desk: Desk, name: str, keys: tuple[str, ...], url: str, ledgers: tuple[str, ...]) -> None:
    """Ask a third party to cosign; it learns the ledger's name, its size and when it grows, and no record.

    Example:
      comity ledger witness add w1 w1.example+8832d1ae+BNVC… --url https://w1.example --ledger jp-kr-2016/jp.kr/jp
    """
    request = AddWitness(name=name, keys=keys, url=url, ledgers=ledgers)
    desk.show(desk.call("ledger.witness.add", request), _tell)
    if not desk.out.as_json:
        desk.out.next(
            *desk.sending()[:1],
            ("comity node status", "how far it has cosigned; it has to follow each of these ledgers"),
            *((f"comity ledger policy {each}", "its key, and whose cosignatures count") for each in ledgers),
        )


@witness.command(name="list")
@housed
def list_command(desk: Desk) -> None:
    """List the third parties, the ledgers of each, and the address below which it may read their hashes.

    Example:
      comity ledger witness list
    """
    desk.show(desk.call("ledger.witness.list", ListWitnesses()), _tell)


@witness.command()
@click.argument("name")
@housed
def remove(desk: Desk, name: str) -> None:
    """Ask a third party no more; what it cosigned stays.

    Example:
      comity ledger witness remove w1
    """
    desk.show(desk.call("ledger.witness.remove", RemoveWitness(name)), _tell)


@click.command(cls=Verb)
@click.argument("ledger")
@click.option("--set", "file", type=click.Path(path_type=Path), help="A policy file that holds from now on.")
@click.option("--clear", is_flag=True, help="Take the policy away: the other party's cosignature counts again.")
@housed
def policy(desk: Desk, ledger: str, file: Path | None, *, clear: bool) -> None:
    """Print the policy (tlog-policy) by which checkpoints of a ledger count as witnessed, or set another.

    Whoever has this file can judge evidence with it: comity evidence verify FILE --policy POLICY.

    Example:
      comity ledger policy jp-kr-2016/jp.kr/jp > policy
      comity ledger policy jp-kr-2016/jp.kr/jp --set policy
    """
    if clear and file is not None:
        raise click.UsageError("--set and --clear exclude each other")
    if clear or file is not None:
        content = b"" if file is None else read_file(file, POLICY_BYTES_MAX)
        shown: PolicyShown = desk.call("ledger.policy.set", SetPolicy(ledger=ledger, content=content))
    else:
        shown = desk.call("ledger.policy", ShowPolicy(ledger))
    desk.show(shown, _tell_policy)


def _tell(out: Output, named: list[NamedWitness]) -> None:
    if not named:
        out.line("no third party witnesses a ledger of this house")
        out.next(("comity ledger witness add --help", "ask one"))
    for each in named:
        out.line((each.name, "strong"), f"  {each.url}")
        out.fields(
            [
                *(("key", key) for key in each.keys),
                *(("ledger", ledger) for ledger in each.ledgers),
                *(("reads below", f"/{each.secret}/{ledger}") for ledger in each.ledgers),
            ]
        )


def _tell_policy(_: Output, shown: PolicyShown) -> None:
    sys.stdout.flush()
    if not shown.given:
        sys.stdout.write("# no policy was given; this is what holds without one\n")
        sys.stdout.flush()
    sys.stdout.buffer.write(shown.content.encode())
