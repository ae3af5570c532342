"""Who publishes over the network, and what (``spec/doors.md`` step 20).

[events]
address = "10.0.0.5"
port = 8445

[[events.source]]
token = "fps-5.token"          # a file; whoever shows what is in it publishes
feeds = ["air-picture"]
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import msgspec

from comity.agreement.model import Identifier
from comity.errors import Refused, Rejected

SECRET_BYTES_MIN = 16
"""Shortest secret: whoever can guess it can raise the alarm, or publish."""
SECRET_BYTES_MAX = 4_096
"""Longest: what a program sends with each request."""
BEARER = "Bearer "
Port = Annotated[int, msgspec.Meta(ge=0, le=65_535)]


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab", kw_only=True):
    """One ``[[events.source]]``: whoever shows this token publishes to these feeds.

    Attributes:
        token: a file with the token; beside ``node.toml`` unless its path is absolute.
        feeds: their names.
    """

    token: Annotated[str, msgspec.Meta(min_length=1, max_length=1_000)]
    feeds: Annotated[tuple[Identifier, ...], msgspec.Meta(min_length=1, max_length=256)]


class Sources(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab", kw_only=True):
    """The ``[events]`` table: where sources publish CloudEvents over the network; nowhere, without it.

    Attributes:
        address: the interface to listen on.
        port: the port; 0 takes a free one.
        source: who publishes.
    """

    address: Annotated[str, msgspec.Meta(min_length=1, max_length=253)] = "127.0.0.1"
    port: Port
    source: Annotated[tuple[Source, ...], msgspec.Meta(min_length=1, max_length=256)]

    def lines(self) -> list[str]:
        """How it is written."""
        written = ["", "[events]", f"address = {_quoted(self.address)}", f"port = {self.port}"]
        for each in self.source:
            feeds = ", ".join(map(_quoted, each.feeds))
            written += ["", "[[events.source]]", f"token = {_quoted(each.token)}", f"feeds = [{feeds}]"]
        return written


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()


def read_secret(file: str, folder: Path, whose: str, read: Callable[[Path], bytes]) -> bytes:
    """A secret that the settings name a file for; ``read`` sees that nobody else can read it, and opens what is locked.

    Raises:
        Unavailable: the file cannot be read.
        Rejected: others can read it, it is too short to keep anybody out, or too long for a secret.
    """
    path = folder / file
    secret = read(path).strip()
    if len(secret) > SECRET_BYTES_MAX:
        raise Rejected(f"the secret of {whose} is too long", code="long-secret", place=str(path))
    if len(secret) < SECRET_BYTES_MIN:
        raise Rejected(
            f"the secret of {whose} has {len(secret)} bytes; at least {SECRET_BYTES_MIN} are asked for",
            code="short-secret",
            place=str(path),
        )
    return secret


class Tokens:
    """Who may publish over the network what: whoever shows the token of a source.

    Args:
        sources: as the settings have them.
        folder: where the files with their tokens lie.
        read: reads a secret file.

    Raises:
        Unavailable: a file cannot be read.
        Rejected: a token is too short.
    """

    def __init__(self, sources: Sequence[Source], folder: Path, read: Callable[[Path], bytes]) -> None:
        self._feeds = [
            (sha256(read_secret(each.token, folder, "a source", read)).digest(), each.token, frozenset(each.feeds))
            for each in sources
        ]

    def check(self, authorization: str, feed: str) -> str:
        """See that whoever shows this may publish to a feed.

        Returns:
            What the names of his requests begin with, so that nobody's are taken for another's.

        Raises:
            Rejected: it is no token that is known here.
            Refused: the source of this token does not publish to this feed.
        """
        shown = sha256(authorization.removeprefix(BEARER).encode()).digest()
        known = [(name, feeds) for digest, name, feeds in self._feeds if hmac.compare_digest(digest, shown)]
        if not known or not authorization.startswith(BEARER):
            raise Rejected("show the token of a source, as 'Authorization: Bearer TOKEN'", code="unknown-token")
        for name, feeds in known:
            if feed in feeds:
                return f"{sha256(name.encode()).hexdigest()[:16]}/"  # a new token in its file changes nothing
        raise Refused(f"this source does not publish to {feed[:200]!r}", code="not-this-feed")
