"""Briefings, postings, responsible officers, inspections: the rules of its records (Articles 6(e), 7, 10, 11, 16)."""

from __future__ import annotations

from comity.record.bodies import Body
from comity.register.verdict import Rule

RULES: dict[type[Body], Rule] = {}
"""The rule of every record type of this area."""
