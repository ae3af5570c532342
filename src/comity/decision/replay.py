"""A decision with the digest of its facts, and the same decision worked out again (``spec/decision.md``, "Replay").

Rules of this file:

- A statement is canonical JSON as ``msgspec`` writes it: keys in the order of the type, no white space, instants in
  UTC with a ``Z``. What does not write back to the same bytes is refused.
- A case is written as the version of the rules that decided it writes it: an earlier version had fewer keys.
- Replay decides again from the recorded case and compares bytes; a stored outcome is never trusted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec

from comity.decision.compiled import Compiled
from comity.decision.decide import decide
from comity.decision.model import RULE_VERSION, Case, Outcome
from comity.errors import Misuse, Rejected

Read = TypeVar("Read")

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


def read_case(data: bytes, rule_version: str = RULE_VERSION) -> Case:
    """The case written in ``data``, as ``rule_version`` of the rules writes cases.

    How a later version than this program's writes them is not known here; what this program knows of is read.

    Raises:
        Rejected: it is too long, no case, or not in canonical form.
    """
    case = _read(data, Case, "case")
    written = {RULE_VERSION: case_bytes, "2": second_form, "1": first_form}.get(rule_version)
    if written is not None:
        _check_canonical(data, written(case), "case")
    return case


def read_statement(data: bytes) -> Statement:
    """The statement written in ``data``.

    Raises:
        Rejected: it is too long, no statement, or not in canonical form.
    """
    statement = _read(data, Statement, "statement")
    _check_canonical(data, statement_bytes(statement), "statement")
    return statement


def replay(compiled: Compiled, case: bytes, stated: bytes, beside: Sequence[Compiled] = ()) -> Statement:
    """Work a recorded decision out again, and give it when it comes out the same.

    Raises:
        Rejected: the case is not the one stated (``other-facts``), the texts are not (``other-inputs``), or the
            decision comes out differently (``other-decision``).
    """
    recorded = read_statement(stated)
    again = state(compiled, read_case(case, recorded.decision.inputs.rule_version), beside)
    if again.decision.inputs != recorded.decision.inputs:
        sentence = f"decided under {recorded.decision.inputs}, not under {again.decision.inputs}"
        raise Rejected(sentence, code="other-inputs")
    if again.facts != recorded.facts:
        sentence = f"the case has digest {again.facts}, the statement names {recorded.facts}"
        raise Rejected(sentence, code="other-facts")
    if statement_bytes(again) != stated:
        raise Rejected("the decision comes out differently when it is worked out again", code="other-decision")
    return again


def _read(data: bytes, kind: type[Read], name: str) -> Read:
    if len(data) > STATEMENT_BYTES_MAX:
        raise Rejected(f"{name} of {len(data)} bytes; at most {STATEMENT_BYTES_MAX} are read", code="too-long")
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, ValueError, RecursionError, Misuse) as error:
        raise Rejected(f"no {name}: {error}", code=f"bad-{name}") from None


def _check_canonical(data: bytes, again: bytes, name: str) -> None:
    if again != data:
        raise Rejected(f"the {name} is not in canonical form", code="not-canonical")


def second_form(case: Case) -> bytes:
    """The bytes of a case as version 2 wrote it, before offices and standing consents."""
    return msgspec.json.encode(_as_second(case))


def first_form(case: Case) -> bytes:
    """The bytes of a case as version 1 wrote it, before methods, copies, witnesses, recalls and suspicions."""
    written = _as_second(case)
    del written["method"], written["copies"], written["facts"]["witnesses"]
    for item in _items(written):
        del item["recalled"], item["suspected"]
    return msgspec.json.encode(written)


def _as_second(case: Case) -> dict[str, Any]:
    written: dict[str, Any] = msgspec.to_builtins(case)
    del written["office"]
    for approval in written["facts"]["approvals"]:
        del approval["office"]
    for consent in written["facts"]["consents"]:
        del consent["standing"]
    for item in _items(written):
        del item["office"]
    return written


def _items(written: dict[str, Any]) -> list[dict[str, Any]]:
    """The item of a case and all it came from."""
    items = [written["item"]]
    for item in items:
        items += item["lineage"]
    return items
