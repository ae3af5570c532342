"""``comity item`` and ``comity given``: one item's whole story, and everything this house gave."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import click

from comity.cli.decisions import functions, named
from comity.cli.duties import told_state
from comity.cli.family import tell_family
from comity.cli.instants import told_bounds, told_instant
from comity.cli.options import Desk, Verb, as_actor, housed, seeing
from comity.cli.output import Output, Style, article, wrapped
from comity.flows.looking.duties import DutyShown
from comity.flows.looking.given import GivenCopy, GivenItem, ShowGiven
from comity.flows.looking.item_events import KINDS, Event
from comity.flows.looking.item_story import CopyTold, ItemStory, PlaceTold, ShowItem
from comity.flows.looking.routes import CameTold, OnwardTold
from comity.marking.banner import written

Known = Mapping[str, str]
"""Functions by pseudonym."""


@click.command(cls=Verb)
@click.argument("item")
@click.option("--bounds", is_flag=True, help="Also not before and not after which instant each record was written.")
@seeing
@housed
def item(desk: Desk, item: str, bounds: bool, actor: str | None) -> None:
    """Read one item's whole story: what it is, who has it, everything that was done and decided, what is owed.

    Times are those of whoever said it. --bounds adds what the clocks of others say, if you see the whole register.

    Example:
      comity item i-7k3mxl2q4fjt6wza
      comity item i-7k3mxl2q4fjt6wza --bounds
    """
    known = functions(desk)
    story: ItemStory = desk.call("item", ShowItem(item=item, actor=as_actor(actor), bounds=bounds))
    desk.show(story, lambda out, told: _tell_story(out, told, known))


@click.command(cls=Verb)
@click.argument("item", required=False)
@seeing
@housed
def given(desk: Desk, item: str | None, actor: str | None) -> None:
    """See what you gave: who holds it, under what mark, what was done with it, what is due.

    With ITEM every copy of it, and of everything that was made from it there.

    Example:
      comity given i-7k3mxl2q4fjt6wza
    """
    known = functions(desk)
    found: list[GivenItem] = desk.call("given", ShowGiven(item=item, actor=as_actor(actor)))
    desk.show(found, lambda out, told: _tell_given(out, told, known, whole=item is not None))


def times(number: int) -> str:
    """How often.

    >>> times(1), times(3)
    ('1 time', '3 times')
    """
    return "1 time" if number == 1 else f"{number} times"


# ---- the story -------------------------------------------------------------------------------------------------------


def _tell_story(out: Output, story: ItemStory, known: Known) -> None:
    out.line((story.item, "strong"), f"  {story.title}")
    alternative = f" = {written(story.alternative)}" if story.alternative else ""
    out.fields(
        [
            ("mark", written(story.label) + alternative),
            ("originator", story.originator),
            ("topic", f"{story.topic} ({story.subject}, {story.form})"),
            ("came for", story.provided or ""),
            ("rights", story.rights),
            *(_came(story.came) if story.came else ()),
            *((each.relationship, _place(each)) for each in story.places),
        ]
    )
    if story.copies:
        out.gap()
        out.line(("copies", "strong"))
        several = len({each.relationship for each in story.copies}) > 1
        names = [f"copy {each.number}" + (f" in {each.relationship}" if several else "") for each in story.copies]
        out.fields([(name, _copy(each, known)) for name, each in zip(names, story.copies, strict=True)])
    if story.onward:
        out.gap()
        out.line(("went on", "strong"))
        out.fields([(f"to {each.to}", _onward(each)) for each in story.onward])
    if story.family.ancestors or story.family.descendants:
        out.gap()
        out.line(("family", "strong"))
        tell_family(out, story.family)
    out.gap()
    out.line(("what happened", "strong"))
    if story.more:
        out.line(f"{story.more} earlier events are left out", indent=2)
    out.fields([(told_instant(each.at), _event(each, known)) for each in story.events])
    _tell_duties(out, story.duties)


def _came(came: CameTold) -> Iterable[tuple[str, str]]:
    """By whose hand something of another party's came, by which consent, and what that asks."""
    yield "by way of", f"{came.holder}, from {came.originator} as {written(came.label)}"
    yield "by consent", f'{came.consent} of {came.originator}, for "{came.purpose}", until {told_instant(came.until)}'
    yield "on condition", "; ".join(came.conditions)


def _onward(onward: OnwardTold) -> str:
    number = "1 copy" if onward.copies == 1 else f"{onward.copies} copies"
    there = f" as {onward.mark_there}" if onward.mark_there else ""
    back = f"receipted there {told_instant(onward.received)}{there}" if onward.received else "no receipt yet"
    return f"{number} as {onward.mark}, by consent {onward.consent}, {told_instant(onward.at)}; {back}"


def _place(place: PlaceTold) -> str:
    parts = [f"{place.mark or 'no mark'}" + (f", there {place.marked}" if place.marked else "")]
    if place.pending:
        parts.append("a change of level is not carried out yet")
    if place.recalled:
        parts.append(f"recalled ({place.recalled})")
    if place.ended:
        parts.append("no longer needed")
    if place.suspected:
        parts.append(f"open incidents: {', '.join(place.suspected)}")
    if place.consents:
        parts.append(f"consents: {', '.join(place.consents)}")
    return "; ".join(parts)


def _copy(copy: CopyTold, known: Known) -> str:
    parts = [copy.state, named(copy.holder, known), f"opened {times(copy.openings)}"]
    if copy.counted is not None:
        parts.append(f"counted {told_instant(copy.counted)}")
    if copy.trouble:
        parts.append(copy.trouble)
    return ", ".join(parts)


def _event(event: Event, known: Known) -> str:
    what = event.what + (f" (copy {event.copy})" if event.copy is not None else "")
    by = f" by {named(event.by, known)}" if event.by else ""
    return what + by + (f": {named(event.says, known)}" if event.says else "") + told_bounds(event)


def _tell_duties(out: Output, duties: Sequence[DutyShown]) -> None:
    if not duties:
        return
    out.gap()
    out.line(("what is owed", "strong"))
    times_told: dict[tuple[tuple[str, Style], str], int] = {}
    for each in sorted(duties, key=lambda each: each.discharged is not None):  # what is open comes first
        told = _state(each), f"{each.who}: {each.says}, {article(each.clause)} of {each.instrument}"
        times_told[told] = times_told.get(told, 0) + 1
    left = max(len(word) for (word, _), _ in times_told) + 2
    for (state, says), number in times_told.items():
        first, *rest = wrapped(says + (f", {times(number)}" if number > 1 else ""), out.columns - 2 - left)
        out.line(state, " " * (left - len(state[0])) + first, indent=2)
        for line in rest:
            out.line(line, indent=2 + left)


def _state(duty: DutyShown) -> tuple[str, Style]:
    return told_state(duty) or (("always", "dim") if duty.standing else ("open", "strong"))


# ---- what was given --------------------------------------------------------------------------------------------------


def _tell_given(out: Output, items: Sequence[GivenItem], known: Known, *, whole: bool) -> None:
    if not items:
        out.line("nothing was given yet")
        out.next(("comity give FILE --help", "give something"))
        return
    for number, each in enumerate(items):
        if number:
            out.gap()
        out.line((each.item, "strong"), f"  {each.title}")
        out.fields(
            [
                ("in", each.relationship),
                ("mark", written(each.label) + (f" = {each.marked}" if each.marked else "")),
                ("told there", each.mark if each.mark != each.label.mark else ""),
                ("copies", _states(each.states)),
                ("made from it", f"{each.made} there" if each.made else ""),
                ("stands", "; ".join(_standing(each))),
                ("due", _due(each)),
            ]
        )
        if whole:
            _tell_copies(out, each.copies, known)
            _tell_duties(out, each.duties)
    if not whole:
        out.next((f"comity given {items[0].item}", "every copy, and what is due"))


def _states(states: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {state}" for state, number in sorted(states.items())) or "none"


def _standing(item: GivenItem) -> Iterable[str]:
    if item.pending:
        yield f"{item.pending} changes of level are not carried out yet"
    if item.recalled:
        yield "recalled"
    if item.ended:
        yield "no longer needed there"
    if item.suspected:
        yield f"open incidents: {', '.join(item.suspected)}"


def _due(item: GivenItem) -> str:
    return "nothing" if not item.due else f"{item.due} {'duty is' if item.due == 1 else 'duties are'} open"


def _tell_copies(out: Output, copies: Sequence[GivenCopy], known: Known) -> None:
    out.gap()
    out.line(("copies there", "strong"))
    told: list[tuple[str, str]] = []
    for each in copies:
        of = "" if each.relation == "itself" else f" of {each.item} ({each.relation})"
        parts = [each.state, named(each.holder, known), f"under {each.mark}" if each.mark else "", _done(each)]
        opened = f"opened {times(each.openings)}"
        told.append((f"copy {each.number}{of}", ", ".join(part for part in (*parts[:3], opened, parts[3]) if part)))
    out.fields(told)


def _done(copy: GivenCopy) -> str:
    if copy.at is None:
        return ""
    how = f" ({copy.method})" if copy.method else ""
    return f"{KINDS.get(copy.done, copy.done)} {told_instant(copy.at)}{how}"
