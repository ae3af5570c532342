"""What an agreement asks when something is passed on, as far as both registers can tell (``spec/consent.md`` step 10).

Rules of this file:

- Only checked rules count, and only those of which it is certain, from what both sides know alike, that they apply: by
  what the item is, and by who gains. What goes by persons the decision weighs, on the side that acts.
- An item is everything that it was made from, too. By which mark its holder went is not known for certain where a
  change of level is under way: a rule applies when it does under every mark by which he may have gone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from comity.agreement.conditions import Known, about_item, all_clients, applies, circles_of
from comity.agreement.model import Agreement, Rule
from comity.record.bodies.consents import PassedOn
from comity.record.statement import Record
from comity.register.marks import possible_marks
from comity.register.rows import Facts, ItemRow
from comity.register.rows.lineage import DerivativeRow, derivative_key


def onward_rules(agreement: Agreement, facts: Facts, record: Record, items: Iterable[str]) -> tuple[Rule, ...]:
    """The rules that forbid passing on, or ask a consent to it, and apply to what a record says was passed on.

    Args:
        agreement: under which it is said.
        facts: among them what there is to know of each item (``marks_reads``, ``marks_more``).
        record: a ``PassedOn``.
        items: the item, and what it was made from.
    """
    known = {clause.id: clause.provenance for clause in agreement.clauses}
    asked = [
        rule
        for rule in agreement.rules
        if "pass-on" in rule.acts
        and (rule.consent in {"originator", "every-party"} or rule.forbids)
        and (rule.provenance or known[rule.clause]) != "K"
    ]
    named = tuple(items)
    return tuple(rule for rule in asked if any(_applies(agreement, rule, facts, record, each) for each in named))


def _applies(agreement: Agreement, rule: Rule, facts: Facts, record: Record, item: str) -> bool:
    told = list(_known(agreement, facts, record, item))
    if not told:  # of what is not registered nothing is certain but that its originator was not asked
        return rule.consent is not None
    return all(applies(agreement, rule, each) is True for each in told)


def _known(agreement: Agreement, facts: Facts, record: Record, item: str) -> Iterable[Known]:
    """What is known of an item and of who gains by it, once for every mark by which its holder may have gone."""
    body, statement = cast("PassedOn", record.body), record.statement
    made = cast("DerivativeRow | None", facts[derivative_key(statement.relationship, item)])
    row = made or cast("ItemRow | None", facts[ItemRow.table, item])
    if row is None:
        return
    nations = {nation for party in agreement.parties for nation in party.nations}
    gains = frozenset([body.beneficiary])
    foreign = {"third-national"} if nations and body.nationality not in nations else set()
    for mark in possible_marks(facts, statement.relationship, item, record):
        yield {
            **about_item(
                form=row.form,
                mark=mark,
                subject=row.subject,
                originator=row.label.originator,
                categories=row.label.categories,
            ),
            "acting": statement.author,
            "holder": "originator" if statement.author == row.label.originator else "recipient",
            "purpose": body.purpose,
            "recipient": body.beneficiary,
            "serves": body.beneficiary,
            "beneficiary": frozenset({"third-party"} | foreign),
            "circle": circles_of(agreement, gains),
            "client": all_clients(agreement, gains, statement.author),
        }
