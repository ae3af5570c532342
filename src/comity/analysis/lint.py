"""All that can be found in a text before anybody acts on it (``spec/analysis.md`` steps 1 to 11).

>>> from comity.agreement.load import parse_agreement
>>> source = Source(parse_agreement(text, "mine.toml"), "mine.toml", Lines(text))      # doctest: +SKIP
>>> [(each.code, each.clause) for each in lint([(source, ())], tzdata="2026.1")]       # doctest: +SKIP
[('round-trip', '4.1'), ('ambiguous-mark', '4.2'), …]
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

from comity.agreement.equivalence import ladder
from comity.agreement.model import Agreement, Layer
from comity.analysis.dead import dead_rules, permitted_acts
from comity.analysis.duties import undischargeable
from comity.analysis.findings import Finding, Source, in_order
from comity.analysis.lens import Lens
from comity.analysis.marks import ambiguous_marks, marks_without_equivalent, round_trips
from comity.analysis.numbers import notice_out_of_reach, two_numbers
from comity.analysis.tables import borrowed_protection, freezes_without_a_word, unasked_checklists, unused_clauses
from comity.decision.compiled import Compiled, compile_agreement

Stacked = tuple[Source, Sequence[Source]]
"""An agreement, and the layers that stand on it."""


def lint(texts: Sequence[Stacked], *, tzdata: str) -> tuple[Finding, ...]:
    """The findings in some agreements with their layers, the heaviest first.

    Args:
        texts: the agreements, each with its layers. Marks are followed through all of them together.
        tzdata: version of the time zone database; no finding depends on it.
    """
    found = [each for stacked in texts for each in _alone(stacked, tzdata)]
    found += round_trips(texts)
    found += borrowed_protection([source for source, _ in texts])
    return in_order(found)


def _alone(stacked: Stacked, tzdata: str) -> Iterator[Finding]:
    source, layers = stacked
    lens = lens_of(stacked, tzdata)
    yield from marks_without_equivalent(source, layers)
    yield from ambiguous_marks(source, layers)
    yield from notice_out_of_reach(source)
    yield from two_numbers(source, layers)
    yield from undischargeable(source, layers, permitted_acts(lens))
    yield from unasked_checklists(source, layers)
    yield from freezes_without_a_word(source, layers)
    yield from dead_rules(lens, (source, *layers))
    for each in (source, *layers):
        yield from unused_clauses(each)


def compiled_of(stacked: Stacked, tzdata: str) -> Compiled:
    """An agreement with its layers, made ready."""
    source, layers = stacked
    layer_texts = [cast("Layer", each.text) for each in layers]
    return compile_agreement(cast("Agreement", source.text), layer_texts, tzdata=tzdata)


def lens_of(stacked: Stacked, tzdata: str) -> Lens:
    """An agreement with its layers, ready to be asked; everybody is cleared as far as the ladder goes."""
    lens = Lens(compiled_of(stacked, tzdata))
    for party in lens.compiled.party_ids:
        levels = sorted(ladder(lens.compiled.agreement, party), key=lambda level: -level.rank)
        lens.clearances[party] = tuple(level.mark for level in levels[:1])
    return lens
