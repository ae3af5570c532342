"""From the text of a history file to a checked history (``spec/term.md``, "Reading a history").

Every mistake is a ``Rejected`` with ``file:line`` as its place and a sentence that says what is wrong; a history that
contradicts itself is refused as a whole, at the line of the first act that cannot follow what stands before it.
"""

from __future__ import annotations

from collections.abc import Sequence

from comity.agreement.calendar import TimeZones
from comity.agreement.history import History, HistoryFile, history_of
from comity.agreement.load import read_file
from comity.agreement.model import Agreement
from comity.agreement.term import Chronicle


def parse_history(text: str, file: str, agreement: Agreement, zones: TimeZones) -> History:
    """The history written in ``text``; ``file`` is the name that errors give.

    Raises:
        Rejected: the text breaks a rule of ``spec/term.md``; a ``Contradiction`` when its acts cannot follow one
            another.
    """
    _, lines, read = read_file(text, file, HistoryFile, "history")

    def place(path: Sequence[str | int]) -> str:
        return f"{file}:{lines.of(tuple(path))}"

    history = history_of(read, agreement, zones, place=place)
    Chronicle(agreement, history, zones, place=place)
    return history
