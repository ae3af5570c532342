"""From one party's mark to another's, through the equivalence the parties agreed, and the highest of several labels.

Rules of this file (``spec/marking.md`` steps 3 to 6):

- A translation stands beside the originator's label and never replaces it.
- What is above the ceiling, or has no equivalent, is refused with the clause; nothing is mapped down.
- Where several marks correspond, a layer or the agreement may prefer one; otherwise a person chooses. Nothing here
  guesses.

    jp 極秘           to kr   군사 Ⅱ급 비밀, beside 極秘
    kr 군사 Ⅱ급 비밀   to jp   a choice: 極秘 or 特定秘密
    jp 機密           to kr   refused, 4.1: above the ceiling
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from comity.agreement.equivalence import equivalents, level_of
from comity.agreement.model import EVERY_PARTY, Agreement, Layer
from comity.agreement.nearest import nearest
from comity.errors import Misuse, Refused, Rejected, invariant
from comity.marking.label import Label


class MarkedLabel(Struct, frozen=True):
    """The originator's label, and the alternative that another party puts beside it.

    Attributes:
        originator_label: as the originator wrote it.
        alternative: the same information in the other party's mark.
        clause: the clause under which the two correspond.
    """

    originator_label: Label
    alternative: Label
    clause: str

    def __post_init__(self) -> None:
        original, other = self.originator_label, self.alternative
        invariant(
            replace(other, policy=original.policy, mark=original.mark) == original,
            "an alternative label differs from the originator's in its policy and its mark alone",
        )


class NeedsChoice(Struct, frozen=True):
    """Several marks correspond, and somebody entitled to must say which.

    Attributes:
        candidates: the labels to choose from, at least two, in the order of the agreement.
        clause: the clause that puts them side by side.
    """

    candidates: tuple[Label, ...]
    clause: str

    def choose(self, mark: str) -> Label:
        """The candidate with `mark`.

        Raises:
            Misuse: it is not one of them.
        """
        for candidate in self.candidates:
            if candidate.mark == mark:
                return candidate
        marks = [candidate.mark for candidate in self.candidates]
        raise Misuse(f"{mark!r} is not among {', '.join(marks)}{nearest(mark, marks)}", code="not-a-candidate")


def translate(agreement: Agreement, label: Label, to: str, layers: Iterable[Layer] = ()) -> MarkedLabel | NeedsChoice:
    """`label` as party `to` marks it (3).

    Args:
        agreement: the agreement whose equivalence counts.
        label: the originator's label.
        to: a party id.
        layers: layers that may prefer one of several marks, the first that speaks prevails.

    Raises:
        Rejected: the label's policy is not a party's, or its mark is not on that party's ladder.
        Refused: the mark is above the ceiling, or has no equivalent; `place` is the clause.
        Misuse: `to` is not a party.
    """
    parties = [party.id for party in agreement.parties]
    if label.policy not in parties:
        raise Rejected(f"{label.policy!r} is not a party{nearest(label.policy, parties)}", code="unknown-policy")
    if to not in parties:
        raise Misuse(f"{to!r} is not a party{nearest(to, parties)}", code="unknown-party")
    if not label.mark:  # what its originator has declassified, nobody marks
        return MarkedLabel(label, replace(label, policy=to), "")
    found = equivalents(agreement, label.policy, label.mark, to, layers)
    candidates = tuple(replace(label, policy=to, mark=mark) for mark in found.marks)
    choice = NeedsChoice(candidates, found.clause)
    if found.preferred is not None:
        return MarkedLabel(label, choice.choose(found.preferred), found.clause)
    return choice


def highest(agreement: Agreement, labels: Sequence[Label], originator: str) -> Label | NeedsChoice:
    """The label of something that holds all of `labels` (6): the highest mark, every category, the common readers.

    A declassified label adds no mark; when all of them are, so is what holds them.

    Args:
        agreement: the agreement whose ranks count.
        labels: at least one, all of one policy (translate first); none is changed.
        originator: the party that made the new thing.

    Raises:
        Misuse: there is no label, or they are of several policies.
        Rejected: a mark is not on the ladder of its policy.
        Refused: no party may receive all of them.
    """
    policies = sorted({label.policy for label in labels})
    if len(policies) != 1:
        said = f"labels of {', '.join(policies)}; translate them to one party's marks first" if policies else "no label"
        raise Misuse(f"the highest of several labels needs labels of one policy; there is {said}", code="mixed-policy")
    levels = {level_of(agreement, label.policy, label.mark) for label in labels if label.mark}
    top = max((level.rank for level in levels), default=0)
    limits = [set(label.releasable_to) for label in labels if label.releasable_to]
    common = set.intersection(*limits) if limits else set()
    if limits and not common:
        raise Refused("no party may receive all of these labels together", code="nobody-left")
    marks = [level.mark for level in agreement.levels if level in levels and level.rank == top]
    candidates = tuple(
        Label(
            policy=policies[0],
            mark=mark,
            categories=tuple(sorted({name for label in labels for name in label.categories})),
            releasable_to=tuple(sorted(common)),
            originator=originator,
        )
        for mark in marks or ("",)
    )
    if len(candidates) == 1:
        return candidates[0]
    clause = next(level.clause for level in agreement.levels if level.party in {policies[0], EVERY_PARTY})
    return NeedsChoice(candidates, clause)
