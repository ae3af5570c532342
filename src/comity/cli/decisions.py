"""How a decision reads: the outcome, each reason with its article and how well that is known, and what would change it.

not yet: somebody has to act first
  missing    a condition of assurance is not attested for Air defence desk (n-4xq…)
             Article 7.5 of jp-kr-2016 [S]
  holds      14 conditions

what would change it
  - …
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from comity.cli.options import Desk
from comity.cli.output import Output, Style, visible, width, wrapped
from comity.decision.wording import LANGUAGES
from comity.flows.deciding.explaining import OutcomeTold, ReasonTold
from comity.flows.deciding.picking import TriedTold

PROVENANCE: Mapping[str, str] = {
    "P": "P",
    "S": "S",
    "K": "K, unchecked: warns only",
}
"""How a clause is marked: P read in the text, S in a secondary source, K not checked against the text."""
_OUTCOME_STYLE: Mapping[str, Style] = {
    "permit": "good",
    "needs-consent": "warn",
    "forbidden": "bad",
    "no-basis": "bad",
}
_EFFECT_STYLE: Mapping[str, Style] = {
    "forbids": "bad",
    "lacks": "bad",
    "needs": "warn",
    "warns": "warn",
    "notes": "dim",
    "holds": "dim",
}
_EFFECTS = ("forbids", "lacks", "needs", "warns", "notes", "holds")
"""Effects in the order in which a reader wants them."""
_WORDS = {**LANGUAGES["en"].effects, "warns": "warning"}
_LEFT = max(map(len, _WORDS.values())) + 2


def functions(desk: Desk) -> dict[str, str]:
    """Functions by pseudonym, of every party, so that a sentence can say who is meant; empty when nobody reads it."""
    if desk.out.as_json:
        return {}
    from comity.flows.people.directory import ListDirectory

    return {each.pseudonym: each.function for each in desk.call("directory.list", ListDirectory())}


def named(sentence: str, known: Mapping[str, str]) -> str:
    """(24) A sentence in which each pseudonym that is known has its function before it."""
    for pseudonym, function in known.items():
        if pseudonym in sentence:
            sentence = sentence.replace(pseudonym, f"{function} ({pseudonym})")
    return sentence


def tell_outcome(out: Output, told: OutcomeTold, known: Mapping[str, str], *, full: bool) -> None:
    """(22) (25) An outcome with its reasons; ``full`` also tells one by one what holds."""
    out.line((told.means, _OUTCOME_STYLE[told.outcome]))
    for effect in _EFFECTS:
        reasons = [reason for reason in told.reasons if reason.effect == effect]
        if effect == "holds" and not full and len(reasons) > 1:
            _row(out, effect, [f"{len(reasons)} conditions"], "")
            continue
        for says, cites in _told_once(reasons).items():
            _row(out, effect, wrapped(visible(named(says, known)), out.columns - _LEFT - 2), "; ".join(cites))
    if told.outcome != "permit":
        out.gap()
        out.line(("what would change it", "strong"))
        if not told.changeable:
            out.text("nothing that anybody may consent to", indent=2)
        _listed(out, [named(each, known) for each in told.missing])
    if told.duties and told.outcome == "permit":
        out.gap()
        out.line(("what it obliges to", "strong"))
        _listed(out, told.duties)


def tell_tried(out: Output, tried: Sequence[TriedTold], known: Mapping[str, str]) -> None:
    """(34) Under which other agreements the same was asked, and what each of them refuses or asks."""
    for each in tried:
        out.gap()
        out.line(("asked besides  ", "dim"), (each.relationship, "strong"), f"  {each.means}")
        _listed(out, [named(says, known) for says in each.against])
        out.line((f"decision {each.decision_record[:16]}", "dim"), indent=2)


def _told_once(reasons: Sequence[ReasonTold]) -> dict[str, list[str]]:
    """(23) What several clauses say in the same words, once, with all of them."""
    grouped: dict[str, dict[tuple[str, str], list[str]]] = {}
    for each in reasons:
        cites = grouped.setdefault(each.says, {})
        if each.clause:
            cites.setdefault((each.instrument, each.provenance), []).append(each.clause)
    return {
        says: [_cited(instrument, provenance, clauses) for (instrument, provenance), clauses in cites.items()]
        for says, cites in grouped.items()
    }


def _cited(instrument: str, provenance: str, clauses: Sequence[str]) -> str:
    """Clauses a reason rests on, and how well they are known; only a number is called an article."""
    once = list(dict.fromkeys(clauses))
    word = ("Article " if len(once) == 1 else "Articles ") if once[0][:1].isdigit() else ""
    return f"{word}{', '.join(once)} of {instrument} [{PROVENANCE[provenance]}]"


def _row(out: Output, effect: str, lines: Sequence[str], article: str) -> None:
    word = _WORDS[effect]  # type: ignore[index]  # every effect of the table has its word
    first, *rest = lines
    fits = not rest and width(first) + len(article) + _LEFT + 6 <= out.columns
    out.line(
        (word.ljust(_LEFT), _EFFECT_STYLE[effect]),
        first,
        ("  " + article if fits and article else "", "dim"),
        indent=2,
    )
    for line in rest:
        out.line(line, indent=2 + _LEFT)
    if article and not fits:
        out.text(article, indent=2 + _LEFT, style="dim")


def _listed(out: Output, sentences: Sequence[str]) -> None:
    for sentence in sentences:
        first, *rest = wrapped(visible(sentence), out.columns - 4)
        out.line(f"- {first}", indent=2)
        for line in rest:
            out.line(line, indent=4)
