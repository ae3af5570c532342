"""Counting: whose copies a muster expects, what was counted so far, what the register says of one (Article 6(f))."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

import msgspec

from comity.errors import Misuse, Rejected
from comity.flows.handling.copy_references import REFERENCE, copy_by_reference
from comity.flows.house import PSEUDONYM_OF, House
from comity.record.bodies.inventory import SHEET_COPIES_MAX, CopyCounted, Counted
from comity.record.encoding import Count, Identifier, Instant, Relationship, decode, encode
from comity.register.rows import CopyRow, DirectoryRow, PersonRow
from comity.register.rows.inventory import MusterRow
from comity.register.rows.lineage import DerivativeRow

DRAFT = "muster-draft"
"""Side table: musters that are under way, by id; removed when they are signed or given up."""
MUSTER_COPIES_MAX = 48 * SHEET_COPIES_MAX
"""Most copies of one muster; a larger house counts by facility or by holder."""
NUMBER_DIGITS_MAX = 15
"""Longest number of a copy, in digits."""
DRAFTS_MAX = 1_000
"""Most musters under way at once."""


class CopyRef(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A copy by relationship (None where the register knows none), item and number."""

    relationship: Relationship | None
    item: Identifier
    number: Count


class MusterDraft(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A muster under way, as the house keeps it."""

    muster: Identifier
    facility: Identifier | None
    holder: Identifier | None
    by: Identifier
    begun: Instant
    expected: Count
    present: Count = 0
    counted: tuple[CopyRef, ...] = ()


class MusterTold(msgspec.Struct, frozen=True, kw_only=True):
    """Where a muster stands. ``remaining`` are expected and not counted yet; ``signed`` is None while that goes on."""

    muster: str
    facility: str | None
    holder: str | None
    by: str
    begun: datetime
    expected: int
    counted: int
    remaining: int
    signed: datetime | None
    record: str | None
    findings: int


class Scope:
    """Whose copies a muster expects."""

    def __init__(self, house: House, draft: MusterDraft) -> None:
        self._house = house
        self._draft = draft
        self._known: dict[tuple[str, str], tuple[bool, str]] = {}

    async def holder(self, relationship: str, pseudonym: str) -> tuple[bool, str]:
        """Whether copies of this holder are expected, and the holder's function."""
        key = relationship, pseudonym
        if key not in self._known:
            self._known[key] = await self._look(relationship, pseudonym)
        return self._known[key]

    async def _look(self, relationship: str, pseudonym: str) -> tuple[bool, str]:
        house, draft = self._house, self._draft
        entry = await house.row(DirectoryRow, f"{relationship}/{house.party}/{pseudonym}")
        if entry is None:  # somebody of the other party
            return False, pseudonym
        if draft.facility is None and draft.holder is None:
            return True, entry.function
        person = await house.side(PSEUDONYM_OF, f"{relationship}/{pseudonym}")
        row = await house.row(PersonRow, person.decode()) if person is not None else None
        if draft.holder is not None:
            return row is not None and row.person == draft.holder, entry.function
        sites = (entry.firm,) if row is None else (row.site, row.firm)
        return draft.facility in sites, entry.function

    async def found(self, ref: CopyRef) -> tuple[Counted, str]:
        """What the register says of a copy that was counted, and whose it is."""
        row = None
        if ref.relationship is not None:
            row = await self._house.row(CopyRow, f"{ref.relationship}/{ref.item}/{ref.number:06d}")
        if row is None or ref.relationship is None:
            return "unknown", ""
        expected, function = await self.holder(ref.relationship, row.holder)
        if row.state != "held":
            return row.state, function
        return ("present" if expected else "elsewhere"), function

    async def expected(self) -> AsyncIterator[CopyRef]:
        """Every copy that must be here, in the order of the register."""
        made: set[tuple[str, int]] = set()
        for relationship, _peer in await self._house.relationships():
            async for _key, copy in self._house.rows(CopyRow, f"{relationship}/"):
                if copy.state != "held" or not (await self.holder(relationship, copy.holder))[0]:
                    continue
                if await _made_here(self._house, relationship, copy):
                    if (copy.item, copy.number) in made:
                        continue
                    made.add((copy.item, copy.number))
                yield CopyRef(relationship, copy.item, copy.number)


async def lines_of(house: House, draft: MusterDraft) -> list[CopyCounted]:
    """Every line of a muster: what was counted, in that order, then what was missed."""
    scope = Scope(house, draft)
    lines = []
    for ref in draft.counted:
        found, _ = await scope.found(ref)
        lines.append(CopyCounted(item=ref.item, number=ref.number, relationship=ref.relationship, found=found))
    counted = set(draft.counted)
    missed = [ref async for ref in scope.expected() if ref not in counted]
    lines += [
        CopyCounted(item=ref.item, number=ref.number, relationship=ref.relationship, found="missing") for ref in missed
    ]
    if len(lines) > MUSTER_COPIES_MAX:
        raise Misuse(
            f"{len(lines)} copies for one muster, at most {MUSTER_COPIES_MAX}; count by facility or by holder",
            code="too-many",
        )
    return lines


async def resolve(house: House, reference: str) -> CopyRef:
    """The copy that a scanned label or a typed reference names.

    A label whose reference nobody here knows is a copy too: an unknown one, called by that reference, number 0.

    Raises:
        Misuse: it names none that could be, or several relationships have that copy.
    """
    typed = reference.strip()
    if REFERENCE.fullmatch(typed):
        try:
            relationship, copy = await copy_by_reference(house, typed)
        except Misuse:
            return CopyRef(None, typed, 0)
        found = await _relationships(house, copy.item, copy.number)
        return CopyRef(
            found[0] if await _made_here(house, relationship, copy) else relationship, copy.item, copy.number
        )
    ref = _typed(typed)
    known = [each for each in await _relationships(house, ref.item, ref.number) if ref.relationship in (None, each)]
    if len(known) > 1:
        copy = await house.need(CopyRow, f"{known[0]}/{ref.item}/{ref.number:06d}", "copy")
        if not await _made_here(house, known[0], copy):
            raise Misuse(
                f"copy {ref.number} of {ref.item!r} is known in {' and '.join(known)}; scan its label",
                code="which-copy",
            )
    return CopyRef(known[0] if known else None, ref.item, ref.number)


def _typed(reference: str) -> CopyRef:
    path, _, number = reference.rpartition("/")
    relationship, _, item = path.rpartition("/")
    written = number.isascii() and number.isdecimal() and len(number) <= NUMBER_DIGITS_MAX
    try:
        return decode(encode((relationship or None, item, int(number) if written else -1)), CopyRef)
    except Rejected:
        raise Misuse(f"{reference[:80]!r} is no copy; scan its label, or type ITEM/NUMBER", code="no-copy") from None


async def _relationships(house: House, item: str, number: int) -> list[str]:
    """Where this house knows a copy of that number."""
    return [
        each
        for each, _ in await house.relationships()
        if await house.row(CopyRow, f"{each}/{item}/{number:06d}") is not None
    ]


async def _made_here(house: House, relationship: str, copy: CopyRow) -> bool:
    """Whether a copy is of something made here from what was received: one thing, in several relationships."""
    made = await house.row(DerivativeRow, f"{relationship}/{copy.item}")
    return made is not None and made.maker == house.party and made.record == copy.consignment


async def drafts(house: House) -> AsyncIterator[MusterDraft]:
    """Every muster under way."""
    for _key, value in await house.store.scan(DRAFT, limit=DRAFTS_MAX):
        yield decode(value, MusterDraft)


async def draft_of(house: House, muster: str | None) -> MusterDraft:
    """The muster that was named, or the only one under way.

    Raises:
        Misuse: there is none, or several are.
    """
    found = [each async for each in drafts(house) if muster in (None, each.muster)]
    if not found:
        what = (
            f"no muster {muster!r} is under way" if muster else "no muster is under way; begin one: comity muster begin"
        )
        raise Misuse(what, code="no-muster")
    if len(found) > 1:
        names = ", ".join(each.muster for each in found)
        raise Misuse(f"several musters are under way ({names}); name one with --muster", code="which-muster")
    return found[0]


async def under_way(house: House, draft: MusterDraft) -> MusterTold:
    """Where a muster stands that is under way; what it misses is counted from its beginning."""
    return MusterTold(
        muster=draft.muster,
        facility=draft.facility,
        holder=await house.handle(draft.holder) if draft.holder else None,
        by=await house.handle(draft.by),
        begun=draft.begun,
        expected=draft.expected,
        counted=len(draft.counted),
        remaining=max(0, draft.expected - draft.present),
        signed=None,
        record=None,
        findings=len(draft.counted) - draft.present,
    )


async def signed_told(house: House, row: MusterRow) -> MusterTold:
    """A muster that was signed."""
    return MusterTold(
        muster=row.muster,
        facility=row.facility,
        holder=await house.handle(row.holder) if row.holder else None,
        by=await house.handle(row.by),
        begun=row.begun or row.at,
        expected=row.expected,
        counted=row.counted,
        remaining=0,
        signed=row.at,
        record=row.record.hex(),
        findings=row.findings,
    )
