"""CloudEvents over HTTP (``spec/doors.md`` step 6)."""

from __future__ import annotations

import json

import pytest

from comity.doors.event_headers import read_http, write_http
from comity.feed.schema import Refused
from doors.test_events import EVENT, MESSAGE, SETTING, codes

BODY = b'{"value":4.5}'
HEADERS = (
    ("ce-specversion", "1.0"),
    ("ce-id", "A234-1234-1234"),
    ("ce-source", "/sensors/7"),
    ("ce-type", "org.example.reading"),
    ("ce-dataschema", "https://example.org/reading"),
    ("ce-subject", "deck%202"),
    ("ce-time", "2026-11-20T01:02:03Z"),
    ("ce-sampled", "true"),
    ("ce-turn", "12"),
    ("content-type", "application/json"),
)


def changed(name: str, value: str) -> tuple[tuple[str, str], ...]:
    return (*(each for each in HEADERS if each[0] != name), (name, value))


def read_subject(value: str) -> object:
    (found,) = read_http(changed("ce-subject", value), BODY, SETTING)
    return found.code if isinstance(found, Refused) else json.loads(found)["ce_subject"]


def test_headers_and_body_are_a_message_whose_kinds_the_schema_says() -> None:
    (message,) = read_http(HEADERS, BODY, SETTING)
    assert isinstance(message, bytes)
    assert json.loads(message) == MESSAGE


def test_it_is_written_as_it_was_read() -> None:
    assert write_http(0, json.dumps(MESSAGE).encode(), SETTING) == (HEADERS, BODY)


def test_names_of_headers_have_no_case() -> None:
    upper = [(name.upper(), value) for name, value in HEADERS]
    assert list(read_http(upper, BODY, SETTING)) == list(read_http(HEADERS, BODY, SETTING))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"),  # the example of the standard
        ("Euro%20%e2%82%ac", "Euro €"),
        ('"Euro%20%E2%82%AC"', "Euro €"),
        (r'"a \"b\" \\ c"', r'a "b" \ c'),
        ("  deck%202 ", "deck 2"),
        ("100%25", "100%"),
        ("%2541", "%41"),  # decoded once
        ("plain(text)~!", "plain(text)~!"),
        ("a b", "a b"),
    ],
)
def test_a_header_is_unquoted_and_decoded_once(written: str, meant: str) -> None:
    assert read_subject(written) == meant


@pytest.mark.parametrize("written", ["100%", "%2", "%zz", "%E2%82", "%FF", "%C0%80", "%0A", "é", "\x7f", ""])
def test_a_header_that_is_not_encoded_utf_8_is_refused(written: str) -> None:
    assert read_subject(written) == "bad-attribute"


def test_what_is_written_is_what_the_standard_says() -> None:
    message = json.dumps(MESSAGE | {"ce_subject": 'Euro € 😀 100% "q" ~'}).encode()
    headers, _ = write_http(0, message, SETTING)
    assert dict(headers)["ce-subject"] == "Euro%20%E2%82%AC%20%F0%9F%98%80%20100%25%20%22q%22%20~"
    (back,) = read_http(headers, BODY, SETTING)
    assert isinstance(back, bytes)
    assert json.loads(back)["ce_subject"] == 'Euro € 😀 100% "q" ~'


def test_numbers_and_truths_that_are_not_as_the_schema_has_them_stay_text() -> None:
    (message,) = read_http(changed("ce-turn", "012"), BODY, SETTING)
    assert isinstance(message, bytes)
    assert json.loads(message)["ce_turn"] == "012"


@pytest.mark.parametrize(
    ("headers", "body", "code"),
    [
        ((*HEADERS, ("CE-ID", "another")), BODY, "bad-attribute"),
        ((*HEADERS, ("Content-Type", "text/plain")), BODY, "bad-attribute"),
        ((*HEADERS, ("ce-datacontenttype", "application/json")), BODY, "bad-attribute"),
        ((*HEADERS, ("ce-data", "{}")), BODY, "bad-attribute"),
        (changed("content-type", "text/plain"), BODY, "not-json"),
        (changed("content-type", "application/cloudevents+avro"), BODY, "not-json"),
        (changed("content-type", "application/cloudevents+json; charset=latin-1"), BODY, "not-json"),
        (HEADERS, b"", "malformed"),
        (HEADERS, b"[4.5]", "malformed"),
        ((), BODY, "bad-attribute"),
    ],
)
def test_what_is_no_event_is_refused(headers: tuple[tuple[str, str], ...], body: bytes, code: str) -> None:
    assert codes(list(read_http(headers, body, SETTING))) == [code]


@pytest.mark.parametrize("media", ["application/cloudevents+json", 'Application/CloudEvents+JSON; charset="UTF-8"'])
def test_structured_mode_is_one_event(media: str) -> None:
    header = (("Content-Type", media), ("ce-id", "not read here"))
    assert codes(list(read_http(header, json.dumps(EVENT).encode(), SETTING))) == ["passed"]
    assert codes(list(read_http(header, json.dumps([EVENT]).encode(), SETTING))) == ["malformed"]


def test_batched_mode_is_an_array() -> None:
    header = (("content-type", "application/cloudevents-batch+json"),)
    assert codes(list(read_http(header, json.dumps([EVENT, EVENT]).encode(), SETTING))) == ["passed", "passed"]
    assert codes(list(read_http(header, json.dumps(EVENT).encode(), SETTING))) == ["malformed"]
