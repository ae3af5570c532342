"""The errors of Comity: who is at fault decides the root.

Rules of this file:

- ``Misuse``: the caller asked for something that cannot be done; nothing was changed.
- ``Refused``: the agreement, or a domestic rule, does not allow the act; the decision says why.
- ``Rejected``: data from outside (a file, a peer, a disk) is not what it must be.
- ``Unavailable``: the world failed (disk full, peer down, folder locked); the same call may work later.
- ``InternalError``: an invariant of ours does not hold. Never caught to go on.

Each error is one sentence for its reader, lowercase and without a full stop, with the reader's own input quoted, and
carries its place and its code as fields. Errors never print and never exit: the command line and the HTTP server
render them (``cli/output.py``, ``answers.py``).
"""

from __future__ import annotations

SENTENCE_CHARACTERS_MAX = 1500
"""More than this nobody reads; of a longer sentence, which quotes somebody at length, the middle is left out."""
_HEAD, _TAIL = 1000, 400


class ComityError(Exception):
    """Root of all errors that Comity raises on purpose.

    Attributes:
        sentence: what is wrong and what to do.
        code: a stable word for programs, such as ``"unknown-mark"``.
        place: where it is: ``file:line``, a record id, a field path; empty when the sentence says it all.
    """

    def __init__(self, sentence: str, *, code: str = "", place: str = "") -> None:
        if len(sentence) > SENTENCE_CHARACTERS_MAX:
            sentence = f"{sentence[:_HEAD]} … {sentence[-_TAIL:]}"
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code or type(self).__name__.lower()
        self.place = place

    def __str__(self) -> str:
        return f"{self.place}: {self.sentence}" if self.place else self.sentence


class Misuse(ComityError):
    """The caller asked for something that cannot be done."""


class Refused(ComityError):
    """The agreement or a domestic rule does not allow the act."""


class Rejected(ComityError):
    """Data from outside is not what it must be."""


class Unavailable(ComityError):
    """The world outside failed; the same call may work later."""


class InternalError(ComityError):
    """An invariant of Comity's own does not hold."""


TOLD = (Misuse, Refused, Rejected, Unavailable)
"""Errors that are told to whoever asked; all else are defects of ours, of which the log has the rest."""


def invariant(condition: object, sentence: str) -> None:
    """Raise ``InternalError`` unless ``condition`` holds (unlike ``assert``, also under ``python -O``)."""
    if not condition:
        raise InternalError(sentence)
