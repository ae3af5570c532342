"""The recording that comes with the package, for demonstrations and tests (``spec/doors.md`` step 17).

Nobody sent any of it: it was made by `tests/doors/recorded.py`, and the key that signed the alert was not kept.
"""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import resources

RECORDED = datetime(2026, 11, 20, 1, 2, tzinfo=UTC)
"""When it begins; the clock that it is read with."""


def clock() -> datetime:
    """The clock of the recording, which stands at its beginning (15)."""
    return RECORDED


def air_picture() -> bytes:
    """Three minutes of ASTERIX: three system tracks and two aircraft with ADS-B, and one block that is broken."""
    return _sample("air-picture.ast")


def launch_alert() -> bytes:
    """A signed alert of a launch, to be read with ``launch_certificate``."""
    return _sample("launch-alert.xml")


def launch_certificate() -> bytes:
    """The certificate by which the alert is signed, in PEM."""
    return _sample("launch-alert.pem")


def _sample(name: str) -> bytes:
    return resources.files("comity.doors").joinpath("samples", name).read_bytes()
