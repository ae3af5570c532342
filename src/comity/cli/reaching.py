"""``comity agreement flows``: how far information gets, and whether anything does without its originator's consent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click
import msgspec

from comity.agreement.vocabulary import Form
from comity.cli.analysing import layers_option, stacked
from comity.cli.options import Verb, spoken
from comity.cli.output import FINDINGS, Output, article
from comity.errors import Misuse

if TYPE_CHECKING:
    from comity.analysis.flows import Answer, Breach, Flows, Reach
    from comity.analysis.holdings import As
    from comity.analysis.kinds import Chosen
    from comity.analysis.telling import Passage
    from comity.analysis.telling import Path as Way

_GOT: dict[As, str] = {
    "party": "its people get at it",
    "serves": "it is served by who gets at it",
    "via": "it goes by way of it",
    "nation": "a national of it gets at it",
}
_DONE = {
    "give": "gives it to",
    "show": "shows it to",
    "visit": "lets it be seen on a visit by",
    "feed": "publishes it to",
    "pass-on": "passes it on to",
    "open": "lets it be opened by",
    "use-for": "lets it be used by",
    "hand-over": "lets it be handed over to",
    "copy": "lets it be copied by",
    "translate": "lets it be translated by",
    "extract": "lets an extract be made of it by",
    "reclassify": "lets it be marked anew by",
}
LISTED_MAX = 4
"""Most bodies that one row of a table names."""
CLOSING = "By these texts alone, and if everybody keeps to them; what is not looked at is told with --json."
_FIXED = {"mark": "marked {}", "form": "that is {}", "subject": "about {}", "purpose": "given for {}"}
_MADE = {"copy": "a copy", "translation": "a translation", "extract": "an extract", "contains": "a document with it in"}


class Reached(msgspec.Struct, frozen=True, kw_only=True):
    """What follows from some texts.

    Attributes:
        agreements: ids of the agreements looked at.
        layers: ids of their layers.
        answers: one for each originator.
        not_modelled: what the answers say nothing of.
    """

    agreements: tuple[str, ...]
    layers: tuple[str, ...]
    answers: tuple[Answer, ...]
    not_modelled: tuple[str, ...]


@click.command(cls=Verb)
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@layers_option
@click.option("--from", "originators", multiple=True, metavar="PARTY", help="Whose information; repeat it.  [all]")
@click.option("--to", "to", metavar="BODY", help="Tell every way to one body, step by step.")
@click.option("--mark", help="Only what its originator marks so.")
@click.option("--form", type=click.Choice(get_args(Form)), metavar="FORM", help="Only what has it.")
@click.option("--subject", help="Only what is about this subject.")
@click.option("--svg", type=click.Path(path_type=Path), help="Also write a drawing of --from to this new file.")
@click.option("--purpose", help="Only what is given for this purpose.")
@spoken
def flows(
    out: Output,
    names: tuple[str, ...],
    layers: tuple[str, ...],
    originators: tuple[str, ...],
    to: str | None,
    svg: Path | None,
    **fixed: str | None,
) -> int:
    """Find how far information gets under agreements, and whether to third parties without its originator's consent.

    Every kind of item and of person and every step that a decision permits are followed to the end; a third party that
    is reached without consent is shown with the steps. Ends with code 6 when there is one.

    Example:
      comity agreement flows jp-kr-2016 tisa-2014 jp-us-2007 us-kr-1987 --from jp --to kr
    """
    from comity.analysis.flows import NOT_MODELLED, Flows
    from comity.analysis.kinds import Chosen
    from comity.analysis.lint import compiled_of
    from comity.timezones import time_zones

    texts = stacked(names, layers)
    tzdata = time_zones().version
    asked = Flows([compiled_of(stack, tzdata) for stack in texts])
    known = (*asked.values.bodies, *asked.values.nations)
    if to is not None and to not in known:
        raise Misuse(f"no text names {to!r}; there are " + ", ".join(dict.fromkeys(known)), code="unknown-body")
    chosen = msgspec.convert({name: value for name, value in fixed.items() if value}, Chosen)
    answers = _answers(asked, originators, chosen)
    teller = _Teller(out, asked, chosen)
    if svg is not None:
        _draw(svg, answers, teller)
    reached = Reached(
        agreements=tuple(source.text.id for source, _ in texts),
        layers=tuple(dict.fromkeys(layer.text.id for _, each in texts for layer in each)),
        answers=tuple(_only(each, to) for each in answers),
        not_modelled=NOT_MODELLED,
    )
    out.show(reached, lambda _, reached: teller.tell(reached, at_length=to is not None))
    return 0 if all(each.proven for each in answers) else FINDINGS


def _answers(asked: Flows, originators: Sequence[str], chosen: Chosen) -> list[Answer]:
    """An answer for each originator that is named; for all, when none is, of whom anything fits what was fixed."""
    if originators:
        return [asked.answer(each, chosen) for each in dict.fromkeys(originators)]
    found = [asked.answer(each, chosen) for each in asked.originators if asked.can_give(each, chosen)]
    if not found:
        raise Misuse("nobody has anything that fits what was fixed of it", code="nothing-to-follow")
    return found


def _draw(file: Path, answers: Sequence[Answer], teller: _Teller) -> None:
    from comity.cli.files import write_new_file
    from comity.cli.reach_map import drawing

    if len(answers) != 1:
        raise Misuse("a drawing is of one party's information: name it with --from", code="several-originators")
    write_new_file(file, drawing(answers[0], teller.word).encode())


def _only(answer: Answer, to: str | None) -> Answer:
    """An answer with what it says of one body; of all, when none is named."""
    if to is None:
        return answer
    return msgspec.structs.replace(
        answer,
        breaches=tuple(each for each in answer.breaches if to in {each.body, *each.others}),
        reaches=tuple(each for each in answer.reaches if each.body == to),
    )


class _Teller:
    """Tells answers in words, with those for whatever no text names."""

    def __init__(self, out: Output, asked: Flows, chosen: Chosen) -> None:
        self.out = out
        fixed = [said.format(getattr(chosen, name)) for name, said in _FIXED.items() if getattr(chosen, name)]
        self.nothing = " ".join(("nothing", *fixed))
        values = asked.values
        self.bodies = {body: place for place, body in enumerate(values.bodies)}
        self.purposes = frozenset(values.purposes)
        self.words = {
            values.other_body: "any other body",
            values.other_nation: "another state",
            values.same: "its purpose",
            values.other: "another purpose",
        }
        self.nations = {
            party.id: frozenset(party.nations) for lens in asked.lenses for party in lens.compiled.agreement.parties
        }

    def word(self, name: str) -> str:
        return self.words.get(name, name)

    def tell(self, reached: Reached, *, at_length: bool) -> None:
        for answer in reached.answers:
            self.answer(answer, at_length=at_length)
        self.out.text(CLOSING, style="dim")

    def answer(self, answer: Answer, *, at_length: bool) -> None:
        out, whose = self.out, answer.originator
        if answer.proven:
            said = f": {self.nothing} reaches a third party unless {whose} consents"
            out.line((f"{whose}  ", "strong"), ("proven", "good"), said)
        else:
            out.line(
                (f"{whose}  ", "strong"),
                ("not so", "bad"),
                f": a third party is reached though {whose} did not consent",
            )
        out.text(
            f"first given under {', '.join(answer.under)}; {answer.holdings} kinds of holdings looked at, to the end",
            indent=2,
            style="dim",
        )
        for breach in answer.breaches:
            self._breach(breach)
        ways = list(self._ways(answer.reaches))
        if at_length:
            for reaches in ways:
                self._way(reaches)
        elif ways:
            out.gap()
            out.table(("who", "level", "for", "consent", "how"), self._rows(ways, whose))
        out.gap()

    def _breach(self, breach: Breach) -> None:
        out = self.out
        out.gap()
        others = f"; in the same way {_listed(map(self.word, breach.others))}" if breach.others else ""
        out.text(f"{self.word(breach.body)} is reached: {_GOT[breach.got]}{others}", indent=2, style="bad")
        self._path(breach.path)

    def _ways(self, reaches: Sequence[Reach]) -> Iterator[Sequence[Reach]]:
        """All that reaches a body in one way, together."""
        ways: dict[tuple[int, bool, int, str], list[Reach]] = {}
        for reach in reaches:
            key = self.bodies[reach.body], reach.consent, len(reach.path), self._how(reach.path)
            ways.setdefault(key, []).append(reach)
        for _, together in sorted(ways.items()):
            yield together

    def _way(self, reaches: Sequence[Reach]) -> None:
        out = self.out
        out.gap()
        marks = _listed(mark or "unmarked" for each in reaches for _, mark in each.marks)
        needed = "with consent" if reaches[0].consent else "without consent"
        levels, purposes = self._what(reaches)
        out.text(f"{levels} ({marks}), for {purposes}, {needed}", indent=2)
        self._path(reaches[0].path)

    def _rows(self, ways: Iterable[Sequence[Reach]], whose: str) -> Iterator[Sequence[str]]:
        """A row for each way, with all bodies that are reached alike."""
        rows: dict[tuple[str, ...], list[Reach]] = {}
        for reaches in ways:
            first = reaches[0]
            consent = f"of {whose}" if first.consent else "none"
            rows.setdefault((*self._what(reaches), consent, self._how(first.path, first.body)), []).append(first)
        for (*said, how), alike in rows.items():
            who = [self.word(each.body) for each in alike]
            several = who if len(who) <= LISTED_MAX else [*who[: LISTED_MAX - 1], f"{len(who) - LISTED_MAX + 1} more"]
            yield _listed(several), *said, how if len(who) > 1 else self._how(alike[0].path)

    def _what(self, reaches: Sequence[Reach]) -> tuple[str, str]:
        """The levels and the purposes."""
        purposes = {each.purpose for each in reaches}
        told = "any purpose" if purposes >= self.purposes else _listed(self.word(each.purpose) for each in reaches)
        return _listed(each.level for each in reaches), told

    def _path(self, path: Way) -> None:
        self.out.fields(((f"{each.number}.", self._passage(each)) for each in path), indent=4)

    def _passage(self, passage: Passage) -> str:
        person = passage.person
        somebody = f"somebody of {self.word(person.party)}"
        if person.serves != person.party:
            somebody += f" who serves {self.word(person.serves)}"
        home = self.nations.get(person.party)
        if passage.got == "nation" or (home and person.nationality not in home):
            somebody += f", a national of {self.word(person.nationality)}"
        if person.employer != "party":
            somebody += f", a {person.employer}"
        via = f" by way of {_listed(passage.via)}" if passage.via else ""
        mark = passage.mark or "unmarked"
        said = f"{passage.by} {_DONE[passage.act]} {somebody}{via}: {mark}, for {self.word(passage.purpose)}"
        if passage.made:
            said += f"; what is made is {_MADE[passage.made]}, {passage.marked}, under {passage.made_under}"
        elif passage.marked != passage.mark:
            said += f"; it is now {passage.marked or 'unmarked'}"
        if passage.after or passage.before:
            said += ", " + " and ".join(
                f"{word} {when}" for word, when in (("from", passage.after), ("before", passage.before)) if when
            )
        if passage.consents:
            gaining = _listed(self.word(each.beneficiary) for each in passage.consents)
            said += f"; {passage.consents[0].by} consents that {gaining} may gain"
        if passage.warned:
            unchecked = _listed(f"{article(clause)} of {instrument}" for instrument, clause in passage.warned)
            said += f"; unchecked, and so only warns: {unchecked}"
        return f"{said} [{_listed(map(article, passage.clauses))} of {passage.agreement}]"

    def _how(self, path: Way, each: str = "") -> str:
        """The steps in short; ``each`` is a body that stands for several."""
        return ", ".join(self._short(passage, each) for passage in path)

    def _short(self, passage: Passage, each: str) -> str:
        if passage.made:
            return f"{passage.act} under {passage.made_under}"
        if passage.act == "reclassify":
            return passage.act
        as_what = {"serves": "to who serves ", "via": "by way of "}.get(passage.got, "to ")
        return f"{passage.act} {as_what}{'each' if passage.body == each else self.word(passage.body)}"


def _listed(words: Iterable[str]) -> str:
    """Each word once."""
    return ", ".join(dict.fromkeys(words))
