"""What a page of the register can be asked for, and which lines are meant by it (``spec/index.md`` steps 11 to 14)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal, NamedTuple

import msgspec

from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.finding.scope import Scope
from comity.flows.indexing.entries import LINE, About
from comity.flows.indexing.words import Needle
from comity.ports.index import Place
from comity.record.statement import DOMESTIC

LINES_MAX = 200
"""Most lines of a page."""
TEXT_CHARACTERS_MAX = 200
"""Longest of the words and names that a question has; a mark has at most 128 characters."""

Box = Literal["all", "in", "out", "own"]


class ReadPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of the register, as ``actor`` may see it; every filter is left out by an empty one.

    Attributes:
        box: what came from another party, what this house gave or handed on, or what is its own.
        relationship, peer: where it came by or went, and from or to whom.
        mark, topic, form: as registered.
        state, holder: of a copy that the viewer sees, both of the same one.
        since, until: registered at or after, and before.
        text: words, each of them in title, topic or subject; or the id of an item.
        after: a cursor; what follows it, which is older.
        before: a cursor; what comes before it, which is newer.
        limit: most lines; 1 to ``LINES_MAX``.
    """

    box: Box = "all"
    relationship: str = ""
    peer: str = ""
    mark: str = ""
    topic: str = ""
    form: str = ""
    state: str = ""
    holder: str = ""
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""
    after: str = ""
    before: str = ""
    limit: int = 50
    actor: Actor | None = None


class Places(NamedTuple):
    """The places that a question names."""

    after: Place | None
    before: Place | None


def checked(request: ReadPage) -> Places:
    """The places that a question names, once it is one.

    Raises:
        Misuse: it is none; ``place`` says in which part (``bad-page``).
    """
    if not 1 <= request.limit <= LINES_MAX:
        raise Misuse(f"a page has 1 to {LINES_MAX} lines, not {request.limit}", code="bad-page", place="limit")
    if request.after and request.before:
        raise Misuse("a page comes after a place or before it, not both", code="bad-page", place="before")
    if request.since and request.until and request.since > request.until:
        raise Misuse("the page would end before it begins", code="bad-page", place="until")
    for name in _TEXTS:
        text = getattr(request, name)
        if len(text) > TEXT_CHARACTERS_MAX or not _NO_TEXT.isdisjoint(text):
            says = f"a page is asked for in at most {TEXT_CHARACTERS_MAX} characters that can be written"
            raise Misuse(says, code="bad-page", place=name)
    for name in ("since", "until"):
        instant = getattr(request, name)
        if instant is not None and instant.tzinfo is None:
            raise Misuse(f"{instant} has no time zone", code="bad-page", place=name)
    return Places(_place(request.after, "after"), _place(request.before, "before"))


_NO_TEXT = frozenset(map(chr, (0, *range(0xD800, 0xE000))))
_TEXTS = ("relationship", "peer", "mark", "topic", "form", "state", "holder", "text", "after", "before")


def cursor(place: Place) -> str:
    """A place in the register as a page names it: the instant and the item of a line that its reader sees (12)."""
    return f"{place.at.astimezone(UTC):%Y%m%dT%H%M%S%f}Z.{place.key.removeprefix(f'{LINE}/')}"


def _place(written: str, name: str) -> Place | None:
    if not written:
        return None
    instant, dot, item = written.partition(".")
    try:
        at = datetime.strptime(instant, "%Y%m%dT%H%M%S%fZ").replace(tzinfo=UTC)
    except ValueError:
        dot = ""
    if not dot or not item:
        raise Misuse(f"{written[:100]!r} is no place that a page has named; begin anew", code="bad-page", place=name)
    return Place(at, f"{LINE}/{item}")


class Question(NamedTuple):
    """What is asked, by whom."""

    request: ReadPage
    asked: Places
    scope: Scope
    peers: dict[str, str]
    needles: tuple[Needle, ...]

    @property
    def answerable(self) -> bool:
        """Whether there can be any line."""
        return bool(self.needles) or not self.request.text.strip()

    @property
    def plain(self) -> bool:
        """Whether nothing is filtered."""
        free = ReadPage(after=self.request.after, before=self.request.before, limit=self.request.limit)
        return msgspec.structs.replace(self.request, actor=None) == free

    @property
    def places(self) -> list[str] | None:
        """The relationships that are asked about; None for all."""
        if not self.request.relationship and not self.request.peer:
            return None
        some = [self.request.relationship] if self.request.relationship else list(self.peers)
        return [each for each in some if not self.request.peer or self.peers.get(each) == self.request.peer]

    def fits_class(self, about: About) -> bool:
        """Whether lines of a class can be meant: by what all of them have in common."""
        request = self.request
        return (
            (not request.mark or about.mark == request.mark)
            and (not request.topic or about.topic == request.topic)
            and (not request.form or about.form == request.form)
            and (request.box != "in" or about.relationship != DOMESTIC)
            and (request.box != "own" or about.own)
        )

    def fits(self, about: About) -> bool:
        """Whether a line is meant, by what its viewer sees of it."""
        if not self.fits_class(about) or not all(needle.part in about.text for needle in self.needles):
            return False
        wide, request = self.scope.all_copies(about), self.request
        if request.box == "out" and not (wide and about.out):
            return False
        if self.places is not None and set(self.places).isdisjoint(self.went(about)):
            return False
        if not request.state and not request.holder:
            return True
        return any(
            (not request.state or state == request.state)
            and (not request.holder or name == request.holder)
            and (wide or name in self.scope.mine)
            for name, state in about.copies
        )

    def went(self, about: About) -> set[str]:
        """Where a line came by and went, as far as its viewer may know."""
        if self.scope.all_copies(about):
            return set(about.places)
        mine = {self.scope.mine[name] for name, _ in about.copies if name in self.scope.mine}
        return mine | ({about.relationship} - {DOMESTIC})
