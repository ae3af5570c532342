"""Change of level, recall, return and destruction: all their rules (Articles 6(g), 6(h), 13; ``spec/ending.md``)."""

from __future__ import annotations

from comity.record.bodies import Body
from comity.register.destroying import DESTRUCTION_OCCASIONS, DESTRUCTION_RULES
from comity.register.levels import LEVEL_OCCASIONS, LEVEL_RULES
from comity.register.recalls import RECALL_OCCASIONS, RECALL_RULES
from comity.register.remarking import REMARKING_OCCASIONS, REMARKING_RULES
from comity.register.verdict import Occasions, Rule

RULES: dict[type[Body], Rule] = {**LEVEL_RULES, **REMARKING_RULES, **RECALL_RULES, **DESTRUCTION_RULES}
"""The rule of every record type of this area."""

OCCASIONS: dict[type[Body], Occasions] = {
    **LEVEL_OCCASIONS,
    **REMARKING_OCCASIONS,
    **RECALL_OCCASIONS,
    **DESTRUCTION_OCCASIONS,
}
"""Of what each of them is an occasion (``spec/duties.md``)."""
