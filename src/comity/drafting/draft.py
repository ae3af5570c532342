"""From answers to a draft that passes every check (``spec/drafting.md`` steps 4 and 5)."""

from __future__ import annotations

from comity.agreement.load import parse_agreement, parse_layer
from comity.agreement.model import Agreement, Layer
from comity.drafting.answers import Answers, GroupAnswers, StateAnswers
from comity.drafting.arrangement import arrangement_draft
from comity.drafting.group import group_draft
from comity.drafting.state import state_draft
from comity.errors import Misuse, Rejected

OPENING = (
    "A draft, made from answers by the template {template!r}. Read it whole: it is a beginning, in words of ours, and",
    "what it leaves out nobody has agreed. Provenance P says that the clause is the draft's own; compare it with the",
    "text that is signed, and then say where it was read.",
)
"""What stands at the head of every draft."""


def draft(answers: Answers, file: str, agreement: Agreement | None = None) -> tuple[str, Agreement | Layer]:
    """The text of a draft, and the same checked.

    Args:
        answers: what was answered.
        file: where the answers stand, for errors.
        agreement: what an arrangement stands on.

    Raises:
        Rejected: the answers make no agreement; the sentence says what is wrong with what follows from them.
        Misuse: it is an arrangement, and no agreement was named.
    """
    opening = tuple(line.format(template=answers.header.template) for line in OPENING)
    try:
        if isinstance(answers, StateAnswers):
            text = state_draft(answers, opening)
            return text, parse_agreement(text, "the draft")
        if isinstance(answers, GroupAnswers):
            text = group_draft(answers, opening)
            return text, parse_agreement(text, "the draft")
        if agreement is None:
            raise Misuse("an arrangement stands on an agreement; name it with --on", code="no-agreement")
        text = arrangement_draft(answers, agreement, opening)
        return text, parse_layer(text, "the draft", agreement)
    except Rejected as error:
        sentence = f"what follows from these answers is refused: {error.args[0]}"
        raise Rejected(sentence, code=error.code, place=file) from None
