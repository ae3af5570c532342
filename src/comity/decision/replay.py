"""A decision with the digest of its facts, and the same decision worked out again (``spec/decision.md``, "Replay").

Rules of this file:

- A statement is canonical JSON as ``msgspec`` writes it: keys in the order of the type, no white space, instants in
  UTC with a ``Z``. What does not write back to the same bytes is refused.
- Replay decides again from the recorded case and compares bytes; a stored outcome is never trusted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

import msgspec

from comity.decision.compiled import Compiled
from comity.decision.decide import decide
from comity.decision.model import Case, Outcome
from comity.errors import Misuse, Rejected

Kind = TypeVar("Kind", Case, "Statement")

STATEMENT_BYTES_MAX = 16_000_000
"""Longest case or statement read; one with 10,000 ancestors has some 4,000,000 bytes."""


class Statement(msgspec.Struct, frozen=True):
    """A decision and the digest of the case it was made on, 64 lowercase hexadecimal digits."""

    decision: Outcome
    facts: str


def state(compiled: Compiled, case: Case, beside: Sequence[Compiled] = ()) -> Statement:
    """Decide a case, naming every input: texts, rule version, time zone database, and the case by its digest.

    Raises:
        Misuse: as ``decide``.
    """
    return Statement(decide(compiled, case, beside), hashlib.sha256(case_bytes(case)).hexdigest())


def case_bytes(case: Case) -> bytes:
    """The canonical bytes of a case."""
    return msgspec.json.encode(case)


def statement_bytes(statement: Statement) -> bytes:
    """The canonical bytes of a statement."""
    return msgspec.json.encode(statement)


def read_case(data: bytes) -> Case:
    """The case written in ``data``.

    Raises:
        Rejected: it is too long, no case, or not in canonical form.
    """
    return _read(data, Case)


def read_statement(data: bytes) -> Statement:
    """The statement written in ``data``.

    Raises:
        Rejected: it is too long, no statement, or not in canonical form.
    """
    return _read(data, Statement)


def replay(compiled: Compiled, case: bytes, stated: bytes, beside: Sequence[Compiled] = ()) -> Statement:
    """Work a recorded decision out again, and give it when it comes out the same.

    Raises:
        Rejected: the case is not the one stated (``other-facts``), the texts are not (``other-inputs``), or the
            decision comes out differently (``other-decision``).
    """
    recorded = read_statement(stated)
    again = state(compiled, read_case(case), beside)
    if again.facts != recorded.facts:
        sentence = f"the case has digest {again.facts}, the statement names {recorded.facts}"
        raise Rejected(sentence, code="other-facts")
    if again.decision.inputs != recorded.decision.inputs:
        sentence = f"decided under {recorded.decision.inputs}, not under {again.decision.inputs}"
        raise Rejected(sentence, code="other-inputs")
    if statement_bytes(again) != stated:
        raise Rejected("the decision comes out differently when it is worked out again", code="other-decision")
    return again


def _read(data: bytes, kind: type[Kind]) -> Kind:
    name = kind.__name__.lower()
    if len(data) > STATEMENT_BYTES_MAX:
        raise Rejected(f"{name} of {len(data)} bytes; at most {STATEMENT_BYTES_MAX} are read", code="too-long")
    try:
        read = msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, Misuse) as error:
        raise Rejected(f"no {name}: {error}", code=f"bad-{name}") from None
    if msgspec.json.encode(read) != data:
        raise Rejected(f"the {name} is not in canonical form", code="not-canonical")
    return read
