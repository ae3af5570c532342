"""How copies read: a list of them, the chain of custody of one, and what came of an act."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from comity.cli.decisions import named
from comity.cli.instants import told_instant
from comity.cli.output import Output
from comity.flows.handling.copies import CopyLine, CopyShown, Label, Link
from comity.flows.handling.copying import CopiesMade
from comity.flows.handling.handing_over import HandedOn, Signed
from comity.flows.handling.losing import CopyTold
from comity.record.bodies.custody import DoubleEnvelope, Packing

Known = Mapping[str, str]
"""Functions by pseudonym."""
_SAYS: Mapping[str, str] = {
    "consignment/1": "given by {party} to {to}",
    "verdict/1": "sent back undelivered by {party}",
    "derivation/1": "made by {by}",
    "reproduction/1": "made by {by}",
    "hand-over/1": "handed over by {by} to {to}",
    "carriage/1": "carried by {by}",
    "take-over/1": "taken over by {by}",
    "copy-lost/1": "lost, as {by} says",
    "copy-found/1": "found again by {by}",
    "return/1": "sent back by {by}",
    "return-receipt/1": "taken back by {by}",
    "destruction/1": "destroyed by {by}",
    "destruction-witness/1": "its destruction witnessed by {by}",
    "pass-on/1": "passed on to {to} by {by}",
}
"""What a link says, by its record type; another type is named as it is."""


def tell_made(out: Output, made: CopiesMade, known: Known) -> None:
    """The copies that were made."""
    out.line("copied  ", (f"copy {made.copy} of {made.item}", "strong"))
    out.fields(
        [
            *((f"copy {each.number}", f"for {named(each.holder, known)}") for each in made.made),
            ("marks", " = ".join(made.marks)),
        ]
    )
    first = made.made[0].number
    out.next((f"comity copy label {made.item} --copy {first}", "print its label"))


def tell_handed(out: Output, handed: HandedOn) -> None:
    """A copy that was handed over."""
    out.line("handed over  ", (f"copy {handed.copy} of {handed.item}", "strong"), f"  to {handed.taker}")
    out.text("Nobody can open it until it is signed for.", indent=2)
    out.next((f"comity take-over {handed.item} --copy {handed.copy} --as {handed.taker}", "the receipt"))


def tell_signed(out: Output, signed: Signed) -> None:
    """A receipt that was signed."""
    what = f"copy {signed.copy} of {signed.item}" if signed.item else "what has this label"
    out.line("signed for  ", (what, "strong"), f"  by {signed.by}")
    out.fields([("state", signed.state), *(("recorded as", record[:16]) for record in signed.records.values())])
    for each in signed.amiss:
        out.line(("warning  ", "warn"), each.says, indent=2)
        unchecked = ", unchecked: warns only" if each.provenance == "K" else ""
        cited = f"Article {each.clause} of {each.instrument} [{each.provenance}{unchecked}]"
        out.line((cited, "dim"), indent=11)


def tell_told(out: Output, told: CopyTold) -> None:
    """A copy that was lost or found."""
    out.line((f"copy {told.copy} of {told.item}", "strong"), f"  is {told.state}")
    out.fields([("recorded as", record[:16]) for record in told.records.values()])
    if told.state == "lost":
        out.next(
            (
                f"comity incident report --item {told.item} --copy {told.copy} --what lost --help",
                "what a loss asks for",
            ),
            (f"comity copy found {told.item} --copy {told.copy} --help", "once it is there again"),
        )


def tell_copies(out: Output, item: str, copies: Sequence[CopyLine], known: Known) -> None:
    """A list of copies."""
    out.line(("copies of ", "dim"), (item, "strong"))
    if not copies:
        out.line("none", indent=2)
        return
    heads = ("copy", "state", "with", "from", "opened", "reference")
    rows = [
        (
            str(each.number),
            each.state
            + (", found again" if each.found and each.state != "lost" else "")
            + (", to be handed over" if each.to_hand_over else ""),
            named(_way(each), known),
            str(each.made_from or ""),
            str(each.openings),
            each.reference,
        )
        for each in copies
    ]
    out.table(heads, rows)
    first = copies[0]
    out.next((f"comity copy show {item} --copy {first.number}", "in whose hands it was"))


def _way(copy: CopyLine) -> str:
    """Its holder, and whom it is on its way to."""
    return f"{copy.holder} to {copy.taker}" if copy.taker not in (None, copy.holder) else copy.holder


def tell_chain(out: Output, shown: CopyShown, known: Known) -> None:
    """(2) The chain of custody, drawn as a line of time: a dot is somebody who answers for the copy."""
    copy = shown.copy
    out.line((f"copy {copy.number} of {copy.item}", "strong"), f"  {_now(copy, known)}")
    for link in shown.chain:
        sign = "●" if link.answers else "│"
        at = told_instant(link.at)
        made = f" from copy {copy.made_from}" if link.kind == "reproduction/1" else ""
        out.line((at, "dim"), f"  {sign}  {named(_sentence(link), known)}{made}", indent=2)
        left = " " * len(at)
        for more in _details(link):
            out.line(f"{left}  │  ", (more, "dim"), indent=2)


def _now(copy: CopyLine, known: Known) -> str:
    """Where a copy is, in one phrase."""
    if copy.state != "in transit":
        who = "" if copy.state in ("returned", "destroyed", "passed on") else f" by {named(copy.holder, known)}"
        return copy.state + (who if copy.state == "held" else "")
    with_whom = f", with {named(copy.custodian, known)}" if copy.custodian else ""
    return f"in transit to {named(copy.taker, known)}{with_whom}" if copy.taker else f"in transit{with_whom}"


def _sentence(link: Link) -> str:
    if link.kind == "receipt/1":
        return f"received by {link.party}" if link.answers else f"its record received by {link.party}"
    return _SAYS.get(link.kind, link.kind).format(party=link.party, by=link.by or link.party, to=link.to)


def _details(link: Link) -> list[str]:
    signed = f", signed with key {link.key}" if link.key else ""
    return [
        *([f"“{link.says}”"] if link.says else []),
        *([_packed(link.packing)] if link.packing is not None else []),
        f"{link.record[:16]}{signed}",
    ]


def _packed(packing: Packing) -> str:
    if isinstance(packing, DoubleEnvelope):
        number = f", {packing.register_number}" if packing.register_number else ""
        return (
            f"in two envelopes: {packing.inner_mark}, {packing.inner_address}; outside {packing.outer_sender} to "
            f"{packing.outer_recipient}{number}"
        )
    seen = "concealed" if packing.concealed else "not concealed"
    return f"in a {packing.means}, seal {packing.seal or 'none'}, {seen}, {packing.control or 'no control named'}"


def tell_label(out: Output, label: Label, written: Sequence[str], *, outside: bool) -> None:
    """A label, and where it was written."""
    from comity.cli.labels import terminal

    for line in terminal(label.reference):
        out.line(line, indent=2)
    pairs = [("reference", label.reference)]
    if not outside:
        held = ", ".join(each for each in (label.holder, label.body) if each)
        pairs = [
            ("marks", " = ".join(label.marks)),
            ("copy", f"{label.number} of {label.item}"),
            ("with", held),
            *pairs,
        ]
    out.fields([*pairs, *(("written to", path) for path in written)])
    out.next((f"comity copy scan {label.reference}", "what a reader of the code finds"))
