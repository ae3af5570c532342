"""``spec/exchange.md`` step 47: a request counts once, and memory is bounded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.errors import Rejected
from comity.node.replay import Replays

START = 1_000_000


def nonce(number: int) -> bytes:
    return number.to_bytes(16, "big")


def test_a_request_counts_once() -> None:
    replays = Replays(START)
    replays.admit("jp", nonce(1), START, START)
    with pytest.raises(Rejected) as caught:
        replays.admit("jp", nonce(1), START, START + 1)
    assert caught.value.code == "replayed"


def test_senders_do_not_share_nonces() -> None:
    replays = Replays(START)
    replays.admit("jp", nonce(1), START, START)
    replays.admit("kr", nonce(1), START, START)


def test_what_a_restart_forgot_it_refuses() -> None:
    with pytest.raises(Rejected) as caught:
        Replays(START).admit("jp", nonce(1), START - 1, START)
    assert caught.value.code == "stale-request"


def test_a_full_memory_forgets_the_oldest_second_and_refuses_it_from_then_on() -> None:
    replays = Replays(START, nonces_max=3)
    for second in range(4):
        replays.admit("jp", nonce(second), START + second, START + 3)
    with pytest.raises(Rejected) as caught:
        replays.admit("jp", nonce(0), START, START + 3)
    assert caught.value.code == "stale-request"
    with pytest.raises(Rejected) as caught:
        replays.admit("jp", nonce(1), START + 1, START + 3)
    assert caught.value.code == "replayed"


def test_a_clock_that_steps_back_opens_no_old_second() -> None:
    replays = Replays(START)
    replays.admit("jp", nonce(1), START, START)
    replays.admit("jp", nonce(2), START + 1_000, START + 1_000)
    with pytest.raises(Rejected):
        replays.admit("jp", nonce(1), START, START)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 900), st.integers(-400, 400)), max_size=60))
def test_nothing_is_admitted_twice_whatever_the_clock_does(requests: list[tuple[int, int, int]]) -> None:
    replays = Replays(START, nonces_max=5)
    admitted = []
    for number, created, drift in requests:
        try:
            replays.admit("jp", nonce(number), START + created, START + created + drift)
        except Rejected:
            continue
        admitted.append((number, created))
    assert len(admitted) == len(set(admitted))
