"""The guard: what stands before every page (``spec/console.md`` steps 1 to 4).

A request that names another host, that another site's page made, or that says too much, is refused before anything of
it is looked at. Every answer says that nothing may be kept, framed, sniffed or fetched from elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from comity.errors import Misuse, Refused, Rejected

FORM_BYTES_MAX = 256 * 1024
"""Largest form without a file: twenty pages of typed text."""
READING = frozenset({"GET", "HEAD"})
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "frame-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "content-security-policy": POLICY,
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), publickey-credentials-get=(self), "
    "publickey-credentials-create=(self)",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
"""On every answer, unless the answer itself says something stricter."""
API = "/api/"
HTTPS_ONLY = "max-age=31536000; includeSubDomains"


class Refuse(Protocol):
    """Answers a refused request."""

    async def __call__(self, error: Exception, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer it."""
        ...


class Guard:
    """Stands before an application and lets through what a browser of this house sends from its own pages.

    Args:
        app: what stands behind it.
        refuse: answers a request with the error it is refused for.
        origins: every address under which browsers reach the console.
    """

    def __init__(self, app: ASGIApp, refuse: Refuse, origins: Sequence[str]) -> None:
        self._app = app
        self._refuse = refuse
        self._origins = frozenset(origins)
        self._hosts = frozenset(urlsplit(origin).netloc for origin in origins)
        self._secure = frozenset(urlsplit(origin).netloc for origin in origins if origin.startswith("https:"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request (ASGI)."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close"})
            return
        if scope["type"] != "http":
            return
        headers = Headers(scope=scope)

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    said.setdefault(name, value)
                if headers.get("host", "") in self._secure:
                    said.setdefault("strict-transport-security", HTTPS_ONLY)
            await send(message)

        try:
            self._check(scope, headers)
        except (Misuse, Refused, Rejected) as error:
            await self._refuse(error, scope, receive, guarded)
            return
        await self._app(scope, receive, guarded)

    def _check(self, scope: Scope, headers: Headers) -> None:
        hosts = headers.getlist("host")
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            raise Rejected("the console is not served under this address", code="unknown-host")
        if b"\\" in scope["raw_path"] or b"//" in scope["raw_path"] or "\0" in scope["path"]:
            raise Misuse("there is no such page", code="unknown-path")
        if scope["path"].startswith(
            API
        ):  # signed in to by a token in each request, never by what a browser adds itself
            return
        if scope["method"] not in {*READING, "POST"}:
            raise Misuse("a page is asked for with GET, and a form sent with POST", code="wrong-method")
        if scope["method"] in READING:
            return
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise Refused("this was sent by a page of another site; nothing was done", code="cross-site")
        origin = headers.get("origin")
        if origin is None:
            origin = _origin_of(headers.get("referer", ""))
        if origin not in self._origins:
            raise Refused(
                "this did not come from a page of the console; open the page again and send it from there",
                code="cross-site",
            )


def _origin_of(address: str) -> str:
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}"
