"""``comity copy``, ``hand-over``, ``take-over``: numbered copies and in whose hands they are (Articles 9, 12, 14)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click
import msgspec

from comity.cli.decisions import functions, tell_outcome
from comity.cli.files import write_new_file
from comity.cli.options import Desk, Verb, Verbs, acting, housed
from comity.cli.output import DONE, REFUSED, Output
from comity.cli.telling_copies import (
    tell_chain,
    tell_copies,
    tell_handed,
    tell_label,
    tell_made,
    tell_signed,
    tell_told,
)
from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.deciding.explaining import tell
from comity.flows.handling.copies import CopyLine, CopyShown, Label, LabelCopy, ListCopies, ScanCopy, ShowCopy
from comity.flows.handling.copying import CopiesMade, MakeCopies
from comity.flows.handling.handing_on import HandedOnward, HandOn
from comity.flows.handling.handing_over import Carry, HandedOn, HandOver, TakeOver
from comity.flows.handling.losing import FindCopy, LoseCopy
from comity.flows.handling.rewrapping import Rewrap, Rewrapped
from comity.record.bodies.custody import DoubleEnvelope, Enclosure, Packing

NAMED = ("i-", "c-")
"""How what is copied begins: an item, or the reference of a copy."""
copy_number = click.option("--copy", "number", type=click.IntRange(min=1), help="Number of the copy.")
chosen_relationship = click.option(
    "--relationship", metavar="NAME", help="Where it was given; not needed while there is only one."
)
looking = click.option("--as", "viewer", metavar="HANDLE", help="As this person may see it; the whole house otherwise.")


class CopyVerbs(Verbs):
    """``comity copy ITEM …`` makes copies; every other verb is named."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The verb that was typed; to make copies it need not be."""
        if args[0].startswith(NAMED):
            args = ["make", *args]
        return super().resolve_command(ctx, args)


@click.group(cls=CopyVerbs)
def copy() -> None:
    """Make numbered copies; see who holds them, print their labels, say when one is lost or found.

    'comity copy ITEM --from N --to WHO' is short for 'comity copy make ITEM --from N --to WHO'.
    """


@copy.command()
@click.argument("item")
@click.option("--from", "number", type=click.IntRange(min=1), help="Number of the copy that is copied; you hold it.")
@click.option("--to", "holders", multiple=True, required=True, metavar="HANDLE", help="Who gets one; repeat it.")
@click.option("--purpose", required=True, help="What for; for no more copies than that needs.")
@chosen_relationship
@acting
@housed
def make(
    desk: Desk,
    item: str,
    number: int | None,
    holders: tuple[str, ...],
    purpose: str,
    relationship: str | None,
    actor: str,
    key: Path | None,
) -> int:
    """Make further numbered copies of one that you hold, each sealed to its holder.

    They count from 1001, carry the original marks, and stand in the originator's register too. Everybody who gets one
    must be allowed to open it.

    Example:
      comity copy make i-7k3m… --from 1 --to lee --purpose "air defence" --as kim
    """
    request = MakeCopies(
        item=item, copy=number, holders=holders, purpose=purpose, actor=Actor(actor), relationship=relationship
    )
    made: CopiesMade = with_own_keys(desk, "copy", request, key)
    known = functions(desk)
    desk.show(made, lambda out, _: _decided(out, made, known, lambda: tell_made(out, made, known)))
    return DONE if made.made else REFUSED


@copy.command("list")
@click.argument("item")
@looking
@housed
def list_command(desk: Desk, item: str, viewer: str | None) -> None:
    """See the copies of an item: number, state, holder, and from which one each was made.

    Example:
      comity copy list i-7k3m…
    """
    request = ListCopies(item=item, actor=Actor(viewer) if viewer else None)
    copies: list[CopyLine] = desk.call("copy.list", request)
    known = functions(desk)
    desk.show(copies, lambda out, _: tell_copies(out, item, copies, known))


@copy.command()
@click.argument("item")
@copy_number
@chosen_relationship
@looking
@housed
def show(desk: Desk, item: str, number: int | None, relationship: str | None, viewer: str | None) -> None:
    """See one copy with its chain of custody: every change of hands, when, and who signed for it.

    Example:
      comity copy show i-7k3m… --copy 1
    """
    request = ShowCopy(item=item, copy=number, actor=Actor(viewer) if viewer else None, relationship=relationship)
    shown: CopyShown = desk.call("copy.show", request)
    known = functions(desk)
    desk.show(shown, lambda out, _: tell_chain(out, shown, known))


@copy.command()
@click.argument("item")
@copy_number
@click.option("--svg", "svg_path", type=click.Path(path_type=Path), help="Write the whole label, for a printer.")
@click.option("--png", "png_path", type=click.Path(path_type=Path), help="Write a picture of the code alone.")
@click.option("--outside", is_flag=True, help="For the outer envelope: the code and the reference, nothing else.")
@chosen_relationship
@looking
@housed
def label(
    desk: Desk,
    item: str,
    number: int | None,
    svg_path: Path | None,
    png_path: Path | None,
    relationship: str | None,
    viewer: str | None,
    *,
    outside: bool,
) -> None:
    """Print the label of a copy: what it is, and a code that says nothing to strangers.

    Example:
      comity copy label i-7k3m… --copy 1 --svg label.svg
    """
    from comity.cli.labels import png, svg

    request = LabelCopy(item=item, copy=number, actor=Actor(viewer) if viewer else None, relationship=relationship)
    found: Label = desk.call("copy.label", request)
    if svg_path is not None:
        write_new_file(svg_path, svg(found, outside=outside))
    if png_path is not None:
        write_new_file(png_path, png(found.reference))
    written = [str(path) for path in (svg_path, png_path) if path is not None]
    desk.show(found, lambda out, _: tell_label(out, found, written, outside=outside))


@copy.command()
@click.argument("reference")
@looking
@housed
def scan(desk: Desk, reference: str, viewer: str | None) -> None:
    """Find the copy that a label stands on, by what its code says.

    Example:
      comity copy scan c-5q2k…
    """
    found: CopyLine = desk.call("copy.scan", ScanCopy(reference=reference, actor=Actor(viewer) if viewer else None))
    known = functions(desk)
    desk.show(found, lambda out, _: tell_copies(out, found.item, [found], known))


@copy.command()
@click.argument("item")
@copy_number
@click.option("--circumstances", required=True, help="Since when, and what was done to find it.")
@chosen_relationship
@acting
@housed
def lost(
    desk: Desk,
    item: str,
    number: int | None,
    circumstances: str,
    relationship: str | None,
    actor: str,
    key: Path | None,
) -> None:
    """Say that a copy cannot be found; whoever gave it hears of it.

    Example:
      comity copy lost i-7k3m… --copy 2 --circumstances "not in its safe at the count" --as lee
    """
    request = LoseCopy(
        item=item, copy=number, circumstances=circumstances, actor=Actor(actor), relationship=relationship
    )
    desk.show(desk.act("copy.lost", request, key), tell_told)


@copy.command()
@click.argument("item")
@copy_number
@click.option("--circumstances", required=True, help="Where it was, and who could get at it meanwhile.")
@chosen_relationship
@acting
@housed
def found(
    desk: Desk,
    item: str,
    number: int | None,
    circumstances: str,
    relationship: str | None,
    actor: str,
    key: Path | None,
) -> None:
    """Say that a lost copy is there again.

    Example:
      comity copy found i-7k3m… --copy 2 --circumstances "behind the safe, seal unbroken" --as lee
    """
    request = FindCopy(
        item=item, copy=number, circumstances=circumstances, actor=Actor(actor), relationship=relationship
    )
    desk.show(desk.act("copy.found", request, key), tell_told)


@copy.command()
@click.argument("item", metavar="ITEM|REFERENCE")
@copy_number
@click.option("--inner-mark", help="Papers and media: the mark on the inner envelope.")
@click.option("--inner-address", help="The address on the inner envelope.")
@click.option("--to", "outer_recipient", help="The recipient on the outer envelope.")
@click.option("--sender", "outer_sender", help="The sender on the outer envelope.")
@click.option("--register-number", default="", help="The register number on the outer envelope.")
@click.option("--means", type=click.Choice(("vehicle", "crate")), help="Equipment: what it is enclosed in.")
@click.option("--seal", default="", help="The number of the seal.")
@click.option("--concealed", is_flag=True, help="Its shape, size and contents cannot be seen.")
@click.option("--control", default="", help="How it is controlled without a break.")
@chosen_relationship
@acting
@housed
def carry(
    desk: Desk, item: str, number: int | None, relationship: str | None, actor: str, key: Path | None, **packed: Any
) -> None:
    r"""Sign, as a carrier, for a thing that is on its way, and say how it is packed.

    By the reference on its label a carrier signs for what he has in his hands, and learns nothing of what it is.

    Example:
      comity copy carry c-5q2k… --inner-mark 極秘 --inner-address "Air defence desk, Seoul" \
        --to "Ministry of National Defense" --sender "Ministry of Defense" --as courier
    """
    request = Carry(item=item, copy=number, actor=Actor(actor), packing=_packing(**packed), relationship=relationship)
    desk.show(desk.act("copy.carry", request, key), tell_signed)


@click.command("hand-over", cls=Verb)
@click.argument("item")
@copy_number
@click.option("--to", "taker", required=True, metavar="HANDLE", help="Who gets it; somebody of this house.")
@chosen_relationship
@acting
@housed
def hand_over(
    desk: Desk,
    item: str,
    number: int | None,
    taker: str,
    relationship: str | None,
    actor: str,
    key: Path | None,
) -> int:
    """Hand a copy over to somebody else of this house, who must be allowed to open it.

    It is re-sealed to him, its old key is erased, and nobody can open it until he signs with 'comity take-over'.

    Example:
      comity hand-over i-7k3m… --copy 1 --to lee --as kim
    """
    request = HandOver(item=item, copy=number, taker=taker, actor=Actor(actor), relationship=relationship)
    handed: HandedOn = with_own_keys(desk, "hand-over", request, key)
    known = functions(desk)
    desk.show(handed, lambda out, _: _decided(out, handed, known, lambda: tell_handed(out, handed)))
    return DONE if handed.records else REFUSED


@click.command("take-over", cls=Verb)
@click.argument("item")
@copy_number
@click.option("--condition", default="", help="What you found amiss with it, if anything.")
@chosen_relationship
@acting
@housed
def take_over(
    desk: Desk, item: str, number: int | None, condition: str, relationship: str | None, actor: str, key: Path | None
) -> None:
    """Sign for a copy that was sent to you; you answer for it from now on.

    Example:
      comity take-over i-7k3m… --copy 1 --as lee
    """
    request = TakeOver(item=item, copy=number, actor=Actor(actor), condition=condition, relationship=relationship)
    desk.show(desk.act("take-over", request, key), tell_signed)


def _decided(out: Output, told: CopiesMade | HandedOn, known: dict[str, str], then: Any) -> None:
    tell_outcome(out, tell(told.decision), known, full=False)
    if told.outcome != "permit":
        out.gap()
        out.text("Nothing was done. The refusal is recorded in this house.")
        out.next((f"comity why {told.decision_record[:16]}", "the whole decision"))
        return
    out.gap()
    then()


def with_own_keys(desk: Desk, flow: str, request: MakeCopies | HandOver | HandOn, key: Path | None) -> Any:
    """(7) The act; where its actor keeps his own keys, he re-wraps the copy here with the ones in ``key``.

    Raises:
        Misuse: he keeps his own keys, and none were named.
    """
    told: CopiesMade | HandedOn | HandedOnward = desk.act(flow, request, key)
    if told.rewrap is None and not (isinstance(told, HandedOn) and told.confirm):
        return told
    if key is None:
        raise Misuse(f"{request.actor.handle!r} keeps his own keys; name them with --key FILE", code="strict-keys")
    wrapped = told.wrapped if isinstance(told, HandedOn) else ()
    headers = _rewrapped(told.rewrap, key) if told.rewrap is not None else wrapped
    given = Rewrapped(decision_record=told.decision_record, headers=headers)
    return desk.act(flow, msgspec.structs.replace(request, rewrapped=given), key)


def _rewrapped(asked: Rewrap, key: Path) -> tuple[bytes, ...]:
    from comity.cli.person_keys import read_person_keys
    from comity.seal.age import rewrap
    from comity.seal.keys import parse_recipient

    identities = read_person_keys(key).identities
    return tuple(rewrap(asked.header, identities, [parse_recipient(each)], os.urandom) for each in asked.recipients)


def _packing(
    *,
    inner_mark: str | None,
    inner_address: str | None,
    outer_recipient: str | None,
    outer_sender: str | None,
    register_number: str,
    means: Any,
    seal: str,
    control: str,
    concealed: bool,
) -> Packing | None:
    """How it is packed, as the carrier says; None where he says nothing.

    Raises:
        Misuse: he says that it is in envelopes and in a crate.
    """
    envelopes = (inner_mark, inner_address, outer_recipient, outer_sender)
    if means is None and not any(envelopes):
        return None
    if means is not None and any(envelopes):
        raise Misuse("it is in two envelopes, or in a vehicle or crate; not both", code="packing")
    if means is not None:
        return Enclosure(means=means, seal=seal, concealed=concealed, control=control)
    if not inner_mark:
        raise Misuse("say which mark the inner envelope shows: --inner-mark MARK", code="packing")
    return DoubleEnvelope(
        inner_mark=inner_mark,
        inner_address=inner_address or "",
        outer_recipient=outer_recipient or "",
        outer_sender=outer_sender or "",
        register_number=register_number,
    )
