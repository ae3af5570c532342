"""Clauses that nothing rests on, checklists that nothing asks for, borrowed protection that is not at hand.

(``spec/analysis.md`` steps 5 and 9.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

from msgspec.structs import fields

from comity.agreement.model import Agreement, Table
from comity.analysis.findings import Finding, Source, several


def unused_clauses(source: Source) -> Iterator[Finding]:
    """Clauses that no rule, obligation or other table cites, nor any clause below them."""
    cited = set(_cited(source.text))
    above = {".".join(parts[:n]) for parts in (each.split(".") for each in cited) for n in range(1, len(parts))}
    for index, clause in enumerate(source.text.clauses):
        if clause.id not in cited and clause.id not in above:
            yield source.finding(
                "clause-unused",
                "note",
                clause.id,
                ("clause", index),
                f"nothing rests on {clause.id} ({clause.heading.en}): no rule, obligation or table cites it",
                "write what follows from it; or leave it, if it only explains the others",
            )


def _cited(table: Table) -> Iterator[str]:
    """Every clause that a table names, and those that stand in it."""
    for field in fields(table):
        value = getattr(table, field.name)
        if field.name == "clauses" or value is None:
            continue
        if isinstance(value, Table):
            yield from _cited(value)
        elif field.name == "clause" or field.name.endswith("_clause"):
            yield value
        elif field.name == "conditions":
            yield from value
        elif isinstance(value, tuple):
            for each in value:
                if isinstance(each, Table):
                    yield from _cited(each)


def unasked_checklists(source: Source, layers: Sequence[Source]) -> Iterator[Finding]:
    """Checklists that no rule asks for: nobody will ever attest them."""
    asked = {rule.checklist for each in (source, *layers) for rule in each.text.rules}
    for each in (source, *layers):
        for index, checklist in enumerate(each.text.checklists):
            if checklist.id not in asked:
                yield each.finding(
                    "checklist-unasked",
                    "wrong",
                    checklist.clause,
                    ("checklist", index),
                    f"no rule asks for the checklist {checklist.id!r}, so nobody ever has to attest it",
                    f"write a rule with checklist = {checklist.id!r}, or take the checklist out",
                )


def freezes_without_a_word(source: Source, layers: Sequence[Source]) -> Iterator[Finding]:
    """Texts by which giving stops once two histories are proved, where none asks for the talk that would end it."""
    texts = (source, *layers)
    says = {each for text in texts if text.text.response is not None for each in text.text.response.two_histories}
    for each in texts:
        response = each.text.response
        if response is not None and "freeze" in response.two_histories and "consult" not in says:
            yield each.finding(
                "freezes-unsettled",
                "doubt",
                response.clause,
                ("response", "two-histories"),
                "giving stops once two histories are proved, and no text asks the parties to consult about it: one "
                "person here settles it alone, or nobody does",
                'add "consult" to two-histories, here or in a layer',
            )


def borrowed_protection(sources: Sequence[Source]) -> Iterator[Finding]:
    """Agreements from which protection is borrowed that are not here, or whose parties are others."""
    known = {each.text.id: cast("Agreement", each.text) for each in sources}
    for source in sources:
        agreement = cast("Agreement", source.text)
        for index, basis in enumerate(agreement.protection_bases):
            path = ("protection-basis", index)
            lender = known.get(basis.agreement)
            if lender is None:
                yield source.finding(
                    "basis-not-here",
                    "note",
                    basis.clause,
                    path,
                    f"protection is borrowed from {basis.agreement!r}, which is not among the agreements looked at",
                    "name it as well, so that what it asks is looked at too",
                )
                continue
            strangers = [each for each in basis.between if each not in {party.id for party in lender.parties}]
            if strangers:
                yield source.finding(
                    "basis-not-theirs",
                    "wrong",
                    basis.clause,
                    path,
                    f"protection between {several(basis.between, 'and')} is borrowed from {lender.id!r}, to which "
                    f"{several(strangers, 'and')} {'is' if len(strangers) == 1 else 'are'} no party",
                    "name the parties of that agreement, or another agreement",
                )
