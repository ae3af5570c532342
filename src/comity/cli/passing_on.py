"""``comity pass-on``: a copy goes to somebody outside the parties, with the originator's consent (Article 6(a))."""

from __future__ import annotations

import os
from pathlib import Path

import click

from comity.cli.consents import KINDS
from comity.cli.decisions import functions, tell_outcome
from comity.cli.files import absolute, free, new_file, read_file
from comity.cli.instants import told_instant
from comity.cli.options import Desk, acting, ask_first, final, housed
from comity.cli.output import DONE, REFUSED, Output
from comity.cli.recalls import ShortVerbs
from comity.cli.session import fresh_name
from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.consenting.passed_on import ListPassedOn, PassedOnLine, PassOnReceipt, ReceiptPassOn
from comity.flows.consenting.passing_on import AskPassOn, ConfirmPassOn, PassOnTold, SealPassOn
from comity.flows.deciding.explaining import tell
from comity.record.bodies.consents import BeneficiaryKind

COPY_PIECE_BYTES = 1024 * 1024
"""How much of a sealed payload is copied at once."""
RECIPIENT_SHOWN = 20
"""How many characters of an age recipient people can tell it by; a hybrid one has two thousand."""


@click.group("pass-on", cls=ShortVerbs)
def pass_on() -> None:
    """Pass a copy on outside the parties, once its originator has consented and somebody else has approved.

    'comity pass-on ITEM --copy N --to BODY' is short for 'comity pass-on ask ITEM --copy N --to BODY'.
    """


@pass_on.command()
@click.argument("item")
@click.option("--copy", "number", required=True, type=int, help="Number of the copy; you hold it.")
@click.option("--to", "beneficiary", required=True, metavar="BODY", help="Id of the body that is to get it.")
@click.option(
    "--kind", type=click.Choice(KINDS), default="government", show_default=True, help="What kind of body it is."
)
@click.option("--nationality", default="", metavar="STATE", help="The state it belongs to, where it is not one.")
@click.option("-r", "--recipient", metavar="RECIPIENT", help="Its age recipient, age1pq1… or age1…, got from it.")
@click.option("-R", "--recipients-file", "file", type=click.Path(path_type=Path), help="A file with its recipient.")
@click.option("--purpose", required=True, help="What for, in the words of the consent.")
@acting
@housed
def ask(
    desk: Desk,
    item: str,
    number: int,
    beneficiary: str,
    kind: BeneficiaryKind,
    nationality: str,
    recipient: str | None,
    file: Path | None,
    purpose: str,
    actor: str,
    key: Path | None,
) -> int:
    r"""Ask that a copy you hold be passed on.

    Without a consent of the originator that holds today, the refusal and its article are all that is recorded.

    Example:
      comity pass-on ask i-7k3m… --copy 2 --to us -R us.public --purpose "air defence" --as kim
    """
    request = AskPassOn(
        item=item,
        copy=number,
        beneficiary=beneficiary,
        beneficiary_kind=kind,
        nationality=nationality,
        recipient=_recipient(recipient, file),
        purpose=purpose,
        actor=Actor(actor),
        request=fresh_name("r", key),
    )
    told: PassOnTold = desk.act("pass-on.ask", request, key)
    known = functions(desk)
    desk.show(told, lambda out, _: _tell_asked(out, told, known))
    return DONE if told.request else REFUSED


def _recipient(named: str | None, file: Path | None) -> str:
    """The one age recipient that was named, or that a file has.

    Raises:
        Misuse: none was, or several.
    """
    from comity.seal.keys import KEY_FILE_BYTES_MAX

    lines = [named] if named else []
    if file is not None:
        text = read_file(file, KEY_FILE_BYTES_MAX).decode(errors="replace")
        lines += [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if len(lines) != 1:
        raise Misuse("name one age recipient, with -r or in a file with -R", code="recipient")
    return lines[0]


@pass_on.command()
@click.argument("request")
@click.option("--out", "path", required=True, type=click.Path(path_type=Path), help="A new file, for the courier.")
@final
@acting
@housed
def seal(desk: Desk, request: str, path: Path, actor: str, key: Path | None, *, yes: bool) -> int:
    """Seal the copy to the next body, into a file for the courier; from then on it opens here no more.

    It is decided again first, on what holds now. Done before, the same file is written again. A holder in strict
    custody names his own keys with --key, and the copy is wrapped here.

    Example:
      comity pass-on seal r-4xq7… --out for-the-courier.age --as kim
    """
    free(path)
    ask_first(f"The copy of {request} is sealed to the next body, and opens here no more.", yes=yes)
    told = _seal_here(desk, request, path, actor, key) if key else _seal(desk, request, path, actor)
    known = functions(desk)
    desk.show(told, lambda out, _: _tell_sealed(out, told, known, desk))
    return DONE if told.record else REFUSED


def _seal(desk: Desk, request: str, path: Path, actor: str) -> PassOnTold:
    told: PassOnTold = desk.act(
        "pass-on.seal", SealPassOn(request=request, path=absolute(str(path)), actor=Actor(actor)), None
    )
    if told.by_holder:
        path.unlink()
        raise Misuse(f"{actor!r} keeps his own keys; name them with --key FILE", code="strict-keys")
    return told


def _seal_here(desk: Desk, request: str, path: Path, actor: str, key: Path) -> PassOnTold:
    """(7) Fetch the holder's sealed copy, wrap its key for the next body with his own, and record that he did."""
    import msgspec

    from comity.cli.person_keys import read_person_keys
    from comity.seal.age import open_header, read_header, seal_header
    from comity.seal.keys import parse_recipient
    from comity.seal.streams import take, write_all

    keys = read_person_keys(key)
    fetched = path.with_name(path.name + ".held")
    asked = SealPassOn(request=request, path=absolute(str(fetched)), actor=Actor(actor))
    told: PassOnTold = desk.act("pass-on.seal", asked, key)
    if not told.by_holder:
        if told.record:
            fetched.replace(path)
        return told
    try:
        with fetched.open("rb", buffering=0) as source, new_file(path) as sink:
            header, payload = read_header(source)
            onward = seal_header(open_header(header, keys.identities), [parse_recipient(told.recipient)], os.urandom)
            write_all(sink, onward)
            while piece := take(payload, COPY_PIECE_BYTES):
                write_all(sink, piece)
            confirmed: PassOnTold = desk.act(
                "pass-on.confirm",
                ConfirmPassOn(request=request, header=onward, decision_record=told.decision_record, actor=Actor(actor)),
                key,
            )
    finally:
        fetched.unlink(missing_ok=True)
    return msgspec.structs.replace(confirmed, path=absolute(str(path)))


@pass_on.command()
@click.argument("item")
@click.option("--copy", "number", required=True, type=int, help="Number of the copy that was passed on.")
@click.option("--receipt", required=True, metavar="TEXT", help="Which receipt, and where it is kept.")
@acting
@housed
def receipt(desk: Desk, item: str, number: int, receipt: str, actor: str, key: Path | None) -> None:
    """Record the receipt of the body that got a copy, so that the originator sees that it arrived (Article 12).

    Example:
      comity pass-on receipt i-7k3m… --copy 2 --receipt "no. 14/2026, signed by the US registry" --as kim
    """
    request = ReceiptPassOn(item=item, copy=number, receipt=receipt, actor=Actor(actor))
    told: PassOnReceipt = desk.act("pass-on.receipt", request, key)
    desk.show(told, lambda out, _: _tell_receipt(out, told, desk))


@pass_on.command("list")
@click.option("--as", "actor", metavar="HANDLE", help="As this person may see it; else as the house.")
@housed
def list_command(desk: Desk, actor: str | None) -> None:
    """See every copy that went to somebody outside the parties: to whom, what for, by which consents.

    Example:
      comity pass-on list
    """
    request = ListPassedOn(actor=Actor(actor) if actor else None)
    known = functions(desk)
    desk.show(desk.call("pass-on.list", request), lambda out, lines: _tell_lines(out, lines, known))


def _tell_asked(out: Output, told: PassOnTold, known: dict[str, str]) -> None:
    if told.decision is not None:
        tell_outcome(out, tell(told.decision), known, full=False)
    out.gap()
    if not told.request:
        out.text("Nothing was requested or sealed. The refusal is recorded in this house.")
        out.next(
            (f"comity consent ask {told.item} --act pass-on --help", "ask its originator"),
            (f"comity why {told.decision_record[:16]}", "the whole decision"),
        )
        return
    out.fields(
        [
            ("request", told.request),
            ("item", f"{told.item}, copy {told.copy}"),
            ("to", told.beneficiary),
            ("by consent", ", ".join(told.consents)),
            *(("on condition", each) for each in told.conditions),
        ]
    )
    out.next(
        (f"comity approve {told.request} --reason WHY --as HANDLE", "somebody else, with the role"),
        (f"comity pass-on seal {told.request} --out FILE --as HANDLE", "then, you"),
    )


def _tell_sealed(out: Output, told: PassOnTold, known: dict[str, str], desk: Desk) -> None:
    if not told.record:
        if told.decision is not None:
            tell_outcome(out, tell(told.decision), known, full=False)
        out.gap()
        out.text("Nothing was sealed. That it was asked is recorded in this house.")
        out.next((f"comity why {told.decision_record[:16]}", "the whole decision"))
        return
    out.line(("passed on ", "good"), f"{told.item}, copy {told.copy}, to {told.beneficiary}")
    out.fields(
        [
            ("sealed to", f"{told.recipient[:RECIPIENT_SHOWN]}…"),
            ("written to", told.path),
            ("by consent", ", ".join(told.consents)),
            *(("on condition", each) for each in told.conditions),
            ("recorded as", told.record[:16]),
        ]
    )
    out.next(
        (f"comity pass-on receipt {told.item} --copy {told.copy} --receipt TEXT --as HANDLE", "once it is there"),
        *desk.sending(),
    )


def _tell_receipt(out: Output, told: PassOnReceipt, desk: Desk) -> None:
    out.line(("receipted ", "good"), f"{told.item}, copy {told.copy}, by {told.beneficiary}")
    out.fields([("receipt", told.receipt), ("recorded as", told.record[:16])])
    out.next(("comity pass-on list", "what else went on"), *desk.sending())


def _tell_lines(out: Output, lines: list[PassedOnLine], known: dict[str, str]) -> None:
    if not lines:
        out.line("nothing was passed on")
    for line in lines:
        out.line((f"{line.item}, copy {line.copy}", "strong"), f"  to {line.beneficiary} ({line.beneficiary_kind})")
        out.fields(
            [
                ("state", line.nationality if line.nationality != line.beneficiary else ""),
                ("purpose", line.purpose),
                ("by", f"{known.get(line.by, line.by)}, {told_instant(line.at)}"),
                ("by consent", ", ".join(line.consents)),
                ("receipt", line.receipt or "none yet"),
            ]
        )
