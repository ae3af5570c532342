"""What one language needs to say a decision: its tables, and how their parts are put together."""

from __future__ import annotations

from collections.abc import Container, Mapping

from msgspec import Struct

from comity.agreement.vocabulary import Deed, Role, Within
from comity.decision.counterfactual import Kind
from comity.decision.model import Effect

AS_TYPED = ""
"""In place of a language: English in which parties are told by their ids, as they are typed at a command line."""
_ALL = range(1000)
PARTIES: Mapping[str, Container[int]] = {
    "not-in-force": _ALL,
    "contested": (0,),
    "not-acknowledged": (0,),
    "not-a-party": (0,),
    "unknown-mark": (1,),
    "route-followed": _ALL,
    "wrong-route": _ALL,
    "not-direct": _ALL,
    "equivalent": (1,),
    "no-mark-needed": (0,),
    "no-equivalent": (1, 2),
    "not-releasable": _ALL,
    "consent-given": (0, 3),
    "consent-missing": (0, 3),
    "facility-approved": (0,),
    "facility-missing": (0,),
    "acknowledgement": (0,),
    "consent": (0, 3),
    "facility": (0,),
}
"""Which parameters of a reason's code, or of what is missing, are parties, nations or other bodies."""


CHECKLISTS = frozenset({"conditions-met", "condition-missing", "attestation"})
"""Whose first parameter is a checklist."""


class Words(Struct, frozen=True, kw_only=True):
    """The sentences of one language.

    Attributes:
        outcomes, effects: what an outcome means, and the word before a reason's sentence.
        reasons: by code; ``{0}``, ``{1}`` … are the reason's parameters, ``{all}`` all of them, ``{rest}`` all from the
            second on, ``{marks}`` those from the third on as alternatives, ``{about}`` the person.
        missing: what would have to happen; ``{conditions}`` are those of one checklist.
        deeds: as ``duty`` needs them.
        owers, owed: a role as whoever owes something, and as whoever it is owed to.
        limits: limits of time that carry no number.
        lengths: numbers of years, months, days and hours, by the letter of ISO 8601; a number itself, as in ``1Y``,
            where it is told in another way.
        within: a limit that has a number.
        duty: the whole, of ``{who}``, ``{deed}``, ``{to}`` and ``{within}``; ``to`` and ``limit`` are the parts that
            say to whom, and until when.
        limit_from: which clause of a layer put the number in.
        terms: closed words of an agreement file that a sentence gives as they are in English.
        titled: how a checklist's title stands in a sentence, where the sentence itself does not quote it.
        listed, alternatives: what stands between the parts of a list.
        none_named: said in place of a parameter that is empty.
    """

    outcomes: Mapping[str, str]
    effects: Mapping[Effect, str]
    reasons: Mapping[str, str]
    missing: Mapping[Kind, str]
    deeds: Mapping[Deed, str]
    owers: Mapping[Role, str]
    owed: Mapping[Role, str]
    limits: Mapping[Within, str]
    lengths: Mapping[str, str]
    within: str
    duty: str
    to: str
    limit: str
    limit_from: str
    terms: Mapping[str, str]
    listed: str
    alternatives: str
    none_named: str
    titled: str = "{}"
