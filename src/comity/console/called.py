"""What items are called on pages: by their title, where whoever reads may see one, else by topic and day.

Whoever received an item has no title for it: titles stay at home. Its number says nothing to people, so it stands
beside a name, never alone; of what a reader may not see, and of what is not there, the number is all that stands
(``spec/visibility.md`` step 8). A page on which items are named bears their banner.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from comity.console.languages import Language
from comity.console.visit import Visit
from comity.flows.finding.pages import PageLine
from comity.flows.looking.called import ITEMS_MAX, ItemNamed, NameItems
from comity.flows.looking.item_story import ItemStory
from comity.marking.label import Label

Named = ItemNamed | PageLine | ItemStory
"""Whatever tells title, topic and day of an item."""
AN_ITEM = "i-"
"""How the ids of items begin."""


def called(words: Language, named: Named) -> str:
    """What a person calls an item, in his language."""
    day = words.date(named.registered)
    return named.title or words.say("%(topic)s, registered on %(day)s", topic=named.topic, day=day)


def called_whole(words: Language, named: Named) -> str:
    """Likewise, with its number where it has no title of its own; for headings, and wherever it stands once."""
    return named.title or f"{called(words, named)} ({named.item})"


async def names(visit: Visit, items: Iterable[str]) -> dict[str, ItemNamed]:
    """Of these items those that whoever looks may see, by their ids."""
    wanted = tuple(dict.fromkeys(each for each in items if each.startswith(AN_ITEM)))
    found: list[ItemNamed] = []
    if wanted:
        found = await visit.ask("item.called", NameItems(items=wanted[:ITEMS_MAX], actor=visit.actor))
    return {each.item: each for each in found}


def labels(known: Mapping[str, ItemNamed]) -> list[tuple[Label, Label | None]]:
    """What the banner of a page is made of on which these stand."""
    return [(each.label, each.alternative) for each in known.values()]
