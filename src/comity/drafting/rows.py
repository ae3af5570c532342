"""The rows of a draft, in the order and with the words in which a person would write them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from comity.agreement.digest import Written
from comity.agreement.model import Text
from comity.agreement.writing import table
from comity.drafting.answers import Member, Named, StateParty
from comity.explanation.phrases import Phrase

SOURCE = "the draft itself; to be compared with the text that is signed"
"""What each clause of a draft rests on: the draft is the text."""
DutyRow: TypeAlias = tuple[str, str, str, str, str, str | None, str | None, str]
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

    def agreement(self, named: Named, *, kind: str, legal_force: str) -> None:
        """The table that says what the draft is."""
        self.add(
            "[agreement]",
            format=1,
            id=named.id,
            version=named.version,
            kind=kind,
            legal_force=legal_force,
            authentic=named.authentic,
            title=texts(named.title),
        )

    def party(self, party: StateParty | Member, *, kind: str, nations: list[Written] | None = None) -> None:
        """A party."""
        self.add(
            "[[party]]",
            id=party.id,
            kind=kind,
            name=texts(party.name),
            timezone=party.timezone,
            languages=list(party.languages),
            nations=nations,
        )

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

    def duties(self, duties: Iterable[DutyRow]) -> None:
        """Several duties: name, clause, event, who, deed, to whom, within, evidence."""
        for name, clause, on, who, act, to, within, evidence in duties:
            self.duty(name, clause, on=on, who=who, act=act, to=to, within=within, evidence=evidence)

    def survival(self, clause: str) -> None:
        """The duty that outlives the agreement."""
        evidence = "the registers, which go on"
        self.duty(
            "survival", clause, on="agreement-ended", who="both", act="protect", within="continuous", evidence=evidence
        )

    def text(self) -> str:
        """The whole file."""
        return "\n\n".join(self._parts) + "\n"


def texts(text: Text) -> dict[str, Written]:
    """A text in the languages it has."""
    known = {"en": text.en, "ja": text.ja, "ko": text.ko}
    return {key: value for key, value in known.items() if value}
