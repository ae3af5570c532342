"""What this node asks of servers that are no peers: a duty desk, a witness, a clock, a publisher, a login."""

from __future__ import annotations

from collections.abc import Mapping

import aiohttp

from comity.errors import Unavailable

FETCH_SECONDS = 10.0
"""Longest wait for an answer that a browser waits for meanwhile."""
FETCH_BYTES_MAX = 256 * 1024


def asking(timeout: aiohttp.ClientTimeout) -> aiohttp.ClientSession:
    """A session that says nothing of this program, keeps no cookie, and unpacks nothing: an answer is as long as it is.

    A compressed one is a thousand times longer than what came, and nobody here asked for that.
    """
    return aiohttp.ClientSession(
        timeout=timeout,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        skip_auto_headers=("User-Agent", "Accept-Encoding"),
    )


async def fetch(url: str, body: bytes | None, headers: Mapping[str, str]) -> tuple[int, bytes]:
    """Status and body of what an address answers, asked with POST where there is a body, else with GET.

    It follows no redirection.

    Raises:
        Unavailable: it does not answer in time, or answers more than it can have to say.
    """
    timeout = aiohttp.ClientTimeout(total=FETCH_SECONDS)
    method = "GET" if body is None else "POST"
    try:
        async with (
            asking(timeout) as session,
            session.request(method, url, data=body, headers=headers, allow_redirects=False) as reply,
        ):
            answer = bytearray()
            while piece := await reply.content.read(FETCH_BYTES_MAX):
                answer += piece
                if len(answer) > FETCH_BYTES_MAX:
                    raise Unavailable(f"{url!r} answers more than {FETCH_BYTES_MAX} bytes", code="answer-too-large")
            return reply.status, bytes(answer)
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        told = str(error) or type(error).__name__
        raise Unavailable(f"{url!r} does not answer: {told}", code="unreachable") from None
