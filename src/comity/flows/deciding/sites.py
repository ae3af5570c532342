"""Sites: where somebody handles information, and what shows that it may be handled there (``spec/places.md``)."""

from __future__ import annotations

from datetime import datetime

from comity.flows.keeping.committed import ReadRows
from comity.register.conditions import PARENTS_MAX, conditions_met
from comity.register.rows import FacilityRow, PersonRow
from comity.register.rows.giving import Evidence


def site_of(person: PersonRow) -> str:
    """Where a person of this house handles information: a contractor's site, or the facility of his posting."""
    return person.firm or person.site or ""


async def sites_from(read: ReadRows, facility: str) -> list[FacilityRow]:
    """A site, then that of the firm whose sub-contractor it is, and so on up; none where it is not registered."""
    found: list[FacilityRow] = []
    name: str | None = facility
    while name and len(found) < PARENTS_MAX:
        key = FacilityRow.table, name
        row = (await read([key]))[key]
        if not isinstance(row, FacilityRow):
            break
        found.append(row)
        name = row.parent
    return found


async def shown_at(
    read: ReadRows, sites: list[FacilityRow], person: PersonRow | None, at: datetime
) -> dict[str, Evidence]:
    """The conditions that a site, with those above it, meets at an instant, each with what shows it (11 to 13).

    Args:
        read: where rows come from.
        sites: as ``sites_from`` gives them.
        person: for whom; None for what holds of the site itself.
        at: the instant.
    """
    keys = [(PersonRow.table, each) for each in sorted({site.officer for site in sites if site.officer})]
    rows = await read(keys)
    officers = {key: row if isinstance(row, PersonRow) else None for (_, key), row in rows.items()}
    return conditions_met(sites, officers, person, at)
