"""The life of an agreement: which states there are, which acts lead from one to the next, and nothing else.

Rules of this file (``spec/term.md`` steps 5 and 6):

- Two tables. ``AGREEMENT`` is the life of the agreement, ``NOTICE`` the life of each notice given under it. What is
  not in a table is not allowed, and an act that is not allowed changes nothing.
- Only acts move a state. An announcement, a pledge, a report is in ``NO_EFFECT``: it is told and changes nothing.
- ``entry`` and ``end`` also come by themselves, at an instant that ``term.py`` computes from the calendar.
- ``diagram()`` draws both tables; nothing else describes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

Act = Literal[
    "signature",
    "signature-called-off",
    "entry-note",
    "deposit",
    "entry",
    "notice",
    "suspension",
    "reactivation",
    "withdrawal",
    "amendment",
    "renewal",
    "end-by-consent",
]
"""An act with legal effect on the term."""

NoEffect = Literal[
    "announcement",
    "approval",
    "arrangement",
    "context",
    "deadline",
    "discussion",
    "draft",
    "exchange",
    "pledge",
    "report",
    "statement",
]
"""Something said or done that leaves the term as it was."""

ACTS: frozenset[str] = frozenset(get_args(Act))
NO_EFFECT: frozenset[str] = frozenset(get_args(NoEffect))
ACTS_OF_ALL: frozenset[str] = frozenset({"signature", "amendment", "renewal", "end-by-consent"})
"""Acts that exist only when every party does them: there is no half-signed agreement."""
ACTS_ON_ANOTHER: Mapping[str, frozenset[str]] = {
    "suspension": frozenset({"notice"}),
    "reactivation": frozenset({"notice"}),
    "withdrawal": frozenset({"notice", "suspension"}),
}
"""Acts that name an earlier act of the same party (``of``), and which kinds they may name."""

State = Literal["not-signed", "signed", "in-force", "lapsed"]
NoticeState = Literal["not-given", "given", "suspended", "withdrawn"]
Phase = Literal["not-signed", "signed", "in-force", "notice-given", "notice-suspended", "lapsed"]
"""Both tables in one word, for people: ``in-force`` with what has become of the notice."""

Step = Literal["notice", "suspension", "reactivation", "withdrawal"]
"""What a note about the end does: it gives a notice, suspends it, lets it run again, or withdraws it."""

AGREEMENT: Mapping[tuple[State, str], State] = {
    ("not-signed", "signature-called-off"): "not-signed",
    ("not-signed", "signature"): "signed",
    ("not-signed", "entry"): "in-force",
    ("signed", "entry-note"): "signed",
    ("signed", "deposit"): "signed",
    ("signed", "entry"): "in-force",
    ("in-force", "notice"): "in-force",
    ("in-force", "suspension"): "in-force",
    ("in-force", "reactivation"): "in-force",
    ("in-force", "withdrawal"): "in-force",
    ("in-force", "amendment"): "in-force",
    ("in-force", "renewal"): "in-force",
    ("in-force", "end-by-consent"): "lapsed",
    ("in-force", "end"): "lapsed",
}

NOTICE: Mapping[tuple[NoticeState, str], NoticeState] = {
    ("not-given", "notice"): "given",
    ("given", "suspension"): "suspended",
    ("given", "withdrawal"): "withdrawn",
    ("suspended", "reactivation"): "given",
    ("suspended", "withdrawal"): "withdrawn",
    ("suspended", "withdrawal-of-suspension"): "given",
    ("withdrawn", "withdrawal-of-suspension"): "withdrawn",
}


def state_of(steps: Sequence[Step]) -> NoticeState | None:
    """What has become of a notice after ``steps``; None where one of them could not follow."""
    state: NoticeState = "not-given"
    for step in steps:
        after = NOTICE.get((state, step))
        if after is None:
            return None
        state = after
    return state


def diagram() -> str:
    """Both tables as one Mermaid drawing, in the order of the tables; ``spec/term.md`` shows it."""
    lines = ["stateDiagram-v2"]
    for name, table in (("agreement", AGREEMENT), ("notice", NOTICE)):
        lines.append(f"  state {name} {{")
        states = dict.fromkeys(state for (before, _), after in table.items() for state in (before, after))
        lines += [f'    state "{state.replace("-", " ")}" as {_node(name, state)}' for state in states]
        lines += [f"    {_node(name, state)} --> {_node(name, after)}: {act}" for (state, act), after in table.items()]
        lines.append("  }")
    return "\n".join(lines) + "\n"


def _node(table: str, state: str) -> str:
    return f"{table}_{state}".replace("-", "_")


def one(act: str) -> str:
    """An act with its article.

    >>> one("notice"), one("end-by-consent")
    ('a notice', 'an end-by-consent')
    """
    return f"{'an' if act[0] in 'aeiou' else 'a'} {act}"
