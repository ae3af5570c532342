"""Marks on what crosses: the receiver's own mark, and the banner a reader sees (Articles 2(a), 4.2)."""

from __future__ import annotations

from typing import cast

import msgspec

from comity.agreement.model import Agreement
from comity.agreement.vocabulary import Language
from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.deciding.lineage import originals, relationships_of
from comity.flows.deciding.marking import own_marking
from comity.flows.deciding.visibility import check_role, visible_item
from comity.flows.giving.remarking import Proof
from comity.flows.house import House
from comity.flows.keeping.work import Draft, Work
from comity.marking.banner import Banner, BannerLine, banner, derivative_banner
from comity.marking.label import Label
from comity.marking.translation import MarkedLabel, NeedsChoice, translate
from comity.record import bodies
from comity.record.person_act import unsigned
from comity.record.statement import DOMESTIC
from comity.register.roles import REGISTRY
from comity.register.rows import AgreementRow, ItemRow
from comity.register.rows.lineage import DerivativeRow
from comity.register.rows.routes import ForwardRow


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


async def mark_item(house: House, request: MarkItem) -> MarkingShown:
    """Record the choice of a mark, or that what has to be stamped now bears it; the other party gets the proof.

    What was made from the item is marked with it (``spec/ending.md`` steps 13 to 16).

    Raises:
        Misuse: there is no such item, it is this house's own, the mark is none of those that correspond, or the actor
            may not mark.
        Refused: the mark is below that of what it was made from.
        NeedsSignature: the actor signs with his own key, and has not yet.
    """
    person = await house.person(request.actor.handle)
    check_role(person, request.actor, REGISTRY)
    item = await visible_item(house, None, request.item, person)
    relationships = await relationships_of(house, request.item)
    if not relationships:
        raise Misuse(f"item {request.item!r} is this house's own; its label is its mark", code="own-item")
    own = item.relationship == DOMESTIC
    if not own:
        row = await house.agreement_row(item.relationship)
        found = translate((await house.library.load(row)).agreement, item.label, house.party)
        candidates = found if isinstance(found, NeedsChoice) else NeedsChoice((found.alternative,), found.clause)
        candidates.choose(request.mark)

    async def mark(work: Work) -> None:
        if not own and request.mark:
            body = bodies.Marked(item=item.item, mark=request.mark, by=person.person, signature=unsigned())
            await work.say(Draft(DOMESTIC, await house.sign(body, DOMESTIC, request.actor)))
        for relationship in relationships:
            row = await house.agreement_row(relationship)
            await Proof(house, work, row, request.item, request.mark, request.actor).say()

    await house.sequencer.submit(mark)
    if not own:
        row = await house.agreement_row(item.relationship)
        return await show_marking(house, row, await house.need(ItemRow, request.item, "item"))
    made = [await house.need(DerivativeRow, f"{each}/{request.item}", "derivative") for each in relationships]
    rows = [await house.agreement_row(each) for each in relationships]
    return await show_derived_marking(house, list(zip(rows, made, strict=True)))


async def show_marking(house: House, row: AgreementRow, item: ItemRow) -> MarkingShown:
    """The marks and the banner of a received item."""
    running = await house.library.load(row)
    marked = await own_marking(house, row, item)
    words = running.agreement.marking
    identify = words is not None and words.identification is not None
    forwarded = await house.row(ForwardRow, f"{row.relationship}/{item.item}")
    lines = banner(
        running.agreement,
        marked,
        provider=row.peer,
        identify=identify,
        rights=item.rights,
        handed_on=forwarded.label if forwarded is not None else None,
    )
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
