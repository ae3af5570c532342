"""Passwords, and how long whoever guesses waits (``spec/console.md`` steps 13, 16 and 17)."""

from __future__ import annotations

import asyncio
import threading
import unicodedata
from datetime import timedelta

import pytest
from argon2 import PasswordHasher

from comity.console.delays import FORGOTTEN, LINES_MAX, LONGEST_SECONDS, Delays, TooSoon
from comity.console.passwords import AT_ONCE, HASHER, WAITING_MAX, Passwords, check_password
from comity.errors import Misuse, Unavailable
from world import SeededEntropy, StandingClock

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
GOOD = "correct horse battery staple"


class Counting(PasswordHasher):
    """How many hashes were computed, and how many at once."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.computed = self.now = self.most = 0
        self.go = threading.Event()
        self.go.set()

    def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # type: ignore[override]  # noqa: A002 - theirs
        self.computed += 1
        self.now += 1
        self.most = max(self.most, self.now)
        self.go.wait(10)
        try:
            return super().verify(hash, password)
        finally:
            self.now -= 1


def passwords(hasher: PasswordHasher = CHEAP) -> Passwords:
    return Passwords(SeededEntropy("passwords"), hasher)


async def test_a_password_is_known_by_its_hash_alone_however_it_was_typed() -> None:
    made = passwords()
    kept = await made.hash("ばびぶべぼ correct horse")
    assert "$argon2id$" in kept
    assert "correct" not in kept
    decomposed = unicodedata.normalize("NFD", "ばびぶべぼ correct horse")
    assert len(decomposed) == len("ばびぶべぼ correct horse") + 5
    assert await made.matches(decomposed, kept)
    assert not await made.matches("ばびぶべほ correct horse", kept)


async def test_unknown_people_cost_the_same_work_as_a_wrong_password() -> None:
    counting = Counting()
    made = passwords(counting)
    kept = await made.hash(GOOD)
    assert not await made.matches("another password", kept)
    before = counting.computed
    assert not await made.matches("another password", None)
    assert counting.computed == before + 1


async def test_nobody_signs_in_with_the_password_that_unknown_people_are_compared_with() -> None:
    made = passwords()
    assert not await made.matches(SeededEntropy("passwords")(16).hex(), None)


@pytest.mark.parametrize("kept", ["", "x", "$argon2id$v=19$m=8,t=1,p=1$c2FsdA$", "$argon2i$"])
async def test_a_hash_that_is_none_matches_nothing(kept: str) -> None:
    assert not await passwords().matches(GOOD, kept)


async def test_a_hash_by_other_parameters_is_outdated() -> None:
    kept = await passwords().hash(GOOD)
    assert not passwords().is_outdated(kept)
    assert passwords(HASHER).is_outdated(kept)


async def test_a_flood_is_told_to_come_again_and_takes_no_memory() -> None:
    counting = Counting()
    made = passwords(counting)
    kept = await made.hash(GOOD)
    assert await made.matches(GOOD, kept)
    counting.go.clear()
    flood = [asyncio.create_task(made.matches(GOOD, kept)) for _ in range(100)]
    while counting.now < AT_ONCE:
        await asyncio.sleep(0.01)
    counting.go.set()
    answers = await asyncio.gather(*flood, return_exceptions=True)
    assert answers.count(True) == AT_ONCE + WAITING_MAX
    assert {each.code for each in answers if isinstance(each, Unavailable)} == {"busy"}
    assert counting.most == AT_ONCE
    assert await made.matches(GOOD, kept)


@pytest.mark.parametrize(
    ("password", "told"),
    [
        ("short words", "too short"),
        ("ﬃﬃﬃﬃ"[:3], "too short"),
        ("w" * 201 + GOOD, "too long"),
        ("sato.sato.sato", "your handle"),
        ("SATOsatoＳＡＴＯsato!", "your handle"),
        ("aaaabbbbcccc", "few different"),
        ("12345678901234", "in a row"),
        ("abcdefghijklmn", "in a row"),
    ],
)
def test_a_password_that_is_guessed_first_is_refused(password: str, told: str) -> None:
    with pytest.raises(Misuse, match=told):
        check_password(password, "sato")


@pytest.mark.parametrize(
    "password", [GOOD, "비밀번호는 아무도 모르는 문장", "富士山より高い鯨が二頭いる", "a! sato's whale sings"]
)
def test_words_in_every_script_are_a_password(password: str) -> None:
    check_password(password, "sato")


def test_whoever_guesses_waits_twice_as_long_each_time() -> None:
    clock = StandingClock()
    delays = Delays(clock, 3)
    waits = []
    for _ in range(14):
        try:
            delays.check("sato")
        except TooSoon as soon:
            waits.append(soon.seconds)
            clock.time += timedelta(seconds=soon.seconds)
            delays.check("sato")
        delays.failed("sato")
    assert waits == [1, 2, 4, 8, 16, 32, *[LONGEST_SECONDS] * 5]
    delays.check("abe")
    delays.succeeded("sato")
    delays.check("sato")


def test_failures_are_forgotten_after_a_while_and_the_table_is_bounded() -> None:
    clock = StandingClock()
    delays = Delays(clock, 1)
    delays.failed("sato")
    with pytest.raises(TooSoon):
        delays.check("sato")
    clock.time += FORGOTTEN
    delays.check("sato")
    for number in range(LINES_MAX + 5):
        delays.failed(str(number))
    assert len(delays._lines) == LINES_MAX
    delays.check("0")
