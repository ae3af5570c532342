"""What a running node does with feeds for those on its own machine (``spec/feed.md`` steps 15 and 18)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from comity.errors import Misuse
from comity.flows.feeding.feeds import Feeds
from comity.flows.feeding.requests import Published
from comity.node.local import LinesFlow

PUBLISH = "feed.publish"
REQUEST_MAX = 2**62


def feeds_lines(feeds: Feeds) -> dict[str, LinesFlow]:
    """The flows that take lines: ``feed.publish?feed=…[&relationship=…][&source=…&request=…]``, a message each line."""

    async def publish(asked: Mapping[str, str], messages: Sequence[bytes]) -> Published:
        request = asked.get("request", "0")
        if not (request.isascii() and request.isdigit() and int(request) < REQUEST_MAX):
            raise Misuse(f"{request[:40]!r} is not the number of a request", code="bad-request-number")
        name = await feeds.named(asked.get("feed", ""), asked.get("relationship", ""))
        return await (await feeds.publisher(name)).publish(messages, asked.get("source", ""), int(request))

    return {PUBLISH: publish}
