"""``comity muster`` and ``comity reconcile``: what is here is counted, and both registers are compared."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from comity.cli.files import read_file
from comity.cli.instants import told_instant
from comity.cli.options import Desk, Verb, Verbs, acting, as_actor, housed, relationship, seeing
from comity.cli.output import FINDINGS, Output
from comity.cli.session import fresh_name
from comity.flows.actors import Actor
from comity.flows.looking.counting import MusterTold
from comity.flows.looking.findings import Explain, FindingTold, Musters, ShowMusters
from comity.flows.looking.muster import Begin, CountCopies, CountTold, DropMuster, Signed, SignMuster
from comity.flows.looking.reconciling import (
    UNEXPLAINED,
    AnswerByFile,
    AskByFile,
    LetterTold,
    ReadAnswer,
    Reconcile,
    Reconciliation,
)

LIST_BYTES_MAX = 2**20
"""Largest list of scanned labels."""
DIFFERENCES_TOLD = 200
"""Most differences that are told in lines; --json has them all."""

which = click.option("--muster", metavar="ID", help="Which muster; not needed while only one is under way.")


@click.group(cls=Verbs)
def muster() -> None:
    """Count the copies that are here, and follow what differs from the register.

    A muster is begun, copies are counted by their labels, and it is signed. What was expected and not counted, and what
    was counted and not expected, are findings until somebody says what became of them.
    """


@muster.command()
@click.option("--facility", metavar="ID", help="Only the copies of people posted at this site.")
@click.option("--holder", metavar="HANDLE", help="Only the copies of this person.")
@acting
@housed
def begin(desk: Desk, facility: str | None, holder: str | None, actor: str, key: Path | None) -> None:
    """Begin a muster: of the whole house, or of a site, or of one person.

    Example:
      comity muster begin --as ito
    """
    request = Begin(facility=facility, holder=holder, actor=Actor(actor), muster=fresh_name("m", key))
    desk.show(desk.act("muster.begin", request, key), _tell_begun)


@muster.command()
@click.argument("references", nargs=-1, metavar="[REFERENCE]...")
@click.option("--file", "path", type=click.Path(path_type=Path), help="Scanned labels, one on a line.")
@which
@acting
@housed
def count(
    desk: Desk, references: tuple[str, ...], path: Path | None, muster: str | None, actor: str, key: Path | None
) -> None:
    """Count copies: what their labels say, or ITEM/NUMBER. None is counted twice.

    Example:
      comity muster count c-nb2hi4dtoq6s6ojq i-7k3mxl2q4fjt6wza/2 --as ito
    """
    listed = read_file(path, LIST_BYTES_MAX).decode(errors="replace").split("\n") if path is not None else []
    named = (*references, *(line.strip() for line in listed if line.strip()))
    if not named:
        raise click.UsageError("name at least one copy, or a file with --file")
    desk.show(
        desk.act("muster.count", CountCopies(references=named, muster=muster, actor=Actor(actor)), key), _tell_counted
    )


@muster.command()
@which
@click.option("--quiet", is_flag=True, help="Do not tell the other parties that everything was counted.")
@acting
@housed
def sign(desk: Desk, muster: str | None, actor: str, key: Path | None, *, quiet: bool) -> int:
    """Sign a muster. Ends with code 6 when something differs.

    Example:
      comity muster sign --as ito
    """
    signed: Signed = desk.act("muster.sign", SignMuster(muster=muster, tell=not quiet, actor=Actor(actor)), key)
    desk.show(signed, lambda out, told: _tell_signed(out, told, desk.sending()))
    return FINDINGS if signed.findings else 0


@muster.command()
@which
@acting
@housed
def drop(desk: Desk, muster: str | None, actor: str, key: Path | None) -> None:
    """Give a muster up before it is signed.

    Example:
      comity muster drop --as ito
    """
    told: MusterTold = desk.act("muster.drop", DropMuster(muster=muster, actor=Actor(actor)), key)
    desk.show(told, lambda out, each: out.line("given up ", (each.muster, "strong")))


@muster.command()
@click.argument("muster", required=False)
@seeing
@housed
def show(desk: Desk, muster: str | None, actor: str | None) -> int:
    """See every muster and every open finding, or one muster with all that it found.

    Ends with code 6 while a finding is open.

    Example:
      comity muster show
    """
    shown: Musters = desk.call("muster.show", ShowMusters(muster=muster, actor=as_actor(actor)))
    desk.show(shown, _tell_musters)
    return FINDINGS if any(not each.explained for each in shown.findings) else 0


@muster.command()
@click.argument("finding")
@click.option("--reason", required=True, metavar="WHY", help="What became of it, in your words.")
@click.option("--record", metavar="ID", help="The record that followed: a report of loss, a copy found again.")
@acting
@housed
def explain(desk: Desk, finding: str, reason: str, record: str | None, actor: str, key: Path | None) -> None:
    """Say what became of a finding.

    Example:
      comity muster explain m-4xq7…/1 --reason "it was in the duty officer's safe" --as ito
    """
    request = Explain(finding=finding, reason=reason, record=record, actor=Actor(actor))
    desk.show(desk.act("muster.explain", request, key), lambda out, told: _tell_findings(out, [told]))


@click.command(cls=Verb)
@click.argument("peer", required=False)
@relationship
@click.option("--recount", is_flag=True, help="Add the sums up anew from the copies themselves, first.")
@click.option("--ask", "question", type=click.Path(path_type=Path), help="Write the question to a file for PEER.")
@click.option("--answer", "asked", type=click.Path(path_type=Path), help="Answer the question in this file.")
@click.option("--out", "answer", type=click.Path(path_type=Path), help="Where the answer goes.")
@click.option("--read", "answered", type=click.Path(path_type=Path), help="Compare with the answer in this file.")
@seeing
@housed
def reconcile(
    desk: Desk,
    peer: str | None,
    relationship: str | None,
    question: Path | None,
    asked: Path | None,
    answer: Path | None,
    answered: Path | None,
    actor: str | None,
    *,
    recount: bool,
) -> int:
    """Compare your register with another party's, and explain every difference.

    Only sums are exchanged where both agree. Over the wire it is one command; by hand a question goes one way and an
    answer comes back. Ends with code 6 when nothing explains a difference.

    Example:
      comity reconcile kr
      comity reconcile kr --ask question.file
      comity reconcile --answer question.file --out answer.file
      comity reconcile --read answer.file
    """
    ways = [each is not None for each in (question, asked, answered)]
    if sum(ways) > 1 or (asked is None) != (answer is None):
        raise click.UsageError("choose one: PEER, PEER --ask FILE, --answer FILE --out FILE, or --read FILE")
    if (peer is None) != (asked is not None or answered is not None):
        raise click.UsageError("name the party to compare with, or a file that it sent")
    if question is not None:
        told = desk.call(
            "reconcile.ask", AskByFile(peer=peer or "", relationship=relationship, path=str(question.absolute()))
        )
        desk.show(told, _tell_question)
        return 0
    if asked is not None and answer is not None:
        request = AnswerByFile(path=str(asked.absolute()), out=str(answer.absolute()))
        desk.show(desk.call("reconcile.answer", request), _tell_answer)
        return 0
    who = as_actor(actor)
    if answered is not None:
        found: Reconciliation = desk.call("reconcile.read", ReadAnswer(path=str(answered.absolute()), actor=who))
    else:
        found = desk.call(
            "reconcile", Reconcile(peer=peer or "", relationship=relationship, recount=recount, actor=who)
        )
    desk.show(found, _tell_reconciliation)
    return FINDINGS if found.unexplained or found.recounted else 0


# ---- in lines --------------------------------------------------------------------------------------------------------


def _of(told: MusterTold) -> str:
    if told.facility is not None:
        return f"of {told.facility}"
    return f"of {told.holder}" if told.holder is not None else "of the whole house"


def _tell_begun(out: Output, told: MusterTold) -> None:
    out.line("begun ", (told.muster, "strong"), f"  {_of(told)}")
    out.fields([("expected", counted_out(told.expected, "copy", "copies"))])
    out.next(
        ("comity muster count REFERENCE… --as HANDLE", "what the labels say, or ITEM/NUMBER"),
        ("comity muster sign --as HANDLE", "when everything was counted"),
    )


def _tell_counted(out: Output, told: CountTold) -> None:
    out.table(
        ("copy", "holder", "found"),
        [(f"{line.item}/{line.number}" if line.number else line.item, line.holder, line.found) for line in told.lines],
    )
    out.fields([("counted", str(told.muster.counted)), ("left", str(told.muster.remaining))])
    if not told.muster.remaining:
        out.next(("comity muster sign --as HANDLE", "everything that is expected was counted"))


def _tell_signed(out: Output, signed: Signed, sending: list[tuple[str, str]]) -> None:
    told = signed.muster
    out.line("signed ", (told.muster, "strong"), f"  {_of(told)}")
    out.fields(
        [
            ("expected", str(told.expected)),
            ("counted", str(told.counted)),
            ("told in", ", ".join(signed.told)),
            ("recorded as", told.record or ""),
        ]
    )
    out.gap()
    if not signed.findings:
        out.line(("everything is as the register says", "good"))
        if signed.told and sending:
            out.next(*sending)
        return
    _tell_findings(out, signed.findings)
    _next_for(out, signed.findings)


def _tell_findings(out: Output, findings: Sequence[FindingTold]) -> None:
    out.line(("findings", "strong"))
    for each in findings:
        copy = f"copy {each.copy} of {each.item}" if each.copy else each.item
        out.line((each.finding, "good") if each.explained else (each.finding, "bad"), f"  {copy}", indent=2)
        out.fields(
            [
                ("here", each.here),
                ("found" if each.finding.startswith("m-") else "there", each.there),
                ("now", each.now if each.now != each.here else ""),
                ("explained", each.reason),
                ("followed by", each.followed or ""),
            ],
            indent=4,
        )


def _next_for(out: Output, findings: Sequence[FindingTold]) -> None:
    first = next((each for each in findings if not each.explained), None)
    if first is None:
        return
    commands = []
    if first.there == "missing":
        commands.append((f"comity incident report {first.item} --help", "it may be lost: Article 17"))
    elif first.here == "lost":
        commands.append((f"comity copy found {first.item} --copy {first.copy} --help", "it is there again"))
    commands.append((f"comity muster explain {first.finding} --reason WHY --as HANDLE", "what became of it"))
    out.next(*commands)


def _tell_musters(out: Output, shown: Musters) -> None:
    for each in shown.due:
        out.line(
            "count again by ",
            (told_instant(each.due), "bad" if each.overdue else "strong"),
            f"  {each.within} by {each.place}, {each.relationship}",
            ("; overdue", "bad") if each.overdue else "",
            (" [K, unchecked: warns only]", "dim") if each.unchecked else "",
        )
    if not shown.musters:
        out.line("no muster yet")
        out.next(("comity muster begin --as HANDLE", "count what is here"))
        return
    out.line(("musters", "strong"))
    out.table(
        ("muster", "of", "begun", "signed", "expected", "counted", "findings"),
        [
            (
                each.muster,
                _of(each).removeprefix("of "),
                told_instant(each.begun),
                told_instant(each.signed) if each.signed else "under way",
                str(each.expected),
                str(each.counted),
                str(each.findings),
            )
            for each in shown.musters
        ],
    )
    if any(each.signed is None for each in shown.musters):
        out.next(
            ("comity muster count REFERENCE… --as HANDLE", "what the labels say, or ITEM/NUMBER"),
            ("comity muster sign --as HANDLE", "when everything was counted"),
        )
    if shown.findings:
        out.gap()
        _tell_findings(out, shown.findings)
        _next_for(out, shown.findings)


def _tell_question(out: Output, told: LetterTold) -> None:
    out.line("written to ", (told.path, "strong"))
    out.fields([("for", f"{told.receiver} ({told.relationship})")])
    out.next((f"comity reconcile --answer {Path(told.path).name} --out FILE", f"there, at {told.receiver}"))


def _tell_answer(out: Output, told: LetterTold) -> None:
    out.line("written to ", (told.path, "strong"))
    out.fields([("for", f"{told.receiver} ({told.relationship})")])
    out.next((f"comity reconcile --read {Path(told.path).name}", f"there, at {told.receiver}"))


def _tell_reconciliation(out: Output, found: Reconciliation) -> None:
    out.line("compared with ", (found.peer, "strong"), f" as of {told_instant(found.at)} ({found.relationship})")
    out.fields(
        [
            ("passed", _passed(found)),
            ("our records", f"{found.ours[0]}, of which {found.peer} has {found.ours[1]}"),
            ("their records", f"{found.theirs[0]}, of which {found.theirs[1]} are here"),
            ("recorded as", found.reconciliation),
        ]
    )
    if found.recounted is not None:
        wrong = ", ".join(found.recounted)
        out.fields([("counted anew", f"the sums of {wrong} are not those of their copies" if wrong else "as kept")])
    out.gap()
    if not found.differences:
        out.line(("both registers say the same", "good"))
    for each in found.differences[:DIFFERENCES_TOLD]:
        out.line((each.item, "strong"), f"  copy {each.copy}" if each.copy is not None else "  its marks")
        out.fields(
            [
                ("here", each.here or "nothing"),
                (f"at {found.peer}", each.there or "nothing"),
                ("because", _because(each.because, each.by, each.sequence, each.record, each.says)),
            ]
        )
    left = len(found.differences) - DIFFERENCES_TOLD
    if left > 0 or not found.complete:
        out.line(
            f"and {left} more; --json lists them" if found.complete else "and more: ask again when these are settled"
        )
    if found.unexplained:
        out.gap()
        out.line((f"{found.unexplained} of {len(found.differences)} differences are unexplained", "bad"))
        out.next(
            ("comity ledger verify", "whether the register is what the records give"),
            (f"comity muster explain {found.reconciliation}/1 --reason WHY --as HANDLE", "what became of it"),
        )
    elif any(each.because == "on its way there" for each in found.differences):
        out.next(("comity node run", "or 'comity pouch export', so that the other party hears of it"))


def counted_out(number: int, one: str, more: str) -> str:
    """A number with its noun."""
    return f"{number} {one if number == 1 else more}"


def _passed(found: Reconciliation) -> str:
    return f"{counted_out(found.items, 'item', 'items')}, {counted_out(found.copies, 'copy', 'copies')}"


def _because(because: str, by: str, sequence: int | None, record: str, says: str) -> str:
    if because == UNEXPLAINED:
        return because
    numbered = f", number {sequence}" if sequence is not None else ""
    return f"{because}: record {record[:16]}… of {by}{numbered}" + (f"; {says}" if says else "")
