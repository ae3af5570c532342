"""Consent: what the originator of an item allows others to do with it (Articles 6(a), 6(c); ``spec/consent.md``)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import cast

from comity.decision import model as decision
from comity.register.rows import AgreementRow, ItemRow, Key, Row
from comity.register.rows.consents import ConsentListRow, ConsentRow, consent_key, consent_lists_of

ReadRows = Callable[[Iterable[Key]], Awaitable[dict[Key, Row | None]]]
"""Rows by their keys, as committed (``CommittedRows.get``) or as a work would leave them (``Work.facts``)."""


async def live_consents(read: ReadRows, relationship: str, item: ItemRow, at: datetime) -> tuple[ConsentRow, ...]:
    """The consents in a relationship that speak of an item and hold at ``at``, in the order of their ids."""
    keys = consent_lists_of(relationship, item.item, item.topic, item.subject, item.label.mark)
    lists = [cast("ConsentListRow", row) for row in (await read(keys)).values() if row is not None]
    named = {consent_key(relationship, entry.consent) for row in lists for entry in row.consents if at < entry.until}
    if not named:
        return ()
    rows = [cast("ConsentRow", row) for row in (await read(sorted(named))).values() if row is not None]
    return tuple(sorted((row for row in rows if row.holds(at)), key=lambda row: row.consent))


async def consents_for(read: ReadRows, row: AgreementRow, item: ItemRow, at: datetime) -> tuple[decision.Consent, ...]:
    """What was consented to about an item, as facts of a case about it (``spec/consent.md`` step 9).

    Args:
        read: where the rows come from.
        row: the agreement under which the item came.
        item: the item, or an ancestor of one.
        at: the instant of the case.
    """
    return tuple(
        decision.Consent(
            by=consent.author,
            item=item.item,
            act=act,  # type: ignore[arg-type]  # the register keeps the word as it came; its rule checked it
            beneficiary=beneficiary,
            purpose=consent.purpose,
            until=consent.until,
        )
        for consent in await live_consents(read, row.relationship, item, at)
        if consent.until is not None
        for act in consent.acts
        for beneficiary in consent.beneficiaries
    )
