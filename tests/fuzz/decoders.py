"""The decoders: whatever comes, each gives a value or refuses with one of our errors, and has one spelling for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from comity.agreement.load import parse_agreement, parse_layer
from comity.agreement.load_history import parse_history
from comity.answers import read_error
from comity.courier import paths
from comity.courier.signature import read_request as read_signature
from comity.decision.casebook import parse_casebook
from comity.decision.replay import case_bytes, read_case
from comity.doors.passing import read_json
from comity.doors.signed_xml import parse as parse_xml
from comity.errors import ComityError, Rejected
from comity.evidence.model import read_evidence
from comity.feed.batch import read_frame, unseal
from comity.feed.delivery import read_word, write_word
from comity.feed.proof import read_proof
from comity.feed.release import parse_release
from comity.feed.schema import Reader, Refused, parse_schema
from comity.flows.exchanging.parcel import read_parcel, write_parcel
from comity.flows.maintaining.giving_back import Asking, Given
from comity.flows.pouch import Contents
from comity.ledger.checkpoint import Checkpoint
from comity.ledger.note import Note, VerifierKey
from comity.ledger.policy import parse_policy
from comity.ledger.tiles import parse_path, read_bundle
from comity.ledger.tlog_proof import TlogProof
from comity.ledger.witness import AddCheckpoint
from comity.node.reading import read_request
from comity.node.settings import parse_settings
from comity.record import bodies, dsse
from comity.record.card import Card
from comity.record.contexts import CARD, GIVE_BACK, GIVEN_BACK, POUCH, RECORD
from comity.record.encoding import decode, encode
from comity.record.statement import Statement
from comity.seal import age, armor, header, manifest
from comity.seal.keys import parse_identities, parse_recipients
from comity.seal.recipients import Identity
from comity.seal.x25519 import X25519Identity
from comity.timezones import time_zones
from feed.examples import RANKS, schema
from seal.testkit import X25519_SECRET
from world import library

AGREEMENT = "jp-kr-2016.toml"
EPOCH_KEY = b"k" * 32


class Decoder(NamedTuple):
    """What reads a format.

    Attributes:
        read: the bytes as a value.
        write: the value as bytes, where there is one spelling for each value; else None.
        seconds_max: how long a corpus example or an altered one may take, many times what it takes here.
    """

    read: Callable[[bytes], Any]
    write: Callable[[Any], bytes] | None = None
    seconds_max: float = 2.0


@lru_cache(maxsize=1)
def _agreement() -> Any:
    return parse_agreement(library(AGREEMENT), AGREEMENT)


def _text(read: Callable[[str], Any]) -> Callable[[bytes], Any]:
    """What reads text gets what its caller would have read as UTF-8; other bytes never come to it."""

    def of_bytes(data: bytes) -> Any:
        try:
            return read(data.decode())
        except UnicodeDecodeError as error:
            raise _NotText("not UTF-8", code="not-text") from error

    return of_bytes


class _NotText(ComityError):
    """Stands for what a file's reader says of bytes that are no text."""


def _record(data: bytes) -> Any:
    envelope = dsse.read(data, RECORD)
    statement = decode(envelope.payload, Statement)
    kind = bodies.BODIES.get(statement.type)
    return envelope, statement, None if kind is None else decode(bytes(statement.body), kind)


def _card(data: bytes) -> Card:
    return decode(dsse.read(data, CARD).payload, Card)


def _headers(data: bytes) -> Any:
    lines = [line.partition(b": ") for line in data.split(b"\n")]
    return read_signature([(name, value) for name, _, value in lines])


def _sealed_file(data: bytes) -> bytes:
    return age.open_bytes(age.Sealed.split(data), [_identity()])


@lru_cache(maxsize=1)
def _identity() -> Identity:
    return X25519Identity(X25519_SECRET)


@lru_cache(maxsize=1)
def _reader() -> Reader:
    return Reader(schema())


def _message(data: bytes) -> Any:
    found = _reader().read(data)
    if isinstance(found, Refused):
        raise Rejected(found.sentence, code=found.code)
    return found


def _frame(data: bytes) -> Any:
    frame = read_frame(data)
    assert msgspec.msgpack.encode(frame) == data
    return unseal(frame, EPOCH_KEY)


DECODERS: dict[str, Decoder] = {
    "agreement": Decoder(_text(lambda text: parse_agreement(text, "a.toml")), seconds_max=5.0),
    "layer": Decoder(_text(lambda text: parse_layer(text, "layer.toml", _agreement())), seconds_max=5.0),
    "history": Decoder(_text(lambda text: parse_history(text, "h.toml", _agreement(), time_zones())), seconds_max=5.0),
    "casebook": Decoder(
        _text(lambda text: parse_casebook(text, "c.toml", _agreement(), (), time_zones())), seconds_max=10.0
    ),
    "record": Decoder(_record),
    "record-payload": Decoder(lambda data: decode(data, Statement), encode),
    "card": Decoder(_card),
    "parcel": Decoder(read_parcel, write_parcel),
    "pouch-contents": Decoder(lambda data: decode(dsse.read(data, POUCH).payload, Contents)),
    "give-back": Decoder(lambda data: decode(dsse.read(data, GIVE_BACK).payload, Asking)),
    "given-back": Decoder(lambda data: decode(dsse.read(data, GIVEN_BACK).payload, Given)),
    "case": Decoder(read_case, case_bytes),
    "evidence": Decoder(read_evidence),
    "age-header": Decoder(header.parse),
    "age-armor": Decoder(armor.decode),
    "age-file": Decoder(_sealed_file),
    "age-recipients": Decoder(_text(parse_recipients)),
    "age-identities": Decoder(_text(parse_identities)),
    "manifest": Decoder(manifest.decode),
    "note": Decoder(Note.parse, lambda note: note.encode()),
    "checkpoint": Decoder(_text(Checkpoint.parse), lambda checkpoint: checkpoint.text.encode()),
    "verifier-key": Decoder(_text(VerifierKey.parse), lambda key: key.text.encode()),
    "tlog-proof": Decoder(TlogProof.parse, lambda proof: proof.encode()),
    "tlog-policy": Decoder(parse_policy),
    "add-checkpoint": Decoder(AddCheckpoint.parse, lambda asked: asked.encode()),
    "tile-path": Decoder(_text(parse_path), lambda tile: tile.path.encode()),
    "entry-bundle": Decoder(lambda data: read_bundle(data, 3)),
    "exchange-path": Decoder(_text(paths.read)),
    "request-signature": Decoder(_headers),
    "settings": Decoder(_text(lambda text: parse_settings(text, "node.toml"))),
    "error-answer": Decoder(read_error),
    "feed-schema": Decoder(_text(lambda text: parse_schema(text, "schema.toml"))),
    "feed-release": Decoder(_text(lambda text: parse_release(text, "release.toml", schema(), RANKS))),
    "feed-message": Decoder(_message),
    "feed-frame": Decoder(_frame),
    "feed-word": Decoder(read_word, write_word),
    "feed-proof": Decoder(read_proof),
    "feed-reading": Decoder(lambda data: read_request(data, None)),
    "door-json": Decoder(read_json),
    "door-xml": Decoder(parse_xml),
}
