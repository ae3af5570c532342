"""Files of the API: sent before a verb reads them, fetched after a verb wrote them (``spec/api.md`` step 9).

They lie in the spool, as files from browsers do: sealed, without a name, for fifteen minutes.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from contextlib import AbstractContextManager

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from comity.console.api.verbs import READING
from comity.console.bodies import pieces_of
from comity.console.contents import download
from comity.console.desk import Desk
from comity.console.spool import Spooled
from comity.console.tokens import Bearer
from comity.console.uploads import safe_name
from comity.errors import Misuse, Rejected
from comity.flows.giving.release import POSSIBLE

FILE = r"^file:[0-9a-f]{32}$"
"""How a file is named in a request."""
WRITTEN: Mapping[str, str] = {
    "evidence.contradiction": "path",
    "evidence.export": "path",
    "open": "path",
    "pass-on.seal": "path",
    "reconcile.answer": "out",
    "reconcile.ask": "path",
}
"""Verbs that write a file, and the field by which their flow names it: the API names it itself."""
LOOKING = READING | {"give.look", "give.preview"}
"""Verbs that read a file which another one is asked with afterwards."""
HEADER = "comity-file"
_READ = ("path",)


class FileSent(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a file: how requests name it, what it is called, and its size in bytes."""

    file: str
    name: str
    size: int


def read_fields(verb: str, request: type[msgspec.Struct]) -> tuple[str, ...]:
    """The fields of a verb's request that name a file which was sent."""
    return tuple(name for name in _READ if name in request.__struct_fields__ and WRITTEN.get(verb) != name)


def takes_files(verb: str, answer: object) -> bool:
    """Whether a verb has done what its files were sent for, so that they are needed no more."""
    return verb not in LOOKING and getattr(answer, "outcome", "permit") in POSSIBLE


class ApiFiles:
    """The files of programs: each token has its own.

    Args:
        desk: the house, with the spool.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._owners: dict[str, _Owner] = {}

    def _owner(self, bearer: Bearer) -> _Owner:
        return self._owners.setdefault(bearer.token.token, _Owner(bearer.person.person))

    async def send(self, request: Request, bearer: Bearer) -> bytes:
        """Take a file; the answer, as JSON.

        Raises:
            Rejected: it is too large, or too slow.
            Unavailable: there is no room.
        """
        most = self._desk.settings.upload_bytes
        spooled = self._desk.spool.new(self._owner(bearer), safe_name(request.query_params.get("name", "file")))
        with self._desk.spool.whole(spooled) as sink:
            size = 0
            async for piece in pieces_of(request):
                size += len(piece)
                if size > most:
                    raise Rejected(f"a file of more than {most} bytes is not taken here", code="too-large")
                await asyncio.to_thread(sink.write, piece)
        return msgspec.json.encode(FileSent(file=f"file:{spooled.id}", name=spooled.name, size=spooled.size))

    def fetch(self, name: str, bearer: Bearer) -> Response:
        """What a verb wrote, once.

        Raises:
            Misuse: there is no such file of this token.
        """
        return download(self._desk.spool, self._of(name, bearer), once=True)

    def sent(self, value: object, bearer: Bearer, field: str) -> Spooled:
        """The file that a request names.

        Raises:
            Misuse: it is no name of a file, or there is no such file of this token.
        """
        if not isinstance(value, str) or not re.fullmatch(FILE, value):
            raise Misuse("a file is named as it was answered when it was sent: file:…", code="malformed", place=field)
        return self._of(value, bearer)

    def room(self, verb: str, bearer: Bearer) -> AbstractContextManager[Spooled]:
        """Where a verb writes its file, if it does."""
        return self._desk.spool.room(self._owner(bearer), safe_name(f"{verb}.file"))

    def _of(self, value: str, bearer: Bearer) -> Spooled:
        found = self._desk.spool.of(self._owner(bearer), value.removeprefix("file:"))
        if found is None:
            raise Misuse("there is no such file; send it again", code="unknown-file")
        return found


class _Owner:
    """A token, as the spool knows whose something is."""

    def __init__(self, person: str) -> None:
        self.person = person
