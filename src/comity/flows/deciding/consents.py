"""Consents as decisions read them (Articles 6(a), 6(c); ``spec/consent.md`` step 9)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import cast

from comity.decision import model as decision
from comity.flows.keeping.committed import ReadRows
from comity.register.rows import AgreementRow, ItemRow
from comity.register.rows.consents import ConsentListRow, ConsentRow, consent_key, consent_lists_of
from comity.register.rows.ending import HoldingRow, LevelRow, holding_key, level_key
from comity.register.rows.lineage import derivative_key


async def live_consents(read: ReadRows, relationship: str, item: ItemRow, at: datetime) -> tuple[ConsentRow, ...]:
    """The consents in a relationship that speak of an item and hold at ``at``, in the order of their ids.

    Its maker alone says what something made here is about. So a pattern speaks of it when it speaks of everything given
    that it was made from (``spec/consent.md`` step 6).
    """
    found = await _listed(read, relationship, item, at)
    if not item.contains:
        return found
    speaks = {row.consent: row for row in found if row.item is not None}
    patterns: dict[str, ConsentRow] | None = None
    for given in await _given(read, relationship, item.item):
        live = {row.consent: row for row in await _listed(read, relationship, given, at) if row.item is None}
        patterns = {each: row for each, row in live.items() if patterns is None or each in patterns}
    speaks |= patterns or {}
    return tuple(speaks[each] for each in sorted(speaks))


async def _listed(read: ReadRows, relationship: str, item: ItemRow, at: datetime) -> tuple[ConsentRow, ...]:
    """The consents that an item's own name, topic, subject and mark lead to."""
    keys = consent_lists_of(relationship, item.item, item.topic, item.subject, item.label.mark)
    changed = level_key(relationship, item.item)
    found = await read([changed, *keys])
    level = cast("LevelRow | None", found.pop(changed))
    if level is not None and level.mark != item.label.mark:
        found = await read(consent_lists_of(relationship, item.item, item.topic, item.subject, level.mark))
    lists = [cast("ConsentListRow", row) for row in found.values() if row is not None]
    named = {consent_key(relationship, entry.consent) for row in lists for entry in row.consents if at < entry.until}
    if not named:
        return ()
    rows = [cast("ConsentRow", row) for row in (await read(sorted(named))).values() if row is not None]
    return tuple(sorted((row for row in rows if row.holds(at)), key=lambda row: row.consent))


async def _given(read: ReadRows, relationship: str, item: str) -> list[ItemRow]:
    """What was given in a relationship, of all that an item was made from there."""
    key = holding_key(relationship, item)
    holding = cast("HoldingRow | None", (await read([key]))[key])
    above = holding.above if holding is not None else ()
    made = await read([derivative_key(relationship, each) for each in above])
    given = [(ItemRow.table, each) for each in above if made[derivative_key(relationship, each)] is None]
    return [cast("ItemRow", row) for row in (await read(given)).values() if row is not None]


async def consents_for(read: ReadRows, row: AgreementRow, item: ItemRow, at: datetime) -> tuple[decision.Consent, ...]:
    """What was consented to about an item, as facts of a case about it (``spec/consent.md`` step 9).

    Args:
        read: where the rows come from.
        row: the agreement under which the item came.
        item: the item, or an ancestor of one.
        at: the instant of the case.
    """
    return as_facts(await live_consents(read, row.relationship, item, at), item.item)


def as_facts(consents: Iterable[ConsentRow], item: str) -> tuple[decision.Consent, ...]:
    """Consents as a decision takes them: one for each act and each body that gains."""
    return tuple(
        decision.Consent(
            by=consent.author,
            item=item,
            act=act,  # type: ignore[arg-type]  # the register keeps the word as it came; its rule checked it
            beneficiary=beneficiary,
            purpose=consent.purpose,
            until=consent.until,
            standing=consent.item is None,
        )
        for consent in consents
        if consent.until is not None
        for act in consent.acts
        for beneficiary in consent.beneficiaries
    )


def consents_used(outcome: decision.Outcome, consents: Iterable[ConsentRow]) -> tuple[ConsentRow, ...]:
    """The consents on which a decision rests, in the order of their ids."""
    given = {each.parameters for each in outcome.reasons if each.code == "consent-given" and each.step == 11}
    used = {
        consent.consent: consent
        for consent in consents
        for by, _, act, beneficiary, purpose in given
        if (consent.author, consent.purpose) == (by, purpose)
        and act in consent.acts
        and beneficiary in consent.beneficiaries
    }
    return tuple(used[each] for each in sorted(used))


async def conditions_of(
    read: ReadRows, relationship: str, item: ItemRow, outcome: decision.Outcome, at: datetime
) -> tuple[str, ...]:
    """What the consents ask on which a decision rests; nothing is read where it rests on none."""
    if not any(each.step == 11 and each.code == "consent-given" for each in outcome.reasons):
        return ()
    used = consents_used(outcome, await live_consents(read, relationship, item, at))
    return tuple(condition for each in used for condition in each.conditions)
