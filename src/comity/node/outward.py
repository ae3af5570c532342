"""What this node asks of servers that are no peers: a duty desk, a witness, an authority for time, a publisher."""

from __future__ import annotations

import aiohttp


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
