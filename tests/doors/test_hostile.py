"""Whatever comes to a door, it gives messages or refusals, and of a signed alert the truth or nothing."""

from __future__ import annotations

import io
import json
from typing import Any

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from comity.doors import cap, events, recording
from comity.doors.event_headers import read_http, write_http
from comity.doors.passing import Passed, Setting
from comity.doors.table import DOORS, schema_text
from comity.feed.schema import Refused, parse_schema
from doors.alerts import SETTING, WHOLE, sealed, xml
from doors.blocks import block
from doors.keys import NOW
from doors.test_asterix import ADSB, TRACK

QUICK = settings(max_examples=400, deadline=None)
SLOW = settings(max_examples=150, deadline=None)

Change = tuple[int, int, bytes]
CHANGES = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 40), st.binary(max_size=12)), min_size=1, max_size=4)


def changed(document: bytes, changes: list[Change]) -> bytes:
    """A document in which some runs of bytes are others, or gone."""
    for place, length, instead in changes:
        start = place % (len(document) + 1)
        document = document[:start] + instead + document[start + length :]
    return document


def check(found: list[Passed], name: str) -> None:
    """Each is a refusal with a reason, or a message of a type that there is."""
    types = parse_schema(schema_text(DOORS[name]), name).types if DOORS[name].schema else None
    for each in found:
        if isinstance(each, Refused):
            assert each.code
            assert each.sentence
            assert len(each.sentence) < 400
        else:
            message = msgspec.json.decode(each)
            assert types is None or message.keys() - {"type"} <= types[message["type"]].fields.keys()


BLOCKS = [block(62, TRACK, TRACK), block(21, ADSB, ADSB), recording.air_picture()[:400]]


@SLOW
@given(st.sampled_from(BLOCKS), CHANGES)
def test_asterix(document: bytes, changes: list[Change]) -> None:
    hostile = changed(document, changes)
    setting = Setting(now=lambda: NOW)
    check(list(DOORS["asterix"].read(hostile, setting)), "asterix")
    check(list(DOORS["asterix"].messages(io.BytesIO(hostile), setting)), "asterix")


@QUICK
@given(st.sampled_from([21, 48, 62]), st.binary(max_size=300))
@example(62, b"\xff" * 300)
@example(48, b"\x01" * 300)
@example(21, b"\x00" * 300)
def test_records_of_any_bytes(category: int, records: bytes) -> None:
    document = bytes([category]) + (len(records) + 3).to_bytes(2, "big") + records
    check(list(DOORS["asterix"].read(document, Setting(now=lambda: NOW))), "asterix")


ALERT = sealed(xml(WHOLE))
TRUE = list(cap.read(ALERT, SETTING))


@SLOW
@given(CHANGES)
def test_a_changed_alert_says_what_was_signed_or_nothing(changes: list[Change]) -> None:
    found = list(cap.read(changed(ALERT, changes), SETTING))
    check(found, "cap")
    assert found == TRUE or all(isinstance(each, Refused) for each in found)


PIECES = [
    "<alert",
    "</alert>",
    "<info>",
    "<ds:Signature ",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    ' xmlns="urn:x"',
    ' xmlns:ds="urn:x"',
    'URI="#a"',
    ' Id="a"',
    "&amp;",
    "&#0;",
    "<?x?>",
    "<!DOCTYPE a>",
    ALERT.decode().partition("?>")[2].strip(),
]


@SLOW
@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 60), st.sampled_from(PIECES)), min_size=1, max_size=3))
def test_an_alert_with_other_markup_says_what_was_signed_or_nothing(changes: list[tuple[int, int, str]]) -> None:
    hostile = changed(ALERT, [(place, length, piece.encode()) for place, length, piece in changes])
    found = list(cap.read(hostile, SETTING))
    assert found == TRUE or all(isinstance(each, Refused) for each in found)


TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(
    ["specversion", "id", "source", "type", "time", "subject", "dataschema", "datacontenttype", "data", "ext"]
)
EVENTS = Setting(now=lambda: NOW)


@QUICK
@given(st.dictionaries(NAMES | TEXTS, JSON, max_size=8) | JSON | st.lists(JSON, max_size=3))
def test_events_of_any_json(event: object) -> None:
    check(list(events.read(json.dumps(event).encode(), EVENTS)), "cloudevents")


@QUICK
@given(st.binary(max_size=60))
def test_events_of_any_bytes(document: bytes) -> None:
    check(list(events.read(document, EVENTS)), "cloudevents")


@QUICK
@given(
    st.lists(st.tuples(st.sampled_from(["ce-id", "ce-type", "ce-source", "ce-specversion", "content-type"]), TEXTS)),
    st.binary(max_size=40),
)
def test_headers_of_any_text(headers: list[tuple[str, str]], body: bytes) -> None:
    check(list(read_http(headers, body, EVENTS)), "cloudevents")


PLAIN = st.text(st.characters(min_codepoint=0x20, exclude_categories=("Cs", "Cc", "Cn")), min_size=1, max_size=20)
FIELDS = st.dictionaries(
    st.from_regex(r"[A-Za-bd-z][a-z]{0,5}", fullmatch=True).filter(lambda name: name != "type"), JSON, max_size=4
)


@QUICK
@given(PLAIN, PLAIN, st.integers(-(2**31), 2**31 - 1) | st.booleans() | PLAIN, FIELDS)
def test_a_message_goes_out_and_in_again_the_same(
    identity: str, subject: str, extension: object, fields: dict[str, Any]
) -> None:
    said = {"ce_id": identity, "ce_source": "/a?b=%20#c", "ce_subject": subject, "ce_ext": extension}
    message = msgspec.json.encode({"type": "track", **said, **fields})
    (document,) = events.write([(0, message)], EVENTS)
    assert isinstance(document, bytes), document
    (back,) = events.read(document, EVENTS)
    assert isinstance(back, bytes), back
    assert msgspec.json.decode(back) == msgspec.json.decode(message)
    headers, body = write_http(0, message, EVENTS)
    (in_headers,) = read_http(headers, body, EVENTS)
    assert isinstance(in_headers, bytes), in_headers
    texts = {"ce_ext": str(extension).lower() if isinstance(extension, bool) else str(extension)}
    assert msgspec.json.decode(in_headers) == msgspec.json.decode(message) | texts


TOKENS = st.sampled_from(["public-alert", "public-area", "restricted-alert", "private-resource", "x"])
ALERT_NAMES = st.sampled_from(
    [
        "identifier",
        "sender",
        "sent",
        "status",
        "info",
        "infos",
        "area",
        "resource",
        "code",
        "event",
        "polygon",
        "category",
    ]
)


@QUICK
@given(
    st.lists(
        st.dictionaries(
            ALERT_NAMES,
            st.sampled_from(["a", "2026-11-20T01:02:03Z", 0, 1, -1, 2**70, None, [], "[]", True]),
            max_size=9,
        ),
        max_size=3,
    ),
    TOKENS,
)
def test_alerts_of_any_messages(messages: list[dict[str, Any]], kind: str) -> None:
    written = cap.write(enumerate(json.dumps({"type": kind, **each}).encode() for each in messages), SETTING)
    for each in written:
        assert isinstance(each, Refused) or list(cap.read(each, SETTING))
