"""``comity evidence``: show one item's story to a stranger in one file, and verify such a file with nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast, get_args

import click

from comity.cli.contradictions import compare, tell_contradicted
from comity.cli.contradictions import export as export_contradiction
from comity.cli.files import absolute, read_file
from comity.cli.instants import read_instant, told_bounds, told_instant
from comity.cli.options import Desk, Verbs, acting, housed, relationship, spoken
from comity.cli.output import FINDINGS, REFUSED, Output, Style, size, working
from comity.errors import Misuse
from comity.evidence.model import WITHHELD_BY_DEFAULT, Group
from comity.evidence.story import ChainTold, Line, Verified
from comity.evidence.vouching import PolicyTold

if TYPE_CHECKING:
    from comity.evidence.stamped import ReadToken, StampTold
    from comity.flows.looking.evidence import EvidenceExported

NOTHING = "nothing"
"""The word after ``--withhold`` that shows every record."""
AUTHORITIES_BYTES_MAX = 1024 * 1024
FINGERPRINT_BYTES = 32
"""Length of a fingerprint."""


@click.group(cls=Verbs)
def evidence() -> None:
    """Show what became of one item to somebody who trusts neither party: one file, verified offline."""


evidence.add_command(export_contradiction)
evidence.add_command(compare)


@evidence.command()
@click.argument("item")
@click.option("--out", "path", required=True, help="A new file.")
@click.option(
    "--withhold",
    "groups",
    multiple=True,
    type=click.Choice([*get_args(Group), NOTHING]),
    metavar="GROUP",
    help=f"Records of which only a salted digest is given; repeat it. Else: {', '.join(WITHHELD_BY_DEFAULT)}. "
    f"One of: {', '.join(get_args(Group))}, {NOTHING}.",
)
@relationship
@acting
@housed
def export(
    desk: Desk,
    item: str,
    path: str,
    groups: tuple[str, ...],
    relationship: str | None,
    actor: str,
    key: Path | None,
) -> int:
    """Export the evidence about an item: both parties' signed records, their ledger proofs and the agreement.

    The agreement decides whether you may, and the decision is recorded. Withheld records are counted, not shown.

    Example:
      comity evidence export i-7k3m… --out item.evidence --as sato
    """
    from comity.flows.actors import Actor
    from comity.flows.looking.evidence import ExportEvidence

    if NOTHING in groups and len(groups) > 1:
        raise Misuse(f"--withhold {NOTHING} stands alone", code="contradiction")
    withhold = tuple(cast("Group", each) for each in groups if each != NOTHING) if groups else WITHHELD_BY_DEFAULT
    if Path(absolute(path)).exists():
        raise Misuse(f"{path!r} exists already; name another file, or move it away", code="file-exists")
    request = ExportEvidence(
        item=item, path=absolute(path), actor=Actor(actor), relationship=relationship, withhold=withhold
    )
    with working("gathering the evidence", quiet=desk.out.as_json):
        exported: EvidenceExported = desk.act("evidence.export", request, key)
    if exported.path:
        desk.show(exported, _tell_exported)
        return 0
    from comity.cli.decisions import functions, tell_outcome
    from comity.flows.deciding.explaining import tell

    known = functions(desk)

    def tell_refused(out: Output, _: EvidenceExported) -> None:
        tell_outcome(out, tell(exported.decision), known, full=False)
        out.gap()
        out.text("Nothing was exported. That it was asked is recorded in this house.")
        out.next((f"comity why {exported.decision_record[:16]}", "the whole decision"))

    desk.show(exported, tell_refused)
    return REFUSED


@evidence.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--trust", "trusted", multiple=True, metavar="FINGERPRINT", help="One that you compared; repeat it.")
@click.option(
    "--card",
    "cards",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A card of a party that is newer than the file; what it revokes counts. Repeat it.",
)
@click.option(
    "--policy",
    "policy_file",
    type=click.Path(path_type=Path),
    help="A policy (tlog-policy): tell whose cosignatures the checkpoints carry, and whether they suffice.",
)
@click.option(
    "--authority",
    type=click.Path(path_type=Path),
    help="Certificates of the time-stamp authorities that you believe, in PEM; else time-stamps say nothing.",
)
@click.option(
    "--distrust-after",
    "after",
    metavar="INSTANT",
    help="Ed25519 is trusted no more: only what both parties anchored before this instant counts (UTC).",
)
@click.option("--anchor", "anchors", multiple=True, type=click.Path(path_type=Path), help="An anchor; repeat it.")
@click.option(
    "--trust-anchor", "anchor_prints", multiple=True, metavar="FINGERPRINT", help="Of an anchor key; repeat it."
)
@spoken
def verify(
    out: Output,
    file: Path,
    trusted: tuple[str, ...],
    cards: tuple[Path, ...],
    policy_file: Path | None,
    authority: Path | None,
    after: str | None,
    anchors: tuple[Path, ...],
    anchor_prints: tuple[str, ...],
) -> int:
    """Verify an evidence file with no node and no network, and tell the story in it.

    Every signature, ledger proof and decision in it is checked. What only one party says is told as such. With --trust,
    both parties' fingerprints must be among those given. With --card, keys that were revoked since count as that. With
    --policy it ends with exit code 6 where that is not met.
    The proof of a contradiction is verified likewise; of a log or a witness without a card, --trust names its key.

    Example:
      comity evidence verify item.evidence --trust "bd96 c5ec …" --trust "af81 89ce …"
    """
    from comity.evidence.anchored import Distrust, verify_distrusting
    from comity.evidence.anchors import ANCHOR_BYTES_MAX
    from comity.evidence.contradiction import PROOF_BEGINS, PROOF_BYTES_MAX, verify_contradiction
    from comity.evidence.verify import verify as verify_evidence
    from comity.ledger.policy import POLICY_BYTES_MAX, parse_policy
    from comity.record.dsse import ENVELOPE_BYTES_MAX
    from comity.timezones import time_zones

    data = read_file(file, PROOF_BYTES_MAX)
    newer = [read_file(each, ENVELOPE_BYTES_MAX) for each in cards]
    if data.startswith(PROOF_BEGINS):
        trust = [each if "+" in each else _fingerprint(each) for each in trusted]
        out.show(verify_contradiction(data, trust, newer), tell_contradicted)
        return 0
    if authority is not None and after is not None:
        raise Misuse("what an authority stamped by other keys says nothing of --distrust-after", code="contradiction")
    fingerprints = [_fingerprint(each) for each in trusted]
    policy = None if policy_file is None else parse_policy(read_file(policy_file, POLICY_BYTES_MAX))
    with working("verifying", quiet=out.as_json):
        if after is None:
            stamp = None if authority is None else _believing(authority)
            verified = verify_evidence(data, fingerprints, time_zones(), newer, policy, stamp)
        else:
            given = tuple(read_file(each, ANCHOR_BYTES_MAX) for each in anchors)
            compared = tuple(map(_fingerprint, anchor_prints))
            distrust = Distrust(read_instant(after, "UTC").at, given, compared)
            verified = verify_distrusting(data, fingerprints, time_zones(), newer, policy, distrust)
    out.show(verified, _tell_verified)
    return 0 if all(each.met for each in verified.judged) else FINDINGS


def _believing(file: Path) -> ReadToken:
    """Reads the tokens of the authorities whose certificates are in ``file``."""
    from comity.timestamps.token import read_authorities, verify_token

    authorities = read_authorities(read_file(file, AUTHORITIES_BYTES_MAX))
    return lambda token, text: verify_token(token, text, authorities)


def _fingerprint(text: str) -> bytes:
    try:
        digest = bytes.fromhex(text)
    except ValueError:
        digest = b""
    if len(digest) != FINGERPRINT_BYTES:
        raise Misuse(
            f"{text!r} is not a fingerprint: 64 hexadecimal digits, with or without spaces", code="fingerprint"
        )
    return digest


def _tell_exported(out: Output, exported: EvidenceExported) -> None:
    out.line(("exported ", "good"), exported.path)
    out.fields(
        [
            ("item", exported.item),
            ("records", f"{exported.shown} shown, {exported.withheld} withheld"),
            ("not witnessed", f"{exported.unwitnessed} records that stand by their author's signature alone")
            if exported.unwitnessed
            else ("", ""),
            ("size", size(exported.size)),
            ("permitted by", exported.decision_record[:16]),
        ]
    )
    out.next((f"comity evidence verify {exported.path.rpartition('/')[2]}", "anywhere, with nothing else"))


def _tell_verified(out: Output, verified: Verified) -> None:
    from comity.evidence.wording import GROUPS

    out.line(("verified ", "good"), ("all that this file holds", "strong"))
    out.fields(
        [
            ("item", verified.item),
            ("exported by", f"{verified.exporter}, {told_instant(verified.at)}"),
            ("agreement", f"{verified.agreement}, digest {verified.digest[:16]}…"),
            ("supposing", verified.hypothetical or ""),
        ]
    )
    who = {line.parameters[0]: line for line in verified.lines if line.code in _PEOPLE}
    out.gap()
    out.line(("the story", "strong"))
    for line in verified.lines:
        if line.code not in _PEOPLE:
            _tell_line(out, line, {name: each.parameters[1] for name, each in who.items()})
    people = [
        (name, f"{line.parameters[1]} ({line.parameters[2]}), by the word of {line.party}")
        for name, line in who.items()
    ]
    hidden = [(f"record {each.index} of {each.chain}", GROUPS[each.group]) for each in verified.withheld]
    chains = [(each.name, _reach(each)) for each in verified.chains]
    prints = [
        (each.party, f"{'trusted' if each.trusted else 'not compared'}: {each.text}") for each in verified.fingerprints
    ]
    _tell_list(out, "who is who", people)
    _tell_list(out, "not shown", hidden)
    if verified.open:
        out.gap()
        out.line(("left open", "strong"))
        for each in verified.open:
            out.line(each.place, indent=2)
            out.text(each.says, indent=4, style="warn")
    _tell_list(out, "witnessed", chains)
    _tell_list(out, "time-stamps", [(each.chain, _stamped(each)) for each in verified.stamps])
    _tell_list(out, "by your policy", [(each.chain, _judged(each)) for each in verified.judged])
    _tell_list(out, "all of it hangs on these fingerprints", prints)
    if not all(each.trusted for each in verified.fingerprints):
        out.text("compare them with the parties themselves, then give them with --trust", indent=2, style="warn")
    out.gap()
    out.text("No file shows what is not in it, nor what both parties made up together.", style="dim")


_PEOPLE = ("person/1", "directory/1")
"""Lines that say who somebody is; they are told apart from what happened."""


def _reach(chain: ChainTold) -> str:
    by = f"cosigned by {chain.witness}" if chain.witness else "by its author alone"
    return f"{chain.size} records, {by}" + (f"; {chain.beyond} here stand beyond that" if chain.beyond else "")


def _judged(told: PolicyTold) -> str:
    by = ", ".join(f"{each.witness} at {told_instant(each.at)}" for each in told.cosigned) or "nobody that it names"
    return f"{told.size} records {'count' if told.met else 'do not count'} as witnessed: cosigned by {by}"


def _stamped(stamp: StampTold) -> str:
    when = (
        "not read: name an authority that you believe with --authority" if stamp.at is None else told_instant(stamp.at)
    )
    return f"{stamp.size} records, {when}"


def _tell_line(out: Output, line: Line, known: Mapping[str, str]) -> None:
    from comity.evidence.wording import ground_wording, line_wording

    style: Style = "good" if line.status == "proved" else "warn"
    out.line((f"{line.status:<10}", style), (f"{told_instant(line.at)}{told_bounds(line)}", "dim"), indent=2)
    sentence = line_wording(line)
    for name, function in known.items():
        sentence = sentence.replace(name, f"{function} ({name})")
    out.text(sentence, indent=12)
    articles = f" (Article {', '.join(line.clauses)})" if line.clauses else ""
    out.text(ground_wording(line) + articles, indent=12, style="dim")


def _tell_list(out: Output, title: str, pairs: Sequence[tuple[str, str]]) -> None:
    if pairs:
        out.gap()
        out.line((title, "strong"))
        out.fields(pairs)
