"""Errors on their way to the other side: as JSON, under a status from one table (``spec/exchange.md`` step 51).

``{"error":{"root":"rejected","code":"unknown-mark","place":"item.toml:3","sentence":"..."}}`` is what both doors answer
when they refuse, and what both clients read back into the error it was. Light on purpose: the command line imports it
before anything else.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from comity.errors import ComityError, InternalError, Misuse, Refused, Rejected, Unavailable
from comity.flows.actors import NeedsSignature

Root = Literal["misuse", "refused", "rejected", "unavailable", "internal"]

ROOTS: dict[Root, type[ComityError]] = {
    "misuse": Misuse,
    "refused": Refused,
    "rejected": Rejected,
    "unavailable": Unavailable,
    "internal": InternalError,
}
"""The roots by the word that travels. A subclass travels as its root, and its code says the rest; only
``NeedsSignature`` comes back as itself, with the bytes to sign."""

STATUS_BY_CODE = {
    "unsigned": 401,
    "malformed-signature": 401,
    "bad-signature": 401,
    "unknown-key": 401,
    "unknown-token": 401,
    "stale-request": 401,
    "future-request": 401,
    "replayed": 401,
    "card-ended": 401,
    "unknown-peer": 403,
    "unknown-path": 404,
    "unknown-relationship": 404,
    "unknown-chain": 404,
    "unknown-flow": 404,
    "unknown-file": 404,
    "unknown-item": 404,
    "unknown-tile": 404,
    "wrong-method": 405,
    "slow-body": 408,
    "idempotency-key-used": 409,
    "outcome-unknown": 409,
    "fork": 409,
    "blob-offset": 409,
    "upload-offset": 409,
    "no-length": 411,
    "too-large": 413,
    "not-json": 415,
    "wrong-audience": 421,
    "quota": 429,
    "too-soon": 429,
    "disk-full": 507,
    "disk-reserve": 507,
}
"""Statuses of errors that HTTP has a word for, whatever their root."""

STATUS_BY_ROOT: dict[Root, int] = {"misuse": 400, "refused": 403, "rejected": 422, "unavailable": 503, "internal": 500}
"""Statuses of all other errors: who is at fault decides."""


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One error, in the words of ``comity.errors``; ``message`` is what a person in strict custody must sign."""

    root: Root
    code: str
    place: str
    sentence: str
    message: bytes = b""


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of every answer that is not a success."""

    error: Fault


def root_of(error: ComityError) -> Root:
    """The word for the root of ``error``."""
    return next((word for word, kind in ROOTS.items() if isinstance(error, kind)), "internal")


def status_of(error: ComityError) -> int:
    """The HTTP status under which ``error`` is answered."""
    return STATUS_BY_CODE.get(error.code) or STATUS_BY_ROOT[root_of(error)]


def write_error(error: ComityError) -> bytes:
    """``error`` as JSON."""
    message = error.message if isinstance(error, NeedsSignature) else b""
    return msgspec.json.encode(
        Answer(Fault(root_of(error), error.code, error.place, Exception.__str__(error), message))
    )


def read_error(body: bytes) -> ComityError:
    """The error that ``body`` carries: the same root, code, place and sentence; raising it is the caller's part.

    Raises:
        Rejected: ``body`` is no such answer.
    """
    try:
        fault = msgspec.json.decode(body, type=Answer).error
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        shown = body[:200].decode(errors="replace")
        raise Rejected(f"an error that is not written as one ({error}): {shown!r}", code="malformed") from None
    if fault.message:
        return NeedsSignature(fault.message)
    return ROOTS[fault.root](fault.sentence, code=fault.code, place=fault.place)


def answer_error(error: Exception, doing: str) -> tuple[int, bytes]:
    """Status and body that tell the other side of ``error``.

    Our own defects say nothing but that they are ours; the log has the rest, under what was being done.
    """
    if isinstance(error, ComityError) and not isinstance(error, InternalError):
        return status_of(error), write_error(error)
    import logging

    logging.getLogger("comity.node").error("%s failed inside", doing, exc_info=error)
    shown = InternalError("this node failed on the request; its log says why", code="internal")
    return status_of(shown), write_error(shown)
