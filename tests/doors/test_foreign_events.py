"""Events to and from the CloudEvents project's own Python library, both ways (``spec/doors.md`` steps 5 and 6)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cloudevents.core.bindings import http
from cloudevents.core.v1.event import CloudEvent

from comity.doors import events
from comity.doors.event_headers import read_http, write_http
from doors.test_events import EVENT, MESSAGE, SETTING

SUBJECTS = ["deck 2", "Euro € 😀", '100% "sure"', "a\\b", "%41", "甲板"]


def theirs(subject: str) -> CloudEvent:
    said: dict[str, Any] = {name: value for name, value in EVENT.items() if name != "data"}
    said |= {"subject": subject, "time": datetime(2026, 11, 20, 1, 2, 3, tzinfo=UTC)}
    return CloudEvent(said, data={"value": 4.5})


def ours(subject: str) -> dict[str, Any]:
    return MESSAGE | {"ce_subject": subject}


@pytest.mark.parametrize("subject", SUBJECTS)
def test_what_they_write_we_read(subject: str) -> None:
    event = theirs(subject)
    structured, binary = http.to_structured_event(event), http.to_binary_event(event)
    assert not isinstance(structured.body, str)
    (in_json,) = read_http(structured.headers.items(), structured.body, SETTING)
    assert isinstance(in_json, bytes)
    assert json.loads(in_json) == ours(subject)
    extensions = [(name, value.lower() if value == "True" else value) for name, value in binary.headers.items()]
    (in_headers,) = read_http(extensions, binary.body, SETTING)
    assert isinstance(in_headers, bytes)
    assert json.loads(in_headers) == ours(subject)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_what_we_write_they_read(subject: str) -> None:
    message = json.dumps(ours(subject)).encode()
    (structured,) = events.write([(0, message)], SETTING)
    assert isinstance(structured, bytes)
    headers, body = write_http(0, message, SETTING)
    for read in (
        http.from_http_event(http.HTTPMessage({"content-type": "application/cloudevents+json"}, structured)),
        http.from_http_event(http.HTTPMessage(dict(headers), body)),
    ):
        assert read.get_subject() == subject
        assert read.get_id() == EVENT["id"]
        assert read.get_source() == EVENT["source"]
        assert read.get_type() == EVENT["type"]
        assert read.get_dataschema() == EVENT["dataschema"]
        assert read.get_time() == datetime(2026, 11, 20, 1, 2, 3, tzinfo=UTC)
        assert str(read.get_extension("turn")) == "12"
        assert read.get_data() == {"value": 4.5}
