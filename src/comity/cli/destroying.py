"""``comity destroy``: certificates of destruction, and their witnesses (Articles 6(h), 13)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import click

from comity.agreement.vocabulary import Method
from comity.cli.decisions import functions, tell_outcome
from comity.cli.instants import told_instant
from comity.cli.options import Desk, acting, as_actor, ask_first, final, housed, seeing
from comity.cli.output import DONE, REFUSED, Output, Style
from comity.cli.recalls import ShortVerbs, copy_number, somewhere
from comity.cli.session import fresh_name
from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.deciding.explaining import tell
from comity.flows.ending.certificates import CertificateShown, ShowCertificate, WitnessShown
from comity.flows.ending.destruction import Destroy, Destruction, WitnessDestruction

METHODS: tuple[str, ...] = get_args(Method)
_STATES: dict[str, Style] = {"complete": "good", "waiting": "warn", "void": "bad"}


@click.group(cls=ShortVerbs)
def destroy() -> None:
    """Destroy your copy and certify it; witness somebody else's; show a certificate.

    'comity destroy ITEM --copy N --method METHOD' is short for 'comity destroy certify ITEM …'. The agreement of 2016
    asks for no witness and no certificate; an arrangement or a domestic layer may.
    """


@destroy.command()
@click.argument("item")
@copy_number
@click.option("--method", required=True, type=click.Choice(METHODS), help="How; an arrangement may say which ways.")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it is recorded, and crosses.")
@click.option("--crisis", is_flag=True, help="At once, because it is about to fall into other hands.")
@somewhere
@final
@acting
@housed
def certify(
    desk: Desk,
    item: str,
    number: int | None,
    method: Method,
    reason: str,
    relationship: str | None,
    actor: str,
    key: Path | None,
    *,
    crisis: bool,
    yes: bool,
) -> int:
    """Certify that you have destroyed your copy, and how; its key is erased.

    Where witnesses are asked, the copy stays closed until they have signed. At a terminal you are asked once more; in a
    crisis you are not.

    Example:
      comity destroy certify i-7k3m… --copy 1 --method shred --reason "no longer needed" --as kim
    """
    which = item if number is None else f"copy {number} of {item}"
    ask_first(f"{which} is certified as destroyed ({method}), and its key is erased.", yes=yes or crisis)
    request = Destroy(
        item=item,
        copy=number,
        method=method,
        reason=reason,
        actor=Actor(actor),
        crisis=crisis,
        certificate=fresh_name("t", key),
        relationship=relationship,
    )
    told: Destruction = desk.act("destroy", request, key)
    known = functions(desk)
    desk.show(told, lambda out, _: _tell_destroyed(out, told, known, desk))
    return DONE if told.certificate is not None else REFUSED


@destroy.command()
@click.argument("certificate")
@click.option("--refuse", metavar="WHY", help="You saw no such thing: the certificate is void, the copy as it was.")
@acting
@housed
def witness(desk: Desk, certificate: str, refuse: str | None, actor: str, key: Path | None) -> None:
    """Sign a certificate as a witness, or say that you saw no such thing.

    Example:
      comity destroy witness t-5f2q… --as lee
    """
    if refuse is not None and not refuse:
        raise Misuse("say what you saw: --refuse WHY", code="no-reason")
    request = WitnessDestruction(certificate=certificate, actor=Actor(actor), seen=refuse is None, reason=refuse or "")
    shown: CertificateShown = desk.act("destroy.witness", request, key)
    desk.show(shown, lambda out, _: _tell_certificate(out, shown, desk.sending()))


@destroy.command()
@click.argument("certificate")
@seeing
@housed
def certificate(desk: Desk, certificate: str, actor: str | None) -> None:
    """Show a certificate of destruction: what, how, by whom, who saw it, and what it attests.

    Example:
      comity destroy certificate t-5f2q…
    """
    request = ShowCertificate(certificate=certificate, actor=as_actor(actor))
    shown: CertificateShown = desk.call("destroy.certificate", request)
    desk.show(shown, lambda out, _: _tell_certificate(out, shown, ()))


def _tell_destroyed(out: Output, told: Destruction, known: dict[str, str], desk: Desk) -> None:
    if told.certificate is None:
        tell_outcome(out, tell(told.decision), known, full=False)
        return
    _tell_certificate(out, told.certificate, desk.sending())


def _tell_certificate(out: Output, shown: CertificateShown, sending: Sequence[tuple[str, str]]) -> None:
    out.line(
        ("certificate of destruction  ", "dim"),
        (shown.certificate, "strong"),
        "  ",
        (shown.state, _STATES[shown.state]),
    )
    left = shown.needed - len(shown.witnesses)
    waits = f"{left} of {shown.needed}" if shown.state == "waiting" else ""
    out.fields(
        [
            ("item", f"{shown.item}, {shown.form}, {shown.mark or 'declassified'}"),
            ("copy", str(shown.copy)),
            ("originator", shown.originator),
            ("method", shown.method),
            ("reason", shown.reason),
            ("crisis", "destroyed at once" if shown.crisis else ""),
            ("told", _heard(shown)),
            ("destroyed by", _signed(shown.by)),
            *(("witnessed by", _signed(each)) for each in shown.witnesses),
            ("waits for", f"{waits} witnesses" if waits else ""),
            ("completed", told_instant(shown.completed) if shown.completed else ""),
            ("void", shown.void or ""),
            ("header", shown.header),
        ]
    )
    if shown.state == "waiting":
        out.text("Until they have signed, the copy is closed and its key is kept.", indent=2)
        out.next((f"comity destroy witness {shown.certificate} --as HANDLE", "somebody else who saw it"))
        return
    if shown.state == "complete":
        out.text(shown.attested, indent=2)
        if sending:
            out.next(*sending)


def _signed(signature: WitnessShown) -> str:
    function = f"{signature.function} ({signature.by})" if signature.function else signature.by
    return f"{function}, {told_instant(signature.at)}, record {signature.record[:16]}"


def _heard(shown: CertificateShown) -> str:
    if not shown.crisis:
        return ""
    return told_instant(shown.heard) if shown.heard else "the originator has not been reached yet"
