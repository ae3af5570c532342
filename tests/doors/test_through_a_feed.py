"""From one door through the cut to the other: what an owner marked and released, and nothing else."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from typing import Any

from comity.doors import events, recording
from comity.doors.cap import write
from comity.doors.passing import Counted, Setting, written
from comity.doors.table import DOORS, schema_text
from comity.feed.cut import cutters
from comity.feed.release import parse_release
from comity.feed.schema import Reader, Refused, Schema, parse_schema
from doors.alerts import SETTING, code, passed
from doors.keys import CENTRE, elliptic

MARK = "極秘"
RELEASE = """
[release]
format = 1
feed = "warning"
mark = "極秘"
topic = "missile-warning"
purpose = "air defence"
until = "2027-03-31T00:00:00Z"
[[release.posture]]
posture = "normal"
"""


def marked(name: str, *unmarked: str) -> Schema:
    """The schema of a door, with every field marked but some."""
    field = re.compile(rf'^(?!(?:{"|".join(unmarked) or "$"}) )(\w+ = \{{ kind = "\w+")', re.MULTILINE)
    return parse_schema(field.sub(rf'\1, mark = "{MARK}"', schema_text(DOORS[name])), name)


def views(schema: Schema, release: str, name: str, document: bytes, setting: Setting) -> Iterator[bytes]:
    """What crosses of a document."""
    posture = parse_release(RELEASE + release, "release.toml", schema, {MARK: 1}).postures["normal"]
    cut, reader = cutters(schema, dict(posture)), Reader(schema)
    counted = Counted(DOORS[name].messages(io.BytesIO(document), setting))
    for each in counted:
        message = reader.read(each) if isinstance(each, bytes) else each
        kind = "" if isinstance(message, Refused) else str(message.__struct_config__.tag)
        if not isinstance(message, Refused) and kind in cut:
            yield cut[kind].view(message)


def test_tracks_cross_rounded_and_without_what_was_not_released() -> None:
    release = """
[release.posture.types.system-track]
fields = ["sensor", "observed", "track", "latitude_deg", "longitude_deg"]
round = { latitude_deg = "0.1", longitude_deg = "0.1", observed = "10s" }
"""
    found = list(views(marked("asterix"), release, "asterix", recording.air_picture(), Setting(now=recording.clock)))
    assert len(found) == 135
    assert json.loads(found[1]) == {
        "type": "system-track",
        "sensor": "25/100",
        "observed": "2026-11-20T01:02:00Z",
        "track": 72,
        "latitude_deg": 39.4,
        "longitude_deg": 131.1,
    }


ALERT: dict[str, Any] = {
    "identity": ["identifier", "sender", "sent", "info"],
    "alert": ["status", "msgType", "restriction", "infos", "category", "urgency", "severity", "certainty"],
}


def released(*fields: str) -> str:
    alert = json.dumps([*ALERT["identity"], *ALERT["alert"], *fields])
    area = json.dumps([*ALERT["identity"], "area", "areaDesc", "circle"])
    return f"""
[release.posture.types.restricted-alert]
fields = {alert}
[release.posture.types.restricted-area]
fields = {area}
"""


LAUNCH = Setting(now=recording.clock, trusted=(recording.launch_certificate(),))


def test_an_alert_crosses_in_part_and_is_an_alert_again_signed_by_the_other() -> None:
    schema = marked("cap", "parameter", "polygon")
    crossed = list(views(schema, released("event", "headline", "language"), "cap", recording.launch_alert(), LAUNCH))
    (document,) = write(enumerate(crossed), SETTING)
    assert isinstance(document, bytes)
    messages = passed(document)
    assert [each["type"] for each in messages] == ["restricted-area"] * 2 + ["restricted-alert"] * 2
    assert messages[0]["circle"] == '["39.1,129.8 25"]'
    assert [each["event"] for each in messages[2:]] == ["Ballistic missile launch", "弾道ミサイル発射"]
    assert {each["signer"] for each in messages[2:]} == {"CN=Warning centre"}
    for hidden in (b"infrared", b"polygon", b"parameter", b"of the recording</signer", b"instruction"):
        assert hidden not in document
    assert code(document, LAUNCH) == "unknown-signer"


def test_an_alert_of_which_too_little_crossed_is_none() -> None:
    crossed = views(marked("cap"), released("headline"), "cap", recording.launch_alert(), LAUNCH)
    (refused,) = write(enumerate(crossed), SETTING)
    assert isinstance(refused, Refused)
    assert (refused.code, "event" in refused.sentence) == ("incomplete", True)


def test_an_event_of_the_same_view_says_what_the_view_says() -> None:
    setting = Setting(now=recording.clock, origin="https://example.org/feeds/warning", key=elliptic(CENTRE)[0])
    crossed = list(views(marked("cap"), released("event"), "cap", recording.launch_alert(), LAUNCH))
    found = [json.loads(each) for each in events.write(enumerate(crossed), setting) if isinstance(each, bytes)]
    assert [each["id"] for each in found] == ["0", "1", "2", "3"]
    assert [{"type": each["type"], **each["data"]} for each in found] == [json.loads(each) for each in crossed]


def test_messages_as_json_pass_as_they_are_and_no_name_is_there_twice() -> None:
    door = DOORS["json"]
    stream = io.BytesIO(b'{"type":"track","a":1}\n\n{"type":"track","a":1,"a":2}\n[1\n{"type":"other"}')
    found = list(door.messages(stream, SETTING))
    assert [each.code if isinstance(each, Refused) else each for each in found] == [
        b'{"type":"track","a":1}',
        "malformed",
        "malformed",
        b'{"type":"other"}',
    ]
    assert door.writer is not None
    assert list(written(door.writer(SETTING), [(0, b"{}"), (1, b"[]")])) == [b"{}", b"[]"]
