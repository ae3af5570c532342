"""Marks on what crosses: the receiver's own mark, and the banner a reader sees (Articles 2(a), 4.2)."""

from __future__ import annotations

from typing import cast

import msgspec

from comity.agreement.model import Agreement
from comity.agreement.vocabulary import Language
from comity.errors import Refused
from comity.flows.actors import Actor
from comity.flows.house import House
from comity.flows.lineage import originals
from comity.flows.work import Draft, Work
from comity.marking.banner import Banner, BannerLine, banner, derivative_banner
from comity.marking.label import Label
from comity.marking.translation import MarkedLabel, NeedsChoice, translate
from comity.record import bodies
from comity.record.person_act import unsigned
from comity.record.statement import DOMESTIC
from comity.register.rows import AgreementRow, ItemRow
from comity.register.rows.lineage import DerivativeRow


class MarkItem(msgspec.Struct, frozen=True, kw_only=True):
    """Choose this party's own mark for a received item, where the agreement offers several."""

    item: str
    mark: str
    actor: Actor


class MarkingShown(msgspec.Struct, frozen=True, kw_only=True):
    """An item's marks and its banner."""

    item: str
    label: Label
    alternative: Label
    banner: Banner


def alternative_label(agreement: Agreement, label: Label, to: str) -> Label | None:
    """The one mark of party ``to`` for ``label``; None where the agreement offers several and ``to`` chooses.

    Raises:
        Refused: above the ceiling, or no equivalent.
    """
    found = translate(agreement, label, to)
    return found.alternative if isinstance(found, MarkedLabel) else None


async def own_marking(house: House, row: AgreementRow, item: ItemRow) -> MarkedLabel:
    """A received item's label with this party's own mark beside it, as chosen or as the agreement and its layers say.

    Raises:
        Refused: several marks correspond, and nobody has chosen yet.
    """
    running = await house.library.load(row)
    found = translate(running.agreement, item.label, house.party, running.layers)
    if isinstance(found, MarkedLabel):
        return found
    if item.alternative is None:
        marks = " or ".join(repr(candidate.mark) for candidate in found.candidates)
        raise Refused(
            f"{item.label.mark!r} corresponds to {marks} here; a registry officer must choose first: "
            f"comity inbox mark {item.item} MARK",
            code="mark-not-chosen",
            place=found.clause,
        )
    return MarkedLabel(item.label, item.alternative, found.clause)


async def mark_item(house: House, request: MarkItem) -> MarkingShown:
    """Record the choice of a mark.

    Raises:
        Misuse: the mark is none of those that correspond, or the actor may not choose.
    """
    item = await house.need(ItemRow, request.item, "item")
    row = await house.agreement_row(item.relationship)
    running = await house.library.load(row)
    found = translate(running.agreement, item.label, house.party)
    candidates = found if isinstance(found, NeedsChoice) else NeedsChoice((found.alternative,), found.clause)
    candidates.choose(request.mark)
    person = await house.person(request.actor.handle)
    body = bodies.Marked(item=item.item, mark=request.mark, by=person.person, signature=unsigned())
    signed = await house.sign(body, DOMESTIC, request.actor)

    async def mark(work: Work) -> None:
        await work.say(Draft(DOMESTIC, signed))

    await house.sequencer.submit(mark)
    return await show_marking(house, row, await house.need(ItemRow, request.item, "item"))


async def show_marking(house: House, row: AgreementRow, item: ItemRow) -> MarkingShown:
    """The marks and the banner of a received item."""
    running = await house.library.load(row)
    marked = await own_marking(house, row, item)
    words = running.agreement.marking
    identify = words is not None and words.identification is not None
    lines = banner(running.agreement, marked, provider=row.peer, identify=identify, rights=item.rights)
    return MarkingShown(item=item.item, label=item.label, alternative=marked.alternative, banner=lines)


async def show_derived_marking(house: House, made: list[tuple[AgreementRow, DerivativeRow]]) -> MarkingShown:
    """The marks and the banner of something made here from received information (Articles 4.3, 15).

    What it carries for each relationship stands on it; what several ask for in the same words stands there once.
    """
    lines: list[BannerLine] = []
    for row, derivative in made:
        agreement = (await house.library.load(row)).agreement
        words = agreement.marking
        given = await originals(house, row.relationship, derivative)
        lines += derivative_banner(
            agreement,
            derivative.label,
            provider=row.peer,
            originals=[each.label for each in given],
            identify=words is not None and words.identification is not None,
            contains=words is not None and words.derivative is not None,
            translated_into=cast("Language", derivative.language) if derivative.note else None,
            rights=[each.rights for each in given],
        ).lines
    first = made[0][1]
    return MarkingShown(
        item=first.item, label=first.label, alternative=first.label, banner=Banner(tuple(dict.fromkeys(lines)))
    )
