"""The feeds of the simulated world: their schemas, the terms of their releases, and the messages of sensors."""

from __future__ import annotations

from datetime import datetime
from random import Random

from comity.flows.feeding.names import FeedName
from world import RELATIONSHIP

from . import cast
from .markers import HIDDEN, SECRET

NAMES = {party: FeedName(RELATIONSHIP, party, f"air-{party}") for party in cast.PARTIES}
"""The feed of each party."""
BY_ORIGIN = {name.origin: name for name in NAMES.values()}
TYPES = ("track", "alert")
INSTANTS = ("observed", "issued")
SCHEMA = """
[schema]
format = 1
id = "air-picture"
title = {{ en = "Air picture, edition {edition}" }}

[[type]]
id = "track"
time = "observed"
source = "sensor"

[type.fields]
track = {{ kind = "text", mark = "{low}" }}
observed = {{ kind = "instant", mark = "{low}" }}
latitude = {{ kind = "number", mark = "{low}", role = "position" }}
height = {{ kind = "number", mark = "{high}", optional = true }}
sensor = {{ kind = "text", mark = "{high}" }}
method = {{ kind = "text", mark = "{above}" }}
note = {{ kind = "text" }}

[[type]]
id = "alert"
time = "issued"
source = "station"

[type.fields]
alert = {{ kind = "text", mark = "{low}" }}
issued = {{ kind = "instant", mark = "{low}" }}
grade = {{ kind = "integer", mark = "{high}" }}
station = {{ kind = "text", mark = "{high}" }}
note = {{ kind = "text" }}
"""
TERMS = """
[release]
format = 1
feed = "{feed}"
mark = "{high}"
topic = "{topic}"
purpose = "{purpose}"
until = "{until:%Y-%m-%dT%H:%M:%SZ}"

[[release.posture]]
posture = "normal"
[release.posture.types.track]
fields = ["track", "observed", "latitude"]
round = {{ latitude = "0.1", observed = "1s" }}
{limits}
[release.posture.types.alert]
fields = ["alert", "issued"]
round = {{ issued = "1min" }}
delay = {delay}

[[release.posture]]
posture = "heightened"
[release.posture.types.track]
fields = ["track", "observed", "latitude", "sensor"]
[release.posture.types.alert]
fields = ["alert", "issued", "grade", "station"]
delay = {less}

[[release.posture]]
posture = "crisis"
[release.posture.types.track]
fields = ["track", "observed", "latitude", "height", "sensor"]
round = {{ height = "500" }}
[release.posture.types.alert]
fields = ["alert", "issued", "grade", "station"]
"""
LIMITS = ("", "", "rate = 2", "delay = 5\nrate = 4")


def schema(random: Random, party: str) -> str:
    low, high, _, above = cast.MARKS[party]
    return SCHEMA.format(edition=random.choice((1, 1, 2)), low=low, high=high, above=above)


def terms(random: Random, party: str, until: datetime, *, topic: str, purpose: str) -> str:
    delay = random.choice((1, 30, 300))
    return TERMS.format(
        feed=NAMES[party].feed,
        high=cast.MARKS[party][1],
        topic=topic,
        purpose=purpose,
        until=until,
        limits=random.choice(LIMITS),
        delay=delay,
        less=min(delay, 2),
    )


def message(random: Random, kind: str, number: int, source: str, at: datetime) -> dict[str, object]:
    """A message of a sensor; its name begins as everything secret does, and what may never cross as nothing else."""
    name, hidden = f"{SECRET.decode()}{number}", f"{HIDDEN.decode()}{number}"
    instant = f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"
    if kind == "alert":
        fields = {"alert": name, "issued": instant, "grade": random.randrange(9), "station": source}
        return {"type": kind, **fields, "note": hidden * random.choice((1, 30))}
    track: dict[str, object] = {
        "type": kind,
        "track": name,
        "observed": instant,
        "latitude": random.randrange(900) / 10.5,
    }
    if random.random() < 0.5:
        track["height"] = random.randrange(12_000) + 0.5
    return {**track, "sensor": source, "method": hidden, "note": hidden * random.choice((1, 30))}
