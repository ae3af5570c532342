"""Items on forms: chosen from the newest that whoever fills it in may see, or named by their numbers."""

from __future__ import annotations

from comity.console.banners import banner_of
from comity.console.called import Named, called, names
from comity.console.fields import Field
from comity.console.visit import Visit
from comity.errors import Unavailable
from comity.flows.finding.pages import Page
from comity.flows.finding.questions import Box, ReadPage

OFFERED = 50
"""How many items a form offers, the newest."""


async def item_field(
    visit: Visit, hint: str, *, name: str = "item", several: bool = False, box: Box = "all", value: str = ""
) -> tuple[Field, dict[str, object]]:
    """The field in which an item is chosen or named, and what the page needs besides: its banner.

    Args:
        visit: whose form.
        hint: what is to be known when one fills it in.
        name: of the field.
        several: whether there may be several.
        box: which part of the register is offered.
        value: what stands in it at first.
    """
    offered: dict[str, Named] = {each.item: each for each in await _named_already(visit, name, value)}
    offered |= {each.item: each for each in (await _newest(visit, box)).lines}
    field = Field(
        name=name,
        label=visit.words("Items") if several else visit.words("Item"),
        kind="items" if several else "item",
        hint=hint,
        options=tuple((item, f"{called(visit.words, each)} – {item}") for item, each in offered.items()),
        value=value,
    )
    bears = [(each.label, each.alternative) for each in offered.values()]
    return field, {"banner": await banner_of(visit, bears)}


async def _named_already(visit: Visit, name: str, value: str) -> list[Named]:
    """What the address or the form names, as far as whoever fills it in may see it."""
    given = [
        line.strip() for each in (*visit.query.all(name), *visit.form.all(name), value) for line in each.split("\n")
    ]
    return list((await names(visit, given[:OFFERED])).values())


async def _newest(visit: Visit, box: Box) -> Page:
    """The newest that he sees; nothing, while the index of the register is being made."""
    try:
        page: Page = await visit.ask("register.page", ReadPage(box=box, limit=OFFERED, actor=visit.actor))
    except Unavailable:
        return Page(lines=(), older="", newer="", total=None)
    return page
