"""``comity keys rotate`` and what belongs to it: keys replaced, revoked, lost (``spec/keys.md`` steps 40 to 63)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast, get_args

import click

from comity.cli.instants import read_instant, told_instant
from comity.cli.options import Desk, Verb, acting, ask_first, final, housed
from comity.cli.output import Output
from comity.flows.actors import Actor
from comity.flows.maintaining.rotating import KeyPurpose, ListOwnKeys, RevokeKey, RotateKey
from comity.record.card import PURPOSES, Purpose

if TYPE_CHECKING:
    from comity.flows.maintaining.compromised import CompromiseTold
    from comity.flows.maintaining.epochs import EpochGone
    from comity.flows.maintaining.rotating import KeysChanged

CARRY = ("comity peer card --out CARD", "the newest card, to be handed over like the first one")
purpose_argument = click.argument("purpose", type=click.Choice(get_args(KeyPurpose)))
since_option = click.option(
    "--since", required=True, metavar="INSTANT", help="A day or an instant (UTC unless it names an offset)."
)


@click.command("card", cls=Verb)
@housed
def card(desk: Desk) -> None:
    """List the keys on this party's card, present and former, and who does not have the card yet.

    Example:
      comity keys card
    """
    desk.show(desk.call("keys.card", ListOwnKeys()), _tell_card)


@click.command("rotate", cls=Verb)
@purpose_argument
@click.option("--days", type=int, help="How many days others still take the old key; else 30.")
@housed
def rotate(desk: Desk, purpose: str, days: int | None) -> None:
    """Replace a key: the next one is made, certified by the root key, and told in every chain.

    Exchange and feeds go on: for some days others take the old key too. Of the registry, a new epoch begins;
    with tls the server gets a new certificate, which a running node shows by itself when the overlap ends. The root key
    must be at hand.

    Example:
      comity keys rotate record
    """
    request = RotateKey(purpose=cast("KeyPurpose", purpose), days=days)
    desk.show(desk.call("keys.rotate", request), lambda out, told: _tell_changed(out, told, desk))


@click.command("revoke", cls=Verb)
@click.argument("purpose", type=click.Choice(PURPOSES))
@since_option
@click.option("--key", default="", metavar="DIGITS", help="The first digits of a former key; else the present one.")
@final
@housed
def revoke(desk: Desk, purpose: str, since: str, key: str, yes: bool) -> None:
    """Say that a key is not yours since some instant: what it signed later counts as forged.

    What others cosigned before stands, and so does what stands in your chains before the change. A present key is
    replaced at once, without overlap. The root key must be at hand.

    Example:
      comity keys revoke record --since 2026-11-20T09:00 --yes
    """
    ask_first(f"What the {purpose} key signed since {since} will count as forged.", yes=yes)
    request = RevokeKey(purpose=cast("Purpose", purpose), since=read_instant(since, "UTC").at, key=key)
    desk.show(desk.call("keys.revoke", request), lambda out, told: _tell_changed(out, told, desk))


@click.command("compromised", cls=Verb)
@purpose_argument
@since_option
@click.option("--as", "actor", metavar="HANDLE", help="Who reports what was sealed to it, where the agreement asks so.")
@final
@housed
def compromised(desk: Desk, purpose: str, since: str, actor: str | None, yes: bool) -> None:
    """Say that a key is in other hands: it is replaced at once, and you read what that means.

    Shown are what of your chains stays provable, and what was sealed to the lost key. Where the agreement says how a
    loss is reported, an incident is opened in the name of --as. The root key must be at hand.

    Example:
      comity keys compromised registry --since 2026-11-20 --as lee --yes
    """
    from comity.flows.maintaining.compromised import KeyCompromised

    ask_first(f"The {purpose} key is replaced, and counts for nothing since {since}.", yes=yes)
    request = KeyCompromised(
        purpose=cast("KeyPurpose", purpose),
        since=read_instant(since, "UTC").at,
        reporter=None if actor is None else Actor(actor),
    )
    desk.show(desk.call("keys.compromised", request), lambda out, told: _tell_compromised(out, told, desk))


@click.command("destroy-epoch", cls=Verb)
@click.argument("epoch", type=int)
@click.option("--reason", required=True, help="Why; it is recorded.")
@final
@acting
@housed
def destroy_epoch(desk: Desk, epoch: int, reason: str, actor: str, key: Path | None, yes: bool) -> None:
    """Destroy the registry's key of an epoch that nothing is sealed to any more, and attest it.

    Example:
      comity keys destroy-epoch 1 --reason "nothing is sealed to it" --as lee --yes
    """
    from comity.flows.maintaining.epochs import DestroyEpoch

    ask_first(f"The registry's key of epoch {epoch} is destroyed.", yes=yes)
    request = DestroyEpoch(epoch=epoch, reason=reason, actor=Actor(actor))
    desk.show(desk.act("keys.destroy-epoch", request, key), _tell_destroyed)


def _tell_card(out: Output, told: KeysChanged) -> None:
    rows = [
        (
            key.purpose,
            key.name,
            key.state,
            told_instant(key.until) if key.until else "",
            told_instant(key.since) if key.since else "",
        )
        for key in told.keys
    ]
    out.table(("key", "name", "state", "overlaps until", "revoked since"), rows)
    _tell_untold(out, told)


def _tell_untold(out: Output, told: KeysChanged) -> None:
    if told.untold:
        out.gap()
        for each in told.untold:
            out.text(f"{each.peer} has not said yet that it has the newest card ({each.relationship}).", style="warn")


def _tell_changed(out: Output, told: KeysChanged, desk: Desk) -> None:
    _tell_card(out, told)
    steps = desk.sending() if told.untold else []
    if any(key.purpose == "transport" and key.state == "revoked" for key in told.keys):
        steps.append(CARRY)
    out.next(*steps, ("comity keys list", "which of them lie open on this disk"))


def _tell_compromised(out: Output, told: CompromiseTold, desk: Desk) -> None:
    out.line((f"the {told.purpose} key is replaced", "good"))
    out.text(f"What it signs or opens since {told_instant(told.since)} is not taken for yours.")
    rows = [
        (
            each.chain,
            str(each.records),
            f"{each.witnessed}, {told_instant(each.at)}" if each.at else "none",
            str(each.later),
        )
        for each in told.provable
    ]
    out.gap()
    out.table(("chain", "records", "cosigned", "said since then"), rows)
    if told.sealed:
        out.gap()
        out.text("Whoever has the key and the sealed files can read these; they are to be sealed anew:", style="warn")
        out.table(
            ("what", "name", "number", "relationship"),
            [(each.kind, each.name, str(each.number or ""), each.relationship) for each in told.sealed],
        )
    steps = [("comity keys card", "who does not have the newest card yet"), *desk.sending()]
    if told.purpose == "transport":
        steps.append(CARRY)
    if told.incident:
        steps.append((f"comity incident show {told.incident}", f"reported as {told.duty} asks"))
    elif told.duty:
        items = " ".join(dict.fromkeys(each.name for each in told.sealed if each.kind == "copy"))
        report = f'comity incident report {items} --what suspected --circumstances "…" --as HANDLE'
        steps.append((report, f"{told.duty} asks for it"))
    if told.epoch:
        steps.append((f"comity keys destroy-epoch {told.epoch} --reason … --as HANDLE", "once nothing is sealed to it"))
    if any(each.later for each in told.provable):
        steps.append(("comity register", "look at everything that was said since then"))
    out.next(*steps)


def _tell_destroyed(out: Output, told: EpochGone) -> None:
    out.line((f"epoch {told.epoch} is destroyed", "good"), f", record {told.record[:16]}")
    out.text(f"Kept: {', '.join(map(str, told.left))}.")
