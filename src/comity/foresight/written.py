"""A supposition as somebody writes it: days and files (``spec/what-if.md`` steps 1 and 2)."""

from __future__ import annotations

from msgspec import Struct

from comity.agreement.calendar import TimeZones
from comity.agreement.load import check_time_zones, parse_agreement, parse_layer
from comity.foresight.clearances import parse_clearances
from comity.foresight.supposition import Ground, SupposedAct, Supposition


class WrittenFile(Struct, frozen=True):
    """A file: its text, and the name that errors give."""

    text: str
    name: str


class Written(Struct, frozen=True, kw_only=True):
    """What is supposed.

    Attributes:
        acts: what would be done, and when.
        by: party whose acts they are; empty for the one whose notice stands, or the first of the file.
        amend: the agreement as it would read.
        laws: domestic layers that would be added.
        clearances: the table of levels and clearances that would be another one.
    """

    acts: tuple[SupposedAct, ...] = ()
    by: str = ""
    amend: WrittenFile | None = None
    laws: tuple[WrittenFile, ...] = ()
    clearances: WrittenFile | None = None


def read_supposition(written: Written, ground: Ground, zones: TimeZones) -> Supposition:
    """What is supposed, with its files read and checked; a law stands on the agreement as it would read.

    Raises:
        Rejected: a file has a mistake; file, line and key are named.
    """
    text = None
    if written.amend is not None:
        text = parse_agreement(written.amend.text, written.amend.name)
        check_time_zones(text, written.amend.text, written.amend.name, zones.zones)
    agreement, table = text or ground.agreement, written.clearances
    clearances = parse_clearances(table.text, table.name, agreement) if table else None
    agreement = clearances.agreement if clearances else agreement
    return Supposition(
        acts=written.acts,
        by=written.by,
        text=text,
        laws=tuple(parse_layer(law.text, law.name, agreement) for law in written.laws),
        clearances=clearances,
    )
