"""What a running node does with feeds for those on its own machine (``spec/feed.md`` steps 15 and 18)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from comity.errors import Misuse, Rejected
from comity.feed.proof import read_proof, verify_proof, write_proof
from comity.flows.exchanging.witnessing import witness_key
from comity.flows.feeding.books import Books
from comity.flows.feeding.contradicting import held_of_feeds
from comity.flows.feeding.feeds import Feeds
from comity.flows.feeding.listing import FeedLine, ListFeeds, list_feeds
from comity.flows.feeding.names import FeedName
from comity.flows.feeding.requests import Published
from comity.flows.house import House
from comity.flows.vouching.contradictions import (
    ContradictionExported,
    ContradictionShown,
    ExportContradiction,
    Held,
    ListContradictions,
    export_one,
    held,
)
from comity.node.local import AnyFlow, LinesFlow
from comity.record.card import read_card

PUBLISH = "feed.publish"
PROVE = "feed.prove"
VERIFY = "feed.verify"
LIST = "feed.list"
REQUEST_MAX = 2**62


class ProveMessage(Struct, frozen=True, kw_only=True):
    """Prove a message of a feed (flow ``feed.prove``).

    Attributes:
        feed: the feed's name.
        number: the message's number in it.
        relationship: which, where the name is that of several feeds.
        show: fields of the original to show, as far as this house published it.
    """

    feed: str
    number: int
    relationship: str = ""
    show: tuple[str, ...] = ()


class MessageProved(Struct, frozen=True, kw_only=True):
    """A proof: the file, and whether it proves the original, too."""

    proof: str
    original: bool


class VerifyMessage(Struct, frozen=True):
    """Verify a proof with the keys of this house's peers (flow ``feed.verify``)."""

    proof: str


class MessageVerified(Struct, frozen=True, kw_only=True):
    """What a proof shows.

    Attributes:
        feed, publisher, relationship: of which feed.
        number: the message's number in it.
        view: what crossed, JSON.
        batches: how many batches the log had by the checkpoint.
        cosigned: when the recipient said that it has it, durably; None where it has not said so.
        shown: fields of the original that are shown, with their values as JSON.
        same: those of them that crossed as they were.
        logged: the root in whose record the original was logged, hexadecimal; empty where no original is proved.
    """

    feed: str
    publisher: str
    relationship: str
    number: int
    view: str
    batches: int
    cosigned: datetime | None
    shown: dict[str, str]
    same: tuple[str, ...]
    logged: str


class FeedSent(Struct, frozen=True, kw_only=True):
    """How it goes with a feed that this node publishes.

    Attributes:
        relationship, feed: which.
        batches: how many its log has, durably.
        acknowledged: how many of them the recipient has, as it signed.
        waiting: messages that wait for their time, or for room on the way.
        stopped: why nothing is published on it any more; empty while it goes on.
    """

    relationship: str
    feed: str
    batches: int
    acknowledged: int
    waiting: int
    stopped: str = ""


async def list_with_stopped(feeds: Feeds, house: House, request: ListFeeds) -> list[FeedLine]:
    """The standing releases, as ``list_feeds``; of ours, those on which nothing more can be published are stopped."""
    found = await list_feeds(house, request)
    for place, line in enumerate(found):
        if line.ours and line.state in ("stands", "stopped"):
            why = await feeds.stopped(FeedName(line.relationship, line.publisher, line.feed))
            found[place] = replace(line, state="stopped", why=why) if why else line
    return found


def feeds_sent(feeds: Feeds) -> list[FeedSent]:
    """How it goes with each feed that was published since this node was started."""
    return [
        FeedSent(
            relationship=each.name.relationship,
            feed=each.name.feed,
            batches=each.size,
            acknowledged=each.acknowledged,
            waiting=each.held,
            stopped="" if each.stopped is None else each.stopped.sentence,
        )
        for each in feeds.open_publishers()
    ]


class _Flow(Struct, frozen=True):
    """A flow that needs the feeds of a running node."""

    run: Callable[[Any, Any], Any]
    request: type[Struct]


def feeds_lines(feeds: Feeds) -> dict[str, LinesFlow]:
    """The flows that take lines: ``feed.publish?feed=…[&relationship=…][&source=…&request=…]``, a message each line."""

    async def publish(asked: Mapping[str, str], messages: Sequence[bytes]) -> Published:
        number = request_number(asked)
        name = await feeds.named(asked.get("feed", ""), asked.get("relationship", ""))
        return await (await feeds.publisher(name)).publish(messages, asked.get("source", ""), number)

    return {PUBLISH: publish}


def request_number(asked: Mapping[str, str]) -> int:
    """The number of a request to publish, by which one that is made again is taken once; 0 where it has none.

    Raises:
        Misuse: it is no number.
    """
    request = asked.get("request", "0")
    if not (request.isascii() and request.isdigit() and len(request) < 20 and int(request) < REQUEST_MAX):
        raise Misuse(f"{request[:40]!r} is not the number of a request", code="bad-request-number")
    return int(request)


def feeds_flows(feeds: Feeds, books: Books) -> dict[str, AnyFlow]:
    """The flows about feeds that only a running node has."""

    async def prove(_: House, request: ProveMessage) -> MessageProved:
        name = await feeds.any_named(request.feed, request.relationship)
        logged, cosigned = None, b""
        if name in await feeds.published():
            cosigned = (await feeds.publisher(name)).cosigned
            await books.settle()
            kept = feeds.kept(name)
            index = await kept.shelf.find(request.number)
            logged = None if index is None else await books.logged_with(name, index)
        elif request.show:
            raise Misuse("fields of the original are shown by whoever published it", code="not-published-here")
        proof = await feeds.kept(name).prove(request.number, request.show, logged, cosigned)
        return MessageProved(proof=write_proof(proof).decode(), original=proof.original is not None)

    async def list_ours(house: House, request: ListFeeds) -> list[FeedLine]:
        return await list_with_stopped(feeds, house, request)

    async def all_held(house: House) -> list[Held]:
        of_feeds = [each async for each in held_of_feeds(house, feeds)]  # keeps with the others what became a proof
        return [*[each async for each in held(house)], *of_feeds]

    async def contradictions(house: House, _: ListContradictions) -> list[ContradictionShown]:
        return [each.shown for each in await all_held(house)]

    async def contradiction(house: House, request: ExportContradiction) -> ContradictionExported:
        return export_one(house, request, await all_held(house))

    return {
        PROVE: _Flow(prove, ProveMessage),
        VERIFY: _Flow(verify, VerifyMessage),
        LIST: _Flow(list_ours, ListFeeds),
        "ledger.contradictions": _Flow(contradictions, ListContradictions),
        "evidence.contradiction": _Flow(contradiction, ExportContradiction),
    }


async def verify(house: House, request: VerifyMessage) -> MessageVerified:
    """Verify a proof of a message of ours or of a peer's.

    Raises:
        Rejected: it does not prove what it says.
        Refused: it is of nobody that this house knows.
    """
    proof = read_proof(request.proof.encode())
    name = named(proof.view.origin)
    peer = await house.peer_in(name.relationship)
    card = await house.peer_card(peer)
    own = read_card(await house.card())
    logs = {each.party: each.unrevoked("log") for each in (card, own)}
    witnesses = {each.party: each.unrevoked("witness") for each in (card, own)}
    if name.publisher not in logs:
        raise Rejected(f"{name.publisher!r} is no party to {name.relationship!r}", code="other-feed")
    proved = verify_proof(
        proof,
        name.origin,
        [name.log_key(key) for key in logs[name.publisher]],
        [witness_key(party, key) for party, keys in witnesses.items() if party != name.publisher for key in keys],
    )
    times = [each.time for each in proved.signed.witnesses if each.time is not None]
    return MessageVerified(
        feed=name.feed,
        publisher=name.publisher,
        relationship=name.relationship,
        number=proved.number,
        view=proved.view.decode(errors="replace"),
        batches=proved.signed.checkpoint.head.size,
        cosigned=datetime.fromtimestamp(min(times), UTC) if times else None,
        shown={each.name: each.value.decode(errors="replace") for each in proved.shown},
        same=proved.same,
        logged=proved.record_root.hex(),
    )


def named(origin: str) -> FeedName:
    """The feed whose log has an origin.

    Raises:
        Rejected: ``other-feed``: it is none of a feed's.
    """
    match origin.split("/"):
        case ["comity", agreement, parties, publisher, "feed", feed]:
            return FeedName(f"{agreement}/{parties}", publisher, feed)
    raise Rejected(f"{origin[:200]!r} is not the log of a feed", code="other-feed")
