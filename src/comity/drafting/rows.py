"""The rows of a draft, in the order and with the words in which a person would write them."""

from __future__ import annotations

from collections.abc import Sequence

from comity.agreement.digest import Written
from comity.agreement.model import Text
from comity.agreement.writing import table
from comity.explanation.phrases import Phrase

SOURCE = "the draft itself; to be compared with the text that is signed"
"""What each clause of a draft rests on: the draft is the text."""
WIDTH = 118
"""Columns of a line between sections."""


class Rows:
    """A file as it grows: sections of tables, each under a comment."""

    def __init__(self, *opening: str) -> None:
        self._parts: list[str] = ["\n".join(f"# {line}".rstrip() for line in opening)]

    def section(self, title: str) -> None:
        """A line that says what follows."""
        self._parts.append("# " + f" {title}".rjust(WIDTH, "-"))

    def add(self, head: str, **keys: Written | None) -> None:
        """A table. A key that is None is not written; ``_`` in a name stands for ``-``."""
        written = {key.rstrip("_").replace("_", "-"): value for key, value in keys.items() if value is not None}
        self._parts.append(table(head, written))

    def clause(self, name: str, heading: Phrase, says: str) -> None:
        """A clause: its heading in three languages, what it says in English."""
        english, japanese, korean = heading
        self.add(
            "[[clause]]",
            id=name,
            heading={"en": english, "ja": japanese, "ko": korean},
            says=says,
            provenance="P",
            source=SOURCE,
        )

    def rule(self, name: str, clause: str, acts: Sequence[str], **keys: Written | None) -> None:
        """A rule."""
        self.add("[[rule]]", id=name, clause=clause, acts=list(acts), **keys)

    def duty(self, name: str, clause: str, **keys: Written | None) -> None:
        """A duty."""
        self.add("[[obligation]]", id=name, clause=clause, **keys)

    def text(self) -> str:
        """The whole file."""
        return "\n\n".join(self._parts) + "\n"


def texts(text: Text) -> dict[str, Written]:
    """A text in the languages it has."""
    known = {"en": text.en, "ja": text.ja, "ko": text.ko}
    return {key: value for key, value in known.items() if value}
