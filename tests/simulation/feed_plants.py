"""One fault or more for each invariant of feeds, planted in a world at rest (``test_invariants.py``)."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from comity.feed.batch import Contents, Dropped, Frame, Place, read_frame, seal_batch, view_leaves
from comity.feed.delivery import Acknowledged, Have, write_word
from comity.feed.reading import Gap, LeftOut, Message, Started
from comity.flows.feeding.shelf import FRAME, ORIGINALS, Shelf
from comity.ledger.note import Note
from comity.ledger.tree import Frontier
from comity.ports import Put
from comity.register.rows import encode_row
from comity.register.rows.feeding import FeedEpochRow, FeedReleaseRow
from comity.stores.memory import MemoryStore

from . import cast
from .at_rest import rows
from .feed_texts import NAMES
from .feed_witness import Answered, FrameSeen, Heard, Receipt, Sent, Shown, frames_on, state_on
from .markers import HIDDEN
from .node import Node
from .planting import breaks
from .simulation import Simulation

NAME = NAMES["jp"]
UNUSED = 10_000
"""A number of a batch that no epoch here comes to."""


def _publisher(world: Simulation) -> Node:
    return world.nodes[NAME.publisher]


def _recipient(world: Simulation) -> Node:
    return world.nodes[cast.PEER[NAME.publisher]]


def _newest(world: Simulation) -> Frame:
    return read_frame(frames_on(_recipient(world), NAME)[-1])


def _sealed(world: Simulation, place: Place, contents: Contents) -> bytes:
    """A batch as its publisher would seal it, had it gone wrong."""
    leaves = view_leaves(contents.seed, place.first, contents.views)
    key = world.witness.feeds.keys[NAME, place.epoch]
    return seal_batch(place, contents, leaves, key, bytes(32), Frontier(), _publisher(world).keys.log)[0]


def _again(world: Simulation, number: int = UNUSED, **changes: object) -> bytes:
    """The newest batch under another number, with other contents."""
    frame = _newest(world)
    contents = world.witness.feeds.opened(NAME, msgspec.msgpack.encode(frame))
    place = msgspec.structs.replace(frame.place, batch=number)
    return _sealed(world, place, msgspec.structs.replace(contents, **changes))


def _leaves(world: Simulation, frame: bytes, more_gates: int = 0) -> None:
    answers = {NAME: world.witness.feeds.answers[NAME] + more_gates}
    world.witness.feeds.news.frames.append(FrameSeen(NAME.publisher, frame, answers))


def _views(world: Simulation) -> list[dict[str, object]]:
    contents = world.witness.feeds.opened(NAME, msgspec.msgpack.encode(_newest(world)))
    return [msgspec.json.decode(view) for view in contents.views]


@breaks(18)
def the_key_of_an_epoch_is_at_one_side_only(world: Simulation) -> None:
    database = _recipient(world).disk.database
    key = next(key for key in database.keys[FeedEpochRow.table] if f"/{NAME.publisher}/" in key)
    database.put(Put(FeedEpochRow.table, key, None))


@breaks(23)
def what_was_published_lies_on_a_disk_as_it_was(world: Simulation) -> None:
    _publisher(world).feed_disk.database.put(Put(ORIGINALS, "key", b"..." + HIDDEN))


@breaks(27)
def a_gate_stands_after_its_release_was_ended(world: Simulation) -> None:
    answered = next(each for each in world.invariants.answered.values() if each.gate.stands)
    over = Heard("", answered.gate.posture)
    world.witness.feeds.news.answered.append(replace(answered, heard=(over, over)))


@breaks(27)
def a_field_crosses_that_was_not_released(world: Simulation) -> None:
    more = [msgspec.json.encode(view | {"grade": 1, "height": 1.0}) for view in _views(world)]
    _leaves(world, _again(world, views=tuple(more)))


@breaks(27)
def a_field_crosses_as_it_was_though_it_is_to_be_rounded(world: Simulation) -> None:
    for view in (views := _views(world)):
        view.update({"latitude": 12.345678} if view["type"] == "track" else {"issued": "2026-11-20T01:02:03.4Z"})
    _leaves(world, _again(world, views=tuple(map(msgspec.json.encode, views))))


@breaks(27)
def a_message_crosses_after_the_gate_was_closed(world: Simulation) -> None:
    answered = next(each for each in world.invariants.answered.values() if each.gate.stands)
    closed = msgspec.structs.replace(answered.gate, stands=False, why="ended")
    world.witness.feeds.news.answered.append(Answered(NAME, closed, answered.heard))
    _leaves(world, _again(world), 1)


@breaks(27)
def a_batch_is_sealed_under_a_key_of_another_release(world: Simulation) -> None:
    node = _publisher(world)
    for key, row in rows(node, FeedReleaseRow).items():
        other = msgspec.structs.replace(row, record=bytes(32))
        node.disk.database.put(Put(FeedReleaseRow.table, key, encode_row(other)))
    _leaves(world, _again(world))


@breaks(28)
def a_number_of_an_epoch_seals_two_contents(world: Simulation) -> None:
    _leaves(world, _again(world, _newest(world).place.batch, seed=bytes(32)))


@breaks(29)
def a_batch_is_another_one_at_the_recipient(world: Simulation) -> None:
    node = _recipient(world)
    _write(node, Put(FRAME, _keys(node)[0], frames_on(node, NAME)[-1]))


@breaks(29)
def the_recipient_lacks_a_batch_that_it_counts(world: Simulation) -> None:
    node = _recipient(world)
    _write(node, Put(FRAME, _keys(node)[-1], None))


@breaks(29)
def the_publisher_signs_another_root_than_the_recipient_has(world: Simulation) -> None:
    for node in world.nodes.values():
        _write(node, Put(FRAME, _keys(node)[-1], _again(world)))


def _keys(node: Node) -> list[str]:
    return [key for key in node.feed_disk.database.keys[FRAME] if key.startswith(f"{NAME.origin}/")]


def _write(node: Node, put: Put) -> None:
    node.feed_disk.database.put(put)
    node.disk.crashes += 1  # after which it is looked at anew


def _receipt(world: Simulation, size: int, line: str) -> None:
    word = write_word(Acknowledged(size, line))
    world.witness.feeds.news.receipts.append(Receipt(NAME, word, state_on(_recipient(world), NAME)))


def _line(world: Simulation) -> str:
    return Note.parse(state_on(_recipient(world), NAME).cosigned).signatures[-1].line


@breaks(30)
def the_recipient_acknowledges_what_is_not_durable(world: Simulation) -> None:
    _receipt(world, state_on(_recipient(world), NAME).size + 1, _line(world))


@breaks(30)
def the_recipient_acknowledges_less_than_before(world: Simulation) -> None:
    _receipt(world, state_on(_recipient(world), NAME).size - 1, _line(world))


@breaks(30)
def the_recipient_acknowledges_under_a_key_that_is_not_its_own(world: Simulation) -> None:
    ours = Note.parse(state_on(_publisher(world), NAME).cosigned).signatures[0].line
    _receipt(world, state_on(_recipient(world), NAME).size, ours)


@breaks(30)
def the_recipient_begins_with_less_than_it_has(world: Simulation) -> None:
    word = write_word(Have(0, Frontier().root()))
    world.witness.feeds.news.receipts.append(Receipt(NAME, word, state_on(_recipient(world), NAME)))


@breaks(30)
def the_publisher_forgets_an_acknowledgement(world: Simulation) -> None:
    _acknowledged(world, -1)


@breaks(30)
def the_publisher_invents_an_acknowledgement(world: Simulation) -> None:
    _acknowledged(world, 1)


def _acknowledged(world: Simulation, more: int) -> None:
    node = _publisher(world)
    state = state_on(node, NAME)
    shelf = Shelf(MemoryStore(node.feed_disk), NAME.origin, bytes(32), bytes)
    after = msgspec.structs.replace(state, acknowledged=state.acknowledged + more)
    node.feed_disk.database.put(shelf.state(after))


@breaks(31)
def a_hidden_field_is_sealed_in_a_batch(world: Simulation) -> None:
    more = [msgspec.json.encode(view | {"note": HIDDEN.decode()}) for view in _views(world)]
    _leaves(world, _again(world, views=tuple(more)))


@breaks(31)
def a_hidden_field_is_the_name_of_a_source(world: Simulation) -> None:
    _leaves(world, _again(world, sources=(HIDDEN.decode(),)))


@breaks(31)
def a_reader_is_shown_a_hidden_field(world: Simulation) -> None:
    view = msgspec.json.decode(world.invariants.arrived[NAME, 0])
    _shown(world, _message(world, 0, msgspec.json.encode(view | {"note": HIDDEN.decode()})))


@breaks(32)
def a_reader_gets_a_message_twice(world: Simulation) -> None:
    _shown(world, _message(world, 0), _message(world, 0))


@breaks(32)
def a_reader_misses_a_message_and_is_not_told(world: Simulation) -> None:
    _shown(world, _message(world, 0), _message(world, 2))


@breaks(32)
def a_reader_is_told_of_the_wrong_gap(world: Simulation) -> None:
    _shown(world, LeftOut(first=0, last=0, count=1), Gap(first=2, last=2))


@breaks(32)
def a_reader_gets_what_did_not_come(world: Simulation) -> None:
    _shown(world, _message(world, 0, b'{"type":"track","track":"other"}'))


def _message(world: Simulation, number: int, view: bytes = b"") -> Message:
    kept = view or world.invariants.arrived[NAME, number]
    at = world.time.now
    return Message(number, "track", "", None, at, None, msgspec.Raw(kept))


def _shown(world: Simulation, *events: Message | LeftOut | Gap) -> None:
    started = Started(
        feed=NAME.feed,
        relationship=NAME.relationship,
        publisher=NAME.publisher,
        release="r",
        mark="",
        mark_here="",
        purpose="",
        until=world.time.now,
        fields={},
        decision_record="",
        next=0,
    )
    world.witness.feeds.news.shown.append(Shown(NAME, "kr", -1, "reader", (started, *events)))


@breaks(33)
def a_message_is_acknowledged_and_never_comes(world: Simulation) -> None:
    lost = replace(_first(world)[1], fate="accepted", turn=10_000)
    world.witness.feeds.sent.update({f"lost {number}": lost for number in range(1000)})


@breaks(33)
def messages_are_said_to_have_been_dropped_that_nobody_published(world: Simulation) -> None:
    sent = world.witness.feeds.sent
    for label in [label for label, each in sent.items() if each.name == NAME and each.fate == "unknown"]:
        del sent[label]
    node = _publisher(world)
    dropped = (*state_on(node, NAME).dropped, Dropped("track", "ended", 1000, 0, 0))
    shelf = Shelf(MemoryStore(node.feed_disk), NAME.origin, bytes(32), bytes)
    node.feed_disk.database.put(shelf.state(msgspec.structs.replace(state_on(node, NAME), dropped=dropped)))


@breaks(33)
def a_message_comes_twice(world: Simulation) -> None:
    node = _recipient(world)
    frames = frames_on(node, NAME)
    node.feed_disk.database.put(Put(FRAME, f"{NAME.origin}/{len(frames):019d}", frames[-1]))


@breaks(33)
def messages_of_a_source_come_in_another_order(world: Simulation) -> None:
    label, first = _first(world)
    world.witness.feeds.sent[label] = replace(first, turn=10_000)


@breaks(33)
def a_message_comes_that_was_refused_to_its_source(world: Simulation) -> None:
    label, first = _first(world)
    world.witness.feeds.sent[label] = replace(first, fate="rate")


def _first(world: Simulation) -> tuple[str, Sent]:
    """The first message that came of a source of which more came."""
    came: dict[tuple[str, str], list[str]] = {}
    for frame in frames_on(_recipient(world), NAME):
        for view in map(msgspec.json.decode, world.witness.feeds.opened(NAME, frame).views):
            sent = world.witness.feeds.sent[view[view["type"]]]
            came.setdefault((sent.kind, sent.source), []).append(view[view["type"]])
    label = max(came.values(), key=len)[0]
    return label, world.witness.feeds.sent[label]
