"""The pictures of an item: its family, and who had each copy when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from markupsafe import Markup

from comity.console.dates import sayer
from comity.console.pictures import custody, lineage
from comity.console.pictures.axis import Axis
from comity.console.pictures.drawing import Names
from comity.console.visit import Visit
from comity.console.words import RELATIONS, STATES
from comity.flows.deriving.descent import LineageLine, LineageShown
from comity.flows.handling.copies import CopyShown, Link

ENDS: Mapping[str, str] = {
    "return-receipt/1": "returned",
    "destruction/1": "destroyed",
    "copy-lost/1": "lost",
    "pass-on/1": "passed on",
}
"""Records after which nobody here holds the copy, and how it is then."""


def draw_family(visit: Visit, family: LineageShown) -> Markup:
    """What it came from and what was made from it; nothing, for an item without a family."""
    lines = (*family.ancestors, family.item, *family.descendants)
    if len(lines) == 1:
        return Markup()
    say, here = visit.words, visit.desk.house.party
    relatives = [_relative(visit, each, family.item.item, here) for each in lines]
    words = lineage.Words(
        names=Names(
            key="family",
            title=say("Lineage"),
            description=say("What this item was made from, and what was made from it, with the state of their copies."),
            table=say("The same as a table"),
        ),
        sides={"this": say("this item"), "ours": say("made here"), "theirs": say("made by another party")},
        alarm=say("recalled, lost or suspected"),
        more=say("There is more; the table has all of it."),
        columns=(say("Item"), say("How it was made"), say("Marks"), say("Copies"), say("Made from")),
    )
    return lineage.lineage(relatives, words)


def _relative(visit: Visit, line: LineageLine, this: str, here: str) -> lineage.Relative:
    say = visit.words
    states = ", ".join(f"{count} {say.message(STATES.get(state, state))}" for state, count in line.copies.items())
    alarm = [say("recalled")] if line.recalled else []
    alarm += [say("under suspicion")] if line.suspected else []
    made = say.message(RELATIONS.get(line.relation, line.relation))
    return lineage.Relative(
        item=line.item,
        name=line.title or line.item,
        made=f"{made} ({line.language})" if line.language else made,
        marks=" / ".join(each.mark for each in (line.label, line.alternative) if each is not None and each.mark),
        copies=states,
        alarm=", ".join(alarm),
        above=line.ancestors,
        side="this" if line.item == this else "ours" if line.maker == here else "theirs",
        href="" if line.item == this else f"/items/{line.item}",
    )


def draw_custody(visit: Visit, copies: Sequence[CopyShown], functions: Mapping[str, str]) -> Markup:
    """Who answered for each copy from when to when; nothing, where there is no copy to tell of."""
    told = [each for each in copies if each.chain]
    if not told:
        return Markup()
    say, now = visit.words, visit.desk.house.now()
    start = min(each.chain[0].at for each in told)
    axis = Axis(start, max(now, start + timedelta(hours=1)))
    drawn = [
        custody.Copy(
            say("Copy %(number)s", number=each.copy.number)
            if len({one.copy.relationship for one in told}) == 1
            else say("Copy %(number)s, %(where)s", number=each.copy.number, where=each.copy.relationship),
            spans(each, functions),
        )
        for each in told
    ]
    since, until = say.in_context("custody", "From"), say.in_context("custody", "Until")
    words = custody.Words(
        names=Names(
            key="custody",
            title=say("Custody"),
            description=say("Who answered for each copy, from when to when, and how it stood."),
            table=say("The same as a table"),
        ),
        states={state: say.message(word) for state, word in STATES.items()},
        gap=say("nobody is known to have had it"),
        still=say("still"),
        columns=(say("Copy"), say("Holder"), say("State"), f"{since} ({say.zone})", f"{until} ({say.zone})"),
    )
    return custody.custody(drawn, axis, words, sayer(say))


def spans(shown: CopyShown, functions: Mapping[str, str]) -> tuple[custody.Held, ...]:
    """The chain of custody as stretches of time: from each link on that changes who has the copy, or how it stands."""
    found: list[tuple[datetime, str, str]] = []
    holder, state = "", ""
    for link in shown.chain:
        holder, state = _after(link, shown, holder, state)
        if found and (found[-1][1], found[-1][2]) == (holder, state):
            continue
        found.append((link.at, holder, state))
    ends = [at for at, _, _ in found[1:]] + [None]
    return tuple(
        custody.Held(functions.get(who) or who, how, at, end)
        for (at, who, how), end in zip(found, ends, strict=True)
        if end is None or end > at
    )


def _after(link: Link, shown: CopyShown, holder: str, state: str) -> tuple[str, str]:
    """Who has the copy after a link, and how it then stands."""
    if link.kind in ENDS:
        return "", ENDS[link.kind]
    if link.kind == "copy-found/1":
        return link.by or holder, "held"
    if link.to and not link.answers:
        return link.to, "in transit"
    if link.kind == "consignment/1":
        return link.to, "in transit"
    if link.answers:
        return link.by or holder or shown.copy.holder, "held"
    return holder or shown.copy.holder, state or shown.copy.state
