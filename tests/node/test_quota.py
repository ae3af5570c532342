"""``spec/exchange.md`` steps 49 and 50: what one peer may take."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from comity.errors import Unavailable
from comity.flows.exchanging.parcel import PARCEL_BYTES_MAX
from comity.node.quota import BURST_SECONDS, RECORD_BYTES_FREE, Allowance, Quotas


def test_a_full_lane_of_blobs_leaves_records_their_own() -> None:
    allowance = Allowance(Quotas(requests_in_flight=2), 0.0)
    with ExitStack() as held:
        held.enter_context(allowance.hold("blobs", 10, 0.0))
        held.enter_context(allowance.hold("blobs", 10, 0.0))
        with pytest.raises(Unavailable, match="2 requests for blobs"), allowance.hold("blobs", 10, 0.0):
            pass
        with allowance.hold("records", 10, 0.0):
            pass


def test_places_and_bytes_come_back_also_after_a_failure() -> None:
    allowance = Allowance(Quotas(requests_in_flight=1, body_bytes_in_flight=PARCEL_BYTES_MAX), 0.0)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), allowance.hold("records", PARCEL_BYTES_MAX, 0.0):
            raise ZeroDivisionError


def test_bytes_in_flight_are_bounded() -> None:
    allowance = Allowance(Quotas(body_bytes_in_flight=PARCEL_BYTES_MAX), 0.0)
    with (
        allowance.hold("records", PARCEL_BYTES_MAX, 0.0),
        pytest.raises(Unavailable, match="under way") as caught,
        allowance.hold("records", 1, 0.0),
    ):
        pass
    assert caught.value.code == "quota"


def test_requests_a_second_are_bounded_and_refill() -> None:
    allowance = Allowance(Quotas(requests_per_second=2), 0.0)
    for _ in range(2 * BURST_SECONDS):
        with allowance.hold("reads", 0, 0.0):
            pass
    with pytest.raises(Unavailable, match="2 requests a second"), allowance.hold("reads", 0, 0.0):
        pass
    with allowance.hold("reads", 0, 0.5):
        pass


def test_blob_bytes_an_hour_are_bounded_and_records_are_not_counted() -> None:
    allowance = Allowance(Quotas(blob_bytes_per_hour=3_600), 0.0)
    with allowance.hold("blobs", 3_600, 0.0):
        pass
    with pytest.raises(Unavailable, match="an hour"), allowance.hold("blobs", 2, 0.0):
        pass
    with allowance.hold("records", 5_000, 0.0):
        pass
    with allowance.hold("blobs", 2, 2.0):
        pass


def test_payloads_that_ride_in_a_parcel_count_as_blobs() -> None:
    allowance = Allowance(Quotas(blob_bytes_per_hour=3_600), 0.0)
    with allowance.hold("records", RECORD_BYTES_FREE + 3_600, 0.0):
        pass
    with pytest.raises(Unavailable, match="an hour"), allowance.hold("records", RECORD_BYTES_FREE + 100, 0.0):
        pass
    with allowance.hold("records", RECORD_BYTES_FREE, 0.0):
        pass


def test_time_that_runs_backwards_gives_nothing() -> None:
    allowance = Allowance(Quotas(requests_per_second=1), 100.0)
    for _ in range(BURST_SECONDS):
        with allowance.hold("reads", 0, 100.0):
            pass
    with pytest.raises(Unavailable), allowance.hold("reads", 0, 0.0):
        pass
