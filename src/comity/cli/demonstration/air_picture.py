"""What is published in the demonstration of a feed: the recording that comes with the package, its schema, its release.

The schemas of the doors have no marks; whoever owns a sensor gives them. Here a table does, and what is not in it never
crosses.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from datetime import datetime
from io import BytesIO
from typing import Any

import msgspec
from msgspec import Struct

from comity.doors import recording
from comity.doors.passing import Setting
from comity.doors.table import DOORS, schema_text

FEED = "air-picture"
TOPIC = "missile-warning"
PURPOSE = "missile-warning"
MARK = "極秘"
LOWER = "秘"
TRACK = 71
"""The track that is shown field by field."""
ALERT = "restricted-alert"
_MARKS: Mapping[str, Mapping[str, str]] = {
    "system-track": {
        **dict.fromkeys(("track", "observed", "latitude_deg", "longitude_deg", "callsign"), LOWER),
        **dict.fromkeys(("flight_level", "vx_mps", "vy_mps", "sensor"), MARK),
    },
    "adsb-report": dict.fromkeys(("address", "observed", "latitude_deg", "longitude_deg", "flight_level"), LOWER),
    ALERT: {
        **dict.fromkeys(("identifier", "sent", "event", "severity", "language", "headline"), LOWER),
        "parameter": MARK,
    },
}
"""The marks of the fields that may cross, by type; the recording's other fields have none."""
SHOWN = (*_MARKS["system-track"], "address", "mode_3a", "mode_4")
"""The fields of a track that are shown beside one another: those that may cross, and some that never do."""
_TYPES = {"asterix": ("system-track", "adsb-report"), "cap": (ALERT, "restricted-area")}
_TERMS = """\
[release]
format = 1
feed = "{feed}"
mark = "{mark}"
topic = "{topic}"
purpose = "{purpose}"
subject = "defence"
until = "{until:%Y-%m-%dT%H:%M:%SZ}"

[[release.posture]]
posture = "normal"
[release.posture.types.system-track]
fields = ["observed", "track", "latitude_deg", "longitude_deg", "callsign"]
round = {{ observed = "10s", latitude_deg = "0.5", longitude_deg = "0.5" }}

[[release.posture]]
posture = "crisis"
[release.posture.types.system-track]
fields = [
  "observed", "track", "latitude_deg", "longitude_deg", "vx_mps", "vy_mps", "flight_level", "callsign", "sensor",
]
round = {{ latitude_deg = "0.01", longitude_deg = "0.01", vx_mps = "10", vy_mps = "10" }}
[release.posture.types.adsb-report]
fields = ["observed", "address", "latitude_deg", "longitude_deg", "flight_level"]
[release.posture.types.restricted-alert]
fields = ["identifier", "sent", "language", "event", "severity", "headline", "parameter"]
"""


def schema() -> str:
    """The schema: the types of both doors that are recorded, with marks."""
    lines = ["[schema]", "format = 1", f'id = "{FEED}"', 'title = { en = "Air picture and launch alerts" }']
    for door, names in _TYPES.items():
        kinds = {each["id"]: each for each in tomllib.loads(schema_text(DOORS[door]))["type"]}
        for name in names:
            kind = kinds[name]
            lines += ["", "[[type]]", f'id = "{name}"', f'time = "{kind["time"]}"', f'source = "{kind["source"]}"']
            lines += ["[type.fields]"]
            for field, said in kind["fields"].items():
                mark = _MARKS.get(name, {}).get(field)
                lines.append(f"{field} = {_table({**said, 'mark': mark} if mark else said)}")
    return "\n".join([*lines, ""])


def _table(said: Mapping[str, Any]) -> str:
    return "{ " + ", ".join(f"{key} = {msgspec.json.encode(value).decode()}" for key, value in said.items()) + " }"


def terms(until: datetime) -> str:
    """The release: less while all is calm, more in a crisis."""
    return _TERMS.format(feed=FEED, mark=MARK, topic=TOPIC, purpose=PURPOSE, until=until)


class Recorded(Struct, frozen=True):
    """A message of the recording: seconds from its beginning, and what it says."""

    at: float
    fields: dict[str, Any]

    def moved(self, beginning: datetime, speed: float) -> bytes:
        """The message as it would be said if the recording began then, and went so many times as fast."""
        from datetime import timedelta

        now = (beginning + timedelta(seconds=self.at / speed)).isoformat().replace("+00:00", "Z")
        time = "sent" if "sent" in self.fields else "observed"
        return msgspec.json.encode({**self.fields, time: now})


def recorded() -> list[Recorded]:
    """The recording: aircraft as ASTERIX, and a launch alert in signed XML, in the order of their instants.

    Raises:
        Misuse: the libraries of the doors are not installed.
    """
    return sorted(_passed(), key=lambda each: each.at)


def _passed() -> Iterator[Recorded]:
    setting = Setting(now=recording.clock, trusted=(recording.launch_certificate(),))
    for door, data in (("asterix", recording.air_picture()), ("cap", recording.launch_alert())):
        for message in DOORS[door].messages(BytesIO(data), setting):
            if isinstance(message, bytes):  # the recording has a broken block, too; it is passed over
                fields = msgspec.json.decode(message)
                said = datetime.fromisoformat(fields.get("sent") or fields["observed"])
                yield Recorded((said - recording.RECORDED).total_seconds(), fields)
