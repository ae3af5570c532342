"""The invariants of feeds (``spec/invariants.md``): after every step but the last, which is that of houses at rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec

from comity.errors import ComityError
from comity.feed.batch import Contents, Frame, is_same, read_frame
from comity.feed.delivery import Acknowledged, read_word
from comity.feed.gate import Gate
from comity.feed.publication import microseconds
from comity.feed.reading import Gap, LeftOut, Message, Started
from comity.flows.exchanging.witnessing import witness_key
from comity.flows.feeding.names import FeedName
from comity.flows.keeping.work import CARD
from comity.ledger.checkpoint import Checkpoint
from comity.ledger.note import Note, Signature, open_note
from comity.record.card import known_card
from comity.register.rows import decode_row
from comity.register.rows.feeding import FeedEpochRow, FeedReleaseRow, feed_epoch_key, feed_release_key

from . import cast
from .feed_texts import BY_ORIGIN, INSTANTS, NAMES
from .feed_witness import Answered, FeedNews, Receipt, Sent, frames_on, state_on
from .markers import HIDDEN

if TYPE_CHECKING:
    from .invariants import Invariants
    from .simulation import Simulation

LET_GO = ("ended", "space")
"""Why what was taken may not arrive after all; so may what was too fast, of which some was refused to its source."""
STEPS = {"1s": 1, "1min": 60}


def only_what_is_released_crosses(seen: Invariants, news: FeedNews) -> Iterator[str]:
    """(27)"""
    for answered in news.answered:
        seen.answered[answered.name, sum(name == answered.name for name, _ in seen.answered)] = answered
        yield from _gate_is_as_heard(answered)
    for frame in news.frames:
        read = read_frame(frame.frame)
        name = BY_ORIGIN[read.place.origin]
        place = (name, read.place.epoch, read.place.batch)
        if frame.party != name.publisher or seen.judged.get(place) == read.sealed:
            continue
        seen.judged[place] = read.sealed
        first, end = seen.passed.get(name, 0), frame.gates.get(name, 0)
        answers = [seen.answered[name, index] for index in range(first, end)]
        under = _release_of(seen.simulation, name, read.place.epoch)
        contents = seen.simulation.witness.feeds.opened(name, frame.frame)
        for number, (at, view) in enumerate(zip(contents.at, contents.views, strict=True), read.place.first):
            said = msgspec.json.decode(view)
            sent = seen.simulation.witness.feeds.sent.get(str(said.get(said["type"])))
            if sent is None or sent.name != name:
                yield f"message {number} of {name} was never published"
            elif (place_of := _let_through(answers, under, sent, at, said)) is None:
                yield f"message {number} of {name} crosses as {said}, which no gate let cross at its instant"
            else:  # what comes after it crosses by that gate, or a later one
                seen.passed[name] = max(seen.passed.get(name, 0), first + place_of)


def _gate_is_as_heard(answered: Answered) -> Iterator[str]:
    gate = answered.gate
    if gate.stands and not any(
        gate.release is not None and (gate.release.digest, gate.posture) == (heard.release, heard.posture)
        for heard in answered.heard
    ):
        yield f"{answered.name} stands under {gate.posture!r}, but what was heard is {answered.heard}"


def _release_of(simulation: Simulation, name: FeedName, epoch: int) -> str:
    """The record of the release under which an epoch was begun."""
    tables = simulation.nodes[name.publisher].disk.database.rows
    begun = tables[FeedEpochRow.table][feed_epoch_key(name.relationship, name.publisher, name.feed, epoch)[1]]
    release = decode_row(FeedEpochRow.table, begun).release
    row = tables[FeedReleaseRow.table][feed_release_key(name.relationship, release)[1]]
    return decode_row(FeedReleaseRow.table, row).record.hex()


def _let_through(answers: list[Answered], under: str, sent: Sent, at: int, said: Mapping[str, object]) -> int | None:
    """The place of the first of these gates that may have let it cross like this, under the release of its epoch: its
    time came before that one's end, and it was not published after the end was heard of; or it is the newest.
    """
    for place, (then, following) in enumerate(pairwise(answers)):
        if following.gate.is_as(then.gate) or _view(then.gate, under, sent) != said:
            continue
        due = at + then.gate.crossings[sent.kind].delay * 1_000_000
        if due <= microseconds(following.gate.since) and sent.heard.changes <= then.heard[1].changes:
            return place
    return len(answers) - 1 if answers and _view(answers[-1].gate, under, sent) == said else None


def _view(gate: Gate, under: str, sent: Sent) -> Mapping[str, object] | None:
    """What a gate lets cross of a message, if it is that of a release."""
    crossing = gate.crossings.get(sent.kind)
    if crossing is None or gate.release is None or gate.release.digest != under:
        return None
    values = {name: sent.fields[name] for name in crossing.fields if name in sent.fields}
    return {"type": sent.kind} | {
        name: _rounded(name, value, crossing.round.get(name)) for name, value in values.items()
    }


def _rounded(name: str, value: object, step: str | None) -> object:
    if name in INSTANTS:
        at = datetime.fromisoformat(str(value))
        if step is not None:
            at -= timedelta(seconds=at.second % STEPS[step], microseconds=at.microsecond)
        return msgspec.to_builtins(at)
    if step is None or not isinstance(value, float):
        return value
    width = float(step)
    return round(value * round(1 / width)) / round(1 / width) if width < 1 else round(value / width) * width


def no_number_seals_twice(seen: Invariants, news: FeedNews) -> Iterator[str]:
    """(28)"""
    for frame in news.frames:
        read = read_frame(frame.frame)
        place = read.place
        if seen.sealed.setdefault((place.origin, place.epoch, place.batch), read.sealed) != read.sealed:
            yield f"batch {place.batch} of epoch {place.epoch} of {place.origin} was sealed with two contents"


def shelves_are_prefixes(seen: Invariants, _: FeedNews) -> Iterator[str]:
    """(29)"""
    nodes = seen.simulation.nodes
    for name in NAMES.values():
        publisher, recipient = nodes[name.publisher], nodes[cast.PEER[name.publisher]]
        state = state_on(recipient, name)
        if seen.shelves.get(name) == (state, recipient.disk.crashes):
            continue
        seen.shelves[name] = state, recipient.disk.crashes
        ours, theirs = frames_on(publisher, name), frames_on(recipient, name)
        pairs = zip(theirs, ours, strict=False)
        if (
            len(ours) < len(theirs)
            or len(theirs) != state.size
            or not all(there == here or is_same(read_frame(there), read_frame(here)) for there, here in pairs)
        ):
            yield f"the {len(theirs)} batches of {name} in {recipient.party} are not the first of {len(ours)}"
        elif theirs and _checkpoint(read_frame(ours[len(theirs) - 1])).head.root != state.root:
            yield f"{recipient.party} has another root over {state.size} batches of {name}"
        elif state.size > state_on(publisher, name).size:
            yield f"{recipient.party} has more of {name} than was published"


def _checkpoint(frame: Frame) -> Checkpoint:
    return Checkpoint.parse(Note.parse(frame.note).text)


def acknowledgements_only_grow(seen: Invariants, news: FeedNews) -> Iterator[str]:
    """(30)"""
    for receipt in news.receipts:
        yield from _is_durable(seen, receipt)
    for name in NAMES.values():
        known, before = state_on(seen.simulation.nodes[name.publisher], name).acknowledged, seen.known.get(name, 0)
        if known < before:
            yield f"{name.publisher} knew that {before} batches of {name} are acknowledged, and now {known}"
        if known > seen.receipts.get(name, 0):
            yield f"{name.publisher} has {known} batches of {name} acknowledged, which nobody acknowledged"
        seen.known[name] = known


def _is_durable(seen: Invariants, receipt: Receipt) -> Iterator[str]:
    name, word = receipt.name, read_word(receipt.word)
    durable, recipient = receipt.durable, seen.simulation.nodes[cast.PEER[receipt.name.publisher]]
    if word.size > durable.size:
        yield f"{recipient.party} says that it has {word.size} batches of {name}; {durable.size} are durable"
        return
    if not isinstance(word, Acknowledged):
        if (word.size, word.root) != (durable.size, durable.root):
            yield f"{recipient.party} begins with {word.size} batches of {name}, and has {durable.size}"
        return
    if word.size < seen.receipts.get(name, 0):
        yield f"{recipient.party} acknowledged {seen.receipts[name]} batches of {name} before, and now {word.size}"
    seen.receipts[name] = max(word.size, seen.receipts.get(name, 0))
    card = known_card(recipient.disk.database.rows[CARD]["self"])
    keys = [witness_key(recipient.party, key) for key in card.had("witness")]
    note = Note.parse(read_frame(frames_on(recipient, name)[word.size - 1]).note)
    try:
        open_note(Note(note.text, (Signature.parse(word.cosignature.removesuffix("\n")),)), keys)
    except ComityError:
        yield f"{recipient.party} acknowledges {word.size} batches of {name} without a true cosignature"


def hidden_fields_stay(seen: Invariants, news: FeedNews) -> Iterator[str]:
    """(31)"""
    for frame in news.frames:
        name = BY_ORIGIN[read_frame(frame.frame).place.origin]
        if HIDDEN in msgspec.msgpack.encode(seen.simulation.witness.feeds.opened(name, frame.frame)):
            yield f"a batch of {name} holds a field that may not cross"
    for shown in news.shown:
        if HIDDEN in msgspec.json.encode(shown.events):
            yield f"a reader in {shown.party} was shown a field that may not cross"


def readers_get_each_once(seen: Invariants, news: FeedNews) -> Iterator[str]:
    """(32)"""
    feeds = seen.simulation.witness.feeds
    for frame in news.frames:
        read = read_frame(frame.frame)
        name = BY_ORIGIN[read.place.origin]
        if frame.party != name.publisher:
            for number, view in enumerate(feeds.opened(name, frame.frame).views, read.place.first):
                seen.arrived[name, number] = view
    for shown in news.shown:
        where = f"reading {shown.reading} of {shown.name} in {shown.party}"
        for event in shown.events:
            expected = seen.reading.get(shown.reading)
            if isinstance(event, Started):
                seen.reading.setdefault(shown.reading, event.next)
            elif isinstance(event, LeftOut | Gap) and not (isinstance(event, Gap) and event.source):
                if event.first != expected:
                    yield f"{where} leaves out from {event.first}, and {expected} was next"
                seen.reading[shown.reading] = event.last + 1
            elif isinstance(event, Message):
                if event.number != expected:
                    yield f"{where} is given {event.number}, and {expected} was next"
                seen.reading[shown.reading] = event.number + 1
                view = msgspec.json.decode(seen.arrived.get((shown.name, event.number), b"{}"))
                if not msgspec.json.decode(event.view).items() <= view.items():
                    yield f"{where} is given as {event.number} what did not come as that"


def published_arrives_once(simulation: Simulation) -> Iterator[str]:
    """(33)"""
    feeds = simulation.witness.feeds
    for name in NAMES.values():
        state = state_on(simulation.nodes[name.publisher], name)
        batches = [feeds.opened(name, each) for each in frames_on(simulation.nodes[cast.PEER[name.publisher]], name)]
        arrived: Counter[str] = Counter()
        latest: dict[tuple[str, str], int] = {}
        for contents in batches:
            for view in contents.views:
                said = msgspec.json.decode(view)
                label = said[said["type"]]
                sent = feeds.sent[label]
                arrived[label] += 1
                if arrived[label] > 1:
                    yield f"{sent.kind} {sent.turn} of {sent.source} came {arrived[label]} times from {name.publisher}"
                if sent.fate not in ("accepted", "unknown"):
                    yield f"{sent.kind} {sent.turn} of {sent.source} came, and was refused to its source: {sent.fate}"
                if sent.turn < latest.get((sent.kind, sent.source), 0):
                    yield f"{sent.kind} {sent.turn} of {sent.source} came late from {name.publisher}"
                latest[sent.kind, sent.source] = max(sent.turn, latest.get((sent.kind, sent.source), 0))
        yield from _told_what_is_missing(feeds.sent, name, arrived, batches, state.dropped)


def _told_what_is_missing(
    sent: Mapping[str, Sent],
    name: FeedName,
    arrived: Counter[str],
    batches: list[Contents],
    pending: tuple[object, ...],
) -> Iterator[str]:
    """As many of each type as were acknowledged and did not come are said to have been dropped."""
    told: Counter[tuple[str, str]] = Counter()
    for each in (*(each for contents in batches for each in contents.dropped), *pending):
        told[each.type, each.why] += each.count
    of = [(label, each) for label, each in sent.items() if each.name == name]
    for kind in sorted({each.kind for _, each in of}):
        mine = [(label, each) for label, each in of if each.kind == kind]
        missing = sum(each.fate == "accepted" and label not in arrived for label, each in mine)
        unknown = sum(each.fate == "unknown" and label not in arrived for label, each in mine)
        refused = sum(each.fate == "rate" for _, each in mine)
        let_go, rate = sum(told[kind, why] for why in LET_GO), told[kind, "rate"]
        if missing > let_go + rate or let_go + max(0, rate - refused) > missing + unknown:
            yield (
                f"of {name} {missing} messages of type {kind!r} were acknowledged and did not come, of {unknown} "
                f"nothing is known, {let_go} are said to have been let go and {rate} to have been too many, "
                f"{refused} of them at most when they were published"
            )


FeedInvariant = Callable[["Invariants", FeedNews], Iterator[str]]
FEEDS_AT_EACH_STEP: dict[int, FeedInvariant] = dict(
    enumerate(
        (
            only_what_is_released_crosses,
            no_number_seals_twice,
            shelves_are_prefixes,
            acknowledgements_only_grow,
            hidden_fields_stay,
            readers_get_each_once,
        ),
        start=27,
    )
)
