"""Run an information-security agreement between parties who do not fully trust one another.

The Python interface is in ``comity.api``; its names are also here, loaded when they are first used::

    import comity

    comity.Agreement.load("jp-kr-2016").status("2019-11-23T00:01+09:00")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from comity.api import Agreement, Node
    from comity.decision.decide import decide
    from comity.decision.model import Case, Clearance, Facts, Forbidden, Item, NeedsConsent, NoBasis, Permit, Person
    from comity.errors import ComityError, Misuse, Refused, Rejected, Unavailable
    from comity.feed.reading import Ended, Gap, LeftOut, Message, Skew, Stale, Standing, Started
    from comity.flows.actors import Actor
    from comity.flows.giving.answering import Approve, Assure
    from comity.flows.giving.opening import Open
    from comity.flows.giving.release import Give
    from comity.marking.label import Label

_PLACES = {
    "comity.api": ("Agreement", "Node"),
    "comity.decision.decide": ("decide",),
    "comity.decision.model": (
        "Case",
        "Clearance",
        "Facts",
        "Forbidden",
        "Item",
        "NeedsConsent",
        "NoBasis",
        "Permit",
        "Person",
    ),
    "comity.errors": ("ComityError", "Misuse", "Refused", "Rejected", "Unavailable"),
    "comity.feed.reading": ("Ended", "Gap", "LeftOut", "Message", "Skew", "Stale", "Standing", "Started"),
    "comity.flows.actors": ("Actor",),
    "comity.flows.giving.answering": ("Approve", "Assure"),
    "comity.flows.giving.release": ("Give",),
    "comity.flows.giving.opening": ("Open",),
    "comity.marking.label": ("Label",),
}
_WHERE = {name: place for place, names in _PLACES.items() for name in names}

__all__ = [
    "Actor",
    "Agreement",
    "Approve",
    "Assure",
    "Case",
    "Clearance",
    "ComityError",
    "Ended",
    "Facts",
    "Forbidden",
    "Gap",
    "Give",
    "Item",
    "Label",
    "LeftOut",
    "Message",
    "Misuse",
    "NeedsConsent",
    "NoBasis",
    "Node",
    "Open",
    "Permit",
    "Person",
    "Refused",
    "Rejected",
    "Skew",
    "Stale",
    "Standing",
    "Started",
    "Unavailable",
    "decide",
]


def __getattr__(name: str) -> object:
    """Load a public name when it is first used, so that the command line starts at once."""
    if name not in _WHERE:
        raise AttributeError(f"module 'comity' has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)
