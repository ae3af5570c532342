"""``comity ledger prove`` and ``ledger check``: one record's place in a ledger, for anybody (tlog-proof)."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from comity.cli.files import read_file, write_new_file
from comity.cli.options import Desk, Verb, housed, spoken
from comity.cli.output import FINDINGS, Output
from comity.errors import Misuse
from comity.flows.vouching.proving import RECORD_DIGITS_MIN, ProveRecord, RecordProved


class ProofChecked(msgspec.Struct, frozen=True, kw_only=True):
    """A proof whose hashes and signatures hold.

    Attributes:
        origin, index, size: log, place, and how many leaves the checkpoint covers.
        cosigned: witnesses of the policy that cosigned it, by their names there.
        met: whether they suffice.
    """

    origin: str
    index: int
    size: int
    cosigned: tuple[str, ...]
    met: bool


@click.command(cls=Verb)
@click.argument("ledger")
@click.argument("record")
@click.option("--out", "path", required=True, type=click.Path(path_type=Path), help="A new file, best .tlog-proof.")
@housed
def prove(desk: Desk, ledger: str, record: str, path: Path) -> None:
    """Write the proof that a record stands at its place in a ledger; it shows nothing of the record.

    RECORD is its place, or the digits of its id: all of them, or the first 16 and more.

    Example:
      comity ledger prove jp-kr-2016/jp.kr/jp 7 --out record-7.tlog-proof
      comity ledger prove jp-kr-2016/jp.kr/jp 3f2a91c05f7e0a3d --out record.tlog-proof
    """
    if record.isascii() and record.isdigit() and len(record) < RECORD_DIGITS_MIN:
        request = ProveRecord(ledger=ledger, index=int(record))
    else:
        request = ProveRecord(ledger=ledger, record=record.rstrip("…"))
    proved: RecordProved = desk.call("ledger.prove", request)
    write_new_file(path, proved.proof)
    desk.show(proved, _tell)
    if not desk.out.as_json:
        desk.out.next(
            (f"comity ledger policy {ledger} > policy", "the keys by which others judge it"),
            (f"comity ledger check {path} --leaf {proved.leaf} --policy policy", "anywhere, with nothing else"),
        )


@click.command(cls=Verb)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--leaf", required=True, metavar="HEX", help="The Merkle leaf hash of what is to be proved.")
@click.option(
    "--policy", "policy_file", required=True, type=click.Path(path_type=Path), help="Logs, witnesses and quorum."
)
@spoken
def check(out: Output, file: Path, leaf: str, policy_file: Path) -> int:
    """Check such a proof with no node and no network; exit code 6 where the policy is not met.

    Example:
      comity ledger check record-7.tlog-proof --leaf 1f0c… --policy policy
    """
    from comity.ledger.checkpoint import Checkpoint
    from comity.ledger.note import Note
    from comity.ledger.policy import POLICY_BYTES_MAX, parse_policy
    from comity.ledger.tlog_proof import FILE_BYTES_MAX, TlogProof

    try:
        wanted = bytes.fromhex(leaf)
    except ValueError:
        raise Misuse(f"{leaf[:80]!r} is not a hash in hexadecimal digits", code="bad-hash") from None
    policy = parse_policy(read_file(policy_file, POLICY_BYTES_MAX))
    proof = TlogProof.parse(read_file(file, FILE_BYTES_MAX))
    origin = Checkpoint.parse(Note.parse(proof.note).text).origin
    logs = [line.key for line in policy.logs if line.key.name == origin]
    names = {line.key: line.name for line in policy.witnesses}
    proved = proof.verify(wanted, origin, logs, names)
    checked = ProofChecked(
        origin=origin,
        index=proved.inclusion.index,
        size=proved.inclusion.head.size,
        cosigned=tuple(names[each.key].encode("utf-8", "replace").decode() for each in proved.checkpoint.witnesses),
        met=policy.met(proved.checkpoint.witnesses),
    )
    out.show(checked, _tell_checked)
    return 0 if checked.met else FINDINGS


def _tell(out: Output, proved: RecordProved) -> None:
    out.fields(
        [
            ("ledger", proved.ledger),
            ("record", f"{proved.index}: {proved.record}"),
            ("leaf", proved.leaf),
            ("checkpoint", f"over {proved.size} records"),
        ]
    )


def _tell_checked(out: Output, checked: ProofChecked) -> None:
    out.line(("proved ", "good"), f"it is leaf {checked.index} of the {checked.size} in {checked.origin}")
    by = ", ".join(checked.cosigned) or "nobody that the policy names"
    out.fields([("cosigned by", by), ("the policy", "is met" if checked.met else "is not met")])
