"""What is made from received information: the rules of its records (Articles 4.3, 15)."""

from __future__ import annotations

from comity.record.bodies import Body
from comity.register.verdict import Rule

RULES: dict[type[Body], Rule] = {}
"""The rule of every record type of this area."""
