"""What browsers hold of the console, and under which names (``spec/console.md`` step 5)."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from comity.console.desk import Desk

SESSION, BROWSER, KNOWN = "", "-browser", "-known"
"""The session; what challenges are bound to; by which a browser is known in which somebody signed in before."""
YEAR = timedelta(days=365)


def origin_of(desk: Desk, host: str) -> str:
    """The address by which a browser that names this host calls the console; HTTPS where there are two."""
    return next((each for each in sorted(desk.origins, reverse=True) if each.endswith(f"://{host}")), desk.origins[0])


def cookie(desk: Desk, host: str, what: str = SESSION) -> str:
    """The name of a cookie; two houses may be served by one machine."""
    name = f"comity-{desk.house.party}{what}"
    return f"__Host-{name}" if origin_of(desk, host).startswith("https:") else name


def held(desk: Desk, request: Request, what: str = SESSION) -> str:
    """What a browser holds; empty where it holds nothing, or what nobody here gave it."""
    value = request.cookies.get(cookie(desk, request.headers.get("host", ""), what), "")
    return value if value.isascii() and len(value) <= 200 else ""


def give(
    desk: Desk,
    request: Request,
    response: Response,
    value: str,
    what: str = SESSION,
    *,
    lasts: timedelta | None = None,
    same_site: Literal["strict", "lax"] = "strict",
) -> None:
    """Have a browser hold something; until it is closed, unless it ``lasts``. An empty value takes it away."""
    name = cookie(desk, request.headers.get("host", ""), what)
    seconds = 0 if not value else int(lasts.total_seconds()) if lasts is not None else None
    response.set_cookie(
        name, value, max_age=seconds, secure=name.startswith("__Host-"), httponly=True, samesite=same_site
    )
