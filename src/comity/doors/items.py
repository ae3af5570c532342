"""Which data items of ASTERIX become which fields (``spec/doors.md`` steps 14 and 16)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

How = Literal["quantity", "whole", "address", "octal", "letters", "flag", "word"]
Path = tuple[str, ...]
"""A data item and a part of it, as the standard names them."""

KNOTS = 3600.0
"""Knots in a nautical mile a second."""
FRIEND = ("not-asked", "friendly", "unknown", "no-reply")
"""What an interrogation in Mode 4 or 5 said."""
DETECTION = (
    "none",
    "primary",
    "secondary",
    "primary-secondary",
    "all-call",
    "roll-call",
    "primary-all-call",
    "primary-roll-call",
)
"""By what a radar detected a target."""


class Said(Struct, frozen=True):
    """One field.

    Attributes:
        field: its name.
        path: where it stands.
        how: how it is read.
        unit: of a quantity, its unit in the standard.
        factor: of a quantity, what it is multiplied by.
        within: of a quantity, the largest value that there is; a record that is beyond is refused.
        unless: parts that, where they are set, say that the value is not to be used.
        words: of a word, those there are, by number.
        needed: a record without it is refused.
        otherwise: where it stands in a record that does not have it there.
    """

    field: str
    path: Path
    how: How
    unit: str = ""
    factor: float = 1.0
    within: float | None = None
    unless: tuple[Path, ...] = ()
    words: tuple[str, ...] = ()
    needed: bool = False
    otherwise: Path | None = None

    @property
    def kind(self) -> str:
        """The kind of its field in the schema."""
        return {"quantity": "number", "whole": "integer", "flag": "boolean"}.get(self.how, "text")


class Category(Struct, frozen=True):
    """What is read of one category.

    Attributes:
        type: the type of its messages.
        edition: of the standard.
        times: data items that say when, the first that is there counts.
        fields: the others, in order.
    """

    type: str
    edition: tuple[int, int]
    times: tuple[str, ...]
    fields: tuple[Said, ...]


def _unvalidated(item: str) -> tuple[Path, ...]:
    return ((item, "V"), (item, "G"))


CATEGORIES: Mapping[int, Category] = {
    21: Category(
        "adsb-report",
        (2, 7),
        ("071", "073", "077"),
        (
            Said("address", ("080",), "address", needed=True),
            Said("latitude_deg", ("131", "LAT"), "quantity", "°", within=90, otherwise=("130", "LAT")),
            Said("longitude_deg", ("131", "LON"), "quantity", "°", within=180, otherwise=("130", "LON")),
            Said("geometric_height_ft", ("140",), "quantity", "ft"),
            Said("flight_level", ("145",), "quantity", "FL"),
            Said("ground_speed_kt", ("160", "GS"), "quantity", "NM/s", KNOTS, unless=(("160", "RE"),)),
            Said("track_angle_deg", ("160", "TA"), "quantity", "°"),
            Said("barometric_climb_ftpm", ("155", "BVR"), "quantity", "ft/min", unless=(("155", "RE"),)),
            Said("geometric_climb_ftpm", ("157", "GVR"), "quantity", "ft/min", unless=(("157", "RE"),)),
            Said("callsign", ("170",), "letters"),
            Said("mode_3a", ("070", "MODE3A"), "octal"),
            Said("track", ("161", "TRNUM"), "whole"),
            Said("emitter", ("020",), "whole"),
            Said("on_ground", ("040", "GBS"), "flag"),
            Said("simulated", ("040", "SIM"), "flag"),
            Said("test", ("040", "TST"), "flag"),
        ),
    ),
    48: Category(
        "radar-plot",
        (1, 32),
        ("140",),
        (
            Said("range_nm", ("040", "RHO"), "quantity", "NM"),
            Said("azimuth_deg", ("040", "THETA"), "quantity", "°"),
            Said("x_nm", ("042", "X"), "quantity", "NM"),
            Said("y_nm", ("042", "Y"), "quantity", "NM"),
            Said("detection", ("020", "TYP"), "word", words=DETECTION),
            Said("flight_level", ("090", "FL"), "quantity", "FL", unless=_unvalidated("090")),
            Said("height_ft", ("110", "3DH"), "quantity", "ft"),
            Said("mode_3a", ("070", "MODE3A"), "octal", unless=_unvalidated("070")),
            Said("address", ("220",), "address"),
            Said("callsign", ("240",), "letters"),
            Said("track", ("161", "TRN"), "whole"),
            Said("ground_speed_kt", ("200", "GSP"), "quantity", "NM/s", KNOTS),
            Said("track_angle_deg", ("200", "HDG"), "quantity", "°"),
            Said("mode_4", ("020", "FOEFRI"), "word", words=FRIEND),
            Said("simulated", ("020", "SIM"), "flag"),
            Said("test", ("020", "TST"), "flag"),
            Said("tentative", ("170", "CNF"), "flag"),
            Said("ended", ("170", "TRE"), "flag"),
        ),
    ),
    62: Category(
        "system-track",
        (1, 21),
        ("070",),
        (
            Said("track", ("040",), "whole", needed=True),
            Said("latitude_deg", ("105", "LAT"), "quantity", "°", within=90),
            Said("longitude_deg", ("105", "LON"), "quantity", "°", within=180),
            Said("x_m", ("100", "X"), "quantity", "m"),
            Said("y_m", ("100", "Y"), "quantity", "m"),
            Said("vx_mps", ("185", "VX"), "quantity", "m/s"),
            Said("vy_mps", ("185", "VY"), "quantity", "m/s"),
            Said("climb_ftpm", ("220",), "quantity", "ft/min"),
            Said("flight_level", ("136",), "quantity", "FL"),
            Said("geometric_height_ft", ("130",), "quantity", "ft"),
            Said("barometric_level", ("135", "CTB"), "quantity", "FL"),
            Said("mode_3a", ("060", "MODE3A"), "octal", unless=_unvalidated("060")),
            Said("callsign", ("245", "CHR"), "letters", otherwise=("380", "ID")),
            Said("address", ("380", "ADR"), "address"),
            Said("mode_4", ("080", "MD4"), "word", words=FRIEND),
            Said("mode_5", ("080", "MD5"), "word", words=FRIEND),
            Said("simulated", ("080", "SIM"), "flag"),
            Said("tentative", ("080", "CNF"), "flag"),
            Said("coasting", ("080", "CST"), "flag"),
            Said("ended", ("080", "TSE"), "flag"),
        ),
    ),
}
