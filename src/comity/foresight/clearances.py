"""A table of levels and clearances that would be another one (``spec/what-if.md`` step 2).

What stands in the file takes the place of the same tables of the agreement; the whole is checked as an agreement is.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from comity.agreement.check import Mistake, check_agreement, check_name
from comity.agreement.digest import digest_of
from comity.agreement.equivalence import ladder
from comity.agreement.load import read_file
from comity.agreement.model import Agreement, Equivalence, Identifier, Level, Line, Table
from comity.errors import Rejected


class ClearancesHeader(Table, frozen=True):
    """`[clearances]`: of which agreement."""

    format: int
    on: Identifier


class Worth(Table, frozen=True):
    """`[[clearance]]`: what a party's clearances up to a mark would be worth; without `becomes`, nothing."""

    party: str
    mark: Line
    becomes: Line | None = None


class ClearancesFile(Table, frozen=True):
    """Such a table as written."""

    header: ClearancesHeader = msgspec.field(name="clearances")
    levels: tuple[Level, ...] = msgspec.field(name="level", default=())
    equivalences: tuple[Equivalence, ...] = msgspec.field(name="equivalence", default=())
    clearances: tuple[Worth, ...] = msgspec.field(name="clearance", default=())


class Clearances(msgspec.Struct, frozen=True):
    """Such a table, checked.

    Attributes:
        agreement: the agreement with these levels and equivalences; the same one where the file writes none.
        worth: by party and mark what a clearance becomes; None for nothing.
    """

    agreement: Agreement
    worth: Mapping[tuple[str, str], str | None]


def parse_clearances(text: str, file: str, agreement: Agreement) -> Clearances:
    """The table written in ``text``, for an agreement.

    Raises:
        Rejected: it breaks a rule of an agreement file, or is for another agreement; its place is ``file:line``.
    """
    _, lines, read = read_file(text, file, ClearancesFile, "clearances")
    try:
        changed = _changed(read, agreement)
        return Clearances(changed, _worth(read, changed))
    except Mistake as mistake:
        raise Rejected(mistake.sentence, code=mistake.code, place=f"{file}:{lines.of(mistake.path)}") from None


def _changed(read: ClearancesFile, agreement: Agreement) -> Agreement:
    if read.header.on != agreement.id:
        sentence = f"this table is for {read.header.on!r}, not for {agreement.id!r}"
        raise Mistake("other-agreement", ("clearances", "on"), sentence)
    if not (read.levels or read.equivalences or read.clearances):
        raise Mistake("empty-table", ("clearances",), "write a [[level]], an [[equivalence]] or a [[clearance]]")
    tables = {name: getattr(read, name) for name in ("levels", "equivalences") if getattr(read, name)}
    if not tables:
        return agreement
    changed = msgspec.structs.replace(agreement, **tables)
    check_agreement(changed)
    written = msgspec.to_builtins(changed)
    del written["digest"]
    return msgspec.structs.replace(changed, digest=digest_of(written))


def _worth(read: ClearancesFile, agreement: Agreement) -> dict[tuple[str, str], str | None]:
    parties = {party.id for party in agreement.parties}
    found: dict[tuple[str, str], str | None] = {}
    for index, each in enumerate(read.clearances):
        check_name(each.party, parties, ("clearance", index, "party"), "party")
        if each.becomes is not None:
            marks = [level.mark for level in ladder(agreement, each.party)]
            check_name(each.becomes, marks, ("clearance", index, "becomes"), "mark")
        if (each.party, each.mark) in found:
            sentence = f"the clearances of {each.party!r} up to {each.mark!r} are there twice"
            raise Mistake("duplicate-id", ("clearance", index), sentence)
        found[each.party, each.mark] = each.becomes
    return found
