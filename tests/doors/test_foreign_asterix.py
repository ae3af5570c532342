"""ASTERIX of another implementation, both ways: what it writes we read, and what we recorded it reads the same."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from aviconv_asterix import Cat021Record, Cat048Record, Cat062Record, encode_records, iter_records

from comity.doors import recording
from comity.doors.asterix import read
from comity.doors.passing import Setting

SETTING = Setting(now=lambda: datetime(2026, 11, 20, 2, 30, tzinfo=UTC))


def test_a_plot_and_a_report_that_they_write_are_read() -> None:
    plot = Cat048Record(
        sac=25,
        sic=201,
        time_of_day_s=9101.5,
        rho_nm=12.5,
        theta_deg=90.0,
        flight_level=350.25,
        aircraft_address="84A1F3",
        callsign="SKY417",
        track_number=417,
        ground_speed_kt=450.0,
        heading_deg=45.0,
    )
    report = Cat021Record(
        sac=25,
        sic=7,
        time_of_reception_s=9102.0,
        icao_address="71BE0C",
        lat=-33.5,
        lon=-70.25,
        flight_level=370.0,
        ground_speed_kt=450.0,
        track_angle_deg=180.0,
        callsign="SEA8802",
    )
    first, second = (
        json.loads(each) for each in read(encode_records([plot, report]), SETTING) if isinstance(each, bytes)
    )
    assert first == {
        "type": "radar-plot",
        "sensor": "25/201",
        "observed": "2026-11-20T02:31:41.500000Z",
        "range_nm": 12.5,
        "azimuth_deg": 90.0,
        "flight_level": 350.25,
        "address": "84a1f3",
        "callsign": "SKY417",
        "track": 417,
        "ground_speed_kt": 450.0,
        "track_angle_deg": 45.0,
    }
    assert second == {
        "type": "adsb-report",
        "sensor": "25/7",
        "observed": "2026-11-20T02:31:42Z",
        "address": "71be0c",
        "latitude_deg": pytest.approx(-33.5, abs=1e-4),
        "longitude_deg": pytest.approx(-70.25, abs=1e-4),
        "flight_level": 370.0,
        "ground_speed_kt": 450.0,
        "track_angle_deg": 180.0,
        "callsign": "SEA8802",
    }


def test_a_track_that_they_write_is_read() -> None:
    typed = Cat062Record(
        sac=25,
        sic=100,
        time_of_track_s=9101.5,
        lat=38.0213,
        lon=131.4471,
        vx_ms=-120.25,
        vy_ms=3.5,
        measured_flight_level=350.25,
        callsign="ABC123",
        target_address="84A1F3",
    )
    (raw,) = iter_records(encode_records([typed]))
    numbered = raw.model_copy(
        update={"raw_items": raw.raw_items | {"I062/040": "0047"}}
    )  # their type has no track number
    (found,) = (json.loads(each) for each in read(encode_records([numbered]), SETTING) if isinstance(each, bytes))
    assert found == {
        "type": "system-track",
        "sensor": "25/100",
        "observed": "2026-11-20T02:31:41.500000Z",
        "track": 71,
        "latitude_deg": pytest.approx(38.0213, abs=1e-5),
        "longitude_deg": pytest.approx(131.4471, abs=1e-5),
        "vx_mps": -120.25,
        "vy_mps": 3.5,
        "flight_level": 350.25,
        "callsign": "ABC123",
        "address": "84a1f3",
    }


def test_what_we_recorded_they_read_as_we_do() -> None:
    data = recording.air_picture()
    broken = data.index(bytes([62, 0, 9, 0x9B]))
    data = data[:broken] + data[broken + 9 :]
    ours = [json.loads(each) for each in read(data, Setting(now=recording.clock)) if isinstance(each, bytes)]
    theirs = list(iter_records(data))
    assert len(ours) == len(theirs) == 225
    for mine, other in zip(ours, theirs, strict=True):
        assert mine["sensor"] == f"{other.sac}/{other.sic}"
        assert isinstance(other, Cat021Record | Cat062Record)
        assert (mine["latitude_deg"], mine["longitude_deg"]) == (pytest.approx(other.lat), pytest.approx(other.lon))
        assert mine.get("callsign") == other.callsign
        at = other.time_of_reception_s if isinstance(other, Cat021Record) else other.time_of_track_s
        assert at == (datetime.fromisoformat(mine["observed"]) - datetime(2026, 11, 20, tzinfo=UTC)).total_seconds()
        if isinstance(other, Cat062Record):
            assert (mine["vx_mps"], mine["vy_mps"], mine["flight_level"]) == (
                other.vx_ms,
                other.vy_ms,
                other.measured_flight_level,
            )
        else:
            assert mine["ground_speed_kt"] == pytest.approx(other.ground_speed_kt)
