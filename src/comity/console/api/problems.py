"""Problems: what the API answers when it does not do what it was asked (RFC 9457; ``spec/api.md`` step 6)."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import msgspec
from starlette.responses import Response

from comity.answers import root_of, status_of
from comity.errors import ComityError, InternalError
from comity.flows.actors import NeedsSignature

TYPE = "application/problem+json"
TITLES = {
    "misuse": "this cannot be asked so",
    "refused": "this is not allowed",
    "rejected": "this is not what it must be",
    "unavailable": "this does not work now",
    "internal": "this failed inside",
}


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One problem.

    Attributes:
        type: a URN with the code.
        title: what kind of problem it is.
        status: the status of the answer.
        detail: what is wrong, where, and what to do.
        code: a stable word for programs.
        place: where it is: a field, a clause, a record.
        sign: what a person in strict custody must sign; the request is then sent again with it in ``signatures``.
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    place: str = ""
    sign: bytes = b""


def problem(error: Exception, doing: str, headers: Mapping[str, str] | None = None) -> Response:
    """The answer that tells of an error; a defect of ours says nothing but that it is one, the log has the rest."""
    if not isinstance(error, ComityError) or isinstance(error, InternalError):
        logging.getLogger("comity.console").error("%s failed inside", doing, exc_info=error)
        error = InternalError("this node failed on the request; its log says why", code="internal")
    told = Problem(
        type=f"urn:comity:problem:{error.code}",
        title=TITLES[root_of(error)],
        status=status_of(error),
        detail=error.sentence,
        code=error.code,
        place=error.place,
        sign=error.message if isinstance(error, NeedsSignature) else b"",
    )
    return Response(msgspec.json.encode(told), told.status, dict(headers or {}), TYPE)
