"""The life of a text before it is an agreement: which acts lead from a draft to a signature of both, and nothing else.

Rules of this file (``spec/lifecycle.md`` steps 1 to 6):

- One table, ``NEGOTIATION``. What is not in it changes nothing; ``diagram()`` draws it, nothing else describes it.
- Two sides act, each in a chain of its own, and may act at once. What has become of the text follows from the acts
  that there are, in the one order that ``in_order`` gives them, whatever a side heard first.
- Nobody is bound alone. A signature counts once its author can no longer take it back, and he can until he knows of
  the other's: each side *meets* the other's signature, by its own that names it or by an exchange, and from then on
  neither postpones, withdraws nor reopens. There is no half-signed agreement.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import msgspec

State = Literal["negotiated", "initialled", "approved", "signed", "withdrawn"]
"""What has become of the text."""
Move = Literal["draft", "initials", "approval", "signature", "exchange", "postponement", "withdrawal", "entry-note"]
"""What a side does."""

NEGOTIATION: Mapping[tuple[State, Move], State] = {
    ("negotiated", "draft"): "negotiated",
    ("negotiated", "initials"): "initialled",
    ("negotiated", "withdrawal"): "withdrawn",
    ("initialled", "draft"): "negotiated",
    ("initialled", "approval"): "approved",
    ("initialled", "withdrawal"): "withdrawn",
    ("approved", "draft"): "negotiated",
    ("approved", "signature"): "signed",
    ("approved", "exchange"): "signed",
    ("approved", "postponement"): "approved",
    ("approved", "withdrawal"): "withdrawn",
    ("signed", "entry-note"): "signed",
}
"""(1) From state and act to the next state; of an act of ``OF_BOTH``, once both sides have done it."""
OF_BOTH: frozenset[Move] = frozenset({"initials", "approval", "signature", "exchange"})
"""Acts that lead on only when both sides have done them under one draft."""
UNDOING: frozenset[Move] = frozenset({"draft", "postponement", "withdrawal"})
"""Acts by which signatures that are there no longer count."""
SIGNING: frozenset[Move] = frozenset({"signature", "exchange"})


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """An act of one side, as both registers keep it.

    Attributes:
        party: whose act.
        move: what was done.
        record: the record that says it, and ``sequence`` its place in its author's chain.
        at: when, as its author says, in RFC 3339.
        seen: how many records of the other side its author had taken up by then.
        draft: under which draft; empty where none is meant.
        theirs: the other side's signature that a signature or an exchange meets.
        day: the day that it names, and ``says`` what else it says.
    """

    party: str
    move: Move
    record: bytes
    sequence: int
    at: str
    seen: int
    draft: str = ""
    theirs: bytes | None = None
    day: str = ""
    says: str = ""


@dataclass(frozen=True)
class Standing:
    """What has become of the text.

    Attributes:
        state: the one word.
        draft: the text that both have initialled; empty while there is none.
        drafts: the drafts proposed so far, in order.
        initials: the newest draft that each side has initialled.
        approved: sides whose domestic approval of ``draft`` is there.
        signatures: the signature of each side that counts, by its record.
        met: sides that know of the other's signature, and are bound once both are.
        entered: the day of each side's note for entry into force.
        ended_by: who withdrew; empty while nobody has.
        postponed: whether the last that was heard of the signing is that it was put off.
    """

    state: State = "negotiated"
    draft: str = ""
    drafts: tuple[str, ...] = ()
    initials: Mapping[str, str] = field(default_factory=dict)
    approved: frozenset[str] = frozenset()
    signatures: Mapping[str, bytes] = field(default_factory=dict)
    met: frozenset[str] = frozenset()
    entered: Mapping[str, str] = field(default_factory=dict)
    ended_by: str = ""
    postponed: bool = False

    def theirs(self, party: str) -> bytes | None:
        """The signature of the side other than ``party`` that counts."""
        return next((record for other, record in self.signatures.items() if other != party), None)


def in_order(done: Iterable[Done]) -> list[Done]:
    """(4) The acts of two sides in one order, the same for everybody who has them all.

    What a side had taken up comes before what it did then. Of two acts that neither knew of, a signature comes before
    what undoes it; otherwise the earlier one comes first, and of the same instant that of the party named first.
    """
    chains: dict[str, list[Done]] = {}
    for each in sorted(done, key=lambda act: act.sequence):
        chains.setdefault(each.party, []).append(each)
    if len(chains) < 2:
        return [each for chain in chains.values() for each in chain]
    first, second = (chains[party] for party in sorted(chains))
    found: list[Done] = []
    while first and second:
        found.append((first if _before(first[0], second[0]) else second).pop(0))
    return [*found, *first, *second]


def _before(one: Done, other: Done) -> bool:
    if (other.seen > one.sequence) != (one.seen > other.sequence):
        return other.seen > one.sequence
    if (one.move in UNDOING) != (other.move in UNDOING) and {one.move, other.move} & SIGNING:
        return one.move not in UNDOING
    return (one.at, one.party) < (other.at, other.party)


def standing(done: Iterable[Done]) -> Standing:
    """What has become of the text after these acts; one that cannot follow changes nothing."""
    now = Standing()
    for each in in_order(done):
        if not why_not(now, each):
            now = _after(now, each)
    return now


def known_to(done: Sequence[Done], party: str, seen: int) -> list[Done]:
    """(5) The acts that ``party`` could know of when it had taken up ``seen`` records of the other side."""
    return [each for each in done if each.party == party or each.sequence < seen]


def why_not(now: Standing, act: Done) -> str:
    """(2, 3) Why an act cannot follow, in words; empty where it can."""
    if act.party in now.met and act.move in UNDOING:
        return "both sides have signed, and each knows of the other's signature; nothing takes that back"
    if (now.state, act.move) not in NEGOTIATION:
        text = f"{now.draft} is" if now.draft and now.state != "withdrawn" else "the text is"
        return f"{text} {now.state}; no {act.move} follows on that{_then(now.state)}"
    match act.move:
        case "initials":
            if act.draft not in now.drafts:
                return f"there is no draft {act.draft!r}; proposed: {', '.join(now.drafts) or 'none'}"
            if now.initials.get(act.party) == act.draft:
                return f"{act.party!r} has initialled {act.draft} already"
        case "approval" | "signature" if act.draft != now.draft:
            return f"both sides have initialled {now.draft}, not {act.draft}"
        case "approval" if act.party in now.approved:
            return f"the approval of {act.party!r} is there already"
        case "signature" if act.party in now.signatures:
            return f"{act.party!r} has signed already"
        case "exchange" if act.party not in now.signatures or act.party in now.met:
            return f"there is no signature of {act.party!r} that waits for the other's"
        case "entry-note" if act.party in now.entered:
            return f"the note of {act.party!r} was given already"
    named = act.theirs is not None or act.move == "exchange"  # of two who sign at once neither names the other's
    if named and act.theirs != now.theirs(act.party):
        return "the other side's signature is not the one that is named"
    return ""


def _then(state: State) -> str:
    """What people can do next."""
    moves = [move for of, move in NEGOTIATION if of == state and move != "exchange"]
    return f"; next can come {', '.join(moves)}" if moves else ""


def _after(now: Standing, act: Done) -> Standing:
    after = NEGOTIATION[now.state, act.move]
    match act.move:
        case "draft":
            kept = now.initials if now.state == "negotiated" else {}
            return Standing(state=after, drafts=(*now.drafts, act.draft), initials=kept)
        case "initials":
            initials = {**now.initials, act.party: act.draft}
            now = replace(now, initials=initials)
            return replace(now, state=after, draft=act.draft) if list(initials.values()) == [act.draft] * 2 else now
        case "approval":
            now = replace(now, approved=now.approved | {act.party})
            return replace(now, state=after) if len(now.approved) == 2 else now
        case "signature" | "exchange":
            if act.move == "signature":
                now = replace(now, signatures={**now.signatures, act.party: act.record}, postponed=False)
            met = now.met | {act.party} if act.theirs is not None else now.met
            return replace(
                now, met=met, state=after if met == frozenset(now.signatures) and len(met) > 1 else now.state
            )
        case "postponement":
            return replace(now, signatures={}, met=frozenset(), postponed=True)
        case "withdrawal":
            return replace(now, state=after, signatures={}, met=frozenset(), ended_by=act.party)
        case "entry-note":
            return replace(now, entered={**now.entered, act.party: act.day})


def diagram() -> str:
    """The table as a Mermaid drawing, in its order."""
    lines = ["stateDiagram-v2"]
    for (state, move), after in NEGOTIATION.items():
        lines.append(f"  {state} --> {after}: {move}{' of both' if move in OF_BOTH else ''}")
    return "\n".join(lines) + "\n"
