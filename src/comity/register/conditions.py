"""What a site meets at an instant, and what shows it (Articles 11, 16; ``spec/places.md`` steps 11 to 13)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from comity.record.bodies.places import DUTIES
from comity.register.rows import FacilityRow, PersonRow
from comity.register.rows.giving import Evidence

PARENTS_MAX = 8
"""Longest chain of sub-contractors; a site further down is no site that anybody answers for."""


def is_cleared(person: PersonRow | None, at: datetime) -> bool:
    """Whether somebody of this house holds a clearance at ``at``."""
    return (
        person is not None
        and not person.removed
        and person.clearance is not None
        and person.clearance_until is not None
        and at < person.clearance_until
    )


def evidenced(row: FacilityRow, at: datetime) -> dict[str, Evidence]:
    """What shows at ``at`` that a site meets conditions, by condition; what has ended shows nothing any more (11)."""
    if at >= row.until:
        return {}
    first = {
        condition: Evidence(condition=condition, record=row.last, evidence=row.evidence, until=row.until)
        for condition in row.conditions
        if condition not in row.withdrawn
    }
    one_by_one = {each.condition: each for each in row.evidenced}
    found = {**first, **one_by_one}
    return {name: each for name, each in found.items() if each.until is None or at < each.until}


def borne_out(
    each: Evidence, row: FacilityRow, officer: PersonRow | None, person: PersonRow | None, at: datetime
) -> bool:
    """(12) Whether the register that evidence points to bears it out, for ``person`` where it goes by persons."""
    match each.borne_out:
        case "inspections":
            return row.inspected is not None and (row.inspection_due is None or at < row.inspection_due)
        case "officer":
            return is_cleared(officer, at)
        case "briefings":
            return person is None or DUTIES in person.briefed
        case "clearances":
            return person is None or (
                is_cleared(person, at) and person.clearing is not None and person.clearing.all_information
            )
        case "postings":
            return person is None or person.site == row.facility or person.firm != row.facility
    return True


def conditions_met(
    sites: Sequence[FacilityRow], officers: Mapping[str, PersonRow | None], person: PersonRow | None, at: datetime
) -> dict[str, Evidence]:
    """(12, 13) The conditions that a site meets at ``at``, each with what shows it.

    Args:
        sites: the site, then the one of the firm whose sub-contractor it is, and so on up.
        officers: the responsible officers by person id.
        person: for whom; None for what holds of the site itself.
        at: the instant.
    """
    met: dict[str, Evidence] | None = None
    for site in sites:
        officer = officers.get(site.officer or "")
        here = {name: each for name, each in evidenced(site, at).items() if borne_out(each, site, officer, person, at)}
        met = here if met is None else {name: each for name, each in met.items() if name in here}
    return met or {}
