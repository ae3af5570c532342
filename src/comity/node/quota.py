"""What one peer may take of this node, so that no peer's flood reaches another peer's incident notice.

Records, blobs and reads each have their own lane: a peer that fills its lane of blobs still gets its records through.
All limits are per peer; the disk reserve is shared, and only blobs stop at it (``spec/exchange.md`` steps 49 and 50).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Literal

import msgspec

from comity.errors import Unavailable
from comity.flows.exchanging.parcel import PARCEL_BYTES_MAX

Lane = Literal["records", "blobs", "reads"]
Positive = Annotated[int, msgspec.Meta(ge=1, le=2**53 - 1)]


class Quotas(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab", kw_only=True):
    """The ``[quotas]`` table of ``node.toml``.

    Attributes:
        requests_in_flight: requests of one peer under way at once, in each lane.
        requests_per_second: requests of one peer, all lanes together; a burst of ten seconds' worth is allowed.
        body_bytes_in_flight: bytes of one peer's bodies held in memory at once, in each lane; at least one parcel.
        blob_bytes_per_hour: bytes of blobs one peer may upload; an hour's worth may come at once.
        disk_reserve_bytes: free bytes below which blobs are refused and records still accepted; a parcel with more than
            ``RECORD_BYTES_FREE`` carries blobs.
    """

    requests_in_flight: Positive = 8
    requests_per_second: Positive = 500
    body_bytes_in_flight: Annotated[int, msgspec.Meta(ge=PARCEL_BYTES_MAX, le=2**40)] = 2 * PARCEL_BYTES_MAX
    blob_bytes_per_hour: Positive = 64 * 2**30
    disk_reserve_bytes: Positive = 2**30


RECORD_BYTES_FREE = 2**20
"""What of a parcel is taken to be records: some three hundred of them. Payloads ride in parcels too, so what is beyond
counts as blobs, in the quota and at the disk reserve."""
BURST_SECONDS = 10
"""How many seconds' worth of requests may come at once: a peer back from a day's outage is no attacker."""
HOUR_SECONDS = 3_600


class Bucket:
    """A token bucket: ``burst`` at first, refilled at ``rate`` a second."""

    __slots__ = ("_at", "_burst", "_left", "_rate")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate, self._burst = rate, burst
        self._left, self._at = burst, now

    def take(self, amount: float, now: float) -> bool:
        """Whether ``amount`` was there and has been taken; time that runs backwards adds nothing."""
        self._left = min(self._burst, self._left + max(0.0, now - self._at) * self._rate)
        self._at = now
        if amount > self._left:
            return False
        self._left -= amount
        return True


class Allowance:
    """What one peer is using.

    Args:
        quotas: the limits.
        now: seconds on any clock that does not step.
    """

    def __init__(self, quotas: Quotas, now: float) -> None:
        self._quotas = quotas
        self._requests = Bucket(quotas.requests_per_second, quotas.requests_per_second * BURST_SECONDS, now)
        self._blob_bytes = Bucket(quotas.blob_bytes_per_hour / HOUR_SECONDS, quotas.blob_bytes_per_hour, now)
        self._in_flight: dict[Lane, int] = {"records": 0, "blobs": 0, "reads": 0}
        self._held: dict[Lane, int] = {"records": 0, "blobs": 0, "reads": 0}

    @contextmanager
    def hold(self, lane: Lane, size: int, now: float) -> Iterator[None]:
        """A place in ``lane`` and ``size`` bytes of memory for as long as the context lasts.

        Raises:
            Unavailable: ``quota``; nothing is held.
        """
        quotas = self._quotas
        if self._in_flight[lane] >= quotas.requests_in_flight:
            raise _over(f"{quotas.requests_in_flight} requests for {lane} under way at once")
        if self._held[lane] + size > quotas.body_bytes_in_flight:
            raise _over(f"{quotas.body_bytes_in_flight} bytes for {lane} under way at once")
        if not self._requests.take(1, now):
            raise _over(f"{quotas.requests_per_second} requests a second")
        payload = blob_bytes(lane, size)
        if payload and not self._blob_bytes.take(payload, now):
            raise _over(f"{quotas.blob_bytes_per_hour} bytes of blobs an hour")
        self._in_flight[lane] += 1
        self._held[lane] += size
        try:
            yield
        finally:
            self._in_flight[lane] -= 1
            self._held[lane] -= size


def blob_bytes(lane: Lane, size: int) -> int:
    """How many bytes of a body of ``size`` in ``lane`` count as blobs."""
    return {"blobs": size, "records": max(0, size - RECORD_BYTES_FREE), "reads": 0}[lane]


def _over(limit: str) -> Unavailable:
    return Unavailable(f"over your quota of {limit}; try again later", code="quota")
