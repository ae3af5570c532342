"""The ``[console]`` table of ``node.toml``: where people of the house reach the pages, and how they may sign in."""

from __future__ import annotations

import re
from typing import Annotated

import msgspec

_ORIGIN = r"\Ahttps://[a-z0-9.-]{1,253}(?::[0-9]{1,5})?\Z"
_ISSUER = r"\A(?:https://[^/?#@\s]+(?:/[^?#\s]*)?|http://(?:127\.0\.0\.1|localhost)(?::[0-9]{1,5})?(?:/[^?#\s]*)?)\Z"
Short = Annotated[str, msgspec.Meta(min_length=1, max_length=1_000)]


def is_issuer(address: str) -> bool:
    """Whether what people show themselves to may be asked at an address: HTTPS, or this machine."""
    return re.match(_ISSUER, address) is not None


class Organisation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab", kw_only=True):
    """An organisation's own login (OpenID Connect), by which people of this house sign in.

    Attributes:
        name: how the button calls it.
        issuer: its address; HTTPS, or this machine.
        client: the client id that it knows this console by.
        secret: a file with the client secret; beside ``node.toml`` unless its path is absolute.
        claim: which claim of the token is a person's handle here.
    """

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    issuer: Annotated[str, msgspec.Meta(pattern=_ISSUER, max_length=1_000)]
    client: Short
    secret: Short
    claim: Short = "preferred_username"


class ConsoleSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab", kw_only=True):
    """The ``[console]`` table; what is served where there is none.

    Attributes:
        serve: whether pages are served at all.
        address: the interface to listen on; plain HTTP where it is this machine's own, else the node's TLS.
        port: the port; 0 takes a free one.
        public: the addresses under which browsers reach it besides, as the organisation's own proxy shows it.
        passwords: whether a password alone signs somebody in; without, only passkeys and the organisation do.
        idle_minutes: how long somebody may do nothing before he has to sign in again.
        fresh_minutes: how long a sign-in lasts for a release, or for opening above the lowest level.
        access_days: how long it is kept who asked for which page.
        upload_bytes: the largest file that is taken.
        organisation: the organisation's own login, where there is one.
    """

    serve: bool = True
    address: Annotated[str, msgspec.Meta(min_length=1, max_length=253)] = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65_535)] = 0
    public: Annotated[tuple[Annotated[str, msgspec.Meta(pattern=_ORIGIN)], ...], msgspec.Meta(max_length=8)] = ()
    passwords: bool = True
    idle_minutes: Annotated[int, msgspec.Meta(ge=1, le=480)] = 15
    fresh_minutes: Annotated[int, msgspec.Meta(ge=1, le=60)] = 5
    access_days: Annotated[int, msgspec.Meta(ge=1, le=36_500)] = 365
    upload_bytes: Annotated[int, msgspec.Meta(ge=1, le=2**40)] = 2 * 2**30
    organisation: Organisation | None = None
