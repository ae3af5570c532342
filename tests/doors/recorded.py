"""Makes the recording that comes with the package: ``PYTHONPATH=tests python -m doors.recorded``.

The air picture comes out the same every time; the alert is signed with a new key each time, which is not kept.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from comity.doors import recording
from comity.doors.cap import write
from comity.doors.passing import Setting
from doors.blocks import block, system_track
from doors.keys import certified

SAMPLES = Path(recording.__file__).parent / "samples"
START = 3720.0
"""01:02 UTC, in seconds of the day."""
PERIOD = 4
TURNS = 45
BROKEN = bytes([62, 0, 9, 0x9B, 0x67, 0x41, 0x96, 0x40, 0x19])
"""A block that says its length rightly, and breaks off in the middle of its one record."""
ACTUAL: Any = ((0, 0, 0, 0, 0, None), (0, 0, 0, 0, 0, 0, 0, None), (0, 0, 0, 0, 0, None))


def status(mode_5: int) -> Any:
    return ((0, 0, 0, 0, 0, None), (0, 0, 0, 0, 0, 0, 0, None), (0, 0, 0, 0, ("MD5", mode_5), None))


def air_picture() -> bytes:
    made = []
    for turn in range(TURNS):
        second = START + turn * PERIOD
        hours = turn * PERIOD / 3600
        made.append(
            block(
                62,
                system_track(
                    71,
                    second + 0.5,
                    36.9 + 2.1 * hours,
                    132.3 + 5.2 * hours,
                    i185=(("VX", (128.5, "m/s")), ("VY", (64.75, "m/s"))),
                    i136=(350.0, "FL"),
                    i060=(0, 0, 0, 0, ("MODE3A", "2417")),
                    i245=(0, 0, ("CHR", "SKY417")),
                    i380={"ADR": 0x84A1F3},
                    i080=status(0),
                ),
                system_track(
                    72,
                    second + 0.75,
                    39.4 - 4.8 * hours,
                    131.1 + 2.4 * hours,
                    i185=(("VX", (57.5, "m/s")), ("VY", (-148.25, "m/s"))),
                    i136=(281.25 - turn / 4, "FL"),
                    i220=(-375.0, "ft/min"),
                    i080=status(3),
                ),
                system_track(
                    73,
                    second + 1.0,
                    37.6 + 6.1 * hours,
                    133.9 - 6.6 * hours,
                    i185=(("VX", (-161.5, "m/s")), ("VY", (188.0, "m/s"))),
                    i136=(310.5, "FL"),
                    i060=(0, 0, 0, 0, ("MODE3A", "4301")),
                    i080=status(1),
                ),
            )
        )
        made.append(
            block(
                21,
                adsb(0x84A1F3, "SKY417", second + 0.25, 36.9 + 2.1 * hours, 132.3 + 5.2 * hours, 350.0),
                adsb(0x71BE0C, "SEA8802", second + 1.25, 35.2 + 1.4 * hours, 130.4 - 6.3 * hours, 370.0),
            )
        )
        if turn == TURNS // 3:
            made.append(BROKEN)
    return b"".join(made)


def adsb(address: int, callsign: str, second: float, latitude: float, longitude: float, level: float) -> dict[str, Any]:
    return {
        "010": (("SAC", 25), ("SIC", 7)),
        "040": ((0, 0, 0, 0, None),),
        "073": (second, "s"),
        "080": address,
        "131": (("LAT", (latitude, "°")), ("LON", (longitude, "°"))),
        "145": (level, "FL"),
        "160": (("RE", 0), ("GS", (0.128, "NM/s")), ("TA", (68.0, "°"))),
        "170": callsign,
        "020": 3,
    }


def launch_alert() -> tuple[bytes, bytes]:
    """The alert, and the certificate of its signer."""
    key, certificate = certified(ec.generate_private_key(ec.SECP256R1()), "Warning centre of the recording")
    identity = {
        "identifier": "launch-20261120-0103",
        "sender": "warning-centre@example.org",
        "sent": "2026-11-20T01:03:20Z",
    }
    common = {
        **identity,
        "type": "restricted-alert",
        "status": "Exercise",
        "msgType": "Alert",
        "restriction": "Parties to the arrangement",
        "code": json.dumps(["comity-recording"]),
        "category": "Safety Security",
        "responseType": "Monitor",
        "urgency": "Immediate",
        "severity": "Extreme",
        "certainty": "Observed",
        "expires": "2026-11-20T01:33:20Z",
        "eventCode": json.dumps([["recording", "launch"]]),
        "parameter": json.dumps([["azimuth", "083"], ["method", "space-based infrared"]]),
        "infos": 2,
    }
    english = {
        "info": 1,
        "language": "en",
        "event": "Ballistic missile launch",
        "headline": "A launch was seen; its path is being followed",
        "instruction": "Follow the air picture of this feed",
    }
    japanese = {
        "info": 2,
        "language": "ja",
        "event": "弾道ミサイル発射",
        "headline": "発射を確認、追尾中",
        "instruction": "このフィードの航空情報に注意",
    }
    area = {
        **identity,
        "type": "restricted-area",
        "area": 1,
        "areaDesc": "Sea of the recording",
        "polygon": json.dumps(["38.0,131.0 38.0,133.0 40.0,133.0 40.0,131.0 38.0,131.0"]),
        "circle": json.dumps(["39.1,129.8 25"]),
    }
    messages = [{**area, "info": 1}, {**area, "info": 2}, {**common, **english}, {**common, **japanese}]
    setting = Setting(now=recording.clock, key=key, certificate=certificate)
    (written,) = write(enumerate(json.dumps(each).encode() for each in messages), setting)
    assert isinstance(written, bytes), written
    return written, certificate


def main() -> None:
    SAMPLES.mkdir(exist_ok=True)
    (SAMPLES / "air-picture.ast").write_bytes(air_picture())
    alert, certificate = launch_alert()
    (SAMPLES / "launch-alert.xml").write_bytes(alert)
    (SAMPLES / "launch-alert.pem").write_bytes(certificate)


if __name__ == "__main__":
    main()
