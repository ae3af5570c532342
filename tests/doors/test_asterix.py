"""ASTERIX, read record by record (``spec/doors.md`` steps 13 to 17)."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from comity.doors import recording
from comity.doors.asterix import documents, read
from comity.doors.passing import DOCUMENT_BYTES_MAX, Counted, Setting
from comity.doors.table import DOORS, schema_text
from comity.feed.schema import Reader, Refused, parse_schema
from doors import recorded
from doors.blocks import block, system_track

READER = Reader(parse_schema(schema_text(DOORS["asterix"]), "air-surveillance"))
SPEC = Path(__file__).parents[2] / "spec" / "doors.md"
TRACK = system_track(71, 9101.5, 38.0213, 131.4471)


def setting(text: str = "2026-11-20T02:30:00Z") -> Setting:
    return Setting(now=lambda: datetime.fromisoformat(text))


def messages(data: bytes, at: str = "2026-11-20T02:30:00Z") -> list[dict[str, Any] | str]:
    found = list(read(data, setting(at)))
    assert not any(isinstance(READER.read(each), Refused) for each in found if isinstance(each, bytes))
    return [each.code if isinstance(each, Refused) else json.loads(each) for each in found]


def one(category: int, record: dict[str, Any], at: str = "2026-11-20T02:30:00Z") -> dict[str, Any]:
    (found,) = messages(block(category, record), at)
    assert isinstance(found, dict), found
    return found


def test_the_example_of_the_spec() -> None:
    sent, became = SPEC.read_text(encoding="utf-8").split("```")[1].strip().split("\n\n")
    track = TRACK | {
        "185": (("VX", (-120.25, "m/s")), ("VY", (3.5, "m/s"))),
        "136": (350.25, "FL"),
        "245": (0, 0, ("CHR", "ABC123")),
    }
    assert bytes.fromhex(sent) == block(62, track)
    assert one(62, track) == json.loads(became)


def test_every_field_of_a_system_track() -> None:
    track = TRACK | {
        "100": (("X", (-1000.5, "m")), ("Y", (2000.0, "m"))),
        "220": (-1200.0, "ft/min"),
        "130": (35_025.0, "ft"),
        "135": (("QNH", 1), ("CTB", (351.25, "FL"))),
        "060": (0, 0, 0, 0, ("MODE3A", "7700")),
        "380": {"ADR": 0x84A1F3},
        "080": (
            (0, 0, 0, 0, 1, None),
            (1, 1, 0, 0, 0, 0, 0, None),
            (0, ("MD4", 1), 0, 0, ("MD5", 3), None),
            (1, *[0] * 6, None),
        ),
    }
    assert {name: value for name, value in one(62, track).items() if name not in ("latitude_deg", "longitude_deg")} == {
        "type": "system-track",
        "sensor": "25/100",
        "observed": "2026-11-20T02:31:41.500000Z",
        "track": 71,
        "x_m": -1000.5,
        "y_m": 2000.0,
        "climb_ftpm": -1200.0,
        "geometric_height_ft": 35025.0,
        "barometric_level": 351.25,
        "mode_3a": "7700",
        "address": "84a1f3",
        "mode_4": "friendly",
        "mode_5": "no-reply",
        "simulated": True,
        "tentative": True,
        "coasting": True,
        "ended": True,
    }


def test_every_field_of_a_radar_plot() -> None:
    plot = {
        "140": (9101.5, "s"),
        "020": ((("TYP", 5), 0, 0, 0, 0, None), (1, 0, 0, 0, 0, ("FOEFRI", 1), None)),
        "040": (("RHO", (101.5, "NM")), ("THETA", (270.0, "°"))),
        "042": (("X", (-101.5, "NM")), ("Y", (0.5, "NM"))),
        "070": (0, 0, 0, 0, ("MODE3A", "2417")),
        "090": (0, 0, ("FL", (310.25, "FL"))),
        "110": (0, ("3DH", (31_025.0, "ft"))),
        "220": 0x84A1F3,
        "240": "SKY417",
        "161": (0, ("TRN", 417)),
        "200": (("GSP", (0.125, "NM/s")), ("HDG", (90.0, "°"))),
        "170": ((1, 0, 0, 0, 0, None), (1, 0, 0, 0, 0, None)),
    }
    assert one(48, plot) == {
        "type": "radar-plot",
        "sensor": "25/100",
        "observed": "2026-11-20T02:31:41.500000Z",
        "range_nm": 101.5,
        "azimuth_deg": 270.0,
        "x_nm": -101.5,
        "y_nm": 0.5,
        "detection": "roll-call",
        "flight_level": 310.25,
        "height_ft": 31025.0,
        "mode_3a": "2417",
        "address": "84a1f3",
        "callsign": "SKY417",
        "track": 417,
        "ground_speed_kt": 450.0,
        "track_angle_deg": 90.0,
        "mode_4": "friendly",
        "simulated": False,
        "test": True,
        "tentative": True,
        "ended": True,
    }


ADSB: dict[str, Any] = {
    "040": ((0, 0, 0, 0, None), (0, 1, 1, 0, 0, 0, None)),
    "073": (9101.5, "s"),
    "080": 0x71BE0C,
    "131": (("LAT", (-33.5, "°")), ("LON", (-70.25, "°"))),
    "140": (36_000.0, "ft"),
    "145": (370.0, "FL"),
    "155": (("RE", 0), ("BVR", (625.0, "ft/min"))),
    "157": (("RE", 0), ("GVR", (-618.75, "ft/min"))),
    "160": (("RE", 0), ("GS", (0.125, "NM/s")), ("TA", (180.0, "°"))),
    "161": (0, ("TRNUM", 9)),
    "170": "SEA8802",
    "070": (0, ("MODE3A", "1000")),
    "020": 5,
}


def test_every_field_of_an_adsb_report() -> None:
    assert one(21, ADSB) == {
        "type": "adsb-report",
        "sensor": "25/100",
        "observed": "2026-11-20T02:31:41.500000Z",
        "address": "71be0c",
        "latitude_deg": pytest.approx(-33.5),
        "longitude_deg": pytest.approx(-70.25),
        "geometric_height_ft": 36000.0,
        "flight_level": 370.0,
        "ground_speed_kt": 450.0,
        "track_angle_deg": 180.0,
        "barometric_climb_ftpm": 625.0,
        "geometric_climb_ftpm": -618.75,
        "callsign": "SEA8802",
        "mode_3a": "1000",
        "track": 9,
        "emitter": 5,
        "on_ground": True,
        "simulated": True,
        "test": False,
    }


def test_the_coarser_position_and_the_later_times_stand_in_for_those_that_are_missing() -> None:
    report = ADSB | {
        "131": None,
        "073": None,
        "130": (("LAT", (-33.5, "°")), ("LON", (-70.25, "°"))),
        "077": (60.0, "s"),
    }
    found = one(21, report)
    assert (found["latitude_deg"], found["observed"][11:19]) == (pytest.approx(-33.5, abs=1e-4), "00:01:00")
    assert one(21, ADSB | {"071": (30.0, "s")})["observed"][11:19] == "00:00:30"


def test_the_callsign_that_an_aircraft_sent_stands_in_for_that_of_the_track() -> None:
    assert one(62, TRACK | {"380": {"ID": "DFC9738"}})["callsign"] == "DFC9738"
    assert one(62, TRACK | {"380": {"ID": "DFC9738"}, "245": (0, 0, ("CHR", "SKY417"))})["callsign"] == "SKY417"


@pytest.mark.parametrize(
    ("second", "at", "observed"),
    [
        (86_399.5, "2026-11-20T00:00:10Z", "2026-11-19T23:59:59.500000Z"),
        (1.5, "2026-11-20T23:59:59Z", "2026-11-21T00:00:01.500000Z"),
        (3600.0, "2026-11-20T08:00:00+09:00", "2026-11-20T01:00:00Z"),
        (0.0, "2026-12-31T23:59:59.999Z", "2027-01-01T00:00:00Z"),
    ],
)
def test_the_date_is_that_nearest_to_the_clock(second: float, at: str, observed: str) -> None:
    assert one(62, system_track(1, second, 0.0, 0.0), at)["observed"] == observed


@pytest.mark.parametrize(
    ("category", "record", "left_out"),
    [
        (48, {"070": (("V", 1), 0, 0, 0, ("MODE3A", "2417"))}, "mode_3a"),
        (48, {"070": (0, ("G", 1), 0, 0, ("MODE3A", "2417"))}, "mode_3a"),
        (48, {"090": (1, 0, ("FL", (310.0, "FL")))}, "flight_level"),
        (48, {"240": 0}, "callsign"),
        (48, {"240": (0x1B << 42) | 0x820820820820 & (2**42 - 1)}, "callsign"),
        (48, {"240": "        "}, "callsign"),
    ],
)
def test_a_value_that_is_called_invalid_is_left_out(category: int, record: dict[str, Any], left_out: str) -> None:
    assert left_out not in one(category, {"140": (9101.5, "s")} | record)


@pytest.mark.parametrize(
    ("item", "field"), [("155", "barometric_climb_ftpm"), ("157", "geometric_climb_ftpm"), ("160", "ground_speed_kt")]
)
def test_a_value_beyond_its_range_is_left_out(item: str, field: str) -> None:
    assert field not in one(21, ADSB | {item: (("RE", 1), *ADSB[item][1:])})


@pytest.mark.parametrize(
    ("category", "record", "code"),
    [
        (62, TRACK | {"010": None}, "missing-item"),
        (62, TRACK | {"070": None}, "missing-item"),
        (62, TRACK | {"040": None}, "missing-item"),
        (21, ADSB | {"080": None}, "missing-item"),
        (21, ADSB | {"073": None}, "missing-item"),
        (62, TRACK | {"070": (86_400.0, "s")}, "bad-value"),
        (62, system_track(71, 9101.5, 90.5, 0.0), "bad-value"),
        (21, ADSB | {"131": (("LAT", (-95.0, "°")), ("LON", (0.0, "°")))}, "bad-value"),
    ],
)
def test_a_record_that_lacks_what_it_needs_is_refused_alone(category: int, record: dict[str, Any], code: str) -> None:
    good = {62: TRACK, 21: ADSB}[category]
    found = messages(block(category, good, record, good))
    assert [each if isinstance(each, str) else "passed" for each in found] == ["passed", code, "passed"]


def test_a_broken_record_takes_the_rest_of_its_block_with_it_and_nothing_else() -> None:
    whole = block(62, TRACK)
    broken = block(62, TRACK, TRACK)[:-3]
    broken = broken[:1] + len(broken).to_bytes(2, "big") + broken[3:]
    stream = whole + broken + bytes([34, 0, 5, 0, 0]) + whole + bytes([62, 0, 2, 1])
    counted = Counted(read(stream, setting()))
    kinds = [each.code if isinstance(each, Refused) else "passed" for each in counted]
    assert kinds == ["passed", "passed", "bad-record", "other-category", "passed", "bad-block"]
    assert counted.passed == 3
    again = Counted(DOORS["asterix"].messages(io.BytesIO(stream), setting()))
    assert [each.code if isinstance(each, Refused) else "passed" for each in again] == kinds


def test_a_stream_is_cut_where_each_block_ends() -> None:
    first, second = block(62, TRACK), block(62, TRACK, TRACK)
    assert list(documents(io.BytesIO(first + second))) == [first, second]
    assert list(documents(io.BytesIO(b""))) == []
    (refused,) = documents(io.BytesIO(first[:-1]))
    assert isinstance(refused, Refused)


def test_a_datagram_that_is_too_large_is_refused() -> None:
    assert messages(bytes(DOCUMENT_BYTES_MAX + 1)) == ["too-large"]


def test_the_recording_is_what_was_made_and_every_message_of_it_is_of_the_schema() -> None:
    assert recording.air_picture() == recorded.air_picture()
    counted = Counted(DOORS["asterix"].messages(io.BytesIO(recording.air_picture()), Setting(now=recording.clock)))
    found = [
        json.loads(each) for each in counted if isinstance(each, bytes) and not isinstance(READER.read(each), Refused)
    ]
    assert (len(found), counted.passed, dict(counted.refused)) == (225, 225, {"bad-record": 1})
    assert {each["type"] for each in found} == {"system-track", "adsb-report"}
    assert min(each["observed"] for each in found) >= recording.RECORDED.astimezone(UTC).isoformat()[:19]
