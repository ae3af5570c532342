"""CAP alerts, in and out (``spec/doors.md`` steps 10 to 12 and 17)."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from comity.doors import recording
from comity.doors.cap import OPEN_MAX, PARTS_MAX, read, write
from comity.doors.passing import Passed, Setting
from comity.doors.table import DOORS, schema_text
from comity.errors import Misuse
from comity.feed.schema import Reader, Refused, parse_schema
from doors.alerts import AREA, CAP, HEAD, INFO, RESOURCE, SECOND, SETTING, WHOLE, code, passed, sealed, xml
from doors.keys import CENTRE, elliptic, modular

READER = Reader(parse_schema(schema_text(DOORS["cap"]), "cap"))


def written(messages: list[dict[str, Any]], setting: Setting = SETTING) -> list[Passed]:
    return list(write(enumerate(map(msgspec.json.encode, messages)), setting))


def inner(document: Passed) -> str:
    """What stands in an alert before its signature."""
    assert isinstance(document, bytes), document
    text = document.decode()
    return text[text.index(f'<alert xmlns="{CAP}">') + len(f'<alert xmlns="{CAP}">') : text.index("<ds:Signature")]


def test_an_alert_is_a_message_for_each_area_each_resource_and_each_info() -> None:
    area, resource, first, second = passed(sealed(xml(WHOLE)))
    identity = {"identifier": "a-1", "sender": "centre@example.org", "sent": "2026-11-20T01:02:00Z"}
    assert area == {
        "type": "public-area",
        **identity,
        "info": 1,
        "area": 1,
        "areaDesc": "Coast",
        "polygon": '["38.47,-120.14 38.34,-119.95 38.52,-119.74 38.47,-120.14","1,1 1,2 2,2 1,1"]',
        "circle": '["32.9525,-115.5527 0"]',
        "geocode": '[["SAME","006109"]]',
        "altitude": 100.5,
        "ceiling": 2000.0,
    }
    assert resource == {
        "type": "public-resource",
        **identity,
        "info": 1,
        "resource": 1,
        "resourceDesc": "map",
        "mimeType": "image/png",
        "size": 5120,
        "uri": "https://example.org/map.png",
        "derefUri": "iVBORw0KGgo=",
        "digest": "0123456789abcdef0123456789ABCDEF01234567",
    }
    common = {
        "type": "public-alert",
        **identity,
        "status": "Actual",
        "msgType": "Update",
        "source": "post 7",
        "code": json.dumps(["first", 'second, "with" marks'], separators=(",", ":")),
        "note": "n & m",
        "references": "c@example.org,a-0,2026-11-20T09:00:00+09:00",
        "incidents": 'north "old coast"',
        "signer": "CN=Warning centre",
        "infos": 2,
    }
    assert first == common | {
        "info": 1,
        "language": "en-US",
        "category": "Met Safety",
        "event": "Storm",
        "responseType": "Shelter Monitor",
        "urgency": "Immediate",
        "severity": "Severe",
        "certainty": "Likely",
        "audience": "all",
        "eventCode": '[["SAME","SVR"]]',
        "effective": "2026-11-20T01:00:00Z",
        "onset": "2026-11-20T01:10:00Z",
        "expires": "2026-11-20T02:00:00Z",
        "senderName": "Centre",
        "headline": "STORM",
        "description": "Line one\nline two",
        "instruction": "Go in",
        "web": "https://example.org/",
        "contact": "desk",
        "parameter": '[["HSAS","ORANGE"]]',
    }
    assert second == common | {
        "info": 2,
        "language": "fr-CA",
        "category": "Met",
        "event": "Orage",
        "urgency": "Unknown",
        "severity": "Unknown",
        "certainty": "Unknown",
    }


def test_its_messages_are_of_the_schema_and_are_written_as_the_same_alert_again() -> None:
    messages = passed(sealed(xml(WHOLE)))
    assert not any(isinstance(READER.read(msgspec.json.encode(each)), Refused) for each in messages)
    (alert,) = written(messages)
    utc = inner(alert)
    assert "<sent>2026-11-20T01:02:00-00:00</sent>" in utc
    for local, universal in (
        ("10:02:00+09:00</s", "01:02:00-00:00</s"),
        ("10:00:00+09:00", "01:00:00-00:00"),
        ("02:00:00+00", "02:00:00-00"),
    ):
        assert local in WHOLE
        utc = utc.replace(universal, local)
    assert utc == WHOLE.replace("<ceiling>2000<", "<ceiling>2000.0<")
    assert isinstance(alert, bytes)
    assert passed(alert) == messages


@pytest.mark.parametrize(
    ("scope", "besides", "prefix"),
    [
        ("Public", "", "public"),
        ("Restricted", "<restriction>to the parties</restriction>", "restricted"),
        ("Private", '<addresses>a@example.org "desk two"</addresses>', "private"),
    ],
)
def test_a_scope_is_in_the_type_so_that_it_is_marked_by_itself(scope: str, besides: str, prefix: str) -> None:
    head = HEAD.replace("<scope>Public</scope>", f"<scope>{scope}</scope>{besides}")
    messages = passed(sealed(xml(head + INFO)))
    assert [each["type"] for each in messages] == [f"{prefix}-{part}" for part in ("area", "resource", "alert")]
    assert not any(isinstance(READER.read(msgspec.json.encode(each)), Refused) for each in messages)
    (alert,) = written(messages)
    assert f"<scope>{scope}</scope>{besides}" in inner(alert)
    if besides:
        bare = HEAD.replace("<scope>Public</scope>", f"<scope>{scope}</scope>")
        assert code(sealed(xml(bare + INFO))) == "not-cap"


def test_an_alert_without_infos_is_one_message() -> None:
    (message,) = passed(sealed(xml(HEAD.replace("Update", "Ack"))))
    assert (message["info"], message["infos"], message["msgType"]) == (0, 0, "Ack")
    (alert,) = written([message])
    assert "<info>" not in inner(alert)


def within(old: str, new: str) -> str:
    assert WHOLE.count(old) >= 1, old
    return WHOLE.replace(old, new, 1)


@pytest.mark.parametrize(
    "text",
    [
        *(
            within(f"<{name}>", f"<{name}>x")
            for name in ("sent", "status", "msgType", "scope", "urgency", "size", "circle")
        ),
        within("2026-11-20T10:02:00+09:00", "2026-11-20T01:02:00Z"),
        within("2026-11-20T10:02:00+09:00", "2026-11-20T10:02:00.5+09:00"),
        within("2026-11-20T10:02:00+09:00", "2026-11-31T10:02:00+09:00"),
        within("2026-11-20T10:02:00+09:00", "0001-01-01T00:00:00+14:00"),
        within("2026-11-20T10:02:00+09:00", "2026-11-20T10:02:00+99:00"),
        within("<identifier>a-1", "<identifier>a 1"),
        within("<identifier>a-1", "<identifier>a,1"),
        within("<identifier>a-1</identifier>", ""),
        within("<sender>centre@example.org</sender>", "<sender> centre@example.org</sender>"),
        within("<status>Actual</status>", "<status>actual</status>"),
        within("<status>Actual</status><msgType>Update</msgType>", "<msgType>Update</msgType><status>Actual</status>"),
        within("<status>Actual</status>", "<status>Actual</status><status>Test</status>"),
        within("<status>", '<status class="x">'),
        within("<note>n &amp; m</note>", "<note/>"),
        within("<note>n &amp; m</note>", "<note><b>n</b></note>"),
        within("<note>n &amp; m</note>", "<note>n<b/></note>"),
        within("<note>n &amp; m</note>", '<note xmlns="urn:oasis:names:tc:emergency:cap:1.1">n</note>'),
        within("<note>n &amp; m</note>", '<x:note xmlns:x="urn:x">n</x:note>'),
        within("<note>n &amp; m</note>", "<remark>n</remark>"),
        within("<note>n &amp; m</note>", '<note xmlns="">n</note>'),
        within("<note>n &amp; m</note>", "stray text"),
        within("<references>c@", "<references>only,two "),
        within("<category>Met</category><category>Safety</category>", ""),
        within("<category>Met</category>", "<category>Weather</category>"),
        within("<event>Storm</event>", ""),
        within("<valueName>SAME</valueName>", ""),
        within("<value>SVR</value>", "<value>SVR</value><value>TOR</value>"),
        within("<valueName>SAME</valueName><value>SVR</value>", "<value>SVR</value><valueName>SAME</valueName>"),
        within("<valueName>SAME</valueName>", "text<valueName>SAME</valueName>"),
        within("<valueName>SAME</valueName>", '<valueName a="1">SAME</valueName>'),
        within("<language>en-US", "<language>en_US"),
        within("<mimeType>image/png", "<mimeType>image"),
        within("<size>5120", "<size>05120"),
        within("<size>5120", "<size>-1"),
        within("<size>5120", "<size>9007199254740993"),
        within("<uri>https://example.org/map.png", "<uri>not a uri"),
        within("iVBORw0KGgo=", "not base 64!"),
        within("<digest>0", "<digest>"),
        within(" 38.47,-120.14</polygon>", "</polygon>"),
        within("<polygon>1,1 1,2 2,2 1,1", "<polygon>1,1 1,2 1,1"),
        within("<polygon>1,1 1,2 2,2 1,1", "<polygon>91,1 1,2 2,2 91,1"),
        within("<polygon>1,1 1,2 2,2 1,1", "<polygon>1,181 1,2 2,2 1,181"),
        within("<polygon>1,1 1,2 2,2 1,1", "<polygon>1,1  1,2 2,2 1,1"),
        within("<polygon>1,1 1,2 2,2 1,1", "<polygon>１,1 1,2 2,2 １,1"),
        within("-115.5527 0</circle>", "-115.5527 -1</circle>"),
        within("-115.5527 0</circle>", "-115.5527</circle>"),
        within("<altitude>100.5", "<altitude>1e3"),
        within("<altitude>100.5", "<altitude>NaN"),
        within("<areaDesc>Coast</areaDesc>", ""),
        within("<resourceDesc>map</resourceDesc>", ""),
        WHOLE + "<note>late</note>",
        "stray" + WHOLE,
        within(RESOURCE + AREA, AREA + RESOURCE),
    ],
)
def test_what_the_standard_does_not_allow_is_refused_though_it_is_signed(text: str) -> None:
    assert code(sealed(xml(text))) == "not-cap"


def test_the_root_is_an_alert_of_this_version_without_attributes_but_where_its_schema_is() -> None:
    assert code(sealed(xml(WHOLE).replace(CAP.encode(), CAP.replace("1.2", "1.1").encode()))) == "not-cap"
    assert code(sealed(xml(WHOLE).replace(b"<alert ", b'<alert lang="en" '))) == "not-cap"
    assert code(sealed(xml(WHOLE).replace(b"alert", b"warning"))) == "not-cap"
    located = b'<alert xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a b" '
    assert len(passed(sealed(xml(WHOLE).replace(b"<alert ", located)))) == 4


def test_space_and_comments_between_elements_say_nothing() -> None:
    spaced = WHOLE.replace("><", ">\n  <!-- it says nothing -->\n  <")
    assert passed(sealed(xml(spaced))) == passed(sealed(xml(WHOLE)))


def test_a_comment_within_a_text_leaves_the_text_whole() -> None:
    (message,) = passed(sealed(xml(HEAD.replace("centre@example.org", "centre@example.org<!-- .evil.example -->.au"))))
    assert message["sender"] == "centre@example.org.au"


def test_alerts_of_several_senders_at_once_do_not_mix() -> None:
    one, other = passed(sealed(xml(WHOLE))), passed(sealed(xml(WHOLE.replace("<sender>centre", "<sender>other"))))
    mixed = [each for pair in zip(one, other, strict=True) for each in pair]
    first, second = written(mixed)
    assert "<sender>centre@" in inner(first)
    assert "<sender>other@" in inner(second)
    assert [inner(each) for each in written(one + other)] == [inner(first), inner(second)]


def test_an_alert_whose_last_info_did_not_cross_is_written_when_its_sender_goes_on() -> None:
    *parts, _ = passed(sealed(xml(WHOLE)))
    following = passed(sealed(xml(HEAD.replace("a-1", "a-2"))))
    first, second = written(parts + following)
    assert "<identifier>a-1<" in inner(first)
    assert inner(first).count("<info>") == 1
    assert "<identifier>a-2<" in inner(second)


def test_what_did_not_cross_and_an_alert_needs_is_said() -> None:
    area, resource, first, second = passed(sealed(xml(WHOLE)))
    for name in ("status", "msgType", "event", "severity", "info", "infos", "sent"):
        lacking = [{key: value for key, value in each.items() if key != name} for each in (first, second)]
        assert {each.code for each in written([*lacking]) if isinstance(each, Refused)} == {"incomplete"}, name
    del area["areaDesc"]
    said, alert = written([area, resource, first, second])
    assert isinstance(said, Refused)
    assert "areaDesc" in said.sentence
    assert "<area>" not in inner(alert)
    assert RESOURCE in inner(alert)


def test_what_did_not_cross_and_may_be_left_out_is_left_out() -> None:
    _, _, first, second = passed(sealed(xml(WHOLE)))
    for name in ("description", "instruction", "contact", "parameter", "note", "signer", "code"):
        del first[name]
        second.pop(name, None)
    (alert,) = written([first, second])
    assert "<description>" not in inner(alert)
    assert isinstance(alert, bytes)
    assert len(passed(alert)) == 2


def test_an_alert_whose_last_info_did_not_cross_is_written_when_nothing_more_comes() -> None:
    area, resource, first, _ = passed(sealed(xml(WHOLE)))
    (alert,) = written([area, resource, first])
    assert inner(alert).count("<info>") == 1
    (refused,) = written([area, resource])
    assert isinstance(refused, Refused)
    assert refused.code == "incomplete"


def test_alerts_that_are_not_finished_are_kept_within_bounds() -> None:
    area, *_ = passed(sealed(xml(WHOLE)))
    parts = [area | {"sender": f"centre-{number}"} for number in range(OPEN_MAX + 5)]
    found = list(zip(range(6), write(enumerate(map(msgspec.json.encode, parts)), SETTING), strict=False))
    assert len(found) == 6
    assert len(written(parts)) == OPEN_MAX + 5
    many = written([area | {"area": number} for number in range(PARTS_MAX + 3)])
    assert [each.code for each in many if isinstance(each, Refused)] == ["too-large"] * 3 + ["incomplete"]


@pytest.mark.parametrize(
    "change",
    [
        {"event": "bell \x07"},
        {"event": 7},
        {"event": " "},
        {"severity": "severe"},
        {"category": "Met  Safety"},
        {"category": ""},
        {"category": 7},
        {"code": 7},
        {"event": "not a character \ufffe"},
        {"code": "first"},
        {"code": "[]"},
        {"code": '{"a":1}'},
        {"eventCode": '[["SAME"]]'},
        {"eventCode": '["SAME"]'},
        {"eventCode": "[7]"},
        {"expires": "tomorrow"},
        {"expires": "0001-01-01T00:00:00+14:00"},
        {"web": "a b"},
    ],
)
def test_a_message_that_says_what_no_alert_may_say_is_refused(change: dict[str, Any]) -> None:
    _, _, first, second = passed(sealed(xml(WHOLE)))
    (refused,) = written([first | change, second])
    assert isinstance(refused, Refused)
    assert refused.code == "bad-field"


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("public-resource", {"size": True}),
        ("public-resource", {"size": "5120"}),
        ("public-resource", {"size": 1.5}),
        ("public-resource", {"size": -1}),
        ("public-area", {"altitude": True}),
        ("public-area", {"altitude": "high"}),
        ("public-area", {"altitude": 1e300}),
        ("public-area", {"polygon": '["1,1 1,2"]'}),
    ],
)
def test_a_part_that_says_what_it_may_not_is_left_out_and_said(kind: str, change: dict[str, Any]) -> None:
    messages = [each | change if each["type"] == kind else each for each in passed(sealed(xml(WHOLE)))]
    said, alert = written(messages)
    assert isinstance(said, Refused)
    assert said.code == "bad-field"
    assert f"<{kind.removeprefix('public-')}>" not in inner(alert)


def test_where_a_restricted_alert_may_go_must_have_crossed() -> None:
    scope = "<scope>Restricted</scope><restriction>to the parties</restriction>"
    (message,) = passed(sealed(xml(HEAD.replace("<scope>Public</scope>", scope))))
    del message["restriction"]
    (refused,) = written([message])
    assert isinstance(refused, Refused)
    assert (refused.code, "restriction" in refused.sentence) == ("incomplete", True)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"[]", "malformed"),
        (b"{", "malformed"),
        (b"{}", "malformed"),
        (b'{"type":7}', "malformed"),
        (b'{"type":"track"}', "unknown-type"),
        (b'{"type":"secret-alert"}', "unknown-type"),
        (b'{"type":"public-map"}', "unknown-type"),
        (b'{"type":"public-alert","identifier":"a"}', "incomplete"),
        (b'{"type":"public-area","identifier":"a","sender":"b","sent":"c","info":1,"area":"1"}', "incomplete"),
    ],
)
def test_a_message_that_is_no_part_of_an_alert_is_refused(message: bytes, reason: str) -> None:
    (refused,) = write([(0, message)], SETTING)
    assert isinstance(refused, Refused)
    assert refused.code == reason


def test_to_write_one_signs_and_to_read_one_trusts() -> None:
    _, _, first, second = passed(sealed(xml(WHOLE)))
    wanting: list[tuple[Setting, str]] = [
        (Setting(now=SETTING.now), "no-key"),
        (Setting(now=SETTING.now, key=elliptic(CENTRE)[0]), "no-key"),
        (Setting(now=SETTING.now, certificate=elliptic(CENTRE)[1]), "no-key"),
        (Setting(now=SETTING.now, key=b"-", certificate=elliptic(CENTRE)[1]), "bad-key"),
        (Setting(now=SETTING.now, key=elliptic("other")[0], certificate=elliptic(CENTRE)[1]), "bad-key"),
        (Setting(now=SETTING.now, key=elliptic(CENTRE)[0], certificate=b"-"), "bad-certificate"),
        (Setting(now=SETTING.now, key=modular(1024)[0], certificate=modular(1024)[1]), "bad-certificate"),
    ]
    for setting, reason in wanting:
        with pytest.raises(Misuse) as raised:
            written([first, second], setting)
        assert raised.value.code == reason
    for trusted in ((), (b"-",), (modular(1024)[1],), (elliptic(CENTRE)[1],) * 101):
        with pytest.raises(Misuse):
            list(read(b"", Setting(now=SETTING.now, trusted=trusted)))


def test_the_recording_is_an_alert_of_the_schema_in_two_languages() -> None:
    setting = Setting(now=recording.clock, trusted=(recording.launch_certificate(),))
    messages = passed(recording.launch_alert(), setting)
    assert [each["type"] for each in messages] == ["restricted-area"] * 2 + ["restricted-alert"] * 2
    assert {each["status"] for each in messages[2:]} == {"Exercise"}
    assert not any(isinstance(READER.read(msgspec.json.encode(each)), Refused) for each in messages)
    assert SECOND not in recording.launch_alert().decode()
