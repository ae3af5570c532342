"""Authorities, laws, disputes and deposits: the rules of its records (Articles 2(d), 3, 20)."""

from __future__ import annotations

from comity.record.bodies import Body
from comity.register.verdict import Rule

RULES: dict[type[Body], Rule] = {}
"""The rule of every record type of this area."""
