"""ASTERIX made for tests, with the library's own encoder."""

from __future__ import annotations

from typing import Any

from asterix import generated

SPECS: dict[int, Any] = {21: generated.Cat_021_2_7, 48: generated.Cat_048_1_32, 62: generated.Cat_062_1_21}
SOURCE = (("SAC", 25), ("SIC", 100))


def block(category: int, *records: dict[str, Any]) -> bytes:
    """One block of records, each written as the library wants it; the sensor is 25/100 unless they say otherwise."""
    spec = SPECS[category]
    made = [spec.cv_record.create({"010": SOURCE, **each}) for each in records]
    data: bytes = spec.create(made).unparse().to_bytes()
    return data


def system_track(number: int, second: float, latitude: float, longitude: float, **items: Any) -> dict[str, Any]:
    """A record of category 062; further items are named ``i136`` and so on."""
    return {
        "040": number,
        "070": (second, "s"),
        "105": (("LAT", (latitude, "°")), ("LON", (longitude, "°"))),
        **{name.removeprefix("i"): value for name, value in items.items()},
    }
