"""Two things that one signer signed: list what is kept, export a proof, find some between evidence files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from comity.cli.files import absolute, free, make_folder, read_file, write_new_file
from comity.cli.options import Desk, Verb, acting, housed, spoken
from comity.cli.output import FINDINGS, Output, working
from comity.evidence.contradiction import Contradicted, Kind
from comity.evidence.model import EVIDENCE_BYTES_MAX
from comity.record.card import fingerprint_text

if TYPE_CHECKING:
    from comity.flows.vouching.contradictions import ContradictionExported, ContradictionShown

KINDS: dict[Kind, str] = {
    "two-records": "two records in one place",
    "two-histories": "two histories of one log",
    "two-leaves": "two leaves in one place",
    "misplaced-record": "a record under another place than it says",
    "acknowledged-and-lost": "acknowledged, and lost",
    "false-inclusion": "a record said to be included that is not",
}
"""What people call each kind of proof."""


@click.command("contradictions", cls=Verb)
@housed
def contradictions(desk: Desk) -> int:
    """List what others signed that does not fit what they signed before; some unsettled ends with exit code 6.

    Where both words are here it is proved, and the proof convinces anybody. Where one is missing nobody is accused.

    Example:
      comity ledger contradictions
    """
    from comity.flows.vouching.contradictions import ListContradictions

    found: list[ContradictionShown] = desk.call("ledger.contradictions", ListContradictions())
    desk.show(found, _tell)
    return 0 if all(each.settled for each in found) else FINDINGS


@click.command("contradiction", cls=Verb)
@click.argument("contradiction")
@click.option("--out", "path", required=True, help="A new file.")
@housed
def export(desk: Desk, contradiction: str, path: str) -> None:
    """Write the proof that a party signed two things that cannot both be true; it holds the records it is about.

    Anybody verifies it, with 'comity evidence verify' and the fingerprint of that party.

    Example:
      comity evidence contradiction 3f1c… --out two-histories.proof
    """
    from comity.flows.vouching.contradictions import ExportContradiction

    free(Path(absolute(path)))
    request = ExportContradiction(contradiction=contradiction.rstrip("…"), path=absolute(path))
    desk.show(desk.call("evidence.contradiction", request), _tell_exported)


@click.command(cls=Verb)
@click.argument("contradiction")
@click.option("--reason", required=True, help="Why giving goes on: what was found, or agreed.")
@acting
@housed
def settle(desk: Desk, contradiction: str, reason: str, actor: str, key: Path | None) -> None:
    """Lift what followed on a contradiction, with a reason; an agreement authority does. The proof stays.

    Example:
      comity ledger settle 3f1c… --reason "restored from a copy, as both found" --as tanaka
    """
    from comity.flows.actors import Actor
    from comity.flows.vouching.contradictions import SettleContradiction

    request = SettleContradiction(contradiction=contradiction.rstrip("…"), reason=reason, actor=Actor(actor))
    desk.show(desk.act("ledger.settle", request, key), _tell_settled)


@click.command(cls=Verb)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", "folder", type=click.Path(path_type=Path), help="A new folder for the proofs.")
@spoken
def compare(out: Output, files: tuple[Path, ...], folder: Path | None) -> int:
    """Look for two histories between evidence files, with no node and no network; some there ends with exit code 6.

    Example:
      comity evidence compare from-tokyo.evidence from-seoul.evidence --out proofs
    """
    from comity.evidence.comparing import compare_evidence
    from comity.evidence.contradiction import verify_contradiction

    if folder is not None:
        free(folder)
    data = [read_file(file, EVIDENCE_BYTES_MAX) for file in files]
    with working("comparing", quiet=out.as_json):
        proofs = compare_evidence(data)
    if folder is not None and proofs:
        make_folder(folder)
        for number, proof in enumerate(proofs, 1):
            write_new_file(folder / f"contradiction-{number}.proof", proof)
    found = [verify_contradiction(proof, ()) for proof in proofs]

    def tell(out: Output, found: list[Contradicted]) -> None:
        if not found:
            out.line(("these files contradict one another in nothing", "good"), " that can be proved")
        for each in found:
            out.line((each.signer, "strong"), f"  {KINDS[each.kind]}")
            out.text(each.says, indent=2)

    out.show(found, tell)
    return FINDINGS if found else 0


def tell_contradicted(out: Output, found: Contradicted) -> None:
    """What a proof shows."""
    out.line((found.signer, "strong"), (" signed both of these; they cannot both be true", "bad"))
    hangs_on = found.hangs_on
    if len(hangs_on) == 64 and set(hangs_on) <= set("0123456789abcdef"):
        hangs_on = fingerprint_text(bytes.fromhex(hangs_on))
    out.fields([("kind", KINDS[found.kind]), ("about", found.log)])
    out.text(found.says, indent=2)
    out.gap()
    out.line(("all of it hangs on", "strong"))
    out.fields([(found.signer, f"{'trusted' if found.trusted else 'not compared'}: {hangs_on}")])
    if not found.trusted:
        out.text("compare it with the party itself, then give it with --trust", indent=2, style="warn")


def _tell(out: Output, found: list[ContradictionShown]) -> None:
    if not found:
        out.line(("nobody has contradicted himself", "good"), " as far as this house was shown")
    for each in found:
        kind = KINDS[each.kind] if each.kind else "no proof"
        out.line((each.contradiction, "strong"), f"  {each.signer}", (f"  {kind}", "bad" if each.kind else "dim"))
        out.text(each.says if each.kind else f"{each.log}: {each.says}", indent=2)
        out.fields([("settled", each.settled), ("what follows", "" if each.settled else ", ".join(each.response))])
    for each in found:
        if each.kind:
            consult = ("comity dispute open --help", "consult with them about it")
            out.next(
                (f"comity evidence contradiction {each.contradiction} --out FILE", "the proof, for anybody"),
                *([consult] if "consult" in each.response and not each.settled else []),
            )
            break


def _tell_settled(out: Output, settled: ContradictionShown) -> None:
    out.line(("settled ", "good"), settled.contradiction)
    out.fields([("with", settled.signer), ("reason", settled.settled)])


def _tell_exported(out: Output, exported: ContradictionExported) -> None:
    out.line(("exported ", "good"), exported.path)
    out.text(exported.contradiction.says, indent=2)
    out.next((f"comity evidence verify {exported.path.rpartition('/')[2]}", "anywhere, with nothing else"))
