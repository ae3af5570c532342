"""Muster of copies and reconciliation of registers: the rules of its records (Article 6(f))."""

from __future__ import annotations

from comity.record.bodies import Body
from comity.register.verdict import Rule

RULES: dict[type[Body], Rule] = {}
"""The rule of every record type of this area."""
