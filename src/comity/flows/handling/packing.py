"""Packing: whether a thing is packed for its way as the agreement asks (Article 12, ``spec/custody.md`` step 16)."""

from __future__ import annotations

import re

import msgspec

from comity.agreement.model import Agreement
from comity.agreement.vocabulary import Form, Provenance
from comity.errors import Refused
from comity.record.bodies.custody import DoubleEnvelope, Enclosure, Packing

PAPERS: frozenset[Form] = frozenset({"documentary", "magnetic"})
"""What goes in two envelopes; equipment goes in a vehicle or a crate."""


class Amiss(msgspec.Struct, frozen=True):
    """Something about a packing that is not as it should be, and which clause asks for it."""

    says: str
    clause: str
    instrument: str
    provenance: Provenance


def packing_amiss(
    agreement: Agreement, packing: Packing | None, form: str, marks: tuple[str, ...]
) -> tuple[Amiss, ...]:
    """What is not as it should be; nothing where the agreement asks for no receipts on the way.

    Args:
        agreement: whose obligation it is.
        packing: as the carrier sees it; None when he says nothing.
        form: of the item.
        marks: that may stand on the inner envelope.
    """
    asked = next((each for each in agreement.obligations if each.act == "give-receipt"), None)
    if asked is None:
        return ()
    clause = next(each for each in agreement.clauses if each.id == asked.clause)
    provenance = asked.provenance or clause.provenance
    return tuple(
        Amiss(says, asked.clause, agreement.id, provenance) for says in _amiss(agreement, packing, form, marks)
    )


def check_packing(found: tuple[Amiss, ...]) -> None:
    """Refuse what is amiss by a clause that was checked; what is unchecked only warns.

    Raises:
        Refused: the first of them.
    """
    for each in found:
        if each.provenance != "K":
            raise Refused(each.says, code="packing", place=f"{each.instrument} {each.clause}")


def _amiss(agreement: Agreement, packing: Packing | None, form: str, marks: tuple[str, ...]) -> list[str]:
    match packing:
        case None:
            return ["nothing is recorded of how it is packed"]
        case DoubleEnvelope():
            wrong = [] if form in PAPERS else [f"information in the form {form!r} does not go in envelopes"]
            return [*wrong, *_envelopes(agreement, packing, marks)]
        case Enclosure():
            wrong = [] if form not in PAPERS else [f"information in the form {form!r} goes in two envelopes"]
            return [*wrong, *_enclosure(packing)]


def _envelopes(agreement: Agreement, packing: DoubleEnvelope, marks: tuple[str, ...]) -> list[str]:
    found = []
    if packing.inner_mark not in marks:
        found.append(f"the inner envelope shows {packing.inner_mark!r}, not {' or '.join(map(repr, marks))}")
    outside = (packing.outer_recipient, packing.outer_sender, packing.register_number)
    words = {word for level in agreement.levels for word in (level.mark, level.english) if word}
    shown = [mark for mark in sorted(words) if any(_shows(text, mark) for text in outside)]
    found += [f"the outer envelope shows a level, {mark!r}" for mark in shown]
    if not packing.inner_address:
        found.append("the inner envelope shows no address")
    if not packing.outer_recipient or not packing.outer_sender:
        found.append("the outer envelope does not show both sender and recipient")
    return found


def _shows(text: str, mark: str) -> bool:
    """Whether a mark stands in a text: "secret" not in "Secretary", "秘" not in "秘書室", but "極秘" in "極秘文書"."""
    whole = mark.isascii() or len(mark) == 1
    pattern = rf"\b{re.escape(mark)}\b" if whole else re.escape(mark)
    return re.search(pattern, text, re.IGNORECASE) is not None


def _enclosure(packing: Enclosure) -> list[str]:
    found = []
    if not packing.seal:
        found.append("it is not sealed")
    if not packing.concealed:
        found.append("its shape, size or contents can be seen")
    if not packing.control:
        found.append("nobody says how it is controlled without a break")
    return found
